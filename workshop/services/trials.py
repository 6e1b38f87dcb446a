"""Trial parts lent for a day (3.2). Lock order: the order, its line and part line, then the part's stock, then the trial."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part, Tracing
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.formats import one_line
from dealership.kernel.history import record
from staff.models import Employee
from workshop import events, permissions
from workshop.models import PartLine, PartTrial, RepairOrder, StockItem, StockLot, TrialState
from workshop.selectors.trials import ISSUABLE
from workshop.services.stock import UNNAMED, issue_part, positive, take_off_tried
from workshop.stock_models import ReturnCondition

NO_LONGER_NEW = (ReturnCondition.OPENED, ReturnCondition.FITTED)


@transaction.atomic
def lend_part(
    *, part_uid: UUID, order_uid: UUID, employee_uid: UUID, by: Actor, quantity: Decimal = Decimal(1), lot: str = ""
) -> PartTrial:
    """3.2: a part goes to a technician to be tried on the car of an order; it is due on the same day of the store.

    It stays on hand and is kept from everybody else. Raises RuleError ``trial.order`` (the order has ended),
    ``stock.quantity``, ``stock.short``, ``stock.lot_missing`` and ``stock.lot_unknown``.
    """
    by.require(permissions.PARTS_ISSUE)
    positive(quantity)
    order = RepairOrder.objects.for_actor(by).locked().select_related("store").get(uid=order_uid)
    if order.closed_at is not None:
        raise RuleError("trial.order", _("This order has ended; a part is tried on a car in the shop."), field="order")
    employee = Employee.objects.for_actor(by).get(uid=employee_uid)
    part = Part.objects.get(uid=part_uid)
    StockItem.objects.bulk_create([StockItem(store=order.store, part=part)], ignore_conflicts=True)
    item = StockItem.objects.locked().get(store=order.store, part=part)
    if quantity > item.on_hand - item.reserved:
        raise RuleError(
            "stock.short", _("Only %(free)s %(unit)s are free on the shelf."), field="quantity",
            free=f"{(item.on_hand - item.reserved).normalize():f}", unit=part.unit,
        )  # fmt: skip
    found = None
    if part.tracing != Tracing.NONE:
        wanted = " ".join(lot.split()).upper()
        if not wanted:
            text = _("This part is traced: scan its batch, or the serial number of each piece.")
            raise RuleError("stock.lot_missing", text, field="code")
        found = StockLot.objects.filter(item=item, code=wanted).first()
        lent = (
            sum(found.trials.filter(state=TrialState.OUT).values_list("quantity", flat=True), Decimal(0))
            if found
            else 0
        )
        if found is None or found.on_hand - lent < quantity:
            raise RuleError("stock.lot_unknown", _("“%(lot)s” isn't on the shelf."), field="code", lot=wanted[:40])
    trial = PartTrial.objects.create(
        store=order.store, item=item, lot=found, order=order, employee=employee, quantity=quantity,
        due_on=clock.today(order.store.time_zone),
    )  # fmt: skip
    record(
        trial, events.TRIAL_LENT, by=by, part=part.uid, quantity=quantity, employee=employee.uid, due_on=trial.due_on
    )  # fmt: skip
    return trial


def _out(uid: UUID, by: Actor) -> PartTrial:
    """The trial behind its order and its part's stock, all locked. Raises RuleError ``trial.ended``."""
    found = PartTrial.objects.for_actor(by).values("order_id", "item_id").get(uid=uid)
    RepairOrder.objects.locked().get(pk=found["order_id"])
    StockItem.objects.locked().get(pk=found["item_id"])
    trial = PartTrial.objects.locked().select_related("item__part", "order", "lot").get(uid=uid)
    if trial.state != TrialState.OUT:
        raise RuleError("trial.ended", _("This trial has ended already."))
    return trial


def _end(trial: PartTrial, state: TrialState, by: Actor, *, condition: str = "", reason: str = "") -> PartTrial:
    trial.state, trial.ended_at, trial.condition, trial.reason = state, clock.now(), condition, reason
    trial.save(update_fields=["state", "ended_at", "condition", "reason"])
    if condition in NO_LONGER_NEW:
        take_off_tried(trial=trial, by=by)
    event = events.TRIAL_ISSUED
    if state == TrialState.BACK:
        event = events.TRIAL_USED if condition in NO_LONGER_NEW else events.TRIAL_BACK
    changed = {"state": (TrialState.OUT, state)}
    facts: dict[str, Any] = {"condition": condition} if condition else {}
    record(trial, event, by=by, changed=changed, part=trial.item.part.uid, quantity=trial.quantity, **facts)
    return trial


@transaction.atomic
def take_trial_back(*, uid: UUID, condition: str, by: Actor, reason: str = "") -> PartTrial:
    """3.2: a tried part comes back, and the keeper says in what ``condition``.

    Only what nobody opened is free for everybody again; what was opened or fitted leaves the stock by a movement, with its
    ``reason``, and stands among old and trial parts. Raises RuleError ``trial.condition``, ``.reason`` and ``.ended``.
    """
    by.require(permissions.PARTS_ISSUE)
    if condition not in ReturnCondition.values:
        raise RuleError(
            "trial.condition", _("Say in what condition it came back: unopened, opened or fitted."), field="condition"
        )
    reason = one_line(reason)[:120]
    if condition in NO_LONGER_NEW and not reason:
        raise RuleError("trial.reason", _("Say what was tried, and why it is no longer new."), field="reason")
    return _end(_out(uid, by), TrialState.BACK, by, condition=condition, reason=reason)


@transaction.atomic
def issue_trial(*, uid: UUID, by: Actor) -> PartTrial:
    """What was tried stays in the car: it is issued to the agreed line of its order that needs it.

    Raises RuleError ``trial.no_line`` (nobody agreed to this part on the order), ``trial.ended`` and those of an issue.
    """
    by.require(permissions.PARTS_ISSUE)
    trial = _out(uid, by)
    lines = PartLine.objects.filter(line__order=trial.order, part=trial.item.part, line__state__in=ISSUABLE)
    fit = lines.filter(line__settled=False, quantity__gte=F("issued_quantity") + trial.quantity).order_by("id").first()
    if fit is None:
        raise RuleError(
            "trial.no_line",
            _("Nobody agreed to this part on the order yet: write it there and ask the customer, or take it back."),
        )
    _end(trial, TrialState.ISSUED, by)
    plain = [UNNAMED] if trial.item.part.tracing != Tracing.NONE else []  # lent before the part was traced
    lots = [trial.lot.code] if trial.lot else plain
    issue_part(part_line_uid=fit.uid, quantity=trial.quantity, lots=lots, by=by)
    return trial
