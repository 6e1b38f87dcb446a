"""Commands on vehicles: VIN policy, plates, owners over time, odometer, and the race for one VIN (2.3)."""

import threading
import uuid
from datetime import date, timedelta

import pytest
from django.db import connection

from dealership.kernel import clock
from dealership.kernel.actors import Actor, ActorKind, machine
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from reception.models import OdometerReading, Ownership, Vehicle
from reception.services import vehicles
from reception.services.vehicles import change_owner, correct_vehicle, read_odometer, register_vehicle
from tests.factories.reception import make_customer, make_vehicle, make_vin, rule

BY = machine("tests")
MANAGER = Actor(ActorKind.USER, str(uuid.uuid4()), frozenset({"reception.vehicles.override_vin"}), frozenset())
CLERK = Actor(ActorKind.USER, str(uuid.uuid4()), frozenset(), frozenset())
pytestmark = pytest.mark.django_db


def wrong(vin: str) -> str:
    return vin[:8] + ("1" if vin[8] != "1" else "2") + vin[9:]


def test_a_vehicle_is_kept_the_same_way_however_it_was_typed() -> None:
    owner = make_customer()
    vehicle = register_vehicle(
        plate="京ａ·8k312", vin=f" {make_vin(1).lower()} ", model_text="途远", owner_uid=owner.uid, odometer_km=5, by=BY
    )
    vehicle.refresh_from_db()
    assert (vehicle.plate, vehicle.vin, vehicle.plate_color, vehicle.powertrain) == (
        "京A8K312", make_vin(1), "BLUE", "ICE",
    )  # fmt: skip
    assert [(o.customer_id, o.ends_on) for o in vehicle.ownerships.all()] == [(owner.pk, None)]
    codes = list(History.objects.filter(vehicle_uid=vehicle.uid).order_by("id").values_list("code", flat=True))
    assert codes == ["reception.vehicle.registered", "reception.vehicle.owner_changed"]


def test_the_type_is_what_the_licence_says() -> None:
    vehicle = make_vehicle(vehicle_type=" 小型轿车 ")
    assert vehicle.vehicle_type == "小型轿车"
    correct_vehicle(uid=vehicle.uid, vehicle_type="小型普通客车", by=BY)
    vehicle.refresh_from_db()
    assert vehicle.vehicle_type == "小型普通客车"
    with rule("text.too_long"):
        correct_vehicle(uid=vehicle.uid, vehicle_type="x" * 21, by=BY)


def test_a_green_plate_makes_a_new_energy_car() -> None:
    assert make_vehicle(plate="京AD06218").powertrain == "BEV"
    assert make_vehicle(plate="京AF06219", powertrain="PHEV").powertrain == "PHEV"
    assert make_vehicle(plate="京A12345D").plate_color == "YELLOW_GREEN"
    with rule("vehicle.green_plate"):
        make_vehicle(plate="京AD06220", powertrain="ICE")


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({"plate": "", "vin": ""}, "vehicle.identified", "plate"),
        ({"plate": "京A8K31"}, "plate.pattern", "plate"),
        ({"plate": "京AO1234"}, "plate.letters", "plate"),
        ({"vin": wrong(make_vin(7))}, "vin.check_digit", "vin"),
        ({"vin": make_vin(7)[:16]}, "vin.length", "vin"),
        ({"vin": "LSVAA218OK1000007"}, "vin.characters", "vin"),
        ({"model_text": " "}, "vehicle.model", "model_text"),
        ({"odometer_km": 2_000_001}, "vehicle.odometer", "odometer_km"),
        ({"odometer_km": -1}, "vehicle.odometer", "odometer_km"),
        ({"model_year": 1900}, "vehicle.year", "model_year"),
        ({"plate_kind": "FAKE"}, "vehicle.plate_kind", "plate_kind"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_written(values, code, field) -> None:
    lines = History.objects.count()
    with pytest.raises(RuleError) as refusal:
        make_vehicle(**values)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert str(refusal.value)
    assert not Vehicle.objects.exists()
    assert History.objects.count() == lines


def test_a_wrong_vin_is_kept_only_by_who_may_and_with_a_reason() -> None:
    vin = wrong(make_vin(8))
    with pytest.raises(NotAllowed):
        make_vehicle(vin=vin, vin_override_reason="证件上如此", by=CLERK)
    with rule("vin.check_digit"):
        make_vehicle(vin=vin, by=MANAGER)
    assert not Vehicle.objects.exists()
    vehicle = make_vehicle(vin=vin, vin_override_reason="证件上如此", by=MANAGER)
    assert (vehicle.vin, vehicle.vin_note) == (vin, "证件上如此")
    assert History.objects.get(code="reception.vehicle.registered").facts["vin_overridden"] is True
    with rule("vin.length"):
        make_vehicle(vin="LSVAA", vin_override_reason="证件上如此", by=MANAGER)


def test_a_foreign_vin_without_check_digit_passes() -> None:
    assert make_vehicle(vin="WVWZZZ1KZAW000001").vin == "WVWZZZ1KZAW000001"


def test_vin_and_plate_are_taken_once_but_a_temporary_plate_may_come_again() -> None:
    first = make_vehicle(plate="京A00001", vin=make_vin(9))
    with rule("vehicle.vin_taken"):
        make_vehicle(vin=make_vin(9))
    with rule("vehicle.plate_taken"):
        make_vehicle(plate="京A·00001")
    assert list(Vehicle.objects.all()) == [first]
    make_vehicle(plate="临001", plate_kind="TEMPORARY")
    make_vehicle(plate="临001", plate_kind="TEMPORARY")
    assert Vehicle.objects.count() == 3


def test_a_plate_moves_to_another_car_when_the_first_gave_it_up() -> None:
    old, new = make_vehicle(plate="京A00001"), make_vehicle(plate="京A00002")
    with rule("vehicle.plate_taken"):
        correct_vehicle(uid=new.uid, plate="京A00001", by=BY)
    correct_vehicle(uid=old.uid, plate="", plate_kind="UNREGISTERED", by=BY)
    correct_vehicle(uid=new.uid, plate="京A00001", by=BY)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.plate, old.plate_kind, new.plate) == ("", "UNREGISTERED", "京A00001")


def test_a_correction_to_a_green_plate_changes_the_drive() -> None:
    vehicle = make_vehicle(plate="京A00001")
    correct_vehicle(uid=vehicle.uid, plate="京AD00001", by=BY)
    vehicle.refresh_from_db()
    assert (vehicle.plate_color, vehicle.powertrain) == ("GREEN", "BEV")
    with rule("vehicle.unchanged"):
        correct_vehicle(uid=vehicle.uid, plate="京AD00001", by=BY)


def test_owners_follow_one_another_without_a_gap() -> None:
    first, second, day = make_customer(), make_customer(), clock.today() - timedelta(days=10)
    vehicle = make_vehicle(owner_uid=first.uid, owner_since=date(2024, 1, 1))
    change_owner(uid=vehicle.uid, owner_uid=second.uid, on=day, by=BY)
    periods = [(o.customer_id, o.starts_on, o.ends_on) for o in vehicle.ownerships.order_by("starts_on")]
    assert periods == [(first.pk, date(2024, 1, 1), day - timedelta(days=1)), (second.pk, day, None)]
    line = History.objects.filter(code="reception.vehicle.owner_changed").latest("id")
    assert line.changed == {"customer": [str(first.uid), str(second.uid)]}
    change_owner(uid=vehicle.uid, owner_uid=first.uid, on=day, by=BY)  # the wrong one was picked a minute ago
    assert vehicle.ownerships.get(starts_on=day).customer_id == first.pk
    change_owner(uid=vehicle.uid, owner_uid=None, on=clock.today(), by=BY)
    assert not vehicle.ownerships.filter(ends_on__isnull=True).exists()


def test_an_impossible_change_of_owner_is_refused() -> None:
    first, second = make_customer(), make_customer()
    vehicle = make_vehicle(owner_uid=first.uid, owner_since=date(2024, 1, 1))
    for owner, on, code in (
        (second, clock.today() + timedelta(days=1), "vehicle.owner_day"),
        (second, date(2023, 12, 31), "vehicle.owner_order"),
        (first, clock.today(), "vehicle.owner_same"),
    ):
        with pytest.raises(RuleError) as refusal:
            change_owner(uid=vehicle.uid, owner_uid=owner.uid, on=on, by=BY)
        assert refusal.value.code == code
        assert str(refusal.value)
    assert [(o.customer_id, o.ends_on) for o in Ownership.objects.all()] == [(first.pk, None)]


def test_the_odometer_falls_with_a_reason_only() -> None:
    vehicle = make_vehicle(odometer_km=50_000)
    read_odometer(vehicle=vehicle, km=50_100, by=BY)
    with rule("vehicle.odometer_lower"):
        read_odometer(vehicle=vehicle, km=50_099, by=BY)
    read_odometer(vehicle=vehicle, km=12, reason="更换仪表", by=BY)
    vehicle.refresh_from_db()
    assert vehicle.odometer_km == 12
    readings = list(OdometerReading.objects.order_by("id").values_list("before_km", "km", "reason"))
    assert readings == [(50_000, 50_100, ""), (50_100, 12, "更换仪表")]
    changes = [line.changed for line in History.objects.filter(code="reception.vehicle.odometer_read").order_by("id")]
    assert changes == [{"odometer_km": [50_000, 50_100]}, {"odometer_km": [50_100, 12]}]


@pytest.mark.parametrize(("column", "name"), [("vin", "vehicle_vin"), ("plate", "vehicle_plate")])
def test_the_database_refuses_a_second_vin_or_plate(refused, column, name) -> None:
    first, second = make_vehicle(), make_vehicle()
    before = getattr(second, column)
    with refused(name) as sql:
        sql(f"UPDATE reception_vehicle SET {column} = %s WHERE id = %s", [getattr(first, column), second.pk])
    second.refresh_from_db()
    assert getattr(second, column) == before


def test_the_database_refuses_two_owners_on_one_day(refused) -> None:
    first, second = make_customer(), make_customer()
    vehicle = make_vehicle(owner_uid=first.uid, owner_since=date(2024, 1, 1))
    with refused("ownership_one_at_a_time") as sql:
        sql(
            "INSERT INTO reception_ownership (uid, version, created_at, updated_at, vehicle_id, customer_id, starts_on)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, '2025-01-01')",
            [vehicle.pk, second.pk],
        )
    assert Ownership.objects.count() == 1


def test_the_database_refuses_a_fall_without_a_reason_and_a_changed_reading(refused) -> None:
    vehicle = make_vehicle(odometer_km=10)
    read_odometer(vehicle=vehicle, km=20, by=BY)
    with refused("odometerreading_fall_has_reason") as sql:
        sql(
            "INSERT INTO reception_odometerreading (vehicle_id, km, before_km, read_at, reason)"
            " VALUES (%s, 5, 20, now(), '')",
            [vehicle.pk],
        )
    with refused("odometerreading_append_only") as sql:
        sql("UPDATE reception_odometerreading SET km = 1")
    assert OdometerReading.objects.get().km == 20


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("values", "code"),
    [({"vin": make_vin(77)}, "vehicle.vin_taken"), ({"plate": "京A77777"}, "vehicle.plate_taken")],
)
def test_two_receptionists_register_one_car_at_once(monkeypatch, values, code) -> None:
    """Both have looked and found nothing; one wins, the other is told."""
    both_looked = threading.Barrier(2)
    look = vehicles._require_free

    def look_and_wait(**given) -> None:
        look(**given)
        both_looked.wait(timeout=20)

    monkeypatch.setattr(vehicles, "_require_free", look_and_wait)
    won: list[Vehicle] = []
    told: list[RaceLost] = []

    def work() -> None:
        try:
            won.append(register_vehicle(model_text="途远", by=BY, **values))
        except RaceLost as lost:
            told.append(lost)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=40)
    assert (len(won), [lost.code for lost in told]) == (1, [code])
    assert told[0].field == next(iter(values))
    assert list(Vehicle.objects.values_list("uid", flat=True)) == [won[0].uid]
    assert History.objects.filter(code="reception.vehicle.registered").count() == 1
