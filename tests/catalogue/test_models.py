"""2.2.2, 3.1: vehicle models of the catalogue: added, corrected, called by other names, no longer sold."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from dealership.catalogue.models import Operation, Part, VehicleModel
from dealership.catalogue.services import models, prices
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.reception import make_vehicle, rule
from tests.factories.staff import make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager() -> Actor:
    return make_actor("manager", store=make_store())


def words(**more: Any) -> dict[str, Any]:
    return {
        "make": "示例汽车",
        "series": "途远",
        "name": "2.0T 两驱",
        "powertrain": "ICE",
        "service_interval_km": 10_000,
        "service_interval_months": 12,
        "aliases": ["途远2.0T", " 途远  2.0T ", "途远2.0T"],
    } | more


def rows() -> list[dict[str, Any]]:
    return list(VehicleModel.objects.order_by("pk").values())


def test_a_model_is_added_with_what_people_call_it_and_a_car_written_so_is_known(manager: Actor) -> None:
    made = models.add_model(by=manager, **words(powertrain="BEV"))
    assert (str(made), made.aliases) == ("途远 2.0T 两驱", ["途远2.0T", "途远 2.0T"])
    assert History.objects.get(code="catalogue.vehicle_model.added").facts == {"powertrain": "BEV"}
    car = make_vehicle(model_text="途远2.0T", plate="京AD12345")
    assert (car.model, car.powertrain) == (made, "BEV")
    assert make_vehicle(model_text="途远 2.0T 两驱", plate="京AD12346").model == made


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"series": "  "}, "model.name", "series"),
        ({"powertrain": "STEAM"}, "model.powertrain", "powertrain"),
        ({"service_interval_km": 999}, "model.interval", "service_interval_km"),
        ({"service_interval_months": 121}, "model.interval", "service_interval_months"),
        ({"series": "锐放", "name": "1.5T 舒适型"}, "model.exists", "name"),
        ({"aliases": ["锐放 1.5T 舒适型"]}, "model.alias_taken", "aliases"),
        ({"aliases": [f"名 {n}" for n in range(13)]}, "model.aliases", "aliases"),
    ],
)
def test_what_is_no_model_is_refused(manager: Actor, change: dict[str, Any], code: str, field: str) -> None:
    before = rows()
    with pytest.raises(RuleError) as told:
        models.add_model(by=manager, **words(**change))
    assert (told.value.code, told.value.field) == (code, field)
    assert rows() == before


def test_a_name_means_one_model(manager: Actor, refused: Any) -> None:
    first = models.add_model(by=manager, **words())
    second = models.add_model(by=manager, **words(name="2.0T 四驱", aliases=[]))
    before = rows()
    with rule("model.alias_taken"):
        models.correct_model(uid=second.uid, by=manager, **words(name="2.0T 四驱", aliases=["途远2.0T"]))
    with rule("model.alias_taken"):
        models.add_model(by=manager, **words(series="途远", name="2.0T", aliases=[]))
    with refused("vehiclemodel_alias_once") as sql:
        sql("UPDATE catalogue_vehiclemodel SET aliases = ARRAY['途远2.0T'] WHERE id = %s", [second.pk])
    assert rows() == before
    models.correct_model(uid=first.uid, by=manager, **words(aliases=[], service_interval_km=15_000))
    assert History.objects.get(code="catalogue.vehicle_model.corrected").changed == {
        "service_interval_km": [10_000, 15_000]
    }
    moved = models.correct_model(uid=second.uid, by=manager, **words(name="2.0T 四驱", aliases=["途远2.0T"]))
    assert moved.aliases == ["途远2.0T"]


def test_a_model_that_is_no_longer_sold_has_no_price_and_its_cars_are_served(manager: Actor) -> None:
    made = models.add_model(by=manager, **words())
    today = clock.today()
    store = manager_store(manager)
    prices.set_model_price(
        store=store, model=made, price=Decimal("150000.00"), starts_on=today - timedelta(days=30), by=manager
    )
    ended = models.end_model(uid=made.uid, ends_on=today - timedelta(days=1), by=manager)
    assert ended.ends_on == today - timedelta(days=1)
    with rule("price.model_ended"):
        prices.price_model(ended, store.pk)
    assert prices.price_model(ended, store.pk, on=ended.ends_on) == 150000
    assert make_vehicle(model_text="途远2.0T", plate="京A12347").model == made
    with rule("model.same"):
        models.end_model(uid=made.uid, ends_on=ended.ends_on, by=manager)
    models.end_model(uid=made.uid, ends_on=None, by=manager)
    assert prices.price_model(VehicleModel.objects.get(pk=made.pk), store.pk) == 150000


def manager_store(manager: Actor) -> Any:
    from dealership.kernel.models import Store

    return Store.objects.get(pk=manager.store_id)


def test_only_who_may_writes_models(manager: Actor) -> None:
    with pytest.raises(NotAllowed):
        models.add_model(by=make_actor("advisor", store=manager_store(manager)), **words())


def test_the_pages(manager: Actor) -> None:
    client = Client()
    client.force_login(manager.user)
    typed = words(aliases="途远2.0T\n\n途远小T")
    assert "新增车型" in client.get("/catalogue/models/").content.decode()
    assert client.post("/catalogue/models/new/", typed | {"series": ""}).status_code == 422
    assert client.post("/catalogue/models/new/", typed).status_code == 302
    made = VehicleModel.objects.get(series="途远")
    assert made.aliases == ["途远2.0T", "途远小T"]
    page = f"/catalogue/models/{made.uid}/"
    assert "途远2.0T\n途远小T</textarea>" in client.get(page).content.decode()
    assert client.post(page, typed | {"aliases": ""}).status_code == 302
    assert client.post(f"{page}end/", {"ends_on": date(2026, 1, 31)}).status_code == 302
    made.refresh_from_db()
    assert (made.aliases, made.ends_on) == ([], date(2026, 1, 31))
    assert "2026-01-31" in client.get("/catalogue/models/?words=途远").content.decode()
    other = Client()
    other.force_login(make_actor("advisor", store=manager_store(manager)).user)
    listed = other.get("/catalogue/models/").content.decode()
    assert "新增车型" not in listed
    assert other.get(page).status_code == 403


def test_everything_seeded_has_an_english_name_and_falls_back_to_chinese() -> None:
    assert list(Operation.objects.filter(name_en="").values_list("code", flat=True)) == []
    assert list(Part.objects.filter(name_en="").values_list("number", flat=True)) == []
    brakes = Operation.objects.get(code="BR-10")
    with override("en"):
        assert brakes.said == "Front brake pad replacement"
        assert Operation(name="自编工时", name_en="").said == "自编工时"
    with override("zh-hans"):
        assert brakes.said == "前制动片更换"


def test_another_system_keeps_the_models(manager: Actor) -> None:
    person = manager.user
    assert person is not None
    client = ApiCaller("catalogue:read", "catalogue:write", store=manager_store(manager), acts_for=person)
    car = {name: value for name, value in words().items() if name != "aliases"}
    answer = client.post("vehicle-models", car)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["aliases"], made["ends_on"]) == ([], None)
    problem(client.post("vehicle-models", car), 409, "model.exists")
    path = f"vehicle-models/{made['uid']}"
    changed = client.put(path, car | {"aliases": ["途远2.0T"]}, If_Match=client.get(path).headers["ETag"])
    assert (changed.status_code, changed.json()["aliases"]) == (200, ["途远2.0T"])
    ended = client.act(path, "end", {"ends_on": "2026-12-31"})
    assert (ended.status_code, ended.json()["ends_on"]) == (200, "2026-12-31")
