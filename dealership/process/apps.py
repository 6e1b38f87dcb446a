"""Chapter 1: the event registry, stages and norms, timelines, KPI values and the Manual page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProcessConfig(AppConfig):
    name = "dealership.process"
    label = "process"
    verbose_name = _("Service process")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel.navigation import Entry, register

        register(
            Entry(
                code="manual",
                label=_("Manual"),
                icon="book",
                url_name="manual",
                group="management",
                permission="process.manual.view",
                order=900,
            )
        )
