"""Reads of the standard phrases and of what was seen of them on the floor (2.1.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Sum

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile

from ..models import Observation, ObservationScore, Script

LOOK_BACK_DAYS = 90
SHOWN = 50


def phrases(situation: str, language: str) -> list[str]:
    """The phrases in use for a situation, in the language where there are any, else in Chinese."""
    rows = list(Script.objects.filter(situation=situation, active=True).order_by("id").values_list("language", "text"))
    wanted = "en" if language.startswith("en") else "zh-hans"
    return [text for spoken, text in rows if spoken == wanted] or [text for _spoken, text in rows]


def scripts() -> list[Script]:
    return list(Script.objects.order_by("situation", "-active", "-language", "id"))


@dataclass(frozen=True, slots=True)
class Kept:
    """How one person kept to the standard: points of the possible ones."""

    name: str
    observations: int
    points: int
    most: int

    @property
    def share(self) -> int:
        return round(100 * self.points / self.most) if self.most else 0


def observations_of(by: Actor) -> list[Observation]:
    """The store's latest observations with their scores."""
    return list(
        Observation.objects.for_actor(by)
        .filter(store_id=by.store_id)
        .select_related("employee", "observer", "photo")
        .prefetch_related("scores")
        .order_by("-at", "-pk")[:SHOWN]
    )


def kept_by_person(by: Actor) -> list[Kept]:
    """Each watched person of the last 90 days, the least kept first."""
    rows = (
        ObservationScore.objects.filter(
            observation__in=Observation.objects.for_actor(by).filter(
                store_id=by.store_id, at__gte=clock.now() - timedelta(days=LOOK_BACK_DAYS)
            )
        )
        .order_by()
        .values("observation__employee_id", "observation__employee__name")
        .annotate(n=Count("observation", distinct=True), points=Sum("points"), items=Count("pk"))
    )
    found = [Kept(row["observation__employee__name"], row["n"], row["points"], 2 * row["items"]) for row in rows]
    return sorted(found, key=lambda kept: (kept.share, kept.name))


def observation_of(by: Actor, uid: UUID) -> Observation:
    """One observation. Raises Observation.DoesNotExist for a foreign store's."""
    return (
        Observation.objects.for_actor(by)
        .select_related("employee", "observer", "photo", "store")
        .prefetch_related("scores")
        .get(uid=uid)
    )


def photo_for(by: Actor, uid: UUID) -> StoredFile:
    """The evidence of an observation. Raises Observation.DoesNotExist where there is none."""
    row = Observation.objects.for_actor(by).select_related("photo").get(uid=uid, photo__isnull=False)
    assert row.photo is not None
    return row.photo
