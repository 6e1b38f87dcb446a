"""Resources of chapter 8."""

from __future__ import annotations

from compliance import permissions
from compliance.models import ArchiveRecord, ArchiveState
from compliance.services import archives
from dealership.kernel.api.resources import Action, Filter, Resource, register
from dealership.kernel.api.shapes import Choice, Day, Moment, Text, Uid

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
