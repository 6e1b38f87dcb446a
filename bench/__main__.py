"""``make bench``: sets up, loads, measures, compares, writes ``VAR_DIR/bench.json`` and prints the tables.

make bench                          full volume (kept in VAR_DIR/bench between runs)
SCALE=0.01 make bench               a small trial
make bench ARGS="--write-docs"      also puts the tables into docs/performance.md
make bench ARGS=--search            the search box on 1,000,000 vehicles (kept in VAR_DIR/bench-search), beside raw SQL
make bench ARGS=--floor             board, order page, clocking on and off, issuing a part, beside raw SQL
make bench ARGS=--duplicates        customers who may be one among 200,000 (kept in VAR_DIR/bench-duplicates)
make bench ARGS="--only list_repair_orders,book_slot --seconds 8"
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from tools import run as system
from tools import servers

BASE_DIR = Path(__file__).resolve().parent.parent
PYTHON = str(BASE_DIR / ".venv" / "bin" / "python")
OUTER = servers.var_dir()
VAR = OUTER / "bench"
CONNECTIONS, WORKERS = 8, 2
DOCS = BASE_DIR / "docs" / "performance.md"
OPERATIONS = (
    "list_repair_orders", "read_repair_order", "create_repair_order", "book_slot", "search_plate", "search_phone",
    "search_vin", "search_pinyin", "kpi_month",
)  # fmt: skip
SCOPES = ("reception:write", "workshop:write", "quality:read")
COMPLAINT = "刹车异响"


def say(text: str = "") -> None:
    print(text, flush=True)


# set-up


def set_up(scale: float) -> dict[str, Any]:
    """Servers, migrations, stores, volume data and one API client for each connection."""
    VAR.mkdir(parents=True, exist_ok=True)
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    os.environ |= {"VAR_DIR": str(VAR), "DJANGO_SETTINGS_MODULE": "bench.settings", "DEMO": "false", "DEBUG": "false"}
    mark = VAR / "loaded.json"
    loaded = mark.exists() and json.loads(mark.read_text()).get("scale") == scale
    data = servers.Postgres(VAR).data
    if data.exists() and not loaded:
        say("Another volume than last time, or a load that was interrupted: beginning anew.")
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
    from dealership.kernel.models import Store

    from . import volume

    wanted = volume.STORES if scale >= 0.01 else 1
    if not loaded and Store.objects.count() < wanted:
        say(f"Making {wanted} stores …")
    make_demo_stores(count=wanted)
    connections.close_all()
    if not loaded:
        say(f"Loading volume data (scale {scale:g}) …")
        start = time.monotonic()
        owner = psycopg2.connect(said["database_owner_url"])
        with owner:
            volume.load(owner, scale=scale, today=clock.today(), say=say)
        owner.autocommit = True
        owner.cursor().execute("VACUUM ANALYZE")
        owner.close()
        mark.write_text(json.dumps({"scale": scale, "seconds": round(time.monotonic() - start)}))
        say(f"Loaded in {time.monotonic() - start:.0f} s.")
    else:
        say(f"Volume data of scale {scale:g} are there.")
        owner = psycopg2.connect(said["database_owner_url"])
        owner.autocommit = True
        owner.cursor().execute("VACUUM ANALYZE")
        owner.close()
    return said | {"clients": clients()}


def clients() -> list[dict[str, Any]]:
    """One client and token for each store; the limit of requests is raised far beyond what is measured."""
    import uuid

    from django.test import Client

    from dealership.exchange import api
    from dealership.exchange.services.clients import create_api_client
    from dealership.kernel import clock, limits
    from dealership.kernel.actors import machine
    from dealership.kernel.models import Setting, Store

    api.load()
    key = "exchange.api_requests_per_minute"
    limits.forget()
    if limits.value(key) < 1_000_000:
        Setting.objects.create(key=key, value=10_000_000, starts_on=clock.today(), reason="bench")
    made = []
    for store in Store.objects.order_by("code"):
        credentials = create_api_client(
            name=f"bench {store.code} {uuid.uuid4().hex[:8]}", stores=[store], scope=SCOPES, by=machine("bench")
        )
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
        token = Client().post("/api/v1/oauth/token", form).json()["access_token"]
        made.append({"store": store.pk, "code": store.code, "client": str(credentials.client.uid), "token": token})
    return made


# the server


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def web(application: str) -> Iterator[tuple[int, subprocess.Popen[bytes], float]]:
    """The production server as ``make run`` starts it; gives port, process and seconds until it served a page."""
    port = free_port()
    command = system.parts(port, VAR)["web"]
    command[-1] = application
    log = (VAR / "log").resolve()
    log.mkdir(exist_ok=True)
    with (log / "web.log").open("w") as out:
        start = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not system.healthy(port):
                if process.poll() is not None or time.monotonic() - start > 120:
                    raise SystemExit(f"The server doesn't start; see {log / 'web.log'}")
                time.sleep(0.02)
            yield port, process, time.monotonic() - start
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            if process.poll() is None:
                process.kill()


def worker_memory(process: subprocess.Popen[bytes]) -> list[float]:
    """Resident MiB of each web worker."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            text = entry.read_text()
            if f"\nPPid:\t{process.pid}\n" in text and (rss := re.search(r"VmRSS:\s+(\d+)", text)):
                command = (entry.parent / "cmdline").read_bytes()
                if b"resource_tracker" not in command:
                    found.append(int(rss[1]) / 1024)
    return sorted(found)


class Helper:
    """A process that reads one job a line and answers one line."""

    def __init__(self, module: str, *args: str) -> None:
        self.process = subprocess.Popen(
            [PYTHON, "-m", module, *args], cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"{module} doesn't start.")

    def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(job, default=str) + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            raise SystemExit("A helper of the bench ended; see above.")
        return dict(json.loads(said))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


# what is asked


class Plan:
    """For each operation the API's requests and the values of the raw statements, one lane for each connection."""

    def __init__(self, said: dict[str, Any], url: str) -> None:
        import psycopg2
        from psycopg2.extras import RealDictCursor

        self.clients = [said["clients"][n % len(said["clients"])] for n in range(CONNECTIONS)]
        self.connection = psycopg2.connect(url, cursor_factory=RealDictCursor)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute("SET TIME ZONE 'UTC'")
        self.today = date.today()
        self.times: dict[int, list[datetime]] = {}
        self.diagnosis = self._diagnosis()

    def rows(self, sql: str, values: Any = None) -> list[dict[str, Any]]:
        self.cursor.execute(sql, values)
        return [dict(row) for row in self.cursor.fetchall()]

    def _diagnosis(self) -> dict[str, Any]:
        from dealership.catalogue.models import PayType
        from dealership.catalogue.selectors.items import default_diagnosis
        from dealership.catalogue.services.prices import labor_rate
        from dealership.kernel.money import line_amount

        found = default_diagnosis("ICE")
        assert found is not None
        assert not found.parts.exists(), "raw_sql writes a diagnosis without parts"
        rate = labor_rate(self.clients[0]["store"], PayType.CUSTOMER_PAY)
        return {
            "id": found.pk, "code": found.code, "name": found.name, "category": found.category,
            "is_safety": found.is_safety, "hours": str(found.hours), "rate": str(rate),
            "amount": str(line_amount(found.hours, rate)),
        }  # fmt: skip

    def lanes(self, name: str) -> tuple[list[list[Any]], list[list[Any]]]:
        api, raw = [], []
        for number, client in enumerate(self.clients):
            mine = getattr(self, f"_{name.partition('_')[0]}")(name, number, client)
            api.append([[method, path, client["token"], body] for method, path, body, _values in mine])
            raw.append([values for *_request, values in mine])
        return api, raw

    def _list(self, name: str, number: int, client: dict[str, Any]) -> list[Any]:
        return [("GET", "/api/v1/repair-orders?limit=50", None, {"store": client["store"]})]

    def _read(self, name: str, number: int, client: dict[str, Any]) -> list[Any]:
        found = self.rows(
            "SELECT uid::text FROM workshop_repairorder WHERE store_id = %s AND id %% 17 = %s ORDER BY id DESC LIMIT 400",
            [client["store"], number],
        )
        return [
            ("GET", f"/api/v1/repair-orders/{row['uid']}", None, {"store": client["store"], "uid": row["uid"]})
            for row in found
        ]

    def _search(self, name: str, number: int, client: dict[str, Any]) -> list[Any]:
        column, length, table = {
            "search_plate": ("plate", 6, "reception_vehicle"),
            "search_phone": ("phone", 6, "reception_customer"),
            "search_vin": ("vin", 8, "reception_vehicle"),
            "search_pinyin": ("pinyin_initials", 3, "reception_customer"),
        }[name]
        column = "pinyin" if name == "search_pinyin" else column
        (count,) = self.rows(f"SELECT count(*) AS n FROM {table}")
        step = max(CONNECTIONS, count["n"] // 1600)
        found = self.rows(
            f"SELECT {column} AS text FROM {table} WHERE id %% %s = %s ORDER BY id LIMIT 200", [step, number]
        )
        texts = [row["text"] if name == "search_pinyin" else row["text"][-length:] for row in found]
        return [("GET", f"/api/v1/search?q={text}", None, {"store": client["store"], "text": text}) for text in texts]

    def _kpi(self, name: str, number: int, client: dict[str, Any]) -> list[Any]:
        made = []
        for back in range(1, 12):
            last = self.today - timedelta(days=30 * back)
            first = last - timedelta(days=30)
            for code in ("delivery.revenue", "reception.cars_in", "workshop.efficiency"):
                path = f"/api/v1/kpis?code={code}&day_gte={first}&day_lte={last}&limit=100"
                made.append(("GET", path, None, {"store": client["store"], "code": code, "first": first, "last": last}))
        return made

    def _common(self, client: dict[str, Any]) -> dict[str, Any]:
        from dealership.kernel import clock
        from dealership.kernel.registry import SUBSCRIPTIONS

        codes = (
            "workshop.repair_order.opened", "workshop.line.added", "reception.appointment.booked",
            "catalogue.reservation.made",
        )  # fmt: skip
        return {
            "store": client["store"], "store_code": client["code"], "client": client["client"],
            "period": clock.today().strftime("%y%m%d"), "diagnosis": self.diagnosis,
            "handlers": {code: SUBSCRIPTIONS.get(code, []) for code in codes},
        }  # fmt: skip

    def _create(self, name: str, number: int, client: dict[str, Any]) -> list[Any]:
        found = self.rows(
            "SELECT uid::text FROM reception_visit WHERE store_id = %s AND state = 'IN_SHOP' ORDER BY id LIMIT 400",
            [client["store"]],
        )
        share = [n for n, c in enumerate(self.clients) if c["store"] == client["store"]]
        found = found[share.index(number) :: len(share)] or found
        common = self._common(client)
        return [
            (
                "POST", "/api/v1/repair-orders", {"visit_uid": row["uid"], "complaint": COMPLAINT},
                common | {"visit": row["uid"], "complaint": COMPLAINT},
            )
            for row in found
        ]  # fmt: skip

    def _book(self, name: str, number: int, client: dict[str, Any]) -> list[Any]:
        """Free times of the coming weeks, each asked for once; the raw statements take the same times far ahead."""
        from dealership.catalogue.models import Resource, ResourceKind
        from dealership.kernel import clock
        from dealership.kernel.models import Store
        from reception.selectors import capacity

        share = [n for n, c in enumerate(self.clients) if c["store"] == client["store"]]
        store = Store.objects.get(pk=client["store"])
        if store.pk not in self.times:
            days = capacity.free_days(store, [], days=14) + capacity.free_days(
                store, [], first=clock.today() + timedelta(days=14), days=12
            )
            self.times[store.pk] = [
                option.at for day in days[1:] for option in day.free for _car in range(option.count)
            ]
        times = self.times[store.pk]
        cars = self.rows(
            "SELECT uid::text, c.name, c.phone FROM (SELECT v.id, v.uid FROM reception_vehicle v WHERE v.id %% 16 = %s"
            " ORDER BY v.id LIMIT %s) v JOIN reception_ownership w ON w.vehicle_id = v.id AND w.ends_on IS NULL"
            " JOIN reception_customer c ON c.id = w.customer_id".replace(
                "SELECT uid::text, c", "SELECT v.uid::text, c"
            ),
            [number, len(times)],
        )
        bays = list(Resource.objects.filter(store=store, kind=ResourceKind.BAY).values_list("pk", flat=True))
        people = list(Resource.objects.filter(store=store, kind=ResourceKind.PERSON).values_list("pk", flat=True))
        common = self._common(client)
        made: list[Any] = []
        mine = times[share.index(number) :: len(share)]
        # One after another over the days, so that neighbours don't race for one hour.
        mine = [at for start in range(7) for at in mine[start::7]]
        for n, (at, car) in enumerate(zip(mine, cars, strict=False)):
            body = {
                "contact_name": car["name"], "contact_phone": car["phone"], "vehicle_uid": car["uid"],
                "starts_at": at.isoformat(), "concern": COMPLAINT,
            }  # fmt: skip
            far = at + timedelta(days=400 + 30 * (n % 12))
            values = common | {
                "vehicle": car["uid"], "name": car["name"], "phone": car["phone"], "concern": COMPLAINT,
                "starts_at": far.isoformat(),
                "resources": [bays[(n // 12) % len(bays)], people[(n // 12) % len(people)]],
            }  # fmt: skip
            made.append(("POST", "/api/v1/appointments", body, values))
        return made

    def forget_bookings(self) -> None:
        """What earlier runs booked is taken back, as the owner, so that the times are free again."""
        self.cursor.execute("DELETE FROM reception_appointmentitem")
        self.cursor.execute("DELETE FROM catalogue_reservation WHERE purpose = 'APPOINTMENT'")
        self.cursor.execute("DELETE FROM reception_appointment")
        self.cursor.execute("DELETE FROM kernel_idempotencyrecord")

    # the same rows

    def same(self, name: str, api: list[Any], raw: list[Any], ask: Any, do: Any) -> str:
        """The hash of the rows, the same on both roads; ends the run where they differ."""
        one, other = getattr(self, f"_same_{name.partition('_')[0]}")(name, api, raw, ask, do)
        first, second = digest(one), digest(other)
        if first != second:
            say(f"API: {json.dumps(one, default=str, ensure_ascii=False)[:3000]}")
            say(f"SQL: {json.dumps(other, default=str, ensure_ascii=False)[:3000]}")
            raise SystemExit(f"{name}: the API and the raw SQL don't give the same rows.")
        return first

    def _same_read(self, name: str, api: list[Any], raw: list[Any], ask: Any, do: Any) -> Any:
        from . import raw_sql

        said = ask(api[0])
        items = said.get("data", [said])
        rows = self.rows(raw_sql.READS[name], raw[0])[: len(items)]
        left_out = {"transitions", "external_refs", "label", "clause", "formula", "unit", "target", "is_sum"}
        return [{k: v for k, v in item.items() if k not in left_out} for item in items], [shown(row) for row in rows]

    _same_list = _same_kpi = _same_read

    def _same_search(self, name: str, api: list[Any], raw: list[Any], ask: Any, do: Any) -> Any:
        from . import raw_sql

        items = ask(api[0])["data"]
        rows = self.rows(raw_sql.READS[name], raw[0])
        return sorted([i["kind"], i["uid"]] for i in items), sorted([r["kind"], str(r["uid"])] for r in rows)

    def _same_create(self, name: str, api: list[Any], raw: list[Any], ask: Any, do: Any) -> Any:
        return self._written("workshop_repairorder", ask(api[0])["uid"]), self._written(
            "workshop_repairorder", do(name, raw[0])
        )

    def _same_book(self, name: str, api: list[Any], raw: list[Any], ask: Any, do: Any) -> Any:
        one = self._written("reception_appointment", ask(api[0])["uid"])
        self.cursor.execute("UPDATE reception_appointment SET state = 'CANCELLED', ended_reason = 'bench'")
        other = self._written("reception_appointment", do(name, raw[0]))
        return one, other

    def _written(self, table: str, uid: str) -> dict[str, Any]:
        """All rows that hang on what was written, without keys, moments and numbers."""
        (root,) = self.rows(f"SELECT * FROM {table} WHERE uid = %s", [uid])
        found = {table: [root]}
        if table == "workshop_repairorder":
            found["line"] = self.rows("SELECT * FROM workshop_orderline WHERE order_id = %s", [root["id"]])
            found["part"] = self.rows(
                "SELECT p.* FROM workshop_partline p JOIN workshop_orderline l ON l.id = p.line_id WHERE order_id = %s",
                [root["id"]],
            )
            roots = [uid, *(str(row["uid"]) for row in found["line"])]
        else:
            found["item"] = self.rows("SELECT * FROM reception_appointmentitem WHERE appointment_id = %s", [root["id"]])
            found["reservation"] = self.rows(
                "SELECT uid, purpose, live, store_id FROM catalogue_reservation WHERE subject_uid = %s", [uid]
            )
            roots = [uid, *(str(row["uid"]) for row in found["reservation"])]
        found["history"] = self.rows(
            "SELECT code, root_type, store_id, actor_kind, actor_id, visit_uid, vehicle_uid, customer_uid,"
            " order_uid IS NOT NULL AS on_order, changed, facts FROM kernel_history"
            " WHERE root_uid = ANY(%s::uuid[]) ORDER BY id",
            [roots],
        )
        found["outbox"] = self.rows(
            "SELECT code, handler, state FROM kernel_outbox WHERE root_uid = ANY(%s::uuid[]) ORDER BY id", [roots]
        )
        own = ("id", "uid", "number", "order_id", "appointment_id")

        def tidy(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: tidy(v) for k, v in sorted(value.items()) if k not in own}
            if isinstance(value, list):
                return [tidy(v) for v in value]
            if isinstance(value, datetime):
                return "moment"
            if isinstance(value, str) and re.match(r"^(\d{4}-\d\d-\d\dT|[0-9a-f]{8}-[0-9a-f]{4}-)", value):
                return "moment or uid"
            return str(value)

        return {name: [tidy(row) for row in rows] for name, rows in found.items()}


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of raw SQL as JSON says it, by rules of its own."""
    from decimal import Decimal
    from uuid import UUID
    from zoneinfo import ZoneInfo

    def value(name: str, given: Any) -> Any:
        if isinstance(given, UUID):
            return str(given)
        if isinstance(given, datetime):
            return given.astimezone(ZoneInfo("Asia/Shanghai")).isoformat()
        if isinstance(given, date):
            return given.isoformat()
        if isinstance(given, Decimal):
            return f"{given:.4f}"
        return given

    return {name: value(name, given) for name, given in row.items()}


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:12]


# the run


def measure(scale: float, seconds: float, wanted: tuple[str, ...], *, starts: int = 3) -> dict[str, Any]:
    said = set_up(scale)
    plan = Plan(said, said["database_owner_url"])
    plan.forget_bookings()
    token = plan.clients[0]["token"]
    say("Cold start …")
    cold = []
    for _time in range(starts):
        with web("dealership.wsgi:application") as (_port, _process, took):
            cold.append(took)
    say("What each middleware costs …")
    costs = json.loads(
        subprocess.check_output([PYTHON, "-m", "bench.middleware_cost", token], cwd=BASE_DIR, text=True).splitlines()[
            -1
        ]
    )
    result: dict[str, Any] = {"operations": {}}
    with web("bench.wsgi:application") as (port, process, _took):
        generator = Helper("bench.load", str(port), str(CONNECTIONS), token, str(WORKERS))
        database = Helper("bench.raw_sql", said["database_url"], str(CONNECTIONS))

        def ask(request: list[Any]) -> Any:
            answer = generator.ask({"seconds": 0, "once": True, "lanes": [[request]] + [[]] * (CONNECTIONS - 1)})
            if not answer["last"]:
                raise SystemExit(f"{request[:2]} was refused: {answer['refused']}")
            return json.loads(answer["last"])

        def do(name: str, values: dict[str, Any]) -> str:
            from . import raw_sql

            with plan.connection.cursor(cursor_factory=_plain_cursor()) as cursor:
                return str(raw_sql.OPERATIONS[name](cursor, json.loads(json.dumps(values, default=str))))

        empty = {"lanes": [[["GET", "/api/v1/bench-empty", c["token"], None]] for c in plan.clients]}
        generator.ask(empty | {"seconds": min(1.0, seconds)})
        for name in wanted:
            api, raw = plan.lanes(name)
            if not all(api):
                raise SystemExit(f"{name}: this scale has too few rows for {CONNECTIONS} connections.")
            same = plan.same(name, api[0], raw[0], ask, do)
            writes = name in ("create_repair_order", "book_slot")
            once = name == "book_slot"
            if once:
                plan.forget_bookings()
            # What must be warm is warmed; a booking's times are used up by it.
            warm = [lane[-3:] for lane in api] if once else api
            generator.ask({"seconds": min(0.7, seconds), "lanes": warm, "once": once})
            before = generator.ask(empty | {"seconds": seconds / 3})
            found = generator.ask(
                {"seconds": seconds, "lanes": [lane[:-3] if once else lane for lane in api], "once": once}
            )
            after = generator.ask(empty | {"seconds": seconds / 3})
            if not writes:
                database.ask({"operation": name, "seconds": min(0.5, seconds), "lanes": raw})
            plain = database.ask({"operation": name, "seconds": seconds * 0.7, "lanes": raw, "once": once})
            if plain["failures"]:
                raise SystemExit(f"{name} as raw SQL failed: {plain['failures'][0]}")
            refused = {s: n for s, n in found["statuses"].items() if int(s) >= 300}
            if refused and (not once or sum(refused.values()) * 5 > sum(found["statuses"].values())):
                raise SystemExit(f"{name}: refused {refused}: {found['refused']}")
            line = {
                "rps": found["rps"],
                "p50_ms": found["p50_ms"],
                "p95_ms": found["p95_ms"],
                "raw_sql_rps": plain["rps"],
                "empty_view_rps": round((before["rps"] + after["rps"]) / 2, 1),
            }
            result["operations"][name] = line
            lost = f", {sum(refused.values())} lost the race" if refused else ""
            say(
                f"  {name:<20} {line['rps']:>8} rps  p50 {line['p50_ms']:>7} ms  p95 {line['p95_ms']:>7} ms"
                f"  raw {plain['rps']:>8}  empty {line['empty_view_rps']:>8}  rows {same}{lost}"
            )
        memory = worker_memory(process)
        generator.close()
        database.close()
    plan.forget_bookings()
    result["cold_start_s"] = round(sorted(cold)[len(cold) // 2], 2)
    result["memory_per_worker_mib"] = round(max(memory), 1)
    result["middleware_us"] = costs
    result["scale"] = scale
    return result


def _plain_cursor() -> Any:
    from psycopg2.extensions import cursor

    return cursor


REACH = {
    name: ("raw_sql_rps", 1 / 3) if name == "list_repair_orders" else ("empty_view_rps", 1 / 2) for name in OPERATIONS
}


def tables(result: dict[str, Any]) -> str:
    lines = [
        "| operation | requests/s | p50 ms | p95 ms | raw SQL /s | empty view /s | of raw SQL | of empty view | reach |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for name, line in result["operations"].items():
        against, share = REACH[name]
        got = line["rps"] / line[against]
        word = "⅓ of raw SQL" if against == "raw_sql_rps" else "½ of empty view"
        lines.append(
            f"| {name} | {line['rps']:,.0f} | {line['p50_ms']} | {line['p95_ms']} | {line['raw_sql_rps']:,.0f} |"
            f" {line['empty_view_rps']:,.0f} | {line['rps'] / line['raw_sql_rps']:.2f} |"
            f" {line['rps'] / line['empty_view_rps']:.2f} | {word}: {'reached' if got >= share else f'short ({got:.2f})'} |"
        )
    client, people = result["middleware_us"]["client"], result["middleware_us"]["people"]
    lines += [
        "",
        "| start and memory | measured | reach |",
        "|---|--:|---|",
        f"| cold start (median of 3) | {result['cold_start_s']} s | ≤ 3 s |",
        f"| memory of the larger web worker after the run | {result['memory_per_worker_mib']} MiB | ≤ 130 MiB |",
        "",
        "| one request of the empty view (in one process) | µs of CPU |",
        "|---|--:|",
        *(f"| {'+ ' if n else ''}{name} | {cost} |" for n, (name, cost) in enumerate(client.items())),
        f"| all | {sum(client.values()):.0f} |",
        "",
        "| what only people's requests pass through | µs of CPU |",
        "|---|--:|",
        *(f"| + {name} | {cost} |" for name, cost in people.items()),
        f"| all | {sum(people.values()):.0f} |",
    ]
    return "\n".join(lines)


def write_docs(text: str, scale: float) -> None:
    """Puts the tables between the two marks of docs/performance.md."""
    begin, end = "<!-- bench: begin -->", "<!-- bench: end -->"
    page = DOCS.read_text(encoding="utf-8")
    head, _mark, rest = page.partition(begin)
    _old, _mark, tail = rest.partition(end)
    where = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, scale {scale:g}"
    DOCS.write_text(
        f"{head}{begin}\n{where}, by `make bench ARGS=--write-docs`:\n\n{text}\n{end}{tail}", encoding="utf-8"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=float(os.environ.get("SCALE") or 1))
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement")
    parser.add_argument("--only", default="", help="operations, separated by commas")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument(
        "--profile", action="store_true", help="where the time of each operation goes, and nothing else"
    )
    parser.add_argument(
        "--search", action="store_true", help="the search box on a million vehicles (times SCALE), and nothing else"
    )
    parser.add_argument("--floor", action="store_true", help="board, order page, clocking, issuing, and nothing else")
    parser.add_argument("--duplicates", action="store_true", help="finding duplicates, and nothing else")
    parser.add_argument("--quick", action="store_true", help="one cold start instead of three")
    options = parser.parse_args()
    wanted = tuple(options.only.split(",")) if options.only else OPERATIONS
    if unknown := set(wanted) - set(OPERATIONS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if options.search:
        from . import search

        return search.main(scale=options.scale, write_docs=options.write_docs)
    if options.floor:
        from . import floor

        return floor.main(scale=options.scale, seconds=options.seconds, write_docs=options.write_docs)
    if options.duplicates:
        from . import duplicates

        return duplicates.main(scale=options.scale, write_docs=options.write_docs)
    start = time.monotonic()
    try:
        if options.profile:
            from . import profiles

            said = set_up(options.scale)
            plan = Plan(said, said["database_owner_url"])
            plan.forget_bookings()
            say("\n" + profiles.profile(plan, wanted))
            plan.forget_bookings()
            return 0
        result = measure(options.scale, options.seconds, wanted, starts=1 if options.quick else 3)
    finally:
        if (VAR / "servers.json").exists():
            os.environ["VAR_DIR"] = str(VAR)
            servers.stop(VAR)
    kept = OUTER / "bench.json"
    before = json.loads(kept.read_text()) if kept.exists() else {}
    result |= {name: before[name] for name in ("search", "duplicates", "floor") if name in before}
    kept.write_text(json.dumps(result, indent=2) + "\n")
    text = tables(result)
    say("\n" + text + "\n")
    if options.write_docs:
        write_docs(text, options.scale)
    say(f"{OUTER / 'bench.json'} written; {time.monotonic() - start:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
