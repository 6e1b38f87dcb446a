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


def test_an_unfinished_booking_is_offered_whole_and_not_filled_in(people):
    """A booking begun for one caller: the next caller's form is empty, and going on brings car, work, waiting mode and all."""
    desk = people.advisor
    page = desk.open("/appointments/new/")
    page.locator("main [name=q]").fill("沪A10001")
    page.locator("main [name=q]").press("Enter")
    desk.fill(model_text="星澜 2.0", contact_name="周试车", contact_phone="13800000001", concern="异响")
    work = page.locator("[name=add] option").nth(1).get_attribute("value")
    with page.expect_response("**/appointments/new/"):
        page.locator("[name=add]").select_option(work)
    expect(page.locator("[name=operations]")).to_have_count(1)
    with page.expect_response("**/appointments/new/"):
        page.locator("[name=waiting_mode]").select_option("WAIT_AT_DEALER")

    page = desk.open("/appointments/new/")
    expect(page.locator("main [name=q]")).to_have_value("")
    page.locator("main [name=q]").fill("沪A20002")
    page.get_by_role("button", name="继续填写").click()
    expect(page.locator("[name=plate]")).to_have_value("沪A10001")
    expect(page.locator("[name=contact_name]")).to_have_value("周试车")
    expect(page.locator("[name=operations]")).to_have_value(work)
    expect(page.locator("[name=waiting_mode]")).to_have_value("WAIT_AT_DEALER")
    expect(page.locator("[data-offer]")).to_contain_text("沪A20002")
    page.locator("[data-drop]").click()
    expect(page.locator("[data-draft-offers]")).to_be_hidden()

    page.locator("label.slot").first.click()
    with page.expect_navigation():
        page.get_by_role("button", name="确认预约").click()
    desk.open("/appointments/new/")
    expect(page.locator("[data-draft-offers]")).to_be_hidden()
    assert not people.troubles, people.troubles
