"""What happens in chapter 6: code, words, clause, stage, what follows and in how many minutes."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel import stages
from dealership.kernel.registry import event

# --- complaints ---
COMPLAINT_OPENED = event(
    "quality.complaint.opened", _("Complaint taken in"), clause="6.4", stage=stages.FOLLOW_UP,
    norm=("quality.complaint.responded",), within=1440,
)  # fmt: skip
COMPLAINT_EXPLAINED = event("quality.complaint.explained", _("Customer's words added to the complaint"), clause="6.4")
COMPLAINT_RESPONDED = event(
    "quality.complaint.responded", _("Complaint answered"), clause="6.4", stage=stages.FOLLOW_UP
)
COMPLAINT_REVIEWED = event(
    "quality.complaint.reviewed", _("Complaint looked into"), clause="6.4", stage=stages.FOLLOW_UP
)
COMPLAINT_RESOLVED = event("quality.complaint.resolved", _("Complaint solved"), clause="6.4", stage=stages.FOLLOW_UP)
COMPLAINT_CLOSED = event("quality.complaint.closed", _("Complaint closed"), clause="6.4", stage=stages.FOLLOW_UP)
COMPLAINT_HANDED_OVER = event("quality.complaint.handed_over", _("Complaint passed to a colleague"), clause="1.2")
COMPLAINT_REOPENED = event(
    "quality.complaint.reopened", _("Complaint opened again"), clause="6.4", stage=stages.FOLLOW_UP
)
