"""Reads of the looks at insulating gloves (3.4, 8.1)."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, F, OuterRef

from staff.models import Employee
from workshop.glove_models import GloveLook
from workshop.tool_models import AssetKind, ToolAsset, ToolIssue


def looks_at(tool: ToolAsset, *, shown: int = 30) -> list[GloveLook]:
    """The last looks at a pair, newest first."""
    return list(tool.looks.select_related("done_by")[:shown])


def gloves_unseen(person: Employee, day: date) -> ToolAsset | None:
    """The pair in date that the person has out and hasn't looked at on ``day``; None where one was found in order."""
    held = ToolIssue.objects.filter(employee=person, returned_at__isnull=True, tool__kind=AssetKind.GLOVES)
    look = GloveLook.objects.filter(
        tool=OuterRef("tool"), done_by=OuterRef("employee"), done_on=day, wrong=[], at__gte=OuterRef("issued_at")
    )
    rows = list(
        held.filter(tool__valid_until__gte=day)
        .annotate(seen=Exists(look), number=F("tool__number"))
        .select_related("tool")
        .order_by("number")
    )
    return rows[0].tool if rows and not any(row.seen for row in rows) else None
