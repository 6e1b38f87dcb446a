"""Operations of the catalogue: what is done, how long it takes on which model, who can do it and where (3.2).

Hours are for the whole group; what an hour costs is the store's (``prices``). Orders keep the hours they were written
with. Whoever changes an operation holds its row.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import (
    BayCapability,
    Operation,
    OperationHours,
    OperationPart,
    Part,
    RepairCategory,
    ToolKind,
    VehicleModel,
)
from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import round_money
from dealership.kernel.postgres.prepared import run_prepared
from staff.models import Skill

NOTHING = Decimal(0)
MOST_HOURS = Decimal("300")
MOST_QUANTITY = Decimal("9999")
FLAGS = ("is_diagnosis", "is_maintenance", "is_safety", "is_structural", "bookable_online", "active")
READ = ("code", "name", "name_en", "category", "hours", "skill_level", "capability", "tool", *FLAGS)


def fit_hours(operations: Iterable[Operation], model_id: int | None) -> list[Operation]:
    """The same operations with ``hours`` as they take on a model (``VehicleModel`` key); None leaves them as they are.

    Only the objects in memory change; they aren't to be saved.
    """
    rows = list(operations)
    if model_id is not None and rows:
        known = dict(run_prepared("operation hours", _HOURS, [model_id, [row.pk for row in rows]]))
        for row in rows:
            row.hours = known.get(row.pk, row.hours)
    return rows


_HOURS = """
    SELECT operation_id, hours FROM catalogue_operationhours WHERE model_id = $1 AND operation_id = ANY($2::bigint[])
"""


def require_hours(hours: Decimal) -> Decimal:
    """Standard hours rounded to 0.01. Raises RuleError ``operation.hours``."""
    hours = round_money(hours)
    if not 0 < hours <= MOST_HOURS:
        raise RuleError(
            "operation.hours", _("Standard hours lie above 0 and up to %(most)s."), field="hours", most=MOST_HOURS
        )
    return hours


def _read(
    *,
    code: str,
    name: str,
    name_en: str,
    category: str,
    hours: Decimal,
    skill_code: str,
    skill_level: int,
    capability: str,
    tool: str,
    **flags: bool,
) -> dict[str, object]:
    code, name = formats.one_line(code).upper()[:30], formats.one_line(name)[:80]
    if not code:
        raise RuleError("operation.code", _("Give the operation a code."), field="code")
    if not name:
        raise RuleError("operation.name", _("Give the operation a name."), field="name")
    for field, value, known in (
        ("category", category, RepairCategory.values),
        ("capability", capability, BayCapability.values),
        ("tool", tool, ["", *ToolKind.values]),
    ):
        if value not in known:
            raise RuleError("operation.choice", _("Choose one of the list."), field=field)
    skill = Skill.objects.filter(code=skill_code).first() if skill_code else None
    if skill_code and skill is None:
        raise RuleError("operation.skill", _("There is no such skill."), field="skill_code")
    if not 1 <= skill_level <= 4:
        raise RuleError("operation.skill_level", _("A level lies between 1 and 4."), field="skill_level")
    return {
        "code": code,
        "name": name,
        "name_en": formats.one_line(name_en)[:80],
        "pinyin": f"{formats.pinyin_full(name)} {formats.pinyin_initials(name)}"[:160],
        "category": category,
        "hours": require_hours(hours),
        "skill": skill,
        "skill_level": skill_level,
        "capability": capability,
        "tool": tool,
        **flags,
    }


@transaction.atomic
def add_operation(
    *,
    code: str,
    name: str,
    hours: Decimal,
    by: Actor,
    name_en: str = "",
    category: str = RepairCategory.MINOR,
    skill_code: str = "",
    skill_level: int = 3,
    capability: str = BayCapability.STANDARD_LIFT,
    tool: str = "",
    is_diagnosis: bool = False,
    is_maintenance: bool = False,
    is_safety: bool = False,
    is_structural: bool = False,
    bookable_online: bool = False,
    active: bool = True,
) -> Operation:
    """A new kind of work with its standard hours (3.2).

    Raises RuleError ``operation.code``, ``.name``, ``.hours``, ``.choice``, ``.skill``, ``.skill_level`` and
    ``.exists`` (the code is taken).
    """
    by.require(permissions.OPERATIONS_MANAGE)
    read = _read(
        code=code, name=name, name_en=name_en, category=category, hours=hours, skill_code=skill_code,
        skill_level=skill_level, capability=capability, tool=tool, is_diagnosis=is_diagnosis,
        is_maintenance=is_maintenance, is_safety=is_safety, is_structural=is_structural, bookable_online=bookable_online,
        active=active,
    )  # fmt: skip
    _require_free(str(read["code"]))
    made: Operation = Operation.objects.create(**read)
    record(made, events.OPERATION_ADDED, by=by, operation=made.code, hours=made.hours)
    return made


def _require_free(code: str, but: int | None = None) -> None:
    if Operation.objects.filter(code=code).exclude(pk=but).exists():
        raise RuleError("operation.exists", _("An operation has this code already."), field="code")


@transaction.atomic
def correct_operation(
    *,
    uid: UUID,
    code: str,
    name: str,
    hours: Decimal,
    by: Actor,
    name_en: str = "",
    category: str = RepairCategory.MINOR,
    skill_code: str = "",
    skill_level: int = 3,
    capability: str = BayCapability.STANDARD_LIFT,
    tool: str = "",
    is_diagnosis: bool = False,
    is_maintenance: bool = False,
    is_safety: bool = False,
    is_structural: bool = False,
    bookable_online: bool = False,
    active: bool = True,
) -> Operation:
    """Corrects an operation; orders keep what they were written with. Refuses as ``add_operation``."""
    by.require(permissions.OPERATIONS_MANAGE)
    row: Operation = Operation.objects.locked().get(uid=uid)
    read = _read(
        code=code, name=name, name_en=name_en, category=category, hours=hours, skill_code=skill_code,
        skill_level=skill_level, capability=capability, tool=tool, is_diagnosis=is_diagnosis,
        is_maintenance=is_maintenance, is_safety=is_safety, is_structural=is_structural, bookable_online=bookable_online,
        active=active,
    )  # fmt: skip
    _require_free(str(read["code"]), row.pk)
    before = {field: getattr(row, field) for field in read}
    for field, value in read.items():
        setattr(row, field, value)
    row.save(update_fields=list(read))
    told = ("code", "category", "hours", "skill_level", "capability", "tool", *FLAGS)
    changed = {field: (before[field], read[field]) for field in told if before[field] != read[field]}
    record(row, events.OPERATION_CORRECTED, by=by, changed=changed, operation=row.code)
    return row


@transaction.atomic
def set_model_hours(*, operation_uid: UUID, model_uid: UUID, hours: Decimal | None, by: Actor) -> Operation:
    """How long an operation takes on one model (3.2); None: as long as on the others again.

    Raises RuleError ``operation.hours`` and ``operation.hours_none`` where there is nothing to take back.
    """
    by.require(permissions.OPERATIONS_MANAGE)
    operation: Operation = Operation.objects.locked().get(uid=operation_uid)
    model = VehicleModel.objects.get(uid=model_uid)
    row = OperationHours.objects.filter(operation=operation, model=model).first()
    before = row.hours if row else None
    after = None if hours is None else require_hours(hours)
    if row is None and after is None:
        raise RuleError("operation.hours_none", _("This model has the usual hours already."), field="model")
    if after is None:
        OperationHours.objects.filter(operation=operation, model=model).delete()
    elif row is None:
        OperationHours.objects.create(operation=operation, model=model, hours=after)
    elif row.hours != after:
        row.hours = after
        row.save(update_fields=["hours"])
    record(
        operation,
        events.OPERATION_HOURS_SET,
        by=by,
        operation=operation.code,
        model=model.uid,
        changed={"hours": (before, after)},
    )
    return operation


@transaction.atomic
def set_usual_part(*, operation_uid: UUID, part_uid: UUID, quantity: Decimal, by: Actor) -> Operation:
    """How much of a part an operation usually needs, in the part's unit; 0 takes it out (3.2).

    Orders, quotations and packages written before keep theirs. Raises RuleError ``operation.quantity`` and
    ``operation.part_none`` where there is nothing to take out.
    """
    by.require(permissions.OPERATIONS_MANAGE)
    operation: Operation = Operation.objects.locked().get(uid=operation_uid)
    part = Part.objects.get(uid=part_uid)
    quantity = round_money(quantity)
    if not 0 <= quantity <= MOST_QUANTITY:
        raise RuleError(
            "operation.quantity", _("A quantity lies between 0 and %(most)s."), field="quantity", most=MOST_QUANTITY
        )
    row = OperationPart.objects.filter(operation=operation, part=part).first()
    if row is None and not quantity:
        raise RuleError("operation.part_none", _("This part doesn't belong to the operation."), field="part")
    if quantity and not part.active:
        raise RuleError("operation.part_ended", _("This part isn't used any more."), field="part")
    before = row.quantity if row else None
    if not quantity:
        OperationPart.objects.filter(operation=operation, part=part).delete()
    else:
        OperationPart.objects.update_or_create(operation=operation, part=part, defaults={"quantity": quantity})
    record(
        operation,
        events.OPERATION_PART_SET,
        by=by,
        operation=operation.code,
        part=part.uid,
        changed={"quantity": (before, quantity or None)},
    )
    operation.refresh_from_db(fields=["version", "updated_at"])
    return operation
