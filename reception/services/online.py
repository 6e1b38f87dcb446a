"""What comes from the public pages without log-in: counted by network address, so that nobody floods the desk (7.3)."""

from __future__ import annotations

import hashlib

from django.core.cache import cache

from dealership.kernel.errors import RuleError


def count_try(purpose: str, address: str, *, most: int, refusal: RuleError) -> None:
    """Counts the tries of one network address within an hour, refused ones too; the address itself isn't kept.

    Raises ``refusal`` above ``most``.
    """
    if not address:
        return
    key = f"{purpose}:{hashlib.sha256(address.encode()).hexdigest()[:32]}"
    cache.add(key, 0, 3600)
    try:
        tries = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    if tries > most:
        raise refusal
