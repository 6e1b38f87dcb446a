"""Pages of vehicle models: a new one, one corrected, the end of its sale (2.2.2, 3.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.forms import models as forms
from dealership.catalogue.models import VehicleModel
from dealership.catalogue.services import models as commands
from dealership.kernel.pages import CommandPage


class NewModelPage(CommandPage):
    permission = permissions.MODELS_MANAGE
    template_name = "catalogue/model_edit.html"
    form_class = forms.ModelForm
    done = _("The model is in the catalogue.")

    def run(self, form: forms.ModelForm) -> VehicleModel:
        return commands.add_model(by=self.actor, **form.cleaned_data)

    def location(self, result: VehicleModel) -> str:
        return reverse("model-prices")


class _OneModel(CommandPage):
    permission = permissions.MODELS_MANAGE

    @cached_property
    def model(self) -> VehicleModel:
        return VehicleModel.objects.get(uid=self.kwargs["uid"])

    def get_initial(self) -> dict[str, Any]:
        names = (*commands.READ, "aliases", "ends_on")
        return {name: getattr(self.model, name) for name in names}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"model": self.model}

    def location(self, result: VehicleModel) -> str:
        return reverse("model-prices")


class ModelPage(_OneModel):
    template_name = "catalogue/model_edit.html"
    form_class = forms.ModelForm
    done = _("The model is corrected.")

    def run(self, form: forms.ModelForm) -> VehicleModel:
        return commands.correct_model(uid=self.model.uid, by=self.actor, **form.cleaned_data)


class EndModelPage(_OneModel):
    template_name = "catalogue/model_end.html"
    form_class = forms.EndModelForm
    done = _("The last day on sale is written down.")

    def run(self, form: forms.EndModelForm) -> VehicleModel:
        return commands.end_model(uid=self.model.uid, by=self.actor, **form.cleaned_data)
