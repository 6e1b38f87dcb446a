"""Commands on knowledge: an article, its versions and who looks at it again by when (2.2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from staff.models import Employee
from staff.selectors.employees import employed, employee_of, require_employee

from .. import events, permissions
from ..models import Citation, ConsultationMessage, ConsultationTopic, KnowledgeArticle, KnowledgeVersion
from ..selectors.knowledge import in_force

LONGEST_TEXT = 20_000


def lock_article(*, uid: UUID) -> KnowledgeArticle:
    """The article, locked; one that was withdrawn takes no more changes. Raises RuleError ``article.withdrawn``."""
    article = KnowledgeArticle.objects.locked().get(uid=uid)
    if article.withdrawn_at is not None:
        raise RaceLost("article.withdrawn", _("This article was withdrawn; write a new one."))
    return article


@transaction.atomic
def write_article(
    *,
    title: str,
    topic: str,
    body: str,
    review_on: date,
    by: Actor,
    starts_on: date | None = None,
    ends_on: date | None = None,
    source: str = "",
    owner_uid: UUID | None = None,
) -> KnowledgeArticle:
    """2.2.2: a new article with its first version, in force from ``starts_on`` (default: today; may be past).

    ``owner_uid`` (default: the acting person) looks at it again by ``review_on``. Raises RuleError ``article.title``,
    ``article.body``, ``article.days`` and ``article.review``.
    """
    by.require(permissions.KNOWLEDGE_WRITE)
    owner = _employee(owner_uid, by) if owner_uid else require_employee(by)
    name = _title(title)
    _require_review(review_on)
    if KnowledgeArticle.objects.filter(title=name).exists():
        raise RuleError("article.title", _("There is an article with this title."), field="title")
    article = KnowledgeArticle.objects.create(
        title=name, pinyin=_pinyin(name), topic=ConsultationTopic(topic), owner=owner, review_on=review_on
    )
    version = _write_version(article, body=body, starts_on=starts_on, ends_on=ends_on, source=source, by=by)
    record(
        article,
        events.ARTICLE_WRITTEN,
        by=by,
        topic=article.topic,
        owner=owner.uid,
        cited_version=version.number,
        starts_on=version.starts_on,
    )
    return article


@transaction.atomic
def revise_article(
    *,
    uid: UUID,
    title: str,
    body: str,
    starts_on: date,
    review_on: date,
    by: Actor,
    ends_on: date | None = None,
    source: str = "",
) -> KnowledgeArticle:
    """2.2.2: another version from ``starts_on`` (today or later) on; what was cited before stays as it was.

    Raises RuleError ``article.past`` for a day that is over, ``article.order`` where a later version is written
    already, ``article.unchanged`` where nothing differs.
    """
    by.require(permissions.KNOWLEDGE_WRITE)
    article = lock_article(uid=uid)
    name, words = _title(title), _words(body)
    _require_review(review_on)
    if starts_on < clock.today():
        raise RuleError(
            "article.past",
            _("A version begins today or later: what was said until now stays as it was."),
            field="starts_on",
        )
    last = article.versions.order_by("number").last()
    assert last is not None  # an article is born with its first version
    if last.starts_on > starts_on:
        raise RuleError(
            "article.order",
            _("Version %(number)s begins on %(day)s; a version after it begins that day or later."),
            field="starts_on",
            number=last.number,
            day=last.starts_on.isoformat(),
        )
    if (last.title, last.body, last.source, last.ends_on) == (name, words, _line(source), ends_on):
        raise RuleError("article.unchanged", _("Nothing was changed."), field="body")
    if KnowledgeArticle.objects.filter(title=name).exclude(pk=article.pk).exists():
        raise RuleError("article.title", _("There is an article with this title."), field="title")
    article.title, article.pinyin, article.review_on = name, _pinyin(name), review_on
    article.save(update_fields=["title", "pinyin", "review_on"])
    version = _write_version(article, body=words, starts_on=starts_on, ends_on=ends_on, source=source, by=by)
    record(
        article,
        events.ARTICLE_REVISED,
        by=by,
        changed={"number": (last.number, version.number)},
        starts_on=version.starts_on,
    )
    return article


@transaction.atomic
def review_article(*, uid: UUID, review_on: date, by: Actor) -> KnowledgeArticle:
    """2.2.2: looked at and still right; it is looked at again by ``review_on``. Raises RuleError ``article.review``."""
    by.require(permissions.KNOWLEDGE_WRITE)
    _require_review(review_on)
    article = lock_article(uid=uid)
    if article.review_on == review_on:
        raise RuleError("article.review_same", _("It is to be looked at by that day already."), field="review_on")
    before, article.review_on = article.review_on, review_on
    article.save(update_fields=["review_on"])
    record(article, events.ARTICLE_REVIEWED, by=by, changed={"review_on": (before, review_on)})
    return article


@transaction.atomic
def give_article(*, uid: UUID, employee_uid: UUID, by: Actor) -> KnowledgeArticle:
    """Somebody else looks after it. Raises RuleError ``article.owner_same`` and for who doesn't work here."""
    by.require(permissions.KNOWLEDGE_WRITE)
    article = lock_article(uid=uid)
    owner = _employee(employee_uid, by)
    if article.owner_id == owner.pk:
        raise RuleError("article.owner_same", _("This person looks after it already."), field="employee_uid")
    _give(article, owner, by)
    return article


def hand_over_articles(giver: Employee, taker: Employee, by: Actor) -> int:
    """The articles that ``giver`` looks after go to ``taker``; returns how many."""
    rows = list(KnowledgeArticle.objects.filter(owner=giver, withdrawn_at__isnull=True).locked().order_by("pk"))
    for article in rows:
        _give(article, taker, by)
    return len(rows)


def _give(article: KnowledgeArticle, owner: Employee, by: Actor) -> None:
    before, article.owner = article.owner, owner
    article.save(update_fields=["owner"])
    record(article, events.ARTICLE_GIVEN, by=by, changed={"owner": (before.uid, owner.uid)})


@transaction.atomic
def withdraw_article(*, uid: UUID, reason: str, by: Actor) -> KnowledgeArticle:
    """It answers nothing any more; what cited it keeps its words. Raises RuleError ``article.reason``."""
    by.require(permissions.KNOWLEDGE_WRITE)
    words = _line(reason, 200)
    if not words:
        raise RuleError("article.reason", _("Say why the article is withdrawn."), field="reason")
    article = lock_article(uid=uid)
    article.withdrawn_at, article.withdrawn_reason = clock.now(), words
    article.save(update_fields=["withdrawn_at", "withdrawn_reason"])
    record(article, events.ARTICLE_WITHDRAWN, by=by, changed={"withdrawn_at": (None, article.withdrawn_at)})
    return article


def cite(said: ConsultationMessage, uids: Iterable[UUID], *, time_zone: str) -> list[KnowledgeVersion]:
    """2.2.2: writes down which versions an answer was taken from; part of the answer's own transaction.

    Raises RuleError ``consultation.cite`` for a version that isn't in force on the answer's day.
    """
    wanted = list(dict.fromkeys(uids))
    found = list(in_force(clock.today(time_zone)).filter(uid__in=wanted).order_by("article_id"))
    if len(found) != len(wanted):
        raise RuleError(
            "consultation.cite",
            _("One of the chosen articles has another version by now; look at it and choose again."),
            field="cites",
        )
    for version in found:
        Citation.objects.create(message=said, cited=version)
    return found


def _write_version(
    article: KnowledgeArticle, *, body: str, starts_on: date | None, ends_on: date | None, source: str, by: Actor
) -> KnowledgeVersion:
    begins = starts_on or clock.today()
    if ends_on is not None and ends_on < begins:
        raise RuleError("article.days", _("The last day isn't before the first."), field="ends_on")
    return KnowledgeVersion.objects.create(
        article=article,
        number=article.versions.count() + 1,
        title=article.title,
        body=_words(body),
        source=_line(source),
        starts_on=begins,
        ends_on=ends_on,
        author=employee_of(by),
    )


def _employee(uid: UUID, by: Actor) -> Employee:
    found = Employee.objects.for_actor(by).filter(employed(clock.today()), uid=uid).first()
    if found is None:
        raise RuleError(
            "article.owner", _("Choose somebody who works here to look after the article."), field="owner_uid"
        )
    return found


def _require_review(review_on: date) -> None:
    if review_on <= clock.today():
        raise RuleError("article.review", _("It is looked at again on a day ahead."), field="review_on")


def _title(title: str) -> str:
    name = _line(title, 80)
    if not name:
        raise RuleError(
            "article.title_empty", _("Give the article a title: the question as a customer asks it."), field="title"
        )
    return name


def _line(text: str, most: int = 160) -> str:
    return formats.one_line(text.replace("\x00", ""))[:most]


def _words(body: str) -> str:
    words = body.replace("\x00", "").replace("\r\n", "\n").strip()
    if not words:
        raise RuleError("article.body", _("Write down the answer."), field="body")
    if len(words) > LONGEST_TEXT:
        raise RuleError(
            "article.long",
            _("The text is longer than %(most)s characters; shorten it."),
            field="body",
            most=LONGEST_TEXT,
        )
    return words


def _pinyin(title: str) -> str:
    return f"{formats.pinyin_full(title)} {formats.pinyin_initials(title)}"[:400]
