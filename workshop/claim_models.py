"""What owners demand under 三包: one file each, with its two clocks, the answer and the end (domain 3.6, art. 28)."""

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
from reception.models import Customer, Vehicle, to_standing_customer


class ClaimRemedy(models.TextChoices):
    """What the owner asks for (arts. 19 to 24)."""

    FREE_REPAIR = "FREE_REPAIR", pgettext_lazy("demand", "Repair free of charge")
    REPLACE_ASSEMBLY = "REPLACE_ASSEMBLY", pgettext_lazy("demand", "Another assembly")
    REPLACE_CAR = "REPLACE_CAR", pgettext_lazy("demand", "Another car")
    REFUND = "REFUND", pgettext_lazy("demand", "Car back for its price")
    TRANSPORT_MONEY = "TRANSPORT_MONEY", pgettext_lazy("demand", "Transport money or loan car")


OTHER_CAR = (ClaimRemedy.REPLACE_CAR, ClaimRemedy.REFUND)


class ClaimRefusal(models.TextChoices):
    """Why a demand is refused: what isn't met, or one of the five cases of article 32. Care elsewhere is none."""

    PERIOD_OVER = "PERIOD_OVER", pgettext_lazy("refusal", "The period is over by date or kilometres")
    NOT_MET = "NOT_MET", pgettext_lazy("refusal", "The conditions of the articles aren't met")
    NOT_QUALITY = "NOT_QUALITY", pgettext_lazy("refusal", "It is no fault of quality")
    TOLD_BEFORE = "TOLD_BEFORE", pgettext_lazy("refusal", "Flaw told in writing at the purchase (art. 32.1)")
    MISUSE = "MISUSE", pgettext_lazy("refusal", "Use or care against the instructions (art. 32.2)")
    MODIFIED = "MODIFIED", pgettext_lazy("refusal", "Changed or taken apart against the instructions (art. 32.3)")
    OWN_HANDLING = (
        "OWN_HANDLING",
        pgettext_lazy("refusal", "Damage by the owner's own handling of the fault (art. 32.4)"),
    )
    FORCE_MAJEURE = "FORCE_MAJEURE", pgettext_lazy("refusal", "Force majeure (art. 32.5)")


class ClaimState(models.TextChoices):
    OPEN = "OPEN", pgettext_lazy("statutory claim", "To be answered")
    GRANTED = "GRANTED", pgettext_lazy("statutory claim", "Granted, to be carried out")
    REFUSED = "REFUSED", pgettext_lazy("statutory claim", "Refused with reasons")
    FINISHED = "FINISHED", pgettext_lazy("statutory claim", "Carried out")
    WITHDRAWN = "WITHDRAWN", pgettext_lazy("statutory claim", "Taken back by the owner")


C = ClaimState
CLAIM_MOVES = {
    C.OPEN: {C.GRANTED, C.REFUSED, C.WITHDRAWN},
    C.GRANTED: {C.FINISHED, C.WITHDRAWN},
    C.REFUSED: set(),
    C.FINISHED: set(),
    C.WITHDRAWN: set(),
}
CLAIM_COLORS = {C.OPEN: "consent", C.GRANTED: "work", C.REFUSED: "booked", C.FINISHED: "ready", C.WITHDRAWN: "booked"}


class StatutoryClaim(Root):
    """One demand of one owner for one car (art. 28). ``grounds`` is what the rules said at the opening, with its SHA-256.

    ``answer_due_at`` and ``finish_due_at`` are the ends of working days by the public calendar, computed once.
    ``right_stands``: the demand's own condition was met then; ``pays_for_use``: by article 24 alone (art. 27).
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="statutory_claims")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="statutory_claims")
    remedy = models.CharField(max_length=16, choices=ClaimRemedy.choices)
    words = models.CharField(_("customer's own words"), max_length=1000)
    asked_at = models.DateTimeField()
    odometer_km = models.PositiveIntegerField()
    grounds = models.JSONField()
    grounds_hash = models.CharField(max_length=64)
    right_stands = models.BooleanField()
    pays_for_use = models.BooleanField()
    answer_due_at = models.DateTimeField()
    finish_due_at = models.DateTimeField()
    opened_at = models.DateTimeField(default=clock.now)
    opened_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=9, choices=C.choices, default=C.OPEN)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    answer = models.CharField(_("what the customer was told"), max_length=1000, blank=True)
    refusal = models.CharField(max_length=13, choices=ClaimRefusal.choices, blank=True)
    car_price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    coefficient = models.DecimalField(max_digits=6, decimal_places=5, null=True, blank=True)
    use_fee = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(_("how it ended"), max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fsm(CLAIM_MOVES, field="state", name="statutoryclaim_moves"),
            states.fixed(
                "statutoryclaim_fixed",
                "store_id",
                "number",
                "vehicle_id",
                "remedy",
                "words",
                "asked_at",
                "odometer_km",
                "grounds",
                "grounds_hash",
                "right_stands",
                "pays_for_use",
                "answer_due_at",
                "finish_due_at",
                "opened_at",
            ),
            states.guard(
                "statutoryclaim_answered_once",
                operation=pgtrigger.UpdateOf("answered_at", "answer", "refusal", "car_price", "coefficient", "use_fee"),
                func="""
                    IF OLD.answered_at IS NOT NULL
                        AND ROW(OLD.answered_at, OLD.answer, OLD.refusal, OLD.car_price, OLD.coefficient, OLD.use_fee)
                        IS DISTINCT FROM
                        ROW(NEW.answered_at, NEW.answer, NEW.refusal, NEW.car_price, NEW.coefficient, NEW.use_fee)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="claim.answered",
                text=_("What the customer was told stays as it was told."),
            ),
            states.guard(
                # art. 27: price × km ÷ 1,000 × n, never more than the price
                "statutoryclaim_fee_worked_out",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("car_price", "coefficient", "use_fee"),
                func="""
                    IF NEW.use_fee IS NOT NULL AND NEW.use_fee IS DISTINCT FROM
                        least(round(NEW.car_price * NEW.odometer_km / 1000 * NEW.coefficient, 2), NEW.car_price)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="claim.fee",
                text=_("The fee for the use is worked out from price, kilometres and coefficient, never typed."),
            ),
            to_standing_customer("statutoryclaim_standing_customer"),
        ]
        constraints = [
            models.CheckConstraint(name="statutoryclaim_words", condition=~Q(words="")),
            models.CheckConstraint(
                name="statutoryclaim_clocks",
                condition=Q(asked_at__lte=F("opened_at"), answer_due_at__gt=F("asked_at"))
                & Q(finish_due_at__gte=F("answer_due_at")),
            ),
            models.CheckConstraint(
                name="statutoryclaim_answer",
                condition=Q(state__in=[C.OPEN, C.WITHDRAWN]) | (Q(answered_at__isnull=False) & ~Q(answer="")),
            ),
            models.CheckConstraint(
                # art. 28: who refuses gives the reasons in the answer
                name="statutoryclaim_refusal_has_reason",
                condition=(Q(state=C.REFUSED) & ~Q(refusal="")) | (~Q(state=C.REFUSED) & Q(refusal="")),
            ),
            models.CheckConstraint(
                name="statutoryclaim_right_stands", condition=~Q(refusal=ClaimRefusal.NOT_MET) | Q(right_stands=False)
            ),
            models.CheckConstraint(
                name="statutoryclaim_ended",
                condition=Q(state__in=[C.OPEN, C.GRANTED, C.REFUSED], ended_at__isnull=True)
                | (Q(state__in=[C.FINISHED, C.WITHDRAWN], ended_at__isnull=False) & ~Q(result="")),
            ),
            models.CheckConstraint(
                # art. 27: paid for by article 24 alone, and then never forgotten
                name="statutoryclaim_use_fee",
                condition=Q(use_fee__isnull=True, car_price__isnull=True, coefficient__isnull=True)
                & ~Q(state__in=[C.GRANTED, C.FINISHED], pays_for_use=True, remedy__in=OTHER_CAR)
                | Q(
                    pays_for_use=True,
                    remedy__in=OTHER_CAR,
                    use_fee__isnull=False,
                    car_price__gt=0,
                    coefficient__gte=0,
                    coefficient__lte="0.008",
                ),
            ),
            models.UniqueConstraint(
                name="statutoryclaim_one_running",
                fields=["store", "vehicle", "remedy"],
                condition=Q(state__in=[C.OPEN, C.GRANTED]),
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-id"], name="statutoryclaim_list"),
            models.Index(
                fields=["store", "answer_due_at"], name="statutoryclaim_due", condition=Q(state__in=[C.OPEN, C.GRANTED])
            ),
        ]

    @property
    def state_color(self) -> str:
        return CLAIM_COLORS[C(self.state)]

    @property
    def due_at(self) -> datetime | None:
        """The end of the clock that runs now."""
        return {C.OPEN: self.answer_due_at, C.GRANTED: self.finish_due_at}.get(C(self.state))

    @property
    def last_minute(self) -> datetime | None:
        """The last minute of the running clock, as people read a day's end."""
        return self.due_at - timedelta(minutes=1) if self.due_at else None

    @property
    def answer_day(self) -> datetime:
        return self.answer_due_at - timedelta(minutes=1)

    @property
    def finish_day(self) -> datetime:
        return self.finish_due_at - timedelta(minutes=1)

    @property
    def is_late(self) -> bool:
        return self.due_at is not None and self.due_at <= clock.now()

    @property
    def answered_late(self) -> bool:
        return self.answered_at is not None and self.answered_at >= self.answer_due_at

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"vehicle": self.vehicle.uid, "customer": self.customer.uid}


explain_constraint(
    "statutoryclaim_words", "claim.words", _("Write down what the customer demands, in their own words.")
)
explain_constraint("statutoryclaim_clocks", "claim.asked_at", _("A demand was made before it is entered."))
explain_constraint("statutoryclaim_answer", "claim.answer", _("Write down what the customer is told."))
explain_constraint(
    "statutoryclaim_refusal_has_reason", "claim.refusal", _("Who refuses a demand gives the reason (art. 28).")
)
explain_constraint(
    "statutoryclaim_right_stands",
    "claim.right_stands",
    _("The file itself says that the conditions are met: grant it, or refuse it for another reason."),
)
explain_constraint(
    "statutoryclaim_one_running",
    "claim.running",
    _("The same demand for this car is open already; go on with that file."),
)
explain_constraint("statutoryclaim_ended", "claim.result", _("Write down how it ended."))
explain_constraint(
    "statutoryclaim_use_fee",
    "claim.use_fee",
    _(
        "The use is paid for when a car is given back by article 24, and only then: write the price and the coefficient."
    ),
)
