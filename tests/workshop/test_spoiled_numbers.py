"""Domain 3.2: a spoiled certificate number is voided unused, counted, passed over; why work went back is counted (3.4)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.floor import actor, clock_at, work
from tests.factories.reception import rule
from tests.workshop.test_clocking import race
from tests.workshop.test_floor_pages import client_of, english
from tests.workshop.test_inspections import SPOILED, Crew
from workshop.models import Certificate, CertificateRange
from workshop.selectors.inspections import failures_by_cause, number_ranges, queue, spoiled_numbers
from workshop.services import inspections


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def allotted(store_id: int, first: int = 1, last: int = 4) -> CertificateRange:
    by = machine("test", store_id=store_id)
    return inspections.allot_certificates(prefix="沪A", first=first, last=last, by=by)


def counts(by) -> list[tuple[int, int, int]]:
    return list(number_ranges(by).values_list("used", "void", "left"))


@pytest.mark.django_db
def test_a_spoiled_number_is_void_at_once_and_issuing_passes_over_it(nine):
    crew = Crew()
    kept = allotted(crew.floor.shop.store.pk)
    by = actor(crew.inspector)
    made = inspections.void_number(range_uid=kept.uid, serial=2, reason=" 打印歪了 ", by=by)
    assert (made.number, made.order, made.void_reason, made.voided_by) == (
        "沪A00000002", None, "打印歪了", crew.inspector,
    )  # fmt: skip
    event = History.objects.get(code="workshop.certificate.voided")
    assert (event.root_uid, event.facts["serial"]) == (made.uid, 2)
    assert counts(by) == [(0, 1, 3)]
    assert queue(by).numbers_left == 3
    inspections.void_number(range_uid=kept.uid, serial=1, reason="撕坏", by=by)
    kept.refresh_from_db()
    assert (kept.next, counts(by)) == (3, [(0, 2, 2)])
    assert [row.number for row in spoiled_numbers(by)] == ["沪A00000001", "沪A00000002"]
    order, _lines = crew.inspected("MT-80")
    assert inspections.issue_certificate(order_uid=order.uid, by=by).number == "沪A00000003"
    assert counts(by) == [(1, 2, 1)]
    inspections.void_number(range_uid=kept.uid, serial=4, reason="受潮", by=by)
    assert (counts(by), queue(by).numbers_left) == ([(1, 3, 0)], 0)


@pytest.mark.django_db
def test_a_number_is_voided_with_a_reason_once_and_only_where_it_was_never_given_out(nine):
    crew = Crew()
    kept = allotted(crew.floor.shop.store.pk)
    by = actor(crew.inspector)
    order, _lines = crew.inspected("MT-80")
    inspections.issue_certificate(order_uid=order.uid, by=by)
    inspections.void_number(range_uid=kept.uid, serial=3, reason="撕坏", by=by)
    before = list(Certificate.objects.values()), list(CertificateRange.objects.values()), History.objects.count()
    for serial, reason, code in (
        (2, "  ", "certificate.reason"),
        (5, "撕坏", "certificate.not_allotted"),
        (0, "撕坏", "certificate.not_allotted"),
        (1, "撕坏", "certificate.number_taken"),
        (3, "撕坏", "certificate.number_taken"),
    ):
        with rule(code):
            inspections.void_number(range_uid=kept.uid, serial=serial, reason=reason, by=by)
    with pytest.raises(NotAllowed):
        inspections.void_number(range_uid=kept.uid, serial=2, reason="撕坏", by=actor(crew.worker))
    with pytest.raises(CertificateRange.DoesNotExist):
        inspections.void_number(range_uid=uuid4(), serial=2, reason="撕坏", by=by)
    after = list(Certificate.objects.values()), list(CertificateRange.objects.values()), History.objects.count()
    assert after == before


@pytest.mark.django_db
def test_the_database_takes_a_spoiled_number_of_the_range_alone_and_never_back(refused, nine):
    crew = Crew()
    store = crew.floor.shop.store
    kept = allotted(store.pk)
    inspections.void_number(range_uid=kept.uid, serial=3, reason="撕坏", by=actor(crew.inspector))
    rows = list(Certificate.objects.values())
    for number in (
        "沪A00000005",
        "沪B00000001",
        "沪A000000003",
        "沪A0000003",
    ):  # beyond, other prefix, written otherwise
        with refused("certificate_number_allotted") as sql:
            sql(SPOILED, [store.pk, kept.pk, number])
    with refused("workshop_certificate_number_key") as sql:
        sql(SPOILED, [store.pk, kept.pk, "沪A00000003"])
    with refused("certificate_void_reason") as sql:
        sql(SPOILED.replace("'打印作废'", "''"), [store.pk, kept.pk, "沪A00000004"])
    with refused("certificate_unused_is_void") as sql:
        sql(SPOILED.replace("now(), '打印作废'", "NULL, ''"), [store.pk, kept.pk, "沪A00000004"])
    for change in ("voided_by_id = NULL", "voided_at = NULL, void_reason = ''"):
        with refused("certificate_voided_once") as sql:
            sql(f"UPDATE workshop_certificate SET {change}")
    with refused("certificate_fixed") as sql:
        sql("UPDATE workshop_certificate SET number = '沪A00000004'")
    assert list(Certificate.objects.values()) == rows


@pytest.mark.django_db(transaction=True)
def test_one_voids_the_number_that_another_one_issues_at_the_same_moment():
    with clock_at(9):
        crew = Crew()
        kept = allotted(crew.floor.shop.store.pk)
        order, _lines = crew.inspected("MT-80")
    by = actor(crew.inspector)
    told = race(
        lambda: inspections.issue_certificate(order_uid=order.uid, by=by).number,
        lambda: inspections.void_number(range_uid=kept.uid, serial=1, reason="撕坏", by=by).number,
    )
    numbers = list(Certificate.objects.order_by("number").values_list("number", flat=True))
    assert numbers in (["沪A00000001"], ["沪A00000001", "沪A00000002"]), told
    kept.refresh_from_db()
    assert kept.next == len(numbers) + 1


@pytest.mark.django_db
def test_the_page_voids_a_number_and_shows_which_why_and_by_whom(nine):
    crew = Crew()
    kept = allotted(crew.floor.shop.store.pk)
    client = client_of(crew.inspector)
    address = reverse("certificate-spoiled")
    assert address in english(client, reverse("inspections"))
    page = english(client, address)
    assert 'value="1"' in page
    answer = client.post(address, {"range_uid": str(kept.uid), "serial": "1", "reason": ""})
    assert (answer.status_code, Certificate.objects.count()) == (422, 0)
    answer = client.post(address, {"range_uid": str(kept.uid), "serial": "1", "reason": "撕坏"})
    assert (answer.status_code, answer["Location"]) == (302, address)
    page = english(client, address)
    for words in ("沪A00000001", "撕坏", crew.inspector.name, "Voided without being used", 'value="2"'):
        assert words in page
    assert client_of(crew.worker).get(address).status_code == 403


@pytest.mark.django_db
def test_failures_are_grouped_by_their_cause(nine):
    crew = Crew()
    by = actor(crew.inspector)
    assert failures_by_cause(by).rows == []
    order, [line, other] = crew.finished("BR-10", "BR-30")
    with clock_at(11):
        crew.inspect(order, "SELF", "FAILED", reason="自检", cause="OTHER", failed_line_uid=other.uid)
    with clock_at(12):
        other.refresh_from_db()
        work(crew.floor, other, crew.worker)
    with clock_at(13):
        crew.inspect(order, "SELF")
        crew.inspect(order, "TEAM", "FAILED", reason="扭矩不足", cause="TORQUE", failed_line_uid=line.uid)
        found = failures_by_cause(by)
        assert [(row.label, row.count, row.percent) for row in found.rows] == [("紧固不符合要求", 1, 100)]
        assert (found.inspected, found.failed, found.percent) == (1, 1, 100)
        page = english(client_of(crew.inspector), reverse("inspections"))
        assert "Why work went back" in page
        assert "Not tightened as prescribed" in page
