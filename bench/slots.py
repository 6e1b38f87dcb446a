"""``python -m bench.slots``: the slot search of a large store against raw SQL and the empty view (2.4, perf 3).

A store of 40 bays, 60 technicians and 10 advisors with a month of bookings: every bay is taken for about three quarters
of each day. Asked is what the desk asks: the free times of fourteen days for a job, or why a day is full. The raw
statements read the same rows that any answer needs; the empty view answers ``{}`` behind the same door.

    .venv/bin/python -m bench.slots                 about a minute, prints the table
    .venv/bin/python -m bench.slots --seconds 2     shorter
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tools import servers

from . import __main__ as bench

BAYS, TECHNICIANS, ADVISORS, DAYS = 40, 60, 10, 31
KINDS = ("QUICK_LUBE",) * 8 + ("STANDARD_LIFT",) * 22 + ("ALIGNMENT_RACK",) * 4 + ("EV_DIAGNOSTIC",) * 6
JOBS = {
    "a diagnosis": "",
    "maintenance and alignment": "MT-20,AL-10",
    "three stretches with a special tool": "MT-30,AL-10,EN-20",
    "a day's work": "AS-10",
}
CODE = "BJ01"
MOST_MS = 150


def set_up() -> dict[str, Any]:
    """Servers, the demo's store and catalogue, and the large store's people, bays and bookings."""
    import subprocess

    bench.VAR.mkdir(parents=True, exist_ok=True)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ |= {"VAR_DIR": str(bench.VAR), "DJANGO_SETTINGS_MODULE": "bench.settings", "DEMO": "false"}
    os.environ["DEBUG"] = "false"
    said = servers.start(bench.VAR)
    subprocess.run([bench.PYTHON, "-m", "tools.database"], cwd=bench.BASE_DIR, check=True)
    import django

    django.setup()
    from dealership.exchange.services.demo_store import make_demo_stores
    from dealership.kernel.models import Store

    if not Store.objects.exists():
        make_demo_stores(count=1)
    store = Store.objects.get(code=CODE)
    _large(store)
    return said | {"clients": bench.clients(), "store": store}


def _large(store: Any) -> None:
    """Bays, people, rosters and bookings in bulk, as the owner; what an earlier run made is taken away first."""
    from django.db import connections

    from dealership.catalogue.models import Reservation, ReservationPurpose, Resource, ResourceKind
    from dealership.kernel import clock
    from reception.models import Appointment, Customer, Vehicle
    from reception.selectors.capacity import store_calendar
    from staff.models import Department, Employee, EmployeeSkill, RosterDay, Shift, Skill

    rng, today, zone = random.Random(7), clock.today(store.time_zone), ZoneInfo(store.time_zone)
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM catalogue_reservation")
        cursor.execute("DELETE FROM reception_appointmentitem")
        cursor.execute("DELETE FROM reception_appointment")
    department = Department.objects.filter(store=store).first()
    shift = Shift.objects.filter(store=store).order_by("starts").first()
    crew = Employee.objects.using("owner").filter(number__startswith="BIG-T")
    if not crew.exists():
        for kind, count in (("T", TECHNICIANS), ("A", ADVISORS)):
            Employee.objects.using("owner").bulk_create(
                Employee(
                    store_id=store.pk,
                    department_id=department.pk,
                    number=f"BIG-{kind}{n:02d}",
                    name=f"大店{kind}{n:02d}",
                    hired_on=today - timedelta(days=400),
                )
                for n in range(count)
            )
        skills = list(Skill.objects.exclude(code="reception"))
        EmployeeSkill.objects.using("owner").bulk_create(
            EmployeeSkill(
                employee_id=e.pk, skill_id=s.pk, level=rng.randint(2, 4), valid_until=today + timedelta(days=365)
            )
            for e in crew
            for s in skills
        )
        desk = Skill.objects.get(code="reception")
        EmployeeSkill.objects.using("owner").bulk_create(
            EmployeeSkill(employee_id=e.pk, skill_id=desk.pk, level=3, valid_until=today + timedelta(days=365))
            for e in Employee.objects.using("owner").filter(number__startswith="BIG-A")
        )
        _give_advisors_their_post(store, today)
        Resource.objects.using("owner").filter(store=store, kind__in=["BAY", "PERSON"]).update(active=False)
        Resource.objects.using("owner").bulk_create(
            Resource(store_id=store.pk, kind=ResourceKind.BAY, code=f"BIG{n}", name=f"{n} 号", capability=c, position=n)
            for n, c in enumerate(KINDS, 1)
        )
        Resource.objects.using("owner").bulk_create(
            Resource(store_id=store.pk, kind=ResourceKind.PERSON, code=e.number, name=e.name, employee_id=e.pk)
            for e in crew
        )
    everybody = Employee.objects.using("owner").filter(number__startswith="BIG-")
    RosterDay.objects.using("owner").filter(employee__in=everybody).delete()
    RosterDay.objects.using("owner").bulk_create(
        RosterDay(store_id=store.pk, employee_id=e.pk, day=today + timedelta(days=n), shift_id=shift.pk)
        for n in range(DAYS + 14)
        for e in everybody
    )
    owner = Customer.objects.using("owner").filter(phone="13900000777").first() or Customer.objects.using(
        "owner"
    ).create(name="李试约", phone="13900000777")
    car = Vehicle.objects.using("owner").filter(plate="京A77777").first() or Vehicle.objects.using("owner").create(
        plate="京A77777", model_text="途远"
    )
    bays = list(Resource.objects.filter(store=store, kind=ResourceKind.BAY, active=True).order_by("position"))
    people = list(Resource.objects.filter(store=store, kind=ResourceKind.PERSON, active=True).order_by("code"))
    calendar, plans, bookings = store_calendar(store), [], []
    for n in range(DAYS):
        day = today + timedelta(days=n)
        for number, bay in enumerate(bays):
            for opens, closes in calendar.spans(day, 1):
                at = opens + timedelta(minutes=rng.randrange(0, 40))
                while (end := at + timedelta(minutes=rng.choice([30, 36, 48, 60, 90, 120]))) <= closes:
                    if end > datetime.now(zone):
                        booking = Appointment(
                            store_id=store.pk,
                            number=f"BIG-{len(bookings)}",
                            customer_id=owner.pk,
                            vehicle_id=car.pk,
                            contact_name="李试约",
                            contact_phone="13900000777",
                            starts_at=at - timedelta(minutes=20),
                            ready_at=end,
                            concern="保养",
                            state="CONFIRMED",
                        )
                        bookings.append(booking)
                        for resource in (bay, people[(number + n) % len(people)]):
                            plans.append(
                                Reservation(
                                    store_id=store.pk,
                                    resource_id=resource.pk,
                                    period=(at, end),
                                    purpose=ReservationPurpose.APPOINTMENT,
                                    subject_uid=booking.uid,
                                )
                            )
                    at = end + timedelta(minutes=rng.randrange(0, 45))
    Appointment.objects.using("owner").bulk_create(bookings)
    Reservation.objects.using("owner").bulk_create(plans)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    bench.say(f"{len(bays)} bays, {len(people)} people, {len(bookings)} bookings, {len(plans)} plans.")


def _give_advisors_their_post(store: Any, today: Any) -> None:
    from staff.models import Employee, Post, PostHolding

    post = Post.objects.get(code="advisor")
    PostHolding.objects.using("owner").bulk_create(
        PostHolding(employee_id=e.pk, post_id=post.pk, store_id=store.pk, starts_on=today - timedelta(days=400))
        for e in Employee.objects.filter(number__startswith="BIG-A")
    )


RAW = """
    SELECT r.resource_id, lower(r.period), upper(r.period), r.purpose FROM catalogue_reservation r
    JOIN catalogue_resource c ON c.id = r.resource_id AND c.active AND c.store_id = %(store)s
    WHERE r.live AND r.period && tstzrange(%(start)s, %(end)s);
"""
RAW_REST = """
    SELECT d.employee_id, d.day, s.starts, s.ends FROM staff_rosterday d JOIN staff_shift s ON s.id = d.shift_id
        WHERE d.store_id = %(store)s AND d.day >= %(start)s::date AND d.day < %(end)s::date;
"""
RAW_ARRIVALS = """
    SELECT starts_at, advisor_id FROM reception_appointment WHERE store_id = %(store)s
        AND state IN ('REQUESTED', 'CONFIRMED', 'PREPARED') AND starts_at >= %(start)s AND starts_at < %(end)s;
"""


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def measure(seconds: float) -> list[dict[str, Any]]:
    said = set_up()
    import psycopg2

    from dealership.catalogue.models import Operation
    from dealership.kernel import clock
    from reception.selectors import capacity

    store, token = said["store"], said["clients"][0]["token"]
    connection = psycopg2.connect(said["database_url"])
    values = {"store": store.pk, "start": clock.now(), "end": clock.now() + timedelta(days=22)}
    rows: list[dict[str, Any]] = []
    with connection.cursor() as cursor:

        def raw() -> None:
            for statement in (RAW, RAW_REST, RAW_ARRIVALS):
                cursor.execute(statement, values)
                cursor.fetchall()

        plain = _timed(raw, seconds)
    with bench.web("bench.wsgi:application") as (port, _process, _took):
        generator = bench.Helper("bench.load", str(port), "1", token, str(bench.WORKERS))
        empty = generator.ask({"seconds": seconds, "lanes": [[["GET", "/api/v1/bench-empty", token, None]]]})
        for name, codes in JOBS.items():
            work = [Operation.objects.prefetch_related("parts").get(code=c) for c in codes.split(",") if c]
            inside = _timed(lambda work=work: capacity.free_days(store, work, days=14), seconds)  # type: ignore[misc]
            days = capacity.free_days(store, work, days=14)
            path = "/api/v1/appointment-days?days=14" + (f"&operation_codes={codes}" if codes else "")
            asked = generator.ask({"seconds": seconds, "lanes": [[["GET", path, token, None]]]})
            if set(asked["statuses"]) != {"200"}:
                raise SystemExit(f"{path} was refused: {asked['refused']}")
            rows.append(
                {
                    "job": name,
                    "free": sum(len(day.free) for day in days),
                    "full": sum(day.is_full for day in days),
                    "p50": percentile(inside, 0.5),
                    "p95": percentile(inside, 0.95),
                    "api_p95": asked["p95_ms"],
                    "raw_p50": percentile(plain, 0.5),
                    "empty_p50": empty["p50_ms"],
                }
            )
        generator.close()
    return rows


def _timed(run: Any, seconds: float) -> list[float]:
    run()
    times, stop = [], time.monotonic() + seconds
    while time.monotonic() < stop or len(times) < 20:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return times


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| job | free times | full days | search p50 ms | search p95 ms | over the API p95 ms | raw SQL p50 ms"
        " | of raw SQL | of the empty view | reach |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for row in rows:
        reached = "reached" if row["api_p95"] < MOST_MS else "short"
        lines.append(
            f"| {row['job']} | {row['free']} | {row['full']} | {row['p50']:.0f} | {row['p95']:.0f} |"
            f" {row['api_p95']:.0f} | {row['raw_p50']:.0f} | {row['p50'] / row['raw_p50']:.1f} × |"
            f" {row['p50'] / row['empty_p50']:.1f} × | < {MOST_MS} ms at p95: {reached} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.slots", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    options = parser.parse_args()
    bench.VAR = bench.OUTER / "bench-slots"
    try:
        rows = measure(options.seconds)
    finally:
        if (bench.VAR / "servers.json").exists():
            servers.stop(bench.VAR)
    (bench.OUTER / "bench-slots.json").write_text(json.dumps(rows, indent=2) + "\n")
    bench.say("\n" + table(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
