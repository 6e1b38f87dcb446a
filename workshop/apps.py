"""Chapter 3: repair orders, authorisation, clocking, parts and inspection."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkshopConfig(AppConfig):
    name = "workshop"
    label = "workshop"
    verbose_name = _("Workshop")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel import navigation
        from staff.services.employees import HANDOVERS

        from . import permissions
        from .selectors.orders import count_running
        from .services.orders import hand_over_orders

        # --- repair orders ---
        HANDOVERS.append(hand_over_orders)
        navigation.register(
            navigation.Entry(
                code="orders",
                label=_("Repair orders"),
                icon="tools",
                url_name="order-list",
                group="workshop",
                permission=permissions.ORDERS_VIEW,
                order=20,
                count=count_running,
                phone=True,
            )
        )
