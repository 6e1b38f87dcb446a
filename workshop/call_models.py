"""What a technician calls for from the job: parts, help, a tool; asked, answered, over with the job (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from staff.models import Employee


class Need(models.TextChoices):
    PARTS = "PARTS", _("Parts")
    HELP = "HELP", _("Help")
    TOOL = "TOOL", _("Tool")


class CallState(models.TextChoices):
    OPEN = "OPEN", pgettext_lazy("technician's call", "Not answered")
    COMING = "COMING", pgettext_lazy("technician's call", "On the way")
    DONE = "DONE", pgettext_lazy("technician's call", "Done")
    NOT_AVAILABLE = "NOT_AVAILABLE", pgettext_lazy("technician's call", "Not available")
    ENDED = "ENDED", pgettext_lazy("technician's call", "Over with the job")


C = CallState
CALL_MOVES = {
    C.OPEN: {C.COMING, C.DONE, C.NOT_AVAILABLE, C.ENDED},
    C.COMING: {C.OPEN, C.DONE, C.NOT_AVAILABLE, C.ENDED},
}
OPEN_CALLS = (C.OPEN, C.COMING)
ANSWERS = (C.COMING, C.DONE, C.NOT_AVAILABLE)


class TechnicianCall(Root):
    """One call from a job: who needs what since when, and who answered it how.

    The first answer is kept; after "on the way" it is done or not to be had, or open again for others where who was on the
    way passes it on. It ends with the job at the latest.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    line = models.ForeignKey("workshop.OrderLine", models.PROTECT, related_name="calls")
    employee = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    need = models.CharField(max_length=5, choices=Need.choices)
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=13, choices=CallState.choices, default=CallState.OPEN)
    asked_at = models.DateTimeField(default=clock.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.fixed("techniciancall_fixed", "store_id", "line_id", "employee_id", "need", "note", "asked_at"),
            states.versioned(),
            states.fsm(CALL_MOVES, field="state", name="techniciancall_moves"),
            states.guard(
                # 3.2: one calls from work that is agreed and not finished, in the store of its order.
                "techniciancall_of_open_work",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        WHERE l.id = NEW.line_id AND o.store_id = NEW.store_id
                        AND l.state IN ('AUTHORIZED', 'IN_PROGRESS')) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="need.line",
                text=_("This work isn't open any more; nothing is called for to it."),
            ),
            states.guard(
                "techniciancall_answered_once",
                operation=pgtrigger.UpdateOf("answered_at", "answered_by_id"),
                func="""
                    IF OLD.answered_at IS NOT NULL AND ROW(OLD.answered_at, OLD.answered_by_id)
                        IS DISTINCT FROM ROW(NEW.answered_at, NEW.answered_by_id)
                        AND NOT (NEW.state = 'OPEN' AND NEW.answered_at IS NULL AND EXISTS (SELECT 1 FROM workshop_callpass p
                            WHERE p.call_id = NEW.id AND p.passed_by_id = OLD.answered_by_id AND p.at >= OLD.answered_at))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="call.answered",
                text=_("Somebody has answered this call already."),
            ),
            pgtrigger.Protect(name="techniciancall_never_deleted", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.CheckConstraint(
                name="techniciancall_answered",
                condition=Q(state=C.ENDED)
                | Q(state=C.OPEN, answered_at__isnull=True, answered_by__isnull=True)
                | Q(state__in=ANSWERS, answered_at__isnull=False),
            ),
            models.CheckConstraint(
                name="techniciancall_ended",
                condition=Q(state__in=OPEN_CALLS, ended_at__isnull=True)
                | (~Q(state__in=OPEN_CALLS) & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["store", "id"], name="techniciancall_open", condition=Q(state__in=OPEN_CALLS)),
        ]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_CALLS

    @property
    def said_state(self) -> str:
        """How it stands in words: help isn't "not available", nobody can come."""
        if self.need == Need.HELP and self.state == CallState.NOT_AVAILABLE:
            return pgettext("technician's call", "Nobody can come")
        return str(CallState(self.state).label)

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


class CallPass(Root):
    """Somebody who was called can't come: to whom the call goes from them, or, without a name, on to the others called."""

    store_path = "call__store_id"

    call = models.ForeignKey(TechnicianCall, models.PROTECT, related_name="passes")
    passed_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    passed_to = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.append_only("callpass_append_only"),
            states.guard(
                # 3.2: a call is passed on while it is open, by whom it was for, within its store; the call is held meanwhile.
                "callpass_of_open_call",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_techniciancall c WHERE c.id = NEW.call_id
                        AND (c.state = 'OPEN' OR (c.state = 'COMING' AND c.answered_by_id = NEW.passed_by_id))
                        AND c.employee_id IS DISTINCT FROM NEW.passed_by_id
                        AND (NEW.passed_to_id IS NULL OR EXISTS (SELECT 1 FROM staff_employee e
                            WHERE e.id = NEW.passed_to_id AND e.store_id = c.store_id)) FOR NO KEY UPDATE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="call.passed",
                text=_("A call is passed on while it is open, by whom it was for, to somebody of the store."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="callpass_to_another",
                condition=Q(passed_to__isnull=True) | ~Q(passed_to=models.F("passed_by")),
            ),
        ]
        indexes = [models.Index(fields=["call", "id"], name="callpass_last")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.call.history_keys()


explain_constraint("callpass_to_another", "call.to_oneself", _("Pass it on to somebody else."))
explain_constraint("techniciancall_answered", "call.answered", _("Somebody has answered this call already."))
explain_constraint("techniciancall_ended", "call.ended", _("This call is over."))
