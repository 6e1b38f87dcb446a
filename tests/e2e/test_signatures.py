"""The pad says that nobody drew on it, and the command refuses; with a stroke, or without JavaScript, it goes through."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from dealership.kernel.models import User
from dealership.kernel.services import actor_of
from tests.factories.workshop import Shop, add_operation, make_order
from workshop.services import orders

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_empty_pad_is_refused_on_the_customer_s_link_and_a_stroke_is_taken(people, store):
    found = {name: User.objects.get(username=name) for name in ("advisor", "manager")}
    shop = Shop(store, *(actor_of(found[name], store) for name in ("advisor", "manager")), found["advisor"].employee)
    order = make_order(shop)
    line = add_operation(shop, order, "BR-10")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    customer = people.customer
    page = customer.open(f"/v/{order.visit.link.token}/")
    expect(page.locator('[name="signature"]').first).to_have_value("data:,")
    expect(page.locator('[name="signed_by"]').first).not_to_have_value("")
    customer.choose(f"decision_{line.uid}", "yes")
    expect(customer.button("做 1 项")).to_be_visible()
    with page.expect_navigation():
        customer.button("做 1 项").click()
    expect(page.locator("[role=alert]").first).to_contain_text("签名板上还没有签名")
    expect(page.locator(f'[name="decision_{line.uid}"][value="yes"]')).to_be_checked()
    customer.draw()
    expect(page.locator('[name="signature"]').first).to_have_value(re.compile("^data:image/png"))
    with page.expect_navigation():
        customer.button("签名并确认").click()
    expect(page).to_have_url(re.compile(f"/v/{order.visit.link.token}/$"))
    line.refresh_from_db()
    assert line.state == "AUTHORIZED"
