"""Two stores of one group in full work, made once for the tests of this folder and never committed.

The simulator fills both; what it leaves out (photos, approvals, an import, a complaint, a deputy …) is added through
the commands, so that every kind of row that an address names is there in both stores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import F
from django.test import Client

from dealership.catalogue.models import Operation, Part, PartReplacement, Resource
from dealership.catalogue.services.prices import price_part, set_part_price
from dealership.catalogue.services.replacements import replace_part
from dealership.exchange.services import demo_store
from dealership.exchange.services.clients import create_api_client
from dealership.exchange.services.demo import equip
from dealership.exchange.services.imports import upload_import
from dealership.exchange.services.simulator import Simulation
from dealership.kernel import clock, registry
from dealership.kernel.actors import Actor, machine
from dealership.kernel.holidays import set_public_day
from dealership.kernel.models import Store, User
from dealership.kernel.services import actor_of, grant_role, queue_message
from delivery.services import deposits, followups
from delivery.services.cores import pay_core_back
from delivery.services.sales import take_sale_payment
from quality.services import complaints
from reception.models import Visit, VisitLink
from reception.services import (
    conduct,
    consultations,
    contacts,
    customers,
    knowledge,
    mail,
    merging,
    quotations,
    tags,
    transports,
    visits,
    waiting,
    walkarounds,
)
from staff.models import Employee
from staff.services import employees
from tests.factories import sheets as check_sheets
from tests.factories.accidents import assessed_below, make_assessed, structural
from tests.factories.away import make_away_wait
from tests.factories.cores import make_paid_core
from tests.factories.delivery import make_employee
from tests.factories.loans import make_loan_trip
from tests.factories.packages import put_package_on
from tests.factories.reception import make_picture, make_received_visit, make_vin, make_visit
from tests.factories.reminders import make_date_reminder
from tests.factories.returns import come_back
from tests.factories.warranty import make_warranty_repair
from tests.factories.wishes import make_wish
from tests.factories.workshop import Shop
from workshop.campaign_models import CampaignAnswer, CampaignVehicle
from workshop.day_six_models import DaySixCare, RecordCopy
from workshop.models import Certificate, CertificateRange, Inspection, StockItem, Warehouse
from workshop.services import (
    accidents,
    blocking,
    campaigns,
    claims,
    contracts,
    cores,
    counting,
    differences,
    faults,
    findings,
    gloves,
    lifts,
    orders,
    own_parts,
    part_consents,
    payers,
    proposals,
    sales,
    screens,
    standing,
    stock,
    sublets,
    taking_stock,
    tools,
    trials,
    warranty_claims,
)
from workshop.services.advice import keep_advice
from workshop.services.authorizations import decide_lines
from workshop.services.goodwill import ask_line_goodwill
from workshop.services.wear import enter_wear_term

NOW = datetime(2026, 11, 27, 7, 10, tzinfo=UTC)  # a Friday, ten past three in the store
TODAY = date(2026, 11, 27)
CARS_A_DAY = 3
# Rows that a request may write without changing anything of the dealership: who is signed in, what was answered.
BESIDE = {"django_session", "kernel_idempotencyrecord", "kernel_heartbeat", "exchange_apiclient"}


class World:
    """``ours`` is the store that asks, ``theirs`` the other one."""

    def __init__(self) -> None:
        with pytest.MonkeyPatch.context() as patch, clock.moved_to(NOW - timedelta(days=1, hours=6)):
            patch.setattr(demo_store, "ROSTER_BACK", timedelta(days=1))
            patch.setattr(demo_store, "ROSTER_AHEAD", timedelta(days=4))
            made = [
                demo_store.make_store(code="BJ01", name="北郊店", brand="星河"),
                demo_store.make_store(code="NH02", name="南湖店", brand="远山"),
            ]
            equip(made, clock.today())
        self.ours, self.theirs = made
        self.tables = _tables()
        Simulation(made, seed=11, cars_a_day=lambda _day: CARS_A_DAY).run(TODAY - timedelta(days=1), TODAY, NOW)
        with clock.moved_to(NOW):
            for store in made:
                self.complete(store)
            self.everything = self.all_posts(self.ours)

    def all_posts(self, store: Store) -> User:
        """The manager of the store with every post there: what such a person can't reach, no post can."""
        user = User.objects.get(username="manager" if store == self.ours else "manager.nh02")
        for role in registry.ROLES:
            if not user.role_grants.filter(role=role).exists():
                grant_role(user=user, role=role, store=store, starts_on=TODAY - timedelta(days=9))
        return user

    def login(self, store: Store, post: str) -> str:
        return post if store == self.ours else f"{post}.{store.code.lower()}"

    def actor(self, store: Store, login: str) -> Actor:
        return actor_of(User.objects.get(username=self.login(store, login)), store)

    def complete(self, store: Store) -> None:
        """The kinds of rows that two simulated days don't bring about."""
        desk, advisor, manager = (self.actor(store, post) for post in ("receptionist", "advisor", "manager"))
        system = machine("tests", store_id=store.pk)
        there = make_visit(desk)
        received = visits.greet_visit(uid=make_visit(desk).uid, by=advisor)
        walkarounds.save_walkaround(visit_uid=received.uid, odometer_km=51000, by=advisor)
        walkarounds.add_damage(visit_uid=received.uid, side="LEFT", kind="SCRATCH", by=advisor)
        visits.add_photo(visit_uid=received.uid, content=make_picture(), name="car.jpg", by=advisor)
        customers.record_consent(customer_uid=there.customer.uid, purpose="MARKETING", given=True, by=desk)
        word = tags.define_tag(name=f"名单 {store.code}", color="TEAL", by=manager)
        tags.tag_customer(customer_uid=there.customer.uid, tag_uid=word.uid, by=desk)
        contacts.add_contact(customer_uid=there.customer.uid, name="李试开", roles=["DRIVER"], by=desk)
        standing.give_standing_consent(
            customer_uid=there.customer.uid, up_to=Decimal(500), given_by=there.customer.name, how="PAPER",
            ends_on=clock.today() + timedelta(days=30), by=advisor,
        )  # fmt: skip
        order = orders.open_repair_order(visit_uid=self.signed(store, advisor).uid, complaint="刹车异响", by=advisor)
        deposits.take_deposit(order_uid=order.uid, method="CASH", amount=Decimal(100), by=self.actor(store, "cashier"))
        line = orders.add_line(
            order_uid=order.uid, description="检查异响", hours=Decimal(2), category="MINOR", by=advisor
        )
        orders.add_line_photo(line_uid=line.uid, content=make_picture("red"), by=advisor)
        check_sheets.pictured(order, advisor)
        orders.discount_line(line_uid=line.uid, amount=Decimal(200), reason="老客户", by=advisor)
        kind = orders.add_line(
            order_uid=order.uid, description="异响处理", hours=Decimal(1), pay_type="GOODWILL", by=advisor
        )
        ask_line_goodwill(line_uid=kind.uid, bearer="SHOP", reason="老客户，刚过保", by=advisor)
        declined = orders.add_line(
            order_uid=order.uid, operation_uid=Operation.objects.get(code="AC-10").uid, by=advisor
        )
        orders.send_estimate(order_uid=order.uid, by=advisor)
        decide_lines(
            order_uid=order.uid, decisions={declined.uid: (False, "下次")}, method="VERBAL_PHONE",
            authorized_by="张试", note="电话", by=advisor,
        )  # fmt: skip
        keep_advice(visit_uid=order.visit.uid, by=system)
        make_wish(order.visit, "TY-20")
        put_package_on(make_away_wait(advisor).order, manager=manager, by=advisor)
        make_loan_trip(advisor, signature=make_picture(kind="PNG"), photos=[make_picture()])
        repaired = Inspection.objects.filter(store=store, level="FINAL", result="PASSED").order_by("pk").first()
        assert repaired is not None
        allotted = CertificateRange.objects.filter(store=store).first()
        assert allotted is not None
        CertificateRange.objects.filter(pk=allotted.pk).update(next=allotted.next + 1)
        Certificate.objects.create(
            store=store,
            order=repaired.order,
            range=allotted,
            number=f"{allotted.prefix}{allotted.next:08d}",
            inspector=repaired.inspector,
        )
        gone = Visit.objects.filter(store=store, state="DEPARTED").order_by("pk").first()
        assert gone is not None
        followups.send_survey(visit_uid=gone.uid, by=system)
        make_date_reminder(gone, by=system)
        complaints.open_complaint(
            customer_uid=gone.customer.uid, description="等太久", source="PHONE", visit_uid=gone.uid, by=desk
        )
        self.structure_is_checked(store, advisor)
        self.parts_change_hands(store, advisor)
        self.a_firm_helps(store, advisor)
        returned = come_back(advisor)
        clerk = self.actor(store, "warranty")
        desk_of = Employee.objects.get(user=advisor.user)
        listed = self.signed(store, advisor)
        listed.vehicle.vin = make_vin(7_700_000 + store.pk)  # a list needs it
        listed.vehicle.save(update_fields=["vin"])
        paid = make_paid_core(listed)
        cores.take_core(core_uid=paid.uid, quantity=Decimal(1), brought_by="张试", by=system)
        pay_core_back(core_uid=paid.uid, method="CASH", amount=Decimal(300), by=self.actor(store, "accountant"))
        shop = Shop(store, advisor, manager, desk_of)
        make_assessed(shop, self.signed(store, advisor))
        less = assessed_below(shop)
        differences.bear_difference(
            line_uid=less.uid, agreed_by="沈示例", method="VERBAL_PHONE", note="来电同意", by=advisor
        )
        dear = orders.open_repair_order(visit_uid=self.signed(store, advisor).uid, complaint="异响", by=advisor)
        orders.add_line(order_uid=dear.uid, description="大修", hours=Decimal(20), by=advisor)
        orders.send_estimate(order_uid=dear.uid, by=advisor)
        contracts.sign_on_paper(order_uid=dear.uid, signed_name="张试", by=advisor)
        later = {"promised_at": clock.now() + timedelta(days=2), "reason": "等备件", "told": "PHONE", "told_to": "张试"}
        orders.change_promise(order_uid=dear.uid, **later, by=advisor)
        second_hand = orders.add_line(order_uid=dear.uid, description="旧件更换", pay_type="INTERNAL", by=advisor)
        pad = Part.objects.get(number="BRK-PAD-F")
        orders.add_part(line_uid=second_hand.uid, part_uid=pad.uid, quantity=Decimal(1), kind="USED", by=advisor)
        brought = orders.add_part(
            line_uid=second_hand.uid, part_uid=pad.uid, quantity=Decimal(1), kind="CUSTOMER_SUPPLIED", by=advisor
        )
        own_parts.check_own_part(
            part_line_uid=brought.uid, condition="USED", packaging="NONE", damaged=False, fits=True,
            photo=make_picture("red"), by=advisor,
        )  # fmt: skip
        orders.send_estimate(order_uid=dear.uid, by=advisor)
        ours = orders.add_line(
            order_uid=dear.uid, description="本店大件", hours=Decimal(40), pay_type="INTERNAL", by=advisor
        )
        payers.ask_payer(line_uid=ours.uid, reason="本店弄坏", by=advisor)
        part_consents.consent_on_paper(line_uid=second_hand.uid, signed_name="张试", by=advisor)
        maker_pays = make_warranty_repair(self.signed(store, advisor))
        warranty_claims.open_warranty_claim(order_uid=maker_pays.order.uid, by=clerk)
        faults.judge_fault(line_uid=returned.line.uid, is_quality=True, fault="异响", by=clerk)
        claims.open_claim(
            vehicle_uid=returned.vehicle.uid, customer_uid=gone.customer.uid, remedy="REFUND", words="退车", by=advisor
        )
        seen = Visit.objects.filter(store=store, state="DEPARTED").exclude(vehicle__vin="").order_by("pk").first()
        assert seen is not None, "a car with its VIN has left"
        recall = campaigns.open_campaign(
            number=f"ZH-{store.code}",
            kind="CAMPAIGN",
            title="软件升级",
            measure="升级",
            operation_uid=Operation.objects.get(code="EL-20").uid,
            by=self.actor(store, "warranty"),
        )
        row = CampaignVehicle.objects.create(campaign=recall, vin=seen.vehicle.vin)
        CampaignAnswer.objects.create(visit=seen, vehicle=row, reply="DECLINED", told_to="李试")
        DaySixCare.objects.create(order=order, kind="LOAN_CAR", starts_on=TODAY, loan_plate="京AB0001")
        RecordCopy.objects.create(order=order, receiver="李试", content_hash="0" * 64)
        twins = [customers.register_customer(name="双试", phone="13700000001", by=desk) for _n in range(3)]
        merging.merge_customers(kept_uid=twins[0].uid, merged_uid=twins[1].uid, by=manager)
        merging.find_duplicates()
        people = {e.user.username.partition(".")[0]: e for e in store_staff(store)}
        employees.appoint_deputy(
            absent_uid=people["cashier"].uid,
            deputy_uid=people["accountant"].uid,
            post_code="cashier",
            starts_on=TODAY,
            ends_on=TODAY + timedelta(days=2),
            reason="休假",
            by=self.actor(store, "hr"),
        )
        set_public_day(day=date(2031, 1, 1), kind="HOLIDAY", name="元旦", by=manager)
        enter_wear_term(
            kind="BRAKE_LINING", months=6, km=10_000, starts_on=date(2026, 1, 1), source="示例厂家手册",
            make=f"示例牌 {store.code}", by=self.actor(store, "warranty"),
        )  # fmt: skip
        upload_import(content="姓名,手机\n张试驾,13900001234\n".encode(), file_name="customers.csv", by=manager)
        create_api_client(name=f"dms {store.code}", stores=[store], scope=["reception:read"], by=system)
        consultations.register_consultation(
            channel="PHONE", body="保养多久一次？", contact_name="张试问", contact_phone="13900001234", by=desk
        )
        wished = {"first_day": TODAY + timedelta(days=3), "last_day": TODAY + timedelta(days=4), "concern": "保养"}
        waiting.join_waiting_list(
            contact_name="李试补", contact_phone="13900001235", vehicle_uid=gone.vehicle.uid, by=desk, **wished
        )
        transports.plan_transport(
            kind="PICK_UP",
            vehicle_uid=gone.vehicle.uid,
            driver_uid=people["advisor"].uid,
            starts_at=clock.now() + timedelta(hours=1),
            ends_at=clock.now() + timedelta(hours=2),
            address="示例路 1 号",
            contact_name="李试补",
            contact_phone="13900001235",
            by=desk,
        )
        letter = EmailMessage()
        letter["From"] = "asks@example.com"
        letter.set_content("见附件")
        letter.add_attachment(make_picture(), maintype="image", subtype="jpeg", filename="a.jpg")
        mail.take_mail(raw=letter.as_bytes(), received_at=NOW, by=system)
        conduct.observe_reception(
            employee_uid=Employee.objects.get(user__username=self.login(store, "receptionist")).uid,
            situation="ARRIVAL",
            scores={"SMILE": 2},
            photo=make_picture(),
            by=manager,
        )
        consultations.save_template(title=f"价格 {store.code}", topic="PRICE", body="{name}您好", by=system)
        knowledge.write_article(
            title=f"保养 {store.code}",
            topic="INTERVAL",
            body="一年一次",
            review_on=TODAY + timedelta(days=90),
            by=manager,
        )
        screens.add_screen(name="大厅", by=system)
        screens.add_screen(name="平板", kind="KIOSK", by=system)
        counting.start_count(by=self.actor(store, "parts"))
        pictured = tools.register_tool(
            number="G-PIC", name="量具", kind="MULTIMETER", place="A", keeper_uid=people["parts"].uid,
            photo=make_picture(), by=system,
        )  # fmt: skip
        tools.check_tool(
            uid=pictured.uid, done_on=TODAY, result="PASSED", body="市计量所", certificate_number="1",
            certificate=make_picture(), by=system,
        )  # fmt: skip
        lift = tools.register_tool(
            number="G-LIFT", name="举升机", kind="LIFT", place="A", keeper_uid=people["parts"].uid, by=system
        )
        lifts.record_round(uid=lift.uid, kind="DAILY", by=self.actor(store, "parts"))
        pair = tools.register_tool(
            number="G-PAIR", name="绝缘手套", kind="GLOVES", place="A", keeper_uid=people["parts"].uid, by=system
        )
        gloves.look_at_gloves(uid=pair.uid, by=self.actor(store, "parts"))
        bay = Resource.objects.filter(store=store, kind="BAY").order_by("-pk").first()
        assert bay is not None
        late = NOW + timedelta(days=3)
        blocking.block_bay(bay_uid=bay.uid, starts_at=late, ends_at=late + timedelta(hours=1), reason="校准", by=system)
        proposals.work_out(uid=proposals.ask_proposal(store=store, by=system).uid)
        quotations.give_quotation(
            operation_uids=[Operation.objects.get(code="MT-10").uid], contact_name="张试问", by=desk
        )
        queue_message(
            key=f"tests:{store.pk}",
            store=store,
            channel="SMS",
            recipient="13900001234",
            template="test",
            body="试",
            by=system,
        )

    def structure_is_checked(self, store: Store, advisor: Actor) -> None:
        """A rail is straightened by somebody new, and measured by the inspector."""
        worker = make_employee(store)
        people = {"advisor": Employee.objects.get(user=advisor.user), "technician": worker}
        job = structural(SimpleNamespace(store=store, advisor=advisor, people=people))
        accidents.check_structure(
            job_uid=job.uid, result="PASSED", findings="A 点 +1 mm", by=self.actor(store, "inspector")
        )

    def a_firm_helps(self, store: Store, advisor: Actor) -> None:
        """A part was at an outside firm and its bill is here with its picture; the next one is to go there."""
        system = machine("tests", store_id=store.pk)
        order = orders.open_repair_order(visit_uid=self.signed(store, advisor).uid, complaint="缸盖", by=advisor)
        line = orders.add_line(order_uid=order.uid, description="缸盖磨平", hours=Decimal(1), by=advisor)
        orders.send_estimate(order_uid=order.uid, by=advisor)
        decide_lines(
            order_uid=order.uid, decisions={line.uid: (True, "")}, method="VERBAL_PHONE",
            authorized_by=order.visit.contact_name, note="电话", by=advisor,
        )  # fmt: skip
        facts = {
            "line_uid": line.uid, "supplier": "示例机加工厂", "work": "磨平", "leaves": "PART", "item": "缸盖",
            "agreed_cost": Decimal(300), "expected_at": clock.now() + timedelta(hours=4), "by": system,
        }  # fmt: skip
        done = sublets.order_sublet(**facts)
        sublets.send_sublet(uid=done.uid, by=system)
        sublets.take_back_sublet(uid=done.uid, by=system)
        sublets.check_sublet(uid=done.uid, ok=True, by=system)
        sublets.bill_sublet(uid=done.uid, final_cost=Decimal(300), bill=make_picture(), by=system)

    def parts_change_hands(self, store: Store, advisor: Actor) -> None:
        """What was kept for one order goes to another one; there it is issued and comes back."""
        system = machine("tests", store_id=store.pk)
        item = StockItem.objects.filter(store=store, on_hand__gt=F("reserved")).order_by("pk").last()
        assert item is not None
        other = Part.objects.filter(active=True, replaces=None).exclude(pk=item.part_id).order_by("pk").first()
        if other is not None and not PartReplacement.objects.filter(part=item.part).exists():
            replace_part(part_uid=item.part.uid, other_uid=other.uid, kind="STAND_IN", other_kind=True, by=system)
        rows = []
        for quantity in (item.on_hand - item.reserved, Decimal(1)):
            order = orders.open_repair_order(visit_uid=self.signed(store, advisor).uid, complaint="换件", by=advisor)
            line = orders.add_line(
                order_uid=order.uid,
                description="更换",
                hours=Decimal("0.5"),
                parts=[(item.part.uid, quantity)],
                by=advisor,
            )
            orders.send_estimate(order_uid=order.uid, by=advisor)
            decide_lines(
                order_uid=order.uid, decisions={line.uid: (True, "")}, method="VERBAL_PHONE",
                authorized_by=order.visit.contact_name, note="电话", by=advisor,
            )  # fmt: skip
            rows.append(stock.reserve_part(part_line_uid=line.part_lines.get().uid, by=system))
        kept, lacking = rows
        stock.move_reservation(source_uid=kept.uid, target_uid=lacking.uid, reason="客户在店等候", by=system)
        stock.issue_part(part_line_uid=lacking.uid, by=system)
        stock.return_part(
            part_line_uid=lacking.uid, quantity=Decimal(1), reason="领错", condition="UNOPENED", by=system
        )
        stock.receive_stock(part_uid=item.part.uid, quantity=Decimal(3), unit_cost=Decimal(1), by=system)
        trials.lend_part(
            part_uid=item.part.uid, order_uid=lacking.line.order.uid, employee_uid=lacking.line.order.advisor.uid, by=system
        )  # fmt: skip
        main = Warehouse.objects.get(store=store, code="MAIN")
        taking_stock.start_take(warehouse_uid=main.uid, by=self.actor(store, "parts"))
        findings.ask_for(line_uid=lacking.line.uid, need="PARTS", note="卡扣", by=system)
        price = price_part(item.part, store.pk)
        set_part_price(
            store=store, part=item.part, price=price, core=Decimal(30), starts_on=clock.today(store.time_zone), by=system
        )  # fmt: skip
        for sold in (True, False):
            sale = sales.begin_sale(by=system)
            sales.put_on_sale(uid=sale.uid, code=item.part.number, by=system)
            if sold:
                sale = sales.sell(uid=sale.uid, by=system)
                take_sale_payment(sale_uid=sale.uid, method="CASH", amount=sale.total, by=system)
                line = sale.lines.get()
                stock.receive_stock(part_uid=item.part.uid, quantity=Decimal(2), unit_cost=Decimal(1), by=system)
                cored = sales.begin_sale(by=system)
                sales.put_on_sale(uid=cored.uid, code=item.part.number, quantity=Decimal(2), by=system)
                cored = sales.sell(uid=cored.uid, by=system)
                core = cored.lines.get().core
                came = cores.take_core(core_uid=core.uid, quantity=Decimal(1), brought_by="散客", by=system)
                cores.send_core(uid=came.uid, reference="SF-1", by=system)
                sales.take_back_sold(
                    line_uid=line.uid, quantity=Decimal(1), reason="买错", condition="OPENED", by=system
                )

    def signed(self, store: Store, advisor: Actor) -> Visit:
        visit = make_received_visit(advisor)
        walkarounds.save_walkaround(
            visit_uid=visit.uid, odometer_km=63208, energy_eighths=5, old_parts="TAKE", no_valuables=True, by=advisor
        )
        drawn = make_picture("black", "PNG")
        walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name="周试车", signature=drawn, by=advisor)
        visit.refresh_from_db()
        return visit

    def uids(self, store: Store) -> dict[str, list[UUID]]:
        """Every uid of what is the store's, by kind of row."""
        return {
            model._meta.label: list(rows.order_by("-pk").values_list("uid", flat=True))
            for model, rows in _of_store(store)
            if rows.exists()
        }

    def group(self, kind: str) -> list[UUID]:
        """Uids of what belongs to the whole group."""
        return list(apps.get_model(kind).objects.order_by("-pk").values_list("uid", flat=True))

    def open_row(self, kind: str) -> UUID:
        """A row of ours that still takes changes: a visit in the house, a line under its draft."""
        visit = Visit.objects.filter(store=self.ours, state="IN_RECEPTION").order_by("-pk").first()
        assert visit is not None
        if kind == "reception.Visit":
            return visit.uid
        lines = apps.get_model("workshop.OrderLine").objects.filter(order__visit__state__in=["IN_RECEPTION", "IN_SHOP"])
        return lines.filter(order__store=self.ours).order_by("-pk").values_list("uid", flat=True)[0]

    def asks(self, actor: Actor) -> dict[str, Any]:
        return {"actor": actor, "user": self.everything, "store": self.ours}

    def link(self, store: Store, **wanted: Any) -> VisitLink:
        found = VisitLink.objects.filter(visit__store=store, **wanted).order_by("pk").first()
        assert found is not None
        return found

    def mark(self) -> dict[str, str]:
        """A hash over every table, so that a request that wrote anything is found out."""
        with connection.cursor() as cursor:
            parts = [
                f"SELECT '{name}', md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM \"{name}\" t"
                for name in self.tables
            ]
            cursor.execute(" UNION ALL ".join(parts))
            return dict(cursor.fetchall())


def store_staff(store: Store) -> Any:
    return Employee.objects.filter(store=store, user__isnull=False).select_related("user")


def _tables() -> list[str]:
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    return sorted(name for name in names - BESIDE if name in connection.introspection.table_names())


def _of_store(store: Store) -> Iterator[tuple[Any, Any]]:
    """Each model whose rows have a uid and a store, with the store's rows."""
    extra = {"kernel.User": "store_id", "kernel.StoredFile": "store_id"}
    extra |= {"reception.ConsultationAttachment": "message__consultation__store_id"}
    extra |= {"reception.OpeningAnswer": "check_of__store_id", "reception.ChecklistItem": "checklist__store_id"}
    extra |= {"reception.DamageMark": "walkaround__visit__store_id", "reception.VisitPhoto": "visit__store_id"}
    extra |= {"reception.LoanPhoto": "trip__visit__store_id"}
    for model in apps.get_models():
        path = extra.get(model._meta.label) or getattr(model, "store_path", None)
        if path and any(field.name == "uid" for field in model._meta.fields):
            yield model, model._default_manager.filter(**{path: store.pk})


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever happens inside is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client
