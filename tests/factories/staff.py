"""Stores and people for tests, built through the commands; names are plainly fictional."""

from __future__ import annotations

from datetime import date, time
from itertools import count

from dealership.kernel.actors import Actor, machine
from dealership.kernel.models import OpeningHours, Store, User
from dealership.kernel.services import actor_of
from staff.models import Employee, Shift
from staff.services import employees, rosters

HIRED = date(2024, 1, 1)
SETUP = machine("test")
_numbers = count(1)


def make_store(code: str = "BJ01", name: str = "测试店", brand: str = "星河") -> Store:
    """A store that is open every day from 8:30 to 18:00 with lunch from 12 to 13; one department SVC, one shift DAY."""
    store, created = Store.objects.get_or_create(code=code, defaults={"name": name, "brand": brand})
    if created:
        OpeningHours.objects.bulk_create(
            OpeningHours(
                store=store,
                weekday=weekday,
                opens=time(8, 30),
                closes=time(18),
                break_from=time(12),
                break_to=time(13),
            )
            for weekday in range(7)
        )
        employees.open_department(store=store, code="SVC", name="客户服务部", by=SETUP)
        make_shift(store)
    return store


def make_shift(store: Store, code: str = "DAY") -> Shift:
    return rosters.define_shift(
        store=store,
        code=code,
        name="白班",
        starts=time(8, 30),
        ends=time(17, 30),
        break_from=time(12),
        break_to=time(13),
        by=SETUP,
    )


def make_employee(
    store: Store,
    *posts: str,
    name: str = "",
    skills: dict[str, int] | None = None,
    login: bool = True,
) -> Employee:
    """An employee with a log-in, the given posts from the day of hiring, and skills; desk people are trained (2.1.1)."""
    number = next(_numbers)
    user = (
        User.objects.create(
            username=f"person{number}-{store.code}".lower(), name=name or f"测试员{number}", store=store
        )
        if login
        else None
    )
    employee = employees.hire_employee(
        store=store,
        department_code="SVC",
        name=name or f"测试员{number}",
        number=f"T{number:05d}",
        hired_on=HIRED,
        user=user,
        by=SETUP,
    )
    for post in posts:
        employees.give_post(employee_uid=employee.uid, post_code=post, starts_on=HIRED, by=SETUP)
    grades = dict(skills or {})
    if {"receptionist", "advisor"} & set(posts):
        grades.setdefault("reception", 3)
    for code, level in grades.items():
        employees.grade_skill(
            employee_uid=employee.uid,
            skill_code=code,
            level=level,
            certificate_number="TEST-1" if level >= 3 else "",
            valid_until=date(2030, 12, 31) if level >= 3 else None,
            by=SETUP,
        )
    return employee


def actor_for(employee: Employee) -> Actor:
    """The employee at work in the own store, with the permissions of today's posts."""
    assert employee.user is not None
    return actor_of(User.objects.get(pk=employee.user.pk), employee.store)


def make_actor(store: Store, *posts: str, name: str = "") -> Actor:
    """Somebody new who holds these posts, as an actor."""
    return actor_for(make_employee(store, *posts, name=name))
