"""What the master says of a part (3.2)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import Part, Tracing
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record

LIES_SOMEWHERE: list[Callable[[Part], bool]] = []
"""What upper chapters know of a locked part: does any of it lie in any store?"""


@transaction.atomic
def set_tracing(*, part_uid: UUID, tracing: str, by: Actor) -> Part:
    """3.2: whether deliveries of a part name a batch or serial numbers; for the whole group.

    It may begin while some lies in a store: that counts as from before tracing until it is used up or named. How it is
    traced is changed, and tracing ended, while no store has any of it. Raises RuleError ``part.tracing``,
    ``part.tracing_same`` and ``part.in_stock``.
    """
    by.require(permissions.PARTS_MANAGE)
    if tracing not in Tracing.values:
        raise RuleError("part.tracing", _("Choose whether batches or serial numbers are named."), field="tracing")
    part = Part.objects.locked().get(uid=part_uid)
    if part.tracing == tracing:
        raise RuleError("part.tracing_same", _("The part is traced like that already."), field="tracing")
    if part.tracing != Tracing.NONE and any(lies(part) for lies in LIES_SOMEWHERE):
        raise RuleError(
            "part.in_stock",
            _("Some of it lies in a store; count it down to zero, change this, and receive it anew with its numbers."),
            field="tracing",
        )
    before, part.tracing = part.tracing, tracing
    part.save(update_fields=["tracing"])
    record(part, events.PART_TRACING_SET, by=by, changed={"tracing": (before, tracing)})
    return part


@transaction.atomic
def set_handling(*, part_uid: UUID, leaves_old: bool, high_voltage: bool, by: Actor) -> Part:
    """3.2: whether an old part comes off where this one is put in, and whether it belongs to the high-voltage system.

    For the whole group. Raises RuleError ``part.handling_same``.
    """
    by.require(permissions.PARTS_MANAGE)
    part = Part.objects.locked().get(uid=part_uid)
    before = part.leaves_old, part.high_voltage
    if before == (leaves_old, high_voltage):
        raise RuleError("part.handling_same", _("That stands there already."))
    part.leaves_old, part.high_voltage = leaves_old, high_voltage
    part.save(update_fields=["leaves_old", "high_voltage"])
    changed = {"leaves_old": (before[0], leaves_old), "high_voltage": (before[1], high_voltage)}
    record(part, events.PART_HANDLING_SET, by=by, changed={k: v for k, v in changed.items() if v[0] != v[1]})
    return part
