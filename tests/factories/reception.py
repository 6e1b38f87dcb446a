"""Customers and vehicles for tests, made through the commands. Plainly fictional people and plates."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dealership.kernel import formats
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from reception.models import Customer, Vehicle
from reception.services import customers, vehicles

_numbers = itertools.count(1)


@contextmanager
def rule(code: str) -> Iterator[None]:
    """Demands that a command refuse with exactly this code and with words."""
    with pytest.raises(RuleError) as refusal:
        yield
    assert refusal.value.code == code
    assert str(refusal.value)


def make_vin(number: int) -> str:
    """A VIN with a right check digit, different for every number below a hundred million."""
    draft = f"LSVAA2180K{number:07d}"[:17]
    return draft[:8] + formats.vin_check_digit(draft) + draft[9:]


def make_customer(*, by: Actor | None = None, **values: Any) -> Customer:
    number = next(_numbers)
    given = {"name": "张试驾", "phone": f"139{number:08d}"} | values
    return customers.register_customer(**given, by=by or machine("tests"))


def make_vehicle(*, by: Actor | None = None, **values: Any) -> Vehicle:
    """A car with its own VIN and plate; ``owner_uid`` as the command takes it."""
    number = next(_numbers)
    given = {"plate": f"京A{number:05d}", "vin": make_vin(number), "model_text": "途远 2.0T"} | values
    return vehicles.register_vehicle(**given, by=by or machine("tests"))
