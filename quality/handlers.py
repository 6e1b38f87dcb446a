"""What chapter 6 does behind the outbox."""

from django.utils import translation
from django.utils.translation import gettext

from dealership.kernel import limits
from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.registry import handles
from delivery.limits import BAD_SCORE, DETRACTOR
from delivery.models import Survey
from quality.models import Complaint
from quality.services.complaints import RATING, explain_complaint, open_complaint
from reception.models import Visit


# --- complaints ---
@handles("delivery.survey.answered", name="quality.detractor_opens_case")
def detractor_opens_case(event: Event) -> None:
    """4.3: a bad answer opens a complaint with its response clock, once per survey."""
    store_id = event.store_id
    content = event.facts["recommend"] > limits.value(DETRACTOR, store_id=store_id)
    if content and event.facts["lowest"] > limits.value(BAD_SCORE, store_id=store_id):
        return
    survey = Survey.objects.select_related("visit__customer").get(uid=event.root_uid)
    with translation.override("zh-hans"):
        words = survey.words or gettext("Dissatisfied in the survey, without words.")
    open_complaint(
        customer_uid=survey.visit.customer.uid,
        description=words,
        source="SURVEY",
        visit_uid=survey.visit.uid,
        survey_uid=survey.uid,
        by=machine("surveys", store_id=store_id),
    )


@handles("reception.visit.rated", name="quality.bad_rating_opens_case")
def bad_rating_opens_case(event: Event) -> None:
    """2.1.4: a bad rating of the reception on the link opens a complaint with its response clock, once per visit."""
    visit = Visit.objects.select_related("customer").get(uid=event.root_uid)
    if visit.rating is None or visit.rating > limits.value(BAD_SCORE, store_id=event.store_id):
        return
    with translation.override("zh-hans"):
        words = visit.rating_words or gettext("Rated the reception %(n)s of 5 on the link, without words so far.") % {
            "n": visit.rating
        }
    open_complaint(
        customer_uid=visit.customer.uid,
        description=words,
        source=RATING,
        visit_uid=visit.uid,
        by=machine("ratings", store_id=event.store_id),
    )


@handles("reception.visit.rating_explained", name="quality.rating_words_reach_case")
def rating_words_reach_case(event: Event) -> None:
    """2.1.4: what the customer wrote after a bad rating stands in the case that the rating opened."""
    bad_rating_opens_case(event)
    visit = Visit.objects.get(uid=event.root_uid)
    case = Complaint.objects.filter(visit=visit, source=RATING).first()
    if case is not None:
        explain_complaint(uid=case.uid, words=visit.rating_words, by=machine("ratings", store_id=event.store_id))
