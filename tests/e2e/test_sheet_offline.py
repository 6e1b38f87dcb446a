"""A check sheet on a phone whose network drops: ten answers and a photo wait on the device, nothing is lost, nothing is
doubled; signed, its bad item becomes a line that the customer declines with a reason (3.1)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from dealership.kernel.models import History
from staff.models import Employee
from tests.factories.reception import make_picture, make_signed_visit
from tests.factories.sheets import begun
from tests.factories.staff import actor_for
from workshop.check_models import CheckAnswer, CheckPhoto, CheckSheet
from workshop.models import OrderLine
from workshop.services import orders

from .conftest import People

pytestmark = pytest.mark.django_db(transaction=True)


def says(page: Page, state: str) -> None:
    """Waits longer than the queue's own pause between two tries."""
    expect(page.locator("#saved > [data-state]:visible")).to_have_attribute("data-state", state, timeout=60_000)


def test_ten_answers_without_a_network(people: People, set_clock: Callable[..., None]) -> None:
    by = actor_for(Employee.objects.get(user__username="advisor"))
    visit = make_signed_visit(by, plate="京P30X61", odometer_km=49500)
    order = orders.open_repair_order(visit_uid=visit.uid, complaint="换轮胎", with_diagnosis=False, by=by)
    sheet = begun(order, by)
    page = people.technician.open(f"/sheets/{sheet.uid}/")

    def row(name: str):
        return page.locator(".sheet-row", has_text=name)

    expect(page.locator("form[data-sign]")).to_be_hidden()
    page.context.set_offline(True)
    for name, values in (("胎纹深度", ("1.5", "5", "5", "5")), ("胎压", ("2.4", "2.4", "2.4", "2.4"))):
        for place, value in enumerate(values):
            row(name).locator(f"[name=v{place}]").fill(value)
        row(name).locator("[name=v3]").blur()
    expect(row("胎纹深度").locator("[data-says]")).to_have_text("差")
    row("胎纹深度").locator("[name=note]").fill("内侧吃胎")
    row("胎纹深度").locator("[name=note]").blur()
    row("胎纹深度").locator("[type=file]").set_input_files(
        [{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": make_picture()}]
    )
    for name in ("胎侧", "车轮螺栓", "后部灯光"):
        row(name).locator("[value=GREEN]").check(force=True)
    page.get_by_role("button", name="其余良好").click()
    row("给客户的话").locator("[name=note]").fill("请尽快换胎")
    row("给客户的话").locator("[name=note]").blur()
    says(page, "offline")
    expect(page.locator("form[data-sign]")).to_be_visible()
    people.technician.look()
    assert CheckAnswer.objects.count() == 0

    page.context.set_offline(False)
    says(page, "saved")
    expect(row("胎纹深度").locator("figure:not([data-pending])")).to_have_count(1)
    kept = dict(CheckAnswer.objects.values_list("item__code", "verdict"))
    assert kept == {
        "TYRE-TREAD": "RED", "TYRE-PRESS": "GREEN", "TYRE-WALL": "GREEN", "WHEEL-BOLTS": "GREEN", "LAMPS-REAR": "GREEN",
        "WIPERS": "GREEN", "PAINT": "GREEN", "REMARK": "NOTED",
    }  # fmt: skip
    assert CheckPhoto.objects.count() == 1
    codes = list(History.objects.filter(root_uid=sheet.uid).values_list("code", flat=True))
    assert (codes.count("workshop.check_sheet.answered"), codes.count("workshop.check_sheet.rest_good")) == (6, 1)

    page.get_by_role("button", name="签署检查表").click()
    expect(page.get_by_text("已签署")).to_be_visible()
    assert CheckSheet.objects.get().state == "SIGNED"
    page.get_by_role("button", name="加项：轮胎更换").click()
    expect(page.get_by_text("已加到工单")).to_be_visible()
    assert OrderLine.objects.get(check_offer__sheet=sheet).photos.count() == 1
    orders.send_estimate(order_uid=order.uid, by=by)

    phone = people.customer
    phone.open(f"/v/{visit.link.token}/")
    phone.sees("请尽快换胎")
    asked = phone.page.locator("form[id^=decide] section.card", has_text="轮胎更换")
    waiting: list[Route] = []
    # The new sum is slow to come: whoever signs meanwhile is heard.
    phone.page.route(re.compile("/total/"), lambda route: waiting.append(route))
    asked.locator("input[value=no]").check(force=True)
    asked.locator("[name^=reason_]").fill("下次再换")
    phone.page.locator("[name=risk]").check(force=True)  # a bad tyre concerns safety
    phone.draw()
    phone.press("签名并确认")
    assert waiting, "the sum was asked for"
    line = OrderLine.objects.get(check_offer__sheet=sheet)
    assert (line.state, line.declined_reason) == ("DECLINED", "下次再换")
    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations
