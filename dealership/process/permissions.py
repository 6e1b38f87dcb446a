"""What may be seen of the process, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import ROLE_LABELS, permission, role

MANUAL_VIEW = permission("process.manual.view", _("Read the manual with its screens and figures."))
TIMELINE_VIEW = permission("process.timeline.view", _("See who did what and when."))
for code in list(ROLE_LABELS):
    role(code, permissions={MANUAL_VIEW})
    if code not in ("admin", "hr"):
        role(code, permissions={TIMELINE_VIEW})
