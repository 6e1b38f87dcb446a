"""The look at insulating gloves before use (3.4, 8.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import CommandPage
from workshop import permissions
from workshop.forms.gloves import LookForm
from workshop.glove_models import GloveLook
from workshop.selectors.gloves import looks_at
from workshop.selectors.tools import read_tool
from workshop.services import gloves as commands
from workshop.tool_models import AssetKind, ToolAsset


class LookPage(CommandPage):
    """One pair: how it is looked at and tested with air, and its last looks."""

    permission = permissions.TOOLS_TAKE
    template_name = "workshop/glove_look.html"
    form_class = LookForm
    done = _("The look at the gloves is written down.")

    @cached_property
    def tool(self) -> ToolAsset:
        return read_tool(self.kwargs["uid"], self.actor)

    @property
    def back(self) -> str:
        """Where the person goes on: the jobs, for whoever has some; else the pair's own page."""
        own = self.actor.may(permissions.JOBS_OWN)
        return reverse("my-jobs") if own else reverse("tool", args=[self.tool.uid])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "tool": self.tool,
            "are_gloves": self.tool.kind == AssetKind.GLOVES,
            "looks": looks_at(self.tool),
            "back": self.back,
            "to_jobs": self.actor.may(permissions.JOBS_OWN),
        }

    def run(self, form: LookForm) -> GloveLook:
        return commands.look_at_gloves(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: GloveLook) -> str:
        return self.back
