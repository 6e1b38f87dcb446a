"""Trial parts: lent to a technician for a car, back the same day or issued to its order (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from staff.models import Employee
from workshop.stock_models import ReturnCondition


class TrialState(models.TextChoices):
    OUT = "OUT", pgettext_lazy("trial part", "Being tried")
    BACK = "BACK", pgettext_lazy("trial part", "Back on the shelf")
    ISSUED = "ISSUED", pgettext_lazy("trial part", "Issued to the order")


TRIAL_MOVES = {TrialState.OUT: {TrialState.BACK, TrialState.ISSUED}}


class PartTrial(Root):
    """So much of a part is with a technician for trying; it stays on hand, kept from everybody else, until it ends.

    The row itself keeps the quantity and frees it when it ends, which it does once. The keeper says in what ``condition``
    it came back: only what nobody opened is stock again. (Empty: it ended before that was asked, or was issued.)
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    item = models.ForeignKey("workshop.StockItem", models.PROTECT, related_name="trials")
    lot = models.ForeignKey("workshop.StockLot", models.PROTECT, null=True, blank=True, related_name="trials")
    order = models.ForeignKey("workshop.RepairOrder", models.PROTECT, related_name="trials")
    employee = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    state = models.CharField(max_length=6, choices=TrialState.choices, default=TrialState.OUT)
    lent_at = models.DateTimeField(default=clock.now)
    due_on = models.DateField()
    ended_at = models.DateTimeField(null=True, blank=True)
    condition = models.CharField(max_length=8, choices=ReturnCondition.choices, blank=True)
    reason = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.fixed("parttrial_fixed", "store_id", "item_id", "lot_id", "order_id", "employee_id", "quantity"),
            states.versioned(),
            states.fsm(TRIAL_MOVES, field="state", name="parttrial_moves"),
            states.guard(
                # 3.2: the part, its number and the order are of one store; what is traced is lent by its number.
                "parttrial_of_its_store",
                operation=pgtrigger.Insert,
                declare=[("how", "text")],
                func="""
                    SELECT p.tracing INTO how FROM workshop_stockitem i JOIN catalogue_part p ON p.id = i.part_id
                        JOIN workshop_repairorder o ON o.id = NEW.order_id AND o.store_id = i.store_id
                        WHERE i.id = NEW.item_id AND i.store_id = NEW.store_id;
                    IF NOT FOUND OR (how = 'NONE') <> (NEW.lot_id IS NULL) OR (NEW.lot_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM workshop_stocklot l WHERE l.id = NEW.lot_id AND l.item_id = NEW.item_id
                        AND l.on_hand >= NEW.quantity + (SELECT COALESCE(sum(t.quantity), 0) FROM workshop_parttrial t
                            WHERE t.lot_id = NEW.lot_id AND t.state = 'OUT'))) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="trial.part",
                text=_("This part isn't there to be tried in this store."),
            ),
            states.guard(
                # 3.2: who takes it back says in what condition, once.
                "parttrial_condition_said",
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF TG_OP = 'INSERT' THEN
                        IF NEW.condition <> '' THEN {refuse} END IF;
                    ELSIF (OLD.state = 'OUT' AND (NEW.state = 'BACK') <> (NEW.condition <> ''))
                        OR (OLD.state <> 'OUT' AND ROW(NEW.condition, NEW.reason) IS DISTINCT FROM ROW(OLD.condition, OLD.reason))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="trial.condition",
                text=_("Say in what condition it came back: unopened, opened or fitted."),
            ),
            pgtrigger.Trigger(
                # At the end of the transaction: what is no longer new has left what can be sold.
                name="parttrial_off_the_shelf",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("state"),
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.state = 'BACK' AND NEW.condition IN ('OPENED', 'FITTED')"),
                func="""
                    IF NEW.quantity IS DISTINCT FROM
                        (SELECT -sum(quantity) FROM workshop_stockmovement WHERE trial_id = NEW.id)
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'parttrial_off_the_shelf', TABLE = TG_TABLE_NAME,
                        MESSAGE = 'parttrial_off_the_shelf'; END IF;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Protect(name="parttrial_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="parttrial_keeps_it",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
                func="""
                    IF TG_OP = 'INSERT' THEN
                        UPDATE workshop_stockitem SET reserved = reserved + NEW.quantity WHERE id = NEW.item_id;
                    ELSIF OLD.state = 'OUT' AND NEW.state <> 'OUT' THEN
                        UPDATE workshop_stockitem SET reserved = reserved - NEW.quantity WHERE id = NEW.item_id;
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(name="parttrial_quantity", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                # 3.2: what was used up is explained
                name="parttrial_reason",
                condition=~Q(condition__in=["OPENED", "FITTED"]) | ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="parttrial_ended",
                condition=Q(state="OUT", ended_at__isnull=True) | (~Q(state="OUT") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["item"], name="parttrial_out", condition=Q(state="OUT"))]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("parttrial_ended", "trial.ended", _("This trial has ended already."))
explain_constraint("parttrial_reason", "trial.reason", _("Say what was tried, and why it is no longer new."))
explain_constraint(
    "parttrial_off_the_shelf", "trial.movement", _("What came back opened or fitted isn't stock any more.")
)
