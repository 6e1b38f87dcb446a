"""What a payer agreed to in advance: additions up to an amount of a visit, without being asked again (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root
from reception.models import Customer
from staff.models import Employee


class ConsentGiven(models.TextChoices):
    PAPER = "PAPER", _("Signed on paper")
    PHONE = "PHONE", _("By telephone")


class StandingConsent(Root):
    """“Up to ¥500 a visit without asking”: who said it, how, from when until when (both days inclusive), CNY with VAT.

    Only its end is ever written: a new amount is a new consent. What it covered names it (``Authorization.standing``).
    """

    store_path = None

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="standing_consents")
    up_to = models.DecimalField(max_digits=12, decimal_places=2, help_text="CNY with VAT, additions of one visit")
    given_by = models.CharField(_("given by"), max_length=60)
    how = models.CharField(max_length=5, choices=ConsentGiven.choices)
    note = models.CharField(max_length=200, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    given_at = models.DateTimeField(default=clock.now)
    taken_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fixed(
                "standingconsent_fixed", "customer_id", "up_to", "given_by", "how", "starts_on", "ends_on", "given_at"
            ),
            pgtrigger.Protect(name="standingconsent_kept", operation=pgtrigger.Delete),
            states.guard(
                "standingconsent_ended_stays",
                operation=pgtrigger.UpdateOf("ended_at"),
                condition=pgtrigger.Condition(
                    "OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at"
                ),
                func="{refuse}",
                code="standing.ended",
                text=_("This consent was taken back already."),
            ),
            states.guard(
                # 3.2: who consents in advance is who may decide for the payer on that day, and about so much.
                "standingconsent_by_who_may",
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (SELECT 1 FROM reception_customer c WHERE c.id = NEW.customer_id
                        AND c.kind = 'PERSON' AND c.name = NEW.given_by)
                        OR EXISTS (SELECT 1 FROM reception_customercontact WHERE customer_id = NEW.customer_id
                            AND name = NEW.given_by AND ended_at IS NULL AND 'AUTHORISES' = ANY(roles)
                            AND COALESCE(authorises_from, NEW.starts_on) <= NEW.starts_on
                            AND COALESCE(authorises_until, NEW.starts_on) >= NEW.starts_on
                            AND (authorises_up_to IS NULL OR NEW.up_to <= authorises_up_to))
                    THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="standing.who",
                text=_("This person may not decide for the payer, or not about so much (3.2)."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="standingconsent_one_live", fields=["customer"], condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(name="standingconsent_amount", condition=Q(up_to__gt=0)),
            models.CheckConstraint(name="standingconsent_days", condition=Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(name="standingconsent_phone_note", condition=~Q(how="PHONE") | ~Q(note="")),
            models.CheckConstraint(
                name="standingconsent_ended_why", condition=Q(ended_at__isnull=True) | ~Q(ended_reason="")
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.customer.uid}


explain_constraint(
    "standingconsent_one_live", "standing.exists", _("There is such a consent already; take it back first.")
)
explain_constraint("standingconsent_amount", "standing.amount", _("Write an amount above nothing."))
explain_constraint("standingconsent_days", "standing.days", _("The last day doesn't lie before the first."))
explain_constraint("standingconsent_phone_note", "standing.note", _("For a spoken consent, note who said what."))
explain_constraint("standingconsent_ended_why", "standing.reason", _("Say why it is taken back."))
