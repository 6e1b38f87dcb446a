"""The maker's list of wear parts, entered as its papers say (domain 3.6)."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from workshop import events, permissions
from workshop.wear_models import WearPart, WearTerm


@transaction.atomic
def enter_wear_term(
    *, kind: str, months: int, km: int, starts_on: date, source: str, by: Actor, make: str = ""
) -> WearTerm:
    """For cars of ``make`` (empty: all) sold from ``starts_on`` on, a kind of wear part is answered for ``months`` or ``km``.

    A later entry takes the place of an earlier one for cars sold from its day on; none is changed. Raises RuleError
    ``wear.kind``, ``wear.period``, ``wear.source`` and ``wear.known``.
    """
    by.require(permissions.WEAR_LIST)
    if kind not in WearPart.values:
        raise RuleError("wear.kind", _("Choose the kind of wear part."), field="kind")
    if not (1 <= months <= 120 and 1 <= km <= 500_000):
        raise RuleError("wear.period", _("Give 1 to 120 months and 1 to 500,000 km."), field="months")
    paper, of = formats.one_line(source)[:120], formats.one_line(make)[:40]
    if not paper:
        raise RuleError("wear.source", _("Name the maker's paper that says so."), field="source")
    if WearTerm.objects.filter(kind=kind, make=of, starts_on=starts_on).exists():
        raise RuleError(
            "wear.known", _("The list has an entry for this part, make and day already."), field="starts_on"
        )
    term = WearTerm.objects.create(
        kind=kind, make=of, months=months, km=km, starts_on=starts_on, source=paper, entered_by=by.user
    )
    record(
        term,
        events.WEAR_TERM_ENTERED,
        by=by,
        store_id=by.store_id,
        kind=kind,
        months=months,
        km=km,
        starts_on=starts_on,
    )
    return term
