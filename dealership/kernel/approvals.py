"""How far a decision goes (1.2): up to this amount with the ordinary permission, above it only without limit."""

from django.utils.translation import gettext_lazy as _

from .registry import limit

APPROVAL_LIMIT = limit(
    "kernel.approval_limit",
    20000,
    "CNY",
    _("A service manager approves alone up to"),
    clause="1.2",
    source="design",
)
