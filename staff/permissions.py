"""What may be done with employees, posts and rosters (5.1), one sentence each."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

EMPLOYEES_VIEW = permission("staff.employees.view", _("See employees with their posts and skills."))
EMPLOYEES_MANAGE = permission("staff.employees.manage", _("Hire people, give them a log-in and posts, and end both."))
SKILLS_GRADE = permission("staff.skills.grade", _("Grade what people can do and note their certificates."))
DEPUTIES_APPOINT = permission("staff.deputies.appoint", _("Appoint a dated deputy for somebody who is away."))
WORK_HAND_OVER = permission("staff.work.hand_over", _("Hand over one person's open work to another."))
ROSTER_VIEW = permission("staff.roster.view", _("See who works when."))
ROSTER_MANAGE = permission("staff.roster.manage", _("Set who works when."))

role("hr", permissions={EMPLOYEES_VIEW, EMPLOYEES_MANAGE, SKILLS_GRADE, DEPUTIES_APPOINT, ROSTER_VIEW, ROSTER_MANAGE})
role("manager", permissions={EMPLOYEES_VIEW, DEPUTIES_APPOINT, WORK_HAND_OVER, ROSTER_VIEW, ROSTER_MANAGE})
role("gm", permissions={EMPLOYEES_VIEW, DEPUTIES_APPOINT, WORK_HAND_OVER, ROSTER_VIEW})
role("foreman", permissions={EMPLOYEES_VIEW, ROSTER_VIEW, ROSTER_MANAGE})
role("techdirector", permissions={EMPLOYEES_VIEW, SKILLS_GRADE, ROSTER_VIEW})
role("safety", permissions={EMPLOYEES_VIEW, ROSTER_VIEW})
role("supervisor", permissions={EMPLOYEES_VIEW, ROSTER_VIEW})
role("admin", permissions={EMPLOYEES_VIEW})
for code in ("receptionist", "advisor", "leader", "technician", "inspector", "parts", "care"):
    role(code, permissions={ROSTER_VIEW})
