"""What the top room does behind the outbox. Each section names its topic."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from dealership.exchange import events
from dealership.exchange.selectors.approvals import KINDS
from dealership.kernel.actors import machine
from dealership.kernel.events import APPROVAL_ASKED
from dealership.kernel.history import Event
from dealership.kernel.models import Approval, ApprovalState, MessageChannel
from dealership.kernel.registry import handles
from dealership.kernel.services import queue_message
from staff.selectors.employees import employees_with_role


# approvals
@handles(APPROVAL_ASKED, name="exchange.tell_deciders")
def tell_deciders(event: Event) -> None:
    """1.2: a request reaches the phone of everybody who may decide, once each."""
    approval = Approval.objects.select_related("store", "asked_by").get(uid=event.root_uid)
    if approval.state != ApprovalState.ASKED:
        return
    for role in ("manager", "gm"):
        for employee in employees_with_role(approval.store_id, role).select_related("user"):
            if not employee.phone or employee.user_id == approval.asked_by_id:
                continue
            language = employee.user.language if employee.user else settings.LANGUAGE_CODE
            with translation.override(language):
                body = _("%(who)s asks: %(kind)s, ¥%(amount)s. %(reason)s Decide: %(link)s") % {
                    "who": approval.asked_by.name,
                    "kind": KINDS.get(approval.kind, approval.kind),
                    "amount": approval.amount if approval.amount is not None else "—",
                    "reason": approval.reason,
                    "link": f"{settings.PUBLIC_URL}/approvals/{approval.uid}/",
                }
                queue_message(
                    key=f"approval:{approval.uid}:{employee.uid}",
                    store=approval.store,
                    channel=MessageChannel.STAFF,
                    recipient=employee.phone,
                    recipient_name=employee.name,
                    template="approval.asked",
                    subject=_("A decision is waited for"),
                    body=body,
                    language=language,
                    visit_uid=approval.visit_uid,
                    by=machine("approvals", store_id=approval.store_id),
                )


# --- imports (7.2) ---
@handles(events.IMPORT_UPLOADED, events.IMPORT_CONFIRMED, events.IMPORT_UNDO_ASKED, name="exchange.work_import")
def work_import(event: Event) -> None:
    """Hands an import to a worker. A lost message does no harm: the schedule looks for imports that stand still."""
    from dealership.exchange.tasks import work_import as task

    transaction.on_commit(partial(task.delay, str(event.root_uid)))
