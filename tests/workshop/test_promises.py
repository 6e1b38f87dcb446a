"""Domain 3.3: where more work is agreed, the promised hand-over is asked about with it; what doesn't fit is marked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from dealership.kernel.models import History, Message
from tests.factories.floor import DAY, Floor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import make_picture
from tests.factories.workshop import link_actor
from workshop import events
from workshop.models import AuthorizationMethod, PromiseTold, RepairOrder
from workshop.selectors.contracts import contract_of
from workshop.selectors.lanes import place_work
from workshop.selectors.orders import list_orders, order_page
from workshop.selectors.promises import do_not_fit
from workshop.services import authorizations, orders

pytestmark = pytest.mark.django_db
FIVE = at(17)


@pytest.fixture
def floor() -> Any:
    with clock_at(9):
        yield make_floor()


def promised(floor: Floor, **values: Any) -> RepairOrder:
    """A car promised for five o'clock whose agreed work is planned till half past nine; two technicians are there."""
    person = floor.technician()
    order, [line] = make_agreed(floor, "EL-10", **values)
    floor.give(line, person)
    orders.change_promise(
        order_uid=order.uid, promised_at=FIVE, reason="约定", told="PHONE", told_to="李送修", by=floor.shop.advisor
    )
    order.refresh_from_db()
    order.visit.refresh_from_db()
    return order


def add(floor: Floor, order: RepairOrder, hours: str, **values: Any) -> None:
    orders.add_line(
        order_uid=order.uid, description="示例增项", hours=Decimal(hours), category="MINOR", by=floor.shop.advisor,
        **values,
    )  # fmt: skip


def say(floor: Floor, order: RepairOrder, yes: bool, **values: Any) -> None:
    lines = order.lines.filter(state="PENDING").values_list("uid", flat=True)
    said = {"method": AuthorizationMethod.VERBAL_PHONE, "note": "电话", "by": floor.shop.advisor} | values
    authorizations.decide_lines(
        order_uid=order.uid, decisions=dict.fromkeys(lines, (yes, "")), authorized_by="沈示例", **said
    )


def proposal(order: RepairOrder) -> datetime | None:
    kept = order.estimates.order_by("-number")[0].content.get("promise")
    return parse_datetime(kept["proposed"]) if kept else None


def test_an_addition_that_does_not_fit_proposes_a_hand_over_and_a_yes_means_both(floor: Floor, client: Client) -> None:
    order = promised(floor)
    add(floor, order, "20")
    client.force_login(floor.shop.advisor.user)
    page = order_page(order.uid, floor.shop.advisor)
    assert page.more is not None
    assert (page.more.hours, page.more.fits, page.late) == (Decimal(20), False, False)
    shown = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert "约 20 工时待派工" in shown
    assert "并通知客户" in shown
    sent = orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    new = proposal(order)
    assert new is not None
    assert new > FIVE
    assert (new.minute % 30, new) == (0, page.more.suggested)
    contract = contract_of(order)
    assert contract is not None
    assert contract.estimate.content["contract"]["promised_at"] == new.isoformat()
    link = client.get(reverse("visit-link-decide", args=[order.visit.link.token, order.uid])).content.decode()
    assert "您的同意同时包括金额和时间" in link
    assert "不影响交车" not in link
    desk = client.get(reverse("order-decide", args=[order.uid])).content.decode()
    assert "加上这些项目，承诺时间已不够" in desk
    assert "交车时间为" in Message.objects.get(template="workshop.estimate", key=f"estimate:{sent.uid}").body
    told = Message.objects.filter(template="workshop.promise").count()
    say(floor, order, True)
    order.refresh_from_db()
    order.visit.refresh_from_db()
    assert order.promised_at == order.visit.promised_at == new
    change = order.promise_changes.first()
    assert change is not None
    assert (change.before, change.after, change.told) == (FIVE, new, PromiseTold.AGREED)
    assert order.visit.promises.last().told == "PHONE"
    assert History.objects.filter(code=events.PROMISE_CHANGED).count() == 2
    assert Message.objects.filter(template="workshop.promise").count() == told  # who said yes knows
    assert not do_not_fit([order])


def test_what_fits_asks_for_no_other_time(floor: Floor) -> None:
    order = promised(floor)
    add(floor, order, "2")
    assert order_page(order.uid, floor.shop.advisor).more is None
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    assert proposal(order) is None
    say(floor, order, True)
    order.refresh_from_db()
    assert order.promised_at == FIVE


def test_a_no_and_a_promise_given_meanwhile_leave_the_time_alone(floor: Floor) -> None:
    order = promised(floor)
    add(floor, order, "20")
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    say(floor, order, False)
    order.refresh_from_db()
    assert order.promised_at == FIVE
    add(floor, order, "19")
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    later = at(12, day=DAY + timedelta(days=6))
    orders.change_promise(order_uid=order.uid, promised_at=later, reason="客户出差", by=floor.shop.advisor)
    say(floor, order, True)
    order.refresh_from_db()
    assert order.promised_at == later


def test_the_customer_on_the_link_agrees_to_both(floor: Floor) -> None:
    order = promised(floor)
    add(floor, order, "20")
    sent = orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    say(
        floor, order, True, method=AuthorizationMethod.DIGITAL_PORTAL, note="", signature=make_picture(),
        seen_hash=sent.seen_hash, by=link_actor(order),
    )  # fmt: skip
    order.visit.refresh_from_db()
    assert order.visit.promised_at == proposal(order)
    assert order.visit.promises.last().told == "MESSAGE"


def test_work_agreed_to_unasked_is_marked_and_one_tap_promises_anew(floor: Floor, client: Client) -> None:
    order = promised(floor)
    add(floor, order, "20", pay_type="WARRANTY")  # by policy: nobody is asked
    orders.send_estimate(order_uid=order.uid, by=floor.shop.advisor)
    assert proposal(order) is None
    order.refresh_from_db()
    assert list(do_not_fit([order])) == [order.pk]
    (row,) = (row for row in list_orders(floor.shop.advisor).rows if row.order == order)
    assert row.short is not None
    late = list_orders(floor.shop.advisor, show="late")
    assert [row.order for row in late.rows] == [order]
    assert {each.code: each.count for each in late.filters}["late"] == 1
    placed = place_work(floor.shop.advisor, [order.visit])[order.visit_id]
    assert placed.expected_at is not None
    assert placed.expected_at > FIVE
    assert "未派工" in str(placed.signs[-1].label)
    page = order_page(order.uid, floor.shop.advisor)
    assert page.late
    assert page.suggested is not None
    client.force_login(floor.shop.advisor.user)
    shown = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    sent = {name: shown.split(f'name="{name}" value="')[1].split('"')[0] for name in ("promised_at", "reason", "told")}
    asked = client.get(reverse("order-promise", args=[order.uid]))
    assert asked.context["form"].initial["promised_at"] == page.suggested, "what can be kept is what is offered"
    too_soon = sent | {"promised_at": (FIVE - timedelta(minutes=30)).astimezone(UTC).isoformat()}
    answer = client.post(reverse("order-promise", args=[order.uid]), too_soon, follow=True)
    assert "已承诺新的时间，但作业最早" in answer.content.decode()
    answer = client.post(reverse("order-promise", args=[order.uid]), sent)
    assert answer.status_code == 302
    order.refresh_from_db()
    assert order.promised_at == page.suggested
    assert not do_not_fit([order])
    assert not list_orders(floor.shop.advisor, show="late").rows
    assert "最早" not in client.get(reverse("order-list")).content.decode()


def test_hours_that_grow_are_noticed(floor: Floor) -> None:
    order = promised(floor)
    assert not do_not_fit([order])
    with clock_at(16, 30):  # its plan is over and nobody has begun
        assert not do_not_fit([order])
    with clock_at(16, 55):
        assert list(do_not_fit([order])) == [order.pk]
