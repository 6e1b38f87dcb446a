"""Pages of core charges: what is still to come in, and each step of an old part to the supplier (3.2)."""

from __future__ import annotations

from typing import Any

from django.db.models import ObjectDoesNotExist
from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page
from workshop import permissions
from workshop.core_models import CoreCharge, CoreReturn
from workshop.forms import cores as forms
from workshop.selectors import cores as reads
from workshop.services import cores as commands

SHOWS = ("open", "late", "all")


class CoresPage(Page):
    permission = permissions.OLD_PARTS_VIEW
    template_name = "workshop/cores.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("show", "open")
        show = asked if asked in SHOWS else "open"
        return super().get_context_data(**kwargs) | {
            "list": reads.core_list(self.actor, show=show),
            "show": show,
            "today": clock.today(),
            "may_keep": self.actor.may(permissions.OLD_PARTS_KEEP),
        }


class _CoreStep(CommandPage):
    permission = permissions.OLD_PARTS_KEEP
    template_name = "workshop/core_step.html"

    @cached_property
    def core(self) -> CoreCharge:
        try:
            return reads.get_core(self.kwargs["uid"], self.actor)
        except ObjectDoesNotExist:
            raise Http404 from None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"core": self.core}

    def location(self, result: CoreReturn) -> str:
        return reverse("cores") + "?show=all"


class TakeCorePage(_CoreStep):
    form_class = forms.TakeCoreForm
    extra_context = {"title": _("The old part comes in"), "submit": _("Take the old part in")}
    done = _("Taken in; its core charge is given back.")

    def get_initial(self) -> dict[str, Any]:
        return {"quantity": f"{self.core.left.normalize():f}"}

    def run(self, form: forms.TakeCoreForm) -> CoreReturn:
        return commands.take_core(core_uid=self.core.uid, by=self.actor, **form.cleaned_data)


class _CoreReturnStep(_CoreStep):
    @cached_property
    def came(self) -> CoreReturn:
        try:
            return reads.get_core_return(self.kwargs["uid"], self.actor)
        except ObjectDoesNotExist:
            raise Http404 from None

    @property
    def core(self) -> CoreCharge:
        return self.came.core


class SendCorePage(_CoreReturnStep):
    form_class = forms.SendCoreForm
    extra_context = {"title": _("Send it to the supplier"), "submit": _("It is sent")}
    done = _("It is on its way to the supplier.")

    def run(self, form: forms.SendCoreForm) -> CoreReturn:
        return commands.send_core(uid=self.came.uid, by=self.actor, **form.cleaned_data)


class CreditCorePage(_CoreReturnStep):
    form_class = forms.CreditCoreForm
    extra_context = {"title": _("Credit of the supplier"), "submit": _("Write it down")}
    done = _("The supplier's credit is written down.")

    def get_initial(self) -> dict[str, Any]:
        return {"amount": self.came.credit}

    def run(self, form: forms.CreditCoreForm) -> CoreReturn:
        return commands.credit_core(uid=self.came.uid, by=self.actor, **form.cleaned_data)
