"""The demo opens on a working morning whenever it is started, and never goes back behind what it has written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dealership.kernel import clock
from tools.demo_clock import opening_moment


def _beijing(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+08:00")


@pytest.mark.parametrize(
    ("real", "last", "shown"),
    [
        ("11-26T09:15", None, "11-25T10:40"),
        ("11-26T11:15", None, "11-26T11:15"),
        ("11-26T15:29", None, "11-26T15:29"),
        ("11-26T20:01", None, "11-26T10:40"),
        ("11-26T15:30", None, "11-26T10:40"),
        ("11-27T03:00", None, "11-26T10:40"),
        ("11-26T20:30", "11-26T10:59", "11-26T10:59"),
        ("11-27T02:00", "11-26T17:00", "11-26T17:00"),
        ("11-26T20:01", "11-25T12:00", "11-26T10:40"),
        ("11-26T09:15", "11-26T09:40", "11-26T09:15"),
        ("11-26T09:15", "11-25T16:00", "11-25T16:00"),
    ],
)
def test_the_demo_opens_in_the_morning(real, last, shown) -> None:
    said = opening_moment(_beijing(real).astimezone(UTC), _beijing(last) if last else None)
    assert (said, said.tzinfo) == (_beijing(shown), UTC)


def test_the_one_clock_follows(settings) -> None:
    settings.DEMO_CLOCK = timedelta(hours=-9)
    assert timedelta(hours=8, minutes=59) < datetime.now(UTC) - clock.now() < timedelta(hours=9, minutes=1)
    moment = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert clock.of_database(moment) == datetime(2026, 11, 26, 3, tzinfo=UTC)
    with clock.moved_to(moment):
        assert clock.now() == moment
