"""A command may carry the hour at which it happened; the pages of workshop and delivery offer it (1.1)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dealership.kernel import clock
from dealership.kernel.models import History
from delivery.models import Payment
from delivery.services.settlements import issue_settlement, sign_settlement
from tests.factories.delivery import make_ready, make_team

pytestmark = pytest.mark.django_db


def test_a_payment_taken_during_a_power_cut_is_entered_late_on_its_page():
    team = make_team()
    with clock.moved_to(clock.now() - timedelta(hours=5)):
        settlement = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
        sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    till = Client()
    till.force_login(team.cashier.user)
    page = reverse("settlement-pay", args=[settlement.uid])
    assert 'name="happened_at"' in till.get(page).content.decode()
    happened = (clock.now() - timedelta(hours=2)).replace(second=0, microsecond=0)
    paid = {"method": "CASH", "amount": "340.00", "happened_at": f"{timezone.localtime(happened):%Y-%m-%dT%H:%M}"}
    before = History.objects.count()
    assert till.post(page, paid).status_code == 422  # an hour without its reason
    assert (Payment.objects.count(), History.objects.count()) == (0, before)
    assert till.post(page, paid | {"happened_reason": "停电，手写收据"}).status_code == 302
    payment = Payment.objects.get()
    line = History.objects.get(code="delivery.payment.taken")
    assert (payment.amount, payment.at, line.at) == (Decimal("340.00"), happened, happened)
    assert line.written_at - line.at >= timedelta(hours=2)
