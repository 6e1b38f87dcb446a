"""How many requests a caller has in a minute; beyond it 429 with Retry-After (design 6)."""

from __future__ import annotations

import hashlib
import math
import time

import structlog
from django.core.cache import cache
from django.utils.translation import gettext as _

from .auth import Caller
from .problems import Problem

log = structlog.get_logger(__name__)
WINDOW_SECONDS = 60
SHARE = 100
"""A process takes a hundredth of the minute's allowance at once, so that not every request asks Redis."""
_leases: dict[str, tuple[int, int]] = {}
FAILED_TOKENS = 20
"""So many token requests for one client may fail in a minute from one network address; each costs a slow hash.

Behind a proxy everybody comes from its address: without the client's name one system's wrong secret would shut out all.
"""


def used(key: str) -> int:
    """What the processes have taken of this caller's (``Caller.key``) present minute, a hundredth of it at a time.

    0 where the cache can't be asked.
    """
    try:
        return int(cache.get(f"api-rate:{key}:{int(time.time() // WINDOW_SECONDS)}") or 0)
    except Exception as exc:
        log.warning("api.rate_unknown", error=str(exc))
        return 0


def count(caller: Caller) -> None:
    """Raises Problem 429 when the caller's minute is used up; an unreachable cache lets everybody pass.

    Never more than the allowance is given; what another process has taken and not used yet (one hundredth of it) may be
    missing at the end of the minute.
    """
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    held, left = _leases.get(caller.key, (window, 0))
    if held == window and left:
        _leases[caller.key] = (window, left - 1)
        return
    share = max(1, caller.per_minute // SHARE)
    key = f"api-rate:{caller.key}:{window}"
    try:
        cache.add(key, 0, WINDOW_SECONDS * 2)
        used = cache.incr(key, share)
    except Exception as exc:
        log.warning("api.rate_unknown", error=str(exc))
        return
    allowed = caller.per_minute - (used - share)
    if allowed <= 0:
        wait = max(1, math.ceil((window + 1) * WINDOW_SECONDS - now))
        raise Problem(
            429,
            "rate_limit",
            _("More than %(allowed)s requests in a minute; wait %(wait)s seconds.")
            % {"allowed": caller.per_minute, "wait": wait},
            headers={"Retry-After": str(wait)},
        )
    if len(_leases) > 5000:
        _leases.clear()
    _leases[caller.key] = (window, min(share, allowed) - 1)


def refuse_guessing(address: str, client: str) -> None:
    """Raises Problem 429 when too many token requests for this client failed in the present minute."""
    key, wait = _failures(address, client)
    try:
        failed = int(cache.get(key) or 0)
    except Exception as exc:
        log.warning("api.rate_unknown", error=str(exc))
        return
    if failed >= FAILED_TOKENS:
        raise Problem(
            429,
            "oauth.too_many_failures",
            _("Too many token requests for this client have failed; wait %(wait)s seconds.") % {"wait": wait},
            headers={"Retry-After": str(wait)},
        )


def count_failure(address: str, client: str) -> None:
    """One more token request for this client has failed; neither name nor address is kept."""
    key, _wait = _failures(address, client)
    try:
        cache.add(key, 0, WINDOW_SECONDS * 2)
        cache.incr(key)
    except Exception as exc:
        log.warning("api.rate_unknown", error=str(exc))


def _failures(address: str, client: str) -> tuple[str, int]:
    """The key of an address and a client in this minute, and the seconds until the next one."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    wait = max(1, math.ceil((window + 1) * WINDOW_SECONDS - now))
    named = hashlib.sha256(f"{address}\n{client}".encode()).hexdigest()[:32]
    return f"token-failures:{named}:{window}", wait
