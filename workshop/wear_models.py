"""Wear parts (易损耗零部件): how long the maker answers for each kind, from a day of sale on (domain 3.6)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, User


class WearPart(models.TextChoices):
    """The kinds that the 三包 certificate of a car lists with a period of their own."""

    AIR_FILTER = "AIR_FILTER", pgettext_lazy("wear part", "Air filter")
    CABIN_FILTER = "CABIN_FILTER", pgettext_lazy("wear part", "Cabin filter")
    OIL_FILTER = "OIL_FILTER", pgettext_lazy("wear part", "Oil filter")
    FUEL_FILTER = "FUEL_FILTER", pgettext_lazy("wear part", "Fuel filter")
    SPARK_PLUG = "SPARK_PLUG", pgettext_lazy("wear part", "Spark plug")
    BRAKE_LINING = "BRAKE_LINING", pgettext_lazy("wear part", "Brake lining")
    CLUTCH_DISC = "CLUTCH_DISC", pgettext_lazy("wear part", "Clutch disc")
    TYRE = "TYRE", pgettext_lazy("wear part", "Tyre")
    BATTERY = "BATTERY", pgettext_lazy("wear part", "Starter battery")
    KEY_BATTERY = "KEY_BATTERY", pgettext_lazy("wear part", "Battery of the key")
    BULB = "BULB", pgettext_lazy("wear part", "Bulb")
    WIPER_BLADE = "WIPER_BLADE", pgettext_lazy("wear part", "Wiper blade")
    FUSE = "FUSE", pgettext_lazy("wear part", "Fuse or plain relay")


WEAR_IS_OVER = """
    SELECT 1 FROM (
        SELECT COALESCE(v.delivered_on, v.invoiced_on) AS since, COALESCE(m.make, '') AS make,
            (COALESCE((SELECT min(a.at) FROM workshop_authorization a WHERE a.order_id = o.id
                AND a.status IN ('APPROVED', 'NOT_REQUIRED')), o.opened_at) AT TIME ZONE s.time_zone)::date AS day,
            t.odometer_in_km AS km
        FROM workshop_orderline l JOIN workshop_repairorder o ON o.id = l.order_id
        JOIN kernel_store s ON s.id = o.store_id JOIN reception_visit t ON t.id = o.visit_id
        JOIN reception_vehicle v ON v.id = o.vehicle_id LEFT JOIN catalogue_vehiclemodel m ON m.id = v.model_id
        WHERE l.id = NEW.line_id) car
    CROSS JOIN LATERAL (
        SELECT w.months, w.km FROM workshop_wearterm w WHERE w.kind = NEW.wear AND w.make IN ('', car.make)
            AND w.starts_on <= car.since ORDER BY w.make DESC, w.starts_on DESC LIMIT 1) term
    WHERE car.day > (car.since + make_interval(months => term.months))::date OR car.km > term.km
"""
"""SQL of a row: the period of the wear part that NEW names is over for its car on the day its repair was agreed."""


class WearTerm(Root):
    """For cars sold from ``starts_on`` on, a kind of wear part is answered for so many months or km, whichever is first.

    ``make`` is the make it holds for, empty for all; a make's own entry goes before the general one, and of each the latest
    that had begun on the day of sale holds. ``source`` names the maker's paper. Entries are never changed.
    """

    store_path = None

    kind = models.CharField(max_length=12, choices=WearPart.choices)
    make = models.CharField(_("make"), max_length=40, blank=True)
    months = models.PositiveSmallIntegerField()
    km = models.PositiveIntegerField()
    starts_on = models.DateField()
    source = models.CharField(_("the maker's paper"), max_length=120)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["kind", "make", "-starts_on", "-id"]
        triggers = [states.versioned(), states.append_only("wearterm_append_only")]
        constraints = [
            models.UniqueConstraint(name="wearterm_once", fields=["kind", "make", "starts_on"]),
            models.CheckConstraint(name="wearterm_kind", condition=Q(kind__in=WearPart.values)),
            models.CheckConstraint(
                name="wearterm_period", condition=Q(months__gte=1, months__lte=120, km__gte=1, km__lte=500_000)
            ),
            models.CheckConstraint(name="wearterm_source", condition=~Q(source="")),
        ]


explain_constraint("wearterm_once", "wear.known", _("The list has an entry for this part, make and day already."))
explain_constraint("wearterm_period", "wear.period", _("Give 1 to 120 months and 1 to 500,000 km."))
explain_constraint("wearterm_source", "wear.source", _("Name the maker's paper that says so."))
