"""Events of chapter 7. Each section names its topic."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# health
EVENT_RETRIED = event("exchange.event.retried", _("Failed event tried again"), clause="7.1")
