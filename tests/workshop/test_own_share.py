"""What the customer pays of an accident, the same sum wherever it is shown; the insurer is registered on the spot (3.2)."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import Message
from delivery.selectors.shares import share_of
from reception.models import Customer
from tests.delivery.test_handovers import settle
from tests.factories.accidents import AGREES, make_accident, make_accident_order, make_insurer
from tests.factories.delivery import add_line, inspect, make_order, make_team, make_visit
from tests.factories.workshop import make_received_visit, make_shop
from workshop.accident_models import AccidentCase
from workshop.models import RepairOrder
from workshop.selectors.accidents import price_of
from workshop.selectors.orders import order_page
from workshop.services import accidents, orders

pytestmark = pytest.mark.django_db
SHARE = {"own_share": Decimal(500), "share_agreed_by": "沈示例"}


def test_the_order_the_link_and_the_message_say_what_the_customer_pays() -> None:
    shop = make_shop()
    order = make_accident_order(shop)
    case, line = make_accident(shop, order, **SHARE), order.lines.get()
    assert order_page(order.uid, shop.advisor).owed_total == 500  # asked, not agreed yet
    orders.change_line(line_uid=line.uid, hours=Decimal("0.9"), by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    told = Message.objects.filter(template="workshop.estimate").order_by("-pk")[0].body
    assert "示例财险" in told
    assert "¥500.00" in told
    link = reverse("visit-link", args=[order.visit.link.token])
    asked = Client().get(link).content.decode()
    assert "其中您承担" in asked
    assert "¥500.00" in asked
    line.refresh_from_db()
    yes = accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: price_of(line)}, by=shop.advisor)
    accidents.agree_assessment(uid=yes.uid, decided_by=AGREES, by=shop.advisor)
    assert order_page(order.uid, shop.advisor).owed_total == 500
    agreed = Client().get(link).content.decode()
    assert "事故中您的自付" in agreed
    assert f"¥{price_of(line) - 500:,.2f}" not in agreed
    accidents.change_accident(uid=case.uid, own_share=Decimal(9999), share_agreed_by="沈示例", by=shop.advisor)
    assert order_page(order.uid, shop.advisor).owed_total == price_of(line)  # never more than it costs


def test_the_bill_on_the_link_names_the_own_share() -> None:
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team, kind="INSURANCE", customer=make_insurer())
    line = add_line(order, pay_type="INSURANCE")
    AccidentCase.objects.create(
        order=order, policy_number="P", report_number="R", happened_on=clock.today(), own_share=Decimal(100),
        share_agreed_by="李送修",
    )  # fmt: skip
    for step in ("IN_PROGRESS", "COMPLETED", "INSPECTED"):
        line.state = step
        line.save()
    inspect(order, team)
    order.refresh_from_db()
    settle(order, team)
    share = share_of(order.settlements.get())
    assert share is not None
    assert share.unpaid == 100
    shown = Client().get(reverse("visit-link", args=[visit.link.token])).content.decode()
    assert "您的自付" in shown
    assert "离店前" in shown
    assert "您无须支付" not in shown


def test_an_insurer_nobody_knows_is_registered_in_the_form() -> None:
    shop = make_shop()
    visit = make_received_visit(shop)
    desk = Client()
    desk.force_login(shop.advisor.user)
    page = reverse("order-open", args=[visit.uid])
    typed = {"form_token": uuid4(), "complaint": "追尾，前部受损", "kind": "INSURANCE", "payer": visit.customer.uid}
    shown = desk.post(page, typed | {"find_payer": "1", "payer_q": "平安示例"}).content.decode()
    assert all(
        words in shown for words in ("没有找到“平安示例”", 'value="平安示例"', "追尾，前部受损", "register_payer")
    )
    bare = desk.post(page, typed | {"register_payer": "1", "new_payer": "平安示例", "new_payer_phone": ""})
    assert bare.status_code == 422
    assert "追尾，前部受损" in bare.content.decode()
    told = typed | {
        "register_payer": "1",
        "new_payer": "平安示例",
        "new_payer_phone": "010-62000000",
        "payer_q": "平安示例",
    }
    for _twice in range(2):
        shown = desk.post(page, told).content.decode()
    payer = Customer.objects.get(name="平安示例")
    assert (payer.kind, RepairOrder.objects.exists()) == ("COMPANY", False)
    assert f'value="{payer.uid}" checked' in shown
    assert "追尾，前部受损" in shown
    assert desk.post(page, typed | {"payer": payer.uid}).status_code == 302
    assert RepairOrder.objects.get().customer == payer
