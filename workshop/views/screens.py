"""The plan on a screen on the wall, without a log-in, and the addresses that may show it (2.4)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from dealership.kernel.pages import ActionView, CommandPage
from workshop import permissions
from workshop.forms.floor import ScreenForm
from workshop.models import ScreenKind, WallScreen
from workshop.selectors import calls
from workshop.selectors import plan as reads
from workshop.selectors.stamp import stamp_of
from workshop.services import screens


class WallPage(TemplateView):
    """Today's plan, dark and large; whoever has the address may look and do nothing else. No names of customers."""

    template_name = "workshop/wall.html"
    http_method_names = ["get", "head"]

    @cached_property
    def screen(self) -> WallScreen:
        found = reads.screen_of(self.kwargs["key"])
        if found is None:
            raise Http404
        return found

    @property
    def actor(self) -> Actor:
        return machine("wall", store_id=self.screen.store_id)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.today = clock.today(self.screen.store.time_zone)
        self.stamp = stamp_of(self.actor, self.today)
        if request.GET.get("seen") == self.stamp:
            return HttpResponse(status=204)
        with timezone.override(self.screen.store.time_zone):
            return render(request, self.template_name, self.get_context_data(**kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        by_people = self.request.GET.get("rows") == "people"
        return super().get_context_data(**kwargs) | {
            "screen": self.screen,
            "store": self.screen.store,
            "board": reads.board(self.actor, day=self.today, by_people=by_people),
            "cries": calls.on_the_wall(self.actor),
            "rows": "people" if by_people else "bays",
            "stamp": self.stamp,
            "now": clock.now(),
        }


class ScreensPage(CommandPage):
    """The store's screens with their addresses."""

    permission = permissions.PLAN_DISPATCH
    form_class = ScreenForm
    template_name = "workshop/screens.html"
    done = _("The screen has its address; open it there.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        screens = []
        for s in reads.screens(self.actor):
            kiosk = s.kind == ScreenKind.KIOSK
            address = self.request.build_absolute_uri(reverse("kiosk" if kiosk else "wall", args=[s.key]))
            screens.append(
                {
                    "name": s.name,
                    "uid": s.uid,
                    "kind": s.get_kind_display(),
                    "address": address,
                    "by_people": "" if kiosk else f"{address}?rows=people",
                }
            )
        return super().get_context_data(**kwargs) | {"screens": screens}

    def run(self, form: ScreenForm) -> WallScreen:
        return screens.add_screen(
            name=form.cleaned_data["name"], kind=form.cleaned_data["kind"] or ScreenKind.PLAN, by=self.actor
        )

    def location(self, result: WallScreen) -> str:
        return reverse("wall-screens")


class EndScreenView(ActionView):
    permission = permissions.PLAN_DISPATCH
    done = _("The address shows nothing any more.")

    def run(self, form: Any) -> WallScreen:
        return screens.end_screen(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: WallScreen) -> str:
        return reverse("wall-screens")
