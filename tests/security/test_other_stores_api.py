"""Every operation of the API with every id of another store: 404, and nothing changes (issue 4, part 4)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from dealership.exchange import api, scopes
from dealership.kernel.api import lists
from dealership.kernel.api.resources import LISTINGS, RESOURCES, Resource
from dealership.kernel.models import ExternalRef
from reception.models import Appointment, Visit
from tests.factories.api import ApiCaller
from workshop.models import RepairOrder

from .bodies import body, commands, uid_fields
from .test_other_stores import OF_THE_GROUP, changed
from .world import World, taken_back

api.load()
SCOPED = [r for r in RESOURCES.values() if r.model.store_path is not None]


@pytest.fixture
def client(world: World) -> ApiCaller:
    """Another system with every scope in our store, acting for somebody with every post."""
    return ApiCaller(*scopes.table(), store=world.ours, acts_for=world.everything)


def rows(resource: Resource, store: Any) -> list[Any]:
    found = resource.model.objects.filter(**{resource.model.store_path: store.pk})
    if resource.path == "bays":
        found = found.filter(kind="BAY")
    if resource.path == "plan-people":
        found = found.filter(kind="PERSON")
    return list(found.order_by("-pk").values_list("uid", flat=True))


def test_what_belongs_to_the_group_is_known() -> None:
    of_the_group = {r.model._meta.label for r in RESOURCES.values() if r.model.store_path is None}
    without_api = {"kernel.PublicDay", "reception.AnswerTemplate", "reception.Duplicate"}
    assert of_the_group == OF_THE_GROUP - without_api | {"catalogue.Operation"}


def test_reading(world: World, client: ApiCaller) -> None:
    """Own items are there; items of the other store aren't, alone, by the other system's name or in any list."""
    before = world.mark()
    for resource in SCOPED:
        own, foreign = rows(resource, world.ours), rows(resource, world.theirs)
        assert own, f"{resource.path}: the world has none of ours"
        assert foreign, f"{resource.path}: the world has none of theirs"
        assert client.get(f"{resource.path}/{own[0]}").status_code == 200, resource.path
        for uid in foreign[:5]:
            assert client.get(f"{resource.path}/{uid}").status_code == 404, resource.path
        listed = client.get(f"{resource.path}?limit=100").json()["data"]
        assert {item["uid"] for item in listed} <= {str(uid) for uid in own}, resource.path
        if resource.refs:
            with taken_back():
                ExternalRef.objects.create(
                    system="X", external_id="1", root_type=resource.root_type, root_uid=foreign[0]
                )
                assert client.get(f"{resource.path}/by-ref/X/1").status_code == 404, resource.path
    assert set(changed(before, world.mark())) <= {"kernel_history"}  # looks at personal data are written down


def test_filters_and_expansion(world: World, client: ApiCaller) -> None:
    """A filter by a foreign id finds nothing, and what is put into an item is the own store's only."""
    foreign = {str(uid) for kind in world.uids(world.theirs).values() for uid in kind}
    theirs = world.uids(world.theirs)
    for resource in SCOPED:
        for name in resource.filters:
            for kind in ("reception.Visit", "workshop.RepairOrder", "workshop.OrderLine", "staff.Employee"):
                if name.endswith("_uid"):
                    said = client.get(f"{resource.path}?{name}={theirs[kind][0]}")
                    assert said.json()["data"] == [], f"{resource.path}?{name}"
        if resource.expand:
            said = client.get(f"{resource.path}?expand={','.join(resource.expand)}")
            assert said.status_code == 200, said.content
            assert not [uid for uid in foreign if uid in said.content.decode()], resource.path


def test_a_cursor_made_of_a_foreign_id(world: World, client: ApiCaller) -> None:
    """A cursor says where a list goes on; one made of another store's id leads nowhere, like one of no row at all."""

    def made(resource: Resource, *parts: str) -> str:
        return lists._cursor([lists._list_of(resource, {}), *parts])

    for resource in SCOPED:
        newest, own = str(rows(resource, world.theirs)[0]), str(rows(resource, world.ours)[0])
        for uid in (newest, str(uuid.uuid4())):
            said = client.get(f"{resource.path}?cursor={made(resource, uid)}")
            assert (said.status_code, said.json()["data"]) == (200, []), resource.path
            since = f"updated_gte=2020-01-01T00:00:00Z&cursor={made(resource, '2999-01-01T00:00:00+00:00', uid)}"
            assert client.get(f"{resource.path}?{since}").json()["data"] == [], resource.path
        last = client.get(f"{resource.path}?cursor={made(resource, own)}").json()["data"]
        assert own not in {item["uid"] for item in last}, resource.path
    visits = RESOURCES["visits"]
    visit = str(rows(visits, world.ours)[0])
    assert client.get(f"visits?cursor={made(visits, visit)}").json()["data"] != []


def test_every_command_on_a_foreign_item(world: World, client: ApiCaller) -> None:
    """A well-formed command, If-Match ``*``: the item isn't there. Every command is tried; nothing changes."""
    before, wrong, tried = world.mark(), [], 0
    for resource, verb, command in commands():
        if verb == "create" or resource.model.store_path is None:
            continue
        uid = rows(resource, world.theirs)[0]
        tried += 1
        if verb == "update":
            said = client.put(f"{resource.path}/{uid}", body(command), If_Match="*")
        else:
            said = client.post(f"{resource.path}/{uid}/actions/{verb}", body(command), If_Match="*")
        if said.status_code != 404:
            wrong.append((resource.path, verb, said.status_code, said.content[:200]))
    assert tried > 40
    assert wrong == []
    assert changed(before, world.mark()) == []


def test_a_foreign_id_in_a_body(world: World, client: ApiCaller) -> None:
    """Every uid that a body may carry, filled with ids of the other store: refused, nothing changes."""
    theirs, before, wrong, tried = world.uids(world.theirs), world.mark(), [], 0
    for resource, verb, command in commands():
        for name in uid_fields(command):
            for kind in kinds_of(name):
                tried += 1
                sent = body(command) | {name: str(theirs[kind][0])}
                if verb == "create":
                    said = client.post(resource.path, sent)
                else:
                    mine = rows(resource, world.ours) if resource.model.store_path else world.group(label(resource))
                    place = f"{resource.path}/{mine[0]}"
                    act = client.put if verb == "update" else client.post
                    said = act(place if verb == "update" else f"{place}/actions/{verb}", sent, If_Match="*")
                if said.status_code not in (403, 404, 409, 422):
                    wrong.append((resource.path, verb, name, kind, said.status_code, said.content[:200]))
    assert tried > 30
    assert wrong == []
    assert changed(before, world.mark()) == []


def kinds_of(name: str) -> tuple[str, ...]:
    """Kinds of rows that a field of this name might be thought to take."""
    known = {
        "visit": ("reception.Visit",),
        "repair_order": ("workshop.RepairOrder",),
        "order": ("workshop.RepairOrder",),
        "labor_operation": ("workshop.OrderLine",),
        "appointment": ("reception.Appointment",),
        "settlement": ("delivery.Settlement",),
        "bay": ("catalogue.Resource",),
        "survey": ("delivery.Survey",),
        "mark": ("reception.DamageMark",),
    }
    stem = name.removesuffix("_uid").removeprefix("original_")
    return known.get(stem, ("staff.Employee", "reception.Visit"))


def label(resource: Resource) -> str:
    return resource.model._meta.label


def test_the_event_feed_of_one_store(world: World, client: ApiCaller) -> None:
    """A client of one store reads that store's events and those of the group; none names the other store."""
    foreign = {str(uid) for kind, found in world.uids(world.theirs).items() for uid in found}
    said = client.get("events?limit=100")
    assert said.status_code == 200
    assert not [uid for uid in foreign if uid in said.content.decode()]
    # The world isn't committed, so the feed holds its lines back; what it would give is read without that guard.
    from dealership.kernel.models import History

    assert History.objects.filter(store=world.theirs).exists()
    from dealership.kernel.api import feed

    sql = feed._SQL.replace(f"AND h.txid < {feed.HORIZON}", "")
    assert sql != feed._SQL
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feed, "_SQL", sql)
        events = feed.read_events(after=(0, 0), limit=100_000, stores=[world.ours.pk])
    assert {event["store_code"] for event in events} == {world.ours.code, None}
    named = {(event["type"], event["store_code"]) for event in events if str(event["root_uid"]) in foreign}
    assert named == set()


def test_every_list_without_items_of_its_own_keeps_to_the_store(world: World, client: ApiCaller) -> None:
    """Listings that are no collections (events, free times, figures) are all looked at here."""
    of_everybody = {"meta/star-map", "clauses", "statutory-warranty-counters"}  # a car's repairs count in every store
    looked_at = {
        "events",
        "appointment-slots",
        "appointment-days",
        "kpis",
        "search",
        "survey-answers",
        "dispatch-slots",
        "import-rows",
        "number-looks",
        "maintenance-due",
        "vehicle-book",
        "technicians-now",
        "broken-plans",
    }
    assert set(LISTINGS) == of_everybody | looked_at, "say here how the new listing keeps to the store"
    for visit in world.uids(world.theirs)["reception.Visit"]:
        assert client.get(f"survey-answers?visit_uid={visit}").json()["data"] == []
    said = client.get("kpis?code=reception.arrivals&from=2026-11-01&to=2026-11-30", Store_Code=world.theirs.code)
    assert said.status_code in (400, 403, 404)
    for listing in ("appointment-slots", "appointment-days"):
        assert client.get(f"{listing}?store_code={world.theirs.code}").status_code == 400
    theirs = {str(uid) for uids in world.uids(world.theirs).values() for uid in uids}
    assert not {row["task_uid"] for row in client.get("number-looks?limit=100").json()["data"]} & theirs
    assert not {row["employee_uid"] for row in client.get("technicians-now?limit=100").json()["data"]} & theirs
    assert not {row["dispatch_uid"] for row in client.get("broken-plans?limit=100").json()["data"]} & theirs
    for batch in world.uids(world.theirs)["exchange.ImportBatch"]:
        assert client.get(f"import-rows?import_uid={batch}").status_code == 400
    for line in world.uids(world.theirs)["workshop.OrderLine"]:
        assert client.get(f"dispatch-slots?labor_operation_uid={line}").status_code == 400
    # Cars are the group's; their book holds the orders of the reader's stores, what is due the prices of these.
    cars = {}
    for store in (world.ours, world.theirs):
        orders = RepairOrder.objects.filter(store=store, settled_at__isnull=False)
        cars[store] = [str(uid) for uid in orders.values_list("vehicle__uid", flat=True).distinct()]
    for car in cars[world.theirs]:
        stays = client.get(f"vehicle-book?vehicle_uid={car}").json()["data"]
        assert not {stay["repair_order_uid"] for stay in stays} & theirs
        assert {stay["store_name"] for stay in stays} <= {world.ours.name}
        due = client.get(f"maintenance-due?vehicle_uid={car}&store_code={world.theirs.code}")
        assert due.json()["data"] == []
    assert any(client.get(f"vehicle-book?vehicle_uid={car}").json()["data"] for car in cars[world.ours])
    due_here = [f"maintenance-due?vehicle_uid={car}&store_code={world.ours.code}" for car in cars[world.ours]]
    assert any(client.get(asked).json()["data"] for asked in due_here)
    for model, number in ((Visit, "number"), (Appointment, "number")):
        foreign = model.objects.filter(store=world.theirs).first()
        found = client.get(f"search?q={getattr(foreign, number)}")
        assert found.status_code == 200
        assert str(foreign.uid) not in found.content.decode()


def test_a_store_that_is_not_the_clients(world: World, client: ApiCaller) -> None:
    assert client.get("visits", Store_Code=world.theirs.code).status_code in (400, 403, 404)
    assert client.get("visits", Store_Code="' OR 1=1").status_code in (400, 403, 404)


def test_verbs_that_are_not_declared(world: World, client: ApiCaller) -> None:
    for resource in RESOURCES.values():
        for path in (resource.path, f"{resource.path}/00000000-0000-0000-0000-000000000000"):
            for method in ("PATCH", "DELETE"):
                assert client.request(method, path, {}).status_code == 405, (method, path)


def test_a_client_without_scopes_for_it(world: World) -> None:
    """The narrowest scope opens its own room only: every other resource and command is 403."""
    narrow = ApiCaller("compliance:read", store=world.ours)
    for resource in RESOURCES.values():
        said = narrow.get(f"{resource.path}?limit=1").status_code
        assert said == (200 if resource.room == "compliance" else 403), resource.path
    for resource, verb, command in commands():
        if verb == "create":
            assert narrow.post(resource.path, body(command)).status_code == 403, resource.path
