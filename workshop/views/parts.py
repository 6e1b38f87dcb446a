"""Pages of the parts keeper."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import ActionView, CommandPage, Page
from workshop import permissions
from workshop.forms.parts import CountForm, ReceiveForm, ReturnForm
from workshop.models import PartLine, StockItem, StockMovement
from workshop.selectors import stock as reads
from workshop.services import stock as commands


class PartsBoardPage(Page):
    """3.2: what agreed work still needs, what the shelf lacks, what may come back. Scanning a number filters."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/parts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show, number = self.request.GET.get("show", "ISSUE"), self.request.GET.get("number", "")
        show = show if show in ("ISSUE", "SHORT", "BACK") else "ISSUE"
        back = reads.returnable(self.actor)
        return super().get_context_data(**kwargs) | {
            "show": show,
            "number": number,
            "counts": reads.wanted_counts(self.actor) | {"BACK": len(back)},
            "rows": reads.wanted(self.actor, show=show, number=number) if show != "BACK" else [],
            "back": back if show == "BACK" else [],
            "may_issue": self.actor.may(permissions.PARTS_ISSUE),
            "may_reserve": self.actor.may(permissions.PARTS_RESERVE),
            "form_token": uuid4(),
        }


class _PartAction(ActionView):
    def location(self, result: Any) -> str:
        return (self.request.POST.get("next") and super().location(result)) or reverse("parts-board")


class IssuePartView(_PartAction):
    permission = permissions.PARTS_ISSUE
    done = _("Issued.")

    def run(self, form: Any) -> PartLine:
        return commands.issue_part(part_line_uid=self.kwargs["uid"], by=self.actor)


class ReservePartView(_PartAction):
    permission = permissions.PARTS_RESERVE
    done = _("Kept what is free; the rest is on order.")

    def run(self, form: Any) -> PartLine:
        return commands.reserve_part(part_line_uid=self.kwargs["uid"], by=self.actor)


class ReturnPartPage(CommandPage):
    """Takes an unopened part back."""

    permission = permissions.PARTS_ISSUE
    template_name = "workshop/part_return.html"
    form_class = ReturnForm
    done = _("Back on the shelf.")

    @cached_property
    def part_line(self) -> PartLine:
        rows = PartLine.objects.for_actor(self.actor).select_related("part", "line__order__visit__vehicle")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        return {"quantity": self.part_line.issued_quantity}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"part_line": self.part_line}

    def run(self, form: ReturnForm) -> PartLine:
        return commands.return_part(part_line_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: PartLine) -> str:
        return reverse("parts-board")


class StockPage(Page):
    """The shelf: on hand, kept, free, below the reorder level."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/stock.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words, low = self.request.GET.get("words", ""), self.request.GET.get("low") == "1"
        return super().get_context_data(**kwargs) | {
            "words": words,
            "low": low,
            "rows": reads.shelf(self.actor, words=words, low=low)[:200],
        }


class StockItemPage(CommandPage):
    """One part on the shelf with its movements; a delivery is received here."""

    permission = permissions.STOCK_VIEW
    template_name = "workshop/stock_item.html"
    form_class = ReceiveForm
    done = _("Received.")

    @cached_property
    def item(self) -> StockItem:
        return reads.item(self.actor, self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        return {"bin": self.item.bin, "unit_cost": round(self.item.average_cost, 2)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "item": self.item,
            "free": self.item.on_hand - self.item.reserved,
            "movements": reads.movements(self.item),
            "may_move": self.actor.may(permissions.STOCK_MOVE),
        }

    def run(self, form: ReceiveForm) -> StockMovement:
        return commands.receive_stock(part_uid=self.item.part.uid, by=self.actor, **form.cleaned_data)


class CountPage(CommandPage):
    """Writes what was counted."""

    permission = permissions.STOCK_MOVE
    template_name = "workshop/stock_count.html"
    form_class = CountForm
    done = _("Count written down.")

    @cached_property
    def item(self) -> StockItem:
        return reads.item(self.actor, self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"item": self.item}

    def run(self, form: CountForm) -> StockItem:
        return commands.count_stock(part_uid=self.item.part.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: StockItem) -> str:
        return reverse("stock-item", args=[self.item.uid])
