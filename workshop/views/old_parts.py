"""Pages of the old parts: what lies here, one of them with its tag, and each step (3.2)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page
from workshop import permissions
from workshop.forms import old_parts as forms
from workshop.old_part_models import Disposition, OldPart
from workshop.selectors import old_parts as reads
from workshop.services import old_parts as commands

from .orders import drawn_signature

SHOWS = ("lying", "placeless", "overdue", "maker", "customer", "all")


class OldPartsPage(Page):
    permission = permissions.OLD_PARTS_VIEW
    template_name = "workshop/old_parts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "lying")
        show = asked if asked in SHOWS else "lying"
        return super().get_context_data(**kwargs) | {
            "list": reads.old_part_list(self.actor, show=show),
            "show": show,
            "today": clock.today(),
            "code": self.request.GET.get("code", "")[:200],
        }


class ScanPage(Page):
    """A tag that was scanned: its old part; where it has no place yet, the question for it."""

    permission = permissions.OLD_PARTS_VIEW

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        code = request.GET.get("code", "")
        part = reads.find_tag(code, self.actor)
        if part is None:
            return HttpResponseRedirect(reverse("old-parts") + "?code=" + quote(code[:200]))
        asks = part.is_lying and not part.place and self.actor.may(permissions.OLD_PARTS_KEEP)
        return HttpResponseRedirect(reverse("old-part-place" if asks else "old-part", args=[part.uid]))


class OldPartPage(Page):
    permission = permissions.OLD_PARTS_VIEW
    template_name = "workshop/old_part.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        part = reads.get_old_part(self.kwargs["uid"], self.actor)
        today = clock.today(part.store.time_zone)
        keeps = part.is_lying and self.actor.may(permissions.OLD_PARTS_KEEP)
        gives = part.is_lying and self.actor.may(permissions.OLD_PARTS_GIVE)
        makers, stays = part.disposition == Disposition.MAKER, part.must_stay(today)
        return super().get_context_data(**kwargs) | {
            "part": part,
            "order": part.line.order,
            "today": today,
            "stays": stays,
            "may_place": keeps,
            "may_release": keeps and stays,
            "may_send": keeps and makers,
            "may_scrap": keeps and not stays and part.disposition != Disposition.CUSTOMER,
            "may_decide": gives and not stays,
            "may_give": gives and not stays,
        }


class TagPage(Page):
    """The tag that hangs on it: order, part, mileage, day (domain 3.6), and the code that opens it."""

    permission = permissions.OLD_PARTS_VIEW
    template_name = "workshop/old_part_tag.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        part = reads.get_old_part(self.kwargs["uid"], self.actor)
        address = self.request.build_absolute_uri(reverse("old-part-scan"))
        code = segno.make_qr(f"{address}?code={quote(part.tag)}", error="m").svg_data_uri(border=1)
        return super().get_context_data(**kwargs) | {"part": part, "claim": reads.claim_of(part), "qr": code}


class _OldPartStep(CommandPage):
    permission = permissions.OLD_PARTS_KEEP
    template_name = "workshop/old_part_step.html"

    @cached_property
    def part(self) -> OldPart:
        return reads.get_old_part(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"part": self.part}

    def location(self, result: OldPart) -> str:
        return reverse("old-part", args=[result.uid])


class DecidePage(_OldPartStep):
    permission = permissions.OLD_PARTS_GIVE
    template_name = "workshop/old_part_decide.html"
    form_class = forms.DecideForm
    extra_context = {"title": _("What becomes of the old part"), "submit": _("Write it down")}
    done = _("What becomes of the old part is written down.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"makers": reads.belongs_to_maker(self.part.line)}

    def run(self, form: forms.DecideForm) -> OldPart:
        drawn = drawn_signature(self.request)
        if form.cleaned_data["disposition"] != Disposition.SHOP:
            drawn = None
        return commands.decide_old_part(uid=self.part.uid, signature=drawn, by=self.actor, **form.cleaned_data)


class ShelvePage(_OldPartStep):
    form_class = forms.PlaceForm
    extra_context = {"title": _("Place in the old-part store"), "submit": _("Put it there")}
    done = _("The place is written down.")

    def get_initial(self) -> dict[str, Any]:
        return {"place": self.part.place}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"places": reads.places(self.actor)}

    def location(self, result: OldPart) -> str:
        """Back to those without a place, where the next tag is scanned; to the part itself where it only moved."""
        return super().location(result) if self.part.place else reverse("old-parts") + "?show=placeless"

    def run(self, form: forms.PlaceForm) -> OldPart:
        return commands.shelve_old_part(uid=self.part.uid, by=self.actor, **form.cleaned_data)


class ReleasePage(_OldPartStep):
    form_class = forms.ReleaseForm
    extra_context = {"title": _("The maker releases it"), "submit": _("Note the release")}
    done = _("The maker has released it; it can be cleared away.")

    def run(self, form: forms.ReleaseForm) -> OldPart:
        return commands.release_old_part(uid=self.part.uid, by=self.actor, **form.cleaned_data)


class SendPage(_OldPartStep):
    form_class = forms.SendForm
    extra_context = {"title": _("Send it to the maker"), "submit": _("It is sent")}
    done = _("It is on its way to the maker.")

    def run(self, form: forms.SendForm) -> OldPart:
        return commands.return_old_part(uid=self.part.uid, by=self.actor, **form.cleaned_data)


class GivePage(_OldPartStep):
    permission = permissions.OLD_PARTS_GIVE
    template_name = "workshop/old_part_give.html"
    form_class = forms.GiveForm
    extra_context = {"title": _("Give it to the customer"), "submit": _("Give it")}
    done = _("The customer has the old part.")

    def get_initial(self) -> dict[str, Any]:
        return {"given_to": self.part.line.order.visit.contact_name}

    def run(self, form: forms.GiveForm) -> OldPart:
        drawn = drawn_signature(self.request)
        return commands.give_old_part(uid=self.part.uid, signature=drawn, by=self.actor, **form.cleaned_data)


class ScrapPage(_OldPartStep):
    form_class = forms.ScrapForm
    extra_context = {"title": _("Dispose of it"), "submit": _("Dispose of it"), "variant": "danger"}
    done = _("The old part is disposed of.")

    def run(self, form: forms.ScrapForm) -> OldPart:
        return commands.scrap_old_part(uid=self.part.uid, by=self.actor, **form.cleaned_data)
