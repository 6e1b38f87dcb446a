"""What chapter 3 adds to the pages of the rooms below: the visit's page, the customer's link, the Today board."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.panels import Panel, register_panel
from reception.models import OPEN_VISITS, Appointment, Customer, Vehicle, Visit, VisitState
from reception.permissions import APPOINTMENTS_BOOK
from reception.selectors.today import LANE_SOURCES
from reception.services.online import booking_path
from staff.models import Employee
from staff.permissions import EMPLOYEES_MANAGE
from workshop import permissions
from workshop.models import DeclineCause, RepairOrder
from workshop.rules import total_of
from workshop.selectors import (
    accidents,
    advice,
    away,
    calls,
    campaigns,
    claims,
    contracts,
    day_six,
    faults,
    maintenance,
    old_parts,
    packages,
    part_consents,
    sheets,
    standing,
    sublets,
    tellings,
    warranty_claims,
    wishes,
)
from workshop.selectors import orders as reads
from workshop.selectors.accidents import differences_to_bear
from workshop.selectors.changes import changeable
from workshop.selectors.declined import declined_advice
from workshop.selectors.inspections import certificates_of_visit
from workshop.selectors.kiosk import badge_of, badges
from workshop.selectors.lanes import place_work
from workshop.selectors.quoted import quoted_orders
from workshop.selectors.tools import count_tools_due
from workshop.selectors.trials import trials_out
from workshop.selectors.work import inspection_panel, work_panel
from workshop.services.authorizations import note_estimate_viewed
from workshop.wish_models import WishState

# --- repair orders ---


def visit_orders(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """The visit's orders and the way to a new one."""
    if not actor.may(permissions.ORDERS_VIEW):
        return None
    rows = reads.orders_of_visit(visit, actor)
    may_open = actor.may(permissions.ORDERS_OPEN) and _can_open(visit)
    return {"orders": rows, "may_open": may_open} if rows or may_open else None


def open_order_button(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    if not (actor.may(permissions.ORDERS_OPEN) and _can_open(visit)):
        return None
    return {"first": not visit.orders.exists()}


def _can_open(visit: Visit) -> bool:
    return visit.state == VisitState.IN_SHOP or (visit.state == VisitState.IN_RECEPTION and visit.is_seen)


def link_questions(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """What awaits the customer's decision, and what was decided. The first look at an estimate is written down."""
    found = reads.asked_of(visit.pk, actor)
    decided = reads.decided_for_customer(visit.pk, actor)
    if not found and not decided:
        return None
    if actor.kind == ActorKind.LINK:
        for asked in found:
            if asked.estimate.first_viewed_at is None:
                note_estimate_viewed(estimate_uid=asked.estimate.uid, by=actor)
    own_share = reads.own_shares(decided)
    return {
        "questions": [(asked, reads.chosen_sum(asked, set())) for asked in found],
        "decided": [row for row in decided if not row.free],
        "free": [row for row in decided if row.free and row.lives],
        "own_share": own_share,
        "changeable": changeable([row.line for row in decided]) if visit.is_open else set(),
        "agreed": total_of([own_share, *(row.total for row in decided if row.counts)]),
        "in_foot": sum(not asked.expired for asked in found) == 1,
        "visit": visit,
        "chosen": {},
        "why": {"reason": {}, "cause": {}},
        "causes": DeclineCause.choices,
        "form_token": uuid4(),
        "risk_words": reads.risk_words(),
    }


def link_differences(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """3.2: what an insurer has left open, for the customer to bear or not."""
    rows = differences_to_bear(visit.pk, actor) if visit.is_open else []
    return {"rows": rows, "visit": visit} if rows else None


def link_part_consents(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """3.3: agreed items whose parts aren't new and wait for the customer's signature."""
    rows = part_consents.consents_to_sign(visit)
    return {"rows": rows, "visit": visit} if rows else None


def link_foot(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """The one button under the thumb, where exactly one order asks."""
    found = [asked for asked in reads.asked_of(visit.pk, actor) if not asked.expired]
    return {"asked": found[0], "sum": reads.chosen_sum(found[0], set())} if len(found) == 1 else None


def link_certificates(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """The completion certificates of the visit, as papers to keep (domain 3.2)."""
    made = certificates_of_visit(visit.pk, actor)
    return {"certificates": made, "visit": visit} if made else None


register_panel("visit_link", Panel("certificates", "workshop/link_certificates.html", link_certificates, order=30))
register_panel("visit", Panel("orders", "workshop/visit_orders.html", visit_orders, order=10))
register_panel("visit_actions", Panel("open_order", "workshop/visit_action.html", open_order_button, order=10))
register_panel("visit_link", Panel("questions", "workshop/link_questions.html", link_questions, order=10))
register_panel("visit_link", Panel("differences", "workshop/link_differences.html", link_differences, order=11))
register_panel("visit_link", Panel("part_consents", "workshop/link_part_consents.html", link_part_consents, order=12))
register_panel("visit_link_foot", Panel("decide", "workshop/link_foot.html", link_foot, order=10))
LANE_SOURCES.append(reads.place_visits)


# --- the customer's page (2.3) ---
def customer_declined(actor: Actor, customer: Customer) -> dict[str, Any] | None:
    """3.1: advice this customer said no to and that was not done since, to be offered again."""
    if not actor.may(permissions.ORDERS_VIEW):
        return None
    rows = declined_advice(customer, actor)
    return {"rows": rows, "total": total_of(row.value for row in rows)} if rows else None


register_panel("customer", Panel("workshop.declined", "workshop/customer_declined.html", customer_declined, order=10))

# --- dispatch, clocking, inspections ---
register_panel("order", Panel("workshop.work", "workshop/work_panel.html", work_panel, order=40))
register_panel("order", Panel("workshop.inspections", "workshop/inspection_panel.html", inspection_panel, order=50))
LANE_SOURCES.append(place_work)
register_panel("quotation", Panel("workshop.quoted", "workshop/quoted_orders.html", quoted_orders, order=10))


# --- maintenance ---
def order_maintenance(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.1: what the car is due for, each with why, to be added in one tap."""
    if order.settled_at or order.withdrawn_at or order.closed_at:
        return None
    found = maintenance.due_list(order.vehicle, store_id=order.store_id)
    if found is None:
        return None
    open_wishes = _open_wishes(order.visit) if order.kind == "CUSTOMER" else []  # these are offered as wishes
    wished = {row.wish.operation_id for row in open_wishes}
    rows = maintenance.not_on([order], found.proposed, wished)
    unknown = maintenance.not_on([order], found.unknown, wished)
    if not rows and not unknown:
        return None
    return {
        "found": found,
        "rows": rows,
        "unknown": unknown,
        "may_add": actor.may(permissions.LINES_EDIT),
        "form_token": uuid4(),
    }


def vehicle_maintenance(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """3.1: the whole due list on the car's page."""
    if not actor.may(permissions.ORDERS_VIEW):
        return None
    found = maintenance.due_list(vehicle, store_id=actor.store_id)
    return {"found": found} if found and found.rows else None


def booking_maintenance(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """3.1: what to offer while the car is booked; a tap takes it among the operations."""
    found = maintenance.due_list(vehicle, store_id=actor.store_id)
    return {"found": found} if found and (found.proposed or found.unknown) else None


def link_maintenance(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """3.1: what this car is due for, in plain words with why and price, as long as it is in the shop; what is ticked is
    sent to the advisor, and what became of it stands there."""
    wished = wishes.wishes_of_visit(visit)
    rows = _due_on_link(visit, {row.wish.operation_id for row in wished})
    if not rows and not wished:
        return None
    send = reverse("visit-link-wishes", args=[visit.link.token]) if rows else ""
    return {"rows": rows, "wished": wished, "send": send, "says_why": True, "form_token": uuid4()}


def _due_on_link(visit: Visit, wished: set[int]) -> list[maintenance.DueRow]:
    if not visit.is_open or visit.state == VisitState.WAITING:
        return []
    found = maintenance.due_list(visit.vehicle, store_id=visit.store_id)
    if found is None:
        return []
    return maintenance.not_on(visit.orders.all(), found.proposed, wished)


def booking_wishes(_actor: Any, booked: Appointment) -> dict[str, Any] | None:
    """3.1: the same on the page of a booking before the visit; the car's history isn't told there."""
    wished = wishes.wishes_of_booking(booked)
    rows: list[maintenance.DueRow] = []
    if maintenance.shown_on_booking(booked):
        found = maintenance.due_list(booked.vehicle, store_id=booked.store_id)
        there = {item.operation_id for item in booked.items.all() if item.operation_id}
        there |= {row.wish.operation_id for row in wished}
        rows = maintenance.not_there(found.proposed, there) if found else []
    if not rows and not wished:
        return None
    send = booking_path(booked, "online-wishes") if rows else ""
    return {"rows": rows, "wished": wished, "send": send, "says_why": False, "form_token": uuid4()}


def _open_wishes(visit: Visit) -> list[wishes.WishRow]:
    return [row for row in wishes.wishes_of_visit(visit) if row.wish.state == WishState.OPEN]


def order_wishes(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.1: what the customer asked for on the link and nobody has answered, onto the order in one tap."""
    if order.settled_at or order.withdrawn_at or order.closed_at or order.kind != "CUSTOMER":
        return None
    asked = _open_wishes(order.visit)
    may = actor.may(permissions.LINES_EDIT)
    return {"asked": asked, "order": order, "may_add": may, "form_token": uuid4()} if asked else None


def visit_wishes(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """3.1: the same on the visit's page while no order is written."""
    if not actor.may(permissions.ORDERS_VIEW) or not visit.is_open:
        return None
    asked = _open_wishes(visit)
    return {"asked": asked, "may_add": actor.may(permissions.LINES_EDIT)} if asked else None


def appointment_wishes(actor: Actor, booked: Appointment) -> dict[str, Any] | None:
    """3.1: what the customer ticked on the booking's page, so that parts and time can be prepared."""
    if not actor.may(permissions.ORDERS_VIEW) or not booked.is_expected:
        return None
    asked = [row for row in wishes.wishes_of_booking(booked) if row.wish.state == WishState.OPEN]
    return {"asked": asked, "may_add": actor.may(permissions.LINES_EDIT)} if asked else None


def wishes_today(actor: Actor, _board: Any) -> dict[str, Any] | None:
    """3.1: how many wishes wait for an answer, one tap to the first."""
    rows = wishes.open_wishes(actor)
    if not rows:
        return None
    first = rows[0]
    visit: Visit | None = first.visit or getattr(first.appointment, "visit", None)
    if visit is not None:
        open_orders = RepairOrder.objects.filter(visit=visit, closed_at__isnull=True, withdrawn_at__isnull=True)
        order = open_orders.filter(kind="CUSTOMER").first()
        href = reverse("order-detail", args=[order.uid]) if order else reverse("visit-detail", args=[visit.uid])
    else:
        assert first.appointment is not None
        href = reverse("appointment-detail", args=[first.appointment.uid])
    return {"n": len(rows), "href": f"{href}#wishes"}


def order_packages(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.1: what stands on the order at one price, and which package covers what is due."""
    found = maintenance.due_list(order.vehicle, store_id=order.store_id) if packages.any_offered(order) else None
    return packages.packages_panel(actor, order, found)


def _due_packages(
    vehicle: Vehicle, store_id: int, orders: list[RepairOrder], wished: set[int] | None = None
) -> dict[str, Any] | None:
    """What covers something due and of which neither work nor parts stand on ``orders`` or were asked for already."""
    found = maintenance.due_list(vehicle, store_id=store_id)
    there = {key for order in orders for key in maintenance.operations_of(order)} | (wished or set())
    parts = maintenance.parts_of(orders) if orders else set()
    rows = packages.offers_for(vehicle, store_id=store_id, found=found, there=there, parts_there=parts)
    offers = [offer for offer in rows if offer.covers]
    return {"offers": offers} if offers else None


def vehicle_packages(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """3.1: packages that cover something that this car is due for."""
    if not actor.may(permissions.ORDERS_VIEW):
        return None
    here = RepairOrder.objects.filter(vehicle=vehicle, store_id=actor.store_id, visit__state__in=OPEN_VISITS)
    return _due_packages(vehicle, actor.store_id, list(here.filter(withdrawn_at__isnull=True)))


def link_packages(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """3.1: the same for the customer, while the car is in the shop and no package stands on an order of the visit."""
    if not visit.is_open or visit.state == VisitState.WAITING:
        return None
    if packages.OrderPackage.objects.filter(order__visit=visit, dissolved_at__isnull=True).exists():
        return None
    wished = {row.wish.operation_id for row in _open_wishes(visit)}
    return _due_packages(visit.vehicle, visit.store_id, list(visit.orders.filter(withdrawn_at__isnull=True)), wished)


register_panel("order", Panel("workshop.contract", "workshop/contract_panel.html", contracts.contract_panel, order=4))
register_panel(
    "order",
    Panel("workshop.part_consents", "workshop/part_consent_panel.html", part_consents.consent_panel, order=4),
)
register_panel("order", Panel("workshop.packages", "workshop/order_packages.html", order_packages, order=9))
register_panel("vehicle", Panel("workshop.packages", "workshop/vehicle_packages.html", vehicle_packages, order=6))
register_panel("booking", Panel("workshop.packages", "workshop/vehicle_packages.html", vehicle_packages, order=12))
register_panel("visit_link", Panel("workshop.packages", "workshop/vehicle_packages.html", link_packages, order=22))
register_panel("order", Panel("workshop.maintenance", "workshop/order_maintenance.html", order_maintenance, order=10))
register_panel(
    "vehicle", Panel("workshop.maintenance", "workshop/vehicle_maintenance.html", vehicle_maintenance, order=5)
)
register_panel(
    "booking", Panel("workshop.maintenance", "workshop/booking_maintenance.html", booking_maintenance, order=10)
)
register_panel("order", Panel("workshop.wishes", "workshop/wishes.html", order_wishes, order=3))
register_panel("visit", Panel("workshop.wishes", "workshop/wishes.html", visit_wishes, order=9))
register_panel("appointment", Panel("workshop.wishes", "workshop/wishes.html", appointment_wishes, order=9))
register_panel("booking_page", Panel("workshop.wishes", "workshop/link_maintenance.html", booking_wishes, order=10))
register_panel("today_actions", Panel("workshop.wishes", "workshop/wishes_today.html", wishes_today, order=75))
register_panel(
    "visit_link", Panel("workshop.maintenance", "workshop/link_maintenance.html", link_maintenance, order=20)
)

# --- tools ---


def tools_overdue(actor: Actor, _board: Any) -> dict[str, Any] | None:
    """Who keeps or tests tools is told on the Today board what is overdue (3.4)."""
    late = count_tools_due(actor) if actor.may(permissions.TOOLS_VIEW) else 0
    return {"late": late, "mine": not actor.may(permissions.TOOLS_CHECK)} if late else None


register_panel("today_actions", Panel("workshop.tools", "workshop/tools_overdue.html", tools_overdue, order=90))


def trial_parts(actor: Actor, _board: Any) -> dict[str, Any] | None:
    """3.2: the parts keeper is told on the Today board what is lent to be tried, and what is overdue in the evening."""
    rows = trials_out(actor) if actor.may(permissions.PARTS_ISSUE) else []
    return {"out": len(rows), "late": sum(row.late for row in rows)} if rows else None  # type: ignore[attr-defined]


register_panel("today_actions", Panel("workshop.trials", "workshop/trials_today.html", trial_parts, order=91))


def technicians_ask(actor: Actor, _board: Any) -> dict[str, Any] | None:
    """3.2: what technicians call for and nobody has answered, one tap away for keeper, foreman and team leader."""
    n = calls.unanswered(actor)
    if not n:
        return None
    return {"n": n, "href": reverse("parts-board" if actor.may(permissions.PARTS_ISSUE) else "plan")}


register_panel("today_actions", Panel("workshop.calls", "workshop/calls_today.html", technicians_ask, order=70))


def sublets_today(actor: Actor, _board: Any) -> dict[str, Any] | None:
    """3.2: who gives work out sees on the Today board what is at outside firms, and what should be back."""
    out, late = sublets.count_open(actor) if actor.may(permissions.SUBLETS_WORK) else (0, 0)
    return {"out": out, "late": late} if out else None


register_panel("today_actions", Panel("workshop.sublets", "workshop/sublets_today.html", sublets_today, order=92))


def order_sublets(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.2: what outside firms do for the order, and the way to give them agreed work."""
    if not actor.may(permissions.SUBLETS_VIEW):
        return None
    rows = sublets.sublets_of(order, actor)
    ended = bool(order.settled_at or order.withdrawn_at or order.closed_at)
    gives = actor.may(permissions.SUBLETS_WORK) and not ended
    may_give = gives and bool(sublets.lines_to_give(order))
    if not rows and not may_give:
        return None
    return {"rows": rows, "order": order, "may_give": may_give}


register_panel("order", Panel("workshop.sublets", "workshop/order_sublets.html", order_sublets, order=45))


def promises_to_tell(actor: Actor, _board: Any) -> dict[str, Any] | None:
    """3.2: customers who haven't heard of a new promised time; the three that wait longest."""
    if not actor.may(permissions.PROMISE_CHANGE):
        return None
    rows = list(tellings.to_tell(actor)[:3])
    return {"rows": rows} if rows else None


register_panel("today_actions", Panel("workshop.promises", "workshop/promises_today.html", promises_to_tell, order=75))


def parts_came(actor: Actor, _board: Any) -> dict[str, Any] | None:
    """3.2: the part of a car that is away has come: one tap into its booking. The three that wait longest."""
    if not (actor.may(permissions.ORDERS_VIEW) and actor.may(APPOINTMENTS_BOOK)):
        return None
    rows = away.to_book(actor)[:3]
    return {"rows": rows} if rows else None


register_panel("today_actions", Panel("workshop.away", "workshop/away_today.html", parts_came, order=80))
register_panel("order", Panel("workshop.away", "workshop/away_panel.html", away.away_panel, order=5))


# --- declined advice ---
def order_advice(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.1: what was declined before is offered again at the next visit, with its price then and why."""
    if order.settled_at or order.withdrawn_at or order.closed_at:
        return None
    rows = advice.open_of(order.vehicle, store_id=order.store_id)
    return {"rows": rows, "may_add": actor.may(permissions.LINES_EDIT), "order": order} if rows else None


def vehicle_advice(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    if not actor.may(permissions.ORDERS_VIEW):
        return None
    rows = advice.open_of(vehicle, store_id=actor.store_id)
    return {"rows": rows} if rows else None


def link_advice(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """What this customer declined at an earlier visit; another owner's no is nobody else's affair."""
    if not visit.is_open or visit.state == VisitState.WAITING:
        return None
    rows = advice.open_of(visit.vehicle, store_id=visit.store_id, customer_id=visit.customer_id)
    return {"rows": rows} if rows else None


register_panel("order", Panel("workshop.advice", "workshop/advice_panel.html", order_advice, order=11))
register_panel("vehicle", Panel("workshop.advice", "workshop/advice_panel.html", vehicle_advice, order=6))
register_panel("booking", Panel("workshop.advice", "workshop/booking_advice.html", vehicle_advice, order=11))
register_panel("visit_link", Panel("workshop.advice", "workshop/link_advice.html", link_advice, order=21))


# --- check sheets ---
def order_sheets(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.1: what was checked on this car, what was found and offered, and which sheet may be begun."""
    ended = bool(order.settled_at or order.withdrawn_at or order.closed_at)
    found = sheets.sheets_of_order(order)
    may_begin = actor.may(permissions.CHECKS_FILL) and not ended
    begins = sheets.sheets_to_begin(order, clock.today(order.store.time_zone)) if may_begin else []
    if not found and not begins:
        return None
    return {
        "sheets": found,
        "begins": begins,
        "may_begin": may_begin,
        "may_offer": not ended and (actor.may(permissions.LINES_EDIT) or actor.may(permissions.LINES_PROPOSE)),
        "here": reverse("order-detail", args=[order.uid]),
    }


def vehicle_sheets(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """3.1: what the last sheets of this car said."""
    if not actor.may(permissions.ORDERS_VIEW):
        return None
    rows = sheets.last_signed(vehicle, actor)
    return {"sheets": sheets.read_sheets(rows)} if rows else None


def link_sheets(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """3.1: the signed sheets in the customer's words: good, soon, bad, with photos and the prices of what is offered."""
    found = sheets.signed_for_visit(visit)
    return {"sheets": found} if found else None


register_panel("order", Panel("workshop.sheets", "workshop/order_sheets.html", order_sheets, order=12))
register_panel("vehicle", Panel("workshop.sheets", "workshop/vehicle_sheets.html", vehicle_sheets, order=7))
register_panel("visit_link", Panel("workshop.sheets", "workshop/link_sheets.html", link_sheets, order=15))


# --- statutory warranty ---
def vehicle_faults(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """Domain 3.6: what of the car's repairs counts, in all stores, and what comes close."""
    if not actor.may(permissions.FAULTS_VIEW):
        return None
    standing = faults.standing_of(vehicle)
    if not standing.counted:
        return None
    return {
        "standing": standing,
        "rows": faults.rows_of(standing),
        "vehicle": vehicle,
        "may_judge": actor.may(permissions.FAULTS_JUDGE),
        "store_id": actor.store_id,
        "today": clock.today(),
    }


def order_faults(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """The order's lines that count, each with its judgement, and the rule of the sixth day."""
    if not actor.may(permissions.FAULTS_VIEW):
        return None
    standing = faults.standing_of(order.vehicle)
    rows = faults.judged_lines(order, standing)
    loans = [row for row in faults.rows_of(standing) if row.article == "21" and row.subject == order.number]
    if not rows:
        return None
    return {
        "rows": rows,
        "loans": loans,
        "order": order,
        "long": day_six.day_six_of(order) if loans or order.day_six_cares.exists() else None,
        "may_judge": actor.may(permissions.FAULTS_JUDGE),
        "may_give": actor.may(permissions.DAY_SIX_GIVE),
    }


register_panel("vehicle", Panel("workshop.faults", "workshop/vehicle_faults.html", vehicle_faults, order=9))


def vehicle_claims(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """Art. 28: what owners demanded for this car, and the way to enter another demand."""
    views, opens = (actor.may(code) for code in (permissions.FAULTS_VIEW, permissions.CLAIMS_OPEN))
    found = claims.claims_of(vehicle, actor) if views else []
    if not found and not opens:
        return None
    return {"claims": found, "vehicle": vehicle, "may_view": views, "may_open": opens}


register_panel("vehicle", Panel("workshop.claims", "workshop/vehicle_claims.html", vehicle_claims, order=10))
register_panel("order_side", Panel("workshop.faults", "workshop/order_faults.html", order_faults, order=20))


# --- accidents ---
def order_accident(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """The insurer's case with its assessments, and the checks of the body's structure (3.2)."""
    found = accidents.accident_file(order)
    if found.case is None and not found.may_be_case and not found.structural:
        return None
    ended = bool(order.settled_at or order.withdrawn_at or order.closed_at)
    return {
        "file": found,
        "order": order,
        "may_work": actor.may(permissions.ACCIDENTS_WORK) and not ended,
        "may_agree": actor.may(permissions.AUTHORIZATIONS_RECORD) and not ended,
        "may_mark": actor.may(permissions.STRUCTURE_MARK) and not ended,
        "may_check": actor.may(permissions.STRUCTURE_CHECK) and not ended,
    }


register_panel("order", Panel("workshop.accident", "workshop/order_accident.html", order_accident, order=5))


# --- claims to the maker ---
def order_warranty_claims(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """The order's claims to the maker, and the way to one where a warranty line has none (3.2)."""
    if not actor.may(permissions.WARRANTY_CLAIMS_VIEW):
        return None
    rows = warranty_claims.warranty_claims_of(order)
    may_open = actor.may(permissions.WARRANTY_CLAIMS_WORK) and warranty_claims.claimable(order).exists()
    return {"rows": rows, "order": order, "may_open": may_open} if rows or may_open else None


register_panel(
    "order_side",
    Panel("workshop.warranty_claims", "workshop/order_warranty_claims.html", order_warranty_claims, order=25),
)


# --- old parts ---
def order_old_parts(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """What came off the car with this order, and what becomes of it (3.2)."""
    if not actor.may(permissions.OLD_PARTS_VIEW):
        return None
    rows = old_parts.old_parts_of(order)
    return {"rows": rows} if rows else None


register_panel("order_side", Panel("workshop.old_parts", "workshop/order_old_parts.html", order_old_parts, order=30))


# --- recalls and service campaigns ---
def vehicle_campaigns(actor: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """What is open for the car: on its own page and when it is booked."""
    rows = campaigns.open_for(vehicle)
    return {"rows": rows, "may_view": actor.may(permissions.ORDERS_VIEW)} if rows else None


def appointment_campaigns(actor: Actor, appointment: Appointment) -> dict[str, Any] | None:
    return vehicle_campaigns(actor, appointment.vehicle) if appointment.vehicle is not None else None


def visit_campaigns(actor: Actor, visit: Visit) -> dict[str, Any] | None:
    """At the reception and until the hand-over: what is open and what the customer said."""
    if not visit.is_open:
        return None
    rows = campaigns.open_for(visit.vehicle, visit)
    if not rows:
        return None
    return {
        "rows": rows,
        "visit": visit,
        "may_view": actor.may(permissions.ORDERS_VIEW),
        "may_answer": actor.may(permissions.CAMPAIGNS_ANSWER),
    }


def order_campaigns(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """On the order: its line in one tap, or what the customer said."""
    found = visit_campaigns(actor, order.visit)
    if found is None:
        return None
    ended = bool(order.settled_at or order.withdrawn_at or order.closed_at)
    return found | {"order": order, "may_add": actor.may(permissions.LINES_EDIT) and not ended}


def customer_campaigns(actor: Actor, customer: Customer) -> dict[str, Any] | None:
    cars = campaigns.open_for_customer(customer)
    return {"cars": cars, "may_view": actor.may(permissions.ORDERS_VIEW)} if cars else None


register_panel("vehicle", Panel("workshop.campaigns", "workshop/campaigns_open.html", vehicle_campaigns, order=1))
register_panel("arrival", Panel("workshop.campaigns", "workshop/campaigns_open.html", vehicle_campaigns, order=1))
register_panel("booking", Panel("workshop.campaigns", "workshop/campaigns_open.html", vehicle_campaigns, order=1))
register_panel(
    "appointment", Panel("workshop.campaigns", "workshop/campaigns_open.html", appointment_campaigns, order=1)
)
register_panel("visit", Panel("workshop.campaigns", "workshop/campaigns_open.html", visit_campaigns, order=1))
register_panel("order", Panel("workshop.campaigns", "workshop/campaigns_open.html", order_campaigns, order=1))
register_panel(
    "customer", Panel("workshop.standing", "workshop/customer_standing.html", standing.standing_panel, order=9)
)
register_panel("customer", Panel("workshop.campaigns", "workshop/customer_campaigns.html", customer_campaigns, order=1))


# --- the person's page (5.1) ---
def kiosk_badge(actor: Actor, employee: Employee) -> dict[str, Any] | None:
    """3.2: the code that the kiosk scans, for who works on cars."""
    may_manage = actor.may(EMPLOYEES_MANAGE)
    if not may_manage and not actor.may(permissions.PLAN_DISPATCH):
        return None
    if not any(person.pk == employee.pk for person, _code in badges(actor)):
        return None
    return {
        "code": badge_of(employee),
        "own": bool(employee.badge),
        "may_manage": may_manage,
        "may_print": True,
    }


register_panel("person", Panel("workshop.badge", "workshop/person_badge.html", kiosk_badge, order=10))
