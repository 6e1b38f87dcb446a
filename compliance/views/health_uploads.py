"""Pages of the health records on their way to the platform."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from compliance import permissions, platform
from compliance.forms.health_uploads import EnteredForm
from compliance.health_models import HealthUpload, UploadState
from compliance.selectors import health_uploads as reads
from compliance.services import health_uploads as commands
from dealership.kernel.pages import ActionView, CommandPage, Page
from delivery.health_record import missing
from delivery.selectors.health_records import facts_of_list


class HealthUploadListPage(Page):
    """3.3: which health records are late, which wait, which need a person, which are on the platform."""

    permission = permissions.HEALTH_VIEW
    template_name = "compliance/health_uploads.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show = self.request.GET.get("show", "LATE")
        show = show if show in reads.SHOWN else "LATE"
        return super().get_context_data(**kwargs) | {
            "show": show,
            "counts": reads.upload_counts(self.actor),
            "rows": reads.uploads(self.actor, show=show)[:100],
            "unconnected": reads.unconnected(self.actor),
        }


class HealthUploadPage(CommandPage):
    """One record: what is sent, what the platform said, and what a person can do."""

    permission = permissions.HEALTH_VIEW
    template_name = "compliance/health_upload.html"
    form_class = EnteredForm
    done = _("Written down.")

    @cached_property
    def upload(self) -> HealthUpload:
        return get_object_or_404(
            HealthUpload.objects.for_actor(self.actor).select_related(
                "settlement__order__vehicle",
                "settlement__order__visit",
                "settlement__order__store",
                "store",
                "entered_by",
            ),
            uid=self.kwargs["uid"],
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        upload = self.upload
        may = self.actor.may(permissions.HEALTH_SEND) and upload.state != UploadState.SENT
        return super().get_context_data(**kwargs) | {
            "upload": upload,
            "basic": upload.payload.get("basicInfo", {}),
            "jobs": upload.payload.get("repairprojectlist", []),
            "parts": [
                row | {"quantity": Decimal(row["partsquantity"])} for row in upload.payload.get("vehiclepartslist", [])
            ],
            "connected": platform.connected(upload.store.code),
            "lacking": [] if upload.state == UploadState.SENT else missing(facts_of_list(upload.settlement)),
            "may_enter": may,
            "may_send": may and upload.state != UploadState.WAITING,
        }

    def run(self, form: EnteredForm) -> HealthUpload:
        return commands.enter_by_hand(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)

    def location(self, result: HealthUpload) -> str:
        return reverse("health-upload", args=[result.uid])


class SendAgainView(ActionView):
    permission = permissions.HEALTH_SEND
    done = _("The record is drawn anew and will be sent within a minute.")

    def run(self, form: Any) -> HealthUpload:
        return commands.send_again(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: HealthUpload) -> str:
        return reverse("health-upload", args=[result.uid])
