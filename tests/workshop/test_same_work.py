"""3.1, 3.2: what stands on the order already is shown and asked about before it is written twice, whoever found it first."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.errors import RuleError
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import actor, clock_at, make_agreed, make_floor
from tests.factories.sheets import answer, begun, item
from tests.factories.workshop import operation
from tests.workshop.test_floor_pages import client_of, english
from workshop.call_models import TechnicianCall
from workshop.models import OrderLine, RepairOrder
from workshop.services import findings, orders, sheets

SHOWN = re.compile(r"data-offered>.*On the order already:")


@pytest.fixture
def work(db):
    """A technician at work on brake pads, with a full check sheet whose discs and boots are bad."""
    with clock_at(9):
        floor = make_floor()
        person = floor.technician()
        order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
        sheet = begun(order, actor(person), "FULL")
        answer(sheet, "BRAKE-DISCS", actor(person), verdict="RED", note="沟槽")
        answer(sheet, "SHAFT-BOOTS", actor(person), verdict="RED", note="开裂")
        yield floor, person, order, line, sheet


def refusal_of(call, **facts):
    before = OrderLine.objects.count(), History.objects.count()
    with pytest.raises(RuleError) as refusal:
        call(**facts)
    assert (OrderLine.objects.count(), History.objects.count()) == before
    return refusal.value.code


def test_the_sheet_shows_what_more_work_wrote_and_doubles_it_only_when_asked(work):
    _floor, person, order, line, sheet = work
    findings.report_more_work(line_uid=line.uid, cause="沟槽", operation_uid=operation("BR-20").uid, by=actor(person))
    # in one's own words too: an item without an operation is known by its name
    findings.report_more_work(line_uid=line.uid, cause="开裂", description=" 半轴防尘套 ", by=actor(person))
    facts = {"sheet_uid": sheet.uid, "by": actor(person)}
    discs, boots = item(sheet, "BRAKE-DISCS"), item(sheet, "SHAFT-BOOTS")
    assert refusal_of(sheets.offer_finding, item_uid=discs, **facts) == "sheet.line_there"
    assert refusal_of(sheets.offer_finding, item_uid=boots, **facts) == "sheet.line_there"
    phone = client_of(person)
    page = english(phone, f"/sheets/{sheet.uid}/")
    assert len(SHOWN.findall(page)) == 2
    assert "Offer it once more" in page
    lines = order.lines.count()
    sent = {"item": discs, "although_there": "1"}
    assert phone.post(reverse("check-sheet-offer", args=[sheet.uid]), sent).status_code == 302
    assert order.lines.count() == lines + 1
    assert len(SHOWN.findall(english(phone, f"/sheets/{sheet.uid}/"))) == 1  # the discs' own line stands there now


def test_more_work_asks_about_what_the_sheet_wrote(work):
    floor, person, order, line, sheet = work
    offered = sheets.offer_finding(sheet_uid=sheet.uid, item_uid=item(sheet, "BRAKE-DISCS"), by=actor(person))
    phone, address = client_of(person), f"/my-jobs/{line.uid}/more-work/"
    found = {"cause": "沟槽", "operation": str(operation("BR-20").uid)}
    lines = order.lines.count()
    assert "although_there" not in english(phone, address)
    asked = phone.post(address, found)
    page = asked.content.decode()
    assert (asked.status_code, order.lines.count()) == (422, lines)
    assert 'name="although_there"' in page
    assert "沟槽" in page
    assert phone.post(address, found | {"although_there": "on"}).status_code == 302
    assert order.lines.count() == lines + 1
    # what was cancelled doesn't stand there any more
    for each in RepairOrder.objects.get(pk=order.pk).lines.filter(operation=offered.operation):
        orders.cancel_line(line_uid=each.uid, reason="误报", by=floor.shop.advisor)
    findings.report_more_work(line_uid=line.uid, cause="沟槽", operation_uid=operation("BR-20").uid, by=actor(person))


def test_a_part_or_a_tool_is_named_when_it_is_asked_for(work):
    floor, person, _order, line, _sheet = work
    floor.hire("parts")
    floor.hire("foreman")
    for need in ("PARTS", "TOOL"):
        assert refusal_of(findings.ask_for, line_uid=line.uid, need=need, note="  ", by=actor(person)) == "need.note"
    phone, address = client_of(person), f"/my-jobs/{line.uid}/ask/?need=PARTS"
    sent = phone.post(address, {"need": "PARTS", "note": ""})
    assert (sent.status_code, TechnicianCall.objects.count()) == (422, 0)
    assert sent.context["form"].errors["note"]
    assert phone.post(address, {"need": "PARTS", "note": "卡扣 2 个"}).status_code == 302
    assert phone.post(address, {"need": "HELP", "note": ""}).status_code == 302
    assert TechnicianCall.objects.count() == 2


def test_the_advisors_own_line_asks_too_and_keeps_what_was_typed(work):
    floor, person, order, line, _sheet = work
    findings.report_more_work(line_uid=line.uid, cause="沟槽", operation_uid=operation("BR-20").uid, by=actor(person))
    desk, address = Client(), reverse("line-new", args=[order.uid])
    desk.force_login(floor.shop.advisor.user)
    assert "although_there" not in desk.get(address).content.decode()
    sent = {"operation": str(operation("BR-20").uid), "pay_type": "CUSTOMER_PAY", "cause": "制动抖动"}
    lines = order.lines.count()
    asked = desk.post(address, sent)
    assert (asked.status_code, order.lines.count()) == (422, lines)
    assert list(asked.context["form"].errors) == ["although_there"]
    page = asked.content.decode()
    assert 'name="although_there"' in page
    assert "制动抖动" in page
    own = {"description": f" {operation('BR-20').name} ", "hours": "1", "pay_type": "CUSTOMER_PAY"}
    assert desk.post(address, own).status_code == 422  # in one's own words too
    assert desk.post(address, sent | {"although_there": "on"}).status_code == 302
    assert order.lines.count() == lines + 1


def test_another_system_is_asked_when_it_wants_to_be(work):
    floor, _person, order, _line, _sheet = work
    api = ApiCaller("workshop:write", store=floor.shop.store, acts_for=floor.shop.advisor.user)
    body = {"repair_order_uid": str(order.uid), "operation_uid": str(operation("BR-10").uid), "although_there": False}
    problem(api.post("labor-operations", body), 409, "line.there")
    assert api.post("labor-operations", body | {"although_there": True}).status_code == 201
