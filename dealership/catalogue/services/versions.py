"""What is written in versions: a draft is released from a day on, and the version before it ends the day before (3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.check_models import CheckTemplate
from dealership.catalogue.models import MaintenancePlan, PlanState
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record

Version = TypeVar("Version", MaintenancePlan, CheckTemplate)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of version speaks: the beginning of its codes, the words for an empty one, its two events."""

    root: str
    empty: Any
    released: str
    followed: str


def release_version(asked: Version, versions: QuerySet[Version], *, starts_on: date, kind: Kind, by: Actor) -> Version:
    """Releases ``asked`` among all ``versions`` of the same thing, whose rows are held in the order of their keys.

    Raises RuleError ``<root>.released``, ``<root>.empty`` and, where a version from that day or later holds, ``<root>.later``.
    """
    rows = {row.pk: row for row in versions.select_for_update(of=("self",), no_key=True).order_by("pk")}
    draft = rows.get(asked.pk)
    if draft is None or draft.state != PlanState.DRAFT:
        raise RuleError(
            f"{kind.root}.released", _("This version is released and stays as it is; write the next version.")
        )
    if not draft.items.exists():
        raise RuleError(f"{kind.root}.empty", kind.empty)
    earlier = [row for row in rows.values() if row.state == PlanState.RELEASED]
    if any(
        (row.starts_on and row.starts_on >= starts_on) or (row.ends_on and row.ends_on >= starts_on) for row in earlier
    ):
        raise RuleError(
            f"{kind.root}.later", _("A version from that day or later is there; choose a later day."), field="starts_on"
        )
    for row in earlier:
        if row.ends_on is None:
            row.ends_on = starts_on - timedelta(days=1)
            row.save(update_fields=["ends_on"])
            record(row, kind.followed, by=by, changed={"ends_on": (None, row.ends_on)})
    before = draft.state
    draft.release(starts_on=starts_on)
    draft.save(update_fields=["state", "starts_on"])
    record(draft, kind.released, by=by, changed={"state": (before, draft.state)}, starts_on=starts_on)
    return draft
