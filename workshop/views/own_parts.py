"""A part that the customer brings is looked at before it is fitted (3.2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel.files import file_response
from dealership.kernel.pages import StaffPage
from workshop import permissions
from workshop.forms.own_parts import OwnPartForm
from workshop.models import OrderLine, PartLine
from workshop.own_part_models import OwnPartCheck
from workshop.selectors import own_parts as reads
from workshop.services import own_parts as commands

from .orders import LineCommandPage


class OwnPartCheckPage(LineCommandPage):
    """Condition, packaging, damage, whether it fits; what was found before stands above."""

    permission = permissions.PARTS_CHECK_OWN
    template_name = "workshop/own_part_check.html"
    form_class = OwnPartForm
    title = _("Look at the customer's part")
    submit = _("Keep what was found")

    @cached_property
    def part_line(self) -> PartLine:
        return PartLine.objects.for_actor(self.actor).select_related("part").get(uid=self.kwargs["uid"])

    @cached_property
    def line(self) -> OrderLine:
        return OrderLine.objects.for_actor(self.actor).get(pk=self.part_line.line_id)

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"quantity": self.part_line.quantity}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = OwnPartCheck.objects.filter(line=self.line, part=self.part_line.part_id)
        return super().get_context_data(**kwargs) | {
            "part_line": self.part_line,
            "checks": rows.select_related("checked_by", "photo").order_by("-id"),
        }

    def run(self, form: OwnPartForm) -> OwnPartCheck:
        return commands.check_own_part(part_line_uid=self.part_line.uid, by=self.actor, **form.given())

    def words(self, result: OwnPartCheck) -> Any:
        if result.accepted:
            return _("The part is taken; it may be fitted.")
        return _("The part is refused; it isn't fitted. Tell the customer why.")


class OwnPartPhotoView(StaffPage, View):
    permission = permissions.ORDERS_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.photo_of(uid, self.actor))
