"""Stock-takes of parts (3.2): begin one, count blind, count again, print the list, close it with its differences."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page
from dealership.kernel.saying import say_name
from staff.selectors.employees import employee_of
from workshop import permissions
from workshop.forms import stock_takes as forms
from workshop.selectors import stock_takes as reads
from workshop.selectors.places import bin_names
from workshop.selectors.stock import warehouses
from workshop.services import taking_stock as commands
from workshop.stock_take_models import StockTake, StockTakeLine
from workshop.tool_models import CountState

WHO = (permissions.STOCK_COUNT, permissions.STOCK_APPROVE)


class TakesPage(CommandPage):
    """The store's stock-takes of parts; a new one is begun here."""

    permission = WHO
    template_name = "workshop/stock_takes.html"
    form_class = forms.StartTakeForm
    done = _("Count what lies there.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"warehouses": list(warehouses(self.actor))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "takes": reads.takes(self.actor),
            "may_count": self.actor.may(permissions.STOCK_COUNT),
            "bin_names": bin_names(self.actor),
        }

    def run(self, form: forms.StartTakeForm) -> StockTake:
        return commands.start_take(by=self.actor, **form.cleaned_data)

    def location(self, result: StockTake) -> str:
        return reverse("stock-take", args=[result.uid])


class _TakePage(CommandPage):
    permission = WHO

    @cached_property
    def take(self) -> StockTake:
        return reads.read_take(self.kwargs["uid"], self.actor)

    @cached_property
    def sheet(self) -> reads.Standing:
        return reads.standing(self.take, reads.lines_of(self.take))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"take": self.take, "sheet": self.sheet}

    def location(self, result: Any) -> str:
        return reverse("stock-take", args=[self.take.uid])


class TakePage(_TakePage):
    """One stock-take: what is to be counted by bin, without what the books say; what it came to when it is closed."""

    template_name = "workshop/stock_take.html"
    form_class: Any = forms.CountLineForm

    def get_initial(self) -> dict[str, Any]:
        return {name: self.request.GET.get(name, "")[:200] for name in ("bin", "part")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        me = employee_of(self.actor)
        mine, others = reads.mine_first(self.sheet, self.actor)
        open_ = self.take.state == CountState.COUNTING
        return super().get_context_data(**kwargs) | {
            "open": open_,
            "me": me,
            "mine": mine[: reads.MOST],
            "others": others,
            "counted": [line for line in self.sheet.lines if line.first_at][: reads.MOST],
            "may_count": open_ and self.actor.may(permissions.STOCK_COUNT),
            "may_parts": self.actor.may(permissions.STOCK_VIEW),
        }

    def run(self, form: forms.CountLineForm) -> StockTakeLine:
        return commands.count_line(uid=self.take.uid, by=self.actor, **form.cleaned_data)

    def words(self, result: StockTakeLine) -> str:
        counted = result.first_counted if result.second_counted is None else result.second_counted
        return gettext("%(part)s, %(bin)s: %(counted)s %(unit)s written down.") % {
            "part": result.place.item.part.said,
            "bin": result.place.bin or "—",
            "counted": f"{(counted or 0):f}".rstrip("0").rstrip("."),
            "unit": say_name(result.place.item.part.unit),
        }

    def location(self, result: StockTakeLine) -> str:
        return super().location(result) + "?" + urlencode({"bin": result.place.bin})


class TakeListPage(Page):
    """The list to print and to count with, without what the books say."""

    permission = WHO
    template_name = "workshop/stock_take_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        take = reads.read_take(self.kwargs["uid"], self.actor)
        return super().get_context_data(**kwargs) | {
            "take": take, "lines": reads.lines_of(take), "now": clock.now(),
        }  # fmt: skip


class NumbersPage(CommandPage):
    """Which batch or serial numbers of a traced part are missing or were found."""

    permission = permissions.STOCK_COUNT
    template_name = "workshop/stock_take_numbers.html"
    form_class = forms.NumbersForm
    done = _("The numbers are written down.")

    @cached_property
    def line(self) -> StockTakeLine:
        rows = StockTakeLine.objects.for_actor(self.actor).select_related("take__warehouse", "place__item__part")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"tracing": self.line.place.item.part.tracing}

    def get_initial(self) -> dict[str, Any]:
        return {"codes": "\n".join(self.line.codes)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"line": self.line}

    def run(self, form: forms.NumbersForm) -> StockTakeLine:
        place = self.line.place
        return commands.name_difference(
            uid=self.line.take.uid, part=place.item.part.number, bin=place.bin or commands.NOWHERE, by=self.actor,
            codes=form.cleaned_data.get("codes") or [],
        )  # fmt: skip

    def location(self, result: StockTakeLine) -> str:
        return reverse("stock-take-close", args=[self.line.take.uid])


class CloseTakePage(_TakePage):
    """The differences with their value, when everything is counted; booked by who may."""

    template_name = "workshop/stock_take_end.html"
    form_class: Any = forms.CloseTakeForm
    done = _("The stock-take is closed; the differences are booked.")
    title: Any = _("Close the stock-take")
    variant = "primary"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        me = employee_of(self.actor)
        over = self.sheet.gross > self.take.approve_from
        return super().get_context_data(**kwargs) | {
            "title": self.title,
            "variant": self.variant,
            "over": over,
            "may_close": not over
            or (self.actor.may(permissions.STOCK_APPROVE) and me is not None and me.pk not in self.sheet.counters),
            "may_count": self.actor.may(permissions.STOCK_COUNT),
        }

    def run(self, form: Any) -> StockTake:
        return commands.close_take(uid=self.take.uid, by=self.actor, **form.cleaned_data)


class CancelTakePage(CloseTakePage):
    form_class = forms.CancelTakeForm
    done = _("The stock-take is broken off.")
    title = _("Break the stock-take off")
    variant = "danger"

    def run(self, form: Any) -> StockTake:
        return commands.cancel_take(uid=self.take.uid, by=self.actor, **form.cleaned_data)
