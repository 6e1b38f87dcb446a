"""A store, and nothing remembered from the test before."""

import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection

from dealership.kernel.api import auth
from dealership.kernel.history import HORIZON
from dealership.kernel.models import Store
from tests.exchange.shop import Shop
from tests.factories.kernel import make_store


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    auth.forget()
    cache.clear()
    yield
    auth.forget()
    cache.clear()


@pytest.fixture
def store(db: None) -> Store:
    return make_store()


def all_served() -> None:
    """Waits until the feed gives every line that is committed.

    A line waits for every older transaction of this database: a request or task of this test may still end.
    """
    end = time.monotonic() + 120
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(f"SELECT coalesce(max(txid), 0) < {HORIZON} FROM kernel_history")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.05)
    raise AssertionError("an older transaction stays open")


@pytest.fixture
def shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)
