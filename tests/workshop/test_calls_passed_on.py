"""3.2: who is called and can't come passes the call on: it stays open, by name or for the others; the wall shows it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Message
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import actor, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.workshop.test_floor_pages import client_of, english
from workshop.call_models import CallPass, TechnicianCall
from workshop.services import clocking, findings, screens


@pytest.fixture
def help_asked(db):
    """A technician at work calls for help; the foremen and a leader are called."""
    with clock_at(9):
        floor = make_floor()
        first, second = floor.hire("foreman", name="孟工长"), floor.hire("foreman", name="武工长")
        leader, person = floor.hire("leader", name="周班长"), floor.technician()
        order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
        clocking.clock_on(line_uid=line.uid, by=actor(person))
        call = findings.ask_for(line_uid=line.uid, need="HELP", note="抬变速箱", by=actor(person))
        yield floor, first, second, leader, person, order, call


def test_who_cannot_come_passes_it_on_and_it_stays_open_for_the_others(help_asked):
    floor, first, second, leader, person, _order, call = help_asked
    one, other, phone = client_of(first), client_of(second), client_of(person)
    page = f"/calls/{call.uid}/pass/"
    assert page in english(one, "/plan/")
    choices = one.get(f"{page}?next=/plan/").context["form"].fields["to"].choices
    head = floor.foreman.user.employee
    assert {value for value, _word in choices} == {"", *(str(p.uid) for p in (head, second, leader))}, "not to oneself"
    before = Message.objects.filter(template="workshop.need").count()
    with clock_at(9, 10):
        sent = one.post(f"{page}?next=/plan/", {"to": "", "note": "在试车", "form_token": uuid4()})
        assert sent.headers["Location"] == "/plan/"
        assert "孟工长 can't come, passed on to the others 09:10 · 在试车" in english(phone, "/my-jobs/")
        assert "not answered" in english(phone, "/my-jobs/")
        assert 'href="/plan/#asked"' not in english(one, "/today/"), "not asked of this one any more"
        assert 'href="/plan/#asked"' in english(other, "/today/")
    told = Message.objects.filter(template="workshop.need").order_by("id")
    assert {m.recipient for m in told[before:]} == {head.number, second.number, leader.number}
    assert all("孟工长" in m.body for m in told[before:])
    other.post(f"/calls/{call.uid}/answer/", {"answer": "COMING"})
    call.refresh_from_db()
    assert (call.state, call.answered_by) == ("COMING", second)
    event = History.objects.get(code="workshop.technician_call.passed")
    assert (event.facts.get("to"), event.facts["need"]) == (None, "HELP")


def test_it_goes_to_somebody_by_name_also_by_whom_was_on_the_way(help_asked):
    _floor, first, second, leader, _person, _order, call = help_asked
    findings.answer_call(uid=call.uid, answer="COMING", by=actor(first))
    with rule("call.answered"):
        findings.pass_call(uid=call.uid, by=actor(second))
    findings.pass_call(uid=call.uid, to_uid=leader.uid, by=actor(first))
    call.refresh_from_db()
    assert (call.state, call.answered_at, call.answered_by) == ("OPEN", None, None)
    findings.pass_call(uid=call.uid, to_uid=first.uid, by=actor(leader))
    assert 'href="/plan/#asked"' in english(client_of(first), "/today/"), "named again, asked again"
    findings.pass_call(uid=call.uid, by=actor(first))
    findings.pass_call(uid=call.uid, to_uid=first.uid, by=actor(second))
    assert CallPass.objects.count() == 4


def test_what_is_refused_changes_nothing(help_asked):
    floor, first, second, leader, person, _order, call = help_asked
    with pytest.raises(NotAllowed):
        findings.pass_call(uid=call.uid, by=actor(person))
    with rule("call.to"):
        findings.pass_call(uid=call.uid, to_uid=person.uid, by=actor(first))
    findings.pass_call(uid=call.uid, by=actor(leader))
    findings.pass_call(uid=call.uid, by=actor(second))
    with rule("call.passed_already"):
        findings.pass_call(uid=call.uid, by=actor(second))
    findings.pass_call(uid=call.uid, by=floor.foreman)
    count = History.objects.count()
    answer = client_of(first).post(f"/calls/{call.uid}/pass/", {"to": "", "form_token": uuid4()})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["to"]
    assert "Nobody else is left" in answer.context["form"].errors["to"][0]
    assert (History.objects.count(), CallPass.objects.count()) == (count, 3)
    findings.answer_call(uid=call.uid, answer="NOT_AVAILABLE", by=actor(first))
    with rule("call.ended"):
        findings.pass_call(uid=call.uid, to_uid=second.uid, by=actor(first))


def test_the_database_keeps_who_passed_what_on(help_asked, refused):
    _floor, first, second, _leader, person, _order, call = help_asked
    stranger = make_floor().hire("foreman", name="外工长")
    insert = (
        "INSERT INTO workshop_callpass (uid, version, created_at, updated_at, call_id, passed_by_id, passed_to_id, note, at)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, '', now())"
    )
    for rule_name, facts in (
        ("callpass_of_open_call", [call.pk, person.pk, first.pk]),
        ("callpass_of_open_call", [call.pk, first.pk, stranger.pk]),
        ("callpass_to_another", [call.pk, first.pk, first.pk]),
    ):
        with refused(rule_name) as sql:
            sql(insert, facts)
    findings.pass_call(uid=call.uid, by=actor(first))
    for statement in ("UPDATE workshop_callpass SET note = 'x'", "DELETE FROM workshop_callpass"):
        with refused("callpass_append_only") as sql:
            sql(statement, [])
    findings.answer_call(uid=call.uid, answer="COMING", by=actor(second))
    with refused("techniciancall_answered_once") as sql:
        sql(
            "UPDATE workshop_techniciancall SET state = 'OPEN', answered_at = NULL, answered_by_id = NULL WHERE id = %s",
            [call.pk],
        )
    findings.answer_call(uid=call.uid, answer="DONE", by=actor(second))
    with refused("callpass_of_open_call") as sql:
        sql(insert, [call.pk, first.pk, second.pk])
    with refused("techniciancall_moves") as sql:
        sql("UPDATE workshop_techniciancall SET state = 'COMING', ended_at = NULL WHERE id = %s", [call.pk])


def test_the_wall_shows_open_calls_without_customers(help_asked):
    floor, first, _second, _leader, _person, order, call = help_asked
    screen = screens.add_screen(name="大厅", by=floor.foreman)
    address, client = f"/wall/{screen.key}/", Client(headers={"accept-language": "en"})
    with clock_at(9, 12):
        page = client.get(address)
        text = page.content.decode()
        assert "抬变速箱" in text
        assert [(cry.bay, cry.plate) for cry in page.context["cries"]] == [("2 号举升", order.vehicle.plate)]
        assert order.visit.contact_name not in text
        assert "<form" not in text
        findings.answer_call(uid=call.uid, answer="COMING", by=actor(first))
        again = client.get(f"{address}?seen={page.context['stamp']}")
        assert again.status_code == 200
        assert "孟工长" in again.content.decode()
        findings.answer_call(uid=call.uid, answer="DONE", by=actor(first))
        assert client.get(address).context["cries"] == []


def test_another_system_passes_it_on_as_a_person(help_asked):
    floor, _first, _second, _leader, _person, _order, call = help_asked
    caller = ApiCaller("workshop:write", store=floor.shop.store)
    problem(caller.act(f"technician-calls/{call.uid}", "pass-on", {}), 409, "call.own")
    assert TechnicianCall.objects.get().state == "OPEN"
