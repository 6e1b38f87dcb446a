"""What a lift that isn't fit keeps from its bay: plans, clockings; and who is told of it (3.4)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Resource
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.models import MessageChannel
from dealership.kernel.services import queue_message
from staff.selectors.employees import employees_with_role
from workshop.selectors.lifts import jobs_ahead, lift_of, why_unfit
from workshop.tool_models import AssetKind, ToolAsset


def refuse_unfit_lift(bay: Resource, day: date, *, code: str, text: Any, **more: Any) -> None:
    """Raises RuleError ``code`` where the bay's lift is found wrong, waits for its check or is past its test on ``day``."""
    found = lift_of(bay)
    why = found.unfit(day) if found is not None else ""
    if why:
        raise RuleError(code, text, bay=bay.said, why=why, **more)


NOT_PLANNED = _(
    "%(bay)s isn't to be used: %(why)s. Choose another bay, or have the lift repaired and tested first (3.4)."
)
NOT_STARTED = _("%(bay)s isn't to be used: %(why)s. Let the foreman give the work another bay (3.4).")


@transaction.atomic
def tell_foremen(*, tool_uid: UUID, key: str, by: Actor) -> int:
    """Who gives out work reads that a bay's lift is out of use, and how much is planned there; returns how many are told."""
    lift = ToolAsset.objects.select_related("store", "bay").get(uid=tool_uid)
    why = why_unfit(lift, clock.today(lift.store.time_zone))
    if lift.kind != AssetKind.LIFT or lift.bay is None or not why:
        return 0
    jobs = jobs_ahead(lift)
    told = 0
    for person in employees_with_role(lift.store_id, "foreman").select_related("user"):
        if person.user is None:
            continue
        with override(person.user.language):
            body = gettext("%(bay)s isn't to be used: %(why)s. Jobs planned there: %(jobs)s. Look at the plan.") % {
                "bay": lift.bay.said,
                "why": why_unfit(lift, clock.today(lift.store.time_zone)),
                "jobs": jobs,
            }
        queue_message(
            key=f"{key}:{person.pk}",
            store=lift.store,
            channel=MessageChannel.STAFF,
            recipient=person.number,
            recipient_name=person.name,
            template="workshop.lift_unfit",
            language=person.user.language,
            body=body,
            by=by,
        )
        told += 1
    return told
