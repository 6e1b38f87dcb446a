"""A mark of what the plan of one day shows: who looks asks every few seconds whether it is another one (2.4).

One statement over the day's rows. The minute is part of it, because the now-line and the rest of running work move on.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store

_READ = """
SELECT
  (SELECT string_agg(d.id || ':' || d.version, ',' ORDER BY d.id) FROM workshop_dispatch d
    WHERE d.store_id = %(store)s AND d.live AND d.starts_at < %(end)s AND d.ends_at > %(begin)s),
  (SELECT string_agg(r.id || ':' || r.version, ',' ORDER BY r.id) FROM catalogue_reservation r
    WHERE r.store_id = %(store)s AND r.live AND r.period && tstzrange(%(begin)s, %(end)s)),
  (SELECT string_agg(c.id || ':' || c.version, ',' ORDER BY c.id) FROM workshop_clocking c
    WHERE c.store_id = %(store)s AND c.started_at >= %(begin)s AND c.started_at < %(end)s),
  (SELECT string_agg(o.id || ':' || o.version || ':' || l.id || ':' || l.version, ',' ORDER BY o.id, l.id)
    FROM workshop_repairorder o JOIN workshop_orderline l ON l.order_id = o.id
    WHERE o.store_id = %(store)s AND o.stage IN ('AUTHORIZED', 'IN_WORK', 'ON_HOLD', 'INSPECTION', 'AWAITING_AUTHORIZATION')
    AND l.state IN ('AUTHORIZED', 'IN_PROGRESS', 'COMPLETED', 'INSPECTED')),
  (SELECT string_agg(s.id || ':' || s.version, ',' ORDER BY s.id) FROM catalogue_resource s WHERE s.store_id = %(store)s),
  (SELECT string_agg(t.id || ':' || t.version, ',' ORDER BY t.id) FROM staff_rosterday t
    WHERE t.store_id = %(store)s AND t.day >= %(first)s AND t.day <= %(last)s),
  (SELECT string_agg(p.id || ':' || p.state, ',' ORDER BY p.id) FROM workshop_dispatchproposal p
    WHERE p.store_id = %(store)s AND p.state IN ('RUNNING', 'READY')),
  (SELECT string_agg(c.id || ':' || c.version, ',' ORDER BY c.id) FROM workshop_techniciancall c
    WHERE c.store_id = %(store)s AND c.state IN ('OPEN', 'COMING')),
  (SELECT string_agg(a.id || ':' || a.version || ':' || (SELECT count(*) FROM workshop_liftround r WHERE r.tool_id = a.id),
    ',' ORDER BY a.id) FROM workshop_toolasset a WHERE a.store_id = %(store)s
    AND (a.bay_id IS NOT NULL OR a.resource_id IS NOT NULL))
"""


def stamp_of(actor: Actor, day: date, *, days: int = 1) -> str:
    """Changes whenever something changes that the plan of these days shows; sixteen signs."""
    store = Store.objects.get(pk=actor.store_id)
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(store.time_zone))
    values: dict[str, int | date | datetime] = {
        "store": store.pk,
        "begin": begin,
        "end": begin + timedelta(days=days),
        "first": day,
        "last": day + timedelta(days=days - 1),
    }
    with connection.cursor() as cursor:
        cursor.execute(_READ, values)
        read = cursor.fetchone()
    minute = clock.now().strftime("%Y%m%d%H%M")
    return hashlib.sha256(f"{minute}{read}".encode()).hexdigest()[:16]
