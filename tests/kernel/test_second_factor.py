"""7.1: the second factor from turning on to turning off, as a person walks it, in both languages."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from dealership.kernel.models import User
from tests.factories.kernel import make_store, make_user

PASSWORD = "a-long-test-password"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is typed in the half-minute in which it is shown, whenever the test runs."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture(autouse=True)
def empty_cache():
    """Used codes and limits are remembered in the cache."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def person() -> User:
    return make_user("advisor", store=make_store())


def code(secret: str, *, steps: int = 0) -> str:
    """What the app on the phone shows ``steps`` half-minutes from now (RFC 6238)."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def wrong(secret: str) -> str:
    """Six digits that none of the moments accepted now has."""
    near = {code(secret, steps=step) for step in range(-3, 4)}
    return next(
        digits
        for digits in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777")
        if digits not in near
    )


def sign_in(client: Client, person: User):
    return client.post(reverse("account_login"), {"login": person.username, "password": PASSWORD})


def confirm(client: Client) -> None:
    """Before the second factor is touched, the password is asked for once more; it holds for five minutes."""
    asked = client.get(reverse("mfa_activate_totp"))
    assert (asked.status_code, asked["Location"].split("?")[0]) == (302, reverse("account_reauthenticate"))
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == reverse("mfa_activate_totp")


def turn_on(client: Client, person: User) -> str:
    """Signs in with the password, scans the square, types the digits; returns the app's secret."""
    assert sign_in(client, person)["Location"] == reverse("home")
    confirm(client)
    page = client.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200
    assert b'src="data:image/svg' in page.content
    secret = page.context["form"].secret
    assert secret in page.content.decode()
    answer = client.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_view_recovery_codes"))
    cache.clear()  # the next code may be typed within the same half-minute
    return secret


def recovery_codes(client: Client) -> list[str]:
    page = client.get(reverse("mfa_view_recovery_codes"))
    assert page.status_code == 200
    return re.findall(r"<li>([0-9a-z]+)</li>", page.content.decode())


def test_turned_on_the_password_alone_no_longer_opens(client: Client, person: User) -> None:
    secret = turn_on(client, person)
    client.post(reverse("account_logout"))

    stranger = Client()
    answer = sign_in(stranger, person)
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_authenticate"))
    assert stranger.get(reverse("profile")).status_code == 302  # half-way in is not in
    again = stranger.post(reverse("mfa_authenticate"), {"code": wrong(secret)})
    assert again.status_code == 200
    assert again.context["form"].errors.as_data()["code"][0].code == "incorrect_code"
    assert stranger.get(reverse("profile")).status_code == 302
    answer = stranger.post(reverse("mfa_authenticate"), {"code": code(secret)})
    assert (answer.status_code, answer["Location"]) == (302, reverse("home"))
    assert stranger.get(reverse("profile")).status_code == 200


def test_a_code_opens_once(client: Client, person: User) -> None:
    secret = turn_on(client, person)
    shown = code(secret)
    first, second = Client(), Client()
    sign_in(first, person)
    sign_in(second, person)
    assert first.post(reverse("mfa_authenticate"), {"code": shown}).status_code == 302
    assert second.post(reverse("mfa_authenticate"), {"code": shown}).status_code == 200
    assert second.get(reverse("profile")).status_code == 302


def test_wrong_digits_dont_turn_it_on(client: Client, person: User) -> None:
    sign_in(client, person)
    confirm(client)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": wrong(secret)})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert answer.context["form"].secret == secret  # the square scanned before still holds
    assert not Authenticator.objects.filter(user=person).exists()


def test_a_recovery_code_opens_once_without_the_phone(client: Client, person: User) -> None:
    turn_on(client, person)
    codes = recovery_codes(client)
    assert len(codes) == 10
    away = Client()
    sign_in(away, person)
    assert away.post(reverse("mfa_authenticate"), {"code": codes[0]})["Location"] == reverse("home")
    assert recovery_codes(client) == codes[1:]
    later = Client()
    sign_in(later, person)
    assert later.post(reverse("mfa_authenticate"), {"code": codes[0]}).status_code == 200
    assert later.get(reverse("profile")).status_code == 302


def test_new_recovery_codes_end_the_old_ones_and_go_into_a_file(client: Client, person: User) -> None:
    turn_on(client, person)
    old = recovery_codes(client)
    assert client.get(reverse("mfa_generate_recovery_codes")).status_code == 200
    answer = client.post(reverse("mfa_generate_recovery_codes"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_view_recovery_codes"))
    new = recovery_codes(client)
    assert (len(new), set(new) & set(old)) == (10, set())
    saved = client.get(reverse("mfa_download_recovery_codes"))
    assert saved["Content-Disposition"].startswith("attachment")
    assert set(saved.content.decode().split()) >= set(new)
    away = Client()
    sign_in(away, person)
    assert away.post(reverse("mfa_authenticate"), {"code": old[1]}).status_code == 200


def test_turned_off_the_password_is_enough_again(client: Client, person: User) -> None:
    turn_on(client, person)
    assert client.get(reverse("mfa_deactivate_totp")).status_code == 200
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_index"))
    assert not Authenticator.objects.filter(user=person).exists()
    assert sign_in(Client(), person)["Location"] == reverse("home")


def test_the_password_is_asked_for_before_anything_is_changed(client: Client, person: User) -> None:
    sign_in(client, person)
    answer = client.get(reverse("mfa_activate_totp"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert client.get(answer["Location"]).status_code == 200
    assert client.post(answer["Location"], {"password": "not the password"}).status_code == 200
    answer = client.post(answer["Location"], {"password": PASSWORD})
    assert answer["Location"] == reverse("mfa_activate_totp")
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_step_speaks_one_language(client: Client, person: User, language: str) -> None:
    User.objects.filter(pk=person.pk).update(language=language)
    client.cookies["language"] = language

    def words(page) -> str:
        """What a person reads, without the language switch, names and the secret itself."""
        assert page.status_code == 200
        text = re.sub(r"<(script|style)[^>]*>.*?</\1>|<!--.*?-->", " ", page.content.decode(), flags=re.S)
        text = re.sub(r'<[^>]+lang="[^"]*"[^>]*>[^<]*<', "<", text)
        text = re.sub(r"<code>.*?</code>|<ul class=\"codes\">.*?</ul>", " ", text, flags=re.S)
        main = text[text.index("<main") :]
        return re.sub(r"<[^>]+>", " ", main)

    sign_in(client, person)
    confirm(client)
    seen = [client.get(reverse("mfa_index")), client.get(reverse("mfa_activate_totp"))]
    secret = seen[-1].context["form"].secret
    seen.append(client.post(reverse("mfa_activate_totp"), {"code": wrong(secret)}))
    seen.append(client.post(reverse("mfa_activate_totp"), {"code": code(secret)}, follow=True))
    cache.clear()
    away = Client()
    away.cookies["language"] = language
    seen.append(away.post(reverse("account_login"), {"login": person.username, "password": "wrong one entirely"}))
    sign_in(away, person)
    seen.append(away.get(reverse("mfa_authenticate")))
    seen.append(away.post(reverse("mfa_authenticate"), {"code": wrong(secret)}))
    seen += [client.get(reverse(name)) for name in ("mfa_index", "mfa_generate_recovery_codes", "mfa_deactivate_totp")]
    seen.append(client.post(reverse("mfa_deactivate_totp"), follow=True))
    for page in seen:
        read = words(page)
        if language == "en":
            assert not re.findall(r"[\u4e00-\u9fff]+", re.sub(r"测试店\d+|员工\d+|试", "", read)), page.request[
                "PATH_INFO"
            ]
        else:
            assert not re.findall(r"[A-Za-z]{3,}", read.replace(person.username, "")), page.request["PATH_INFO"]
