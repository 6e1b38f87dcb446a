"""Chapter 5: employees, posts, skills and rosters."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StaffConfig(AppConfig):
    name = "staff"
    label = "staff"
    verbose_name = _("Staff")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel import navigation as nav

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
