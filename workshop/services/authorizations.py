"""The customer's decisions, line by line: on the link, by telephone, at the desk; and taking a yes back (3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.services import store_file
from dealership.kernel.signatures import refuse_empty_pad
from workshop import events, permissions, rules
from workshop.models import (
    Authorization,
    AuthorizationMethod,
    AuthorizationStatus,
    Clocking,
    DeclineCause,
    Estimate,
    LineState,
    OrderLine,
    PartLine,
    RepairOrder,
)
from workshop.selectors.entitled import deciders_of
from workshop.services.orders import (
    back_to_draft,
    end_line,
    keep_wish,
    line_total,
    lines_of,
    locked_line,
    locked_order,
    refuse_unsigned,
    write_decision,
)
from workshop.services.reassembly import follow_decisions

L = LineState
Decision = tuple[bool, str] | tuple[bool, str, str]
"""Yes or no, the reason in words, and its cause (``DeclineCause``) where one was chosen."""
AT_THE_DESK = (AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE, AuthorizationMethod.IN_PERSON_PHYSICAL_SIGNATURE)


def latest_estimate(order: RepairOrder) -> Estimate | None:
    return order.estimates.order_by("-number").first()


@transaction.atomic
def decide_lines(
    *,
    order_uid: UUID,
    decisions: Mapping[UUID, Decision],
    method: str,
    authorized_by: str,
    by: Actor,
    note: str = "",
    signature: bytes | None = None,
    seen_hash: str = "",
) -> RepairOrder:
    """The customer agrees to or declines lines of the estimate they saw: ``{line uid: (yes, reason[, cause])}`` (3.2).

    Why something is declined is kept on the decision, for the next visit and for whoever asks what customers find
    too dear. A yes of somebody who may not decide for the payer, or not about so much, is kept as a message
    (``NOT_ENTITLED``) and its lines stay asked. All of it or nothing. Undecided lines stay open and stop no
    agreed work. Raises RuleError ``estimate.stale`` (a newer version is out), ``estimate.expired``,
    ``authorization.empty``, ``.name``, ``.note``, ``.method`` and ``.risk`` (declining what concerns safety
    needs a signed statement of the risk in ``note``); RaceLost ``line.decided`` where somebody else has decided
    a line meanwhile.
    """
    on_link = by.kind == ActorKind.LINK
    if not on_link:
        by.require(permissions.AUTHORIZATIONS_RECORD)
    if on_link != (method == AuthorizationMethod.DIGITAL_PORTAL) or method not in AuthorizationMethod.values:
        raise RuleError("authorization.method", _("Choose how the customer decided."), field="method")
    if method == AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION:
        raise RuleError("authorization.method", _("Choose how the customer decided."), field="method")
    name = authorized_by.strip()
    if not name:
        raise RuleError("authorization.name", _("Write the name of the person who decides."), field="authorized_by")
    if method == AuthorizationMethod.VERBAL_PHONE and not note.strip():
        raise RuleError("authorization.note", _("For a spoken yes, note who said what."), field="note")
    if method in (AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE):
        refuse_empty_pad(signature)  # by telephone or on paper nobody draws
    if method == AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE:
        refuse_unsigned(signature, on_paper=False, field="method")
    if not decisions:
        raise RuleError("authorization.empty", _("Agree to or decline at least one item."))
    order = locked_order(order_uid, by)
    estimate = latest_estimate(order)
    if estimate is None:
        raise RuleError("estimate.none", _("No estimate has been sent for this order yet."))
    if (on_link or seen_hash) and seen_hash != estimate.seen_hash:
        raise RuleError(
            "estimate.stale",
            _("The offer has changed since you opened it. Nothing was decided; please look at the new one below."),
        )
    if estimate.expires_at < clock.now():
        raise RuleError("estimate.expired", _("This offer has expired; please ask for a new one."))
    lines = {line.uid: line for line in lines_of(order)}
    offered = {UUID(line["uid"]) for line in estimate.content["lines"]}
    kept = (
        store_file(content=signature, name="signature.png", store_id=order.store_id, by=by, visit_uid=order.visit.uid)
        if signature
        else None
    )
    decisions = _with_packages(decisions, lines)
    yes = [uid for uid, (approve, *_rest) in decisions.items() if approve and uid in lines]
    entitled, contact = deciders_of(order).entitle(name, rules.total_of(line_total(lines[uid]) for uid in yes))
    for uid in sorted(decisions, key=lambda key: lines[key].pk if key in lines else 0):
        approve, reason, *more = decisions[uid]
        cause = more[0] if more else ""
        if cause and cause not in DeclineCause.values:
            raise RuleError("authorization.cause", _("Choose one of the reasons offered, or write your own."))
        line = lines.get(uid)
        if line is None:
            raise OrderLine.DoesNotExist("No such line on this order.")
        if line.state != L.PENDING or uid not in offered:
            raise RaceLost(
                "line.decided",
                _("“%(line)s” has been decided or changed meanwhile. Nothing was saved; please look again."),
                line=line.said,
            )
        if not approve and line.is_safety and not note.strip():
            raise RuleError(
                "authorization.risk",
                _("“%(line)s” concerns safety: declining it needs a signed statement that the risk was explained."),
                field="note",
                line=line.said,
            )
        if approve and not entitled:
            keep_wish(
                line,
                method=method,
                authorized_by=name,
                note=note.strip(),
                signature=kept,
                estimate=estimate,
                by=by,
            )
            continue
        write_decision(
            line,
            contact=contact if approve else None,
            status=AuthorizationStatus.APPROVED if approve else AuthorizationStatus.DECLINED,
            method=method,
            authorized_by=name,
            reason=reason.strip(),
            cause=cause,
            note=note.strip(),
            signature=kept,
            estimate=estimate,
            by=by,
        )
    follow_decisions(order, by=by)
    order.refresh_from_db(fields=["stage", "version"])
    return order


def _with_packages(decisions: Mapping[UUID, Decision], lines: Mapping[UUID, OrderLine]) -> dict[UUID, Decision]:
    """3.1: a package is decided on as a whole; what is said of one of its lines is said of all.

    Raises RuleError ``package.whole`` where one is agreed to and another declined.
    """
    whole = dict(decisions)
    for uid, decision in decisions.items():
        line = lines.get(uid)
        if line is None or line.package_id is None:
            continue
        for other in lines.values():
            if other.package_id != line.package_id or other.state != L.PENDING:
                continue
            if whole.setdefault(other.uid, decision)[0] != decision[0]:
                raise RuleError(
                    "package.whole",
                    _("The package “%(package)s” is agreed to or declined as a whole; to leave something out, ask us."),
                    package=line.package.said if line.package else "",
                )
    return whole


@transaction.atomic
def revoke_line(*, line_uid: UUID, reason: str, by: Actor, revoked_by: str = "") -> OrderLine:
    """The customer takes a yes back before work has begun; afterwards only a withdrawal is possible (3.2).

    Raises RuleError ``line.reason`` and ``line.begun``.
    """
    if by.kind != ActorKind.LINK:
        by.require(permissions.AUTHORIZATIONS_RECORD)
    line = locked_line(line_uid, by)
    if not reason.strip():
        raise RuleError("line.reason", _("Say why the agreement is taken back."), field="reason")
    begun = (
        line.state != L.AUTHORIZED
        or Clocking.objects.filter(line=line).exists()
        or PartLine.objects.filter(line=line, issued_quantity__gt=0).exists()
    )
    if begun:
        raise RuleError(
            "line.begun",
            _("Work on “%(line)s” has begun; withdraw it instead and settle what was done."),
            line=line.said,
        )
    last = line.authorizations.order_by("-id").first()
    Authorization.objects.create(
        order=line.order,
        line=line,
        estimate=last.estimate if last else None,
        status=AuthorizationStatus.REVOKED,
        method=_method_of(by),
        amount=line_total(line),
        authorized_by=(revoked_by.strip() or (last.authorized_by if last else ""))[:60],
        note=reason.strip()[:300],
        at=clock.now(),
    )
    end_line(line, reason=reason, by=by, code=events.LINE_REVOKED)
    return line


def _method_of(by: Actor) -> str:
    if by.kind == ActorKind.LINK:
        return AuthorizationMethod.DIGITAL_PORTAL
    return AuthorizationMethod.VERBAL_PHONE


@transaction.atomic
def offer_again(*, line_uid: UUID, by: Actor) -> OrderLine:
    """A declined line goes back to draft, to be priced and asked anew."""
    by.require(permissions.LINES_EDIT)
    line = locked_line(line_uid, by)
    if line.state != L.DECLINED:
        raise RuleError("line.not_declined", _("Only a declined line is offered again."))
    back_to_draft(line, by=by)
    return line


@transaction.atomic
def note_estimate_viewed(*, estimate_uid: UUID, by: Actor) -> Estimate:
    """The customer opens an estimate for the first time; later looks change nothing (1.3)."""
    estimate = Estimate.objects.for_actor(by).locked().select_related("order").get(uid=estimate_uid)
    if estimate.first_viewed_at is None:
        estimate.first_viewed_at = clock.now()
        estimate.save(update_fields=["first_viewed_at"])
        record(estimate, events.ESTIMATE_VIEWED, by=by, estimate=estimate.uid, number=estimate.number)
    return estimate
