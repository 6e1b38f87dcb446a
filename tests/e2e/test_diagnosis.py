"""A diagnosis finds two additions in browsers: one is agreed to on the phone, the other declined and never worked on (3.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from workshop.models import Authorization, LineState, OrderLine, PartLine

from .conftest import Desk, People
from .test_visit import arrive, decide, finish, plan, receive, start

pytestmark = pytest.mark.django_db(transaction=True)
PADS, AIR = "前制动片更换", "空调系统清洗"


def test_a_diagnosis_with_two_additions_one_declined(people: People, set_clock: Callable[..., None]) -> None:
    visit = arrive(people)
    link = receive(people.advisor, visit)
    order = only_the_diagnosis(people.advisor, visit)
    technician = people.technician
    plan(people.foreman, "故障诊断", "09:05")
    start(technician)
    report(technician, PADS, "前片磨到 2 mm")
    report(technician, AIR, "空调出风有霉味")
    people.advisor.open(order)
    people.advisor.press("发送报价")
    decide(people.customer, link, yes=[PADS], no=[AIR])

    pads, air = (OrderLine.objects.get(description=name) for name in (PADS, AIR))
    assert (pads.is_addition, air.is_addition) == (True, True)
    assert (pads.state, air.state) == (LineState.AUTHORIZED, LineState.DECLINED)
    said = Authorization.objects.get(line=air)
    assert (said.status, said.method, said.authorized_by) == ("DECLINED", "DIGITAL_PORTAL", "张试驾")
    people.customer.open(link)
    people.customer.sees(AIR)
    people.advisor.open(order)
    row = people.advisor.page.locator(f"#line-{air.uid}")
    expect(row).to_contain_text("增项")
    expect(row).to_contain_text("已拒绝")

    people.foreman.open("/plan/")
    board = people.foreman.page
    expect(board.locator(f"a[href^='/plan/lines/{pads.uid}/']").first).to_be_visible()
    assert board.locator(f"a[href^='/plan/lines/{air.uid}/']").count() == 0
    set_clock(9, 35)
    finish(technician)
    plan(people.foreman, PADS, "10:00")
    people.parts.open("/parts/")
    people.parts.press("发料")
    set_clock(10)
    start(technician)
    set_clock(10, 50)
    finish(technician)
    states = dict(OrderLine.objects.values_list("description", "state"))
    assert (states[PADS], states[AIR]) == (LineState.COMPLETED, LineState.DECLINED)
    assert not PartLine.objects.filter(line=air, issued_quantity__gt=0).exists()
    assert air.clockings.count() == 0

    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations


def only_the_diagnosis(advisor: Desk, visit: str) -> str:
    advisor.open(visit)
    advisor.press("开工单")
    advisor.fill(complaint="慢慢踩刹车时前面吱吱响", promised_at="2026-11-27T16:00", diagnosis_agreed_by="张试驾")
    advisor.draw()
    advisor.press("开单")
    return advisor.path


def report(technician: Desk, operation: str, cause: str) -> None:
    """What is found while diagnosing goes from the phone to the advisor."""
    technician.open("/my-jobs/")
    technician.press("增项")
    technician.fill(cause=cause)
    technician.select("operation", operation)
    technician.press("上报")
