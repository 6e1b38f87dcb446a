"""8.4: every closed order has its file, kept to its date, destroyed by two people and never early."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from compliance.models import ArchiveRecord
from compliance.selectors.archives import untouched
from compliance.services.archives import archive_order, mark_for_destruction, sign_destruction, years_later
from dealership.kernel import clock
from dealership.kernel.errors import RuleError
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
