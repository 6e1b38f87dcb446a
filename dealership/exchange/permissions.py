"""What may be done with imports, exchange and the system itself (chapter 7). Each section names its topic."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# --- API clients (7.3) ---
CLIENTS_MANAGE = permission("exchange.clients.manage", _("Let other systems in over the API and withdraw them."))

role("admin", permissions={CLIENTS_MANAGE})

# --- imports (7.2) ---
IMPORTS_RUN = permission(
    "exchange.imports.run", _("Bring customers and vehicles in from a file, and take an import back.")
)

IMPORTS_VIEW = permission("exchange.imports.view", _("See imports, their rows and what became of them."))

for code in ("manager", "gm", "admin"):
    role(code, permissions={IMPORTS_RUN, IMPORTS_VIEW})
