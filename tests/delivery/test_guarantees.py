"""What protects a car, beside every order: our work, the parts we put in, the maker's 三包 (3.2, 3.6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from dealership.kernel import clock
from delivery.selectors.guarantees import guarantees_of, statutory_of
from delivery.services.handovers import issue_gate_pass, scan_out
from reception.models import Vehicle
from tests.delivery.test_handovers import leave, pay, settle
from tests.factories.delivery import make_order, make_ready, make_team, make_visit
from tests.factories.kernel import make_store, make_user
from tests.factories.reception import make_vehicle
from workshop.models import PartLine

pytestmark = pytest.mark.django_db


def test_a_car_that_was_here_shows_the_guarantee_of_work_and_of_parts_until_day_or_mileage():
    team = make_team()
    before = make_ready(team)
    settle(before, team)
    pay(before, team)
    out = leave(before.visit, team)
    scan_out(
        code=issue_gate_pass(visit_uid=before.visit.uid, kind="DELIVERED", by=team.advisor).code, by=team.receptionist
    )
    again = make_order(make_visit(team, vehicle=before.vehicle, customer=before.customer), team)
    found = guarantees_of(again, team.advisor)
    list_ = before.settlements.get()
    assert list_.guarantee_days > 0
    today = clock.today(team.store.time_zone)
    assert found.work is not None
    assert (found.work.until, found.work.km, found.work.running, found.work.order) == (
        today + timedelta(days=list_.guarantee_days),
        out.odometer_km + list_.guarantee_km,
        True,
        before,
    )
    part = PartLine.objects.get(line__order=before).part
    assert [(c.name, c.km) for c in found.parts] == [(part.name, out.odometer_km + part.guarantee_km)]

    Vehicle.objects.filter(pk=before.vehicle_id).update(odometer_km=out.odometer_km + part.guarantee_km + 1)
    again.vehicle.refresh_from_db()
    driven = guarantees_of(again, team.advisor)
    assert driven.work is not None
    assert (driven.work.running, driven.parts) == (False, [])


def test_the_statutory_periods_run_from_the_delivery_and_a_missing_invoice_is_asked_for():
    team = make_team()
    order = make_order(make_visit(team), team)
    client = Client()
    client.force_login(team.people["advisor"].user)
    page = client.get(f"/orders/{order.uid}/").content.decode()
    assert f"/vehicles/{order.vehicle.uid}/edit/" in page
    assert "发票日期未登记" in page
    Vehicle.objects.filter(pk=order.vehicle_id).update(invoiced_on=date(2024, 1, 9), delivered_on=date(2024, 1, 10))
    order.vehicle.refresh_from_db()
    found = guarantees_of(order, team.advisor)
    assert found.repair_period is not None
    assert found.replace_period is not None
    assert (found.repair_period.until, found.repair_period.km) == (date(2027, 1, 10), 60_000)
    assert (found.replace_period.until, found.replace_period.km) == (date(2026, 1, 10), 50_000)


def test_the_cars_page_shows_both_statutory_periods_or_asks_for_the_invoice(client):
    client.force_login(make_user("receptionist", store=make_store()))
    with clock.moved_to(datetime(2026, 3, 2, 2, tzinfo=UTC)):
        known = make_vehicle(invoiced_on=date(2023, 5, 10), delivered_on=date(2023, 5, 20), odometer_km=58_000)
        unknown = make_vehicle()
        found = statutory_of(known)
        assert (found.repair_period.until, found.repair_period.km, found.repair_period.running) == (
            date(2026, 5, 20), 60_000, True,
        )  # fmt: skip
        assert (found.replace_period.until, found.replace_period.km, found.replace_period.running) == (
            date(2025, 5, 20), 50_000, False,
        )  # fmt: skip
        assert statutory_of(unknown) is None
        page = client.get(f"/vehicles/{known.uid}/").content.decode()
        assert "60,000" in page
        assert "50,000" in page
        assert f"/vehicles/{unknown.uid}/edit/" in client.get(f"/vehicles/{unknown.uid}/").content.decode()
