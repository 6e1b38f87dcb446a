"""An order takes quoted prices by itself until the quotation's day, in Python and in the database (2.2.2)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from dealership.catalogue.services import prices
from dealership.kernel import clock
from dealership.kernel.actors import machine
from reception.services import quotations
from tests.factories.reception import rule
from tests.factories.workshop import add_operation, make_order, make_received_visit, make_shop, operation, part
from workshop.services import orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


def quote(shop, visit, code="MT-10", **values):
    given = {"contact_name": "沈示例", "contact_phone": visit.contact_phone, "plate": visit.vehicle.plate}
    return quotations.give_quotation(operation_uids=[operation(code).uid], by=shop.manager, **given | values)


def dearer(shop, rate="200", oil="80"):
    """From today on an hour and a litre cost more (or less)."""
    by, today = machine("tests", store_id=shop.store.pk), clock.today()
    prices.set_labor_rate(store=shop.store, pay_type="CUSTOMER_PAY", rate=Decimal(rate), starts_on=today, by=by)
    prices.set_part_price(store=shop.store, part=part("OIL-5W30-1L"), price=Decimal(oil), starts_on=today, by=by)


def costs(line):
    line.refresh_from_db()
    return line.rate, line.labor_amount, sorted(line.part_lines.values_list("part__number", "unit_price", "amount"))


AS_QUOTED = (
    Decimal(170),
    Decimal(85),
    [("FLT-OIL-01", Decimal(45), Decimal(45)), ("OIL-5W30-1L", Decimal(68), Decimal(272))],
)
OF_TODAY = (
    Decimal(200),
    Decimal(100),
    [("FLT-OIL-01", Decimal(45), Decimal(45)), ("OIL-5W30-1L", Decimal(80), Decimal(320))],
)


def test_an_order_takes_the_quoted_prices_though_today_s_are_higher(shop):
    visit = make_received_visit(shop)
    quotation = quote(shop, visit)
    dearer(shop)
    line = add_operation(shop, make_order(shop, visit=visit), "MT-10")
    assert costs(line) == AS_QUOTED
    assert line.quoted.quotation == quotation


def test_an_order_opened_with_the_booked_work_takes_them_too(shop):
    visit = make_received_visit(shop)
    quote(shop, visit)
    dearer(shop)
    order = make_order(shop, visit=visit, operation_uids=[operation("MT-10").uid])
    assert costs(order.lines.get(operation__code="MT-10")) == AS_QUOTED


def test_where_today_is_cheaper_the_customer_pays_today_s(shop):
    visit = make_received_visit(shop)
    quote(shop, visit)
    dearer(shop, rate="100", oil="60")
    line = add_operation(shop, make_order(shop, visit=visit), "MT-10")
    assert (line.quoted, line.rate) == (None, Decimal(100))


def test_it_holds_on_its_last_day_and_not_on_the_next(shop):
    visit = make_received_visit(shop)
    quote(shop, visit, valid_until=clock.today() + timedelta(days=3))
    dearer(shop)
    order, day = make_order(shop, visit=visit), clock.now()
    with clock.moved_to(day + timedelta(days=4)):
        assert costs(add_operation(shop, order, "MT-10")) == OF_TODAY
    with clock.moved_to(day + timedelta(days=3)):
        assert costs(add_operation(shop, order, "MT-10")) == AS_QUOTED


def test_it_is_honoured_once_and_again_after_the_line_was_taken_off(shop):
    visit = make_received_visit(shop)
    quote(shop, visit)
    dearer(shop)
    order = make_order(shop, visit=visit)
    first = add_operation(shop, order, "MT-10")
    assert costs(add_operation(shop, order, "MT-10")) == OF_TODAY
    orders.cancel_line(line_uid=first.uid, reason="客户改主意", by=shop.advisor)
    assert costs(add_operation(shop, order, "MT-10")) == AS_QUOTED


def test_another_car_another_person_and_another_payer_pay_today_s(shop):
    visit, other = make_received_visit(shop), make_received_visit(shop)
    quote(shop, visit)
    dearer(shop)
    assert costs(add_operation(shop, make_order(shop, visit=other), "MT-10")) == OF_TODAY
    line = add_operation(shop, make_order(shop, visit=visit), "MT-10", pay_type="WARRANTY")
    assert line.quoted is None


def test_a_quotation_without_a_car_binds_for_the_telephone_number(shop):
    visit = make_received_visit(shop)
    quotation = quote(shop, visit, plate="")
    assert quotation.vehicle is None
    dearer(shop)
    assert costs(add_operation(shop, make_order(shop, visit=visit), "MT-10")) == AS_QUOTED


def test_more_hours_are_refused_and_another_payer_and_back_keeps_the_price(shop):
    visit = make_received_visit(shop)
    quote(shop, visit)
    dearer(shop)
    line = add_operation(shop, make_order(shop, visit=visit), "MT-10")
    with pytest.raises(Exception, match="orderline_honours_quotation"), transaction.atomic():
        orders.change_line(line_uid=line.uid, hours=Decimal(2), by=shop.advisor)
    assert costs(line) == AS_QUOTED
    orders.change_line(line_uid=line.uid, pay_type="WARRANTY", by=shop.advisor)
    assert costs(line)[0] == Decimal(136)
    orders.change_line(line_uid=line.uid, pay_type="CUSTOMER_PAY", by=shop.advisor)
    assert costs(line) == AS_QUOTED


def test_a_quoted_part_that_is_put_on_again_costs_what_was_quoted(shop):
    visit = make_received_visit(shop)
    quote(shop, visit)
    dearer(shop)
    line = add_operation(shop, make_order(shop, visit=visit), "MT-10")
    oil = line.part_lines.get(part__number="OIL-5W30-1L")
    orders.remove_part(part_line_uid=oil.uid, by=shop.advisor)
    again = orders.add_part(line_uid=line.uid, part_uid=oil.part.uid, quantity=Decimal(4), by=shop.advisor)
    assert again.unit_price == Decimal(68)


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("orderline_honours_quotation", "UPDATE workshop_orderline SET rate = 171 WHERE quoted_id IS NOT NULL"),
        ("orderline_honours_quotation", "UPDATE workshop_orderline SET labor_amount = 86 WHERE quoted_id IS NOT NULL"),
        ("orderline_quotation_stays", "UPDATE workshop_orderline SET quoted_id = NULL WHERE quoted_id IS NOT NULL"),
        ("partline_honours_quotation", "UPDATE workshop_partline SET unit_price = unit_price + 1"),
        (
            "orderline_quoted_once",
            "UPDATE workshop_orderline SET quoted_id = (SELECT max(id) FROM reception_quotationline), rate = 1,"
            " labor_amount = 1 WHERE quoted_id IS NULL AND operation_id IN"
            " (SELECT operation_id FROM reception_quotationline)",
        ),
    ],
)
def test_the_database_lets_nothing_get_dearer(shop, refused, constraint, statement):
    visit = make_received_visit(shop)
    quote(shop, visit)
    order = make_order(shop, visit=visit)
    add_operation(shop, order, "MT-10")
    add_operation(shop, order, "MT-10")
    with refused(constraint) as sql:
        sql(statement)


def test_the_database_takes_no_quotation_whose_day_is_over(shop, refused):
    visit = make_received_visit(shop)
    line = quote(shop, visit, valid_until=clock.today()).lines.get()
    order = make_order(shop, visit=visit)
    with clock.moved_to(clock.now() + timedelta(days=2)):
        plain = add_operation(shop, order, "MT-10")
    with refused("orderline_honours_quotation") as sql:
        sql(
            "INSERT INTO workshop_orderline (uid, version, created_at, updated_at, order_id, position, operation_id,"
            " description, category, pay_type, hours, rate, discount, labor_amount, fee_amount, fee_note, is_diagnosis,"
            " is_addition, is_safety, extra_minutes, complaint, cause, correction, state, declined_reason, declined_cause,"
            " settled, quoted_id) SELECT gen_random_uuid(), 1, created_at, updated_at, order_id, 99, operation_id,"
            " description, category, pay_type, hours, rate, discount, labor_amount, fee_amount, fee_note, is_diagnosis,"
            " is_addition, is_safety, extra_minutes, complaint, cause, correction, 'DRAFT', '', '', false, %s"
            " FROM workshop_orderline WHERE id = %s",
            [line.pk, plain.pk],
        )


def test_the_pages_show_where_a_price_comes_from(shop):
    visit = make_received_visit(shop)
    quotation = quote(shop, visit)
    client = Client()
    client.force_login(shop.manager.user)
    page = client.get(reverse("order-open", args=[visit.uid])).content.decode()
    assert str(operation("MT-10").uid) in page
    order = make_order(shop, visit=visit, operation_uids=[operation("MT-10").uid])
    assert quotation.number in client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert order.number in client.get(reverse("quotation-detail", args=[quotation.uid])).content.decode()
    with rule("quotation.empty"):
        quotations.give_quotation(contact_name="沈", by=shop.manager)
