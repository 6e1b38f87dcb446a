"""What may be done with the kernel's own things, one sentence each (1.2, 7.1)."""

from django.utils.translation import gettext_lazy as _

from .registry import permission, role

SETTINGS_VIEW = permission("kernel.settings.view", _("See the dated settings and where each number comes from."))
SETTINGS_MANAGE = permission("kernel.settings.manage", _("Change a setting from a day on."))
MESSAGES_VIEW = permission("kernel.messages.view", _("See the messages that were sent and why some were not."))
MESSAGES_OWN = permission("kernel.messages.own", _("Read the messages that are sent to oneself."))
HEALTH_VIEW = permission("kernel.health.view", _("See queues, failed events and heartbeats."))
HEALTH_RETRY = permission("kernel.health.retry", _("Let a failed event be tried again."))
APPROVALS_DECIDE = permission(
    "kernel.approvals.decide", _("Decide on what colleagues ask approval for, within the limit of the post.")
)
APPROVALS_VIEW = permission("kernel.approvals.view", _("See one's own requests and what waits for a decision."))
APPROVALS_UNLIMITED = permission("kernel.approvals.unlimited", _("Decide on any amount."))
MESSAGES_RETRY = permission("kernel.messages.retry", _("Let a message that wasn't sent be tried again."))
STORES_MANAGE = permission("kernel.stores.manage", _("Open a store and set its hours and holidays."))
CALENDAR_MANAGE = permission(
    "kernel.calendar.manage", _("Set a store's hours and special days and write public holidays down.")
)
PERSONAL_READ = permission(
    "kernel.personal.read", _("See names, telephones and addresses unmasked over the API; each reading is logged.")
)
EVENTS_READ = permission("kernel.events.read", _("Follow the feed of events over the API."))
REFERENCES_EDIT = permission(
    "kernel.references.edit", _("Keep the names that other systems have for what stands here.")
)
SEARCH = permission("kernel.search.use", _("Use the search box."))

# One role for each post of the demo; the chapters add what their part of the work needs.
for code, label in (
    ("receptionist", _("Receptionist")),
    ("advisor", _("Service advisor")),
    ("foreman", _("Workshop foreman")),
    ("leader", _("Team leader")),
    ("technician", _("Technician")),
    ("inspector", _("Quality inspector")),
    ("techdirector", _("Technical director")),
    ("supervisor", _("Quality supervisor")),
    ("parts", _("Parts keeper")),
    ("warranty", _("Warranty clerk")),
    ("cashier", _("Cashier")),
    ("accountant", _("Accountant")),
    ("care", _("Customer-care agent")),
    ("safety", _("Safety officer")),
    ("hr", _("Trainer and HR")),
    ("manager", _("Service manager")),
    ("gm", _("General manager")),
    ("admin", _("IT administrator")),
):
    role(code, label, {SEARCH, MESSAGES_OWN} if code != "admin" else {MESSAGES_OWN})

role("admin", permissions={STORES_MANAGE, SETTINGS_VIEW, SETTINGS_MANAGE, MESSAGES_VIEW, HEALTH_VIEW, HEALTH_RETRY})
role("manager", permissions={SETTINGS_VIEW, MESSAGES_VIEW, APPROVALS_DECIDE})
role("gm", permissions={SETTINGS_VIEW, SETTINGS_MANAGE, MESSAGES_VIEW, APPROVALS_DECIDE})
role("care", permissions={MESSAGES_VIEW})
role("advisor", permissions={MESSAGES_VIEW})
for code in ("receptionist", "advisor", "care", "manager", "gm"):
    role(code, permissions={PERSONAL_READ})
role("admin", permissions={EVENTS_READ, REFERENCES_EDIT})
role("manager", permissions={EVENTS_READ})

for code in (
    *("receptionist", "advisor", "foreman", "leader", "techdirector", "supervisor", "parts", "warranty"),
    *("cashier", "accountant", "care", "manager", "gm"),
):
    role(code, permissions={APPROVALS_VIEW})
role("gm", permissions={APPROVALS_UNLIMITED})
for code in ("admin", "manager", "gm", "care", "advisor"):
    role(code, permissions={MESSAGES_RETRY})
for code in ("manager", "hr"):
    role(code, permissions={CALENDAR_MANAGE})
