"""Self check, team check, final inspection and completion certificates (3.2, domain 3.2 and 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.saying import say_list
from staff.models import Employee
from staff.selectors.employees import employed, employee_of, require_employee
from workshop import events, permissions, rules
from workshop.check_models import SheetState
from workshop.limits import GUARANTEE
from workshop.models import (
    Certificate,
    CertificateRange,
    Clocking,
    FailureCause,
    Inspection,
    InspectionLevel,
    InspectionResult,
    LineState,
    OrderLine,
    RepairOrder,
)
from workshop.selectors.accidents import structure_demanded
from workshop.selectors.inspections import LEVELS, last_reading, levels_of, not_self_checked
from workshop.selectors.sheets import stages_of
from workshop.services.orders import lines_of, locked_order
from workshop.services.tools import demand_measuring, name_instruments

L = LineState
PERMISSION_OF = {
    InspectionLevel.SELF: permissions.INSPECT_SELF,
    InspectionLevel.TEAM: permissions.INSPECT_TEAM,
    InspectionLevel.FINAL: permissions.INSPECT_FINAL,
}


def _before(order: RepairOrder, lines: list[OrderLine], level: str) -> InspectionLevel | None:
    """The level that passes first. A team check may be done where the category doesn't ask for one."""
    needed = levels_of(order, lines) if level == InspectionLevel.FINAL else LEVELS
    place = needed.index(InspectionLevel(level))
    return needed[place - 1] if place else None


def passed_since_work(order: RepairOrder, level: str) -> bool:
    """Whether this level passed after the last piece of work was done."""
    passed = order.inspections.filter(level=level, result=InspectionResult.PASSED)
    return _since_work(order.lines.all(), passed).exists()


def _since_work(lines: Iterable[OrderLine], rows: QuerySet[Inspection]) -> QuerySet[Inspection]:
    """Those of the inspections that came after the last piece of work was done."""
    ends = [line.completed_at for line in lines if line.state == L.COMPLETED and line.completed_at]
    return rows.filter(at__gte=max(ends)) if ends else rows


@transaction.atomic
def inspect_order(
    *,
    order_uid: UUID,
    level: str,
    result: str,
    by: Actor,
    reason: str = "",
    cause: str = "",
    failed_line_uid: UUID | None = None,
    road_test_km: int | None = None,
    road_test_from_km: int | None = None,
    road_test_to_km: int | None = None,
    road_test_driver_uid: UUID | None = None,
    road_test_route: str = "",
    road_test_findings: str = "",
    instrument_uids: Sequence[UUID] = (),
    sheet_reason: str = "",
) -> Inspection:
    """One inspection of the whole order: SELF by each who worked, TEAM and FINAL by somebody else, in this order (3.2).

    TEAM passes when each finished line has its self check by somebody who worked on it; a TEAM failure needs none. FINAL
    follows the self check at once where the setting ``workshop.inspection_levels`` asks two levels of all its work.
    FINAL PASSED turns COMPLETED lines INSPECTED; where one of them concerns safety it needs the road test (domain 3.4):
    ``road_test_km`` whole km, or the readings before and after, driven by ``road_test_driver_uid`` (default: the
    inspector). FAILED sends one line back to work: internal rework, counted by these rows and their ``cause``, one of
    ``FailureCause`` beside the words of ``reason``. Raises RuleError ``inspection.work_open``, ``.nothing``,
    ``.own_work``, ``.not_worker``, ``.order``, ``.self_missing``, ``.passed``, ``.cause``,
    ``.same_person``, ``.reason``, ``.line``, ``.road_test``, ``.road_test_readings``, ``.road_test_driver``,
    ``certificate.valid``;
    a self check passes with a check sheet still open only by ``sheet_reason`` (``inspection.sheet_open``, 3.1);
    ``instrument_uids`` are the measuring tools it was done with: ``tool.unknown``, ``.unavailable``, ``.expired`` (3.4).
    FINAL of second-class maintenance, assembly and whole-vehicle repair passes with the three inspections of the law on
    signed sheets, nothing bad on the last one (``inspection.stages``), and with at least one measuring tool, by default
    those of the sheet at completion (``inspection.instruments``). Work on the body's structure by its operation, and an
    accident from ``workshop.structure_amount`` on, passes with that check declared (``structure.demanded``).
    """
    if level not in InspectionLevel.values or result not in InspectionResult.values:
        raise RuleError("inspection.level", _("Choose the level and the result."), field="level")
    by.require(PERMISSION_OF[InspectionLevel(level)])
    inspector = require_employee(by)
    order = locked_order(order_uid, by)
    lines = lines_of(order)
    _check_ready(order, lines)
    _check_person(order, inspector, level)
    needed = _before(order, lines, level)
    if needed == InspectionLevel.SELF and result == InspectionResult.FAILED:
        needed = None  # what is plainly wrong goes back at once, also where its worker has gone home
    if needed is not None and not passed_since_work(order, needed):
        raise RuleError(
            "inspection.order",
            _("“%(needed)s” comes first; it hasn't passed since the last work."),
            needed=InspectionLevel(needed).label,
        )
    if level != InspectionLevel.SELF and result == InspectionResult.PASSED:
        _check_self_checked(order)
    unsigned = None
    if level == InspectionLevel.SELF and result == InspectionResult.PASSED:
        unsigned = order.sheets.filter(state=SheetState.OPEN).select_related("template").order_by("id").first()
    if unsigned is not None and not sheet_reason.strip():
        raise RuleError(
            "inspection.sheet_open",
            _("“%(sheet)s” isn't signed yet: finish and sign it, or say why it stays open."),
            field="sheet_reason",
            sheet=unsigned.template.said,
        )
    failed = None
    if result == InspectionResult.FAILED:
        failed = _failed_line(order, lines, failed_line_uid, reason)
        if cause not in FailureCause.values:
            raise RuleError("inspection.cause", _("Choose why the work goes back."), field="cause")
    driven = _road_test(order, road_test_from_km, road_test_to_km, road_test_km)
    if failed is None:
        _check_not_passed(order, inspector, level)
        if level != InspectionLevel.SELF:
            _check_other_person(order, lines, inspector)
        if level == InspectionLevel.FINAL and driven is None:
            _check_needs_no_road_test(lines)
        if level == InspectionLevel.FINAL:
            instrument_uids = _check_stages(order, lines, instrument_uids)
            _check_structure(order, lines)
    driver = _driver(road_test_driver_uid, inspector, by) if driven else None
    inspection = Inspection.objects.create(
        store_id=order.store_id,
        order=order,
        level=level,
        result=result,
        inspector=inspector,
        failed_line=failed,
        reason=reason.strip()[:300],
        cause=cause if failed is not None else "",
        road_test_from_km=driven[0] if driven else None,
        road_test_to_km=driven[1] if driven else None,
        road_test_km=driven[2] if driven else None,
        road_test_driver=driver,
        road_test_route=formats.one_line(road_test_route)[:120] if driven else "",
        road_test_findings=road_test_findings.strip()[:300] if driven else "",
        sheet_reason=sheet_reason.strip()[:200] if unsigned is not None else "",
        at=clock.now(),
    )
    instruments = name_instruments(inspection, instrument_uids, by)
    measured = any(line.state in DONE and line.category in rules.CERTIFICATE_CATEGORIES for line in lines)
    if measured and failed is None and level == InspectionLevel.FINAL:
        demand_measuring(instruments, "inspection.instruments")
    before = order.stage
    if failed is not None:
        _send_back(failed)
    elif level == InspectionLevel.FINAL:
        for line in lines:
            if line.state == L.COMPLETED:
                line.state = L.INSPECTED
                line.save(update_fields=["state"])
    order.refresh_from_db(fields=["stage", "version"])
    record(
        inspection,
        events.INSPECTION_FAILED if failed is not None else events.INSPECTION_PASSED,
        by=by,
        changed={"stage": (before, order.stage)} if before != order.stage else None,
        level=level,
        inspector=inspector.uid,
        line=failed.uid if failed else None,
        cause=inspection.cause or None,
        road_test_km=inspection.road_test_km,
        road_test_driver=driver.uid if driver else None,
        instruments=[tool.uid for tool in instruments] or None,
    )
    return inspection


MOST_ROAD_TEST_KM = 500


def _road_test(
    order: RepairOrder, from_km: int | None, to_km: int | None, km: int | None
) -> tuple[int | None, int | None, int] | None:
    """The drive that goes with the inspection, checked against the car's last reading; None where nobody drove."""
    try:
        driven = rules.road_test(from_km, to_km, km)
    except ValueError:
        raise RuleError(
            "inspection.road_test_readings",
            _("Write both readings of the road test, the second one higher, or the distance alone."),
            field="road_test_to_km",
        ) from None
    if driven is None:
        return None
    if driven[2] > MOST_ROAD_TEST_KM:
        raise RuleError(
            "inspection.road_test_readings",
            _("A road test isn't longer than %(km)s km; read the mileage again."),
            field="road_test_to_km",
            km=MOST_ROAD_TEST_KM,
        )
    last = last_reading(order.visit)
    if driven[0] is not None and driven[0] < last:
        raise RuleError(
            "inspection.road_test_readings",
            _("The mileage lies below the last reading of %(km)s km; read it again."),
            field="road_test_from_km",
            km=last,
        )
    return driven


def _check_needs_no_road_test(lines: list[OrderLine]) -> None:
    for line in lines:
        if line.is_safety and line.state == L.COMPLETED:
            raise RuleError(
                "inspection.road_test",
                _("“%(line)s” concerns safety: drive the car, write down how far and who drove, then it can pass."),
                field="road_test_to_km",
                line=line.said,
            )


def _check_stages(order: RepairOrder, lines: list[OrderLine], instrument_uids: Sequence[UUID]) -> Sequence[UUID]:
    """What the law asks of work that gets a certificate (domain 3.4); returns the instruments, by default the last sheet's."""
    stages = stages_of(order, lines)
    lacking = next((row for row in stages if row.lacks), None)
    if lacking is not None:
        raise RuleError("inspection.stages", STAGE_LACKS[lacking.lacks], sheet=lacking.label)
    if instrument_uids:
        return instrument_uids
    return [row.tool.uid for stage in stages[-1:] if stage.sheet for row in stage.sheet.instruments.all()]


def _check_structure(order: RepairOrder, lines: list[OrderLine]) -> None:
    """Work on the body's structure, and an accident of some size, have their check (JT/T 795)."""
    demanded = structure_demanded(order, lines)
    if demanded is not None:
        raise RuleError(
            "structure.demanded",
            _("“%(line)s” is on the body's structure: declare it on the order, then have it checked (3.2).")
            if demanded
            else _(
                "The insurer agreed to an amount from which on the body is measured: declare the item, then check it."
            ),
            line=demanded,
        )


DONE = (L.COMPLETED, L.INSPECTED)
STAGE_LACKS = {
    "SHEET": _("“%(sheet)s” is missing: this work passes only with its sheet, signed (3.2)."),
    "SIGNATURE": _("“%(sheet)s” isn't signed yet; finish and sign it first (3.2)."),
    "AGAIN": _("Work was done after “%(sheet)s” was signed: look at the car again on a new sheet (3.2)."),
    "BAD": _("Something on “%(sheet)s” is bad: send the work back, then look at the car again on a new sheet (3.2)."),
}


def _driver(uid: UUID | None, inspector: Employee, by: Actor) -> Employee:
    if uid is None or uid == inspector.uid:
        return inspector
    driver = Employee.objects.for_actor(by).filter(employed(clock.today()), uid=uid).first()
    if driver is None:
        raise RuleError(
            "inspection.road_test_driver", _("Choose a driver who works here."), field="road_test_driver_uid"
        )
    return driver


def _check_ready(order: RepairOrder, lines: list[OrderLine]) -> None:
    open_lines = [line for line in lines if line.state in (L.AUTHORIZED, L.IN_PROGRESS)]
    if open_lines:
        raise RuleError(
            "inspection.work_open",
            _("%(count)s agreed lines are not done yet, first “%(line)s”."),
            count=len(open_lines),
            line=open_lines[0].said,
        )
    if not any(line.state == L.COMPLETED for line in lines):
        raise RuleError("inspection.nothing", _("There is no finished work to inspect on this order."))


def _check_not_passed(order: RepairOrder, inspector: Employee, level: str) -> None:
    """A level passes once after the work; each of several workers may do the self check of their own."""
    if not passed_since_work(order, level):
        return
    passed = order.inspections.filter(level=level, result=InspectionResult.PASSED)
    if level == InspectionLevel.SELF:
        passed = passed.filter(inspector=inspector)
    failed = order.inspections.filter(result=InspectionResult.FAILED).order_by("-id").first()
    if passed.filter(id__gt=failed.pk if failed else 0).exists():
        raise RuleError(
            "inspection.passed",
            _("“%(level)s” has passed already; no work was done since."),
            level=InspectionLevel(level).label,
        )


def _check_person(order: RepairOrder, inspector: Employee, level: str) -> None:
    worked = Clocking.objects.filter(line__order=order, employee=inspector).exists()
    if level == InspectionLevel.SELF and not worked:
        raise RuleError("inspection.not_worker", _("The self check is done by somebody who worked on the car."))
    if level != InspectionLevel.SELF and worked:
        raise RuleError("inspection.own_work", _("Who worked on the car can't do its team or final inspection (3.2)."))


def _check_other_person(order: RepairOrder, lines: list[OrderLine], inspector: Employee) -> None:
    """Three levels are three people: whoever passed the one before since the work leaves the next to somebody else."""
    own = order.inspections.filter(result=InspectionResult.PASSED, inspector=inspector)
    passed = _since_work(lines, own).order_by("-id").first()
    if passed is not None:
        raise RuleError(
            "inspection.same_person",
            _("“%(level)s” was passed by you: the next one is done by somebody else (3.2)."),
            level=InspectionLevel(passed.level).label,
        )


def _check_self_checked(order: RepairOrder) -> None:
    """Each line by somebody who worked on it; the sentence names line and people."""
    rows = order.lines.filter(state=L.COMPLETED).prefetch_related("clockings__employee").order_by("position")
    for line in not_self_checked(rows, order.inspections.all()):
        raise RuleError(
            "inspection.self_missing",
            _("The self check of “%(line)s” is missing: %(names)s did it and checks it first (3.2)."),
            line=line.said,
            names=say_list(sorted({c.employee.name for c in line.clockings.all()})),
        )


def _failed_line(order: RepairOrder, lines: list[OrderLine], uid: UUID | None, reason: str) -> OrderLine:
    """The line that goes back; a failure needs its reason, and no valid certificate may be out."""
    if not reason.strip():
        raise RuleError("inspection.reason", _("Say what failed and why."), field="reason")
    done = [line for line in lines if line.state in (L.COMPLETED, L.INSPECTED)]
    chosen = [line for line in done if line.uid == uid] if uid else done
    if len(chosen) != 1:
        raise RuleError("inspection.line", _("Choose the line that goes back to work."), field="failed_line")
    if order.certificates.filter(voided_at__isnull=True).exists():
        raise RuleError("certificate.valid", _("A valid certificate is out for this order; void it first."))
    return chosen[0]


def _send_back(line: OrderLine) -> None:
    line.state, line.completed_at = L.IN_PROGRESS, None
    line.save(update_fields=["state", "completed_at"])


# --- certificates ---


@transaction.atomic
def allot_certificates(*, prefix: str, first: int, last: int, by: Actor) -> CertificateRange:
    """Enters a range of certificate numbers the authority has allotted to the store (domain 3.2).

    Raises RuleError ``certificate.range`` for a wrong range and ``certificate.overlap`` for numbers that are known.
    """
    by.require(permissions.CERTIFICATES_MANAGE)
    prefix = prefix.strip().upper()
    if not prefix or first < 1 or last < first:
        raise RuleError("certificate.range", _("A range has a prefix, a first and a last number."), field="first")
    store = Store.objects.select_for_update(no_key=True).get(pk=by.store_id)
    if CertificateRange.objects.filter(prefix=prefix, first__lte=last, last__gte=first).exists():
        raise RuleError("certificate.overlap", _("Some of these numbers were entered before."), field="first")
    made = CertificateRange.objects.create(store=store, prefix=prefix, first=first, last=last, next=first)
    record(made, events.RANGE_ALLOTTED, by=by, first=first, last=last)
    return made


@transaction.atomic
def issue_certificate(*, order_uid: UUID, by: Actor) -> Certificate:
    """竣工出厂合格证: by the inspector who passed the final inspection, with the next allotted number (domain 3.2).

    The number is taken last, so each is used once and none is skipped but those that were voided as spoiled. Raises
    RuleError ``certificate.not_needed``, ``.inspection``, ``.exists`` and ``.no_numbers``.
    """
    by.require(permissions.INSPECT_FINAL)
    inspector = require_employee(by)
    order = locked_order(order_uid, by)
    alive = [line for line in lines_of(order) if line.state == L.INSPECTED]
    category = rules.certificate_category(line.category for line in alive)
    final = order.inspections.filter(level=InspectionLevel.FINAL).order_by("-id").first()
    if final is None or final.result != InspectionResult.PASSED or final.inspector_id != inspector.pk:
        raise RuleError(
            "certificate.inspection",
            _("A certificate is signed by the inspector who passed the final inspection of this order."),
        )
    if category is None:
        raise RuleError(
            "certificate.not_needed",
            _("Only second-class maintenance, assembly and whole-vehicle repair have a certificate."),
        )
    if valid := order.certificates.filter(voided_at__isnull=True).first():
        raise RuleError("certificate.exists", _("This order already has a valid certificate."), held_by=valid)
    guarantee = limits.value(GUARANTEE, store_id=order.store_id)[category]
    kept = (
        CertificateRange.objects.filter(store_id=order.store_id, next__lte=F("last")).locked().order_by("first").first()
    )
    if kept is None:
        raise RuleError(
            "certificate.no_numbers",
            _("The allotted certificate numbers are used up; the quality supervisor enters a new range."),
        )
    number = kept.next  # never a spoiled one: ``next`` is moved past those when they are voided
    kept.next = _next_free(kept, number + 1)
    kept.save(update_fields=["next"])
    certificate = Certificate.objects.create(
        store_id=order.store_id,
        order=order,
        range=kept,
        number=_number(kept, number),
        inspector=inspector,
        category=category,
        odometer_km=last_reading(order.visit),
        guarantee_days=guarantee["days"],
        guarantee_km=guarantee["km"],
        issued_at=clock.now(),
    )
    record(
        certificate,
        events.CERTIFICATE_ISSUED,
        by=by,
        serial=number,
        category=category,
        inspector=inspector.uid,
    )
    return certificate


@transaction.atomic
def void_certificate(*, uid: UUID, reason: str, by: Actor) -> Certificate:
    """Voids a certificate; its number stays used (domain 3.2). Raises RuleError ``certificate.reason``, ``.voided``
    and ``order.ended`` once the order is settled."""
    if not by.may(permissions.CERTIFICATES_MANAGE):
        by.require(permissions.INSPECT_FINAL)
    if not reason.strip():
        raise RuleError("certificate.reason", _("Say why the certificate is voided."), field="reason")
    order_uid = Certificate.objects.for_actor(by).values_list("order__uid", flat=True).get(uid=uid)
    if order_uid is not None:
        locked_order(order_uid, by)
    certificate = Certificate.objects.locked().select_related("order").get(uid=uid)
    if certificate.voided_at is not None:
        raise RuleError("certificate.voided", _("This certificate is already void."))
    certificate.voided_at, certificate.void_reason = clock.now(), reason.strip()[:200]
    certificate.voided_by = employee_of(by)
    certificate.save(update_fields=["voided_at", "voided_by", "void_reason"])
    record(certificate, events.CERTIFICATE_VOIDED, by=by, changed={"voided": (False, True)})
    return certificate


def _number(kept: CertificateRange, serial: int) -> str:
    return f"{kept.prefix}{serial:08d}"


def _next_free(kept: CertificateRange, serial: int) -> int:
    """The first number from ``serial`` on that no certificate has and that wasn't voided; one past the last where none."""
    while serial <= kept.last and Certificate.objects.filter(number=_number(kept, serial)).exists():
        serial += 1
    return serial


@transaction.atomic
def void_number(*, range_uid: UUID, serial: int, reason: str, by: Actor) -> Certificate:
    """A spoiled form: a number of the allotted range that was never given out is void and stays so (domain 3.2).

    ``serial`` is the number without its prefix; issuing passes over it. The row names who and why and counts as void.
    Raises RuleError ``certificate.reason``, ``certificate.not_allotted`` and ``certificate.number_taken``, and
    CertificateRange.DoesNotExist for another store's range.
    """
    if not by.may(permissions.CERTIFICATES_MANAGE):
        by.require(permissions.INSPECT_FINAL)
    if not reason.strip():
        raise RuleError("certificate.reason", _("Say why the certificate is voided."), field="reason")
    kept: CertificateRange = CertificateRange.objects.for_actor(by).locked().get(uid=range_uid)
    if not kept.first <= serial <= kept.last:
        raise RuleError(
            "certificate.not_allotted",
            _("This range holds %(first)s to %(last)s; read the number on the form again."),
            field="serial",
            first=_number(kept, kept.first),
            last=_number(kept, kept.last),
        )
    number = _number(kept, serial)
    if serial < kept.next or Certificate.objects.filter(number=number).exists():
        raise RuleError(
            "certificate.number_taken",
            _("%(number)s was given out or voided already; a certificate that is out is voided on its order."),
            field="serial",
            number=number,
        )
    certificate: Certificate = Certificate.objects.create(
        store_id=kept.store_id,
        range=kept,
        number=number,
        issued_at=clock.now(),
        voided_at=clock.now(),
        voided_by=employee_of(by),
        void_reason=reason.strip()[:200],
    )
    if serial == kept.next:
        kept.next = _next_free(kept, serial + 1)
        kept.save(update_fields=["next"])
    record(certificate, events.CERTIFICATE_VOIDED, by=by, changed={"voided": (False, True)}, serial=serial)
    return certificate
