"""Reads of knowledge: what is in force on a day, found by words, pinyin or nearly right words (2.2.2)."""

from __future__ import annotations

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

from ..models import Citation, Consultation, ConsultationTopic, KnowledgeArticle, KnowledgeVersion

SHOWN = 100
OFFERED = 8
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
    """What an answer may be taken from: the chosen versions first, then what the words find, else the topic's."""
    rows = in_force(clock.today(consultation.store.time_zone))
    kept = list(rows.filter(uid__in=chosen).order_by("title"))
    others = rows.exclude(pk__in=[version.pk for version in kept])
    others = (
        _matching(others, text) if text.strip() else others.filter(article__topic=consultation.topic).order_by("title")
    )
    return [{"version": v, "chosen": True} for v in kept] + [{"version": v, "chosen": False} for v in others[:OFFERED]]


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
