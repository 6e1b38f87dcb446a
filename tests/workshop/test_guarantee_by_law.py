"""3.2, domain art. 39: the guarantee a shop sets may be longer than the law's, never shorter."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from django.urls import reverse

from dealership.kernel import clock, limits
from dealership.kernel.actors import machine
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Setting
from dealership.kernel.services import set_setting
from tests.factories.staff import make_employee, make_store
from workshop.limits import GUARANTEE, LEGAL_GUARANTEE

pytestmark = pytest.mark.django_db


def table(category: str, **numbers):
    value = deepcopy(LEGAL_GUARANTEE)
    value[category].update(numbers)
    return value


@pytest.mark.parametrize(
    "value",
    [table("MINOR", days=9), table("WHOLE_VEHICLE", km=19999), table("SPECIAL", days=0, km=0), table("MINOR", km=True),
     {"MINOR": {"km": 9000, "days": 45}}],
)  # fmt: skip
def test_less_than_the_law_gives_is_refused(value):
    with pytest.raises(RuleError) as refusal:
        set_setting(key=GUARANTEE, value=value, starts_on=clock.today(), by=machine("t"))
    assert (refusal.value.code, refusal.value.field) == ("setting.least", "value")
    assert not Setting.objects.exists()


def test_as_much_or_more_is_taken():
    set_setting(key=GUARANTEE, value=table("MINOR", days=365, km=20000), starts_on=clock.today(), by=machine("t"))
    assert limits.value(GUARANTEE)["MINOR"] == {"days": 365, "km": 20000}


@pytest.mark.parametrize("value", [table("ASSEMBLY", days=99), {}, {**LEGAL_GUARANTEE, "MINOR": {"days": "10"}}])
def test_the_database_refuses_it_too(refused, value):
    with refused("setting_guarantee_by_law") as sql:
        sql(
            "INSERT INTO kernel_setting (uid, version, created_at, updated_at, key, value, starts_on, reason)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, DATE '2020-01-01', '')",
            [GUARANTEE, json.dumps(value)],
        )


def test_the_page_says_what_the_law_gives(client):
    client.force_login(make_employee(make_store(), "admin").user)
    address = reverse("setting", args=[GUARANTEE])
    assert "不得低于" in client.get(address).content.decode()
