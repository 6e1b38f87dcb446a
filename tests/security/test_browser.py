"""What the browser is told and what the sign-in allows: headers on every page, cookies, limits, CSRF (docs/security.md)."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from dealership.kernel.models import User
from reception.models import Customer
from tests.test_permissions import MATRIX, PUBLIC

from .addresses import addresses, of_links, of_rows
from .opens import OPENS
from .test_other_stores import OF_THE_GROUP, seconds
from .world import World, signed_in, taken_back

STRICT = {"default-src 'self'", "script-src 'self'", "style-src 'self'", "object-src 'none'", "frame-ancestors 'none'"}
STRICT |= {"base-uri 'none'", "form-action 'self'", "connect-src 'self'", "font-src 'self'"}
FILE = "default-src 'none'; sandbox"
SIGN_IN = "account_login"


def pages(world: World) -> list[str]:
    """One address of every page that can be looked at, with a row of the own store where one is named."""
    own = world.uids(world.ours) | {kind: world.group(kind) for kind in OF_THE_GROUP}
    found = [a.path(own[OPENS[a.name]][0], seconds(a, own)) for a in of_rows() if a.method == "GET"]
    plain = {"key": "delivery.callback_day", "code": "BJ01", "token": "x", "day": "2026-11-27"}
    for address in addresses():
        if "uid" in address.parameters or "token" in address.parameters or address.method != "GET":
            continue
        found.append(reverse(address.name, kwargs={name: plain[name] for name in address.parameters}))
    link = world.link(world.ours, visit__state="DEPARTED")
    found += [
        reverse(a.name, kwargs={"token": link.token})
        for a in of_links()
        if set(a.parameters) == {"token"} and a.method == "GET"
    ]
    return [*found, "/accounts/login/", "/api/v1/docs", "/nothing/here/"]


def test_every_page_says_how_it_may_be_used(world: World) -> None:
    """CSP, framing, sniffing, referrer and opener on every page that the URL table knows, refusals included."""
    client, wrong, looked = signed_in(world.everything), {}, 0
    for path in pages(world):
        with taken_back():
            answer = client.get(path)
        looked += 1
        policy = answer.headers.get("Content-Security-Policy", "")
        parts = {part.strip() for part in policy.split(";") if part.strip()}
        if policy != FILE and not (parts >= STRICT and "unsafe" not in policy and "http" not in policy):
            wrong[path] = policy
        for name, value in {
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
        }.items():
            if answer.headers.get(name) != value:
                wrong[f"{path} {name}"] = answer.headers.get(name)
        if answer.headers["Content-Type"].startswith("text/html"):
            html = answer.content.decode()
            inline = re.findall(
                r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|\son[a-z]+=\"|\sstyle=\"|<style", html
            )
            outside = re.findall(r'(?:src|action|data)="https?://(?!testserver)[^"]*"', html)
            if inline or outside:
                wrong[f"{path} inline"] = [*inline[:3], *outside[:3]]
        if answer.status_code >= 500:
            wrong[path] = str(answer.status_code)
    assert looked > 70
    assert wrong == {}


TOKENS_OF_THEIR_OWN = {"slot-offer", "calendar-feed"}
"""Not the visit's link; test_waiting and test_calendars look at what these send."""


def test_pages_of_persons_are_not_kept_by_caches(world: World) -> None:
    """What stands behind a link, and the whole number of a customer, is never stored on the way."""
    link = world.link(world.ours, visit__state="DEPARTED")
    client = Client()
    for address in of_links():
        if set(address.parameters) == {"token"} and address.method == "GET":
            answer = client.get(reverse(address.name, kwargs={"token": link.token}))
            if address.name in TOKENS_OF_THEIR_OWN:
                assert answer.status_code == 404
                continue
            assert "no-store" in answer.headers["Cache-Control"], address.name
    shown = signed_in(world.everything).post(
        reverse("customer-unmask", args=[world.group("reception.Customer")[0]]), {"reason": "CALLBACK"}
    )
    assert "no-store" in shown.headers.get("Cache-Control", "no-store")


def test_a_link_page_takes_its_address_nowhere(world: World) -> None:
    """The token is in the address: no referrer to other sites, nothing loaded from them, no link out of the house."""
    link = world.link(world.ours, visit__state="DEPARTED")
    html = Client().get(reverse("visit-link", args=[link.token]))
    assert html.headers["Referrer-Policy"] == "same-origin"
    assert re.findall(r'(?:href|src|action)="(?:https?:)?//(?!testserver)[^"]*"', html.content.decode()) == []


# --- CSRF ---


def test_every_post_needs_its_token(world: World) -> None:
    """Every address that takes a POST refuses one without the CSRF token, staff and customers alike, with 403."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(world.everything)
    own = world.uids(world.ours) | {kind: world.group(kind) for kind in OF_THE_GROUP}
    link = world.link(world.ours)
    plain = {"key": "delivery.callback_day", "code": "BJ01", "token": link.token, "day": "2026-11-27", "level": "FINAL"}
    before, open_doors, asked = world.mark(), [], 0
    for address in addresses():
        view = getattr(address.view, "view_class", None)
        if view is not None and not (hasattr(view, "post") and "post" in view.http_method_names):
            continue
        given: dict[str, Any] = {name: plain.get(name) for name in address.parameters}
        if "uid" in given:
            given["uid"] = own[OPENS[address.name]][0] if address.name in OPENS else own["reception.Visit"][0]
        if address.second:
            given |= {n: seconds(address, own) for n in address.parameters if given[n] is None}
        asked += 1
        said = client.post(reverse(address.name, kwargs=given), {"form_token": "x"}).status_code
        if said not in (403, 405):
            open_doors.append((address.name, said))
    assert asked > 60
    assert open_doors == []
    for name in ("account_login", "account_logout", "account_change_password", "mfa_activate_totp"):
        assert client.post(reverse(name)).status_code == 403, name
    from .test_other_stores import changed

    assert changed(before, world.mark()) == []


def test_a_forms_one_time_token_is_of_one_person_and_form(world: World) -> None:
    """Sent twice by the same person it is one command; by somebody else, or to another form, it is another one."""
    first, second = signed_in(world.everything), signed_in(User.objects.get(username="receptionist"))
    token, customers = str(uuid4()), Customer.objects.filter(name__startswith="令牌")
    form = {"name": "令牌一", "phone": "13900008811", "kind": "PERSON", "language": "zh-hans", "channel": "SMS"}
    form["form_token"] = token
    sent = first.post("/customers/new/", form)
    assert (sent.status_code, sent.url) == (302, first.post("/customers/new/", form).url)  # type: ignore[attr-defined]
    assert customers.count() == 1
    other = second.post("/customers/new/", form | {"name": "令牌二", "phone": "13900008822"})
    assert (other.status_code, customers.count()) == (302, 2)
    assert other.url != sent.url  # type: ignore[attr-defined]
    made = customers.get(name="令牌一")
    changed = first.post(f"/customers/{made.uid}/edit/", form | {"name": "令牌三"})
    assert (changed.status_code, customers.filter(name="令牌三").count()) == (302, 1)


def test_the_api_with_a_session_needs_it_too(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.everything)
    said = client.post("/api/v1/customers", "{}", content_type="application/json", headers={"Idempotency-Key": "1"})
    assert (said.status_code, said.json()["code"]) == (403, "csrf")


# --- sign-in ---

PASSWORD = "a-long-test-password"


@pytest.fixture
def person(world: World) -> User:
    user = User.objects.get(username="advisor")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, login: str, password: str, **more: Any) -> Any:
    return client.post(reverse(SIGN_IN), {"login": login, "password": password}, **more)


def test_the_session_is_a_new_one_after_signing_in(person: User) -> None:
    """A session id that somebody else planted before the sign-in is worth nothing after it; nor is it after sign-out."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "planted0planted0planted0planted0"
    assert sign_in(client, "advisor", PASSWORD).status_code == 302
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session.value != "planted0planted0planted0planted0"
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = session.value
    assert thief.get("/profile/").status_code == 200
    assert client.post(reverse("account_logout")).status_code == 302
    assert thief.get("/profile/").status_code == 302, "signing out ends the session on the server"


def test_a_new_password_ends_the_other_sessions(person: User) -> None:
    one, other = Client(), Client()
    for client in (one, other):
        assert sign_in(client, "advisor", PASSWORD).status_code == 302
    changed_to = "another-long-password-7"
    given = {"oldpassword": PASSWORD, "password1": changed_to, "password2": changed_to}
    assert one.post(reverse("account_change_password"), given).status_code == 302
    assert other.get("/profile/").status_code == 302


def test_somebody_who_left_is_out_at_once(person: User) -> None:
    client = Client()
    sign_in(client, "advisor", PASSWORD)
    assert client.get("/profile/").status_code == 200
    person.is_active = False
    person.save()
    assert client.get("/profile/").status_code == 302
    assert sign_in(Client(), "advisor", PASSWORD).status_code != 302 or not Client().session.get("_auth_user_id")


def test_answers_do_not_tell_who_has_a_login(person: User) -> None:
    """A wrong password and a name that nobody has get the same answer, and the same work is done for both."""
    answers = []
    for login in ("advisor", "nobody-of-that-name"):
        answer = sign_in(Client(), login, "wrong-password-1")
        html = re.sub(r"[A-Za-z0-9]{64}", "", answer.content.decode()).replace(login, "")
        answers.append((answer.status_code, html))
    assert answers[0] == answers[1]


def test_failed_sign_ins_are_limited(person: User) -> None:
    """After five wrong passwords for one name the right one is refused too, from whatever address they say they come."""
    cache.clear()
    for number in range(5):
        sign_in(Client(), "advisor", "wrong-password-1", headers={"X-Forwarded-For": f"203.0.113.{number}"})
    client = Client()
    sign_in(client, "advisor", PASSWORD, headers={"X-Forwarded-For": "203.0.113.77"})
    assert client.get("/profile/").status_code == 302
    cache.clear()


def test_nobody_signs_up(world: World) -> None:
    before = User.objects.count()
    given = {"username": "intruder", "password1": PASSWORD, "password2": PASSWORD}
    Client().post(reverse("account_signup"), given)
    assert User.objects.count() == before


def test_weak_passwords_are_refused(person: User) -> None:
    client = Client()
    sign_in(client, "advisor", PASSWORD)
    for weak in ("short", "password123", "advisor123", "1234567890"):
        given = {"oldpassword": PASSWORD, "password1": weak, "password2": weak}
        assert client.post(reverse("account_change_password"), given).status_code != 302, weak
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_cookies(person: User) -> None:
    client = Client()
    client.get(reverse(SIGN_IN))
    sign_in(client, "advisor", PASSWORD)
    session, csrf = client.cookies[settings.SESSION_COOKIE_NAME], client.cookies[settings.CSRF_COOKIE_NAME]
    assert (session["httponly"], session["samesite"], session["domain"]) == (True, "Lax", "")
    assert csrf["samesite"] == "Lax"
    client.post("/language/", {"language": "en"})
    assert client.cookies["language"]["httponly"]


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\t//evil.example",
    ],
)
def test_next_leads_nowhere_else(world: World, person: User, target: str) -> None:
    """Every ``next``: the sign-in's, the language's, a command's."""
    client = Client()
    answer = client.post(
        f"{reverse(SIGN_IN)}?next={target}", {"login": "advisor", "password": PASSWORD, "next": target}
    )
    assert answer.status_code == 302
    assert "evil" not in answer.headers["Location"]
    assert "javascript" not in answer.headers["Location"]
    answer = client.post("/language/", {"language": "en", "next": target})
    assert answer.headers["Location"].startswith("/")
    assert "evil" not in answer.headers["Location"]
    visit = world.uids(world.ours)["reception.Visit"][0]
    with taken_back():
        answer = signed_in(world.everything).post(
            reverse("visit-key", args=[visit]), {"key_tag": "77", "place": "A1", "next": target}
        )
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/visits/"), answer.headers["Location"]


# --- what isn't there ---


def test_no_admin_and_no_debug_page(world: World) -> None:
    """Django's admin, which would go around the commands, is not installed; an error's page says nothing of the code."""
    assert "django.contrib.admin" not in settings.INSTALLED_APPS
    assert settings.DEBUG is False
    client = Client(raise_request_exception=False)
    for path in (
        "/admin/",
        "/admin/login/",
        "/__debug__/",
        "/metrics",
        "/.env",
        "/.git/config",
        "/static/../settings.py",
    ):
        assert client.get(path, REMOTE_ADDR="203.0.113.9").status_code == 404, path  # figures: to known machines only
    with override_settings(ALLOWED_HOSTS=["shop.example"]):
        answer = client.get("/accounts/login/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    for word in (b"Traceback", b"settings", b"ALLOWED_HOSTS", b"SECRET"):
        assert word not in answer.content
    html = client.get("/nothing/here/").content
    assert b"urlpatterns" not in html
    assert b"URLconf" not in html


def test_public_pages_are_named() -> None:
    """What a stranger may open stands in one list; the table of posts shows that nothing else does."""
    table = json.loads(MATRIX.read_text(encoding="utf-8"))
    assert set(table) >= PUBLIC


# --- as it is started ---


def started(tmp_path: Path, **env: str) -> dict[str, Any]:
    """The settings as a process of its own reads them."""
    code = (
        "import json, django; django.setup(); from django.conf import settings as s;"
        "print(json.dumps({k: getattr(s, k) for k in ('DEBUG', 'SECURE_HSTS_SECONDS', 'SESSION_COOKIE_SECURE',"
        " 'CSRF_COOKIE_SECURE', 'SESSION_COOKIE_HTTPONLY', 'SECURE_PROXY_SSL_HEADER', 'SECRET_KEY')}))"
    )
    known = {k: v for k, v in os.environ.items() if k not in ("DEBUG", "SECRET_KEY", "HTTPS")}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=known | {"DJANGO_SETTINGS_MODULE": "dealership.settings", "VAR_DIR": str(tmp_path)} | env,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(ran.stdout))


def test_under_https(tmp_path: Path) -> None:
    """HSTS for a year and Secure cookies; the secret is made once, readable by its user only, and not the same elsewhere."""
    said = started(tmp_path, HTTPS="true")
    assert said["DEBUG"] is False
    assert said["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert said["SESSION_COOKIE_SECURE"]
    assert said["CSRF_COOKIE_SECURE"]
    kept = tmp_path / "secret-key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(said["SECRET_KEY"]) >= 50
    assert said["SECRET_KEY"] not in {settings.SECRET_KEY, ""}


def test_hsts_is_sent(world: World) -> None:
    from django.middleware.security import SecurityMiddleware

    with override_settings(SECURE_HSTS_SECONDS=31_536_000):
        from django.http import HttpResponse
        from django.test import RequestFactory

        answer = SecurityMiddleware(lambda _request: HttpResponse())(RequestFactory().get("/", secure=True))
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
