"""Domain 3.3: what isn't new is issued only when the customer has agreed to it in writing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.services import set_setting
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import Shop, make_order, make_shop, part
from tests.workshop.test_stock import keeper, receive
from workshop.limits import UNASKED_DEFAULTS, UNASKED_UP_TO
from workshop.models import AuthorizationMethod, OrderLine, PartLine
from workshop.part_consent_models import PartConsent
from workshop.services import authorizations, orders, part_consents, stock

pytestmark = pytest.mark.django_db
USED = "TRN-ASSY-U1"
PHONE, PAD = AuthorizationMethod.VERBAL_PHONE, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def agreed(shop: Shop, method: str | None = PHONE, *, pay_type: str = "CUSTOMER_PAY", number: str = USED) -> PartLine:
    """A line with one such part in stock, agreed to by ``method``; None: sent only."""
    order = make_order(shop, with_diagnosis=False)
    given = {"description": "更换变速箱", "hours": Decimal(1), "pay_type": pay_type, "category": "MINOR"}
    line = orders.add_line(order_uid=order.uid, parts=[(part(number).uid, Decimal(1))], by=shop.advisor, **given)
    receive(shop, part(number), 1)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    if method and pay_type == "CUSTOMER_PAY":
        authorizations.decide_lines(
            order_uid=order.uid, decisions={line.uid: (True, "")}, method=method, authorized_by="沈示例",
            note="电话同意", signature=make_picture() if method == PAD else None, by=shop.advisor,
        )  # fmt: skip
    return PartLine.objects.get(line=line)


def issue(shop: Shop, row: PartLine) -> PartLine:
    return stock.issue_part(part_line_uid=row.uid, by=keeper(shop))


def sign(shop: Shop, line: OrderLine, **given: Any) -> PartConsent:
    return part_consents.sign_part_consent(line_uid=line.uid, signed_name="沈示例", by=shop.advisor, **given)


@pytest.mark.parametrize("pay_type", ["CUSTOMER_PAY", "INTERNAL"])
def test_a_spoken_yes_and_another_payer_leave_the_consent_to_be_signed(
    shop: Shop, client: Client, pay_type: str
) -> None:
    set_setting(
        key=UNASKED_UP_TO, value=dict.fromkeys(UNASKED_DEFAULTS, 99_999), starts_on=clock.today(), by=machine("t")
    )
    row = agreed(shop, pay_type=pay_type)
    client.force_login(shop.advisor.user)
    address = reverse("line-part-consent", args=[row.line.uid])
    page = client.get(reverse("order-detail", args=[row.line.order.uid])).content.decode()
    assert "缺少客户的书面同意" in page
    assert address in page
    with rule("part.consent"):
        issue(shop, row)
    assert "拆车件" in client.get(address).content.decode()
    with rule("signature.empty"):
        sign(shop, row.line, signature=b"")
    with rule("part_consent.signature"):
        sign(shop, row.line)
    made = sign(shop, row.line, signature=make_picture())
    assert made.parts == [{"number": USED, "name": row.part.name, "kind": "USED", "quantity": "1.00"}]
    with rule("part_consent.signed"):
        sign(shop, row.line, on_paper=True)
    assert issue(shop, row).issued_quantity == 1
    assert "缺少客户的书面同意" not in client.get(reverse("order-detail", args=[row.line.order.uid])).content.decode()


@pytest.mark.parametrize("method", [PAD, AuthorizationMethod.IN_PERSON_PHYSICAL_SIGNATURE])
def test_a_yes_in_writing_covers_it(shop: Shop, method: str) -> None:
    row = agreed(shop, method)
    with rule("part_consent.signed"):
        sign(shop, row.line, on_paper=True)
    assert issue(shop, row).issued_quantity == 1
    assert not PartConsent.objects.exists()


def test_a_new_part_asks_for_none(shop: Shop) -> None:
    row = agreed(shop, number="BRK-PAD-F")
    with rule("part_consent.none"):
        sign(shop, row.line, on_paper=True)
    assert issue(shop, row).issued_quantity == 1


def test_link_desk_and_contract_say_it_before_the_yes(shop: Shop, client: Client) -> None:
    order = agreed(shop, None).line.order
    link = client.get(reverse("visit-link-decide", args=[order.visit.link.token, order.uid])).content.decode()
    assert "您签字即书面同意" in link
    client.force_login(shop.advisor.user)
    assert "口头同意后" in client.get(reverse("order-decide", args=[order.uid])).content.decode()
    assert "托修方签字即同意" in client.get(reverse("contract", args=[order.uid])).content.decode()


def test_the_database_refuses_it_too(shop: Shop, refused: Any) -> None:
    row = agreed(shop)
    with refused("partline_not_new_in_writing") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 1 WHERE id = %s", [row.pk])
    new = agreed(shop, number="BRK-PAD-F")
    said = (
        "INSERT INTO workshop_partconsent (uid, version, created_at, updated_at, line_id, decision_id, parts, signed_name,"
        " on_paper, signed_at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, '[]', %s, %s, now())"
    )
    with refused("partconsent_of_its_line") as sql:  # nothing of it is used
        sql(said, [new.line_id, new.line.authorizations.get().pk, "沈示例", True])
    with refused("partconsent_of_its_line") as sql:  # another line's agreement
        sql(said, [row.line_id, new.line.authorizations.get().pk, "沈示例", True])
    decision = row.line.authorizations.get().pk
    with refused("partconsent_drawn") as sql:
        sql(said, [row.line_id, decision, "沈示例", False])
    with refused("partconsent_name") as sql:
        sql(said, [row.line_id, decision, "", True])
    sign(shop, row.line, on_paper=True)
    with refused("partconsent_append_only") as sql:
        sql("UPDATE workshop_partconsent SET signed_name = 'x'")


def test_another_system_says_that_the_paper_was_signed(shop: Shop) -> None:
    row = agreed(shop)
    caller = ApiCaller("workshop:write", store=shop.store, acts_for=shop.advisor.user)
    body = {"labor_operation_uid": str(row.line.uid), "signed_name": "沈示例"}
    assert caller.post("part-consents", body).status_code == 201
    problem(caller.post("part-consents", body), 409, "part_consent.signed")
