"""Behind the outbox: marks the days that an event touches, so that their figures are computed again."""

from dealership.kernel import registry
from dealership.kernel.history import Event

from .figures import TOUCH_HANDLER
from .services.rollup import touch, touch_other_days


def touch_day(event: Event) -> None:
    if event.store_id is not None:
        touch(store_id=event.store_id, at=event.at)
        touch_other_days(store_id=event.store_id, code=event.code, root_uid=event.root_uid)


registry.HANDLERS[TOUCH_HANDLER] = registry.Handler(TOUCH_HANDLER, touch_day)
