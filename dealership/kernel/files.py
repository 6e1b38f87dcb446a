"""Stored files as answers: by their row, never by a path, and never as anything a browser would run."""

from __future__ import annotations

from django.http import FileResponse, Http404

from .models import StoredFile
from .services import file_path


def file_response(stored: StoredFile, *, download: bool = False) -> FileResponse:
    """The content of a file the caller has already checked the actor may see.

    The media type is the one found when it was stored; browsers must not guess another one, and no cache in between
    keeps it. Raises Http404 where the content is gone from the disk.
    """
    path = file_path(stored.sha256, stored.media_type)
    try:
        content = path.open("rb")
    except FileNotFoundError as exc:
        raise Http404("The file's content is missing.") from exc
    response = FileResponse(content, content_type=stored.media_type, as_attachment=download, filename=stored.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response
