"""The repair contract of an order: why it needs one, what it says, who signed it (domain 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PartKind, PayType, RepairCategory
from dealership.kernel import limits
from dealership.kernel.actors import Actor
from dealership.kernel.papers import paper_moment
from workshop import permissions
from workshop.contract_models import ContractSignature
from workshop.contract_rules import AMOUNT, CATEGORY, TERMS, contract_because, terms_of
from workshop.limits import CONTRACT_AMOUNT, GUARANTEE
from workshop.models import (
    AGREED,
    Authorization,
    AuthorizationMethod,
    AuthorizationStatus,
    Estimate,
    OrderLine,
    RepairOrder,
)
from workshop.rules import line_total, total_of

IN_WRITING = (
    AuthorizationMethod.DIGITAL_PORTAL,
    AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE,
    AuthorizationMethod.IN_PERSON_PHYSICAL_SIGNATURE,
)
BECAUSE = {
    AMOUNT: _("the estimate is of an amount that asks for a written contract"),
    CATEGORY: _("this kind of repair asks for a written contract"),
}


@dataclass(frozen=True, slots=True)
class Contract:
    """``because`` "": none is needed, the paper is the order alone. ``signed_at`` None: not agreed to in writing yet."""

    order: RepairOrder
    estimate: Estimate
    because: Any
    terms: list[str]
    signed_at: datetime | None = None
    signed_by: str = ""
    how: Any = ""

    @property
    def agreed(self) -> Decimal:
        """What the customer had agreed to before, which isn't listed again; it counts towards the whole."""
        return Decimal(self.estimate.content.get("contract", {}).get("agreed", "0"))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What the estimate lists: amounts in CNY as numbers, the kind of each part in words, the package it is in."""
        kinds = dict(PartKind.choices)
        return [
            row
            | {name: Decimal(row[name]) for name in ("total", "hours", "rate", "labor_amount")}
            | {"package": row.get("package", {}).get("name", "")}
            | {
                "parts": [
                    part
                    | {name: Decimal(part[name]) for name in ("quantity", "unit_price", "amount")}
                    | {"kind": kinds.get(part["kind"], part["kind"])}
                    for part in row["parts"]
                ]
            }
            for row in self.estimate.content["lines"]
        ]

    @property
    def total(self) -> Decimal:
        return self.estimate.total + self.agreed

    @property
    def number(self) -> str:
        return f"{self.order.number}-{self.estimate.number}"


def contract_content(order: RepairOrder, asked: list[Any], totals: list[Decimal]) -> dict[str, Any]:
    """What the estimate of these lines keeps of its contract; {} where it needs none. ``totals`` belong to ``asked``."""
    agreed = [line for line in _agreed(order) if line not in asked]
    told = [_whole(row) for row in agreed]
    total = total_of([*totals, *told])
    categories = [line.category for line in (*asked, *agreed)]
    because = contract_because(
        total, categories, least=Decimal(limits.value(CONTRACT_AMOUNT, store_id=order.store_id))
    ) if asked else ""  # fmt: skip
    if not because:
        return {}
    before = {"agreed": str(total_of(told))} if told else {}
    return {"contract": {"because": because, "terms": TERMS, **before, **_promises(order, categories)}}


def _agreed(order: RepairOrder) -> list[OrderLine]:
    """What the customer pays and has agreed to."""
    rows = order.lines.filter(state__in=AGREED, pay_type=PayType.CUSTOMER_PAY)
    return list(rows.prefetch_related("part_lines"))


def _whole(row: OrderLine) -> Decimal:
    return line_total(row.labor_amount, [part.amount for part in row.part_lines.all()], row.fee_amount)


def to_be_signed(order: RepairOrder) -> bool:
    """Whether what was agreed to asks for a contract by itself: what was declined counts no more."""
    rows = _agreed(order)
    least = Decimal(limits.value(CONTRACT_AMOUNT, store_id=order.store_id))
    return bool(contract_because(total_of(_whole(row) for row in rows), [row.category for row in rows], least=least))


def _promises(order: RepairOrder, categories: list[str]) -> dict[str, Any]:
    table = limits.value(GUARANTEE, store_id=order.store_id)
    longest = max((table[category] for category in categories), key=lambda row: (row["days"], row["km"]))
    return {
        "promised_at": order.promised_at.isoformat() if order.promised_at else None,
        "guarantee_days": longest["days"],
        "guarantee_km": longest["km"],
    }


def contract_of_estimate(estimate: Estimate) -> Contract | None:
    """The contract that an estimate was sent with, as it stands; None where it needed none."""
    kept = estimate.content.get("contract")
    return _as_contract(estimate, kept) if kept else None


def _as_contract(estimate: Estimate, kept: dict[str, Any]) -> Contract:
    order, store = estimate.order, estimate.order.store
    promised = parse_datetime(kept["promised_at"]) if kept["promised_at"] else None
    terms = terms_of(
        promised=paper_moment(promised) if promised else "",
        place=store.address or store.name,
        days=kept["guarantee_days"],
        km=kept["guarantee_km"],
        complaints=store.complaint_phone,
    )
    return Contract(order, estimate, BECAUSE.get(kept.get("because", ""), ""), terms, *_signed(estimate))


def _signed(estimate: Estimate) -> tuple[datetime | None, str, Any]:
    drawn = ContractSignature.objects.filter(estimate=estimate).first()
    if drawn is not None:
        how = _("Signed on paper") if drawn.on_paper else _("Signed at the desk")
        return drawn.signed_at, drawn.signed_name, how
    said = (
        Authorization.objects.filter(estimate=estimate, status=AuthorizationStatus.APPROVED, method__in=IN_WRITING)
        .order_by("at")
        .first()
    )
    return (said.at, said.authorized_by, said.get_method_display()) if said else (None, "", "")


def contract_of(order: RepairOrder) -> Contract | None:
    """The newest contract of an order. One that is signed stands until the customer was asked for more."""
    newest = order.estimates.filter(content__has_key="contract").order_by("-number").select_related("order__store")
    found = [contract_of_estimate(estimate) for estimate in newest[:5]]
    return next((one for one in found if one and one.signed_at), next((one for one in found if one), None))


def order_paper(order: RepairOrder) -> Contract | None:
    """What is printed and signed of an order: its contract, or its newest estimate where none is needed; None before."""
    found = contract_of(order)
    newest = order.estimates.order_by("-number").select_related("order__store").first()
    if found or newest is None:
        return found
    categories = [row["category"] for row in newest.content["lines"]] or [RepairCategory.MINOR]
    return _as_contract(newest, _promises(order, categories))


def contract_panel(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """The order's page says that a contract is needed, and later who signed it."""
    found = contract_of(order)
    if found is None or order.withdrawn_at:
        return None
    needed = not found.signed_at and to_be_signed(order)
    return {
        "contract": found,
        "order": order,
        "may_sign": needed and actor.may(permissions.AUTHORIZATIONS_RECORD),
    }


def signed_day(contract: Contract) -> str:
    """The day of the signature in the active time zone; a blank to be written by hand before it."""
    return timezone.localtime(contract.signed_at).strftime("%Y-%m-%d") if contract.signed_at else ""


def contract_facts(order: RepairOrder) -> dict[str, Any] | None:
    """For the order's file: its contract and who agreed to it in writing; None where it needed none."""
    found = contract_of(order)
    if found is None:
        return None
    return {
        "number": found.number,
        "because": found.estimate.content["contract"]["because"],
        "seen": found.estimate.seen_hash,
        "by": found.signed_by,
        "at": found.signed_at.isoformat() if found.signed_at else None,
    }
