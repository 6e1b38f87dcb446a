"""The demo dealership: its stores, its last days, and what is added on later starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Min, Q, QuerySet

from dealership.catalogue.models import Operation, Part, ServicePackage
from dealership.catalogue.seeds import seed_store
from dealership.catalogue.services.packages import set_package, single_price
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import History, PeriodicRun, Store
from delivery.services.sales import take_sale_payment
from reception.models import CustomerTag
from reception.services.tags import define_tag
from workshop.models import CertificateRange, CounterSale, PurchaseOrder
from workshop.services.inspections import allot_certificates
from workshop.services.purchasing import order_parts
from workshop.services.sales import begin_sale, put_on_sale, sell
from workshop.services.stock import stock_up
from workshop.services.suppliers import correct_supplier, enter_supplier
from workshop.supplier_models import Supplier

from .demo_knowledge import write_knowledge
from .demo_store import extend_rosters, make_demo_stores
from .demo_stories import know_companies, tell_stories
from .demo_tools import equip_tools
from .simulator import Report, Simulation

JOB, MARK, LOCK = "demo", "database", "dealership demo"
DAYS = 14
CARS_A_DAY = {"BJ01": 12, "NH02": 3}
FIRST_ORDER = (("BRK-PAD-F", 8, "340.00"), ("BAT-12V-60", 4, "318.00"), ("TYR-2055516", 12, "262.00"))
PACKAGES = (
    ("TC-01", "小保养轮胎套餐", "Minor service and tyres", "ICE", ("MT-10", "TY-20")),
    ("TC-02", "空调清爽套餐", "Fresh air", "", ("AC-10", "EL-10")),
    ("TC-03", "纯电年度套餐", "Battery car, yearly", "BEV", ("MT-40", "TY-20", "AC-10")),
)
"""Code, name, English name, energy (empty: any) and the work of each package."""
TAGS = (("VIOLET", "大客户"), ("TEAL", "企业用车"), ("GREEN", "老客户介绍"), ("AMBER", "网约车"))
STORIES_IN = "BJ01"
QUIET_DAYS = {"BJ01": 4, "NH02": 1}
"""Cars a day of the last two days, and of the days before: the first start must not take long."""


class NotADemo(Exception):
    """The database holds a dealership that isn't the demo; nothing is simulated into it."""


def mark_demo() -> None:
    """Marks an empty database as a demo, or raises NotADemo."""
    if PeriodicRun.objects.filter(job=JOB, period=MARK).exists():
        return
    with transaction.atomic():
        if Store.objects.exists():
            raise NotADemo("This database holds a dealership that is not the demo. Use an empty database.")
        PeriodicRun.objects.create(job=JOB, period=MARK)


@contextmanager
def one_at_a_time(waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Only one process loads the demo at a time; ``waiting`` is called before waiting for another one.

    The lock belongs to the connection, so that it ends with a process that is killed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [LOCK])
        if not cursor.fetchone()[0]:
            if waiting is not None:
                waiting()
            cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [LOCK])


@contextmanager
def commits_unwaited() -> Iterator[None]:
    """This connection doesn't wait for the disk: a crash loses its last moments at most, and a start goes on from there.

    What is committed after the block is waited for, and with it all that came before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        try:
            yield
        finally:
            cursor.execute("RESET synchronous_commit")


def _marks() -> QuerySet[PeriodicRun]:
    return PeriodicRun.objects.filter(job=JOB).exclude(period=MARK).order_by("period")


def begun_days() -> list[date]:
    """The days of a run that was broken off: begun and not finished, oldest first."""
    periods = _marks().filter(finished_at__isnull=True).values_list("period", flat=True)
    return [date.fromisoformat(period) for period in periods]


def missing_days(today: date) -> list[date]:
    """The days that the demo lacks up to today, oldest first: two weeks at first, later the days since.

    A run that was broken off is among them with its first day, so that it goes on from there.
    """
    begun = begun_days()
    done = _marks().filter(finished_at__isnull=False).values_list("period", flat=True).last()
    if begun:
        first = begun[0]
    elif done:
        first = date.fromisoformat(done) + timedelta(days=1)
    else:
        first = today - timedelta(days=DAYS - 1)
    return [first + timedelta(days=n) for n in range((today - first).days + 1)]


def name_tags(store: Store) -> None:
    """The words by which the store sorts its customers, where it has none yet (2.3)."""
    if CustomerTag.objects.filter(store=store).exists():
        return
    for color, name in TAGS:
        define_tag(name=name, color=color, by=machine("demo", store_id=store.pk))


SUPPLIERS: tuple[dict[str, Any], ...] = (
    {"name": "华东备件中心（示例）", "kind": "PARTS", "contact": "备件调度", "phone": "400-800-0001", "lead_days": 3},
    {"name": "城南轮胎批发（示例）", "kind": "PARTS", "contact": "门市", "phone": "010-88880002", "lead_days": 1},
    {"name": "示例机加工厂", "kind": "WORK", "contact": "车间", "phone": "010-88880003", "lead_days": None},
)


def know_suppliers(store: Store) -> None:
    """The firms that the store buys of, where its register doesn't know them or only their name (3.2)."""
    by = machine("demo", store_id=store.pk)
    for facts in SUPPLIERS:
        there = Supplier.objects.filter(store=store, name=facts["name"]).first()
        if there is None:
            enter_supplier(**facts, by=by)
        elif not there.contact:
            correct_supplier(uid=there.uid, **facts, by=by)


def order_first_parts(store: Store) -> None:
    """One order that is on its way, where the store has ordered nothing yet."""
    if PurchaseOrder.objects.filter(store=store).exists():
        return
    wanted = [(number, Decimal(quantity), Decimal(cost)) for number, quantity, cost in FIRST_ORDER]
    parts = dict(Part.objects.filter(number__in=[number for number, _q, _c in wanted]).values_list("number", "uid"))
    order_parts(
        supplier="华东备件中心（示例）",
        expected_on=clock.today() + timedelta(days=2),
        lines=[(parts[number], quantity, cost) for number, quantity, cost in wanted if number in parts],
        by=machine("demo", store_id=store.pk),
    )


def sell_first_parts(store: Store) -> None:
    """One sale over the counter that is paid, where the store has none yet (3.2)."""
    if CounterSale.objects.filter(store=store).exists():
        return
    by = machine("demo", store_id=store.pk)
    sale = begin_sale(by=by)
    put_on_sale(uid=sale.uid, code="WIP-PAIR-01", by=by)
    sale = sell(uid=sale.uid, by=by)
    take_sale_payment(sale_uid=sale.uid, method="SCAN_CODE", amount=sale.total, by=by)


def offer_packages(store: Store) -> None:
    """Three packages for what the demo's cars are, where the store offers none yet (3.1)."""
    if ServicePackage.objects.filter(store=store).exists():
        return
    today = clock.today(store.time_zone)
    for code, name, name_en, powertrain, works in PACKAGES:
        held = list(Operation.objects.filter(code__in=works))
        price = Decimal(int(single_price(held, store.pk, today) * 86 // 100))
        set_package(
            code=code, name=name, name_en=name_en, price=price, powertrain=powertrain, starts_on=today,
            operation_uids=[work.uid for work in held], by=machine("demo", store_id=store.pk),
        )  # fmt: skip


def equip(stores: list[Store], on: date) -> None:
    """Prices, opening stock, tools, packages and certificate numbers, where a store has none yet."""
    for store in stores:
        by = machine("demo", store_id=store.pk)
        seed_store(store)
        stock_up(store=store, by=by)
        know_suppliers(store)
        order_first_parts(store)
        sell_first_parts(store)
        name_tags(store)
        offer_packages(store)
        know_companies(store)
        equip_tools(store, on)
        if not CertificateRange.objects.filter(store=store).exists():
            first = store.pk * 100_000 + 1
            allot_certificates(prefix="京HG", first=first, last=first + 4999, by=by)


def load_stores(*, count: int = 2) -> list[Store]:
    """The stores of the demo with their people, prices and stock, made once and topped up."""
    mark_demo()
    now, today = clock.now(), clock.today()
    days = 0 if Store.objects.exists() else DAYS + 1
    with clock.moved_to(now - timedelta(days=days)):  # what the shop has is there before its first car comes
        stores = make_demo_stores(count=count)
        equip(stores, today)
    for store in stores:
        write_knowledge(store)
        if days:
            extend_rosters(store=store, by=machine("demo"))
    return stores


def came_to(store: Store, begun_at: datetime) -> datetime | None:
    """The last moment that the run which began at ``begun_at`` (real time) has written for the store's cars, or None."""
    written = History.objects.filter(store_id=store.pk, written_at__gte=begun_at, at__lte=clock.now())
    cars = written.filter(Q(visit_uid__isnull=False) | Q(root_type="appointment"))
    last: datetime | None = cars.aggregate(at=Max("at"))["at"]
    return last


def load_days(days: list[date], *, seed: int = 4, progress: Callable[[datetime], None] | None = None) -> Report | None:
    """Simulates the cars of ``days`` up to now. The days are marked, so that none is loaded twice.

    Where a run of these days was broken off (killed), it goes on from the last moment that was written: cars in the
    shop go on as they stand, and of the rest of the days comes what would have come.
    """
    if not days:
        return None
    begun_at = _marks().filter(finished_at__isnull=True).aggregate(at=Min("started_at"))["at"]
    with transaction.atomic():
        taken = []
        for day in days:
            mark, _made = PeriodicRun.objects.get_or_create(job=JOB, period=day.isoformat())
            if mark.finished_at is None:
                taken.append(day)
    if not taken:
        return None
    until = clock.now()
    report = Report()
    for code, cars in CARS_A_DAY.items():
        store = Store.objects.get(code=code)
        quiet = QUIET_DAYS[code]

        def a_day(day: date, cars: int = cars, quiet: int = quiet) -> int:
            return cars if (until.date() - day).days < 2 else quiet

        simulation = Simulation([store], seed=seed + taken[0].toordinal(), cars_a_day=a_day)
        since = came_to(store, begun_at) if begun_at else None
        if code == STORIES_IN and since is None:
            tell_stories(simulation, simulation.shops[0], taken[-1])
        with commits_unwaited():
            ran = simulation.run(taken[0], taken[-1], until, resume=True, since=since, progress=progress)
        report.cars += ran.cars
        report.steps += ran.steps
        report.refusals += ran.refusals
    _marks().filter(period__in=[day.isoformat() for day in taken]).update(finished_at=until)
    return report
