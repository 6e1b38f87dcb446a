"""The shop's mailbox against real servers: read over IMAP, answered over SMTP, the thread kept (2.2.1)."""

from __future__ import annotations

import email
import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from dealership.kernel import clock, outbox
from dealership.kernel.actors import machine
from reception.models import (
    Consultation,
    ConsultationAttachment,
    ConsultationClock,
    ConsultationMail,
    ConsultationMessage,
    MailboxMark,
)
from reception.selectors import consultations as reads
from reception.services import consultations, mail
from tests.factories.reception import make_customer, make_picture
from tests.factories.staff import make_actor, make_store

pytestmark = pytest.mark.django_db
FOLDER = "Shop"
GOT = datetime(2026, 11, 23, 9, 59, tzinfo=UTC)  # Monday 17:59 in the store


class Imap:
    """A real IMAP server (pymap) of its own process with one empty folder."""

    def __init__(self) -> None:
        program = Path(sys.executable).with_name("pymap")
        for _attempt in range(5):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            command = [str(program), "--no-service", "admin", "--no-service", "managesieve", "--host", "127.0.0.1"]
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "dict", "--demo-data"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if self._answers():
                break
        self.client = imaplib.IMAP4("127.0.0.1", self.port, timeout=60)
        self.client.login("demouser", "demopass")
        self.client.create(FOLDER)

    def _answers(self) -> bool:
        until = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return True
        return False

    def deliver(self, raw: bytes, at: datetime = GOT) -> None:
        status, _said = self.client.append(FOLDER, "", imaplib.Time2Internaldate(at), raw)
        assert status == "OK"

    def anew(self) -> None:
        """The folder is made anew: other UIDs, another UIDVALIDITY, the same mails."""
        self.client.select(FOLDER, readonly=True)
        _status, found = self.client.search(None, "ALL")
        kept = [self.client.fetch(n.decode(), "(RFC822)")[1][0][1] for n in found[0].split()]  # type: ignore[index]
        self.client.select("INBOX", readonly=True)
        self.client.delete(FOLDER)
        self.client.create(FOLDER)
        for raw in kept:
            self.deliver(raw)

    def stop(self) -> None:
        self.client.logout()
        self.process.terminate()
        self.process.wait(timeout=60)


class Outgoing:
    """What a real SMTP server (aiosmtpd) was handed."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(email.message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def imap(settings: Any) -> Iterator[Imap]:
    server = Imap()
    settings.IMAP_HOST, settings.IMAP_PORT, settings.IMAP_SSL = "127.0.0.1", server.port, False
    settings.IMAP_USER, settings.IMAP_PASSWORD = "demouser", "demopass"
    settings.IMAP_FOLDER, settings.IMAP_STORE = FOLDER, "BJ01"
    yield server
    server.stop()


@pytest.fixture
def smtp(settings: Any) -> Iterator[Outgoing]:
    handed = Outgoing()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handed, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_TLS, settings.EMAIL_HOST_USER = False, ""
    yield handed
    controller.stop()


@pytest.fixture
def store():
    return make_store("BJ01")


@pytest.fixture
def desk(store):
    return make_actor(store, "receptionist")


def a_mail(body: str = "途远多久保养一次？", **headers: str) -> EmailMessage:
    made = EmailMessage()
    given = {"From": "周试车 <zhou@example.com>", "Subject": "保养周期", "Message-ID": "<one@example.com>"}
    for name, value in (given | {k.replace("_", "-"): v for k, v in headers.items()}).items():
        made[name] = value
    made.set_content(body)
    return made


def test_a_real_thread_in_and_out_and_in_again(imap, smtp, store, desk):
    """In over IMAP, late after exactly 24 hours, answered over SMTP with its thread, and the reply finds it again."""
    owner = make_customer(name="周试车", email="zhou@example.com")
    imap.deliver(a_mail().as_bytes())
    with clock.moved_to(GOT + timedelta(minutes=5)):
        assert mail.read_mailbox() == 1
        assert mail.read_mailbox() == 0
    question = Consultation.objects.get()
    assert (question.channel, question.subject, question.contact_email) == ("EMAIL", "保养周期", "zhou@example.com")
    assert (question.customer, question.messages.get().body) == (owner, "途远多久保养一次？")
    due = GOT + timedelta(hours=24)
    assert ConsultationClock.objects.get(kind="RESPONSE").due_at == due
    for moment, late in ((due, False), (due + timedelta(microseconds=1), True)):
        with clock.moved_to(moment):
            assert reads.clocks_of(question)[0].late is late

    with clock.moved_to(GOT + timedelta(hours=2)):
        consultations.answer_consultation(uid=question.uid, body="一万公里或一年，先到为准。", way="EMAIL", by=desk)
        outbox.drain()
    (sent,) = smtp.mails
    assert (sent["To"], sent["Subject"]) == ("zhou@example.com", "Re: 保养周期")
    assert (sent["In-Reply-To"], sent["References"]) == ("<one@example.com>", "<one@example.com>")
    assert sent.get_content().strip() == "一万公里或一年，先到为准。"

    reply = a_mail("谢谢，那周六来。", Message_ID="<two@example.com>", In_Reply_To=sent["Message-ID"])
    imap.deliver(reply.as_bytes(), GOT + timedelta(hours=3))
    with clock.moved_to(GOT + timedelta(hours=4)):
        assert mail.read_mailbox() == 1
        consultations.answer_consultation(uid=question.uid, body="已记下。", way="EMAIL", by=desk)
        outbox.drain()
    question.refresh_from_db()
    assert list(question.messages.values_list("direction", flat=True)) == ["IN", "OUT", "IN", "OUT"]
    assert Consultation.objects.count() == 1
    last = smtp.mails[1]
    assert last["In-Reply-To"] == "<two@example.com>"
    assert last["References"].split() == [sent["Message-ID"], "<two@example.com>"]


def test_nothing_is_lost_or_doubled_where_the_reader_dies_or_the_folder_is_made_anew(imap, store, monkeypatch):
    for number in range(4):
        imap.deliver(a_mail(f"第 {number} 封", Message_ID=f"<n{number}@example.com>").as_bytes())
    take, calls = mail.take_mail, []

    def dies_at_the_third(**given: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            take(**given)
            raise KeyboardInterrupt
        return take(**given)

    monkeypatch.setattr(mail, "take_mail", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        mail.read_mailbox()
    monkeypatch.undo()
    assert ConsultationMail.objects.count() == 2
    assert mail.read_mailbox() == 2
    before = MailboxMark.objects.get()
    imap.anew()
    assert mail.read_mailbox() == 0
    assert MailboxMark.objects.get().uid_validity != before.uid_validity
    bodies = ConsultationMessage.objects.order_by("id").values_list("body", flat=True)
    assert list(bodies) == [f"第 {n} 封" for n in range(4)]


def test_attachments_are_kept_by_what_they_are_and_refused_with_a_reason(imap, store):
    made = a_mail("见附件")
    made.add_attachment(make_picture(), maintype="application", subtype="octet-stream", filename="../../etc/car.jpg")
    made.add_attachment(b"MZ\x90\x00 a program", maintype="image", subtype="jpeg", filename="photo.jpg")
    made.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="a.html")
    imap.deliver(made.as_bytes())
    assert mail.read_mailbox() == 1
    rows = ConsultationAttachment.objects.order_by("id")
    assert [(r.name, r.file.media_type if r.file else None, bool(r.refused_because)) for r in rows] == [
        ("car.jpg", "image/jpeg", False),
        ("photo.jpg", None, True),
        ("a.html", None, True),
    ]


NESTED = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(1500))
HOSTILE = {
    "no charset, GBK": (
        b"From: a@example.com\r\nSubject: x\r\n\r\n" + "保养多少钱".encode("gb18030"),
        "保养多少钱",
    ),
    "a charset that is none": (
        b"From: a@example.com\r\nContent-Type: text/plain; charset=x-nonsense\r\n\r\n" + "您好".encode(),
        "您好",
    ),
    "HTML only": (
        b"From: a@example.com\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b"<style>p{}</style><script>alert(1)</script><p>Hello<br>there</p>",
        "Hello\nthere",
    ),
    "nested too deep": (b"From: a@example.com\r\nMIME-Version: 1.0\r\n" + NESTED, None),
    "a header in the subject": (
        b"From: a@example.com\r\nSubject: =?utf-8?B?" + b"eApCY2M6IGV2aWxAZXhhbXBsZS5jb20=" + b"?=\r\n\r\nhi",
        "hi",
    ),
    "no sender": (b"Subject: x\r\n\r\nhi", "hi"),
    "a sender that is no address": (b'From: "<<>>,, evil\r\nSubject: x\r\n\r\nhi', "hi"),
    "zero bytes": (b"From: a@example.com\r\n\r\nhi\x00there", "hithere"),
    "nothing": (b"\r\n", None),
    "base64 that is none": (
        b"From: a@example.com\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!not base64",
        None,
    ),
    "very long": (b"From: a@example.com\r\n\r\n" + b"x" * 100_000, None),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_mail_is_taken_and_does_no_harm(store, kind):
    raw, words = HOSTILE[kind]
    taken = mail.take_mail(raw=raw, received_at=GOT, by=machine("mailbox", store_id=store.pk))
    assert taken is not None
    said = taken.messages.get()
    assert words is None or said.body == words
    assert said.body
    assert not set("\r\n\x00") & set(taken.subject + taken.contact_name + taken.contact_email)
    assert taken.who


def test_a_line_break_in_a_subject_adds_no_header_to_the_answer(imap, smtp, store, desk):
    imap.deliver(HOSTILE["a header in the subject"][0])
    mail.read_mailbox()
    consultations.answer_consultation(uid=Consultation.objects.get().uid, body="您好", way="EMAIL", by=desk)
    outbox.drain()
    (sent,) = smtp.mails
    assert sent["Bcc"] is None
    assert sent["Subject"] == "Re: x Bcc: evil@example.com"


def test_the_thread_of_another_store_is_not_found(store):
    by = machine("mailbox", store_id=store.pk)
    other = machine("mailbox", store_id=make_store("SH02").pk)
    first = mail.take_mail(raw=a_mail().as_bytes(), received_at=GOT, by=by)
    reply = a_mail("再问", Message_ID="<three@example.com>", References="<one@example.com>").as_bytes()
    second = mail.take_mail(raw=reply, received_at=GOT, by=other)
    assert first is not None
    assert second is not None
    assert second.pk != first.pk
    assert mail.take_mail(raw=reply, received_at=GOT, by=by).pk == first.pk


def test_no_mailbox_no_reading(settings):
    settings.IMAP_HOST = ""
    assert mail.read_mailbox() == 0
