"""Reads of the suppliers' register (3.2): who can be chosen, what was ordered there, how long parts take."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from dealership.kernel.actors import Actor
from workshop.models import PurchaseLine, PurchaseOrder, SubletOrder
from workshop.supplier_models import Supplier, SupplierKind


def supplier_list(by: Actor, *, words: str = "", kind: str = "", gone: bool = False) -> QuerySet[Supplier]:
    """The store's suppliers by name; ``words`` is part of name, contact or telephone, ``gone`` those no longer used."""
    rows = Supplier.objects.for_actor(by).filter(store_id=by.store_id, active=not gone)
    if kind in SupplierKind.values:
        rows = rows.filter(kind__in=(kind, SupplierKind.BOTH))
    if text := words.strip():
        rows = rows.filter(Q(name__icontains=text) | Q(contact__icontains=text) | Q(phone__icontains=text))
    return rows.order_by("name", "id")


def choosable(by: Actor, kind: SupplierKind) -> list[Supplier]:
    """Who can be chosen for a purchase (PARTS) or outside work (WORK)."""
    return list(supplier_list(by, kind=kind)[:1000])


def get_supplier(uid: UUID, by: Actor) -> Supplier:
    return Supplier.objects.for_actor(by).get(uid=uid)


def bought_of(supplier: Supplier) -> tuple[list[PurchaseOrder], list[SubletOrder]]:
    """The last purchases and pieces of outside work of a supplier."""
    works = SubletOrder.objects.filter(firm=supplier).select_related("line__order").order_by("-id")[:20]
    return list(PurchaseOrder.objects.filter(firm=supplier).order_by("-id")[:20]), list(works)


def last_suppliers(store_id: int, parts: Iterable[int]) -> dict[int, Supplier]:
    """By part: the supplier of whom the store ordered it last."""
    rows = PurchaseLine.objects.filter(purchase__store_id=store_id, part__in=list(parts))
    last = rows.order_by("part_id", "-id").distinct("part_id").select_related("purchase__firm")
    return {row.part_id: row.purchase.firm for row in last}


def lead_days(store_id: int, parts: Iterable[int]) -> dict[int, int]:
    """By part: the days that the supplier it was last ordered of takes, where they are known and it is still used."""
    found = last_suppliers(store_id, parts)
    return {key: row.lead_days for key, row in found.items() if row.active and row.lead_days is not None}
