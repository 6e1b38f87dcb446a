"""Domain 3.3: a written repair contract where the amount or the kind of repair asks for one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.saying import say_plate
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import Shop, agree_all, make_order, make_shop
from workshop import contract_rules
from workshop.contract_models import ContractSignature
from workshop.documents import contract_data, contract_pdf
from workshop.models import AuthorizationMethod, RepairOrder
from workshop.selectors.contracts import contract_facts, contract_of
from workshop.services import authorizations, contracts, orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def big(shop: Shop) -> RepairOrder:
    """An order of more than 2,000 CNY, sent."""
    order = make_order(shop)
    orders.add_line(order_uid=order.uid, description="示例大修", hours=Decimal(20), category="MINOR", by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    return order


def agree(shop: Shop, order: RepairOrder, method: str, **more: Any) -> None:
    open_lines = order.lines.filter(state="PENDING").values_list("uid", flat=True)
    authorizations.decide_lines(
        order_uid=order.uid,
        decisions=dict.fromkeys(open_lines, (True, "")),
        method=method,
        authorized_by="沈示例",
        note="电话同意全部项目",
        by=shop.advisor,
        **more,
    )


@pytest.mark.parametrize(
    ("total", "categories", "because"),
    [
        ("1999.99", ["MINOR"], ""),
        ("2000.00", ["MINOR"], "AMOUNT"),
        ("10.00", ["MINOR", "SECOND_MAINTENANCE"], "CATEGORY"),
        ("10.00", ["FIRST_MAINTENANCE", "SPECIAL"], ""),
        ("10.00", ["ASSEMBLY"], "CATEGORY"),
        ("9999.00", ["WHOLE_VEHICLE"], "CATEGORY"),
    ],
)
def test_when_a_contract_is_needed(total: str, categories: list[str], because: str) -> None:
    assert contract_rules.contract_because(Decimal(total), categories, least=Decimal(2000)) == because


def test_a_spoken_yes_leaves_the_contract_to_be_signed_and_the_pad_signs_it(shop: Shop, client: Client) -> None:
    order = big(shop)
    client.force_login(shop.advisor.user)
    assert "这份报价同时是维修合同" in client.get(reverse("order-decide", args=[order.uid])).content.decode()
    agree(shop, order, AuthorizationMethod.VERBAL_PHONE)
    page = client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert "维修合同尚未签字" in page
    contract = contract_of(order)
    assert contract is not None
    assert contract.signed_at is None
    with rule("signature.empty"):
        contracts.sign_contract(order_uid=order.uid, signed_name="沈示例", signature=b"", by=shop.advisor)
    contracts.sign_contract(order_uid=order.uid, signed_name="沈示例", signature=make_picture(), by=shop.advisor)
    signed = contract_of(order)
    assert signed is not None
    assert (signed.signed_by, contract_facts(order)["seen"]) == ("沈示例", contract.estimate.seen_hash)
    assert "维修合同尚未签字" not in client.get(reverse("order-detail", args=[order.uid])).content.decode()
    with rule("contract.signed"):
        contracts.sign_on_paper(order_uid=order.uid, signed_name="沈示例", by=shop.advisor)


def test_a_decision_in_writing_is_the_contract(shop: Shop) -> None:
    order = big(shop)
    agree(shop, order, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE, signature=make_picture())
    contract = contract_of(order)
    assert contract is not None
    assert contract.signed_by == "沈示例"
    assert not ContractSignature.objects.exists()


def test_a_small_order_has_none_and_the_link_shows_whom_it_concerns(shop: Shop, client: Client) -> None:
    small = make_order(shop)
    agree_all(shop, small)
    assert contract_of(small) is None
    order = big(shop)
    token = order.visit.link.token
    page = client.get(reverse("visit-link-decide", args=[token, order.uid])).content.decode()
    assert "这就是您的维修合同" in page
    paper = client.get(reverse("visit-link-contract", args=[token, order.uid]))
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
    assert client.get(reverse("visit-link-contract", args=[token, small.uid])).status_code == 404  # another visit's
    client.force_login(shop.advisor.user)
    assert "无需签订合同" in client.get(reverse("contract", args=[small.uid])).content.decode()
    assert client.get(reverse("contract-pdf", args=[small.uid])).content[:5] == b"%PDF-"
    draft = make_order(shop)
    assert "尚未发送报价" in client.get(reverse("contract", args=[draft.uid])).content.decode()
    assert client.get(reverse("contract-pdf", args=[draft.uid])).status_code == 404


def test_the_paper_says_what_the_law_asks_for(shop: Shop) -> None:
    order = big(shop)
    contract = contract_of(order)
    assert contract is not None
    data = contract_data(contract)
    said = "".join([*data["terms"], *(value for pair in data["facts"] for value in pair)])
    for what in (
        say_plate(order.vehicle.plate),
        order.vehicle.vin,
        shop.store.name,
        "先征得",
        "质量保证",
        "交车",
        "工时",
    ):
        assert what in said, what
    assert data["total"][1] == f"¥{contract.estimate.total:,.2f}"
    assert contract_pdf(contract)[:5] == b"%PDF-"


def test_what_was_agreed_before_counts_and_is_named(shop: Shop) -> None:
    order = make_order(shop)
    orders.add_line(order_uid=order.uid, description="小项", hours=Decimal(8), by=shop.advisor)
    agree_all(shop, order)
    assert contract_of(order) is None
    before = sum(a.amount for a in order.authorizations.all())
    orders.add_line(order_uid=order.uid, description="增项", hours=Decimal(6), by=shop.advisor)
    sent = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    contract = contract_of(order)
    assert contract is not None
    assert (contract.agreed, contract.total) == (before, before + sent.total)
    data = contract_data(contract)
    assert f"¥{before:,.2f}" in data["before"]
    assert data["total"][1] == f"¥{before + sent.total:,.2f}"


def test_what_was_declined_asks_for_no_contract(shop: Shop, client: Client) -> None:
    order = big(shop)
    dear = order.lines.get(description="示例大修")
    said = {line.uid: (line != dear, "太贵") for line in order.lines.filter(state="PENDING")}
    authorizations.decide_lines(
        order_uid=order.uid, decisions=said, method=AuthorizationMethod.VERBAL_PHONE, authorized_by="沈示例",
        note="电话", by=shop.advisor,
    )  # fmt: skip
    client.force_login(shop.advisor.user)
    assert "维修合同尚未签字" not in client.get(reverse("order-detail", args=[order.uid])).content.decode()


def test_a_page_signs_on_paper_and_says_what_is_missing(shop: Shop, client: Client) -> None:
    order = big(shop)
    agree(shop, order, AuthorizationMethod.VERBAL_PHONE)
    client.force_login(shop.advisor.user)
    where = reverse("contract", args=[order.uid])
    missing = client.post(where, {"signed_name": "沈示例"})
    assert (missing.status_code, "勾选" in missing.content.decode()) == (422, True)
    assert client.post(where, {"signed_name": "沈示例", "on_paper": "on"}).status_code == 302
    assert ContractSignature.objects.get().on_paper


def test_programs_read_and_write_paper_signatures(shop: Shop) -> None:
    order = big(shop)
    agree(shop, order, AuthorizationMethod.VERBAL_PHONE)
    api = ApiCaller("workshop:read", "workshop:write", store=shop.store, acts_for=shop.advisor.user)
    answer = api.post("contract-signatures", {"repair_order_uid": str(order.uid), "signed_name": "沈示例"})
    assert (answer.status_code, answer.json()["on_paper"]) == (201, True)
    problem(
        api.post("contract-signatures", {"repair_order_uid": str(order.uid), "signed_name": "沈"}),
        409,
        "contract.signed",
    )


def addition(shop: Shop, order: RepairOrder, hours: int, name: str = "增项") -> RepairOrder:
    """Something more, sent and agreed to by telephone."""
    orders.add_line(order_uid=order.uid, description=name, hours=Decimal(hours), category="MINOR", by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    agree(shop, order, AuthorizationMethod.VERBAL_PHONE)
    return order


def test_an_addition_asks_for_a_supplement_when_what_is_not_signed_is_over_the_rule(shop: Shop, client: Client) -> None:
    order = big(shop)
    agree(shop, order, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE, signature=make_picture())
    first = contract_of(order)
    assert first is not None
    client.force_login(shop.advisor.user)
    where = reverse("order-detail", args=[order.uid])
    addition(shop, order, 2, "小增项")  # agreed on the telephone as the contract says: no second signature
    standing = contract_of(order)
    assert standing is not None
    assert (standing.number, standing.signed_by) == (first.number, "沈示例")
    assert "尚未签字" not in client.get(where).content.decode()
    addition(shop, order, 20, "大增项")
    due = contract_of(order)
    assert due is not None
    assert (due.signed_at, due.supplements, due.estimate.number) == (None, first.number, 3)
    assert "维修合同补充协议尚未签字" in client.get(where).content.decode()
    page = client.get(reverse("contract", args=[order.uid])).content.decode()
    assert f"{first.number} 的补充协议" in page
    data = contract_data(due)
    assert [row[1] for row in data["items"]] == ["大增项"]
    assert [row[0] for row in data["earlier"]] == [*[row["description"] for row in first.rows], "小增项"]
    assert sum((amount for _what, amount in due.before), Decimal(0)) == due.agreed
    assert contract_pdf(due)[:5] == b"%PDF-"
    contracts.sign_contract(order_uid=order.uid, signed_name="沈示例", signature=make_picture(), by=shop.advisor)
    page = client.get(where).content.decode()
    assert "尚未签字" not in page
    assert first.number in page
    assert due.number in page
    addition(shop, order, 2, "再加")  # covered up to here: what came since is small
    assert "尚未签字" not in client.get(where).content.decode()


def test_small_additions_add_up_until_they_ask_for_a_signature(shop: Shop) -> None:
    order = big(shop)
    agree(shop, order, AuthorizationMethod.VERBAL_PHONE)
    contracts.sign_on_paper(order_uid=order.uid, signed_name="沈示例", by=shop.advisor)
    for n in range(3):
        addition(shop, order, 6, f"增项{n}")
        found = contract_of(order)
        assert found is not None
        whole = sum((a.amount for a in order.authorizations.filter(line__description__startswith="增项")), Decimal(0))
        assert (found.signed_at is None) == (whole >= 2000), whole
    assert found.signed_at is None


def test_what_is_asked_now_is_read_before_what_was_signed(shop: Shop, client: Client) -> None:
    order = big(shop)
    agree(shop, order, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE, signature=make_picture())
    orders.add_line(order_uid=order.uid, description="增项", hours=Decimal(3), by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    asked = contract_of(order)
    assert asked is not None
    assert (asked.estimate.number, asked.signed_at) == (2, None)
    page = client.get(reverse("visit-link-decide", args=[order.visit.link.token, order.uid])).content.decode()
    assert "这是维修合同的补充协议" in page
    client.force_login(shop.advisor.user)
    first = client.get(reverse("contract", args=[order.uid]), {"version": "1"}).content.decode()
    assert "已书面同意" in first
    assert "客户签字" not in first


def test_an_old_contract_says_what_it_said_when_it_was_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    old = big(shop)
    agree(shop, old, AuthorizationMethod.VERBAL_PHONE)
    said = contract_of(old)
    assert said is not None
    monkeypatch.setitem(contract_rules.TERMS_OF, 99, lambda **facts: [f"第二版 {facts['place']}"])
    monkeypatch.setattr("workshop.selectors.contracts.TERMS", 99)
    new = big(shop)
    found, again = contract_of(new), contract_of(old)
    assert found is not None
    assert again is not None
    assert found.terms == [f"第二版 {shop.store.address or shop.store.name}"]
    assert (again.terms, contract_data(again)["terms"]) == (said.terms, said.terms)
    assert new.estimates.get().content["contract"]["terms"] == 99


INSERT = (
    "INSERT INTO workshop_contractsignature (uid, version, created_at, updated_at, order_id, estimate_id, signed_name,"
    " on_paper, signed_at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, now())"
)


def test_the_database_keeps_signatures(shop: Shop, refused: Any) -> None:
    order, small = big(shop), make_order(shop)
    agree_all(shop, small)
    estimate, other = order.estimates.get(), small.estimates.get()
    with refused("contractsignature_of_a_contract") as sql:
        sql(INSERT, [small.pk, other.pk, "沈", True])
    with refused("contractsignature_of_a_contract") as sql:
        sql(INSERT, [small.pk, estimate.pk, "沈", True])
    with refused("contractsignature_drawn") as sql:
        sql(INSERT, [order.pk, estimate.pk, "沈", False])
    agree(shop, order, AuthorizationMethod.VERBAL_PHONE)
    contracts.sign_on_paper(order_uid=order.uid, signed_name="沈示例", by=shop.advisor)
    with refused("contractsignature_append_only") as sql:
        sql("UPDATE workshop_contractsignature SET signed_name = '别人'", [])
