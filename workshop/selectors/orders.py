"""Repair orders as people read them: the board, one order, what is wrong with it and how it goes on (3.2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Sum
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import NOT_NEW, PartKind, PayType, Resource
from dealership.kernel import clock, stages
from dealership.kernel.actors import Actor
from dealership.kernel.models import Approval, ApprovalState, Message, StoredFile
from dealership.kernel.money import ZERO, line_amount
from dealership.kernel.saying import say_list, say_name
from reception.models import ContactRole, Customer, CustomerContact, CustomerKind, Visit, VisitPhoto
from reception.selectors.contacts import contacts_of
from reception.selectors.customers import list_customers
from reception.selectors.today import CONSENT, DELIVERY, DISPATCH, INSPECTION, WORKSHOP, Placement
from reception.selectors.visits import stage_steps as visit_steps
from staff.models import Employee
from staff.selectors.employees import employee_of
from workshop import rules
from workshop.core_models import CoreCharge
from workshop.goodwill_models import GOODWILL
from workshop.models import (
    AGREED,
    Authorization,
    AuthorizationMethod,
    AuthorizationStatus,
    Clocking,
    Dispatch,
    Estimate,
    HoldCause,
    Inspection,
    InspectionResult,
    LineHold,
    LinePhoto,
    LineState,
    OrderKind,
    OrderLine,
    OrderStage,
    PartLine,
    ReassemblyAnswer,
    RepairOrder,
)
from workshop.payer_models import PAYER
from workshop.selectors.accidents import accident_of, customer_pays
from workshop.selectors.apart import Again, falls_due, lying_apart
from workshop.selectors.contracts import Contract, contract_of_estimate
from workshop.selectors.entitled import Deciders, deciders_of
from workshop.selectors.maintenance import say_cause
from workshop.selectors.own_parts import OwnPart, own_parts
from workshop.selectors.payers import waiting_for_payer
from workshop.selectors.promises import Outlook, do_not_fit, outlook_of, proposed_in, to_promise, with_asked
from workshop.selectors.purchasing import with_arrivals
from workshop.selectors.sublets import expected_back
from workshop.selectors.tracing import with_lots
from workshop.services.orders import DISCOUNT, PART_DISCOUNT, done_of

L, S = LineState, OrderStage
PAGE = 50
STAGE_OF = {
    S.DRAFT: stages.DIAGNOSIS,
    S.AWAITING_AUTHORIZATION: stages.CONSENT,
    S.AUTHORIZED: stages.WORK,
    S.IN_WORK: stages.WORK,
    S.ON_HOLD: stages.WORK,
    S.INSPECTION: stages.INSPECTION,
    S.READY: stages.SETTLEMENT,
    S.SETTLED: stages.DELIVERY,
    S.CLOSED: stages.FOLLOW_UP,
    S.CANCELLED: stages.SETTLEMENT,
}
RUNNING = (S.DRAFT, S.AWAITING_AUTHORIZATION, S.AUTHORIZED, S.IN_WORK, S.ON_HOLD, S.INSPECTION, S.READY, S.SETTLED)
METHOD_WORDS = {
    AuthorizationMethod.DIGITAL_PORTAL: pgettext_lazy("how the customer agreed", "link"),
    AuthorizationMethod.VERBAL_PHONE: pgettext_lazy("how the customer agreed", "phone"),
    AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE: pgettext_lazy("how the customer agreed", "signed"),
    AuthorizationMethod.IN_PERSON_PHYSICAL_SIGNATURE: pgettext_lazy("how the customer agreed", "on paper"),
    AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION: pgettext_lazy("how the customer agreed", "policy"),
}
BROUGHT = pgettext_lazy("why a payer is offered", "brought the car")
OWNS = pgettext_lazy("why a payer is offered", "owner")
OWNS_AND_BROUGHT = pgettext_lazy("why a payer is offered", "owner, brought the car")
CUSTOMER = pgettext_lazy("why a payer is offered", "customer of this visit")
NAMED = pgettext_lazy("why a payer is offered", "pays, by the customer's card")
CHOSEN = pgettext_lazy("why a payer is offered", "chosen")
FOUND = pgettext_lazy("why a payer is offered", "found")
PAID_BEFORE = pgettext_lazy("why a payer is offered", "paid for this car before")
OTHERS_PAY = (OrderKind.INSURANCE, OrderKind.WARRANTY, OrderKind.INTERNAL)
WORK_COLORS = {L.IN_PROGRESS: "work", L.COMPLETED: "inspect", L.INSPECTED: "ready", L.WITHDRAWN: "booked"}


# --- the list ---


GIVEN = _("Given out, to begin")
"""Instead of "agreed, to be dispatched": where each open line has its people and place."""
GIVEN_OUT = Dispatch.objects.filter(line=OuterRef("pk"), live=True)


@dataclass(frozen=True, slots=True)
class Filter:
    """One count over the list; clicking it shows its rows."""

    code: str
    label: Any
    count: int
    tone: str = ""


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A row of the list. ``agreed`` and ``asked`` are CNY with VAT."""

    order: RepairOrder
    agreed: Decimal
    asked: Decimal
    pending: int
    lines: int
    late: bool
    work: str
    short: Outlook | None = None
    """Set where the agreed work that is left doesn't fit the promise."""
    given: bool = False
    """Whether all its open work is given out and none of it has begun."""

    @property
    def stage_word(self) -> Any:
        return GIVEN if self.given else self.order.get_stage_display()


@dataclass(frozen=True, slots=True)
class OrderList:
    rows: list[OrderRow]
    filters: list[Filter]
    newer: str
    older: str


def _late(now: datetime) -> Q:
    return Q(promised_at__lt=now, stage__in=[s for s in RUNNING if s not in (S.READY, S.SETTLED)])


def _conditions(by: Actor, now: datetime, short: Collection[int]) -> dict[str, tuple[Any, Q, str]]:
    """Code → label, condition, tone of the counts over the list, in their order; ``short``: keys that can't keep it."""
    return {
        "running": (_("running"), Q(stage__in=RUNNING), ""),
        "draft": (_("to be priced and sent"), Q(stage=S.DRAFT), ""),
        "consent": (_("await the customer"), Q(stage__in=RUNNING) & Q(has_pending=True), "soon"),
        "dispatch": (_("agreed, to dispatch"), Q(stage=S.AUTHORIZED, has_loose=True), ""),
        "given": (_("given out, to begin"), Q(stage=S.AUTHORIZED, has_loose=False), ""),
        "work": (_("in work"), Q(stage=S.IN_WORK), ""),
        "hold": (_("waiting"), Q(stage=S.ON_HOLD), "soon"),
        "inspect": (_("to inspect"), Q(stage=S.INSPECTION), ""),
        "ready": (_("to settle and hand over"), Q(stage__in=(S.READY, S.SETTLED)), "good"),
        "late": (_("later than promised"), _late(now) | Q(pk__in=short), "late"),
        "ended": (_("closed or cancelled"), Q(stage__in=(S.CLOSED, S.CANCELLED)), ""),
    }


def visible_orders(by: Actor) -> QuerySet[RepairOrder]:
    return RepairOrder.objects.for_actor(by)


def list_orders(
    by: Actor, *, show: str = "running", mine: bool = False, before: str = "", after: str = ""
) -> OrderList:
    """One page of orders, newest first, by cursor; the counts over it belong to the same ``mine``."""
    now = clock.now()
    pending = OrderLine.objects.filter(order=OuterRef("pk"), state=L.PENDING)
    ungiven = OrderLine.objects.filter(order=OuterRef("pk"), state__in=(L.AUTHORIZED, L.IN_PROGRESS))
    loose = ungiven.exclude(Exists(GIVEN_OUT))
    base = visible_orders(by).annotate(has_pending=Exists(pending), has_loose=Exists(loose))
    if mine and (me := employee_of(by)) is not None:
        base = base.filter(advisor=me)
    watched = base.filter(stage__in=RUNNING, promised_at__isnull=False).select_related("visit", "store")
    short = do_not_fit(watched)
    conditions = _conditions(by, now, list(short))
    show = show if show in conditions else "running"
    counted = base.aggregate(**{code: Count("pk", filter=rule) for code, (_label, rule, _tone) in conditions.items()})
    filters = [
        Filter(code, label, counted[code], tone if counted[code] else "")
        for code, (label, _rule, tone) in conditions.items()
    ]
    rows = base.filter(conditions[show][1]).select_related("vehicle", "customer", "advisor", "visit", "store")
    # Longer than any key: not one of ours, so the list begins at its beginning.
    before, after = (text if text.isdecimal() and len(text) < 16 else "" for text in (before, after))
    backwards = bool(after)
    if backwards:
        rows = rows.filter(pk__gt=int(after)).order_by("pk")
    else:
        rows = rows.order_by("-pk")
        if before:
            rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    more, found = len(found) > PAGE, found[:PAGE]
    if backwards:
        found.reverse()
    has_newer = more if backwards else bool(before)
    has_older = True if backwards else more
    return OrderList(
        [replace(row, short=short.get(row.order.pk)) for row in _with_money(found, now)],
        filters,
        str(found[0].pk) if found and has_newer else "",
        str(found[-1].pk) if found and has_older else "",
    )


def _with_money(orders: Sequence[RepairOrder], now: datetime) -> list[OrderRow]:
    lines = (
        OrderLine.objects.filter(order__in=orders)
        .annotate(is_given=Exists(GIVEN_OUT))
        .prefetch_related("part_lines")
        .order_by("order_id", "position")
    )
    by_order: dict[int, list[OrderLine]] = {}
    for line in lines:
        by_order.setdefault(line.order_id, []).append(line)
    rows = []
    for order in orders:
        own = by_order.get(order.pk, [])
        alive = [line for line in own if line.state != L.CANCELLED]
        done = [line for line in alive if line.state not in (L.DECLINED, L.WITHDRAWN)]
        rows.append(
            OrderRow(
                order=order,
                agreed=rules.total_of(total(line) for line in own if line.state in AGREED),
                asked=rules.total_of(total(line) for line in own if line.state in (L.PENDING, L.DRAFT)),
                pending=sum(line.state == L.PENDING for line in own),
                lines=len(alive),
                late=bool(
                    order.promised_at
                    and order.promised_at < now
                    and order.stage in RUNNING
                    and order.stage not in (S.READY, S.SETTLED)
                ),
                work=" · ".join(line.said for line in done if not line.is_diagnosis) or order.complaint,
                given=order.stage == S.AUTHORIZED
                and all(
                    getattr(line, "is_given", False) for line in own if line.state in (L.AUTHORIZED, L.IN_PROGRESS)
                ),
            )
        )
    return rows


def count_running(by: Actor) -> int:
    """The live count of the rail."""
    return visible_orders(by).filter(stage__in=RUNNING).count()


def total(line: OrderLine) -> Decimal:
    """Labour after discount and parts, from what is prefetched."""
    return rules.line_total(line.labor_amount, [p.amount for p in line.part_lines.all()], line.fee_amount)


# --- one order ---


@dataclass(slots=True)
class LineRow:
    """A line as the order page shows it."""

    line: OrderLine
    parts: list[PartLine]
    material: Decimal
    total: Decimal
    chip: str
    chip_color: str
    work: Any = ""
    work_color: str = ""
    hold: LineHold | None = None
    says: list[Any] = field(default_factory=list)
    may: frozenset[str] = frozenset()
    asked_discount: Decimal | None = None
    back_at: datetime | None = None
    """When what an outside firm has of it is expected back (3.2)."""

    def steps(self, allowed: Mapping[str, bool]) -> bool:
        """Whether there is a step on it for somebody with these rights; otherwise it has no menu."""
        return (allowed["edit"] and self.changes) or any(allowed[STEP_NEEDS[step]] for step in self.may)

    @property
    def changes(self) -> bool:
        """Whether something is to be done with the line itself, not only putting together again what it took apart."""
        return bool(self.may - {"reassemble"})

    @property
    def off(self) -> Decimal:
        """What is taken off the prices of its parts."""
        return rules.total_of(part.discount for part in self.parts)

    @property
    def used(self) -> list[PartLine]:
        """The parts of the line; of an ended one those that stay in the car."""
        ended = self.line.state == LineState.WITHDRAWN
        return [part for part in self.parts if not ended or part.issued_quantity > 0]

    @property
    def taken_back(self) -> list[PartLine]:
        """What an ended line had and no longer has."""
        return [part for part in self.parts if part not in self.used]

    @property
    def parts_are_here(self) -> bool:
        """Whether it waits for parts though each is kept for it or handed out: it can go on.

        Where no part of ours is written on the line, nobody knows what it waits for, and nothing is said.
        """
        ours = [part for part in self.parts if part.kind != PartKind.CUSTOMER_SUPPLIED]
        there = all(part.quantity <= part.reserved_quantity + part.issued_quantity for part in ours)
        return self.hold is not None and self.hold.cause == HoldCause.PARTS and bool(ours) and there


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Everything of one order page; amounts are CNY with VAT."""

    order: RepairOrder
    rows: list[LineRow]
    estimate: Estimate | None
    expected_at: datetime | None
    late: bool
    suggested: datetime | None
    """The hand-over to promise instead where the agreed work doesn't fit the promise."""
    more: Outlook | None
    """Set where the promise holds now but not with what is drafted."""
    drafts: int
    """Lines that the next estimate sends; what waits for its payer's yes isn't among them."""
    pending: int
    pending_total: Decimal
    open_total: Decimal
    agreed_total: Decimal
    agreed_labor: Decimal
    agreed_material: Decimal
    agreed_hours: Decimal
    owed_total: Decimal
    cores: Decimal
    """Core charges of what is agreed, less what was given back for old parts that came in."""
    counts: list[tuple[Any, int]]
    clockings: list[Clocking]
    clocked: timedelta
    dispatches: list[Dispatch]
    inspections: list[Inspection]
    messages: list[Message]
    photos: list[VisitPhoto]
    earlier: RepairOrder | None
    earlier_declined: list[OrderLine]
    siblings: list[RepairOrder]
    steps: list[dict[str, Any]]

    @property
    def to_pay(self) -> Decimal:
        """What the customer owes with the core charges."""
        return self.owed_total + self.cores

    @property
    def proposed(self) -> datetime | None:
        """The hand-over that a yes to what waits means as well."""
        return proposed_in(self.estimate) if self.pending else None

    @property
    def stage_word(self) -> Any:
        """The order's stage; once all its open work is given out, that."""
        given = {dispatch.line_id for dispatch in self.dispatches}
        open_work = [row.line.pk for row in self.rows if row.line.state in (L.AUTHORIZED, L.IN_PROGRESS)]
        if self.order.stage == S.AUTHORIZED and given.issuperset(open_work):
            return GIVEN
        return self.order.get_stage_display()

    held: list[LineRow]

    @property
    def passed(self) -> list[Inspection]:
        """Who let the order pass, the last one of each level."""
        last: dict[str, Inspection] = {}
        for inspection in self.inspections:
            if inspection.result == InspectionResult.PASSED:
                last.setdefault(inspection.level, inspection)
        return list(last.values())

    @property
    def technicians(self) -> list[Employee]:
        """Whom the work is given to, each once."""
        return list(dict.fromkeys(d.technician for d in self.dispatches))

    @property
    def bays(self) -> list[Resource]:
        return list(dict.fromkeys(d.bay for d in self.dispatches))


def payers_for(visit: Visit, by: Actor, *, words: str = "", chosen: str = "") -> list[tuple[Customer, Any]]:
    """Who may get the bill of an order of this visit, each with why it is offered: the customer, the car's owner, who
    brought it, whom the customer's card names as payer, who paid for this car before, what was searched for, and the
    companies that paid last at this store (3.2)."""
    owners = list(visit.vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer"))
    owns = visit.customer_id in {row.customer_id for row in owners}
    came = visit.contact_phone in (visit.customer.phone, visit.customer.phone_2) if visit.contact_phone else False
    came = came and visit.contact_name == visit.customer.name
    why = (OWNS_AND_BROUGHT if came else OWNS) if owns else (BROUGHT if came else CUSTOMER)
    found: dict[int, tuple[Customer, Any]] = {visit.customer_id: (visit.customer, why)}
    for owned in owners:
        found.setdefault(owned.customer_id, (owned.customer, OWNS))
    for row, reason in _known_people(visit, by):
        found.setdefault(row.pk, (row, reason))
    if chosen:
        try:
            for row in Customer.objects.for_actor(by).filter(uid=UUID(chosen)):
                found.setdefault(row.pk, (row, CHOSEN))
        except ValueError:
            pass
    if words.strip():
        for row in list_customers(by=by, words=words).rows[:8]:
            found.setdefault(row.pk, (row, FOUND))
        return list(found.values())
    earlier = RepairOrder.objects.for_actor(by).exclude(customer_id__in=found)
    for order in earlier.filter(vehicle_id=visit.vehicle_id).select_related("customer").order_by("-pk")[:3]:
        found.setdefault(order.customer_id, (order.customer, PAID_BEFORE))
    others = earlier.filter(store_id=visit.store_id, customer__kind=CustomerKind.COMPANY, kind__in=OTHERS_PAY)
    for order in others.select_related("customer").order_by("-pk")[:30]:
        if len(found) < 8:
            found.setdefault(order.customer_id, (order.customer, order.get_kind_display()))
    return list(found.values())


def _known_people(visit: Visit, by: Actor) -> list[tuple[Customer, Any]]:
    """Registered customers whose number is the bringer's or a payer's of the customer's card."""
    payers = {row.phone for row in contacts_of(visit.customer_id) if ContactRole.PAYER in row.roles and row.phone}
    numbers = payers | ({visit.contact_phone} if visit.contact_phone else set())
    rows = Customer.objects.for_actor(by).unmerged().filter(Q(phone__in=numbers) | Q(phone_2__in=numbers))
    return [
        (row, NAMED if payers & {row.phone, row.phone_2} else BROUGHT)
        for row in rows.exclude(pk=visit.customer_id).order_by("pk")[:4]
    ]


def named_payers(visit: Visit) -> list[CustomerContact]:
    """Who pays by the customer's card, registered as a customer or not."""
    return [row for row in contacts_of(visit.customer_id) if ContactRole.PAYER in row.roles]


def get_order(uid: UUID, by: Actor) -> RepairOrder:
    return (
        RepairOrder.objects.for_actor(by)
        .select_related(
            "store",
            "visit__key_holder",
            "visit__link",
            "visit__appointment",
            "vehicle",
            "customer",
            "advisor",
            "original",
        )
        .get(uid=uid)
    )


def order_lines(order: RepairOrder) -> list[OrderLine]:
    found = list(
        order.lines.select_related("operation", "quoted__quotation", "package").prefetch_related(
            Prefetch("part_lines", PartLine.objects.select_related("part").order_by("pk")),
            Prefetch("authorizations", Authorization.objects.order_by("-pk")),
            Prefetch("holds", LineHold.objects.filter(ended_at__isnull=True)),
            "photos",
        )
    )
    with_lots(part for line in found for part in line.part_lines.all())
    with_arrivals(order.store_id, (part for line in found for part in line.part_lines.all()))
    return found


def order_page(uid: UUID, by: Actor) -> OrderPage:
    """One order with everything around it, in a fixed number of queries."""
    order = get_order(uid, by)
    now = clock.now()
    lines = order_lines(order)
    estimate = order.estimates.order_by("-number").first()
    asked: dict[UUID, Decimal | None] = {}
    goodwill: dict[UUID, Approval] = {}
    payer: dict[UUID, Approval] = {}
    for approval in Approval.objects.filter(
        Q(kind__in=(DISCOUNT, PART_DISCOUNT), state=ApprovalState.ASKED) | Q(kind__in=(GOODWILL, PAYER)),
        root_uid__in=[row.uid for line in lines for row in (line, *line.part_lines.all())],
    ).order_by("pk"):
        if approval.kind == GOODWILL:
            goodwill[approval.root_uid] = approval
        elif approval.kind == PAYER:
            payer[approval.root_uid] = approval
        else:
            asked[approval.root_uid] = approval.amount
    rows = [line_row(line, estimate, asked.get(line.uid), words=order.complaint[:300]) for line in lines]
    for row in rows:
        if row.line.pay_type == PayType.GOODWILL and row.line.state in (L.DRAFT, L.AUTHORIZED):
            row.says.append(_said_goodwill(row.line, goodwill.get(row.line.uid)))
    brought = [line for line in lines if any(p.kind == PartKind.CUSTOMER_SUPPLIED for p in line.part_lines.all())]
    waits = {own.part_line.line_id: own for own in own_parts(brought) if own.open and not own.ready}
    for row in rows:
        if row.line.pk in waits:
            row.says.append(_say_own(waits[row.line.pk]))
        row.says += [_say_asked(p, asked[p.uid]) for p in row.parts if p.uid in asked]
    for beyond in waiting_for_payer(order, lines):
        row = next(one for one in rows if one.line.pk == beyond.pk)
        row.says.append(_said_payer(payer.get(beyond.uid)))
        row.may = row.may | {"payer"}
    dispatches = list(
        Dispatch.objects.filter(line__in=lines, live=True)
        .select_related("technician", "bay", "line")
        .order_by("starts_at")
    )
    clockings = list(Clocking.objects.filter(line__in=lines).select_related("employee", "line", "bay").order_by("-pk"))
    lying = {apart.pk for apart in lying_apart(lines, clocked={clocking.line_id for clocking in clockings})}
    for row in rows:
        if row.line.pk in lying and not row.line.settled:
            row.may |= {"reassemble"}
    ends = [d.ends_at for d in dispatches if d.line.state in (L.AUTHORIZED, L.IN_PROGRESS)]
    firms = expected_back(lines)
    ends += firms.values()
    for row in rows:
        row.back_at = firms.get(row.line.pk)
    outlook = outlook_of(order, [line for line in lines if line.state in (L.AUTHORIZED, L.IN_PROGRESS)])
    if outlook is not None and not outlook.fits:
        ends.append(outlook.ready_at)
    expected = max(ends) if ends else None
    cores = _cores(line for line in lines if line.state in AGREED)
    if cores:
        given = CoreCharge.objects.filter(part_line__line__order=order).aggregate(sum=Sum("credited"))["sum"]
        cores -= given or ZERO
    running = order.stage in RUNNING and order.stage not in (S.READY, S.SETTLED)
    late = bool(
        running and order.promised_at and (order.promised_at < now or (expected and expected > order.promised_at))
    )
    agreed = [row for row in rows if row.line.state in AGREED]
    pending = [row for row in rows if row.line.state == L.PENDING]
    drafted = any(row.line.state == L.DRAFT for row in rows)
    more = with_asked(order, [line for line in lines if line.state in (L.DRAFT, L.PENDING)]) if drafted else None
    earlier = (
        RepairOrder.objects.for_actor(by)
        .filter(vehicle_id=order.vehicle_id, stage=S.CLOSED)
        .exclude(visit_id=order.visit_id)
        .order_by("-pk")
        .first()
    )
    return OrderPage(
        order=order,
        rows=rows,
        estimate=estimate,
        expected_at=expected,
        late=late,
        suggested=to_promise(order.store, expected) if late and expected else None,
        more=more if more is not None and not more.fits and not late else None,
        drafts=sum(row.line.state == L.DRAFT and "payer" not in row.may for row in rows),
        pending=len(pending),
        pending_total=rules.total_of(row.total for row in pending),
        open_total=rules.total_of(row.total for row in rows if row.line.state in (L.DRAFT, L.PENDING)),
        agreed_total=rules.total_of(row.total for row in agreed),
        agreed_labor=rules.total_of(row.line.labor_amount for row in agreed),
        agreed_material=rules.total_of(row.material for row in agreed),
        agreed_hours=sum((row.line.hours for row in agreed), ZERO),
        cores=cores,
        owed_total=customer_pays(
            order,
            [
                (row.line, row.total)
                for row in rows
                if row.line.state in AGREED
                or (row.line.pay_type == "INSURANCE" and row.line.state in (L.DRAFT, L.PENDING))
            ],
        ),
        counts=_counts(rows),
        clockings=clockings,
        clocked=sum(((c.ended_at or now) - c.started_at for c in clockings), timedelta()),
        dispatches=dispatches,
        inspections=list(
            order.inspections.select_related("inspector", "failed_line", "road_test_driver")
            .prefetch_related("instruments__tool")
            .order_by("-pk")
        ),
        messages=list(Message.objects.for_actor(by).filter(visit_uid=order.visit.uid).order_by("-pk")[:50]),
        photos=list(VisitPhoto.objects.filter(visit_id=order.visit_id).select_related("file")),
        earlier=earlier,
        earlier_declined=list(earlier.lines.filter(state=L.DECLINED)) if earlier else [],
        siblings=list(order.visit.orders.exclude(pk=order.pk).order_by("pk")),
        steps=stage_steps(order, late=late, looks_only=bool(agreed) and all(row.line.is_diagnosis for row in agreed)),
        held=[row for row in rows if row.hold],
    )


def still_asked(order: RepairOrder, uids: Iterable[str]) -> bool:
    """Whether any of these lines waits for a decision; what isn't a uid is none."""
    return order.lines.filter(uid__in=[uid for uid in uids if _UID.fullmatch(uid)], state=L.PENDING).exists()


_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def message_about(estimate: Estimate, by: Actor) -> Message | None:
    """The message with which the customer was asked to decide on this estimate."""
    return Message.objects.for_actor(by).filter(key=f"estimate:{estimate.uid}").first()


def stage_steps(order: RepairOrder, *, late: bool = False, looks_only: bool = False) -> list[dict[str, Any]]:
    """The stage bar of an order; a cancelled one stands nowhere. ``looks_only``: no more than the diagnosis is agreed."""
    if order.stage == S.CANCELLED:
        return [{"label": step.label, "state": "todo", "stage": step.colour} for step in stages.BAR]
    stage = STAGE_OF[OrderStage(order.stage)]
    if looks_only and stage == stages.WORK:
        stage = stages.DIAGNOSIS
    return visit_steps(order.visit, stage, late=late)


def _counts(rows: Sequence[LineRow]) -> list[tuple[Any, int]]:
    """“Agreed 2 · asked 1 · declined 1” under the table."""
    groups = (
        (_("agreed"), AGREED),
        (_("asked"), (L.PENDING,)),
        (_("not sent"), (L.DRAFT,)),
        (_("declined"), (L.DECLINED,)),
        (_("cancelled"), (L.CANCELLED,)),
    )
    counted = [(label, sum(row.line.state in held for row in rows)) for label, held in groups]
    return [(label, n) for label, n in counted if n]


_REASSEMBLY_SAID = {
    ReassemblyAnswer.FREE: _("put together again, not charged"),
    ReassemblyAnswer.APART: _("stays in pieces, as the customer wants it"),
}


def line_row(
    line: OrderLine, estimate: Estimate | None, asked_discount: Decimal | None = None, *, words: str = ""
) -> LineRow:
    """A line for the order page; ``words`` are the customer's own, which stand there once."""
    parts = list(line.part_lines.all())
    holds = list(line.holds.all())
    decisions = list(line.authorizations.all())
    last = decisions[0] if decisions else None
    chip, color = _chip(line, last, estimate)
    says: list[Any] = []
    if line.complaint and line.complaint != words:
        says.append(_("complaint: %(words)s") % {"words": line.complaint})
    if line.told_cause and line.told_cause != line.cause:
        says.append(_("told the customer: %(words)s") % {"words": line.told_cause})
    if line.cause:
        says.append(_("cause: %(words)s") % {"words": say_cause(line)})
    if line.correction:
        says.append(_("done: %(words)s") % {"words": line.correction})
    if line.fee_amount:
        says.append(_("%(what)s: ¥%(amount)s") % {"what": line.fee_note, "amount": f"{line.fee_amount:,.2f}"})
    if line.reassembly_answer:
        says.append(_REASSEMBLY_SAID[ReassemblyAnswer(line.reassembly_answer)])
    elif line.takes_apart and line.reassembly_amount is not None:
        says.append(
            _("putting it together again if declined: ¥%(amount)s") % {"amount": f"{line.reassembly_amount:,.2f}"}
        )
    elif line.is_dismantling:
        says.append(_("say what putting it together again costs"))
    if last is not None and last.status == AuthorizationStatus.NOT_ENTITLED and line.state == L.PENDING:
        says.append(_("%(name)s said yes, but may not decide about it") % {"name": last.authorized_by})
    if line.extra_minutes and line.state in (L.DRAFT, L.PENDING):
        says.append(_("makes it %(minutes)s min later") % {"minutes": line.extra_minutes})
    state = L(line.state)
    return LineRow(
        line=line,
        parts=parts,
        material=rules.total_of(p.amount for p in parts),
        total=total(line),
        chip=chip,
        chip_color=color,
        work=state.label if state in WORK_COLORS else "",
        work_color=WORK_COLORS.get(state, ""),
        hold=holds[0] if holds else None,
        says=says,
        may=allowed_on(line),
        asked_discount=asked_discount,
    )


def _say_asked(part_line: PartLine, amount: Decimal | None) -> Any:
    """A discount on a part that somebody above is asked about."""
    return _("discount asked on %(part)s: ¥%(amount)s") % {
        "part": part_line.part.said, "amount": f"{amount or Decimal(0):,.2f}",
    }  # fmt: skip


def _say_own(own: OwnPart) -> Any:
    """What the customer brought and mayn't be fitted yet."""
    if own.check is not None and not own.check.accepted:
        return _("%(part)s of the customer refused: %(note)s") % {
            "part": own.part_line.part.said,
            "note": own.check.note,
        }
    return _("look at the customer's %(part)s before it is fitted") % {"part": own.part_line.part.said}


def _said_payer(approval: Approval | None) -> Any:
    """Where the yes stands for a line above what goes ahead unasked for its payer."""
    if approval is not None and approval.state == ApprovalState.ASKED:
        return _("payer's yes asked, waits for a decision")
    if approval is not None and approval.state == ApprovalState.REFUSED:
        return _("payer's yes refused")
    return _("above what goes ahead by itself: ask for the payer's yes")


def _said_goodwill(line: OrderLine, approval: Approval | None) -> Any:
    """Where goodwill for a line stands."""
    if line.state == L.AUTHORIZED:
        return _("goodwill approved")
    if approval is None or approval.state == ApprovalState.WITHDRAWN:
        return _("goodwill: ask for it")
    if approval.state == ApprovalState.ASKED:
        return _("goodwill asked, waits for a decision")
    return _("goodwill refused") if approval.state == ApprovalState.REFUSED else _("goodwill: ask for it")


STEP_NEEDS = {
    "discount": "discount", "goodwill": "goodwill", "payer": "payer", "offer": "edit", "after_all": "decide", "cancel": "edit",
    "revoke": "decide", "reassemble": "edit", "withdraw": "withdraw", "change": "edit",
}  # fmt: skip
"""Step on a line → the right it needs, by the names the order's page gives them."""


def allowed_on(line: OrderLine) -> frozenset[str]:
    """The verbs that the line's state admits; permissions are the page's affair."""
    if line.settled:
        return frozenset()
    verbs = {
        L.DRAFT: {"change", "cancel", "discount"},
        L.PENDING: {"change", "cancel", "discount"},
        L.DECLINED: {"offer", "after_all"},
        L.AUTHORIZED: {"revoke", "withdraw"},
        L.IN_PROGRESS: {"withdraw"},
        L.COMPLETED: {"change"},
    }
    if line.pay_type == PayType.GOODWILL and line.state == L.DRAFT:
        return frozenset({*verbs[L.DRAFT], "goodwill"})
    return frozenset(verbs.get(L(line.state), set()))


def asked_off(line: OrderLine) -> dict[UUID, Decimal | None]:
    """Part of the line → the discount on it that somebody above is asked about; the last one."""
    asked = Approval.objects.filter(
        kind=PART_DISCOUNT, state=ApprovalState.ASKED, root_uid__in=[part.uid for part in line.part_lines.all()]
    )
    return dict(asked.order_by("pk").values_list("root_uid", "amount"))


def done_words(line: OrderLine) -> str:
    """What of a line that is ended now is settled: the minutes clocked and the parts that are out (domain 3.3)."""
    minutes, hours, discount = done_of(line)
    labor = rules.labor_amount(hours, line.rate, min(discount, line_amount(hours, line.rate)))
    out = [part for part in line.part_lines.all() if part.issued_quantity > 0]
    if not minutes and not out:
        return gettext("Nothing was done on it yet, so nothing of it is settled.")
    said = [
        gettext("Settled for what was done: %(minutes)s min clocked, labour ¥%(amount)s.")
        % {
            "minutes": minutes,
            "amount": f"{labor:,.2f}",
        }
    ]
    if out:
        parts = say_list(f"{part.part.said} ×{part.issued_quantity.normalize():f}" for part in out)
        told = gettext("These parts are out and are charged unless they are taken back before: %(parts)s.")
        said.append(told % {"parts": parts})
    return " ".join(said)


def _chip(line: OrderLine, last: Authorization | None, estimate: Estimate | None) -> tuple[Any, str]:
    if line.state == L.DRAFT:
        return _("not sent"), "reception"
    if line.state == L.CANCELLED:
        return _("cancelled"), "booked"
    if line.state == L.PENDING:
        seen = estimate is not None and estimate.first_viewed_at is not None
        return (_("asked · seen") if seen else _("asked · not seen yet")), "consent"
    if line.state == L.DECLINED:
        reason = " · ".join(filter(None, [str(line.get_declined_cause_display()), line.declined_reason]))
        if last is not None and last.status == AuthorizationStatus.REVOKED:
            return _("taken back · %(reason)s") % {"reason": reason}, "booked"
        return (_("declined · %(reason)s") % {"reason": reason} if reason else _("declined")), "booked"
    if last is not None and last.status == AuthorizationStatus.REVOKED:
        return _("taken back"), "booked"
    if last is None:
        return _("agreed"), "ready"
    if last.status == AuthorizationStatus.NOT_REQUIRED:
        return _("no yes needed"), "reception"
    from dealership.kernel.saying import say_clock

    return _("agreed · %(how)s %(time)s") % {
        "how": METHOD_WORDS[AuthorizationMethod(last.method)],
        "time": say_clock(last.at),
    }, "ready"


# --- the visit's page, the customer's link, the Today board ---


def diagnosed_on(visit: Visit, by: Actor) -> RepairOrder | None:
    """The order of this visit on which the complaint is diagnosed already, or is going to be; None where it isn't."""
    gone = (L.DECLINED, L.WITHDRAWN, L.CANCELLED)
    lines = OrderLine.objects.for_actor(by).filter(order__visit=visit, is_diagnosis=True).exclude(state__in=gone)
    line = lines.select_related("order").order_by("pk").first()
    return line.order if line else None


def orders_of_visit(visit: Visit, by: Actor) -> list[OrderRow]:
    orders = list(
        RepairOrder.objects.for_actor(by)
        .filter(visit=visit)
        .select_related("vehicle", "customer", "advisor", "visit")
        .order_by("pk")
    )
    return _with_money(orders, clock.now())


@dataclass(frozen=True, slots=True)
class AskedPart:
    name: str
    quantity: str
    unit: str
    kind: str
    guarantee: Any
    core: Decimal = Decimal(0)
    """Core charge of one, given back when the old part comes in."""
    cores: Decimal = Decimal(0)
    """The core charge of all of them."""
    discount: Decimal = Decimal(0)
    """What is taken off the price of them."""
    not_new: bool = False
    """Used, repaired or remanufactured: agreed to in writing only (domain 3.3)."""


@dataclass(frozen=True, slots=True)
class AskedLine:
    """One card on the customer's page."""

    uid: str
    position: int
    description: str
    why: str
    total: Decimal
    labor: Decimal
    material: Decimal
    fee: Decimal
    fee_note: str
    parts: list[AskedPart]
    is_safety: bool
    extra_minutes: int
    photos: list[LinePhoto]
    is_diagnosis: bool
    holds: list[str]
    """What a package holds; empty for a line that stands by itself."""
    reassembly: Decimal | None
    """What putting together again costs if the repair is declined; None where nothing is taken apart."""
    again: Again | None = None
    """What falls due if nothing that was found by the taking apart is done; None where nothing lies in pieces."""

    @property
    def not_new(self) -> str:
        """The parts that aren't new, with their kinds; "" where all are."""
        return say_list(f"{part.name} ({part.kind})" for part in self.parts if part.not_new)

    @property
    def cores(self) -> Decimal:
        """Core charges beside the price, given back when the old parts come in."""
        return rules.total_of(part.cores for part in self.parts)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one order asks of the customer, from the locked version they are shown."""

    order: RepairOrder
    estimate: Estimate
    lines: list[AskedLine]
    agreed_labor: Decimal
    agreed_material: Decimal
    agreed_fees: Decimal
    deciders: Deciders
    expired: bool
    insurer: str = ""
    """Who pays an accident; empty where the customer is asked for their own money."""
    bears: Decimal = ZERO
    """What of the accident the customer bears."""
    agreed_cores: Decimal = ZERO
    """Core charges of what was agreed before."""

    @property
    def agreed(self) -> Decimal:
        return self.agreed_labor + self.agreed_material + self.agreed_fees

    @property
    def proposed(self) -> datetime | None:
        """The hand-over that a yes means as well; None where the promise holds with what is asked."""
        return proposed_in(self.estimate)

    @property
    def contract(self) -> Contract | None:
        """The contract that this version is as well; None where none is needed."""
        return contract_of_estimate(self.estimate)

    @property
    def looks_only(self) -> bool:
        """Whether only the checking itself is offered: nothing has been found yet."""
        return all(line.is_diagnosis for line in self.lines)


def asked_of(visit_id: int, by: Actor) -> list[Asked]:
    """The open questions of a visit, each from its order's newest locked estimate (1.3, 3.2)."""
    orders = (
        RepairOrder.objects.for_actor(by)
        .filter(visit_id=visit_id, lines__state=L.PENDING)
        .select_related("store", "vehicle", "customer", "advisor", "visit__link")
        .distinct()
        .order_by("pk")
    )
    found = []
    for order in orders:
        estimate = order.estimates.order_by("-number").first()
        if estimate is None:
            continue
        lines = order_lines(order)
        open_uids = {str(line.uid): line for line in lines if line.state == L.PENDING}
        agreed = [line for line in lines if line.state in AGREED and line.pay_type in ASKED_PAY_TYPES]
        found.append(
            Asked(
                order=order,
                estimate=estimate,
                lines=_asked_lines(
                    [entry for entry in estimate.content["lines"] if entry["uid"] in open_uids], open_uids
                ),
                agreed_labor=rules.total_of(line.labor_amount for line in agreed),
                agreed_material=rules.total_of(p.amount for line in agreed for p in line.part_lines.all()),
                agreed_fees=rules.total_of(line.fee_amount for line in agreed),
                deciders=deciders_of(order),
                expired=estimate.expires_at < clock.now(),
                insurer=order.customer.name if accident_of(order) else "",
                agreed_cores=_cores(agreed),
                bears=customer_pays(order, [(line, total(line)) for line in lines if line.state in LIVING]),
            )
        )
    return [asked for asked in found if asked.lines]


def _asked_lines(entries: list[dict[str, Any]], lines: Mapping[str, OrderLine]) -> list[AskedLine]:
    """One card for each line; the lines of a package make one card with one price (3.1)."""
    cards: dict[str, list[AskedLine]] = {}
    names: dict[str, str] = {}
    for entry in entries:
        package = entry.get("package")
        key = package["uid"] if package else entry["uid"]
        if package:
            names[key] = say_name(package["name"])
        cards.setdefault(key, []).append(_asked_line(entry, lines[entry["uid"]]))
    return [_package_card(names[key], cards[key]) if key in names else cards[key][0] for key in cards]


def _package_card(name: str, held: list[AskedLine]) -> AskedLine:
    return replace(
        held[0],
        description=name,
        why=" · ".join(dict.fromkeys(line.why for line in held if line.why)),
        holds=[line.description for line in held],
        total=rules.total_of(line.total for line in held),
        labor=rules.total_of(line.labor for line in held),
        material=rules.total_of(line.material for line in held),
        parts=[part for line in held for part in line.parts],
        is_safety=any(line.is_safety for line in held),
        extra_minutes=sum(line.extra_minutes for line in held),
        photos=[photo for line in held for photo in line.photos],
        again=next((line.again for line in held if line.again), None),
    )


def _asked_line(entry: dict[str, Any], line: OrderLine) -> AskedLine:
    """A line as it stands in the version that is signed; names of the catalogue in the reader's language."""
    named = {(p.part.number, p.part.name): p.part.said for p in line.part_lines.all()}
    parts = [
        AskedPart(
            name=named.get((p["number"], p["name"]), p["name"]),
            quantity=f"{Decimal(p['quantity']).normalize():f}",
            unit=p["unit"],
            kind=str(PartKind(p["kind"]).label),
            guarantee=""
            if p["kind"] == PartKind.CUSTOMER_SUPPLIED
            else _("guarantee %(months)s months or %(km)s km")
            % {"months": p["guarantee_months"], "km": f"{p['guarantee_km']:,}"},
            core=Decimal(p.get("core_price", "0")),
            cores=rules.core_total([(Decimal(p["quantity"]), Decimal(p.get("core_price", "0")))]),
            discount=Decimal(p.get("discount", "0")),
            not_new=p["kind"] in NOT_NEW,
        )
        for p in entry["parts"]
    ]
    labor = Decimal(entry["labor_amount"])
    return AskedLine(
        uid=entry["uid"],
        position=entry["position"],
        description=line.said if entry["description"] == line.description else entry["description"],
        why=entry["cause"] or entry["complaint"],
        total=Decimal(entry["total"]),
        labor=labor,
        material=rules.total_of(Decimal(p["amount"]) for p in entry["parts"]),
        fee=Decimal(entry.get("fee_amount", "0")),  # estimates sent before fees were written have none
        fee_note=entry.get("fee_note", ""),
        parts=parts,
        is_safety=entry["is_safety"],
        extra_minutes=entry["extra_minutes"],
        photos=list(line.photos.all()),
        is_diagnosis=line.is_diagnosis,
        holds=[],
        reassembly=Decimal(entry["reassembly_amount"]) if line.takes_apart and "reassembly_amount" in entry else None,
        again=falls_due(line) if line.found_by_id is not None else None,
    )


def photo_for(uid: UUID, by: Actor) -> StoredFile:
    """The file of a line's photo, for staff of the store or the holder of the visit's link."""
    return LinePhoto.objects.for_actor(by).select_related("file").get(uid=uid).file


def _cores(lines: Iterable[OrderLine]) -> Decimal:
    """Core charges of these lines' parts; only what a customer pays has any."""
    return rules.core_total((part.quantity, part.core_price) for line in lines for part in line.part_lines.all())


def chosen_sum(asked: Asked, yes: set[str]) -> dict[str, Any]:
    """The running total for what is ticked now: agreed before, added now, together; computed here, never typed."""
    chosen = [line for line in asked.lines if line.uid in yes]
    added = rules.total_of(line.total for line in chosen)
    return {
        "agreed": asked.agreed,
        "added": added,
        "total": asked.agreed + added,
        "cores": (cores := rules.total_of([asked.agreed_cores, *(line.cores for line in chosen)])),
        "to_pay": asked.agreed + added + cores,
        "labor": rules.total_of([asked.agreed_labor, *(line.labor for line in chosen)]),
        "material": rules.total_of([asked.agreed_material, *(line.material for line in chosen)]),
        "fees": rules.total_of([asked.agreed_fees, *(line.fee for line in chosen)]),
        "count": len(chosen),
        "later": sum(line.extra_minutes for line in chosen),
    }


def risk_words() -> str:
    """What a customer signs who declines work that concerns safety."""
    return gettext(
        "I was told that driving on without this work is a safety risk, and I decide not to have it done now."
    )


def taken_apart(order: RepairOrder) -> QuerySet[OrderLine]:
    """The agreed lines of an order that take something apart, the latest first: what is found by them names them."""
    rows = order.lines.filter(Q(is_dismantling=True) | Q(reassembly_amount__gt=0))
    return rows.filter(state__in=(L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED)).order_by("-position")


ASKED_PAY_TYPES = ("CUSTOMER_PAY", "INSURANCE")
LIVING = (L.DRAFT, L.PENDING, L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED)


@dataclass(frozen=True, slots=True)
class DecidedLine:
    line: OrderLine
    total: Decimal
    word: Any
    color: str

    @property
    def counts(self) -> bool:
        """Part of what the customer agreed to pay: not what was declined or stopped, nor what the house or maker pays, nor
        an insurer whose case is entered."""
        asked = self.line.pay_type in ASKED_PAY_TYPES and not self.insured
        return self.line.state not in (L.DECLINED, L.WITHDRAWN) and asked

    @property
    def lives(self) -> bool:
        return self.line.state != L.DECLINED

    @property
    def free(self) -> bool:
        """Somebody else pays, who isn't asked on the customer's page: shop, maker or a contract paid for before."""
        return self.line.pay_type not in ASKED_PAY_TYPES

    @property
    def free_word(self) -> str:
        """Why the customer pays nothing, with the maker's campaign where it is one."""
        campaigns = [f"{row.campaign.get_kind_display()} {row.campaign.number}" for row in self.line.campaigns.all()]
        return " · ".join([*campaigns, str(FREE_WORDS.get(self.line.pay_type, ""))])

    @property
    def insured(self) -> bool:
        return self.line.pay_type == "INSURANCE" and hasattr(self.line.order, "accident")


FREE_WORDS = {
    "WARRANTY": _("the maker pays"),
    "INTERNAL": _("our shop pays"),
    "SERVICE_CONTRACT": _("paid by your service contract"),
    "GOODWILL": _("free as a courtesy"),
}


def own_shares(rows: Sequence[DecidedLine]) -> Decimal:
    """What the customer bears of what insurers pay among these lines (3.2)."""
    orders = {row.line.order_id: row.line.order for row in rows if row.insured}
    shares = [
        customer_pays(
            order, [(row.line, row.total) for row in rows if row.line.order_id == key and row.insured and row.lives]
        )
        for key, order in orders.items()
    ]
    return rules.total_of(shares)


def decided_for_customer(visit_id: int, by: Actor) -> list[DecidedLine]:
    """What the customer has decided on and what others pay for, and how far it is, in plain words."""
    words = {
        L.AUTHORIZED: (_("agreed, to be done"), "consent"),
        L.IN_PROGRESS: (_("being done"), "work"),
        L.COMPLETED: (_("done, being checked"), "inspect"),
        L.INSPECTED: (_("done and checked"), "ready"),
        L.DECLINED: (_("not this time"), "booked"),
        L.WITHDRAWN: (_("stopped"), "booked"),
    }
    rows = (
        OrderLine.objects.for_actor(by)
        .filter(order__visit_id=visit_id, state__in=list(words))
        .select_related("operation", "order__accident")
        .prefetch_related("part_lines", "campaigns__campaign")
        .order_by("order_id", "position")
    )
    return [DecidedLine(line, total(line), *words[L(line.state)]) for line in rows]


LANES = {
    S.DRAFT: CONSENT,
    S.AWAITING_AUTHORIZATION: CONSENT,
    S.AUTHORIZED: DISPATCH,
    S.ON_HOLD: DISPATCH,
    S.IN_WORK: WORKSHOP,
    S.INSPECTION: INSPECTION,
    S.READY: DELIVERY,
    S.SETTLED: DELIVERY,
    S.CLOSED: DELIVERY,
}


def place_visits(by: Actor, visits: Sequence[Visit]) -> Mapping[int, Placement]:
    """Where cars stand by their orders: of several, the one that is furthest behind (Today board)."""
    orders = list(
        RepairOrder.objects.for_actor(by)
        .filter(visit__in=visits)
        .exclude(stage=S.CANCELLED)
        .select_related("vehicle", "visit", "customer", "advisor")
        .order_by("pk")
    )
    rank = {stage: place for place, stage in enumerate(LANES)}
    held = _open_holds(orders)
    by_visit: dict[int, OrderRow] = {}
    for row in _with_money(orders, clock.now()):
        kept = by_visit.get(row.order.visit_id)
        if kept is None or rank[S(row.order.stage)] < rank[S(kept.order.stage)]:
            by_visit[row.order.visit_id] = row
    return {visit_id: _placement(row, held.get(row.order.pk, [])) for visit_id, row in by_visit.items()}


def _open_holds(orders: list[RepairOrder]) -> dict[int, list[LineHold]]:
    found: dict[int, list[LineHold]] = {}
    for hold in LineHold.objects.filter(line__order__in=orders, ended_at__isnull=True).select_related("line"):
        found.setdefault(hold.line.order_id, []).append(hold)
    return found


def _placement(row: OrderRow, holds: list[LineHold]) -> Placement:
    from dealership.kernel.saying import say_money

    order = row.order
    stage = S(order.stage)
    warning = ""
    if stage == S.DRAFT:
        warning = str(_("to be priced and sent"))
    elif row.pending and stage != S.AWAITING_AUTHORIZATION:
        warning = str(_("%(n)s addition(s) asked") % {"n": row.pending})
    elif holds:
        warning = str(_("waits: %(cause)s") % {"cause": holds[0].get_cause_display()})
    amount = row.agreed or row.asked
    return Placement(
        lane=LANES[stage].code,
        line=" · ".join(part for part in (order.vehicle.model_text, row.work, say_money(amount)) if part),
        warning=warning,
        good=stage in (S.READY, S.SETTLED),
        stage=STAGE_OF[stage],
        asked=bool(row.pending),
    )
