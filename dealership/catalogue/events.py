"""Events of the catalogue and the resources."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# resources
RESOURCE_ADDED = event("catalogue.resource.added", _("Resource added"), clause="2.4")
RESOURCE_SWITCHED = event("catalogue.resource.switched", _("Resource taken out of use or brought back"), clause="2.4")
RESOURCE_EFFICIENCY_SET = event(
    "catalogue.resource.efficiency_set", _("Efficiency of a person in the plan set"), clause="2.4"
)

# prices
LABOR_RATE_SET = event("catalogue.labor_rate.set", _("Labour rate set"), clause="3.2")
PART_PRICE_SET = event("catalogue.part_price.set", _("Part price set"), clause="3.2")
MODEL_PRICE_SET = event("catalogue.model_price.set", _("Price of a model set"), clause="2.2.2")
# plans
RESOURCE_RESERVED = event("catalogue.reservation.made", _("Time planned"), clause="2.4")
RESOURCE_RELEASED = event("catalogue.reservation.released", _("Planned time given back"), clause="2.4")
