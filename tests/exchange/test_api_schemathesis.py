"""schemathesis against the running API finds nothing, and every operation answers 2xx at least once (shown by 1).

First two stories are told operation by operation, each answer judged by schemathesis; what they leave open is asked of
every resource in the same way. Then schemathesis itself runs over all operations with the ids that came to be. What it
may expect is committed in ``schemathesis.toml``; it draws nothing at random, so every run asks the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from datetime import date
from types import SimpleNamespace
from typing import Any

import schemathesis
import yaml
from django.conf import settings
from schemathesis import checks
from schemathesis.core import NOT_SET

from compliance.health_models import HealthUpload
from compliance.models import ArchiveRecord
from compliance.services import health_uploads
from dealership.exchange import api
from dealership.exchange.tasks import work_import
from dealership.kernel.actors import Actor, machine
from dealership.kernel.api import auth
from dealership.kernel.api.resources import LISTINGS, RESOURCES
from dealership.kernel.models import User
from dealership.kernel.services import actor_of, set_setting
from reception.models import Visit
from staff.models import Employee
from tests.compliance.test_archives import old_file
from tests.exchange.client_from_openapi import method_name
from tests.exchange.other_ways import other_ways
from tests.exchange.shop import Shop
from tests.exchange.shown import snapshot, unmoved
from tests.exchange.visit_by_program import act, whole_visit
from tests.factories.accidents import AGREES, make_accident_order, structural
from tests.factories.cores import make_paid_core
from tests.factories.old_parts import make_old_parts
from tests.factories.reminders import make_date_reminder
from tests.factories.warranty import make_warranty_repair
from tests.factories.wishes import make_wish
from tests.factories.workshop import Shop as House
from workshop.models import RepairOrder
from workshop.services import advice, proposals

api.load()
BASE = settings.BASE_DIR
# ``make test`` tries every kind of case on every operation, and of the further ones one in so many; 1: all of them.
SHARE = os.environ.get("API_SHARE", "16")
EXAMPLES = os.environ.get("API_EXAMPLES", "")  # so many random requests of each operation, beside the systematic ones

checks.load_all_checks()
# Checks that look at one answer; those that ask again belong to the run over all operations.
JUDGED = [
    checks.CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]


class Refused(Exception):
    def __init__(self, answer: Any) -> None:
        self.code = answer.json()["code"]
        super().__init__(answer.text)


class Answer:
    def __init__(self, answer: Any) -> None:
        self.json = answer.json() if answer.content else None
        self.etag = answer.headers.get("etag", [None])[0]

    def __getitem__(self, name: str) -> Any:
        return self.json[name]


class Asked:
    """The API as schemathesis knows it; remembers which operations answered 2xx, and what changed under its old version."""

    def __init__(self, base: str) -> None:
        described = yaml.safe_load((BASE / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
        self.schema = schemathesis.openapi.from_dict(described)
        self.base, self.reached = base, set()
        self.unmoved: list[str] = []
        self.shown: Any = None
        every = [found.ok() for found in self.schema.get_all_operations()]
        self.operations = {method_name(item.definition.raw["operationId"]): item for item in every}

    def ask(self, token: str, name: str, **given: Any) -> Answer:
        operation = self.operations[name]
        raw = {
            p.name: p.location.value
            for p in operation.iter_parameters()
            if p.location.value in ("path", "query", "header")
        }
        places: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {"Authorization": f"Bearer {token}"}}
        body = given.pop("body", NOT_SET)
        for known, where in raw.items():
            value = given.pop(known.lower().replace("-", "_"), None)
            if value is not None:
                places[where][known] = str(value)
            elif known == "Idempotency-Key":
                places[where][known] = str(uuid.uuid4())
        assert not given, given
        case = operation.Case(
            path_parameters=places["path"],
            query=places["query"],
            headers=places["header"],
            body=body,
            **({"media_type": "application/json"} if body is not NOT_SET else {}),
        )
        reads = operation.method.upper() == "GET"
        if not reads and self.shown is None:
            self.shown = snapshot()
        answer = case.call(base_url=self.base)
        case.validate_response(answer, checks=JUDGED)
        if answer.status_code >= 400:
            raise Refused(answer)
        self.reached.add(name)
        if not reads:  # what happened behind the outbox since the last command is looked at with it
            before, self.shown = self.shown, snapshot()
            self.unmoved += [f"{name}: {what}" for what in unmoved(before, self.shown)]
        return Answer(answer)


class Person:
    """Stands where the generated client stands in the stories."""

    def __init__(self, asked: Asked, token: str) -> None:
        self._asked, self._token = asked, token

    def __getattr__(self, name: str) -> Any:
        return lambda **given: self._asked.ask(self._token, name, **given)


class World:
    def __init__(self, shop: Shop, asked: Asked, checklist: list[str]) -> None:
        self.shop, self.asked, self.checklist = shop, asked, checklist
        self.numbers = {
            person.username: person.employee.number
            for person in User.objects.exclude(employee=None).select_related("employee")
        }

    def __getattr__(self, login: str) -> Person:
        if login.startswith("_"):
            raise AttributeError(login)
        self.__dict__[login] = made = Person(self.asked, self.shop.token(login))
        return made

    def at(self, hour: int, minute: int, day: tuple[int, int, int] = (2026, 11, 27)) -> None:
        self.shop.at(*day, hour, minute)

    def relay(self) -> None:
        self.shop.relay()

    def plan_is_worked_out(self, uid: str) -> None:
        proposals.work_out(uid=uuid.UUID(uid))

    def import_is_worked_on(self, uid: str) -> None:
        work_import(uid)

    def an_owner_is_reminded(self, visit: str) -> str:
        made = make_date_reminder(Visit.objects.get(uid=visit), by=machine("tests", store_id=self.shop.store.pk))
        return str(made.uid)

    def old_parts_come_off(self, visit: str) -> list[str]:
        return [str(part.uid) for part in make_old_parts(Visit.objects.get(uid=visit), 3)]

    def core_is_paid(self, visit: str) -> str:
        return str(make_paid_core(Visit.objects.get(uid=visit)).uid)

    def warranty_repairs(self, visit: str, count: int) -> list[str]:
        here = Visit.objects.get(uid=visit)
        return [str(make_warranty_repair(here).order.uid) for _each in range(count)]

    def _people(self, *logins: str) -> tuple[dict[str, Employee], dict[str, Actor]]:
        people = {login: Employee.objects.get(user__username=login) for login in logins}
        return people, {login: actor_of(person.user, self.shop.store) for login, person in people.items()}

    def accident_order(self) -> tuple[str, str, str]:
        """An insurance order with one item that was offered to the insurer: (order, item, who decides)."""
        people, actors = self._people("advisor")
        house = House(self.shop.store, actors["advisor"], actors["advisor"], people["advisor"])
        order = make_accident_order(house)
        return str(order.uid), str(order.lines.get().uid), AGREES

    def structure_is_repaired(self) -> str:
        people, actors = self._people("advisor", "technician")
        return str(structural(SimpleNamespace(store=self.shop.store, people=people, **actors)).uid)

    def a_customer_asks_for(self, visit: str, code: str) -> str:
        return str(make_wish(Visit.objects.get(uid=visit), code).uid)

    def declined_is_kept(self, visit: str) -> None:
        advice.keep_advice(visit_uid=uuid.UUID(visit), by=machine("tests"))

    def records_left_to_a_person(self, settlement: str) -> str:
        upload = HealthUpload.objects.get(settlement__uid=settlement)
        by = machine("tests", store_id=self.shop.store.pk)
        return str(health_uploads.note_answer(uid=upload.uid, problem="格式错误", refused=True, by=by).uid)

    def file_whose_time_has_run_out(self, uid: str) -> str:
        archive = ArchiveRecord.objects.get(uid=uid)
        return str(old_file(RepairOrder.objects.get(uid=archive.subject_uid), archive).uid)


def read_everything(asked: Asked, token: str) -> dict[str, list[str]]:
    """Every list, every item and every name by another system; returns the uids by resource."""
    anybody = Person(asked, token)
    uids = {}
    for path, resource in RESOURCES.items():
        name = method_name(resource.name)
        found = getattr(anybody, f"list_{name}")(limit=20)["data"]
        assert found, f"nothing of {path} came to be: tell it in the stories"
        uids[path] = [item["uid"] for item in found]
        getattr(anybody, f"get_{name}")(uid=uids[path][0])
        if resource.refs:
            (uid,) = uids[path][-1:]
            held = {ref["system"]: ref["id"] for item in found if item["uid"] == uid for ref in item["external_refs"]}
            held["schema"] = f"{path}-1"
            act(anybody, name, uid, "add_reference", {"system": "schema", "id": held["schema"]})
            getattr(anybody, f"get_{name}_by_ref")(system="schema", external_id=held["schema"])
    for listing in LISTINGS.values():
        asked_for = {name: WORDS.get(name) or uids[NEEDED[name]][0] for name in listing.required}
        getattr(anybody, f"list_{method_name(listing.name)}")(**asked_for)
    return uids


WORDS = {"q": "京A"}
NEEDED = {"labor_operation_uid": "labor-operations", "import_uid": "imports", "vehicle_uid": "vehicles"}
PARSER_GAVE_UP = "SystemError: AST constructor recursion depth mismatch"
"""Python 3.11's parser loses count when another thread moves the recursion limit; the tool dies of it, nothing was found."""


def test_schemathesis_finds_nothing(shop: Shop, live_server, tmp_path) -> None:
    asked = Asked(live_server.url)
    checklist = asked.schema.raw_schema["components"]["schemas"]["DeliveryCreate"]["properties"]["checklist"]
    world = World(shop, asked, checklist["propertyNames"]["enum"])
    other_ways(world, whole_visit(world))
    token = shop.token()
    uids = read_everything(asked, token)
    assert asked.operations.keys() - asked.reached == set()
    assert asked.unmoved == []

    (tmp_path / "uids.json").write_text(json.dumps(uids))
    set_setting(
        key="exchange.api_requests_per_minute",
        value=1_000_000,
        starts_on=date(2026, 12, 1),
        by=machine("tests"),
    )
    auth.forget()
    report = tmp_path / "report.ndjson"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(BASE / "schemathesis.toml")),
        *("run", str(BASE / "docs" / "openapi.yaml"), "--url", live_server.url),
        *(("--phases", "coverage,fuzzing", "--max-examples", EXAMPLES) if EXAMPLES else ("--phases", "coverage")),
        *("--header", f"Authorization: Bearer {token}"),
        *("--report-ndjson-path", str(report)),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.exchange.schemathesis_hooks",
        "API_UIDS": str(tmp_path / "uids.json"),
        "API_SHARE": SHARE,
    }
    for _try in range(2):
        ran = subprocess.run(command, cwd=BASE, env=environment, capture_output=True, text=True)
        if PARSER_GAVE_UP not in ran.stdout:
            break
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-3000:]
