"""3.2: a payer agrees in advance to additions up to an amount of a visit; more is asked about, and it is taken back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import Message
from reception.models import Customer
from reception.services.contacts import add_contact
from reception.services.customers import register_customer
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import Shop, link_actor, make_order, make_received_visit, make_shop
from workshop.models import Authorization, OrderLine, RepairOrder
from workshop.services import authorizations, orders, standing
from workshop.standing_models import StandingConsent

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def fleet(shop: Shop) -> Customer:
    company = register_customer(name="示例车队有限公司", phone="13800000001", kind="COMPANY", by=shop.manager)
    add_contact(customer_uid=company.uid, name="李试管", phone="13800000002", roles=["AUTHORISES"], by=shop.manager)
    return company


@pytest.fixture
def order(shop: Shop, fleet: Customer) -> RepairOrder:
    visit = make_received_visit(shop, customer_uid=fleet.uid)
    return make_order(shop, visit=visit, with_diagnosis=False)


def give(shop: Shop, fleet: Customer, up_to: int = 500, **more: Any) -> StandingConsent:
    given: dict[str, Any] = {"given_by": "李试管", "how": "PHONE", "note": "李经理来电", "up_to": Decimal(up_to)}
    given["ends_on"] = clock.today() + timedelta(days=30)
    return standing.give_standing_consent(customer_uid=fleet.uid, by=shop.advisor, **(given | more))


def addition(shop: Shop, order: RepairOrder, name: str, fee: int, **more: Any) -> OrderLine:
    cost = {"hours": Decimal(0), "fee_amount": Decimal(fee), "fee_note": "外协"}
    line = orders.add_line(
        order_uid=order.uid, description=name, by=shop.advisor, **({"is_addition": True} | cost | more)
    )
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    line.refresh_from_db()
    return line


def test_additions_within_it_go_ahead_and_the_customer_is_told(shop: Shop, fleet: Customer, order: RepairOrder) -> None:
    consent = give(shop, fleet)
    first = addition(shop, order, "换灯泡", 300)
    said = first.authorizations.get()
    assert (first.state, said.method, said.authorized_by) == (
        "AUTHORIZED", "AUTOMATED_POLICY_PREAUTHORIZATION", "李试管",
    )  # fmt: skip
    assert (said.standing, said.estimate) == (consent, order.estimates.get())
    told = Message.objects.get(template="workshop.standing")
    assert "换灯泡" in told.body
    assert not Message.objects.filter(template="workshop.estimate").exists()
    more = addition(shop, order, "换雨刮", 201)  # 501 in all
    assert more.state == "PENDING"
    assert Message.objects.filter(template="workshop.estimate").count() == 1
    rest = addition(shop, order, "补胎", 200)
    assert rest.state == "AUTHORIZED"


def test_what_is_taken_back_before_work_is_free_again(shop: Shop, fleet: Customer, order: RepairOrder) -> None:
    give(shop, fleet)
    line = addition(shop, order, "换灯泡", 400)
    authorizations.revoke_line(line_uid=line.uid, reason="不用了", by=link_actor(order), signature=make_picture())
    assert addition(shop, order, "换雨刮", 450).state == "AUTHORIZED"


def test_only_additions_of_the_customers_own_in_its_days(shop: Shop, fleet: Customer, order: RepairOrder) -> None:
    consent = give(shop, fleet)
    assert addition(shop, order, "保养", 100, is_addition=False).state == "PENDING"
    with clock.moved_to(clock.now() + timedelta(days=31)):
        assert addition(shop, order, "换灯泡", 100).state == "PENDING"
    standing.end_standing_consent(uid=consent.uid, reason="车队要求逐项确认", by=shop.advisor)
    assert addition(shop, order, "补胎", 100).state == "PENDING"
    with rule("standing.ended"):
        standing.end_standing_consent(uid=consent.uid, reason="再来", by=shop.advisor)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"given_by": "王司机"}, "standing.who"),
        ({"up_to": Decimal(0)}, "standing.amount"),
        ({"how": "PHONE", "note": ""}, "standing.note"),
        ({"how": "FAX"}, "standing.how"),
        ({"ends_on": clock.today() - timedelta(days=1)}, "standing.days"),
    ],
)
def test_who_may_give_it_and_how(shop: Shop, fleet: Customer, more: dict[str, Any], code: str) -> None:
    with rule(code):
        give(shop, fleet, **more)
    give(shop, fleet)
    with rule("standing.exists"):
        give(shop, fleet)


def test_the_persons_own_limit_holds_too(shop: Shop, fleet: Customer, order: RepairOrder) -> None:
    person = fleet.contacts.get()
    person.authorises_up_to = Decimal(500)
    person.save(update_fields=["authorises_up_to"])
    give(shop, fleet)
    orders.add_line(
        order_uid=order.uid,
        description="保养",
        hours=Decimal(0),
        fee_amount=Decimal(350),
        fee_note="x",
        by=shop.advisor,
    )
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    authorizations.decide_lines(
        order_uid=order.uid, decisions={order.lines.get().uid: (True, "")}, method="VERBAL_PHONE",
        authorized_by="李试管", note="来电", by=shop.advisor,
    )  # fmt: skip
    assert addition(shop, order, "换雨刮", 200).state == "PENDING"  # 350 + 200 is more than an order


def test_the_customers_page_shows_it_and_takes_it_back(shop: Shop, fleet: Customer, client: Client) -> None:
    client.force_login(shop.advisor.user)
    page = reverse("customer-detail", args=[fleet.uid])
    assert reverse("standing-new", args=[fleet.uid]) in client.get(page).content.decode()
    body = {"up_to": "500", "given_by": "李试管", "how": "PAPER", "ends_on": str(clock.today())}
    assert client.post(reverse("standing-new", args=[fleet.uid]), body).status_code == 302
    consent = StandingConsent.objects.get()
    shown = client.get(page).content.decode()
    assert "每次到店增项 ¥500.00 以内无须再问" in shown
    assert client.post(reverse("standing-end", args=[consent.uid]), {"reason": "客户要求"}).status_code == 302
    consent.refresh_from_db()
    assert consent.ended_reason == "客户要求"


def test_the_database_holds_it(shop: Shop, fleet: Customer, order: RepairOrder, refused: Any) -> None:
    consent = give(shop, fleet)
    asked = addition(shop, order, "大项", 600)
    said = (
        "INSERT INTO workshop_authorization (uid, version, created_at, updated_at, order_id, line_id, status, method,"
        " amount, authorized_by, contact_id, standing_id, note, reason, decline_cause, at) VALUES (gen_random_uuid(), 1,"
        " now(), now(), %s, %s, 'APPROVED', 'AUTOMATED_POLICY_PREAUTHORIZATION', %s, '李试管', %s, %s, '', '', '', now())"
    )
    person = fleet.contacts.get().pk
    with refused("authorization_by_standing_consent") as sql:  # more than the visit's
        sql(said, [order.pk, asked.pk, 600, person, consent.pk])
    with refused("authorization_by_standing_consent") as sql:  # a policy without a consent
        sql(said, [order.pk, asked.pk, 100, person, None])
    with refused("standingconsent_fixed") as sql:
        sql("UPDATE workshop_standingconsent SET up_to = 99999")
    with refused("standingconsent_kept") as sql:
        sql("DELETE FROM workshop_standingconsent")
    add = (
        "INSERT INTO workshop_standingconsent (uid, version, created_at, updated_at, customer_id, up_to, given_by, how,"
        " note, starts_on, ends_on, given_at, ended_reason) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s,"
        " '', current_date, current_date, now(), '')"
    )
    with refused("standingconsent_by_who_may") as sql:
        sql(add, [fleet.pk, 500, "王司机", "PAPER"])
    with refused("standingconsent_one_live") as sql:
        sql(add, [fleet.pk, 500, "李试管", "PAPER"])
    standing.end_standing_consent(uid=consent.uid, reason="重新约定", by=shop.advisor)
    with refused("standingconsent_phone_note") as sql:
        sql(add, [fleet.pk, 500, "李试管", "PHONE"])
    with refused("standingconsent_ended_stays") as sql:
        sql("UPDATE workshop_standingconsent SET ended_at = NULL")
    with refused("authorization_by_standing_consent") as sql:  # taken back
        sql(said, [order.pk, asked.pk, 100, person, consent.pk])
    assert Authorization.objects.count() == 0


def test_another_system_writes_it_down(shop: Shop, fleet: Customer) -> None:
    caller = ApiCaller("workshop:write", store=shop.store, acts_for=shop.advisor.user)
    body = {
        "customer_uid": str(fleet.uid), "up_to": "500.00", "given_by": "李试管", "how": "PAPER",
        "ends_on": str(clock.today()),
    }  # fmt: skip
    assert caller.post("standing-consents", body).status_code == 201
    problem(caller.post("standing-consents", body), 409, "standing.exists")
