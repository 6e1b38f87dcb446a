"""A dealership that runs by itself: the same commands a person uses, on the moved clock (issue: simulate).

Every car is a generator that yields the moment at which it goes on; a heap of moments runs them in order. All chance
comes from one seeded source, so that the same seed and start date give the same shop. Nothing is written but through
``services``; what a command refuses, the people of the simulation do again later, as people do.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dealership.catalogue.check_models import READINGS, CheckItem, CheckKind
from dealership.catalogue.models import (
    BayCapability,
    Operation,
    Part,
    PayType,
    RepairCategory,
    Reservation,
    Resource,
    ResourceKind,
    Tracing,
    VehicleModel,
)
from dealership.exchange.services.pictures import grey_picture
from dealership.exchange.services.simulator_words import MENDED, ON_INSPECTION, code_of, said_of, story_of
from dealership.kernel import clock, formats, outbox
from dealership.kernel.actors import Actor, customer_link
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import Store
from dealership.kernel.services import actor_of
from dealership.process.services.rollup import recompute_touched
from delivery.models import (
    CHECKS_THAT_MAY_NOT_APPLY,
    DateReminder,
    FollowUp,
    GatePass,
    Handover,
    HandoverCheck,
    ReworkCase,
    ReworkState,
    Settlement,
    SettlementState,
    Survey,
    SurveyDimension,
)
from delivery.selectors.exits import proposed_service
from delivery.selectors.followups import surveys_due
from delivery.selectors.guarantees import statutory_of
from delivery.selectors.reminders import dates_due
from delivery.services import followups, handovers, payments, reminders, rework, settlements
from quality.models import Complaint, ComplaintState
from quality.services import complaints
from reception.models import (
    Appointment,
    AppointmentState,
    Checklist,
    Courtesy,
    Customer,
    CustomerTag,
    Vehicle,
    Visit,
    VisitState,
    WalkAround,
)
from reception.selectors.checklists import open_points, usual_items
from reception.selectors.knowledge import in_force
from reception.services import (
    appointments,
    checklists,
    conduct,
    consultations,
    contacts,
    customers,
    quotations,
    segments,
    tags,
    vehicles,
    visits,
    waiting,
    walkarounds,
)
from staff.models import Employee, Shift
from staff.selectors.employees import employee_of, employees_with_role, on_duty
from workshop.models import (
    Clocking,
    Inspection,
    InspectionLevel,
    LineHold,
    LineState,
    OrderLine,
    PartLine,
    PurchaseOrder,
    RepairOrder,
    StockItem,
    StockLot,
)
from workshop.old_part_models import OldPart
from workshop.selectors.campaigns import unanswered_recalls
from workshop.selectors.fitness import needs_two
from workshop.selectors.gloves import gloves_unseen
from workshop.selectors.inspections import last_reading, levels_of
from workshop.selectors.maintenance import due_list
from workshop.selectors.part_consents import consents_of
from workshop.selectors.payers import waiting_for_payer
from workshop.selectors.purchasing import proposals
from workshop.selectors.sheets import asks_stages, bounds_for, items_for, stages_of, templates_for
from workshop.selectors.stock import MEASURED, availability
from workshop.selectors.warranty_claims import papers_of
from workshop.services import (
    authorizations,
    campaigns,
    clocking,
    dispatch,
    faults,
    gloves,
    inspections,
    lifts,
    old_parts,
    orders,
    part_consents,
    payers,
    purchasing,
    sheets,
    stock,
    tools,
    warranty_claims,
)
from workshop.tool_models import ToolAsset, ToolIssue, ToolState
from workshop.warranty_claim_models import WarrantyClaim

Steps = Generator[datetime, None, None]
NOT_IN_ORDER = ("有污渍，待清洁", "数量不足", "一处损坏，已报修")
A = AppointmentState

# Channel, topic, model, question, answer and the way it goes out.
QUESTIONS = [
    (
        "PHONE",
        "PRICE",
        "途远 2.0T",
        "小保养一次多少钱？",
        "请以前台价目表为准，含机油机滤和工时，可预约到店。",
        "PHONE",
    ),
    ("MISSED_CALL", "AFTER_SALES", "", "未接来电，客户未留言", "已回电，客户想约周末保养。", "PHONE"),
    ("WECHAT", "INTERVAL", "途远 2.0T", "一万公里还没到，满一年了要保养吗？", "要的，里程和时间以先到为准。", "WECHAT"),
    (
        "WECHAT",
        "WARRANTY",
        "",
        "车门异响在保修范围内吗？",
        "保修期内非人为损坏可以免费检查，请带行驶证到店。",
        "WECHAT",
    ),
    ("EMAIL", "WARRANTY", "", "过户以后三包还有效吗？", "三包随车，过户后继续有效，请携带购车发票复印件。", "EMAIL"),
    ("EMAIL", "MODEL", "新款 SUV", "新车什么时候到店，可以试驾吗？", "到店后通知您试驾，请留意电话。", "EMAIL"),
    ("WALK_IN", "MODEL", "新款 SUV", "想看看七座车型", "已带看展车并介绍配置。", "IN_PERSON"),
    (
        "WEB_FORM",
        "INTERVAL",
        "锐放 1.5T",
        "首保要做哪些项目，要等多久？",
        "首保换机油机滤并做全车检查，约一小时。",
        "SMS",
    ),
    ("REVIEW", "AFTER_SALES", "", "等了两个小时才交车", "抱歉让您久等，已请服务顾问致电说明。", "PHONE"),
]
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
GIVEN = ["示例", "样本", "演示", "试用", "范例", "例安", "例宁", "例和", "例文", "例清", "例平", "例心"]
NEEDS = {
    "maintenance": ["按里程保养", "首次保养", "换机油机滤", "年检前保养", "长途前检查保养"],
    "fault": ["刹车时有吱吱声", "怠速抖动", "空调不凉", "高速方向盘发飘", "过坎有异响", "起步耸车", "仪表亮故障灯"],
    "tyre": ["左前轮扎钉", "轮胎花纹浅了要换", "车辆跑偏"],
    "body": ["后保险杠剐蹭", "右前门凹陷补漆"],
}
#: What a car without an engine never comes for and never gets.
OF_ENGINES = {"换机油机滤", "怠速抖动", "起步耸车"}
ENGINE_WORK = {"MT-10", "MT-20", "MT-30", "MT-60", "MT-70", "MT-80", "EN-10", "EN-20", "EN-30", "AS-10"}
MARK_NOTES = ["", "", "", "客户已知", "可抛光", "已露底漆"]
ARRIVALS_BY_HOUR = {8: 12, 9: 22, 10: 20, 11: 12, 13: 10, 14: 12, 15: 8, 16: 4}
BY_WEEKDAY = (1.0, 0.95, 0.9, 0.95, 1.0, 1.35, 1.2)
DECLINES = ["太贵", "下次再做", "自己处理", "不着急"]
FAULTS: dict[str, dict[str, Any]] = {
    "CH-10": {"system": "SUSPENSION", "part": "下摆臂"},
    "CH-20": {"system": "STEERING", "part": "转向拉杆球头", "serious": True},
    "CH-30": {"system": "SUSPENSION", "part": "减振器"},
    "EN-20": {"system": "ENGINE", "part": "正时皮带"},
    "EL-20": {"fault": "行驶中左侧近光灯熄灭", "serious": True},
    "AS-10": {"assembly": "TRANSMISSION"},
}
"""What the warranty clerk finds behind a repair that the maker pays; the rest is a fault without more."""
WEARS = {"BR-10", "BR-20", "BR-30", "EL-10", "TY-10", "TY-30"}
"""What wears out: the maker doesn't pay for it."""
CAME_BACK = [
    ("上次修的地方又有异响", "PART", "更换的零件有早期磨损，供应商批次问题"),
    ("取车第二天同样的问题又出现", "WORKMANSHIP", "紧固件未按力矩拧紧，复测确认"),
    ("刚保养完，仪表又提示同一故障", "OTHER_FAULT", "另一处传感器线束老化，与上次作业无关，已拍照"),
    ("回去跑了两天，感觉没修好", "DIAGNOSIS", "上次只处理了表面现象，根源是相邻部件"),
]
"""What a customer says whose car is back, what it comes from, and what the technical director finds."""
SAID_AT_DESK = [
    ("接待很快，车检讲得清楚", 5),
    ("顾问耐心，先说了价格再开单", 5),
    ("人多，等了一会儿才有人接待", 3),
    ("停车不好找，接待没问题", 4),
    ("没人问我要不要等，自己找地方坐的", 2),
]
PRAISE = ["很满意", "态度好", "等得有点久，但修好了", "还可以", "价格透明"]
TAKEN_BACK = {
    3: ("OPENED", "包装已拆，划痕，换一件"), 11: ("FITTED", "装上后异响未消除，拆下换新"), 17: ("UNOPENED", "领错批次，换一件"),
}  # fmt: skip
PROMISES_KEPT = ((8, 25), (10, 20), (13, 30), (15, 30), (17, 40))
"""When advisors look which car won't be ready in time and tell its customer another hour."""
BLAME = ["等太久没人理", "说好十一点结果拖到下午", "异响还在", "清单没讲清楚"]


def some_vin(plate: str) -> str:
    """A made-up VIN with a right check digit, the same for the same plate."""
    draft = f"LSV{plate[1:]:A>8.8}"[:8] + "0K" + f"{int(''.join(c for c in plate if c.isdigit()) or 0):07d}"[-7:]
    return draft[:8] + formats.vin_check_digit(draft) + draft[9:]


TYPES = {"锐放": "小型轿车", "青禾": "小型轿车", "星澜": "小型轿车", "厢货": "轻型厢式货车"}


def type_of(model: str) -> str:
    """What the licence of a demo car says of its type; estates and vans are 小型普通客车."""
    return next((word for part, word in TYPES.items() if part in model), "小型普通客车")


def without_engine(plate: str) -> bool:
    """Whether a demo car is a battery car: the letter after the place is D."""
    return plate[2:3] == "D"


def fits_plate(operation: Operation, plate: str) -> bool:
    return not (without_engine(plate) and operation.code in ENGINE_WORK)


@dataclass(slots=True)
class Report:
    """What a run did: how many of each thing, and what was refused on the way (refusals are part of life)."""

    cars: int = 0
    steps: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


@dataclass(order=True, slots=True)
class _Next:
    at: datetime
    number: int
    run: Steps = field(compare=False)


class Shop:
    """One store with its people as actors and its own source of chance."""

    def __init__(self, store: Store, rng: random.Random, serial: Callable[[], int]) -> None:
        self.store, self.rng, self.serial = store, rng, serial
        self.zone = ZoneInfo(store.time_zone)
        self.day: date | None = None
        self.here: set[int] = set()
        self.people: dict[str, list[Employee]] = {}
        self.actors: dict[int, Actor] = {}
        self.operations = {
            "maintenance": self._operations(is_maintenance=True),
            "fault": self._operations(is_maintenance=False, is_diagnosis=False, capability=BayCapability.STANDARD_LIFT),
            "tyre": self._operations(capability=BayCapability.ALIGNMENT_RACK)
            + self._operations(is_maintenance=False, is_diagnosis=False, capability=BayCapability.QUICK_LUBE),
            "body": self._operations(capability=BayCapability.BODY_AND_FRAME)
            + self._operations(capability=BayCapability.PAINT),
        }
        self.models = list(VehicleModel.objects.order_by("make", "series", "name"))

    def _operations(self, **wanted: Any) -> list[Operation]:
        rows = Operation.objects.filter(active=True, **wanted).order_by("code")
        return [row for row in rows if row.skill is None or row.skill.code != "hv"]

    def local(self, day: date, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)

    def wake(self) -> None:
        """A new day: who is on duty, who holds which role and what each may do is looked up anew."""
        if self.day != self.today():
            self.day = self.today()
            self.here = {row.employee_id for row in on_duty(self.store.pk, self.day)}
            self.people, self.actors = {}, {}

    def actor(self, employee: Employee) -> Actor:
        """The person's actor, read anew each day so that posts and deputies count."""
        self.wake()
        if employee.pk not in self.actors:
            assert employee.user is not None
            self.actors[employee.pk] = actor_of(employee.user, self.store)
        return self.actors[employee.pk]

    def someone(self, role: str, *, but: Iterable[int] = ()) -> Actor:
        """Somebody with the role who is on duty today, else anybody who holds it."""
        self.wake()
        if role not in self.people:
            holders = employees_with_role(self.store.pk, role, self.day).select_related("user")
            self.people[role] = sorted(holders, key=lambda person: person.number)
        not_these = set(but)
        people = [person for person in self.people[role] if person.pk not in not_these]
        return self.actor(self.rng.choice([p for p in people if p.pk in self.here] or people))

    def first(self, role: str) -> Actor:
        """The first who holds the role; takes nothing from the shop's chance."""
        self.wake()
        holders = employees_with_role(self.store.pk, role, self.day).select_related("user").order_by("number")
        return self.actor(holders[0])

    def on_turn(self, role: str, number: int = 0) -> Actor:
        """One of those with the role who are on duty, by turns; takes nothing from the shop's chance."""
        self.wake()
        holders = list(employees_with_role(self.store.pk, role, self.day).select_related("user").order_by("number"))
        here = [person for person in holders if person.pk in self.here] or holders
        return self.actor(here[number % len(here)])

    def at_desk(self) -> Actor:
        """Whoever of the desk is on duty; takes nothing from the shop's chance."""
        self.wake()
        holders = list(
            employees_with_role(self.store.pk, "receptionist", self.day).select_related("user").order_by("number")
        )
        return self.actor(([p for p in holders if p.pk in self.here] or holders)[0])

    def today(self) -> date:
        return clock.today(self.store.time_zone)

    def minutes(self, low: float, high: float) -> timedelta:
        return timedelta(minutes=round(self.rng.uniform(low, high)))

    def working(self, moment: datetime) -> datetime:
        """The moment itself in opening hours (8–18), else the next morning."""
        local = moment.astimezone(self.zone)
        if local.hour < 8:
            return self.local(local.date(), 8, 5 + self.rng.randrange(20))
        if local.hour >= 18:
            return self.local(local.date() + timedelta(days=1), 8, 5 + self.rng.randrange(20))
        return moment


class Simulation:
    """Runs stores from a moment to a moment, ``cars_a_day`` cars on a weekday. ``run`` may be called once.

    What comes on a day depends on seed, store and day alone, so that a run that was broken off can be taken up again.
    """

    def __init__(self, stores: list[Store], *, seed: int, cars_a_day: Callable[[date], int]) -> None:
        self.seed, self.cars_a_day, self.count, self.report = seed, cars_a_day, 0, Report()
        self.heap: list[_Next] = []
        self.shops = [Shop(store, random.Random(f"{seed}-{store.code}"), self._serial) for store in stores]
        self.plates = 10000 + seed % 7 * 10000

    def aside(self, shop: Shop, name: str) -> Shop:
        """The same shop with a source of chance of its own, for what its days must not hang on."""
        return Shop(shop.store, random.Random(f"{name}-{self.seed}-{shop.store.code}"), self._serial)

    def _serial(self) -> int:
        self.count += 1
        return self.count

    def push(self, at: datetime, run: Steps) -> None:
        heapq.heappush(self.heap, _Next(at, self._serial(), run))

    def run(
        self,
        first: date,
        last: date,
        until: datetime,
        *,
        resume: bool = False,
        since: datetime | None = None,
        progress: Callable[[datetime], None] | None = None,
    ) -> Report:
        """The cars that come from ``first`` to ``last``, up to the moment ``until``.

        What is under way then stays as it stands; ``resume`` goes on with what an earlier run left. ``since`` is the
        moment up to which an earlier run of the same days came: nothing of before is done again.
        """
        for shop in self.shops:
            day = first
            while day <= last and shop.local(day, 0) <= until:
                self.plan_day(shop, day, since)
                day += timedelta(days=1)
            if resume:
                self.take_up(shop, since or shop.local(first, 0))
        last_rollup = None
        while self.heap and self.heap[0].at <= until:
            item = heapq.heappop(self.heap)
            with clock.moved_to(item.at):
                self.step(item)
                self.deliver_due()
                if last_rollup is None or item.at - last_rollup > timedelta(hours=12):
                    recompute_touched(limit=10_000)
                    last_rollup = item.at
            if progress is not None:
                progress(item.at)
        with clock.moved_to(until):
            outbox.drain()
            recompute_touched(limit=10_000)
            segments.recompute_segments()
        return self.report

    def deliver_due(self) -> None:
        """What the relay does; what a handler sets off waits for the next step, as it would for the relay's next look."""
        outbox.deliver_all(outbox.claim_due())

    def step(self, item: _Next) -> None:
        try:
            following = next(item.run)
        except StopIteration:
            return
        except (RuleError, NotAllowed) as refusal:
            self.report.refusals[getattr(refusal, "code", "") or str(refusal)] += 1
            return
        self.report.steps += 1
        self.push(max(following, item.at + timedelta(seconds=1)), item.run)

    # what happens on a day

    def arrivals(self, shop: Shop, day: date) -> list[tuple[datetime, datetime | None]]:
        """When cars come on a day, by hour and weekday, each with the moment of its booking (None: unannounced)."""
        rng = random.Random(f"{self.seed}-{shop.store.code}-{day}")
        number = max(1, round(self.cars_a_day(day) * BY_WEEKDAY[day.weekday()] * rng.uniform(0.85, 1.15)))
        hours, weights = zip(*ARRIVALS_BY_HOUR.items(), strict=True)
        found: list[tuple[datetime, datetime | None]] = []
        for _car in range(number):
            arrival = shop.local(day, rng.choices(hours, weights)[0], rng.randrange(60))
            ahead = timedelta(days=1, minutes=rng.randrange(30, 300))
            found.append((arrival, arrival - ahead if rng.random() < 0.45 else None))
        return found

    def plan_day(self, shop: Shop, day: date, since: datetime | None) -> None:
        """Lays out a day; what an earlier run has begun by ``since`` is left to ``take_up``."""
        planned: list[tuple[datetime, Steps]] = [
            (arrival, self.walk_in(shop)) if booked_at is None else (booked_at, self.booked(shop, arrival))
            for arrival, booked_at in self.arrivals(shop, day)
        ]
        planned.append((shop.local(day, 9, 30), self.care_round(shop)))
        planned.append((shop.local(day, 16, 30), self.care_round(shop)))
        planned.append((shop.local(day, 8, 20), self.restock(shop)))
        planned.append((shop.local(day, 17, 10), self.back_office(shop)))
        planned.append((shop.local(day, 8, 2), self.lift_rounds(shop)))
        planned.extend((shop.local(day, hour, minute), self.keep_promises(shop)) for hour, minute in PROMISES_KEPT)
        opening = random.Random(f"opening-{self.seed}-{shop.store.code}-{day}")
        planned.append((shop.local(day, 8), self.open_up(shop, opening)))
        planned.append(
            (shop.local(day, 8, 40), self.tool_day(shop, random.Random(f"tools-{self.seed}-{shop.store.code}-{day}")))
        )
        if day.toordinal() % max(1, round(14 / max(1, self.cars_a_day(day)))) == 0:
            back = Shop(shop.store, random.Random(f"back-{self.seed}-{shop.store.code}-{day}"), self._serial)
            planned.append((shop.local(day, 9, back.rng.randrange(10, 50)), self.come_back(back, day)))
        chance = random.Random(f"questions-{self.seed}-{shop.store.code}-{day}")
        for _question in range(max(1, round(self.cars_a_day(day) / 6))):
            planned.append(
                (shop.local(day, chance.randrange(8, 18), chance.randrange(60)), self.question(shop, chance))
            )
        for at, run in planned:
            if since is None or at > since:
                self.push(at, run)

    def take_up(self, shop: Shop, since: datetime) -> None:
        """Goes on with what an earlier run left: cars in the shop, and bookings of cars that have not come."""
        opening = max(shop.working(since), since)
        left = Visit.objects.filter(
            store=shop.store,
            state__in=[VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP],
            arrived_at__lte=since,
        )
        for visit in left.select_related("advisor__user", "vehicle", "link").order_by("arrived_at", "pk"):
            self.push(opening + timedelta(minutes=shop.rng.randrange(2, 40)), self.resume(shop, visit))
        expected = Appointment.objects.filter(
            store=shop.store, state__in=[A.REQUESTED, A.CONFIRMED, A.PREPARED], created_at__lte=since
        )
        for appointment in expected.select_related("vehicle").order_by("starts_at", "pk"):
            late = appointment.starts_at + timedelta(minutes=shop.rng.randrange(-12, 14))
            if late > since:
                self.push(late, self.arrive(shop, appointment))
            else:
                self.push(opening + timedelta(minutes=45), self.missed(shop, appointment))

    def person(self, shop: Shop) -> tuple[str, str]:
        name = shop.rng.choice(SURNAMES) + shop.rng.choice(GIVEN)
        return name, f"1390{shop.store.pk % 10}{shop.rng.randrange(10**6):06d}"

    def car(self, shop: Shop) -> dict[str, Any]:
        """A new car, or with growing likelihood one that has been here before and isn't here now."""
        if shop.rng.random() < 0.3:
            away = list(
                Vehicle.objects.filter(visits__store=shop.store)
                .exclude(visits__state__in=[VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP])
                .exclude(appointments__state__in=["REQUESTED", "CONFIRMED", "PREPARED"])
                .distinct()
                .order_by("plate", "visits__contact_name", "visits__contact_phone")
                .values_list("plate", "model_text", "visits__contact_name", "visits__contact_phone")[:400]
            )
            if away:
                plate, model, name, phone = shop.rng.choice(away)
                return {"plate": plate, "model_text": model, "contact_name": name, "contact_phone": phone}
        model = shop.rng.choice(shop.models)
        letter = {"BEV": "D", "PHEV": "F"}.get(model.powertrain, "")
        while True:
            self.plates += shop.rng.randrange(1, 9)
            plate = f"京A{letter}{self.plates % 100000:05d}"
            if not Vehicle.objects.filter(plate=plate).exists():
                break
        name, phone = self.person(shop)
        return {
            "plate": plate,
            "model_text": f"{model.series} {model.name}",
            "contact_name": name,
            "contact_phone": phone,
        }

    def kind_of_work(self, shop: Shop) -> str:
        return shop.rng.choices(["maintenance", "fault", "tyre", "body"], [52, 27, 13, 8])[0]

    def some_need(self, shop: Shop, kind: str, plate: str) -> str:
        return shop.rng.choice([need for need in NEEDS[kind] if not (without_engine(plate) and need in OF_ENGINES)])

    def kind_of_need(self, need: str) -> str:
        if code := code_of(need):
            return {"TY": "tyre", "AL": "tyre", "BD": "body", "PT": "body"}.get(code[:2], "fault")
        return next((kind for kind, needs in NEEDS.items() if need in needs), "maintenance")

    def some_work(self, shop: Shop, kind: str, plate: str, need: str = "") -> list[Operation]:
        fits = [row for row in shop.operations[kind] if fits_plate(row, plate)]
        known = code_of(need)
        return [row for row in fits if row.code == known] or (shop.rng.sample(fits, 1) if fits else [])

    @staticmethod
    def fitting_need(kind: str, chosen: list[Operation], need: str) -> str:
        """What the customer says of the work that is to be done; the first words where these fit as well."""
        return need if kind == "maintenance" or not chosen else said_of(chosen[0].code, need)

    @staticmethod
    def waits(shop: Shop, drawn: str, arrival: datetime, chosen: list[Operation]) -> str:
        """Who brings a car late or for long work doesn't wait in the shop."""
        short = sum((row.hours for row in chosen), Decimal(0)) <= Decimal("1.5")
        return drawn if short and arrival.astimezone(shop.zone).hour < 14 else "LEAVE"

    def booked(self, shop: Shop, arrival: datetime) -> Steps:
        """Books by telephone the day before, is prepared, reminded, and comes – or not (2.4)."""
        kind, car = self.kind_of_work(shop), self.car(shop)
        desk = shop.someone("receptionist")
        need = self.some_need(shop, kind, car["plate"])
        vehicle = Vehicle.objects.filter(plate=car["plate"]).first()
        if vehicle is None:
            customer = customers.register_customer(name=car["contact_name"], phone=car["contact_phone"], by=desk)
            papers = random.Random(f"papers-{car['plate']}")
            registered_on = clock.today() - timedelta(days=papers.randrange(200, 3000))
            vehicle = vehicles.register_vehicle(
                plate=car["plate"],
                model_text=car["model_text"],
                vehicle_type=type_of(car["model_text"]),
                owner_uid=customer.uid,
                registered_on=registered_on,
                insured_until=clock.today() + timedelta(days=papers.randrange(-20, 340)),
                invoiced_on=registered_on - timedelta(days=papers.randrange(2, 20)),
                battery_code=f"DB{papers.randrange(10**12):012d}" if car["plate"][2] in "DF" else "",
                by=desk,
            )
            self.know_better(shop, customer, papers, desk)
        else:
            owner = vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer").first()
            customer = (
                owner.customer
                if owner
                else customers.register_customer(name=car["contact_name"], phone=car["contact_phone"], by=desk)
            )
        chosen = self.some_work(shop, kind, car["plate"])
        need = self.fitting_need(kind, chosen, need)
        appointment = None
        start = arrival.replace(minute=arrival.minute // 30 * 30, second=0)
        for attempt in range(4):
            try:
                appointment = appointments.book_appointment(
                    customer_uid=customer.uid,
                    vehicle_uid=vehicle.uid,
                    contact_name=car["contact_name"],
                    contact_phone=car["contact_phone"],
                    starts_at=start + timedelta(minutes=30 * attempt),
                    concern=need,
                    operation_uids=[o.uid for o in chosen],
                    waiting_mode=self.waits(shop, shop.rng.choice(["WAIT_AT_DEALER", "LEAVE"]), start, chosen),
                    source="PHONE",
                    by=desk,
                )
                break
            except RuleError as refusal:
                self.report.refusals[refusal.code] += 1
        if appointment is None:
            self.try_to(
                waiting.join_waiting_list,
                customer_uid=customer.uid,
                vehicle_uid=vehicle.uid,
                contact_name=car["contact_name"],
                contact_phone=car["contact_phone"],
                first_day=start.date(),
                last_day=start.date() + timedelta(days=5),
                concern=need,
                operation_uids=[o.uid for o in chosen],
                by=desk,
            )
            return
        if appointment.state == "REQUESTED":
            appointments.confirm_appointment(uid=appointment.uid, by=desk)
        yield max(
            clock.now(), shop.local(appointment.starts_at.astimezone(shop.zone).date() - timedelta(days=1), 16, 10)
        )
        if shop.rng.random() < 0.9:
            appointments.confirm_parts(uid=appointment.uid, by=shop.someone("parts"))
            appointments.confirm_workshop(uid=appointment.uid, by=shop.someone("foreman"))
        if shop.rng.random() < 0.04:
            appointments.cancel_appointment(uid=appointment.uid, reason="客户改期再约", by=shop.someone("receptionist"))
            return
        if shop.rng.random() < 0.1:
            yield appointment.starts_at + timedelta(minutes=40)
            appointments.mark_no_show(uid=appointment.uid, by=shop.someone("receptionist"))
            return
        yield appointment.starts_at + timedelta(minutes=shop.rng.randrange(-12, 14))
        yield from self.visit(shop, car | {"need": need}, kind, chosen, appointment.uid)

    def know_better(self, shop: Shop, customer: Customer, papers: random.Random, desk: Actor) -> None:
        """What the desk writes down of some new customers: a tag, or who else drives and may say yes (2.3)."""
        words = list(CustomerTag.objects.filter(store=shop.store, ended_at__isnull=True).order_by("pk"))
        if words and papers.random() < 0.35:
            tags.tag_customer(customer_uid=customer.uid, tag_uid=papers.choice(words).uid, by=desk)
        if papers.random() < 0.25:
            roles = papers.choice((["DRIVER"], ["DRIVER", "AUTHORISES"], ["PAYER", "AUTHORISES"]))
            name = papers.choice(SURNAMES) + papers.choice(GIVEN)
            phone = f"13{papers.randrange(100_000_000, 999_999_999)}"
            limit = Decimal(50000) if "AUTHORISES" in roles and customer.kind == "COMPANY" else None
            contacts.add_contact(
                customer_uid=customer.uid, name=name, roles=roles, phone=phone, by=desk, authorises_up_to=limit
            )

    def who_decides(self, visit: Visit, name: str) -> str:
        """Who brings the car where the payer leaves it to them, else somebody the payer named, reached by telephone."""
        if visit.customer.name == name and visit.customer.kind == "PERSON":
            return name
        named = [c.name for c in visit.customer.contacts.filter(ended_at__isnull=True).order_by("pk")
                 if "AUTHORISES" in c.roles]  # fmt: skip
        if not named:
            return name
        return visit.customer.name if visit.customer.kind == "PERSON" else named[0]

    def walk_in(self, shop: Shop) -> Steps:
        kind = self.kind_of_work(shop)
        car = self.car(shop)
        need = self.some_need(shop, kind, car["plate"])
        chosen = self.some_work(shop, kind, car["plate"])
        yield from self.visit(shop, car | {"need": self.fitting_need(kind, chosen, need)}, kind, chosen, None)

    def visit(self, shop: Shop, car: dict[str, Any], kind: str, chosen: list[Operation], appointment_uid: Any) -> Steps:
        """One stay from the gate to the gate."""
        rng = shop.rng
        visit = visits.register_arrival(
            **car,
            appointment_uid=appointment_uid,
            waiting_mode=self.waits(shop, rng.choice(["WAIT_AT_DEALER", "LEAVE"]), clock.now(), chosen),
            **({} if appointment_uid else self.came()),
            by=shop.someone("receptionist"),
        )
        self.report.cars += 1
        if rng.random() < 0.02:
            yield clock.now() + shop.minutes(15, 30)
            visits.leave_unserved(uid=visit.uid, reason="等不及离店", by=shop.someone("receptionist"))
            return
        yield clock.now() + shop.minutes(1, 8)
        yield from self.stay(shop, visit, kind, chosen)

    def come_back(self, shop: Shop, day: date) -> Steps:
        """A car that left some days ago is here again for the same work, within its guarantee (3.2)."""
        gone = OrderLine.objects.filter(
            order__store=shop.store,
            order__original__isnull=True,
            state=LineState.INSPECTED,
            settled=True,
            order__settlements__state=SettlementState.SIGNED,
            order__settlements__guarantee_days__gt=0,
            order__visit__state=VisitState.DEPARTED,
            order__visit__handover__at__lt=clock.now() - timedelta(hours=20),
            order__visit__handover__at__gt=clock.now() - timedelta(days=9),
        ).exclude(order__vehicle__visits__state__in=[VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP])
        expected = Appointment.objects.filter(store=shop.store, state__in=[A.REQUESTED, A.CONFIRMED, A.PREPARED])
        lines = list(
            gone.exclude(order__vehicle__in=expected.values("vehicle_id"))
            .exclude(order__vehicle__returns__isnull=False)
            .distinct()
            .select_related("order__visit", "order__vehicle", "operation")
            .order_by("pk")
        )
        if not lines:
            return
        line = shop.rng.choice(lines)
        was = line.order.visit
        visit = visits.register_arrival(
            plate=line.order.vehicle.plate,
            model_text=line.order.vehicle.model_text,
            contact_name=was.contact_name,
            contact_phone=was.contact_phone,
            need=CAME_BACK[self.turn(day)][0],
            waiting_mode="LEAVE",
            by=shop.someone("receptionist"),
        )
        self.report.cars += 1
        yield clock.now() + shop.minutes(1, 8)
        work = [line.operation] if line.operation else []
        yield from self.stay(shop, visit, "maintenance", work, came_back=line)

    @staticmethod
    def turn(day: date) -> int:
        """Which of the stories in ``CAME_BACK`` a day's return has."""
        return day.toordinal() % 7 % len(CAME_BACK)

    def seek_cause(self, shop: Shop, visit: Visit, advisor: Actor) -> Steps:
        """The technical director looks at a car that came back, the same or the next day; what is ours is mended."""
        case = ReworkCase.objects.filter(visit=visit).order_by("pk").first()
        if case is None:
            return
        turn = self.turn(case.claimed_on)
        if case.state == ReworkState.OPEN:
            yield shop.working(clock.now() + timedelta(hours=(2, 20, 4, 27)[turn]))
            _said, cause, findings = CAME_BACK[turn]
            bearer = "SUPPLIER" if cause == "PART" else ""
            rework.judge_rework(
                uid=case.uid, cause=cause, findings=findings, bearer=bearer, by=shop.first("techdirector")
            )
            yield shop.working(clock.now() + shop.minutes(5, 25))
        case.refresh_from_db()
        if case.state == ReworkState.ACCEPTED and case.order is None:
            rework.start_rework(uid=case.uid, by=advisor)

    def came(self) -> dict[str, Any]:
        """How a car came that wasn't booked: now and then its key lay in the box, or it came on a tow truck."""
        place = self.report.cars % 12
        if place == 5:
            left_at = clock.now() - timedelta(hours=11)
            return {"arrival_kind": "KEY_DROP", "key_locker": f"夜{place:02d}", "key_left_at": left_at}
        if place == 9:
            return {"arrival_kind": "TOWED_IN", "tow_company": "示例道路救援", "towed_from": "东环高架出口"}
        return {}

    def stay(
        self,
        shop: Shop,
        visit: Visit,
        kind: str,
        chosen: list[Operation],
        came_back: OrderLine | None = None,
    ) -> Steps:
        """From the greeting to the gate; begins wherever the visit stands, so that a broken-off run can go on.

        ``came_back`` is the work of ours for which the car is here again.
        """
        rng, name = shop.rng, visit.contact_name
        if visit.state == VisitState.WAITING:
            visits.greet_visit(uid=visit.uid, by=shop.someone("advisor"))
            visit.refresh_from_db()
            yield clock.now() + shop.minutes(5, 12)
        advisor = shop.actor(visit.advisor) if visit.advisor else shop.someone("advisor")
        if not WalkAround.objects.filter(visit=visit).exclude(state="DRAFT").exists():
            self.walk_around(shop, visit, advisor, driven=(10, 400) if came_back else (800, 14000))
            self.after_reception(shop, visit, advisor)
            yield clock.now() + shop.minutes(2, 6)
        link = customer_link(visit_id=visit.pk, store_id=shop.store.pk, token_id=str(visit.link.uid))
        if WalkAround.objects.filter(visit=visit, state="SENT").exists():
            walkarounds.confirm_walkaround(
                visit_uid=visit.uid, signed_name=name, old_parts="LEAVE", no_valuables=True, by=link
            )
        if came_back:
            rework.open_rework(visit_uid=visit.uid, line_uid=came_back.uid, complaint=visit.need, by=advisor)
        yield from self.seek_cause(shop, visit, advisor)
        order = visit.orders.order_by("pk").first()
        if order is None:
            hours = sum(float(operation.hours) for operation in chosen)
            order = orders.open_repair_order(
                visit_uid=visit.uid,
                complaint=visit.need,
                with_diagnosis=kind == "fault",
                diagnosis_agreed_by=self.who_decides(visit, name) if kind == "fault" else "",
                signed_on_paper=kind == "fault",
                operation_uids=[operation.uid for operation in chosen],
                promised_at=self.promise(shop, shop.working(clock.now() + timedelta(hours=hours * 1.5 + 3.5)), hours),
                by=advisor,
            )
            if kind == "fault":
                self.maker_pays(order, advisor)
        yield from self.ask(shop, order, advisor, link, name)
        gives_up = rng.random() < 0.02 and order.original_id is None
        if gives_up and not self.agreed(order).filter(state=LineState.IN_PROGRESS).exists():
            orders.withdraw_order(order_uid=order.uid, reason="客户临时有事，不修了", by=advisor)
        yield from self.work(shop, order, advisor, link, name)
        yield from self.inspect(shop, order)
        self.judge(shop, order)
        self.claim(shop, order)
        yield from self.deliver(shop, visit, order, advisor, link, name)

    @staticmethod
    def promise(shop: Shop, reckoned: datetime, hours: float) -> datetime:
        """What is promised for the next morning is promised for when it can be ready, not for the opening."""
        local = reckoned.astimezone(shop.zone)
        if reckoned.date() == clock.now().date() and local.hour < 18:
            return reckoned
        ready = shop.local(local.date(), 11, 30) + timedelta(minutes=round(hours * 60))
        return max(reckoned, min(ready, shop.local(local.date(), 17)))

    def keep_promises(self, shop: Shop) -> Steps:
        """Each advisor looks which car won't be ready in time and tells its customer when; one call is made later."""
        soon = clock.now() + timedelta(minutes=45)
        behind = RepairOrder.objects.filter(store=shop.store, closed_at__isnull=True, promised_at__lt=soon)
        behind = behind.filter(lines__state__in=[LineState.AUTHORIZED, LineState.IN_PROGRESS]).distinct()
        rows = list(behind.select_related("visit__advisor__user").order_by("promised_at", "pk"))
        later = rows[-1:] if clock.now().astimezone(shop.zone).hour < 12 and len(rows) > 1 else []
        for order in rows:
            advisor = order.visit.advisor
            if order in later or advisor is None:
                continue
            lines = order.lines.filter(state__in=[LineState.AUTHORIZED, LineState.IN_PROGRESS])
            waits = LineHold.objects.filter(line__in=lines, ended_at__isnull=True, cause="PARTS").exists()
            hours = sum(float(line.hours) for line in lines)
            ready = self.in_hours(shop, clock.now() + timedelta(hours=hours * 1.2 + (26 if waits else 2.5)))
            self.try_to(
                orders.change_promise, order_uid=order.uid, promised_at=ready, told="PHONE", told_to=order.visit.contact_name,
                reason="等待备件到货" if waits else "前一台车作业延后", by=shop.actor(advisor),
            )  # fmt: skip
        yield clock.now() + timedelta(minutes=1)

    @staticmethod
    def in_hours(shop: Shop, moment: datetime) -> datetime:
        """The moment on a full quarter, or in the next morning."""
        local = moment.astimezone(shop.zone)
        if local.hour >= 17:
            return shop.local(local.date() + timedelta(days=1), 11)
        return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0) + timedelta(minutes=15)

    @staticmethod
    def maker_pays(order: RepairOrder, advisor: Actor) -> None:
        """A fault within the period of free repair is the maker's to pay (domain 3.6); maintenance and wear never are."""
        periods = statutory_of(order.vehicle)
        if periods is None or periods.repair_period is None or not periods.repair_period.running:
            return
        drafts = order.lines.filter(state=LineState.DRAFT, is_diagnosis=False).select_related("operation")
        for line in drafts.order_by("position"):
            if line.operation is not None and not line.operation.is_maintenance and line.operation.code not in WEARS:
                orders.change_line(line_uid=line.uid, pay_type=PayType.WARRANTY, by=advisor)

    def maker_agrees(self, shop: Shop, order: RepairOrder) -> None:
        """Dear work under warranty goes ahead on the maker's number, which the clerk writes down (3.2)."""
        drafts = order.lines.filter(state=LineState.DRAFT).prefetch_related("part_lines").order_by("pk")
        for line in waiting_for_payer(order, drafts):
            number = f"SQ{order.number.replace('-', '')[-8:]}{line.position:02d}"
            self.try_to(
                payers.ask_payer, line_uid=line.uid, reason="保修期内总成故障", maker_number=number,
                by=shop.first("warranty"),
            )  # fmt: skip

    def judge(self, shop: Shop, order: RepairOrder) -> None:
        """The warranty clerk says what the maker's repairs stand for; some wait for it (domain 3.6)."""
        mended = order.lines.filter(pay_type=PayType.WARRANTY, state=LineState.INSPECTED, judgements__isnull=True)
        for line in mended.select_related("operation").order_by("position"):
            code = line.operation.code if line.operation is not None else ""
            if random.Random(f"fault-{self.seed}-{order.number}-{line.position}").random() < 0.8:
                found = FAULTS.get(code, {})
                self.try_to(faults.judge_fault, line_uid=line.uid, is_quality=True, by=shop.first("warranty"), **found)

    def claim(self, shop: Shop, order: RepairOrder) -> None:
        """What the maker pays is claimed; now and then nobody took the photo it wants (3.2)."""
        clerk = shop.first("warranty")
        done = order.lines.filter(pay_type=PayType.WARRANTY, state=LineState.INSPECTED, claimed_in__isnull=True)
        if not done.exists():
            return
        chance = random.Random(f"claim-{self.seed}-{order.number}")
        for line in done.filter(photos__isnull=True).order_by("position"):
            if chance.random() < 0.85:
                self.try_to(orders.add_line_photo, line_uid=line.uid, content=grey_picture(), by=clerk)
        claim = warranty_claims.open_warranty_claim(order_uid=order.uid, by=clerk)
        warranty_claims.start_warranty_repair(uid=claim.uid, by=clerk)

    def back_office(self, shop: Shop) -> Steps:
        """The warranty clerk submits what is complete and writes down what the maker says; old parts find their place."""
        clerk, keeper, today = shop.first("warranty"), shop.first("parts"), shop.today()
        claims = WarrantyClaim.objects.filter(store=shop.store).order_by("pk")
        for claim in claims.filter(state="REPAIRING"):
            if all(paper.there for paper in papers_of(claim)):
                warranty_claims.complete_warranty_claim(uid=claim.uid, by=clerk)
                number = f"BX{claim.number.replace('-', '')[-8:]}"
                self.try_to(warranty_claims.submit_warranty_claim, uid=claim.uid, reference=number, by=clerk)
        for claim in claims.filter(state="RETURNED"):
            self.try_to(warranty_claims.submit_warranty_claim, uid=claim.uid, reference=claim.reference, by=clerk)
        yield clock.now() + timedelta(minutes=10)
        for claim in claims.filter(state="SUBMITTED", submitted_on__lte=today - timedelta(days=4)):
            chance = random.Random(f"maker-{self.seed}-{claim.number}-{claim.times_submitted}").random()
            if chance < 0.15:
                warranty_claims.return_warranty_claim(uid=claim.uid, reason="补充故障部位照片", by=clerk)
            elif chance < 0.22:
                no = {"reason": "不属于质量问题", "shop_bears": "GOODWILL"}
                warranty_claims.reject_warranty_claim(uid=claim.uid, by=clerk, **no)
            elif chance < 0.35:
                less = round(claim.claimed_amount * Decimal("0.9"), 2)
                warranty_claims.approve_warranty_claim(
                    uid=claim.uid, amount=less, reason="工时超过厂家标准", shop_bears="INTERNAL", by=clerk
                )
            else:
                warranty_claims.approve_warranty_claim(uid=claim.uid, amount=claim.claimed_amount, by=clerk)
        for claim in claims.filter(state="APPROVED", decided_on__lte=today - timedelta(days=9)):
            number, amount = f"HK{claim.number.replace('-', '')[-8:]}", claim.approved_amount or Decimal(0)
            warranty_claims.pay_warranty_claim(uid=claim.uid, amount=amount, reference=number, by=clerk)
        yield clock.now() + timedelta(minutes=10)
        lying = OldPart.objects.filter(store=shop.store, state__in=("KEPT", "RELEASED")).order_by("pk")
        for part in lying.filter(place="", disposition="MAKER"):
            old_parts.shelve_old_part(uid=part.uid, place=f"J-{int(part.tag[-4:]) % 20 + 1:02d}", by=keeper)
        for part in lying.filter(disposition="SHOP", keep_until__lt=today):
            old_parts.scrap_old_part(uid=part.uid, note="交回收单位", by=keeper)
        for part in lying.filter(disposition="MAKER", line__claimed_in__claim__state="PAID"):
            self.try_to(old_parts.return_old_part, uid=part.uid, reference=f"SF{part.tag[-11:]}", by=keeper)

    def walk_around(self, shop: Shop, visit: Visit, advisor: Actor, *, driven: tuple[int, int]) -> None:
        """The advisor looks at the car with the customer, takes the key, and the customer signs (2.1.2)."""
        rng = shop.rng
        walkarounds.save_walkaround(
            visit_uid=visit.uid,
            odometer_km=self.mileage(shop, visit, rng.randrange(*driven)),
            energy_eighths=rng.randrange(1, 9),
            kit_fitted=True,
            no_valuables=True,
            old_parts=rng.choice(["TAKE", "LEAVE"]),
            own_words=visit.need,
            by=advisor,
        )
        for number in range(rng.choice([0, 0, 1, 1, 2])):
            walkarounds.add_damage(
                visit_uid=visit.uid,
                side=rng.choice(["LEFT", "RIGHT", "FRONT", "REAR"]),
                kind=rng.choice(["SCRATCH", "DENT", "CHIP"]),
                note=MARK_NOTES[(visit.pk + number) % len(MARK_NOTES)],
                x=rng.randrange(200, 800),
                y=rng.randrange(200, 800),
                size_mm=rng.randrange(5, 120),
                by=advisor,
            )
        place = self.free_place(shop, f"{rng.choice('ABC')}{rng.randrange(1, 9)}")
        visits.give_key(uid=visit.uid, key_tag=self.free_tag(shop), place=place, by=advisor)
        if visit.arrival_kind == "IN_PERSON":
            walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name=visit.contact_name, by=advisor)
        else:
            walkarounds.send_walkaround(visit_uid=visit.uid, by=advisor)

    def mileage(self, shop: Shop, visit: Visit, drawn: int) -> int:
        """What the car shows: some tens of kilometres for each day since it was read, or since it was new."""
        car = Vehicle.objects.get(pk=visit.vehicle_id)
        a_day = random.Random(f"km-{self.seed}-{car.plate}").randrange(18, 55)
        last = car.readings.order_by("-read_at", "-pk").first()
        if last is not None:
            gone = clock.now() - last.read_at
            return car.odometer_km + max(2, round(gone.total_seconds() / 86400 * a_day) + drawn % 5)
        if car.registered_on is None:
            return car.odometer_km + drawn
        return car.odometer_km + (shop.today() - car.registered_on).days * a_day + drawn % 400

    def after_reception(self, shop: Shop, visit: Visit, advisor: Actor) -> None:
        """What the customer agrees to, taps on the link and says at the desk (2.1.4, 2.3); has a chance of its own."""
        chance = random.Random(f"reception-{self.seed}-{visit.number}")
        asked = (("SERVICE", 1.0), ("SURVEY", 0.75), ("MARKETING", 0.5), ("SHARING", 0.4))
        agreed = [purpose for purpose, share in asked if chance.random() < share]
        known = set(visit.customer.consents.values_list("purpose", flat=True))
        for purpose in agreed:
            if purpose not in known:
                customers.record_consent(customer_uid=visit.customer.uid, purpose=purpose, given=True, by=advisor)
        if chance.random() < 0.45:
            link = customer_link(visit_id=visit.pk, store_id=shop.store.pk, token_id=str(visit.link.uid))
            rating = chance.choice((5, 5, 5, 4, 4, 3, 2))
            if self.try_to(visits.rate_reception, uid=visit.uid, rating=rating, by=link) and rating == 2:
                self.try_to(visits.explain_rating, uid=visit.uid, words="等了很久才有人接待。", by=link)
        if chance.random() < 0.2:
            words, score = chance.choice(SAID_AT_DESK)
            self.try_to(visits.note_feedback, uid=visit.uid, words=words, score=score, by=advisor)

    def free_tag(self, shop: Shop) -> str:
        taken = self.of_cars_here(shop, "key_tag")
        return next(tag for n in range(1, 999) if (tag := f"{n:02d}") not in taken)

    def free_place(self, shop: Shop, wanted: str) -> str:
        """The wanted place, or the next one on which no car stands."""
        taken = self.of_cars_here(shop, "parking_place")
        places = [f"{row}{n}" for row in "ABCDEF" for n in range(1, 9)]
        first = places.index(wanted)
        return next((place for place in places[first:] + places[:first] if place not in taken), wanted)

    @staticmethod
    def of_cars_here(shop: Shop, field: str) -> set[str]:
        open_states = [VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP]
        return set(Visit.objects.filter(store=shop.store, state__in=open_states).values_list(field, flat=True))

    def ask(self, shop: Shop, order: RepairOrder, advisor: Actor, link: Actor, name: str) -> Steps:
        """Sends what is written and waits for the customer, who decides line by line on the link or by telephone."""
        rng = shop.rng
        self.maker_agrees(shop, order)
        if OrderLine.objects.filter(order=order, state=LineState.DRAFT).exists():
            estimate = orders.send_estimate(order_uid=order.uid, by=advisor)
        elif OrderLine.objects.filter(order=order, state=LineState.PENDING).exists():
            estimate = order.estimates.order_by("-number")[0]  # sent before a run was broken off
        else:
            return
        yield clock.now() + shop.minutes(2, 25)
        pending = list(OrderLine.objects.filter(order=order, state=LineState.PENDING).order_by("position"))
        decisions = {}
        for line in pending:
            no = line.is_addition and not line.is_safety and rng.random() < 0.45
            decisions[line.uid] = (False, rng.choice(DECLINES)) if no else (True, "")
        if not decisions:
            return
        on_link, decider = rng.random() < 0.75, self.who_decides(order.visit, name)
        if on_link:
            authorizations.note_estimate_viewed(estimate_uid=estimate.uid, by=link)
            authorizations.decide_lines(
                order_uid=order.uid,
                decisions=decisions,
                method="DIGITAL_PORTAL",
                authorized_by=name,
                seen_hash=estimate.seen_hash,
                by=link,
            )
        if not on_link or decider != name:  # what the driver said on the link is a message, the payer is called
            still = OrderLine.objects.filter(order=order, state=LineState.PENDING).values_list("uid", flat=True)
            wanted = {uid: decisions[uid] for uid in still if uid in decisions}
            if not wanted:
                return
            authorizations.decide_lines(
                order_uid=order.uid,
                decisions=wanted,
                method="VERBAL_PHONE",
                authorized_by=decider,
                note="电话里逐项确认",
                by=advisor,
            )

    def agreed(self, order: RepairOrder) -> Any:
        return OrderLine.objects.filter(order=order, state__in=[LineState.AUTHORIZED, LineState.IN_PROGRESS])

    def work(self, shop: Shop, order: RepairOrder, advisor: Actor, link: Actor, name: str) -> Steps:
        """Dispatch, parts, clocking; sometimes more work is found and asked for."""
        rng, found, tries = shop.rng, False, 0
        while True:
            line = self.agreed(order).order_by("position").first()
            if line is None:
                return
            if LineHold.objects.filter(line=line, ended_at__isnull=True).exists():
                yield shop.working(clock.now() + timedelta(minutes=45))
                continue
            technician = yield from self.dispatch(shop, line)
            if technician is None:
                tries += 1
                if tries > 30:
                    self.try_to(orders.withdraw_line, line_uid=line.uid, reason="本周排不出，改约", by=advisor)
                yield shop.working(clock.now() + timedelta(minutes=40))
                continue
            worker = shop.actor(technician)
            yield from self.issue(shop, line)
            while not self.begin(shop, line, worker):
                yield shop.working(clock.now() + shop.minutes(10, 25))
            if asks_stages(line) and not order.sheets.filter(template__stage="BEFORE").exists():
                self.sign_stage(shop, order, "BEFORE", worker)
            offered = self.check_over(order, line, worker)
            if offered and not found:
                found = True
                yield from self.ask(shop, order, advisor, link, name)
            span = max(6.0, float(line.hours) * 60 * rng.uniform(0.75, 1.3))
            if rng.random() < 0.15:
                yield from self.at_work(shop, line, worker, timedelta(minutes=span / 2))
                self.try_to(clocking.clock_off, pause_cause=rng.choice(["HELP", "TOOL", "BREAK"]), by=worker)
                yield shop.working(clock.now() + shop.minutes(10, 30))
                while not self.begin(shop, line, worker):
                    yield shop.working(clock.now() + shop.minutes(10, 25))
                span /= 2
            fits = [row for row in shop.operations["fault"] if fits_plate(row, order.vehicle.plate)]
            if not found and rng.random() < 0.28 and fits:
                found = True
                extra = rng.choice(fits)
                orders.add_line(
                    order_uid=order.uid,
                    operation_uid=extra.uid,
                    is_addition=True,
                    cause=story_of(extra.code)[0],
                    complaint=ON_INSPECTION,
                    extra_minutes=40,
                    by=worker,
                )
                yield from self.ask(shop, order, advisor, link, name)
            yield from self.at_work(shop, line, worker, timedelta(minutes=span))
            cause, correction = self.found_and_done(line)
            clocking.finish_line(line_uid=line.uid, cause=cause, correction=correction, by=worker)
            self.gloves_back(shop, line, worker)

    def at_work(self, shop: Shop, line: OrderLine, worker: Actor, takes: timedelta) -> Steps:
        """Works on for so long; at closing time the clock stops, and the rest is done the next morning (3.2)."""
        closes = shop.local(clock.now().astimezone(shop.zone).date(), 18, 0)
        rest = clock.now() + takes - closes
        if rest <= timedelta():
            yield clock.now() + takes
            return
        yield max(closes, clock.now() + timedelta(minutes=1))
        self.try_to(clocking.clock_off, pause_cause="BREAK", by=worker)
        yield shop.working(clock.now() + timedelta(minutes=1))
        while not self.begin(shop, line, worker):
            yield shop.working(clock.now() + shop.minutes(10, 25))
        yield clock.now() + min(rest, takes)

    @staticmethod
    def found_and_done(line: OrderLine) -> tuple[str, str]:
        """Cause and correction of a fault; maintenance has none, a diagnosis says what it led to."""
        if line.operation is not None and line.operation.is_maintenance:
            return "", ""
        if not line.is_diagnosis:
            return story_of(line.operation.code if line.operation else "")
        others = line.order.lines.filter(is_diagnosis=False, is_addition=False, operation__isnull=False)
        beside = others.select_related("operation").order_by("position").first()
        code = beside.operation.code if beside is not None and beside.operation is not None else ""
        cause = MENDED[code][1] if code in MENDED else "读取数据流正常，路试未再现"
        return cause, "检测并确认故障点" if code in MENDED else "检测完成，请客户留意"

    def gloves_back(self, shop: Shop, line: OrderLine, worker: Actor) -> None:
        """After high-voltage work the gloves go back to their place (3.4)."""
        if line.operation is None or not needs_two(line):
            return
        held = ToolIssue.objects.filter(
            employee=employee_of(worker), returned_at__isnull=True, tool__kind="GLOVES"
        ).select_related("tool")
        for issue in held.order_by("pk"):
            self.try_to(tools.return_tool, uid=issue.tool.uid, condition="GOOD", by=worker)

    def check_over(self, order: RepairOrder, line: OrderLine, worker: Actor) -> bool:
        """3.1: with some maintenance a check sheet is filled in and signed; says whether a finding was offered."""
        chance = random.Random(f"sheet {order.number}")
        kind = chance.choices(["", "SHORT", "FULL"], [70, 20, 10])[0]
        if not (kind and line.operation and line.operation.is_maintenance):
            return False
        if order.sheets.filter(template__stage="").exists():
            return False
        template = templates_for(clock.today(order.store.time_zone)).get(code=kind)
        sheet = sheets.begin_sheet(order_uid=order.uid, template_uid=template.uid, by=worker)
        findings = []
        for item in items_for(template.pk, sheet.powertrain):
            given = self.looked_at(item, chance)
            if given is None:
                continue
            sheets.answer_item(sheet_uid=sheet.uid, item_uid=item.uid, by=worker, **given)
            if item.operation_id and given.get("note"):
                findings.append(item)
        self.try_to(sheets.rest_is_good, uid=sheet.uid, by=worker)
        for item in items_for(template.pk, sheet.powertrain):
            if item.kind == CheckKind.PHOTO:
                sheets.add_check_photo(
                    sheet_uid=sheet.uid, item_uid=item.uid, content=grey_picture(), name="lift.jpg", by=worker
                )
        sheets.sign_sheet(uid=sheet.uid, by=worker)
        return bool(findings) and self.try_to(
            sheets.offer_finding, sheet_uid=sheet.uid, item_uid=findings[0].uid, by=worker
        )

    @staticmethod
    def looked_at(item: CheckItem, chance: random.Random) -> dict[str, Any] | None:
        """What is found at one item; None leaves it to the rest."""
        worn = chance.random() < 0.06
        if item.kind in READINGS:
            low, high = (item.yellow_below, None) if item.yellow_below is not None else (None, item.yellow_above)
            count, step = READINGS[CheckKind(item.kind)], Decimal(chance.randint(1, 9)) / 10
            usual = low + step if low is not None else (high or Decimal(0)) - step
            values = [usual] * count
            if worn:
                values[-1] = low - Decimal("0.1") if low is not None else (high or Decimal(0)) + Decimal("0.1")
            return {"readings": values, "note": "接近更换限值" if worn else ""}
        if item.kind == CheckKind.RATING and (item.is_safety or worn):
            return {"verdict": "YELLOW" if worn else "GREEN", "note": "有磨损，建议关注" if worn else ""}
        return None

    def begin(self, shop: Shop, line: OrderLine, worker: Actor) -> bool:
        """Clocks on; to high-voltage work with a pair of gloves, which goes back when others need it (3.4)."""
        if line.operation is not None and needs_two(line):
            me = employee_of(worker)
            pairs = ToolAsset.objects.filter(store=shop.store, kind="GLOVES").order_by("number")
            if me is not None and not pairs.filter(issues__employee=me, issues__returned_at__isnull=True).exists():
                free = pairs.filter(state=ToolState.AVAILABLE, valid_until__gte=shop.today()).first()
                if free is None:
                    worn = ToolIssue.objects.filter(tool__in=pairs, returned_at__isnull=True).order_by("pk")
                    idle = worn.exclude(employee__clockings__ended_at__isnull=True).select_related("tool").first()
                    if idle is not None:
                        keeper = shop.first("parts")
                        self.try_to(tools.return_tool, uid=idle.tool.uid, condition="GOOD", by=keeper)
                        free = idle.tool
                if free is not None:
                    self.try_to(tools.issue_tool, uid=free.uid, by=worker)
            unseen = gloves_unseen(me, shop.today()) if me is not None else None
            if unseen is not None:
                self.try_to(gloves.look_at_gloves, uid=unseen.uid, by=worker)
        return self.try_to(clocking.clock_on, line_uid=line.uid, by=worker)

    def try_to(self, command: Callable[..., Any], **words: Any) -> bool:
        try:
            command(**words)
        except RuleError as refusal:
            self.report.refusals[refusal.code] += 1
            return False
        return True

    def dispatch(self, shop: Shop, line: OrderLine) -> Generator[datetime, None, Employee | None]:
        """The foreman looks for a technician with the skill and a bay that are both free now."""
        live = line.dispatches.filter(live=True).select_related("technician__user").order_by("pk").first()
        if live is not None:
            return live.technician
        shop.wake()
        skilled = Employee.objects.filter(pk__in=shop.here, resource__active=True, posts__post__code="technician")
        if line.operation is not None and line.operation.skill_id:
            skilled = skilled.filter(
                skills__skill_id=line.operation.skill_id, skills__level__gte=line.operation.skill_level
            )
        people = list(skilled.distinct().select_related("user", "resource").order_by("number"))
        shop.rng.shuffle(people)
        capability = line.operation.capability if line.operation else BayCapability.STANDARD_LIFT
        bays = list(
            Resource.objects.filter(
                store=shop.store, kind=ResourceKind.BAY, active=True, capability=capability
            ).order_by("code")
        )
        taken = self.planned_now(shop, timedelta(hours=float(line.hours)), line)
        free = [person for person in people if person.resource.pk not in taken]
        two = line.operation is not None and line.operation.skill is not None and line.operation.skill.code == "hv"
        for technician in free[:2]:
            for bay in [bay for bay in bays if bay.pk not in taken][:2]:
                done = self.try_to(
                    dispatch.dispatch_line,
                    line_uid=line.uid,
                    technician_uid=technician.uid,
                    bay_uid=bay.uid,
                    starts_at=clock.now(),
                    second_uid=next((p.uid for p in free if p != technician), None) if two else None,
                    by=shop.someone("foreman"),
                )
                if done:
                    return technician
        yield shop.working(clock.now() + timedelta(minutes=1))
        return None

    def planned_now(self, shop: Shop, span: timedelta, line: OrderLine) -> set[int]:
        """Bays and people that the plan board shows as taken within ``span``; what was booked for this car is its own."""
        now = clock.now()
        plans = Reservation.objects.filter(
            store=shop.store, live=True, period__overlap=(now, now + max(span, timedelta(minutes=1)))
        )
        own = line.order.visit.appointment
        if own is not None:
            plans = plans.exclude(subject_uid=own.uid)
        return set(plans.values_list("resource_id", flat=True))

    def issue(self, shop: Shop, line: OrderLine) -> Steps:
        if any(row.signed_at is None for row in consents_of([line])):
            name = line.order.visit.contact_name
            desk = shop.someone("advisor")
            self.try_to(part_consents.sign_part_consent, line_uid=line.uid, signed_name=name, on_paper=True, by=desk)
        for part_line in PartLine.objects.filter(line=line).order_by("pk"):
            if part_line.issued_quantity < part_line.quantity:
                keeper = shop.someone("parts")
                self.try_to(stock.issue_part, part_line_uid=part_line.uid, lots=self.oldest(part_line), by=keeper)
                self.take_back_one(shop, part_line)
        yield clock.now() + shop.minutes(2, 8)

    @staticmethod
    def oldest(part_line: PartLine) -> list[str]:
        """The numbers by which a traced part is taken: the batch that came first, or the first serial numbers."""
        how, wanted = part_line.part.tracing, part_line.quantity - part_line.issued_quantity
        if how == Tracing.NONE:
            return []
        lots = StockLot.objects.filter(item__store=part_line.line.order.store, item__part=part_line.part).order_by("pk")
        if how == Tracing.BATCH:
            return list(lots.filter(on_hand__gte=wanted).values_list("code", flat=True)[:1])
        return list(lots.filter(on_hand__gt=0).values_list("code", flat=True)[: int(wanted)])

    def numbers(self, shop: Shop, part: Part, quantity: Decimal) -> list[str]:
        """What stands on the boxes of a traced part that came today."""
        if part.tracing == Tracing.BATCH:
            return [f"B{shop.today():%y%m%d}"]
        count = int(quantity) if part.tracing == Tracing.SERIAL else 0
        return [f"SN{shop.today():%y%m%d}-{self._serial():05d}" for _piece in range(count)]

    def take_back_one(self, shop: Shop, part_line: PartLine) -> None:
        """Now and then one piece comes back, and a good one is issued in its place; nothing is drawn for it."""
        condition, reason = TAKEN_BACK.get(part_line.pk % 23, ("", ""))
        part_line.refresh_from_db()
        [free] = availability(shop.store.pk, [(part_line.part_id, Decimal(1))])
        piece = part_line.part.unit not in MEASURED and part_line.part.tracing == Tracing.NONE
        if condition and piece and free and part_line.issued_quantity >= 1:
            keeper = shop.first("parts")
            back = {"condition": condition, "quantity": Decimal(1), "reason": reason}
            self.try_to(stock.return_part, part_line_uid=part_line.uid, by=keeper, **back)
            self.try_to(stock.issue_part, part_line_uid=part_line.uid, by=keeper)

    def inspect(self, shop: Shop, order: RepairOrder) -> Steps:
        """Self, team where its category asks it, final, by different people; one in fifteen goes back (3.2)."""
        rng = shop.rng
        while OrderLine.objects.filter(order=order, state=LineState.COMPLETED).exists():
            workers = set(
                Employee.objects.filter(clockings__line__order=order).order_by("pk").values_list("pk", flat=True)
            )
            level = {"order_uid": order.uid, "result": "PASSED"}
            done = OrderLine.objects.filter(order=order, state=LineState.COMPLETED).order_by("position")
            for worker in dict.fromkeys(self.worker_of(line) for line in done):
                self.try_to(inspections.inspect_order, level="SELF", by=shop.actor(worker), **level)
            yield shop.working(clock.now() + shop.minutes(3, 12))
            leader = shop.someone("leader", but=workers)
            if InspectionLevel.TEAM in levels_of(order, done):
                self.try_to(inspections.inspect_order, level="TEAM", by=leader, **level)
            yield shop.working(clock.now() + shop.minutes(3, 15))
            inspector = shop.someone("inspector", but=workers)
            if rng.random() < 0.06:
                line = OrderLine.objects.filter(order=order, state=LineState.COMPLETED).order_by("position").first()
                assert line is not None
                worker = self.worker_of(line)
                inspections.inspect_order(
                    order_uid=order.uid,
                    level="FINAL",
                    result="FAILED",
                    reason="紧固力矩不符",
                    cause="TORQUE",
                    failed_line_uid=line.uid,
                    by=inspector,
                )
                yield shop.working(clock.now() + shop.minutes(10, 20))
                while not self.begin(shop, line, shop.actor(worker)):
                    yield shop.working(clock.now() + shop.minutes(10, 20))
                yield from self.at_work(shop, line, shop.actor(worker), shop.minutes(10, 25))
                clocking.finish_line(
                    line_uid=line.uid, cause="紧固不足", correction="按力矩重新紧固", by=shop.actor(worker)
                )
                self.gloves_back(shop, line, shop.actor(worker))
                continue
            self.sign_stages(shop, order, leader, inspector)
            inspections.inspect_order(
                order_uid=order.uid, level="FINAL", result="PASSED", by=inspector, **self.road_test(order)
            )
        needs = OrderLine.objects.filter(
            order=order,
            state=LineState.INSPECTED,
            category__in=[RepairCategory.WHOLE_VEHICLE, RepairCategory.ASSEMBLY, RepairCategory.SECOND_MAINTENANCE],
        ).exists()
        if needs and not order.certificates.filter(voided_at__isnull=True).exists():
            final = Inspection.objects.filter(order=order, level="FINAL", result="PASSED").order_by("-pk")
            passed_by = final.select_related("inspector__user")[0].inspector
            inspections.issue_certificate(order_uid=order.uid, by=shop.actor(passed_by))

    def sign_stages(self, shop: Shop, order: RepairOrder, leader: Actor, inspector: Actor) -> None:
        """3.2: what the law asks beside the diagnosis: the sheets during the repair and at completion."""
        done = list(OrderLine.objects.filter(order=order, state=LineState.COMPLETED).order_by("position"))
        signers = {
            "BEFORE": shop.actor(self.worker_of(done[0])) if done else leader,
            "PROCESS": leader,
            "FINAL": inspector,
        }
        for stage in stages_of(order, done):
            if stage.lacks:
                self.sign_stage(shop, order, stage.stage, signers[stage.stage])

    def sign_stage(self, shop: Shop, order: RepairOrder, stage: str, by: Actor) -> None:
        """One of the three inspections of the law, with nothing bad on it; takes nothing from the shop's chance."""
        template = templates_for(clock.today(order.store.time_zone)).filter(stage=stage)[0]
        sheet = sheets.begin_sheet(order_uid=order.uid, template_uid=template.uid, by=by)
        measured = False
        for item in items_for(template.pk, sheet.powertrain):
            if item.kind in READINGS:
                bounds = bounds_for(item, model_id=order.vehicle.model_id, powertrain=sheet.powertrain)
                values = [bounds.good()] * READINGS[CheckKind(item.kind)]
                sheets.answer_item(sheet_uid=sheet.uid, item_uid=item.uid, readings=values, by=by)
                measured = True
            elif item.kind == CheckKind.RATING:
                sheets.answer_item(sheet_uid=sheet.uid, item_uid=item.uid, verdict="GREEN", by=by)
        fit = ToolAsset.objects.filter(
            store=shop.store, tool_class="MEASURING", state__in=(ToolState.AVAILABLE, ToolState.ISSUED),
            valid_until__gte=shop.today(),
        )  # fmt: skip
        used = [fit.order_by("-valid_until", "number")[0].uid] if measured else []
        sheets.sign_sheet(uid=sheet.uid, instrument_uids=used, by=by)

    @staticmethod
    def worker_of(line: OrderLine) -> Employee:
        """Who began the work on a line."""
        return line.clockings.select_related("employee__user").order_by("pk")[0].employee

    @staticmethod
    def road_test(order: RepairOrder) -> dict[str, Any]:
        """What concerns safety is driven round the block before it passes (domain 3.4)."""
        if not OrderLine.objects.filter(order=order, state=LineState.COMPLETED, is_safety=True).exists():
            return {}
        before = last_reading(order.visit)
        return {
            "road_test_from_km": before,
            "road_test_to_km": before + 3,
            "road_test_route": "店门口—环路—返回",
            "road_test_findings": "制动、转向正常，无异响",
        }

    def deliver(self, shop: Shop, visit: Visit, order: RepairOrder, advisor: Actor, link: Actor, name: str) -> Steps:
        """Settlement list, signature, payment, hand-over, gate (4.1)."""
        rng = shop.rng
        yield shop.working(clock.now() + shop.minutes(5, 20))
        settlement = Settlement.objects.filter(order=order).exclude(state="VOIDED").first()
        if settlement is None:
            car = Vehicle.objects.get(pk=order.vehicle_id)
            if not car.vin:
                vehicles.correct_vehicle(uid=car.uid, vin=some_vin(car.plate), by=advisor)
            settlement = settlements.issue_settlement(order_uid=order.uid, by=advisor)
            yield shop.working(clock.now() + shop.minutes(3, 30))
        if settlement.state == "ISSUED":
            signer = link if rng.random() < 0.6 else advisor
            settlements.sign_settlement(uid=settlement.uid, signed_name=name, by=signer)
            yield clock.now() + shop.minutes(2, 10)
        settlement = Settlement.objects.get(pk=settlement.pk)
        self.pay(shop, settlement)
        yield clock.now() + shop.minutes(3, 12)
        checks = {
            code: "NOT_APPLICABLE" if code in CHECKS_THAT_MAY_NOT_APPLY else True for code in HandoverCheck.values
        }
        visit.refresh_from_db()
        due_on, due_km = proposed_service(visit, due_list(visit.vehicle, store_id=visit.store_id))
        if due_on and due_km:
            checks[HandoverCheck.NEXT_SERVICE.value] = True
        if PartLine.objects.filter(line__order__visit=visit, issued_quantity__gt=0).exists():
            checks[HandoverCheck.OLD_PARTS_SHOWN.value] = True
        for recall in unanswered_recalls(visit):
            told = {"reply": "PARTS_MISSING", "told_to": name, "by": advisor}
            self.try_to(campaigns.answer_campaign, uid=recall.row.uid, visit_uid=visit.uid, **told)
        repaired = OrderLine.objects.filter(order=order, state=LineState.INSPECTED).exists()
        gate_pass = GatePass.objects.filter(visit=visit, out_at__isnull=True, cancelled_at__isnull=True).first()
        if repaired and not Handover.objects.filter(visit=visit).exists():
            handovers.hand_over(
                visit_uid=visit.uid,
                checklist=checks,
                odometer_km=last_reading(visit) + rng.randrange(0, 6),
                next_service_on=due_on,
                next_service_km=due_km,
                received_by=name,
                risk_note_signed_by=name if order.lines.filter(state=LineState.WITHDRAWN).exists() else "",
                signed_on_paper=True,
                by=advisor,
            )
        if gate_pass is None:
            gate_pass = handovers.issue_gate_pass(
                visit_uid=visit.uid,
                by=advisor,
                **(
                    {"kind": "DELIVERED"}
                    if repaired
                    else {
                        "kind": "UNREPAIRED",
                        "reason": "客户撤单",
                        "risk_note_signed_by": name,
                        "signed_on_paper": True,
                    }
                ),
            )
        yield clock.now() + shop.minutes(2, 8)
        handovers.scan_out(code=gate_pass.code, by=shop.someone("receptionist"))

    def pay(self, shop: Shop, settlement: Settlement) -> None:
        if settlement.total <= 0:
            return
        cashier, rng = shop.someone("cashier"), shop.rng
        amount = settlements.still_open(settlement)
        if amount <= 0:
            return
        if amount > 1000 and rng.random() < 0.1:
            half = (amount / 2).quantize(Decimal("0.01"))
            payments.take_payment(settlement_uid=settlement.uid, method="CASH", amount=half, by=cashier)
            amount -= half
        method = rng.choices(["SCAN_CODE", "CARD", "CASH", "TRANSFER"], [70, 15, 10, 5])[0]
        payments.take_payment(settlement_uid=settlement.uid, method=method, amount=amount, by=cashier)

    def resume(self, shop: Shop, visit: Visit) -> Steps:
        """Goes on with a car that an earlier run left in the middle of its visit."""
        if visit.state == VisitState.WAITING and clock.now() - visit.arrived_at > timedelta(hours=2):
            visits.leave_unserved(uid=visit.uid, reason="等不及离店", by=shop.someone("receptionist"))
            return
        for open_one in Clocking.objects.filter(line__order__visit=visit, ended_at__isnull=True).select_related(
            "employee__user"
        ):
            self.try_to(clocking.clock_off, pause_cause="BREAK", by=shop.actor(open_one.employee))
        yield clock.now() + shop.minutes(1, 20)
        kind = self.kind_of_need(visit.need)
        booked = visit.appointment.items.select_related("operation") if visit.appointment else []
        chosen = [item.operation for item in booked if item.operation]
        chosen = chosen or self.some_work(shop, kind, visit.vehicle.plate, visit.need)
        yield from self.stay(shop, visit, kind, chosen)

    def arrive(self, shop: Shop, appointment: Appointment) -> Steps:
        """A car that was booked in an earlier run comes."""
        appointment.refresh_from_db()
        if appointment.state not in (A.REQUESTED, A.CONFIRMED, A.PREPARED):
            return
        car = {
            "plate": appointment.vehicle.plate,
            "model_text": appointment.vehicle.model_text,
            "contact_name": appointment.contact_name,
            "contact_phone": appointment.contact_phone,
            "need": appointment.concern,
        }
        kind = self.kind_of_need(appointment.concern)
        items = appointment.items.select_related("operation")
        chosen = [item.operation for item in items if item.operation]
        chosen = chosen or self.some_work(shop, kind, car["plate"], car["need"])
        yield from self.visit(shop, car, kind, chosen, appointment.uid)

    def missed(self, shop: Shop, appointment: Appointment) -> Steps:
        """Nobody came for a booking while no run was there to bring the car."""
        self.try_to(appointments.mark_no_show, uid=appointment.uid, by=shop.someone("receptionist"))
        yield clock.now() + timedelta(minutes=1)

    # care and stock

    def care_round(self, shop: Shop) -> Steps:
        """Callbacks that are due, surveys that come back, complaints that are answered."""
        rng, care = shop.rng, shop.someone("care")
        for visit_uid, store_id in surveys_due():
            if store_id == shop.store.pk:
                followups.send_survey(visit_uid=visit_uid, by=care)
        self.ask_about_dates(shop, care)
        due = FollowUp.objects.filter(store=shop.store, state="DUE", due_on__lte=shop.today()).order_by("pk")
        for follow_up in due[:40]:
            result = rng.choices(["REACHED", "NO_ANSWER", "SWITCHED_OFF", "REFUSED"], [68, 22, 7, 3])[0]
            note = rng.choice(PRAISE if rng.random() < 0.85 else BLAME) if result == "REACHED" else ""
            self.try_to(followups.record_call, uid=follow_up.uid, result=result, note=note, by=care)
        yield clock.now() + timedelta(minutes=40)
        waiting = (
            Survey.objects.filter(store=shop.store, answered_at__isnull=True).select_related("visit").order_by("pk")
        )
        for survey in waiting:
            if rng.random() > 0.25:
                continue
            good = rng.random() < 0.88
            scores = {d: rng.choice([4, 5, 5, 5]) if good else rng.choice([1, 2, 3, 4]) for d in SurveyDimension.values}
            link = customer_link(visit_id=survey.visit_id, store_id=shop.store.pk, token_id=str(survey.visit.link.uid))
            self.try_to(
                followups.answer_survey,
                visit_uid=survey.visit.uid,
                scores=scores,
                recommend=rng.choice([8, 9, 9, 10, 10]) if good else rng.choice([2, 4, 5, 6]),
                words=rng.choice(PRAISE if good else BLAME),
                by=link,
            )
        yield clock.now() + timedelta(minutes=30)
        yield from self.answer_complaints(shop)

    def ask_about_dates(self, shop: Shop, care: Actor) -> None:
        """Owners whose insurance or inspection ends soon are written to; care has asked some of yesterday's (4.2)."""
        asked = DateReminder.objects.filter(
            store=shop.store, state="OPEN", told_at__lt=clock.now() - timedelta(hours=20)
        )
        for reminder in asked.order_by("pk")[:40]:
            chance = random.Random(f"dates-{self.seed}-{reminder.vehicle.plate}-{reminder.due_on}")
            if chance.random() < 0.6:
                result = chance.choices(["WITH_US", "ELSEWHERE", "NOT_WANTED", "NOT_REACHED"], [45, 25, 15, 15])[0]
                self.try_to(reminders.close_date_reminder, uid=reminder.uid, result=result, by=care)
        for vehicle_uid, store_id in list(dates_due()):
            if store_id == shop.store.pk:
                reminders.remind_of_dates(vehicle_uid=vehicle_uid, store=shop.store, by=care)

    def answer_complaints(self, shop: Shop) -> Steps:
        rng = shop.rng
        rows = Complaint.objects.filter(store=shop.store).exclude(state=ComplaintState.CLOSED).order_by("pk")
        for complaint in rows:
            care, manager = shop.someone("care"), shop.someone("manager")
            if complaint.state == ComplaintState.OPEN and rng.random() < 0.8:
                self.try_to(complaints.respond_complaint, uid=complaint.uid, words="已致电道歉并约回店", by=care)
            elif complaint.state == ComplaintState.RESPONDED:
                self.try_to(complaints.review_complaint, uid=complaint.uid, cause="交车时间预估不足", by=care)
            elif complaint.state == ComplaintState.UNDER_REVIEW and rng.random() < 0.7:
                self.try_to(complaints.resolve_complaint, uid=complaint.uid, solution="免费复检并赠洗车", by=care)
            elif complaint.state == ComplaintState.RESOLVED and rng.random() < 0.6:
                self.try_to(complaints.close_complaint, uid=complaint.uid, by=manager)
        yield clock.now() + timedelta(minutes=1)

    def question(self, shop: Shop, chance: random.Random) -> Steps:
        """2.2: somebody asks; the desk answers soon, late or not yet; some are settled, some go to sales."""
        channel, topic, model, words, answer, way = chance.choice(QUESTIONS)
        name = chance.choice(SURNAMES) + chance.choice(GIVEN)
        phone = f"1391{shop.store.pk % 10}{chance.randrange(10**6):06d}"
        asked = consultations.register_consultation(
            channel=channel,
            topic=topic,
            body=words,
            model_text=model,
            contact_name=name,
            contact_phone=phone,
            contact_email=f"asks{phone[-6:]}@example.com" if channel == "EMAIL" else "",
            subject=words[:20] if channel == "EMAIL" else "",
            by=shop.at_desk(),
        )
        usual = asked.clocks.get(kind="RESPONSE").limit
        yield clock.now() + usual * chance.uniform(0.1, 1.15) + timedelta(minutes=1)
        desk = shop.at_desk()
        self.try_to(consultations.take_consultation, uid=asked.uid, by=desk)
        if chance.random() < 0.12:
            return  # still being looked into
        if topic == "MODEL" and chance.random() < 0.6:
            given = {"contact_name": name, "contact_phone": phone, "model_text": model, "topic": topic}
            self.try_to(consultations.hand_to_sales, uid=asked.uid, note="想约试驾", by=desk, **given)
            return
        if topic == "PRICE":
            work = Operation.objects.filter(code="MT-10").values_list("uid", flat=True)
            give = {"operation_uids": list(work), "consultation_uid": asked.uid}
            self.try_to(quotations.give_quotation, by=desk, **give)
        fits = in_force(shop.today()).filter(article__topic=topic).order_by("title").values_list("uid", flat=True)
        cites = list(fits[:1]) if chance.random() < 0.7 else []
        self.try_to(consultations.answer_consultation, uid=asked.uid, body=answer, way=way, cites=cites, by=desk)
        yield clock.now() + timedelta(minutes=chance.randrange(20, 400))
        if chance.random() < 0.75:
            self.try_to(consultations.settle_consultation, uid=asked.uid, by=shop.at_desk())

    def open_up(self, shop: Shop, chance: random.Random) -> Steps:
        """2.1.1: each area is looked at before it opens, at times late; what isn't in order is put right in the day."""
        shift = Shift.objects.filter(store=shop.store).order_by("starts", "code")[0]
        for area, usual in usual_items().items():
            if not Checklist.objects.filter(store=shop.store, area=area).exists():
                items = [{"text": text, "photo_if_wrong": photo} for text, photo in usual]
                manager = shop.first("manager")
                checklists.write_checklist(area=area, shift_code=shift.code, items=items, due_minutes=30, by=manager)
        for checklist in Checklist.objects.filter(store=shop.store, ends_on__isnull=True).order_by("pk"):
            yield clock.now() + timedelta(minutes=chance.randrange(4, 14))
            items_now = list(checklist.items.filter(active=True))
            found = [(item, chance.random() < 0.04) for item in items_now]
            given = [
                {
                    "item_uid": item.uid,
                    "in_order": not wrong,
                    "remark": chance.choice(NOT_IN_ORDER) if wrong else "",
                    "photo": grey_picture(),  # of each: which one is drawn hangs on the house's secret
                }
                for item, wrong in found
            ]
            self.try_to(checklists.check_opening, checklist_uid=checklist.uid, answers=given, by=shop.at_desk())
        yield clock.now() + timedelta(minutes=chance.randrange(40, 300))
        if chance.random() < 0.4:
            self.watch(shop, chance)
        for point in open_points(shop.at_desk()):
            if chance.random() < 0.8:
                self.try_to(checklists.right_point, uid=point.uid, how="已整改", by=shop.at_desk())

    def watch(self, shop: Shop, chance: random.Random) -> None:
        """2.1.3: the quality supervisor stands at the desk for a few minutes."""
        at_desk = employees_with_role(shop.store.pk, "advisor", shop.today()).order_by("number")
        scores = {item.value: chance.choice((2, 2, 2, 2, 1, 0)) for item in Courtesy if chance.random() < 0.8}
        self.try_to(
            conduct.observe_reception,
            employee_uid=chance.choice(list(at_desk)).uid,
            situation="ARRIVAL",
            scores=scores or {"SMILE": 2},
            seen={item: "客户到时仍在低头录入" for item, points in scores.items() if points == 0},
            photo=grey_picture(),
            by=shop.first("supervisor"),
        )

    def tool_day(self, shop: Shop, chance: random.Random) -> Steps:
        """3.4: tools go out with technicians and come back, now and then damaged; what is nearly due is tested."""
        crib = ToolAsset.objects.filter(store=shop.store).order_by("number")
        takers = [
            person for person in employees_with_role(shop.store.pk, "technician").order_by("number") if person.user_id
        ]
        for tool in chance.sample(
            list(crib.filter(state=ToolState.AVAILABLE).exclude(tool_class="LIFTING").exclude(kind="GLOVES")), 4
        ):
            self.try_to(tools.issue_tool, uid=tool.uid, by=shop.actor(chance.choice(takers)))
            yield clock.now() + timedelta(minutes=chance.randrange(5, 40))
        today = shop.today()
        due = crib.filter(valid_until__lte=today + timedelta(days=3), state=ToolState.AVAILABLE)
        for tool in due.exclude(kind="PRESSURE_GAUGE"):  # the institute takes those once a quarter
            self.try_to(
                tools.check_tool, uid=tool.uid, done_on=today, result="PASSED", body="市计量测试所",
                certificate_number=f"JL-{today:%y%m}-{tool.number[-4:]}", by=shop.first("techdirector"),
            )  # fmt: skip
        yield clock.now() + timedelta(minutes=chance.randrange(120, 260))
        held = (
            ToolIssue.objects.filter(store=shop.store, returned_at__isnull=True)
            .exclude(tool__kind="GLOVES")
            .select_related("tool")
        )
        for issue in held.order_by("pk"):
            if chance.random() < 0.2:
                continue  # stays out over night
            damaged = chance.random() < 0.03
            self.try_to(
                tools.return_tool, uid=issue.tool.uid, condition="DAMAGED" if damaged else "GOOD",
                note="手柄开裂" if damaged else "", by=shop.first("parts"),
            )  # fmt: skip
            yield clock.now() + timedelta(minutes=chance.randrange(2, 20))

    def lift_rounds(self, shop: Shop) -> Steps:
        """3.4: lifts are looked at before the day's work, the last one when its bay is free; once a month serviced."""
        today = shop.today()
        lifts_here = list(ToolAsset.objects.filter(store=shop.store, kind="LIFT", state="AVAILABLE").order_by("number"))
        for number, lift in enumerate(lifts_here):
            serviced = lift.rounds.filter(kind="MONTHLY").order_by("-done_on").values_list("done_on", flat=True).first()
            if serviced is None or (today - serviced).days >= 28:
                self.try_to(lifts.record_round, uid=lift.uid, kind="MONTHLY", by=shop.on_turn("techdirector"))
            if number == len(lifts_here) - 1:
                yield shop.local(today, 13, 5)
            self.try_to(lifts.record_round, uid=lift.uid, kind="DAILY", by=shop.on_turn("technician", number))
            yield clock.now() + timedelta(minutes=4)

    def restock(self, shop: Shop) -> Steps:
        """The parts keeper receives what lines wait for and what runs low."""
        keeper = shop.someone("parts")
        short = (
            PartLine.objects.filter(line__order__store=shop.store, expected_on__lte=shop.today())
            .order_by("part_id")
            .values_list("part__uid", flat=True)
            .distinct()
        )
        came: set[UUID] = set()
        due = PurchaseOrder.objects.filter(store=shop.store, state="ORDERED", expected_on__lte=shop.today())
        for purchase in list(due.order_by("pk")):
            lines = list(purchase.lines.select_related("part").order_by("pk"))
            delivered = [(line.uid, line.quantity) for line in lines]
            lots = {row.uid: self.numbers(shop, row.part, row.quantity) for row in lines if row.part.tracing != "NONE"}
            purchasing.receive_purchase(uid=purchase.uid, lines=delivered, lots=lots, note="送货单", by=keeper)
            came |= {line.part.uid for line in lines}
        for uid in [uid for uid in short if uid not in came]:
            part = Part.objects.get(uid=uid)
            held = StockItem.objects.filter(store=shop.store, part=part).first()
            cost = held.average_cost if held is not None and held.average_cost else Decimal(60)
            quantity = Decimal(1 if cost > 5000 else 4 if cost > 500 else 12)
            stock.receive_stock(
                part_uid=uid, quantity=quantity, unit_cost=cost, reason="到货", by=keeper,
                lots=self.numbers(shop, part, quantity),
            )  # fmt: skip
        yield clock.now() + timedelta(minutes=1)
        wanted = [(row.part.uid, row.quantity, row.unit_cost or Decimal(60)) for row in proposals(keeper)]
        if wanted:
            day = shop.today() + timedelta(days=3)
            purchasing.order_parts(supplier="华东备件中心（示例）", expected_on=day, lines=wanted, by=keeper)
        yield clock.now() + timedelta(minutes=1)
