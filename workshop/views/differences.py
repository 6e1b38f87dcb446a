"""The customer says on the link whether they bear what the insurer has left open of an item (3.2)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from dealership.kernel.errors import RuleError
from workshop.difference_models import DifferenceConsent
from workshop.models import AuthorizationMethod
from workshop.selectors import accidents as reads
from workshop.selectors.entitled import bearers_of
from workshop.services import differences

from .links import ItemOnLink
from .orders import drawn_signature


class DifferenceOnLink(ItemOnLink):
    """Yes or no to one difference, as it was seen."""

    template_name = "workshop/link_difference.html"

    def row(self) -> reads.Difference | None:
        own = self.line
        found = reads.differences_to_bear(self.link.visit_id, self.actor)
        return next((row for row in found if row.line.pk == own.pk), None)

    def is_open(self) -> bool:
        return self.row() is not None

    def facts(self) -> dict[str, Any]:
        return {"row": self.row(), "deciders": bearers_of(self.line.order)}

    def run(self, form: Any) -> DifferenceConsent:
        sent = self.request.POST
        said: dict[str, Any] = {
            "line_uid": self.line.uid,
            "agreed_by": sent.get("signed_by", ""),
            "method": AuthorizationMethod.DIGITAL_PORTAL,
            "seen_hash": sent.get("seen_hash", ""),
            "by": self.actor,
        }
        if sent.get("to") == "yes":
            return differences.bear_difference(signature=drawn_signature(self.request), **said)
        if sent.get("to") == "no":
            return differences.decline_difference(note=sent.get("reason", ""), **said)
        raise RuleError("difference.choose", _("Choose whether you bear the difference or not."), field="to")

    def words(self, result: DifferenceConsent) -> Any:
        if result.agreed:
            return _("Thank you. It will be done.")
        return _("Thank you. Your advisor is told and calls you; nothing is done or charged until then.")
