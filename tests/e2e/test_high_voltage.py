"""A high-voltage job in the browser: two certified people are planned, each scans tested gloves out, then the clocks run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from dealership.catalogue.models import Operation, Resource
from staff.models import Employee
from tests.factories.reception import make_signed_visit
from tests.factories.staff import actor_for
from tests.factories.workshop import PHONE, YES
from workshop.models import Clocking, Dispatch, OrderLine
from workshop.services import authorizations, orders

from .conftest import Desk, People

pytestmark = pytest.mark.django_db(transaction=True)


def agreed_high_voltage_line() -> OrderLine:
    advisor = actor_for(Employee.objects.get(user__username="advisor"))
    visit = make_signed_visit(advisor, plate="京AD30299", odometer_km=30_000)
    order = orders.open_repair_order(visit_uid=visit.uid, complaint="高压报警", with_diagnosis=False, by=advisor)
    work = Operation.objects.get(code="HV-10")
    line = orders.add_line(order_uid=order.uid, operation_uid=work.uid, parts=[], by=advisor)
    orders.send_estimate(order_uid=order.uid, by=advisor)
    authorizations.decide_lines(
        order_uid=order.uid,
        decisions={line.uid: YES},
        method=PHONE,
        authorized_by="沈示例",
        note="电话同意",
        by=advisor,
    )
    return line


def scans_out(desk: Desk, number: str) -> None:
    desk.open("/tools/scan/")
    desk.page.locator('input[name="code"]').fill(number)
    with desk.page.expect_navigation():
        desk.page.keyboard.press("Enter")


def test_two_certified_people_with_tested_gloves(people: People, set_clock: Callable[..., None]) -> None:
    line = agreed_high_voltage_line()
    lead, second = (Employee.objects.get(user__username=name) for name in ("technician", "technician2"))
    bay = Resource.objects.get(store=line.order.store, name="4 号举升")

    foreman = people.foreman
    page = foreman.open(f"/plan/lines/{line.uid}/")
    page.locator("select[name=technician]").select_option(str(lead.uid))
    page.locator("select[name=bay]").select_option(str(bay.uid))
    page.locator("input[name=starts_at]:visible").fill("2026-11-27T09:15")
    page.locator("select[name=second]").select_option("")
    with page.expect_navigation():
        foreman.button("排上").click()
    expect(page.locator(".wrong li").first).to_be_visible()  # alone: refused, and what was typed stands there
    assert page.locator("select[name=technician]").input_value() == str(lead.uid)
    assert Dispatch.objects.count() == 0
    page.locator("select[name=second]").select_option(str(second.uid))
    foreman.press("排上")
    assert Dispatch.objects.filter(line=line, live=True).count() == 2

    hands = people.technician
    hands.open("/my-jobs/")
    hands.sees("扫码领手套")
    with hands.page.expect_navigation():
        hands.page.locator("[data-when=idle] button").click()
    hands.page.wait_for_load_state("load")
    hands.sees("绝缘手套")
    assert Clocking.objects.count() == 0
    scans_out(hands, "G-0017")
    hands.press("我来借用")
    hands.press("登记")  # the page of the look at the gloves follows
    hands.open("/my-jobs/")
    hands.press("开工")
    assert Clocking.objects.get().employee == lead

    other = people.seat("technician2", phone=True)
    people.desks["technician2"] = other
    scans_out(other, "G-0018")
    other.press("我来借用")
    other.press("登记")
    other.open("/my-jobs/")
    other.press("开工")
    assert Clocking.objects.filter(ended_at__isnull=True).count() == 2

    set_clock(9, 50)
    hands.open("/my-jobs/")
    hands.press("完工")
    hands.fill(cause="绝缘电阻 620 Ω/V", correction="紧固搭铁")
    hands.press("完工")
    line.refresh_from_db()
    assert (line.state, line.clockings.filter(ended_at__isnull=True).count()) == ("COMPLETED", 0)
    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations
