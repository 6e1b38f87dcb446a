"""Which part follows another one, and which may stand in for it (3.2)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import Part, PartReplacement, ReplacementKind
from dealership.catalogue.selectors.replacements import ends_in
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.formats import one_line
from dealership.kernel.history import record

K = ReplacementKind


@transaction.atomic
def replace_part(
    *,
    part_uid: UUID,
    other_uid: UUID,
    kind: str,
    by: Actor,
    starts_on: date | None = None,
    note: str = "",
    other_kind: bool = False,
) -> PartReplacement:
    """3.2: ``other`` follows ``part`` for good from a day on (default: today), or may be used in place of it.

    ``other_kind`` says that it is known to be of another kind (原厂, 品牌, 同质 …) than customers agreed to. Raises RuleError
    ``replacement.kind``, ``.same``, ``.unused`` (the other part is out of use), ``.ring``, ``.other_kind`` and RaceLost
    ``.exists``, ``.successor_exists``.
    """
    by.require(permissions.PARTS_MANAGE)
    if kind not in K.values:
        raise RuleError("replacement.kind", _("Say whether it follows the part or may stand in for it."), field="kind")
    if part_uid == other_uid:
        raise RuleError("replacement.same", _("A part doesn't replace itself."), field="other")
    rows = {row.uid: row for row in Part.objects.filter(uid__in=(part_uid, other_uid)).locked().order_by("pk")}
    if len(rows) < 2:
        raise Part.DoesNotExist
    part, other = rows[part_uid], rows[other_uid]
    if not other.active:
        raise RuleError("replacement.unused", _("%(number)s is out of use."), field="other", number=other.number)
    open_ones = PartReplacement.objects.filter(part=part, ended_at__isnull=True)
    if open_ones.filter(other=other).exists() or (
        PartReplacement.objects.filter(part=other, other=part, kind=K.EITHER, ended_at__isnull=True).exists()
    ):
        raise RaceLost("replacement.exists", _("This stands there already."), field="other")
    if kind == K.SUCCESSOR:
        if open_ones.filter(kind=K.SUCCESSOR).exists():
            raise RaceLost(
                "replacement.successor_exists",
                _("This part has a successor already; end that one first."),
                field="kind",
            )
        if ends_in(other.pk, part.pk):
            raise RuleError(
                "replacement.ring",
                _("The chain of successors would come back to this part; end the other step first."),
                field="other",
            )
    if other.kind != part.kind and not other_kind:
        raise RuleError(
            "replacement.other_kind",
            _("This is “%(other)s”; where “%(kind)s” was agreed, customers are asked anew. Tick that you know it."),
            field="other_kind", other=other.get_kind_display(), kind=part.get_kind_display(),
        )  # fmt: skip
    row = PartReplacement.objects.create(
        part=part, other=other, kind=kind, starts_on=starts_on or clock.today(), note=one_line(note)[:120],
        other_kind=other.kind != part.kind,
    )  # fmt: skip
    record(
        row, events.PART_REPLACEMENT_SET, by=by, part=part.uid, other=other.uid, kind=kind, starts_on=row.starts_on
    )  # fmt: skip
    return row


@transaction.atomic
def end_replacement(*, uid: UUID, by: Actor) -> PartReplacement:
    """The other part is no longer offered in place of this one. Raises RuleError ``replacement.ended``."""
    by.require(permissions.PARTS_MANAGE)
    row = PartReplacement.objects.locked().select_related("part", "other").get(uid=uid)
    if row.ended_at is not None:
        raise RuleError("replacement.ended", _("This has ended already."))
    row.ended_at = clock.now()
    row.save(update_fields=["ended_at"])
    record(row, events.PART_REPLACEMENT_ENDED, by=by, part=row.part.uid, other=row.other.uid)
    return row
