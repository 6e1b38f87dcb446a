"""Forms that a device without a connection keeps and sends later (``static/js/queue.js``)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from dealership.kernel import clock
from dealership.kernel.errors import RuleError


class Queued:
    """2.1.2, 3.1: a form that the queue of a device sends (``X-Queued``) is answered in short: 204 once it is kept, 422 with
    what is wrong by field. Its token makes a second sending of the same thing harmless."""

    request: HttpRequest

    @property
    def is_queued(self) -> bool:
        return "X-Queued" in self.request.headers

    def execute(self, form: Any = None) -> HttpResponse:
        if not self.is_queued:
            return super().execute(form)  # type: ignore[misc]
        try:
            super().execute(form)  # type: ignore[misc]
        except RuleError as refusal:
            if form is not None:
                raise
            return JsonResponse({"wrong": {"": [str(refusal)]}}, status=422)
        kept = HttpResponse(status=204)
        kept.headers["X-Saved-At"] = timezone.localtime(clock.written_now()).strftime("%H:%M")
        return kept

    def words(self, result: Any) -> Any:
        return "" if self.is_queued else super().words(result)  # type: ignore[misc]

    def form_invalid(self, form: Any) -> HttpResponse:
        if not self.is_queued:
            return super().form_invalid(form)  # type: ignore[misc]
        named = {name: str(field.label) for name, field in form.fields.items() if field.label}
        wrong = {
            name if name in named else "": [f"{named[name]}: {text}" if name in named else str(text) for text in texts]
            for name, texts in form.errors.items()
        }
        return JsonResponse({"wrong": wrong}, status=422)
