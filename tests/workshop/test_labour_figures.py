"""6.1: utilisation and productivity beside efficiency, from what was clocked, earned and attended."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.process.models import KpiTouchedDay, KpiValue
from dealership.process.selectors.figures import read, rows_behind
from dealership.process.services import rollup
from staff.services import rosters
from tests.factories.floor import DAY, Floor, actor, at, clock_at, make_agreed, make_floor
from tests.factories.staff import actor_for
from workshop.models import OrderLine
from workshop.services import clocking

CODES = ("workshop.efficiency", "workshop.utilisation", "workshop.productivity")


def counted(floor: Floor, who: str = "") -> list[tuple[Decimal, Decimal]]:
    """Numerator and denominator of the three figures on the test's day, counted afresh; the rows say the same."""
    store, by = floor.shop.store, machine("test", store_id=floor.shop.store.pk)
    rollup.recompute_day(store_id=store.pk, day=DAY)
    found = []
    for code in CODES:
        whole = read(by, code, DAY, DAY, dimension=who)
        behind = rows_behind(by, code, DAY, DAY, dimension=who or None)
        assert (round(behind.numerator, 4), round(behind.denominator, 4)) == (
            round(whole.numerator, 4),
            round(whole.denominator, 4),
        ), code
        found.append((round(whole.numerator, 2), round(whole.denominator, 2)))
    return found


def do(floor: Floor, line: OrderLine, person, start: tuple[int, int], end: tuple[int, int]) -> None:
    with clock_at(*start):
        clocking.clock_on(line_uid=line.uid, employee_uid=person.uid, by=floor.foreman)
    with clock_at(*end):
        clocking.finish_line(line_uid=line.uid, cause="磨到极限", correction="已更换", by=actor(person))


@pytest.mark.django_db
def test_a_day_counts_when_the_shift_is_over_and_the_three_figures_fit():
    """8 h on shift, 2 h on a job: utilisation 25 %; productivity is efficiency × utilisation."""
    floor = make_floor()
    person, idle = floor.technician(), floor.technician(name="陶试闲")
    with clock_at(8, 50):
        _order, [line] = make_agreed(floor, "BR-10")
        floor.give(line, person)
    do(floor, line, person, (9, 0), (11, 0))
    zero = (Decimal(0), Decimal(0))
    with clock_at(12):
        assert counted(floor, str(person.uid)) == [(line.hours, Decimal(2)), zero, zero]
    with clock_at(17, 31):
        efficiency, utilisation, productivity = counted(floor, str(person.uid))
        assert (efficiency, utilisation, productivity) == (
            (line.hours, Decimal(2)),
            (Decimal(2), Decimal(8)),
            (line.hours, Decimal(8)),
        )
        assert productivity[0] / productivity[1] == efficiency[0] / efficiency[1] * utilisation[0] / utilisation[1]
        assert counted(floor, str(idle.uid))[1:] == [(Decimal(0), Decimal(8))] * 2
        assert counted(floor)[1:] == [(Decimal(2), Decimal(16)), (line.hours, Decimal(16))]


@pytest.mark.django_db
def test_work_outside_the_shift_is_attended_and_another_post_attends_what_it_clocked():
    floor = make_floor()
    person, helper = floor.technician(), floor.hire("leader", skills={"engine": 4, "chassis": 4}, name="班试长")
    with clock_at(8, 50):
        _order, [line, other] = make_agreed(floor, "BR-10", "BR-30")
    do(floor, line, person, (12, 30), (13, 30))  # half an hour of it in the break
    do(floor, other, helper, (14, 0), (15, 0))
    with clock_at(17, 31):
        assert counted(floor, str(person.uid))[1] == (Decimal(1), Decimal("8.5"))
        assert counted(floor, str(helper.uid))[1] == (Decimal(1), Decimal(1))


@pytest.mark.django_db
def test_the_end_of_a_shift_a_roster_and_a_correction_count_the_day_anew():
    floor = make_floor()
    person, store = floor.technician(), floor.shop.store
    setup = machine("test", store_id=store.pk)
    with clock_at(9):
        _order, [line] = make_agreed(floor, "BR-10")
        made = clocking.clock_on(line_uid=line.uid, employee_uid=person.uid, by=floor.foreman)
    with clock_at(11):
        clocking.clock_off(pause_cause="BREAK", by=actor(person))
    KpiTouchedDay.objects.all().delete()
    with clock_at(17, 29):
        rollup.touch_run_out()
        assert not KpiTouchedDay.objects.filter(day=DAY).exists()
    with clock_at(17, 31):
        rollup.touch_run_out()
        assert KpiTouchedDay.objects.filter(day=DAY, store=store).exists()
    with clock_at(18):
        rosters.set_roster_day(employee_uid=person.uid, day=DAY, shift_code=None, by=setup)
    with clock.moved_to(at(9) + timedelta(days=1)):
        KpiTouchedDay.objects.all().delete()
        clocking.correct_clocking(uid=made.uid, started_at=at(9), ended_at=at(10), reason="忘打卡", by=floor.foreman)
        rollup.touch_other_days(store_id=store.pk, code="workshop.clocking.corrected", root_uid=made.uid)
        assert set(KpiTouchedDay.objects.values_list("day", flat=True)) == {DAY}
        assert counted(floor, str(person.uid))[1] == (Decimal(1), Decimal(1)), "off duty: attended is what was worked"


@pytest.mark.django_db
def test_the_dashboard_lists_technicians_and_leads_to_the_rows():
    floor = make_floor()
    person, manager = floor.technician(), floor.hire("manager", name="管试理")
    with clock_at(8, 50):
        _order, [line] = make_agreed(floor, "BR-10")
    do(floor, line, person, (9, 0), (11, 0))
    client = Client()
    client.force_login(actor_for(manager).user)
    with clock_at(18):
        counted(floor)
        page = client.get("/dashboard/?period=day").content.decode()
        assert "25 %" in page
        assert f"/figures/workshop.utilisation/?period=day&who={person.uid}#rows" in page
        rows = client.get(f"/figures/workshop.utilisation/?period=day&who={person.uid}").content.decode()
        assert f"/roster/?week={DAY:%Y-%m-%d}" in rows
    assert KpiValue.objects.filter(code="workshop.productivity", dimension=str(person.uid)).exists()
