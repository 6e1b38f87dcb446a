"""The page of integrators: clients and their use, the feed as it comes, examples that run (7.3)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.exchange.models import ApiClient
from dealership.exchange.permissions import CLIENTS_MANAGE
from dealership.exchange.selectors import integration as reads
from dealership.exchange.services.clients import withdraw_api_client
from dealership.kernel.pages import ActionView, Page
from dealership.kernel.permissions import EVENTS_READ


class IntegrationPage(Page):
    permission = CLIENTS_MANAGE
    template_name = "exchange/integration.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "clients": reads.clients(self.actor),
            "events": reads.newest_events(self.actor) if self.actor.may(EVENTS_READ) else None,
            "curl": reads.example("first_steps.sh"),
            "python": reads.example("first_steps.py"),
            "bring_in": reads.example("bring_in.py"),
            "hours": int(str(settings.OAUTH2_PROVIDER["ACCESS_TOKEN_EXPIRE_SECONDS"])) // 3600,
        }


class WithdrawClientView(ActionView):
    """Takes a system's access back; its tokens end within seconds."""

    permission = CLIENTS_MANAGE
    done = _("The access is withdrawn; its tokens end within seconds.")

    def run(self, form: Any) -> ApiClient:
        return withdraw_api_client(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: ApiClient) -> str:
        return reverse("integration")
