"""The numbers of chapter 8 (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# --- archive ---
RETAIN_ORDER_YEARS = limit(
    "compliance.retain_order_years", 6, "y", _("Years a repair file is kept"), clause="8.4", source="L1 art.17"
)
