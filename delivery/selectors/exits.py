"""How far a car is on its way out: what its orders still lack, for the board, the visit page and the hand-over (4.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import models
from django.db.models import BooleanField, Exists, ExpressionWrapper, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import RepairCategory, VehicleModel
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Approval, ApprovalState
from dealership.kernel.money import ZERO
from reception.models import Visit, VisitState
from workshop.maintenance_rules import Standing
from workshop.models import (
    Authorization,
    AuthorizationMethod,
    AuthorizationStatus,
    Certificate,
    Clocking,
    Inspection,
    LineState,
    OrderLine,
    OrderStage,
    PartLine,
    RepairOrder,
)
from workshop.selectors.inspections import last_reading
from workshop.selectors.maintenance import DueList, DueRow

from .. import rules
from ..models import UNPAID_EXIT, GatePass, Handover, Payment, Settlement, SettlementState

OPEN_WORK = {LineState.DRAFT, LineState.PENDING, LineState.AUTHORIZED, LineState.IN_PROGRESS}
CERTIFIED = {RepairCategory.WHOLE_VEHICLE, RepairCategory.ASSEMBLY, RepairCategory.SECOND_MAINTENANCE}


class ExitStep(models.TextChoices):
    """The gate order of 4.1; a car stands at the first step it has not passed."""

    WORK = "WORK", _("Work or a decision is open")
    INSPECTION = "INSPECTION", pgettext_lazy("step of the way out", "Final inspection")
    CERTIFICATE = "CERTIFICATE", pgettext_lazy("step of the way out", "Certificate")
    LIST = "LIST", pgettext_lazy("step of the way out", "Settlement list")
    SIGNATURE = "SIGNATURE", pgettext_lazy("step of the way out", "Signature")
    PAYMENT = "PAYMENT", pgettext_lazy("step of the way out", "Payment")
    HANDOVER = "HANDOVER", pgettext_lazy("step of the way out", "Hand-over")
    PASS = "PASS", pgettext_lazy("step of the way out", "Gate pass")
    GATE = "GATE", pgettext_lazy("step of the way out", "Through the gate")
    GONE = "GONE", pgettext_lazy("step of the way out", "Left")


ORDER_OF_STEPS = list(ExitStep)


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What decides whether a line belongs on a list: ``touched`` where somebody worked on it or parts went out."""

    state: str
    category: str
    settled: bool
    touched: bool
    begun: bool = False
    unsigned: bool = False
    description: str = ""

    @property
    def counts(self) -> bool:
        return self.settled or self.state == LineState.INSPECTED or (self.state == LineState.WITHDRAWN and self.touched)


@dataclass(slots=True)
class OrderExit:
    """One order on the way out: ``due`` is what is still to be paid, ``approved`` up to what it may leave unpaid (CNY)."""

    order: RepairOrder
    step: ExitStep
    done_something: bool
    settlement: Settlement | None = None
    due: Decimal = ZERO
    approved: Decimal = ZERO
    begun_and_withdrawn: bool = False
    unsigned_risks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class VisitExit:
    """One car on the way out: ``step`` is the first thing that is missing, ``blocking`` the order it is missing on."""

    visit: Visit
    step: ExitStep
    orders: list[OrderExit] = field(default_factory=list)
    blocking: OrderExit | None = None
    handover: Handover | None = None
    gate_pass: GatePass | None = None

    @property
    def unrepaired(self) -> bool:
        """Nothing was repaired: the car leaves with the note about the risk instead of a hand-over."""
        return not any(o.done_something for o in self.orders)

    @property
    def begun_and_withdrawn(self) -> bool:
        """Work was begun and taken back: the customer signs the note about the risk (domain 3.3)."""
        return any(o.begun_and_withdrawn for o in self.orders)

    @property
    def unsigned_risks(self) -> list[str]:
        """Work that concerns safety and was declined by word of mouth alone: the same note is signed for it (3.2)."""
        return [line for o in self.orders for line in o.unsigned_risks]

    @property
    def passed(self) -> set[str]:
        return {str(step) for step in ORDER_OF_STEPS[: ORDER_OF_STEPS.index(self.step)]}

    @property
    def priced(self) -> bool:
        """Some list is issued, so that what is open can be named."""
        return any(o.settlement for o in self.orders)

    @property
    def due(self) -> Decimal:
        return sum((o.due for o in self.orders), ZERO)


def approved_amounts(settlements: Iterable[Settlement]) -> dict[UUID, Decimal]:
    """Up to what amount (CNY) each list may stay unpaid at the exit, by its uid (4.1)."""
    return dict(
        Approval.objects.filter(
            kind=UNPAID_EXIT, root_uid__in=[s.uid for s in settlements], state=ApprovalState.APPROVED, amount__gt=0
        )
        .values_list("root_uid")
        .annotate(most=Max("amount"))
    )


def _signed_no() -> QuerySet[Authorization]:
    """The last word about a line where it is a no with the statement of the risk, drawn, on the link or on paper (3.2)."""
    said = Authorization.objects.filter(line=OuterRef("line")).exclude(status=AuthorizationStatus.NOT_ENTITLED)
    signed = Q(signature__isnull=False) | Q(
        method__in=(AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.IN_PERSON_PHYSICAL_SIGNATURE)
    )
    return Authorization.objects.filter(
        signed,
        line=OuterRef("pk"),
        pk=Subquery(said.order_by("-pk").values("pk")[:1]),
        status__in=(AuthorizationStatus.DECLINED, AuthorizationStatus.REVOKED),
    ).exclude(note="")


def order_exits(orders: Iterable[RepairOrder]) -> dict[int, OrderExit]:
    """The step of each order by its key; a fixed number of queries for any number of orders."""
    by_id = {order.pk: order for order in orders}
    lines: dict[int, list[LineFacts]] = defaultdict(list)
    parts = PartLine.objects.filter(line=OuterRef("pk"))
    begun = Exists(Clocking.objects.filter(line=OuterRef("pk"))) | Exists(parts.filter(issued_quantity__gt=0))
    touched = begun | Exists(parts.filter(reserved_quantity__gt=0)) | Q(fee_amount__gt=0)
    unsigned = Q(state=LineState.DECLINED, is_safety=True) & ~Exists(_signed_no())
    for order_id, *facts in (
        OrderLine.objects.filter(order_id__in=by_id)
        .annotate(touched=touched, begun=begun, unsigned=ExpressionWrapper(unsigned, output_field=BooleanField()))
        .values_list("order_id", "state", "category", "settled", "touched", "begun", "unsigned", "description")
    ):
        lines[order_id].append(LineFacts(*facts))
    inspected = set(
        Inspection.objects.filter(order_id__in=by_id, level="FINAL", result="PASSED").values_list("order_id", flat=True)
    )
    certified = set(
        Certificate.objects.filter(order_id__in=by_id, voided_at__isnull=True).values_list("order_id", flat=True)
    )
    settlements = {
        s.order_id: s
        for s in Settlement.objects.filter(order_id__in=by_id).exclude(state=SettlementState.VOIDED).order_by("pk")
    }
    paid = dict(
        Payment.objects.filter(settlement__in=settlements.values())
        .values_list("settlement_id")
        .annotate(sum=Sum("amount"))
    )
    approved = approved_amounts(settlements.values())
    exits = {}
    for pk, order in by_id.items():
        settlement = settlements.get(pk)
        exit_ = OrderExit(
            order=order,
            step=ExitStep.HANDOVER,
            done_something=any(line.state == LineState.INSPECTED for line in lines[pk]),
            settlement=settlement,
            due=settlement.total - paid.get(settlement.pk, ZERO) if settlement else ZERO,
            approved=approved.get(settlement.uid, ZERO) if settlement else ZERO,
            begun_and_withdrawn=any(line.state == LineState.WITHDRAWN and line.begun for line in lines[pk]),
            unsigned_risks=[line.description for line in lines[pk] if line.unsigned],
        )
        exit_.step = _order_step(exit_, lines[pk], final=pk in inspected, certificate=pk in certified)
        exits[pk] = exit_
    return exits


def _order_step(exit_: OrderExit, lines: list[LineFacts], *, final: bool, certificate: bool) -> ExitStep:
    line_states = {line.state for line in lines}
    if line_states & OPEN_WORK:
        return ExitStep.WORK
    if LineState.COMPLETED in line_states or (LineState.INSPECTED in line_states and not final):
        return ExitStep.INSPECTION
    if not certificate and any(line.state == LineState.INSPECTED and line.category in CERTIFIED for line in lines):
        return ExitStep.CERTIFICATE
    owed = [line.settled for line in lines if line.counts]
    if not owed:
        return ExitStep.HANDOVER
    if exit_.settlement is None or not all(owed):
        return ExitStep.LIST
    if exit_.settlement.state != SettlementState.SIGNED:
        return ExitStep.SIGNATURE
    if exit_.due > exit_.approved:
        return ExitStep.PAYMENT
    return ExitStep.HANDOVER


def visit_exits(visits: Iterable[Visit]) -> list[VisitExit]:
    """The way out of each visit, in the order given."""
    visits = list(visits)
    orders: dict[int, list[RepairOrder]] = defaultdict(list)
    for order in RepairOrder.objects.filter(visit__in=visits).select_related("customer").order_by("pk"):
        orders[order.visit_id].append(order)
    by_order = order_exits([o for group in orders.values() for o in group])
    handovers = {h.visit_id: h for h in Handover.objects.filter(visit__in=visits)}
    passes: dict[int, GatePass] = {
        p.visit_id: p
        for p in GatePass.objects.filter(visit__in=visits, cancelled_at__isnull=True, back_at__isnull=True)
    }
    result = []
    for visit in visits:
        exits = [by_order[o.pk] for o in orders[visit.pk]]
        blocking = min(exits, key=lambda e: ORDER_OF_STEPS.index(e.step), default=None)
        step = blocking.step if blocking else ExitStep.WORK
        handover, gate_pass = handovers.get(visit.pk), passes.get(visit.pk)
        if visit.state == VisitState.DEPARTED:
            step = ExitStep.GONE
        elif step == ExitStep.HANDOVER:
            if gate_pass is not None and gate_pass.kind in ("DELIVERED", "UNREPAIRED"):
                step = ExitStep.GATE
            elif handover is not None:
                step = ExitStep.PASS
        result.append(VisitExit(visit, step, exits, blocking, handover, gate_pass))
    return result


def visit_exit(visit: Visit) -> VisitExit:
    """The way out of one visit."""
    return visit_exits([visit])[0]


NEAR_KM = 100
"""A mileage nearer than this is reached on the way home; it is no day to come back on."""


def proposed_service(visit: Visit, found: DueList | None) -> tuple[date | None, int | None]:
    """Day and mileage (km) of the car's next service: what its plan asks for first from now on; where no plan holds or
    it leaves one of them open, the model's interval counted from today and the last reading. ``found``: its due list."""
    model = visit.vehicle.model
    today = clock.today(visit.store.time_zone)
    day, at_km = _by_interval(visit, model, today)
    coming = [
        row.due
        for row in (found.rows if found else ())
        if row.standing in (Standing.SOON, Standing.LATER) and row.due.expected_on and row.due.expected_on > today
    ]
    if not coming:
        return day, at_km
    first = min(coming, key=lambda due: (due.expected_on, due.due_km or 0))
    ahead_km = first.due_km if first.due_km and first.due_km > last_reading(visit) + NEAR_KM else None
    return (first.due_on if first.due_on and first.due_on > today else first.expected_on), ahead_km or at_km


def left_undone(found: DueList | None) -> list[DueRow]:
    """Work that the car's plan asks for today and that isn't done when it leaves: the customer hears of it (3.1, 4.1)."""
    due = (Standing.OVERDUE, Standing.DUE)
    return [row for row in found.rows if row.standing in due and not row.covered] if found else []


def _by_interval(visit: Visit, model: VehicleModel | None, today: date) -> tuple[date | None, int | None]:
    return rules.next_service(
        on=today,
        odometer_km=last_reading(visit),
        interval_months=model.service_interval_months if model else None,
        interval_km=model.service_interval_km if model else None,
    )


READY_STAGES = (OrderStage.READY, OrderStage.SETTLED)


def board(*, by: Actor) -> list[VisitExit]:
    """Cars in the shop of which at least one order is past its work, the promised hour first (4.1)."""
    visits = (
        Visit.objects.for_actor(by)
        .filter(state=VisitState.IN_SHOP, orders__stage__in=READY_STAGES)
        .distinct()
        .select_related("vehicle", "customer", "advisor", "key_holder", "link")
        .order_by(models.F("promised_at").asc(nulls_last=True), "pk")
    )
    return visit_exits(visits)


def board_size(*, by: Actor) -> int:
    """How many cars stand on the board."""
    return (
        Visit.objects.for_actor(by).filter(state=VisitState.IN_SHOP, orders__stage__in=READY_STAGES).distinct().count()
    )
