"""``make pictures``: every page at three widths in both languages into ``VAR_DIR/pictures``.

Takes them of the demo that ``make run`` serves at ``PORT``; start that first. Pages are the addresses without
parameters, the first row behind each list, and the customer's link.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

WIDTHS = {1440: 900, 1024: 768, 390: 844}
LANGUAGES = ("zh-hans", "en")
ADVISOR, MANAGER, ADMIN = "advisor", "manager", "admin"
# log-in → addresses; a pattern in brackets takes the first link on the page that fits it
PAGES: dict[str, list[str]] = {
    ADVISOR: [
        "/today/", "/today/?view=list", "/visits/new/", "/keys/", "/evening-count/", "/appointments/",
        "/appointments/new/", "/customers/", "/orders/", "/delivery/", "/gate/", "/follow-ups/", "/satisfaction/",
        "/orders/ [/orders/[0-9a-f-]{36}/]", "/today/ [/visits/[0-9a-f-]{36}/]",
        "/customers/ [/customers/[0-9a-f-]{36}/]", "/search/?q=4",
    ],
    "foreman": ["/plan/", "/plan/?rows=people"],
    "technician": ["/my-jobs/"],
    "inspector": ["/inspections/"],
    "parts": ["/parts/", "/stock/", "/stock/ [/stock/[0-9a-f-]{36}/]"],
    "cashier": ["/payments/"],
    "care": ["/complaints/"],
    MANAGER: [
        "/dashboard/", "/dashboard/?period=month", "/manual/", "/approvals/", "/archive/",
        "/archive/ [/archive/[0-9a-f-]{36}/]", "/staff/", "/staff/ [/staff/[0-9a-f-]{36}/]", "/roster/", "/imports/",
        "/figures/delivery.on_time/",
    ],
    ADMIN: ["/system/", "/settings/", "/messages/", "/profile/", "/api/v1/docs"],
    "": ["/accounts/login/", "/book/BJ01/"],
}  # fmt: skip


def main() -> int:
    var = Path(os.environ.get("VAR_DIR", "var")).resolve()
    base = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    logins = var / "demo-logins.txt"
    if not logins.exists():
        print("There is no demo: start it with make run, leave it running, then make pictures.", file=sys.stderr)
        return 1
    found = re.search(r"^password: (.+)$", logins.read_text(encoding="utf-8"), re.M)
    if found is None:
        print(f"No password in {logins}.", file=sys.stderr)
        return 1
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("Chromium is missing: apt-get install -y chromium fonts-noto-cjk", file=sys.stderr)
        return 1
    out = var / "pictures"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    trouble, number = [], 0
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for login, addresses in PAGES.items():
            for language in LANGUAGES:
                context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
                page = context.new_page()
                heard: list[str] = []
                page.on("console", lambda m, heard=heard: heard.append(m.text) if m.type == "error" else None)
                if login:
                    sign_in(page, base, login, found[1], language)
                for address in addresses:
                    target = resolve(page, base, address)
                    if target is None:
                        continue
                    for width, height in WIDTHS.items():
                        page.set_viewport_size({"width": width, "height": height})
                        answer = page.goto(base + target)
                        page.wait_for_timeout(250)
                        name = f"{slug(login or 'public', address)}-{width}-{language[:2]}.png"
                        page.screenshot(path=out / name, full_page=width < 1000)
                        number += 1
                        wide = page.evaluate("document.documentElement.scrollWidth")
                        if answer is None or answer.status >= 400 or wide > width or heard:
                            status = answer.status if answer else 0
                            trouble.append(f"{name}: status {status}, width {wide} of {width}, console {heard[:2]}")
                            heard.clear()
                context.close()
        browser.close()
    print(f"{number} pictures in {out}")
    for line in trouble:
        print("  " + line)
    return 1 if trouble else 0


def sign_in(page: Page, base: str, login: str, password: str, language: str) -> None:
    """Signs in and chooses the language on the profile's own switch."""
    page.goto(f"{base}/accounts/login/")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state("load")
    button = page.locator(f".langs button[value='{language}']")
    if button.count():
        button.first.click()
        page.wait_for_load_state("load")


def resolve(page: Page, base: str, address: str) -> str | None:
    """The address itself, or the first link of its page that fits the pattern in brackets; None where none does."""
    path, _, pattern = address.partition(" [")
    if not pattern:
        return path
    page.goto(base + path)
    for href in page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))"):
        if re.fullmatch(pattern[:-1], href):
            return str(href)
    return None


def slug(login: str, address: str) -> str:
    path, _, pattern = address.partition(" [")
    name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")
    return f"{login}-{name}{'-one' if pattern else ''}"


if __name__ == "__main__":
    sys.exit(main())
