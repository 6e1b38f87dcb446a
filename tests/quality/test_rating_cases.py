"""2.1.4: a bad rating on the link asks why and opens a case, as a bad survey does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import outbox
from dealership.kernel.actors import Actor, customer_link
from dealership.kernel.models import History
from quality.models import Complaint
from reception.models import Visit
from reception.services import visits
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import make_received_visit, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit() -> Any:
    return make_received_visit(make_shop())


def on_link(visit: Visit) -> Actor:
    return customer_link(visit_id=visit.pk, store_id=visit.store_id, token_id=str(visit.link.uid))


def test_a_very_bad_rating_asks_why_and_opens_one_case_with_its_words(visit: Visit, client: Client) -> None:
    page = reverse("visit-link", args=[visit.link.token])
    why = reverse("visit-link-rating-words", args=[visit.link.token])
    assert why not in client.get(page).content.decode(), "first the tap"
    client.post(reverse("visit-link-rate", args=[visit.link.token]), {"rating": "1"})
    shown = client.get(page).content.decode()
    assert [why in shown, "请问哪里没做好" in shown] == [True, True]
    outbox.drain()
    case = Complaint.objects.get()
    assert (case.visit, case.customer, case.source) == (visit, visit.customer, "RATING")
    assert case.description == "客户在链接上给接待评了 1 分（满分 5 分），暂未写原因。"
    assert case.response_due_at - case.opened_at == timedelta(hours=24)
    assert client.post(why, {"words": " 没人理我 "}).headers["Location"] == f"{page}#rating"
    client.post(reverse("visit-link-rate", args=[visit.link.token]), {"rating": "2"})
    outbox.drain()
    case = Complaint.objects.get()
    assert case.description == "没人理我"
    lines = History.objects.filter(root_uid=case.uid).order_by("id").values_list("code", flat=True)
    assert list(lines) == ["quality.complaint.opened", "quality.complaint.explained"]
    assert "没人理我" not in str(list(History.objects.values("facts", "changed"))), "history holds no words"
    assert "没人理我" in client.get(page).content.decode()


@pytest.mark.parametrize("rating", [3, 5])
def test_a_better_rating_opens_none_even_with_words(visit: Visit, rating: int) -> None:
    visits.rate_reception(uid=visit.uid, rating=rating, by=on_link(visit))
    visits.explain_rating(uid=visit.uid, words="还可以", by=on_link(visit))
    outbox.drain()
    assert not Complaint.objects.exists()


def test_words_need_a_rating_a_customer_and_something_said(visit: Visit, refused: Any) -> None:
    def unchanged(code: str, **said: Any) -> None:
        before = History.objects.count()
        with rule(code):
            visits.explain_rating(uid=visit.uid, **said)
        visit.refresh_from_db()
        assert (visit.rating_words, History.objects.count()) == ("", before)

    unchanged("visit.rating_first", words="等太久", by=on_link(visit))
    visits.rate_reception(uid=visit.uid, rating=1, by=on_link(visit))
    unchanged("visit.rating_words", words="  ", by=on_link(visit))
    unchanged("visit.rating_by_customer", words="等太久", by=make_actor("receptionist", store=visit.store))
    visits.explain_rating(uid=visit.uid, words="等太久", by=on_link(visit))
    outbox.drain()
    with refused("complaint_one_per_rating") as sql:
        sql(
            "INSERT INTO quality_complaint (uid, version, created_at, updated_at, store_id, number, visit_id, customer_id,"
            " level, source, description, demand, state, opened_at, response_due_at, cause, solution)"
            " SELECT gen_random_uuid(), 1, now(), now(), store_id, number || 'x', visit_id, customer_id, level, source,"
            " description, demand, 'OPEN', now(), now(), '', '' FROM quality_complaint"
        )
    with refused("visit_rating_words") as sql:
        sql("UPDATE reception_visit SET rating = NULL WHERE id = %s", [visit.pk])
