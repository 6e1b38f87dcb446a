"""The demo's clock: whenever the demo is started, its shop is at work and its stories of the morning have been told.

Outside 10:40–15:30 the clock of the whole demo is set back to the last working morning, by an offset that stays the same
until the demo is stopped. It never goes back behind what the demo has already written.
"""

import contextlib
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2

ZONE = ZoneInfo("Asia/Shanghai")
MORNING, BUSY_UNTIL = time(10, 40), time(15, 30)


def opening_moment(real: datetime, last: datetime | None) -> datetime:
    """What the demo's clock shows (UTC) when it is started at ``real``; ``last`` is the newest moment in its history.

    The real time from 10:40 to 15:30, otherwise 10:40 (Beijing) of the last morning that has come; where the demo has been
    further already it goes on from there, but never ahead of the real time.
    """
    local = real.astimezone(ZONE)
    if MORNING <= local.time() < BUSY_UNTIL:
        wanted = local
    else:
        day = local.date() if local.time() >= BUSY_UNTIL else local.date() - timedelta(days=1)
        wanted = datetime.combine(day, MORNING, ZONE)
    if last is not None:
        wanted = max(wanted, last)
    return min(wanted, local).astimezone(UTC)


def newest(url: str) -> datetime | None:
    """The newest moment in the history of the database at ``url``; None where there is no history yet."""
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('kernel_history') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT max(at) FROM kernel_history")
        found: datetime | None = cursor.fetchone()[0]
        return found


def file(var: Path) -> Path:
    """Where the offset in seconds stands while the demo runs, for commands started in another shell."""
    return var / "run" / "demo-clock"


def set_clock(var: Path, url: str) -> datetime | None:
    """Writes the offset for this start; returns what the clock shows, None where that is the real time."""
    real = datetime.now(UTC)
    offset = round((opening_moment(real, newest(url)) - real).total_seconds())
    if offset > -60:
        file(var).unlink(missing_ok=True)
        return None
    file(var).write_text(str(offset))
    return real + timedelta(seconds=offset)
