"""The proposed day plan against two plain rules on twenty simulated days: ``python -m bench.dispatcher``.

Every day is drawn from a seed: a shop of eight bays and ten technicians with shifts, lunch breaks, skills and paces;
some thirty agreed jobs with promises, waiting customers, rework, parts that come later, cars with several jobs, special
tools and high-voltage work for two. Half of the days are re-plans: the morning has begun, some work runs over, and what
is clocked on stays where it is. The three ways get the very same day. Prints a table; ``--write`` puts it into
``docs/dispatcher.md``.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import replace
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE_DIR))

from workshop import planning  # noqa: E402
from workshop.planning import Job, Person, Place, Plan, Shop, Slot  # noqa: E402

HOUR = 60
OPENS, CLOSES = 8 * HOUR, 18 * HOUR
DAYS = 20
BAYS = [
    ("Q1", "quick"), ("Q2", "quick"), ("L1", "lift"), ("L2", "lift"), ("L3", "lift"),
    ("E1", "ev"), ("A1", "align"), ("B1", "body"),
]  # fmt: skip
SERVES = {
    "quick": ("quick", "lift", "ev"),
    "lift": ("lift", "ev"),
    "ev": ("ev",),
    "align": ("align",),
    "body": ("body",),
}
KINDS = [  # what it needs, chance, minutes, skill
    ("quick", 40, (30, 45, 60), "service"), ("lift", 34, (60, 90, 120, 180, 240), "engine"),
    ("ev", 9, (60, 90, 150), "hv"), ("align", 9, (45, 60), "chassis"), ("body", 8, (120, 180, 300), "body"),
]  # fmt: skip


def people(rng: random.Random) -> dict[str, Person]:
    """Ten technicians in two shifts, over two days, with lunch breaks of their own."""
    made = {}
    for n in range(10):
        begin = OPENS if n % 2 == 0 else OPENS + HOUR
        lunch = 11 * HOUR + 30 + 30 * (n % 3)
        day = ((begin, lunch), (lunch + HOUR, begin + 9 * HOUR))
        open_ = tuple((b + d * 24 * HOUR, e + d * 24 * HOUR) for d in (0, 1) for b, e in day)
        made[f"T{n}"] = Person(f"T{n}", open_, pace=rng.choice([85, 95, 100, 100, 110, 120]))
    return made


SKILLS = {
    "service": [f"T{n}" for n in range(10)], "engine": ["T0", "T1", "T2", "T3", "T4", "T5"],
    "hv": ["T4", "T5", "T6"], "chassis": ["T2", "T3", "T6", "T7"], "body": ["T8", "T9"],
}  # fmt: skip


def day(number: int) -> tuple[Shop, list[Job]]:
    """The shop and the jobs of one simulated day; odd numbers are re-plans at ten o'clock."""
    rng = random.Random(1000 + number)
    staff = people(rng)
    shop = Shop(staff, {name: Place(name) for name, _kind in BAYS}, {"oscilloscope": Place("oscilloscope")})
    jobs: list[Job] = []
    cars = 0
    for n in range(rng.randint(24, 32)):
        kind, _chance, lengths, skill = rng.choices(KINDS, [k[1] for k in KINDS])[0]
        minutes = rng.choice(lengths)
        if jobs and rng.random() < 0.2:
            before = jobs[-1]
            car, arrived, waiting = before.car, before.arrived, before.waiting
            due = None if before.due is None else max(before.due, arrived + before.minutes + minutes + 60)
        else:
            cars += 1
            car, arrived = f"C{cars}", OPENS + round(rng.triangular(0, 6 * HOUR, HOUR) / 5) * 5
            waiting = kind == "quick" and rng.random() < 0.6
            slack = rng.choice([30, 45, 60]) if waiting else rng.choice([90, 120, 180, 300])
            due = arrived + minutes + slack + 30
            if due > CLOSES:  # not before the shop closes: promised for the next morning
                due = 24 * HOUR + OPENS + 2 * HOUR + minutes
        release = arrived + 20
        if not waiting and rng.random() < 0.12:
            release = rng.choice([11, 13, 14]) * HOUR  # parts come later, and the promise was given knowing it
            due = max(due, release + minutes + 60) if due is not None else None
        leads = [who for who in SKILLS[skill] if rng.random() < 0.9] or SKILLS[skill]
        jobs.append(
            Job(
                id=f"J{n:02}",
                car=car,
                minutes=minutes,
                leads=tuple(leads),
                bays=tuple(name for name, bay in BAYS if bay in SERVES[kind]),
                release=release,
                due=due,
                seconds=tuple(SKILLS["hv"]) if kind == "ev" else (),
                tools=(("oscilloscope",),) if kind == "lift" and rng.random() < 0.2 else (),
                waiting=waiting,
                rework=rng.random() < 0.05,
                arrived=arrived,
            )
        )
    if number % 2 == 0:
        return shop, jobs
    return shop, in_the_middle(rng, shop, jobs)


def in_the_middle(rng: random.Random, shop: Shop, jobs: list[Job]) -> list[Job]:
    """It is ten o'clock: yesterday's plan is in force, what has begun stays, a third of that runs over."""
    now, soon = 10 * HOUR, 11 * HOUR
    known = [job for job in jobs if job.arrived <= now or rng.random() < 0.6]
    plan = planning.earliest_promise(shop, known)
    found = []
    for job in jobs:
        slot = plan.slots.get(job.id)
        if slot is None:
            found.append(_with(job, release=max(job.release, now)))
        elif slot.end <= now:
            continue
        elif slot.start < soon:
            over = rng.choice([20, 40, 75]) if slot.start < now and rng.random() < 0.35 else 0
            late = Slot(slot.people, slot.bay, slot.start, slot.end + over, slot.tools)
            found.append(_with(job, now=late, frozen=True))
        else:
            found.append(_with(job, now=slot, release=max(job.release, now)))
    return found


def _with(job: Job, **new: object) -> Job:
    return replace(job, **new)  # type: ignore[arg-type]


WAYS = ("first come, first served", "earliest promise", "CP-SAT")


def compare(days: int, seconds: float, workers: int = 2) -> list[dict[str, object]]:
    """One row per way: sums over the days, and for CP-SAT the proven gap and the days proven best."""
    rows = []
    for way in WAYS:
        late = minutes = waiting = jobs = proven = moved = 0
        bay, person, gap, took, cost = 0.0, 0.0, [], 0.0, 0
        for number in range(days):
            shop, todo = day(number)
            start = time.perf_counter()
            plan: Plan
            if way == WAYS[0]:
                plan = planning.first_come(shop, todo)
            elif way == WAYS[1]:
                plan = planning.earliest_promise(shop, todo)
            else:
                plan = planning.optimize(shop, todo, seconds=seconds, workers=workers)
            took += time.perf_counter() - start
            wrong = planning.broken_rules(shop, todo, plan)
            if wrong:
                raise SystemExit(f"day {number}, {way}: {wrong[:3]}")
            said = planning.score(shop, todo, plan, CLOSES)
            late, minutes, waiting, jobs = (
                late + said.late,
                minutes + said.lateness,
                waiting + said.waiting_late,
                jobs + said.jobs,
            )
            bay, person, cost = bay + said.bay_use, person + said.person_use, cost + plan.cost
            gap.append(plan.gap)
            proven += plan.proven
            moved += sum(1 for job in todo if job.now and not job.frozen and plan.slots.get(job.id) != job.now)
        rows.append(
            {
                "way": way,
                "jobs": jobs,
                "late": late,
                "lateness_min": minutes,
                "waiting_late": waiting,
                "moved": moved,
                "bay_use": round(100 * bay / days, 1),
                "person_use": round(100 * person / days, 1),
                "cost": cost,
                "gap": round(100 * sum(gap) / days, 1) if way == WAYS[2] else None,
                "proven": proven if way == WAYS[2] else None,
                "seconds": round(took / days, 2),
            }
        )
    return rows


def table(rows: list[dict[str, object]], days: int) -> str:
    said = [
        "| way | late jobs | total lateness, min | waiting customers late | plans moved | bay use | technician use "
        "| weighted cost | proven gap | proven best | s a day |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        gap = "–" if row["gap"] is None else f"{row['gap']} %"
        proven = "–" if row["proven"] is None else f"{row['proven']} of {days}"
        said.append(
            f"| {row['way']} | {row['late']} of {row['jobs']} | {row['lateness_min']:,} | {row['waiting_late']} | {row['moved']} | "
            f"{row['bay_use']} % | {row['person_use']} % | {int(str(row['cost'])) // 100:,} | {gap} | {proven} | {row['seconds']} |"
        )
    return "\n".join(said)


BEGIN, END = "<!-- table: python -m bench.dispatcher --write -->", "<!-- end of table -->"


def main() -> int:
    parser = argparse.ArgumentParser(description="The proposed day plan against two plain rules")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit of a day's search")
    parser.add_argument("--write", action="store_true", help="write the table into docs/dispatcher.md")
    options = parser.parse_args()
    said = table(compare(options.days, options.seconds), options.days)
    print(said)
    if options.write:
        page = BASE_DIR / "docs" / "dispatcher.md"
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        page.write_text(f"{before}{BEGIN}\n{said}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
