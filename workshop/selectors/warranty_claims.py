"""Claims to the maker: what each still lacks, the list and its ages (3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import PartKind, PayType
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.money import ZERO
from workshop.models import L, OrderLine, RepairOrder
from workshop.warranty_claim_models import (
    TO_BE_SUBMITTED,
    WITH_THE_MAKER,
    WarrantyClaim,
    WarrantyClaimLine,
    WarrantyClaimState,
)

PAGE = 100
CLAIMABLE = (L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED)
BUCKETS = ((0, 30), (31, 60), (61, 90), (91, None))
"""Ages of claims with the maker, in days since the submission; the last has no end."""
_FACTS = ("store", "order__vehicle", "order__visit", "order__customer", "opened_by")


@dataclass(frozen=True, slots=True)
class Paper:
    """One thing that a claim needs for one line, and whether it is there."""

    line: OrderLine
    what: object
    there: bool


def papers_of(claim: WarrantyClaim) -> list[Paper]:
    """What the maker wants to see of each line, computed from the order as it stands (domain 3.6)."""
    rows = OrderLine.objects.filter(claimed_in__claim=claim).select_related("operation", "order__visit")
    found = []
    for line in rows.prefetch_related("part_lines__part", "part_lines__old_part", "photos").order_by("position"):
        parts = [
            row
            for row in line.part_lines.all()
            if row.issued_quantity > 0 and row.kind != PartKind.CUSTOMER_SUPPLIED and row.part.leaves_old
        ]
        order = line.order
        found += [
            Paper(line, _("work done"), line.state in (L.COMPLETED, L.INSPECTED)),
            Paper(line, _("complaint"), bool(line.complaint or order.complaint)),
            Paper(line, _("cause"), bool(line.cause)),
            Paper(line, _("correction"), bool(line.correction)),
            Paper(line, pgettext_lazy("paper", "photo"), bool(line.photos.all())),
            Paper(line, _("mileage"), order.visit.odometer_in_km is not None),
        ]
        if parts:
            found.append(Paper(line, _("tag of every old part"), all(hasattr(row, "old_part") for row in parts)))
    return found


def get_warranty_claim(uid: UUID, by: Actor) -> WarrantyClaim:
    return WarrantyClaim.objects.for_actor(by).select_related(*_FACTS).get(uid=uid)


def lines_of(claim: WarrantyClaim) -> list[WarrantyClaimLine]:
    rows = claim.lines.select_related("line__operation")
    return list(rows.prefetch_related("line__part_lines__part", "line__old_parts__part_line__part").order_by("pk"))


def warranty_claims_of(order: RepairOrder) -> list[WarrantyClaim]:
    return list(order.warranty_claims.order_by("pk"))


def claimable(order: RepairOrder) -> QuerySet[OrderLine]:
    """Agreed warranty lines that no claim asks the maker for."""
    taken = WarrantyClaimLine.objects.filter(live=True).values("line_id")
    rows = order.lines.filter(pay_type=PayType.WARRANTY, state__in=CLAIMABLE)
    return rows.exclude(pk__in=taken).select_related("operation").order_by("position")


@dataclass(frozen=True, slots=True)
class Age:
    """Claims with the maker of one age: how many, and what they ask or are approved for (CNY)."""

    since: int
    until: int | None
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ClaimList:
    rows: list[WarrantyClaim]
    found: int
    to_submit: int
    late: int
    with_maker: int
    to_pay: int
    ages: list[Age]
    unpaid: Decimal


def _ages(rows: QuerySet[WarrantyClaim], today: date) -> list[Age]:
    found = []
    for since, until in BUCKETS:
        span = Q(submitted_on__lte=today - timedelta(days=since))
        if until is not None:
            span &= Q(submitted_on__gte=today - timedelta(days=until))
        sums = rows.filter(span).aggregate(
            n=Count("pk"),
            asked=Sum("claimed_amount", filter=Q(state=WarrantyClaimState.SUBMITTED)),
            approved=Sum("approved_amount", filter=Q(state=WarrantyClaimState.APPROVED)),
        )
        found.append(Age(since, until, sums["n"], (sums["asked"] or ZERO) + (sums["approved"] or ZERO)))
    return found


def warranty_claim_list(by: Actor, *, show: str = "open") -> ClaimList:
    """The store's claims: running ones by their last day, those to be submitted, late, with the maker, to be paid, all."""
    rows = WarrantyClaim.objects.for_actor(by).filter(store_id=by.store_id)
    today = clock.today()
    kinds = {
        "submit": Q(state__in=TO_BE_SUBMITTED),
        "late": Q(state__in=TO_BE_SUBMITTED, submit_until__lt=today),
        "maker": Q(state=WarrantyClaimState.SUBMITTED),
        "pay": Q(state=WarrantyClaimState.APPROVED),
        "open": Q(state__in=(*TO_BE_SUBMITTED, *WITH_THE_MAKER)),
    }
    sums = rows.aggregate(all=Count("pk"), **{name: Count("pk", filter=which) for name, which in kinds.items()})
    if show in kinds:
        shown, found = rows.filter(kinds[show]).order_by("submit_until", "pk"), sums[show]
    else:
        shown, found = rows.order_by("-pk"), sums["all"]
    ages = _ages(rows.filter(state__in=WITH_THE_MAKER), today)
    return ClaimList(
        list(shown.select_related(*_FACTS)[:PAGE]),
        found,
        to_submit=sums["submit"],
        late=sums["late"],
        with_maker=sums["maker"],
        to_pay=sums["pay"],
        ages=ages,
        unpaid=sum((age.amount for age in ages), ZERO),
    )


def count_late(by: Actor) -> int:
    """Claims past the maker's last day, for the rail."""
    rows = WarrantyClaim.objects.for_actor(by).filter(store_id=by.store_id, state__in=TO_BE_SUBMITTED)
    return rows.filter(submit_until__lt=clock.today()).count()


def maker_is_asked(line: OrderLine) -> bool:
    """Whether a claim waits for the maker's yes to this line: until then nobody begins on it."""
    return WarrantyClaimLine.objects.filter(line=line, live=True, claim__state=WarrantyClaimState.TO_AUTHORISE).exists()
