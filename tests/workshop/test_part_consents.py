"""Domain 3.3: what isn't new is issued only when the customer has agreed to it in writing."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.services import set_setting
from tests.factories.api import ApiCaller, problem
from tests.factories.not_new import PAD, USED, agreed
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import Shop, make_shop
from tests.workshop.test_stock import keeper
from workshop.limits import UNASKED_DEFAULTS, UNASKED_UP_TO
from workshop.models import AuthorizationMethod, OrderLine, PartLine
from workshop.part_consent_models import PartConsent
from workshop.selectors import part_consents as reads
from workshop.services import part_consents, stock

pytestmark = pytest.mark.django_db
DRAWN = "data:image/png;base64," + b64encode(make_picture(kind="PNG")).decode()


@pytest.fixture
def shop() -> Shop:
    return make_shop()


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


def test_the_customer_signs_on_the_link_for_what_was_shown(shop: Shop, client: Client) -> None:
    row = agreed(shop)
    token = row.line.order.visit.link.token
    where = reverse("visit-link-parts", args=[token, row.line.uid])
    assert where in client.get(reverse("visit-link", args=[token])).content.decode()
    page = client.get(where).content.decode()
    assert "拆车件" in page
    (seen,) = reads.consents_of([row.line])
    said = {"signed_by": "沈示例", "seen_hash": seen.seen_hash, "signature": DRAWN}

    def post(**fields: Any) -> int:
        return client.post(where, said | {"form_token": str(uuid4())} | fields).status_code

    assert post(seen_hash="0" * 64) == 422
    assert post(signature="") == 422
    assert post(signed_by="") == 422
    assert post(on_paper="on", signature="") == 422
    assert not PartConsent.objects.exists()
    assert post() == 302
    made = PartConsent.objects.get()
    assert (made.signed_name, made.on_paper, made.taken_by, made.parts) == ("沈示例", False, None, seen.read)
    assert issue(shop, row).issued_quantity == 1
    assert client.get(where).status_code == 302
    assert where not in client.get(reverse("visit-link", args=[token])).content.decode()
    other = agreed(shop)
    assert client.get(reverse("visit-link-parts", args=[token, other.line.uid])).status_code == 404


def test_two_taps_keep_one_consent(shop: Shop, client: Client) -> None:
    row = agreed(shop)
    where = reverse("visit-link-parts", args=[row.line.order.visit.link.token, row.line.uid])
    (seen,) = reads.consents_of([row.line])
    said = {"signed_by": "沈示例", "seen_hash": seen.seen_hash, "signature": DRAWN}
    said["form_token"] = str(uuid4())
    assert [client.post(where, said).status_code for _ in range(2)] == [302, 302]
    assert PartConsent.objects.count() == 1
