"""Resources of chapter 8."""

from __future__ import annotations

from compliance import permissions
from compliance.health_models import HealthUpload, UploadState
from compliance.models import ArchiveRecord, ArchiveState
from compliance.services import archives, health_uploads
from dealership.kernel.api.masking import mask_text
from dealership.kernel.api.resources import Action, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Moment, Text, Uid, Whole

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
            "settled_at_lt": Filter(field=Moment(), lookup="settled_at__lt"),
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
