"""What chapter 4 adds to the pages of the chapters below: how far the car is on its way out, and its lists."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.models import Approval
from dealership.kernel.money import ZERO
from dealership.kernel.panels import Panel, register_panel
from reception import permissions as reception_permissions
from reception.models import Appointment, Customer, Vehicle, Visit
from reception.selectors.visits import FOLLOWED_UP
from workshop.models import CoreCharge, OrderStage, RepairOrder
from workshop.selectors.maintenance import NOTES, Note

from . import permissions
from .models import GOODWILL, Deposit, FollowUp, FollowUpState, GatePass, Handover, SettlementState, Survey
from .selectors.cores import owed_back
from .selectors.exits import ExitStep, order_exits, visit_exit
from .selectors.guarantees import guarantees_of, statutory_of
from .selectors.margins import margin_of
from .selectors.rework import cases_at, cases_of, covered_lines
from .selectors.settlements import deposits_of, money_of, settlements_of_visit
from .selectors.shares import share_of
from .selectors.ways import PAST_THE_WORK, Way, next_way
from .services.deposits import deposit_left

# settlement, payment, hand-over and gate
LADDER = (
    ExitStep.INSPECTION,
    ExitStep.LIST,
    ExitStep.SIGNATURE,
    ExitStep.PAYMENT,
    ExitStep.HANDOVER,
    ExitStep.GATE,
)


def visit_panel(by: Actor, visit: Visit) -> dict[str, Any] | None:
    """The way out on the visit's page: what is passed, what is next, the lists and the passes."""
    if not by.may(permissions.BOARD_VIEW) and not by.may(permissions.GATE_PASSES_VIEW):
        return None
    exit_ = visit_exit(visit)
    if not exit_.orders:
        return None
    passed = exit_.passed
    passes = list(GatePass.objects.for_actor(by).filter(visit=visit).order_by("-pk"))
    road_test = by.may(permissions.GATE_PASSES_ISSUE) or by.may(permissions.GATE_PASSES_ROAD_TEST)
    return {
        "exit": exit_,
        "way": next_way(exit_, by),
        "past_the_work": exit_.step in PAST_THE_WORK,
        "ladder": [{"label": step.label, "passed": step in passed, "now": step == exit_.step} for step in LADDER],
        "lists": [o for o in exit_.orders if o.settlement] if by.may(permissions.SETTLEMENTS_VIEW) else [],
        "passes": passes,
        "may_see": by.may(permissions.GATE_PASSES_VIEW),
        "may_pass": road_test and exit_.gate_pass is None and exit_.step != ExitStep.GONE,
        "form_token": uuid4(),
    }


def order_panel(by: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """The order's list with its state, or the button that issues it."""
    if not by.may(permissions.SETTLEMENTS_VIEW):
        return None
    exit_ = order_exits([order])[order.pk]
    signed = exit_.settlement is not None and exit_.settlement.state == SettlementState.SIGNED
    running = order.closed_at is None and order.withdrawn_at is None and not signed
    deposits = deposits_of(order)
    may_take = running and by.may(permissions.PAYMENTS_TAKE)
    done = exit_.settlement is not None or order.stage == OrderStage.READY
    may_ask = done and order.closed_at is None and not signed and by.may(permissions.GOODWILL_ASK)
    goodwill = list(Approval.objects.for_actor(by).filter(kind=GOODWILL, root_uid=order.uid).order_by("-pk"))
    ready = exit_.settlement is None and exit_.step == ExitStep.LIST
    if not (exit_.settlement or ready or deposits or goodwill or may_take or may_ask):
        return None
    way = None
    if ready and by.may(permissions.SETTLEMENTS_ISSUE):
        way = Way(_("Issue the list"), reverse("settlement-issue", args=[order.uid]), post=True)
    return {
        "exit": exit_,
        "settlement": exit_.settlement,
        "ready": ready,
        "way": way,
        "order": order,
        "deposits": deposits,
        "goodwill": goodwill,
        "may_take": may_take,
        "may_ask": may_ask,
        "may_return": by.may(permissions.PAYMENTS_REFUND),
        "form_token": uuid4(),
    }


def booking_panel(by: Actor, appointment: Appointment) -> dict[str, Any] | None:
    """2.4: the deposit of a booking on its page: what is asked, what was paid, and where it is taken or given back."""
    if by.kind != ActorKind.USER:
        return None
    deposits = list(Deposit.objects.for_actor(by).filter(appointment=appointment).order_by("pk"))
    may_take = appointment.is_expected and by.may(permissions.PAYMENTS_TAKE)
    if not (deposits or (appointment.deposit_asked and may_take)):
        return None
    left = {row.pk: deposit_left(row) for row in deposits if row.amount > 0}
    return {
        "appointment": appointment,
        "deposits": [(row, left.get(row.pk)) for row in deposits],
        "may_take": may_take,
        "may_return": by.may(permissions.PAYMENTS_REFUND),
    }


def guarantees_panel(by: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """What protects the car, beside every order: our work, our parts, the maker's 三包."""
    if by.kind != ActorKind.USER:
        return None
    return {
        "found": guarantees_of(order, by),
        "vehicle": order.vehicle,
        "may_edit": by.may(reception_permissions.VEHICLES_EDIT),
    }


def link_panel(by: Actor, root: Any) -> dict[str, Any] | None:
    """The customer's lists on the link: to read, to sign, what to pay, the paper."""
    visit: Visit = getattr(root, "visit", root)
    if by is None or by.kind != ActorKind.LINK:
        return None
    lists = settlements_of_visit(visit_id=visit.pk, by=by)
    if not lists:
        return None
    due = {e.settlement.pk: e.due for e in order_exits([s.order for s in lists]).values() if e.settlement}
    own = visit.customer_id
    shares = {s.pk: share for s in lists if (share := share_of(s)) is not None}
    return {
        "lists": [
            {
                "settlement": s,
                "due": due.get(s.pk, ZERO),
                "share": shares.get(s.pk),
                "paid_by": "" if (s.payer.merged_into_id or s.payer_id) == own else s.payer.name,
                "to_sign": s.state == SettlementState.ISSUED,
                "url": reverse("link-settlement", args=[visit.link.token, s.uid]),
                "pdf": reverse("link-settlement-pdf", args=[visit.link.token, s.uid]),
            }
            for s in lists
        ],
        "due": sum(
            (
                due.get(s.pk, ZERO)
                if (s.payer.merged_into_id or s.payer_id) == own
                else (shares[s.pk].unpaid if s.pk in shares else ZERO)
                for s in lists
            ),
            ZERO,
        ),
        "visit": visit,
    }


def link_foot(by: Actor, root: Any) -> dict[str, Any] | None:
    """Under the thumb: the list that waits for the customer's signature."""
    shown = link_panel(by, root)
    waiting = next((entry for entry in shown["lists"] if entry["to_sign"]), None) if shown else None
    if waiting is None:
        return None
    visit: Visit = getattr(root, "visit", root)
    number = (visit.advisor.phone if visit.advisor else "") or visit.store.phone
    return {"url": waiting["url"], "total": waiting["settlement"].total, "number": number}


register_panel("visit", Panel("delivery.exit", "delivery/panels/visit.html", visit_panel, order=60))
register_panel("order", Panel("delivery.settlement", "delivery/panels/order.html", order_panel, order=60))
register_panel(
    "order_side", Panel("delivery.guarantees", "delivery/panels/guarantees.html", guarantees_panel, order=10)
)
register_panel("appointment", Panel("delivery.deposit", "delivery/panels/booking.html", booking_panel, order=60))
register_panel("visit_link", Panel("delivery.lists", "delivery/panels/link.html", link_panel, order=20))
register_panel("visit_link_foot", Panel("delivery.sign", "delivery/panels/link_foot.html", link_foot, order=20))


# --- the car's page (2.3, 3.6) ---
def vehicle_statutory(by: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """The two periods of 三包, from which day they count and until when they run."""
    if by.kind != ActorKind.USER:
        return None
    return {
        "found": statutory_of(vehicle),
        "starts_on": vehicle.delivered_on or vehicle.invoiced_on,
        "vehicle": vehicle,
        "may_edit": by.may(reception_permissions.VEHICLES_EDIT),
    }


register_panel(
    "vehicle", Panel("delivery.statutory", "delivery/panels/vehicle_statutory.html", vehicle_statutory, order=8)
)


# --- the customer's page (2.3) ---
def customer_money(by: Actor, customer: Customer) -> dict[str, Any] | None:
    """What a customer has paid, still owes and has paid in advance in the actor's stores."""
    if not by.may(permissions.SETTLEMENTS_VIEW):
        return None
    money = money_of(customer, by)
    return {"money": money} if money.lists or money.deposits else None


register_panel("customer", Panel("delivery.money", "delivery/panels/customer_money.html", customer_money, order=20))


# --- follow-up and surveys ---
def survey_panel(by: Actor, root: Any) -> dict[str, Any] | None:
    """The survey on the customer's link, once it was sent."""
    visit: Visit = getattr(root, "visit", root)
    if by is None or by.kind != ActorKind.LINK:
        return None
    survey = Survey.objects.for_actor(by).filter(visit=visit).first()
    if survey is None:
        return None
    return {"survey": survey, "url": reverse("link-survey", args=[visit.link.token])}


def next_service_panel(by: Actor, root: Any) -> dict[str, Any] | None:
    """When the next service is due, as it was explained at the hand-over (domain 4.1)."""
    visit: Visit = getattr(root, "visit", root)
    if by is None or by.kind != ActorKind.LINK:
        return None
    handover = Handover.objects.for_actor(by).filter(visit=visit, next_service_on__isnull=False).first()
    return {"handover": handover, "visit": visit} if handover else None


register_panel(
    "visit_link", Panel("delivery.next_service", "delivery/panels/link_next_service.html", next_service_panel, order=25)
)


def followed_up(visit: Visit) -> bool:
    """Whether the callback was made, or ended because the customer wanted none."""
    return FollowUp.objects.filter(visit=visit).exclude(state=FollowUpState.DUE).exists()


FOLLOWED_UP.append(followed_up)
register_panel("visit_link", Panel("delivery.survey", "delivery/panels/link_survey.html", survey_panel, order=5))


def told_at_handover(vehicle: Vehicle) -> Note | None:
    """What was said of the next service when the car was handed over last (domain 4.1)."""
    told = Handover.objects.filter(visit__vehicle=vehicle, next_service_on__isnull=False).order_by("-pk")
    last = told.values_list("next_service_on", "next_service_km").first()
    return Note(last[0], last[1]) if last and last[0] else None


NOTES.append(told_at_handover)


# --- rework within the guarantee (3.2) ---
def _covered(by: Actor, vehicle: Vehicle, visit: Visit | None = None) -> dict[str, Any] | None:
    if not by.may(permissions.REWORK_VIEW):
        return None
    km = visit.odometer_in_km if visit else None
    lines = covered_lines(vehicle, by, km=km, but_visit=visit.pk if visit else None)
    running = [row for row in lines if row.running]
    cases = cases_at(visit, by) if visit else cases_of(vehicle, by)
    if not running and not cases:
        return None
    read = visit is not None and visit.is_open and visit.odometer_in_km is not None
    claim = read and by.may(permissions.REWORK_OPEN)
    return {
        "rows": running[:5],
        "more": len(running[5:]),
        "cases": cases,
        "claim": visit if claim and any(row.case is None for row in running) else None,
    }


def visit_covered(by: Actor, visit: Visit) -> dict[str, Any] | None:
    """At the reception: which work of ours is still covered, and the way to say that the car came back for it."""
    return _covered(by, visit.vehicle, visit) if visit.vehicle_id else None


def vehicle_covered(by: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    return _covered(by, vehicle)


def appointment_covered(by: Actor, appointment: Appointment) -> dict[str, Any] | None:
    return _covered(by, appointment.vehicle) if appointment.vehicle_id else None


def order_returns(by: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """On a rework order, the return it mends."""
    if not by.may(permissions.REWORK_VIEW):
        return None
    cases = [case for case in cases_at(order.visit, by) if case.order_id == order.pk or case.line.order_id == order.pk]
    return {"cases": cases} if cases else None


COVERED = "delivery/panels/covered.html"
register_panel("visit", Panel("delivery.covered", COVERED, visit_covered, order=15))
register_panel("vehicle", Panel("delivery.covered", COVERED, vehicle_covered, order=7))
register_panel("booking", Panel("delivery.covered", COVERED, vehicle_covered, order=5))
register_panel("appointment", Panel("delivery.covered", COVERED, appointment_covered, order=15))
register_panel("order", Panel("delivery.returns", "delivery/panels/order_returns.html", order_returns, order=5))


def core_panel(by: Actor, core: CoreCharge) -> dict[str, Any] | None:
    """What of a core charge is to be given back in money, for whoever may."""
    if core.part_line_id is None or not core.credited or not by.may(permissions.PAYMENTS_REFUND):
        return None
    left = owed_back([core])[core.pk]
    return {"left": left, "href": reverse("core-payout", args=[core.uid])} if left else None


register_panel("core", Panel("delivery.core", "delivery/panels/core.html", core_panel, order=10))


# --- cost and margin of an order ---
def order_margin(by: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.2: what the order brings and costs, for those who may see costs; nothing before something is agreed."""
    if not by.may(permissions.COSTS_VIEW):
        return None
    margin = margin_of(order)
    return {"margin": margin} if margin.revenue or margin.outside or margin.parts else None


register_panel("order_side", Panel("delivery.margin", "delivery/panels/margin.html", order_margin, order=15))
