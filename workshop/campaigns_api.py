"""Resources of recalls and service campaigns (3.2, domain 4.2); read with the room's ``api``."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name, mask_text, mask_vin
from dealership.kernel.api.resources import Action, Command, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, ListOf, Moment, Text, Uid
from workshop import permissions
from workshop.campaign_models import Campaign, CampaignAnswer, CampaignKind, CampaignReply, CampaignVehicle
from workshop.services import campaigns

register(
    Resource(
        path="campaigns",
        name="Campaign",
        room="workshop",
        model=Campaign,
        view=permissions.ORDERS_VIEW,
        help="A recall or service campaign of the maker (3.2).",
        shape={
            "number": Text(help="The maker's number."),
            "kind": Choice(choices=CampaignKind),
            "title": Text(),
            "measure": Text(),
            "operation_uid": Uid(source="operation__uid"),
            "starts_on": Day(),
            "ends_on": Day(null=True),
        },
        filters={"kind": Filter(field=Choice(choices=CampaignKind), lookup="kind")},
        create=Command(
            run=campaigns.open_campaign,
            permission=permissions.CAMPAIGNS_MANAGE,
            input={
                "number": Text(40, min=1),
                "kind": Choice(choices=CampaignKind),
                "title": Text(120, min=1),
                "measure": Text(500, min=1),
                "operation_uid": Uid(),
                "starts_on": Day(optional=True, null=True),
                "ends_on": Day(optional=True, null=True),
            },
        ),
        actions=(
            Action(
                verb="add-vins",
                run=campaigns.add_vins,
                permission=permissions.CAMPAIGNS_MANAGE,
                input={"vins": ListOf(inner=Text(17, min=17))},
                help="Add VINs to its list; one that is there already is not doubled",
            ),
            Action(
                verb="end",
                run=campaigns.end_campaign,
                permission=permissions.CAMPAIGNS_MANAGE,
                input={"ends_on": Day()},
                help="Set its last day",
            ),
        ),
    )
)


register(
    Resource(
        path="campaign-vehicles",
        name="CampaignVehicle",
        room="workshop",
        model=CampaignVehicle,
        view=permissions.ORDERS_VIEW,
        help="A car of a campaign's list; done when its line has passed the inspection (3.2).",
        shape={
            "campaign_uid": Uid(source="campaign__uid"),
            "vin": Text(mask=mask_vin),
            "labor_operation_uid": Uid(source="line__uid", null=True),
        },
        filters={
            "campaign_uid": Filter(field=Uid(), lookup="campaign__uid"),
            "vin": Filter(field=Text(17, min=17), lookup="vin"),
        },
        actions=(
            Action(
                verb="put-on-order",
                run=campaigns.put_on_order,
                permission=permissions.LINES_EDIT,
                input={"repair_order_uid": Uid(source="order_uid")},
                help="Write its line on an order of the car; the maker pays",
            ),
        ),
    )
)
register(
    Resource(
        path="campaign-answers",
        name="CampaignAnswer",
        room="workshop",
        model=CampaignAnswer,
        view=permissions.ORDERS_VIEW,
        help="What a customer was told about a campaign that isn't done; an open recall needs it at the hand-over (3.2).",
        shape={
            "visit_uid": Uid(source="visit__uid"),
            "campaign_vehicle_uid": Uid(source="vehicle__uid"),
            "reply": Choice(choices=CampaignReply),
            "told_to": Text(mask=mask_name),
            "note": Text(mask=mask_text),
            "done_on": Day(null=True, help="The day on which another shop did it."),
            "done_where": Text(),
            "evidence": Text(),
            "told_at": Moment(),
        },
        filters={"visit_uid": Filter(field=Uid(), lookup="visit__uid")},
        create=Command(
            run=campaigns.answer_campaign,
            permission=permissions.CAMPAIGNS_ANSWER,
            input={
                "visit_uid": Uid(),
                "campaign_vehicle_uid": Uid(source="uid"),
                "reply": Choice(choices=CampaignReply),
                "told_to": Text(60, min=1),
                "note": Text(200, optional=True),
                "done_on": Day(optional=True, null=True, help="Where another shop has done it: the day."),
                "done_where": Text(80, optional=True, help="The shop that did it."),
                "evidence": Text(120, optional=True, help="The paper or record that shows it."),
            },
        ),
    )
)
