"""Pages of the lifts' rounds (3.4)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import uuid4

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import CommandPage, Page
from workshop import permissions
from workshop.forms.lifts import RoundForm
from workshop.lift_models import LiftRound, RoundKind
from workshop.selectors import lifts as reads
from workshop.selectors.tools import read_tool, today_at
from workshop.services import lifts as commands
from workshop.tool_models import AssetKind, ToolAsset


def kinds_for(actor: Any) -> list[str]:
    """The rounds that the person may make."""
    may = {RoundKind.DAILY: permissions.TOOLS_TAKE, RoundKind.MONTHLY: permissions.TOOLS_CHECK}
    return [str(kind) for kind in RoundKind if actor.may(may[kind])]


class LiftListPage(Page):
    """Each lift before the day's work: looked at or not, monthly service, yearly test; one tap says that all is in order."""

    permission = permissions.TOOLS_VIEW
    template_name = "workshop/lifts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = reads.lifts(self.actor)
        return super().get_context_data(**kwargs) | {
            "rows": rows,
            "ready": sum(row.ready for row in rows),
            "open": sum(row.fit and not row.looked for row in rows),
            "shut": sum(not row.fit for row in rows),
            "late": sum(row.late for row in rows),
            "kinds": kinds_for(self.actor),
            "form_token": uuid4(),
        }


class RoundPage(CommandPage):
    """One lift: what is looked at, and its last rounds."""

    permission = (permissions.TOOLS_TAKE, permissions.TOOLS_CHECK)
    template_name = "workshop/lift_round.html"
    form_class = RoundForm
    done = _("The round is written down.")

    @cached_property
    def tool(self) -> ToolAsset:
        return read_tool(self.kwargs["uid"], self.actor)

    @property
    def to_job(self) -> str:
        """The job from which the person came, "" where it was the list of lifts."""
        address = self.request.POST.get("next") or self.request.GET.get("next") or ""
        return address if address.partition("?")[0] == reverse("my-jobs") else ""

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"kinds": kinds_for(self.actor)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "tool": self.tool,
            "is_lift": self.tool.kind == AssetKind.LIFT,
            "row": reads.lift_row(self.tool, today_at(self.actor)),
            "rounds": reads.rounds_of(self.tool),
            "to_job": self.to_job,
            "back": self.to_job or reverse("lifts"),
        }

    def run(self, form: RoundForm) -> LiftRound:
        return commands.record_round(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def words(self, result: LiftRound) -> Any:
        if not result.wrong or self.tool.bay is None:
            return self.done
        said = gettext("%(bay)s isn't to be used now. Jobs planned there: %(jobs)s; the foremen are told.")
        return said % {"bay": self.tool.bay.said, "jobs": reads.jobs_ahead(self.tool)}

    def location(self, result: LiftRound) -> str:
        if result.wrong and self.tool.bay is not None and self.actor.may(permissions.PLAN_DISPATCH):
            return reverse("plan")  # where what stands on it is moved
        return self.to_job or reverse("lifts")
