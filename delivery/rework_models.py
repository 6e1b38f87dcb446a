"""Cars that come back within the guarantee of our work: evidence, verdict, who bears the cost, who mends (3.2)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, Store, User
from reception.models import Vehicle, Visit
from workshop.models import OrderLine, RepairOrder


class ReworkState(models.TextChoices):
    """Life of a car's return within the guarantee of our work (domain 3.2, art. 38)."""

    OPEN = "OPEN", pgettext_lazy("rework", "Cause being sought")
    ACCEPTED = "ACCEPTED", pgettext_lazy("rework", "Ours, to be mended")
    REFUSED = "REFUSED", pgettext_lazy("rework", "Another cause shown")
    MENDED = "MENDED", pgettext_lazy("rework", "Mended by us")
    SENT_OUT = "SENT_OUT", pgettext_lazy("rework", "With another repairer")
    PAID_OUT = "PAID_OUT", pgettext_lazy("rework", "Mended elsewhere, paid by us")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("rework", "Taken back")


R = ReworkState
REWORK_MOVES = {
    R.OPEN: {R.ACCEPTED, R.REFUSED, R.WITHDRAWN},
    R.ACCEPTED: {R.MENDED, R.SENT_OUT, R.WITHDRAWN},
    R.REFUSED: set(),
    R.MENDED: set(),
    R.SENT_OUT: {R.PAID_OUT},
    R.PAID_OUT: set(),
    R.WITHDRAWN: set(),
}
RUNNING = (R.OPEN, R.ACCEPTED, R.SENT_OUT)
REWORK_COLORS = {
    R.OPEN: "consent",
    R.ACCEPTED: "work",
    R.REFUSED: "booked",
    R.MENDED: "ready",
    R.SENT_OUT: "wait",
    R.PAID_OUT: "ready",
    R.WITHDRAWN: "booked",
}


class ReworkCause(models.TextChoices):
    """What a return came from; the first four are our work, the others have to be shown."""

    WORKMANSHIP = "WORKMANSHIP", pgettext_lazy("cause of a return", "How it was done")
    DIAGNOSIS = "DIAGNOSIS", pgettext_lazy("cause of a return", "Wrong diagnosis")
    PART = "PART", pgettext_lazy("cause of a return", "Part that was put in")
    NO_EVIDENCE = "NO_EVIDENCE", pgettext_lazy("cause of a return", "No other cause shown in time")
    OTHER_FAULT = "OTHER_FAULT", pgettext_lazy("cause of a return", "Another fault")
    USE = "USE", pgettext_lazy("cause of a return", "Use against the instructions")
    ACCIDENT = "ACCIDENT", pgettext_lazy("cause of a return", "Accident or outside damage")
    THIRD_PARTY = "THIRD_PARTY", pgettext_lazy("cause of a return", "Work of somebody else")


OURS = (ReworkCause.WORKMANSHIP, ReworkCause.DIAGNOSIS, ReworkCause.PART, ReworkCause.NO_EVIDENCE)
OTHERS = (ReworkCause.OTHER_FAULT, ReworkCause.USE, ReworkCause.ACCIDENT, ReworkCause.THIRD_PARTY)


class CostBearer(models.TextChoices):
    SHOP = "SHOP", pgettext_lazy("bears the cost", "Our shop")
    SUPPLIER = "SUPPLIER", pgettext_lazy("bears the cost", "Supplier of the part")
    MAKER = "MAKER", pgettext_lazy("bears the cost", "Maker")
    CUSTOMER = "CUSTOMER", pgettext_lazy("bears the cost", "Customer")


class ReworkCase(Root):
    """One return of one piece of our work within its guarantee (3.2, domain 3.2 arts. 37 and 38).

    ``line`` is always the first repair's line, whatever mended it since; ``attempt`` counts its returns. ``out_km`` and
    ``out_on`` are the exit the guarantee counts from, ``until`` and ``until_km`` its end as it stood at the claim;
    ``evidence_due_at`` is the end of the last day on which another cause can be shown.
    """

    link_path = "visit_id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="returns")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="returns")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="returns")
    handover = models.ForeignKey("delivery.Handover", models.PROTECT, related_name="returns")
    attempt = models.PositiveSmallIntegerField()
    complaint = models.CharField(_("customer's own words"), max_length=500)
    claimed_at = models.DateTimeField(default=clock.now)
    claimed_on = models.DateField()
    odometer_km = models.PositiveIntegerField()
    out_on = models.DateField()
    out_km = models.PositiveIntegerField()
    until = models.DateField()
    until_km = models.PositiveIntegerField()
    evidence_due_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=R.choices, default=R.OPEN)
    cause = models.CharField(max_length=11, choices=ReworkCause.choices, blank=True)
    findings = models.CharField(_("what was found"), max_length=500, blank=True)
    bearer = models.CharField(max_length=8, choices=CostBearer.choices, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    judged_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    order = models.ForeignKey(RepairOrder, models.PROTECT, null=True, blank=True, related_name="rework_cases")
    repairer = models.CharField(_("other repairer"), max_length=80, blank=True)
    outside_amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    outside_paper = models.CharField(_("their invoice"), max_length=40, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fsm(REWORK_MOVES, field="state", name="reworkcase_moves"),
            states.fixed(
                "reworkcase_fixed",
                "store_id",
                "line_id",
                "vehicle_id",
                "visit_id",
                "handover_id",
                "attempt",
                "claimed_at",
                "claimed_on",
                "odometer_km",
                "out_on",
                "out_km",
                "until",
                "until_km",
                "evidence_due_at",
            ),
            states.guard(
                # 3.2: a return names work that was inspected, settled and went out of this gate in the same car.
                "reworkcase_of_our_work",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (
                        SELECT 1 FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
                        JOIN delivery_handover h ON h.id = NEW.handover_id
                        JOIN reception_visit out ON out.id = h.visit_id
                        WHERE l.id = NEW.line_id AND l.state = 'INSPECTED' AND l.settled
                        AND o.vehicle_id = NEW.vehicle_id AND o.store_id = NEW.store_id AND h.store_id = NEW.store_id
                        AND out.vehicle_id = NEW.vehicle_id AND NEW.odometer_km >= h.odometer_km
                        AND NEW.visit_id <> h.visit_id
                        AND (o.visit_id = h.visit_id OR EXISTS (
                            SELECT 1 FROM delivery_reworkcase c JOIN workshop_repairorder r ON r.id = c.order_id
                            WHERE c.line_id = l.id AND c.state = 'MENDED' AND r.visit_id = h.visit_id))
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="rework.line",
                text=_("A return names work of ours that left with this very car before."),
            ),
            states.guard(
                # The line is locked, so that two returns of one piece of work are counted one after the other.
                "reworkcase_counted",
                operation=pgtrigger.Insert,
                declare=[("before", "integer")],
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = NEW.line_id FOR NO KEY UPDATE;
                    SELECT count(*) INTO before FROM delivery_reworkcase
                        WHERE line_id = NEW.line_id AND state IN ('MENDED', 'PAID_OUT');
                    IF NEW.attempt <> before + 1 THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="rework.counted",
                text=_("Somebody has just entered a return of this work; look at it first."),
            ),
            states.guard(
                # domain 3.2: after two repairs of ours that failed, somebody else mends it at our cost. Work is refused
                # on an order of our own, whoever asks for it.
                "reworkcase_other_repairer",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("order_id", "repairer", "attempt"),
                func="""
                    IF NEW.attempt > 1 AND (NEW.order_id IS NOT NULL OR EXISTS (
                        SELECT 1 FROM kernel_store s WHERE s.id = NEW.store_id AND NEW.repairer <> ''
                        AND regexp_replace(lower(NEW.repairer), '\\s', '', 'g')
                            IN (regexp_replace(lower(s.name), '\\s', '', 'g'), lower(s.code)))
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="rework.other_repairer",
                text=_(
                    "Two repairs of ours haven't mended this: another repairer does it now, found and paid by us "
                    "(art. 38)."
                ),
            ),
            states.guard(
                "reworkcase_order",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("order_id"),
                func="""
                    IF TG_OP = 'UPDATE' AND OLD.order_id IS NOT NULL AND NEW.order_id IS DISTINCT FROM OLD.order_id
                        AND EXISTS (SELECT 1 FROM workshop_repairorder WHERE id = OLD.order_id AND withdrawn_at IS NULL)
                    THEN {refuse} END IF;
                    IF NEW.order_id IS NOT NULL AND (NOT EXISTS (
                        SELECT 1 FROM workshop_repairorder r JOIN workshop_orderline l ON l.id = NEW.line_id
                        WHERE r.id = NEW.order_id AND r.kind = 'REWORK' AND r.original_id = l.order_id
                        AND r.vehicle_id = NEW.vehicle_id AND r.visit_id = NEW.visit_id)
                    OR EXISTS (SELECT 1 FROM workshop_orderline l WHERE l.order_id = NEW.order_id
                        AND l.pay_type IN ('CUSTOMER_PAY', 'INSURANCE')))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="rework.order",
                text=_("A return is mended once, on a rework order of its own visit."),
            ),
            states.guard(
                "reworkcase_mended_went_out",
                operation=pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'MENDED' AND OLD.state <> 'MENDED'"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM workshop_repairorder r JOIN delivery_handover h ON h.visit_id = r.visit_id
                        WHERE r.id = NEW.order_id) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="rework.not_out",
                text=_("It is mended when the car has been handed over after its rework order."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                # art. 37: within days and kilometres, whichever comes first
                name="reworkcase_in_period",
                condition=Q(claimed_on__lte=F("until"), odometer_km__lte=F("until_km"), out_on__lte=F("claimed_on")),
            ),
            models.CheckConstraint(
                # art. 38: who shows no other cause within the days mends free of charge
                name="reworkcase_evidence",
                condition=~Q(state=R.REFUSED)
                | (
                    Q(judged_at__isnull=False, judged_at__lt=F("evidence_due_at"), cause__in=OTHERS)
                    & ~Q(findings="")
                    & Q(bearer=CostBearer.CUSTOMER)
                ),
            ),
            models.CheckConstraint(
                name="reworkcase_ours_is_free",
                condition=~Q(state__in=[R.ACCEPTED, R.MENDED, R.SENT_OUT, R.PAID_OUT])
                | Q(judged_at__isnull=False, cause__in=OURS, bearer__in=["SHOP", "SUPPLIER", "MAKER"]),
            ),
            models.CheckConstraint(
                name="reworkcase_outside",
                condition=~Q(state__in=[R.SENT_OUT, R.PAID_OUT]) | (Q(order__isnull=True) & ~Q(repairer="")),
            ),
            models.CheckConstraint(
                name="reworkcase_outside_paid",
                condition=~Q(state=R.PAID_OUT)
                | (Q(outside_amount__isnull=False, outside_amount__gte=0) & ~Q(outside_paper="")),
            ),
            models.CheckConstraint(
                name="reworkcase_withdrawn",
                condition=~Q(state=R.WITHDRAWN) | (~Q(ended_reason="") & Q(order__isnull=True)),
            ),
            models.UniqueConstraint(
                name="reworkcase_one_running", fields=["line"], condition=Q(state__in=list(RUNNING))
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="reworkcase_list"),
            models.Index(fields=["evidence_due_at"], name="reworkcase_due", condition=Q(state=R.OPEN)),
        ]

    @property
    def state_color(self) -> str:
        return REWORK_COLORS[R(self.state)]

    @property
    def last_minute(self) -> datetime:
        """The last minute in which another cause can be shown, as people read a day's end."""
        return self.evidence_due_at - timedelta(minutes=1)

    @property
    def goes_out(self) -> bool:
        """Whether another repairer has to mend it, as two repairs of ours didn't (art. 38)."""
        return self.attempt > 1

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()


explain_constraint(
    "reworkcase_in_period", "rework.over", _("The guarantee of this work is over by date or by kilometres.")
)
explain_constraint(
    "reworkcase_evidence",
    "rework.evidence",
    _("Another cause is shown with what was found, within the days; after that it is ours to mend free of charge."),
)
explain_constraint("reworkcase_ours_is_free", "rework.bearer", _("What is ours to mend costs the customer nothing."))
explain_constraint("reworkcase_outside", "rework.repairer", _("Write which other repairer mends it."))
explain_constraint("reworkcase_outside_paid", "rework.paid", _("Write what was paid and on which invoice."))
explain_constraint("reworkcase_withdrawn", "rework.reason", _("Say why it is taken back."))
explain_constraint(
    "reworkcase_one_running", "rework.running", _("A return of this work is open already; go on with that one.")
)
explain_constraint(
    "orderline_rework_is_free",
    "rework.free",
    _("This order mends our own work: the customer pays nothing on it. Write other wishes on an order of their own."),
)
