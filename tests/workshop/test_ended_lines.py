"""What is finished isn't ended; an ended line costs and lists what was done and what stays in the car (3.2, domain 3.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import History
from delivery.services.settlements import draft_settlement, issue_settlement
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, inspect, make_team, make_visit
from tests.factories.delivery import make_order as delivery_order
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import add_operation, agree_all, make_order, make_shop
from workshop.models import Clocking, OrderLine, PartLine
from workshop.selectors.orders import order_page
from workshop.services import orders, stock

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def team():
    return make_team()


def test_a_finished_line_is_settled_not_ended(team, refused) -> None:
    order = delivery_order(make_visit(team), team)
    line = add_line(order, state="COMPLETED")
    before = History.objects.count()
    with rule("line.finished"):
        orders.withdraw_line(line_uid=line.uid, reason="客户不要了", by=team.advisor)
    assert History.objects.count() == before
    for state in ("WITHDRAWN", "CANCELLED", "DECLINED"):
        with refused("orderline_finished_isnt_ended") as sql:
            sql("UPDATE workshop_orderline SET state = %s WHERE id = %s", [state, line.pk])
    desk = Client()
    desk.force_login(team.advisor.user)
    page = desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert reverse("line-withdraw", args=[line.uid]) not in page
    said = desk.get(reverse("line-withdraw", args=[line.uid])).content.decode()
    assert "已完工" in said
    assert desk.post(reverse("line-withdraw", args=[line.uid]), {"reason": "不要了"}).status_code == 422
    api = ApiCaller("workshop:write", store=team.store, acts_for=team.advisor.user)
    problem(api.act(f"labor-operations/{line.uid}", "withdraw", {"reason": "不要了"}), 409, "line.finished")
    inspect(order, team)
    line.state = "INSPECTED"
    line.save()
    with refused("orderline_finished_isnt_ended") as sql:
        sql("UPDATE workshop_orderline SET state = 'WITHDRAWN' WHERE id = %s", [line.pk])


def test_ending_the_order_leaves_finished_work_to_be_settled(team) -> None:
    order = delivery_order(make_visit(team), team)
    done = add_line(order, state="COMPLETED", description="底盘异响诊断")
    begun = add_line(order, state="IN_PROGRESS", hours=D(2), parts=[{}])
    asked = add_line(order, state="DRAFT")
    ended = orders.withdraw_order(order_uid=order.uid, reason="客户不修了", by=team.advisor)
    assert (ended.withdrawn_at, ended.stage) == (None, "INSPECTION")
    states = {line.pk: line.state for line in order.lines.all()}
    assert (states[done.pk], states[begun.pk], states[asked.pk]) == ("COMPLETED", "WITHDRAWN", "CANCELLED")
    assert History.objects.filter(root_uid=order.uid, code="workshop.repair_order.rest_ended").count() == 1
    with rule("order.finished"):
        orders.withdraw_order(order_uid=order.uid, reason="再一次", by=team.advisor)
    done.refresh_from_db()
    done.state = "INSPECTED"
    done.save()
    inspect(order, team)
    assert issue_settlement(order_uid=order.uid, by=team.advisor).total == D(
        "340.00"
    )  # 240 done, a part of what was begun


def test_an_ended_line_lists_what_stays_and_marks_what_was_taken_back(team) -> None:
    order = delivery_order(make_visit(team), team)
    parts = [
        {"quantity": "2.00", "price": "60.00", "issued": "2.00", "name": "机油滤清器"},
        {"quantity": "1.00", "price": "50.00", "issued": "1.00", "name": "空调滤清器"},
        {"quantity": "1.00", "price": "70.00", "issued": "0.00", "name": "空气滤清器"},
    ]
    line = add_line(order, state="IN_PROGRESS", parts=parts)
    stays, goes, _never = line.part_lines.order_by("pk")
    by = team.advisor
    desk = Client()
    desk.force_login(by.user)
    said = desk.get(reverse("line-withdraw", args=[line.uid])).content.decode()
    assert "机油滤清器 ×2、空调滤清器 ×1" in said
    orders.withdraw_line(line_uid=line.uid, reason="客户改主意", by=by)
    keeper = make_actor("parts", store=team.store)
    back = {"reason": "不用了", "condition": "OPENED", "by": keeper}
    stock.return_part(part_line_uid=goes.uid, quantity=D(1), **back)  # after the end too
    stock.return_part(part_line_uid=stays.uid, quantity=D(1), **back)
    [row] = order_page(order.uid, by).rows
    assert [(p.part.name, p.quantity) for p in row.used] == [("机油滤清器", D(1))]
    assert [p.part.name for p in row.taken_back] == ["空调滤清器"]
    assert row.total == row.material == D("60.00") == draft_settlement(order).totals.total
    page = desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert "已退回，不收费：" in page


def test_what_was_begun_says_what_of_it_is_settled() -> None:
    shop = make_shop()
    order = make_order(shop, with_diagnosis=False)
    line = add_operation(shop, order, "BR-20")
    agree_all(shop, order)
    desk = Client()
    desk.force_login(shop.advisor.user)
    address = reverse("line-withdraw", args=[line.uid])
    assert "还没有做" in desk.get(address).content.decode()
    start = clock.now() - timedelta(minutes=27)
    Clocking.objects.create(
        store=shop.store, employee=shop.employee, line=line, started_at=start, ended_at=start + timedelta(minutes=27)
    )
    PartLine.objects.filter(pk=line.part_lines.first().pk).update(issued_quantity=1)
    OrderLine.objects.filter(pk=line.pk).update(state="IN_PROGRESS")
    assert "27 分钟" in (said := desk.get(address).content.decode())
    assert "¥76.50" in said
    assert orders.withdraw_line(line_uid=line.uid, reason="不做了", by=shop.advisor).labor_amount == D("76.50")
