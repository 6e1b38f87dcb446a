"""Every page of the URL table at the narrowest phone, 320 px: nothing scrolls sideways, and every word has contrast.

The pages are found as a person finds them: those without a parameter by their address, all others through a link on one
of these, one example each, post by post; the customer's pages through the link of the visit.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve, reverse
from playwright.sync_api import Browser

from dealership.kernel.models import Store, User
from dealership.kernel.services import actor_of
from reception.models import VisitLink
from tests.factories.workshop import Shop, add_operation, agree_all, make_order
from tools.pictures import HOME, names_with_pages
from workshop.services import orders

from .conftest import AXE

pytestmark = pytest.mark.django_db(transaction=True)
NARROW = (320, 700)
POSTS = ("advisor", "manager", "foreman", "technician", "parts", "cashier", "inspector", "care", "hr", "admin")
NOT_OURS = {"api-docs"}
"""Drawn by Swagger UI in its own colours."""
LEAST = 60
"""So many different addresses a shop with two cars in it leads to; more come with every room."""


@pytest.fixture
def shop(store: Store) -> Shop:
    """Two cars in the shop: one agreed and to be worked on, one that asks the customer."""
    found: dict[str, User] = {name: User.objects.get(username=name) for name in ("advisor", "manager")}
    advisor, manager = (actor_of(found[name], store) for name in ("advisor", "manager"))
    made = Shop(store, advisor, manager, found["advisor"].employee)
    agree_all(made, make_order(made))
    asking = make_order(made)
    add_operation(made, asking, "BR-10")
    orders.send_estimate(order_uid=asking.uid, by=advisor)
    return made


def name_of(path: str) -> str | None:
    try:
        return resolve(path).url_name
    except Resolver404:
        return None


def pages_of(client: Client, post: str, start: list[str], wanted: dict[str, bool], found: dict[str, str]) -> None:
    """Follows the links of one post and adds each address that is new to ``found``: name → path."""
    queue, seen = list(start), set(start)
    while queue:
        path = queue.pop(0)
        name = name_of(path)
        if name not in wanted or (name in found and HOME.get(name) != post):
            continue
        answer = client.get(path)
        text = answer.content.decode() if answer.headers.get("Content-Type", "").startswith("text/html") else ""
        if answer.status_code != 200 or "<html" not in text[:600]:
            continue
        found.setdefault(name, path)
        for href in re.findall(r'href="(/[^"#?]*)', text):
            link = unescape(href)
            if link not in seen and name_of(link) not in found:
                seen.add(link)
                queue.append(link)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_no_page_scrolls_sideways_or_pales_on_the_narrowest_phone(
    shop: Shop, browser: Browser, live_server, language: str
) -> None:
    User.objects.update(language=language)
    wanted = names_with_pages()
    lists = [reverse(name) for name, needs in wanted.items() if not needs and name not in ("home", "language")]
    found: dict[str, tuple[str, str]] = {}
    for post in POSTS:
        client = Client()
        client.force_login(User.objects.get(username=post))
        there = {name: path for name, (_post, path) in found.items()}
        pages_of(client, post, lists, wanted, there)
        found |= {name: (post, path) for name, path in there.items() if name not in found}
    stranger: dict[str, str] = {}
    asking = VisitLink.objects.filter(visit__orders__lines__state="PENDING").first()
    assert asking is not None
    pages_of(Client(), "", [f"/book/{shop.store.code}/", f"/v/{asking.token}/"], wanted, stranger)
    found |= {name: ("", path) for name, path in stranger.items()}
    assert len(found) >= LEAST, sorted(found)

    wide, pale = {}, {}
    axe = AXE.read_text(encoding="utf-8")
    for post in ("", *POSTS):
        mine = {name: path for name, (who, path) in found.items() if who == post}
        if not mine:
            continue
        context = browser.new_context(
            viewport={"width": NARROW[0], "height": NARROW[1]}, locale="zh-CN" if language == "zh-hans" else "en-GB",
            reduced_motion="reduce",
        )  # fmt: skip
        if post:
            client = Client()
            client.force_login(User.objects.get(username=post))
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": client.session.session_key, "url": live_server.url}]
            )
        context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}])
        page = context.new_page()
        for name, path in mine.items():
            page.goto(live_server.url + path)
            assert urlsplit(page.url).path == path, f"{name}: {post} was sent to {page.url}"
            over = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            if over > 0:
                wide[name] = over
            if language == "en" or name in NOT_OURS:  # colours are the same in both languages
                continue
            page.evaluate(axe)
            thin = page.evaluate(
                "() => axe.run(document, {resultTypes: ['violations'], runOnly: ['color-contrast']})"
                ".then(r => r.violations.flatMap(v => v.nodes.map(n => n.html.slice(0, 120))))"
            )
            if thin:
                pale[name] = thin[:3]
        context.close()
    assert not wide, wide
    assert not pale, pale
