"""The team view: the foreman's people, what each is at, what waits, and the hours of the day so far (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store
from dealership.kernel.pages import ActionView, Page
from workshop import permissions
from workshop.models import Clocking, PauseCause
from workshop.selectors import replan
from workshop.selectors import team as reads
from workshop.selectors.stamp import stamp_of
from workshop.services import clocking

CAUSES = [choice for choice in PauseCause.choices if choice[0] not in ("", PauseCause.OTHER_JOB)]


class TeamPage(Page):
    """Everybody's job, wait or free time on one page, renewed while one looks; who could do what nobody has is asked for
    once the page stands."""

    permission = permissions.TEAM_VIEW
    template_name = "workshop/team.html"

    @property
    def show(self) -> str:
        asked = self.request.GET.get("show", "")
        return asked if asked in reads.Doing.values else ""

    @cached_property
    def stamp(self) -> str:
        return stamp_of(self.actor, clock.today(Store.objects.get(pk=self.actor.store_id).time_zone))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Who looks asks every few seconds with what was seen: nothing is sent while it is still the same."""
        if request.GET.get("seen") == self.stamp:
            return HttpResponse(status=204)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        ways = self.request.GET.get("ways") == "1"
        return super().get_context_data(**kwargs) | {
            "team": reads.team(self.actor, show=self.show, ways=ways),
            "ways": ways,
            "show": self.show,
            "stamp": self.stamp,
            "causes": CAUSES,
            "may_dispatch": self.actor.may(permissions.PLAN_DISPATCH),
            "may_pause": self.actor.may(permissions.CLOCK_OTHERS),
            "may_correct": self.actor.may(permissions.CLOCKINGS_CORRECT),
            "may_tools": self.actor.may(permissions.TOOLS_VIEW),
            "proposal": replan.open_proposal(self.actor),
        }


class PauseView(ActionView):
    """One tap: the clock that was seen running stops, with the cause."""

    permission = permissions.CLOCK_OTHERS
    done = _("Clocked off; the cause is noted.")

    def run(self, form: Any) -> Clocking:
        seen = Clocking.objects.for_actor(self.actor).select_related("employee").get(uid=self.kwargs["uid"])
        cause = self.request.POST.get("pause_cause", "")
        if cause not in PauseCause.values or not cause:
            raise RuleError("clocking.cause", _("Say why the work pauses."))
        who: UUID = seen.employee.uid
        return clocking.clock_off(employee_uid=who, clocking_uid=seen.uid, pause_cause=cause, by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("team")
