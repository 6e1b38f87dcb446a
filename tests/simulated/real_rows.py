"""One real row of the simulated shop for every parameter of every address.

Which table a uid belongs to is told by ``tests/security/opens.py``. Several rows are offered, in different states, as
not every page opens for every state; an address that finds no row fails the tests that walk over all addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core import signing
from django.db.models import Model, Q, QuerySet
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from compliance.models import ArchiveRecord
from dealership.kernel import registry
from dealership.kernel.models import CalendarDay
from delivery.models import Settlement, Survey
from reception.models import (
    Appointment,
    CalendarFeed,
    Consultation,
    DamageMark,
    SlotOffer,
    Visit,
    VisitPhoto,
    WalkAround,
)
from reception.services.online import booking_token
from reception.views import asking
from staff.models import Deputyship, PostHolding, RosterDay
from tests.security.opens import OPENS
from tests.test_permissions import NOBODY, PUBLIC
from workshop.check_models import CheckPhoto
from workshop.models import (
    Certificate,
    Estimate,
    LinePhoto,
    OrderLine,
    RepairOrder,
    WallScreen,
)
from workshop.selectors.changes import DECIDED
from workshop.selectors.part_consents import missing_consents

ENOUGH = 12
STATE = ("state", "stage", "kind", "live")


def addresses(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of ours with its route; machine addresses of the API apart."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
            continue
        module = getattr(pattern.callback, "view_class", pattern.callback).__module__
        ours = module.split(".")[0] in registry.OUR_PACKAGES
        if ours and not module.startswith(("dealership.kernel.api", "dealership.exchange.views.api_docs")):
            yield route, pattern


def rows_of(model: type[Model]) -> list[Any]:
    """A few rows of each state, the newest first."""
    rows: QuerySet[Any] = model._default_manager.order_by("-pk")
    column = next((name for name in STATE if name in {f.name for f in model._meta.concrete_fields}), None)
    if column is None:
        return list(rows[:ENOUGH])
    states = sorted(set(rows.values_list(column, flat=True)), key=str)
    each = max(2, ENOUGH // max(1, len(states)))
    return [row for state in states for row in rows.filter(**{column: state})[:each]]


def values_of(route: str, pattern: URLPattern) -> Iterator[dict[str, Any]]:
    """Values for the address's parameters, one set after the other."""
    names = set(pattern.pattern.converters)
    if not names:
        yield {}
    elif route.startswith("v/"):
        yield from _link_values(names, pattern.name or "")
    elif route.startswith("book/"):
        for booked in Appointment.objects.order_by("-pk").select_related("store")[:2]:
            yield _only(names, code=booked.store.code, token=booking_token(booked))
    elif route.startswith("ask/"):
        for asked in Consultation.objects.order_by("-pk").select_related("store")[:2]:
            yield _only(names, code=asked.store.code, token=signing.dumps(str(asked.uid), salt=asking.SALT))
    elif route.startswith("offer/"):
        yield from ({"token": token} for token in SlotOffer.objects.order_by("-pk").values_list("token", flat=True)[:2])
    elif route.startswith("calendar/") and "token" in names:
        yield from (
            {"token": token} for token in CalendarFeed.objects.order_by("-pk").values_list("token", flat=True)[:2]
        )
    elif route.startswith("figures/"):
        from dealership.process.figures import FIGURES

        yield from ({"code": code} for code in FIGURES)
    elif route.startswith("wall/"):
        yield from ({"key": screen.key} for screen in WallScreen.objects.filter(kind="PLAN"))
    elif route.startswith("kiosk/"):
        yield from ({"key": screen.key} for screen in WallScreen.objects.filter(kind="KIOSK"))
    elif route.startswith("settings/"):
        yield from ({"key": key} for key in list(registry.LIMITS)[:3])
    elif route.startswith("roster/"):
        for day in RosterDay.objects.select_related("employee").order_by("-day")[:2]:
            yield {"uid": day.employee.uid, "day": day.day.isoformat()}
    elif "holding" in names:
        yield from ({"uid": h.employee.uid, "holding": h.uid} for h in PostHolding.objects.all()[:3])
    elif "deputyship" in names:
        yield from ({"uid": d.absent.uid, "deputyship": d.uid} for d in Deputyship.objects.all()[:3])
    elif "mark_uid" in names:
        for mark in DamageMark.objects.select_related("walkaround__visit")[:3]:
            yield {"uid": mark.walkaround.visit.uid, "mark_uid": mark.uid}
    elif pattern.name == "visit-signature":
        for signed in WalkAround.objects.filter(signature__isnull=False).select_related("visit").order_by("-pk")[:3]:
            yield {"uid": signed.visit.uid}
    elif "level" in names:
        yield from ({"uid": o.uid, "level": level} for o in rows_of(RepairOrder) for level in ("self", "team", "final"))
    elif names == {"day"}:
        yield from ({"day": day.day.isoformat()} for day in CalendarDay.objects.order_by("-day")[:2])
    elif names == {"uid"} and pattern.name in OPENS:
        yield from ({"uid": row.uid} for row in rows_of(apps.get_model(OPENS[pattern.name])))


def _only(names: set[str], **values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _link_values(names: set[str], name: str) -> Iterator[dict[str, Any]]:
    visits = Visit.objects.select_related("link").filter(link__isnull=False).order_by("-pk")
    if "settlement" in name:
        for settlement in rows_of(Settlement):
            yield {"token": settlement.order.visit.link.token, "uid": settlement.uid}
    elif name.startswith("link-file"):
        for kept in ArchiveRecord.objects.select_related("visit__link").order_by("-pk")[:3]:
            yield {"token": kept.visit.link.token, "uid": kept.uid}
    elif name == "link-survey":
        yield from ({"token": s.visit.link.token} for s in Survey.objects.order_by("-pk")[:4])
    elif name in ("visit-link-walkaround", "visit-link-dispute"):
        for seen in WalkAround.objects.filter(state__in=["SENT", "SIGNED"]).order_by("state", "-pk")[:4]:
            yield {"token": seen.visit.link.token}
    elif name == "visit-link-photo":
        yield from (
            {"token": p.visit.link.token, "uid": p.uid} for p in VisitPhoto.objects.select_related("visit__link")
        )
    elif name == "visit-link-line-photo":
        for photo in LinePhoto.objects.select_related("line__order__visit__link"):
            yield {"token": photo.line.order.visit.link.token, "uid": photo.uid}
    elif name == "visit-link-sheet-photo":
        for taken in CheckPhoto.objects.filter(sheet__state="SIGNED").select_related("sheet__order__visit__link")[:3]:
            yield {"token": taken.sheet.order.visit.link.token, "uid": taken.uid}
    elif name == "visit-link-change":
        decided = OrderLine.objects.filter(state__in=DECIDED, pay_type="CUSTOMER_PAY", order__visit__state="IN_SHOP")
        for line in decided.select_related("order__visit__link").order_by("-pk")[:6]:
            yield {"token": line.order.visit.link.token, "uid": line.uid}
    elif name == "visit-link-difference":
        left = OrderLine.objects.filter(state="PENDING", pay_type="INSURANCE", assessed_in__assessment__state="AGREED")
        for line in left.select_related("order__visit__link").distinct().order_by("-pk")[:2]:
            yield {"token": line.order.visit.link.token, "uid": line.uid}
    elif name == "visit-link-parts":
        for order in RepairOrder.objects.filter(visit__state="IN_SHOP").select_related("visit__link"):
            yield from ({"token": order.visit.link.token, "uid": row.line.uid} for row in missing_consents(order)[:1])
    elif name == "visit-link-contract":
        for sent in Estimate.objects.select_related("order__visit__link").order_by("-total")[:3]:
            yield {"token": sent.order.visit.link.token, "uid": sent.order.uid}
    elif name == "visit-link-certificate-pdf":
        for paper in Certificate.objects.filter(order__isnull=False).select_related("order__visit__link")[:3]:
            yield {"token": paper.order.visit.link.token, "uid": paper.uid}
    elif "uid" in names:
        wanted = Q(lines__state="PENDING")
        for order in [*RepairOrder.objects.filter(wanted).distinct()[:3], *RepairOrder.objects.order_by("-pk")[:3]]:
            yield {"token": order.visit.link.token, "uid": order.uid}
    else:
        yield from ({"token": visit.link.token} for visit in rows_of_visits(visits))


def rows_of_visits(visits: QuerySet[Any]) -> list[Any]:
    return [
        visit
        for state in ("IN_SHOP", "DEPARTED", "WAITING", "IN_RECEPTION")
        for visit in visits.filter(state=state)[:3]
    ]


def real_addresses(route: str, pattern: URLPattern) -> list[str]:
    """Real addresses of one pattern, none where the shop has no row for it."""
    found = []
    for values in values_of(route, pattern):
        try:
            found.append(reverse(str(pattern.name), kwargs=values))
        except NoReverseMatch:
            continue
    return list(dict.fromkeys(found))


def who_may_open(name: str, row: dict[str, list[str]]) -> list[str]:
    """The posts of the committed table; what a link or a booking opens is open to whoever holds it."""
    return [NOBODY] if name in PUBLIC - {"language", "setup"} else [*row.get("opens", []), *row.get("200", [])]
