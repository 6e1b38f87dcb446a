"""What is offered and what can be in one place only: models, operations, parts, prices, resources."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogueConfig(AppConfig):
    name = "dealership.catalogue"
    label = "catalogue"
    verbose_name = _("Catalogue")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel import navigation as nav
        from dealership.kernel import saying

        from . import permissions
        from .selectors import items

        saying.ENGLISH_NAMES.append(items.english_names)

        nav.register(
            nav.Entry(
                code="catalogue",
                label=_("Prices and bays"),
                icon="tag",
                url_name="labor-rates",
                group="management",
                permission=permissions.PRICES_MANAGE,
                order=530,
            )
        )
        nav.register(
            nav.Entry(
                code="parts-master",
                label=_("Parts catalogue"),
                icon="list-details",
                url_name="part-prices",
                group="workshop",
                permission=permissions.PARTS_MANAGE,
                order=66,
            )
        )
        nav.register(
            nav.Entry(
                code="maintenance-plans",
                label=_("Maintenance plans"),
                icon="calendar-event",
                url_name="maintenance-plans",
                group="management",
                permission=permissions.MAINTENANCE_MANAGE,
                order=535,
            )
        )
        nav.register(
            nav.Entry(
                code="check-templates",
                label=_("Check sheets"),
                icon="clipboard-list",
                url_name="check-templates",
                group="management",
                permission=permissions.CHECKS_MANAGE,
                order=536,
            )
        )
