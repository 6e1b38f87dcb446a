"""What a visit needs decided, pictured and looked up by program: approvals, photos of lines, clauses (1.1, 1.2, 3.2)."""

from __future__ import annotations

import pytest

from dealership.process.clauses import CLAUSES
from tests.exchange.other_ways import photo
from tests.factories.api import ApiCaller, problem
from tests.factories.workshop import Shop, add_operation, make_order, make_shop
from workshop.models import LinePhoto

pytestmark = pytest.mark.django_db
SCOPES = ("workshop:write", "delivery:write", "kernel:write")


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def test_goodwill_is_asked_by_one_and_decided_by_another(shop) -> None:
    advisor = ApiCaller(*SCOPES, store=shop.store, acts_for=shop.advisor.user)
    manager = ApiCaller(*SCOPES, store=shop.store, acts_for=shop.manager.user)
    order = make_order(shop)
    asked = advisor.post("approvals", {"repair_order_uid": str(order.uid), "amount": "20.00", "reason": "等太久"})
    said = asked.json()
    assert (asked.status_code, said["state"], said["amount"]) == (201, "ASKED", "20.00")
    assert said["subject_uid"] == str(order.uid)
    path = f"approvals/{said['uid']}"
    assert advisor.get(path).json()["transitions"] == ["withdraw"]
    problem(advisor.act(path, "decide", {"approve": True}), 403, "permission")
    problem(manager.act(path, "withdraw"), 409, "approval.not_asker")
    decided = manager.act(path, "decide", {"approve": True, "answer": "同意"}).json()
    assert (decided["state"], decided["transitions"]) == ("APPROVED", [])
    problem(manager.act(path, "decide", {"approve": False}), 409, "state.move")
    other = advisor.post(
        "approvals", {"repair_order_uid": str(order.uid), "amount": "5.00", "reason": "再少一点"}
    ).json()
    assert advisor.act(f"approvals/{other['uid']}", "withdraw").json()["state"] == "WITHDRAWN"
    assert [row["state"] for row in manager.get("approvals").json()["data"]] == ["WITHDRAWN", "APPROVED"]


def test_a_system_that_is_nobody_neither_asks_nor_decides(shop) -> None:
    system = ApiCaller(*SCOPES, store=shop.store)
    body = {"repair_order_uid": str(make_order(shop).uid), "amount": "20.00", "reason": "等太久"}
    problem(system.post("approvals", body), 409, "approval.person")
    assert system.get("approvals").json()["data"] == []


def test_a_line_is_pictured(shop) -> None:
    advisor = ApiCaller(*SCOPES, store=shop.store, acts_for=shop.advisor.user)
    line = add_operation(shop, make_order(shop), "BR-10")
    path = f"labor-operations/{line.uid}"
    assert advisor.act(path, "add-photo", {"content": photo()}).status_code == 200
    assert LinePhoto.objects.filter(line=line).count() == 1
    problem(advisor.act(path, "add-photo", {"content": "bm8="}), 409, "file.kind")


def test_the_manuals_clauses_in_the_callers_language(shop) -> None:
    anybody = ApiCaller("events:read", store=shop.store)
    said = anybody.get("clauses?limit=100", Accept_Language="en").json()
    assert [row["number"] for row in said["data"]] == list(CLAUSES)
    assert said["data"][0]["title"] == "Definition and goals"
    second = anybody.get("clauses?chapter=2&limit=1").json()
    assert (second["data"][0]["chapter"], second["has_more"], second["next_cursor"]) == (2, True, "1")
