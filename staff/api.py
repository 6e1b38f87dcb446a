"""Resources of chapter 5."""

from __future__ import annotations

from django.db.models import Q

from dealership.kernel import clock
from dealership.kernel.api.masking import mask_name, mask_phone
from dealership.kernel.api.resources import Filter, Many, Resource, register
from dealership.kernel.api.shapes import Day, Text, Uid, Whole
from staff import permissions
from staff.models import Employee, EmployeeSkill, PostHolding


def _posts():
    return PostHolding.objects.order_by("starts_on", "id")


def _holders(post_code: str):
    """The employees who hold a post today."""
    today = clock.today()
    held = PostHolding.objects.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today), starts_on__lte=today)
    return held.filter(post__code=post_code).values("employee_id")


def _skills():
    return EmployeeSkill.objects.order_by("skill__code", "id")


register(
    Resource(
        path="employees",
        name="Employee",
        room="staff",
        model=Employee,
        view=permissions.EMPLOYEES_VIEW,
        help="Who works in a store, with posts and skills (5.1).",
        refs=True,
        star="StaffAssignment",
        shape={
            "number": Text(),
            "name": Text(mask=mask_name),
            "phone": Text(mask=mask_phone),
            "store_code": Text(source="store__code"),
            "department_code": Text(source="department__code"),
            "hired_on": Day(),
            "left_on": Day(null=True),
            "posts": Many(
                rows=_posts,
                by="employee_id",
                fields={
                    "post_code": Text(source="post__code"),
                    "role": Text(source="post__role"),
                    "store_code": Text(source="store__code"),
                    "starts_on": Day(),
                    "ends_on": Day(null=True),
                },
            ),
            "skills": Many(
                rows=_skills,
                by="employee_id",
                fields={
                    "skill_code": Text(source="skill__code"),
                    "level": Whole(help="0 none, 1 learning, 2 with help, 3 alone, 4 can teach."),
                    "valid_until": Day(null=True),
                },
            ),
        },
        filters={
            "number": Filter(field=Text(20, min=1), lookup="number"),
            "uid": Filter(field=Uid(), lookup="uid"),
            "post": Filter(
                field=Text(40, min=1, help="Who holds this post today, by its code (posts.post_code of an employee)."),
                lookup="pk__in",
                of=_holders,
            ),
        },
    )
)
