"""Events of chapter 7. Each section names its topic."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# health
EVENT_RETRIED = event("exchange.event.retried", _("Failed event tried again"), clause="7.1")

# --- API clients (7.3) ---
CLIENT_CREATED = event("exchange.api_client.created", _("API client let in"), clause="7.3")
CLIENT_WITHDRAWN = event("exchange.api_client.withdrawn", _("API client withdrawn"), clause="7.3")

# --- imports (7.2) ---
IMPORT_UPLOADED = event("exchange.import.uploaded", _("File taken in"), clause="7.2")
IMPORT_PREVIEWED = event("exchange.import.previewed", _("File read, preview made"), clause="7.2")
IMPORT_CONFIRMED = event("exchange.import.confirmed", _("Import confirmed"), clause="7.2")
IMPORT_WRITTEN = event("exchange.import.written", _("Import written"), clause="7.2")
IMPORT_UNDO_ASKED = event("exchange.import.undo_asked", _("Undo of an import asked for"), clause="7.2")
IMPORT_UNDONE = event("exchange.import.undone", _("Import undone"), clause="7.2")
IMPORT_EMPTIED = event("exchange.import.emptied", _("Personal data of the import removed"), clause="7.3")
IMPORT_FAILED = event("exchange.import.failed", _("Import ended without writing"), clause="7.2")
