"""Demands under 三包: entered with the grounds as they stand, answered and carried out within the working days (art. 28)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, holidays, limits, numbering
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Store
from dealership.kernel.states import require
from reception.models import Customer, Vehicle
from reception.services.customers import hold_customers
from workshop import events, permissions
from workshop import statutory_warranty as law
from workshop.claim_models import CLAIM_MOVES, OTHER_CAR, ClaimRefusal, ClaimRemedy, ClaimState, StatutoryClaim
from workshop.limits import STATUTORY_ANSWER_DAYS, STATUTORY_FINISH_DAYS
from workshop.rules import content_hash
from workshop.selectors import claims as reads
from workshop.selectors.faults import rules_for, standing_of

C = ClaimState
ANSWER = ("answer", "answered_at", "answered_by")
FEE = ("car_price", "coefficient", "use_fee")
END = ("result", "ended_at")


def _clocks(store: Store, asked_at: datetime, rules: law.Rules) -> tuple[datetime, datetime]:
    """The ends of the days for the answer and for the end: working days by the public calendar, make-up days included.

    The settings of the day may shorten what the law gives, never lengthen it.
    """
    day = asked_at.astimezone(ZoneInfo(store.time_zone)).date()
    calendar = replace(holidays.statutory_calendar(), zone=store.time_zone)
    answer = min(limits.value(STATUTORY_ANSWER_DAYS, store_id=store.pk, on=day), rules.answer_working_days)
    finish = min(limits.value(STATUTORY_FINISH_DAYS, store_id=store.pk, on=day), rules.finish_working_days)
    return calendar.end_of_working_days(asked_at, answer), calendar.end_of_working_days(asked_at, max(answer, finish))


@transaction.atomic
def open_claim(
    *,
    vehicle_uid: UUID,
    customer_uid: UUID,
    remedy: str,
    words: str,
    by: Actor,
    asked_at: datetime | None = None,
    odometer_km: int | None = None,
) -> StatutoryClaim:
    """Art. 28: an owner demands something under 三包; the clocks for the answer and for the end begin at ``asked_at``.

    ``asked_at`` is aware and not ahead (default now), ``odometer_km`` the car's reading then (default the last known one).
    What the rules say now is kept with the file. Raises RuleError ``claim.words``, ``claim.remedy``, ``claim.asked_at``,
    ``claim.odometer`` and ``claim.running`` where the same demand for the car waits for its end already.
    """
    by.require(permissions.CLAIMS_OPEN)
    said, now = words.strip(), clock.now()
    if not said:
        raise RuleError("claim.words", _("Write down what the customer demands, in their own words."), field="words")
    if remedy not in ClaimRemedy.values:
        raise RuleError("claim.remedy", _("Choose what the customer demands."), field="remedy")
    when = asked_at or now
    if when > now:
        raise RuleError("claim.asked_at", _("A demand was made before it is entered."), field="asked_at")
    hold_customers(uids=[customer_uid])
    customer = Customer.objects.for_actor(by).standing(customer_uid)
    vehicle = Vehicle.objects.for_actor(by).locked().get(uid=vehicle_uid)
    km = vehicle.odometer_km if odometer_km is None else odometer_km
    if km < vehicle.odometer_km:
        raise RuleError("claim.odometer", _("The car has been read with more kilometres already."), field="odometer_km")
    running = StatutoryClaim.objects.filter(
        vehicle=vehicle, remedy=remedy, state__in=[C.OPEN, C.GRANTED], store_id=by.store_id
    ).first()
    if running is not None:
        raise RuleError(
            "claim.running", _("The same demand for this car is open already; go on with that file."), held_by=running
        )
    store = Store.objects.get(pk=by.store_id)
    standing = standing_of(vehicle)
    grounds = reads.grounds_of(standing, km=km, at=now, zone=store.time_zone)
    day = when.astimezone(ZoneInfo(store.time_zone)).date()
    answer_due_at, finish_due_at = _clocks(store, when, standing.rules or rules_for(day) or law.ORDER_43)
    claim = StatutoryClaim.objects.create(
        store=store,
        number=numbering.next_number(store, "SB"),
        vehicle=vehicle,
        customer=customer,
        remedy=remedy,
        words=said[:1000],
        asked_at=when,
        odometer_km=km,
        grounds=grounds,
        grounds_hash=content_hash(grounds),
        right_stands=reads.right_stands(grounds, remedy),
        pays_for_use=reads.pays_for_use(grounds),
        answer_due_at=answer_due_at,
        finish_due_at=finish_due_at,
        opened_at=now,
        opened_by=by.user,
    )
    record(
        claim,
        events.CLAIM_OPENED,
        by=by,
        changed={"state": (None, claim.state)},
        remedy=remedy,
        grounds_hash=claim.grounds_hash,
        answer_due_at=answer_due_at,
        finish_due_at=finish_due_at,
    )
    return claim


def _locked_claim(uid: UUID, by: Actor) -> StatutoryClaim:
    rows = StatutoryClaim.objects.for_actor(by).select_related("vehicle", "customer")
    claim: StatutoryClaim = rows.locked().get(uid=uid)
    return claim


def _move_claim(
    claim: StatutoryClaim, new: ClaimState, code: str, *fields: str, by: Actor, **facts: Any
) -> StatutoryClaim:
    before = C(claim.state)
    claim.state = new
    claim.save(update_fields=["state", *fields])
    record(claim, code, by=by, changed={"state": (before, new)}, **facts)
    return claim


def _answered(claim: StatutoryClaim, answer: str, by: Actor) -> None:
    words = answer.strip()
    if not words:
        raise RuleError("claim.answer", _("Write down what the customer is told."), field="answer")
    claim.answer, claim.answered_at, claim.answered_by = words[:1000], clock.now(), by.user


@transaction.atomic
def grant_claim(
    *, uid: UUID, answer: str, by: Actor, car_price: Decimal | None = None, coefficient: Decimal | None = None
) -> StatutoryClaim:
    """The demand is granted; it has to be carried out by ``finish_due_at``.

    Where a car is given back by article 24, ``car_price`` (CNY, from the invoice) and ``coefficient`` (n of the maker's
    三包 certificate, as a fraction) give the fee for its use (art. 27); nowhere else may they be given. Raises RuleError
    ``claim.answer``, ``claim.use_fee``, ``claim.coefficient`` and ``state.move``.
    """
    by.require(permissions.CLAIMS_ANSWER)
    claim = _locked_claim(uid, by)
    require(CLAIM_MOVES, C(claim.state), C.GRANTED)
    _answered(claim, answer, by)
    pays = claim.pays_for_use and claim.remedy in OTHER_CAR
    given = car_price is not None or coefficient is not None
    if (pays and (car_price is None or coefficient is None or car_price <= 0)) or (given and not pays):
        raise RuleError(
            "claim.use_fee",
            _(
                "The use is paid for when a car is given back by article 24, and only then: write the price and the "
                "coefficient."
            ),
            field="car_price",
        )
    if car_price is not None and coefficient is not None:
        rules = rules_for(reads.start_in(claim)) or law.ORDER_43
        if not rules.coefficient_min <= coefficient <= rules.coefficient_max:
            raise RuleError(
                "claim.coefficient",
                _("The coefficient lies between %(least)s and %(most)s."),
                field="coefficient",
                least=rules.coefficient_min,
                most=rules.coefficient_max,
            )
        claim.car_price, claim.coefficient = car_price, coefficient
        claim.use_fee = law.use_fee(rules, car_price, claim.odometer_km, coefficient)
    return _move_claim(claim, C.GRANTED, events.CLAIM_GRANTED, *ANSWER, *FEE, by=by, use_fee=claim.use_fee)


@transaction.atomic
def refuse_claim(*, uid: UUID, refusal: str, answer: str, by: Actor) -> StatutoryClaim:
    """The demand is refused for one of the reasons of ``ClaimRefusal``, told in words (art. 28).

    Raises RuleError ``claim.refusal``, ``claim.answer``, ``claim.right_stands`` where the file's own grounds meet the
    conditions, and ``state.move``.
    """
    by.require(permissions.CLAIMS_ANSWER)
    claim = _locked_claim(uid, by)
    require(CLAIM_MOVES, C(claim.state), C.REFUSED)
    if refusal not in ClaimRefusal.values:
        raise RuleError("claim.refusal", _("Who refuses a demand gives the reason (art. 28)."), field="refusal")
    if refusal == ClaimRefusal.NOT_MET and claim.right_stands:
        raise RuleError(
            "claim.right_stands",
            _("The file itself says that the conditions are met: grant it, or refuse it for another reason."),
            field="refusal",
        )
    _answered(claim, answer, by)
    claim.refusal = refusal
    return _move_claim(claim, C.REFUSED, events.CLAIM_REFUSED, *ANSWER, "refusal", by=by, refusal=refusal)


def _ended(claim: StatutoryClaim, result: str) -> None:
    words = result.strip()
    if not words:
        raise RuleError("claim.result", _("Write down how it ended."), field="result")
    claim.result, claim.ended_at = words[:500], clock.now()


@transaction.atomic
def finish_claim(*, uid: UUID, result: str, by: Actor) -> StatutoryClaim:
    """What was granted is carried out. Raises RuleError ``claim.result`` and ``state.move``."""
    by.require(permissions.CLAIMS_ANSWER)
    claim = _locked_claim(uid, by)
    require(CLAIM_MOVES, C(claim.state), C.FINISHED)
    _ended(claim, result)
    late = clock.now() >= claim.finish_due_at
    return _move_claim(claim, C.FINISHED, events.CLAIM_FINISHED, *END, by=by, late=late)


@transaction.atomic
def withdraw_claim(*, uid: UUID, result: str, by: Actor) -> StatutoryClaim:
    """The owner takes the demand back; ``result`` says why. Raises RuleError ``claim.result`` and ``state.move``."""
    by.require(permissions.CLAIMS_OPEN)
    claim = _locked_claim(uid, by)
    require(CLAIM_MOVES, C(claim.state), C.WITHDRAWN)
    _ended(claim, result)
    return _move_claim(claim, C.WITHDRAWN, events.CLAIM_WITHDRAWN, *END, by=by)
