"""How many requests a caller has in a minute; beyond it 429 with Retry-After (design 6)."""

from __future__ import annotations

import math
import time

import structlog
from django.core.cache import cache
from django.utils.translation import gettext as _

from .auth import Caller
from .problems import Problem

log = structlog.get_logger(__name__)
WINDOW_SECONDS = 60


def count(caller: Caller) -> None:
    """Raises Problem 429 when the caller's minute is used up; an unreachable cache lets everybody pass."""
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    key = f"api-rate:{caller.key}:{window}"
    try:
        cache.add(key, 0, WINDOW_SECONDS * 2)
        used = cache.incr(key)
    except Exception as exc:
        log.warning("api.rate_unknown", error=str(exc))
        return
    if used > caller.per_minute:
        wait = max(1, math.ceil((window + 1) * WINDOW_SECONDS - now))
        raise Problem(
            429,
            "rate_limit",
            _("More than %(allowed)s requests in a minute; wait %(wait)s seconds.")
            % {"allowed": caller.per_minute, "wait": wait},
            headers={"Retry-After": str(wait)},
        )
