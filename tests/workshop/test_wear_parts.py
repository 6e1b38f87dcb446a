"""Wear parts have a period of their own by the maker's dated list, in judgement, guarantee and what-if (domain 3.6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import VehicleModel
from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Store
from delivery.selectors.guarantees import statutory_of
from reception.models import Vehicle, Visit
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, make_order, make_team, make_visit
from tests.factories.kernel import make_actor
from tests.factories.reception import make_vehicle, rule
from workshop import statutory_warranty as law
from workshop.models import OrderLine
from workshop.selectors.wear import covers
from workshop.services.faults import judge_fault
from workshop.services.wear import enter_wear_term
from workshop.wear_models import WearTerm

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
SOLD = date(2025, 12, 1)


@pytest.fixture(autouse=True)
def _june() -> Any:
    with clock.moved_to(NOW):
        yield


@pytest.fixture
def team() -> SimpleNamespace:
    return make_team()


def term(store: Store, kind: str = "BRAKE_LINING", **facts: Any) -> WearTerm:
    told = {"months": 6, "km": 10_000, "starts_on": date(2025, 1, 1), "source": "示例品牌三包凭证 2025 版"} | facts
    return enter_wear_term(kind=kind, by=make_actor("warranty", store=store), **told)


def make_model(make: str) -> VehicleModel:
    return VehicleModel.objects.create(make=make, series="示例", name=f"{make} 示例型")


def repair(team: SimpleNamespace, *, km: int = 5_000, **facts: Any) -> OrderLine:
    vehicle = make_vehicle(**({"invoiced_on": SOLD} | facts))
    visit = make_visit(team, vehicle=vehicle)
    Visit.objects.filter(pk=visit.pk).update(odometer_in_km=km)
    visit.refresh_from_db()
    return add_line(make_order(visit, team), state="IN_PROGRESS", pay_type="WARRANTY", description="制动片异响")


def judged(line: OrderLine, **facts: Any) -> Any:
    told = {"is_quality": True, "wear": "BRAKE_LINING"} | facts
    return judge_fault(line_uid=line.uid, by=make_actor("warranty", store=line.order.store), **told)


@pytest.mark.parametrize(
    ("day", "km", "inside"),
    [
        (date(2026, 6, 1), 10_000, True),
        (date(2026, 6, 2), 10_000, False),
        (date(2026, 6, 1), 10_001, False),
        (date(2025, 12, 1), 0, True),
        (date(2025, 11, 30), 0, False),
        (date(2026, 6, 1), None, True),
    ],
)
def test_the_boundary_day_and_kilometre(day: date, km: int | None, inside: bool) -> None:
    assert law.in_wear_period(SOLD, day, km, 6, 10_000) is inside


def test_the_makes_own_entry_and_the_latest_before_the_sale_hold(team: SimpleNamespace) -> None:
    term(team.store, months=3, starts_on=date(2024, 1, 1))
    term(team.store, months=6, starts_on=date(2025, 1, 1))
    term(team.store, months=12, starts_on=date(2026, 1, 1))  # after the sale
    term(team.store, months=9, starts_on=date(2024, 1, 1), make="星河")
    term(team.store, "TYRE", months=2, km=5_000)

    def months(make: str, sold: date = SOLD) -> dict[str, date]:
        return {cover.kind: cover.until for cover in covers(sold, make, NOW.date(), 100)}

    assert months("") == {"BRAKE_LINING": date(2026, 6, 1), "TYRE": date(2026, 2, 1)}
    assert months("星河")["BRAKE_LINING"] == date(2026, 9, 1)
    assert months("", date(2024, 12, 31))["BRAKE_LINING"] == date(2025, 3, 31)
    assert months("", date(2023, 12, 31)) == {}


def test_an_entry_is_written_once_and_refused_where_it_says_nothing(team: SimpleNamespace, refused: Any) -> None:
    made = term(team.store)
    assert History.objects.get(code="workshop.wear_term.entered").facts["months"] == 6
    for facts, code in (
        ({}, "wear.known"),
        ({"kind": "ENGINE"}, "wear.kind"),
        ({"months": 0}, "wear.period"),
        ({"km": 500_001}, "wear.period"),
        ({"source": " "}, "wear.source"),
    ):
        with rule(code):
            term(team.store, **facts)
    with pytest.raises(NotAllowed):
        enter_wear_term(kind="TYRE", months=1, km=1, starts_on=SOLD, source="x", by=team.advisor)
    assert WearTerm.objects.count() == 1
    with refused("wearterm_append_only") as sql:
        sql("UPDATE workshop_wearterm SET months = 9 WHERE id = %s", [made.pk])
    write = (
        "INSERT INTO workshop_wearterm (uid, version, created_at, updated_at, kind, make, months, km, starts_on, source)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, '', %s, 1000, '2025-01-01', %s)"
    )
    for name, values in (
        ("wearterm_once", ["BRAKE_LINING", 6, "x"]),
        ("wearterm_kind", ["ENGINE", 6, "x"]),
        ("wearterm_period", ["TYRE", 121, "x"]),
        ("wearterm_source", ["TYRE", 6, ""]),
    ):
        with refused(name) as sql:
            sql(write, values)


WRITE = """
    INSERT INTO workshop_faultjudgement (uid, version, created_at, updated_at, judged_at, line_id, is_quality, fault,
        serious, safety, assembly, system, part, wear, left_out_as)
    VALUES (gen_random_uuid(), 1, now(), now(), now(), %s, %s, 'x', false, '', '', '', '', 'BRAKE_LINING', '')
"""


@pytest.mark.parametrize(
    ("sold", "km", "inside"),
    [
        (date(2025, 12, 1), 10_000, True),
        (date(2025, 11, 30), 100, False),
        (date(2025, 12, 1), 10_001, False),
        (date(2024, 12, 31), 100, True),  # no list held on its day of sale: judged like every other part
    ],
)
def test_a_wear_part_counts_only_within_its_own_period(
    team: SimpleNamespace, refused: Any, sold: date, km: int, inside: bool
) -> None:
    term(team.store)
    line = repair(team, km=km, invoiced_on=sold)
    if inside:
        assert judged(line).wear == "BRAKE_LINING"
        return
    with rule("fault.wear_over"):
        judged(line)
    with refused("faultjudgement_wear_in_its_period") as sql:
        sql(WRITE, [line.pk, True])
    assert judged(line, is_quality=False).is_quality is False
    assert judged(line, wear="").wear == "", "what isn't said to be a wear part is judged as before"


def test_the_delivery_and_the_make_of_the_car_decide_in_the_database_too(team: SimpleNamespace, refused: Any) -> None:
    term(team.store, months=2)
    term(team.store, months=12, make="星河")
    own = repair(team, model_uid=make_model("星河").uid)
    other = repair(team, model_uid=make_model("远山").uid)
    late = repair(team, delivered_on=date(2026, 4, 15))
    assert judged(own).pk
    assert judged(late).pk
    with rule("fault.wear_over"):
        judged(other)
    with refused("faultjudgement_wear_in_its_period") as sql:
        sql(WRITE, [other.pk, True])


def test_what_is_no_wear_part_is_refused(team: SimpleNamespace) -> None:
    line = repair(team)
    with rule("fault.choice"):
        judged(line, wear="ENGINE")
    with rule("fault.wear"):
        judged(line, system="BRAKES", part="制动盘")


def test_pages_list_it_and_the_car_and_the_what_if_page_say_it(client: Client, team: SimpleNamespace) -> None:
    user = make_actor("warranty", store=team.store).user
    assert user is not None
    client.force_login(user)
    assert "尚未登记易损件" in client.get(reverse("wear-parts")).content.decode()
    told = {"kind": "TYRE", "months": "8", "km": "9000", "starts_on": "2025-01-01", "source": ""}
    assert client.post(reverse("wear-part-new"), told).status_code == 422
    assert client.post(reverse("wear-part-new"), told | {"source": "示例凭证"}).status_code == 302
    assert "示例凭证" in client.get(reverse("wear-parts")).content.decode()
    vehicle: Vehicle = make_vehicle(invoiced_on=SOLD)
    found = statutory_of(vehicle)
    assert found is not None
    assert [(cover.kind, cover.until, cover.km) for cover in found.wear] == [("TYRE", date(2026, 8, 1), 9000)]
    assert "仍在保的易损件" in client.get(reverse("vehicle-detail", args=[vehicle.uid])).content.decode()
    asked = {"start": "2025-12-01", "day": "2026-06-01", "km": "8000", "wear": "TYRE"}
    shown = client.get(reverse("fault-what-if"), asked)
    assert shown.context["wear"].running
    assert "如有质量问题，免费更换" in shown.content.decode()
    over = client.get(reverse("fault-what-if"), asked | {"km": "9001"})
    assert "厂家不再承担该件" in over.content.decode()
    assert "未列明其期限" in client.get(reverse("fault-what-if"), asked | {"wear": "BULB"}).content.decode()
    with clock.moved_to(NOW + timedelta(days=90)):
        assert statutory_of(vehicle).wear == []  # type: ignore[union-attr]
    line = repair(team)
    assert 'name="wear"' in client.get(reverse("fault-judge", args=[line.uid])).content.decode()


def test_the_api(team: SimpleNamespace) -> None:
    api = ApiCaller("workshop:read", "workshop:write", store=team.store)
    body = {"kind": "BRAKE_LINING", "months": 6, "km": 10_000, "starts_on": "2025-01-01", "source": "示例凭证"}
    assert api.post("wear-terms", body).status_code == 201
    assert problem(api.post("wear-terms", body), 409, "wear.known")
    assert [row["months"] for row in api.get("wear-terms?kind=BRAKE_LINING").json()["data"]] == [6]
    told = {"labor_operation_uid": str(repair(team, km=10_001).uid), "is_quality": True, "wear": "BRAKE_LINING"}
    assert problem(api.post("fault-judgements", told), 409, "fault.wear_over")
    told["labor_operation_uid"] = str(repair(team).uid)
    assert api.post("fault-judgements", told).json()["wear"] == "BRAKE_LINING"
