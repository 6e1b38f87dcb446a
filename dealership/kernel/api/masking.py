"""How personal data looks to a caller without the scope ``personal:read`` (7.3): enough to recognise, not to use."""

from __future__ import annotations

from collections.abc import Callable

from ..formats import mask_email, mask_name, mask_phone, mask_plate, mask_vin

__all__ = ["mask_email", "mask_name", "mask_phone", "mask_plate", "mask_text", "mask_vin"]


def is_masked(mask: Callable[[str], str], value: str) -> bool:
    """Whether a text with asterisks is what ``mask`` makes: in free words asterisks are people's own, too."""
    return value == "***" if mask is mask_text else True


def mask_text(value: str) -> str:
    """Free words, addresses, numbers of papers: nothing of it is shown."""
    return "***" if value else value
