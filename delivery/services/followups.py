"""Callbacks and surveys after a departure (4.2, 4.3). Every effect has its own unique row, so nothing is done twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.saying import say_plate
from dealership.kernel.states import require
from delivery import events, permissions
from delivery.limits import CALLBACK_DAY, CALLBACK_TRIES
from delivery.models import (
    FOLLOWUP_MOVES,
    CallResult,
    FollowUp,
    FollowUpAttempt,
    FollowUpState,
    Survey,
    SurveyAnswer,
    SurveyDimension,
)
from reception.models import Customer, Visit
from reception.services import telling
from reception.services.customers import correct_customer
from reception.services.visits import link_address
from staff.selectors.employees import employee_of

ENDS = {
    CallResult.REACHED: FollowUpState.REACHED,
    CallResult.REFUSED: FollowUpState.NOT_WANTED,
    CallResult.DO_NOT_CALL: FollowUpState.NOT_WANTED,
}


@transaction.atomic
def plan_follow_up(*, visit_uid: UUID, by: Actor) -> FollowUp:
    """4.2: the customer is called on day 3 after the departure; planning again returns the plan that is there.

    Whoever doesn't want to be called (2.3) isn't: the case is closed at once, the survey on the link asks in writing.
    """
    visit = Visit.objects.for_actor(by).select_related("store", "customer").locked().get(uid=visit_uid)
    left = (visit.left_at or clock.now()).astimezone(ZoneInfo(visit.store.time_zone)).date()
    due_on = left + timedelta(days=limits.value(CALLBACK_DAY, store_id=visit.store_id))
    follow_up, created = FollowUp.objects.get_or_create(visit=visit, defaults={"store": visit.store, "due_on": due_on})
    if created:
        record(follow_up, events.FOLLOW_UP_PLANNED, by=by, due_on=due_on)
        if visit.customer.no_calls:
            _close(follow_up, FollowUpState.NOT_WANTED, by)
            follow_up.save(update_fields=["state", "closed_at"])
    return follow_up


@transaction.atomic
def record_call(*, uid: UUID, result: str, by: Actor, note: str = "") -> FollowUp:
    """4.2: one call and its result.

    ``DO_NOT_CALL`` stays with the customer: no callback is planned again.
    Not reached: called again the next day, on five days at most; then a message is sent and the case is closed.
    Raises RuleError for a closed callback and where the words of a reached customer are missing.
    """
    by.require(permissions.FOLLOW_UPS_CALL)
    outcome = CallResult(result)
    if outcome == CallResult.DO_NOT_CALL and FollowUp.objects.for_actor(by).filter(uid=uid, state="DUE").exists():
        _no_more_calls(uid, by)
    follow_up = (
        FollowUp.objects.for_actor(by)
        .select_related("visit__customer", "visit__vehicle", "visit__link", "store")
        .locked()
        .get(uid=uid)
    )
    if follow_up.state != FollowUpState.DUE:
        raise RuleError("follow_up.closed", _("This callback is closed already."))
    if outcome == CallResult.REACHED and not note.strip():
        raise RuleError("follow_up.words", _("Write down what the customer said."), field="note")
    FollowUpAttempt.objects.create(
        follow_up=follow_up, result=outcome, note=note.strip()[:300], caller=employee_of(by), at=clock.now()
    )
    follow_up.attempts += 1
    record(follow_up, events.FOLLOW_UP_CALLED, by=by, result=outcome, attempt=follow_up.attempts)
    end = ENDS.get(outcome)
    if end is None and follow_up.attempts >= limits.value(CALLBACK_TRIES, store_id=follow_up.store_id):
        end = FollowUpState.GIVEN_UP
        _write_to(follow_up, by)
    if end is None:
        follow_up.due_on = clock.today(follow_up.store.time_zone) + timedelta(days=1)
    else:
        _close(follow_up, end, by)
    if outcome == CallResult.REACHED:
        follow_up.words = note.strip()[:500]
    follow_up.save(update_fields=["attempts", "due_on", "state", "closed_at", "words"])
    return follow_up


def _close(follow_up: FollowUp, end: FollowUpState, by: Actor) -> None:
    """The callback ends this way; the caller saves it."""
    require(FOLLOWUP_MOVES, FollowUpState(follow_up.state), end)
    before, follow_up.state, follow_up.closed_at = follow_up.state, end, clock.now()
    record(follow_up, events.FOLLOW_UP_CLOSED, by=by, changed={"state": (before, end)})


def _no_more_calls(follow_up_uid: UUID, by: Actor) -> None:
    """2.3: who says so on the telephone isn't called again; the customer is locked before the callback."""
    customer = Customer.objects.filter(visits__follow_up__uid=follow_up_uid, no_calls=False).first()
    if customer is not None:
        correct_customer(uid=customer.uid, no_calls=True, by=by)


def _write_to(follow_up: FollowUp, by: Actor) -> None:
    visit = follow_up.visit
    with translation.override(visit.customer.language):
        body = gettext(
            "We tried to reach you about your visit with %(plate)s. Was everything right? Tell us here: %(link)s"
        ) % {"plate": say_plate(visit.vehicle.plate), "link": link_address(visit.link)}
        subject = gettext("We could not reach you")
    _tell(visit, key=f"follow_up:{follow_up.uid}", template="delivery.follow_up", subject=subject, body=body, by=by)


def _tell(visit: Visit, *, key: str, template: str, subject: str, body: str, by: Actor) -> None:
    """A message by the customer's preferred channel, once per ``key``."""
    telling.tell(
        visit.customer,
        store=visit.store,
        key=key,
        template=template,
        subject=subject,
        body=body,
        phone=visit.contact_phone,
        name=visit.contact_name,
        visit_uid=visit.uid,
        by=by,
    )


@transaction.atomic
def send_survey(*, visit_uid: UUID, by: Actor) -> Survey:
    """4.3: the survey waits on the visit's link, and the customer is told once.

    The unique key of the survey decides who sends it: of two runs at once the second waits for the first, inserts
    nothing and returns what is there.
    """
    visit = Visit.objects.for_actor(by).select_related("customer", "vehicle", "store", "link").get(uid=visit_uid)
    ours = Survey(visit=visit, store=visit.store)
    Survey.objects.bulk_create([ours], ignore_conflicts=True)
    survey = Survey.objects.filter(visit=visit).order_by("-id")[0]
    if survey.uid == ours.uid:
        with translation.override(visit.customer.language):
            body = gettext("How was your visit with %(plate)s? Five short questions: %(link)s") % {
                "plate": say_plate(visit.vehicle.plate),
                "link": link_address(visit.link),
            }
            subject = gettext("How was your visit?")
        _tell(visit, key=f"survey:{visit.uid}", template="delivery.survey", subject=subject, body=body, by=by)
        record(survey, events.SURVEY_SENT, by=by)
    return survey


@transaction.atomic
def answer_survey(*, visit_uid: UUID, scores: Mapping[str, int], recommend: int, by: Actor, words: str = "") -> Survey:
    """4.3: the answer of the customer (link) or as told on the telephone; once.

    ``scores`` has 1–5 for each of the five dimensions, ``recommend`` 0–10.
    """
    if by.kind != ActorKind.LINK:
        by.require(permissions.FOLLOW_UPS_CALL)
    survey = Survey.objects.for_actor(by).select_related("visit").locked().get(visit__uid=visit_uid)
    if survey.answered_at is not None:
        raise RuleError("survey.answered", _("This survey has been answered; thank you."))
    missing = [d for d in SurveyDimension.values if scores.get(d) not in range(1, 6)]
    if missing:
        raise RuleError("survey.scores", _("Please answer every question."), field=missing[0])
    if recommend not in range(11):
        raise RuleError("survey.recommend", _("Please choose a number from 0 to 10."), field="recommend")
    SurveyAnswer.objects.bulk_create(
        SurveyAnswer(survey=survey, dimension=dimension, score=scores[dimension])
        for dimension in SurveyDimension.values
    )
    survey.recommend, survey.words, survey.answered_at = recommend, words.strip()[:500], clock.now()
    survey.save(update_fields=["recommend", "words", "answered_at"])
    lowest = min(scores[d] for d in SurveyDimension.values)
    record(survey, events.SURVEY_ANSWERED, by=by, recommend=recommend, lowest=lowest)
    return survey
