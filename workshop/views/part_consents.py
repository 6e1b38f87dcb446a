"""Written consent to parts that aren't new, signed at the desk (domain 3.3)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from workshop import permissions
from workshop.forms.part_consents import PartConsentForm
from workshop.part_consent_models import PartConsent
from workshop.selectors.part_consents import consents_of
from workshop.services import part_consents as commands

from .orders import LineCommandPage, drawn_signature


class PartConsentPage(LineCommandPage):
    permission = permissions.AUTHORIZATIONS_RECORD
    template_name = "workshop/part_consent.html"
    form_class = PartConsentForm
    title = _("Consent to parts that aren't new")
    submit = _("Keep the consent")
    done = _("The consent is kept; the parts can be issued.")

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"signed_name": self.order.visit.contact_name}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"consent": next(iter(consents_of([self.line])), None)}

    def run(self, form: PartConsentForm) -> PartConsent:
        return commands.sign_part_consent(
            line_uid=self.line.uid, signature=drawn_signature(self.request), by=self.actor, **form.cleaned_data
        )
