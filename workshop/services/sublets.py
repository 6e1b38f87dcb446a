"""Outside work for a line (3.2). Lock order: the order, its line, then the outside work. Costs are CNY without VAT.

The guarantee for outside work is the shop's own, so nothing of it is changed here: what comes back is checked, and the
line's own inspections follow.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import round_money
from dealership.kernel.numbering import next_number
from dealership.kernel.services import store_file
from dealership.kernel.states import require
from reception.models import Visit
from reception.pictures import clean_picture
from staff.selectors.employees import employee_of
from workshop import events, permissions
from workshop.models import Clocking, HoldCause, LineHold, LineState, OrderLine
from workshop.services.orders import locked_line
from workshop.services.suppliers import named_supplier
from workshop.sublet_models import OPEN, SUBLET_MOVES, TO_GO, SubletLeaves, SubletOrder, SubletState
from workshop.supplier_models import SupplierKind

S = SubletState


@transaction.atomic
def order_sublet(
    *,
    line_uid: UUID,
    supplier: str,
    work: str,
    leaves: str,
    agreed_cost: Decimal,
    expected_at: datetime,
    by: Actor,
    item: str = "",
) -> SubletOrder:
    """3.2: agreed work of a line is given to an outside firm at a named cost (CNY without VAT), back at ``expected_at``.

    ``leaves`` says whether the car goes there, only a part (``item`` names it), or the firm comes. Raises RuleError
    ``sublet.not_agreed``, ``sublet.open``, ``sublet.supplier``, ``sublet.work``, ``sublet.leaves``, ``sublet.item``,
    ``sublet.cost``, ``sublet.past``, ``supplier.inactive``, ``supplier.other_kind`` and ``supplier.unknown``; a firm that the
    register hasn't is entered with it.
    """
    by.require(permissions.SUBLETS_WORK)
    line = locked_line(line_uid, by)
    supplier, work, item = (formats.one_line(text) for text in (supplier, work, item))
    if line.state not in (LineState.AUTHORIZED, LineState.IN_PROGRESS):
        text = _("Only work that its payer agreed to and that isn't done is given to an outside firm (3.2).")
        raise RuleError("sublet.not_agreed", text, field="line_uid")
    if line.sublets.filter(state__in=OPEN).exists():
        text = _("This line is at an outside firm already; end that first.")
        raise RuleError("sublet.open", text, field="line_uid")
    if not supplier:
        raise RuleError("sublet.supplier", _("Name the firm."), field="supplier")
    if not work:
        raise RuleError("sublet.work", _("Say what the firm is to do."), field="work")
    if leaves not in SubletLeaves.values:
        raise RuleError("sublet.leaves", _("Say whether the car leaves, only a part, or nothing."), field="leaves")
    if (leaves == SubletLeaves.PART) != bool(item):
        text = _("Name the part that goes to the firm, and only where one does.")
        raise RuleError("sublet.item", text, field="item")
    if agreed_cost < 0:
        raise RuleError("sublet.cost", _("The cost can't be negative."), field="agreed_cost")
    _require_ahead(expected_at)
    firm = named_supplier(store=line.order.store, name=supplier, kind=SupplierKind.WORK, by=by)
    row = SubletOrder.objects.create(
        store=line.order.store, line=line, firm=firm, supplier=firm.name, work=work[:300], leaves=leaves, item=item[:80],
        agreed_cost=round_money(agreed_cost), asked_by=employee_of(by), asked_at=clock.now(), expected_at=expected_at,
        number=next_number(line.order.store, "WX"),
    )  # fmt: skip
    record(
        row, events.SUBLET_ORDERED, by=by, changed={"state": (None, row.state)}, line=line.uid, leaves=leaves,
        amount=row.agreed_cost, expected_at=expected_at,
    )  # fmt: skip
    return row


def _require_ahead(expected_at: datetime) -> None:
    if expected_at <= clock.now():
        raise RuleError("sublet.past", _("It is expected back at a time ahead."), field="expected_at")


def _locked_sublet(uid: UUID, by: Actor) -> SubletOrder:
    """The outside work with its order and line, all locked."""
    line_uid = SubletOrder.objects.for_actor(by).values_list("line__uid", flat=True).get(uid=uid)
    line = locked_line(line_uid, by, living=False)
    row = SubletOrder.objects.locked().get(uid=uid)
    row.line = line
    return row


def _move_sublet(
    row: SubletOrder, state: SubletState, event: str, *fields: str, by: Actor, **facts: Any
) -> SubletOrder:
    require(SUBLET_MOVES, S(row.state), state)
    before, row.state = row.state, state
    row.save(update_fields=["state", *fields])
    record(row, event, by=by, changed={"state": (before, state)}, line=row.line.uid, **facts)
    return row


def _set_out(row: SubletOrder, by: Actor) -> SubletOrder:
    row.sent_at, row.sent_by = clock.now(), employee_of(by)
    row.times_sent += 1
    _move_sublet(row, S.SENT, events.SUBLET_SENT, "sent_at", "sent_by", "times_sent", by=by, times=row.times_sent)
    line = row.line
    if line.state == LineState.AUTHORIZED:  # begun: from now on it is withdrawn, no longer taken back
        line.state = LineState.IN_PROGRESS
        line.save(update_fields=["state"])
        changed = {"state": (LineState.AUTHORIZED, line.state)}
        record(line, events.LINE_BEGUN_OUTSIDE, by=by, store_id=line.order.store_id, changed=changed, sublet=row.uid)
    held = line.holds.filter(ended_at__isnull=True).exists()
    if not held and not Clocking.objects.filter(line=line, ended_at__isnull=True).exists():
        hold = LineHold.objects.create(
            line=line, cause=HoldCause.SUBLET, note=f"{row.supplier} · {row.number}", started_at=clock.now()
        )
        record(
            line, events.LINE_HELD, by=by, store_id=line.order.store_id, cause=HoldCause.SUBLET, hold=hold.uid
        )  # fmt: skip
    return row


def _come_back(row: SubletOrder, by: Actor) -> SubletOrder:
    row.back_at, row.taken_back_by = max(clock.now(), row.sent_at or clock.now()), employee_of(by)
    minutes = int((row.back_at - (row.sent_at or row.back_at)).total_seconds() // 60)
    return _move_sublet(row, S.BACK, events.SUBLET_BACK, "back_at", "taken_back_by", by=by, minutes=minutes)


def _release_from_firm(line: OrderLine, by: Actor) -> None:
    """The line waits for the firm no longer; other causes are left alone."""
    hold = LineHold.objects.locked().filter(line=line, ended_at__isnull=True, cause=HoldCause.SUBLET).first()
    if hold is not None:
        hold.ended_at = max(clock.now(), hold.started_at)
        hold.save(update_fields=["ended_at"])
        record(
            line, events.LINE_RELEASED, by=by, store_id=line.order.store_id, cause=HoldCause.SUBLET, hold=hold.uid
        )  # fmt: skip


@transaction.atomic
def send_sublet(*, uid: UUID, by: Actor) -> SubletOrder:
    """The part goes to the firm, or the firm begins here; the line waits. A car leaves by its gate pass: ``sublet.gate``."""
    by.require(permissions.SUBLETS_WORK)
    row = _locked_sublet(uid, by)
    if row.leaves == SubletLeaves.CAR:
        raise RuleError("sublet.gate", _("The car leaves by a gate pass for outside work; the gate notes it."))
    return _set_out(row, by)


@transaction.atomic
def take_back_sublet(*, uid: UUID, by: Actor) -> SubletOrder:
    """What was at the firm is here again, to be checked."""
    by.require(permissions.SUBLETS_WORK)
    row = _locked_sublet(uid, by)
    if row.leaves == SubletLeaves.CAR and row.state == S.SENT:
        raise RuleError("sublet.gate", _("The car leaves by a gate pass for outside work; the gate notes it."))
    return _come_back(row, by)


def _of_the_car(visit: Visit, *states: SubletState) -> list[SubletOrder]:
    """Outside work for which this car leaves, locked; the caller holds the visit and its orders."""
    rows = SubletOrder.objects.filter(line__order__visit=visit, leaves=SubletLeaves.CAR, state__in=states)
    line_ids = sorted(rows.values_list("line_id", flat=True))
    lines = {line.pk: line for line in OrderLine.objects.filter(pk__in=line_ids).locked().order_by("pk")}
    found = list(rows.filter(line_id__in=line_ids).locked().order_by("pk"))
    for row in found:
        row.line = lines[row.line_id]
    return found


@transaction.atomic
def car_drives_out(*, visit: Visit, by: Actor) -> list[SubletOrder]:
    """The gate let the car out to its outside work (4.1)."""
    return [_set_out(row, by) for row in _of_the_car(visit, *TO_GO)]


@transaction.atomic
def car_drives_in(*, visit: Visit, by: Actor) -> list[SubletOrder]:
    """The gate saw the car come back from its outside work (4.1)."""
    return [_come_back(row, by) for row in _of_the_car(visit, S.SENT)]


@transaction.atomic
def check_sublet(*, uid: UUID, ok: bool, by: Actor, findings: str = "") -> SubletOrder:
    """3.2: what came back is looked at. In order, the line goes on; else ``findings`` say what isn't, and it goes back.

    Raises RuleError ``sublet.findings``.
    """
    by.require(permissions.SUBLETS_CHECK)
    row = _locked_sublet(uid, by)
    findings = formats.one_line(findings)[:300]
    if not ok and not findings:
        raise RuleError("sublet.findings", _("Say what isn't in order; the firm reads it."), field="findings")
    row.checked_at, row.checked_by = max(clock.now(), row.back_at or clock.now()), employee_of(by)
    row.findings = findings
    target = S.ACCEPTED if ok else S.NOT_OK
    event = events.SUBLET_ACCEPTED if ok else events.SUBLET_NOT_OK
    _move_sublet(row, target, event, "checked_at", "checked_by", "findings", by=by, times=row.times_sent)
    if ok:
        _release_from_firm(row.line, by)
    return row


@transaction.atomic
def change_sublet_day(*, uid: UUID, expected_at: datetime, by: Actor) -> SubletOrder:
    """The firm names another time. Raises RuleError ``sublet.ended``, ``sublet.same`` and ``sublet.past``."""
    by.require(permissions.SUBLETS_WORK)
    row = _locked_sublet(uid, by)
    if not row.is_open:
        raise RuleError("sublet.ended", _("This outside work has ended."))
    _require_ahead(expected_at)
    if expected_at == row.expected_at:
        raise RuleError("sublet.same", _("It is expected at that time already."), field="expected_at")
    before, row.expected_at = row.expected_at, expected_at
    row.save(update_fields=["expected_at"])
    record(row, events.SUBLET_MOVED, by=by, changed={"expected_at": (before, expected_at)}, line=row.line.uid)
    return row


@transaction.atomic
def bill_sublet(
    *, uid: UUID, final_cost: Decimal, by: Actor, reason: str = "", bill_number: str = "", bill: bytes | None = None
) -> SubletOrder:
    """The firm's bill for accepted work: its cost (CNY without VAT), its number and a picture of it.

    Raises RuleError ``sublet.not_accepted``, ``sublet.billed``, ``sublet.cost`` and ``sublet.cost_reason`` where it differs
    from what was agreed.
    """
    by.require(permissions.SUBLETS_WORK)
    row = _locked_sublet(uid, by)
    reason, final_cost = formats.one_line(reason)[:200], round_money(final_cost)
    if row.state != S.ACCEPTED:
        raise RuleError("sublet.not_accepted", _("A bill is entered for work that came back in order."))
    if row.final_cost is not None:
        raise RuleError("sublet.billed", _("The firm's bill is entered already and stays."))
    if final_cost < 0:
        raise RuleError("sublet.cost", _("The cost can't be negative."), field="final_cost")
    if final_cost != row.agreed_cost and not reason:
        text = _("Say why the bill differs from what was agreed; accepted work only.")
        raise RuleError("sublet.cost_reason", text, field="reason")
    row.final_cost, row.cost_reason, row.billed_at = final_cost, reason, clock.now()
    row.bill_number = formats.one_line(bill_number)[:40]
    if bill:
        visit = row.line.order.visit
        row.bill = store_file(
            content=clean_picture(bill), name="bill.jpg", store_id=row.store_id, by=by, visit_uid=visit.uid
        )
    row.save(update_fields=["final_cost", "cost_reason", "billed_at", "bill_number", "bill"])
    record(row, events.SUBLET_BILLED, by=by, changed={"cost": (row.agreed_cost, final_cost)}, line=row.line.uid)
    return row


@transaction.atomic
def cancel_sublet(*, uid: UUID, reason: str, by: Actor) -> SubletOrder:
    """Gives it up before it goes out, or after it came back not in order. Raises RuleError ``sublet.reason``."""
    by.require(permissions.SUBLETS_WORK)
    row = _locked_sublet(uid, by)
    reason = formats.one_line(reason)[:200]
    if not reason:
        raise RuleError("sublet.reason", _("Say why it is given up."), field="reason")
    row.ended_reason = reason
    _move_sublet(row, S.CANCELLED, events.SUBLET_CANCELLED, "ended_reason", by=by)
    _release_from_firm(row.line, by)
    return row


def end_before_withdrawal(line: OrderLine, by: Actor) -> None:
    """Before a line is withdrawn or its agreement taken back: what hasn't gone out is given up; what is out comes back
    first. Raises RuleError ``sublet.out``."""
    for row in SubletOrder.objects.filter(line=line, state__in=OPEN).locked().order_by("pk"):
        if row.state not in TO_GO:
            raise RuleError(
                "sublet.out",
                _("“%(line)s” is with an outside firm (%(number)s): take it back and check it first."),
                line=line.said,
                number=row.number,
            )
        with translation.override("zh-hans"):  # kept in the language of the shop
            row.ended_reason = gettext("The customer's yes was taken back or the line withdrawn.")
        row.line = line
        _move_sublet(row, S.CANCELLED, events.SUBLET_CANCELLED, "ended_reason", by=by)


def refuse_while_out(line: OrderLine) -> None:
    """Raises RuleError ``sublet.unfinished``: a line isn't done while something of it is with an outside firm."""
    row = SubletOrder.objects.filter(line=line, state__in=OPEN).first()
    if row is not None:
        raise RuleError(
            "sublet.unfinished",
            _("Outside work on “%(line)s” isn't checked and in order yet (%(number)s, %(state)s)."),
            line=line.said,
            number=row.number,
            state=row.get_state_display(),
        )
