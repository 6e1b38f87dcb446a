"""Who told the customer of a new promised time, how and when; who is still to be told (3.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import History, Message
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import rule
from tests.factories.workshop import Shop, make_order, make_shop
from workshop import events
from workshop.models import PromiseChange, RepairOrder
from workshop.promise_models import PromiseTelling
from workshop.selectors.tellings import tellings_of, to_tell
from workshop.services import orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def move(shop: Shop, order: RepairOrder, hours: int = 3, **said: Any) -> PromiseChange:
    orders.change_promise(
        order_uid=order.uid,
        promised_at=clock.now() + timedelta(hours=hours),
        reason="等待配件",
        by=shop.advisor,
        **said,
    )
    change: PromiseChange = order.promise_changes.first()
    return change


def desk_of(shop: Shop) -> Client:
    desk = Client()
    desk.force_login(shop.advisor.user)
    return desk


def test_who_has_told_the_customer_is_written_with_the_change(shop: Shop) -> None:
    order = make_order(shop)
    for how, said in (("PHONE", "电话"), ("IN_PERSON", "当面")):
        before = History.objects.count(), PromiseChange.objects.count()
        with rule("promise.told_to"):
            move(shop, order, told=how, told_to=" ")
        assert (History.objects.count(), PromiseChange.objects.count()) == before
        change = move(shop, order, hours=3 + len(how), told=how, told_to="沈示例")
        told = change.telling
        assert (told.how, told.told_to, told.told_by) == (how, "沈示例", shop.employee)
        assert said in tellings_of(order)[0].how
    assert not Message.objects.filter(template="workshop.promise").exists()
    assert not to_tell(shop.advisor).exists()
    page = desk_of(shop).get(reverse("order-detail", args=[order.uid])).content.decode()
    assert f"由{shop.employee.name}告知" in page


def test_what_nobody_has_told_stands_on_todays_page_until_somebody_has(shop: Shop) -> None:
    order = make_order(shop)
    change = move(shop, order, told="NOT_YET")
    assert list(to_tell(shop.advisor)) == [change]
    desk = desk_of(shop)
    tell = reverse("order-promise-told", args=[order.uid])
    assert tell in desk.get(reverse("today")).content.decode()
    assert tell in desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert desk.post(tell, {"form_token": uuid4(), "how": "PHONE", "told_to": ""}).status_code == 422
    assert desk.post(tell, {"form_token": uuid4(), "how": "PHONE", "told_to": "沈示例"}).status_code == 302
    assert PromiseTelling.objects.get().change == change
    assert History.objects.filter(code=events.PROMISE_TOLD).count() == 1
    assert not to_tell(shop.advisor).exists()
    assert tell not in desk.get(reverse("today")).content.decode()
    with rule("promise.is_told"):
        orders.tell_promise(order_uid=order.uid, how="PHONE", told_to="沈示例", by=shop.advisor)


@pytest.mark.parametrize(
    ("state", "missing"), [("QUEUED", False), ("SENT", False), ("FAILED", True), ("UNCERTAIN", True)]
)
def test_a_message_counts_where_it_leaves(shop: Shop, state: str, missing: bool) -> None:
    order = make_order(shop)
    move(shop, order)
    Message.objects.filter(template="workshop.promise").update(
        state=state, sent_at=clock.now() if state == "SENT" else None
    )
    [told] = tellings_of(order)
    assert (told.missing, to_tell(shop.advisor).exists(), told.at is not None) == (missing, missing, state == "SENT")


def test_only_the_time_that_stands_is_to_be_told(shop: Shop, refused: Any) -> None:
    order = make_order(shop)
    first = move(shop, order, told="NOT_YET")
    last = move(shop, order, hours=5, told="NOT_YET")
    assert list(to_tell(shop.advisor)) == [last]
    insert = (
        "INSERT INTO workshop_promisetelling (uid, version, created_at, updated_at, change_id, how, told_to, told_by_id,"
        " told_at) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'PHONE', %s, %s, %s)"
    )
    now = clock.now()
    with refused("promisetelling_of_the_promise") as sql:
        sql(insert, [first.pk, "沈示例", shop.employee.pk, now])
    with refused("promisetelling_of_the_promise") as sql:
        sql(insert, [last.pk, "沈示例", shop.employee.pk, last.at - timedelta(minutes=1)])
    with refused("promisetelling_told_to") as sql:
        sql(insert, [last.pk, "", shop.employee.pk, now])
    orders.tell_promise(order_uid=order.uid, how="IN_PERSON", told_to="沈示例", by=shop.advisor)
    for statement in ("UPDATE workshop_promisetelling SET told_to = 'x'", "DELETE FROM workshop_promisetelling"):
        with refused("promisetelling_append_only") as sql:
            sql(statement)
    with refused("promisechange_told_by_somebody") as sql:  # who told it has to stand there
        sql(
            "INSERT INTO workshop_promisechange (uid, version, created_at, updated_at, order_id, after, reason, told, at)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, now(), 'x', 'PHONE', now())",
            [order.pk],
        )


def test_nothing_to_tell_and_no_such_way(shop: Shop) -> None:
    order = make_order(shop)
    with rule("promise.none"):
        orders.tell_promise(order_uid=order.uid, how="PHONE", told_to="沈示例", by=shop.advisor)
    for wrong in ("AGREED", "PIGEON"):
        with rule("promise.told"):
            move(shop, order, told=wrong)
    with rule("promise.told"):
        orders.tell_promise(order_uid=order.uid, how="NOT_YET", told_to="沈示例", by=shop.advisor)


def test_the_api(shop: Shop) -> None:
    order = make_order(shop)
    client = ApiCaller("workshop:write", "personal:read", store=shop.store, acts_for=shop.advisor.user)
    later = {"promised_at": (clock.now() + timedelta(hours=4)).isoformat(), "reason": "等待配件"}
    path = f"repair-orders/{order.uid}"
    problem(client.act(path, "change-promise", later | {"told": "PHONE"}), 409, "promise.told_to")
    client.act(path, "change-promise", later | {"told": "NOT_YET"})
    [change] = client.get(f"promise-changes?repair_order_uid={order.uid}").json()["data"]
    assert (change["told"], change["reason"]) == ("NOT_YET", "等待配件")
    said = {"repair_order_uid": str(order.uid), "how": "PHONE", "told_to": "沈示例"}
    made = client.post("promise-tellings", said).json()
    assert (made["promise_change_uid"], made["told_by_uid"]) == (change["uid"], str(shop.employee.uid))
    problem(client.post("promise-tellings", said), 409, "promise.is_told")
