"""A store, and nothing remembered from the test before."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from dealership.kernel.api import auth
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


@pytest.fixture
def shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)
