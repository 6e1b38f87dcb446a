"""Check sheets as they are written: versions of a template with its items and what counts as good, worn and bad (3.1)."""

from __future__ import annotations

import uuid
from datetime import date
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Operation, PlanState, Powertrain, VehicleModel
from dealership.kernel import states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import DateRange, Root
from dealership.kernel.saying import in_language

CHECK_TEMPLATE_MOVES = {PlanState.DRAFT: {PlanState.RELEASED}, PlanState.RELEASED: set()}


class CheckSection(models.TextChoices):
    """Where at the car one stands; sheets are walked in this order."""

    INTERIOR = "INTERIOR", pgettext_lazy("check sheet", "Inside the car")
    LIGHTS = "LIGHTS", pgettext_lazy("check sheet", "Lights and view")
    UNDER_HOOD = "UNDER_HOOD", pgettext_lazy("check sheet", "Under the bonnet")
    HIGH_VOLTAGE = "HIGH_VOLTAGE", pgettext_lazy("check sheet", "High voltage")
    TYRES = "TYRES", pgettext_lazy("check sheet", "Tyres")
    BRAKES = "BRAKES", pgettext_lazy("check sheet", "Brakes")
    UNDER_CAR = "UNDER_CAR", pgettext_lazy("check sheet", "Under the car")
    BODY = "BODY", pgettext_lazy("check sheet", "Body")
    END = "END", pgettext_lazy("check sheet", "At the end")


class CheckKind(models.TextChoices):
    """How an item is answered."""

    RATING = "RATING", pgettext_lazy("check item", "Good, worn, bad")
    NUMBER = "NUMBER", pgettext_lazy("check item", "A measured value")
    TYRE_MAP = "TYRE_MAP", pgettext_lazy("check item", "One value a tyre")
    BRAKE_MAP = "BRAKE_MAP", pgettext_lazy("check item", "One value a brake")
    PHOTO = "PHOTO", pgettext_lazy("check item", "A photo")
    NOTE = "NOTE", pgettext_lazy("check item", "Words")


class CheckStage(models.TextChoices):
    """The inspections the law asks of second-class maintenance, assembly and whole-vehicle repair (domain 3.4)."""

    BEFORE = "BEFORE", pgettext_lazy("stage of a check sheet", "Diagnosis before the repair")
    PROCESS = "PROCESS", pgettext_lazy("stage of a check sheet", "Check during the repair")
    FINAL = "FINAL", pgettext_lazy("stage of a check sheet", "Check at completion")


MEASURED = (CheckKind.NUMBER, CheckKind.TYRE_MAP, CheckKind.BRAKE_MAP)
READINGS = {CheckKind.NUMBER: 1, CheckKind.TYRE_MAP: 4, CheckKind.BRAKE_MAP: 4}
"""How many values an answer has; maps: left front, right front, left rear, right rear."""

BOUNDS = ("red_below", "yellow_below", "yellow_above", "red_above")


class CheckTemplate(Root):
    """One version of a check sheet. From its release on only its last day may still be written, once."""

    store_path = None

    code = models.CharField(max_length=12, help_text="the same in all versions")
    number = models.PositiveSmallIntegerField(_("version"))
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=60)
    name_en = models.CharField(max_length=60, blank=True)
    with_maintenance = models.BooleanField(default=False, help_text="belongs to every maintenance")
    stage = models.CharField(
        max_length=7, choices=CheckStage.choices, blank=True, db_default="", help_text="which inspection the law asks"
    )
    state = models.CharField(max_length=8, choices=PlanState.choices, default=PlanState.DRAFT)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["code", "-number"]
        triggers = [
            states.versioned(),
            states.fsm(CHECK_TEMPLATE_MOVES, field="state", name="checktemplate_moves"),
            states.fixed("checktemplate_code_fixed", "code", "number"),
            states.guard(
                # 3.1: what cars were checked by stays readable; a change is a new version from a day on.
                "checktemplate_released_is_fixed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state = 'RELEASED'"),
                func="""
                    IF TG_OP = 'UPDATE' AND (OLD.ends_on IS NULL OR NEW.ends_on = OLD.ends_on)
                        AND to_jsonb(NEW) - ARRAY['ends_on', 'version', 'updated_at']
                            = to_jsonb(OLD) - ARRAY['ends_on', 'version', 'updated_at']
                    THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="template.released",
                text=_("This version is released and stays as it is; write the next version."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["code", "number"], name="checktemplate_number"),
            models.UniqueConstraint(
                fields=["code"], name="checktemplate_one_draft", condition=Q(state=PlanState.DRAFT)
            ),
            models.CheckConstraint(name="checktemplate_code", condition=Q(code__regex=r"^[A-Z][A-Z0-9-]{1,11}$")),
            models.CheckConstraint(
                name="checktemplate_dated",
                condition=Q(state=PlanState.DRAFT, starts_on__isnull=True, ends_on__isnull=True)
                | Q(state=PlanState.RELEASED, starts_on__isnull=False),
            ),
            models.CheckConstraint(
                name="checktemplate_period", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
            ExclusionConstraint(
                name="checktemplate_one_a_day",
                expressions=[
                    ("code", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state=PlanState.RELEASED),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        return in_language(self.name, self.name_en)

    def release(self, *, starts_on: date) -> None:
        """3.1: holds from a day on; nothing of it changes afterwards."""
        states.require(CHECK_TEMPLATE_MOVES, PlanState(self.state), PlanState.RELEASED)
        self.state, self.starts_on = PlanState.RELEASED, starts_on


def bounds_in_order(name: str) -> models.CheckConstraint:
    """Bad lies beyond worn on either side; where a lower and an upper bound stand, good has room between them."""

    def rises(low: str, high: str) -> Q:
        return Q(**{f"{low}__isnull": True}) | Q(**{f"{high}__isnull": True}) | Q(**{f"{low}__lt": F(high)})

    condition = Q()
    for place, low in enumerate(BOUNDS):
        for high in BOUNDS[place + 1 :]:
            condition &= rises(low, high)
    return models.CheckConstraint(name=name, condition=condition)


OF_A_DRAFT = """
    IF TG_OP <> 'INSERT' AND EXISTS ({old} AND state <> 'DRAFT') THEN {refuse} END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    PERFORM 1 FROM catalogue_checktemplate WHERE id = ({new}) AND state = 'DRAFT' FOR SHARE;
    IF NOT FOUND THEN {refuse} END IF;
    RETURN NEW;
"""


def of_a_draft(name: str, old: str, new: str) -> pgtrigger.Trigger:
    """A row of a version moves only while that version is being written."""
    return states.guard(
        name,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func=OF_A_DRAFT.replace("{old}", old).replace("{new}", new),
        code="template.released",
        text=_("This version is released and stays as it is; write the next version."),
    )


class CheckItem(models.Model):
    """What is looked at. ``code`` stays the same through the versions, so that a car's earlier readings stand beside.

    A measured value judges itself: under ``red_below`` or over ``red_above`` bad, under ``yellow_below`` or over
    ``yellow_above`` worn. ``powertrains``: only for cars of these, empty for all.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    template = models.ForeignKey(CheckTemplate, models.CASCADE, related_name="items")
    code = models.CharField(max_length=24)
    position = models.PositiveSmallIntegerField()
    section = models.CharField(max_length=12, choices=CheckSection.choices)
    kind = models.CharField(max_length=9, choices=CheckKind.choices, default=CheckKind.RATING)
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=60)
    name_en = models.CharField(max_length=80, blank=True)
    hint = models.CharField(max_length=120, blank=True)
    unit = models.CharField(max_length=8, blank=True)
    is_safety = models.BooleanField(default=False)
    powertrains = ArrayField(models.CharField(max_length=5, choices=Powertrain.choices), default=list, blank=True)
    red_below = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    yellow_below = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    yellow_above = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    red_above = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    operation = models.ForeignKey(
        Operation, models.PROTECT, null=True, blank=True, related_name="+", help_text="what mends it"
    )

    class Meta:
        ordering = ["template", "position", "id"]
        triggers: ClassVar = [
            states.ShownIn("template"),
            of_a_draft(
                "checkitem_of_a_draft",
                "SELECT 1 FROM catalogue_checktemplate WHERE id = OLD.template_id",
                "NEW.template_id",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["template", "code"], name="checkitem_once"),
            models.CheckConstraint(name="checkitem_code", condition=Q(code__regex=r"^[A-Z][A-Z0-9-]{1,23}$")),
            bounds_in_order("checkitem_bounds"),
            models.CheckConstraint(
                name="checkitem_measured",
                condition=Q(kind__in=MEASURED) & ~Q(unit="")
                | ~Q(kind__in=MEASURED) & Q(unit="", **{f"{bound}__isnull": True for bound in BOUNDS}),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        return in_language(self.name, self.name_en)

    @property
    def energies(self) -> list[str]:
        return [str(Powertrain(code).label) for code in self.powertrains]

    @property
    def is_bounded(self) -> bool:
        return any(getattr(self, bound) is not None for bound in BOUNDS)


class CheckLimit(models.Model):
    """Other bounds of an item for cars of one model or of one kind of energy; the model's go before the energy's."""

    item = models.ForeignKey(CheckItem, models.CASCADE, related_name="limits")
    model = models.ForeignKey(VehicleModel, models.PROTECT, null=True, blank=True, related_name="+")
    powertrain = models.CharField(max_length=5, choices=Powertrain.choices, blank=True)
    red_below = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    yellow_below = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    yellow_above = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    red_above = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)

    class Meta:
        ordering = ["item", "id"]
        triggers: ClassVar = [
            states.ShownIn("item__template"),
            of_a_draft(
                "checklimit_of_a_draft",
                "SELECT 1 FROM catalogue_checktemplate t JOIN catalogue_checkitem i ON i.template_id = t.id "
                "WHERE i.id = OLD.item_id",
                "SELECT template_id FROM catalogue_checkitem WHERE id = NEW.item_id",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "model", "powertrain"], name="checklimit_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="checklimit_scope",
                condition=Q(model__isnull=False, powertrain="") | Q(model__isnull=True) & ~Q(powertrain=""),
            ),
            bounds_in_order("checklimit_bounds"),
        ]


explain_constraint(
    "checktemplate_one_draft", "template.draft_exists", _("A next version of this sheet is being written already.")
)
explain_constraint(
    "checktemplate_one_a_day", "template.overlap", _("On some of these days another version of this sheet holds.")
)
explain_constraint(
    "checktemplate_code",
    "template.code",
    _("A code begins with a letter and has 2 to 12 capital letters, digits or hyphens."),
)
explain_constraint(
    "checktemplate_number", "template.exists", _("There is a sheet with this code; write its next version.")
)
explain_constraint("checkitem_once", "check_item.once", _("This code stands in the sheet already."))
explain_constraint("checkitem_bounds", "check_item.bounds", _("Bad lies beyond worn, and good has room between them."))
explain_constraint("checklimit_bounds", "check_item.bounds", _("Bad lies beyond worn, and good has room between them."))
explain_constraint(
    "checkitem_measured", "check_item.unit", _("Name the unit of what is measured; only that has a unit and bounds.")
)
