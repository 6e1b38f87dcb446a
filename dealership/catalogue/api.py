"""Resources of the catalogue: operations, parts, and bays."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import F, QuerySet

from dealership.catalogue import permissions
from dealership.catalogue.check_models import CheckItem, CheckKind, CheckLimit, CheckSection, CheckStage, CheckTemplate
from dealership.catalogue.models import (
    BayCapability,
    LaborRate,
    MaintenanceItem,
    MaintenancePlan,
    ModelPrice,
    Operation,
    OperationHours,
    OperationPart,
    PackageItem,
    Part,
    PartKind,
    PartPrice,
    PartReplacement,
    PayType,
    PlanState,
    Powertrain,
    RepairCategory,
    ReplacementKind,
    ResourceKind,
    ServicePackage,
    ToolKind,
    Tracing,
    VehicleModel,
)
from dealership.catalogue.models import (
    Resource as PlannedResource,
)
from dealership.catalogue.services import (
    maintenance,
    models,
    operations,
    packages,
    part_master,
    prices,
    replacements,
    resources,
    sheets,
)
from dealership.catalogue.services.parts import set_handling, set_tracing
from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_name
from dealership.kernel.api.resources import Action, Command, Filter, Many, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Flag, ListOf, Moment, Money, Number, Text, Uid, Whole
from dealership.kernel.api.star import star_codes
from dealership.kernel.models import Store

_MODEL = {
    "make": Text(40, min=1),
    "series": Text(60, min=1),
    "name": Text(80, min=1),
    "powertrain": Choice(choices=Powertrain),
    "service_interval_km": Whole(least=models.KM[0], most=models.KM[1]),
    "service_interval_months": Whole(least=models.MONTHS[0], most=models.MONTHS[1]),
    "aliases": ListOf(inner=Text(80, min=1), most=models.MOST_ALIASES, optional=True),
}


_OPERATION = {
    "code": Text(30, min=1),
    "name": Text(80, min=1),
    "hours": Number(2),
    "name_en": Text(80, optional=True),
    "category": Choice(choices=RepairCategory, optional=True),
    "skill_code": Text(30, optional=True),
    "skill_level": Whole(1, 4, optional=True),
    "capability": Choice(choices=BayCapability, optional=True),
    "tool": Choice(choices=ToolKind, optional=True),
    "is_diagnosis": Flag(optional=True),
    "is_maintenance": Flag(optional=True),
    "is_safety": Flag(optional=True),
    "is_structural": Flag(optional=True, help="On the body's structure: it has its own check after the repair."),
    "bookable_online": Flag(optional=True),
    "active": Flag(optional=True),
}
_PART = {
    "name": Text(80, min=1),
    "unit": Text(10, min=1),
    "name_en": Text(80, optional=True),
    "brand": Text(40, optional=True),
    "kind": Choice(choices=PartKind, optional=True),
    "guarantee_months": Whole(0, part_master.MOST_MONTHS, optional=True),
    "guarantee_km": Whole(0, part_master.MOST_KM, optional=True),
    "active": Flag(optional=True),
}


def _model_hours() -> QuerySet:
    return OperationHours.objects.order_by("model__make", "model__series", "model__name")


def _operation_parts() -> QuerySet:
    return OperationPart.objects.order_by("part__number")


def _plan_items() -> QuerySet:
    return MaintenanceItem.objects.order_by("operation__code")


def _bays(by: Actor) -> QuerySet:
    return PlannedResource.objects.for_actor(by).filter(kind=ResourceKind.BAY)


def _people(by: Actor) -> QuerySet:
    return PlannedResource.objects.for_actor(by).filter(kind=ResourceKind.PERSON)


def _own_store(by: Actor) -> Store:
    return Store.objects.for_actor(by).get(pk=by.store_id)


def _set_labor_rate(*, pay_type: str, rate: Decimal, starts_on: date, by: Actor) -> LaborRate:
    return prices.set_labor_rate(store=_own_store(by), pay_type=pay_type, rate=rate, starts_on=starts_on, by=by)


def _set_part_price(
    *, part_uid: UUID, price: Decimal, starts_on: date, by: Actor, core: Decimal | None = None
) -> PartPrice:
    part = Part.objects.get(uid=part_uid)
    return prices.set_part_price(store=_own_store(by), part=part, price=price, core=core, starts_on=starts_on, by=by)


def _set_model_price(*, model_uid: UUID, price: Decimal, starts_on: date, by: Actor) -> ModelPrice:
    model = VehicleModel.objects.get(uid=model_uid)
    return prices.set_model_price(store=_own_store(by), model=model, price=price, starts_on=starts_on, by=by)


register(
    Resource(
        path="operations",
        name="Operation",
        room="catalogue",
        model=Operation,
        view=permissions.CATALOGUE_VIEW,
        help="Kinds of work with their standard hours and usual parts (3.2).",
        shape={
            "code": Text(),
            "name": Text(),
            "name_en": Text(help="For customers who read English; empty: the Chinese name."),
            "category": Choice(choices=RepairCategory),
            "hours": Number(2),
            "skill_code": Text(source="skill__code", null=True),
            "skill_level": Whole(),
            "capability": Choice(choices=BayCapability),
            "tool": Choice(choices=ToolKind, null=True),
            "is_diagnosis": Flag(),
            "is_maintenance": Flag(),
            "is_safety": Flag(),
            "is_structural": Flag(),
            "bookable_online": Flag(),
            "active": Flag(),
            "parts": Many(
                rows=_operation_parts,
                by="operation_id",
                fields={"part_uid": Uid(source="part__uid"), "quantity": Number(2)},
            ),
            "model_hours": Many(
                rows=_model_hours,
                by="operation_id",
                fields={"model_uid": Uid(source="model__uid"), "hours": Number(2)},
            ),
        },
        filters={
            "code": Filter(field=Text(30, min=1), lookup="code"),
            "active": Filter(field=Flag(), lookup="active"),
        },
        create=Command(run=operations.add_operation, permission=permissions.OPERATIONS_MANAGE, input=_OPERATION),
        update=Command(run=operations.correct_operation, permission=permissions.OPERATIONS_MANAGE, input=_OPERATION),
        actions=(
            Action(
                verb="set-hours",
                run=operations.set_model_hours,
                uid="operation_uid",
                permission=permissions.OPERATIONS_MANAGE,
                input={
                    "model_uid": Uid(),
                    "hours": Number(2, null=True),
                },
                help="Say how long it takes on one model; null: as long as on the others again (3.2)",
            ),
            Action(
                verb="set-usual-part",
                run=operations.set_usual_part,
                uid="operation_uid",
                permission=permissions.OPERATIONS_MANAGE,
                input={"part_uid": Uid(), "quantity": Number(2)},
                help="Say how much of a part it usually needs; 0 takes it out (3.2)",
            ),
        ),
    )
)

register(
    Resource(
        path="parts",
        name="Part",
        room="catalogue",
        model=Part,
        view=permissions.CATALOGUE_VIEW,
        help="Parts and materials of the group.",
        shape={
            "number": Text(),
            "name": Text(),
            "name_en": Text(help="For customers who read English; empty: the Chinese name."),
            "unit": Text(),
            "brand": Text(),
            "kind": Choice(choices=PartKind),
            "guarantee_months": Whole(),
            "guarantee_km": Whole(),
            "tracing": Choice(choices=Tracing),
            "leaves_old": Flag(help="An old part comes off the car where it is put in."),
            "high_voltage": Flag(help="Belongs to the high-voltage system."),
            "active": Flag(),
        },
        filters={
            "number": Filter(field=Text(40, min=1), lookup="number"),
            "active": Filter(field=Flag(), lookup="active"),
        },
        create=Command(
            run=part_master.add_master_part,
            permission=permissions.PARTS_MANAGE,
            input={"number": Text(40, min=1), **_PART},
        ),
        update=Command(run=part_master.correct_master_part, permission=permissions.PARTS_MANAGE, input=_PART),
        actions=(
            Action(
                verb="set-tracing",
                run=set_tracing,
                uid="part_uid",
                permission=permissions.PARTS_MANAGE,
                input={"tracing": Choice(choices=Tracing)},
                help="Say whether deliveries name a batch or serial numbers",
            ),
            Action(
                verb="set-handling",
                run=set_handling,
                uid="part_uid",
                permission=permissions.PARTS_MANAGE,
                input={"leaves_old": Flag(), "high_voltage": Flag()},
                help="Say whether it leaves an old part and belongs to the high-voltage system",
            ),
        ),
    )
)

register(
    Resource(
        path="bays",
        name="Bay",
        room="catalogue",
        model=PlannedResource,
        view=permissions.CATALOGUE_VIEW,
        rows=_bays,
        help="Working places of a store, by what can be done there (2.4).",
        star="Bay",
        star_fields={"capability": "bay_capability_type"},
        shape={
            "code": Text(),
            "name": Text(),
            "name_en": Text(help="For people who work in English; empty: the Chinese name."),
            "store_code": Text(source="store__code"),
            "capability": Choice(choices=BayCapability, null=True),
            "capacity": Whole(help="Cars that the bay takes at once."),
            "active": Flag(),
        },
        filters={"code": Filter(field=Text(20, min=1), lookup="code")},
        actions=(
            Action(
                verb="set-capacity",
                run=resources.set_capacity,
                permission=permissions.RESOURCES_MANAGE,
                input={"capacity": Whole(1, 9)},
                help="Say how many cars the bay takes at once (2.4)",
            ),
            Action(
                verb="switch",
                run=resources.switch_resource,
                permission=permissions.RESOURCES_MANAGE,
                input={"active": Flag()},
                help="Take the bay out of use or bring it back (2.4)",
            ),
        ),
    )
)

register(
    Resource(
        path="plan-people",
        name="PlanPerson",
        room="catalogue",
        model=PlannedResource,
        view=permissions.CATALOGUE_VIEW,
        rows=_people,
        help="People to whom work can be planned, with their efficiency (2.4).",
        shape={
            "code": Text(),
            "name": Text(mask=mask_name),
            "employee_uid": Uid(source="employee__uid"),
            "store_code": Text(source="store__code"),
            "efficiency": Whole(help="Standard minutes done in 100 minutes of presence."),
            "active": Flag(),
        },
        filters={"employee_uid": Filter(field=Uid(), lookup="employee__uid")},
        actions=(
            Action(
                verb="set-efficiency",
                run=resources.set_efficiency,
                permission=permissions.RESOURCES_MANAGE,
                input={"efficiency": Whole(10, 200)},
                help="Say how many standard minutes the person does in 100 minutes (2.4)",
            ),
        ),
    )
)

register(
    Resource(
        path="labor-rates",
        name="LaborRate",
        room="catalogue",
        model=LaborRate,
        view=permissions.CATALOGUE_VIEW,
        help="What one hour costs in a store by who pays, from a day on (3.2).",
        shape={
            "store_code": Text(source="store__code"),
            "pay_type": Choice(choices=PayType),
            "rate": Money(),
            "starts_on": Day(),
            "ends_on": Day(null=True),
        },
        filters={"pay_type": Filter(field=Choice(choices=PayType), lookup="pay_type")},
        create=Command(
            run=_set_labor_rate,
            permission=permissions.PRICES_MANAGE,
            input={"pay_type": Choice(choices=PayType), "rate": Money(), "starts_on": Day()},
        ),
    )
)

register(
    Resource(
        path="part-prices",
        name="PartPrice",
        room="catalogue",
        model=PartPrice,
        view=permissions.CATALOGUE_VIEW,
        help="What one unit of a part costs in a store, from a day on (3.2).",
        shape={
            "store_code": Text(source="store__code"),
            "part_uid": Uid(source="part__uid"),
            "part_number": Text(source="part__number"),
            "price": Money(),
            "core": Money(help="Core charge of one unit, given back when the old part comes in."),
            "starts_on": Day(),
            "ends_on": Day(null=True),
        },
        filters={
            "part_uid": Filter(field=Uid(), lookup="part__uid"),
            "part_number": Filter(field=Text(40, min=1), lookup="part__number"),
        },
        create=Command(
            run=_set_part_price,
            permission=permissions.PRICES_MANAGE,
            input={
                "part_uid": Uid(),
                "price": Money(),
                "core": Money(optional=True, help="Left out: as before."),
                "starts_on": Day(),
            },
        ),
    )
)

register(
    Resource(
        path="vehicle-models",
        name="VehicleModel",
        room="catalogue",
        model=VehicleModel,
        view=permissions.CATALOGUE_VIEW,
        help="Models with their maintenance intervals (2.2.2).",
        shape={
            "make": Text(),
            "series": Text(),
            "name": Text(),
            "powertrain": Choice(choices=Powertrain),
            "service_interval_km": Whole(),
            "service_interval_months": Whole(),
            "aliases": ListOf(inner=Text(), help="What people call it as well; each means this model alone."),
            "ends_on": Day(null=True, help="The last day on which new cars of it are sold."),
        },
        filters={"powertrain": Filter(field=Choice(choices=Powertrain), lookup="powertrain")},
        create=Command(run=models.add_model, permission=permissions.MODELS_MANAGE, input=_MODEL),
        update=Command(run=models.correct_model, permission=permissions.MODELS_MANAGE, input=_MODEL),
        actions=(
            Action(
                verb="end",
                run=models.end_model,
                permission=permissions.MODELS_MANAGE,
                input={"ends_on": Day(null=True)},
                help="Name the last day on which new cars of it are sold, null takes that back (2.2.2)",
            ),
        ),
    )
)

register(
    Resource(
        path="model-prices",
        name="ModelPrice",
        room="catalogue",
        model=ModelPrice,
        view=permissions.CATALOGUE_VIEW,
        help="What a new car of a model costs in a store, from a day on (2.2.2).",
        shape={
            "store_code": Text(source="store__code"),
            "model_uid": Uid(source="model__uid"),
            "price": Money(),
            "starts_on": Day(),
            "ends_on": Day(null=True),
        },
        filters={"model_uid": Filter(field=Uid(), lookup="model__uid")},
        create=Command(
            run=_set_model_price,
            permission=permissions.PRICES_MANAGE,
            input={"model_uid": Uid(), "price": Money(), "starts_on": Day()},
        ),
    )
)

_KM = Whole(500, 500_000, optional=True, null=True)
_MONTHS = Whole(1, 240, optional=True, null=True)

register(
    Resource(
        path="maintenance-plans",
        name="MaintenancePlan",
        room="catalogue",
        model=MaintenancePlan,
        view=permissions.CATALOGUE_VIEW,
        help="Versions of maintenance plans: for which cars, from which day, which work after how many km or months (3.1).",
        shape={
            "name": Text(),
            "number": Whole(help="The version for these cars."),
            "make": Text(),
            "series": Text(),
            "model_uid": Uid(source="model__uid", null=True),
            "powertrain": Choice(choices=Powertrain, null=True),
            "source": Text(),
            "state": Choice(choices=PlanState),
            "starts_on": Day(null=True),
            "ends_on": Day(null=True),
            "items": Many(
                rows=_plan_items,
                by="plan_id",
                fields={
                    "operation_uid": Uid(source="operation__uid"),
                    "every_km": Whole(null=True),
                    "every_months": Whole(null=True),
                    "first_km": Whole(null=True),
                    "first_months": Whole(null=True),
                    "severe_km": Whole(null=True),
                    "severe_months": Whole(null=True),
                    "repeats": Flag(),
                },
            ),
        },
        filters={"state": Filter(field=Choice(choices=PlanState), lookup="state")},
        create=Command(
            run=maintenance.draft_plan,
            permission=permissions.MAINTENANCE_MANAGE,
            input={
                "name": Text(80, min=1),
                "make": Text(40, optional=True),
                "series": Text(60, optional=True),
                "model_uid": Uid(optional=True, null=True),
                "powertrain": Choice(choices=Powertrain, optional=True),
                "source": Text(120, optional=True),
            },
            help="Begin a plan for some cars; what is left empty means any (3.1)",
        ),
        actions=(
            Action(
                verb="put-item",
                uid="plan_uid",
                run=maintenance.put_item,
                permission=permissions.MAINTENANCE_MANAGE,
                when={PlanState.DRAFT},
                input={
                    "operation_uid": Uid(),
                    "every_km": _KM,
                    "every_months": _MONTHS,
                    "first_km": _KM,
                    "first_months": _MONTHS,
                    "severe_km": _KM,
                    "severe_months": _MONTHS,
                    "repeats": Flag(optional=True),
                },
                help="Write or change one piece of work of a draft (3.1)",
            ),
            Action(
                verb="drop-item",
                uid="plan_uid",
                run=maintenance.drop_item,
                permission=permissions.MAINTENANCE_MANAGE,
                when={PlanState.DRAFT},
                input={"operation_uid": Uid()},
                help="Take one piece of work out of a draft (3.1)",
            ),
            Action(
                verb="release",
                run=maintenance.release_plan,
                permission=permissions.MAINTENANCE_MANAGE,
                when={PlanState.DRAFT},
                input={"starts_on": Day()},
                help="Let the draft hold from a day on; the version before it ends the day before (3.1)",
            ),
            Action(
                verb="draft-next",
                run=maintenance.draft_next,
                permission=permissions.MAINTENANCE_MANAGE,
                when={PlanState.RELEASED},
                help="Begin the next version for the same cars (3.1)",
            ),
        ),
    )
)


# --- packages (3.1) ---
def _package_items() -> QuerySet:
    return PackageItem.objects.select_related("operation").order_by("operation__code", "id")


register(
    Resource(
        path="service-packages",
        name="ServicePackage",
        room="catalogue",
        model=ServicePackage,
        view=permissions.CATALOGUE_VIEW,
        help="Versions of a store's packages: some work with its usual parts at one price, for some cars (3.1).",
        shape={
            "code": Text(),
            "number": Whole(help="The version of this code."),
            "name": Text(),
            "name_en": Text(),
            "make": Text(),
            "series": Text(),
            "powertrain": Choice(choices=Powertrain, null=True),
            "price": Money(),
            "starts_on": Day(),
            "ends_on": Day(null=True),
            "items": Many(rows=_package_items, by="package_id", fields={"operation_uid": Uid(source="operation__uid")}),
        },
        filters={"code": Filter(field=Text(12, min=1), lookup="code")},
        create=Command(
            run=packages.set_package,
            permission=permissions.PRICES_MANAGE,
            input={
                "code": Text(12, min=1),
                "name": Text(60, min=1),
                "name_en": Text(60, optional=True),
                "make": Text(40, optional=True),
                "series": Text(60, optional=True),
                "powertrain": Choice(choices=Powertrain, optional=True),
                "price": Money(),
                "operation_uids": ListOf(inner=Uid(), most=30),
                "starts_on": Day(),
            },
            help="Offer work at one price from a day on; the version before it ends the day before (3.1)",
        ),
        actions=(
            Action(
                verb="end",
                run=packages.end_package,
                permission=permissions.PRICES_MANAGE,
                input={"ends_on": Day()},
                help="Set the last day on which it is offered (3.1)",
            ),
        ),
    )
)


# --- check sheets (3.1) ---
def _check_items() -> QuerySet:
    return CheckItem.objects.order_by("position", "id")


def _check_limits() -> QuerySet:
    return CheckLimit.objects.annotate(template_id=F("item__template_id")).order_by("id")


_BOUND = Number(2, signed=True, digits=5, optional=True, null=True)
_BOUND_OUT = Number(2, null=True)

register(
    Resource(
        path="check-templates",
        name="CheckTemplate",
        room="catalogue",
        model=CheckTemplate,
        view=permissions.CATALOGUE_VIEW,
        help="Versions of check sheets: what is looked at, how it is answered, and what counts as worn and bad (3.1).",
        state="state",
        shape={
            "code": Text(help="The same in all versions."),
            "number": Whole(help="The version."),
            "name": Text(),
            "name_en": Text(),
            "with_maintenance": Flag(),
            "stage": Choice(choices=CheckStage, null=True, help="Which of the inspections that the law asks"),
            "state": Choice(choices=PlanState),
            "starts_on": Day(null=True),
            "ends_on": Day(null=True),
            "items": Many(
                rows=_check_items,
                by="template_id",
                fields={
                    "uid": Uid(),
                    "code": Text(),
                    "section": Choice(choices=CheckSection),
                    "kind": Choice(choices=CheckKind),
                    "name": Text(),
                    "name_en": Text(),
                    "hint": Text(),
                    "unit": Text(),
                    "is_safety": Flag(),
                    "powertrains": ListOf(inner=Choice(choices=Powertrain)),
                    "red_below": _BOUND_OUT,
                    "yellow_below": _BOUND_OUT,
                    "yellow_above": _BOUND_OUT,
                    "red_above": _BOUND_OUT,
                    "operation_uid": Uid(source="operation__uid", null=True),
                },
            ),
            "limits": Many(
                rows=_check_limits,
                by="template_id",
                fields={
                    "item_code": Text(source="item__code"),
                    "model_uid": Uid(source="model__uid", null=True),
                    "powertrain": Choice(choices=Powertrain, null=True),
                    "red_below": _BOUND_OUT,
                    "yellow_below": _BOUND_OUT,
                    "yellow_above": _BOUND_OUT,
                    "red_above": _BOUND_OUT,
                },
            ),
        },
        filters={
            "code": Filter(field=Text(12, min=1), lookup="code"),
            "state": Filter(field=Choice(choices=PlanState), lookup="state"),
        },
        create=Command(
            run=sheets.draft_template,
            permission=permissions.CHECKS_MANAGE,
            input={
                "code": Text(12, min=2, pattern="^[A-Z][A-Z0-9-]{1,11}$"),
                "name": Text(60, min=1),
                "name_en": Text(60, optional=True),
                "with_maintenance": Flag(optional=True),
                "stage": Choice(choices=CheckStage, optional=True),
            },
            help="Begin the first version of a sheet (3.1)",
        ),
        actions=(
            Action(
                verb="put-item",
                uid="template_uid",
                run=sheets.put_check_item,
                permission=permissions.CHECKS_MANAGE,
                when={PlanState.DRAFT},
                input={
                    "code": Text(24, min=2, pattern="^[A-Z][A-Z0-9-]{1,23}$"),
                    "section": Choice(choices=CheckSection),
                    "kind": Choice(choices=CheckKind),
                    "name": Text(60, min=1),
                    "name_en": Text(80, optional=True),
                    "hint": Text(120, optional=True),
                    "unit": Text(8, optional=True),
                    "is_safety": Flag(optional=True),
                    "powertrains": ListOf(inner=Choice(choices=Powertrain), most=5, optional=True),
                    "operation_uid": Uid(optional=True, null=True),
                    "red_below": _BOUND,
                    "yellow_below": _BOUND,
                    "yellow_above": _BOUND,
                    "red_above": _BOUND,
                },
                help="Write or change one item of a draft (3.1)",
            ),
            Action(
                verb="put-limit",
                uid="template_uid",
                run=sheets.put_check_limit,
                permission=permissions.CHECKS_MANAGE,
                when={PlanState.DRAFT},
                input={
                    "code": Text(24, min=1),
                    "model_uid": Uid(optional=True, null=True),
                    "powertrain": Choice(choices=Powertrain, optional=True),
                    "red_below": _BOUND,
                    "yellow_below": _BOUND,
                    "yellow_above": _BOUND,
                    "red_above": _BOUND,
                },
                help="Other bounds for cars of one model or one kind of energy; none takes them away (3.1)",
            ),
            Action(
                verb="drop-item",
                uid="template_uid",
                run=sheets.drop_check_item,
                permission=permissions.CHECKS_MANAGE,
                when={PlanState.DRAFT},
                input={"code": Text(24, min=1)},
                help="Take one item out of a draft (3.1)",
            ),
            Action(
                verb="release",
                run=sheets.release_template,
                permission=permissions.CHECKS_MANAGE,
                when={PlanState.DRAFT},
                input={"starts_on": Day()},
                help="Let the draft hold from a day on; the version before it ends the day before (3.1)",
            ),
            Action(
                verb="draft-next",
                run=sheets.draft_next_template,
                permission=permissions.CHECKS_MANAGE,
                when={PlanState.RELEASED},
                help="Begin the next version of this sheet (3.1)",
            ),
        ),
    )
)

# --- STAR's values of our codes (peers: a dictionary, no protocol) ---
star_codes(
    BayCapability,
    "QUICK_LUBE",
    "STANDARD_LIFT",
    "ALIGNMENT_RACK",
    "EV_DIAGNOSTIC",
    "BODY_AND_FRAME",
    "DETAIL_AND_WASH",
)

register(
    Resource(
        path="part-replacements",
        name="PartReplacement",
        room="catalogue",
        model=PartReplacement,
        view=permissions.CATALOGUE_VIEW,
        help="A part that follows another one for good, or may be used in its place (3.2).",
        shape={
            "part_uid": Uid(source="part__uid"),
            "part_number": Text(source="part__number"),
            "other_uid": Uid(source="other__uid", help="The part that is used instead."),
            "other_number": Text(source="other__number"),
            "kind": Choice(choices=ReplacementKind),
            "starts_on": Day(),
            "note": Text(),
            "other_kind": Flag(help="The other part is of another kind than this one."),
            "ended_at": Moment(null=True),
        },
        filters={
            "part_uid": Filter(field=Uid(), lookup="part__uid"),
            "other_uid": Filter(field=Uid(), lookup="other__uid"),
        },
        create=Command(
            run=replacements.replace_part,
            permission=permissions.PARTS_MANAGE,
            input={
                "part_uid": Uid(),
                "other_uid": Uid(),
                "kind": Choice(choices=ReplacementKind),
                "starts_on": Day(optional=True, null=True, help="Left out: today."),
                "note": Text(120, optional=True),
                "other_kind": Flag(optional=True, help="Known to be of another kind than customers agreed to."),
            },
            help="Say what is used in place of a part",
        ),
        actions=(
            Action(
                verb="end",
                run=replacements.end_replacement,
                permission=permissions.PARTS_MANAGE,
                help="It is offered no more",
            ),
        ),
    )
)
