"""3.2: agreed work goes to an outside firm and back: sent, taken back, checked, billed; the guarantee stays the shop's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from delivery.selectors.margins import margin_of
from delivery.services.handovers import issue_gate_pass, scan_back, scan_out
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, make_order, make_team, make_visit, move_line
from tests.factories.kernel import make_actor
from tests.factories.reception import make_picture
from workshop.models import Clocking, LineHold, OrderLine
from workshop.selectors.orders import order_page
from workshop.selectors.sublets import sublet_list
from workshop.services import clocking, orders, sublets
from workshop.services.suppliers import enter_supplier
from workshop.sublet_models import SubletOrder

D = Decimal


@pytest.fixture
def team(db) -> SimpleNamespace:
    team = make_team()
    team.foreman = make_actor("foreman", store=team.store, name="方示例")
    return team


@pytest.fixture
def line(team: SimpleNamespace) -> OrderLine:
    return add_line(make_order(make_visit(team), team), description="缸盖磨平")


@pytest.fixture
def in_the_morning(line: OrderLine) -> Iterator[None]:
    """Ten o'clock of the day after the order: what is expected counts the shop's hours, whenever the test runs."""
    day = clock.today() + timedelta(days=1)
    with clock.moved_to(datetime(day.year, day.month, day.day, 10, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(UTC)):
        yield


def give(line: OrderLine, by: Actor, **facts) -> SubletOrder:
    given = {
        "supplier": "示例机加工厂", "work": "缸盖磨平并试压", "leaves": "PART", "item": "缸盖", "agreed_cost": D("380.00"),
        "expected_at": clock.now() + timedelta(hours=5),
    } | facts  # fmt: skip
    return sublets.order_sublet(line_uid=line.uid, by=by, **given)


def code_of(call, *args, **facts) -> str:
    before = (History.objects.count(), list(SubletOrder.objects.values()), list(OrderLine.objects.values()))
    with pytest.raises(RuleError) as refusal:
        call(*args, **facts)
    assert (History.objects.count(), list(SubletOrder.objects.values()), list(OrderLine.objects.values())) == before
    return refusal.value.code


def test_a_part_goes_out_comes_back_and_the_line_waits_meanwhile(team, line) -> None:
    row = give(line, team.foreman)
    assert (row.state, row.number[:2], row.times_sent) == ("ASKED", "WX", 0)
    assert code_of(give, line, team.foreman) == "sublet.open"
    row = sublets.send_sublet(uid=row.uid, by=team.foreman)
    line.refresh_from_db()
    hold = line.holds.get()
    assert (line.state, hold.cause, hold.ended_at, row.times_sent) == ("IN_PROGRESS", "SUBLET", None, 1)
    assert code_of(clocking.finish_line, line_uid=line.uid, by=team.foreman) == "sublet.unfinished"
    assert code_of(orders.withdraw_line, line_uid=line.uid, reason="不做", by=team.advisor) == "sublet.out"
    sublets.take_back_sublet(uid=row.uid, by=team.foreman)
    assert code_of(sublets.check_sublet, uid=row.uid, ok=False, by=team.foreman) == "sublet.findings"
    row = sublets.check_sublet(uid=row.uid, ok=False, findings="平面度超差 0.08 mm", by=team.foreman)
    assert (row.state, row.findings) == ("NOT_OK", "平面度超差 0.08 mm")
    assert code_of(clocking.finish_line, line_uid=line.uid, by=team.foreman) == "sublet.unfinished"
    assert sublets.send_sublet(uid=row.uid, by=team.foreman).times_sent == 2
    sublets.take_back_sublet(uid=row.uid, by=team.foreman)
    row = sublets.check_sublet(uid=row.uid, ok=True, by=team.foreman)
    assert row.state == "ACCEPTED"
    assert LineHold.objects.filter(ended_at__isnull=True).count() == 0
    clocking.finish_line(line_uid=line.uid, by=team.foreman)  # nobody of ours was clocked on
    line.refresh_from_db()
    assert line.state == "COMPLETED"
    codes = History.objects.filter(root_uid=row.uid).order_by("id").values_list("code", flat=True)
    assert [code.split(".")[-1] for code in codes] == [
        "ordered", "sent", "back", "rejected", "sent", "back", "accepted",
    ]  # fmt: skip


def test_only_agreed_work_is_given_out_by_who_may(team, line) -> None:
    asked = add_line(line.order, state="DRAFT")
    assert code_of(give, asked, team.foreman) == "sublet.not_agreed"
    assert code_of(give, line, team.foreman, supplier=" ") == "sublet.supplier"
    assert code_of(give, line, team.foreman, work="") == "sublet.work"
    assert code_of(give, line, team.foreman, leaves="KEY") == "sublet.leaves"
    assert code_of(give, line, team.foreman, item="") == "sublet.item"
    assert code_of(give, line, team.foreman, leaves="CAR") == "sublet.item"
    assert code_of(give, line, team.foreman, agreed_cost=D(-1)) == "sublet.cost"
    assert code_of(give, line, team.foreman, expected_at=clock.now()) == "sublet.past"
    with pytest.raises(NotAllowed):
        give(line, team.technician)
    row = give(line, team.foreman)
    with pytest.raises(NotAllowed):
        sublets.send_sublet(uid=row.uid, by=team.inspector)
    with pytest.raises(SubletOrder.DoesNotExist):
        sublets.send_sublet(uid=row.uid, by=make_actor("foreman", store=make_team().store))


def test_a_withdrawn_line_gives_up_what_has_not_gone_out(team, line) -> None:
    row = give(line, team.foreman)
    orders.withdraw_line(line_uid=line.uid, reason="客户不做", by=team.advisor)
    row.refresh_from_db()
    assert (row.state, bool(row.ended_reason)) == ("CANCELLED", True)


def test_giving_up_needs_a_reason_and_frees_the_line(team, line) -> None:
    row = give(line, team.foreman)
    assert code_of(sublets.cancel_sublet, uid=row.uid, reason=" ", by=team.foreman) == "sublet.reason"
    sublets.cancel_sublet(uid=row.uid, reason="厂家停业", by=team.foreman)
    again = give(line, team.foreman, supplier="另一家示例厂")
    sublets.send_sublet(uid=again.uid, by=team.foreman)
    assert code_of(sublets.cancel_sublet, uid=again.uid, reason="不做了", by=team.foreman) == "state.move"


def test_the_day_feeds_the_promise_and_late_ones_are_listed(team, line, in_the_morning) -> None:
    order = line.order
    order.refresh_from_db()
    order.promised_at = clock.now() + timedelta(hours=6)
    order.save()
    row = give(line, team.foreman)
    page = order_page(order.uid, team.advisor)
    assert (page.expected_at, page.late) == (row.expected_at, False)
    moved = clock.now() + timedelta(hours=8)
    sublets.change_sublet_day(uid=row.uid, expected_at=moved, by=team.foreman)
    assert code_of(sublets.change_sublet_day, uid=row.uid, expected_at=moved, by=team.foreman) == "sublet.same"
    page = order_page(order.uid, team.advisor)
    assert (page.expected_at, page.late) == (moved, True)
    assert (sublet_list(team.foreman, show="late").rows, sublet_list(team.foreman, show="open").late) == ([], 0)
    with clock.moved_to(moved + timedelta(minutes=1)):
        assert sublet_list(team.foreman, show="late").rows == [row]


def test_the_car_leaves_by_its_gate_pass_only(team, line) -> None:
    visit = line.order.visit
    pass_for = {"visit_uid": visit.uid, "kind": "SUBLET", "reason": "去示例厂做四轮", "by": team.advisor}
    assert code_of(issue_gate_pass, **pass_for) == "gatepass.sublet"
    give(add_line(line.order, description="打磨"), team.foreman)  # a part's outside work lets no car out
    assert code_of(issue_gate_pass, **pass_for) == "gatepass.sublet"
    row = give(line, team.foreman, leaves="CAR", item="")
    assert code_of(sublets.send_sublet, uid=row.uid, by=team.foreman) == "sublet.gate"
    out = issue_gate_pass(**pass_for)
    scan_out(code=out.code, by=team.receptionist)
    row.refresh_from_db()
    assert (row.state, row.times_sent) == ("SENT", 1)
    assert code_of(sublets.take_back_sublet, uid=row.uid, by=team.foreman) == "sublet.gate"
    scan_back(code=out.code, by=team.receptionist)
    row.refresh_from_db()
    assert (row.state, row.back_at is None) == ("BACK", False)
    sublets.check_sublet(uid=row.uid, ok=True, by=team.inspector)


def test_the_bill_says_why_it_differs_and_stands_in_the_margin(team, line) -> None:
    before = margin_of(line.order)
    row = give(line, team.foreman)
    assert margin_of(line.order).margin == before.margin - 380
    assert code_of(sublets.bill_sublet, uid=row.uid, final_cost=D(380), by=team.foreman) == "sublet.not_accepted"
    sublets.send_sublet(uid=row.uid, by=team.foreman)
    sublets.take_back_sublet(uid=row.uid, by=team.foreman)
    sublets.check_sublet(uid=row.uid, ok=True, by=team.foreman)
    assert code_of(sublets.bill_sublet, uid=row.uid, final_cost=D(450), by=team.foreman) == "sublet.cost_reason"
    assert sublet_list(team.foreman, show="unbilled").rows == [row]
    bill = make_picture()
    row = sublets.bill_sublet(
        uid=row.uid, final_cost=D(450), reason="多磨一道", bill_number="2026-18", bill=bill, by=team.foreman
    )
    assert (row.final_cost, row.cost, row.bill is None) == (D(450), D(450), False)
    assert code_of(sublets.bill_sublet, uid=row.uid, final_cost=D(450), by=team.foreman) == "sublet.billed"
    after = margin_of(line.order)
    assert (after.outside, after.margin) == (D(450), before.margin - 450)


def test_what_the_shop_bears_earns_nothing(team, line) -> None:
    paid = margin_of(line.order)
    add_line(line.order, pay_type="INTERNAL")
    both = margin_of(line.order)
    assert (both.borne, both.margin) == (paid.revenue, paid.margin)


INSERT = (
    "INSERT INTO workshop_subletorder (uid, version, created_at, updated_at, store_id, number, line_id, firm_id, supplier, work,"
    " leaves, item, agreed_cost, state, asked_at, expected_at, times_sent, findings, cost_reason, bill_number,"
    " ended_reason) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s,"
    " (SELECT max(id) FROM workshop_supplier), 'x', 'x', 'PART', %s, 1, %s, now(), now(), 0,"
    " '', '', '', '')"
)


def test_the_database_keeps_the_rules(team, line, refused) -> None:
    asked = add_line(line.order, state="DRAFT")
    enter_supplier(name="示例机加工厂", kind="WORK", by=team.foreman)
    with refused("subletorder_of_agreed_work") as sql:
        sql(INSERT, [team.store.pk, "WX-1", asked.pk, "x", "ASKED"])
    with refused("subletorder_of_agreed_work") as sql:  # of another store
        sql(INSERT, [make_team().store.pk, "WX-1", line.pk, "x", "ASKED"])
    with refused("subletorder_item") as sql:
        sql(INSERT, [team.store.pk, "WX-1", line.pk, "", "ASKED"])
    with refused("subletorder_moves") as sql:
        sql(INSERT, [team.store.pk, "WX-1", line.pk, "x", "SENT"])
    row = give(line, team.foreman)
    with refused("subletorder_one_open") as sql:
        sql(INSERT, [team.store.pk, "WX-1", line.pk, "x", "ASKED"])
    for statement, name in (
        ("UPDATE workshop_subletorder SET state = 'SENT' WHERE id = %s", "subletorder_sent"),
        ("UPDATE workshop_subletorder SET agreed_cost = 9 WHERE id = %s", "subletorder_fixed"),
        ("UPDATE workshop_subletorder SET state = 'ACCEPTED' WHERE id = %s", "subletorder_moves"),
        ("UPDATE workshop_subletorder SET state = 'CANCELLED' WHERE id = %s", "subletorder_given_up"),
        ("DELETE FROM workshop_subletorder WHERE id = %s", "subletorder_never_deleted"),
    ):
        with refused(name) as sql:
            sql(statement, [row.pk])
    move_line(line, "IN_PROGRESS")
    for state in ("COMPLETED", "WITHDRAWN"):
        with refused("orderline_outside_work_first") as sql:
            sql("UPDATE workshop_orderline SET state = %s, completed_at = now() WHERE id = %s", [state, line.pk])
    with refused("orderline_outside_work_first") as sql:
        sql("UPDATE workshop_orderline SET settled = true WHERE id = %s", [line.pk])
    sublets.send_sublet(uid=row.uid, by=team.foreman)
    sublets.take_back_sublet(uid=row.uid, by=team.foreman)
    with refused("subletorder_checked") as sql:
        sql("UPDATE workshop_subletorder SET state = 'NOT_OK', checked_at = now() WHERE id = %s", [row.pk])
    with refused("subletorder_bill") as sql:
        sql("UPDATE workshop_subletorder SET final_cost = 1, billed_at = now() WHERE id = %s", [row.pk])
    sublets.check_sublet(uid=row.uid, ok=True, by=team.foreman)
    with refused("subletorder_bill") as sql:  # another sum without a reason
        sql("UPDATE workshop_subletorder SET final_cost = 1, billed_at = now() WHERE id = %s", [row.pk])
    sublets.bill_sublet(uid=row.uid, final_cost=D(380), by=team.foreman)
    with refused("subletorder_bill_stands") as sql:
        sql("UPDATE workshop_subletorder SET final_cost = 9, cost_reason = 'x' WHERE id = %s", [row.pk])


def test_nobody_works_on_a_car_that_is_at_a_firm(team, line, refused) -> None:
    row = give(line, team.foreman, leaves="CAR", item="")
    person = team.people["technician"]
    begun = clock.now() - timedelta(minutes=5)
    busy = Clocking.objects.create(store=person.store, employee=person, line=line, started_at=begun)
    gone = "UPDATE workshop_subletorder SET state = 'SENT', sent_at = now(), times_sent = 1 WHERE id = %s"
    with refused("subletorder_nobody_works") as sql:
        sql(gone, [row.pk])
    with refused("gatepass_comes_back"):
        issue_gate_pass(visit_uid=line.order.visit.uid, kind="SUBLET", reason="去外厂", by=team.advisor)
    busy.ended_at = clock.now()
    busy.save()
    out = issue_gate_pass(visit_uid=line.order.visit.uid, kind="SUBLET", reason="去外厂", by=team.advisor)
    scan_out(code=out.code, by=team.receptionist)
    other = add_line(line.order, state="IN_PROGRESS")
    with refused("clocking_car_not_at_a_firm") as sql:
        sql(
            "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, store_id, employee_id, line_id, started_at,"
            " pause_cause, corrected_reason, pause_note, left_open) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s,"
            " now(), '', '', '', false)",
            [team.store.pk, team.people["technician"].pk, other.pk],
        )


def test_the_pages_lead_from_the_order_to_the_bill(team, line, client: Client) -> None:
    client.force_login(make_actor("foreman", store=team.store).user)
    order = reverse("order-detail", args=[line.order.uid])
    new = reverse("sublet-new", args=[line.order.uid])
    assert new in client.get(order).content.decode()
    back = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    sent = {
        "line_uid": str(line.uid), "supplier": "示例机加工厂", "work": "缸盖磨平", "leaves": "PART", "item": "",
        "agreed_cost": "380", "expected_at": back, "new_supplier": "on",
    }  # fmt: skip
    wrong = client.post(new, sent)
    assert (wrong.status_code, "示例机加工厂" in wrong.content.decode()) == (422, True)
    made = client.post(new, sent | {"item": "缸盖"})
    row = SubletOrder.objects.get()
    assert made["Location"] == reverse("sublet", args=[row.uid])
    assert "示例机加工厂" in client.get(order).content.decode()
    assert row.number in client.get(reverse("sublets")).content.decode()
    for step in ("sublet-send", "sublet-back"):
        assert client.post(reverse(step, args=[row.uid])).status_code == 302
    check = reverse("sublet-check", args=[row.uid])
    assert client.post(check, {"ok": "no", "findings": ""}).status_code == 422
    assert client.post(check, {"ok": "yes", "findings": ""}).status_code == 302
    photo = SimpleUploadedFile("bill.jpg", make_picture(), content_type="image/jpeg")
    bill = {"final_cost": "380", "bill_number": "18", "reason": "", "bill": photo}
    assert client.post(reverse("sublet-bill", args=[row.uid]), bill).status_code == 302
    page = client.get(reverse("sublet", args=[row.uid])).content.decode()
    picture = reverse("sublet-bill-picture", args=[row.uid])
    assert picture in page
    assert client.get(picture)["Content-Type"] == "image/jpeg"
    assert row.number in client.get(reverse("sublets") + "?show=ended").content.decode()


def test_only_who_may_see_costs_sees_the_margin(team, line, client: Client) -> None:
    url = reverse("order-detail", args=[line.order.uid])
    for post, seen in (("manager", True), ("advisor", False)):
        client.force_login(make_actor(post, store=team.store).user)
        assert ("工资前毛利" in client.get(url).content.decode()) is seen


def test_over_the_api(team, line) -> None:
    api = ApiCaller("workshop:read", "workshop:write", store=team.store, acts_for=team.foreman.user)
    body = {
        "labor_operation_uid": str(line.uid), "supplier": "示例厂", "work": "磨平", "leaves": "PART", "item": "缸盖",
        "agreed_cost": "380.00", "expected_at": (clock.now() + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    made = api.post("sublet-orders", body)
    assert made.status_code == 201, made.content
    path = f"sublet-orders/{made.json()['uid']}"
    assert problem(api.post("sublet-orders", body), 409, "sublet.open")
    assert api.act(path, "send").status_code == 200
    assert api.act(path, "take-back").status_code == 200
    assert api.act(path, "check", {"ok": True}).status_code == 200
    assert api.act(path, "bill", {"final_cost": "380.00"}).json()["final_cost"] == "380.00"
