"""Resources of long repairs under 三包 (domain 3.6, art. 21; 3.5, art. 17); read with the room's ``api``."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name, mask_plate, mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, ListOf, Moment, Money, Text, Uid
from workshop import permissions
from workshop.day_six_models import CareKind, DaySixCare, RecordCopy
from workshop.selectors.repair_record import RecordField
from workshop.services import day_six

ORDER = {"repair_order_uid": Filter(field=Uid(), lookup="order__uid")}

register(
    Resource(
        path="day-six-cares",
        name="DaySixCare",
        room="workshop",
        model=DaySixCare,
        view=permissions.ORDERS_VIEW,
        help="A loan car, transport money or what was agreed, for days of a long repair (3.2, art. 21).",
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "kind": Choice(choices=CareKind),
            "starts_on": Day(),
            "ends_on": Day(null=True, help="Null while the loan car is out."),
            "amount": Money(null=True, help="Transport money of all its days, by the setting of each day."),
            "loan_car_uid": Uid(source="loan_car__uid", null=True),
            "loan_trip_uid": Uid(source="loan_trip__uid", null=True, help="Where the front desk gave it."),
            "loan_plate": Text(mask=mask_plate),
            "note": Text(mask=mask_text),
            "given_at": Moment(),
        },
        filters=ORDER,
        create=Command(
            run=day_six.give_care,
            permission=permissions.DAY_SIX_GIVE,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "kind": Choice(choices=CareKind),
                "starts_on": Day(),
                "ends_on": Day(optional=True, null=True),
                "loan_car_uid": Uid(optional=True, null=True),
                "note": Text(200, optional=True),
            },
        ),
        actions=(
            Action(
                verb="end",
                run=day_six.end_care,
                permission=permissions.DAY_SIX_GIVE,
                input={"ends_on": Day(optional=True, null=True, help="The last day; default today.")},
                help="The loan car is back",
            ),
        ),
    )
)
register(
    Resource(
        path="repair-record-copies",
        name="RepairRecordCopy",
        room="workshop",
        model=RecordCopy,
        view=permissions.ORDERS_VIEW,
        help="A copy of the record of a repair that the owner was given (3.2, art. 17).",
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "receiver": Text(mask=mask_name),
            "content_hash": Text(help="SHA-256 of what stood in it."),
            "missing": ListOf(inner=Choice(choices=RecordField), help="Fields of the law that it lacked."),
            "given_at": Moment(),
        },
        filters=ORDER,
        create=Command(
            run=day_six.hand_out_record,
            permission=permissions.DAY_SIX_GIVE,
            input={"repair_order_uid": Uid(source="order_uid"), "receiver": Text(60, min=1)},
        ),
    )
)
