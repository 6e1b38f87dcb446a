"""A loan car on its way: given to a customer, with whom it is, and taken back (2.1.2)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Resource
from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, StoredFile
from reception.models import Visit
from staff.models import Employee

MOST_PHOTOS = 4


class LoanState(models.TextChoices):
    OUT = "OUT", pgettext_lazy("loan car", "With the customer")
    BACK = "BACK", pgettext_lazy("loan car", "Back")


LOAN_MOVES: dict[LoanState, set[LoanState]] = {LoanState.OUT: {LoanState.BACK}, LoanState.BACK: set()}


class LicenceClass(models.TextChoices):
    """Classes of a Chinese driving licence that let somebody drive a passenger car."""

    A1 = "A1", "A1"
    A2 = "A2", "A2"
    A3 = "A3", "A3"
    B1 = "B1", "B1"
    B2 = "B2", "B2"
    C1 = "C1", "C1"
    C2 = "C2", pgettext_lazy("driving licence", "C2 (automatic only)")
    C5 = "C5", pgettext_lazy("driving licence", "C5 (automatic, adapted)")


class LoanTrip(Root):
    """One time a loan car is with a customer. What was read and signed as it was given never changes; once it is back
    nothing does. Of the licence number only the last four signs are kept.
    """

    store_path = "visit__store_id"

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="loan_trips")
    car = models.ForeignKey(Resource, models.PROTECT, related_name="loan_trips")
    state = models.CharField(max_length=4, choices=LoanState.choices, default=LoanState.OUT)
    driver_name = models.CharField(_("driver"), max_length=60)
    licence_seen = models.BooleanField(_("driving licence seen"))
    licence_class = models.CharField(_("licence class"), max_length=2, choices=LicenceClass.choices)
    licence_last4 = models.CharField(_("last four of the licence number"), max_length=4)
    licence_until = models.DateField(
        _("licence valid until"), null=True, blank=True, help_text="empty: without an end (长期)"
    )
    given_at = models.DateTimeField(default=clock.now)
    given_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    expected_at = models.DateTimeField(_("expected back"))
    odometer_out_km = models.PositiveIntegerField(_("mileage when given (km)"))
    energy_out_eighths = models.PositiveSmallIntegerField(_("fuel or charge when given"))
    condition_out = models.CharField(_("condition when given"), max_length=300)
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    back_at = models.DateTimeField(null=True, blank=True)
    back_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    odometer_in_km = models.PositiveIntegerField(_("mileage when back (km)"), null=True, blank=True)
    energy_in_eighths = models.PositiveSmallIntegerField(_("fuel or charge when back"), null=True, blank=True)
    condition_in = models.CharField(_("condition when back"), max_length=300, blank=True)
    damage = models.CharField(_("damage"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.fsm(LOAN_MOVES, field="state", name="loantrip_moves"),
            states.guard(
                # 2.1.2: only a loan car of the visit's store goes out, to somebody whose car is here, with a licence
                # that is valid on that day.
                "loantrip_may_go",
                operation=pgtrigger.Insert,
                func="""
                    IF NOT EXISTS (SELECT 1 FROM reception_visit v
                        JOIN catalogue_resource r ON r.id = NEW.car_id AND r.store_id = v.store_id
                        JOIN kernel_store s ON s.id = v.store_id
                        WHERE v.id = NEW.visit_id AND r.kind = 'LOAN_CAR' AND r.active
                            AND v.state IN ('WAITING', 'IN_RECEPTION', 'IN_SHOP')
                            AND (NEW.licence_until IS NULL
                                OR NEW.licence_until >= (NEW.given_at AT TIME ZONE s.time_zone)::date))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="loan.may_not_go",
                text=_(
                    "A loan car of this store goes to a customer whose car is here, with a driving licence that is valid."
                ),
            ),
            states.fixed(
                "loantrip_given_fixed",
                "visit_id",
                "car_id",
                "driver_name",
                "licence_seen",
                "licence_class",
                "licence_last4",
                "licence_until",
                "given_at",
                "given_by_id",
                "odometer_out_km",
                "energy_out_eighths",
                "condition_out",
                "signature_id",
            ),
            states.guard(
                "loantrip_back_is_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                unchanged_passes=True,
                func="IF TG_OP = 'DELETE' OR OLD.state = 'BACK' THEN {refuse} END IF; RETURN NEW;",
                code="loan.back",
                text=_("This loan car is back; what was written down stays as it was."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="loantrip_one_of_car", fields=["car"], condition=Q(state=LoanState.OUT)),
            models.UniqueConstraint(name="loantrip_one_of_visit", fields=["visit"], condition=Q(state=LoanState.OUT)),
            models.CheckConstraint(
                name="loantrip_licence_seen",
                condition=Q(licence_seen=True, licence_class__in=LicenceClass.values)
                & Q(licence_last4__regex=r"^[0-9X]{4}$"),
            ),
            models.CheckConstraint(
                name="loantrip_given_read",
                condition=~Q(driver_name="") & ~Q(condition_out="") & Q(energy_out_eighths__lte=8),
            ),
            models.CheckConstraint(name="loantrip_expected", condition=Q(expected_at__gt=F("given_at"))),
            models.CheckConstraint(
                name="loantrip_odometer",
                condition=Q(odometer_in_km__isnull=True) | Q(odometer_in_km__gte=F("odometer_out_km")),
            ),
            models.CheckConstraint(
                name="loantrip_back_read",
                condition=Q(
                    state=LoanState.OUT,
                    back_at__isnull=True,
                    back_by__isnull=True,
                    odometer_in_km__isnull=True,
                    energy_in_eighths__isnull=True,
                    condition_in="",
                    damage="",
                )
                | (
                    Q(
                        state=LoanState.BACK,
                        back_at__gte=F("given_at"),
                        back_by__isnull=False,
                        odometer_in_km__isnull=False,
                        energy_in_eighths__lte=8,
                    )
                    & ~Q(condition_in="")
                ),
            ),
        ]
        indexes = [models.Index(fields=["car", "state"], name="loantrip_car")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"vehicle": self.visit.vehicle.uid, "visit": self.visit.uid}

    @property
    def is_out(self) -> bool:
        return self.state == LoanState.OUT

    @property
    def is_overdue(self) -> bool:
        return self.is_out and self.expected_at <= clock.now()

    @property
    def driven_km(self) -> int | None:
        return None if self.odometer_in_km is None else self.odometer_in_km - self.odometer_out_km

    @property
    def overdue_by(self) -> timedelta:
        return max(timedelta(0), clock.now() - self.expected_at)


explain_constraint("loantrip_one_of_car", "loan.car_out", _("This loan car is with a customer; choose another one."))
explain_constraint("loantrip_one_of_visit", "loan.has_one", _("This customer already has a loan car."))
explain_constraint(
    "loantrip_licence_seen", "loan.licence", _("See the driver's licence first: class, validity, last four signs.")
)
explain_constraint(
    "loantrip_given_read",
    "loan.given",
    _("Write down the driver, the condition and the fuel or charge as the car is given."),
)
explain_constraint("loantrip_expected", "loan.expected", _("The loan car is expected back after it was given."))
explain_constraint("loantrip_odometer", "loan.odometer", _("The mileage is lower than when the car was given."))
explain_constraint(
    "loantrip_back_read", "loan.back_read", _("Read mileage, fuel or charge and condition as the car comes back.")
)


class LoanPhase(models.TextChoices):
    OUT = "OUT", pgettext_lazy("loan car", "When given")
    BACK = "BACK", pgettext_lazy("loan car", "When back")


class LoanPhoto(models.Model):
    """A photo of the loan car as it was given or came back; four of each at most, never changed."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    trip = models.ForeignKey(LoanTrip, models.PROTECT, related_name="photos")
    phase = models.CharField(max_length=4, choices=LoanPhase.choices)
    number = models.PositiveSmallIntegerField()
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["trip", "phase", "number"]
        triggers = [states.ShownIn("trip"), states.append_only("loanphoto_append_only")]
        constraints = [
            models.UniqueConstraint(name="loanphoto_number", fields=["trip", "phase", "number"]),
            models.CheckConstraint(name="loanphoto_most", condition=Q(number__gte=1, number__lte=MOST_PHOTOS)),
        ]


explain_constraint("loanphoto_most", "loan.photos", _("Four photos at most."))
