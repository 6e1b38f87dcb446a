"""The shop's mailbox: read over IMAP, each mail once, into the threads of the inbox (2.2.1)."""

from __future__ import annotations

import contextlib
import email
import email.errors
import email.header
import email.message
import hashlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.utils import getaddresses
from html.parser import HTMLParser
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from dealership.kernel import clock, formats
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import RuleError
from dealership.kernel.models import Message, Store
from dealership.kernel.services import store_file

from ..models import (
    Consultation,
    ConsultationAttachment,
    ConsultationChannel,
    ConsultationMail,
    ConsultationMessage,
    MailboxMark,
)
from ..pictures import clean_picture
from . import consultations

KEPT_TEXT = 18_000
"""Characters of a mail that stand in the thread; what is longer says so and stays whole in the mailbox."""
MOST_PARTS = 60
MOST_FILES = 20
LARGEST = 30 * 1024 * 1024
BATCH = 50
TIMEOUT = 30
MESSAGE_ID = re.compile(r"<([^<>\s]{1,250})>")


# --- one mail ---


@dataclass
class ReadMail:
    """What a mail says once every part of it has been taken as what it may be at most: text, or a file to check."""

    name: str
    address: str
    subject: str
    body: str
    message_id: str
    answers: list[str]
    files: list[tuple[str, bytes]] = field(default_factory=list)


def read_mail(raw: bytes) -> ReadMail:
    """Takes a mail apart. Never raises for what a mail can hold: unknown charset, HTML only, broken or nested parts."""
    try:
        parsed = email.message_from_bytes(raw, policy=policy.compat32)
        parts = [part for _number, part in zip(range(MOST_PARTS), parsed.walk(), strict=False)]
    except (RecursionError, ValueError, LookupError, TypeError, IndexError, AttributeError):
        parsed, parts = email.message.Message(), []
    plain, html = "", ""
    files: list[tuple[str, bytes]] = []
    for part in parts:
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), _file_name(part)
        content = _content(part)
        if name or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            if len(files) < MOST_FILES and (name or content):
                files.append((name or kind, content))
        elif kind == "text/html":
            html = html or _text_of_html(_decode(content, part))
        else:
            plain = plain or _decode(content, part)
    if not parts:
        plain = _decode(raw, None)
    name, address = _sender(_header(parsed, "From"))
    body = (plain.strip() or html.strip() or _("(no text)")).replace("\x00", "")
    if len(body) > KEPT_TEXT:
        left = len(body) - KEPT_TEXT
        body = body[:KEPT_TEXT] + "\n" + _("[%(left)s more characters are in the mailbox]") % {"left": left}
    said = MESSAGE_ID.search(_header(parsed, "Message-ID"))
    answers = MESSAGE_ID.findall(f"{_header(parsed, 'References')} {_header(parsed, 'In-Reply-To')}")
    return ReadMail(
        name=name,
        address=address,
        subject=_header(parsed, "Subject")[:160],
        body=body,
        message_id=said[1] if said else "",
        answers=answers[-50:],
        files=files,
    )


def _header(mail: email.message.Message, name: str) -> str:
    """A header in one line of plain characters; encoded words are read where their charset is known."""
    raw = mail.get(name)
    if raw is None:
        return ""
    pieces = []
    try:
        for piece, charset in email.header.decode_header(raw):
            pieces.append(_text(piece, charset) if isinstance(piece, bytes) else piece)
    except (ValueError, LookupError, email.errors.HeaderParseError):
        pieces = [str(raw)]
    words = "".join(pieces).encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _sender(header: str) -> tuple[str, str]:
    """Name and address; an address of a wrong form is kept as the name, so that nobody is lost."""
    name, address = "", ""
    with contextlib.suppress(ValueError, IndexError, TypeError):
        name, address = getaddresses([header])[0]
    try:
        return name[:60], formats.clean_email(address)[:120]
    except (ValidationError, ValueError):
        return (name or address or header or _("Unknown sender"))[:60], ""


def _file_name(part: email.message.Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        name = ""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in name if c.isprintable())[:120]


def _content(part: email.message.Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        content = None
    return content if isinstance(content, bytes) else b""


def _decode(content: bytes, part: email.message.Message | None) -> str:
    charset = None
    if part is not None:
        with contextlib.suppress(ValueError, LookupError, TypeError):
            charset = part.get_content_charset()
    return _text(content, charset).replace("\r\n", "\n")


def _text(content: bytes, charset: str | None) -> str:
    """By the charset that is named, else as what a Chinese mailbox receives."""
    for name in filter(None, (charset, "utf-8", "gb18030")):
        with contextlib.suppress(LookupError, ValueError):
            return content.decode(name)
    return content.decode("utf-8", "replace")


class _Words(HTMLParser):
    """The visible words of an HTML mail; nothing of it is ever shown as HTML."""

    SILENT = frozenset({"script", "style", "head", "title"})
    BREAKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "blockquote"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in self.SILENT
        if tag in self.BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.silent = max(0, self.silent - (tag in self.SILENT))

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.pieces.append(data)


def _text_of_html(html: str) -> str:
    reader = _Words()
    with contextlib.suppress(AssertionError, ValueError):
        reader.feed(html)
        reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).splitlines())
    return "\n".join(line for line in lines if line)


# --- into the inbox ---


@transaction.atomic
def take_mail(*, raw: bytes, received_at: datetime, by: Actor) -> Consultation | None:
    """2.2.1: a mail goes into the thread it answers, else it is a question of its own; None where it was taken before.

    Its clock runs from ``received_at`` (aware), when the mailbox got it. Attachments are kept where they are pictures
    or PDF files of at most 15 MB by their content; of others the name and the reason stay.
    """
    digest = hashlib.sha256(raw).hexdigest()
    store = Store.objects.get(pk=by.store_id)
    if ConsultationMail.objects.filter(store=store, sha256=digest).exists():
        return None
    mail = read_mail(raw)
    at = min(received_at, clock.now())
    thread = _thread_of(store, mail)
    if thread is not None:
        try:
            with transaction.atomic():
                thread = consultations.receive_message(
                    uid=thread.uid, body=mail.body, way=ConsultationChannel.EMAIL, received_at=at, by=by
                )
        except RuleError as refusal:
            if refusal.code != "consultation.old":
                raise
            thread = None
    if thread is None:
        thread = consultations.register_consultation(
            channel=ConsultationChannel.EMAIL,
            body=mail.body,
            contact_name=mail.name or ("" if mail.address else _("Unknown sender")),
            contact_email=mail.address,
            subject=mail.subject,
            received_at=at,
            by=by,
        )
    said = thread.messages.filter(direction="IN").latest("id")
    ConsultationMail.objects.create(
        store=store, message=said, sha256=digest, mail_id=mail.message_id, references=" ".join(mail.answers)
    )
    for name, content in mail.files:
        _keep_file(said, name, content, by)
    return thread


def _thread_of(store: Store, mail: ReadMail) -> Consultation | None:
    """By what the mail answers: one of our own mails (its id is our message's uid) or an earlier one of the thread."""
    if not mail.answers:
        return None
    earlier = (
        ConsultationMail.objects.filter(store=store, mail_id__in=mail.answers)
        .select_related("message__consultation")
        .order_by("-id")
        .first()
    )
    if earlier is not None:
        return earlier.message.consultation
    ours = []
    for answered in mail.answers:
        with contextlib.suppress(ValueError):
            ours.append(UUID(answered.partition("@")[0]))
    keys = Message.objects.filter(store=store, uid__in=ours, key__startswith="consultation:").values_list(
        "key", flat=True
    )
    uids = []
    for key in keys:
        with contextlib.suppress(ValueError):
            uids.append(UUID(key.partition(":")[2]))
    answer = ConsultationMessage.objects.filter(uid__in=uids).select_related("consultation").order_by("-id").first()
    return answer.consultation if answer else None


def _keep_file(said: ConsultationMessage, name: str, content: bytes, by: Actor) -> None:
    """A picture is kept without the place and the camera that it was taken with, as everywhere; a PDF as it came."""
    reason, stored, kept = "", None, content
    with contextlib.suppress(RuleError):  # no picture: the file's own check says what it is
        kept = clean_picture(content)
    try:
        stored = store_file(content=kept, name=name, store_id=by.store_id, by=by)
    except RuleError as refusal:
        reason = str(refusal)
    ConsultationAttachment.objects.create(
        message=said, name=name, size=len(content), file=stored, refused_because=reason[:200]
    )


def thread_headers(message: Message) -> dict[str, str]:
    """In-Reply-To and References of an answer, so that the customer's program keeps the thread; {} for other mail."""
    kind, _colon, uid = message.key.partition(":")
    if kind != "consultation":
        return {}
    with contextlib.suppress(ValueError):
        answer = ConsultationMessage.objects.filter(uid=UUID(uid)).first()
        if answer is None:
            return {}
        mails = ConsultationMail.objects.filter(
            message__consultation_id=answer.consultation_id, message__at__lte=answer.at
        ).exclude(mail_id="")
        last = mails.order_by("-id").first()
        if last is None:
            return {}
        before = [f"<{one}>" for one in last.references.split()][-20:]
        return {"In-Reply-To": f"<{last.mail_id}>", "References": " ".join([*before, f"<{last.mail_id}>"])}
    return {}


# --- the mailbox ---


@contextlib.contextmanager
def _opened() -> Iterator[imaplib.IMAP4]:
    """The mailbox of the settings IMAP_*, read only."""
    if settings.IMAP_SSL:
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            settings.IMAP_HOST, settings.IMAP_PORT, ssl_context=ssl.create_default_context(), timeout=TIMEOUT
        )
    else:
        server = imaplib.IMAP4(settings.IMAP_HOST, settings.IMAP_PORT, timeout=TIMEOUT)
    try:
        server.login(settings.IMAP_USER, settings.IMAP_PASSWORD)
        yield server
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            server.logout()


def read_mailbox() -> int:
    """Takes every mail above the watermark, each in a transaction with its mark; returns how many were new.

    Killed between two mails it goes on with the next; a mailbox that was made anew (another UIDVALIDITY) is read from
    its beginning, and what was taken before is known by its content.
    """
    if not settings.IMAP_HOST:
        return 0
    store = Store.objects.get(code=settings.IMAP_STORE) if settings.IMAP_STORE else Store.objects.order_by("pk").first()
    if store is None:
        return 0
    by = machine("mailbox", store_id=store.pk)
    name = f"{settings.IMAP_USER}@{settings.IMAP_HOST}/{settings.IMAP_FOLDER}"
    taken = 0
    with _opened() as server:
        status, _count = server.select(f'"{settings.IMAP_FOLDER}"', readonly=True)
        if status != "OK":
            raise OSError(f"The mailbox has no folder {settings.IMAP_FOLDER}.")
        validity = int((server.response("UIDVALIDITY")[1] or [b"0"])[0] or 0)
        mark, _made = MailboxMark.objects.get_or_create(name=name, defaults={"uid_validity": validity})
        first = mark.last_uid + 1 if mark.uid_validity == validity else 1
        _status, found = server.uid("SEARCH", f"UID {first}:*")
        uids = sorted(int(uid) for uid in (found[0] or b"").split() if int(uid) >= first)
        for uid in uids[:BATCH]:
            raw, received_at = _fetch(server, uid)
            taken += _take(name, validity, uid, raw, received_at, by)
    return taken


def _fetch(server: imaplib.IMAP4, uid: int) -> tuple[bytes, datetime]:
    """One mail's bytes and when the mailbox got it; of one too large only the beginning with the headers."""
    _status, said = server.uid("FETCH", str(uid), "(RFC822.SIZE INTERNALDATE)")
    line = b" ".join(part if isinstance(part, bytes) else b" ".join(part) for part in said if part)
    size = re.search(rb"RFC822\.SIZE (\d+)", line)
    what = "BODY.PEEK[]" if size is None or int(size[1]) <= LARGEST else "BODY.PEEK[]<0.65536>"
    when = re.search(rb'INTERNALDATE "([^"]+)"', line)
    received_at = datetime.strptime(when[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z") if when else clock.now()
    _status, said = server.uid("FETCH", str(uid), f"({what})")
    raw = next((part[1] for part in said if isinstance(part, tuple)), b"")
    return raw, received_at


@transaction.atomic
def _take(name: str, validity: int, uid: int, raw: bytes, received_at: datetime, by: Actor) -> int:
    mark = MailboxMark.objects.select_for_update(no_key=True).get(name=name)
    if mark.uid_validity == validity and uid <= mark.last_uid:
        return 0  # another reader was quicker
    took = take_mail(raw=raw, received_at=received_at, by=by) if raw else None
    mark.uid_validity, mark.last_uid, mark.read_at = validity, uid, clock.now()
    mark.save(update_fields=["uid_validity", "last_uid", "read_at"])
    return int(took is not None)
