"""The roster: a week of everybody, one day of one person, and a plan over weeks (5.1)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page
from staff import permissions
from staff.forms import employees as forms
from staff.models import Employee, RosterDay
from staff.selectors import pages as reads
from staff.services import rosters as commands


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def read_day(text: str) -> date:
    """A day of an address; 404 for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Http404 from None


class RosterPage(Page):
    permission = permissions.ROSTER_VIEW
    template_name = "staff/roster.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET.get("week", "")
        return super().get_context_data(**kwargs) | {
            "week": reads.roster_week(self.actor, monday_of(read_day(asked) if asked else clock.today())),
            "may_manage": self.actor.may(permissions.ROSTER_MANAGE),
            "may_open": self.actor.may(permissions.EMPLOYEES_VIEW),
        }


class RosterDayPage(CommandPage):
    """One person's day."""

    permission = permissions.ROSTER_MANAGE
    template_name = "staff/roster_day.html"
    form_class = forms.RosterDayForm
    done = _("The day is set.")

    @cached_property
    def employee(self) -> Employee:
        return Employee.objects.for_actor(self.actor).select_related("department").get(uid=self.kwargs["uid"])

    @cached_property
    def day(self) -> date:
        return read_day(self.kwargs["day"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": self.actor, "employee": self.employee}

    def get_initial(self) -> dict[str, Any]:
        row = self.employee.roster.filter(day=self.day).select_related("shift").first()
        known = {"shift_code": row.shift.code if row.shift else "", "absence": row.absence} if row else {}
        return super().get_initial() | known

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "employee": self.employee,
            "day": self.day,
            "back": self.week_address(),
        }

    def week_address(self) -> str:
        return f"{reverse('roster')}?week={self.day.isoformat()}"

    def run(self, form: forms.RosterDayForm) -> RosterDay:
        data = form.cleaned_data
        return commands.set_roster_day(
            employee_uid=self.employee.uid,
            day=self.day,
            shift_code=data["shift_code"] or None,
            absence=data["absence"],
            by=self.actor,
        )

    def location(self, result: Any) -> str:
        return self.week_address()


class RosterPlanPage(CommandPage):
    """Fills the empty days of one person."""

    permission = permissions.ROSTER_MANAGE
    template_name = "staff/roster_plan.html"
    form_class = forms.RosterPlanForm
    done = _("The empty days are planned; days that were set stayed as they were.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": self.actor}

    def run(self, form: forms.RosterPlanForm) -> Employee:
        data = form.cleaned_data
        week = {day: (data["shift_code"] if day in data["weekdays"] else None) for day in range(7)}
        return commands.plan_roster(
            employee_uid=UUID(data["employee_uid"]), first=data["first"], last=data["last"], week=week, by=self.actor
        )

    def location(self, result: Any) -> str:
        return f"{reverse('roster')}?week={self.request.POST['first']}"
