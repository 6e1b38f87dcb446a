"""Commands on uploads of health records (3.3, domain 7.2): queued when the list is signed, sent until the platform has
them, left to a person where sending doesn't help.

Lock order: settlement, upload. The sending itself happens between two transactions: a run that dies leaves the record to
be sent again under the same number.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from compliance import events, permissions, platform
from compliance.health_models import UPLOAD_MOVES, HealthUpload, UploadState
from compliance.limits import HEALTH_TRIES
from compliance.selectors.health_uploads import uploads_due
from dealership.kernel import clock, formats, limits
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.states import require
from delivery.health_record import for_a_person, missing, payload
from delivery.limits import HEALTH_RECORD
from delivery.models import Settlement, SettlementState
from delivery.selectors.health_records import facts_of_list

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=12)


def pause_after(attempts: int) -> timedelta:
    """How long is waited after so many tries: five minutes, then always twice as long, at most twelve hours."""
    return min(FIRST_PAUSE * 2 ** min(max(attempts, 1) - 1, 10), LONGEST_PAUSE)


@transaction.atomic
def queue_upload(*, settlement_uid: UUID, by: Actor) -> HealthUpload | None:
    """A signed list owes its record; None where the store sends none and where nothing was done on the list, as all its
    lines ended before the work. Queuing again returns what is there."""
    rows = Settlement.objects.for_actor(by).select_related("store", "order__visit", "order__vehicle", "order__store")
    settlement = rows.locked().get(uid=settlement_uid)
    if settlement.state != SettlementState.SIGNED or not limits.value(HEALTH_RECORD, store_id=settlement.store_id):
        return None
    there = HealthUpload.objects.filter(settlement=settlement).first()
    if there is not None:
        return there
    if not facts_of_list(settlement).has_work:
        return None
    drawn, reason = _drawn(settlement)
    upload = HealthUpload.objects.create(
        store=settlement.store,
        settlement=settlement,
        number=settlement.number,
        payload=drawn,
        settled_at=settlement.signed_at,
        next_at=clock.now(),
    )
    record(upload, events.HEALTH_QUEUED, by=by, changed={"state": (None, upload.state)}, number=upload.number)
    if reason:
        _leave(upload, reason, by)
    return upload


def _drawn(settlement: Settlement) -> tuple[dict[str, Any], str]:
    """(what is sent, why a person must do it): nothing is filled in that isn't known."""
    facts = facts_of_list(settlement)
    lacking = missing(facts)
    if lacking:
        return {}, ", ".join(row.fact for row in lacking)
    return payload(facts), "vehicleplatenumber" if for_a_person(facts) else ""


def _move(upload: HealthUpload, state: UploadState) -> str:
    before = UploadState(upload.state)
    require(UPLOAD_MOVES, before, state)
    upload.state = state
    return before


def _leave(upload: HealthUpload, reason: str, by: Actor) -> None:
    before = _move(upload, UploadState.MANUAL)
    upload.reason = reason[:300]
    upload.save(update_fields=["state", "reason"])
    record(upload, events.HEALTH_LEFT, by=by, changed={"state": (before, upload.state)}, attempts=upload.attempts)


@transaction.atomic
def claim_upload(*, uid: UUID, by: Actor) -> HealthUpload:
    """Takes a record that is due for one try; another worker finds it taken until the pause is over.

    Raises RuleError ``health_record.not_due``.
    """
    upload = HealthUpload.objects.for_actor(by).locked().select_related("store").get(uid=uid)
    if upload.state not in (UploadState.WAITING, UploadState.FAILED) or upload.next_at > clock.now():
        raise RuleError("health_record.not_due", _("This health record isn't to be sent now."))
    upload.attempts += 1
    upload.next_at = clock.now() + pause_after(upload.attempts)
    upload.save(update_fields=["attempts", "next_at"])
    record(upload, events.HEALTH_TRIED, by=by, attempts=upload.attempts)
    return upload


@transaction.atomic
def note_answer(*, uid: UUID, by: Actor, problem: str = "", refused: bool = False) -> HealthUpload:
    """Writes down how a try ended: nothing wrong, no answer (tried again), or refused by the platform (for a person)."""
    upload = HealthUpload.objects.for_actor(by).locked().select_related("settlement__order").get(uid=uid)
    if upload.state not in (UploadState.WAITING, UploadState.FAILED):
        return upload
    tries = limits.value(HEALTH_TRIES, store_id=upload.store_id)
    if problem and (refused or upload.attempts >= tries):
        _leave(upload, problem, by)
        return upload
    before = upload.state
    if problem:
        upload.state, upload.reason = UploadState.FAILED, problem[:300]
        upload.save(update_fields=["state", "reason"])
        if before != upload.state:
            record(upload, events.HEALTH_FAILED, by=by, changed={"state": (before, upload.state)})
        return upload
    _move(upload, UploadState.SENT)
    upload.sent_at, upload.reason = clock.now(), ""
    upload.save(update_fields=["state", "sent_at", "reason"])
    record(upload, events.HEALTH_SENT, by=by, changed={"state": (before, upload.state)}, attempts=upload.attempts)
    return upload


def send_upload(*, uid: UUID, by: Actor) -> HealthUpload:
    """One try: taken in one transaction, sent outside of any, its end written in another one."""
    upload = claim_upload(uid=uid, by=by)
    try:
        platform.send(upload.payload, store_code=upload.store.code)
    except platform.Refused as exc:
        return note_answer(uid=uid, by=by, problem=str(exc), refused=True)
    except platform.Unreachable as exc:
        return note_answer(uid=uid, by=by, problem=str(exc))
    return note_answer(uid=uid, by=by)


def send_due_uploads() -> int:
    """Tries everything that is due of stores that are connected, safe to run twice; returns how many were tried."""
    tried = 0
    for uid, store_id in uploads_due():
        try:
            send_upload(uid=uid, by=machine("health", store_id=store_id))
        except RuleError:  # another run was quicker
            continue
        tried += 1
    return tried


@transaction.atomic
def send_again(*, uid: UUID, by: Actor) -> HealthUpload:
    """A person has mended what was wrong: the record is drawn anew from the facts as they are now and tried at once.

    Raises RuleError ``health_record.facts`` where one is still missing or the platform takes no such plate, and
    ``state.move`` for one that waits or was sent.
    """
    by.require(permissions.HEALTH_SEND)
    own = HealthUpload.objects.for_actor(by).values_list("settlement_id", flat=True)
    rows = Settlement.objects.select_related("store", "order__visit", "order__vehicle", "order__store")
    settlement = rows.locked().get(pk=own.get(uid=uid))
    upload = HealthUpload.objects.for_actor(by).locked().get(uid=uid)
    upload.settlement = settlement
    before = _move(upload, UploadState.WAITING)
    drawn, lacking = _drawn(settlement)
    if lacking:
        names = [str(row.text) for row in missing(facts_of_list(settlement))] or [
            str(_("a plate that the platform takes"))
        ]
        raise RuleError("health_record.facts", _("The record still lacks %(what)s."), what="; ".join(names))
    upload.payload, upload.attempts, upload.next_at, upload.reason = drawn, 0, clock.now(), ""
    upload.save(update_fields=["state", "payload", "attempts", "next_at", "reason"])
    record(upload, events.HEALTH_AGAIN, by=by, changed={"state": (before, upload.state)})
    return upload


@transaction.atomic
def enter_by_hand(*, uid: UUID, reference: str, by: Actor) -> HealthUpload:
    """A person has entered the record on the platform's own page; ``reference`` is its number there.

    Raises RuleError ``health_record.reference``, ``health_record.person`` and ``state.move``.
    """
    by.require(permissions.HEALTH_SEND)
    if by.user is None:
        raise RuleError("health_record.person", _("Only a person enters a record by hand."))
    upload = HealthUpload.objects.for_actor(by).locked().select_related("settlement__order").get(uid=uid)
    before = _move(upload, UploadState.SENT)
    words = formats.one_line(reference)
    if not words:
        raise RuleError(
            "health_record.reference",
            _("Write the number under which the platform keeps the record."),
            field="reference",
        )
    upload.reference, upload.entered_by, upload.sent_at, upload.reason = words[:60], by.user, clock.now(), ""
    upload.save(update_fields=["state", "reference", "entered_by", "sent_at", "reason"])
    record(upload, events.HEALTH_ENTERED, by=by, changed={"state": (before, upload.state)})
    return upload
