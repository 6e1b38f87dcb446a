"""A loan car of a store and its way to a customer, through the commands."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from dealership.catalogue.models import Resource, ResourceKind
from dealership.catalogue.services.resources import add_resource
from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from dealership.kernel.models import Store
from reception.loan_models import LoanTrip
from reception.models import Visit
from reception.services.loans import give_loan_car

from .reception import make_received_visit

_codes = count(1)


def make_loan_car(store: Store, code: str = "") -> Resource:
    number = next(_codes)
    return add_resource(
        store=store,
        kind=ResourceKind.LOAN_CAR,
        code=code or f"LT{number:03d}",
        name=f"代步车 T{number:03d}",
        by=machine("tests", store_id=store.pk),
    )


def given(visit: Visit, car: Resource, **values: Any) -> dict[str, Any]:
    """What giving a loan car needs."""
    return {
        "visit_uid": visit.uid,
        "car_uid": car.uid,
        "licence_seen": True,
        "licence_class": "C1",
        "licence_last4": "123X",
        "odometer_km": 12000,
        "energy_eighths": 6,
        "condition": "完好",
        "expected_at": clock.now() + timedelta(hours=4),
        "signed_name": "周试车",
    } | values


def make_loan_trip(by: Actor, *, visit: Visit | None = None, car: Resource | None = None, **values: Any) -> LoanTrip:
    """A loan car that is with the customer of a received visit."""
    visit = visit or make_received_visit(by)
    return give_loan_car(**given(visit, car or make_loan_car(visit.store), **values), by=by)
