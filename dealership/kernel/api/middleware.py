"""The outermost word on /api/: an error that never reached a view (host, size, crash) is problem+json as well."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.translation import gettext as _

from . import problems

GetResponse = Callable[[HttpRequest], HttpResponse]


class ProblemMiddleware:
    """Stands first in MIDDLEWARE; leaves every answer alone that is no error or already says what is wrong."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith("/api/") or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith(problems.MEDIA_TYPE):
            return response
        texts = {400: _("The request can't be read."), 404: _("There is nothing here, or it belongs to another store.")}
        detail = texts.get(response.status_code) or _("Something went wrong on our side; nothing was changed.")
        code = {400: "bad_request", 403: "permission", 404: "not_found"}
        problem = problems.Problem(response.status_code, code.get(response.status_code, "unexpected"), detail)
        if response.status_code == 413:
            problem = problems.too_large()
        made = problems.respond(problem, request.path)
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response.headers:
                made.headers[name] = response.headers[name]
        return made


class ClientMiddleware:
    """The short road of an API client: who sends a bearer token has no session, no cookie, no page and no form.

    Stands before all that serves people (sessions, sign-in, CSRF, language, messages): for them a client's request
    would pay without getting anything. Host check and the headers of security stay.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.headers = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        }
        if settings.SECURE_HSTS_SECONDS:
            self.headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.META.get("HTTP_AUTHORIZATION", "").startswith("Bearer ") or not request.path_info.startswith(
            "/api/v1/"
        ):
            return self.get_response(request)
        match = resolve(request.path_info)
        if not getattr(match.func, "for_clients", False):
            return self.get_response(request)
        request.get_host()
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        for name, value in self.headers.items():
            response.headers[name] = value
        if not response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(response.content))
        return response
