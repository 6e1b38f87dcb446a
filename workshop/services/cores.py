"""Core charges: written with the issue or the sale, given back when the old part comes in, credited by the supplier (3.2).

Lock order: order or sale, core charge.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.formats import one_line
from dealership.kernel.history import record
from dealership.kernel.money import line_amount, round_money
from dealership.kernel.saying import say_money
from dealership.kernel.states import require
from workshop import events, permissions
from workshop.core_models import CORE_MOVES, CoreCharge, CoreCondition, CoreReturn, CoreState
from workshop.limits import CORE_DAYS
from workshop.models import CounterSale, PartLine, RepairOrder, SaleLine
from workshop.old_part_models import Disposition, OldPart


def follow_issue(part_line: PartLine, *, store_id: int, by: Actor) -> CoreCharge | None:
    """Within an issue or a return of a locked part line: its core charge follows what is out; None where it has none.

    Raises RuleError ``core.credited`` where the old part came in already for what comes back.
    """
    if part_line.core_price <= 0:
        return None
    core = CoreCharge.objects.locked().filter(part_line=part_line).first()
    if core is None:
        if part_line.line.pay_type != PayType.CUSTOMER_PAY:
            return None
        return _charge(store_id, part_line.issued_quantity, part_line.core_price, by, part_line=part_line)
    return _set_quantity(core, part_line.issued_quantity, by)


def charge_sold(line: SaleLine, *, by: Actor) -> CoreCharge | None:
    """Within a sale: the core charge of a locked line."""
    if line.core_amount <= 0:
        return None
    return _charge(line.sale.store_id, line.quantity, line.core_price, by, sale_line=line)


def take_off_sold(line: SaleLine, quantity: Decimal, *, by: Actor) -> Decimal:
    """Within a return of what was sold: what of its core charge is given back with it (CNY)."""
    core = CoreCharge.objects.locked().filter(sale_line=line).first()
    if core is None:
        return Decimal(0)
    before = core.amount
    return before - _set_quantity(core, core.quantity - quantity, by).amount


def _charge(
    store_id: int,
    quantity: Decimal,
    unit: Decimal,
    by: Actor,
    *,
    part_line: PartLine | None = None,
    sale_line: SaleLine | None = None,
) -> CoreCharge:
    days = int(limits.value(CORE_DAYS, store_id=store_id))
    owner = part_line or sale_line
    assert owner is not None
    core = CoreCharge.objects.create(
        store_id=store_id, part_line=part_line, sale_line=sale_line, part=owner.part, quantity=quantity,
        unit_amount=unit, amount=line_amount(quantity, unit), due_on=clock.today() + timedelta(days=days),
    )  # fmt: skip
    record(
        core, events.CORE_CHARGED, by=by, part=owner.part.uid, quantity=quantity, amount=core.amount, due_on=core.due_on
    )
    return core


def _set_quantity(core: CoreCharge, quantity: Decimal, by: Actor) -> CoreCharge:
    amount = line_amount(quantity, core.unit_amount)
    if quantity < core.returned or amount < core.credited:
        raise RuleError(
            "core.credited",
            _("The old part of this one came in and its core charge was given back; it doesn't come back as well."),
        )
    if quantity != core.quantity:
        before, core.quantity, core.amount = core.quantity, quantity, amount
        core.save(update_fields=["quantity", "amount"])
        record(core, events.CORE_CHANGED, by=by, changed={"quantity": (before, quantity)}, amount=amount)
    return core


def _locked_core(uid: UUID, by: Actor) -> CoreCharge:
    found = CoreCharge.objects.for_actor(by).values("part_line__line__order_id", "sale_line__sale_id").get(uid=uid)
    if found["part_line__line__order_id"] is not None:
        RepairOrder.objects.locked().get(pk=found["part_line__line__order_id"])
    else:
        CounterSale.objects.locked().get(pk=found["sale_line__sale_id"])
    return CoreCharge.objects.locked().select_related("store", "part").get(uid=uid)


@transaction.atomic
def take_core(
    *,
    core_uid: UUID,
    quantity: Decimal,
    brought_by: str,
    by: Actor,
    condition: str = CoreCondition.WHOLE,
    credit: Decimal | None = None,
    reason: str = "",
) -> CoreReturn:
    """3.2: an old part comes in within the days of ``workshop.core_days``; its core charge is given back (CNY).

    All of it for a whole one; for a damaged one ``credit`` is decided, with its reason. Raises RuleError ``core.quantity``,
    ``core.condition``, ``core.who``, ``core.reason``, ``core.credit`` and ``core.too_late``.
    """
    by.require(permissions.OLD_PARTS_KEEP)
    core = _locked_core(core_uid, by)
    if quantity <= 0 or quantity > core.left or quantity != round(quantity, 2):
        raise RuleError(
            "core.quantity", _("%(left)s %(unit)s may still come in for this charge."), field="quantity",
            left=f"{core.left.normalize():f}", unit=core.part.unit,
        )  # fmt: skip
    if condition not in CoreCondition.values:
        raise RuleError("core.condition", _("Say whether it is whole or damaged."), field="condition")
    who, reason = one_line(brought_by)[:60], one_line(reason)[:120]
    if not who:
        raise RuleError("core.who", _("Write who brought the old part."), field="brought_by")
    whole = line_amount(quantity, core.unit_amount)
    if condition == CoreCondition.WHOLE:
        credit = whole
    elif not reason:
        raise RuleError("core.reason", _("Say what is damaged or missing."), field="reason")
    if credit is None or credit < 0 or credit > whole or credit != round_money(credit):
        raise RuleError(
            "core.credit",
            _("Between nothing and %(whole)s is given back for it."),
            field="credit",
            whole=say_money(whole),
        )
    if clock.today(core.store.time_zone) > core.due_on:
        raise RuleError(
            "core.too_late", _("Its last day was %(day)s; the core charge stays."), day=core.due_on.isoformat()
        )
    return _bring_in(core, quantity, condition, credit, reason, who, by)


def take_left_core(part_line: PartLine, *, brought_by: str, by: Actor) -> CoreReturn | None:
    """What came off the car and stays with the shop by the customer's consent counts as come in, whole."""
    core = CoreCharge.objects.locked().select_related("store", "part").filter(part_line=part_line).first()
    if core is None or core.left <= 0 or clock.today(core.store.time_zone) > core.due_on:
        return None
    credit = line_amount(core.left, core.unit_amount)
    return _bring_in(core, core.left, CoreCondition.WHOLE, credit, "", brought_by, by)


def _bring_in(
    core: CoreCharge, quantity: Decimal, condition: str, credit: Decimal, reason: str, who: str, by: Actor
) -> CoreReturn:
    came = CoreReturn.objects.create(
        core=core, quantity=quantity, condition=condition, credit=credit, reason=reason, brought_by=who
    )
    _leave_to_shop(core, who)
    core.refresh_from_db()
    record(
        came, events.CORE_CAME_IN, by=by, store_id=core.store_id, part=core.part.uid, quantity=quantity, credit=credit,
        condition=condition,
    )  # fmt: skip
    return came


def _leave_to_shop(core: CoreCharge, who: str) -> None:
    """What came off the car and lies here goes to the supplier, as whoever left it agreed."""
    old = (
        OldPart.objects.locked().filter(part_line=core.part_line_id, state="KEPT").first()
        if core.part_line_id
        else None
    )
    if old is not None and old.disposition == Disposition.CUSTOMER:
        old.disposition, old.consent_by, old.decided_at = Disposition.SHOP, who, clock.now()
        old.save(update_fields=["disposition", "consent_by", "decided_at"])


def _locked_return(uid: UUID, by: Actor) -> CoreReturn:
    core_uid = CoreReturn.objects.for_actor(by).values_list("core__uid", flat=True).get(uid=uid)
    _locked_core(core_uid, by)
    return CoreReturn.objects.locked().select_related("core__part", "core__store").get(uid=uid)


@transaction.atomic
def send_core(*, uid: UUID, reference: str, by: Actor) -> CoreReturn:
    """The old part goes to the supplier; ``reference`` is the parcel's number. RuleError ``core.reference``, ``state.move``."""
    by.require(permissions.OLD_PARTS_KEEP)
    words = one_line(reference)[:60]
    if not words:
        raise RuleError("core.reference", _("Write the parcel's number."), field="reference")
    came = _locked_return(uid, by)
    before = CoreState(came.state)
    require(CORE_MOVES, before, CoreState.SENT)
    came.state, came.reference, came.sent_at = CoreState.SENT, words, clock.now()
    came.save(update_fields=["state", "reference", "sent_at"])
    record(came, events.CORE_SENT, by=by, store_id=came.core.store_id, changed={"state": (before, came.state)})
    return came


@transaction.atomic
def credit_core(*, uid: UUID, amount: Decimal, by: Actor) -> CoreReturn:
    """The supplier credited ``amount`` (CNY, nothing where it refused). RuleError ``core.credit`` and ``state.move``."""
    by.require(permissions.OLD_PARTS_KEEP)
    if amount < 0 or amount != round_money(amount):
        raise RuleError("core.credit", _("Write what the supplier credited, 0 where it refused."), field="amount")
    came = _locked_return(uid, by)
    before = CoreState(came.state)
    require(CORE_MOVES, before, CoreState.CREDITED)
    came.state, came.supplier_credit, came.credited_at = CoreState.CREDITED, amount, clock.now()
    came.save(update_fields=["state", "supplier_credit", "credited_at"])
    record(
        came, events.CORE_CREDITED, by=by, store_id=came.core.store_id, changed={"state": (before, came.state)},
        amount=amount,
    )  # fmt: skip
    return came
