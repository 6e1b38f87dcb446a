"""A part that the customer brings is received and looked at before it is fitted (3.2)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PartKind
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.services import store_file
from reception.pictures import clean_picture
from staff.selectors.employees import require_employee
from workshop import events, permissions
from workshop.models import OrderLine, PartLine
from workshop.own_part_models import OwnPartCheck, OwnPartCondition, OwnPartPackaging
from workshop.selectors.own_parts import BEFORE_FITTING, unfit
from workshop.services.orders import locked_line


@transaction.atomic
def check_own_part(
    *,
    part_line_uid: UUID,
    condition: str,
    packaging: str,
    damaged: bool,
    fits: bool,
    by: Actor,
    quantity: Decimal | None = None,
    note: str = "",
    photo: bytes | None = None,
) -> OwnPartCheck:
    """3.2: writes down how a part looks that the customer brought, and whether it fits the car.

    ``quantity`` (the part's unit) says how many were looked at; left out: all that the line needs. A damaged part, or one
    that doesn't fit, isn't fitted; ``note`` says why. The last check counts, so a better part that is brought is checked
    again. Raises RuleError ``own_part.none`` (not the customer's, or the work is done), ``own_part.note``,
    ``own_part.choice`` and ``part.quantity``.
    """
    by.require(permissions.PARTS_CHECK_OWN)
    keeper = require_employee(by)
    line_uid = PartLine.objects.for_actor(by).values_list("line__uid", flat=True).get(uid=part_line_uid)
    line = locked_line(line_uid, by)
    part_line = PartLine.objects.locked().select_related("part").get(uid=part_line_uid)
    if part_line.kind != PartKind.CUSTOMER_SUPPLIED or line.state not in BEFORE_FITTING:
        raise RuleError(
            "own_part.none", _("This is no part that the customer brings, or the work with it is done already.")
        )
    if condition not in OwnPartCondition.values or packaging not in OwnPartPackaging.values:
        raise RuleError("own_part.choice", _("Choose how the part looks."), field="condition")
    looked_at = part_line.quantity if quantity is None else quantity
    if looked_at <= 0:
        raise RuleError("part.quantity", _("A quantity is more than nothing."), field="quantity")
    words = formats.one_line(note)[:200]
    if (damaged or not fits) and not words:
        raise RuleError(
            "own_part.note", _("Say why this part can't be fitted; the customer asks about it."), field="note"
        )
    order = line.order
    kept = (
        store_file(
            content=clean_picture(photo), name="own-part.jpg", store_id=order.store_id, by=by, visit_uid=order.visit.uid
        )
        if photo
        else None
    )
    check: OwnPartCheck = OwnPartCheck.objects.create(
        line=line,
        part=part_line.part,
        quantity=looked_at,
        condition=condition,
        packaging=packaging,
        damaged=damaged,
        fits=fits,
        note=words,
        photo=kept,
        checked_by=keeper,
        checked_at=clock.now(),
    )
    record(
        check,
        events.OWN_PART_CHECKED,
        by=by,
        store_id=order.store_id,
        line=line.uid,
        part=part_line.part.uid,
        quantity=looked_at,
        condition=condition,
        packaging=packaging,
        damaged=damaged,
        fits=fits,
    )
    return check


def refuse_unchecked(line: OrderLine) -> None:
    """Raises RuleError ``own_part.unchecked``: work with a part that nobody looked at, or that was refused, isn't done."""
    for row in unfit(line):
        if row.check is None or row.check.accepted:
            raise RuleError(
                "own_part.unchecked",
                _("“%(part)s” is the customer's own: have it looked at before it is fitted."),
                part=row.part_line.part.said,
            )
        raise RuleError(
            "own_part.unchecked",
            _(
                "“%(part)s” that the customer brought was refused (%(note)s): have another one looked at, or withdraw the line."
            ),
            part=row.part_line.part.said,
            note=row.check.note,
        )
