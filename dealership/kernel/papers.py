"""Papers as PDF: Typst with Noto Sans SC, imported only where a paper is made (design 3).

Everything a person typed reaches Typst as data in a JSON file, so no text can act as markup.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

_FONTS = settings.BASE_DIR / "node_modules" / "@expo-google-fonts" / "noto-sans-sc"
SHARED = Path(__file__).parent / "typst" / "house.typ"
"""What every paper may import: it lies beside the paper while that is set."""
FONT_PATHS = [_FONTS / "400Regular", _FONTS / "700Bold"]


def render_paper(template: Path, data: dict[str, Any], pictures: dict[str, bytes] | None = None) -> bytes:
    """Compiles a paper in a folder of its own, from which nothing else can be read."""
    import typst

    with tempfile.TemporaryDirectory(prefix="paper-") as place:
        folder = Path(place)
        shutil.copyfile(template, folder / template.name)
        shutil.copyfile(SHARED, folder / SHARED.name)
        (folder / "data.json").write_bytes(orjson.dumps(data))
        for name, picture in (pictures or {}).items():
            (folder / name).write_bytes(picture)
        made = typst.compile(
            str(folder / template.name),
            root=str(folder),
            font_paths=[str(path) for path in FONT_PATHS],
            ignore_system_fonts=True,
            format="pdf",
        )
    return bytes(made)


def paper_moment(at: Any) -> str:
    """A moment in the active time zone as it stands on papers; a dash where there is none."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M") if at else "—"


def paper_answer(content: bytes, name: str) -> HttpResponse:
    """A PDF that opens beside the page it was asked from."""
    response = HttpResponse(content, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
