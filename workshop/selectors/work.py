"""The work on one order, for the order's page: lines with plan, clockings, waits, inspections and certificates (3.2)."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch

from dealership.kernel.actors import Actor
from reception.models import VisitState
from workshop import permissions, rules
from workshop.models import (
    Clocking,
    Dispatch,
    Inspection,
    InspectionLevel,
    InspectionResult,
    LineHold,
    LineState,
    OrderLine,
    OrderStage,
    RepairOrder,
)
from workshop.selectors import away
from workshop.selectors.inspections import waiting_for
from workshop.selectors.jobs import worked_minutes
from workshop.selectors.plan import stage_of
from workshop.selectors.quality import has_quality_sheet

L = LineState
OPEN = (L.AUTHORIZED, L.IN_PROGRESS)
SHOWN = (*OPEN, L.COMPLETED, L.INSPECTED)


def open_clockings() -> list[Clocking]:
    """Every clock that runs, in all stores, with its person; those of a shift that is over are closed (3.2)."""
    return list(
        Clocking.objects.filter(ended_at__isnull=True).select_related("employee__store").order_by("employee_id")
    )


def work_panel(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """Plans and clockings by line; None before the customer agreed to anything."""
    lines = list(
        OrderLine.objects.filter(order=order, state__in=SHOWN)
        .prefetch_related(
            Prefetch("clockings", Clocking.objects.select_related("employee", "bay").order_by("started_at", "id")),
            Prefetch("dispatches", Dispatch.objects.filter(live=True).select_related("technician", "bay")),
            Prefetch("failures", Inspection.objects.select_related("inspector").order_by("-id")),
            Prefetch("holds", LineHold.objects.filter(ended_at__isnull=True)),
        )
        .order_by("position")
    )
    if not lines:
        return None
    return {
        "rows": [
            {
                "line": line,
                "minutes": worked_minutes(list(line.clockings.all())),
                "standard": int(line.hours * 60),
                "stage": stage_of(line),
                "hold": next(iter(line.holds.all()), None),
                "open": line.state in OPEN,
                "shared": len(line.dispatches.all()) > 1,
                "working": any(c.ended_at is None for c in line.clockings.all()),
            }
            for line in lines
        ],
        "may_dispatch": actor.may(permissions.PLAN_DISPATCH),
        "may_hold": actor.may(permissions.LINES_HOLD),
        "may_leave": away.may_leave(actor, order),
        "is_away": order.visit.state == VisitState.AWAY,
        "may_correct": actor.may(permissions.CLOCKINGS_CORRECT),
    }


def inspection_panel(actor: Actor, order: RepairOrder) -> dict[str, Any] | None:
    """What was inspected, what comes next, and the certificate; None before any work is done."""
    checks = list(order.inspections.select_related("inspector", "failed_line").order_by("-id"))
    if not order.certificates.exists() and order.stage not in (OrderStage.INSPECTION, OrderStage.READY):
        return None
    row = waiting_for(actor, order.uid)
    certificates = list(order.certificates.select_related("inspector").order_by("-id"))
    valid = next((c for c in certificates if c.voided_at is None), None)
    category = rules.certificate_category(line.category for line in row.lines)
    latest = next((c for c in checks if c.level == InspectionLevel.FINAL), None)
    passed = latest is not None and latest.result == InspectionResult.PASSED and order.stage != OrderStage.INSPECTION
    codes = {"SELF": permissions.INSPECT_SELF, "TEAM": permissions.INSPECT_TEAM, "FINAL": permissions.INSPECT_FINAL}
    if not certificates and order.stage != OrderStage.INSPECTION and not (category and passed):
        return None
    return {
        "next": row if order.stage == OrderStage.INSPECTION else None,
        "may_inspect": actor.may(codes[row.level]),
        "certificates": certificates,
        "quality_sheet": has_quality_sheet(order) if category or certificates else False,
        "certificate": valid,
        "needs_certificate": bool(category) and valid is None and passed,
        "may_certify": actor.may(permissions.INSPECT_FINAL),
        "may_void": order.settled_at is None
        and (actor.may(permissions.CERTIFICATES_MANAGE) or actor.may(permissions.INSPECT_FINAL)),
    }
