"""Reads of the opening checklists: what is due today, what is still open (2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile
from staff.models import RosterDay

from ..models import Checklist, OpeningAnswer, OpeningCheck
from ..rules import USUAL_ITEMS


@dataclass(frozen=True, slots=True)
class DueCheck:
    """A checklist of today with its hour and, once gone through, what was found."""

    checklist: Checklist
    due_at: datetime
    check: OpeningCheck | None
    worked: bool

    @property
    def is_late(self) -> bool:
        """Overdue: somebody works that shift, the hour is over and nobody has looked."""
        return self.check is None and self.worked and self.due_at < clock.now()

    @property
    def wrong(self) -> int:
        return sum(not answer.in_order for answer in self.check.answers.all()) if self.check else 0


def usual_items() -> dict[str, tuple[tuple[str, bool], ...]]:
    """Area → what is usually looked at there, to begin a checklist with."""
    return USUAL_ITEMS


def checklists_of(by: Actor, day: date) -> QuerySet[Checklist]:
    return (
        Checklist.objects.for_actor(by)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), store_id=by.store_id, starts_on__lte=day)
        .select_related("shift", "store")
        .order_by("shift__starts", "area", "pk")
    )


def checks_of_day(by: Actor, day: date) -> list[DueCheck]:
    """Every checklist of the actor's store for ``day``, by the hour at which it is due."""
    worked = RosterDay.objects.filter(store_id=OuterRef("store_id"), day=day, shift_id=OuterRef("shift_id"))
    rows = list(checklists_of(by, day).annotate(worked=Exists(worked)))
    done = {
        check.checklist_id: check
        for check in OpeningCheck.objects.filter(checklist__in=rows, day=day)
        .select_related("checked_by")
        .prefetch_related("answers")
    }
    found = [DueCheck(row, row.due_on(day), done.get(row.pk), row.worked) for row in rows]
    return sorted(found, key=lambda due: (due.due_at, due.checklist.area))


def late_checks(by: Actor) -> list[DueCheck]:
    """What is overdue now, for the board and the rail."""
    return [due for due in checks_of_day(by, clock.today()) if due.is_late]


def late_count(by: Actor) -> int:
    return len(late_checks(by))


def has_late(by: Actor) -> bool:
    return bool(late_count(by))


def checklist_of(by: Actor, uid: UUID) -> Checklist:
    """One checklist. Raises Checklist.DoesNotExist for a foreign store's."""
    return Checklist.objects.for_actor(by).select_related("shift", "store").get(uid=uid)


def check_of(checklist: Checklist, day: date) -> OpeningCheck | None:
    return (
        OpeningCheck.objects.filter(checklist=checklist, day=day)
        .select_related("checked_by", "drawn")
        .prefetch_related("answers__photo", "answers__righted_by")
        .first()
    )


def open_points(by: Actor, *, area: str = "") -> list[OpeningAnswer]:
    """What wasn't in order and hasn't been put right, oldest first; the next shift takes it over."""
    checks = OpeningCheck.objects.for_actor(by).filter(store_id=by.store_id)
    if area:
        checks = checks.filter(checklist__area=area)
    return list(
        OpeningAnswer.objects.filter(check_of__in=checks, in_order=False, righted_at__isnull=True)
        .select_related("check_of__checklist__shift", "check_of__checked_by", "photo")
        .order_by("check_of__checked_at", "pk")
    )


def note_before(checklist: Checklist, day: date) -> OpeningCheck | None:
    """What the shift before left in words for this area: the last note of today or the day before."""
    return (
        OpeningCheck.objects.filter(store_id=checklist.store_id, checklist__area=checklist.area, day__lte=day)
        .exclude(checklist=checklist, day=day)
        .select_related("checked_by", "checklist__shift")
        .order_by("-checked_at", "-pk")
        .first()
    )


def photo_for(by: Actor, uid: UUID) -> StoredFile:
    """The photo of an item. Raises OpeningAnswer.DoesNotExist for a foreign store's and where there is none."""
    checks = OpeningCheck.objects.for_actor(by)
    answer = OpeningAnswer.objects.select_related("photo").get(uid=uid, check_of__in=checks, photo__isnull=False)
    assert answer.photo is not None
    return answer.photo
