"""The pages that carry out the clauses of chapter 5."""

from django.utils.translation import gettext_lazy as _

from dealership.process.clauses import screen

screen("1.2", "staff", _("Staff"))
screen("5.1", "staff", _("Staff"))
screen("5.1", "roster", _("Roster"))
screen("2.4", "calendar", _("Working calendar"))
