"""My jobs: the technician's page, phone first (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.forms import demand
from dealership.kernel.pages import ActionView, CommandPage, Page
from dealership.kernel.queued import Queued
from workshop import permissions
from workshop.check_models import SheetState
from workshop.forms.floor import FinishForm, JobPhotosForm, MoreWorkForm, NeedForm, PauseForm
from workshop.models import OrderLine
from workshop.selectors import jobs as reads
from workshop.selectors import sheets as checks
from workshop.services import clocking, findings, orders


class MyJobsPage(Page):
    """What I am doing, what comes next, what waits for my self check."""

    permission = permissions.JOBS_OWN
    template_name = "workshop/my_jobs.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            chosen = UUID(self.request.GET.get("job", ""))
        except ValueError:
            chosen = None
        mine = reads.my_jobs(self.actor, chosen=chosen)
        return super().get_context_data(**kwargs) | {
            "mine": mine,
            **self.sheets_of(mine),
            "pause": PauseForm(),
            "need": NeedForm(),
        }

    def sheets_of(self, mine: reads.MyJobs) -> dict[str, Any]:
        """3.1: the check sheets of the car one works on, and those that may be begun."""
        if mine.current is None or not self.actor.may(permissions.CHECKS_FILL):
            return {}
        order = mine.current.order
        found = checks.sheets_of_order(order)
        return {
            "sheets": found,
            "unsigned": [page for page in found if page.sheet.state == SheetState.OPEN]
            if mine.current.clocking
            else [],
            "begins": checks.sheets_to_begin(order, clock.today(order.store.time_zone)),
        }


class OneJob:
    """Commands about one line; the person comes back to that job."""

    permission: ClassVar[str | tuple[str, ...]] = permissions.JOBS_OWN
    kwargs: dict[str, Any]

    def location(self, result: Any) -> str:
        return f"{reverse('my-jobs')}?job={self.kwargs['uid']}"


class ClockOnView(Queued, OneJob, ActionView):
    done = _("Clocked on; the time runs.")

    def run(self, form: Any) -> Any:
        leave = self.request.POST.get("leave") == "1"
        return clocking.clock_on(line_uid=self.kwargs["uid"], leave=leave, by=self.actor)


class JobForm(Queued, OneJob, CommandPage):
    """A form about one job; the line and what is known of it stand above."""

    template_name = "workshop/job_form.html"
    title: Any = ""
    submit: Any = ""
    act: ClassVar[str] = ""
    """What it does to the clock, for a device without a network: ``pause``, ``finish`` or ``tell``."""

    @cached_property
    def line(self) -> OrderLine:
        lines = OrderLine.objects.for_actor(self.actor)
        return lines.select_related("operation", "order__vehicle", "order__visit").get(uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        back = f"{reverse('my-jobs')}?job={self.line.uid}"
        return super().get_context_data(**kwargs) | {
            "line": self.line,
            "title": self.title,
            "submit": self.submit,
            "back": back,
            "act": self.act,
        }


class PausePage(JobForm):
    form_class = PauseForm
    act = "pause"
    title, submit, done = _("Pause"), _("Clock off"), _("Clocked off; the cause is noted.")

    def run(self, form: PauseForm) -> Any:
        return clocking.clock_off(by=self.actor, **form.cleaned_data)


class FinishPage(JobForm):
    form_class = FinishForm
    act = "finish"
    title, submit = _("Finish the work"), _("Finish")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_fill = self.actor.may(permissions.CHECKS_FILL)
        return super().get_context_data(**kwargs) | {
            "told": self.line.told_cause,
            "unsigned": checks.unsigned_of(self.line.order) if may_fill else [],
        }

    def get_initial(self) -> dict[str, Any]:
        return {"cause": self.line.cause, "correction": self.line.correction}

    def get_form(self, form_class: type[FinishForm] | None = None) -> FinishForm:
        """A fault needs both answers, a diagnosis its finding, maintenance neither (as the command says)."""
        form = super().get_form(form_class)
        if not (self.line.operation and self.line.operation.is_maintenance):
            demand(form, "cause", *([] if self.line.is_diagnosis else ["correction"]))
        return form

    def run(self, form: FinishForm) -> Any:
        return clocking.finish_line(line_uid=self.line.uid, by=self.actor, **form.cleaned_data)

    def words(self, result: OrderLine) -> str:
        """What is true next: the self check comes after the last agreed line of the order."""
        if self.is_queued:
            return ""
        left, mine = reads.open_lines(result, self.actor)
        if not left and (asked := reads.undecided_lines(result)):
            return ngettext(
                "Work done. %(n)s line found on this car waits for the customer's answer; the self check comes after it.",
                "Work done. %(n)s lines found on this car wait for the customer's answer; the self check comes after them.",
                asked,
            ) % {"n": asked}
        if not left:
            return gettext("Work done; the self check comes next.")
        if not mine:
            return ngettext(
                "Work done. %(n)s agreed line of this car is still open with somebody else; the self check comes after it.",
                "Work done. %(n)s agreed lines of this car are still open with others; the self check comes after the last.",
                left,
            ) % {"n": left}
        return ngettext(
            "Work done. %(n)s agreed line of this car is still open: “%(line)s”. The self check comes after it.",
            "Work done. %(n)s agreed lines of this car are still open, yours is “%(line)s”. The self check comes after the last.",
            left,
        ) % {"n": left, "line": mine}

    def location(self, result: Any) -> str:
        return reverse("my-jobs")


class MoreWorkPage(JobForm):
    form_class = MoreWorkForm
    act = "tell"
    template_name = "workshop/more_work.html"
    title, submit = _("More work found"), _("Report it")
    done = _("Reported: the service advisor prices it and asks the customer. Agreed work goes on.")

    def run(self, form: MoreWorkForm) -> Any:
        data = form.cleaned_data
        return findings.report_more_work(
            line_uid=self.line.uid,
            operation_uid=data["operation"].uid if data["operation"] else None,
            description=data["description"],
            cause=data["cause"],
            photos=[(photo.name, photo.read()) for photo in data["photos"]],
            although_there=data["although_there"],
            by=self.actor,
        )


class JobPhotosPage(JobForm):
    """Pictures of the work itself: what was worn, what was measured, what is done (3.2; a claim to the maker asks for them)."""

    form_class = JobPhotosForm
    act = "tell"
    template_name = "workshop/job_photos.html"
    title, submit, done = _("Photos of the work"), _("Keep the photos"), _("Photos added.")

    def run(self, form: JobPhotosForm) -> Any:
        return orders.add_line_photos(
            line_uid=self.line.uid, contents=[photo.read() for photo in form.cleaned_data["photos"]], by=self.actor
        )


class AskPage(JobForm):
    form_class = NeedForm
    act = "tell"
    title, submit, done = _("Ask for help or parts"), _("Ask"), _("Asked; the answer stands on the job.")

    def get_initial(self) -> dict[str, Any]:
        return {"need": self.request.GET.get("need", "")}

    def get_form(self, form_class: type[NeedForm] | None = None) -> NeedForm:
        """The star stands where it is known that a part or a tool is asked for; the command asks in any case."""
        form: NeedForm = super().get_form(form_class)
        if form["need"].value() in findings.NAMED:
            demand(form, "note")
        return form

    def run(self, form: NeedForm) -> Any:
        return findings.ask_for(line_uid=self.line.uid, by=self.actor, **form.cleaned_data)


class ClockOffElsewhere(ActionView):
    """Clocks off wherever the person is clocked on, for another car (from a refusal or the list)."""

    permission = permissions.JOBS_OWN
    done = _("Clocked off there.")

    def run(self, form: Any) -> Any:
        cause = self.request.POST.get("pause_cause", "OTHER_JOB")
        if not cause:
            raise RuleError("clocking.cause", _("Say why the work pauses."))
        return clocking.clock_off(pause_cause=cause, by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("my-jobs")
