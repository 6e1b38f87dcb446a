"""What a chapter declares in its ``api.py``: a resource, its shape, its commands. Routes, schema and tests follow."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import models

from ..actors import Actor
from ..errors import NotAllowed
from ..models import Root
from .shapes import Field, ListOf, Moment, Money, Nested, Text, Uid, Whole, object_schema_out

# Every command may carry the hour at which it happened (1.1: power cut, paper form); history shows both times.
LATE_ENTRY: dict[str, Field] = {
    "happened_at": Moment(optional=True, help="When it really happened, where it is entered late (7 days at most)."),
    "happened_reason": Text(200, optional=True, help="Why it is entered late; required with happened_at."),
}


def codes(permission: str | tuple[str, ...]) -> tuple[str, ...]:
    return (permission,) if isinstance(permission, str) else permission


def require_any(actor: Actor, permission: str | tuple[str, ...]) -> None:
    """Raises NotAllowed unless the actor has one of the permissions."""
    if not any(actor.may(code) for code in codes(permission)):
        raise NotAllowed(codes(permission)[0])


@dataclass(frozen=True, kw_only=True)
class Command:
    """One service function: ``run(**input, by=actor)``. ``input`` names fields as the command names its keywords.

    ``permission`` may be several of which any one opens the door; the command itself decides what each may do.
    """

    run: Callable[..., Any]
    permission: str | tuple[str, ...]
    input: Mapping[str, Field] = field(default_factory=dict)
    help: str = ""

    def fields(self) -> dict[str, Field]:
        return {**self.input, **LATE_ENTRY}

    @property
    def permissions(self) -> tuple[str, ...]:
        return codes(self.permission)

    def allowed(self, actor: Actor) -> bool:
        return any(actor.may(code) for code in self.permissions)

    def require(self, actor: Actor) -> None:
        require_any(actor, self.permission)


class While:
    """A condition for an action in the item's own columns: ``holds`` gets their values in the order of ``columns``."""

    def __init__(self, holds: Callable[..., bool], *columns: str) -> None:
        self.holds, self.columns = holds, columns

    def __call__(self, row: Mapping[str, Any]) -> bool:
        return self.holds(*(row[column] for column in self.columns))


@dataclass(frozen=True, kw_only=True)
class Action(Command):
    """``POST /{uid}/actions/{verb}``: ``uid`` is the keyword by which the command takes the item's uid.

    ``when`` are the states (values of the resource's ``state``) in which it stands among the item's transitions,
    ``only`` what has to be so beside.
    """

    verb: str
    uid: str = "uid"
    when: Container[str] | None = None
    only: While | None = None


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A parameter of the list: ``lookup`` is Django's, ``field`` reads the value.

    ``of`` makes what the look-up compares with from the value, where that isn't the value itself.
    """

    field: Field
    lookup: str
    of: Callable[[Any], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class One:
    """``expand``: the item of ``target`` whose uid stands in the row under ``source``."""

    target: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Those:
    """``expand``: the items of ``target`` whose look-up ``link`` (a uid) is this item."""

    target: str
    link: str


@dataclass(frozen=True, kw_only=True)
class Many:
    """Rows that hang on the item and are no resource themselves; one query for a whole page.

    ``rows`` returns the ordered queryset, ``by`` the look-up of the item's pk in it.
    """

    rows: Callable[[], models.QuerySet]
    by: str
    fields: Mapping[str, Field]
    help: str = ""

    def schema_out(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": object_schema_out(self.fields)}
        if self.help:
            schema["description"] = self.help
        return schema


BASE: dict[str, Field] = {
    "uid": Uid(),
    "version": Whole(1, help="Counts changes; If-Match takes the ETag or this number in quotes."),
    "created_at": Moment(),
    "updated_at": Moment(),
}


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One collection of the API.

    ``path`` kebab-case plural; ``name`` the schema's name; ``room`` the scope's first part (``reception`` makes
    ``reception:read`` and ``reception:write``); ``view`` the permission to read (any one of several; ``rows`` then
    decides what each may see); ``shape`` the fields given;
    ``rows`` the reads as somebody (default ``model.objects.for_actor``); ``lock_first`` the look-ups of rows that the
    commands lock before this one (design 5), so that the frame takes the same order; ``refs`` gives by-ref routes;
    ``timeline`` is the history key of the item itself (customer, vehicle, visit, order). ``star`` and ``star_fields``
    are STAR's words where they differ from ours (``/meta/star-map``).
    """

    path: str
    name: str
    room: str
    model: type[Root]
    view: str | tuple[str, ...]
    shape: Mapping[str, Field | Many]
    help: str
    rows: Callable[[Actor], models.QuerySet] | None = None
    filters: Mapping[str, Filter] = field(default_factory=dict)
    expand: Mapping[str, One | Those] = field(default_factory=dict)
    create: Command | None = None
    update: Command | None = None
    actions: tuple[Action, ...] = ()
    state: str = ""
    refs: bool = False
    lock_first: tuple[str, ...] = ()
    timeline: str = ""
    star: str = ""
    star_fields: Mapping[str, str] = field(default_factory=dict)

    def base(self, actor: Actor) -> models.QuerySet:
        return self.rows(actor) if self.rows else self.model.objects.for_actor(actor)

    @property
    def root_type(self) -> str:
        return str(self.model._meta.model_name)

    def columns(self) -> dict[str, Field]:
        return {**BASE, **{name: f for name, f in self.shape.items() if isinstance(f, Field)}}

    def manys(self) -> dict[str, Many]:
        return {name: f for name, f in self.shape.items() if isinstance(f, Many)}

    def has_money(self) -> bool:
        every = [*self.shape.values()]
        every += [inner for f in self.shape.values() if isinstance(f, Many) for inner in f.fields.values()]
        return any(isinstance(f, Money) for f in every)

    def personal(self) -> bool:
        every = [*self.columns().values(), *(f for m in self.manys().values() for f in m.fields.values())]
        return any(f.mask for f in every)

    def extras(self) -> dict[str, Field]:
        """Fields that the frame adds to the item."""
        more: dict[str, Field] = {}
        if self.has_money():
            more["currency_code"] = Text(3)
        if self.refs:
            more["external_refs"] = ListOf(Nested({"system": Text(), "id": Text()}))
        if any(action.when != frozenset() for action in self.actions):
            more["transitions"] = ListOf(Text(), help="The actions that are possible now and allowed to you.")
        return more

    @property
    def conditional(self) -> bool:
        """Whether an action depends on more than the state."""
        return any(action.only for action in self.actions)

    def fields_out(self) -> dict[str, Any]:
        """Every field of the item in its order, for output and schema alike."""
        return {**BASE, **self.shape, **self.extras()}

    def action(self, verb: str) -> Action | None:
        return next((action for action in self.actions if action.verb == verb), None)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list that is no collection of roots (events, figures): rows read by a function of its own.

    ``view`` may be empty: every caller may read it (what describes the API itself). ``required`` are parameters without
    which there is no answer.
    ``read(values, actor)`` gets the parameters as read (``limit`` always) and returns at most ``limit`` rows (fields of
    ``shape``, not yet shown), whether there are more, and the cursor to go on with.
    """

    path: str
    name: str
    room: str
    view: str
    help: str
    parameters: Mapping[str, Field]
    shape: Mapping[str, Field]
    read: Callable[[dict[str, Any], Actor], tuple[list[dict[str, Any]], bool, str | None]]
    required: tuple[str, ...] = ()


RESOURCES: dict[str, Resource] = {}
LISTINGS: dict[str, Listing] = {}


@cache
def masks_of(name: str) -> tuple[Callable[[str], str], ...]:
    """How a field of this name is masked wherever the API shows one."""
    shown = [r.columns() for r in RESOURCES.values()]
    shown += [dict(many.fields) for r in RESOURCES.values() for many in r.manys().values()]
    return tuple({fields[name].mask for fields in shown if name in fields and fields[name].mask})  # type: ignore[misc]


def register(resource: Resource) -> Resource:
    """Adds a resource; a second one with the same path or name is a defect."""
    if resource.path in RESOURCES or any(r.name == resource.name for r in RESOURCES.values()):
        raise ValueError(f"Resource {resource.path} is declared twice.")
    if resource.actions and len({a.verb for a in resource.actions}) != len(resource.actions):
        raise ValueError(f"Resource {resource.path} declares an action twice.")
    if resource.refs:
        from .references import with_references

        resource = with_references(resource)
    RESOURCES[resource.path] = resource
    return resource


def register_listing(listing: Listing) -> Listing:
    if listing.path in RESOURCES or listing.path in LISTINGS:
        raise ValueError(f"Resource {listing.path} is declared twice.")
    LISTINGS[listing.path] = listing
    return listing
