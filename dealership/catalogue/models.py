"""What is offered (models, operations, parts, prices) and what can be in one place only (resources, reservations)."""

from __future__ import annotations

import uuid
from datetime import date

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.rules import MOST_CARS
from dealership.kernel import states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import DateRange, Root, Store
from dealership.kernel.saying import in_language
from staff.models import Employee, Skill


class Powertrain(models.TextChoices):
    """STAR PowertrainTypes."""

    ICE = "ICE", _("Combustion")
    HEV = "HEV", _("Hybrid")
    PHEV = "PHEV", _("Plug-in hybrid")
    BEV = "BEV", _("Battery electric")
    FCEV = "FCEV", _("Fuel cell")


class RepairCategory(models.TextChoices):
    """维修类别: decides inspection levels, certificate and guarantee (domain 3.2)."""

    WHOLE_VEHICLE = "WHOLE_VEHICLE", _("Whole-vehicle repair")
    ASSEMBLY = "ASSEMBLY", _("Assembly repair")
    SECOND_MAINTENANCE = "SECOND_MAINTENANCE", _("Second-class maintenance")
    FIRST_MAINTENANCE = "FIRST_MAINTENANCE", _("First-class maintenance")
    MINOR = "MINOR", _("Minor repair")
    SPECIAL = "SPECIAL", _("Special repair")


class PayType(models.TextChoices):
    """Who pays (STAR pay types)."""

    CUSTOMER_PAY = "CUSTOMER_PAY", _("Customer pays")
    WARRANTY = "WARRANTY", _("Maker's warranty")
    INSURANCE = "INSURANCE", _("Insurer")
    INTERNAL = "INTERNAL", _("The shop")
    SERVICE_CONTRACT = "SERVICE_CONTRACT", _("Service contract")
    GOODWILL = "GOODWILL", _("Goodwill (maker or shop bears it)")


class PartKind(models.TextChoices):
    """配件属性 (domain 3.3); see ``NOT_NEW``."""

    GENUINE = "GENUINE", _("Genuine")
    EQUIVALENT = "EQUIVALENT", _("Equivalent quality")
    BRANDED = "BRANDED", _("Other brand")
    REMANUFACTURED = "REMANUFACTURED", _("Remanufactured")
    REPAIRED = "REPAIRED", _("Repaired")
    USED = "USED", _("Used")
    CUSTOMER_SUPPLIED = "CUSTOMER_SUPPLIED", _("Brought by the customer")


NOT_NEW = (PartKind.REMANUFACTURED, PartKind.REPAIRED, PartKind.USED)
"""These go into a car only when its customer has agreed to them in writing (domain 3.3)."""


class Tracing(models.TextChoices):
    """What a delivery of a part has to name, so that a recall finds the cars it went into (3.2)."""

    NONE = "NONE", _("Not traced")
    BATCH = "BATCH", _("By batch")
    SERIAL = "SERIAL", _("By serial number")


class BayCapability(models.TextChoices):
    """STAR BayCapabilityTypes."""

    QUICK_LUBE = "QUICK_LUBE", _("Quick service")
    STANDARD_LIFT = "STANDARD_LIFT", _("Lift")
    ALIGNMENT_RACK = "ALIGNMENT_RACK", _("Wheel alignment")
    EV_DIAGNOSTIC = "EV_DIAGNOSTIC", _("New energy")
    BODY_AND_FRAME = "BODY_AND_FRAME", _("Body")
    PAINT = "PAINT", _("Paint")
    DETAIL_AND_WASH = "DETAIL_AND_WASH", _("Wash")


class ToolKind(models.TextChoices):
    """Special tools of which a store has few; an operation that needs one holds it for its whole stretch (2.4)."""

    SCAN_TOOL = "SCAN_TOOL", _("Diagnostic tester")
    AC_STATION = "AC_STATION", _("Refrigerant station")
    TIMING_KIT = "TIMING_KIT", _("Timing tool set")
    GEARBOX_JACK = "GEARBOX_JACK", _("Gearbox jack")
    BATTERY_LIFT = "BATTERY_LIFT", _("Battery lifting table")
    INSULATION_TESTER = "INSULATION_TESTER", _("Insulation tester")
    ADAS_TARGETS = "ADAS_TARGETS", _("Camera calibration targets")


class VehicleModel(Root):
    store_path = None

    make = models.CharField(_("make"), max_length=40)
    series = models.CharField(_("series"), max_length=60)
    name = models.CharField(_("model"), max_length=80)
    powertrain = models.CharField(max_length=5, choices=Powertrain.choices, default=Powertrain.ICE)
    service_interval_km = models.PositiveIntegerField(default=10000)
    service_interval_months = models.PositiveSmallIntegerField(default=12)
    aliases = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    ends_on = models.DateField(_("last day on sale"), null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                # What a car is called names one model: it brings engine and service interval along (2.1, 2.4).
                "vehiclemodel_alias_once",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("aliases"),
                func="""
                    IF EXISTS (SELECT 1 FROM catalogue_vehiclemodel m WHERE m.id <> NEW.id AND m.aliases && NEW.aliases)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="model.alias_taken",
                text=_("Another model is called that already; take the name off there first."),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["make", "series", "name"], name="vehiclemodel_once")]
        ordering = ["make", "series", "name"]

    def __str__(self) -> str:
        return f"{self.series} {self.name}".strip()


explain_constraint("vehiclemodel_once", "model.exists", _("This model is in the catalogue already."))


class Operation(Root):
    """A kind of work with its standard hours (3.2). Prices come from hours × the store's labour rate."""

    store_path = None

    code = models.CharField(_("code"), max_length=30, unique=True)
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=80)
    name_en = models.CharField(max_length=80, blank=True, db_default="")
    pinyin = models.CharField(max_length=160, blank=True)
    category = models.CharField(max_length=20, choices=RepairCategory.choices, default=RepairCategory.MINOR)
    hours = models.DecimalField(_("standard hours"), max_digits=5, decimal_places=2)
    skill = models.ForeignKey(Skill, models.PROTECT, null=True, blank=True, related_name="+")
    skill_level = models.PositiveSmallIntegerField(default=3)
    capability = models.CharField(max_length=20, choices=BayCapability.choices, default=BayCapability.STANDARD_LIFT)
    tool = models.CharField(
        _("special tool"), max_length=20, choices=ToolKind.choices, blank=True, help_text="held for the whole stretch"
    )
    is_diagnosis = models.BooleanField(default=False)
    is_maintenance = models.BooleanField(default=False)
    is_safety = models.BooleanField(default=False)
    is_structural = models.BooleanField(db_default=False, default=False, help_text="on the body's structure (JT/T 795)")
    bookable_online = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    class Meta:
        triggers = [states.versioned()]
        ordering = ["code"]
        constraints = [models.CheckConstraint(name="operation_hours", condition=Q(hours__gt=0))]

    def __str__(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        """Its name for a customer, in the language in force; the Chinese one where it has no other."""
        return in_language(self.name, self.name_en)


class Part(Root):
    """A part or material of the group's master; quantity on hand stands in ``workshop``."""

    store_path = None

    number = models.CharField(_("part number"), max_length=40, unique=True)
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=80)
    name_en = models.CharField(max_length=80, blank=True, db_default="")
    pinyin = models.CharField(max_length=160, blank=True)
    unit = models.CharField(_("unit"), max_length=10, default="件")
    brand = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=20, choices=PartKind.choices, default=PartKind.GENUINE)
    guarantee_months = models.PositiveSmallIntegerField(default=12)
    guarantee_km = models.PositiveIntegerField(default=20000)
    tracing = models.CharField(max_length=6, choices=Tracing.choices, default=Tracing.NONE, db_default=Tracing.NONE)
    leaves_old = models.BooleanField(default=True, db_default=True)
    """Whether an old part comes off the car where it is put in; what is poured, sprayed or glued leaves none (3.2)."""
    high_voltage = models.BooleanField(default=False, db_default=False)
    """Belongs to the high-voltage system: over the counter only with a reason, to somebody who is named (3.2)."""
    active = models.BooleanField(default=True)

    class Meta:
        triggers = [states.fixed("part_number_fixed", "number"), states.versioned()]
        ordering = ["number"]
        constraints = [models.CheckConstraint(name="part_tracing", condition=Q(tracing__in=Tracing.values))]

    def __str__(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        """Its name for a customer, in the language in force; the Chinese one where it has no other."""
        return in_language(self.name, self.name_en)

    @property
    def sold_with_care(self) -> bool:
        """Whether a sale over the counter says why, and to whom: a recall has to find it (3.2)."""
        return self.high_voltage or self.tracing != Tracing.NONE


class OperationPart(models.Model):
    """What an operation usually needs."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="parts")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=8, decimal_places=2, default=1)

    class Meta:
        triggers = [states.ShownIn("operation")]
        constraints = [
            models.UniqueConstraint(fields=["operation", "part"], name="operationpart_once"),
            models.CheckConstraint(name="operationpart_quantity", condition=Q(quantity__gt=0)),
        ]


class LaborRate(Root):
    """Price of one hour (CNY, VAT included) of a store by payer, from a day on; published at the desk (domain 1.2)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    pay_type = models.CharField(max_length=20, choices=PayType.choices)
    rate = models.DecimalField(max_digits=10, decimal_places=2)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        triggers = [states.versioned()]
        constraints = [
            models.CheckConstraint(name="laborrate_positive", condition=Q(rate__gte=0)),
            ExclusionConstraint(
                name="laborrate_one_a_day",
                expressions=[
                    ("store", RangeOperators.EQUAL),
                    ("pay_type", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class PartPrice(Root):
    """Price of one unit (CNY, VAT included) of a part in a store, from a day on."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    part = models.ForeignKey(Part, models.CASCADE, related_name="prices")
    price = models.DecimalField(max_digits=12, decimal_places=2)
    core = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    """Core charge (旧件押金) of one unit beside the price, given back when the old part comes in (3.2)."""
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        triggers = [states.versioned()]
        constraints = [
            models.CheckConstraint(name="partprice_positive", condition=Q(price__gte=0, core__gte=0)),
            ExclusionConstraint(
                name="partprice_one_a_day",
                expressions=[
                    ("store", RangeOperators.EQUAL),
                    ("part", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class ModelPrice(Root):
    """What a new car of a model costs in a store (CNY, VAT included), from a day on (2.2.2)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    model = models.ForeignKey(VehicleModel, models.CASCADE, related_name="prices")
    price = models.DecimalField(max_digits=12, decimal_places=2)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        triggers = [states.versioned()]
        constraints = [
            models.CheckConstraint(name="modelprice_positive", condition=Q(price__gt=0)),
            ExclusionConstraint(
                name="modelprice_one_a_day",
                expressions=[
                    ("store", RangeOperators.EQUAL),
                    ("model", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


class ResourceKind(models.TextChoices):
    BAY = "BAY", _("Bay")
    PERSON = "PERSON", _("Person")
    TOOL = "TOOL", _("Special tool")
    LOAN_CAR = "LOAN_CAR", _("Loan car")


class Resource(Root):
    """Something that can be in one place only: a bay, a person, a special tool, a loan car (2.4)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="resources")
    kind = models.CharField(max_length=8, choices=ResourceKind.choices)
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, blank=True, db_default="")
    capability = models.CharField(max_length=20, choices=BayCapability.choices, blank=True)
    tool = models.CharField(max_length=20, choices=ToolKind.choices, blank=True, help_text="what a special tool is")
    efficiency = models.PositiveSmallIntegerField(
        default=100, help_text="of a person: standard minutes done in 100 minutes of presence"
    )
    employee = models.OneToOneField(Employee, models.PROTECT, null=True, blank=True, related_name="resource")
    capacity = models.PositiveSmallIntegerField(default=1, db_default=1, help_text="cars that a bay takes at once")
    plate = models.CharField(max_length=12, blank=True, db_default="", help_text="of a loan car")
    position = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        triggers = [states.versioned()]
        ordering = ["kind", "position", "code"]
        constraints = [
            models.UniqueConstraint(fields=["store", "kind", "code"], name="resource_code"),
            models.CheckConstraint(
                name="resource_person_is_employee",
                condition=Q(kind=ResourceKind.PERSON, employee__isnull=False)
                | (~Q(kind=ResourceKind.PERSON) & Q(employee__isnull=True)),
            ),
            models.CheckConstraint(name="resource_plate", condition=Q(plate="") | Q(kind=ResourceKind.LOAN_CAR)),
            models.CheckConstraint(name="resource_tool_kind", condition=Q(tool="") | Q(kind=ResourceKind.TOOL)),
            models.CheckConstraint(
                name="resource_efficiency",
                condition=Q(efficiency=100) | Q(kind=ResourceKind.PERSON, efficiency__gte=10, efficiency__lte=200),
            ),
            models.CheckConstraint(
                name="resource_capacity",
                condition=Q(capacity=1) | Q(kind=ResourceKind.BAY, capacity__gte=2, capacity__lte=MOST_CARS),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        """Its name in the language in force; the Chinese one where it has no other."""
        return in_language(self.name, self.name_en)


class ReservationPurpose(models.TextChoices):
    APPOINTMENT = "APPOINTMENT", _("Appointment")
    WORK = "WORK", _("Work on a repair order")
    BLOCKED = "BLOCKED", _("Blocked")


class Reservation(Root):
    """A plan for a resource and a time. Plans can't overlap: the database refuses it (2.4).

    In a bay that takes several cars as many plans may overlap (``shared``, set by ``reservation_room``); a block takes
    all of it.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="reservations")
    period = DateTimeRangeField()
    purpose = models.CharField(max_length=12, choices=ReservationPurpose.choices)
    subject_uid = models.UUIDField(null=True, blank=True, db_index=True, help_text="appointment or order line")
    live = models.BooleanField(default=True)
    shared = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="in a bay that takes several cars at once"
    )
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                # 2.4: the bay's row is locked, so that two bookers are counted one after the other.
                "reservation_room",
                operation=pgtrigger.Insert | pgtrigger.Update,
                declare=[("room", "integer"), ("held", "integer")],
                func="""
                    IF NOT NEW.live THEN RETURN NEW; END IF;
                    IF TG_OP = 'UPDATE' AND OLD.live AND NEW.resource_id = OLD.resource_id
                        AND NEW.period <@ OLD.period AND NEW.purpose = OLD.purpose AND NEW.shared = OLD.shared
                    THEN RETURN NEW; END IF;
                    SELECT capacity INTO room FROM catalogue_resource WHERE id = NEW.resource_id FOR NO KEY UPDATE;
                    NEW.shared := room > 1;
                    IF room IS NULL OR room = 1 THEN RETURN NEW; END IF;
                    SELECT max((
                        SELECT coalesce(sum(CASE purpose WHEN 'BLOCKED' THEN room ELSE 1 END), 0)
                        FROM catalogue_reservation
                        WHERE resource_id = NEW.resource_id AND live AND id <> NEW.id AND period @> since.at
                    )) INTO held FROM (
                        SELECT lower(NEW.period) AS at
                        UNION SELECT lower(period) FROM catalogue_reservation
                        WHERE resource_id = NEW.resource_id AND live AND id <> NEW.id
                            AND period && NEW.period AND lower(period) > lower(NEW.period)
                    ) since;
                    IF held + (CASE NEW.purpose WHEN 'BLOCKED' THEN room ELSE 1 END) > room THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="reservation.taken",
                text=_("That bay takes no more cars in this time; choose another time."),
            ),
        ]
        constraints = [
            ExclusionConstraint(
                name="reservation_no_overlap",
                expressions=[("resource", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(live=True, shared=False),
            ),
            models.CheckConstraint(
                name="reservation_bounded",
                condition=Q(period__isempty=False, period__lower_inf=False, period__upper_inf=False),
            ),
        ]
        indexes = [models.Index(F("store"), F("live"), name="reservation_store")]


class PlanState(models.TextChoices):
    """Life of one version of a maintenance plan (3.1)."""

    DRAFT = "DRAFT", pgettext_lazy("maintenance plan", "Being written")
    RELEASED = "RELEASED", pgettext_lazy("maintenance plan", "Released")


MAINTENANCE_PLAN_MOVES = {PlanState.DRAFT: {PlanState.RELEASED}, PlanState.RELEASED: set()}


class MaintenancePlan(Root):
    """One version of what the maker asks for: which work, after how many km or months (3.1).

    The cars it is for: make, series, model, powertrain; an empty one means any. The version with the narrowest fitting
    scope holds. From its release on only its last day may still be written, once.
    """

    store_path = None

    name = models.CharField(pgettext_lazy("thing", "name"), max_length=80)
    number = models.PositiveSmallIntegerField(_("version"))
    make = models.CharField(_("make"), max_length=40, blank=True)
    series = models.CharField(_("series"), max_length=60, blank=True)
    model = models.ForeignKey(VehicleModel, models.PROTECT, null=True, blank=True, related_name="+")
    powertrain = models.CharField(max_length=5, choices=Powertrain.choices, blank=True)
    source = models.CharField(_("taken from"), max_length=120, blank=True, help_text="the maker's book and its edition")
    state = models.CharField(max_length=8, choices=PlanState.choices, default=PlanState.DRAFT)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["make", "series", "model", "powertrain", "-number"]
        triggers = [
            states.versioned(),
            states.fsm(MAINTENANCE_PLAN_MOVES, field="state", name="maintenanceplan_moves"),
            states.fixed("maintenanceplan_scope_fixed", "make", "series", "model_id", "powertrain", "number"),
            states.guard(
                # 3.1: what cars were advised by stays readable; a change is a new version from a day on.
                "maintenanceplan_released_is_fixed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state = 'RELEASED'"),
                func="""
                    IF TG_OP = 'UPDATE' AND (OLD.ends_on IS NULL OR NEW.ends_on = OLD.ends_on)
                        AND to_jsonb(NEW) - ARRAY['ends_on', 'version', 'updated_at']
                            = to_jsonb(OLD) - ARRAY['ends_on', 'version', 'updated_at']
                    THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="plan.released",
                text=_("This version is released and stays as it is; write the next version."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["make", "series", "model", "powertrain", "number"],
                name="maintenanceplan_number",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["make", "series", "model", "powertrain"],
                name="maintenanceplan_one_draft",
                condition=Q(state=PlanState.DRAFT),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="maintenanceplan_dated",
                condition=Q(state=PlanState.DRAFT, starts_on__isnull=True, ends_on__isnull=True)
                | Q(state=PlanState.RELEASED, starts_on__isnull=False),
            ),
            models.CheckConstraint(
                name="maintenanceplan_period", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
            ExclusionConstraint(
                name="maintenanceplan_one_a_day",
                expressions=[
                    ("make", RangeOperators.EQUAL),
                    ("series", RangeOperators.EQUAL),
                    (Coalesce("model", models.Value(0), output_field=models.BigIntegerField()), RangeOperators.EQUAL),
                    ("powertrain", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state=PlanState.RELEASED),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def release(self, *, starts_on: date) -> None:
        """3.1: holds from a day on; nothing of it changes afterwards."""
        states.require(MAINTENANCE_PLAN_MOVES, PlanState(self.state), PlanState.RELEASED)
        self.state, self.starts_on = PlanState.RELEASED, starts_on


class MaintenanceItem(models.Model):
    """One piece of work of a plan: due after so many km or months, whichever comes first, counted from the last time.

    ``first_…`` counts from the new car where the first time differs; without ``repeats`` it is due once. ``severe_…``
    holds for cars whose use is hard: as the owner told it, or driven much (``workshop.severe_km_a_year``).
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    plan = models.ForeignKey(MaintenancePlan, models.CASCADE, related_name="items")
    operation = models.ForeignKey(Operation, models.PROTECT, related_name="+")
    every_km = models.PositiveIntegerField(null=True, blank=True)
    every_months = models.PositiveSmallIntegerField(null=True, blank=True)
    first_km = models.PositiveIntegerField(null=True, blank=True)
    first_months = models.PositiveSmallIntegerField(null=True, blank=True)
    severe_km = models.PositiveIntegerField(null=True, blank=True)
    severe_months = models.PositiveSmallIntegerField(null=True, blank=True)
    repeats = models.BooleanField(default=True)

    class Meta:
        ordering = ["plan", "operation__code"]
        triggers = [
            states.ShownIn("plan"),
            states.guard(
                "maintenanceitem_of_a_draft",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP <> 'INSERT' AND EXISTS (
                        SELECT 1 FROM catalogue_maintenanceplan WHERE id = OLD.plan_id AND state <> 'DRAFT'
                    ) THEN {refuse} END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    PERFORM 1 FROM catalogue_maintenanceplan WHERE id = NEW.plan_id AND state = 'DRAFT' FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="plan.released",
                text=_("This version is released and stays as it is; write the next version."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["plan", "operation"], name="maintenanceitem_once"),
            models.CheckConstraint(
                name="maintenanceitem_interval",
                condition=Q(every_km__isnull=False, every_km__gte=500)
                | Q(every_km__isnull=True, every_months__isnull=False),
            ),
            models.CheckConstraint(
                name="maintenanceitem_months",
                condition=Q(every_months__isnull=True) | Q(every_months__isnull=False, every_months__gte=1),
            ),
            models.CheckConstraint(
                name="maintenanceitem_severe",
                condition=(Q(severe_km__isnull=True) | Q(every_km__isnull=False, severe_km__lte=F("every_km")))
                & (Q(severe_months__isnull=True) | Q(every_months__isnull=False, severe_months__lte=F("every_months"))),
            ),
        ]


explain_constraint(
    "maintenanceplan_one_draft", "plan.draft_exists", _("A next version for these cars is being written already.")
)
explain_constraint(
    "maintenanceplan_one_a_day", "plan.overlap", _("On some of these days another version holds for these cars.")
)
explain_constraint("maintenanceitem_once", "plan_item.once", _("This work stands in the plan already."))
explain_constraint("maintenanceitem_interval", "plan_item.interval", _("Say after how many km or months it is due."))


explain_constraint("catalogue_operation_code_key", "operation.exists", _("An operation has this code already."))
explain_constraint("catalogue_part_number_key", "part.exists", _("The master has a part of this number already."))
explain_constraint(
    "reservation_no_overlap",
    "reservation.taken",
    _("That bay or person has just been taken for this time; choose another time."),
)
explain_constraint("reservation_bounded", "reservation.period", _("A plan needs a beginning and an end after it."))
explain_constraint("laborrate_one_a_day", "rate.overlap", _("On some of these days a labour rate is already set."))
explain_constraint("modelprice_one_a_day", "price.overlap", _("On some of these days a price is already set."))
explain_constraint("partprice_one_a_day", "price.overlap", _("On some of these days a price is already set."))
explain_constraint("resource_tool_kind", "resource.tool", _("Only a special tool is of a kind of tool."))
explain_constraint("resource_capacity", "resource.capacity", _("Only a bay takes several cars, nine at most."))
explain_constraint("resource_efficiency", "resource.efficiency", _("A person's efficiency lies between 10 and 200 %."))


# --- check sheets (3.1) ---
from dealership.catalogue.check_models import CheckItem, CheckLimit, CheckTemplate  # noqa: E402, F401  (found with the room's models)

# --- hours of an operation on one model (3.2) ---
from dealership.catalogue.hours_models import OperationHours  # noqa: E402, F401

# --- several pieces of work at one price (3.1) ---
from dealership.catalogue.package_models import PackageItem, PackagePart, ServicePackage  # noqa: E402, F401  (found with the room's models)

# --- which part follows another one (3.2) ---
from dealership.catalogue.part_models import PartReplacement, ReplacementKind  # noqa: E402, F401  (found with the room's models)
