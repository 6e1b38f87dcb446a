"""Events of the kernel's own roots."""

from django.utils.translation import gettext_lazy as _

from .registry import event

MESSAGE_QUEUED = event("kernel.message.queued", _("Message put in the queue"), clause="1.3")
MESSAGE_SENT = event("kernel.message.sent", _("Message sent"), clause="1.3")
MESSAGE_FAILED = event("kernel.message.failed", _("Message not sent"), clause="1.3")
SETTING_CHANGED = event("kernel.setting.changed", _("Setting changed"), clause="7.1")
APPROVAL_ASKED = event("kernel.approval.asked", _("Approval asked for"), clause="1.2")
APPROVAL_DECIDED = event("kernel.approval.decided", _("Approval decided"), clause="1.2")
