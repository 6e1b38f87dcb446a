"""The customer's link: one token opens one visit; ids of other visits, old and made-up tokens open nothing (1.3)."""

from __future__ import annotations

import json
from datetime import timedelta
from math import log2
from typing import Any
from uuid import UUID

import pytest
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from compliance.models import ArchiveRecord
from dealership.kernel import clock
from delivery.models import Settlement
from reception.models import Appointment, VisitLink, VisitPhoto
from reception.services import online
from tests.test_permissions import MATRIX
from workshop.check_models import CheckPhoto
from workshop.models import Certificate, LinePhoto, OrderLine, RepairOrder

from .addresses import METHODS, Address, of_links
from .test_other_stores import changed
from .world import World, taken_back

# What each address under a token opens, with the way from such a row to its visit.
OPENS: dict[str, tuple[Any, str]] = {
    "visit-link-photo": (VisitPhoto, "visit"),
    "visit-link-certificate-pdf": (Certificate, "order__visit"),
    "visit-link-line-photo": (LinePhoto, "line__order__visit"),
    "visit-link-sheet-photo": (CheckPhoto, "sheet__order__visit"),
    "visit-link-decide": (RepairOrder, "visit"),
    "visit-link-total": (RepairOrder, "visit"),
    "visit-link-contract": (RepairOrder, "visit"),
    "visit-link-change": (OrderLine, "order__visit"),
    "visit-link-difference": (OrderLine, "order__visit"),
    "visit-link-parts": (OrderLine, "order__visit"),
    "link-settlement": (Settlement, "order__visit"),
    "link-settlement-pdf": (Settlement, "order__visit"),
    "link-file": (ArchiveRecord, "visit"),
    "link-file-pdf": (ArchiveRecord, "visit"),
    "link-file-json": (ArchiveRecord, "visit"),
}
MALFORMED = ("x", "-", "..", "%00", "' OR 1=1--", "<script>", "令牌", "a" * 2000, "0" * 40)


@pytest.fixture(autouse=True)
def _quick_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dealership.urls.handler404", lambda *_a, **_k: HttpResponse(status=404), raising=False)


def path(address: Address, token: str, uid: UUID | str | None = None) -> str:
    return reverse(address.name, kwargs={"token": token} | ({"uid": uid} if "uid" in address.parameters else {}))


def test_every_address_with_an_id_is_known() -> None:
    assert {a.name for a in of_links() if "uid" in a.parameters} == set(OPENS)


def test_own_rows_open(world: World) -> None:
    client = Client(raise_request_exception=False)
    for address in (a for a in of_links() if "uid" in a.parameters):
        model, way = OPENS[address.name]
        row = model.objects.filter(**{f"{way}__store": world.ours}).order_by("pk").first()
        visit_id = model.objects.values_list(way, flat=True).get(pk=row.pk)
        token = VisitLink.objects.get(visit_id=visit_id).token
        with taken_back():
            assert client.get(path(address, token, row.uid)).status_code in (200, 204, 302), address.name


def test_ids_of_another_visit(world: World) -> None:
    """Every id of every other visit, of both stores, on every address with every method."""
    client = Client(raise_request_exception=False)
    mine = world.link(world.ours, visit__state="DEPARTED")
    before, wrong = world.mark(), []
    for address in (a for a in of_links() if "uid" in a.parameters):
        model, way = OPENS[address.name]
        others = model.objects.exclude(**{way: mine.visit_id}).order_by("-pk").values_list("uid", flat=True)
        assert others
        for number, uid in enumerate(others):
            for method in METHODS if number == 0 else ("GET", "POST"):
                said = client.generic(method, path(address, mine.token, uid)).status_code
                if said not in (404, 405):
                    wrong.append((method, address.name, said))
    assert wrong == []
    assert changed(before, world.mark()) == []


def test_tokens_that_are_none(world: World) -> None:
    """Made-up, malformed and expired tokens: 404 on every address with every method, and nothing changes."""
    client = Client(raise_request_exception=False)
    old = world.link(world.ours, visit__state="DEPARTED")
    VisitLink.objects.filter(pk=old.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    rows = {name: model.objects.filter(**{way: old.visit_id}).first() for name, (model, way) in OPENS.items()}
    before, wrong = world.mark(), []
    for address in of_links():
        row = rows.get(address.name)
        uid = row.uid if row else UUID(int=0)
        place = path(address, "TOKEN", uid)
        for token in (old.token, old.token.swapcase(), f"{old.token} ", str(old.uid), str(old.visit.uid)):
            for method in METHODS:
                said = client.generic(method, place.replace("TOKEN", token)).status_code
                if said not in (404, 405):
                    wrong.append((method, address.name, token, said))
        for token in MALFORMED:
            said = client.generic("GET", place.replace("TOKEN", token)).status_code
            if said not in (400, 404):
                wrong.append(("GET", address.name, token[:20], said))
    assert wrong == []
    assert changed(before, world.mark()) == []


# What a stranger opens, and what keeps it to that: derived from the matrix of posts, so that a new one is named here.
WITHOUT_SIGNING_IN = {
    "ask-online": "a form; so many an hour, address and contact",
    "asked-online": "a signed receipt",
    "online-booking": "a form; so many an hour, address and number",
    "online-waiting": "a form; so many an hour, address and number",
    "calendar-feed": "an address that can't be guessed, names nobody, ends when it is stopped",
    "kiosk": "an address that can't be guessed; a badge clocks its own jobs and nothing else, no names of customers",
    "wall": "an address that can't be guessed, shows no names of customers, ends when it is stopped",
}


def test_what_a_stranger_opens_is_named() -> None:
    opened = {n for n, row in json.loads(MATRIX.read_text()).items() if "anonymous" in row.get("opens", [])}
    assert opened == set(WITHOUT_SIGNING_IN)


def test_addresses_of_calendars_and_wall_screens_that_are_none(world: World) -> None:
    client, before = Client(raise_request_exception=False), world.mark()
    for place in (
        reverse("calendar-feed", args=["TOKEN"]),
        reverse("wall", args=["TOKEN"]),
        reverse("kiosk", args=["TOKEN"]),
    ):
        for token in (*MALFORMED, "0" * 24, "A" * 24):
            for method in METHODS:
                said = client.generic(method, place.replace("TOKEN", token)).status_code
                assert said in (400, 404, 405), (method, place, token[:20], said)
    assert changed(before, world.mark()) == []


def test_tokens_cannot_be_guessed() -> None:
    """At least 128 bits from the system's source; no two alike. A wall screen's has 32 signs: ``wallscreen_key``."""
    from reception.models import CalendarFeed, SlotOffer, VisitLink

    for model in (VisitLink, CalendarFeed, SlotOffer):
        made = {model._meta.get_field("token").get_default() for _ in range(500)}
        assert len(made) == 500, model
        assert min(map(len, made)) >= 22, model


def test_gate_codes_cannot_be_guessed_nor_misread() -> None:
    """55 bits from the system's source, in signs that no hand or printer confuses; read however it is typed."""
    from delivery.rules import GATE_LENGTH, GATE_SIGNS, group_gate_code, new_gate_code, read_gate_code

    made = {new_gate_code() for _ in range(500)}
    assert len(made) == 500
    assert log2(len(set(GATE_SIGNS))) * GATE_LENGTH > 55
    for alike in ("0O", "1IL", "2Z", "5S", "8B", "UV"):
        assert len(set(alike) & set(GATE_SIGNS)) <= 1, alike
    assert all(set(code) <= set(GATE_SIGNS) and len(code) == GATE_LENGTH for code in made)
    assert group_gate_code("JWTM4K7RXQ9A") == "JWTM-4K7R-XQ9A"
    for typed in ("JWTM-4K7R-XQ9A", " jwtm 4k7r xq9a\r\n", "ＪＷＴＭ４Ｋ７ＲＸＱ９Ａ"):
        assert read_gate_code(typed) == "JWTM4K7RXQ9A"
    earlier = "a-VSrJYR7nUZ9AY3Xu_K8Pjc"
    assert group_gate_code(earlier) == earlier


def test_the_page_of_a_booking_is_signed(world: World) -> None:
    """``/book/<store>/<signature>/`` and what stands below it: only as signed, for this store, a month after at most."""
    client, before = Client(raise_request_exception=False), world.mark()
    booked = Appointment.objects.filter(store=world.ours).order_by("-starts_at").first()
    other = Appointment.objects.filter(store=world.ours).exclude(pk=booked.pk).first()
    own, token, of_the_other = online.booking_path(booked), online.booking_token(booked), online.booking_token(other)
    forged = f"{of_the_other.split('.')[0]}.{token.split('.')[1]}"
    assert client.get(own).status_code == 200
    for page in ("", "move/", "cancel/"):
        for method in ("GET", "POST"):
            assert client.generic(method, f"/book/NH02/{token}/{page}").status_code in (404, 405)
            for wrong in (token[:-1], f"{booked.uid}", forged, signing.dumps(str(booked.uid)), "%00", "x"):
                said = client.generic(method, f"/book/BJ01/{wrong}/{page}").status_code
                assert said in (400, 404, 405), (page, wrong)
    assert changed(before, world.mark()) == []
    with clock.moved_to(booked.starts_at + timedelta(days=30)):
        assert client.get(own).status_code == 404


def test_the_receipt_of_an_online_question_is_signed(world: World) -> None:
    """``/ask/<store>/<signature>/``: only as signed, for this store."""
    client = Client(raise_request_exception=False)
    uid = world.uids(world.ours)["reception.Consultation"][0]
    token = signing.dumps(str(uid), salt="online-question")
    assert client.get(f"/ask/BJ01/{token}/").status_code == 200
    assert client.get(f"/ask/NH02/{token}/").status_code == 404
    for wrong in (token[:-1], f"{uid}", signing.dumps(str(uid), salt="online-booking"), "x"):
        assert client.get(f"/ask/BJ01/{wrong}/").status_code in (400, 404), wrong


def test_a_link_does_not_open_the_staffs_pages(world: World) -> None:
    """Who holds a token has no session: every page of the staff sends them to the sign-in."""
    client = Client(raise_request_exception=False)
    link = world.link(world.ours)
    client.get(reverse("visit-link", args=[link.token]))
    assert client.get(reverse("visit-detail", args=[link.visit.uid])).status_code == 302
    assert client.get("/api/v1/visits").status_code == 401
