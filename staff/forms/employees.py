"""What the pages of Staff and Roster ask for; the rules stand in the commands."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.saying import say_name
from staff.models import Department, Employee, Post, Shift, Skill
from staff.selectors.employees import employed
from staff.selectors.pages import LEVELS


def day_field(label: Any, **options: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options)


class ActorForm(forms.Form):
    """A form whose choices depend on who asks."""

    def __init__(self, *args: Any, actor: Actor, employee: Employee | None = None, **kwargs: Any) -> None:
        self.actor, self.employee = actor, employee
        super().__init__(*args, **kwargs)
        self.fill()

    def fill(self) -> None:
        """Sets the choices."""

    def choose(self, name: str, choices: list[tuple[Any, Any]], *, empty: bool = False) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "—"), *choices] if empty else choices

    def posts(self) -> list[tuple[str, str]]:
        return [(post.code, post.label) for post in Post.objects.order_by("pk")]

    def colleagues(self) -> list[tuple[str, str]]:
        people = Employee.objects.for_actor(self.actor).filter(employed(clock.today()))
        if self.employee is not None:
            people = people.exclude(pk=self.employee.pk)
        return [(str(e.uid), f"{e.name} · {e.number}") for e in people.order_by("pinyin", "pk")]


class HireForm(ActorForm):
    name = forms.CharField(label=_("Name"), max_length=60)
    number = forms.CharField(label=_("Staff number"), max_length=20)
    department_code = forms.ChoiceField(label=_("Department"))
    phone = forms.CharField(label=_("Mobile"), max_length=20, required=False)
    hired_on = day_field(_("Hired on"), initial=clock.today)

    def fill(self) -> None:
        departments = Department.objects.filter(store_id=self.actor.store_id).order_by("pk")
        self.choose("department_code", [(d.code, d.name) for d in departments])


class PasswordForm(ActorForm):
    password = forms.CharField(
        label=_("New password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Ten characters or more; the person changes it on the page Profile."),
    )


class BadgeForm(ActorForm):
    badge = forms.CharField(
        label=_("Code on the badge"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
        help_text=_("Scan the card here or type its code. Left empty, the staff number is the code."),
    )


class LoginForm(PasswordForm):
    username = forms.CharField(label=_("User name"), max_length=60)
    field_order = ("username", "password")

    def fill(self) -> None:
        self.fields["password"].label = _("First password")


class PostForm(ActorForm):
    post_code = forms.ChoiceField(label=_("Post"))
    starts_on = day_field(_("From"), initial=clock.today)
    ends_on = day_field(_("To"), required=False, help_text=_("Empty: until further notice."))

    def fill(self) -> None:
        self.choose("post_code", self.posts())


class EndForm(ActorForm):
    ends_on = day_field(_("Last day"), initial=clock.today)


class DeputyForm(ActorForm):
    post_code = forms.ChoiceField(label=_("Post"))
    deputy_uid = forms.ChoiceField(label=_("Deputy"))
    starts_on = day_field(_("From"), initial=clock.today)
    ends_on = day_field(_("To"))
    reason = forms.CharField(label=_("Reason"), max_length=200)

    def fill(self) -> None:
        assert self.employee is not None
        held = Post.objects.filter(holdings__employee=self.employee).distinct().order_by("pk")
        self.choose("post_code", [(post.code, post.label) for post in held])
        self.choose("deputy_uid", self.colleagues(), empty=True)


class SkillForm(ActorForm):
    skill_code = forms.ChoiceField(label=_("Skill"))
    level = forms.TypedChoiceField(label=_("Level"), coerce=int, widget=forms.RadioSelect)
    certificate_number = forms.CharField(
        label=_("Certificate number"),
        max_length=60,
        required=False,
        help_text=_("Needed from level 3 on for skills that the law binds to a certificate."),
    )
    valid_until = day_field(_("Valid until"), required=False)

    def fill(self) -> None:
        self.choose("skill_code", [(skill.code, skill.label) for skill in Skill.objects.order_by("pk")])
        self.choose("level", [(level, f"{level} · {word}") for level, word in LEVELS])


class HandOverForm(ActorForm):
    to_uid = forms.ChoiceField(label=_("Hand over to"))
    reason = forms.CharField(label=_("Reason"), max_length=200)

    def fill(self) -> None:
        self.choose("to_uid", self.colleagues(), empty=True)


class LeaveForm(ActorForm):
    left_on = day_field(_("Last day"), initial=clock.today)


class RosterDayForm(ActorForm):
    shift_code = forms.ChoiceField(label=_("Shift"), required=False, widget=forms.RadioSelect)
    absence = forms.CharField(
        label=_("Absence"),
        max_length=40,
        required=False,
        help_text=_("Leave, illness, training … only without a shift."),
    )

    def fill(self) -> None:
        assert self.employee is not None
        shifts = Shift.objects.filter(store_id=self.employee.store_id).order_by("code")
        choices = [(s.code, f"{say_name(s.name)} {s.starts:%H:%M}–{s.ends:%H:%M}") for s in shifts]
        self.choose("shift_code", [("", _("Free")), *choices])


class RosterPlanForm(ActorForm):
    employee_uid = forms.ChoiceField(label=_("Person"))
    first = day_field(_("From"), initial=clock.today)
    last = day_field(_("To"))
    shift_code = forms.ChoiceField(label=_("Shift"))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Works on"), coerce=int, widget=forms.CheckboxSelectMultiple, initial=[0, 1, 2, 3, 4]
    )

    def fill(self) -> None:
        self.choose("employee_uid", self.colleagues())
        shifts = Shift.objects.filter(store_id=self.actor.store_id).order_by("code")
        self.choose("shift_code", [(s.code, f"{say_name(s.name)} {s.starts:%H:%M}–{s.ends:%H:%M}") for s in shifts])
        names = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
        self.choose("weekdays", list(enumerate(names)))
