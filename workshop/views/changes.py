"""The customer changes a decision on the link while nothing was begun (3.2)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from workshop.models import L, OrderLine
from workshop.selectors import changes as reads
from workshop.selectors.entitled import ASKED
from workshop.selectors.orders import risk_words
from workshop.services import authorizations

from .links import ItemOnLink
from .orders import drawn_signature


class ChangeOnLink(ItemOnLink):
    """Takes a yes back, or agrees after all."""

    template_name = "workshop/link_change.html"

    def is_open(self) -> bool:
        return self.line.state in reads.DECIDED and self.line.pay_type in ASKED

    def facts(self) -> dict[str, Any]:
        return {"change": reads.change_of(self.line), "risk_words": risk_words()}

    def run(self, form: Any) -> OrderLine:
        sent = self.request.POST
        if sent.get("to") == "yes":
            return authorizations.agree_after_all(
                line_uid=self.line.uid,
                authorized_by=sent.get("signed_by", ""),
                signature=drawn_signature(self.request),
                seen_hash=sent.get("seen_hash", ""),
                by=self.actor,
            )
        return authorizations.revoke_line(
            line_uid=self.line.uid,
            reason=sent.get("reason", ""),
            revoked_by=sent.get("signed_by", ""),
            risk=risk_words() if sent.get("risk") else "",
            signature=drawn_signature(self.request),
            by=self.actor,
        )

    def words(self, result: OrderLine) -> Any:
        if result.state == L.AUTHORIZED:
            return _("Thank you. It will be done.")
        if self.request.POST.get("to") == "yes":
            return _("Kept as a message, not as a yes: this person may not decide for the payer.")
        return _("Your yes is taken back; it isn't done and costs nothing.")
