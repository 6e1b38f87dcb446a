"""A store with its people, a clock that is moved by hand, and the background work done on demand, for a live server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dealership.exchange.services.demo import equip
from dealership.exchange.services.demo_store import make_store
from dealership.kernel import clock, outbox
from dealership.kernel.models import Outbox, OutboxState, Store, User
from delivery.tasks import send_due_surveys
from tests.factories.api import make_credentials, take_token

ROOMS = ("reception", "catalogue", "staff", "workshop", "delivery", "quality", "compliance", "kernel", "exchange")
SCOPES = (*(f"{room}:write" for room in ROOMS), "personal:read", "events:read")
FRIDAY = (2026, 11, 27)


class Shop:
    """``at(2026, 11, 27, 9, 30)`` is the store's hour, standing still, for every thread of the live server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.at(*FRIDAY, 8)
        self.store: Store = make_store(code="BJ01", name="滨江店", brand="星河")
        equip([self.store], clock.today())

    def at(self, year: int, month: int, day: int, hour: int, minute: int = 0) -> None:
        moment = datetime.fromisoformat(f"{datetime(year, month, day, hour, minute).isoformat()}+08:00").astimezone(UTC)
        self._patch.setattr(clock, "written_now", lambda: clock._moved.get() or moment)

    def credentials(self, login: str | None = None, *scopes: str) -> tuple[str, str]:
        """Id and secret of a device in this person's hands (None: of a system that speaks for itself)."""
        person = User.objects.get(username=login) if login else None
        made = make_credentials(*(scopes or SCOPES), stores=[self.store], acts_for=person)
        return made.client_id, made.client_secret

    def token(self, login: str | None = None, *scopes: str) -> str:
        person = User.objects.get(username=login) if login else None
        said = take_token(make_credentials(*(scopes or SCOPES), stores=[self.store], acts_for=person))
        return str(said.json()["access_token"])

    def relay(self) -> None:
        """Due surveys, then everything behind the outbox until nothing is due; nothing may fail."""
        send_due_surveys()
        while ids := outbox.claim_due():
            outbox.deliver_all(ids)
        left = list(Outbox.objects.exclude(state=OutboxState.DONE).values("handler", "last_error"))
        assert not left, left
