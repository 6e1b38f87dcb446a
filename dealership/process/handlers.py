"""Behind the outbox: marks the days that an event touches, so that their figures are computed again."""

from dealership.kernel import registry
from dealership.kernel.history import Event

from .figures import TOUCH_HANDLER
from .services.rollup import touch_for


def touch_day(event: Event) -> None:
    touch_for([event])


registry.HANDLERS[TOUCH_HANDLER] = registry.Handler(TOUCH_HANDLER, touch_day, touch_for)
