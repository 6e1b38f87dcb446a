"""汽车维修电子健康档案 (JT/T 1132, domain 7.2): what one settled order sends, drawn from its facts and nothing else.

Identifying facts (plate, VIN, mileage, days, numbers) are taken as they are or missed by name; nothing is filled in. Words
that are longer than the receiving field are cut there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

PLATE, VIN, COMPANY, FAULT, LIST, PROJECT, PART = 8, 17, 100, 200, 50, 200, 50
"""Lengths of the receiving fields (domain 7.2)."""
MOST_KM = 2_000_000
TENTH, HUNDREDTH = Decimal("0.1"), Decimal("0.01")


NAMES = {
    "companyname": _("company's name"),
    "vin": pgettext_lazy("fact", "VIN"),
    "vehicleplatenumber": _("plate that the platform takes"),
    "repairmileage": _("mileage at the reception"),
    "faultdescription": _("what the customer says is wrong"),
    "repairdate": _("day on which the car came"),
    "settledate": _("day of the settlement"),
    "costlistcode": _("number of the list"),
    "repairprojectlist": _("job or part"),
}
"""What the platform's names of facts mean."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an order; an empty text or None is what nobody wrote down."""

    company: str
    plate: str
    unregistered: bool
    vin: str
    repaired_on: date | None
    odometer_km: int | None
    settled_on: date | None
    fault: str
    list_number: str
    projects: Sequence[tuple[str, Decimal]]
    parts: Sequence[tuple[str, str, Decimal]]

    @property
    def has_work(self) -> bool:
        """Whether anything was done or put in; without it there is no repair and so no record of one."""
        return bool(self.projects or self.parts)


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact that the record can't do without: its name, where it is written down, and what to say."""

    fact: str
    place: str
    text: Any


def missing(facts: Facts) -> list[Missing]:
    """Everything that keeps the record from being sent, in the order in which it is read."""
    found = []
    if not facts.company.strip():
        found.append(Missing("companyname", "store", _("the company's name: write it on the store's page")))
    elif len(facts.company) > COMPANY:
        found.append(Missing("companyname", "store", _("the company's name is longer than 100 characters")))
    if len(facts.vin) != VIN or not facts.vin.isascii() or not facts.vin.isalnum():
        found.append(Missing("vin", "vehicle", _("the VIN: write it on the car's page")))
    if not facts.plate and not facts.unregistered:
        found.append(
            Missing(
                "vehicleplatenumber", "vehicle", _("the plate: write it on the car's page, or that it has none yet")
            )
        )
    if facts.odometer_km is None or not 0 <= facts.odometer_km <= MOST_KM:
        found.append(Missing("repairmileage", "visit", _("the mileage at the reception: sign the walk-around")))
    if not facts.fault.strip():
        found.append(Missing("faultdescription", "order", _("what the customer says is wrong: write it on the order")))
    if facts.repaired_on is None:
        found.append(Missing("repairdate", "visit", _("the day on which the car came")))
    if facts.settled_on is None or (facts.repaired_on is not None and facts.settled_on < facts.repaired_on):
        found.append(Missing("settledate", "order", _("the day of the settlement, not before the car came")))
    if not facts.list_number or len(facts.list_number) > LIST:
        found.append(Missing("costlistcode", "order", _("the number of the settlement list")))
    if not any(name.strip() for name, _hours in facts.projects) and not any(name.strip() for name, *_p in facts.parts):
        found.append(Missing("repairprojectlist", "order", _("at least one job or part")))
    return found


def for_a_person(facts: Facts) -> bool:
    """Whether the platform takes no such plate (none yet, or longer than its field), so that somebody enters the record."""
    return not facts.plate or len(facts.plate) > PLATE


def payload(facts: Facts) -> dict[str, Any]:
    """The record as the platform reads it. Raises ValueError with the names of what is missing."""
    lacking = missing(facts)
    if lacking:
        raise ValueError(", ".join(row.fact for row in lacking))
    assert facts.repaired_on is not None
    assert facts.settled_on is not None
    return {
        "basicInfo": {
            "vehicleplatenumber": facts.plate,
            "companyname": facts.company.strip(),
            "vin": facts.vin,
            "repairdate": f"{facts.repaired_on:%Y%m%d}",
            "repairmileage": str(facts.odometer_km),
            "settledate": f"{facts.settled_on:%Y%m%d}",
            "faultdescription": facts.fault.strip()[:FAULT],
            "costlistcode": facts.list_number,
        },
        "vehiclepartslist": [
            {"partsname": name.strip()[:PART], "partsquantity": _places(quantity, HUNDREDTH), "partscode": code[:PART]}
            for name, code, quantity in facts.parts
            if name.strip()
        ],
        "repairprojectlist": [
            {"repairproject": name.strip()[:PROJECT], "workinghours": _places(hours, TENTH)}
            for name, hours in facts.projects
            if name.strip()
        ],
    }


def _places(number: Decimal, step: Decimal) -> str:
    return f"{number.quantize(step, ROUND_HALF_UP):f}"
