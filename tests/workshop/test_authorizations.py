"""The customer's decisions line by line, and what the database refuses around them (3.2)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import (
    PHONE,
    YES,
    Shop,
    add_operation,
    agree_all,
    link_actor,
    make_order,
    make_shop,
    part,
)
from tests.workshop.test_orders import run_together
from workshop.models import Authorization, AuthorizationMethod, Estimate, OrderLine, PartLine, RepairOrder
from workshop.services import authorizations, orders

pytestmark = pytest.mark.django_db
PORTAL = AuthorizationMethod.DIGITAL_PORTAL
DESK = AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def asked(shop: Shop) -> RepairOrder:
    """An order whose diagnosis, brakes (safety) and wipers await the customer."""
    order = make_order(shop)
    add_operation(shop, order, "BR-20")
    add_operation(shop, order, "EL-10")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    return RepairOrder.objects.get(pk=order.pk)


def lines(order: RepairOrder) -> list[OrderLine]:
    return list(order.lines.order_by("position"))


def decide(order: RepairOrder, decisions, **values):
    given = {
        "method": PORTAL,
        "authorized_by": "沈示例",
        "by": link_actor(order),
        "seen_hash": order.estimates.order_by("-number").first().seen_hash,
    } | values
    return authorizations.decide_lines(
        order_uid=order.uid, decisions={line.uid: answer for line, answer in decisions.items()}, **given
    )


def states(order: RepairOrder) -> list[str]:
    return [line.state for line in lines(order)]


# --- what the page says ---


def test_an_offer_to_check_is_no_finding_yet(shop: Shop) -> None:
    order = make_order(shop)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    address = reverse("visit-link", args=[order.visit.link.token])
    said = Client().get(address).content.decode()
    assert "1 项报价，等您决定" in said
    assert "检查发现" not in said
    brakes = add_operation(shop, order, "BR-20")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    said = Client().get(address).content.decode()
    assert brakes.description in said
    assert "检查发现 2 项，等您决定" in said


# --- success ---


def test_each_line_is_decided_on_the_link(asked: RepairOrder) -> None:
    diagnosis, brakes, wipers = lines(asked)
    decide(asked, {diagnosis: YES, brakes: YES, wipers: (False, "太贵")}, signature=PNG)
    assert states(asked) == ["AUTHORIZED", "AUTHORIZED", "DECLINED"]
    asked.refresh_from_db()
    assert asked.stage == "AUTHORIZED"
    wipers.refresh_from_db()
    assert (wipers.declined_reason, wipers.authorized_amount) == ("太贵", None)
    rows = list(Authorization.objects.order_by("id"))
    assert [(r.status, r.amount, r.method) for r in rows] == [
        ("APPROVED", Decimal("85.00"), PORTAL),
        ("APPROVED", Decimal("1426.00"), PORTAL),
        ("DECLINED", Decimal("115.00"), PORTAL),
    ]
    assert len({r.signature_id for r in rows}) == 1
    assert rows[0].signature.media_type == "image/png"
    said = list(
        History.objects.filter(code__startswith="workshop.line.", actor_kind="LINK").values_list("code", flat=True)
    )
    assert sorted(said) == ["workshop.line.authorized", "workshop.line.authorized", "workshop.line.declined"]


def test_an_undecided_line_stays_open_and_stops_nothing(asked: RepairOrder) -> None:
    diagnosis, _brakes, _wipers = lines(asked)
    decide(asked, {diagnosis: YES})
    assert states(asked) == ["AUTHORIZED", "PENDING", "PENDING"]
    asked.refresh_from_db()
    assert asked.stage == "AUTHORIZED"


def test_by_telephone_with_a_note_and_at_the_desk_with_a_signature(shop: Shop, asked: RepairOrder) -> None:
    diagnosis, brakes, _wipers = lines(asked)
    decide(asked, {diagnosis: YES}, method=PHONE, note="沈示例 10:20 来电同意", by=shop.advisor)
    decide(asked, {brakes: YES}, method=DESK, signature=PNG, by=shop.advisor, seen_hash="")
    assert states(asked) == ["AUTHORIZED", "AUTHORIZED", "PENDING"]


def test_declining_what_concerns_safety_needs_the_signed_risk(asked: RepairOrder) -> None:
    _diagnosis, brakes, _wipers = lines(asked)
    with rule("authorization.risk"):
        decide(asked, {brakes: (False, "下次再做")})
    assert not Authorization.objects.exists()
    decide(asked, {brakes: (False, "下次再做")}, note="已知晓制动风险，自愿暂不维修")
    assert Authorization.objects.get().note == "已知晓制动风险，自愿暂不维修"


def test_a_declined_line_is_offered_again_in_a_new_version(shop: Shop, asked: RepairOrder) -> None:
    _diagnosis, _brakes, wipers = lines(asked)
    decide(asked, {wipers: (False, "太贵")})
    with rule("line.decided"):
        decide(asked, {wipers: YES})
    assert authorizations.offer_again(line_uid=wipers.uid, by=shop.advisor).state == "DRAFT"
    with rule("line.not_declined"):
        authorizations.offer_again(line_uid=wipers.uid, by=shop.advisor)
    orders.send_estimate(order_uid=asked.uid, by=shop.advisor)
    decide(asked, {wipers: YES})
    assert states(asked)[2] == "AUTHORIZED"


def test_the_first_look_is_recorded_once(asked: RepairOrder) -> None:
    estimate = asked.estimates.get()
    first = authorizations.note_estimate_viewed(estimate_uid=estimate.uid, by=link_actor(asked)).first_viewed_at
    assert authorizations.note_estimate_viewed(estimate_uid=estimate.uid, by=link_actor(asked)).first_viewed_at == first
    assert History.objects.filter(code="workshop.estimate.viewed").count() == 1


# --- refusals ---


def test_a_stale_page_decides_nothing(shop: Shop, asked: RepairOrder) -> None:
    diagnosis, _brakes, _wipers = lines(asked)
    old = asked.estimates.get().seen_hash
    add_operation(shop, asked, "AC-10")
    orders.send_estimate(order_uid=asked.uid, by=shop.advisor)
    with rule("estimate.stale"):
        decide(asked, {diagnosis: YES}, seen_hash=old)
    with rule("estimate.stale"):
        decide(asked, {diagnosis: YES}, seen_hash="")
    assert not Authorization.objects.exists()


def test_a_line_changed_meanwhile_is_told(shop: Shop, asked: RepairOrder) -> None:
    _diagnosis, _brakes, wipers = lines(asked)
    orders.change_line(line_uid=wipers.uid, hours=Decimal("0.5"), by=shop.advisor)
    with rule("line.decided"):
        decide(asked, {wipers: YES})
    assert not Authorization.objects.exists()


def test_all_or_nothing(shop: Shop, asked: RepairOrder) -> None:
    diagnosis, _brakes, wipers = lines(asked)
    orders.cancel_line(line_uid=wipers.uid, reason="写错了", by=shop.advisor)
    with rule("line.decided"):
        decide(asked, {diagnosis: YES, wipers: YES})
    assert states(asked)[0] == "PENDING"


def test_an_expired_offer(asked: RepairOrder) -> None:
    with clock.moved_to(clock.now() + timedelta(hours=73)), rule("estimate.expired"):
        decide(asked, {lines(asked)[0]: YES})
    assert not Authorization.objects.exists()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"authorized_by": " "}, "authorization.name"),
        ({"method": PHONE}, "authorization.method"),
        ({"method": "SHOUTED"}, "authorization.method"),
    ],
)
def test_who_and_how(asked: RepairOrder, values: dict, code: str) -> None:
    with rule(code):
        decide(asked, {lines(asked)[0]: YES}, **values)
    assert states(asked) == ["PENDING"] * 3


def test_a_spoken_yes_needs_a_note_and_a_right(shop: Shop, asked: RepairOrder) -> None:
    line = lines(asked)[0]
    with rule("authorization.note"):
        decide(asked, {line: YES}, method=PHONE, by=shop.advisor)
    with rule("authorization.method"):
        decide(asked, {line: YES}, method=PORTAL, by=shop.advisor)
    with pytest.raises(NotAllowed):
        decide(asked, {line: YES}, method=PHONE, note="x", by=make_actor("technician", store=shop.store))
    with rule("authorization.empty"):
        decide(asked, {})
    assert not Authorization.objects.exists()


def test_a_link_opens_no_other_visit(shop: Shop, asked: RepairOrder) -> None:
    other = make_order(shop)
    with pytest.raises(RepairOrder.DoesNotExist):
        decide(asked, {lines(asked)[0]: YES}, by=link_actor(other))


# --- taking back ---


def test_a_yes_is_taken_back_before_work(shop: Shop, asked: RepairOrder) -> None:
    wipers = lines(asked)[2]
    agree = dict.fromkeys(lines(asked), YES)
    decide(asked, agree)
    with rule("line.reason"):
        authorizations.revoke_line(line_uid=wipers.uid, reason="", by=shop.advisor)
    authorizations.revoke_line(line_uid=wipers.uid, reason="客户来电取消", by=shop.advisor)
    wipers.refresh_from_db()
    assert (wipers.state, wipers.authorized_amount) == ("DECLINED", None)
    assert Authorization.objects.filter(line=wipers).values_list("status", flat=True).last() == "REVOKED"
    assert History.objects.filter(code="workshop.line.revoked").count() == 1


def test_after_work_has_begun_only_a_withdrawal(shop: Shop, asked: RepairOrder) -> None:
    line = lines(asked)[0]
    decide(asked, {line: YES})
    OrderLine.objects.filter(pk=line.pk).update(state="IN_PROGRESS")
    with rule("line.begun"):
        authorizations.revoke_line(line_uid=line.uid, reason="x", by=shop.advisor)
    assert not Authorization.objects.filter(status="REVOKED").exists()


# --- races ---


@pytest.mark.django_db(transaction=True)
def test_two_deciders_of_one_line() -> None:
    shop = make_shop()
    order = make_order(shop)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    order = RepairOrder.objects.get(pk=order.pk)
    line = lines(order)[0]
    ends = run_together(
        lambda: decide(order, {line: YES}),
        lambda: decide(order, {line: (False, "")}, method=PHONE, note="来电拒绝", by=shop.advisor),
    )
    assert ends == ["done", "line.decided"]
    assert Authorization.objects.count() == 1


# --- the database itself ---


def test_a_line_isnt_born_agreed_nor_jumps(shop: Shop, refused) -> None:
    order = make_order(shop)
    with refused("orderline_moves") as sql:
        sql("UPDATE workshop_orderline SET state = 'INSPECTED', authorized_amount = 1 WHERE order_id = %s", [order.pk])
    with refused("orderline_moves") as sql:
        sql(
            "INSERT INTO workshop_orderline (uid, version, created_at, updated_at, order_id, position, description, "
            "category, pay_type, hours, rate, discount, labor_amount, is_diagnosis, is_addition, is_safety, "
            "extra_minutes, complaint, cause, correction, state, declined_reason, authorized_amount, settled) VALUES "
            "(gen_random_uuid(), 1, now(), now(), %s, 9, 'x', 'MINOR', 'CUSTOMER_PAY', 1, 1, 0, 1, false, false, "
            "false, 0, '', '', '', 'AUTHORIZED', '', 1, false)",
            [order.pk],
        )
    assert states(order) == ["DRAFT"]


def test_work_needs_an_amount(shop: Shop, refused) -> None:
    order = make_order(shop)
    with refused("orderline_agreed_amount") as sql:
        sql("UPDATE workshop_orderline SET state = 'AUTHORIZED' WHERE order_id = %s", [order.pk])
    assert states(order) == ["DRAFT"]


def test_what_the_customer_has_seen_is_fixed(asked: RepairOrder, refused) -> None:
    line = lines(asked)[1]
    for change in ("hours = 9", "labor_amount = 1", "description = 'x'", "pay_type = 'INTERNAL'", "discount = 5"):
        with refused("orderline_agreed_is_fixed") as sql:
            sql(f"UPDATE workshop_orderline SET {change} WHERE id = %s", [line.pk])
    line.refresh_from_db()
    assert (line.hours, line.labor_amount, line.pay_type) == (Decimal("1.80"), Decimal("306.00"), "CUSTOMER_PAY")


def test_parts_the_customer_has_seen_are_fixed(asked: RepairOrder, refused) -> None:
    line = lines(asked)[1]
    pad = line.part_lines.first()
    for statement in (
        "UPDATE workshop_partline SET amount = 1 WHERE id = %s",
        "UPDATE workshop_partline SET quantity = 5 WHERE id = %s",
        "DELETE FROM workshop_partline WHERE id = %s",
    ):
        with refused("partline_agreed_is_fixed") as sql:
            sql(statement, [pad.pk])
    with refused("partline_agreed_is_fixed"):
        PartLine.objects.create(line=line, part=part("WIP-PAIR-01"), quantity=1, unit_price=1, amount=1)
    assert (line.part_lines.count(), line.part_lines.first().amount) == (2, Decimal("560.00"))


def test_the_stage_follows_from_the_lines(asked: RepairOrder, refused) -> None:
    with refused("repairorder_stage_is_derived") as sql:
        sql("UPDATE workshop_repairorder SET stage = 'READY' WHERE id = %s", [asked.pk])
    asked.refresh_from_db()
    assert asked.stage == "AWAITING_AUTHORIZATION"


def test_a_sent_estimate_is_locked(asked: RepairOrder, refused) -> None:
    estimate = asked.estimates.get()
    for statement in (
        "UPDATE workshop_estimate SET total = 1 WHERE id = %s",
        "UPDATE workshop_estimate SET content = '{}' WHERE id = %s",
        "UPDATE workshop_estimate SET seen_hash = 'x' WHERE id = %s",
        "DELETE FROM workshop_estimate WHERE id = %s",
    ):
        with refused("estimate_locked") as sql:
            sql(statement, [estimate.pk])
    assert Estimate.objects.get().seen_hash == estimate.seen_hash


def test_a_decision_is_never_changed(asked: RepairOrder, refused) -> None:
    decide(asked, {lines(asked)[0]: YES})
    row = Authorization.objects.get()
    for statement in (
        "UPDATE workshop_authorization SET amount = 1 WHERE id = %s",
        "DELETE FROM workshop_authorization WHERE id = %s",
    ):
        with refused("authorization_append_only") as sql:
            sql(statement, [row.pk])
    assert Authorization.objects.get().amount == row.amount


def test_a_spoken_yes_without_note_isnt_kept(asked: RepairOrder, refused) -> None:
    line = lines(asked)[0]
    with refused("authorization_phone_note"):
        Authorization.objects.create(
            order=asked, line=line, status="APPROVED", method=PHONE, amount=1, authorized_by="沈示例"
        )
    assert not Authorization.objects.exists()


def test_parts_go_out_for_agreed_work_only(asked: RepairOrder, refused) -> None:
    pad = lines(asked)[1].part_lines.first()
    with refused("partline_issue_needs_agreement") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 1 WHERE id = %s", [pad.pk])
    pad.refresh_from_db()
    assert pad.issued_quantity == 0


def test_agreed_work_keeps_its_promise_rows(shop: Shop, asked: RepairOrder, refused) -> None:
    orders.change_promise(
        order_uid=asked.uid, promised_at=clock.now() + timedelta(hours=2), reason="等配件", by=shop.advisor
    )
    with refused("promisechange_append_only") as sql:
        sql("UPDATE workshop_promisechange SET reason = 'x' WHERE order_id = %s", [asked.pk])
    assert asked.promise_changes.get().reason == "等配件"


def test_agree_all_leaves_nothing_open(shop: Shop) -> None:
    order = agree_all(shop, make_order(shop))
    assert states(order) == ["AUTHORIZED"]
