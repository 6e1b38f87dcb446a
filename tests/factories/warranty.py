"""Finished warranty repairs with all the papers that the maker wants (3.2)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from dealership.kernel.actors import machine
from dealership.kernel.services import store_file
from reception.models import Visit
from tests.factories.delivery import add_line, make_order
from tests.factories.reception import make_picture
from workshop.models import LinePhoto, OrderLine
from workshop.services.old_parts import keep_old_parts


def give_papers(line: OrderLine) -> OrderLine:
    """A photo of the fault and the tags of what came off."""
    by = machine("tests", store_id=line.order.store_id)
    picture = store_file(content=make_picture("red"), name="fault.png", store_id=line.order.store_id, by=by)
    LinePhoto.objects.create(line=line, file=picture)
    keep_old_parts(line_uid=line.uid, by=by)
    return line


def make_warranty_repair(visit: Visit, **fields: Any) -> OrderLine:
    """A finished repair of the visit at the maker's cost, on an order of its own: 240.00 of work and 100.00 of part."""
    order = make_order(visit, SimpleNamespace(people={"advisor": visit.advisor}))
    told = {"state": "COMPLETED", "pay_type": "WARRANTY", "description": "更换水泵", "parts": [{}]} | fields
    return give_papers(add_line(order, **told))
