"""The description of the API and its page, without anything from outside; the token endpoint of OAuth 2."""

from __future__ import annotations

import base64
from contextlib import suppress
from functools import cache

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from oauth2_provider.views import TokenView

from dealership.exchange import api
from dealership.kernel.api import problems, ratelimit
from dealership.kernel.api.views import language_of


@cache
def _described() -> bytes:
    return orjson.dumps(api.description())


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_described(), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Swagger's page: its script and ours are files of this server, so the strict CSP stays."""
    return render(request, "exchange/api_docs.html")


# What to do for each ``error`` of RFC 6749, 5.2.
REFUSALS = {
    "invalid_client": _(
        "The client's id or secret is wrong, or the client was withdrawn. Send both as HTTP Basic or form fields."
    ),
    "unsupported_grant_type": _(
        "Send grant_type=client_credentials as a form (application/x-www-form-urlencoded), not as JSON."
    ),
    "invalid_scope": _("A scope that was asked for isn't the client's. Leave “scope” out to get all that it has."),
    "unauthorized_client": _("This client may not ask for such a token. Send grant_type=client_credentials."),
    "invalid_request": _(
        "Send the form fields grant_type=client_credentials and, without HTTP Basic, client_id and client_secret."
    ),
}


@csrf_exempt
def token(request: HttpRequest) -> HttpResponse:
    """OAuth 2 client credentials, in the language asked for."""
    language = language_of(request)
    with translation.override(language):
        response = _token(request)
    response.headers["Content-Language"] = language
    return response


def _token(request: HttpRequest) -> HttpResponse:
    """A token, or a refusal that keeps RFC 6749's ``error`` as a member of its problem+json."""
    if request.method != "POST":
        detail = _("This address doesn't know that method.")
        return problems.respond(problems.Problem(405, "method", detail, headers={"Allow": "POST"}), request.path)
    asking = request.META.get("REMOTE_ADDR", ""), _client_named(request)
    try:
        ratelimit.refuse_guessing(*asking)
    except problems.Problem as refusal:
        return problems.respond(refusal, request.path)
    response = TokenView.as_view()(request)
    if response.status_code < 400:
        response.headers["Cache-Control"] = "no-store"
        return response
    ratelimit.count_failure(*asking)
    said = orjson.loads(response.content or b"{}")
    error = str(said.get("error", "invalid_request"))
    problem = problems.Problem(
        response.status_code,
        f"oauth.{error}",
        REFUSALS.get(error, REFUSALS["invalid_request"]),
        headers={"WWW-Authenticate": 'Basic realm="api"'} if response.status_code == 401 else None,
        error=error,
    )
    return problems.respond(problem, request.path)


def _client_named(request: HttpRequest) -> str:
    """The client's id in the form or in the Basic header, whichever is sent; "" where there is none."""
    scheme, _space, pair = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return str(request.POST.get("client_id", ""))
    with suppress(ValueError):
        return base64.b64decode(pair).decode().partition(":")[0]
    return ""
