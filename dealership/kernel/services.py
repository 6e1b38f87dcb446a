"""Commands of the kernel: roles, settings, messages, files and approvals."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from . import approvals, clock, events, limits, permissions, registry, saying
from .actors import Actor, ActorKind
from .errors import RuleError
from .history import record
from .models import (
    APPROVAL_MOVES,
    MESSAGE_MOVES,
    Approval,
    ApprovalState,
    ExternalRef,
    Message,
    MessageState,
    PeriodicRun,
    RoleGrant,
    Root,
    Setting,
    Store,
    StoredFile,
    User,
)
from .states import require


def actor_of(user: User, store: Store | None) -> Actor:
    """The person acting in one store, with the permissions of the roles held there today."""
    store_ids = frozenset({store.pk}) if store else frozenset()
    today = clock.today(store.time_zone if store else settings.TIME_ZONE)
    roles = RoleGrant.objects.filter(
        Q(store=store) | Q(store__isnull=True),
        Q(ends_on__isnull=True) | Q(ends_on__gte=today),
        user=user,
        starts_on__lte=today,
    ).values_list("role", flat=True)
    held = frozenset(roles)
    granted: set[str] = set()
    for role in held:
        granted |= registry.ROLES.get(role, set())
    return Actor(ActorKind.USER, str(user.uid), frozenset(granted), store_ids, user=user, roles=held)


def stores_of(user: User) -> list[Store]:
    """The stores in which the person holds any role today."""
    today = clock.today()
    grants = RoleGrant.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today), user=user, starts_on__lte=today
    ).values_list("store_id", flat=True)
    ids = set(grants)
    return list(Store.objects.all() if None in ids else Store.objects.filter(id__in=ids))


@transaction.atomic
def grant_role(
    *, user: User, role: str, store: Store | None, starts_on: date, ends_on: date | None = None, source: str = ""
) -> RoleGrant:
    """Gives a log-in a role; called by ``staff`` when a post is taken or deputised (5.1)."""
    if role not in registry.ROLES:
        raise RuleError("role.unknown", _("There is no role “%(role)s”."), role=role)
    return RoleGrant.objects.create(
        user=user, role=role, store=store, starts_on=starts_on, ends_on=ends_on, source=source
    )


@transaction.atomic
def choose_language(*, language: str, by: Actor) -> User:
    """Keeps the language a person wants to read; a preference, so history doesn't speak of it (7.1)."""
    if by.user is None:
        raise RuleError("language.person", _("Only a signed-in person has a language of their own."))
    if language not in dict(settings.LANGUAGES):
        raise RuleError("language.unknown", _("This language is not offered."), field="language")
    user = User.objects.select_for_update().get(pk=by.user.pk)
    user.language = language
    user.save(update_fields=["language"])
    return user


@transaction.atomic
def end_role_grants(*, source: str, ends_on: date) -> int:
    """Ends what ``source`` grants with the end of a day; a grant that would start later goes. Returns how many (5.1)."""
    grants = RoleGrant.objects.filter(source=source)
    later = grants.filter(starts_on__gt=ends_on)
    dropped, _tables = later.delete()
    ending = grants.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=ends_on))
    return dropped + ending.update(ends_on=ends_on)


@transaction.atomic
def remember_preference(*, key: str, value: str, by: Actor) -> None:
    """Keeps how a person likes to look at a page (``today.view``); no history, it changes nothing but the view."""
    if by.user is None:
        raise RuleError("preference.person", _("Only a person has preferences."))
    user = User.objects.select_for_update(no_key=True).get(pk=by.user.pk)
    user.preferences = {**user.preferences, key: value}
    user.save(update_fields=["preferences"])


@transaction.atomic
def set_setting(
    *, key: str, value: Any, starts_on: date, by: Actor, store: Store | None = None, reason: str = ""
) -> Setting:
    """Gives ``key`` a new value from a day on; the value before it ends the day before (7.1)."""
    by.require(permissions.SETTINGS_MANAGE)
    declared = registry.LIMITS.get(key)
    if declared is None:
        raise RuleError("setting.unknown", _("There is no setting “%(key)s”."), key=key)
    if type(value) is not type(declared.default) and not (
        isinstance(value, int | float) and isinstance(declared.default, int | float)
    ):
        raise RuleError(
            "setting.type", _("The value has another form than the declared one; keep its form."), field="value"
        )
    for place, least in declared.below(value):
        raise RuleError(
            "setting.least",
            _("By law %(place)s is at least %(least)s: the shop may give more, never less."),
            field="value",
            place=place or key,
            least=least,
        )
    if Setting.objects.filter(key=key, store=store, starts_on__gte=starts_on).exists():
        raise RuleError(
            "setting.later_exists",
            _("A value from that day or later is already there; choose a later day."),
            field="starts_on",
        )
    before = limits.value(key, store_id=store.pk if store else None, on=starts_on)
    Setting.objects.filter(key=key, store=store, ends_on__isnull=True).update(ends_on=starts_on - timedelta(days=1))
    row = Setting.objects.create(key=key, store=store, value=value, starts_on=starts_on, reason=reason)
    limits.forget()
    transaction.on_commit(limits.forget)  # what another thread read meanwhile
    record(
        row,
        events.SETTING_CHANGED,
        by=by,
        store_id=store.pk if store else None,
        changed={"value": (before, value)},
        key=key,
        starts_on=starts_on,
    )
    return row


@transaction.atomic
def queue_message(
    *,
    key: str,
    store: Store,
    channel: str,
    recipient: str,
    template: str,
    body: str,
    by: Actor,
    subject: str = "",
    recipient_name: str = "",
    language: str = "zh-hans",
    visit_uid: UUID | None = None,
    not_before: datetime | None = None,
) -> Message:
    """Puts one message into the queue; the same ``key`` again returns the message that is already there (1.3).

    Before ``not_before`` (aware) it doesn't leave the house.
    """
    message, created = Message.objects.get_or_create(
        key=key,
        defaults={
            "store": store,
            "channel": channel,
            "recipient": recipient,
            "recipient_name": recipient_name,
            "template": template,
            "language": language,
            "subject": subject,
            "body": body,
            "visit_uid": visit_uid,
            "not_before": not_before,
        },
    )
    if created:
        record(message, events.MESSAGE_QUEUED, by=by, template=template, channel=channel)
    return message


@transaction.atomic
def close_message(*, message: Message, state: MessageState, by: Actor, reason: str = "") -> Message:
    """Writes what became of a message: sent, in the mailbox, failed or uncertain."""
    require(MESSAGE_MOVES, MessageState(message.state), state)
    before = message.state
    message.state, message.reason, message.attempts = state, reason[:300], message.attempts + 1
    if state in (MessageState.SENT, MessageState.MAILBOX):
        message.sent_at = clock.now()
    message.save(update_fields=["state", "reason", "attempts", "sent_at"])
    code = events.MESSAGE_FAILED if state == MessageState.FAILED else events.MESSAGE_SENT
    record(message, code, by=by, changed={"state": (before, state)})
    return message


ALLOWED_MEDIA = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}
_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"RIFF": "image/webp",
    b"%PDF-": "application/pdf",
}
MAX_FILE_BYTES = 15 * 1024 * 1024


def store_file(*, content: bytes, name: str, store_id: int, by: Actor, visit_uid: UUID | None = None) -> StoredFile:
    """Keeps a photo, signature or paper under its SHA-256; the kind is told by the content, never by the name.

    Raises RuleError for an empty, too large or unknown file.
    """
    media_type = next((kind for start, kind in _SIGNATURES.items() if content.startswith(start)), None)
    if media_type is None:
        raise RuleError("file.kind", _("Only JPEG, PNG, WebP and PDF files are kept."), field="file")
    if len(content) > MAX_FILE_BYTES:
        raise RuleError("file.size", _("The file is larger than 15 MB; take a smaller picture."), field="file")
    digest = hashlib.sha256(content).hexdigest()
    path = file_path(digest, media_type)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(content)
        partial.rename(path)
    return StoredFile.objects.create(
        store_id=store_id,
        name=name[:120],
        media_type=media_type,
        size=len(content),
        sha256=digest,
        visit_uid=visit_uid,
        actor_kind=by.kind,
        actor_id=by.id,
    )


def file_path(sha256: str, media_type: str) -> Path:
    return Path(settings.MEDIA_ROOT) / sha256[:2] / f"{sha256}{ALLOWED_MEDIA[media_type]}"


def _move(root: Root) -> None:
    """Moves ``version`` and ``updated_at`` of a root that this transaction hasn't written yet."""
    rows = type(root)._base_manager.filter(pk=root.pk)
    rows.extra(where=["xmin <> pg_current_xact_id()::xid"]).update(version=F("version"))


@transaction.atomic
def name_root(root: Root, *, root_type: str, system: str, external_id: str, by: Actor) -> None:
    """Keeps another system's name for a root; the id itself stays out of history, it may be a person's.

    Raises RuleError where the name belongs to something else, or this has another name in that system.
    """
    held = ExternalRef.objects.filter(system=system, root_type=root_type)
    if other := held.filter(external_id=external_id).first():
        holder = type(root)._default_manager.filter(uid=other.root_uid).first()
        text = _("Something else already has this name in that system.")
        raise RuleError("reference.taken", text, field="id", held_by=holder)
    if held.filter(root_uid=root.uid).exists():
        raise RuleError("reference.other", _("This already has another name in that system."), field="id")
    ExternalRef.objects.create(system=system, root_type=root_type, external_id=external_id, root_uid=root.uid)
    _move(root)  # the name stands in the item, as what ``states.ShownIn`` watches does
    record(root, events.REFERENCE_ADDED, by=by, system=system)


@transaction.atomic
def ask_approval(
    *,
    kind: str,
    root: Root,
    store: Store,
    reason: str,
    by: Actor,
    amount: Decimal | None = None,
    visit_uid: UUID | None = None,
) -> Approval:
    """Asks whoever may decide; the request reaches their phone through the board of approvals (1.2)."""
    if by.user is None:
        raise RuleError("approval.person", _("Only a person can ask for an approval."))
    if not reason.strip():
        raise RuleError("approval.reason", _("Say why this is needed."), field="reason")
    root_type = root._meta.model_name
    assert root_type is not None  # every concrete model has one
    approval = Approval.objects.create(
        kind=kind,
        root_type=root_type,
        root_uid=root.uid,
        store=store,
        reason=reason.strip(),
        amount=amount,
        asked_by=by.user,
        visit_uid=visit_uid,
    )
    record(approval, events.APPROVAL_ASKED, by=by, kind=kind, amount=amount, subject=root.uid)
    return approval


@transaction.atomic
def decide_approval(*, uid: UUID, approve: bool, by: Actor, answer: str = "") -> Approval:
    """Approves or refuses; never by the person who asked, never twice (1.2)."""
    by.require(permissions.APPROVALS_DECIDE)
    approval = Approval.objects.for_actor(by).locked().get(uid=uid)
    if by.user is None:
        raise RuleError("approval.person", _("Only a person can decide."))
    highest = limits.value(approvals.APPROVAL_LIMIT, store_id=approval.store_id)
    above = approval.amount is not None and approval.amount > highest
    if approve and above and not by.may(permissions.APPROVALS_UNLIMITED):
        raise RuleError(
            "approval.limit",
            _("Up to ¥%(highest)s is yours to approve; this one is for the general manager."),
            highest=saying.say_money(highest, sign=False),
        )
    before = approval.state
    approval.decide(approve=approve, by=by.user)
    approval.answer = answer[:300]
    approval.save(update_fields=["state", "decided_by", "decided_at", "answer"])
    record(
        approval,
        events.APPROVAL_DECIDED,
        by=by,
        changed={"state": (before, approval.state)},
        kind=approval.kind,
        subject=approval.root_uid,
        amount=approval.amount,
    )
    return approval


@transaction.atomic
def withdraw_approval(*, uid: UUID, by: Actor) -> Approval:
    """Takes a request back that nobody has decided on; only by who asked (1.2)."""
    approval = Approval.objects.for_actor(by).locked().get(uid=uid)
    if by.user is None or approval.asked_by_id != by.user.pk:
        raise RuleError("approval.not_asker", _("Only who asked can take the request back."))
    require(APPROVAL_MOVES, ApprovalState(approval.state), ApprovalState.WITHDRAWN)
    before, approval.state = approval.state, ApprovalState.WITHDRAWN
    approval.save(update_fields=["state"])
    record(approval, events.APPROVAL_WITHDRAWN, by=by, changed={"state": (before, approval.state)}, kind=approval.kind)
    return approval


@transaction.atomic
def retry_message(*, uid: UUID, by: Actor) -> Message:
    """Puts a message that failed, or of which nobody knows, back into the queue; it is sent behind the outbox (1.3)."""
    by.require(permissions.MESSAGES_RETRY)
    message = Message.objects.for_actor(by).locked().get(uid=uid)
    require(MESSAGE_MOVES, MessageState(message.state), MessageState.QUEUED)
    before, message.state, message.reason = message.state, MessageState.QUEUED, ""
    message.save(update_fields=["state", "reason"])
    record(
        message,
        events.MESSAGE_QUEUED,
        by=by,
        changed={"state": (before, message.state)},
        template=message.template,
        channel=message.channel,
    )
    return message


def beat(*, name: str) -> None:
    """Notes that a background process is alive."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_heartbeat (name, at) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at",
            [name, clock.now()],
        )


def take_period(*, job: str, period: str, drop_before: str = "") -> PeriodicRun | None:
    """Takes one run of a periodic job; None when it was already taken (two beats do no harm).

    The job's periods that sort before ``drop_before`` are forgotten.
    """
    run, created = PeriodicRun.objects.get_or_create(job=job, period=period)
    if created and drop_before:
        PeriodicRun.objects.filter(job=job, period__lt=drop_before).delete()
    return run if created else None


def end_period(run: PeriodicRun) -> None:
    """Notes that the run of a period has come to its end."""
    run.finished_at = clock.now()
    run.save(update_fields=["finished_at"])
