"""What may be done in chapter 8, one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# --- archive ---
ARCHIVE_VIEW = permission("compliance.archive.view", _("Read the archive."))
ARCHIVE_DESTROY = permission("compliance.archive.destroy", _("Sign the destruction of files whose time has run out."))
for code in ("advisor", "manager", "gm", "supervisor", "accountant"):  # the advisor gives the customer their copy
    role(code, permissions={ARCHIVE_VIEW})
for code in ("manager", "gm"):
    role(code, permissions={ARCHIVE_DESTROY})

# --- health records ---
HEALTH_VIEW = permission("compliance.health.view", _("See which health records are on the platform and which are not."))
HEALTH_SEND = permission(
    "compliance.health.send", _("Send a health record again or write down that it was entered by hand.")
)
for code in ("manager", "gm", "supervisor", "accountant", "warranty"):
    role(code, permissions={HEALTH_VIEW})
for code in ("manager", "supervisor", "accountant", "warranty"):
    role(code, permissions={HEALTH_SEND})

# --- vehicle book ---
BOOK_READ = permission("compliance.book.read", _("Read and print the book of a car across its owners."))
for code in ("advisor", "foreman", "techdirector", "supervisor", "warranty", "care", "manager", "gm"):
    role(code, permissions={BOOK_READ})
