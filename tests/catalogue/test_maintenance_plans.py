"""Maintenance plans: drafted, filled, released from a day on, followed by the next version; what is released stays (3.1)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import MaintenanceItem, MaintenancePlan, Operation, VehicleModel
from dealership.catalogue.selectors.maintenance import plan_for, plan_list
from dealership.catalogue.services import maintenance
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import rule
from tests.factories.staff import actor_for, make_employee, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def director():
    return make_employee(make_store(), "techdirector")


@pytest.fixture
def by(director) -> Actor:
    return actor_for(director)


def operation(code: str) -> Operation:
    return Operation.objects.get(code=code)


def draft(by: Actor, *codes: str, **scope: Any) -> MaintenancePlan:
    plan = maintenance.draft_plan(name="锐放保养", by=by, **(scope or {"make": "示例汽车", "series": "锐放"}))
    for code in codes:
        maintenance.put_item(plan_uid=plan.uid, operation_uid=operation(code).uid, every_km=8000, by=by)
    return plan


def test_seeds_bring_a_plan_for_each_usual_energy() -> None:
    names = {p.powertrain: p.name for p in MaintenancePlan.objects.filter(state="RELEASED")}
    assert names == {"ICE": "燃油车保养", "HEV": "混合动力车保养", "PHEV": "插电混动车保养", "BEV": "纯电动车保养"}
    electric = plan_for(None, "BEV")
    assert electric is not None
    assert [item.operation.code for item in electric.items.all()] == ["HV-10", "MT-40", "MT-50", "TY-20"]


def test_the_narrowest_released_plan_holds_for_a_car(by: Actor) -> None:
    model = VehicleModel.objects.get(name="双擎 2.0")
    other = VehicleModel.objects.get(name="2.0T 四驱")
    series = draft(by, "MT-10")
    assert plan_for(model, "HEV").powertrain == "HEV"  # a draft holds for nobody
    maintenance.release_plan(uid=series.uid, starts_on=clock.today(), by=by)
    assert plan_for(model, "HEV") == series
    own = draft(by, "MT-20", model_uid=model.uid)
    maintenance.release_plan(uid=own.uid, starts_on=clock.today() + timedelta(days=3), by=by)
    assert plan_for(model, "HEV") == series
    assert plan_for(model, "HEV", on=clock.today() + timedelta(days=3)) == own
    assert plan_for(other, "ICE").name == "燃油车保养"
    assert plan_for(None, "FCEV") is None


def test_a_version_is_followed_by_the_next_from_a_day_on(by: Actor) -> None:
    first = draft(by, "MT-10", "MT-50")
    today = clock.today()
    maintenance.release_plan(uid=first.uid, starts_on=today, by=by)
    second = maintenance.draft_next(uid=first.uid, by=by)
    assert (second.number, [i.operation.code for i in second.items.order_by("operation__code")]) == (
        2,
        ["MT-10", "MT-50"],
    )
    maintenance.put_item(plan_uid=second.uid, operation_uid=operation("MT-10").uid, every_km=9000, by=by)
    maintenance.drop_item(plan_uid=second.uid, operation_uid=operation("MT-50").uid, by=by)
    with rule("plan.later"):
        maintenance.release_plan(uid=second.uid, starts_on=today, by=by)
    maintenance.release_plan(uid=second.uid, starts_on=today + timedelta(days=10), by=by)
    first.refresh_from_db()
    assert (first.ends_on, MaintenanceItem.objects.filter(plan=first).count()) == (today + timedelta(days=9), 2)
    row = next(r for r in plan_list() if r.newest.series == "锐放")
    assert (row.now, row.coming, row.draft, row.earlier) == (first, second, None, 0)
    codes = list(History.objects.filter(root_uid=first.uid).order_by("id").values_list("code", flat=True))
    assert codes[-2:] == ["catalogue.maintenance_plan.released", "catalogue.maintenance_plan.followed"]


def test_refusals_write_nothing(by: Actor) -> None:
    plan = draft(by)
    technician = actor_for(make_employee(make_store("TE01"), "technician"))
    before = (MaintenancePlan.objects.count(), MaintenanceItem.objects.count(), History.objects.count())
    oil, model = operation("MT-10").uid, VehicleModel.objects.first()
    item = {"plan_uid": plan.uid, "operation_uid": oil}
    for code, command, given in (
        ("plan.name", maintenance.draft_plan, {"name": " "}),
        ("plan.exists", maintenance.draft_plan, {"name": "又一份", "make": "示例汽车", "series": "锐放"}),
        ("plan.scope", maintenance.draft_plan, {"name": "无品牌", "series": "锐放"}),
        ("plan.scope", maintenance.draft_plan, {"name": "两样", "make": "示例汽车", "model_uid": model.uid}),
        ("plan.scope", maintenance.draft_plan, {"name": "能源", "powertrain": "STEAM"}),
        ("plan.draft_exists", maintenance.draft_next, {"uid": plan.uid}),
        ("plan.empty", maintenance.release_plan, {"uid": plan.uid, "starts_on": clock.today()}),
        ("plan_item.gone", maintenance.drop_item, item),
        ("plan_item.interval", maintenance.put_item, item),
        ("plan_item.interval", maintenance.put_item, item | {"every_km": 499}),
        ("plan_item.interval", maintenance.put_item, item | {"every_months": 241}),
        ("plan_item.severe", maintenance.put_item, item | {"every_km": 8000, "severe_km": 8001}),
        ("plan_item.severe", maintenance.put_item, item | {"every_km": 8000, "severe_months": 6}),
    ):  # fmt: skip
        with rule(code):
            command(by=by, **given)
    with pytest.raises(NotAllowed):
        maintenance.draft_plan(name="我的", by=technician)
    assert (MaintenancePlan.objects.count(), MaintenanceItem.objects.count(), History.objects.count()) == before


def test_what_is_released_stays(by: Actor, refused: Any) -> None:
    plan = draft(by, "MT-10")
    maintenance.release_plan(uid=plan.uid, starts_on=clock.today(), by=by)
    for command, given in (
        (maintenance.put_item, {"plan_uid": plan.uid, "operation_uid": operation("MT-20").uid, "every_km": 9000}),
        (maintenance.drop_item, {"plan_uid": plan.uid, "operation_uid": operation("MT-10").uid}),
        (maintenance.release_plan, {"uid": plan.uid, "starts_on": clock.today()}),
        (maintenance.discard_plan, {"uid": plan.uid}),
    ):
        with rule("plan.released"):
            command(by=by, **given)
    table, items = "catalogue_maintenanceplan", "catalogue_maintenanceitem"
    with refused("maintenanceplan_released_is_fixed") as run:
        run(f"UPDATE {table} SET name = '别的' WHERE id = %s", [plan.pk])
    with refused("maintenanceplan_released_is_fixed") as run:
        run(f"DELETE FROM {table} WHERE id = %s", [plan.pk])
    with refused("maintenanceplan_moves") as run:
        run(f"UPDATE {table} SET state = 'DRAFT', starts_on = NULL WHERE id = %s", [plan.pk])
    for statement in (
        f"UPDATE {items} SET every_km = 90000 WHERE plan_id = %s",
        f"DELETE FROM {items} WHERE plan_id = %s",
        f"INSERT INTO {items} (uid, plan_id, operation_id, every_km, repeats) "
        "SELECT gen_random_uuid(), %s, id, 9000, true FROM catalogue_operation WHERE code = 'MT-20'",
    ):
        with refused("maintenanceitem_of_a_draft") as run:
            run(statement, [plan.pk])


def test_the_database_knows_the_rules_of_versions_and_intervals(by: Actor, refused: Any) -> None:
    plan = draft(by, "MT-10")
    copy = (
        "INSERT INTO catalogue_maintenanceplan (uid, version, created_at, updated_at, name, number, make, series, "
        "powertrain, source, state) SELECT gen_random_uuid(), 1, now(), now(), name, {number}, make, series, powertrain, "
        "source, 'DRAFT' FROM catalogue_maintenanceplan WHERE id = %s"
    )
    with refused("maintenanceplan_one_draft") as run:
        run(copy.format(number=2), [plan.pk])
    with refused("maintenanceplan_scope_fixed") as run:
        run("UPDATE catalogue_maintenanceplan SET series = '远岚' WHERE id = %s", [plan.pk])
    with refused("maintenanceplan_dated") as run:
        run("UPDATE catalogue_maintenanceplan SET state = 'RELEASED' WHERE id = %s", [plan.pk])
    for change, name in (
        ("every_km = 499", "maintenanceitem_interval"),
        ("every_km = NULL, every_months = NULL", "maintenanceitem_interval"),
        ("every_months = 0", "maintenanceitem_months"),
        ("severe_km = every_km + 1", "maintenanceitem_severe"),
        ("severe_months = 6", "maintenanceitem_severe"),
    ):
        with refused(name) as run:
            run(f"UPDATE catalogue_maintenanceitem SET {change} WHERE plan_id = %s", [plan.pk])
    maintenance.release_plan(uid=plan.uid, starts_on=date(2025, 1, 1), by=by)
    after = maintenance.draft_next(uid=plan.uid, by=by)
    with refused("maintenanceplan_number") as run:
        run(copy.format(number=1), [plan.pk])
    with refused("maintenanceplan_one_a_day") as run:
        run(
            "UPDATE catalogue_maintenanceplan SET state = 'RELEASED', starts_on = '2026-01-01' WHERE id = %s",
            [after.pk],
        )
    with refused("maintenanceplan_period") as run:
        run("UPDATE catalogue_maintenanceplan SET ends_on = '2024-12-31' WHERE id = %s", [plan.pk])


def test_the_director_writes_and_releases_a_plan_on_the_pages(client: Client, director) -> None:
    client.force_login(director.user)
    sent = {"name": "青禾保养", "make": "示例汽车", "series": "青禾"}
    answer = client.post(reverse("maintenance-plan-new"), sent)
    plan = MaintenancePlan.objects.get(series="青禾")
    address = reverse("maintenance-plan", args=[plan.uid])
    assert answer["Location"] == address
    assert "方案里还没有项目" in client.get(address).content.decode()
    work = reverse("maintenance-item", args=[plan.uid])
    wrong = client.post(work, {"operation": str(operation("MT-10").uid), "repeats": "on"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["every_km"])
    client.post(
        work, {"operation": str(operation("MT-10").uid), "every_km": "5000", "every_months": "6", "repeats": "on"}
    )
    again = client.get(work, {"operation": str(operation("MT-10").uid)})
    assert again.context["form"]["every_km"].value() == 5000
    assert "5,000 公里 / 6 个月" in client.get(address).content.decode()
    client.post(reverse("maintenance-release", args=[plan.uid]), {"starts_on": clock.today().isoformat()})
    page = client.get(address).content.decode()
    assert "生效中" in page
    assert "编写下一版" in page
    client.post(reverse("maintenance-next", args=[plan.uid]))
    following = MaintenancePlan.objects.get(series="青禾", state="DRAFT")
    client.post(reverse("maintenance-item-drop", args=[following.uid]), {"operation": str(operation("MT-10").uid)})
    assert not following.items.exists()
    assert "第 2 版" in client.get(reverse("maintenance-plans")).content.decode()
    client.post(reverse("maintenance-discard", args=[following.uid]))
    assert not MaintenancePlan.objects.filter(pk=following.pk).exists()


def test_without_a_plan_the_list_says_what_to_do_first(client: Client, director, monkeypatch) -> None:
    monkeypatch.setattr("dealership.catalogue.views.maintenance.reads.plan_list", list)
    client.force_login(director.user)
    assert "编写第一份方案" in client.get(reverse("maintenance-plans")).content.decode()


def test_the_api_writes_a_plan_and_refuses_a_changed_release() -> None:
    caller = ApiCaller("catalogue:read", "catalogue:write", store=make_store())
    made = caller.post("maintenance-plans", {"name": "云鹿保养", "make": "示例新能源", "series": "云鹿"})
    assert made.status_code == 201
    path = f"maintenance-plans/{made.json()['uid']}"
    put = caller.act(path, "put-item", {"operation_uid": str(operation("MT-40").uid), "every_months": 12})
    assert put.status_code == 200
    assert [(i["every_km"], i["every_months"], i["repeats"]) for i in put.json()["items"]] == [(None, 12, True)]
    assert caller.act(path, "release", {"starts_on": clock.today().isoformat()}).json()["state"] == "RELEASED"
    answer = caller.act(path, "put-item", {"operation_uid": str(operation("MT-50").uid), "every_months": 24})
    problem(answer, 409, "plan.released")
    assert caller.act(path, "draft-next").status_code == 200
    rows = caller.get("maintenance-plans?state=DRAFT").json()["data"]
    assert [(row["number"], row["series"], row["items"][0]["every_months"]) for row in rows] == [(2, "云鹿", 12)]
