"""Pages of the archive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from compliance import permissions
from compliance.documents import file_pdf, shown_file
from compliance.forms.archives import DestroyForm
from compliance.models import ArchiveRecord, ArchiveState
from compliance.selectors import archives as reads
from compliance.services import archives as commands
from compliance.services.archives import canonical
from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage, Page, StaffPage
from dealership.kernel.papers import paper_answer


class ArchiveListPage(Page):
    """8.4: every file with the day until which it is kept."""

    permission = permissions.ARCHIVE_VIEW
    template_name = "compliance/archives.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show, words = self.request.GET.get("show", "ALL"), self.request.GET.get("number", "")
        show = show if show in ("ALL", "DUE", "LISTED") else "ALL"
        return super().get_context_data(**kwargs) | {
            "show": show,
            "words": words,
            "counts": reads.archive_counts(self.actor),
            "rows": reads.archives(self.actor, words=words, show=show)[:100],
        }


class ArchivePage(CommandPage):
    """One file: its content, its hash, and its destruction once the day has come."""

    permission = permissions.ARCHIVE_VIEW
    template_name = "compliance/archive.html"
    form_class = DestroyForm
    done = _("Signed.")

    @cached_property
    def archive(self) -> ArchiveRecord:
        return reads.archive(self.actor, self.kwargs["uid"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.actor.may(permissions.ARCHIVE_DESTROY)
        over = self.archive.retain_until < clock.today()
        return super().get_context_data(**kwargs) | {
            "archive": self.archive,
            "file": shown_file(self.archive, masked=True) if self.archive.content else None,
            "untouched": reads.untouched(self.archive),
            "order": reads.order_of(self.actor, self.archive),
            "may_list": may and over and self.archive.state == ArchiveState.ARCHIVED,
            "may_sign": may and self.archive.state == ArchiveState.TO_DESTROY,
        }

    def run(self, form: DestroyForm) -> ArchiveRecord:
        return commands.sign_destruction(uid=self.kwargs["uid"], by=self.actor, **form.cleaned_data)


def json_answer(archive: ArchiveRecord, addendum: str = "") -> HttpResponse:
    """The content as it was archived, byte for byte what the hash is over, to be saved; ``addendum`` names the number of
    an addendum that is meant instead. Raises ArchiveAddendum.DoesNotExist for one that isn't there."""
    content, name = archive.content, archive.number
    if addendum:
        one = reads.addendum_of(archive, addendum)
        content, name = one.content, f"{name}-{one.number}"
    answer = HttpResponse(canonical(content), content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
    return answer


class ArchivePdfView(StaffPage, View):
    """The file on paper, with the customer's number masked as on the page (7.3)."""

    permission = permissions.ARCHIVE_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        archive = reads.kept_file(self.actor, uid)
        return paper_answer(file_pdf(archive, masked=True), archive.number)


class ArchiveJsonView(StaffPage, View):
    permission = permissions.ARCHIVE_VIEW

    def get(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        return json_answer(commands.take_file(uid=uid, by=self.actor), request.GET.get("addendum", ""))


class ListForDestructionView(ActionView):
    permission = permissions.ARCHIVE_DESTROY
    done = _("Put on the destruction list; two people sign.")

    def run(self, form: Any) -> ArchiveRecord:
        return commands.mark_for_destruction(uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: ArchiveRecord) -> str:
        return reverse("archive-detail", args=[result.uid])
