"""A car comes back within the guarantee of our work, in browsers: entered at its visit, judged with who bears the cost,
done again, inspected by three people, settled at nothing and driven off with a new guarantee (3.2)."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from dealership.kernel.models import Store
from delivery.models import Settlement
from delivery.rework_models import ReworkCase
from reception.models import Visit, VisitState
from staff.models import Employee
from tests.delivery.test_rework import back, done_before
from tests.factories.delivery import TEAM
from tests.factories.staff import actor_for
from workshop.models import LineState, OrderLine

from .conftest import People, drain
from .test_visit import finish, leave, start

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rework(people: People, store: Store, set_clock: Callable[..., None]) -> None:
    staff = {post: Employee.objects.get(user__username=post) for post in TEAM}
    team = SimpleNamespace(store=store, people=staff, **{post: actor_for(person) for post, person in staff.items()})
    line = done_before(team, is_safety=True)
    visit = back(line, team)

    desk, director = people.advisor, people.techdirector
    desk.open(f"/visits/{visit.uid}/")
    expect(desk.page.locator("#covered li")).to_contain_text(line.description)
    desk.press("因此返修")
    desk.fill(complaint="机油又漏了")
    desk.press("登记返修")
    case = ReworkCase.objects.get()
    assert (case.line, case.state) == (line, "OPEN")

    director.open("/rework/")
    director.press_on(director.page.locator("table tbody a").first)
    director.press("填写判定")
    director.select("cause", "施工质量")
    director.fill(findings="机油滤清器未拧紧")
    director.select("bearer", "本店")
    director.press("填写判定")
    director.sees("施工质量")

    desk.open(f"/rework/{case.uid}/")
    desk.press("开返修工单")
    case.refresh_from_db()
    assert case.order is not None
    again = case.order.lines.get()
    assert (case.order.kind, again.pay_type, case.bearer) == ("REWORK", "INTERNAL", "SHOP")
    desk.sees("保修期内返修")
    desk.press("发送报价")  # nobody is asked: it is ours to mend
    again.refresh_from_db()
    assert again.state == LineState.AUTHORIZED

    do_again(people, again, set_clock)
    settle_at_nothing(people, visit, case)
    leave(people, km=50403, by="李送修")
    drain()
    case.refresh_from_db()
    assert (Visit.objects.get(pk=visit.pk).state, case.state) == (VisitState.DEPARTED, "MENDED")
    desk.open(f"/rework/{case.uid}/")
    desk.sees("本店已修好")
    desk.open("/rework/")

    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations


def do_again(people: People, line: OrderLine, set_clock: Callable[..., None]) -> None:
    """3.2: planned, clocked, done with cause and correction, and passed by three people."""
    foreman, technician = people.foreman, people.technician
    foreman.open("/plan/")
    foreman.press_on(foreman.page.locator(f"a[href^='/plan/lines/{line.uid}/']", has_text="派工").first)
    for name, words in (("technician", "高远"), ("bay", "2 号举升")):
        choice = foreman.page.locator(f"select[name={name}]")
        choice.select_option(value=choice.locator("option", has_text=words).first.get_attribute("value"))
    foreman.page.locator("input[type=datetime-local][name=starts_at]").fill("2026-11-27T09:05")
    foreman.press("排上")
    start(technician)
    set_clock(9, 40)
    finish(technician)
    technician.press("自检")
    technician.press_on(technician.page.locator("button[value=PASSED]"))
    for inspector in (people.leader, people.inspector):
        inspector.open("/inspections/")
        inspector.press("检验")
        inspector.fill(road_test_km=3)
        inspector.press_on(inspector.page.locator("button[value=PASSED]"))
    line.refresh_from_db()
    assert line.state == LineState.INSPECTED


def settle_at_nothing(people: People, visit: Visit, case: ReworkCase) -> None:
    """4.1: the list comes to nothing for the customer, carries a guarantee anew and is signed on the link."""
    people.advisor.open("/delivery/")
    people.advisor.press("出结算清单")
    settlement = Settlement.objects.get(order=case.order)
    assert (settlement.total, settlement.guarantee_days > 0) == (0, True)
    people.advisor.sees("¥0.00")
    people.customer.open(f"/v/{visit.link.token}/")
    people.customer.press("查看并签字")
    people.customer.fill(signed_name="李送修")
    people.customer.draw()
    people.customer.press("签字确认")
    people.cashier.open(f"/settlements/{settlement.uid}/")
    assert people.cashier.page.locator("[name=amount]").count() == 0, "there is nothing to pay"
