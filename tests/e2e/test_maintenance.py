"""A maintenance with declined advice, in browsers: what is due is added in one tap, declined on the phone, and offered again
at the next order and by telephone (3.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from dealership.kernel.actors import machine
from reception.models import Visit
from reception.services.vehicles import correct_vehicle, read_odometer
from staff.models import Employee
from tests.factories.reception import make_signed_visit
from tests.factories.staff import actor_for
from workshop.models import Advice, OrderLine
from workshop.services import advice, orders

from .conftest import People

pytestmark = pytest.mark.django_db(transaction=True)
WORK = "轮胎换位与动平衡"


def test_a_maintenance_with_declined_advice(people: People, set_clock: Callable[..., None]) -> None:
    by = actor_for(Employee.objects.get(user__username="advisor"))
    visit: Visit = make_signed_visit(by, plate="京P30X61", odometer_km=49500)
    read_odometer(vehicle=visit.vehicle, km=49500, by=by)
    correct_vehicle(uid=visit.vehicle.uid, invoiced_on=date(2026, 10, 9), by=by)
    order = orders.open_repair_order(visit_uid=visit.uid, complaint="按时保养", with_diagnosis=False, by=by)
    desk = people.advisor
    desk.open(f"/orders/{order.uid}/")
    due = desk.page.locator("#maintenance li", has_text=WORK)
    assert "50,000 公里 到期" in due.inner_text()
    desk.press_on(due.get_by_role("button"))
    assert OrderLine.objects.get(order=order).description == WORK
    desk.press("发送报价")

    phone = people.customer
    phone.open(f"/v/{visit.link.token}/")
    phone.sees("本店无记录，每 10,000 公里 → 50,000 公里 到期")
    phone.page.locator("form[id^=decide] section.card", has_text=WORK).locator("input[value=no]").check(force=True)
    phone.draw()
    phone.press("签名并确认")
    assert OrderLine.objects.get(order=order).state == "DECLINED"
    [kept] = advice.keep_advice(visit_uid=visit.uid, by=machine("tests", store_id=order.store_id))

    people.care.open("/advice/?show=later")
    people.care.sees(WORK)
    people.care.press("以后再问")
    people.care.fill(again_on="2026-12-24")
    people.care.press("记下")
    kept.refresh_from_db()
    assert (kept.offered, kept.offer_on.isoformat()) == (1, "2026-12-24")

    again = orders.open_repair_order(visit_uid=visit.uid, complaint="再次到店", with_diagnosis=False, by=by)
    desk.open(f"/orders/{again.uid}/")
    declined = desk.page.locator("#advice li", has_text=WORK)
    desk.press_on(declined.get_by_role("button"))
    row = Advice.objects.get()
    assert (row.state, row.taken_as) == ("TAKEN", OrderLine.objects.get(order=again))
    people.care.open("/advice/?show=later")
    people.care.sees("这里没有需要询问的客户")

    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations
