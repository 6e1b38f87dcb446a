"""8.4: every closed order has its file, kept to its date, destroyed by two people and never early."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from compliance.documents import file_data, file_pdf
from compliance.models import ArchiveRecord
from compliance.selectors.archives import untouched
from compliance.services.archives import archive_order, canonical, mark_for_destruction, sign_destruction, years_later
from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.models import History, Message
from tests.factories.departed import make_departed
from tests.factories.kernel import make_actor


@pytest.fixture
def filed(db):
    _house, order = make_departed()
    return order, ArchiveRecord.objects.get(subject_uid=order.uid)


def test_the_file_is_written_when_the_car_has_left_and_only_once(filed):
    order, archive = filed
    assert (archive.number, archive.retain_until) == (order.number, years_later(archive.archived_on, 6))
    assert archive.content["lines"][0]["state"] == "INSPECTED"
    assert archive.content["settlements"][0]["paid"] == archive.content["settlements"][0]["total"]
    assert untouched(archive) is True
    assert archive_order(order_uid=order.uid, by=make_actor("manager", store=order.store)) == archive


def test_nothing_is_destroyed_early(filed, refused):
    order, archive = filed
    manager = make_actor("manager", store=order.store)
    with pytest.raises(RuleError) as refusal:
        mark_for_destruction(uid=archive.uid, by=manager)
    assert refusal.value.code == "archive.retention"
    for statement in (
        "UPDATE compliance_archiverecord SET state = 'TO_DESTROY'",
        "UPDATE compliance_archiverecord SET retain_until = '2020-01-01'",
        "UPDATE compliance_archiverecord SET content = '{}'",
        "DELETE FROM compliance_archiverecord",
    ):
        with refused("archive_retention") as sql:
            sql(statement)
    archive.refresh_from_db()
    assert (archive.state, untouched(archive)) == ("ARCHIVED", True)


def old_file(order, archive, as_owner=None):
    """A file whose time has run out, as a restored archive of earlier years would bring it."""
    return ArchiveRecord.objects.create(
        store=order.store, kind="REPAIR_FILE", subject_type="repairorder", subject_uid=order.visit.uid,
        number="RO-OLD-1", content=archive.content, sha256=archive.sha256, archived_on=date(2019, 1, 1),
        retain_until=date(2025, 1, 1),
    )  # fmt: skip


def test_two_people_destroy_a_file_whose_time_has_run_out(filed, refused):
    order, archive = filed
    old = old_file(order, archive)
    manager, gm = make_actor("manager", store=order.store), make_actor("gm", store=order.store)
    with pytest.raises(RuleError) as refusal:
        sign_destruction(uid=old.uid, reason="到期", by=manager)
    assert refusal.value.code == "archive.not_listed"
    mark_for_destruction(uid=old.uid, by=manager)
    sign_destruction(uid=old.uid, reason="到期", by=manager)
    with pytest.raises(RuleError) as refusal:
        sign_destruction(uid=old.uid, reason="到期", by=manager)
    assert refusal.value.code == "archive.signatures"
    with refused("archive_two_signatures") as sql:
        sql("UPDATE compliance_archiverecord SET state = 'DESTROYED' WHERE id = %s", [old.pk])
    gone = sign_destruction(uid=old.uid, reason="", by=gm)
    assert (gone.state, gone.content, gone.sha256) == ("DESTROYED", {}, archive.sha256)


def test_a_legal_hold_keeps_an_old_file(filed):
    order, archive = filed
    old = old_file(order, archive)
    ArchiveRecord.objects.filter(pk=old.pk).update(legal_hold="诉讼")
    with pytest.raises(RuleError) as refusal:
        mark_for_destruction(uid=old.uid, by=make_actor("manager", store=order.store))
    assert refusal.value.code == "archive.legal_hold"


def test_a_leap_day_is_kept_long_enough():
    assert years_later(date(2024, 2, 29), 6) == date(2030, 3, 1)
    assert years_later(date(2026, 11, 23), 6) - date(2026, 11, 23) >= timedelta(days=6 * 365)


def test_the_pages(filed):
    order, archive = filed
    client = Client()
    client.force_login(make_actor("manager", store=order.store).user)
    assert order.number in client.get("/archive/").content.decode()
    page = client.get(f"/archive/{archive.uid}/")
    assert page.status_code == 200
    assert archive.sha256[:16] in page.content.decode()
    assert client.post(f"/archive/{archive.uid}/list/").status_code == 422
    assert clock.today() < archive.retain_until


def test_the_customer_reads_and_takes_the_whole_file_on_the_link(filed):
    order, archive = filed
    content = archive.content
    assert [e["seen"] for e in content["estimates"]] == [e.seen_hash for e in order.estimates.order_by("number")]
    assert {s["what"] for s in content["signatures"]} == {"WALKAROUND", "SETTLEMENT", "HANDOVER"}
    assert content["walkaround"]["odometer_km"] == order.visit.walkaround.odometer_km
    assert len(content["messages"]) == Message.objects.filter(visit_uid=order.visit.uid).count() > 0
    token = order.visit.link.token
    assert token not in canonical(content).decode(), "the key of the customer's door is in nobody's file"
    phone = Client()
    assert reverse("link-file", args=[token, archive.uid]) in phone.get(f"/v/{token}/").content.decode()
    page = phone.get(reverse("link-file", args=[token, archive.uid])).content.decode()
    assert content["vehicle"]["vin"] in page
    assert content["lines"][0]["description"] in page
    assert archive.sha256 in page
    taken = phone.get(reverse("link-file-json", args=[token, archive.uid]))
    assert hashlib.sha256(taken.content).hexdigest() == archive.sha256
    assert "attachment" in taken.headers["Content-Disposition"]
    paper = phone.get(reverse("link-file-pdf", args=[token, archive.uid]))
    assert paper.content.startswith(b"%PDF-")
    desk = Client()
    desk.force_login(make_actor("manager", store=order.store).user)
    number = content["customer"]["phone"]
    assert number in page
    assert number not in desk.get(f"/archive/{archive.uid}/").content.decode(), "masked where nobody has a task with it"
    looks = History.objects.filter(code="reception.customer.unmasked", facts__task_uid=str(archive.uid))
    assert looks.count() == 0
    assert desk.get(reverse("archive-json", args=[archive.uid])).content == taken.content
    assert looks.count() == 1
    assert desk.get(reverse("archive-pdf", args=[archive.uid])).headers["Content-Type"] == "application/pdf"


def test_a_destroyed_file_is_gone_for_everybody_and_an_older_one_shows_what_it_has(filed):
    order, archive = filed
    old = old_file(order, archive)
    ArchiveRecord.objects.filter(pk=old.pk).update(visit=order.visit)
    kept = ("order", "vehicle", "customer", "lines", "authorizations", "inspections", "certificates", "settlements")
    earlier = ArchiveRecord(
        store=order.store, number="RO-2024-1", archived_on=date(2024, 1, 1), sha256="0" * 64,
        content={name: archive.content[name] for name in kept},
    )  # fmt: skip
    with override("zh-hans"):
        shown = file_data(earlier)
    assert [s["title"] for s in shown["sections"]][:2] == ["授权记录", "作业"]
    manager, gm = make_actor("manager", store=order.store), make_actor("gm", store=order.store)
    mark_for_destruction(uid=old.uid, by=manager)
    sign_destruction(uid=old.uid, reason="到期", by=manager)
    token = order.visit.link.token
    assert Client().get(reverse("link-file", args=[token, old.uid])).status_code == 200
    sign_destruction(uid=old.uid, reason="", by=gm)
    for name in ("link-file", "link-file-pdf", "link-file-json"):
        assert Client().get(reverse(name, args=[token, old.uid])).status_code == 404
    desk = Client()
    desk.force_login(manager.user)
    assert desk.get(reverse("archive-json", args=[old.uid])).status_code == 404
    assert desk.get(f"/archive/{old.uid}/").status_code == 200


def test_hostile_words_are_text_in_the_file(filed):
    """The paper sets what people typed as it was typed and reads nothing that it names."""
    _order, archive = filed
    words = '#panic("x") $ \\ ] #image("/etc/passwd") *_`'
    content = archive.content | {"customer": archive.content["customer"] | {"name": words}}
    content["lines"] = [line | {"description": words} for line in content["lines"]]
    content["messages"] = [{"channel": "GONE", "subject": words, "state": "SENT", "sent_at": None, "body": words}]
    hostile = ArchiveRecord(
        store=archive.store, number="RO-1", archived_on=archive.archived_on, sha256="0" * 64, content=content
    )
    made = file_pdf(hostile)
    text = subprocess.run(["pdftotext", "-", "-"], input=made, capture_output=True, check=True).stdout.decode()
    assert text.count('#image("/etc/passwd")') >= 3
    assert "root:" not in text
