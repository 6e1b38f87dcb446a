"""Reads of the uploads of health records (3.3, domain 7.2)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from compliance import platform
from compliance.health_models import HealthUpload, UploadState
from compliance.limits import HEALTH_LATE_HOURS
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store

SHOWN = ("LATE", "WAITING", "FAILED", "MANUAL", "SENT")
AT_ONCE = 200


def uploads(by: Actor, *, show: str) -> QuerySet[HealthUpload]:
    """LATE: not on the platform though the set hours have passed, oldest first; else by state, newest first."""
    rows = HealthUpload.objects.for_actor(by).select_related("settlement__order__vehicle", "store")
    if show == "LATE":
        return rows.filter(_late()).order_by("settled_at", "pk")
    return rows.filter(state=show).order_by("-settled_at", "-pk")


def _late() -> Q:
    now, late = clock.now(), Q(pk__isnull=True)
    for store_id in Store.objects.values_list("pk", flat=True):
        before = now - timedelta(hours=limits.value(HEALTH_LATE_HOURS, store_id=store_id))
        late |= Q(store_id=store_id, settled_at__lt=before)
    return late & ~Q(state=UploadState.SENT)


def upload_counts(by: Actor) -> dict[str, int]:
    return {show: uploads(by, show=show).count() for show in SHOWN}


def to_be_done(by: Actor) -> int:
    """How many records need somebody: left to a person, or late though the store is connected."""
    here = [store.pk for store in Store.objects.all() if platform.connected(store.code)]
    stuck = Q(state=UploadState.MANUAL) | (_late() & Q(store__in=here))
    return HealthUpload.objects.for_actor(by).filter(stuck).count()


def uploads_due() -> list[tuple[UUID, int]]:
    """(upload, store) of what may be tried now, of stores whose account is known, the longest waiting first."""
    here = [store.pk for store in Store.objects.all() if platform.connected(store.code)]
    rows = HealthUpload.objects.filter(
        store__in=here, state__in=[UploadState.WAITING, UploadState.FAILED], next_at__lte=clock.now()
    )
    return list(rows.order_by("next_at", "pk").values_list("uid", "store_id")[:AT_ONCE])


def unconnected(by: Actor) -> list[str]:
    """Codes of the reader's stores from which nothing can be sent, as no account is set up."""
    stores = Store.objects.all() if by.store_ids is None else Store.objects.filter(pk__in=by.store_ids)
    return [store.code for store in stores if not platform.connected(store.code)]
