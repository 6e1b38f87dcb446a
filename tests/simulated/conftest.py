"""A shop that ran for some days, in a database of its own that all tests of this folder share.

``manage.py simulate`` makes it once, as the application's role; then it goes on until noon of the next day, and gets rows
that a simulated shop doesn't make. Each test looks at it at that noon; what a test writes is taken back.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email.message import EmailMessage
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test.utils import override_settings
from django.utils import translation
from PIL import Image

from dealership.catalogue.models import Operation, Part, Resource
from dealership.catalogue.services.prices import price_part, set_part_price
from dealership.catalogue.services.replacements import replace_part
from dealership.exchange.services import imports
from dealership.exchange.services.clients import create_api_client
from dealership.exchange.services.simulator import Simulation, some_vin
from dealership.kernel import clock, holidays, registry, stores
from dealership.kernel.actors import Actor, machine
from dealership.kernel.history import record
from dealership.kernel.models import PublicDayKind, Store, User
from dealership.kernel.services import actor_of, ask_approval
from dealership.process.services.rollup import recompute_day
from delivery.services.deposits import take_deposit
from delivery.services.sales import take_sale_payment
from reception.models import Visit
from reception.services import (
    calendars,
    consultations,
    customers,
    mail,
    merging,
    quotations,
    transports,
    vehicles,
    visits,
    waiting,
    walkarounds,
)
from reception.services.vehicles import correct_vehicle, note_use
from staff.models import Employee
from staff.services import employees
from tests.conftest import _drop, _schema_hash, _use_database, owner_sql
from tests.factories import not_new
from tests.factories import sheets as check_sheets
from tests.factories.accidents import assessed_below, make_assessed
from tests.factories.away import make_away_wait
from tests.factories.dirty_files import as_csv, dirty_rows
from tests.factories.loans import make_loan_trip
from tests.factories.packages import put_package_on
from tests.factories.reminders import make_date_reminder
from tests.factories.returns import come_back
from tests.factories.wishes import make_wish
from tests.factories.workshop import Shop, make_received_visit
from workshop import events as workshop_events
from workshop.day_six_models import DaySixCare
from workshop.models import OrderLine, RepairOrder, ToolAsset, Warehouse
from workshop.services import (
    advice,
    authorizations,
    blocking,
    campaigns,
    claims,
    cores,
    counting,
    day_six,
    findings,
    lifts,
    orders,
    own_parts,
    proposals,
    purchasing,
    sales,
    screens,
    standing,
    sublets,
    taking_stock,
    tools,
    trials,
    warranty_claims,
    wishes,
)
from workshop.services.wear import enter_wear_term

FIRST, DAYS, CARS, SEED = date(2026, 3, 2), 9, 4, 9
SHANGHAI = ZoneInfo("Asia/Shanghai")
UNTIL = datetime.combine(FIRST + timedelta(days=DAYS - 1), time(16), UTC)
NOON = datetime.combine(FIRST + timedelta(days=DAYS), time(11, 40), SHANGHAI)
WORDS = ["--days", str(DAYS), "--stores", "1", "--cars", str(CARS), "--seed", str(SEED), "--start", str(FIRST)]


@dataclass
class Run:
    """What the run said, as whom it spoke to the database, and which module each of its writes came from."""

    database: str
    said: str = ""
    manual: str = ""
    roles: set[str] = field(default_factory=set)
    writers: Counter[str] = field(default_factory=Counter)


def _innermost(frame: Any) -> str:
    """The module of ours that is nearest to a statement."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.split(".")[0] in registry.OUR_PACKAGES:
            return name
        frame = frame.f_back
    return "?"


@contextlib.contextmanager
def _fresh_database(blocker: Any, name: str) -> Iterator[str]:
    """A migrated and seeded database, used by this process while the block runs."""
    before = connections["default"].settings_dict["NAME"]
    with blocker.unblock(), contextlib.closing(owner_sql()) as owner, owner.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "tpl_{_schema_hash()}" STRATEGY file_copy')
        _use_database(name)
        try:
            yield name
        finally:
            _use_database(before)
            _drop(cursor, name)


def drawn(kind: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (60, 40), "navy").save(out, kind)
    return out.getvalue()


def go_on_until_noon() -> None:
    """Half a day more, so that cars stand at every stage; whoever comes now draws the signature."""
    today = UNTIL.astimezone(SHANGHAI).date()
    signing = partial(walkarounds.sign_walkaround, signature=drawn("PNG"))
    with mock.patch.object(walkarounds, "sign_walkaround", signing):
        Simulation(list(Store.objects.all()), seed=SEED, cars_a_day=lambda _day: 6).run(today, today, NOON, resume=True)


def make_every_kind() -> None:
    """Rows that a simulated shop doesn't make, through the commands of the rooms: pictures, deputy, deposit …"""
    store = Store.objects.get()

    def acting(login: str) -> Actor:
        return actor_of(User.objects.get(username=login), store)

    line = OrderLine.objects.filter(order__visit__state="IN_SHOP", state__in=["AUTHORIZED", "IN_PROGRESS"]).first()
    assert line is not None, "a car is being worked on at noon"
    visits.add_photo(visit_uid=line.order.visit.uid, content=drawn("JPEG"), name="a.jpg", by=acting("advisor"))
    orders.add_line_photo(line_uid=line.uid, content=drawn("JPEG"), by=acting("advisor"))
    if not line.order.sheets.filter(template__code="SHORT").exists():
        check_sheets.pictured(line.order, acting("advisor"))
    payer = Visit.objects.filter(customer__kind="PERSON").order_by("pk")[0].customer
    standing.give_standing_consent(
        customer_uid=payer.uid, up_to=Decimal(500), given_by=payer.name, how="PAPER",
        ends_on=clock.today() + timedelta(days=30), by=acting("advisor"),
    )  # fmt: skip
    dear = orders.add_line(
        order_uid=line.order.uid,
        operation_uid=Operation.objects.get(code="AC-10").uid,
        is_addition=True,
        cause="有异味",
        by=acting("advisor"),
    )
    brought = orders.add_part(
        line_uid=dear.uid, part_uid=Part.objects.get(number="WIP-PAIR-01").uid, quantity=Decimal(1),
        kind="CUSTOMER_SUPPLIED", by=acting("advisor"),
    )  # fmt: skip
    own_parts.check_own_part(
        part_line_uid=brought.uid, condition="NEW", packaging="OPENED", damaged=False, fits=True, photo=drawn("JPEG"),
        by=acting("advisor"),
    )  # fmt: skip
    makers = orders.add_line(
        order_uid=line.order.uid, description="更换水泵", hours=Decimal(1), pay_type="WARRANTY", is_addition=True,
        cause="渗漏", by=acting("advisor"),
    )  # fmt: skip
    orders.send_estimate(order_uid=line.order.uid, by=acting("advisor"))
    orders.withdraw_estimate(order_uid=line.order.uid, reason="价格要改", by=acting("advisor"))
    orders.send_estimate(order_uid=line.order.uid, by=acting("advisor"))
    later = {"promised_at": clock.now() + timedelta(hours=30), "reason": "等备件", "told": "NOT_YET"}
    orders.change_promise(order_uid=line.order.uid, **later, by=acting("advisor"))
    orders.tell_promise(order_uid=line.order.uid, how="PHONE", told_to="示例客户", by=acting("advisor"))
    warranty_claims.open_warranty_claim(order_uid=line.order.uid, line_uids=[makers.uid], by=acting("warranty"))
    authorizations.decide_lines(
        order_uid=line.order.uid,
        decisions={dear.uid: (False, "太贵")},
        method="VERBAL_PHONE",
        authorized_by=line.order.visit.contact_name,
        note="电话里逐项确认",
        by=acting("advisor"),
    )
    advice.keep_advice(visit_uid=line.order.visit.uid, by=machine("advice", store_id=store.pk))
    make_wish(line.order.visit, "EN-40")
    note_use(uid=line.order.vehicle.uid, hard_uses=["TAXI"], by=acting("advisor"))
    no, yes = (make_wish(line.order.visit, code) for code in ("TY-20", "TY-30"))
    wishes.decline_wish(uid=no.uid, answer="今天来不及", by=acting("advisor"))
    wishes.take_wishes(order_uid=line.order.uid, wish_uids=[yes.uid], by=acting("advisor"))
    orders.add_line(
        order_uid=line.order.uid,
        operation_uid=Operation.objects.get(code="EL-10").uid,
        is_addition=True,
        cause="刮不干净",
        by=acting("advisor"),
    )
    orders.send_estimate(order_uid=line.order.uid, by=acting("advisor"))
    absent, deputy = (Employee.objects.get(user__username=login) for login in ("foreman", "leader"))
    employees.appoint_deputy(
        absent_uid=absent.uid,
        deputy_uid=deputy.uid,
        post_code="foreman",
        starts_on=clock.today() + timedelta(days=1),
        ends_on=clock.today() + timedelta(days=2),
        reason="培训",
        by=acting("hr"),
    )
    ask_approval(kind="discount", root=line, store=store, reason="老客户", amount=Decimal(50), by=acting("advisor"))
    take_deposit(order_uid=line.order.uid, method="CASH", amount=Decimal(200), by=acting("cashier"))
    gone = Visit.objects.filter(state="DEPARTED", vehicle__ownerships__ends_on__isnull=True).order_by("pk").first()
    assert gone is not None, "a car with a known owner has left"
    make_date_reminder(gone, by=acting("care"))
    create_api_client(name="财务系统", stores=[store], scope=["events:read"], by=acting("admin"))
    stores.set_calendar_day(store=store, day=clock.today() + timedelta(days=20), name="盘点", by=acting("hr"))
    holidays.set_public_day(
        day=clock.today() + timedelta(days=25), kind=PublicDayKind.HOLIDAY, name="节日", by=acting("hr")
    )
    twins = [
        [customers.register_customer(name=name, phone=phone, by=acting("receptionist")) for _each in range(2)]
        for name, phone in (("章示例", "13900008801"), ("简示例", "13900008802"))
    ]
    merging.find_duplicates()
    kept, merged = twins[0]
    merging.merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=acting("manager"))
    consultations.register_consultation(
        channel="PHONE",
        body="首保要多久？",
        contact_name="章示例",
        contact_phone="13900008803",
        by=acting("receptionist"),
    )
    wished = {
        "first_day": clock.today() + timedelta(days=3),
        "concern": "首保",
        "plate": "京A00919",
        "model_text": "途远",
    }
    waiting.join_waiting_list(contact_name="章示例", contact_phone="13900008803", by=acting("receptionist"), **wished)
    waiting.offer_times(store=store)
    calendars.issue_calendar(by=acting("advisor"))
    consultations.save_template(title="首保时长", topic="OTHER", body="您好，首保约一小时。", by=acting("manager"))
    letter = EmailMessage()
    letter["From"] = "asks@example.com"
    letter.set_content("见附件")
    letter.add_attachment(drawn("JPEG"), maintype="image", subtype="jpeg", filename="a.jpg")
    mail.take_mail(raw=letter.as_bytes(), received_at=clock.now(), by=acting("manager"))
    batch = imports.upload_import(content=as_csv(dirty_rows(3, 12)), file_name="客户.csv", by=acting("manager"))
    imports.read_import(uid=batch.uid)
    screens.add_screen(name="大厅", by=acting("foreman"))
    screens.add_screen(name="工具间平板", kind="KIOSK", by=acting("foreman"))
    away = customers.register_customer(name="章示例", phone="13900008804", by=acting("receptionist"))
    fetched = vehicles.register_vehicle(
        plate="京A00939", model_text="途远", owner_uid=away.uid, by=acting("receptionist")
    )
    transports.plan_transport(
        kind="PICK_UP",
        vehicle_uid=fetched.uid,
        driver_uid=Employee.objects.get(user__username="advisor").uid,
        starts_at=clock.now() + timedelta(hours=1),
        ends_at=clock.now() + timedelta(hours=2),
        address="示例路 1 号",
        contact_name="章示例",
        contact_phone="13900008804",
        by=acting("receptionist"),
    )
    dropped = visits.register_arrival(
        plate="京A00929",
        contact_name="章示例",
        contact_phone="13900008803",
        model_text="途远",
        need="首保",
        arrival_kind="KEY_DROP",
        key_locker="夜07",
        key_left_at=clock.now() - timedelta(hours=14),
        by=acting("receptionist"),
    )
    visits.greet_visit(uid=dropped.uid, by=acting("advisor"))
    walkarounds.save_walkaround(visit_uid=dropped.uid, odometer_km=900, energy_eighths=4, by=acting("advisor"))
    walkarounds.send_walkaround(visit_uid=dropped.uid, by=acting("advisor"))
    pads = Part.objects.get(number="BRK-PAD-F").uid
    wanted = [(pads, Decimal(2), Decimal(340))]
    spare = Part.objects.exclude(uid=pads).order_by("pk").values_list("uid", flat=True)[0]
    replace_part(part_uid=pads, other_uid=spare, kind="STAND_IN", by=acting("parts"))
    purchasing.order_parts(supplier="示例备件", expected_on=clock.today(), lines=wanted, by=acting("parts"))
    tried = Part.objects.get(number="TYR-PATCH").uid
    trials.lend_part(part_uid=tried, order_uid=line.order.uid, employee_uid=absent.uid, by=acting("parts"))
    at_work = (
        OrderLine.objects.filter(order__store=store, state__in=("AUTHORIZED", "IN_PROGRESS")).order_by("pk").first()
    )
    assert at_work is not None
    findings.ask_for(line_uid=at_work.uid, need="PARTS", note="卡扣", by=acting("leader"))
    outside = {
        "line_uid": line.uid, "supplier": "示例机加工厂", "work": "磨平", "leaves": "PART", "item": "缸盖",
        "agreed_cost": Decimal(300), "expected_at": clock.now() + timedelta(hours=4), "by": acting("foreman"),
    }  # fmt: skip
    firms = sublets.order_sublet(**outside)
    sublets.send_sublet(uid=firms.uid, by=acting("foreman"))
    sublets.take_back_sublet(uid=firms.uid, by=acting("foreman"))
    sublets.check_sublet(uid=firms.uid, ok=True, by=acting("foreman"))
    sublets.bill_sublet(uid=firms.uid, final_cost=Decimal(300), bill=drawn("JPEG"), by=acting("foreman"))
    for sold in (True, False):
        sale = sales.begin_sale(by=acting("parts"))
        sales.put_on_sale(uid=sale.uid, code="TYR-PATCH", by=acting("parts"))
        if sold:
            sale = sales.sell(uid=sale.uid, by=acting("parts"))
            take_sale_payment(sale_uid=sale.uid, method="CASH", amount=Decimal(1), by=acting("cashier"))
    wipers = Part.objects.get(number="WIP-PAIR-01")
    price = price_part(wipers, store.pk)
    set_part_price(
        store=store, part=wipers, price=price, core=Decimal(20), starts_on=clock.today(), by=acting("manager")
    )  # fmt: skip
    sale = sales.begin_sale(by=acting("parts"))
    sales.put_on_sale(uid=sale.uid, code=wipers.number, quantity=Decimal(3), by=acting("parts"))
    core = sales.sell(uid=sale.uid, by=acting("parts")).lines.get().core
    for sent in (True, False):
        came = cores.take_core(core_uid=core.uid, quantity=Decimal(1), brought_by="散客", by=acting("parts"))
        if sent:
            cores.send_core(uid=came.uid, reference="SF-1", by=acting("parts"))
    main = Warehouse.objects.get(store=store, code="MAIN")
    taken = taking_stock.start_take(warehouse_uid=main.uid, by=acting("parts"))
    lying = taken.lines.select_related("place__item__part").order_by("pk").first()
    assert lying is not None
    taking_stock.count_line(
        uid=taken.uid,
        part=lying.place.item.part.number,
        bin=lying.place.bin or "-",
        counted=Decimal(1),
        by=acting("parts"),
    )
    count = counting.start_count(by=acting("parts"))
    counting.see_tool(uid=count.uid, number="G-0001", by=acting("parts"))
    pictured = tools.register_tool(
        number="G-0099", name="数字万用表", kind="MULTIMETER", place="工具间", keeper_uid=absent.uid,
        photo=drawn("JPEG"), by=acting("techdirector"),
    )  # fmt: skip
    tools.check_tool(
        uid=pictured.uid, done_on=clock.today(), result="PASSED", body="市计量测试所", certificate_number="JL-99",
        certificate=drawn("JPEG"), by=acting("techdirector"),
    )  # fmt: skip
    free = ToolAsset.objects.filter(store=store, kind="LIFT", state="AVAILABLE")
    lift = free.exclude(rounds__kind="DAILY", rounds__done_on=clock.today()).order_by("pk").first()
    assert lift is not None
    lifts.record_round(uid=lift.uid, kind="DAILY", by=acting("techdirector"))
    bay = Resource.objects.filter(store=store, kind="BAY").order_by("-pk").first()
    assert bay is not None
    late = clock.now() + timedelta(days=3)
    blocking.block_bay(
        bay_uid=bay.uid, starts_at=late, ends_at=late + timedelta(hours=1), reason="校准", by=acting("foreman")
    )
    proposals.work_out(uid=proposals.ask_proposal(by=acting("foreman")).uid)
    care = DaySixCare.objects.create(
        order=line.order, kind="LOAN_CAR", starts_on=clock.today(), loan_plate="京AB0001", given_at=clock.now()
    )
    with transaction.atomic():
        record(care, workshop_events.DAY_SIX_GIVEN, by=acting("advisor"), kind=care.kind, starts_on=care.starts_on)
    done = RepairOrder.objects.filter(stage="CLOSED").order_by("pk").first()
    assert done is not None, "a car has left"
    day_six.hand_out_record(order_uid=done.uid, receiver="李试", by=acting("advisor"))
    listed = campaigns.open_campaign(
        number="ZH-2026-01",
        kind="CAMPAIGN",
        title="近光灯升级",
        measure="更换近光灯总成",
        operation_uid=Operation.objects.get(code="EL-20").uid,
        by=acting("warranty"),
    )
    here = line.order.visit
    car = (
        here.vehicle
        if here.vehicle.vin
        else correct_vehicle(uid=here.vehicle.uid, vin=some_vin(here.vehicle.plate), by=acting("advisor"))
    )
    campaigns.add_vins(uid=listed.uid, vins=[car.vin], by=acting("warranty"))
    campaigns.answer_campaign(
        uid=listed.vehicles.get().uid, visit_uid=here.uid, reply="DECLINED", told_to="李试", by=acting("advisor")
    )
    house = Shop(store, acting("advisor"), acting("manager"), Employee.objects.get(user__username="advisor"))
    make_assessed(house, make_received_visit(house, plate="京A00949"))
    assessed_below(house)
    not_new.agreed(house)
    back = come_back(acting("advisor"))
    claims.open_claim(
        vehicle_uid=back.vehicle.uid,
        customer_uid=back.visit.customer.uid,
        remedy="FREE_REPAIR",
        words="要求免费修理",
        by=acting("advisor"),
    )
    parted = make_away_wait(acting("advisor"))
    put_package_on(parted.order, manager=acting("manager"), by=acting("advisor"))
    make_loan_trip(acting("advisor"), signature=drawn("PNG"), photos=[drawn("JPEG")])
    enter_wear_term(
        kind="TYRE", months=6, km=10_000, starts_on=clock.today(), source="示例三包凭证", by=acting("warranty")
    )
    work = Operation.objects.filter(code="MT-10").values_list("uid", flat=True)
    quotations.give_quotation(operation_uids=list(work), contact_name="邓示例", by=acting("receptionist"))


@pytest.fixture(scope="package")
def run(
    django_db_setup: None, django_db_blocker: Any, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    files: Path = tmp_path_factory.mktemp("simulated")
    with (
        _fresh_database(django_db_blocker, f"test_{os.getpid()}_{worker_id}_run") as name,
        override_settings(VAR_DIR=files, MEDIA_ROOT=files / "files"),
    ):
        found = Run(name)

        def look(execute: Any, sql: str, *given: Any) -> Any:
            if sql.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE", "WITH"):
                found.writers[_innermost(sys._getframe(1))] += 1
            return execute(sql, *given)

        said = StringIO()
        with connection.execute_wrapper(look):
            call_command("simulate", *WORDS, stdout=said)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            found.roles.add(cursor.fetchone()[0])
        go_on_until_noon()
        with clock.moved_to(NOON):
            make_every_kind()
            recompute_day(store_id=Store.objects.get().pk, day=NOON.date())  # who came at noon is counted too
        connection.close()
        found.said = said.getvalue()
        yield found


@pytest.fixture(autouse=True)
def _at_the_end_of_the_run(run: Run) -> Iterator[None]:
    with clock.moved_to(NOON), translation.override("en"):
        yield
