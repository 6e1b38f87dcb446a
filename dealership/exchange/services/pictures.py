"""Pictures of the simulated shop: proof that one was taken, with nobody and nothing on it."""

from __future__ import annotations

import io

from PIL import Image


def grey_picture() -> bytes:
    """A small plain picture, as proof that one was taken."""
    out = io.BytesIO()
    Image.new("RGB", (320, 240), "#9aa7b2").save(out, "JPEG", quality=70)
    return out.getvalue()
