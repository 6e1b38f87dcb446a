"""What happens in chapter 2: code, words, clause, stage, what follows and in how many minutes."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel import stages
from dealership.kernel.registry import event

# --- customers and vehicles (2.3) ---
CUSTOMER_REGISTERED = event("reception.customer.registered", _("Customer registered"), clause="2.3")
CUSTOMER_CORRECTED = event("reception.customer.corrected", _("Customer corrected"), clause="2.3")
CUSTOMER_UNMASKED = event("reception.customer.unmasked", _("Telephone number looked at"), clause="7.3")
CONSENT_GIVEN = event("reception.customer.consent_given", _("Consent given"), clause="2.3")
CONSENT_WITHDRAWN = event("reception.customer.consent_withdrawn", _("Consent withdrawn"), clause="2.3")
VEHICLE_REGISTERED = event("reception.vehicle.registered", _("Vehicle registered"), clause="2.3")
VEHICLE_CORRECTED = event("reception.vehicle.corrected", _("Vehicle corrected"), clause="2.3")
OWNER_CHANGED = event("reception.vehicle.owner_changed", _("Owner changed"), clause="2.3")
ODOMETER_READ = event("reception.vehicle.odometer_read", _("Mileage read"), clause="2.3")

# --- visits ---
VISIT_ARRIVED = event(
    "reception.visit.arrived",
    _("Arrived"),
    clause="2.1.2",
    stage=stages.ARRIVAL,
    norm=("reception.visit.greeted", "reception.visit.left_unserved"),
    within=5,
)
