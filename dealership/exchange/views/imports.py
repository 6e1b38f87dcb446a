"""Pages of imports: upload, preview by action, progress, undo (7.2)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.exchange import permissions
from dealership.exchange.forms.imports import UploadForm
from dealership.exchange.models import ImportAction, ImportBatch, ImportState
from dealership.exchange.selectors import imports as reads
from dealership.exchange.services import imports as commands
from dealership.kernel.pages import ActionView, CommandPage, Page


class ImportsPage(CommandPage):
    """The list of imports with the upload form on top."""

    permission = permissions.IMPORTS_RUN
    template_name = "exchange/imports.html"
    form_class = UploadForm
    done = _("The file is being read.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"imports": reads.list_imports(by=self.actor)}

    def run(self, form: UploadForm) -> ImportBatch:
        file = form.cleaned_data["file"]
        return commands.upload_import(content=file.read(), file_name=file.name, by=self.actor)

    def location(self, result: ImportBatch) -> str:
        return reverse("import-detail", args=[result.uid])


class ImportPage(Page):
    """Preview, progress and result of one import; counts are filters. htmx asks for the part that moves."""

    permission = permissions.IMPORTS_RUN
    template_name = "exchange/import.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.headers.get("HX-Request"):
            moving = self.moving()
            response = render(request, "exchange/import.html#moving", moving)
            if not moving["running"]:
                response.headers["HX-Refresh"] = "true"  # what is there now is another page: preview or result
            return response
        return super().get(request, *args, **kwargs)

    def moving(self) -> dict[str, Any]:
        batch = reads.import_of(uid=self.kwargs["uid"], by=self.actor)
        undoing = batch.state == ImportState.DONE and "undo_by" in batch.summary
        running = undoing or batch.state in (ImportState.READING, ImportState.WRITING)
        return {"batch": batch, "running": running, "undoing": undoing}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        moving = self.moving()
        batch = moving["batch"]
        show, after = self.request.GET.get("show", ""), self.request.GET.get("after", "")
        cursor = int(after) if after.isdecimal() and len(after) < 9 else 0
        rows, more = reads.rows_of(batch, show=show, after=cursor)
        counts = batch.summary.get("counts", {})
        return (
            super().get_context_data(**kwargs)
            | moving
            | {
                "form_token": uuid4(),
                "rows": rows,
                "more": more,
                "after": cursor,
                "show": show,
                "filters": [
                    {"code": action.value, "label": action.label, "count": counts.get(action.value, 0)}
                    for action in ImportAction
                ],
                "noted": reads.noted(batch),
                "reasons": reads.reasons_of(batch),
                "labels": [reads.FIELD_LABELS[name] for name in batch.summary.get("columns", [])],
                "problem": reads.problem_of(batch.problem),
                "writes": counts.get("CREATE", 0) + counts.get("UPDATE", 0),
            }
        )


class _ImportAction(ActionView):
    permission = permissions.IMPORTS_RUN

    def location(self, result: ImportBatch) -> str:
        return reverse("import-detail", args=[result.uid])


class ConfirmView(_ImportAction):
    done = _("The import is being written.")

    def run(self, form: Any) -> ImportBatch:
        return commands.confirm_import(uid=self.kwargs["uid"], by=self.actor)


class DiscardView(_ImportAction):
    done = _("The preview was discarded.")

    def run(self, form: Any) -> ImportBatch:
        return commands.discard_import(uid=self.kwargs["uid"], by=self.actor)


class UndoView(_ImportAction):
    done = _("The import is being taken back.")

    def run(self, form: Any) -> ImportBatch:
        return commands.ask_undo(uid=self.kwargs["uid"], by=self.actor)
