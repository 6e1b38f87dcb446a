"""The record of one repair with the fields of article 17 (domain 3.5): what is known, and what is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, TextChoices
from django.utils.translation import gettext_lazy as _

from dealership.kernel.money import ZERO
from reception.models import ArrivalKind
from workshop.day_six_models import CareKind
from workshop.models import AGREED, LineState, PartLine, RepairOrder
from workshop.selectors.day_six import day_six_of


class RecordField(TextChoices):
    """What the law wants on the record and a shop may lack."""

    MILEAGE = "MILEAGE", _("Mileage")
    STATEMENT = "STATEMENT", _("Owner's statement of the fault")
    FINDINGS = "FINDINGS", _("What the check found")
    ITEMS = "ITEMS", _("Repairs done")
    TOWING = "TOWING", _("Towing cost")
    LOAN = "LOAN", _("Loan car or transport money")
    HANDED_OVER = "HANDED_OVER", _("Time of the hand-over")


@dataclass(slots=True)
class RepairRecord:
    """Amounts are decimal strings in CNY with VAT, moments ISO; ``missing`` holds codes of ``RecordField``."""

    number: str
    brought_at: str
    handed_over_at: str
    mileage: int | None
    statement: str
    items: list[dict[str, Any]]
    parts: list[dict[str, Any]]
    fees: list[dict[str, Any]]
    material: str
    labor: str
    towed: str
    care: list[dict[str, Any]]
    owed_days: int
    missing_days: int
    missing: list[str] = field(default_factory=list)

    def content(self) -> dict[str, Any]:
        return asdict(self)


def record_of(order: RepairOrder) -> RepairRecord:
    """The record as it stands; nothing in it is made up, what isn't known is named."""
    visit = order.visit
    parts = Prefetch("part_lines", PartLine.objects.select_related("part").order_by("pk"))
    states = [state for state in AGREED if state != LineState.WITHDRAWN]
    lines = list(
        order.lines.filter(state__in=states).select_related("operation").prefetch_related(parts).order_by("position")
    )
    used = [part for line in lines for part in line.part_lines.all() if part.issued_quantity > 0]
    long = day_six_of(order)
    given = list(order.day_six_cares.order_by("starts_on"))
    towed = f"{visit.tow_company} · {visit.towed_from}" if visit.arrival_kind == ArrivalKind.TOWED_IN else ""
    fees = [{"note": line.fee_note, "amount": str(line.fee_amount)} for line in lines if line.fee_amount]
    found = RepairRecord(
        number=order.number,
        brought_at=visit.arrived_at.isoformat(),
        handed_over_at=visit.left_at.isoformat() if visit.left_at else "",
        mileage=visit.odometer_in_km,
        statement=order.complaint,
        items=[
            {
                "what": line.description,
                "found": line.cause,
                "done": line.correction,
                "hours": str(line.hours),
                "amount": str(line.labor_amount),
                "pays": line.pay_type,
            }
            for line in lines
        ],
        parts=[
            {
                "name": part.part.name,
                "number": part.part.number,
                "quantity": str(part.issued_quantity.normalize()),
                "amount": str(part.amount),
            }
            for part in used
        ],
        fees=fees,
        material=str(sum((part.amount for part in used), ZERO)),
        labor=str(sum((line.labor_amount for line in lines), ZERO)),
        towed=towed,
        care=[
            {
                "kind": care.kind,
                "from": care.starts_on.isoformat(),
                "until": care.ends_on.isoformat() if care.ends_on else "",
                "about": care.loan_plate if care.kind == CareKind.LOAN_CAR else care.note,
                "amount": str(care.amount) if care.amount is not None else "",
            }
            for care in given
        ],
        owed_days=len(long.owed) if long else 0,
        missing_days=len(long.missing) if long else 0,
    )
    lacks = {
        RecordField.MILEAGE: found.mileage is None,
        RecordField.STATEMENT: not found.statement,
        RecordField.FINDINGS: any(not line.cause for line in lines if not _is_maintenance(line)),
        RecordField.ITEMS: not lines,
        RecordField.TOWING: bool(towed) and not fees,
        RecordField.LOAN: found.missing_days > 0,
        RecordField.HANDED_OVER: not found.handed_over_at,
    }
    found.missing = [code.value for code, lack in lacks.items() if lack]
    return found


def _is_maintenance(line: Any) -> bool:
    return bool(line.operation is not None and line.operation.is_maintenance)


def total_of(record: RepairRecord) -> Decimal:
    return Decimal(record.material) + Decimal(record.labor) + sum((Decimal(fee["amount"]) for fee in record.fees), ZERO)
