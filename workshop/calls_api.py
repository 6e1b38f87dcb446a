"""What technicians call for, over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api import masking
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Text, Uid
from workshop import permissions
from workshop.call_models import ANSWERS, OPEN_CALLS, CallState, Need, TechnicianCall
from workshop.services import findings

register(
    Resource(
        path="technician-calls",
        name="TechnicianCall",
        room="workshop",
        model=TechnicianCall,
        view=permissions.ORDERS_VIEW,
        help="A technician's call for parts, help or a tool from a job; it ends with the job at the latest (3.2).",
        state="state",
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "technician_uid": Uid(source="employee__uid", null=True),
            "need": Choice(choices=Need),
            "note": Text(mask=masking.mask_text),
            "state": Choice(choices=CallState),
            "asked_at": Moment(),
            "answered_at": Moment(null=True),
            "answered_by_uid": Uid(source="answered_by__uid", null=True),
            "ended_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=CallState), lookup="state"),
            "labor_operation_uid": Filter(field=Uid(), lookup="line__uid"),
        },
        create=Command(
            run=findings.ask_for,
            permission=permissions.JOBS_OWN,
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "need": Choice(choices=Need),
                "note": Text(200, optional=True),
            },
            help="Call for parts, help or a tool",
        ),
        actions=(
            Action(
                verb="answer",
                run=findings.answer_call,
                permission=permissions.CALLS_ANSWER,
                when=set(OPEN_CALLS),
                input={"answer": Choice(choices=tuple(a.value for a in ANSWERS))},
                help="Say that one comes, that it is done, or that it is not to be had",
            ),
            Action(
                verb="pass-on",
                run=findings.pass_call,
                permission=permissions.CALLS_ANSWER,
                when=set(OPEN_CALLS),
                input={"to_uid": Uid(optional=True, null=True), "note": Text(200, optional=True)},
                help="Say that one can't come: it stays open for the named person, or for the others called",
            ),
        ),
    )
)
