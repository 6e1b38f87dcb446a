"""Pages of the standard phrases and of observations on the floor (2.1.3)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel import clock
from dealership.kernel.files import file_response
from dealership.kernel.pages import CommandPage, Page, StaffPage
from staff.models import DESK_ROLES
from staff.selectors.employees import employees_with_role

from .. import permissions
from ..forms.conduct import ObservationForm, ScriptForm
from ..models import Observation, Script
from ..selectors import conduct as reads
from ..services import conduct as commands


class ScriptListPage(Page):
    """The phrases by situation and language."""

    permission = permissions.SCRIPTS_MANAGE
    template_name = "reception/scripts.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"scripts": reads.scripts()}


class NewScriptPage(CommandPage):
    permission = permissions.SCRIPTS_MANAGE
    template_name = "reception/script.html"
    form_class = ScriptForm
    done = _("The phrase is saved.")

    def run(self, form: ScriptForm) -> Script:
        return commands.save_script(by=self.actor, **form.cleaned_data)

    def location(self, result: Script) -> str:
        return reverse("scripts")


class EditScriptPage(NewScriptPage):
    @cached_property
    def script(self) -> Script:
        return Script.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {
            name: getattr(self.script, name) for name in ("situation", "language", "text", "active")
        }

    def run(self, form: ScriptForm) -> Script:
        return commands.save_script(uid=self.script.uid, by=self.actor, **form.cleaned_data)


class ObservationListPage(Page):
    """How the standard is kept to, by person, and what was seen."""

    permission = permissions.RECEPTION_OBSERVE
    template_name = "reception/observations.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": reads.observations_of(self.actor),
            "people": reads.kept_by_person(self.actor),
        }


class NewObservationPage(CommandPage):
    """Watches a colleague at the desk, on a phone."""

    permission = permissions.RECEPTION_OBSERVE
    template_name = "reception/observation_new.html"
    form_class = ObservationForm
    done = _("The observation is written down.")

    def get_form_kwargs(self) -> dict[str, Any]:
        store = self.request.store  # type: ignore[attr-defined]
        people = employees_with_role(store.pk, DESK_ROLES[0], clock.today(store.time_zone))
        for role in DESK_ROLES[1:]:
            people = people | employees_with_role(store.pk, role, clock.today(store.time_zone))
        return super().get_form_kwargs() | {"people": people.distinct()}

    def run(self, form: ObservationForm) -> Observation:
        return commands.observe_reception(by=self.actor, **form.given())

    def location(self, result: Observation) -> str:
        return reverse("observation-detail", args=[result.uid])


class ObservationPage(Page):
    permission = permissions.RECEPTION_OBSERVE
    template_name = "reception/observation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = reads.observation_of(self.actor, self.kwargs["uid"])
        return super().get_context_data(**kwargs) | {"observation": found}


class ObservationPhotoView(StaffPage, View):
    permission = permissions.RECEPTION_OBSERVE

    def get(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        return file_response(reads.photo_for(self.actor, uid))
