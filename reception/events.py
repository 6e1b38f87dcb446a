"""What happens in chapter 2: code, words, clause, stage, what follows and in how many minutes."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel import stages
from dealership.kernel.registry import event

# --- visits ---
VISIT_ARRIVED = event(
    "reception.visit.arrived",
    _("Arrived"),
    clause="2.1.2",
    stage=stages.ARRIVAL,
    norm=("reception.visit.greeted", "reception.visit.left_unserved"),
    within=5,
)
