"""What may be done in chapter 2, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# --- visits ---
VISITS_VIEW = permission("reception.visits.view", _("See the cars in the shop and their visits."))
VISITS_RECEIVE = permission("reception.visits.receive", _("Register arrivals and receive customers."))

for code in ("receptionist", "advisor", "manager", "care"):
    role(code, permissions={VISITS_VIEW, VISITS_RECEIVE})
for code in ("foreman", "leader", "inspector", "techdirector", "supervisor", "parts", "warranty", "cashier", "gm"):
    role(code, permissions={VISITS_VIEW})
