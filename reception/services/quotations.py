"""Quoting prices: drawn from the live price list, promised until a day, kept as they were given (2.2.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation, PayType, VehicleModel
from dealership.catalogue.services.operations import fit_hours
from dealership.catalogue.services.prices import price_model, price_operation, price_part
from dealership.kernel import clock, formats, limits, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.money import ZERO, line_amount
from staff.selectors.employees import employee_of

from .. import events, permissions
from ..limits import QUOTATION_DAYS
from ..models import Quotation, QuotationLine, QuotationPart
from .consultations import lock_consultation, match_contact

MOST_LINES = 30
LONGEST = timedelta(days=365)


@transaction.atomic
def give_quotation(
    *,
    by: Actor,
    operation_uids: Iterable[UUID] = (),
    model_uids: Iterable[UUID] = (),
    contact_name: str = "",
    contact_phone: str = "",
    plate: str = "",
    model_text: str = "",
    consultation_uid: UUID | None = None,
    valid_until: date | None = None,
) -> Quotation:
    """2.2.2: today's prices of operations (labour and usual parts) and of new cars, which the shop honours.

    ``valid_until`` (a day of the store, included) is ``quotation_days`` ahead where none is given. Whom and which car
    it is for is taken from the question where there is one. Raises RuleError ``quotation.empty``, ``quotation.long``,
    ``quotation.contact``, ``quotation.valid_until``, ``quotation.unknown`` and those of a price that isn't set.
    """
    by.require(permissions.QUOTATIONS_GIVE)
    store = Store.objects.get(pk=by.store_id)
    today = clock.today(store.time_zone)
    until = valid_until or today + timedelta(days=limits.value(QUOTATION_DAYS, store_id=store.pk))
    if not today <= until <= today + LONGEST:
        raise RuleError(
            "quotation.valid_until", _("It holds until today or a later day within a year."), field="valid_until"
        )
    operations, models = _chosen(operation_uids, model_uids)
    question = lock_consultation(uid=consultation_uid, by=by) if consultation_uid else None
    name = formats.one_line(contact_name)[:60] or (question.contact_name if question else "")
    phone = (
        formats.clean_phone(contact_phone) if contact_phone.strip() else (question.contact_phone if question else "")
    )
    vehicle, customer = match_contact(phone=phone, email="", plate=plate)
    vehicle = vehicle or (question.vehicle if question else None)
    customer = customer or (question.customer if question else None)
    name = name or (customer.name if customer else "") or (question.contact_email[:60] if question else "")
    if not (name or phone):
        raise RuleError("quotation.contact", _("Write down a name or a telephone number."), field="contact_name")
    quotation = Quotation.objects.create(
        store=store,
        number=numbering.next_number(store, "QT"),
        consultation=question,
        contact_name=name,
        contact_phone=phone,
        model_text=formats.one_line(model_text)[:80] or (question.model_text if question else ""),
        customer=customer,
        vehicle=vehicle,
        quoted_by=employee_of(by),
        valid_until=until,
    )
    total = ZERO
    for position, operation in enumerate(fit_hours(operations, vehicle.model_id if vehicle else None), 1):
        total += _write_operation(quotation, position, operation, today)
    for position, model in enumerate(models, len(operations) + 1):
        price = price_model(model, store.pk, today)
        QuotationLine.objects.create(
            quotation=quotation, position=position, model=model, description=str(model)[:120], amount=price
        )
        total += price
    quotation.total = total
    quotation.save(update_fields=["total"])
    record(
        quotation,
        events.QUOTATION_GIVEN,
        by=by,
        total=total,
        lines=len(operations) + len(models),
        valid_until=until,
        consultation=question.uid if question else None,
    )
    return quotation


def _chosen(operation_uids: Iterable[UUID], model_uids: Iterable[UUID]) -> tuple[list[Operation], list[VehicleModel]]:
    """What is quoted, in the order of codes and names; everything asked for must be there."""
    wanted, cars = set(operation_uids), set(model_uids)
    if not wanted and not cars:
        raise RuleError("quotation.empty", _("Choose at least one item of the price list."), field="op")
    if len(wanted) + len(cars) > MOST_LINES:
        raise RuleError(
            "quotation.long", _("No more than %(most)s items in one quotation."), field="op", most=MOST_LINES
        )
    operations = list(
        Operation.objects.filter(uid__in=wanted, active=True).prefetch_related("parts__part").order_by("code")
    )
    models = list(VehicleModel.objects.filter(uid__in=cars))
    if len(operations) != len(wanted) or len(models) != len(cars):
        raise RuleError(
            "quotation.unknown", _("One of the items isn't on the price list any more; choose again."), field="op"
        )
    return operations, models


def _write_operation(quotation: Quotation, position: int, operation: Operation, today: date) -> Decimal:
    """One operation with its usual parts at the prices of the day; returns its whole price."""
    quote = price_operation(operation, quotation.store_id, PayType.CUSTOMER_PAY, today)
    line = QuotationLine.objects.create(
        quotation=quotation,
        position=position,
        operation=operation,
        description=operation.name[:120],
        hours=quote.hours,
        rate=quote.rate,
        amount=quote.amount,
    )
    total = quote.amount
    for need in operation.parts.all():
        price = price_part(need.part, quotation.store_id, today)
        amount = line_amount(need.quantity, price)
        QuotationPart.objects.create(line=line, part=need.part, quantity=need.quantity, unit_price=price, amount=amount)
        total += amount
    return total
