"""Written consent to parts that aren't new, signed at the desk or on the customer's link (domain 3.3)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from workshop import permissions
from workshop.forms.part_consents import PartConsentForm
from workshop.part_consent_models import PartConsent
from workshop.selectors.part_consents import Consent, consents_of, consents_to_sign
from workshop.services import part_consents as commands

from .links import ItemOnLink
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


class PartConsentOnLink(ItemOnLink):
    """The customer signs for the parts that they read."""

    template_name = "workshop/link_part_consent.html"
    done = _("Thank you. Your consent is kept.")

    def consent(self) -> Consent | None:
        own = self.line
        return next((row for row in consents_to_sign(self.link.visit) if row.line.pk == own.pk), None)

    def is_open(self) -> bool:
        return self.consent() is not None

    def facts(self) -> dict[str, Any]:
        return {"consent": self.consent()}

    def run(self, form: Any) -> PartConsent:
        return commands.sign_part_consent(
            line_uid=self.line.uid,
            signed_name=self.request.POST.get("signed_by", ""),
            signature=drawn_signature(self.request),
            seen_hash=self.request.POST.get("seen_hash", ""),
            by=self.actor,
        )
