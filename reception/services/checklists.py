"""Opening checklists: what is looked at before an area opens, and what the next shift takes over (2.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError, constraint_name
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.services import store_file
from staff.models import Shift
from staff.selectors.employees import require_employee

from .. import events, permissions
from ..models import CheckArea, Checklist, ChecklistItem, OpeningAnswer, OpeningCheck
from ..pictures import clean_picture

MOST_ITEMS = 30


@transaction.atomic
def write_checklist(
    *,
    items: Iterable[Mapping[str, Any]],
    by: Actor,
    uid: UUID | None = None,
    area: str = "",
    shift_code: str = "",
    due_minutes: int = 15,
) -> Checklist:
    """2.1.1: writes the checklist of an area and shift of the actor's store, or another one of ``uid``.

    ``items`` are ``text`` and ``photo_if_wrong``, with ``uid`` where one is changed; what isn't named any more ends.
    Area and shift of a checklist stay. Raises RuleError for an area or shift off the list, no item, too many, and
    ``checklist.once`` where the area has one for this shift.
    """
    by.require(permissions.CHECKLISTS_MANAGE)
    wanted = [
        {
            "uid": item.get("uid"),
            "text": formats.one_line(str(item["text"]))[:80],
            "photo": bool(item["photo_if_wrong"]),
        }
        for item in items
        if str(item["text"]).strip()
    ]
    if not wanted:
        raise RuleError("checklist.empty", _("Write down at least one thing to look at."), field="items")
    if len(wanted) > MOST_ITEMS:
        raise RuleError("checklist.many", _("A checklist has at most %(most)s items."), field="items", most=MOST_ITEMS)
    if not 0 <= due_minutes <= 240:
        raise RuleError("checklist.due", _("Due at most 240 minutes after the shift begins."), field="due_minutes")
    if uid is not None:
        checklist = Checklist.objects.for_actor(by).locked().get(uid=uid)
        if checklist.ends_on is not None:
            raise RuleError("checklist.ended", _("This checklist has ended."))
        checklist.due_minutes = due_minutes
        checklist.save(update_fields=["due_minutes"])
    else:
        checklist = _new_checklist(area=area, shift_code=shift_code, due_minutes=due_minutes, by=by)
    known = {item.uid: item for item in checklist.items.filter(active=True)}
    for row in wanted:
        item = known.pop(row["uid"], None) or ChecklistItem(checklist=checklist)
        item.text, item.photo_if_wrong = row["text"], row["photo"]
        item.save()
    for left_out in known.values():
        left_out.active = False
        left_out.save(update_fields=["active"])
    record(
        checklist, events.CHECKLIST_WRITTEN, by=by, area=checklist.area, shift=checklist.shift.code, items=len(wanted)
    )
    return checklist


def _new_checklist(*, area: str, shift_code: str, due_minutes: int, by: Actor) -> Checklist:
    store = Store.objects.get(pk=by.store_id)
    if area not in CheckArea.values:
        raise RuleError("checklist.area", _("Choose the area from the list."), field="area")
    shift = Shift.objects.filter(store=store, code=shift_code).first()
    if shift is None:
        raise RuleError("checklist.shift", _("Choose the shift from the list."), field="shift_code")
    here = {"store": store, "area": area, "shift": shift}
    text = _("This area has a checklist for this shift already; change that one.")
    if Checklist.objects.filter(**here, ends_on__isnull=True).exists():
        raise RuleError("checklist.once", text, field="shift_code")
    try:
        with transaction.atomic():
            return Checklist.objects.create(**here, due_minutes=due_minutes, starts_on=clock.today(store.time_zone))
    except IntegrityError as exc:
        if constraint_name(exc) != "checklist_once":
            raise
        raise RaceLost("checklist.once", text, field="shift_code") from exc


@transaction.atomic
def end_checklist(*, uid: UUID, by: Actor) -> Checklist:
    """2.1.1: the checklist is no longer gone through from tomorrow on; its checks stay. Raises RuleError once ended."""
    by.require(permissions.CHECKLISTS_MANAGE)
    checklist = Checklist.objects.for_actor(by).locked().get(uid=uid)
    if checklist.ends_on is not None:
        raise RuleError("checklist.ended", _("This checklist has ended."))
    checklist.ends_on = clock.today(checklist.store.time_zone)
    checklist.save(update_fields=["ends_on"])
    record(checklist, events.CHECKLIST_ENDED, by=by, area=checklist.area, shift=checklist.shift.code)
    return checklist


@transaction.atomic
def check_opening(
    *,
    checklist_uid: UUID,
    answers: Iterable[Mapping[str, Any]],
    by: Actor,
    note: str = "",
    righted: Mapping[UUID, str] | None = None,
) -> OpeningCheck:
    """2.1.1: writes down today's check: for every item ``item_uid``, ``in_order``, ``remark`` and ``photo`` (bytes or
    None). ``righted`` are open points taken over from the shift before with how they were put right; the others stay
    open for the next one, as ``note`` does.

    Raises RuleError ``check.items`` where an item has no answer, ``check.remark`` and ``check.photo`` naming the item,
    RaceLost ``check.done`` where a colleague was quicker.
    """
    by.require(permissions.CHECKLISTS_FILL)
    person = require_employee(by)
    checklist = Checklist.objects.for_actor(by).locked().get(uid=checklist_uid)
    day = clock.today(checklist.store.time_zone)
    if checklist.ends_on is not None and checklist.ends_on < day:
        raise RuleError("checklist.ended", _("This checklist has ended."))
    if OpeningCheck.objects.filter(checklist=checklist, day=day).exists():
        raise RaceLost("check.done", _("A colleague has written down this check already."))
    items = {item.uid: item for item in checklist.items.filter(active=True)}
    given = {answer["item_uid"]: answer for answer in answers}
    if items.keys() != given.keys():
        raise RuleError("check.items", _("Look at every item of the list; load it again if it has changed."))
    drawn = checklist.drawn_on(day, items.values())
    for uid, item in items.items():
        _require_told(item, given[uid], drawn=drawn)
    for uid, how in (righted or {}).items():
        right_point(uid=uid, how=how, by=by)
    check = OpeningCheck.objects.create(
        store=checklist.store,
        checklist=checklist,
        day=day,
        due_at=checklist.due_on(day),
        drawn=drawn,
        checked_by=person,
        checked_at=clock.now(),
        note=formats.one_line(note)[:300],
    )
    for uid, item in items.items():
        answer = given[uid]
        photo = answer.get("photo")
        OpeningAnswer.objects.create(
            check_of=check,
            item=item,
            text=item.text,
            in_order=answer["in_order"],
            remark=formats.one_line(str(answer.get("remark", "")))[:120],
            photo=store_file(content=clean_picture(photo), name="check.jpg", store_id=check.store_id, by=by)
            if photo
            else None,
        )
    record(
        check,
        events.OPENING_CHECKED,
        by=by,
        checklist=checklist.uid,
        area=checklist.area,
        day=day,
        items=len(items),
        wrong=sum(not answer["in_order"] for answer in given.values()),
        late_minutes=check.late_minutes,
    )
    return check


def _require_told(item: ChecklistItem, answer: Mapping[str, Any], *, drawn: ChecklistItem) -> None:
    if not answer["in_order"] and not str(answer.get("remark", "")).strip():
        raise RuleError(
            "check.remark", _("%(item)s: say what isn't in order."), field=f"remark_{item.uid}", item=item.text
        )
    wanted = item == drawn or (item.photo_if_wrong and not answer["in_order"])
    if wanted and not answer.get("photo"):
        raise RuleError("check.photo", _("%(item)s: take a photo."), field=f"photo_{item.uid}", item=item.text)


@transaction.atomic
def right_point(*, uid: UUID, how: str, by: Actor) -> OpeningCheck:
    """2.1.1: an open point is put right. Raises RuleError without a word of how, and where it is right already."""
    by.require(permissions.CHECKLISTS_FILL)
    person = require_employee(by)
    check = OpeningCheck.objects.for_actor(by).locked().get(answers__uid=uid)
    point = OpeningAnswer.objects.get(uid=uid, check_of=check)
    how = formats.one_line(how)[:120]
    if point.in_order or point.righted_at is not None:
        raise RuleError("check.righted", _("This point is put right already."))
    if not how:
        raise RuleError("check.how", _("Say how it was put right."), field=f"how_{uid}")
    point.righted_at, point.righted_by, point.righted_how = clock.now(), person, how
    point.save(update_fields=["righted_at", "righted_by", "righted_how"])
    record(check, events.POINT_RIGHTED, by=by, point=uid)
    return check
