"""What IT does on the health page (7.1)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.exchange import events
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import Outbox, OutboxState, Store
from dealership.kernel.outbox import make_due
from dealership.kernel.permissions import HEALTH_RETRY


@transaction.atomic
def retry_event(*, event_id: int, handler: str, by: Actor) -> Outbox:
    """Makes a failed effect due at once, with all its attempts before it (7.1).

    ``event_id`` is the number of the line in the history. Raises RuleError "event.not_failed" where the effect is done
    or was never tried; Outbox.DoesNotExist for another store's.
    """
    by.require(HEALTH_RETRY)
    rows = Outbox.objects.select_for_update(no_key=True)
    if by.store_ids is not None:
        rows = rows.filter(Q(store_id__in=by.store_ids) | Q(store_id__isnull=True))
    row = rows.get(event_id=event_id, handler=handler)
    if row.state == OutboxState.DONE or (row.state == OutboxState.DUE and not row.attempts):
        raise RuleError("event.not_failed", _("This event isn't waiting for a retry any more; reload the page."))
    before = row.state
    make_due(row)
    record(
        Store.objects.for_actor(by).get(pk=by.store_id),
        events.EVENT_RETRIED,
        by=by,
        store_id=by.store_id,
        changed={"state": (before, row.state)},
        event=row.event_id,
        handler=row.handler,
    )
    return row
