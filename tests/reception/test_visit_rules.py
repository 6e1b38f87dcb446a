"""What the database itself refuses of a visit: raw SQL as the application's role, by the rule's name, nothing changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dealership.kernel import clock
from reception.models import DamageMark, EveningCount, EveningCountLine, Visit, VisitPromise, WalkAround
from reception.services import visits, walkarounds
from reception.services.evening import count_evening
from tests.factories.reception import make_received_visit, make_signed_visit, make_visit
from tests.factories.staff import make_actor, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def advisor():
    return make_actor(make_store("BJ01"), "advisor")


def rows_of(*models):
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("visit_moves", "state = 'IN_SHOP'"),
        ("visit_moves", "state = 'DEPARTED'"),
        ("visit_unserved_reason", "state = 'LEFT_UNSERVED'"),
        ("visit_greeted_before_reception", "state = 'IN_RECEPTION'"),
        ("visit_rating", "rating = 6"),
        ("visit_rating", "rating = 0"),
    ],
)
def test_a_waiting_visit(refused, advisor, rule, change):
    visit = make_visit(advisor)
    before = rows_of(Visit)
    with refused(rule) as sql:
        sql(f"UPDATE reception_visit SET {change} WHERE id = %s", [visit.pk])
    assert rows_of(Visit) == before


def test_no_shop_without_a_signature(refused, advisor):
    visit = make_received_visit(advisor)
    before = rows_of(Visit)
    with refused("visit_signed_before_shop") as sql:
        sql("UPDATE reception_visit SET state = 'IN_SHOP' WHERE id = %s", [visit.pk])
    assert rows_of(Visit) == before


def test_no_departure_without_its_hour(refused, advisor):
    visit = make_signed_visit(advisor)
    visits.admit_visit(visit=visit, by=advisor)
    before = rows_of(Visit)
    with refused("visit_departed_at") as sql:
        sql("UPDATE reception_visit SET state = 'DEPARTED' WHERE id = %s", [visit.pk])
    assert rows_of(Visit) == before


def test_an_ended_visit_stays_ended(refused, advisor):
    visit = make_visit(advisor)
    visits.leave_unserved(uid=visit.uid, reason="改天再来", by=advisor)
    before = rows_of(Visit)
    with refused("visit_moves") as sql:
        sql("UPDATE reception_visit SET state = 'WAITING' WHERE id = %s", [visit.pk])
    assert rows_of(Visit) == before


def test_one_open_visit_per_car(refused, advisor):
    one, two = make_visit(advisor), make_visit(advisor)
    before = rows_of(Visit)
    with refused("visit_one_open_per_vehicle") as sql:
        sql("UPDATE reception_visit SET vehicle_id = %s WHERE id = %s", [one.vehicle_id, two.pk])
    assert rows_of(Visit) == before


def test_one_tag_on_one_key(refused, advisor):
    one, two = make_visit(advisor), make_visit(advisor)
    visits.give_key(uid=one.uid, key_tag="07", by=advisor)
    before = rows_of(Visit)
    with refused("visit_key_tag") as sql:
        sql("UPDATE reception_visit SET key_tag = '07' WHERE id = %s", [two.pk])
    assert rows_of(Visit) == before


@pytest.mark.parametrize(
    "statement", ["UPDATE reception_visitpromise SET reason = 'x'", "DELETE FROM reception_visitpromise"]
)
def test_a_promise_is_never_changed(refused, advisor, statement):
    visit = make_received_visit(advisor)
    visits.promise_visit(uid=visit.uid, promised_at=clock.now() + timedelta(hours=2), reason="保养", by=advisor)
    before = rows_of(VisitPromise)
    with refused("visitpromise_append_only") as sql:
        sql(statement)
    assert rows_of(VisitPromise) == before


@pytest.mark.parametrize(
    ("rule", "promised", "reason"),
    [("visitpromise_ahead", "now() - interval '1 h'", "x"), ("visitpromise_reason", "now() + interval '1 h'", "")],
)
def test_a_promise_lies_ahead_and_says_why(refused, advisor, rule, promised, reason):
    visit = make_received_visit(advisor)
    with refused(rule) as sql:
        sql(
            "INSERT INTO reception_visitpromise (visit_id, promised_at, reason, told, made_at, actor_kind, actor_id)"
            f" VALUES (%s, {promised}, %s, '', now(), 'USER', 'x')",
            [visit.pk, reason],
        )
    assert VisitPromise.objects.count() == 0


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("walkaround_signed_is_final", "UPDATE reception_walkaround SET odometer_km = 1"),
        ("walkaround_signed_is_final", "DELETE FROM reception_walkaround"),
        ("walkaround_moves", "UPDATE reception_walkaround SET state = 'DRAFT'"),
    ],
)
def test_a_signed_walk_around_is_final(refused, advisor, rule, statement):
    make_signed_visit(advisor)
    before = rows_of(WalkAround)
    with refused(rule) as sql:
        sql(statement)
    assert rows_of(WalkAround) == before


def test_a_walk_around_is_born_open(refused, advisor):
    visit = make_received_visit(advisor)
    with refused("walkaround_moves") as sql:
        sql(
            "INSERT INTO reception_walkaround (uid, version, created_at, updated_at, visit_id, state, odometer_reason,"
            " warning_lights, belongings, kit_fitted, no_valuables, old_parts, own_words, signed_name)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, 'SIGNED', '', '{}', '{}', true, true, 'TAKE', '', 'x')",
            [visit.pk],
        )
    assert WalkAround.objects.count() == 0


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (
            "walkaround_complete_when_signed",
            "state = 'SIGNED', signed_at = now(), signed_name = 'x', no_valuables = true",
        ),
        ("walkaround_energy", "energy_eighths = 9"),
    ],
)
def test_an_open_walk_around(refused, advisor, rule, change):
    visit = make_received_visit(advisor)
    walkarounds.save_walkaround(visit_uid=visit.uid, kit_fitted=True, by=advisor)
    before = rows_of(WalkAround)
    with refused(rule) as sql:
        sql(f"UPDATE reception_walkaround SET {change}")
    assert rows_of(WalkAround) == before


@pytest.mark.parametrize(
    "statement",
    ["UPDATE reception_damagemark SET note = 'x'", "DELETE FROM reception_damagemark"],
)
def test_marks_of_a_signed_walk_around_stay(refused, advisor, statement):
    visit = make_received_visit(advisor)
    walkarounds.add_damage(visit_uid=visit.uid, side="TOP", kind="CHIP", by=advisor)
    walkarounds.save_walkaround(
        visit_uid=visit.uid, odometer_km=1, energy_eighths=5, old_parts="TAKE", no_valuables=True, by=advisor
    )
    walkarounds.sign_walkaround(visit_uid=visit.uid, signed_name="周试车", by=advisor)
    before = rows_of(DamageMark)
    with refused("damagemark_walkaround_open") as sql:
        sql(statement)
    assert rows_of(DamageMark) == before


def test_no_mark_is_added_to_a_signed_walk_around(refused, advisor):
    visit = make_signed_visit(advisor)
    with refused("damagemark_walkaround_open") as sql:
        sql(
            "INSERT INTO reception_damagemark (uid, walkaround_id, side, kind, place, x, y, note)"
            " VALUES (gen_random_uuid(), %s, 'TOP', 'CHIP', '', 1, 1, '')",
            [visit.walkaround.pk],
        )
    assert DamageMark.objects.count() == 0


def test_a_mark_lies_on_the_drawing(refused, advisor):
    visit = make_received_visit(advisor)
    walkarounds.add_damage(visit_uid=visit.uid, side="TOP", kind="CHIP", by=advisor)
    before = rows_of(DamageMark)
    with refused("damagemark_inside") as sql:
        sql("UPDATE reception_damagemark SET x = 1001")
    assert rows_of(DamageMark) == before


def test_one_evening_count_a_day_and_one_line_a_visit(refused, advisor):
    visit = make_visit(advisor)
    line = {"visit_uid": visit.uid, "car_found": True, "key_found": True}
    count = count_evening(lines=[line], by=advisor)
    before = rows_of(EveningCount, EveningCountLine)
    with refused("eveningcount_once") as sql:
        sql(
            "INSERT INTO reception_eveningcount (uid, version, created_at, updated_at, store_id, day, counted_by_id,"
            " remark) SELECT gen_random_uuid(), 1, now(), now(), store_id, day, counted_by_id, ''"
            " FROM reception_eveningcount"
        )
    with refused("eveningcountline_once") as sql:
        sql(
            "INSERT INTO reception_eveningcountline (count_id, visit_id, car_found, key_found, place, remark)"
            " VALUES (%s, %s, true, true, '', '')",
            [count.pk, visit.pk],
        )
    assert rows_of(EveningCount, EveningCountLine) == before
