"""The page of IT: is all alive, what is owed, what failed and may be tried again (7.1)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.exchange.selectors import health as reads
from dealership.exchange.services.health import retry_event
from dealership.kernel.pages import ActionView, Page
from dealership.kernel.permissions import HEALTH_RETRY, HEALTH_VIEW


class SystemPage(Page):
    permission = HEALTH_VIEW
    template_name = "exchange/system.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        checks = reads.readiness()
        return super().get_context_data(**kwargs) | {
            "checks": checks,
            "troubled": [check for check in checks if not check.ok],
            "beats": reads.heartbeats(),
            "queue": reads.queue(),
            "failed": reads.failed_events(self.actor),
            "version": settings.VERSION,
            "may_retry": self.actor.may(HEALTH_RETRY),
        }


class RetryEventView(ActionView):
    """Makes one failed effect due again."""

    permission = HEALTH_RETRY
    done = _("The event is due again and is tried in a moment.")

    def run(self, form: Any) -> Any:
        event = self.request.POST.get("event", "")
        if not event.isdecimal() or len(event) > 18:
            raise Http404
        return retry_event(event_id=int(event), handler=self.request.POST.get("handler", ""), by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("system")
