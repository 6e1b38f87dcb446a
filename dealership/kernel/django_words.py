"""Sentences of Django's own form fields that this product says in its own Chinese (its catalogue comes before Django's)."""

from django.utils.translation import gettext_noop

SAID_OUR_WAY = (
    gettext_noop("Ensure this value is less than or equal to %(limit_value)s."),
    gettext_noop("Ensure this value is greater than or equal to %(limit_value)s."),
    gettext_noop("Enter a whole number."),
    gettext_noop("Enter a number."),
    gettext_noop("Enter a valid date."),
    gettext_noop("Enter a valid time."),
)
