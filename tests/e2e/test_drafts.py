"""What was typed and not sent comes back, is announced, and gives way to what the address names."""

from __future__ import annotations

from playwright.sync_api import expect


def test_a_draft_comes_back_announced_and_gives_way_to_the_address(people):
    desk = people.advisor
    page = desk.open("/visits/new/")
    with page.expect_response("**/known-car/**"):
        desk.fill(plate="沪A10001", contact_name="周试车")
    expect(page.locator('[name="plate"]')).to_have_value("沪A10001")
    desk.fill(contact_name="周试车")
    page.wait_for_function(
        "() => ['沪A10001', '周试车'].every((word) => (localStorage.getItem('draft:visit-new') ?? '').includes(word))"
    )

    desk.open("/visits/new/?plate=沪A20002")
    expect(page.locator('[name="plate"]')).to_have_value("沪A20002")
    expect(page.locator('[name="contact_name"]')).to_have_value("")
    expect(page.locator("[data-draft-says]")).to_be_hidden()

    desk.open("/visits/new/")
    expect(page.locator('[name="plate"]')).to_have_value("沪A10001")
    expect(page.locator("[data-draft-says]")).to_be_visible()
    page.locator("[data-draft-drop]").click()
    expect(page.locator('[name="plate"]')).to_have_value("")
    expect(page.locator("[data-draft-says]")).to_be_hidden()
    desk.open("/visits/new/")
    expect(page.locator('[name="contact_name"]')).to_have_value("")
