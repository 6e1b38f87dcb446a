"""Stock-take of parts (3.2): counted blind, by a second person where it differs by much, booked when it is closed.

Lock order: the stock-take, its lines by primary key, then stock by part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Part, Tracing
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.formats import one_line
from dealership.kernel.history import record
from staff.models import Employee
from staff.selectors.employees import require_employee
from workshop import events, permissions
from workshop.limits import COUNT_APPROVE_FROM, COUNT_RECOUNT_FROM
from workshop.models import StockBin, StockItem, Warehouse
from workshop.selectors.places import code_meant, read_bin
from workshop.selectors.stock_takes import places_to_count, standing
from workshop.services import stock
from workshop.stock_take_models import StockTake, StockTakeLine, ValueClass
from workshop.tool_models import CountState

S = CountState
NOWHERE = "-"
"""Stands for what lies in a warehouse without a bin."""


@transaction.atomic
def start_take(
    *, warehouse_uid: UUID, by: Actor, bin_from: str = "", bin_to: str = "", value_class: str = ""
) -> StockTake:
    """3.2: what is to be counted is written down: every part that lies in a bin of the warehouse, of the bins from ``bin_from``
    to ``bin_to`` and of the class by value, where these are named.

    Raises RuleError ``take.nothing`` (nothing lies there), ``take.range``, RaceLost ``take.open`` while one is made there.
    """
    by.require(permissions.STOCK_COUNT)
    person = require_employee(by)
    warehouse = (
        Warehouse.objects.for_actor(by).select_for_update(of=("self",), no_key=True).select_related("store")
        .get(uid=warehouse_uid)
    )  # fmt: skip
    if StockTake.objects.filter(warehouse=warehouse, state=S.COUNTING).exists():
        raise RaceLost("take.open", _("A stock-take of this warehouse is being made already."))
    if value_class not in ("", *ValueClass.values):
        raise RuleError("take.class", _("There is no such class of parts."), field="value_class")
    first, last = one_line(bin_from)[:20], one_line(bin_to)[:20]
    if last and last.casefold() < first.casefold() and not first.casefold().startswith(last.casefold()):
        raise RuleError("take.range", _("The last bin comes before the first; swap them."), field="bin_to")
    places = places_to_count(warehouse, bin_from=first, bin_to=last, value_class=value_class)
    if not places:
        raise RuleError("take.nothing", _("Nothing lies there that could be counted."), field="bin_from")
    take = StockTake.objects.create(
        store=warehouse.store, warehouse=warehouse, bin_from=first, bin_to=last, value_class=value_class,
        recount_from=limits.value(COUNT_RECOUNT_FROM, store_id=warehouse.store_id),
        approve_from=limits.value(COUNT_APPROVE_FROM, store_id=warehouse.store_id),
        started_at=clock.now(), started_by=person,
    )  # fmt: skip
    StockTakeLine.objects.bulk_create(StockTakeLine(take=take, place=place) for place in places)
    record(take, events.TAKE_STARTED, by=by, warehouse=warehouse.uid, lines=len(places))
    take.refresh_from_db(fields=["version"])
    return take


def _open_take(uid: UUID, by: Actor) -> StockTake:
    rows = StockTake.objects.for_actor(by).select_for_update(of=("self",), no_key=True)
    take = rows.select_related("warehouse", "store").get(uid=uid)
    if take.state != S.COUNTING:
        raise RuleError("take.ended", _("This stock-take has ended."))
    return take


def _line_meant(take: StockTake, part: str, bin: str) -> StockTakeLine:
    """The line of a scanned part; one more where it lies in a bin in which the books know none."""
    number = code_meant(part)
    _named, name = read_bin(bin, [take.warehouse])
    rows = take.lines.select_related("place__item__part").order_by("pk")
    here = list(rows.filter(place__item__part__number__iexact=number)) if number else []
    if name == NOWHERE:
        here = [row for row in here if not row.place.bin]
    elif name:
        here = [row for row in here if row.place.bin.casefold() == name.casefold()]
    if len(here) == 1:
        return here[0]
    if len(here) > 1:
        raise RuleError("take.which_bin", _("This part lies in several bins; say which one was counted."), field="bin")
    found = Part.objects.filter(number__iexact=number).first() if number else None
    if found is None:
        raise RuleError(
            "take.unknown", _("No part has the number “%(number)s”."), field="part", number=number[:40] or "—"
        )
    if name in ("", NOWHERE):
        raise RuleError(
            "take.not_listed",
            _("%(part)s isn't on this list; name the bin in which it lies, and it is added."),
            field="bin",
            part=found.said,
        )
    if len(name) > 20:
        raise RuleError("take.bin", _("A bin has 20 characters at most."), field="bin")
    place = stock.found_bin(take=take, part=found, bin=name)
    return StockTakeLine.objects.get_or_create(take=take, place=place)[0]


@transaction.atomic
def count_line(*, uid: UUID, part: str, counted: Decimal, by: Actor, bin: str = "") -> StockTakeLine:
    """3.2: so much of a part lies in a bin; ``part`` and ``bin`` are typed or what their labels say.

    Who counts first isn't told what the books say, and doesn't count the line again; somebody else may once, and must where
    the difference is worth more than the take's ``recount_from``. The database writes the book quantity of this moment
    beside it. Raises RuleError ``stock.quantity``, ``stock.whole``, ``take.unknown``, ``.not_listed``, ``.which_bin``,
    ``.other_person``, ``.counted`` and ``.ended``.
    """
    by.require(permissions.STOCK_COUNT)
    person = require_employee(by)
    if counted < 0 or counted != round(counted, 2):
        raise RuleError("stock.quantity", _("Give a count of zero or more with two decimals at most."), field="counted")
    take = _open_take(uid, by)
    found = _line_meant(take, part, bin)
    stock.whole(found.place.item.part, counted, field="counted")
    line = StockTakeLine.objects.locked().get(pk=found.pk)
    StockItem.objects.locked().get(bins=line.place_id)
    if line.first_at is None:
        line.first_counted, line.first_by, line.first_at = counted, person, clock.now()
        line.save(update_fields=["first_counted", "first_by", "first_at"])
    else:
        _may_again(line, person)
        line.second_counted, line.second_by, line.second_at = counted, person, clock.now()
        line.codes = []
        line.save(update_fields=["second_counted", "second_by", "second_at", "codes"])
    line.refresh_from_db()
    take.refresh_from_db(fields=["version"])
    record(
        take, events.TAKE_COUNTED, by=by, part=line.place.item.part.uid, bin=line.place.uid, counted=counted,
        again=line.second_at is not None,
    )  # fmt: skip
    return line


def _may_again(line: StockTakeLine, person: Employee) -> None:
    if line.first_by_id == person.pk:
        raise RuleError(
            "take.other_person", _("Somebody else counts again what you counted first (3.2)."), field="part"
        )
    impossible = line.place.on_hand + line.difference < 0
    if line.second_at is not None and not impossible:
        raise RuleError("take.counted", _("Two people have counted this line already."), field="part")


@transaction.atomic
def name_difference(*, uid: UUID, part: str, codes: Sequence[str], by: Actor, bin: str = "") -> StockTakeLine:
    """3.2: which batch or serial numbers of a traced part are missing or were found ("-" for those without a number).

    Raises RuleError ``take.no_difference``, ``stock.lot_untraced``, those of the line meant, and ``take.ended``.
    """
    by.require(permissions.STOCK_COUNT)
    require_employee(by)
    take = _open_take(uid, by)
    line = StockTakeLine.objects.locked().get(pk=_line_meant(take, part, bin).pk)
    if not line.difference:
        raise RuleError("take.no_difference", _("This line has no difference."), field="codes")
    if line.place.item.part.tracing == Tracing.NONE:
        raise RuleError("stock.lot_untraced", _("This part isn't traced; leave its number out."), field="codes")
    line.codes = [" ".join(code.split()).upper()[:40] for code in codes if code.strip()]
    line.save(update_fields=["codes"])
    record(take, events.TAKE_NAMED, by=by, part=line.place.item.part.uid, lots=len(line.codes))
    return line


@transaction.atomic
def close_take(*, uid: UUID, by: Actor, note: str = "") -> StockTake:
    """3.2: every line is counted, what differed by much twice; the differences are booked and the list stays as it is.

    Where they are worth more than the take's ``approve_from``, only somebody who counted nothing and may approve closes it.
    Raises RuleError ``take.uncounted``, ``.recount``, ``.numbers`` (a traced part's are missing), ``.approve``,
    ``.second_person``, ``.note`` (a difference without a word on it), ``.short``, ``.kept`` and ``.ended``.
    """
    person = _may_close(by)
    take = _open_take(uid, by)
    lines = list(
        StockTakeLine.objects.filter(take=take).select_related("place__item__part", "place__warehouse").order_by("pk")
        .select_for_update(of=("self",), no_key=True)
    )  # fmt: skip
    sums = standing(take, lines)
    if sums.uncounted:
        raise RuleError("take.uncounted", _("%(count)s lines aren't counted yet."), count=len(sums.uncounted))
    if sums.recounts:
        raise RuleError("take.recount", _("%(count)s lines wait for their second count."), count=len(sums.recounts))
    if sums.gross > take.approve_from:
        if not by.may(permissions.STOCK_APPROVE):
            raise RuleError(
                "take.approve",
                _("The differences are worth ¥%(value)s; above ¥%(most)s the manager closes it."),
                value=f"{sums.gross:.2f}",
                most=f"{take.approve_from.normalize():f}",
            )
        if person.pk in sums.counters:
            raise RuleError(
                "take.second_person",
                _("The differences are worth so much that somebody who counted nothing closes it (3.2)."),
            )
    note = one_line(note)[:200]
    if sums.differing and not note:
        raise RuleError("take.note", _("Say what explains the differences."), field="note")
    _book(take, sums.differing, note, by)
    take.state, take.ended_at, take.ended_by, take.note = S.CLOSED, clock.now(), person, note
    take.save(update_fields=["state", "ended_at", "ended_by", "note"])
    record(
        take, events.TAKE_CLOSED, by=by, changed={"state": (S.COUNTING, S.CLOSED)}, lines=len(lines),
        differing=len(sums.differing), net=sums.net, gross=sums.gross,
    )  # fmt: skip
    return take


def _may_close(by: Actor) -> Employee:
    if not by.may(permissions.STOCK_COUNT):
        by.require(permissions.STOCK_APPROVE)
    return require_employee(by)


def _book(take: StockTake, lines: Sequence[StockTakeLine], note: str, by: Actor) -> None:
    """The differences of a locked stock-take, part by part; what was found first, so that what is kept stays covered."""
    by_item: dict[int, list[StockTakeLine]] = defaultdict(list)
    for line in lines:
        by_item[line.place.item_id].append(line)
    for key in sorted(by_item):
        item = StockItem.objects.locked().select_related("part").get(pk=key)
        rows = sorted(by_item[key], key=lambda row: (-row.difference, row.pk))
        for line in rows:
            line.place = StockBin.objects.select_related("warehouse").get(pk=line.place_id)
            if item.part.tracing != Tracing.NONE and not line.codes:
                raise RuleError(
                    "take.numbers",
                    _("%(part)s is traced: name the batch or serial numbers that are missing or were found."),
                    part=item.part.said,
                )
            stock.book_line(line=line, item=item, reason=note[:120], by=by)
            item.refresh_from_db(fields=["on_hand", "reserved"])


@transaction.atomic
def cancel_take(*, uid: UUID, by: Actor, note: str) -> StockTake:
    """A stock-take that was begun by mistake ends without a movement (3.2). Raises RuleError ``take.reason``, ``.ended``."""
    person = _may_close(by)
    note = one_line(note)[:200]
    if not note:
        raise RuleError("take.reason", _("Say why the stock-take is broken off."), field="note")
    take = _open_take(uid, by)
    take.state, take.ended_at, take.ended_by, take.note = S.CANCELLED, clock.now(), person, note
    take.save(update_fields=["state", "ended_at", "ended_by", "note"])
    record(take, events.TAKE_CANCELLED, by=by, changed={"state": (S.COUNTING, S.CANCELLED)})
    return take
