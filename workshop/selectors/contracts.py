"""The repair contract of an order: why it needs one, what it says, who signed it (domain 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    LineState,
    OrderLine,
    RepairOrder,
)
from workshop.rules import core_total, line_total, total_of

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
    """``because`` "": none is needed, the paper is the order alone. ``signed_at`` None: not agreed to in writing yet.

    ``supplements`` is the number of the signed contract that this one adds to; empty where it is the first.
    """

    order: RepairOrder
    estimate: Estimate
    because: Any
    terms: list[str]
    signed_at: datetime | None = None
    signed_by: str = ""
    how: Any = ""

    @property
    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self.estimate.content.get("contract", {})
        return kept

    @property
    def supplements(self) -> str:
        return str(self._kept.get("supplements", ""))

    @property
    def agreed(self) -> Decimal:
        """What the customer had agreed to before; it counts towards the whole."""
        return Decimal(self._kept.get("agreed", "0"))

    @property
    def before(self) -> list[tuple[str, Decimal]]:
        """What was agreed to before, shortly: each item with its sum."""
        return [(row["description"], Decimal(row["total"])) for row in self._kept.get("before", [])]

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
                    | {"discount": Decimal(part.get("discount", "0"))}
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
    def cores(self) -> Decimal:
        """Core charges beside the sum, of what the estimate lists; given back when the old parts come in."""
        parts = [part for row in self.estimate.content["lines"] for part in row["parts"]]
        return core_total((Decimal(part["quantity"]), Decimal(part.get("core_price", "0"))) for part in parts)

    @property
    def number(self) -> str:
        return f"{self.order.number}-{self.estimate.number}"


def contract_content(
    order: RepairOrder, asked: list[Any], totals: list[Decimal], *, promised_at: datetime | None = None
) -> dict[str, Any]:
    """What the estimate of these lines keeps of its contract; {} where it needs none. ``totals`` belong to ``asked``,
    ``promised_at`` is the hand-over that a yes to them means, where it is another one than is promised."""
    agreed = [line for line in _agreed(order) if line not in asked]
    told = [_whole(row) for row in agreed]
    categories = [line.category for line in (*asked, *agreed)]
    because = _because(order, total_of([*totals, *told]), categories) if asked else ""
    if not because:
        return {}
    before: dict[str, Any] = {}
    if agreed:
        rows = [
            {"uid": str(line.uid), "description": line.description, "total": str(whole)}
            for line, whole in zip(agreed, told, strict=True)
        ]
        before = {"agreed": str(total_of(told)), "before": rows}
    signed = next((one for one in _Signed(order).contracts() if one.signed_at), None)
    if signed is not None:
        before["supplements"] = signed.number
    return {"contract": {"because": because, "terms": TERMS, **before, **_promises(order, categories, promised_at)}}


def _because(order: RepairOrder, total: Decimal, categories: list[str]) -> str:
    """The one place where the store's amount is asked for."""
    return contract_because(total, categories, least=Decimal(limits.value(CONTRACT_AMOUNT, store_id=order.store_id)))


def _agreed(order: RepairOrder) -> list[OrderLine]:
    """What the customer pays and has agreed to."""
    rows = order.lines.filter(state__in=AGREED, pay_type=PayType.CUSTOMER_PAY)
    return list(rows.prefetch_related("part_lines"))


def _whole(row: OrderLine) -> Decimal:
    return line_total(row.labor_amount, [part.amount for part in row.part_lines.all()], row.fee_amount)


class _Signed:
    """The contracts of an order and what of it they cover with a signature."""

    def __init__(self, order: RepairOrder) -> None:
        self.order = order
        found = order.estimates.filter(content__has_key="contract").order_by("-number")
        self.estimates = list(found.select_related("order__store"))
        self.drawn: dict[int, ContractSignature] = {}
        self.said: dict[int, list[Authorization]] = {}
        if not self.estimates:
            return
        for row in ContractSignature.objects.filter(order=order):
            self.drawn[row.estimate_id] = row
        rows = Authorization.objects.filter(order=order, estimate__in=self.estimates, method__in=IN_WRITING)
        for said in rows.filter(status=AuthorizationStatus.APPROVED).select_related("line").order_by("at", "id"):
            assert said.estimate_id is not None
            self.said.setdefault(said.estimate_id, []).append(said)

    def contract(self, estimate: Estimate) -> Contract:
        said = self.said.get(estimate.pk, [])
        return _as_contract(
            estimate, estimate.content["contract"], *_signature(self.drawn.get(estimate.pk), said[0] if said else None)
        )

    def contracts(self) -> list[Contract]:
        """The newest first."""
        return [self.contract(estimate) for estimate in self.estimates]

    def covered(self) -> dict[str, Decimal]:
        """Line uid → the sum that a signature covers: of a drawn contract all that it names, of one decided on in
        writing what was agreed to with it and before it."""
        found: dict[str, Decimal] = {}
        for estimate in self.estimates:
            drawn, said = estimate.pk in self.drawn, self.said.get(estimate.pk, [])
            if not drawn and not said:
                continue
            in_writing = {str(row.line.uid) for row in said}
            named = [row for row in estimate.content["lines"] if drawn or row["uid"] in in_writing]
            for row in [*named, *self._before(estimate)]:
                found[row["uid"]] = max(found.get(row["uid"], Decimal(0)), Decimal(row["total"]))
        return found

    def _before(self, estimate: Estimate) -> list[dict[str, Any]]:
        kept = estimate.content["contract"]
        if "before" in kept or "agreed" not in kept:
            return list(kept.get("before", []))
        earlier = Authorization.objects.filter(  # sent when a contract named only their sum
            order=self.order, status=AuthorizationStatus.APPROVED, at__lte=estimate.sent_at
        )
        return [{"uid": str(row.line.uid), "total": str(row.amount)} for row in earlier.select_related("line")]

    def due(self) -> Estimate | None:
        """The contract to be signed: what was agreed to and no signature covers asks for one by itself (domain 3.3)."""
        if not self.estimates:
            return None
        covered = self.covered()
        bare = {line: _whole(line) - covered.get(str(line.uid), Decimal(0)) for line in _agreed(self.order)}
        bare = {line: amount for line, amount in bare.items() if amount > 0}
        categories = [line.category for line in bare if str(line.uid) not in covered]
        if not bare or not _because(self.order, total_of(bare.values()), categories):
            return None
        unsigned = [estimate for estimate in self.estimates if estimate.pk not in self.drawn]
        names = {str(line.uid) for line in bare}
        return next((one for one in unsigned if names & _named(one)), next(iter(unsigned), None))

    def asked(self) -> Estimate | None:
        """The newest estimate, where it is a contract and still asks for something."""
        if not self.estimates:
            return None
        newest = self.estimates[0]
        last = self.order.estimates.order_by("-number").values_list("pk", flat=True).first()
        uids = [row["uid"] for row in newest.content["lines"]]
        still = newest.pk == last and self.order.lines.filter(uid__in=uids, state=LineState.PENDING).exists()
        return newest if still else None


def _named(estimate: Estimate) -> set[str]:
    kept = estimate.content
    return {row["uid"] for row in (*kept["lines"], *kept["contract"].get("before", []))}


def _promises(order: RepairOrder, categories: list[str], promised_at: datetime | None = None) -> dict[str, Any]:
    promised_at = promised_at or order.promised_at
    table = limits.value(GUARANTEE, store_id=order.store_id)
    longest = max((table[category] for category in categories), key=lambda row: (row["days"], row["km"]))
    return {
        "promised_at": promised_at.isoformat() if promised_at else None,
        "guarantee_days": longest["days"],
        "guarantee_km": longest["km"],
    }


def contract_of_estimate(estimate: Estimate) -> Contract | None:
    """The contract that an estimate was sent with, as it stands; None where it needed none."""
    kept = estimate.content.get("contract")
    return _as_contract(estimate, kept, *_signed(estimate)) if kept else None


def _as_contract(
    estimate: Estimate, kept: dict[str, Any], signed_at: datetime | None = None, signed_by: str = "", how: Any = ""
) -> Contract:
    order, store = estimate.order, estimate.order.store
    promised = parse_datetime(kept["promised_at"]) if kept["promised_at"] else None
    terms = terms_of(
        kept.get("terms", TERMS),
        promised=paper_moment(promised) if promised else "",
        place=store.address or store.name,
        days=kept["guarantee_days"],
        km=kept["guarantee_km"],
        complaints=store.complaint_phone,
    )
    return Contract(order, estimate, BECAUSE.get(kept.get("because", ""), ""), terms, signed_at, signed_by, how)


def _signed(estimate: Estimate) -> tuple[datetime | None, str, Any]:
    drawn = ContractSignature.objects.filter(estimate=estimate).first()
    rows = Authorization.objects.filter(estimate=estimate, method__in=IN_WRITING)
    return _signature(drawn, drawn or rows.filter(status=AuthorizationStatus.APPROVED).order_by("at", "id").first())


def _signature(drawn: ContractSignature | None, said: Any) -> tuple[datetime | None, str, Any]:
    if drawn is not None:
        how = _("Signed on paper") if drawn.on_paper else _("Signed at the desk")
        return drawn.signed_at, drawn.signed_name, how
    return (said.at, said.authorized_by, said.get_method_display()) if said else (None, "", "")


def contract_of(order: RepairOrder) -> Contract | None:
    """The contract of an order that matters now: the one to be signed; else what the customer is asked; else the one
    signed last; else the newest."""
    return _matters(_Signed(order))[0]


def _matters(papers: _Signed) -> tuple[Contract | None, bool]:
    """That contract, and whether it is to be signed."""
    due = papers.due()
    if due is not None:
        return replace(papers.contract(due), signed_at=None, signed_by="", how=""), True
    asked = papers.asked()
    if asked is not None:
        return papers.contract(asked), False
    found = papers.contracts()
    return next((one for one in found if one.signed_at), next(iter(found), None)), False


def order_paper(order: RepairOrder, number: int = 0) -> Contract | None:
    """What is printed and signed of an order: its contract, or its newest estimate where none is needed; None before.

    ``number`` names the version of the estimate that is meant; another order's isn't there.
    """
    if number:
        found = order.estimates.filter(number=number).select_related("order__store").first()
        meant = contract_of_estimate(found) if found else None
        if meant is not None:
            return meant
    matters = contract_of(order)
    newest = order.estimates.order_by("-number").select_related("order__store").first()
    if matters or newest is None:
        return matters
    categories = [row["category"] for row in newest.content["lines"]] or [RepairCategory.MINOR]
    return _as_contract(newest, _promises(order, categories))


def contract_panel(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """The order's page says that a contract or its supplement is to be signed, and who signed which."""
    papers = _Signed(order)
    found, due = _matters(papers)
    if found is None or order.withdrawn_at:
        return None
    signed = [one for one in papers.contracts() if one.signed_at and one.estimate.pk != found.estimate.pk]
    return {
        "contract": found,
        "signed": [*([found] if found.signed_at else []), *signed],
        "order": order,
        "may_sign": due and actor.may(permissions.AUTHORIZATIONS_RECORD),
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
