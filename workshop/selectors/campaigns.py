"""Recalls and service campaigns: what is open for a car, how far a list is done, and a list of VINs as it is read."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.formats import Level
from reception.models import Customer, Vehicle, Visit
from workshop.campaign_models import Campaign, CampaignAnswer, CampaignKind, CampaignReply, CampaignVehicle
from workshop.models import LineState, RepairOrder

GONE = (LineState.CANCELLED, LineState.DECLINED, LineState.WITHDRAWN)
MOST_VINS = 20_000
HEADS = {"vin", "车架号", "车辆识别代号", "车辆识别代码"}


@dataclass(frozen=True, slots=True)
class OpenCampaign:
    """A campaign that isn't done for a car. ``on_order`` is the living line's order, ``answer`` this visit's last one."""

    row: CampaignVehicle
    campaign: Campaign
    on_order: RepairOrder | None = None
    answer: CampaignAnswer | None = None

    @property
    def is_recall(self) -> bool:
        return self.campaign.kind == CampaignKind.RECALL

    @property
    def needs_answer(self) -> bool:
        return self.is_recall and self.answer is None


def _running(day: date | None = None) -> Q:
    on = day or clock.today()
    return Q(campaign__starts_on__lte=on) & (Q(campaign__ends_on__isnull=True) | Q(campaign__ends_on__gte=on))


def _last_said() -> Subquery:
    return Subquery(CampaignAnswer.objects.filter(vehicle=OuterRef("pk")).order_by("-pk").values("reply")[:1])


ELSEWHERE = Q(said=CampaignReply.ELSEWHERE)
"""Over rows annotated with ``said``: the last that was said is that another shop has done it."""


def done_elsewhere(row: CampaignVehicle) -> CampaignAnswer | None:
    """What was said of a row that another shop has done."""
    last = row.answers.order_by("-pk").first()
    return last if last is not None and last.reply == CampaignReply.ELSEWHERE else None


def said_done(visit: Visit) -> list[OpenCampaign]:
    """What was said in this visit to be done elsewhere: it can be put right while the car is here."""
    rows = (
        CampaignVehicle.objects.filter(_running(), vin=visit.vehicle.vin).annotate(said=_last_said()).filter(ELSEWHERE)
    )
    found = []
    for row in rows.select_related("campaign__operation", "line__order").order_by("pk") if visit.vehicle.vin else ():
        answer = done_elsewhere(row)
        if answer is not None and answer.visit_id == visit.pk:
            found.append(OpenCampaign(row, row.campaign, None, answer))
    return found


def open_rows(vins: Iterable[str]) -> QuerySet[CampaignVehicle]:
    """Rows of running campaigns that neither an inspected line nor another shop has done, recalls first."""
    wanted = [vin for vin in vins if vin]
    rows = CampaignVehicle.objects.filter(_running(), vin__in=wanted).select_related(
        "campaign__operation", "line__order"
    )
    rows = rows.annotate(said=_last_said()).filter(Q(said__isnull=True) | ~ELSEWHERE)
    return rows.exclude(line__state=LineState.INSPECTED).order_by("-campaign__kind", "campaign__starts_on", "pk")


def open_for(vehicle: Vehicle, visit: Visit | None = None) -> list[OpenCampaign]:
    """What is open for a car; with ``visit`` also what was answered in it."""
    if not vehicle.vin:
        return []
    rows = list(open_rows([vehicle.vin]))
    answers: dict[int, CampaignAnswer] = {}
    if rows and visit is not None:
        for answer in CampaignAnswer.objects.filter(visit=visit, vehicle__in=rows).order_by("pk"):
            answers[answer.vehicle_id] = answer
    return [
        OpenCampaign(
            row,
            row.campaign,
            row.line.order if row.line is not None and row.line.state not in GONE else None,
            answers.get(row.pk),
        )
        for row in rows
    ]


def open_for_customer(customer: Customer) -> list[tuple[Vehicle, list[OpenCampaign]]]:
    """The customer's cars that have an open campaign."""
    cars = [row.vehicle for row in customer.ownerships.filter(ends_on__isnull=True).select_related("vehicle")]
    by_vin: dict[str, list[OpenCampaign]] = {}
    for row in open_rows([car.vin for car in cars]):
        by_vin.setdefault(row.vin, []).append(OpenCampaign(row, row.campaign))
    return [(car, by_vin[car.vin]) for car in cars if car.vin in by_vin]


def unanswered_recalls(visit: Visit) -> list[OpenCampaign]:
    """Recalls of the visit's car that are neither done nor answered: the hand-over asks about them."""
    return [row for row in open_for(visit.vehicle, visit) if row.needs_answer]


@dataclass(frozen=True, slots=True)
class CampaignRow:
    campaign: Campaign
    cars: int
    known: int
    done: int
    elsewhere: int

    @property
    def percent(self) -> int:
        return round(self.done * 100 / self.cars) if self.cars else 0


def campaign_rows(*, uid: UUID | None = None) -> list[CampaignRow]:
    """Campaigns with how many cars are on the list, known in the group, and done, here or elsewhere; newest first."""
    here = Exists(Vehicle.objects.filter(vin=OuterRef("vin")))
    sums: dict[int, dict[str, Any]] = {
        row["campaign_id"]: row
        for row in CampaignVehicle.objects.annotate(here=here, said=_last_said())
        .values("campaign_id")
        .annotate(
            cars=Count("pk"),
            known=Count("pk", filter=Q(here=True)),
            done=Count("pk", filter=Q(line__state=LineState.INSPECTED) | ELSEWHERE),
            elsewhere=Count("pk", filter=ELSEWHERE),
        )
        .order_by()
    }
    campaigns = Campaign.objects.select_related("operation")
    rows = campaigns.filter(uid=uid) if uid else campaigns
    names = ("cars", "known", "done", "elsewhere")
    none = dict.fromkeys(names, 0)
    return [CampaignRow(campaign, *((sums.get(campaign.pk) or none)[name] for name in names)) for campaign in rows]


@dataclass(frozen=True, slots=True)
class ListedCar:
    row: CampaignVehicle
    vehicle: Vehicle | None
    order: RepairOrder | None
    done: bool
    elsewhere: CampaignAnswer | None = None


def cars_of(campaign: Campaign, by: Actor, *, most: int = 100) -> list[ListedCar]:
    """Cars of the list that are known here, those not done first."""
    here = Exists(Vehicle.objects.filter(vin=OuterRef("vin")))
    rows = list(
        campaign.vehicles.annotate(here=here)
        .filter(here=True)
        .select_related("line__order")
        .order_by("line__state", "pk")[:most]
    )
    cars = {car.vin: car for car in Vehicle.objects.for_actor(by).filter(vin__in=[row.vin for row in rows])}
    mine = set(by.store_ids) if by.store_ids is not None else None
    said = {answer.vehicle_id: answer for answer in CampaignAnswer.objects.filter(vehicle__in=rows).order_by("pk")}
    gone = {pk: answer for pk, answer in said.items() if answer.reply == CampaignReply.ELSEWHERE}
    found = [
        ListedCar(
            row,
            cars.get(row.vin),
            row.line.order if row.line is not None and (mine is None or row.line.order.store_id in mine) else None,
            row.pk in gone or (row.line is not None and row.line.state == LineState.INSPECTED),
            gone.get(row.pk),
        )
        for row in rows
    ]
    return sorted(found, key=lambda car: car.done)


def get_campaign(uid: UUID) -> Campaign:
    return Campaign.objects.select_related("operation").get(uid=uid)


def row_of(uid: str) -> CampaignVehicle:
    """The row with this uid as a form sends it. Raises CampaignVehicle.DoesNotExist for what is none."""
    try:
        return CampaignVehicle.objects.get(uid=UUID(uid))
    except ValueError:
        raise CampaignVehicle.DoesNotExist from None


# --- a list of VINs ---


@dataclass(frozen=True, slots=True)
class BadRow:
    number: int
    text: str
    why: str


@dataclass(slots=True)
class VinList:
    """What a list says: ``new`` and ``known`` VINs, and the lines that can't be read, with the reason."""

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def _cells(text: str) -> Iterable[tuple[int, str]]:
    """The VIN's cell of every line that isn't empty; the column is found by its heading, else it is the first."""
    delimiter = next((sign for sign in ("\t", ";", ",") if sign in text), ",")
    column = 0
    for number, row in enumerate(csv.reader(StringIO(text), delimiter=delimiter), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        heads = [index for index, cell in enumerate(cells) if cell.casefold() in HEADS]
        if number == 1 and heads:
            column = heads[0]
            continue
        yield number, cells[column] if column < len(cells) else ""


def read_vins(text: str, campaign: Campaign) -> VinList:
    """Reads a list of VINs (lines or CSV). A VIN that comes twice counts once; nothing is written."""
    found, seen = VinList(), set()
    there = set(campaign.vehicles.values_list("vin", flat=True))
    for number, cell in _cells(text):
        checked = formats.check_vin(cell)
        if checked.level == Level.REFUSED:
            found.bad.append(BadRow(number, cell[:40], str(checked.text)))
        elif checked.value not in seen:
            seen.add(checked.value)
            (found.known if checked.value in there else found.new).append(checked.value)
    return found
