"""A yes is taken back, a no becomes a yes, until something was done for the line (3.2)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, outbox
from dealership.kernel.models import History, Message
from delivery.services.settlements import issue_settlement
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, inspect, make_order, make_team, make_visit
from tests.factories.floor import Floor, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from workshop.models import Authorization, Dispatch, LineHold, OrderLine
from workshop.selectors.changes import changeable
from workshop.services import authorizations, orders, sublets

pytestmark = pytest.mark.django_db
PHONE = "VERBAL_PHONE"


@pytest.fixture
def floor() -> Any:
    with clock_at(9):
        yield make_floor()


def revoke(floor: Floor, line: OrderLine, **fields: Any) -> OrderLine:
    return authorizations.revoke_line(line_uid=line.uid, **{"reason": "不修了", "by": floor.shop.advisor} | fields)


def test_a_yes_taken_back_is_a_no_and_the_floor_is_told(floor: Floor) -> None:
    person = floor.technician()
    _order, [line] = make_agreed(floor, "EL-10")
    floor.give(line, person)
    amount = line.authorized_amount
    line = revoke(floor, line)
    assert (line.state, line.authorized_amount, orders.line_total(line)) == ("DECLINED", None, amount)
    assert Authorization.objects.filter(line=line).order_by("-pk")[0].status == "REVOKED"
    assert not Dispatch.objects.filter(line=line, live=True).exists()
    told = History.objects.get(code="workshop.line.revoked")
    assert told.changed["state"] == ["AUTHORIZED", "DECLINED"]
    outbox.drain()
    names = set(Message.objects.filter(template="workshop.taken_back").values_list("recipient_name", flat=True))
    assert names == {person.name, floor.shop.employee.name}
    line = authorizations.agree_after_all(
        line_uid=line.uid, authorized_by="沈示例", note="又来电同意", by=floor.shop.advisor
    )
    assert (line.state, line.authorized_amount) == ("AUTHORIZED", amount)


def test_what_concerns_safety_needs_the_risk(floor: Floor) -> None:
    _order, [line] = make_agreed(floor, "BR-10")
    OrderLine.objects.filter(pk=line.pk).update(is_safety=True)
    with rule("authorization.risk"):
        revoke(floor, line)
    assert revoke(floor, line, risk="已说明制动风险").state == "DECLINED"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason": " "}, "line.reason"),
        ({"method": "DIGITAL_PORTAL"}, "authorization.method"),
        ({"method": "IN_PERSON_DIGITAL_SIGNATURE"}, "authorization.signature"),
    ],
)
def test_how_it_is_taken_back(floor: Floor, fields: dict[str, str], code: str) -> None:
    _order, [line] = make_agreed(floor, "EL-10")
    with rule(code):
        revoke(floor, line, **fields)
    line.refresh_from_db()
    assert line.state == "AUTHORIZED"


def test_not_once_it_went_to_outside_work(floor: Floor, refused: Any) -> None:
    _order, [line] = make_agreed(floor, "EL-10")
    with refused("orderline_taken_back_on_record") as sql:
        sql("UPDATE workshop_orderline SET state = 'DECLINED', authorized_amount = NULL WHERE id = %s", [line.pk])
    LineHold.objects.create(line=line, cause="SUBLET", started_at=clock.now(), ended_at=clock.now())
    with rule("line.begun"):
        revoke(floor, line)
    with refused("authorization_revoked_before_work"):
        Authorization.objects.create(
            order=line.order, line=line, status="REVOKED", method=PHONE, amount=1, authorized_by="沈示例", note="x"
        )
    assert changeable([line]) == set()


def test_a_no_holds_as_long_as_the_offer(floor: Floor) -> None:
    _order, [line] = make_agreed(floor, "EL-10")
    said = {"line_uid": line.uid, "authorized_by": "沈示例", "note": "来电", "by": floor.shop.advisor}
    with rule("line.not_declined"):
        authorizations.agree_after_all(**said)
    revoke(floor, line)
    with clock.moved_to(clock.now() + timedelta(hours=73)), rule("estimate.expired"):
        authorizations.agree_after_all(**said)
    for code, fields in (("authorization.note", {"note": ""}), ("authorization.name", {"authorized_by": " "})):
        with rule(code):
            authorizations.agree_after_all(**said | fields)
    OrderLine.objects.filter(pk=line.pk).update(hours=Decimal("0.1"), labor_amount=Decimal(1))
    with rule("estimate.stale"):
        authorizations.agree_after_all(**said)


def test_the_customer_changes_it_on_the_link(floor: Floor) -> None:
    order, [line] = make_agreed(floor, "EL-10")
    phone, token = Client(), order.visit.link.token
    link, page = reverse("visit-link", args=[token]), reverse("visit-link-change", args=[token, line.uid])
    assert page in phone.get(link).content.decode()
    assert "收回同意" in phone.get(page).content.decode()
    sent = {"form_token": uuid4(), "to": "no", "signed_by": "沈示例"}
    empty = phone.post(page, sent | {"reason": ""})
    assert empty.status_code == 422
    assert phone.post(page, sent | {"form_token": uuid4(), "reason": "改天再做"}).status_code == 302
    line.refresh_from_db()
    assert (line.state, line.declined_reason) == ("DECLINED", "改天再做")
    assert "改为同意" in phone.get(page).content.decode()
    seen = authorizations.offer_of(line)
    assert seen is not None
    yes = {"to": "yes", "signed_by": "沈示例"}
    assert phone.post(page, yes | {"form_token": uuid4(), "seen_hash": "x"}).status_code == 422
    assert phone.post(page, yes | {"form_token": uuid4(), "seen_hash": seen.seen_hash}).status_code == 302
    line.refresh_from_db()
    assert line.state == "AUTHORIZED"
    OrderLine.objects.filter(pk=line.pk).update(state="IN_PROGRESS")
    assert "收回同意" not in phone.get(page).content.decode()
    assert page not in phone.get(link).content.decode()
    other, _lines = make_agreed(floor, "EL-10")
    assert phone.get(reverse("visit-link-change", args=[other.visit.link.token, line.uid])).status_code == 404


def test_the_desk_and_the_api(floor: Floor) -> None:
    order, [line] = make_agreed(floor, "EL-10")
    desk = Client()
    desk.force_login(floor.shop.advisor.user)
    page, back = (reverse(name, args=[line.uid]) for name in ("line-revoke", "line-after-all"))
    told = {"method": PHONE, "revoked_by": "沈示例", "reason": "沈示例 10:20 来电取消"}
    assert desk.post(page, told | {"form_token": uuid4(), "method": "IN_PERSON_DIGITAL_SIGNATURE"}).status_code == 422
    assert desk.post(page, told | {"form_token": uuid4()}).status_code == 302
    assert back in desk.get(reverse("order-detail", args=[order.uid])).content.decode()
    yes = {"method": PHONE, "authorized_by": "沈示例", "note": "又同意"}
    assert desk.post(back, yes | {"form_token": uuid4()}).status_code == 302
    client = ApiCaller("workshop:write", "personal:read", store=floor.shop.store, acts_for=floor.shop.advisor.user)
    path = f"labor-operations/{line.uid}"
    assert client.act(path, "revoke", {"reason": "不修了"}).json()["state"] == "DECLINED"
    problem(client.act(path, "agree-after-all", {"authorized_by": "沈示例"}), 409, "authorization.note")
    assert (
        client.act(path, "agree-after-all", {"authorized_by": "沈示例", "note": "来电"}).json()["state"] == "AUTHORIZED"
    )


def test_nobody_is_billed_for_what_nobody_agreed_to(refused: Any) -> None:
    team = make_team()
    visit = make_visit(team)
    done, asked = make_order(visit, team), make_order(visit, team)
    add_line(done, state="INSPECTED")
    inspect(done, team)
    done.refresh_from_db()
    settlement = issue_settlement(order_uid=done.uid, by=team.advisor)
    statement = (
        "INSERT INTO delivery_settlementline (settlement_id, kind, position, order_line_id, description, code, brand,"
        " part_kind, quantity, unit_price, amount) VALUES (%s, 'LABOR', 9, %s, 'x', '', '', '', 1, 0, 0)"
    )
    for state in ("DRAFT", "AUTHORIZED"):
        with refused("settlementline_work_agreed") as sql:
            sql(statement, [settlement.pk, add_line(asked, state=state).pk])


def test_outside_work_that_has_not_gone_out_is_given_up_with_the_yes(floor: Floor, client: Client) -> None:
    _order, [line] = make_agreed(floor, "EL-10")
    foreman = floor.foreman
    row = sublets.order_sublet(
        line_uid=line.uid, supplier="示例机加工厂", work="缸盖磨平", leaves="PART", item="缸盖",
        agreed_cost=Decimal(380), expected_at=clock.now() + timedelta(hours=5), by=foreman,
    )  # fmt: skip
    client.force_login(floor.shop.advisor.user)
    page = client.get(reverse("line-revoke", args=[line.uid])).content.decode()
    assert f"外协 {row.number}" in page
    line = revoke(floor, line)
    row.refresh_from_db()
    assert (line.state, row.state) == ("DECLINED", "CANCELLED")
    assert "客户" in row.ended_reason
    outbox.drain()
    assert Message.objects.filter(template="workshop.taken_back", recipient_name="蒋试管").exists()


def test_outside_work_that_came_back_not_in_order_is_no_longer_taken_back(floor: Floor) -> None:
    _order, [line] = make_agreed(floor, "EL-10")
    foreman = floor.foreman
    row = sublets.order_sublet(
        line_uid=line.uid, supplier="示例机加工厂", work="缸盖磨平", leaves="NOTHING",
        agreed_cost=Decimal(380), expected_at=clock.now() + timedelta(hours=5), by=foreman,
    )  # fmt: skip
    sublets.send_sublet(uid=row.uid, by=foreman)
    with rule("line.begun"):
        revoke(floor, line)
    row.refresh_from_db()
    assert row.state == "SENT"
