"""The post that stands behind a person's name in the frame of every page."""

from __future__ import annotations

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from staff.models import Deputyship, PostHolding
from staff.selectors.employees import in_force


def post_name(actor: Actor) -> str:
    """The posts held today in the store of the actor, then those deputised for; '' for who is no employee."""
    if actor.user is None or not actor.store_ids:
        return ""
    dated, here = in_force(clock.today()), {"store_id__in": actor.store_ids}
    own = PostHolding.objects.filter(dated, employee__user_id=actor.user.pk, **here).select_related("post")
    names = [holding.post.label for holding in own.order_by("starts_on", "pk")]
    ships = Deputyship.objects.filter(dated, deputy__user_id=actor.user.pk, **here).select_related("post")
    return " · ".join(dict.fromkeys([*names, *(ship.post.label for ship in ships)]))
