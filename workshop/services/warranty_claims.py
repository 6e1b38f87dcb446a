"""Claims to the maker: opened, authorised, papers complete, submitted, decided, paid (3.2, domain 3.6).

Lock order (design 5): order, lines, claim, counter.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PayType
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.money import ZERO, round_money
from dealership.kernel.numbering import next_number
from dealership.kernel.states import require
from workshop import events, permissions
from workshop.limits import WARRANTY_SUBMIT_DAYS
from workshop.models import L, OrderLine
from workshop.rules import total_of
from workshop.selectors import warranty_claims as reads
from workshop.services.orders import line_total, locked_line, locked_order
from workshop.warranty_claim_models import (
    WARRANTY_CLAIM_MOVES,
    ShopBears,
    WarrantyClaim,
    WarrantyClaimLine,
    WarrantyClaimState,
)

W = WarrantyClaimState


def _locked_warranty_claim(uid: UUID, by: Actor) -> WarrantyClaim:
    order_uid = WarrantyClaim.objects.for_actor(by).values_list("order__uid", flat=True).get(uid=uid)
    order = locked_order(order_uid, by, living=False)
    claim = WarrantyClaim.objects.locked().select_related("store").get(uid=uid)
    claim.order = order
    return claim


def _step(claim: WarrantyClaim, new: WarrantyClaimState, by: Actor, event: str, *fields: str, **facts: Any) -> None:
    before = W(claim.state)
    require(WARRANTY_CLAIM_MOVES, before, new)
    claim.state = new
    written = ["state", *fields]
    if new in (W.PAID, W.REJECTED, W.WITHDRAWN):
        claim.ended_at = clock.now()
        written.append("ended_at")
    claim.save(update_fields=written)
    record(claim, event, by=by, changed={"state": (before, new)}, **facts)


def _line_of(text: str, code: str, say: Any, *, field: str = "reason", length: int = 300) -> str:
    words = formats.one_line(text)[:length]
    if not words:
        raise RuleError(code, say, field=field)
    return words


WHY = _("Write why the maker doesn't pay.")
REST = _("What the maker doesn't pay is the shop's: choose on what account.")


def _account(shop_bears: str) -> str:
    if shop_bears not in ShopBears.values:
        raise RuleError("warranty_claim.rest", REST, field="shop_bears")
    return shop_bears


@transaction.atomic
def open_warranty_claim(
    *, order_uid: UUID, by: Actor, line_uids: Sequence[UUID] = (), told_free: bool = True
) -> WarrantyClaim:
    """Judges an order's warranty lines to be the maker's to pay and opens the claim for them (domain 3.6).

    ``line_uids``: the lines (default all agreed warranty lines that no claim asks for). ``told_free`` False: the
    customer knows that it depends on the maker's yes. Raises RuleError ``warranty_claim.line``,
    ``warranty_claim.claimed`` and ``warranty_claim.nothing``.
    """
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    order = locked_order(order_uid, by, living=False)
    rows = order.lines.filter(pay_type=PayType.WARRANTY, state__in=reads.CLAIMABLE).order_by("pk")
    found = {line.uid: line for line in rows.select_for_update(no_key=True)}
    taken = set(
        WarrantyClaimLine.objects.filter(line__in=found.values(), live=True).values_list("line__uid", flat=True)
    )
    if set(line_uids) - found.keys():
        raise RuleError(
            "warranty_claim.line", _("The maker is asked for agreed warranty lines of this order only."), field="lines"
        )
    if taken & set(line_uids):
        raise RuleError("warranty_claim.claimed", _("Another claim asks the maker for this line already."))
    lines = [line for uid, line in found.items() if uid not in taken and (not line_uids or uid in line_uids)]
    if not lines:
        raise RuleError("warranty_claim.nothing", _("No warranty line of this order is left to be claimed."))
    claim = WarrantyClaim.objects.create(
        store_id=order.store_id,
        order=order,
        told_free=told_free,
        opened_at=clock.now(),
        opened_by=by.user,
        number=next_number(order.store, "SP"),
    )
    for line in lines:
        WarrantyClaimLine.objects.create(claim=claim, line=line)
    record(
        claim,
        events.WARRANTY_CLAIM_OPENED,
        by=by,
        changed={"state": (None, claim.state)},
        number=claim.number,
        lines=[line.uid for line in lines],
        told_free=told_free,
    )
    return claim


@transaction.atomic
def ask_maker(*, uid: UUID, by: Actor) -> WarrantyClaim:
    """The repair needs the maker's yes first. Raises RuleError ``state.move``."""
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    claim = _locked_warranty_claim(uid, by)
    _step(claim, W.TO_AUTHORISE, by, events.WARRANTY_CLAIM_ASKED)
    return claim


@transaction.atomic
def start_warranty_repair(*, uid: UUID, by: Actor, authorised_as: str = "") -> WarrantyClaim:
    """The repair goes ahead at the maker's cost: ``authorised_as`` is the maker's number where it was asked.

    From now on the customer is told that it is free. Raises RuleError ``warranty_claim.authorisation`` and ``state.move``.
    """
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    claim = _locked_warranty_claim(uid, by)
    words = formats.one_line(authorised_as)[:40]
    if claim.state == W.TO_AUTHORISE and not words:
        raise RuleError(
            "warranty_claim.authorisation", _("Write the number of the maker's yes."), field="authorised_as"
        )
    claim.authorised_as, claim.told_free = words, True
    _date_repair(claim)
    _step(
        claim, W.REPAIRING, by, events.WARRANTY_CLAIM_STARTED,
        "authorised_as", "told_free", "repaired_on", "submit_until",
    )  # fmt: skip
    return claim


def _date_repair(claim: WarrantyClaim) -> bool:
    """Writes the day on which the last line was done and the maker's last day for the claim, once."""
    lines = [row.line for row in claim.lines.select_related("line")]
    done = [line.completed_at or clock.now() for line in lines if line.state in (L.COMPLETED, L.INSPECTED)]
    if claim.repaired_on is not None or not done or len(done) < len(lines):
        return False
    claim.repaired_on = max(done).astimezone(ZoneInfo(claim.store.time_zone)).date()
    days = int(limits.value(WARRANTY_SUBMIT_DAYS, store_id=claim.store_id, on=claim.repaired_on))
    claim.submit_until = claim.repaired_on + timedelta(days=days)
    return True


@transaction.atomic
def date_warranty_claim(*, line_uid: UUID, by: Actor) -> WarrantyClaim | None:
    """A line is done: where it was the last of its claim, the maker's days begin. A second run changes nothing."""
    line = locked_line(line_uid, by, living=False)
    claim = WarrantyClaim.objects.locked().filter(lines__line=line, lines__live=True).select_related("store").first()
    if claim is None or not _date_repair(claim):
        return None
    claim.order = line.order
    claim.save(update_fields=["repaired_on", "submit_until"])
    record(claim, events.WARRANTY_CLAIM_DATED, by=by, submit_until=claim.submit_until)
    return claim


@transaction.atomic
def complete_warranty_claim(*, uid: UUID, by: Actor) -> WarrantyClaim:
    """All papers are there: lines done with complaint, cause, correction and a photo, mileage, old-part tags.

    The amount asked is what its lines come to. Raises RuleError ``warranty_claim.papers`` (naming what is missing) and
    ``state.move``.
    """
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    claim = _locked_warranty_claim(uid, by)
    require(WARRANTY_CLAIM_MOVES, W(claim.state), W.COMPLETE)
    _require_papers(claim)
    _date_repair(claim)
    claim.claimed_amount = _asked(claim)
    if claim.claimed_amount <= 0:
        raise RuleError("warranty_claim.amount", _("The lines of this claim come to nothing."))
    _step(
        claim, W.COMPLETE, by, events.WARRANTY_CLAIM_COMPLETE,
        "claimed_amount", "repaired_on", "submit_until", amount=claim.claimed_amount,
    )  # fmt: skip
    return claim


def _asked(claim: WarrantyClaim) -> Decimal:
    lines = OrderLine.objects.filter(claimed_in__claim=claim).prefetch_related("part_lines").order_by("pk")
    return total_of(line_total(line) for line in lines)


def _require_papers(claim: WarrantyClaim) -> None:
    missing = [paper for paper in reads.papers_of(claim) if not paper.there]
    if missing:
        raise RuleError(
            "warranty_claim.papers",
            _("Still missing: %(papers)s."),
            papers="；".join(f"{paper.line.said} · {paper.what}" for paper in missing),
        )


@transaction.atomic
def submit_warranty_claim(*, uid: UUID, reference: str, by: Actor, late_reason: str = "") -> WarrantyClaim:
    """Sends the claim to the maker under its number ``reference``, the first time or again after it came back.

    After the maker's last day the first submission needs ``late_reason``. Raises RuleError ``warranty_claim.reference``,
    ``warranty_claim.papers``, ``warranty_claim.late`` and ``state.move``.
    """
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    words = _line_of(
        reference, "warranty_claim.reference", _("Write the maker's claim number."), field="reference", length=40
    )
    claim = _locked_warranty_claim(uid, by)
    require(WARRANTY_CLAIM_MOVES, W(claim.state), W.SUBMITTED)
    _require_papers(claim)
    today, late = clock.today(claim.store.time_zone), formats.one_line(late_reason)[:200]
    assert claim.submit_until is not None
    if not claim.times_submitted and today > claim.submit_until and not late:
        raise RuleError(
            "warranty_claim.late",
            _("The maker's last day was %(day)s: say why it comes late."),
            field="late_reason",
            day=claim.submit_until.isoformat(),
        )
    claim.reference, claim.late_reason = words, claim.late_reason or late
    claim.submitted_on, claim.times_submitted = today, claim.times_submitted + 1
    _step(
        claim, W.SUBMITTED, by, events.WARRANTY_CLAIM_SUBMITTED,
        "reference", "late_reason", "submitted_on", "times_submitted", amount=claim.claimed_amount,
        times=claim.times_submitted,
    )  # fmt: skip
    return claim


@transaction.atomic
def return_warranty_claim(*, uid: UUID, reason: str, by: Actor) -> WarrantyClaim:
    """The maker sends it back for more papers. Raises RuleError ``warranty_claim.reason`` and ``state.move``."""
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    words = _line_of(reason, "warranty_claim.reason", _("Write what the maker wants."))
    claim = _locked_warranty_claim(uid, by)
    claim.return_reason = words
    _step(claim, W.RETURNED, by, events.WARRANTY_CLAIM_RETURNED, "return_reason")
    return claim


@transaction.atomic
def approve_warranty_claim(
    *, uid: UUID, amount: Decimal, by: Actor, reason: str = "", shop_bears: str = ""
) -> WarrantyClaim:
    """The maker approves ``amount`` (CNY with VAT). Less than asked needs the reason and the shop's account for the rest.

    Raises RuleError ``warranty_claim.amount``, ``warranty_claim.reason``, ``warranty_claim.rest`` and ``state.move``.
    """
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    claim = _locked_warranty_claim(uid, by)
    require(WARRANTY_CLAIM_MOVES, W(claim.state), W.APPROVED)
    sum_ = round_money(amount)
    if not ZERO < sum_ <= claim.claimed_amount:
        raise RuleError(
            "warranty_claim.amount",
            _("The maker approves more than nothing and no more than asked."),
            field="amount",
        )
    if sum_ < claim.claimed_amount:
        claim.reason = _line_of(reason, "warranty_claim.reason", WHY)
        claim.shop_bears = _account(shop_bears)
    claim.approved_amount, claim.decided_on = sum_, clock.today(claim.store.time_zone)
    _step(
        claim, W.APPROVED, by, events.WARRANTY_CLAIM_APPROVED,
        "approved_amount", "decided_on", "reason", "shop_bears", amount=sum_,
        shop_bears=claim.borne_by_shop or None,
    )  # fmt: skip
    return claim


@transaction.atomic
def reject_warranty_claim(*, uid: UUID, reason: str, by: Actor, shop_bears: str = "") -> WarrantyClaim:
    """The maker doesn't pay. Where the customer was told that it is free, the shop bears it on ``shop_bears``.

    Raises RuleError ``warranty_claim.reason``, ``warranty_claim.rest`` and ``state.move``.
    """
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    words = _line_of(reason, "warranty_claim.reason", WHY)
    claim = _locked_warranty_claim(uid, by)
    require(WARRANTY_CLAIM_MOVES, W(claim.state), W.REJECTED)
    claim.reason, claim.decided_on = words, clock.today(claim.store.time_zone)
    if claim.told_free:
        claim.shop_bears = _account(shop_bears)
        claim.claimed_amount = claim.claimed_amount or _asked(claim)
    _step(
        claim, W.REJECTED, by, events.WARRANTY_CLAIM_REJECTED,
        "reason", "decided_on", "shop_bears", "claimed_amount", shop_bears=claim.borne_by_shop or None,
    )  # fmt: skip
    return claim


@transaction.atomic
def withdraw_warranty_claim(*, uid: UUID, reason: str, by: Actor, shop_bears: str = "") -> WarrantyClaim:
    """The shop gives the claim up; what it would have brought is the shop's where the customer was told that it is free.

    Raises RuleError ``warranty_claim.reason``, ``warranty_claim.rest`` and ``state.move``.
    """
    by.require(permissions.WARRANTY_CLAIMS_WORK)
    words = _line_of(reason, "warranty_claim.reason", _("Write why the claim is given up."))
    claim = _locked_warranty_claim(uid, by)
    require(WARRANTY_CLAIM_MOVES, W(claim.state), W.WITHDRAWN)
    claim.reason = words
    if claim.told_free:
        claim.shop_bears = _account(shop_bears)
        claim.claimed_amount = claim.claimed_amount or _asked(claim)
    for row in claim.lines.order_by("pk"):
        row.live = False
        row.save(update_fields=["live"])
    _step(claim, W.WITHDRAWN, by, events.WARRANTY_CLAIM_WITHDRAWN, "reason", "shop_bears", "claimed_amount")
    return claim


@transaction.atomic
def pay_warranty_claim(
    *, uid: UUID, amount: Decimal, reference: str, by: Actor, paid_on: date | None = None, reason: str = "",
    shop_bears: str = "",
) -> WarrantyClaim:  # fmt: skip
    """The maker has paid ``amount`` (CNY with VAT) on ``paid_on`` (default today); a shortfall needs reason and account.

    Raises RuleError ``warranty_claim.paid``, ``warranty_claim.reference``, ``warranty_claim.paid_on``,
    ``warranty_claim.reason``, ``warranty_claim.rest`` and ``state.move``.
    """
    by.require(permissions.WARRANTY_CLAIMS_PAY)
    number = _line_of(
        reference, "warranty_claim.reference", _("Write the number of the credit note or transfer."),
        field="reference", length=40,
    )  # fmt: skip
    claim = _locked_warranty_claim(uid, by)
    require(WARRANTY_CLAIM_MOVES, W(claim.state), W.PAID)
    today, sum_ = clock.today(claim.store.time_zone), round_money(amount)
    assert claim.approved_amount is not None
    if not ZERO < sum_ <= claim.approved_amount:
        raise RuleError(
            "warranty_claim.paid", _("The maker pays more than nothing and no more than it approved."), field="amount"
        )
    day = paid_on or today
    if day > today or (claim.decided_on and day < claim.decided_on):
        raise RuleError(
            "warranty_claim.paid_on", _("The money came between the maker's yes and today."), field="paid_on"
        )
    if sum_ < claim.approved_amount:
        claim.reason = _line_of(reason, "warranty_claim.reason", WHY)
        claim.shop_bears = _account(shop_bears)
    claim.paid_amount, claim.paid_on, claim.payment_reference = sum_, day, number
    _step(
        claim, W.PAID, by, events.WARRANTY_CLAIM_PAID,
        "paid_amount", "paid_on", "payment_reference", "reason", "shop_bears", amount=sum_,
        shop_bears=claim.borne_by_shop or None,
    )  # fmt: skip
    return claim
