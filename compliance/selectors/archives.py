"""Reads of the archive (8.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from compliance.models import ArchiveRecord, ArchiveState
from compliance.services.archives import content_hash
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from workshop.models import AuthorizationMethod, InspectionLevel, InspectionResult


def archives(by: Actor, *, words: str = "", show: str = "ALL") -> QuerySet[ArchiveRecord]:
    """Newest first; DUE: whose time has run out; LISTED: on the destruction list. ``words`` is part of a number."""
    rows = ArchiveRecord.objects.for_actor(by).select_related("visit__vehicle").order_by("-id")
    if words:
        rows = rows.filter(number__icontains=words.strip())
    if show == "DUE":
        rows = rows.filter(state=ArchiveState.ARCHIVED, retain_until__lt=clock.today())
    elif show == "LISTED":
        rows = rows.filter(state=ArchiveState.TO_DESTROY)
    return rows


def archive_counts(by: Actor) -> dict[str, int]:
    return {show: archives(by, show=show).count() for show in ("ALL", "DUE", "LISTED")}


def archive(by: Actor, uid: object) -> ArchiveRecord:
    return ArchiveRecord.objects.for_actor(by).select_related("visit__vehicle", "first_signature").get(uid=uid)


def untouched(record: ArchiveRecord) -> bool | None:
    """Whether the content still has the hash it was archived with; None for a destroyed file."""
    if record.state == ArchiveState.DESTROYED:
        return None
    return content_hash(record.content) == record.sha256


def readable(content: dict[str, Any]) -> dict[str, Any]:
    """The archived content with its times as moments and its codes in words, for the page; the file stays as it is."""
    methods, levels, results = (
        dict(choices)
        for choices in (AuthorizationMethod.choices, InspectionLevel.choices, InspectionResult.choices)
    )  # fmt: skip
    return content | {
        "lines": [
            line | {"workers": list(dict.fromkeys(worked["name"] for worked in line["worked"]))}
            for line in content.get("lines", [])
        ],
        "authorizations": [
            row | {"at": datetime.fromisoformat(row["at"]), "method": methods.get(row["method"], row["method"])}
            for row in content.get("authorizations", [])
        ],
        "inspections": [
            row
            | {
                "at": datetime.fromisoformat(row["at"]),
                "level": levels.get(row["level"], row["level"]),
                "result": results.get(row["result"], row["result"]),
            }
            for row in content.get("inspections", [])
        ],
    }
