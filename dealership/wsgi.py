"""The WSGI application that the production server loads."""

import os
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dealership.settings")
django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Gives a body that came in chunks its length: Django reads as much as Content-Length says, and nothing without."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
        most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) + 1  # one more, so that too large is seen as too large
        body = environ["wsgi.input"].read(most)
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
    answer: Iterable[bytes] = django_application(environ, start_response)
    return answer
