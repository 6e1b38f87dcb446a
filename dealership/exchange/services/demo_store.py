"""A demo store with people, bays, hours, rosters, prices and stock, made through the commands of the chapters.

People and brands are plainly fictional. The top room makes it because only the top room may look into every chapter.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from dealership.catalogue.models import BayCapability, PartPrice, ResourceKind, ToolKind, Tracing
from dealership.catalogue.seeds import seed_store
from dealership.catalogue.services.parts import set_tracing
from dealership.catalogue.services.resources import add_resource
from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from dealership.kernel.models import Store, User
from dealership.kernel.stores import open_store, set_calendar_day, set_opening_hours
from dealership.kernel.worktime import DayKind, statutory_day
from staff.models import Employee, RosterDay
from staff.seeds import POSTS
from staff.services import employees, rosters
from workshop.services.inspections import allot_certificates
from workshop.services.stock import open_warehouse, receive_stock, transfer_stock

ROSTER_BACK, ROSTER_AHEAD = timedelta(days=30), timedelta(days=30)
LOGINS_FILE = "demo-logins.txt"
ALL_DAYS = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Person:
    """One employee of the demo: log-in, posts, department, skills and the weekdays off (0 = Monday)."""

    login: str
    post: str
    name: str
    department: str
    shift: str
    off: frozenset[int]
    skills: dict[str, int] = field(default_factory=dict)


DEPARTMENTS = {
    "SERVICE": "客户服务部",
    "REPAIR": "维修部",
    "TECH": "技术部",
    "PARTS": "备件部",
    "FINANCE": "财务部",
    "QUALITY": "质量监督部",
    "HR": "培训与人事部",
    "MANAGEMENT": "管理层",
}
DESK = {"reception": 3, "inspection_walk": 3, "estimate": 3, "dms": 3, "sanbao": 2, "privacy": 2}
# login, post, department, shift, weekdays off, skills; the names come from each store's own list
TEAM: tuple[tuple[str, str, str, str, tuple[int, ...], dict[str, int]], ...] = (
    ("receptionist", "receptionist", "SERVICE", "D", (1,), {"reception": 4, "dms": 3, "privacy": 2, "complaint": 2}),
    ("receptionist2", "receptionist", "SERVICE", "B", (4,), {"reception": 3, "dms": 3}),
    ("advisor", "advisor", "SERVICE", "A", (0,), DESK | {"estimate": 4}),
    ("advisor2", "advisor", "SERVICE", "B", (2,), DESK),
    ("advisor3", "advisor", "SERVICE", "A", (3,), DESK | {"inspection_walk": 4}),
    ("advisor4", "advisor", "SERVICE", "B", (4,), DESK | {"reception": 2}),
    ("foreman", "foreman", "REPAIR", "A", (2,), {"engine": 4, "chassis": 4, "hv": 3, "dms": 3, "fire": 3}),
    ("foreman2", "foreman", "REPAIR", "B", (5, 6), {"engine": 3, "body": 4, "dms": 3}),
    ("leader", "leader", "REPAIR", "A", (1,), {"engine": 4, "chassis": 4, "aircon": 3, "tyres": 3}),
    ("technician", "technician", "REPAIR", "A", (0,), {"engine": 4, "chassis": 4, "aircon": 3, "hv": 3}),
    ("technician2", "technician", "REPAIR", "A", (1,), {"engine": 3, "chassis": 4, "tyres": 4, "hv": 3}),
    ("technician3", "technician", "REPAIR", "B", (2,), {"engine": 4, "aircon": 4, "hv": 4, "chassis": 3}),
    ("technician4", "technician", "REPAIR", "A", (6,), {"body": 4, "paint": 3}),
    ("technician5", "technician", "REPAIR", "A", (3,), {"engine": 3, "chassis": 3, "tyres": 3, "hv": 3}),
    ("technician6", "technician", "REPAIR", "B", (4,), {"paint": 4, "body": 3, "tyres": 2, "engine": 3}),
    ("inspector", "inspector", "QUALITY", "B", (0,), {"qc": 4, "engine": 4, "chassis": 4}),
    ("inspector2", "inspector", "QUALITY", "A", (3,), {"qc": 3, "engine": 3, "body": 3}),
    ("techdirector", "techdirector", "TECH", "A", (5, 6), {"engine": 4, "chassis": 4, "hv": 4, "aircon": 4}),
    ("supervisor", "supervisor", "QUALITY", "A", (5, 6), {"qc": 3, "complaint": 4, "dms": 3}),
    ("parts", "parts", "PARTS", "A", (2,), {"dms": 3, "waste": 2, "fire": 2}),
    ("warranty", "warranty", "SERVICE", "A", (5, 6), {"sanbao": 4, "dms": 3}),
    ("cashier", "cashier", "FINANCE", "D", (3,), {"dms": 3, "privacy": 2}),
    ("cashier2", "cashier", "FINANCE", "B", (0,), {"dms": 2}),
    ("accountant", "accountant", "FINANCE", "A", (5, 6), {"dms": 3}),
    ("care", "care", "SERVICE", "B", (6,), {"complaint": 3, "privacy": 3, "dms": 3}),
    ("safety", "safety", "MANAGEMENT", "A", (5, 6), {"fire": 4, "waste": 4, "hv": 3}),
    ("hr", "hr", "HR", "A", (5, 6), {"privacy": 4, "dms": 3}),
    ("manager", "manager", "MANAGEMENT", "B", (0,), {"complaint": 4, "sanbao": 4, "estimate": 4}),
    ("gm", "gm", "MANAGEMENT", "A", (5, 6), {"complaint": 3}),
    ("admin", "admin", "MANAGEMENT", "A", (5, 6), {"dms": 4, "privacy": 3}),
)
FIRST_NAMES = (
    "苏晴",
    "纪蓝",
    "林晓",
    "陈思",
    "袁博",
    "唐悦",
    "蒋涛",
    "武刚",
    "周岩",
    "高远",
    "马骏",
    "袁野",
    "钱峰",
    "孙毅",
    "何川",
    "沈静",
    "柯严",
    "顾明远",
    "梁雨",
    "郭丰",
    "丁洁",
    "许诺",
    "郝佳",
    "薛文",
    "叶晴岚",
    "鲁安",
    "温岚",
    "高敏",
    "邵宏",
    "程一",
)
OTHER_NAMES = (
    "江若溪",
    "米兰",
    "方晓彤",
    "白帆",
    "罗一鸣",
    "夏知秋",
    "石磊",
    "包容",
    "康健",
    "熊伟",
    "龙飞扬",
    "汪洋",
    "田野",
    "段誉之",
    "黎明",
    "尹素",
    "严谨",
    "卢致远",
    "贺兰",
    "姚远",
    "戴月",
    "秦真",
    "金满",
    "邹和",
    "任欢",
    "常平",
    "章慧",
    "傅诚",
    "史进之",
    "阮一",
)
BAYS = (
    ("1", "1 号快保通道", "Quick lane 1", BayCapability.QUICK_LUBE),
    ("2", "2 号举升", "Lift 2", BayCapability.STANDARD_LIFT),
    ("3", "3 号举升", "Lift 3", BayCapability.STANDARD_LIFT),
    ("4", "4 号举升", "Lift 4", BayCapability.EV_DIAGNOSTIC),
    ("5", "5 号四轮定位", "Alignment 5", BayCapability.ALIGNMENT_RACK),
    ("6", "6 号钣金", "Body bay 6", BayCapability.BODY_AND_FRAME),
    ("7", "7 号烤漆房", "Paint booth 7", BayCapability.PAINT),
    ("8", "8 号洗车美容", "Wash bay 8", BayCapability.DETAIL_AND_WASH),
)
QUICK_PLACES = 3
"""Cars that stand in the quick-service lane at once."""
TOOLS = (
    ("T1", "诊断仪 1", "Scan tool 1", ToolKind.SCAN_TOOL),
    ("T2", "冷媒加注机", "A/C station", ToolKind.AC_STATION),
    ("T3", "正时专用工具", "Timing kit", ToolKind.TIMING_KIT),
    ("T4", "变速箱托举器", "Gearbox jack", ToolKind.GEARBOX_JACK),
    ("T5", "动力电池举升平台", "Battery lift", ToolKind.BATTERY_LIFT),
    ("T6", "绝缘测试仪", "Insulation tester", ToolKind.INSULATION_TESTER),
)
SHIFTS = (
    ("A", "早班", time(8), time(17), time(12), time(13)),
    ("B", "晚班", time(9), time(18), time(12), time(13)),
    ("D", "前台班", time(8), time(18), time(13), time(14)),
)
HOLIDAYS = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}
# price below → pieces (or litres, grams) on the shelf at the opening
OPENING_STOCK = ((Decimal(5), 20000), (Decimal(100), 400), (Decimal(300), 60), (Decimal(1000), 16), (Decimal(5000), 4))
# part: how it is traced, its bin, and what lies there: number of the batch or the piece → quantity
TRACED: dict[str, tuple[Tracing, str, dict[str, int]]] = {
    "HV-BAT-PACK": (Tracing.SERIAL, "H-01", {"LX62-260318-0417": 1, "LX62-260405-0096": 1}),
    "TRN-ASSY-01": (Tracing.SERIAL, "H-02", {"AT8-25K-10342": 1, "AT8-25K-10388": 1}),
    "FLD-BRK-1L": (Tracing.BATCH, "C-09", {"DOT4-2607A": 48, "DOT4-2609C": 60}),
}
ONE_USED = {"TRN-ASSY-U1": (1, "H-03")}
"""A single used assembly; it has no number of its maker any more."""
CLOSED_DAYS = {"New Year's Day": 1, "Spring Festival": 3, "National Day": 1}
"""How many days of a holiday the shop is closed; on the other ones it opens from 9 to 16."""


def make_demo_stores(*, count: int = 2, by: Actor | None = None) -> list[Store]:
    """The stores of the demo: 滨江店 (BJ01) and 南湖店 (NH02) of two fictional brands, more with numbers.

    A store that is there already is only topped up (rosters up to 30 days ahead). The general manager and the
    administrator of the first store hold their posts in the others too.
    """
    actor = by or machine("demo")
    named = [("BJ01", "滨江店", "星河"), ("NH02", "南湖店", "远山")]
    named += [(f"S{n:03d}", f"{n} 号店", "星河" if n % 2 else "远山") for n in range(3, count + 1)]
    stores = [make_store(code=code, name=name, brand=brand, by=actor) for code, name, brand in named[:count]]
    for store in stores[1:]:
        for login in ("gm", "admin"):
            employee = Employee.objects.get(user__username=login)
            if not employee.posts.filter(store=store).exists():
                employees.give_post(
                    employee_uid=employee.uid,
                    post_code=login,
                    starts_on=employee.hired_on,
                    store=store,
                    by=actor,
                )
    write_logins()
    return stores


@transaction.atomic
def make_store(*, code: str, name: str, brand: str, by: Actor | None = None) -> Store:
    """One whole store, open since two years; made once, later calls top its rosters up. Days are the store's."""
    actor = by or machine("demo")
    store = Store.objects.filter(code=code).first()
    if store is not None:
        extend_rosters(store=store, by=actor)
        return store
    store = open_store(
        code=code,
        name=name,
        brand=brand,
        by=actor,
        company=f"{name.removesuffix('店')}{brand}汽车销售服务有限公司",
        uscc="91310000MA1K000006" if code == "BJ01" else "91350100M000100Y43",
        address=f"示例市{name.removesuffix('店')}路 {100 + len(code)} 号",
        phone="010-5550-0100" if code == "BJ01" else "010-5550-0200",
        complaint_phone="400-555-0110",
    )
    _hours(store, actor)
    people = _people(store, actor)
    _resources(store, people, actor)
    seed_store(store)
    _stock(store)
    allot_certificates(prefix=f"DEMO{store.code}", first=1, last=9999, by=machine("demo", store_id=store.pk))
    extend_rosters(store=store, by=actor)
    return store


def _hours(store: Store, by: Actor) -> None:
    for weekday in range(7):
        set_opening_hours(
            store=store,
            weekday=weekday,
            opens=time(8),
            closes=time(18),
            break_from=time(12),
            break_to=time(13),
            by=by,
        )
    day, last, in_a_row = clock.today() - timedelta(days=400), clock.today() + timedelta(days=400), 0
    while day <= last:
        known = statutory_day(day)
        in_a_row = in_a_row + 1 if known.kind == DayKind.HOLIDAY else 0
        if in_a_row:
            closed = in_a_row <= CLOSED_DAYS.get(known.name, 0)
            set_calendar_day(
                store=store,
                day=day,
                name=HOLIDAYS.get(known.name, known.name),
                opens=None if closed else time(9),
                closes=None if closed else time(16),
                by=by,
            )
        day += timedelta(days=1)
    for shift_code, name, starts, ends, break_from, break_to in SHIFTS:
        rosters.define_shift(
            store=store,
            code=shift_code,
            name=name,
            starts=starts,
            ends=ends,
            break_from=break_from,
            break_to=break_to,
            by=by,
        )


def _team(store: Store) -> list[Person]:
    first = store.code == "BJ01"
    return [
        Person(
            login if first else f"{login}.{store.code.lower()}", post, name, department, shift, frozenset(off), skills
        )
        for (login, post, department, shift, off, skills), name in zip(
            TEAM, FIRST_NAMES if first else OTHER_NAMES, strict=True
        )
    ]


def _people(store: Store, by: Actor) -> dict[str, Employee]:
    for department, name in DEPARTMENTS.items():
        employees.open_department(store=store, code=department, name=name, by=by)
    hashed = make_password(demo_password())
    hired_on = clock.today() - timedelta(days=730)
    people = {}
    for number, person in enumerate(_team(store), 1):
        user = User.objects.create(username=person.login, name=person.name, store=store, password=hashed)
        employee = employees.hire_employee(
            store=store,
            department_code=person.department,
            name=person.name,
            number=f"{store.code}{number:03d}",
            hired_on=hired_on,
            phone=f"1390000{store.pk % 10}{number:03d}",
            user=user,
            by=by,
        )
        employees.give_post(employee_uid=employee.uid, post_code=person.post, starts_on=hired_on, by=by)
        for skill, level in person.skills.items():
            certified = skill in {"hv", "qc"} and level >= 3
            employees.grade_skill(
                employee_uid=employee.uid,
                skill_code=skill,
                level=level,
                certificate_number=f"DEMO-{skill.upper()}-{number:03d}" if certified else "",
                # one certificate of each store runs out soon, so that the warning is seen
                valid_until=clock.today() + timedelta(days=40 if person.login.startswith("technician3") else 400)
                if certified
                else None,
                by=by,
            )
        people[person.login] = employee
    return people


def _resources(store: Store, people: dict[str, Employee], by: Actor) -> None:
    for position, (code, name, name_en, capability) in enumerate(BAYS, 1):
        add_resource(
            store=store,
            kind=ResourceKind.BAY,
            code=code,
            name=name,
            name_en=name_en,
            capability=capability,
            position=position,
            capacity=QUICK_PLACES if capability == BayCapability.QUICK_LUBE else 1,
            by=by,
        )
    technicians = [employee for login, employee in people.items() if login.startswith("technician")]
    for position, employee in enumerate(technicians, 1):
        add_resource(
            store=store,
            kind=ResourceKind.PERSON,
            code=employee.number,
            name=employee.name,
            employee_uid=employee.uid,
            position=position,
            by=by,
        )
    for position, (code, name, name_en, tool) in enumerate(TOOLS, 1):
        add_resource(
            store=store,
            kind=ResourceKind.TOOL,
            code=code,
            name=name,
            name_en=name_en,
            tool=tool,
            position=position,
            by=by,
        )
    for position in (1, 2):
        add_resource(
            store=store,
            kind=ResourceKind.LOAN_CAR,
            code=f"LC{position}",
            name=f"代步车 {position}（{store.brand}）",
            plate=f"京A9{store.pk % 10}D{position}0",
            name_en=f"Loan car {position} ({store.brand})",
            position=position,
            by=by,
        )


def _stock(store: Store) -> None:
    """Opening stock: plenty of what is cheap, little of what is dear, so that some work waits for parts; a few assemblies
    by their serial numbers."""
    by = machine("demo", store_id=store.pk)
    _stock_by_number(store, by)
    liquids = open_warehouse(code="OIL", name="油品库", by=by)
    prices = PartPrice.objects.filter(store=store).select_related("part").order_by("part__number")
    for position, price in enumerate(prices):
        quantity = next((q for limit, q in OPENING_STOCK if price.price < limit), 0)
        quantity, place = ONE_USED.get(price.part.number, (quantity, ""))
        if quantity and price.part.number not in TRACED:
            movement = receive_stock(
                part_uid=price.part.uid,
                quantity=Decimal(quantity),
                unit_cost=(price.price * Decimal("0.62")).quantize(Decimal("0.01")),
                reason="期初入库",
                bin=place or f"{chr(65 + position % 6)}-{position // 6 + 1:02d}",
                by=by,
            )
            if price.part.unit in ("升", "克") and movement.place:  # drums stand apart, a part of them is at hand
                transfer_stock(
                    from_uid=movement.place.uid, quantity=Decimal(quantity) * 3 / 4, to_warehouse_uid=liquids.uid,
                    to_bin=f"T-{position + 1:02d}", by=by,
                )  # fmt: skip


def _stock_by_number(store: Store, by: Actor) -> None:
    """What a recall must find again is traced from its first receipt (3.2)."""
    prices = PartPrice.objects.filter(store=store, part__number__in=TRACED).select_related("part")
    for price in prices.order_by("part__number"):
        how, place, there = TRACED[price.part.number]
        if price.part.tracing != how:
            set_tracing(part_uid=price.part.uid, tracing=how, by=by)
        for code, quantity in there.items():
            receive_stock(
                part_uid=price.part.uid,
                quantity=Decimal(quantity),
                unit_cost=(price.price * Decimal("0.62")).quantize(Decimal("0.01")),
                reason="期初入库",
                bin=place,
                lots=[code],
                by=by,
            )


@transaction.atomic
def extend_rosters(*, store: Store, by: Actor, first: date | None = None, last: date | None = None) -> int:
    """Plans the empty days of everybody from 30 days back to 30 days ahead (or the given days). Returns new rows."""
    start, end = first or clock.today() - ROSTER_BACK, last or clock.today() + ROSTER_AHEAD
    before = RosterDay.objects.filter(store=store).count()
    staff = {e.user.username: e for e in Employee.objects.filter(store=store, left_on=None).select_related("user")}
    for person in _team(store):
        employee = staff.get(person.login)
        if employee is not None:
            week = {weekday: None if weekday in person.off else person.shift for weekday in ALL_DAYS}
            rosters.plan_roster(
                employee_uid=employee.uid, first=max(start, employee.hired_on), last=end, week=week, by=by
            )
    return RosterDay.objects.filter(store=store).count() - before


def _logins_path() -> Path:
    return Path(settings.VAR_DIR) / LOGINS_FILE


def demo_password() -> str:
    """The one password of this installation's demo log-ins: random, made once, kept in the log-ins file (mode 600)."""
    path = _logins_path()
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("password: "):
                return line.removeprefix("password: ").strip()
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    password = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(3))
    _write(path, [f"password: {password}"])
    return password


def _write(path: Path, lines: Sequence[str]) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_logins() -> Path:
    """Writes the log-ins with their posts into ``VAR_DIR/demo-logins.txt``; the password stays as it is."""
    posts = {code: (zh, en) for code, zh, en in POSTS}
    lines = ["Demo log-ins (one password for all) · 演示账号（密码相同）", f"password: {demo_password()}"]
    for store in Store.objects.order_by("code"):
        lines += ["", f"{store.code} {store.name}"]
        for person in _team(store):
            zh, en = posts[person.post]
            lines.append(f"  {person.login:<20} {person.name}  {zh} · {en}")
    _write(_logins_path(), lines)
    return _logins_path()
