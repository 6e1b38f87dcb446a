"""A shop with its people at their screens: one browser context per person, the clock at a working hour.

The clock runs on from the moment it is set to and holds in the threads of the live server too, so that the shop is
open and its people are on duty whatever the wall clock says.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from dealership.exchange.services.demo import equip
from dealership.exchange.services.demo_store import make_store
from dealership.kernel import clock, outbox
from dealership.kernel.models import Outbox, OutboxState, Store, User
from tests.conftest import owner_sql
from tests.kept_rows import KeptRows

DESKTOP, PHONE = (1440, 900), (390, 844)
AXE = settings.BASE_DIR / "node_modules" / "axe-core" / "axe.min.js"
SHOTS: Path | None = settings.VAR_DIR / "e2e" if os.environ.get("E2E_SHOTS") == "1" else None
FRIDAY = (2026, 11, 27)
expect.set_options(timeout=15_000)
_equipped: list[KeptRows] = []


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``set_clock(9)`` or ``set_clock(14, 30, day=(2026, 11, 30))``: the store's hour (Asia/Shanghai), then it runs on."""

    def set_to(hour: int, minute: int = 0, *, day: tuple[int, int, int] = FRIDAY) -> None:
        ahead = datetime.fromisoformat(f"{datetime(*day, hour, minute).isoformat()}+08:00") - datetime.now(UTC)
        monkeypatch.setattr(clock, "written_now", lambda: clock._moved.get() or datetime.now(UTC) + ahead)

    set_to(9)
    return set_to


@pytest.fixture
def store(transactional_db: None, set_clock: Callable[..., None]) -> Store:
    """The demo's first store with people, rosters, bays, prices and stock; no car has been there yet.

    It is made once in a process and put back for every further test.
    """
    cache.clear()
    with contextlib.closing(owner_sql(connection.settings_dict["NAME"])) as owner, owner.cursor() as cursor:
        if _equipped and _equipped[0].puts_back:
            _equipped[0].put_back(cursor)
            return Store.objects.get(code="BJ01")
        made = make_store(code="BJ01", name="滨江店", brand="星河")
        equip([made], clock.today())
        _equipped.append(KeptRows(cursor))
        return made


def drain() -> None:
    """What the worker does behind the outbox, until nothing is due; nothing may fail."""
    while ids := outbox.claim_due():
        outbox.deliver_all(ids)
    left = list(Outbox.objects.exclude(state=OutboxState.DONE).values("handler", "last_error"))
    assert not left, left


class Desk:
    """One person's screen. Every page that is opened or reached is looked at by axe, and kept as a picture on demand."""

    def __init__(self, people: People, name: str, context: BrowserContext) -> None:
        self.people, self.name = people, name
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: people.troubles.append(f"{name}: {self.path}: {error}"))
        self.page.on("response", self._note_server_error)

    def _note_server_error(self, response: Any) -> None:
        if response.status >= 500:
            self.people.troubles.append(f"{self.name}: {response.status} {response.url}")

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.people.url + path)
        assert answer is not None
        assert answer.status == 200, f"{self.name}: {path}: {answer.status}"
        self.look()
        return self.page

    def look(self) -> None:
        """Axe's serious and critical findings, sideways scrolling of the page, and a picture if wanted."""
        kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", re.sub(r"/v/[^/]+", "/v/…", self.path))
        where = f"{self.name}: {kind}"
        if not self.page.evaluate("() => !!window.axe"):
            self.page.evaluate(self.people.axe)
        found = self.page.evaluate(
            "() => axe.run(document, {resultTypes: ['violations'],"
            " runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
            ".then(r => r.violations.map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html.slice(0, 160))]))"
        )
        for impact, rule, nodes in found:
            if impact in {"serious", "critical"}:
                self.people.violations.setdefault(rule, {}).setdefault(where, nodes)
        over = self.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 1:
            self.people.overflows[where] = over
        if SHOTS:
            SHOTS.mkdir(parents=True, exist_ok=True)
            self.people.shots += 1
            name = f"{self.people.shots:03d}-{self.name}-{kind.strip('/').replace('/', '_') or 'home'}.png"
            self.page.screenshot(path=SHOTS / name, full_page=True)

    def button(self, word: str) -> Locator:
        return self.page.locator("button:visible:not([disabled]), a.btn:visible", has_text=word).first

    def press(self, word: str) -> None:
        """Clicks the button with these words and waits for the page that follows; a refusal fails the test."""
        self.press_on(self.button(word))

    def press_on(self, target: Locator) -> None:
        with self.page.expect_navigation():
            target.click()
        self.page.wait_for_load_state("load")
        self.look()
        wrong = self.page.locator(".wrong li:visible, .is-invalid:visible, [data-refusal]:visible")
        assert wrong.count() == 0, f"{self.name}: {self.path}: {wrong.all_inner_texts()}"

    def fill(self, **values: Any) -> None:
        for name, value in values.items():
            self.page.locator(f'[name="{name}"]:visible').first.fill(str(value))

    def choose(self, name: str, value: str) -> None:
        """Checks a radio button or box, also where its label covers it."""
        self.page.locator(f'input[name="{name}"][value="{value}"]').first.check(force=True)

    def tick(self, *names: str) -> None:
        for name in names:
            self.page.locator(f'input[type="checkbox"][name="{name}"]').first.check(force=True)

    def select(self, name: str, label: str) -> None:
        self.page.locator(f'select[name="{name}"]').first.select_option(label=label)

    def sees(self, words: str) -> None:
        self.page.get_by_text(words).first.wait_for()

    def draw(self) -> None:
        """A stroke on the signature pad."""
        box = self.page.locator("[data-signature-pad] canvas").first
        box.scroll_into_view_if_needed()
        place = box.bounding_box()
        assert place is not None
        mouse = self.page.mouse
        mouse.move(place["x"] + 20, place["y"] + 30)
        mouse.down()
        mouse.move(place["x"] + 90, place["y"] + 60, steps=4)
        mouse.move(place["x"] + 150, place["y"] + 25, steps=4)
        mouse.up()


class People:
    """``people.advisor`` is the advisor's screen, signed in; ``people.customer`` is a phone without log-in."""

    PHONES = frozenset({"technician", "customer"})

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.axe = AXE.read_text(encoding="utf-8")
        self.desks: dict[str, Desk] = {}
        self.violations: dict[str, dict[str, list[str]]] = {}
        self.overflows: dict[str, int] = {}
        self.troubles: list[str] = []
        self.shots = 0

    def __getattr__(self, login: str) -> Desk:
        if login.startswith("_"):
            raise AttributeError(login)
        if login not in self.desks:
            self.desks[login] = self.seat(login)
        return self.desks[login]

    def seat(self, login: str, *, phone: bool | None = None) -> Desk:
        phone = login in self.PHONES if phone is None else phone
        width, height = PHONE if phone else DESKTOP
        context = self.browser.new_context(
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": width, "height": height},
            has_touch=phone,
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        if login != "customer":
            client = Client()
            client.force_login(User.objects.get(username=login))
            kept = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": kept, "url": self.url}])
        return Desk(self, login, context)

    def close(self) -> None:
        for desk in self.desks.values():
            desk.page.context.close()


@pytest.fixture
def people(browser: Browser, live_server: Any, store: Store) -> Iterator[People]:
    everybody = People(browser, live_server.url)
    yield everybody
    everybody.close()
