"""Fields of what comes in and what goes out. One declaration reads JSON strictly, shows rows and writes the schema.

Reading is strict: a number is no string, an unknown field is refused, NUL signs and endless numbers never reach the
database. Money is a decimal string, a moment RFC 3339 with offset, a state UPPER_SNAKE.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _

MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})$")
EARLIEST, LATEST = 1900, 2200


@cache
def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


class Refused(Exception):
    """One or more values can't be taken; ``errors`` are {pointer, code, message} as RFC 9457 extensions."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        self.errors = errors
        super().__init__("refused")


def _refuse(pointer: str, code: str, message: str) -> Refused:
    return Refused([{"pointer": pointer, "code": code, "message": str(message)}])


@dataclass(frozen=True, kw_only=True)
class Field:
    """``source`` is the look-up path of a row (default: the field's own name) or the command's keyword.

    ``optional`` may be left out (the command's own default holds), ``null`` may be null, ``mask`` hides personal data.
    """

    help: str = ""
    source: str = ""
    optional: bool = False
    null: bool = False
    mask: Callable[[str], str] | None = None

    def base(self) -> dict[str, Any]:
        raise NotImplementedError

    def base_out(self) -> dict[str, Any]:
        return self.base()

    def _finish(self, schema: dict[str, Any]) -> dict[str, Any]:
        if self.null:
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        if self.help:
            schema["description"] = self.help
        return schema

    def schema(self) -> dict[str, Any]:
        """JSON Schema of what is taken."""
        return self._finish(self.base())

    def schema_out(self) -> dict[str, Any]:
        """JSON Schema of what is given."""
        return self._finish(self.base_out())

    def read(self, value: Any, at: str) -> Any:
        """JSON → Python; raises Refused with the pointer ``at``."""
        if value is None:
            if self.null:
                return None
            raise _refuse(at, "null", _("This can't be null."))
        return self.take(value, at)

    def take(self, value: Any, at: str) -> Any:
        raise NotImplementedError

    def read_text(self, value: str, at: str) -> Any:
        """A value of the query string."""
        return self.take(value, at)

    def show(self, value: Any) -> Any:
        """Python → JSON."""
        return value


def _string(value: Any, at: str) -> str:
    if not isinstance(value, str):
        raise _refuse(at, "type", _("This must be a string."))
    return value


@dataclass(frozen=True)
class Text(Field):
    max: int = 200
    min: int = 0
    pattern: str = ""

    def base(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "string", "maxLength": self.max}
        if self.min:
            schema["minLength"] = self.min
        schema["pattern"] = self.pattern or r"^[^\u0000]*$"
        return schema

    def base_out(self) -> dict[str, Any]:
        return {"type": "string"}

    def take(self, value: Any, at: str) -> str:
        text = _string(value, at)
        if "\x00" in text:
            raise _refuse(at, "nul", _("The text contains a NUL sign."))
        if len(text) > self.max:
            raise _refuse(at, "too_long", _("The text is longer than %(max)s signs.") % {"max": self.max})
        if len(text) < self.min:
            raise _refuse(at, "too_short", _("The text is shorter than %(min)s signs.") % {"min": self.min})
        if self.pattern and not re.search(self.pattern, text):
            raise _refuse(at, "pattern", _("The text doesn't have the form %(form)s") % {"form": self.pattern})
        return text


@dataclass(frozen=True)
class Uid(Field):
    """``person``: whoever does what is commanded, where the caller is nobody."""

    person: bool = False

    def base(self) -> dict[str, Any]:
        return {"type": "string", "format": "uuid"}

    def take(self, value: Any, at: str) -> UUID:
        text = _string(value, at)
        try:
            if len(text) != 36:
                raise ValueError
            return UUID(text)
        except ValueError:
            raise _refuse(at, "uuid", _("This must be a UUID.")) from None

    def show(self, value: Any) -> Any:
        return None if value is None else str(value)


@dataclass(frozen=True)
class Moment(Field):
    def base(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}

    def take(self, value: Any, at: str) -> datetime:
        text = _string(value, at)
        try:
            if not MOMENT.match(text):
                raise ValueError
            moment = datetime.fromisoformat(text.upper())
            if not EARLIEST <= moment.year <= LATEST:
                raise ValueError
            return moment
        except ValueError:
            raise _refuse(
                at, "date_time", _("Write the time with its offset, like 2026-11-23T10:30:00+08:00.")
            ) from None

    def read_text(self, value: str, at: str) -> datetime:
        if " " in value:
            message = _("Write the time with its offset, and in an address + as %(plus)s, like %(example)s.")
            raise _refuse(at, "date_time", message % {"plus": "%2B", "example": "2026-11-23T10:30:00%2B08:00"})
        return self.take(value, at)

    def show(self, value: Any) -> Any:
        return None if value is None else value.astimezone(_zone()).isoformat()


@dataclass(frozen=True)
class Day(Field):
    def base(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    def take(self, value: Any, at: str) -> date:
        text = _string(value, at)
        try:
            if len(text) != 10:
                raise ValueError
            day = date.fromisoformat(text)
            if not EARLIEST <= day.year <= LATEST:
                raise ValueError
            return day
        except ValueError:
            raise _refuse(at, "date", _("Write the day like 2026-11-23.")) from None

    def show(self, value: Any) -> Any:
        return None if value is None else value.isoformat()


@dataclass(frozen=True)
class Number(Field):
    """A decimal string with at most ``places`` places; never a float."""

    places: int = 2
    digits: int = 10
    signed: bool = False

    def base(self) -> dict[str, Any]:
        sign = "-?" if self.signed else ""
        point = rf"(\.[0-9]{{1,{self.places}}})?" if self.places else ""
        return {"type": "string", "pattern": rf"^{sign}[0-9]{{1,{self.digits}}}{point}$"}

    def base_out(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}

    def take(self, value: Any, at: str) -> Decimal:
        if not isinstance(value, str) or not re.fullmatch(self.base()["pattern"][1:-1], value, re.ASCII):
            message = _('Write the number as a string with at most %(places)s decimals, like "45.00".')
            code = "decimal" if isinstance(value, str) else "type"
            raise _refuse(at, code, message % {"places": self.places})
        return Decimal(value)

    def show(self, value: Any) -> Any:
        return None if value is None else format(value, f".{self.places}f")


@dataclass(frozen=True)
class Money(Number):
    """An amount in the resource's ``currency_code``, VAT included, two places."""


@dataclass(frozen=True)
class Whole(Field):
    least: int = 0
    most: int = 2**31 - 1

    def base(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def base_out(self) -> dict[str, Any]:
        return {"type": "integer"}

    def take(self, value: Any, at: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refuse(at, "type", _("This must be a whole number."))
        if not self.least <= value <= self.most:
            raise _refuse(
                at,
                "range",
                _("This must lie between %(least)s and %(most)s.") % {"least": self.least, "most": self.most},
            )
        return value

    def read_text(self, value: str, at: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
            raise _refuse(at, "type", _("This must be a whole number."))
        return self.take(int(value), at)


@dataclass(frozen=True)
class Flag(Field):
    def base(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def take(self, value: Any, at: str) -> bool:
        if not isinstance(value, bool):
            raise _refuse(at, "type", _("This must be true or false."))
        return value

    def read_text(self, value: str, at: str) -> bool:
        if value not in ("true", "false"):
            raise _refuse(at, "type", _("This must be true or false."))
        return value == "true"


@dataclass(frozen=True)
class Choice(Field):
    choices: type[models.TextChoices] | tuple[str, ...] = ()

    def codes(self) -> list[str]:
        values = self.choices if isinstance(self.choices, tuple) else self.choices.values
        return [str(value) for value in values if value != ""]

    def base(self) -> dict[str, Any]:
        return {"type": "string", "enum": self.codes()}

    def take(self, value: Any, at: str) -> Any:
        text = _string(value, at)
        if text not in self.codes():
            raise _refuse(at, "choice", _("This must be one of: %(codes)s.") % {"codes": ", ".join(self.codes())})
        return text if isinstance(self.choices, tuple) else self.choices(text)

    def show(self, value: Any) -> Any:
        return None if value in ("", None) else str(value)


@dataclass(frozen=True)
class ListOf(Field):
    inner: Field = Field()
    most: int = 200
    least: int = 0

    def base(self) -> dict[str, Any]:
        schema: dict[str, Any] = {"type": "array", "items": self.inner.schema(), "maxItems": self.most}
        if self.least:
            schema["minItems"] = self.least
        return schema

    def base_out(self) -> dict[str, Any]:
        return {"type": "array", "items": self.inner.schema_out()}

    def take(self, value: Any, at: str) -> list[Any]:
        if not isinstance(value, list):
            raise _refuse(at, "type", _("This must be a list."))
        if not self.least <= len(value) <= self.most:
            raise _refuse(
                at,
                "length",
                _("The list must have between %(least)s and %(most)s entries.")
                % {"least": self.least, "most": self.most},
            )
        return _collect((index, self.inner, item, f"{at}/{index}") for index, item in enumerate(value))[1]

    def show(self, value: Any) -> Any:
        return None if value is None else [self.inner.show(item) for item in value]


@dataclass(frozen=True)
class Nested(Field):
    """An object of named fields; ``build`` turns the read dict into what the command takes (default: the dict)."""

    fields: Mapping[str, Field] = None  # type: ignore[assignment]
    build: Callable[[dict[str, Any]], Any] | None = None

    def base(self) -> dict[str, Any]:
        return object_schema(self.fields)

    def base_out(self) -> dict[str, Any]:
        return object_schema_out(self.fields)

    def take(self, value: Any, at: str) -> Any:
        read = read_object(self.fields, value, at)
        return self.build(read) if self.build else read

    def show(self, value: Any) -> Any:
        return None if value is None else {name: field.show(value.get(name)) for name, field in self.fields.items()}


@dataclass(frozen=True)
class MapOf(Field):
    """An object whose keys are read by ``key`` (UUIDs, codes) and whose values are read by ``inner``.

    ``every``: each key that there is (of a Choice) has to be given.
    """

    inner: Field = Field()
    key: Field = Field()
    most: int = 200
    every: bool = False

    def base(self) -> dict[str, Any]:
        schema = {"type": "object", "additionalProperties": self.inner.schema(), "maxProperties": self.most}
        key = self.key.schema()
        schema["propertyNames"] = {name: key[name] for name in ("enum", "format", "pattern") if name in key}
        if self.every:
            schema["required"] = self._keys()
        return schema

    def _keys(self) -> list[str]:
        return self.key.codes() if self.every and isinstance(self.key, Choice) else []

    def base_out(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.inner.schema_out()}

    def take(self, value: Any, at: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise _refuse(at, "type", _("This must be an object."))
        if len(value) > self.most:
            raise _refuse(at, "length", _("The object has more than %(most)s entries.") % {"most": self.most})
        missing = [
            {"pointer": f"{at}/{_escape(name)}", "code": "required", "message": _("This field is required.")}
            for name in self._keys()
            if name not in value
        ]
        if missing:
            raise Refused(missing)
        names = [self.key.take(name, f"{at}/{_escape(name)}") for name in value]
        return dict(
            zip(
                names,
                _collect((n, self.inner, item, f"{at}/{_escape(n)}") for n, item in value.items())[1],
                strict=True,
            )
        )

    def show(self, value: Any) -> Any:
        return None if value is None else {str(name): self.inner.show(item) for name, item in value.items()}


@dataclass(frozen=True)
class Bytes(Field):
    """Base64 of a file: a photo or signature of 4 MB at most, unless it says otherwise."""

    most: int = 4 * 1024 * 1024

    def base(self) -> dict[str, Any]:
        return {"type": "string", "contentEncoding": "base64", "maxLength": self.most * 4 // 3 + 4}

    def take(self, value: Any, at: str) -> bytes:
        text = _string(value, at)
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise _refuse(at, "base64", _("This must be base64.")) from None
        if len(content) > self.most:
            message = _("The file is larger than %(most)s MB.") % {"most": self.most // (1024 * 1024)}
            raise _refuse(at, "too_long", message)
        return content


@dataclass(frozen=True)
class Facts(Field):
    """A small object as it was stored (the facts of an event); given, never taken."""

    def base(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": True}


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _collect(parts: Any) -> tuple[list[Any], list[Any]]:
    """Reads every part and raises all refusals together."""
    names, values, errors = [], [], []
    for name, field, value, at in parts:
        try:
            values.append(field.read(value, at))
            names.append(name)
        except Refused as refused:
            errors += refused.errors
    if errors:
        raise Refused(errors)
    return names, values


def read_object(fields: Mapping[str, Field], value: Any, at: str = "") -> dict[str, Any]:
    """Reads an object; every wrong, missing and unknown field is named at once. Keys are the fields' sources."""
    if not isinstance(value, dict):
        raise _refuse(at, "type", _("This must be an object."))
    errors = [
        {"pointer": f"{at}/{_escape(name)}", "code": "unknown", "message": _("There is no such field.")}
        for name in value
        if name not in fields
    ]
    errors += [
        {"pointer": f"{at}/{_escape(name)}", "code": "required", "message": _("This field is required.")}
        for name, field in fields.items()
        if name not in value and not field.optional
    ]
    try:
        names, values = _collect(
            (field.source or name, field, value[name], f"{at}/{_escape(name)}")
            for name, field in fields.items()
            if name in value
        )
    except Refused as refused:
        errors += refused.errors
    if errors:
        raise Refused(errors)
    return dict(zip(names, values, strict=True))


def object_schema(fields: Mapping[str, Field]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: field.schema() for name, field in fields.items()},
        "additionalProperties": False,
    }
    required = [name for name, field in fields.items() if not field.optional]
    if required:
        schema["required"] = required
    return schema


def object_schema_out(fields: Mapping[str, Field]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: field.schema_out() for name, field in fields.items()},
        "required": list(fields),
        "additionalProperties": False,
    }


def uids_in(fields: Mapping[str, Field], value: Any, at: str = "") -> Iterator[tuple[str, UUID]]:
    """Each uid in an object that ``read_object`` has taken, with its pointer."""
    for name, field in fields.items():
        if name in value:
            yield from _uids_of(field, value[name], f"{at}/{_escape(name)}")


def _uids_of(field: Field, value: Any, at: str) -> Iterator[tuple[str, UUID]]:
    if value is None:
        return
    if isinstance(field, Uid):
        yield at, UUID(value)
    elif isinstance(field, ListOf):
        for index, item in enumerate(value):
            yield from _uids_of(field.inner, item, f"{at}/{index}")
    elif isinstance(field, Nested):
        yield from uids_in(field.fields, value, at)
    elif isinstance(field, MapOf):
        for name, item in value.items():
            yield from _uids_of(field.key, name, f"{at}/{_escape(name)}")
            yield from _uids_of(field.inner, item, f"{at}/{_escape(name)}")
