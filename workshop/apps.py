"""Chapter 3: repair orders, authorisation, clocking, parts and inspection."""

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class WorkshopConfig(AppConfig):
    name = "workshop"
    label = "workshop"
    verbose_name = _("Workshop")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel import navigation, saying
        from reception.selectors.search import SOURCES, Series, series_source
        from staff.services.employees import HANDOVERS

        from . import permissions
        from .models import RepairOrder
        from .selectors.orders import count_running
        from .services.dispatch import hand_over_dispatches
        from .services.orders import hand_over_orders
        from .services.reassembly import PUT_TOGETHER

        # --- repair orders ---
        SOURCES.append(
            series_source(
                Series(
                    kind="RO",
                    model=RepairOrder,
                    page="order-detail",
                    label=_("Repair order"),
                    permission=permissions.ORDERS_VIEW,
                    vehicle="vehicle",
                    person="customer__name",
                    short=True,
                )
            )
        )
        from .selectors.old_parts import tag_hits

        SOURCES.append(tag_hits)
        saying.PHRASES.append(PUT_TOGETHER)
        HANDOVERS.extend((hand_over_dispatches, hand_over_orders))  # resources are locked before orders
        navigation.register(
            navigation.Entry(
                code="orders",
                label=_("Repair orders"),
                icon="tools",
                url_name="order-list",
                group="workshop",
                permission=permissions.ORDERS_VIEW,
                order=20,
                count=count_running,
                phone=True,
            )
        )

        # --- what bookings have to leave room for (2.4) ---
        from reception.selectors.capacity import CARRIED, PART_DATES, PARTS_THERE

        from .selectors.carried import carried_over
        from .selectors.stock import availability, parts_due

        CARRIED.append(carried_over)
        PART_DATES.append(parts_due)
        PARTS_THERE.append(availability)

        # --- dispatch, clocking, inspections ---
        from .selectors.inspections import count_waiting
        from .selectors.jobs import count_mine
        from .selectors.plan import count_loose

        for code, label, icon, url_name, permission, order, count, start in (
            ("my-jobs", _("My jobs"), "player-play", "my-jobs", permissions.JOBS_OWN, 5, count_mine, ("technician",)),
            ("plan", _("Workshop plan"), "calendar-time", "plan", permissions.PLAN_VIEW, 10, count_loose, ("foreman",)),
            ("team", _("Team"), "users-group", "team", permissions.TEAM_VIEW, 12, None, ()),
            (
                "inspections",
                _("Inspections"),
                "shield-check",
                "inspections",
                permissions.INSPECTIONS_VIEW,
                40,
                count_waiting,
                ("leader", "inspector", "techdirector"),
            ),
        ):
            navigation.register(
                navigation.Entry(
                    code=code,
                    label=label,
                    icon=icon,
                    url_name=url_name,
                    group="workshop",
                    permission=permission,
                    order=order,
                    count=count,
                    phone=True,
                    start=start,
                )
            )

        # --- declined advice ---
        from .selectors.advice import due_count

        navigation.register(
            navigation.Entry(
                code="advice",
                label=_("Declined advice"),
                icon="message-2-question",
                url_name="advice-list",
                group="delivery",
                permission=permissions.ADVICE_WORK,
                order=60,
                count=due_count,
            )
        )

        # --- outside work ---
        navigation.register(
            navigation.Entry(
                code="sublets",
                label=_("Outside work"),
                icon="building-factory",
                url_name="sublets",
                group="workshop",
                permission=permissions.SUBLETS_WORK,
                order=50,
            )
        )

        # --- statutory warranty ---
        navigation.register(
            navigation.Entry(
                code="fault-alerts",
                label=_("Statutory warranty"),
                icon="shield-half",
                url_name="fault-alerts",
                group="workshop",
                permission=permissions.FAULTS_VIEW,
                order=55,
            )
        )

        # --- parts and stock ---
        from dealership.catalogue.services.parts import LIES_SOMEWHERE
        from workshop.selectors.stock import lies_somewhere

        LIES_SOMEWHERE.append(lies_somewhere)
        from workshop.selectors.stock import wanted_counts

        def parts_to_issue(actor: Any) -> int:
            return wanted_counts(actor)["ISSUE"]

        navigation.register(
            navigation.Entry(
                code="parts",
                label=_("Parts"),
                icon="package",
                url_name="parts-board",
                group="workshop",
                permission=permissions.STOCK_VIEW,
                order=60,
                start=("parts",),
                count=parts_to_issue,
                phone=True,
            )
        )
        navigation.register(
            navigation.Entry(
                code="stock",
                label=_("Stock"),
                icon="packages",
                url_name="stock-list",
                group="workshop",
                permission=permissions.STOCK_MOVE,
                order=65,
                start=("parts",),
            )
        )

        # --- claims to the maker ---
        from .selectors.warranty_claims import count_late

        navigation.register(
            navigation.Entry(
                code="warranty-claims",
                label=_("Warranty claims"),
                icon="file-dollar",
                url_name="warranty-claims",
                group="workshop",
                permission=permissions.WARRANTY_CLAIMS_PAY,
                order=56,
                count=count_late,
                hot=lambda _actor: True,
            )
        )

        # --- old parts ---
        from .selectors.old_parts import count_overdue

        navigation.register(
            navigation.Entry(
                code="old-parts",
                label=_("Old parts"),
                icon="recycle",
                url_name="old-parts",
                group="workshop",
                permission=permissions.OLD_PARTS_KEEP,
                order=67,
                count=count_overdue,
                hot=lambda _actor: True,
            )
        )

        # --- tools ---
        from .selectors.tools import count_tools_due

        navigation.register(
            navigation.Entry(
                code="tools",
                label=pgettext_lazy("crib", "Tools"),
                icon="ruler-measure",
                url_name="tools",
                group="workshop",
                permission=permissions.TOOLS_VIEW,
                order=70,
                count=count_tools_due,
                hot=lambda _actor: True,
            )
        )
