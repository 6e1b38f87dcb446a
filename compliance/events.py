"""What happens in chapter 8: code, words, clause, stage."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# --- archive ---
ARCHIVED = event("compliance.archive.archived", _("File archived"), clause="8.4")
ADDED = event("compliance.archive.added", _("Addendum to a file"), clause="3.3")
MARKED = event("compliance.archive.marked", _("File put on the destruction list"), clause="8.4")
SIGNED = event("compliance.archive.signed", _("Destruction signed once"), clause="8.4")
DESTROYED = event("compliance.archive.destroyed", _("File destroyed"), clause="8.4")

# --- health records ---
HEALTH_QUEUED = event("compliance.healthupload.queued", _("Health record to be uploaded"), clause="3.3")
HEALTH_TRIED = event("compliance.healthupload.tried", _("Health record on its way"), clause="3.3")
HEALTH_SENT = event("compliance.healthupload.sent", _("Health record uploaded"), clause="3.3")
HEALTH_FAILED = event("compliance.healthupload.failed", _("Health record not uploaded"), clause="3.3")
HEALTH_LEFT = event("compliance.healthupload.left", _("Health record left to a person"), clause="3.3")
HEALTH_AGAIN = event("compliance.healthupload.redrawn", _("Health record drawn anew"), clause="3.3")
HEALTH_ENTERED = event("compliance.healthupload.entered", _("Health record entered by hand"), clause="3.3")

# --- vehicle book ---
BOOK_READ = event("compliance.vehicle.book_read", _("Vehicle book read"), clause="3.3")
