"""Which part follows another one, and which may stand in for it (3.2)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root


def _today() -> date:
    return clock.today()


class ReplacementKind(models.TextChoices):
    SUCCESSOR = "SUCCESSOR", _("Follows it for good")
    EITHER = "EITHER", _("Either one may be used for the other")
    STAND_IN = "STAND_IN", _("May stand in for it, not the other way round")


class PartReplacement(Root):
    """``other`` is used in place of ``part``: for good from a day on, or where the shelf has no ``part`` (3.2).

    Successors make a chain that never comes back to where it began. Rows are ended, never changed.
    """

    store_path: ClassVar[str | None] = None

    part = models.ForeignKey(Part, models.PROTECT, related_name="replacements")
    other = models.ForeignKey(Part, models.PROTECT, related_name="replaces")
    kind = models.CharField(max_length=9, choices=ReplacementKind.choices)
    starts_on = models.DateField(default=_today)
    note = models.CharField(max_length=120, blank=True)
    other_kind = models.BooleanField(default=False, db_default=False)
    """The other part is of another kind (原厂, 品牌, 同质 …), and whoever entered it knows that."""
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.fixed("partreplacement_fixed", "part_id", "other_id", "kind", "starts_on"),
            states.guard(
                # 3.2: who follows the successors always comes to an end. One at a time writes them, so that no two
                # close a ring together.
                "partreplacement_no_ring",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("ended_at"),
                condition=pgtrigger.Condition("NEW.kind = 'SUCCESSOR' AND NEW.ended_at IS NULL"),
                func="""
                    PERFORM pg_advisory_xact_lock(hashtext('catalogue_partreplacement'));
                    IF EXISTS (
                        WITH RECURSIVE following AS (
                            SELECT NEW.other_id AS part_id
                            UNION SELECT r.other_id FROM following f JOIN catalogue_partreplacement r
                                ON r.part_id = f.part_id AND r.kind = 'SUCCESSOR' AND r.ended_at IS NULL
                        ) SELECT 1 FROM following WHERE part_id = NEW.part_id
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="replacement.ring",
                text=_("The chain of successors would come back to this part; end the other step first."),
            ),
            states.guard(
                # domain 3.3: every part is agreed to with its kind; another kind never slips in with a replacement.
                "partreplacement_kind_known",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NOT NEW.other_kind"),
                func="""
                    IF (SELECT count(DISTINCT kind) FROM catalogue_part WHERE id IN (NEW.part_id, NEW.other_id)) > 1
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="replacement.other_kind",
                text=_("The other part is of another kind than the one customers agree to; say that you know it."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="partreplacement_other_part", condition=~Q(part=F("other"))),
            models.CheckConstraint(name="partreplacement_kind", condition=Q(kind__in=ReplacementKind.values)),
            models.UniqueConstraint(
                name="partreplacement_one_successor",
                fields=["part"],
                condition=Q(kind=ReplacementKind.SUCCESSOR, ended_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="partreplacement_once", fields=["part", "other"], condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part.number} → {self.other.number}"


explain_constraint("partreplacement_other_part", "replacement.same", _("A part doesn't replace itself."))
explain_constraint(
    "partreplacement_one_successor",
    "replacement.successor_exists",
    _("This part has a successor already; end that one first."),
)
explain_constraint("partreplacement_once", "replacement.exists", _("This stands there already."))
