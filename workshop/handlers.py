"""What chapter 3 does behind the outbox."""

from functools import partial
from uuid import UUID

from django.db import transaction

from dealership.kernel.actors import machine
from dealership.kernel.events import APPROVAL_DECIDED
from dealership.kernel.history import Event
from dealership.kernel.models import Approval
from dealership.kernel.registry import handles
from workshop import events
from workshop.goodwill_models import GOODWILL
from workshop.payer_models import PAYER
from workshop.services import (
    advice,
    authorizations,
    away,
    day_six,
    differences,
    dispatch,
    findings,
    goodwill,
    lift_gates,
    old_parts,
    payers,
    proposals,
    purchasing,
    stock,
    sublets,
    warranty_claims,
    wishes,
)
from workshop.services.orders import (
    BEFORE_WITHDRAWAL,
    DISCOUNT,
    PART_DISCOUNT,
    give_approved_discount,
    give_approved_part_discount,
)
from workshop.tasks import propose_plan


# --- orders ---
@handles(APPROVAL_DECIDED, name="workshop.give_approved_discount")
def on_discount_decided(event: Event) -> None:
    """An approved discount is given to its line."""
    if event.facts.get("kind") == DISCOUNT:
        give_approved_discount(approval=Approval.objects.get(uid=event.root_uid))


@handles(APPROVAL_DECIDED, name="workshop.give_approved_part_discount")
def on_part_discount_decided(event: Event) -> None:
    """An approved discount is given to its part."""
    if event.facts.get("kind") == PART_DISCOUNT:
        give_approved_part_discount(approval=Approval.objects.get(uid=event.root_uid))


@handles(APPROVAL_DECIDED, name="workshop.give_approved_goodwill")
def on_goodwill_decided(event: Event) -> None:
    """A line goes ahead when its goodwill is approved."""
    if event.facts.get("kind") == GOODWILL:
        goodwill.give_approved_goodwill(approval=Approval.objects.get(uid=event.root_uid))


@handles(APPROVAL_DECIDED, name="workshop.give_payer_yes")
def on_payer_decided(event: Event) -> None:
    """A line above the amount goes ahead when it is approved."""
    if event.facts.get("kind") == PAYER:
        payers.give_payer_yes(approval=Approval.objects.get(uid=event.root_uid))


# --- parts and stock ---
@handles(
    "workshop.stock.received",
    "workshop.stock.counted",
    "workshop.part.freed",
    "workshop.part.returned",
    "workshop.stock.sold_back",
    "workshop.part_trial.returned",
    name="workshop.serve_back_orders",
)
def serve_back_orders(event: Event) -> None:
    """What came onto the shelf or is free there again goes to the lines that wait for it."""
    stock.serve_back_orders(store_id=event.store_id or 0, part_uid=UUID(event.facts["part"]))


@handles(events.PART_GIVEN_AWAY, name="workshop.tell_loser")
def tell_loser(event: Event) -> None:
    """Who loses a kept part reads why (3.2)."""
    stock.tell_loser(move_uid=UUID(event.facts["move"]))


@handles(events.PART_GIVEN_AWAY, name="workshop.plan_without_part")
def plan_without_part(event: Event) -> None:
    """Work that was planned with a part that went to another order is planned anew (3.2)."""
    proposals.plan_without_part(line_uid=UUID(event.facts["line"]), store_id=event.store_id or 0)


@handles(events.PURCHASE_ORDERED, events.PURCHASE_MOVED, events.PURCHASE_ENDED, name="workshop.tell_waiting")
def tell_waiting(event: Event) -> None:
    """Lines that wait for a part of the order learn its day (3.2)."""
    for part in event.facts["parts"]:
        purchasing.tell_waiting(store_id=event.store_id or 0, part_uid=UUID(part))


@handles(
    "workshop.part.reserved",
    "workshop.part.issued",
    "workshop.stock.counted",
    "workshop.stock.sold",
    name="workshop.lose_booked_parts",
)
def lose_booked_parts(event: Event) -> None:
    """A part that a prepared booking counted on went to somebody else: the booking is planned anew (2.4)."""
    if event.facts.get("part"):
        stock.lose_booked_parts(store_id=event.store_id or 0, part_uid=UUID(event.facts["part"]))


@handles("workshop.line.authorized", name="workshop.keep_parts")
def keep_parts(event: Event) -> None:
    """What the customer agreed to is kept on the shelf or back-ordered."""
    stock.keep_for_line(line_uid=event.root_uid, by=machine("parts", store_id=event.store_id))


@handles(events.LINE_REVOKED, name="workshop.tell_taken_back")
def tell_taken_back(event: Event) -> None:
    """Advisor and technicians read that the customer doesn't want it any more (3.2)."""
    authorizations.tell_taken_back(
        line_uid=event.root_uid,
        technicians=event.facts.get("technicians") or [],
        key=f"taken-back:{event.id}",
        by=machine("authorizations", store_id=event.store_id),
    )


@handles(events.DIFFERENCE_DECLINED, name="workshop.tell_difference_declined")
def tell_difference_declined(event: Event) -> None:
    """The advisor reads that the customer doesn't bear what the insurer has left open (3.2)."""
    differences.tell_difference_declined(
        uid=event.root_uid,
        key=f"difference-declined:{event.id}",
        by=machine("differences", store_id=event.store_id),
    )


@handles(events.WISH_MADE, name="workshop.tell_wish")
def tell_wish(event: Event) -> None:
    """The advisor reads what the customer asks for on the link (3.1)."""
    wishes.tell_wish(uid=event.root_uid, key=f"wish:{event.id}", by=machine("wishes", store_id=event.store_id))


@handles(events.LINE_RELEASED, events.LINE_WITHDRAWN, name="workshop.note_part_came")
def note_part_came(event: Event) -> None:
    """What a car waits for away has come: it is to be booked, and its customer reads so (3.2)."""
    away.note_part_came(line_uid=event.root_uid, by=machine("away", store_id=event.store_id))


@handles("reception.loan_trip.taken_back", name="workshop.end_loan_care")
def end_loan_care(event: Event) -> None:
    """A loan car given for a long repair is back: its days end (3.2)."""
    day_six.end_care_of_trip(trip_uid=event.root_uid, by=machine("day six", store_id=event.store_id))


# Before a line is withdrawn or its agreement taken back, what is kept for it goes back to the shelf.
BEFORE_WITHDRAWAL.append(stock.give_back)
# Its plans are freed for other work.
BEFORE_WITHDRAWAL.append(dispatch.give_back_plans)
# What an outside firm was to do is given up; what is there comes back first.
BEFORE_WITHDRAWAL.insert(0, sublets.end_before_withdrawal)


# --- the proposed plan ---
@handles(events.PROPOSAL_ASKED, name="workshop.work_out_proposal")
def work_out_proposal(event: Event) -> None:
    """Hands the proposal to a worker. A lost message does no harm: the schedule looks for proposals that stand still."""
    transaction.on_commit(partial(propose_plan.delay, str(event.root_uid)))


# --- declined advice ---
@handles("reception.visit.departed", name="workshop.keep_advice")
def keep_advice(event: Event) -> None:
    """What the customer declined is kept when the car has left; what was done now ends older advice (3.1)."""
    advice.keep_advice(visit_uid=event.root_uid, by=machine("advice", store_id=event.store_id))


# --- old parts ---
@handles(events.LINE_FINISHED, name="workshop.keep_old_parts")
def keep_old_parts(event: Event) -> None:
    """What came off the car gets its tag when the work is done (3.2)."""
    old_parts.keep_old_parts(line_uid=event.root_uid, by=machine("old parts", store_id=event.store_id))


# --- technicians' calls ---
@handles(events.LINE_FINISHED, events.LINE_WITHDRAWN, events.LINE_REVOKED, name="workshop.end_calls")
def end_calls(event: Event) -> None:
    """What a technician called for is over with the job (3.2)."""
    findings.end_calls(line_uid=event.root_uid, by=machine("calls", store_id=event.store_id))


# --- claims to the maker ---
@handles(events.LINE_FINISHED, name="workshop.date_warranty_claim")
def date_warranty_claim(event: Event) -> None:
    """The end of a warranty repair begins the maker's days for its claim (3.2)."""
    warranty_claims.date_warranty_claim(line_uid=event.root_uid, by=machine("claims", store_id=event.store_id))


# --- lifts ---
@handles(
    events.LIFT_FAILED, events.TOOL_DAMAGED, events.TOOL_STOPPED, events.TOOL_FAILED, name="workshop.tell_lift_unfit"
)
def tell_lift_unfit(event: Event) -> None:
    """The foremen read that a bay's lift is out of use, and what is planned there (3.4)."""
    lift_gates.tell_foremen(
        tool_uid=event.root_uid, key=f"lift-unfit:{event.id}", by=machine("lifts", store_id=event.store_id)
    )
