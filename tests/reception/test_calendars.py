"""2.4: bookings in the calendar of an advisor and of a customer, by an address that can't be guessed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.limits import forget
from dealership.kernel.models import History, Message
from reception.documents import folded
from reception.models import CalendarFeed
from reception.services import appointments, calendars
from tests.factories.appointments import TUESDAY, at, booking, make_appointment, make_bookable
from tests.factories.reception import make_customer, make_vehicle, rule

NOW = at("8:00")


@pytest.fixture
def shop(db):
    forget()
    with clock.moved_to(NOW):
        yield make_bookable(advisors=2)


def read(content: bytes) -> list[dict[str, str]]:
    """The events of a file by RFC 5545, with its rules about lines demanded."""
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    found: list[dict[str, str]] = []
    for line in content.decode().replace("\r\n ", "").split("\r\n"):
        name, _colon, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found and name != "END":
            found[-1][name] = value.replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
    return found


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=400))
def test_folded_lines_are_short_and_lose_nothing(line):
    cut = folded(line)
    assert all(len(piece) <= 75 for piece in cut.split(b"\r\n"))
    assert cut.replace(b"\r\n ", b"").decode() == line


def fetch(feed: CalendarFeed, **headers):
    return Client().get(f"/calendar/{feed.token}.ics", headers=headers)


def test_an_advisors_calendar_follows_the_bookings_and_names_nobody(shop):
    feed = calendars.issue_calendar(by=shop.desk)
    mine = make_appointment(shop, advisor_uid=shop.advisor.uid, concern="换机油；检查,刹车")
    make_appointment(shop, starts_at=at("14:00", TUESDAY))  # of nobody in particular
    answer = fetch(feed)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    [event] = read(answer.content)
    assert (event["DTSTART"], event["DTEND"]) == ("20261124T013000Z", "20261124T015000Z")
    assert event["STATUS"] == "CONFIRMED"
    assert str(mine.vehicle) in event["SUMMARY"]
    for known in (mine.contact_name, mine.contact_phone, mine.customer.name):
        assert known not in answer.content.decode()
    assert fetch(feed, if_none_match=answer["ETag"]).status_code == 304
    assert answer["Cache-Control"] == "private, no-cache"
    appointments.move_appointment(uid=mine.uid, starts_at=at("15:30", TUESDAY), reason="x", by=shop.desk)
    [moved] = read(fetch(feed).content)
    assert (moved["UID"], moved["DTSTART"]) == (event["UID"], "20261124T073000Z")
    assert int(moved["SEQUENCE"]) > int(event["SEQUENCE"])
    appointments.cancel_appointment(uid=mine.uid, reason="x", by=shop.desk)
    assert [row["STATUS"] for row in read(fetch(feed).content)] == ["CANCELLED"]


def test_a_new_address_stops_the_old_one_and_stopping_ends_it(shop):
    old = calendars.issue_calendar(by=shop.desk)
    new = calendars.issue_calendar(by=shop.desk)
    assert (fetch(old).status_code, fetch(new).status_code) == (404, 200)
    calendars.stop_calendar(by=shop.desk)
    assert fetch(new).status_code == 404
    before = History.objects.count()
    with rule("calendar.none"):
        calendars.stop_calendar(by=shop.desk)
    with rule("employee.missing"):
        calendars.issue_calendar(by=machine("test", store_id=shop.store.pk))
    assert (CalendarFeed.objects.count(), History.objects.count()) == (2, before)


def test_a_customer_by_mail_gets_the_own_calendar(shop):
    owner = make_customer(name="李试娜", email="li@example.com", channel="EMAIL")
    car = make_vehicle(owner_uid=owner.uid)
    values = booking(vehicle_uid=car.uid, customer_uid=owner.uid)
    made = appointments.book_appointment(**values, by=shop.desk)
    make_appointment(shop, starts_at=at("14:00", TUESDAY))  # somebody else's
    outbox.drain()
    feed = CalendarFeed.objects.get(customer=owner)
    told = Message.objects.get(template="appointment_confirmed", channel="EMAIL")
    assert calendars.calendar_address(feed) in told.body
    [event] = read(fetch(feed).content)
    assert (event["DTSTART"], event["DTEND"]) == ("20261124T013000Z", "20261124T030600Z")
    assert made.number in event["DESCRIPTION"]
    assert made.contact_phone not in event["DESCRIPTION"]
    appointments.cancel_appointment(uid=made.uid, reason="x", by=shop.desk)
    outbox.drain()
    assert CalendarFeed.objects.filter(customer=owner).count() == 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("calendarfeed_one_owner", "employee_id = NULL"),
        ("calendarfeed_token_stays", "token = 'x'"),
    ],
)
def test_the_database_refuses_it_too(shop, refused, name, change):
    calendars.issue_calendar(by=shop.desk)
    with refused(name) as sql:
        sql(f"UPDATE reception_calendarfeed SET {change}")


def test_the_page_makes_replaces_and_stops_the_address(shop):
    client = Client()
    client.force_login(shop.desk.user)
    page = "/appointments/calendar/"
    assert "/calendar/" in client.get(page).content.decode()
    assert client.post(f"{page}issue/").url == page
    feed = CalendarFeed.objects.get()
    assert calendars.calendar_address(feed) in client.get(page).content.decode()
    assert client.post(f"{page}stop/").url == page
    assert feed.token not in client.get(page).content.decode()
    assert Client().get("/calendar/nothing.ics").status_code == 404
    with clock.moved_to(NOW + timedelta(minutes=1)):
        assert client.get(page).status_code == 200
