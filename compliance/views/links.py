"""The customer's own copy of the repair file on the link of the visit (3.3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from compliance.documents import file_pdf, shown_file
from compliance.models import ArchiveRecord
from compliance.selectors import archives as reads
from dealership.kernel.pages import Page, StaffPage
from dealership.kernel.papers import paper_answer
from reception.links import LinkDoor

from .archives import json_answer


class LinkFilePage(LinkDoor, Page):
    """All that was agreed, done, checked and paid."""

    template_name = "compliance/link_file.html"

    @cached_property
    def archive(self) -> ArchiveRecord:
        return reads.kept_file(self.actor, self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "archive": self.archive,
            "file": shown_file(self.archive),
            "visit": self.link.visit,
            "link": self.link,
            "store": self.link.visit.store,
            "back": reverse("visit-link", args=[self.link.token]),
        }


class LinkFilePdfView(LinkDoor, StaffPage, View):
    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        archive = reads.kept_file(self.actor, uid)
        return paper_answer(file_pdf(archive), archive.number)


class LinkFileJsonView(LinkDoor, StaffPage, View):
    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        return json_answer(reads.kept_file(self.actor, uid), request.GET.get("addendum", ""))
