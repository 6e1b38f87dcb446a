"""Customers and vehicles for tests, made through the commands. Plainly fictional people and plates."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image

from dealership.kernel import formats
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from reception.models import Customer, Vehicle, Visit
from reception.services import customers, vehicles, visits, walkarounds

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


# --- visits ---


def make_visit(by: Actor, **values: Any) -> Visit:
    """A car that has just arrived, through the command; ``by`` may receive."""
    number = next(_numbers)
    given = {
        "plate": f"沪C{number:05d}",
        "contact_name": "周试车",
        "contact_phone": f"138{number:08d}",
        "model_text": "途远 2.0T",
        "need": "5 万公里保养",
    } | values
    return visits.register_arrival(**given, by=by)


def make_received_visit(by: Actor, **values: Any) -> Visit:
    """A visit that ``by`` (an advisor with a log-in) is looking after."""
    return visits.greet_visit(uid=make_visit(by, **values).uid, by=by)


def make_signed_visit(by: Actor, *, odometer_km: int = 63208, **values: Any) -> Visit:
    """A received visit whose walk-around is signed."""
    visit = make_received_visit(by, **values)
    walkarounds.save_walkaround(
        visit_uid=visit.uid, odometer_km=odometer_km, energy_eighths=5, old_parts="TAKE", no_valuables=True, by=by
    )
    walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name="周试车", by=by)
    visit.refresh_from_db()
    return visit


def make_picture(color: str = "gray", kind: str = "JPEG") -> bytes:
    """A small real picture."""
    out = io.BytesIO()
    Image.new("RGB", (80, 60), color).save(out, kind)
    return out.getvalue()
