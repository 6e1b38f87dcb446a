"""The workshop's busiest steps beside raw SQL: ``make bench ARGS=--floor``.

On the volume data, at 8 connections, one store and one team leader for each: the Today board and the order's page as a
signed-in person opens them, clocking on and off by the buttons of the job page (one after the other), and a part issued
through the API. Beside each the statements that a careful person would write by hand: for a page the rows that stand on
it, for a write every row that the command leaves behind. Before a measurement both roads are compared; after the writes
the rows are counted, so that a refusal never counts as done.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

from tools import servers

from .__main__ import CONNECTIONS, DOCS, OUTER, VAR, WORKERS, Helper, say, set_up, web

BEGIN, END = "<!-- bench floor: begin -->", "<!-- bench floor: end -->"
NAMES = ("today_board", "order_page", "clock_on_off", "issue_part")
PIECES = Decimal(90_000)
NEW = "gen_random_uuid(), 1, clock_timestamp(), clock_timestamp()"

# what is written and asked for


def lanes(clients: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each connection: a store with its client, a team leader signed in, an agreed line with a part on the shelf."""
    from dealership.catalogue.models import Operation, Part
    from dealership.kernel.actors import machine
    from reception.models import Visit, VisitLink
    from workshop.models import Clocking, PartLine
    from workshop.services import authorizations, orders, stock

    part = Part.objects.get(number="FLT-OIL-01")
    work = Operation.objects.get(code="MT-10")
    made: list[dict[str, Any]] = []
    for client in clients:
        by = machine("bench", store_id=client["store"])
        here = list(Visit.objects.filter(store_id=client["store"], state="IN_SHOP").order_by("-pk")[:CONNECTIONS])
        visit = here[len(made) % len(here)]
        VisitLink.objects.get_or_create(visit=visit, defaults={"expires_at": _now() + timedelta(days=30)})
        order = orders.open_repair_order(visit_uid=visit.uid, complaint="刹车异响", by=by)
        line = orders.add_line(order_uid=order.uid, operation_uid=work.uid, parts=[(part.uid, PIECES)], by=by)
        orders.send_estimate(order_uid=order.uid, by=by)
        authorizations.decide_lines(
            order_uid=order.uid,
            decisions=dict.fromkeys(order.lines.filter(state="PENDING").values_list("uid", flat=True), (True, "")),
            method="VERBAL_PHONE",
            authorized_by=visit.contact_name,
            note="bench",
            by=by,
        )
        stock.receive_stock(part_uid=part.uid, quantity=PIECES * 2, unit_cost=Decimal(1), by=by)
        leader = somebody(client["store"], {lane["employee"] for lane in made})
        able(leader, work, by)
        Clocking.objects.filter(employee=leader, ended_at__isnull=True).update(ended_at=_now(), pause_cause="BREAK")
        part_line = PartLine.objects.select_related("line").get(line=line)
        made.append(
            {
                "store": client["store"], "token": client["token"], "client": client["client"], "person": signed_in(leader),
                "user": str(leader.user.uid), "employee": leader.pk, "employee_uid": str(leader.uid),
                "order": order.pk, "order_uid": str(order.uid), "visit_uid": str(visit.uid),
                "vehicle_uid": str(visit.vehicle.uid), "customer_uid": str(visit.customer.uid),
                "line": line.pk, "line_uid": str(line.uid), "part": part.pk, "part_uid": str(part.uid),
                "part_line": part_line.pk, "part_line_uid": str(part_line.uid), "handlers": handlers(),
            }
        )  # fmt: skip
    return made


def somebody(store_id: int, taken: set[int]) -> Any:
    """A team leader of the store; where several connections share one, somebody else who is made one."""
    from dealership.kernel.models import Store
    from dealership.kernel.services import grant_role
    from staff.models import Employee
    from staff.selectors.employees import employees_with_role

    leaders = employees_with_role(store_id, "leader")
    for rows in (leaders, Employee.objects.filter(store_id=store_id)):
        person = rows.exclude(pk__in=taken).exclude(user=None).select_related("user").order_by("number").first()
        if person is None:
            continue
        if not leaders.filter(pk=person.pk).exists():
            store = Store.objects.get(pk=store_id)
            grant_role(user=person.user, role="leader", store=store, starts_on=_now().date())
        return person
    raise SystemExit(f"Store {store_id} has too few people for {CONNECTIONS} connections.")


def able(person: Any, work: Any, by: Any) -> None:
    """The clock takes only who has the work's skill today: whoever hasn't is graded, with a certificate in date."""
    from staff.services.employees import grade_skill
    from workshop.selectors.fitness import skilled

    if work.skill is None or skilled(person, work.skill, work.skill_level, _now().date() + timedelta(days=1)):
        return
    grade_skill(
        employee_uid=person.uid,
        skill_code=work.skill.code,
        level=max(work.skill_level, 3),
        certificate_number=f"BENCH-{person.number}",
        valid_until=_now().date() + timedelta(days=365),
        by=by,
    )


def _now() -> Any:
    from dealership.kernel import clock

    return clock.now()


def handlers() -> dict[str, list[str]]:
    from dealership.kernel.registry import SUBSCRIPTIONS

    codes = ("workshop.line.started", "workshop.line.paused", "workshop.part.issued")
    return {code: list(SUBSCRIPTIONS.get(code, [])) for code in codes}


def signed_in(employee: Any) -> dict[str, str]:
    """The headers of somebody who has signed in."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(employee.user)
    secret = "b" * 32
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={secret}",
        "X-CSRFToken": secret,
    }


def requests(name: str, lane: dict[str, Any]) -> list[list[Any]]:
    if name == "today_board":
        return [["GET", "/today/?view=board&who=all", lane["person"], None]]
    if name == "order_page":
        return [["GET", f"/orders/{lane['order_uid']}/", lane["person"], None]]
    if name == "clock_on_off":
        return [
            ["POST", f"/my-jobs/{lane['line_uid']}/clock-on/", lane["person"], {"go": "1"}],
            ["POST", "/my-jobs/clock-off/", lane["person"], {"pause_cause": "BREAK"}],
        ]
    return [["POST", f"/api/v1/part-lines/{lane['part_line_uid']}/actions/issue", lane["token"], {"quantity": "1"}]]


# the same as plain SQL

BOARD = (
    "SELECT i.uid, i.state, i.number, i.arrived_at, i.promised_at, i.waiting_mode, i.need, v.plate, v.plate_color,"
    " v.model_text, c.name, e.name FROM reception_visit i JOIN reception_vehicle v ON v.id = i.vehicle_id"
    " JOIN reception_customer c ON c.id = i.customer_id LEFT JOIN staff_employee e ON e.id = i.advisor_id"
    " WHERE i.store_id = %(store)s AND i.state IN ('WAITING', 'IN_RECEPTION', 'IN_SHOP') ORDER BY i.arrived_at",
    "SELECT o.visit_id, o.number, o.stage, o.promised_at, l.state, count(*) FROM workshop_repairorder o"
    " JOIN reception_visit i ON i.id = o.visit_id LEFT JOIN workshop_orderline l ON l.order_id = o.id"
    " WHERE o.store_id = %(store)s AND i.state IN ('WAITING', 'IN_RECEPTION', 'IN_SHOP')"
    " GROUP BY o.visit_id, o.number, o.stage, o.promised_at, l.state",
)
PAGE = (
    "SELECT o.*, i.number, i.contact_name, i.contact_phone, v.plate, v.model_text, v.vin, c.name, e.name"
    " FROM workshop_repairorder o JOIN reception_visit i ON i.id = o.visit_id"
    " JOIN reception_vehicle v ON v.id = o.vehicle_id JOIN reception_customer c ON c.id = o.customer_id"
    " JOIN staff_employee e ON e.id = o.advisor_id WHERE o.id = %(order)s AND o.store_id = %(store)s",
    "SELECT l.*, p.code FROM workshop_orderline l LEFT JOIN catalogue_operation p ON p.id = l.operation_id"
    " WHERE l.order_id = %(order)s ORDER BY l.position",
    "SELECT p.*, a.number, a.name FROM workshop_partline p JOIN workshop_orderline l ON l.id = p.line_id"
    " JOIN catalogue_part a ON a.id = p.part_id WHERE l.order_id = %(order)s ORDER BY p.id",
    "SELECT * FROM workshop_authorization WHERE order_id = %(order)s ORDER BY id",
    "SELECT * FROM workshop_estimate WHERE order_id = %(order)s ORDER BY number",
    "SELECT d.*, e.name FROM workshop_dispatch d JOIN workshop_orderline l ON l.id = d.line_id"
    " JOIN staff_employee e ON e.id = d.technician_id WHERE l.order_id = %(order)s AND d.live",
    "SELECT at, code, actor_kind, actor_id, changed, facts FROM kernel_history WHERE order_uid = %(order_uid)s"
    " ORDER BY at DESC LIMIT 50",
)


def reads(statements: tuple[str, ...]) -> Any:
    def run(cursor: Any, lane: dict[str, Any]) -> None:
        for statement in statements:
            cursor.execute(statement, lane)
            cursor.fetchall()

    return run


def clock(cursor: Any, lane: dict[str, Any]) -> None:
    """On, or off where the person is on."""
    cursor.execute("BEGIN")
    cursor.execute("SELECT id FROM staff_employee WHERE id = %(employee)s FOR NO KEY UPDATE", lane)
    cursor.execute("SELECT id, uid FROM workshop_clocking WHERE employee_id = %(employee)s AND ended_at IS NULL", lane)
    open_one = cursor.fetchone()
    cursor.execute("SELECT id FROM workshop_repairorder WHERE id = %(order)s FOR NO KEY UPDATE", lane)
    cursor.execute("SELECT state FROM workshop_orderline WHERE id = %(line)s FOR NO KEY UPDATE", lane)
    (state,) = cursor.fetchone()
    if open_one is None:
        cursor.execute(
            "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, started_at, pause_cause, pause_note,"
            f" corrected_reason, left_open, employee_id, line_id, store_id) VALUES ({NEW}, clock_timestamp(), '', '', '',"
            " FALSE, %(employee)s, %(line)s, %(store)s) RETURNING uid",
            lane,
        )
        (clocking,) = cursor.fetchone()
        if state == "AUTHORIZED":
            cursor.execute("UPDATE workshop_orderline SET state = 'IN_PROGRESS' WHERE id = %(line)s", lane)
        facts = {"clocking": str(clocking), "employee": lane["employee_uid"]}
        _history(cursor, lane, "workshop.line.started", "orderline", lane["line_uid"], "USER", lane["user"], facts)
    else:
        cursor.execute(
            "UPDATE workshop_clocking SET ended_at = clock_timestamp(), pause_cause = 'BREAK' WHERE id = %s",
            [open_one[0]],
        )
        facts = {
            "clocking": str(open_one[1]), "employee": lane["employee_uid"], "cause": "BREAK", "minutes": 0,
        }  # fmt: skip
        _history(cursor, lane, "workshop.line.paused", "orderline", lane["line_uid"], "USER", lane["user"], facts)
    cursor.execute("COMMIT")


def issue(cursor: Any, lane: dict[str, Any]) -> None:
    """One piece from the first bin that has it, with the record for a repeated request."""
    from . import raw_sql

    cursor.execute("BEGIN")
    cursor.execute("SELECT id FROM workshop_repairorder WHERE id = %(order)s FOR NO KEY UPDATE", lane)
    cursor.execute("SELECT id FROM workshop_orderline WHERE id = %(line)s FOR NO KEY UPDATE", lane)
    cursor.execute("SELECT issued_quantity FROM workshop_partline WHERE id = %(part_line)s FOR NO KEY UPDATE", lane)
    (before,) = cursor.fetchone()
    cursor.execute(
        "SELECT id, average_cost FROM workshop_stockitem WHERE store_id = %(store)s AND part_id = %(part)s"
        " FOR NO KEY UPDATE",
        lane,
    )
    item, cost = cursor.fetchone()
    cursor.execute(
        "SELECT id FROM workshop_stockbin WHERE item_id = %s AND on_hand > 0 ORDER BY bin, id LIMIT 1", [item]
    )
    (place,) = cursor.fetchone()
    cursor.execute("UPDATE workshop_partline SET issued_quantity = issued_quantity + 1 WHERE id = %(part_line)s", lane)
    cursor.execute(
        "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, kind, quantity, unit_cost, reason, at,"
        f" item_id, place_id, part_line_id, store_id) VALUES ({NEW}, 'ISSUE', -1, %s, '', clock_timestamp(), %s, %s, %s,"
        " %s)",
        [cost, item, place, lane["part_line"], lane["store"]],
    )
    facts = {"part": lane["part_uid"], "line": lane["line_uid"], "quantity": "1"}
    changed = {"issued_quantity": [str(before), str(before + 1)]}
    who = ("CLIENT", lane["client"])
    _history(cursor, lane, "workshop.part.issued", "partline", lane["part_line_uid"], *who, facts, changed)
    cursor.execute(
        raw_sql.KEPT,
        [f"client:{lane['client']}", str(_uuid()), "0" * 64, json.dumps({"uid": lane["part_line_uid"]}) + " " * 700],
    )
    cursor.execute("COMMIT")


def _uuid() -> Any:
    import uuid

    return uuid.uuid4()


def _history(
    cursor: Any, lane: dict[str, Any], code: str, root_type: str, root: str, kind: str, actor: str, facts: Any,
    changed: Any = None,
) -> None:  # fmt: skip
    from psycopg2.extras import Json

    from . import raw_sql

    statement = raw_sql.HISTORY.replace("'CLIENT', %(client)s", "%(kind)s, %(actor)s")
    values = {
        "code": code, "root_type": root_type, "root": root, "store": lane["store"], "kind": kind, "actor": actor,
        "visit": lane["visit_uid"], "vehicle": lane["vehicle_uid"], "customer": lane["customer_uid"],
        "order": lane["order_uid"], "changed": Json(changed or {}), "facts": Json(facts),
        "handlers": lane["handlers"][code],
    }  # fmt: skip
    cursor.execute(statement, values)


RAW: dict[str, Any] = {
    "today_board": reads(BOARD), "order_page": reads(PAGE), "clock_on_off": clock, "issue_part": issue,
}  # fmt: skip
COUNTED = {
    "clock_on_off": "SELECT count(*) + count(ended_at) FROM workshop_clocking WHERE line_id = ANY(%s)",
    "issue_part": "SELECT count(*) FROM workshop_stockmovement m JOIN workshop_partline p ON p.id = m.part_line_id"
    " WHERE m.kind = 'ISSUE' AND p.line_id = ANY(%s)",
}
LEFT = (
    "SELECT code, root_type, store_id, actor_kind, actor_id, visit_uid, vehicle_uid, customer_uid, order_uid,"
    " (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(facts) k),"
    " (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(changed) k) FROM kernel_history"
    " WHERE id > %s AND order_uid = %s ORDER BY id"
)
OWED = "SELECT code, handler, state FROM kernel_outbox WHERE event_id > %s AND root_uid = ANY(%s::uuid[]) ORDER BY 1, 2"


def plain(name: str, url: str, rows: list[dict[str, Any]], seconds: float) -> float:
    """How often a second the statements are done by one thread and connection for each lane."""
    import psycopg2
    from psycopg2.extras import register_uuid

    register_uuid()
    done, failures = [0] * len(rows), []
    connections = [psycopg2.connect(url) for _lane in rows]
    for one in connections:
        one.autocommit = True
    start = time.perf_counter()

    def work(number: int) -> None:
        cursor = connections[number].cursor()
        try:
            while time.perf_counter() - start < seconds:
                RAW[name](cursor, rows[number])
                done[number] += 1
        except Exception as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(rows))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - start
    for one in connections:
        one.close()
    if failures:
        raise SystemExit(f"{name} as raw SQL failed: {failures[0]}")
    return round(sum(done) / passed, 1)


# the run


def measure(said: dict[str, Any], seconds: float) -> dict[str, Any]:
    import psycopg2

    clients = [said["clients"][n % len(said["clients"])] for n in range(CONNECTIONS)]
    rows = lanes(clients)
    watching = psycopg2.connect(said["database_url"])
    watching.autocommit = True
    cursor = watching.cursor()
    ids = [lane["line"] for lane in rows]

    def asked(statement: str, *values: Any) -> Any:
        cursor.execute(statement, values)
        return cursor.fetchall()

    result: dict[str, Any] = {}
    with web("bench.wsgi:application") as (port, _process, _took):
        generator = Helper("bench.load", str(port), str(CONNECTIONS), clients[0]["token"], str(WORKERS))
        for name in NAMES:
            job = {"lanes": [requests(name, lane) for lane in rows]}
            _compare(name, rows[0], generator, asked, said["database_url"])
            generator.ask(job | {"seconds": min(0.7, seconds)})
            _clock_off(asked, ids)
            before = asked(COUNTED[name], ids)[0][0] if name in COUNTED else 0
            found = generator.ask(job | {"seconds": seconds})
            refused = {s: n for s, n in found["statuses"].items() if int(s) >= 400}
            if refused:
                raise SystemExit(f"{name}: refused {refused}: {found['refused']}")
            asked_for = sum(found["statuses"].values())
            if name in COUNTED and asked(COUNTED[name], ids)[0][0] - before != asked_for:
                raise SystemExit(f"{name}: {asked_for} answers, but not as many rows.")
            _clock_off(asked, ids)
            raw = plain(name, said["database_url"], rows, seconds * 0.7)
            _clock_off(asked, ids)
            result[name] = {k: found[k] for k in ("rps", "p50_ms", "p95_ms")} | {"raw_sql_rps": raw}
            say(
                f"  {name:<14} {found['rps']:>8} rps  p50 {found['p50_ms']:>7} ms  p95 {found['p95_ms']:>7} ms  raw {raw:>8}"
            )
        generator.close()
    watching.close()
    return result


def _clock_off(asked: Any, ids: list[int]) -> None:
    """Whoever is still on when the time is up goes off, outside of what is measured."""
    asked(
        "UPDATE workshop_clocking SET ended_at = clock_timestamp(), pause_cause = 'BREAK'"
        " WHERE line_id = ANY(%s) AND ended_at IS NULL RETURNING id",
        ids,
    )


def _compare(name: str, lane: dict[str, Any], generator: Helper, asked: Any, url: str) -> None:
    """A page names the rows that raw SQL reads; a write leaves the same history and owes the same effects."""
    import psycopg2

    def one(number: int) -> str:
        job = {"seconds": 0, "once": True, "lanes": [[requests(name, lane)[number]]] + [[]] * (CONNECTIONS - 1)}
        answer = generator.ask(job)
        if any(int(status) >= 400 for status in answer["statuses"]):
            raise SystemExit(f"{name} was refused: {answer['statuses']} {answer['refused']}")
        return str(answer["last"])

    if name not in COUNTED:
        page = unescape(one(0))
        if name == "today_board":
            shown = set(re.findall(r"/visits/([0-9a-f-]{36})/", page))
            wrong = shown - {str(row[0]) for row in _read(url, BOARD[0], lane)}
        else:
            texts = [row[0] for row in asked("SELECT number FROM workshop_repairorder WHERE id = %s", lane["order"])]
            shown, wrong = set(texts), {text for text in texts if text not in page}
        if wrong or not shown:
            raise SystemExit(f"{name}: the page doesn't show the rows that raw SQL reads: {sorted(wrong)[:3]}")
        return
    left: list[Any] = []
    if name == "issue_part":
        one(0)  # with the first piece the line begins to wait for the others
    roots = [lane["line_uid"], lane["part_line_uid"]]
    for way in ("ours", "raw"):
        (mark,) = asked("SELECT COALESCE(max(id), 0) FROM kernel_history")[0]
        steps = len(requests(name, lane))
        if way == "ours":
            for number in range(steps):
                one(number)
        else:
            connection = psycopg2.connect(url)
            connection.autocommit = True
            for _step in range(steps):
                RAW[name](connection.cursor(), lane)
            connection.close()
        history = [[str(value) for value in row] for row in asked(LEFT, mark, lane["order_uid"])]
        left.append([_without_first_start(history), asked(OWED, mark, roots)])
    if left[0] != left[1]:
        raise SystemExit(f"{name}: not the same rows.\nours {left[0]}\nraw  {left[1]}")


def _without_first_start(history: list[list[str]]) -> list[list[str]]:
    """The very first start moves the line as well; both roads do it, but only one of them is the first."""
    return [[*row[:-1], "" if row[0] == "workshop.line.started" else row[-1]] for row in history]


def _read(url: str, statement: str, lane: dict[str, Any]) -> Any:
    import psycopg2

    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(statement, lane)
    rows = cursor.fetchall()
    connection.close()
    return rows


def table(result: dict[str, Any]) -> str:
    lines = ["| step | requests/s | p50 ms | p95 ms | raw SQL /s | of raw SQL |", "|---|--:|--:|--:|--:|--:|"]
    for name, line in result.items():
        lines.append(
            f"| {name} | {line['rps']:,.0f} | {line['p50_ms']} | {line['p95_ms']} | {line['raw_sql_rps']:,.0f} |"
            f" {line['rps'] / line['raw_sql_rps']:.2f} |"
        )
    return "\n".join(lines)


def main(*, scale: float, seconds: float, write_docs: bool) -> int:
    """Prints the table and keeps it in ``bench.json``."""
    try:
        result = measure(set_up(scale), seconds)
    finally:
        if (VAR / "servers.json").exists():
            os.environ["VAR_DIR"] = str(VAR)
            servers.stop(VAR)
    kept = OUTER / "bench.json"
    said = json.loads(kept.read_text()) if kept.exists() else {}
    kept.write_text(json.dumps(said | {"floor": result | {"scale": scale}}, indent=2) + "\n")
    text = table(result)
    say("\n" + text + "\n")
    if write_docs:
        head, _mark, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
        where = f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, scale {scale:g}"
        DOCS.write_text(f"{head}{BEGIN}\n{where}:\n\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0
