"""Outside work over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Bytes, Choice, Flag, Moment, Money, Text, Uid, Whole
from workshop import permissions
from workshop.services import sublets
from workshop.sublet_models import OPEN, TO_GO, SubletLeaves, SubletOrder, SubletState

S = SubletState
register(
    Resource(
        path="sublet-orders",
        name="SubletOrder",
        room="workshop",
        model=SubletOrder,
        view=permissions.SUBLETS_VIEW,
        help="Work that an outside firm does for a line; its guarantee stays the shop's (3.2). Costs without VAT.",
        lock_first=("line__order", "line"),
        state="state",
        shape={
            "number": Text(),
            "labor_operation_uid": Uid(source="line__uid"),
            "repair_order_uid": Uid(source="line__order__uid"),
            "supplier": Text(help="The firm's name when the work was given out."),
            "supplier_uid": Uid(source="firm__uid"),
            "work": Text(mask=mask_text),
            "leaves": Choice(choices=SubletLeaves, help="The car (by its gate pass), a part, or the firm comes."),
            "item": Text(),
            "agreed_cost": Money(help="CNY without VAT."),
            "state": Choice(choices=SubletState),
            "asked_at": Moment(),
            "expected_at": Moment(),
            "sent_at": Moment(null=True),
            "times_sent": Whole(),
            "back_at": Moment(null=True),
            "checked_at": Moment(null=True),
            "findings": Text(mask=mask_text),
            "final_cost": Money(null=True, help="Of the firm's bill, CNY without VAT."),
            "cost_reason": Text(mask=mask_text),
            "bill_number": Text(),
            "billed_at": Moment(null=True),
            "ended_reason": Text(mask=mask_text),
        },
        filters={
            "state": Filter(field=Choice(choices=SubletState), lookup="state"),
            "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
        },
        create=Command(
            run=sublets.order_sublet,
            permission=permissions.SUBLETS_WORK,
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "supplier": Text(
                    80, min=1, help="A name of the register; another one is entered there with the order."
                ),
                "work": Text(300, min=1),
                "leaves": Choice(choices=SubletLeaves),
                "item": Text(80, optional=True, help="Which part goes, where only a part does."),
                "agreed_cost": Money(help="CNY without VAT."),
                "expected_at": Moment(),
            },
            help="Give agreed work to an outside firm",
        ),
        actions=(
            Action(
                verb="send",
                run=sublets.send_sublet,
                permission=permissions.SUBLETS_WORK,
                when=set(TO_GO),
                help="The part goes to the firm, or the firm begins here; a car leaves by its gate pass",
            ),
            Action(
                verb="take-back",
                run=sublets.take_back_sublet,
                permission=permissions.SUBLETS_WORK,
                when={S.SENT},
                help="It is back, to be checked",
            ),
            Action(
                verb="check",
                run=sublets.check_sublet,
                permission=permissions.SUBLETS_CHECK,
                when={S.BACK},
                input={"ok": Flag(), "findings": Text(300, optional=True, help="What isn't in order.")},
                help="What came back is in order, or goes back to the firm",
            ),
            Action(
                verb="change-day",
                run=sublets.change_sublet_day,
                permission=permissions.SUBLETS_WORK,
                when=set(OPEN),
                input={"expected_at": Moment()},
                help="The firm names another time",
            ),
            Action(
                verb="bill",
                run=sublets.bill_sublet,
                permission=permissions.SUBLETS_WORK,
                when={S.ACCEPTED},
                input={
                    "final_cost": Money(help="CNY without VAT."),
                    "reason": Text(200, optional=True, help="Why it differs from what was agreed."),
                    "bill_number": Text(40, optional=True),
                    "bill": Bytes(optional=True, help="Photo of the bill, base64."),
                },
                help="Enter the firm's bill",
            ),
            Action(
                verb="cancel",
                run=sublets.cancel_sublet,
                permission=permissions.SUBLETS_WORK,
                when=set(TO_GO),
                input={"reason": Text(200, min=1)},
                help="Give it up",
            ),
        ),
    )
)
