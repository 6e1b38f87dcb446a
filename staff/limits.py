"""Dated numbers of chapter 5."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

RECEPTION_SKILL_LEVEL = limit(
    "staff.reception_skill_level",
    2,
    "",
    _("Skill level in reception that a person needs before serving at the desk (pre-job training)"),
    clause="2.1.1",
    source="MAN",
)
CERTIFICATE_WARN_DAYS = limit(
    "staff.certificate_warn_days",
    60,
    "d",
    _("A certificate is shown as running out this long before its end"),
    clause="5.1",
    source="design",
)
