"""The pages of the workshop floor: plan, my jobs, inspections, and the panels on the order."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from dealership.catalogue.models import Resource
from dealership.kernel import clock
from dealership.kernel.models import Message
from dealership.kernel.panels import render_panels
from dealership.kernel.saying import say_clock
from reception.selectors.today import placements
from staff.models import Employee
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor, work
from tests.factories.reception import make_picture
from tests.factories.workshop import operation
from workshop.models import Clocking, Dispatch, DispatchProposal, Inspection, OrderLine, RepairOrder
from workshop.selectors import plan as plan_reads
from workshop.services import clocking, dispatch, proposals


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def client_of(person: Employee) -> Client:
    client = Client()
    person.user.language = "en"
    person.user.save(update_fields=["language"])
    client.force_login(person.user)
    return client


@pytest.mark.django_db
def test_the_empty_pages_say_what_to_do(nine):
    floor = make_floor()
    person = floor.technician()
    assert "Nothing is given to you" in english(client_of(person), "/my-jobs/")
    foreman = floor.hire("foreman", "leader", name="蒋试管")
    assert "Everything is given out" in english(client_of(foreman), "/plan/?day=2026-11-24")
    assert "Nothing waits for an inspection" in english(client_of(foreman), "/inspections/")


def english(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.mark.django_db
def test_the_foreman_gives_out_moves_and_takes_back_by_form(nine):
    floor = make_floor()
    foreman = floor.hire("foreman", name="蒋试管")
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line] = make_agreed(floor, "BR-10")
    client = client_of(foreman)
    page = english(client, f"/plan/lines/{line.uid}/")
    assert "Earliest that fits" in page
    assert "袁试工" in page
    assert "later than the promise" not in page
    late, [hurried] = make_agreed(floor, "BR-10")
    RepairOrder.objects.filter(pk=late.pk).update(promised_at=at(9, 5))
    assert "later than the promise" in english(client, f"/plan/lines/{hurried.uid}/")
    form = {
        "technician": person.uid,
        "bay": floor.bays["2"].uid,
        "starts_at": "2026-11-24T09:30",
        "form_token": uuid4(),
    }
    refused = client.post(f"/plan/lines/{line.uid}/", form | {"starts_at": "2026-11-24T12:30"})
    assert (refused.status_code, Dispatch.objects.count()) == (422, 0)
    assert "has the lunch break then (until" in refused.content.decode()
    assert client.post(f"/plan/lines/{line.uid}/", form).status_code == 302
    made = Dispatch.objects.get()
    assert (made.starts_at, made.ends_at) == (at(9, 30), at(10, 20))
    board = english(client, "/plan/?day=2026-11-24")
    assert "at-18 for-10" in board
    assert "at-18 for-10" in english(client, "/plan/?day=2026-11-24&rows=people")
    moved = form | {"technician": other.uid, "replaces": made.uid, "form_token": uuid4()}
    assert client.post(f"/plan/{made.uid}/", moved).status_code == 302
    assert Dispatch.objects.get(live=True).technician_id == other.pk
    made = Dispatch.objects.get(live=True)
    assert any(
        way.starts_at == at(9)
        for way in client.get(f"/plan/{made.uid}/").context["proposals"]
        if way.technician == other
    )
    later = moved | {
        "replaces": made.uid,
        "starts_at": "2026-11-24T14:00",
        "ends_at": "2026-11-24T10:20",
        "form_token": uuid4(),
    }
    answer = client.post(f"/plan/{made.uid}/", later, follow=True)
    made = Dispatch.objects.get(live=True)
    assert (made.starts_at, made.ends_at) == (at(14), at(14, 50)), "the end that was left moves along"
    assert [message.level_tag for message in answer.context["messages"]] == ["success"]
    RepairOrder.objects.filter(pk=line.order_id).update(promised_at=at(14, 5))
    again = later | {"replaces": made.uid, "starts_at": "2026-11-24T15:00", "ends_at": "", "form_token": uuid4()}
    answer = client.post(f"/plan/{made.uid}/", again, follow=True)
    assert [message.level_tag for message in answer.context["messages"]] == ["warning"], "later than promised"
    made = Dispatch.objects.get(live=True)
    clocking.clock_on(line_uid=line.uid, by=actor(other))
    elsewhere = again | {"replaces": made.uid, "bay": floor.bays["4"].uid, "form_token": uuid4()}
    assert client.post(f"/plan/{made.uid}/", elsewhere).status_code == 422, "somebody works on it now"
    longer = elsewhere | {"bay": floor.bays["2"].uid, "ends_at": "2026-11-24T16:30", "form_token": uuid4()}
    assert client.post(f"/plan/{made.uid}/", longer).status_code == 302, "only its end is set anew"
    clocking.clock_off(pause_cause="BREAK", by=actor(other))
    client.post(f"/plan/{Dispatch.objects.get(live=True).uid}/take-back/", {"reason": "客户改期"})
    assert not Dispatch.objects.filter(live=True).exists()


@pytest.mark.django_db
def test_the_technician_works_through_a_job_on_the_phone(nine):
    floor = make_floor()
    person = floor.technician()
    floor.hire("leader", name="马试长")
    order, [line, second] = make_agreed(floor, "BR-10", "BR-30", complaint="踩刹车吱吱响")
    floor.give(line, person)
    client = client_of(person)
    page = english(client, "/my-jobs/")
    assert "踩刹车吱吱响" in page
    assert "Start" in page
    assert client.post(f"/my-jobs/{line.uid}/clock-on/").status_code == 302
    assert "Finish" in english(client, "/my-jobs/")
    found = {
        "cause": "右前下摆臂胶套开裂",
        "operation": operation("CH-10").uid,
        "photos": [picture("a.jpg"), picture("b.jpg")],
        "form_token": uuid4(),
    }
    assert client.post(f"/my-jobs/{line.uid}/more-work/", found).status_code == 302
    addition = OrderLine.objects.get(is_addition=True)
    assert (addition.state, addition.order_id, addition.photos.count()) == ("DRAFT", order.pk, 2)
    agreed, _not_yet, rest = english(client, "/my-jobs/").partition("Not agreed yet:")
    assert addition.operation.name_en in rest
    assert addition.operation.name_en not in agreed
    assert client.post(f"/my-jobs/{line.uid}/ask/", {"need": "HELP", "note": "螺栓滑丝"}).status_code == 302
    assert Message.objects.filter(template="workshop.need").count() == 2
    assert client.post(f"/my-jobs/{line.uid}/pause/", {"note": ""}).status_code == 422
    assert Clocking.objects.get().ended_at is None
    assert client.post(f"/my-jobs/{line.uid}/pause/", {"pause_cause": "TOOL"}).status_code == 302
    assert "The line waits" in english(client, "/my-jobs/")
    client.post(f"/my-jobs/{line.uid}/clock-on/")
    pause = {"pause_cause": "BREAK", "note": "等午饭后继续"}
    assert client.post(f"/my-jobs/{line.uid}/pause/", pause).status_code == 302
    page = english(client, "/my-jobs/")
    assert "Paused: Break" in page
    assert "等午饭后继续" in page
    client.post(f"/my-jobs/{line.uid}/clock-on/")
    asks = client.get(f"/my-jobs/{line.uid}/finish/").content.decode()
    assert asks.count('aria-required="true"') == 2
    refused = client.post(f"/my-jobs/{line.uid}/finish/", {"cause": "片磨到 2 mm"})
    assert refused.status_code == 422
    assert "片磨到 2 mm" in refused.content.decode()
    done = client.post(f"/my-jobs/{line.uid}/finish/", {"cause": "片磨到 2 mm", "correction": "换新片"})
    assert done.status_code == 302
    line.refresh_from_db()
    assert line.state == "COMPLETED"
    assert told(client) == [
        "Work done. 1 agreed line of this car is still open with somebody else; the self check comes after it."
    ], "what isn't given to one isn't announced as the next"
    floor.give(second, person, start=(11, 0))
    client.post(f"/my-jobs/{second.uid}/clock-on/")
    client.post(f"/my-jobs/{second.uid}/finish/", {"cause": "片磨到 3 mm", "correction": "换新片"})
    found = "Work done. 1 line found on this car waits for the customer's answer; the self check comes after it."
    assert told(client)[-1] == found
    assert "Your self check is missing" not in english(client, "/my-jobs/")


@pytest.mark.django_db
def test_a_second_job_is_begun_in_one_step_and_the_first_is_paused_or_neither(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [first] = make_agreed(floor, "BR-10")
    _order, [second] = make_agreed(floor, "BR-30")
    _order, [foreign] = make_agreed(floor, "BR-10")
    floor.give(first, person)
    floor.give(second, person, "4", (11, 0))
    client = client_of(person)
    assert '<div data-when="busy" hidden>' in english(client, f"/my-jobs/?job={second.uid}")
    client.post(f"/my-jobs/{first.uid}/clock-on/")
    page = english(client, f"/my-jobs/?job={second.uid}")
    assert "You are clocked on to another job" in page
    assert 'name="leave" value="1"' in page
    row = english(client, "/my-jobs/").partition(f'data-job-row="{second.uid}"')[2].partition("</li>")[0]
    assert f'action="/my-jobs/{second.uid}/clock-on/"' in row, "the other car is one tap away in the list too"
    assert 'name="leave" value="1"' in row
    with clock_at(9, 30):
        client.post(f"/my-jobs/{foreign.uid}/clock-on/", {"leave": "1"})
        assert Clocking.objects.get().ended_at is None, "what wasn't given to one can't begin, and pauses nothing"
        client.post(f"/my-jobs/{second.uid}/clock-on/")
        assert Clocking.objects.get().ended_at is None, "without the word nothing is paused"
        assert client.post(f"/my-jobs/{second.uid}/clock-on/", {"leave": "1"}).status_code == 302
    left, began = Clocking.objects.order_by("pk")
    assert (left.line_id, left.ended_at, left.pause_cause) == (first.pk, at(9, 30), "OTHER_JOB")
    assert (began.line_id, began.started_at, began.ended_at) == (second.pk, at(9, 30), None)


def told(client: Client) -> list[str]:
    """What the next page says in its corner."""
    return [str(message) for message in client.get("/my-jobs/").context["messages"]]


def picture(name: str):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, make_picture(), "image/jpeg")


@pytest.mark.django_db
def test_inspections_go_through_their_levels_and_the_failure_needs_its_reason(nine):
    floor = make_floor()
    worker, leader, inspector = floor.technician(), floor.hire("leader"), floor.hire("inspector")
    order, [line] = make_agreed(floor, "BR-10")
    work(floor, line, worker)
    assert "Self check" in english(client_of(worker), "/my-jobs/")
    for person, level in ((worker, "self"), (leader, "team")):
        client = client_of(person)
        assert order.number in english(client, f"/inspections/{order.uid}/{level}/")
        driven = {"road_test_from_km": "48930", "road_test_to_km": "48934", "road_test_route": "环路"}
        sent = {"result": "PASSED"} | (driven if level == "team" else {})
        assert client.post(f"/inspections/{order.uid}/{level}/", sent).status_code == 302
    client = client_of(inspector)
    assert "Inspect" in english(client, "/inspections/?level=FINAL")
    page = english(client, f"/inspections/{order.uid}/final/")
    assert "it passes only with a road test" in page
    for taken_over in ('value="48930"', 'value="48934"', 'value="环路"', f'value="{leader.uid}" selected'):
        assert taken_over in page
    undriven = client.post(f"/inspections/{order.uid}/final/", {"result": "PASSED", "road_test_from_km": "48930"})
    assert undriven.status_code == 422
    top, _form, _below = undriven.content.decode().partition('id="id_road_test_km"')
    assert "concerns safety: drive the car" in top, "said above, where the bar of buttons covers nothing"
    refused = client.post(f"/inspections/{order.uid}/final/", {"result": "FAILED", "failed_line": line.uid})
    assert (refused.status_code, Inspection.objects.count()) == (422, 2)
    failed = {"result": "FAILED", "reason": "仍有异响", "failed_line": line.uid}
    uncounted = client.post(f"/inspections/{order.uid}/final/", failed)
    assert (uncounted.status_code, Inspection.objects.count()) == (422, 2)
    assert "cause" in uncounted.context["form"].errors
    failed |= {"cause": "DIAGNOSIS"}
    answer = client.post(f"/inspections/{order.uid}/final/", failed)
    assert answer.status_code == 302, answer.context["form"].errors
    line.refresh_from_db()
    assert line.state == "IN_PROGRESS"
    for told_page in (
        english(client_of(worker), f"/my-jobs/?job={line.uid}"),
        english(client_of(floor.hire("foreman")), f"/orders/{order.uid}/"),
    ):
        assert "Rework: Final inspection failed" in told_page
        assert "仍有异响" in told_page
    assert client.get(f"/inspections/{order.uid}/nonsense/").status_code == 404
    assert client_of(worker).post(f"/inspections/{order.uid}/final/", {"result": "PASSED"}).status_code == 403


@pytest.mark.django_db
def test_who_may_not_is_refused_and_the_foreman_holds_releases_and_corrects(nine):
    floor = make_floor()
    person, foreman = floor.technician(), floor.hire("foreman")
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    assert client_of(person).get("/plan/").status_code == 403
    assert client_of(foreman).get("/my-jobs/").status_code == 403
    client = client_of(foreman)
    assert client.get(f"/plan/lines/{line.uid}/hold/").status_code == 200
    assert client.post(f"/plan/lines/{line.uid}/hold/", {"cause": "BAY"}).status_code == 302
    assert client.post(f"/plan/lines/{line.uid}/release/", {"next": "/plan/"}).url == "/plan/"
    made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10):
        assert client.get(f"/clockings/{made.uid}/").status_code == 200
        form = {"started_at": "2026-11-24T08:45", "ended_at": "2026-11-24T09:40", "reason": "忘打卡"}
        assert client.post(f"/clockings/{made.uid}/", form).status_code == 302
    made.refresh_from_db()
    assert (made.started_at, made.ended_at) == (at(8, 45), at(9, 40))


@pytest.mark.django_db
def test_a_running_job_that_will_outlast_its_plan_is_a_warning_with_a_way_out(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line] = make_agreed(floor, "BR-10")
    _order, [after] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    floor.give(after, other, start=(9, 50))
    with clock_at(9, 40):
        clocking.clock_on(line_uid=line.uid, by=actor(person))
        board = plan_reads.board(floor.foreman, day=at(9).date())
        [conflict] = board.conflicts
        assert (conflict.minutes, conflict.hit.line_id, conflict.bay) == (40, after.pk, "2 号举升")
        assert conflict.way is not None
        assert conflict.way.bay.name == "4 号新能源"
        foreman = floor.hire("foreman")
        assert "will run 40 minutes into 09:50" in english(client_of(foreman), "/plan/?day=2026-11-24")


@pytest.mark.django_db
def test_a_job_begun_before_its_plan_stands_where_others_are_planned(nine):
    floor = make_floor()
    person, other = floor.technician("高试工"), floor.technician("袁试工")
    _order, [line] = make_agreed(floor, "BR-10")
    _order, [after] = make_agreed(floor, "BR-10")
    floor.give(line, person, start=(14, 0))
    floor.give(after, other, start=(9, 50))
    with clock_at(9, 40):
        clocking.clock_on(line_uid=line.uid, by=actor(person))
        [conflict] = plan_reads.board(floor.foreman, day=at(9).date()).conflicts
        assert (conflict.minutes, conflict.hit.line_id, conflict.bay) == (40, after.pk, "2 号举升")


@pytest.mark.django_db
def test_the_load_counts_the_working_time_of_the_shown_day_and_never_the_night(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "EN-20")
    tomorrow = at(9).date() + timedelta(days=1)
    floor.give(line, person, start=(16, 15), ends_at=at(9, 5, day=tomorrow))
    today, after = (plan_reads.board(floor.foreman, day=day) for day in (at(9).date(), tomorrow))
    assert today.planned == 1.2, "16:15 to 17:30, when the shift ends"
    assert after.planned == 0.6, "8:30 to 9:05"
    _order, [over_lunch] = make_agreed(floor, "BR-10")
    floor.give(over_lunch, floor.technician("袁试工"), "4", (11, 30), ends_at=at(13, 30))
    shown = plan_reads.board(floor.foreman, day=at(9).date())
    assert shown.planned == 2.2, "lunch isn't work"
    [bay] = [row for row in shown.rows if row.uid == floor.bays["4"].uid]
    assert bay.load == 11, "an hour of nine; the break is no load of the bay either"


@pytest.mark.django_db
def test_the_plan_reads_a_full_day_with_a_fixed_number_of_queries(nine, django_assert_max_num_queries):
    floor = make_floor()
    person = floor.technician()
    for hour in (9, 10, 11):
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person, start=(hour, 0))
    few = count_queries(floor)
    for hour in (13, 14, 15, 16):
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person, start=(hour, 0))
    assert count_queries(floor) == few


def count_queries(floor) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        plan_reads.board(floor.foreman, day=at(9).date())
    return len(seen)


@pytest.mark.django_db
def test_todays_lanes_follow_the_work(nine, rf):
    floor = make_floor()
    person = floor.technician()
    order, [line] = make_agreed(floor, "BR-10")

    def lane():
        return placements(floor.foreman, [order.visit])[order.visit_id].lane

    order.visit.refresh_from_db()
    assert lane() == "DISPATCH"
    floor.give(line, person)
    assert lane() == "DISPATCH"
    planned = order.lines.get(pk=line.pk).dispatches.get(live=True)
    with clock.moved_to(planned.starts_at - timedelta(days=1)):
        assert placements(floor.foreman, [order.visit])[order.visit_id].warning == (
            f"明天 {say_clock(planned.starts_at)} {planned.bay.name}"
        )
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    placed = placements(floor.foreman, [order.visit])[order.visit_id]
    assert (placed.lane, placed.people, placed.progress) == ("WORKSHOP", ("高试工",), 0)
    clocking.clock_off(pause_cause="PARTS", by=actor(person))
    assert lane() == "DISPATCH"
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", correction="换新片", by=actor(person))
    assert lane() == "INSPECTION"
    order.refresh_from_db()
    request = rf.get("/")
    request.session = {}
    html = str(render_panels("order", request=request, actor=floor.foreman, root=order, extra={}))
    assert 'id="work"' in html
    assert 'id="inspections"' in html


@pytest.mark.django_db
def test_a_bar_too_short_for_its_plate_says_its_end_until_pointed_at():
    bars = [
        plan_reads.Bar(0, 3, plate="京AD30168", text="a"),
        plan_reads.Bar(4, 8, plate="京AD30142", text="b", waits=True),
        plan_reads.Bar(40, 30, plate="京A30137", text="c"),
        plan_reads.Bar(70, 5, plate="京A30180", text="d"),
        plan_reads.Bar(76, 20, plate="京A30181", text="e"),
    ]
    plan_reads._let_short_bars_speak(bars, 120)
    said = [(bar.plate, bar.brief, bar.leftward) for bar in bars]
    assert said == [
        ("京AD30168", "68", False),
        ("京AD30142", "142", False),
        ("京A30137", "", False),
        ("京A30180", "180", True),
        ("京A30181", "", True),
    ]


@pytest.mark.django_db
def test_the_plan_bar_says_promise_waiting_customer_and_what_is_left(nine):
    floor = make_floor()
    person = floor.technician("高试工")
    order, [line] = make_agreed(floor, "BR-10")
    type(order).objects.filter(pk=order.pk).update(promised_at=at(16, 30))
    type(order.visit).objects.filter(pk=order.visit_id).update(waiting_mode="WAIT_AT_DEALER")
    floor.give(line, person, start=(9, 0))
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(9, 20):
        board = plan_reads.board(floor.foreman, day=at(9).date())
    [bar] = [bar for row in board.rows for bar in row.bars]
    assert bar.waits
    assert "交 16:30" in bar.title
    assert "还需 30 分" in bar.title


@pytest.mark.django_db
def test_the_foreman_asks_for_a_plan_looks_at_it_and_accepts(nine, settings):
    settings.PLANNER_DETERMINISTIC = 2.0
    floor = make_floor()
    foreman = floor.hire("foreman", name="蒋试管")
    floor.technician("高试工")
    _order, [line] = make_agreed(floor, "BR-10")
    client = client_of(foreman)
    assert "Propose a plan" in english(client, "/plan/?day=2026-11-24")
    asked = client.post("/plan/proposals/", {"form_token": str(uuid4())})
    proposal = DispatchProposal.objects.get()
    assert asked["Location"] == f"/plan/proposals/{proposal.uid}/"
    running = english(client, asked["Location"])
    assert 'hx-trigger="every 1s"' in running
    assert "Stop searching" in running
    assert "Accept<" not in running
    refused = client.post("/plan/proposals/", {"form_token": str(uuid4())})
    assert refused.status_code == 422
    proposals.work_out(uid=proposal.uid)
    ready = english(client, asked["Location"])
    for words in (
        line.operation.name_en,
        "not given out",
        "The customer waits in the shop.",
        "2 号举升",
        "As it is",
        "Accept",
    ):
        assert words in ready
    assert re.search(r'class="job( brief)?( leftward)? moved', ready)
    assert " moved" not in english(client, f"{asked['Location']}?view=before")
    inspector = client_of(floor.hire("inspector"))
    looked = english(inspector, asked["Location"])
    assert line.operation.name_en in looked
    assert "Ctrl+Enter" not in looked, "who may look may not decide"
    assert "Look at the proposal" in english(client, "/plan/?day=2026-11-24")
    accepted = client.post(f"{asked['Location']}accept/", {"form_token": str(uuid4())})
    assert accepted["Location"] == "/plan/"
    assert Dispatch.objects.get(live=True).line_id == line.pk
    assert "The plan was changed as listed below." in english(client, asked["Location"])
    second = proposals.ask_proposal(by=floor.foreman)
    client.post(f"/plan/proposals/{second.uid}/reject/", {"form_token": str(uuid4())})
    assert "The plan stayed as it was." in english(client, f"/plan/proposals/{second.uid}/")
    third = proposals.ask_proposal(by=floor.foreman)
    proposals.fail_proposal(uid=third.uid, problem="lost")
    page = english(client, f"/plan/proposals/{third.uid}/")
    assert "Health shows whether it runs" in page
    assert "Plan anew" in page


@pytest.mark.django_db
def test_who_looks_is_sent_nothing_until_something_changes():
    floor = make_floor()
    with clock_at(9):
        foreman = floor.hire("foreman", name="蒋试管")
        person = floor.technician("高试工")
        _order, [line] = make_agreed(floor, "BR-10")
        client = client_of(foreman)
        seen = client.get("/plan/?day=2026-11-24").context["stamp"]
        address = "/plan/?day=2026-11-24&seen="
        assert client.get(address + seen).status_code == 204
        stamps = [seen]

        def changed() -> bool:
            answer = client.get(address + stamps[-1])
            if answer.status_code == 204:
                return False
            stamps.append(answer.context["stamp"])
            return True

        made = floor.give(line, person)
        assert changed()
        assert not changed()
        moved = dispatch.move_dispatch(uid=made.uid, bay_uid=floor.bays["4"].uid, by=floor.foreman)
        assert changed()
        clocking.clock_on(line_uid=line.uid, by=actor(person))
        assert changed()
        clocking.clock_off(pause_cause="PARTS", by=actor(person))
        assert changed()
        clocking.release_line(line_uid=line.uid, by=floor.foreman)
        assert changed()
        dispatch.take_back_dispatch(uid=moved.uid, reason="改期", by=floor.foreman)
        assert changed()
        asked = proposals.ask_proposal(by=floor.foreman)
        assert changed()
        proposals.reject_proposal(uid=asked.uid, by=floor.foreman)
        assert changed()
        assert not changed()
    with clock_at(9, 1):
        assert changed(), "the now-line moves on"


@pytest.mark.django_db
def test_a_drop_goes_through_the_same_commands_and_a_refusal_says_why(nine):
    floor = make_floor()
    foreman = floor.hire("foreman", name="蒋试管")
    floor.technician("高试工")
    _order, [line] = make_agreed(floor, "BR-10")
    client = client_of(foreman)
    page = english(client, "/plan/?day=2026-11-24")
    assert f'data-line="{line.uid}" data-length="10"' in page
    assert f'data-row="{floor.bays["2"].uid}"' in page
    row = str(floor.bays["2"].uid)
    given = {"rows": "bays", "row": row, "line": str(line.uid), "plan": "", "starts_at": "2026-11-24T10:15"}
    dropped = client.post("/plan/drop/", given)
    assert dropped["Location"] == "/plan/?day=2026-11-24&rows=bays"
    made = Dispatch.objects.get(live=True)
    assert (made.starts_at, made.bay_id) == (at(10, 15), floor.bays["2"].pk)
    assert f'data-plan="{made.uid}"' in english(client, dropped["Location"])
    client.post("/plan/drop/", given | {"line": "", "plan": str(made.uid), "starts_at": "2026-11-24T14:00"})
    assert Dispatch.objects.get(live=True).starts_at == at(14)
    told = english(client, "/plan/?day=2026-11-24")
    assert "Planned: 高试工, 2 号举升, 14:00 – 14:50." in told
    assert "later than promised" not in told
    RepairOrder.objects.filter(pk=made.line.order_id).update(promised_at=at(14, 30))
    made = Dispatch.objects.get(live=True)
    client.post("/plan/drop/", given | {"line": "", "plan": str(made.uid), "starts_at": "2026-11-24T15:00"})
    told = english(client, "/plan/?day=2026-11-24")
    assert "Planned: 高试工, 2 号举升, 15:00 – 15:50. That is 1 h 20 min later than promised (14:30)" in told
    made = Dispatch.objects.get(live=True)
    client.post("/plan/drop/", given | {"line": "", "plan": str(made.uid), "starts_at": "2026-11-24T14:00"})
    for wrong in ({"row": "x"}, {"starts_at": "noon"}, {"line": "", "plan": ""}):
        refused = client.post("/plan/drop/", given | wrong, headers={"HX-Request": "true"})
        assert (refused.status_code, refused["HX-Retarget"]) == (422, "#toasts")
    assert Dispatch.objects.get(live=True).starts_at == at(14)


@pytest.mark.django_db
def test_the_foreman_takes_a_bay_out_of_use_and_the_plan_says_so_with_the_ways_out(nine):
    floor = make_floor()
    foreman = floor.hire("foreman", name="蒋试管")
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, floor.technician("高试工"), "2", (11, 0))
    client = client_of(foreman)
    address = f"/plan/bays/{floor.bays['2'].uid}/block/"
    assert f'href="{address}"' in english(client, "/plan/?day=2026-11-24")
    Resource.objects.filter(pk=floor.bays["2"].pk).update(name_en="Lift two")
    asked = english(client, address)
    assert "Lift two" in asked
    assert line.operation.name_en in asked
    assert "Somebody is at work in this bay now" not in english(client, address)
    _order, [running] = make_agreed(floor, "EN-20")
    other = floor.technician("袁试工")
    floor.give(running, other, "2", (9, 0), ends_at=at(10))
    clocking.clock_on(line_uid=running.uid, by=actor(other))
    warned = english(client, address)
    assert "Somebody is at work in this bay now" in warned
    assert f"{running.operation.name_en} · 袁试工" in warned
    clocking.finish_line(line_uid=running.uid, cause="漏油", correction="换垫", by=actor(other))
    given = {"starts_at": "2026-11-24T10:00", "ends_at": "2026-11-24T12:00", "reason": "举升机漏油"}
    refused = client.post(address, given | {"form_token": str(uuid4())})
    assert refused.status_code == 422
    assert "tick that room is made" in refused.content.decode()
    assert "举升机漏油" in refused.content.decode(), "what was typed is kept"
    done = client.post(address, given | {"make_room": "on", "form_token": str(uuid4())})
    assert done["Location"] == "/plan/?day=2026-11-24"
    page = english(client, done["Location"])
    for words in ("Lift two is out of use", "举升机漏油", "Re-plan and look", "To be had again"):
        assert words in page
    [block] = plan_reads.blocks_of(floor.foreman, at(8), at(18))
    client.post(f"/plan/blocks/{block.uid}/end/", {"form_token": str(uuid4())})
    assert "is out of use" not in english(client, done["Location"])


@pytest.mark.django_db
def test_running_work_shows_what_is_still_to_do_after_the_now_line():
    floor = make_floor()
    person = floor.technician("高试工")
    _order, [line] = make_agreed(floor, "BR-20")  # 1.8 h, in whole five minutes 110 min
    with clock_at(9):
        floor.give(line, person)
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(9, 30):
        board = plan_reads.board(floor.foreman, day=at(9).date())
        [rest] = [act for row in board.rows for act in row.acts if act.rest]
        assert (rest.at, rest.length) == (board.now, 16), "eighty minutes are left"
