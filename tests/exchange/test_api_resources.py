"""Every declared resource: routes, description and output agree; lists page through everything (design 6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver

from dealership.exchange import api, scopes
from dealership.kernel import clock
from dealership.kernel.api import openapi
from dealership.kernel.api.resources import RESOURCES, Command, One, codes
from dealership.kernel.api.shapes import MOMENT, Field
from dealership.kernel.registry import PERMISSIONS
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_store
from tests.factories.reception import make_customer, make_vehicle

api.load()
EVERY = sorted(RESOURCES)


@pytest.fixture
def desk(store) -> ApiCaller:
    return ApiCaller("reception:write", "personal:read", store=store)


def demand_schema(name: str, value: object) -> None:
    """The value is exactly what the description says of it."""
    described = json.loads(json.dumps(api.description()))
    schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    checker = jsonschema.FormatChecker(formats=["uuid", "date"])
    checker.checks("date-time")(lambda text: not isinstance(text, str) or bool(MOMENT.match(text)))
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(value)


@pytest.mark.parametrize("path", EVERY)
class TestDeclaration:
    def test_permissions_are_declared(self, path: str) -> None:
        resource = RESOURCES[path]
        commands: list[Command] = [c for c in (resource.create, resource.update, *resource.actions) if c]
        assert {*codes(resource.view), *(code for c in commands for code in c.permissions)} <= PERMISSIONS.keys()
        assert resource.help

    def test_sources_filters_and_expansions_exist(self, path: str) -> None:
        """Every look-up compiles to SQL."""
        from dealership.kernel.actors import machine

        resource = RESOURCES[path]
        columns = [f.source or name for name, f in resource.columns().items()]
        rows = resource.base(machine("tests"))
        assert str(rows.values(*columns).query)
        for wanted in resource.filters.values():
            column = wanted.lookup.removesuffix("__gte").removesuffix("__lte").removesuffix("__in")
            assert str(rows.filter(**{f"{column}__isnull": False}).query)
        for many in resource.manys().values():
            sources = [f.source or name for name, f in many.fields.items()]
            assert str(many.rows().filter(**{f"{many.by}__in": [1]}).values(many.by, *sources).query)
        for how in resource.expand.values():
            assert how.target in RESOURCES
            if isinstance(how, One):
                assert str(rows.values(how.source).query)
        for lock in resource.lock_first:
            assert str(rows.values(f"{lock}__pk").query)
        if resource.state:
            assert str(rows.values(resource.state).query)

    def test_commands_take_what_is_declared(self, path: str) -> None:
        """Each input field is a keyword of the command, each keyword without default is required."""
        import inspect

        resource = RESOURCES[path]
        for command in filter(None, (resource.create, resource.update, *resource.actions)):
            given = {f.source or name: f for name, f in command.input.items()}
            takes = inspect.signature(command.run).parameters
            open_ended = any(p.kind is p.VAR_KEYWORD for p in takes.values())
            own = {getattr(command, "uid", "uid"), "by"}
            assert open_ended or given.keys() <= takes.keys(), command.run
            needed = {n for n, p in takes.items() if p.default is p.empty and p.kind is p.KEYWORD_ONLY} - own
            assert needed <= {name for name, f in given.items() if not f.optional}, command.run

    @pytest.mark.django_db
    def test_strangers_and_foreign_scopes_are_refused(self, path: str, store) -> None:
        problem(Client().get(f"/api/v1/{path}"), 401, "unauthenticated")
        other = ApiCaller("events:read", store=store)
        said = problem(other.get(path), 403, "permission")
        assert said["permission"] == codes(RESOURCES[path].view)[0]

    @pytest.mark.django_db
    def test_empty_list(self, path: str) -> None:
        caller = ApiCaller(f"{RESOURCES[path].room}:read", store=make_store())
        answer = caller.get(f"{path}?updated_gte=2190-01-01T00:00:00Z")
        assert answer.json() == {"data": [], "has_more": False, "next_cursor": None}
        problem(caller.get(f"{path}/00000000-0000-4000-8000-000000000000"), 404, "not_found")


def addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, before + str(pattern.pattern))
        else:
            yield before + str(pattern.pattern)


def test_personal_fields_are_masked() -> None:
    """Names, telephones and addresses always carry a mask."""
    personal = {"name", "phone", "phone_2", "email", "contact_name", "contact_phone", "recipient", "recipient_name"}
    people = {"customers", "visits", "appointments", "messages", "complaints", "deliveries", "payments"}
    for resource in RESOURCES.values():
        for name, field in resource.shape.items():
            if name in personal and resource.path in people:
                assert isinstance(field, Field)
                assert field.mask, f"{resource.path}.{name}"


@pytest.mark.django_db
class TestOutput:
    def test_items_follow_the_schema(self, desk) -> None:
        owner = make_customer()
        vehicle = make_vehicle(owner_uid=owner.uid)
        item = desk.get(f"vehicles/{vehicle.uid}?expand=owner").json()
        demand_schema("Vehicle", item)
        demand_schema("Customer", item["owner"])
        demand_schema("VehicleList", desk.get("vehicles").json())
        assert item["owner_uid"] == item["owner"]["uid"] == str(owner.uid)
        assert (
            desk.act(f"customers/{owner.uid}", "record-consent", {"purpose": "SURVEY", "given": True}).status_code
            == 200
        )
        customer = desk.get(f"customers/{owner.uid}?expand=vehicles").json()
        demand_schema("Customer", customer)
        assert [v["uid"] for v in customer["vehicles"]] == [str(vehicle.uid)]
        assert customer["consents"][0]["purpose"] == "SURVEY"

    def test_refusals_follow_the_schema(self, desk) -> None:
        demand_schema("Problem", desk.get("customers?x=1").json())

    def test_a_page_costs_the_same_for_one_and_for_many(self, store, django_assert_num_queries) -> None:
        caller = ApiCaller("reception:read", store=store)
        owner = make_customer()
        for _ in range(5):
            make_vehicle(owner_uid=owner.uid)
        caller.get("vehicles?limit=1")
        with django_assert_num_queries(3):  # rows, owners, references
            assert len(caller.get("vehicles").json()["data"]) == 5


@pytest.mark.django_db
class TestLists:
    def _all(self, desk, query: str = "") -> list[str]:
        uids, cursor = [], ""
        for _ in range(20):
            said = desk.get(f"customers?limit=2{query}{cursor}").json()
            uids += [item["uid"] for item in said["data"]]
            assert said["has_more"] == (said["next_cursor"] is not None)
            if not said["has_more"]:
                return uids
            cursor = f"&cursor={said['next_cursor']}"
        raise AssertionError("the list never ends")

    def test_every_row_once_newest_first(self, desk) -> None:
        made = [str(make_customer().uid) for _ in range(5)]
        assert self._all(desk) == made[::-1]

    def test_rows_that_come_meanwhile_disturb_nothing(self, desk) -> None:
        made = [str(make_customer().uid) for _ in range(4)]
        first = desk.get("customers?limit=2").json()
        make_customer()
        second = desk.get(f"customers?limit=2&cursor={first['next_cursor']}").json()
        assert [i["uid"] for i in first["data"] + second["data"]] == made[::-1]

    def test_a_cursor_is_of_one_list_with_its_filters(self, desk) -> None:
        make_customer(name="张一"), make_customer(name="张二", phone="13800007777")
        cursor = desk.get("customers?limit=1").json()["next_cursor"]
        for other in ("vehicles?", "customers?kind=PERSON&"):
            said = problem(desk.get(f"{other}cursor={cursor}"), 400, "validation")
            assert (said["errors"][0]["pointer"], said["errors"][0]["code"]) == ("?cursor", "cursor")

    def test_updated_gte_gives_changes_in_their_order(self, desk) -> None:
        made = [make_customer() for _ in range(5)]
        since = made[0].created_at + timedelta(days=0)
        assert self._all(desk, f"&updated_gte={_text(since)}") == [str(c.uid) for c in made]
        desk.put(f"customers/{made[1].uid}", {"name": "李试驾", "phone": "13800001111"}, If_Match='"1"')
        expected = [str(made[i].uid) for i in (0, 2, 3, 4, 1)]
        assert self._all(desk, f"&updated_gte={_text(since)}") == expected
        assert self._all(desk, f"&updated_gte={_text(clock.now() + timedelta(hours=1))}") == []

    def test_filters(self, desk) -> None:
        customer = make_customer(phone="13800002222")
        make_customer()
        said = desk.get("customers?phone=13800002222").json()
        assert [item["uid"] for item in said["data"]] == [str(customer.uid)]

    def test_cursor_shows_no_inner_key(self, desk) -> None:
        import base64

        for _ in range(2):
            make_customer()
        cursor = desk.get("customers?limit=1").json()["next_cursor"]
        _of, uid = json.loads(base64.urlsafe_b64decode(cursor + "==="))
        assert len(uid) == 36


def _text(moment) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class TestDescription:
    def test_it_is_valid_openapi_3_1(self) -> None:
        from dealership.kernel.api.validation import validate_description

        described = api.description()
        assert described["openapi"] == "3.1.0"
        validate_description(described)

    def test_committed_file_is_current(self) -> None:
        call_command("openapi", "--check")

    def test_every_address_is_described(self) -> None:
        """No operation is left out: routes and description come to the same set."""
        described = set(api.description()["paths"])
        made = set()
        for address in addresses(api.patterns()):
            path = "/" + address.replace("<uuid:uid>", "{uid}")
            path = path.replace("<str:system>", "{system}").replace("<path:external_id>", "{external_id}")
            if "<slug:verb>" in path:
                resource = RESOURCES[path.split("/")[3]]
                made |= {path.replace("<slug:verb>", action.verb) for action in resource.actions}
            else:
                made.add(path)
        assert made == described

    def test_operation_ids_are_unique(self) -> None:
        ids = [op["operationId"] for path in api.description()["paths"].values() for op in path.values()]
        assert len(ids) == len(set(ids))

    def test_scopes_have_sentences(self) -> None:
        assert {f"{resource.room}:read" for resource in RESOURCES.values()} <= scopes.sentences().keys()
        assert openapi.describe(scopes.sentences())["components"]["securitySchemes"]["oauth2"]

    @pytest.mark.django_db
    def test_pages(self) -> None:
        said = Client().get("/api/v1/openapi.json")
        assert (said.status_code, said.json()["info"]["version"]) == (200, "1")
        page = Client().get("/api/v1/docs")
        assert page.status_code == 200
        text = page.content.decode()
        assert "http" not in text.replace("http-equiv", "")
        assert "<script>" not in text
        assert "style=" not in text
        assert "unsafe" not in page.headers["Content-Security-Policy"]
