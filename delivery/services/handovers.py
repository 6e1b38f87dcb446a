"""The car leaves: hand-over, gate passes and the gate itself (4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.saying import say_list
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad
from reception.models import TransportState, Vehicle, Visit, VisitState
from reception.services import transports
from reception.services.visits import depart_visit
from staff.selectors.employees import employee_of, require_employee
from workshop.models import RepairOrder
from workshop.selectors.campaigns import unanswered_recalls
from workshop.selectors.inspections import last_reading
from workshop.selectors.old_parts import owed_to
from workshop.selectors.sublets import car_goes_out
from workshop.services import away, sublets
from workshop.services.old_parts import hand_back_old_parts, keep_of_visit

from .. import events, permissions
from ..limits import GATE_PASS_HOURS
from ..models import CHECKS_THAT_MAY_NOT_APPLY, GatePass, GatePassKind, Handover, HandoverCheck
from ..selectors import gate as reads
from ..selectors.exits import ExitStep, VisitExit, visit_exit
from ..selectors.shares import unpaid_share

NOT_APPLICABLE = "NOT_APPLICABLE"
FOR_GOOD = (GatePassKind.DELIVERED, GatePassKind.UNREPAIRED)

MISSING: dict[ExitStep, tuple[str, Any]] = {
    ExitStep.WORK: ("handover.work", _("On order %(order)s work or a decision is still open.")),
    ExitStep.INSPECTION: ("handover.inspection", _("Order %(order)s has not passed its final inspection (4.1).")),
    ExitStep.CERTIFICATE: ("handover.certificate", _("Order %(order)s needs its certificate first (domain 3.2).")),
    ExitStep.LIST: ("handover.settlement", _("Order %(order)s has no settlement list yet (4.1).")),
    ExitStep.SIGNATURE: ("handover.settlement", _("The settlement list of order %(order)s is not signed (4.1).")),
    ExitStep.PAYMENT: (
        "handover.payment",
        _("Order %(order)s is not fully paid, and nobody has approved an unpaid exit (4.1)."),
    ),
}


def _locked_visit(uid: UUID, by: Actor) -> Visit:
    """Car, visit and orders, locked in that order (design 5)."""
    vehicle_id = Visit.objects.for_actor(by).values_list("vehicle_id", flat=True).get(uid=uid)
    Vehicle.objects.locked().get(pk=vehicle_id)
    visit = Visit.objects.for_actor(by).locked().select_related("vehicle__model", "store", "customer").get(uid=uid)
    list(RepairOrder.objects.filter(visit=visit).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    return visit


def _refuse_unsigned_risk(code: str, signature: bytes | None, *, on_paper: bool) -> None:
    if on_paper:
        return
    refuse_empty_pad(signature)
    if signature is None:
        text = _("The customer signs the note about the risk: on the pad, or tick that it was signed on paper.")
        raise RuleError(code, text, field="signature")


def _require_ready(state: VisitExit) -> None:
    """Refuses with the first step that is missing and the order it is missing on."""
    if state.step in MISSING:
        code, text = MISSING[state.step]
        raise RuleError(code, text, order=state.blocking.order.number if state.blocking else "")


def _checked(checklist: Mapping[str, Any]) -> dict[str, str]:
    """``{code: True}`` for each check, or ``"NOT_APPLICABLE"`` where a check may be left out. Raises ``handover.checks``."""
    result, missing = {}, []
    for check in HandoverCheck:
        value = checklist.get(check.value)
        if value == NOT_APPLICABLE and check in CHECKS_THAT_MAY_NOT_APPLY:
            result[check.value] = NOT_APPLICABLE
        elif value is True or value == "DONE":
            result[check.value] = "DONE"
        else:
            missing.append(check)
    if missing:
        named = " · ".join(str(check.label) for check in missing)
        raise RuleError("handover.checks", _("Not checked yet: %(check)s."), field=missing[0].value, check=named)
    return result


@transaction.atomic
def hand_over(
    *,
    visit_uid: UUID,
    checklist: Mapping[str, Any],
    odometer_km: int,
    received_by: str,
    by: Actor,
    signature: bytes | None = None,
    next_service_on: date | None = None,
    next_service_km: int | None = None,
    risk_note_signed_by: str = "",
    signed_on_paper: bool = False,
) -> Handover:
    """The customer takes the car back, once per visit, when everything before it is done (4.1).

    ``checklist`` holds every code of ``HandoverCheck``: True, or "NOT_APPLICABLE" for those in
    ``CHECKS_THAT_MAY_NOT_APPLY``. ``odometer_km`` is the exit reading. Where begun work was withdrawn, or
    safety work was declined by telephone alone, the customer signs the note about the risk (domain 3.3), on the pad
    (PNG) or on paper. Where
    the next service was explained, its day and mileage (km) are written down. The customer's old parts go along with
    the same signature, those for the maker are shown (3.2). A car that went out on a RETURN
    pass is handed over at the customer's door: its visit ends with the signature. Raises RuleError
    ``handover.<what is missing>``, ``handover.risk_note``, ``handover.checks``, ``handover.odometer``,
    ``handover.receiver``, ``handover.next_service``, ``handover.own_share``, ``handover.old_parts``,
    ``old_part.signature``, ``signature.empty``, ``handover.exists``.
    """
    by.require(permissions.HANDOVERS_DO)
    employee = require_employee(by)
    visit = _locked_visit(visit_uid, by)
    if done := Handover.objects.filter(visit=visit).first():
        raise RuleError("handover.exists", _("This car has already been handed over."), held_by=done)
    state = visit_exit(visit)
    if visit.state != VisitState.IN_SHOP or not state.orders:
        raise RuleError("handover.visit", _("Only a car that is in the shop with an order is handed over."))
    _require_ready(state)
    checks = _checked(checklist)
    last = last_reading(visit)
    if odometer_km < last:
        raise RuleError(
            "handover.odometer",
            _("The mileage lies below the last reading of %(km)s km; read it again."),
            field="odometer_km",
            km=last,
        )
    name = formats.one_line(received_by)
    if not name:
        raise RuleError("handover.receiver", _("Write who takes the car."), field="received_by")
    if checks[HandoverCheck.NEXT_SERVICE] == "DONE":
        _check_next_service(next_service_on, next_service_km, odometer_km, visit)
    signer = formats.one_line(risk_note_signed_by)
    if state.begun_and_withdrawn and not signer:
        raise RuleError(
            "handover.risk_note",
            _("Begun work was withdrawn: the customer must sign the note about the risk."),
            field="risk_note_signed_by",
        )
    if state.unsigned_risks and not signer:
        raise RuleError(
            "handover.risk_note",
            _(
                "“%(line)s” concerns safety and was declined by telephone: the customer must sign the note about the risk."
            ),
            field="risk_note_signed_by",
            line=say_list(state.unsigned_risks),
        )
    if state.begun_and_withdrawn or state.unsigned_risks:
        _refuse_unsigned_risk("handover.risk_note", signature, on_paper=signed_on_paper)
    if recalls := unanswered_recalls(visit):
        raise RuleError(
            "handover.recall",
            _("Recall %(number)s of this car is open: do it, or write down what the customer was told."),
            number=recalls[0].campaign.number,
        )
    if unpaid_share(visit) > 0:
        raise RuleError("handover.own_share", _("The customer's own share of the accident isn't paid yet (3.2)."))
    if signed_on_paper:
        signature = None
    refuse_empty_pad(signature)
    keep_of_visit(visit=visit, by=by)
    if checks[HandoverCheck.OLD_PARTS_SHOWN] != "DONE" and owed_to(visit):
        raise RuleError(
            "handover.old_parts",
            _("Old parts of this car are here: show them, give the customer's own along, then tick it."),
            field=HandoverCheck.OLD_PARTS_SHOWN.value,
        )
    drawn = None
    if signature:
        drawn = store_file(
            content=signature, name="handover-signature.png", store_id=visit.store_id, by=by, visit_uid=visit.uid
        )
    hand_back_old_parts(visit=visit, received_by=name[:60], signature=drawn, signed_on_paper=signed_on_paper, by=by)
    promised = visit.promised_at or max(
        (o.order.promised_at for o in state.orders if o.order.promised_at), default=None
    )
    handover = Handover.objects.create(
        store=visit.store,
        visit=visit,
        checklist=checks,
        odometer_km=odometer_km,
        next_service_on=next_service_on,
        next_service_km=next_service_km,
        received_by=name[:60],
        risk_note_signed_by=signer[:60],
        signature=drawn,
        signed_on_paper=signed_on_paper,
        advisor=employee,
        punctual=None if promised is None else clock.now() <= promised,
        at=clock.now(),
    )
    at_door = reads.door_pass(visit) is not None
    record(
        handover,
        events.HANDOVER_DONE,
        by=by,
        odometer_km=odometer_km,
        punctual=handover.punctual,
        orders=len(state.orders),
        risk_note=bool(signer),
        signature=drawn.sha256 if drawn else None,
        on_paper=signed_on_paper or None,
        at_door=True if at_door else None,
    )
    if at_door:
        transports.return_is_done(visit=visit, odometer_km=odometer_km, by=by)
        _end_visit(visit, by)
    return handover


def _check_next_service(day: date | None, at_km: int | None, odometer_km: int, visit: Visit) -> None:
    """4.1: what was explained is written down, so that customer and shop have the same date and mileage."""
    if day is None or day <= clock.today(visit.store.time_zone):
        raise RuleError(
            "handover.next_service",
            _("The next service was explained: write the day ahead on which it is due."),
            field="next_service_on",
        )
    if at_km is None or at_km <= odometer_km:
        raise RuleError(
            "handover.next_service",
            _("The next service was explained: write the mileage at which it is due, above today's."),
            field="next_service_km",
        )


@transaction.atomic
def issue_gate_pass(
    *,
    visit_uid: UUID,
    kind: str,
    by: Actor,
    reason: str = "",
    risk_note_signed_by: str = "",
    signature: bytes | None = None,
    signed_on_paper: bool = False,
) -> GatePass:
    """Issues a pass that opens the gate once, on the conditions of its kind (4.1).

    DELIVERED needs the hand-over; UNREPAIRED everything ended, settled and paid and the risk note signed, with the drawn
    ``signature`` (PNG) or on paper; TEMPORARY
    that nobody works on the car; ROAD_TEST started work; SUBLET outside work that is noted on the order and for
    which the car leaves; PARTS_WAIT a wait away for a part that
    is noted on the order (3.2), which is its reason; RETURN what the hand-over needs and a
    planned way back (2.1.2), whose address is its reason. All but DELIVERED need a reason. An
    expired, unused pass is cancelled by the new one. Raises RuleError ``gatepass.*``.
    """
    if not (kind == GatePassKind.ROAD_TEST and by.may(permissions.GATE_PASSES_ROAD_TEST)):
        by.require(permissions.GATE_PASSES_ISSUE)
    if kind not in GatePassKind.values:
        raise RuleError("gatepass.kind", _("Choose why the car leaves."), field="kind")
    visit = _locked_visit(visit_uid, by)
    if visit.state != VisitState.IN_SHOP:
        raise RuleError("gatepass.visit", _("Only a car that is in the shop needs a gate pass."))
    reason, signer = formats.one_line(reason), formats.one_line(risk_note_signed_by)
    if kind == GatePassKind.RETURN:
        way = transports.open_return(visit)
        if way is None or way.state != TransportState.PLANNED:
            raise RuleError(
                "gatepass.return", _("First plan who brings the car back, when and where to."), field="kind"
            )
        reason = reason or way.address
    if kind == GatePassKind.SUBLET and not car_goes_out(visit):
        text = _("First note on the order which outside firm the car goes to, and for what.")
        raise RuleError("gatepass.sublet", text, field="kind")
    if kind == GatePassKind.PARTS_WAIT:
        wait = away.open_wait(visit)
        if wait is None:
            raise RuleError(
                "away.none", _("First note on the order that the car waits away for its part."), field="kind"
            )
        reason = reason or wait.reason
    if kind != GatePassKind.DELIVERED and not reason:
        raise RuleError("gatepass.reason", _("Say why the car leaves."), field="reason")
    if kind == GatePassKind.UNREPAIRED and not signer:
        raise RuleError(
            "gatepass.risk_note", _("The customer must sign the note about the risk."), field="risk_note_signed_by"
        )
    if kind != GatePassKind.UNREPAIRED or signed_on_paper:
        signature = None
    signed_on_paper = signed_on_paper and kind == GatePassKind.UNREPAIRED
    if kind == GatePassKind.UNREPAIRED:
        _refuse_unsigned_risk("gatepass.risk_note", signature, on_paper=signed_on_paper)
    if kind == GatePassKind.DELIVERED and not Handover.objects.filter(visit=visit).exists():
        raise RuleError("gatepass.handover", _("A gate pass for a delivered car needs the signed hand-over."))
    if kind in (GatePassKind.UNREPAIRED, GatePassKind.RETURN):
        _require_ready(visit_exit(visit))
    for old in visit.gate_passes.filter(
        cancelled_at__isnull=True, out_at__isnull=True, expires_at__lte=clock.now()
    ).order_by("pk"):
        _cancel(old, by)
    if valid := visit.gate_passes.filter(cancelled_at__isnull=True, back_at__isnull=True).first():
        raise RuleError("gatepass.exists", _("This car already has a valid gate pass."), held_by=valid)
    hours = limits.value(GATE_PASS_HOURS, store_id=visit.store_id)
    drawn = None
    if signature:
        drawn = store_file(
            content=signature, name="risk-note-signature.png", store_id=visit.store_id, by=by, visit_uid=visit.uid
        )
    gate_pass = GatePass.objects.create(
        store=visit.store,
        visit=visit,
        kind=kind,
        reason=reason[:200],
        risk_note_signed_by=signer[:60],
        signature=drawn,
        signed_on_paper=signed_on_paper,
        issued_by=employee_of(by),
        issued_at=clock.now(),
        expires_at=clock.now() + timedelta(hours=hours),
    )
    record(
        gate_pass,
        events.GATE_PASS_ISSUED,
        by=by,
        kind=kind,
        expires_at=gate_pass.expires_at,
        signature=drawn.sha256 if drawn else None,
        on_paper=signed_on_paper or None,
    )
    return gate_pass


def _cancel(gate_pass: GatePass, by: Actor) -> None:
    gate_pass.cancelled_at = clock.now()
    gate_pass.save(update_fields=["cancelled_at"])
    record(gate_pass, events.GATE_PASS_CANCELLED, by=by, kind=gate_pass.kind)


@transaction.atomic
def cancel_gate_pass(*, uid: UUID, by: Actor) -> GatePass:
    """Takes back a pass that was not used."""
    by.require(permissions.GATE_PASSES_ISSUE)
    gate_pass = GatePass.objects.for_actor(by).locked().select_related("visit").get(uid=uid)
    if gate_pass.out_at is not None or gate_pass.cancelled_at is not None:
        raise RuleError("gatepass.used", _("This gate pass is used or cancelled already."))
    _cancel(gate_pass, by)
    return gate_pass


def _locked_pass(code: str, by: Actor) -> GatePass:
    """The pass behind a scanned code with its visit and orders locked before it (design 5)."""
    found = reads.pass_with_code(code, by=by).select_related("visit").first()
    if found is None:
        raise RuleError("gate.unknown", _("No gate pass of this store has this code."), field="code")
    visit = _locked_visit(found.visit.uid, by)
    gate_pass = GatePass.objects.locked().get(pk=found.pk)
    gate_pass.visit = visit
    if gate_pass.cancelled_at is not None:
        raise RuleError("gate.cancelled", _("This gate pass was cancelled; ask the advisor."), field="code")
    return gate_pass


@transaction.atomic
def scan_out(*, code: str, by: Actor) -> GatePass:
    """The car drives out. A delivered or unrepaired car ends its visit here and its orders are closed (4.1).

    Raises RuleError ``gate.unknown``, ``gate.cancelled``, ``gate.expired``, ``gate.used``.
    """
    by.require(permissions.GATE_SCAN)
    gate_pass = _locked_pass(code, by)
    if gate_pass.out_at is not None:
        raise RuleError("gate.used", _("This gate pass has already let the car out."), field="code")
    if gate_pass.expires_at <= clock.now():
        raise RuleError("gate.expired", _("This gate pass has expired; the advisor issues a new one."), field="code")
    gate_pass.out_at = clock.now()
    gate_pass.save(update_fields=["out_at"])
    record(gate_pass, events.GATE_PASS_SCANNED_OUT, by=by, kind=gate_pass.kind)
    if gate_pass.kind in FOR_GOOD:
        _end_visit(gate_pass.visit, by)
    elif gate_pass.kind == GatePassKind.RETURN:
        transports.return_sets_out(visit=gate_pass.visit, by=by)
    elif gate_pass.kind == GatePassKind.PARTS_WAIT:
        away.drive_away(visit=gate_pass.visit, by=by)
    elif gate_pass.kind == GatePassKind.SUBLET:
        sublets.car_drives_out(visit=gate_pass.visit, by=by)
    return gate_pass


def _end_visit(visit: Visit, by: Actor) -> None:
    handover = Handover.objects.filter(visit=visit).first()
    odometer = handover.odometer_km if handover else max(visit.odometer_in_km or 0, visit.vehicle.odometer_km)
    for order in RepairOrder.objects.filter(visit=visit, closed_at__isnull=True).order_by("pk"):
        order.closed_at = clock.now()
        order.save(update_fields=["closed_at"])
    depart_visit(visit=visit, odometer_km=odometer, by=by)


@transaction.atomic
def scan_back(*, code: str, by: Actor) -> GatePass:
    """A car that was out for a while, on a road test or with somebody else drives back in (4.1)."""
    by.require(permissions.GATE_SCAN)
    gate_pass = _locked_pass(code, by)
    if gate_pass.kind in FOR_GOOD:
        raise RuleError(
            "gate.final", _("This pass was for leaving; a car that comes again is a new visit."), field="code"
        )
    if gate_pass.out_at is None:
        raise RuleError("gate.not_out", _("With this pass no car has left yet."), field="code")
    if gate_pass.back_at is not None:
        raise RuleError("gate.used", _("This car is already back."), field="code")
    gate_pass.back_at = clock.now()
    gate_pass.save(update_fields=["back_at"])
    record(
        gate_pass,
        events.GATE_PASS_SCANNED_BACK,
        by=by,
        kind=gate_pass.kind,
        minutes=int((gate_pass.back_at - gate_pass.out_at).total_seconds() // 60),
    )
    if gate_pass.kind == GatePassKind.PARTS_WAIT:
        away.drive_back(visit=gate_pass.visit, by=by)
    if gate_pass.kind == GatePassKind.SUBLET:
        sublets.car_drives_in(visit=gate_pass.visit, by=by)
    if gate_pass.kind == GatePassKind.RETURN:
        transports.return_comes_back(visit=gate_pass.visit, by=by)
    return gate_pass
