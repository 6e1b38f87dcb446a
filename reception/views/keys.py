"""The key board and the evening count (2.1.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, limits
from dealership.kernel.models import Store
from dealership.kernel.pages import CommandPage, Page

from .. import permissions
from ..forms.evening import EveningForm
from ..limits import EVENING_HOUR
from ..models import EveningCount, Visit
from ..selectors import visits as reads
from ..services.evening import count_evening


def shared_places(rows: Iterable[Visit]) -> set[str]:
    """Places on which more than one car is said to stand: one of the notes is out of date."""
    counts = Counter(row.parking_place for row in rows if row.parking_place)
    return {place for place, cars in counts.items() if cars > 1}


class KeysPage(Page):
    """Where every key and every car is."""

    permission = permissions.VISITS_KEYS
    template_name = "reception/keys.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = reads.key_board(self.actor)
        store = self.request.store  # type: ignore[attr-defined]
        hour = limits.value(EVENING_HOUR, store_id=store.pk)
        day = clock.today(store.time_zone)
        return super().get_context_data(**kwargs) | {
            "rows": rows,
            "shared": shared_places(rows),
            "untagged": sum(not row.key_tag for row in rows),
            "with_people": sum(row.key_holder is not None for row in rows),
            "on_board": sum(bool(row.key_tag) and row.key_holder is None for row in rows),
            "may_count": self.actor.may(permissions.EVENING_COUNT),
            "may_view": self.actor.may(permissions.VISITS_VIEW),
            "counted": reads.evening_of(self.actor, day),
            "count_due": clock.now().astimezone(ZoneInfo(store.time_zone)).hour >= hour,
        }


class EveningPage(CommandPage):
    """Counts cars and keys once a day; afterwards shows what was found."""

    permission = permissions.EVENING_COUNT
    template_name = "reception/evening.html"
    form_class = EveningForm
    done = _("The evening count is written down.")

    @cached_property
    def counted(self) -> EveningCount | None:
        store: Store = self.request.store  # type: ignore[attr-defined]
        return reads.evening_of(self.actor, clock.today(store.time_zone))

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"visits": reads.key_board(self.actor)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"counted": self.counted}

    def run(self, form: EveningForm) -> EveningCount:
        return count_evening(lines=form.lines(), remark=form.cleaned_data["remark"], by=self.actor)

    def location(self, result: EveningCount) -> str:
        return reverse("evening-count")
