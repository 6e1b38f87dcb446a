"""Which parts may be used in place of which, on a day (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from dealership.catalogue.models import Part, PartReplacement, ReplacementKind
from dealership.kernel import clock
from dealership.kernel.postgres.prepared import run_prepared

_FOLLOWING = """
    WITH RECURSIVE in_force AS (
        SELECT part_id, other_id, kind FROM catalogue_partreplacement WHERE ended_at IS NULL AND starts_on <= $1
    ), following AS (
        SELECT part_id AS asked, other_id AS found, 1 AS step FROM in_force
            WHERE kind = 'SUCCESSOR' AND part_id = ANY($2::bigint[])
        UNION SELECT f.asked, r.other_id, f.step + 1 FROM following f
            JOIN in_force r ON r.part_id = f.found AND r.kind = 'SUCCESSOR'
    )
    SELECT asked, found, 'SUCCESSOR', step FROM following
    UNION ALL SELECT part_id, other_id, kind, 0 FROM in_force
        WHERE kind IN ('EITHER', 'STAND_IN') AND part_id = ANY($3::bigint[])
    UNION ALL SELECT other_id, part_id, kind, 0 FROM in_force WHERE kind = 'EITHER' AND other_id = ANY($4::bigint[])
    ORDER BY 1, 4 DESC, 2
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """``part`` may be used in place of the part that was asked about."""

    part: Part
    kind: ReplacementKind

    @property
    def follows(self) -> bool:
        return self.kind == ReplacementKind.SUCCESSOR


def choices_for(part_ids: Iterable[int], on: date | None = None) -> dict[int, list[Choice]]:
    """By part id: what may be used in its place on a day, the last successor first, then what may stand in."""
    asked = sorted(set(part_ids))
    if not asked:
        return {}
    rows = run_prepared("replacements", _FOLLOWING, [on or clock.today(), asked, asked, asked])
    parts = Part.objects.filter(active=True).in_bulk({row[1] for row in rows}) if rows else {}
    found: dict[int, list[Choice]] = {}
    for part_id, other_id, kind, _step in rows:
        choices = found.setdefault(part_id, [])
        if other_id in parts and all(choice.part.pk != other_id for choice in choices):
            choices.append(Choice(parts[other_id], ReplacementKind(kind)))
    return {part_id: choices for part_id, choices in found.items() if choices}


def successors(part_ids: Iterable[int], on: date | None = None) -> dict[int, Part]:
    """By part id: the part at the end of its chain of successors, for those that have one."""
    return {part: rows[0].part for part, rows in choices_for(part_ids, on).items() if rows[0].follows}


def ends_in(start_id: int, part_id: int) -> bool:
    """Do the successors of ``start`` (of any day) come to ``part``?"""
    seen, at = {start_id}, {start_id}
    while at:
        rows = PartReplacement.objects.filter(part__in=at, kind=ReplacementKind.SUCCESSOR, ended_at__isnull=True)
        at = set(rows.values_list("other_id", flat=True)) - seen
        seen |= at
    return part_id in seen


def written_of(part: Part) -> list[PartReplacement]:
    """What stands in the catalogue about this part, in both directions, the last first."""
    rows = PartReplacement.objects.filter(Q(part=part) | Q(other=part)).select_related("part", "other")
    return list(rows.order_by("ended_at", "-id")[:50])
