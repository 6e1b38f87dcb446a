"""The evening count: cars on the ground, keys on the board and open visits compared (2.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError, constraint_name
from dealership.kernel.history import record
from dealership.kernel.models import Store
from staff.selectors.employees import require_employee

from .. import events, permissions
from ..models import OPEN_VISITS, EveningCount, EveningCountLine, Visit


@transaction.atomic
def count_evening(*, lines: Iterable[Mapping[str, Any]], by: Actor, remark: str = "") -> EveningCount:
    """Writes down today's count of the actor's store: one line for every open visit, each with ``visit_uid``,
    ``car_found``, ``key_found``, ``place`` and ``remark``. A found car's place becomes the visit's.

    Raises RuleError ``evening.lines`` where an open visit has no line or a line has no open visit, ``evening.remark``
    where something missing is left without a word, RaceLost where today is already counted.
    """
    by.require(permissions.EVENING_COUNT)
    counter = require_employee(by)
    store = Store.objects.get(pk=by.store_id)
    day = clock.today(store.time_zone)
    if EveningCount.objects.filter(store=store, day=day).exists():
        raise _counted()
    given = {line["visit_uid"]: line for line in lines}
    open_visits = {
        visit.uid: visit for visit in Visit.objects.for_actor(by).locked().filter(state__in=OPEN_VISITS).order_by("pk")
    }
    if missing := open_visits.keys() - given.keys():
        raise RuleError("evening.lines", _("Not counted yet: %(cars)s."), cars=_cars(open_visits[u] for u in missing))
    if given.keys() - open_visits.keys():
        raise RuleError("evening.gone", _("A car on this list has left meanwhile; load the list again."))
    for uid, line in given.items():
        if not (line["car_found"] and line["key_found"]) and not str(line.get("remark", "")).strip():
            raise RuleError(
                "evening.remark",
                _("%(car)s: say where car or key may be."),
                car=str(open_visits[uid].vehicle),
                field=f"remark_{uid}",
            )
    try:
        with transaction.atomic():
            count = EveningCount.objects.create(store=store, day=day, counted_by=counter, remark=remark.strip()[:300])
    except IntegrityError as exc:
        if constraint_name(exc) != "eveningcount_once":
            raise
        raise _counted() from exc
    for uid, visit in open_visits.items():
        line = given[uid]
        place = formats.one_line(str(line.get("place", "")))[:20]
        EveningCountLine.objects.create(
            count=count,
            visit=visit,
            car_found=line["car_found"],
            key_found=line["key_found"],
            place=place,
            remark=formats.one_line(str(line.get("remark", "")))[:120],
        )
        if line["car_found"] and place and place != visit.parking_place:
            visit.parking_place = place
            visit.save(update_fields=["parking_place"])
    record(
        count,
        events.EVENING_COUNTED,
        by=by,
        day=day,
        cars=len(given),
        cars_missing=sum(not line["car_found"] for line in given.values()),
        keys_missing=sum(not line["key_found"] for line in given.values()),
    )
    return count


def _counted() -> RaceLost:
    return RaceLost("evening.counted", _("Today's evening count is already written down."))


def _cars(visits: Iterable[Visit]) -> str:
    return ", ".join(sorted(str(visit.vehicle) for visit in visits))
