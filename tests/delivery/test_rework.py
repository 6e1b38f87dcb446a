"""Cars that come back within the guarantee of our work: evidence, verdict, cost, second failure (3.2)."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import LaborRate
from dealership.kernel import clock, limits, outbox
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Setting
from dealership.kernel.services import actor_of
from dealership.process.models import KpiTouchedDay, KpiValue
from dealership.process.services.rollup import recompute_day, touch_other_days
from delivery.models import Handover
from delivery.rework_models import ReworkCase
from delivery.selectors.rework import covered_lines
from delivery.services import rework
from delivery.services.handovers import issue_gate_pass, scan_out
from delivery.tasks import accept_unshown_reworks
from reception.models import Vehicle, Visit
from tests.delivery.test_handovers import leave, pay, settle
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import inspect, make_employee, make_ready, make_team, make_visit, move_line
from tests.factories.kernel import make_user
from tests.factories.reception import rule
from workshop.models import OrderLine, RepairOrder
from workshop.services.orders import open_repair_order, withdraw_order

pytestmark = pytest.mark.django_db
FOUND = {"findings": "机油滤清器未拧紧，接口渗油"}


def crew() -> SimpleNamespace:
    """A team whose shop has a price for its own work."""
    team = make_team()
    LaborRate.objects.create(
        store=team.store, pay_type="INTERNAL", rate=Decimal(90), starts_on=clock.today() - timedelta(days=1)
    )
    return team


def change(key: str, value: int) -> None:
    Setting.objects.create(key=key, value=value, starts_on=clock.today() - timedelta(days=1))
    limits.forget()


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    limits.forget()
    yield
    limits.forget()


def make_judge(team: SimpleNamespace) -> Any:
    user = make_user("techdirector", store=team.store)
    make_employee(team.store, user)
    return actor_of(user, team.store)


def go_out(order: RepairOrder, team: SimpleNamespace, km: int = 50012) -> None:
    leave(order.visit, team, odometer_km=km)
    gate = issue_gate_pass(visit_uid=order.visit.uid, kind="DELIVERED", by=team.advisor)
    scan_out(code=gate.code, by=team.receptionist)


def done_before(team: SimpleNamespace, **line: Any) -> OrderLine:
    """A piece of work that was settled, paid and driven off with at 50,012 km."""
    order = make_ready(team, **line)
    settle(order, team)
    pay(order, team)
    go_out(order, team)
    return order.lines.get()


def back(line: OrderLine, team: SimpleNamespace, km: int = 50400) -> Visit:
    """The car stands in the shop again."""
    visit = make_visit(team, vehicle=line.order.vehicle, customer=line.order.customer)
    Visit.objects.filter(pk=visit.pk).update(odometer_in_km=km)
    visit.refresh_from_db()
    return visit


def claim(line: OrderLine, visit: Visit, team: SimpleNamespace) -> ReworkCase:
    return rework.open_rework(visit_uid=visit.uid, line_uid=line.uid, complaint="机油又漏了", by=team.advisor)


def mended(case: ReworkCase, team: SimpleNamespace, km: int) -> ReworkCase:
    """Mended on its rework order, settled at nothing, handed over."""
    rework.start_rework(uid=case.uid, by=team.advisor)
    finish(case, team, km)
    outbox.drain()
    case.refresh_from_db()
    return case


def finish(case: ReworkCase, team: SimpleNamespace, km: int) -> None:
    """The work of a rework order that is open, up to the gate."""
    case.refresh_from_db()
    assert case.order is not None
    line = case.order.lines.get()
    line.authorized_amount = Decimal(0)
    line.cause, line.correction = "滤清器未拧紧", "按力矩拧紧"
    move_line(line, "INSPECTED")
    inspect(case.order, team)
    case.order.refresh_from_db()
    settle(case.order, team)
    go_out(case.order, team, km)


def test_a_return_within_the_guarantee_is_ours_mended_free_of_charge_and_covered_anew() -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team, category="SPECIAL")
    visit = back(line, team)
    case = claim(line, visit, team)
    today = clock.today(team.store.time_zone)
    assert (case.attempt, case.state, case.until, case.until_km) == (1, "OPEN", today + timedelta(days=10), 52012)
    zone = ZoneInfo(team.store.time_zone)
    assert case.evidence_due_at == datetime.combine(today + timedelta(days=4), time(), zone)  # the third day's end
    case = rework.judge_rework(uid=case.uid, cause="WORKMANSHIP", by=judge, **FOUND)
    assert (case.state, case.bearer, case.judged_by) == ("ACCEPTED", "SHOP", judge.user)
    case = mended(case, team, 50500)
    assert case.state == "MENDED"
    assert case.order is not None
    settlement = case.order.settlements.get()
    assert (case.order.kind, case.order.original, settlement.total) == ("REWORK", line.order, Decimal(0))
    assert (settlement.guarantee_days, settlement.guarantee_km) == (10, 2000)
    [covered] = covered_lines(Vehicle.objects.get(pk=case.vehicle_id), team.advisor)
    assert (covered.line, covered.mended, covered.km, covered.running) == (line, 1, 52500, True)
    codes = History.objects.filter(root_uid=case.uid).order_by("id").values_list("code", flat=True)
    assert [code.rsplit(".", 1)[1] for code in codes] == ["opened", "accepted", "started", "mended"]


def test_after_two_repairs_of_ours_another_repairer_mends_it_at_our_cost(refused: Any) -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    first = claim(line, back(line, team), team)
    rework.judge_rework(uid=first.uid, cause="DIAGNOSIS", by=judge, **FOUND)
    mended(first, team, 50500)
    case = claim(line, back(line, team, 50700), team)
    assert (case.attempt, case.goes_out) == (2, True)
    rework.judge_rework(uid=case.uid, cause="PART", bearer="SUPPLIER", by=judge, **FOUND)
    before = RepairOrder.objects.count()
    with rule("rework.other_repairer"):
        rework.start_rework(uid=case.uid, by=team.advisor)
    with rule("rework.repairer"):
        rework.send_rework_out(uid=case.uid, repairer=team.store.name, by=judge)
    assert RepairOrder.objects.count() == before
    ours = open_repair_order(
        visit_uid=case.visit.uid, complaint="又漏油", kind="REWORK", original_uid=line.order.uid, with_diagnosis=False,
        by=team.advisor,
    )  # fmt: skip
    with refused("reworkcase_other_repairer") as run:
        run("UPDATE delivery_reworkcase SET order_id = %s WHERE id = %s", [ours.pk, case.pk])
    with refused("reworkcase_other_repairer") as run:
        run("UPDATE delivery_reworkcase SET repairer = %s WHERE id = %s", [f" {team.store.name} ", case.pk])
    with refused("reworkcase_fixed") as run:
        run("UPDATE delivery_reworkcase SET attempt = 1 WHERE id = %s", [case.pk])
    rework.send_rework_out(uid=case.uid, repairer="城东示例修理厂", by=judge)
    case = rework.pay_rework(uid=case.uid, amount=Decimal("380.00"), paper="F-1001", by=judge)
    assert (case.state, case.outside_amount, case.bearer) == ("PAID_OUT", Decimal("380.00"), "SUPPLIER")


def test_the_days_for_evidence_are_a_setting() -> None:
    team = crew()
    line = done_before(team)
    change("delivery.rework_evidence_days", 5)
    case = claim(line, back(line, team), team)
    assert case.evidence_due_at - case.claimed_at > timedelta(days=5)


def test_without_another_cause_within_the_days_it_is_ours(refused: Any) -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    case = claim(line, back(line, team), team)
    assert accept_unshown_reworks() == 0
    with clock.moved_to(case.evidence_due_at):
        with rule("rework.late"):
            rework.judge_rework(uid=case.uid, cause="USE", findings="底盘有撞痕", by=judge)
        with refused("reworkcase_evidence") as run:
            run(
                "UPDATE delivery_reworkcase SET state = 'REFUSED', cause = 'USE', findings = 'x', bearer = 'CUSTOMER',"
                " judged_at = evidence_due_at WHERE id = %s", [case.pk],
            )  # fmt: skip
        assert (accept_unshown_reworks(), accept_unshown_reworks()) == (1, 0)
    case.refresh_from_db()
    assert (case.state, case.cause, case.bearer, case.judged_by) == ("ACCEPTED", "NO_EVIDENCE", "SHOP", None)


def test_another_cause_shown_in_time_ends_it() -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    case = claim(line, back(line, team), team)
    with clock.moved_to(case.evidence_due_at - timedelta(seconds=1)):
        case = rework.judge_rework(uid=case.uid, cause="ACCIDENT", findings="底盘有撞痕", by=judge)
    assert (case.state, case.bearer) == ("REFUSED", "CUSTOMER")
    with rule("state.move"):
        rework.start_rework(uid=case.uid, by=team.advisor)


def test_refusals_write_nothing(refused: Any) -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    far = back(line, team, 52013)
    words = {"line_uid": line.uid, "complaint": "漏油"}
    with rule("rework.over"):  # one kilometre past the guarantee
        rework.open_rework(visit_uid=far.uid, by=team.advisor, **words)
    visit = far
    Visit.objects.filter(pk=visit.pk).update(odometer_in_km=52012)
    with clock.moved_to(clock.now() + timedelta(days=11)), rule("rework.over"):
        rework.open_rework(visit_uid=visit.uid, by=team.advisor, **words)
    with rule("rework.complaint"):
        rework.open_rework(visit_uid=visit.uid, line_uid=line.uid, complaint=" ", by=team.advisor)
    with rule("rework.visit"):
        rework.open_rework(visit_uid=line.order.visit.uid, by=team.advisor, **words)
    with pytest.raises(NotAllowed):
        rework.open_rework(visit_uid=visit.uid, by=team.technician, **words)
    assert ReworkCase.objects.count() == 0
    case = rework.open_rework(visit_uid=visit.uid, by=team.advisor, **words)  # the last kilometre counts
    before = History.objects.count()
    for code, command, by, given in (
        ("rework.running", rework.open_rework, team.advisor, {"visit_uid": visit.uid, **words}),
        ("rework.cause", rework.judge_rework, judge, {"uid": case.uid, "cause": "NO_EVIDENCE", "findings": "x"}),
        ("rework.findings", rework.judge_rework, judge, {"uid": case.uid, "cause": "USE", "findings": " "}),
        (
            "rework.bearer",
            rework.judge_rework,
            judge,
            {"uid": case.uid, "cause": "PART", "bearer": "CUSTOMER", **FOUND},
        ),
        ("state.move", rework.start_rework, team.advisor, {"uid": case.uid}),
        ("state.move", rework.send_rework_out, judge, {"uid": case.uid, "repairer": "别家"}),
        ("rework.reason", rework.withdraw_rework, team.advisor, {"uid": case.uid, "reason": " "}),
        ("rework.amount", rework.pay_rework, judge, {"uid": case.uid, "amount": Decimal(-1), "paper": "F"}),
        ("rework.paper", rework.pay_rework, judge, {"uid": case.uid, "amount": Decimal(1), "paper": " "}),
    ):
        with rule(code):
            command(by=by, **given)
    with pytest.raises(NotAllowed):
        rework.judge_rework(uid=case.uid, cause="PART", by=team.advisor, **FOUND)
    assert History.objects.count() == before
    columns = (
        "uid, version, created_at, updated_at, store_id, line_id, vehicle_id, visit_id, handover_id, attempt, complaint, "
        "claimed_at, claimed_on, odometer_km, out_on, out_km, until, until_km, evidence_due_at, state, cause, findings, "
        "bearer, repairer, outside_paper, ended_reason"
    )
    for name, column, value in (
        ("reworkcase_counted", "attempt", "2"),
        ("reworkcase_of_our_work", "odometer_km", "1"),
        ("reworkcase_in_period", "claimed_on", "until + 1"),
        ("reworkcase_moves", "state", "'MENDED'"),
    ):
        picked = columns.replace("uid,", "gen_random_uuid(),", 1).replace(f" {column},", f" {value},", 1)
        with refused(name) as run:
            run(
                f"INSERT INTO delivery_reworkcase ({columns}) SELECT {picked} FROM delivery_reworkcase WHERE id = %s",
                [case.pk],
            )
    with refused("reworkcase_ours_is_free") as run:
        run(
            "UPDATE delivery_reworkcase SET state = 'ACCEPTED', cause = 'PART', bearer = 'CUSTOMER', judged_at = now()"
            " WHERE id = %s", [case.pk],
        )  # fmt: skip
    with refused("reworkcase_order") as run:
        run("UPDATE delivery_reworkcase SET order_id = %s WHERE id = %s", [line.order_id, case.pk])
    rework.withdraw_rework(uid=case.uid, reason="误录", by=team.advisor)
    assert claim(line, visit, team).attempt == 1


def test_the_customer_pays_nothing_on_a_rework_order(refused: Any) -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    case = claim(line, back(line, team), team)
    rework.judge_rework(uid=case.uid, cause="PART", by=judge, **FOUND)
    case = rework.start_rework(uid=case.uid, by=team.advisor)
    assert case.order is not None
    again = case.order.lines.get()
    assert (again.pay_type, again.description, again.category) == ("INTERNAL", line.description, line.category)
    with refused("orderline_rework_is_free") as run:
        run("UPDATE workshop_orderline SET pay_type = 'CUSTOMER_PAY' WHERE id = %s", [again.pk])
    with refused("reworkcase_mended_went_out") as run:
        run("UPDATE delivery_reworkcase SET state = 'MENDED' WHERE id = %s", [case.pk])
    for command, by, given in (
        (rework.start_rework, team.advisor, {}),
        (rework.send_rework_out, judge, {"repairer": "别家"}),
        (rework.withdraw_rework, team.advisor, {"reason": "误录"}),
    ):
        with rule("rework.started"):
            command(uid=case.uid, by=by, **given)
    with refused("reworkcase_order") as run:
        run("UPDATE delivery_reworkcase SET order_id = NULL WHERE id = %s", [case.pk])
    withdraw_order(order_uid=case.order.uid, reason="客户改天来", by=team.manager)
    assert rework.start_rework(uid=case.uid, by=team.advisor).order != case.order


def test_by_a_setting_the_first_guarantee_runs_on() -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    change("delivery.rework_restarts", 0)
    case = claim(line, back(line, team), team)
    rework.judge_rework(uid=case.uid, cause="PART", by=judge, **FOUND)
    case = mended(case, team, 50500)
    assert case.order is not None
    assert case.order.settlements.get().guarantee_days == 0
    [covered] = covered_lines(Vehicle.objects.get(pk=case.vehicle_id), team.advisor)
    assert (covered.mended, covered.km) == (1, 52012)


def test_pages_lead_from_the_visit_to_the_verdict(client: Client) -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    client.force_login(team.people["advisor"].user)
    assert "这里没有返修车辆" in client.get(reverse("rework-list")).content.decode()
    visit = back(line, team)
    opening = reverse("rework-open", args=[visit.uid])
    for page in (
        reverse("visit-detail", args=[visit.uid]),
        reverse("vehicle-detail", args=[line.order.vehicle.uid]),
        reverse("appointment-new") + f"?q={line.order.vehicle.plate}",
    ):
        assert "保修期内的维修" in client.get(page).content.decode()
    assert opening in client.get(reverse("visit-detail", args=[visit.uid])).content.decode()
    empty = client.post(opening, {"line_uid": str(line.uid), "complaint": ""})
    assert (empty.status_code, list(empty.context["form"].errors)) == (422, ["complaint"])
    answer = client.post(opening, {"line_uid": str(line.uid), "complaint": "又漏油"})
    case = ReworkCase.objects.get()
    assert answer["Location"] == reverse("rework-case", args=[case.uid])
    assert client.get(reverse("rework-judge", args=[case.uid])).status_code == 403
    client.force_login(judge.user)
    asked = client.get(reverse("rework-judge", args=[case.uid])).content.decode()
    assert "OTHER_FAULT" in asked
    with clock.moved_to(case.evidence_due_at):
        assert "OTHER_FAULT" not in client.get(reverse("rework-judge", args=[case.uid])).content.decode()
    client.post(reverse("rework-judge", args=[case.uid]), {"cause": "WORKMANSHIP", "bearer": "SHOP", **FOUND})
    client.force_login(team.people["advisor"].user)
    started = client.post(reverse("rework-start", args=[case.uid]))
    case.refresh_from_db()
    assert case.order is not None
    assert started["Location"] == reverse("order-detail", args=[case.order.uid])
    shown = client.get(started["Location"]).content.decode()
    assert reverse("rework-case", args=[case.uid]) in shown
    assert "返修" in client.get(reverse("rework-list")).content.decode()
    assert client.get(reverse("rework-list"), {"show": "mend"}).context["list"].found == 1


def test_the_api_tells_the_whole_return() -> None:
    team = crew()
    line = done_before(team)
    visit = back(line, team)
    caller = ApiCaller("delivery:read", "delivery:write", "workshop:write", "reception:write", store=team.store)
    told = {"visit_uid": str(visit.uid), "labor_operation_uid": str(line.uid), "complaint": "漏油"}
    case = caller.post("rework-cases", told).json()
    assert (case["state"], case["attempt"], case["transitions"]) == ("OPEN", 1, ["judge", "withdraw"])
    path = f"rework-cases/{case['uid']}"
    problem(
        caller.act(path, "judge", {"cause": "PART", "findings": "x", "cost_bearer": "CUSTOMER"}), 409, "rework.bearer"
    )
    assert caller.act(path, "judge", {"cause": "PART", "findings": "滤芯裂纹"}).json()["cost_bearer"] == "SHOP"
    assert caller.act(path, "send-out", {"repairer": "城东示例修理厂"}).json()["state"] == "SENT_OUT"
    paid = caller.act(path, "pay", {"amount": "380.00", "invoice": "F-1"}).json()
    assert (paid["state"], paid["outside_amount"]) == ("PAID_OUT", "380.00")


def test_the_figure_counts_on_the_day_of_the_exit() -> None:
    team = crew()
    judge, line = make_judge(team), done_before(team)
    done_before(team)
    case = claim(line, back(line, team), team)
    day = clock.today(team.store.time_zone)

    def figure() -> tuple[Any, Any]:
        recompute_day(store_id=team.store.pk, day=day)
        row = KpiValue.objects.get(code="delivery.came_back", store=team.store, day=day, dimension="")
        return row.numerator, row.denominator

    assert figure() == (0, 2)
    rework.judge_rework(uid=case.uid, cause="PART", by=judge, **FOUND)
    assert figure() == (1, 2)
    assert Handover.objects.count() == 2


def test_external_rework_counts_rework_orders_by_the_day_the_first_order_left() -> None:
    """domain 6.1: rework orders ÷ orders delivered in the period of origin."""
    team = crew()
    judge, now = make_judge(team), clock.now()
    zone = ZoneInfo(team.store.time_zone)

    def figure(moment: datetime) -> Any:
        day = moment.astimezone(zone).date()
        recompute_day(store_id=team.store.pk, day=day)
        found = KpiValue.objects.filter(code="workshop.external_rework", store=team.store, day=day, dimension="")
        return found.values_list("numerator", "denominator").first() or (0, 0)

    with clock.moved_to(now - timedelta(days=3)):
        line = done_before(team)
        done_before(team)
        assert figure(clock.now()) == (0, 2)
    case = claim(line, back(line, team), team)
    rework.judge_rework(uid=case.uid, cause="WORKMANSHIP", by=judge, **FOUND)
    rework.start_rework(uid=case.uid, by=team.advisor)
    assert figure(now - timedelta(days=3)) == (1, 2), "the day of origin, not the day it came back"
    assert figure(now) == (0, 0)
    case.refresh_from_db()
    assert case.order is not None
    withdraw_order(order_uid=case.order.uid, reason="客户不来了", by=team.advisor)
    assert figure(now - timedelta(days=3)) == (0, 2)


def test_a_rework_order_counts_the_day_of_origin_again() -> None:
    team = crew()
    with clock.moved_to(clock.now() - timedelta(days=3)):
        line, gone = done_before(team), clock.now()
    case = claim(line, back(line, team), team)
    rework.judge_rework(uid=case.uid, cause="WORKMANSHIP", by=make_judge(team), **FOUND)
    rework.start_rework(uid=case.uid, by=team.advisor)
    case.refresh_from_db()
    assert case.order is not None
    touch_other_days(store_id=team.store.pk, code="workshop.repair_order.opened", root_uid=case.order.uid)
    day = gone.astimezone(ZoneInfo(team.store.time_zone)).date()
    assert KpiTouchedDay.objects.filter(store=team.store, day=day).exists()
