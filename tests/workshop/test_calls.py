"""3.2: what a technician calls for is seen by whom it is for, answered once, shown on the job, and over with the job."""

from __future__ import annotations

import pytest
from django.urls import reverse

from dealership.kernel import outbox
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History, Message
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.workshop.test_floor_pages import client_of, english
from workshop.call_models import TechnicianCall
from workshop.services import clocking, findings


@pytest.fixture
def nine():
    with clock_at(9):
        yield


@pytest.fixture
def called(db, nine):
    """A technician at work with a call for a clip; keeper, foreman and line beside it."""
    floor = make_floor()
    people = {"keeper": floor.hire("parts", name="柯备件"), "foreman": floor.hire("foreman", name="孟工长")}
    person = floor.technician()
    _order, [line] = make_agreed(floor, "BR-10")
    floor.give(line, person)
    clocking.clock_on(line_uid=line.uid, by=actor(person))
    call = findings.ask_for(line_uid=line.uid, need="PARTS", note="卡扣", by=actor(person))
    return floor, people, person, line, call


def refusal_of(call, **facts):
    before = History.objects.count()
    with pytest.raises(RuleError) as refusal:
        call(**facts)
    assert History.objects.count() == before
    return refusal.value.code


def test_the_keeper_sees_the_call_and_answers_it_in_one_tap(called):
    _floor, people, person, line, call = called
    keeper, phone = client_of(people["keeper"]), client_of(person)
    assert "asked 09:00" in english(phone, "/my-jobs/")
    assert "not answered" in english(phone, "/my-jobs/")
    answer = reverse("call-answer", args=[call.uid])
    board = english(keeper, "/parts/")
    assert "Asked for by technicians" in board
    assert "卡扣" in board
    assert answer in board
    assert 'href="/parts/#asked"' in english(keeper, "/today/")
    with clock_at(9, 10):
        sent = keeper.post(answer, {"answer": "COMING", "next": "/parts/?show=SHORT"})
        assert sent.headers["Location"] == "/parts/?show=SHORT"
        assert "answered by 柯备件 09:10 · On the way" in english(phone, "/my-jobs/")
        assert 'href="/parts/#asked"' not in english(keeper, "/today/")
        assert "On the way" in english(keeper, "/parts/")
        assert phone.post(answer, {"answer": "DONE"}).headers["Location"] == f"/my-jobs/?job={line.uid}"
    call.refresh_from_db()
    assert (call.state, call.answered_at, call.answered_by) == ("DONE", at(9, 10), people["keeper"])
    assert "Asked for by technicians" not in english(keeper, "/parts/")


def test_the_foreman_sees_it_on_the_bar_and_is_told_of_help(called):
    _floor, people, person, line, _call = called
    foreman = client_of(people["foreman"])
    plan = english(foreman, "/plan/?day=2026-11-24")
    assert "1 call not answered" in plan
    assert "Asked for by technicians" in plan
    assert 'href="/plan/#asked"' not in english(foreman, "/today/")  # parts are the keeper's
    seen = foreman.get("/plan/?day=2026-11-24").context["stamp"]
    findings.ask_for(line_uid=line.uid, need="HELP", by=actor(person))
    assert 'href="/plan/#asked"' in english(foreman, "/today/")
    again = foreman.get(f"/plan/?day=2026-11-24&seen={seen}")
    assert again.status_code == 200  # not "nothing new"
    assert "2 calls not answered" in again.content.decode()
    told = Message.objects.filter(template="workshop.need", recipient=people["foreman"].number).get()
    assert told.recipient_name == "孟工长"


def test_a_call_is_answered_once_and_ends_with_the_job(called):
    _floor, people, person, line, call = called
    keeper = actor(people["keeper"])
    assert refusal_of(findings.answer_call, uid=call.uid, answer="ENDED", by=keeper) == "call.answer"
    with pytest.raises(NotAllowed):
        findings.answer_call(uid=call.uid, answer="COMING", by=actor(person))
    findings.answer_call(uid=call.uid, answer="COMING", by=keeper)
    assert refusal_of(findings.answer_call, uid=call.uid, answer="COMING", by=keeper) == "call.answered"
    findings.answer_call(uid=call.uid, answer="NOT_AVAILABLE", by=keeper)
    assert refusal_of(findings.answer_call, uid=call.uid, answer="DONE", by=keeper) == "call.ended"
    late = findings.ask_for(line_uid=line.uid, need="PARTS", note="卡扣", by=actor(person))
    with clock_at(9, 40):
        clocking.finish_line(line_uid=line.uid, cause="片薄", correction="换新片", by=actor(person))
        outbox.drain()
    late.refresh_from_db()
    assert (late.state, late.answered_at, late.ended_at) == ("ENDED", None, at(9, 40))
    facts = {"line_uid": line.uid, "need": "PARTS", "note": "卡扣", "by": actor(person)}
    assert refusal_of(findings.ask_for, **facts) == "need.line"


def test_the_database_keeps_calls_as_they_were(called, refused):
    _floor, people, _person, line, call = called
    findings.answer_call(uid=call.uid, answer="COMING", by=actor(people["keeper"]))
    for rule, statement in (
        ("techniciancall_fixed", "UPDATE workshop_techniciancall SET note = 'x' WHERE id = %s"),
        ("techniciancall_answered", "UPDATE workshop_techniciancall SET state = 'OPEN' WHERE id = %s"),
        ("techniciancall_answered_once", "UPDATE workshop_techniciancall SET answered_at = now() WHERE id = %s"),
        ("techniciancall_ended", "UPDATE workshop_techniciancall SET state = 'DONE' WHERE id = %s"),
        ("techniciancall_ended", "UPDATE workshop_techniciancall SET ended_at = now() WHERE id = %s"),
        ("techniciancall_never_deleted", "DELETE FROM workshop_techniciancall WHERE id = %s"),
    ):
        with refused(rule) as sql:
            sql(statement, [call.pk])
    again = findings.ask_for(line_uid=line.uid, need="TOOL", note="拉马", by=_actor_of(call))
    with refused("techniciancall_answered") as sql:
        sql("UPDATE workshop_techniciancall SET state = 'COMING' WHERE id = %s", [again.pk])
    copy = (
        "INSERT INTO workshop_techniciancall (uid, version, created_at, updated_at, store_id, line_id, need, note, state,"
        " asked_at) SELECT gen_random_uuid(), 1, now(), now(), store_id, line_id, need, note, 'OPEN', now()"
        " FROM workshop_techniciancall WHERE id = %s"
    )
    clocking.finish_line(line_uid=line.uid, cause="片薄", correction="换新片", by=_actor_of(call))
    with refused("techniciancall_of_open_work") as sql:
        sql(copy, [call.pk])


def _actor_of(call: TechnicianCall):
    return actor(call.employee)


def test_another_system_calls_and_answers(called):
    floor, _people, _person, line, _call = called
    caller = ApiCaller("workshop:write", store=floor.shop.store)
    made = caller.post("technician-calls", {"labor_operation_uid": str(line.uid), "need": "PARTS", "note": "卡扣"})
    assert (made.status_code, made.json()["state"]) == (201, "OPEN")
    path = f"technician-calls/{made.json()['uid']}"
    assert caller.act(path, "answer", {"answer": "NOT_AVAILABLE"}).json()["state"] == "NOT_AVAILABLE"
    problem(caller.act(path, "answer", {"answer": "DONE"}), 409, "call.ended")


def test_who_is_called_reads_the_own_messages_under_the_bell(called):
    floor, people, person, _line, _call = called
    keeper, phone = client_of(people["keeper"]), client_of(person)
    page = english(keeper, "/messages/")
    assert "卡扣" in page
    assert 'aria-label="Messages: 1"' in english(keeper, "/parts/")
    assert "卡扣" not in english(phone, "/messages/")  # it went to the keeper
    assert keeper.get(f"/messages/{Message.objects.get(template='workshop.need').uid}/").status_code == 403
    assert keeper.post("/messages/read/").headers["Location"] == "/messages/?own=1"
    assert 'aria-label="Messages"' in english(keeper, "/parts/")
    manager = client_of(floor.hire("manager", name="总试管"))
    assert "卡扣" in english(manager, "/messages/")
    assert "卡扣" not in english(manager, "/messages/?own=1")
