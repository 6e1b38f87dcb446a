"""Reads of customers: lists, one record with what belongs to it, consents as they stand (2.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from reception.models import Consent, ConsentPurpose, Customer


def customer_of(*, uid: UUID, by: Any) -> Customer:
    """One customer; raises Customer.DoesNotExist."""
    return Customer.objects.for_actor(by).select_related("home_store").get(uid=uid)


def consents_of(customer: Customer) -> list[dict[str, Any]]:
    """Each purpose with what stands now and every decision before it, newest first."""
    rows: dict[str, list[Consent]] = {}
    for row in customer.consents.order_by("-at", "-id"):
        rows.setdefault(row.purpose, []).append(row)
    return [
        {
            "purpose": purpose.value,
            "label": purpose.label,
            "given": bool(rows.get(purpose) and rows[purpose][0].given),
            "last": rows[purpose][0] if purpose in rows else None,
            "rows": rows.get(purpose, []),
        }
        for purpose in ConsentPurpose
    ]
