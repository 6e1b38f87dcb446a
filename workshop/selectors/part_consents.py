"""Parts that aren't new, and who agreed to them in writing (domain 3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dealership.catalogue.models import NOT_NEW, PayType
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_list
from reception.models import Visit
from workshop import permissions
from workshop.models import (
    AGREED,
    Authorization,
    AuthorizationStatus,
    OrderLine,
    PartLine,
    RepairOrder,
)
from workshop.part_consent_models import PartConsent
from workshop.rules import content_hash
from workshop.selectors.contracts import IN_WRITING


@dataclass(frozen=True, slots=True)
class Consent:
    """One line with parts that aren't new; ``signed_at`` None: nobody has agreed to them in writing yet."""

    line: OrderLine
    parts: list[PartLine]
    decision: Authorization | None
    signed_at: datetime | None = None
    signed_by: str = ""

    @property
    def said(self) -> str:
        """The parts with their kinds, in the active language."""
        return say_list(f"{p.part.said} ({p.get_kind_display()})" for p in self.parts)

    @property
    def read(self) -> list[dict[str, str]]:
        """The parts as whoever signs reads them, in the form that is kept with the consent."""
        return [
            {"number": p.part.number, "name": p.part.name, "kind": p.kind, "quantity": str(p.quantity)}
            for p in self.parts
        ]

    @property
    def seen_hash(self) -> str:
        """Of what is shown before signing: the agreement that it completes and the parts."""
        return content_hash({"decision": str(self.decision.uid) if self.decision else "", "parts": self.read})


def consents_of(lines: Iterable[OrderLine]) -> list[Consent]:
    """For each of ``lines`` with such parts, by position: who agreed to them in writing, if anybody (three queries).

    A yes on the link or signed at the desk is in writing where the customer pays; whoever else pays, and a spoken yes,
    leaves the customer to be asked for it.
    """
    parts: dict[int, list[PartLine]] = {}
    rows = PartLine.objects.filter(line__in=list(lines), kind__in=NOT_NEW).select_related("part", "line__order")
    for row in rows.order_by("line__position", "id"):
        parts.setdefault(row.line_id, []).append(row)
    if not parts:
        return []
    decided: dict[int, Authorization] = {}
    said = Authorization.objects.filter(line__in=parts).exclude(status=AuthorizationStatus.NOT_ENTITLED)
    for decision in said.order_by("id"):
        decided[decision.line_id] = decision
    signed = {row.decision_id: row for row in PartConsent.objects.filter(line__in=parts)}
    return [_consent(held, decided.get(pk), signed) for pk, held in parts.items()]


def _consent(parts: list[PartLine], decision: Authorization | None, signed: dict[int, PartConsent]) -> Consent:
    line = parts[0].line
    row = signed.get(decision.pk) if decision else None
    if row is not None:
        return Consent(line, parts, decision, row.signed_at, row.signed_name)
    written = (
        decision is not None
        and line.pay_type == PayType.CUSTOMER_PAY
        and decision.status == AuthorizationStatus.APPROVED
        and decision.method in IN_WRITING
    )
    if decision is not None and written:
        return Consent(line, parts, decision, decision.at, decision.authorized_by)
    return Consent(line, parts, decision)


def missing_consents(order: RepairOrder) -> list[Consent]:
    """Agreed lines of an order that wait for the customer's written consent to their parts."""
    agreed = order.lines.filter(state__in=AGREED, settled=False)
    return [row for row in consents_of(agreed) if row.signed_at is None]


def consents_to_sign(visit: Visit) -> list[Consent]:
    """What the customer of an open visit may sign on the link: agreed lines that wait for it."""
    if not visit.is_open:
        return []
    return [row for order in visit.orders.filter(settled_at=None, closed_at=None) for row in missing_consents(order)]


def consent_panel(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """The order's page says what waits for the customer's signature, and who gave it."""
    found = consents_of(order.lines.filter(state__in=AGREED))
    if not found:
        return None
    return {
        "rows": found,
        "may_sign": actor.may(permissions.AUTHORIZATIONS_RECORD) and not (order.settled_at or order.closed_at),
    }
