"""The day's plan as arithmetic: who does which job in which bay and when (2.4). No Django, no clock, no database.

Three ways to the same kind of answer: ``first_come`` (in order of arrival), ``earliest_promise`` (in order of the
promised times) and ``optimize`` (CP-SAT). All keep the same rules, which ``broken_rules`` checks on any plan:

- a person, a bay, a special tool and a car are in one place at a time, and only while they are there;
- a job runs through its technician's own breaks: it ends later, the bay stays taken;
- who does the job has the skill, the bay fits, and high-voltage work has a second person throughout, each with a tested
  pair of gloves;
- nothing begins before it can (parts, the car), and what is frozen (clocked on, or about to begin) stays where it is.

Times are whole minutes from any midnight chosen by the caller, on a grid of ``STEP`` minutes.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dealership.catalogue.rules import crowded

Span = tuple[int, int]
"""From (included) to (left out), in minutes."""

STEP = 5
LATE = 240
"""What one late job weighs, in minutes of lateness: two jobs ten minutes late are worse than one by half an hour."""
MOVE = 45
"""What it weighs to move something that people already count on; small moves of time alone weigh ``SHIFT``."""
SHIFT = 10
WAIT = 1
"""What a minute weighs that a customer waits in the shop without a plan though nothing is late: as one minute of lateness.
So they go before cars promised for later, also where another plan has to shift for it; nobody becomes late for it. Whoever
has a plan counts on that time instead."""
DEAR = 12
"""What it weighs to do a job in a bay that is made for more, in steps of the end at equal lateness: a quick service goes to
the quick lane that has room within the hour (``STEP`` × ``DEAR`` minutes)."""
WAITING, REWORK = 3, 2
"""How much more a minute counts for a customer who waits in the shop, and for a car that comes back."""
UNPLANNED = 5_000
SPARE = 2_000
"""What it weighs to give a job to somebody whose post isn't the trade: only where it would find no place, or come hours
late, without them."""


@dataclass(frozen=True, slots=True)
class Person:
    """``open`` are the spans at work, in order; ``pace`` is standard ÷ needed minutes in per cent."""

    id: str
    open: tuple[Span, ...]
    busy: tuple[Span, ...] = ()
    pace: int = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A bay or a special tool, with the spans in which it is taken or blocked; ``room`` is how many cars a bay takes at
    once (blocked, it is taken as often)."""

    id: str
    busy: tuple[Span, ...] = ()
    room: int = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a job stands: its people (the leading one first), bay, tools and time."""

    people: tuple[str, ...]
    bay: str
    start: int
    end: int
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One agreed line.

    ``leads`` may do it, ``seconds`` may stand by (empty: one person does it); ``bays`` fit; ``tools`` are choices, one of
    each is needed. ``release`` is the first minute it can begin (car here, parts here), ``due`` the promise or None.
    ``now`` is where it stands in the plan in force; ``frozen`` means it stays there. ``spare`` are those of its people who
    stand in only where nobody else is free; with ``gloves`` everybody who does it wears a pair; ``dear`` are those of its
    bays that are made for more than it needs.
    """

    id: str
    car: str
    minutes: int
    leads: tuple[str, ...]
    bays: tuple[str, ...]
    release: int = 0
    due: int | None = None
    seconds: tuple[str, ...] = ()
    tools: tuple[tuple[str, ...], ...] = ()
    waiting: bool = False
    rework: bool = False
    arrived: int = 0
    after: tuple[str, ...] = ()
    now: Slot | None = None
    frozen: bool = False
    spare: frozenset[str] = frozenset()
    gloves: bool = False
    dear: frozenset[str] = frozenset()

    @property
    def sits(self) -> bool:
        """Whether its customer waits in the shop and nobody has named a time yet: then every minute counts."""
        return self.waiting and self.now is None

    @property
    def weight(self) -> int:
        return (WAITING if self.waiting else 1) * (REWORK if self.rework else 1)


@dataclass(frozen=True, slots=True)
class Shop:
    """The people, bays and tools of a store, and the end of the time that is planned.

    ``gloved`` have a tested pair of insulating gloves with them, for the others there are ``pairs`` (None: not counted).
    """

    people: Mapping[str, Person]
    bays: Mapping[str, Place]
    tools: Mapping[str, Place] = field(default_factory=dict)
    horizon: int = 2 * 24 * 60
    gloved: frozenset[str] = frozenset()
    pairs: int | None = None

    def bare(self, job: Job, people: Iterable[str]) -> list[str]:
        """Who of these needs a pair of gloves from the crib for the job."""
        if self.pairs is None or not job.gloves:
            return []
        return [who for who in people if who not in self.gloved]


@dataclass(slots=True)
class Plan:
    """``slots`` by job id; ``left`` are jobs that found no place. ``bound`` and ``cost`` speak of ``cost_of``."""

    slots: dict[str, Slot]
    left: list[str] = field(default_factory=list)
    cost: int = 0
    bound: int = 0
    proven: bool = False

    @property
    def gap(self) -> float:
        """How much better, at most, any plan could be: 0.0 is proven best."""
        return max(0.0, (self.cost - self.bound) / self.cost) if self.cost else 0.0


# --- time of a person ---


def run(person: Person, start: int, minutes: int) -> int | None:
    """When a job of standard ``minutes`` ends that this person begins at ``start``; None outside their hours."""
    need = paced(minutes, person.pace)
    at = start
    for begin, end in person.open:
        if at >= end:
            continue
        if at < begin:
            if at == start:
                return None
            at = begin
        if need <= end - at:
            return at + need
        need -= end - at
        at = end
    return None


def paced(minutes: int, pace: int) -> int:
    """Minutes a person needs, on the grid."""
    return max(STEP, -(-minutes * 100 // pace // STEP) * STEP)


def at_work(person: Person, start: int, end: int) -> bool:
    """Whether the person is there when it begins and when it ends; their own lunch in between is theirs."""
    return any(b <= start < e for b, e in person.open) and any(b < end <= e for b, e in person.open)


def pieces(person: Person, minutes: int, first: int, horizon: int) -> list[tuple[int, int, int]]:
    """Ranges of start with one length each: (first start, last start, end − start)."""
    need = paced(minutes, person.pace)
    found: list[tuple[int, int, int]] = []
    spans = person.open
    for i, (begin, end) in enumerate(spans):
        # begun in span i, the job may end in span i or a later one: each later span adds the break before it
        inside = end - begin
        for j in range(i, len(spans)):
            between = sum(e - b for b, e in spans[i + 1 : j])
            if j == i:
                low, high, more = begin, end - need, 0
                if inside < need:
                    low, high = 1, 0
            else:
                # minutes worked in span j: need − (end − start) − between, from STEP to the span's length
                length = spans[j][1] - spans[j][0]
                low = max(begin, end + between + STEP - need)
                high = min(end - STEP, end + between + length - need)
                more = sum(spans[k + 1][0] - spans[k][1] for k in range(i, j))
            low = max(low, -(-first // STEP) * STEP)
            high = min(high, horizon - need - more)
            if low <= high:
                found.append((low, high, need + more))
            if j > i and between >= need:
                break
    return found


# --- what a plan is worth ---


def lateness(job: Job, end: int) -> int:
    """Minutes after the promise; 0 without one."""
    return max(0, end - job.due) if job.due is not None else 0


def moved(job: Job, slot: Slot) -> int:
    """What the change against the plan in force weighs."""
    if job.now is None:
        return 0
    if (slot.people, slot.bay) != (job.now.people, job.now.bay):
        return MOVE
    return SHIFT if slot.start != job.now.start else 0


def cost_of(jobs: Iterable[Job], slots: Mapping[str, Slot]) -> int:
    """The weighted sum that ``optimize`` makes small: late jobs, minutes of lateness, moves, who stands in, how long customers
    wait in the shop, at last the ends and bays made for more."""
    total = 0
    for job in jobs:
        slot = slots.get(job.id)
        if slot is None:
            total += UNPLANNED * job.weight * 100
            continue
        late = lateness(job, slot.end)
        spares = SPARE * sum(who in job.spare for who in slot.people)
        total += 100 * (job.weight * (late + (LATE if late else 0)) + moved(job, slot) + spares)
        total += job.weight * (slot.end // STEP + (DEAR if slot.bay in job.dear else 0))
        if job.sits:
            total += 100 * WAIT * max(0, slot.end - job.release)
    return total


@dataclass(frozen=True, slots=True)
class Score:
    jobs: int
    planned: int
    late: int
    lateness: int
    waiting_late: int
    bay_use: float
    person_use: float


def score(shop: Shop, jobs: Sequence[Job], plan: Plan, day_end: int) -> Score:
    """Late jobs and minutes, and how much of the day's bays and people is used until ``day_end``."""
    ends = {job.id: plan.slots[job.id].end for job in jobs if job.id in plan.slots}
    late = [job for job in jobs if job.id in ends and lateness(job, ends[job.id])]

    def within(spans: Iterable[Span]) -> int:
        return sum(max(0, min(e, day_end) - b) for b, e in spans)

    opening = (min(p.open[0][0] for p in shop.people.values() if p.open), day_end)
    bays = [(s.start, s.end) for s in plan.slots.values()]
    work = sum(
        within(overlap(shop.people[who].open, (slot.start, slot.end)))
        for slot in plan.slots.values()
        for who in slot.people
    )
    there = sum(within(p.open) for p in shop.people.values())
    return Score(
        jobs=len(jobs),
        planned=len(ends),
        late=len(late) + len(jobs) - len(ends),
        lateness=sum(lateness(job, ends[job.id]) for job in late),
        waiting_late=sum(job.waiting for job in late),
        bay_use=within(bays) / ((opening[1] - opening[0]) * sum(bay.room for bay in shop.bays.values())),
        person_use=work / there if there else 0.0,
    )


def overlap(spans: Iterable[Span], other: Span) -> list[Span]:
    return [(max(b, other[0]), min(e, other[1])) for b, e in spans if max(b, other[0]) < min(e, other[1])]


def broken_rules(shop: Shop, jobs: Sequence[Job], plan: Plan) -> list[str]:
    """What a plan does that may not be; an empty list for every plan this module makes."""
    wrong: list[str] = []
    by_id = {job.id: job for job in jobs}
    taken: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
    for kind, things in (("person", shop.people), ("bay", shop.bays), ("tool", shop.tools)):
        for thing in things.values():
            taken[kind, thing.id] += [(b, e, "taken") for b, e in thing.busy]
    for key, slot in plan.slots.items():
        job = by_id[key]
        taken["car", job.car].append((slot.start, slot.end, key))
        taken["bay", slot.bay].append((slot.start, slot.end, key))
        for who in slot.people:
            taken["person", who].append((slot.start, slot.end, key))
        for tool in slot.tools:
            taken["tool", tool].append((slot.start, slot.end, key))
        for _who in shop.bare(job, slot.people):
            taken["gloves", "pairs"].append((slot.start, slot.end, key))
        if job.frozen:
            if slot != job.now:
                wrong.append(f"{key} is frozen and was moved")
            continue
        if slot.start < job.release:
            wrong.append(f"{key} begins before it can")
        if slot.bay not in job.bays:
            wrong.append(f"{key} doesn't fit {slot.bay}")
        if slot.people[0] not in job.leads:
            wrong.append(f"{slot.people[0]} may not do {key}")
        elif run(shop.people[slot.people[0]], slot.start, job.minutes) != slot.end:
            wrong.append(f"{key} doesn't run through {slot.people[0]}'s hours")
        if job.seconds:
            if len(slot.people) != 2 or slot.people[1] not in job.seconds or slot.people[0] == slot.people[1]:
                wrong.append(f"{key} needs two people")
            elif not at_work(shop.people[slot.people[1]], slot.start, slot.end):
                wrong.append(f"{slot.people[1]} isn't there for {key}")
        if len(slot.tools) != len(job.tools) or any(
            tool not in choice for tool, choice in zip(slot.tools, job.tools, strict=False)
        ):
            wrong.append(f"{key} lacks a tool")
        for before in job.after:
            if before in plan.slots and plan.slots[before].end > slot.start:
                wrong.append(f"{key} begins before {before} ends")
    frozen = {job.id for job in jobs if job.frozen} | {"taken"}
    for (kind, name), spans in taken.items():
        ordered = sorted(spans)
        room = shop.bays[name].room if kind == "bay" and name in shop.bays else 1
        if kind == "gloves":
            room = shop.pairs or 0
        if room != 1:
            for at, _e, _key in ordered:
                there = [key for begin, end, key in ordered if begin <= at < end]
                if len(there) > room and not frozen.issuperset(there):
                    wrong.append(f"{kind} {name}: {len(there)} at once")
            continue
        for i, (_b, end, first) in enumerate(ordered):
            for begin, _e, second in ordered[i + 1 :]:
                if begin < end and not (first in frozen and second in frozen):
                    wrong.append(f"{kind} {name}: {first} and {second} overlap")
    return wrong


# --- the two plain rules ---


def first_come(shop: Shop, jobs: Sequence[Job]) -> Plan:
    """Every job in order of arrival to whoever and wherever is free first."""
    return _one_by_one(shop, jobs, lambda job: (job.arrived, job.id))


def earliest_promise(shop: Shop, jobs: Sequence[Job]) -> Plan:
    """Every job in order of its promise, those without one last, to whoever and wherever is free first."""
    return _one_by_one(shop, jobs, lambda job: (job.due is None, job.due or 0, job.arrived, job.id))


def _one_by_one(shop: Shop, jobs: Sequence[Job], key: Callable[[Job], Any]) -> Plan:
    taken: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for kind, things in (("person", shop.people), ("bay", shop.bays), ("tool", shop.tools)):
        for thing in things.values():
            taken[kind, thing.id] += thing.busy
    plan = Plan({})

    def put(job: Job, slot: Slot) -> None:
        plan.slots[job.id] = slot
        span = (slot.start, slot.end)
        taken["car", job.car].append(span)
        taken["bay", slot.bay].append(span)
        for who in slot.people:
            taken["person", who].append(span)
        for tool in slot.tools:
            taken["tool", tool].append(span)
        taken["gloves", "pairs"] += [span for _who in shop.bare(job, slot.people)]

    for job in jobs:
        if job.frozen and job.now is not None:
            put(job, job.now)
    waiting = sorted((job for job in jobs if not job.frozen), key=key)
    while waiting:
        ready = [job for job in waiting if all(before not in {w.id for w in waiting} for before in job.after)]
        job = (ready or waiting)[0]
        waiting.remove(job)
        first = max([job.release, *(plan.slots[b].end for b in job.after if b in plan.slots)])
        best = min(
            (slot for slot in _places(shop, job, first, taken)),
            key=lambda s: (sum(who in job.spare for who in s.people), s.end, s.start, s.bay in job.dear, s.bay),
            default=None,
        )
        if best is None:
            plan.left.append(job.id)
        else:
            put(job, best)
    plan.cost = cost_of(jobs, plan.slots)
    return plan


def _places(shop: Shop, job: Job, first: int, taken: Mapping[tuple[str, str], list[Span]]) -> Iterable[Slot]:
    """The earliest place with each leading person and bay."""
    choices: list[tuple[str, ...]] = list(itertools.product(*job.tools))
    for lead in job.leads:
        for second in job.seconds or ("",):
            if second == lead:
                continue
            people = (lead, second) if second else (lead,)
            for bay in job.bays:
                for tools in choices:
                    slot = _earliest(shop, job, first, people, bay, tools, taken)
                    if slot is not None:
                        yield slot


def _earliest(
    shop: Shop,
    job: Job,
    first: int,
    people: tuple[str, ...],
    bay: str,
    tools: tuple[str, ...],
    taken: Mapping[tuple[str, str], list[Span]],
) -> Slot | None:
    bare = len(shop.bare(job, people))
    if bare and bare > (shop.pairs or 0):
        return None
    busy = sorted(
        [
            *(crowded(taken.get(("gloves", "pairs"), ()), (shop.pairs or 0) - bare + 1) if bare else ()),
            *taken.get(("car", job.car), ()),
            *crowded(taken.get(("bay", bay), ()), shop.bays[bay].room),
            *(span for who in people for span in taken.get(("person", who), ())),
            *(span for tool in tools for span in taken.get(("tool", tool), ())),
        ]
    )
    at = -(-first // STEP) * STEP
    while at < shop.horizon:
        lead = shop.people[people[0]]
        opening = next((b for b, e in lead.open if e > at), None)
        if opening is None:
            return None
        at = max(at, opening)
        end = run(lead, at, job.minutes)
        if end is None or end > shop.horizon:
            return None
        clash = [e for b, e in busy if b < end and e > at]
        if clash:
            at = -(-min(clash) // STEP) * STEP
            continue
        if len(people) > 1 and not at_work(shop.people[people[1]], at, end):
            at += STEP
            continue
        return Slot(people, bay, at, end, tools)
    return None


# --- CP-SAT ---


def optimize(
    shop: Shop,
    jobs: Sequence[Job],
    *,
    seconds: float = 10.0,
    workers: int = 2,
    seed: int = 1,
    deterministic: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    begun: Callable[[Callable[[], None]], None] | None = None,
) -> Plan:
    """The plan with the smallest ``cost_of`` that is found within ``seconds``, with its proven bound.

    Begins from the better of the two plain plans, so it is never worse than they are. ``deterministic`` is the solver's
    own measure of work in place of the clock, for results that are the same on every machine (with one worker).
    ``progress(cost, bound)`` is told of every better plan; ``begun`` is given the call that ends the search early.
    """
    from ortools.sat.python import cp_model  # 69 MiB: only where it runs

    start_plan = min((earliest_promise(shop, jobs), first_come(shop, jobs)), key=lambda plan: plan.cost)
    free = [job for job in jobs if not job.frozen]
    if not free:
        start_plan.bound, start_plan.proven = start_plan.cost, True
        return start_plan

    model = cp_model.CpModel()
    unit = STEP
    last = shop.horizon // unit
    hints: list[tuple[Any, int]] = []
    no_overlap: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for kind, things in (("person", shop.people), ("bay", shop.bays), ("tool", shop.tools)):
        for thing in things.values():
            for span in _held(thing, [j.now for j in jobs if j.frozen and j.now], kind):
                low, high = max(0, span[0] // unit), min(last, -(-span[1] // unit))
                if low < high:
                    no_overlap[kind, thing.id].append(model.new_fixed_size_interval_var(low, high - low, ""))
    for job in jobs:
        if job.frozen and job.now:
            low, high = max(0, job.now.start // unit), min(last, -(-job.now.end // unit))
            if low < high:
                no_overlap["car", job.car].append(model.new_fixed_size_interval_var(low, high - low, ""))

    worn: list[Any] = []
    in_use = [(j.now.start, j.now.end) for j in jobs if j.frozen and j.now for _who in shop.bare(j, j.now.people)]
    for number in range(1, (shop.pairs or 0) + 1):
        for span in crowded(in_use, number):
            low, high = max(0, span[0] // unit), min(last, -(-span[1] // unit))
            if low < high:
                worn.append(model.new_fixed_size_interval_var(low, high - low, ""))

    terms: list[Any] = []
    starts: dict[str, Any] = {}
    ends: dict[str, Any] = {}
    there: dict[str, Any] = {}
    who: dict[str, dict[str, Any]] = {}
    mate: dict[str, dict[str, Any]] = {}
    where: dict[str, dict[str, Any]] = {}
    tool: dict[str, list[dict[str, Any]]] = {}
    for job in free:
        begin = start_plan.slots.get(job.id)
        start = starts[job.id] = model.new_int_var(0, last, "")
        end = ends[job.id] = model.new_int_var(0, last, "")
        size = model.new_int_var(0, last, "")
        planned = there[job.id] = model.new_bool_var("")
        hints.append((planned, int(begin is not None)))
        whole = model.new_optional_interval_var(start, size, end, planned, "")
        no_overlap["car", job.car].append(whole)
        if begin is not None:
            hints += [(start, begin.start // unit), (end, begin.end // unit), (size, (begin.end - begin.start) // unit)]

        chosen: dict[str, Any] = {}
        for name in job.leads:
            options = []
            for low, high, length in pieces(shop.people[name], job.minutes, job.release, shop.horizon):
                option = model.new_bool_var("")
                options.append(option)
                model.add(start >= low // unit).only_enforce_if(option)
                model.add(start <= high // unit).only_enforce_if(option)
                model.add(size == length // unit).only_enforce_if(option)
                model.add(end == start + length // unit).only_enforce_if(option)
                taken = begin is not None and begin.people[0] == name and low <= begin.start <= high
                hints.append((option, int(taken and begin.end - begin.start == length)))  # type: ignore[union-attr]
            if not options:
                continue
            lead = chosen[name] = model.new_bool_var("")
            model.add(sum(options) == lead)
            no_overlap["person", name].append(model.new_optional_interval_var(start, size, end, lead, ""))
            hints.append((lead, int(begin is not None and begin.people[0] == name)))
        model.add(sum(chosen.values()) == planned) if chosen else model.add(planned == 0)
        who[job.id] = chosen

        mates: dict[str, Any] = {}
        for name in job.seconds:
            spans = [(b // unit, e // unit) for b, e in shop.people[name].open if b < shop.horizon]
            if not spans:
                continue
            by = mates[name] = model.new_bool_var("")
            model.add_linear_expression_in_domain(
                start, cp_model.Domain.from_intervals([[b, e - 1] for b, e in spans])
            ).only_enforce_if(by)
            model.add_linear_expression_in_domain(
                end, cp_model.Domain.from_intervals([[b + 1, e] for b, e in spans])
            ).only_enforce_if(by)
            no_overlap["person", name].append(model.new_optional_interval_var(start, size, end, by, ""))
            if name in chosen:
                model.add(by + chosen[name] <= 1)
            hints.append((by, int(begin is not None and name in begin.people[1:])))
        if job.seconds:
            model.add(sum(mates.values()) == planned) if mates else model.add(planned == 0)
        mate[job.id] = mates
        for group in (chosen, mates):
            terms += [100 * SPARE * lit for name, lit in group.items() if name in job.spare]
            for name in shop.bare(job, group):
                if shop.pairs:
                    worn.append(model.new_optional_interval_var(start, size, end, group[name], ""))
                else:
                    model.add(group[name] == 0)

        bays: dict[str, Any] = {}
        for name in job.bays:
            lit = bays[name] = model.new_bool_var("")
            no_overlap["bay", name].append(model.new_optional_interval_var(start, size, end, lit, ""))
            hints.append((lit, int(begin is not None and begin.bay == name)))
        model.add(sum(bays.values()) == planned) if bays else model.add(planned == 0)
        where[job.id] = bays

        tool[job.id] = []
        for number, choice in enumerate(job.tools):
            lits: dict[str, Any] = {}
            for name in choice:
                lit = lits[name] = model.new_bool_var("")
                no_overlap["tool", name].append(model.new_optional_interval_var(start, size, end, lit, ""))
                taken = begin is not None and len(begin.tools) > number and begin.tools[number] == name
                hints.append((lit, int(taken)))
            model.add(sum(lits.values()) == planned) if lits else model.add(planned == 0)
            tool[job.id].append(lits)

        terms.append(100 * UNPLANNED * job.weight * (1 - planned))
        counted = _when(model, planned, end, last, begin.end // unit if begin else 0, hints)
        terms.append(job.weight * counted)
        terms += [job.weight * DEAR * lit for name, lit in bays.items() if name in job.dear]
        if job.sits:
            terms.append(100 * WAIT * (unit * counted - job.release * planned))
        if job.due is not None:
            late = model.new_bool_var("")
            minutes = model.new_int_var(0, last, "")
            due = job.due // unit
            model.add(minutes >= end - due).only_enforce_if(planned)
            model.add(minutes <= last * late)
            terms.append(100 * job.weight * (unit * minutes + LATE * late))
            after = max(0, begin.end // unit - due) if begin else 0
            hints += [(minutes, after), (late, int(after > 0))]
        if job.now is not None:
            terms.append(100 * _move(model, job, planned, start, chosen, mates, bays, begin, hints))

    for job in free:
        for before in job.after:
            if before in starts:
                model.add(starts[job.id] >= ends[before]).only_enforce_if([there[job.id], there[before]])
            else:
                fixed = next((j.now for j in jobs if j.id == before and j.now), None)
                if fixed is not None:
                    model.add(starts[job.id] >= -(-fixed.end // unit)).only_enforce_if(there[job.id])
    for (kind, name), intervals in no_overlap.items():
        room = shop.bays[name].room if kind == "bay" else 1
        if room > 1:
            model.add_cumulative(intervals, [1] * len(intervals), room)
        elif len(intervals) > 1:
            model.add_no_overlap(intervals)
    if worn and shop.pairs:
        model.add_cumulative(worn, [1] * len(worn), shop.pairs)
    model.minimize(sum(terms))
    for variable, value in hints:
        model.add_hint(variable, value)

    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    if deterministic is not None:
        solver.parameters.max_deterministic_time = deterministic
    if begun is not None:
        begun(solver.stop_search)
    status = solver.solve(model, _teller(cp_model, progress) if progress else None)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        start_plan.bound = 0
        return start_plan

    frozen_cost = cost_of([job for job in jobs if job.frozen], {j.id: j.now for j in jobs if j.frozen and j.now})
    plan = Plan({job.id: job.now for job in jobs if job.frozen and job.now})
    for job in free:
        if not solver.boolean_value(there[job.id]):
            plan.left.append(job.id)
            continue
        picked = [name for name, lit in who[job.id].items() if solver.boolean_value(lit)]
        picked += [name for name, lit in mate[job.id].items() if solver.boolean_value(lit)]
        plan.slots[job.id] = Slot(
            people=tuple(picked),
            bay=next(name for name, lit in where[job.id].items() if solver.boolean_value(lit)),
            start=solver.value(starts[job.id]) * unit,
            end=solver.value(ends[job.id]) * unit,
            tools=tuple(next(n for n, lit in lits.items() if solver.boolean_value(lit)) for lits in tool[job.id]),
        )
    plan.cost = cost_of(jobs, plan.slots)
    plan.proven = status == cp_model.OPTIMAL
    plan.bound = plan.cost if plan.proven else min(plan.cost, int(solver.best_objective_bound) + frozen_cost)
    if start_plan.cost < plan.cost:  # the solver counts on its grid; a promise off the grid can tip the balance
        start_plan.bound = plan.bound
        return start_plan
    return plan


def _when(model: Any, planned: Any, end: Any, last: int, hint: int, hints: list[tuple[Any, int]]) -> Any:
    """The end of a planned job, 0 for one that is left: at equal lateness the earlier plan is better."""
    counted = model.new_int_var(0, last, "")
    model.add(counted >= end).only_enforce_if(planned)
    hints.append((counted, hint))
    return counted


def _move(
    model: Any,
    job: Job,
    planned: Any,
    start: Any,
    chosen: Mapping[str, Any],
    mates: Mapping[str, Any],
    bays: Mapping[str, Any],
    begin: Slot | None,
    hints: list[tuple[Any, int]],
) -> Any:
    """``moved`` as an expression: other people or another bay weigh ``MOVE``, another time alone ``SHIFT``."""
    assert job.now is not None
    same = [chosen.get(job.now.people[0]), bays.get(job.now.bay), *(mates.get(name) for name in job.now.people[1:])]
    other, shifted = model.new_bool_var(""), model.new_bool_var("")
    if any(lit is None for lit in same):
        model.add(other == planned)
    else:
        for lit in same:
            model.add(other >= planned - lit)
    still = model.new_bool_var("")
    model.add(start == job.now.start // STEP).only_enforce_if(still)
    model.add(shifted >= planned - still - other)
    if begin is not None:
        weight = moved(job, begin)
        hints += [(other, int(weight == MOVE)), (shifted, int(weight == SHIFT)), (still, int(weight == 0))]
    return MOVE * other + SHIFT * shifted


def _held(thing: Person | Place, frozen: Iterable[Slot], kind: str) -> list[Span]:
    """Taken time, never more at once than there is room: what really happens may overlap, and is no reason to find no
    plan."""
    spans = list(thing.busy)
    for slot in frozen:
        inside = {"person": thing.id in slot.people, "bay": slot.bay == thing.id, "tool": thing.id in slot.tools}[kind]
        if inside:
            spans.append((slot.start, slot.end))
    room = thing.room if isinstance(thing, Place) else 1
    return [span for n in range(1, room + 1) for span in crowded(spans, n)]


def _teller(cp_model: Any, progress: Callable[[int, int], None]) -> Any:
    class Teller(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            progress(int(self.objective_value), int(self.best_objective_bound))

    return Teller()


# --- why something changes ---


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the plan in force and the proposed one.

    ``kind`` is NEW, PERSON, BAY, TIME or LEFT. ``reason`` is CONFLICT (its place is taken by ``other`` until ``until``),
    BUSY (the same, where it is the person), BAY or PERSON (that one isn't to be had then), PROMISE (it would have been late
    by ``saved`` minutes more), MAKES_ROOM (``other`` comes first), NEEDED (``other`` needs the person more), PARTS, or
    EARLIER.
    """

    job: str
    kind: str
    before: Slot | None
    after: Slot | None
    reason: str
    other: str = ""
    until: int = 0
    saved: int = 0


def changes(jobs: Sequence[Job], plan: Plan, shop: Shop | None = None) -> list[Change]:
    """Every job that stands elsewhere than in the plan in force, in order of time, each with its reason.

    With ``shop`` a bay that is blocked and a person who isn't there are named as such.
    """
    by_id = {job.id: job for job in jobs}
    found: list[Change] = []
    for job in jobs:
        slot = plan.slots.get(job.id)
        if job.frozen or (slot is not None and slot == job.now):
            continue
        if slot is None:
            found.append(Change(job.id, "LEFT", job.now, None, "NO_PLACE"))
            continue
        if job.now is None:
            found.append(Change(job.id, "NEW", None, slot, "EARLIER" if job.due is None else "PROMISE"))
            continue
        kind = "PERSON" if slot.people != job.now.people else "BAY" if slot.bay != job.now.bay else "TIME"
        reason = (shop and _gone(shop, job.now)) or _reason(job, slot, by_id, plan)
        found.append(Change(job.id, kind, job.now, slot, *reason))
    return sorted(found, key=lambda change: (_begin(change), change.job))


def _begin(change: Change) -> int:
    place = change.after or change.before
    return place.start if place else 0


def _gone(shop: Shop, now: Slot) -> tuple[str, str, int, int] | None:
    """Whether the bay or a person of the plan in force isn't to be had at that time."""
    bay = shop.bays.get(now.bay)
    full = crowded(bay.busy, bay.room) if bay else []
    held = [end for begin, end in full if begin < now.end and end > now.start] if bay else [0]
    if held:
        return "BAY", "", max(held), 0
    for who in now.people:
        person = shop.people.get(who)
        busy = person is not None and any(begin < now.end and end > now.start for begin, end in person.busy)
        if person is None or busy or not at_work(person, now.start, now.end):
            return "PERSON", "", 0, 0
    return None


def _reason(job: Job, slot: Slot, by_id: Mapping[str, Job], plan: Plan) -> tuple[str, str, int, int]:
    assert job.now is not None
    if job.now.start < job.release:
        return "PARTS", "", job.release, 0
    saved = lateness(job, job.now.end) - lateness(job, slot.end)
    gone = set(job.now.people) - set(slot.people)
    swapped = bool(gone) and slot.bay == job.now.bay  # the place would have done: it was the person
    here = [
        (key, other)
        for key, other in plan.slots.items()
        if key != job.id
        and ((other.bay == job.now.bay and not swapped) or set(other.people) & (gone or set(job.now.people)))
        and other.start < job.now.end
        and other.end > job.now.start
    ]

    def who(other: Slot) -> bool:
        return bool(gone & set(other.people)) and other.bay != job.now.bay  # type: ignore[union-attr]

    for key, other in sorted(here, key=lambda pair: pair[1].start):
        if by_id[key].frozen:
            return "BUSY" if who(other) else "CONFLICT", key, other.end, saved
    if saved > 0:
        return "PROMISE", "", 0, saved
    for key, other in sorted(here, key=lambda pair: -by_id[pair[0]].weight):
        return "NEEDED" if who(other) else "MAKES_ROOM", key, other.end, saved
    return "EARLIER", "", 0, saved
