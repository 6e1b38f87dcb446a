"""Long repairs under 三包: a loan car or money from the sixth day, and the record of the repair (domain 3.5, 3.6)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from dealership.catalogue.models import Resource
from dealership.catalogue.services.resources import add_resource, set_plate
from dealership.kernel import clock, limits, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Setting
from reception.selectors.today import board
from reception.services.loans import give_loan_car, take_back_loan_car
from tests.factories.api import ApiCaller
from tests.factories.delivery import make_team
from tests.factories.kernel import make_user
from tests.factories.loans import given, make_loan_car
from tests.factories.reception import rule
from tests.workshop.test_faults import NOW, car, repaired
from workshop.day_six_models import DaySixCare, RecordCopy
from workshop.documents import record_data, record_pdf
from workshop.models import RepairOrder
from workshop.selectors import day_six as reads
from workshop.selectors.repair_record import record_of
from workshop.services import day_six as commands

pytestmark = pytest.mark.django_db
HOSTILE = '#panic("x") $ \\ ] #image("/etc/passwd") *_`'
PART = {"quantity": "1.00", "price": "260.00"}


@pytest.fixture(autouse=True)
def _june() -> Any:
    with clock.moved_to(NOW):  # 1 June 2026, 9:00
        yield


@pytest.fixture
def team() -> SimpleNamespace:
    return make_team()


def waiting(team: SimpleNamespace, *, ago: float, **more: Any) -> RepairOrder:
    """A repair that the maker pays and that goes on, agreed ``ago`` days before now."""
    return repaired(team, car(), ago=ago, hours=None, **more).order


def loan_car(team: SimpleNamespace) -> Resource:
    """A loan car of the store; the first one has a plate."""
    found = Resource.objects.filter(store=team.store, kind="LOAN_CAR").first()
    if found is None:
        found = make_loan_car(team.store)
        set_plate(uid=found.uid, plate="京A·BY001", by=machine("tests", store_id=team.store.pk))
        found.refresh_from_db()
    return found


def give(team: SimpleNamespace, order: RepairOrder, **told: Any) -> DaySixCare:
    told = {"kind": "LOAN_CAR", "starts_on": date(2026, 6, 1), "by": team.advisor} | told
    if told["kind"] == "LOAN_CAR" and "loan_car_uid" not in told:
        told["loan_car_uid"] = loan_car(team).uid
    return commands.give_care(order_uid=order.uid, **told)


# --- days by the clock ---


@pytest.mark.parametrize(
    ("ago", "day", "owed"),
    [
        (2.99, None, []),  # the third day
        (3.01, 4, []),
        (5.0, 5, []),  # exactly 120 hours: five whole days
        (5.001, 6, [date(2026, 6, 1)]),
        (7.5, 8, [date(2026, 5, 29), date(2026, 5, 30), date(2026, 5, 31)]),
    ],
)
def test_the_sixth_day_begins_after_120_hours(team: SimpleNamespace, ago: float, day: int | None, owed: list) -> None:
    long = reads.day_six_of(waiting(team, ago=ago))
    assert (long.day if long else None, long.missing if long else []) == (day, owed)
    found = reads.day_six_list(team.advisor)
    assert (found.late, found.prepare) == (bool(owed), day in (4, 5))


def test_days_are_listed_until_something_is_given_and_after_the_end(team: SimpleNamespace) -> None:
    order = waiting(team, ago=7.5)
    give(team, order, kind="TRANSPORT_MONEY", starts_on=date(2026, 5, 29), ends_on=date(2026, 5, 30))
    assert reads.day_six_of(order).missing == [date(2026, 5, 31)]
    give(team, order, starts_on=date(2026, 5, 31))
    with clock.moved_to(NOW + timedelta(days=3)):
        assert reads.day_six_of(order).missing == []
        assert reads.day_six_list(team.advisor).late == 0
    ended = repaired(team, car(), ago=9, hours=6.5 * 24).order
    assert [row.order for row in reads.day_six_list(team.advisor).rows] == [ended, order]
    assert len(reads.day_six_of(ended).missing) == 2


def test_what_the_customer_pays_and_an_old_car_owe_nothing(team: SimpleNamespace) -> None:
    paid = waiting(team, ago=8, pay_type="CUSTOMER_PAY")
    old = repaired(team, car(invoiced_on=date(2022, 5, 1)), ago=8, hours=None).order
    for order in (paid, old):
        assert reads.day_six_of(order) is None
        with rule("day_six.not_long"):
            give(team, order)


def test_the_board_says_it_to_the_advisor(team: SimpleNamespace) -> None:
    early, late = waiting(team, ago=3.5), waiting(team, ago=6.5)
    with translation.override("en"):
        cards = {card.visit.pk: card for lane in board(team.advisor).lanes for card in lane.cards if card.visit}
    signs = [[str(sign.label) for sign in cards[order.visit_id].signs] for order in (early, late)]
    assert "Day 4 of the repair: prepare a loan car" in signs[0]
    assert "No loan car or transport money for 2 day(s)" in signs[1]
    assert reverse("day-six", args=[late.uid]) in [way.url for way in cards[late.visit_id].remedies]


# --- giving ---


def test_transport_money_is_worked_out_by_the_setting_of_each_day(team: SimpleNamespace) -> None:
    Setting.objects.create(key="workshop.transport_money_a_day", value=150, starts_on=date(2026, 5, 31))
    limits.forget()
    order = waiting(team, ago=8.5)
    care = give(team, order, kind="TRANSPORT_MONEY", starts_on=date(2026, 5, 29), ends_on=date(2026, 6, 1))
    assert care.amount == Decimal("500.00")  # two days at 100, two at 150
    told = History.objects.get(code="workshop.day_six.given")
    assert (told.root_uid, told.order_uid) == (care.uid, order.uid)


def test_what_cant_be_given_is_refused(team: SimpleNamespace) -> None:
    order = waiting(team, ago=7.5)
    money = {"kind": "TRANSPORT_MONEY"}
    for told, code in (
        ({"kind": "BUS"}, "day_six.kind"),
        ({"loan_car_uid": None}, "day_six.kind"),
        ({"loan_car_uid": make_loan_car(make_team().store).uid}, "day_six.kind"),  # another store's
        (money, "day_six.kind"),
        ({"kind": "AGREED", "ends_on": date(2026, 6, 1)}, "day_six.kind"),
        (money | {"ends_on": date(2026, 5, 31)}, "day_six.days"),
        (money | {"ends_on": date(2026, 6, 2)}, "day_six.days"),
        ({"starts_on": date(2026, 6, 2)}, "day_six.days"),
        ({"starts_on": date(2026, 5, 1)}, "day_six.days"),
    ):
        with rule(code):
            give(team, order, **told)
    with pytest.raises(NotAllowed):
        give(team, order, by=team.technician)
    assert not DaySixCare.objects.exists()
    care = give(team, order, starts_on=date(2026, 5, 30))
    with rule("day_six.overlap"):
        give(team, order, **money, ends_on=date(2026, 6, 1))
    back = commands.end_care(uid=care.uid, ends_on=date(2026, 5, 31), by=team.advisor)
    assert back.ends_on == date(2026, 5, 31)
    with rule("day_six.ended"):
        commands.end_care(uid=care.uid, by=team.advisor)
    give(team, order, kind="AGREED", note="接送上下班", ends_on=date(2026, 6, 1))


def test_the_database_refuses_what_the_commands_refuse(team: SimpleNamespace, refused: Any) -> None:
    order = waiting(team, ago=7.5)
    care = give(team, order, ends_on=date(2026, 6, 1))
    write = """
        INSERT INTO workshop_daysixcare (uid, version, created_at, updated_at, given_at, order_id, kind, starts_on, ends_on,
            amount, loan_plate, note)
        VALUES (gen_random_uuid(), 1, now(), now(), now(), %s, {})
    """
    for name, values in (
        ("daysixcare_once_a_day", "'LOAN_CAR', '2026-05-30', NULL, NULL, 'X', ''"),
        ("daysixcare_kind", "'LOAN_CAR', '2026-05-30', NULL, NULL, '', ''"),
        ("daysixcare_kind", "'TRANSPORT_MONEY', '2026-05-30', '2026-05-30', NULL, '', ''"),
        ("daysixcare_kind", "'AGREED', '2026-05-30', '2026-05-30', NULL, '', ''"),
        ("daysixcare_days", "'LOAN_CAR', '2026-05-30', '2026-05-29', NULL, 'X', ''"),
    ):
        with refused(name) as sql:
            sql(write.format(values), [order.pk])
    for name, change in (("daysixcare_fixed", "kind = 'AGREED'"), ("daysixcare_ended_once", "ends_on = '2026-06-02'")):
        with refused(name) as sql:
            sql(f"UPDATE workshop_daysixcare SET {change} WHERE id = %s", [care.pk])


# --- the record ---


def done(team: SimpleNamespace, **more: Any) -> RepairOrder:
    line = repaired(team, car(), ago=9, hours=6.5 * 24, cause="转向机间隙过大", correction="更换转向机", **more)
    return RepairOrder.objects.select_related("visit", "vehicle", "store", "customer").get(pk=line.order_id)


def test_the_record_has_the_fields_of_the_law_and_names_what_is_missing(team: SimpleNamespace) -> None:
    order = done(team, parts=[PART])
    record = record_of(order)
    assert record.missing == ["LOAN"]
    give(team, order, kind="TRANSPORT_MONEY", starts_on=date(2026, 5, 28), ends_on=date(2026, 5, 29))
    record = record_of(order)
    assert record.missing == []
    with translation.override("zh-hans"):
        data = record_data(order, record)
    facts = dict(data["facts"])
    assert facts["里程（公里）"] == "50,000"
    assert facts["拖运费用"] == "未拖运"
    assert "交通补偿" in facts["代步车或交通补偿"]
    assert "¥200.00" in facts["代步车或交通补偿"]
    assert data["statement"][1] == order.complaint
    assert data["items"][0][1:5] == ["转向机间隙过大", "更换转向机", "1.00", "240.00"]
    assert [row[3] for row in data["parts"]] == ["260.00"]
    assert [row[1] for row in data["sums"]] == ["¥260.00", "¥240.00"]
    assert (data["missing_title"], len(data["signs"])) == ("", 2)


def test_nothing_is_invented(team: SimpleNamespace) -> None:
    order = waiting(team, ago=2, cause="")
    order.visit.odometer_in_km = None
    order.complaint = ""
    record = record_of(order)
    assert record.missing == ["MILEAGE", "STATEMENT", "FINDINGS", "HANDED_OVER"]
    with translation.override("zh-hans"):
        data = record_data(order, record)
    assert dict(data["facts"])["里程（公里）"] == "未记录"
    assert data["missing"] == "里程、消费者质量问题陈述、检查结果、交车时间"
    with rule("record.not_done"):
        commands.hand_out_record(order_uid=order.uid, receiver="李送修", by=team.advisor)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_hostile_words_are_text_on_the_record(team: SimpleNamespace, language: str) -> None:
    order = done(team)
    order.complaint, order.visit.contact_name = HOSTILE, HOSTILE
    with translation.override(language):
        made = record_pdf(order, record_of(order))
    assert made.startswith(b"%PDF-")
    assert len(made) > 10_000


def test_a_copy_is_handed_out_and_never_changed(team: SimpleNamespace, refused: Any) -> None:
    order = done(team)
    with rule("record.receiver"):
        commands.hand_out_record(order_uid=order.uid, receiver=" ", by=team.advisor)
    copy = commands.hand_out_record(order_uid=order.uid, receiver="李送修", by=team.advisor)
    assert (copy.missing, len(copy.content_hash), copy.given_by) == (["LOAN"], 64, team.advisor.user)
    with refused("recordcopy_append_only") as sql:
        sql("UPDATE workshop_recordcopy SET receiver = 'x' WHERE id = %s", [copy.pk])
    assert "李送修" not in str(History.objects.get(code="workshop.repair_record.handed_out").facts)


# --- pages and API ---


def test_the_pages(team: SimpleNamespace) -> None:
    order, client = waiting(team, ago=7.5), Client()
    client.force_login(team.advisor.user)
    page, records = reverse("day-six", args=[order.uid]), reverse("repair-record", args=[order.uid])
    detail = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert page in detail
    assert records in detail
    assert page in client.get(reverse("day-six-list")).content.decode()
    assert reverse("day-six-list") in client.get(reverse("fault-alerts")).content.decode()
    told = {"kind": "LOAN_CAR", "starts_on": "2026-05-29", "loan_car_uid": ""}
    assert client.post(page, told).status_code == 422
    assert client.post(page, told | {"loan_car_uid": str(loan_car(team).uid)}).status_code == 302
    care = DaySixCare.objects.get()
    assert (care.loan_car, care.loan_plate) == (loan_car(team), "京ABY001")
    assert "京A·BY001" in client.get(page).content.decode()
    end = reverse("day-six-end", args=[care.uid])
    assert end in client.get(page).content.decode()
    assert client.post(end).headers["Location"] == page
    assert client.get(reverse("repair-record-pdf", args=[order.uid])).content.startswith(b"%PDF-")
    assert '<input name="receiver"' not in client.get(records).content.decode()
    ready = reverse("repair-record", args=[done(team).uid])
    assert client.post(ready, {"receiver": "李送修"}).status_code == 302
    assert "李送修" in client.get(ready).content.decode()
    assert RecordCopy.objects.count() == 1


def test_the_api(team: SimpleNamespace) -> None:
    order, api = waiting(team, ago=7.5), ApiCaller("workshop:write", store=team.store)
    car_uid = str(loan_car(team).uid)
    body = {"repair_order_uid": str(order.uid), "kind": "LOAN_CAR", "starts_on": "2026-05-29", "loan_car_uid": car_uid}
    made = api.post("day-six-cares", body).json()
    assert (made["ends_on"], made["amount"], made["loan_car_uid"]) == (None, None, car_uid)
    assert api.act(f"day-six-cares/{made['uid']}", "end", {"ends_on": "2026-05-31"}).json()["ends_on"] == "2026-05-31"
    copy = {"repair_order_uid": str(done(team).uid), "receiver": "李送修"}
    assert api.post("repair-record-copies", copy).json()["missing"] == ["LOAN"]


def test_the_loan_car_of_the_visit_is_named_by_its_trip_and_ends_with_it(team: SimpleNamespace, client: Client) -> None:
    order, vehicle = waiting(team, ago=7.5), loan_car(team)
    trip = give_loan_car(**given(order.visit, vehicle), by=team.advisor)
    client.force_login(team.advisor.user)
    form = client.get(reverse("day-six", args=[order.uid])).context["form"]
    assert form["loan_car_uid"].value() == str(vehicle.uid)
    care = give(team, order)
    assert (care.loan_trip, care.loan_car, care.ends_on) == (trip, vehicle, None)
    take_back_loan_car(uid=trip.uid, odometer_km=12080, energy_eighths=5, condition="完好", by=team.advisor)
    outbox.drain()
    care.refresh_from_db()
    assert care.ends_on == date(2026, 6, 1)


def test_rows_of_before_keep_their_plate_and_a_plate_belongs_to_a_loan_car(team: SimpleNamespace, refused: Any) -> None:
    order = waiting(team, ago=7.5)
    old = DaySixCare.objects.create(order=order, kind="LOAN_CAR", starts_on=date(2026, 6, 1), loan_plate="京AB0001")
    assert record_of(order).content()["care"][0]["about"] == "京AB0001"
    with refused("daysixcare_fixed") as sql:
        sql("UPDATE workshop_daysixcare SET loan_car_id = %s WHERE id = %s", [loan_car(team).pk, old.pk])
    by = machine("tests", store_id=team.store.pk)
    bay = add_resource(store=team.store, kind="BAY", code="B77", name="工位", capability="PAINT", by=by)
    with refused("resource_plate") as sql:
        sql("UPDATE catalogue_resource SET plate = 'X' WHERE id = %s", [bay.pk])
    for plate in ("", "京A" + "1" * 12):
        with rule("resource.plate"):
            set_plate(uid=loan_car(team).uid, plate=plate, by=by)
    with rule("resource.same"):
        set_plate(uid=loan_car(team).uid, plate="京aby001", by=by)
    with rule("resource.plate"):
        add_resource(store=team.store, kind="BAY", code="B78", name="工位", capability="PAINT", plate="京A1", by=by)


def test_the_manager_writes_the_plate_down(team: SimpleNamespace, client: Client) -> None:
    vehicle = loan_car(team)
    client.force_login(make_user("manager", store=team.store))
    assert client.post(reverse("loan-car-plate", args=[vehicle.uid]), {"plate": "京A·BY002"}).status_code == 302
    vehicle.refresh_from_db()
    assert vehicle.plate == "京ABY002"
    assert "京A·BY002" in client.get(reverse("bays")).content.decode()
    assert (
        History.objects.filter(code="catalogue.resource.plate_set", root_uid=vehicle.uid).count() == 2
    )  # when made, and now
