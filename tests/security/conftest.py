"""One world for the whole folder: made in a transaction that is never committed; each test works in a savepoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from dealership.kernel import clock
from dealership.kernel.api import auth

from .world import NOW, World


@pytest.fixture(scope="package")
def made_world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr(settings, "VAR_DIR", tmp_path_factory.mktemp("var"))
        yield World()
        transaction.set_rollback(True)


@pytest.fixture
def world(made_world: World) -> Iterator[World]:
    """The world as it was made, at ten past three on a Friday; what the test does to it is undone."""
    auth.forget()
    cache.clear()
    with transaction.atomic(), clock.moved_to(NOW):
        yield made_world
        transaction.set_rollback(True)
    auth.forget()
    cache.clear()
