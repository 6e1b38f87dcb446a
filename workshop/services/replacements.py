"""A line of work takes the part that follows its own one, or one that may stand in for it (3.2).

Lock order: order, line, part line, then both parts' stock by primary key.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PartKind, PayType
from dealership.catalogue.selectors.replacements import choices_for
from dealership.catalogue.services.prices import core_charge, price_part
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import line_amount
from dealership.kernel.saying import say_money
from workshop import events, permissions
from workshop.models import L, PartLine, StockItem
from workshop.services.orders import back_to_draft, locked_line, reprice_part
from workshop.services.stock import reserve_part


@transaction.atomic
def take_replacement(*, part_line_uid: UUID, part_uid: UUID, by: Actor) -> PartLine:
    """3.2: the line takes ``part`` in place of its own one, as the catalogue says it may today.

    Before the customer's yes it gets today's price (a quoted line's never rises), and a question that was sent is taken
    back. After it the part is of the same kind and costs the same or less; a dearer one is asked anew by another line.
    What was kept of the old part is free again, and the new one is kept. Raises RuleError ``part.no_replacement``,
    ``part.issued_already``, ``part.other_kind``, ``part.dearer`` and ``line.agreed``.
    """
    if not by.may(permissions.PARTS_RESERVE):
        by.require(permissions.LINES_EDIT)
    line = locked_line(PartLine.objects.for_actor(by).values_list("line__uid", flat=True).get(uid=part_line_uid), by)
    part_line = PartLine.objects.locked().select_related("part").get(uid=part_line_uid)
    part_line.line = line
    agreed = line.state in (L.AUTHORIZED, L.IN_PROGRESS)
    by.require(permissions.PARTS_RESERVE if agreed else permissions.LINES_EDIT)
    choices = {choice.part.uid: choice.part for choice in choices_for([part_line.part_id]).get(part_line.part_id, [])}
    part, before = choices.get(part_uid), part_line.part
    if part is None or part_line.kind == PartKind.CUSTOMER_SUPPLIED:
        raise RuleError("part.no_replacement", _("The catalogue doesn't name this part in place of the other one."))
    if part_line.has_history:
        raise RuleError(
            "part.issued_already",
            _("Something of this part was issued or moved already; write the other one beside it."),
        )
    price = price_part(part, line.order.store_id)
    if agreed and part.kind != part_line.kind:
        raise RuleError(
            "part.other_kind",
            _("The customer agreed to “%(agreed)s”, this one is “%(kind)s”; write another line and ask for it."),
            agreed=part_line.get_kind_display(),
            kind=part.get_kind_display(),
        )
    if agreed and price > part_line.unit_price:
        raise RuleError(
            "part.dearer",
            _("It costs %(price)s, the customer agreed to %(agreed)s; write another line and ask for it."),
            price=say_money(price),
            agreed=say_money(part_line.unit_price),
        )
    if not agreed:
        back_to_draft(line, by=by)
        part_line.kind = part.kind
        if line.quoted_id is not None and line.pay_type == PayType.CUSTOMER_PAY:
            price = min(price, part_line.unit_price)  # 2.2.2: what was quoted doesn't get dearer
    _free(part_line, store_id=line.order.store_id, others=[part.pk], by=by)
    old_price, before_price = part_line.unit_price, line_amount(part_line.quantity, part_line.unit_price)
    if line.pay_type == PayType.CUSTOMER_PAY:
        core = core_charge(part, line.order.store_id)
        part_line.core_price = min(core, part_line.core_price) if agreed else core
    part_line.part, part_line.unit_price, part_line.expected_on = part, price, None
    reprice_part(part_line, before_price)
    part_line.save(
        update_fields=[
            "part", "kind", "unit_price", "amount", "discount", "core_price", "reserved_quantity", "expected_on",
        ]
    )  # fmt: skip
    record(
        part_line, events.PART_REPLACED, by=by, store_id=line.order.store_id,
        changed={"part": (before.uid, part.uid), "unit_price": (old_price, price)}, line=line.uid, amount=part_line.amount,
    )  # fmt: skip
    if agreed:
        return reserve_part(part_line_uid=part_line.uid, by=by)
    return part_line


def _free(part_line: PartLine, *, store_id: int, others: list[int], by: Actor) -> None:
    """Gives back what is kept for a locked part line; the rows of stock of all these parts stay locked."""
    parts = [part_line.part_id, *others]
    StockItem.objects.bulk_create([StockItem(store_id=store_id, part_id=pk) for pk in parts], ignore_conflicts=True)
    rows = {
        row.part_id: row for row in StockItem.objects.locked().filter(store_id=store_id, part__in=parts).order_by("pk")
    }
    before = part_line.reserved_quantity
    if not before:
        return
    item = rows[part_line.part_id]
    item.reserved -= before
    item.save(update_fields=["reserved"])
    part_line.reserved_quantity = Decimal(0)
    record(
        part_line, events.PART_FREED, by=by, store_id=store_id, changed={"reserved_quantity": (before, Decimal(0))},
        part=part_line.part.uid, line=part_line.line.uid,
    )  # fmt: skip
