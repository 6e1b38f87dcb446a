"""What happens in chapter 8: code, words, clause, stage."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# --- archive ---
ARCHIVED = event("compliance.archive.archived", _("File archived"), clause="8.4")
MARKED = event("compliance.archive.marked", _("File put on the destruction list"), clause="8.4")
SIGNED = event("compliance.archive.signed", _("Destruction signed once"), clause="8.4")
DESTROYED = event("compliance.archive.destroyed", _("File destroyed"), clause="8.4")
