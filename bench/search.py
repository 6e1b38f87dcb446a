"""``make bench ARGS=--search``: the one search box on 1,000,000 vehicles × SCALE, beside raw SQL in the same run (2.3).

A cluster of its own in ``VAR_DIR/bench-search``, loaded once by COPY: vehicles, seven customers for ten of them, owners,
and a visit for every fiftieth. Each key that people type is asked for rows spread over the whole table, one after the
other, in two ways in turn: ``find``, what page and API call, and the statement that a careful person would write by hand
for this one key. Every answer must hold the row that was meant, or as many hits as are shown at most. Writes the figures under
``search`` into ``VAR_DIR/bench.json`` and, with ``--write-docs``, a table into ``docs/performance.md``.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tools import servers

from .__main__ import BASE_DIR, DOCS, OUTER, PYTHON, say

VAR = OUTER / "bench-search"
VEHICLES, LIMIT_MS, ASKED = 1_000_000, 100, 200
BEGIN, END = "<!-- search: begin -->", "<!-- search: end -->"


@dataclass(frozen=True, slots=True)
class Key:
    """One way to type: ``text`` of a row, as the raw statement takes it, and the statement's condition."""

    name: str
    table: str
    text: Callable[[dict[str, Any]], str]
    value: Callable[[dict[str, Any]], str]
    where: str
    unique: bool = True  # the row itself must be among the hits


def _misread(text: str) -> str:
    return text[:2] + text[2:].replace("0", "O").replace("1", "I")


def _full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


CAR, PERSON = "reception_vehicle", "reception_customer"
KEYS = (
    Key("plate", CAR, lambda r: r["plate"], lambda r: r["plate"], "v.plate = %(q)s"),
    Key("plate_no_province", CAR, lambda r: r["plate"][1:], lambda r: f"%{r['plate'][1:]}", "v.plate LIKE %(q)s"),
    Key("plate_o_i_misread", CAR, lambda r: _misread(r["plate"]), lambda r: r["plate"], "v.plate = %(q)s"),
    Key(
        "plate_wide_spaced", CAR, lambda r: _full_width(f"{r['plate'][:2]} {r['plate'][2:].lower()}"),
        lambda r: r["plate"], "v.plate = %(q)s",
    ),
    Key("plate_tail_4", CAR, lambda r: r["plate"][-4:], lambda r: f"%{r['plate'][-4:]}", "v.plate LIKE %(q)s", unique=False),
    Key("vin", CAR, lambda r: r["vin"], lambda r: r["vin"], "v.vin = %(q)s"),
    Key("vin_o_i_misread", CAR, lambda r: _misread(r["vin"]), lambda r: r["vin"], "v.vin = %(q)s"),
    Key("vin_tail_8", CAR, lambda r: r["vin"][-8:], lambda r: f"%{r['vin'][-8:]}", "v.vin LIKE %(q)s"),
    Key("vin_tail_6", CAR, lambda r: r["vin"][-6:], lambda r: f"%{r['vin'][-6:]}", "v.vin LIKE %(q)s"),
    Key("phone", PERSON, lambda r: r["phone"], lambda r: r["phone"], "c.phone = %(q)s"),
    Key("phone_plus_86", PERSON, lambda r: f"+86 {r['phone'][:3]} {r['phone'][3:]}", lambda r: r["phone"], "c.phone = %(q)s"),
    Key("phone_tail_6", PERSON, lambda r: r["phone"][-6:], lambda r: f"%{r['phone'][-6:]}", "c.phone LIKE %(q)s", unique=False),
    Key("phone_tail_4", PERSON, lambda r: r["phone"][-4:], lambda r: f"%{r['phone'][-4:]}", "c.phone LIKE %(q)s", unique=False),
    Key("name", PERSON, lambda r: r["name"], lambda r: r["name"], "c.name = %(q)s", unique=False),
    Key("pinyin", PERSON, lambda r: r["pinyin"], lambda r: r["pinyin"], "c.pinyin = %(q)s", unique=False),
    Key(
        "initials", PERSON, lambda r: r["pinyin_initials"], lambda r: f"{r['pinyin_initials']}%",
        "c.pinyin_initials LIKE %(q)s", unique=False,
    ),
    Key(
        "initials_2", PERSON, lambda r: r["pinyin_initials"][:2], lambda r: f"{r['pinyin_initials'][:2]}%",
        "c.pinyin_initials LIKE %(q)s", unique=False,
    ),
    Key("surname", PERSON, lambda r: r["name"][0], lambda r: f"{r['name'][0]}%", "c.name LIKE %(q)s", unique=False),
    Key("nothing", CAR, lambda r: f"W{r['vin'][1:8]}", lambda r: f"W{r['vin'][1:8]}%", "v.vin LIKE %(q)s", unique=False),
)  # fmt: skip


def set_up(scale: float) -> dict[str, Any]:
    """Servers, migrations, one store and the volume; what an earlier run of this scale loaded is used again."""
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

    if not loaded:
        make_demo_stores(count=1)
        connections.close_all()
        vehicles = max(1000, int(VEHICLES * scale))
        start = time.monotonic()
        owner = psycopg2.connect(said["database_owner_url"])
        with owner:
            size = (vehicles * 7 // 10, vehicles, vehicles // 50)
            volume.load(owner, scale=scale, today=clock.today(), say=say, search=size)
        owner.autocommit = True
        owner.cursor().execute("VACUUM ANALYZE")
        owner.close()
        mark.write_text(json.dumps({"scale": scale, "seconds": round(time.monotonic() - start)}))
    return said


def sample(cursor: Any, table: str) -> list[dict[str, Any]]:
    """Rows spread over the whole table."""
    columns = "plate, vin" if table == CAR else "phone, name, pinyin, pinyin_initials"
    cursor.execute(
        f"SELECT min(id) AS low, max(id) AS high FROM {table} WHERE created_at = (SELECT min(created_at) FROM {table})"
    )
    low, high = cursor.fetchone().values()
    wanted = [low + (high - low) * n // ASKED for n in range(ASKED)]
    cursor.execute(f"SELECT uid, {columns} FROM {table} WHERE id = ANY(%s) ORDER BY id", [wanted])
    return [dict(row) for row in cursor.fetchall()]


def measure(said: dict[str, Any]) -> dict[str, Any]:
    """ms of each way, per key; raises SystemExit where an answer lacks the row that was meant."""
    import psycopg2
    from psycopg2.extras import RealDictCursor, register_uuid

    from dealership.kernel.actors import machine
    from dealership.kernel.models import Store
    from reception.selectors import search

    from . import raw_sql

    register_uuid()
    connection = psycopg2.connect(said["database_url"], cursor_factory=RealDictCursor)
    connection.autocommit = True
    cursor = connection.cursor()
    store = Store.objects.order_by("pk")[0].pk
    actor = machine("bench", store_id=store)
    rows = {table: sample(cursor, table) for table in (CAR, PERSON)}
    cursor.execute("SELECT count(*) AS n FROM reception_vehicle")
    result: dict[str, Any] = {"vehicles": cursor.fetchone()["n"], "operations": {}}
    for key in KEYS:
        ours, raw, hits = [], [], []
        statement = (raw_sql.VEHICLES if key.table == CAR else raw_sql.CUSTOMERS).format(where=key.where)
        for number, row in enumerate(rows[key.table]):
            text, values = key.text(row), {"store": store, "q": key.value(row)}

            def asked(text: str = text) -> Any:
                return search.find(text=text, by=actor)

            def by_hand(statement: str = statement, values: dict[str, Any] = values) -> Any:
                cursor.execute(statement, values)
                return cursor.fetchall()

            for way, taken in _in_turn(number, (asked, ours), (by_hand, raw)):
                start = time.perf_counter()
                answer = way()
                taken.append((time.perf_counter() - start) * 1000)
                if way is asked:
                    hits.append(len(answer))
                    if key.unique and row["uid"] not in {hit.uid for hit in answer}:
                        raise SystemExit(f"{key.name}: “{text}” doesn't find {row}")
        result["operations"][key.name] = {
            "p50_ms": round(statistics.median(ours), 2),
            "p95_ms": round(_percentile(ours, 95), 2),
            "max_ms": round(max(ours), 2),
            "raw_sql_p50_ms": round(statistics.median(raw), 2),
            "raw_sql_p95_ms": round(_percentile(raw, 95), 2),
            "hits": round(statistics.mean(hits), 1),
        }
    connection.close()
    return result


def _in_turn(number: int, *ways: Any) -> Iterator[Any]:
    """Each way first in half of the rounds, so that neither always finds the pages warm."""
    yield from ways if number % 2 else reversed(ways)


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def table(result: dict[str, Any]) -> str:
    lines = [
        "| key | p50 ms | p95 ms | max ms | raw SQL p50 ms | raw SQL p95 ms | p50 to raw | hits |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, line in result["operations"].items():
        ratio = line["p50_ms"] / max(line["raw_sql_p50_ms"], 0.01)
        figures = [line[k] for k in ("p50_ms", "p95_ms", "max_ms", "raw_sql_p50_ms", "raw_sql_p95_ms")]
        lines.append(f"| {name} | {' | '.join(f'{n:.1f}' for n in figures)} | {ratio:.1f} | {line['hits']:g} |")
    return "\n".join(lines)


def main(*, scale: float, write_docs: bool) -> int:
    """Prints the table; 1 where a key needs more than the limit at p95 on the full volume."""
    try:
        result = measure(set_up(scale))
    finally:
        if (VAR / "servers.json").exists():
            os.environ["VAR_DIR"] = str(VAR)
            servers.stop(VAR)
    kept = OUTER / "bench.json"
    said = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps(said | {"search": result | {"scale": scale}}, indent=2) + "\n")
    text = table(result)
    slow = [name for name, line in result["operations"].items() if line["p95_ms"] > LIMIT_MS]
    say(f"\n{result['vehicles']:,} vehicles\n\n{text}\n")
    say(f"Over {LIMIT_MS} ms at p95: {', '.join(slow)}" if slow else f"Every key stays within {LIMIT_MS} ms at p95.")
    if write_docs:
        page = DOCS.read_text(encoding="utf-8")
        head, _mark, rest = page.partition(BEGIN)
        where = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {result['vehicles']:,} vehicles"
        tail = rest.partition(END)[2]
        DOCS.write_text(f"{head}{BEGIN}\n{where}:\n\n{text}\n{END}{tail}", encoding="utf-8")
    return 1 if slow and scale >= 1 else 0
