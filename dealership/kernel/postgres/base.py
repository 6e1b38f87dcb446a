"""``ENGINE = "dealership.kernel.postgres"``: a kept connection is looked at, not asked, before it is used again.

Django's own check is a ``SELECT 1`` in every request. A connection whose server has gone is readable (its end was
announced), a healthy idle one is silent: looking at the socket tells them apart without a round trip.
"""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from django.db import connection
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    outer_is_all = False
    prepared_here: set[str]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.kept_here: dict[Any, Any] = {}  # querysets that ``kept.Kept`` has translated for this connection

    def _savepoint_allowed(self) -> bool:
        if self.outer_is_all and not self.savepoint_ids:
            return False
        return bool(super()._savepoint_allowed())  # type: ignore[misc]

    def get_new_connection(self, conn_params: Any) -> Any:
        self.prepared_here = set()  # what ``run_prepared`` has prepared in this connection
        return super().get_new_connection(conn_params)

    def is_usable(self) -> bool:
        """True for an open, silent connection; one that has something to say is asked in Django's way."""
        if self.connection is None or self.connection.closed:
            return False
        look = select.poll()
        try:
            look.register(self.connection.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
        except (OSError, ValueError, psycopg2.Error):
            return False
        return super().is_usable() if look.poll(0) else True


@contextmanager
def one_savepoint_less() -> Iterator[None]:
    """Inside an outermost transaction whose failure is the failure of all: the command in it needs no savepoint of its own.

    Only the first level is left out; where a command itself tries something and goes on, its savepoint is made.
    """
    wrapper: Any = connection
    wrapper.outer_is_all, before = len(wrapper.savepoint_ids) == 0, wrapper.outer_is_all
    try:
        yield
    finally:
        wrapper.outer_is_all = before
