"""What an insurer's assessment leaves open of a line and the customer has agreed to bear (3.2)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, StoredFile
from workshop.models import AuthorizationMethod, OrderLine


class DifferenceConsent(Root):
    """The customer's answer about what the insurer doesn't pay of one line, CNY with VAT (自付差额).

    A yes (``agreed``) holds until the line's agreement is taken back (``ended_at``); a no is kept and holds nothing.
    ``seen_hash`` is of what they saw on the link (``Difference.seen_hash``). Nothing else of it is ever changed.
    """

    store_path = "line__order__store_id"
    link_path = "line__order__visit_id"

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="differences")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    agreed_by = models.CharField(_("who agreed to bear it"), max_length=60)
    method = models.CharField(max_length=40, choices=AuthorizationMethod.choices)
    note = models.CharField(max_length=300, blank=True)
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    agreed = models.BooleanField(default=True)
    seen_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.guard(
                "differenceconsent_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - ARRAY['ended_at', 'version', 'updated_at']
                        = to_jsonb(OLD) - ARRAY['ended_at', 'version', 'updated_at']
                        AND (OLD.ended_at IS NULL OR OLD.ended_at = NEW.ended_at) THEN RETURN NEW; END IF;
                    {refuse}
                """,
                code="row.append_only",
                text=_("What was written here is never changed."),
            ),
            states.guard(
                # 3.2: what the insurer has left open of an asked line, to the fen, and by whom the customer lets decide:
                # a private customer, whom they named for it, or whoever comes for one that has named nobody.
                "differenceconsent_of_customer",
                operation=pgtrigger.Insert,
                declare=[("open", "record")],
                func="""
                    SELECT c.id, c.name, c.kind, (NEW.at AT TIME ZONE s.time_zone)::date AS today,
                        l.labor_amount + l.fee_amount + COALESCE((SELECT sum(amount) FROM workshop_partline
                            WHERE line_id = l.id), 0) - workshop_insured(l.id) AS amount
                    INTO open FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN reception_visit v ON v.id = o.visit_id JOIN reception_customer c ON c.id = v.customer_id
                        JOIN kernel_store s ON s.id = o.store_id
                        WHERE l.id = NEW.line_id AND l.pay_type = 'INSURANCE' AND l.state = 'PENDING' AND EXISTS (
                            SELECT 1 FROM workshop_assessmentrow r JOIN workshop_assessment a ON a.id = r.assessment_id
                            WHERE r.line_id = l.id AND a.state = 'AGREED') FOR SHARE OF l;
                    IF NOT FOUND OR NEW.amount <> open.amount THEN {refuse} END IF;
                    IF (open.kind = 'PERSON' AND open.name = NEW.agreed_by) OR NOT EXISTS (
                        SELECT 1 FROM reception_customercontact WHERE customer_id = open.id AND ended_at IS NULL
                        AND 'AUTHORISES' = ANY(roles)) THEN RETURN NEW; END IF;
                    PERFORM 1 FROM reception_customercontact WHERE customer_id = open.id AND name = NEW.agreed_by
                        AND ended_at IS NULL AND 'AUTHORISES' = ANY(roles)
                        AND COALESCE(authorises_from, open.today) <= open.today
                        AND COALESCE(authorises_until, open.today) >= open.today
                        AND (authorises_up_to IS NULL OR NEW.amount <= authorises_up_to) FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="difference.open",
                text=_(
                    "The customer bears what the insurer has left open of an item that waits, neither more nor less."
                ),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["line"], name="differenceconsent_one_holds", condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(name="differenceconsent_positive", condition=Q(amount__gt=0) & ~Q(agreed_by="")),
            models.CheckConstraint(
                name="differenceconsent_no_holds_nothing", condition=Q(agreed=True) | Q(ended_at__isnull=False)
            ),
            models.CheckConstraint(
                # on the link it is on record what exactly they saw
                name="differenceconsent_seen",
                condition=~Q(method="DIGITAL_PORTAL") | ~Q(seen_hash=""),
            ),
            models.CheckConstraint(
                # a spoken yes needs a note of who said what, a drawn one the drawing
                name="differenceconsent_as_it_says",
                condition=Q(method__in=["IN_PERSON_PHYSICAL_SIGNATURE", "DIGITAL_PORTAL"])
                | (Q(method="VERBAL_PHONE") & ~Q(note=""))
                | Q(method="IN_PERSON_DIGITAL_SIGNATURE", signature__isnull=False),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.history_keys()


explain_constraint(
    "differenceconsent_one_holds", "difference.agreed", _("The customer has agreed to bear this already.")
)
explain_constraint(
    "differenceconsent_as_it_says",
    "difference.how",
    _("A spoken yes needs a note of who said what, one at the desk the signature."),
)
explain_constraint(
    "differenceconsent_no_holds_nothing", "difference.declined", _("What the customer doesn't bear holds nothing.")
)
explain_constraint(
    "differenceconsent_seen", "difference.changed", _("On the link it is kept what exactly the customer saw.")
)
