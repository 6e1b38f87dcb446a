"""Answers to what technicians call for (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage
from staff.selectors.employees import employee_of, on_duty
from workshop import permissions
from workshop.call_models import TechnicianCall
from workshop.forms.calls import PassForm
from workshop.selectors import calls as reads
from workshop.services import findings


class AnswerCallView(ActionView):
    """One tap: on the way, done, not to be had; the technician's own "done" comes back to the job."""

    permission = (permissions.CALLS_ANSWER, permissions.JOBS_OWN)
    done = _("Answered; the technician sees it on the job.")

    def run(self, form: Any) -> TechnicianCall:
        return findings.answer_call(uid=self.kwargs["uid"], answer=self.request.POST.get("answer", ""), by=self.actor)

    def location(self, result: TechnicianCall) -> str:
        if self.request.POST.get("next"):
            return super().location(result)
        if not self.actor.may(permissions.CALLS_ANSWER):
            return f"{reverse('my-jobs')}?job={result.line.uid}"
        return reverse("parts-board" if self.actor.may(permissions.PARTS_ISSUE) else "plan")


class PassCallPage(CommandPage):
    """I can't come: to somebody by name, or on to the others who were called."""

    permission = permissions.CALLS_ANSWER
    form_class = PassForm
    template_name = "workshop/call_pass.html"
    done = _("Passed on; the technician sees it on the job.")

    @cached_property
    def call(self) -> TechnicianCall:
        calls = TechnicianCall.objects.for_actor(self.actor).select_related("line__operation", "line__order__vehicle")
        return calls.select_related("employee").get(uid=self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        store, me = self.call.line.order.store, employee_of(self.actor)
        there = set(on_duty(store.pk, clock.today(store.time_zone)).values_list("employee_id", flat=True))
        others = [p for p in reads.people_called(store.pk, self.call.need) if p.user and (me is None or p.pk != me.pk)]
        others.sort(key=lambda person: person.pk not in there)
        can_not = reads.cannot_come(self.call)
        return super().get_form_kwargs() | {
            "people": [(person, person.pk in there, person.pk in can_not) for person in others]
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"call": self.call, "back": self.back}

    @property
    def back(self) -> str:
        there = str(self.request.GET.get("next", ""))
        if url_has_allowed_host_and_scheme(there, allowed_hosts=None):
            return there
        return reverse("parts-board" if self.actor.may(permissions.PARTS_ISSUE) else "plan")

    def run(self, form: PassForm) -> TechnicianCall:
        data = form.cleaned_data
        return findings.pass_call(uid=self.call.uid, to_uid=data["to"], note=data["note"], by=self.actor)

    def location(self, result: TechnicianCall) -> str:
        return self.back
