"""Tags by which a store sorts its customers: the list of them, and putting one on or taking it off (2.3)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RaceLost, RuleError
from dealership.kernel.history import record
from reception import events, permissions
from reception.models import Customer, CustomerTag, CustomerTagging, TagColor
from reception.services.customers import tidy


def _checked(name: str, color: str, by: Actor, besides: int | None = None) -> tuple[str, str]:
    words = tidy(name, field="name", limit=20)
    if not words:
        raise RuleError("tag.name", _("Give the tag a name."), field="name")
    if color not in TagColor.values:
        raise RuleError("tag.color", _("Choose one of the colours."), field="color")
    rows = CustomerTag.objects.filter(store_id=by.store_id, name=words, ended_at__isnull=True)
    if rows.exclude(pk=besides).exists():
        raise RuleError("tag.name_taken", _("A tag of this name is already there."), field="name")
    return words, color


@transaction.atomic
def define_tag(*, name: str, by: Actor, color: str = TagColor.GREY) -> CustomerTag:
    """2.3: a new tag of the actor's store. Raises RuleError without a name and for a name that is there."""
    by.require(permissions.TAGS_MANAGE)
    words, color = _checked(name, color, by)
    tag = CustomerTag.objects.create(store_id=by.store_id, name=words, color=color)
    record(tag, events.TAG_DEFINED, by=by, color=color)
    return tag


def _standing(uid: UUID, by: Actor) -> CustomerTag:
    tag: CustomerTag = CustomerTag.objects.for_actor(by).locked().get(uid=uid)
    if tag.ended_at is not None:
        raise RaceLost("tag.ended", _("This tag is no longer used; choose another one."))
    return tag


@transaction.atomic
def change_tag(*, uid: UUID, name: str, color: str, by: Actor) -> CustomerTag:
    """2.3: another name or colour, for every customer who carries it. Raises RuleError where nothing changes."""
    by.require(permissions.TAGS_MANAGE)
    tag = _standing(uid, by)
    words, color = _checked(name, color, by, besides=tag.pk)
    if (tag.name, tag.color) == (words, color):
        raise RuleError("tag.unchanged", _("Nothing was changed."))
    renamed, before = tag.name != words, tag.color
    tag.name, tag.color = words, color
    tag.save(update_fields=["name", "color"])
    record(tag, events.TAG_CHANGED, by=by, changed={"color": (before, color)}, renamed=renamed)
    return tag


@transaction.atomic
def end_tag(*, uid: UUID, by: Actor) -> CustomerTag:
    """2.3: the tag is no longer used; it disappears from every customer and its name is free again."""
    by.require(permissions.TAGS_MANAGE)
    tag = _standing(uid, by)
    tag.ended_at = clock.now()
    tag.save(update_fields=["ended_at"])
    record(tag, events.TAG_ENDED, by=by)
    return tag


@transaction.atomic
def tag_customer(*, customer_uid: UUID, tag_uid: UUID, by: Actor) -> CustomerTagging:
    """2.3: puts a tag of the actor's store on a customer. Raises RuleError for a tag no longer used or there already."""
    by.require(permissions.CUSTOMERS_EDIT)
    customer = Customer.objects.for_actor(by).locked().standing(customer_uid)
    tag = CustomerTag.objects.for_actor(by).get(uid=tag_uid)
    if tag.ended_at is not None:
        raise RuleError("tag.ended", _("This tag is no longer used; choose another one."), field="tag_uid")
    if customer.taggings.filter(tag=tag, ended_at__isnull=True).exists():
        raise RuleError("tag.known", _("The customer already carries this tag."), field="tag_uid")
    tagging = CustomerTagging.objects.create(customer=customer, tag=tag)
    record(tagging, events.CUSTOMER_TAGGED, by=by, store_id=tag.store_id, tag=tag.uid)
    return tagging


@transaction.atomic
def untag_customer(*, uid: UUID, by: Actor) -> CustomerTagging:
    """2.3: takes a tag off; ``uid`` is that of the tag on this customer. Raises RuleError where it is off already."""
    by.require(permissions.CUSTOMERS_EDIT)
    rows = CustomerTagging.objects.for_actor(by).locked().select_related("tag", "customer")
    tagging: CustomerTagging = rows.get(uid=uid)
    if tagging.ended_at is not None:
        raise RaceLost("tag.off", _("The tag is off already."))
    tagging.ended_at = clock.now()
    tagging.save(update_fields=["ended_at"])
    record(tagging, events.CUSTOMER_UNTAGGED, by=by, store_id=tagging.tag.store_id, tag=tagging.tag.uid)
    return tagging
