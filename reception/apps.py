"""Chapter 2: customers, vehicles, appointments and visits."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReceptionConfig(AppConfig):
    name = "reception"
    label = "reception"
    verbose_name = _("Reception")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel import navigation

        from . import permissions

        # --- customers and vehicles (2.3) ---
        navigation.register(
            navigation.Entry(
                code="customers",
                label=_("Customers"),
                icon="users",
                url_name="customers",
                group="front",
                permission=permissions.CUSTOMERS_VIEW,
                order=60,
            )
        )
