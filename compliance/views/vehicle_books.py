"""Pages of the book of a car: for colleagues, and for its owner on the link of a visit (3.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from compliance import permissions
from compliance.services.vehicle_books import read_book
from compliance.vehicle_book import Book, book_pdf, shown_book
from dealership.kernel.models import Store
from dealership.kernel.pages import Page, StaffPage
from dealership.kernel.papers import paper_answer
from reception.links import LinkDoor
from reception.models import Vehicle
from reception.permissions import VEHICLES_VIEW
from workshop.permissions import ORDERS_VIEW


def opened(view: Any, uid: UUID) -> Book:
    try:
        return read_book(vehicle_uid=uid, by=view.actor)
    except Vehicle.DoesNotExist as exc:
        raise Http404 from exc


def printed(book: Book, store: Store | None) -> HttpResponse:
    name = store.company or store.name if store else ""
    return paper_answer(book_pdf(book, store=name), book.vehicle.vin or book.vehicle.plate or "book")


class VehicleBookPage(Page):
    """All repairs of a car in the reader's stores, without its former owners."""

    permission = permissions.BOOK_READ
    template_name = "compliance/vehicle_book.html"

    @cached_property
    def book(self) -> Book:
        return opened(self, self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        car = self.book.vehicle
        return super().get_context_data(**kwargs) | {
            "vehicle": car,
            "file": shown_book(self.book, store=""),
            "may_open": self.actor.may(ORDERS_VIEW),
            "back": reverse("vehicle-detail", args=[car.uid]) if self.actor.may(VEHICLES_VIEW) else "",
        }


class VehicleBookPdfView(StaffPage, View):
    permission = permissions.BOOK_READ

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        return printed(opened(self, uid), getattr(request, "store", None))


class LinkBookPage(LinkDoor, Page):
    """The owner's own look at all that was done to the car."""

    template_name = "compliance/link_book.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        book = opened(self, self.link.visit.vehicle.uid)
        return super().get_context_data(**kwargs) | {
            "file": shown_book(book, store=""),
            "whole": book.whole,
            "visit": self.link.visit,
            "link": self.link,
            "store": self.link.visit.store,
            "back": reverse("visit-link", args=[self.link.token]),
        }


class LinkBookPdfView(LinkDoor, StaffPage, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return printed(opened(self, self.link.visit.vehicle.uid), self.link.visit.store)
