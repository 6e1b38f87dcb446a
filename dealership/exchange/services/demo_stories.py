"""What a newcomer is to find in the demo's shop beside its usual days: one example of each thing that comes rarely.

Each story is told in the simulation's own way: steps at moments of the last days, by the people whose work it is. They
have a source of chance of their own.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from dealership.catalogue.models import Operation, Part, Resource, ResourceKind, ServicePackage
from dealership.catalogue.services.replacements import replace_part
from dealership.exchange.services.pictures import grey_picture
from dealership.exchange.services.simulator import Shop, Simulation, Steps, some_vin, type_of
from dealership.exchange.services.simulator_words import said_of
from dealership.kernel import clock
from dealership.kernel.actors import Actor, customer_link, machine
from dealership.kernel.models import Store
from delivery.models import GatePass, Settlement
from delivery.services import settlements
from delivery.services.sales import take_sale_payment
from reception.models import Customer, Vehicle, Visit, VisitState
from reception.services import contacts, customers, vehicles, visits, walkarounds
from staff.selectors.employees import require_employee
from workshop.models import Clocking, CounterSale, OrderLine, RepairOrder
from workshop.services import (
    accidents,
    authorizations,
    campaigns,
    claims,
    clocking,
    day_six,
    findings,
    inspections,
    orders,
    packages,
    purchasing,
    sales,
    trials,
)

# name, telephone, who may say yes, their telephone, up to what amount
COMPANIES = (
    ("示例财产保险公司", "01055500301", "高定损", "13900090301", Decimal(30000)),
    ("远安保险公司（示例）", "01055500302", "秦核价", "13900090302", Decimal(20000)),
    ("示例出行服务有限公司", "01055500303", "车队郑经理", "13900090303", Decimal(3000)),
    ("示例冷链物流有限公司", "01055500304", "调度冯主任", "13900090304", Decimal(5000)),
)
INSURER, FLEET = "示例财产保险公司", "示例出行服务有限公司"
FLEET_CAR, ACCIDENT_CAR, LONG_CAR = "京A88816", "京A88826", "京A88836"
# plate, owner, telephone, days ago, the maker's work
MAKERS = (("京A88846", "戚示例", "13900088846", 7, "CH-30"), ("京A88856", "谢样本", "13900088856", 2, "EL-20"))
VOLT_CAR = "京AD88866"
# plate, owner, telephone, minutes after eight, the work, how far it came: to the inspection, the cashier, the gate
HALF_WAY = (
    ("京A88876", "孔示例", "13900088876", 14, "AC-10", "INSPECTION"),
    ("京A88886", "曹样本", "13900088886", 9, "EL-10", "CASHIER"),
    ("京A88896", "严范例", "13900088896", 4, "EN-40", "GATE"),
)
OWN_CARS = (FLEET_CAR, ACCIDENT_CAR, LONG_CAR, VOLT_CAR)
NO_START = ("早上起动无力", "仪表亮故障灯")
RECALL, CAMPAIGN = "ZH-2026-07", "FW-2026-12"
ORDERED = (("BRK-PAD-F", 8, "347.20"), ("FLD-BRK-1L", 24, "46.50"), ("HV-BAT-PACK", 1, "23932.00"))


def know_companies(store: Store) -> None:
    """Two insurers and two fleets, each with who may say yes for it; made once for the group."""
    by = machine("demo", store_id=store.pk)
    if Customer.objects.filter(name=INSURER).exists():
        return
    for name, phone, person, mobile, limit in COMPANIES:
        company = customers.register_customer(name=name, phone=phone, kind="COMPANY", by=by)
        contacts.add_contact(
            customer_uid=company.uid, name=person, phone=mobile, roles=["AUTHORISES"], authorises_up_to=limit, by=by
        )


def tell_stories(simulation: Simulation, shop: Shop, today: date) -> None:
    """Lays out what happens up to today; what comes once only where it wasn't told yet."""
    told = Stories(simulation, simulation.aside(shop, "stories"))
    yesterday = today - timedelta(days=1)
    simulation.push(shop.local(today, 8, 35), told.counter(waiting=False))
    simulation.push(shop.local(today, 10, 12), told.counter(waiting=True))
    simulation.push(shop.local(today, 10, 31), told.called())
    if Vehicle.objects.filter(plate=LONG_CAR).exists():
        return
    simulation.push(shop.local(today - timedelta(days=8), 9, 20), told.long_repair(today))
    simulation.push(shop.local(yesterday, 9, 40), told.accident(today))
    for number, (_plate, _owner, _phone, ago, _code) in enumerate(MAKERS):
        simulation.push(shop.local(today - timedelta(days=ago), 9, 12), told.makers(number))
    simulation.push(shop.local(today - timedelta(days=3), 9), told.successor())
    simulation.push(shop.local(today, 8, 50), told.purchase(today))
    simulation.push(shop.local(today, 9, 5), told.fleet())
    for number, (_plate, _owner, _phone, minute, _code, _stop) in enumerate(HALF_WAY):
        simulation.push(shop.local(today, 8, minute), told.half_way(number))
    simulation.push(shop.local(today, 9, 15), told.high_voltage(today))
    simulation.push(shop.local(today, 9, 45), told.campaigns(today))
    simulation.push(shop.local(today, 10, 2), told.trial())


class Stories:
    def __init__(self, simulation: Simulation, shop: Shop) -> None:
        self.simulation, self.shop = simulation, shop

    def receive(self, car: Vehicle, who: tuple[str, str], need: str, advisor: Actor) -> Visit:
        """A car is taken in and its walk-around signed, in one go."""
        desk = self.shop.on_turn("receptionist")
        visit = visits.register_arrival(
            plate=car.plate, model_text=car.model_text, contact_name=who[0], contact_phone=who[1], need=need,
            waiting_mode="LEAVE", by=desk,
        )  # fmt: skip
        visits.greet_visit(uid=visit.uid, by=advisor)
        visit.refresh_from_db()
        self.simulation.walk_around(self.shop, visit, advisor, driven=(400, 900))
        if visit.arrival_kind != "IN_PERSON":
            walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name=who[0], by=advisor)
        visit.refresh_from_db()
        return visit

    def register(self, plate: str, model: str, owner: Customer, months: int) -> Vehicle:
        registered = clock.today() - timedelta(days=months * 30)
        return vehicles.register_vehicle(
            plate=plate, vin=some_vin(plate), model_text=model, vehicle_type=type_of(model), owner_uid=owner.uid,
            registered_on=registered, invoiced_on=registered - timedelta(days=6),
            insured_until=clock.today() + timedelta(days=140), by=self.shop.on_turn("receptionist"),
        )  # fmt: skip

    def person(self, name: str, phone: str) -> Customer:
        return customers.register_customer(name=name, phone=phone, by=self.shop.on_turn("receptionist"))

    @staticmethod
    def work(*codes: str) -> list[Operation]:
        return [Operation.objects.get(code=code) for code in codes]

    def counter(self, *, waiting: bool) -> Steps:
        """3.2: a sale over the counter; the second one of the day still waits for the cashier."""
        keeper = self.shop.on_turn("parts")
        sale = sales.begin_sale(by=keeper)
        for code in ("FLD-COOL-1L", "FLT-CAB-02") if waiting else ("WIP-PAIR-01", "FLD-WASH-2L"):
            sales.put_on_sale(uid=sale.uid, code=code, by=keeper)
        sale = sales.sell(uid=sale.uid, by=keeper)
        yield clock.now() + timedelta(minutes=4)
        if not waiting:
            self.take_money(sale)
        yield clock.now() + timedelta(minutes=1)

    def take_money(self, sale: CounterSale) -> None:
        cashier = self.shop.on_turn("cashier")
        take_sale_payment(sale_uid=sale.uid, method="SCAN_CODE", amount=sale.total, by=cashier)

    def purchase(self, today: date) -> Steps:
        """3.2: an order is on its way, with a part by batch and one by serial number."""
        parts = dict(Part.objects.values_list("number", "uid"))
        lines = [(parts[number], Decimal(quantity), Decimal(cost)) for number, quantity, cost in ORDERED]
        keeper = self.shop.on_turn("parts")
        day = today + timedelta(days=1)
        purchasing.order_parts(supplier="华东备件中心（示例）", expected_on=day, lines=lines, by=keeper)
        yield clock.now() + timedelta(minutes=1)

    def successor(self) -> Steps:
        """3.2: the maker replaces a headlamp by its next one, and a bush may be changed with its whole arm."""
        parts, keeper = dict(Part.objects.values_list("number", "uid")), self.shop.on_turn("parts")
        note = "厂家改进，旧件用完为止"
        replace_part(
            part_uid=parts["BLB-LED-H7"], other_uid=parts["BLB-LED-H7B"], kind="SUCCESSOR", note=note, by=keeper
        )
        replace_part(
            part_uid=parts["SUS-BUSH-FL"], other_uid=parts["SUS-ARM-FL"], kind="STAND_IN", note="胶套缺货时", by=keeper
        )
        yield clock.now() + timedelta(minutes=1)

    def accident(self, today: date) -> Steps:
        """3.2: the insurer agreed to the first assessment yesterday; this morning a supplement was laid before it."""
        advisor, insurer = self.shop.on_turn("advisor"), Customer.objects.get(name=INSURER)
        owner = self.person("卫示例", "13900088826")
        car = self.register(ACCIDENT_CAR, "远岚 2.0T 四驱", owner, 20)
        visit = self.receive(car, (owner.name, owner.phone), "停车场被撞，前保险杠破损", advisor)
        yield clock.now() + timedelta(minutes=15)
        order = orders.open_repair_order(
            visit_uid=visit.uid, complaint="停车场被撞，前保险杠破损，右前门划伤", kind="INSURANCE", payer_uid=insurer.uid,
            with_diagnosis=False, operation_uids=[row.uid for row in self.work("BD-10", "PT-10")],
            promised_at=self.shop.local(today + timedelta(days=2), 16), by=advisor,
        )  # fmt: skip
        case = accidents.open_accident(
            order_uid=order.uid, policy_number="PDAA202644030000118", report_number="RDAA202644030000726",
            happened_on=today - timedelta(days=2), assessor="高定损", own_share=Decimal(200), share_agreed_by=owner.name,
            by=advisor,
        )  # fmt: skip
        yield clock.now() + timedelta(minutes=12)
        orders.send_estimate(order_uid=order.uid, by=advisor)
        asked = accidents.ask_assessment(accident_uid=case.uid, amounts=prices_of(order), by=advisor)
        yield clock.now() + timedelta(hours=3)
        accidents.agree_assessment(uid=asked.uid, decided_by="高定损", note="按报价核定", by=advisor)
        yield self.shop.local(today, 9, 25)
        line = orders.add_line(
            order_uid=order.uid, operation_uid=self.work("BD-20")[0].uid, is_addition=True,
            complaint="拆检时发现", cause="拆下保险杠后发现左前翼子板变形", by=advisor,
        )  # fmt: skip
        orders.add_line_photo(line_uid=line.uid, content=grey_picture(), by=advisor)
        orders.send_estimate(order_uid=order.uid, by=advisor)
        accidents.ask_assessment(
            accident_uid=case.uid, amounts=prices_of(order, line), reason="拆检发现左前翼子板变形", by=advisor
        )
        yield clock.now() + timedelta(minutes=1)

    def long_repair(self, today: date) -> Steps:
        """3.6: a repair on the maker's account waits for its part since eight days; its owner drives a loan car and now
        demands the price back."""
        advisor, clerk = self.shop.on_turn("advisor", 1), self.shop.on_turn("warranty")
        owner = self.person("陶示例", "13900088836")
        car = self.register(LONG_CAR, "锐放 2.0L 豪华型", owner, 14)
        visit = self.receive(car, (owner.name, owner.phone), "中控屏反复黑屏", advisor)
        yield clock.now() + timedelta(minutes=20)
        order = orders.open_repair_order(
            visit_uid=visit.uid, complaint="中控屏反复黑屏，倒车影像不显示", with_diagnosis=False,
            promised_at=self.shop.local(today + timedelta(days=1), 16), by=advisor,
        )  # fmt: skip
        line = orders.add_line(
            order_uid=order.uid, description="中控主机更换", hours=Decimal("1.5"), pay_type="WARRANTY",
            complaint="中控屏反复黑屏", cause="主机内部供电模块失效", by=advisor,
        )  # fmt: skip
        yield from self.yes(order, advisor, owner.name)
        clocking.hold_line(line_uid=line.uid, cause="PARTS", note="厂家缺货", by=self.shop.on_turn("foreman"))
        yield self.shop.local(today - timedelta(days=3), 10, 30)
        given = self.shop.today()
        loan = Resource.objects.filter(store=order.store, kind=ResourceKind.LOAN_CAR).latest("position")
        day_six.give_care(order_uid=order.uid, kind="LOAN_CAR", starts_on=given, loan_car_uid=loan.uid, by=advisor)
        yield self.shop.local(today, 9, 10)
        claims.open_claim(
            vehicle_uid=car.uid, customer_uid=owner.uid, remedy="REFUND", by=clerk,
            words="车修了八天还没修好，同一故障已是第二次，要求退车",
        )  # fmt: skip
        yield clock.now() + timedelta(minutes=1)

    def makers(self, number: int) -> Steps:
        """3.2: a repair that the maker pays, from the gate to the gate; its claim goes in and its old part waits."""
        plate, name, phone, _ago, code = MAKERS[number]
        self.register(plate, "锐放 1.5T 舒适型", owner := self.person(name, phone), 13 + number)
        visit = visits.register_arrival(
            plate=plate, model_text="锐放 1.5T 舒适型", contact_name=owner.name, contact_phone=phone,
            need=said_of(code, "异响"), waiting_mode="LEAVE", by=self.shop.on_turn("receptionist"),
        )  # fmt: skip
        yield clock.now() + timedelta(minutes=4)
        yield from self.simulation.stay(self.shop, visit, "fault", self.work(code))

    def half_way(self, number: int) -> Steps:
        """3.2, 4.1: a small job of this morning that waits for the final inspection, the cashier or the gate."""
        plate, name, phone, _minute, code, stop = HALF_WAY[number]
        advisor, owner = self.shop.on_turn("advisor", number), self.person(name, phone)
        car = self.register(plate, "青禾 1.5L 手动", owner, 41)
        need = said_of(code, "空调有异味，想清洗")
        visit = self.receive(car, (owner.name, owner.phone), need, advisor)
        yield clock.now() + timedelta(minutes=3)
        order = orders.open_repair_order(
            visit_uid=visit.uid, complaint=need, with_diagnosis=False, by=advisor,
            operation_uids=[self.work(code)[0].uid], promised_at=self.shop.local(self.shop.today(), 12),
        )  # fmt: skip
        yield from self.yes(order, advisor, owner.name)
        line = order.lines.select_related("operation").get()
        technician = None
        while technician is None:
            technician = yield from self.simulation.dispatch(self.shop, line)
        worker = self.shop.actor(technician)
        yield from self.simulation.issue(self.shop, line)
        while not self.simulation.begin(self.shop, line, worker):
            yield clock.now() + timedelta(minutes=4)
        yield clock.now() + timedelta(minutes=11)
        cause, correction = self.simulation.found_and_done(line)
        clocking.finish_line(line_uid=line.uid, cause=cause, correction=correction, by=worker)
        if stop == "INSPECTION":
            inspections.inspect_order(order_uid=order.uid, level="SELF", result="PASSED", by=worker)
            return
        yield from self.simulation.inspect(self.shop, order)
        link = customer_link(visit_id=visit.pk, store_id=self.shop.store.pk, token_id=str(visit.link.uid))
        for moment in self.simulation.deliver(self.shop, visit, order, advisor, link, owner.name):
            issued = Settlement.objects.filter(order=order, state="ISSUED").first()
            if issued is not None and stop == "CASHIER":
                settlements.sign_settlement(uid=issued.uid, signed_name=owner.name, by=link)
                return
            if GatePass.objects.filter(visit=visit).exists():
                return
            yield moment

    def yes(self, order: RepairOrder, advisor: Actor, name: str) -> Steps:
        """What is written is sent, and agreed to on the telephone where it needs a yes."""
        orders.send_estimate(order_uid=order.uid, by=advisor)
        yield clock.now() + timedelta(minutes=8)
        pending = OrderLine.objects.filter(order=order, state="PENDING").order_by("position")
        if pending.exists():
            authorizations.decide_lines(
                order_uid=order.uid, decisions={row.uid: (True, "") for row in pending}, method="VERBAL_PHONE",
                authorized_by=name, note="电话里逐项确认", by=advisor,
            )  # fmt: skip

    def fleet(self) -> Steps:
        """2.3, 3.1: a fleet's car with a package; its driver brought it, its manager is asked."""
        advisor, company = self.shop.on_turn("advisor"), Customer.objects.get(name=FLEET)
        car = self.register(FLEET_CAR, "锐放 1.5T 舒适型", company, 26)
        visit = self.receive(car, ("司机小吕", "13900088816"), "按里程保养", advisor)
        yield clock.now() + timedelta(minutes=9)
        order = orders.open_repair_order(
            visit_uid=visit.uid, complaint="按里程保养", with_diagnosis=False, by=advisor,
            promised_at=self.shop.local(self.shop.today(), 16, 30),
        )  # fmt: skip
        package = ServicePackage.objects.filter(store=self.shop.store, code="TC-01", ends_on__isnull=True).first()
        if package is not None:
            packages.put_package(order_uid=order.uid, package_uid=package.uid, by=advisor)
            orders.send_estimate(order_uid=order.uid, by=advisor)
        yield clock.now() + timedelta(minutes=1)

    def high_voltage(self, today: date) -> Steps:
        """3.4, 8.1: agreed high-voltage work that waits for its two people, their bay and a pair of gloves."""
        advisor, owner = self.shop.on_turn("advisor"), self.person("姜示例", "13900088866")
        car = self.register(VOLT_CAR, "星澜 纯电 510", owner, 31)
        visit = self.receive(car, (owner.name, owner.phone), "仪表提示高压绝缘故障", advisor)
        yield clock.now() + timedelta(minutes=10)
        order = orders.open_repair_order(
            visit_uid=visit.uid, complaint="仪表提示高压绝缘故障", with_diagnosis=False,
            operation_uids=[self.work("HV-10")[0].uid], promised_at=self.shop.local(today, 17), by=advisor,
        )  # fmt: skip
        yield from self.yes(order, advisor, owner.name)

    def campaigns(self, today: date) -> Steps:
        """3.2: a recall and a service campaign of the maker; of each list one car is here and another one was."""
        clerk = self.shop.on_turn("warranty")
        gone = Visit.objects.filter(store=self.shop.store, state=VisitState.DEPARTED).exclude(vehicle__vin="")
        found = gone.exclude(vehicle__powertrain="BEV").order_by("pk").values_list("vehicle__vin", flat=True)
        others = list(dict.fromkeys(found))[:2]
        told = (
            (RECALL, "RECALL", "转向拉杆球头松旷风险", "检查并更换转向拉杆球头", "CH-20", FLEET_CAR),
            (CAMPAIGN, "CAMPAIGN", "发动机控制单元软件升级", "刷新控制单元", "EN-30", ACCIDENT_CAR),
        )
        for place, (number, kind, title, measure, code, here) in enumerate(told):
            campaign = campaigns.open_campaign(
                number=number, kind=kind, title=title, measure=measure, operation_uid=self.work(code)[0].uid,
                starts_on=today, by=clerk,
            )  # fmt: skip
            listed = [Vehicle.objects.get(plate=here).vin, *others[place : place + 1]]
            campaigns.add_vins(uid=campaign.uid, vins=listed, by=clerk)
        yield clock.now() + timedelta(minutes=1)

    def trial(self) -> Steps:
        """3.2: a battery was lent to a technician for a car that is to be looked at."""
        running = RepairOrder.objects.filter(store=self.shop.store, stage__in=("AUTHORIZED", "IN_WORK"))
        weak = running.filter(visit__need__in=NO_START).order_by("pk").first()
        busy = running.filter(stage="IN_WORK").exclude(vehicle__plate__in=OWN_CARS).order_by("pk").first()
        order = weak or busy or RepairOrder.objects.filter(vehicle__plate=FLEET_CAR).first()
        if order is not None:
            technician = require_employee(self.shop.on_turn("technician", 1))
            part = Part.objects.get(number="BAT-12V-60")
            trials.lend_part(
                part_uid=part.uid, order_uid=order.uid, employee_uid=technician.uid, by=self.shop.on_turn("parts")
            )
        yield clock.now() + timedelta(minutes=1)

    def called(self) -> Steps:
        """3.2: a technician has called for a clip from a job; the parts counter hasn't answered yet."""
        running = Clocking.objects.filter(store=self.shop.store, ended_at__isnull=True, line__state="IN_PROGRESS")
        clocked = running.select_related("employee__user", "line").order_by("-started_at", "-pk").first()
        agreed = OrderLine.objects.filter(order__store=self.shop.store, state__in=("IN_PROGRESS", "AUTHORIZED"))
        line = clocked.line if clocked else agreed.order_by("state", "pk").last()
        if line is not None:
            asker = self.shop.actor(clocked.employee) if clocked else self.shop.on_turn("technician")
            findings.ask_for(line_uid=line.uid, need="PARTS", note="卡扣 2 个", by=asker)
        yield clock.now() + timedelta(minutes=1)


def prices_of(order: RepairOrder, line: OrderLine | None = None) -> dict[UUID, Decimal]:
    """What each item costs with its parts; CNY with VAT."""
    rows = OrderLine.objects.filter(order=order, pay_type="INSURANCE").prefetch_related("part_lines")
    if line is not None:
        rows = rows.filter(pk=line.pk)
    return {
        row.uid: row.labor_amount + row.fee_amount + sum((part.amount for part in row.part_lines.all()), Decimal(0))
        for row in rows.order_by("pk")
    }
