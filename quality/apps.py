"""Chapter 6: figures, dashboards and complaints."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QualityConfig(AppConfig):
    name = "quality"
    label = "quality"
    verbose_name = _("Quality")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel.navigation import Entry, register

        # --- dashboards ---
        register(
            Entry(
                code="dashboard",
                label=_("Dashboard"),
                icon="gauge",
                url_name="dashboard",
                group="management",
                permission="quality.dashboard.view",
                order=100,
            )
        )
