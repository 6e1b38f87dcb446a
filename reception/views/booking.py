"""The customer's own booking page: public, phone first, without log-in and without anything we know of anybody."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from dealership.catalogue.models import Operation
from dealership.kernel import clock
from dealership.kernel.models import Store
from dealership.kernel.pages import CommandPage, Page, StaffPage

from ..documents import calendar_file
from ..forms.appointments import OnlineCancelForm, OnlineForm, OnlineMoveForm, OnlineWaitForm, first_day, read_moment
from ..models import WAITING_STATES, Appointment, WaitingEntry
from ..selectors import capacity
from ..selectors.calendars import event_for_customer
from ..services import appointments as commands
from ..services import changing
from ..services.online import booking_by_token, booking_path
from ..services.waiting import ask_online

DAYS = 14


class PublicPage:
    """Open to everybody, at the store that the address names and in its time zone."""

    kwargs: dict[str, Any]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with timezone.override(self.store.time_zone):
            response: HttpResponseBase = super(StaffPage, self).dispatch(request, *args, **kwargs)  # type: ignore[misc]
            if hasattr(response, "render"):
                response.render()
        return response

    @cached_property
    def store(self) -> Store:
        return get_object_or_404(Store, code=self.kwargs["code"])


class OnlineBookingPage(PublicPage, CommandPage):
    """``/book/<store code>/``: what to do → a free time → name, number, plate. Creates a request for the desk."""

    template_name = "reception/online_booking.html"
    form_class = OnlineForm

    def chosen(self) -> list[Operation]:
        given = self.request.POST if self.request.method == "POST" else self.request.GET
        try:
            uids = [UUID(text) for text in given.getlist("op")]
        except ValueError:
            raise Http404("No such operation") from None
        offered = Operation.objects.filter(uid__in=uids, active=True, bookable_online=True)
        return list(offered.prefetch_related("parts").order_by("code"))

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"concern": self.request.GET.get("words", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        chosen = self.chosen()
        words = self.request.GET.get("words", "") or self.request.POST.get("concern", "")
        ready = bool(chosen or words)
        today = clock.today(self.store.time_zone)
        days = capacity.free_days(self.store, chosen, first=today, days=DAYS, notice=self.notice) if ready else []
        day = first_day(self.request.GET.get("day", "") or self.request.POST.get("day", ""), today)
        shown = next((d for d in days if d.day == day and d.free), None) or next((d for d in days if d.free), None)
        return context | {
            "store": self.store,
            "offered": Operation.objects.filter(active=True, bookable_online=True).order_by("-is_maintenance", "code"),
            "chosen": chosen,
            "words": words,
            "ready": ready,
            "days": days,
            "full": [d for d in days if d.is_full and d.is_open and not d.is_over],
            "shown": shown,
            "wait": self.waiting_day(days),
            "wanted": read_moment(self.request.POST.get("starts_at", "")),
            "quoted": capacity.quote(self.store, chosen) if chosen else None,
            "notice": int(self.notice.total_seconds() // 60),
        }

    @cached_property
    def notice(self) -> timedelta:
        return commands.online_notice(self.store)

    def waiting_day(self, days: list[capacity.Day]) -> capacity.Day | None:
        """The full day for which the customer wants to wait; where nothing is free at all, the first open one."""
        full = [day for day in days if day.is_full and day.is_open and not day.is_over]
        given = self.request.POST.get("wait", "") or self.request.GET.get("wait", "")
        asked = next((day for day in full if day.day.isoformat() == given), None)
        return asked or (full[0] if full and not any(day.free for day in days) else None)

    def run(self, form: OnlineForm) -> Appointment | WaitingEntry:
        data = dict(form.cleaned_data)
        operations = data.pop("op")
        wait = data.pop("wait")
        data["concern"] = data["concern"] or " · ".join(o.name for o in self.chosen())
        if wait:
            data.pop("starts_at")
            return ask_online(
                store=self.store,
                operation_uids=operations,
                first_day=wait,
                address=self.request.META.get("REMOTE_ADDR", ""),
                **data,
            )
        return commands.request_appointment(
            store=self.store,
            operation_uids=operations,
            address=self.request.META.get("REMOTE_ADDR", ""),
            **data,
        )

    def location(self, result: Appointment | WaitingEntry) -> str:
        if isinstance(result, WaitingEntry):
            return reverse("online-waiting", args=[self.store.code])
        return booking_path(result)


class BookedDoor(PublicPage):
    """Opens the page of one booking to whoever has its signed address; no name, number or plate stands there."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @cached_property
    def booked(self) -> Appointment:
        try:
            return booking_by_token(code=self.kwargs["code"], token=self.kwargs["token"])
        except Appointment.DoesNotExist:
            raise Http404("No such booking") from None

    @cached_property
    def store(self) -> Store:
        return self.booked.store

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        booked = self.booked
        return super().get_context_data(**kwargs) | {  # type: ignore[misc]
            "store": booked.store,
            "booked": booked,
            "back": booking_path(booked),
            "refused": changing.why_not(booked),
            "until": changing.change_until(booked),
            "waiting": booked.waiting_for_another.filter(state__in=WAITING_STATES).first(),
        }

    def location(self, result: Any) -> str:
        return booking_path(self.booked)


class OnlineBookedPage(BookedDoor, Page):
    """The number and the time, to whoever has the address; moved, cancelled or put into a calendar from here."""

    template_name = "reception/online_booked.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        booked = self.booked
        if request.GET.get("file") == "calendar":
            return HttpResponse(
                calendar_file(booked.store.name, [event_for_customer(booked)]),
                content_type="text/calendar; charset=utf-8",
                headers={"Content-Disposition": f'attachment; filename="{booked.number}.ics"'},
            )
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "deposit_open": capacity.deposit_open(self.booked),
            "move": booking_path(self.booked, "online-move"),
            "cancel": booking_path(self.booked, "online-cancel"),
        }


class OnlineCancelPage(BookedDoor, CommandPage):
    """2.4: the customer says that the car doesn't come; where it is too late for that here, whom to call."""

    template_name = "reception/online_cancel.html"
    form_class: Any = OnlineCancelForm
    done = _("Cancelled. Thank you for telling us.")

    def run(self, form: Any) -> Any:
        return changing.cancel_online(appointment=self.booked, address=self.address, **form.cleaned_data)

    @property
    def address(self) -> str:
        return str(self.request.META.get("REMOTE_ADDR", ""))


class OnlineMovePage(OnlineCancelPage):
    """2.4: the customer takes another time of the same search, without the plans of this booking itself."""

    template_name = "reception/online_move.html"
    form_class = OnlineMoveForm
    done = _("Moved. We look forward to seeing you at the new time.")

    def get_form_class(self) -> Any:
        return OnlineWaitForm if self.request.POST.get("wait") else OnlineMoveForm

    def run(self, form: Any) -> Appointment | WaitingEntry:
        if isinstance(form, OnlineWaitForm):
            day = form.cleaned_data["wait"]
            return changing.wait_online(appointment=self.booked, day=day, address=self.address)
        return changing.move_online(appointment=self.booked, address=self.address, **form.cleaned_data)

    def words(self, result: Any) -> Any:
        if isinstance(result, WaitingEntry):
            return _("On the waiting list. We write to you as soon as a time gets free; your booking stays until then.")
        return self.done

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if context["refused"]:
            return context
        booked, notice = self.booked, commands.online_notice(self.store)
        first = max(clock.today(self.store.time_zone), booked.replan_from or date.min)
        days = capacity.other_times(booked, first=first, days=DAYS, notice=notice)
        for day in days:  # the time that is booked already is no other time
            day.options = [option for option in day.options if option.at != booked.starts_at]
        wanted = read_moment(self.request.POST.get("starts_at", ""))
        asked = self.request.GET.get("day", "") or self.request.POST.get("day", "")
        shown = next((d for d in days if d.day.isoformat() == asked and d.free), None)
        return context | {
            "days": days,
            "full": [d for d in days if d.is_full and d.is_open and not d.is_over],
            "shown": shown or next((d for d in days if d.free), None),
            "wanted": wanted,
        }


class OnlineWaitingPage(TemplateView):
    """Says that the car is on the list and what comes next; nothing about anybody."""

    template_name = "reception/online_waiting.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"store": get_object_or_404(Store, code=self.kwargs["code"])}
