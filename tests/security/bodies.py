"""Bodies of API commands made from their declarations: one that is well formed, and one hostile value per field."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from typing import Any

from dealership.kernel.api.resources import RESOURCES, Command, Resource
from dealership.kernel.api.shapes import (
    Bytes,
    Choice,
    Day,
    Field,
    Flag,
    ListOf,
    MapOf,
    Moment,
    Nested,
    Number,
    Text,
    Uid,
    Whole,
)
from tests.factories.reception import make_picture

PICTURE = base64.b64encode(make_picture("gray", "PNG")).decode()


def example(field: Field) -> Any:
    """A value of the right form."""
    match field:
        case Text():
            return "a" * max(field.min, 1)
        case Uid():
            return str(uuid.uuid4())
        case Moment():
            return "2026-11-27T15:30:00+08:00"
        case Day():
            return "2026-11-27"
        case Number():
            return "1"
        case Whole():
            return max(field.least, 1)
        case Flag():
            return True
        case Choice():
            return field.codes()[0]
        case ListOf():
            return [example(field.inner)] * max(1, field.least)
        case Nested():
            return {name: example(inner) for name, inner in field.fields.items()}
        case MapOf(every=True, key=Choice() as key):
            return dict.fromkeys(key.codes(), example(field.inner))
        case MapOf():
            return {example(field.key): example(field.inner)}
        case Bytes():
            return PICTURE
    raise TypeError(f"no example for {type(field).__name__}: add one")


def body(command: Command, **given: Any) -> dict[str, Any]:
    """Every field of the command that isn't about a late entry."""
    return {name: example(field) for name, field in command.input.items()} | given


def commands() -> Iterator[tuple[Resource, str, Command]]:
    """Every command of the API: (resource, ``create`` / ``update`` / verb, command)."""
    for resource in RESOURCES.values():
        if resource.create:
            yield resource, "create", resource.create
        if resource.update:
            yield resource, "update", resource.update
        for action in resource.actions:
            yield resource, action.verb, action


def uid_fields(command: Command) -> list[str]:
    return [name for name, field in command.input.items() if isinstance(field, Uid)]
