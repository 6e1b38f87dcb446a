"""A package of a store, and one that stands on an order."""

from __future__ import annotations

from dealership.catalogue.models import Operation, ServicePackage
from dealership.catalogue.services.packages import set_package, single_price
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.money import round_money
from workshop.models import RepairOrder
from workshop.package_models import OrderPackage
from workshop.services import packages


def make_package(by: Actor, *codes: str, code: str = "PK-77") -> ServicePackage:
    """Ten per cent off what the work costs one by one, from today on."""
    held = list(Operation.objects.filter(code__in=codes or ("MT-50", "TY-20")))
    price = round_money(single_price(held, by.store_id, clock.today()) * 9 / 10)
    return set_package(
        code=code, name="换液套餐", price=price, operation_uids=[o.uid for o in held], starts_on=clock.today(), by=by
    )


def put_package_on(order: RepairOrder, *, manager: Actor, by: Actor) -> OrderPackage:
    return packages.put_package(order_uid=order.uid, package_uid=make_package(manager).uid, by=by)
