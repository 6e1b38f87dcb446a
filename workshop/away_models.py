"""An order that waits for a part with its car away: the repair takes two trips (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root
from reception.models import Visit
from staff.models import Employee
from workshop.models import RepairOrder

UNFIT = """
    NOT EXISTS (SELECT 1 FROM reception_visit v JOIN workshop_repairorder o ON o.visit_id = v.id
        WHERE v.id = NEW.visit_id AND o.id = NEW.order_id AND v.state = 'IN_SHOP')
    OR EXISTS (SELECT 1 FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
        LEFT JOIN workshop_clocking c ON c.line_id = l.id AND c.ended_at IS NULL
        WHERE o.visit_id = NEW.visit_id AND (c.id IS NOT NULL
            OR (l.state = 'IN_PROGRESS' AND (l.is_safety OR l.is_dismantling))))
"""


class AwayWait(Root):
    """One time a car drives on until the part of its order comes; ``safe_said_by`` says that it may be driven."""

    store_path = "visit__store_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="away_waits")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="away_waits")
    reason = models.CharField(_("reason"), max_length=200)
    expected_on = models.DateField(_("part expected"))
    safe_said_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    planned_at = models.DateTimeField(default=clock.now)
    left_at = models.DateTimeField(null=True, blank=True)
    part_came_at = models.DateTimeField(null=True, blank=True)
    back_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.guard(
                # 3.2: a car drives on only where it is safe: nobody works on it, and nothing that concerns safety or
                # was taken apart is half done.
                "awaywait_safe_to_leave",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("left_at"),
                func="IF (TG_OP = 'INSERT' OR (OLD.left_at IS NULL AND NEW.left_at IS NOT NULL)) AND ("
                + UNFIT
                + ") THEN {refuse} END IF; RETURN NEW;",
                code="away.unsafe",
                text=_(
                    "The car can't leave: somebody works on it, or work that concerns safety or lies open is half done."
                ),
            ),
            states.guard(
                "awaywait_goes_forward",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR (OLD.order_id, OLD.visit_id, OLD.reason, OLD.safe_said_by_id, OLD.planned_at)
                            IS DISTINCT FROM (NEW.order_id, NEW.visit_id, NEW.reason, NEW.safe_said_by_id, NEW.planned_at)
                        OR OLD.back_at IS NOT NULL OR OLD.cancelled_at IS NOT NULL
                        OR (OLD.left_at IS NOT NULL AND NEW.left_at IS DISTINCT FROM OLD.left_at)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="away.ended",
                text=_("What has happened to a car that was away stays as it was."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="awaywait_one_open", fields=["visit"], condition=Q(back_at__isnull=True, cancelled_at__isnull=True)
            ),
            models.CheckConstraint(name="awaywait_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="awaywait_in_order",
                condition=(Q(back_at__isnull=True) | Q(left_at__isnull=False, back_at__gte=F("left_at")))
                & (Q(part_came_at__isnull=True) | Q(left_at__isnull=False))
                & (Q(cancelled_at__isnull=True) | Q(left_at__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["visit"], name="awaywait_visit")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("awaywait_one_open", "away.open", _("It is already noted that this car waits away for its part."))
explain_constraint("awaywait_reason", "away.reason", _("Say which part the car comes back for."))
explain_constraint(
    "awaywait_in_order", "away.ended", _("A car comes back after it has left, and what never left is taken back only.")
)
