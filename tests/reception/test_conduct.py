"""2.1.3: standard phrases where the situation is, and how the standard is kept to, seen on the floor."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from dealership.process.selectors.figures import read, rows_behind
from dealership.process.services.rollup import recompute_day
from reception.models import Observation, ObservationScore, Script
from reception.seeds import seed
from reception.selectors import conduct as reads
from reception.services import conduct
from tests.factories.reception import make_picture, make_received_visit
from tests.factories.staff import actor_for, make_employee, make_store

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = NOW.date()
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def morning():
    with clock.moved_to(NOW):
        yield


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def chief(store):
    return make_employee(store, "manager", name="沈主管")


@pytest.fixture
def manager(chief):
    return actor_for(chief)


@pytest.fixture
def lin(store):
    return make_employee(store, "receptionist", name="林晓")


def sign_in(employee):
    client = Client()
    client.force_login(employee.user)
    return client


def unchanged(command, **values):
    before = (
        Script.objects.count(),
        Observation.objects.count(),
        ObservationScore.objects.count(),
        History.objects.count(),
    )
    with pytest.raises(RuleError) as refusal:
        command(**values)
    after = (
        Script.objects.count(),
        Observation.objects.count(),
        ObservationScore.objects.count(),
        History.objects.count(),
    )
    assert after == before
    return refusal.value


def test_the_manuals_phrases_are_there_and_what_was_changed_stays():
    assert reads.phrases("ARRIVAL", "zh-hans")[:2] == ["您好，请问有什么可以帮您？", "请问您需要什么帮助？"]
    Script.objects.filter(situation="ARRIVAL").exclude(text="请问您需要什么帮助？").update(active=False)
    seed()
    assert reads.phrases("ARRIVAL", "zh-hans") == ["请问您需要什么帮助？"]
    assert reads.phrases("ARRIVAL", "en") == ["请问您需要什么帮助？"]


def test_a_phrase_is_written_once_and_changed(manager):
    made = conduct.save_script(situation="WAITING", language="zh-hans", text="请用茶 ", by=manager)
    again = unchanged(conduct.save_script, situation="WAITING", language="zh-hans", text="请用茶", by=manager)
    assert (again.code, again.field) == ("script.once", "text")
    for values, code in (
        ({"situation": "X"}, "script.situation"),
        ({"language": "fr"}, "script.language"),
        ({"text": "  "}, "script.text"),
    ):
        given = {"situation": "WAITING", "language": "en", "text": "Tea?"} | values
        assert unchanged(conduct.save_script, by=manager, **given).code == code
    conduct.save_script(uid=made.uid, situation="WAITING", language="zh-hans", text="请用茶", active=False, by=manager)
    assert "请用茶" not in reads.phrases("WAITING", "zh-hans")
    assert History.objects.filter(code="reception.script.saved").count() == 2


def test_an_observation_is_written_down_with_clause_score_and_evidence(manager, lin):
    seen = conduct.observe_reception(
        employee_uid=lin.uid,
        situation="ARRIVAL",
        scores={"SMILE": 2, "LISTENS": 0, "LEADS": 1},
        seen={"LISTENS": "客户没说完就打断"},
        photo=make_picture(),
        by=manager,
    )
    assert [(s.item, s.clause, s.points, s.seen) for s in seen.scores.all()] == [
        ("SMILE", "2.1.3", 2, ""),
        ("LISTENS", "2.1.3", 0, "客户没说完就打断"),
        ("LEADS", "2.1.2", 1, ""),
    ]
    assert (seen.points, seen.most, seen.observer.name) == (3, 6, "沈主管")
    line = History.objects.get(code="reception.observation.observed")
    assert line.facts == {"employee": str(lin.uid), "situation": "ARRIVAL", "points": 3, "most": 6}


def test_refusals_write_nothing(manager, chief, lin, store):
    run = conduct.observe_reception
    good = {"employee_uid": lin.uid, "situation": "ARRIVAL", "scores": {"SMILE": 2}, "by": manager}
    cases = (
        ({"employee_uid": chief.uid}, "observation.self"),
        ({"situation": "X"}, "script.situation"),
        ({"scores": {}}, "observation.empty"),
        ({"scores": {"SMILE": 3}}, "observation.item"),
        ({"scores": {"X": 1}}, "observation.item"),
        ({"scores": {"SMILE": 0}}, "observation.seen"),
    )
    for change, code in cases:
        assert unchanged(run, **(good | change)).code == code
    with pytest.raises(NotAllowed):
        run(**(good | {"by": actor_for(lin)}))
    stranger = make_employee(make_store("SH01"), "receptionist")
    with pytest.raises(type(stranger).DoesNotExist):
        run(**(good | {"employee_uid": stranger.uid}))
    assert Observation.objects.count() == 0


def test_the_database_keeps_observations(manager, lin, refused):
    conduct.observe_reception(employee_uid=lin.uid, situation="PHONE", scores={"SMILE": 2}, by=manager)
    for table in ("observation", "observationscore"):
        with refused(f"{table}_append_only") as sql:
            sql(f"DELETE FROM reception_{table}")
    with refused("observationscore_append_only") as sql:
        sql("UPDATE reception_observationscore SET points = 1")
    with refused("observation_append_only") as sql:
        sql("UPDATE reception_observation SET remark = 'x'")
    with refused("observation_other_person") as sql:
        sql(
            "INSERT INTO reception_observation (uid, version, created_at, updated_at, store_id, employee_id, observer_id,"
            " at, situation, remark) SELECT gen_random_uuid(), 1, now(), now(), store_id, observer_id, observer_id, at,"
            " situation, '' FROM reception_observation"
        )
    insert = (
        "INSERT INTO reception_observationscore (observation_id, item, clause, points, seen)"
        " SELECT id, %s, '2.1.3', %s, '' FROM reception_observation"
    )
    for name, values in (
        ("observationscore_once", ["SMILE", 2]),
        ("observationscore_range", ["NEAT", 3]),
        ("observationscore_seen", ["NEAT", 0]),
    ):
        with refused(name) as sql:
            sql(insert, values)
    with refused("script_once") as sql:
        sql(
            "INSERT INTO reception_script (uid, version, created_at, updated_at, situation, language, text, active)"
            " SELECT gen_random_uuid(), 1, now(), now(), situation, language, text, true FROM reception_script"
        )
    with refused("script_text") as sql:
        sql("UPDATE reception_script SET text = ''")
    assert ObservationScore.objects.count() == 1


def test_the_figure_is_points_of_possible_points_by_person(manager, lin, store):
    other = make_employee(store, "advisor", name="吴越")
    for person, scores in ((lin, {"SMILE": 2, "LISTENS": 1}), (lin, {"SMILE": 2}), (other, {"NEAT": 1})):
        conduct.observe_reception(employee_uid=person.uid, situation="ARRIVAL", scores=scores, by=manager)
    recompute_day(store_id=store.pk, day=DAY)
    shown = read(manager, "reception.standard_kept", DAY, DAY)
    assert (shown.numerator, shown.denominator, shown.value) == (6, 8, 75)
    behind = rows_behind(manager, "reception.standard_kept", DAY, DAY)
    assert (behind.count, behind.numerator, behind.denominator) == (3, 6, 8)
    mine = rows_behind(manager, "reception.standard_kept", DAY, DAY, dimension=str(lin.uid))
    assert (mine.count, mine.numerator, mine.denominator) == (2, 5, 6)
    assert [(kept.name, kept.share) for kept in reads.kept_by_person(manager)] == [("吴越", 50), ("林晓", 83)]


def test_the_pages(chief, lin, store):
    browser = sign_in(chief)
    page = browser.get("/scripts/").content.decode()
    assert "请问您需要什么帮助？" in page
    assert (
        browser.post(
            "/scripts/new/", {"situation": "PHONE", "language": "en", "text": "", "form_token": uuid4()}
        ).status_code
        == 422
    )
    made = {"situation": "PHONE", "language": "en", "text": "Please hold.", "active": "on", "form_token": uuid4()}
    assert browser.post("/scripts/new/", made).url == "/scripts/"
    script = Script.objects.get(text="Please hold.")
    change = made | {"text": "One moment, please.", "form_token": uuid4()}
    assert browser.post(f"/scripts/{script.uid}/", change).url == "/scripts/"
    assert "还没有观察记录" in browser.get("/observations/").content.decode()
    sent = {"employee": lin.uid, "situation": "ARRIVAL", "points_SMILE": "0", "form_token": uuid4()}
    refused = browser.post("/observations/new/", sent)
    assert refused.status_code == 422
    assert "请写明看到了什么" in refused.content.decode()
    sent |= {
        "seen_SMILE": "低头玩手机",
        "photo": SimpleUploadedFile("a.jpg", make_picture(), "image/jpeg"),
        "form_token": uuid4(),
    }
    answer = browser.post("/observations/new/", sent)
    observation = Observation.objects.get()
    assert answer.url == f"/observations/{observation.uid}/"
    assert "低头玩手机" in browser.get(answer.url).content.decode()
    assert browser.get(f"/observations/{observation.uid}/photo/").headers["Content-Type"] == "image/jpeg"
    assert "林晓" in browser.get("/observations/").content.decode()
    stranger = sign_in(make_employee(make_store("SH01"), "manager"))
    assert stranger.get(answer.url).status_code == 404
    assert stranger.get(f"/observations/{observation.uid}/photo/").status_code == 404


def test_phrases_stand_where_the_situation_is(lin, store):
    browser = sign_in(lin)
    assert "请问您需要什么帮助？" in browser.get("/visits/new/").content.decode()
    advisor = make_employee(store, "advisor")
    visit = make_received_visit(actor_for(advisor))
    assert "请您带好车内的贵重物品。" in sign_in(advisor).get(f"/visits/{visit.uid}/walkaround/").content.decode()
