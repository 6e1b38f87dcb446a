"""Pages of bookings: the day and the week, a new booking, one booking, the preparation list."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.plans import next_plan
from dealership.kernel import clock, limits
from dealership.kernel.models import Store
from dealership.kernel.pages import ActionView, CommandPage, Page

from .. import permissions, rules
from ..forms.appointments import (
    BookingForm,
    CancelForm,
    LoanForm,
    MoveForm,
    MoveWaitForm,
    PartMissingForm,
    WaitForm,
    first_day,
    read_moment,
)
from ..limits import PRICE_DAYS
from ..models import Appointment, PartOfDay, WaitingEntry, WaitingMode
from ..selectors import appointments as reads
from ..selectors import capacity
from ..selectors.consultations import asked_by
from ..selectors.waiting import waiting_count
from ..services import appointments as commands
from ..services.consultations import convert_to_appointment
from ..services.customers import open_number
from ..services.online import booking_path
from ..services.waiting import join_waiting_list, wait_instead

WEEK = 7


def as_day(text: str, otherwise: date) -> date:
    """A day of the address, or the other one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


def grid(days: list[capacity.Day], chosen: Any) -> dict[str, Any]:
    """The grid's context: days and the chosen time's option, None where it isn't free (any more)."""
    options = [option for day in days for option in day.options]
    return {"days": days, "chosen": next((o for o in options if o.at == chosen and o.count), None)}


def people_of(supply_option: rules.Option | None) -> str:
    """Who and what would do the work, as it stands under the grid."""
    if supply_option is None:
        return ""
    names = []
    for step in supply_option.steps:
        names += [step.bays[0].name, step.people[0][0].name, *(tool.name for tool in step.tools[:1])]
    names += [car.name for car in supply_option.loan_cars[:1]]
    return " · ".join(dict.fromkeys(names))


class AppointmentListPage(Page):
    """A day with its counts as filters, or a week."""

    permission = permissions.APPOINTMENTS_VIEW
    template_name = "reception/appointments.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        store = reads.store_of(self.actor)
        today = clock.today(store.time_zone)
        day = as_day(self.request.GET.get("day", ""), today)
        show = self.request.GET.get("show", "all")
        look = "week" if self.request.GET.get("view") == "week" else "day"
        first = day - timedelta(days=day.weekday()) if look == "week" else day
        step = WEEK if look == "week" else 1
        context: dict[str, Any] = {
            "day": day,
            "today": today,
            "show": show if show in reads.FILTERS else "all",
            "look": look,
            "previous": first - timedelta(days=step),
            "next": first + timedelta(days=step),
            "may_book": self.actor.may(permissions.APPOINTMENTS_BOOK),
            "form_token": uuid4(),
            "waiting": waiting_count(self.actor),
            "online_url": reverse("online-booking", args=[store.code]),
        }
        if look == "week":
            context["week"] = reads.week(self.actor, first)
        else:
            context |= reads.day_list(self.actor, day, context["show"])
        return super().get_context_data(**kwargs) | context


class NewAppointmentPage(CommandPage):
    """2.4: one box finds the car; what to do; the times that are free. Each step works as a plain form."""

    permission = permissions.APPOINTMENTS_BOOK
    template_name = "reception/appointment_new.html"
    form_class = BookingForm
    done = _("Booked. The customer gets the time in writing.")

    @cached_property
    def store(self) -> Store:
        return reads.store_of(self.actor)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"store_id": self.store.pk}

    def get_form_class(self) -> type[BookingForm]:
        """Without a time the car is put on the waiting list of the day that was pressed."""
        return WaitForm if self.request.POST.get("wait") else BookingForm

    def words(self, result: Any) -> Any:
        if isinstance(result, WaitingEntry):
            return _("On the waiting list: what gets free is offered by message.")
        return self.done

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET
        question = asked_by(self.actor, asked.get("consultation", ""))
        if question:
            question["concern"] = question.pop("need")
        known = {"q": asked.get("q") or asked.get("plate", ""), "operations": asked.getlist("operation")}
        if asked.get("concern"):
            known["concern"] = asked["concern"][:500]
        return super().get_initial() | known | question

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if {"look", "drop", "ease", "take"} & set(request.POST):
            return self.look()
        return super().post(request, *args, **kwargs)

    def look(self) -> HttpResponse:
        """A step: the same page with what was found, nothing checked and nothing written."""
        form = BookingForm(initial=self.typed(), store_id=self.store.pk)
        context = self.get_context_data(form=form)
        if not self.request.headers.get("HX-Request") and (
            context["car"] or (context["asked"] and not context["found"])
        ):
            self._go_on(form, context["car"])
        return self.render_to_response(context)

    @staticmethod
    def _go_on(form: BookingForm, car: reads.FoundCar | None) -> None:
        """The cursor stands in the next field that is still empty, once it is known which car it is."""
        names = ["contact_name", "contact_phone", "concern"] if car else []
        names = names or ["plate", "model_text", "contact_name", "contact_phone", "concern"]
        empty = next((name for name in names if not form.initial.get(name)), None)
        if empty:
            form.fields["q"].widget.attrs.pop("autofocus", None)
            form.fields[empty].widget.attrs["autofocus"] = True

    def typed(self) -> dict[str, Any]:
        """What was typed, with the steps of this submission carried out: an operation added or left out."""
        posted = self.request.POST
        values: dict[str, Any] = {name: posted.get(name, "") for name in BookingForm.base_fields}
        chosen = [uid for uid in posted.getlist("operations") if uid != posted.get("drop")]
        values["operations"] = list(dict.fromkeys([*chosen, *filter(None, [posted.get("add"), posted.get("take")])]))
        values["add"] = ""
        if posted.get("ease") == "advisor":
            values["advisor"] = ""
        elif posted.get("ease") in capacity.EASED:
            values["waiting_mode"] = WaitingMode.LEAVE.value
        return values

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        values = self.typed() if self.request.method == "POST" else form.initial
        found = reads.find_cars(self.actor, values.get("q", ""))
        car = self._car(found, values.get("vehicle") or self.request.GET.get("vehicle", ""))
        self._fill(form, values, car)
        operations = self._operations(values.get("operations") or [])
        powertrain = car.vehicle.powertrain if car else ""
        operations = fit_hours(operations, car.vehicle.model_id if car else None)
        advisor = self._advisor(values.get("advisor", ""))
        today = clock.today(self.store.time_zone)
        first = first_day(self.request.POST.get("look") or self.request.POST.get("first", ""), today)
        days = capacity.free_days(
            self.store,
            operations,
            first=first,
            days=WEEK,
            powertrain=powertrain,
            waiting_mode=values.get("waiting_mode") or "LEAVE",
            advisor_id=advisor,
        )
        wanted = read_moment(values.get("starts_at", ""))
        shown = grid(days, wanted)
        quoted = capacity.quote(self.store, operations, powertrain)
        return (
            context
            | shown
            | {
                "found": found,
                "car": car,
                "asked": values.get("q", ""),
                "operations": operations,
                "quoted": quoted,
                "price_until": today + timedelta(days=limits.value(PRICE_DAYS, store_id=self.store.pk)),
                "parts": capacity.parts_of(operations),
                "deposit": commands.deposit_for(self.store, car.owner if car else None, operations),
                "team": people_of(shown["chosen"]),
                "first": first,
                "previous": first - timedelta(days=WEEK) if first > today else None,
                "next_first": first + timedelta(days=WEEK),
                "wanted": wanted,
                "parts_of_day": PartOfDay.choices,
                "any_full": any(day.is_full and day.is_open and not day.is_over for day in days),
            }
        )

    def _car(self, found: list[reads.FoundCar], uid: str) -> reads.FoundCar | None:
        chosen = next((car for car in found if str(car.vehicle.uid) == uid), None)
        if chosen is None and uid and self.request.method == "GET":
            try:
                chosen = reads.car_by_uid(self.actor, UUID(uid))
            except ValueError:
                chosen = None
        return chosen or (found[0] if len(found) == 1 else None)

    @staticmethod
    def _fill(form: BookingForm, values: dict[str, Any], car: reads.FoundCar | None) -> None:
        """A car just found brings its owner along; what was typed for it before stays."""
        if form.is_bound:
            return
        uid = str(car.vehicle.uid) if car else ""
        if car and uid != values.get("filled_for"):
            if car.owner:
                form.initial.update(contact_name=car.owner.name, contact_phone=car.owner.phone)
            form.initial["vehicle"] = uid
            form.initial["q"] = values.get("q") or str(car.vehicle)
        elif not car:
            typed = reads.Typed(values.get("q", ""))
            if typed.phone and len(typed.phone) >= 7:
                form.initial["contact_phone"] = values.get("contact_phone") or typed.text
            elif typed.name and len(typed.plain) < 5:
                form.initial["contact_name"] = values.get("contact_name") or typed.text
            elif len(typed.plain) >= 6:
                form.initial["plate"] = values.get("plate") or typed.plain
        form.initial["filled_for"] = uid

    @staticmethod
    def _operations(uids: list[str]) -> list[Operation]:
        try:
            wanted = [UUID(str(uid)) for uid in uids]
        except ValueError:
            return []
        rows = {o.uid: o for o in Operation.objects.filter(uid__in=wanted, active=True).prefetch_related("parts__part")}
        return [rows[uid] for uid in wanted if uid in rows]

    def _advisor(self, uid: str) -> int | None:
        try:
            wanted = UUID(uid)
        except ValueError:
            return None
        people = commands.employees_with_role(self.store.pk, "advisor")
        return people.filter(uid=wanted).values_list("pk", flat=True).first()

    def run(self, form: BookingForm) -> Appointment | WaitingEntry:
        data = dict(form.cleaned_data)
        vehicle_uid = data["vehicle"]
        if vehicle_uid is None and (found := reads.find_cars(self.actor, data["q"])) and len(found) == 1:
            vehicle_uid = found[0].vehicle.uid
        given = {
            "vehicle_uid": vehicle_uid,
            "contact_name": data["contact_name"],
            "contact_phone": data["contact_phone"],
            "plate": data["plate"],
            "model_text": data["model_text"],
            "operation_uids": data["operations"],
            "concern": data["concern"],
            "waiting_mode": data["waiting_mode"],
            "advisor_uid": data["advisor"],
            "by": self.actor,
        }
        if isinstance(form, WaitForm):
            return join_waiting_list(
                first_day=data["wait"], last_day=data["wait_until"], part_of_day=data["part_of_day"], **given
            )
        booked = commands.book_appointment(source=data["source"], starts_at=data["starts_at"], **given)
        if data["consultation"]:
            convert_to_appointment(uid=data["consultation"], appointment_uid=booked.uid, by=self.actor)
        return booked

    def location(self, result: Appointment | WaitingEntry) -> str:
        if isinstance(result, WaitingEntry):
            return reverse("waiting-list")
        return reverse("appointment-detail", args=[result.uid])


class AppointmentPage(Page):
    """One booking: facts, confirmations, what was sent, timeline, and what can be done now."""

    permission = permissions.APPOINTMENTS_VIEW
    template_name = "reception/appointment.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = reads.appointment_page(self.actor, self.kwargs["uid"])
        may_book = self.actor.may(permissions.APPOINTMENTS_BOOK)
        opens = may_book and shown["appointment"].is_expected
        if opens:
            open_number(task=shown["appointment"], customer=shown["appointment"].customer, by=self.actor)
        return (
            super().get_context_data(**kwargs)
            | shown
            | {
                "form_token": uuid4(),
                "opens": opens,
                "own_page": booking_path(shown["appointment"]),
                "may_book": may_book,
                "may_parts": self.actor.may(permissions.APPOINTMENTS_PARTS),
                "may_workshop": self.actor.may(permissions.APPOINTMENTS_WORKSHOP),
                "may_receive": self.actor.may(permissions.VISITS_RECEIVE),
            }
        )


class BookingActionView(ActionView):
    """A button on a booking; goes back to where it was pressed."""

    permission = permissions.APPOINTMENTS_BOOK
    command: ClassVar[Any] = None

    def run(self, form: Any) -> Appointment:
        return type(self).command(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Appointment) -> str:
        if self.request.POST.get("next"):
            return super().location(result)
        return reverse("appointment-detail", args=[self.kwargs["uid"]])


class ConfirmView(BookingActionView):
    command = commands.confirm_appointment
    done = _("Confirmed. The customer gets the time in writing.")


class PartsView(BookingActionView):
    permission = permissions.APPOINTMENTS_PARTS
    command = commands.confirm_parts
    done = _("The parts are confirmed.")


class WorkshopView(BookingActionView):
    permission = permissions.APPOINTMENTS_WORKSHOP
    command = commands.confirm_workshop
    done = _("Bay and technician are confirmed.")


class NoShowView(BookingActionView):
    command = commands.mark_no_show
    done = _("Written down that nobody came; bay and technician are free again.")


class BookingCommandPage(CommandPage):
    """A form in front of one command on a booking."""

    permission = permissions.APPOINTMENTS_BOOK

    @cached_property
    def appointment(self) -> Appointment:
        rows = Appointment.objects.for_actor(self.actor).select_related("store", "vehicle", "advisor", "customer")
        return rows.get(uid=self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"appointment": self.appointment}

    def location(self, result: Appointment) -> str:
        return reverse("appointment-detail", args=[result.uid])


class CancelPage(BookingCommandPage):
    template_name = "reception/appointment_cancel.html"
    form_class = CancelForm
    done = _("Cancelled; bay and technician are free again.")

    def run(self, form: CancelForm) -> Appointment:
        return commands.cancel_appointment(uid=self.appointment.uid, by=self.actor, **form.cleaned_data)


class LoanPage(BookingCommandPage):
    """The loan car is kept longer; what comes after it stands beside the form."""

    template_name = "reception/appointment_loan.html"
    form_class = LoanForm
    done = _("The loan car stays with the customer until then.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        loan = capacity.loan_of(self.appointment)
        following = next_plan(loan) if loan else None
        return super().get_context_data(**kwargs) | {"loan": loan, "following": following}

    def get_initial(self) -> dict[str, Any]:
        loan = capacity.loan_of(self.appointment)
        return super().get_initial() | ({"ends_at": loan.period.upper + timedelta(days=1)} if loan else {})

    def run(self, form: LoanForm) -> Appointment:
        return commands.extend_loan(uid=self.appointment.uid, by=self.actor, **form.cleaned_data)


class PartMissingPage(BookingCommandPage):
    """A part was taken away or comes late: the booking is planned anew."""

    permission = permissions.APPOINTMENTS_PARTS
    template_name = "reception/appointment_part_missing.html"
    form_class = PartMissingForm
    done = _("The desk agrees another time with the customer; the price stays.")

    def get_form_kwargs(self) -> dict[str, Any]:
        needs = reads.parts_needed([self.appointment]).get(self.appointment.pk, [])
        return super().get_form_kwargs() | {"parts": [(need.part.number, need.part.said) for need in needs]}

    def run(self, form: PartMissingForm) -> Appointment:
        return commands.report_part_missing(uid=self.appointment.uid, by=self.actor, **form.cleaned_data)


class MovePage(BookingCommandPage):
    """改约: the same grid without this booking's own plans."""

    template_name = "reception/appointment_move.html"
    form_class = MoveForm
    done = _("Moved. The customer gets the new time in writing.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        booked = self.appointment
        today = clock.today(booked.store.time_zone)
        first = first_day(self.request.GET.get("first", "") or str(booked.replan_from or ""), today)
        days = capacity.other_times(booked, first=first, days=WEEK)
        return context | {
            "days": days,
            "wanted": read_moment(self.request.POST.get("starts_at", "")),
            "first": first,
            "previous": first - timedelta(days=WEEK) if first > today else None,
            "next_first": first + timedelta(days=WEEK),
        }

    def get_form_class(self) -> type[MoveForm | MoveWaitForm]:
        """A full day that was pressed puts the car on its waiting list."""
        return MoveWaitForm if self.request.POST.get("wait") else MoveForm

    def words(self, result: Any) -> Any:
        if isinstance(result, WaitingEntry):
            return _(
                "On the waiting list. The booking stays until the customer takes a time that gets free; it is moved there then."
            )
        return self.done

    def location(self, result: Appointment | WaitingEntry) -> str:
        return reverse("appointment-detail", args=[self.appointment.uid])

    def run(self, form: MoveForm | MoveWaitForm) -> Appointment | WaitingEntry:
        if isinstance(form, MoveWaitForm):
            return wait_instead(
                appointment_uid=self.appointment.uid, first_day=form.cleaned_data["wait"], by=self.actor
            )
        return commands.move_appointment(uid=self.appointment.uid, by=self.actor, **form.cleaned_data)


class PreparationPage(Page):
    """2.4: the coming days' cars; parts keeper and foreman confirm each."""

    permission = permissions.APPOINTMENTS_VIEW
    template_name = "reception/preparation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        days = reads.preparation(self.actor)
        return super().get_context_data(**kwargs) | {
            "days": days,
            "form_token": uuid4(),
            "may_parts": self.actor.may(permissions.APPOINTMENTS_PARTS),
            "may_workshop": self.actor.may(permissions.APPOINTMENTS_WORKSHOP),
        }
