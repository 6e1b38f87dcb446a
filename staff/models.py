"""Employees, posts, deputies, skills and rosters (chapter 5)."""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import DateRange, Root, Store, User
from dealership.kernel.saying import in_language

# 2.1.1: who serves at the desk has the training for it. The level that counts is the dated setting of that day.
DESK_ROLES = ("receptionist", "advisor")
_DESK = "('receptionist', 'advisor')"
_TRAINED = """
    SELECT 1 FROM staff_employeeskill k JOIN staff_skill s ON s.id = k.skill_id
    WHERE k.employee_id = {person} AND s.code = 'reception' AND k.level >= COALESCE((
        SELECT (v.value #>> '{{}}')::int FROM kernel_setting v
        WHERE v.key = 'staff.reception_skill_level' AND (v.store_id IS NULL OR v.store_id = {store})
            AND v.starts_on <= {day} AND (v.ends_on IS NULL OR v.ends_on >= {day})
        ORDER BY v.store_id NULLS LAST LIMIT 1), 2)
"""
_CURRENT = _TRAINED + " AND (k.valid_until IS NULL OR k.valid_until >= {day})"


def _rostered_at_desk(trained: str) -> str:
    """The row's day is a working day at the desk without what ``trained`` selects."""
    here = {"person": "NEW.employee_id", "store": "NEW.store_id", "day": "NEW.day"}
    return """
        IF NEW.shift_id IS NOT NULL AND (EXISTS (
            SELECT 1 FROM staff_postholding h JOIN staff_post p ON p.id = h.post_id
            WHERE h.employee_id = NEW.employee_id AND p.role IN DESK
                AND h.starts_on <= NEW.day AND (h.ends_on IS NULL OR h.ends_on >= NEW.day)
        ) OR EXISTS (
            SELECT 1 FROM staff_deputyship d JOIN staff_post p ON p.id = d.post_id
            WHERE d.deputy_id = NEW.employee_id AND p.role IN DESK
                AND d.starts_on <= NEW.day AND d.ends_on >= NEW.day
        )) AND NOT EXISTS (TRAINED FOR SHARE OF k) THEN {refuse} END IF;
        RETURN NEW;
    """.replace("DESK", _DESK).replace("TRAINED", trained.format(**here))


def _desk_post_of_the_trained(name: str, person: str) -> pgtrigger.Trigger:
    """A desk post, or deputising in one, isn't given to somebody who is on the roster of its days without the training."""
    here = {"person": f"NEW.{person}", "store": "r.store_id", "day": "r.day"}
    return states.guard(
        name,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF EXISTS (SELECT 1 FROM staff_post p WHERE p.id = NEW.post_id AND p.role IN DESK) AND EXISTS (
                SELECT 1 FROM staff_rosterday r WHERE r.employee_id = NEW.PERSON AND r.shift_id IS NOT NULL
                    AND r.day >= NEW.starts_on AND (NEW.ends_on IS NULL OR r.day <= NEW.ends_on)
                    AND NOT EXISTS (TRAINED)
            ) THEN {refuse} END IF;
            RETURN NEW;
        """.replace("DESK", _DESK)
        .replace("PERSON", person)
        .replace("TRAINED", _CURRENT.format(**here)),
        code="roster.untrained_post",
        text=_(
            "The person is on the roster of these days without current pre-job training for the desk (2.1.1); grade the "
            "skill “Reception”, or take the person off the roster first."
        ),
    )


class Department(models.Model):
    """1.2: customer service, repair, technical, finance, management, quality … of one store."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="departments")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=60)

    class Meta:
        triggers = [states.fixed("department_code_fixed", "code")]
        constraints = [models.UniqueConstraint(fields=["store", "code"], name="department_code")]

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """A post (岗位) of the group; holding it grants its role."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=60)
    name_en = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=40)

    class Meta:
        triggers = [
            states.fixed("post_code_fixed", "code"),
            states.ShownIn(root="staff.PostHolding", by="post", fields=("role",)),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return in_language(self.name, self.name_en)


class Employee(Root):
    """A person who works in a store; the log-in is optional and separate (5.1)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="employees", verbose_name=_("store"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="employees", verbose_name=_("department"))
    user = models.OneToOneField(User, models.PROTECT, null=True, blank=True, related_name="employee")
    number = models.CharField(_("staff number"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=60)
    pinyin = models.CharField(max_length=120, blank=True)
    phone = models.CharField(_("mobile"), max_length=20, blank=True)
    badge = models.CharField(_("badge"), max_length=40, blank=True)
    hired_on = models.DateField(_("hired on"))
    left_on = models.DateField(_("left on"), null=True, blank=True)

    class Meta:
        triggers = [states.versioned()]
        ordering = ["pinyin"]
        constraints = [
            models.UniqueConstraint(fields=["badge"], name="employee_badge", condition=~Q(badge="")),
            models.CheckConstraint(
                name="employee_period", condition=Q(left_on__isnull=True) | Q(left_on__gte=F("hired_on"))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def initial(self) -> str:
        """One sign for the avatar."""
        return self.name[:1]


explain_constraint("employee_badge", "badge.taken", _("A colleague has this code already."))


class PostHolding(Root):
    """An employee holds a post in a store from a day to a day; the role grant follows it."""

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="posts")
    post = models.ForeignKey(Post, models.PROTECT, related_name="holdings")
    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"), null=True, blank=True)

    class Meta:
        triggers = [
            states.ShownIn("employee"),
            states.versioned(),
            _desk_post_of_the_trained("postholding_desk_trained", "employee_id"),
        ]
        constraints = [
            ExclusionConstraint(
                name="postholding_once",
                expressions=[
                    ("employee", RangeOperators.EQUAL),
                    ("post", RangeOperators.EQUAL),
                    ("store", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            )
        ]


class Deputyship(Root):
    """A dated deputy: does the absent person's post in those days, under the deputy's own name (1.2)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    absent = models.ForeignKey(Employee, models.PROTECT, related_name="deputised", verbose_name=_("absent"))
    deputy = models.ForeignKey(Employee, models.PROTECT, related_name="deputising", verbose_name=_("deputy"))
    post = models.ForeignKey(Post, models.PROTECT, related_name="+", verbose_name=_("post"))
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    reason = models.CharField(_("reason"), max_length=200)

    class Meta:
        triggers = [states.versioned(), _desk_post_of_the_trained("deputyship_desk_trained", "deputy_id")]
        constraints = [
            models.CheckConstraint(name="deputyship_other_person", condition=~Q(absent=F("deputy"))),
            models.CheckConstraint(name="deputyship_period", condition=Q(ends_on__gte=F("starts_on"))),
            ExclusionConstraint(
                name="deputyship_one_a_day",
                expressions=[
                    ("absent", RangeOperators.EQUAL),
                    ("post", RangeOperators.EQUAL),
                    ("store", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


explain_constraint("deputyship_other_person", "deputy.self", _("Nobody deputises for themselves."))
explain_constraint("deputyship_one_a_day", "deputy.overlap", _("On some of these days somebody deputises already."))
explain_constraint("deputyship_period", "deputy.period", _("The last day must not lie before the first."))
explain_constraint("postholding_once", "post.overlap", _("The person already holds this post in that time."))


class Skill(models.Model):
    """What a person can do: reception, electrics, high voltage, inspection … (5.1)."""

    code = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, blank=True)
    certificate_required = models.BooleanField(default=False)

    class Meta:
        triggers = [states.fixed("skill_code_fixed", "code")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return in_language(self.name, self.name_en)


class EmployeeSkill(Root):
    """A person's level in one skill: 0 none, 1 learning, 2 with help, 3 alone, 4 can teach; with certificate."""

    store_path = "employee__store_id"

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="skills")
    skill = models.ForeignKey(Skill, models.PROTECT, related_name="holders")
    level = models.PositiveSmallIntegerField()
    certificate_number = models.CharField(max_length=60, blank=True)
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        triggers = [states.ShownIn("employee"), states.versioned()]
        constraints = [
            models.UniqueConstraint(fields=["employee", "skill"], name="employeeskill_once"),
            models.CheckConstraint(name="employeeskill_level", condition=Q(level__gte=0, level__lte=4)),
        ]


class Shift(models.Model):
    """Working hours of one kind of day with its own lunch break."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="shifts")
    code = models.CharField(max_length=10)
    name = models.CharField(max_length=40)
    starts = models.TimeField()
    ends = models.TimeField()
    break_from = models.TimeField(null=True, blank=True)
    break_to = models.TimeField(null=True, blank=True)

    class Meta:
        triggers = [states.fixed("shift_code_fixed", "code")]
        constraints = [
            models.UniqueConstraint(fields=["store", "code"], name="shift_code"),
            models.CheckConstraint(name="shift_order", condition=Q(ends__gt=F("starts"))),
        ]


class RosterDay(Root):
    """One person works one shift on one day, or is away (shift empty)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, models.CASCADE, related_name="roster")
    day = models.DateField()
    shift = models.ForeignKey(Shift, models.PROTECT, null=True, blank=True, related_name="+")
    absence = models.CharField(max_length=40, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                "rosterday_desk_trained",
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_rostered_at_desk(_TRAINED),
                code="roster.untrained",
                text=_(
                    "Nobody serves at the desk without the pre-job training (2.1.1); grade the skill “Reception” first."
                ),
            ),
            states.guard(
                "rosterday_training_valid",
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=_rostered_at_desk(_CURRENT),
                code="roster.training_expired",
                text=_(
                    "On that day the pre-job training for the desk has run out (2.1.1); renew the skill “Reception” first."
                ),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["employee", "day"], name="rosterday_once")]
        indexes = [models.Index(fields=["store", "day"], name="rosterday_store")]
