"""2.4: bookings from the call to the arrival; what is refused writes nothing, and nobody is booked twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Reservation
from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.limits import forget
from dealership.kernel.models import History, Message, PeriodicRun
from dealership.kernel.stores import set_calendar_day
from dealership.process.selectors.figures import read as read_figure
from dealership.process.selectors.figures import rows_behind
from dealership.process.services.rollup import recompute_touched
from reception import rules
from reception.models import A, Appointment, AppointmentSource, Customer, Vehicle, Visit, WaitingMode
from reception.selectors import capacity
from reception.services import appointments as commands
from reception.services import transports
from reception.services.visits import leave_unserved, register_arrival
from staff.services.employees import hand_over_work
from staff.services.rosters import set_roster_day
from tests.factories.appointments import (
    MONDAY,
    TUESDAY,
    at,
    booking,
    make_appointment,
    make_bookable,
    operation,
)
from tests.factories.kernel import make_actor
from tests.factories.reception import make_customer, make_vehicle, rule

pytestmark = pytest.mark.django_db
NOW = at("8:00")
WEDNESDAY = TUESDAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def monday_morning():
    forget()
    with clock.moved_to(NOW):
        yield


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Appointment, Reservation, Customer, Vehicle, History, Message))


def plans(appointment) -> list[tuple[str, str, str]]:
    return [
        (
            plan.resource.kind,
            f"{plan.period.lower + timedelta(hours=8):%d %H:%M}",
            f"{plan.period.upper + timedelta(hours=8):%d %H:%M}",
        )
        for plan in capacity.plans_of(appointment)
    ]


# --- booking ---


def test_a_booking_takes_bay_and_technician_for_the_work_and_promises_a_time():
    shop = make_bookable()
    made = make_appointment(shop, operation_uids=[operation("MT-50"), operation("AL-10")])
    assert made.number == f"AP-{shop.store.code}-261123-0001"
    assert (made.state, made.starts_at) == (A.CONFIRMED, at("9:30", TUESDAY))
    # 9:30 reception until 9:50, 36 min on the lift, 60 min on the rack, 40 min inspection and wash; lunch from 12
    assert made.work_starts_at == at("9:50", TUESDAY)
    assert made.ready_at == at("13:06", TUESDAY)
    assert sorted(plans(made)) == [
        ("BAY", "24 09:50", "24 10:26"),
        ("BAY", "24 10:26", "24 11:26"),
        ("PERSON", "24 09:50", "24 10:26"),
        ("PERSON", "24 10:26", "24 11:26"),
    ]
    # 0.6 h and 1.0 h at 170.00, one brake fluid
    fluid = made.items.get(operation__code="MT-50").operation.parts.get().part
    price = fluid.prices.get(store=shop.store).price
    assert made.estimated_amount == Decimal("272.00") + price
    line = History.objects.get(code="reception.appointment.booked")
    assert (line.vehicle_uid, line.customer_uid) == (made.vehicle.uid, made.customer.uid)
    assert line.changed == {"state": [None, "CONFIRMED"]}
    assert line.facts["operations"] == ["MT-50", "AL-10"]


def test_an_unknown_car_is_registered_with_who_books():
    shop = make_bookable()
    made = make_appointment(shop, plate="京A·8K312", model_text="途远 2.0T")
    assert (made.vehicle.plate, made.customer.name, made.customer.phone) == ("京A8K312", "李试约", "13900002290")
    assert made.vehicle.ownerships.get().customer == made.customer


def test_words_alone_are_booked_as_a_diagnosis():
    made = make_appointment(make_bookable(), operation_uids=[])
    assert made.items.get().operation.code == "DG-10"
    assert plans(made)[0][1:] == ("24 09:50", "24 10:20")


def test_work_over_lunch_holds_bay_and_person_and_work_over_night_doesnt():
    shop = make_bookable()
    made = make_appointment(shop, starts_at=at("11:30", TUESDAY), operation_uids=[operation("CH-10")])
    assert plans(made)[0][1:] == ("24 11:50", "24 14:02")  # 10 min before lunch, 62 after it
    long = make_appointment(shop, starts_at=at("14:30", WEDNESDAY), operation_uids=[operation("AS-10")])  # 8.5 h
    assert sorted(plans(long)) == [
        ("BAY", "25 14:50", "25 18:00"),
        ("BAY", "26 08:30", "26 14:50"),
        ("PERSON", "25 14:50", "25 17:30"),
        ("PERSON", "26 08:30", "26 14:50"),
        ("TOOL", "25 14:50", "25 18:00"),
        ("TOOL", "26 08:30", "26 14:50"),
    ]
    assert long.ready_at == at("15:30", WEDNESDAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"contact_name": " "}, "appointment.mandatory", "contact_name"),
        ({"concern": ""}, "appointment.mandatory", "concern"),
        ({"contact_phone": ""}, "appointment.mandatory", "contact_phone"),
        ({"contact_phone": "12"}, "phone.pattern", "contact_phone"),
        ({"starts_at": NOW - timedelta(minutes=1)}, "appointment.past", "starts_at"),
        ({"starts_at": NOW + timedelta(days=91)}, "appointment.too_far", "starts_at"),
        ({"plate": "", "vehicle_uid": None}, "appointment.vehicle", "plate"),
        (
            {"plate": "京A8K313", "vehicle_uid": None, "customer_uid": None, "model_text": " "},
            "appointment.mandatory",
            "model_text",
        ),
        ({"waiting_mode": "SLEEP"}, "appointment.choice", "waiting_mode"),
        ({"starts_at": at("7:00", TUESDAY)}, "appointment.taken", "starts_at"),
        ({"starts_at": at("12:30", TUESDAY)}, "appointment.taken", "starts_at"),
        ({"starts_at": at("17:30", TUESDAY)}, "appointment.taken", "starts_at"),
        ({"operation_uids": ["00000000-0000-0000-0000-000000000000"]}, "appointment.operation", "add"),
        ({"advisor_uid": "00000000-0000-0000-0000-000000000000"}, "appointment.advisor", "advisor"),
    ],
)
def test_each_refusal_names_its_field_and_writes_nothing(change, code, field):
    shop = make_bookable()
    values = booking() | change
    before = counts()
    with pytest.raises(RuleError) as refusal:
        commands.book_appointment(**values, by=shop.desk)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert str(refusal.value)
    assert counts() == before


def test_who_may_not_book_is_refused():
    shop = make_bookable()
    values = booking()
    with pytest.raises(NotAllowed, match=r"reception\.appointments\.book"):
        commands.book_appointment(**values, by=make_actor("technician", store=shop.store))
    assert Appointment.objects.count() == 0


def test_one_car_comes_once_a_day():
    shop = make_bookable(technicians=2, advisors=2, bays=("STANDARD_LIFT", "STANDARD_LIFT"))
    first = make_appointment(shop)
    before = counts()
    with rule("appointment.vehicle_booked"):
        make_appointment(
            shop, vehicle_uid=first.vehicle.uid, customer_uid=first.customer.uid, starts_at=at("15:30", TUESDAY)
        )
    assert counts() == before


def test_a_taken_time_is_answered_with_the_next_free_one():
    shop = make_bookable(advisors=2)
    make_appointment(shop, operation_uids=[operation("CH-10")])  # lift until 11:02
    values = booking()
    before = counts()
    with pytest.raises(RaceLost) as refusal:
        commands.book_appointment(**values, by=shop.desk)
    assert refusal.value.params["free_at"] == "2026-11-24T11:30:00+08:00"
    assert counts() == before


# --- free times ---


def test_every_day_lists_its_times_with_how_many_are_left():
    shop = make_bookable(technicians=3, advisors=3, bays=("STANDARD_LIFT", "STANDARD_LIFT", "ALIGNMENT_RACK"))
    make_appointment(shop)
    tuesday = capacity.free_days(shop.store, [], first=TUESDAY, days=1)[0]
    assert [(f"{o.at:%H:%M}", o.count) for o in tuesday.options] == [
        ("08:30", 2),
        ("09:30", 1),
        ("10:30", 2),
        ("11:30", 2),
        ("13:00", 2),
        ("14:00", 2),
        ("15:00", 2),
        ("16:00", 2),
        ("17:00", 0),
    ]
    assert tuesday.options[-1].cause.code == "closing"


def test_a_full_day_says_why_and_what_would_free_it():
    shop = make_bookable()
    rack = Reservation.objects.model._meta.get_field("resource").related_model.objects.get(capability="ALIGNMENT_RACK")
    Reservation.objects.create(
        store=shop.store,
        resource=rack,
        period=(at("8:00", TUESDAY), at("18:00", TUESDAY)),
        purpose="BLOCKED",
    )
    work = commands.offered_operations([operation("MT-50"), operation("AL-10")])
    day = capacity.free_days(shop.store, work, first=TUESDAY, days=1)[0]
    assert day.is_full
    assert str(rack.get_capability_display()) in day.reason
    assert [(way.operation.code, f"{way.option.at:%H:%M}", way.option.count) for way in day.ways] == [
        ("AL-10", "08:30", 1)
    ]


def test_a_closed_day_and_a_day_without_technician_say_so():
    shop = make_bookable()
    set_calendar_day(store=shop.store, day=TUESDAY, name="盘点", by=machine("test", store_id=shop.store.pk))
    set_roster_day(
        employee_uid=shop.technicians[0].uid,
        day=TUESDAY + timedelta(days=1),
        shift_code=None,
        by=machine("test", store_id=shop.store.pk),
    )
    work = commands.offered_operations([operation("MT-50")])
    closed, unstaffed, fine = capacity.free_days(shop.store, work, first=TUESDAY, days=3)
    assert not closed.is_open
    assert "盘点" in closed.reason
    assert unstaffed.options[0].cause.code == "no_person"
    assert fine.free


def test_who_waits_gets_the_car_on_the_same_day():
    shop = make_bookable()
    work = commands.offered_operations([operation("AS-10")])
    waiting = capacity.free_days(shop.store, work, first=TUESDAY, days=1, waiting_mode=WaitingMode.WAIT_AT_DEALER)[0]
    leaving = capacity.free_days(shop.store, work, first=TUESDAY, days=1)[0]
    assert waiting.is_full
    assert leaving.free


def test_a_share_of_the_bays_stays_for_customers_without_booking():
    shop = make_bookable(advisors=2)
    # 8.5 h of opening on one lift: 80 % are 408 minutes, 210 + 78 are taken
    make_appointment(shop, starts_at=at("8:30", TUESDAY), operation_uids=[operation("EN-20")])
    make_appointment(shop, starts_at=at("13:00", TUESDAY), operation_uids=[operation("CH-30")])
    supply = capacity.load_supply(shop.store, TUESDAY, 1)

    def left(*codes: str) -> tuple[int, str]:
        needs = capacity.needs_of(commands.offered_operations([operation(code) for code in codes]))
        option = rules.option_at(supply, needs, at("14:30", TUESDAY), now=NOW)
        return option.count, option.cause.code if option.cause else ""

    assert left("BR-20") == (1, "")  # 108 minutes: 396 of 408
    assert left("CH-30", "EL-20") == (0, "walk_ins")  # 126 minutes: 414
    with clock.moved_to(at("8:00", TUESDAY)):  # on the day itself what is left is given away
        needs = capacity.needs_of(commands.offered_operations([operation("CH-30"), operation("EL-20")]))
        assert rules.option_at(supply, needs, at("14:30", TUESDAY), now=clock.now()).count == 1


# --- confirming, preparing, moving, ending ---


def test_parts_and_workshop_prepare_a_booking():
    shop = make_bookable()
    made = make_appointment(shop)
    assert commands.confirm_parts(uid=made.uid, by=shop.parts).state == A.CONFIRMED
    with rule("appointment.confirmed"):
        commands.confirm_parts(uid=made.uid, by=shop.parts)
    with pytest.raises(NotAllowed):
        commands.confirm_workshop(uid=made.uid, by=shop.parts)
    assert commands.confirm_workshop(uid=made.uid, by=shop.foreman).state == A.PREPARED
    assert [line.code for line in History.objects.filter(root_uid=made.uid).order_by("id")] == [
        "reception.appointment.booked",
        "reception.appointment.parts_confirmed",
        "reception.appointment.workshop_confirmed",
        "reception.appointment.prepared",
    ]


def test_what_came_from_outside_is_confirmed_by_the_desk_first():
    shop = make_bookable()
    made = make_appointment(shop, source=AppointmentSource.DMS_DIRECT)
    assert made.state == A.REQUESTED
    with rule("appointment.unconfirmed"):
        commands.confirm_parts(uid=made.uid, by=shop.parts)
    assert commands.confirm_appointment(uid=made.uid, by=shop.desk).state == A.CONFIRMED
    with rule("state.move"):
        commands.confirm_appointment(uid=made.uid, by=shop.desk)


def test_moving_frees_the_old_time_takes_the_new_one_and_asks_both_again():
    shop = make_bookable()
    made = make_appointment(shop)
    commands.confirm_parts(uid=made.uid, by=shop.parts)
    commands.confirm_workshop(uid=made.uid, by=shop.foreman)
    moved = commands.move_appointment(uid=made.uid, starts_at=at("10:00", TUESDAY), reason="客户改时间", by=shop.desk)
    assert (moved.state, moved.parts_confirmed_at, moved.workshop_confirmed_at) == (A.CONFIRMED, None, None)
    assert plans(moved)[0][1:] == ("24 10:20", "24 10:56")
    assert Reservation.objects.filter(subject_uid=made.uid, live=True).count() == 2
    line = History.objects.get(code="reception.appointment.moved")
    assert line.changed["state"] == ["PREPARED", "CONFIRMED"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"reason": " "}, "appointment.move_reason"),
        ({"starts_at": at("9:30", TUESDAY)}, "appointment.same"),
        ({"starts_at": at("6:00", TUESDAY)}, "appointment.taken"),
        ({"starts_at": NOW - timedelta(hours=1)}, "appointment.past"),
    ],
)
def test_a_refused_move_changes_nothing(change, code):
    shop = make_bookable()
    made = make_appointment(shop)
    before = (Appointment.objects.values().get(), counts())
    with rule(code):
        commands.move_appointment(
            **{"uid": made.uid, "starts_at": at("15:00", TUESDAY), "reason": "x"} | change, by=shop.desk
        )
    assert (Appointment.objects.values().get(), counts()) == before


def test_cancelling_needs_a_reason_and_frees_bay_and_technician():
    shop = make_bookable()
    made = make_appointment(shop)
    with rule("appointment.reason"):
        commands.cancel_appointment(uid=made.uid, reason="  ", by=shop.desk)
    assert Reservation.objects.filter(live=True).count() == 2
    ended = commands.cancel_appointment(uid=made.uid, reason="客户出差", by=shop.desk)
    assert (ended.state, ended.ended_reason) == (A.CANCELLED, "客户出差")
    assert Reservation.objects.filter(live=True).count() == 0
    with rule("appointment.ended"):
        commands.move_appointment(uid=made.uid, starts_at=at("15:00", TUESDAY), reason="x", by=shop.desk)
    assert make_appointment(shop).state == A.CONFIRMED


def test_nobody_came_can_be_said_after_the_set_minutes_and_who_comes_later_is_still_welcome():
    shop = make_bookable()
    made = make_appointment(shop)
    with clock.moved_to(at("9:59", TUESDAY)):
        assert Appointment.objects.get().late_minutes == 29
        with rule("appointment.not_late"):
            commands.mark_no_show(uid=made.uid, by=shop.desk)
    with clock.moved_to(at("10:00", TUESDAY)):
        gone = commands.mark_no_show(uid=made.uid, by=shop.desk)
        assert (gone.state, gone.late_minutes) == (A.NO_SHOW, 0)
        assert Reservation.objects.filter(live=True).count() == 0
        with rule("appointment.move_first"):
            commands.confirm_appointment(uid=made.uid, by=shop.desk)
        moved = commands.move_appointment(uid=made.uid, starts_at=at("14:00", TUESDAY), reason="忘了", by=shop.desk)
        assert moved.state == A.CONFIRMED


def arrive(shop, made) -> Visit:
    return register_arrival(
        contact_name=made.contact_name,
        contact_phone=made.contact_phone,
        model_text=made.vehicle.model_text,
        need=made.concern,
        vehicle_uid=made.vehicle.uid,
        appointment_uid=made.uid,
        by=shop.desk,
    )


def test_the_booked_car_arrives_and_gives_its_plans_back_when_it_leaves_unserved():
    shop = make_bookable()
    made = make_appointment(shop, advisor_uid=None)
    with clock.moved_to(at("9:37", TUESDAY)):
        visit = arrive(shop, made)
        made.refresh_from_db()
        assert (made.state, visit.appointment) == (A.ARRIVED, made)
        assert Reservation.objects.filter(live=True).count() == 2
        line = History.objects.get(code="reception.appointment.kept")
        assert line.facts == {"late_minutes": 7}
        with rule("state.move"):
            commands.cancel_appointment(uid=made.uid, reason="x", by=shop.desk)
        leave_unserved(uid=visit.uid, reason="等太久", by=shop.desk)
        outbox.drain()
        assert Reservation.objects.filter(live=True).count() == 0


def test_a_booking_of_another_car_doesnt_arrive():
    shop = make_bookable()
    made = make_appointment(shop)
    other = make_vehicle(owner_uid=make_customer().uid)
    with rule("appointment.other_car"):
        register_arrival(
            contact_name="x",
            contact_phone="13900000001",
            model_text="x",
            need="x",
            vehicle_uid=other.uid,
            appointment_uid=made.uid,
            by=shop.desk,
        )
    assert Visit.objects.count() == 0


def test_another_stores_booking_isnt_there():
    made = make_appointment(make_bookable())
    stranger = make_bookable(code="ZZ99")
    with pytest.raises(Appointment.DoesNotExist):
        commands.cancel_appointment(uid=made.uid, reason="x", by=stranger.desk)


def test_an_absent_advisors_bookings_go_to_another():
    shop = make_bookable(advisors=2)
    made = make_appointment(shop, advisor_uid=shop.advisor.uid)
    other = commands.employees_with_role(shop.store.pk, "advisor").exclude(pk=shop.advisor.pk).get()
    hand_over_work(
        from_uid=shop.advisor.uid, to_uid=other.uid, reason="休假", by=machine("test", store_id=shop.store.pk)
    )
    made.refresh_from_db()
    assert made.advisor == other


# --- the database's own refusals ---


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("appointment_moves", "state = 'REQUESTED'"),
        ("appointment_prepared_by_both", "state = 'PREPARED', parts_confirmed_at = now()"),
        ("appointment_cancel_reason", "state = 'CANCELLED'"),
        ("appointment_ready_after_arrival", "ready_at = starts_at"),
    ],
)
def test_the_database_refuses_what_the_clause_forbids(refused, name, change):
    made = make_appointment(make_bookable())
    before = Appointment.objects.filter(pk=made.pk).values().get()
    with refused(name) as sql:
        sql(f"UPDATE reception_appointment SET {change} WHERE id = %s", [made.pk])
    assert Appointment.objects.filter(pk=made.pk).values().get() == before


# --- the race ---


@pytest.mark.django_db(transaction=True)
def test_sixteen_bookers_at_once_never_overlap_and_each_is_answered():
    shop = make_bookable(bays=("STANDARD_LIFT",) * 3, technicians=4, advisors=16)
    values = [booking() for _ in range(16)]
    barrier, outcomes, broken = threading.Barrier(16), [], []

    def book(wanted):
        try:
            with clock.moved_to(NOW):
                barrier.wait()
                outcomes.append(commands.book_appointment(**wanted, by=shop.desk).state)
        except RaceLost as refusal:
            outcomes.append(f"{refusal.code} {refusal.params['free_at'][:10]}")
        except Exception as exc:
            broken.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=book, args=[wanted]) for wanted in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert broken == []
    assert sorted(outcomes) == ["CONFIRMED"] * 3 + ["appointment.taken 2026-11-24"] * 13
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM catalogue_reservation a JOIN catalogue_reservation b"
            " ON a.resource_id = b.resource_id AND a.id < b.id AND a.period && b.period WHERE a.live AND b.live"
        )
        assert cursor.fetchone()[0] == 0
    assert Reservation.objects.filter(live=True).count() == 6


# --- messages ---


def sent() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("pk").values_list("template", "channel"))


def test_the_customer_is_told_what_was_booked_and_cancelled():
    shop = make_bookable()
    made = make_appointment(shop)
    outbox.drain()
    assert sent() == [("appointment_confirmed", "SMS")]
    message = Message.objects.get()
    assert (message.recipient, message.recipient_name) == ("13900002290", "李试约")
    assert "09:30" in message.body
    commands.cancel_appointment(uid=made.uid, reason="x", by=shop.desk)
    outbox.drain()
    assert sent()[-1] == ("appointment_cancelled", "SMS")


def test_reminders_climb_the_ladder_once_each_though_the_task_runs_twice():
    shop = make_bookable()
    friday = MONDAY + timedelta(days=11)
    made = make_appointment(shop, starts_at=at("9:30", friday))

    def remind(moment) -> int:
        with clock.moved_to(moment):
            return commands.remind_due() + commands.remind_due()

    assert remind(at("9:29", friday - timedelta(days=10))) == 0
    assert remind(at("9:30", friday - timedelta(days=10))) == 1
    assert remind(at("12:00", friday - timedelta(days=9))) == 0
    assert remind(at("9:30", friday - timedelta(days=5))) == 1
    assert remind(at("9:30", friday - timedelta(days=1))) == 1
    assert remind(at("8:29", friday)) == 0
    assert remind(at("8:30", friday)) == 1
    assert remind(at("9:30", friday)) == 0
    assert Message.objects.filter(template="appointment_reminder").count() == 4
    assert History.objects.filter(code="reception.appointment.reminded", root_uid=made.uid).count() == 4


def test_no_reminder_in_quiet_hours_nor_for_a_step_that_lies_before_the_booking():
    shop = make_bookable()
    with clock.moved_to(at("23:00")):
        make_appointment(shop, starts_at=at("8:30", TUESDAY + timedelta(days=1)))
    with clock.moved_to(at("23:30")):
        assert commands.remind_due() == 0  # ten and five days before lie before the booking
    with clock.moved_to(at("7:30", TUESDAY + timedelta(days=1))):
        assert commands.remind_due() == 0  # quiet
    with clock.moved_to(at("8:00", TUESDAY + timedelta(days=1))):
        assert commands.remind_due() == 1


def test_nobody_is_reminded_after_cancelling_or_arriving_and_who_moved_is_reminded_anew():
    shop = make_bookable(advisors=3, technicians=3, bays=("STANDARD_LIFT",) * 3)
    cancelled, arrived, moved = (make_appointment(shop) for _ in range(3))
    commands.cancel_appointment(uid=cancelled.uid, reason="x", by=shop.desk)
    with clock.moved_to(at("8:30", TUESDAY)):
        arrive(shop, arrived)
        assert commands.remind_due() == 1
        commands.move_appointment(
            uid=moved.uid, starts_at=at("9:30", TUESDAY + timedelta(days=1)), reason="x", by=shop.desk
        )
    with clock.moved_to(at("8:30", TUESDAY + timedelta(days=1))):
        assert commands.remind_due() == 1


def test_the_preparation_list_goes_out_once_at_its_hour():
    shop = make_bookable()
    make_appointment(shop)
    with clock.moved_to(at("15:59")):
        assert commands.send_preparation_lists() == 0
    with clock.moved_to(at("16:00")):
        assert commands.send_preparation_lists() == 2
        assert commands.send_preparation_lists() == 0
    assert PeriodicRun.objects.filter(job=f"reception.preparation:{shop.store.code}").count() == 1
    assert sent() == [("preparation_list", "STAFF")] * 2


def test_the_preparation_list_skips_a_closed_day_and_says_nothing_without_bookings():
    shop = make_bookable()
    setup = machine("test", store_id=shop.store.pk)
    set_calendar_day(store=shop.store, day=TUESDAY, name="盘点", by=setup)
    wednesday = TUESDAY + timedelta(days=1)
    with clock.moved_to(at("16:30")):
        assert commands.send_preparation_lists() == 0
    with clock.moved_to(at("16:30", TUESDAY)):
        make_appointment(shop, starts_at=at("9:30", wednesday))
        assert commands.send_preparation_lists() == 2


def test_moves_of_the_shop_are_a_figure_with_the_bookings_behind_it():
    shop = make_bookable()
    moved, stayed, wished = (make_appointment(shop, starts_at=at(hour, TUESDAY)) for hour in ("9:30", "11:00", "14:00"))
    commands.report_part_missing(uid=moved.uid, reason="制动液被领走", by=shop.parts)
    commands.move_appointment(uid=moved.uid, starts_at=at("13:00", TUESDAY), reason="缺件", by=shop.desk)
    commands.move_appointment(uid=wished.uid, starts_at=at("15:00", TUESDAY), reason="客户出差", by=shop.desk)
    manager = make_actor("manager", store=shop.store)
    with clock.moved_to(at("16:30", TUESDAY)):
        for booked in (moved, stayed, wished):
            commands.mark_no_show(uid=booked.uid, by=shop.desk)
        outbox.drain()
        recompute_touched()
        found = read_figure(manager, "reception.moved_by_shop", TUESDAY, TUESDAY)
        assert (found.numerator, found.denominator) == (1, 3)
        behind = rows_behind(manager, "reception.moved_by_shop", TUESDAY, TUESDAY)
        assert {row.uid: row.numerator for row in behind.rows} == {moved.uid: 1, stayed.uid: 0, wished.uid: 0}


def pick_up_of(shop, booked, driver, *, before=timedelta(hours=1)):
    return transports.plan_transport(
        kind="PICK_UP",
        appointment_uid=booked.uid,
        driver_uid=driver.uid,
        starts_at=booked.starts_at - before,
        ends_at=booked.starts_at - before + timedelta(minutes=30),
        address="示例路 1 号",
        by=shop.desk,
    )


def test_a_pick_up_moves_and_ends_with_its_booking_and_the_driver_is_told():
    """2.4: nobody drives to a customer whose booking was moved or cancelled."""
    shop = make_bookable()
    driver = shop.technicians[0]
    booked = make_appointment(shop)
    way = pick_up_of(shop, booked, driver)
    moved = commands.move_appointment(uid=booked.uid, starts_at=at("14:00", TUESDAY), reason="客户出差", by=shop.desk)
    way.refresh_from_db()
    assert (way.state, way.starts_at) == ("PLANNED", moved.starts_at - timedelta(hours=1))
    assert Message.objects.filter(template="transport_changed", recipient=driver.number).count() == 1
    commands.cancel_appointment(uid=booked.uid, reason="不来了", by=shop.desk)
    way.refresh_from_db()
    assert (way.state, way.ended_note) == ("CANCELLED", "预约已结束。")
    assert Message.objects.filter(template="transport_changed", recipient=driver.number).count() == 2
    codes = list(
        History.objects.filter(code__startswith="reception.transport").order_by("id").values_list("code", flat=True)
    )
    assert codes == ["reception.transport.planned", "reception.transport.moved", "reception.transport.called_off"]


def test_a_pick_up_is_called_off_where_its_driver_is_elsewhere_then():
    shop = make_bookable(bays=("STANDARD_LIFT",) * 2, technicians=2, advisors=2)
    driver = shop.technicians[0]
    booked, other = make_appointment(shop), make_appointment(shop, starts_at=at("14:00", TUESDAY))
    way = pick_up_of(shop, booked, driver)
    pick_up_of(shop, other, driver)
    commands.move_appointment(uid=booked.uid, starts_at=at("14:00", TUESDAY), reason="客户出差", by=shop.desk)
    way.refresh_from_db()
    assert (way.state, way.ended_note) == ("CANCELLED", "预约已改期。")
    client = Client()
    client.force_login(shop.advisor.user)
    page = client.get(reverse("appointment-detail", args=[booked.uid])).content.decode()
    assert reverse("transport-detail", args=[way.uid]) in page
