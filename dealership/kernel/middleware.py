"""Per request: the language, the actor, the stated hour of a late entry, and one answer for every refusal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.utils import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from . import clock
from .errors import NotAllowed, RuleError, from_database
from .models import Store
from .registry import PERMISSIONS
from .services import actor_of, stores_of

GetResponse = Callable[[HttpRequest], HttpResponse]


LANGUAGE_COOKIE = "language"


class NulMiddleware:
    """A NUL sign in the address, its parameters or a form: nothing that a person types, and no database text takes it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return render(request, "400.html", status=400)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        is_form = (request.content_type or "").startswith(("application/x-www", "multipart/"))
        if request.method == "POST" and is_form and not request.path.startswith("/api/"):
            for name, values in request.POST.lists():
                if "\x00" in name or any("\x00" in value for value in values):
                    return render(request, "400.html", status=400)
        return None


def known_language(code: Any) -> str | None:
    """The code if it is one of the languages offered, else None."""
    return code if code in dict(settings.LANGUAGES) else None


class LanguageMiddleware:
    """The signed-in person's own choice, else the one kept on this device, else Chinese; the browser's wish is not asked.

    The profile comes first, so that a desk shared by two people speaks each one's language.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        own = known_language(user.language) if user is not None and user.is_authenticated else None
        language = own or known_language(request.COOKIES.get(LANGUAGE_COOKIE)) or settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)  # the API speaks the language of Accept-Language
        return response


class ActorMiddleware:
    """Sets ``request.actor`` (None for strangers), ``request.store`` and ``request.stores``; applies a stated hour."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = request.store = None  # type: ignore[attr-defined]
        request.stores = []  # type: ignore[attr-defined]
        if request.user.is_authenticated:
            self.place(request)
        try:
            with self.stated_hour(request):
                return self.get_response(request)
        except RuleError as refusal:
            return refused(request, refusal)

    def place(self, request: HttpRequest) -> None:
        """The store a person acts in: the one chosen in this session, else the home store, else the first allowed."""
        stores: list[Store] = stores_of(request.user)  # type: ignore[arg-type]
        chosen = request.session.get("store_id") or request.user.store_id  # type: ignore[union-attr]
        store = next((s for s in stores if s.pk == chosen), stores[0] if stores else None)
        request.stores, request.store = stores, store  # type: ignore[attr-defined]
        request.actor = actor_of(request.user, store)  # type: ignore[attr-defined, arg-type]

    def stated_hour(self, request: HttpRequest) -> AbstractContextManager[None]:
        """1.1: a form may carry ``happened_at`` (store time) with ``happened_reason``; history shows both times."""
        form_types = ("application/x-www", "multipart/")
        if request.method != "POST" or not (request.content_type or "").startswith(form_types):
            return nullcontext()
        stated = request.POST.get("happened_at", "").strip()
        if not stated:
            return nullcontext()
        try:
            moment = datetime.fromisoformat(stated)
        except ValueError:
            raise RuleError(
                "late_entry.format", _("The stated hour can't be read; write it like 2026-11-23 10:30.")
            ) from None
        if moment.tzinfo is None:
            store: Store | None = request.store  # type: ignore[attr-defined]
            moment = moment.replace(tzinfo=ZoneInfo(store.time_zone if store else "Asia/Shanghai"))
        return clock.reported_at(moment, request.POST.get("happened_reason", ""))


class RuleErrorMiddleware:
    """Turns refusals that no form caught into pages: 422 for a rule, 403 for a missing permission, 404 for no row."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        if request.path.startswith("/api/"):
            return None
        if isinstance(exc, RuleError):
            return refused(request, exc)
        if isinstance(exc, NotAllowed):
            sentence = PERMISSIONS.get(exc.permission, exc.permission)
            return render(request, "403.html", {"sentence": sentence}, status=403)
        if isinstance(exc, ObjectDoesNotExist):
            raise Http404(str(exc)) from exc
        if isinstance(exc, DatabaseError) and (refusal := from_database(exc)) is not None:
            return refused(request, refusal)
        return None


def refused(request: HttpRequest, refusal: RuleError) -> HttpResponse:
    """The refusal as a page with the way back, or as a toast where htmx asked."""
    response = render(
        request, "refused.html", {"refusal": refusal, "back": request.headers.get("Referer", "/")}, status=422
    )
    if request.headers.get("HX-Request"):
        response.headers["HX-Retarget"] = "#toasts"
        response.headers["HX-Reswap"] = "beforeend"
        response.headers["HX-Reselect"] = ".note"
    return response
