"""The walk-around on a tablet in a real browser: a tap marks a damage, a left field is saved, a finger signs."""

from __future__ import annotations

import pytest

from reception.models import WalkAround
from reception.services import visits
from tests.factories.reception import make_received_visit, make_signed_visit
from tests.factories.staff import actor_for, make_employee, make_store

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(page, live_server, employee):
    """Carries a session into the browser, as if the person had signed in."""
    from django.test import Client

    client = Client()
    client.force_login(employee.user)
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])


def test_tap_save_and_sign(page, live_server):
    employee = make_employee(make_store("BJ01"), "advisor", name="林晓")
    advisor = actor_for(employee)
    first = make_signed_visit(advisor, plate="京P30X61", odometer_km=58940)
    visits.end_consultation(uid=first.uid, outcome="CONSULTED", by=advisor)
    visit = make_received_visit(advisor, plate="京P30X61")
    page.set_viewport_size({"width": 1180, "height": 1000})
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    sign_in(page, live_server, employee)
    page.goto(f"{live_server.url}/visits/{visit.uid}/walkaround/?step=look")

    # A tap in the middle of the roof opens the form there.
    page.locator("rect[data-side=TOP]").click(position={"x": 40, "y": 60})
    dialog = page.locator("#mark-new")
    dialog.get_by_text("石击点").click()
    dialog.get_by_label("具体位置").fill("前风挡")
    dialog.get_by_role("button", name="标记").click()
    page.locator(".marks li", has_text="前风挡 石击点").wait_for()
    mark = WalkAround.objects.get(visit=visit).marks.get()
    assert (mark.side, mark.kind, mark.place) == ("TOP", "CHIP", "前风挡")
    assert 0 < mark.x < 1000
    assert 0 < mark.y < 1000
    assert (mark.x, mark.y) != (500, 500)

    # Leaving a field saves it; a lower mileage asks for its reason first.
    reason = page.get_by_label("为何低于上次")
    assert not reason.is_visible()
    mileage = page.get_by_label("里程（km）")
    mileage.fill("100")
    assert reason.is_visible()
    mileage.blur()
    page.locator("#saved", has_text="未保存").wait_for()
    mileage.fill("63208")
    mileage.blur()
    page.locator("#saved", has_text="已保存").wait_for()
    assert WalkAround.objects.get(visit=visit).odometer_km == 63208
    page.locator(".eighth-row label", has_text="5").click()
    page.get_by_text("客户确认：无贵重物品").click()
    page.get_by_role("button", name="下一步：需求").click()
    page.get_by_text("客户带走").click()
    page.get_by_role("button", name="下一步：签名").click()

    # A finger signs.
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 40 + step * 12, box["y"] + 40 + (step % 3) * 20)
    page.mouse.up()
    page.get_by_role("button", name="签名确认").click()
    page.wait_for_url(f"**/visits/{visit.uid}/")
    signed = WalkAround.objects.get(visit=visit)
    assert (signed.state, signed.energy_eighths, signed.old_parts, signed.no_valuables) == ("SIGNED", 5, "TAKE", True)
    assert signed.signature.media_type == "image/png"
    # The refused mileage is the one error the browser itself reports (an answer of 422); the policy blocked nothing.
    assert all("422" in text for text in said), said
