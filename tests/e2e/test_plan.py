"""2.4: two planners at the plan: work is dragged onto a row and a bar elsewhere, and the other one sees it within seconds."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from dealership.catalogue.models import Resource
from dealership.kernel.models import Store, User
from dealership.kernel.services import actor_of
from tests.factories.workshop import Shop, add_operation, agree_all, make_order
from workshop.models import Dispatch, OrderLine
from workshop.services import dispatch

from .conftest import People

pytestmark = pytest.mark.django_db(transaction=True)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def line(store: Store) -> OrderLine:
    """A car with one agreed line that nobody has been given."""
    found = {name: User.objects.get(username=name) for name in ("advisor", "manager")}
    advisor, manager = (actor_of(found[name], store) for name in ("advisor", "manager"))
    shop = Shop(store, advisor, manager, found["advisor"].employee)
    order = make_order(shop, with_diagnosis=False)
    made = add_operation(shop, order, "BR-10", parts=[])
    agree_all(shop, order)
    return made


def drag(page: Page, what: Locator, row: str, share: float, *, grip: float = 0.5) -> None:
    """From the middle of ``what`` to a place in the row whose name begins so, ``share`` of its width from the left."""
    what.scroll_into_view_if_needed()
    start = what.bounding_box()
    to = page.locator(".plan .lab", has_text=row).locator("xpath=following-sibling::*[1]").bounding_box()
    assert start is not None
    assert to is not None
    page.mouse.move(start["x"] + start["width"] * grip, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(start["x"] + start["width"] * grip - 15, start["y"] + 20, steps=3)
    page.mouse.move(to["x"] + to["width"] * share, to["y"] + to["height"] / 2, steps=8)
    expect(page.locator(".job.ghost")).to_be_visible()
    if what.get_attribute("data-line"):
        expect(page.locator(".job.ghost")).to_have_attribute("data-who", re.compile("."))  # who would do it there
    page.mouse.up()


def only_live() -> Dispatch:
    return Dispatch.objects.select_related("bay", "technician").get(live=True)


def test_a_line_is_dragged_onto_the_plan_and_the_other_planner_sees_it_and_is_told(
    people: People, line: OrderLine
) -> None:
    foreman, manager = people.foreman, people.manager
    page, other = foreman.open("/plan/"), manager.open("/plan/")
    expect(page.locator("[data-line]")).to_have_count(1)
    drag(page, page.locator("[data-line]"), "2 号举升", 0.5)
    expect(page.locator("[data-line]")).to_have_count(0)
    made = only_live()
    start = made.starts_at.astimezone(SHANGHAI)
    assert (made.line_id, made.bay.name, start.minute % 15) == (line.pk, "2 号举升", 0)
    # Nobody reloads the other planner's page.
    bar = other.locator(f'.run [data-plan="{made.uid}"]')
    expect(bar).to_be_visible(timeout=15_000)

    # A bar goes elsewhere with its length; the ghost says the hour; Esc lets go without a trace.
    mine = page.locator(f'.run [data-plan="{made.uid}"]')
    box = mine.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 10, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 8, steps=4)
    expect(page.locator(".job.ghost")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".job.ghost")).to_have_count(0)
    page.mouse.up()
    assert only_live().pk == made.pk
    drag(page, mine, "3 号举升", 0.75, grip=0.1)
    expect(page.locator(f'.run [data-plan="{made.uid}"]')).to_have_count(0)
    moved = only_live()
    assert moved.bay.name == "3 号举升"
    assert moved.starts_at > made.starts_at

    # The other one still has the old form open and is told that it was moved meanwhile.
    stale = other.context.new_page()
    stale.goto(f"{people.url}/plan/{made.uid}/")
    stale.locator("form[method=post] button.btn-primary").first.click()
    expect(stale.locator(".wrong, [role=alert]").first).to_be_visible()
    assert only_live().pk == moved.pk
    assert people.troubles == []
    assert people.violations == {}


def test_a_refused_drop_says_why_and_changes_nothing(people: People, line: OrderLine) -> None:
    page = people.foreman.open("/plan/")
    drag(page, page.locator("[data-line]"), "7 号烤漆房", 0.6)
    expect(page.locator("#toasts .note").first).to_be_visible()
    expect(page.locator("[data-line]")).to_have_count(1)
    assert not Dispatch.objects.exists()


def test_a_finger_presses_a_moment_and_then_drags(people: People, line: OrderLine) -> None:
    foreman = actor_of(User.objects.get(username="foreman"), line.order.store)
    bay = Resource.objects.get(name="2 号举升")
    ten = datetime(2026, 11, 27, 10, tzinfo=SHANGHAI)
    made = dispatch.drop_line(line_uid=line.uid, resource_uid=bay.uid, starts_at=ten, by=foreman)
    desk = people.seat("foreman", phone=True)
    try:
        page = desk.open("/plan/")
        session = page.context.new_cdp_session(page)
        bar = page.locator(f'.run [data-plan="{made.uid}"]')
        bar.scroll_into_view_if_needed()
        start = bar.bounding_box()
        to = page.locator(".plan .lab", has_text="3 号举升").bounding_box()
        assert start is not None
        assert to is not None

        def touch(kind: str, x: float, y: float) -> None:
            points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        x, y = start["x"] + 8, start["y"] + 12
        touch("touchStart", x, y)
        touch("touchMove", x, y + 60)  # a finger that moves at once scrolls and drags nothing
        touch("touchEnd", x, y + 60)
        expect(page.locator(".taken")).to_have_count(0)
        assert only_live().pk == made.pk
        bar.scroll_into_view_if_needed()
        start = bar.bounding_box()
        to = page.locator(".plan .lab", has_text="3 号举升").bounding_box()
        assert start is not None
        assert to is not None
        x, y = start["x"] + 8, start["y"] + 12
        touch("touchStart", x, y)
        expect(page.locator(".taken")).to_have_count(1)  # the press has lasted long enough
        for step in range(1, 6):
            touch("touchMove", x, y + (to["y"] + 20 - y) * step / 5)
        expect(page.locator(".job.ghost")).to_be_visible()
        touch("touchEnd", x, to["y"] + 20)
        expect(bar).to_have_count(0)
        assert only_live().bay.name == "3 号举升"
        assert people.troubles == []
    finally:
        desk.page.context.close()
