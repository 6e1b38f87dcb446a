"""3.2, domain 3.4: self check, team check, final inspection, certificates with numbers used once."""

from __future__ import annotations

from html import unescape
from uuid import uuid4

import pytest
from django.db import connection

from dealership.kernel import limits, registry
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from dealership.kernel.services import set_setting
from tests.factories.floor import DAY, actor, at, clock_at, make_agreed, make_floor, work
from tests.factories.quality import sign_stages
from tests.factories.reception import rule
from tests.factories.sheets import begun
from tests.workshop.test_clocking import race
from tests.workshop.test_floor_pages import client_of, english
from workshop.models import Certificate, CertificateRange, Inspection, RepairOrder
from workshop.rules import is_drawn
from workshop.selectors.inspections import last_reading, number_ranges, waiting_for
from workshop.services import clocking, inspections


@pytest.fixture
def nine():
    with clock_at(9):
        yield


class Crew:
    """A floor with one of each who inspects."""

    def __init__(self) -> None:
        self.floor = make_floor()
        self.worker = self.floor.technician("高试工")
        self.leader = self.floor.hire("leader", skills={"chassis": 4, "engine": 4}, name="马试长")
        self.inspector = self.floor.hire("inspector", name="邓试检")

    def inspect(self, order, level, result="PASSED", **more):
        """The final inspection goes with a road test of two kilometres where nothing else is said."""
        person = {"SELF": self.worker, "TEAM": self.leader, "FINAL": self.inspector}[level]
        if level == "FINAL" and result == "PASSED":
            more = {"road_test_km": 2} | more
            sign_stages(order, self.inspector)
        return inspections.inspect_order(order_uid=order.uid, level=level, result=result, by=actor(person), **more)

    def finished(self, *codes):
        order, lines = make_agreed(self.floor, *codes)
        for number, line in enumerate(lines):
            with clock_at(9 + number):
                self.floor.give(line, self.worker, start=(9 + number, 0))
                work(self.floor, line, self.worker)
        return order, lines

    def inspected(self, *codes):
        order, lines = self.finished(*codes)
        for level in ("SELF", "TEAM", "FINAL"):
            self.inspect(order, level)
        return order, lines


def stage(order):
    return RepairOrder.objects.values_list("stage", flat=True).get(pk=order.pk)


def states(order):
    return list(order.lines.order_by("position").values_list("state", flat=True))


@pytest.mark.django_db
def test_three_levels_in_order_make_the_order_ready(nine):
    crew = Crew()
    order, _lines = crew.finished("BR-10")
    assert stage(order) == "INSPECTION"
    with rule("inspection.order"):
        crew.inspect(order, "TEAM")
    crew.inspect(order, "SELF")
    with rule("inspection.passed"):
        crew.inspect(order, "SELF")
    with rule("inspection.order"):
        crew.inspect(order, "FINAL")
    crew.inspect(order, "TEAM")
    with rule("inspection.passed"):
        crew.inspect(order, "TEAM")
    assert Inspection.objects.count() == 2
    assert states(order) == ["COMPLETED"]
    final = crew.inspect(order, "FINAL", road_test_km=3)
    assert (states(order), stage(order)) == (["INSPECTED"], "READY")
    event = History.objects.filter(code="workshop.inspection.passed").latest("id")
    assert event.root_uid == final.uid
    assert event.changed == {"stage": ["INSPECTION", "READY"]}
    assert event.facts["road_test_km"] == 3
    assert event.facts["road_test_driver"] == str(crew.inspector.uid)


@pytest.mark.django_db
def test_what_concerns_safety_passes_only_with_its_road_test(refused, nine):
    crew = Crew()
    order, _lines = crew.finished("BR-10")
    crew.inspect(order, "SELF")
    crew.inspect(order, "TEAM")
    before = list(Inspection.objects.values())
    for driven, code in (
        ({"road_test_km": None}, "inspection.road_test"),
        ({"road_test_km": 0}, "inspection.road_test"),
        ({"road_test_km": None, "road_test_to_km": 48933}, "inspection.road_test_readings"),
        ({"road_test_from_km": 48930, "road_test_to_km": 48933, "road_test_km": 4}, "inspection.road_test_readings"),
        ({"road_test_from_km": 48929, "road_test_to_km": 48931}, "inspection.road_test_readings"),
        ({"road_test_km": 501}, "inspection.road_test_readings"),
        ({"road_test_km": 3, "road_test_driver_uid": uuid4()}, "inspection.road_test_driver"),
    ):
        with rule(code):
            crew.inspect(order, "FINAL", **driven)
    row = [crew.floor.shop.store.pk, order.pk, "FINAL", crew.inspector.pk, at(10)]
    with refused("inspection_road_test") as sql:
        sql(INSERT, row)
    with refused("inspection_road_test") as sql:  # a distance that nobody drove
        sql(DRIVEN.format("3, NULL, NULL, NULL"), row)
    with refused("inspection_road_test_readings") as sql:
        sql(DRIVEN.format(f"3, {crew.leader.pk}, 48930, 48932"), row)
    assert list(Inspection.objects.values()) == before
    assert states(order) == ["COMPLETED"]
    passed = crew.inspect(
        order,
        "FINAL",
        road_test_km=None,
        road_test_from_km=48930,
        road_test_to_km=48934,
        road_test_driver_uid=crew.leader.uid,
        road_test_route=" 店门口  环路 ",
        road_test_findings="制动正常",
    )
    assert (passed.road_test_km, passed.road_test_driver, passed.road_test_route) == (4, crew.leader, "店门口 环路")
    assert last_reading(order.visit) == 48934


@pytest.mark.django_db
def test_nothing_is_driven_for_work_that_concerns_no_safety_and_a_failure_needs_no_road_test(nine):
    crew = Crew()
    calm, _lines = crew.finished("MT-80")
    for level in ("SELF", "TEAM"):
        crew.inspect(calm, level)
    passed = crew.inspect(calm, "FINAL", road_test_km=None, road_test_route="没有开出去")
    assert (passed.road_test_km, passed.road_test_driver, passed.road_test_route) == (None, None, "")
    crew.worker = crew.floor.technician("袁试工")
    brakes, [line] = crew.finished("BR-10")
    crew.inspect(brakes, "SELF")
    crew.inspect(brakes, "TEAM")
    failed = crew.inspect(brakes, "FINAL", "FAILED", reason="异响", cause="DONE_WRONG", failed_line_uid=line.uid)
    assert failed.road_test_km is None


@pytest.mark.django_db
def test_a_failure_sends_one_line_back_with_a_reason_and_all_levels_come_again(nine):
    crew = Crew()
    order, [line, _other] = crew.finished("BR-10", "BR-30")
    with clock_at(10, 30):
        crew.inspect(order, "SELF")
        before = Inspection.objects.count()
        with rule("inspection.reason"):
            crew.inspect(order, "TEAM", "FAILED", failed_line_uid=line.uid)
        with rule("inspection.line"):
            crew.inspect(order, "TEAM", "FAILED", reason="扭矩不足")
        for cause in ("", "NO_SUCH"):
            with rule("inspection.cause"):
                crew.inspect(order, "TEAM", "FAILED", reason="扭矩不足", cause=cause, failed_line_uid=line.uid)
        assert Inspection.objects.count() == before
        crew.inspect(order, "TEAM", "FAILED", reason="扭矩不足", cause="TORQUE", failed_line_uid=line.uid)
        assert (states(order), stage(order)) == (["IN_PROGRESS", "COMPLETED"], "IN_WORK")
        line.refresh_from_db()
        assert (line.completed_at, line.failures.count()) == (None, 1)
        with rule("inspection.work_open"):
            crew.inspect(order, "SELF")
    with clock_at(11):
        clocking.clock_on(line_uid=line.uid, by=actor(crew.worker))
    with clock_at(11, 20):
        clocking.finish_line(line_uid=line.uid, by=actor(crew.worker))
        with rule("inspection.order"):
            crew.inspect(order, "TEAM")
        for level in ("SELF", "TEAM", "FINAL"):
            crew.inspect(order, level)
    assert stage(order) == "READY"


@pytest.mark.django_db
def test_minor_work_that_no_safety_hangs_on_needs_two_people_not_three(nine, refused):
    crew = Crew()
    order, _lines = crew.finished("EN-10")
    with rule("inspection.order"):
        crew.inspect(order, "FINAL")
    crew.inspect(order, "SELF")
    row = [order.store_id, order.pk, "FINAL", crew.inspector.pk, at(10)]
    assert waiting_for(crew.floor.foreman, order.uid).level == "FINAL"
    levels = registry.LIMITS["workshop.inspection_levels"].default | {"MINOR": 3}
    given = {"key": "workshop.inspection_levels", "value": levels, "starts_on": DAY, "by": machine("test")}
    stricter = set_setting(store=crew.floor.shop.store, **given)
    assert waiting_for(crew.floor.foreman, order.uid).level == "TEAM"
    with rule("inspection.order"):
        crew.inspect(order, "FINAL")
    with refused("inspection_in_order") as sql:
        sql(INSERT, row)
    stricter.delete()
    limits.forget()
    crew.inspect(order, "FINAL")
    assert stage(order) == "READY"
    # One line that concerns safety makes the whole order need the team check.
    mixed, _lines = crew.finished("EN-10", "BR-10")
    with clock_at(11):
        crew.inspect(mixed, "SELF")
        assert waiting_for(crew.floor.foreman, mixed.uid).level == "TEAM"
        with refused("inspection_in_order") as sql:
            sql(INSERT, [mixed.store_id, mixed.pk, "FINAL", crew.inspector.pk, at(11)])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "value", "why"),
    [("workshop.inspection_samples", {"MINOR": 100}, "SAMPLE"), ("workshop.inspection_new_days", 20_000, "NEW")],
)
def test_a_drawn_order_and_somebody_new_have_the_team_check(nine, refused, key, value, why):
    """3.2: what else needs two levels gets the third by the sample or because somebody new worked on it."""
    crew = Crew()
    order, _lines = crew.finished("EN-10")
    crew.inspect(order, "SELF")
    assert waiting_for(crew.floor.foreman, order.uid).level == "FINAL"
    set_setting(key=key, value=value, starts_on=DAY, by=machine("test"), store=crew.floor.shop.store)
    row = waiting_for(crew.floor.foreman, order.uid)
    assert (row.level, row.team_check_for) == ("TEAM", why)
    with rule("inspection.order"):
        crew.inspect(order, "FINAL")
    with refused("inspection_in_order") as sql:
        sql(INSERT, [order.store_id, order.pk, "FINAL", crew.inspector.pk, at(10)])
    crew.inspect(order, "TEAM")
    crew.inspect(order, "FINAL")
    assert stage(order) == "READY"


@pytest.mark.django_db
def test_python_and_the_database_draw_the_same_orders(nine):
    uids = [uuid4() for _ in range(300)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(('x' || left(md5(u::text), 8))::bit(32)::bigint %% 100 ORDER BY n)"
            " FROM unnest(%s::uuid[]) WITH ORDINALITY AS t(u, n)",
            [uids],
        )
        tickets = cursor.fetchone()[0]
    drawn = [is_drawn(uid, ["MINOR"], {"MINOR": 30}) for uid in uids]
    assert drawn == [ticket < 30 for ticket in tickets]
    assert 40 < sum(drawn) < 150
    assert not any(is_drawn(uid, ["MINOR"], {}) for uid in uids)


@pytest.mark.django_db
def test_nobody_inspects_own_work_beyond_the_self_check_and_a_stranger_does_no_self_check(nine):
    crew = Crew()
    order, [line] = make_agreed(crew.floor, "BR-10")
    crew.floor.give(line, crew.leader)
    work(crew.floor, line, crew.leader)
    with rule("inspection.not_worker"):
        crew.inspect(order, "SELF")
    crew.worker = crew.leader
    crew.inspect(order, "SELF")
    with rule("inspection.own_work"):
        crew.inspect(order, "TEAM")
    with pytest.raises(NotAllowed, match=r"workshop\.inspections\.final"):
        inspections.inspect_order(order_uid=order.uid, level="FINAL", result="PASSED", by=actor(crew.leader))
    assert Inspection.objects.count() == 1


@pytest.mark.django_db
def test_each_level_is_passed_by_somebody_else(refused, nine):
    crew = Crew()
    both = crew.floor.hire("leader", "inspector", name="双试岗")
    order, _lines = crew.finished("BR-10")
    crew.inspect(order, "SELF")
    crew.leader = crew.inspector = both
    crew.inspect(order, "TEAM", road_test_km=3)
    row = waiting_for(actor(both), order.uid)
    assert (row.level, both.pk in row.passed_by) == ("FINAL", True)
    assert "passed a level" in english(client_of(both), "/inspections/")
    rows = list(Inspection.objects.values())
    with rule("inspection.same_person"):
        crew.inspect(order, "FINAL", road_test_km=3)
    with refused("inspection_other_person") as sql:
        sql(DRIVEN.format("3, %s, NULL, NULL"), [crew.floor.shop.store.pk, order.pk, "FINAL", both.pk, at(10), both.pk])
    assert list(Inspection.objects.values()) == rows
    crew.inspector = crew.floor.hire("inspector", name="三试检")
    crew.inspect(order, "FINAL", road_test_km=3)


@pytest.mark.django_db
def test_the_database_keeps_certificates_and_their_numbers(refused, nine):
    crew = Crew()
    store = crew.floor.shop.store
    setup = machine("test", store_id=store.pk)
    kept = inspections.allot_certificates(prefix="沪A", first=1, last=9, by=setup)
    order, _lines = crew.inspected("MT-80")
    made = inspections.issue_certificate(order_uid=order.uid, by=actor(crew.inspector))
    inspections.void_certificate(uid=made.uid, reason="打印作废", by=actor(crew.inspector))
    rows, ranges = list(Certificate.objects.values()), list(CertificateRange.objects.values())
    for number in ("沪A00000007", "沪B00000001", "沪A1", "沪A0000000x"):  # not given out, not allotted, no number
        with refused("certificate_number_allotted") as sql:
            sql(CERTIFY, [store.pk, order.pk, kept.pk, number, crew.inspector.pk])
    for change in ("number = '沪A00000002'", "odometer_km = 1", "guarantee_km = 0", "issued_at = now()"):
        with refused("certificate_fixed") as sql:
            sql(f"UPDATE workshop_certificate SET {change}")
    for statement in (
        "UPDATE workshop_certificate SET voided_at = NULL, void_reason = ''",
        "UPDATE workshop_certificate SET void_reason = '别的'",
        "DELETE FROM workshop_certificate",
    ):
        with refused("certificate_voided_once") as sql:
            sql(statement)
    for statement in ("UPDATE workshop_certificaterange SET next = 1", "DELETE FROM workshop_certificaterange"):
        with refused("certificaterange_forward") as sql:
            sql(statement)
    with refused("certificaterange_fixed") as sql:
        sql("UPDATE workshop_certificaterange SET last = 99")
    with refused("certificaterange_apart") as sql:
        sql(
            "INSERT INTO workshop_certificaterange (uid, version, created_at, updated_at, store_id, prefix, first, last, next)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, '沪A', 5, 20, 5)",
            [store.pk],
        )
    assert (list(Certificate.objects.values()), list(CertificateRange.objects.values())) == (rows, ranges)


@pytest.mark.django_db
def test_a_certificate_takes_the_next_number_only_where_the_category_needs_one(nine):
    crew = Crew()
    setup = machine("test", store_id=crew.floor.shop.store.pk)
    order, _lines = crew.inspected("MT-80")
    with rule("certificate.no_numbers"):
        inspections.issue_certificate(order_uid=order.uid, by=actor(crew.inspector))
    inspections.allot_certificates(prefix="沪a", first=101, last=104, by=setup)
    with rule("certificate.overlap"):
        inspections.allot_certificates(prefix="沪A", first=102, last=110, by=setup)
    with rule("certificate.range"):
        inspections.allot_certificates(prefix="沪A", first=12, last=11, by=setup)
    other = crew.floor.hire("inspector", name="文试检")
    with rule("certificate.inspection"):
        inspections.issue_certificate(order_uid=order.uid, by=actor(other))
    made = inspections.issue_certificate(order_uid=order.uid, by=actor(crew.inspector))
    assert (made.number, made.category, made.guarantee_km, made.guarantee_days, made.odometer_km) == (
        "沪A00000101", "SECOND_MAINTENANCE", 5000, 30, 48932,
    )  # fmt: skip
    with rule("certificate.exists"):
        inspections.issue_certificate(order_uid=order.uid, by=actor(crew.inspector))
    with rule("certificate.reason"):
        inspections.void_certificate(uid=made.uid, reason="", by=actor(crew.inspector))
    inspections.void_certificate(uid=made.uid, reason="打印作废", by=actor(crew.inspector))
    with rule("certificate.voided"):
        inspections.void_certificate(uid=made.uid, reason="打印作废", by=actor(crew.inspector))
    again = inspections.issue_certificate(order_uid=order.uid, by=actor(crew.inspector))
    assert again.number == "沪A00000102"
    assert list(number_ranges(setup).values_list("used", "void", "left")) == [(1, 1, 2)]
    supervisor = client_of(crew.floor.hire("supervisor", name="梁试质"))
    page = english(supervisor, "/certificates/numbers/")
    assert ("沪A00000101" in page, "沪A00000104" in page) == (True, True)
    minor, _lines = crew.inspected("BR-10")
    with rule("certificate.not_needed"):
        inspections.issue_certificate(order_uid=minor.uid, by=actor(crew.inspector))
    assert Certificate.objects.count() == 2


DRIVEN = (
    "INSERT INTO workshop_inspection (uid, version, created_at, updated_at, store_id, order_id, level, result,"
    " inspector_id, reason, at, road_test_km, road_test_driver_id, road_test_from_km, road_test_to_km)"
    " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'PASSED', %s, '', %s, {})"
)
INSERT = (
    "INSERT INTO workshop_inspection (uid, version, created_at, updated_at, store_id, order_id, level, result,"
    " inspector_id, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'PASSED', %s, '', %s)"
)


@pytest.mark.django_db
def test_the_database_refuses_own_work_wrong_order_and_changed_inspections(refused, nine):
    crew = Crew()
    order, _lines = crew.finished("BR-10")
    crew.inspect(order, "SELF")
    store = crew.floor.shop.store.pk
    rows = list(Inspection.objects.values())
    with refused("inspection_not_by_worker") as sql:
        sql(INSERT, [store, order.pk, "TEAM", crew.worker.pk, at(10)])
    with refused("inspection_in_order") as sql:
        sql(INSERT, [store, order.pk, "FINAL", crew.inspector.pk, at(10)])
    crew.inspect(order, "TEAM")
    rows = list(Inspection.objects.values())
    with refused("inspection_not_by_worker") as sql:
        sql(INSERT, [store, order.pk, "FINAL", crew.worker.pk, at(10)])
    for statement in (
        "UPDATE workshop_inspection SET result = 'FAILED', reason = 'x'",
        "DELETE FROM workshop_inspection",
    ):
        with refused("inspection_append_only") as sql:
            sql(statement)
    with refused("inspection_failure_reason") as sql:
        sql(CAUSED.format("'FAILED'", "'OTHER'"), [store, order.pk, "SELF", crew.worker.pk, at(10), ""])
    for result, cause in (("'FAILED'", "''"), ("'PASSED'", "'OTHER'")):  # a failure is counted by its cause, alone
        with refused("inspection_failure_cause") as sql:
            sql(CAUSED.format(result, cause), [store, order.pk, "SELF", crew.worker.pk, at(10), "松动"])
    assert list(Inspection.objects.values()) == rows


@pytest.mark.django_db
def test_each_who_worked_checks_his_own_work(refused, nine):
    crew = Crew()
    other = crew.floor.technician("蒋试工")
    order, lines = make_agreed(crew.floor, "BR-10", "MT-50")
    for hour, line, person in zip((9, 10), lines, (crew.worker, other), strict=True):
        with clock_at(hour):
            crew.floor.give(line, person, start=(hour, 0))
            work(crew.floor, line, person)
    with clock_at(11):
        look_at_each(crew, order, lines, other, refused)


def look_at_each(crew, order, lines, other, refused):
    crew.inspect(order, "SELF")
    row = waiting_for(actor(crew.leader), order.uid)
    assert (row.level, row.owing) == ("SELF", {other.pk: other.name})
    store, rows = crew.floor.shop.store, list(Inspection.objects.values())
    with pytest.raises(RuleError) as told:
        crew.inspect(order, "TEAM")
    assert told.value.code == "inspection.self_missing"
    assert lines[1].description in str(told.value)
    assert other.name in str(told.value)
    with refused("inspection_self_each") as sql:
        sql(INSERT, [store.pk, order.pk, "TEAM", crew.leader.pk, at(11)])
    with refused("inspection_self_by_worker") as sql:  # a bystander vouches for nobody
        sql(INSERT, [store.pk, order.pk, "SELF", crew.leader.pk, at(10)])
    assert list(Inspection.objects.values()) == rows
    inspections.inspect_order(order_uid=order.uid, level="SELF", result="PASSED", by=actor(other))
    assert waiting_for(actor(crew.leader), order.uid).level == "TEAM"
    crew.inspect(order, "TEAM")
    crew.inspect(order, "FINAL")
    assert stage(order) == "READY"


@pytest.mark.django_db
def test_of_two_on_one_line_one_checks_it_and_a_plain_defect_waits_for_no_self_check(nine):
    crew = Crew()
    other = crew.floor.technician("蒋试工")
    order, [line] = make_agreed(crew.floor, "BR-10")
    crew.floor.give(line, crew.worker, start=(9, 0))
    clocking.clock_on(line_uid=line.uid, employee_uid=other.uid, by=crew.floor.foreman)
    work(crew.floor, line, crew.worker)
    failed = crew.inspect(order, "TEAM", "FAILED", reason="漏装护板", cause="LEFT_OUT", failed_line_uid=line.uid)
    assert (failed.result, states(order)) == ("FAILED", ["IN_PROGRESS"])
    with clock_at(11):
        clocking.clock_on(line_uid=line.uid, employee_uid=other.uid, by=crew.floor.foreman)
        clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", correction="装上护板", by=actor(other))
        inspections.inspect_order(order_uid=order.uid, level="SELF", result="PASSED", by=actor(other))
        crew.inspect(order, "TEAM")
    assert waiting_for(actor(crew.leader), order.uid).level == "FINAL"


@pytest.mark.django_db
def test_a_distance_alone_counts_for_the_last_reading(nine):
    crew = Crew()
    order, _lines = crew.finished("BR-10")
    begun = last_reading(order.visit)
    crew.inspect(order, "SELF")
    crew.inspect(order, "TEAM", road_test_km=3)
    crew.inspect(order, "FINAL", road_test_km=3)  # the same drive, taken over
    assert last_reading(order.visit) == begun + 3


SPOILED = (
    "INSERT INTO workshop_certificate (uid, version, created_at, updated_at, store_id, range_id, number, category,"
    " guarantee_days, guarantee_km, issued_at, voided_at, void_reason)"
    " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, '', 0, 0, now(), now(), '打印作废')"
)
CAUSED = (
    "INSERT INTO workshop_inspection (uid, version, created_at, updated_at, store_id, order_id, level, result,"
    " inspector_id, at, reason, cause) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, {}, %s, %s, %s, {})"
)
CERTIFY = (
    "INSERT INTO workshop_certificate (uid, version, created_at, updated_at, store_id, order_id, range_id, number,"
    " inspector_id, category, guarantee_days, guarantee_km, issued_at, void_reason)"
    " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, %s, 'SECOND_MAINTENANCE', 30, 5000, now(), '')"
)


@pytest.mark.django_db
def test_the_database_refuses_a_certificate_without_final_inspection_and_a_second_valid_one(refused, nine):
    crew = Crew()
    store = crew.floor.shop.store
    kept = inspections.allot_certificates(prefix="沪A", first=1, last=9, by=machine("test", store_id=store.pk))
    waiting, _lines = crew.finished("BR-10")
    order, _lines = crew.inspected("MT-80")
    made = inspections.issue_certificate(order_uid=order.uid, by=actor(crew.inspector))
    CertificateRange.objects.filter(pk=kept.pk).update(next=8)
    rows = list(Certificate.objects.values())
    with refused("certificate_after_final_inspection") as sql:
        sql(CERTIFY, [store.pk, waiting.pk, kept.pk, "沪A00000007", crew.inspector.pk])
    with refused("certificate_after_final_inspection") as sql:
        sql(CERTIFY, [store.pk, order.pk, kept.pk, "沪A00000007", crew.leader.pk])
    with refused("certificate_one_valid") as sql:
        sql(CERTIFY, [store.pk, order.pk, kept.pk, "沪A00000007", crew.inspector.pk])
    with refused("workshop_certificate_number_key") as sql:
        sql(SPOILED, [store.pk, kept.pk, made.number])
    with refused("certificate_unused_is_void") as sql:
        sql(CERTIFY, [store.pk, None, kept.pk, "沪A00000009", None])
    with refused("certificaterange_bounds") as sql:
        sql("UPDATE workshop_certificaterange SET next = 99 WHERE id = %s", [kept.pk])
    assert list(Certificate.objects.values()) == rows


@pytest.mark.django_db(transaction=True)
def test_two_inspectors_never_take_one_number():
    with clock_at(9):
        crew = Crew()
        setup = machine("test", store_id=crew.floor.shop.store.pk)
        inspections.allot_certificates(prefix="沪A", first=1, last=1, by=setup)
        inspections.allot_certificates(prefix="沪A", first=2, last=2, by=setup)
        first, _lines = crew.inspected("MT-80")
    one = actor(crew.inspector)
    with clock_at(15):
        crew.worker = crew.floor.technician("袁试工")
        crew.inspector = crew.floor.hire("inspector", name="文试检")
        second, [line] = make_agreed(crew.floor, "MT-80")
        crew.floor.give(line, crew.worker, start=(15, 0))
        work(crew.floor, line, crew.worker)
        for level in ("SELF", "TEAM", "FINAL"):
            crew.inspect(second, level)
    two = actor(crew.inspector)
    told = race(
        lambda: inspections.issue_certificate(order_uid=first.uid, by=one).number,
        lambda: inspections.issue_certificate(order_uid=second.uid, by=two).number,
    )
    assert told == ["沪A00000001", "沪A00000002"]
    assert list(CertificateRange.objects.order_by("first").values_list("next", flat=True)) == [2, 3]


@pytest.mark.django_db
def test_a_self_check_beside_an_unsigned_sheet_needs_a_reason(nine):
    crew = Crew()
    order, [line] = make_agreed(crew.floor, "BR-10")
    crew.floor.give(line, crew.worker)
    clocking.clock_on(line_uid=line.uid, by=actor(crew.worker))
    sheet = begun(order, actor(crew.worker))
    phone = client_of(crew.worker)
    for page in ("/my-jobs/", f"/my-jobs/{line.uid}/finish/"):
        assert f'href="/sheets/{sheet.uid}/"' in english(phone, page)
        assert "isn't signed: 0 of 7 answered" in unescape(english(phone, page))
    clocking.finish_line(line_uid=line.uid, cause="片磨到 2 mm", correction="换新片", by=actor(crew.worker))
    before = History.objects.count()
    with rule("inspection.sheet_open"):
        crew.inspect(order, "SELF")
    assert (History.objects.count(), Inspection.objects.count()) == (before, 0)
    address = f"/inspections/{order.uid}/self/"
    assert "Passed all the same" in english(phone, address)
    assert phone.post(address, {"result": "PASSED", "form_token": uuid4()}).status_code == 422
    sent = phone.post(address, {"result": "PASSED", "sheet_reason": "客户赶时间", "form_token": uuid4()})
    assert (sent.status_code, Inspection.objects.get().sheet_reason) == (302, "客户赶时间")
    team = crew.inspect(order, "TEAM")  # whoever checks after it isn't asked again, but is told
    assert team.sheet_reason == ""
