"""What a technician finds and needs on the job: more work with pictures, help, parts (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel
from dealership.kernel.services import queue_message, store_file
from reception.pictures import clean_picture
from staff.selectors.employees import employees_with_role
from workshop import events, permissions
from workshop.models import LinePhoto, OrderLine
from workshop.services.orders import add_line, locked_line


class Need(TextChoices):
    PARTS = "PARTS", _("Parts")
    HELP = "HELP", _("Help")
    TOOL = "TOOL", _("Tool")


ASKED_OF = {Need.PARTS: ("parts",), Need.HELP: ("leader", "foreman"), Need.TOOL: ("foreman",)}
"""Who is told, by what is needed."""


@transaction.atomic
def report_more_work(
    *,
    line_uid: UUID,
    cause: str,
    by: Actor,
    operation_uid: UUID | None = None,
    description: str = "",
    photos: Sequence[tuple[str, bytes]] = (),
) -> OrderLine:
    """More work is found while working on a line: an addition that waits for its own yes, with pictures (3.2).

    Agreed work goes on. ``photos`` are (name, content). Raises RuleError ``finding.cause`` and what ``add_line`` says.
    """
    if not cause.strip():
        raise RuleError("finding.cause", _("Say what was found; the customer reads it."), field="cause")
    job = OrderLine.objects.for_actor(by).select_related("order").get(uid=line_uid)
    line = add_line(
        order_uid=job.order.uid,
        found_by_uid=job.uid if job.takes_apart else None,
        operation_uid=operation_uid,
        description=description,
        hours=None,
        cause=cause,
        is_addition=True,
        by=by,
    )
    for name, content in photos:
        stored = store_file(
            content=clean_picture(content),
            name=name,
            store_id=line.order.store_id,
            by=by,
            visit_uid=line.order.visit.uid,
        )
        photo = LinePhoto.objects.create(line=line, file=stored, taken_at=clock.now())
        record(line, events.LINE_PICTURED, by=by, store_id=line.order.store_id, photo=photo.uid, sha256=stored.sha256)
    return line


@transaction.atomic
def ask_for(*, line_uid: UUID, need: str, by: Actor, note: str = "") -> OrderLine:
    """Asks the parts counter, the team leader or the foreman to come; each gets a message (3.2).

    Raises RuleError ``need.kind`` and ``need.nobody`` where nobody holds such a post today.
    """
    by.require(permissions.JOBS_OWN)
    if need not in Need.values:
        raise RuleError("need.kind", _("Say what is needed."), field="need")
    line = locked_line(line_uid, by)
    order = line.order
    people = {
        person.pk: (person, person.user)
        for role in ASKED_OF[Need(need)]
        for person in employees_with_role(order.store_id, role).select_related("user")
        if person.user is not None
    }
    if not people:
        raise RuleError("need.nobody", _("Nobody is there who could be asked; tell the service manager."))
    asked = uuid4()
    for person, user in people.values():
        with override(user.language):
            body = gettext("%(plate)s, %(line)s: %(need)s needed. %(note)s") % {
                "plate": order.vehicle.plate or order.number,
                "line": line.said,
                "need": str(Need(need).label),
                "note": note.strip()[:200],
            }
        queue_message(
            key=f"need:{asked}:{person.pk}",
            store=order.store,
            channel=MessageChannel.STAFF,
            recipient=user.username,
            recipient_name=person.name,
            template="workshop.need",
            language=user.language,
            body=body.strip(),
            visit_uid=order.visit.uid,
            by=by,
        )
    record(line, events.HELP_ASKED, by=by, store_id=order.store_id, need=need, people=len(people))
    return line
