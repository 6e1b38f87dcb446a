"""The workshop plan: one day by bays or people, giving out and taking back work, lines that wait, corrections (2.4, 3.2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Reservation, Resource, ResourceKind
from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Store
from dealership.kernel.pages import ActionView, CommandPage, Page
from dealership.kernel.saying import say_list, say_span, say_time
from reception.models import VisitState
from workshop import permissions
from workshop.call_models import Need
from workshop.forms.floor import BlockForm, CorrectionForm, HoldForm, PlanForm, SharesForm
from workshop.models import Clocking, Dispatch, OrderLine
from workshop.selectors import calls, replan
from workshop.selectors import plan as reads
from workshop.selectors.away import may_leave
from workshop.selectors.fitness import needs_two
from workshop.selectors.lifts import bay_lifts, lift_of
from workshop.selectors.stamp import stamp_of
from workshop.services import blocking, clocking, dispatch, shares


class PlanPage(Page):
    """One day: rows are bays or technicians, the plan lies over what was clocked."""

    permission = permissions.PLAN_VIEW
    template_name = "workshop/plan.html"

    @cached_property
    def day(self) -> date:
        try:
            return date.fromisoformat(self.request.GET.get("day", ""))
        except ValueError:
            return clock.today(Store.objects.get(pk=self.actor.store_id).time_zone)

    @property
    def week(self) -> bool:
        return self.request.GET.get("zoom") == "week"

    @cached_property
    def stamp(self) -> str:
        if self.week:
            return stamp_of(self.actor, self.day - timedelta(days=self.day.weekday()), days=7)
        return stamp_of(self.actor, self.day)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Who looks asks every few seconds with what was seen: nothing is sent while it is still the same."""
        if request.GET.get("seen") == self.stamp:
            return HttpResponse(status=204)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked, day = self.request.GET, self.day
        by_people = asked.get("rows") == "people"
        return super().get_context_data(**kwargs) | {
            "stamp": self.stamp,
            "board": (reads.week_board if self.week else reads.board)(self.actor, day=day, by_people=by_people),
            "rows": "people" if by_people else "bays",
            "zoom": "week" if self.week else "day",
            "day": day,
            "before": day - timedelta(days=7 if self.week else 1),
            "after": day + timedelta(days=7 if self.week else 1),
            "may_dispatch": self.actor.may(permissions.PLAN_DISPATCH),
            "may_look": self.actor.may(permissions.TOOLS_TAKE),
            "may_leave": self.actor.may(permissions.AWAY_PLAN),
            "may_tools": self.actor.may(permissions.TOOLS_VIEW),
            "proposal": replan.open_proposal(self.actor),
            "calls": calls.open_calls(self.actor, tuple(Need)) if self.actor.may(permissions.CALLS_ANSWER) else [],
        }


def planned_words(plan: Dispatch) -> str:
    """Who does it where and when, and how much later than promised it will be ready."""
    now, promised = clock.now(), plan.line.order.promised_at
    said = gettext("Planned: %(name)s, %(bay)s, %(begin)s – %(end)s.") % {
        "name": say_list(row.technician.name for row in dispatch.together_with(plan)),
        "bay": plan.bay.said,
        "begin": say_time(plan.starts_at, now=now),
        "end": say_time(plan.ends_at, now=now),
    }
    if promised is None or plan.ends_at <= promised:
        return said
    late = gettext("That is %(span)s later than promised (%(time)s): tell the service advisor.") % {
        "span": say_span(plan.ends_at - promised),
        "time": say_time(promised, now=now),
    }
    return f"{said} {late}"


def ends_late(plan: Dispatch) -> bool:
    """Whether the plan can't keep what was promised: that isn't told as a plain success."""
    promised = plan.line.order.promised_at
    return promised is not None and plan.ends_at > promised


def late_words(line: OrderLine, starts_at: datetime, ends_at: datetime | None) -> str:
    """What the foreman should know before letting go: that it ends after the promise, or not on the day it begins."""
    if ends_at is None:
        return ""
    now, promised, said = clock.now(), line.order.promised_at, []
    if promised is not None and ends_at > promised:
        said.append(
            gettext("%(span)s later than promised (%(time)s)")
            % {"span": say_span(ends_at - promised), "time": say_time(promised, now=now)}
        )
    zone = ZoneInfo(line.order.store.time_zone)
    if ends_at.astimezone(zone).date() > starts_at.astimezone(zone).date():
        said.append(gettext("not done that day: until %(time)s") % {"time": say_time(ends_at, now=now)})
    return " · ".join(said)


class DropView(ActionView):
    """A bar or a line of the pane was dropped on a row of the plan: the same commands as behind the dialogs."""

    permission = permissions.PLAN_DISPATCH
    http_method_names = ["get", "post"]

    def asked(self, sent: QueryDict) -> tuple[UUID, UUID, datetime]:
        """The row, what is dropped and the time, as the store's clock says it."""
        store = Store.objects.get(pk=self.actor.store_id)
        try:
            row, moved = UUID(sent.get("row", "")), UUID(sent.get("plan") or sent.get("line") or "")
            start = datetime.fromisoformat(sent.get("starts_at", "")).replace(tzinfo=ZoneInfo(store.time_zone))
        except ValueError:
            raise RuleError("plan.drop", _("Drop it on a row of the plan, at a time of that day.")) from None
        return row, moved, start

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Who would do it if it were dropped here, shown under the hand before it is; nothing is written."""
        try:
            row, moved, start = self.asked(request.GET)
            if request.GET.get("plan"):
                place = reads.place_of(self.actor, row)
                line, ends_at = dispatch.end_of_move(uid=moved, starts_at=start, by=self.actor, **place)
                return JsonResponse({"late": late_words(line, start, ends_at)})
            line, way = dispatch.way_of_drop(line_uid=moved, resource_uid=row, starts_at=start, by=self.actor)
        except RuleError as refusal:
            return JsonResponse({"why": str(refusal)})
        names = [person.name for person in (way.technician, way.second) if person is not None]
        return JsonResponse(
            {
                "technician": str(way.technician.uid),
                "who": f"{'、'.join(names)} · {way.bay.said}",
                "late": late_words(line, start, way.ends_at),
            }
        )

    def run(self, form: Any) -> Dispatch:
        asked = self.request.POST
        row, moved, start = self.asked(asked)
        if not asked.get("plan"):
            try:
                shown = UUID(asked.get("technician", ""))
            except ValueError:
                shown = None
            return dispatch.drop_line(
                line_uid=moved, resource_uid=row, starts_at=start, technician_uid=shown, by=self.actor
            )
        place = reads.place_of(self.actor, row)
        return dispatch.move_dispatch(uid=moved, starts_at=start, by=self.actor, **place)

    def words(self, result: Dispatch) -> str:
        return planned_words(result)

    def warns(self, result: Dispatch) -> bool:
        return ends_late(result)

    def location(self, result: Dispatch) -> str:
        rows = "people" if self.request.POST.get("rows") == "people" else "bays"
        return f"{reverse('plan')}?day={result.starts_at.astimezone():%Y-%m-%d}&rows={rows}"


class BlockPage(CommandPage):
    """Takes a bay out of use for a time; what is planned there stands beside the form."""

    permission = permissions.PLAN_DISPATCH
    form_class = BlockForm
    template_name = "workshop/block.html"
    done = _("The bay is out of use for that time.")

    @cached_property
    def bay(self) -> Resource:
        return (
            Resource.objects.for_actor(self.actor)
            .select_related("store")
            .get(uid=self.kwargs["uid"], kind=ResourceKind.BAY)
        )

    def get_initial(self) -> dict[str, Any]:
        start, end = reads.rest_of_day(self.bay.store)
        lift = lift_of(self.bay) if self.request.GET.get("why") == "lift" else None
        why = lift.unfit(clock.today(self.bay.store.time_zone)) if lift else ""
        return {"starts_at": start, "ends_at": end} | ({"reason": why[:120], "make_room": True} if why else {})

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "bay": self.bay,
            "planned": reads.planned_in(self.actor, self.bay),
            "at_work": reads.worked_in(self.actor, self.bay),
            "back": reverse("plan"),
        }

    def run(self, form: BlockForm) -> Reservation:
        return blocking.block_bay(bay_uid=self.bay.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Reservation) -> str:
        return f"{reverse('plan')}?day={result.period.lower.astimezone():%Y-%m-%d}"


class UnblockView(ActionView):
    permission = permissions.PLAN_DISPATCH
    done = _("The bay is to be had again.")

    def run(self, form: Any) -> Reservation:
        return blocking.unblock_bay(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Reservation) -> str:
        return f"{reverse('plan')}?day={result.period.lower.astimezone():%Y-%m-%d}"


class LineCommand(CommandPage):
    """A command about one line from the plan."""

    template_name = "workshop/line_form.html"
    title: Any = ""
    submit: Any = ""
    danger = False

    @cached_property
    def line(self) -> OrderLine:
        return (
            OrderLine.objects.for_actor(self.actor)
            .select_related("operation__skill", "order__store", "order__vehicle", "order__visit")
            .get(uid=self.kwargs["uid"])
        )

    @property
    def back(self) -> str:
        return reverse("plan")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "line": self.line,
            "title": self.title,
            "submit": self.submit,
            "danger": self.danger,
            "back": self.request.POST.get("next") or self.request.GET.get("next") or self.back,
        }


class AssignPage(LineCommand):
    """Gives a line to bay and technician; the earliest fitting proposals stand beside the form."""

    permission = permissions.PLAN_DISPATCH
    form_class = PlanForm
    template_name = "workshop/assign.html"
    title, submit = _("Give out the work"), _("Plan it")

    @cached_property
    def dropped(self) -> reads.Proposal | None:
        """A place and time that a hand let go of before it was shown who would do it: asked here instead."""
        if not self.request.GET.get("row"):
            return None
        try:
            row = UUID(self.request.GET["row"])
            start = datetime.fromisoformat(self.request.GET.get("starts_at", ""))
            zone = ZoneInfo(self.line.order.store.time_zone)
            return dispatch.way_of_drop(
                line_uid=self.line.uid, resource_uid=row, starts_at=start.replace(tzinfo=zone), by=self.actor
            )[1]
        except (ValueError, RuleError):
            return None

    @property
    def alone(self) -> bool:
        """Whether the line had no plan when the form was shown; then nobody else may have given it out meanwhile."""
        return self.request.POST.get("alone") == "1"

    @property
    def old(self) -> Dispatch | None:
        return None

    @property
    def over(self) -> bool:
        """Whether the line isn't work that can be given out: done, or not agreed to; the form would only be refused."""
        return self.line.state not in reads.OPEN

    @cached_property
    def proposals(self) -> list[reads.Proposal]:
        return reads.proposals(self.line)

    def get_form_kwargs(self) -> dict[str, Any]:
        people = [
            (str(person.uid), gettext("%(name)s (level %(level)s)") % {"name": person.name, "level": level})
            if level
            else (str(person.uid), person.name)
            for person, level in reads.fitting_people(self.line)
        ]
        today = clock.today(self.line.order.store.time_zone)
        lifts = bay_lifts(self.line.order.store_id, today)
        bays = []
        for bay in reads.fitting_bays(self.line):
            shut = lifts[bay.pk].unfit(today) if bay.pk in lifts else ""
            bays.append((str(bay.uid), f"{bay.said} · {shut or bay.get_capability_display()}"))
        two = needs_two(self.line)
        return super().get_form_kwargs() | {"people": people, "bays": bays, "two": two}

    def get_initial(self) -> dict[str, Any]:
        first = self.dropped or (self.proposals[0] if self.proposals else None)
        if first is None:
            return {"starts_at": clock.now()}
        return {
            "technician": str(first.technician.uid),
            "bay": str(first.bay.uid),
            "second": str(first.second.uid) if first.second else "",
            "starts_at": first.starts_at,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "proposals": [] if self.over else self.proposals,
            "old": self.old,
            "over": self.over,
            "alone": self.old is None and not self.line.dispatches.filter(live=True).exists(),
        }

    @property
    def moves_together(self) -> bool:
        """Whether who does it at the same place and time moves along: the two of high-voltage work always do."""
        return needs_two(self.line)

    def end_of(self, data: dict[str, Any]) -> datetime | None:
        """When it ends; None where the hours of the line decide."""
        end: datetime | None = data["ends_at"]
        return end

    def run(self, form: PlanForm) -> Dispatch:
        data = form.cleaned_data
        return dispatch.dispatch_line(
            line_uid=self.line.uid,
            technician_uid=UUID(data["technician"]),
            second_uid=UUID(data["second"]) if data.get("second") else None,
            bay_uid=UUID(data["bay"]),
            starts_at=data["starts_at"],
            ends_at=self.end_of(data),
            share=data["share"],
            replaces_uid=data["replaces"],
            together=self.moves_together,
            alone=self.alone and not data["replaces"],
            by=self.actor,
        )

    def words(self, result: Dispatch) -> str:
        return planned_words(result)

    def warns(self, result: Dispatch) -> bool:
        return ends_late(result)

    def location(self, result: Dispatch) -> str:
        asked = self.request.POST.get("next")
        day = result.starts_at.astimezone().date()
        return super().location(result) if asked else f"{reverse('plan')}?day={day:%Y-%m-%d}"


class MovePage(AssignPage):
    """Moves one plan to another bay, person or time, or takes it back."""

    title, submit = _("Move the plan"), pgettext_lazy("plan", "Move")

    @cached_property
    def dispatched(self) -> Dispatch:
        return (
            Dispatch.objects.for_actor(self.actor)
            .select_related("technician", "bay", "line")
            .get(uid=self.kwargs["uid"])
        )

    @property
    def old(self) -> Dispatch | None:
        return self.dispatched

    @cached_property
    def line(self) -> OrderLine:
        return (
            OrderLine.objects.for_actor(self.actor)
            .select_related("operation__skill", "order__store", "order__vehicle", "order__visit")
            .get(pk=self.dispatched.line_id)
        )

    @property
    def back(self) -> str:
        return f"{reverse('plan')}?day={self.dispatched.starts_at.astimezone():%Y-%m-%d}"

    @cached_property
    def both(self) -> list[Dispatch]:
        """The plans of the two people who do the work together, the leading one first."""
        mates = dispatch.together_with(self.dispatched)
        return mates if needs_two(self.line) or len(mates) == 2 else [self.dispatched]

    @cached_property
    def proposals(self) -> list[reads.Proposal]:
        """Its own place is free for it: what it holds now isn't in its way."""
        moving = self.both if needs_two(self.line) or len(self.both) > 1 else [self.dispatched]
        held = {pk for row in moving for pk in (row.person_plan_id, row.bay_plan_id, row.tool_plan_id) if pk}
        return reads.proposals(self.line, moving=held)

    def end_of(self, data: dict[str, Any]) -> datetime | None:
        """An end that was left as it stood moves along with the beginning: the work takes as long as before."""
        old = self.dispatched
        was = [at.replace(second=0, microsecond=0) for at in (old.starts_at, old.ends_at)]
        if data["ends_at"] != was[1] or data["starts_at"] == was[0]:
            return super().end_of(data)
        return dispatch.end_of_move(
            uid=old.uid, technician_uid=UUID(data["technician"]), starts_at=data["starts_at"], by=self.actor
        )[1]

    @property
    def moves_together(self) -> bool:
        return needs_two(self.line) or (len(self.both) > 1 and "second" in self.request.POST)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "both": self.both if len(self.both) > 1 else [],
            "both_names": [row.technician.name for row in self.both],
        }

    def get_initial(self) -> dict[str, Any]:
        old = self.dispatched
        return {
            "technician": str(self.both[0].technician.uid),
            "second": str(self.both[1].technician.uid) if len(self.both) > 1 else "",
            "share": self.both[0].share if self.both[0].share_said and self.both[0].share < 100 else None,
            "bay": str(old.bay.uid),
            "starts_at": old.starts_at,
            "ends_at": old.ends_at,
            "replaces": old.uid,
        }


class TakeBackView(ActionView):
    permission = permissions.PLAN_DISPATCH
    done = _("Taken back; the time is free again.")

    def run(self, form: Any) -> Any:
        Dispatch.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])
        return dispatch.take_back_dispatch(
            uid=self.kwargs["uid"], reason=self.request.POST.get("reason", ""), by=self.actor
        )

    def location(self, result: Dispatch) -> str:
        return f"{reverse('plan')}?day={result.starts_at.astimezone():%Y-%m-%d}"


class HoldPage(LineCommand):
    permission = permissions.LINES_HOLD
    form_class = HoldForm
    title, submit, done = _("Let the line wait"), _("Let it wait"), _("The line waits; the others go on.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"may_leave": may_leave(self.actor, self.line.order)}

    def run(self, form: HoldForm) -> Any:
        data = form.cleaned_data
        return clocking.hold_line(line_uid=self.line.uid, cause=data["cause"], note=data["note"], by=self.actor)

    def location(self, result: Any) -> str:
        if self.request.POST.get("drives_on"):
            return reverse("order-away", args=[self.line.order.uid])
        return super().location(result)


class SharesPage(LineCommand):
    """How a line's hours are divided among those who are given it (6.1)."""

    permission = permissions.PLAN_DISPATCH
    form_class = SharesForm
    title, submit, done = _("Divide the hours"), _("Divide"), _("The hours are divided so.")

    def get_form_kwargs(self) -> dict[str, Any]:
        rows = shares.live_rows(self.line)
        people = [(row.technician.uid, row.technician.name, row.share) for row in rows]
        return super().get_form_kwargs() | {"people": people}

    def run(self, form: SharesForm) -> OrderLine:
        return shares.set_shares(
            line_uid=self.line.uid, shares=form.shares, reason=form.cleaned_data["reason"], by=self.actor
        )


class ReleaseView(ActionView):
    permission = permissions.LINES_HOLD

    def run(self, form: Any) -> OrderLine:
        return clocking.release_line(line_uid=self.kwargs["uid"], by=self.actor)

    def words(self, result: OrderLine) -> Any:
        if result.order.visit.state == VisitState.AWAY:
            return _("The part is here: the customer gets a message; book the car's return.")
        return _("The line goes on.")


class CorrectClockingPage(CommandPage):
    """The foreman puts a clocking right."""

    permission = permissions.CLOCKINGS_CORRECT
    form_class = CorrectionForm
    template_name = "workshop/line_form.html"
    done = _("Corrected; the history keeps both.")

    @cached_property
    def clocking(self) -> Clocking:
        rows = Clocking.objects.for_actor(self.actor)
        return rows.select_related("employee", "line__order__vehicle", "line__order__visit").get(uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        return {"started_at": self.clocking.started_at, "ended_at": self.clocking.ended_at}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "line": self.clocking.line,
            "who": self.clocking.employee.name,
            "title": _("Correct a clocking"),
            "submit": _("Correct"),
            "back": self.request.POST.get("next") or self.request.GET.get("next") or self.order_page,
        }

    @property
    def order_page(self) -> str:
        """Clockings are shown on their order; there one comes from and goes back to."""
        if not self.actor.may(permissions.ORDERS_VIEW):
            return reverse("plan")
        return reverse("order-detail", args=[self.clocking.line.order.uid])

    def get_form(self, form_class: type[CorrectionForm] | None = None) -> CorrectionForm:
        """The last question is asked only of a line that is finished."""
        form = super().get_form(form_class)
        if self.clocking.line.completed_at is None:
            del form.fields["past_finish"]
        return form

    def location(self, result: Any) -> str:
        return super().location(result) if self.request.POST.get("next") else self.order_page

    def run(self, form: CorrectionForm) -> Any:
        return clocking.correct_clocking(uid=self.clocking.uid, by=self.actor, **form.cleaned_data)
