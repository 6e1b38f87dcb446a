"""Pages of packages: what a store offers at one price, the next version, the last day (3.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import permissions
from dealership.catalogue.forms import packages as forms
from dealership.catalogue.models import ServicePackage
from dealership.catalogue.selectors import packages as reads
from dealership.catalogue.services import packages as commands
from dealership.kernel import clock
from dealership.kernel.pages import CommandPage, Page

COPIED = ("code", "name", "name_en", "price", "make", "series", "powertrain")


class PackagesPage(Page):
    permission = permissions.CATALOGUE_VIEW
    template_name = "catalogue/packages.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "rows": reads.packages(self.actor),
            "today": clock.today(),
            "may_set": self.actor.may(permissions.PRICES_MANAGE),
        }


class NewPackagePage(CommandPage):
    permission = permissions.PRICES_MANAGE
    template_name = "catalogue/package_new.html"
    form_class = forms.PackageForm
    done = _("The package is offered from that day on.")

    def get_initial(self) -> dict[str, Any]:
        try:
            before = reads.get_package(UUID(self.request.GET.get("from", "")), self.actor)
        except (ValueError, ServicePackage.DoesNotExist):
            return super().get_initial()
        kept = {name: getattr(before, name) for name in COPIED}
        return super().get_initial() | kept | {"operations": [str(i.operation.uid) for i in before.items.all()]}

    def run(self, form: forms.PackageForm) -> ServicePackage:
        data = dict(form.cleaned_data)
        uids = [UUID(uid) for uid in data.pop("operations")]
        return commands.set_package(operation_uids=uids, by=self.actor, **data)

    def location(self, result: ServicePackage) -> str:
        return reverse("packages")


class EndPackagePage(CommandPage):
    permission = permissions.PRICES_MANAGE
    template_name = "catalogue/package_end.html"
    form_class = forms.EndPackageForm
    done = _("The package is offered until that day.")

    @cached_property
    def package(self) -> ServicePackage:
        return reads.get_package(self.kwargs["uid"], self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"package": self.package}

    def run(self, form: forms.EndPackageForm) -> ServicePackage:
        return commands.end_package(uid=self.package.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: ServicePackage) -> str:
        return reverse("packages")
