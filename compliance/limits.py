"""The numbers of chapter 8 (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# --- archive ---
RETAIN_ORDER_YEARS = limit(
    "compliance.retain_order_years", 6, "y", _("Years a repair file is kept"), clause="8.4", source="L1 art.17"
)

# --- health records ---
HEALTH_TRIES = limit(
    "compliance.health_tries", 12, "", _("Tries after which a health record that won't go is left to a person"),
    clause="3.3", source="design",
)  # fmt: skip
HEALTH_LATE_HOURS = limit(
    "compliance.health_late_hours", 24, "h", _("Hours after the settlement from which a health record counts as late"),
    clause="3.3", source="W8",
)  # fmt: skip
