"""Commands of the tool crib: enter, issue, take back, test, take out of use (3.4).

Lock order (design 5): the tool alone. Who has it, whether it is fit and how long follow from issues and checks in the
database; nobody writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Resource, ResourceKind
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Message, MessageChannel, Store
from dealership.kernel.saying import say_date, say_time
from dealership.kernel.services import queue_message, store_file
from reception.pictures import clean_picture
from staff.models import Employee
from staff.selectors.employees import employed, employee_of, require_employee
from workshop import events, permissions, tool_rules
from workshop.check_models import CheckSheet
from workshop.limits import TOOL_CHECK_MONTHS
from workshop.models import Inspection
from workshop.selectors.tool_plans import others_use, planned_uses
from workshop.selectors.tools import plan_tools
from workshop.tool_models import (
    CLASS_OF,
    TESTED_KINDS,
    TOOL_MOVES,
    AssetKind,
    CheckResult,
    InspectionTool,
    SheetTool,
    ToolAsset,
    ToolCheck,
    ToolClass,
    ToolCondition,
    ToolIssue,
    ToolState,
)

S = ToolState


def locked_tool(uid: UUID, by: Actor) -> ToolAsset:
    """The tool, locked; another store's is not there."""
    return ToolAsset.objects.for_actor(by).locked().select_related("store", "keeper").get(uid=uid)


def today_of(tool: ToolAsset) -> date:
    return clock.today(tool.store.time_zone)


def in_date(tool: ToolAsset, day: date) -> bool:
    return tool.check_months is None or (tool.valid_until is not None and tool.valid_until >= day)


def _person(uid: UUID | None, by: Actor, *, field: str) -> Employee:
    person = Employee.objects.for_actor(by).filter(employed(clock.today()), uid=uid).first() if uid else None
    if person is None:
        raise RuleError("tool.person", _("Choose somebody who works here."), field=field)
    return person


def usual_months(kind: str, store_id: int) -> int | None:
    """The interval of a kind of tool, in months (a dated setting); None where it has none."""
    months = limits.value(TOOL_CHECK_MONTHS, store_id=store_id).get(kind)
    return int(months) if months else None


def _resource(uid: UUID | None, tool_pk: int | None, by: Actor) -> Resource | None:
    """The special tool of the plan that this one is; refused where another tool stands for it already."""
    if uid is None:
        return None
    found = plan_tools(by).filter(uid=uid).first()
    if found is None or ToolAsset.objects.filter(resource=found).exclude(pk=tool_pk).exists():
        raise RuleError(
            "tool.resource", _("Choose a special tool of the plan that no other tool stands for."), field="resource_uid"
        )
    return found


def _bay(uid: UUID | None, kind: str, place: str, by: Actor) -> Resource | None:
    """The bay in which a lift stands; where none is named, the one that its place is called after. Others have none."""
    if kind != AssetKind.LIFT:
        return None
    bays = Resource.objects.for_actor(by).filter(kind=ResourceKind.BAY, active=True)
    if uid is None:
        return bays.filter(name=place).order_by("pk").first()
    found = bays.filter(uid=uid).first()
    if found is None:
        raise RuleError("tool.bay", _("Choose a bay of this store."), field="bay_uid")
    return found


def _interval(kind: str, months: int | None, store_id: int) -> int | None:
    found = months or usual_months(kind, store_id)
    if (found is None and kind in TESTED_KINDS) or (found is not None and not 1 <= found <= 60):
        raise RuleError(
            "tool.interval",
            _("Measuring instruments, lifts and insulating gloves have an interval of 1 to 60 months (3.4)."),
            field="check_months",
        )
    return found


def _name_and_place(name: str, place: str) -> tuple[str, str]:
    name, place = formats.one_line(name), formats.one_line(place)
    if not name:
        raise RuleError("tool.name", _("Say what the tool is."), field="name")
    if not place:
        raise RuleError("tool.place", _("Say where the tool is kept."), field="place")
    return name[:60], place[:40]


def _note(words: str, code: str, text: Any) -> str:
    """What is said of a tool. Raises RuleError ``code`` where nothing is."""
    if not words.strip():
        raise RuleError(code, text, field="note")
    return words.strip()


DAMAGE, WHY_STOPPED = _("Say what is damaged."), _("Say why the tool isn't to be used.")


@transaction.atomic
def register_tool(
    *,
    number: str,
    name: str,
    kind: str,
    place: str,
    keeper_uid: UUID,
    by: Actor,
    maker: str = "",
    serial: str = "",
    check_months: int | None = None,
    photo: bytes | None = None,
    resource_uid: UUID | None = None,
    bay_uid: UUID | None = None,
) -> ToolAsset:
    """A new tool of the store, to be had at once; one with an interval first needs its calibration or test (3.4).

    ``check_months``: default is the setting of its kind. Raises RuleError ``tool.number``, ``.name``, ``.place``,
    ``.kind``, ``.person``, ``.interval``, ``.resource`` (the special tool of the plan that it is) and ``.bay`` (in which a
    lift stands; left out, the one that its place is called after).
    """
    by.require(permissions.TOOLS_MANAGE)
    number = tool_rules.number_meant(number)
    if not number:
        raise RuleError("tool.number", _("Give the tool the number that stands on its label."), field="number")
    name, place = _name_and_place(name, place)
    if kind not in AssetKind.values:
        raise RuleError("tool.kind", _("Choose what kind of tool it is."), field="kind")
    keeper = _person(keeper_uid, by, field="keeper_uid")
    store = Store.objects.get(pk=by.store_id)
    months = _interval(kind, check_months, store.pk)
    if ToolAsset.objects.filter(store=store, number=number).exists():
        raise RuleError("tool.number", _("The store has a tool with this number already."), field="number")
    tool = ToolAsset.objects.create(
        store=store,
        number=number,
        name=name,
        kind=kind,
        tool_class=CLASS_OF[AssetKind(kind)],
        maker=formats.one_line(maker)[:60],
        serial=formats.one_line(serial)[:40],
        place=place,
        keeper=keeper,
        check_months=months,
        resource=_resource(resource_uid, None, by),
        bay=_bay(bay_uid, kind, place, by),
        photo=store_file(content=clean_picture(photo), name="tool.jpg", store_id=store.pk, by=by) if photo else None,
    )
    record(tool, events.TOOL_REGISTERED, by=by, kind=kind, keeper=keeper.uid, check_months=months)
    return tool


@transaction.atomic
def change_tool(
    *,
    uid: UUID,
    name: str,
    place: str,
    keeper_uid: UUID,
    by: Actor,
    maker: str = "",
    serial: str = "",
    check_months: int | None = None,
    photo: bytes | None = None,
    resource_uid: UUID | None = None,
    bay_uid: UUID | None = None,
) -> ToolAsset:
    """Corrects what a tool is called, where it is kept, by whom, and how often it is tested; its number and kind stay.

    A new interval holds from the next calibration or test on. Raises RuleError as ``register_tool`` does, and
    ``tool.scrapped``.
    """
    by.require(permissions.TOOLS_MANAGE)
    tool = locked_tool(uid, by)
    _not_scrapped(tool)
    name, place = _name_and_place(name, place)
    keeper = _person(keeper_uid, by, field="keeper_uid")
    months = _interval(tool.kind, check_months, tool.store_id)
    changed = {
        "keeper": (tool.keeper.uid, keeper.uid),
        "check_months": (tool.check_months, months),
    }
    tool.name, tool.place, tool.keeper, tool.check_months = name, place, keeper, months
    tool.maker, tool.serial = formats.one_line(maker)[:60], formats.one_line(serial)[:40]
    tool.resource, tool.bay = _resource(resource_uid, tool.pk, by), _bay(bay_uid, tool.kind, place, by)
    if photo:
        tool.photo = store_file(content=clean_picture(photo), name="tool.jpg", store_id=tool.store_id, by=by)
    tool.save(update_fields=["name", "place", "keeper", "check_months", "maker", "serial", "photo", "resource", "bay"])
    record(tool, events.TOOL_CHANGED, by=by, changed={k: v for k, v in changed.items() if v[0] != v[1]} or None)
    return tool


def _not_scrapped(tool: ToolAsset) -> None:
    if tool.state == S.SCRAPPED:
        raise RuleError("tool.scrapped", _("This tool is scrapped."))


def check_fit(tool: ToolAsset, day: date) -> None:
    """Raises RuleError ``tool.unavailable`` or ``tool.expired`` unless the tool may be used on the store's day."""
    if tool.state in (S.TO_CHECK, S.OUT_OF_ORDER, S.SCRAPPED):
        raise RuleError(
            "tool.unavailable",
            _("“%(tool)s” is not to be used: %(state)s %(note)s"),
            tool=str(tool),
            state=tool.get_state_display(),
            note=tool.state_note,
        )
    if not in_date(tool, day):
        raise RuleError(
            "tool.expired",
            _("The calibration or test of “%(tool)s” has run out (%(day)s); it is tested first (3.4)."),
            tool=str(tool),
            day=say_date(tool.valid_until, today=day) if tool.valid_until else "—",
        )


@transaction.atomic
def issue_tool(*, uid: UUID, by: Actor, employee_uid: UUID | None = None, note: str = "") -> ToolIssue:
    """A tool goes out with a person: oneself, or somebody else where one may give out (3.4).

    A special tool that the plan keeps for somebody else within the day asks for the reason as ``note``, and nobody else
    gets it in the minutes of ``workshop.tool_planned_minutes`` before. Raises RuleError ``tool.unavailable`` (damaged, out
    of use, scrapped), ``tool.expired``, ``tool.person``, ``tool.planned`` and ``.planned_reason``; RaceLost ``tool.out``
    where somebody has it already.
    """
    person = _person(employee_uid, by, field="employee_uid") if employee_uid else require_employee(by)
    own = employee_of(by)
    by.require(permissions.TOOLS_TAKE if own is not None and own.pk == person.pk else permissions.TOOLS_ISSUE)
    tool = locked_tool(uid, by)
    held = ToolIssue.objects.filter(tool=tool, returned_at__isnull=True).select_related("employee").first()
    if held is not None:
        raise RaceLost("tool.out", _("%(name)s has it already; it comes back first."), name=held.employee.name)
    check_fit(tool, today_of(tool))
    _check_planned(tool, person, note)
    issue = ToolIssue.objects.create(
        store_id=tool.store_id, tool=tool, employee=person, issued_at=clock.now(), note_out=note.strip()[:200]
    )
    record(tool, events.TOOL_ISSUED, by=by, changed={"state": (S.AVAILABLE, S.ISSUED)}, employee=person.uid)
    return issue


def _check_planned(tool: ToolAsset, person: Employee, note: str) -> None:
    """2.4, 3.4: what the plan keeps for somebody else goes out with a reason only, and soon before not at all."""
    use = others_use(planned_uses(tool), person)
    if use is None:
        return
    said = {
        "start": say_time(use.starts_at, now=clock.now()),
        "end": say_time(use.ends_at, now=clock.now()),
        "names": use.names or gettext("a booking"),
        "car": use.car,
    }
    if use.closed:
        raise RuleError(
            "tool.planned",
            _("The plan keeps it from %(start)s to %(end)s for %(names)s (%(car)s); move that plan first."),
            **said,
        )
    if not note.strip():
        raise RuleError(
            "tool.planned_reason",
            _("The plan keeps it from %(start)s to %(end)s for %(names)s (%(car)s): say what it is needed for before."),
            field="note",
            **said,
        )


@transaction.atomic
def return_tool(*, uid: UUID, condition: str, by: Actor, note: str = "") -> ToolIssue:
    """A tool comes back with its condition; a damaged one waits to be checked and nobody gets it (3.4).

    Who has it brings it back; whoever gives tools out may write it down for anybody. Raises RuleError
    ``tool.condition``, ``tool.damage`` and ``tool.not_out``.
    """
    if condition not in ToolCondition.values:
        raise RuleError("tool.condition", _("Say in which condition it came back."), field="condition")
    note = _note(note, "tool.damage", DAMAGE) if condition == ToolCondition.DAMAGED else note.strip()
    tool = locked_tool(uid, by)
    issue = ToolIssue.objects.filter(tool=tool, returned_at__isnull=True).select_related("employee").first()
    if issue is None:
        raise RuleError("tool.not_out", _("Nobody has this tool; it is back already."))
    own = employee_of(by)
    by.require(permissions.TOOLS_TAKE if own is not None and own.pk == issue.employee_id else permissions.TOOLS_ISSUE)
    issue.returned_at, issue.condition_in, issue.note_in = clock.now(), condition, note[:200]
    issue.save(update_fields=["returned_at", "condition_in", "note_in"])
    tool.refresh_from_db(fields=["state", "state_note"])
    record(
        tool,
        events.TOOL_RETURNED if condition == ToolCondition.GOOD else events.TOOL_DAMAGED,
        by=by,
        changed={"state": (S.ISSUED, tool.state)},
        employee=issue.employee.uid,
        condition=condition,
    )
    return issue


@transaction.atomic
def report_damage(*, uid: UUID, note: str, by: Actor) -> ToolAsset:
    """A tool that is in the crib is found damaged: it waits to be checked (3.4). One that is out comes back as damaged.

    Raises RuleError ``tool.damage`` without words, ``tool.out`` while somebody has it and ``state.move`` where it is
    out of use already.
    """
    if not by.may(permissions.TOOLS_ISSUE):
        by.require(permissions.TOOLS_TAKE)
    note = _note(note, "tool.damage", DAMAGE)
    return _put(uid, S.TO_CHECK, note, events.TOOL_DAMAGED, by)


@transaction.atomic
def stop_tool(*, uid: UUID, note: str, by: Actor) -> ToolAsset:
    """Takes a tool out of use until a check finds it fit again (3.4). Raises RuleError ``tool.reason``, ``state.move``."""
    by.require(permissions.TOOLS_CHECK)
    note = _note(note, "tool.reason", WHY_STOPPED)
    return _put(uid, S.OUT_OF_ORDER, note, events.TOOL_STOPPED, by)


@transaction.atomic
def scrap_tool(*, uid: UUID, note: str, by: Actor) -> ToolAsset:
    """A tool goes for good, with the reason (3.4). Raises RuleError ``tool.reason`` and ``state.move``."""
    by.require(permissions.TOOLS_CHECK)
    note = _note(note, "tool.reason", WHY_STOPPED)
    return _put(uid, S.SCRAPPED, note, events.TOOL_SCRAPPED, by)


def _put(uid: UUID, state: ToolState, note: str, event: str, by: Actor) -> ToolAsset:
    tool = locked_tool(uid, by)
    if tool.state == S.ISSUED:
        raise RuleError("tool.out", _("Somebody has this tool; take it back first."))
    if state not in TOOL_MOVES[S(tool.state)]:
        raise RuleError(
            "state.move",
            _("This isn't possible now: the state is “%(old)s”, “%(new)s” doesn't follow from it."),
            old=S(tool.state).label,
            new=state.label,
        )
    before, tool.state, tool.state_note = tool.state, state, note[:200]
    tool.save(update_fields=["state", "state_note"])
    record(tool, event, by=by, changed={"state": (before, state)})
    return tool


@transaction.atomic
def check_tool(
    *,
    uid: UUID,
    done_on: date,
    result: str,
    body: str,
    by: Actor,
    certificate_number: str = "",
    valid_until: date | None = None,
    note: str = "",
    certificate: bytes | None = None,
) -> ToolCheck:
    """Writes down a calibration, test, yearly check or the look after a repair, with its certificate (3.4).

    A pass makes the tool to be had again until ``valid_until`` (default: the whole interval); a failure takes it out of
    use. ``done_on`` is a store day. Raises RuleError ``tool.out``, ``.scrapped``, ``.check_day``, ``.check_order``,
    ``.body``, ``.certificate``, ``.check_interval``, ``.check_result`` and ``file.kind``.
    """
    by.require(permissions.TOOLS_CHECK)
    tool = locked_tool(uid, by)
    _not_scrapped(tool)
    if tool.state == S.ISSUED:
        raise RuleError("tool.out", _("Somebody has this tool; take it back first."))
    if result not in CheckResult.values:
        raise RuleError("tool.check_result", _("Say whether the tool is fit for use."), field="result")
    body, certificate_number, note = body.strip(), certificate_number.strip(), note.strip()
    if not body:
        raise RuleError("tool.body", _("Say who did the check."), field="body")
    if done_on > today_of(tool):
        raise RuleError("tool.check_day", _("A check is written down once it is done."), field="done_on")
    last = tool.checks.order_by("-done_on", "-id").first()
    if last is not None and done_on < last.done_on:
        raise RuleError(
            "tool.check_order", _("The last check was on %(day)s; an older one changes nothing."), field="done_on",
            day=say_date(last.done_on, today=today_of(tool)),
        )  # fmt: skip
    passed = result == CheckResult.PASSED
    wrong = tool.rounds.exclude(wrong=[]).order_by("-done_on", "-id").first() if tool.kind == AssetKind.LIFT else None
    if passed and wrong is not None and done_on < wrong.done_on:
        raise RuleError(
            "tool.check_order",
            _("The lift was found wrong on %(day)s; it is tested again after that."),
            field="done_on",
            day=say_date(wrong.done_on, today=today_of(tool)),
        )
    if not passed and not note:
        raise RuleError("tool.check_result", _("Say what was found."), field="note")
    if passed and tool.tool_class == "MEASURING" and not certificate_number:
        raise RuleError(
            "tool.certificate",
            _("The calibration of a measuring instrument has the number of its certificate (3.4)."),
            field="certificate_number",
        )
    until = _valid_until(tool, done_on, valid_until) if passed else None
    file = (
        store_file(content=certificate, name="certificate.pdf", store_id=tool.store_id, by=by) if certificate else None
    )
    before = tool.state, tool.valid_until
    check = ToolCheck.objects.create(
        store_id=tool.store_id,
        tool=tool,
        done_on=done_on,
        result=result,
        valid_until=until,
        due_on=tool.valid_until,
        body=body[:80],
        certificate_number=certificate_number[:40],
        certificate=file,
        note=note[:200],
        recorded_by=employee_of(by),
    )
    tool.refresh_from_db(fields=["state", "valid_until"])
    changed = {"state": (before[0], tool.state), "valid_until": (before[1], tool.valid_until)}
    record(
        tool,
        events.TOOL_CHECKED if passed else events.TOOL_FAILED,
        by=by,
        changed={k: v for k, v in changed.items() if v[0] != v[1]} or None,
        done_on=done_on,
        check=check.uid,
    )
    return check


def _valid_until(tool: ToolAsset, done_on: date, wanted: date | None) -> date | None:
    if tool.check_months is None:
        return None
    most = tool_rules.good_until(done_on, tool.check_months)
    if wanted is None:
        return most
    if not done_on < wanted <= most:
        raise RuleError(
            "tool.check_interval",
            _("The check of %(done)s is good until %(most)s at most: the interval is %(months)s months (3.4)."),
            field="valid_until",
            done=done_on.isoformat(),
            most=most.isoformat(),
            months=tool.check_months,
        )
    return wanted


def name_instruments(inspection: Inspection, uids: Sequence[UUID], by: Actor) -> list[ToolAsset]:
    """The measuring tools an inspection was done with; called by ``inspect_order`` in its transaction (domain 3.4).

    Raises RuleError ``tool.unknown``, ``tool.unavailable`` and ``tool.expired``.
    """
    tools = _fit_tools(inspection.store_id, uids, by)
    for tool in tools:
        InspectionTool.objects.create(inspection=inspection, tool=tool)
    return tools


def demand_measuring(tools: Iterable[ToolAsset], code: str) -> None:
    """Raises RuleError ``code`` unless one of them measures; each has been looked at (domain 3.4)."""
    if not any(tool.tool_class == ToolClass.MEASURING for tool in tools):
        raise RuleError(
            code,
            _("Name what was measured with: at least one measuring instrument that is in date (3.4)."),
            field="instruments",
        )


def name_sheet_instruments(sheet: CheckSheet, uids: Sequence[UUID], by: Actor) -> list[ToolAsset]:
    """The measuring tools a check sheet was filled in with; called by ``sign_sheet`` in its transaction (domain 3.4).

    Raises RuleError ``tool.unknown``, ``tool.unavailable`` and ``tool.expired``.
    """
    tools = _fit_tools(sheet.store_id, uids, by)
    for tool in tools:
        SheetTool.objects.create(sheet=sheet, tool=tool)
    return tools


def _fit_tools(store_id: int, uids: Sequence[UUID], by: Actor) -> list[ToolAsset]:
    """Tools of the store that are in order and in date today, each once."""
    wanted = sorted(set(uids))
    rows = ToolAsset.objects.for_actor(by).filter(uid__in=wanted, store_id=store_id)
    tools = list(rows.select_related("store").order_by("pk"))
    if len(tools) != len(wanted):
        raise RuleError("tool.unknown", _("Choose tools of this store."), field="instruments")
    for tool in tools:
        check_fit(tool, clock.today(tool.store.time_zone))
    return tools


@transaction.atomic
def remind_of_tool(*, uid: UUID, by: Actor) -> bool:
    """Tells the keeper once that a tool is due soon, and once more when it is overdue; False where that was told (3.4)."""
    tool = locked_tool(uid, by)
    late = not in_date(tool, today_of(tool))
    key = f"tool-due:{tool.uid}:{tool.valid_until or 'never'}:{'late' if late else 'soon'}"
    user = tool.keeper.user
    if user is None or Message.objects.filter(key=key).exists():
        return False
    with override(user.language):
        day = say_date(tool.valid_until, today=today_of(tool)) if tool.valid_until else "—"
        body = (
            gettext("%(tool)s is overdue for its test (%(day)s) and is not given out. Place: %(place)s.")
            if late
            else gettext("%(tool)s is to be tested by %(day)s. Place: %(place)s.")
        ) % {"tool": str(tool), "day": day, "place": tool.place}
    queue_message(
        key=key,
        store=tool.store,
        channel=MessageChannel.STAFF,
        recipient=tool.keeper.number,
        recipient_name=tool.keeper.name,
        template="workshop.tool_due",
        language=user.language,
        body=body,
        by=by,
    )
    record(tool, events.TOOL_REMINDED, by=by, keeper=tool.keeper.uid, late=late)
    return True
