"""Pages of the tool crib (3.4): list, one tool, scanning, what is due, labels."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import segno
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.generic import View

from dealership.kernel.files import file_response
from dealership.kernel.pages import CommandPage, Page, StaffPage
from staff.selectors.employees import employee_of
from workshop import permissions
from workshop.forms import tools as forms
from workshop.selectors import tool_plans
from workshop.selectors import tools as reads
from workshop.selectors.gloves import looks_at
from workshop.selectors.lifts import bays_to_tie
from workshop.services import counting
from workshop.services import tools as commands
from workshop.tool_models import AssetKind, ToolAsset, ToolClass, ToolCount, ToolState

MOST_LABELS = 120


class ToolListPage(Page):
    """All tools; the counts are filters, a scanned number opens its tool."""

    permission = permissions.TOOLS_VIEW
    template_name = "workshop/tools.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        words = request.GET.get("words", "")
        if words.strip() and (tool := reads.find_tool(words, self.actor)) is not None:
            return HttpResponseRedirect(reverse("tool", args=[tool.uid]))
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show = self.request.GET.get("show", "all")
        show = show if show in reads.FILTERS else "all"
        words, chosen = self.request.GET.get("words", ""), self.request.GET.get("class", "")
        rows, counts = reads.tool_list(self.actor, show=show, words=words, tool_class=chosen)
        return super().get_context_data(**kwargs) | {
            "rows": rows,
            "counts": counts,
            "show": show,
            "words": words,
            "chosen": chosen,
            "classes": ToolClass.choices,
            "may_manage": self.actor.may(permissions.TOOLS_MANAGE),
            "may_count": self.actor.may(permissions.TOOLS_COUNT),
            "may_scan": self.actor.may(permissions.TOOLS_TAKE) or self.actor.may(permissions.TOOLS_ISSUE),
        }


class _ToolMixin(StaffPage):
    kwargs: dict[str, Any]

    @cached_property
    def tool(self) -> ToolAsset:
        return reads.read_tool(self.kwargs["uid"], self.actor)

    def location(self, result: Any) -> str:
        return reverse("tool", args=[self.kwargs["uid"]])


def what_may_be_done(page: Any, tool: ToolAsset) -> dict[str, Any]:
    """The steps open for the tool's state and this person."""
    actor, me = page.actor, employee_of(page.actor)
    state, issues = ToolState(tool.state), actor.may(permissions.TOOLS_ISSUE)
    row = reads.row_of(tool, actor)
    held = tool.issues.filter(returned_at__isnull=True).select_related("employee").first()
    mine = held is not None and me is not None and held.employee_id == me.pk
    checks = actor.may(permissions.TOOLS_CHECK)
    uses = tool_plans.planned_uses(tool)
    return {
        "uses": uses,
        "theirs": tool_plans.others_use(uses, me),
        "tool": tool,
        "row": row,
        "held": held,
        "may_take": row.usable and me is not None and actor.may(permissions.TOOLS_TAKE),
        "may_issue": row.usable and issues,
        "may_return": held is not None and (issues or (mine and actor.may(permissions.TOOLS_TAKE))),
        "may_report": state == ToolState.AVAILABLE and (issues or actor.may(permissions.TOOLS_TAKE)),
        "may_check": checks and state not in (ToolState.ISSUED, ToolState.SCRAPPED),
        "may_stop": checks and state in (ToolState.AVAILABLE, ToolState.TO_CHECK),
        "may_scrap": checks and state in (ToolState.AVAILABLE, ToolState.TO_CHECK, ToolState.OUT_OF_ORDER),
        "may_look": tool.kind == AssetKind.GLOVES and state != ToolState.SCRAPPED and actor.may(permissions.TOOLS_TAKE),
        "may_manage": actor.may(permissions.TOOLS_MANAGE) and state != ToolState.SCRAPPED,
    }


class ToolPage(_ToolMixin, Page):
    """One tool with what may be done next, its issues, its tests and its history."""

    permission = permissions.TOOLS_VIEW
    template_name = "workshop/tool.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return (
            super().get_context_data(**kwargs)
            | what_may_be_done(self, self.tool)
            | {
                "issues": reads.issues_of(self.tool),
                "checks": reads.checks_of(self.tool),
                "looks": looks_at(self.tool, shown=5) if self.tool.kind == AssetKind.GLOVES else [],
                "lines": reads.history_of(self.tool, self.actor),
                "form_token": uuid4(),
            }
        )


class ScanPage(Page):
    """Made for a phone or a scanner at the crib: scan, and the one step that is next stands there."""

    permission = (permissions.TOOLS_TAKE, permissions.TOOLS_ISSUE)
    template_name = "workshop/tool_scan.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = self.request.GET.get("code", "").strip()
        tool = reads.find_tool(code, self.actor) if code else None
        issues = tool is not None and self.actor.may(permissions.TOOLS_ISSUE)
        floor, others = tool_plans.takers(self.actor) if issues else ([], [])
        context = super().get_context_data(**kwargs) | {
            "code": code if tool is None else "",
            "tool": tool,
            "floor": floor,
            "others": others,
            "mine": reads.held_by_me(self.actor),
            "may_jobs": self.actor.may(permissions.JOBS_OWN),
            "form_token": uuid4(),
        }
        return context if tool is None else context | what_may_be_done(self, tool)


class DuePage(Page):
    """What is overdue, and what runs out month by month."""

    permission = permissions.TOOLS_VIEW
    template_name = "workshop/tools_due.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mine = self.request.GET.get("who") == "mine"
        return super().get_context_data(**kwargs) | {
            "months": reads.due_calendar(self.actor, mine=mine),
            "mine": mine,
            "may_check": self.actor.may(permissions.TOOLS_CHECK),
        }


class LabelsPage(Page):
    """Labels to print: one tool's, or those of the whole crib."""

    permission = permissions.TOOLS_MANAGE
    template_name = "workshop/tool_labels.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = reads.tools(self.actor).exclude(state=ToolState.SCRAPPED)
        if number := self.request.GET.get("number", "").strip():
            found = found.filter(number=number)
        address = self.request.build_absolute_uri(reverse("tool-scan"))
        labels = [
            (tool, segno.make_qr(f"{address}?code={quote(tool.number)}", error="m").svg_data_uri(border=1))
            for tool in found[:MOST_LABELS]
        ]
        return super().get_context_data(**kwargs) | {"labels": labels}


class NewToolPage(CommandPage):
    permission = permissions.TOOLS_MANAGE
    template_name = "workshop/tool_form.html"
    form_class = forms.ToolForm
    done = _("The tool is entered.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {
            "people": list(reads.people(self.actor)),
            "resources": reads.plan_tools(self.actor),
            "bays": bays_to_tie(self.actor),
        }

    def get_initial(self) -> dict[str, Any]:
        me = employee_of(self.actor)
        return {"number": reads.next_number(self.actor), "keeper_uid": me.uid if me else None}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        title = _("Enter a tool")
        return super().get_context_data(**kwargs) | {"title": title, "submit": title, "back": reverse("tools")}

    def run(self, form: forms.ToolForm) -> ToolAsset:
        return commands.register_tool(by=self.actor, **form.given())

    def location(self, result: ToolAsset) -> str:
        return reverse("tool", args=[result.uid])


class _ToolForm(_ToolMixin, CommandPage):
    """A form of one tool."""

    template_name = "workshop/tool_form.html"
    title: Any = ""
    variant = "primary"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "tool": self.tool,
            "title": self.title,
            "submit": self.title,
            "variant": self.variant,
            "back": reverse("tool", args=[self.tool.uid]),
        }


class EditToolPage(_ToolForm):
    permission = permissions.TOOLS_MANAGE
    form_class = forms.ToolForm
    title, done = _("Correct the tool's facts"), _("Saved.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {
            "people": list(reads.people(self.actor)),
            "resources": reads.plan_tools(self.actor),
            "bays": bays_to_tie(self.actor),
            "known": self.tool.kind,
        }

    def get_initial(self) -> dict[str, Any]:
        names = ("name", "place", "maker", "serial", "check_months")
        return {name: getattr(self.tool, name) for name in names} | {
            "keeper_uid": self.tool.keeper.uid,
            "resource_uid": self.tool.resource.uid if self.tool.resource else None,
            "bay_uid": self.tool.bay.uid if self.tool.bay else None,
        }

    def run(self, form: forms.ToolForm) -> ToolAsset:
        return commands.change_tool(uid=self.tool.uid, by=self.actor, **form.given())


class IssueToolPage(_ToolForm):
    permission = permissions.TOOLS_ISSUE
    form_class = forms.IssueForm
    title, done = _("Give it out"), _("The tool is out.")

    def get_form_kwargs(self) -> dict[str, Any]:
        uses = tool_plans.planned_uses(self.tool)
        planned = _("The plan keeps it for somebody else today: say what it is needed for before.") if uses else ""
        return super().get_form_kwargs() | {"takers": tool_plans.takers(self.actor), "planned": planned}

    def run(self, form: forms.IssueForm) -> Any:
        return commands.issue_tool(uid=self.tool.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("tool-scan") if self.request.POST.get("from") == "scan" else super().location(result)


class TakeToolPage(_ToolForm):
    """One tap: it goes out with who taps; the page asks for the reason where the plan keeps it for somebody else."""

    permission = permissions.TOOLS_TAKE
    form_class = forms.TakeForm
    title, done = _("I take it"), _("The tool is out with you.")

    def run(self, form: forms.TakeForm) -> Any:
        return commands.issue_tool(uid=self.tool.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        if self.tool.kind == AssetKind.GLOVES:
            return reverse("glove-look", args=[self.tool.uid])  # looked at before they are worn (8.1)
        return reverse("tool-scan") if self.request.POST.get("from") == "scan" else super().location(result)


class ReturnToolPage(_ToolForm):
    permission = (permissions.TOOLS_TAKE, permissions.TOOLS_ISSUE)
    form_class = forms.ReturnToolForm
    title, done = pgettext_lazy("tool", "Take it back"), _("The tool is back.")

    def get_initial(self) -> dict[str, Any]:
        return {"condition": self.request.GET.get("condition", "GOOD")}

    def run(self, form: forms.ReturnToolForm) -> Any:
        return commands.return_tool(uid=self.tool.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("tool-scan") if self.request.POST.get("from") == "scan" else super().location(result)


class DamagePage(_ToolForm):
    permission = (permissions.TOOLS_TAKE, permissions.TOOLS_ISSUE)
    form_class = forms.DamageForm
    title, done, variant = _("Report damage"), _("The tool waits to be checked; nobody gets it."), "danger"

    def run(self, form: forms.DamageForm) -> ToolAsset:
        return commands.report_damage(uid=self.tool.uid, by=self.actor, **form.cleaned_data)


class StopToolPage(_ToolForm):
    permission = permissions.TOOLS_CHECK
    form_class = forms.ReasonForm
    title, done, variant = _("Take out of use"), _("The tool is out of use."), "danger"

    def run(self, form: forms.ReasonForm) -> ToolAsset:
        return commands.stop_tool(uid=self.tool.uid, by=self.actor, **form.cleaned_data)


class ScrapToolPage(_ToolForm):
    permission = permissions.TOOLS_CHECK
    form_class = forms.ReasonForm
    title, done, variant = _("Scrap it"), _("The tool is scrapped."), "danger"

    def run(self, form: forms.ReasonForm) -> ToolAsset:
        return commands.scrap_tool(uid=self.tool.uid, by=self.actor, **form.cleaned_data)


class CheckToolPage(_ToolForm):
    permission = permissions.TOOLS_CHECK
    form_class = forms.CheckForm
    title, done = _("Write down a test"), _("The test is written down.")

    def get_initial(self) -> dict[str, Any]:
        last = self.tool.checks.first()
        return {"done_on": reads.today_at(self.actor), "body": last.body if last else ""}

    def run(self, form: forms.CheckForm) -> Any:
        return commands.check_tool(uid=self.tool.uid, by=self.actor, **form.given())


class ToolPhotoView(StaffPage, View):
    permission = permissions.TOOLS_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.photo_of(uid, self.actor))


class ToolCertificateView(StaffPage, View):
    permission = permissions.TOOLS_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.certificate_of(uid, self.actor))


class CountsPage(CommandPage):
    """Stock-takes of the crib; a new one is begun here."""

    permission = permissions.TOOLS_COUNT
    template_name = "workshop/tool_counts.html"
    form_class = forms.StartForm
    done = _("Scan what is there.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"counts": reads.counts(self.actor)}

    def run(self, form: forms.StartForm) -> ToolCount:
        return counting.start_count(by=self.actor)

    def location(self, result: ToolCount) -> str:
        return reverse("tool-count", args=[result.uid])


class CountPage(CommandPage):
    """One stock-take: a box for the scanner, what isn't seen yet by place, what was seen."""

    permission = permissions.TOOLS_COUNT
    template_name = "workshop/tool_count.html"
    form_class = forms.SeeForm

    @cached_property
    def count(self) -> ToolCount:
        return reads.read_count(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        me = employee_of(self.actor)
        return super().get_context_data(**kwargs) | {
            "count": self.count,
            "sheet": reads.count_sheet(self.count),
            "second": me is not None and me.pk != self.count.started_by_id,
        }

    def run(self, form: forms.SeeForm) -> ToolCount:
        return counting.see_tool(uid=self.count.uid, by=self.actor, **form.cleaned_data)


class CloseCountPage(CommandPage):
    permission = permissions.TOOLS_COUNT
    template_name = "workshop/tool_count_end.html"
    form_class: Any = forms.CloseCountForm
    done = _("The stock-take is closed.")
    title: Any = _("Close the stock-take")
    variant = "primary"

    @cached_property
    def count(self) -> ToolCount:
        return reads.read_count(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "count": self.count,
            "sheet": reads.count_sheet(self.count),
            "title": self.title,
            "variant": self.variant,
        }

    def run(self, form: Any) -> ToolCount:
        return counting.close_count(uid=self.count.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: ToolCount) -> str:
        return reverse("tool-count", args=[self.count.uid])


class CancelCountPage(CloseCountPage):
    form_class = forms.ReasonForm
    done = _("The stock-take is broken off.")
    title = _("Break the stock-take off")
    variant = "danger"

    def run(self, form: Any) -> ToolCount:
        return counting.cancel_count(uid=self.count.uid, by=self.actor, **form.cleaned_data)
