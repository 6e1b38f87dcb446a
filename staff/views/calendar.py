"""The working calendar: public holidays and make-up days, the store's hours and its special days (2.4)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, holidays
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.models import CalendarDay, Store
from dealership.kernel.pages import ActionView, CommandPage, Page
from dealership.kernel.permissions import CALENDAR_MANAGE
from dealership.kernel.stores import DayHours, drop_calendar_day, hours_of_week, set_calendar_day, set_opening_week
from dealership.kernel.worktime import DayKind, official_until, statutory_day
from staff import permissions
from staff.forms import calendar as forms
from staff.views.rosters import read_day

HOLIDAYS = {
    "New Year's Day": _("New Year's Day"),
    "Spring Festival": _("Spring Festival"),
    "Tomb-sweeping Day": _("Tomb-sweeping Day"),
    "Labour Day": _("Labour Day"),
    "Dragon Boat Festival": _("Dragon Boat Festival"),
    "National Day": _("National Day"),
    "Mid-autumn Festival": _("Mid-autumn Festival"),
}
"""The official list's names in the reader's language; what people write down stays as typed."""


def own_store(by: Actor) -> Store:
    return Store.objects.for_actor(by).get(pk=by.store_id)


def listed_days(year: int) -> list[dict[str, Any]]:
    """Holidays and make-up days of a year; ``row`` is there where somebody wrote the day down."""
    own = {row.day: row for row in holidays.own_days(year)}
    days = []
    day = date(year, 1, 1)
    while day.year == year:
        row = own.get(day)
        known = statutory_day(day)
        if row is not None:
            days.append({"day": day, "kind": row.kind, "label": row.get_kind_display(), "name": row.name, "row": row})
        elif known.kind in (DayKind.HOLIDAY, DayKind.MAKE_UP):
            label = holidays.PublicDayKind(known.kind.value).label
            name = HOLIDAYS.get(known.name, known.name)
            days.append({"day": day, "kind": known.kind.value, "label": label, "name": name, "row": None})
        day += timedelta(days=1)
    return days


def spans_of(days: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Days on end of one kind and holiday in one row; what somebody wrote down stays a row of its own."""
    spans: list[dict[str, Any]] = []
    for item in days:
        last = spans[-1] if spans else {}
        goes_on = last and (last["row"], last["kind"], last["name"]) == (item["row"], item["kind"], item["name"])
        if goes_on and item["row"] is None and last["last"] + timedelta(days=1) == item["day"]:
            last |= {"last": item["day"], "count": last["count"] + 1}
        else:
            spans.append({**item, "first": item["day"], "last": item["day"], "count": 1})
    return spans


def weekdays_of(store: Store) -> list[tuple[str, DayHours | None]]:
    """The opening hours of a week; weekdays on end with the same hours in one row."""
    rows: list[tuple[int, int, DayHours | None]] = []
    for weekday, hours in hours_of_week(store).items():
        if rows and rows[-1][2] == hours:
            rows[-1] = (rows[-1][0], weekday, hours)
        else:
            rows.append((weekday, weekday, hours))
    return [(str(WEEKDAYS[a]) if a == b else f"{WEEKDAYS[a]} – {WEEKDAYS[b]}", hours) for a, b, hours in rows]


class CalendarPage(Page):
    permission = permissions.ROSTER_VIEW
    template_name = "staff/calendar.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = clock.today()
        given = self.request.GET.get("year", "")
        year = int(given) if given.isdecimal() and len(given) == 4 else today.year
        year = year if today.year - 5 <= year <= today.year + 2 else today.year
        store_days = CalendarDay.objects.filter(store_id=self.actor.store_id, day__gte=today).order_by("day")
        return super().get_context_data(**kwargs) | {
            "year": year,
            "years": range(today.year - 1, today.year + 3),
            "days": spans_of(listed_days(year)),
            "listed": holidays.is_listed(year),
            "missing": holidays.missing_year(),
            "until": official_until(),
            "hours": weekdays_of(own_store(self.actor)),
            "store_days": store_days[:60],
            "may_edit": self.actor.may(CALENDAR_MANAGE),
        }


class PublicDayPage(CommandPage):
    permission = CALENDAR_MANAGE
    template_name = "staff/calendar_day.html"
    form_class = forms.PublicDayForm
    done = _("The day is on the list.")
    extra_context = {"title": _("Add a public holiday or make-up day")}

    def run(self, form: forms.PublicDayForm) -> Any:
        return holidays.set_public_day(by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return f"{reverse('calendar')}?year={result.day.year}"


class DropPublicDayView(ActionView):
    permission = CALENDAR_MANAGE
    done = _("The day is off the list.")

    def run(self, form: Any = None) -> Any:
        return holidays.drop_public_day(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return f"{reverse('calendar')}?year={result.year}"


class StoreDayPage(CommandPage):
    permission = CALENDAR_MANAGE
    template_name = "staff/calendar_day.html"
    form_class = forms.StoreDayForm
    done = _("The store's day is set.")
    extra_context = {"title": _("Set a day of this store")}

    def run(self, form: forms.StoreDayForm) -> CalendarDay:
        return set_calendar_day(store=own_store(self.actor), by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("calendar")


class DropStoreDayView(ActionView):
    permission = CALENDAR_MANAGE
    done = _("The weekly hours hold again on that day.")

    def run(self, form: Any = None) -> Store:
        return drop_calendar_day(store=own_store(self.actor), day=read_day(self.kwargs["day"]), by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("calendar")


class HoursPage(CommandPage):
    """The opening hours of a week."""

    permission = CALENDAR_MANAGE
    template_name = "staff/calendar_hours.html"
    form_class = forms.WeekForm
    done = _("The opening hours are set; promised times are worked out by them from now on.")

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | forms.WeekForm.initial_of(hours_of_week(own_store(self.actor)))

    def run(self, form: forms.WeekForm) -> Store:
        return set_opening_week(store=own_store(self.actor), week=form.week(), by=self.actor)

    def refuse(self, form: Any, refusal: RuleError) -> HttpResponse:
        if refusal.field and refusal.field.startswith("day_"):
            refusal.field = f"opens_{refusal.field.removeprefix('day_')}"
        return super().refuse(form, refusal)

    def location(self, result: Any) -> str:
        return reverse("calendar")
