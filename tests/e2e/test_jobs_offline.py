"""A technician's shift on a phone whose network is gone for ten minutes: pausing, another car, its check sheet, more work
found with a picture, a call for parts and the finish wait on the device with their hours; nothing is lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.templatetags.static import static
from playwright.sync_api import expect

from dealership.catalogue.models import Operation, Resource
from dealership.kernel import clock
from dealership.kernel.models import History, Message
from staff.models import Employee
from tests.factories.reception import make_picture, make_signed_visit
from tests.factories.sheets import begun
from tests.factories.staff import actor_for
from tests.factories.workshop import PHONE, YES
from workshop.check_models import CheckAnswer
from workshop.models import Clocking, LinePhoto, OrderLine
from workshop.services import authorizations, dispatch, orders

from .conftest import People

pytestmark = pytest.mark.django_db(transaction=True)


def given_line(plate: str, code: str, *, bay: str, minutes: int) -> OrderLine:
    """An agreed line of a car that is here, given to the technician."""
    advisor = actor_for(Employee.objects.get(user__username="advisor"))
    foreman = actor_for(Employee.objects.get(user__username="foreman"))
    visit = make_signed_visit(advisor, plate=plate, odometer_km=30_000)
    order = orders.open_repair_order(visit_uid=visit.uid, complaint="按里程保养", with_diagnosis=False, by=advisor)
    work = Operation.objects.get(code=code)
    line = orders.add_line(order_uid=order.uid, operation_uid=work.uid, parts=[], by=advisor)
    orders.send_estimate(order_uid=order.uid, by=advisor)
    authorizations.decide_lines(
        order_uid=order.uid,
        decisions={line.uid: YES},
        method=PHONE,
        authorized_by="沈示例",
        note="电话同意",
        by=advisor,
    )
    dispatch.dispatch_line(
        line_uid=line.uid,
        technician_uid=Employee.objects.get(user__username="technician").uid,
        bay_uid=Resource.objects.get(store=visit.store, name=bay).uid,
        starts_at=clock.now() + timedelta(minutes=minutes),
        by=foreman,
    )
    return line


def test_ten_minutes_without_a_network(people: People, set_clock: Callable[..., None]) -> None:
    first = given_line("京P30X61", "MT-30", bay="2 号举升", minutes=0)
    second = given_line("京P30X62", "MT-30", bay="3 号举升", minutes=120)
    sheet = begun(second.order, actor_for(Employee.objects.get(user__username="advisor")))
    desk = people.technician
    page = desk.page
    page.context.clock.install()
    desk.open("/my-jobs/")
    desk.press("开工")
    needed = [
        "/my-jobs/",
        *(f"/my-jobs/?job={line.uid}" for line in (first, second)),
        f"/my-jobs/{first.uid}/pause/",
        f"/my-jobs/{second.uid}/more-work/",
        f"/sheets/{sheet.uid}/",
        static("js/sheet.js"),
    ]
    kept = (
        "async (needed) => !!navigator.serviceWorker.controller"
        " && (await Promise.all(needed.map((url) => caches.match(url)))).every(Boolean)"
    )
    for _tenth in range(200):
        if page.evaluate(kept, needed):
            break
        page.wait_for_timeout(100)

    def offline(word: str, url: str, *, when: str = "") -> None:
        """A button that the page shows once it has read what waits on the device."""
        place = page.locator(f".actionbar [data-when={when}]" if when else "form[data-act] .form-end")
        expect(place).to_be_visible()
        with page.expect_navigation(url=url):
            place.locator("button", has_text=word).click()

    page.context.set_offline(True)
    page.locator("a.btn:visible", has_text="停工").click()
    page.locator("[value=HELP]").check(force=True)
    offline("停工", f"**/my-jobs/?job={first.uid}")
    expect(page.locator("[data-jobs-wait]")).to_contain_text("停工")
    expect(page.locator("[data-when=idle]")).to_be_visible()
    desk.look()

    page.context.clock.fast_forward("02:00")
    set_clock(9, 2)
    page.locator(f"[data-job-row='{second.uid}'] a").click()
    offline("开工", f"**/my-jobs/?job={second.uid}", when="idle")
    expect(page.locator("a.btn:visible", has_text="停工")).to_be_visible()
    page.locator("a.btn", has_text=sheet.template.name).click()
    row = page.locator(".sheet-row", has_text="车轮螺栓")
    row.locator("[value=GREEN]").check(force=True)
    expect(page.locator("#saved > [data-state]:visible")).to_have_attribute("data-state", "offline")
    page.goto(f"{people.url}/my-jobs/?job={second.uid}")

    page.context.clock.fast_forward("03:00")
    set_clock(9, 5)
    page.locator("a.btn", has_text="增项").click()
    page.locator("[name=cause]").fill("防尘套开裂")
    page.locator("[name=description]").fill("更换防尘套")
    page.locator("[type=file]").set_input_files([{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": make_picture()}])
    expect(page.locator("figure[data-new]")).to_have_count(1)
    offline("上报", f"**/my-jobs/?job={second.uid}")
    page.context.clock.fast_forward("05:00")
    set_clock(9, 10)
    offline("完工", "**/my-jobs/**", when="running")
    expect(page.locator("[data-item]")).to_have_count(4)
    expect(page.locator("[data-kept-words=this]")).to_contain_text("09:0")
    page.goto(f"{people.url}/messages/")  # not kept: my jobs come instead and say why
    expect(page.locator("[data-kept-words=other]")).to_contain_text("没有保存在这部手机上")
    expect(page.locator("[data-item]")).to_have_count(4)
    desk.look()
    assert (Clocking.objects.count(), CheckAnswer.objects.count()) == (1, 0)

    with page.expect_navigation():  # what waited is sent, then the page is read anew
        page.context.set_offline(False)
        page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(page.locator("[data-item]")).to_have_count(0)
    told = list(Clocking.objects.order_by("started_at").values_list("line__uid", "pause_cause"))
    assert told == [(first.uid, "HELP"), (second.uid, "")]
    paused, worked = Clocking.objects.order_by("started_at")
    assert paused.ended_at is not None
    assert worked.ended_at is not None
    assert timedelta(minutes=1) < worked.started_at - paused.ended_at < timedelta(minutes=3)
    assert timedelta(minutes=7) < worked.ended_at - worked.started_at < timedelta(minutes=9)
    assert OrderLine.objects.get(pk=second.pk).state == "COMPLETED"
    added = OrderLine.objects.get(order=second.order, is_addition=True)
    assert (added.description, LinePhoto.objects.filter(line=added).count()) == ("更换防尘套", 1)
    assert CheckAnswer.objects.get().verdict == "GREEN"
    codes = list(History.objects.filter(code__startswith="workshop.").values_list("code", flat=True))
    assert codes.count("workshop.line.started") == 2
    assert Message.objects.filter(template="workshop.need").count() == 0
    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations
