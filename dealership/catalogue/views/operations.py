"""Pages of operations: the list, one with its hours by model and usual parts, and new parts of the master (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.forms import operations as forms
from dealership.catalogue.models import Operation, Part, RepairCategory
from dealership.catalogue.selectors import operations as reads
from dealership.catalogue.services import operations as commands
from dealership.catalogue.services import part_master
from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage, Page


def operation_url(operation: Operation) -> str:
    return reverse("operation", args=[operation.uid])


def _uid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class OperationsPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/operations.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        words, category, ended = asked.get("words", "")[:80], asked.get("category", ""), bool(asked.get("ended"))
        return super().get_context_data(**kwargs) | {
            "found": reads.list_operations(self.actor, text=words, category=category, ended=ended),
            "words": words,
            "category": category,
            "ended": ended,
            "categories": RepairCategory.choices,
            "most": reads.SHOWN,
            "may_manage": self.actor.may(permissions.OPERATIONS_MANAGE),
        }


class NewOperationPage(CommandPage):
    permission = permissions.OPERATIONS_MANAGE
    template_name = "catalogue/operation_edit.html"
    form_class = forms.OperationForm
    done = _("The operation is in the catalogue; add its usual parts.")

    def run(self, form: forms.OperationForm) -> Operation:
        return commands.add_operation(by=self.actor, **form.cleaned_data)

    def location(self, result: Operation) -> str:
        return operation_url(result)


class _OneOperation(CommandPage):
    permission = permissions.OPERATIONS_MANAGE

    @cached_property
    def operation(self) -> Operation:
        return reads.get_operation(self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"operation": self.operation}

    def location(self, result: Operation) -> str:
        return operation_url(self.operation)


class OperationPage(Page):
    """One operation: who, where, how long on which model, with what."""

    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/operation.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        operation = reads.get_operation(self.kwargs["uid"])
        return super().get_context_data(**kwargs) | {
            "operation": operation,
            "rate": reads.rate_of(self.actor),
            "models": reads.hours_by_model(operation),
            "may_manage": self.actor.may(permissions.OPERATIONS_MANAGE),
        }


class CorrectOperationPage(_OneOperation):
    template_name = "catalogue/operation_edit.html"
    form_class = forms.OperationForm
    done = _("The operation is corrected.")

    def get_initial(self) -> dict[str, Any]:
        row = self.operation
        kept = {name: getattr(row, name) for name in commands.READ}
        return kept | {"skill_code": row.skill.code if row.skill else ""}

    def run(self, form: forms.OperationForm) -> Operation:
        return commands.correct_operation(uid=self.operation.uid, by=self.actor, **form.cleaned_data)


class OperationHoursPage(_OneOperation):
    """How long it takes on one model."""

    template_name = "catalogue/operation_hours.html"
    form_class = forms.OperationHoursForm
    done = _("New orders and quotations for this model take these hours.")

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("model", "")
        row = next((row for row in reads.hours_by_model(self.operation) if str(row.model.uid) == asked), None)
        return super().get_initial() | {"model": asked, "hours": row.hours if row else None}

    def run(self, form: forms.OperationHoursForm) -> Operation:
        facts = form.cleaned_data
        return commands.set_model_hours(
            operation_uid=self.operation.uid, model_uid=UUID(facts["model"]), hours=facts["hours"], by=self.actor
        )


class UsualPartPage(_OneOperation):
    """A part that the operation usually needs."""

    template_name = "catalogue/operation_part.html"
    form_class = forms.UsualPartForm
    done = _("The part goes with the operation from now on.")

    def get_initial(self) -> dict[str, Any]:
        asked = self.request.GET.get("number", "")
        row = next((row for row in self.operation.parts.all() if row.part.number == asked), None)
        return super().get_initial() | {"number": asked, "quantity": row.quantity if row else 1}

    def run(self, form: forms.UsualPartForm) -> Operation:
        facts = form.cleaned_data
        return commands.set_usual_part(
            operation_uid=self.operation.uid, part_uid=facts["number"].uid, quantity=facts["quantity"], by=self.actor
        )


class DropHoursView(ActionView):
    permission = permissions.OPERATIONS_MANAGE
    done = _("This model takes the usual hours again.")

    def run(self, form: Any) -> Operation:
        model = _uid(self.request.POST.get("model", ""))
        if model is None:
            raise RuleError("operation.hours_none", _("This model has the usual hours already."), field="model")
        return commands.set_model_hours(operation_uid=self.kwargs["uid"], model_uid=model, hours=None, by=self.actor)

    def location(self, result: Operation) -> str:
        return operation_url(result)


class DropUsualPartView(ActionView):
    permission = permissions.OPERATIONS_MANAGE
    done = _("The part doesn't go with the operation any more.")

    def run(self, form: Any) -> Operation:
        part = _uid(self.request.POST.get("part", ""))
        if part is None:
            raise RuleError("operation.part_none", _("This part doesn't belong to the operation."), field="part")
        return commands.set_usual_part(
            operation_uid=self.kwargs["uid"], part_uid=part, quantity=commands.NOTHING, by=self.actor
        )

    def location(self, result: Operation) -> str:
        return operation_url(result)


class NewPartPage(CommandPage):
    permission = permissions.PARTS_MANAGE
    template_name = "catalogue/part_edit.html"
    form_class = forms.PartForm
    done = _("The part is in the master. Set its price, then order or receive it.")

    def run(self, form: forms.PartForm) -> Part:
        return part_master.add_master_part(by=self.actor, **form.cleaned_data)

    def location(self, result: Part) -> str:
        may_price = self.actor.may(permissions.PRICES_MANAGE)
        return reverse("part-price" if may_price else "part-replacements", args=[result.uid])


class CorrectPartPage(CommandPage):
    permission = permissions.PARTS_MANAGE
    template_name = "catalogue/part_edit.html"
    form_class = forms.CorrectPartForm
    done = _("The part is corrected.")

    @cached_property
    def part(self) -> Part:
        return get_object_or_404(Part, uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.part, name) for name in part_master.READ}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"part": self.part}

    def run(self, form: forms.CorrectPartForm) -> Part:
        return part_master.correct_master_part(uid=self.part.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Part) -> str:
        return reverse("part-replacements", args=[result.uid])
