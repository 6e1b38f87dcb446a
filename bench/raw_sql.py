"""The same reads and writes as plain SQL through psycopg2: what the API is measured against.

``python -m bench.raw_sql URL`` reads one job a line, ``{"operation": …, "seconds": …, "lanes": [[values, …], …]}``, runs
it with one thread and one connection for each lane and answers the rate. The statements are those that a careful person
would write by hand for this schema: one read for what the API's item holds, and for writes every row that the command
leaves behind (order, line, parts, counter, history, outbox, idempotency record), the counter last but one.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg2
from psycopg2.extras import Json, register_uuid

register_uuid()

ORDER_COLUMNS = """
    o.uid, o.version, o.created_at, o.updated_at, o.number, o.stage, o.kind, i.uid AS visit_uid, v.uid AS vehicle_uid,
    c.uid AS payer_uid, e.uid AS service_advisor_uid, p.uid AS comeback_of_uid, o.complaint, o.promised_at, o.opened_at,
    o.settled_at, o.closed_at, o.withdrawn_at, o.withdrawn_reason
"""
ORDER_TABLES = """
    workshop_repairorder o
    JOIN reception_visit i ON i.id = o.visit_id
    JOIN reception_vehicle v ON v.id = o.vehicle_id
    JOIN reception_customer c ON c.id = o.customer_id
    JOIN staff_employee e ON e.id = o.advisor_id
    LEFT JOIN workshop_repairorder p ON p.id = o.original_id
"""
REFERENCES = """
    SELECT root_uid, system, external_id FROM kernel_externalref
    WHERE root_type = 'repairorder' AND root_uid = ANY(%s) ORDER BY system
"""
LIST = f"SELECT {ORDER_COLUMNS} FROM {ORDER_TABLES} WHERE o.store_id = %(store)s ORDER BY o.id DESC LIMIT 51"
READ = f"SELECT {ORDER_COLUMNS} FROM {ORDER_TABLES} WHERE o.store_id = %(store)s AND o.uid = %(uid)s"

VEHICLES = """
    SELECT 'vehicle' AS kind, v.uid, v.plate, coalesce(c.name, v.model_text) AS name, v.model_text, v.vin, i.state
    FROM reception_vehicle v
    LEFT JOIN reception_ownership w ON w.vehicle_id = v.id AND w.ends_on IS NULL
    LEFT JOIN reception_customer c ON c.id = w.customer_id
    LEFT JOIN reception_visit i ON i.vehicle_id = v.id AND i.store_id = %(store)s
        AND i.state IN ('WAITING', 'IN_RECEPTION', 'IN_SHOP')
    WHERE {where} ORDER BY v.updated_at DESC LIMIT 50
"""
CUSTOMERS = """
    SELECT 'customer' AS kind, c.uid, c.name, c.phone, c.phone_2,
        ARRAY(SELECT v.plate FROM reception_ownership w JOIN reception_vehicle v ON v.id = w.vehicle_id
            WHERE w.customer_id = c.id AND w.ends_on IS NULL ORDER BY w.starts_on DESC LIMIT 3) AS plates
    FROM reception_customer c WHERE {where} ORDER BY c.updated_at DESC LIMIT 50
"""
SEARCHES = {
    "search_plate": VEHICLES.format(where="v.plate LIKE '%%' || %(text)s || '%%'"),
    "search_vin": VEHICLES.format(where="v.vin LIKE '%%' || %(text)s"),
    "search_phone": CUSTOMERS.format(where="c.phone LIKE '%%' || %(text)s OR c.phone_2 LIKE '%%' || %(text)s"),
    "search_pinyin": CUSTOMERS.format(
        where="c.pinyin LIKE %(text)s || '%%' OR c.pinyin_initials LIKE %(text)s || '%%'"
    ),
}
KPI = """
    SELECT k.code, s.code AS store_code, k.day, k.dimension, k.numerator, k.denominator, k.computed_at
    FROM process_kpivalue k JOIN kernel_store s ON s.id = k.store_id
    WHERE k.store_id = %(store)s AND k.code = %(code)s AND k.day BETWEEN %(first)s AND %(last)s
    ORDER BY k.day, k.code, s.code, k.dimension LIMIT 101
"""
HISTORY = """
    WITH line AS (
        INSERT INTO kernel_history (at, code, root_type, root_uid, store_id, actor_kind, actor_id, visit_uid, vehicle_uid,
            customer_uid, order_uid, changed, facts)
        VALUES (clock_timestamp(), %(code)s, %(root_type)s, %(root)s, %(store)s, 'CLIENT', %(client)s, %(visit)s,
            %(vehicle)s, %(customer)s, %(order)s, %(changed)s, %(facts)s)
        RETURNING id, at
    )
    INSERT INTO kernel_outbox (event_id, event_at, code, handler, root_uid, store_id, state, available_at, attempts,
        last_error, created_at)
    SELECT line.id, line.at, %(code)s, handler, %(root)s, %(store)s, 'DUE', line.at, 0, '', line.at
    FROM line, unnest(%(handlers)s::text[]) AS handler
"""
COUNTER = """
    INSERT INTO kernel_counter (store_id, kind, period, value) VALUES (%s, %s, %s, 1)
    ON CONFLICT ON CONSTRAINT counter_series DO UPDATE SET value = kernel_counter.value + 1 RETURNING value
"""
KEPT = """
    INSERT INTO kernel_idempotencyrecord (client, key, fingerprint, status, body, headers, created_at)
    VALUES (%s, %s, %s, 201, %s, '{"Content-Type": "application/json"}', clock_timestamp())
"""
NEW = "gen_random_uuid(), 1, clock_timestamp(), clock_timestamp()"


def history(cursor: Any, given: dict[str, Any], code: str, root_type: str, root: Any, **more: Any) -> None:
    values = {"visit": None, "vehicle": None, "customer": None, "order": None, "changed": {}, "facts": {}} | more
    values["changed"], values["facts"] = Json(values["changed"]), Json(values["facts"])
    cursor.execute(
        HISTORY,
        values
        | {
            "code": code,
            "root_type": root_type,
            "root": root,
            "store": given["store"],
            "client": given["client"],
            "handlers": given["handlers"].get(code, []),
        },
    )


def create_repair_order(cursor: Any, given: dict[str, Any]) -> Any:
    """An order with its diagnosis line and that line's parts."""
    cursor.execute("BEGIN")
    cursor.execute(
        "SELECT i.id, i.uid, i.customer_id, i.vehicle_id, i.advisor_id,"
        " CASE WHEN i.promised_at > clock_timestamp() THEN i.promised_at END, c.uid, v.uid FROM reception_visit i"
        " JOIN reception_customer c ON c.id = i.customer_id JOIN reception_vehicle v ON v.id = i.vehicle_id"
        " WHERE i.uid = %s AND i.store_id = %s AND i.state = 'IN_SHOP' FOR NO KEY UPDATE OF i",
        [given["visit"], given["store"]],
    )
    visit, visit_uid, customer, vehicle, advisor, promised, customer_uid, vehicle_uid = cursor.fetchone()
    cursor.execute(COUNTER, [given["store"], "RO", given["period"]])
    number = f"RO-{given['store_code']}-{given['period']}-{cursor.fetchone()[0]:04d}"
    cursor.execute(
        "INSERT INTO workshop_repairorder (uid, version, created_at, updated_at, number, kind, stage, complaint,"
        " promised_at, opened_at, withdrawn_reason, advisor_id, customer_id, store_id, vehicle_id, visit_id)"
        f" VALUES ({NEW}, %s, 'CUSTOMER', 'DRAFT', %s, %s, clock_timestamp(), '', %s, %s, %s, %s, %s) RETURNING id, uid",
        [number, given["complaint"], promised, advisor, customer, given["store"], vehicle, visit],
    )
    order, order_uid = cursor.fetchone()
    keys = {"visit": visit_uid, "vehicle": vehicle_uid, "customer": customer_uid, "order": order_uid}
    history(
        cursor, given, "workshop.repair_order.opened", "repairorder", order_uid, **keys,
        changed={"stage": [None, "DRAFT"]}, facts={"kind": "CUSTOMER", "number": number},
    )  # fmt: skip
    work = given["diagnosis"]
    cursor.execute(
        "INSERT INTO workshop_orderline (uid, version, created_at, updated_at, position, description, category, pay_type,"
        " hours, rate, discount, labor_amount, is_diagnosis, is_addition, is_safety, extra_minutes, complaint, cause,"
        " correction, state, declined_reason, declined_cause, fee_amount, fee_note, settled,"
        " reassembly_amount, operation_id, order_id)"
        f" VALUES ({NEW}, 1, %s, %s, 'CUSTOMER_PAY', %s, %s, 0, round(%s::numeric * %s::numeric, 2), TRUE, FALSE, %s, 0,"
        " %s, '', '', 'DRAFT', '', '', 0, '', FALSE, 0, %s, %s) RETURNING uid, labor_amount",
        [
            work["name"], work["category"], work["hours"], work["rate"], work["hours"], work["rate"], work["is_safety"],
            given["complaint"], work["id"], order,
        ],
    )  # fmt: skip
    line_uid, amount = cursor.fetchone()
    history(
        cursor, given, "workshop.line.added", "orderline", line_uid, **keys,
        facts={
            "operation": work["code"], "pay_type": "CUSTOMER_PAY", "amount": str(amount), "is_addition": False,
        },
    )  # fmt: skip
    cursor.execute(
        KEPT,
        [f"client:{given['client']}", str(uuid.uuid4()), "0" * 64, json.dumps({"uid": str(order_uid)}) + " " * 900],
    )
    cursor.execute("COMMIT")
    return order_uid


def book_slot(cursor: Any, given: dict[str, Any]) -> Any:
    """A booking with its bay and person; both are locked and a taken one is seen, but free ones are not looked for."""
    starts = datetime.fromisoformat(given["starts_at"])
    work = given["diagnosis"]
    begin, end = starts + timedelta(minutes=15), starts + timedelta(minutes=15) + timedelta(hours=float(work["hours"]))
    cursor.execute("BEGIN")
    cursor.execute(
        "SELECT v.id, v.uid, c.id, c.uid FROM reception_vehicle v JOIN reception_ownership w ON w.vehicle_id = v.id"
        " AND w.ends_on IS NULL JOIN reception_customer c ON c.id = w.customer_id WHERE v.uid = %s"
        " FOR NO KEY UPDATE OF v",
        [given["vehicle"]],
    )
    vehicle, vehicle_uid, customer, customer_uid = cursor.fetchone()
    cursor.execute(
        "SELECT id, uid FROM catalogue_resource WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [given["resources"]]
    )
    resources = cursor.fetchall()
    cursor.execute(COUNTER, [given["store"], "AP", given["period"]])
    number = f"AP-{given['store_code']}-{given['period']}-{cursor.fetchone()[0]:04d}"
    cursor.execute(
        "INSERT INTO reception_appointment (uid, version, created_at, updated_at, number, contact_name, contact_phone,"
        " starts_at, work_starts_at, ready_at, source, concern, waiting_mode, estimated_amount, state, ended_reason,"
        " replan_reason, shop_moves, store_id, customer_id, vehicle_id)"
        f" VALUES ({NEW}, %s, %s, %s, %s, %s, %s, 'PHONE', %s, 'LEAVE', %s, 'CONFIRMED', '', '', 0, %s, %s, %s)"
        " RETURNING id, uid",
        [
            number, given["name"], given["phone"], starts, begin, end, given["concern"], work["amount"], given["store"],
            customer, vehicle,
        ],
    )  # fmt: skip
    appointment, appointment_uid = cursor.fetchone()
    cursor.execute(
        "INSERT INTO reception_appointmentitem (description, hours, amount, appointment_id, operation_id)"
        " VALUES (%s, %s, %s, %s, %s)",
        [work["name"], work["hours"], work["amount"], appointment, work["id"]],
    )
    for resource, resource_uid in resources:
        cursor.execute(
            "INSERT INTO catalogue_reservation (uid, version, created_at, updated_at, period, purpose, subject_uid, live,"
            f" note, store_id, resource_id) VALUES ({NEW}, tstzrange(%s, %s), 'APPOINTMENT', %s, TRUE, %s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING uid",
            [begin, end, appointment_uid, number, given["store"], resource],
        )
        made = cursor.fetchone()
        if made is None:
            cursor.execute("ROLLBACK")
            return None
        history(
            cursor, given, "catalogue.reservation.made", "reservation", made[0],
            facts={
                "resource": str(resource_uid), "purpose": "APPOINTMENT", "subject": str(appointment_uid),
                "starts_at": begin.isoformat(), "ends_at": end.isoformat(),
            },
        )  # fmt: skip
    history(
        cursor, given, "reception.appointment.booked", "appointment", appointment_uid, vehicle=vehicle_uid,
        customer=customer_uid, changed={"state": [None, "CONFIRMED"]},
        facts={
            "starts_at": starts.isoformat(), "ready_at": end.isoformat(), "source": "PHONE", "operations": [],
        },
    )  # fmt: skip
    cursor.execute(
        KEPT,
        [
            f"client:{given['client']}",
            str(uuid.uuid4()),
            "0" * 64,
            json.dumps({"uid": str(appointment_uid)}) + " " * 900,
        ],
    )
    cursor.execute("COMMIT")
    return appointment_uid


def list_repair_orders(cursor: Any, given: dict[str, Any]) -> list[dict[str, Any]]:
    cursor.execute(LIST, given)
    rows = cursor.fetchall()
    cursor.execute(REFERENCES, [[row[0] for row in rows]])
    cursor.fetchall()
    return rows


def read_repair_order(cursor: Any, given: dict[str, Any]) -> list[dict[str, Any]]:
    cursor.execute(READ, given)
    rows = cursor.fetchall()
    cursor.execute(REFERENCES, [[row[0] for row in rows]])
    cursor.fetchall()
    return rows


def plain(statement: str) -> Callable[[Any, dict[str, Any]], Any]:
    def run(cursor: Any, given: dict[str, Any]) -> Any:
        cursor.execute(statement, given)
        return cursor.fetchall()

    return run


OPERATIONS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "list_repair_orders": list_repair_orders,
    "read_repair_order": read_repair_order,
    "create_repair_order": create_repair_order,
    "book_slot": book_slot,
    **{name: plain(statement) for name, statement in SEARCHES.items()},
    "kpi_month": plain(KPI),
}
READS = {"list_repair_orders": LIST, "read_repair_order": READ, "kpi_month": KPI, **SEARCHES}


def run(connections: list[Any], job: dict[str, Any]) -> dict[str, Any]:
    operation = OPERATIONS[job["operation"]]
    once = job.get("once", False)
    taken: list[list[float]] = [[] for _ in connections]
    failures: list[str] = []
    ready = threading.Barrier(len(connections) + 1)
    end = [0.0]

    def work(number: int) -> None:
        cursor, lane, times = connections[number].cursor(), job["lanes"][number], taken[number]
        ready.wait()
        at = 0
        try:
            while (start := time.perf_counter()) < end[0]:
                if at >= len(lane):
                    if once:
                        break
                    at = 0
                if operation(cursor, lane[at]) is not None:
                    times.append(time.perf_counter() - start)
                at += 1
        except Exception as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(connections))]
    for thread in threads:
        thread.start()
    begin = time.perf_counter()
    end[0] = begin + job["seconds"]
    ready.wait()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - begin
    everything = sorted(t for times in taken for t in times)
    if not everything or failures:
        return {"rps": 0, "failures": failures[:1] or ["nothing was done"]}
    return {
        "rps": round(len(everything) / passed, 1),
        "p50_ms": round(everything[len(everything) // 2] * 1000, 2),
        "p95_ms": round(everything[int(len(everything) * 0.95)] * 1000, 2),
        "failures": failures,
    }


def main() -> None:
    url, count = sys.argv[1], int(sys.argv[2])
    connections = [psycopg2.connect(url) for _ in range(count)]
    for connection in connections:
        connection.autocommit = True
        connection.cursor().execute("SET TIME ZONE 'UTC'")
    print("ready", flush=True)
    for text in sys.stdin:
        print(json.dumps(run(connections, json.loads(text))), flush=True)


if __name__ == "__main__":
    main()
