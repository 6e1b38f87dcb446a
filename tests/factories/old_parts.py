"""Old parts of warranty work at a visit, for tests that need some to act on (3.2)."""

from __future__ import annotations

from types import SimpleNamespace

from dealership.kernel.actors import machine
from reception.models import Visit
from tests.factories.delivery import add_line, make_order
from workshop.old_part_models import OldPart
from workshop.services.old_parts import keep_old_parts


def make_old_parts(visit: Visit, count: int) -> list[OldPart]:
    """A finished warranty repair of the visit with so many parts put in; what came off has its tags."""
    order = make_order(visit, SimpleNamespace(people={"advisor": visit.advisor}))
    line = add_line(order, state="COMPLETED", pay_type="WARRANTY", description="更换水泵", parts=[{}] * count)
    return keep_old_parts(line_uid=line.uid, by=machine("tests", store_id=visit.store_id))
