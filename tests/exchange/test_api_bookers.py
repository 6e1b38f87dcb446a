"""Thirty-two book at once over the API: nothing overlaps, nothing dies, who loses is told what is free (2.4, perf 3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from dealership.catalogue.models import Reservation
from dealership.kernel import clock
from reception.models import Appointment
from tests.exchange.served import production_server
from tests.exchange.test_api_under_fire import Served
from tests.factories.api import ApiCaller
from tests.factories.appointments import at, booking, make_bookable

pytestmark = pytest.mark.django_db(transaction=True)
BOOKERS, ROUNDS = 32, 3


def asked(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_thirty_two_bookers(tmp_path) -> None:
    """The same hour for all, then for each the time that the refusal named, three times over."""
    day = clock.today() + timedelta(days=2)
    shop = make_bookable(bays=("STANDARD_LIFT",) * 4, technicians=5, advisors=6, first=clock.today())
    cars = [booking() for _booker in range(BOOKERS)]
    wanted = {number: at("9:30", day) for number in range(BOOKERS)}
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = asked(deadlocks)
    with production_server(tmp_path) as url:
        served = Served.__new__(Served)
        served.url = url
        served.caller = ApiCaller("reception:write", "personal:read", store=shop.store)
        for turn in range(ROUNDS):
            left = sorted(wanted)

            def book(connected: Any, number: int, left: list[int] = left, turn: int = turn) -> Any:
                booker = left[number]
                car = cars[booker]
                body = {
                    "contact_name": f"试约{booker}",
                    "contact_phone": "13900002290",
                    "customer_uid": str(car["customer_uid"]),
                    "vehicle_uid": str(car["vehicle_uid"]),
                    "concern": "保养",
                    "starts_at": wanted[booker].isoformat(),
                }
                key = f"{turn}-{booker}"
                return booker, served.send(connected, "POST", "appointments", body, Idempotency_Key=key)

            answers = dict(served.together(len(left), book))
            assert {answer.status for answer in answers.values()} == {201, 409}
            for booker, answer in answers.items():
                if answer.status == 201:
                    del wanted[booker]
                    continue
                assert answer.json["code"] == "appointment.taken"
                free = datetime.fromisoformat(answer.json["free_at"])
                assert free > wanted[booker]
                assert f"{free:%H:%M}" in answer.json["detail"]
                wanted[booker] = free
    booked = BOOKERS - len(wanted)
    assert Appointment.objects.count() == booked
    assert booked == 4 * ROUNDS  # four lifts in each round
    assert Reservation.objects.filter(live=True).count() == 2 * booked
    overlaps = """
        SELECT count(*) FROM catalogue_reservation a JOIN catalogue_reservation b
        ON a.resource_id = b.resource_id AND a.id < b.id AND a.period && b.period WHERE a.live AND b.live
    """
    assert asked(overlaps) == 0
    assert asked(deadlocks) == before
