"""2.4: a loan car is kept longer as far as its next customer leaves room."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from dealership.catalogue.models import ResourceKind
from dealership.catalogue.services import plans
from dealership.catalogue.services.resources import add_resource
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from reception.models import WaitingMode
from reception.selectors import capacity
from reception.services.appointments import cancel_appointment, extend_loan
from tests.factories.api import ApiCaller
from tests.factories.appointments import MONDAY, TUESDAY, at, make_appointment, make_bookable
from tests.factories.staff import make_actor

pytestmark = pytest.mark.django_db
WEDNESDAY, THURSDAY = MONDAY + timedelta(days=2), MONDAY + timedelta(days=3)


@pytest.fixture
def shop():
    with clock.moved_to(at("8:00")):
        made = make_bookable(bays=("STANDARD_LIFT",) * 2, technicians=2, advisors=2)
        add_resource(
            store=made.store,
            kind=ResourceKind.LOAN_CAR,
            code="LC1",
            name="代步车 1",
            by=machine("test", store_id=made.store.pk),
        )
        yield made


def lend(shop, text: str, day):
    return make_appointment(shop, waiting_mode=WaitingMode.LOANER, starts_at=at(text, day))


def test_a_loan_is_extended_up_to_the_next_customer_and_no_further(shop, refused):
    first, following = lend(shop, "8:30", TUESDAY), lend(shop, "9:00", THURSDAY)
    until = capacity.loan_of(first).period.upper
    stranger = make_actor(shop.store, "technician")
    lines = History.objects.count()
    with pytest.raises(RaceLost) as lost:
        extend_loan(uid=first.uid, ends_at=at("9:05", THURSDAY), by=shop.desk)
    assert lost.value.code == "reservation.taken"
    assert following.number in str(lost.value)
    assert "11-26 09:00" in str(lost.value)
    for ends_at, code in (
        (until, "reservation.not_later"),
        (at("7:00"), "appointment.past"),
        (until + timedelta(days=32), "appointment.too_far"),
    ):
        with pytest.raises(RuleError) as refusal:
            extend_loan(uid=first.uid, ends_at=ends_at, by=shop.desk)
        assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        extend_loan(uid=first.uid, ends_at=at("9:00", WEDNESDAY), by=stranger)
    assert (capacity.loan_of(first).period.upper, History.objects.count()) == (until, lines)
    with refused("reservation_no_overlap") as sql:
        sql(
            "UPDATE catalogue_reservation SET period = tstzrange(lower(period), %s) WHERE id = %s",
            [at("9:05", THURSDAY), capacity.loan_of(first).pk],
        )
    extend_loan(uid=first.uid, ends_at=at("9:00", THURSDAY), by=shop.desk)
    assert capacity.loan_of(first).period.upper == at("9:00", THURSDAY)
    line = History.objects.get(code="reception.appointment.loan_extended")
    assert [moment[:16] for moment in line.changed["loan_ends_at"]] == [
        until.isoformat()[:16],
        at("9:00", THURSDAY).isoformat()[:16],
    ]
    plain = make_appointment(shop, starts_at=at("14:00", WEDNESDAY))
    with pytest.raises(RuleError) as refusal:
        extend_loan(uid=plain.uid, ends_at=at("9:00", THURSDAY), by=shop.desk)
    assert refusal.value.code == "appointment.no_loan"
    with pytest.raises(RuleError) as refusal:
        plans.extend(reservation_uid=_released(following, shop), ends_at=at("18:00", THURSDAY), by=shop.desk)
    assert refusal.value.code == "reservation.released"


def _released(appointment, shop):
    uid = capacity.loan_of(appointment).uid
    cancel_appointment(uid=appointment.uid, reason="客户取消", by=shop.desk)
    return uid


def test_the_page_says_what_is_next_and_the_api_extends(shop, client):
    first = lend(shop, "8:30", TUESDAY)
    following = lend(shop, "9:00", THURSDAY)
    client.force_login(shop.advisor.user)
    page = reverse("appointment-loan", args=[first.uid])
    assert page in client.get(reverse("appointment-detail", args=[first.uid])).content.decode()
    assert following.number in client.get(page).content.decode()
    answer = client.post(page, {"ends_at": "2026-11-26T10:00"})
    assert (answer.status_code, following.number in answer.content.decode()) == (422, True)
    assert client.post(page, {"ends_at": "2026-11-25T18:00"}).status_code == 302
    api = ApiCaller("reception:write", store=shop.store, acts_for=shop.advisor.user)
    answer = api.act(f"appointments/{first.uid}", "extend-loan", {"ends_at": "2026-11-26T08:30:00+08:00"})
    assert answer.status_code == 200
    assert capacity.loan_of(first).period.upper == at("8:30", THURSDAY)
