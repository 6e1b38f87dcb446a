"""Pages of check sheets: the list, one version with its items, the next version, its release (3.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.check_models import BOUNDS, CheckItem, CheckTemplate
from dealership.catalogue.forms import sheets as forms
from dealership.catalogue.models import PlanState
from dealership.catalogue.selectors import sheets as reads
from dealership.catalogue.services import sheets as commands
from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage, Page


def template_url(template: CheckTemplate) -> str:
    return reverse("check-template", args=[template.uid])


class TemplatesPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/check_templates.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": reads.template_list(),
            "may_manage": self.actor.may(permissions.CHECKS_MANAGE),
        }


class NewTemplatePage(CommandPage):
    permission = permissions.CHECKS_MANAGE
    template_name = "catalogue/check_template_new.html"
    form_class = forms.TemplateForm
    done = _("Add now what is looked at.")

    def run(self, form: forms.TemplateForm) -> CheckTemplate:
        return commands.draft_template(by=self.actor, **form.cleaned_data)

    def location(self, result: CheckTemplate) -> str:
        return template_url(result)


class TemplatePage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/check_template.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        template = reads.get_template(self.kwargs["uid"])
        may_manage = self.actor.may(permissions.CHECKS_MANAGE)
        return super().get_context_data(**kwargs) | {
            "template": template,
            "sections": reads.sections_of(template),
            "versions": reads.versions_of(template),
            "holds": reads.holds(template, clock.today()),
            "may_manage": may_manage,
            "writing": may_manage and template.state == PlanState.DRAFT,
        }


class OneTemplate:
    """A command about one version; the person comes back to it."""

    permission: ClassVar[str | tuple[str, ...]] = permissions.CHECKS_MANAGE
    kwargs: dict[str, Any]

    @cached_property
    def template(self) -> CheckTemplate:
        return reads.get_template(self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"template": self.template}  # type: ignore[misc]

    def location(self, result: CheckTemplate) -> str:
        return reverse("check-template", args=[self.kwargs["uid"]])


class CheckItemPage(OneTemplate, CommandPage):
    """One item of a draft, new or changed."""

    template_name = "catalogue/check_item.html"
    form_class = forms.ItemForm
    done = _("The item stands in the sheet.")

    @cached_property
    def item(self) -> CheckItem | None:
        return reads.item_of(self.template, self.request.GET.get("code", ""))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"item": self.item}

    def get_initial(self) -> dict[str, Any]:
        item = self.item
        if item is None:
            return super().get_initial()
        kept = {name: getattr(item, name) for name in forms.KEPT}
        return super().get_initial() | kept | {"operation": str(item.operation.uid) if item.operation else ""}

    def run(self, form: forms.ItemForm) -> CheckTemplate:
        data = dict(form.cleaned_data)
        operation = data.pop("operation")
        return commands.put_check_item(
            template_uid=self.template.uid,
            operation_uid=UUID(operation) if operation else None,
            by=self.actor,
            **data,
        )


class CheckLimitPage(OneTemplate, CommandPage):
    """Other bounds of a measured item for one model or one kind of energy."""

    template_name = "catalogue/check_limit.html"
    form_class = forms.LimitForm
    done = _("These bounds stand in the sheet.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"template": self.template}

    def get_initial(self) -> dict[str, Any]:
        asked = {name: self.request.GET.get(name, "") for name in ("code", "powertrain", "model")}
        item = reads.item_of(self.template, asked["code"])
        there = reads.limit_of(item, asked["powertrain"], asked["model"]) if item else None
        return super().get_initial() | asked | ({name: getattr(there, name) for name in BOUNDS} if there else {})

    def run(self, form: forms.LimitForm) -> CheckTemplate:
        data = dict(form.cleaned_data)
        model = data.pop("model")
        return commands.put_check_limit(
            template_uid=self.template.uid, model_uid=UUID(model) if model else None, by=self.actor, **data
        )


class DropCheckItemView(OneTemplate, ActionView):
    done = _("Taken out of the sheet.")

    def run(self, form: Any) -> CheckTemplate:
        return commands.drop_check_item(
            template_uid=self.kwargs["uid"], code=self.request.POST.get("code", ""), by=self.actor
        )


class ReleaseTemplatePage(OneTemplate, CommandPage):
    template_name = "catalogue/check_release.html"
    form_class = forms.ReleaseForm
    done = _("The sheet holds from that day on.")

    def run(self, form: forms.ReleaseForm) -> CheckTemplate:
        return commands.release_template(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


class NextTemplateView(ActionView):
    permission = permissions.CHECKS_MANAGE
    done = _("This is the next version; nothing changes at the cars before it is released.")

    def run(self, form: Any) -> CheckTemplate:
        return commands.draft_next_template(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: CheckTemplate) -> str:
        return template_url(result)


class DiscardTemplateView(ActionView):
    permission = permissions.CHECKS_MANAGE
    done = _("The draft is thrown away.")

    def run(self, form: Any) -> CheckTemplate:
        return commands.discard_template(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("check-templates")
