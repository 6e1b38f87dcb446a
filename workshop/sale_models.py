"""Parts sold over the counter without a car, and what of them comes back (3.2)."""

from __future__ import annotations

import uuid
from decimal import Decimal

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Part
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store
from reception.models import Customer
from workshop.stock_models import ReturnCondition, StockLot, on_the_shelf


class SaleState(models.TextChoices):
    DRAFT = "DRAFT", pgettext_lazy("counter sale", "Being written")
    SOLD = "SOLD", pgettext_lazy("counter sale", "Sold")
    DROPPED = "DROPPED", pgettext_lazy("counter sale", "Dropped")


SALE_MOVES = {SaleState.DRAFT: {SaleState.SOLD, SaleState.DROPPED}}


class CounterSale(Root):
    """A sale over the counter; without ``customer`` it is anonymous. Amounts are CNY with VAT (3.2).

    ``total`` is what is paid for it: its parts less the discount, and the core charges beside them (``core_total``, given
    back when the old parts come in); ``returned_total`` what is given back for what came back.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=7, choices=SaleState.choices, default=SaleState.DRAFT)
    discount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    discount_reason = models.CharField(max_length=120, blank=True)
    total = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    core_total = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    returned_total = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    begun_at = models.DateTimeField(default=clock.now)
    sold_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.fixed("countersale_fixed", "store_id", "number"),
            states.versioned(),
            states.fsm(SALE_MOVES, field="state", name="countersale_moves"),
            states.guard(
                # 3.2: what was sold stays as it was sold; only what comes back is written beside it.
                "countersale_sold_is_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state <> 'DRAFT'"),
                func="""
                    IF TG_OP = 'DELETE' OR (OLD.discount, OLD.discount_reason, OLD.total, OLD.core_total, OLD.sold_at)
                        IS DISTINCT FROM (NEW.discount, NEW.discount_reason, NEW.total, NEW.core_total, NEW.sold_at)
                        OR (NEW.returned_total <> OLD.returned_total AND pg_trigger_depth() < 2)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sale.final",
                text=_("This sale is closed; what comes back is written as a return."),
            ),
            states.guard(
                # 3.2: a high-voltage or traced part is sold with a reason, to somebody whom a recall finds.
                "countersale_with_care",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.state = 'SOLD' AND OLD.state = 'DRAFT'"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_saleline l JOIN catalogue_part p ON p.id = l.part_id
                        WHERE l.sale_id = NEW.id AND (p.high_voltage OR p.tracing <> 'NONE')
                        AND (l.reason = '' OR NEW.customer_id IS NULL)) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sale.careful",
                text=_("A high-voltage or traced part is sold with a reason and to a customer who is named."),
            ),
            pgtrigger.Trigger(
                # At the end of the transaction: what is sold has left the shelf, every line of it, and adds up.
                name="countersale_sold_whole",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.state = 'SOLD' AND OLD.state = 'DRAFT'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_saleline WHERE sale_id = NEW.id)
                        OR EXISTS (SELECT 1 FROM workshop_saleline l WHERE l.sale_id = NEW.id AND l.quantity IS DISTINCT FROM
                            (SELECT -sum(m.quantity) FROM workshop_stockmovement m
                                WHERE m.sale_line_id = l.id AND m.kind = 'SALE'))
                        OR (SELECT sum(amount + core_amount) - NEW.discount FROM workshop_saleline WHERE sale_id = NEW.id)
                            <> NEW.total
                        OR (SELECT sum(core_amount) FROM workshop_saleline WHERE sale_id = NEW.id) <> NEW.core_total
                        OR EXISTS (SELECT 1 FROM workshop_saleline l LEFT JOIN workshop_corecharge c ON c.sale_line_id = l.id
                            WHERE l.sale_id = NEW.id AND l.core_amount > 0 AND c.id IS NULL)
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'countersale_sold_whole', TABLE = TG_TABLE_NAME,
                        MESSAGE = 'countersale_sold_whole'; END IF;
                    RETURN NULL;
                """,
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="countersale_amounts",
                condition=Q(discount__gte=0, total__gte=0, returned_total__gte=0, returned_total__lte=F("total")),
            ),
            models.CheckConstraint(
                name="countersale_discount_reason", condition=Q(discount=0) | ~Q(discount_reason="")
            ),
            models.CheckConstraint(
                name="countersale_sold_at",
                condition=Q(state="SOLD", sold_at__isnull=False) | (~Q(state="SOLD") & Q(sold_at__isnull=True)),
            ),
        ]
        indexes = [models.Index(fields=["store", "-id"], name="countersale_store")]

    def __str__(self) -> str:
        return self.number

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.customer.uid} if self.customer else {}

    @property
    def owed(self) -> Decimal:
        """What the buyer owes in all, whatever of it is paid."""
        return self.total - self.returned_total

    @property
    def goods_total(self) -> Decimal:
        """What its parts cost less the discount, without core charges."""
        return self.total - self.core_total


explain_constraint("countersale_sold_whole", "sale.whole", _("What is sold leaves the shelf with its sale, all of it."))
explain_constraint("countersale_discount_reason", "discount.reason", _("Say why the discount is given."))


class SaleLine(Root):
    """So much of a part at a price (CNY with VAT for one); ``returned`` is written by its returns only."""

    store_path = "sale__store_id"

    sale = models.ForeignKey(CounterSale, models.PROTECT, related_name="lines")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    returned = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    lot_codes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    core_price = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    core_amount = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    """Core charge of one unit and of the line; given back when the old part comes in (``CoreCharge``)."""
    reason = models.CharField(max_length=120, blank=True, default="", db_default="")
    """Why a high-voltage or traced part goes over the counter."""

    class Meta:
        ordering = ["id"]
        triggers = [
            states.fixed("saleline_sale_fixed", "sale_id"),
            states.versioned(),
            states.ShownIn("sale"),
            pgtrigger.Trigger(
                # At the end of the transaction: what came back of a sold part takes its core charge along.
                name="saleline_core_follows",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("returned"),
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.core_amount > 0"),
                func="""
                    IF EXISTS (SELECT 1 FROM workshop_saleline l JOIN workshop_corecharge c ON c.sale_line_id = l.id
                        WHERE l.id = NEW.id AND c.quantity <> l.quantity - l.returned)
                    THEN RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = 'saleline_core_follows', TABLE = TG_TABLE_NAME,
                        MESSAGE = 'saleline_core_follows'; END IF;
                    RETURN NULL;
                """,
            ),
            states.guard(
                "saleline_while_written",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("now_in", "text")],
                unchanged_passes=True,
                func="""
                    SELECT state INTO now_in FROM workshop_countersale WHERE id = COALESCE(NEW.sale_id, OLD.sale_id) FOR SHARE;
                    IF TG_OP = 'UPDATE' AND pg_trigger_depth() >= 2 AND (OLD.sale_id, OLD.part_id, OLD.quantity,
                        OLD.unit_price, OLD.amount, OLD.core_amount, OLD.lot_codes) IS NOT DISTINCT FROM (NEW.sale_id,
                        NEW.part_id, NEW.quantity, NEW.unit_price, NEW.amount, NEW.core_amount, NEW.lot_codes)
                    THEN RETURN NEW; END IF;
                    IF now_in <> 'DRAFT' OR (TG_OP <> 'DELETE' AND NEW.returned <> 0) THEN {refuse} END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
                code="sale.final",
                text=_("This sale is closed; what comes back is written as a return."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["sale", "part"], name="saleline_part_once"),
            models.CheckConstraint(
                name="saleline_quantities",
                condition=Q(quantity__gt=0, unit_price__gte=0, amount__gte=0, returned__gte=0, core_amount__gte=0)
                & Q(returned__lte=F("quantity")),
            ),
        ]

    @property
    def left(self) -> Decimal:
        return self.quantity - self.returned


explain_constraint("saleline_quantities", "sale.returned", _("No more comes back than was sold."))


class SaleReturn(Root):
    """Something sold came back, with what is given back for it (CNY); the row itself takes it off its line."""

    store_path = "line__sale__store_id"

    line = models.ForeignKey(SaleLine, models.PROTECT, related_name="returns")
    lot = models.ForeignKey(StockLot, models.PROTECT, null=True, blank=True, related_name="+")
    condition = models.CharField(max_length=8, choices=ReturnCondition.choices)
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=120)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="salereturn_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                "salereturn_of_a_sale",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_saleline l JOIN workshop_countersale s ON s.id = l.sale_id
                        WHERE l.id = NEW.line_id AND s.state = 'SOLD';
                    IF NOT FOUND OR (NEW.condition = 'UNOPENED' AND EXISTS (SELECT 1 FROM catalogue_part p
                        JOIN workshop_saleline l ON l.part_id = p.id
                        WHERE l.id = NEW.line_id AND p.tracing <> 'NONE') AND NEW.lot_id IS NULL)
                        OR (NEW.lot_id IS NOT NULL AND NEW.quantity > (
                            SELECT COALESCE(-sum(quantity), 0) FROM workshop_stockmovement
                                WHERE sale_line_id = NEW.line_id AND lot_id = NEW.lot_id AND kind = 'SALE'
                        ) - (
                            SELECT COALESCE(sum(quantity), 0) FROM workshop_salereturn
                                WHERE line_id = NEW.line_id AND lot_id = NEW.lot_id))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="sale.returned",
                text=_("No more comes back than was sold."),
            ),
            pgtrigger.Trigger(
                name="salereturn_leaves_its_line",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func="""
                    UPDATE workshop_saleline SET returned = returned + NEW.quantity WHERE id = NEW.line_id;
                    UPDATE workshop_countersale SET returned_total = returned_total + NEW.amount
                        WHERE id = (SELECT sale_id FROM workshop_saleline WHERE id = NEW.line_id);
                    RETURN NULL;
                """,
            ),
            on_the_shelf("salereturn_on_the_shelf", movement="sale_return_id"),
        ]
        constraints = [
            models.CheckConstraint(name="salereturn_amounts", condition=Q(quantity__gt=0, amount__gte=0)),
            models.CheckConstraint(name="salereturn_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="salereturn_condition", condition=Q(condition__in=ReturnCondition.values)),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.sale.history_keys()


explain_constraint("salereturn_reason", "part.reason", _("Say why the part comes back."))
explain_constraint("salereturn_on_the_shelf", "part.unopened", _("An unopened part goes back onto the shelf."))
