"""Numbers of chapter 4 as dated settings (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# settlement, payment, hand-over and gate
GUARANTEE = limit(
    "delivery.guarantee",
    {
        "WHOLE_VEHICLE": {"km": 20000, "days": 100},
        "ASSEMBLY": {"km": 20000, "days": 100},
        "SECOND_MAINTENANCE": {"km": 5000, "days": 30},
        "FIRST_MAINTENANCE": {"km": 2000, "days": 10},
        "MINOR": {"km": 2000, "days": 10},
        "SPECIAL": {"km": 2000, "days": 10},
    },
    "km, d",
    _("Guarantee of the work by repair category, from the day of the hand-over"),
    clause="4.1",
    source="W1,W2,W4 art.37",
)
VAT_RATE = limit("delivery.vat_rate", 0.13, "", _("VAT rate shown on settlement lists"), clause="4.1", source="L11")
GATE_PASS_HOURS = limit(
    "delivery.gate_pass_hours", 12, "h", _("How long a gate pass may be used"), clause="4.1", source="design"
)
