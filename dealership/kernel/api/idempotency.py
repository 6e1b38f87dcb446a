"""One key, one effect: the answer of a POST is stored in the command's own transaction and given again (design 6)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import orjson
from django.db import connection, transaction
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from .. import clock
from ..postgres.base import one_savepoint_less
from ..postgres.prepared import run_prepared
from .auth import Caller
from .problems import Problem

KEPT_HEADERS = ("Content-Type", "ETag", "Location", "Cache-Control")
KEY_FORM = re.compile(r"[!-~]{1,255}")
WAIT_SECONDS = 10


def key_of(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Problem(
            400,
            "idempotency.missing",
            _("Every POST needs the header Idempotency-Key, a new UUID for each new action."),
        )
    if not KEY_FORM.fullmatch(key):
        raise Problem(
            400,
            "idempotency.form",
            _("Idempotency-Key has 1 to 255 printable ASCII signs without spaces; send a UUID."),
        )
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
    with transaction.atomic(), one_savepoint_less():
        kept = _kept(caller.key, key)
        if kept is not None:
            if kept[0] != mark:
                raise Problem(
                    422,
                    "idempotency.reused",
                    _("This Idempotency-Key was used for another request; take a new one."),
                )
            return _again(*kept[1:])
        response = run()
        _keep(caller.key, key, mark, response)
    return response


def lock_number(name: str) -> int:
    """The advisory lock that stands for one caller's key."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


_WAIT_AND_LOOK = """
SELECT set_config('lock_timeout', %(wait)s, true);
SELECT pg_advisory_xact_lock(%(lock)s);
SET LOCAL lock_timeout TO DEFAULT;
SELECT fingerprint, status, body, headers FROM kernel_idempotencyrecord WHERE client = %(client)s AND key = %(key)s
"""
_KEEP = """
INSERT INTO kernel_idempotencyrecord (client, key, fingerprint, status, body, headers, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id
"""


def _kept(client: str, key: str) -> tuple[str, int, str, dict[str, str]] | None:
    """Waits for a twin and looks for its answer, in one message to the server; each part sees what is committed then."""
    lock = lock_number(f"{client}\n{key}")
    try:
        with connection.cursor() as cursor:
            cursor.execute(_WAIT_AND_LOOK, {"wait": f"{WAIT_SECONDS}s", "lock": lock, "client": client, "key": key})
            row = cursor.fetchone()
    except OperationalError as exc:
        raise Problem(
            409,
            "idempotency.running",
            _("The same request is still running; ask again for its answer."),
            headers={"Retry-After": "2"},
        ) from exc
    return None if row is None else (row[0], row[1], row[2], orjson.loads(row[3]))


def _keep(client: str, key: str, mark: str, response: HttpResponse) -> None:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    said, names = response.content.decode(), orjson.dumps(headers).decode()
    values = [client, key, mark, response.status_code, said, names, clock.written_now()]
    run_prepared("idempotency", _KEEP, values)


def _again(status: int, body: str, headers: dict[str, str]) -> HttpResponse:
    response = HttpResponse(body.encode(), status=status)
    for name, value in headers.items():
        response.headers[name] = value
    response.headers["Idempotent-Replayed"] = "true"
    return response
