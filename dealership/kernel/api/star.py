"""``GET /api/v1/meta/star-map``: our words beside those of the STAR vocabulary, where it has one (peers 3).

The names are aligned with STAR; the API doesn't claim to conform to it. Chapters declare the words of a resource with
``star`` and ``star_fields``, those of a list of codes with ``star_codes``; codes that aren't named have no STAR value.
"""

from __future__ import annotations

from typing import Any

from django.db.models import TextChoices

from ..actors import Actor
from .resources import RESOURCES, Listing, register_listing
from .shapes import Choice, MapOf, Text

CODES: dict[type[TextChoices], dict[str, str]] = {}


def star_codes(choices: type[TextChoices], *same: str, **differ: str) -> None:
    """Names STAR's value of our codes: ``same`` are STAR's own, ``differ`` maps ours to the nearest of STAR's."""
    made = {str(code): str(code) for code in same} | differ
    if unknown := made.keys() - set(choices.values):
        raise ValueError(f"{choices.__name__} has no {sorted(unknown)}.")
    CODES[choices] = made


def star_map() -> list[dict[str, Any]]:
    """One row per resource that STAR has a word for, in the order of the paths."""
    rows = []
    for path, resource in sorted(RESOURCES.items()):
        codes = {
            name: CODES[field.choices]
            for name, field in resource.shape.items()
            if isinstance(field, Choice) and not isinstance(field.choices, tuple) and field.choices in CODES
        }
        if resource.star or codes:
            rows.append(
                {
                    "resource": path,
                    "schema": resource.name,
                    "star_type": resource.star or None,
                    "fields": dict(resource.star_fields),
                    "codes": codes,
                }
            )
    return rows


def _read(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    rows = [row for row in star_map() if row["resource"] > values.get("cursor", "")]
    limit = values["limit"]
    return rows[:limit], len(rows) > limit, rows[limit - 1]["resource"] if len(rows) > limit else None


register_listing(
    Listing(
        path="meta/star-map",
        name="StarWord",
        room="kernel",
        view="",
        help="Our words beside STAR's: resources, fields and codes that differ or are the same. Aligned, not conformant.",
        parameters={"cursor": Text(60, min=1, pattern=r"^[a-z-]+$", help="next_cursor of the page before.")},
        shape={
            "resource": Text(),
            "schema": Text(),
            "star_type": Text(null=True, help="STAR's name of the resource."),
            "fields": MapOf(inner=Text(), help="our field → STAR's"),
            "codes": MapOf(inner=MapOf(inner=Text()), help="our field → our code → STAR's; left out: STAR has none"),
        },
        read=_read,
    )
)
