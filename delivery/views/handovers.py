"""Pages of the hand-over and the gate."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import segno
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage, Page
from reception.models import Visit
from reception.permissions import VISITS_KEYS
from reception.services.visits import give_key
from workshop.permissions import CAMPAIGNS_ANSWER
from workshop.selectors.campaigns import open_for
from workshop.selectors.inspections import last_reading
from workshop.selectors.maintenance import DueList, due_list
from workshop.selectors.old_parts import old_parts_at
from workshop.selectors.sublets import car_goes_out

from .. import permissions
from ..documents import old_parts_words
from ..forms.handovers import GateForm, GatePassForm, HandoverForm
from ..models import GatePass, GatePassKind, Handover, HandoverCheck
from ..selectors import gate as reads
from ..selectors.exits import ExitStep, VisitExit, left_undone, proposed_service, visit_exit
from ..selectors.ways import address, next_way
from ..services import handovers as commands


def visit_of(uid: Any, page: Any) -> Visit:
    return (
        Visit.objects.for_actor(page.actor)
        .select_related("vehicle__model", "customer", "advisor", "store", "walkaround", "key_holder")
        .get(uid=uid)
    )


class HandoverPage(CommandPage):
    """4.1: the walk to the car: checks, exit reading, next service, signature; then the gate pass."""

    permission = permissions.HANDOVERS_DO
    template_name = "delivery/handover.html"
    form_class = HandoverForm
    done = _("The car is handed over; here is its gate pass.")

    @cached_property
    def visit(self) -> Visit:
        return visit_of(self.kwargs["uid"], self)

    @cached_property
    def exit(self) -> VisitExit:
        return visit_exit(self.visit)

    @cached_property
    def due(self) -> DueList | None:
        return due_list(self.visit.vehicle, store_id=self.visit.store_id)

    def get_initial(self) -> dict[str, Any]:
        day, at_km = proposed_service(self.visit, self.due)
        return {
            "odometer_km": last_reading(self.visit) or None,
            "next_service_on": day,
            "next_service_km": at_km,
            "received_by": self.visit.contact_name,
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        recorded = {"key_tag": self.visit.key_tag, "place": self.visit.parking_place}
        if not self.actor.may(VISITS_KEYS):
            recorded = dict.fromkeys(recorded, "-")
        return super().get_form_kwargs() | {"known": frozenset(name for name, value in recorded.items() if value)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "visit": self.visit,
            "exit": self.exit,
            "left_undone": left_undone(self.due),
            "done_checks": self.done_checks(),
            "at_door": reads.door_pass(self.visit) is not None,
            "ready": self.exit.step == ExitStep.HANDOVER and not self.exit.unrepaired,
            "way": next_way(self.exit, self.actor),
            "parts_off": old_parts_at(self.visit),
            "campaigns": open_for(self.visit.vehicle, self.visit) if not self.exit.handover else [],
            "may_answer": self.actor.may(CAMPAIGNS_ANSWER),
            "old_parts": old_parts_words(self.visit.walkaround.old_parts) if hasattr(self.visit, "walkaround") else "",
        }

    def done_checks(self) -> list[tuple[Any, bool]]:
        """What was checked at the hand-over that is over: the check, and whether it applied."""
        handover = self.exit.handover
        if handover is None:
            return []
        kept = handover.checklist
        return [(check.label, kept[check.value] == "DONE") for check in HandoverCheck if check.value in kept]

    def run(self, form: HandoverForm) -> GatePass:
        data = form.cleaned_data
        tag, place = data.get("key_tag") or self.visit.key_tag, data.get("place") or self.visit.parking_place
        if (tag, place) != (self.visit.key_tag, self.visit.parking_place):
            holder = self.visit.key_holder.uid if self.visit.key_holder else None
            give_key(uid=self.visit.uid, key_tag=tag, holder_uid=holder, place=place, by=self.actor)
        handover: Handover = commands.hand_over(
            visit_uid=self.kwargs["uid"],
            checklist=form.checklist,
            odometer_km=data["odometer_km"],
            received_by=data["received_by"],
            risk_note_signed_by=data["risk_note_signed_by"],
            signature=data["signature"],
            signed_on_paper=data["signed_on_paper"],
            next_service_on=data["next_service_on"],
            next_service_km=data["next_service_km"],
            by=self.actor,
        )
        if at_door := reads.door_pass(handover.visit):
            return at_door
        return commands.issue_gate_pass(visit_uid=handover.visit.uid, kind=GatePassKind.DELIVERED, by=self.actor)

    def location(self, result: GatePass) -> str:
        return reverse("gate-pass-detail", args=[result.uid])


class NewGatePassPage(CommandPage):
    """4.1: a pass of any kind with its own conditions."""

    permission = (permissions.GATE_PASSES_ISSUE, permissions.GATE_PASSES_ROAD_TEST)
    template_name = "delivery/gate_pass_new.html"
    form_class = GatePassForm
    done = _("Gate pass issued.")

    @cached_property
    def visit(self) -> Visit:
        return visit_of(self.kwargs["uid"], self)

    def kinds(self) -> list[str]:
        if not self.actor.may(permissions.GATE_PASSES_ISSUE):
            return [GatePassKind.ROAD_TEST.value]
        handed = Handover.objects.filter(visit=self.visit).exists()
        kinds = [k.value for k in GatePassKind if (k == GatePassKind.DELIVERED) == handed]
        left_out = [] if reads.goes_back(self.visit) else [GatePassKind.RETURN]
        left_out += [] if car_goes_out(self.visit) else [GatePassKind.SUBLET]
        left_out += [] if reads.waits_for_part(self.visit) else [GatePassKind.PARTS_WAIT]
        return [k for k in kinds if k not in left_out]

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"kinds": self.kinds()}

    def get_initial(self) -> dict[str, Any]:
        kinds = self.kinds()
        wanted = self.request.GET.get("kind", "")
        return {"kind": wanted if wanted in kinds else kinds[0]}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "visit": self.visit,
            "visit_url": address("visit-detail", self.visit.uid) or reverse("delivery-board"),
            "labels": dict(GatePassKind.choices),
            "unrepaired": GatePassKind.UNREPAIRED in self.kinds(),
        }

    def run(self, form: GatePassForm) -> GatePass:
        return commands.issue_gate_pass(visit_uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: GatePass) -> str:
        return reverse("gate-pass-detail", args=[result.uid])


class GatePassPage(Page):
    """The pass with its code, to be shown on a phone or printed."""

    permission = permissions.GATE_PASSES_VIEW
    template_name = "delivery/gate_pass.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        gate_pass = reads.read_gate_pass(uid=self.kwargs["uid"], by=self.actor)
        return super().get_context_data(**kwargs) | {
            "gate_pass": gate_pass,
            "visit": gate_pass.visit,
            "qr": segno.make_qr(gate_pass.code, error="m").svg_data_uri(border=1),
            "expired": gate_pass.out_at is None and gate_pass.expires_at <= clock.now(),
            "may_issue": self.actor.may(permissions.GATE_PASSES_ISSUE),
            "form_token": uuid4(),
        }


class CancelGatePassView(ActionView):
    permission = permissions.GATE_PASSES_ISSUE
    done = _("Gate pass cancelled.")

    def run(self, form: Any) -> GatePass:
        return commands.cancel_gate_pass(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: GatePass) -> str:
        return reverse("gate-pass-detail", args=[result.uid])


class GatePage(CommandPage):
    """The guard's page: the scanner types a code, Enter opens the gate; a car that is out comes back the same way."""

    permission = permissions.GATE_SCAN
    template_name = "delivery/gate.html"
    form_class = GateForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"gate": reads.gate(by=self.actor)}

    def run(self, form: GateForm) -> GatePass:
        code = form.cleaned_data["code"]
        comes_back = reads.pass_with_code(code, by=self.actor).filter(out_at__isnull=False, kind__in=reads.COMES_BACK)
        scan = commands.scan_back if comes_back.exists() else commands.scan_out
        return scan(code=code, by=self.actor)

    def execute(self, form: Any = None) -> HttpResponse:

        response = super().execute(form)
        passes = reads.pass_with_code(form.cleaned_data["code"], by=self.actor)
        gate_pass = passes.select_related("visit__vehicle").get()
        words = _("%(plate)s is back.") if gate_pass.back_at else _("%(plate)s has driven out.")
        messages.success(self.request, words % {"plate": gate_pass.visit.vehicle})
        return response

    def location(self, result: GatePass) -> str:
        return reverse("gate")
