"""2.4: what limits a booking beside bay and person; a plain oracle and the database agree with the quick arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dealership.catalogue.models import Operation, Reservation, Resource, ResourceKind
from dealership.catalogue.services.resources import set_efficiency, switch_resource
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.limits import forget
from dealership.kernel.models import History
from dealership.kernel.worktime import Calendar, hours
from reception import rules
from reception.models import Appointment, WaitingMode
from reception.selectors import capacity
from tests.factories.appointments import MONDAY, TUESDAY, at, booking, make_appointment, make_bookable, operation
from tests.factories.kernel import make_actor
from tests.factories.reception import rule

NOW = at("8:00")
ZONE = ZoneInfo("Asia/Shanghai")


# --- the line of opening minutes against the calendar ---

DAY = hours("08:30-12:00", "13:00-18:00")
CALENDAR = Calendar(
    (DAY,) * 6 + ((),), {MONDAY + timedelta(days=3): (), MONDAY + timedelta(days=6): hours("09:00-12:00")}
)
MOMENTS = st.integers(0, 10 * 24 * 60 - 1).map(lambda n: datetime(2026, 11, 23, tzinfo=ZONE) + timedelta(minutes=n))


@given(moment=MOMENTS, minutes=st.integers(0, 900))
def test_the_line_counts_as_the_calendar_does(moment, minutes):
    line = rules.Line(CALENDAR, MONDAY, 10)
    minute = rules.minute_of_epoch(moment)
    assert line.moment(minute) == moment
    assert (line.opening(minute) is not None) == CALENDAR.is_open(moment)
    opened = line.next_open(minute)
    assert opened is not None
    assert line.moment(opened) == CALENDAR.next_open(moment)
    ended = line.add(minute, minutes)
    assert ended is not None
    assert line.moment(ended) == CALENDAR.add_working(moment, minutes)
    worked = sum((line.mask(piece) & line.open_masks[piece.day]).bit_count() for piece in line.pieces(minute, ended))
    assert worked == minutes
    clocked = list(line.cut(minute, ended))
    assert sum(mask.bit_count() for _day, mask in clocked) == ended - minute


# --- a plain oracle on small shops ---


@dataclass
class Shop:
    """The same facts twice: as the arithmetic takes them and as lists of minutes."""

    supply: rules.Supply
    taken: dict[int, set[int]]
    shifts: dict[int, tuple[int, int]]


KINDS = ("STANDARD_LIFT", "QUICK_LUBE")
SHORT = Calendar((hours("09:00-12:00", "13:00-16:00"),) * 7)


def minute(text: str) -> int:
    hour, rest = text.split(":")
    return int(hour) * 60 + int(rest)


@st.composite
def shops(draw):
    bays = [rules.Bay(n, draw(st.sampled_from(KINDS)), f"B{n}") for n in range(draw(st.integers(1, 3)))]
    people = [
        rules.Person(10 + n, 100 + n, f"P{n}", {1: draw(st.integers(1, 4))}, {}) for n in range(draw(st.integers(1, 3)))
    ]
    tools = [rules.Tool(20 + n, "SCAN_TOOL", f"T{n}") for n in range(draw(st.integers(0, 1)))]
    cars = [rules.Tool(30 + n, "", f"C{n}") for n in range(draw(st.integers(0, 2)))]
    line = rules.Line(SHORT, MONDAY, 1)
    midnight = datetime(2026, 11, 23, tzinfo=ZONE)
    shifts = {}
    for person in people:
        start = draw(st.sampled_from([minute("9:00"), minute("10:00")]))
        shifts[person.employee] = (start, draw(st.sampled_from([minute("15:00"), minute("16:00")])))
    supply = rules.Supply(
        line=line,
        bays=bays,
        people=people,
        shifts={
            (employee, MONDAY): (midnight + timedelta(minutes=a), midnight + timedelta(minutes=b))
            for employee, (a, b) in shifts.items()
        }
        | {(200, MONDAY): (midnight + timedelta(hours=9), midnight + timedelta(hours=16))},
        advisors={MONDAY: [200]},
        times=rules.Times(10, 10, 30, 0),
        tools=tools,
        loan_cars=cars,
    )
    taken: dict[int, set[int]] = {row.id: set() for row in (*bays, *people, *tools, *cars)}
    for row in taken:
        for _plan in range(draw(st.integers(0, 3))):
            start = draw(st.integers(minute("8:00"), minute("15:30")))
            length = draw(st.integers(5, 120))
            taken[row] |= set(range(start, start + length))
            base = line.midnights[0] + start
            supply.take(row, base, base + length)
    return Shop(supply, taken, shifts)


NEEDS = st.lists(
    st.builds(
        rules.Need,
        capability=st.sampled_from(KINDS),
        skill=st.sampled_from([None, 1]),
        level=st.integers(1, 4),
        minutes=st.integers(5, 120),
        tool=st.sampled_from(["", "", "SCAN_TOOL"]),
    ),
    min_size=1,
    max_size=2,
)


def plainly(shop: Shop, needs: list[rules.Need], start: int, *, loan_car: bool) -> int:
    """How many cars an arrival at a minute of the day could be, minute by minute."""
    opened = [
        m for m in range(24 * 60) if minute("9:00") <= m < minute("12:00") or minute("13:00") <= m < minute("16:00")
    ]
    ahead = [m for m in opened if m >= start]
    if start not in opened:
        return 0
    total = 10 + sum(need.minutes for need in needs) + 10
    if len(ahead) < total:
        return 0
    line, at_ = ahead, 10
    counts = [1]  # one advisor
    ready = line[total - 1] + 1
    for need in needs:
        mine = line[at_ : at_ + need.minutes]
        held = set(range(mine[0], mine[-1] + 1))
        at_ += need.minutes
        able = [
            b for b in shop.supply.bays if b.capability in (need.capability, *rules.ALSO_DO.get(need.capability, ()))
        ]
        counts.append(sum(not held & shop.taken[bay.id] for bay in able))
        there = 0
        for person in shop.supply.people:
            begins, ends = shop.shifts[person.employee]
            skilled = need.skill is None or person.skills[1] >= need.level
            there += skilled and begins <= mine[0] and mine[-1] < ends and not held & shop.taken[person.id]
        counts.append(there)
        if need.tool:
            counts.append(sum(not held & shop.taken[tool.id] for tool in shop.supply.tools))
    if loan_car:
        away = set(range(start, ready))
        counts.append(sum(not away & shop.taken[car.id] for car in shop.supply.loan_cars))
    return min(counts)


@settings(max_examples=300)
@given(shop=shops(), needs=NEEDS, start=st.integers(minute("8:45"), minute("16:00")), loan_car=st.booleans())
def test_the_arithmetic_agrees_with_counting_every_minute(shop, needs, start, loan_car):
    at_ = datetime(2026, 11, 23, tzinfo=ZONE) + timedelta(minutes=start)
    now = datetime(2026, 11, 23, 0, 1, tzinfo=ZONE)
    option = rules.option_at(shop.supply, needs, at_, now=now, loan_car=loan_car)
    assert option.count == plainly(shop, needs, start, loan_car=loan_car)
    assert (option.cause is None) == bool(option.count)
    if option.count:
        used: dict[int, set[int]] = {}
        for resource, (begins, ends) in rules.choose(shop.supply, option):
            span = set(range(rules.minute_of_epoch(begins), rules.minute_of_epoch(ends)))
            day = {m - shop.supply.line.midnights[0] for m in span}
            assert not day & shop.taken[resource]
            assert not span & used.get(resource, set())
            used[resource] = used.get(resource, set()) | span


def test_a_job_that_reaches_past_what_is_loaded_is_said_to_be_too_long():
    line = rules.Line(SHORT, MONDAY, 1)
    supply = rules.Supply(line, [rules.Bay(1, "PAINT", "B")], [], {}, {MONDAY: [200]}, rules.Times(10, 10, 30, 0))
    option = rules.option_at(supply, [rules.Need("PAINT", None, 0, 60 * 60)], at("9:00"), now=NOW)
    assert option.cause == rules.Cause("too_long")


# --- tools, loan cars, efficiency, work carried over ---


@pytest.fixture
def shop(db):
    forget()
    with clock.moved_to(NOW):
        yield make_bookable(bays=("STANDARD_LIFT",) * 3, technicians=3, advisors=3)


def works(*codes: str) -> list[Operation]:
    rows = {o.code: o for o in Operation.objects.filter(code__in=codes).prefetch_related("parts")}
    return [rows[code] for code in codes]


def causes(shop, *codes: str, day: date = TUESDAY, **more) -> set[str]:
    found = capacity.free_days(shop.store, works(*codes), first=day, days=1, **more)[0]
    return {option.cause.code if option.cause else "" for option in found.options}


def tool(shop, kind: str) -> Resource:
    return Resource.objects.get(store=shop.store, kind=ResourceKind.TOOL, tool=kind)


def test_a_special_tool_is_held_and_who_comes_second_is_told(shop):
    first = make_appointment(shop, operation_uids=[operation("EN-20")])  # 3.5 h with the timing tools
    held = [plan.resource.tool for plan in capacity.plans_of(first) if plan.resource.kind == ResourceKind.TOOL]
    assert held == ["TIMING_KIT"]
    before = (Appointment.objects.count(), Reservation.objects.count())
    values = booking(operation_uids=[operation("EN-20")])
    with pytest.raises(RaceLost) as refusal:
        capacity_commands().book_appointment(**values, by=shop.desk)
    assert str(tool(shop, "TIMING_KIT").get_tool_display()) in str(refusal.value)
    assert (Appointment.objects.count(), Reservation.objects.count()) == before
    assert make_appointment(shop, operation_uids=[operation("MT-50")]).starts_at == first.starts_at


def capacity_commands():
    from reception.services import appointments

    return appointments


def test_a_store_without_the_tool_says_so(shop):
    setup = machine("test", store_id=shop.store.pk)
    switch_resource(uid=tool(shop, "TIMING_KIT").uid, active=False, by=setup)
    assert causes(shop, "EN-20") == {"no_tool", "closing"}
    day = capacity.free_days(shop.store, works("EN-20", "MT-50"), first=TUESDAY, days=1)[0]
    assert str(tool(shop, "TIMING_KIT").get_tool_display()) in day.reason
    assert [way.operation.code for way in day.ways] == ["EN-20"]


def test_a_loan_car_is_held_from_arrival_to_hand_over_and_a_full_day_proposes_to_go_without(shop):
    from dealership.catalogue.services.resources import add_resource

    assert "no_loan_car" in causes(shop, "MT-50", waiting_mode=WaitingMode.LOANER)
    add_resource(
        store=shop.store,
        kind=ResourceKind.LOAN_CAR,
        code="LC1",
        name="代步车 1",
        by=machine("test", store_id=shop.store.pk),
    )
    made = make_appointment(shop, waiting_mode=WaitingMode.LOANER, starts_at=at("8:30", TUESDAY))
    [car] = [plan for plan in capacity.plans_of(made) if plan.resource.kind == ResourceKind.LOAN_CAR]
    assert (car.period.lower, car.period.upper) == (made.starts_at, made.ready_at)
    with rule("appointment.taken"):
        make_appointment(shop, waiting_mode=WaitingMode.LOANER, starts_at=at("9:00", TUESDAY))
    whole = Reservation.objects.get(pk=car.pk)
    whole.period = (at("8:30", TUESDAY), at("18:00", TUESDAY))
    whole.save(update_fields=["period"])
    day = capacity.free_days(shop.store, works("MT-50"), first=TUESDAY, days=1, waiting_mode=WaitingMode.LOANER)[0]
    assert day.is_full
    assert [(way.wish, f"{way.option.at:%H:%M}") for way in day.ways] == [("loan_car", "08:30")]


def test_a_full_day_proposes_another_advisor_and_to_come_back_later(shop):
    busy = [shop.advisor.pk]
    make_appointment(shop, advisor_uid=shop.advisor.uid, starts_at=at("9:30", TUESDAY))
    set_day_off(shop)
    day = capacity.free_days(shop.store, works("MT-50"), first=TUESDAY, days=1, advisor_id=busy[0])[0]
    assert [way.wish for way in day.ways] == ["advisor"]
    waits = capacity.free_days(
        shop.store, works("AS-10"), first=TUESDAY, days=1, waiting_mode=WaitingMode.WAIT_AT_DEALER
    )[0]
    assert [way.wish for way in waits.ways] == ["waiting"]


def set_day_off(shop):
    from staff.services.rosters import set_roster_day

    set_roster_day(
        employee_uid=shop.advisor.uid,
        day=TUESDAY,
        shift_code=None,
        by=machine("test", store_id=shop.store.pk),
    )


def test_slow_hands_fill_a_day_sooner(shop):
    setup = machine("test", store_id=shop.store.pk)
    people = list(Resource.objects.filter(store=shop.store, kind=ResourceKind.PERSON))
    for person in people:  # 8 h of opening in the shift of each, 30 % of them: 144 standard minutes
        set_efficiency(uid=person.uid, efficiency=30, by=setup)
    assert causes(shop, "CH-10") == {"", "closing"}
    for start in ("8:30", "10:00", "13:30"):  # 3 × 1.6 h of 3 × 144 minutes
        make_appointment(shop, starts_at=at(start, TUESDAY), operation_uids=[operation("CH-40")])
    assert causes(shop, "CH-40") == {"", "closing"}
    make_appointment(shop, starts_at=at("15:00", TUESDAY), operation_uids=[operation("CH-40")])
    assert "hours" in causes(shop, "CH-40")
    line = History.objects.filter(code="catalogue.resource.efficiency_set").first()
    assert line.changed == {"efficiency": [100, 30]}


@pytest.mark.parametrize(
    ("value", "code"), [(9, "resource.efficiency"), (201, "resource.efficiency"), (100, "resource.same")]
)
def test_an_efficiency_out_of_reach_is_refused(shop, value, code):
    person = Resource.objects.filter(store=shop.store, kind=ResourceKind.PERSON).first()
    before = History.objects.count()
    with pytest.raises(RuleError) as refusal:
        set_efficiency(uid=person.uid, efficiency=value, by=machine("test", store_id=shop.store.pk))
    assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        set_efficiency(uid=person.uid, efficiency=50, by=make_actor("technician", store=shop.store))
    person.refresh_from_db()
    assert (person.efficiency, History.objects.count()) == (100, before)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("resource_tool_kind", "tool = 'SCAN_TOOL' WHERE kind = 'BAY'"),
        ("resource_efficiency", "efficiency = 5 WHERE kind = 'PERSON'"),
        ("resource_efficiency", "efficiency = 120 WHERE kind = 'BAY'"),
    ],
)
def test_the_database_refuses_it_too(shop, refused, name, change):
    with refused(name) as sql:
        sql(f"UPDATE catalogue_resource SET {change}")


def test_work_that_waits_in_the_shop_comes_before_new_bookings(shop, monkeypatch):
    chassis = works("CH-40")[0].skill_id
    backlog = [rules.Need("STANDARD_LIFT", chassis, 3, 60) for _car in range(20)]  # 20 h for 3 people of 8 h
    monkeypatch.setattr(capacity, "CARRIED", [lambda store: capacity.Carried(waiting=backlog)])
    with clock.moved_to(at("8:35")):
        today, tomorrow, later = (
            capacity.free_days(shop.store, works("CH-40"), first=MONDAY + timedelta(days=n), days=1)[0]
            for n in range(3)
        )
        # today 3 × 8 h less five minutes each take the 20 h and two jobs of 96 minutes are left
        assert today.free
        backlog += [rules.Need("STANDARD_LIFT", chassis, 3, 60) for _car in range(10)]
        today, tomorrow = (
            capacity.free_days(shop.store, works("CH-40"), first=MONDAY + timedelta(days=n), days=1)[0]
            for n in range(2)
        )
        assert today.is_full
        assert "carried" in {option.cause.code for option in today.options}
        assert tomorrow.free  # 6 h of it spill over
        backlog += [rules.Need("STANDARD_LIFT", chassis, 3, 60) for _car in range(18)]
        tomorrow, later = (
            capacity.free_days(shop.store, works("CH-40"), first=MONDAY + timedelta(days=n), days=1)[0] for n in (1, 2)
        )
        assert tomorrow.is_full
        assert later.free
        before = Appointment.objects.count()
        values = booking(starts_at=at("9:30", TUESDAY), operation_uids=[operation("CH-40")])
        with pytest.raises(RaceLost):  # booking counts as the search does
            capacity_commands().book_appointment(**values, by=shop.desk)
        assert Appointment.objects.count() == before


def test_a_job_that_overruns_keeps_its_bay(shop, monkeypatch):
    lifts = Resource.objects.filter(store=shop.store, kind=ResourceKind.BAY)
    late = [(lift.pk, at("9:00"), at("13:40") + timedelta(seconds=20)) for lift in lifts]
    monkeypatch.setattr(capacity, "CARRIED", [lambda store: capacity.Carried(overruns=late)])
    day = capacity.free_days(shop.store, works("MT-50"), first=MONDAY, days=1)[0]
    assert f"{day.free[0].at:%H:%M}" == "14:00"
    assert {o.cause.code for o in day.options[:5]} == {"bay"}


# --- what is offered is what booking takes ---


@pytest.mark.parametrize("codes", [("MT-50",), ("EN-20",), ("CH-10", "EL-20"), ()])
def test_every_time_that_is_offered_can_be_booked_and_no_other(shop, codes):
    make_appointment(shop, starts_at=at("9:30", TUESDAY), operation_uids=[operation("EN-20")])
    for start in ("8:30", "10:00", "13:00"):
        make_appointment(shop, starts_at=at(start, TUESDAY), operation_uids=[operation("CH-40")])
    commands = capacity_commands()
    day = capacity.free_days(shop.store, works(*codes), first=TUESDAY, days=1)[0]
    for option in day.options:
        values = booking(starts_at=option.at.astimezone(UTC), operation_uids=[operation(code) for code in codes])
        if option.count:
            made = commands.book_appointment(**values, by=shop.desk)
            assert (made.work_starts_at, made.ready_at) == (option.work_at, option.ready_at)
            commands.cancel_appointment(uid=made.uid, reason="x", by=shop.desk)
        else:
            with pytest.raises(RaceLost):
                commands.book_appointment(**values, by=shop.desk)
