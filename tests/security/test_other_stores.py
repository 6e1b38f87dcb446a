"""Every id of another store on every address, for every post: it isn't there, and nothing changes (issue 4, part 4).

The addresses come from the URL table, the kinds of rows from the models. ``OPENS`` says which kind of row an address
opens; that an id of the own store does open it is shown too, so no 404 here is one of a mistyped address.
"""

from __future__ import annotations

from uuid import UUID

import pytest
from django.http import HttpResponse

from dealership.kernel import registry
from dealership.kernel.actors import Actor
from dealership.kernel.services import actor_of

from .addresses import METHODS, Address, ask, of_rows
from .opens import OPENS
from .world import World, signed_in, taken_back

# What belongs to the group: another store's customers and cars are the own ones; so are parts and holidays.
OF_THE_GROUP = {
    "catalogue.CheckTemplate",
    "catalogue.MaintenancePlan",
    "catalogue.Operation",
    "catalogue.Part",
    "catalogue.PartReplacement",
    "catalogue.VehicleModel",
    "kernel.PublicDay",
    "reception.AnswerTemplate",
    "reception.Customer",
    "reception.CustomerContact",
    "reception.CustomerMerge",
    "reception.Duplicate",
    "reception.KnowledgeArticle",
    "reception.Script",
    "reception.Vehicle",
    "workshop.Campaign",
    "workshop.StandingConsent",
    "workshop.CampaignVehicle",
    "workshop.WearTerm",
}


@pytest.fixture(autouse=True)
def _quick_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 404's page with its rail is drawn in other tests; here its status is enough."""
    monkeypatch.setattr("dealership.urls.handler404", lambda *_a, **_k: HttpResponse(status=404), raising=False)


def seconds(address: Address, uids: dict[str, list[UUID]]) -> UUID | None:
    return uids[address.second][0] if address.second else None


def test_every_address_says_what_it_opens() -> None:
    names = {address.name for address in of_rows()}
    assert sorted(names - set(OPENS)) == [], "say in OPENS which kind of row these addresses open"
    assert sorted(set(OPENS) - names) == [], "in OPENS, but no longer an address"


def test_own_rows_open_every_address(world: World) -> None:
    """For somebody with every post, each address is there for at least one row of the own store."""
    own = world.uids(world.ours)
    own |= {kind: world.group(kind) for kind in OF_THE_GROUP}
    actor = actor_of(world.everything, world.ours)
    shut = {}
    for address in of_rows():
        said = set()
        for uid in own[OPENS[address.name]][:40]:
            with taken_back():
                said.add(ask(address, address.values(uid, seconds(address, own)), **world.asks(actor)))
            if said != {404}:
                break
        if said == {404}:
            shut[address.name] = OPENS[address.name]
    assert shut == {}


def test_no_id_of_another_store_opens_any_address(world: World) -> None:
    """Ids of every kind of row, spread over all addresses, and of the kind that the address opens on each."""
    theirs, own = world.uids(world.theirs), world.uids(world.ours)
    actor = actor_of(world.everything, world.ours)
    before, opened = world.mark(), []
    for number, address in enumerate(of_rows()):
        if OPENS[address.name] in OF_THE_GROUP:
            continue
        for place, (kind, rows) in enumerate(theirs.items()):
            if kind != OPENS[address.name] and (number + place) % 4:
                continue
            for uid in rows[:4] if kind == OPENS[address.name] else rows[:1]:
                for second in {seconds(address, own), seconds(address, theirs)}:
                    said = ask(address, address.values(uid, second), **world.asks(actor))
                    if said != 404:
                        opened.append((address.name, kind, said))
    assert opened == []
    assert changed(before, world.mark()) == []


def test_a_second_id_of_another_store_is_not_there_either(world: World) -> None:
    """``/visits/<ours>/walkaround/marks/<theirs>/remove/`` and its like."""
    theirs, own = world.uids(world.theirs), world.uids(world.ours)
    actor = actor_of(world.everything, world.ours)
    before = world.mark()
    for address in (a for a in of_rows() if a.second):
        foreign = seconds(address, theirs)
        said = {
            ask(address, address.values(uid, foreign), **world.asks(actor)) for uid in own[OPENS[address.name]][:40]
        }
        assert 404 in said, address.name
        assert said <= {404, 422}, address.name  # 422: what is ended or signed takes no more changes at all
    assert changed(before, world.mark()) == []


def test_no_post_reaches_another_store(world: World) -> None:
    """URL × post × store: 404, or 403 where the post doesn't open the address for its own store."""
    theirs = world.uids(world.theirs)
    before, opened = world.mark(), []
    for role in registry.ROLES:
        actor = Actor(
            kind=actor_of(world.everything, world.ours).kind,
            id=str(world.everything.uid),
            permissions=frozenset(registry.ROLES[role]),
            store_ids=frozenset({world.ours.pk}),
            user=world.everything,
        )
        for address in of_rows():
            if OPENS[address.name] in OF_THE_GROUP:
                continue
            uid = theirs[OPENS[address.name]][0]
            said = ask(address, address.values(uid, seconds(address, theirs)), **world.asks(actor))
            if said not in (403, 404):
                opened.append((address.name, role, said))
    assert opened == []
    assert changed(before, world.mark()) == []


def test_no_method_gets_around_it(world: World) -> None:
    """GET, HEAD, POST, PUT, PATCH and DELETE through the whole stack: 404, 403, or 405 where the verb isn't there."""
    theirs = world.uids(world.theirs)
    client = signed_in(world.everything)
    before, wrong = world.mark(), []
    for address in of_rows():
        if OPENS[address.name] in OF_THE_GROUP:
            continue
        path = address.path(theirs[OPENS[address.name]][0], seconds(address, theirs))
        for method in METHODS:
            said = client.generic(method, path).status_code
            if said not in (403, 404, 405):
                wrong.append((method, address.name, said))
    assert wrong == []
    assert changed(before, world.mark()) == []


def test_what_is_the_groups_has_no_other_verbs(world: World) -> None:
    """Customers and cars belong to the group; what isn't a verb of their pages is refused for them too."""
    client = signed_in(world.everything)
    before = world.mark()
    for address in of_rows():
        if OPENS[address.name] in OF_THE_GROUP:
            path = address.path(world.group(OPENS[address.name])[0])
            assert {client.generic(method, path).status_code for method in ("PATCH", "DELETE")} == {405}, address.name
    assert changed(before, world.mark()) == []


def test_a_store_that_is_not_the_persons_cannot_be_chosen(world: World) -> None:
    client = signed_in(world.everything)
    assert client.post("/store/", {"store": str(world.theirs.uid)}).status_code == 404
    assert client.post("/store/", {"store": "1 OR 1=1"}).status_code == 404
    assert client.session.get("store_id") != world.theirs.pk


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables in which anything is different."""
    return sorted(name for name in before if before[name] != after[name])


def test_the_mark_notices_a_change(world: World) -> None:
    """The measure itself: one letter in one row is found."""
    from reception.models import Visit

    before = world.mark()
    Visit.objects.filter(store=world.theirs).update(need="anders")
    assert changed(before, world.mark()) == ["reception_visit"]
