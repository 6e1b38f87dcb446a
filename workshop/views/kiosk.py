"""A shared tablet in the workshop: badge, then job; and the codes that are printed for it (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

import segno
from django.core import signing
from django.db.utils import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.generic import View

from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import NotAllowed, RuleError, from_database
from dealership.kernel.pages import Page
from dealership.kernel.saying import say_plate
from staff.models import Employee
from staff.permissions import EMPLOYEES_MANAGE
from workshop import permissions
from workshop.models import Clocking, ScreenKind, WallScreen
from workshop.selectors import kiosk as reads
from workshop.selectors import orders, plan
from workshop.selectors.lifts import bay_lifts
from workshop.services import kiosk as commands
from workshop.services.clocking import open_clocking

BADGE, DONE = "workshop.kiosk.badge", "workshop.kiosk.done"
HOLDS, SHOWN = 120, 20
"""Seconds for which a scanned badge waits for its job, and for which what was done is said."""


class KioskPage(View):
    """Two scans: who, then what. Nobody is signed in; the address is the key, and a badge is good for one job."""

    http_method_names = ["get", "head", "post"]

    @cached_property
    def screen(self) -> WallScreen:
        found = plan.screen_of(self.kwargs["key"], ScreenKind.KIOSK)
        if found is None:
            raise Http404
        return found

    @property
    def actor(self) -> Actor:
        return machine("kiosk", store_id=self.screen.store_id)

    @property
    def here(self) -> str:
        return reverse("kiosk", args=[self.screen.key])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            said = signing.loads(request.GET.get("done", ""), salt=DONE, max_age=SHOWN)
        except signing.BadSignature:
            said = ""
        return self.page(said=said)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        scanned, held = request.POST.get("scan", "")[:80], request.POST.get("who", "")
        if self.screen and not held:
            return self.badge(scanned)
        try:
            uid = UUID(signing.loads(held, salt=BADGE, max_age=HOLDS))
        except (signing.BadSignature, ValueError):
            return self.page(error=gettext("That took too long; scan the badge again."), status=422)
        person = Employee.objects.for_actor(self.actor).select_related("user").filter(uid=uid).first()
        if person is None:
            raise Http404
        before = open_clocking(person)
        try:
            done = commands.clock_by_scan(employee_uid=uid, code=scanned, by=self.actor)
        except RuleError as refusal:
            return self.page(person=person, error=str(refusal), status=422)
        except NotAllowed:
            return self.page(error=gettext("This badge belongs to nobody who clocks work here."), status=422)
        except DatabaseError as exc:
            told = from_database(exc)
            if told is None:
                raise
            return self.page(person=person, error=str(told), status=422)
        return redirect(f"{self.here}?done={signing.dumps(self.words(person, done, before), salt=DONE)}")

    def badge(self, scanned: str) -> HttpResponse:
        person = reads.employee_of_badge(self.screen, scanned)
        if person is None:
            return self.page(error=gettext("Nobody here has this badge."), status=422)
        return self.page(person=person)

    def words(self, person: Employee, done: Clocking, before: Clocking | None = None) -> str:
        if done.ended_at is None:
            said = gettext("%(name)s is clocked on: %(line)s") % {"name": person.name, "line": done.line.said}
            if before is not None and before.line_id != done.line_id:
                order = before.line.order
                stopped = gettext("stopped for it: %(plate)s, %(line)s") % {
                    "plate": say_plate(order.vehicle.plate) or order.number,
                    "line": before.line.said,
                }
                said = f"{said} · {stopped}"
            today = clock.today(self.screen.store.time_zone)
            lift = bay_lifts(self.screen.store_id, today).get(done.bay.pk) if done.bay else None
            if lift is None or not lift.unseen(today):
                return said
            warned = gettext("%(lift)s isn't checked today") % {"lift": lift.name}
            return f"{said} · {warned}"
        cause = done.get_pause_cause_display()
        return gettext("%(name)s is clocked off: %(line)s (%(cause)s)") % {
            "name": person.name,
            "line": done.line.said,
            "cause": cause,
        }

    def page(
        self, *, person: Employee | None = None, said: str = "", error: str = "", status: int = 200
    ) -> HttpResponse:
        context: dict[str, Any] = {"screen": self.screen, "said": said, "error": error, "here": self.here}
        if person is not None:
            context |= {
                "person": person,
                "who": signing.dumps(str(person.uid), salt=BADGE),
                "busy": open_clocking(person),
                "jobs": [(line, reads.job_code(line)) for line in reads.jobs_of(person)],
                "pauses": reads.pauses(),
            }
        with timezone.override(self.screen.store.time_zone):
            return render(self.request, "workshop/kiosk.html", context, status=status)


def drawn(code: str) -> str:
    return segno.make_qr(code, error="m").svg_data_uri(border=1)


class OrderCodesPage(Page):
    """Labels of an order's jobs, to be scanned at the kiosk."""

    permission = permissions.ORDERS_VIEW
    template_name = "workshop/codes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        order = orders.get_order(self.kwargs["uid"], self.actor)
        rows = [(line.said, reads.job_code(line)) for line in reads.order_codes(order)]
        return super().get_context_data(**kwargs) | {
            "labels": [(name, code, drawn(code)) for name, code in rows],
            "back": reverse("order-detail", args=[order.uid]),
            "back_word": order.number,
        }


class BadgeCodesPage(Page):
    """Badges of who works on cars and the codes of pauses, to be printed once; ``?person=`` prints one badge alone."""

    permission = (permissions.PLAN_DISPATCH, EMPLOYEES_MANAGE)
    template_name = "workshop/codes.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            one = UUID(self.request.GET.get("person", ""))
        except ValueError:
            one = None
        rows = [(person.name, code) for person, code in reads.badges(self.actor, one)]
        if one is not None:
            return super().get_context_data(**kwargs) | {
                "labels": [(name, code, drawn(code)) for name, code in rows],
                "badges": True,
                "back": reverse("staff-person", args=[one]) if rows else reverse("staff"),
                "back_word": rows[0][0] if rows else gettext("Staff"),
            }
        rows += [(f"{gettext('Pause')} · {label}", code) for code, label in reads.pauses()]
        return super().get_context_data(**kwargs) | {
            "labels": [(name, code, drawn(code)) for name, code in rows],
            "badges": True,
            "back": reverse("wall-screens") if self.actor.may(permissions.PLAN_DISPATCH) else reverse("staff"),
            "back_word": gettext("Screens on the wall")
            if self.actor.may(permissions.PLAN_DISPATCH)
            else gettext("Staff"),
        }
