"""What chapter 8 adds to the pages below: the customer's own copy of the repair file."""

from __future__ import annotations

from typing import Any

from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.panels import Panel, register_panel
from reception.models import Vehicle, Visit
from workshop.models import RepairOrder

from . import permissions
from .selectors.archives import file_of_order, files_of_visit


def link_files(by: Actor, root: Any) -> dict[str, Any] | None:
    """3.3: the files of this visit's orders, once the car has left."""
    visit: Visit = getattr(root, "visit", root)
    if by is None or by.kind != ActorKind.LINK:
        return None
    files = list(files_of_visit(by, visit))
    return {"files": files, "visit": visit} if files else None


register_panel("visit_link", Panel("compliance.files", "compliance/panels/link_files.html", link_files, order=60))


def order_file(by: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """3.3: the way from an order to its file, for who may read the archive."""
    kept = file_of_order(by, order) if by.may(permissions.ARCHIVE_VIEW) else None
    return {"kept": kept, "addenda": kept.addenda.count()} if kept else None


register_panel("order_side", Panel("compliance.file", "compliance/panels/order_file.html", order_file, order=60))


# --- vehicle book ---
def vehicle_book(by: Actor, vehicle: Vehicle) -> dict[str, Any] | None:
    """3.3: the way to the book of the car, for who may read it."""
    return {"vehicle": vehicle} if by.may(permissions.BOOK_READ) else None


def link_book(by: Actor, root: Any) -> dict[str, Any] | None:
    """3.3: the customer's way to the book of the car."""
    visit: Visit = getattr(root, "visit", root)
    return {"token": visit.link.token} if by is not None and by.kind == ActorKind.LINK else None


register_panel("vehicle", Panel("compliance.book", "compliance/panels/vehicle_book.html", vehicle_book, order=60))
register_panel("visit_link", Panel("compliance.book", "compliance/panels/link_book.html", link_book, order=61))
