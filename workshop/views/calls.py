"""Answers to what technicians call for (3.2)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import ActionView
from workshop import permissions
from workshop.call_models import TechnicianCall
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
