"""3.3, domain 3.5: the file of an order is whole, its amounts add up, and what comes later is appended and never changes it."""

from __future__ import annotations

import hashlib
import re
import subprocess
from decimal import Decimal

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from compliance.addendum_models import ArchiveAddendum
from compliance.documents import file_pdf, shown_file
from compliance.models import ArchiveRecord
from compliance.order_file import FORM, order_file
from compliance.selectors.archives import untouched
from compliance.services.archives import (
    add_to_file,
    archive_order,
    canonical,
    content_hash,
    mark_for_destruction,
    sign_destruction,
)
from dealership.kernel import outbox
from dealership.kernel.actors import machine
from dealership.kernel.services import ask_approval, decide_approval
from delivery.services.payments import refund_payment, take_payment
from reception.services.visits import add_photo
from tests.compliance.test_archives import old_file
from tests.delivery.test_whole_way import House
from tests.factories.api import ApiCaller
from tests.factories.departed import make_departed
from tests.factories.floor import clock_at
from tests.factories.kernel import make_actor
from tests.factories.reception import make_picture
from workshop.services.clocking import correct_clocking
from workshop.services.orders import add_line_photo, change_promise

pytestmark = pytest.mark.django_db


@pytest.fixture
def filed():
    house, order = make_departed()
    return house, order, ArchiveRecord.objects.get(subject_uid=order.uid)


def added(pairs: list[str]) -> Decimal:
    return sum((Decimal(amount) for amount in pairs), Decimal(0))


def pay_again(house, order) -> None:
    """The customer gets the money back and pays later: a late payment."""
    settlement = order.settlements.get()
    accountant = make_actor("accountant", store=order.store)
    refund_payment(payment_uid=settlement.payments.get().uid, amount=settlement.total, reason="刷错卡", by=accountant)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=house.cashier)


def as_file(order, content) -> ArchiveRecord:
    return ArchiveRecord(
        store=order.store, number=order.number, archived_on=order.opened_at.date(), sha256="0" * 64, content=content
    )


def test_the_amounts_of_a_file_add_up_and_what_was_seen_is_in_it(filed):
    _house, _order, archive = filed
    content = archive.content
    assert content["form"] == FORM
    for line in content["lines"]:
        labour = Decimal(line["hours"]) * Decimal(line["rate"]) - Decimal(line["discount"])
        assert labour == Decimal(line["amount"])
        for part in line["parts"]:
            assert Decimal(part["quantity"]) * Decimal(part["unit_price"]) == Decimal(part["amount"])
        parts = [part["amount"] for part in line["parts"]]
        assert added([line["amount"], line["fee"], *parts]) == Decimal(line["total"]) == Decimal(line["agreed"])
    [listed] = content["settlements"]
    by_kind = {
        kind: added([row["amount"] for row in content["settlement_rows"] if row["kind"] == kind])
        for kind in ("LABOR", "MATERIAL", "OTHER", "DISCOUNT")
    }
    named = [Decimal(listed[name]) for name in ("labor", "material", "other", "discount")]
    assert list(by_kind.values()) == named
    assert named[0] + named[1] + named[2] - named[3] - Decimal(listed["rounding"]) == Decimal(listed["total"])
    assert added([p["amount"] for p in content["payments"]]) == Decimal(listed["paid"]) == Decimal(listed["total"])
    assert added([line["total"] for line in content["lines"]]) == Decimal(listed["total"]) + Decimal(listed["rounding"])
    for sent in content["estimates"]:
        assert content_hash(sent["content"]) == sent["seen"], "the words that the customer saw, provable"
    assert {"note", "reason", "contact", "signature"} <= content["authorizations"][0].keys()
    tested = content["inspections"][-1]["road_test"]
    assert (tested["km"], content["inspections"][-1]["instruments"]) == (2, [])
    assert content["handover"]["received_by"] == "沈示例"


def test_corrections_promises_and_pictures_stand_in_the_file_on_page_and_paper(client):
    with clock_at(9):
        house = House()
        order = house.repaired("MT-10")
        line = order.lines.get()
        done = line.clockings.get()
        foreman = make_actor("foreman", store=order.store)
        was = done.started_at.isoformat()
        correct_clocking(
            uid=done.uid, started_at=done.started_at - (done.ended_at - done.started_at), ended_at=done.ended_at,
            reason="忘记打卡", by=foreman,
        )  # fmt: skip
        add_photo(visit_uid=order.visit.uid, content=make_picture(), name="car.jpg", place="左前", by=house.advisor)
        add_line_photo(line_uid=line.uid, content=make_picture("red"), by=house.advisor)
    with clock_at(10):
        change_promise(
            order_uid=order.uid, promised_at=order.opened_at.replace(hour=9, minute=30), reason="等配件",
            told="PHONE", told_to="李送修", by=house.advisor,
        )  # fmt: skip
    asked = {"root": line, "store": order.store, "by": house.advisor, "reason": "老客户", "amount": Decimal(10)}
    granted, _left = (ask_approval(kind=kind, **asked) for kind in ("workshop.discount", "delivery.goodwill"))
    decide_approval(uid=granted.uid, approve=True, by=make_actor("manager", store=order.store))
    order.refresh_from_db()
    content = orjson.loads(canonical(order_file(order)))
    assert [(a["kind"], a["line"], a["amount"]) for a in content["approvals"]] == [("workshop.discount", 1, "10.00")]
    [worked] = content["lines"][0]["worked"]
    assert (worked["corrections"], worked["corrected_reason"], worked["before"][0][0]) == (1, "忘记打卡", was)
    [promise] = [p for p in content["promises"] if p["reason"] == "等配件"]
    assert (promise["told"], promise["by"]) == ("PHONE", order.advisor.name)
    assert [p["of"] for p in content["photos"]] == ["VisitPhoto", "LinePhoto"]
    page = shown_file(as_file(order, content))
    assert all(p["src"].startswith("data:image/jpeg;base64,") for p in page["pictures"][:2])
    made = file_pdf(as_file(order, content))
    images = subprocess.run(["pdfimages", "-list", "-"], input=made, capture_output=True, check=True).stdout.decode()
    assert len(re.findall(r"^\s+\d+\s+\d+ image", images, flags=re.M)) >= 2


def test_a_late_payment_is_appended_and_the_file_stays_as_it_was(filed, refused):
    house, order, archive = filed
    first = canonical(archive.content)
    pay_again(house, order)
    outbox.drain()
    archive.refresh_from_db()
    assert (canonical(archive.content), hashlib.sha256(first).hexdigest()) == (first, archive.sha256)
    one, *rest = archive.addenda.order_by("number")
    came = [row for more in (one, *rest) for row in more.content["added"].get("payments", [])]
    assert sorted(Decimal(row["amount"]) for row in came) == [
        -order.settlements.get().total,
        order.settlements.get().total,
    ]
    assert one.content["after"] == archive.sha256
    assert untouched(archive) is True
    newest = archive.addenda.count()
    by = machine("test", store_id=order.store_id)
    assert add_to_file(order_uid=order.uid, because="delivery.payment.taken", by=by).number == newest, "nothing is new"
    assert archive.addenda.count() == newest
    for name, statement in (
        ("archiveaddendum_append_only", "UPDATE compliance_archiveaddendum SET content = '{}'"),
        ("archiveaddendum_append_only", "UPDATE compliance_archiveaddendum SET sha256 = 'x'"),
        ("archiveaddendum_append_only", "DELETE FROM compliance_archiveaddendum"),
        (
            "archiveaddendum_follows",
            "INSERT INTO compliance_archiveaddendum (archive_id, number, because, content, sha256, added_at)"
            " SELECT archive_id, 99, because, content, sha256, added_at FROM compliance_archiveaddendum LIMIT 1",
        ),
    ):
        with refused(name) as sql:
            sql(statement)


def test_addenda_are_read_and_taken_where_the_file_is(filed, client):
    house, order, archive = filed
    pay_again(house, order)
    outbox.drain()
    one = archive.addenda.order_by("number").first()
    token = order.visit.link.token
    phone = Client()
    page = phone.get(reverse("link-file", args=[token, archive.uid])).content.decode()
    assert one.sha256 in page
    taken = phone.get(reverse("link-file-json", args=[token, archive.uid]), {"addendum": "1"})
    assert hashlib.sha256(taken.content).hexdigest() == one.sha256
    for wrong in ("0", "99", "x", "-1"):
        assert phone.get(reverse("link-file-json", args=[token, archive.uid]), {"addendum": wrong}).status_code == 404
    client.force_login(make_actor("manager", store=order.store).user)
    assert client.get(reverse("archive-json", args=[archive.uid]), {"addendum": "1"}).content == taken.content
    assert one.sha256 in client.get(reverse("archive-detail", args=[archive.uid])).content.decode()
    caller = ApiCaller("compliance:read", store=order.store)
    shown = caller.get(f"archives/{archive.uid}").json()["addenda"]
    assert [(row["number"], row["sha256"]) for row in shown] == list(archive.addenda.values_list("number", "sha256"))


def test_an_addendum_goes_with_its_file_and_a_destroyed_file_gets_none(filed, refused):
    _house, order, archive = filed
    old = old_file(order, archive)
    one = ArchiveAddendum.objects.create(
        archive=old, number=1, because="delivery.payment.taken", content={"after": old.sha256}, sha256="1" * 64
    )
    manager, gm = make_actor("manager", store=order.store), make_actor("gm", store=order.store)
    mark_for_destruction(uid=old.uid, by=manager)
    sign_destruction(uid=old.uid, reason="到期", by=manager)
    sign_destruction(uid=old.uid, reason="", by=gm)
    one.refresh_from_db()
    assert (one.content, one.sha256) == ({}, "1" * 64)
    with refused("archiveaddendum_follows") as sql:
        sql(
            "INSERT INTO compliance_archiveaddendum (archive_id, number, because, content, sha256, added_at)"
            " VALUES (%s, 2, 'x', %s, 'y', now())",
            [old.pk, f'{{"after": "{"1" * 64}"}}'],
        )


def test_an_older_file_keeps_verifying_and_its_first_addendum_is_whole(filed):
    _house, order, archive = filed
    kept = ("order", "vehicle", "customer", "inspections", "certificates", "settlements")
    older = {name: archive.content[name] for name in kept} | {"authorizations": [], "lines": []}
    older["settlements"] = [{k: v for k, v in s.items() if k not in ("uid", "rounding")} for s in older["settlements"]]
    older["inspections"] = []
    ArchiveRecord.objects.filter(pk=archive.pk).update(kind="WAS")  # its order is archived once more, in the older form
    earlier = ArchiveRecord.objects.create(
        store=order.store, kind="REPAIR_FILE", subject_type="repairorder", subject_uid=order.uid, number=order.number,
        visit=order.visit, content=older, sha256=content_hash(older), archived_on=archive.archived_on,
        retain_until=archive.retain_until,
    )  # fmt: skip
    by = machine("test", store_id=order.store_id)
    assert archive_order(order_uid=order.uid, by=by) == earlier
    one = add_to_file(order_uid=order.uid, because="workshop.old_part.given", by=by)
    assert one.content["added"]["lines"] == archive.content["lines"]
    assert untouched(earlier) is True
    assert file_pdf(earlier).startswith(b"%PDF-")


def test_the_number_is_masked_on_page_and_paper_alike_and_whole_for_the_customer(filed, client):
    _house, order, archive = filed
    number = archive.content["customer"]["phone"]

    def words(made: bytes) -> str:
        return subprocess.run(["pdftotext", "-", "-"], input=made, capture_output=True, check=True).stdout.decode()

    client.force_login(make_actor("supervisor", store=order.store).user)
    assert number not in client.get(reverse("archive-detail", args=[archive.uid])).content.decode()
    assert number not in words(client.get(reverse("archive-pdf", args=[archive.uid])).content)
    link = reverse("link-file-pdf", args=[order.visit.link.token, archive.uid])
    assert number in words(Client().get(link).content)


def test_order_and_file_lead_to_each_other_for_who_may(filed, client):
    _house, order, archive = filed
    for post, may in (("advisor", True), ("supervisor", True), ("foreman", False)):
        client.force_login(make_actor(post, store=order.store).user)
        page = client.get(reverse("order-detail", args=[order.uid])).content.decode()
        for name in ("archive-detail", "archive-pdf", "archive-json"):
            assert (f'href="{reverse(name, args=[archive.uid])}"' in page) is may, post
        if may:
            file = client.get(reverse("archive-detail", args=[archive.uid])).content.decode()
            assert reverse("order-detail", args=[order.uid]) in file
