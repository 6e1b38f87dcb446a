"""3.1, 3.2: a reading is typed as people type it, impossible ones are refused, findings are offered at once, help is answered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from tests.factories.floor import actor, clock_at, make_agreed, make_floor
from tests.factories.sheets import answer, begun, item
from tests.workshop.test_floor_pages import client_of, english
from workshop import check_rules
from workshop.check_models import CheckAnswer
from workshop.selectors import jobs
from workshop.selectors.plan import forecast_end
from workshop.services import clocking, findings


@pytest.fixture
def work(db):
    with clock_at(9):
        floor = make_floor()
        person = floor.technician()
        order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
        yield floor, person, line, begun(order, actor(person), "FULL")


def test_a_comma_is_a_point_and_what_is_no_number_says_which_wheel(work):
    _floor, person, _line, sheet = work
    phone, address = client_of(person), f"/sheets/{sheet.uid}/"
    tread = {"item": item(sheet, "TYRE-TREAD")}
    wrong = phone.post(address, tread | {"v0": "5", "v1": "x", "v2": "5", "v3": "5"})
    page = wrong.content.decode()
    assert (wrong.status_code, CheckAnswer.objects.count()) == (422, 0)
    assert "Right front: A number, please" in page
    assert page.count("<li>Right front") == 1
    assert "<li>Left front" not in page
    queued = phone.post(address, tread | {"v0": "5", "v1": "x", "v2": "5", "v3": "5"}, headers={"X-Queued": "1"})
    assert list(queued.json()["wrong"]) == ["v1"]
    sent = phone.post(address, tread | {"v0": "5,5", "v1": "4，5", "v2": "5.0", "v3": "5"})
    assert sent.status_code == 302
    assert CheckAnswer.objects.get().readings == [Decimal("5.5"), Decimal("4.5"), Decimal(5), Decimal(5)]


def test_what_cannot_be_measured_is_refused_with_its_range(work):
    _floor, person, _line, sheet = work
    for value in ("150", "100.01", "-1"):
        with pytest.raises(RuleError) as refusal:
            answer(sheet, "BRAKE-FLUID", actor(person), value)
        assert (refusal.value.code, refusal.value.field) == ("sheet.impossible", "v0")
        assert "0–100 %" in str(refusal.value)
    assert CheckAnswer.objects.count() == 0
    answer(sheet, "BRAKE-FLUID", actor(person), "100")
    answer(sheet, "COOLANT-FREEZE", actor(person), "-24.9")  # degrees may lie below zero
    assert check_rules.is_possible(Decimal("-0.5"), "mm")
    assert not check_rules.is_possible(Decimal("-0.5"), "MΩ")
    for unit, kind, right, wrong in (
        ("V", "NUMBER", "12.6", "1200"), ("bar", "TYRE_MAP", "2.5", "240"), ("℃", "NUMBER", "-35", "-300"),
        ("mm", "TYRE_MAP", "1.6", "-1"), ("mm", "BRAKE_MAP", "12", "80"),
    ):  # fmt: skip
        assert check_rules.is_possible(Decimal(right), unit, kind)
        assert not check_rules.is_possible(Decimal(wrong), unit, kind)
    page = client_of(person).get(f"/sheets/{sheet.uid}/").content.decode()
    assert 'data-least="0" data-most="100" data-possible="0–100 %"' in page


def test_every_item_has_its_way_onto_the_order_at_hand(work):
    """The device shows the button with the verdict; it needn't wait until the page is read anew."""
    _floor, person, _line, sheet = work
    answer(sheet, "BRAKE-DISCS", actor(person), verdict="RED", note="沟槽")
    page = client_of(person).get(f"/sheets/{sheet.uid}/").content.decode()
    assert page.count("data-offered>") == 1
    items = page.count("data-offered hidden>")
    assert items == page.count('id="item-') - 1
    assert page.count(reverse("check-sheet-offer", args=[sheet.uid])) == items + 1


def test_help_is_answered_in_its_own_words(work):
    floor, person, line, _sheet = work
    foreman = client_of(floor.hire("foreman", name="孟工长"))
    call = findings.ask_for(line_uid=line.uid, need="HELP", note="拆变速箱", by=actor(person))
    plan = english(foreman, "/plan/?day=2026-11-24")
    assert "Nobody can come" in plan
    assert "Not available" not in plan
    foreman.post(reverse("call-answer", args=[call.uid]), {"answer": "NOT_AVAILABLE"})
    assert "answered by 孟工长 09:00 · Nobody can come" in english(client_of(person), "/my-jobs/")


def test_the_job_says_what_the_plan_counts_on(work):
    _floor, person, line, _sheet = work
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(9 + int(line.hours), int(line.hours % 1 * 60) - 1):
        job = jobs.my_jobs(actor(person)).current
        assert job is not None
        assert (job.left_minutes, job.rest) == (1, timedelta(minutes=15))
        assert forecast_end(job.dispatch) == clock.now() + job.rest
        page = english(client_of(person), "/my-jobs/")
        assert "15 min to go" in page
        assert "1 min left" not in page
    with clock_at(9, 10):
        job = jobs.my_jobs(actor(person)).current
        assert forecast_end(job.dispatch) == clock.now() + job.rest
