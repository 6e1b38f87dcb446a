"""The health answer for machines."""

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client


def test_a_living_process_says_so_without_asking_the_database(client: Client) -> None:
    """No ``django_db`` here: any question to the database fails this test."""
    answer = client.get("/health/alive/")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive", "version": settings.VERSION})
    assert "no-store" in answer["Cache-Control"]
    assert client.post("/health/alive/").status_code == 405


@pytest.mark.django_db
def test_answers_without_sign_in(client: Client) -> None:
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": settings.VERSION})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_says_when_the_database_is_away(client: Client, monkeypatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()["status"]) == (503, "database away")
    assert client.get("/health/alive/").status_code == 200


@pytest.mark.django_db
def test_takes_reads_only(client: Client) -> None:
    assert client.post("/health/").status_code == 405
