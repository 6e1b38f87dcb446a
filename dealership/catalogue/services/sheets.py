"""Check sheets: written as a draft, released from a day on, followed by the next version (3.1).

Whoever changes a draft holds its row; whoever releases one holds all versions of its code in the order of their keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.check_models import (
    BOUNDS,
    MEASURED,
    CheckItem,
    CheckKind,
    CheckLimit,
    CheckSection,
    CheckStage,
    CheckTemplate,
)
from dealership.catalogue.models import Operation, PlanState, Powertrain, VehicleModel
from dealership.catalogue.services.versions import Kind, release_version
from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record

MOST = Decimal(99999)
MOST_ITEMS = 120
SECTIONS = {section: place for place, section in enumerate(CheckSection.values)}
COPIED = ("code", "position", "section", "kind", "name", "name_en", "hint", "unit", "is_safety", "powertrains")

SHEETS = Kind(
    root="template",
    empty=_("A sheet without items can't be released; add what is looked at."),
    released=events.CHECK_TEMPLATE_RELEASED,
    followed=events.CHECK_TEMPLATE_FOLLOWED,
)


def _draft(uid: UUID) -> CheckTemplate:
    template: CheckTemplate = CheckTemplate.objects.locked().get(uid=uid)
    if template.state != PlanState.DRAFT:
        raise RuleError("template.released", _("This version is released and stays as it is; write the next version."))
    return template


@transaction.atomic
def draft_template(
    *, code: str, name: str, by: Actor, name_en: str = "", with_maintenance: bool = False, stage: str = ""
) -> CheckTemplate:
    """Begins the first version of a sheet, with ``stage`` for one of the inspections that the law asks (3.2).

    Raises RuleError ``template.name``, ``template.stage`` and ``template.exists``.
    """
    by.require(permissions.CHECKS_MANAGE)
    words = formats.one_line(name)
    if not words:
        raise RuleError("template.name", _("Give the sheet a name."), field="name")
    if stage not in ("", *CheckStage.values):
        raise RuleError("template.stage", _("Choose the inspection that the sheet is for."), field="stage")
    code = code.strip().upper()
    if CheckTemplate.objects.filter(code=code).exists():
        raise RuleError("template.exists", _("There is a sheet with this code; write its next version."), field="code")
    template: CheckTemplate = CheckTemplate.objects.create(
        code=code,
        number=1,
        name=words[:60],
        name_en=formats.one_line(name_en)[:60],
        with_maintenance=with_maintenance,
        stage=stage,
    )
    record(template, events.CHECK_TEMPLATE_DRAFTED, by=by, number=1)
    return template


@transaction.atomic
def draft_next_template(*, uid: UUID, by: Actor) -> CheckTemplate:
    """Begins the next version with the items of this one; ``template.draft_exists`` where one is begun."""
    by.require(permissions.CHECKS_MANAGE)
    of: CheckTemplate = CheckTemplate.objects.locked().get(uid=uid)
    versions = CheckTemplate.objects.filter(code=of.code)
    if versions.filter(state=PlanState.DRAFT).exists():
        raise RuleError("template.draft_exists", _("A next version of this sheet is being written already."))
    made: CheckTemplate = CheckTemplate.objects.create(
        code=of.code,
        number=versions.aggregate(last=Max("number"))["last"] + 1,
        name=of.name,
        name_en=of.name_en,
        with_maintenance=of.with_maintenance,
        stage=of.stage,
    )
    for item in of.items.prefetch_related("limits").order_by("position", "id"):
        copy = CheckItem.objects.create(
            template=made,
            operation_id=item.operation_id,
            **{name: getattr(item, name) for name in (*COPIED, *BOUNDS)},
        )
        CheckLimit.objects.bulk_create(
            CheckLimit(
                item=copy,
                model_id=limit.model_id,
                powertrain=limit.powertrain,
                **{name: getattr(limit, name) for name in BOUNDS},
            )
            for limit in item.limits.all()
        )
    record(made, events.CHECK_TEMPLATE_DRAFTED, by=by, number=made.number, follows=of.uid)
    made.refresh_from_db(fields=["version", "updated_at"])
    return made


def _check_bounds(given: dict[str, Decimal | None]) -> None:
    """Each within reach, and rising from the worst below to the worst above."""
    for name, value in given.items():
        if value is not None and not -MOST <= value <= MOST:
            raise RuleError("check_item.bounds", _("A bound lies between −99,999 and 99,999."), field=name)
    named = [(name, given[name]) for name in BOUNDS if given.get(name) is not None]
    for (_low, low), (high_name, high) in pairwise(named):
        if low is not None and high is not None and low >= high:
            raise RuleError(
                "check_item.bounds", _("Bad lies beyond worn, and good has room between them."), field=high_name
            )


@transaction.atomic
def put_check_item(
    *,
    template_uid: UUID,
    code: str,
    section: str,
    kind: str,
    name: str,
    by: Actor,
    name_en: str = "",
    hint: str = "",
    unit: str = "",
    is_safety: bool = False,
    powertrains: Sequence[str] = (),
    operation_uid: UUID | None = None,
    red_below: Decimal | None = None,
    yellow_below: Decimal | None = None,
    yellow_above: Decimal | None = None,
    red_above: Decimal | None = None,
) -> CheckTemplate:
    """Writes an item of a draft, or changes it where its code stands there; new ones come last in their section.

    Raises RuleError ``template.released``, ``check_item.name``, ``.choice``, ``.unit``, ``.bounds`` and ``.many``.
    """
    by.require(permissions.CHECKS_MANAGE)
    template = _draft(template_uid)
    code, words, unit = code.strip().upper(), formats.one_line(name), unit.strip()[:8]
    if not words or not code:
        raise RuleError("check_item.name", _("Give the item a code and a name."), field="name" if code else "code")
    for field, value, choices in (("section", section, SECTIONS), ("kind", kind, CheckKind.values)):
        if value not in choices:
            raise RuleError("check_item.choice", _("“%(value)s” isn't on the list."), field=field, value=value)
    if unknown := set(powertrains) - set(Powertrain.values):
        raise RuleError(
            "check_item.choice", _("“%(value)s” isn't on the list."), field="powertrains", value=min(unknown)
        )
    bounds = {
        "red_below": red_below,
        "yellow_below": yellow_below,
        "yellow_above": yellow_above,
        "red_above": red_above,
    }
    if (kind in MEASURED) != bool(unit) or (kind not in MEASURED and any(v is not None for v in bounds.values())):
        raise RuleError(
            "check_item.unit", _("Name the unit of what is measured; only that has a unit and bounds."), field="unit"
        )
    _check_bounds(bounds)
    row = template.items.filter(code=code).first()
    if row is None and template.items.count() >= MOST_ITEMS:
        raise RuleError("check_item.many", _("More than 120 items are no sheet that anybody fills in."))
    values: dict[str, Any] = {
        "section": section,
        "kind": kind,
        "name": words[:60],
        "name_en": formats.one_line(name_en)[:80],
        "hint": formats.one_line(hint)[:120],
        "unit": unit,
        "is_safety": is_safety,
        "powertrains": list(powertrains),
        "operation": Operation.objects.get(uid=operation_uid, active=True) if operation_uid else None,
        **bounds,
    }
    if row is None or row.section != section:
        last = template.items.filter(section=section).aggregate(last=Max("position"))["last"]
        values["position"] = SECTIONS[section] * 1000 + 1 if last is None else last + 1
    CheckItem.objects.update_or_create(template=template, code=code, defaults=values)
    record(template, events.CHECK_TEMPLATE_CHANGED, by=by, item=code)
    template.refresh_from_db(fields=["version", "updated_at"])
    return template


@transaction.atomic
def put_check_limit(
    *,
    template_uid: UUID,
    code: str,
    by: Actor,
    model_uid: UUID | None = None,
    powertrain: str = "",
    red_below: Decimal | None = None,
    yellow_below: Decimal | None = None,
    yellow_above: Decimal | None = None,
    red_above: Decimal | None = None,
) -> CheckTemplate:
    """Other bounds of a measured item for one model or one kind of energy; without any bound they are taken away.

    Raises RuleError ``template.released``, ``check_item.gone``, ``.unit``, ``.scope`` and ``.bounds``.
    """
    by.require(permissions.CHECKS_MANAGE)
    template = _draft(template_uid)
    item = _item(template, code)
    if item.kind not in MEASURED:
        raise RuleError("check_item.unit", _("Name the unit of what is measured; only that has a unit and bounds."))
    if (model_uid is None) == (powertrain == "") or powertrain not in ("", *Powertrain.values):
        raise RuleError("check_item.scope", _("Choose one model or one kind of energy."), field="powertrain")
    model = VehicleModel.objects.get(uid=model_uid) if model_uid else None
    bounds = {
        "red_below": red_below,
        "yellow_below": yellow_below,
        "yellow_above": yellow_above,
        "red_above": red_above,
    }
    _check_bounds(bounds)
    if all(value is None for value in bounds.values()):
        CheckLimit.objects.filter(item=item, model=model, powertrain=powertrain).delete()
    else:
        CheckLimit.objects.update_or_create(item=item, model=model, powertrain=powertrain, defaults=bounds)
    record(template, events.CHECK_TEMPLATE_CHANGED, by=by, item=item.code, limit=powertrain or model_uid)
    template.refresh_from_db(fields=["version", "updated_at"])
    return template


def _item(template: CheckTemplate, code: str) -> CheckItem:
    item: CheckItem | None = template.items.filter(code=code.strip().upper()).first()
    if item is None:
        raise RuleError("check_item.gone", _("This item isn't in the sheet any more; look again."))
    return item


@transaction.atomic
def drop_check_item(*, template_uid: UUID, code: str, by: Actor) -> CheckTemplate:
    """Takes an item out of a draft. Raises RuleError ``template.released`` and ``check_item.gone``."""
    by.require(permissions.CHECKS_MANAGE)
    template = _draft(template_uid)
    item = _item(template, code)
    item.delete()
    record(template, events.CHECK_TEMPLATE_CHANGED, by=by, item=item.code, taken_out=True)
    template.refresh_from_db(fields=["version", "updated_at"])
    return template


@transaction.atomic
def release_template(*, uid: UUID, starts_on: date, by: Actor) -> CheckTemplate:
    """The draft holds from a day on; the version that held until then ends the day before (3.1).

    Raises RuleError ``template.released``, ``template.empty``, ``template.later`` where a version from that day or later holds.
    """
    by.require(permissions.CHECKS_MANAGE)
    asked = CheckTemplate.objects.get(uid=uid)
    same = CheckTemplate.objects.filter(code=asked.code)
    return release_version(asked, same, starts_on=starts_on, kind=SHEETS, by=by)


@transaction.atomic
def discard_template(*, uid: UUID, by: Actor) -> CheckTemplate:
    """Throws a draft away. Raises RuleError ``template.released``."""
    by.require(permissions.CHECKS_MANAGE)
    template = _draft(uid)
    record(template, events.CHECK_TEMPLATE_DISCARDED, by=by, number=template.number)
    key = template.pk
    template.delete()
    template.pk = key
    return template
