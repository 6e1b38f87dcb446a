"""Calendars that a program subscribes to: the own one of staff, and what an address gives (2.4)."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views import View

from dealership.kernel.pages import ActionView, Page

from .. import permissions
from ..documents import calendar_file
from ..models import CalendarFeed
from ..selectors import calendars as reads
from ..services import calendars as commands


class OwnCalendarPage(Page):
    """The address of the own calendar: made, replaced, stopped."""

    permission = permissions.APPOINTMENTS_VIEW
    template_name = "reception/own_calendar.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        feed = reads.own_calendar(self.actor)
        return super().get_context_data(**kwargs) | {
            "feed": feed,
            "address": commands.calendar_address(feed) if feed else "",
            "form_token": uuid4(),
        }


class IssueCalendarView(ActionView):
    permission = permissions.APPOINTMENTS_VIEW
    done = _("The address holds; enter it in your calendar program.")

    def run(self, form: Any = None) -> CalendarFeed:
        return commands.issue_calendar(by=self.actor)

    def location(self, result: CalendarFeed) -> str:
        return reverse("own-calendar")


class StopCalendarView(IssueCalendarView):
    done = _("The address has stopped.")

    def run(self, form: Any = None) -> CalendarFeed:
        return commands.stop_calendar(by=self.actor)


class CalendarFeedView(View):
    """``/calendar/<token>.ics``: open to whoever knows the address, as calendar programs need it."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            feed = reads.feed_by_token(token)
        except CalendarFeed.DoesNotExist:
            raise Http404("No such calendar") from None
        with reads.in_language_of(feed):
            content = calendar_file(reads.calendar_name(feed), reads.calendar_events(feed))
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        same = request.headers.get("If-None-Match") == etag
        return HttpResponse(
            b"" if same else content,
            status=304 if same else 200,
            content_type="text/calendar; charset=utf-8",
            headers={
                "Content-Disposition": 'inline; filename="bookings.ics"',
                "Cache-Control": "private, no-cache",
                "ETag": etag,
                "X-Robots-Tag": "noindex",
            },
        )
