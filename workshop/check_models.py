"""Check sheets as they are filled at the car: answers, photos, what was offered of them; signed, they stay (3.1)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.check_models import CheckItem, CheckTemplate
from dealership.catalogue.models import Powertrain
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, StoredFile
from reception.models import Vehicle
from staff.models import Employee


class SheetState(models.TextChoices):
    OPEN = "OPEN", pgettext_lazy("check sheet", "Being filled in")
    SIGNED = "SIGNED", pgettext_lazy("check sheet", "Signed")


SHEET_MOVES: dict[SheetState, set[SheetState]] = {SheetState.OPEN: {SheetState.SIGNED}, SheetState.SIGNED: set()}


class Verdict(models.TextChoices):
    GREEN = "GREEN", pgettext_lazy("check sheet", "Good")
    YELLOW = "YELLOW", pgettext_lazy("check sheet", "Soon")
    RED = "RED", pgettext_lazy("check sheet", "Bad")
    NA = "NA", pgettext_lazy("check sheet", "Not there")
    NOTED = "NOTED", pgettext_lazy("check sheet", "Noted")


JUDGED = (Verdict.GREEN, Verdict.YELLOW, Verdict.RED, Verdict.NA)
FINDINGS = (Verdict.YELLOW, Verdict.RED)
VERDICT_STAGES = {
    Verdict.GREEN: "ready",
    Verdict.YELLOW: "wait",
    Verdict.RED: "late",
    Verdict.NA: "booked",
    Verdict.NOTED: "booked",
}


class CheckSheet(Root):
    """One walk over a car of an order by a version of a template (3.1). ``powertrain`` decides which items apply."""

    link_path = "order__visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    order = models.ForeignKey("workshop.RepairOrder", models.PROTECT, related_name="sheets")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="sheets")
    template = models.ForeignKey(CheckTemplate, models.PROTECT, related_name="+")
    powertrain = models.CharField(max_length=5, choices=Powertrain.choices)
    turn = models.PositiveSmallIntegerField(default=1, db_default=1)
    """A sheet of an inspection that the law asks is filled in again after rework; all others have one turn."""
    state = models.CharField(max_length=6, choices=SheetState.choices, default=SheetState.OPEN)
    started_at = models.DateTimeField(default=clock.now)
    started_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fsm(SHEET_MOVES, field="state", name="checksheet_moves"),
            states.fixed("checksheet_fixed", "store_id", "order_id", "vehicle_id", "template_id", "powertrain", "turn"),
            states.guard(
                # 3.1: what was signed at the car is never changed.
                "checksheet_signed_is_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state = 'SIGNED'"),
                func="{refuse}",
                unchanged_passes=True,
                code="sheet.signed",
                text=_("This sheet is signed and stays as it is."),
            ),
            states.guard(
                # 3.1: signed is only what was looked at: every item of this kind of car; bad ones with words or photo.
                "checksheet_complete",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'OPEN' AND NEW.state = 'SIGNED'"),
                func="""
                    IF EXISTS (
                        SELECT 1 FROM catalogue_checkitem i
                        LEFT JOIN workshop_checkanswer a ON a.item_id = i.id AND a.sheet_id = NEW.id
                        WHERE i.template_id = NEW.template_id
                            AND (cardinality(i.powertrains) = 0 OR NEW.powertrain = ANY (i.powertrains))
                            AND (
                                (a.id IS NULL AND i.kind NOT IN ('NOTE', 'PHOTO'))
                                OR (a.verdict = 'RED' AND a.note = '' AND NOT EXISTS (
                                    SELECT 1 FROM workshop_checkphoto p WHERE p.sheet_id = NEW.id AND p.item_id = i.id))
                                OR (i.kind = 'PHOTO' AND NOT EXISTS (
                                    SELECT 1 FROM workshop_checkphoto p WHERE p.sheet_id = NEW.id AND p.item_id = i.id))
                            )
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.incomplete",
                text=_("Answer every item first; what is bad needs words or a photo."),
            ),
            states.guard(
                # 3.2: only what the law asks is looked at again, once the sheet before is signed.
                "checksheet_again",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.turn <> 1"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM catalogue_checktemplate t JOIN catalogue_checktemplate w ON w.code = t.code
                        JOIN workshop_checksheet s ON s.template_id = w.id
                        WHERE t.id = NEW.template_id AND t.stage <> '' AND s.order_id = NEW.order_id
                        AND s.turn = NEW.turn - 1 AND s.state = 'SIGNED') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.there",
                text=_("This order has this sheet already; go on with that one."),
            ),
            states.guard(
                # domain 3.4: the check at completion is signed by somebody who didn't do the work.
                "checksheet_final_by_other",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'OPEN' AND NEW.state = 'SIGNED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM catalogue_checktemplate t
                        JOIN workshop_orderline l ON l.order_id = NEW.order_id
                        JOIN workshop_clocking c ON c.line_id = l.id AND c.employee_id = NEW.signed_by_id
                        WHERE t.id = NEW.template_id AND t.stage = 'FINAL') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.own_work",
                text=_("Who worked on the car can't sign its check at completion (3.2)."),
            ),
            states.guard(
                # domain 3.4: what was measured for the law was measured with something that has a name and is in date.
                "checksheet_measured_with",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'OPEN' AND NEW.state = 'SIGNED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM catalogue_checktemplate t
                        JOIN workshop_checkanswer a ON a.sheet_id = NEW.id AND cardinality(a.readings) > 0
                        WHERE t.id = NEW.template_id AND t.stage <> '')
                    AND NOT EXISTS (SELECT 1 FROM workshop_sheettool u JOIN workshop_toolasset m ON m.id = u.tool_id
                        WHERE u.sheet_id = NEW.id AND m.tool_class = 'MEASURING') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.instruments",
                text=_("Name what was measured with: at least one measuring instrument that is in date (3.4)."),
            ),
            states.guard(
                "checksheet_tools_in_date",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'OPEN' AND NEW.state = 'SIGNED'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_sheettool u JOIN workshop_toolasset t ON t.id = u.tool_id
                        JOIN kernel_store s ON s.id = t.store_id
                        WHERE u.sheet_id = NEW.id AND t.check_months IS NOT NULL
                        AND COALESCE(t.valid_until, '-infinity'::date) < (NEW.signed_at AT TIME ZONE s.time_zone)::date)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.expired",
                text=_("An instrument whose calibration has run out can't be named on an inspection (3.4)."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order", "template", "turn"], name="checksheet_once"),
            models.CheckConstraint(
                name="checksheet_signed",
                condition=Q(state=SheetState.OPEN, signed_at__isnull=True, signed_by__isnull=True)
                | Q(state=SheetState.SIGNED, signed_at__isnull=False, signed_by__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["vehicle", "-signed_at"], name="checksheet_vehicle")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


def while_open(name: str) -> pgtrigger.Trigger:
    """A row of a sheet comes, changes and goes only while the sheet is being filled in."""
    return states.guard(
        name,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func="""
            PERFORM 1 FROM workshop_checksheet s
                WHERE s.id = COALESCE(OLD.sheet_id, NEW.sheet_id) AND s.state = 'OPEN' FOR SHARE;
            IF NOT FOUND THEN {refuse} END IF;
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
        """,
        code="sheet.signed",
        text=_("This sheet is signed and stays as it is."),
    )


class CheckAnswer(models.Model):
    """What one item was found to be. ``readings``: one value, or left front, right front, left rear, right rear."""

    sheet = models.ForeignKey(CheckSheet, models.PROTECT, related_name="answers")
    item = models.ForeignKey(CheckItem, models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=6, choices=Verdict.choices)
    readings = ArrayField(models.DecimalField(max_digits=8, decimal_places=2), default=list, blank=True)
    note = models.CharField(max_length=200, blank=True)
    as_rest = models.BooleanField(default=False, help_text="good with the rest, in one tap")
    answered_at = models.DateTimeField(default=clock.now)
    answered_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["item__position", "id"]
        triggers = [
            states.ShownIn("sheet"),
            while_open("checkanswer_while_open"),
            states.fixed("checkanswer_fixed", "sheet_id", "item_id"),
            states.guard(
                # 3.1: an answer is of the sheet's own items and of their kind.
                "checkanswer_fits",
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM workshop_checksheet s JOIN catalogue_checkitem i ON i.template_id = s.template_id
                        WHERE s.id = NEW.sheet_id AND i.id = NEW.item_id AND CASE
                            WHEN i.kind IN ('PHOTO', 'NOTE') THEN NEW.verdict = 'NOTED' AND cardinality(NEW.readings) = 0
                            WHEN i.kind = 'RATING' THEN NEW.verdict <> 'NOTED' AND cardinality(NEW.readings) = 0
                            WHEN NEW.verdict = 'NA' THEN cardinality(NEW.readings) = 0
                            ELSE NEW.verdict <> 'NOTED'
                                AND cardinality(NEW.readings) = CASE i.kind WHEN 'NUMBER' THEN 1 ELSE 4 END
                                AND array_position(NEW.readings, NULL) IS NULL
                        END
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.answer",
                text=_("This answer doesn't fit the item; look at the sheet again."),
            ),
            states.guard(
                # 3.1: what safety hangs on is looked at one by one.
                "checkanswer_rest_spares_safety",
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.as_rest"),
                func="""
                    IF NEW.verdict <> 'GREEN' OR EXISTS (
                        SELECT 1 FROM catalogue_checkitem i
                        WHERE i.id = NEW.item_id AND (i.is_safety OR i.kind <> 'RATING')
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.safety",
                text=_("Safety items are answered one by one."),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["sheet", "item"], name="checkanswer_once")]


class CheckPhoto(Root):
    """A picture of an item, taken at the car."""

    store_path = "sheet__store_id"
    link_path = "sheet__order__visit_id"

    sheet = models.ForeignKey(CheckSheet, models.PROTECT, related_name="photos")
    item = models.ForeignKey(CheckItem, models.PROTECT, related_name="+")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.ShownIn("sheet"),
            while_open("checkphoto_while_open"),
            states.append_only("checkphoto_append_only"),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.sheet.history_keys()


class CheckOffer(models.Model):
    """The order's line that was written for a worn or bad item."""

    sheet = models.ForeignKey(CheckSheet, models.PROTECT, related_name="offers")
    item = models.ForeignKey(CheckItem, models.PROTECT, related_name="+")
    line = models.OneToOneField("workshop.OrderLine", models.PROTECT, related_name="check_offer")

    class Meta:
        ordering = ["id"]
        triggers = [
            states.ShownIn("sheet"),
            states.append_only("checkoffer_append_only"),
            states.guard(
                "checkoffer_of_a_finding",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM workshop_checkanswer a JOIN workshop_checksheet s ON s.id = a.sheet_id
                        JOIN workshop_orderline l ON l.id = NEW.line_id AND l.order_id = s.order_id
                        WHERE a.sheet_id = NEW.sheet_id AND a.item_id = NEW.item_id AND a.verdict IN ('YELLOW', 'RED')
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.finding",
                text=_("Only what was found worn or bad is offered, on the order of this sheet."),
            ),
        ]


explain_constraint("checksheet_once", "sheet.there", _("This order has this sheet already; go on with that one."))
explain_constraint(
    "checkanswer_once", "sheet.twice", _("Somebody has just answered this item; look at the sheet again.")
)
