"""Reads of knowledge: what is in force on a day, found by words, pinyin or nearly right words (2.2.2)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.formats import fold_width
from staff.models import Employee
from staff.selectors.employees import employed

from ..models import (
    Citation,
    Consultation,
    ConsultationTopic,
    KnowledgeArticle,
    KnowledgeVersion,
    MessageDirection,
)

SHOWN = 100
OFFERED = 8
READ = 400
"""So many articles in force are compared with the words of a question."""
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
_LETTERS = re.compile(r"[a-z0-9]{3,}")
_EVERY_QUESTION = re.compile(
    "什么时候|什么时间|多长时间|多少钱|为什么|怎么样|怎么办|能不能|可不可以|是不是|有没有|需不需要|你们|我们|您好|你好|"
    "请问|什么|怎么|多少|多久|哪里|哪些|可以|需要|是否|如何|时候|时间|谢谢|一下|一般|大概|我的|车子|"
    "[吗呢吧的了是和在要我你您有很就也都还这那]|\\b(?:the|and|for|how|what|when|much|does|can|you|are|with|cost|need|car)\\b"
)
NEARLY = 0.3
"""From this likeness of the title on (0–1) an article is offered where no word fits exactly."""

FILTERS: dict[str, Any] = {
    "all": _("in use"),
    **{topic.value: topic.label for topic in ConsultationTopic},
    "due": _("to be looked at again"),
    "silent": _("nothing in force"),
    "withdrawn": _("withdrawn"),
}


def in_force(on: date) -> QuerySet[KnowledgeVersion]:
    """The version of each article that holds on a day of the store; an article without one is missing."""
    later = KnowledgeVersion.objects.filter(
        article=OuterRef("article"), starts_on__lte=on, number__gt=OuterRef("number")
    )
    return KnowledgeVersion.objects.filter(
        ~Exists(later),
        Q(ends_on__isnull=True) | Q(ends_on__gte=on),
        starts_on__lte=on,
        article__withdrawn_at__isnull=True,
    ).select_related("article")


def _matching(rows: QuerySet[KnowledgeVersion], text: str) -> QuerySet[KnowledgeVersion]:
    """Every word stands in title, pinyin or body, the title first; else titles that are nearly like the text."""
    words = fold_width(text).strip().lower().split()
    if not words:
        return rows.order_by("article__topic", "title")
    exact = rows
    for word in words:
        exact = exact.filter(Q(title__icontains=word) | Q(article__pinyin__contains=word) | Q(body__icontains=word))
    ranked = exact.annotate(like=TrigramWordSimilarity(" ".join(words), "title")).order_by("-like", "title")
    if ranked.exists():
        return ranked
    near = rows.annotate(like=TrigramWordSimilarity(" ".join(words), "title")).filter(like__gte=NEARLY)
    return near.order_by("-like", "title")


def articles(by: Actor, *, show: str, text: str) -> dict[str, Any]:
    """The articles of one filter with the version that is in force, and the counts of all filters."""
    today = clock.today()
    holds = in_force(today).filter(article=OuterRef("pk"))
    rows = KnowledgeArticle.objects.for_actor(by).annotate(spoken=Exists(holds))
    use = Q(withdrawn_at__isnull=True)
    filters = {
        "all": use,
        **{topic: use & Q(topic=topic) for topic in ConsultationTopic.values},
        "due": use & Q(review_on__lte=today),
        "silent": use & Q(spoken=False),
        "withdrawn": ~use,
    }
    counts = rows.aggregate(**{code: Count("pk", filter=condition) for code, condition in filters.items()})
    last = KnowledgeVersion.objects.filter(article=OuterRef("pk")).order_by("-number")
    version = (
        Subquery(holds.values("pk")[:1]) if show not in ("silent", "withdrawn") else Subquery(last.values("pk")[:1])
    )
    chosen = rows.filter(filters[show]).annotate(shown=version)
    if text.strip():
        shown = KnowledgeVersion.objects.filter(pk__in=chosen.values("shown")).select_related("article__owner")
        found = list(_matching(shown, text)[:SHOWN])
        pairs: list[tuple[KnowledgeArticle, KnowledgeVersion | None]] = [(v.article, v) for v in found]
    else:
        listed = list(chosen.select_related("owner").order_by("topic", "title")[:SHOWN])
        of = KnowledgeVersion.objects.in_bulk([row.shown for row in listed if row.shown])
        pairs = [(row, of.get(row.shown)) for row in listed]
    return {
        "rows": [{"article": a, "shown": v, "due": a.withdrawn_at is None and a.review_on <= today} for a, v in pairs],
        "strip": [
            {
                "code": code,
                "value": counts[code],
                "label": label,
                "tone": "soon" if code in ("due", "silent") and counts[code] else "",
            }
            for code, label in FILTERS.items()
            if counts[code] or code in ("all", "due", show)
        ],
        "any": counts["all"] + counts["withdrawn"] > 0,
    }


def offered(consultation: Consultation, *, text: str, chosen: list[UUID]) -> list[dict[str, Any]]:
    """What an answer may be taken from: the chosen versions first, then what the words typed find, else what the words
    of the question fit, best first; nothing where nothing fits."""
    rows = in_force(clock.today(consultation.store.time_zone))
    kept = list(rows.filter(uid__in=chosen).order_by("title"))
    others = rows.exclude(pk__in=[version.pk for version in kept])
    found = list(_matching(others, text)[:OFFERED]) if text.strip() else _fitting(others, consultation)
    return [{"version": v, "chosen": True} for v in kept] + [{"version": v, "chosen": False} for v in found]


def _fitting(rows: QuerySet[KnowledgeVersion], consultation: Consultation) -> list[KnowledgeVersion]:
    """The articles that share words with the question: a word in the title counts three times one in the text.

    One word in the title or two in the text are needed; among equals the topic of the question comes first.
    """
    asked = consultation.messages.filter(direction=MessageDirection.IN).values_list("body", flat=True)
    words = telling_words(" ".join([consultation.subject, *asked]))
    if not words:
        return []
    ranked = []
    for version in rows.order_by("title")[:READ]:
        title, body = fold_width(version.title).lower(), fold_width(version.body).lower()
        score = sum(3 if word in title else 1 for word in words if word in title or word in body)
        if score > 1:
            ranked.append((-score, version.article.topic != consultation.topic, version.title, version))
    return [row[-1] for row in sorted(ranked, key=lambda row: row[:3])[:OFFERED]]


def telling_words(text: str) -> set[str]:
    """The words of a question that say what it is about: pairs of neighbouring characters, words of other scripts
    from three letters on; what stands in every question is left out."""
    pieces = _EVERY_QUESTION.sub(" ", fold_width(text).lower())
    pairs = {run[at : at + 2] for run in _HAN.findall(pieces) for at in range(len(run) - 1)}
    return pairs | set(_LETTERS.findall(pieces))


def article_of(by: Actor, uid: UUID) -> KnowledgeArticle:
    """One article with its owner. Raises KnowledgeArticle.DoesNotExist."""
    return KnowledgeArticle.objects.for_actor(by).select_related("owner").get(uid=uid)


def versions_of(article: KnowledgeArticle) -> dict[str, Any]:
    """All versions, newest first, each with how often it was cited, and the one in force today."""
    today = clock.today()
    rows = list(article.versions.select_related("author").annotate(times=Count("citations")).order_by("-number"))
    now = next((v for v in rows if v.starts_on <= today), None)
    if now is not None and (article.withdrawn_at or (now.ends_on and now.ends_on < today)):
        now = None
    return {"versions": rows, "now": now, "today": today}


def cited_in(by: Actor, article: KnowledgeArticle) -> list[Citation]:
    """The latest answers of the actor's store that were taken from it."""
    rows = Citation.objects.filter(cited__article=article, message__consultation__store_id=by.store_id)
    return list(rows.select_related("cited", "message__consultation", "message__author").order_by("-pk")[:10])


def owners(by: Actor) -> QuerySet[Employee]:
    """Who may look after an article: the people of the store with a log-in."""
    rows = Employee.objects.filter(employed(clock.today()), store_id=by.store_id, user__isnull=False)
    return rows.order_by("pinyin", "pk")


def due_count(by: Actor) -> int:
    """How many articles the acting person's store should look at again, for the rail."""
    return KnowledgeArticle.objects.filter(
        owner__store_id=by.store_id, withdrawn_at__isnull=True, review_on__lte=clock.today()
    ).count()
