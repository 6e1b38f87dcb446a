"""Resources of chapter 8."""

from __future__ import annotations

from typing import Any

from compliance import permissions
from compliance.addendum_models import ArchiveAddendum
from compliance.health_models import HealthUpload, UploadState
from compliance.models import ArchiveRecord, ArchiveState
from compliance.services import archives, health_uploads, vehicle_books
from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Filter, Listing, Many, Resource, register, register_listing
from dealership.kernel.api.shapes import Choice, Day, Flag, ListOf, Moment, Nested, Number, Text, Uid, Whole
from reception.models import Vehicle

register(
    Resource(
        path="archives",
        name="Archive",
        room="compliance",
        model=ArchiveRecord,
        view=permissions.ARCHIVE_VIEW,
        help="Files of the archive with the day until which they must be kept (8.4). The content itself is not given.",
        state="state",
        shape={
            "number": Text(),
            "kind": Text(),
            "state": Choice(choices=ArchiveState),
            "subject_type": Text(),
            "subject_uid": Uid(),
            "visit_uid": Uid(source="visit__uid", null=True),
            "sha256": Text(help="Of the content as it was archived."),
            "archived_on": Day(),
            "retain_until": Day(),
            "legal_hold": Text(),
            "destroyed_at": Moment(null=True),
            "destroyed_reason": Text(),
            "addenda": Many(
                rows=lambda: ArchiveAddendum.objects.order_by("number"),
                by="archive_id",
                fields={
                    "number": Whole(),
                    "because": Text(help="Code of the event that it entered for."),
                    "sha256": Text(help="Of the addendum's content, which names the hash of what it follows."),
                    "added_at": Moment(),
                },
                help="What came to the file after departure; the file itself is never changed (3.3).",
            ),
        },
        filters={
            "kind": Filter(field=Text(30, min=1), lookup="kind"),
            "subject_uid": Filter(field=Uid(), lookup="subject_uid"),
            "visit_uid": Filter(field=Uid(), lookup="visit__uid"),
            "retain_until_lte": Filter(field=Day(), lookup="retain_until__lte"),
        },
        actions=(
            Action(
                verb="mark-for-destruction",
                run=archives.mark_for_destruction,
                permission=permissions.ARCHIVE_DESTROY,
                when={ArchiveState.ARCHIVED},
                help="Put a file whose time has run out on the list to be destroyed",
            ),
            Action(
                verb="sign-destruction",
                run=archives.sign_destruction,
                permission=permissions.ARCHIVE_DESTROY,
                when={ArchiveState.TO_DESTROY},
                input={"reason": Text(200, min=1)},
                help="Sign the destruction; it needs two people",
            ),
        ),
    )
)

# --- health records ---
register(
    Resource(
        path="health-uploads",
        name="HealthUpload",
        room="compliance",
        model=HealthUpload,
        view=permissions.HEALTH_VIEW,
        help="The electronic health record of a signed settlement list on its way to the authority's platform (3.3).",
        state="state",
        shape={
            "settlement_uid": Uid(source="settlement__uid"),
            "number": Text(help="Of the settlement list; the platform knows the record by it."),
            "state": Choice(choices=UploadState),
            "attempts": Whole(),
            "next_at": Moment(help="Not tried before."),
            "reason": Text(mask=mask_text, help="What the platform said, or which facts are missing."),
            "settled_at": Moment(),
            "sent_at": Moment(null=True),
            "reference": Text(mask=mask_text, help="Where a person entered it: its number on the platform."),
        },
        filters={
            "state": Filter(field=Choice(choices=UploadState), lookup="state"),
            "settlement_uid": Filter(field=Uid(), lookup="settlement__uid"),
            "settled_at_lte": Filter(field=Moment(), lookup="settled_at__lte"),
        },
        actions=(
            Action(
                verb="send-again",
                run=health_uploads.send_again,
                permission=permissions.HEALTH_SEND,
                when={UploadState.FAILED, UploadState.MANUAL},
                help="Draw the record anew from the facts as they are now, and send it",
            ),
            Action(
                verb="enter-by-hand",
                run=health_uploads.enter_by_hand,
                permission=permissions.HEALTH_SEND,
                when={UploadState.WAITING, UploadState.FAILED, UploadState.MANUAL},
                input={"reference": Text(60, min=1)},
                help="Note that a person entered it on the platform's own page",
            ),
        ),
        lock_first=("settlement",),
    )
)

# --- vehicle book ---


def _stays(values: dict[str, Any], by: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    try:
        stays = vehicle_books.read_book(vehicle_uid=values["vehicle_uid"], by=by).stays
    except Vehicle.DoesNotExist:  # like every filter by an id that isn't there
        return [], False, None
    rows = [
        {
            "repair_order_uid": stay.order_uid,
            "came_on": stay.day,
            "store_name": stay.store,
            "odometer_in": stay.km_in,
            "odometer_out": stay.km_out,
            "work": [work.name for work in stay.works],
            "parts": [
                {"name": part.name, "number": part.number, "kind": part.kind, "quantity": part.quantity}
                for part in stay.parts
            ],
            "guarantee_days": stay.guarantee_days,
            "guarantee_km": stay.guarantee_km,
            "certified": stay.certified,
        }
        for stay in stays
    ]
    return rows[: values["limit"]], len(rows) > values["limit"], None


register_listing(
    Listing(
        path="vehicle-book",
        name="VehicleBookStay",
        room="compliance",
        view=permissions.BOOK_READ,
        help="What was done to a car across its owners, newest first, without anything about people (3.3). Looks are logged.",
        parameters={"vehicle_uid": Uid(help="The car.")},
        required=("vehicle_uid",),
        shape={
            "repair_order_uid": Uid(null=True),
            "came_on": Day(),
            "store_name": Text(),
            "odometer_in": Whole(null=True, help="km"),
            "odometer_out": Whole(null=True, help="km"),
            "work": ListOf(inner=Text(), help="Names of the catalogue; work typed by hand by its kind of repair."),
            "parts": ListOf(
                inner=Nested(fields={"name": Text(), "number": Text(), "kind": Text(), "quantity": Number(places=2)})
            ),
            "guarantee_days": Whole(),
            "guarantee_km": Whole(),
            "certified": Flag(),
        },
        read=_stays,
    )
)
