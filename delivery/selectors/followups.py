"""Reads of callbacks and surveys (4.2, 4.3)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from delivery.limits import SURVEY_DAY
from delivery.models import FollowUp, FollowUpState, Survey, SurveyDimension
from reception.models import Consent, ConsentPurpose, Visit, VisitState


def surveys_due() -> list[tuple[UUID, int]]:
    """(visit, store) of cars that left the set number of days ago, have an order, and were not asked yet.

    A customer who has withdrawn the consent to surveys is not asked. Looks back 30 days at most.
    """
    due: list[tuple[UUID, int]] = []
    latest = Consent.objects.filter(customer=OuterRef("customer"), purpose=ConsentPurpose.SURVEY).order_by("-at", "-id")
    for store in Store.objects.all():
        until = clock.now() - timedelta(days=limits.value(SURVEY_DAY, store_id=store.pk))
        rows = (
            Visit.objects.filter(
                store=store,
                state=VisitState.DEPARTED,
                left_at__lte=until,
                left_at__gt=until - timedelta(days=30),
                survey__isnull=True,
                handover__isnull=False,
            )
            .annotate(consented=Subquery(latest.values("given")[:1]))
            .filter(Q(consented=True) | Q(consented__isnull=True))  # exclude() would drop who was never asked
            .order_by("left_at")
        )
        due += [(uid, store.pk) for uid in rows.values_list("uid", flat=True)]
    return due


def follow_ups(by: Actor, *, state: str = "DUE") -> QuerySet[FollowUp]:
    """Callbacks of the actor's stores: those due today or before first, then by day."""
    rows = FollowUp.objects.for_actor(by).select_related(
        "visit__customer", "visit__vehicle", "visit__advisor", "visit__survey"
    )
    if state == "DUE":
        return rows.filter(state=FollowUpState.DUE, due_on__lte=clock.today()).order_by("due_on", "id")
    if state == "COMING":
        return rows.filter(state=FollowUpState.DUE, due_on__gt=clock.today()).order_by("due_on", "id")
    return rows.exclude(state=FollowUpState.DUE).order_by("-closed_at", "-id")


def follow_up_counts(by: Actor) -> dict[str, int]:
    """How many are due, coming and closed."""
    return {state: follow_ups(by, state=state).count() for state in ("DUE", "COMING", "CLOSED")}


def survey_rows(by: Actor, *, days: int = 90) -> list[dict[str, Any]]:
    """Answered surveys of the last ``days`` days, newest first, with the mean of their scores."""
    since = clock.now() - timedelta(days=days)
    surveys = (
        Survey.objects.for_actor(by).filter(answered_at__gte=since)
        .select_related("visit__vehicle", "visit__advisor", "visit__customer").prefetch_related("answers")
        .order_by("-answered_at")
    )  # fmt: skip
    return [
        {"survey": s, "scores": {a.dimension: a.score for a in s.answers.all()}, "low": (s.recommend or 0) <= 6}
        for s in surveys
    ]


def last_days(days: int) -> tuple[date, date]:
    """First and last day of the last ``days`` days, today included."""
    today = clock.today()
    return today - timedelta(days=days - 1), today


def surveys_sent(by: Actor, *, days: int = 90) -> int:
    """How many surveys went out in the last ``days`` days."""
    return Survey.objects.for_actor(by).filter(sent_at__gte=clock.now() - timedelta(days=days)).count()


def dimension_means(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean score and share of the two best answers per dimension; the mean is hidden below five answers (domain 4.3)."""
    means = []
    for dimension in SurveyDimension:
        scores = [row["scores"][dimension.value] for row in rows if dimension.value in row["scores"]]
        shown = len(scores) >= 5
        means.append(
            {
                "label": dimension.label,
                "n": len(scores),
                "mean": round(sum(scores) / len(scores), 2) if shown else None,
                "bar": round(sum(scores) / len(scores) * 20) if shown else 0,
                "best": round(100 * sum(s >= 4 for s in scores) / len(scores)) if shown else None,
            }
        )
    return means
