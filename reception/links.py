"""The door behind a visit's link (1.3): who holds the token acts as that visit's customer, and as nobody else.

Rooms above put ``LinkDoor`` in front of ``Page``, ``CommandPage`` or ``ActionView`` under ``/v/<token>/…``:

    class DecidePage(LinkDoor, CommandPage): ...

An unknown or expired token answers with a friendly 404 page that says whom to call.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import translation

from dealership.kernel import clock
from dealership.kernel.actors import Actor, customer_link
from dealership.kernel.middleware import LANGUAGE_COOKIE, known_language

from .models import VisitLink


def open_link(token: str) -> tuple[VisitLink, Actor]:
    """The link behind a token and the customer who holds it. Raises VisitLink.DoesNotExist once it has expired."""
    link = VisitLink.objects.select_related(
        "visit__vehicle", "visit__customer", "visit__advisor", "visit__store", "visit__appointment"
    ).get(token=token, expires_at__gt=clock.now())
    return link, customer_link(visit_id=link.visit_id, store_id=link.visit.store_id, token_id=str(link.uid))


class LinkDoor:
    """Opens a page to whoever holds the token, in the language chosen here, else the customer's own."""

    link: VisitLink
    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, token: str, **kwargs: Any) -> HttpResponseBase:
        chosen = known_language(request.GET.get("lang"))
        if chosen and request.method == "GET":
            return self.remember(request, chosen)
        try:
            self.link, actor = open_link(token)
        except VisitLink.DoesNotExist:
            return gone(request)
        request.actor = actor  # type: ignore[attr-defined]
        request.store = self.link.visit.store  # type: ignore[attr-defined]
        language = known_language(request.COOKIES.get(LANGUAGE_COOKIE)) or self.link.visit.customer.language
        with translation.override(known_language(language) or settings.LANGUAGE_CODE):
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            if hasattr(response, "render"):
                response.render()
        # The address is the key: it must not lie in a cache (the referrer policy keeps it from other sites).
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    @staticmethod
    def remember(request: HttpRequest, language: str) -> HttpResponse:
        """``?lang=en`` keeps the language on this device and goes on without it."""
        response = HttpResponseRedirect(request.path)
        response.set_cookie(
            LANGUAGE_COOKIE,
            language,
            max_age=365 * 24 * 3600,
            samesite="Lax",
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return response


def gone(request: HttpRequest) -> HttpResponse:
    """What somebody sees whose link is unknown or too old."""
    return render(request, "reception/link_gone.html", status=404)
