"""The one search box (2.3): plate, telephone, VIN, name, pinyin and numbers, tolerant of how people type them.

Upper rooms append callables to ``SOURCES``: ``source(by, typed) -> Iterable[Hit]``. A source answers only what its actor
may see and looks up indexed columns only; its links lead to a page that this actor may open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from reception import permissions
from reception.models import Appointment, Customer, Ownership, Vehicle, Visit, VisitState

EXACT, TAIL, START, PART = 100, 80, 70, 50
PER_SOURCE = 50
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[a-z][a-z0-9 '.-]*")
_HERE = (VisitState.WAITING, VisitState.IN_RECEPTION, VisitState.IN_SHOP)


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of the answer. ``rank`` is EXACT, TAIL, START or PART; ``chip`` is a word about the present state."""

    kind: str
    label: Any
    url: str
    title: str
    say: str = ""
    plate: str = ""
    plate_color: str = ""
    chip: Any = ""
    stage: str = ""
    rank: int = PART


@dataclass(frozen=True)
class Typed:
    """What was typed, read in the ways that the sources need; half-width, without surrounding space."""

    text: str

    @cached_property
    def plain(self) -> str:
        """Upper case without separators."""
        return formats.strip_separators(self.text)

    @cached_property
    def vin(self) -> str:
        """``plain`` as a VIN may hold it: neither O, Q nor I."""
        return self.plain.translate(str.maketrans("OQI", "001"))

    @cached_property
    def plates(self) -> list[str]:
        """``plain`` and, where it differs, the same with 0 and 1 where no plate has O and I."""
        head, rest = (self.plain[:2], self.plain[2:]) if _HAN.match(self.plain) else (self.plain[:1], self.plain[1:])
        return list(dict.fromkeys([self.plain, head + rest.translate(str.maketrans("OI", "01"))]))

    @cached_property
    def phone(self) -> str:
        """Digits of a telephone number or its part without +86; '' where the text holds anything else."""
        number = formats.normalise_phone(self.text)
        digits = re.sub(r"[\s()·.-]", "", number)
        return digits if digits.isascii() and digits.isdigit() else ""

    @cached_property
    def phone_as_kept(self) -> str:
        return formats.normalise_phone(self.text)

    @cached_property
    def name(self) -> str:
        """A Chinese name without inner space, else ''."""
        return re.sub(r"\s+", "", self.text) if _HAN.search(self.text) else ""

    @cached_property
    def pinyin(self) -> str:
        """Lower-case letters of a name in pinyin or Latin, else ''."""
        lower = self.text.lower()
        return re.sub(r"[^a-z0-9]", "", lower) if _LATIN.fullmatch(lower) else ""


Source = Callable[[Actor, Typed], Iterable[Hit]]


def vehicle_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """Cars by plate (with or without the province) and by VIN or its tail."""
    if not by.may(permissions.VEHICLES_VIEW) or len(typed.plain) < 3:
        return
    where = Q()
    for plate in typed.plates:
        where |= Q(plate__contains=plate)
    if len(typed.vin) >= 4 and typed.vin.isascii():
        where |= Q(vin__endswith=typed.vin) | Q(vin__startswith=typed.vin)
    owners = Ownership.objects.filter(ends_on__isnull=True).select_related("customer")
    visits = Visit.objects.for_actor(by).filter(state__in=_HERE)
    rows = (
        Vehicle.objects.for_actor(by)
        .filter(where)
        .prefetch_related(Prefetch("ownerships", owners, to_attr="present"), Prefetch("visits", visits, to_attr="here"))
        .order_by("-updated_at")[:PER_SOURCE]
    )
    sees_customers = by.may(permissions.CUSTOMERS_VIEW)
    for row in rows:
        owner = row.present[0].customer.name if row.present and sees_customers else ""
        visit = row.here[0] if row.here else None
        yield Hit(
            kind="vehicle",
            label=_("Vehicle"),
            url=reverse("vehicle-detail", args=[row.uid]),
            title=owner or row.model_text,
            say=" · ".join(part for part in (row.model_text if owner else "", row.vin) if part),
            plate=row.plate,
            plate_color=row.plate_color,
            chip=visit.get_state_display() if visit else "",
            stage="reception" if visit else "",
            rank=_vehicle_rank(row, typed),
        )


def _vehicle_rank(row: Vehicle, typed: Typed) -> int:
    bare = formats.plate_without_province(row.plate)
    for plate in typed.plates:
        if plate in (row.plate, bare):
            return EXACT
    if row.vin and typed.vin == row.vin:
        return EXACT
    if any(row.plate.endswith(plate) or bare.startswith(plate) for plate in typed.plates):
        return TAIL
    return TAIL if row.vin and row.vin.endswith(typed.vin) else PART


def customer_filter(typed: Typed) -> Q | None:
    """Number (whole or tail), name, pinyin and initials; None where too little was typed to look anything up."""
    where = Q()
    if len(typed.phone) >= 3:
        for column in ("phone", "phone_2"):
            where |= Q(**{f"{column}__endswith": typed.phone})
            for start in {typed.phone, typed.phone_as_kept}:
                where |= Q(**{f"{column}__startswith": start})
    if typed.name:
        where |= Q(name__startswith=typed.name) | Q(name__endswith=typed.name)
        if len(typed.name) >= 3:
            where |= Q(name__contains=typed.name)
    if len(typed.pinyin) >= 2:
        where |= Q(pinyin__startswith=typed.pinyin) | Q(pinyin_initials__startswith=typed.pinyin)
    return where or None


def customer_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """Customers with their present cars."""
    where = customer_filter(typed) if by.may(permissions.CUSTOMERS_VIEW) else None
    if where is None:
        return
    cars = Ownership.objects.filter(ends_on__isnull=True).select_related("vehicle").order_by("-starts_on")
    rows = (
        Customer.objects.for_actor(by)
        .filter(where)
        .prefetch_related(Prefetch("ownerships", cars, to_attr="present"))
        .order_by("-updated_at")[:PER_SOURCE]
    )
    for row in rows:
        plates = [formats.display_plate(str(o.vehicle)) for o in row.present[:3]]
        yield Hit(
            kind="customer",
            label=_("Customer"),
            url=reverse("customer-detail", args=[row.uid]),
            title=row.name,
            say=" · ".join([formats.mask_phone(row.phone or row.phone_2), *plates]).strip(" ·"),
            rank=_customer_rank(row, typed),
        )


def _customer_rank(row: Customer, typed: Typed) -> int:
    numbers = (row.phone, row.phone_2)
    named = typed.name == row.name or (typed.pinyin and typed.pinyin in (row.pinyin, row.pinyin_initials))
    if named or (typed.phone and typed.phone_as_kept in numbers):
        return EXACT
    if typed.phone and any(number.endswith(typed.phone) for number in numbers):
        return TAIL
    return START if typed.pinyin or (typed.name and row.name.startswith(typed.name)) else PART


def number_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """Visits and appointments of the actor's stores by number, with or without its prefix and zeros."""
    if not by.may(permissions.VISITS_VIEW) or by.store_ids is None or not any(c.isdigit() for c in typed.text):
        return
    stores = list(Store.objects.filter(id__in=by.store_ids))
    for model, kind, page, label in (
        (Visit, "V", "visit-detail", _("Visit")),
        (Appointment, "AP", "appointment-detail", _("Appointment")),
    ):
        meant = [n for store in stores for n in numbering.numbers_meant(typed.text, kind=kind, store=store)]
        for row in model.objects.for_actor(by).filter(number__in=meant).select_related("vehicle"):
            url = _page(page, row.uid)
            if url is None:
                continue
            yield Hit(
                kind=kind.lower(),
                label=label,
                url=url,
                title=row.contact_name if by.may(permissions.CUSTOMERS_VIEW) else row.number,
                say=row.number,
                plate=row.vehicle.plate,
                plate_color=row.vehicle.plate_color,
                chip=row.get_state_display(),
                rank=EXACT if len(typed.plain) > 4 else PART,
            )


def _page(name: str, uid: UUID) -> str | None:
    """The address of a page with one uid, None where no room has brought it."""
    try:
        return reverse(name, args=[uid])
    except NoReverseMatch:
        return None


SOURCES: list[Source] = [vehicle_hits, number_hits, customer_hits]


def find(*, text: str, by: Actor) -> list[Hit]:
    """All hits, the surest first; at most fifty of each source. [] for less than can be looked up."""
    typed = Typed(" ".join(formats.fold_width(text.replace("\x00", "")).split())[:100])
    if not typed.plain:
        return []
    hits: dict[str, Hit] = {}
    for source in SOURCES:
        for hit in source(by, typed):
            if hit.url not in hits or hits[hit.url].rank < hit.rank:
                hits[hit.url] = hit
    return sorted(hits.values(), key=lambda hit: -hit.rank)
