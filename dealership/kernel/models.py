"""Tables that every chapter stands on: people, stores, history, outbox, dated settings, numbers, messages, files."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

import pgtrigger
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from . import clock, states
from .actors import Actor, ActorKind
from .errors import RuleError, explain_constraint


class ScopedQuerySet(models.QuerySet):
    """Reads as somebody: what the actor may not see isn't there (7.1)."""

    def for_actor(self, by: Actor) -> Self:
        """Only rows of the actor's stores; a customer's link sees the rows of its own visit and nothing else."""
        model: Any = self.model
        if by.kind == ActorKind.LINK:
            return self.filter(**{model.link_path: by.visit_id}) if model.link_path else self.none()
        if model.store_path is None or by.store_ids is None:
            return self
        return self.filter(**{f"{model.store_path}__in": by.store_ids})

    def locked(self) -> Self:
        """Locks the rows themselves (FOR NO KEY UPDATE), so that two commands on one root run one after the other."""
        return self.select_for_update(of=("self",), no_key=True)


class Root(models.Model):
    """What commands lock and history speaks of: a random ``uid`` outside, a ``version`` that counts changes.

    Every subclass lists ``states.versioned()`` among its triggers. ``store_path`` is the look-up of the store's id
    (None: of the whole group), ``link_path`` the look-up of the visit's id that a customer's link is bound to.
    """

    store_path: ClassVar[str | None] = "store_id"
    link_path: ClassVar[str | None] = None

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.written_now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        """The timelines this root's events belong to: any of visit, vehicle, customer, order."""
        return {}


class Store(Root):
    """One shop of the group (1.2); its code stands in every number it gives out."""

    store_path = "id"

    code = models.CharField(_("code"), max_length=4, unique=True)
    name = models.CharField(_("name"), max_length=60)
    brand = models.CharField(_("brand"), max_length=40)
    company = models.CharField(_("company"), max_length=100, blank=True)
    uscc = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    complaint_phone = models.CharField(_("complaint telephone"), max_length=20, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")

    class Meta:
        triggers = [states.fixed("store_code_fixed", "code"), states.versioned()]
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A log-in. Who the person is stands in ``staff``; what the log-in may do comes from role grants."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=60)
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store"))
    preferences = models.JSONField(default=dict, blank=True)

    objects: ClassVar[UserManager[Self]] = UserManager()
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name or self.username


class RoleGrant(models.Model):
    """A role held by a log-in in one store (or, without store, in all) from a day to a day (1.2, 5.1)."""

    user = models.ForeignKey(User, models.CASCADE, related_name="role_grants")
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+")
    role = models.CharField(max_length=40)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=60, blank=True, help_text="post holding or deputyship that grants it")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rolegrant_period", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            )
        ]
        indexes = [models.Index(fields=["user", "starts_on"], name="rolegrant_user")]


class History(models.Model):
    """The append-only log (1.1). Made and guarded by plain SQL in the migration; partitioned by month of ``at``.

    ``at`` is when it happened, ``written_at`` when it was written; ``facts`` hold ids, codes, amounts and hashes, never
    names, phones or free text. No foreign key points here.
    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    written_at = models.DateTimeField()
    txid = models.BigIntegerField()
    code = models.CharField(max_length=80)
    root_type = models.CharField(max_length=40)
    root_uid = models.UUIDField()
    store = models.ForeignKey(Store, models.DO_NOTHING, null=True, db_constraint=False, related_name="+")
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)
    visit_uid = models.UUIDField(null=True)
    vehicle_uid = models.UUIDField(null=True)
    customer_uid = models.UUIDField(null=True)
    order_uid = models.UUIDField(null=True)
    late_reason = models.TextField(blank=True)
    changed = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()
    store_path = "store_id"
    link_path = None

    class Meta:
        managed = False
        db_table = "kernel_history"


class OutboxState(models.TextChoices):
    DUE = "DUE", _("Due")
    DONE = "DONE", _("Done")
    PARKED = "PARKED", _("Parked")


class Outbox(models.Model):
    """One effect owed for one event (1.1): the database decides what is due, Redis only carries it."""

    event_id = models.BigIntegerField()
    event_at = models.DateTimeField()
    code = models.CharField(max_length=80)
    handler = models.CharField(max_length=80)
    root_uid = models.UUIDField()
    store = models.ForeignKey(Store, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+")
    state = models.CharField(max_length=6, choices=OutboxState.choices, default=OutboxState.DUE)
    available_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True, help_text="a run began then; None after it failed")
    lost = models.PositiveSmallIntegerField(db_default=0, help_text="runs that never said how they ended")
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "handler"], name="outbox_once")]
        indexes = [
            models.Index(fields=["available_at", "id"], name="outbox_due", condition=Q(state=OutboxState.DUE)),
            models.Index(fields=["id"], name="outbox_parked", condition=Q(state=OutboxState.PARKED)),
        ]


class PeriodicRun(models.Model):
    """One run of one job for one period, taken once: two beats do no harm."""

    job = models.CharField(max_length=60)
    period = models.CharField(max_length=40)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "period"], name="periodicrun_once")]


class Heartbeat(models.Model):
    """When relay, worker and beat were last alive, for the health page."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()


class DateRange(Func):
    function = "daterange"
    template = "%(function)s(%(expressions)s, '[]')"


class Setting(Root):
    """A number of the rules with its validity: every number of the trade is a dated row, never a constant."""

    store_path = None

    key = models.CharField(max_length=80)
    store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("store"))
    value = models.JSONField()
    starts_on = models.DateField(_("valid from"))
    ends_on = models.DateField(_("valid to"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        triggers = [states.versioned()]
        constraints = [
            models.CheckConstraint(
                name="setting_period", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
            ExclusionConstraint(
                name="setting_one_value_a_day",
                expressions=[
                    ("key", RangeOperators.EQUAL),
                    (Coalesce("store_id", Value(0)), RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]


explain_constraint(
    "setting_one_value_a_day", "setting.overlap", _("On some of these days the setting already has a value.")
)
explain_constraint("setting_period", "setting.period", _("The last day must not lie before the first."))


class Counter(models.Model):
    """The last number of one series; its row lock makes the series gapless, so it is taken last (design 5)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20)
    period = models.CharField(max_length=8)
    value = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "kind", "period"], name="counter_series")]


class MessageChannel(models.TextChoices):
    SMS = "SMS", _("SMS")
    EMAIL = "EMAIL", _("E-mail")
    WECHAT = "WECHAT", _("WeChat")
    STAFF = "STAFF", _("To staff")


class MessageState(models.TextChoices):
    QUEUED = "QUEUED", _("Waiting to be sent")
    SENT = "SENT", _("Sent")
    MAILBOX = "MAILBOX", _("In the demo mailbox")
    FAILED = "FAILED", _("Not sent")
    UNCERTAIN = "UNCERTAIN", _("May have been sent")


MESSAGE_MOVES = {
    MessageState.QUEUED: {MessageState.SENT, MessageState.MAILBOX, MessageState.FAILED, MessageState.UNCERTAIN},
    MessageState.FAILED: {MessageState.QUEUED},
    MessageState.UNCERTAIN: {MessageState.QUEUED, MessageState.SENT},
    MessageState.SENT: set(),
    MessageState.MAILBOX: set(),
}


class Message(Root):
    """One message to one recipient; ``key`` is the effect's own unique key, so that nothing is sent twice."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    key = models.CharField(max_length=120, unique=True)
    channel = models.CharField(max_length=8, choices=MessageChannel.choices)
    recipient = models.CharField(max_length=120)
    recipient_name = models.CharField(max_length=60, blank=True)
    template = models.CharField(max_length=60)
    language = models.CharField(max_length=10, default="zh-hans")
    subject = models.CharField(max_length=160, blank=True)
    body = models.TextField()
    visit_uid = models.UUIDField(null=True, blank=True, db_index=True)
    state = models.CharField(max_length=10, choices=MessageState.choices, default=MessageState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True, help_text="the recipient's quiet hours end then")
    read_at = models.DateTimeField(null=True, blank=True, help_text="a colleague has read it here")

    class Meta:
        triggers = [states.versioned(), states.fsm(MESSAGE_MOVES, field="state", name="message_moves")]
        indexes = [
            models.Index(fields=["store", "-id"], name="message_store"),
            models.Index(
                fields=["recipient"],
                name="message_unread",
                condition=models.Q(channel=MessageChannel.STAFF, read_at__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="message_read_by_staff",
                condition=models.Q(read_at__isnull=True) | models.Q(channel=MessageChannel.STAFF),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"visit": self.visit_uid}


class StoredFile(models.Model):
    """A photo, signature or paper; the content lies under MEDIA_ROOT by its hash and never changes (3.3)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    visit_uid = models.UUIDField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(default=clock.now)
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)

    store_path = "store_id"
    link_path = None
    objects = ScopedQuerySet.as_manager()

    class Meta:
        triggers = [
            pgtrigger.Protect(name="storedfile_immutable", operation=pgtrigger.Update | pgtrigger.Delete),
        ]


class ApprovalState(models.TextChoices):
    ASKED = "ASKED", _("Waiting for a decision")
    APPROVED = "APPROVED", _("Approved")
    REFUSED = "REFUSED", _("Refused")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn")


APPROVAL_MOVES: dict[ApprovalState, set[ApprovalState]] = {
    ApprovalState.ASKED: {ApprovalState.APPROVED, ApprovalState.REFUSED, ApprovalState.WITHDRAWN},
    ApprovalState.APPROVED: set(),
    ApprovalState.REFUSED: set(),
    ApprovalState.WITHDRAWN: set(),
}


class Approval(Root):
    """A decision asked of whoever may decide: discount, goodwill, unpaid exit (1.2, 4.1). Four eyes: never one's own."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    root_type = models.CharField(max_length=40)
    root_uid = models.UUIDField()
    visit_uid = models.UUIDField(null=True, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=ApprovalState.choices, default=ApprovalState.ASKED)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        triggers = [states.versioned(), states.fsm(APPROVAL_MOVES, field="state", name="approval_moves")]
        constraints = [
            models.CheckConstraint(
                name="approval_four_eyes",
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
            ),
            models.CheckConstraint(
                name="approval_decided_by_someone",
                condition=~Q(state__in=[ApprovalState.APPROVED, ApprovalState.REFUSED])
                | Q(decided_by__isnull=False, decided_at__isnull=False),
            ),
            models.UniqueConstraint(
                name="approval_one_open", fields=["kind", "root_uid"], condition=Q(state=ApprovalState.ASKED)
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"visit": self.visit_uid}

    def decide(self, *, approve: bool, by: User) -> None:
        """1.2: somebody other than the asker decides, once."""
        target = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
        states.require(APPROVAL_MOVES, ApprovalState(self.state), target)
        if by.pk == self.asked_by_id:
            raise RuleError("approval.four_eyes", _("You asked for this yourself; somebody else must decide."))
        self.state, self.decided_by, self.decided_at = target, by, clock.now()

    decide.alters_data = True  # type: ignore[attr-defined]


explain_constraint("approval_four_eyes", "approval.four_eyes", _("Who asks may not decide."))
explain_constraint("approval_one_open", "approval.open", _("A decision on this is already being waited for."))


class Submission(models.Model):
    """One page form sent once: the same token again leads to the first answer instead of a second row."""

    token = models.UUIDField(primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+")
    location = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.written_now)


class IdempotencyRecord(models.Model):
    """The stored answer of one POST over the API, replayed for the same key and body (design 6)."""

    client = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.written_now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="idempotency_once")]


class ExternalRef(models.Model):
    """The name another system has for one of our roots; the upsert key of the API (7.3)."""

    system = models.CharField(max_length=40)
    external_id = models.CharField(max_length=120)
    root_type = models.CharField(max_length=40)
    root_uid = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "root_type", "external_id"], name="externalref_once"),
            models.UniqueConstraint(fields=["system", "root_type", "root_uid"], name="externalref_one_per_system"),
        ]


explain_constraint("externalref_once", "reference.taken", _("Something else already has this name in that system."))
explain_constraint("externalref_one_per_system", "reference.other", _("This already has another name in that system."))


class OpeningHours(models.Model):
    """When a store works on one weekday (0 = Monday); the lunch break is optional. Working-time clocks run on this."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField()
    opens = models.TimeField()
    closes = models.TimeField()
    break_from = models.TimeField(null=True, blank=True)
    break_to = models.TimeField(null=True, blank=True)

    class Meta:
        ordering = ["weekday"]
        constraints = [
            models.UniqueConstraint(fields=["store", "weekday"], name="openinghours_weekday"),
            models.CheckConstraint(
                name="openinghours_order",
                condition=Q(closes__gt=F("opens"))
                & (
                    Q(break_from__isnull=True, break_to__isnull=True)
                    | Q(
                        break_from__isnull=False,
                        break_to__isnull=False,
                        break_from__gte=F("opens"),
                        break_to__gt=F("break_from"),
                        break_to__lte=F("closes"),
                    )
                ),
            ),
        ]


class CalendarDay(models.Model):
    """A day that differs from the week: closed, or open with its own hours (holiday, make-up day, stock-taking)."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="calendar_days")
    day = models.DateField()
    name = models.CharField(max_length=60, blank=True)
    opens = models.TimeField(null=True, blank=True)
    closes = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "day"], name="calendarday_once"),
            models.CheckConstraint(
                name="calendarday_hours",
                condition=Q(opens__isnull=True, closes__isnull=True)
                | Q(opens__isnull=False, closes__isnull=False, closes__gt=F("opens")),
            ),
        ]


class PublicDayKind(models.TextChoices):
    HOLIDAY = "HOLIDAY", _("Public holiday")
    MAKE_UP = "MAKE_UP", _("Make-up working day")


class PublicDay(Root):
    """One day of the State Council's yearly list, written down by the group (2.4); it wins over the package's list."""

    store_path = None

    day = models.DateField(_("day"), unique=True)
    kind = models.CharField(max_length=7, choices=PublicDayKind.choices)
    name = models.CharField(max_length=40)

    class Meta:
        triggers = [states.versioned()]
        constraints = [
            models.CheckConstraint(name="publicday_named", condition=~Q(name="")),
            models.CheckConstraint(
                name="publicday_make_up_on_weekend",
                condition=~Q(kind=PublicDayKind.MAKE_UP) | Q(day__iso_week_day__gte=6),
            ),
        ]


explain_constraint(
    "publicday_make_up_on_weekend",
    "publicday.kind",
    _("A make-up day is a Saturday or Sunday that is worked; check the date."),
)
