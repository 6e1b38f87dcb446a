"""Packages of a store: written in versions, each from a day on (3.1)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import Operation, PackageItem, PackagePart, PayType, Powertrain, ServicePackage
from dealership.catalogue.services.prices import labor_rate, price_part
from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.money import ZERO, line_amount, round_money


@transaction.atomic
def set_package(
    *,
    code: str,
    name: str,
    price: Decimal,
    operation_uids: list[UUID],
    starts_on: date,
    by: Actor,
    name_en: str = "",
    make: str = "",
    series: str = "",
    powertrain: str = "",
) -> ServicePackage:
    """Offers some work with its usual parts at one ``price`` (CNY with VAT) from a day on, for some cars (3.1).

    The version of the same code before it ends the day before. Raises RuleError ``package.code``, ``.name``, ``.scope``,
    ``.empty`` (two pieces of work at least), ``.price`` (not less than its single prices that day), ``.later`` (a
    version from that day or later is there), and ``price.rate_missing`` and ``price.part_missing``.
    """
    by.require(permissions.PRICES_MANAGE)
    store = Store.objects.locked().get(pk=by.store_id)  # two versions of one code are written one after the other
    code, words = formats.one_line(code).upper()[:12], formats.one_line(name)[:60]
    if not code:
        raise RuleError("package.code", _("Give the package a short code."), field="code")
    if not words:
        raise RuleError("package.name", _("Give the package a name."), field="name")
    make, series = make.strip()[:40], series.strip()[:60]
    if powertrain not in ("", *Powertrain.values):
        raise RuleError("package.scope", _("There is no such kind of energy."), field="powertrain")
    if series and not make:
        raise RuleError("package.scope", _("A series belongs to a make; name it too."), field="make")
    operations = list(
        Operation.objects.filter(uid__in=operation_uids, active=True, is_diagnosis=False)
        .prefetch_related("parts__part")
        .order_by("code")
    )
    if len(operations) < 2 or len(operations) != len(set(operation_uids)):
        raise RuleError("package.empty", _("A package holds two pieces of work at least."), field="operations")
    single = single_price(operations, store.pk, starts_on)
    price = round_money(price)
    if price <= 0 or price >= single:
        raise RuleError(
            "package.price",
            _("A package costs less than its work one by one, which is ¥%(single)s that day."),
            field="price",
            single=f"{single:,.2f}",
        )
    rows = ServicePackage.objects.filter(store=store, code=code)
    if rows.filter(starts_on__gte=starts_on).exists():
        raise RuleError(
            "package.later",
            _("A version from that day or later is there already; choose a later day."),
            field="starts_on",
        )
    before = rows.filter(ends_on__isnull=True).first()
    if before is not None:
        _end(before, starts_on - timedelta(days=1), by=by)
    made = ServicePackage.objects.create(
        store=store,
        code=code,
        number=(rows.aggregate(last=Max("number"))["last"] or 0) + 1,
        name=words,
        name_en=formats.one_line(name_en)[:60],
        make=make,
        series=series,
        powertrain=powertrain,
        price=price,
        starts_on=starts_on,
    )
    for operation in operations:
        item = PackageItem.objects.create(package=made, operation=operation)
        for need in operation.parts.all():
            PackagePart.objects.create(item=item, part=need.part, quantity=need.quantity)
    record(
        made,
        events.PACKAGE_SET,
        by=by,
        store_id=store.pk,
        number=made.number,
        price=price,
        operations=[operation.code for operation in operations],
    )
    return made


def single_price(operations: list[Operation], store_id: int, on: date) -> Decimal:
    """What the work and its usual parts cost one by one on a day, CNY with VAT."""
    rate = labor_rate(store_id, PayType.CUSTOMER_PAY, on)
    total = ZERO
    for operation in operations:
        total += line_amount(operation.hours, rate)
        total += sum((line_amount(n.quantity, price_part(n.part, store_id, on)) for n in operation.parts.all()), ZERO)
    return round_money(total)


def _end(package: ServicePackage, on: date, *, by: Actor) -> None:
    package.ends_on = on
    package.save(update_fields=["ends_on"])
    record(package, events.PACKAGE_ENDED, by=by, store_id=package.store_id, changed={"ends_on": (None, on)})


@transaction.atomic
def end_package(*, uid: UUID, ends_on: date, by: Actor) -> ServicePackage:
    """The last day on which a package is offered. Raises RuleError ``package.ended`` and ``package.period``."""
    by.require(permissions.PRICES_MANAGE)
    package = ServicePackage.objects.for_actor(by).locked().get(uid=uid)
    if package.ends_on is not None:
        raise RuleError("package.ended", _("This version has its last day already."))
    if ends_on < package.starts_on:
        raise RuleError("package.period", _("The last day isn't before the first one."), field="ends_on")
    _end(package, ends_on, by=by)
    return package
