"""``make pictures``: every page of the running demo at three widths in both languages into ``VAR_DIR/pictures``.

The pages are those of the URL table: each address that answers a GET with a page. Addresses with ids are found by
following the demo's own links, post by post, and of several examples the fullest is taken; the customer's pages are
reached through the link of a visit. At the end it says which addresses have no picture, and a contact sheet per width
and language shows all of them at once. ``ARGS="today plan"`` takes only these.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
WIDTHS = {1440: 900, 1024: 768, 390: 844}
LANGUAGES = ("zh-hans", "en")
NARROWEST = 320
"""Pages are measured at this width too, without a picture: none may scroll sideways."""
POSTS = (
    "advisor", "foreman", "technician", "technician2", "technician3", "technician4", "technician5", "technician6",
    "manager", "parts", "inspector", "cashier", "care", "hr", "warranty", "techdirector",
    "receptionist", "accountant", "admin",
)  # fmt: skip
"""Who opens the pages; an address belongs to the first who may, save for the pages named in HOME."""
HOME = {
    "plan": "foreman", "plan-assign": "foreman", "plan-move": "foreman", "parts-board": "parts", "stock-list": "parts",
    "stock-item": "parts", "stock-count": "parts", "part-issue": "parts", "payment-list": "cashier",
    "settlement-pay": "cashier", "complaint-list": "care", "complaint-detail": "care", "dashboard": "manager",
    "figure-detail": "manager", "staff": "hr", "staff-person": "hr", "roster": "foreman", "inspections": "inspector",
    "order-inspect": "inspector", "follow-up-list": "care", "follow-up-detail": "care", "approvals": "manager",
}  # fmt: skip
VIEWS = (
    ("advisor", "/today/?view=list"), ("advisor", "/today/?view=board&who=mine"), ("foreman", "/plan/?rows=people"),
    ("manager", "/dashboard/?period=month"), ("advisor", "/search/?q=%E4%BA%AC"), ("advisor", "/search/?q=zzzzzz"),
    ("advisor", "/no-such-page/"), ("technician", "/settings/"),
)  # fmt: skip
"""Other views of pages: lists and lanes, an empty answer, a page that isn't there, one that this post may not open."""
ASKED = {"today": "?view=board&who=all"}
"""Choices that a page remembers per person are asked for, so that a picture doesn't depend on the one before."""
BROKEN = ("400", "500", "csrf")
ENTRANCE = ("account_login",)
ACCOUNT = ("account_change_password", "mfa_index", "mfa_activate_totp", "account_logout")
NO_PAGES = ("dealership.kernel.api", "dealership.exchange.views.health")
TOKEN = re.compile(r"/v/([A-Za-z0-9_-]{16,})/")
ENOUGH = 5
"""How many examples of one address each post opens to find the fullest, and in how many of its views a list is read."""


@dataclass
class Found:
    """One address of the URL table: who opens it and the fullest example so far."""

    name: str
    login: str = ""
    path: str = ""
    size: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    """How often each post has opened it."""


@dataclass(frozen=True)
class Shot:
    login: str
    name: str
    path: str


def names_with_pages() -> dict[str, bool]:
    """Name of each address that answers a GET, and whether it takes a parameter."""
    from django.urls import URLPattern, URLResolver, get_resolver

    from dealership.kernel import registry

    def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route, pattern

    pages = {}
    for route, pattern in walk(get_resolver().url_patterns):
        view = getattr(pattern.callback, "view_class", pattern.callback)
        if not pattern.name or view.__module__.split(".")[0] not in registry.OUR_PACKAGES:
            continue
        if view.__module__.startswith(NO_PAGES) or re.search(r"\.(pdf|svg|json|js)$", route) or "^" in route:
            continue
        if hasattr(view, "http_method_names") and not (hasattr(view, "get") and "get" in view.http_method_names):
            continue
        pages[pattern.name] = "<" in route
    return pages


def name_of(path: str) -> str | None:
    from django.urls import Resolver404, resolve

    try:
        return resolve(urlsplit(path).path).url_name
    except Resolver404:
        return None


class Round:
    """One run over the demo: finds the pages, then takes them."""

    def __init__(self, browser: Any, base: str, password: str, out: Path) -> None:
        self.browser, self.base, self.password, self.out = browser, base, password, out
        self.pages = names_with_pages()
        self.found = {name: Found(name) for name in self.pages}
        self.tokens: set[str] = set()
        self.contexts: dict[str, Any] = {}
        self.no_pages: set[str] = set()
        self.trouble: list[str] = []

    def context(self, login: str) -> Any:
        """The browser of one post, signed in once; the empty login is a stranger's."""
        if login not in self.contexts:
            context = self.contexts[login] = self.browser.new_context(
                locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce"
            )
            if login:
                page = context.new_page()
                page.goto(f"{self.base}/accounts/login/")
                page.fill("[name=login]", login)
                page.fill("[name=password]", self.password)
                page.press("[name=password]", "Enter")
                page.wait_for_url(lambda url: "/accounts/login" not in url)
                page.close()
        return self.contexts[login]

    def speak(self, login: str, language: str) -> None:
        """The language of one post's pages, by the switch that is on every page."""
        page = self.context(login).new_page()
        page.goto(self.base + ("/profile/" if login else "/accounts/login/"))
        pressed = page.evaluate(
            "language => { const b = document.querySelector(`.langs button[value='${language}']`);"
            " if (!b || b.getAttribute('aria-pressed') === 'true') return false; b.click(); return true; }",
            language,
        )
        if pressed:
            page.wait_for_load_state("load")
            page.wait_for_function("l => document.documentElement.lang.toLowerCase() === l", arg=language)
        page.close()

    def follow(self, login: str, start: list[str]) -> None:
        """Opens what this post can reach from its lists, a few examples of each address."""
        request = self.context(login).request
        queue, seen = list(start), set(start)
        while queue:
            path = queue.pop(0)
            name = name_of(path)
            row = self.found.get(name or "")
            viewed = "?" in path
            if row is None or ((self.pages[row.name] or viewed) and row.tried[_post(login)] >= ENOUGH):
                continue
            answer = request.get(self.base + path, max_redirects=0)
            kind = answer.headers.get("content-type", "")
            if answer.status == 405 or (answer.status == 200 and not kind.startswith("text/html")):
                self.no_pages.add(row.name)
            if answer.status != 200 or not kind.startswith("text/html"):
                continue
            text = answer.text()
            if "<html" not in text[:600]:  # a part of a page that htmx asks for
                self.no_pages.add(row.name)
                continue
            row.tried[_post(login)] += self.pages[row.name] or viewed
            self.tokens.update(TOKEN.findall(text))
            home = HOME.get(row.name, row.login or login)
            if _post(login) == _post(home):  # of people with the same post, who has most on the page
                home = login
            main = text.partition("<main")[2].partition("</main>")[0]
            if viewed:  # its rows lead on; the picture is of the page as it opens
                pass
            elif not row.login or (login == home and (_post(row.login) != _post(login) or len(main) > row.size)):
                row.login, row.path, row.size = login, path, len(main)
            for href in re.findall(rf"""(?:href|src|action|hx-get)="(?:{re.escape(self.base)})?([/?][^"#]*)""", text):
                bare, mark, words = unescape(href).partition("?")
                bare = bare or path.partition("?")[0]
                takes_an_id = self.pages.get(name_of(bare) or "", True)
                link = bare if takes_an_id else bare + mark + words
                if link not in seen and not link.startswith("/static/"):
                    seen.add(link)
                    queue.append(link)

    def find(self) -> list[Shot]:
        from django.urls import reverse

        lists = [reverse(name) for name, needs in self.pages.items() if not needs and name not in ("home", "language")]
        for login in POSTS:
            began = time.monotonic()
            self.follow(login, lists if login == _post(login) else [reverse("my-jobs")])
            so_far = sum(bool(row.path) for row in self.found.values())
            print(f"  {login}: {so_far} pages, {time.monotonic() - began:.0f} s", flush=True)
        self.follow("", ["/book/BJ01/", "/ask/BJ01/", *(f"/v/{token}/" for token in sorted(self.tokens))])
        shots = [Shot(f.login, f.name, f.path) for f in self.found.values() if f.path]
        shots = [replace(shot, path=shot.path + ASKED.get(shot.name, "")) for shot in shots]
        shots += [Shot("", name, reverse(name)) for name in ENTRANCE]
        shots += [Shot("admin", name, reverse(name)) for name in ACCOUNT]
        shots += [Shot(login, slug(path), path) for login, path in VIEWS]
        shots += [Shot("", f"broken-{code}", f"/broken-{code}/") for code in BROKEN]
        return sorted(shots, key=lambda shot: (POSTS.index(shot.login) if shot.login else 99, shot.name))

    def missing(self) -> list[str]:
        return sorted(
            name for name, row in self.found.items()
            if not row.path and name not in self.no_pages and name not in ("home", "language")
        )  # fmt: skip

    def take(self, shots: list[Shot]) -> int:
        number, logins = 0, sorted({shot.login for shot in shots}, key=[s.login for s in shots].index)
        total = len(shots) * len(LANGUAGES)
        for language in LANGUAGES:
            for login in logins:
                self.speak(login, language)
                page = self.context(login).new_page()
                heard: list[str] = []
                page.on("console", lambda m, heard=heard: heard.append(m.text) if m.type == "error" else None)
                page.on("pageerror", lambda e, heard=heard: heard.append(str(e)))
                for shot in (s for s in shots if s.login == login):
                    number += 1
                    heard.clear()
                    print(f"  {number}/{total} {language[:2]} {login or 'stranger'} {shot.path}", flush=True)
                    try:
                        self.one(page, shot, language, heard)
                    except Exception as error:  # one page that hangs must not cost the others
                        self.trouble.append(f"{shot.name} {language[:2]}: {str(error).splitlines()[0]}")
                page.close()
        return number

    def one(self, page: Any, shot: Shot, language: str, heard: list[str]) -> None:
        if shot.name.startswith("broken-"):
            html = broken(shot.name.removeprefix("broken-"), language)
            page.route(f"**{shot.path}", lambda route: route.fulfill(body=html, content_type="text/html"))
        widths = list(WIDTHS.items())
        page.set_viewport_size({"width": widths[0][0], "height": widths[0][1]})
        answer = page.goto(self.base + shot.path, wait_until="load", timeout=15_000)
        status = answer.status if answer else 0
        if status >= 400 and shot.path not in ("/no-such-page/", "/settings/"):
            self.trouble.append(f"{shot.name} {language[:2]}: status {status}")
        if shot.name == "api-docs":  # the description is fetched and drawn after the page has loaded
            page.wait_for_selector(".swagger-ui .info", timeout=15_000)
        page.evaluate("() => document.fonts.ready")
        for width, height in widths:
            page.set_viewport_size({"width": width, "height": height})
            name = f"{shot.name}-{width}-{language[:2]}.png"
            self.measure(page, width, shot, language)
            tall = page.evaluate("() => document.documentElement.scrollHeight")
            if tall > height:  # so that the rail and the bar at the foot stand where they belong
                page.set_viewport_size({"width": width, "height": min(tall, 6000)})
            page.screenshot(path=self.out / name, full_page=True, animations="disabled", timeout=15_000)
        page.set_viewport_size({"width": NARROWEST, "height": 700})
        self.measure(page, NARROWEST, shot, language)
        unexpected = [text for text in heard if not (status in (403, 404) and f"status of {status}" in text)]
        if unexpected:
            self.trouble.append(f"{shot.name} {language[:2]}: console {unexpected[:2]}")

    def measure(self, page: Any, width: int, shot: Shot, language: str) -> None:
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        if wide > width:
            self.trouble.append(f"{shot.name} {language[:2]}: {wide} wide at {width}")


def _post(login: str) -> str:
    return login.rstrip("0123456789")


def broken(code: str, language: str) -> str:
    """An error page as it is drawn; a running demo gives no occasion to see it."""
    from django.template.loader import render_to_string
    from django.utils import translation

    with translation.override(language):
        return render_to_string(f"{code}.html")


def slug(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")


def contact_sheets(out: Path) -> None:
    """All pictures of one width and language on one sheet, each with its name."""
    from PIL import Image, ImageDraw

    for width in WIDTHS:
        cell, rows = (150, 300) if width < 700 else (300, 260)
        for language in LANGUAGES:
            files = sorted(out.glob(f"*-{width}-{language[:2]}.png"))
            if not files:
                continue
            across = max(1, 1800 // (cell + 12))
            down = -(-len(files) // across)
            sheet = Image.new("RGB", (across * (cell + 12) + 12, down * (rows + 30) + 12), "#d5dbe1")
            write = ImageDraw.Draw(sheet)
            for place, file in enumerate(files):
                left, top = 12 + place % across * (cell + 12), 12 + place // across * (rows + 30)
                with Image.open(file) as picture:
                    picture = picture.convert("RGB")
                    scale = cell / picture.width
                    small = picture.crop((0, 0, picture.width, min(picture.height, int(rows / scale))))
                    sheet.paste(small.resize((cell, int(small.height * scale)), Image.Resampling.BILINEAR), (left, top))
                write.text((left, top + rows + 4), file.name.split(f"-{width}-")[0][: cell // 6], fill="#16202b")
            sheet.save(out / f"sheet-{width}-{language[:2]}.webp", quality=80)


def main() -> int:
    var = Path(os.environ.get("VAR_DIR", "var")).resolve()
    base = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    logins = var / "demo-logins.txt"
    if not logins.exists():
        print("There is no demo: start it with make run, leave it running, then make pictures.", file=sys.stderr)
        return 1
    password = re.search(r"^password: (.+)$", logins.read_text(encoding="utf-8"), re.M)
    if password is None:
        print(f"No password in {logins}.", file=sys.stderr)
        return 1
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("Chromium is missing: apt-get install -y chromium fonts-noto-cjk", file=sys.stderr)
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dealership.settings")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # only templates are drawn here; no query is made
    import django

    django.setup()
    from playwright.sync_api import sync_playwright

    out, wanted, began = var / "pictures", sys.argv[1:], time.monotonic()
    if not wanted:
        shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tour = Round(browser, base, password[1], out)
        print("Looking for the pages …", flush=True)
        shots = tour.find()
        taken = [shot for shot in shots if not wanted or shot.name in wanted]
        print(f"{len(taken)} pages × {len(LANGUAGES)} languages × {len(WIDTHS)} widths", flush=True)
        tour.take(taken)
        browser.close()
    contact_sheets(out)
    print(
        f"{len(list(out.glob('*.png')))} pictures and their contact sheets in {out}, {time.monotonic() - began:.0f} s"
    )
    if absent := tour.missing():
        print("no page found in this demo for: " + ", ".join(absent))
    for line in tour.trouble:
        print("  " + line)
    return 1 if tour.trouble else 0


if __name__ == "__main__":
    sys.exit(main())
