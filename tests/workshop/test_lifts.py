"""3.4, domain 3.7: a lift is looked at before the day's work and serviced each month; what is wrong stops it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import DAY, at, clock_at, make_agreed
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib, told
from workshop.lift_models import LiftPoint, LiftRound
from workshop.selectors.lifts import lifts
from workshop.services.clocking import clock_on
from workshop.services.lifts import record_round
from workshop.services.tools import check_tool
from workshop.tool_models import ToolAsset

pytestmark = pytest.mark.django_db


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def row_of(crib, tool):
    return next(row for row in lifts(crib.worker) if row.tool.pk == tool.pk)


def test_a_lift_is_looked_at_once_a_day_before_it_is_ready(nine):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30)
    assert (row_of(crib, lift).ready, row_of(crib, lift).today) == (False, None)
    made = record_round(uid=lift.uid, kind="DAILY", by=crib.worker)
    assert (made.done_on, made.wrong, made.done_by) == (DAY, [], crib.technician)
    assert row_of(crib, lift).ready
    with rule("lift.done"):
        record_round(uid=lift.uid, kind="DAILY", by=crib.worker)
    assert told(lift)[-1] == "lift_looked_at"
    with clock.moved_to(at(9, day=DAY + timedelta(days=1))):
        assert not row_of(crib, lift).ready
        record_round(uid=lift.uid, kind="DAILY", by=crib.worker)
    assert LiftRound.objects.filter(tool=lift).count() == 2


def test_what_is_wrong_stops_the_lift_until_a_test_passes(nine):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30)
    record_round(uid=lift.uid, kind="DAILY", by=crib.worker)
    record_round(uid=lift.uid, kind="DAILY", wrong=["LEAKS", "LOCKS"], note="左柱漏油", by=crib.worker)
    lift.refresh_from_db()
    assert (lift.state, lift.state_note) == ("OUT_OF_ORDER", "左柱漏油")
    assert not row_of(crib, lift).ready
    assert told(lift)[-1] == "lift_failed"
    check_tool(uid=lift.uid, done_on=DAY, result="PASSED", body="维修商", by=crib.techdirector)
    lift.refresh_from_db()
    assert lift.state == "AVAILABLE"


def test_the_monthly_service_is_due_a_month_later(nine):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30)
    assert row_of(crib, lift).late
    with pytest.raises(NotAllowed):
        record_round(uid=lift.uid, kind="MONTHLY", by=crib.worker)
    record_round(uid=lift.uid, kind="MONTHLY", by=crib.techdirector)
    due = row_of(crib, lift).due_on
    for days, late in ((0, False), (1, True)):
        with clock.moved_to(at(9, day=due + timedelta(days=days))):
            assert row_of(crib, lift).late is late


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("lift.kind", {"kind": "WEEKLY"}),
        ("lift.point", {"kind": "DAILY", "wrong": ["OIL"], "note": "缺油"}),
        ("lift.point", {"kind": "DAILY", "wrong": ["NONE"], "note": "?"}),
        ("lift.note", {"kind": "MONTHLY", "wrong": ["OIL"], "note": " "}),
    ],
)
def test_what_a_round_needs(nine, code, given):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30)
    before = History.objects.count()
    with rule(code):
        record_round(uid=lift.uid, by=crib.techdirector, **given)
    with rule("lift.none"):
        record_round(uid=crib.tool("JACK").uid, kind="DAILY", by=crib.worker)
    assert LiftRound.objects.count() == 0
    assert History.objects.filter(root_uid=lift.uid).count() <= before


INSERT = (
    "INSERT INTO workshop_liftround (uid, version, created_at, updated_at, store_id, tool_id, kind, done_on, wrong, note,"
    " done_by_id, at) SELECT gen_random_uuid(), 1, now(), now(), t.store_id, t.id, %s, %s, %s, '', t.keeper_id, now()"
    " FROM workshop_toolasset t WHERE t.id = %s"
)


def test_the_database_holds_it(nine, refused):
    crib = Crib()
    lift, jack = crib.tool("LIFT", tested=30), crib.tool("JACK")
    record_round(uid=lift.uid, kind="DAILY", by=crib.worker)
    for name, given in (
        ("liftround_of_lift", ["DAILY", DAY, [], jack.pk]),
        ("liftround_once", ["DAILY", DAY, [], lift.pk]),
        ("liftround_wrong_told", ["DAILY", DAY, ["LEAKS"], lift.pk]),
    ):
        with refused(name) as sql:
            sql(INSERT, given)
    for statement in ("UPDATE workshop_liftround SET note = 'x'", "DELETE FROM workshop_liftround"):
        with refused("liftround_append_only") as sql:
            sql(statement)


def test_one_tap_on_the_list_and_a_finding_on_the_page(nine):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30)
    client = client_of(crib.technician)
    page = client.get(reverse("lifts")).content.decode()
    assert lift.number in page
    address = reverse("tool-round", args=[lift.uid])
    assert f'action="{address}"' in page
    assert client.post(address, {"kind": "DAILY"}).status_code == 302
    assert f'action="{address}"' not in client.get(reverse("lifts")).content.decode()
    form = client.get(address).content.decode()
    offered = set(
        re.findall(r'name="wrong" value="([A-Z]+)"', form) or re.findall(r'value="([A-Z]+)"[^>]*name="wrong"', form)
    )
    assert LiftPoint.LEAKS in offered
    assert LiftPoint.OIL not in offered, "a technician makes the daily round"
    kept = client.post(address, {"kind": "DAILY", "wrong": ["LEAKS"], "note": ""})
    assert kept.status_code == 422
    assert client.post(address, {"kind": "DAILY", "wrong": ["LEAKS"], "note": "漏油"}).status_code == 302
    assert ToolAsset.objects.get(pk=lift.pk).state == "OUT_OF_ORDER"
    assert client.get(reverse("tool-round", args=[crib.tool("JACK").uid])).status_code == 200
    assert client_of(crib.floor.hire("cashier")).get(address).status_code == 403


def test_other_systems_write_a_round(nine):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30)
    caller = ApiCaller("workshop:write", "workshop:read", store=lift.store, acts_for=crib.technician.user)
    made = caller.post("lift-rounds", {"tool_uid": str(lift.uid), "kind": "DAILY"})
    assert (made.status_code, made.json()["wrong"]) == (201, [])
    problem(caller.post("lift-rounds", {"tool_uid": str(lift.uid), "kind": "DAILY"}), 409, "lift.done")
    assert len(caller.get(f"lift-rounds?tool_uid={lift.uid}").json()["data"]) == 1
    machine = ApiCaller("workshop:write", store=lift.store)
    problem(machine.post("lift-rounds", {"tool_uid": str(lift.uid), "kind": "DAILY"}), 409, "lift.person")


def test_a_bay_and_a_job_say_that_nobody_has_looked_at_the_lift(nine):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30, name="2 号举升机", place="2 号举升")
    _order, [line] = make_agreed(crib.floor, "BR-10")
    crib.floor.give(line, crib.technician, "2")
    foreman, phone = client_of(crib.floor.hire("foreman", name="孟工长")), client_of(crib.technician)
    round_page = f'href="/tools/{lift.uid}/round/"'
    assert english(foreman, "/plan/?day=2026-11-24").count(round_page) == 1
    assert round_page not in english(foreman, "/plan/?day=2026-11-25")
    assert "2 号举升机 isn't checked today" in unescape(english(phone, "/my-jobs/"))
    clock_on(line_uid=line.uid, by=crib.worker)  # never a block unless the setting says so
    record_round(uid=lift.uid, kind="DAILY", by=crib.worker)
    assert round_page not in english(foreman, "/plan/?day=2026-11-24")
    assert "isn't checked" not in unescape(english(phone, "/my-jobs/"))
