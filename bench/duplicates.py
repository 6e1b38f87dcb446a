"""``make bench ARGS=--duplicates``: customers who may be one, found among 200,000 customers and 300,000 vehicles × SCALE (2.3).

A cluster of its own in ``VAR_DIR/bench-duplicates``, loaded once by COPY. One customer in ``EVERY`` is registered again under
the same number and another is brought by somebody of the same name. Measured in one run: the first comparison of everybody,
a run after which nothing has changed, a run after ``NEWS`` cards were corrected, and, beside them, one statement that joins
all with all. Both ways must find the same pairs. Memory is what the worker's process gained at its highest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from tools import servers

from .__main__ import BASE_DIR, DOCS, OUTER, PYTHON, say

VAR = OUTER / "bench-duplicates"
EVERY, NEWS = 100, 500
LIMIT_S, LIMIT_MIB = 300, 64
BEGIN, END = "<!-- duplicates: begin -->", "<!-- duplicates: end -->"

_TWINS = """
    INSERT INTO reception_customer (uid, version, created_at, updated_at, kind, name, pinyin, pinyin_initials, phone,
        phone_2, email, uscc, language, channel, note, home_store_id, no_calls, quiet_from, quiet_to)
    SELECT gen_random_uuid(), 1, now(), now(), kind, name, pinyin, pinyin_initials,
        CASE WHEN id %% 2 = 0 THEN phone ELSE '199' || lpad(id::text, 8, '0') END,
        '', '', '', language, channel, '', home_store_id, false, '', ''
    FROM reception_customer WHERE id %% %(every)s < 2
    RETURNING id
"""
_LINKS = """
    INSERT INTO reception_ownership (uid, version, created_at, updated_at, starts_on, ends_on, customer_id, vehicle_id)
    SELECT gen_random_uuid(), 1, now(), now(), o.starts_on - 900, o.starts_on - 1, t.id, o.vehicle_id
    FROM reception_customer t JOIN reception_customer c ON t.phone = '199' || lpad(c.id::text, 8, '0')
    JOIN reception_ownership o ON o.customer_id = c.id WHERE t.id = ANY(%(twins)s)
"""
_ALL_WITH_ALL = """
    WITH numbers AS (
        SELECT id, phone AS value FROM reception_customer WHERE phone <> '' AND merged_into_id IS NULL
        UNION SELECT id, phone_2 FROM reception_customer WHERE phone_2 <> '' AND merged_into_id IS NULL
    ), telling AS (
        SELECT value FROM numbers GROUP BY value HAVING count(*) BETWEEN 2 AND 6
    ), links AS (
        SELECT customer_id AS id, vehicle_id FROM reception_ownership
        UNION SELECT customer_id, vehicle_id FROM reception_visit
        UNION SELECT customer_id, vehicle_id FROM reception_appointment
    ), cars AS (
        SELECT c.id, c.name, c.pinyin, l.vehicle_id FROM links l
        JOIN reception_customer c ON c.id = l.id WHERE c.merged_into_id IS NULL
    ), pairs AS (
        SELECT a.id AS x, b.id AS y FROM telling t JOIN numbers a USING (value) JOIN numbers b USING (value) WHERE a.id < b.id
        UNION SELECT a.id, b.id FROM cars a JOIN cars b USING (vehicle_id)
        WHERE a.id < b.id AND (a.pinyin = b.pinyin AND a.pinyin <> '' OR a.name = b.name)
    )
    SELECT x, y FROM pairs ORDER BY 1, 2
"""


def set_up(scale: float) -> dict[str, Any]:
    """Servers, migrations, stores and the volume with its twins; what an earlier run of this scale loaded is used again."""
    VAR.mkdir(parents=True, exist_ok=True)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ |= {"VAR_DIR": str(VAR), "DJANGO_SETTINGS_MODULE": "bench.settings", "DEMO": "false", "DEBUG": "false"}
    mark = VAR / "loaded.json"
    loaded = mark.exists() and json.loads(mark.read_text()).get("scale") == scale
    data = servers.Postgres(VAR).data
    if data.exists() and not loaded:
        servers.stop(VAR)
        shutil.rmtree(data)
        mark.unlink(missing_ok=True)
    said = servers.start(VAR)
    subprocess.run([PYTHON, "-m", "tools.database"], cwd=BASE_DIR, check=True)
    import django

    django.setup()
    import psycopg2
    from django.db import connections

    from dealership.exchange.services.demo_store import make_demo_stores
    from dealership.kernel import clock

    from . import volume

    owner = psycopg2.connect(said["database_owner_url"])
    if not loaded:
        make_demo_stores(count=1)
        connections.close_all()
        customers, vehicles = max(400, int(volume.CUSTOMERS * scale)), max(600, int(volume.VEHICLES * scale))
        with owner:
            size = (customers, vehicles, vehicles // 3)
            volume.load(owner, scale=scale, today=clock.today(), say=say, search=size)
        with owner, owner.cursor() as cursor:
            cursor.execute(_TWINS, {"every": EVERY})
            cursor.execute(_LINKS, {"twins": [pk for (pk,) in cursor.fetchall()]})
        owner.autocommit = True
        owner.cursor().execute("VACUUM ANALYZE")
        mark.write_text(json.dumps({"scale": scale}))
    owner.autocommit = True
    owner.cursor().execute("TRUNCATE reception_duplicate, reception_comparisonmark")
    owner.close()
    return said


def _memory(*, begin: bool = False) -> float:
    """MiB the process holds now (``begin``: the peak starts anew), else at its highest since."""
    if begin:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:" if begin else "VmHWM:")[1].split()[0]) / 1024


def measure(said: dict[str, Any]) -> dict[str, Any]:
    """Seconds and MiB of each run; raises SystemExit where the two ways differ."""
    import psycopg2

    from dealership.kernel.actors import machine
    from reception.models import Customer, Duplicate, Vehicle
    from reception.services import customers, merging

    result: dict[str, Any] = {"customers": Customer.objects.count(), "vehicles": Vehicle.objects.count(), "runs": {}}

    def run(name: str) -> None:
        before, start = _memory(begin=True), time.perf_counter()
        open_pairs = merging.find_duplicates()
        result["runs"][name] = {
            "seconds": round(time.perf_counter() - start, 2),
            "mib": round(_memory() - before, 1),
            "pairs": open_pairs,
        }
        say(f"  {name}: {result['runs'][name]}")

    run("everybody, nothing known")
    run("nothing changed")
    for row in Customer.objects.order_by("-id")[:NEWS]:
        customers.correct_customer(uid=row.uid, note=f"{time.time_ns()}", by=machine("bench"))
    run(f"{NEWS} cards corrected")
    connection = psycopg2.connect(said["database_url"])
    with connection, connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(_ALL_WITH_ALL)
        by_hand = cursor.fetchall()
        result["all_with_all_seconds"] = round(time.perf_counter() - start, 2)
    connection.close()
    if by_hand != sorted(Duplicate.objects.values_list("first_id", "second_id")):
        raise SystemExit(f"The statement finds {len(by_hand):,} pairs, the runs {Duplicate.objects.count():,}.")
    return result


def table(result: dict[str, Any]) -> str:
    lines = ["| run | seconds | of one statement for all | MiB more | open pairs |", "|---|--:|--:|--:|--:|"]
    whole = max(result["all_with_all_seconds"], 0.01)
    for name, said in result["runs"].items():
        lines.append(
            f"| {name} | {said['seconds']:.2f} | {said['seconds'] / whole:.2f} | {said['mib']:.0f} | {said['pairs']:,} |"
        )
    lines.append(f"| one statement that joins all with all | {whole:.2f} | 1 | | |")
    return "\n".join(lines)


def main(*, scale: float, write_docs: bool) -> int:
    """Prints the table; 1 where the first run needs more than ``LIMIT_S`` or any more than ``LIMIT_MIB`` on the full volume."""
    try:
        result = measure(set_up(scale))
    finally:
        if (VAR / "servers.json").exists():
            os.environ["VAR_DIR"] = str(VAR)
            servers.stop(VAR)
    kept = OUTER / "bench.json"
    said = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps(said | {"duplicates": result | {"scale": scale}}, indent=2) + "\n")
    text = table(result)
    say(f"\n{result['customers']:,} customers, {result['vehicles']:,} vehicles\n\n{text}\n")
    if write_docs:
        page = DOCS.read_text(encoding="utf-8")
        head, _mark, rest = page.partition(BEGIN)
        volume = f"{result['customers']:,} customers, {result['vehicles']:,} vehicles"
        where = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {volume}"
        DOCS.write_text(f"{head}{BEGIN}\n{where}:\n\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    over = [name for name, run in result["runs"].items() if run["seconds"] > LIMIT_S or run["mib"] > LIMIT_MIB]
    if over:
        say(f"Over {LIMIT_S} s or {LIMIT_MIB} MiB: {', '.join(over)}")
    return 1 if over and scale >= 1 else 0
