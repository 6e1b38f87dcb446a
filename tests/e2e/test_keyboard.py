"""2.1.2: the main jobs by keyboard and finger alone, each key counted; ``docs/usability.md`` says the same numbers.

Time is the keystroke-level model of Card, Moran and Newell (1980): K for a key of an average typist, M for thinking before
each field, P for pointing at something on a touch screen. What the machine takes isn't counted; nothing here measures time.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Page, expect
from pypinyin import lazy_pinyin

from dealership.catalogue.models import Resource
from dealership.kernel import clock
from dealership.kernel.models import User
from dealership.kernel.services import actor_of
from delivery.models import Payment
from delivery.services.settlements import issue_settlement, sign_settlement
from reception.models import Appointment, Visit
from reception.services import visits
from tests.factories.delivery import make_ready, make_team
from tests.factories.kernel import make_actor
from tests.factories.reception import make_vin
from tests.factories.workshop import Shop, add_operation, agree_all, make_order
from workshop.models import Clocking
from workshop.services import dispatch

pytestmark = pytest.mark.django_db(transaction=True)
K, M, P = 0.28, 1.35, 1.1
VIN = make_vin(123)
TABLE: Path = settings.BASE_DIR / "docs" / "usability.md"


class Hand:
    """A hand on the keyboard: whatever it does is counted. Chinese is typed in pinyin and chosen with one more key."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys, self.thoughts, self.taps = page, 0, 0, 0

    def write(self, words: str) -> None:
        self.thoughts += 1
        for part in re.findall(r"[\u3400-\u9fff]+|[^\u3400-\u9fff]+", words):
            if re.match(r"[\u3400-\u9fff]", part):
                self.keys += len("".join(lazy_pinyin(part))) + 1
                self.page.keyboard.insert_text(part)
            else:
                self.keys += len(part)
                self.page.keyboard.type(part)

    def press(self, key: str) -> None:
        self.keys += len(key.split("+"))
        self.page.keyboard.press(key)

    def go(self, key: str) -> None:
        """A key that leads to another page."""
        with self.page.expect_navigation():
            self.press(key)
        self.page.wait_for_load_state("load")

    def tab_to(self, target: Locator) -> None:
        """Tab until it has the cursor; every Tab counts."""
        for _step in range(40):
            self.press("Tab")
            if target.evaluate("field => field === document.activeElement"):
                return
        raise AssertionError("Tab doesn't lead there")

    def tap(self, target: Locator) -> None:
        self.thoughts += 1
        self.taps += 1
        with self.page.expect_navigation():
            target.tap()
        self.page.wait_for_load_state("load")

    @property
    def seconds(self) -> float:
        return round(self.keys * K + self.thoughts * M + self.taps * P, 1)


def as_documented(job: str, hand: Hand) -> None:
    """The committed table holds this job with exactly these counts."""
    rows = {
        cells[0]: cells[2:]
        for line in TABLE.read_text(encoding="utf-8").splitlines()
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 6
    }
    assert rows.get(job) == [str(hand.keys), str(hand.taps), str(hand.thoughts), f"{hand.seconds:.1f}"], job


def focused(page: Page, name: str) -> None:
    expect(page.locator(f'[name="{name}"]').first).to_be_focused()


def unknown_car(hand: Hand, plate: str = "京A12345") -> None:
    hand.write(plate)
    hand.press("Enter")
    focused(hand.page, "contact_name")
    hand.write("李试驾")
    hand.press("Enter")
    focused(hand.page, "contact_phone")
    hand.write("13800001111")
    hand.press("Enter")
    focused(hand.page, "model_text")
    hand.write("途远 2.0T")
    hand.press("Enter")
    focused(hand.page, "need")
    hand.write("五万公里保养")
    hand.go("Enter")


def test_an_unknown_car_is_registered_in_under_thirty_seconds(people):
    hand = Hand(people.receptionist.open("/visits/new/"))
    focused(hand.page, "plate")
    unknown_car(hand)
    visit = Visit.objects.select_related("vehicle").get()
    assert (visit.vehicle.plate, visit.contact_name, visit.contact_phone, visit.model_text, visit.need) == (
        "京A12345",
        "李试驾",
        "13800001111",
        "途远 2.0T",
        "五万公里保养",
    )
    assert hand.seconds < 30
    as_documented("walk-in, unknown car", hand)
    assert not people.troubles, people.troubles


def test_a_known_car_opens_complete_in_one_step(people, store):
    by = make_actor("receptionist", store=store)
    before = visits.register_arrival(
        plate="京A12345", contact_name="李试驾", contact_phone="13800001111", model_text="途远 2.0T", need="保养", by=by
    )
    visits.leave_unserved(uid=before.uid, reason="改天再来", by=by)
    hand = Hand(people.receptionist.open("/visits/new/"))
    focused(hand.page, "plate")
    hand.write("京A12345")
    hand.press("Enter")
    expect(hand.page.locator('[name="contact_phone"]')).to_have_value("13800001111")
    focused(hand.page, "need")
    hand.write("换轮胎")
    hand.go("Enter")
    visit = Visit.objects.latest("pk")
    assert (visit.vehicle, visit.contact_name, visit.need) == (before.vehicle, "李试驾", "换轮胎")
    as_documented("walk-in, known car", hand)


def test_enter_while_choosing_chinese_sends_nothing(people):
    page = people.receptionist.open("/visits/new/")
    page.locator('[name="contact_name"]').focus()
    page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    focused(page, "contact_name")


def test_a_car_is_found_and_opened_by_the_search_box(people, store):
    by = make_actor("receptionist", store=store)
    visit = visits.register_arrival(
        plate="京A12345", contact_name="李试驾", contact_phone="13800001111", model_text="途远 2.0T", need="保养", by=by
    )
    hand = Hand(people.receptionist.open("/today/"))
    hand.press("/")
    hand.write("12345")
    hand.go("Enter")
    assert people.receptionist.path in (f"/visits/{visit.uid}/", f"/vehicles/{visit.vehicle.uid}/")
    as_documented("search and open a car", hand)


def test_a_known_car_is_booked_by_telephone(people, store):
    by = make_actor("receptionist", store=store)
    before = visits.register_arrival(
        plate="京A12345", contact_name="李试驾", contact_phone="13800001111", model_text="途远 2.0T", need="保养", by=by
    )
    visits.leave_unserved(uid=before.uid, reason="改天再来", by=by)
    hand = Hand(people.receptionist.open("/appointments/new/"))
    expect(hand.page.locator("#id_q")).to_be_focused()
    hand.write("京A12345")
    hand.go("Enter")
    expect(hand.page.locator('[name="contact_phone"]')).to_have_value("13800001111")
    focused(hand.page, "concern")
    hand.write("换轮胎")
    hand.tab_to(hand.page.locator('[name="starts_at"]:not([disabled])').first)
    hand.thoughts += 1  # which of the free times
    with hand.page.expect_response("**/appointments/new/"):
        hand.press("Space")
    hand.go("Control+Enter")
    booking = Appointment.objects.get()
    assert (booking.vehicle, booking.contact_name, booking.concern) == (before.vehicle, "李试驾", "换轮胎")
    as_documented("booking by telephone, known car", hand)


def test_a_technician_clocks_on_with_one_tap(people, store):
    found = {name: User.objects.get(username=name) for name in ("advisor", "manager", "foreman", "technician")}
    by = {name: actor_of(user, store) for name, user in found.items()}
    shop = Shop(store, by["advisor"], by["manager"], found["advisor"].employee)
    order = make_order(shop, with_diagnosis=False)
    line = add_operation(shop, order, "BR-10", parts=[])
    agree_all(shop, order)
    dispatch.dispatch_line(
        line_uid=line.uid,
        technician_uid=found["technician"].employee.uid,
        bay_uid=Resource.objects.filter(store=store, name="2 号举升").get().uid,
        starts_at=clock.now() + timedelta(minutes=15),
        by=by["foreman"],
    )
    hand = Hand(people.technician.open("/my-jobs/"))
    hand.tap(hand.page.get_by_role("button", name="开工"))
    running = Clocking.objects.get()
    assert (running.line_id, running.employee, running.ended_at) == (line.pk, found["technician"].employee, None)
    as_documented("clock on", hand)


def test_a_payment_is_taken_without_the_mouse(people, store):
    """The customer pays the whole amount by code: it stands there already, the number of the transaction is scanned."""
    team = make_team(store)
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    hand = Hand(people.cashier.open(f"/settlements/{settlement.uid}/"))
    hand.tab_to(hand.page.locator('[name="reference"]'))
    hand.thoughts += 1  # is the amount right
    with hand.page.expect_navigation():
        hand.page.keyboard.type("4200001234")  # the scanner writes the number and sends it with its Enter
        hand.page.keyboard.press("Enter")
    hand.taps += 1  # pointing the scanner
    hand.page.wait_for_load_state("load")
    paid = Payment.objects.get()
    settlement.refresh_from_db()
    assert (paid.amount, paid.reference) == (settlement.total, "4200001234")
    as_documented("payment by code, whole amount", hand)


# --- the scanner ---


def scan(page: Page, code: str) -> None:
    """What a keyboard-wedge scanner sends: the signs one after the other, then Enter."""
    with page.expect_navigation():
        page.keyboard.type(code)
        page.keyboard.press("Enter")
    page.wait_for_load_state("load")


def test_what_is_scanned_anywhere_opens_what_it_names(people, store):
    by = make_actor("receptionist", store=store)
    given = {
        "contact_name": "李试驾",
        "contact_phone": "13800001111",
        "model_text": "途远 2.0T",
        "need": "保养",
        "by": by,
    }
    visit = visits.register_arrival(plate="京AD12345", vin=VIN, **given)
    visits.give_key(uid=visit.uid, key_tag="A12", by=by)
    desk = people.receptionist
    for code in (VIN, "AD12345"):
        page = desk.open("/keys/")
        page.locator("body").click(position={"x": 5, "y": 5})
        scan(page, code)
        assert desk.path in (f"/vehicles/{visit.vehicle.uid}/", f"/visits/{visit.uid}/"), code
    scan(desk.open("/today/"), "A12")
    assert desk.path == f"/visits/{visit.uid}/"


# --- the keypad ---


def test_a_new_energy_plate_is_tapped_on_the_keypad(people):
    desk = people.seat("receptionist", phone=True)
    people.desks["tapping"] = desk
    page = desk.open("/visits/new/")
    page.get_by_role("button", name="车牌键盘").tap()
    pad = page.get_by_role("group", name="车牌键盘")
    expect(pad).to_be_visible()
    for sign in "京AD12345":
        key = pad.get_by_role("button", name=sign, exact=True)
        box = key.bounding_box()
        assert box is not None
        assert (box["width"] >= 44, box["height"] >= 44) == (True, True), sign
        key.tap()
    expect(page.locator("#id_plate")).to_have_value("京AD12345")
    expect(pad.get_by_role("status")).to_contain_text("新能源")
    pad.get_by_role("button", name="退一位").tap()
    expect(page.locator("#id_plate")).to_have_value("京AD1234")
    pad.get_by_role("button", name="5", exact=True).tap()
    desk.look()
    pad.get_by_role("button", name="完成").tap()
    expect(pad).to_be_hidden()
    expect(page.locator("#known")).to_contain_text("尚无记录")
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations
