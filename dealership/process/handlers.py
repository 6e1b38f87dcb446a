"""Behind the outbox: marks the day that an event touches, so that its figures are computed again."""

from dealership.kernel import registry
from dealership.kernel.history import Event

from .figures import TOUCH_HANDLER
from .services.rollup import touch


def touch_day(event: Event) -> None:
    if event.store_id is not None:
        touch(store_id=event.store_id, at=event.at)


registry.HANDLERS[TOUCH_HANDLER] = registry.Handler(TOUCH_HANDLER, touch_day)
