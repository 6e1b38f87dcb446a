"""What stands beside an order: each person and each bay once, however often the work changes hands."""

from __future__ import annotations

import pytest

from tests.factories.floor import clock_at, make_agreed, make_floor
from workshop.selectors.orders import order_page


@pytest.mark.django_db
def test_who_is_given_two_lines_of_an_order_is_named_once() -> None:
    with clock_at(9):
        floor = make_floor()
        first, second = floor.technician("高试工"), floor.technician("袁试工")
        order, lines = make_agreed(floor, "BR-10", "BR-30", "MT-10")
        for line, person, hour in zip(lines, (first, second, first), (10, 13, 15), strict=True):
            floor.give(line, person, start=(hour, 0))
        page = order_page(order.uid, floor.shop.advisor)
    assert sorted(d.technician.name for d in page.dispatches) == ["袁试工", "高试工", "高试工"]
    assert sorted(person.name for person in page.technicians) == ["袁试工", "高试工"]
    assert sorted(bay.code for bay in page.bays) == ["2"]
