"""The customer decides on the one link of the visit (1.3, 3.2): plain form, running total from the server."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.db.utils import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.errors import RuleError, from_database
from dealership.kernel.files import file_response
from dealership.kernel.pages import CommandMixin, StaffPage
from reception.links import LinkDoor
from workshop.models import AuthorizationMethod, DeclineCause, OrderLine, RepairOrder
from workshop.selectors import orders as reads
from workshop.selectors.changes import get_decided
from workshop.services import authorizations

from .orders import choices_of, decisions_of, drawn_signature, why_nots, wish_words


class DecideOnLink(LinkDoor, StaffPage, CommandMixin, View):
    """The customer's decision; a refusal shows the page again with everything that was ticked and typed."""

    done = _("Thank you. We have your decision.")

    @cached_property
    def asked(self) -> reads.Asked | None:
        found = reads.asked_of(self.link.visit_id, self.actor)
        return next((asked for asked in found if asked.order.uid == self.kwargs["uid"]), None)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.own_order()
        if self.asked is None:
            return redirect("visit-link", self.link.token)
        authorizations.note_estimate_viewed(estimate_uid=self.asked.estimate.uid, by=self.actor)
        return self.page(request)

    def own_order(self) -> RepairOrder:
        """The order of the address; another visit's isn't there (404)."""
        return RepairOrder.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.own_order()
        try:
            return self.execute()
        except RuleError as refusal:
            return self.page(request, refusal)
        except DatabaseError as exc:
            told = from_database(exc)
            if told is None:
                raise
            return self.page(request, told)

    def run(self, form: Any) -> RepairOrder:
        sent = self.request.POST
        return authorizations.decide_lines(
            order_uid=self.kwargs["uid"],
            decisions=decisions_of(self.request),
            method=AuthorizationMethod.DIGITAL_PORTAL,
            authorized_by=sent.get("signed_by", ""),
            note=reads.risk_words() if sent.get("risk") else "",
            signature=drawn_signature(self.request),
            seen_hash=sent.get("seen_hash", ""),
            by=self.actor,
        )

    def words(self, result: RepairOrder) -> Any:
        return wish_words(result, choices_of(self.request)) or self.done

    def location(self, result: RepairOrder) -> str:
        return reverse("visit-link", args=[self.link.token])

    def page(self, request: HttpRequest, refusal: RuleError | None = None) -> HttpResponse:
        visit = self.link.visit
        stale = refusal is not None and refusal.code in ("estimate.stale", "line.decided")
        chosen = {} if stale else choices_of(request)  # what was ticked belongs to the version that was seen
        ticked = {uid for uid, answer in chosen.items() if answer == "yes"}
        context = {
            "link": self.link,
            "visit": visit,
            "store": visit.store,
            "asked": self.asked,
            "refusal": refusal,
            "stale": stale,
            "undecided": [line.description for line in self.asked.lines if line.uid not in chosen]
            if refusal and self.asked and not stale
            else [],
            "chosen": chosen,
            "why": why_nots(request),
            "causes": DeclineCause.choices,
            "sent": request.POST,
            "form_token": uuid4(),
            "sum": reads.chosen_sum(self.asked, ticked) if self.asked else None,
            "risk_words": reads.risk_words(),
        }
        return render(request, "workshop/link_decide.html", context, status=422 if refusal else 200)


class ItemOnLink(LinkDoor, StaffPage, CommandMixin, View):
    """One line of the visit and the customer's answer to it; a refusal shows the page again with everything typed."""

    template_name: str

    @cached_property
    def line(self) -> OrderLine:
        """Another visit's line isn't there (404)."""
        return get_decided(self.kwargs["uid"], self.link.visit_id, self.actor)

    def is_open(self) -> bool:
        """Whether there is anything to answer."""
        raise NotImplementedError

    def facts(self) -> dict[str, Any]:
        """What the page shows besides the line."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.page(request) if self.is_open() else redirect("visit-link", self.link.token)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        uid = self.line.uid
        try:
            return self.execute()
        except RuleError as refusal:
            told: RuleError | None = refusal
        except DatabaseError as exc:
            told = from_database(exc)
            if told is None:
                raise
        self.line = get_decided(uid, self.link.visit_id, self.actor)
        return self.page(request, told)

    def location(self, result: Any) -> str:
        return reverse("visit-link", args=[self.link.token])

    def page(self, request: HttpRequest, refusal: RuleError | None = None) -> HttpResponse:
        visit = self.link.visit
        context = {
            "link": self.link,
            "visit": visit,
            "store": visit.store,
            "line": self.line,
            "refusal": refusal,
            "sent": request.POST,
            "form_token": uuid4(),
        }
        return render(request, self.template_name, context | self.facts(), status=422 if refusal else 200)


class TotalOnLink(DecideOnLink):
    """The running total for what is ticked, computed on the server; nothing is saved."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.own_order()
        if self.asked is None:
            return HttpResponse(status=204)
        ticked = {uid for uid, answer in choices_of(request).items() if answer == "yes"}
        context = {"asked": self.asked, "sum": reads.chosen_sum(self.asked, ticked), "live": True}
        return render(request, "workshop/link_sum.html", context)


class LinePhotoOnLink(LinkDoor, StaffPage, View):
    """A line's photo, to the holder of its visit's link."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.photo_for(uid, self.actor))
