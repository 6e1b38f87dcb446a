"""Figures by store and day (6.2): numerator and denominator, never only the ratio; and the days still to recompute."""

from __future__ import annotations

from django.db import models

from dealership.kernel import clock
from dealership.kernel.models import ScopedQuerySet, Store


class KpiValue(models.Model):
    """One figure of one store on one day; ``dimension`` is '' for the whole store or a uid (advisor, technician)."""

    store_path = "store_id"
    link_path = None

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    day = models.DateField()
    dimension = models.CharField(max_length=60, blank=True)
    numerator = models.DecimalField(max_digits=16, decimal_places=4)
    denominator = models.DecimalField(max_digits=16, decimal_places=4)
    computed_at = models.DateTimeField(default=clock.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "code", "day", "dimension"], name="kpivalue_once")]
        indexes = [models.Index(fields=["code", "day"], name="kpivalue_day")]


class KpiTouchedDay(models.Model):
    """A store's day whose figures an event has touched since they were last computed."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="+")
    day = models.DateField()
    touched_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "day"], name="kpitouchedday_once")]
