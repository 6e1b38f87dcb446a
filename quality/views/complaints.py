"""Pages of complaints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage, Page
from quality import permissions
from quality.forms.complaints import ComplaintForm, WordsForm
from quality.models import Complaint, ComplaintState
from quality.selectors import complaints as reads
from quality.services import complaints as commands
from reception.models import Visit
from reception.services.customers import open_number
from staff.selectors.employees import employee_of

STEPS: dict[ComplaintState, tuple[Callable[..., Complaint], str, Any, Any]] = {
    ComplaintState.OPEN: (commands.respond_complaint, "words", _("What did you tell the customer?"), _("Answered")),
    ComplaintState.RESPONDED: (commands.review_complaint, "cause", _("What is the cause?"), _("Write down the cause")),
    ComplaintState.UNDER_REVIEW: (
        commands.resolve_complaint, "solution", _("What was agreed with the customer?"), _("Solved"),
    ),
}  # fmt: skip


class ComplaintListPage(Page):
    """6.4: open complaints by their clock."""

    permission = permissions.COMPLAINTS_VIEW
    template_name = "quality/complaints.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show = self.request.GET.get("show", "OPEN")
        show = show if show in ("OPEN", "LATE", "CLOSED") else "OPEN"
        return super().get_context_data(**kwargs) | {
            "show": show,
            "counts": reads.complaint_counts(self.actor),
            "rows": reads.complaints(self.actor, show=show)[:100],
            "now": clock.now(),
        }


class ComplaintPage(CommandPage):
    """One complaint and its next step."""

    permission = permissions.COMPLAINTS_VIEW
    template_name = "quality/complaint.html"
    form_class = WordsForm

    @cached_property
    def complaint(self) -> Complaint:
        return reads.complaint(self.actor, self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        step = STEPS.get(ComplaintState(self.complaint.state))
        may_close = self.actor.may(permissions.COMPLAINTS_CLOSE)
        me = employee_of(self.actor)
        resolved = self.complaint.state == ComplaintState.RESOLVED
        may_handle = step is not None and self.actor.may(permissions.COMPLAINTS_HANDLE)
        opens = may_handle and self.complaint.visit is not None and self.complaint.responded_at is None
        if opens:
            open_number(task=self.complaint, customer=self.complaint.customer, by=self.actor)
        return super().get_context_data(**kwargs) | {
            "complaint": self.complaint,
            "notes": self.complaint.notes.select_related("author"),
            "opens": opens,
            "visit": self.complaint.visit,
            "question": step[2] if step else "",
            "submit": step[3] if step else "",
            "may_handle": may_handle,
            "may_close": may_close and resolved and me is not None and me != self.complaint.handler,
            "others_close": resolved and me is not None and me == self.complaint.handler,
            "may_reopen": may_close and self.complaint.state in (ComplaintState.RESOLVED, ComplaintState.CLOSED),
            "now": clock.now(),
        }

    def get_initial(self) -> dict[str, Any]:
        return {"step": self.complaint.state}

    def run(self, form: WordsForm) -> Complaint:
        if (step := form.cleaned_data["step"]) and step != self.complaint.state:
            raise RuleError(
                "complaint.moved",
                _("Somebody has gone a step further meanwhile. Copy your words, then open the page again."),
                field="words",
            )
        if "reopen" in self.request.POST:
            return commands.reopen_complaint(uid=self.kwargs["uid"], reason=form.cleaned_data["words"], by=self.actor)
        command, field, _question, _submit = STEPS[ComplaintState(self.complaint.state)]
        return command(uid=self.kwargs["uid"], by=self.actor, **{field: form.cleaned_data["words"]})


class CloseComplaintView(ActionView):
    """The customer has confirmed; somebody else than the handler closes."""

    permission = permissions.COMPLAINTS_CLOSE
    done = _("Complaint closed.")

    def run(self, form: Any) -> Complaint:
        return commands.close_complaint(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Complaint) -> str:
        return reverse("complaint-detail", args=[result.uid])


class NewComplaintPage(CommandPage):
    """Takes in a complaint about a visit."""

    permission = permissions.COMPLAINTS_OPEN
    template_name = "quality/complaint_new.html"
    form_class = ComplaintForm
    done = _("Complaint taken in; the answer clock runs.")

    @cached_property
    def visit(self) -> Visit:
        rows = Visit.objects.for_actor(self.actor).select_related("customer", "vehicle")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"visit": self.visit}

    def run(self, form: ComplaintForm) -> Complaint:
        return commands.open_complaint(
            customer_uid=self.visit.customer.uid, visit_uid=self.visit.uid, by=self.actor, **form.cleaned_data
        )

    def location(self, result: Complaint) -> str:
        if self.actor.may(permissions.COMPLAINTS_VIEW):
            return reverse("complaint-detail", args=[result.uid])
        return reverse("visit-detail", args=[self.visit.uid])
