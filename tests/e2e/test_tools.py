"""3.4 at the crib: a technician scans a tool out and back on a phone; what is out of date says so and has a way out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from workshop.models import ToolAsset, ToolIssue

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_technician_scans_a_tool_out_and_brings_it_back_on_a_phone(people, store):
    tool = ToolAsset.objects.get(store=store, number="G-0003")
    desk = people.technician
    page = desk.open("/tools/scan/")
    page.locator('input[name="code"]').fill(f"{people.url}/tools/scan/?code={tool.number}")
    with page.expect_navigation():
        page.keyboard.press("Enter")  # as the scanner does
    desk.look()
    desk.press("我来借用")
    assert ToolIssue.objects.get(tool=tool).returned_at is None
    desk.sees("扭力扳手 100–500 N·m")
    with page.expect_navigation():
        page.locator("ul.rows a").first.click()
    desk.look()
    desk.press("归还，完好")
    assert ToolIssue.objects.get(tool=tool).condition_in == "GOOD"
    desk.open(f"/tools/scan/?code={ToolAsset.objects.get(store=store, number='G-0007').number}")
    expect(page.get_by_text("检定或检测已过期")).to_be_visible()
    assert page.locator("text=我来借用").count() == 0


def test_the_crib_at_the_desk(people, store):
    parts, director = people.parts, people.techdirector
    page = parts.open("/tools/")
    expect(page.locator(".strip a").first).to_contain_text("32")
    with page.expect_navigation():
        page.locator(".strip a", has_text="已过期").click()
    parts.look()
    expect(page.locator("table tbody tr")).to_have_count(1)
    broken = ToolAsset.objects.get(store=store, number="G-0029")
    director.open("/tools/due/")
    director.open(f"/tools/{broken.uid}/")
    director.press("登记检定")
    director.fill(body="维修商")
    director.press("登记检定")
    expect(director.page).to_have_url(re.compile(f"/tools/{broken.uid}/$"))
    broken.refresh_from_db()
    assert broken.state == "AVAILABLE"
    parts.open("/tools/labels/")
    parts.open("/tools/new/")


def test_the_crib_is_counted_and_a_second_person_closes(people, store):
    parts, director = people.parts, people.techdirector
    parts.open("/tools/counts/")
    parts.press("开始盘点")
    for number in ("G-0001", "g-0002"):
        parts.page.locator('input[name="number"]').fill(number)
        with parts.page.expect_navigation():
            parts.page.keyboard.press("Enter")
    parts.look()
    expect(parts.page.get_by_text("已盘 2 / 32")).to_be_visible()
    assert parts.page.get_by_text("确认结束").count() == 1  # the sentence that somebody else does it, no button
    director.open(parts.path)
    director.press("确认结束")
    director.fill(note="工具间和工位都找过")
    director.press("确认并结束盘点")
    expect(director.page.get_by_text("缺失").first).to_be_visible()
    assert ToolAsset.objects.filter(store=store, state="OUT_OF_ORDER").count() == 30
    parts.open("/tools/counts/")
