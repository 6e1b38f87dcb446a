"""The registry behind the rail: each chapter registers its pages once, in ``AppConfig.ready``.

The rail shows an entry only to an actor who may use it; its address must resolve, so an entry can't lead nowhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

COUNTS_SECONDS = 15
"""How long a live count of the rail is kept per person and store, in seconds."""

GROUPS = {
    "front": _("Front desk"),
    "workshop": _("Workshop"),
    "delivery": pgettext_lazy("part of the shop", "Delivery"),
    "management": _("Management"),
    "system": _("System"),
}
"""Code and word of the places where people stand, in the order of the rail."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the rail. ``count`` and ``hot`` get the actor; ``phone`` puts it first into the bar of a phone."""

    code: str
    label: Any
    icon: str
    url_name: str
    group: str
    permission: str
    order: int = 100
    count: Callable[[Any], int | None] | None = None
    hot: Callable[[Any], bool] | None = None
    phone: bool = False
    start: tuple[str, ...] = ()
    """Roles whose day begins here, whatever stands above it on the rail."""

    @property
    def url(self) -> str:
        return reverse(self.url_name)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An entry as one person sees it on one page."""

    code: str
    label: Any
    icon: str
    url: str
    count: int | None
    hot: bool
    current: bool
    phone: bool
    starts: bool
    """Whether the person's day begins here; such entries come first into the bar of a phone."""


@dataclass(frozen=True, kw_only=True)
class Group:
    code: str
    label: Any
    entries: list[Shown]


_entries: dict[str, Entry] = {}
bell_counts: list[Callable[[Any], int]] = []
"""Callables ``(actor) -> int`` that add up to the number on the bell."""
post_names: list[Callable[[Any], str]] = []
"""Callables ``(actor) -> str``; the first answer that isn't empty stands behind the person's name."""


def register(entry: Entry) -> None:
    """Add an entry to the rail. Raises ValueError on a code registered twice or a group that doesn't exist."""
    if entry.code in _entries:
        raise ValueError(f"Navigation entry {entry.code!r} is registered twice.")
    if entry.group not in GROUPS:
        raise ValueError(f"Navigation entry {entry.code!r} names the unknown group {entry.group!r}.")
    _entries[entry.code] = entry


def entries() -> Iterator[Entry]:
    """All registered entries in the order of the rail."""
    places = list(GROUPS)
    yield from sorted(_entries.values(), key=lambda e: (places.index(e.group), e.order, e.code))


def permitted(actor: Any) -> list[Entry]:
    """The entries this actor may use, in the order of the rail; none without an actor."""
    if actor is None:
        return []
    return [entry for entry in entries() if actor.may(entry.permission)]


def first_url(actor: Any) -> str | None:
    """Where this actor's day starts: at a permitted entry for one of the actor's roles, else at the first permitted."""
    allowed = permitted(actor)
    mine = (entry for entry in allowed if not actor.roles.isdisjoint(entry.start))
    start = next(mine, None) or next(iter(allowed), None)
    return start.url if start else None


def groups_for(actor: Any, *, path: str, who: str) -> list[Group]:
    """The rail of one person. ``who`` keys the kept counts (person and store); ``path`` is the page's own address."""
    allowed = permitted(actor)
    urls = {entry.code: entry.url for entry in allowed}
    current = max((code for code, url in urls.items() if _under(path, url)), key=lambda c: len(urls[c]), default=None)
    counts = _counts(actor, [entry for entry in allowed if entry.count is not None], who)
    shown: dict[str, list[Shown]] = {}
    for entry in allowed:
        number, hot = counts.get(entry.code, (None, False))
        shown.setdefault(entry.group, []).append(
            Shown(
                code=entry.code,
                label=entry.label,
                icon=entry.icon,
                url=urls[entry.code],
                count=number,
                hot=hot,
                current=entry.code == current,
                phone=entry.phone,
                starts=not actor.roles.isdisjoint(entry.start),
            )
        )
    return [Group(code=code, label=GROUPS[code], entries=rows) for code, rows in shown.items()]


def forget_counts(who: str) -> None:
    """What the person has just done shows on the rail of the next page; the others see it within ``COUNTS_SECONDS``."""
    cache.delete_many([f"rail:{who}:{entry.code}" for entry in _entries.values() if entry.count is not None])


def resolve(url_name: str) -> str | None:
    """The address of a page that another room may or may not have brought; None where it isn't there."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


def _under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url if url.endswith("/") else url + "/"))


def _counts(actor: Any, counted: list[Entry], who: str) -> dict[str, tuple[int | None, bool]]:
    keys = {f"rail:{who}:{entry.code}": entry for entry in counted}
    if not keys:
        return {}
    kept = cache.get_many(keys)
    fresh = {}
    for key, entry in keys.items():
        if key not in kept and entry.count is not None:
            fresh[key] = (entry.count(actor), bool(entry.hot and entry.hot(actor)))
    if fresh:
        cache.set_many(fresh, COUNTS_SECONDS)
    return {entry.code: (kept | fresh)[key] for key, entry in keys.items()}
