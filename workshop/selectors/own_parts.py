"""Parts that customers bring: which are looked at, and what was found (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from dealership.catalogue.models import PartKind
from dealership.kernel.actors import Actor
from dealership.kernel.models import StoredFile
from workshop.models import L, OrderLine, PartLine
from workshop.own_part_models import OwnPartCheck

BEFORE_FITTING = (L.DRAFT, L.PENDING, L.DECLINED, L.AUTHORIZED, L.IN_PROGRESS)
"""States of a line in which what the customer brings for it is looked at."""


@dataclass(frozen=True, slots=True)
class OwnPart:
    """A part that the customer brings for a line, with its last check; ``enough`` says whether all of it was looked at."""

    part_line: PartLine
    check: OwnPartCheck | None
    needed: Decimal

    @property
    def enough(self) -> bool:
        return self.check is not None and self.check.quantity >= self.needed

    @property
    def ready(self) -> bool:
        """It may be fitted."""
        return self.check is not None and self.check.accepted and self.enough

    @property
    def open(self) -> bool:
        """It can still be looked at."""
        return self.part_line.line.state in BEFORE_FITTING and not self.part_line.line.settled


def own_parts(lines: Iterable[OrderLine]) -> list[OwnPart]:
    """The parts that the customer brings for these lines, in the order of the lines; two queries."""
    wanted = list(lines)
    rows = list(
        PartLine.objects.filter(line__in=wanted, kind=PartKind.CUSTOMER_SUPPLIED)
        .select_related("part", "line")
        .order_by("line__position", "id")
    )
    if not rows:
        return []
    checks = {
        (check.line_id, check.part_id): check
        for check in OwnPartCheck.objects.filter(line__in=wanted).select_related("checked_by").order_by("id")
    }
    needed: dict[tuple[int, int], Decimal] = {}
    for row in rows:
        key = (row.line_id, row.part_id)
        needed[key] = needed.get(key, Decimal(0)) + row.quantity
    return [OwnPart(row, checks.get((row.line_id, row.part_id)), needed[row.line_id, row.part_id]) for row in rows]


def unfit(line: OrderLine) -> list[OwnPart]:
    """What the customer brings for a line and mayn't be fitted: nobody looked at it, or it was refused."""
    return [row for row in own_parts([line]) if not row.ready]


def photo_of(uid: UUID, by: Actor) -> StoredFile:
    """The picture of a check; DoesNotExist where there is none."""
    photo = OwnPartCheck.objects.for_actor(by).select_related("photo").get(uid=uid).photo
    if photo is None:
        raise StoredFile.DoesNotExist
    return photo
