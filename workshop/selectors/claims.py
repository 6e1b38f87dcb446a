"""Reads of the demands under 三包; late is what the clock says, never what somebody typed (domain 3.6, art. 28)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, DateTimeField, F, Q, QuerySet, Value, When

from dealership.kernel import clock, holidays
from dealership.kernel.actors import Actor
from dealership.kernel.registry import ROLE_LABELS, ROLES
from reception.models import Customer, Vehicle
from staff.selectors.employees import employees_with_role
from workshop import permissions
from workshop import statutory_warranty as law
from workshop.claim_models import ClaimRemedy, ClaimState, StatutoryClaim
from workshop.selectors import faults

PAGE = 50
SHOWS = ("open", "granted", "late", "ended", "all")
ENDED = (ClaimState.REFUSED, ClaimState.FINISHED, ClaimState.WITHDRAWN)


def grounds_of(standing: faults.Standing, *, km: int, at: datetime, zone: str) -> dict[str, Any]:
    """What the rules say for a car, in codes and numbers: the table, the periods, each right, and every counter."""
    watch, rules = standing.watch, standing.rules
    found: dict[str, Any] = {
        "at": at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds"),
        "km": km,
        "start": standing.start.isoformat() if standing.start else None,
        "table": rules.source if rules else None,
        "periods": {},
        "rights": [],
        "counters": [],
        "not_judged": len(standing.to_judge),
    }
    if watch is None or rules is None or standing.start is None:
        return found
    day = at.astimezone(ZoneInfo(zone)).date()
    found["periods"] = {
        "repair": law.in_repair_period(rules, standing.start, day, km),
        "replace": law.in_replace_period(rules, standing.start, day, km),
        "early": law.in_early_period(rules, standing.start, day, km),
    }
    found["rights"] = [
        {
            "article": finding.article,
            "subject": finding.subject,
            "count": finding.count,
            "remedy": finding.remedy.value,
            "pays_for_use": finding.pays_for_use,
            "orders": list(finding.refs),
        }
        for finding in watch.findings
    ]
    found["counters"] = [
        {
            "article": row["article"],
            "subject": row["subject"],
            "count": row["count"],
            "limit": row["limit"],
            "sign": str(row["sign"].value),
        }
        for row in faults.counters_of(standing)
    ]
    return found


def right_stands(grounds: dict[str, Any], remedy: str) -> bool:
    """Whether the demand's own condition is met: a right of the articles, or for a free repair the 包修期."""
    if remedy == ClaimRemedy.FREE_REPAIR:
        return bool(grounds["periods"].get("repair"))
    wanted = {
        ClaimRemedy.REPLACE_ASSEMBLY: law.Remedy.FREE_ASSEMBLY,
        ClaimRemedy.TRANSPORT_MONEY: law.Remedy.LOAN_OR_TRANSPORT,
    }.get(ClaimRemedy(remedy), law.Remedy.REPLACE_OR_RETURN)
    return any(right["remedy"] == wanted for right in grounds["rights"])


def pays_for_use(grounds: dict[str, Any]) -> bool:
    """Art. 27: the right to another car stands on article 24 alone."""
    rights = [right for right in grounds["rights"] if right["remedy"] == law.Remedy.REPLACE_OR_RETURN]
    return bool(rights) and all(right["pays_for_use"] for right in rights)


def start_in(claim: StatutoryClaim) -> date | None:
    """The beginning of the car's periods as the file keeps it."""
    return date.fromisoformat(claim.grounds["start"]) if claim.grounds["start"] else None


def _late() -> Q:
    now = clock.now()
    return Q(state=ClaimState.OPEN, answer_due_at__lte=now) | Q(state=ClaimState.GRANTED, finish_due_at__lte=now)


def _with_people(rows: QuerySet[StatutoryClaim]) -> QuerySet[StatutoryClaim]:
    return rows.select_related("vehicle", "customer", "store", "opened_by", "answered_by")


def get_claim(uid: UUID, by: Actor) -> StatutoryClaim:
    return _with_people(StatutoryClaim.objects.for_actor(by)).get(uid=uid)


def claims_of(vehicle: Vehicle, by: Actor) -> list[StatutoryClaim]:
    """The demands for a car in the actor's stores, the newest first."""
    return list(_with_people(StatutoryClaim.objects.for_actor(by).filter(vehicle=vehicle)).order_by("-pk")[:10])


@dataclass(frozen=True, slots=True)
class ClaimList:
    rows: list[StatutoryClaim]
    found: int
    open: int
    granted: int
    late: int
    ended: int


def claim_counts(by: Actor) -> dict[str, int]:
    """How many demands of the store wait for an answer, for their end, and are late with either."""
    return StatutoryClaim.objects.for_actor(by).filter(store_id=by.store_id).aggregate(
        all=Count("pk"),
        open=Count("pk", filter=Q(state=ClaimState.OPEN)),
        granted=Count("pk", filter=Q(state=ClaimState.GRANTED)),
        late=Count("pk", filter=_late()),
        ended=Count("pk", filter=Q(state__in=ENDED)),
    )  # fmt: skip


def claim_list(by: Actor, *, show: str = "all") -> ClaimList:
    """Demands of the store, those whose clock runs first, by its end."""
    sums = claim_counts(by)
    rows = _with_people(StatutoryClaim.objects.for_actor(by).filter(store_id=by.store_id))
    wanted = {
        "open": Q(state=ClaimState.OPEN),
        "granted": Q(state=ClaimState.GRANTED),
        "late": _late(),
        "ended": Q(state__in=ENDED),
    }
    due = Case(
        When(state=ClaimState.OPEN, then=F("answer_due_at")),
        When(state=ClaimState.GRANTED, then=F("finish_due_at")),
        default=Value(None),
        output_field=DateTimeField(),
    )
    listed = rows.filter(wanted.get(show, Q())).order_by(due.asc(nulls_last=True), "-pk")
    return ClaimList(
        rows=list(listed[:PAGE]),
        found=sums.get(show, sums["all"]),
        open=sums["open"],
        granted=sums["granted"],
        late=sums["late"],
        ended=sums["ended"],
    )


def people_of(vehicle: Vehicle, by: Actor) -> list[Customer]:
    """Who may demand something for a car: its owners, then who was with it at the shop's visits."""
    owners = [row.customer for row in vehicle.ownerships.filter(ends_on__isnull=True).select_related("customer")]
    visits = vehicle.visits.filter(store_id=by.store_id).select_related("customer").order_by("-pk")[:5]
    found = {person.pk: person for person in [*owners, *(visit.customer for visit in visits)]}
    return [person for person in found.values() if person.merged_into_id is None]


@dataclass(frozen=True, slots=True)
class Ground:
    """One counter or right of the file, in words."""

    article: str
    what: str
    count: int
    limit: int
    right: bool


def grounds_in_words(claim: StatutoryClaim) -> list[Ground]:
    """What the file keeps, rights first."""
    rows = [
        Ground(
            row["article"],
            faults.rule_words(row["article"], row["subject"]),
            row["count"],
            row["limit"],
            row["sign"] == faults.Sign.RIGHT,
        )
        for row in claim.grounds["counters"]
    ]
    return sorted(rows, key=lambda row: not row.right)


def guessed(claim: StatutoryClaim) -> bool:
    """Whether a clock's end lies in a year whose official list of holidays isn't known."""
    zone = ZoneInfo(claim.store.time_zone)
    return not all(holidays.is_listed(due.astimezone(zone).year) for due in (claim.answer_due_at, claim.finish_due_at))


def answerers_of(claim: StatutoryClaim) -> list[tuple[str, list[str]]]:
    """Who answers the demand and carries it out: each post that may with the names of those who hold it in the store."""
    posts = [code for code in ROLE_LABELS if permissions.CLAIMS_ANSWER in ROLES.get(code, ())]
    return [
        (str(ROLE_LABELS[code]), [person.name for person in employees_with_role(claim.store_id, code)])
        for code in posts
    ]
