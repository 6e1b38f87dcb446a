"""2.4: the customer moves or cancels a booking on its own page; until when, what is freed, and what is refused."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from dealership.catalogue.models import Reservation
from dealership.kernel import clock, outbox
from dealership.kernel.limits import forget
from dealership.kernel.models import History, Message
from reception.models import A, Appointment, SlotOffer
from reception.services import appointments, changing, online, waiting
from tests.factories.appointments import MONDAY, TUESDAY, at, booking, make_appointment, make_bookable, operation
from tests.factories.reception import make_customer, make_vehicle, make_visit, rule

pytestmark = pytest.mark.django_db
WEDNESDAY = MONDAY + timedelta(days=2)
LATER = at("13:00", WEDNESDAY)


@pytest.fixture
def shop():
    forget()
    cache.clear()
    with clock.moved_to(at("8:00")):
        yield make_bookable(bays=("STANDARD_LIFT",))


def body(response) -> str:
    return response.content.decode()


def planned(booked: Appointment) -> list[str]:
    rows = Reservation.objects.filter(subject_uid=booked.uid, live=True).order_by("period", "pk")
    return [f"{row.period.lower + timedelta(hours=8):%d %H:%M}" for row in rows]


def kept() -> tuple[int, list]:
    return History.objects.count(), list(Appointment.objects.order_by("pk").values_list("state", "starts_at"))


def test_the_customer_moves_it_on_the_page_and_nothing_counts_against_the_shop(shop):
    booked = make_appointment(shop)
    appointments.confirm_parts(uid=booked.uid, by=shop.parts)
    appointments.confirm_workshop(uid=booked.uid, by=shop.foreman)
    client, path = Client(), online.booking_path(booked, "online-move")
    page = body(client.get(path, {"day": WEDNESDAY.isoformat()}))
    assert not any(known in page for known in ("李试约", "13900002290", booked.vehicle.plate[2:]))
    assert f'value="{LATER + timedelta(hours=8):%Y-%m-%dT%H:%M:%S}+08:00"' in page
    assert 'value="2026-11-24T09:30' not in body(client.get(path))  # the present time is no other time
    token = re.search(r'name="form_token" value="([^"]+)"', page)[1]
    answer = client.post(path, {"starts_at": LATER.isoformat(), "form_token": token})
    assert (answer.status_code, answer.url) == (302, online.booking_path(booked))
    booked.refresh_from_db()
    assert (booked.state, booked.starts_at, booked.shop_moves) == (A.CONFIRMED, LATER, 0)
    assert (booked.parts_confirmed_at, booked.workshop_confirmed_at) == (None, None)
    assert booked.ended_reason == "客户在网上改约。"
    assert set(planned(booked)) == {"25 13:20"}
    line = History.objects.filter(root_uid=booked.uid).latest("id")
    assert (line.code, line.facts["by_customer"], line.facts["by_shop"]) == ("reception.appointment.moved", True, False)
    outbox.drain()
    told = Message.objects.get(template="booking_changed", recipient_name=shop.advisor.name)
    assert "客户在网上改约" in told.subject
    assert f"/book/{shop.store.code}/" in Message.objects.filter(template="appointment_confirmed").latest("pk").body


def test_what_the_shop_could_not_keep_stays_its_own_move(shop):
    booked = make_appointment(shop)
    appointments.report_part_missing(uid=booked.uid, reason="缺件", expected_on=WEDNESDAY, by=shop.parts)
    booked.refresh_from_db()
    assert "这个时间我们无法兑现" in body(Client().get(online.booking_path(booked)))
    with rule("appointment.parts_later"):
        changing.move_online(appointment=booked, starts_at=at("14:30", TUESDAY))
    changing.move_online(appointment=booked, starts_at=LATER)
    booked.refresh_from_db()
    assert booked.shop_moves == 1


def test_a_request_that_is_moved_still_waits_for_the_desk(shop):
    given = booking(plate="京A7T777", model_text="途远", starts_at=at("9:30", TUESDAY))
    asked = appointments.request_appointment(store=shop.store, **given)
    changing.move_online(appointment=asked, starts_at=LATER, reason="要出差")
    asked.refresh_from_db()
    assert (asked.state, asked.starts_at, asked.ended_reason) == (A.REQUESTED, LATER, "要出差")


def test_the_customer_cancels_it_and_the_time_goes_to_the_waiting_list(shop):
    long = make_appointment(shop, starts_at=at("8:30", TUESDAY), operation_uids=[operation("AS-10")])
    wish = {**booking(), "first_day": TUESDAY, "by": shop.desk}
    wish.pop("starts_at")
    waiting.join_waiting_list(**wish)
    client, path = Client(), online.booking_path(long, "online-cancel")
    assert client.get(path).status_code == 200
    assert client.post(path, {"reason": ""}).url == online.booking_path(long)
    long.refresh_from_db()
    assert (long.state, long.ended_reason, planned(long)) == (A.CANCELLED, "客户在网上取消。", [])
    outbox.drain()
    assert SlotOffer.objects.get().starts_at == at("8:30", TUESDAY)
    page = body(client.get(online.booking_path(long)))
    assert "预约已取消" in page
    assert online.booking_path(long, "online-move") not in page


@pytest.mark.parametrize("page", ["online-move", "online-cancel"])
def test_too_late_or_ended_it_says_whom_to_call_and_changes_nothing(shop, page):
    shop.store.phone = "010-55550000"
    shop.store.save(update_fields=["phone"])
    booked = make_appointment(shop)
    client, path = Client(), online.booking_path(booked, page)
    form = {"starts_at": LATER.isoformat(), "reason": "堵车"}
    with clock.moved_to(at("5:30", TUESDAY)):  # to the minute four hours before
        assert changing.why_not(booked) is None
    before = kept()
    with clock.moved_to(at("5:31", TUESDAY)):
        shown = body(client.get(path))
        assert "距到店不足 4 小时" in shown
        assert 'href="tel:010-55550000"' in shown
        assert 'method="post" id="move"' not in shown
        refused = client.post(path, form)
        assert refused.status_code == 422
        assert "距到店不足 4 小时" in body(refused)
        assert kept() == before
    appointments.cancel_appointment(uid=booked.uid, reason="x", by=shop.desk)
    before = kept()
    refused = client.post(path, form)
    assert (refused.status_code, kept()) == (422, before)
    assert "已不能在网上更改" in body(refused)


def test_a_time_that_was_taken_meanwhile_names_the_next_one_and_keeps_what_was_typed(shop):
    booked = make_appointment(shop)
    make_appointment(shop, starts_at=LATER, operation_uids=[operation("MT-10")])
    before = kept()
    answer = Client().post(
        online.booking_path(booked, "online-move"), {"starts_at": LATER.isoformat(), "reason": "出差"}
    )
    assert answer.status_code == 422
    assert 'value="出差"' in body(answer)
    assert kept() == before
    soon = Client().post(online.booking_path(booked, "online-move"), {"starts_at": at("8:30").isoformat()})
    assert "网上预约须至少提前60分钟" in body(soon)
    assert kept() == before


def test_one_address_changes_so_often_and_no_more(shop):
    booked = make_appointment(shop)
    times = [at(hour, day) for hour in ("9:30", "13:00", "14:30", "15:30") for day in (TUESDAY, WEDNESDAY)]
    path, done = online.booking_path(booked, "online-move"), []
    for moment in [*times[1:], *times[:4]]:
        done.append(Client().post(path, {"starts_at": moment.isoformat()}).status_code)
    assert done == [302] * 10 + [422]


def test_the_visits_page_leads_to_the_next_booking_of_its_car_alone(shop):
    owner = make_customer()
    car = make_vehicle(owner_uid=owner.uid)
    make_appointment(shop, starts_at=at("14:30", TUESDAY))  # somebody else's
    visit = make_visit(shop.desk, plate=car.plate, contact_name=owner.name, contact_phone=owner.phone)
    link = f"/v/{visit.link.token}/"
    assert "您的下次预约" not in body(Client().get(link))
    booked = make_appointment(shop, vehicle_uid=car.uid, customer_uid=owner.uid, starts_at=LATER)
    assert online.booking_path(booked) in body(Client().get(link))


def test_the_page_speaks_english_too(shop):
    booked = make_appointment(shop)
    client = Client(headers={"accept-language": "en"})
    for page in ("online-booked", "online-move", "online-cancel"):
        with translation.override("en"):
            said = body(client.get(online.booking_path(booked, page)))
        assert booked.number in said
    file = client.get(online.booking_path(booked), {"file": "calendar"})
    assert "STATUS:CONFIRMED" in body(file)
    assert "no-store" in file["Cache-Control"]
