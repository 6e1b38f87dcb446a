"""The due list of a car for other systems (3.1): what its plan asks for, why, and at what price."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from dealership.kernel.actors import Actor
from dealership.kernel.api.resources import Listing, register_listing
from dealership.kernel.api.shapes import Choice, Day, Flag, ListOf, Money, Text, Uid, Whole
from dealership.kernel.models import Store
from reception.models import Vehicle
from workshop import permissions
from workshop.maintenance_rules import Standing
from workshop.selectors.maintenance import due_list


def _due(values: dict[str, Any], by: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    """At the prices of the caller's store, or of the one named where it acts in several."""
    vehicle = Vehicle.objects.for_actor(by).filter(uid=values["vehicle_uid"]).first()
    asked = Q(code=values["store_code"]) if values.get("store_code") else Q()
    stores = Store.objects.filter(asked).order_by("pk")
    store = (stores if by.store_ids is None else stores.filter(pk__in=by.store_ids)).first()
    found = due_list(vehicle, store_id=store.pk) if vehicle and store else None
    if found is None:  # no such car, or no plan for it
        return [], False, None
    rows = [
        {
            "operation_code": row.operation.code,
            "name": row.operation.said,
            "standing": row.standing,
            "why": row.why,
            "due_on": row.due.due_on,
            "due_km": row.due.due_km,
            "expected_on": row.due.expected_on,
            "last_on": row.due.last.on if row.due.last else None,
            "last_km": row.due.last.km if row.due.last else None,
            "amount": row.amount,
            "sooner": row.due.sooner,
            "brings": row.brings,
            "covered": row.covered,
        }
        for row in found.rows
    ]
    return rows[: values["limit"]], len(rows) > values["limit"], None


register_listing(
    Listing(
        path="maintenance-due",
        name="MaintenanceDue",
        room="workshop",
        view=permissions.ORDERS_VIEW,
        help="What a car is due for by its plan and its own history, the most urgent first (3.1).",
        parameters={
            "vehicle_uid": Uid(help="The car."),
            "store_code": Text(4, min=1, help="Whose prices hold, where the caller acts in several stores."),
        },
        required=("vehicle_uid",),
        shape={
            "operation_code": Text(),
            "name": Text(),
            "standing": Choice(choices=tuple(Standing)),
            "why": Text(help="In words of the request's language."),
            "due_on": Day(null=True),
            "due_km": Whole(null=True),
            "expected_on": Day(null=True, help="When the first of both is reached as the car is driven now."),
            "last_on": Day(null=True),
            "last_km": Whole(null=True),
            "amount": Money(null=True, help="Labour and parts, CNY with VAT; null where a price is missing."),
            "sooner": Flag(help="By the plan's shorter intervals, because its use is hard."),
            "brings": ListOf(inner=Text(), help="Shorter work that it includes."),
            "covered": Flag(help="Included in another row."),
        },
        read=_due,
    )
)
