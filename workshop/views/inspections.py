"""Inspections: the queue by level, one inspection, certificates (3.2)."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage
from dealership.kernel.papers import paper_answer
from reception.links import LinkDoor
from workshop import permissions
from workshop.check_models import SheetState
from workshop.documents import CertificatePaper, certificate_pdf, quality_pdf
from workshop.forms.floor import InspectionForm, RangeForm, SpoiledNumberForm
from workshop.models import Certificate, InspectionLevel
from workshop.selectors import inspections as reads
from workshop.selectors import sheets as checks
from workshop.selectors.quality import quality_of
from workshop.selectors.tools import instruments
from workshop.services import inspections as commands

ANY_LEVEL = (permissions.INSPECT_SELF, permissions.INSPECT_TEAM, permissions.INSPECT_FINAL)


class InspectionsPage(Page):
    """What waits, the earliest promise first; the counts are filters."""

    permission = permissions.INSPECTIONS_VIEW
    template_name = "workshop/inspections.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        level = self.request.GET.get("level", "")
        level = level if level in InspectionLevel.values else ""
        may = {str(each) for each, code in commands.PERMISSION_OF.items() if self.actor.may(code)}
        return super().get_context_data(**kwargs) | {
            "queue": reads.queue(self.actor, level=level),
            "causes": reads.failures_by_cause(self.actor),
            "level": level,
            "may": may,
            "may_certify": self.actor.may(permissions.INSPECT_FINAL),
            "may_allot": self.actor.may(permissions.CERTIFICATES_MANAGE),
            "may_void": self.actor.may(permissions.CERTIFICATES_MANAGE) or self.actor.may(permissions.INSPECT_FINAL),
        }


class InspectPage(CommandPage):
    """One inspection, made for one hand: passed or failed with what failed."""

    permission = ANY_LEVEL
    form_class = InspectionForm
    template_name = "workshop/inspect.html"
    done = _("Inspection recorded.")

    @property
    def level(self) -> str:
        level = str(self.kwargs["level"]).upper()
        if level not in InspectionLevel.values:
            raise Http404
        return level

    @cached_property
    def row(self) -> reads.Waiting:
        return reads.waiting_for(self.actor, self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {
            "lines": self.row.lines,
            "drivers": reads.drivers(self.actor),
            "instruments": [(str(row.tool.uid), str(row.tool)) for row in instruments(self.actor)],
        }

    @cached_property
    def stages(self) -> list[checks.Stage]:
        return checks.stages_of(self.row.order, self.row.lines)

    def get_initial(self) -> dict[str, Any]:
        """The last reading, or the road test that the team check was made with, and what the last sheet was measured with."""
        used = [row.tool for stage in self.stages[-1:] if stage.sheet for row in stage.sheet.instruments.all()]
        return self.driven_before() | {"instruments": [str(tool.uid) for tool in used]}

    def driven_before(self) -> dict[str, Any]:
        driven = self.row.driven
        if driven is None:
            return {"road_test_from_km": reads.last_reading(self.row.order.visit) or None}
        names = ("road_test_from_km", "road_test_to_km", "road_test_route", "road_test_findings")
        return {name: getattr(driven, name) for name in names} | {
            "road_test_km": None if driven.road_test_to_km else driven.road_test_km,
            "road_test_driver": driven.road_test_driver.uid if driven.road_test_driver else None,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        own = self.level == InspectionLevel.SELF
        sheets = checks.sheets_of_order(self.row.order)
        return super().get_context_data(**kwargs) | {
            "row": self.row,
            "level": InspectionLevel(self.level),
            "unsigned": [page for page in sheets if page.sheet.state == SheetState.OPEN],
            "looked": [] if own else [page for page in sheets if page.sheet.state == SheetState.SIGNED],
            "stages": self.stages if self.level == InspectionLevel.FINAL else [],
            "begins": checks.sheets_to_begin(self.row.order, clock.today(self.row.order.store.time_zone)),
            "may_begin": self.actor.may(permissions.CHECKS_FILL),
            "must_drive": self.row.asks_road_test and self.level == InspectionLevel.FINAL,
            "back": reverse("my-jobs" if own and self.actor.may(permissions.JOBS_OWN) else "inspections"),
        }

    def run(self, form: InspectionForm) -> Any:
        data = form.cleaned_data
        failed = data["result"] == "FAILED"
        return commands.inspect_order(
            order_uid=self.kwargs["uid"],
            level=self.level,
            result=data["result"],
            reason=data["reason"] if failed else "",
            cause=data["cause"] if failed else "",
            failed_line_uid=data["failed_line"] if failed else None,
            instrument_uids=data["instruments"],
            sheet_reason=data["sheet_reason"],
            by=self.actor,
            **form.road_test,
        )

    def words(self, result: Any) -> str:
        if result.result == "FAILED":
            return gettext("Not passed: the work goes back with the reason.")
        return super().words(result)

    def location(self, result: Any) -> str:
        own = self.level == InspectionLevel.SELF
        return reverse("my-jobs" if own and self.actor.may(permissions.JOBS_OWN) else "inspections")


class IssueCertificateView(ActionView):
    permission = permissions.INSPECT_FINAL
    done = _("Certificate issued.")

    def run(self, form: Any) -> Any:
        return commands.issue_certificate(order_uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return super().location(result) if self.request.POST.get("next") else reverse("inspections")


class VoidCertificateView(ActionView):
    permission = (permissions.CERTIFICATES_MANAGE, permissions.INSPECT_FINAL)
    done = _("Certificate voided; its number stays used.")

    def run(self, form: Any) -> Any:
        Certificate.objects.for_actor(self.actor).get(uid=self.kwargs["uid"])
        return commands.void_certificate(
            uid=self.kwargs["uid"], reason=self.request.POST.get("reason", ""), by=self.actor
        )

    def location(self, result: Any) -> str:
        return super().location(result) if self.request.POST.get("next") else reverse("inspections")


class CertificatePdfView(StaffPage, View):
    """Both parts of the certificate on paper."""

    permission = (permissions.INSPECTIONS_VIEW, permissions.ORDERS_VIEW)

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        made, owner = reads.read_certificate(uid, self.actor)
        return paper_answer(certificate_pdf(CertificatePaper(made, owner)), made.number)


class QualitySheetPdfView(StaffPage, View):
    """The quality inspection sheet on paper: the three inspections that the law asks, with values and bounds."""

    permission = (permissions.INSPECTIONS_VIEW, permissions.ORDERS_VIEW)

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        paper = quality_of(uid, self.actor)
        return paper_answer(quality_pdf(paper), f"{paper.order.number}-QC")


class LinkCertificatePdfView(LinkDoor, StaffPage, View):
    """The customer's own copy, on the link of the visit."""

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        made, owner = reads.read_certificate(uid, self.actor)
        return paper_answer(certificate_pdf(CertificatePaper(made, owner)), made.number)


def numbers(actor: Actor) -> dict[str, Any]:
    """What stands beside both forms about numbers: the ranges and what was voided unused."""
    return {"ranges": reads.number_ranges(actor), "spoiled": reads.spoiled_numbers(actor)}


class AllotPage(CommandPage):
    """Enters the range of numbers that the authority has allotted."""

    permission = permissions.CERTIFICATES_MANAGE
    form_class = RangeForm
    template_name = "workshop/certificate_range.html"
    done = _("Numbers entered.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | numbers(self.actor)

    def run(self, form: RangeForm) -> Any:
        return commands.allot_certificates(by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("inspections")


class SpoiledNumberPage(CommandPage):
    """Voids a spoiled form whose number was never given out (domain 3.2)."""

    permission = (permissions.CERTIFICATES_MANAGE, permissions.INSPECT_FINAL)
    form_class = SpoiledNumberForm
    template_name = "workshop/certificate_spoiled.html"
    done = _("The number is void and is never given out.")

    def get_form_kwargs(self) -> dict[str, Any]:
        ranges = [(str(row.uid), f"{row.prefix}{row.first:08d} – {row.last:08d}") for row in self.open_ranges]
        return super().get_form_kwargs() | {"ranges": ranges}

    @cached_property
    def open_ranges(self) -> list[Any]:
        return [row for row in reads.number_ranges(self.actor) if row.left > 0]

    def get_initial(self) -> dict[str, Any]:
        """The oldest range with numbers left, and the number whose turn it is."""
        first = min(self.open_ranges, key=lambda row: row.first, default=None)
        return {} if first is None else {"range_uid": str(first.uid), "serial": first.next}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | numbers(self.actor) | {"any_left": bool(self.open_ranges)}

    def run(self, form: SpoiledNumberForm) -> Any:
        return commands.void_number(by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return reverse("certificate-spoiled")
