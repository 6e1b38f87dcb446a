"""Parts of the group's master: new ones, and what is said of one corrected (3.2). The number stays for good."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import Part, PartKind
from dealership.catalogue.rules import POURED
from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record

MOST_MONTHS, MOST_KM = 120, 500_000
READ = ("name", "name_en", "unit", "brand", "kind", "guarantee_months", "guarantee_km", "active")


def _read(
    name: str, name_en: str, unit: str, brand: str, kind: str, months: int, km: int, active: bool
) -> dict[str, object]:
    name, unit = formats.one_line(name)[:80], formats.one_line(unit)[:10]
    if not name:
        raise RuleError("part.name", _("Give the part a name."), field="name")
    if not unit:
        raise RuleError("part.unit", _("Say in what it is counted: piece, litre, set …"), field="unit")
    if kind not in PartKind.values:
        raise RuleError("part.kind", _("Choose what kind of part it is."), field="kind")
    for field, value, most in (("guarantee_months", months, MOST_MONTHS), ("guarantee_km", km, MOST_KM)):
        if not 0 <= value <= most:
            raise RuleError("part.guarantee", _("The guarantee lies between 0 and %(most)s."), field=field, most=most)
    return {
        "name": name,
        "name_en": formats.one_line(name_en)[:80],
        "pinyin": f"{formats.pinyin_full(name)} {formats.pinyin_initials(name)}"[:160],
        "unit": unit,
        "brand": formats.one_line(brand)[:40],
        "kind": kind,
        "guarantee_months": months,
        "guarantee_km": km,
        "active": active,
    }


@transaction.atomic
def add_master_part(
    *,
    number: str,
    name: str,
    unit: str,
    by: Actor,
    name_en: str = "",
    brand: str = "",
    kind: str = PartKind.GENUINE,
    guarantee_months: int = 12,
    guarantee_km: int = 20_000,
    active: bool = True,
) -> Part:
    """A new part of the master; each store sets its price (3.2).

    Raises RuleError ``part.number``, ``.exists``, ``.name``, ``.unit``, ``.kind`` and ``.guarantee``.
    """
    by.require(permissions.PARTS_MANAGE)
    number = formats.one_line(number).upper()[:40]
    if not number:
        raise RuleError("part.number", _("Give the part its number."), field="number")
    read = _read(name, name_en, unit, brand, kind, guarantee_months, guarantee_km, active)
    if Part.objects.filter(number=number).exists():
        raise RuleError("part.exists", _("The master has a part of this number already."), field="number")
    made: Part = Part.objects.create(number=number, leaves_old=read["unit"] not in POURED, **read)
    record(made, events.PART_ADDED, by=by, number=made.number, kind=made.kind)
    return made


@transaction.atomic
def correct_master_part(
    *,
    uid: UUID,
    name: str,
    unit: str,
    by: Actor,
    name_en: str = "",
    brand: str = "",
    kind: str = PartKind.GENUINE,
    guarantee_months: int = 12,
    guarantee_km: int = 20_000,
    active: bool = True,
) -> Part:
    """Corrects what is said of a part; orders keep what they were written with. Refuses as ``add_master_part``."""
    by.require(permissions.PARTS_MANAGE)
    part: Part = Part.objects.locked().get(uid=uid)
    read = _read(name, name_en, unit, brand, kind, guarantee_months, guarantee_km, active)
    before = {field: getattr(part, field) for field in read}
    for field, value in read.items():
        setattr(part, field, value)
    part.save(update_fields=list(read))
    told = ("kind", "guarantee_months", "guarantee_km", "active")
    changed = {field: (before[field], read[field]) for field in told if before[field] != read[field]}
    record(part, events.PART_CORRECTED, by=by, changed=changed, number=part.number)
    return part
