"""Hiring, posts, deputies, skills and the hand-over of work (1.2, 5.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.formats import clean_mobile, pinyin_full
from dealership.kernel.history import record
from dealership.kernel.models import Store, User
from dealership.kernel.services import end_role_grants, grant_role
from staff import events, permissions
from staff.models import Department, Deputyship, Employee, EmployeeSkill, Post, PostHolding, RosterDay, Skill
from staff.selectors.employees import employed, in_force, roles_on

HANDOVERS: list[Callable[[Employee, Employee, Actor], int]] = []
"""What upper chapters do when work is handed over: (from, to, by) → how many things changed hands."""


def _source(root: PostHolding | Deputyship) -> str:
    """The name under which a role grant remembers what it follows from."""
    return f"{root._meta.model_name}:{root.uid}"


def _locked(by: Actor, uid: UUID) -> Employee:
    return Employee.objects.for_actor(by).locked().select_related("store", "user").get(uid=uid)


def _post(code: str) -> Post:
    post = Post.objects.filter(code=code).first()
    if post is None:
        raise RuleError("post.unknown", _("There is no post “%(wanted)s”."), field="post_code", wanted=code)
    return post


def _require_period(starts_on: date, ends_on: date | None) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise RuleError("period.order", _("The last day must not lie before the first."), field="ends_on")


def _require_other_person(employee: Employee, by: Actor) -> None:
    """1.2: nobody gives rights to themselves."""
    if by.user is not None and employee.user_id == by.user.pk:
        raise RuleError("post.own", _("Nobody gives a post to themselves; ask somebody else who may."))


@transaction.atomic
def open_department(*, store: Store, code: str, name: str, by: Actor) -> Department:
    """Adds a department to a store (1.2); the same code again brings its name up to date."""
    by.require(permissions.EMPLOYEES_MANAGE)
    if not by.in_store(store.pk):
        raise Store.DoesNotExist
    department, _created = Department.objects.update_or_create(store=store, code=code, defaults={"name": name})
    return department


@transaction.atomic
def hire_employee(
    *,
    store: Store,
    department_code: str,
    name: str,
    number: str,
    hired_on: date,
    by: Actor,
    phone: str = "",
    user: User | None = None,
) -> Employee:
    """Takes a person on in a store (5.1). ``hired_on`` is a day at the store; the log-in may follow later.

    Raises RuleError for an empty name, an unknown department, a number that is taken or a log-in of somebody else.
    """
    by.require(permissions.EMPLOYEES_MANAGE)
    if not by.in_store(store.pk):
        raise Store.DoesNotExist
    name, number = formats.one_line(name), formats.one_line(number)
    if not name:
        raise RuleError("employee.name", _("A person needs a name."), field="name")
    department = Department.objects.filter(store=store, code=department_code).first()
    if department is None:
        raise RuleError(
            "employee.department",
            _("The store has no department “%(wanted)s”."),
            field="department_code",
            wanted=department_code,
        )
    if not number or Employee.objects.filter(number=number).exists():
        raise RuleError("employee.number", _("This staff number is missing or already taken."), field="number")
    if user is not None and Employee.objects.filter(user=user).exists():
        raise RuleError("employee.user", _("This log-in already belongs to another employee."), field="user")
    employee = Employee.objects.create(
        store=store,
        department=department,
        user=user,
        number=number,
        name=name,
        pinyin=pinyin_full(name),
        phone=_mobile(phone),
        hired_on=hired_on,
    )
    record(employee, events.EMPLOYEE_HIRED, by=by, department=department.code, hired_on=hired_on)
    return employee


def _mobile(phone: str) -> str:
    if not phone.strip():
        return ""
    try:
        return clean_mobile(phone)
    except ValidationError as exc:
        raise RuleError("employee.phone", exc.messages[0], field="phone") from exc


@transaction.atomic
def give_login(*, employee_uid: UUID, username: str, password: str, by: Actor) -> Employee:
    """Gives an employee a log-in (7.1); the roles of the posts already held come with it.

    The first password is told to the person, who changes it. Raises RuleError where there is a log-in already, the
    user name is taken or the password is too weak.
    """
    by.require(permissions.EMPLOYEES_MANAGE)
    employee = _locked(by, employee_uid)
    if employee.user_id is not None:
        raise RuleError("login.exists", _("This person already has a log-in."))
    username = username.strip()
    if not username or User.objects.filter(username__iexact=username).exists():
        raise RuleError("login.username", _("This user name is missing or already taken."), field="username")
    user = User(username=username, name=employee.name, store=employee.store)
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as exc:
        raise RuleError("login.refused", " ".join(exc.messages), field="password") from exc
    user.set_password(password)
    user.save()
    employee.user = user
    employee.save(update_fields=["user"])
    for holding in employee.posts.select_related("post", "store"):
        _grant(user, holding.post, holding.store, holding.starts_on, holding.ends_on, _source(holding))
    record(employee, events.LOGIN_GIVEN, by=by, user=user.uid)
    return employee


@transaction.atomic
def set_password(*, employee_uid: UUID, password: str, by: Actor) -> Employee:
    """A new first password for who has forgotten theirs (7.1): told to the person, who changes it. Ends their sessions.

    Raises RuleError ``login.none`` where there is no log-in, ``login.own`` for one's own, ``login.refused`` where the
    password is too weak.
    """
    by.require(permissions.EMPLOYEES_MANAGE)
    employee = _locked(by, employee_uid)
    if employee.user is None:
        raise RuleError("login.none", _("This person has no log-in yet; give one first."))
    if by.user is not None and employee.user_id == by.user.pk:
        raise RuleError("login.own", _("Your own password is changed on the page Profile."))
    try:
        validate_password(password, employee.user)
    except ValidationError as exc:
        raise RuleError("login.refused", " ".join(exc.messages), field="password") from exc
    employee.user.set_password(password)
    employee.user.save(update_fields=["password"])
    record(employee, events.PASSWORD_SET, by=by, user=employee.user.uid)
    return employee


MOST_BADGE = 40


@transaction.atomic
def set_badge(*, employee_uid: UUID, badge: str, by: Actor) -> Employee:
    """The code on the card that a kiosk scans (3.2); empty: the staff number is the code again.

    Capitals, digits and hyphens, so that every scanner reads them. Raises RuleError ``badge.signs``, ``badge.same`` and
    ``badge.taken`` where a colleague has this card, or this staff number without a card.
    """
    by.require(permissions.EMPLOYEES_MANAGE)
    employee = _locked(by, employee_uid)
    code = badge.strip().upper()
    if code and (len(code) > MOST_BADGE or not re.fullmatch(r"[A-Z0-9][A-Z0-9-]*", code) or code.startswith("PAUSE-")):
        raise RuleError(
            "badge.signs",
            _("A badge has capitals, digits and hyphens, forty at most, as the scanner reads it."),
            field="badge",
        )
    if code == employee.badge:
        raise RuleError("badge.same", _("The badge has this code already."), field="badge")
    others = Employee.objects.exclude(pk=employee.pk)
    holder = others.filter(Q(badge=code) | Q(badge="", number__iexact=code)).first() if code else None
    holder = holder or (others.filter(badge__iexact=employee.number).first() if not code else None)
    if holder is not None:
        raise RuleError("badge.taken", _("%(name)s has this code already."), field="badge", name=holder.name)
    had = bool(employee.badge)
    employee.badge = code
    employee.save(update_fields=["badge"])
    record(employee, events.BADGE_SET, by=by, changed={"own_code": (had, bool(code))})
    return employee


def _grant(user: User, post: Post, store: Store, starts_on: date, ends_on: date | None, source: str) -> None:
    grant_role(user=user, role=post.role, store=store, starts_on=starts_on, ends_on=ends_on, source=source)


@transaction.atomic
def give_post(
    *,
    employee_uid: UUID,
    post_code: str,
    starts_on: date,
    by: Actor,
    ends_on: date | None = None,
    store: Store | None = None,
) -> PostHolding:
    """Gives a person a post from a day to a day; the log-in gets the post's role for these days (1.2).

    ``store`` is another store than the person's own where the group lets somebody work in both.

    Raises RuleError "post.overlap" where the person holds it on one of the days, "post.own" for one's own log-in.
    """
    by.require(permissions.EMPLOYEES_MANAGE)
    employee = _locked(by, employee_uid)
    _require_other_person(employee, by)
    _require_period(starts_on, ends_on)
    post, store = _post(post_code), store or employee.store
    if not by.in_store(store.pk):
        raise Store.DoesNotExist
    if starts_on < employee.hired_on or (employee.left_on is not None and (ends_on or date.max) > employee.left_on):
        raise RuleError("post.not_employed", _("The person isn't employed on all of these days."), field="starts_on")
    others = PostHolding.objects.filter(employee=employee, post=post, store=store)
    if others.filter(_overlapping(starts_on, ends_on)).exists():
        raise RuleError("post.overlap", _("The person already holds this post in that time."), field="starts_on")
    holding = PostHolding.objects.create(
        employee=employee, post=post, store=store, starts_on=starts_on, ends_on=ends_on
    )
    if employee.user is not None:
        _grant(employee.user, post, store, starts_on, ends_on, _source(holding))
    record(
        holding,
        events.POST_GIVEN,
        by=by,
        employee=employee.uid,
        post=post.code,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    return holding


def _overlapping(starts_on: date, ends_on: date | None) -> Q:
    later = Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on)
    return later if ends_on is None else later & Q(starts_on__lte=ends_on)


@transaction.atomic
def end_post(*, holding_uid: UUID, ends_on: date, by: Actor) -> PostHolding:
    """Ends a post with the end of a day; its role ends with it (1.2). Deputies appointed for it stay as agreed."""
    by.require(permissions.EMPLOYEES_MANAGE)
    holding = PostHolding.objects.for_actor(by).locked().select_related("employee", "post").get(uid=holding_uid)
    _require_period(holding.starts_on, ends_on)
    if holding.ends_on is not None and holding.ends_on < ends_on:
        raise RuleError("post.ended", _("The post ends earlier already."), field="ends_on")
    if holding.ends_on == ends_on:
        raise RuleError("post.ended", _("The post ends on that day already."), field="ends_on")
    _end_post(holding, ends_on, by)
    return holding


def _end_post(holding: PostHolding, ends_on: date, by: Actor) -> None:
    before, holding.ends_on = holding.ends_on, ends_on
    holding.save(update_fields=["ends_on"])
    end_role_grants(source=_source(holding), ends_on=ends_on)
    record(
        holding,
        events.POST_ENDED,
        by=by,
        changed={"ends_on": (before, ends_on)},
        employee=holding.employee.uid,
        post=holding.post.code,
    )


@transaction.atomic
def appoint_deputy(
    *,
    absent_uid: UUID,
    deputy_uid: UUID,
    post_code: str,
    starts_on: date,
    ends_on: date,
    reason: str,
    by: Actor,
) -> Deputyship:
    """Lets a colleague do an absent person's post in these days, under the colleague's own name (1.2).

    The deputy's log-in gets the post's role for the period. Raises RuleError where the absent person doesn't hold the
    post on all the days, the deputy has no log-in, or somebody already deputises on one of them.
    """
    by.require(permissions.DEPUTIES_APPOINT)
    _require_period(starts_on, ends_on)
    if absent_uid == deputy_uid:
        raise RuleError("deputy.self", _("Nobody deputises for themselves."), field="deputy_uid")
    if not reason.strip():
        raise RuleError("deputy.reason", _("Say why a deputy is needed."), field="reason")
    found = {
        employee.uid: employee
        for employee in Employee.objects.for_actor(by)
        .filter(uid__in=[absent_uid, deputy_uid])
        .select_related("store", "user")
        .locked()
        .order_by("pk")
    }
    if len(found) != 2:
        raise Employee.DoesNotExist
    absent, deputy = found[absent_uid], found[deputy_uid]
    _require_other_person(deputy, by)
    post = _post(post_code)
    held = PostHolding.objects.filter(employee=absent, post=post, starts_on__lte=starts_on).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=ends_on)
    )
    holding = held.select_related("store").first()
    if holding is None:
        raise RuleError(
            "deputy.post_not_held",
            _("%(name)s doesn't hold this post on all of these days."),
            field="post_code",
            name=absent.name,
        )
    if deputy.user is None:
        raise RuleError(
            "deputy.no_login", _("%(name)s has no log-in; give one first."), field="deputy_uid", name=deputy.name
        )
    if deputy.left_on is not None and deputy.left_on < ends_on:
        raise RuleError("deputy.not_employed", _("The deputy isn't employed on all of these days."), field="ends_on")
    earlier = Deputyship.objects.filter(absent=absent, post=post, store=holding.store)
    if earlier.filter(_overlapping(starts_on, ends_on)).exists():
        raise RuleError("deputy.overlap", _("On some of these days somebody deputises already."), field="starts_on")
    deputyship = Deputyship.objects.create(
        store=holding.store,
        absent=absent,
        deputy=deputy,
        post=post,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason.strip()[:200],
    )
    _grant(deputy.user, post, holding.store, starts_on, ends_on, _source(deputyship))
    record(
        deputyship,
        events.DEPUTY_APPOINTED,
        by=by,
        absent=absent.uid,
        deputy=deputy.uid,
        post=post.code,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    return deputyship


@transaction.atomic
def end_deputyship(*, uid: UUID, ends_on: date, by: Actor) -> Deputyship:
    """Ends a deputyship earlier than agreed, with the end of a day; the role ends with it (1.2)."""
    by.require(permissions.DEPUTIES_APPOINT)
    deputyship = Deputyship.objects.for_actor(by).locked().select_related("deputy", "post").get(uid=uid)
    _require_period(deputyship.starts_on, ends_on)
    if deputyship.ends_on < ends_on:
        raise RuleError("deputy.ended", _("The deputyship ends earlier already."), field="ends_on")
    if deputyship.ends_on == ends_on:
        raise RuleError("deputy.ended", _("The deputyship ends on that day already."), field="ends_on")
    before, deputyship.ends_on = deputyship.ends_on, ends_on
    deputyship.save(update_fields=["ends_on"])
    end_role_grants(source=_source(deputyship), ends_on=ends_on)
    record(
        deputyship,
        events.DEPUTY_ENDED,
        by=by,
        changed={"ends_on": (before, ends_on)},
        deputy=deputyship.deputy.uid,
        post=deputyship.post.code,
    )
    return deputyship


@transaction.atomic
def grade_skill(
    *,
    employee_uid: UUID,
    skill_code: str,
    level: int,
    by: Actor,
    certificate_number: str = "",
    valid_until: date | None = None,
) -> EmployeeSkill:
    """Notes a person's level 0 to 4 in a skill, with the certificate where the skill needs one to work alone (5.1).

    Raises RuleError for a level outside 0 to 4 and for level 3 or more without the number and end of the certificate.
    """
    by.require(permissions.SKILLS_GRADE)
    employee = _locked(by, employee_uid)
    skill = Skill.objects.filter(code=skill_code).first()
    if skill is None:
        raise RuleError("skill.unknown", _("There is no skill “%(wanted)s”."), field="skill_code", wanted=skill_code)
    if not 0 <= level <= 4:
        raise RuleError("skill.level", _("A level lies between 0 and 4."), field="level")
    number = certificate_number.strip()[:60]
    if skill.certificate_required and level >= 3 and not (number and valid_until):
        raise RuleError(
            "skill.certificate",
            _("From level 3 on this skill needs the certificate's number and its last day."),
            field="certificate_number",
        )
    graded = EmployeeSkill.objects.filter(employee=employee, skill=skill).first()
    before = graded.level if graded else None
    if graded is None:
        graded = EmployeeSkill(employee=employee, skill=skill)
    graded.level, graded.certificate_number, graded.valid_until = level, number, valid_until
    graded.save()
    record(
        graded,
        events.SKILL_GRADED,
        by=by,
        store_id=employee.store_id,
        changed={"level": (before, level)},
        employee=employee.uid,
        skill=skill.code,
        valid_until=valid_until,
    )
    return graded


@transaction.atomic
def hand_over_work(*, from_uid: UUID, to_uid: UUID, reason: str, by: Actor) -> int:
    """Hands one person's open visits, promises and contacts to a colleague (1.2); what is done stays under the old name.

    Returns how many things changed hands. Raises RuleError where the colleague does none of the person's roles today,
    or is the same person.
    """
    by.require(permissions.WORK_HAND_OVER)
    if from_uid == to_uid:
        raise RuleError("handover.same", _("Choose another person than the one who hands over."), field="to_uid")
    if not reason.strip():
        raise RuleError("handover.reason", _("Say why the work is handed over."), field="reason")
    people = Employee.objects.for_actor(by).filter(uid__in=[from_uid, to_uid]).locked().order_by("pk")
    found = {employee.uid: employee for employee in people}
    if len(found) != 2:
        raise Employee.DoesNotExist
    giver, taker = found[from_uid], found[to_uid]
    today = clock.today()
    ever_held = set(PostHolding.objects.filter(employee=giver).values_list("post__role", flat=True))
    if not Employee.objects.filter(employed(today), pk=taker.pk).exists() or not ever_held & roles_on(taker, today):
        raise RuleError(
            "handover.post",
            _("%(name)s does none of this person's posts; give the post or appoint a deputy first."),
            field="to_uid",
            name=taker.name,
        )
    moved = sum(hand(giver, taker, by) for hand in HANDOVERS)
    record(giver, events.WORK_HANDED_OVER, by=by, taker=taker.uid, moved=moved)
    return moved


@transaction.atomic
def end_employment(*, employee_uid: UUID, left_on: date, by: Actor) -> Employee:
    """A person leaves with the end of a day: posts, deputyships, roles and rostered days after it end (5.1)."""
    by.require(permissions.EMPLOYEES_MANAGE)
    employee = _locked(by, employee_uid)
    _require_other_person(employee, by)
    if employee.left_on is not None:
        raise RuleError("employee.left", _("This person has left already."))
    if left_on < employee.hired_on:
        raise RuleError("employee.period", _("Nobody leaves before being hired."), field="left_on")
    if PostHolding.objects.filter(employee=employee, starts_on__gt=left_on).exists():
        raise RuleError("employee.later_post", _("A post starts after that day; end it first."), field="left_on")
    for holding in PostHolding.objects.filter(in_force(left_on), employee=employee).select_related("employee", "post"):
        _end_post(holding, left_on, by)
    for deputyship in Deputyship.objects.filter(deputy=employee, ends_on__gt=left_on, starts_on__lte=left_on):
        before, deputyship.ends_on = deputyship.ends_on, left_on
        deputyship.save(update_fields=["ends_on"])
        end_role_grants(source=_source(deputyship), ends_on=left_on)
        record(deputyship, events.DEPUTY_ENDED, by=by, changed={"ends_on": (before, left_on)}, deputy=employee.uid)
    RosterDay.objects.filter(employee=employee, day__gt=left_on).delete()
    employee.left_on = left_on
    employee.save(update_fields=["left_on"])
    record(employee, events.EMPLOYEE_LEFT, by=by, left_on=left_on)
    return employee
