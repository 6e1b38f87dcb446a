"""Pages of loan cars (代步车): which is where, giving one, keeping it longer, taking it back (2.1.2, 2.4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel import clock
from dealership.kernel.files import file_response
from dealership.kernel.pages import CommandPage, Page, StaffPage

from .. import permissions
from ..forms.loans import GiveForm, KeepLongerForm, TakeBackForm
from ..loan_models import LoanTrip
from ..selectors import loans as reads
from ..services import loans as commands
from .visits import VisitMixin


class LoansPage(Page):
    """Which loan car is where, and when it comes back."""

    permission = permissions.LOANS_VIEW
    template_name = "reception/loans/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "cars": reads.loan_cars(self.actor),
            "ended": reads.loans_ended(self.actor),
            "may_work": self.actor.may(permissions.LOANS_WORK),
        }


class GivePage(VisitMixin, CommandPage):
    """Gives a loan car to the customer of a visit, on the phone beside the car."""

    permission = permissions.LOANS_WORK
    template_name = "reception/loans/give.html"
    form_class = GiveForm
    done = _("The loan car is given.")

    @cached_property
    def choices(self) -> dict[str, Any]:
        return reads.choices_for(self.actor, self.visit)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"ids": self.choices["ids"]}

    def get_initial(self) -> dict[str, Any]:
        now, plan = clock.now(), self.choices["plan"]
        ends = [moment for moment in (plan.period.upper if plan else None, self.visit.promised_at) if moment]
        first = self.choices["rows"][0].car.uid if plan and self.choices["rows"] else None
        until = next((moment for moment in ends if moment > now), now + timedelta(days=1))
        return super().get_initial() | {"car": first, "expected_at": until, "signed_name": self.visit.contact_name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {"visit": self.visit, "choices": self.choices, "trip": reads.open_trip(self.visit)}
        return super().get_context_data(**kwargs) | more

    def run(self, form: GiveForm) -> LoanTrip:
        data = dict(form.cleaned_data)
        return commands.give_loan_car(visit_uid=self.visit.uid, car_uid=data.pop("car").uid, by=self.actor, **data)

    def location(self, result: LoanTrip) -> str:
        return reverse("loan-trip", args=[result.uid])


class TripMixin:
    kwargs: dict[str, Any]
    actor: Any

    @cached_property
    def trip(self) -> LoanTrip:
        return reads.trip_of(self.actor, self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"trip": self.trip}  # type: ignore[misc]

    def location(self, result: Any) -> str:
        return reverse("loan-trip", args=[self.kwargs["uid"]])


class LoanTripPage(TripMixin, Page):
    """One loan: the driver, the car as it left and as it came back."""

    permission = permissions.LOANS_VIEW
    template_name = "reception/loans/detail.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        photos = list(self.trip.photos.all())
        return super().get_context_data(**kwargs) | {
            "photos_out": [photo for photo in photos if photo.phase == "OUT"],
            "photos_back": [photo for photo in photos if photo.phase == "BACK"],
            "may_work": self.actor.may(permissions.LOANS_WORK),
        }


class TakeBackPage(TripMixin, CommandPage):
    """The car as it comes back, on the phone beside it."""

    permission = permissions.LOANS_WORK
    template_name = "reception/loans/back.html"
    form_class = TakeBackForm
    done = _("The loan car is back and free again.")

    def run(self, form: TakeBackForm) -> LoanTrip:
        return commands.take_back_loan_car(uid=self.trip.uid, by=self.actor, **form.cleaned_data)


class KeepLongerPage(TripMixin, CommandPage):
    permission = permissions.LOANS_WORK
    template_name = "reception/loans/longer.html"
    form_class = KeepLongerForm
    done = _("The loan car stays with the customer until then.")

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"expected_at": max(clock.now(), self.trip.expected_at) + timedelta(days=1)}

    def run(self, form: KeepLongerForm) -> LoanTrip:
        return commands.keep_loan_car_longer(uid=self.trip.uid, by=self.actor, **form.cleaned_data)


class LoanSignatureView(StaffPage, View):
    permission = permissions.LOANS_VIEW

    def get(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        return file_response(reads.loan_signature(self.actor, uid))


class LoanPhotoView(StaffPage, View):
    permission = permissions.LOANS_VIEW

    def get(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        return file_response(reads.loan_photo(self.actor, uid))
