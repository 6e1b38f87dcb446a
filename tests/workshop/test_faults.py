"""三包 of a car as its repairs stand: judgement, counters across stores, early alerts, what if (domain 3.6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Store
from reception.models import Vehicle, VisitState
from tests.factories.api import ApiCaller
from tests.factories.delivery import add_line, inspect, make_order, make_team, make_visit
from tests.factories.kernel import make_actor
from tests.factories.reception import make_vehicle, rule
from workshop.away_models import AwayWait
from workshop.fault_models import FaultJudgement
from workshop.models import OrderLine
from workshop.selectors import faults as reads
from workshop.selectors.claims import grounds_of
from workshop.selectors.day_six import long_repairs
from workshop.services.faults import judge_fault

pytestmark = pytest.mark.django_db
CHINA = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=CHINA)


@pytest.fixture(autouse=True)
def _june() -> Any:
    with clock.moved_to(NOW):
        yield


@pytest.fixture
def team() -> SimpleNamespace:
    return make_team()


def clerk(store: Store) -> Actor:
    return make_actor("warranty", store=store)


def car(**fields: Any) -> Vehicle:
    return make_vehicle(**({"invoiced_on": date(2025, 9, 1)} | fields))


def repaired(team: SimpleNamespace, vehicle: Vehicle, *, ago: float, hours: float | None = 5, **line: Any) -> OrderLine:
    """A repair that the maker pays, agreed ``ago`` days before now; it took ``hours``, or goes on (None)."""
    begun = NOW - timedelta(days=ago)
    with clock.moved_to(begun):
        visit = make_visit(team, vehicle=vehicle)
        order = make_order(visit, team)
        made = add_line(order, state="IN_PROGRESS", **({"pay_type": "WARRANTY", "description": "转向异响"} | line))
    if hours is None:
        return made
    with clock.moved_to(begun + timedelta(hours=hours)):
        for state in ("COMPLETED", "INSPECTED"):
            made.state = state
            made.save()
        inspect(order, team)
        visit.state, visit.left_at = VisitState.DEPARTED, clock.now()
        visit.save()
    return made


# --- counters ---


def test_days_are_counted_by_hours_over_the_repairs_of_all_stores(team: SimpleNamespace) -> None:
    other, vehicle = make_team(), car()
    repaired(team, vehicle, ago=40, hours=24)  # one day
    repaired(other, vehicle, ago=20, hours=24.5)  # two
    mine = repaired(team, vehicle, ago=2, hours=None)  # two so far
    add_line(mine.order, state="IN_PROGRESS", pay_type="WARRANTY", description="方向盘抖动")  # the same hours, once
    repaired(team, car(), ago=3, hours=90)  # another car
    found = reads.standing_of(vehicle)
    assert found.watch is not None
    assert found.watch.days == 5
    assert found.fault_counts() == [("转向异响", 3), ("方向盘抖动", 1)]
    assert [row.line.order.store_id for row in found.counted] == [team.store.pk, other.store.pk, *[team.store.pk] * 2]


def test_two_orders_at_the_same_time_count_their_hours_once(team: SimpleNamespace) -> None:
    """One visit, two orders: the counters, the file of a demand and the care of the sixth day say the same."""
    vehicle, by = car(), clerk(team.store)
    first = repaired(team, vehicle, ago=8, hours=None)
    with clock.moved_to(NOW - timedelta(days=5)):
        second = make_order(first.order.visit, team)
        add_line(second, state="IN_PROGRESS", pay_type="WARRANTY", description="天窗漏水")
    standing = reads.standing_of(vehicle)
    assert standing.watch is not None
    assert standing.watch.days == 8
    [days] = [row["count"] for row in reads.counters_of(standing) if row["subject"] == "DAYS"]
    grounds = grounds_of(standing, km=1000, at=NOW, zone="Asia/Shanghai")
    assert (days, [r["count"] for r in grounds["counters"] if r["subject"] == "DAYS"]) == (8, [8])
    assert {pk: row.day for pk, row in long_repairs([first.order, second]).items()} == {first.order_id: 8, second.pk: 5}
    judge_fault(
        line_uid=first.uid, is_quality=True, left_out_as="VIN_PARTS", left_out_from=NOW - timedelta(days=8),
        left_out_until=NOW - timedelta(days=4), by=by,
    )  # fmt: skip
    after = reads.standing_of(vehicle).watch
    assert after is not None
    assert after.days == 5, "the other order ran on from the fifth day before now"


def test_while_the_owner_has_the_car_back_no_day_counts(team: SimpleNamespace) -> None:
    vehicle = car()
    line = repaired(team, vehicle, ago=10, hours=None)
    with clock.moved_to(NOW - timedelta(days=9)):
        wait = AwayWait.objects.create(
            order=line.order, visit=line.order.visit, reason="转向机", expected_on=NOW.date(),
            safe_said_by=team.people["advisor"], planned_at=clock.now(),
        )  # fmt: skip
        wait.left_at = clock.now()
        wait.save()
    standing = reads.standing_of(vehicle)
    assert standing.watch is not None
    assert (standing.watch.days, reads.rows_of(standing)) == (1, []), "it is still away"
    assert long_repairs([line.order]) == {}
    with clock.moved_to(NOW - timedelta(days=5.5)):
        wait.back_at = clock.now()
        wait.save()
    standing = reads.standing_of(vehicle)
    care = long_repairs([line.order])[line.order_id]
    assert standing.watch is not None
    assert (standing.watch.days, care.day) == (7, 7)
    assert care.owed == [date(2026, 5, 30), date(2026, 5, 31)], "five days here were over on 30 May at 21:00"
    assert [(row.article, row.count) for row in reads.rows_of(standing)] == [("21", 2)]


def test_what_the_customer_pays_counts_only_when_it_was_judged(team: SimpleNamespace) -> None:
    vehicle = car()
    line = repaired(team, vehicle, ago=4, pay_type="CUSTOMER_PAY")
    assert reads.standing_of(vehicle).counted == []
    judge_fault(line_uid=line.uid, is_quality=True, by=clerk(team.store))
    assert [row.fault for row in reads.standing_of(vehicle).counted] == ["转向异响"]


def test_the_latest_judgement_counts_and_wear_counts_for_nothing(team: SimpleNamespace) -> None:
    vehicle, by = car(), clerk(team.store)
    line = repaired(team, vehicle, ago=4)
    judge_fault(line_uid=line.uid, is_quality=True, fault="转向机漏油", system="STEERING", part="转向机", by=by)
    found = reads.standing_of(vehicle)
    assert found.part_counts() == [("转向系统 · 转向机", 1)]
    assert [(row.article, row.subject, row.count, row.limit) for row in reads.rows_of(found)] == [
        ("24(3)", "STEERING:转向机", 1, 2)
    ]
    judge_fault(line_uid=line.uid, is_quality=False, by=by)
    assert reads.standing_of(vehicle).counted == []


def test_without_an_invoice_nothing_is_counted_and_nobody_falls_over(team: SimpleNamespace) -> None:
    unknown, old = car(invoiced_on=None), car(invoiced_on=date(2012, 5, 1))
    for vehicle in (unknown, old):
        repaired(team, vehicle, ago=4)
        assert (reads.standing_of(vehicle).watch, reads.counters_of(reads.standing_of(vehicle))) == (None, [])


# --- judging ---


def test_a_judgement_is_written_with_its_line_of_history(team: SimpleNamespace) -> None:
    line, by = repaired(team, car(), ago=4), clerk(team.store)
    made = judge_fault(
        line_uid=line.uid, is_quality=True, fault=" 转向 失灵 ", serious=True, safety="STEERING_LOST", by=by
    )
    assert (made.fault, made.serious, made.safety, made.judged_by) == ("转向 失灵", True, "STEERING_LOST", by.user)
    told = History.objects.get(code="workshop.fault.judged")
    assert (told.root_uid, told.order_uid, told.facts["safety"]) == (made.uid, line.order.uid, "STEERING_LOST")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"is_quality": False, "serious": True}, "fault.not_quality"),
        ({"is_quality": True, "safety": "FUEL_LEAK"}, "fault.safety"),
        ({"is_quality": True, "system": "BRAKES"}, "fault.part"),
        ({"is_quality": True, "part": "制动盘"}, "fault.part"),
        ({"is_quality": True, "assembly": "BRAKES"}, "fault.choice"),
        ({"is_quality": True, "left_out_as": "RESCUE"}, "fault.left_out"),
        ({"is_quality": True, "left_out_as": "RESCUE", "left_out_from": NOW, "left_out_until": NOW}, "fault.left_out"),
    ],
)
def test_what_contradicts_itself_is_refused(team: SimpleNamespace, given: dict[str, Any], code: str) -> None:
    line = repaired(team, car(), ago=4)
    before = History.objects.count()
    with rule(code):
        judge_fault(line_uid=line.uid, by=clerk(team.store), **given)
    assert (FaultJudgement.objects.count(), History.objects.count()) == (0, before)


def test_only_agreed_work_is_judged_by_those_who_may(team: SimpleNamespace) -> None:
    vehicle = car()
    order = make_order(make_visit(team, vehicle=vehicle), team)
    asked = add_line(order, state="PENDING", pay_type="WARRANTY")
    with rule("fault.line"):
        judge_fault(line_uid=asked.uid, is_quality=True, by=clerk(team.store))
    with pytest.raises(NotAllowed):
        judge_fault(line_uid=asked.uid, is_quality=True, by=team.advisor)
    with pytest.raises(OrderLine.DoesNotExist):
        judge_fault(line_uid=asked.uid, is_quality=True, by=clerk(make_team().store))
    assert not FaultJudgement.objects.exists()


WRITE = """
    INSERT INTO workshop_faultjudgement (uid, version, created_at, updated_at, judged_at, line_id, is_quality, fault,
        serious, safety, assembly, system, part, wear, left_out_as, left_out_from, left_out_until)
    VALUES (gen_random_uuid(), 1, now(), now(), now(), %s, {})
"""


def test_the_database_refuses_what_the_command_refuses(team: SimpleNamespace, refused: Any) -> None:
    vehicle = car()
    line = repaired(team, vehicle, ago=4)
    for name, values in (
        ("faultjudgement_named", "true, '', false, '', '', '', '', '', '', NULL, NULL"),
        ("faultjudgement_of_quality", "false, 'x', true, '', '', '', '', '', '', NULL, NULL"),
        ("faultjudgement_safety_is_serious", "true, 'x', false, 'FUEL_LEAK', '', '', '', '', '', NULL, NULL"),
        ("faultjudgement_part_of_system", "true, 'x', false, '', '', 'BRAKES', '', '', '', NULL, NULL"),
        ("faultjudgement_left_out", "true, 'x', false, '', '', '', '', '', 'RESCUE', now(), NULL"),
        ("faultjudgement_left_out", "true, 'x', false, '', '', '', '', '', 'RESCUE', now(), now()"),
        ("faultjudgement_wear_is_no_main_part", "true, 'x', false, '', 'ENGINE', '', '', 'TYRE', '', NULL, NULL"),
    ):
        with refused(name) as sql:
            sql(WRITE.format(values), [line.pk])
    asked = add_line(make_order(make_visit(team, vehicle=car()), team), state="PENDING")
    with refused("faultjudgement_of_agreed_work") as sql:
        sql(WRITE.format("true, 'x', false, '', '', '', '', '', '', NULL, NULL"), [asked.pk])
    made = judge_fault(line_uid=line.uid, is_quality=True, by=clerk(team.store))
    with refused("faultjudgement_append_only") as sql:
        sql("UPDATE workshop_faultjudgement SET fault = 'y' WHERE id = %s", [made.pk])
    with refused("faultjudgement_append_only") as sql:
        sql("DELETE FROM workshop_faultjudgement WHERE id = %s", [made.pk])


# --- early alerts ---


def test_who_needs_care_presses_most_first(team: SimpleNamespace) -> None:
    by = clerk(team.store)
    days, fault, loan, quiet = car(), car(), car(), car()
    repaired(team, days, ago=60, hours=31 * 24)
    for number in range(3):
        repaired(team, fault, ago=30 - number)
    waits = repaired(team, loan, ago=5.5, hours=None)
    repaired(team, quiet, ago=9)
    repaired(make_team(), car(), ago=80, hours=31 * 24)  # never in this store
    found = reads.alert_list(by)
    assert [(row.standing.vehicle.pk, row.article, row.count, bool(row.right)) for row in found.rows] == [
        (days.pk, "24(4)", 31, True),
        (loan.pk, "21", 1, True),
        (fault.pk, "24(4)", 3, False),
    ]
    assert (found.rights, found.loans, found.near, found.to_judge) == (1, 1, 1, 6)
    assert found.rows[1].subject == waits.order.number
    assert [row.article for row in reads.alert_list(by, show="loans").rows] == ["21"]


def test_the_fourth_day_warns_and_the_end_of_the_repair_ends_it(team: SimpleNamespace) -> None:
    vehicle, by = car(), clerk(team.store)
    repaired(team, vehicle, ago=2.9, hours=None)
    assert reads.alert_list(by).rows == []
    with clock.moved_to(NOW + timedelta(hours=3)):
        assert [(row.article, row.count, row.limit) for row in reads.alert_list(by).rows] == [("21", 4, 5)]
    done = car()
    repaired(team, done, ago=20, hours=7 * 24)
    assert reads.rows_of(reads.standing_of(done)) == []


# --- a free repair that the customer still pays ---


def test_the_order_says_what_to_do_where_a_free_repair_has_the_customer_for_its_payer(
    client: Client, team: SimpleNamespace
) -> None:
    user = team.advisor.user
    client.force_login(user)
    vehicle = car()
    order = make_order(make_visit(team, vehicle=vehicle), team)
    asked = add_line(order, state="AUTHORIZED", description="转向异响")
    begun = add_line(order, state="IN_PROGRESS", description="天窗漏水")
    maker = add_line(order, state="IN_PROGRESS", pay_type="WARRANTY", description="门锁失灵")
    worn = add_line(order, state="IN_PROGRESS", description="雨刮异响")
    by = clerk(team.store)
    for line in (asked, begun, maker):
        judge_fault(line_uid=line.uid, is_quality=True, by=by)
    judge_fault(line_uid=worn.uid, is_quality=False, by=by)

    def told() -> dict[str, str | None]:
        return {row.line.description: row.free for row in reads.judged_lines(order, reads.standing_of(vehicle))}

    assert told() == {"转向异响": "CHANGE", "天窗漏水": "BEGUN", "门锁失灵": None, "雨刮异响": None}
    client.force_login(by.user)
    shown = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert "付款方仍是客户" in shown
    assert "该项应免费但已开工" in shown
    Vehicle.objects.filter(pk=vehicle.pk).update(invoiced_on=date(2023, 5, 1))  # its period is over
    vehicle.refresh_from_db()
    order.vehicle = vehicle
    assert set(told().values()) == {None}


# --- pages and API ---


def test_pages_lead_from_the_alert_to_the_judgement(client: Client, team: SimpleNamespace) -> None:
    by, vehicle = clerk(team.store), car()
    assert by.user is not None
    client.force_login(by.user)
    assert "没有车辆接近三包限额" in client.get(reverse("fault-alerts")).content.decode()
    first, second = repaired(team, vehicle, ago=9), repaired(team, vehicle, ago=2)
    shown = client.get(reverse("fault-alerts"), {"show": "judge"}).content.decode()
    assert reverse("fault-judge", args=[first.uid]) in shown
    page = reverse("fault-judge", args=[first.uid])
    wrong = client.post(page, {"is_quality": "yes", "system": "STEERING", "fault": "异响", "form_token": uuid4()})
    assert wrong.status_code == 422
    assert 'value="异响"' in wrong.content.decode()
    said = {"is_quality": "yes", "fault": "异响", "system": "STEERING", "part": "转向机", "form_token": uuid4()}
    answer = client.post(page, said)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("vehicle-detail", args=[vehicle.uid]) + "#faults"
    again = reverse("fault-judge", args=[second.uid])
    assert '<option value="异响">' in client.get(again).content.decode()
    client.post(again, {"is_quality": "yes", "same_as": "异响", "fault": "x", "form_token": uuid4()})
    assert reads.standing_of(vehicle).fault_counts() == [("异响", 2)]
    shown = client.get(reverse("fault-alerts")).content.decode()
    assert "转向系统 · 转向机" in shown
    assert "转向系统 · 转向机" in client.get(reverse("vehicle-detail", args=[vehicle.uid])).content.decode()
    assert "异响" in client.get(reverse("order-detail", args=[second.order.uid])).content.decode()


def ask(client: Client, **given: Any) -> Any:
    answer = client.get(reverse("fault-what-if"), {"start": "2026-01-05", "day": "2026-05-20", "km": "8000"} | given)
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize(
    ("given", "rights", "near"),
    [
        ({}, [], []),
        ({"days": "30"}, [], ["24(4)"]),
        ({"days": "31"}, ["24(4)"], []),
        ({"same_fault": "4"}, [], ["24(4)"]),
        ({"same_fault": "5"}, ["24(4)"], []),
        ({"longest": "5"}, [], ["21"]),
        ({"longest": "6"}, ["21"], []),
        ({"longest": "6", "away": "1"}, [], ["21"]),
        ({"longest": "31"}, ["24(4)", "21"], []),
        ({"longest": "31", "away": "1"}, ["21"], ["24(4)"]),
        ({"longest": "20", "at_once": "11"}, ["21"], ["24(4)"]),
        ({"longest": "20", "at_once": "11", "days": "42"}, ["24(4)", "21"], []),
        ({"longest": "20", "at_once": "11", "days": "41"}, ["21"], ["24(4)"]),
        ({"serious": "2"}, [], ["24(1)"]),
        ({"serious": "3"}, ["24(1)"], []),
        ({"assembly": "ENGINE", "assembly_times": "2"}, [], ["24(2)"]),
        ({"assembly": "ENGINE", "assembly_times": "3"}, ["24(2)"], []),
        ({"system": "BRAKES", "part_times": "3"}, ["24(3)"], []),
        ({"safety": "FUEL_LEAK"}, [], []),
        ({"safety": "FUEL_LEAK", "day": "2026-03-06", "km": "3000"}, ["23"], []),
        ({"safety": "FUEL_LEAK", "day": "2026-03-07", "km": "3000"}, [], []),
        ({"start": "2021-06-01", "day": "2022-06-01", "days": "31"}, [], ["24(4)"]),
    ],
)
def test_what_if_tells_the_right_by_the_table_of_the_car(
    client: Client, team: SimpleNamespace, given: dict[str, str], rights: list[str], near: list[str]
) -> None:
    user = clerk(team.store).user
    assert user is not None
    client.force_login(user)
    shown = ask(client, **given).context
    assert [row["article"] for row in shown["rights"]] == rights
    assert [row.article for row in shown["near"]] == near


def test_what_if_says_the_fee_and_keeps_what_was_typed(client: Client, team: SimpleNamespace) -> None:
    user = clerk(team.store).user
    assert user is not None
    client.force_login(user)
    assert "¥800.00" in ask(client, days="31", price="20000.00").content.decode()
    wrong = ask(client, day="2025-01-01", days="12").content.decode()
    assert 'value="12"' in wrong
    assert "车辆购买之前" in wrong
    wrong = ask(client, days="3", longest="9")
    assert "days" in wrong.context["form"].errors
    assert not wrong.context["answered"]
    assert "2013-10-01" in ask(client, start="2013-09-30", day="2014-01-01").content.decode()


def test_the_api_tells_the_counters_of_a_car(team: SimpleNamespace) -> None:
    vehicle = car()
    line = repaired(team, vehicle, ago=2)
    api = ApiCaller("workshop:read", "workshop:write", store=team.store)
    told = {"labor_operation_uid": str(line.uid), "is_quality": True, "fault": "异响", "assembly": "ENGINE"}
    assert api.post("fault-judgements", told).status_code == 201
    rows = api.get(f"statutory-warranty-counters?vehicle_uid={vehicle.uid}").json()["data"]
    assert [(row["article"], row["subject"], row["count"], row["limit"], row["sign"]) for row in rows] == [
        ("24(4)", "DAYS", 1, 30, "COUNTED"),
        ("24(1)", "", 0, 2, "COUNTED"),
        ("24(4)", "异响", 1, 4, "COUNTED"),
        ("24(2)", "ENGINE", 1, 2, "NEAR"),
    ]
