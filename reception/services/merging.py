"""Two customers who are one: the worklist, merging without losing a row, and undoing it (2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import HORIZON, record
from reception import events, permissions
from reception.models import (
    MERGE_COLUMNS,
    ComparisonMark,
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
# One batch of comparing is one transaction; a run does at most so many pages of news and batches of everybody.
BATCH, LINES, PAGES, BATCHES = 1000, 5000, 50, 500
EVERYBODY_AFTER = timedelta(hours=24)
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


_PAIRS = """
    WITH mine AS (
        SELECT id, name, pinyin, phone, phone_2, uscc FROM reception_customer
        WHERE id = ANY(%(ids)s) AND merged_into_id IS NULL
    ), numbers AS (
        SELECT phone AS value FROM mine WHERE phone <> '' UNION SELECT phone_2 FROM mine WHERE phone_2 <> ''
    ), bearers AS (
        SELECT n.value, c.id FROM numbers n CROSS JOIN LATERAL (
            (SELECT id FROM reception_customer WHERE phone = n.value AND merged_into_id IS NULL LIMIT %(many)s + 1)
            UNION (SELECT id FROM reception_customer
                WHERE phone_2 = n.value AND phone_2 <> '' AND merged_into_id IS NULL LIMIT %(many)s + 1)
        ) c
    ), companies AS (
        SELECT n.uscc AS value, c.id FROM (SELECT DISTINCT uscc FROM mine WHERE uscc <> '') n CROSS JOIN LATERAL (
            SELECT id FROM reception_customer
            WHERE uscc = n.uscc AND uscc <> '' AND merged_into_id IS NULL LIMIT %(many)s + 1
        ) c
    ), shared AS (
        SELECT *, count(*) OVER (PARTITION BY cue, value) AS n
        FROM (SELECT 'PHONE' AS cue, * FROM bearers UNION ALL SELECT 'USCC', * FROM companies) b
    ), driven AS (
        SELECT l.id, l.vehicle_id FROM mine JOIN LATERAL (
            SELECT mine.id, vehicle_id FROM reception_ownership WHERE customer_id = mine.id
            UNION SELECT mine.id, vehicle_id FROM reception_visit WHERE customer_id = mine.id
            UNION SELECT mine.id, vehicle_id FROM reception_appointment WHERE customer_id = mine.id
        ) l ON true
    ), cars AS (
        SELECT d.id, m.name, m.pinyin, v.id AS vehicle_id, v.vin, v.plate, v.plate_kind
        FROM driven d JOIN mine m ON m.id = d.id JOIN reception_vehicle v ON v.id = d.vehicle_id
    ), same_cars AS (
        SELECT id, name, pinyin, vehicle_id AS other, vin <> '' AS by_vin, plate <> '' AS by_plate FROM cars
        UNION SELECT a.id, a.name, a.pinyin, v.id, false, true FROM cars a JOIN reception_vehicle v
            ON v.plate = a.plate AND v.plate_kind <> 'NORMAL' AND v.id <> a.vehicle_id WHERE a.plate <> ''
        UNION SELECT a.id, a.name, a.pinyin, v.id, false, true FROM cars a JOIN reception_vehicle v
            ON v.plate = a.plate AND v.plate <> '' AND v.plate_kind = 'NORMAL' AND v.id <> a.vehicle_id
            WHERE a.plate_kind <> 'NORMAL'
    ), beside AS (
        SELECT s.*, o.id AS other_id, o.name AS other_name, o.pinyin AS other_pinyin
        FROM same_cars s CROSS JOIN LATERAL (
            SELECT customer_id FROM reception_ownership WHERE vehicle_id = s.other
            UNION SELECT customer_id FROM reception_visit WHERE vehicle_id = s.other
            UNION SELECT customer_id FROM reception_appointment WHERE vehicle_id = s.other
        ) l CROSS JOIN LATERAL (
            SELECT id, name, pinyin FROM reception_customer
            WHERE id = l.customer_id AND merged_into_id IS NULL LIMIT 1  -- by its key, never the whole table
        ) o WHERE l.customer_id <> s.id
    ), pairs AS (
        SELECT a.id AS one, b.id AS other, a.cue FROM shared a JOIN mine ON mine.id = a.id
        JOIN shared b ON b.cue = a.cue AND b.value = a.value AND b.id <> a.id WHERE a.n <= %(many)s
        UNION SELECT id, other_id, 'VIN' FROM beside WHERE by_vin AND pinyin <> '' AND pinyin = other_pinyin
        UNION SELECT id, other_id, 'NAME_PLATE' FROM beside WHERE by_plate AND name = other_name
    )
    SELECT least(one, other), greatest(one, other), array_agg(DISTINCT cue::text ORDER BY cue::text)
    FROM pairs GROUP BY 1, 2 ORDER BY 1, 2
"""
# Lines after the mark that no older transaction can come before, and those of the caller's own transaction.
_NEWS = f"""
    SELECT txid, id, customer_uid, vehicle_uid, facts ->> 'merged', txid < {HORIZON} FROM kernel_history
    WHERE (txid, id) > (%(txid)s, %(line)s) AND (txid < {HORIZON} OR txid = pg_current_xact_id_if_assigned()::text::bigint)
        AND root_type = ANY(%(kinds)s)
    ORDER BY txid, id LIMIT %(limit)s
"""  # noqa: S608
_KINDS = ["customer", "customermerge", "vehicle", "ownership", "visit", "appointment"]
_BEHIND = f"SELECT {HORIZON}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_TOUCHED = """
    SELECT id FROM reception_customer WHERE uid = ANY(%(people)s::uuid[])
    UNION SELECT l.customer_id FROM reception_vehicle v CROSS JOIN LATERAL (
        SELECT customer_id FROM reception_ownership WHERE vehicle_id = v.id
        UNION SELECT customer_id FROM reception_visit WHERE vehicle_id = v.id
        UNION SELECT customer_id FROM reception_appointment WHERE vehicle_id = v.id
    ) l WHERE v.uid = ANY(%(cars)s::uuid[])
    ORDER BY 1
"""


def find_duplicates() -> int:
    """Brings the worklist up to date and returns how many open pairs stand on it; a second run changes nothing.

    Follows the history: only customers whose card, cars, visits or bookings changed since the last run are compared. Once
    a day everybody is compared anew, a batch a transaction and at most so many batches a run, the next run goes on there:
    that finds what came without history and pairs that a change of a third customer made or undid. What a person has
    decided stays decided; an open pair that no longer has anything in common goes away.
    """
    for _page in range(PAGES):
        if not _follow_history():
            break
    for _batch in range(BATCHES):
        if not _sweep():
            break
    return Duplicate.objects.filter(state=DuplicateState.OPEN).count()


def _mark() -> ComparisonMark:
    """The one mark, locked; a new one stands at what is final now, and everybody is compared from there."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND)
        horizon, ahead = cursor.fetchone()
    mark, _made = ComparisonMark.objects.get_or_create(name="customers", defaults={"txid": horizon - 1})
    mark = ComparisonMark.objects.select_for_update(no_key=True).get(pk=mark.pk)
    if mark.txid >= ahead:  # of another cluster: its transactions haven't begun here
        mark.txid, mark.line, mark.compared_to, mark.compared_at = horizon - 1, 0, 0, None
    return mark


@transaction.atomic
def _follow_history() -> bool:
    """Compares whom the next lines of the history name; whether there are more."""
    mark = _mark()
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"txid": mark.txid, "line": mark.line, "kinds": _KINDS, "limit": LINES}
        cursor.execute(_NEWS, asked)
        lines = cursor.fetchall()
        people = {uid for _txid, _id, customer, _car, merged, _final in lines for uid in (customer, merged) if uid}
        cars = {car for _txid, _id, _customer, car, _merged, _final in lines if car}
        cursor.execute(_TOUCHED, {"people": [str(uid) for uid in people], "cars": [str(uid) for uid in cars]})
        ids = [pk for (pk,) in cursor.fetchall()]
    for first in range(0, len(ids), BATCH):
        _compare(ids[first : first + BATCH])
    final = [(txid, line) for txid, line, _customer, _car, _merged, final in lines if final]
    if final:
        mark.txid, mark.line = final[-1]
    mark.save()
    return len(final) == LINES


@transaction.atomic
def _sweep() -> bool:
    """Compares the next batch of everybody, where the last day's comparison is due or unfinished; whether to go on."""
    mark = _mark()
    if mark.compared_at is not None and clock.written_now() - mark.compared_at < EVERYBODY_AFTER:
        return False
    ids = list(Customer.objects.filter(pk__gt=mark.compared_to).order_by("pk").values_list("pk", flat=True)[:BATCH])
    if ids:
        _compare(ids)
        mark.compared_to = ids[-1]
    if len(ids) < BATCH:
        mark.compared_to, mark.compared_at = 0, clock.written_now()
    else:
        mark.compared_at = None
    mark.save()
    return len(ids) == BATCH


def _compare(ids: list[int]) -> None:
    """Makes the open pairs of these customers what they are now."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"ids": ids, "many": SHARED_BY_MANY})
        found = {(x, y): list(cues) for x, y, cues in cursor.fetchall()}
    touching = Duplicate.objects.filter(Q(first__in=ids) | Q(second__in=ids))
    known = {(row.first_id, row.second_id): row for row in touching.locked().order_by("pk")}
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


@transaction.atomic
def compare_two(*, uid: UUID, other_uid: UUID, by: Actor) -> Duplicate:
    """2.3: compares one customer with the others now and gives the pair with ``other_uid``, to be decided by a person.

    Raises RuleError where the two have neither number, code nor car in common.
    """
    by.require(permissions.CUSTOMERS_MERGE)
    two = [Customer.objects.for_actor(by).standing(one) for one in (uid, other_uid)]
    _compare([two[0].pk])
    first, second = sorted(row.pk for row in two)
    pair = (
        Duplicate.objects.for_actor(by).filter(first=first, second=second).exclude(state=DuplicateState.MERGED).first()
    )
    if pair is None:
        raise RuleError("customer.nothing_same", _("These two have no number, company code or car in common."))
    return pair


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
