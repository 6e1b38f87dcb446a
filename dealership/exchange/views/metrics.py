"""``/metrics``: figures of this installation for Prometheus, to permitted machines only (7.1)."""

from __future__ import annotations

import hmac
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from dealership.exchange.selectors.health import heartbeats, queue


def permitted(request: HttpRequest) -> bool:
    """With ``METRICS_TOKEN`` whoever sends it as bearer; without it a machine of ``METRICS_ADDRESSES``, never by a proxy."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(address in ip_network(known) for known in settings.METRICS_ADDRESSES)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Requests, database calls and errors of all web processes, the outbox and the background processes."""
    if not permitted(request):
        raise Http404
    answer = ExportToDjangoView(request)
    owed = queue()
    lines = [
        ("outbox_due", "Effects that are due now.", {"": owed.due}),
        ("outbox_waiting", "Effects that will be tried again later.", {"": owed.waiting}),
        ("outbox_parked", "Effects that failed for good and wait for a person.", {"": owed.parked}),
        ("outbox_oldest_seconds", "Age of the oldest due effect.", {"": owed.oldest}),
        (
            "heartbeat_age_seconds",
            "Seconds since a background process was last alive.",
            {f'{{process="{beat.name}"}}': beat.age for beat in heartbeats() if beat.age is not None},
        ),
    ]
    text = "".join(
        f"# HELP service_{name} {says}\n# TYPE service_{name} gauge\n"
        + "".join(f"service_{name}{label} {value}\n" for label, value in values.items())
        for name, says, values in lines
    )
    answer.content = answer.content + text.encode()
    return answer
