"""Events of the kernel's own roots."""

from django.utils.translation import gettext_lazy as _

from .registry import event

MESSAGE_QUEUED = event("kernel.message.queued", _("Message put in the queue"), clause="1.3")
MESSAGE_READ = event("kernel.message.read", _("Message read"), clause="1.2")
MESSAGE_SENT = event("kernel.message.sent", _("Message sent"), clause="1.3")
MESSAGE_FAILED = event("kernel.message.failed", _("Message not sent"), clause="1.3")
SETTING_CHANGED = event("kernel.setting.changed", _("Setting changed"), clause="7.1")
APPROVAL_ASKED = event("kernel.approval.asked", _("Approval asked for"), clause="1.2")
APPROVAL_DECIDED = event("kernel.approval.decided", _("Approval decided"), clause="1.2")
APPROVAL_WITHDRAWN = event("kernel.approval.withdrawn", _("Request taken back"), clause="1.2")

# stores
STORE_OPENED = event("kernel.store.opened", _("Store opened"), clause="1.2")
STORE_HOURS_SET = event("kernel.store.hours_set", _("Opening hours set"), clause="2.4")
STORE_DAY_DROPPED = event("kernel.store.day_dropped", _("Special day taken off"), clause="2.4")
STORE_DAY_SET = event("kernel.store.day_set", _("Hours of one day set"), clause="2.4")

# API
REFERENCE_ADDED = event("kernel.reference.added", _("Another system's name kept"), clause="7.3")
PERSONAL_DATA_READ = event("kernel.personal_data.read", _("Personal data shown over the API"), clause="7.3")

# The statutory calendar
PUBLIC_DAY_SET = event("kernel.public_day.set", _("Public holiday or make-up day written down"), clause="2.4")
PUBLIC_DAY_DROPPED = event("kernel.public_day.dropped", _("Public holiday or make-up day taken off"), clause="2.4")
