"""Commands on the looks at insulating gloves (3.4, 8.1). Lock order: tool."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from staff.selectors.employees import employee_of
from workshop import events, permissions
from workshop.glove_models import GloveLook, GlovePoint
from workshop.services.tools import locked_tool, today_of
from workshop.tool_models import AssetKind, ToolState


@transaction.atomic
def look_at_gloves(*, uid: UUID, by: Actor, wrong: Sequence[str] = (), note: str = "") -> GloveLook:
    """3.4, 8.1: who wears a pair has seen it and tested it with air; what is ``wrong`` takes it out until a test passes.

    High-voltage work is begun on a day only after the look of who begins it, at the pair that person has out. Raises
    RuleError ``gloves.person``, ``.none``, ``.point`` and ``.note``.
    """
    by.require(permissions.TOOLS_TAKE)
    person = employee_of(by)
    if person is None:
        raise RuleError("gloves.person", _("Only a colleague looks at gloves before use."))
    tool = locked_tool(uid, by)
    if tool.kind != AssetKind.GLOVES or tool.state == ToolState.SCRAPPED:
        raise RuleError("gloves.none", _("Only insulating gloves that are in the shop are looked at like this (3.4)."))
    found, words = sorted(set(wrong)), note.strip()[:200]
    if set(found) - set(GlovePoint.values):
        raise RuleError("gloves.point", _("Choose from what is looked at."), field="wrong")
    if found and not words:
        raise RuleError("gloves.note", _("Say what is wrong with the gloves."), field="note")
    before = tool.state
    made = GloveLook.objects.create(
        store_id=tool.store_id,
        tool=tool,
        done_on=today_of(tool),
        wrong=found,
        note=words,
        done_by=person,
        at=clock.now(),
    )
    tool.refresh_from_db(fields=["state"])
    record(
        tool,
        events.GLOVES_FAILED if found else events.GLOVES_LOOKED_AT,
        by=by,
        changed={"state": (before, tool.state)} if before != tool.state else None,
        look=made.uid,
        wrong=len(found),
    )
    return made
