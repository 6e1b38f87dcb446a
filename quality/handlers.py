"""What chapter 6 does behind the outbox."""

from django.utils import translation
from django.utils.translation import gettext

from dealership.kernel import limits
from dealership.kernel.actors import machine
from dealership.kernel.history import Event
from dealership.kernel.registry import handles
from delivery.limits import BAD_SCORE, DETRACTOR
from delivery.models import Survey
from quality.services.complaints import open_complaint


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
