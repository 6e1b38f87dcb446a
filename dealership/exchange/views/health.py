"""The answers for machines: whether this process lives, can serve a page, and has everything behind it."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dealership.exchange.selectors.health import readiness

log = structlog.get_logger(__name__)


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """200 from a web process that answers; asks nothing of anybody. A container is restarted by this one: starting it
    again doesn't bring PostgreSQL back."""
    return JsonResponse({"status": "alive", "version": settings.VERSION})


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and a page can be served, else 503. No sign-in, nothing about the dealership."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.exception("health.database_away")
        return JsonResponse({"status": "database away", "version": settings.VERSION}, status=503)
    return JsonResponse({"status": "ok", "version": settings.VERSION})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 where database, migrations, Redis and the background processes are there, else 503 with what isn't (7.1)."""
    checks = readiness()
    ok = all(check.ok for check in checks)
    return JsonResponse(
        {"status": "ready" if ok else "not ready", "checks": {check.code: check.ok for check in checks}},
        status=200 if ok else 503,
    )
