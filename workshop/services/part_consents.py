"""The customer agrees in writing to parts that aren't new, before they are issued (domain 3.3)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad
from staff.selectors.employees import employee_of
from workshop import events, permissions
from workshop.models import AGREED
from workshop.part_consent_models import PartConsent
from workshop.selectors.part_consents import consents_of
from workshop.services.orders import locked_line


@transaction.atomic
def sign_part_consent(
    *,
    line_uid: UUID,
    signed_name: str,
    by: Actor,
    signature: bytes | None = None,
    on_paper: bool = False,
    seen_hash: str = "",
) -> PartConsent:
    """Writes down who agreed to the used, repaired or remanufactured parts of an agreed line, on the pad (PNG) or on paper.

    The customer signs it on the link as well, there for the parts as they were shown (``seen_hash``). Raises RuleError
    ``part_consent.none`` (no such part, or nobody has agreed to the line), ``.signed``, ``.changed``, ``.name``,
    ``.signature``, ``signature.empty`` and ``order.ended``.
    """
    on_link = by.kind == ActorKind.LINK
    if not on_link:
        by.require(permissions.AUTHORIZATIONS_RECORD)
    line = locked_line(line_uid, by)
    found = next(iter(consents_of([line])), None)
    if found is None or found.decision is None or line.state not in AGREED:
        raise RuleError("part_consent.none", _("Nothing of this line needs the customer's written consent."))
    if found.signed_at is not None:
        raise RuleError(
            "part_consent.signed", _("%(name)s has agreed to these parts in writing already."), name=found.signed_by
        )
    if (on_link or seen_hash) and seen_hash != found.seen_hash:
        text = _("The parts have changed since you opened the page; nothing was saved. Please read them again.")
        raise RuleError("part_consent.changed", text)
    name = formats.one_line(signed_name)[:60]
    if not name:
        raise RuleError("part_consent.name", _("Write the name of the person who signs."), field="signed_name")
    if on_paper and not on_link:
        signature = None
    else:
        refuse_empty_pad(signature)
        if signature is None:
            raise RuleError(
                "part_consent.signature",
                _("Let the customer sign here, or tick that it was signed on paper."),
                field="signature",
            )
    order = line.order
    kept = (
        store_file(content=signature, name="signature.png", store_id=order.store_id, by=by, visit_uid=order.visit.uid)
        if signature
        else None
    )
    made: PartConsent = PartConsent.objects.create(
        line=line,
        decision=found.decision,
        parts=found.read,
        signed_name=name,
        signature=kept,
        on_paper=kept is None,
        taken_by=employee_of(by),
    )
    record(
        line,
        events.PART_CONSENT_SIGNED,
        by=by,
        store_id=order.store_id,
        authorization=found.decision.uid,
        parts=[p.part.uid for p in found.parts],
        on_paper=made.on_paper,
    )
    return made


def consent_on_paper(*, line_uid: UUID, signed_name: str, by: Actor) -> PartConsent:
    """``sign_part_consent`` for another system: the paper was signed. Refuses as it does."""
    return sign_part_consent(line_uid=line_uid, signed_name=signed_name, on_paper=True, by=by)
