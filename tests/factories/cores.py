"""A core charge that a signed and paid list took, for tests that act on it (3.2)."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

from django.db import transaction

from dealership.kernel.actors import machine
from delivery.services.payments import take_payment
from delivery.services.settlements import issue_settlement, sign_settlement
from reception.models import Visit
from tests.factories.delivery import add_line, inspect, make_order
from workshop.core_models import CoreCharge
from workshop.models import LineState
from workshop.services.cores import follow_issue

CORE = Decimal("300.00")


@transaction.atomic
def make_core(visit: Visit) -> CoreCharge:
    """A finished order of the visit, to be listed, whose one part has a core charge of 300."""
    people = SimpleNamespace(people={"advisor": visit.advisor, "inspector": visit.advisor})
    order = make_order(visit, people)
    line = add_line(order, state=LineState.AUTHORIZED, parts=[{"core_price": CORE}])
    row = line.part_lines.get()
    core = follow_issue(row, store_id=visit.store_id, by=machine("tests", store_id=visit.store_id))
    for step in (LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED):
        line.state = step
        line.save()
    inspect(order, people)
    assert core is not None
    return core


def make_paid_core(visit: Visit) -> CoreCharge:
    """The same, on a list that is signed and paid."""
    core = make_core(visit)
    assert core.part_line is not None
    by = machine("tests", store_id=visit.store_id)
    settlement = issue_settlement(order_uid=core.part_line.line.order.uid, by=by)
    settlement = sign_settlement(uid=settlement.uid, signed_name="沈示例", by=by)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=by)
    return core
