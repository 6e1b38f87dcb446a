"""The pages that carry out the clauses of chapter 7."""

from django.utils.translation import gettext_lazy as _

from dealership.process.clauses import screen

screen("1.2", "approvals", _("Approvals"))
screen("7.1", "settings", _("Settings"))
screen("7.1", "system", _("System"))
screen("7.2", "imports", _("Imports"))
screen("7.3", "api-docs", _("API"))
screen("7.4", "system", _("System"))
