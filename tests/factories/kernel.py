"""Stores, log-ins and actors for tests."""

from __future__ import annotations

from datetime import date, time
from itertools import count

from dealership.kernel.actors import Actor
from dealership.kernel.models import OpeningHours, Store, User
from dealership.kernel.services import actor_of, grant_role

_serial = count(1)


def _base36(number: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return digits[number] if number < 36 else _base36(number // 36) + digits[number % 36]


def make_store(code: str = "", **fields) -> Store:
    """A store that works every day from 8:00 to 18:00 with an hour's lunch break."""
    number = next(_serial)
    store = Store.objects.create(
        code=code or f"T{_base36(number):0>3}", name=fields.pop("name", f"测试店{number}"), brand="试", **fields
    )
    OpeningHours.objects.bulk_create(
        OpeningHours(store=store, weekday=day, opens=time(8), closes=time(18), break_from=time(12), break_to=time(13))
        for day in range(7)
    )
    return store


def make_user(*roles: str, store: Store, name: str = "") -> User:
    number = next(_serial)
    user = User.objects.create_user(
        username=f"user{number}", password="a-long-test-password", name=name or f"员工{number}", store=store
    )
    for role in roles:
        grant_role(user=user, role=role, store=store, starts_on=date(2020, 1, 1))
    return user


def make_actor(*roles: str, store: Store, name: str = "") -> Actor:
    """A person with these roles, acting in ``store``."""
    return actor_of(make_user(*roles, store=store, name=name), store)
