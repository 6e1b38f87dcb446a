"""An accident job with a supplement, in browsers: case, assessment, supplement with its photo, structure, yes (3.2)."""

from __future__ import annotations

import pytest

from dealership.kernel.models import Store
from staff.models import Employee
from tests.factories.accidents import AGREES, make_accident_order
from tests.factories.reception import make_picture
from tests.factories.staff import actor_for
from tests.factories.workshop import Shop, add_operation
from workshop.accident_models import AccidentCase, Assessment
from workshop.services import orders

from .conftest import People

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_accident_job_with_a_supplement(people: People, store: Store) -> None:
    advisor, manager = (Employee.objects.get(user__username=post) for post in ("advisor", "manager"))
    shop = Shop(store, actor_for(advisor), actor_for(manager), advisor)
    order = make_accident_order(shop)

    desk = people.advisor
    desk.open(f"/orders/{order.uid}/")
    desk.press("登记保险案件")
    desk.fill(policy_number="PDAA2026001", report_number="RDAA2026777", assessor=AGREES)
    desk.fill(own_share="500", share_agreed_by="沈示例")
    desk.press("登记案件")
    case = AccidentCase.objects.get()
    assert (case.order, case.own_share) == (order, 500)
    desk.press("定损")
    desk.press("报保险公司")
    desk.press("保险公司同意")
    desk.fill(note="电话同意定损单")
    desk.press("登记同意")
    assert order.lines.get().state == "AUTHORIZED"

    more = add_operation(shop, order, "AC-10", cause="水箱框架变形")
    orders.add_line_photo(line_uid=more.uid, content=make_picture("red"), by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    desk.open(f"/orders/{order.uid}/")
    desk.press("追加定损")
    desk.fill(reason="拆检发现水箱框架变形")
    desk.press("报保险公司")
    desk.press("保险公司同意")
    desk.press("登记同意")
    more.refresh_from_db()
    assert (more.state, Assessment.objects.filter(state="AGREED").count()) == ("AUTHORIZED", 2)
    desk.press("申报为结构件")
    desk.select("part", "前后纵梁")
    desk.press("申报")
    desk.sees("修复后待检验")

    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations
