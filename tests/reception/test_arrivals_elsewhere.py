"""2.1.2: cars that nobody brings in person: fetched, key dropped at night, towed in; the walk-around is seen elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.models import History, Message
from reception.models import Consultation, DamageMark, Vehicle, Visit, WalkAround
from reception.selectors.search import find
from reception.services import visits, walkarounds
from tests.factories.floor import actor, clock_at, make_floor
from tests.factories.reception import make_picture, make_received_visit, make_visit
from tests.factories.staff import actor_for, make_actor, make_employee, make_store
from tests.factories.workshop import add_operation, agree_all, link_actor, make_order
from workshop.models import Clocking
from workshop.services import clocking

NOW = datetime(2026, 11, 23, 0, 20, tzinfo=UTC)
NIGHT = {"arrival_kind": "KEY_DROP", "key_locker": "夜 07", "key_left_at": datetime(2026, 11, 22, 14, 30, tzinfo=UTC)}
TOWED = {"arrival_kind": "TOWED_IN", "tow_company": "示例拖车", "towed_from": "沪嘉高速 12 km"}
READ = {"odometer_km": 63208, "energy_eighths": 3}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def morning():
    with clock.moved_to(NOW):
        yield


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def advisor(store):
    return make_actor(store, "advisor")


def all_of():
    return (
        list(Visit.objects.order_by("pk").values()),
        list(WalkAround.objects.order_by("pk").values()),
        DamageMark.objects.count(),
        Vehicle.objects.count(),
        Message.objects.count(),
        Consultation.objects.count(),
        History.objects.count(),
    )


def refusal_of(command, **values):
    before = all_of()
    with pytest.raises(RuleError) as refusal:
        command(**values)
    assert all_of() == before
    return refusal.value.code, refusal.value.field


def left_at_night(advisor, **values):
    """A car whose key lay in the box, looked at by the advisor alone and put on the link."""
    visit = make_received_visit(advisor, **NIGHT, **values)
    walkarounds.save_walkaround(visit_uid=visit.uid, **READ, belongings=["DASHCAM"], by=advisor)
    walkarounds.add_damage(visit_uid=visit.uid, side="LEFT", kind="SCRATCH", size_mm=40, by=advisor)
    walkarounds.send_walkaround(visit_uid=visit.uid, by=advisor)
    return Visit.objects.get(pk=visit.pk)


def customer_of(visit):
    from dealership.kernel.actors import customer_link

    return customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id=str(visit.link.uid))


# --- how it came ---


def test_a_key_dropped_at_night_is_written_with_its_locker_and_hour(advisor):
    visit = make_visit(advisor, **NIGHT)
    assert (visit.arrival_kind, visit.key_locker, visit.key_left_at) == ("KEY_DROP", "夜 07", NIGHT["key_left_at"])
    assert visit.waiting_mode == "LEAVE"  # nobody waits here for it
    line = History.objects.get(code="reception.visit.arrived")
    assert line.facts == {"booked": False, "waiting_mode": "LEAVE", "came": "KEY_DROP"}


def test_a_car_towed_in_names_who_towed_it_and_from_where(advisor):
    visit = make_visit(advisor, **TOWED)
    assert (visit.arrival_kind, visit.tow_company, visit.towed_from) == ("TOWED_IN", "示例拖车", "沪嘉高速 12 km")
    assert make_visit(advisor, arrival_kind="PICKED_UP").waiting_mode == "PICK_UP"


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({**NIGHT, "key_locker": " "}, "visit.key_drop", "key_locker"),
        ({**NIGHT, "key_left_at": None}, "visit.key_drop", "key_left_at"),
        ({**NIGHT, "key_left_at": NOW + timedelta(minutes=1)}, "visit.key_drop", "key_left_at"),
        ({**TOWED, "tow_company": ""}, "visit.tow", "tow_company"),
        ({**TOWED, "towed_from": " "}, "visit.tow", "towed_from"),
        ({"arrival_kind": "FLOWN"}, "visit.arrival_kind", "arrival_kind"),
    ],
)
def test_what_is_missing_is_named(advisor, changed, code, field):
    assert refusal_of(make_visit, by=advisor, **changed) == (code, field)


# --- the walk-around is seen on the link ---


def test_it_is_put_on_the_link_and_the_customer_is_told(advisor):
    visit = left_at_night(advisor)
    walkaround = visit.walkaround
    assert (walkaround.state, visit.shown_at, visit.signed_at) == ("SENT", NOW, None)
    message = Message.objects.get(template="walkaround")
    assert f"/v/{visit.link.token}/walkaround/" in message.body
    line = History.objects.get(code="reception.walkaround.sent")
    assert line.changed == {"state": ["DRAFT", "SENT"]}
    assert (line.facts["marks"], line.facts["photos"]) == (1, 0)


def test_who_brought_the_car_signs_beside_it(advisor):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, **READ, by=advisor)
    assert refusal_of(walkarounds.send_walkaround, visit_uid=visit.uid, by=advisor)[0] == "walkaround.in_person"


def test_mileage_and_fuel_come_before_it_is_sent(advisor):
    visit = make_received_visit(advisor, **NIGHT)
    assert refusal_of(walkarounds.send_walkaround, visit_uid=visit.uid, by=advisor) == (
        "walkaround.incomplete",
        "odometer_km",
    )


def test_what_the_customer_reads_stays_until_it_is_taken_back(advisor):
    visit = left_at_night(advisor)
    save = {"visit_uid": visit.uid, "odometer_km": 63209, "by": advisor}
    assert refusal_of(walkarounds.save_walkaround, **save)[0] == "walkaround.sent"
    mark = {"visit_uid": visit.uid, "side": "REAR", "kind": "DENT", "by": advisor}
    assert refusal_of(walkarounds.add_damage, **mark)[0] == "walkaround.sent"
    walkarounds.take_back_walkaround(visit_uid=visit.uid, by=advisor)
    assert walkarounds.save_walkaround(**save).odometer_km == 63209
    assert History.objects.get(code="reception.walkaround.taken_back").changed == {"state": ["SENT", "DRAFT"]}
    assert refusal_of(walkarounds.take_back_walkaround, visit_uid=visit.uid, by=advisor)[0] == "walkaround.not_sent"


def test_the_customer_confirms_on_the_link(advisor):
    visit = left_at_night(advisor)
    answers = {"signed_name": "周试车", "old_parts": "TAKE", "no_valuables": True}
    assert refusal_of(walkarounds.confirm_walkaround, visit_uid=visit.uid, by=advisor, **answers)[0] == (
        "walkaround.by_customer"
    )
    missing = answers | {"no_valuables": False}
    assert refusal_of(walkarounds.confirm_walkaround, visit_uid=visit.uid, by=customer_of(visit), **missing) == (
        "walkaround.incomplete",
        "no_valuables",
    )
    signed = walkarounds.confirm_walkaround(visit_uid=visit.uid, by=customer_of(visit), **answers)
    visit.refresh_from_db()
    assert (signed.state, signed.signed_where, signed.signed_name, signed.old_parts) == (
        "SIGNED",
        "LINK",
        "周试车",
        "TAKE",
    )
    assert (visit.signed_at, visit.odometer_in_km, visit.vehicle.odometer_km) == (NOW, 63208, 63208)
    line = History.objects.get(code="reception.walkaround.signed")
    assert (line.changed, line.facts["where"]) == ({"state": ["SENT", "SIGNED"]}, "LINK")
    again = refusal_of(walkarounds.confirm_walkaround, visit_uid=visit.uid, by=customer_of(visit), **answers)
    assert again[0] == "walkaround.signed"


def test_a_dispute_opens_the_walkaround_and_a_question_for_the_advisor(advisor):
    visit = left_at_night(advisor)
    link = customer_of(visit)
    assert (
        refusal_of(walkarounds.dispute_walkaround, visit_uid=visit.uid, words=" ", by=link)[0] == "walkaround.dispute"
    )
    walkarounds.dispute_walkaround(visit_uid=visit.uid, words="左门的划痕不是我的", by=link)
    walkaround = WalkAround.objects.get(visit=visit)
    assert (walkaround.state, walkaround.dispute, walkaround.disputed_at) == ("DRAFT", "左门的划痕不是我的", NOW)
    question = Consultation.objects.get()
    assert (question.assignee, question.vehicle, question.state) == (visit.advisor, visit.vehicle, "IN_PROGRESS")
    assert question.messages.get().body == "左门的划痕不是我的"
    line = History.objects.get(code="reception.walkaround.disputed")
    assert line.changed == {"state": ["SENT", "DRAFT"]}
    assert "划痕" not in str(line.facts)
    walkarounds.send_walkaround(visit_uid=visit.uid, by=advisor)
    assert Message.objects.filter(template="walkaround").count() == 2


def test_who_comes_by_after_all_signs_in_the_shop_and_a_fetched_car_at_the_door(advisor):
    visit = left_at_night(advisor)
    assert refusal_of(walkarounds.sign_walkaround, visit_uid=visit.uid, signed_name="周试车", by=advisor) == (
        "walkaround.incomplete",
        "no_valuables",
    )
    fetched = make_received_visit(advisor, arrival_kind="PICKED_UP")
    walkarounds.save_walkaround(visit_uid=fetched.uid, **READ, no_valuables=True, old_parts="LEAVE", by=advisor)
    signed = walkarounds.sign_walkaround(visit_uid=fetched.uid, signed_name="周试车", by=advisor)
    assert (signed.state, signed.signed_where) == ("SIGNED", "DOOR")


def test_only_a_towed_car_may_have_a_mileage_that_nobody_can_read(advisor):
    plain = make_received_visit(advisor)
    unread = {"odometer_unread": "仪表无电", "by": advisor}
    assert refusal_of(walkarounds.save_walkaround, visit_uid=plain.uid, **unread) == (
        "walkaround.unread",
        "odometer_unread",
    )
    towed = make_received_visit(advisor, **TOWED)
    walkarounds.save_walkaround(visit_uid=towed.uid, **unread)
    walkarounds.send_walkaround(visit_uid=towed.uid, by=advisor)
    answers = {"signed_name": "周试车", "old_parts": "LEAVE", "no_valuables": True}
    walkarounds.confirm_walkaround(visit_uid=towed.uid, by=customer_of(towed), **answers)
    towed.refresh_from_db()
    assert (towed.signed_at, towed.odometer_in_km) == (NOW, None)


# --- work waits for it ---


def test_the_order_is_written_at_once_and_work_waits_for_the_confirmation(refused):
    with clock_at(9):
        floor = make_floor()
        person = floor.technician()
        shop = floor.shop
        visit = left_at_night(shop.advisor)
        order = make_order(shop, visit=visit)
        line = add_operation(shop, order, "BR-10")
        agree_all(shop, order)
        floor.give(line, person)
        with pytest.raises(RuleError) as refusal:
            clocking.clock_on(line_uid=line.uid, by=actor(person))
        assert refusal.value.code == "clocking.walkaround"
        assert Clocking.objects.count() == 0
        with refused("clocking_walkaround_seen") as sql:
            sql(
                "INSERT INTO workshop_clocking (uid, version, created_at, updated_at, store_id, employee_id, line_id,"
                " started_at, pause_cause, corrected_reason) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s,"
                " now(), '', '')",
                [shop.store.pk, person.pk, line.pk],
            )
        answers = {"signed_name": "周试车", "old_parts": "TAKE", "no_valuables": True}
        walkarounds.confirm_walkaround(visit_uid=visit.uid, by=link_actor(order), **answers)
        assert clocking.clock_on(line_uid=line.uid, by=actor(person)).line == line


# --- the database ---


@pytest.mark.parametrize(
    ("rule", "table", "change"),
    [
        ("visit_arrival_kind_fixed", "reception_visit", "arrival_kind = 'IN_PERSON'"),
        ("visit_key_drop_written", "reception_visit", "key_locker = ''"),
        ("visit_key_drop_written", "reception_visit", "key_left_at = arrived_at + interval '1 minute'"),
        ("walkaround_sent_stays", "reception_walkaround", "odometer_km = 1"),
        ("walkaround_sent_stays", "reception_walkaround", "state = 'DRAFT', belongings = '{}'"),
        ("damagemark_walkaround_sent", "reception_damagemark", "size_mm = 4"),
    ],
)
def test_the_database_holds_it(refused, advisor, rule, table, change):
    left_at_night(advisor)
    before = all_of()
    with refused(rule) as sql:
        sql(f"UPDATE {table} SET {change}")
    assert all_of() == before


def test_the_database_lets_no_walkaround_be_sent_that_is_signed_beside_the_car(refused, advisor):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, **READ, by=advisor)
    with refused("walkaround_sent_elsewhere") as sql:
        sql("UPDATE reception_walkaround SET state = 'SENT'")
    with refused("walkaround_unread_towed") as sql:
        sql("UPDATE reception_walkaround SET odometer_unread = 'x'")
    with refused("visit_signed_before_shop") as sql:
        sql("UPDATE reception_visit SET shown_at = now(), state = 'IN_SHOP'")


def test_the_database_demands_mileage_before_it_is_sent_and_who_towed(refused, advisor):
    visit = make_received_visit(advisor, **TOWED)
    walkarounds.save_walkaround(visit_uid=visit.uid, kit_fitted=True, by=advisor)
    with refused("walkaround_complete_when_sent") as sql:
        sql("UPDATE reception_walkaround SET state = 'SENT'")
    with refused("visit_tow_written") as sql:
        sql("UPDATE reception_visit SET tow_company = ''")


# --- the pages ---


def signed_in(store):
    employee = make_employee(store, "advisor", name="林晓")
    client = Client()
    client.force_login(employee.user)
    return client, actor_for(employee)


def test_an_arrival_at_night_is_written_down_on_the_page(store):
    client, _by = signed_in(store)
    sent = {
        "plate": "沪A12345", "plate_kind": "NORMAL", "contact_name": "周试车", "contact_phone": "13800138000",
        "model_text": "途远 2.0T", "need": "保养", "waiting_mode": "WAIT_AT_DEALER", "arrival_kind": "KEY_DROP",
        "key_locker": "",
    }  # fmt: skip
    refused_page = client.post("/visits/new/", sent)
    assert refused_page.status_code == 422
    assert '<details class="came" open>' in refused_page.content.decode()
    assert Visit.objects.count() == 0
    answer = client.post("/visits/new/", sent | {"key_locker": "7", "key_left_at": "2026-11-22T22:30"})
    visit = Visit.objects.get()
    assert answer.status_code == 302
    assert (visit.arrival_kind, visit.key_left_at) == ("KEY_DROP", NIGHT["key_left_at"])
    assert "夜间投钥匙" in client.get(f"/visits/{visit.uid}/").content.decode()
    assert "夜间投钥匙" in client.get("/today/").content.decode()


def test_the_walkaround_is_sent_taken_back_and_answered_on_the_pages(store):
    client, by = signed_in(store)
    visit = make_received_visit(by, **NIGHT)
    walkarounds.save_walkaround(visit_uid=visit.uid, **READ, by=by)
    visits.add_photo(visit_uid=visit.uid, content=make_picture(), name="a.jpg", place="左前", by=by)
    page = f"/visits/{visit.uid}/walkaround/"
    assert f"{page}send/" in client.get(f"{page}?step=sign").content.decode()
    assert client.post(f"{page}send/").status_code == 302
    assert f"{page}take-back/" in client.get(page).content.decode()
    link = Client()
    seen = reverse("visit-link-walkaround", args=[visit.link.token])
    assert seen in link.get(reverse("visit-link", args=[visit.link.token])).content.decode()
    shown = link.get(seen).content.decode()
    assert "63,208" in shown
    assert f"/v/{visit.link.token}/photos/" in shown
    half = link.post(seen, {"signed_name": "周试车", "old_parts": "TAKE"})
    assert half.status_code == 422
    assert 'value="周试车"' in half.content.decode()
    disputed = link.post(reverse("visit-link-dispute", args=[visit.link.token]), {"words": "左门没有划痕"})
    assert disputed.status_code == 302
    assert link.get(seen).status_code == 302  # nothing to confirm while the shop looks again
    assert "左门没有划痕" in client.get(page).content.decode()
    assert client.post(f"{page}send/").status_code == 302
    done = link.post(seen, {"signed_name": "周试车", "old_parts": "TAKE", "no_valuables": "on"})
    assert done.status_code == 302
    assert WalkAround.objects.get().state == "SIGNED"
    assert "周试车" in link.get(seen).content.decode()


def test_a_dead_instrument_is_asked_of_towed_cars_only(store):
    client, by = signed_in(store)
    brought, towed = make_received_visit(by), make_received_visit(by, **TOWED)
    pages = [client.get(f"/visits/{visit.uid}/walkaround/").content.decode() for visit in (brought, towed)]
    assert ["odometer_unread" in page for page in pages] == [False, True]


def test_the_desk_says_at_once_where_the_customer_is_led_and_who_takes_over(store):
    client, _by = signed_in(store)
    taker = make_employee(store, "technician", name="高试工")
    sent = {
        "plate": "沪A12345", "plate_kind": "NORMAL", "contact_name": "周试车", "contact_phone": "13800138000",
        "model_text": "途远 2.0T", "need": "保养", "waiting_mode": "WAIT_AT_DEALER", "taken_over_by": str(taker.uid),
    }  # fmt: skip
    assert client.post("/visits/new/", sent).status_code == 422  # taken over, but where?
    assert Visit.objects.count() == 0
    assert client.post("/visits/new/", sent | {"area": "WORKSHOP"}).status_code == 302
    assert Visit.objects.get().area == "WORKSHOP"
    assert History.objects.get(code="reception.visit.led").facts == {"taken_over_by": str(taker.uid)}


def test_a_key_tag_finds_the_car_whose_key_hangs_there(store, advisor):
    visit = make_visit(advisor, vin="")
    visits.give_key(uid=visit.uid, key_tag="B07", by=advisor)
    assert [hit.url for hit in find(text="b07", by=advisor)] == [f"/visits/{visit.uid}/"]
    visits.leave_unserved(uid=visit.uid, reason="改天再来", by=advisor)
    assert find(text="B07", by=advisor) == []
    elsewhere = make_actor(make_store("BJ02"), "advisor")
    visits.give_key(uid=make_visit(advisor).uid, key_tag="B07", by=advisor)
    assert find(text="B07", by=elsewhere) == []


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("TOWED_IN", ["tow_company", "towed_from"]), ("KEY_DROP", ["key_locker", "key_left_at"]), ("PICKED_UP", [])],
)
def test_all_that_is_wrong_is_marked_at_once_and_the_cursor_stands_in_the_first(store, kind, missing):
    client, _by = signed_in(store)
    sent = {
        "plate": "京A1234", "plate_kind": "NORMAL", "vin": "ABC123", "contact_name": "周试车", "contact_phone": "123",
        "model_text": "途远 2.0T", "need": "保养", "waiting_mode": "LEAVE", "arrival_kind": kind,
    }  # fmt: skip
    refused = client.post("/visits/new/", sent)
    assert refused.status_code == 422
    assert sorted(refused.context["form"].errors) == sorted(["plate", "vin", "contact_phone", *missing])
    assert "请选择车牌类型" in str(refused.context["form"].errors["plate"])
    html = refused.content.decode()
    assert re.findall(r'<[^>]*name="(\w+)"[^>]*autofocus', html) == ["plate"]
    right = {"plate": "沪A12345", "vin": "", "contact_phone": "13800138000"}
    again = client.post("/visits/new/", sent | right)
    assert again.status_code == (422 if missing else 302)
    if missing:
        html = again.content.decode()
        assert re.findall(r'<[^>]*name="(\w+)"[^>]*autofocus', html) == missing[:1]
        for name in missing:
            assert re.search(rf'<[^>]*name="{name}"[^>]*aria-required="true"', html)
    assert Visit.objects.count() == (0 if missing else 1)


def test_who_takes_over_is_offered_with_the_post_the_desk_first(store):
    client, _by = signed_in(store)
    make_employee(store, "technician", name="阿试工")
    make_employee(store, "receptionist", name="周试台")
    _none, (desk, first), (rest, then) = client.get("/visits/new/").context["form"].fields["taken_over_by"].choices
    assert (str(desk), str(rest)) == ("前台与顾问", "店内其他人员")
    assert "周试台 · 前台接待" in [label for _value, label in first]
    assert "阿试工 · 技师" in [label for _value, label in then]
