"""The insurer's yes below the price: written down at once, its difference open until somebody pays it (3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, outbox
from dealership.kernel.models import Approval, History, Message
from tests.factories.accidents import AGREES, assessed_below, make_accident, make_accident_order
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import Shop, link_actor, make_shop
from workshop.accident_models import Assessment
from workshop.difference_models import DifferenceConsent
from workshop.models import Authorization, OrderLine
from workshop.selectors.accidents import accident_file, differences_to_bear, own_share_of, price_of
from workshop.selectors.entitled import deciders_of
from workshop.services import accidents, authorizations, differences, orders

pytestmark = pytest.mark.django_db
OWNER = "沈示例"


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def bear(shop: Shop, line: OrderLine, **fields: Any) -> DifferenceConsent:
    said = {"agreed_by": OWNER, "method": "VERBAL_PHONE", "note": "来电同意自付差额", "by": shop.advisor} | fields
    return differences.bear_difference(line_uid=line.uid, **said)


def test_the_insurers_yes_is_written_down_below_the_price(shop: Shop) -> None:
    line = assessed_below(shop)
    assessment, price = Assessment.objects.get(), price_of(line)
    assert (assessment.state, assessment.agreed, assessment.amount) == ("AGREED", Decimal("300.00"), price)
    assert (line.state, Authorization.objects.count()) == ("PENDING", 0)
    (row,) = accident_file(line.order).differences
    assert (row.price, row.insured, row.open, row.reprice) == (price, Decimal("300.00"), price - 300, True)
    other = assessed_asked(shop)
    for wrong in ({uuid4(): Decimal(1)}, {other.rows.get().line.uid: Decimal(99_999)}, {other.rows.get().line.uid: 0}):
        with rule("assessment.amount"):
            accidents.agree_assessment(uid=other.uid, decided_by=AGREES, amounts=wrong, by=shop.advisor)


def assessed_asked(shop: Shop) -> Assessment:
    order = make_accident_order(shop)
    case, line = make_accident(shop, order), order.lines.get()
    return accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: price_of(line)}, by=shop.advisor)


def test_one_tap_prices_it_as_assessed_without_a_managers_limit(shop: Shop) -> None:
    line = assessed_below(shop)
    before = price_of(line)
    with rule("discount.amount"):
        orders.discount_line(line_uid=line.uid, amount=before * 2, reason="定损", by=shop.advisor)
    differences.price_as_assessed(line_uid=line.uid, by=shop.advisor)
    line = OrderLine.objects.get(pk=line.pk)
    assert (line.state, price_of(line), line.discount_kind) == ("AUTHORIZED", Decimal("300.00"), "ASSESSMENT")
    assert (line.authorized_amount, Approval.objects.count()) == (Decimal("300.00"), 0)
    told = History.objects.get(code="workshop.line.repriced")
    assert told.changed["price"] == [str(before), "300.00"]
    assert own_share_of(line.order) == 0
    with rule("difference.none"):
        differences.price_as_assessed(line_uid=line.uid, by=shop.advisor)
    orders.change_line(line_uid=line.uid, pay_type="CUSTOMER_PAY", by=shop.advisor)
    line = OrderLine.objects.get(pk=line.pk)  # somebody else pays what it costs
    assert (line.state, line.discount, line.discount_kind, price_of(line)) == ("DRAFT", 0, "", Decimal("696.00"))


def test_the_customer_bears_the_difference(shop: Shop) -> None:
    line = assessed_below(shop, own_share=Decimal(50), share_agreed_by=OWNER)
    left = price_of(line) - 300
    for code, fields in (
        ("authorization.note", {"note": " "}),
        ("authorization.name", {"agreed_by": " "}),
        ("authorization.method", {"method": "DIGITAL_PORTAL"}),
        ("difference.changed", {"amount": left - 1}),
    ):
        with rule(code):
            bear(shop, line, **fields)
    assert own_share_of(line.order) == 50
    consent = bear(shop, line, amount=left)
    line.refresh_from_db()
    agreed = Authorization.objects.get(line=line)
    assert (consent.amount, line.state, agreed.authorized_by) == (left, "AUTHORIZED", AGREES)
    assert own_share_of(line.order) == 50 + left
    assert deciders_of(line.order).agreed == 300  # the insurer's person has agreed to no more
    assert History.objects.filter(code="workshop.difference.agreed").count() == 1
    with rule("difference.none"):
        bear(shop, line)
    authorizations.revoke_line(line_uid=line.uid, reason="不修了", risk="已告知风险", by=shop.advisor)
    consent.refresh_from_db()
    assert (consent.ended_at is not None, own_share_of(line.order)) == (True, 50)


def test_a_supplement_closes_the_difference(shop: Shop) -> None:
    line = assessed_below(shop)
    case, left = line.order.accident, price_of(line) - 300
    orders.add_line_photo(line_uid=line.uid, content=make_picture("red"), by=shop.advisor)
    more = accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: left}, reason="备件涨价", by=shop.advisor)
    accidents.agree_assessment(uid=more.uid, decided_by=AGREES, by=shop.advisor)
    line.refresh_from_db()
    assert (line.state, line.authorized_amount) == ("AUTHORIZED", left + 300)
    with rule("assessment.agreed"):
        accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: left}, reason="再加", by=shop.advisor)


def test_nobody_works_for_what_nobody_pays(shop: Shop, refused: Any) -> None:
    line = assessed_below(shop)
    left = price_of(line) - 300
    said = {"method": "VERBAL_PHONE", "authorized_by": AGREES, "note": "电话", "by": shop.advisor}
    with refused("authorization_within_assessment"):
        authorizations.decide_lines(order_uid=line.order.uid, decisions={line.uid: (True, "")}, **said)
    write = {"line": line, "agreed_by": OWNER, "method": "VERBAL_PHONE", "note": "x", "at": clock.now()}
    with refused("differenceconsent_of_customer"):
        DifferenceConsent.objects.create(amount=left - 1, **write)
    with refused("differenceconsent_as_it_says"):
        DifferenceConsent.objects.create(amount=left, **write | {"note": ""})
    dearer, free = (
        assessed_below(shop, "600.00"),
        "state = 'DRAFT', discount = round(hours * rate, 2), labor_amount = 0",
    )
    for kind in ("", ", discount_kind = 'ASSESSMENT'"):  # below the assessment a post's limit holds
        with refused("orderline_discount_within_limit") as sql:
            sql(f"UPDATE workshop_orderline SET {free}{kind} WHERE id = %s", [dearer.pk])
    with refused("orderline_assessed_discount") as sql:
        sql(
            "UPDATE workshop_orderline SET state = 'DRAFT', pay_type = 'CUSTOMER_PAY', discount_kind = 'ASSESSMENT'"
            " WHERE id = %s",
            [line.pk],
        )
    with refused("assessmentrow_append_only") as sql:
        sql("UPDATE workshop_assessmentrow SET agreed_amount = 1 WHERE line_id = %s", [line.pk])
    consent = bear(shop, line)
    for change in ("amount = 1", "agreed_by = 'x'", "line_id = NULL"):
        with refused("differenceconsent_stays") as sql:
            sql(f"UPDATE workshop_differenceconsent SET {change} WHERE id = %s", [consent.pk])


def test_the_pages(shop: Shop) -> None:
    asked = assessed_asked(shop)
    line = asked.rows.get().line
    desk = Client()
    desk.force_login(shop.advisor.user)
    page, amount = reverse("order-detail", args=[line.order.uid]), f"amount_{line.uid}"
    agree = reverse("assessment-agree", args=[asked.uid])
    said = {"decided_by": AGREES, amount: "300"}
    assert desk.post(agree, said | {"form_token": uuid4(), amount: "99999"}).status_code == 422
    silent = desk.post(agree, said | {"form_token": uuid4()})
    assert silent.status_code == 422
    assert "请写下对方的说明" in silent.content.decode()
    assert desk.post(agree, said | {"form_token": uuid4(), "note": "按市价核定"}).status_code == 302
    shown = desk.get(page).content.decode()
    bears, reprice = (reverse(name, args=[line.uid]) for name in ("line-difference", "line-price-as-assessed"))
    assert all(words in shown for words in (bears, reprice, "按定损改价为 ¥300.00", "定损 ¥300.00"))
    left = price_of(line) - 300
    assert f"¥{left:,.2f}" in desk.get(bears).content.decode()
    told = {"method": "IN_PERSON_DIGITAL_SIGNATURE", "agreed_by": OWNER, "amount": str(left)}
    assert desk.post(bears, told | {"form_token": uuid4()}).status_code == 422
    told |= {"method": "IN_PERSON_PHYSICAL_SIGNATURE"}
    assert desk.post(bears, told | {"form_token": uuid4()}).status_code == 302
    assert "没有待定的差额" in desk.get(bears).content.decode()
    other = assessed_below(shop)
    assert desk.post(reverse("line-price-as-assessed", args=[other.uid]), {}).status_code == 302
    assert OrderLine.objects.get(pk=other.pk).state == "AUTHORIZED"


def test_the_insurer_is_asked_when_the_price_is_sent(shop: Shop) -> None:
    order = make_accident_order(shop)
    case, line = make_accident(shop, order), order.lines.get()
    orders.change_line(line_uid=line.uid, hours=Decimal("1.5"), by=shop.advisor)
    desk = Client()
    desk.force_login(shop.advisor.user)
    assess = reverse("accident-assess", args=[case.uid])
    shown = desk.get(assess).content.decode()
    assert "请先发送报价" in shown
    send = reverse("order-estimate", args=[order.uid])
    assert send in shown
    answer = desk.post(send, {"next": assess})
    assert answer.headers["Location"] == assess
    assert "请先发送报价" not in desk.get(assess).content.decode()


def test_the_api(shop: Shop) -> None:
    asked = assessed_asked(shop)
    line = asked.rows.get().line
    client = ApiCaller("workshop:write", "personal:read", store=shop.store, acts_for=shop.advisor.user)
    rows = [{"labor_operation_uid": str(line.uid), "amount": "300.00"}]
    agreed = client.act(f"assessments/{asked.uid}", "agree", {"decided_by": AGREES, "note": "核损", "rows": rows})
    assert agreed.json()["rows"][0]["agreed_amount"] == "300.00"
    body = {"labor_operation_uid": str(line.uid), "agreed_by": OWNER, "method": "VERBAL_PHONE", "amount": "1.00"}
    problem(client.post("difference-consents", body | {"note": "来电"}), 409, "difference.changed")
    made = client.post("difference-consents", body | {"note": "来电", "amount": str(price_of(line) - 300)})
    assert (made.status_code, made.json()["ended_at"]) == (201, None)
    other = assessed_below(shop)
    priced = client.act(f"labor-operations/{other.uid}", "price-as-assessed", {})
    assert priced.json()["state"] == "AUTHORIZED"


def on_link(line: OrderLine, **fields: Any) -> dict[str, Any]:
    (row,) = differences_to_bear(line.order.visit_id, link_actor(line.order))
    said = {"to": "yes", "signed_by": OWNER, "seen_hash": row.seen_hash, "form_token": str(uuid4())}
    return said | fields


def test_the_customer_bears_it_on_the_link_as_it_was_seen(shop: Shop, client: Client) -> None:
    line = assessed_below(shop)
    left = price_of(line) - 300
    token = line.order.visit.link.token
    where = reverse("visit-link-difference", args=[token, line.uid])
    home = client.get(reverse("visit-link", args=[token])).content.decode()
    assert where in home
    assert "未全额定损" in home
    page = client.get(where).content.decode()
    for said in ("我承担", f"{left:,.2f}", "我不承担"):
        assert said in page
    missing = client.post(where, on_link(line, to=""))
    assert (missing.status_code, "请选择是否承担差额" in missing.content.decode()) == (422, True)
    stale = client.post(where, on_link(line, seen_hash="0" * 64))
    assert stale.status_code == 422
    assert "未保存" in stale.content.decode()
    assert not DifferenceConsent.objects.exists()
    seen = on_link(line)
    assert client.post(where, seen).status_code == 302
    consent = DifferenceConsent.objects.get()
    line.refresh_from_db()
    assert (consent.method, consent.agreed, consent.amount) == ("DIGITAL_PORTAL", True, left)
    assert (consent.seen_hash, line.state) == (seen["seen_hash"], "AUTHORIZED")
    assert client.get(where).status_code == 302  # nothing is open any more
    other = assessed_below(shop)
    assert client.get(reverse("visit-link-difference", args=[token, other.uid])).status_code == 404


def test_a_no_on_the_link_is_kept_and_the_advisor_is_told(shop: Shop, client: Client) -> None:
    line = assessed_below(shop)
    where = reverse("visit-link-difference", args=[line.order.visit.link.token, line.uid])
    assert client.post(where, on_link(line, to="no", reason="等保险追加")).status_code == 302
    answer = DifferenceConsent.objects.get()
    line.refresh_from_db()
    assert (answer.agreed, answer.ended_at, answer.note, line.state) == (False, answer.at, "等保险追加", "PENDING")
    assert own_share_of(line.order) == 0
    outbox.drain()
    told = Message.objects.get(template="workshop.difference_declined")
    assert told.recipient_name == shop.employee.name
    assert "不承担" in told.body
    client.force_login(shop.advisor.user)
    assert f"{OWNER} 不承担差额" in client.get(reverse("order-detail", args=[line.order.uid])).content.decode()
    assert client.post(where, on_link(line)).status_code == 302  # they change their mind
    line.refresh_from_db()
    assert line.state == "AUTHORIZED"


def test_a_supplement_that_is_asked_for_asks_the_customer_nothing(shop: Shop) -> None:
    line = assessed_below(shop)
    case, left = line.order.accident, price_of(line) - 300
    orders.add_line_photo(line_uid=line.uid, content=make_picture("red"), by=shop.advisor)
    accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: left}, reason="备件涨价", by=shop.advisor)
    assert differences_to_bear(line.order.visit_id, link_actor(line.order)) == []


def test_the_database_keeps_what_was_seen_and_lets_a_no_hold_nothing(shop: Shop, refused: Any) -> None:
    line = assessed_below(shop)
    write = {"line": line, "amount": price_of(line) - 300, "agreed_by": OWNER, "note": "x"}
    with refused("differenceconsent_seen"):
        DifferenceConsent.objects.create(method="DIGITAL_PORTAL", **write)
    with refused("differenceconsent_no_holds_nothing"):
        DifferenceConsent.objects.create(method="VERBAL_PHONE", agreed=False, **write)
