"""The next thing to do for a car on its way out, and who does it: the board, the visit page and Today show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from dealership.kernel.actors import Actor
from dealership.kernel.stages import DELIVERY, SETTLEMENT
from reception.models import Visit
from reception.selectors.today import Placement, Remedy

from .. import permissions
from .exits import ExitStep, OrderExit, VisitExit, visit_exits


@dataclass(frozen=True, slots=True)
class Way:
    """A link, or a button (POST) where ``post``; without ``url`` it says for whom the car waits."""

    label: Any
    url: str = ""
    post: bool = False


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
