"""Parts that came off a car: whose they are, where they lie, and what became of them (3.2, domain 3.3 and 3.6)."""

from __future__ import annotations

import uuid
from datetime import date

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, StoredFile, User
from workshop.models import OrderLine, PartLine


class Disposition(models.TextChoices):
    """What becomes of an old part (旧件处理)."""

    CUSTOMER = "CUSTOMER", pgettext_lazy("old part", "Customer takes it")
    SHOP = "SHOP", pgettext_lazy("old part", "Shop disposes of it, with consent")
    MAKER = "MAKER", pgettext_lazy("old part", "Returned to the maker")
    NONE = "NONE", pgettext_lazy("old part", "No old part")


class OldPartState(models.TextChoices):
    KEPT = "KEPT", pgettext_lazy("old part", "In the old-part store")
    RELEASED = "RELEASED", pgettext_lazy("old part", "Released by the maker")
    GIVEN = "GIVEN", pgettext_lazy("old part", "Given to the customer")
    RETURNED = "RETURNED", pgettext_lazy("old part", "Sent to the maker")
    SCRAPPED = "SCRAPPED", pgettext_lazy("old part", "Disposed of")
    ABSENT = "ABSENT", pgettext_lazy("old part", "There was none")


O = OldPartState  # noqa: E741
OLD_PART_MOVES = {
    O.KEPT: {O.RELEASED, O.GIVEN, O.RETURNED, O.SCRAPPED, O.ABSENT},
    O.RELEASED: {O.GIVEN, O.RETURNED, O.SCRAPPED},
    O.GIVEN: set(),
    O.RETURNED: set(),
    O.SCRAPPED: set(),
    O.ABSENT: set(),
}
OLD_PART_COLORS = {
    O.KEPT: "booked",
    O.RELEASED: "consent",
    O.GIVEN: "ready",
    O.RETURNED: "ready",
    O.SCRAPPED: "booked",
    O.ABSENT: "booked",
}
LYING = (O.KEPT, O.RELEASED)


class OldPart(Root):
    """What came off the car for one part that was put in (旧件); ``tag`` is the number that hangs on it.

    ``keep_until`` is the last day on which it has to lie here: the maker's parts until then or until the maker's
    release, the others until they may be cleared away. ``reference`` is the maker's word or parcel, ``told_at`` when
    the customer was shown it and told where it goes.
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="old_parts")
    part_line = models.OneToOneField(PartLine, models.PROTECT, related_name="old_part")
    tag = models.CharField(max_length=30, unique=True)
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    odometer_km = models.PositiveIntegerField()
    disposition = models.CharField(max_length=8, choices=Disposition.choices)
    decided_at = models.DateTimeField(default=clock.now)
    consent_by = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=8, choices=O.choices, default=O.KEPT)
    place = models.CharField(max_length=20, blank=True)
    kept_at = models.DateTimeField(default=clock.now)
    keep_until = models.DateField()
    told_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=60, blank=True)
    given_to = models.CharField(max_length=60, blank=True)
    signature = models.ForeignKey(
        StoredFile,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="of whom it was given to, or of who left it to the shop after the car was taken in",
    )
    signed_on_paper = models.BooleanField(default=False, db_default=False)
    note = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fsm(OLD_PART_MOVES, field="state", name="oldpart_moves"),
            states.fixed(
                "oldpart_fixed", "store_id", "line_id", "part_line_id", "tag", "quantity", "odometer_km", "kept_at"
            ),
            states.guard(
                "oldpart_of_finished_work",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_partline p JOIN workshop_orderline l ON l.id = p.line_id
                        JOIN workshop_repairorder o ON o.id = l.order_id
                        WHERE p.id = NEW.part_line_id AND l.id = NEW.line_id AND o.store_id = NEW.store_id
                        AND l.state IN ('COMPLETED', 'INSPECTED');
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="old_part.line",
                text=_("An old part comes off with work that is done."),
            ),
            states.guard(
                "oldpart_maker_is_warranty",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("disposition"),
                condition=pgtrigger.Condition("NEW.disposition = 'MAKER'"),
                func="""
                    PERFORM 1 FROM workshop_orderline l WHERE l.id = NEW.line_id AND (l.pay_type = 'WARRANTY'
                        OR l.pay_type = 'GOODWILL' AND (SELECT g.bearer FROM workshop_linegoodwill g
                            JOIN kernel_approval a ON a.id = g.approval_id AND a.state = 'APPROVED'
                            WHERE g.line_id = l.id ORDER BY g.id DESC LIMIT 1) = 'MAKER');
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="old_part.owner",
                text=_(
                    "The maker gets the old parts of its warranty and of goodwill that it bears; others belong to the customer."
                ),
            ),
            states.guard(
                # domain 3.6: the maker's old part lies here until the maker releases it or its days are over.
                "oldpart_kept_for_maker",
                operation=pgtrigger.UpdateOf("state", "disposition", "keep_until"),
                condition=pgtrigger.Condition("OLD.disposition = 'MAKER'"),
                declare=[("today", "date")],
                func="""
                    IF NEW.keep_until < OLD.keep_until THEN {refuse} END IF;
                    IF NEW.disposition = OLD.disposition AND NEW.state NOT IN ('GIVEN', 'SCRAPPED') THEN RETURN NEW; END IF;
                    IF OLD.state <> 'KEPT' THEN RETURN NEW; END IF;
                    SELECT (COALESCE(NEW.ended_at, NEW.decided_at) AT TIME ZONE s.time_zone)::date INTO today
                        FROM kernel_store s WHERE s.id = NEW.store_id;
                    IF today <= OLD.keep_until THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="old_part.kept",
                text=_("The maker's old part stays here until the maker releases it or its days are over."),
            ),
            states.guard(
                # 3.2: who takes an old part along signs for it, on the pad or on paper.
                "oldpart_signed_for",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition(
                    "NEW.state = 'GIVEN' AND OLD.state <> 'GIVEN' AND NEW.given_to <> '' "
                    "AND NEW.signature_id IS NULL AND NOT NEW.signed_on_paper"
                ),
                func="{refuse}",
                code="old_part.signature",
                text=_("Who takes an old part signs for it: on the pad, or tick that it was signed on paper (3.2)."),
            ),
            states.guard(
                "oldpart_signed_stays",
                operation=pgtrigger.UpdateOf("given_to", "signature_id", "signed_on_paper"),
                condition=pgtrigger.Condition(
                    "OLD.state = 'GIVEN' AND (OLD.given_to, OLD.signature_id, OLD.signed_on_paper) "
                    "IS DISTINCT FROM (NEW.given_to, NEW.signature_id, NEW.signed_on_paper)"
                ),
                func="{refuse}",
                code="old_part.gone",
                text=_("The customer has this old part; what was signed for it stays."),
            ),
            states.guard(
                # domain 3.3: who leaves it to the shop signs for that: with the walk-around, or for this part. One whose
                # core charge was given back was brought for that.
                "oldpart_left_signed",
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("disposition", "consent_by", "signature_id", "signed_on_paper"),
                condition=pgtrigger.Condition(
                    "NEW.disposition = 'SHOP' AND NEW.consent_by <> '' "
                    "AND NEW.signature_id IS NULL AND NOT NEW.signed_on_paper"
                ),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                            JOIN reception_walkaround w ON w.visit_id = o.visit_id
                            WHERE l.id = NEW.line_id AND w.old_parts = 'LEAVE' AND w.signed_name <> '')
                        AND NOT EXISTS (SELECT 1 FROM workshop_corereturn r JOIN workshop_corecharge c ON c.id = r.core_id
                            WHERE c.part_line_id = NEW.part_line_id)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="old_part.signature",
                text=_(
                    "Who leaves an old part to the shop signs for it: on the pad, or tick that it was signed on paper (3.2)."
                ),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # domain 3.3: it is the customer's; the shop clears away only what the customer left to it
                name="oldpart_shop_by_consent",
                condition=~Q(disposition=Disposition.SHOP) | ~Q(consent_by=""),
            ),
            models.CheckConstraint(
                name="oldpart_scrapped_by_right",
                condition=~Q(state=O.SCRAPPED) | Q(disposition__in=[Disposition.SHOP, Disposition.MAKER]),
            ),
            models.CheckConstraint(name="oldpart_given_to", condition=~Q(state=O.GIVEN) | ~Q(given_to="")),
            models.CheckConstraint(
                name="oldpart_maker_reference",
                condition=(~Q(state__in=[O.RELEASED, O.RETURNED]) | ~Q(reference=""))
                & (~Q(state=O.RETURNED) | Q(disposition=Disposition.MAKER)),
            ),
            models.CheckConstraint(
                name="oldpart_absent",
                condition=(Q(disposition=Disposition.NONE, state=O.ABSENT) & ~Q(note=""))
                | (~Q(disposition=Disposition.NONE) & ~Q(state=O.ABSENT)),
            ),
            models.CheckConstraint(
                name="oldpart_ended",
                condition=Q(state__in=list(LYING), ended_at__isnull=True)
                | (~Q(state__in=list(LYING)) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(name="oldpart_quantity", condition=Q(quantity__gt=0)),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="oldpart_list"),
            models.Index(fields=["store", "keep_until"], name="oldpart_lying", condition=Q(state__in=list(LYING))),
        ]

    def __str__(self) -> str:
        return self.tag

    @property
    def state_color(self) -> str:
        return OLD_PART_COLORS[O(self.state)]

    @property
    def is_lying(self) -> bool:
        return self.state in LYING

    def must_stay(self, today: date) -> bool:
        """Whether the maker still has a say: neither released nor past its days."""
        return self.disposition == Disposition.MAKER and self.state == O.KEPT and today <= self.keep_until

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.order.history_keys()


explain_constraint(
    "oldpart_shop_by_consent",
    "old_part.consent",
    _("The old part is the customer's: write who of them agreed that the shop disposes of it."),
)
explain_constraint(
    "oldpart_scrapped_by_right", "old_part.owner", _("This old part is the customer's; it isn't disposed of here.")
)
explain_constraint("oldpart_given_to", "old_part.receiver", _("Write who takes the old part."))
explain_constraint("oldpart_maker_reference", "old_part.reference", _("Write the maker's word or the parcel's number."))
explain_constraint("oldpart_absent", "old_part.absent", _("Say why there is no old part."))
