"""2.1.4: feedback that is written down, and the effect page whose every number leads to its visits."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import translation

from dealership.kernel import clock
from dealership.kernel.actors import customer_link
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from reception.models import ReceptionNote
from reception.selectors import effect as reads
from reception.services import visits
from tests.factories.reception import make_received_visit, make_signed_visit, make_visit
from tests.factories.staff import actor_for, make_actor, make_employee, make_store

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 at the store
DAYS = (date(2026, 11, 23), date(2026, 11, 24))
pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def lin(store):
    return actor_for(make_employee(store, "advisor", name="林晓"))


@pytest.fixture
def wu(store):
    return actor_for(make_employee(store, "advisor", name="吴越"))


def at(minutes, day=0):
    return clock.moved_to(MONDAY + timedelta(days=day, minutes=minutes))


def waited(by, minutes, *, came=0, day=0, rating=None):
    """A customer who came ``came`` minutes after nine and was received after ``minutes``."""
    with at(came, day):
        visit = make_visit(by)
    with at(came + minutes, day):
        visits.greet_visit(uid=visit.uid, by=by)
        if rating:
            link = customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id=str(visit.link.uid))
            visits.rate_reception(uid=visit.uid, rating=rating, by=link)
    return visit


@pytest.fixture
def week(lin, wu):
    """林晓: three visits on Monday at nine, one of them left; 吴越: one on Monday at ten, one on Tuesday at nine."""
    one = waited(lin, 2, rating=5)
    waited(lin, 8, came=10, rating=3)
    with at(20):
        gone = make_visit(lin)
    with at(35):
        visits.leave_unserved(uid=gone.uid, reason="等太久", by=lin)
    ten = waited(wu, 4, came=60)
    tuesday = waited(wu, 6, day=1)
    with at(70):
        visits.end_consultation(uid=ten.uid, outcome="CONSULTED", by=wu)
        visits.note_feedback(uid=ten.uid, words="接待很热情", score=4, by=wu)
        visits.note_feedback(uid=one.uid, words="茶水凉了", by=lin)
    return {"one": one, "gone": gone, "ten": ten, "tuesday": tuesday}


def numbers(lines):
    return {
        str(line.label): (line.visits, line.waited, line.wait_minutes, line.over, line.left, line.rated, line.score)
        for line in lines
    }


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (
            "advisor",
            {
                "林晓": (2, 2, 5.0, 1, 0, 2, 4.0),
                "吴越": (2, 2, 5.0, 1, 0, 1, 4.0),
                "Nobody yet": (1, 0, None, 0, 1, 0, None),
            },
        ),
        ("hour", {"09:00": (4, 3, 16 / 3, 2, 1, 2, 4.0), "10:00": (1, 1, 4.0, 0, 0, 1, 4.0)}),
        ("weekday", {"Monday": (4, 3, 14 / 3, 1, 1, 3, 4.0), "Tuesday": (1, 1, 6.0, 1, 0, 0, None)}),
        ("channel", {"Walk-in": (5, 4, 5.0, 2, 1, 3, 4.0)}),
    ],
)
def test_each_grouping_counts_every_visit_once(week, store, lin, group, expected, english):
    lines, whole = reads.effect(lin, store, *DAYS, group)
    assert numbers(lines) == expected
    assert numbers([whole]) == {"Whole store": (5, 4, 5.0, 2, 1, 3, 4.0)}
    assert (whole.noted, whole.decided, whole.converted) == (2, 2, 0)


@pytest.fixture
def english():
    with translation.override("en"):
        yield


def test_every_number_is_the_count_of_the_visits_behind_it(week, store, lin):
    for group in reads.GROUPS:
        lines, whole = reads.effect(lin, store, *DAYS, group)
        for line, key in [*((line, line.key) for line in lines), (whole, None)]:
            for measure in reads.MEASURES:
                if measure == "noted":  # counts notes, its rows are the visits that have some
                    continue
                behind = reads.visits_behind(lin, store, *DAYS, group=group, key=key, measure=measure, page=1)
                assert behind.count == getattr(line, measure), (group, key, measure)
                assert len(behind.rows) == behind.count


def test_an_order_counts_as_conversion_and_other_days_and_stores_don_t_count(week, store, lin):
    with at(100):
        signed = make_signed_visit(lin)
        visits.admit_visit(visit=signed, by=lin)
    _lines, whole = reads.effect(lin, store, *DAYS, "advisor")
    assert (whole.visits, whole.decided, whole.converted, whole.signed) == (6, 3, 1, 1)
    _lines, monday = reads.effect(lin, store, DAYS[0], DAYS[0], "advisor")
    assert monday.visits == 5
    other = make_actor(make_store("SH01"), "manager")
    assert reads.effect(other, store, *DAYS, "advisor")[1].visits == 0


def test_feedback_is_written_down_also_after_the_car_has_left(week, lin):
    note = visits.note_feedback(uid=week["gone"].uid, words=" 没人理我 ", score=1, by=lin)
    assert (note.words, note.score, note.written_by.name) == ("没人理我", 1, "林晓")
    line = History.objects.filter(code="reception.visit.feedback_noted").latest("id")
    assert (line.facts, line.visit_uid) == ({"score": 1}, week["gone"].uid)
    fitter = make_actor(week["gone"].store, "technician")
    before = (ReceptionNote.objects.count(), History.objects.count())
    for values, code in (({"words": "  "}, "note.words"), ({"words": "好", "score": 6}, "note.score")):
        with pytest.raises(RuleError) as refusal:
            visits.note_feedback(uid=week["gone"].uid, by=lin, **values)
        assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        visits.note_feedback(uid=week["gone"].uid, words="好", by=fitter)
    assert (ReceptionNote.objects.count(), History.objects.count()) == before


def test_the_database_keeps_feedback(week, refused):
    with refused("receptionnote_append_only") as sql:
        sql("UPDATE reception_receptionnote SET words = 'x'")
    with refused("receptionnote_append_only") as sql:
        sql("DELETE FROM reception_receptionnote")
    insert = (
        "INSERT INTO reception_receptionnote (visit_id, words, score, written_by_id, at)"
        " SELECT visit_id, %s, %s, written_by_id, at FROM reception_receptionnote LIMIT 1"
    )
    with refused("receptionnote_words") as sql:
        sql(insert, ["", 3])
    with refused("receptionnote_score") as sql:
        sql(insert, ["好", 6])


def sign_in(employee):
    client = Client()
    client.force_login(employee.user)
    return client


def test_the_page_leads_from_numbers_to_visits(week, store):
    browser = sign_in(make_employee(store, "manager"))
    page = browser.get("/reception-effect/?by=hour&first=2026-11-23&last=2026-11-24").content.decode()
    assert "09:00" in page
    (link,) = set(re.findall(r'href="(\?[^"]*key=9[^"]*show=left#rows)"', page))
    behind = browser.get("/reception-effect/" + link.replace("&amp;", "&")).content.decode()
    assert "1 次到店" in behind
    assert str(week["gone"].uid) in behind
    for odd in (
        "by=x&first=x&last=x",
        "first=2026-11-24&last=2026-11-23",
        "show=left&key=99&page=0",
        "page=999999&show=visits",
    ):
        assert browser.get(f"/reception-effect/?{odd}").status_code == 200, odd
    with at(0, day=300):
        assert "这些天没有到店" in browser.get("/reception-effect/").content.decode()
    assert sign_in(make_employee(store, "technician")).get("/reception-effect/").status_code == 403


def test_feedback_by_form_stands_on_the_visit_page(week, store):
    browser = sign_in(make_employee(store, "receptionist"))
    page = f"/visits/{week['gone'].uid}/feedback/"
    assert browser.post(page, {"words": "", "form_token": uuid4()}).status_code == 422
    answer = browser.post(page, {"words": "等了半小时", "score": "2", "form_token": uuid4()})
    assert answer.url == f"/visits/{week['gone'].uid}/"
    shown = browser.get(answer.url).content.decode()
    assert "等了半小时" in shown
    assert "2 / 5" in shown


def test_a_received_visit_that_isn_t_rated_has_no_score(store, lin):
    with at(0):
        make_received_visit(lin)
    (line,), _whole = reads.effect(lin, store, *DAYS, "channel")
    assert (line.rated, line.score, line.conversion) == (0, None, None)
