"""Events of chapter 7. Each section names its topic."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# health
EVENT_RETRIED = event("exchange.event.retried", _("Failed event tried again"), clause="7.1")

# --- API clients (7.3) ---
CLIENT_CREATED = event("exchange.api_client.created", _("API client let in"), clause="7.3")
CLIENT_WITHDRAWN = event("exchange.api_client.withdrawn", _("API client withdrawn"), clause="7.3")
