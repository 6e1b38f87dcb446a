"""Who works here, in which post, on which day (1.2, 5.1)."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from staff.models import Deputyship, Employee, PostHolding, RosterDay


def in_force(day: date) -> Q:
    """Dated rows (``starts_on`` / ``ends_on``, open end allowed) that hold on ``day``."""
    return Q(starts_on__lte=day) & (Q(ends_on__isnull=True) | Q(ends_on__gte=day))


def employed(day: date) -> Q:
    """Employees who are employed on ``day``."""
    return Q(hired_on__lte=day) & (Q(left_on__isnull=True) | Q(left_on__gte=day))


def employee_of(actor: Actor) -> Employee | None:
    """The employee behind a signed-in person; None for machines, links, clients and who works here no longer."""
    if actor.user is None:
        return None
    return (
        Employee.objects.filter(employed(clock.today()), user_id=actor.user.pk)
        .select_related("store", "department", "user")
        .first()
    )


def require_employee(actor: Actor) -> Employee:
    """The employee behind the actor. Raises RuleError "employee.missing" where there is none."""
    employee = employee_of(actor)
    if employee is None:
        raise RuleError(
            "employee.missing",
            _("Your log-in belongs to no employee; ask HR to connect it on the page Staff."),
        )
    return employee


def employees_with_role(store_id: int, role: str, day: date | None = None) -> QuerySet[Employee]:
    """Employees who do ``role`` in the store on ``day`` (default: today), by their post or as a deputy."""
    on = day or clock.today()
    holders = PostHolding.objects.filter(in_force(on), store_id=store_id, post__role=role).values("employee_id")
    deputies = Deputyship.objects.filter(in_force(on), store_id=store_id, post__role=role).values("deputy_id")
    return Employee.objects.filter(employed(on), Q(pk__in=holders) | Q(pk__in=deputies)).order_by("pinyin", "pk")


def on_duty(store_id: int, day: date) -> QuerySet[RosterDay]:
    """The roster rows of everybody who works in the store on ``day``, with ``employee`` and ``shift`` at hand."""
    return (
        RosterDay.objects.filter(store_id=store_id, day=day, shift__isnull=False)
        .select_related("employee", "shift")
        .order_by("employee__pinyin", "employee_id")
    )


def posts_on(employee: Employee, day: date) -> list[PostHolding]:
    """The posts a person holds on ``day`` (deputyships apart)."""
    return list(PostHolding.objects.filter(in_force(day), employee=employee).select_related("post", "store"))


def roles_on(employee: Employee, day: date) -> set[str]:
    """The roles a person does on ``day``: own posts and deputyships."""
    own = PostHolding.objects.filter(in_force(day), employee=employee).values_list("post__role", flat=True)
    for_others = Deputyship.objects.filter(in_force(day), deputy=employee).values_list("post__role", flat=True)
    return {*own, *for_others}
