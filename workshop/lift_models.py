"""Rounds of a lift: looked at before each day's work and serviced each month, beside its yearly test (3.4, domain 3.7)."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from staff.models import Employee
from workshop.tool_models import ToolAsset


class RoundKind(models.TextChoices):
    DAILY = "DAILY", pgettext_lazy("lift", "Before the day's work")
    MONTHLY = "MONTHLY", pgettext_lazy("lift", "Monthly service")


class LiftPoint(models.TextChoices):
    """What is looked at; the last three in the monthly service only."""

    LOCKS = "LOCKS", pgettext_lazy("lift", "Safety locks")
    ARMS = "ARMS", pgettext_lazy("lift", "Arms, pads and stops")
    CABLES = "CABLES", pgettext_lazy("lift", "Cables and chains")
    LEAKS = "LEAKS", pgettext_lazy("lift", "Oil and air lines")
    SWITCHES = "SWITCHES", pgettext_lazy("lift", "Limit and emergency switches")
    RUN = "RUN", pgettext_lazy("lift", "Rising and sinking")
    BOLTS = "BOLTS", pgettext_lazy("lift", "Anchor bolts")
    GREASE = "GREASE", pgettext_lazy("lift", "Greasing")
    OIL = "OIL", pgettext_lazy("lift", "Oil level")


MONTHLY_ONLY = (LiftPoint.BOLTS, LiftPoint.GREASE, LiftPoint.OIL)
POINTS: dict[RoundKind, tuple[LiftPoint, ...]] = {
    RoundKind.DAILY: tuple(point for point in LiftPoint if point not in MONTHLY_ONLY),
    RoundKind.MONTHLY: tuple(LiftPoint),
}


class LiftRound(Root):
    """One look at a lift; never changed. What was found wrong takes the lift out of use until a test passes."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    tool = models.ForeignKey(ToolAsset, models.PROTECT, related_name="rounds")
    kind = models.CharField(max_length=7, choices=RoundKind.choices)
    done_on = models.DateField()
    wrong = ArrayField(models.CharField(max_length=8, choices=LiftPoint.choices), default=list, blank=True)
    note = models.CharField(max_length=200, blank=True)
    done_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-done_on", "-id"]
        triggers = [
            states.versioned(),
            states.append_only("liftround_append_only"),
            states.guard(
                # 3.4: rounds are made on lifts of the own store that aren't scrapped; the lift is held meanwhile.
                "liftround_of_lift",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_toolasset t WHERE t.id = NEW.tool_id AND t.store_id = NEW.store_id
                        AND t.kind = 'LIFT' AND t.state <> 'SCRAPPED' FOR NO KEY UPDATE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="lift.none",
                text=_("Rounds are made on lifts that are in the shop (3.4)."),
            ),
            pgtrigger.Trigger(
                name="liftround_stops_lift",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("cardinality(NEW.wrong) > 0"),
                func="""
                    UPDATE workshop_toolasset SET state = 'OUT_OF_ORDER', state_note = NEW.note
                        WHERE id = NEW.tool_id AND state IN ('AVAILABLE', 'TO_CHECK');
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="liftround_once", fields=["tool", "kind", "done_on"], condition=Q(wrong=[])),
            models.CheckConstraint(name="liftround_wrong_told", condition=Q(wrong=[]) | ~Q(note="")),
        ]
        indexes = [models.Index(fields=["store", "done_on"], name="liftround_day")]


explain_constraint("liftround_once", "lift.done", _("This round is written down for today already."))
explain_constraint("liftround_wrong_told", "lift.note", _("Say what is wrong with the lift."))
