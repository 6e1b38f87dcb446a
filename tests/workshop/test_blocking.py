"""2.4: a bay breaks down: it is taken out of use, what is planned there makes room, and the re-plan finds other places."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dealership.catalogue.models import Reservation, ReservationPurpose, ResourceKind
from dealership.catalogue.services import plans
from dealership.catalogue.services.resources import add_resource
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from tests.factories.floor import actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from workshop.models import Dispatch
from workshop.services import blocking, clocking, dispatch, proposals


@pytest.fixture
def nine():
    with clock_at(9):
        yield


def block(floor, bay: str = "2", start: int = 10, end: int = 12, **more) -> Reservation:
    given = {"bay_uid": floor.bays[bay].uid, "starts_at": at(start), "ends_at": at(end), "reason": "举升机漏油"}
    return blocking.block_bay(**given | more, by=floor.foreman)


def written() -> tuple[int, int, int]:
    return (
        Reservation.objects.filter(live=True).count(),
        Dispatch.objects.filter(live=True).count(),
        History.objects.count(),
    )


def book(floor, bay: str, start: int, end: int) -> Reservation:
    """The time of a booking in a bay."""
    [made] = plans.reserve_all(
        resource_uids=[floor.bays[bay].uid],
        starts_at=at(start),
        ends_at=at(end),
        purpose=ReservationPurpose.APPOINTMENT,
        subject_uid=None,
        note="YY1",
        by=floor.foreman,
    )
    return made


@pytest.mark.django_db
def test_a_blocked_bay_takes_no_work_until_it_is_to_be_had_again(nine):
    floor = make_floor()
    person = floor.technician()
    _order, [line] = make_agreed(floor, "BR-10")
    made = block(floor)
    assert (made.purpose, made.note) == ("BLOCKED", "举升机漏油")
    event = History.objects.get(code="workshop.bay.blocked")
    assert event.facts["bay"] == str(floor.bays["2"].uid)
    with rule("reservation.taken"):
        floor.give(line, person, "2", (10, 30))
    with rule("reservation.taken"):
        block(floor, start=11, end=13)
    ended = blocking.unblock_bay(uid=made.uid, by=floor.foreman)
    assert not ended.live
    floor.give(line, person, "2", (10, 30))
    with rule("block.ended"):
        blocking.unblock_bay(uid=made.uid, by=floor.foreman)
    assert History.objects.filter(code="workshop.bay.unblocked").count() == 1


@pytest.mark.django_db
def test_what_was_of_the_block_stays_when_it_ends_early():
    floor = make_floor()
    with clock_at(9):
        made = block(floor)
    with clock_at(11):
        ended = blocking.unblock_bay(uid=made.uid, by=floor.foreman)
    assert (ended.live, ended.period.lower, ended.period.upper) == (True, at(10), at(11))


@pytest.mark.django_db
def test_planned_work_makes_room_and_the_replan_finds_another_place(nine, settings):
    settings.PLANNER_DETERMINISTIC = 2.0
    floor = make_floor()
    person = floor.technician("高试工")
    _order, [line] = make_agreed(floor, "BR-10")
    plan = floor.give(line, person, "2", (11, 0))
    before = written()
    with pytest.raises(RuleError) as refusal:
        block(floor)
    assert (refusal.value.code, refusal.value.field, refusal.value.params["work"]) == ("block.hits", "make_room", 1)
    assert written() == before
    block(floor, start=9, end=18, make_room=True)
    plan.refresh_from_db()
    assert not plan.live
    assert "举升机漏油" in plan.ended_reason
    assert not Reservation.objects.filter(subject_uid=line.uid, live=True).exists()
    asked = proposals.ask_proposal(cause="BLOCKED", by=floor.foreman)
    proposals.work_out(uid=asked.uid)
    (change,) = asked.changes.all()
    assert change.bay_id == floor.bays["4"].pk
    proposals.accept_proposal(uid=asked.uid, by=floor.foreman)
    assert Dispatch.objects.get(live=True).bay_id == floor.bays["4"].pk


@pytest.mark.django_db
def test_who_is_clocked_on_goes_on_and_two_people_make_room_together(nine):
    floor = make_floor()
    person, lead, second = (
        floor.technician("马试工"),
        floor.technician("高试工", hv=3),
        floor.technician("袁试工", hv=3),
    )
    _order, [running] = make_agreed(floor, "BR-10")
    _order, [pair] = make_agreed(floor, "HV-10")
    kept = floor.give(running, person, "4", (9, 0))
    clocking.clock_on(line_uid=running.uid, by=actor(person))
    floor.give(pair, lead, "4", (10, 0), second_uid=second.uid)
    made = block(floor, "4", 9, 12, make_room=True)
    kept.refresh_from_db()
    assert kept.live
    assert not kept.bay_plan.live
    assert kept.person_plan.live
    assert not Dispatch.objects.filter(line=pair, live=True).exists()
    assert not Reservation.objects.filter(subject_uid=pair.uid, live=True).exists()
    assert History.objects.get(code="workshop.bay.blocked").facts["given_back"] == 2
    assert made.live
    clocking.clock_off(pause_cause="BAY", by=actor(person))
    dispatch.take_back_dispatch(uid=kept.uid, reason="换工位", by=floor.foreman)


@pytest.mark.django_db
def test_a_booking_moves_to_another_bay_that_serves_or_the_block_is_refused(nine):
    floor = make_floor()
    booking = book(floor, "2", 10, 11)
    block(floor, make_room=True)
    booking.refresh_from_db()
    assert not booking.live
    moved = Reservation.objects.get(note="YY1", live=True)
    assert (moved.resource_id, moved.period) == (floor.bays["4"].pk, booking.period)
    book(floor, "1", 14, 15)
    for bay in ("2", "4"):
        book(floor, bay, 14, 15)
    before = written()
    with rule("block.booking"):
        block(floor, "1", 14, 16, make_room=True)
    assert written() == before


@pytest.mark.django_db
def test_refusals_change_nothing(nine):
    floor = make_floor()
    person = floor.technician()
    before = written()
    with rule("block.reason"):
        block(floor, reason=" ")
    with rule("block.period"):
        block(floor, start=12, end=12)
    with rule("block.period"):
        block(floor, starts_at=at(7), ends_at=at(8))
    with rule("block.period"):
        block(floor, ends_at=at(10) + timedelta(days=32))
    with pytest.raises(NotAllowed, match=r"workshop\.plan\.dispatch"):
        blocking.block_bay(bay_uid=floor.bays["2"].uid, starts_at=at(10), ends_at=at(11), reason="坏", by=actor(person))
    foreign = make_floor()
    with pytest.raises(type(floor.bays["2"]).DoesNotExist):
        blocking.block_bay(
            bay_uid=floor.bays["2"].uid, starts_at=at(10), ends_at=at(11), reason="坏", by=foreign.foreman
        )
    tool = add_resource(
        store=floor.shop.store,
        kind=ResourceKind.TOOL,
        code="T1",
        name="诊断仪",
        by=machine("test", store_id=floor.shop.store.pk),
    )
    with pytest.raises(type(tool).DoesNotExist):
        blocking.block_bay(bay_uid=tool.uid, starts_at=at(10), ends_at=at(11), reason="坏", by=floor.foreman)
    assert Dispatch.objects.count() == before[1]
    assert not Reservation.objects.filter(purpose="BLOCKED").exists()
