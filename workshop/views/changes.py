"""The customer changes a decision on the link while nothing was begun (3.2)."""

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
from workshop.models import L, OrderLine
from workshop.selectors import changes as reads
from workshop.selectors.entitled import ASKED
from workshop.selectors.orders import risk_words
from workshop.services import authorizations

from .orders import drawn_signature


class ChangeOnLink(LinkDoor, StaffPage, CommandMixin, View):
    """Takes a yes back, or agrees after all; a refusal shows the page again with everything typed."""

    @cached_property
    def line(self) -> OrderLine:
        return reads.get_decided(self.kwargs["uid"], self.link.visit_id, self.actor)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.line.state not in reads.DECIDED or self.line.pay_type not in ASKED:
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
        self.line = reads.get_decided(uid, self.link.visit_id, self.actor)
        return self.page(request, told)

    def run(self, form: Any) -> OrderLine:
        sent = self.request.POST
        if sent.get("to") == "yes":
            return authorizations.agree_after_all(
                line_uid=self.line.uid,
                authorized_by=sent.get("signed_by", ""),
                signature=drawn_signature(self.request),
                seen_hash=sent.get("seen_hash", ""),
                by=self.actor,
            )
        return authorizations.revoke_line(
            line_uid=self.line.uid,
            reason=sent.get("reason", ""),
            revoked_by=sent.get("signed_by", ""),
            risk=risk_words() if sent.get("risk") else "",
            signature=drawn_signature(self.request),
            by=self.actor,
        )

    def words(self, result: OrderLine) -> Any:
        if result.state == L.AUTHORIZED:
            return _("Thank you. It will be done.")
        if self.request.POST.get("to") == "yes":
            return _("Kept as a message, not as a yes: this person may not decide for the payer.")
        return _("Your yes is taken back; it isn't done and costs nothing.")

    def location(self, result: OrderLine) -> str:
        return reverse("visit-link", args=[self.link.token])

    def page(self, request: HttpRequest, refusal: RuleError | None = None) -> HttpResponse:
        visit = self.link.visit
        context = {
            "link": self.link,
            "visit": visit,
            "store": visit.store,
            "line": self.line,
            "change": reads.change_of(self.line),
            "refusal": refusal,
            "sent": request.POST,
            "form_token": uuid4(),
            "risk_words": risk_words(),
        }
        return render(request, "workshop/link_change.html", context, status=422 if refusal else 200)
