"""What may be done in chapter 6, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# --- complaints ---
COMPLAINTS_VIEW = permission("quality.complaints.view", _("See complaints and their clocks."))
COMPLAINTS_OPEN = permission("quality.complaints.open", _("Take in a complaint."))
COMPLAINTS_HANDLE = permission("quality.complaints.handle", _("Answer, look into and solve complaints."))
COMPLAINTS_CLOSE = permission("quality.complaints.close", _("Close or reopen a complaint that a colleague handled."))
for code in ("receptionist", "advisor"):
    role(code, permissions={COMPLAINTS_OPEN})
role("care", permissions={COMPLAINTS_VIEW, COMPLAINTS_OPEN, COMPLAINTS_HANDLE, COMPLAINTS_CLOSE})
role("supervisor", permissions={COMPLAINTS_VIEW, COMPLAINTS_OPEN, COMPLAINTS_HANDLE, COMPLAINTS_CLOSE})
role("manager", permissions={COMPLAINTS_VIEW, COMPLAINTS_OPEN, COMPLAINTS_HANDLE, COMPLAINTS_CLOSE})
role("gm", permissions={COMPLAINTS_VIEW, COMPLAINTS_CLOSE})

# --- dashboards ---
DASHBOARD_VIEW = permission("quality.dashboard.view", _("See the store's figures with the rows behind them."))
for code in ("manager", "gm", "supervisor", "accountant"):
    role(code, permissions={DASHBOARD_VIEW})
