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

from django.db import connection
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.postgres.kept import Kept
from dealership.kernel.saying import say_plate
from reception import permissions
from reception.models import (
    OPEN_VISITS,
    Appointment,
    Consultation,
    ContactRole,
    KnowledgeArticle,
    Quotation,
    Visit,
    VisitState,
)

EXACT, TAIL, START, PART = 100, 80, 70, 50
PAPER, WORDS = 40, 30
"""After people, cars, visits and orders: papers and questions by number, articles and subjects by their words."""
PER_SOURCE = 50
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[a-z][a-z0-9 '.-]*")
_TAG = re.compile(r"[A-Z0-9][A-Z0-9-]{0,9}")
# What numbering.numbers_meant can read at all: the end of a number, with or without its day.
_NUMBER = re.compile(r"(?:^|[^0-9])(?:[0-9]{6}-?)?[0-9]{1,4}$")


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of the answer. ``rank`` is EXACT, TAIL, START, PART, PAPER or WORDS; ``chip`` is a word about the present state.

    ``uid`` names what was found, ``person`` whose name stands in it.
    """

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
    uid: UUID | None = None
    person: str = ""


@dataclass(frozen=True)
class Typed:
    """What was typed, read in the ways that the sources need; half-width, without surrounding space."""

    text: str

    @cached_property
    def is_number(self) -> bool:
        """Whether it may be the number of a paper, or its end."""
        return _NUMBER.search(self.number) is not None

    @cached_property
    def is_long_number(self) -> bool:
        """Whether it says more than the last digits: its series or its day, so that it is worth looking through papers."""
        return self.is_number and len(self.number) > 4

    @cached_property
    def _stores(self) -> dict[frozenset[int], list[Store]]:
        return {}

    def numbers(self, kind: str, by: Actor) -> list[str]:
        """The numbers of a series that are meant, in the actor's stores."""
        ids = by.store_ids or frozenset()
        if ids not in self._stores:
            self._stores[ids] = list(Store.objects.filter(id__in=ids))
        return [n for store in self._stores[ids] for n in numbering.numbers_meant(self.text, kind=kind, store=store)]

    @cached_property
    def plain(self) -> str:
        """Upper case without separators."""
        return formats.strip_separators(self.text)

    @cached_property
    def number(self) -> str:
        return re.sub(r"\s+", "", self.text).replace("–", "-").replace("_", "-")

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
_LIKE = {"startswith": "{}%", "endswith": "%{}", "contains": "%{}%"}
LONGEST_PLATE, VIN_LENGTH = 12, 17
_VEHICLES = """
    SELECT v.uid, v.plate, v.plate_color, v.vin, v.model_text,
        (SELECT c.name FROM reception_ownership o JOIN reception_customer c ON c.id = o.customer_id
            WHERE o.vehicle_id = v.id AND o.ends_on IS NULL LIMIT 1) AS owner,
        (SELECT i.state FROM reception_visit i WHERE i.vehicle_id = v.id
            AND i.state IN ('WAITING', 'IN_RECEPTION', 'IN_SHOP') AND (%s OR i.store_id = ANY(%s)) LIMIT 1) AS here
    FROM reception_vehicle v WHERE {where} ORDER BY v.updated_at DESC LIMIT {limit}
"""
_CUSTOMERS = """
    SELECT c.uid, (SELECT k.uid FROM reception_customer k WHERE k.id = c.merged_into_id) AS kept,
        c.name, c.phone, c.phone_2, c.pinyin, c.pinyin_initials,
        ARRAY(SELECT coalesce(nullif(v.plate, ''), v.vin) FROM reception_ownership o
            JOIN reception_vehicle v ON v.id = o.vehicle_id
            WHERE o.customer_id = c.id AND o.ends_on IS NULL ORDER BY o.starts_on DESC LIMIT 3) AS cars
    FROM reception_customer c WHERE {where} ORDER BY c.updated_at DESC LIMIT {limit}
"""
_CONTACTS = """
    SELECT p.uid, p.name, p.phone, p.pinyin, p.pinyin_initials, p.roles, c.uid AS customer, c.name AS customer_name,
        ARRAY(SELECT coalesce(nullif(v.plate, ''), v.vin) FROM reception_ownership o
            JOIN reception_vehicle v ON v.id = o.vehicle_id
            WHERE o.customer_id = c.id AND o.ends_on IS NULL ORDER BY o.starts_on DESC LIMIT 3) AS cars
    FROM reception_customercontact p JOIN reception_customer c ON c.id = p.customer_id
    WHERE p.ended_at IS NULL AND ({where}) ORDER BY p.updated_at DESC LIMIT {limit}
"""


def _like(where: Q, table: str) -> tuple[str, list[str]]:
    """A flat list of alternatives as SQL, equal or LIKE; values are escaped for LIKE."""
    parts, values = [], []
    for look_up, value in where.children:  # type: ignore[misc]
        column, _bar, way = str(look_up).partition("__")
        if not way:
            parts.append(f"{table}.{column} = %s")
            values.append(str(value))
            continue
        escaped = re.sub(r"([\\%_])", r"\\\1", str(value))
        parts.append(f"{table}.{column} LIKE %s")
        values.append(_LIKE[way].format(escaped))
    return " OR ".join(parts), values


def _rows(sql: str, where: Q, table: str, *before: Any) -> list[dict[str, Any]]:
    """Written out as SQL: it is asked with every key that is typed, and the query's own words never change."""
    condition, values = _like(where, table)
    with connection.cursor() as cursor:
        cursor.execute(sql.format(where=condition, limit=PER_SOURCE), [*before, *values])
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def vehicle_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """Cars by plate (with or without the province) and by VIN or its tail; one query."""
    if not by.may(permissions.VEHICLES_VIEW) or len(typed.plain) < 3:
        return
    where = Q()
    for plate in typed.plates:
        if len(plate) <= LONGEST_PLATE:
            where |= Q(plate__contains=plate)
    if len(typed.vin) == VIN_LENGTH:
        where |= Q(vin=typed.vin)
    elif len(typed.vin) >= 4 and typed.vin.isascii():
        where |= Q(vin__endswith=typed.vin) | Q(vin__startswith=typed.vin)
    if not where:
        return
    rows = _rows(_VEHICLES, where, "v", by.store_ids is None, sorted(by.store_ids or ()))
    sees_customers = by.may(permissions.CUSTOMERS_VIEW)
    for row in rows:
        name = (row["owner"] or "") if sees_customers else ""
        yield Hit(
            kind="vehicle",
            label=_("Vehicle"),
            url=reverse("vehicle-detail", args=[row["uid"]]),
            title=name or row["model_text"],
            say=" · ".join(part for part in (row["model_text"] if name else "", row["vin"]) if part),
            plate=row["plate"],
            plate_color=row["plate_color"],
            chip=VisitState(row["here"]).label if row["here"] else "",
            stage="reception" if row["here"] else "",
            rank=_vehicle_rank(row["plate"], row["vin"], typed),
            uid=row["uid"],
            person=name,
        )


def _vehicle_rank(kept: str, vin: str, typed: Typed) -> int:
    bare = formats.plate_without_province(kept)
    for plate in typed.plates:
        if plate in (kept, bare):
            return EXACT
    if vin and typed.vin == vin:
        return EXACT
    if any(kept.endswith(plate) or bare.startswith(plate) for plate in typed.plates):
        return TAIL
    return TAIL if vin and vin.endswith(typed.vin) else PART


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
    """Customers with their present cars; one query."""
    where = customer_filter(typed) if by.may(permissions.CUSTOMERS_VIEW) else None
    if where is None:
        return
    rows = _rows(_CUSTOMERS, where, "c")
    shown = {row["uid"] for row in rows}
    for row in rows:
        if row["kept"] in shown:
            continue  # merged into one that is found as well
        plates = [say_plate(plate) for plate in row["cars"]]
        yield Hit(
            kind="customer",
            label=_("Customer"),
            url=reverse("customer-detail", args=[row["uid"]]),
            title=row["name"],
            say=" · ".join([formats.mask_phone(row["phone"] or row["phone_2"]), *plates]).strip(" ·"),
            rank=_customer_rank(row, typed),
            uid=row["kept"] or row["uid"],
            chip=_("Merged") if row["kept"] else "",
            person=row["name"],
        )


def _customer_rank(row: dict[str, Any], typed: Typed) -> int:
    numbers = (row["phone"], row["phone_2"])
    named = typed.name == row["name"] or (typed.pinyin and typed.pinyin in (row["pinyin"], row["pinyin_initials"]))
    if named or (typed.phone and typed.phone_as_kept in numbers):
        return EXACT
    if typed.phone and any(number.endswith(typed.phone) for number in numbers):
        return TAIL
    return START if typed.pinyin or (typed.name and row["name"].startswith(typed.name)) else PART


def contact_filter(typed: Typed) -> Q | None:
    """The same for people around a customer, who have one number."""
    where = customer_filter(typed)
    if where is None:
        return None
    one = [part for part in where.children if isinstance(part, tuple) and not part[0].startswith("phone_2")]
    return Q(*one, _connector=Q.OR)


def contact_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """2.3: a customer's driver, payer or whoever may authorise, by name, number, pinyin and initials; one query."""
    where = contact_filter(typed) if by.may(permissions.CUSTOMERS_VIEW) else None
    if where is None:
        return
    for row in _rows(_CONTACTS, where, "p"):
        plates = [say_plate(plate) for plate in row["cars"]]
        yield Hit(
            kind="customer-contact",
            label=" · ".join(str(ContactRole(code).label) for code in row["roles"]),
            url=reverse("customer-detail", args=[row["customer"]]) + "#people",
            title=f"{row['name']} · {row['customer_name']}",
            say=" · ".join([formats.mask_phone(row["phone"]), *plates]).strip(" ·"),
            rank=_customer_rank(row | {"phone_2": ""}, typed),
            uid=row["uid"],
            person=row["name"],
        )


def number_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """Visits and appointments of the actor's stores by number, with or without its prefix and zeros."""
    if not by.may(permissions.VISITS_VIEW) or by.store_ids is None or not typed.is_number:
        return
    for model, kind, page, label in (
        (Visit, "V", "visit-detail", _("Visit")),
        (Appointment, "AP", "appointment-detail", _("Appointment")),
    ):
        meant = typed.numbers(kind, by)
        if not meant:
            continue
        for row in model.objects.for_actor(by).filter(number__in=meant).select_related("vehicle"):
            url = _page(page, row.uid)
            if url is None:
                continue
            sees = by.may(permissions.CUSTOMERS_VIEW)
            yield Hit(
                kind=kind.lower(),
                label=label,
                url=url,
                title=row.contact_name if sees else row.number,
                say=row.number,
                plate=row.vehicle.plate,
                plate_color=row.vehicle.plate_color,
                chip=row.get_state_display(),
                rank=EXACT if len(typed.plain) > 4 else PART,
                uid=row.uid,
                person=row.contact_name if sees else "",
            )


_TAGGED: Kept[Visit] = Kept(
    lambda by, tag: Visit.objects.for_actor(by).filter(key_tag=tag, state__in=OPEN_VISITS).select_related("vehicle"),
    by=Actor,
    tag=str,
)


def key_tag_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """2.1.2: the car whose key hangs under this tag now, in the actor's stores."""
    tag = typed.text.upper()
    if not by.may(permissions.VISITS_VIEW) or not _TAG.fullmatch(tag):
        return
    for row in _TAGGED(by=by, tag=tag):
        sees = by.may(permissions.CUSTOMERS_VIEW)
        yield Hit(
            kind="key",
            label=_("Key tag"),
            url=reverse("visit-detail", args=[row.uid]),
            title=row.contact_name if sees else row.number,
            say=row.number,
            plate=row.vehicle.plate,
            plate_color=row.vehicle.plate_color,
            chip=row.get_state_display(),
            rank=EXACT,
            uid=row.uid,
            person=row.contact_name if sees else "",
        )


@dataclass(frozen=True, slots=True)
class Series:
    """A numbered paper that can be found: its model, its page, who may see it; ``vehicle`` and ``person`` are look-up
    paths. ``short``: by its last digits alone as well, ranked among visits."""

    kind: str
    model: Any
    page: str
    label: Any
    permission: str
    vehicle: str = ""
    person: str = ""
    short: bool = False


def series_source(series: Series) -> Source:
    """A source that finds one series by number, with or without its prefix and zeros; one query where one is meant."""
    paths = [path for path in (series.vehicle, series.person.rpartition("__")[0]) if path]

    def source(by: Actor, typed: Typed) -> Iterable[Hit]:
        fits = typed.is_number if series.short else typed.is_long_number
        if not fits or by.store_ids is None or not by.may(series.permission):
            return
        meant = typed.numbers(series.kind, by)
        sees = by.may(permissions.CUSTOMERS_VIEW)
        rows = series.model.objects.for_actor(by).filter(number__in=meant).select_related(*paths) if meant else ()
        for row in rows:
            vehicle = _follow(row, series.vehicle)
            person = (_follow(row, series.person) or "") if sees else ""
            yield Hit(
                kind=series.kind.lower(),
                label=series.label,
                url=reverse(series.page, args=[row.uid]),
                title=person or row.number,
                say=row.number if person else "",
                plate=vehicle.plate if vehicle else "",
                plate_color=vehicle.plate_color if vehicle else "",
                chip=_chip(row),
                rank=(EXACT if len(typed.plain) > 4 else PART) if series.short else PAPER,
                uid=row.uid,
                person=person,
            )

    return source


def _follow(row: Any, path: str) -> Any:
    for step in path.split("__") if path else ():
        row = getattr(row, step, None) if row is not None else None
    return row if path else None


def _chip(row: Any) -> Any:
    shown = getattr(row, "get_stage_display", None) or getattr(row, "get_state_display", None)
    return shown() if shown else ""


def article_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """Articles of the knowledge base by words of their title or its pinyin; one query."""
    word = typed.name or (typed.pinyin if len(typed.pinyin) >= 3 and typed.pinyin.isalpha() else "")
    if len(word) < 2 or not by.may(permissions.KNOWLEDGE_VIEW):
        return
    fits = Q(title__icontains=word) if typed.name else Q(pinyin__contains=word) | Q(title__icontains=typed.text)
    rows = KnowledgeArticle.objects.for_actor(by).filter(fits, withdrawn_at__isnull=True).order_by("title")
    for row in rows[:PER_SOURCE]:
        yield Hit(
            kind="article",
            label=_("Knowledge"),
            url=reverse("article-detail", args=[row.uid]),
            title=row.title,
            say=str(row.get_topic_display()),
            rank=WORDS,
            uid=row.uid,
        )


def subject_hits(by: Actor, typed: Typed) -> Iterable[Hit]:
    """Questions of the actor's stores by words of their subject; one query on its index."""
    if len(typed.name) < 3 or by.store_ids is None or not by.may(permissions.CONSULTATIONS_VIEW):
        return
    rows = Consultation.objects.for_actor(by).filter(subject__contains=typed.name).select_related("vehicle")
    for row in rows.order_by("-asked_at")[:PER_SOURCE]:
        yield Hit(
            kind="q",
            label=_("Question"),
            url=reverse("consultation-detail", args=[row.uid]),
            title=row.subject,
            say=row.number,
            plate=row.vehicle.plate if row.vehicle else "",
            plate_color=row.vehicle.plate_color if row.vehicle else "",
            chip=row.get_state_display(),
            rank=WORDS,
            uid=row.uid,
        )


def _page(name: str, uid: UUID) -> str | None:
    """The address of a page with one uid, None where no room has brought it."""
    try:
        return reverse(name, args=[uid])
    except NoReverseMatch:
        return None


SOURCES: list[Source] = [
    vehicle_hits,
    number_hits,
    key_tag_hits,
    customer_hits,
    contact_hits,
    series_source(
        Series(
            kind="Q",
            model=Consultation,
            page="consultation-detail",
            label=_("Question"),
            permission=permissions.CONSULTATIONS_VIEW,
            vehicle="vehicle",
            person="contact_name",
        )
    ),
    series_source(
        Series(
            kind="QT",
            model=Quotation,
            page="quotation-detail",
            label=_("Quotation"),
            permission=permissions.QUOTATIONS_VIEW,
            vehicle="vehicle",
            person="contact_name",
        )
    ),
    subject_hits,
    article_hits,
]


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
