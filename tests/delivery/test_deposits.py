"""预付, other fees, rounding and goodwill on a list (4.1, domain 3.3 and 3.5)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import outbox
from dealership.kernel.models import Approval, History, Message
from dealership.kernel.services import decide_approval
from delivery.models import Deposit, Payment, Settlement
from delivery.selectors.payments import day_close
from delivery.selectors.settlements import deposits_of, read_settlement
from delivery.services.deposits import deposit_left, return_deposit, take_deposit
from delivery.services.payments import refund_payment, take_payment
from delivery.services.settlements import (
    ask_goodwill,
    issue_settlement,
    sign_settlement,
    still_open,
    void_settlement,
)
from staff.models import Employee
from tests.factories.delivery import add_line, inspect, make_order, make_ready, make_team, make_visit
from tests.factories.reception import rule
from tests.factories.staff import actor_for, make_employee, make_store
from workshop.models import LineState

pytestmark = pytest.mark.django_db


def rows() -> tuple[int, int, int]:
    return (Deposit.objects.count(), Payment.objects.count(), History.objects.count())


def signed(order, team) -> Settlement:
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    return sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)


# --- deposits ---


def test_a_deposit_is_used_when_the_list_is_signed_and_the_rest_is_given_back():
    team = make_team()
    order = make_ready(team)  # 340.00
    deposit = take_deposit(order_uid=order.uid, method="SCAN_CODE", amount=Decimal("500.00"), by=team.cashier)
    assert History.objects.get(code="delivery.deposit.taken").facts["amount"] == "500.00"
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    paper = read_settlement(uid=settlement.uid, by=team.advisor)
    assert (paper.deposit, paper.due, paper.after_deposit) == (Decimal("500.00"), Decimal("340.00"), Decimal(0))
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    payment = Payment.objects.get()
    assert (payment.method, payment.amount, payment.deposit) == ("DEPOSIT", Decimal("340.00"), deposit)
    assert still_open(settlement) == 0
    assert deposit_left(deposit) == Decimal("160.00")
    before = rows()
    with rule("deposit.amount"):
        return_deposit(deposit_uid=deposit.uid, amount=Decimal("160.01"), reason="多收", by=team.accountant)
    assert rows() == before
    back = return_deposit(deposit_uid=deposit.uid, amount=Decimal("160.00"), reason="余额退回", by=team.accountant)
    assert (back.amount, back.method, back.reverses) == (Decimal("-160.00"), "SCAN_CODE", deposit)
    with rule("deposit.counter"):
        return_deposit(deposit_uid=back.uid, amount=Decimal("1.00"), reason="再退", by=team.accountant)
    assert [d.left for d in deposits_of(order)] == [Decimal("0.00")]


def test_a_deposit_counts_once_in_the_days_close():
    team = make_team()
    order = make_ready(team)
    take_deposit(order_uid=order.uid, method="CASH", amount=Decimal("100.00"), by=team.cashier)
    settlement = signed(order, team)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("240.00"), by=team.cashier)
    close = day_close(by=team.cashier)
    assert {sum_.method: sum_.taken for sum_ in close.methods} == {
        "CASH": Decimal("340.00"), "CARD": 0, "TRANSFER": 0, "SCAN_CODE": 0,
    }  # fmt: skip
    assert close.net == Decimal("340.00")


def test_a_refund_of_what_was_paid_from_a_deposit_goes_back_to_the_deposit():
    team = make_team()
    order = make_ready(team)
    deposit = take_deposit(order_uid=order.uid, method="CASH", amount=Decimal("100.00"), by=team.cashier)
    settlement = signed(order, team)
    used = Payment.objects.get()
    refund_payment(payment_uid=used.uid, amount=Decimal("40.00"), reason="多算", by=team.accountant)
    assert (still_open(settlement), deposit_left(deposit)) == (Decimal("280.00"), Decimal("40.00"))


def test_a_deposit_is_refused_where_it_makes_no_sense_and_nothing_is_written():
    team = make_team()
    order = make_ready(team)
    before = rows()
    for changes, code in (
        ({"amount": Decimal("0.00")}, "deposit.amount"),
        ({"amount": Decimal("-5.00")}, "deposit.amount"),
        ({"amount": Decimal("1.001")}, "deposit.amount"),
        ({"method": "DEPOSIT"}, "payment.method"),
    ):
        with rule(code):
            take_deposit(
                **{"order_uid": order.uid, "method": "CASH", "amount": Decimal("1.00"), "by": team.cashier} | changes
            )
    assert rows() == before
    settlement = signed(order, team)
    before = rows()
    with rule("deposit.signed"):
        take_deposit(order_uid=order.uid, method="CASH", amount=Decimal("1.00"), by=team.cashier)
    with rule("payment.method"):
        take_payment(settlement_uid=settlement.uid, method="DEPOSIT", amount=Decimal("1.00"), by=team.cashier)
    assert rows() == before


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("deposit_append_only", "UPDATE delivery_deposit SET amount = 1"),
        ("deposit_append_only", "DELETE FROM delivery_deposit"),
        (
            "deposit_refund_within",
            "INSERT INTO delivery_deposit (uid, version, created_at, updated_at, store_id, number, order_id, method, "
            "amount, reverses_id, reference, reason, at) SELECT gen_random_uuid(), 1, now(), now(), store_id, 'YT-X', "
            "order_id, method, -50.01, id, '', 'x', now() FROM delivery_deposit",
        ),
        (
            "payment_within_deposit",
            "INSERT INTO delivery_payment (uid, version, created_at, updated_at, store_id, number, settlement_id, "
            "method, amount, deposit_id, reference, reason, at) SELECT gen_random_uuid(), 1, now(), now(), d.store_id, "
            "'SK-X', s.id, 'DEPOSIT', 0.01, d.id, '', '', now() FROM delivery_deposit d "
            "JOIN delivery_settlement s ON s.order_id = d.order_id WHERE d.reference = 'used'",
        ),
        ("deposit_sign", "INSERT INTO delivery_deposit (uid, version, created_at, updated_at, store_id, number, "
            "order_id, method, amount, reference, reason, at) SELECT gen_random_uuid(), 1, now(), now(), store_id, "
            "'YS-X', order_id, method, -1, '', 'x', now() FROM delivery_deposit"),
        ("deposit_is_money", "INSERT INTO delivery_deposit (uid, version, created_at, updated_at, store_id, number, "
            "order_id, method, amount, reference, reason, at) SELECT gen_random_uuid(), 1, now(), now(), store_id, "
            "'YS-X', order_id, 'DEPOSIT', 1, '', '', now() FROM delivery_deposit"),
    ],
)  # fmt: skip
def test_the_database_holds_the_deposit(refused, name, statement):
    team = make_team()
    order = make_ready(team)
    if name == "payment_within_deposit":
        take_deposit(order_uid=order.uid, method="CASH", amount=Decimal("50.00"), reference="used", by=team.cashier)
        signed(order, team)
    else:
        take_deposit(order_uid=order.uid, method="CASH", amount=Decimal("50.00"), by=team.cashier)
    before = (list(Deposit.objects.values()), list(Payment.objects.values()))
    with refused(name) as sql:
        sql(statement)
    assert (list(Deposit.objects.values()), list(Payment.objects.values())) == before


def test_the_cashier_takes_a_deposit_and_the_accountant_gives_it_back_by_pages():
    team = make_team()
    order = make_ready(team)
    till, books = Client(), Client()
    till.force_login(team.cashier.user)
    books.force_login(team.accountant.user)
    page = reverse("deposit-take", args=[order.uid])
    assert till.get(page).status_code == 200
    wrong = till.post(page, {"method": "CASH", "amount": "0"})
    assert (wrong.status_code, Deposit.objects.count()) == (422, 0)
    assert till.post(page, {"method": "CASH", "amount": "80.00", "reference": "订件"}).status_code == 302
    deposit = Deposit.objects.get()
    assert deposit.number in till.get(reverse("payment-list")).content.decode()
    back = reverse("deposit-return", args=[deposit.uid])
    assert till.get(back).status_code == 403
    assert 'value="80.00"' in books.get(back).content.decode()
    assert books.post(back, {"amount": "80.00", "reason": "客户不修了"}).status_code == 302
    assert deposit_left(deposit) == 0


# --- other fees and rounding ---


def test_a_fee_of_a_line_stands_apart_on_the_list_and_the_sum_is_rounded_off():
    team = make_team()
    order = make_order(make_visit(team), team)
    line = add_line(order, fee_amount=Decimal("120.50"), fee_note="外加工：缸盖平面", labor_amount=Decimal("240.30"),
                    rate=Decimal("240.30"))  # fmt: skip
    for state in (LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED):
        line.state = state
        line.save()
    inspect(order, team)
    settlement = issue_settlement(order_uid=order.uid, round_off=True, old_parts="TAKE", by=team.advisor)
    assert (settlement.labor_total, settlement.other_total, settlement.rounding_total, settlement.total) == (
        Decimal("240.30"), Decimal("120.50"), Decimal("0.80"), Decimal("360.00"),
    )  # fmt: skip
    assert settlement.old_parts == "TAKE"
    assert [(r.kind, r.description) for r in settlement.lines.filter(kind="OTHER")] == [("OTHER", "外加工：缸盖平面")]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("settlement_amounts_fixed", "rounding_total = 1, total = total - 1"),
        ("settlement_amounts_fixed", "other_total = 1, total = total + 1"),
    ],
)
def test_an_issued_sum_is_never_rounded_afterwards(refused, name, change):
    team = make_team()
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    with refused(name) as sql:
        sql(f"UPDATE delivery_settlement SET {change}")
    settlement.refresh_from_db()
    assert (settlement.rounding_total, settlement.total) == (Decimal("0.00"), Decimal("340.00"))


def test_the_list_is_looked_at_before_it_is_issued():
    team = make_team()
    order = make_ready(team, rate=Decimal("240.40"))
    take_deposit(order_uid=order.uid, method="CASH", amount=Decimal("100.00"), by=team.cashier)
    desk = Client()
    desk.force_login(team.advisor.user)
    page = reverse("settlement-issue", args=[order.uid])
    shown = desk.get(page).content.decode()
    assert "¥340.40" in shown
    assert "¥340.00" in shown
    assert "¥100.00" in shown
    assert not Settlement.objects.exists()
    done = desk.post(page, {"round_off": "on", "old_parts": ""})
    settlement = Settlement.objects.get()
    assert done.headers["Location"] == reverse("settlement-detail", args=[settlement.uid])
    assert (settlement.total, settlement.rounding_total) == (Decimal("340.00"), Decimal("0.40"))
    assert desk.post(page, {}).status_code == 422


# --- goodwill ---


def test_goodwill_reaches_the_manager_and_is_taken_off_the_next_list():
    team = make_team(make_store())
    team.people["advisor"].phone = "13800000007"
    team.people["advisor"].save()
    boss = make_employee(team.store, "manager")
    Employee.objects.filter(pk=boss.pk).update(phone="13800000008")
    order = make_ready(team)
    asked = ask_goodwill(order_uid=order.uid, amount=Decimal("40.00"), reason="等待过久", by=team.advisor)
    outbox.drain()
    message = Message.objects.get(template="approval.asked")
    assert message.recipient == "13800000008"
    assert f"/approvals/{asked.uid}/" in message.body
    first = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert first.total == Decimal("340.00")  # nobody has agreed yet
    decide_approval(uid=asked.uid, approve=True, answer="同意", by=actor_for(boss))
    outbox.drain()
    told = Message.objects.get(template="approval.decided")
    assert told.recipient == team.people["advisor"].phone
    void_settlement(uid=first.uid, reason="加上善意减免", by=team.advisor)
    second = issue_settlement(order_uid=order.uid, by=team.advisor)
    assert (second.discount_total, second.total) == (Decimal("40.00"), Decimal("300.00"))
    sign_settlement(uid=second.uid, signed_name="李送修", by=team.advisor)
    before = History.objects.count()
    with rule("goodwill.signed"):
        ask_goodwill(order_uid=order.uid, amount=Decimal("1.00"), reason="再减", by=team.advisor)
    assert (Approval.objects.count(), History.objects.count()) == (1, before)


def test_goodwill_that_nobody_approved_stands_on_no_list(refused):
    team = make_team()
    order = make_ready(team)
    ask_goodwill(order_uid=order.uid, amount=Decimal("40.00"), reason="等待过久", by=team.advisor)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    before = settlement.lines.count()
    with refused("settlementline_goodwill_approved") as sql:
        sql(
            "INSERT INTO delivery_settlementline (settlement_id, kind, position, description, code, brand, part_kind, "
            "quantity, unit_price, amount) VALUES (%s, 'DISCOUNT', 9, '善意减免', '', '', '', 1, 40, 40)",
            [settlement.pk],
        )
    assert settlement.lines.count() == before


def test_goodwill_is_asked_and_decided_on_pages():
    team = make_team()
    order = make_ready(team)
    desk, boss = Client(), Client()
    desk.force_login(team.advisor.user)
    boss.force_login(team.manager.user)
    page = reverse("goodwill-ask", args=[order.uid])
    assert desk.get(page).status_code == 200
    wrong = desk.post(page, {"amount": "40.00", "reason": ""})
    assert (wrong.status_code, Approval.objects.count()) == (422, 0)
    desk.post(page, {"amount": "40.00", "reason": "等待过久"})
    asked = Approval.objects.get()
    card = boss.get(reverse("approval", args=[asked.uid])).content.decode()
    assert "账单善意减免" in card
    assert "等待过久" in card
    boss.post(reverse("approval", args=[asked.uid]), {"decision": "approve", "answer": "可以"})
    asked.refresh_from_db()
    assert asked.state == "APPROVED"
