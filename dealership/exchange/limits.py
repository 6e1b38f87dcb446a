"""Dated numbers of chapter 7. Each section names its topic."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# health
BEAT_SECONDS = limit(
    "exchange.beat_seconds",
    90,
    "s",
    _("A background process counts as silent after"),
    clause="7.1",
    source="design",
)
QUEUE_MINUTES = limit(
    "exchange.queue_minutes",
    5,
    "min",
    _("An owed effect counts as late after"),
    clause="7.1",
    source="design",
)

# --- API (7.3) ---
limit(
    "exchange.api_requests_per_minute",
    600,
    "1/min",
    _("Requests one API client may send in a minute"),
    clause="7.3",
    source="HOUSE",
)

# --- imports (7.2) ---
IMPORT_ROWS_DAYS = limit(
    "exchange.import_rows_days",
    90,
    "d",
    _("Days for which an import keeps the rows of its file and can be undone"),
    clause="7.3",
    source="HOUSE",
)
