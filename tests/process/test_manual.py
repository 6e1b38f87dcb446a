"""The manual links what its reader may open, and names the rest."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories.staff import make_employee, make_store

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("post", ["receptionist", "manager", "technician"])
def test_every_link_of_the_manual_opens(post):
    client = Client()
    client.force_login(make_employee(make_store("BJ01"), post).user)
    rows = [row for chapter in client.get("/manual/").context["chapters"] for row in chapter.rows]
    shown = {url for row in rows for url, _label in row.screens}
    refused = {url for url in shown - {""} if client.get(url, follow=True).status_code == 403}
    assert shown - {""}
    assert not refused
