"""Prices from a day on, the starting catalogue, and the search over it (3.2)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from dealership.catalogue import seeds
from dealership.catalogue.models import LaborRate, Operation, Part, PartPrice, VehicleModel
from dealership.catalogue.selectors import items
from dealership.catalogue.services import prices
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Store
from tests.factories.kernel import make_actor, make_store
from tests.factories.reception import rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    store = make_store()
    seeds.seed_store(store)
    return store


def test_the_seed_may_run_twice() -> None:
    before = (Operation.objects.count(), Part.objects.count(), VehicleModel.objects.count())
    seeds.seed()
    assert (Operation.objects.count(), Part.objects.count(), VehicleModel.objects.count()) == before
    assert before == (len(seeds.OPERATIONS), len(seeds.PARTS), len(seeds.MODELS))
    assert Operation.objects.filter(category__in=["SECOND_MAINTENANCE", "ASSEMBLY"]).count() == 3
    assert Operation.objects.get(code="HV-30").skill.code == "hv"


def test_an_hour_and_a_part_have_the_price_of_the_day(store: Store) -> None:
    quote = prices.price_operation(Operation.objects.get(code="BR-20"), store.pk, "CUSTOMER_PAY")
    assert (quote.hours, quote.rate, quote.amount) == (Decimal("1.80"), Decimal("170.00"), Decimal("306.00"))
    assert prices.price_part(Part.objects.get(number="BRK-DISC-F"), store.pk) == Decimal("280.00")
    with rule("price.rate_missing"):
        prices.labor_rate(store.pk, "CUSTOMER_PAY", date(2023, 12, 31))
    with rule("price.part_missing"):
        prices.price_part(Part.objects.get(number="BRK-DISC-F"), store.pk, date(2023, 12, 31))


def test_a_new_rate_ends_the_one_before(store: Store) -> None:
    by = machine("test", store_id=store.pk)
    prices.set_labor_rate(store=store, pay_type="CUSTOMER_PAY", rate=Decimal("180"), starts_on=date(2025, 7, 1), by=by)
    assert prices.labor_rate(store.pk, "CUSTOMER_PAY", date(2025, 6, 30)) == Decimal("170.00")
    assert prices.labor_rate(store.pk, "CUSTOMER_PAY", date(2025, 7, 1)) == Decimal("180.00")
    line = History.objects.filter(code="catalogue.labor_rate.set").order_by("-id").first()
    assert line.changed == {"rate": ["170.00", "180.00"]}
    with rule("rate.later_exists"):
        prices.set_labor_rate(
            store=store, pay_type="CUSTOMER_PAY", rate=Decimal("190"), starts_on=date(2025, 1, 1), by=by
        )


def test_a_new_part_price_ends_the_one_before(store: Store) -> None:
    by, part = machine("test", store_id=store.pk), Part.objects.get(number="BRK-DISC-F")
    prices.set_part_price(store=store, part=part, price=Decimal("300"), starts_on=date(2025, 7, 1), by=by)
    assert prices.price_part(part, store.pk, date(2025, 6, 30)) == Decimal("280.00")
    assert prices.price_part(part, store.pk) == Decimal("300.00")
    with rule("price.negative"):
        prices.set_part_price(store=store, part=part, price=Decimal("-1"), starts_on=date(2027, 7, 1), by=by)
    assert PartPrice.objects.filter(store=store, part=part).count() == 2


def test_prices_are_set_by_who_may(store: Store) -> None:
    count = LaborRate.objects.count()
    with pytest.raises(NotAllowed):
        prices.set_labor_rate(
            store=store,
            pay_type="CUSTOMER_PAY",
            rate=Decimal("1"),
            starts_on=clock.today(),
            by=make_actor("advisor", store=store),
        )
    assert LaborRate.objects.count() == count


def test_the_database_refuses_two_rates_on_one_day(store: Store, refused) -> None:
    with refused("laborrate_one_a_day"):
        LaborRate.objects.create(store=store, pay_type="CUSTOMER_PAY", rate=1, starts_on=date(2025, 1, 1))
    assert LaborRate.objects.filter(store=store, pay_type="CUSTOMER_PAY").count() == 1


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("BR-2", "BR-20"),
        ("小保养", "MT-10"),
        ("silunding", "AL-10"),
        ("sldw", "AL-10"),
        ("制动 盘", "BR-20"),
        ("ＢＲ-30", "BR-30"),
    ],
)
def test_operations_are_found_by_code_name_and_pinyin(typed: str, first: str) -> None:
    assert items.search_operations(typed)[0].code == first


def test_parts_are_found_with_todays_price(store: Store) -> None:
    by = make_actor("advisor", store=store)
    (row, *_rest) = items.priced_parts("yuguapian", by=by)
    assert (row.number, row.price, row.unit) == ("WIP-PAIR-01", Decimal("98.00"), "对")
    found = items.priced_operations("BR-20", by=by)[0]
    assert found.amount == Decimal("306.00")
    prices = {part.name: part.amount for part in found.parts}
    assert [(part.quantity, part.amount is not None) for part in found.parts] == [(1, True), (2, True)]
    assert found.total == Decimal("306.00") + sum(prices.values())
    assert items.search_parts("no such thing") == []
