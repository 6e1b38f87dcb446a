"""Tools of the crib: what there is, who has it out, what it was tested for, what an inspection was done with (3.4)."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Resource
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, StoredFile
from dealership.kernel.saying import say_name
from staff.models import Employee


class ToolClass(models.TextChoices):
    """Classes of domain 3.7."""

    GENERAL = "GENERAL", _("General tool")
    SPECIAL = "SPECIAL", _("Special tool")
    DIAGNOSTIC = "DIAGNOSTIC", _("Diagnostic device")
    MEASURING = "MEASURING", _("Measuring instrument")
    LIFTING = "LIFTING", _("Lifting equipment")
    INSULATED = "INSULATED", _("Insulating equipment")


class AssetKind(models.TextChoices):
    """What a tool is; its class and its interval follow from it."""

    GENERAL = "GENERAL", _("Other general tool")
    SPECIAL = "SPECIAL", _("Other special tool")
    DIAGNOSTIC = "DIAGNOSTIC", _("Diagnostic tester")
    TORQUE_WRENCH = "TORQUE_WRENCH", _("Torque wrench")
    TYRE_GAUGE = "TYRE_GAUGE", _("Tyre pressure gauge")
    PRESSURE_GAUGE = "PRESSURE_GAUGE", _("Pressure gauge")
    EXHAUST_ANALYSER = "EXHAUST_ANALYSER", _("Exhaust gas analyser")
    WHEEL_ALIGNER = "WHEEL_ALIGNER", _("Wheel aligner")
    MULTIMETER = "MULTIMETER", _("Multimeter")
    INSULATION_TESTER = "INSULATION_TESTER", _("Insulation tester")
    BRAKE_TESTER = "BRAKE_TESTER", _("Brake tester")
    HEADLAMP_TESTER = "HEADLAMP_TESTER", _("Headlamp tester")
    MEASURING = "MEASURING", _("Other measuring instrument")
    LIFT = "LIFT", _("Lift")
    JACK = "JACK", _("Jack")
    GLOVES = "GLOVES", _("Insulating gloves")
    INSULATED_TOOL = "INSULATED_TOOL", _("Insulated tool")


K, C = AssetKind, ToolClass
CLASS_OF: dict[AssetKind, ToolClass] = {
    K.GENERAL: C.GENERAL,
    K.SPECIAL: C.SPECIAL,
    K.DIAGNOSTIC: C.DIAGNOSTIC,
    K.LIFT: C.LIFTING,
    K.JACK: C.LIFTING,
    K.GLOVES: C.INSULATED,
    K.INSULATED_TOOL: C.INSULATED,
} | dict.fromkeys(
    (
        K.TORQUE_WRENCH, K.TYRE_GAUGE, K.PRESSURE_GAUGE, K.EXHAUST_ANALYSER, K.WHEEL_ALIGNER, K.MULTIMETER,
        K.INSULATION_TESTER, K.BRAKE_TESTER, K.HEADLAMP_TESTER, K.MEASURING,
    ),
    C.MEASURING,
)  # fmt: skip
TESTED_KINDS = tuple(sorted({k for k, c in CLASS_OF.items() if c == C.MEASURING} | {K.LIFT, K.GLOVES}))
"""Kinds that are never without an interval: measuring instruments, lifts and insulating gloves (domain 3.7)."""


class ToolState(models.TextChoices):
    """States of domain 3.7."""

    AVAILABLE = "AVAILABLE", pgettext_lazy("tool", "Available")
    ISSUED = "ISSUED", pgettext_lazy("tool", "Out")
    TO_CHECK = "TO_CHECK", pgettext_lazy("tool", "To be checked")
    OUT_OF_ORDER = "OUT_OF_ORDER", pgettext_lazy("tool", "Out of use")
    SCRAPPED = "SCRAPPED", pgettext_lazy("tool", "Scrapped")


T = ToolState
TOOL_MOVES: dict[ToolState, set[ToolState]] = {
    T.AVAILABLE: {T.ISSUED, T.TO_CHECK, T.OUT_OF_ORDER, T.SCRAPPED},
    T.ISSUED: {T.AVAILABLE, T.TO_CHECK},
    T.TO_CHECK: {T.AVAILABLE, T.OUT_OF_ORDER, T.SCRAPPED},
    T.OUT_OF_ORDER: {T.AVAILABLE, T.SCRAPPED},
    T.SCRAPPED: set(),
}
STOPPED = (T.TO_CHECK, T.OUT_OF_ORDER)
"""In the shop and not to be used until a check passes."""
TOOL_COLORS = {
    T.AVAILABLE: "ready",
    T.ISSUED: "work",
    T.TO_CHECK: "inspect",
    T.OUT_OF_ORDER: "wait",
    T.SCRAPPED: "booked",
}

IN_DATE = "(t.check_months IS NULL OR t.valid_until >= (NEW.{at} AT TIME ZONE s.time_zone)::date)"


class ToolAsset(Root):
    """One tool with its number and label (3.4). Out and back by ``ToolIssue``, in date by ``ToolCheck``: never by hand."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(_("number"), max_length=20)
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=60)
    kind = models.CharField(max_length=20, choices=AssetKind.choices)
    tool_class = models.CharField(max_length=10, choices=ToolClass.choices)
    maker = models.CharField(_("maker and type"), max_length=60, blank=True)
    serial = models.CharField(_("serial number"), max_length=40, blank=True)
    place = models.CharField(_("kept at"), max_length=40)
    keeper = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=ToolState.choices, default=ToolState.AVAILABLE)
    state_note = models.CharField(max_length=200, blank=True)
    check_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="interval of its calibration or test"
    )
    valid_until = models.DateField(null=True, blank=True, help_text="last day on which it may be used")
    photo = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    resource = models.OneToOneField(
        Resource, models.PROTECT, null=True, blank=True, related_name="asset", help_text="the special tool of the plan"
    )
    bay = models.ForeignKey(
        Resource, models.PROTECT, null=True, blank=True, related_name="lifts", help_text="where a lift stands"
    )

    class Meta:
        ordering = ["number"]
        triggers = [
            states.versioned(),
            states.guard(
                "toolasset_resource",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("resource_id"),
                condition=pgtrigger.Condition("NEW.resource_id IS NOT NULL"),
                func="""
                    PERFORM 1 FROM catalogue_resource r
                        WHERE r.id = NEW.resource_id AND r.store_id = NEW.store_id AND r.kind = 'TOOL';
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.resource",
                text=_("A tool stands for a special tool of its own store's plan."),
            ),
            states.guard(
                # 3.4: a lift shuts the bay it stands in, so the two hang together by a key.
                "toolasset_bay",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("bay_id"),
                condition=pgtrigger.Condition("NEW.bay_id IS NOT NULL"),
                func="""
                    PERFORM 1 FROM catalogue_resource r
                        WHERE r.id = NEW.bay_id AND r.store_id = NEW.store_id AND r.kind = 'BAY' AND NEW.kind = 'LIFT';
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.bay",
                text=_("A lift stands in a bay of its own store (3.4)."),
            ),
            states.fixed("toolasset_fixed", "store_id", "number", "kind", "tool_class"),
            states.fsm(TOOL_MOVES, field="state", name="toolasset_moves"),
            states.guard(
                # 3.4: out and back are written by an issue and its return, back into use by a check that passed.
                "toolasset_state_by_rows",
                operation=pgtrigger.UpdateOf("state"),
                func="""
                    IF NEW.state IS DISTINCT FROM OLD.state AND pg_trigger_depth() < 2
                        AND (NEW.state IN ('ISSUED', 'AVAILABLE') OR OLD.state = 'ISSUED') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.state",
                text=_("A tool goes out and comes back by its issue, and back into use by a check it passed (3.4)."),
            ),
            states.guard(
                "toolasset_valid_by_check",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("valid_until"),
                func="""
                    IF (TG_OP = 'INSERT' AND NEW.valid_until IS NOT NULL)
                        OR (TG_OP = 'UPDATE' AND NEW.valid_until IS DISTINCT FROM OLD.valid_until
                            AND pg_trigger_depth() < 2) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.valid",
                text=_("How long a tool may be used follows from its last calibration or test (3.4)."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="toolasset_number", fields=["store", "number"]),
            models.CheckConstraint(
                name="toolasset_class_of_kind",
                condition=Q(tool_class=C.GENERAL, kind=K.GENERAL)
                | Q(tool_class=C.SPECIAL, kind=K.SPECIAL)
                | Q(tool_class=C.DIAGNOSTIC, kind=K.DIAGNOSTIC)
                | Q(tool_class=C.LIFTING, kind__in=[K.LIFT, K.JACK])
                | Q(tool_class=C.INSULATED, kind__in=[K.GLOVES, K.INSULATED_TOOL])
                | Q(tool_class=C.MEASURING, kind__in=sorted(k for k, c in CLASS_OF.items() if c == C.MEASURING)),
            ),
            models.CheckConstraint(
                name="toolasset_interval",
                condition=Q(check_months__isnull=False, check_months__gte=1, check_months__lte=60)
                | (Q(check_months__isnull=True) & ~Q(kind__in=TESTED_KINDS)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {say_name(self.name)}"

    @property
    def state_color(self) -> str:
        return TOOL_COLORS[ToolState(self.state)]


explain_constraint("toolasset_number", "tool.number", _("The store has a tool with this number already."))
explain_constraint(
    "toolasset_interval",
    "tool.interval",
    _("Measuring instruments, lifts and insulating gloves have an interval of 1 to 60 months (3.4)."),
)


class ToolCondition(models.TextChoices):
    GOOD = "GOOD", pgettext_lazy("tool", "In order")
    DAMAGED = "DAMAGED", pgettext_lazy("tool", "Damaged")


class ToolIssue(Root):
    """One tool out with one person, until it is back and its condition is written down (3.4)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    tool = models.ForeignKey(ToolAsset, models.PROTECT, related_name="issues")
    employee = models.ForeignKey(Employee, models.PROTECT, related_name="tool_issues")
    issued_at = models.DateTimeField(default=clock.now)
    note_out = models.CharField(max_length=200, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    condition_in = models.CharField(max_length=8, choices=ToolCondition.choices, blank=True)
    note_in = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fixed("toolissue_fixed", "store_id", "tool_id", "employee_id", "issued_at"),
            states.guard(
                # 3.4: what is out, damaged, out of use or scrapped isn't given out; the tool is held, so no two get it.
                "toolissue_available",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_toolasset t WHERE t.id = NEW.tool_id AND t.store_id = NEW.store_id
                        AND t.state = 'AVAILABLE' AND NEW.returned_at IS NULL FOR NO KEY UPDATE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.unavailable",
                text=_("Only a tool that is there and in order can be taken out (3.4)."),
            ),
            states.guard(
                "toolissue_in_date",
                operation=pgtrigger.Insert,
                func=f"""
                    PERFORM 1 FROM workshop_toolasset t JOIN kernel_store s ON s.id = t.store_id
                        WHERE t.id = NEW.tool_id AND {IN_DATE.format(at="issued_at")};
                    IF NOT FOUND THEN {{refuse}} END IF;
                    RETURN NEW;
                """,
                code="tool.expired",
                text=_("A tool whose calibration or test has run out isn't given out (3.4)."),
            ),
            states.guard(
                "toolissue_ends_once",
                operation=pgtrigger.UpdateOf("returned_at", "condition_in"),
                condition=pgtrigger.Condition("OLD.returned_at IS NOT NULL"),
                func="""
                    IF ROW(NEW.returned_at, NEW.condition_in) IS DISTINCT FROM ROW(OLD.returned_at, OLD.condition_in)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.returned",
                text=_("This tool is back already."),
            ),
            pgtrigger.Trigger(
                name="toolissue_moves_tool",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("returned_at"),
                func="""
                    IF TG_OP = 'INSERT' THEN
                        UPDATE workshop_toolasset SET state = 'ISSUED', state_note = '' WHERE id = NEW.tool_id;
                    ELSIF OLD.returned_at IS NULL AND NEW.returned_at IS NOT NULL THEN
                        UPDATE workshop_toolasset SET state_note = NEW.note_in,
                            state = CASE NEW.condition_in WHEN 'GOOD' THEN 'AVAILABLE' ELSE 'TO_CHECK' END
                        WHERE id = NEW.tool_id;
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="toolissue_one_open", fields=["tool"], condition=Q(returned_at__isnull=True)),
            models.CheckConstraint(
                name="toolissue_return",
                condition=Q(returned_at__isnull=True, condition_in="")
                | Q(returned_at__isnull=False, returned_at__gte=F("issued_at"), condition_in__in=ToolCondition.values),
            ),
            models.CheckConstraint(
                name="toolissue_damage_told", condition=~Q(condition_in=ToolCondition.DAMAGED) | ~Q(note_in="")
            ),
        ]
        indexes = [models.Index(fields=["store", "-id"], name="toolissue_list")]


explain_constraint("toolissue_one_open", "tool.unavailable", _("This tool is out already; take it back first."))
explain_constraint("toolissue_damage_told", "tool.damage", _("Say what is damaged."))


class CheckResult(models.TextChoices):
    PASSED = "PASSED", pgettext_lazy("tool", "Fit for use")
    FAILED = "FAILED", pgettext_lazy("tool", "Not fit for use")


class ToolCheck(Root):
    """A calibration, test, yearly check or the look after a repair, with its certificate; never changed (3.4)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    tool = models.ForeignKey(ToolAsset, models.PROTECT, related_name="checks")
    done_on = models.DateField()
    result = models.CharField(max_length=6, choices=CheckResult.choices)
    valid_until = models.DateField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True, help_text="until when the tool was valid before")
    body = models.CharField(_("done by"), max_length=80)
    certificate_number = models.CharField(_("certificate number"), max_length=40, blank=True)
    certificate = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    recorded_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-done_on", "-id"]
        triggers = [
            states.versioned(),
            states.append_only("toolcheck_append_only"),
            states.guard(
                # one after the other, on a tool that is here: a late paper never makes a failed tool good again.
                "toolcheck_in_order",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_toolasset t WHERE t.id = NEW.tool_id AND t.store_id = NEW.store_id
                        AND t.state IN ('AVAILABLE', 'TO_CHECK', 'OUT_OF_ORDER') FOR NO KEY UPDATE;
                    IF NOT FOUND OR EXISTS (SELECT 1 FROM workshop_toolcheck c
                        WHERE c.tool_id = NEW.tool_id AND c.done_on > NEW.done_on)
                    OR (NEW.result = 'PASSED' AND EXISTS (SELECT 1 FROM workshop_liftround r WHERE r.tool_id = NEW.tool_id
                        AND cardinality(r.wrong) > 0 AND r.done_on > NEW.done_on)) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.check_order",
                text=_("A check is written down in the order of its days, of a tool that is back and not scrapped."),
            ),
            states.guard(
                "toolcheck_interval",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.result = 'PASSED'"),
                func="""
                    PERFORM 1 FROM workshop_toolasset t WHERE t.id = NEW.tool_id AND (
                        (t.check_months IS NULL AND NEW.valid_until IS NULL)
                        OR (t.check_months IS NOT NULL AND NEW.valid_until IS NOT NULL
                            AND NEW.valid_until <= NEW.done_on + make_interval(months => t.check_months)));
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.check_interval",
                text=_("A calibration or test is good for the tool's interval at most (3.4)."),
            ),
            states.guard(
                "toolcheck_certificate",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.result = 'PASSED' AND NEW.certificate_number = ''"),
                func="""
                    PERFORM 1 FROM workshop_toolasset t WHERE t.id = NEW.tool_id AND t.tool_class = 'MEASURING';
                    IF FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.certificate",
                text=_("The calibration of a measuring instrument has the number of its certificate (3.4)."),
            ),
            pgtrigger.Trigger(
                name="toolcheck_moves_tool",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE workshop_toolasset SET
                        valid_until = CASE NEW.result WHEN 'PASSED' THEN NEW.valid_until ELSE valid_until END,
                        state_note = CASE NEW.result WHEN 'PASSED' THEN '' ELSE NEW.note END,
                        state = CASE NEW.result WHEN 'PASSED' THEN 'AVAILABLE' ELSE 'OUT_OF_ORDER' END
                    WHERE id = NEW.tool_id;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="toolcheck_result",
                condition=Q(result=CheckResult.PASSED, valid_until__isnull=True)
                | Q(result=CheckResult.PASSED, valid_until__isnull=False, valid_until__gt=F("done_on"))
                | (Q(result=CheckResult.FAILED, valid_until__isnull=True) & ~Q(note="")),
            ),
        ]
        indexes = [models.Index(fields=["store", "done_on"], name="toolcheck_day")]


explain_constraint(
    "toolcheck_result",
    "tool.check_result",
    _("A check that passed is good for days after it; one that failed says what was found."),
)


class InspectionTool(models.Model):
    """A measuring instrument that an inspection was done with; in order and in date on that day (3.4, domain 3.4)."""

    link_path: ClassVar[str | None] = "inspection__order__visit_id"

    inspection = models.ForeignKey("workshop.Inspection", models.PROTECT, related_name="instruments")
    tool = models.ForeignKey(ToolAsset, models.PROTECT, related_name="inspections")

    class Meta:
        ordering = ["id"]
        triggers = [
            pgtrigger.Protect(name="inspectiontool_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.ShownIn("inspection"),
            states.guard(
                "inspectiontool_in_order",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_toolasset t JOIN workshop_inspection i ON i.id = NEW.inspection_id
                        WHERE t.id = NEW.tool_id AND t.store_id = i.store_id AND t.state IN ('AVAILABLE', 'ISSUED')
                        FOR SHARE OF t;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.unavailable",
                text=_("A tool that is damaged, out of use or scrapped can't be named on an inspection (3.4)."),
            ),
            states.guard(
                "inspectiontool_in_date",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_toolasset t JOIN workshop_inspection i ON i.id = NEW.inspection_id
                        JOIN kernel_store s ON s.id = t.store_id
                        WHERE t.id = NEW.tool_id
                        AND (t.check_months IS NULL OR t.valid_until >= (i.at AT TIME ZONE s.time_zone)::date);
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.expired",
                text=_("An instrument whose calibration has run out can't be named on an inspection (3.4)."),
            ),
        ]
        constraints = [models.UniqueConstraint(name="inspectiontool_once", fields=["inspection", "tool"])]


class SheetTool(models.Model):
    """A measuring instrument that a check sheet was filled in with; in order then, in date on the day of the signature."""

    link_path: ClassVar[str | None] = "sheet__order__visit_id"

    sheet = models.ForeignKey("workshop.CheckSheet", models.PROTECT, related_name="instruments")
    tool = models.ForeignKey(ToolAsset, models.PROTECT, related_name="sheets")

    class Meta:
        ordering = ["id"]
        triggers = [
            pgtrigger.Protect(name="sheettool_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.ShownIn("sheet"),
            states.guard(
                "sheettool_in_order",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_toolasset t JOIN workshop_checksheet c ON c.id = NEW.sheet_id
                        WHERE t.id = NEW.tool_id AND t.store_id = c.store_id AND t.state IN ('AVAILABLE', 'ISSUED')
                        FOR SHARE OF t;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tool.unavailable",
                text=_("A tool that is damaged, out of use or scrapped can't be named on an inspection (3.4)."),
            ),
            states.guard(
                "sheettool_while_open",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_checksheet s WHERE s.id = NEW.sheet_id AND s.state = 'OPEN' FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sheet.signed",
                text=_("This sheet is signed and stays as it is."),
            ),
        ]
        constraints = [models.UniqueConstraint(name="sheettool_once", fields=["sheet", "tool"])]


class CountState(models.TextChoices):
    COUNTING = "COUNTING", pgettext_lazy("stock-take", "Counting")
    CLOSED = "CLOSED", pgettext_lazy("stock-take", "Closed")
    CANCELLED = "CANCELLED", pgettext_lazy("stock-take", "Cancelled")


COUNT_MOVES: dict[CountState, set[CountState]] = {
    CountState.COUNTING: {CountState.CLOSED, CountState.CANCELLED},
    CountState.CLOSED: set(),
    CountState.CANCELLED: set(),
}


class ToolCount(Root):
    """A stock-take of the crib (3.4): what should be there is scanned; a second person closes it with the differences."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=CountState.choices, default=CountState.COUNTING)
    started_at = models.DateTimeField(default=clock.now)
    started_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fixed("toolcount_fixed", "store_id", "started_at", "started_by_id"),
            states.fsm(COUNT_MOVES, field="state", name="toolcount_moves"),
        ]
        constraints = [
            models.UniqueConstraint(
                name="toolcount_one_open", fields=["store"], condition=Q(state=CountState.COUNTING)
            ),
            models.CheckConstraint(
                # 3.4: nobody closes the count that he made himself
                name="toolcount_second_person",
                condition=Q(state=CountState.COUNTING, ended_at__isnull=True, ended_by__isnull=True)
                | (
                    Q(state=CountState.CLOSED, ended_at__isnull=False, ended_by__isnull=False)
                    & ~Q(ended_by=F("started_by"))
                )
                | Q(state=CountState.CANCELLED, ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]


explain_constraint("toolcount_one_open", "count.open", _("A stock-take is being made already; go on with that one."))
explain_constraint(
    "toolcount_second_person", "count.second_person", _("A stock-take is closed by a second person (3.4).")
)


class ToolCountRow(models.Model):
    """One tool of a stock-take: where it should be, and when it was seen."""

    count = models.ForeignKey(ToolCount, models.PROTECT, related_name="rows")
    tool = models.ForeignKey(ToolAsset, models.PROTECT, related_name="+")
    holder = models.ForeignKey(
        Employee, models.PROTECT, null=True, blank=True, related_name="+", help_text="had it out"
    )
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    missing = models.BooleanField(default=False)

    class Meta:
        ordering = ["tool__number"]
        triggers = [
            states.ShownIn("count"),
            states.guard(
                "toolcountrow_while_counting",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func="""
                    PERFORM 1 FROM workshop_toolcount c
                        WHERE c.id = COALESCE(NEW.count_id, OLD.count_id) AND c.state = 'COUNTING' FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                """,
                code="count.ended",
                text=_("This stock-take has ended."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="toolcountrow_once", fields=["count", "tool"]),
            models.CheckConstraint(name="toolcountrow_missing", condition=Q(missing=False) | Q(seen_at__isnull=True)),
        ]
