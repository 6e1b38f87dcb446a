"""What may be used in place of a part, with what the store's shelf has of it (3.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dealership.catalogue.models import Part
from dealership.catalogue.selectors.replacements import Choice, choices_for
from workshop.models import StockItem


@dataclass(frozen=True, slots=True)
class Offer:
    """``part`` may be used instead; ``free`` is what the shelf has of it beyond what is kept for others."""

    part: Part
    follows: bool
    free: Decimal
    item: StockItem | None


def offers(store_id: int, part_ids: Iterable[int]) -> dict[int, list[Offer]]:
    """By part id: what may be used instead today, successors first."""
    found: dict[int, list[Choice]] = choices_for(part_ids)
    if not found:
        return {}
    others = {choice.part.pk for choices in found.values() for choice in choices}
    shelves = {item.part_id: item for item in StockItem.objects.filter(store_id=store_id, part__in=others)}

    def offer(choice: Choice) -> Offer:
        item = shelves.get(choice.part.pk)
        free = item.on_hand - item.reserved if item else Decimal(0)
        return Offer(choice.part, choice.follows, free, item)

    return {part_id: [offer(choice) for choice in choices] for part_id, choices in found.items()}


def with_offers(items: list[StockItem], store_id: int) -> list[StockItem]:
    """The same rows of stock, each with what may be used instead of its part (``offers``)."""
    found = offers(store_id, [item.part_id for item in items])
    for item in items:
        item.offers = found.get(item.part_id, [])  # type: ignore[attr-defined]
    return items
