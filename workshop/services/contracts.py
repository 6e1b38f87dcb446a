"""The repair contract is signed at the desk where the customer decided by telephone (domain 3.3)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad
from staff.selectors.employees import employee_of
from workshop import events, permissions
from workshop.contract_models import ContractSignature
from workshop.selectors.contracts import contract_of
from workshop.services.orders import locked_order


@transaction.atomic
def sign_contract(
    *, order_uid: UUID, signed_name: str, by: Actor, signature: bytes | None = None, on_paper: bool = False
) -> ContractSignature:
    """Writes down who signed the newest contract of an order, on the pad (PNG) or on paper.

    Raises RuleError ``contract.none``, ``.signed``, ``.name``, ``.signature`` and ``signature.empty``.
    """
    by.require(permissions.AUTHORIZATIONS_RECORD)
    order = locked_order(order_uid, by)
    contract = contract_of(order)
    if contract is None:
        raise RuleError("contract.none", _("This order has no contract to sign; send the estimate first."))
    if contract.signed_at is not None:
        raise RuleError("contract.signed", _("This contract is signed already, by %(name)s."), name=contract.signed_by)
    name = signed_name.strip()[:60]
    if not name:
        raise RuleError("contract.name", _("Write the name of the person who signs."), field="signed_name")
    if on_paper:
        signature = None
    else:
        refuse_empty_pad(signature)
        if signature is None:
            raise RuleError(
                "contract.signature",
                _("Let the customer sign here, or tick that it was signed on paper."),
                field="signature",
            )
    kept = (
        store_file(content=signature, name="signature.png", store_id=order.store_id, by=by, visit_uid=order.visit.uid)
        if signature
        else None
    )
    made: ContractSignature = ContractSignature.objects.create(
        order=order,
        estimate=contract.estimate,
        signed_name=name,
        signature=kept,
        on_paper=on_paper,
        taken_by=employee_of(by),
    )
    record(
        order,
        events.CONTRACT_SIGNED,
        by=by,
        estimate=contract.estimate.uid,
        seen_hash=contract.estimate.seen_hash,
        on_paper=on_paper,
    )
    return made


def sign_on_paper(*, order_uid: UUID, signed_name: str, by: Actor) -> ContractSignature:
    """``sign_contract`` for another system: the paper was signed. Refuses as it does."""
    return sign_contract(order_uid=order_uid, signed_name=signed_name, on_paper=True, by=by)
