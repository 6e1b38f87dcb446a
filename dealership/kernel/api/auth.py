"""Who calls: an API client by its bearer token, or a signed-in person by the session (with the CSRF header).

A token is read from the database once in ``TOKEN_SECONDS`` and remembered by this process, so a revoked token works
for that long at most.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _

from ..actors import Actor
from ..models import Store
from ..permissions import PERSONAL_READ
from .problems import Problem

TOKEN_SECONDS = 10.0
_REMEMBERED_AT_MOST = 5000
_known: dict[str, tuple[float, Caller | None]] = {}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls and how much: ``key`` names the client for idempotency and rate, ``expires`` is its token's end (s).

    ``granted`` are the permissions of a token's scopes, of which the actor may have less where it speaks for a person.
    """

    actor: Actor
    key: str
    per_minute: int
    expires: float = float("inf")
    granted: frozenset[str] = frozenset()

    @property
    def unmasked(self) -> bool:
        return self.actor.may(PERSONAL_READ)


# Filled by ``exchange``: the client behind a token (None: unknown or expired), told how many requests that is.
TokenReader = Callable[[str, int], "Caller | None"]
_readers: list[TokenReader] = []
_asked: dict[str, int] = {}  # by the caller's key, so that several tokens of one client count together
_refused: dict[str, int] = {}
SESSION_PER_MINUTE = 600


def read_tokens_with(reader: TokenReader) -> None:
    """Sets the function that finds a client by (token, requests that are counted with it)."""
    _readers[:] = [reader]


# Filled by ``exchange``: the scope with which a token has a permission.
_scopes: list[Callable[[str], str]] = []


def name_scopes_with(giving: Callable[[str], str]) -> None:
    _scopes[:] = [giving]


def scope_giving(permission: str) -> str:
    return _scopes[0](permission) if _scopes else permission


def forget() -> None:
    """Drops what this process remembers (between tests)."""
    _known.clear()
    _asked.clear()
    _refused.clear()


def note_refusal(caller: Caller) -> None:
    """Counts an answer from 400 on, in this process; written with the requests when the token is read again."""
    _refused[caller.key] = _refused.get(caller.key, 0) + 1


def take_counts(key: str) -> tuple[int, int]:
    """How many requests and refusals of this caller were counted since the last time."""
    return _asked.pop(key, 0), _refused.pop(key, 0)


def caller_of(request: HttpRequest) -> Caller:
    """Raises Problem 401 for strangers, 403 for a session without its CSRF header."""
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _space, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _stranger("invalid_request")
        caller = _by_token(token.strip())
        if caller is None:
            raise _stranger("invalid_token")
        return _in_store(request, caller)
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        raise _stranger("")
    if request.method not in ("GET", "HEAD"):
        reason = _Csrf(lambda r: None).refusal(request)  # type: ignore[arg-type]
        if reason:
            raise Problem(403, "csrf", _("Send the CSRF token of the session in the header X-CSRFToken."))
    return Caller(actor, f"user:{actor.id}", SESSION_PER_MINUTE)


def _stranger(error: str) -> Problem:
    challenge = 'Bearer realm="api"' + (f', error="{error}"' if error else "")
    return Problem(
        401,
        "unauthenticated",
        _("This token is unknown, withdrawn or past its hour: take a new one at /api/v1/oauth/token.")
        if error == "invalid_token"
        else _("Get a token at /api/v1/oauth/token and send it as “Authorization: Bearer …”."),
        headers={"WWW-Authenticate": challenge},
    )


def _by_token(token: str) -> Caller | None:
    digest = hashlib.sha256(token.encode()).hexdigest()
    kept = _known.get(digest)
    now = time.monotonic()
    if kept is None or now - kept[0] > TOKEN_SECONDS:
        caller = _readers[0](token, 1) if _readers else None
        if len(_known) > _REMEMBERED_AT_MOST:
            forget()
        kept = _known[digest] = (now, caller)
    elif kept[1] is not None:
        _asked[kept[1].key] = _asked.get(kept[1].key, 0) + 1
    caller = kept[1]
    return caller if caller is not None and caller.expires > time.time() else None


def _in_store(request: HttpRequest, caller: Caller) -> Caller:
    """A client of several stores names the one it acts in by the header ``Store-Code``."""
    code = request.headers.get("Store-Code")
    if code is None:
        return caller
    actor = caller.actor
    store = Store.objects.for_actor(actor).filter(code=code[:4]).first() if "\x00" not in code else None
    if store is None or store.code != code:
        raise Problem(403, "store", _("Your client doesn't act in this store."))
    return replace(caller, actor=replace(actor, store_ids=frozenset({store.pk})))


class _Csrf(CsrfViewMiddleware):
    """Django's own check, asked instead of answering."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason

    def refusal(self, request: HttpRequest) -> str | None:
        self.process_request(request)
        return self.process_view(request, None, (), {})  # type: ignore[arg-type, return-value]
