"""The Today board and the list of the same cars."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from dealership.kernel.actors import Actor
from dealership.kernel.pages import Page
from dealership.kernel.services import remember_preference

from .. import permissions
from ..selectors.checklists import late_checks
from ..selectors.today import FILTERS, board

WHO = ("all", "mine")
VIEWS = ("board", "list")


def chosen(request: HttpRequest, actor: Actor, name: str, values: tuple[str, ...]) -> str:
    """What the address asks for and is remembered from then on; else what the person had last."""
    key = f"today.{name}"
    asked = request.GET.get(name, "")
    kept = actor.user.preferences.get(key, values[0]) if actor.user else values[0]
    if asked in values:
        if asked != kept and actor.user is not None:
            remember_preference(key=key, value=asked, by=actor)
        return asked
    return kept if kept in values else values[0]


class TodayPage(Page):
    """2.1.2, 1.3: every car that is here or expected today, in lanes or as a list."""

    permission = permissions.VISITS_VIEW
    template_name = "reception/today.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        who = chosen(self.request, self.actor, "who", WHO)
        view = chosen(self.request, self.actor, "view", VIEWS)
        show = self.request.GET.get("show", "all")
        show = show if show in FILTERS else "all"
        return super().get_context_data(**kwargs) | {
            "board": board(self.actor, mine=who == "mine", show=show),
            "who": who,
            "look": view,
            "show": show,
            "form_token": uuid4(),
            "late_checks": late_checks(self.actor) if self.actor.may(permissions.CHECKLISTS_FILL) else [],
            "may_receive": self.actor.may(permissions.VISITS_RECEIVE),
            "may_book": self.actor.may(permissions.APPOINTMENTS_BOOK),
        }

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response
