"""What a signature pad sends: a PNG, nothing where there was no pad, or the pad's word that nobody has drawn on it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .errors import RuleError

EMPTY_PAD = "data:,"
"""The pad of static/js/signature.js posts this as long as nothing is drawn; forms clean it to ``b""``."""


def refuse_empty_pad(signature: bytes | None) -> None:
    """Raises RuleError ``signature.empty`` for a pad nobody drew on; None is the typed name alone, without a pad."""
    if signature is not None and not signature:
        raise RuleError(
            "signature.empty",
            _("Nothing is drawn on the signature pad yet. Sign with a finger or the mouse, then press again."),
            field="signature",
        )
