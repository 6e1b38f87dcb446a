"""Where parts lie and belong (3.2): usual bins, the bins of the store, and what waits to be put away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote
from uuid import UUID

from dealership.catalogue.models import Part
from dealership.kernel.actors import Actor
from workshop.models import StockBin, StockItem, StockMovement, Warehouse
from workshop.stock_models import MAIN


def usual_bin(item: StockItem, warehouse: Warehouse) -> str:
    """The bin in which a part belongs in a warehouse: its own one of the main warehouse, else the last one it moved in."""
    if warehouse.code == MAIN and item.bin:
        return item.bin
    moved = StockMovement.objects.filter(item=item, place__warehouse=warehouse).exclude(place__bin="")
    return moved.order_by("-id").values_list("place__bin", flat=True).first() or ""


def usual_bins(by: Actor, parts: Iterable[Part]) -> dict[int, dict[UUID | None, str]]:
    """By part: warehouse (None: the main one) and the usual bin there, the one to propose first. What has none is left out."""
    items = {row.pk: row for row in StockItem.objects.for_actor(by).filter(part__in=list(parts))}
    moved = (
        StockMovement.objects.filter(item__in=items, place__isnull=False)
        .exclude(place__bin="")
        .order_by("item_id", "place__warehouse_id", "-id")
        .distinct("item_id", "place__warehouse_id")
        .values_list("item_id", "place__warehouse__uid", "place__warehouse__code", "place__bin")
    )
    found: dict[int, dict[UUID | None, str]] = {row.part_id: {None: row.bin} for row in items.values() if row.bin}
    for item_id, uid, code, name in moved:
        found.setdefault(items[item_id].part_id, {}).setdefault(None if code == MAIN else uid, name)
    return found


def bin_names(by: Actor) -> list[str]:
    """The bins of the store that are in use, each once."""
    names = StockBin.objects.for_actor(by).exclude(bin="").values_list("bin", flat=True)
    return list(names.order_by("bin").distinct()[:2000])


def code_meant(typed: str, key: str = "code") -> str:
    """What a scanned label says: a part's number or a bin, out of the label's address or typed as it is."""
    text = typed.strip()
    if found := re.search(rf"[?&]{key}=([^&#\s]+)", text):
        text = unquote(found[1].replace("+", " "))
    return " ".join(text.split())


def read_bin(text: str, warehouses: Sequence[Warehouse]) -> tuple[Warehouse | None, str]:
    """What a scanned or typed bin says: its label may begin with the code of a warehouse ("TYRE T-9")."""
    text = code_meant(text, key="bin")
    code, _space, rest = text.partition(" ")
    named = next((row for row in warehouses if rest and row.code.casefold() == code.casefold()), None)
    return (named, rest) if named else (None, text)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Stock that lies in a warehouse without a bin; ``proposed`` is where the part belongs, "" where nobody knows."""

    place: StockBin
    proposed: str


def unplaced(by: Actor) -> list[Unplaced]:
    """What came in and lies nowhere yet, the part first that waits longest."""
    rows = (
        StockBin.objects.for_actor(by).filter(bin="", on_hand__gt=0).select_related("item__part", "warehouse")
        .order_by("id")[:200]
    )  # fmt: skip
    usual = usual_bins(by, [row.item.part for row in rows])
    return [
        Unplaced(
            row, usual.get(row.item.part_id, {}).get(None if row.warehouse.code == MAIN else row.warehouse.uid, "")
        )
        for row in rows
    ]


def unplaced_count(by: Actor) -> int:
    return StockBin.objects.for_actor(by).filter(bin="", on_hand__gt=0).count()


def without_stock(by: Actor, words: str) -> list[Part]:
    """Parts of the master whose number, name or pinyin fits and which this store never had: they can be received."""
    text = words.strip()
    if len(text) < 2:
        return []
    had = StockItem.objects.for_actor(by).filter(store_id=by.store_id).values("part")
    fits = Part.objects.filter(active=True).exclude(pk__in=had)
    named = fits.filter(number__icontains=text) | fits.filter(name__icontains=text)
    return list((named | fits.filter(pinyin__icontains=text.lower())).order_by("number")[:20])


def bins_to_label(by: Actor, *, warehouse: Warehouse | None = None, first: str = "", last: str = "") -> list[StockBin]:
    """A store's bins, each once in a warehouse, in the order in which one walks along them; of a warehouse, from ``first``
    to ``last``, where these are named."""
    rows = StockBin.objects.for_actor(by).exclude(bin="").select_related("warehouse")
    if warehouse is not None:
        rows = rows.filter(warehouse=warehouse)
    found = list(rows.order_by("warehouse_id", "bin", "id").distinct("warehouse_id", "bin"))
    if first:
        found = [row for row in found if row.bin.casefold() >= first.casefold()]
    if last:
        found = [
            row
            for row in found
            if row.bin.casefold() <= last.casefold() or row.bin.casefold().startswith(last.casefold())
        ]
    return sorted(found, key=lambda row: (row.warehouse.code != MAIN, row.warehouse_id, row.bin.casefold()))


def bin_code(place: StockBin) -> str:
    """What stands on a bin's label: with the code of its warehouse, except in the main one."""
    return place.bin if place.warehouse.code == MAIN else f"{place.warehouse.code} {place.bin}"
