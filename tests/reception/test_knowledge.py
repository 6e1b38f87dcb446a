"""Knowledge: articles, their versions with the days they hold, search, and answers that name what they came from (2.2.2)."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost
from dealership.kernel.models import History
from reception.models import Citation, ConsultationMessage, KnowledgeArticle, KnowledgeVersion
from reception.selectors import knowledge as reads
from reception.services import consultations, knowledge
from staff.services.employees import hand_over_work
from tests.factories.reception import rule
from tests.factories.staff import make_actor, make_employee, make_store

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
AHEAD = date(2027, 5, 24)


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def desk(store):
    return make_actor(store, "receptionist")


@pytest.fixture
def care(store):
    return make_actor(store, "care")


@pytest.fixture(autouse=True)
def _monday():
    with clock.moved_to(clock_at(10)):
        yield


def clock_at(hour: int, day: date = TODAY):
    from datetime import UTC, datetime

    return datetime(day.year, day.month, day.day, hour - 8, 0, tzinfo=UTC)


def write(by, **values):
    given = {
        "title": "首次保养什么时候做？",
        "topic": "INTERVAL",
        "body": "5000 公里或 6 个月。",
        "source": "保养手册",
        "starts_on": TODAY,
        "review_on": AHEAD,
    }
    return knowledge.write_article(**given | values, by=by)


def revise(article, by, **values):
    given = {"title": article.title, "body": "7500 公里或 6 个月。", "starts_on": TODAY, "review_on": AHEAD}
    return knowledge.revise_article(uid=article.uid, **given | values, by=by)


def ask(by, **values):
    given = {"channel": "PHONE", "body": "首保什么时候？", "contact_name": "张试问", "topic": "INTERVAL"}
    return consultations.register_consultation(**given | values, by=by)


def version(article, number=1):
    return KnowledgeVersion.objects.get(article=article, number=number)


def facts_of(uid):
    return list(History.objects.filter(root_uid=uid).order_by("id").values_list("code", "changed"))


# --- articles and versions ---


def test_an_article_is_born_with_its_first_version_and_its_owner(care):
    article = write(care)
    assert (article.owner.user, article.review_on, article.withdrawn_at) == (care.user, AHEAD, None)
    assert list(article.versions.values_list("number", "title", "body", "source", "starts_on", "ends_on")) == [
        (1, "首次保养什么时候做？", "5000 公里或 6 个月。", "保养手册", TODAY, None)
    ]
    assert facts_of(article.uid) == [("reception.knowledge_article.written", {})]


def test_a_new_version_holds_from_its_day_on_and_the_one_before_until_then(care):
    article = write(care)
    revise(article, care, starts_on=TODAY + timedelta(days=3))
    held = [
        reads.in_force(TODAY + timedelta(days=days)).values_list("number", flat=True).first()
        for days in (-1, 0, 2, 3, 400)
    ]
    assert held == [None, 1, 1, 2, 2]
    assert facts_of(article.uid)[-1] == ("reception.knowledge_article.revised", {"number": [1, 2]})


def test_a_version_with_a_last_day_leaves_nothing_in_force_after_it(care):
    write(care, ends_on=TODAY + timedelta(days=1))
    assert [reads.in_force(TODAY + timedelta(days=days)).count() for days in (0, 1, 2)] == [1, 1, 0]
    with clock.moved_to(clock_at(10, TODAY + timedelta(days=2))):
        counts = {item["code"]: item["value"] for item in reads.articles(care, show="silent", text="")["strip"]}
    assert counts["silent"] == 1


def test_an_earlier_version_never_comes_back_after_a_later_one_has_ended(care):
    article = write(care)
    revise(article, care, ends_on=TODAY + timedelta(days=1))
    assert list(reads.in_force(TODAY + timedelta(days=2))) == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"title": " "}, "article.title_empty"),
        ({"title": "首次保养什么时候做？"}, "article.title"),
        ({"title": "别的", "body": " "}, "article.body"),
        ({"title": "别的", "body": "长" * 20001}, "article.long"),
        ({"title": "别的", "ends_on": TODAY - timedelta(days=1)}, "article.days"),
        ({"title": "别的", "review_on": TODAY}, "article.review"),
        ({"title": "别的", "owner_uid": uuid4()}, "article.owner"),
    ],
)
def test_a_refused_article_writes_nothing(care, values, code):
    write(care)
    lines = History.objects.count()
    with rule(code), transaction.atomic():
        write(care, **values)
    assert (KnowledgeArticle.objects.count(), KnowledgeVersion.objects.count(), History.objects.count()) == (
        1,
        1,
        lines,
    )


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"starts_on": TODAY - timedelta(days=1)}, "article.past"),
        ({"body": "5000 公里或 6 个月。", "source": "保养手册"}, "article.unchanged"),
        ({"title": "别的问题"}, "article.title"),
        ({"review_on": TODAY}, "article.review"),
    ],
)
def test_a_refused_version_writes_nothing(care, values, code):
    article = write(care)
    write(care, title="别的问题")
    lines = History.objects.count()
    with rule(code), transaction.atomic():
        revise(article, care, **values)
    article.refresh_from_db()
    assert (article.title, article.versions.count(), History.objects.count()) == ("首次保养什么时候做？", 1, lines)


def test_a_version_doesn_t_go_before_one_that_is_written_already(care):
    article = write(care)
    revise(article, care, starts_on=TODAY + timedelta(days=9))
    with rule("article.order"):
        revise(article, care, body="再改", starts_on=TODAY + timedelta(days=8))


def test_it_is_looked_at_again_given_on_and_withdrawn(store, care):
    article, other = write(care), make_employee(store, "warranty")
    with clock.moved_to(clock_at(10, AHEAD)):
        assert reads.due_count(care) == 1
        knowledge.review_article(uid=article.uid, review_on=AHEAD + timedelta(days=90), by=care)
        assert reads.due_count(care) == 0
    knowledge.give_article(uid=article.uid, employee_uid=other.uid, by=care)
    with rule("article.owner_same"):
        knowledge.give_article(uid=article.uid, employee_uid=other.uid, by=care)
    with rule("article.reason"):
        knowledge.withdraw_article(uid=article.uid, reason=" ", by=care)
    knowledge.withdraw_article(uid=article.uid, reason="政策停止", by=care)
    assert list(reads.in_force(TODAY)) == []
    for refused in (
        lambda: revise(article, care),
        lambda: knowledge.review_article(uid=article.uid, review_on=AHEAD, by=care),
        lambda: knowledge.withdraw_article(uid=article.uid, reason="再来", by=care),
    ):
        with pytest.raises(RaceLost):
            refused()
    assert [code.rpartition(".")[2] for code, _changed in facts_of(article.uid)] == [
        "written",
        "reviewed",
        "given",
        "withdrawn",
    ]


def test_an_article_isn_t_given_to_somebody_of_a_store_one_doesn_t_see(care):
    stranger, article = make_employee(make_store("NH02"), "care"), write(care)
    with rule("article.owner"):
        knowledge.give_article(uid=article.uid, employee_uid=stranger.uid, by=care)
    with rule("article.owner"):
        write(care, title="别的", owner_uid=stranger.uid)
    article.refresh_from_db()
    assert article.owner.user == care.user


def test_a_leaver_s_articles_go_along(store, care):
    article, taker = write(care), make_employee(store, "care")
    hand_over_work(from_uid=article.owner.uid, to_uid=taker.uid, reason="离职", by=machine("tests", store_id=store.pk))
    article.refresh_from_db()
    assert article.owner == taker


def test_who_only_reads_writes_nothing(desk):
    with pytest.raises(NotAllowed):
        write(desk)
    assert KnowledgeArticle.objects.count() == 0


# --- search ---


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("保养", ["首次保养什么时候做？", "燃油车多久保养一次？"]),
        ("首次 保养", ["首次保养什么时候做？"]),
        ("scby", ["首次保养什么时候做？"]),
        ("baoyang", ["首次保养什么时候做？", "燃油车多久保养一次？"]),
        ("三包", ["质保期是多久？"]),
        ("首次做保养什么时间", ["首次保养什么时候做？"]),
        ("飞机", []),
    ],
)
def test_words_of_the_title_the_text_pinyin_and_nearly_right_words_find_it(care, words, found):
    write(care)
    write(care, title="燃油车多久保养一次？", body="一万公里或一年。")
    write(care, title="质保期是多久？", topic="WARRANTY", body="三包有效期不低于 2 年。")
    rows = reads.articles(care, show="all", text=words)["rows"]
    assert sorted(row["article"].title for row in rows) == sorted(found)


def test_beside_an_answer_stands_what_fits_the_question_best_first_and_nothing_else(care, desk):
    write(care, title="营业时间", topic="OTHER", body="每天 8:00 至 18:00。")
    write(care, title="代步车", topic="OTHER", body="预约时说明，什么时候还车请写明。")
    body = write(care, title="季节用品", topic="OTHER", body="冬季轮胎 10 月起更换。")
    title = write(care, title="冬季轮胎更换", topic="INTERVAL", body="气温低于 7 度。")

    def proposed(words):
        asked = ask(desk, body=words, topic="OTHER")
        return [row["version"].title for row in reads.offered(asked, text="", chosen=[])]

    assert proposed("冬季轮胎什么时候换，多少钱") == [title.title, body.title]
    assert proposed("天窗漏水怎么办") == []
    assert proposed("多少钱？") == []


def test_beside_an_answer_stand_the_chosen_articles_and_what_the_words_find(care, desk):
    first, other = write(care), write(care, title="质保期是多久？", topic="WARRANTY", body="三年。")
    question = ask(desk, body="首次保养什么时候？")
    titles = [row["version"].title for row in reads.offered(question, text="", chosen=[])]
    assert titles == [first.title]
    rows = reads.offered(question, text="质保", chosen=[version(first).uid])
    assert [(row["version"].title, row["chosen"]) for row in rows] == [(first.title, True), (other.title, False)]


# --- answers name article and version ---


def test_an_answer_names_the_version_and_keeps_naming_it(care, desk):
    article, question = write(care), ask(desk)
    cited = version(article)
    consultations.answer_consultation(uid=question.uid, body="五千公里", way="PHONE", cites=[cited.uid], by=desk)
    revise(article, care)
    said = ConsultationMessage.objects.get(direction="OUT")
    assert [(c.cited.number, c.cited.body) for c in said.citations.all()] == [(1, "5000 公里或 6 个月。")]
    facts = History.objects.get(code="reception.consultation.answered").facts
    assert facts["cited"] == [str(cited.uid)]
    assert [row.message for row in reads.cited_in(desk, article)] == [said]


@pytest.mark.parametrize("case", ["replaced", "to come", "ended", "withdrawn", "unknown"])
def test_a_version_that_isn_t_in_force_can_t_be_named(care, desk, case):
    later = TODAY + timedelta(days=5)
    article = write(care, ends_on=TODAY if case == "ended" else None)
    named = version(article).uid
    if case == "replaced":
        revise(article, care)
    elif case == "to come":
        named = version(revise(article, care, starts_on=later), 2).uid
    elif case == "withdrawn":
        knowledge.withdraw_article(uid=article.uid, reason="停止", by=care)
    elif case == "unknown":
        named = uuid4()
    moment = clock_at(11, TODAY + timedelta(days=1)) if case == "ended" else clock_at(11)
    with clock.moved_to(moment):
        question = ask(desk)
        with rule("consultation.cite"), transaction.atomic():
            consultations.answer_consultation(uid=question.uid, body="答", way="PHONE", cites=[named], by=desk)
    question.refresh_from_db()
    assert (question.state, question.messages.count(), Citation.objects.count()) == ("AWAITING", 1, 0)


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("knowledgeversion_append_only", "UPDATE reception_knowledgeversion SET body = '别的'"),
        ("knowledgeversion_append_only", "DELETE FROM reception_knowledgeversion"),
        ("knowledgearticle_kept", "DELETE FROM reception_knowledgearticle"),
        ("knowledgearticle_withdrawn", "UPDATE reception_knowledgearticle SET withdrawn_at = now()"),
        ("citation_append_only", "UPDATE reception_citation SET cited_id = cited_id"),
        ("citation_append_only", "DELETE FROM reception_citation"),
    ],
)
def test_the_database_keeps_what_was_said(care, desk, refused, constraint, statement):
    article, question = write(care), ask(desk)
    consultations.answer_consultation(uid=question.uid, body="答", way="PHONE", cites=[version(article).uid], by=desk)
    with refused(constraint) as sql:
        sql(statement)


INSERT_VERSION = (
    "INSERT INTO reception_knowledgeversion (uid, article_id, number, title, body, source, starts_on, ends_on, at) "
    "SELECT gen_random_uuid(), id, %s, 't', %s, '', %s, %s, now() FROM reception_knowledgearticle"
)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("knowledgeversion_follows", (3, "x", TODAY, None)),
        ("knowledgeversion_follows", (1, "x", TODAY, None)),
        ("knowledgeversion_follows", (2, "x", TODAY - timedelta(days=1), None)),
        ("knowledgeversion_words", (2, "", TODAY, None)),
        ("knowledgeversion_days", (2, "x", TODAY, TODAY - timedelta(days=1))),
    ],
)
def test_the_database_wants_versions_in_order(care, refused, constraint, values):
    write(care)
    with refused(constraint) as sql:
        sql(INSERT_VERSION, values)


def test_the_database_takes_no_version_of_a_withdrawn_article(care, refused):
    knowledge.withdraw_article(uid=write(care).uid, reason="停止", by=care)
    with refused("knowledgeversion_follows") as sql:
        sql(INSERT_VERSION, (2, "x", TODAY, None))


@pytest.mark.parametrize("case", ["replaced", "question", "withdrawn"])
def test_the_database_lets_only_an_answer_name_a_version_in_force(care, desk, refused, case):
    article, question = write(care), ask(desk)
    consultations.answer_consultation(uid=question.uid, body="答", way="PHONE", by=desk)
    if case == "replaced":
        revise(article, care)
    if case == "withdrawn":
        knowledge.withdraw_article(uid=article.uid, reason="停止", by=care)
    message = question.messages.get(direction="IN" if case == "question" else "OUT")
    moment = message.at + timedelta(seconds=1)
    with clock.moved_to(moment), refused("citation_in_force") as sql:
        sql(
            "INSERT INTO reception_citation (message_id, cited_id) VALUES (%s, %s)",
            [message.pk, version(article).pk],
        )


# --- pages ---


def page_of(by):
    client = Client()
    client.force_login(by.user)
    return client


def test_the_pages_write_revise_review_hand_over_and_withdraw(store, care):
    client, other = page_of(care), make_employee(store, "care")
    assert reverse("article-new") in client.get(reverse("knowledge")).content.decode()
    given = {"title": "首保要多久？", "topic": "INTERVAL", "body": "约一小时。", "starts_on": "2026-11-23"}
    refused = client.post(reverse("article-new"), given | {"review_on": "2026-11-23"})
    assert (refused.status_code, "约一小时。" in refused.content.decode()) == (422, True)
    answer = client.post(reverse("article-new"), given | {"review_on": "2027-05-24"})
    article = KnowledgeArticle.objects.get()
    assert answer.url == reverse("article-detail", args=[article.uid])
    for name, sent in (
        ("revise", given | {"body": "约四十分钟。", "review_on": "2027-05-24"}),
        ("review", {"review_on": "2027-06-01"}),
        ("owner", {"employee": str(other.uid)}),
        ("withdraw", {"reason": "不再提供"}),
    ):
        address = reverse(f"article-{name}", args=[article.uid])
        assert client.get(address).status_code == 200
        assert client.post(address, {}).status_code == 422
        assert client.post(address, sent).url == answer.url
    article.refresh_from_db()
    assert (article.versions.count(), article.owner, article.withdrawn_reason) == (2, other, "不再提供")
    page = client.get(answer.url).content.decode()
    assert "约四十分钟。" in page
    assert "约一小时。" in page
    for show in ("all", "INTERVAL", "due", "silent", "withdrawn", "nonsense"):
        assert client.get(reverse("knowledge"), {"show": show, "words": "首保"}).status_code == 200


def test_an_answer_is_taken_from_an_article_on_the_question_s_page(care, desk):
    article, question = write(care), ask(desk)
    client, uid = page_of(desk), str(version(article).uid)
    address = reverse("consultation-detail", args=[question.uid])
    page = client.get(address, {"cites": uid}).content.decode()
    assert page.count("5000 公里或 6 个月。") == 2  # in the article's words and in the answer
    assert "checked" in page
    assert article.title in client.get(address, {"know": "scby"}).content.decode()
    client.get(address, {"cites": "nonsense"})
    refused = client.post(address, {"body": "", "way": "PHONE", "cites": [uid]})
    assert (refused.status_code, "checked" in refused.content.decode()) == (422, True)
    assert client.post(address, {"body": "五千公里", "way": "PHONE", "cites": [uid]}).status_code == 302
    assert Citation.objects.get().cited == version(article)
    assert f"{article.title} v1" in client.get(address).content.decode()
    article_page = client.get(reverse("article-detail", args=[article.uid])).content.decode()
    assert reverse("consultation-detail", args=[question.uid]) in article_page
