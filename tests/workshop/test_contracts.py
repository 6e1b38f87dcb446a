"""Domain 3.3: a written repair contract where the amount or the kind of repair asks for one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from compliance.services.archives import contract_facts
from dealership.kernel.saying import say_plate
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import Shop, agree_all, make_order, make_shop
from workshop import contract_rules
from workshop.contract_models import ContractSignature
from workshop.documents import contract_data, contract_pdf
from workshop.models import AuthorizationMethod, RepairOrder
from workshop.selectors.contracts import contract_of
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
