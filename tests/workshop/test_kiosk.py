"""A shared tablet: a badge and a job clock on and off in two scans, as the badge's person (3.2)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.models import History
from dealership.kernel.saying import say_plate
from tests.factories.api import ApiCaller
from tests.factories.floor import Floor, actor, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.workshop.test_tools import Crib
from workshop.models import Clocking, OrderLine, WallScreen
from workshop.selectors.kiosk import employee_of_badge, job_code
from workshop.services import kiosk, screens
from workshop.views.kiosk import drawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    return make_floor()


class Tablet:
    """The scanner types and presses Enter; what stands in the page's form goes along."""

    def __init__(self, floor: Floor) -> None:
        self.screen = screens.add_screen(name="平板", kind="KIOSK", by=floor.foreman)
        self.client, self.address = Client(), reverse("kiosk", args=[self.screen.key])

    def scan(self, badge: str, code: str | None = None):
        first = self.client.post(self.address, {"scan": badge})
        if code is None:
            return first
        return self.client.post(self.address, {"scan": code, "who": first.context["who"]}, follow=True)


def given(floor: Floor, *codes: str, bay: str = "2"):
    person = floor.technician("高试工")
    order, lines = make_agreed(floor, *codes)
    for place, line in enumerate(lines):
        floor.give(line, person, bay, (9 + 2 * place, 0))
    return person, order, lines


def test_two_scans_clock_on_and_two_clock_off(floor: Floor) -> None:
    with clock_at(9):
        person, order, [line] = given(floor, "MT-10")
        tablet = Tablet(floor)
        shown = tablet.scan(person.number)
        assert "高试工" in shown.content.decode()
        assert order.visit.customer.name not in shown.content.decode()
        done = tablet.scan(person.number, job_code(line))
        assert "高试工 已开工" in done.content.decode()
        clocking = Clocking.objects.get()
        assert (clocking.employee, clocking.line, clocking.ended_at) == (person, line, None)
        entry = History.objects.get(code="workshop.line.started")
        assert (entry.actor_kind, entry.actor_id) == ("USER", str(person.user.uid))
        again = tablet.scan(person.number, job_code(line))
        assert again.status_code == 422  # a slip of the scanner is no pause
        assert "sessionid" not in tablet.client.cookies
    with clock_at(10):
        assert "已停工" in tablet.scan(person.number, job_code(line).lower()).content.decode()
    clocking.refresh_from_db()
    assert clocking.pause_cause == "BREAK"


def test_another_job_changes_cars_and_a_pause_has_its_cause(floor: Floor) -> None:
    with clock_at(9):
        person, _order, [line] = given(floor, "MT-10")
        other, [second] = make_agreed(floor, "EL-10")
        floor.give(second, person, "4", (13, 0))
        tablet = Tablet(floor)
        tablet.scan(person.number, job_code(line))
    with clock_at(10):
        changed = tablet.scan(person.number, other.number)  # the order's number: one job of it is the person's
        assert f"已停下：{say_plate(line.order.vehicle.plate)}，{line.said}" in changed.content.decode()
        assert [c.pause_cause for c in Clocking.objects.order_by("pk")] == ["OTHER_JOB", ""]
        tablet.scan(person.number, "PAUSE-PARTS")
    assert Clocking.objects.get(line=second).pause_cause == "PARTS"
    assert OrderLine.objects.get(pk=second.pk).holds.get().cause == "PARTS"


def test_what_isnt_known_is_said_and_changes_nothing(floor: Floor) -> None:
    with clock_at(9):
        person, order, lines = given(floor, "MT-10", "EL-10")
        tablet = Tablet(floor)
        stranger = make_floor().technician("外店")
        assert tablet.scan("NOBODY").status_code == 422
        assert tablet.scan(stranger.number).status_code == 422
        assert tablet.scan(person.number, "RO-NO-1").status_code == 422
        assert tablet.scan(person.number, order.number).status_code == 422  # two jobs of it
        mine = floor.technician("别人")
        assert tablet.scan(mine.number, job_code(lines[0])).status_code == 422  # not given to them
        forged = tablet.client.post(tablet.address, {"scan": job_code(lines[0]), "who": str(person.uid)})
        assert forged.status_code == 422
        assert not Clocking.objects.exists()


def test_a_badge_does_nothing_beyond_its_own_jobs(floor: Floor) -> None:
    with clock_at(9):
        _person, _order, [line] = given(floor, "MT-10")
        boss = floor.hire("foreman", name="班长")
        tablet = Tablet(floor)
        assert tablet.scan(boss.number, job_code(line)).status_code == 422  # the foreman's rights stay at the desk
        with rule("kiosk.badge"):
            kiosk.person_behind(_without_login(floor))
        assert not Clocking.objects.exists()


def _without_login(floor: Floor):
    person = floor.technician("停用")
    person.user.is_active = False
    person.user.save(update_fields=["is_active"])
    return person


def test_only_a_kiosks_address_opens_it_until_it_is_taken_back(floor: Floor, refused) -> None:
    tablet = Tablet(floor)
    wall = screens.add_screen(name="大厅", by=floor.foreman)
    assert Client().get(reverse("kiosk", args=[wall.key])).status_code == 404
    assert Client().get(reverse("wall", args=[tablet.screen.key])).status_code == 404
    assert tablet.client.get(tablet.address).status_code == 200
    with refused("wallscreen_fixed") as sql:
        sql("UPDATE workshop_wallscreen SET kind = 'KIOSK' WHERE id = %s", [wall.pk])
    screens.end_screen(uid=tablet.screen.uid, by=floor.foreman)
    gone = tablet.client.get(tablet.address)
    assert gone.status_code == 404
    assert "这块屏幕的地址已收回" in gone.content.decode()
    assert "搜索框" not in gone.content.decode(), "a tablet on the wall has none"
    assert tablet.client.post(tablet.address, {"scan": "x"}).status_code == 404


def test_codes_are_printed(floor: Floor) -> None:
    with clock_at(9):
        person, order, [line] = given(floor, "MT-10")
        desk = Client()
        desk.force_login(floor.foreman.user)
        assert job_code(line) in desk.get(reverse("order-codes", args=[order.uid])).content.decode()
        text = desk.get(reverse("badge-codes")).content.decode()
        assert person.number in text
        assert "PAUSE-BREAK" in text
        printed = {code: (name, qr) for name, code, qr in desk.get(reverse("badge-codes")).context["labels"]}
        assert printed["PAUSE-BREAK"][0].startswith(("停工 · ", "Pause · ")), "a card lying alone says what it is for"
        assert all(qr == drawn(code) for code, (_name, qr) in printed.items()), "what is read below is what is scanned"
        sent = desk.post(reverse("wall-screens"), {"name": "平板", "kind": "KIOSK"}, follow=True)
        assert "/kiosk/" in sent.content.decode()
        api = ApiCaller("workshop:write", store=floor.shop.store, acts_for=floor.foreman.user)
        assert api.post("wall-screens", {"name": "二号", "kind": "KIOSK"}).json()["kind"] == "KIOSK"
        assert WallScreen.objects.filter(kind="KIOSK").count() == 2
        assert actor(person).may("workshop.jobs.own")


def staff_client(floor: Floor, post: str) -> Client:
    client = Client()
    client.force_login(floor.hire(post).user)
    return client


def test_hr_gives_a_badge_and_the_kiosk_knows_it(floor: Floor, refused) -> None:
    with clock_at(9):
        person, _order, [_line] = given(floor, "MT-10")
        cashier = floor.hire("cashier", name="钱试收")
        hr = staff_client(floor, "hr")
        page = reverse("staff-person", args=[person.uid])
        badge = reverse("staff-badge", args=[person.uid])
        assert person.number in hr.get(page).content.decode()
        assert badge in hr.get(page).content.decode()
        assert (
            reverse("staff-badge", args=[cashier.uid])
            not in hr.get(reverse("staff-person", args=[cashier.uid])).content.decode()
        )  # only who works on cars
        for wrong in ("张三", "PAUSE-BREAK", "a b", cashier.number):
            assert hr.post(badge, {"badge": wrong, "form_token": uuid4()}).status_code == 422, wrong
        sent = hr.post(badge, {"badge": " k-4711 ", "form_token": uuid4()})
        assert sent.headers["Location"] == page
        person.refresh_from_db()
        assert person.badge == "K-4711"
        assert History.objects.get(code="staff.employee.badge_set").changed == {"own_code": [False, True]}
        screen = screens.add_screen(name="平板", kind="KIOSK", by=floor.foreman)
        assert employee_of_badge(screen, "K-4711") == person
        assert employee_of_badge(screen, person.number) is None
        one = hr.get(reverse("badge-codes"), {"person": str(person.uid)}).content.decode()
        assert "K-4711" in one
        assert "PAUSE-BREAK" not in one
        every = hr.get(reverse("badge-codes")).content.decode()
        assert "K-4711" in every
        assert cashier.number not in every
        with refused("employee_badge") as sql:
            sql("UPDATE staff_employee SET badge = 'K-4711' WHERE id = %s", [cashier.pk])


def test_the_kiosk_says_that_the_lift_is_not_checked() -> None:
    with clock_at(9):
        crib = Crib()
        crib.tool("LIFT", tested=30, name="2 号举升机", place="2 号举升")
        person, _order, [line] = given(crib.floor, "MT-10")
        tablet = Tablet(crib.floor)
        assert "2 号举升机今天未点检" in tablet.scan(person.number, job_code(line)).content.decode()
