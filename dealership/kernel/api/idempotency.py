"""One key, one effect: the answer of a POST is stored in the command's own transaction and given again (design 6)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import connection, transaction
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..models import IdempotencyRecord
from .auth import Caller
from .problems import Problem

KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Cache-Control")
WAIT_SECONDS = 10


def key_of(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Problem(
            400,
            "idempotency.missing",
            _("Every POST needs the header Idempotency-Key, a new UUID for each new action."),
        )
    if len(key) > 255 or not key.isascii() or not key.isprintable():
        raise Problem(400, "idempotency.form", _("Idempotency-Key has at most 255 printable ASCII signs."))
    return key


def fingerprint(request: HttpRequest) -> str:
    parts = (request.method or "", request.get_full_path(), request.headers.get("Store-Code", ""))
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + request.body).hexdigest()


def once(request: HttpRequest, caller: Caller, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Runs ``run`` in one transaction with the record of its answer, or gives the stored answer.

    A twin that runs at the same moment is waited for ten seconds, then refused with 409 and Retry-After. What fails
    is rolled back and not stored.
    """
    key, mark = key_of(request), fingerprint(request)
    with transaction.atomic():
        _wait_for_twin(f"{caller.key}\n{key}")
        kept = IdempotencyRecord.objects.filter(client=caller.key, key=key).first()
        if kept is not None:
            if kept.fingerprint != mark:
                raise Problem(
                    422,
                    "idempotency.reused",
                    _("This Idempotency-Key was used for another request; take a new one."),
                )
            return _again(kept)
        response = run()
        IdempotencyRecord.objects.create(
            client=caller.key,
            key=key,
            fingerprint=mark,
            status=response.status_code,
            body=response.content.decode(),
            headers={name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
        )
    return response


def lock_number(name: str) -> int:
    """The advisory lock that stands for one caller's key."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _wait_for_twin(name: str) -> None:
    number = lock_number(name)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS}s"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except OperationalError as exc:
        raise Problem(
            409,
            "idempotency.running",
            _("The same request is still running; ask again for its answer."),
            headers={"Retry-After": "2"},
        ) from exc


def _again(kept: IdempotencyRecord) -> HttpResponse:
    response = HttpResponse(kept.body.encode(), status=kept.status)
    for name, value in kept.headers.items():
        response.headers[name] = value
    response.headers["Idempotent-Replayed"] = "true"
    return response
