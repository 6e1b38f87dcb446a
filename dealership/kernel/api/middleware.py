"""The outermost word on /api/: an error that never reached a view (host, size, crash) is problem+json as well."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
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
        code = {400: "bad_request", 403: "permission", 404: "not_found", 413: "too_large"}
        problem = problems.Problem(response.status_code, code.get(response.status_code, "unexpected"), detail)
        made = problems.respond(problem, request.path)
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response.headers:
                made.headers[name] = response.headers[name]
        return made
