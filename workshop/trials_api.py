"""Trial parts over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Moment, Number, Text, Uid
from workshop import permissions
from workshop.models import PartTrial, ReturnCondition, TrialState
from workshop.services import trials

register(
    Resource(
        path="part-trials",
        name="PartTrial",
        room="workshop",
        model=PartTrial,
        view=permissions.STOCK_VIEW,
        help="A part lent to a technician to be tried on a car; back the same day or issued to the order (3.2).",
        lock_first=("order", "item"),
        state="state",
        shape={
            "part_uid": Uid(source="item__part__uid"),
            "lot_code": Text(source="lot__code", null=True),
            "repair_order_uid": Uid(source="order__uid"),
            "technician_uid": Uid(source="employee__uid"),
            "quantity": Number(2),
            "state": Choice(choices=TrialState),
            "lent_at": Moment(),
            "due_on": Day(),
            "ended_at": Moment(null=True),
            "condition": Choice(choices=ReturnCondition, null=True, help="In which it came back."),
            "reason": Text(),
        },
        filters={
            "state": Filter(field=Choice(choices=TrialState), lookup="state"),
            "repair_order_uid": Filter(field=Uid(), lookup="order__uid"),
        },
        create=Command(
            run=trials.lend_part,
            permission=permissions.PARTS_ISSUE,
            input={
                "part_uid": Uid(),
                "repair_order_uid": Uid(source="order_uid"),
                "technician_uid": Uid(source="employee_uid"),
                "quantity": Number(2, digits=6, optional=True, help="Left out: one."),
                "lot": Text(40, optional=True, help="Of a traced part."),
            },
            help="Lend a part to be tried",
        ),
        actions=(
            Action(
                verb="back",
                run=trials.take_trial_back,
                permission=permissions.PARTS_ISSUE,
                when={TrialState.OUT},
                input={
                    "condition": Choice(choices=ReturnCondition, help="Only UNOPENED is stock again."),
                    "reason": Text(120, optional=True, help="Needed for OPENED and FITTED."),
                },
                help="It came back, in this condition",
            ),
            Action(
                verb="issue",
                run=trials.issue_trial,
                permission=permissions.PARTS_ISSUE,
                when={TrialState.OUT},
                help="It stays in the car: issued to the agreed line of its order",
            ),
        ),
    )
)
