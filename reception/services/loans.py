"""Commands on loan cars (代步车): given to a customer whose car is here, kept longer, taken back (2.1.2, 2.4).

Lock order (design 5): visit, resource, reservation, trip. A booking's reservation of its loan car stays beside the trip
and ends with it; a trip without one holds its car by itself (``selectors.capacity``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Reservation, ReservationPurpose, Resource, ResourceKind
from dealership.catalogue.services import plans
from dealership.kernel import clock, formats, saying
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError, constraint_name
from dealership.kernel.history import record
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad
from staff.selectors.employees import require_employee

from .. import events, permissions
from ..loan_models import MOST_PHOTOS, LicenceClass, LoanPhase, LoanPhoto, LoanState, LoanTrip
from ..models import Visit
from ..pictures import clean_picture
from . import visits
from .loan_terms import expect_back

LONGEST = timedelta(days=31)
"""A loan car is given, or kept longer, for so long at once at most."""


@transaction.atomic
def give_loan_car(
    *,
    visit_uid: UUID,
    car_uid: UUID,
    licence_seen: bool,
    licence_class: str,
    licence_last4: str,
    odometer_km: int,
    energy_eighths: int,
    condition: str,
    expected_at: datetime,
    signed_name: str,
    by: Actor,
    licence_until: date | None = None,
    signature: bytes | None = None,
    photos: Iterable[bytes] = (),
) -> LoanTrip:
    """2.1.2, 2.4: gives a loan car to the customer of an open visit until ``expected_at`` (aware).

    ``signed_name`` drives and signs for it (``signature`` is a PNG), ``licence_until`` None is a licence without an end,
    the reading is in whole km and eighths. Where the booking keeps another loan car, that one is free again. Raises
    RuleError ``visit.ended``, ``loan.licence…``, ``loan.expected``, ``loan.too_long``, ``loan.condition``,
    ``loan.signature``, ``loan.odometer``, ``loan.photos``, ``loan.no_car``; RaceLost ``loan.car_out``,
    ``loan.has_one`` and ``loan.reserved``.
    """
    by.require(permissions.LOANS_WORK)
    person = require_employee(by)
    now, expected = clock.now(), expected_at.replace(second=0, microsecond=0)
    visit = visits.lock_visit(uid=visit_uid, by=by)
    if not visit.is_open:
        raise RuleError("visit.ended", _("This visit has ended."))
    _check_expected_back(expected, now, now)
    last4 = _check_licence(visit, licence_seen, licence_class, licence_last4, licence_until, expected)
    said, name = _loan_words(condition, "condition"), formats.one_line(signed_name)[:60]
    if not name:
        raise RuleError("loan.signature", _("Write the name of the driver, who signs."), field="signed_name")
    refuse_empty_pad(signature)
    pictures = _loan_pictures(photos)
    car = _locked_car(car_uid, visit, by)
    _require_car_free(car, visit, now, expected)
    was = LoanTrip.objects.filter(car=car, odometer_in_km__isnull=False).order_by("-back_at").first()
    if was is not None and was.odometer_in_km is not None and odometer_km < was.odometer_in_km:
        raise RuleError(
            "loan.odometer",
            _("This loan car came back with %(km)s km last time; read the mileage again."),
            field="odometer_km",
            km=was.odometer_in_km,
        )
    file = store_file(content=signature, name="loan.png", store_id=visit.store_id, by=by) if signature else None
    try:
        with transaction.atomic():
            trip = LoanTrip.objects.create(
                visit=visit,
                car=car,
                driver_name=name,
                licence_seen=licence_seen,
                licence_class=licence_class,
                licence_last4=last4,
                licence_until=licence_until,
                given_at=now,
                given_by=person,
                expected_at=expected,
                odometer_out_km=odometer_km,
                energy_out_eighths=energy_eighths,
                condition_out=said,
                signature=file,
            )
    except IntegrityError as exc:  # both are locked: this is the backstop
        if constraint_name(exc) not in ("loantrip_one_of_car", "loantrip_one_of_visit"):
            raise
        raise _lent(constraint_name(exc) == "loantrip_one_of_car") from exc
    _keep_photos(trip, LoanPhase.OUT, pictures, by)
    for plan in _own_plans(visit).exclude(resource=car):
        plans.release(reservation_uid=plan.uid, by=by)
    record(
        trip,
        events.LOAN_GIVEN,
        by=by,
        store_id=visit.store_id,
        changed={"state": (None, trip.state)},
        car=car.uid,
        expected_at=expected,
        odometer_km=odometer_km,
        energy_eighths=energy_eighths,
        licence_class=licence_class,
        photos=len(pictures),
        signature=file.sha256 if file else None,
    )
    return trip


@transaction.atomic
def take_back_loan_car(
    *,
    uid: UUID,
    odometer_km: int,
    energy_eighths: int,
    condition: str,
    by: Actor,
    damage: str = "",
    photos: Iterable[bytes] = (),
) -> LoanTrip:
    """2.1.2: the loan car is back: reading (whole km, eighths), condition and what is damaged; it is free at once.

    Raises RuleError ``loan.back`` for one that is back, ``loan.odometer``, ``loan.condition`` and ``loan.photos``.
    """
    by.require(permissions.LOANS_WORK)
    person = require_employee(by)
    trip = _locked_trip(uid, by)
    said, pictures = _loan_words(condition, "condition"), _loan_pictures(photos)
    if odometer_km < trip.odometer_out_km:
        raise RuleError(
            "loan.odometer",
            _("It left with %(km)s km and can't come back with less; read the mileage again."),
            field="odometer_km",
            km=trip.odometer_out_km,
        )
    late = max(timedelta(0), clock.now() - trip.expected_at)
    _keep_photos(trip, LoanPhase.BACK, pictures, by)
    trip.state, trip.back_at, trip.back_by = LoanState.BACK, clock.now(), person
    trip.odometer_in_km, trip.energy_in_eighths = odometer_km, energy_eighths
    trip.condition_in, trip.damage = said, formats.one_line(damage)[:300]
    trip.save(
        update_fields=[
            "state", "back_at", "back_by", "odometer_in_km", "energy_in_eighths", "condition_in", "damage",
        ]
    )  # fmt: skip
    for plan in _own_plans(trip.visit).filter(resource_id=trip.car_id):
        plans.release(reservation_uid=plan.uid, by=by)
    record(
        trip,
        events.LOAN_TAKEN_BACK,
        by=by,
        store_id=trip.visit.store_id,
        changed={"state": (LoanState.OUT, trip.state)},
        car=trip.car.uid,
        odometer_km=odometer_km,
        energy_eighths=energy_eighths,
        driven_km=trip.driven_km,
        late_minutes=int(late.total_seconds() // 60),
        damaged=bool(trip.damage),
        photos=len(pictures),
    )
    return trip


@transaction.atomic
def keep_loan_car_longer(*, uid: UUID, expected_at: datetime, by: Actor) -> LoanTrip:
    """2.4: the customer keeps a loan car that is out until ``expected_at`` (aware), as far as its next one leaves room.

    Raises RuleError ``loan.back``, ``loan.expected``, ``loan.not_later``, ``loan.too_long``; RaceLost ``loan.reserved``.
    """
    by.require(permissions.LOANS_WORK)
    trip = _locked_trip(uid, by)
    now, expected = clock.now(), expected_at.replace(second=0, microsecond=0)
    if expected <= trip.expected_at:
        raise RuleError("loan.not_later", _("Choose a time after the present one."), field="expected_at")
    _check_expected_back(expected, now, max(now, trip.expected_at))
    _require_room(trip.car, trip.visit, now, expected)
    for plan in _own_plans(trip.visit).filter(resource_id=trip.car_id):
        if plan.period.upper < expected:
            plans.extend(reservation_uid=plan.uid, ends_at=expected, by=by)
    return expect_back(trip=trip, expected_at=expected, by=by)


# --- what every command checks ---


def _check_expected_back(expected: datetime, now: datetime, since: datetime) -> None:
    if expected <= now:
        raise RuleError("loan.expected", _("Say when the loan car comes back: a time ahead."), field="expected_at")
    if expected > since + LONGEST:
        raise RuleError(
            "loan.too_long",
            _("A loan car is given for %(days)s days at once at most."),
            field="expected_at",
            days=LONGEST.days,
        )


def _check_licence(
    visit: Visit, seen: bool, licence_class: str, last4: str, until: date | None, expected: datetime
) -> str:
    """The last four signs as they are kept. The licence is valid on the day on which the car comes back."""
    if not seen:
        raise RuleError(
            "loan.licence_seen", _("See the driver's licence itself before you give the car."), field="licence_seen"
        )
    if licence_class not in LicenceClass.values:
        raise RuleError("loan.licence_class", _("Choose the class of the licence."), field="licence_class")
    signs = formats.one_line(last4).upper()
    if len(signs) != 4 or not all(sign in "0123456789X" for sign in signs):
        raise RuleError(
            "loan.licence_last4", _("Write the last four signs of the licence number only."), field="licence_last4"
        )
    if until is not None and until < saying.local(expected).date():
        raise RuleError(
            "loan.licence_until",
            _("The licence runs out before the loan car comes back."),
            field="licence_until",
        )
    return signs


def _loan_words(text: str, field: str) -> str:
    said = formats.one_line(text)[:300]
    if not said:
        raise RuleError("loan.condition", _("Say what the loan car looks like."), field=field)
    return said


def _loan_pictures(photos: Iterable[bytes]) -> list[bytes]:
    there = list(photos)
    if len(there) > MOST_PHOTOS:
        raise RuleError("loan.photos", _("Take %(most)s photos at most."), field="photos", most=MOST_PHOTOS)
    return [clean_picture(photo) for photo in there]


def _keep_photos(trip: LoanTrip, phase: LoanPhase, pictures: list[bytes], by: Actor) -> None:
    for number, content in enumerate(pictures, start=1):
        file = store_file(content=content, name="loan.jpg", store_id=trip.visit.store_id, by=by)
        LoanPhoto.objects.create(trip=trip, phase=phase, number=number, file=file)


def _own_plans(visit: Visit) -> QuerySet[Reservation]:
    """The loan cars that the visit's booking still keeps."""
    rows = Reservation.objects.filter(
        live=True, purpose=ReservationPurpose.APPOINTMENT, resource__kind=ResourceKind.LOAN_CAR
    )
    booking = visit.appointment
    return rows.filter(subject_uid=booking.uid).order_by("pk") if booking is not None else rows.none()


def _locked_car(uid: UUID, visit: Visit, by: Actor) -> Resource:
    row = Resource.objects.for_actor(by).filter(
        uid=uid, kind=ResourceKind.LOAN_CAR, store_id=visit.store_id, active=True
    )
    pk = row.values_list("pk", flat=True).first()
    if pk is None:
        raise RuleError("loan.no_car", _("Choose a loan car of this store that is in use."), field="car")
    return plans.lock_resources([pk])[pk]


def _locked_trip(uid: UUID, by: Actor) -> LoanTrip:
    """A trip that is still out, its visit and car locked before it."""
    visit_uid, car_id = LoanTrip.objects.for_actor(by).values_list("visit__uid", "car_id").get(uid=uid)
    visits.lock_visit(uid=visit_uid, by=by)
    plans.lock_resources([car_id])
    trip = LoanTrip.objects.for_actor(by).locked().get(uid=uid)
    if not trip.is_out:
        raise RuleError("loan.back", _("This loan car is already back."))
    return trip


def _lent(car: bool) -> RaceLost:
    if car:
        return RaceLost("loan.car_out", _("This loan car is with a customer; choose another one."), field="car")
    return RaceLost("loan.has_one", _("This customer already has a loan car."))


def _require_car_free(car: Resource, visit: Visit, now: datetime, expected: datetime) -> None:
    out = LoanTrip.objects.filter(state=LoanState.OUT)
    if out.filter(visit=visit).exists():
        raise _lent(False)
    if out.filter(car=car).exists():
        raise _lent(True)
    _require_room(car, visit, now, expected)


def _require_room(car: Resource, visit: Visit, now: datetime, expected: datetime) -> None:
    """Nobody else's plan of this car lies in the time."""
    own = list(_own_plans(visit).values_list("pk", flat=True))
    next_one = (
        Reservation.objects.filter(resource=car, live=True, period__overlap=(now, expected))
        .exclude(pk__in=own)
        .order_by("period")
        .first()
    )
    if next_one is None:
        return
    raise RaceLost(
        "loan.reserved",
        _(
            "%(name)s is kept for somebody else from %(from)s to %(to)s (%(what)s); choose another one or a time before."
        ),
        field="expected_at",
        name=car.said,
        what=next_one.note or next_one.get_purpose_display(),
        **{
            "from": saying.say_time(next_one.period.lower, now=now),
            "to": saying.say_time(next_one.period.upper, now=now),
        },
    )
