"""Chapter 5: employees, posts, skills and rosters."""

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    name = "staff"
    label = "staff"
    verbose_name = _("Staff")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel import navigation as nav
        from dealership.kernel.permissions import CALENDAR_MANAGE

        from . import permissions
        from .selectors.posts import post_name

        nav.post_names.append(post_name)
        nav.register(
            nav.Entry(
                code="staff",
                label=_("Staff"),
                icon="users",
                url_name="staff",
                group="management",
                permission=permissions.EMPLOYEES_VIEW,
                order=500,
                start=("hr",),
            )
        )
        nav.register(
            nav.Entry(
                code="roster",
                label=_("Roster"),
                icon="calendar-user",
                url_name="roster",
                group="management",
                permission=permissions.ROSTER_VIEW,
                order=510,
            )
        )

        def list_missing(actor: Any) -> bool:
            """Who keeps the calendar sees on the rail that a year's list of holidays isn't there."""
            from dealership.kernel.holidays import missing_year

            return actor.may(CALENDAR_MANAGE) and missing_year() is not None

        def lists_wanted(actor: Any) -> int:
            return int(list_missing(actor))

        nav.register(
            nav.Entry(
                code="calendar",
                label=_("Working calendar"),
                icon="calendar-stats",
                url_name="calendar",
                group="management",
                permission=permissions.ROSTER_VIEW,
                order=520,
                count=lists_wanted,
                hot=list_missing,
            )
        )
