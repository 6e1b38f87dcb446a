"""2.1.2: a mileage far above the last one is confirmed at the reception; a day's drive never is, and both values are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.services import set_setting
from reception.models import OdometerReading, WalkAround
from reception.services import walkarounds
from reception.services.vehicles import most_km, read_odometer
from tests.factories.reception import make_received_visit, rule
from tests.factories.staff import make_actor, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def read():
    """(advisor, a visit in reception): the car was read at 50,000 km three days ago."""
    advisor = make_actor(make_store(), "advisor")
    visit = make_received_visit(advisor)
    with clock.moved_to(clock.now() - timedelta(days=3)):
        read_odometer(vehicle=visit.vehicle, km=50_000, by=advisor)
    return advisor, visit


def save(visit, advisor, km, **told):
    return walkarounds.save_walkaround(visit_uid=visit.uid, odometer_km=km, asks=True, by=advisor, **told)


def test_far_above_the_last_reading_is_confirmed(read):
    advisor, visit = read
    most = most_km(visit.vehicle)
    assert most in (53_000, 54_000)  # a moment over three days begins the fourth
    assert save(visit, advisor, most).odometer_km == most
    with rule("walkaround.odometer_far"):
        save(visit, advisor, most + 1)
    assert WalkAround.objects.get().odometer_km == most
    walkarounds.save_walkaround(visit_uid=visit.uid, odometer_km=most + 1, by=advisor)  # another system, nobody to ask
    told = {"energy_eighths": 5, "old_parts": "TAKE", "no_valuables": True, "odometer_reason": "跑了趟长途"}
    save(visit, advisor, 59_000, **told)
    walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name="李送修", by=advisor)
    last = OdometerReading.objects.latest("pk")
    assert (last.km, last.before_km, last.reason) == (59_000, 50_000, "跑了趟长途")


def test_the_setting_decides_and_a_day_is_never_too_much(read):
    advisor, visit = read
    read_odometer(vehicle=visit.vehicle, km=50_010, by=advisor)
    visit.vehicle.refresh_from_db()
    assert most_km(visit.vehicle) == 51_010
    set_setting(key="reception.odometer_km_a_day", value=300, starts_on=clock.today(), by=machine("test"))
    with rule("walkaround.odometer_far"):
        save(visit, advisor, 50_311)
    assert save(visit, advisor, 50_310).odometer_km == 50_310


def test_the_page_keeps_what_was_typed(read, client):
    advisor, visit = read
    client.force_login(advisor.user)
    page = f"{reverse('visit-walkaround', args=[visit.uid])}?step=look"
    answer = client.post(page, {"odometer_km": "590000", "energy_eighths": "5"})
    text = answer.content.decode()
    assert (answer.status_code, "590000" in text, 'data-most="5' in text) == (422, True, True)
    told = {"odometer_km": "590000", "energy_eighths": "5", "odometer_reason": "换过仪表"}
    assert client.post(page, told).status_code == 302
