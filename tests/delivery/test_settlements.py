"""4.1: the settlement list, from what was done to the signature; what is refused writes nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from dealership.catalogue.models import PartKind, PayType
from dealership.kernel import registry
from dealership.kernel.actors import customer_link
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import Approval, History
from dealership.kernel.money import line_amount
from delivery import rules
from delivery.models import UNPAID_EXIT, Settlement, SettlementLine
from delivery.selectors.settlements import spent_by
from delivery.services.payments import take_payment
from delivery.services.settlements import (
    ask_unpaid_exit,
    issue_settlement,
    sign_settlement,
    still_open,
    void_settlement,
)
from reception.services.segments import SPENT
from tests.factories.delivery import (
    add_line,
    certify,
    inspect,
    make_order,
    make_ready,
    make_team,
    make_visit,
    move_line,
    work,
)
from tests.factories.departed import make_departed
from tests.factories.kernel import make_store
from tests.factories.reception import make_customer, rule
from workshop.models import LineState, OrderKind, OrderLine, OrderStage, PartLine, RepairOrder
from workshop.services.orders import withdraw_line

MONEY = st.decimals(min_value=0, max_value=99999, places=2)


def rows() -> tuple[int, ...]:
    return (Settlement.objects.count(), SettlementLine.objects.count(), History.objects.count())


def finish(line: OrderLine) -> None:
    for step in (LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED):
        line.state = step
        line.save()


@pytest.mark.django_db
def test_a_list_keeps_labour_and_material_apart_and_freezes_its_lines():
    team = make_team(make_store("BJ01"))
    order = make_ready(team, hours=Decimal("1.50"), discount=Decimal("20.00"))
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert (settlement.labor_total, settlement.material_total, settlement.discount_total, settlement.total) == (
        Decimal("360.00"),
        Decimal("100.00"),
        Decimal("20.00"),
        Decimal("440.00"),
    )
    assert settlement.number.startswith("JS-BJ01-")
    assert settlement.number.endswith("-0001")
    assert (settlement.guarantee_days, settlement.guarantee_km, settlement.old_parts) == (10, 2000, "LEAVE")
    assert [(r.kind, r.description, r.quantity, r.amount) for r in settlement.lines.order_by("kind")] == [
        ("DISCOUNT", "更换机油机滤", Decimal("1.00"), Decimal("20.00")),
        ("LABOR", "更换机油机滤", Decimal("1.50"), Decimal("360.00")),
        ("MATERIAL", "机油滤清器", Decimal("1.00"), Decimal("100.00")),
    ]
    order.refresh_from_db()
    assert (order.stage, order.lines.get().settled) == (OrderStage.SETTLED, True)
    line = History.objects.get(code="delivery.settlement.issued")
    assert (line.root_uid, line.order_uid, line.visit_uid) == (settlement.uid, order.uid, order.visit.uid)
    assert (line.facts["total"], line.changed) == ("440.00", {"state": [None, "ISSUED"]})


@pytest.mark.django_db
def test_numbers_of_a_store_have_no_gap_even_after_a_refusal_and_a_void():
    team = make_team(make_store("GZ01"))
    first = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    void_settlement(uid=first.uid, reason="工时录错", by=team.advisor)
    with rule("settlement.not_ready"):
        issue_settlement(order_uid=make_order(make_visit(team), team).uid, by=team.advisor)
    second = issue_settlement(order_uid=first.order.uid, by=team.advisor)
    assert [n[-4:] for n in (first.number, second.number)] == ["0001", "0002"]


@pytest.mark.django_db
def test_a_withdrawn_line_is_charged_for_the_work_done_and_the_parts_that_stay():
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team)
    line = add_line(
        order,
        hours=Decimal("2.00"),
        state=LineState.IN_PROGRESS,
        parts=[
            {"quantity": "4.00", "price": "60.00", "issued": "1.00", "name": "刹车片"},
            {"quantity": "1.00", "price": "500.00", "issued": "0.00", "name": "刹车盘"},
        ],
    )
    work(line, team.people["technician"], minutes=30)
    withdraw_line(line_uid=line.uid, reason="客户撤单", by=team.advisor)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert (settlement.labor_total, settlement.material_total, settlement.total) == (
        Decimal("120.00"),
        Decimal("60.00"),
        Decimal("180.00"),
    )
    assert [(r.description, r.quantity) for r in settlement.lines.filter(kind="MATERIAL")] == [
        ("刹车片", Decimal("1.00"))
    ]
    assert (settlement.guarantee_days, settlement.guarantee_km) == (0, 0)


@pytest.mark.django_db
def test_what_the_maker_pays_stands_on_the_customers_list_at_nothing():
    team = make_team()
    order = make_order(make_visit(team), team)
    own = {"kind": PartKind.CUSTOMER_SUPPLIED, "price": "0.00", "issued": "0.00", "name": "自带雨刮"}
    line = add_line(order, pay_type=PayType.WARRANTY, parts=[{}, own])
    finish(line)
    inspect(order, team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert (settlement.total, settlement.lines.count()) == (Decimal("0.00"), 3)


@pytest.mark.django_db
def test_an_insurer_pays_the_insurance_order():
    team = make_team()
    insurer = make_customer(name="示例保险", kind="COMPANY")
    order = make_order(make_visit(team), team, customer=insurer, kind=OrderKind.INSURANCE)
    line = add_line(order, pay_type=PayType.INSURANCE)
    finish(line)
    inspect(order, team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert (settlement.payer, settlement.total) == (insurer, Decimal("240.00"))


@pytest.mark.django_db
def test_the_strongest_category_gives_the_guarantee_and_needs_its_certificate():
    team = make_team()
    order = make_ready(team, category="ASSEMBLY")
    finished = rows()
    with rule("settlement.certificate"):
        issue_settlement(order_uid=order.uid, by=team.advisor)
    assert rows() == finished
    certify(order, team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert (settlement.guarantee_days, settlement.guarantee_km) == (100, 20000)


@pytest.mark.django_db
def test_open_work_reserved_parts_and_an_empty_order_are_refused_and_write_nothing():
    team = make_team()
    order = make_ready(team)
    open_line = add_line(order, state=LineState.PENDING)
    declined = make_order(make_visit(team), team)
    before = rows()
    with rule("settlement.not_ready"):
        issue_settlement(order_uid=order.uid, by=team.advisor)
    move_line(open_line, LineState.DECLINED)
    PartLine.objects.filter(line__order=order).update(reserved_quantity=Decimal("1.00"))
    with rule("settlement.parts"):
        issue_settlement(order_uid=order.uid, by=team.advisor)
    add_line(declined, state=LineState.DECLINED)
    with rule("settlement.nothing"):
        issue_settlement(order_uid=declined.uid, by=team.advisor)
    assert rows() == before
    assert not OrderLine.objects.filter(settled=True).exists()


@pytest.mark.django_db
def test_one_live_list_per_order_and_who_may_not_issue():
    team = make_team()
    order = make_ready(team)
    with pytest.raises(NotAllowed):
        issue_settlement(order_uid=order.uid, by=team.technician)
    issue_settlement(order_uid=order.uid, by=team.cashier)
    before = rows()
    with rule("settlement.exists"):
        issue_settlement(order_uid=order.uid, by=team.advisor)
    with pytest.raises(RepairOrder.DoesNotExist):
        issue_settlement(order_uid=order.uid, by=make_team().advisor)
    assert rows() == before


@pytest.mark.django_db
def test_the_customer_signs_on_the_link_of_this_visit_only():
    team = make_team()
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    stranger = customer_link(visit_id=make_visit(team).pk, store_id=team.store.pk, token_id="x")
    with pytest.raises(Settlement.DoesNotExist):
        sign_settlement(uid=settlement.uid, signed_name="陌生人", by=stranger)
    holder = customer_link(visit_id=order.visit_id, store_id=team.store.pk, token_id="y")
    with rule("settlement.signature"):
        sign_settlement(uid=settlement.uid, signed_name="  ", by=holder)
    signed = sign_settlement(uid=settlement.uid, signed_name=" 李  送修 ", by=holder)
    assert (signed.state, signed.signed_name) == ("SIGNED", "李 送修")
    line = History.objects.get(code="delivery.settlement.signed")
    assert (line.actor_kind, line.changed, "李" in str(line.facts)) == ("LINK", {"state": ["ISSUED", "SIGNED"]}, False)
    with rule("state.move"):
        sign_settlement(uid=settlement.uid, signed_name="李送修", by=holder)


@pytest.mark.django_db
def test_a_list_is_voided_before_its_signature_only_and_opens_its_lines():
    team = make_team()
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    with rule("settlement.reason"):
        void_settlement(uid=settlement.uid, reason=" ", by=team.advisor)
    void_settlement(uid=settlement.uid, reason="漏了优惠", by=team.advisor)
    order.refresh_from_db()
    assert (order.stage, order.settled_at, order.lines.get().settled) == (OrderStage.READY, None, False)
    again = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=again.uid, signed_name="李送修", by=team.advisor)
    with rule("settlement.final"):
        void_settlement(uid=again.uid, reason="后悔", by=team.advisor)
    with pytest.raises(NotAllowed):
        void_settlement(uid=again.uid, reason="后悔", by=team.cashier)


@pytest.mark.django_db
def test_an_unpaid_exit_is_asked_for_what_is_open():
    team = make_team()
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("300.00"), by=team.cashier)
    approval = ask_unpaid_exit(uid=settlement.uid, reason="公司月结", by=team.cashier)
    assert (approval.kind, approval.root_uid, approval.amount) == (UNPAID_EXIT, settlement.uid, Decimal("40.00"))
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("40.00"), by=team.cashier)
    with rule("unpaid_exit.nothing_open"):
        ask_unpaid_exit(uid=settlement.uid, reason="再来一次", by=team.cashier)
    assert Approval.objects.count() == 1
    assert still_open(settlement) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("orderline_settled_is_final", "UPDATE workshop_orderline SET cause = 'x'"),
        ("orderline_released_by_void", "UPDATE workshop_orderline SET settled = false, rate = 1"),
        ("orderline_settled_is_final", "DELETE FROM workshop_orderline"),
        ("orderline_released_by_void", "UPDATE workshop_orderline SET settled = false"),
        ("partline_settled_is_final", "UPDATE workshop_partline SET amount = 1"),
        ("settlement_amounts_fixed", "UPDATE delivery_settlement SET total = 1, labor_total = 1, material_total = 0"),
        ("settlement_amounts_fixed", "DELETE FROM delivery_settlement"),
        ("settlement_signature", "UPDATE delivery_settlement SET state = 'SIGNED', signed_at = now()"),
        ("settlement_void_reason", "UPDATE delivery_settlement SET state = 'VOIDED'"),
        ("settlement_moves", "INSERT INTO delivery_settlement SELECT (jsonb_populate_record(s, '{\"id\": 999999,"
         " \"state\": \"SIGNED\"}'::jsonb)).* FROM delivery_settlement s"),
        ("settlement_one_live", "INSERT INTO delivery_settlement SELECT (jsonb_populate_record(s, jsonb_build_object("
         "'id', 999999, 'uid', gen_random_uuid(), 'number', 'JS-X'))).* FROM delivery_settlement s"),
        ("settlement_sum", "INSERT INTO delivery_settlement SELECT (jsonb_populate_record(s, jsonb_build_object("
         "'id', 999999, 'uid', gen_random_uuid(), 'number', 'JS-X', 'total', 1))).* FROM delivery_settlement s"),
        ("settlementline_append_only", "UPDATE delivery_settlementline SET amount = 1"),
        ("settlementline_append_only", "DELETE FROM delivery_settlementline"),
        ("settlement_adds_up", "INSERT INTO delivery_settlementline (settlement_id, kind, position, description, code,"
         " brand, part_kind, quantity, unit_price, amount)"
         " SELECT id, 'OTHER', 9, 'x', '', '', '', 1, 5, 5 FROM delivery_settlement"),
    ],
)  # fmt: skip
def test_the_database_refuses_to_change_what_was_settled(refused, constraint, statement):
    team = make_team()
    issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    before = snapshot()
    with refused(constraint) as sql:
        sql(statement)
    assert snapshot() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    ["UPDATE delivery_settlement SET signed_name = 'x'", "UPDATE delivery_settlement SET old_parts = 'TAKE'"],
)
def test_a_signed_list_stays_as_it_was_signed(refused, statement):
    team = make_team()
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    before = snapshot()
    with refused("settlement_signed_is_final") as sql:
        sql(statement)
    assert snapshot() == before


def snapshot() -> list[tuple]:
    """Every row of what a list stands on."""
    found: list[tuple] = []
    with connection.cursor() as cursor:
        for table in ("workshop_orderline", "workshop_partline", "delivery_settlement", "delivery_settlementline"):
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")
            found += cursor.fetchall()
    return found


row = st.builds(
    lambda kind, quantity, price: rules.Row(kind, "x", quantity, price, line_amount(quantity, price)),
    st.sampled_from(["LABOR", "MATERIAL", "OTHER", "DISCOUNT"]),
    st.decimals(min_value=0, max_value=100, places=2),
    MONEY,
)


@given(st.lists(row, max_size=30))
def test_the_total_is_labour_and_material_and_other_without_the_discount(made):
    totals = rules.add_up(made)
    signed = [r.amount if r.kind != "DISCOUNT" else -r.amount for r in made]
    assert totals.total == sum(signed, Decimal("0.00"))
    assert totals.total == totals.labor + totals.material + totals.other - totals.discount
    assert all(value == value.quantize(Decimal("0.01")) for value in (totals.labor, totals.total))


@given(total=MONEY, parts=st.lists(MONEY, max_size=5))
def test_what_is_open_falls_by_what_is_paid_and_rises_by_what_is_given_back(total, parts):
    there_and_back = parts + [-part for part in parts]
    assert rules.open_amount(total, there_and_back) == total
    assert rules.open_amount(total, parts) + sum(parts, Decimal("0.00")) == total


def test_a_guarantee_is_declared_for_every_category():
    from dealership.catalogue.models import RepairCategory

    table = registry.LIMITS["workshop.guarantee"].default
    assert set(table) == set(RepairCategory.values)
    assert rules.strongest_guarantee(["MINOR", "SECOND_MAINTENANCE"], table) == (30, 5000)
    assert rules.strongest_guarantee([], table) == (0, 0)


@pytest.mark.django_db
def test_what_a_customer_was_asked_to_pay_counts_for_the_tier():
    """2.3: lists since a moment, without the voided ones, by payer."""
    _house, order = make_departed()
    settlement = order.settlements.get()
    long_ago = settlement.issued_at - timedelta(days=1)
    payer = settlement.payer_id
    assert spent_by(1, payer, long_ago) == {payer: settlement.total}
    assert spent_by(payer + 1, payer + 99, long_ago) == {}
    assert spent_by(1, payer, settlement.issued_at + timedelta(seconds=1)) == {}
    assert spent_by in SPENT
