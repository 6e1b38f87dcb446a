"""Who told the customer of a new promised time, how and when (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root
from reception.models import ToldBy
from staff.models import Employee
from workshop.models import PromiseChange


class PromiseTelling(Root):
    """The customer heard of one change of the promised time: who told whom, how and when. Written once, never changed.

    What is told by the system's own message has no such row: the message says when it left, and whether it did.
    """

    store_path = "change__order__store_id"
    link_path = "change__order__visit_id"

    change = models.OneToOneField(PromiseChange, models.PROTECT, related_name="telling")
    how = models.CharField(max_length=10, choices=ToldBy.choices)
    told_to = models.CharField(max_length=60)
    told_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    told_at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="promisetelling_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.2: nobody is told of a time before it was promised, and what stopped being promised is told no more.
                "promisetelling_of_the_promise",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_promisechange c WHERE c.id = NEW.change_id AND c.at <= NEW.told_at
                        AND c.id = (SELECT max(id) FROM workshop_promisechange WHERE order_id = c.order_id))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="promise.other",
                text=_("Another time has been promised meanwhile; tell the customer that one."),
            ),
        ]
        constraints = [models.CheckConstraint(name="promisetelling_told_to", condition=~Q(told_to=""))]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.change.history_keys()


explain_constraint("promisetelling_told_to", "promise.told_to", _("Write who was told of the new time."))
