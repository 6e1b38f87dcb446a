"""3.2: clocked times are put right with a reason each time, and stay once the line is settled: the database says so too."""

from __future__ import annotations

import pytest
from django.db import connection

from delivery.services.settlements import issue_settlement, sign_settlement
from tests.factories.delivery import add_line, make_order, make_team, make_visit, work
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from workshop.models import Inspection, LineState, OrderLine
from workshop.services import clocking


@pytest.mark.django_db
def test_the_database_takes_a_correction_only_with_a_reason_each_time(refused):
    floor = make_floor()
    person, other = floor.technician(), floor.technician(name="陶试记")
    with clock_at(9):
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
        made = clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10):
        clocking.clock_off(pause_cause="BREAK", by=actor(person))  # the first end of an open clock is no correction
    move = "UPDATE workshop_clocking SET ended_at = ended_at - interval '10 min'"
    for change in (
        move,
        "UPDATE workshop_clocking SET started_at = started_at - interval '10 min'",
        "UPDATE workshop_clocking SET ended_at = NULL, corrected_reason = '忘打卡', corrections = corrections + 1",
        f"{move}, corrected_reason = ' ', corrections = corrections + 1",
    ):
        with refused("clocking_corrected_with_reason") as sql:
            sql(f"{change} WHERE id = %s", [made.pk])
    with clock_at(10, 30):
        clocking.correct_clocking(
            uid=made.uid, started_at=at(9, 5), ended_at=at(9, 55), reason="忘打卡", by=floor.foreman
        )
    with refused("clocking_corrected_with_reason") as sql:  # the reason of the last time doesn't serve for the next
        sql(f"{move} WHERE id = %s", [made.pk])
    with refused("clocking_whose_fixed") as sql:
        sql("UPDATE workshop_clocking SET employee_id = %s WHERE id = %s", [other.pk, made.pk])
    with refused("clocking_never_deleted") as sql:
        sql("DELETE FROM workshop_clocking WHERE id = %s", [made.pk])
    with clock_at(10, 40):
        clocking.correct_clocking(uid=made.uid, started_at=at(9), ended_at=at(9, 50), reason="看错", by=floor.foreman)
    made.refresh_from_db()
    assert (made.started_at, made.ended_at, made.corrected_reason, made.corrections) == (at(9), at(9, 50), "看错", 2)


@pytest.mark.django_db
def test_the_clockings_of_a_settled_line_stay(refused):
    team = make_team()
    order = make_order(make_visit(team), team)
    line = add_line(order, state=LineState.AUTHORIZED)
    row = work(line, team.people["technician"], minutes=30)
    for step in (LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED):
        line.state = step
        line.save()
    for level, post in (("SELF", "technician"), ("TEAM", "manager"), ("FINAL", "inspector")):
        Inspection.objects.create(
            store=order.store,
            order=order,
            level=level,
            result="PASSED",
            inspector=team.people[post],
            road_test_km=2,
            road_test_driver=team.people[post],
        )
    with connection.cursor() as cursor:  # before the list a correction with its reason passes
        cursor.execute(
            "UPDATE workshop_clocking SET ended_at = ended_at - interval '1 min', corrected_reason = '忘打卡',"
            " corrections = corrections + 1 WHERE id = %s",
            [row.pk],
        )
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    assert OrderLine.objects.get(pk=row.line_id).settled
    for change in (
        "ended_at = ended_at - interval '1 min', corrected_reason = '又一次', corrections = corrections + 1",
        "corrected_reason = '改写'",
        "pause_cause = 'BREAK'",
    ):
        with refused("clocking_settled_is_final") as sql:
            sql(f"UPDATE workshop_clocking SET {change} WHERE id = %s", [row.pk])
    with refused("clocking_never_deleted") as sql:
        sql("DELETE FROM workshop_clocking WHERE id = %s", [row.pk])
    row.refresh_from_db()
    with rule("clocking.settled"):
        clocking.correct_clocking(
            uid=row.uid, started_at=row.started_at, ended_at=row.ended_at, reason="忘打卡", by=team.manager
        )
