"""The booking page by the keyboard: Enter in the one box searches and carries the plate along."""

from __future__ import annotations

from playwright.sync_api import expect


def test_enter_after_an_unknown_plate_asks_for_the_rest_and_scolds_nobody(people):
    page = people.advisor.open("/appointments/new/")
    box = page.locator("#id_q")
    box.fill("沪A12345")
    box.press("Enter")
    expect(page.locator('[name="plate"]')).to_have_value("沪A12345")
    expect(page.locator(".is-invalid, .wrong li")).to_have_count(0)
