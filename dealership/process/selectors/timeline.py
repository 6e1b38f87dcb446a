"""The timeline people read: the history of one visit, vehicle, customer or order (1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, registry
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.models import History, User

KEYS = ("visit", "vehicle", "customer", "order")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as shown: ``at`` happened, ``written_at`` written, ``changed`` pairs of before and after."""

    at: datetime
    written_at: datetime
    code: str
    label: Any
    clause: str
    colour: str
    who: Any
    changed: dict[str, list[Any]]
    facts: dict[str, Any]
    late: bool


def timeline(by: Actor, *, limit: int = 50, **key: UUID | Sequence[UUID]) -> list[Line]:
    """The newest ``limit`` lines of one root (``visit=``, ``vehicle=``, ``customer=`` or ``order=`` its uid,
    or several of a customer who was merged).

    A person sees the lines of the own stores and those of the whole group; a customer's link sees none.
    """
    ((name, uid),) = key.items()
    if name not in KEYS:
        raise ValueError(f"A timeline belongs to one of {', '.join(KEYS)}.")
    if by.kind == ActorKind.LINK:
        return []
    return _read(
        by, History.objects.filter(**{f"{name}_uid": uid} if isinstance(uid, UUID) else {f"{name}_uid__in": uid}), limit
    )


def timeline_of_roots(by: Actor, uids: Iterable[UUID], *, limit: int = 50) -> list[Line]:
    """The newest ``limit`` lines about these roots themselves, for what no visit, vehicle, customer or order holds."""
    if by.kind == ActorKind.LINK:
        return []
    return _read(by, History.objects.filter(root_uid__in=list(uids)), limit)


def _read(by: Actor, rows: QuerySet[History], limit: int) -> list[Line]:
    if by.store_ids is not None:
        rows = rows.filter(Q(store_id__in=by.store_ids) | Q(store_id__isnull=True))
    lines = list(rows.order_by("-at", "-id")[:limit])
    names = _names(lines)
    return _folded([(line, _line(line, names)) for line in lines])


def _folded(lines: list[tuple[History, Line]]) -> list[Line]:
    """What one person wrote of one root in many savings is one line, as of the last: from the first value to the last.

    The history keeps each of them; late entries stand for themselves.
    """
    shown: list[Line] = []
    place: dict[tuple[str, UUID, str], int] = {}
    for line, row in lines:
        kind, key = registry.EVENTS.get(line.code), (line.code, line.root_uid, line.actor_id)
        if kind is None or not kind.folds or row.late:
            shown.append(row)
        elif key not in place:
            place[key] = len(shown)
            shown.append(row)
        else:
            last = shown[place[key]]
            first = {
                name: [before, last.changed.get(name, [None, after])[1]]
                for name, (before, after) in row.changed.items()
            }
            shown[place[key]] = replace(last, changed=last.changed | first, facts=row.facts | last.facts)
    return shown


def _names(lines: list[History]) -> dict[str, str]:
    uids = {line.actor_id for line in lines if line.actor_kind == ActorKind.USER}
    return {str(uid): name for uid, name in User.objects.filter(uid__in=uids).values_list("uid", "name")}


def _line(line: History, names: dict[str, str]) -> Line:
    kind = registry.EVENTS.get(line.code)
    who = {
        ActorKind.USER: names.get(line.actor_id, ""),
        ActorKind.LINK: _("Customer"),
        ActorKind.CLIENT: _("Other system"),
        ActorKind.MACHINE: _("System"),
    }[ActorKind(line.actor_kind)]
    return Line(
        line.at,
        clock.of_database(line.written_at),
        line.code,
        kind.label if kind else line.code,
        kind.clause if kind else "",
        kind.stage.colour if kind else "booked",
        who,
        line.changed,
        line.facts,
        bool(line.late_reason),
    )
