"""2.4: a morning at the desk: twelve booked cars and six without, two that don't come, one late, a full day, a broken lift.

What stands in the book was booked the day before through the commands; the morning itself goes through the pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from dealership.catalogue.models import Operation, Reservation
from dealership.celery import app
from dealership.kernel import clock
from dealership.kernel.models import History, Store, User
from dealership.kernel.services import actor_of
from reception.models import A, Appointment, Visit, WaitingEntry
from reception.selectors import capacity
from reception.services.appointments import book_appointment
from tests.factories.reception import make_customer, make_vehicle
from tests.factories.workshop import Shop, add_operation, agree_all, make_order
from workshop.models import Dispatch
from workshop.services import dispatch

from .conftest import Desk, People, drain

pytestmark = pytest.mark.django_db(transaction=True)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 27, tzinfo=SHANGHAI)


def in_the_book(store: Store) -> list[Appointment]:
    """Twelve bookings of Friday, made on Thursday: the alignment rack as long as it is free, the others at other bays."""
    desk = actor_of(User.objects.get(username="receptionist"), store)
    made: list[Appointment] = []

    def book(code: str) -> bool:
        work = list(Operation.objects.filter(code=code).prefetch_related("parts"))
        [day] = capacity.free_days(store, work, first=FRIDAY.date(), days=1, explain=False)
        if not day.free or len(made) == 12:
            return False
        owner = make_customer(name=f"李试约{len(made) + 1}")
        car = make_vehicle(plate=f"京A{9100 + len(made)}T", owner_uid=owner.uid)
        made.append(
            book_appointment(
                contact_name=owner.name,
                contact_phone=owner.phone,
                customer_uid=owner.uid,
                vehicle_uid=car.uid,
                starts_at=day.free[0].at,
                concern="跑偏" if code == "AL-10" else "保养",
                operation_uids=[work[0].uid],
                by=desk,
            )
        )
        return True

    with clock.moved_to(FRIDAY.replace(day=26, hour=10)):
        while book("AL-10"):
            pass
        assert 3 <= len(made) <= 10, "a rack for one car, from morning to evening"
        while book("MT-10"):
            pass
    assert len(made) == 12
    return sorted(made, key=lambda row: (row.starts_at, row.pk))


def comes(desk: Desk, booked: Appointment) -> None:
    """The booked car stands at the door: from the list of the day to its visit."""
    page = desk.page
    page.goto(f"{desk.people.url}/appointments/")
    row = page.locator("tr", has=page.locator(f'a[href*="{booked.uid}"]'))
    row.get_by_role("link", name="到店").click()
    expect(page.locator("#id_contact_name")).to_have_value(booked.contact_name)
    with page.expect_navigation():
        desk.button("登记到店").click()
    assert "/visits/" in desk.path, page.locator(".wrong").all_inner_texts()


def walks_in(desk: Desk, number: int) -> None:
    desk.page.goto(f"{desk.people.url}/visits/new/")
    desk.fill(plate=f"冀B{8200 + number}K", model_text="途远 2.0T", contact_name=f"章试客{number}")
    desk.fill(contact_phone=f"1380000{number:04d}", need="路过看看异响")
    with desk.page.expect_navigation():
        desk.button("登记到店").click()
    assert "/visits/" in desk.path, desk.page.locator(".wrong").all_inner_texts()


@pytest.fixture
def eager() -> Iterator[None]:
    """The planner works where the outbox hands it over."""
    before, app.conf.task_always_eager = app.conf.task_always_eager, True
    yield
    app.conf.task_always_eager = before


@pytest.mark.usefixtures("eager")
def test_a_morning(people: People, store: Store, set_clock) -> None:
    booked = in_the_book(store)
    gone, late, on_time = booked[:2], booked[2], booked[3:]
    desk = people.receptionist
    set_clock(8, 10)

    # Twelve are in the book.
    page = desk.open("/appointments/")
    expect(page.locator("tbody tr")).to_have_count(12)

    # A thirteenth wants the alignment rack today: the day says why not, and takes the car onto its waiting list.
    page = desk.open("/appointments/new/?plate=京A12345")
    desk.fill(
        plate="京A12345", model_text="途远 2.0T", contact_name="王试客", contact_phone="13900000077", concern="吃胎"
    )
    page.locator("#id_add").select_option(str(Operation.objects.get(code="AL-10").uid))
    today = page.locator(".slotday", has_text="今天")
    expect(today).to_contain_text("这天排不进")
    expect(today).to_contain_text("四轮定位")
    desk.press_on(today.get_by_role("button", name="排入候补"))
    assert WaitingEntry.objects.get().first_day == FRIDAY.date()

    # Nine come in time, six without a booking.
    for row in on_time:
        comes(desk, row)
    for number in range(6):
        walks_in(desk, number)
    assert Visit.objects.filter(store=store, appointment__isnull=False).count() == 9

    # Three haven't come: one does after all and is received as booked, two don't and give their places back.
    set_clock(10, 50)
    page = desk.open("/appointments/?show=late")
    expect(page.locator("tbody tr")).to_have_count(3)
    comes(desk, late)
    kept = History.objects.get(code="reception.appointment.kept", root_uid=late.uid)
    assert kept.facts["late_minutes"] >= 30
    assert Visit.objects.get(appointment=late).state == "WAITING"
    for row in gone:
        desk.open(f"/appointments/{row.uid}/")
        desk.press("爽约")
    assert {a.state for a in Appointment.objects.filter(pk__in=[row.pk for row in gone])} == {A.NO_SHOW}
    assert not Reservation.objects.filter(subject_uid__in=[row.uid for row in gone], live=True).exists()
    assert Visit.objects.filter(store=store).count() == 16
    desk.open("/today/")

    # Lift 2 breaks down with a job planned on it: it makes room, the planner proposes, the foreman accepts.
    found = {name: User.objects.get(username=name) for name in ("advisor", "manager", "foreman")}
    shop = Shop(store, *(actor_of(found[name], store) for name in ("advisor", "manager")), found["advisor"].employee)
    order = make_order(shop, with_diagnosis=False)
    line = add_operation(shop, order, "BR-10", parts=[])
    agree_all(shop, order)
    lift = store.resources.get(name="2 号举升")
    at = FRIDAY.replace(hour=13, minute=30)
    dispatch.drop_line(line_uid=line.uid, resource_uid=lift.uid, starts_at=at, by=actor_of(found["foreman"], store))
    foreman = people.foreman
    page = foreman.open("/plan/")
    foreman.press_on(page.locator(".plan .lab a", has_text="2 号举升"))
    foreman.fill(reason="举升机漏油")
    with page.expect_navigation():
        foreman.button("停用").click()
    expect(page.locator(".wrong li:visible, .is-invalid:visible").first).to_be_visible()  # something is planned there
    assert Dispatch.objects.filter(live=True, bay=lift).exists()
    foreman.tick("make_room")
    foreman.press("停用")
    assert not Dispatch.objects.filter(live=True).exists()
    foreman.press("看改动再定")
    drain()
    page.reload()
    foreman.look()
    foreman.press("采用")
    moved = Dispatch.objects.get(live=True)
    assert (moved.line, moved.bay == lift) == (line, False)
    assert people.troubles == []
    assert people.violations == {}
    assert people.overflows == {}
