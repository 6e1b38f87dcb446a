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
        from dealership.exchange import scopes
        from dealership.exchange.services.clients import caller_by_token
        from dealership.kernel.api import auth

        auth.read_tokens_with(caller_by_token)
        auth.name_scopes_with(scopes.giving)

        # What the demo's own data is called in English.
        from dealership.exchange.services import demo_english
        from dealership.kernel import saying

        saying.ENGLISH_NAMES.append(demo_english.names)

        self.register_pages()

    def register_pages(self) -> None:
        """The rail's entries of messages, approvals and the system itself."""
        from dealership.exchange.permissions import CLIENTS_MANAGE, IMPORTS_RUN
        from dealership.exchange.selectors.approvals import count_waiting
        from dealership.exchange.selectors.messages import on_the_bell
        from dealership.kernel import navigation as nav
        from dealership.kernel import permissions

        nav.bell_counts.append(on_the_bell)
        for entry in (
            nav.Entry(
                code="approvals",
                label=_("Approvals"),
                icon="checklist",
                url_name="approvals",
                group="management",
                permission=permissions.APPROVALS_VIEW,
                order=100,
                count=lambda actor: count_waiting(actor) or None,
                hot=lambda actor: count_waiting(actor) > 0,
                phone=True,
            ),
            nav.Entry(
                code="messages",
                label=_("Messages"),
                icon="mail",
                url_name="messages",
                group="management",
                permission=permissions.MESSAGES_VIEW,
                order=600,
            ),
            nav.Entry(
                code="settings",
                label=_("Settings"),
                icon="adjustments",
                url_name="settings",
                group="system",
                permission=permissions.SETTINGS_VIEW,
                order=10,
            ),
            nav.Entry(
                code="system",
                label=_("Health"),
                icon="activity-heartbeat",
                url_name="system",
                group="system",
                permission=permissions.HEALTH_VIEW,
                order=20,
                start=("admin",),
            ),
            nav.Entry(
                code="integration",
                label=_("Interfaces"),
                icon="plug-connected",
                url_name="integration",
                group="system",
                permission=CLIENTS_MANAGE,
                order=50,
            ),
            nav.Entry(
                code="imports",
                label=_("Imports"),
                icon="table-import",
                url_name="imports",
                group="system",
                permission=IMPORTS_RUN,
                order=40,
            ),
        ):
            nav.register(entry)
