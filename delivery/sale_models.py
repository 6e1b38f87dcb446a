"""Money of sales over the counter (3.2, 4.1); the goods stand in chapter 3."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, User
from delivery.models import MONEY, PaymentMethod
from workshop.models import CounterSale


class SalePayment(Root):
    """Money received for a sale (positive) or given back (negative, naming the payment it reverses). Never changed."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    sale = models.ForeignKey(CounterSale, models.PROTECT, related_name="payments")
    method = models.CharField(max_length=10, choices=PaymentMethod.choices)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    reverses = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="reversals")
    reference = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    cashier = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            states.append_only("salepayment_append_only"),
            states.guard(
                # 4.1: not more than the sale, not back more than came in; the sale is locked while it is summed.
                "salepayment_within_sale",
                operation=pgtrigger.Insert,
                declare=[("sold", "record"), ("paid", "numeric"), ("was", "numeric")],
                func="""
                    SELECT total - returned_total AS owed, state, store_id INTO sold FROM workshop_countersale
                        WHERE id = NEW.sale_id FOR NO KEY UPDATE;
                    SELECT COALESCE(sum(amount), 0) INTO paid FROM delivery_salepayment WHERE sale_id = NEW.sale_id;
                    IF sold.state <> 'SOLD' OR sold.store_id <> NEW.store_id OR paid + NEW.amount < 0
                        OR (NEW.amount > 0 AND paid + NEW.amount > sold.owed) THEN {refuse} END IF;
                    IF NEW.reverses_id IS NOT NULL THEN
                        SELECT p.amount + COALESCE((SELECT sum(r.amount) FROM delivery_salepayment r
                            WHERE r.reverses_id = p.id), 0) INTO was FROM delivery_salepayment p
                            WHERE p.id = NEW.reverses_id AND p.sale_id = NEW.sale_id AND p.reverses_id IS NULL;
                        IF was IS NULL OR was + NEW.amount < 0 THEN {refuse} END IF;
                    END IF;
                    RETURN NEW;
                """,
                code="payment.amount",
                text=_("Never more is taken than is open on the sale, and never more given back than was paid."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="salepayment_sign",
                condition=Q(amount__gt=0, reverses__isnull=True)
                | (Q(amount__lt=0, reverses__isnull=False) & ~Q(reason="")),
            ),
            models.CheckConstraint(name="salepayment_is_money", condition=Q(method__in=MONEY)),
        ]
        indexes = [models.Index(fields=["store", "at"], name="salepayment_day")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.sale.history_keys()


explain_constraint("salepayment_sign", "payment.reason", _("Say why money is given back."))
