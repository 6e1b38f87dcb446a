"""The numbers of chapter 6 (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# --- complaints ---
RESPONSE_HOURS = limit(
    "quality.complaint_response_hours",
    {"ORDINARY": 24, "ESCALATED": 8, "IMPORTANT": 4, "URGENT": 4},
    "h",
    _("Hours within which a complaint is answered, by level"),
    clause="6.4",
    source="P12",
)
