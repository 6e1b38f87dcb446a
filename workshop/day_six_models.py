"""What the owner of a car in a long repair was given, and the copy of the repair's record (domain 3.6, arts. 17 and 21)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.fields.ranges import DateRangeField, RangeBoundary
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Resource
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, User
from reception.loan_models import LoanTrip
from workshop.models import RepairOrder


class CareKind(models.TextChoices):
    """Art. 21: a loan car, money for transport, or what was agreed instead."""

    LOAN_CAR = "LOAN_CAR", pgettext_lazy("day six", "Loan car")
    TRANSPORT_MONEY = "TRANSPORT_MONEY", pgettext_lazy("day six", "Transport money")
    AGREED = "AGREED", pgettext_lazy("day six", "Something else, agreed with the owner")


class DateRange(Func):
    function = "DATERANGE"
    output_field = DateRangeField()


class DaySixCare(Root):
    """Days of one repair for which its owner was given something; a loan car that is out has no end yet.

    ``loan_car`` is which one, ``loan_trip`` its way to the customer where the front desk gave it with licence and
    signature. ``amount`` is the transport money of all its days by the setting of each day, CNY.
    """

    store_path = "order__store_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="day_six_cares")
    kind = models.CharField(max_length=15, choices=CareKind.choices)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    loan_car = models.ForeignKey(Resource, models.PROTECT, null=True, blank=True, related_name="+")
    loan_trip = models.ForeignKey(LoanTrip, models.PROTECT, null=True, blank=True, related_name="+")
    loan_plate = models.CharField(
        _("plate of the loan car"), max_length=12, blank=True, help_text="as it was then; rows of before name only it"
    )
    note = models.CharField(_("what was agreed"), max_length=200, blank=True)
    given_at = models.DateTimeField(default=clock.now)
    given_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["starts_on"]
        triggers = [
            states.versioned(),
            states.fixed(
                "daysixcare_fixed",
                "order_id",
                "kind",
                "starts_on",
                "amount",
                "loan_car_id",
                "loan_trip_id",
                "loan_plate",
                "note",
                "given_at",
            ),
            states.guard(
                "daysixcare_ended_once",
                operation=pgtrigger.UpdateOf("ends_on"),
                func="IF OLD.ends_on IS NOT NULL AND NEW.ends_on IS DISTINCT FROM OLD.ends_on THEN {refuse} END IF; RETURN NEW;",
                code="day_six.ended",
                text=_("This loan car is back already."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="daysixcare_days", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="daysixcare_kind",
                condition=(
                    Q(kind=CareKind.LOAN_CAR, amount__isnull=True) & (Q(loan_car__isnull=False) | ~Q(loan_plate=""))
                )
                | (
                    Q(loan_car__isnull=True, loan_trip__isnull=True)
                    & (
                        Q(kind=CareKind.TRANSPORT_MONEY, amount__isnull=False, amount__gt=0, ends_on__isnull=False)
                        | (Q(kind=CareKind.AGREED, amount__isnull=True, ends_on__isnull=False) & ~Q(note=""))
                    )
                ),
            ),
            ExclusionConstraint(
                name="daysixcare_once_a_day",
                expressions=[
                    ("order", RangeOperators.EQUAL),
                    (
                        DateRange("starts_on", "ends_on", RangeBoundary(inclusive_upper=True)),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


class RecordCopy(Root):
    """The record of a repair (art. 17) was handed to the owner: what stood in it by its SHA-256, and what was missing."""

    store_path = "order__store_id"

    order = models.ForeignKey(RepairOrder, models.PROTECT, related_name="record_copies")
    receiver = models.CharField(_("handed to"), max_length=60)
    content_hash = models.CharField(max_length=64)
    missing = models.JSONField(default=list)
    given_at = models.DateTimeField(default=clock.now)
    given_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        triggers = [states.versioned(), states.append_only("recordcopy_append_only")]
        constraints = [models.CheckConstraint(name="recordcopy_receiver", condition=~Q(receiver=""))]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.order.history_keys()


explain_constraint("daysixcare_days", "day_six.days", _("The last day isn't before the first one."))
explain_constraint(
    "daysixcare_kind",
    "day_six.kind",
    _("A loan car is named, transport money its last day, what was agreed is written down."),
)
explain_constraint(
    "daysixcare_once_a_day", "day_six.overlap", _("Something was given for one of these days already; look below.")
)
explain_constraint("recordcopy_receiver", "record.receiver", _("Write who received the record."))
