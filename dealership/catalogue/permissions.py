"""What may be done with catalogue, prices and resources, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# resources
RESOURCES_MANAGE = permission("catalogue.resources.manage", _("Add bays, people in the plan, tools and loan cars."))
for _code in ("manager", "gm"):
    role(_code, permissions={RESOURCES_MANAGE})
