"""Chapter 1: the event registry, stages and norms, timelines, KPI values and the Manual page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProcessConfig(AppConfig):
    name = "dealership.process"
    label = "process"
    verbose_name = _("Service process")
    default_auto_field = "django.db.models.BigAutoField"
