"""Numbers of chapter 3 as dated settings (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# --- repair orders and authorisations ---
ESTIMATE_HOURS = limit(
    "workshop.estimate_valid_hours", 72, "h", _("An estimate can be decided on for"), clause="3.2", source="design"
)
DISCOUNT_SMALL_PERCENT = limit(
    "workshop.discount_small_percent",
    5,
    "%",
    _("Discount on labour a service advisor may give"),
    clause="3.2",
    source="design",
)
DISCOUNT_LARGE_PERCENT = limit(
    "workshop.discount_large_percent",
    20,
    "%",
    _("Discount on labour the service manager may give"),
    clause="3.2",
    source="design",
)
OVERRUN_PERCENT = limit(
    "workshop.overrun_percent",
    0,
    "%",
    _("How far the bill may pass what the customer agreed to"),
    clause="3.2",
    source="domain 1.3",
)

# --- parts and stock ---
PARTS_LEAD_DAYS = limit(
    "workshop.parts_lead_days", 3, "d", _("Days until a missing part is expected"), clause="3.2", source="design"
)
