"""Two customers who are one: the worklist, merging without losing a row, and undoing it (2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from reception import events, permissions
from reception.models import (
    MERGE_COLUMNS,
    Customer,
    CustomerMerge,
    CustomerTagging,
    Duplicate,
    DuplicateState,
    MergeState,
    MovedRow,
)

# A name brings its pinyin along.
_WITH_NAME = ("pinyin", "pinyin_initials")
# A number or code on more customers than this is a switchboard or a placeholder and says nothing about anybody.
SHARED_BY_MANY = 6
# Rows that stay with the customer they were written for, as "app.model.field": papers that are never changed. An upper
# room adds its own in ready(); everything else that points to a customer moves.
STAYS = {
    "reception.duplicate.first",
    "reception.duplicate.second",
    "reception.customermerge.kept",
    "reception.customermerge.merged",
}


def pointers() -> list[tuple[type[models.Model], str]]:
    """Every table and column that points to a customer and moves with a merge, in a fixed order."""
    found: list[tuple[type[models.Model], str]] = [
        (relation.field.model, relation.field.name)
        for relation in Customer._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel)
        and f"{relation.field.model._meta.label_lower}.{relation.field.name}" not in STAYS
    ]
    return sorted(found, key=lambda pair: (pair[0]._meta.label_lower, pair[1]))


def _moving(model: type[models.Model], field: str, kept: Customer, merged: Customer) -> list[int]:
    """The rows that move; a tag that the kept customer carries too stays where it is."""
    rows = model._default_manager.filter(**{field: merged})
    if model is CustomerTagging:
        carried = CustomerTagging.objects.filter(customer=kept, ended_at__isnull=True).values("tag")
        rows = rows.exclude(tag__in=carried, ended_at__isnull=True)
    return sorted(rows.values_list("pk", flat=True))


_FIND = """
    WITH alive AS (
        SELECT id, name, pinyin, phone, phone_2, uscc FROM reception_customer WHERE merged_into_id IS NULL
    ), numbers AS (
        SELECT id, phone AS value FROM alive WHERE phone <> '' UNION SELECT id, phone_2 FROM alive WHERE phone_2 <> ''
    ), telling AS (
        SELECT value FROM numbers GROUP BY value HAVING count(*) BETWEEN 2 AND %(many)s
    ), codes AS (
        SELECT uscc FROM alive WHERE uscc <> '' GROUP BY uscc HAVING count(*) BETWEEN 2 AND %(many)s
    ), links AS (
        SELECT customer_id AS id, vehicle_id FROM reception_ownership
        UNION SELECT customer_id, vehicle_id FROM reception_visit
        UNION SELECT customer_id, vehicle_id FROM reception_appointment
    ), cars AS (
        SELECT a.id, a.name, a.pinyin, v.vin, v.plate FROM links l
        JOIN alive a ON a.id = l.id JOIN reception_vehicle v ON v.id = l.vehicle_id
    ), pairs AS (
        SELECT a.id AS x, b.id AS y, 'PHONE' AS cue
        FROM telling t JOIN numbers a ON a.value = t.value JOIN numbers b ON b.value = t.value AND a.id < b.id
        UNION SELECT a.id, b.id, 'USCC'
        FROM codes t JOIN alive a ON a.uscc = t.uscc JOIN alive b ON b.uscc = t.uscc AND a.id < b.id
        UNION SELECT a.id, b.id, 'VIN'
        FROM cars a JOIN cars b ON a.vin = b.vin AND a.pinyin = b.pinyin AND a.id < b.id
        WHERE a.vin <> '' AND a.pinyin <> ''
        UNION SELECT a.id, b.id, 'NAME_PLATE'
        FROM cars a JOIN cars b ON a.plate = b.plate AND a.name = b.name AND a.id < b.id WHERE a.plate <> ''
    )
    SELECT x, y, array_agg(cue::text ORDER BY cue) FROM pairs GROUP BY x, y ORDER BY x, y
"""


@transaction.atomic
def find_duplicates() -> int:
    """Brings the worklist up to date and returns how many open pairs stand on it; a second run changes nothing.

    What a person has decided stays decided; an open pair that no longer has anything in common goes away.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"many": SHARED_BY_MANY})
        found = {(x, y): list(cues) for x, y, cues in cursor.fetchall()}
    known = {(row.first_id, row.second_id): row for row in Duplicate.objects.locked().order_by("pk")}
    for pair, row in known.items():
        if row.state != DuplicateState.OPEN:
            continue
        if pair not in found:
            row.delete()
        elif row.cues != found[pair]:
            row.cues = found[pair]
            row.save(update_fields=["cues"])
    Duplicate.objects.bulk_create(
        [Duplicate(first_id=x, second_id=y, cues=cues) for (x, y), cues in found.items() if (x, y) not in known],
        batch_size=500,
        ignore_conflicts=True,
    )
    return Duplicate.objects.filter(state=DuplicateState.OPEN).count()


@transaction.atomic
def keep_apart(*, uid: UUID, by: Actor) -> Duplicate:
    """A person says that the two of a pair are different; the pair doesn't come back (2.3)."""
    by.require(permissions.CUSTOMERS_MERGE)
    pair = Duplicate.objects.for_actor(by).locked().get(uid=uid)
    if pair.state != DuplicateState.OPEN:
        raise RaceLost("customer.duplicate_decided", _("This pair is already decided."))
    pair.state, pair.decided_at = DuplicateState.DIFFERENT, clock.now()
    pair.save(update_fields=["state", "decided_at"])
    record(pair, events.CUSTOMERS_KEPT_APART, by=by, first=pair.first.uid, second=pair.second.uid)
    return pair


def _two(kept_uid: UUID, merged_uid: UUID, by: Actor) -> tuple[Customer, Customer]:
    found = Customer.objects.for_actor(by).filter(uid__in=(kept_uid, merged_uid)).locked().order_by("pk")
    rows = {row.uid: row for row in found}
    if kept_uid == merged_uid:
        raise RuleError("customer.merge_self", _("Choose two different customers."), field="merged_uid")
    if len(rows) < 2:
        raise Customer.DoesNotExist
    return rows[kept_uid], rows[merged_uid]


@transaction.atomic
def merge_customers(*, kept_uid: UUID, merged_uid: UUID, by: Actor, take: Iterable[str] = ()) -> CustomerMerge:
    """Gives everything of one customer to the other; ``take`` names the columns whose content comes from the merged one.

    Cars, bookings, visits, orders, consents and complaints move, each noted by its row; papers that are never changed
    stay as they were signed. A number that would be lost becomes the second one. The old uid keeps resolving. Raises
    RuleError where one of the two was merged before and where nobody could be reached afterwards.
    """
    by.require(permissions.CUSTOMERS_MERGE)
    kept, merged = _two(kept_uid, merged_uid, by)
    for row in (kept, merged):
        if row.merged_into_id is not None:
            raise RaceLost("customer.merged", _("One of the two was merged before; reload the page."))
    columns = list(dict.fromkeys(take))
    if unknown := set(columns) - set(MERGE_COLUMNS):
        raise RuleError(
            "customer.merge_column", _("“%(name)s” can't be taken over."), field="take", name=min(unknown)[:40]
        )
    if "name" in columns:
        columns += _WITH_NAME
    if "quiet_from" in columns:
        columns += ("quiet_to",)  # an hour alone says nothing
    after = {name: getattr(merged, name) for name in columns if getattr(kept, name) != getattr(merged, name)}
    numbers = {after.get("phone", kept.phone), after.get("phone_2", kept.phone_2)}
    spare = next((number for number in (kept.phone, merged.phone) if number and number not in numbers), "")
    if spare and "" in numbers and after.get("phone", kept.phone):
        after["phone_2"] = spare
    changed = list(after)
    before = {name: getattr(kept, name) for name in changed}
    if not after.get("phone", kept.phone) and not after.get("email", kept.email):
        raise RuleError("customer.reachable", _("Give a telephone number or an e-mail address."), field="phone")
    moving = [(model, field, _moving(model, field, kept, merged)) for model, field in pointers()]
    merge = CustomerMerge.objects.create(
        kept=kept,
        merged=merged,
        before=before,
        after=after,
        rows=sum(len(ids) for _model, _field, ids in moving),
        merged_at=clock.now(),
    )
    MovedRow.objects.bulk_create(
        [
            MovedRow(merge=merge, label=model._meta.label_lower, field=field, row_id=pk)
            for model, field, ids in moving
            for pk in ids
        ],
        batch_size=500,
    )
    for model, field, ids in moving:
        model._default_manager.filter(pk__in=ids).update(**{field: kept})
    if changed:
        for name, value in after.items():
            setattr(kept, name, value)
        kept.save(update_fields=changed)
    merged.merged_into = kept
    merged.save(update_fields=["merged_into"])
    pair = sorted((kept.pk, merged.pk))
    Duplicate.objects.filter(first=pair[0], second=pair[1]).exclude(state=DuplicateState.MERGED).update(
        state=DuplicateState.MERGED, decided_at=clock.now()
    )
    record(
        merge,
        events.CUSTOMER_MERGED,
        by=by,
        kept=kept.uid,
        merged=merged.uid,
        rows=merge.rows,
        columns=sorted(set(changed) - set(_WITH_NAME)) or None,
    )
    return merge


@transaction.atomic
def undo_merge(*, uid: UUID, by: Actor) -> CustomerMerge:
    """Parts two customers again: each noted row goes back, and each column that nobody has changed since.

    What was written for the kept customer after the merge stays there. Raises RuleError for a merge undone before and
    where the kept customer was itself merged later: that one is undone first.
    """
    by.require(permissions.CUSTOMERS_MERGE)
    known = CustomerMerge.objects.for_actor(by).select_related("kept", "merged").get(uid=uid)
    kept, merged = _two(known.kept.uid, known.merged.uid, by)
    merge = CustomerMerge.objects.locked().get(pk=known.pk)
    if merge.state != MergeState.DONE:
        raise RaceLost("customer.merge_undone", _("This merge is already undone."))
    if kept.merged_into_id is not None or merged.merged_into_id != kept.pk:
        raise RuleError(
            "customer.merge_later", _("The customer was merged once more after this; undo the later merge first.")
        )
    merge.state, merge.undone_at = MergeState.UNDONE, clock.now()
    merge.save(update_fields=["state", "undone_at"])
    merged.merged_into = None
    merged.save(update_fields=["merged_into"])
    back = 0
    for model, field in pointers():
        ids = merge.moved.filter(label=model._meta.label_lower, field=field).values("row_id")
        back += model._default_manager.filter(pk__in=ids, **{field: kept}).update(**{field: merged})
    restored = [name for name, value in merge.after.items() if getattr(kept, name) == value]
    if restored:
        for name in restored:
            setattr(kept, name, merge.before[name])
        kept.save(update_fields=restored)
    pair = sorted((kept.pk, merged.pk))
    Duplicate.objects.filter(first=pair[0], second=pair[1], state=DuplicateState.MERGED).update(
        state=DuplicateState.OPEN, decided_at=None
    )
    record(merge, events.MERGE_UNDONE, by=by, kept=kept.uid, merged=merged.uid, rows=back)
    return merge
