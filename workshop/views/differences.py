"""The customer says on the link whether they bear what the insurer has left open of an item (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db.utils import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.errors import RuleError, from_database
from dealership.kernel.pages import CommandMixin, StaffPage
from reception.links import LinkDoor
from workshop.difference_models import DifferenceConsent
from workshop.models import AuthorizationMethod, OrderLine
from workshop.selectors import accidents as reads
from workshop.selectors.changes import get_decided
from workshop.selectors.entitled import bearers_of
from workshop.services import differences

from .orders import drawn_signature


class DifferenceOnLink(LinkDoor, StaffPage, CommandMixin, View):
    """Yes or no to one difference, as it was seen; a refusal shows the page again with everything typed."""

    @cached_property
    def line(self) -> OrderLine:
        return get_decided(self.kwargs["uid"], self.link.visit_id, self.actor)

    def row(self) -> reads.Difference | None:
        own = self.line  # another visit's isn't there (404)
        found = reads.differences_to_bear(self.link.visit_id, self.actor)
        return next((row for row in found if row.line.pk == own.pk), None)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.row() is None:
            return redirect("visit-link", self.link.token)
        return self.page(request)

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

    def run(self, form: Any) -> DifferenceConsent:
        sent = self.request.POST
        said: dict[str, Any] = {
            "line_uid": self.line.uid,
            "agreed_by": sent.get("signed_by", ""),
            "method": AuthorizationMethod.DIGITAL_PORTAL,
            "seen_hash": sent.get("seen_hash", ""),
            "by": self.actor,
        }
        if sent.get("to") == "yes":
            return differences.bear_difference(signature=drawn_signature(self.request), **said)
        if sent.get("to") == "no":
            return differences.decline_difference(note=sent.get("reason", ""), **said)
        raise RuleError("difference.choose", _("Choose whether you bear the difference or not."), field="to")

    def words(self, result: DifferenceConsent) -> Any:
        if result.agreed:
            return _("Thank you. It will be done.")
        return _("Thank you. Your advisor is told and calls you; nothing is done or charged until then.")

    def location(self, result: DifferenceConsent) -> str:
        return reverse("visit-link", args=[self.link.token])

    def page(self, request: HttpRequest, refusal: RuleError | None = None) -> HttpResponse:
        visit = self.link.visit
        row = self.row()
        context = {
            "link": self.link,
            "visit": visit,
            "store": visit.store,
            "line": self.line,
            "row": row,
            "deciders": bearers_of(self.line.order),
            "refusal": refusal,
            "sent": request.POST,
            "form_token": uuid4(),
        }
        return render(request, "workshop/link_difference.html", context, status=422 if refusal else 200)
