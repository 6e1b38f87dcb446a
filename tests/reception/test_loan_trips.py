"""2.1.2, 2.4: a loan car is given, kept longer and taken back; what is refused changes nothing, in the database too."""

from __future__ import annotations

import base64
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from dealership.catalogue.models import Reservation, ReservationPurpose
from dealership.catalogue.services import plans
from dealership.catalogue.services.resources import switch_resource
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from reception.loan_models import LoanPhoto, LoanTrip
from reception.models import WaitingMode
from reception.selectors import capacity
from reception.selectors.loans import choices_for
from reception.services.appointments import extend_loan
from reception.services.loans import give_loan_car, keep_loan_car_longer, take_back_loan_car
from reception.services.visits import greet_visit, leave_unserved, register_arrival
from tests.factories.api import ApiCaller
from tests.factories.appointments import MONDAY, TUESDAY, at, make_appointment, make_bookable
from tests.factories.loans import given, make_loan_car, make_loan_trip
from tests.factories.reception import make_picture, make_received_visit, make_visit
from tests.factories.staff import make_actor

pytestmark = pytest.mark.django_db
WEDNESDAY = MONDAY + timedelta(days=2)
BACK = {"odometer_km": 12080, "energy_eighths": 5, "condition": "完好"}


@pytest.fixture
def shop():
    with clock.moved_to(at("8:35")):
        made = make_bookable(bays=("STANDARD_LIFT",) * 2, technicians=2, advisors=2)
        made.car = make_loan_car(made.store)
        yield made


def lend(shop, text: str, day=TUESDAY):
    return make_appointment(shop, waiting_mode=WaitingMode.LOANER, starts_at=at(text, day))


def come(shop, appointment):
    """The booked car arrives and is received."""
    visit = register_arrival(
        vehicle_uid=appointment.vehicle.uid,
        contact_name="李试约",
        contact_phone="13900002290",
        model_text="途远",
        need="保养",
        appointment_uid=appointment.uid,
        by=shop.desk,
    )
    return greet_visit(uid=visit.uid, by=shop.desk)


def counts():
    return LoanTrip.objects.count(), LoanPhoto.objects.count(), History.objects.count()


def test_what_is_read_and_signed_is_kept_and_told_once(shop):
    visit = make_received_visit(shop.desk)
    trip = give_loan_car(
        **given(visit, shop.car, signature=make_picture(kind="PNG"), photos=[make_picture(), make_picture("red")]),
        by=shop.desk,
    )
    assert (trip.state, trip.driver_name, trip.licence_last4, trip.given_by) == ("OUT", "周试车", "123X", shop.advisor)
    assert (trip.photos.count(), trip.signature.media_type) == (2, "image/png")
    line = History.objects.get(code="reception.loan_trip.given")
    assert (line.changed["state"], line.facts["odometer_km"], line.facts["photos"]) == ([None, "OUT"], 12000, 2)
    assert "123X" not in str(line.facts) + str(line.changed)
    keep_loan_car_longer(uid=trip.uid, expected_at=at("9:00", TUESDAY), by=shop.desk)
    with clock.moved_to(at("9:30", TUESDAY)):
        back = take_back_loan_car(uid=trip.uid, **BACK, damage="右前门划痕", photos=[make_picture()], by=shop.desk)
    assert (back.state, back.driven_km, back.damage, back.back_by) == ("BACK", 80, "右前门划痕", shop.advisor)
    line = History.objects.get(code="reception.loan_trip.taken_back")
    assert (line.facts["late_minutes"], line.facts["damaged"], line.facts["driven_km"]) == (30, True, 80)
    assert [line.code for line in History.objects.filter(code__startswith="reception.loan_trip.").order_by("pk")] == [
        "reception.loan_trip.given",
        "reception.loan_trip.kept_longer",
        "reception.loan_trip.taken_back",
    ]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"licence_seen": False}, "loan.licence_seen"),
        ({"licence_class": "D"}, "loan.licence_class"),
        ({"licence_last4": "110101199001011234"}, "loan.licence_last4"),
        ({"licence_until": date(2026, 11, 22)}, "loan.licence_until"),
        ({"condition": " "}, "loan.condition"),
        ({"signed_name": " "}, "loan.signature"),
        ({"signature": b""}, "signature.empty"),
        ({"expected_at": at("8:35")}, "loan.expected"),
        ({"expected_at": at("8:36") + timedelta(days=31)}, "loan.too_long"),
        ({"photos": [make_picture()] * 5}, "loan.photos"),
        ({"photos": [b"no picture"]}, "file.kind"),
    ],
)
def test_nothing_is_given_without_what_it_needs(shop, values, code):
    visit = make_received_visit(shop.desk)
    before = counts()
    with pytest.raises(RuleError) as refusal:
        give_loan_car(**given(visit, shop.car, **values), by=shop.desk)
    assert (refusal.value.code, counts()) == (code, before)


def test_one_car_is_with_one_customer_and_one_customer_has_one(shop):
    first, second = make_received_visit(shop.desk), make_received_visit(shop.desk)
    other = make_loan_car(shop.store)
    trip = make_loan_trip(shop.desk, visit=first, car=shop.car)
    gone = make_visit(shop.desk)
    leave_unserved(uid=gone.uid, reason="没时间", by=shop.desk)
    stranger = make_actor(shop.store, "technician")
    before = counts()
    for kind, visit, car, by, code in (
        (RaceLost, second, shop.car, shop.desk, "loan.car_out"),
        (RaceLost, first, other, shop.desk, "loan.has_one"),
        (RuleError, gone, other, shop.desk, "visit.ended"),
        (RuleError, second, make_bay(shop), shop.desk, "loan.no_car"),
    ):
        with pytest.raises(kind) as refusal:
            give_loan_car(**given(visit, car), by=by)
        assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        give_loan_car(**given(second, other), by=stranger)
    with pytest.raises(NotAllowed):
        take_back_loan_car(uid=trip.uid, **BACK, by=stranger)
    with pytest.raises(RuleError) as refusal:
        take_back_loan_car(uid=trip.uid, **BACK | {"odometer_km": 11999}, by=shop.desk)
    assert refusal.value.code == "loan.odometer"
    with pytest.raises(RuleError) as refusal:
        keep_loan_car_longer(uid=trip.uid, expected_at=trip.expected_at, by=shop.desk)
    assert refusal.value.code == "loan.not_later"
    assert counts() == before
    take_back_loan_car(uid=trip.uid, **BACK, by=shop.desk)
    for again in (take_back_loan_car, keep_loan_car_longer):
        more = BACK if again is take_back_loan_car else {"expected_at": at("9:00", WEDNESDAY)}
        with pytest.raises(RuleError) as refusal:
            again(uid=trip.uid, **more, by=shop.desk)
        assert refusal.value.code == "loan.back"
    with pytest.raises(RuleError) as refusal:
        give_loan_car(**given(second, shop.car, odometer_km=12079), by=shop.desk)
    assert refusal.value.code == "loan.odometer"
    assert give_loan_car(**given(second, shop.car, odometer_km=12080), by=shop.desk).is_out


def make_bay(shop):
    return shop.store.resources.filter(kind="BAY").first()


INSERT = """
    INSERT INTO reception_loantrip (uid, version, created_at, updated_at, visit_id, car_id, state, driver_name,
        licence_seen, licence_class, licence_last4, licence_until, given_at, given_by_id, expected_at, odometer_out_km,
        energy_out_eighths, condition_out, condition_in, damage)
    SELECT gen_random_uuid(), 1, now(), now(), {visit}, {car}, {state}, driver_name, {seen}, licence_class, {last4},
        {until}, given_at, given_by_id, {expected}, odometer_out_km, {energy}, {condition}, '', ''
    FROM reception_loantrip WHERE id = %s
"""


def test_the_database_refuses_it_too(shop, refused):
    trip = make_loan_trip(shop.desk, car=shop.car, photos=[make_picture()])
    free, other = make_loan_car(shop.store), make_received_visit(shop.desk)
    gone = make_visit(shop.desk)
    leave_unserved(uid=gone.uid, reason="没时间", by=shop.desk)
    plain = {
        "visit": other.pk, "car": free.pk, "state": "'OUT'", "seen": "true", "last4": "licence_last4", "until": "NULL",
        "expected": "expected_at", "condition": "condition_out", "energy": 8,
    }  # fmt: skip
    for name, changes in (
        ("loantrip_one_of_car", {"car": shop.car.pk}),
        ("loantrip_one_of_visit", {"visit": trip.visit_id}),
        ("loantrip_licence_seen", {"seen": "false"}),
        ("loantrip_licence_seen", {"last4": "'12'"}),
        ("loantrip_expected", {"expected": "given_at"}),
        ("loantrip_given_read", {"condition": "''"}),
        ("loantrip_given_read", {"energy": 9}),
        ("loantrip_may_go", {"car": make_bay(shop).pk}),
        ("loantrip_may_go", {"visit": gone.pk}),
        ("loantrip_may_go", {"until": "'2026-11-22'"}),
        ("loantrip_moves", {"state": "'BACK'"}),
    ):
        with refused(name) as sql:
            sql(INSERT.format(**plain | changes), [trip.pk])
    back = (
        "UPDATE reception_loantrip SET state = 'BACK', back_at = given_at, back_by_id = given_by_id, odometer_in_km = {}, "
        "energy_in_eighths = 4, condition_in = {} WHERE id = %s"
    )
    for name, statement in (
        ("loantrip_odometer", back.format(11999, "'x'")),
        ("loantrip_back_read", back.format(12000, "''")),
        ("loantrip_back_read", "UPDATE reception_loantrip SET odometer_in_km = 13000 WHERE id = %s"),
        ("loantrip_given_fixed", "UPDATE reception_loantrip SET driver_name = 'x' WHERE id = %s"),
        ("loantrip_given_fixed", "UPDATE reception_loantrip SET odometer_out_km = 1 WHERE id = %s"),
        ("loantrip_back_is_final", "DELETE FROM reception_loantrip WHERE id = %s"),
        ("loanphoto_append_only", "UPDATE reception_loanphoto SET number = 2 WHERE trip_id = %s"),
        ("loanphoto_append_only", "DELETE FROM reception_loanphoto WHERE trip_id = %s"),
        (
            "loanphoto_most",
            "INSERT INTO reception_loanphoto (uid, trip_id, phase, number, file_id) "
            "SELECT gen_random_uuid(), trip_id, phase, 5, file_id FROM reception_loanphoto WHERE trip_id = %s",
        ),
    ):
        with refused(name) as sql:
            sql(statement, [trip.pk])
    take_back_loan_car(uid=trip.uid, **BACK, by=shop.desk)
    for statement in (
        "UPDATE reception_loantrip SET damage = 'x' WHERE id = %s",
        "UPDATE reception_loantrip SET expected_at = expected_at + interval '1 hour' WHERE id = %s",
    ):
        with refused("loantrip_back_is_final") as sql:
            sql(statement, [trip.pk])


def test_a_car_that_is_out_is_offered_only_after_it_is_expected_back(shop):
    trip = make_loan_trip(shop.desk, car=shop.car, expected_at=at("12:00", TUESDAY))
    with pytest.raises(RaceLost):
        lend(shop, "9:30", TUESDAY)
    assert capacity.loan_of(lend(shop, "13:30", TUESDAY)).resource == shop.car
    with pytest.raises(RaceLost) as lost:  # its next customer leaves no more room
        keep_loan_car_longer(uid=trip.uid, expected_at=at("14:00", TUESDAY), by=shop.desk)
    assert lost.value.code == "loan.reserved"
    with clock.moved_to(at("8:40", TUESDAY)):
        take_back_loan_car(uid=trip.uid, **BACK, by=shop.desk)
        assert capacity.loan_of(lend(shop, "9:30", TUESDAY)).resource == shop.car


def test_an_overdue_car_is_not_there_today(shop):
    make_loan_trip(shop.desk, car=shop.car, expected_at=at("17:00"))
    with clock.moved_to(at("8:35", TUESDAY)):
        with pytest.raises(RaceLost):
            lend(shop, "14:00", TUESDAY)
        assert capacity.loan_of(lend(shop, "14:00", WEDNESDAY)).resource == shop.car


def test_the_bookings_loan_car_goes_with_it_and_is_free_when_it_is_back(shop):
    booked, following = lend(shop, "9:30"), lend(shop, "8:30", WEDNESDAY + timedelta(days=1))
    kept = capacity.loan_of(booked)
    with clock.moved_to(at("9:35", TUESDAY)):
        visit = come(shop, booked)
        trip = make_loan_trip(shop.desk, visit=visit, car=kept.resource, expected_at=kept.period.upper)
        extend_loan(uid=booked.uid, ends_at=at("9:00", WEDNESDAY), by=shop.desk)
        trip.refresh_from_db()
        assert trip.expected_at == at("9:00", WEDNESDAY)
        keep_loan_car_longer(uid=trip.uid, expected_at=at("17:00", WEDNESDAY), by=shop.desk)
        assert capacity.loan_of(booked).period.upper == at("17:00", WEDNESDAY)
        take_back_loan_car(uid=trip.uid, **BACK, by=shop.desk)
    assert capacity.loan_of(booked) is None
    assert Reservation.objects.filter(resource=shop.car, live=True).get().subject_uid == following.uid


def test_another_car_than_the_booked_one_frees_the_booked_one(shop):
    booked, spare = lend(shop, "9:30"), make_loan_car(shop.store)
    with clock.moved_to(at("9:35", TUESDAY)):
        make_loan_trip(shop.desk, visit=come(shop, booked), car=spare)
    assert capacity.loan_of(booked) is None


def test_a_car_that_is_kept_for_somebody_else_is_not_given_into_their_time(shop):
    booked = lend(shop, "9:30", TUESDAY)
    visit = make_received_visit(shop.desk)
    before = counts()
    with pytest.raises(RaceLost) as lost:
        give_loan_car(**given(visit, shop.car, expected_at=at("9:31", TUESDAY)), by=shop.desk)
    assert (lost.value.code, booked.number in str(lost.value), counts()) == ("loan.reserved", True, before)
    assert give_loan_car(**given(visit, shop.car, expected_at=at("9:30", TUESDAY)), by=shop.desk).is_out


# --- pages and API ---


def typed(car, **values):
    return {
        "car": str(car.uid),
        "expected_at": "2026-11-24T17:00",
        "licence_seen": "on",
        "licence_class": "C1",
        "licence_until": "",
        "licence_last4": "123x",
        "odometer_km": "12000",
        "energy_eighths": "6",
        "condition": "完好",
        "signed_name": "周试车",
        "signature": "data:image/png;base64," + base64.b64encode(make_picture(kind="PNG")).decode(),
    } | values


def test_the_pages_give_it_show_it_and_take_it_back(shop, client):
    client.force_login(shop.advisor.user)
    visit = make_received_visit(shop.desk, waiting_mode=WaitingMode.LOANER)
    page = reverse("visit-loan", args=[visit.uid])
    assert page in client.get(reverse("visit-detail", args=[visit.uid])).content.decode()
    answer = client.post(page, typed(shop.car, licence_seen="", condition="左后轮毂有划痕"))
    assert (answer.status_code, "左后轮毂有划痕" in answer.content.decode()) == (422, True)
    assert LoanTrip.objects.count() == 0
    photo = SimpleUploadedFile("a.jpg", make_picture(), "image/jpeg")
    answer = client.post(page, typed(shop.car) | {"photos": [photo]})
    trip = LoanTrip.objects.get()
    assert (answer.status_code, answer.url) == (302, reverse("loan-trip", args=[trip.uid]))
    assert (trip.licence_last4, trip.expected_at) == ("123X", at("17:00", TUESDAY))
    body = client.get(answer.url).content.decode()
    assert "…123X" in body
    for address in (
        reverse("loan-signature", args=[trip.uid]),
        reverse("loan-photo", args=[trip.photos.get().uid]),
    ):
        assert address in body
        assert client.get(address)["Content-Type"] in ("image/png", "image/jpeg")
    back = reverse("loan-back", args=[trip.uid])
    for name in ("visit-detail", "loans"):
        assert back in client.get(reverse(name, args=[visit.uid] if name == "visit-detail" else [])).content.decode()
    longer = reverse("loan-longer", args=[trip.uid])
    assert client.post(longer, {"expected_at": "2026-11-24T16:00"}).status_code == 422
    assert client.post(longer, {"expected_at": "2026-11-25T09:00"}).status_code == 302
    with clock.moved_to(at("9:30", WEDNESDAY)):
        client.force_login(shop.advisor.user)
        detail = reverse("loan-trip", args=[trip.uid])
        assert detail in client.get(reverse("today")).content.decode()
        assert client.post(back, BACK | {"odometer_km": 11000}).status_code == 422
        assert client.post(back, BACK).status_code == 302
        assert detail not in client.get(reverse("today")).content.decode()
        assert client.get(detail).status_code == 200


def test_who_did_not_book_one_is_given_one_from_the_menu_and_a_car_out_of_use_stays_listed_until_it_is_back(
    shop, client
):
    visit = make_received_visit(shop.desk)
    client.force_login(shop.advisor.user)
    page = reverse("visit-loan", args=[visit.uid])
    assert page in client.get(reverse("visit-detail", args=[visit.uid])).content.decode()
    make_loan_trip(shop.desk, visit=visit, car=shop.car)
    switch_resource(uid=shop.car.uid, active=False, by=machine("tests", store_id=shop.store.pk))
    assert shop.car.name in client.get(reverse("loans")).content.decode()
    take_back_loan_car(uid=LoanTrip.objects.get().uid, **BACK, by=shop.desk)
    assert not choices_for(shop.desk, visit)["rows"]


def test_visit_and_booking_say_that_the_kept_car_is_not_free_yet(shop, client):
    first = lend(shop, "9:30")
    with clock.moved_to(at("9:35", TUESDAY)):
        trip = make_loan_trip(shop.desk, visit=come(shop, first), car=shop.car, expected_at=at("13:00", TUESDAY))
        second = lend(shop, "14:00", TUESDAY)
        here = come(shop, second)
        client.force_login(shop.advisor.user)
        for address in (
            reverse("visit-detail", args=[here.uid]),
            reverse("appointment-detail", args=[second.uid]),
        ):
            body = client.get(address).content.decode()
            assert trip.visit.vehicle.plate[2:] in body
            assert f"{shop.car.name}尚未空出" in body


def test_a_plan_over_night_says_the_day_of_its_end(shop, client):
    booked = lend(shop, "9:30")
    extend_loan(uid=booked.uid, ends_at=at("9:00", WEDNESDAY), by=shop.desk)
    client.force_login(shop.advisor.user)
    body = client.get(reverse("appointment-detail", args=[booked.uid])).content.decode()
    kept = body[body.index(f"{shop.car.name} ") :][:900]
    assert "11月25日" in kept


def test_the_api_gives_and_takes_back(shop):
    visit = make_received_visit(shop.desk)
    api = ApiCaller("reception:write", store=shop.store, acts_for=shop.advisor.user)
    body = given(visit, shop.car)
    body |= {"visit_uid": str(visit.uid), "loan_car_uid": api.get("loan-cars").json()["data"][0]["uid"]}
    del body["car_uid"]
    body["expected_at"] = "2026-11-24T17:00:00+08:00"
    answer = api.post("loan-trips", body)
    assert (answer.status_code, answer.json()["state"]) == (201, "OUT")
    uid = answer.json()["uid"]
    assert api.act(f"loan-trips/{uid}", "keep-longer", {"expected_at": "2026-11-24T18:00:00+08:00"}).status_code == 200
    assert api.act(f"loan-trips/{uid}", "take-back", BACK).json()["state"] == "BACK"
    assert api.act(f"loan-trips/{uid}", "take-back", BACK).status_code == 409


def test_the_hand_over_says_that_the_loan_car_is_not_back(shop, client):
    visit = make_received_visit(shop.desk)
    client.force_login(shop.advisor.user)
    page = reverse("visit-handover", args=[visit.uid])
    assert "代步车尚未归还" not in client.get(page).content.decode()
    trip = make_loan_trip(shop.desk, visit=visit, car=shop.car)
    body = client.get(page).content.decode()
    assert ("代步车尚未归还" in body, reverse("loan-back", args=[trip.uid]) in body) == (True, True)
    take_back_loan_car(uid=trip.uid, **BACK, by=shop.desk)
    assert "代步车尚未归还" not in client.get(page).content.decode()


def test_what_is_with_a_customer_is_planned_for_nobody_else(shop) -> None:
    """2.4: a loan car that is out holds itself, also against plans that no booking makes."""
    trip = make_loan_trip(shop.desk)
    setup = machine("tests", store_id=trip.visit.store_id)

    def plan(after: timedelta, subject=None) -> Reservation:
        start = clock.now() + after
        return plans.reserve(
            resource_uid=trip.car.uid,
            starts_at=start,
            ends_at=start + timedelta(hours=1),
            purpose=ReservationPurpose.APPOINTMENT,
            subject_uid=subject,
            by=setup,
        )

    before = (Reservation.objects.count(), History.objects.count())
    with pytest.raises(RaceLost) as refusal:
        plan(timedelta(hours=1))
    assert (Reservation.objects.count(), History.objects.count()) == before
    assert refusal.value.code == "reservation.taken"
    assert refusal.value.params["free_at"] == trip.expected_at.isoformat()
    plan(timedelta(hours=5))  # it is expected back in four hours
    take_back_loan_car(uid=trip.uid, odometer_km=12100, energy_eighths=5, condition="完好", by=shop.desk)
    plan(timedelta(hours=1))
