"""Chapter 8: archives and their retention."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComplianceConfig(AppConfig):
    name = "compliance"
    label = "compliance"
    verbose_name = _("Compliance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel.navigation import Entry, register

        # --- archive ---
        register(
            Entry(
                code="archive",
                label=_("Archive"),
                icon="archive",
                url_name="archive-list",
                group="management",
                permission="compliance.archive.view",
                order=300,
            )
        )

        # --- health records ---
        from .selectors.health_uploads import to_be_done

        register(
            Entry(
                code="health-records",
                label=_("Health records"),
                icon="cloud-upload",
                url_name="health-upload-list",
                group="management",
                permission="compliance.health.view",
                order=310,
                count=to_be_done,
            )
        )
