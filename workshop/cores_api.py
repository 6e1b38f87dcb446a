"""Core charges and the old parts that came in for them, over the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name, mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Moment, Money, Number, Text, Uid
from workshop import permissions
from workshop.core_models import CoreCharge, CoreCondition, CoreReturn, CoreState
from workshop.services import cores

register(
    Resource(
        path="core-charges",
        name="CoreCharge",
        room="workshop",
        model=CoreCharge,
        view=permissions.OLD_PARTS_VIEW,
        help="What is paid beside the price of a part until its old one comes in (3.2).",
        shape={
            "part_uid": Uid(source="part__uid"),
            "part_line_uid": Uid(source="part_line__uid", null=True),
            "sale_line_uid": Uid(source="sale_line__uid", null=True),
            "quantity": Number(2, help="What is out of the part."),
            "unit_amount": Money(),
            "amount": Money(),
            "charged_at": Moment(),
            "due_on": Day(help="The last day on which an old part counts."),
            "returned": Number(2, help="Old parts that came in."),
            "credited": Money(help="Given back for them."),
        },
        filters={
            "part_uid": Filter(field=Uid(), lookup="part__uid"),
            "repair_order_uid": Filter(field=Uid(), lookup="part_line__line__order__uid"),
            "counter_sale_uid": Filter(field=Uid(), lookup="sale_line__sale__uid"),
        },
    )
)

register(
    Resource(
        path="core-returns",
        name="CoreReturn",
        room="workshop",
        model=CoreReturn,
        view=permissions.OLD_PARTS_VIEW,
        help="An old part came in for a core charge; then it goes to the supplier, who credits it (3.2).",
        state="state",
        shape={
            "core_charge_uid": Uid(source="core__uid"),
            "quantity": Number(2),
            "condition": Choice(choices=CoreCondition),
            "credit": Money(help="Given back for it."),
            "reason": Text(mask=mask_text),
            "brought_by": Text(mask=mask_name),
            "at": Moment(),
            "state": Choice(choices=CoreState),
            "reference": Text(help="The parcel's number."),
            "sent_at": Moment(null=True),
            "supplier_credit": Money(null=True),
            "credited_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=CoreState), lookup="state"),
            "core_charge_uid": Filter(field=Uid(), lookup="core__uid"),
        },
        create=Command(
            run=cores.take_core,
            permission=permissions.OLD_PARTS_KEEP,
            input={
                "core_charge_uid": Uid(source="core_uid"),
                "quantity": Number(2, digits=6),
                "brought_by": Text(60, min=1),
                "condition": Choice(choices=CoreCondition, optional=True, help="Left out: whole."),
                "credit": Money(optional=True, help="Decided for a damaged one."),
                "reason": Text(120, optional=True, help="What is damaged or missing."),
            },
            help="An old part comes in",
        ),
        actions=(
            Action(
                verb="send",
                run=cores.send_core,
                permission=permissions.OLD_PARTS_KEEP,
                when={CoreState.HERE},
                input={"reference": Text(60, min=1)},
                help="It goes to the supplier",
            ),
            Action(
                verb="credit",
                run=cores.credit_core,
                permission=permissions.OLD_PARTS_KEEP,
                when={CoreState.SENT},
                input={"amount": Money()},
                help="The supplier credited it; 0 where it refused",
            ),
        ),
    )
)
