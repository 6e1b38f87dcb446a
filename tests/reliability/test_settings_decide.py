"""Every setting decides something: with another value something else comes out (issue 4, "shown by" 5).

``PROOFS`` holds, per setting, what comes out with the declared value, another value, and what comes out then;
``test_numbers.py`` does the same for the keys of the facts' section 10. ``ELSEWHERE`` names the test that changes a
setting beside its story. A new setting is in none of them and fails until somebody shows what it decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from dealership.catalogue.models import Part, RepairCategory
from dealership.catalogue.services.prices import set_part_price
from dealership.exchange.selectors import health
from dealership.exchange.services.retention import prune as prune_imports
from dealership.kernel import clock, limits, registry, worktime
from dealership.kernel.actors import Actor
from dealership.kernel.api import auth, ratelimit
from dealership.kernel.errors import RuleError
from dealership.kernel.holidays import missing_year
from dealership.kernel.models import IdempotencyRecord, OutboxState, Setting, Submission
from dealership.kernel.retention import prune
from dealership.kernel.services import ask_approval, beat, decide_approval
from delivery.selectors.followups import surveys_due
from delivery.selectors.reminders import dates_due
from delivery.selectors.settlements import read_settlement
from delivery.services.settlements import issue_settlement
from reception import rules
from reception.models import AppointmentSource, SlotOffer, Vehicle
from reception.selectors import capacity
from reception.selectors.today import board, has_unreceived
from reception.selectors.vehicles import inspection_of, insurance_of, use_to_ask
from reception.services import appointments, changing, consultations, visits, waiting
from reception.services.quotations import give_quotation
from reception.services.segments import recompute_segments
from reception.services.vehicles import correct_vehicle, note_use, read_odometer
from staff.selectors.pages import directory
from tests.delivery.test_whole_way import House
from tests.exchange.test_imports import bring
from tests.factories import staff
from tests.factories.api import ApiCaller
from tests.factories.appointments import MONDAY, TUESDAY, at, booking, make_appointment, make_bookable, operation
from tests.factories.departed import make_departed
from tests.factories.dirty_files import as_csv, vin_of
from tests.factories.floor import DAY as floor_day
from tests.factories.floor import actor, clock_at, make_agreed, make_floor
from tests.factories.floor import at as floor_at
from tests.factories.reception import make_customer, make_picture, make_visit
from tests.factories.reminders import make_ending
from tests.factories.workshop import add_operation, agree_all, make_order, make_shop
from tests.kernel.test_retention import effect
from tests.reliability import test_numbers
from tests.workshop.test_advice import kept
from tests.workshop.test_inspections import Crew
from tests.workshop.test_maintenance import due_of, serviced, standings
from tests.workshop.test_tools import Crib
from workshop.models import SaleLine, Warehouse
from workshop.selectors.contracts import contract_of
from workshop.selectors.purchasing import proposals as reorders
from workshop.selectors.replan import read_problem
from workshop.selectors.tools import to_remind_of
from workshop.services import clocking, cores, dispatch, orders, proposals, sales, stock, taking_stock, tools

pytestmark = pytest.mark.django_db
NOW = at("9:00")
DAY = timedelta(days=1)


def refused(call: Callable[..., Any], *args: Any, **given: Any) -> str:
    """The code of the refusal, '' where it was done."""
    try:
        call(*args, **given)
    except RuleError as refusal:
        return refusal.code
    return ""


def minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)


# --- reception ---


def booked(**more: Any) -> Any:
    with clock.moved_to(NOW):
        made = make_appointment(make_bookable(), **more)
    made.refresh_from_db()
    return made


def ready_after_work(**more: Any) -> int:
    """Minutes between the end of 0.6 hours of work and the promise."""
    made = booked()
    return minutes(made.ready_at - made.work_starts_at) - 36


def asked_of_a_no_show(times: int) -> int:
    """What deposit is asked of who missed so many bookings."""
    with clock.moved_to(NOW):
        shop = make_bookable(technicians=2, bays=("STANDARD_LIFT",) * 2)
        made = make_appointment(shop)
        same = {"customer_uid": made.customer.uid, "vehicle_uid": made.vehicle.uid}
        for n in range(times):
            with clock.moved_to(made.starts_at + timedelta(hours=2)):
                appointments.mark_no_show(uid=made.uid, by=shop.desk)
            made = make_appointment(shop, starts_at=at("9:30", TUESDAY + (n + 1) * DAY), **same)
        return int(made.deposit_asked)


def asked_for_parts() -> int:
    """What deposit is asked where parts of 560 yuan come on Wednesday."""
    with clock.moved_to(NOW):
        shop = make_bookable()
        with mock.patch.object(capacity, "PART_DATES", [lambda store, parts: TUESDAY]):
            return int(make_appointment(shop, operation_uids=[operation("BR-10")]).deposit_asked)


def times_of_tuesday() -> int:
    """How many arrival times a free Tuesday offers."""
    with clock.moved_to(NOW):
        shop = make_bookable()
        (tuesday,) = capacity.free_days(shop.store, [], first=TUESDAY, days=1)
        return len(tuesday.options)


def left_for_bookings() -> int:
    """Whether 126 more minutes may be booked on a lift of which 288 of 510 are taken."""
    with clock.moved_to(NOW):
        shop = make_bookable(advisors=2)
        make_appointment(shop, starts_at=at("8:30", TUESDAY), operation_uids=[operation("EN-20")])
        make_appointment(shop, starts_at=at("13:00", TUESDAY), operation_uids=[operation("CH-30")])
        supply = capacity.load_supply(shop.store, TUESDAY, 1)
        needs = capacity.needs_of(appointments.offered_operations([operation("CH-30"), operation("EL-20")]))
        return rules.option_at(supply, needs, at("14:30", TUESDAY), now=NOW).count


def too_far() -> str:
    with clock.moved_to(NOW):
        return refused(make_appointment, make_bookable(), starts_at=at("9:30", TUESDAY + 20 * DAY))


def nobody_came_after(late: int) -> str:
    made = booked()
    with clock.moved_to(made.starts_at + timedelta(minutes=late)):
        return refused(appointments.mark_no_show, uid=made.uid, by=staff.make_actor(made.store, "receptionist"))


def online_tries() -> int:
    store = staff.make_store()
    cache.clear()
    return [refused(appointments.throttle, store, "192.0.2.7") for _ in range(14)].count("")


def online_by_number() -> int:
    with clock.moved_to(NOW):
        shop, done = make_bookable(technicians=3, bays=("STANDARD_LIFT",) * 3), 0
        for hour in ("9:30", "10:30", "13:30", "14:30"):
            if refused(appointments.require_few, shop.store, "13900002290"):
                return done
            make_appointment(shop, starts_at=at(hour, TUESDAY), source=AppointmentSource.CONSUMER_PORTAL)
            done += 1
        return done


def asked(contacts: int, addresses: int) -> int:
    """Of twelve questions over the form those that were taken."""
    store = staff.make_store()
    cache.clear()
    with clock.moved_to(NOW):
        return [
            refused(
                consultations.ask_online,
                store=store,
                topic="INTERVAL",
                body="多久保养一次？",
                contact_name="李试问",
                contact_phone=f"1390000{n % contacts:04d}",
                address=f"192.0.2.{n % addresses}",
            )
            for n in range(12)
        ].count("")


def asks() -> Any:
    desk = staff.make_actor(staff.make_store(), "receptionist")
    return desk, consultations.register_consultation(
        channel="PHONE", body="多久保养一次？", contact_phone="13900002290", by=desk
    )


def warned_after() -> int:
    with clock.moved_to(NOW):
        _desk, asked_ = asks()
        row = asked_.clocks.get(kind="RESPONSE")
        return minutes(row.soon_at - row.started_at)


def manager_is_told() -> bool:
    """Fifty minutes after the half hour."""
    with clock.moved_to(NOW):
        _desk, asked_ = asks()
    with clock.moved_to(NOW + timedelta(minutes=80)):
        consultations.escalate_due()
        return asked_.clocks.get(kind="RESPONSE").escalations.filter(step="MANAGER").exists()


def insured_soon() -> bool:
    ending = insurance_of(Vehicle(insured_until=clock.today() + 70 * DAY))
    assert ending is not None
    return ending.near


def inspected_next() -> int:
    """After how many years a car of five years and a month is looked at."""
    since = clock.today() - timedelta(days=5 * 365 + 30)
    ending = inspection_of(Vehicle(registered_on=since))
    assert ending is not None
    return round((ending.until - since).days / 365.25)


def rfm() -> str:
    """The scores of who came once, forty days ago, and spent nothing."""
    desk = staff.make_actor(staff.make_store(), "receptionist")
    with clock.moved_to(NOW - 40 * DAY):
        visit = make_visit(desk)
    with clock.moved_to(NOW):
        recompute_segments()
    visit.customer.refresh_from_db()
    return str(visit.customer.rfm)


def rfm_of_two() -> str:
    """The scores of who came twice, forty and five hundred days ago."""
    desk, customer = staff.make_actor(staff.make_store(), "receptionist"), make_customer()
    for ago, number in ((500, "京A10500"), (40, "京A10040")):
        with clock.moved_to(NOW - ago * DAY):
            make_visit(desk, customer_uid=customer.uid, plate=number)
    with clock.moved_to(NOW):
        recompute_segments()
    customer.refresh_from_db()
    return str(customer.rfm)


def link_lasts() -> int:
    visit = make_visit(staff.make_actor(staff.make_store(), "receptionist"))
    return round((visit.link.expires_at - visit.arrived_at) / DAY)


def photos_taken() -> int:
    desk = staff.make_actor(staff.make_store(), "advisor")
    visit = make_visit(desk)
    given = {"visit_uid": visit.uid, "content": make_picture(), "name": "x.jpg", "by": desk}
    return [refused(visits.add_photo, **given) for _ in range(3)].count("")


def quoted_for() -> int:
    with clock.moved_to(NOW):
        shop = make_bookable()
        given = give_quotation(operation_uids=[operation("MT-50")], contact_phone="13900002290", by=shop.desk)
        return (given.valid_until - MONDAY).days


def waits_until_day_20() -> str:
    with clock.moved_to(NOW):
        shop, values = make_bookable(), booking()
        values.pop("starts_at")
        days = {"first_day": TUESDAY, "last_day": MONDAY + 20 * DAY}
        return refused(waiting.join_waiting_list, **values, **days, by=shop.desk)


def offered() -> Any:
    """A place on Tuesday that is free for one that waits."""
    with clock.moved_to(NOW):
        shop, values = make_bookable(), booking()
        values.pop("starts_at")
        entry = waiting.join_waiting_list(**values, first_day=TUESDAY, by=shop.desk)
        offer = waiting.offer_time(uid=entry.uid, by=shop.desk)
        assert offer is not None
        return offer


def written_again() -> str:
    """Forty days after the thread ended."""
    with clock.moved_to(NOW):
        desk, asked_ = asks()
        consultations.close_consultation(uid=asked_.uid, reason="打错了", by=desk)
    with clock.moved_to(NOW + 40 * DAY):
        return refused(consultations.receive_message, uid=asked_.uid, body="还有一个问题", by=desk)


def not_received(waited: int) -> bool:
    """Whether the rail turns red for somebody who has waited so many minutes."""
    with clock.moved_to(NOW):
        desk = staff.make_actor(staff.make_store(), "receptionist")
        make_visit(desk)
    with clock.moved_to(NOW + timedelta(minutes=waited)):
        return has_unreceived(desk)


def calls_after_twenty_minutes() -> bool:
    """Whether the board says that a customer hasn't looked at an estimate for twenty minutes."""
    with clock_at(9):
        shop = make_shop()
        order = make_order(shop)
        orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    with clock_at(9, 20):
        (card,) = [card for lane in board(shop.advisor).lanes for card in lane.cards]
        return bool(card.note)


def evening_count_is_due() -> bool:
    """Whether the page of the keys puts the count first at three in the afternoon."""
    with clock_at(15):
        store, client = staff.make_store(), Client()
        client.force_login(staff.make_employee(store, "advisor").user)
        page = client.get(reverse("keys")).content.decode()
    (button,) = re.findall(rf'<a href="{reverse("evening-count")}" class="btn[^"]*"', page)
    return "btn-primary" in button


def booked_online_in_45_minutes() -> str:
    cache.clear()
    with clock.moved_to(at("8:45")):
        return refused(
            appointments.request_appointment, store=make_bookable().store, contact_name="李试约", contact_phone="13900002290",
            plate="京A12345", model_text="途远 2.0T", starts_at=at("9:30"), concern="保养",
            operation_uids=[operation("MT-50")],
        )  # fmt: skip


def moved_by_the_customer_three_hours_before() -> str:
    made = booked()
    cache.clear()
    with clock.moved_to(made.starts_at - timedelta(hours=3)):
        return refused(changing.cancel_online, appointment=made)


def price_holds() -> int:
    """Days for which the booking's page says a price holds."""
    with clock.moved_to(NOW):
        shop = make_bookable()
        client = Client()
        client.force_login(shop.advisor.user)
        page = client.get(reverse("appointment-new"), {"op": str(operation("MT-50"))})
        until = page.context["price_until"]
        assert f"{until.month:02d}-{until.day:02d}" in page.content.decode()
        return (until - MONDAY).days


def soonest_offer() -> int:
    """Minutes until the time of the same day that is offered at 8:30 to a car that waits."""
    with clock.moved_to(at("8:30")):
        shop, values = make_bookable(), booking()
        values.pop("starts_at")
        entry = waiting.join_waiting_list(**values, first_day=MONDAY, by=shop.desk)
        offer = waiting.offer_time(uid=entry.uid, by=shop.desk)
        assert offer is not None
        return minutes(offer.starts_at - clock.now())


def offered_one_place() -> int:
    """To how many of four cars the first free time is offered."""
    with clock.moved_to(NOW):
        shop = make_bookable(bays=("STANDARD_LIFT",), advisors=2)
        for _n in range(4):
            values = booking()
            values.pop("starts_at")
            waiting.join_waiting_list(**values, first_day=TUESDAY, by=shop.desk)
        waiting.offer_times(store=shop.store)
        return SlotOffer.objects.filter(starts_at=at("8:30", TUESDAY)).count()


def email_settled_in() -> int:
    """Hours in which an e-mail is settled."""
    with clock.moved_to(NOW):
        desk = staff.make_actor(staff.make_store(), "receptionist")
        mail = consultations.register_consultation(
            channel="EMAIL", body="多久保养一次？", contact_email="asks@example.com", by=desk
        )
        due = mail.clocks.get(kind="RESOLUTION").due_at
        assert due is not None
        return minutes(due - clock.now()) // 60


# --- workshop ---


def estimate_lasts() -> int:
    with clock_at(9):
        shop = make_shop()
        order = make_order(shop)
        add_operation(shop, order, "MT-10")
        estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
        return minutes(estimate.expires_at - estimate.sent_at) // 60


def asks_for_a_contract() -> bool:
    shop = make_shop()
    order = make_order(shop)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    return contract_of(order) is not None


def shop_pays_unasked() -> str:
    """What becomes of 40 hours that the shop pays when the estimate is sent."""
    shop = make_shop()
    order = make_order(shop)
    line = orders.add_line(
        order_uid=order.uid, description="本店大件", hours=Decimal(40), pay_type="INTERNAL", by=shop.advisor
    )
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    line.refresh_from_db()
    return line.state


def may_take_off(post: str) -> int:
    store = staff.make_store()
    return orders.allowed_percent(staff.make_actor(store, post), store.pk)


def may_take_off_parts(post: str) -> int:
    store = staff.make_store()
    return orders.allowed_part_percent(staff.make_actor(store, post), store.pk)


def part_comes_in() -> int:
    """Days until a part that isn't on the shelf."""
    with clock_at(9):
        floor = make_floor()
        order = make_order(floor.shop, with_diagnosis=False)
        part_line = add_operation(floor.shop, order, "BR-10").part_lines.get()
        agree_all(floor.shop, order)
        keeper = actor(floor.hire("parts"))
        stock.count_stock(part_uid=part_line.part.uid, counted=Decimal(0), reason="盘点", by=keeper)
        reserved = stock.reserve_part(part_line_uid=part_line.uid, by=keeper)
        assert reserved.expected_on is not None
        return (reserved.expected_on - clock.today()).days


def to_order() -> int:
    """What is proposed of a part of which one was used and none is left."""
    with clock_at(9):
        floor = make_floor()
        order = make_order(floor.shop, with_diagnosis=False)
        part_line = add_operation(floor.shop, order, "BR-10").part_lines.get()
        agree_all(floor.shop, order)
        keeper = actor(floor.hire("parts"))
        stock.count_stock(part_uid=part_line.part.uid, counted=part_line.quantity, reason="盘点", by=keeper)
        stock.issue_part(part_line_uid=part_line.uid, by=keeper)
        [row] = [row for row in reorders(keeper) if row.part == part_line.part]
        return int(row.quantity)


def shelf_of_dear_parts() -> tuple[Actor, Part]:
    """Five pieces of ¥400 lie in one bin."""
    floor = make_floor()
    keeper, part = actor(floor.hire("parts")), Part.objects.order_by("pk")[0]
    stock.receive_stock(part_uid=part.uid, quantity=Decimal(5), unit_cost=Decimal(400), bin="A-1", by=keeper)
    return keeper, part


def counted_once() -> str:
    """What is said when a stock-take is closed in which one person counted one piece of ¥400 less."""
    with clock_at(9):
        keeper, part = shelf_of_dear_parts()
        main = Warehouse.objects.get(store=keeper.store_id, code="MAIN")
        take = taking_stock.start_take(warehouse_uid=main.uid, bin_from="A-1", bin_to="A-1", by=keeper)
        taking_stock.count_line(uid=take.uid, part=part.number, counted=Decimal(4), by=keeper)
        try:
            taking_stock.close_take(uid=take.uid, note="短少", by=keeper)
        except RuleError as refusal:
            return refusal.code
        return ""


def corrected_alone() -> str:
    """What is said when one person takes three pieces of ¥400 off the books."""
    with clock_at(9):
        keeper, part = shelf_of_dear_parts()
        try:
            stock.count_stock(part_uid=part.uid, counted=Decimal(2), reason="短少", by=keeper)
        except RuleError as refusal:
            return refusal.code
        return ""


def sold_is_taken_back() -> str:
    """What is said when something comes back nine days after it was sold over the counter."""
    with clock_at(9):
        floor = make_floor()
        keeper = actor(floor.hire("parts"))
        number = Part.objects.order_by("pk")[0]
        stock.receive_stock(part_uid=number.uid, quantity=Decimal(1), unit_cost=Decimal(5), by=keeper)
        sale = sales.begin_sale(by=keeper)
        line = sales.put_on_sale(uid=sale.uid, code=number.number, by=keeper)
        sales.sell(uid=sale.uid, by=keeper)
        with clock.moved_to(clock.now() + timedelta(days=9)):
            try:
                sales.take_back_sold(line_uid=line.uid, quantity=Decimal(1), reason="买错", by=keeper)
            except RuleError as refusal:
                return refusal.code
            return ""


def old_part_counts() -> str:
    """What is said when an old part comes in forty days after its part was sold."""
    with clock_at(9):
        floor = make_floor()
        keeper, part = actor(floor.hire("parts")), Part.objects.order_by("pk")[0]
        stock.receive_stock(part_uid=part.uid, quantity=Decimal(1), unit_cost=Decimal(5), by=keeper)
        set_part_price(
            store=floor.shop.store, part=part, price=Decimal(60), core=Decimal(20), starts_on=clock.today(),
            by=floor.shop.manager,
        )  # fmt: skip
        sale = sales.begin_sale(by=keeper)
        line = sales.put_on_sale(uid=sale.uid, code=part.number, by=keeper)
        sales.sell(uid=sale.uid, by=keeper)
        core = SaleLine.objects.get(pk=line.pk).core
        with clock.moved_to(clock.now() + timedelta(days=40)):
            try:
                cores.take_core(core_uid=core.uid, quantity=Decimal(1), brought_by="散客", by=keeper)
            except RuleError as refusal:
                return refusal.code
            return ""


def searched_for() -> int:
    with clock_at(9):
        floor = make_floor()
        return proposals.ask_proposal(by=actor(floor.hire("foreman"))).seconds


def second_of_level_two() -> str:
    """High-voltage work with a second person of level 2."""
    with clock_at(9):
        floor = make_floor()
        lead, second = floor.technician("高试工", hv=3), floor.technician("袁试工", hv=2)
        second.skills.update(valid_until=floor_day + DAY, certificate_number="GY-0002")
        _order, [line] = make_agreed(floor, "HV-10")
        return refused(floor.give, line, lead, "4", second_uid=second.uid)


def final_after_the_self_check() -> str:
    """Spark plugs, checked by who changed them; the inspector's turn next."""
    crew = Crew()
    with clock_at(9):
        order, _lines = crew.finished("EN-10")
    with clock_at(10):
        crew.inspect(order, "SELF")
        return refused(crew.inspect, order, "FINAL")


def planned_for_thursday() -> str:
    """Work given out on Tuesday for the day after tomorrow."""
    with clock_at(9):
        floor = make_floor()
        person = floor.technician()
        _order, [line] = make_agreed(floor, "BR-10")
        given = {"line_uid": line.uid, "technician_uid": person.uid, "bay_uid": floor.bays["2"].uid}
        starts_at = floor_at(9, day=floor_day + 2 * DAY)
        return refused(dispatch.dispatch_line, **given, starts_at=starts_at, by=floor.foreman)


def planned_days() -> int:
    """How many of four rostered days the planner looks at."""
    with clock_at(9):
        floor = make_floor()
        floor.technician()
        return read_problem(floor.shop.store).shop.horizon // (24 * 60)


def begins_soonest() -> int:
    """Minutes until the first work of a proposal that is made at nine."""
    with clock_at(9), override_settings(PLANNER_DETERMINISTIC=2.0):
        floor = make_floor()
        floor.technician()
        make_agreed(floor, "BR-10")
        made = proposals.work_out(uid=proposals.ask_proposal(by=floor.foreman).uid)
        assert made is not None
        return minutes(made.changes.get().starts_at - clock.now())


def small_service(months: int, km: int = 0) -> str:
    """How the small service (every 10,000 km or 12 months, hard use every 5,000) stands, done so many months ago at
    48,930 km; ``km`` on the clock today, where it was read."""
    shop = make_shop()
    vehicle = serviced(shop, "MT-10", months=months).vehicle
    if km:
        read_odometer(vehicle=vehicle, km=km, by=shop.advisor)
    return standings(due_of(vehicle, shop))["MT-10"]


def use_asked_after_200_days() -> bool:
    """Whether the owner is asked again how the car is used, 200 days after the answer."""
    shop = make_shop()
    vehicle = make_order(shop, with_diagnosis=False).vehicle
    with clock.moved_to(clock.now() - timedelta(days=200)):
        vehicle = note_use(uid=vehicle.uid, hard_uses=[], by=shop.advisor)
    return use_to_ask(vehicle, store_id=shop.store.pk)


def fit_for() -> int:
    """Days that a torque wrench may be used after its calibration."""
    with clock_at(9):
        made = Crib().tool("TORQUE_WRENCH", tested=0)
        assert made.valid_until is not None
        return (made.valid_until - floor_day).days


def reminded_of_tools() -> int:
    """Of a torque wrench that was calibrated three hundred days ago."""
    with clock_at(9):
        Crib().tool("TORQUE_WRENCH", tested=300)
        return len(to_remind_of())


def on_a_lift_nobody_looked_at() -> str:
    """Work begun in the bay of a tested lift that has no round of today."""
    with clock_at(9):
        crib = Crib()
        crib.tool("LIFT", tested=30, place="2 号举升")
        _order, [line] = make_agreed(crib.floor, "BR-10")
        crib.floor.give(line, crib.technician, "2")
        return refused(clocking.clock_on, line_uid=line.uid, by=actor(crib.technician))


def taken_half_an_hour_before() -> str:
    """The timing kit is planned for somebody at 9:30; at 9 another technician takes it, with a reason."""
    with clock_at(9):
        crib = Crib()
        kit = crib.floor.tools["TIMING_KIT"]
        tool = crib.tool("SPECIAL", resource_uid=kit.uid)
        _order, [line] = make_agreed(crib.floor, "EN-20")
        crib.floor.give(line, crib.floor.technician("正时", engine=4), start=(9, 30))
        return refused(tools.issue_tool, uid=tool.uid, note="看一眼", by=crib.worker)


def offered_again(code: str) -> int:
    """Days after which work that was declined is offered again."""
    shop = make_shop()
    [row] = kept(shop, code)
    return (row.offer_on - clock.today(shop.store.time_zone)).days


# --- delivery ---


def gate_pass_lasts() -> int:
    _house, order = make_departed()
    gate_pass = order.visit.gate_passes.get()
    return round((gate_pass.expires_at - gate_pass.issued_at).total_seconds() / 3600)


def due_after_two_days() -> int:
    _house, order = make_departed()
    with clock.moved_to(order.visit.left_at + 2 * DAY):
        return len(surveys_due())


def reminded(column: str) -> int:
    """Of one car whose insurance, or inspection, ends in twenty days."""
    _house, order = make_departed()
    by = staff.make_actor(order.store, "care")
    make_ending(order.visit, days=400, by=by)
    correct_vehicle(uid=order.vehicle.uid, **{column: clock.today() + 20 * DAY}, by=by)
    with clock.moved_to(floor_at(10, day=clock.today())):
        return len(list(dates_due()))


def bill(**more: Any) -> Any:
    with clock_at(9):
        house = House()
        made = issue_settlement(order_uid=house.repaired("MT-10").uid, by=house.advisor, **more)
        return made, house


def vat_percent() -> Decimal:
    made, house = bill()
    return read_settlement(uid=made.uid, by=house.advisor).vat_percent


def ends_in_ten() -> bool:
    made, _house = bill(round_off=True)
    return made.total % 10 == 0


# --- staff, kernel ---


def expires_soon() -> int:
    """People whose certificate holds seventy days."""
    store = staff.make_store()
    person = staff.make_employee(store, "technician", skills={"hv": 3})
    person.skills.update(valid_until=clock.today() + 70 * DAY)
    return directory(staff.make_actor(store, "hr")).counts["certificates"]


def approves_25000() -> str:
    store = staff.make_store()
    visit = make_visit(staff.make_actor(store, "receptionist"))
    asked_ = ask_approval(
        kind="discount", root=visit, store=store, reason="老客户", amount=Decimal(25_000),
        by=staff.make_actor(store, "advisor"),
    )  # fmt: skip
    return refused(decide_approval, uid=asked_.uid, approve=True, by=staff.make_actor(store, "manager"))


def asks_for_the_list_in_october() -> int | None:
    year = worktime.official_until().year
    missing = missing_year(date(year, 10, 15))
    return None if missing is None else missing - year


def forgotten(what: str, days: int) -> int:
    written = clock.written_now() - timedelta(days=days)
    if what == "answers":
        IdempotencyRecord.objects.create(client="c", key="k", fingerprint="f", status=200, body="", created_at=written)
    else:
        Submission.objects.create(token=uuid4(), created_at=written)
    return prune()[what]


# --- exchange ---


def answered_of_six() -> int:
    """Of six requests of one client within a minute, which stands still meanwhile."""
    auth.forget()
    cache.clear()
    try:
        caller = ApiCaller("reception:read", store=staff.make_store())
        with mock.patch.object(ratelimit, "time", SimpleNamespace(time=lambda: 1_800_000_000.0)):
            return [caller.get("customers").status_code for _ in range(6)].count(200)
    finally:
        auth.forget()
        cache.clear()


def closed_at_six() -> bool:
    """Whether a clock left open in a shift that ended at half past five is closed half an hour later."""
    with clock_at(9):
        floor = make_floor()
        person = floor.technician()
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
        made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(18):
        return clocking.left_since(made) is not None


def lives_after_100_seconds() -> bool:
    beat(name="relay")
    with clock.moved_to(clock.now() + timedelta(seconds=100)):
        return next(seen.ok for seen in health.heartbeats() if seen.name == "relay")


def late_after_three_minutes() -> bool:
    effect(OutboxState.DUE, 3 / (24 * 60), 1)
    return health.queue().late


def emptied_after_forty_days() -> int:
    clerk = staff.make_actor(staff.make_store(), "manager")
    row = ["1", "王测试", "13900001234", "京A88888", vin_of(7), "星河 E5", "1000", "2024-05-01", ""]
    assert bring(as_csv([row]), clerk).state == "DONE"
    with clock.moved_to(clock.now() + 40 * DAY):
        return prune_imports()


def effects_forgotten() -> int:
    effect(OutboxState.DONE, 60, 1)
    return prune()["effects"]


# setting → what comes out, the declared value's outcome, another value, its outcome
PROOFS: dict[str, tuple[Callable[[], Any], Any, Any, Any]] = {
    "reception.appointment_reception_minutes": (lambda: minutes(booked().work_starts_at - at("9:30", TUESDAY)), 20, 40, 40),
    "reception.appointment_inspection_minutes": (ready_after_work, 40, 50, 70),
    "reception.appointment_wash_minutes": (ready_after_work, 40, 0, 20),
    "reception.appointment_slot_minutes": (times_of_tuesday, 9, 30, 17),
    "reception.walk_in_share": (left_for_bookings, 0, 5, 1),
    "reception.reopen_days": (written_again, "consultation.old", 60, ""),
    "reception.quiet_from": (lambda: test_numbers.reminded(timedelta(hours=20)), "24h", "09:30", ""),
    "reception.quiet_to": (lambda: test_numbers.reminded(timedelta(hours=20)), "24h", "11:00", ""),
    "reception.appointment_ahead_days": (too_far, "", 10, "appointment.too_far"),
    "reception.no_show_minutes": (lambda: nobody_came_after(20), "appointment.not_late", 15, ""),
    "reception.online_per_address": (online_tries, 10, 4, 4),
    "reception.online_per_phone": (online_by_number, 3, 1, 1),
    "reception.asked_per_contact": (lambda: asked(1, 12), 3, 1, 1),
    "reception.asked_per_address": (lambda: asked(12, 1), 10, 2, 2),
    "reception.answer_warn_share": (warned_after, 22, 50, 15),
    "reception.answer_manager_minutes": (manager_is_told, False, 30, True),
    "reception.deposit_amount": (lambda: asked_of_a_no_show(2), 200, 300, 300),
    "reception.deposit_no_shows": (lambda: asked_of_a_no_show(1), 0, 1, 200),
    "reception.deposit_parts": (asked_for_parts, 0, 50, 200),
    "reception.expiry_days": (insured_soon, False, 90, True),
    "reception.inspection_years": (inspected_next, 6, [7, 10], 7),
    "reception.recency_days": (rfm, "511", [10, 20, 30, 90], "211"),
    "reception.frequency_visits": (rfm, "511", [1, 3, 5, 8], "521"),
    "reception.money_spent": (rfm, "511", [0, 1500, 4000, 10000], "512"),
    "reception.segment_days": (rfm_of_two, "521", 100, "511"),
    "reception.link_days": (link_lasts, 90, 5, 5),
    "reception.visit_photos": (photos_taken, 3, 1, 1),
    "reception.use_again_days": (use_asked_after_200_days, False, 180, True),
    "reception.quotation_days": (quoted_for, 14, 3, 3),
    "reception.waiting_days": (waits_until_day_20, "", 10, "waiting.days"),
    "reception.waiting_offer_minutes": (
        lambda: minutes((row := offered()).ends_at - row.sent_at), 120, 30, 30
    ),
    "workshop.contract_amount": (asks_for_a_contract, False, 1, True),
    "workshop.unasked_up_to": (
        shop_pays_unasked, "DRAFT", {"WARRANTY": 0, "INTERNAL": 9000, "SERVICE_CONTRACT": 0}, "AUTHORIZED"
    ),
    "workshop.estimate_valid_hours": (estimate_lasts, 72, 6, 6),
    "workshop.clock_left_minutes": (closed_at_six, False, 20, True),
    "workshop.discount_small_percent": (lambda: may_take_off("advisor"), 5, 3, 3),
    "workshop.discount_large_percent": (lambda: may_take_off("manager"), 20, 50, 50),
    "workshop.part_discount_small_percent": (lambda: may_take_off_parts("advisor"), 3, 2, 2),
    "workshop.part_discount_large_percent": (lambda: may_take_off_parts("manager"), 10, 30, 30),
    "workshop.sale_return_days": (sold_is_taken_back, "sale.too_late", 30, ""),
    "workshop.core_days": (old_part_counts, "core.too_late", 60, ""),
    "workshop.parts_lead_days": (part_comes_in, 3, 9, 9),
    "workshop.stock_use_days": (to_order, 1, 2, 9),
    "workshop.count_recount_from": (counted_once, "take.recount", 500, ""),
    "workshop.count_approve_from": (corrected_alone, "stock.count_value", 2000, ""),
    "workshop.stock_cover_days": (to_order, 1, 100, 2),
    "workshop.planner_seconds": (searched_for, 15, 4, 4),
    "reception.greet_minutes": (lambda: not_received(10), True, 15, False),
    "reception.link_quiet_minutes": (calls_after_twenty_minutes, False, 10, True),
    "reception.online_notice_minutes": (booked_online_in_45_minutes, "appointment.notice", 30, ""),
    "reception.online_change_hours": (moved_by_the_customer_three_hours_before, "appointment.online_late", 2, ""),
    "reception.estimate_days": (price_holds, 14, 5, 5),
    "reception.evening_hour": (evening_count_is_due, False, 14, True),
    "reception.waiting_notice_minutes": (soonest_offer, 120, 30, 60),
    "reception.waiting_offers": (offered_one_place, 3, 1, 1),
    "reception.settle_minutes": (email_settled_in, 72, {"EMAIL": 1440}, 24),
    "workshop.lift_first": (on_a_lift_nobody_looked_at, "", 1, "clocking.lift"),
    "workshop.tool_planned_minutes": (taken_half_an_hour_before, "tool.planned", 10, ""),
    "workshop.hv_second_level": (second_of_level_two, "", 3, "dispatch.skill"),
    "workshop.inspection_levels": (
        final_after_the_self_check, "", dict.fromkeys(RepairCategory.values, 3), "inspection.order",
    ),
    "workshop.inspection_samples": (
        final_after_the_self_check, "", dict.fromkeys(RepairCategory.values, 100), "inspection.order",
    ),
    "workshop.inspection_new_days": (final_after_the_self_check, "", 20_000, "inspection.order"),
    "workshop.plan_days": (planned_for_thursday, "", 1, "dispatch.too_far"),
    "workshop.planner_days": (planned_days, 2, 3, 3),
    "workshop.maintenance_soon_km": (lambda: small_service(9, 57_000), "LATER", 3000, "SOON"),
    "workshop.maintenance_soon_days": (lambda: small_service(9, 57_000), "LATER", 120, "SOON"),
    "workshop.usual_km_a_year": (lambda: small_service(6), "LATER", 25_000, "OVERDUE"),
    "workshop.severe_km_a_year": (lambda: small_service(3, 56_930), "OVERDUE", 40_000, "LATER"),
    "workshop.tool_check_months": (fit_for, 364, {"TORQUE_WRENCH": 6}, 180),
    "workshop.tool_due_days": (reminded_of_tools, 0, 90, 1),
    "workshop.advice_days": (lambda: offered_again("MT-10"), 90, 30, 30),
    "workshop.advice_safety_days": (lambda: offered_again("BR-10"), 14, 3, 3),
    "exchange.api_requests_per_minute": (answered_of_six, 6, 4, 4),
    "exchange.beat_seconds": (lives_after_100_seconds, False, 120, True),
    "exchange.queue_minutes": (late_after_three_minutes, False, 2, True),
    "exchange.import_rows_days": (emptied_after_forty_days, 0, 30, 1),
    "kernel.keep_effects_days": (effects_forgotten, 0, 30, 1),
    "workshop.proposal_minutes": (begins_soonest, 10, 30, 30),
    "delivery.gate_pass_hours": (gate_pass_lasts, 12, 2, 2),
    "delivery.insurance_reminder_days": (lambda: reminded("insured_until"), 1, 10, 0),
    "delivery.inspection_reminder_days": (lambda: reminded("inspected_until"), 1, 10, 0),
    "delivery.survey_day": (due_after_two_days, 0, 2, 1),
    "delivery.round_to": (ends_in_ten, False, 10, True),
    "delivery.vat_rate": (vat_percent, Decimal(13), 0.09, Decimal(9)),
    "staff.certificate_warn_days": (expires_soon, 0, 90, 1),
    "kernel.approval_limit": (approves_25000, "approval.limit", 30_000, ""),
    "kernel.holiday_list_month": (asks_for_the_list_in_october, None, 10, 1),
    "kernel.keep_answers_days": (lambda: forgotten("answers", 20), 0, 10, 1),
    "kernel.keep_form_tokens_days": (lambda: forgotten("form_tokens", 10), 0, 5, 1),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    limits.forget()
    yield
    limits.forget()


@pytest.mark.parametrize("changed", [False, True], ids=["declared", "changed"])
@pytest.mark.parametrize("key", PROOFS)
def test_a_setting_decides(key: str, changed: bool) -> None:
    outcome, declared, value, other = PROOFS[key]
    assert declared != other
    if changed:
        Setting.objects.create(key=key, value=value, starts_on=date(2020, 1, 1))
        limits.forget()
    assert outcome() == (other if changed else declared)


# A test that changes the setting beside its own story.
ELSEWHERE = {
    "compliance.health_late_hours": "tests/compliance/test_health_uploads.py",
    "compliance.health_tries": "tests/compliance/test_health_uploads.py",
    "delivery.health_record": "tests/delivery/test_health_record.py",
    "delivery.maintenance_reminder_hour": "tests/delivery/test_service_reminders.py",
    "delivery.maintenance_reminder_again_days": "tests/delivery/test_service_reminders.py",
    "delivery.maintenance_reminder_after_visit_days": "tests/delivery/test_service_reminders.py",
    "delivery.rework_evidence_days": "tests/delivery/test_rework.py",
    "delivery.rework_restarts": "tests/delivery/test_rework.py",
    "reception.odometer_km_a_day": "tests/reception/test_far_odometer.py",
    "reception.elapsed_channels": "tests/reception/test_consultations.py",
    "reception.sticker_years": "tests/reception/test_preferences.py",
    "reception.tier_scores": "tests/reception/test_segments.py",
    "staff.reception_skill_level": "tests/staff/test_rosters.py",
    "workshop.structure_amount": "tests/workshop/test_accidents.py",
    "workshop.statutory_answer_days": "tests/workshop/test_claims.py",
    "workshop.statutory_finish_days": "tests/workshop/test_claims.py",
    "workshop.transport_money_a_day": "tests/workshop/test_day_six.py",
    "workshop.warranty_submit_days": "tests/workshop/test_warranty_claims.py",
    "workshop.old_part_days": "tests/workshop/test_old_parts.py",
    "workshop.old_part_maker_days": "tests/workshop/test_old_parts.py",
}


def test_every_setting_is_shown_to_decide() -> None:
    shown = PROOFS.keys() | test_numbers.PROOFS.keys() | ELSEWHERE.keys()
    assert registry.LIMITS.keys() - shown == set()
    assert shown - registry.LIMITS.keys() == set()
    for key, file in ELSEWHERE.items():
        assert f'"{key}"' in (settings.BASE_DIR / file).read_text(encoding="utf-8"), key
