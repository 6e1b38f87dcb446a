"""A worker listens to itself (7.1): one that doesn't hear its own pulse any more ends, and is started again.

After Redis was emptied or restarted a worker may sit there, connected and deaf. Each worker therefore sends itself a
small task through a queue of its own. If none arrives for ``silent`` seconds although Redis answers and nothing is in
work, the process ends with a line in its log; supervisord or the container's restart policy starts a new one, and what
it had taken is sent again by the relay.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import structlog
from celery.worker import state

from .tasks import pulse

log = structlog.get_logger(__name__)
ENDED = 75  # EX_TEMPFAIL: try again


_listening = threading.Lock()


def listen(consumer: Any, *, silent: float) -> None:
    """Starts the thread once; a worker that has reconnected is ready again, and its pulse goes on."""
    if _listening.acquire(blocking=False):
        Pulse(consumer, silent=silent).start()


class Pulse(threading.Thread):
    """``consumer`` is the worker's; the thread ends with the process."""

    def __init__(self, consumer: Any, *, silent: float) -> None:
        super().__init__(name="pulse", daemon=True)
        self.consumer = consumer
        self.queue = f"pulse.{consumer.hostname}"
        self.silent = silent

    def run(self) -> None:
        self.consumer.call_soon(self.consumer.add_task_queue, self.queue)
        heard = self.heard()
        since = time.monotonic()
        while True:
            time.sleep(self.silent / 4)
            now = self.heard()
            # A worker whose hands are full takes nothing new; time limits end what it does.
            if now != heard or state.active_requests or not self.send():
                heard, since = now, time.monotonic()
            elif time.monotonic() - since > self.silent:
                self.end()

    def heard(self) -> int:
        return int(state.total_count[pulse.name])

    def send(self) -> bool:
        """False where Redis doesn't answer: then silence is not the worker's fault."""
        try:
            pulse.apply_async(queue=self.queue, expires=self.silent, retry=False)
        except Exception as exc:
            log.warning("pulse.not_sent", error=repr(exc))
            return False
        return True

    def end(self) -> None:
        log.error("pulse.silent", worker=self.consumer.hostname, seconds=self.silent)
        os._exit(ENDED)  # a deaf worker may not hear a signal's handler either; its children end without it
