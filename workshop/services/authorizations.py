"""The customer's decisions, line by line: on the link, by telephone, at the desk; and taking a yes back (3.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, saying
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel, StoredFile
from dealership.kernel.services import queue_message, store_file
from dealership.kernel.signatures import refuse_empty_pad
from staff.models import Employee
from workshop import events, permissions, rules
from workshop.models import (
    AGREED,
    Authorization,
    AuthorizationMethod,
    AuthorizationStatus,
    Clocking,
    DeclineCause,
    Dispatch,
    Estimate,
    HoldCause,
    LineHold,
    LineState,
    OrderLine,
    PartLine,
    RepairOrder,
)
from workshop.selectors.entitled import deciders_of
from workshop.selectors.sublets import sublets_to_end
from workshop.services.orders import (
    BEFORE_WITHDRAWAL,
    back_to_draft,
    keep_wish,
    line_total,
    lines_of,
    lock_visit_of_promise,
    locked_line,
    locked_order,
    promise_as_agreed,
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


def refuse_withdrawn(estimate: Estimate) -> None:
    """Raises RuleError ``estimate.withdrawn`` where the offer was taken back."""
    if estimate.withdrawn_at is not None:
        raise RuleError("estimate.withdrawn", _("This offer was taken back; please ask for a new one."))


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
    agreed work. Raises RuleError ``estimate.stale`` (a newer version is out), ``.withdrawn``, ``.expired``,
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
    visit = lock_visit_of_promise(latest_estimate(RepairOrder.objects.for_actor(by).get(uid=order_uid)))
    order = locked_order(order_uid, by)
    estimate = latest_estimate(order)
    if estimate is None:
        raise RuleError("estimate.none", _("No estimate has been sent for this order yet."))
    if (on_link or seen_hash) and seen_hash != estimate.seen_hash:
        raise RuleError(
            "estimate.stale",
            _("The offer has changed since you opened it. Nothing was decided; please look at the new one below."),
        )
    refuse_withdrawn(estimate)
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
    if yes and entitled:
        promise_as_agreed(order, visit, estimate, method=method, by=by)
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
def revoke_line(
    *,
    line_uid: UUID,
    reason: str,
    by: Actor,
    revoked_by: str = "",
    method: str = "",
    risk: str = "",
    signature: bytes | None = None,
) -> OrderLine:
    """The customer takes a yes back before anything was done for it: the line is declined, a package as a whole (3.2).

    On the link, by telephone (``reason`` is the note), at the desk or on paper. Plans are freed and kept parts given back;
    advisor and technicians are told behind the event. Raises RuleError ``line.reason``, ``authorization.method``,
    ``.risk`` (what concerns safety needs the statement that the risk was explained), ``.signature`` and ``line.begun``
    (somebody clocked on, a part was issued, or it is out at somebody else's: only a withdrawal is possible then).
    """
    on_link = by.kind == ActorKind.LINK
    if not on_link:
        by.require(permissions.AUTHORIZATIONS_RECORD)
    how = method or (AuthorizationMethod.DIGITAL_PORTAL if on_link else AuthorizationMethod.VERBAL_PHONE)
    _require_method(how, on_link=on_link)
    if not reason.strip():
        raise RuleError("line.reason", _("Say why the agreement is taken back."), field="reason")
    _require_drawn(how, signature)
    line = locked_line(line_uid, by)
    lines = _with_its_package(line, L.AUTHORIZED)
    for each in lines:
        if each.state != L.AUTHORIZED or has_begun(each):
            raise RuleError(
                "line.begun",
                _("Work on “%(line)s” has begun; withdraw it instead and settle what was done."),
                line=each.said,
            )
        if each.is_safety and not risk.strip():
            raise RuleError(
                "authorization.risk",
                _("“%(line)s” concerns safety: declining it needs a signed statement that the risk was explained."),
                field="risk",
                line=each.said,
            )
    kept = _keep_drawn(signature, line.order, by)
    for each in lines:
        _take_back(each, reason.strip(), risk.strip(), revoked_by.strip(), how, kept, by=by)
    follow_decisions(line.order, by=by)
    line.order.refresh_from_db(fields=["stage", "version"])
    return next(each for each in lines if each.pk == line.pk)


def has_begun(line: OrderLine) -> bool:
    """Whether something was done for an agreed line: work, a part that went out, or outside work (3.2)."""
    return (
        Clocking.objects.filter(line=line).exists()
        or PartLine.objects.filter(line=line, issued_quantity__gt=0).exists()
        or line.holds.filter(cause=HoldCause.SUBLET).exists()
    )


def _take_back(
    line: OrderLine, reason: str, risk: str, name: str, how: str, signature: StoredFile | None, *, by: Actor
) -> None:
    people = sorted(
        {str(uid) for uid in Dispatch.objects.filter(line=line, live=True).values_list("technician__uid", flat=True)}
        | {str(row.asked_by.uid) for row in sublets_to_end(line) if row.asked_by}
    )
    for give_back in BEFORE_WITHDRAWAL:
        give_back(line, by)
    LineHold.objects.filter(line=line, ended_at__isnull=True).update(ended_at=clock.now())
    last = line.authorizations.exclude(status=AuthorizationStatus.NOT_ENTITLED).order_by("-id").first()
    row = Authorization.objects.create(
        order=line.order,
        line=line,
        estimate=last.estimate if last else None,
        status=AuthorizationStatus.REVOKED,
        method=how,
        amount=line_total(line),
        authorized_by=(name or (last.authorized_by if last else ""))[:60],
        note=" · ".join(filter(None, (reason, risk)))[:300],
        reason=reason[:200],
        signature=signature,
        at=clock.now(),
    )
    line.state, line.authorized_amount = L.DECLINED, None
    line.declined_reason, line.declined_cause = reason[:200], ""
    line.save(update_fields=["state", "authorized_amount", "declined_reason", "declined_cause"])
    record(
        line,
        events.LINE_REVOKED,
        by=by,
        store_id=line.order.store_id,
        changed={"state": (L.AUTHORIZED, L.DECLINED)},
        authorization=row.uid,
        method=how,
        amount=row.amount,
        technicians=people,
    )


@transaction.atomic
def agree_after_all(
    *,
    line_uid: UUID,
    authorized_by: str,
    by: Actor,
    method: str = "",
    note: str = "",
    signature: bytes | None = None,
    seen_hash: str = "",
) -> OrderLine:
    """A no becomes a yes while the offer holds and the price is the one that was seen; a package as a whole (3.2).

    Who may not decide for the payer is kept as a message, as with every yes. Raises RuleError ``line.not_declined``,
    ``estimate.stale`` (another price by now: it is offered again), ``estimate.expired``, ``authorization.method``,
    ``.name``, ``.note``, ``.signature`` and ``line.begun`` (it is being put together again).
    """
    on_link = by.kind == ActorKind.LINK
    if not on_link:
        by.require(permissions.AUTHORIZATIONS_RECORD)
    how = method or (AuthorizationMethod.DIGITAL_PORTAL if on_link else AuthorizationMethod.VERBAL_PHONE)
    _require_method(how, on_link=on_link)
    name = authorized_by.strip()
    if not name:
        raise RuleError("authorization.name", _("Write the name of the person who decides."), field="authorized_by")
    if how == AuthorizationMethod.VERBAL_PHONE and not note.strip():
        raise RuleError("authorization.note", _("For a spoken yes, note who said what."), field="note")
    _require_drawn(how, signature)
    visit = lock_visit_of_promise(offer_of(OrderLine.objects.for_actor(by).select_related("order").get(uid=line_uid)))
    line = locked_line(line_uid, by)
    lines = _with_its_package(line, L.DECLINED)
    offer = offer_of(line)
    if any(each.state != L.DECLINED for each in lines):
        raise RuleError("line.not_declined", _("Only a declined line is agreed to after all."))
    if (
        offer is None
        or (on_link and seen_hash != offer.seen_hash)
        or any(not _as_offered(each, offer) for each in lines)
    ):
        raise RuleError("estimate.stale", _("The price has changed since; the item is to be offered anew."))
    refuse_withdrawn(offer)
    if offer.expires_at < clock.now():
        raise RuleError("estimate.expired", _("This offer has expired; please ask for a new one."))
    apart = line.found_by_id
    if apart and any(has_begun(row) for row in OrderLine.objects.filter(reassembles_id=apart, state__in=AGREED)):
        raise RuleError(
            "line.begun", _("The car is being put together again without it; the item is to be offered anew.")
        )
    entitled, contact = deciders_of(line.order).entitle(name, rules.total_of(line_total(each) for each in lines))
    kept = _keep_drawn(signature, line.order, by)
    words = note.strip()
    for each in lines:
        if entitled:
            write_decision(
                each,
                status=AuthorizationStatus.APPROVED,
                contact=contact,
                method=how,
                authorized_by=name,
                note=words,
                signature=kept,
                estimate=offer,
                by=by,
            )
        else:
            keep_wish(each, method=how, authorized_by=name, note=words, signature=kept, estimate=offer, by=by)
    if entitled:
        promise_as_agreed(line.order, visit, offer, method=how, by=by)
    follow_decisions(line.order, by=by)
    line.order.refresh_from_db(fields=["stage", "version"])
    return next(each for each in lines if each.pk == line.pk)


def offer_of(line: OrderLine) -> Estimate | None:
    """The newest version that this line was offered in."""
    return line.order.estimates.filter(content__lines__contains=[{"uid": str(line.uid)}]).order_by("-number").first()


def _as_offered(line: OrderLine, offer: Estimate) -> bool:
    entry = next((row for row in offer.content["lines"] if row["uid"] == str(line.uid)), None)
    return entry is not None and Decimal(entry["total"]) == line_total(line)


def _with_its_package(line: OrderLine, state: str) -> list[OrderLine]:
    """The line, and the others of its package in ``state``, locked by key; the caller holds the order."""
    if line.package_id is None:
        return [line]
    lines = list(OrderLine.objects.filter(package_id=line.package_id).locked().order_by("pk"))
    for each in lines:
        each.order = line.order
    return [each for each in lines if each.state == state or each.pk == line.pk]


def _require_method(method: str, *, on_link: bool) -> None:
    policy = AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION
    portal = method == AuthorizationMethod.DIGITAL_PORTAL
    if method not in AuthorizationMethod.values or method == policy or portal != on_link:
        raise RuleError("authorization.method", _("Choose how the customer decided."), field="method")


def _require_drawn(method: str, signature: bytes | None) -> None:
    if method in (AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE):
        refuse_empty_pad(signature)
    if method == AuthorizationMethod.IN_PERSON_DIGITAL_SIGNATURE:
        refuse_unsigned(signature, on_paper=False, field="method")


def _keep_drawn(signature: bytes | None, order: RepairOrder, by: Actor) -> StoredFile | None:
    if not signature:
        return None
    return store_file(
        content=signature, name="signature.png", store_id=order.store_id, by=by, visit_uid=order.visit.uid
    )


def tell_taken_back(*, line_uid: UUID, technicians: Collection[str], key: str, by: Actor) -> int:
    """Advisor and planned technicians read that a yes was taken back; how many were told (3.2)."""
    line = OrderLine.objects.select_related(
        "order__vehicle", "order__visit", "order__store", "order__advisor__user"
    ).get(uid=line_uid)
    order = line.order
    people = {person.pk: person for person in Employee.objects.filter(uid__in=technicians).select_related("user")}
    people[order.advisor_id] = order.advisor
    told = 0
    for person in people.values():
        if person.user is None:
            continue
        with override(person.user.language):
            body = gettext("%(plate)s: the customer took back the yes to %(line)s; it isn't done. Order %(number)s") % {
                "plate": saying.say_plate(order.vehicle.plate) or order.number,
                "line": line.said,
                "number": order.number,
            }
        queue_message(
            key=f"{key}:{person.pk}",
            store=order.store,
            channel=MessageChannel.STAFF,
            recipient=person.user.username,
            recipient_name=person.name,
            template="workshop.taken_back",
            language=person.user.language,
            body=body,
            visit_uid=order.visit.uid,
            by=by,
        )
        told += 1
    return told


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
