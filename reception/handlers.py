"""What chapter 2 does behind the outbox and where other rooms call in."""

from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.registry import handles

from . import events
from .models import Appointment, Consultation, Visit
from .services import appointments, consultations, waiting


# --- appointments (2.4) ---
@handles(
    events.APPOINTMENT_BOOKED,
    events.APPOINTMENT_CONFIRMED,
    events.APPOINTMENT_MOVED,
    events.APPOINTMENT_CANCELLED,
    name="reception.tell_booking",
)
def tell_booking(event: Event) -> None:
    """The customer gets what is booked, moved or cancelled in writing, once per event."""
    appointment = Appointment.objects.select_related("store", "customer", "vehicle").get(uid=event.root_uid)
    by = machine("bookings", store_id=appointment.store_id)
    appointments.tell_booking(appointment=appointment, key=f"appointment:{appointment.uid}:{event.id}", by=by)


@handles(events.APPOINTMENT_MOVED, events.APPOINTMENT_CANCELLED, name="reception.tell_customers_change")
def tell_customers_change(event: Event) -> None:
    """Desk and advisor read what a customer changed without them."""
    if event.facts.get("by_customer"):
        appointment = Appointment.objects.select_related("store", "vehicle", "advisor__user").get(uid=event.root_uid)
        by = machine("bookings", store_id=appointment.store_id)
        appointments.tell_of_customers_change(
            appointment=appointment, key=f"changed:{appointment.uid}:{event.id}", by=by
        )


@handles(
    events.VISIT_LEFT_UNSERVED, events.VISIT_CONSULTED, events.VISIT_DEPARTED, name="reception.release_booked_plans"
)
def release_booked_plans(event: Event) -> None:
    """A visit that ends gives back what its booking still kept of bays and people."""
    visit = Visit.objects.select_related("appointment").get(uid=event.root_uid)
    if visit.appointment is not None:
        by = machine("bookings", store_id=visit.store_id)
        appointments.release_plans(appointment=visit.appointment, by=by)


@handles(
    events.APPOINTMENT_BOOKED, events.APPOINTMENT_CONFIRMED, events.APPOINTMENT_MOVED, name="reception.ask_at_once"
)
def ask_at_once(event: Event) -> None:
    """Parts and workshop confirm at once what is booked after the preparation list went out."""
    appointment = Appointment.objects.select_related("store", "vehicle").get(uid=event.root_uid)
    by = machine("bookings", store_id=appointment.store_id)
    appointments.ask_at_once(appointment=appointment, key=f"late:{appointment.uid}:{event.id}", by=by)


@handles(events.APPOINTMENT_UNPREPARED, name="reception.ask_to_replan")
def ask_to_replan(event: Event) -> None:
    """Who speaks with the customer reads that the shop can't keep the time."""
    appointment = Appointment.objects.select_related("store", "vehicle", "advisor__user").get(uid=event.root_uid)
    by = machine("bookings", store_id=appointment.store_id)
    appointments.ask_to_replan(appointment=appointment, key=f"replan:{appointment.uid}:{event.id}", by=by)


@handles(
    events.APPOINTMENT_CANCELLED, events.APPOINTMENT_MOVED, events.APPOINTMENT_NOT_SHOWN, name="reception.offer_freed"
)
def offer_freed(event: Event) -> None:
    """What a booking gave back is offered to the waiting list at once (2.4)."""
    appointment = Appointment.objects.select_related("store").get(uid=event.root_uid)
    waiting.offer_times(store=appointment.store)


# --- consultations (2.2) ---
@handles(events.CONSULTATION_ESCALATED, name="reception.tell_escalation")
def tell_escalation(event: Event) -> None:
    """Whoever looks after a question, and in the end the manager, reads that its limit is near or has passed."""
    consultation = Consultation.objects.select_related("store", "assignee__user").get(uid=event.root_uid)
    consultations.tell_escalation(
        consultation=consultation,
        kind=event.facts["clock"],
        step=event.facts["step"],
        key=f"consultation:{consultation.uid}:{event.id}",
        by=machine("consultations", store_id=consultation.store_id),
    )
