"""What may be done with catalogue, prices and resources, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# resources
RESOURCES_MANAGE = permission("catalogue.resources.manage", _("Add bays, people in the plan, tools and loan cars."))
for _code in ("manager", "gm"):
    role(_code, permissions={RESOURCES_MANAGE})

# operations, parts and prices
CATALOGUE_VIEW = permission("catalogue.items.view", _("See operations, parts and the store's prices."))
PRICES_MANAGE = permission("catalogue.prices.manage", _("Set the store's labour rates and part prices from a day on."))

for _code in (
    "receptionist",
    "advisor",
    "foreman",
    "leader",
    "technician",
    "techdirector",
    "parts",
    "warranty",
    "care",
):
    role(_code, permissions={CATALOGUE_VIEW})
for _code in ("supervisor", "cashier", "accountant", "inspector"):
    role(_code, permissions={CATALOGUE_VIEW})
for _code in ("manager", "gm"):
    role(_code, permissions={CATALOGUE_VIEW, PRICES_MANAGE})

# models
MODELS_MANAGE = permission("catalogue.models.manage", _("Add vehicle models, correct them and end their sale."))
for _code in ("techdirector", "manager", "gm"):
    role(_code, permissions={MODELS_MANAGE})

# maintenance plans
MAINTENANCE_MANAGE = permission(
    "catalogue.maintenance.manage", _("Write maintenance plans and release them from a day on.")
)
for _code in ("techdirector", "manager"):
    role(_code, permissions={MAINTENANCE_MANAGE})

# check sheets
CHECKS_MANAGE = permission("catalogue.checks.manage", _("Write check sheets and release them from a day on."))
for _code in ("techdirector", "manager"):
    role(_code, permissions={CHECKS_MANAGE})

# which part follows another one
PARTS_MANAGE = permission(
    "catalogue.parts.manage",
    _("Say which part follows another one or may stand in for it, which are traced and which leave an old part."),
)
for _code in ("parts", "manager", "techdirector"):
    role(_code, permissions={PARTS_MANAGE})

# operations and parts of the master
OPERATIONS_MANAGE = permission(
    "catalogue.operations.manage", _("Add and correct operations, their hours by model and their usual parts.")
)
for _code in ("techdirector", "manager"):
    role(_code, permissions={OPERATIONS_MANAGE})
