"""Every page with a parameter, with real rows, in both languages; the customer's link; the pages of errors.

The pages without a parameter are ``tests/e2e/test_languages.py``. The list comes from the table of addresses: one
that finds no row in the simulated shop fails, unless it is named in NO_PAGE with the reason.
"""

from __future__ import annotations

import json
import re

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import translation

from compliance.models import ArchiveAddendum, ArchiveRecord
from dealership.exchange.models import ImportBatch, ImportRow
from dealership.kernel.middleware import LANGUAGE_COOKIE
from dealership.kernel.models import User
from dealership.kernel.views import csrf_failure
from delivery.models import GatePass
from reception.models import VisitLink
from tests.e2e.test_languages import CHINESE, ENGLISH_IN_CHINESE, data_texts, words_of
from tests.test_permissions import MATRIX, NOBODY, method

from .real_rows import addresses, real_addresses, who_may_open

pytestmark = pytest.mark.django_db
NO_PAGE = {
    "visit-link-qr": "SVG", "visit-signature": "PNG", "visit-photo": "JPEG", "check-photo": "JPEG",
    "observation-photo": "JPEG", "visit-link-photo": "JPEG", "loan-photo": "JPEG", "loan-signature": "PNG",
    "consultation-file": "JPEG or PDF", "calendar-feed": "a calendar",
    "line-photo": "JPEG", "visit-link-line-photo": "JPEG", "visit-link-total": "a fragment of the page to decide",
    "sublet-bill-picture": "JPEG", "own-part-photo": "JPEG",
    "tool-photo": "JPEG", "check-sheet-photo": "JPEG", "visit-link-sheet-photo": "JPEG", "tool-certificate": "JPEG or PDF",
    "order-quality-pdf": "PDF",
    "repair-record-pdf": "PDF", "contract-pdf": "PDF", "visit-link-contract": "PDF",
    "certificate-pdf": "PDF", "visit-link-certificate-pdf": "PDF", "settlement-pdf": "PDF", "link-settlement-pdf": "PDF",
    "archive-pdf": "PDF", "archive-json": "JSON", "link-file-pdf": "PDF", "link-file-json": "JSON",
    "vehicle-book-pdf": "PDF", "link-book-pdf": "PDF",
}  # fmt: skip
"""Addresses that answer with something else than a page: name → what."""
VALUES_AS_WRITTEN = ("/settings/",)
"""Pages of the administrator that show a setting's key and value as they are written."""
LANGUAGES = ("en", "zh-hans")
EXAMPLES = 2
"""How many rows of one address are looked at, in different states."""


PLATE = r"[\u4e00-\u9fff]\s?[A-Z]{1,2}\s?[·\s]?\s?[A-Z0-9]{4,6}[\u4e00-\u9fff]?"
"""As a plate is written on a page: parted, so that it isn't the text of the database."""


def data_of_the_run() -> list[str]:
    """Every text in the database, with the cells of the imported file."""
    cells = {
        " ".join(str(cell).split()) for raw in ImportRow.objects.values_list("raw", flat=True) for cell in raw.values()
    }
    cells |= {word for cell in cells for word in cell.split()}  # a remark beside a number is kept apart
    cells |= {gate_pass.said_code for gate_pass in GatePass.objects.all()}  # shown in groups
    for content in ArchiveRecord.objects.values_list("content", flat=True):  # messages without the customer's key
        cells |= {text for sent in content["messages"] for text in (sent["subject"], sent["body"])}
    for content in ArchiveAddendum.objects.values_list("content", flat=True):
        came = content["added"].get("messages", [])
        cells |= {text for sent in came for text in (sent["subject"], sent["body"])}
    cells |= {name for summary in ImportBatch.objects.values_list("summary", flat=True) for name in summary["ignored"]}
    return sorted({*data_texts(), *(cell for cell in cells if len(cell) > 1)}, key=len, reverse=True)


def odd_words(html: str, language: str, data: list[str]) -> set[str]:
    """Words of the other language that are neither data nor on the committed list."""
    text = re.sub(r"[^\S\n]+", " ", words_of(html))
    for known in (*(text_ for text_ in data if len(text_) > 10), None, *(text_ for text_ in data if len(text_) <= 10)):
        if known is None:
            text = re.sub(
                rf"https?://\S*|{PLATE}|\b[0-9a-f]{{16,}}\b", " ", text
            )  # a short text would cut a hash in two
        elif known in text:
            text = text.replace(known, " ")
    text = re.sub(r"\b\w+(?:\.\w+)+|\{\w+\}", " ", text)  # keys such as reception.slot_hours, fields of a template
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{16,}\b", " ", text)
    if language == "en":
        return set(re.findall(CHINESE, text)) - {"中", "中文"}
    return set(re.findall(r"[A-Za-z]{3,}", text)) - ENGLISH_IN_CHINESE


def signed_in(login: str, language: str) -> Client:
    client = Client(raise_request_exception=False)
    client.cookies[LANGUAGE_COOKIE] = language
    if login != NOBODY:
        User.objects.filter(username=login).update(language=language)
        client.force_login(User.objects.get(username=login))
    return client


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_with_a_parameter_mixes_the_languages(language: str) -> None:
    cache.clear()
    table = json.loads(MATRIX.read_text(encoding="utf-8"))
    clients: dict[str, Client] = {}
    data = data_of_the_run()
    mixed: dict[str, list[str]] = {}
    unseen, seen = [], 0
    for route, pattern in addresses():
        name = str(pattern.name)
        if not pattern.pattern.converters or method(pattern) != "get" or name in NO_PAGE or name not in table:
            continue
        posts = who_may_open(name, table[name])
        shown = 0
        for who in posts[-1:]:
            client = clients.setdefault(who, signed_in(who, language))
            shown = 0
            for path in real_addresses(route, pattern):
                answer = client.get(path)
                kind = answer.headers.get("Content-Type", "")
                if answer.status_code != 200 or not kind.startswith("text/html"):
                    continue
                shown, seen = shown + 1, seen + 1
                odd = odd_words(answer.content.decode(), language, data)
                if odd and not (language == "zh-hans" and path.startswith(VALUES_AS_WRITTEN)):
                    mixed.setdefault(f"{who}: {name}", sorted(odd))
                if shown == EXAMPLES:
                    break
        if not shown:
            unseen.append(name)
    assert unseen == [], "no page was seen for these; give the shop a row, or name them in NO_PAGE"
    assert seen > 100
    assert mixed == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_of_an_error_mixes_the_languages(language: str, settings) -> None:
    settings.DEBUG = False
    data = data_texts()
    link = VisitLink.objects.order_by("pk").first()
    assert link is not None
    technician, stranger = signed_in("technician", language), signed_in(NOBODY, language)
    pages = {
        "404": technician.get("/no-such-page/"),
        "404 of a stranger": stranger.get("/no-such-page/"),
        "403": technician.get("/settings/"),
        "a link that is wrong": stranger.get(f"/v/{link.token[:-3]}xyz/"),
        "a store that isn't there": stranger.get("/book/NOWHERE/"),
        "a booking that isn't there": stranger.get("/book/BJ01/abc/"),
    }
    VisitLink.objects.filter(pk=link.pk).update(expires_at="2026-01-01 00:00Z")
    pages["a link that has run out"] = stranger.get(f"/v/{link.token}/")
    VisitLink.objects.filter(pk=link.pk).update(expires_at="2027-01-01 00:00Z")
    checking = Client(enforce_csrf_checks=True, raise_request_exception=False)
    checking.cookies[LANGUAGE_COOKIE] = language
    pages["a form without proof of origin"] = checking.post(f"/v/{link.token}/rate/", {"rating": 5})
    with translation.override(language):
        pages["csrf"] = csrf_failure(RequestFactory().get("/"))
    for what, answer in pages.items():
        assert answer.status_code in (400, 403, 404, 410), (what, answer.status_code)
        text = answer.content.decode()
        assert len(words_of(text).split()) > 5, what
        assert (what, odd_words(text, language, data)) == (what, set())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["400.html", "500.html", "csrf.html"])
def test_pages_that_stand_without_the_shell_speak_the_language(language: str, template: str) -> None:
    from django.template.loader import render_to_string

    with translation.override(language):
        text = render_to_string(template, request=RequestFactory().get("/"))
    assert odd_words(text, language, []) == set()
