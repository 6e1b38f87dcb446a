"""What the top room does behind the outbox. Each section names its topic."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from dealership.exchange import events
from dealership.exchange.selectors.approvals import KINDS
from dealership.kernel import limits
from dealership.kernel.actors import machine
from dealership.kernel.approvals import APPROVAL_LIMIT
from dealership.kernel.events import APPROVAL_ASKED, APPROVAL_DECIDED
from dealership.kernel.history import Event
from dealership.kernel.models import Approval, ApprovalState, MessageChannel
from dealership.kernel.registry import handles
from dealership.kernel.services import queue_message
from staff.models import Employee
from staff.selectors.employees import employees_with_role


# approvals
@handles(APPROVAL_ASKED, name="exchange.tell_deciders")
def tell_deciders(event: Event) -> None:
    """1.2: a request reaches the phone of everybody who may decide on this amount, once each."""
    approval = Approval.objects.select_related("store", "asked_by").get(uid=event.root_uid)
    if approval.state != ApprovalState.ASKED:
        return
    highest = limits.value(APPROVAL_LIMIT, store_id=approval.store_id)
    above = approval.amount is not None and approval.amount > highest
    for role in ("gm",) if above else ("manager", "gm"):
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


@handles(APPROVAL_DECIDED, name="exchange.tell_asker")
def tell_asker(event: Event) -> None:
    """1.2: who asked learns the answer on the phone, too."""
    approval = Approval.objects.select_related("store", "asked_by", "decided_by").get(uid=event.root_uid)
    asker = Employee.objects.filter(user_id=approval.asked_by_id).first()
    if asker is None or not asker.phone or approval.decided_by is None:
        return
    with translation.override(approval.asked_by.language):
        body = _("%(who)s: %(answer)s — %(kind)s, ¥%(amount)s. %(words)s") % {
            "who": approval.decided_by.name,
            "answer": approval.get_state_display(),
            "kind": KINDS.get(approval.kind, approval.kind),
            "amount": approval.amount if approval.amount is not None else "—",
            "words": approval.answer,
        }
        queue_message(
            key=f"approval-decided:{approval.uid}",
            store=approval.store,
            channel=MessageChannel.STAFF,
            recipient=asker.phone,
            recipient_name=asker.name,
            template="approval.decided",
            subject=_("Your request is decided"),
            body=body.strip(),
            language=approval.asked_by.language,
            visit_uid=approval.visit_uid,
            by=machine("approvals", store_id=approval.store_id),
        )


# --- imports (7.2) ---
@handles(events.IMPORT_UPLOADED, events.IMPORT_CONFIRMED, events.IMPORT_UNDO_ASKED, name="exchange.work_import")
def work_import(event: Event) -> None:
    """Hands an import to a worker. A lost message does no harm: the schedule looks for imports that stand still."""
    from dealership.exchange.tasks import work_import as task

    transaction.on_commit(partial(task.delay, str(event.root_uid)))
