"""The Manual page."""

from typing import Any

from dealership.kernel.pages import Page

from .. import permissions
from ..selectors.manual import last_week, manual


class ManualPage(Page):
    """Every clause with what carries it out and how well it was kept last week."""

    permission = permissions.MANUAL_VIEW
    template_name = "process/manual.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        first, last = last_week()
        return super().get_context_data(**kwargs) | {"chapters": manual(self.actor), "first": first, "last": last}
