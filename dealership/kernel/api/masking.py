"""How personal data looks to a caller without the scope ``personal:read`` (7.3): enough to recognise, not to use."""

from __future__ import annotations

from ..formats import mask_email, mask_name, mask_phone, mask_plate, mask_vin

__all__ = ["mask_email", "mask_name", "mask_phone", "mask_plate", "mask_text", "mask_vin"]


def mask_text(value: str) -> str:
    """Free words, addresses, numbers of papers: nothing of it is shown."""
    return "***" if value else value
