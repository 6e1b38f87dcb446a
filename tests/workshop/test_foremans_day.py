"""What foreman and technician read while a plan is made and a car waits: what is said is true, and stands where it belongs."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

import pytest

from dealership.kernel.saying import say_plate
from reception.models import Visit, WaitingMode
from staff.models import RosterDay
from tests.factories.floor import DAY, actor, at, clock_at, make_agreed, make_floor
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_tools import Crib
from workshop.models import Dispatch
from workshop.selectors import plan as reads
from workshop.selectors.orders import order_page
from workshop.selectors.replan import read_problem
from workshop.services import clocking, findings
from workshop.services.orders import cancel_line


@pytest.fixture
def nine():
    with clock_at(9):
        yield


@pytest.mark.django_db
def test_a_line_without_a_part_that_waits_for_one_does_not_say_that_the_parts_are_here(nine):
    floor = make_floor()
    order, [line] = make_agreed(floor, "BR-10")
    clocking.hold_line(line_uid=line.uid, cause="PARTS", note="厂家缺货", by=floor.foreman)
    assert order_page(order.uid, floor.shop.advisor).held[0].parts_are_here is False
    page = english(client_of(floor.hire("foreman", name="蒋试管")), f"/orders/{order.uid}/")
    assert "厂家缺货" in page
    assert "The parts are here" not in page


@pytest.mark.django_db
def test_the_planner_knows_who_waits_and_which_bays_are_made_for_more(nine):
    floor = make_floor()
    floor.technician()
    order, [quick] = make_agreed(floor, "MT-10")
    _order, [brakes] = make_agreed(floor, "BR-10")
    Visit.objects.filter(pk=order.visit_id).update(waiting_mode=WaitingMode.WAIT_AT_DEALER)
    jobs = {job.id: job for job in read_problem(floor.shop.store).jobs}
    lane, lift, electric = (str(floor.bays[code].uid) for code in ("1", "2", "4"))
    assert jobs[str(quick.uid)].waiting
    assert jobs[str(quick.uid)].dear == {lift, electric}
    assert lane not in jobs[str(brakes.uid)].bays
    assert jobs[str(brakes.uid)].dear == {electric}


@pytest.mark.django_db
def test_who_stands_by_is_named_moves_along_and_is_refused_at_its_own_field(nine):
    floor = make_floor()
    lead, second = floor.technician("高试工", hv=4), floor.technician("袁试工", hv=4)
    free = floor.technician("马试工", hv=4)
    _order, [line] = make_agreed(floor, "HV-10")
    floor.give(line, lead, "4", (10, 0), second_uid=second.uid)
    foreman = client_of(floor.hire("foreman", name="蒋试管"))
    assert "高试工、袁试工" in english(foreman, f"/plan/?day={DAY}"), "the bay's bar names both"
    mate = Dispatch.objects.get(technician=second)
    address = f"/plan/{mate.uid}/"
    page = english(foreman, address)
    assert "Their plans move together." in page
    assert f'<option value="{second.uid}" selected>' in page.partition('name="second"')[2].partition("</select>")[0]
    assert f'<option value="{lead.uid}" selected>' in page.partition('name="technician"')[2].partition("</select>")[0]

    RosterDay.objects.filter(employee=free).delete()
    given = {"technician": lead.uid, "bay": floor.bays["4"].uid, "starts_at": f"{DAY}T14:00", "replaces": mate.uid}
    refused = foreman.post(address, given | {"second": free.uid, "form_token": uuid4()})
    assert refused.status_code == 422
    fields = refused.context["form"].errors
    assert list(fields) == ["second"]
    assert "马试工" in fields["second"][0]
    assert Dispatch.objects.filter(live=True, starts_at=at(10)).count() == 2, "a refusal changes nothing"

    assert foreman.post(address, given | {"second": second.uid, "form_token": uuid4()}).status_code == 302
    live = Dispatch.objects.filter(live=True)
    assert {(row.technician_id, row.starts_at) for row in live} == {(lead.pk, at(14)), (second.pk, at(14))}


@pytest.mark.django_db
def test_the_number_in_the_menu_follows_at_once_what_one_has_just_done(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "BR-10")
    foreman = client_of(floor.hire("foreman", name="蒋试管"))

    def number() -> int | None:
        shell = foreman.get("/plan/").context["shell"]
        return next(entry.count for group in shell.groups for entry in group.entries if entry.code == "plan")

    assert number() == 1
    plan = {"technician": person.uid, "bay": floor.bays["2"].uid, "starts_at": f"{DAY}T10:00", "form_token": uuid4()}
    assert foreman.post(f"/plan/lines/{line.uid}/", plan).status_code == 302
    assert not number()


@pytest.mark.django_db
def test_a_car_whose_work_is_done_stays_among_my_jobs_until_the_customer_has_answered(nine):
    floor = make_floor()
    person = floor.technician()
    order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    me = actor(person)
    clocking.clock_on(line_uid=line.uid, by=me)
    found = findings.report_more_work(
        line_uid=line.uid, operation_uid=None, description="下摆臂胶套开裂", cause="老化", photos=[], by=me
    )
    phone = client_of(person)
    words = "Your work is done. 1 line found on this car waits for the answer; the self check comes after it."
    assert words not in english(phone, "/my-jobs/")
    clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", correction="换新片", by=me)
    page = english(phone, "/my-jobs/")
    assert words in page
    assert order.number in page
    assert words not in english(client_of(floor.technician("袁试工")), "/my-jobs/"), "somebody else's work"
    cancel_line(line_uid=found.uid, reason="客户不做", by=floor.shop.advisor)
    page = english(phone, "/my-jobs/")
    assert words not in page
    assert "Your self check is missing" in page


@pytest.mark.django_db
def test_a_round_that_begins_at_a_job_leads_back_to_it_and_its_words_are_needed_only_for_a_fault(nine):
    crib = Crib()
    lift = crib.tool("LIFT", tested=30)
    phone = client_of(crib.technician)
    job = f"/my-jobs/?job={uuid4()}"
    address = f"/tools/{lift.uid}/round/"
    page = english(phone, f"{address}?next={quote(job)}")
    assert "← My jobs" in page
    note = page.partition('for="id_note"')[2].partition("</textarea>")[0]
    assert "Needed where something is wrong." in page
    assert "aria-required" not in note
    assert phone.post(address, {"kind": "DAILY", "next": job, "form_token": uuid4()})["Location"] == job
    other = crib.tool("LIFT", tested=30)
    away = {"kind": "DAILY", "next": "https://example.org/my-jobs/", "form_token": uuid4()}
    assert phone.post(f"/tools/{other.uid}/round/", away)["Location"] == "/tools/lifts/"
    assert "← My jobs" in english(phone, "/tools/scan/")


@pytest.mark.django_db
def test_an_order_whose_work_is_given_out_says_so_and_stands_under_its_own_number(nine):
    floor = make_floor()
    person = floor.technician()
    order, [first, second] = make_agreed(floor, "BR-10", "BR-30")
    foreman = client_of(floor.hire("foreman", name="蒋试管"))

    def counts() -> dict[str, int]:
        return {item.code: item.count for item in foreman.get("/orders/").context["list"].filters}

    assert (counts()["dispatch"], counts()["given"]) == (1, 0)
    floor.give(first, person, "2", (9, 0))
    assert (counts()["dispatch"], counts()["given"]) == (1, 0), "one line is still loose"
    floor.give(second, person, "2", (13, 0))
    assert (counts()["dispatch"], counts()["given"]) == (0, 1)
    for path in ("/orders/?show=given", f"/orders/{order.uid}/"):
        page = english(foreman, path)
        assert "Given out, to begin" in page
        assert "Agreed, to be dispatched" not in page
    assert order.number not in english(foreman, "/orders/?show=dispatch")


@pytest.mark.django_db
def test_a_finished_line_offers_no_other_place_and_time(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "BR-10")
    made = floor.give(line, person)
    foreman = client_of(floor.hire("foreman", name="蒋试管"))
    assert "Earliest that fits" in english(foreman, f"/plan/{made.uid}/")
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", correction="换新片", by=actor(person))
    page = english(foreman, f"/plan/{made.uid}/")
    assert "Only agreed work that isn't done is given out or moved." in page
    for offered in ("Earliest that fits", "Take it back", 'name="starts_at"'):
        assert offered not in page


@pytest.mark.django_db
def test_outside_work_is_in_the_menu_of_who_looks_after_it(nine):
    floor = make_floor()
    foreman = client_of(floor.hire("foreman", name="蒋试管"))
    entries = [entry for group in foreman.get("/plan/").context["shell"].groups for entry in group.entries]
    assert "/sublets/" in [entry.url for entry in entries]
    assert "Outside work" in english(foreman, "/sublets/")


@pytest.mark.django_db
def test_a_forecast_names_what_really_clashes_the_person_or_the_car(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    order, [running, own] = make_agreed(floor, "BR-10", "BR-30")  # the first: 9:00–9:50
    _order, [elsewhere] = make_agreed(floor, "BR-10")
    floor.give(running, person, "2", (9, 0))
    floor.give(elsewhere, person, "4", (9, 50))
    clocking.clock_on(line_uid=running.uid, by=actor(person))
    with clock_at(9, 45):
        floor.give(own, other, "4", (10, 50))
    with clock_at(10, 40):  # used up: a quarter of an hour more is forecast, 10:55
        found = reads.board(floor.foreman, day=DAY).conflicts
        plate = say_plate(order.vehicle.plate)
        assert [(row.hit.line_id, row.bay) for row in found] == [(elsewhere.pk, "高试工"), (own.pk, plate)]
        page = english(client_of(floor.hire("foreman", name="蒋试管")), f"/plan/?day={DAY}")
        assert "Forecast: 高试工 will run 65 minutes into 09:50." in page
        assert f"Forecast: {plate} will run 5 minutes into 10:50." in page
