"""What a customer asks for on the link out of what the car is due for: a wish, never a yes to be charged (3.1)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Operation
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from reception.models import Appointment, Vehicle, Visit

if TYPE_CHECKING:
    from workshop.models import OrderLine


class WishState(models.TextChoices):
    """Life of a customer's wish (3.1)."""

    OPEN = "OPEN", pgettext_lazy("customer's wish", "Asked for")
    TAKEN = "TAKEN", pgettext_lazy("customer's wish", "On the order")
    DECLINED = "DECLINED", pgettext_lazy("customer's wish", "Not this time")


W = WishState
WISH_MOVES = {W.OPEN: {W.TAKEN, W.DECLINED}, W.TAKEN: set(), W.DECLINED: set()}


class MaintenanceWish(Root):
    """One piece of due work that the customer ticked, at the visit or on the booking before it, once for each.

    ``why`` and ``amount`` (CNY with VAT, None where no price was shown) are what the customer read; ``due`` the facts
    behind ``why``. It becomes a line of an estimate, which asks for its own yes like every other.
    """

    link_path = "visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="wishes")
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="wishes")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="wishes")
    operation = models.ForeignKey(Operation, models.PROTECT, related_name="+")
    why = models.CharField(max_length=300, blank=True)
    due = models.JSONField(null=True, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    state = models.CharField(max_length=8, choices=W.choices, default=W.OPEN)
    wished_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=200, blank=True, help_text="why not this time, as the customer reads it")
    line: models.OneToOneField[OrderLine | None] = models.OneToOneField(
        "workshop.OrderLine", models.PROTECT, null=True, blank=True, related_name="wish"
    )

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.fsm(WISH_MOVES, field="state", name="maintenancewish_moves"),
            states.fixed(
                "maintenancewish_fixed",
                "store_id",
                "vehicle_id",
                "visit_id",
                "appointment_id",
                "operation_id",
                "why",
                "due",
                "amount",
                "wished_at",
            ),
            states.guard(
                # 3.1: of the car that came or is booked.
                "maintenancewish_of_the_car",
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.visit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM reception_visit
                            WHERE id = NEW.visit_id AND vehicle_id = NEW.vehicle_id AND store_id = NEW.store_id)
                        OR NEW.appointment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM reception_appointment
                            WHERE id = NEW.appointment_id AND vehicle_id = NEW.vehicle_id AND store_id = NEW.store_id)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="wish.car",
                text=_("A wish belongs to the car that came or is booked."),
            ),
            states.guard(
                # 3.1: a wish is no yes: it becomes a draft line, of the same work on an order of the same car.
                "maintenancewish_is_no_yes",
                operation=pgtrigger.UpdateOf("line_id"),
                func="""
                    IF NEW.line_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM workshop_orderline l
                        JOIN workshop_repairorder o ON o.id = l.order_id
                        WHERE l.id = NEW.line_id AND l.state = 'DRAFT' AND l.operation_id = NEW.operation_id
                        AND o.vehicle_id = NEW.vehicle_id AND o.store_id = NEW.store_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="wish.line",
                text=_("A wish becomes a line that still asks for the customer's yes."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="maintenancewish_visit_or_booking",
                condition=Q(visit__isnull=False, appointment__isnull=True)
                | Q(visit__isnull=True, appointment__isnull=False),
            ),
            models.UniqueConstraint(
                name="maintenancewish_once", fields=["visit", "operation"], condition=Q(visit__isnull=False)
            ),
            models.UniqueConstraint(
                name="maintenancewish_booked_once",
                fields=["appointment", "operation"],
                condition=Q(appointment__isnull=False),
            ),
            models.CheckConstraint(
                name="maintenancewish_ended",
                condition=Q(state=W.OPEN, ended_at__isnull=True, line__isnull=True, answer="")
                | Q(state=W.TAKEN, ended_at__isnull=False, line__isnull=False, answer="")
                | (Q(state=W.DECLINED, ended_at__isnull=False, line__isnull=True) & ~Q(answer="")),
            ),
        ]
        indexes = [models.Index(fields=["store"], name="maintenancewish_open", condition=Q(state=W.OPEN))]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        if self.visit is not None:
            return self.visit.history_keys()
        assert self.appointment is not None
        return self.appointment.history_keys()


explain_constraint("maintenancewish_once", "wish.there", _("You have asked for this already."))
explain_constraint("maintenancewish_booked_once", "wish.there", _("You have asked for this already."))
explain_constraint("maintenancewish_ended", "wish.answer", _("Say why not this time; the customer reads it."))
