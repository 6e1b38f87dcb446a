"""Events of chapter 5."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event

# employees and posts
EMPLOYEE_HIRED = event("staff.employee.hired", _("Employee hired"), clause="5.1")
EMPLOYEE_LEFT = event("staff.employee.left", _("Employee left"), clause="5.1")
LOGIN_GIVEN = event("staff.employee.login_given", _("Log-in given"), clause="7.1")
BADGE_SET = event("staff.employee.badge_set", _("Badge given"), clause="3.2")
PASSWORD_SET = event("staff.employee.password_set", _("New password set"), clause="7.1")
POST_GIVEN = event("staff.post.given", _("Post given"), clause="1.2")
POST_ENDED = event("staff.post.ended", _("Post ended"), clause="1.2")
DEPUTY_APPOINTED = event("staff.deputy.appointed", _("Deputy appointed"), clause="1.2")
DEPUTY_ENDED = event("staff.deputy.ended", _("Deputyship ended"), clause="1.2")
SKILL_GRADED = event("staff.skill.graded", _("Skill graded"), clause="5.1")
WORK_HANDED_OVER = event("staff.work.handed_over", _("Work handed over to a colleague"), clause="1.2")

# rosters
ROSTER_SET = event("staff.roster.set", _("Roster day set"), clause="5.1")
ROSTER_PLANNED = event("staff.roster.planned", _("Roster planned"), clause="5.1")
