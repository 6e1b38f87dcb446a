"""Screens on the wall that show the plan: each has an address of its own that can be taken back (2.4)."""

from __future__ import annotations

import secrets
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from workshop import events, permissions
from workshop.models import ScreenKind, WallScreen

MOST = 20


@transaction.atomic
def add_screen(*, name: str, by: Actor, kind: str = ScreenKind.PLAN) -> WallScreen:
    """An address under which a screen may show the store's plan, or people clock by scanning, without a log-in (2.4, 3.2).

    Raises RuleError ``screen.name``, ``screen.kind`` and ``screen.most``.
    """
    by.require(permissions.PLAN_DISPATCH)
    if not name.strip():
        raise RuleError("screen.name", _("Say where the screen hangs."), field="name")
    if kind not in ScreenKind.values:
        raise RuleError("screen.kind", _("Choose what the screen is for."), field="kind")
    store = Store.objects.get(pk=by.store_id)
    if WallScreen.objects.filter(store=store, ended_at__isnull=True).count() >= MOST:
        raise RuleError("screen.most", _("A store has %(most)s screens at most; take one back first."), most=MOST)
    screen = WallScreen.objects.create(
        store=store, name=formats.one_line(name)[:40], kind=kind, key=secrets.token_urlsafe(32)
    )
    record(screen, events.SCREEN_ADDED, by=by)
    return screen


@transaction.atomic
def end_screen(*, uid: UUID, by: Actor) -> WallScreen:
    """The address shows nothing any more; a second time is refused (2.4)."""
    by.require(permissions.PLAN_DISPATCH)
    screen = WallScreen.objects.for_actor(by).locked().get(uid=uid)
    if screen.ended_at is not None:
        raise RuleError("screen.ended", _("This address has been taken back already."))
    screen.ended_at = clock.now()
    screen.save(update_fields=["ended_at"])
    record(screen, events.SCREEN_ENDED, by=by, changed={"ended_at": (None, screen.ended_at)})
    return screen
