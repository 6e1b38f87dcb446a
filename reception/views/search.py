"""The search box: suggestions while typing (htmx) and the whole answer as a page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from dealership.kernel import permissions as kernel_permissions
from dealership.kernel.pages import Page
from reception import permissions
from reception.selectors import search

SUGGESTED = 8


class SearchPage(Page):
    """``/search/?q=``: one hit is opened at once; htmx gets the list under the box (2.3)."""

    permission = kernel_permissions.SEARCH
    template_name = "reception/search.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        words = request.GET.get("q", "").strip()
        hits = search.find(text=words, by=self.actor) if words else []
        if request.headers.get("HX-Request"):
            shown = hits[:SUGGESTED]
            context = {"words": words, "hits": shown, "more": len(hits) - len(shown)}
            return render(request, "reception/search.html#suggestions", context)
        if len(hits) == 1:
            return HttpResponseRedirect(hits[0].url)
        if request.GET.get("scan"):  # 2.1.2: a scanner reads one thing; what it names to the letter is opened
            sure = [hit for hit in hits if hit.rank == search.EXACT]
            if len(sure) == 1:
                return HttpResponseRedirect(sure[0].url)
        context = {
            "may_receive": self.actor.may(permissions.VISITS_RECEIVE),
            "may_register": self.actor.may(permissions.CUSTOMERS_EDIT),
        }
        return self.render_to_response(self.get_context_data(words=words, hits=hits, **context))
