"""Old parts: what came off, what lies here, whose it is and what is overdue (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PartKind, PayType
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import ApprovalState
from reception.models import Visit
from reception.selectors.search import EXACT, Hit, Typed
from workshop import permissions
from workshop.goodwill_models import GoodwillBearer
from workshop.models import OrderLine, PartLine, RepairOrder
from workshop.old_part_models import LYING, Disposition, OldPart, OldPartState
from workshop.tool_rules import number_meant
from workshop.warranty_claim_models import WarrantyClaim

PAGE = 100
_FACTS = (
    "store", "part_line__part", "line__order__vehicle", "line__order__visit", "line__operation", "ended_by", "signature",
)  # fmt: skip


def came_off() -> QuerySet[PartLine]:
    """Parts that are in a car and whose old ones are not written down yet."""
    rows = PartLine.objects.filter(old_part__isnull=True).filter(part__leaves_old=True)
    rows = rows.filter(issued_quantity__gt=0).exclude(kind=PartKind.CUSTOMER_SUPPLIED)
    return rows.select_related("part", "line__order__store", "line__order__visit__vehicle", "line__order__vehicle")


def belongs_to_maker(line: OrderLine) -> bool:
    """Whether the maker gets what comes off with a line: its warranty, and goodwill that it bears (domain 3.3)."""
    if line.pay_type != PayType.GOODWILL:
        return line.pay_type == PayType.WARRANTY
    granted = line.goodwill.filter(approval__state=ApprovalState.APPROVED).order_by("-id").first()
    return granted is not None and granted.bearer == GoodwillBearer.MAKER


def get_old_part(uid: UUID, by: Actor) -> OldPart:
    return OldPart.objects.for_actor(by).select_related(*_FACTS).get(uid=uid)


def claim_of(part: OldPart) -> WarrantyClaim | None:
    """The claim to the maker that the part belongs to; its number stands on the tag (domain 3.6)."""
    return WarrantyClaim.objects.filter(lines__line=part.line, lines__live=True).first()


def old_parts_of(order: RepairOrder) -> list[OldPart]:
    return list(OldPart.objects.filter(line__order=order).select_related(*_FACTS).order_by("pk"))


def old_parts_at(visit: Visit) -> list[OldPart]:
    """Old parts of a visit for its hand-over, the customer's own first."""
    rows = OldPart.objects.filter(line__order__visit=visit).exclude(state=OldPartState.ABSENT)
    return list(rows.select_related(*_FACTS).order_by("disposition", "pk"))


def owed_to(visit: Visit) -> bool:
    """Whether something came off that the customer takes along or has to be shown."""
    here = OldPart.objects.filter(line__order__visit=visit, state=OldPartState.KEPT)
    return here.filter(disposition__in=(Disposition.CUSTOMER, Disposition.MAKER)).exists()


@dataclass(frozen=True, slots=True)
class OldPartList:
    rows: list[OldPart]
    found: int
    lying: int
    overdue: int
    maker: int
    customer: int
    placeless: int


def old_part_list(by: Actor, *, show: str = "lying") -> OldPartList:
    """The store's old parts: what lies here by its last day, what is past it, the maker's, the customer's, or all."""
    rows = OldPart.objects.for_actor(by).filter(store_id=by.store_id)
    here = Q(state__in=LYING)
    late = here & Q(keep_until__lt=clock.today())
    kinds = {
        "lying": here,
        "placeless": here & Q(place=""),
        "overdue": late,
        "maker": here & Q(disposition=Disposition.MAKER),
        "customer": here & Q(disposition=Disposition.CUSTOMER),
    }
    sums = rows.aggregate(all=Count("pk"), **{name: Count("pk", filter=which) for name, which in kinds.items()})
    if show in kinds:
        shown, found = rows.filter(kinds[show]).order_by("keep_until", "pk"), sums[show]
    else:
        shown, found = rows.order_by("-pk"), sums["all"]
    return OldPartList(
        list(shown.select_related(*_FACTS)[:PAGE]),
        found,
        *(sums[name] for name in ("lying", "overdue", "maker", "customer", "placeless")),
    )


def find_tag(scanned: str, by: Actor) -> OldPart | None:
    """The old part with the tag that was typed or scanned (the tag's number, or the address in its code); None where
    there is none."""
    return OldPart.objects.for_actor(by).filter(tag=number_meant(scanned)).select_related(*_FACTS).first()


def places(by: Actor) -> list[str]:
    """Places of the store's old-part store that are in use."""
    rows = OldPart.objects.for_actor(by).filter(store_id=by.store_id, state__in=LYING).exclude(place="")
    return list(rows.order_by("place").values_list("place", flat=True).distinct()[:200])


def tag_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """The search box opens an old part by its tag, typed or scanned; one query, and none for other words."""
    if "JJ-" not in typed.text.upper() or not by.may(permissions.OLD_PARTS_VIEW):
        return
    part = find_tag(typed.text, by)
    if part is not None:
        car = part.line.order.vehicle
        yield Hit(
            kind="old-part", label=_("Old part"), url=reverse("old-part", args=[part.uid]), title=part.part_line.part.said,
            say=part.tag, plate=car.plate, plate_color=car.plate_color, chip=part.get_state_display(), rank=EXACT,
            uid=part.uid,
        )  # fmt: skip


def count_overdue(by: Actor) -> int:
    """Old parts past their last day, for the rail."""
    rows = OldPart.objects.for_actor(by).filter(store_id=by.store_id, state__in=LYING)
    return rows.filter(keep_until__lt=clock.today()).count()
