"""What a tablet and a phone show of what is wider than they are: lanes, the words of the rail, the hour of now, the chosen tab."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from dealership.kernel.models import Store, User
from dealership.kernel.services import actor_of
from reception.services import visits

from .conftest import People

pytestmark = pytest.mark.django_db(transaction=True)


def inside(page: Page, what: Locator, box: str) -> bool:
    """Whether ``what`` lies within the visible part of its ``box``, from left to right and from top to bottom."""
    return bool(
        what.evaluate(
            "(element, box) => { const a = element.getBoundingClientRect(), b = element.closest(box).getBoundingClientRect();"
            " return a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1; }",
            box,
        )
    )


def test_a_tablet_shows_every_lane_of_the_board_and_a_word_for_each_entry_of_the_rail(
    people: People, store: Store
) -> None:
    visits.register_arrival(
        contact_name="卫示例",
        contact_phone="13900006601",
        model_text="途远",
        need="首次保养",
        plate="京A66016",
        by=actor_of(User.objects.get(username="receptionist"), store),
    )
    desk = people.advisor
    desk.page.set_viewport_size({"width": 1024, "height": 768})
    page = desk.open("/today/?view=board&who=all")
    lanes = page.locator(".lane")
    assert lanes.count() == 7
    assert all(inside(page, lane, "main") for lane in lanes.all())
    words = page.locator(".rail li .word").all()
    assert all(word.bounding_box()["width"] > 12 for word in words)  # type: ignore[index]


def test_what_scrolls_opens_where_it_matters(people: People, store: Store, set_clock: Callable[..., None]) -> None:
    set_clock(15)
    foreman, manager = people.foreman, people.manager
    foreman.page.set_viewport_size({"width": 390, "height": 844})
    plan = foreman.open("/plan/")
    assert inside(plan, plan.locator(".plan .now").first, ".tablewrap")
    manager.page.set_viewport_size({"width": 1440, "height": 480})
    page = manager.open("/imports/")
    current = page.locator(".rail [aria-current]")
    expect(current).to_have_count(1)
    assert inside(page, current, ".rail")
    manager.page.set_viewport_size({"width": 320, "height": 700})
    page = manager.open("/catalogue/bays/")
    assert inside(page, page.locator(".seg [aria-current]"), ".seg")
