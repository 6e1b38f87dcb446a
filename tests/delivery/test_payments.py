"""4.1: money in, money back, the day's close; two cashiers at one list."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from delivery.models import Payment, Settlement
from delivery.selectors.payments import day_close
from delivery.services.payments import refund_payment, take_payment
from delivery.services.settlements import issue_settlement, sign_settlement, still_open
from tests.factories.delivery import make_ready, make_team
from tests.factories.reception import rule


def make_signed(team) -> Settlement:
    """A signed list of 340.00."""
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    return sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)


def rows() -> tuple[int, int]:
    return (Payment.objects.count(), History.objects.count())


@pytest.mark.django_db
def test_a_list_is_paid_in_parts_up_to_its_amount():
    team = make_team()
    settlement = make_signed(team)
    first = take_payment(
        settlement_uid=settlement.uid, method="CARD", amount=Decimal("100"), reference="0042", by=team.cashier
    )
    assert (first.amount, first.cashier, still_open(settlement)) == (
        Decimal("100.00"),
        team.cashier.user,
        Decimal("240.00"),
    )
    before = rows()
    with rule("payment.amount"):
        take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("240.01"), by=team.cashier)
    for wrong in ("0", "-5", "0.001"):
        with rule("payment.amount"):
            take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal(wrong), by=team.cashier)
    with rule("payment.method"):
        take_payment(settlement_uid=settlement.uid, method="SHELLS", amount=Decimal("1"), by=team.cashier)
    with pytest.raises(NotAllowed):
        take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("1"), by=team.advisor)
    assert rows() == before
    take_payment(settlement_uid=settlement.uid, method="SCAN_CODE", amount=Decimal("240"), by=team.cashier)
    assert still_open(settlement) == 0
    facts = History.objects.filter(code="delivery.payment.taken").order_by("id").values_list("facts", flat=True)
    assert [(f["amount"], f["open"]) for f in facts] == [("100.00", "240.00"), ("240.00", "0.00")]


@pytest.mark.django_db
def test_nobody_pays_before_the_signature():
    team = make_team()
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    before = rows()
    with rule("payment.unsigned"):
        take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("1"), by=team.cashier)
    assert rows() == before


@pytest.mark.django_db
def test_a_refund_is_a_counter_entry_that_names_its_payment():
    team = make_team()
    settlement = make_signed(team)
    payment = take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("340"), by=team.cashier)
    refund = refund_payment(payment_uid=payment.uid, amount=Decimal("40"), reason="多收", by=team.accountant)
    assert (refund.amount, refund.reverses, refund.method) == (Decimal("-40.00"), payment, "CASH")
    assert still_open(settlement) == Decimal("40.00")
    before = rows()
    with rule("payment.amount"):
        refund_payment(payment_uid=payment.uid, amount=Decimal("300.01"), reason="多收", by=team.accountant)
    with rule("payment.reason"):
        refund_payment(payment_uid=payment.uid, amount=Decimal("1"), reason=" ", by=team.accountant)
    with rule("payment.counter"):
        refund_payment(payment_uid=refund.uid, amount=Decimal("1"), reason="退", by=team.accountant)
    with pytest.raises(NotAllowed):
        refund_payment(payment_uid=payment.uid, amount=Decimal("1"), reason="退", by=team.cashier)
    assert rows() == before


@pytest.mark.django_db
def test_the_days_close_sums_by_method_and_leaves_yesterday_out():
    team = make_team()
    settlement = make_signed(team)
    with clock.moved_to(clock.now() - timedelta(days=1)):
        take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("1"), by=team.cashier)
    paid = take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("200"), by=team.cashier)
    take_payment(settlement_uid=settlement.uid, method="CARD", amount=Decimal("39"), by=team.cashier)
    refund_payment(payment_uid=paid.uid, amount=Decimal("50"), reason="多收", by=team.accountant)
    close = day_close(by=team.cashier)
    assert {m.method: (m.taken, m.given_back, m.net, m.count) for m in close.methods} == {
        "CASH": (Decimal("200.00"), Decimal("50.00"), Decimal("150.00"), 2),
        "CARD": (Decimal("39.00"), Decimal("0.00"), Decimal("39.00"), 1),
        "TRANSFER": (Decimal("0.00"), Decimal("0.00"), Decimal("0.00"), 0),
        "SCAN_CODE": (Decimal("0.00"), Decimal("0.00"), Decimal("0.00"), 0),
    }
    assert (close.taken, close.given_back, close.net) == (Decimal("239.00"), Decimal("50.00"), Decimal("189.00"))
    assert day_close(by=make_team().cashier).net == 0


INSERT = """INSERT INTO delivery_payment (uid, version, created_at, updated_at, store_id, number, settlement_id, method,
    amount, reverses_id, reference, reason, at)
    SELECT gen_random_uuid(), 1, now(), now(), store_id, 'X', settlement_id, 'CASH', {amount}, {reverses}, '', {reason},
    now() FROM delivery_payment"""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("payment_append_only", "UPDATE delivery_payment SET amount = 1"),
        ("payment_append_only", "DELETE FROM delivery_payment"),
        ("payment_within_settlement", INSERT.format(amount="240.01", reverses="NULL", reason="''")),
        ("payment_within_settlement", INSERT.format(amount="-100.01", reverses="id", reason="'x'")),
        ("payment_sign", INSERT.format(amount="-1", reverses="NULL", reason="'x'")),
        ("payment_sign", INSERT.format(amount="-1", reverses="id", reason="''")),
        ("payment_sign", INSERT.format(amount="1", reverses="id", reason="'x'")),
    ],
)
def test_the_database_refuses_wrong_money(refused, constraint, statement):
    team = make_team()
    settlement = make_signed(team)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("100"), by=team.cashier)
    before = list(Payment.objects.values())
    with refused(constraint) as sql:
        sql(statement)
    assert list(Payment.objects.values()) == before


@pytest.mark.django_db
def test_the_database_takes_no_money_on_an_unsigned_list(refused):
    team = make_team()
    settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    with refused("payment_within_settlement") as sql:
        sql(
            "INSERT INTO delivery_payment (uid, version, created_at, updated_at, store_id, number, settlement_id, method,"
            " amount, reference, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'X', %s, 'CASH', 1, '', '',"
            " now())",
            [settlement.store_id, settlement.pk],
        )
    assert not Payment.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_cashiers_who_take_the_whole_sum_at_once_one_is_refused():
    team = make_team()
    settlement = make_signed(team)
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def take() -> None:
        gate.wait()
        try:
            take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("340"), by=team.cashier)
            outcomes.append("taken")
        except RuleError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["payment.amount", "taken"]
    assert Payment.objects.get().amount == Decimal("340.00")
    assert History.objects.filter(code="delivery.payment.taken").count() == 1


@pytest.mark.django_db
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(moves=st.lists(st.tuples(st.booleans(), st.decimals(min_value="0.01", max_value=400, places=2)), max_size=8))
def test_whatever_is_paid_and_given_back_the_list_stays_between_nothing_and_its_amount(db, moves):
    team = make_team()
    settlement = make_signed(team)
    paid = Decimal(0)
    for takes, amount in moves:
        try:
            if takes:
                take_payment(settlement_uid=settlement.uid, method="CASH", amount=amount, by=team.cashier)
                paid += amount
            else:
                last = Payment.objects.filter(settlement=settlement, amount__gt=0).last()
                if last is None:
                    continue
                refund_payment(payment_uid=last.uid, amount=amount, reason="退", by=team.accountant)
                paid -= amount
        except RuleError as refusal:
            assert refusal.code == "payment.amount"  # noqa: PT017
        assert still_open(settlement) == settlement.total - paid
        assert 0 <= paid <= settlement.total
