"""Pages of people: list, skills, one person, and what HR and managers decide (1.2, 5.1)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dealership.kernel.pages import CommandPage, Page
from staff import permissions
from staff.forms import employees as forms
from staff.models import Deputyship, Employee, PostHolding
from staff.selectors import pages as reads
from staff.services import employees as commands


class StaffListPage(Page):
    """Everybody with posts, skills and today's shift; or the matrix of skills."""

    permission = permissions.EMPLOYEES_VIEW
    template_name = "staff/list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        view = asked.get("view", "list") if asked.get("view") in reads.VIEWS else "list"
        show = asked.get("show", "all") if asked.get("show") in reads.SHOWS else "all"
        words = asked.get("q", "")
        found = reads.directory(self.actor, show=show, words=words)
        return super().get_context_data(**kwargs) | {
            "found": found,
            "view": view,
            "show": show,
            "words": words,
            "levels": [(sign, word) for sign, (_level, word) in zip(reads.LEVEL_SIGNS, reads.LEVELS, strict=True)],
            "may_hire": self.actor.may(permissions.EMPLOYEES_MANAGE),
        }


class PersonPage(Page):
    """One person: posts, skills with certificates, deputies, history."""

    permission = permissions.EMPLOYEES_VIEW
    template_name = "staff/person.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.actor.may
        return super().get_context_data(**kwargs) | {
            "person": reads.person(self.actor, self.kwargs["uid"]),
            "may_manage": may(permissions.EMPLOYEES_MANAGE),
            "may_grade": may(permissions.SKILLS_GRADE),
            "may_deputise": may(permissions.DEPUTIES_APPOINT),
            "may_hand_over": may(permissions.WORK_HAND_OVER),
        }


class PersonCommand(CommandPage):
    """A form about one person; goes back to the person's page."""

    template_name = "staff/command.html"
    title: ClassVar[Any] = ""
    say: ClassVar[Any] = ""
    submit: ClassVar[Any] = ""
    danger: ClassVar[bool] = False

    @cached_property
    def employee(self) -> Employee:
        return Employee.objects.for_actor(self.actor).select_related("department").get(uid=self.kwargs["uid"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": self.actor, "employee": self.employee}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "person": reads.person(self.actor, self.employee.uid),
            "title": self.title,
            "say": self.say,
            "submit": self.submit,
            "variant": "danger" if self.danger else "primary",
            "back": reverse("staff-person", args=[self.employee.uid]),
        }

    def location(self, result: Any) -> str:
        return reverse("staff-person", args=[self.employee.uid])


class HirePage(CommandPage):
    permission = permissions.EMPLOYEES_MANAGE
    template_name = "staff/hire.html"
    form_class = forms.HireForm
    done = _("Hired; now give a post and, where needed, a log-in.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"actor": self.actor}

    def run(self, form: forms.HireForm) -> Employee:
        return commands.hire_employee(store=self.request.store, by=self.actor, **form.cleaned_data)  # type: ignore[attr-defined]

    def location(self, result: Employee) -> str:
        return reverse("staff-person", args=[result.uid])


class LoginPage(PersonCommand):
    permission = permissions.EMPLOYEES_MANAGE
    form_class = forms.LoginForm
    title, submit, done = (
        _("Give a log-in"),
        _("Give the log-in"),
        _("The log-in is there; its roles follow the posts."),
    )
    say = _("The roles of the posts come with it.")

    def run(self, form: forms.LoginForm) -> Employee:
        return commands.give_login(employee_uid=self.employee.uid, by=self.actor, **form.cleaned_data)


class PasswordPage(PersonCommand):
    permission = permissions.EMPLOYEES_MANAGE
    form_class = forms.PasswordForm
    title, submit, done = (
        _("Set a new password"),
        _("Set the password"),
        _("The new password holds from now on; tell it to the person."),
    )
    say = _("For who has forgotten it. Whoever is signed in with it is signed out.")

    def run(self, form: forms.PasswordForm) -> Employee:
        return commands.set_password(employee_uid=self.employee.uid, by=self.actor, **form.cleaned_data)


class BadgePage(PersonCommand):
    permission = permissions.EMPLOYEES_MANAGE
    form_class = forms.BadgeForm
    title, submit, done = _("Give a badge"), _("Save the code"), _("The kiosk knows this code from now on.")
    say = _("Scanned at the tablet in the workshop; the code before it is good for nothing.")

    def get_initial(self) -> dict[str, Any]:
        return {"badge": self.employee.badge}

    def run(self, form: forms.BadgeForm) -> Employee:
        return commands.set_badge(employee_uid=self.employee.uid, by=self.actor, **form.cleaned_data)


class PostPage(PersonCommand):
    permission = permissions.EMPLOYEES_MANAGE
    form_class = forms.PostForm
    title, submit, done = _("Give a post"), _("Give the post"), _("The post is given; its role holds for these days.")
    say = _("The log-in gets the post's role for these days.")

    def run(self, form: forms.PostForm) -> PostHolding:
        return commands.give_post(employee_uid=self.employee.uid, by=self.actor, **form.cleaned_data)


class EndPostPage(PersonCommand):
    permission = permissions.EMPLOYEES_MANAGE
    form_class = forms.EndForm
    title, submit, done, danger = _("End a post"), _("End the post"), _("The post ends on that day."), True
    say = _("The role ends with the post.")

    def get_form_kwargs(self) -> dict[str, Any]:
        self.employee.posts.get(uid=self.kwargs["holding"])  # somebody else's is 404 before anything is typed
        return super().get_form_kwargs()

    def run(self, form: forms.EndForm) -> PostHolding:
        return commands.end_post(holding_uid=self.kwargs["holding"], by=self.actor, **form.cleaned_data)


class DeputyPage(PersonCommand):
    permission = permissions.DEPUTIES_APPOINT
    form_class = forms.DeputyForm
    title, submit, done = _("Appoint a deputy"), _("Appoint"), _("The deputy is appointed for these days.")
    say = _("The deputy acts under the own name; history shows who did what.")

    def run(self, form: forms.DeputyForm) -> Deputyship:
        return commands.appoint_deputy(absent_uid=self.employee.uid, by=self.actor, **_uids(form, "deputy_uid"))


class EndDeputyPage(PersonCommand):
    permission = permissions.DEPUTIES_APPOINT
    form_class = forms.EndForm
    title, submit, done = _("End a deputyship"), _("End the deputyship"), _("The deputyship ends on that day.")
    say = _("The role ends with it.")
    danger = True

    def get_form_kwargs(self) -> dict[str, Any]:
        Deputyship.objects.for_actor(self.actor).get(uid=self.kwargs["deputyship"])
        return super().get_form_kwargs()

    def run(self, form: forms.EndForm) -> Deputyship:
        return commands.end_deputyship(uid=self.kwargs["deputyship"], by=self.actor, **form.cleaned_data)


class SkillPage(PersonCommand):
    permission = permissions.SKILLS_GRADE
    form_class = forms.SkillForm
    title, submit, done = _("Grade a skill"), _("Save the level"), _("The level is noted.")
    say = _("Dispatch and bookings read it.")

    def get_initial(self) -> dict[str, Any]:
        known = self.employee.skills.filter(skill__code=self.request.GET.get("skill", "")).first()
        if known is None:
            return super().get_initial() | {"skill_code": self.request.GET.get("skill", "")}
        return super().get_initial() | {
            "skill_code": known.skill.code,
            "level": known.level,
            "certificate_number": known.certificate_number,
            "valid_until": known.valid_until,
        }

    def run(self, form: forms.SkillForm) -> Any:
        return commands.grade_skill(employee_uid=self.employee.uid, by=self.actor, **form.cleaned_data)


class HandOverPage(PersonCommand):
    permission = permissions.WORK_HAND_OVER
    form_class = forms.HandOverForm
    title, submit = _("Hand over work"), _("Hand everything over")
    say = _("Open visits, promises and contacts get the colleague's name; what is done keeps the old one.")

    def run(self, form: forms.HandOverForm) -> int:
        moved = commands.hand_over_work(from_uid=self.employee.uid, by=self.actor, **_uids(form, "to_uid"))
        self.done = _now("Handed over: %(count)s things.") % {"count": moved}  # type: ignore[misc]
        return moved


class LeavePage(PersonCommand):
    permission = permissions.EMPLOYEES_MANAGE
    form_class = forms.LeaveForm
    title, submit, done, danger = (
        _("End the employment"),
        _("End it"),
        _("Posts, roles and rosters end that day."),
        True,
    )
    say = _("Posts, roles and rosters end with that day; hand over open work first.")

    def run(self, form: forms.LeaveForm) -> Employee:
        return commands.end_employment(employee_uid=self.employee.uid, by=self.actor, **form.cleaned_data)


def _uids(form: Any, *names: str) -> dict[str, Any]:
    from uuid import UUID

    return form.cleaned_data | {name: UUID(form.cleaned_data[name]) for name in names}
