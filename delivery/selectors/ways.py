"""The next thing to do for a car on its way out, and who does it: the board, the visit page and Today show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.models import Store
from dealership.kernel.stages import DELIVERY, SETTLEMENT
from reception.models import Visit
from reception.selectors.today import Counted, Placement, Remedy

from .. import permissions
from ..models import Handover
from .exits import ExitStep, OrderExit, VisitExit, visit_exits


@dataclass(frozen=True, slots=True)
class Way:
    """A link, or a button (POST) where ``post``; without ``url`` it says for whom the car waits."""

    label: Any
    url: str = ""
    post: bool = False


FIGURE = "delivery.on_time"
FIGURES_PERMISSION = "quality.dashboard.view"
"""Chapter 6 shows the figures; it stands above this room, so its page and permission go by their names."""

WAITS_FOR = {
    ExitStep.WORK: _("Waits for the workshop"),
    ExitStep.INSPECTION: _("Waits for the inspector"),
    ExitStep.CERTIFICATE: _("Waits for the certificate"),
    ExitStep.LIST: _("Waits for the advisor"),
    ExitStep.SIGNATURE: _("Waits for the customer's signature"),
    ExitStep.PAYMENT: _("Waits for the payment"),
    ExitStep.HANDOVER: _("Waits for the advisor"),
    ExitStep.PASS: _("Waits for the advisor"),
    ExitStep.GATE: _("May leave"),
    ExitStep.GONE: _("Drove off"),
}


def address(name: str, *args: Any) -> str:
    """The address of a page another room may or may not have brought; '' where it isn't there."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def next_way(exit_: VisitExit, by: Actor) -> Way:
    """What this person can do next for the car, else whom it waits for."""
    order: OrderExit | None = exit_.blocking
    visit = exit_.visit
    way = None
    match exit_.step:
        case ExitStep.WORK | ExitStep.INSPECTION | ExitStep.CERTIFICATE if order:
            way = Way(_("Open the order"), address("order-detail", order.order.uid))
        case ExitStep.LIST if order and by.may(permissions.SETTLEMENTS_ISSUE):
            way = Way(_("Issue the list"), reverse("settlement-issue", args=[order.order.uid]), post=True)
        case ExitStep.SIGNATURE if order and order.settlement and by.may(permissions.SETTLEMENTS_SIGN):
            way = Way(_("Have it signed"), reverse("settlement-detail", args=[order.settlement.uid]))
        case ExitStep.PAYMENT if order and order.settlement and by.may(permissions.PAYMENTS_TAKE):
            way = Way(_("Take the payment"), reverse("settlement-detail", args=[order.settlement.uid]))
        case ExitStep.HANDOVER if exit_.unrepaired and by.may(permissions.GATE_PASSES_ISSUE):
            way = Way(_("Let it leave unrepaired"), reverse("gate-pass-new", args=[visit.uid]) + "?kind=UNREPAIRED")
        case ExitStep.HANDOVER if not exit_.unrepaired and by.may(permissions.HANDOVERS_DO):
            way = Way(_("Hand over"), reverse("visit-handover", args=[visit.uid]))
        case ExitStep.PASS if by.may(permissions.GATE_PASSES_ISSUE):
            way = Way(_("Issue the gate pass"), reverse("gate-pass-new", args=[visit.uid]) + "?kind=DELIVERED")
        case ExitStep.GATE if exit_.gate_pass and by.may(permissions.GATE_PASSES_VIEW):
            way = Way(_("Show the gate pass"), reverse("gate-pass-detail", args=[exit_.gate_pass.uid]))
    return way if way and way.url else Way(WAITS_FOR[exit_.step])


PAST_THE_WORK = (
    ExitStep.CERTIFICATE,
    ExitStep.LIST,
    ExitStep.SIGNATURE,
    ExitStep.PAYMENT,
    ExitStep.HANDOVER,
    ExitStep.PASS,
    ExitStep.GATE,
)


def delivery_lane(by: Actor, visits: Sequence[Visit]) -> Mapping[int, Placement]:
    """Places cars whose work is over into the lane “settle and hand over” of the Today board."""
    placed = {}
    for exit_ in visit_exits(visits):
        if not exit_.orders or exit_.step not in PAST_THE_WORK:
            continue
        way = next_way(exit_, by)
        placed[exit_.visit.pk] = Placement(
            lane="DELIVERY",
            line=f"{exit_.visit.model_text} · {exit_.step.label}",
            good=exit_.step in (ExitStep.HANDOVER, ExitStep.PASS, ExitStep.GATE),
            remedies=(Remedy(way.label, way.url, post=way.post),) if way.url else (),
            stage=DELIVERY if exit_.step in (ExitStep.HANDOVER, ExitStep.PASS, ExitStep.GATE) else SETTLEMENT,
        )
    return placed


def on_time_tile(actor: Actor, store: Store) -> Counted:
    """Today's number beside the counts of cars: hand-overs on time in the last seven days, as the figure counts them.

    It leads to the figure with its days, people and rows where the actor may see figures.
    """
    zone = ZoneInfo(store.time_zone)
    first = datetime.combine(clock.today(store.time_zone) - timedelta(days=6), time.min, tzinfo=zone)
    counted = Handover.objects.filter(store=store, at__gte=first, punctual__isnull=False).aggregate(
        all=Count("pk"), kept=Count("pk", filter=Q(punctual=True))
    )
    share = f"{counted['kept'] * 100 / counted['all']:.1f}%" if counted["all"] else "—"
    href = f"{reverse('figure-detail', args=[FIGURE])}?period=week" if actor.may(FIGURES_PERMISSION) else ""
    return Counted("", gettext("on time in 7 days, n = %(n)s") % {"n": counted["all"]}, share, href=href)
