"""Events of the catalogue and the resources."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# resources
RESOURCE_ADDED = event("catalogue.resource.added", _("Resource added"), clause="2.4")
RESOURCE_SWITCHED = event("catalogue.resource.switched", _("Resource taken out of use or brought back"), clause="2.4")
RESOURCE_EFFICIENCY_SET = event(
    "catalogue.resource.efficiency_set", _("Efficiency of a person in the plan set"), clause="2.4"
)

RESOURCE_CAPACITY_SET = event(
    "catalogue.resource.capacity_set", _("Number of cars that a bay takes at once set"), clause="2.4"
)

RESOURCE_PLATE_SET = event("catalogue.resource.plate_set", _("Plate of a loan car written down"), clause="2.1.2")

# prices
LABOR_RATE_SET = event("catalogue.labor_rate.set", _("Labour rate set"), clause="3.2")
PART_PRICE_SET = event("catalogue.part_price.set", _("Part price set"), clause="3.2")
MODEL_PRICE_SET = event("catalogue.model_price.set", _("Price of a model set"), clause="2.2.2")

PACKAGE_SET = event("catalogue.package.set", _("Package offered at one price"), clause="3.1")
PACKAGE_ENDED = event("catalogue.package.ended", _("Last day of a package set"), clause="3.1")

# models
MODEL_ADDED = event("catalogue.vehicle_model.added", _("Vehicle model added"), clause="2.2.2")
MODEL_CORRECTED = event("catalogue.vehicle_model.corrected", _("Vehicle model corrected"), clause="2.2.2")
MODEL_ENDED = event(
    "catalogue.vehicle_model.ended", _("Sale of a vehicle model ended or taken up again"), clause="2.2.2"
)

# maintenance plans
MAINTENANCE_PLAN_DRAFTED = event("catalogue.maintenance_plan.drafted", _("Maintenance plan begun"), clause="3.1")
MAINTENANCE_PLAN_CHANGED = event("catalogue.maintenance_plan.changed", _("Maintenance plan changed"), clause="3.1")
MAINTENANCE_PLAN_RELEASED = event("catalogue.maintenance_plan.released", _("Maintenance plan released"), clause="3.1")
MAINTENANCE_PLAN_FOLLOWED = event(
    "catalogue.maintenance_plan.followed", _("Maintenance plan followed by the next version"), clause="3.1"
)
MAINTENANCE_PLAN_DISCARDED = event(
    "catalogue.maintenance_plan.discarded", _("Draft of a maintenance plan thrown away"), clause="3.1"
)

# plans
RESOURCE_RESERVED = event("catalogue.reservation.made", _("Time planned"), clause="2.4")
RESOURCE_EXTENDED = event("catalogue.reservation.extended", _("Planned time extended"), clause="2.4")
RESOURCE_RELEASED = event("catalogue.reservation.released", _("Planned time given back"), clause="2.4")

# check sheets
CHECK_TEMPLATE_DRAFTED = event("catalogue.check_template.drafted", _("Check sheet begun"), clause="3.1")
CHECK_TEMPLATE_CHANGED = event("catalogue.check_template.changed", _("Check sheet changed"), clause="3.1", folds=True)
CHECK_TEMPLATE_RELEASED = event("catalogue.check_template.released", _("Check sheet released"), clause="3.1")
CHECK_TEMPLATE_FOLLOWED = event(
    "catalogue.check_template.followed", _("Check sheet followed by the next version"), clause="3.1"
)
CHECK_TEMPLATE_DISCARDED = event(
    "catalogue.check_template.discarded", _("Draft of a check sheet thrown away"), clause="3.1"
)

# which part follows another one
PART_REPLACEMENT_SET = event("catalogue.part_replacement.set", _("Replacement of a part entered"), clause="3.2")
PART_TRACING_SET = event("catalogue.part.tracing_set", _("Tracing of a part set"), clause="3.2")
PART_HANDLING_SET = event("catalogue.part.handling_set", _("Handling of a part set"), clause="3.2")
PART_REPLACEMENT_ENDED = event("catalogue.part_replacement.ended", _("Replacement of a part ended"), clause="3.2")

# operations and parts of the master
OPERATION_ADDED = event("catalogue.operation.added", _("Operation added"), clause="3.2")
OPERATION_CORRECTED = event("catalogue.operation.corrected", _("Operation corrected"), clause="3.2")
OPERATION_HOURS_SET = event("catalogue.operation.hours_set", _("Hours of an operation on one model set"), clause="3.2")
OPERATION_PART_SET = event("catalogue.operation.part_set", _("Usual part of an operation set"), clause="3.2")
PART_ADDED = event("catalogue.part.added", _("Part added to the master"), clause="3.2")
PART_CORRECTED = event("catalogue.part.corrected", _("Part of the master corrected"), clause="3.2")
