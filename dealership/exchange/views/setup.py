"""The first page of an empty system; it is there until somebody can sign in, and never again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _now
from django.views.generic import FormView

from dealership.exchange.forms.setup import SetupForm
from dealership.exchange.services import setup
from dealership.kernel.errors import RuleError


class SetupPage(FormView):
    template_name = "exchange/setup.html"
    form_class = SetupForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not setup.is_open():
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: SetupForm) -> HttpResponse:
        try:
            setup.begin(**form.cleaned_data)
        except RuleError as refusal:
            field = {"code": "store_code", "name": "person_name"}.get(refusal.field or "", refusal.field)
            form.add_error(field if field in form.fields else None, str(refusal))
            return self.form_invalid(form)
        messages.success(
            self.request, _now("The store is open. Sign in; give your colleagues log-ins and posts under Staff.")
        )
        return redirect("account_login")

    def form_invalid(self, form: SetupForm) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 422
        return response
