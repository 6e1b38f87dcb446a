"""What a customer wishes is honoured by messages; until when a car is inspected and insured; consents by their text (2.3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from dealership.kernel.models import Message, MessageChannel, MessageState, Outbox, OutboxState, Store
from dealership.kernel.services import set_setting
from reception import rules
from reception.models import Consent
from reception.selectors.vehicles import inspection_of, insurance_of
from reception.services import telling
from reception.services.customers import correct_customer, record_consent, register_customer
from reception.services.merging import merge_customers, undo_merge
from reception.services.visits import send_link
from tests.factories.kernel import make_actor, make_user
from tests.factories.reception import make_customer, make_received_visit, make_vehicle, rule
from tests.factories.staff import actor_for, make_employee, make_store

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 24)
BY = machine("tests")


@pytest.fixture
def store() -> Store:
    return make_store("BJ01")


def at(hour: str, day: date = DAY) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=SHANGHAI)


def write_to(customer, store: Store, key: str = "k", **more) -> Message:
    return telling.tell(customer, store=store, key=key, template="t", subject="s", body="b", by=BY, **more)


# --- quiet hours ---


@pytest.mark.parametrize(
    ("now", "start", "end", "until"),
    [
        ("12:29", "12:30", "14:00", None),
        ("12:30", "12:30", "14:00", at("14:00")),
        ("13:59", "12:30", "14:00", at("14:00")),
        ("14:00", "12:30", "14:00", None),
        ("23:10", "22:00", "07:30", at("07:30", DAY + timedelta(days=1))),
        ("03:00", "22:00", "07:30", at("07:30")),
        ("07:30", "22:00", "07:30", None),
        ("03:00", "", "", None),
    ],
)
def test_when_quiet_hours_end(now: str, start: str, end: str, until: datetime | None) -> None:
    assert rules.quiet_end(at(now), start, end) == until


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 1439))
def test_the_end_of_quiet_hours_is_never_quiet_and_less_than_a_day_away(minute: int, start: int, end: int) -> None:
    def hour(n: int) -> str:
        return f"{n // 60:02d}:{n % 60:02d}"

    if start == end:
        return
    until = rules.quiet_end(at(hour(minute)), hour(start), hour(end))
    if until is not None:
        assert timedelta(0) < until - at(hour(minute)) < timedelta(days=1)
        assert rules.quiet_end(until, hour(start), hour(end)) is None
    else:
        assert not rules.is_quiet(minute, start, end)


@pytest.mark.django_db
def test_a_message_waits_for_the_end_of_the_customers_quiet_hours(store: Store) -> None:
    customer = make_customer(quiet_from="12:30", quiet_to="14:00")
    with clock.moved_to(at("12:45")):
        message = write_to(customer, store)
        outbox.drain()
    message.refresh_from_db()
    assert (message.state, message.not_before) == (MessageState.QUEUED, at("14:00"))
    owed = Outbox.objects.get(handler="kernel.send_message")
    assert (owed.state, owed.attempts, owed.last_error, owed.started_at) == (OutboxState.DUE, 0, "", None)
    assert owed.available_at == at("14:00")
    with clock.moved_to(at("13:59")):
        assert not outbox.deliver(owed.pk)
    with clock.moved_to(at("14:00")):
        assert outbox.deliver(owed.pk)
    message.refresh_from_db()
    assert (message.state, message.sent_at) == (MessageState.MAILBOX, at("14:00"))


@pytest.mark.django_db
def test_outside_of_them_and_to_others_it_leaves_at_once(store: Store) -> None:
    with clock.moved_to(at("12:45")):
        assert write_to(make_customer(), store, "1").not_before is None
        assert write_to(make_customer(quiet_from="21:00", quiet_to="08:00"), store, "2").not_before is None
        outbox.drain()
    assert set(Message.objects.values_list("state", flat=True)) == {MessageState.MAILBOX}


@pytest.mark.django_db
def test_the_link_asked_for_at_the_desk_is_sent_in_quiet_hours_too(store: Store) -> None:
    desk = actor_for(make_employee(store, "advisor"))
    visit = make_received_visit(desk)
    correct_customer(uid=visit.customer.uid, quiet_from="00:00", quiet_to="23:59", by=BY)
    assert send_link(uid=visit.uid, by=desk).not_before is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "channel", "recipient"),
    [
        ({"phone": "13900000001"}, MessageChannel.SMS, "13900000001"),
        ({"phone": "13900000001", "email": "a@example.com"}, MessageChannel.SMS, "13900000001"),
        ({"phone": "13900000001", "email": "a@example.com", "channel": "EMAIL"}, MessageChannel.EMAIL, "a@example.com"),
        ({"phone": "13900000001", "channel": "EMAIL"}, MessageChannel.SMS, "13900000001"),
        ({"phone": "13900000001", "channel": "WECHAT"}, MessageChannel.WECHAT, "13900000001"),
        ({"phone": "", "email": "a@example.com", "channel": "SMS"}, MessageChannel.EMAIL, "a@example.com"),
    ],
)
def test_a_message_goes_the_way_the_customer_prefers(store: Store, values, channel, recipient) -> None:
    message = write_to(make_customer(language="en", **values), store)
    assert (message.channel, message.recipient, message.language) == (channel, recipient, "en")


@pytest.mark.django_db
def test_half_or_impossible_quiet_hours_are_refused_and_change_nothing(refused) -> None:
    customer = make_customer()
    for hours, code in (
        ({"quiet_from": "12:30"}, "customer.quiet_hours"),
        ({"quiet_to": "12:30"}, "customer.quiet_hours"),
        ({"quiet_from": "12:30", "quiet_to": "12:30"}, "customer.quiet_hours"),
        ({"quiet_from": "25:00", "quiet_to": "12:30"}, "customer.hour"),
        ({"quiet_from": "noon", "quiet_to": "12:30"}, "customer.hour"),
    ):
        with rule(code):
            correct_customer(uid=customer.uid, by=BY, **hours)
        with rule(code):
            register_customer(name="张试驾", phone="13900000009", by=BY, **hours)
    for columns in ("quiet_from = '12:30'", "quiet_from = '24:00', quiet_to = '08:00'", "quiet_from = quiet_to || 'x'"):
        with refused("customer_quiet_hours") as sql:
            sql(f"UPDATE reception_customer SET {columns} WHERE id = %s", [customer.pk])
    customer.refresh_from_db()
    assert (customer.quiet_from, customer.quiet_to) == ("", "")


@pytest.mark.django_db
def test_quiet_hours_move_whole_with_a_merge_and_back(store: Store) -> None:
    kept, other = make_customer(), make_customer(quiet_from="12:30", quiet_to="14:00")
    manager = make_actor("manager", store=store)
    merge = merge_customers(kept_uid=kept.uid, merged_uid=other.uid, take=["quiet_from"], by=manager)
    kept.refresh_from_db()
    assert (kept.quiet_from, kept.quiet_to) == ("12:30", "14:00")
    undo_merge(uid=merge.uid, by=manager)
    kept.refresh_from_db()
    assert (kept.quiet_from, kept.quiet_to) == ("", "")


@pytest.mark.django_db
def test_the_pages_show_and_take_the_wishes(client: Client, store: Store) -> None:
    client.force_login(make_user("manager", store=store))
    customer = make_customer()
    form = {
        "name": customer.name, "phone": customer.phone, "kind": "PERSON", "language": "zh-hans", "channel": "SMS",
        "no_calls": "on", "quiet_from": "12:30", "quiet_to": "14:00",
    }  # fmt: skip
    assert client.post(reverse("customer-edit", args=[customer.uid]), form).status_code == 302
    shown = client.get(reverse("customer-detail", args=[customer.uid])).content.decode()
    assert "12:30–14:00" in shown
    assert "不接电话" in shown
    answer = client.post(reverse("customer-edit", args=[customer.uid]), form | {"quiet_to": ""})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["quiet_to"])
    with clock.moved_to(at("13:00")):
        customer.refresh_from_db()
        message = write_to(customer, store)
    assert "客户的免打扰时段" in client.get(reverse("message", args=[message.uid])).content.decode()


# --- insurance and inspection ---


@pytest.mark.parametrize(
    ("today", "due", "looked_at"),
    [
        (date(2024, 5, 31), date(2026, 5, 31), False),
        (date(2026, 5, 31), date(2026, 5, 31), False),
        (date(2026, 6, 1), date(2028, 5, 31), False),
        (date(2028, 6, 1), date(2030, 5, 31), True),
        (date(2030, 6, 1), date(2032, 5, 31), False),
        (date(2032, 6, 1), date(2034, 5, 31), True),
        (date(2034, 6, 1), date(2035, 5, 31), True),
        (date(2041, 1, 1), date(2041, 5, 31), True),
    ],
)
def test_the_ladder_of_inspections(today: date, due: date, looked_at: bool) -> None:
    found = rules.inspection_after(date(2024, 5, 10), today, inspections=[6, 10], stickers=[2, 4, 8])
    assert found == (due, looked_at)


@pytest.mark.django_db
def test_insurance_and_inspection_of_a_car(store: Store) -> None:
    with clock.moved_to(at("10:00")):
        car = make_vehicle()
        assert (insurance_of(car), inspection_of(car)) == (None, None)
        car = make_vehicle(registered_on=date(2023, 1, 20), insured_until=date(2026, 11, 23))
        assert (insurance_of(car).late, insurance_of(car).near) == (True, False)
        follows = inspection_of(car)
        assert (follows.until, follows.known, follows.inspection, follows.near) == (
            date(2027, 1, 31),
            False,
            False,
            False,
        )
        car = make_vehicle(registered_on=date(2023, 1, 20), inspected_until=date(2026, 12, 31))
        told = inspection_of(car)
        assert (told.until, told.known, told.near, told.late) == (date(2026, 12, 31), True, True, False)
        set_setting(key="reception.sticker_years", value=[2, 5], starts_on=DAY + timedelta(days=7), by=BY)
        assert inspection_of(make_vehicle(registered_on=date(2023, 1, 20))).until == date(2027, 1, 31)
    with clock.moved_to(at("10:00", DAY + timedelta(days=7))):
        assert inspection_of(make_vehicle(registered_on=date(2023, 1, 20))).until == date(2028, 1, 31)


@pytest.mark.django_db
def test_days_that_cannot_be_are_refused(client: Client, store: Store) -> None:
    with clock.moved_to(at("10:00")):
        with rule("vehicle.end_day"):
            make_vehicle(insured_until=date(2089, 1, 1))
        with rule("vehicle.day"):
            make_vehicle(registered_on=DAY + timedelta(days=1))
        car = make_vehicle(insured_until=date(2026, 12, 1), registered_on=date(2021, 3, 2))
        client.force_login(make_user("manager", store=store))
        shown = client.get(reverse("vehicle-detail", args=[car.uid])).content.decode()
    assert "即将到期" in shown
    assert "按注册登记日期推算" in shown


# --- consents ---


@pytest.mark.django_db
def test_a_consent_is_to_a_text_that_is_kept_and_every_decision_is_shown(client: Client, store: Store) -> None:
    customer = make_customer()
    with rule("consent.text_version"):
        record_consent(customer_uid=customer.uid, purpose="MARKETING", given=True, text_version="1999-9", by=BY)
    assert not Consent.objects.exists()
    record_consent(customer_uid=customer.uid, purpose="MARKETING", given=True, channel="WRITTEN", by=BY)
    record_consent(customer_uid=customer.uid, purpose="MARKETING", given=False, channel="PHONE", by=BY)
    client.force_login(make_user("manager", store=store))
    page = client.get(reverse("customer-detail", args=[customer.uid]))
    marketing = next(row for row in page.context["consents"] if row["purpose"] == "MARKETING")
    assert [(row.given, row.channel) for row in marketing["rows"]] == [(False, "PHONE"), (True, "WRITTEN")]
    assert str(marketing["text"]) in page.content.decode()
