"""One car's visit in browsers, in Chinese: everybody at their own screen, the customer on a phone without log-in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from compliance.models import ArchiveRecord
from dealership.process.services.rollup import recompute_touched
from delivery.tasks import send_due_surveys
from quality.models import Complaint
from reception.models import Visit, VisitState
from workshop.models import LineState, OrderLine

from .conftest import Desk, People, drain

pytestmark = pytest.mark.django_db(transaction=True)
MONDAY = (2026, 11, 30)


def test_a_visit_from_the_gate_to_the_archive(people: People, set_clock: Callable[..., None]) -> None:
    visit = arrive(people)
    link = receive(people.advisor, visit)
    order = write_order(people.advisor, visit)
    decide(people.customer, link, yes=["前制动片更换"], no=["空调系统清洗"])
    work(people, order, link, set_clock)
    set_clock(14)
    settle(people, link)
    leave(people)
    drain()
    car = Visit.objects.get()
    assert (car.state, car.odometer_in_km, car.odometer_out_km) == (VisitState.DEPARTED, 48930, 48933)
    assert sorted(OrderLine.objects.values_list("state", flat=True)) == [LineState.DECLINED, *[LineState.INSPECTED] * 3]

    set_clock(10, day=MONDAY)
    people.care.open("/follow-ups/")
    people.care.sees("踩刹车时前面吱吱响")
    set_clock(14, 30, day=MONDAY)
    assert send_due_surveys() == 1
    drain()
    answer_badly(people.customer, link)
    drain()
    look_back(people)

    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations


def arrive(people: People) -> str:
    """2.1: the visit's address. What is typed while the plate is looked up must stay."""
    desk = people.receptionist
    desk.open("/visits/new/")
    desk.fill(
        plate="京A12345",
        vin="LDC613P23A1305189",
        model_text="途远 2.0T",
        contact_name="张试驾",
        contact_phone="13800001111",
    )
    desk.fill(need="踩刹车时前面吱吱响")
    desk.press("登记到店")
    return desk.path


def receive(advisor: Desk, visit: str) -> str:
    """2.1.2: greeting, walk-around with a drawn signature, key; the address of the customer's link."""
    advisor.open(visit)
    advisor.press("立即接待")
    advisor.open(visit + "walkaround/?step=look")
    advisor.fill(odometer_km=48930)
    advisor.choose("energy_eighths", "4")
    advisor.tick("no_valuables", "kit_fitted")
    expect(advisor.page.locator("#saved [data-state=saved]")).to_be_visible()
    advisor.button("用列表标记伤痕").click()
    advisor.look()
    dialog = advisor.page.locator("dialog[open]")
    dialog.locator("select[name=side]").select_option("LEFT")
    dialog.get_by_role("button", name="标记", exact=True).click()
    expect(advisor.page.locator("ul.marks")).to_contain_text("剐蹭")
    advisor.button("下一步").click()
    advisor.fill(own_words="慢慢踩刹车时前面吱吱响，声音越来越大")
    advisor.choose("old_parts", "TAKE")
    advisor.look()
    advisor.press("下一步")
    advisor.fill(signed_name="张试驾")
    advisor.draw()
    advisor.press("签字确认")
    advisor.open(visit + "key/")
    advisor.fill(key_tag="07", place="B3")
    advisor.press("保存")
    advisor.open(visit)
    address = advisor.page.locator("[data-copy]").first.get_attribute("data-copy")
    assert address
    return urlsplit(address).path


def write_order(advisor: Desk, visit: str) -> str:
    """3.1: the order with the diagnosis agreed to at the desk, two lines with parts, the estimate sent."""
    advisor.open(visit)
    advisor.press("开工单")
    advisor.fill(complaint="慢慢踩刹车时前面吱吱响", promised_at="2026-11-27T16:00", diagnosis_agreed_by="张试驾")
    advisor.draw()
    advisor.press("开单")
    order = advisor.path
    for code in ("BR-10", "AC-10"):
        advisor.open(f"{order}lines/new/?q={code}")
        advisor.page.locator("#found input[name=operation]").first.check()
        advisor.press("添加项目")
    advisor.press("发送报价")
    advisor.sees("待授权")
    return order


def decide(customer: Desk, link: str, *, yes: list[str], no: list[str]) -> None:
    """2.2: the customer chooses line by line on the phone and signs."""
    customer.open(link)
    for words, value in [*((word, "yes") for word in yes), *((word, "no") for word in no)]:
        asked = customer.page.locator("form[id^=decide] section.card", has_text=words)
        asked.locator(f"input[value={value}]").check(force=True)
    expect(customer.button("签名并确认")).to_contain_text(f"做 {len(yes)} 项")
    customer.draw()
    customer.press("签名并确认")
    customer.sees("您已决定的项目")


def plan(foreman: Desk, line: str, starts_at: str) -> None:
    address = f"/plan/lines/{OrderLine.objects.get(description__startswith=line).uid}/"
    foreman.open("/plan/")
    foreman.press_on(foreman.page.locator(f"a[href^='{address}']", has_text="派工").first)
    for name, words in (("technician", "高远"), ("bay", "2 号举升")):
        choice = foreman.page.locator(f"select[name={name}]")
        choice.select_option(value=choice.locator("option", has_text=words).first.get_attribute("value"))
    foreman.page.locator("input[type=datetime-local][name=starts_at]").fill(f"2026-11-27T{starts_at}")
    foreman.press("排上")


def finish(technician: Desk) -> None:
    technician.open("/my-jobs/")
    technician.press("完工")
    if technician.path.endswith("/finish/"):
        technician.fill(cause="前片磨到 2 mm", correction="检查并处理")
        technician.press_on(technician.page.locator("main .form-end button").first)


def start(technician: Desk, word: str = "开工") -> None:
    technician.open("/my-jobs/")
    technician.press(word)


def work(people: People, order: str, link: str, set_clock: Callable[..., None]) -> None:
    """2.4, 3.2: plan, parts, clocking with a pause, work found and agreed to, three inspections by three people."""
    technician = people.technician
    plan(people.foreman, "故障诊断", "09:05")
    plan(people.foreman, "前制动片更换", "10:00")
    people.parts.open("/parts/")
    people.parts.press("发料")
    start(technician)
    set_clock(9, 35)
    finish(technician)
    set_clock(10)
    start(technician)
    technician.press("增项")
    technician.fill(cause="制动液含水量高")
    technician.select("operation", "制动液更换")
    technician.press("上报")
    people.advisor.open(order)
    people.advisor.press("发送报价")
    set_clock(10, 20)
    technician.open("/my-jobs/")
    technician.press("停工")
    technician.choose("pause_cause", "BREAK")
    technician.press("停工")
    decide(people.customer, link, yes=["制动液更换"], no=[])
    set_clock(10, 30)
    start(technician, "继续")
    plan(people.foreman, "制动液更换", "11:00")
    people.parts.open("/parts/")
    people.parts.press("选择号码")
    people.parts.page.locator('input[name="lots"]').first.check(force=True)  # brake fluid is traced by its batch
    people.parts.press("发料")
    set_clock(10, 55)
    finish(technician)
    set_clock(11)
    start(technician)
    set_clock(11, 25)
    finish(technician)

    technician.press("自检")
    technician.press_on(technician.page.locator("button[value=PASSED]"))
    for inspector in (people.leader, people.inspector):
        inspector.open("/inspections/")
        inspector.press("检验")
        inspector.fill(road_test_km=3)
        inspector.press_on(inspector.page.locator("button[value=PASSED]"))


def settle(people: People, link: str) -> None:
    """4.1: the list, signed on the link, paid in two parts."""
    people.advisor.open("/delivery/")
    people.advisor.press("出结算清单")
    settlement = people.advisor.path
    people.customer.open(link)
    people.customer.press("查看并签字")
    people.customer.fill(signed_name="张试驾")
    people.customer.draw()
    people.customer.press("签字确认")
    cashier = people.cashier
    cashier.open(settlement)
    cashier.choose("method", "SCAN_CODE")
    cashier.fill(amount="500.00", reference="4200001234")
    cashier.press("收款")
    assert cashier.page.locator("[name=amount]").input_value() == "458.00"
    cashier.choose("method", "CASH")
    cashier.press("收款")
    cashier.sees("¥458.00")
    assert cashier.page.locator("[name=amount]").count() == 0


def leave(people: People, *, km: int = 48933, by: str = "张试驾") -> None:
    """4.1: checklist and signature at the car, the pass, the gate."""
    advisor = people.advisor
    advisor.open("/delivery/")
    advisor.press_on(advisor.page.locator("tbody .btn").first)
    for check in advisor.page.locator("input[type=radio][value=DONE]").all():
        check.check(force=True)
    advisor.fill(odometer_km=km, next_service_on="2027-05-27", next_service_km=km + 10000, received_by=by)
    advisor.draw()
    advisor.press("交车并开放行单")
    code = advisor.page.locator(".codes-one").first.inner_text().strip()
    gate = people.receptionist
    gate.open("/gate/")
    gate.fill(code=code)
    gate.press("放行")
    gate.sees("交车出厂")


def answer_badly(customer: Desk, link: str) -> None:
    """4.3: the survey on the link."""
    customer.open(link)
    customer.press("去回答")
    scores = {"RECEPTION": 5, "FACILITY": 4, "PROCESS": 2, "QUALITY": 1, "DELIVERY": 3, "recommend": 3}
    for name, value in scores.items():
        customer.choose(name, str(value))
    customer.fill(words="还有异响")
    customer.press("提交")


def look_back(people: People) -> None:
    """6.4, 7, 5: the complaint with its clock, the figures of the day, the file."""
    complaint = Complaint.objects.get()
    supervisor = people.supervisor
    supervisor.open("/complaints/")
    supervisor.sees(complaint.number)
    supervisor.open(f"/complaints/{complaint.uid}/")
    supervisor.sees("“还有异响”")
    supervisor.sees("答复时限")
    recompute_touched()
    manager = people.manager
    manager.open("/dashboard/")
    figures = manager.page.locator("main").inner_text()
    assert "958" in figures
    assert "准时交车率" in figures
    archive = ArchiveRecord.objects.get()
    manager.open("/archive/")
    manager.sees("已归档")
    manager.open(f"/archive/{archive.uid}/")
    manager.sees("自归档后未改动")
    for path in ("/today/", "/orders/", "/payments/", "/satisfaction/", "/staff/", "/roster/"):
        manager.open(path)
