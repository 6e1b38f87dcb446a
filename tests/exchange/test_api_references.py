"""Other systems' names for everything that has them, and our words beside STAR's (design 6, peers 3)."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from django.conf import settings

from dealership.exchange import api
from dealership.kernel.api.resources import RESOURCES
from dealership.kernel.api.star import CODES
from dealership.kernel.models import ExternalRef, History
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_customer, make_vehicle

api.load()
WITH_REFS = sorted(path for path, resource in RESOURCES.items() if resource.refs)


@pytest.fixture
def desk(store) -> ApiCaller:
    return ApiCaller("reception:write", "personal:read", store=store)


def test_the_roots_of_a_visit_take_other_systems_names() -> None:
    assert {"customers", "vehicles", "appointments", "visits", "repair-orders", "settlements", "payments"} <= set(
        WITH_REFS
    )


@pytest.mark.django_db
class TestAddReference:
    def test_a_name_is_kept_found_and_recorded(self, desk) -> None:
        path = f"customers/{make_customer().uid}"
        said = desk.act(path, "add-reference", {"system": "dms", "id": "C 1/7"})
        assert said.json()["external_refs"] == [{"system": "dms", "id": "C 1/7"}]
        assert desk.get("customers/by-ref/dms/C%201/7").json()["uid"] == said.json()["uid"]
        line = History.objects.get(code="kernel.reference.added")
        assert line.facts == {"system": "dms"}
        assert "add-reference" not in said.json()["transitions"]

    def test_given_twice_is_given_once(self, desk) -> None:
        path = f"customers/{make_customer().uid}"
        for _ in range(2):
            assert desk.act(path, "add-reference", {"system": "dms", "id": "C-1"}).status_code == 200
        assert ExternalRef.objects.count() == 1

    def test_taken_names_are_refused(self, desk) -> None:
        first, second = (f"customers/{make_customer().uid}" for _ in range(2))
        desk.act(first, "add-reference", {"system": "dms", "id": "C-1"})
        problem(desk.act(second, "add-reference", {"system": "dms", "id": "C-1"}), 409, "reference.taken")
        problem(desk.act(first, "add-reference", {"system": "dms", "id": "C-2"}), 409, "reference.other")
        assert ExternalRef.objects.count() == 1

    def test_the_database_refuses_it_too(self, desk, refused) -> None:
        customer, other = make_customer(), make_customer()
        insert = "INSERT INTO kernel_externalref (system, external_id, root_type, root_uid) VALUES ('dms', %s, %s, %s)"
        ExternalRef.objects.create(system="dms", external_id="1", root_type="customer", root_uid=customer.uid)
        with refused("externalref_once") as sql:
            sql(insert, ["1", "customer", str(other.uid)])
        with refused("externalref_one_per_system") as sql:
            sql(insert, ["2", "customer", str(customer.uid)])

    def test_needs_its_permission(self, store) -> None:
        reader = ApiCaller("reception:read", store=store)
        path = f"customers/{make_customer().uid}"
        said = problem(reader.act(path, "add-reference", {"system": "dms", "id": "1"}), 403, "permission")
        assert said["permission"] == "kernel.references.edit"
        assert not ExternalRef.objects.exists()


@pytest.mark.django_db
def test_what_only_moves_by_actions_is_created_once(desk) -> None:
    owner = make_customer()
    vehicle = make_vehicle(owner_uid=owner.uid)
    body = {
        "contact_name": "张试驾",
        "contact_phone": "13800001111",
        "model_text": "途远 2.0T",
        "need": "异响",
        "plate": vehicle.plate,
    }
    made = desk.put("visits/by-ref/gate/V-1", body)
    assert made.status_code == 201, made.content
    said = desk.put("visits/by-ref/gate/V-1", {**body, "need": "保养"}, If_Match=made.headers["ETag"])
    problem(said, 409, "reference.exists")
    assert said.headers["Location"] == f"/api/v1/visits/{made.json()['uid']}"
    assert desk.get("visits/by-ref/gate/V-1").json() == made.json()


class TestStarMap:
    def test_fields_and_codes_exist(self) -> None:
        for resource in RESOURCES.values():
            assert set(resource.star_fields) <= set(resource.fields_out()), resource.path
            assert resource.star or not resource.star_fields

    def test_it_says_what_the_glossary_says(self) -> None:
        """Each table of docs/glossary.md with a column STAR, code by code; and no list of codes beyond them."""
        text = (settings.BASE_DIR / "docs" / "glossary.md").read_text(encoding="utf-8")
        told = {}
        for part in text.split("\n### ")[1:]:
            named = re.search(r"^`(\w+)\.(\w+)`$", part, re.M)
            if not named or "| STAR |" not in part:
                continue
            room = named[1] if named[1] not in ("catalogue", "kernel", "exchange") else f"dealership.{named[1]}"
            choices = getattr(import_module(f"{room}.models"), named[2])
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if "|" in line]
            column = rows[0].index("STAR")
            told[choices] = {
                row[0]: row[0] if row[column] == "same" else row[column] for row in rows[2:] if row[column] != "–"
            }
        assert told == CODES

    @pytest.mark.django_db
    def test_any_client_may_read_it(self, store) -> None:
        said = ApiCaller("events:read", store=store).get("meta/star-map").json()
        (order,) = (row for row in said["data"] if row["resource"] == "repair-orders")
        assert (order["star_type"], order["fields"]["promised_at"]) == ("RepairOrder", "promise_complete_date")
        assert order["codes"]["stage"]["IN_WORK"] == "WORK_IN_PROGRESS"
        assert (said["has_more"], said["next_cursor"]) == (False, None)
