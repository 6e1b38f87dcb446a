"""3.2, 6.1: a line is given to several people with shares that add up to 100, and its hours are earned by them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client

from dealership.kernel.errors import RuleError
from dealership.kernel.models import History
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.workshop.test_labour_figures import counted
from workshop.models import Dispatch
from workshop.services import clocking, dispatch, shares
from workshop.share_rules import Held, divide, equal_parts, in_proportion, without


def held(line) -> dict[str, int]:
    rows = Dispatch.objects.filter(line=line, live=True).order_by("pk")
    return {row.technician.name: row.share for row in rows}


@pytest.fixture
def floor(db):
    with clock_at(8, 50):
        yield make_floor()


def test_parts_are_whole_and_add_up():
    for count in range(1, 12):
        assert sum(equal_parts(count)) == 100
        assert max(equal_parts(count)) - min(equal_parts(count)) <= 1
    assert in_proportion([70, 30, 0]) == [70, 30, 0]
    assert in_proportion([1, 1, 1]) == [34, 33, 33]
    assert in_proportion([0, 0], 40) == [20, 20]
    assert divide([1, 2], Held(), {1: 101}) is None
    assert divide([1, 2], Held(), {1: 60, 2: 30}) is None
    assert divide([1, 2, 3], Held({1: 50, 2: 50}), {3: 40}) == Held({1: 30, 2: 30, 3: 40}, by_hand=True)
    assert divide([2, 3], Held({1: 70, 2: 30}, by_hand=True), {}) == Held({2: 30, 3: 70}, by_hand=True)
    assert divide([1, 2, 3], Held({1: 70, 2: 30}, by_hand=True), {}) == Held({1: 34, 2: 33, 3: 33})
    assert without(Held({1: 60, 2: 30, 3: 10}, by_hand=True), [2, 3]) == Held({2: 75, 3: 25}, by_hand=True)
    assert without(Held({1: 50, 2: 50}), [2]) == Held({2: 100})


def test_any_line_is_given_to_several_in_equal_parts_or_as_said(floor):
    one, two, three = floor.technician("甲试"), floor.technician("乙试"), floor.technician("丙试")
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, one)
    assert held(line) == {"甲试": 100}
    with pytest.raises(RuleError, match="100"):
        floor.give(line, two, share=120)
    floor.give(line, two, share=40)
    assert held(line) == {"甲试": 60, "乙试": 40}
    made = floor.give(line, three)
    assert held(line) == {"甲试": 34, "乙试": 33, "丙试": 33}
    dispatch.take_back_dispatch(uid=made.uid, reason="另有急件", by=floor.foreman)
    assert held(line) == {"甲试": 50, "乙试": 50}


def test_what_was_said_moves_with_the_work_and_passes_to_who_comes_instead(floor):
    one, two, three = floor.technician("甲试"), floor.technician("乙试"), floor.technician("丙试")
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, one, second_uid=two.uid, share=70)
    moved = dispatch.move_dispatch(
        uid=Dispatch.objects.get(line=line, live=True, technician=one).uid, starts_at=at(14), by=floor.foreman
    )
    assert held(line) == {"甲试": 70, "乙试": 30}
    dispatch.move_dispatch(uid=moved.uid, technician_uid=three.uid, by=floor.foreman)
    assert held(line) == {"丙试": 70, "乙试": 30}


def test_the_foreman_divides_the_hours_with_a_reason_and_they_are_earned_so(floor):
    one, two = floor.technician("甲试"), floor.technician("乙试")
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, one, second_uid=two.uid)
    for person in (one, two):
        with clock_at(9):
            clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10):
        clocking.clock_off(pause_cause="BREAK", by=actor(two))
    with clock_at(12):
        clocking.finish_line(line_uid=line.uid, cause="磨到极限", correction="已更换", by=actor(one))
    with clock_at(17, 31):
        assert counted(floor, str(one.uid))[0] == (round(line.hours / 2, 2), Decimal(3)), "shares, not clocked time"
        given = {"line_uid": line.uid, "by": floor.foreman}
        before = (held(line), History.objects.count())
        with rule("dispatch.reason"):
            shares.set_shares(**given, shares={one.uid: 80, two.uid: 20}, reason=" ")
        with rule("dispatch.shares"):
            shares.set_shares(**given, shares={one.uid: 80, two.uid: 30}, reason="主修")
        with rule("dispatch.shares_people"):
            shares.set_shares(**given, shares={one.uid: 100}, reason="主修")
        assert before == (held(line), History.objects.count())
        shares.set_shares(**given, shares={one.uid: 80, two.uid: 20}, reason="主修")
        assert held(line) == {"甲试": 80, "乙试": 20}
        assert History.objects.filter(code="workshop.dispatch.shared").count() == 2
        assert counted(floor, str(two.uid))[0] == (round(line.hours / 5, 2), Decimal(1))
        assert counted(floor)[0] == (line.hours, Decimal(4))


def test_who_never_came_earns_nothing_and_who_helped_unplanned_earns_by_time(floor):
    one, two, helper = floor.technician("甲试"), floor.technician("乙试"), floor.technician("丙试")
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, one, second_uid=two.uid)
    with clock_at(9):
        clocking.clock_on(line_uid=line.uid, by=actor(one))
        clocking.clock_on(line_uid=line.uid, employee_uid=helper.uid, by=floor.foreman)
    with clock_at(10):
        clocking.clock_off(employee_uid=helper.uid, pause_cause="BREAK", by=floor.foreman)
    with clock_at(12):
        clocking.finish_line(line_uid=line.uid, cause="磨到极限", correction="已更换", by=actor(one))
    assert held(line) == {"甲试": 100, "乙试": 0}
    with clock_at(17, 31):
        assert counted(floor, str(helper.uid))[0] == (round(line.hours / 4, 2), Decimal(1))
        assert counted(floor, str(one.uid))[0] == (round(line.hours * 3 / 4, 2), Decimal(3))


def test_the_database_adds_up_and_holds_what_is_settled(floor, refused):
    one, two = floor.technician("甲试"), floor.technician("乙试")
    _order, [line] = make_agreed(floor, "BR-10")
    first = floor.give(line, one, second_uid=two.uid)
    with refused("dispatch_shares_add_up") as sql:
        sql("UPDATE workshop_dispatch SET share = 60 WHERE id = %s", [first.pk])
    with refused("dispatch_shares_add_up") as sql:
        sql("UPDATE workshop_dispatch SET live = false WHERE id = %s", [first.pk])
    with refused("dispatch_share") as sql:
        sql("UPDATE workshop_dispatch SET share = 101 WHERE id = %s", [first.pk])
    both = "UPDATE workshop_dispatch SET share = CASE WHEN id = %s THEN 60 ELSE 40 END{} WHERE line_id = %s AND live"
    with connection.cursor() as cursor:
        cursor.execute(both.format(""), [first.pk, line.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(both.format("").replace("60", "50").replace("40", "50"), [first.pk, line.pk])
    for person in (one, two):
        with clock_at(9):
            clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(12):
        clocking.finish_line(line_uid=line.uid, cause="磨到极限", correction="已更换", by=actor(one))
    with refused("dispatch_share_with_reason") as sql:
        sql(both.format(""), [first.pk, line.pk])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE workshop_orderline SET state = 'INSPECTED' WHERE id = %s",
            [line.pk],
        )
        cursor.execute("UPDATE workshop_orderline SET settled = true WHERE id = %s", [line.pk])
    with refused("dispatch_share_settled") as sql:
        sql(both.format(", share_reason = '主修'"), [first.pk, line.pk])
    with rule("dispatch.settled"):
        shares.set_shares(line_uid=line.uid, shares={one.uid: 60, two.uid: 40}, reason="主修", by=floor.foreman)


def test_shares_are_asked_shown_and_changed_on_the_pages(floor):
    one, two = floor.technician("甲试"), floor.technician("乙试")
    order, [line] = make_agreed(floor, "BR-10")
    client = Client()
    client.force_login(floor.foreman.user)
    asked = {
        "technician": str(one.uid), "second": str(two.uid), "share": "60", "bay": str(floor.bays["2"].uid),
        "starts_at": "2026-11-24T09:00",
    }  # fmt: skip
    wrong = client.post(f"/plan/lines/{line.uid}/", asked | {"share": "160"})
    assert (wrong.status_code, held(line)) == (422, {})
    assert client.post(f"/plan/lines/{line.uid}/", asked).status_code == 302
    assert held(line) == {"甲试": 60, "乙试": 40}
    plan = client.get("/plan/?day=2026-11-24").content.decode()
    assert "60/40 %" in plan
    page = client.get(f"/orders/{order.uid}/").content.decode()
    assert f"/plan/lines/{line.uid}/shares/" in page
    assert " · 40 %" in page
    sent = {f"share-{one.uid}": "30", f"share-{two.uid}": "60", "reason": "主修换人"}
    refused = client.post(f"/plan/lines/{line.uid}/shares/", sent)
    assert (refused.status_code, held(line)) == (422, {"甲试": 60, "乙试": 40})
    assert 'value="30"' in refused.content.decode(), "what was typed is kept"
    assert client.post(f"/plan/lines/{line.uid}/shares/", sent | {f"share-{two.uid}": "70"}).status_code == 302
    assert held(line) == {"甲试": 30, "乙试": 70}
    assert "主修换人" in client.get(f"/orders/{order.uid}/").content.decode()
    mine = Client()
    mine.force_login(two.user)
    assert "工时占比 70%" in mine.get("/my-jobs/").content.decode()
    move = Dispatch.objects.get(line=line, live=True, technician=one)
    again = asked | {"share": "30", "replaces": str(move.uid), "starts_at": "2026-11-24T14:00"}
    assert client.post(f"/plan/{move.uid}/", again).status_code == 302
    assert held(line) == {"甲试": 30, "乙试": 70}
