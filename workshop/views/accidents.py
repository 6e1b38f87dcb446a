"""Pages of accident repairs: the insurer's case, assessments and supplements, the structure's check (3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage
from workshop import permissions
from workshop.accident_models import AccidentCase, Assessment, StructuralJob
from workshop.forms import accidents as forms
from workshop.models import LineState, OrderLine, RepairOrder
from workshop.selectors import accidents as reads
from workshop.selectors.entitled import bearers_of, deciders_of
from workshop.selectors.faults import get_line
from workshop.services import accidents as commands
from workshop.services import differences

from .orders import drawn_at_desk


class _AccidentStep(CommandPage):
    permission = permissions.ACCIDENTS_WORK
    template_name = "workshop/accident_step.html"

    @property
    def order(self) -> RepairOrder:
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"order": self.order}

    def location(self, result: Any) -> str:
        return reverse("order-detail", args=[self.order.uid]) + "#accident"


class OpenAccidentPage(_AccidentStep):
    form_class = forms.OpenAccidentForm
    extra_context = {"title": _("The insurer's case"), "submit": _("Enter the case")}
    done = _("The insurer's case is entered.")

    @cached_property
    def order(self) -> RepairOrder:
        rows = RepairOrder.objects.for_actor(self.actor).select_related("vehicle", "customer", "store")
        return rows.get(uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        return {"happened_on": clock.today(self.order.store.time_zone), "own_share": 0}

    def run(self, form: forms.OpenAccidentForm) -> AccidentCase:
        return commands.open_accident(order_uid=self.order.uid, by=self.actor, **form.cleaned_data)


class _OfAccident(_AccidentStep):
    @cached_property
    def case(self) -> AccidentCase:
        return reads.get_accident(self.kwargs["uid"], self.actor)

    @property
    def order(self) -> RepairOrder:
        return self.case.order


class ChangeAccidentPage(_OfAccident):
    form_class = forms.ChangeAccidentForm
    extra_context = {"title": _("Assessor and own share"), "submit": _("Change it")}
    done = _("Changed.")

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.case, name) for name in ("assessor", "own_share", "share_agreed_by")}

    def run(self, form: forms.ChangeAccidentForm) -> AccidentCase:
        return commands.change_accident(uid=self.case.uid, by=self.actor, **form.cleaned_data)


class AssessmentPage(_OfAccident):
    form_class = forms.AssessmentForm
    done = _("It is with the insurer.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"rows": self.left}

    @cached_property
    def left(self) -> list[tuple[OrderLine, Decimal]]:
        return reads.to_assess(self.case)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        first = not self.case.assessments.exists()
        return super().get_context_data(**kwargs) | {
            "drafts": [line.said for line, _amount in self.left if line.state == LineState.DRAFT],
            "may_send": self.actor.may(permissions.ESTIMATES_SEND),
            "title": _("Assessment of the damage") if first else _("Supplement to the assessment"),
            "submit": _("Lay it before the insurer"),
        }

    def run(self, form: forms.AssessmentForm) -> Assessment:
        return commands.ask_assessment(
            accident_uid=self.case.uid, amounts=form.told(), reason=form.cleaned_data["reason"], by=self.actor
        )


class _OfAssessment(_AccidentStep):
    @cached_property
    def assessment(self) -> Assessment:
        return reads.get_assessment(self.kwargs["uid"], self.actor)

    @property
    def order(self) -> RepairOrder:
        return self.assessment.accident.order


class AgreePage(_OfAssessment):
    permission = permissions.AUTHORIZATIONS_RECORD
    form_class = forms.AgreeForm
    extra_context = {"title": _("The insurer agrees"), "submit": _("Note the yes")}

    def get_form_kwargs(self) -> dict[str, Any]:
        rows = self.assessment.rows.select_related("line__operation")
        return super().get_form_kwargs() | {"rows": [(row.line, row.amount) for row in rows]}

    def words(self, result: Assessment) -> Any:
        if reads.differences_of(self.order):
            return _("The insurer's yes is noted. What it leaves open, or isn't sent, waits below.")
        return _("The insurer has agreed; the work may begin.")

    def get_initial(self) -> dict[str, Any]:
        return {"decided_by": deciders_of(self.order).proposed}

    def run(self, form: forms.AgreeForm) -> Assessment:
        data = form.cleaned_data
        return commands.agree_assessment(
            uid=self.assessment.uid,
            decided_by=data["decided_by"],
            note=data["note"],
            amounts=form.told(),
            by=self.actor,
        )


class RefusePage(_OfAssessment):
    form_class = forms.RefuseForm
    extra_context = {"title": _("The insurer refuses"), "submit": _("Note the no"), "variant": "danger"}
    done = _("The insurer's no is noted.")

    def run(self, form: forms.RefuseForm) -> Assessment:
        return commands.refuse_assessment(uid=self.assessment.uid, by=self.actor, **form.cleaned_data)


class BearDifferencePage(_AccidentStep):
    """By telephone, on paper or signed at the desk: the customer bears what the insurer leaves open of an item."""

    permission = permissions.AUTHORIZATIONS_RECORD
    template_name = "workshop/accident_difference.html"
    form_class = forms.DifferenceForm
    done = _("The customer bears the difference; the work may begin.")

    @cached_property
    def found(self) -> tuple[OrderLine, reads.Difference | None]:
        return reads.get_difference(self.kwargs["uid"], self.actor)

    @property
    def order(self) -> RepairOrder:
        return self.found[0].order

    def get_initial(self) -> dict[str, Any]:
        row = self.found[1]
        return {
            "method": "VERBAL_PHONE",
            "agreed_by": bearers_of(self.order).proposed or self.order.visit.contact_name,
            "amount": row.open if row else None,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        line, row = self.found
        return super().get_context_data(**kwargs) | {"line": line, "row": row, "deciders": bearers_of(self.order)}

    def run(self, form: forms.DifferenceForm) -> Any:
        return differences.bear_difference(
            line_uid=self.found[0].uid, signature=drawn_at_desk(self.request), by=self.actor, **form.cleaned_data
        )


class PriceAsAssessedView(ActionView):
    """One tap: the item costs what the insurer pays, and is released."""

    permission = permissions.ACCIDENTS_WORK
    done = _("Priced at the assessment and released; the work may begin.")

    def run(self, form: Any) -> OrderLine:
        return differences.price_as_assessed(line_uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: OrderLine) -> str:
        return reverse("order-detail", args=[result.order.uid]) + "#accident"


class MarkStructuralPage(_AccidentStep):
    permission = permissions.STRUCTURE_MARK
    form_class = forms.StructureForm
    extra_context = {
        "title": _("Declare as a structural part"),
        "submit": _("Declare it"),
        "explains": _("It then needs a check of its own before the final inspection; that isn't taken back."),
    }
    done = _("Declared; the structure is checked before the final inspection.")

    @cached_property
    def line(self) -> OrderLine:
        return get_line(self.kwargs["uid"], self.actor)

    @property
    def order(self) -> RepairOrder:
        return self.line.order

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"line": self.line}

    def run(self, form: forms.StructureForm) -> StructuralJob:
        return commands.mark_structural(line_uid=self.line.uid, by=self.actor, **form.cleaned_data)


class CheckStructurePage(_AccidentStep):
    permission = permissions.STRUCTURE_CHECK
    form_class = forms.StructureCheckForm
    extra_context = {"title": _("Check of the structure"), "submit": _("Write it down")}
    done = _("The check of the structure is written down.")

    @cached_property
    def job(self) -> StructuralJob:
        return reads.get_job(self.kwargs["uid"], self.actor)

    @property
    def order(self) -> RepairOrder:
        return self.job.line.order

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"line": self.job.line}

    def run(self, form: forms.StructureCheckForm) -> Any:
        return commands.check_structure(job_uid=self.job.uid, by=self.actor, **form.cleaned_data)
