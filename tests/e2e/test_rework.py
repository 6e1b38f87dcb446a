"""A car comes back within the guarantee of our work, in browsers: entered at its visit, judged, mended at our cost (3.2)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from dealership.kernel.models import Store
from delivery.rework_models import ReworkCase
from staff.models import Employee
from tests.delivery.test_rework import back, done_before
from tests.factories.delivery import TEAM
from tests.factories.staff import actor_for

from .conftest import People

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rework(people: People, store: Store) -> None:
    staff = {post: Employee.objects.get(user__username=post) for post in TEAM}
    team = SimpleNamespace(store=store, people=staff, **{post: actor_for(person) for post, person in staff.items()})
    line = done_before(team)
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
    director.press("填写判定")
    director.sees("施工质量")

    desk.open(f"/rework/{case.uid}/")
    desk.press("开返修工单")
    case.refresh_from_db()
    assert case.order is not None
    assert (case.order.kind, case.order.lines.get().pay_type) == ("REWORK", "INTERNAL")
    desk.sees("保修期内返修")

    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations
