"""Old parts in the API (3.2)."""

from __future__ import annotations

from dealership.kernel.api.masking import mask_name, mask_text
from dealership.kernel.api.resources import Action, Filter, Resource, register
from dealership.kernel.api.shapes import Bytes, Choice, Day, Flag, Moment, Number, Text, Uid, Whole
from workshop import permissions
from workshop.old_part_models import LYING, Disposition, OldPart, OldPartState
from workshop.services import old_parts

register(
    Resource(
        path="old-parts",
        name="OldPart",
        room="workshop",
        model=OldPart,
        view=permissions.OLD_PARTS_VIEW,
        help="What came off a car for a part that was put in: whose it is, where it lies, what became of it (3.2).",
        state="state",
        lock_first=("line__order", "line"),
        shape={
            "tag": Text(help="The number that hangs on it."),
            "repair_order_uid": Uid(source="line__order__uid"),
            "labor_operation_uid": Uid(source="line__uid"),
            "part_line_uid": Uid(source="part_line__uid"),
            "part_number": Text(source="part_line__part__number"),
            "quantity": Number(2),
            "odometer_km": Whole(),
            "disposition": Choice(choices=Disposition),
            "consent_by": Text(mask=mask_name, help="Who of the customer left it to the shop."),
            "state": Choice(choices=OldPartState),
            "place": Text(),
            "kept_at": Moment(),
            "keep_until": Day(help="The last day on which it has to lie here."),
            "told_at": Moment(null=True, help="When the customer was shown it."),
            "released_at": Moment(null=True),
            "reference": Text(help="The maker's release or the parcel's number."),
            "given_to": Text(mask=mask_name),
            "signed_on_paper": Flag(help="Who takes it or leaves it to the shop has signed on paper, not on the pad."),
            "note": Text(mask=mask_text),
            "ended_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=OldPartState), lookup="state"),
            "disposition": Filter(field=Choice(choices=Disposition), lookup="disposition"),
            "tag": Filter(field=Text(), lookup="tag"),
            "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
        },
        actions=(
            Action(
                verb="decide",
                run=old_parts.decide_old_part,
                permission=permissions.OLD_PARTS_GIVE,
                when=set(LYING),
                input={
                    "disposition": Choice(choices=Disposition),
                    "consent_by": Text(60, optional=True),
                    "note": Text(200, optional=True),
                    "signature": Bytes(optional=True),
                    "signed_on_paper": Flag(
                        optional=True,
                        help="Where it is left to the shop after the car was taken in: this or the signature.",
                    ),
                },
                help="Say what becomes of it (3.2)",
            ),
            Action(
                verb="shelve",
                run=old_parts.shelve_old_part,
                permission=permissions.OLD_PARTS_KEEP,
                when=set(LYING),
                input={"place": Text(20, min=1)},
                help="Write where it lies (3.2)",
            ),
            Action(
                verb="release",
                run=old_parts.release_old_part,
                permission=permissions.OLD_PARTS_KEEP,
                when={OldPartState.KEPT},
                input={"reference": Text(60, min=1)},
                help="The maker doesn't want it (3.2)",
            ),
            Action(
                verb="send",
                run=old_parts.return_old_part,
                permission=permissions.OLD_PARTS_KEEP,
                when=set(LYING),
                input={"reference": Text(60, min=1)},
                help="It goes to the maker (3.2)",
            ),
            Action(
                verb="give",
                run=old_parts.give_old_part,
                permission=permissions.OLD_PARTS_GIVE,
                when=set(LYING),
                input={
                    "given_to": Text(60, min=1),
                    "signature": Bytes(optional=True),
                    "signed_on_paper": Flag(optional=True, help="This or the drawn signature is needed."),
                },
                help="The customer takes it (3.2)",
            ),
            Action(
                verb="scrap",
                run=old_parts.scrap_old_part,
                permission=permissions.OLD_PARTS_KEEP,
                when=set(LYING),
                input={"note": Text(200, min=1)},
                help="Dispose of it (3.2)",
            ),
        ),
    )
)
