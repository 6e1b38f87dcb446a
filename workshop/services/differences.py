"""What an insurer's assessment leaves open of a line: borne by the customer, or taken off the price (3.2).

Lock order (design 5): order, lines, case. The third way out is a supplement (``accidents.ask_assessment``).
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.kernel import clock, formats, saying
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel, StoredFile
from dealership.kernel.money import ZERO, line_amount, round_money
from dealership.kernel.services import queue_message, store_file
from dealership.kernel.signatures import refuse_empty_pad
from reception.models import CustomerContact
from workshop import events, package_rules, permissions
from workshop.accident_models import Assessment, AssessmentState
from workshop.difference_models import DifferenceConsent
from workshop.models import AuthorizationMethod, AuthorizationStatus, DiscountKind, L, OrderLine
from workshop.selectors.accidents import Difference, insured_of, price_of
from workshop.selectors.entitled import bearers_of, deciders_of
from workshop.services.orders import (
    back_to_draft,
    locked_line,
    refuse_packaged,
    refuse_unsigned,
    write_decision,
)

DRAWN = (AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE)


def _answered(line_uid: UUID, by: Actor) -> tuple[OrderLine, Decimal, Assessment]:
    """The line, locked, what the insurer pays of it, and the last assessment in which it said so."""
    line = locked_line(line_uid, by)
    insured = insured_of([line.pk])
    last = Assessment.objects.filter(rows__line=line, state=AssessmentState.AGREED).order_by("-number").first()
    if line.pay_type != PayType.INSURANCE or last is None or line.state not in (L.DRAFT, L.PENDING):
        raise RuleError("difference.none", _("The insurer has left nothing open of this item."))
    return line, insured[line.pk], last


def _insurers_person(line: OrderLine, assessment: Assessment, amount: Decimal) -> CustomerContact | None:
    entitled, contact = deciders_of(line.order).entitle(assessment.decided_by, amount)
    if not entitled:
        raise RuleError(
            "assessment.who",
            _("%(name)s may not decide for the insurer any more, or not about so much: name who may on its page."),
            name=assessment.decided_by,
        )
    return contact


def _release(line: OrderLine, assessment: Assessment, insured: Decimal, note: str, *, by: Actor) -> None:
    write_decision(
        line,
        status=AuthorizationStatus.APPROVED,
        method=AuthorizationMethod.VERBAL_PHONE,
        authorized_by=assessment.decided_by,
        contact=_insurers_person(line, assessment, insured),
        note=note,
        by=by,
    )


@transaction.atomic
def price_as_assessed(*, line_uid: UUID, by: Actor) -> OrderLine:
    """Brings a line's price down to what the insurer has agreed to pay, and releases it: its yes was to that amount.

    The discount is of the kind ``ASSESSMENT``: no post's limit holds for it, the database holds it at the assessment.
    It comes off the labour, and off the parts where it is more than half of that. A line that costs no more than was
    agreed is only released. Raises RuleError ``difference.none``, ``difference.price`` (it can't be met to the fen, or
    the insurer pays nothing), ``package.line``, ``line.agreed`` and ``assessment.who``.
    """
    by.require(permissions.ACCIDENTS_WORK)
    line, insured, assessment = _answered(line_uid, by)
    before = price_of(line)
    if before > insured:
        if line.reassembles_id is not None:
            raise RuleError("line.agreed", _("This price was agreed together with the taking apart and stays."))
        refuse_packaged(line)
        back_to_draft(line, by=by)
        _take_off(line, insured, by=by)
        record(
            line,
            events.LINE_REPRICED,
            by=by,
            store_id=line.order.store_id,
            changed={"price": (before, insured)},
            assessment=assessment.uid,
            discount=line.discount,
        )
    note = f"{assessment.accident.report_number} #{assessment.number}: {saying.say_money(insured)}"
    _release(line, assessment, min(before, insured), note, by=by)
    return line


def _take_off(line: OrderLine, insured: Decimal, *, by: Actor) -> None:
    parts = list(line.part_lines.order_by("pk"))
    gross = line_amount(line.hours, line.rate)
    try:
        shares = package_rules.share_price(
            insured - line.fee_amount, [gross], [(part.quantity, part.unit_price) for part in parts]
        )
    except ValueError as unmet:
        raise RuleError(
            "difference.price",
            _(
                "“%(line)s” can't be priced at %(amount)s: let the customer bear the difference, or ask for a supplement."
            ),
            line=line.said,
            amount=saying.say_money(insured),
        ) from unmet
    for part, unit in zip(parts, shares.units, strict=True):
        if unit != part.unit_price or part.discount:  # the assessment stands in place of a discount
            part.unit_price, part.amount, part.discount = unit, line_amount(part.quantity, unit), ZERO
            part.save(update_fields=["unit_price", "amount", "discount"])
    line.labor_amount = shares.labor[0]
    line.discount = gross - line.labor_amount
    line.discount_kind, line.discount_by, line.discount_at = DiscountKind.ASSESSMENT, by.user, clock.now()
    line.save(update_fields=["labor_amount", "discount", "discount_kind", "discount_by", "discount_at"])


@transaction.atomic
def bear_difference(
    *,
    line_uid: UUID,
    agreed_by: str,
    method: str,
    by: Actor,
    amount: Decimal | None = None,
    note: str = "",
    signature: bytes | None = None,
    seen_hash: str = "",
) -> DifferenceConsent:
    """The customer agrees to bear what the insurer has left open of a line (自付差额); with that it may be begun.

    ``amount`` is what they saw, CNY with VAT, on the link with ``seen_hash`` (``difference.changed`` where it is another
    one meanwhile). On the link, at the desk or by telephone with a note, by whom the customer of the visit lets decide.
    Raises RuleError ``difference.none``, ``difference.not_sent``, ``authorization.method``, ``.name``, ``.note``, ``.who``
    and ``assessment.who``.
    """
    name, words = _who_and_how(agreed_by, method, note, by)
    if method in DRAWN:
        refuse_empty_pad(signature)
    if method == AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE:
        refuse_unsigned(signature, on_paper=False, field="method")
    line, row, assessment = _open_difference(line_uid, amount, seen_hash, by)
    kept = None
    if signature:
        order = line.order
        kept = store_file(
            content=signature, name="signature.png", store_id=order.store_id, by=by, visit_uid=order.visit.uid
        )
    consent = _write_answer_of(row, name, method, words, by, signature=kept)
    record(
        consent,
        events.DIFFERENCE_AGREED,
        by=by,
        store_id=line.order.store_id,
        line=line.uid,
        amount=row.open,
        insured=row.insured,
        method=method,
        seen_hash=consent.seen_hash,
    )
    sums = f"{saying.say_money(row.insured)} + {saying.say_money(row.open)}"
    _release(line, assessment, row.insured, f"{assessment.accident.report_number} #{assessment.number}: {sums}", by=by)
    return consent


@transaction.atomic
def decline_difference(
    *,
    line_uid: UUID,
    agreed_by: str,
    method: str,
    by: Actor,
    amount: Decimal | None = None,
    note: str = "",
    seen_hash: str = "",
) -> DifferenceConsent:
    """The customer doesn't bear the difference; ``note`` says why. It stays open, the advisor is told behind the event.

    Refuses as ``bear_difference``; nothing is signed.
    """
    name, words = _who_and_how(agreed_by, method, note, by)
    line, row, _assessment = _open_difference(line_uid, amount, seen_hash, by)
    consent = _write_answer_of(row, name, method, words, by, agreed=False)
    record(
        consent,
        events.DIFFERENCE_DECLINED,
        by=by,
        store_id=line.order.store_id,
        line=line.uid,
        amount=row.open,
        method=method,
        seen_hash=consent.seen_hash,
    )
    return consent


def _who_and_how(agreed_by: str, method: str, note: str, by: Actor) -> tuple[str, str]:
    on_link = by.kind == ActorKind.LINK
    if not on_link:
        by.require(permissions.AUTHORIZATIONS_RECORD)
    portal, policy = AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION
    if on_link != (method == portal) or method == policy or method not in AuthorizationMethod.values:
        raise RuleError("authorization.method", _("Choose how the customer decided."), field="method")
    name, words = formats.one_line(agreed_by)[:60], formats.one_line(note)[:300]
    if not name:
        raise RuleError("authorization.name", _("Write the name of the person who decides."), field="agreed_by")
    if method == AuthorizationMethod.VERBAL_PHONE and not words:
        raise RuleError("authorization.note", _("For a spoken yes, note who said what."), field="note")
    return name, words


def _open_difference(
    line_uid: UUID, amount: Decimal | None, seen_hash: str, by: Actor
) -> tuple[OrderLine, Difference, Assessment]:
    """The locked line, what is open of it as the customer saw it, and the last assessment."""
    line, insured, assessment = _answered(line_uid, by)
    row = Difference(line, price_of(line), insured, asked=False, sent=line.state == L.PENDING)
    if row.open <= 0:
        raise RuleError("difference.none", _("The insurer has left nothing open of this item."))
    if not row.sent:
        raise RuleError("difference.not_sent", _("Send the estimate first: “%(line)s” is a draft."), line=line.said)
    on_link = by.kind == ActorKind.LINK
    if (amount is not None and round_money(amount) != row.open) or (
        (on_link or seen_hash) and seen_hash != row.seen_hash
    ):
        raise RuleError(
            "difference.changed",
            _("%(amount)s are open of “%(line)s” by now. Nothing was saved; please look again."),
            amount=saying.say_money(row.open),
            line=line.said,
        )
    return line, row, assessment


def _write_answer_of(
    row: Difference,
    name: str,
    method: str,
    words: str,
    by: Actor,
    *,
    agreed: bool = True,
    signature: StoredFile | None = None,
) -> DifferenceConsent:
    entitled, _contact = bearers_of(row.line.order).entitle(name, row.open)
    if not entitled:
        raise RuleError(
            "authorization.who", _("This person may not decide for the customer about so much."), field="agreed_by"
        )
    now = clock.now()
    made: DifferenceConsent = DifferenceConsent.objects.create(
        line=row.line,
        amount=row.open,
        agreed_by=name,
        method=method,
        note=words,
        signature=signature,
        at=now,
        agreed=agreed,
        ended_at=None if agreed else now,
        seen_hash=row.seen_hash if by.kind == ActorKind.LINK else "",
    )
    return made


def tell_difference_declined(*, uid: UUID, key: str, by: Actor) -> int:
    """The order's advisor reads that the customer doesn't bear a difference; how many were told."""
    answer = DifferenceConsent.objects.select_related(
        "line__operation",
        "line__order__vehicle",
        "line__order__visit",
        "line__order__store",
        "line__order__advisor__user",
    ).get(uid=uid)
    order = answer.line.order
    advisor = order.advisor
    if advisor.user is None:
        return 0
    with override(advisor.user.language):
        body = gettext(
            "%(plate)s: the customer doesn't bear %(amount)s of %(line)s; reprice it, ask for a supplement or leave it. "
            "Order %(number)s"
        ) % {
            "plate": saying.say_plate(order.vehicle.plate) or order.number,
            "amount": saying.say_money(answer.amount),
            "line": answer.line.said,
            "number": order.number,
        }
    queue_message(
        key=key,
        store=order.store,
        channel=MessageChannel.STAFF,
        recipient=advisor.user.username,
        recipient_name=advisor.name,
        template="workshop.difference_declined",
        language=advisor.user.language,
        body=body,
        visit_uid=order.visit.uid,
        by=by,
    )
    return 1
