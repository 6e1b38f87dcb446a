"""What a car is due for by its plan and its own history, why, and at what price (3.1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext, ngettext, pgettext_lazy

from dealership.catalogue.models import MaintenanceItem, MaintenancePlan, Operation, OperationPart, PayType
from dealership.catalogue.selectors.maintenance import plan_for
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.prices import part_prices, price_operation
from dealership.kernel import clock, limits
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store
from dealership.kernel.money import line_amount, round_money
from reception.models import Appointment, AppointmentSource, OdometerReading, Ownership, Vehicle, VehicleUse
from workshop import maintenance_rules as rules
from workshop.limits import MAINTENANCE_SOON_DAYS, MAINTENANCE_SOON_KM, SEVERE_KM_A_YEAR, USUAL_KM_A_YEAR
from workshop.maintenance_rules import Done, Due, Interval, Reading, Standing, Trend
from workshop.models import LineState, OrderLine, PartLine, RepairOrder

LABELS = {
    Standing.OVERDUE: pgettext_lazy("maintenance", "overdue"),
    Standing.DUE: pgettext_lazy("maintenance", "due"),
    Standing.SOON: pgettext_lazy("maintenance", "due soon"),
    Standing.UNKNOWN: pgettext_lazy("maintenance", "no record here"),
    Standing.UNREAD: pgettext_lazy("maintenance", "mileage unknown, can't be told"),
    Standing.LATER: pgettext_lazy("maintenance", "later"),
}
COLORS = {
    Standing.OVERDUE: "late",
    Standing.DUE: "consent",
    Standing.SOON: "wait",
    Standing.UNKNOWN: "booked",
    Standing.UNREAD: "booked",
    Standing.LATER: "ready",
}


@dataclass(frozen=True, slots=True)
class Note:
    """What the customer was told at the last hand-over: the day and the mileage of the next service."""

    next_on: date
    next_km: int | None


NOTES: list[Callable[[Vehicle], Note | None]] = []
"""Where hand-overs tell of the next service; the room that hands over adds itself."""


@dataclass(slots=True)
class DueRow:
    """One piece of work. ``amount`` is labour and parts, CNY with VAT, None where a price is missing; ``brings`` the
    shorter work that it includes; ``covered`` by what is proposed anyway."""

    operation: Operation
    due: Due
    label: Any
    color: str
    why: str
    amount: Decimal | None = None
    brings: list[str] = field(default_factory=list)
    covered: bool = False

    @property
    def standing(self) -> Standing:
        return self.due.standing


@dataclass(frozen=True, slots=True)
class DueList:
    plan: MaintenancePlan
    trend: Trend
    severe: bool
    note: Note | None
    rows: list[DueRow]
    hard_use: str = ""  # why its use is hard, as its owner told it

    @property
    def proposed(self) -> list[DueRow]:
        """Overdue, due and due soon; what a bigger one brings along is left to it."""
        urgent = (Standing.OVERDUE, Standing.DUE, Standing.SOON)
        return [row for row in self.rows if row.standing in urgent and not row.covered]

    @property
    def unknown(self) -> list[DueRow]:
        return [row for row in self.rows if row.standing == Standing.UNKNOWN and not row.covered]

    @property
    def later(self) -> list[DueRow]:
        return [row for row in self.rows if row.standing == Standing.LATER]

    @property
    def driven(self) -> str:
        """How much the car is driven, as it was counted with."""
        if not self.trend.read:
            return gettext("its mileage isn't known; read it, then this list tells what is due")
        km = say_km(self.trend.per_year)
        if self.hard_use:
            words = {"km": km, "why": self.hard_use}
            return gettext("%(km)s a year; the intervals for hard use hold: %(why)s") % words
        if not self.trend.measured:
            return gettext("reckoned with %(km)s a year, as its readings don't tell yet") % {"km": km}
        if self.severe:
            return gettext("driven about %(km)s a year, so the intervals for hard use hold") % {"km": km}
        return gettext("driven about %(km)s a year") % {"km": km}


def say_km(km: int) -> str:
    return gettext("%(km)s km") % {"km": f"{km:,}"}


def operations_of(order: RepairOrder, *, undone: bool = False) -> list[int]:
    """Operations that stand on an order and weren't taken off; ``undone``: of these what is still to be done."""
    gone = [LineState.CANCELLED, LineState.WITHDRAWN]
    if undone:
        gone += [LineState.DECLINED, LineState.COMPLETED, LineState.INSPECTED]
    rows = OrderLine.objects.filter(order=order, operation__isnull=False).exclude(state__in=gone)
    return [int(key) for key in rows.values_list("operation_id", flat=True)]


def not_on(orders: Iterable[RepairOrder], rows: list[DueRow], besides: Collection[int] = ()) -> list[DueRow]:
    """Without the work that stands on these orders, or that what is still to be done there brings along; nor ``besides``."""
    if not rows:
        return rows
    there, coming = set(besides), set(besides)
    for order in orders:
        there.update(operations_of(order))
        coming.update(operations_of(order, undone=True))
    return not_there([row for row in rows if row.operation.pk not in there], coming)


def not_there(rows: list[DueRow], there: Collection[int]) -> list[DueRow]:
    """Without the work that stands on an order (``there``: its operations), itself or with maintenance that brings it."""
    if not rows or not there:
        return rows
    needs: dict[int, dict[int, Decimal]] = defaultdict(dict)
    wanted = {row.operation.pk for row in rows} | set(there)
    bigger = set()
    found = OperationPart.objects.filter(operation__in=wanted)
    for operation, maintenance, part, quantity in found.values_list(
        "operation_id", "operation__is_maintenance", "part_id", "quantity"
    ):
        needs[operation][part] = quantity
        if maintenance and operation in there:
            bigger.add(operation)
    return [
        row
        for row in rows
        if row.operation.pk not in there
        and not any(rules.includes(needs[key], needs.get(row.operation.pk, {})) for key in bigger)
    ]


def parts_of(orders: Iterable[RepairOrder]) -> set[int]:
    """Parts on lines of these orders that weren't taken off or declined."""
    gone = (LineState.CANCELLED, LineState.WITHDRAWN, LineState.DECLINED)
    rows = PartLine.objects.filter(line__order__in=[order.pk for order in orders]).exclude(line__state__in=gone)
    return {int(key) for key in rows.values_list("part_id", flat=True)}


def due_list(vehicle: Vehicle, *, store_id: int) -> DueList | None:
    """The car's due list today at a store's prices, the most urgent first; None where no plan holds for it.

    A car's own history counts whichever store of the group did the work; it names no person.
    """
    store = Store.objects.get(pk=store_id)
    today = clock.today(store.time_zone)
    plan = plan_for(vehicle.model, vehicle.powertrain, on=today)
    if plan is None:
        return None
    items = list(plan.items.all())
    trend = rules.trend(
        _readings(vehicle, ZoneInfo(store.time_zone)),
        today=today,
        usual_per_year=limits.value(USUAL_KM_A_YEAR, store_id=store_id),
    )
    hard = vehicle.use == VehicleUse.HARD
    much = trend.measured and trend.per_year >= limits.value(SEVERE_KM_A_YEAR, store_id=store_id)
    severe = hard or much
    window = rules.Window(
        limits.value(MAINTENANCE_SOON_KM, store_id=store_id), limits.value(MAINTENANCE_SOON_DAYS, store_id=store_id)
    )
    needs = _needs(items)
    last = _last_done(vehicle, items, needs, store)
    born = vehicle.delivered_on or vehicle.invoiced_on or vehicle.registered_on
    rows = []
    for item in items:
        found = rules.due(
            interval_of(item),
            last=last.get(item.operation_id),
            born=born,
            today=today,
            trend=trend,
            window=window,
            severe=severe,
        )
        if found is not None:
            rows.append(DueRow(item.operation, found, LABELS[found.standing], COLORS[found.standing], why(found)))
    rows.sort(key=lambda row: (rules.URGENCY[row.standing], row.operation.code))
    _cover(rows, needs)
    urgent = [row for row in rows if row.standing not in (Standing.UNREAD, Standing.LATER)]
    _price(urgent, needs, vehicle.model_id, store_id, today)
    note = next((told for source in NOTES if (told := source(vehicle))), None)
    return DueList(plan, trend, severe, note, rows, vehicle.hard_use_words if hard else "")


def falls_due(vehicle: Vehicle, *, store_id: int, after: date) -> dict[int, date]:
    """Operation → the day after ``after`` on which the plan asks for it as the car is driven now; of what isn't known by a
    record, or is due already, nothing is said."""
    found = due_list(vehicle, store_id=store_id)
    rows = found.rows if found else []
    return {
        row.operation.pk: row.due.expected_on
        for row in rows
        if row.standing in (Standing.SOON, Standing.LATER) and row.due.expected_on and row.due.expected_on > after
    }


def interval_of(item: MaintenanceItem) -> Interval:
    return Interval(
        item.every_km,
        item.every_months,
        item.first_km,
        item.first_months,
        item.severe_km,
        item.severe_months,
        item.repeats,
    )


def _readings(vehicle: Vehicle, zone: ZoneInfo) -> list[Reading]:
    """By the store's days: a reading of the early morning is no reading of the day before."""
    rows = OdometerReading.objects.filter(vehicle=vehicle).order_by("-read_at")[:60]
    found = [Reading(at.astimezone(zone).date(), km) for at, km in rows.values_list("read_at", "km")]
    if vehicle.odometer_at and vehicle.odometer_km:
        found.append(Reading(vehicle.odometer_at.astimezone(zone).date(), vehicle.odometer_km))
    return found


def _needs(items: list[MaintenanceItem]) -> dict[int, dict[int, Decimal]]:
    """Parts of the plan's operations and of all maintenance: operation → part → quantity."""
    needs: dict[int, dict[int, Decimal]] = defaultdict(dict)
    rows = OperationPart.objects.filter(
        Q(operation__is_maintenance=True) | Q(operation__in=[item.operation_id for item in items])
    )
    for operation, part, quantity in rows.values_list("operation_id", "part_id", "quantity"):
        needs[operation][part] = quantity
    return needs


def _last_done(
    vehicle: Vehicle, items: list[MaintenanceItem], needs: dict[int, dict[int, Decimal]], store: Store
) -> dict[int, Done]:
    """When each was done last: itself, or maintenance that brings all its parts in at least their quantity."""
    done = (
        OrderLine.objects.filter(
            order__vehicle=vehicle,
            state__in=(LineState.COMPLETED, LineState.INSPECTED),
            operation__isnull=False,
            completed_at__isnull=False,
        )
        .order_by("completed_at")
        .values_list("operation_id", "operation__is_maintenance", "completed_at", "order__visit__odometer_in_km")
    )
    zone = ZoneInfo(store.time_zone)
    found: dict[int, Done] = {}
    for operation, maintenance, at, km in done:
        for item in items:
            wanted = item.operation_id
            if operation == wanted or (maintenance and rules.includes(needs.get(operation, {}), needs.get(wanted, {}))):
                found[wanted] = Done(at.astimezone(zone).date(), km)
    return found


def _cover(rows: list[DueRow], needs: dict[int, dict[int, Decimal]]) -> None:
    """Work that a bigger due one brings along is shown with that one, the biggest of them."""
    urgent = [row for row in rows if row.standing not in (Standing.UNREAD, Standing.LATER)]
    urgent.sort(key=lambda row: (-len(needs.get(row.operation.pk, {})), row.operation.code))
    for row in urgent:
        for other in urgent:
            if other is row or other.covered or not other.operation.is_maintenance:
                continue
            own, more = needs.get(row.operation.pk, {}), needs.get(other.operation.pk, {})
            sooner = rules.URGENCY[other.standing] <= max(rules.URGENCY[row.standing], rules.URGENCY[Standing.SOON])
            if sooner and rules.includes(more, own) and own != more:
                row.covered = True
                other.brings.append(row.operation.said)
                break


def _price(
    rows: list[DueRow], needs: dict[int, dict[int, Decimal]], model_id: int | None, store_id: int, today: date
) -> None:
    """Labour and parts of each at today's prices, with the hours of the car's model."""
    fit_hours((row.operation for row in rows), model_id)
    parts = {part for row in rows for part in needs.get(row.operation.pk, {})}
    prices = part_prices(sorted(parts), store_id, today)
    for row in rows:
        wanted = needs.get(row.operation.pk, {})
        if any(part not in prices for part in wanted):
            continue
        try:
            labor = price_operation(row.operation, store_id, PayType.CUSTOMER_PAY, today).amount
        except RuleError:
            continue
        row.amount = round_money(labor + sum((line_amount(q, prices[p]) for p, q in wanted.items()), Decimal(0)))


def due_facts(due: Due) -> dict[str, Any]:
    """What ``why`` says, without its words: kept with a line's cause, so that it is said in the reader's language."""
    facts = asdict(due)
    facts["standing"] = str(due.standing)
    facts["due_on"], facts["expected_on"] = _iso(due.due_on), _iso(due.expected_on)
    facts["last"] = {"on": due.last.on.isoformat(), "km": due.last.km} if due.last else None
    return facts


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _due_of(facts: Mapping[str, Any]) -> Due:
    last = facts["last"]
    days = {key: date.fromisoformat(facts[key]) if facts[key] else None for key in ("due_on", "expected_on")}
    return Due(
        **{
            **facts,
            **days,
            "standing": Standing(facts["standing"]),
            "last": Done(date.fromisoformat(last["on"]), last["km"]) if last else None,
        }
    )


def say_due(facts: Mapping[str, Any] | None, written: str, *, language: str | None = None) -> str:
    """Why it is due, in ``language`` (default: the reader's); ``written`` where it isn't known by its facts."""
    if not facts:
        return written
    with translation.override(language or translation.get_language()):
        return why(_due_of(facts))[:300]


def say_cause(line: OrderLine) -> str:
    """A line's cause for the reader: the due list's own sentence in the page's language, a person's words as written."""
    if not line.cause or not line.cause_due:
        return line.cause
    if all(say_due(line.cause_due, "", language=code) != line.cause for code, _name in settings.LANGUAGES):
        return line.cause  # somebody has written it anew
    return say_due(line.cause_due, line.cause)


def shown_on_booking(appointment: Appointment) -> bool:
    """Whether a booking's page names what the car is due for: the shop made it, so who has the address is the customer;
    who books online may type any plate. The car belongs to the customer of the booking."""
    if not appointment.is_expected or appointment.source == AppointmentSource.CONSUMER_PORTAL:
        return False
    owned = Ownership.objects.filter(vehicle_id=appointment.vehicle_id, ends_on__isnull=True)
    return owned.filter(customer_id=appointment.customer_id).exists()


def why(due: Due) -> str:
    """``last 2026-01-03 / 32,100 km, every 10,000 km or 12 months: due at 42,100 km or on 2027-01-03``."""
    if due.last is None:
        begins = gettext("no record here")
    elif due.last.km is None:
        begins = gettext("last %(day)s") % {"day": due.last.on.isoformat()}
    else:
        begins = gettext("last %(day)s / %(km)s") % {"day": due.last.on.isoformat(), "km": say_km(due.last.km)}
    months = (
        ngettext("%(n)s month", "%(n)s months", due.every_months) % {"n": due.every_months} if due.every_months else ""
    )
    spans = gettext(" or ").join(filter(None, [say_km(due.every_km) if due.every_km else "", months]))
    how = gettext("first time at %(spans)s") if due.first else gettext("every %(spans)s")
    points = gettext(" or ").join(
        filter(None, [say_km(due.due_km) if due.due_km else "", due.due_on.isoformat() if due.due_on else ""])
    )
    said = gettext("%(begins)s, %(how)s") % {"begins": begins, "how": how % {"spans": spans}}
    said = gettext("%(said)s → %(points)s") % {"said": said, "points": points} if points else said
    return gettext("%(said)s (sooner because of hard use)") % {"said": said} if due.sooner else said
