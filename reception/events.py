"""What happens in chapter 2: code, words, clause, stage, what follows and in how many minutes."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel import stages
from dealership.kernel.registry import event

# --- customers and vehicles (2.3) ---
CUSTOMER_REGISTERED = event("reception.customer.registered", _("Customer registered"), clause="2.3")
CUSTOMER_CORRECTED = event("reception.customer.corrected", _("Customer corrected"), clause="2.3")
CUSTOMER_UNMASKED = event("reception.customer.unmasked", _("Telephone number looked at"), clause="7.3")
CONTACT_NAMED = event("reception.customer.contact_named", _("Contact person named"), clause="1.2")
CONTACT_ADDED = event("reception.customer_contact.added", _("Person written down for a customer"), clause="2.3")
CONTACT_CORRECTED = event("reception.customer_contact.corrected", _("Person of a customer corrected"), clause="2.3")
CONTACT_ENDED = event("reception.customer_contact.ended", _("Person taken off a customer"), clause="2.3")
TAG_DEFINED = event("reception.customer_tag.defined", _("Customer tag defined"), clause="2.3")
TAG_CHANGED = event("reception.customer_tag.changed", _("Customer tag changed"), clause="2.3")
TAG_ENDED = event("reception.customer_tag.ended", _("Customer tag no longer used"), clause="2.3")
CUSTOMER_TAGGED = event("reception.customer_tagging.put", _("Tag put on a customer"), clause="2.3")
CUSTOMER_UNTAGGED = event("reception.customer_tagging.ended", _("Tag taken off a customer"), clause="2.3")
CUSTOMER_MERGED = event("reception.customer.merged", _("Two customers merged"), clause="2.3")
MERGE_UNDONE = event("reception.customer.merge_undone", _("Merge of two customers undone"), clause="2.3")
CUSTOMERS_KEPT_APART = event("reception.customer.kept_apart", _("Similar customers kept apart"), clause="2.3")
CONSENT_GIVEN = event("reception.customer.consent_given", _("Consent given"), clause="2.3")
CONSENT_REFUSED = event("reception.customer.consent_refused", _("Consent refused"), clause="2.3")
CONSENT_WITHDRAWN = event("reception.customer.consent_withdrawn", _("Consent withdrawn"), clause="2.3")
VEHICLE_REGISTERED = event("reception.vehicle.registered", _("Vehicle registered"), clause="2.3")
VEHICLE_CORRECTED = event("reception.vehicle.corrected", _("Vehicle corrected"), clause="2.3")
OWNER_CHANGED = event("reception.vehicle.owner_changed", _("Owner changed"), clause="2.3")
CUSTOMER_REMOVED = event("reception.customer.removed", _("Customer removed with the undone import"), clause="7.2")
VEHICLE_REMOVED = event("reception.vehicle.removed", _("Vehicle removed with the undone import"), clause="7.2")
OWNER_REMOVED = event("reception.vehicle.owner_removed", _("Owner removed with the undone import"), clause="7.2")
ODOMETER_READ = event("reception.vehicle.odometer_read", _("Mileage read"), clause="2.3")
USE_NOTED = event("reception.vehicle.use_noted", _("Use of the car noted"), clause="3.1")

# --- visits ---
VISIT_ARRIVED = event(
    "reception.visit.arrived",
    _("Arrived"),
    clause="2.1.2",
    stage=stages.ARRIVAL,
    norm=("reception.visit.greeted", "reception.visit.left_unserved"),
    within=5,
)
VISIT_GREETED = event(
    "reception.visit.greeted",
    _("Customer received"),
    clause="2.1.2",
    stage=stages.RECEPTION,
    norm=("reception.walkaround.signed", "reception.visit.consulted"),
    within=20,
)
VISIT_LEFT_UNSERVED = event(
    "reception.visit.left_unserved", _("Left without reception"), clause="2.1.2", stage=stages.ARRIVAL
)
VISIT_CONSULTED = event("reception.visit.consulted", _("Consultation ended"), clause="2.1.2", stage=stages.RECEPTION)
VISIT_LED = event("reception.visit.led", _("Led to an area"), clause="2.1.2", stage=stages.RECEPTION)
VISIT_KEY_GIVEN = event("reception.visit.key_given", _("Key or place changed"), clause="2.1.2")
VISIT_PROMISED = event("reception.visit.promised", _("Hand-over time promised"), clause="1.3")
VISIT_ADMITTED = event("reception.visit.admitted", _("Taken into the shop"), clause="2.1.2", stage=stages.RECEPTION)
VISIT_DEPARTED = event("reception.visit.departed", _("Left the shop"), clause="4.1", stage=stages.DELIVERY)
VISIT_WENT_AWAY = event(
    "reception.visit.went_away", _("Car away until its part comes"), clause="3.2", stage=stages.WORK
)
VISIT_CAME_BACK = event("reception.visit.came_back", _("Car back for its part"), clause="3.2", stage=stages.WORK)
VISIT_HANDED_OVER = event("reception.visit.handed_over", _("Passed to a colleague"), clause="1.2")
VISIT_RATED = event("reception.visit.rated", _("Reception rated by the customer"), clause="2.1.4")
VISIT_RATING_EXPLAINED = event(
    "reception.visit.rating_explained", _("Customer said why the reception was rated so"), clause="2.1.4"
)
VISIT_PHOTO_ADDED = event("reception.visit.photo_added", _("Photo added"), clause="2.1.2")
FEEDBACK_NOTED = event("reception.visit.feedback_noted", _("Feedback written down"), clause="2.1.4")
LINK_SENT = event("reception.visit.link_sent", _("Link sent to the customer"), clause="1.3")
LINK_OPENED = event("reception.visit.link_opened", _("Link opened by the customer"), clause="1.3")

# --- walk-arounds ---
WALKAROUND_SAVED = event(
    "reception.walkaround.saved", _("Walk-around written down"), clause="2.1.2", stage=stages.RECEPTION, folds=True
)
WALKAROUND_SIGNED = event(
    "reception.walkaround.signed",
    _("Walk-around signed"),
    clause="2.1.2",
    stage=stages.RECEPTION,
    norm=("workshop.repair_order.opened",),
    within=15,
)
WALKAROUND_SENT = event(
    "reception.walkaround.sent",
    _("Walk-around put on the customer's link"),
    clause="2.1.2",
    stage=stages.RECEPTION,
    norm=("reception.walkaround.signed", "reception.walkaround.disputed", "workshop.repair_order.opened"),
)
WALKAROUND_DISPUTED = event(
    "reception.walkaround.disputed",
    _("Customer sees the car's state otherwise"),
    clause="2.1.2",
    stage=stages.RECEPTION,
    norm=("reception.walkaround.sent", "reception.walkaround.signed"),
)
WALKAROUND_TAKEN_BACK = event(
    "reception.walkaround.taken_back", _("Walk-around taken back from the link"), clause="2.1.2"
)
DAMAGE_ADDED = event("reception.walkaround.damage_added", _("Damage marked"), clause="2.1.2", stage=stages.RECEPTION)
DAMAGE_REMOVED = event(
    "reception.walkaround.damage_removed", _("Damage mark removed"), clause="2.1.2", stage=stages.RECEPTION
)

# --- fetching and bringing back (2.1.2) ---
TRANSPORT_PLANNED = event(
    "reception.transport.planned",
    _("Fetching or bringing back planned"),
    clause="2.1.2",
    norm=("reception.transport.set_out", "reception.transport.called_off"),
)
TRANSPORT_SET_OUT = event("reception.transport.set_out", _("Driver set out"), clause="2.1.2")
TRANSPORT_TAKEN_OVER = event(
    "reception.transport.taken_over", _("Car taken over at the customer's door"), clause="2.1.2", stage=stages.ARRIVAL
)
TRANSPORT_ARRIVED = event("reception.transport.arrived", _("Driver arrived with the car"), clause="2.1.2")
TRANSPORT_CAME_BACK = event("reception.transport.came_back", _("Car could not be brought back"), clause="2.1.2")
TRANSPORT_MOVED = event("reception.transport.moved", _("Pick-up moved along with its booking"), clause="2.1.2")
TRANSPORT_CALLED_OFF = event(
    "reception.transport.called_off", _("Fetching or bringing back called off"), clause="2.1.2"
)

# --- keys and places ---
SCRIPT_SAVED = event("reception.script.saved", _("Standard phrase written"), clause="2.1.3")
RECEPTION_OBSERVED = event("reception.observation.observed", _("Reception watched on the floor"), clause="2.1.3")
CHECKLIST_WRITTEN = event("reception.checklist.written", _("Opening checklist written"), clause="2.1.1")
LOAN_GIVEN = event(
    "reception.loan_trip.given",
    _("Loan car given"),
    clause="2.1.2",
    norm=("reception.loan_trip.taken_back", "reception.loan_trip.kept_longer"),
)
LOAN_KEPT_LONGER = event("reception.loan_trip.kept_longer", _("Loan car stays longer with the customer"), clause="2.4")
LOAN_TAKEN_BACK = event("reception.loan_trip.taken_back", _("Loan car taken back"), clause="2.1.2")
CHECKLIST_ENDED = event("reception.checklist.ended", _("Opening checklist ended"), clause="2.1.1")
OPENING_CHECKED = event("reception.opening_check.checked", _("Area checked before opening"), clause="2.1.1")
POINT_RIGHTED = event("reception.opening_check.righted", _("Open point put right"), clause="2.1.1")
EVENING_COUNTED = event("reception.evening_count.counted", _("Cars and keys counted"), clause="2.1.2")

# --- appointments (2.4) ---
APPOINTMENT_BOOKED = event(
    "reception.appointment.booked",
    _("Booked"),
    clause="2.4",
    stage=stages.BOOKING,
    norm=("reception.appointment.confirmed", "reception.appointment.prepared", "reception.visit.arrived"),
)
APPOINTMENT_CONFIRMED = event(
    "reception.appointment.confirmed", _("Booking confirmed"), clause="2.4", stage=stages.BOOKING
)
APPOINTMENT_MOVED = event("reception.appointment.moved", _("Booking moved"), clause="2.4", stage=stages.BOOKING)
APPOINTMENT_LOAN_EXTENDED = event(
    "reception.appointment.loan_extended", _("Loan car kept longer"), clause="2.4", stage=stages.BOOKING
)
APPOINTMENT_CANCELLED = event(
    "reception.appointment.cancelled", _("Booking cancelled"), clause="2.4", stage=stages.BOOKING
)
APPOINTMENT_PARTS_CONFIRMED = event(
    "reception.appointment.parts_confirmed", _("Parts confirmed for a booking"), clause="2.4", stage=stages.BOOKING
)
APPOINTMENT_WORKSHOP_CONFIRMED = event(
    "reception.appointment.workshop_confirmed",
    _("Bay and technician confirmed for a booking"),
    clause="2.4",
    stage=stages.BOOKING,
)
APPOINTMENT_PREPARED = event(
    "reception.appointment.prepared", _("Booking prepared"), clause="2.4", stage=stages.BOOKING
)
APPOINTMENT_NOT_SHOWN = event(
    "reception.appointment.not_shown", _("Booked, but did not come"), clause="2.4", stage=stages.BOOKING
)
APPOINTMENT_REMINDED = event(
    "reception.appointment.reminded", _("Customer reminded of a booking"), clause="2.4", stage=stages.BOOKING
)
APPOINTMENT_KEPT = event("reception.appointment.kept", _("Booked customer came"), clause="2.4", stage=stages.ARRIVAL)
APPOINTMENT_HANDED_OVER = event(
    "reception.appointment.handed_over", _("Booking given to another advisor"), clause="2.4", stage=stages.BOOKING
)

APPOINTMENT_UNPREPARED = event(
    "reception.appointment.unprepared",
    _("A part for a booking isn't there: to be planned anew"),
    clause="2.4",
    stage=stages.BOOKING,
    norm=("reception.appointment.moved", "reception.appointment.cancelled"),
)
APPOINTMENT_ASKED = event(
    "reception.appointment.asked", _("Parts and workshop asked at once about a late booking"), clause="2.4"
)

# --- calendars (2.4) ---
CALENDAR_ISSUED = event("reception.calendar_feed.issued", _("Calendar address made"), clause="2.4")
CALENDAR_STOPPED = event("reception.calendar_feed.stopped", _("Calendar address stopped"), clause="2.4")

# --- the waiting list (2.4) ---
WAITING_JOINED = event(
    "reception.waiting_entry.joined",
    _("Put on the waiting list"),
    clause="2.4",
    stage=stages.BOOKING,
    norm=("reception.slot_offer.sent", "reception.waiting_entry.ended"),
)
WAITING_BOOKED = event(
    "reception.waiting_entry.booked", _("Booked from the waiting list"), clause="2.4", stage=stages.BOOKING
)
WAITING_ENDED = event(
    "reception.waiting_entry.ended", _("Taken off the waiting list"), clause="2.4", stage=stages.BOOKING
)
OFFER_SENT = event("reception.slot_offer.sent", _("Freed time offered"), clause="2.4", stage=stages.BOOKING)
OFFER_ENDED = event("reception.slot_offer.ended", _("Offer of a time ended"), clause="2.4", stage=stages.BOOKING)

# --- consultations (2.2) ---
CONSULTATION_ASKED = event(
    "reception.consultation.asked",
    _("Question came in"),
    clause="2.2.1",
    norm=("reception.consultation.answered", "reception.consultation.ended"),
)
CONSULTATION_WRITTEN = event("reception.consultation.written", _("Customer wrote again"), clause="2.2.1")
CONSULTATION_ANSWERED = event("reception.consultation.answered", _("Question answered"), clause="2.2.1")
CONSULTATION_NOTED = event("reception.consultation.noted", _("Note for colleagues"), clause="2.2.1")
CONSULTATION_ASSIGNED = event(
    "reception.consultation.assigned", _("Question given to somebody to look after"), clause="2.2.1"
)
CONSULTATION_SNOOZED = event("reception.consultation.snoozed", _("Question put off"), clause="2.2.1")
CONSULTATION_ESCALATED = event("reception.consultation.escalated", _("Limit of a question escalated"), clause="2.2.1")
CONSULTATION_ENDED = event("reception.consultation.ended", _("Question ended"), clause="2.2.1")
LEAD_HANDED = event("reception.sales_lead.handed", _("Lead handed to sales"), clause="2.2.2")
TEMPLATE_SAVED = event("reception.answer_template.saved", _("Answer template saved"), clause="2.2.2")

QUOTATION_GIVEN = event("reception.quotation.given", _("Price quoted"), clause="2.2.2")

# --- knowledge (2.2.2) ---
ARTICLE_WRITTEN = event("reception.knowledge_article.written", _("Article written"), clause="2.2.2")
ARTICLE_REVISED = event("reception.knowledge_article.revised", _("New version of an article"), clause="2.2.2")
ARTICLE_REVIEWED = event("reception.knowledge_article.reviewed", _("Article looked at again"), clause="2.2.2")
ARTICLE_GIVEN = event("reception.knowledge_article.given", _("Article given to somebody else"), clause="2.2.2")
ARTICLE_WITHDRAWN = event("reception.knowledge_article.withdrawn", _("Article withdrawn"), clause="2.2.2")
