"""Chapter 6: figures, dashboards and complaints."""

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class QualityConfig(AppConfig):
    name = "quality"
    label = "quality"
    verbose_name = _("Quality")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel.navigation import Entry, register
        from reception.selectors.search import SOURCES, Series, series_source

        from .models import Complaint

        # --- complaints ---
        SOURCES.append(
            series_source(
                Series(
                    kind="TS",
                    model=Complaint,
                    page="complaint-detail",
                    label=pgettext_lazy("case", "Complaint"),
                    permission="quality.complaints.view",
                    vehicle="visit__vehicle",
                    person="customer__name",
                )
            )
        )
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
                start=("manager", "gm", "supervisor"),
            )
        )

        # --- complaints ---
        from staff.services.employees import HANDOVERS

        from .services.complaints import hand_over_complaints

        HANDOVERS.append(hand_over_complaints)
        from .selectors.complaints import complaint_counts

        def open_ones(actor: Any) -> int:
            return complaint_counts(actor)["OPEN"]

        def late_ones(actor: Any) -> bool:
            return complaint_counts(actor)["LATE"] > 0

        register(
            Entry(
                code="complaints",
                label=_("Complaints"),
                icon="alert-triangle",
                url_name="complaint-list",
                group="management",
                permission="quality.complaints.view",
                order=200,
                count=open_ones,
                hot=late_ones,
            )
        )
