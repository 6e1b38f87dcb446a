"""Chapter 4: settlement, payment, hand-over, follow-up and surveys."""

from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "delivery"
    label = "delivery"
    verbose_name = _("Delivery")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # settlement, payment, hand-over and gate
        from dealership.kernel import navigation as nav
        from reception.selectors.capacity import DEPOSITS
        from reception.selectors.search import SOURCES, Series, series_source
        from reception.selectors.today import LANE_SOURCES, TILE_SOURCES
        from workshop.permissions import SALES_VIEW

        from . import permissions
        from .models import Settlement
        from .selectors.exits import board_size
        from .selectors.gate import gate_code_hits
        from .selectors.ways import delivery_lane, on_time_tile
        from .services.deposits import booking_deposit

        DEPOSITS.append(booking_deposit)
        LANE_SOURCES.append(delivery_lane)
        TILE_SOURCES.append(on_time_tile)
        SOURCES.append(
            series_source(
                Series(
                    kind="JS",
                    model=Settlement,
                    page="settlement-detail",
                    label=_("Settlement list"),
                    permission=permissions.SETTLEMENTS_VIEW,
                    vehicle="order__vehicle",
                    person="payer__name",
                )
            )
        )
        SOURCES.append(gate_code_hits)  # 2.1.2: a gate code that is scanned anywhere leads to its pass

        # 2.3, 4.1: a settlement list names who was asked to pay; merging customers leaves it as it is.
        from reception.services.merging import STAYS

        STAYS.add("delivery.settlement.payer")

        # 2.3: what a customer was asked to pay counts for the tier.
        from reception.services.segments import SPENT

        from .selectors.settlements import spent_by

        SPENT.append(spent_by)

        def ready_cars(actor: Any) -> int:
            return board_size(by=actor)

        nav.register(
            nav.Entry(
                code="delivery",
                label=_("Settle and hand over"),
                icon="receipt-yuan",
                url_name="delivery-board",
                group="delivery",
                permission=permissions.BOARD_VIEW,
                order=10,
                start=("cashier",),
                count=ready_cars,
                phone=True,
            )
        )
        nav.register(
            nav.Entry(
                code="payments",
                label=_("Payments"),
                icon="cash",
                url_name="payment-list",
                group="delivery",
                permission=permissions.PAYMENTS_VIEW,
                order=20,
                start=("accountant",),
            )
        )
        nav.register(
            nav.Entry(
                code="counter-sales",
                label=_("Counter sales"),
                icon="shopping-cart",
                url_name="counter-sales",
                group="workshop",
                permission=SALES_VIEW,
                order=67,
            )
        )
        nav.register(
            nav.Entry(
                code="gate",
                label=_("Gate"),
                icon="barrier-block",
                url_name="gate",
                group="delivery",
                permission=permissions.GATE_SCAN,
                order=30,
                start=("safety",),
            )
        )
        # --- follow-up and surveys ---
        from .selectors.followups import follow_up_counts

        def calls_due(actor: Any) -> int:
            return follow_up_counts(actor)["DUE"]

        nav.register(
            nav.Entry(
                code="follow-ups",
                label=_("Follow-up"),
                icon="phone-call",
                url_name="follow-up-list",
                group="delivery",
                permission=permissions.FOLLOW_UPS_VIEW,
                order=40,
                start=("care",),
                count=calls_due,
                phone=True,
            )
        )
        nav.register(
            nav.Entry(
                code="satisfaction",
                label=_("Satisfaction"),
                icon="mood-smile",
                url_name="satisfaction",
                group="delivery",
                permission=permissions.SURVEYS_VIEW,
                order=50,
            )
        )

        # --- rework within the guarantee ---
        from .selectors.rework import to_be_done

        nav.register(
            nav.Entry(
                code="rework",
                label=_("Rework"),
                icon="rotate-2",
                url_name="rework-list",
                group="workshop",
                permission=permissions.REWORK_VIEW,
                order=45,
                count=to_be_done,
            )
        )
