"""Looks at insulating gloves: seen, rolled up and tested with air by who wears them, before each use (3.4, domain 8.1)."""

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


class GlovePoint(models.TextChoices):
    """What a pair is looked at for before it is worn."""

    AIR = "AIR", pgettext_lazy("gloves", "Loses air when rolled up")
    CRACKS = "CRACKS", pgettext_lazy("gloves", "Cracks, cuts or holes")
    DIRT = "DIRT", pgettext_lazy("gloves", "Wet, dirty or sticky")
    MARKS = "MARKS", pgettext_lazy("gloves", "Class or test mark not to be read")


class GloveLook(Root):
    """One look at a pair with the air test; never changed. What is found wrong takes the pair out until a test passes."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    tool = models.ForeignKey(ToolAsset, models.PROTECT, related_name="looks")
    done_on = models.DateField()
    wrong = ArrayField(models.CharField(max_length=8, choices=GlovePoint.choices), default=list, blank=True)
    note = models.CharField(max_length=200, blank=True)
    done_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-at", "-id"]
        triggers = [
            states.versioned(),
            states.append_only("glovelook_append_only"),
            states.guard(
                # 3.4: looked at are gloves of the own store that aren't scrapped; the pair is held meanwhile.
                "glovelook_of_pair",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_toolasset t WHERE t.id = NEW.tool_id AND t.store_id = NEW.store_id
                        AND t.kind = 'GLOVES' AND t.state <> 'SCRAPPED' FOR NO KEY UPDATE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="gloves.none",
                text=_("Only insulating gloves that are in the shop are looked at like this (3.4)."),
            ),
            pgtrigger.Trigger(
                # Out with somebody, the pair comes back as damaged; on its shelf, it waits to be checked.
                name="glovelook_stops_pair",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("cardinality(NEW.wrong) > 0"),
                func="""
                    UPDATE workshop_toolissue SET returned_at = GREATEST(NEW.at, issued_at), condition_in = 'DAMAGED',
                        note_in = NEW.note WHERE tool_id = NEW.tool_id AND returned_at IS NULL;
                    UPDATE workshop_toolasset SET state = 'TO_CHECK', state_note = NEW.note
                        WHERE id = NEW.tool_id AND state = 'AVAILABLE';
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(name="glovelook_wrong_told", condition=Q(wrong=[]) | ~Q(note="")),
        ]
        indexes = [models.Index(fields=["store", "done_on"], name="glovelook_day")]


explain_constraint("glovelook_wrong_told", "gloves.note", _("Say what is wrong with the gloves."))
