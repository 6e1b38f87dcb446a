"""What the customer ticks out of what the car is due for, and what becomes of it (3.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage
from reception.links import LinkDoor
from reception.services.online import booking_path
from reception.views.booking import BookedDoor
from workshop import permissions
from workshop.forms.wishes import AnswerForm
from workshop.models import OrderLine, RepairOrder
from workshop.selectors import wishes as reads
from workshop.services import wishes as commands
from workshop.views.orders import order_url
from workshop.wish_models import MaintenanceWish


def ticked(values: Iterable[str]) -> list[UUID]:
    try:
        return [UUID(value) for value in values]
    except ValueError:
        raise RuleError("wish.gone", _("That isn't due any more; look again.")) from None


class WishOnLink(LinkDoor, ActionView):
    """The customer sends what is ticked; nothing is done or charged without a yes to the offer that follows."""

    done = _("Thank you. Your advisor is told and puts it into an offer for your decision.")

    def run(self, form: Any) -> list[MaintenanceWish]:
        wanted = ticked(self.request.POST.getlist("operation"))
        return commands.wish_maintenance(visit_uid=self.link.visit.uid, operation_uids=wanted, by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("visit-link", args=[self.link.token])


class WishOnBooking(BookedDoor, ActionView):
    """The same before the visit, on the booking's own page."""

    done = _("Thank you. We prepare for it and tell you the price before anything is done.")

    def run(self, form: Any) -> list[MaintenanceWish]:
        wanted = ticked(self.request.POST.getlist("operation"))
        address = str(self.request.META.get("REMOTE_ADDR", ""))
        return commands.wish_for_booking(appointment=self.booked, operation_uids=wanted, address=address)

    def location(self, result: Any) -> str:
        return booking_path(self.booked)


class TakeWishesView(ActionView):
    """One tap: what the customer asked for becomes lines of the next estimate."""

    permission = permissions.LINES_EDIT

    @cached_property
    def order(self) -> RepairOrder:
        return RepairOrder.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])

    def run(self, form: Any) -> list[OrderLine]:
        wanted = ticked(self.request.POST.getlist("wish"))
        return commands.take_wishes(order_uid=self.order.uid, wish_uids=wanted, by=self.actor)

    def words(self, result: list[OrderLine]) -> str:
        return ngettext("%(n)s line added.", "%(n)s lines added.", len(result)) % {"n": len(result)}

    def location(self, result: Any) -> str:
        return order_url(self.order)


class DeclineWishPage(CommandPage):
    """Why not this time, as the customer reads it on the link."""

    permission = permissions.LINES_EDIT
    template_name = "workshop/wish_answer.html"
    form_class = AnswerForm
    done = _("The customer reads your answer on the link.")

    @cached_property
    def wish(self) -> MaintenanceWish:
        return reads.get_wish(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"wish": self.wish, "back": self.location(None)}

    def run(self, form: AnswerForm) -> MaintenanceWish:
        return commands.decline_wish(uid=self.wish.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        if self.wish.visit is not None:
            return reverse("visit-detail", args=[self.wish.visit.uid])
        assert self.wish.appointment is not None
        return reverse("appointment-detail", args=[self.wish.appointment.uid])
