"""Money given back for old parts that came in after the list was signed (3.2, 4.1)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.models import Root, Store, User
from delivery.models import MONEY, PaymentMethod
from workshop.models import CoreCharge


class CorePayout(Root):
    """So much of a core charge (旧件押金) that a signed list took is given back in money (negative, CNY). Never changed."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    core = models.ForeignKey(CoreCharge, models.PROTECT, related_name="payouts")
    method = models.CharField(max_length=10, choices=PaymentMethod.choices)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    cashier = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.versioned(),
            states.append_only("corepayout_append_only"),
            states.guard(
                # 4.1: no more goes back than the signed and paid list took and its old parts made good; the charge is
                # locked while it is summed.
                "corepayout_within",
                operation=pgtrigger.Insert,
                declare=[("charge", "record"), ("taken", "numeric"), ("gone", "numeric")],
                func="""
                    SELECT store_id, part_line_id, amount - credited AS kept INTO charge FROM workshop_corecharge
                        WHERE id = NEW.core_id FOR NO KEY UPDATE;
                    SELECT COALESCE(sum(r.amount), 0) INTO taken FROM delivery_settlementline r
                        JOIN delivery_settlement s ON s.id = r.settlement_id
                        WHERE r.part_line_id = charge.part_line_id AND r.kind = 'OTHER' AND s.state = 'SIGNED'
                        AND s.total <= (SELECT COALESCE(sum(p.amount), 0) FROM delivery_payment p
                            WHERE p.settlement_id = s.id);
                    SELECT COALESCE(-sum(amount), 0) INTO gone FROM delivery_corepayout WHERE core_id = NEW.core_id;
                    IF charge.store_id <> NEW.store_id OR gone - NEW.amount > taken - charge.kept THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="core.payout",
                text=_("No more is given back than the paid list took for old parts that came in."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="corepayout_is_money", condition=Q(method__in=MONEY) & Q(amount__lt=0)),
        ]
        indexes = [models.Index(fields=["store", "at"], name="corepayout_day")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.core.history_keys()
