"""One tap: a line takes the successor of its part, or one that may stand in for it (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView
from workshop import permissions
from workshop.models import PartLine
from workshop.services import replacements as commands


class TakeReplacementView(ActionView):
    permission = (permissions.PARTS_RESERVE, permissions.LINES_EDIT)

    def run(self, form: Any) -> PartLine:
        part_line = PartLine.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])
        try:
            part_uid = UUID(self.request.POST.get("part", ""))
        except ValueError:
            raise RuleError(
                "part.no_replacement", gettext("The catalogue doesn't name this part in place of the other one.")
            ) from None
        return commands.take_replacement(part_line_uid=part_line.uid, part_uid=part_uid, by=self.actor)

    def words(self, result: PartLine) -> str:
        return gettext("%(part)s (%(number)s) stands on the line now.") % {
            "part": result.part.said,
            "number": result.part.number,
        }

    def location(self, result: PartLine) -> str:
        home = reverse("parts-board") if self.request.POST.get("next") else reverse("line-edit", args=[result.line.uid])
        return super().location(result) if self.request.POST.get("next") else home
