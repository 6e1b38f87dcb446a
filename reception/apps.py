"""Chapter 2: customers, vehicles, appointments and visits."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ReceptionConfig(AppConfig):
    name = "reception"
    label = "reception"
    verbose_name = _("Reception")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from dealership.kernel import navigation

        from . import permissions

        # --- customers and vehicles (2.3) ---
        navigation.register(
            navigation.Entry(
                code="customers",
                label=_("Customers"),
                icon="users",
                url_name="customers",
                group="front",
                permission=permissions.CUSTOMERS_VIEW,
                order=60,
            )
        )

        # --- hand-over of work (1.2), in the order in which rows are locked ---
        from staff.services.employees import HANDOVERS

        from .services.appointments import hand_over_appointments
        from .services.consultations import hand_over_consultations
        from .services.handing_over import hand_over_customers, hand_over_visits
        from .services.knowledge import hand_over_articles

        HANDOVERS.extend((hand_over_customers, hand_over_appointments, hand_over_visits, hand_over_consultations))
        HANDOVERS.append(hand_over_articles)

        # --- loan cars that are out hold their car without a plan (2.4) ---
        from dealership.catalogue.services.plans import HELD_BY_OTHERS

        from .selectors.loans import out_spans

        HELD_BY_OTHERS.append(out_spans)

        # --- appointments (2.4) ---
        from .selectors import appointments

        navigation.register(
            navigation.Entry(
                code="appointments",
                label=_("Appointments"),
                icon="calendar-event",
                url_name="appointments",
                group="front",
                permission=permissions.APPOINTMENTS_VIEW,
                order=20,
                count=appointments.today_count,
                hot=appointments.has_requests,
                phone=True,
            )
        )
        navigation.register(
            navigation.Entry(
                code="preparation",
                label=_("Preparation"),
                icon="checklist",
                url_name="appointment-preparation",
                group="workshop",
                permission=permissions.APPOINTMENTS_VIEW,
                order=80,
            )
        )

        # --- consultations (2.2) ---
        from dealership.kernel.transports import HEADERS

        from .services.mail import thread_headers

        HEADERS.append(thread_headers)

        from .selectors import consultations, knowledge

        navigation.register(
            navigation.Entry(
                code="knowledge",
                label=_("Knowledge"),
                icon="book",
                url_name="knowledge",
                group="front",
                permission=permissions.KNOWLEDGE_VIEW,
                order=26,
                count=knowledge.due_count,
            )
        )
        navigation.register(
            navigation.Entry(
                code="prices",
                label=_("Price list"),
                icon="tag",
                url_name="price-list",
                group="front",
                permission=permissions.QUOTATIONS_VIEW,
                order=27,
            )
        )
        navigation.register(
            navigation.Entry(
                code="consultations",
                label=_("Questions"),
                icon="messages",
                url_name="consultations",
                group="front",
                permission=permissions.CONSULTATIONS_VIEW,
                order=25,
                count=consultations.waiting_count,
                hot=consultations.has_late,
                phone=True,
            )
        )

        from .selectors import loans

        navigation.register(
            navigation.Entry(
                code="loans",
                label=_("Loan cars"),
                icon="car",
                url_name="loans",
                group="front",
                permission=permissions.LOANS_VIEW,
                order=43,
                count=loans.loans_out,
                hot=loans.has_overdue,
            )
        )

        from .selectors import transports

        navigation.register(
            navigation.Entry(
                code="transports",
                label=_("Fetch and bring back"),
                icon="steering-wheel",
                url_name="transports",
                group="front",
                permission=permissions.TRANSPORTS_VIEW,
                order=42,
                count=transports.open_count,
            )
        )
        navigation.register(
            navigation.Entry(
                code="observations",
                label=_("Observations"),
                icon="eye",
                url_name="observations",
                group="management",
                permission=permissions.RECEPTION_OBSERVE,
                order=36,
            )
        )
        navigation.register(
            navigation.Entry(
                code="reception-effect",
                label=_("Effect of the reception"),
                icon="chart-bar",
                url_name="reception-effect",
                group="management",
                permission=permissions.EFFECT_VIEW,
                order=35,
            )
        )

        # --- today, receiving, keys (2.1.2) ---
        from .selectors.checklists import has_late, late_count
        from .selectors.today import has_unreceived, waiting_count

        for entry in (
            navigation.Entry(
                code="today",
                label=pgettext_lazy("board", "Today"),
                icon="layout-kanban",
                url_name="today",
                group="front",
                permission=permissions.VISITS_VIEW,
                order=10,
                count=waiting_count,
                hot=has_unreceived,
                phone=True,
            ),
            navigation.Entry(
                code="receive",
                label=_("Receive"),
                icon="car",
                url_name="visit-new",
                group="front",
                permission=permissions.VISITS_RECEIVE,
                order=30,
                phone=True,
            ),
            navigation.Entry(
                code="keys",
                label=_("Keys"),
                icon="key",
                url_name="keys",
                group="front",
                permission=permissions.VISITS_KEYS,
                order=40,
            ),
            navigation.Entry(
                code="checklists",
                label=_("Opening check"),
                icon="list-check",
                url_name="checklists",
                group="front",
                permission=permissions.CHECKLISTS_FILL,
                order=44,
                count=late_count,
                hot=has_late,
            ),
            navigation.Entry(
                code="evening-count",
                label=_("Evening count"),
                icon="moon",
                url_name="evening-count",
                group="front",
                permission=permissions.EVENING_COUNT,
                order=45,
            ),
        ):
            navigation.register(entry)
