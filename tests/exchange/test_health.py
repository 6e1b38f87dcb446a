"""The health answer for machines."""

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db


def test_answers_without_sign_in(client: Client) -> None:
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": settings.VERSION})
    assert "no-store" in answer["Cache-Control"]


def test_says_when_the_database_is_away(client: Client, monkeypatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (503, "database away")


def test_takes_reads_only(client: Client) -> None:
    assert client.post("/health/").status_code == 405
