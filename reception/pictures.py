"""Pictures as they are kept: upright, of a sensible size and without what the camera adds (place, device)."""

from __future__ import annotations

import io

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, UnidentifiedImageError

from dealership.kernel.errors import RuleError

LONGEST_SIDE = 2000
MOST_PIXELS = 60_000_000


def clean_picture(content: bytes) -> bytes:
    """A JPEG of at most 2000 pixels a side. Raises RuleError ``file.kind`` for anything that is no picture."""
    try:
        picture = Image.open(io.BytesIO(content), formats=["JPEG", "PNG", "WEBP"])
        if picture.width * picture.height > MOST_PIXELS:
            raise RuleError("file.size", _("The picture is too large; take a smaller one."), field="photos")
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        out = io.BytesIO()
        upright.convert("RGB").save(out, "JPEG", quality=85, optimize=True)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise RuleError("file.kind", _("This is no picture (JPEG, PNG or WebP)."), field="photos") from exc
    return out.getvalue()
