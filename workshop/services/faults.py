"""What a repair stands for under 三包: judged by a person, line by line (domain 3.6)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from workshop import events, permissions
from workshop.fault_models import FaultJudgement, LeftOut, MainSystem, SafetyFault
from workshop.models import AGREED
from workshop.selectors.faults import wear_cover
from workshop.services.orders import locked_line
from workshop.statutory_warranty import MAIN_ASSEMBLIES
from workshop.wear_models import WearPart


@transaction.atomic
def judge_fault(
    *,
    line_uid: UUID,
    is_quality: bool,
    by: Actor,
    fault: str = "",
    serious: bool = False,
    safety: str = "",
    assembly: str = "",
    system: str = "",
    part: str = "",
    wear: str = "",
    left_out_as: str = "",
    left_out_from: datetime | None = None,
    left_out_until: datetime | None = None,
) -> FaultJudgement:
    """Says whether a repair mended a fault of quality, which one, and what of the car was replaced (domain 3.6).

    ``fault`` is the same word where the same problem is back (default: the line's own words). ``left_out_*`` (aware) is the
    time that the 30 days leave out; ``wear`` the kind of wear part, which counts only within its own period. A later
    judgement takes the place of an earlier one; none is changed.

    Raises RuleError ``fault.line``, ``fault.not_quality``, ``fault.safety``, ``fault.part``, ``fault.choice``, ``fault.wear``,
    ``fault.wear_over`` and ``fault.left_out``.
    """
    by.require(permissions.FAULTS_JUDGE)
    line = locked_line(line_uid, by, living=False)
    if line.state not in AGREED:
        raise RuleError("fault.line", _("Only a repair that was agreed to is judged."))
    what, main_part = formats.one_line(fault)[:60] or line.description[:60], formats.one_line(part)[:60]
    choices = ((safety, SafetyFault.values), (assembly, MAIN_ASSEMBLIES), (system, MainSystem.values))
    if any(value and value not in known for value, known in (*choices, (left_out_as, LeftOut.values))):
        raise RuleError("fault.choice", _("Choose one of what is offered."))
    if not is_quality and (serious or safety or assembly or system or main_part or left_out_as):
        raise RuleError(
            "fault.not_quality",
            _("What is no fault of quality has neither safety fault, assembly nor main part."),
            field="is_quality",
        )
    if wear and wear not in WearPart.values:
        raise RuleError("fault.choice", _("Choose one of what is offered."), field="wear")
    if wear and (assembly or system):
        raise RuleError("fault.wear", _("A wear part is neither an assembly nor a main part."), field="wear")
    cover = wear_cover(line, wear) if wear and is_quality else None
    if cover is not None and not cover.running:
        raise RuleError(
            "fault.wear_over",
            _("The period of this wear part was over on %(day)s or at %(km)s km: it is no fault of quality any more."),
            field="wear",
            day=cover.until.isoformat(),
            km=cover.km,
        )
    if safety and not serious:
        raise RuleError("fault.safety", _("A fault of article 23 is a serious safety fault."), field="safety")
    if bool(system) != bool(main_part):
        raise RuleError("fault.part", _("Name the main part together with the system it belongs to."), field="part")
    spans = (bool(left_out_as), left_out_from is not None, left_out_until is not None)
    if any(spans) and not (all(spans) and left_out_from < left_out_until):  # type: ignore[operator]
        raise RuleError(
            "fault.left_out",
            _("Time that is left out has a reason, a beginning and a later end."),
            field="left_out_as",
        )
    judgement = FaultJudgement.objects.create(
        line=line,
        is_quality=is_quality,
        fault=what,
        serious=serious,
        safety=safety,
        assembly=assembly,
        system=system,
        part=main_part,
        wear=wear,
        left_out_as=left_out_as,
        left_out_from=left_out_from,
        left_out_until=left_out_until,
        judged_at=clock.now(),
        judged_by=by.user,
    )
    record(
        judgement,
        events.FAULT_JUDGED,
        by=by,
        store_id=line.order.store_id,
        line=line.uid,
        is_quality=is_quality,
        serious=serious,
        safety=safety,
        assembly=assembly,
        system=system,
        wear=wear,
    )
    return judgement
