"""How times, spans and money are said to people, in the language of the page and the time zone that is active.

Nothing here asks the clock: ``now`` is passed in. Times are aware datetimes, spans are minutes, money is Decimal.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from asgiref.local import Local
from django.core.signals import request_finished, request_started
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, override, pgettext

from .formats import pinyin_initials

SOON_MINUTES = 30
"""A promise nearer than this many minutes is coloured."""


def say_weekday(day: date) -> str:
    """周一 / Mon."""
    return (
        pgettext("weekday", "Mon"),
        pgettext("weekday", "Tue"),
        pgettext("weekday", "Wed"),
        pgettext("weekday", "Thu"),
        pgettext("weekday", "Fri"),
        pgettext("weekday", "Sat"),
        pgettext("weekday", "Sun"),
    )[day.weekday()]


def say_month(day: date) -> str:
    return (
        pgettext("month", "Jan"),
        pgettext("month", "Feb"),
        pgettext("month", "Mar"),
        pgettext("month", "Apr"),
        pgettext("month", "May"),
        pgettext("month", "Jun"),
        pgettext("month", "Jul"),
        pgettext("month", "Aug"),
        pgettext("month", "Sep"),
        pgettext("month", "Oct"),
        pgettext("month", "Nov"),
        pgettext("month", "Dec"),
    )[day.month - 1]


def say_list(words: Iterable[object]) -> str:
    """甲、乙 / A, B."""
    return pgettext("between the words of a list", ", ").join(str(word) for word in words)


def local(at: datetime) -> datetime:
    return timezone.localtime(at)


def say_clock(at: datetime) -> str:
    """11:10, two digits for the hour, so that a column of times reads down."""
    return local(at).strftime("%H:%M")


def say_day(day: date, *, today: date) -> str:
    """今天, 昨天, 明天, 11月23日, 2025-11-23."""
    apart = (day - today).days
    if apart == 0:
        return gettext("today")
    if apart == -1:
        return gettext("yesterday")
    if apart == 1:
        return gettext("tomorrow")
    if day.year == today.year:
        return gettext("%(day)s %(month)s") % {"day": day.day, "month": say_month(day)}
    return day.isoformat()


def say_date(day: date, *, today: date) -> str:
    """11月23日 周一 / Mon 23 Nov; another year as 2025-11-23."""
    if day.year != today.year:
        return day.isoformat()
    words = {"weekday": say_weekday(day), "day": day.day, "month": say_month(day)}
    return gettext("%(weekday)s %(day)s %(month)s") % words


def say_time(at: datetime, *, now: datetime) -> str:
    """11:10 of today; 昨天 11:10; 周四 09:10 within six days; 11月23日 09:10; 2025-11-23."""
    day, today = local(at).date(), local(now).date()
    apart = (day - today).days
    if apart == 0:
        return say_clock(at)
    if day.year != today.year and abs(apart) > 6:
        return day.isoformat()
    said = say_weekday(day) if 1 < abs(apart) <= 6 and apart > 0 else say_day(day, today=today)
    return f"{said} {say_clock(at)}"


def say_moment(at: datetime, *, now: datetime) -> str:
    """For customers, who read it later on a phone: 今天 12:25, 明天 12:25, 11月29日 周日 12:25; never a weekday alone."""
    day, today = local(at).date(), local(now).date()
    said = say_day(day, today=today) if abs((day - today).days) <= 1 else say_date(day, today=today)
    return f"{said} {say_clock(at)}"


def say_span(span: timedelta | int | float) -> str:
    """9 分, 2 小时, 2 小时 5 分, 3 天. A number is minutes; less than a minute is 1 minute, and the sign is dropped."""
    minutes = round(abs(span.total_seconds() / 60 if isinstance(span, timedelta) else span)) or 1
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        days = hours // 24
        return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}
    if hours and rest:
        return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    if hours:
        return gettext("%(hours)d h") % {"hours": hours}
    return gettext("%(minutes)d min") % {"minutes": minutes}


def say_money(amount: Decimal | int, *, sign: bool = True) -> str:
    """¥1,426.00; two places always, thousands apart, a minus before the sign. Refuses floats."""
    if isinstance(amount, float):
        raise TypeError("Money is Decimal, never float.")
    value = Decimal(amount).quantize(Decimal("0.01"))
    text = f"{abs(value):,.2f}"
    return ("-" if value < 0 else "") + ("¥" if sign else "") + text


def say_plate(plate: str | None) -> str:
    """京A·8K312 out of 京A8K312; anything else as it was typed."""
    bare = (plate or "").replace("·", "").strip()
    if len(bare) in (7, 8) and _PLATE.fullmatch(bare):
        return f"{bare[:2]}·{bare[2:]}"
    return (plate or "").strip()


_PLATE = re.compile(r"[\u4e00-\u9fff][A-Z][A-Z0-9]{4,6}[\u4e00-\u9fff]?")


def say_initials(name: str | None) -> str:
    """林 for 林晓 (LX for an English reader), AB for Ann Brown, — for nobody."""
    words = (name or "").split()
    if not words:
        return "—"
    if words[0][0] > "\u2e7f":
        english = (get_language() or "").startswith("en")
        return pinyin_initials(words[0]).upper()[:3] if english else words[0][0]
    return "".join(word[0] for word in words[:2]).upper()


def in_language(chinese: str, english: str) -> str:
    """A name of the house's data in the reader's language; the Chinese one where there is no other."""
    return english if english and (get_language() or "").startswith("en") else chinese


PHRASES: list[Any] = []
"""Translated words before a name (“Put together again: %s”), kept in Chinese with it and said in the reader's language."""
ENGLISH_NAMES: list[Callable[[], dict[str, str]]] = []
"""Each room with names in two languages appends a callable that gives {Chinese name: English name}."""
_known = Local()


def say_name(chinese: str) -> str:
    """The English name, for an English reader, of work or a place that was written down under its Chinese name.

    Orders, bookings and papers keep the words themselves, so these are looked up by what they are: once per request.
    What nobody has named in English is said as it was written.
    """
    if not chinese or not (get_language() or "").startswith("en"):
        return chinese
    names = getattr(_known, "names", None)
    if names is None:
        names = {name: english for source in ENGLISH_NAMES for name, english in source().items()}
        if getattr(_known, "in_request", False):
            _known.names = names
    for phrase in PHRASES if chinese not in names else ():
        with override("zh-hans"):
            beginning = phrase % ""
        if chinese.startswith(beginning):
            return phrase % say_name(chinese[len(beginning) :])
    return names.get(chinese, chinese)


def _begin_request(**kwargs: Any) -> None:
    _known.in_request, _known.names = True, None


def _end_request(**kwargs: Any) -> None:
    _known.in_request, _known.names = False, None


request_started.connect(_begin_request, dispatch_uid="saying.names.begin")
request_finished.connect(_end_request, dispatch_uid="saying.names.end")
