"""The numbers of chapter 2, each with its clause and source (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# --- visits ---
GREET_MINUTES = limit(
    "reception.greet_minutes",
    5,
    "min",
    _("Minutes until an arrived customer is received"),
    clause="2.1.2",
    source="domain 1.3",
)
LINK_DAYS = limit("reception.link_days", 90, "d", _("Days a visit's link stays open"), clause="1.3", source="design")
EVENING_HOUR = limit(
    "reception.evening_hour", 17, "h", _("Hour from which the evening count is due"), clause="2.1.2", source="design"
)
VISIT_PHOTOS = limit("reception.visit_photos", 60, "", _("Photos a visit may carry"), clause="2.1.2", source="design")
