"""Labels of parts and bins to print (3.2), and where a scanned one leads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import segno
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.urls import reverse
from django.views.generic import View

from dealership.kernel.pages import Page, StaffPage
from workshop import permissions
from workshop.forms.part_labels import LabelsForm
from workshop.models import StockItem
from workshop.selectors.places import bin_code, bins_to_label, read_bin
from workshop.selectors.stock import shelf, warehouses

MOST = 200
"""Labels of one print."""


class PartLabelsPage(Page):
    """Labels of bins, or of the parts that lie in them; ``?part=`` prints one part's alone."""

    permission = permissions.STOCK_MOVE
    template_name = "workshop/part_labels.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        places = list(warehouses(self.actor))
        form = LabelsForm(self.request.GET if "what" in self.request.GET else None, warehouses=places)
        facts = form.cleaned_data if form.is_bound and form.is_valid() else {}
        bins: list[tuple[str, str, str]] = []
        parts: list[tuple[StockItem, str]] = []
        if one := self.request.GET.get("part", ""):
            parts = [
                (item, self._drawn("code", item.part.number)) for item in self._items().filter(part__uid=_uid(one))
            ]
        elif facts:
            chosen = next((row for row in places if str(row.uid) == facts["warehouse"]), None)
            named = bins_to_label(self.actor, warehouse=chosen, first=facts["first"], last=facts["last"])
            if facts["what"] == "BINS":
                bins = [(row.bin, str(row.warehouse), self._drawn("bin", bin_code(row))) for row in named[:MOST]]
            else:
                keys = {(row.warehouse_id, row.bin) for row in named}
                found = [item for item in self._items() if any((b.warehouse_id, b.bin) in keys for b in item.full_bins)]
                parts = [(item, self._drawn("code", item.part.number)) for item in found[:MOST]]
        return super().get_context_data(**kwargs) | {
            "form": form,
            "bins": bins,
            "parts": parts,
            "asked": bool(facts or one),
        }

    def _items(self) -> Any:
        return shelf(self.actor)

    def _drawn(self, key: str, code: str) -> str:
        address = self.request.build_absolute_uri(reverse("stock-scan"))
        return segno.make_qr(f"{address}?{urlencode({key: code})}", error="m").svg_data_uri(border=1)


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class StockScanView(StaffPage, View):
    """Where a label that was scanned with a telephone leads: to the part of the store, or to what lies in the bin."""

    permission = permissions.STOCK_VIEW

    def get(self, request: HttpRequest) -> HttpResponse:
        number = request.GET.get("code", "").strip()[:60]
        item = StockItem.objects.for_actor(self.actor).filter(part__number__iexact=number).order_by("pk").first()
        if number and item is not None:
            return HttpResponseRedirect(reverse("stock-item", args=[item.uid]))
        _named, bin = read_bin(request.GET.get("bin", "")[:60], list(warehouses(self.actor)))
        return HttpResponseRedirect(reverse("stock-list") + "?" + urlencode({"words": number or bin}))
