"""Pages of callbacks, satisfaction and the survey on the link."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page
from dealership.process.selectors.figures import read
from reception.permissions import APPOINTMENTS_BOOK
from reception.services.customers import open_number
from reception.views.links import LinkDoor

from .. import permissions
from ..forms.followups import CallForm, DateReminderForm, SurveyForm
from ..models import DateKind, DateReminder, FollowUp, Survey, SurveyDimension
from ..selectors import followups as reads
from ..selectors import reminders as date_reads
from ..selectors.service_reminders import service_due
from ..services import followups as commands
from ..services import reminders


class FollowUpListPage(Page):
    """4.2: who is to be called today, who later, what came of the others."""

    permission = permissions.FOLLOW_UPS_VIEW
    template_name = "delivery/follow_ups.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        state = self.request.GET.get("state", "DUE")
        if state not in ("DUE", "COMING", "CLOSED"):
            state = "DUE"
        return super().get_context_data(**kwargs) | {
            "state": state,
            "counts": reads.follow_up_counts(self.actor),
            "dates": date_reads.date_reminders(self.actor).count(),
            "rows": reads.follow_ups(self.actor, state=state)[:100],
        }


class FollowUpPage(CommandPage):
    """One callback: what was done, the number to call, and the result of the call."""

    permission = permissions.FOLLOW_UPS_VIEW
    template_name = "delivery/follow_up.html"
    form_class = CallForm
    done = _("Call written down.")

    @cached_property
    def follow_up(self) -> FollowUp:
        rows = FollowUp.objects.for_actor(self.actor).select_related(
            "visit__customer", "visit__vehicle", "visit__advisor"
        )
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        visit = self.follow_up.visit
        may_call = self.actor.may(permissions.FOLLOW_UPS_CALL) and self.follow_up.state == "DUE"
        if may_call and not visit.customer.no_calls:
            open_number(task=self.follow_up, customer=visit.customer, by=self.actor)
        return super().get_context_data(**kwargs) | {
            "follow_up": self.follow_up,
            "visit": visit,
            "calls": self.follow_up.calls.select_related("caller").order_by("-id"),
            "orders": self.follow_up.visit.orders.order_by("id"),
            "may_call": may_call,
        }

    def run(self, form: CallForm) -> FollowUp:
        return commands.record_call(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: FollowUp) -> str:
        return reverse("follow-up-list")


class DateReminderListPage(Page):
    """4.2: whose insurance or inspection ends soon and was written to, and what came of the others."""

    permission = permissions.FOLLOW_UPS_VIEW
    template_name = "delivery/date_reminders.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        closed = self.request.GET.get("state") == "CLOSED"
        rows = date_reads.date_reminders(self.actor, closed=closed)
        return super().get_context_data(**kwargs) | {
            "closed": closed,
            "counts": {
                name: date_reads.date_reminders(self.actor, closed=name == "CLOSED").count()
                for name in ("OPEN", "CLOSED")
            },
            "rows": rows[:100],
            "today": clock.today(),
            "may_call": self.actor.may(permissions.FOLLOW_UPS_CALL),
            "may_book": self.actor.may(APPOINTMENTS_BOOK),
        }


class DateReminderPage(CommandPage):
    """One reminder: whom to ask, and what came of it."""

    permission = permissions.FOLLOW_UPS_CALL
    template_name = "delivery/date_reminder.html"
    form_class = DateReminderForm
    done = _("Written down.")

    @cached_property
    def reminder(self) -> DateReminder:
        rows = DateReminder.objects.for_actor(self.actor).select_related("vehicle", "customer")
        return get_object_or_404(rows, uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        reminder = self.reminder
        opens = reminder.state == "OPEN" and not reminder.customer.no_calls
        if opens:
            open_number(task=reminder, customer=reminder.customer, by=self.actor)
        asks = reminder.state == "OPEN" and reminder.kind == DateKind.SERVICE
        return super().get_context_data(**kwargs) | {
            "reminder": reminder,
            "opens": opens,
            "due": service_due(reminder.vehicle, store_id=reminder.store_id) if asks else [],
            "may_book": self.actor.may(APPOINTMENTS_BOOK),
        }

    def run(self, form: DateReminderForm) -> DateReminder:
        return reminders.close_date_reminder(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: DateReminder) -> str:
        return reverse("date-reminder-list")


class SatisfactionPage(Page):
    """4.3: CSI and NPS of the last 90 days, the dimensions, and every answer with its words."""

    permission = permissions.SURVEYS_VIEW
    template_name = "delivery/satisfaction.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        first, last = reads.last_days(90)
        rows = reads.survey_rows(self.actor)
        return super().get_context_data(**kwargs) | {
            "csi": read(self.actor, "delivery.csi", first, last),
            "nps": read(self.actor, "delivery.nps", first, last),
            "asked": reads.surveys_sent(self.actor),
            "rows": rows,
            "dimensions": reads.dimension_means(rows),
            "labels": SurveyDimension.labels,
        }


class LinkSurveyPage(LinkDoor, CommandPage):
    """4.3: the survey on the visit's link; answered once."""

    template_name = "delivery/link_survey.html"
    form_class = SurveyForm
    done = _("Thank you for your answer.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        visit = self.link.visit
        return super().get_context_data(**kwargs) | {
            "store": visit.store,
            "visit": visit,
            "vehicle": visit.vehicle,
            "survey": get_object_or_404(Survey.objects.for_actor(self.actor), visit=visit),
            "back": reverse("visit-link", args=[self.link.token]),
        }

    def run(self, form: SurveyForm) -> Survey:
        data = dict(form.cleaned_data)
        scores = {dimension: data.pop(dimension) for dimension in SurveyDimension.values}
        return commands.answer_survey(visit_uid=self.link.visit.uid, scores=scores, by=self.actor, **data)

    def location(self, result: Survey) -> str:
        return reverse("visit-link", args=[self.link.token])
