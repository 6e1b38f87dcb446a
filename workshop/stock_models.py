"""Where stock lies (warehouses, bins) and what is ordered of it from suppliers (3.2)."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Part
from dealership.kernel import clock, saying, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from workshop.supplier_models import PARTS_KINDS, Supplier, of_the_register

MAIN = "MAIN"
"""The code of a store's first warehouse: it is there from the first part on."""


class Warehouse(Root):
    """A room in which a store keeps parts: the main store, the tyre store, the container for returns (3.2)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    code = models.CharField(max_length=10)
    name = models.CharField(pgettext_lazy("thing", "name"), max_length=60)

    class Meta:
        ordering = ["id"]
        triggers = [states.fixed("warehouse_fixed", "store_id", "code"), states.versioned()]
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], name="warehouse_code_once"),
            models.CheckConstraint(name="warehouse_named", condition=~Q(code="") & ~Q(name="")),
        ]

    def __str__(self) -> str:
        return saying.say_name(self.name)


explain_constraint("warehouse_code_once", "warehouse.code", _("The store has a warehouse of this code already."))


class StockBin(Root):
    """How much of a part lies in one bin; the bins of a part add up to what is on hand (3.2)."""

    store_path = "item__store_id"

    item = models.ForeignKey("workshop.StockItem", models.PROTECT, related_name="bins")
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="bins")
    bin = models.CharField(max_length=20, blank=True)
    on_hand = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        ordering = ["warehouse_id", "bin", "id"]
        triggers = [
            states.fixed("stockbin_fixed", "item_id", "warehouse_id", "bin"),
            states.versioned(),
            states.ShownIn("item"),
            states.guard(
                # 3.2: a bin never disagrees with its movements; only their trigger writes on_hand.
                "stockbin_by_movement_only",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("on_hand"),
                func="""
                    IF (TG_OP = 'INSERT' AND NEW.on_hand <> 0)
                        OR (TG_OP = 'UPDATE' AND NEW.on_hand IS DISTINCT FROM OLD.on_hand AND pg_trigger_depth() < 2)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.movement",
                text=_("Stock changes by a movement only: receipt, issue, return, transfer or count."),
            ),
            states.guard(
                "stockbin_in_own_store",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_warehouse w JOIN workshop_stockitem i ON i.store_id = w.store_id
                        WHERE w.id = NEW.warehouse_id AND i.id = NEW.item_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="warehouse.other_store",
                text=_("This warehouse belongs to another store."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item", "warehouse", "bin"], name="stockbin_once"),
            models.CheckConstraint(name="stockbin_not_negative", condition=Q(on_hand__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{saying.say_name(self.warehouse.name)} {self.bin}".strip()


explain_constraint("stockbin_not_negative", "stock.short", _("There isn't that much in this bin."))


class StockLot(Root):
    """A batch or one serial number of a traced part in a store; the lots of a traced part add up to what is on hand (3.2)."""

    store_path = "item__store_id"

    item = models.ForeignKey("workshop.StockItem", models.PROTECT, related_name="lots")
    code = models.CharField(max_length=40)
    on_hand = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.fixed("stocklot_item_fixed", "item_id"),
            states.fixed("stocklot_code_fixed", "code"),
            states.versioned(),
            states.guard(
                "stocklot_by_movement_only",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("on_hand"),
                func="""
                    IF (TG_OP = 'INSERT' AND NEW.on_hand <> 0)
                        OR (TG_OP = 'UPDATE' AND NEW.on_hand IS DISTINCT FROM OLD.on_hand AND pg_trigger_depth() < 2)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.movement",
                text=_("Stock changes by a movement only: receipt, issue, return, transfer or count."),
            ),
            states.guard(
                # 3.2: what is lent to be tried is nobody else's as long as it is out.
                "stocklot_trials_stay",
                operation=pgtrigger.UpdateOf("on_hand"),
                condition=pgtrigger.Condition("NEW.on_hand < OLD.on_hand AND NEW.on_hand >= 0"),
                func="""
                    IF NEW.on_hand < (SELECT COALESCE(sum(quantity), 0) FROM workshop_parttrial
                        WHERE lot_id = NEW.id AND state = 'OUT') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="trial.out",
                text=_("Some of this part is lent to be tried; take it back first."),
            ),
            states.guard(
                # 3.2: of a serial number there is one piece.
                "stocklot_serial_once",
                operation=pgtrigger.UpdateOf("on_hand"),
                condition=pgtrigger.Condition("NEW.on_hand > 1"),
                func="""
                    IF EXISTS (SELECT 1 FROM catalogue_part p JOIN workshop_stockitem i ON i.part_id = p.id
                        WHERE i.id = NEW.item_id AND p.tracing = 'SERIAL') THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.serial_there",
                text=_("A piece of this serial number lies there already."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["item", "code"], name="stocklot_once"),
            models.CheckConstraint(name="stocklot_not_negative", condition=Q(on_hand__gte=0)),
            models.CheckConstraint(name="stocklot_named", condition=~Q(code="")),
        ]

    def __str__(self) -> str:
        return self.code


explain_constraint("stocklot_not_negative", "stock.lot_short", _("There isn't that much of this batch or number."))


# --- what comes back, and what goes to another order ---
class ReturnCondition(models.TextChoices):
    UNOPENED = "UNOPENED", pgettext_lazy("returned part", "Unopened")
    OPENED = "OPENED", pgettext_lazy("returned part", "Opened")
    FITTED = "FITTED", pgettext_lazy("returned part", "Was fitted")


_ON_THE_SHELF = """
                    IF NOT EXISTS (SELECT 1 FROM workshop_stockmovement WHERE {movement} = NEW.id)
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = '{name}', TABLE = TG_TABLE_NAME,
                        MESSAGE = '{name}'; END IF;
                    RETURN NULL;
                """


def on_the_shelf(name: str, *, movement: str) -> pgtrigger.Trigger:
    """At the end of the transaction: what came back unopened is on the shelf again, by a movement that names it."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Condition("NEW.condition = 'UNOPENED'"),
        func=_ON_THE_SHELF.replace("{movement}", movement).replace("{name}", name),
    )


class PartReturn(Root):
    """An issued part that came back from its line; only an unopened one goes back onto the shelf (3.2).

    The row itself takes the quantity off the line, so nothing comes back that wasn't out. What was opened or fitted is
    an old or trial part from then on: it stands here with its reason and never among what can be sold.
    """

    store_path = "part_line__line__order__store_id"

    part_line = models.ForeignKey("workshop.PartLine", models.PROTECT, related_name="returns")
    lot = models.ForeignKey(StockLot, models.PROTECT, null=True, blank=True, related_name="returns")
    condition = models.CharField(max_length=8, choices=ReturnCondition.choices)
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    reason = models.CharField(max_length=120)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="partreturn_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                # 3.2: what is traced comes back by the batch or serial number that is out for that very line.
                "partreturn_of_what_is_out",
                operation=pgtrigger.Insert,
                declare=[("how", "text")],
                func="""
                    SELECT p.tracing INTO how FROM catalogue_part p JOIN workshop_partline l ON l.part_id = p.id
                        WHERE l.id = NEW.part_line_id FOR SHARE OF p;
                    IF how = 'NONE' AND NEW.lot_id IS NULL THEN RETURN NEW; END IF;
                    IF how = 'NONE' OR NEW.quantity > (
                        SELECT COALESCE(-sum(quantity), 0) FROM workshop_stockmovement WHERE kind = 'ISSUE'
                            AND part_line_id = NEW.part_line_id AND lot_id IS NOT DISTINCT FROM NEW.lot_id
                    ) - (
                        SELECT COALESCE(sum(quantity), 0) FROM workshop_partreturn
                            WHERE part_line_id = NEW.part_line_id AND lot_id IS NOT DISTINCT FROM NEW.lot_id
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.lot_not_out",
                text=_("This batch or serial number isn't out for the line."),
            ),
            pgtrigger.Trigger(
                name="partreturn_leaves_its_line",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE workshop_partline SET issued_quantity = issued_quantity - NEW.quantity
                    WHERE id = NEW.part_line_id;
                    RETURN NULL;
                """,
            ),
            on_the_shelf("partreturn_on_the_shelf", movement="part_return_id"),
        ]
        constraints = [
            models.CheckConstraint(name="partreturn_quantity", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="partreturn_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="partreturn_condition", condition=Q(condition__in=ReturnCondition.values)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.part_line.history_keys()


explain_constraint("partreturn_reason", "part.reason", _("Say why the part comes back."))
explain_constraint("partreturn_on_the_shelf", "part.unopened", _("An unopened part goes back onto the shelf."))


class ReservationMove(Root):
    """What was kept for one line of work was given to another one, and why (3.2). The row itself moves the quantity."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    source = models.ForeignKey("workshop.PartLine", models.PROTECT, related_name="given_away")
    target = models.ForeignKey("workshop.PartLine", models.PROTECT, related_name="taken_over")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    reason = models.CharField(max_length=120)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="reservationmove_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                "reservationmove_same_part",
                operation=pgtrigger.Insert,
                func="""
                    IF (SELECT (count(*), count(DISTINCT p.part_id), count(DISTINCT o.store_id), min(o.store_id))
                        IS DISTINCT FROM (2, 1, 1, NEW.store_id)
                        FROM workshop_partline p JOIN workshop_orderline l ON l.id = p.line_id
                        JOIN workshop_repairorder o ON o.id = l.order_id
                        WHERE p.id IN (NEW.source_id, NEW.target_id))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="reservation.part",
                text=_("Only the same part of another line in this store can be given over."),
            ),
            pgtrigger.Trigger(
                name="reservationmove_moves_it",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE workshop_partline SET reserved_quantity = reserved_quantity
                        + CASE WHEN id = NEW.target_id THEN NEW.quantity ELSE -NEW.quantity END
                    WHERE id IN (NEW.source_id, NEW.target_id);
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(name="reservationmove_quantity", condition=Q(quantity__gt=0)),
            models.CheckConstraint(name="reservationmove_reason", condition=~Q(reason="")),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.source.history_keys()


explain_constraint(
    "reservationmove_reason", "reservation.reason", _("Say why the other order gives it up; its advisor reads it.")
)


# --- purchase ---
class PurchaseState(models.TextChoices):
    ORDERED = "ORDERED", _("Ordered")
    PARTLY = "PARTLY", _("Partly received")
    RECEIVED = "RECEIVED", _("Received in full")
    CLOSED = "CLOSED", _("Closed short")
    CANCELLED = "CANCELLED", pgettext_lazy("purchase", "Cancelled")


B = PurchaseState
PURCHASE_MOVES = {B.ORDERED: {B.PARTLY, B.RECEIVED, B.CANCELLED}, B.PARTLY: {B.RECEIVED, B.CLOSED}}
RUNNING = (B.ORDERED, B.PARTLY)


class PurchaseOrder(Root):
    """Parts ordered from a supplier; what comes in is written on its lines by the movements of stock (3.2).

    ``supplier`` is the name of its ``firm`` when it was ordered.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    firm = models.ForeignKey(Supplier, models.PROTECT, related_name="purchases")
    supplier = models.CharField(max_length=80)
    expected_on = models.DateField()
    state = models.CharField(max_length=9, choices=PurchaseState.choices, default=PurchaseState.ORDERED)
    ordered_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.fixed("purchaseorder_fixed", "store_id", "number", "supplier", "firm_id"),
            of_the_register("purchaseorder_supplier_known", PARTS_KINDS),
            states.versioned(),
            states.fsm(PURCHASE_MOVES, field="state", name="purchaseorder_moves"),
        ]
        constraints = [
            models.CheckConstraint(
                # 3.2: what won't come any more is given up with a reason.
                name="purchaseorder_ended",
                condition=Q(state__in=["ORDERED", "PARTLY"], ended_at__isnull=True)
                | Q(state="RECEIVED", ended_at__isnull=False)
                | (Q(state__in=["CLOSED", "CANCELLED"], ended_at__isnull=False) & ~Q(ended_reason="")),
            ),
            models.CheckConstraint(name="purchaseorder_supplier", condition=~Q(supplier="")),
        ]
        indexes = [
            models.Index(
                fields=["store", "expected_on"], name="purchaseorder_open", condition=Q(state__in=["ORDERED", "PARTLY"])
            )
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING


explain_constraint("purchaseorder_ended", "purchase.reason", _("Say why the rest isn't coming any more."))


class PurchaseLine(Root):
    """So much of a part at a cost; ``received`` is the sum of its receipts and is written by them only (3.2)."""

    store_path = "purchase__store_id"

    purchase = models.ForeignKey(PurchaseOrder, models.PROTECT, related_name="lines")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    unit_cost = models.DecimalField(max_digits=12, decimal_places=4)
    received = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    over_reason = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.fixed("purchaseline_fixed", "purchase_id", "part_id", "quantity", "unit_cost"),
            states.versioned(),
            states.ShownIn("purchase"),
            states.guard(
                "purchaseline_by_receipt_only",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("received"),
                func="""
                    IF (TG_OP = 'INSERT' AND NEW.received <> 0)
                        OR (TG_OP = 'UPDATE' AND NEW.received IS DISTINCT FROM OLD.received AND pg_trigger_depth() < 2)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="stock.movement",
                text=_("What has come in is written by its receipt only."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["purchase", "part"], name="purchaseline_part_once"),
            models.CheckConstraint(name="purchaseline_positive", condition=Q(quantity__gt=0, unit_cost__gte=0)),
            models.CheckConstraint(
                name="purchaseline_over_has_reason", condition=Q(received__lte=F("quantity")) | ~Q(over_reason="")
            ),
        ]

    @property
    def missing(self) -> Decimal:
        return max(Decimal(0), self.quantity - self.received)


explain_constraint(
    "purchaseline_over_has_reason", "purchase.over", _("More came in than was ordered; say why it is kept.")
)
