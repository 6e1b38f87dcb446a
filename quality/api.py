"""Resources of chapter 6."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Command, Filter, One, Resource, register
from dealership.kernel.api.shapes import Choice, Moment, Text, Uid
from quality import permissions
from quality.models import C, Complaint, ComplaintLevel, ComplaintState
from quality.services import complaints

HANDLE, CLOSE = permissions.COMPLAINTS_HANDLE, permissions.COMPLAINTS_CLOSE

register(
    Resource(
        path="complaints",
        name="Complaint",
        room="quality",
        model=Complaint,
        view=permissions.COMPLAINTS_VIEW,
        help="A complaint with its response clock (6.4).",
        state="state",
        shape={
            "number": Text(),
            "state": Choice(choices=ComplaintState),
            "level": Choice(choices=ComplaintLevel),
            "source": Text(),
            "customer_uid": Uid(source="customer__uid"),
            "visit_uid": Uid(source="visit__uid", null=True),
            "survey_uid": Uid(source="survey__uid", null=True),
            "description": Text(mask=mask_text),
            "demand": Text(mask=mask_text),
            "handler_uid": Uid(source="handler__uid", null=True),
            "subject_uid": Uid(source="subject__uid", null=True),
            "opened_at": Moment(),
            "response_due_at": Moment(),
            "responded_at": Moment(null=True),
            "cause": Text(mask=mask_text),
            "solution": Text(mask=mask_text),
            "resolved_at": Moment(null=True),
            "closed_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=ComplaintState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit__uid"),
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
        },
        expand={
            "customer": One(target="customers", source="customer__uid"),
            "visit": One(target="visits", source="visit__uid"),
        },
        create=Command(
            run=complaints.open_complaint,
            permission=permissions.COMPLAINTS_OPEN,
            input={
                "customer_uid": Uid(),
                "description": Text(1000, min=1),
                "source": Text(20, min=1),
                "level": Choice(choices=ComplaintLevel, optional=True),
                "visit_uid": Uid(optional=True, null=True),
                "survey_uid": Uid(optional=True, null=True),
                "demand": Text(300, optional=True),
                "subject_uid": Uid(optional=True, null=True),
            },
            help="Take in a complaint",
        ),
        actions=(
            Action(
                verb="respond",
                run=complaints.respond_complaint,
                permission=HANDLE,
                when={C.OPEN},
                input={"words": Text(500, min=1)},
                help="The first answer to the customer; the response clock stops",
            ),
            Action(
                verb="review",
                run=complaints.review_complaint,
                permission=HANDLE,
                when={C.RESPONDED, C.RESOLVED},
                input={"cause": Text(500, min=1)},
                help="Look into it and write down the cause",
            ),
            Action(
                verb="resolve",
                run=complaints.resolve_complaint,
                permission=HANDLE,
                when={C.RESPONDED, C.UNDER_REVIEW},
                input={"solution": Text(500, min=1)},
                help="Write down the solution",
            ),
            Action(
                verb="close",
                run=complaints.close_complaint,
                permission=CLOSE,
                when={C.RESOLVED},
                help="Close it; never by who handled it",
            ),
            Action(
                verb="reopen",
                run=complaints.reopen_complaint,
                permission=CLOSE,
                when={C.CLOSED},
                input={"reason": Text(300, min=1)},
                help="Open it again",
            ),
        ),
    )
)
