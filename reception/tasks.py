"""Background work of chapter 2."""

from dealership.kernel.tasks import periodic

from .services import appointments, consultations, mail, merging, segments, waiting


@periodic("reception.remind", seconds=300)
def remind() -> int:
    """Every five minutes: reminders of booked arrivals that are due (2.4)."""
    return appointments.remind_due()


@periodic("reception.prepare", seconds=300)
def prepare() -> int:
    """Every five minutes: the preparation list once its hour has come (2.4)."""
    return appointments.send_preparation_lists()


@periodic("reception.tend_waiting", seconds=60)
def tend_waiting() -> int:
    """Every minute: offers that ran out or were overtaken end, and what is free goes to the next ones (2.4)."""
    return waiting.tend_lists()


@periodic("reception.find_duplicates", seconds=1800)
def find_duplicates() -> int:
    """Every half hour: the worklist of customers who may be one (2.3)."""
    return merging.find_duplicates()


@periodic("reception.recompute_segments", seconds=6 * 3600)
def recompute_segments() -> int:
    """Four times a day: tiers of customers and who may be lost (2.3)."""
    return segments.recompute_segments()


@periodic("reception.escalate", seconds=60)
def escalate() -> int:
    """Every minute: limits of questions that are near or have passed (2.2.1)."""
    return consultations.escalate_due()


@periodic("reception.read_mailbox", seconds=60)
def read_mailbox() -> int:
    """Every minute: new mails of the shop's mailbox go into the inbox (2.2.1)."""
    return mail.read_mailbox()
