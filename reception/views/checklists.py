"""Pages of the opening checklists (2.1.1)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel import clock
from dealership.kernel.files import file_response
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage
from staff.models import Shift

from .. import permissions, rules
from ..forms.checklists import CheckForm, ChecklistForm, RightForm
from ..models import CheckArea, Checklist, OpeningAnswer, OpeningCheck
from ..selectors import checklists as reads
from ..services import checklists as commands


def today_of(request: HttpRequest) -> date:
    return clock.today(request.store.time_zone)  # type: ignore[attr-defined]


class ChecklistsPage(Page):
    """What is to be gone through today, what was found, and what is still open."""

    permission = (permissions.CHECKLISTS_FILL, permissions.CHECKLISTS_MANAGE)
    template_name = "reception/checklists.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": reads.checks_of_day(self.actor, today_of(self.request)),
            "points": reads.open_points(self.actor),
            "may_fill": self.actor.may(permissions.CHECKLISTS_FILL),
            "may_manage": self.actor.may(permissions.CHECKLISTS_MANAGE),
        }


class CheckPage(CommandPage):
    """Goes through one checklist on a phone; once done it shows what was found."""

    permission = permissions.CHECKLISTS_FILL
    template_name = "reception/check.html"
    form_class = CheckForm
    done = _("The check is written down.")

    @cached_property
    def checklist(self) -> Checklist:
        return reads.checklist_of(self.actor, self.kwargs["uid"])

    @cached_property
    def check(self) -> OpeningCheck | None:
        return reads.check_of(self.checklist, today_of(self.request))

    def get_form_kwargs(self) -> dict[str, Any]:
        items = list(self.checklist.items.filter(active=True))
        return super().get_form_kwargs() | {
            "items": items,
            "drawn": self.checklist.drawn_on(today_of(self.request), items),
            "points": reads.open_points(self.actor, area=self.checklist.area),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        day = today_of(self.request)
        return super().get_context_data(**kwargs) | {
            "checklist": self.checklist,
            "check": self.check,
            "due_at": self.checklist.due_on(day),
            "is_late": self.check is None and self.checklist.due_on(day) < clock.now(),
            "before": reads.note_before(self.checklist, day),
        }

    def run(self, form: CheckForm) -> OpeningCheck:
        return commands.check_opening(
            checklist_uid=self.checklist.uid,
            answers=form.answers(),
            righted=form.righted(),
            note=form.cleaned_data["note"],
            by=self.actor,
        )

    def location(self, result: OpeningCheck) -> str:
        return reverse("checklists")


class RightPointPage(CommandPage):
    """An open point is put right, with how."""

    permission = permissions.CHECKLISTS_FILL
    template_name = "reception/check_point.html"
    form_class = RightForm
    done = _("The point is put right.")

    @cached_property
    def point(self) -> OpeningAnswer:
        checks = OpeningCheck.objects.for_actor(self.actor)
        return OpeningAnswer.objects.select_related("check_of__checklist__shift").get(
            uid=self.kwargs["uid"], check_of__in=checks
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"point": self.point}

    def run(self, form: RightForm) -> OpeningCheck:
        return commands.right_point(uid=self.point.uid, how=form.cleaned_data["how"], by=self.actor)

    def location(self, result: OpeningCheck) -> str:
        return reverse("checklists")


class NewChecklistPage(CommandPage):
    """Writes the checklist of an area and shift, beginning with what is usually looked at there."""

    permission = permissions.CHECKLISTS_MANAGE
    template_name = "reception/checklist_edit.html"
    form_class = ChecklistForm
    done = _("The checklist is saved.")
    checklist: Checklist | None = None

    def get_form_kwargs(self) -> dict[str, Any]:
        asked = self.request.GET.get("area", CheckArea.DESK)
        area = asked if asked in CheckArea.values else CheckArea.DESK
        shifts = list(Shift.objects.filter(store=self.request.store).order_by("starts", "code"))  # type: ignore[attr-defined]
        usual = [("", text, photo) for text, photo in rules.USUAL_ITEMS[area]]
        kwargs = super().get_form_kwargs() | {"shifts": shifts, "items": usual}
        kwargs["initial"] = kwargs["initial"] | {"area": area}
        return kwargs

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"checklist": self.checklist, "areas": CheckArea.choices}

    def run(self, form: ChecklistForm) -> Checklist:
        data = form.cleaned_data
        return commands.write_checklist(
            area=data["area"],
            shift_code=data["shift"],
            due_minutes=data["due_minutes"],
            items=form.given(),
            by=self.actor,
        )

    def location(self, result: Checklist) -> str:
        return reverse("checklists")


class EditChecklistPage(NewChecklistPage):
    """Changes a checklist's items and hour; checks that were written down keep their words."""

    @cached_property
    def checklist(self) -> Checklist:  # type: ignore[override]
        return reads.checklist_of(self.actor, self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        rows = self.checklist.items.filter(active=True)
        there = [(str(item.uid), item.text, item.photo_if_wrong) for item in rows]
        return super().get_form_kwargs() | {"checklist": self.checklist, "items": there}

    def run(self, form: ChecklistForm) -> Checklist:
        return commands.write_checklist(
            uid=self.checklist.uid, due_minutes=form.cleaned_data["due_minutes"], items=form.given(), by=self.actor
        )


class EndChecklistView(ActionView):
    permission = permissions.CHECKLISTS_MANAGE
    done = _("The checklist has ended; its checks stay.")

    def run(self, form: Any) -> Checklist:
        return commands.end_checklist(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("checklists")


class CheckPhotoView(StaffPage, View):
    """The photo of an item, to whoever may go through the checklists."""

    permission = (permissions.CHECKLISTS_FILL, permissions.CHECKLISTS_MANAGE)

    def get(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        return file_response(reads.photo_for(self.actor, uid))
