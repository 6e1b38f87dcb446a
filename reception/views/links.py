"""The customer's page behind the link: progress, photos, people, rating (1.3, 2.1.4)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.files import file_response
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage

from ..forms.customers import PreferencesForm
from ..forms.walkarounds import DisputeForm, SeenForm
from ..links import LinkDoor
from ..models import Consent, Customer, Visit, VisitPromise, WalkAround, WalkAroundState
from ..selectors import visits as reads
from ..selectors.customers import consents_of
from ..selectors.links import next_booking, progress_of, state_words
from ..services import customers, walkarounds
from ..services import visits as commands
from ..services.online import booking_path


class CustomerPage(LinkDoor, Page):
    """Where the car is, when it is ready, who looks after it; the rooms above add decisions, papers and the survey."""

    template_name = "reception/link.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        commands.view_link(token=self.link.token)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        visit = self.link.visit
        walkaround = reads.walkaround_of(visit)
        promises = list(visit.promises.all())
        booked = next_booking(visit)
        return super().get_context_data(**kwargs) | {
            "link": self.link,
            "visit": visit,
            "store": visit.store,
            "actor": self.actor,
            "state_words": state_words(self.actor, visit),
            "steps": progress_of(self.actor, visit),
            "walkaround": walkaround,
            "marks": reads.sketch_marks(walkaround),
            "photos": reads.photos_of(visit),
            "earlier_promise": promises[-2].promised_at if len(promises) > 1 else None,
            "later_because": later_because(promises),
            "ratings": RATINGS,
            "next_booking": booked,
            "next_booking_path": booking_path(booked) if booked else "",
            "form_token": uuid4(),
        }


def later_because(promises: list[VisitPromise]) -> str:
    """Why the time was moved back; empty where it wasn't."""
    if len(promises) < 2 or promises[-1].promised_at <= promises[-2].promised_at:
        return ""
    return promises[-1].reason


RATINGS = ((1, _("Bad")), (2, _("Poor")), (3, _("Fair")), (4, _("Good")), (5, _("Very good")))


class RateView(LinkDoor, ActionView):
    """2.1.4: one tap rates the reception."""

    done = _("Thank you, your rating is with us.")

    def run(self, form: Any) -> Visit:
        text = self.request.POST.get("rating", "")
        rating = int(text) if text.isdecimal() and len(text) < 3 else 0
        return commands.rate_reception(uid=self.link.visit.uid, rating=rating, by=self.actor)

    def location(self, result: Visit) -> str:
        return reverse("visit-link", args=[self.link.token]) + "#rating"


class RatingWordsView(LinkDoor, ActionView):
    """2.1.4: after the tap, why; a bad rating has opened a case that these words belong to."""

    done = _("Thank you for telling us.")

    def run(self, form: Any) -> Visit:
        return commands.explain_rating(uid=self.link.visit.uid, words=self.request.POST.get("words", ""), by=self.actor)

    def location(self, result: Visit) -> str:
        return reverse("visit-link", args=[self.link.token]) + "#rating"


class PrivacyPage(LinkDoor, CommandPage):
    """2.3, 7.3: what the customer agreed to, each given or withdrawn with one tap, and how to be reached."""

    template_name = "reception/link_privacy.html"
    form_class = PreferencesForm
    done = _("Thank you, we keep to it.")

    @cached_property
    def own(self) -> bool:
        return customers.is_own_number(self.link.visit)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"customer": self.link.visit.customer}

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.link.visit.customer, name) for name in PreferencesForm.base_fields}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        visit = self.link.visit
        rows = consents_of(visit.customer)
        return super().get_context_data(**kwargs) | {
            "link": self.link,
            "visit": visit,
            "store": visit.store,
            "own": self.own,
            "consents": [row for row in rows if row["purpose"] in customers.ON_LINK],
            "needed": next(row for row in rows if row["purpose"] not in customers.ON_LINK),
            "back": reverse("visit-link", args=[self.link.token]),
        }

    def run(self, form: PreferencesForm) -> Customer:
        return customers.prefer_on_link(by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("visit-link-privacy", args=[self.link.token])


class LinkConsentView(LinkDoor, ActionView):
    """One tap gives or withdraws one consent."""

    done = _("Recorded. You can change it here at any time.")

    def run(self, form: Any) -> Consent:
        sent = self.request.POST
        return customers.decide_consent_on_link(
            purpose=sent.get("purpose", ""), given=sent.get("given") == "1", by=self.actor
        )

    def location(self, result: Consent) -> str:
        return reverse("visit-link-privacy", args=[self.link.token])


class CustomerPhotoView(LinkDoor, StaffPage, View):
    """A photo of the visit, to the holder of its link."""

    def get(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        return file_response(reads.photo_for(self.actor, uid))


class SeenPage(LinkDoor, CommandPage):
    """2.1.2: a customer who didn't bring the car reads the walk-around and confirms it, or says what isn't right."""

    template_name = "reception/link_walkaround.html"
    form_class: Any = SeenForm
    done = _("Thank you. We can begin now.")

    @cached_property
    def walkaround(self) -> WalkAround | None:
        return reads.walkaround_of(self.link.visit)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.walkaround is None or self.walkaround.state == WalkAroundState.DRAFT:
            return redirect("visit-link", self.link.token)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form = context["form"]
        return context | {
            "link": self.link,
            "visit": self.link.visit,
            "store": self.link.visit.store,
            "walkaround": self.walkaround,
            "open": self.walkaround is not None and self.walkaround.state == WalkAroundState.SENT,
            "marks": reads.sketch_marks(self.walkaround),
            "photos": reads.photos_of(self.link.visit),
            "seen_form": form if isinstance(form, SeenForm) else SeenForm(),
            "dispute_form": form if isinstance(form, DisputeForm) else DisputeForm(),
        }

    def run(self, form: Any) -> WalkAround:
        return walkarounds.confirm_walkaround(visit_uid=self.link.visit.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("visit-link", args=[self.link.token])


class DisputePage(SeenPage):
    """2.1.2: what isn't right goes to the advisor."""

    form_class = DisputeForm
    done = _("Thank you for telling us. Your advisor looks again and calls you.")

    def run(self, form: Any) -> WalkAround:
        return walkarounds.dispute_walkaround(visit_uid=self.link.visit.uid, by=self.actor, **form.cleaned_data)
