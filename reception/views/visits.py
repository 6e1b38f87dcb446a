"""Pages of the visit."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.files import file_response
from dealership.kernel.models import Message
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage, message_words

from .. import permissions
from ..forms.visits import (
    AreaForm,
    ArrivalForm,
    AssignForm,
    ConsultationForm,
    FeedbackForm,
    KeyForm,
    PromiseForm,
    UnservedForm,
)
from ..limits import GREET_MINUTES
from ..models import Visit, VisitState
from ..selectors import visits as reads
from ..selectors.appointments import find_cars
from ..selectors.capacity import loan_of
from ..selectors.consultations import asked_by
from ..selectors.contacts import contacts_of, taggings_of
from ..selectors.effect import notes_of
from ..selectors.vehicles import use_to_ask
from ..services import visits as commands
from ..services.consultations import convert_to_visit
from ..services.customers import open_number


class NewVisitPage(CommandPage):
    """2.1.2: registers an arrival; a plate that is known fills in the rest."""

    permission = permissions.VISITS_RECEIVE
    template_name = "reception/visit_new.html"
    form_class = ArrivalForm
    done = _("Arrival registered; the greeting clock runs.")

    def get_initial(self) -> dict[str, Any]:
        sent = self.request.GET
        plate, vin, contact = (sent.get(name, "") for name in ("plate", "vin", "contact"))
        known = reads.known_car(self.actor, plate=plate, vin=vin, contact=contact)
        asked = asked_by(self.actor, self.request.GET.get("consultation", ""))
        return super().get_initial() | {"plate": plate} | (known.fills if known else {}) | asked

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        plate, vin = (context["form"][name].value() or "" for name in ("plate", "vin"))
        known = reads.known_car(self.actor, plate=plate, vin=vin)
        return context | {"known": known, "plate_asked": plate or vin, "models": reads.model_names()}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"store_id": self.actor.store_id}

    @transaction.atomic
    def run(self, form: ArrivalForm) -> Visit:
        data = dict(form.cleaned_data)
        asked, area, taker = data.pop("consultation"), data.pop("area"), data.pop("taken_over_by")
        visit = commands.register_arrival(by=self.actor, appointment_uid=data.pop("appointment"), **data)
        if area:
            taken_over = taker.uid if taker else None
            commands.lead_to_area(uid=visit.uid, area=area, taken_over_by_uid=taken_over, by=self.actor)
        if asked:
            convert_to_visit(uid=asked, visit_uid=visit.uid, by=self.actor)
        return visit

    def location(self, result: Visit) -> str:
        return reverse("visit-detail", args=[result.uid])


class KnownCarView(StaffPage, View):
    """What is known of a plate or VIN, for the arrival page: fills the fields and shows the context beside them (htmx)."""

    permission = permissions.VISITS_RECEIVE

    def get(self, request: HttpRequest) -> HttpResponse:
        plate, vin = request.GET.get("plate", ""), request.GET.get("vin", "")
        contact = request.GET.get("contact", "")
        known = reads.known_car(self.actor, plate=plate, vin=vin, contact=contact)
        typed = {name: request.GET.get(name, "") for name in ArrivalForm.base_fields}
        guess = {} if known else {"model_text": reads.model_by_vin(self.actor, vin)}
        if known and known.brought_by:  # who was chosen just now stands instead of who was typed before
            typed |= {"contact_name": "", "contact_phone": ""}
        filled = (known.fills if known else guess) | {name: value for name, value in typed.items() if value}
        form = ArrivalForm(initial=filled, store_id=self.actor.store_id)
        form.fields["plate"].widget.attrs.pop("autofocus")  # the cursor stays where somebody is typing by now
        like = [] if known or len(plate.strip()) < 4 else find_cars(self.actor, plate)[:5]
        context = {"form": form, "known": known, "plate_asked": plate or vin, "like": like}
        return render(request, "reception/visit_new.html#asked", context)


# --- one visit ---


class VisitMixin:
    """A page about the visit of its address, as the actor may see it."""

    kwargs: dict[str, Any]
    actor: Actor

    @cached_property
    def visit(self) -> Visit:
        return reads.visit_of(self.actor, self.kwargs["uid"])


class VisitPage(VisitMixin, Page):
    """2.1.2: one car's stay with what is next, the panels of the rooms above, facts and timeline."""

    permission = permissions.VISITS_VIEW
    template_name = "reception/visit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        visit = self.visit
        walkaround = reads.walkaround_of(visit)
        waits = limits.value(GREET_MINUTES, store_id=visit.store_id)
        overdue = clock.now() - visit.arrived_at > timedelta(minutes=waits)
        opens = visit.is_open and self.actor.may(permissions.VISITS_RECEIVE)
        if opens:
            open_number(task=visit, customer=visit.customer, by=self.actor)
        return super().get_context_data(**kwargs) | {
            "visit": visit,
            "walkaround": walkaround,
            "marks": reads.sketch_marks(walkaround),
            "photos": reads.photos_of(visit),
            "promises": list(visit.promises.all()),
            "notes": list(notes_of(visit)),
            "people": contacts_of(visit.customer_id),
            "taggings": taggings_of([visit.customer_id], by=self.actor).get(visit.customer_id, []),
            "stages": reads.stage_steps(visit, reads.stage_of(self.actor, visit), over=not visit.is_open),
            "unreceived": visit.state == VisitState.WAITING and overdue,
            "greet_minutes": waits,
            "link_address": commands.link_address(visit.link) if hasattr(visit, "link") else "",
            "opens": opens,
            "loan": loan_of(visit.appointment) if visit.appointment and visit.is_open else None,
            "masked_phone": formats.mask_phone(visit.contact_phone),
            "form_token": uuid4(),
            "asks_use": visit.state in (VisitState.WAITING, VisitState.IN_RECEPTION)
            and self.actor.may(permissions.VEHICLES_EDIT)
            and use_to_ask(visit.vehicle, store_id=visit.store_id),
            "may": {
                "receive": self.actor.may(permissions.VISITS_RECEIVE),
                "keys": self.actor.may(permissions.VISITS_KEYS),
                "promise": self.actor.may(permissions.VISITS_PROMISE),
                "photograph": self.actor.may(permissions.VISITS_PHOTOGRAPH),
                "customers": self.actor.may(permissions.CUSTOMERS_VIEW),
                "vehicles": self.actor.may(permissions.VEHICLES_VIEW),
                "book": self.actor.may(permissions.APPOINTMENTS_BOOK),
                "lend": self.actor.may(permissions.LOANS_WORK),
            },
        }


class VisitActionPage(VisitMixin, CommandPage):
    """One command on a visit as a page of its own: works without JavaScript, and keeps what was typed when refused."""

    template_name = "reception/visit_action.html"
    permission = permissions.VISITS_RECEIVE
    title: ClassVar[Any] = ""
    submit: ClassVar[Any] = _("Save")
    variant: ClassVar[str] = "primary"

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"visit": self.visit}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        here = {"visit": self.visit, "title": self.title, "submit": self.submit, "variant": self.variant}
        seen = self.actor.may(permissions.VISITS_VIEW)
        here["back"] = reverse("visit-detail", args=[self.visit.uid]) if seen else reverse("keys")
        return super().get_context_data(**kwargs) | here | {"next": self.request.GET.get("next", "")}

    def location(self, result: Any) -> str:
        if self.request.POST.get("next"):
            return super().location(result)
        return reverse("visit-detail", args=[self.kwargs["uid"]])


class GreetView(ActionView):
    """2.1.2: “Receive now”: the acting advisor receives, and goes straight to the walk-around."""

    permission = permissions.VISITS_RECEIVE
    done = _("Received; walk around the car together.")

    def run(self, form: Any) -> Visit:
        return commands.greet_visit(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Visit) -> str:
        return reverse("visit-walkaround", args=[result.uid])


class AssignPage(VisitActionPage):
    """2.1.2: the desk names the advisor who receives."""

    form_class = AssignForm
    title = _("Who receives this customer?")
    submit = _("Give to this advisor")
    done = _("Given to the advisor.")

    def run(self, form: AssignForm) -> Visit:
        return commands.greet_visit(uid=self.visit.uid, advisor_uid=form.cleaned_data["advisor"].uid, by=self.actor)


class UnservedPage(VisitActionPage):
    """1.1: left before anybody received them."""

    form_class = UnservedForm
    title = _("Left without reception")
    submit = _("The customer left")
    variant = "danger"
    done = _("Written down that the customer left.")

    def run(self, form: UnservedForm) -> Visit:
        return commands.leave_unserved(uid=self.visit.uid, by=self.actor, **form.cleaned_data)


class ConsultationPage(VisitActionPage):
    """2.1.2: a consultation ends without an order."""

    form_class = ConsultationForm
    title = _("End the consultation")
    submit = _("End the consultation")
    done = _("Consultation ended.")

    def run(self, form: ConsultationForm) -> Visit:
        return commands.end_consultation(uid=self.visit.uid, by=self.actor, **form.cleaned_data)


class AreaPage(VisitActionPage):
    """2.1.2 服务引导."""

    form_class = AreaForm
    title = _("Lead the customer to")
    submit = _("Led there")
    done = _("The area is written down.")

    def run(self, form: AreaForm) -> Visit:
        taker = form.cleaned_data["taken_over_by"]
        return commands.lead_to_area(
            uid=self.visit.uid,
            area=form.cleaned_data["area"],
            taken_over_by_uid=taker.uid if taker else None,
            by=self.actor,
        )


class FeedbackPage(VisitActionPage):
    """2.1.4: a word about the reception, written down by whoever heard it."""

    form_class = FeedbackForm
    title = _("Feedback about the reception")
    submit = _("Write it down")
    done = _("The feedback is written down.")

    def run(self, form: FeedbackForm) -> Any:
        return commands.note_feedback(uid=self.visit.uid, by=self.actor, **form.cleaned_data)


class KeyPage(VisitActionPage):
    """Key tag, holder and place."""

    permission = permissions.VISITS_KEYS
    form_class = KeyForm
    title = _("Key and place")
    submit = _("Save key and place")
    done = _("Key and place are written down.")

    def run(self, form: KeyForm) -> Visit:
        holder = form.cleaned_data["holder"]
        return commands.give_key(
            uid=self.visit.uid,
            key_tag=form.cleaned_data["key_tag"],
            holder_uid=holder.uid if holder else None,
            place=form.cleaned_data["place"],
            by=self.actor,
        )

    def location(self, result: Visit) -> str:
        if self.request.POST.get("next") or self.actor.may(permissions.VISITS_VIEW):
            return super().location(result)
        return reverse("keys")


class PromisePage(VisitActionPage):
    """1.3: promise a time; the earlier ones stay."""

    permission = permissions.VISITS_PROMISE
    form_class = PromiseForm
    title = _("Promise a time")
    submit = _("Promise this time")
    done = _("The time is promised.")

    def run(self, form: PromiseForm) -> Visit:
        return commands.promise_visit(uid=self.visit.uid, by=self.actor, **form.cleaned_data)


class LinkPage(VisitMixin, Page):
    """The visit's link: to copy, as a QR code, or by message."""

    permission = permissions.VISITS_VIEW
    template_name = "reception/visit_link_share.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "visit": self.visit,
            "link_address": commands.link_address(self.visit.link),
            "form_token": uuid4(),
            "may_send": self.actor.may(permissions.VISITS_RECEIVE),
        }


class LinkQrView(VisitMixin, StaffPage, View):
    """The link as a QR code (SVG)."""

    permission = permissions.VISITS_VIEW

    def get(self, request: HttpRequest, uid: Any) -> HttpResponse:
        import segno

        out = io.BytesIO()
        segno.make_qr(commands.link_address(self.visit.link), error="m").save(out, kind="svg", scale=5, border=2)
        response = HttpResponse(out.getvalue(), content_type="image/svg+xml")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "private, no-store"
        return response


class SendLinkView(ActionView):
    """1.3: sends the link to whoever brought the car."""

    permission = permissions.VISITS_RECEIVE

    def run(self, form: Any) -> Message:
        return commands.send_link(uid=self.kwargs["uid"], by=self.actor)

    def words(self, result: Message) -> str:
        return message_words(result, self.actor)

    def location(self, result: Any) -> str:
        return reverse("visit-detail", args=[self.kwargs["uid"]])


class PhotoView(StaffPage, View):
    """A photo, to whoever may see its visit."""

    permission = (permissions.VISITS_VIEW, permissions.VISITS_PHOTOGRAPH)

    def get(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        return file_response(reads.photo_for(self.actor, uid))


class SignatureView(StaffPage, View):
    """The signature under a walk-around, to whoever may see its visit."""

    permission = permissions.VISITS_VIEW

    def get(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        return file_response(reads.signature_for(self.actor, uid))
