"""Check sheets as they are read: the list, one version by section, its other versions (3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Prefetch

from dealership.catalogue.check_models import CheckItem, CheckLimit, CheckTemplate
from dealership.catalogue.models import Operation, PlanState
from dealership.kernel import clock


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions of one sheet: the one that holds, the one to come, the draft."""

    now: CheckTemplate | None
    coming: CheckTemplate | None
    draft: CheckTemplate | None
    newest: CheckTemplate


def holds(template: CheckTemplate, on: date) -> bool:
    return bool(
        template.state == PlanState.RELEASED
        and template.starts_on
        and template.starts_on <= on
        and (template.ends_on is None or template.ends_on >= on)
    )


def template_list() -> list[Versions]:
    today = clock.today()
    grouped: dict[str, list[CheckTemplate]] = {}
    for row in CheckTemplate.objects.annotate(works=Count("items")).order_by("code", "-number"):
        grouped.setdefault(row.code, []).append(row)
    found = []
    for versions in grouped.values():
        now = next((row for row in versions if holds(row, today)), None)
        coming = next((row for row in versions if row.starts_on and row.starts_on > today), None)
        draft = next((row for row in versions if row.state == PlanState.DRAFT), None)
        found.append(Versions(now, coming, draft, draft or coming or now or versions[0]))
    return found


def get_template(uid: UUID) -> CheckTemplate:
    limits = CheckLimit.objects.select_related("model").order_by("id")
    items = CheckItem.objects.select_related("operation").order_by("position", "id")
    items_with_limits = items.prefetch_related(Prefetch("limits", limits))
    asked = CheckTemplate.objects.filter(uid=uid)
    return asked.prefetch_related(Prefetch("items", items_with_limits)).get()


def sections_of(template: CheckTemplate) -> list[tuple[str, list[CheckItem]]]:
    found: dict[str, list[CheckItem]] = {}
    for item in template.items.all():
        found.setdefault(item.get_section_display(), []).append(item)
    return list(found.items())


def item_of(template: CheckTemplate, code: str) -> CheckItem | None:
    return next((item for item in template.items.all() if item.code == code), None)


def limit_of(item: CheckItem, powertrain: str, model_uid: str) -> CheckLimit | None:
    """The other bounds of an item as they stand for one kind of energy or one model."""
    return next(
        (
            limit
            for limit in item.limits.all()
            if (str(limit.model.uid) if limit.model else "", limit.powertrain) == (model_uid, powertrain)
        ),
        None,
    )


def versions_of(template: CheckTemplate) -> list[CheckTemplate]:
    """The other versions of the same sheet, newest first."""
    return list(CheckTemplate.objects.filter(code=template.code).exclude(pk=template.pk).order_by("-number"))


def mending_operations() -> list[Operation]:
    return list(Operation.objects.filter(active=True).order_by("code"))
