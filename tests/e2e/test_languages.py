"""Every page without a parameter, in both languages: no Chinese on English pages and no English on Chinese ones.

What people wrote themselves (names, catalogue, addresses: every text in the database, also where a list shows only
its beginning and "…") is data and may be in either; so is a whole web address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from dealership.kernel.models import User

pytestmark = pytest.mark.django_db(transaction=True)
OURS = ("kernel", "catalogue", "staff", "reception", "workshop", "delivery", "quality", "compliance")
LEFT_OUT = ("accounts/", "api/", "health", "metrics", "styleguide", "static/", "language/", "__")
"""Entrance pages of the account library, machine addresses, and the developers' page of components."""
ENGLISH_IN_CHINESE = frozenset(
    {"VIN", "NPS", "CSI", "SHA", "PDF", "API", "min", "Ctrl", "CSV", "XLSX", "JSON", "URL", "ISO", "UTC", "Redis"}
    | {"PostgreSQL", "Excel", "English", "csv", "xlsx", "Celery", "HTTP", "SMS", "DMS", "curl", "Python"}
)
AS_WRITTEN = frozenset({"/plan/screens/badges/", "/settings/", "/system/"})
"""Pages of the administrator that show values, keys, processes and folders as they are written in the system, and the sheet
of codes that a scanner reads."""
CHINESE = r"[\u4e00-\u9fff]+"


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif not re.search(r"[<(^$?]", route):
            yield route


def data_texts() -> list[str]:
    """Every text in the database, the longest first."""
    found: set[str] = set()
    for model in apps.get_models():
        if model._meta.app_label not in OURS or model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, models.CharField | models.TextField) and not field.choices:
                found.update(
                    v for v in model._default_manager.values_list(field.name, flat=True).distinct()[:5000] if v
                )
    found.update(name[0] for name in User.objects.values_list("name", flat=True) if name)  # the round signs of people
    return sorted((text for text in found if len(text) > 1 or re.match(CHINESE, text)), key=len, reverse=True)


BEGINNING = 12
"""So many signs of a text must stand on a page before "…" counts as the rest of it."""


def without(known: str, text: str) -> str:
    """The page without one text of the database, whole or cut with "…"."""
    text = text.replace(known, " ")
    at = text.find(known[:BEGINNING]) if len(known) > BEGINNING else -1
    while at >= 0:
        end = text.find("…", at)
        if end >= 0 and known.startswith(text[at:end]):
            text = text[:at] + " " + text[end + 1 :]
        at = text.find(known[:BEGINNING], at + 1)
    return text


def words_of(page: str) -> str:
    """What a person reads: text and the attributes that are read out, without code and the language switch."""
    page = re.sub(r"<(script|style|template)\b.*?</\1>", " ", page, flags=re.S)
    page = re.sub(r"<code\b.*?</code>|<kbd\b.*?</kbd>", " ", page, flags=re.S)
    page = re.sub(r'(<div class="keys"[^>]*>).*?</div>', r"\1", page, flags=re.S)  # signs of plates, in any language
    said = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', page)
    return unescape(re.sub(r"<[^>]+>", "\n", page) + "\n" + "\n".join(said))


@pytest.mark.parametrize(
    ("language", "login"), [("en", "manager"), ("en", "admin"), ("zh-hans", "manager"), ("zh-hans", "admin")]
)
def test_no_page_mixes_the_languages(store, language: str, login: str) -> None:
    client = Client()
    User.objects.filter(username=login).update(language=language)
    client.force_login(User.objects.get(username=login))
    client.cookies["django_language"] = language
    data = data_texts()
    mixed: dict[str, set[str]] = {}
    seen = 0
    for route in sorted(set(addresses(get_resolver().url_patterns))):
        if route.startswith(LEFT_OUT):
            continue
        answer = client.get("/" + route)
        if answer.status_code != 200 or "text/html" not in answer.headers["Content-Type"]:
            continue
        seen += 1
        text = re.sub(r"https?://[!-~]+", " ", words_of(answer.content.decode()))  # whole addresses
        text = re.sub(r"\b[A-Za-z_]\w*(?:\.\w+)+", " ", text, flags=re.A)  # keys such as reception.slot_hours
        text = re.sub(r"GET /\S+|\{\w+\}", " ", text)  # addresses of the API, fields of a template
        for known in data:
            text = without(known, text)
        if language == "en":
            odd = set(re.findall(CHINESE, text)) - {"中", "中文"}
        else:
            odd = set(re.findall(r"[A-Za-z]{3,}", text)) - ENGLISH_IN_CHINESE
        if odd and not (language == "zh-hans" and "/" + route in AS_WRITTEN):
            mixed["/" + route] = odd
    assert seen > (15 if login == "manager" else 5)
    assert not mixed, "\n".join(f"{path}: {sorted(odd)}" for path, odd in mixed.items())
