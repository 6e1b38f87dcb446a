"""Stock-take of the tool crib: expected, seen, missing; closed by a second person (3.4).

Lock order: the count, then its tools by primary key.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from staff.selectors.employees import require_employee
from workshop import events, permissions, tool_rules
from workshop.selectors.tools import moved_since
from workshop.tool_models import CountState, ToolAsset, ToolCount, ToolCountRow, ToolIssue, ToolState

S = ToolState


@transaction.atomic
def start_count(*, by: Actor) -> ToolCount:
    """Writes down what should be there: all tools that aren't scrapped; what is out, with whom (3.4).

    Raises RuleError ``count.nothing`` where there is no tool, RaceLost ``count.open`` while one is being made.
    """
    by.require(permissions.TOOLS_COUNT)
    person = require_employee(by)
    store = Store.objects.select_for_update(no_key=True).get(pk=by.store_id)
    if ToolCount.objects.filter(store=store, state=CountState.COUNTING).exists():
        raise RaceLost("count.open", _("A stock-take is being made already; go on with that one."))
    tools = list(ToolAsset.objects.filter(store=store).exclude(state=S.SCRAPPED).order_by("pk"))
    if not tools:
        raise RuleError("count.nothing", _("There is no tool to count; enter the tools first."))
    holders = dict(
        ToolIssue.objects.filter(store=store, returned_at__isnull=True).values_list("tool_id", "employee_id")
    )
    count = ToolCount.objects.create(store=store, started_at=clock.now(), started_by=person)
    ToolCountRow.objects.bulk_create(
        ToolCountRow(count=count, tool=tool, holder_id=holders.get(tool.pk)) for tool in tools
    )
    record(count, events.TOOLS_COUNT_STARTED, by=by, expected=len(tools))
    return count


def _open_count(uid: UUID, by: Actor) -> ToolCount:
    count = ToolCount.objects.for_actor(by).locked().get(uid=uid)
    if count.state != CountState.COUNTING:
        raise RuleError("count.ended", _("This stock-take has ended."))
    return count


@transaction.atomic
def see_tool(*, uid: UUID, number: str, by: Actor) -> ToolCount:
    """A scanned tool is there (3.4); a second scan of it changes nothing. Raises RuleError ``count.unknown``, ``.ended``."""
    by.require(permissions.TOOLS_COUNT)
    person = require_employee(by)
    count = _open_count(uid, by)
    wanted = tool_rules.number_meant(number)
    row = count.rows.filter(tool__number=wanted).select_related("tool").first()
    if row is None:
        raise RuleError(
            "count.unknown",
            _("“%(number)s” isn't in this stock-take: it is no tool of the store, or it is scrapped."),
            field="number",
            number=wanted or "—",
        )
    if row.seen_at is None:
        row.seen_at, row.seen_by = clock.now(), person
        row.save(update_fields=["seen_at", "seen_by"])
        count.refresh_from_db(fields=["version"])
        record(count, events.TOOL_SEEN, by=by, tool=row.tool.uid)
    return count


@transaction.atomic
def close_count(*, uid: UUID, by: Actor, note: str = "") -> ToolCount:
    """A second person closes the stock-take; what wasn't seen and isn't out is missing and goes out of use (3.4).

    Raises RuleError ``count.second_person``, ``count.note`` (differences without a word on them) and ``count.ended``.
    """
    by.require(permissions.TOOLS_COUNT)
    person = require_employee(by)
    count = _open_count(uid, by)
    if person.pk == count.started_by_id:
        raise RuleError("count.second_person", _("A stock-take is closed by a second person (3.4)."))
    there = moved_since(count)
    rows = list(count.rows.filter(seen_at__isnull=True).exclude(tool__in=there).order_by("tool_id"))
    tools = {
        tool.pk: tool for tool in ToolAsset.objects.filter(pk__in=[row.tool_id for row in rows]).locked().order_by("pk")
    }
    there = moved_since(count)  # what went out while the tools were being locked isn't missing
    missing = [row for row in rows if row.tool_id not in there and tools[row.tool_id].state != S.SCRAPPED]
    note = note.strip()
    if missing and not note:
        raise RuleError(
            "count.note",
            _("%(count)s tools are missing; write what was done to find them."),
            field="note",
            count=len(missing),
        )
    for row in missing:
        row.missing = True
        row.save(update_fields=["missing"])
        _lose(tools[row.tool_id], by)
    count.state, count.ended_at, count.ended_by, count.note = CountState.CLOSED, clock.now(), person, note[:200]
    count.save(update_fields=["state", "ended_at", "ended_by", "note"])
    record(
        count,
        events.TOOLS_COUNTED,
        by=by,
        changed={"state": (CountState.COUNTING, CountState.CLOSED)},
        expected=count.rows.count(),
        missing=len(missing),
    )
    return count


def _lose(tool: ToolAsset, by: Actor) -> None:
    before = tool.state
    tool.state, tool.state_note = S.OUT_OF_ORDER, gettext("Missing at the stock-take")
    tool.save(update_fields=["state", "state_note"])
    changed = {"state": (before, tool.state)} if before != tool.state else None
    record(tool, events.TOOL_MISSED, by=by, changed=changed)


@transaction.atomic
def cancel_count(*, uid: UUID, by: Actor, note: str) -> ToolCount:
    """A stock-take that was begun by mistake ends without a result (3.4). Raises RuleError ``count.reason``, ``.ended``."""
    by.require(permissions.TOOLS_COUNT)
    person = require_employee(by)
    note = note.strip()
    if not note:
        raise RuleError("count.reason", _("Say why the stock-take is broken off."), field="note")
    count = _open_count(uid, by)
    count.state, count.ended_at, count.ended_by, count.note = CountState.CANCELLED, clock.now(), person, note[:200]
    count.save(update_fields=["state", "ended_at", "ended_by", "note"])
    record(
        count,
        events.TOOLS_COUNT_CANCELLED,
        by=by,
        changed={"state": (CountState.COUNTING, CountState.CANCELLED)},
    )
    return count
