"""Every error as application/problem+json (RFC 9457), without exception (design 6)."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db.utils import DatabaseError, OperationalError
from django.http import Http404, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _

from ..errors import NotAllowed, RuleError, from_database
from ..registry import PERMISSIONS
from .shapes import Moment, Refused

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that refuses: ``code`` is stable, ``detail`` says what is wrong and what to do."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: Any = "",
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.more = errors, headers or {}, more
        super().__init__(code)


def respond(problem: Problem, instance: str = "") -> HttpResponse:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": str(problem.detail),
    }
    if instance:
        body["instance"] = instance
    if problem.errors:
        body["errors"] = problem.errors
    response = HttpResponse(orjson.dumps(body | problem.more), content_type=MEDIA_TYPE, status=problem.status)
    for name, value in problem.headers.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    return response


def invalid(refused: Refused, *, status: int = 422) -> Problem:
    return Problem(
        status, "validation", _("Some of what was sent can't be taken; see “errors”."), errors=refused.errors
    )


def of(exc: Exception) -> Problem:
    """The answer behind any exception; what nobody expected is logged and says nothing about itself."""
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, Refused):
        return invalid(exc)
    if isinstance(exc, ValidationError):
        return unfit(exc)
    if isinstance(exc, RuleError):
        return refusal(exc)
    if isinstance(exc, NotAllowed):
        return Problem(
            403,
            "permission",
            _("This needs the permission: %(sentence)s")
            % {"sentence": PERMISSIONS.get(exc.permission, exc.permission)},
            permission=exc.permission,
        )
    if isinstance(exc, Http404 | ObjectDoesNotExist):
        return missing()
    if isinstance(exc, DatabaseError):
        return from_database_error(exc)
    if isinstance(exc, RequestDataTooBig):
        return too_large()
    if isinstance(exc, UnreadablePostError | BadRequest | SuspiciousOperation):
        return Problem(400, "bad_request", _("The request can't be read."))
    if isinstance(exc, PermissionDenied):
        return Problem(403, "permission", _("This isn't allowed."))
    return unexpected(exc)


def unfit(exc: ValidationError) -> Problem:
    """A value that a command couldn't make sense of (a telephone number that is none)."""
    named = exc.message_dict if hasattr(exc, "error_dict") else {"": exc.messages}
    errors = [
        {"pointer": f"/{name}" if name else "", "code": "invalid", "message": message}
        for name, messages in named.items()
        for message in messages
    ]
    return invalid(Refused(errors))


def refusal(error: RuleError) -> Problem:
    """A rule said no: 409, the field it speaks of and, where a time was taken, the next one that is free."""
    errors = None
    if error.field:
        errors = [{"pointer": f"/{error.field}", "code": error.code, "message": str(error)}]
    more, detail = {}, str(error)
    if "free_at" in error.params:
        more["free_at"] = Moment().show(datetime.fromisoformat(error.params["free_at"]))
    if "state" in error.params:
        more["state"] = error.params["state"]
        detail = _("%(detail)s What is possible now stands among the item's transitions.") % {"detail": detail}
    return Problem(409, error.code, detail, errors=errors, **more)


def from_database_error(exc: DatabaseError) -> Problem:
    error = from_database(exc)
    if error is not None:
        return refusal(error)
    state = getattr(exc.__cause__, "pgcode", None)
    if state in ("40P01", "40001", "55P03", "57014"):
        return Problem(
            409, "busy", _("Somebody else is changing this just now; try again."), headers={"Retry-After": "1"}
        )
    if isinstance(exc, OperationalError):
        log.exception("api.database", exc_info=exc)
        return Problem(
            503, "unavailable", _("The database can't be reached just now; try again."), headers={"Retry-After": "5"}
        )
    return unexpected(exc)


def unexpected(exc: Exception) -> Problem:
    log.exception("api.unexpected", exc_info=exc)
    return Problem(500, "unexpected", _("Something went wrong on our side; nothing was changed."))


def too_large() -> Problem:
    most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) // (1024 * 1024)
    return Problem(413, "too_large", _("The request is larger than the %(most)s MB that are taken.") % {"most": most})


def missing() -> Problem:
    return Problem(404, "not_found", _("There is nothing here, or it belongs to another store."))
