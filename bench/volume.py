"""Volume data by COPY as the owner: customers, vehicles, owners, visits, repair orders with lines, parts and history.

Everything follows from the row's number, so that two loads of one scale are the same. People are plainly fictional.
Triggers that derive or guard are off for the load and on again in the same transaction; foreign keys and indexes are
dropped for it and built again, so the database has checked every reference when the load ends.
"""

from __future__ import annotations

import io
import itertools
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.apps import apps

from dealership.kernel import formats

CUSTOMERS, VEHICLES, ORDERS = 200_000, 300_000, 500_000
STORES = 8
OPEN_SHARE = 250  # one car in so many stands in the shop
DAYS = 700
KPI_DAYS = 400
SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范"
    "方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
GIVEN = (
    "晓明华丽强伟芳娜敏静洋勇军杰娟艳涛超霞平刚玉秀英慧宇佳欣怡浩然子轩雨辰思"
    "远嘉文俊鹏博志宏建国春海山清波云飞天成泽瑞雪梅兰竹菊心悦宁安"
)
MODELS = ("星河 A5 1.5T", "星河 S7 2.0T", "远山 X3 EV", "远山 X6 PHEV", "途远 2.0T", "云帆 E1", "北辰 M8", "朝阳 1.6L")
COMPLAINTS = (
    "刹车异响",
    "常规保养",
    "空调不制冷",
    "发动机故障灯亮",
    "方向盘抖动",
    "更换轮胎",
    "底盘异响",
    "年检前检查",
)
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
VIN_LETTERS = "ABCDEFGHJKLMNPRS"
NULL = "\\N"
PROVINCES = "京沪粤苏浙鲁川渝津冀"
MASK = (1 << 64) - 1


def uid(kind: int, number: int) -> str:
    """A UUID that looks random and can be worked out again."""
    mixed = (number * 0x9E3779B97F4A7C15 + kind * 0xD1B54A32D192ED03) & MASK
    mixed ^= mixed >> 29
    mixed = (mixed * 0xBF58476D1CE4E5B9) & MASK
    text = f"{mixed:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:]}-8{text[12]}00-{kind:x}{number:011x}"


def phone(number: int) -> str:
    return f"1{3 + number % 7}{(number * 7_919_993 + 13_579) % 1_000_000_000:09d}"


def plate(number: int) -> str:
    """Every number another plate: province, letter, four digits and a letter, scattered."""
    mixed = (number * 4_241_473 + 99_991) % 57_600_000
    rest, tail = divmod(mixed, 240_000)
    province, letter = divmod(rest, 24)
    last, digits = divmod(tail, 10_000)
    return f"{PROVINCES[province]}{LETTERS[letter]}{digits:04d}{LETTERS[last]}"


def vin(number: int) -> str:
    made = (
        f"LZZ{VIN_LETTERS[number % 16]}A11E0R{VIN_LETTERS[number // 16 % 16]}{(number * 611_953 + 7) % 1_000_000:06d}"
    )
    return made[:8] + formats.vin_check_digit(made) + made[9:]


class Rows(io.TextIOBase):
    """What COPY reads: lines of tab-separated values, made as they are asked for."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.rest = lines, ""

    def read(self, size: int = -1) -> str:  # type: ignore[override]
        parts, length = [self.rest], len(self.rest)
        for line in self.lines:
            parts.append(line)
            length += len(line)
            if 0 <= size <= length:
                break
        text = "".join(parts)
        self.rest = text[size:] if size >= 0 else ""
        return text[:size] if size >= 0 else text


class Loader:
    """Copies into tables whose rules are off for the time of the transaction."""

    def __init__(self, connection: Any, say: Callable[[str], None]) -> None:
        self.connection, self.cursor, self.say = connection, connection.cursor(), say

    def column(self, sql: str, values: Any = None) -> list[Any]:
        self.cursor.execute(sql, values)
        return [row[0] for row in self.cursor.fetchall()]

    def copy(self, table: str, columns: str, lines: Iterator[str], *, keep_rules: bool = False) -> None:
        start = time.monotonic()
        after = [] if keep_rules else self._rules_off(table)
        after += self._defaults(table, columns)
        self.cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", Rows(lines))
        count = self.cursor.rowcount
        for statement in after:
            self.cursor.execute(statement)
        if "id" in columns.split(", "):
            self.cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        self.say(f"  {table}: {count:,} rows in {time.monotonic() - start:.1f} s")

    def _defaults(self, table: str, columns: str) -> list[str]:
        """Columns that aren't filled here get the model's default for the time of the copy; returns what undoes it."""
        given = set(re.split(r",\s*", columns))
        missing = self.column(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
            " AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'",
            [table],
        )
        fields = {
            field.column: field
            for m in apps.get_models()
            for field in m._meta.concrete_fields
            if m._meta.db_table == table
        }
        after = []
        for name in missing:
            if name not in given:
                default = fields[name].get_default()
                self.cursor.execute(f'ALTER TABLE {table} ALTER COLUMN "{name}" SET DEFAULT %s', [default])
                after.append(f'ALTER TABLE {table} ALTER COLUMN "{name}" DROP DEFAULT')
        return after

    def _rules_off(self, table: str) -> list[str]:
        """Turns triggers, foreign keys and plain indexes off; returns what turns them on again."""
        self.cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
        )
        after = []
        for name, state in self.cursor.fetchall():
            word = {"A": "ENABLE ALWAYS", "O": "ENABLE", "R": "ENABLE REPLICA", "D": "DISABLE"}[state]
            after.append(f'ALTER TABLE {table} {word} TRIGGER "{name}"')
            self.cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')
        self.cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'f'",
            [table],
        )
        foreign = self.cursor.fetchall()
        self.cursor.execute(
            "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE i.indrelid = %s::regclass AND NOT i.indisunique"
            " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)",
            [table],
        )
        for name, definition in self.cursor.fetchall():
            self.cursor.execute(f'DROP INDEX "{name}"')
            after.append(definition)
        for name, definition in foreign:
            self.cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            after.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        return after


def load(
    connection: Any,
    *,
    scale: float,
    today: date,
    say: Callable[[str], None],
    search: tuple[int, int, int] | None = None,
) -> None:
    """Loads everything in one transaction. The stores, their people and the catalogue are there already.

    ``search``: so many customers, vehicles and visits, and only what the search box looks at.
    """
    loader = Loader(connection, say)
    customers, vehicles = max(40, int(CUSTOMERS * scale)), max(60, int(VEHICLES * scale))
    orders = max(400, int(ORDERS * scale))
    if search is not None:
        customers, vehicles, orders = search
    cursor = loader.cursor
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    cursor.execute("SELECT id, code FROM kernel_store ORDER BY code")
    stores = cursor.fetchall()
    advisors = []
    for store_id, _code in stores:
        advisors.append(
            loader.column(
                "SELECT e.id FROM staff_employee e JOIN kernel_rolegrant g ON g.user_id = e.user_id"
                " WHERE e.store_id = %s AND g.role = 'advisor' ORDER BY e.id",
                [store_id],
            )
        )
    cursor.execute("SELECT id, name, hours FROM catalogue_operation WHERE active ORDER BY id")
    operations = cursor.fetchall()
    parts = loader.column("SELECT id FROM catalogue_part WHERE active ORDER BY id")
    base = {
        table: loader.column(f"SELECT coalesce(max(id), 0) FROM {table}")[0]
        for table in (
            "reception_customer", "reception_vehicle", "reception_visit", "workshop_repairorder", "workshop_orderline",
        )
    }  # fmt: skip
    c0, v0, i0, o0, l0 = base.values()
    now = datetime(today.year, today.month, today.day, 2, tzinfo=UTC)
    start = now - timedelta(days=DAYS)
    step = timedelta(days=DAYS) / orders
    full = [f"{s}{a}{b}" for s in SURNAMES for a, b in itertools.product(GIVEN[:24], GIVEN[24:48])]
    spelled = {char: formats.pinyin_syllables(char)[0] for char in SURNAMES + GIVEN}
    names = [
        (name, "".join(spelled[c] for c in name), "".join(spelled[c][0] for c in name))
        for name in random.Random(4).sample(full, min(len(full), customers))
    ]

    def customer_lines() -> Iterator[str]:
        for n in range(1, customers + 1):
            name, pinyin, initials = names[n % len(names)]
            yield (
                f"{c0 + n}\t{uid(1, n)}\t1\t{start}\t{start}\tPERSON\t{name}\t{pinyin}\t{initials}\t{phone(n)}\t\t\t\t"
                f"zh-hans\tSMS\t\t{stores[n % len(stores)][0]}\n"
            )

    def vehicle_lines() -> Iterator[str]:
        for n in range(1, vehicles + 1):
            yield (
                f"{v0 + n}\t{uid(2, n)}\t1\t{start}\t{start}\t{plate(n)}\tNORMAL\tBLUE\t{vin(n)}\t\t"
                f"{MODELS[n % len(MODELS)]}\tICE\t\t\t白\t{2014 + n % 12}\t\\N\t\\N\t{1000 + n % 180_000}\t\\N\t\\N\n"
            )

    def ownership_lines() -> Iterator[str]:
        for n in range(1, vehicles + 1):
            yield (f"{uid(3, n)}\t1\t{start}\t{start}\t{start:%Y-%m-%d}\t\\N\t{c0 + 1 + n % customers}\t{v0 + n}\n")

    def facts(n: int) -> tuple[Any, ...]:
        """store, its code, advisor, customer, vehicle, opened, whether the car is still here."""
        place = n % len(stores)
        store_id, code = stores[place]
        mine = advisors[place]
        vehicle = 1 + n % vehicles
        here = n > orders - min(vehicles, max(len(stores) * 4, orders // OPEN_SHARE))
        opened = now - timedelta(hours=1 + (orders - n) % 48) if here else start + step * n
        return store_id, code, mine[n // len(stores) % len(mine)], vehicle, opened, here

    def visit_lines() -> Iterator[str]:
        for n in range(1, orders + 1):
            store_id, code, advisor, vehicle, opened, here = facts(n)
            customer = 1 + vehicle % customers
            name = names[customer % len(names)][0]
            left = NULL if here else opened + timedelta(hours=5)
            yield (
                f"{i0 + n}\t{uid(4, n)}\t4\t{opened}\t{opened}\tV-{code}-{opened:%y%m%d}-L{n}\t{name}\t{phone(customer)}\t"
                f"{MODELS[vehicle % len(MODELS)]}\t{COMPLAINTS[n % len(COMPLAINTS)]}\t"
                f"{'IN_SHOP' if here else 'DEPARTED'}\tLEAVE\t{opened}\t{opened}\t{opened}\t"
                f"{opened + timedelta(hours=4)}\t{left}\t\t\t\t{1000 + vehicle % 180_000}\t\\N\t\\N\t{advisor}\t\\N\t"
                f"{c0 + customer}\t\\N\t{store_id}\t{v0 + vehicle}\t\n"
            )

    def order_lines() -> Iterator[str]:
        for n in range(1, orders + 1):
            store_id, code, advisor, vehicle, opened, here = facts(n)
            ended = NULL if here else opened + timedelta(hours=4)
            yield (
                f"{o0 + n}\t{uid(5, n)}\t{1 if here else 6}\t{opened}\t{opened}\tRO-{code}-{opened:%y%m%d}-L{n}\tCUSTOMER\t"
                f"{'DRAFT' if here else 'CLOSED'}\t{COMPLAINTS[n % len(COMPLAINTS)]}\t{opened + timedelta(hours=4)}\t"
                f"{opened}\t{ended}\t{ended}\t\\N\t\t{advisor}\t{c0 + 1 + vehicle % customers}\t\\N\t{store_id}\t"
                f"{v0 + vehicle}\t{i0 + n}\n"
            )

    def work_lines() -> Iterator[str]:
        line = 0
        for n in range(1, orders + 1):
            _store, _code, _advisor, _vehicle, opened, here = facts(n)
            for position in range(1, 2 + n % 2):
                line += 1
                operation_id, name, hours = operations[(n + position) % len(operations)]
                amount = f"{float(hours) * 180:.2f}"
                yield (
                    f"{l0 + line}\t{uid(6, line)}\t{1 if here else 5}\t{opened}\t{opened}\t{position}\t{name}\tMINOR\t"
                    f"CUSTOMER_PAY\t{hours}\t180.00\t0\t{amount}\tf\tf\tf\t0\t\t\t\t{'DRAFT' if here else 'INSPECTED'}\t\t"
                    f"{NULL if here else amount}\t{NULL if here else opened + timedelta(hours=3)}\t"
                    f"{'f' if here else 't'}\t{operation_id}\t{o0 + n}\n"
                )

    def part_lines() -> Iterator[str]:
        line = made = 0
        for n in range(1, orders + 1):
            _store, _code, _advisor, _vehicle, opened, here = facts(n)
            for _position in range(1, 2 + n % 2):
                line += 1
                if line % 2:
                    made += 1
                    yield (
                        f"{uid(7, made)}\t1\t{opened}\t{opened}\tGENUINE\t1\t86.00\t86.00\t0\t"
                        f"{0 if here else 1}\t\\N\t{l0 + line}\t{parts[line % len(parts)]}\n"
                    )

    def history_lines() -> Iterator[str]:
        for n in range(1, orders + 1):
            store_id, _code, _advisor, vehicle, opened, here = facts(n)
            keys = f"{uid(4, n)}\t{uid(2, vehicle)}\t{uid(1, 1 + vehicle % customers)}\t{uid(5, n)}"
            yield (
                f"{opened}\t{opened}\tworkshop.repair_order.opened\trepairorder\t{uid(5, n)}\t{store_id}\tMACHINE\tbench\t"
                f'{keys}\t{{"stage": [null, "DRAFT"]}}\t{{"kind": "CUSTOMER"}}\n'
            )
            if not here:
                at = opened + timedelta(hours=4)
                yield (
                    f"{at}\t{at}\tworkshop.repair_order.closed\trepairorder\t{uid(5, n)}\t{store_id}\tMACHINE\tbench\t"
                    f'{keys}\t{{"stage": ["SETTLED", "CLOSED"]}}\t{{}}\n'
                )

    def kpi_lines() -> Iterator[str]:
        from dealership.process.figures import FIGURES

        dice = random.Random(6)
        for store_id, _code in stores:
            for code in FIGURES:
                for back in range(KPI_DAYS):
                    whole = dice.randint(8, 40)
                    yield (
                        f"{code}\t{today - timedelta(days=back)}\t\t{dice.randint(1, whole)}\t{whole}\t{now}\t{store_id}\n"
                    )

    head = "uid, version, created_at, updated_at"
    loader.copy(
        "reception_customer",
        f"id, {head}, kind, name, pinyin, pinyin_initials, phone, phone_2, email, uscc, language, channel, note,"
        " home_store_id",
        customer_lines(),
    )
    loader.copy(
        "reception_vehicle",
        f"id, {head}, plate, plate_kind, plate_color, vin, vin_note, model_text, powertrain, engine_number,"
        " battery_code, color, model_year, invoiced_on, delivered_on, odometer_km, odometer_at, model_id",
        vehicle_lines(),
    )
    loader.copy("reception_ownership", f"{head}, starts_on, ends_on, customer_id, vehicle_id", ownership_lines())
    loader.copy(
        "reception_visit",
        f"id, {head}, number, contact_name, contact_phone, model_text, need, state, waiting_mode, arrived_at,"
        " greeted_at, signed_at, promised_at, left_at, area, key_tag, parking_place, odometer_in_km,"
        " odometer_out_km, rating, advisor_id, appointment_id, customer_id, key_holder_id, store_id, vehicle_id,"
        " ended_note",
        visit_lines(),
    )
    if search is not None:
        return
    loader.copy(
        "workshop_repairorder",
        f"id, {head}, number, kind, stage, complaint, promised_at, opened_at, settled_at, closed_at, withdrawn_at,"
        " withdrawn_reason, advisor_id, customer_id, original_id, store_id, vehicle_id, visit_id",
        order_lines(),
    )
    loader.copy(
        "workshop_orderline",
        f"id, {head}, position, description, category, pay_type, hours, rate, discount, labor_amount, is_diagnosis,"
        " is_addition, is_safety, extra_minutes, complaint, cause, correction, state, declined_reason,"
        " authorized_amount, completed_at, settled, operation_id, order_id",
        work_lines(),
    )
    loader.copy(
        "workshop_partline",
        f"{head}, kind, quantity, unit_price, amount, reserved_quantity, issued_quantity, expected_on, line_id,"
        " part_id",
        part_lines(),
    )
    loader.copy(
        "kernel_history",
        "at, written_at, code, root_type, root_uid, store_id, actor_kind, actor_id, visit_uid, vehicle_uid,"
        " customer_uid, order_uid, changed, facts",
        history_lines(),
        keep_rules=True,
    )
    loader.copy("process_kpivalue", "code, day, dimension, numerator, denominator, computed_at, store_id", kpi_lines())
