"""Segments of customers (2.3): RFM tiers and who may be lost, worked out from visits and spending.

Nothing here is typed, and nothing is written where nothing changed: a second run changes no row. Each batch is a
transaction of its own over customers in the order of their keys; a customer whom somebody else is writing meanwhile is
left for the next run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import Max

from dealership.kernel import clock, limits
from reception.limits import FREQUENCY_VISITS, LOST_DAYS, MONEY_SPENT, RECENCY_DAYS, SEGMENT_DAYS, TIER_SCORES
from reception.models import Customer

BATCH = 2000
# What customers with keys from the first to the last one paid since a moment (CNY), by key; upper rooms add theirs.
Spent = Callable[[int, int, datetime], dict[int, Decimal]]
SPENT: list[Spent] = []

_UPDATE = """
    WITH seen AS (
        SELECT c.id, max(v.arrived_at AT TIME ZONE s.time_zone)::date AS last_on,
            count(v.id) FILTER (WHERE v.arrived_at >= %(since)s) AS visits
        FROM reception_customer c
        LEFT JOIN reception_visit v ON v.customer_id = c.id AND v.state <> 'LEFT_UNSERVED'
        LEFT JOIN kernel_store s ON s.id = v.store_id
        WHERE c.id BETWEEN %(first)s AND %(last)s AND c.merged_into_id IS NULL GROUP BY c.id
    ), scored AS (
        SELECT seen.id, last_on,
            5 - width_bucket((%(today)s - last_on) - 1, %(recency)s::integer[]) AS r,
            1 + width_bucket(visits::integer, %(frequency)s::integer[]) AS f,
            1 + width_bucket(coalesce(p.amount, 0), %(money)s::numeric[]) AS m
        FROM seen LEFT JOIN unnest(%(payers)s::bigint[], %(amounts)s::numeric[]) AS p(id, amount) ON p.id = seen.id
    ), wanted AS (
        SELECT id, last_on,
            CASE WHEN last_on IS NULL THEN '' ELSE r::text || f::text || m::text END AS rfm,
            CASE WHEN last_on IS NULL THEN '' WHEN r + f + m >= %(a)s THEN 'A' WHEN r + f + m >= %(b)s THEN 'B'
                WHEN r + f + m >= %(c)s THEN 'C' ELSE 'D' END AS tier,
            coalesce(%(today)s - last_on > %(lost)s, false) AS lost
        FROM scored
    ), free AS (
        SELECT c.id FROM reception_customer c JOIN wanted w ON w.id = c.id
        WHERE (c.tier, c.rfm, c.last_visit_on, c.lost_risk) IS DISTINCT FROM (w.tier, w.rfm, w.last_on, w.lost)
        ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED
    )
    UPDATE reception_customer c SET tier = w.tier, rfm = w.rfm, last_visit_on = w.last_on, lost_risk = w.lost
    FROM wanted w JOIN free ON free.id = w.id WHERE c.id = w.id
"""


def recompute_segments() -> int:
    """Works out every customer's tier and risk as of today (group's calendar); returns how many changed. Idempotent."""
    changed, first = 0, 1
    highest = Customer.objects.aggregate(most=Max("id"))["most"] or 0
    while first <= highest:
        changed += _recompute(first, first + BATCH - 1, clock.today())
        first += BATCH
    return changed


@transaction.atomic
def _recompute(first: int, last: int, today: date) -> int:
    since = clock.now() - timedelta(days=limits.value(SEGMENT_DAYS))
    spent: dict[int, Decimal] = {}
    for source in SPENT:
        for customer_id, amount in source(first, last, since).items():
            spent[customer_id] = spent.get(customer_id, Decimal(0)) + amount
    a, b, c = limits.value(TIER_SCORES)
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE,
            {
                "first": first,
                "last": last,
                "since": since,
                "today": today,
                "recency": limits.value(RECENCY_DAYS),
                "frequency": limits.value(FREQUENCY_VISITS),
                "money": limits.value(MONEY_SPENT),
                "payers": list(spent),
                "amounts": list(spent.values()),
                "a": a,
                "b": b,
                "c": c,
                "lost": limits.value(LOST_DAYS),
            },
        )
        return cursor.rowcount
