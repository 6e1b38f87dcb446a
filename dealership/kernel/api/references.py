"""Names that other systems have for what stands here: kept with every resource that has ``refs`` (7.3, design 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from ..actors import Actor
from ..models import ExternalRef, Root
from ..permissions import REFERENCES_EDIT
from ..services import name_root
from .resources import Action, Resource
from .shapes import Text

REF_SYSTEM = Text(40, min=1, pattern=r"^[A-Za-z0-9_.-]+$")
REF_ID = Text(120, min=1)
VERB = "add-reference"


def _adds(resource: Resource) -> Callable[..., Root]:
    def add_reference(*, uid: UUID, system: str, external_id: str, by: Actor) -> Root:
        by.require(REFERENCES_EDIT)
        root: Root = resource.base(by).get(uid=uid)
        same = ExternalRef.objects.filter(
            system=system, root_type=resource.root_type, external_id=external_id, root_uid=uid
        )
        if not same.exists():  # a name given twice is a name given
            name_root(root, root_type=resource.root_type, system=system, external_id=external_id, by=by)
        return root

    return add_reference


def with_references(resource: Resource) -> Resource:
    """The resource with its action ``add-reference``; it is no transition, so it isn't listed among them."""
    action = Action(
        verb=VERB,
        run=_adds(resource),
        permission=REFERENCES_EDIT,
        when=frozenset(),
        input={
            "system": replace(REF_SYSTEM, help="Short name of the other system."),
            "id": replace(REF_ID, source="external_id", help="Its name for this; one per system."),
        },
        help="Keep the name that another system has for this",
    )
    return replace(resource, actions=(*resource.actions, action))
