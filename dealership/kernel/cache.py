"""The cache in Redis, which nobody needs: while Redis is away everything is looked up afresh and no page fails (7.1)."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class ForgivingCache(RedisCache):
    """Reads find nothing, writes are dropped, counters begin anew while Redis doesn't answer."""

    def _without(self, what: str, error: Exception) -> None:
        log.warning("cache.away", what=what, error=type(error).__name__)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except (RedisError, OSError) as error:
            self._without("get", error)
            return default

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        try:
            return super().get_many(keys, version)
        except (RedisError, OSError) as error:
            self._without("get_many", error)
            return {}

    def has_key(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().has_key(key, version)
        except (RedisError, OSError) as error:
            self._without("has_key", error)
            return False

    def add(self, key: Any, value: Any, *args: Any, **given: Any) -> bool:
        try:
            return super().add(key, value, *args, **given)
        except (RedisError, OSError) as error:
            self._without("add", error)
            return True

    def set(self, key: Any, value: Any, *args: Any, **given: Any) -> None:
        try:
            super().set(key, value, *args, **given)
        except (RedisError, OSError) as error:
            self._without("set", error)

    def set_many(self, data: Any, *args: Any, **given: Any) -> list[Any]:
        try:
            return super().set_many(data, *args, **given)
        except (RedisError, OSError) as error:
            self._without("set_many", error)
            return list(data)

    def touch(self, key: Any, *args: Any, **given: Any) -> bool:
        try:
            return super().touch(key, *args, **given)
        except (RedisError, OSError) as error:
            self._without("touch", error)
            return False

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        try:
            return super().incr(key, delta, version)
        except (RedisError, OSError) as error:
            self._without("incr", error)
            return delta

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().delete(key, version)
        except (RedisError, OSError) as error:
            self._without("delete", error)
            return False

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        try:
            super().delete_many(keys, version)
        except (RedisError, OSError) as error:
            self._without("delete_many", error)
