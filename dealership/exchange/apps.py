"""Chapter 7: the API mount, imports, sharing, health and backups."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    name = "dealership.exchange"
    label = "exchange"
    verbose_name = _("Information systems")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # The top room is installed last: every chapter's models are there, so all declarations can be read now.
        from dealership.kernel import registry

        registry.load()

        # Who a bearer token belongs to.
        from dealership.exchange.services.clients import caller_by_token
        from dealership.kernel.api import auth

        auth.read_tokens_with(caller_by_token)
