"""Calendars of bookings as iCalendar (RFC 5545): lines of at most 75 octets, ended by CR LF, text escaped (2.4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST = 75


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event; times are aware. ``version`` grows with every change, ``status`` is RFC 5545's."""

    uid: str
    version: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    summary: str
    place: str
    text: str
    status: str


def calendar_file(name: str, events: Iterable[CalendarEvent]) -> bytes:
    """The whole file, in UTF-8; programs fetch it again every hour."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//service desk//bookings//ZH",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for event in events:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{event.uid}",
            f"SEQUENCE:{event.version}",
            f"DTSTAMP:{_moment(event.changed_at)}",
            f"DTSTART:{_moment(event.starts_at)}",
            f"DTEND:{_moment(event.ends_at)}",
            f"SUMMARY:{_escaped(event.summary)}",
            f"LOCATION:{_escaped(event.place)}",
            f"DESCRIPTION:{_escaped(event.text)}",
            f"STATUS:{event.status}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) + b"\r\n" for line in lines)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    plain = "".join(sign for sign in text if sign == "\n" or sign.isprintable())
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> bytes:
    """A line cut into pieces of at most 75 octets, never inside a sign; the rest begins with a space."""
    pieces: list[bytes] = []
    piece = b""
    for sign in line:
        octets = sign.encode()
        if len(piece) + len(octets) > LONGEST:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece])
