"""The settlement list on paper: complete, in both languages, and blind to what people type."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from dealership.kernel.saying import say_plate
from delivery.documents import settlement_data, settlement_pdf
from delivery.selectors.settlements import read_settlement
from delivery.services.payments import take_payment
from delivery.services.settlements import issue_settlement, sign_settlement
from tests.factories.delivery import make_ready, make_team

HOSTILE = '#panic("x") $ \\ ] #image("/etc/passwd") *_`'


def make_paper(description: str = "更换机油机滤", **line):
    team = make_team()
    order = make_ready(team, description=description, **line)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    take_payment(
        settlement_uid=settlement.uid, method="CASH", amount=Decimal("100"), reference=HOSTILE, by=team.cashier
    )
    return read_settlement(uid=settlement.uid, by=team.advisor)


@pytest.mark.django_db
def test_the_paper_says_what_the_standard_asks_for():
    paper = make_paper(discount=Decimal("20.00"))
    with translation.override("en"):
        data = settlement_data(paper)
    facts = {name: value for name, value in data["facts"] + data["shop"]}  # noqa: C416
    order = paper.settlement.order
    assert facts["Plate"] == say_plate(order.vehicle.plate)
    assert facts["VIN"] == order.vehicle.vin
    assert facts["Order no."] == order.number
    assert facts["Mileage in (km)"] == "50,000"
    assert facts["Old parts"] == "Shop disposes of them, with the customer's consent"
    assert [r["amount"] for r in data["labor"] + data["material"] + data["discounts"]] == ["240.00", "100.00", "20.00"]
    assert data["total"][1] == "¥320.00"
    assert data["vat"] == "Of this VAT at 13 %: ¥36.81"
    assert (data["paid"][1], data["due"][1]) == ("¥100.00", "¥220.00")
    assert data["notes"][0].startswith("Guarantee of the work: 10 days or 2,000 km")


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_hostile_text_is_set_as_text(language):
    with translation.override(language):
        made = settlement_pdf(make_paper(description=HOSTILE))
    assert made.startswith(b"%PDF-")
    assert len(made) > 10_000
