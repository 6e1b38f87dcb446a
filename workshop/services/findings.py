"""What a technician finds and needs on the job: more work with pictures, help, parts (3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation
from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record
from dealership.kernel.models import MessageChannel, User
from dealership.kernel.saying import say_plate
from dealership.kernel.services import queue_message, store_file
from reception.pictures import clean_picture
from staff.models import Employee
from staff.selectors.employees import employee_of
from workshop import events, permissions
from workshop.call_models import ANSWERS, OPEN_CALLS, CallPass, CallState, Need, TechnicianCall
from workshop.models import LinePhoto, LineState, OrderLine
from workshop.selectors.calls import cannot_come, people_called
from workshop.selectors.same_work import same_line
from workshop.services.orders import add_line, locked_line, locked_order

NAMED = (Need.PARTS, Need.TOOL)
"""What is named when it is asked for: who brings it must know which."""
OPEN_WORK = (LineState.AUTHORIZED, LineState.IN_PROGRESS)


@transaction.atomic
def report_more_work(
    *,
    line_uid: UUID,
    cause: str,
    by: Actor,
    operation_uid: UUID | None = None,
    description: str = "",
    photos: Sequence[tuple[str, bytes]] = (),
    although_there: bool = False,
) -> OrderLine:
    """More work is found while working on a line: an addition that waits for its own yes, with pictures (3.2).

    Agreed work goes on. ``photos`` are (name, content). Raises RuleError ``finding.cause``, ``finding.line_there`` where
    the same work stands on the order already (unless ``although_there``) and what ``add_line`` says.
    """
    if not by.may(permissions.LINES_EDIT):
        by.require(permissions.LINES_PROPOSE)
    if not cause.strip():
        raise RuleError("finding.cause", _("Say what was found; the customer reads it."), field="cause")
    job = OrderLine.objects.for_actor(by).select_related("order").get(uid=line_uid)
    order = locked_order(job.order.uid, by)
    operation = Operation.objects.get(uid=operation_uid, active=True) if operation_uid else None
    there = same_line(order.lines.order_by("id"), operation=operation, names=[description])
    if there is not None and not although_there:
        raise RuleError(
            "finding.line_there",
            _(
                "“%(line)s” (%(state)s) stands on the order already; nothing was added. Report it only if it comes on top."
            ),
            field="although_there",
            line=there.said,
            state=there.get_state_display(),
        )
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
def ask_for(*, line_uid: UUID, need: str, by: Actor, note: str = "") -> TechnicianCall:
    """Asks the parts counter, the team leader or the foreman to come; the call stays open until it is answered (3.2).

    Each of them gets a message. Raises RuleError ``need.kind``, ``need.note`` (a part or a tool is named),
    ``need.line`` (the work is not open) and ``need.nobody`` where nobody holds such a post today.
    """
    by.require(permissions.JOBS_OWN)
    if need not in Need.values:
        raise RuleError("need.kind", _("Say what is needed."), field="need")
    note = formats.one_line(note)[:200]
    if need in NAMED and not note:
        words = _("Say which part and how many.") if need == Need.PARTS else _("Say which tool.")
        raise RuleError("need.note", words, field="note")
    line = locked_line(line_uid, by)
    if line.state not in OPEN_WORK:
        raise RuleError("need.line", _("This work isn't open any more; nothing is called for to it."))
    order = line.order
    people = [(person, person.user) for person in people_called(order.store_id, need) if person.user is not None]
    if not people:
        raise RuleError("need.nobody", _("Nobody is there who could be asked; tell the service manager."))
    call = TechnicianCall.objects.create(store=order.store, line=line, employee=employee_of(by), need=need, note=note)
    for person, user in people:
        _tell(call, person, user, key=f"need:{call.uid}:{person.pk}", by=by)
    record(line, events.HELP_ASKED, by=by, store_id=order.store_id, need=need, people=len(people), call=call.uid)
    return call


def _tell(call: TechnicianCall, person: Employee, user: User, *, key: str, by: Actor, passed_by: str = "") -> None:
    """The message under the bell of one who is called, in their language."""
    order = call.line.order
    with override(user.language):
        body = gettext("%(plate)s, %(line)s: %(need)s needed. %(note)s") % {
            "plate": say_plate(order.vehicle.plate) or order.number,
            "line": call.line.said,
            "need": str(Need(call.need).label),
            "note": call.note,
        }
        if passed_by:
            body = gettext("%(call)s (%(name)s can't come)") % {"call": body.strip(), "name": passed_by}
    queue_message(
        key=key,
        store=order.store,
        channel=MessageChannel.STAFF,
        recipient=person.number,
        recipient_name=person.name,
        template="workshop.need",
        language=user.language,
        body=body.strip(),
        visit_uid=order.visit.uid,
        by=by,
    )


@transaction.atomic
def answer_call(*, uid: UUID, answer: str, by: Actor) -> TechnicianCall:
    """Answers a technician's call: on the way, done, or not to be had; who called may say that it is done (3.2).

    Raises RuleError ``call.answer``, ``call.answered`` (somebody is on the way already) and ``call.ended``.
    """
    call = TechnicianCall.objects.for_actor(by).locked().select_related("line__order__visit").get(uid=uid)
    who = employee_of(by)
    if not (answer == CallState.DONE and who is not None and call.employee_id == who.pk):
        by.require(permissions.CALLS_ANSWER)
    if answer not in ANSWERS:
        raise RuleError("call.answer", _("Say whether you come, it is done, or it is not to be had."), field="answer")
    if not call.is_open:
        raise RuleError("call.ended", _("This call is over."))
    if call.state == answer:
        raise RuleError("call.answered", _("Somebody has answered this call already."))
    before, now, fields = call.state, clock.now(), ["state"]
    call.state = answer
    if call.answered_at is None:
        call.answered_at, call.answered_by = now, who
        fields += ["answered_at", "answered_by"]
    if not call.is_open:
        call.ended_at = now
        fields.append("ended_at")
    call.save(update_fields=fields)
    record(call, events.CALL_ANSWERED, by=by, changed={"state": (before, answer)}, line=call.line.uid, need=call.need)
    return call


@transaction.atomic
def end_calls(*, line_uid: UUID, by: Actor) -> int:
    """Calls that are open on work which isn't any more end with it; returns how many (3.2)."""
    line = OrderLine.objects.get(uid=line_uid)
    if line.state in OPEN_WORK:
        return 0
    rows = TechnicianCall.objects.filter(line=line, state__in=OPEN_CALLS).select_related("line__order__visit")
    ended = list(rows.order_by("id").locked())
    for call in ended:
        before, call.state, call.ended_at = call.state, CallState.ENDED, clock.now()
        call.save(update_fields=["state", "ended_at"])
        record(call, events.CALL_ENDED, by=by, changed={"state": (before, call.state)}, line=line.uid, need=call.need)
    return len(ended)


@transaction.atomic
def pass_call(*, uid: UUID, by: Actor, to_uid: UUID | None = None, note: str = "") -> TechnicianCall:
    """Who is called can't come: the call stays open for ``to_uid``, or without a name for the others called (3.2).

    Whoever takes it over gets a message. Who said to be on the way may pass it on too; it is not answered then. Raises
    RuleError ``call.ended``, ``call.own``, ``call.answered`` (somebody else is on the way), ``call.to`` (not one who is
    called for this), ``call.nobody_left`` where everybody else has passed it on already, and ``call.passed_already``.
    """
    by.require(permissions.CALLS_ANSWER)
    calls = TechnicianCall.objects.for_actor(by).locked()
    call = calls.select_related("line__operation", "line__order__visit", "line__order__vehicle").get(uid=uid)
    who = employee_of(by)
    if not call.is_open:
        raise RuleError("call.ended", _("This call is over."))
    if who is None or call.employee_id == who.pk:
        raise RuleError("call.own", _("A call is passed on by whom it was for; what you no longer need is “Done”."))
    if call.state == CallState.COMING and call.answered_by_id != who.pk:
        raise RuleError("call.answered", _("Somebody has answered this call already."))
    others = [person for person in people_called(call.store_id, call.need) if person.pk != who.pk and person.user]
    if to_uid is not None:
        told = [person for person in others if person.uid == to_uid]
        if not told:
            raise RuleError("call.to", _("Choose somebody else who is called for this."), field="to")
    else:
        can_not = cannot_come(call)
        told = [person for person in others if person.pk not in can_not]
        if not told:
            raise RuleError(
                "call.nobody_left",
                _("Nobody else is left who was called. Name somebody, or answer that nobody can come."),
                field="to",
            )
    named = told[0] if to_uid is not None else None
    last = call.passes.order_by("-id").first()
    if last is not None and last.passed_by_id == who.pk and last.passed_to_id == (named.pk if named else None):
        raise RuleError("call.passed_already", _("You have passed it on like that already."), field="to")
    passed = CallPass.objects.create(
        call=call, passed_by=who, passed_to=named, note=formats.one_line(note)[:200], at=clock.now()
    )
    before = call.state
    if call.state == CallState.COMING:
        call.state, call.answered_at, call.answered_by = CallState.OPEN, None, None
    call.save(update_fields=["state", "answered_at", "answered_by"])
    for person in told:
        assert person.user is not None
        _tell(call, person, person.user, key=f"need:{passed.uid}:{person.pk}", passed_by=who.name, by=by)
    record(
        call,
        events.CALL_PASSED,
        by=by,
        changed={"state": (before, call.state)} if before != call.state else {},
        line=call.line.uid,
        need=call.need,
        passed=passed.uid,
        to=named.uid if named else None,
    )
    return call
