"""Check sheets: begun on the order, filled in with one hand at the car, signed, read (3.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.files import file_response
from dealership.kernel.pages import ActionView, CommandPage, StaffPage
from dealership.kernel.queued import Queued
from reception.links import LinkDoor
from workshop import permissions
from workshop.check_models import CheckSheet, SheetState
from workshop.forms import sheets as forms
from workshop.models import OrderLine, RepairOrder
from workshop.selectors import sheets as reads
from workshop.selectors.tools import instruments
from workshop.services import sheets as commands

READ = (permissions.CHECKS_FILL, permissions.ORDERS_VIEW)


def sheet_url(uid: Any, item: Any = None) -> str:
    return reverse("check-sheet", args=[uid]) + (f"#item-{item}" if item else "")


def item_of(sheet: CheckSheet, request: HttpRequest) -> UUID:
    """The item that a form names; one of this sheet and for this car."""
    asked = request.POST.get("item", "")
    items = reads.items_for(sheet.template_id, sheet.powertrain)
    found = next((item.uid for item in items if str(item.uid) == asked), None)
    if found is None:
        raise RuleError("sheet.not_this_car", _("This item isn't for cars of this kind."))
    return found


class BeginSheetView(ActionView):
    permission = permissions.CHECKS_FILL

    def run(self, form: Any) -> CheckSheet:
        order = RepairOrder.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])
        try:
            template = UUID(self.request.POST.get("template", ""))
        except ValueError:
            raise RuleError("sheet.not_held", _("Choose the sheet to fill in.")) from None
        return commands.begin_sheet(order_uid=order.uid, template_uid=template, by=self.actor)

    def location(self, result: CheckSheet) -> str:
        return sheet_url(result.uid)


class SheetPage(Queued, CommandPage):
    """The sheet; where it is being filled in, a form sends one item (``item``), kept by the device's queue."""

    permission = READ
    template_name = "workshop/sheet.html"
    form_class = forms.AnswerForm

    @cached_property
    def sheet(self) -> CheckSheet:
        return reads.get_sheet(self.kwargs["uid"], self.actor)

    @property
    def writing(self) -> bool:
        return self.sheet.state == SheetState.OPEN and self.actor.may(permissions.CHECKS_FILL)

    def get_form_kwargs(self) -> dict[str, Any]:
        assert self.sheet  # another store's is 404 whatever is sent
        return super().get_form_kwargs()

    def get_form(self, form_class: type[forms.AnswerForm] | None = None) -> forms.AnswerForm:
        """A map's values are named by their wheels, so that what is wrong says where."""
        form: forms.AnswerForm = super().get_form(form_class)
        if "v1" in self.request.POST:
            for place, wheel in enumerate(reads.PLACES):
                form.fields[f"v{place}"].label = wheel
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        order = self.sheet.order
        may_offer = self.actor.may(permissions.LINES_EDIT) or self.actor.may(permissions.LINES_PROPOSE)
        page = reads.read_sheet(self.sheet)
        for row in page.rows if context["form"].errors else ():
            if str(row.item.uid) == self.request.POST.get("item"):
                row.typed = {name: self.request.POST.get(name, "") for name in ("v0", "v1", "v2", "v3", "note")}
        return context | {
            "sheet": self.sheet,
            "page": page,
            "instruments": instruments(self.actor) if self.writing and page.names_instruments else None,
            "signer": reads.signer_of(self.sheet, self.actor) if self.writing else "",
            "used_tools": list(self.sheet.instruments.select_related("tool")) if self.sheet.template.stage else [],
            # the database's clock writes every change but the first row
            "saved_at": clock.of_database(self.sheet.updated_at) if self.sheet.version > 1 else None,
            "writing": self.writing,
            "may_offer": may_offer and not (order.settled_at or order.closed_at or order.withdrawn_at),
            "may_see_order": self.actor.may(permissions.ORDERS_VIEW),
            "bad_item": self.request.POST.get("item", ""),
        }

    def run(self, form: forms.AnswerForm) -> CheckSheet:
        self.actor.require(permissions.CHECKS_FILL)
        item = item_of(self.sheet, self.request)
        data = form.cleaned_data
        sheet = commands.answer_item(
            sheet_uid=self.sheet.uid,
            item_uid=item,
            verdict=data["verdict"],
            readings=form.readings(),
            note=data["note"],
            by=self.actor,
        )
        for photo in data["photos"]:
            commands.add_check_photo(
                sheet_uid=sheet.uid, item_uid=item, content=photo.read(), name=photo.name, by=self.actor
            )
        return sheet

    def location(self, result: CheckSheet) -> str:
        return sheet_url(result.uid, self.request.POST.get("item"))


class SheetAction(Queued, ActionView):
    permission = permissions.CHECKS_FILL

    @cached_property
    def sheet(self) -> CheckSheet:
        return reads.get_sheet(self.kwargs["uid"], self.actor)

    def location(self, result: Any) -> str:
        return sheet_url(self.kwargs["uid"])


class RestGoodView(SheetAction):
    done = _("The rest is good; safety items are answered one by one.")

    def run(self, form: Any) -> CheckSheet:
        return commands.rest_is_good(uid=self.sheet.uid, by=self.actor)


class SignSheetView(SheetAction):
    done = _("Signed: the customer sees it on the link.")

    def run(self, form: Any) -> CheckSheet:
        try:
            used = [UUID(uid) for uid in self.request.POST.getlist("instruments")]
        except ValueError:
            raise RuleError("tool.unknown", _("Choose tools of this store."), field="instruments") from None
        return commands.sign_sheet(uid=self.sheet.uid, instrument_uids=used, by=self.actor)


class SheetPhotosView(SheetAction):
    """Pictures of one item, as the device's queue sends them."""

    def run(self, form: Any) -> list[Any]:
        sheet = self.sheet
        sent = forms.CheckPhotoForm(self.request.POST, self.request.FILES)
        if not sent.is_valid():
            raise RuleError("sheet.photos", _("Choose or take a photo first."), field="photos")
        photos, item = sent.cleaned_data["photos"], item_of(sheet, self.request)
        return [
            commands.add_check_photo(
                sheet_uid=sheet.uid,
                item_uid=item,
                content=photo.read(),
                name=photo.name,
                uid=sent.cleaned_data["uid"] if len(photos) == 1 else None,
                by=self.actor,
            )
            for photo in photos
        ]

    def location(self, result: Any) -> str:
        return sheet_url(self.kwargs["uid"], self.request.POST.get("item"))


class OfferFindingView(ActionView):
    """A worn or bad item becomes a line of the order in one tap."""

    permission = (permissions.LINES_EDIT, permissions.LINES_PROPOSE)
    done = _("The line stands on the order.")

    def run(self, form: Any) -> OrderLine:
        sheet = reads.get_sheet(self.kwargs["uid"], self.actor)
        return commands.offer_finding(
            sheet_uid=sheet.uid,
            item_uid=item_of(sheet, self.request),
            although_there=self.request.POST.get("although_there") == "1",
            by=self.actor,
        )

    def location(self, result: OrderLine) -> str:
        if self.request.POST.get("next"):
            return super().location(result)
        return sheet_url(self.kwargs["uid"], self.request.POST.get("item"))


class CheckPhotoView(StaffPage, View):
    permission = READ

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.photo_for(uid, self.actor))


class CheckPhotoOnLink(LinkDoor, StaffPage, View):
    """A signed sheet's photo, to the holder of its visit's link."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponseBase:
        return file_response(reads.photo_for(uid, self.actor))
