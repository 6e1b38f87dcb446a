"""One part: which part follows it, which may stand in for it (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.forms.replacements import ReplacementForm
from dealership.catalogue.models import Part, PartReplacement, Tracing
from dealership.catalogue.selectors import replacements as reads
from dealership.catalogue.services import replacements as commands
from dealership.catalogue.services.parts import set_handling, set_tracing
from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage


class ReplacementsPage(CommandPage):
    """What may be used in place of a part, and where it is used itself; who may enters another one."""

    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/replacements.html"
    form_class = ReplacementForm
    done = _("Entered; it is offered from that day on.")

    @cached_property
    def part(self) -> Part:
        return get_object_or_404(Part, uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "part": self.part,
            "rows": reads.written_of(self.part),
            "today": clock.today(),
            "tracings": Tracing.choices,
            "may_manage": self.actor.may(permissions.PARTS_MANAGE),
            "may_price": self.actor.may(permissions.PRICES_MANAGE),
        }

    def run(self, form: ReplacementForm) -> PartReplacement:
        facts = form.cleaned_data
        return commands.replace_part(
            part_uid=self.part.uid,
            other_uid=facts["number"].uid,
            kind=facts["kind"],
            starts_on=facts["starts_on"],
            note=facts["note"],
            other_kind=facts["other_kind"],
            by=self.actor,
        )

    def refuse(self, form: ReplacementForm, refusal: RuleError) -> Any:
        if refusal.field == "other":
            refusal.field = "number"
        return super().refuse(form, refusal)

    def location(self, result: PartReplacement) -> str:
        return reverse("part-replacements", args=[self.part.uid])


class TracingView(ActionView):
    """Whether deliveries of the part name a batch or serial numbers."""

    permission = permissions.PARTS_MANAGE
    done = _("Saved; deliveries name it from now on.")

    def run(self, form: Any) -> Part:
        return set_tracing(part_uid=self.kwargs["uid"], tracing=self.request.POST.get("tracing", ""), by=self.actor)

    def location(self, result: Part) -> str:
        return reverse("part-replacements", args=[result.uid])


class HandlingView(ActionView):
    """Whether an old part comes off where the part is put in, and whether it belongs to the high-voltage system."""

    permission = permissions.PARTS_MANAGE
    done = _("Saved.")

    def run(self, form: Any) -> Part:
        told = self.request.POST
        return set_handling(
            part_uid=self.kwargs["uid"], leaves_old=told.get("leaves_old") == "1",
            high_voltage=told.get("high_voltage") == "1", by=self.actor,
        )  # fmt: skip

    def location(self, result: Part) -> str:
        return reverse("part-replacements", args=[result.uid])


class EndReplacementView(ActionView):
    permission = permissions.PARTS_MANAGE
    done = _("Ended; it is offered no more.")

    def run(self, form: Any) -> PartReplacement:
        return commands.end_replacement(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: PartReplacement) -> str:
        return reverse("part-replacements", args=[result.part.uid])
