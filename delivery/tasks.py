"""Background work of chapter 4. Due times live in the database; a task looks for what is due."""

from dealership.kernel.actors import machine
from dealership.kernel.tasks import periodic
from delivery.selectors.followups import surveys_due
from delivery.selectors.rework import unshown
from delivery.services.followups import send_survey
from delivery.services.reminders import remind_due_dates
from delivery.services.rework import accept_unshown
from delivery.services.service_reminders import remind_due_services


@periodic("delivery.remind_dates", seconds=3600)
def remind_dates() -> int:
    """Every hour: owners whose insurance or inspection ends soon; the reminder's own unique row makes a second run harmless."""
    return remind_due_dates()


@periodic("delivery.remind_services", seconds=3600)
def remind_services() -> int:
    """Every hour: reminders that are met are closed; in the store's set hour owners are told what their car is due for."""
    return remind_due_services()


@periodic("delivery.send_due_surveys", seconds=300)
def send_due_surveys() -> int:
    """Sends the surveys whose day has come; the survey's own unique row makes a second run harmless."""
    due = surveys_due()
    for visit_uid, store_id in due:
        send_survey(visit_uid=visit_uid, by=machine("surveys", store_id=store_id))
    return len(due)


@periodic("delivery.accept_unshown_reworks", seconds=300)
def accept_unshown_reworks() -> int:
    """Returns whose days passed without another cause are ours to mend (3.2, art. 38)."""
    due = unshown()
    for uid, store_id in due:
        accept_unshown(uid=uid, by=machine("rework", store_id=store_id))
    return len(due)
