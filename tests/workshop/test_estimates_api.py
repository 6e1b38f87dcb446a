"""Estimates over the API, and an offer that is taken back (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import rule
from tests.factories.workshop import Shop, add_operation, link_actor, make_order, make_shop
from workshop import events
from workshop.models import Authorization, Estimate, LineState
from workshop.services import authorizations, orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def client_of(shop: Shop) -> ApiCaller:
    return ApiCaller("workshop:write", "personal:read", store=shop.store, acts_for=shop.advisor.user)


def test_an_estimate_is_sent_read_and_decided_on(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "MT-10")
    client = client_of(shop)
    made = client.post("estimates", {"repair_order_uid": str(order.uid)}).json()
    estimate = Estimate.objects.get()
    assert (made["uid"], made["number"], made["seen_hash"]) == (str(estimate.uid), 1, estimate.seen_hash)
    assert made["total"] == str(estimate.total)
    assert [row["uid"] for row in made["content"]["lines"]] == [str(x.uid) for x in order.lines.order_by("position")]
    assert (made["decisions"], made["withdrawn_at"]) == ([], None)
    problem(client.post("estimates", {"repair_order_uid": str(order.uid)}), 409, "estimate.empty")
    said = {"decisions": {str(line.uid): {"approve": True}}, "method": "VERBAL_PHONE", "note": "来电同意"}
    path = f"repair-orders/{order.uid}"
    client.act(path, "decide", said | {"authorized_by": order.customer.name, "seen_hash": estimate.seen_hash})
    [row] = client.get(f"estimates?repair_order_uid={order.uid}").json()["data"]
    [decision] = row["decisions"]
    assert (decision["labor_operation_uid"], decision["status"]) == (str(line.uid), "APPROVED")
    assert row["version"] > made["version"]


def test_an_offer_is_taken_back_as_a_whole(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "MT-10")
    with rule("estimate.none"):
        orders.withdraw_estimate(order_uid=order.uid, reason="价格要改", by=shop.advisor)
    estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    before = History.objects.count()
    with rule("estimate.reason"):
        orders.withdraw_estimate(order_uid=order.uid, reason=" ", by=shop.advisor)
    assert History.objects.count() == before
    desk = Client()
    desk.force_login(shop.advisor.user)
    page = reverse("order-estimate-withdraw", args=[order.uid])
    assert page in desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert desk.post(page, {"form_token": uuid4(), "reason": "价格要改"}).status_code == 302
    estimate.refresh_from_db()
    assert (estimate.withdrawn_at is not None, estimate.withdrawn_reason) == (True, "价格要改")
    assert set(order.lines.values_list("state", flat=True)) == {LineState.DRAFT}
    assert History.objects.filter(code=events.ESTIMATE_WITHDRAWN).count() == 1
    with rule("estimate.withdrawn"):  # the customer had it open
        authorizations.decide_lines(
            order_uid=order.uid, decisions={line.uid: (True, "")}, method="DIGITAL_PORTAL", authorized_by="沈示例",
            seen_hash=estimate.seen_hash, by=link_actor(order),
        )  # fmt: skip
    again = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert (again.number, again.withdrawn_at) == (2, None)


def test_an_offer_that_was_taken_back_binds_nobody(shop: Shop, refused: Any) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "MT-10")
    estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    take_back = "UPDATE workshop_estimate SET withdrawn_at = now(), withdrawn_reason = %s WHERE id = %s"
    with refused("estimate_withdrawn_once") as sql:  # its lines are still asked
        sql(take_back, ["价格要改", estimate.pk])
    orders.withdraw_estimate(order_uid=order.uid, reason="价格要改", by=shop.advisor)
    for statement in (
        take_back,
        "UPDATE workshop_estimate SET withdrawn_at = NULL, withdrawn_reason = %s WHERE id = %s",
    ):
        with refused("estimate_withdrawn_once") as sql:
            sql(statement, ["又改", estimate.pk])
    with refused("authorization_of_standing_offer"):
        Authorization.objects.create(
            order=order, line=line, estimate=estimate, status="APPROVED", method="VERBAL_PHONE", amount=240,
            authorized_by=order.customer.name, note="来电",
        )  # fmt: skip
    with rule("estimate.withdrawn"):
        authorizations.decide_lines(
            order_uid=order.uid, decisions={line.uid: (True, "")}, method="VERBAL_PHONE", authorized_by="沈示例",
            note="来电", by=shop.advisor,
        )  # fmt: skip
