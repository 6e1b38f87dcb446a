"""A repair in two trips: the car drives on while its part is on the way, and comes back for it (3.2)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Reservation
from dealership.kernel import clock, outbox
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History, Message
from delivery.models import GatePass
from delivery.selectors.gate import gate
from delivery.services import handovers
from reception.models import Visit
from reception.selectors import today
from reception.services import visits
from tests.factories.api import ApiCaller
from tests.factories.floor import DAY, Floor, actor, at, clock_at, make_agreed, make_floor
from tests.factories.reception import rule
from tests.factories.workshop import add_operation, agree_all, make_order, part
from workshop.away_models import AwayWait
from workshop.models import Clocking, Dispatch, OrderLine, RepairOrder
from workshop.selectors import away as reads
from workshop.selectors import carried, plan
from workshop.services import away, clocking, stock

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor() -> Floor:
    return make_floor()


def waiting(floor: Floor, hour: int = 9) -> tuple[RepairOrder, OrderLine]:
    """An order whose wipers (EL-10) are agreed to and whose part isn't on the shelf; it is planned and promised."""
    order = make_order(floor.shop, with_diagnosis=False)
    line = add_operation(floor.shop, order, "EL-10")
    agree_all(floor.shop, order)
    stock.keep_for_line(line_uid=line.uid, by=machine("test", store_id=floor.shop.store.pk))
    floor.give(line, floor.technician(), start=(hour, 0))
    RepairOrder.objects.filter(pk=order.pk).update(promised_at=clock.now())
    line.refresh_from_db()
    return order, line


def note(floor: Floor, order: RepairOrder, **more) -> AwayWait:
    given = {"reason": "等雨刮", "expected_on": DAY, "safe_to_drive": True, "by": floor.shop.advisor} | more
    return away.plan_away(order_uid=order.uid, **given)


def guard(floor: Floor) -> Actor:
    return actor(floor.hire("safety"))


def leave(floor: Floor, order: RepairOrder) -> GatePass:
    note(floor, order)
    gate_pass = handovers.issue_gate_pass(visit_uid=order.visit.uid, kind="PARTS_WAIT", by=floor.shop.advisor)
    handovers.scan_out(code=gate_pass.code, by=guard(floor))
    return gate_pass


def receive(floor: Floor, number: str = "WIP-PAIR-01") -> None:
    stock.receive_stock(
        part_uid=part(number).uid,
        quantity=Decimal(2),
        unit_cost=Decimal(30),
        by=machine("test", store_id=floor.shop.store.pk),
    )
    outbox.drain()


def test_bay_and_promise_are_free_while_the_car_is_away(floor: Floor) -> None:
    with clock_at(9):
        order, line = waiting(floor)
        leave(floor, order)
        order.refresh_from_db()
        visit = Visit.objects.get(pk=order.visit_id)
        assert (visit.state, visit.key_tag, visit.promised_at, order.promised_at) == ("AWAY", "", None, None)
        assert order.stage == "ON_HOLD"
        assert not Dispatch.objects.filter(line=line, live=True).exists()
        assert not Reservation.objects.filter(subject_uid=line.uid, live=True).exists()
        assert carried.carried_over(floor.shop.store).waiting == []
        assert plan.loose_lines(floor.foreman) == []
        assert [card for card in today.board(floor.shop.advisor).cards if card.visit] == []
        told = History.objects.filter(order_uid=order.uid).values_list("code", flat=True)
        assert {"workshop.away.planned", "workshop.away.left", "workshop.repair_order.promise_changed"} <= set(told)


def test_the_parts_arrival_asks_for_a_booking_and_the_order_goes_on(floor: Floor) -> None:
    with clock_at(9):
        order, line = waiting(floor)
        gate_pass = leave(floor, order)
        assert reads.to_book(floor.shop.advisor) == []
        receive(floor)
        (row,) = reads.to_book(floor.shop.advisor)
        assert (row.wait.order, f"operation={line.operation.uid}" in row.url) == (order, True)
        assert Message.objects.filter(key=f"away:{row.wait.uid}").count() == 1
        desk = Client()
        desk.force_login(floor.shop.advisor.user)
        assert row.url.replace("&", "&amp;") in desk.get(reverse("today")).content.decode()
        assert order.vehicle.plate in desk.get(row.url).content.decode()
        handovers.scan_back(code=gate_pass.code, by=guard(floor))
        visit = Visit.objects.get(pk=order.visit_id)
        wait = AwayWait.objects.get()
        assert (visit.state, wait.back_at) == ("IN_SHOP", clock.now())
        assert reads.to_book(floor.shop.advisor) == []
        person = floor.technician(
            "另一位",
        )
        floor.give(line, person)
        clocking.clock_on(line_uid=line.uid, by=actor(person))
        assert OrderLine.objects.get(pk=line.pk).state == "IN_PROGRESS"


def test_a_second_arrival_is_led_to_the_open_visit(floor: Floor) -> None:
    with clock_at(9):
        order, _line = waiting(floor)
        leave(floor, order)
        with rule("visit.away"):
            visits.register_arrival(
                contact_name="沈示例", contact_phone="13800000009", model_text="锐放", need="装雨刮",
                vehicle_uid=order.vehicle.uid, by=floor.shop.advisor,
            )  # fmt: skip
        assert Visit.objects.filter(vehicle=order.vehicle).count() == 1


def test_who_may_leave(floor: Floor) -> None:
    with clock_at(9):
        order, _line = waiting(floor)
        for code, more in (
            ("away.reason", {"reason": " "}),
            ("away.safe", {"safe_to_drive": False}),
            ("away.past", {"expected_on": date(2020, 1, 1)}),
        ):
            with rule(code):
                note(floor, order, **more)
        with rule("away.none"):
            handovers.issue_gate_pass(visit_uid=order.visit.uid, kind="PARTS_WAIT", reason="x", by=floor.shop.advisor)
        other = add_operation(floor.shop, order, "BR-20", parts=[])
        agree_all(floor.shop, order)
        person = floor.technician("制动工")
        floor.give(other, person, start=(13, 0))
        clocking.clock_on(line_uid=other.uid, by=actor(person))
        with rule("away.clocked_on"):
            note(floor, order)
        clocking.clock_off(pause_cause="PARTS", by=actor(person))
        with rule("away.unsafe"):  # the brakes are half done
            note(floor, order)
        assert not AwayWait.objects.exists()


def test_without_a_missing_part_nobody_waits(floor: Floor) -> None:
    with clock_at(9):
        order, _line = waiting(floor)
        receive(floor)
        with rule("away.no_part"):
            note(floor, order)


def test_it_is_taken_back_until_the_car_has_left(floor: Floor) -> None:
    with clock_at(9):
        order, _line = waiting(floor)
        wait = note(floor, order)
        with rule("away.open"):
            note(floor, order)
        away.cancel_away(uid=wait.uid, by=floor.shop.advisor)
        leave(floor, order)
        with rule("away.ended"):
            away.cancel_away(uid=AwayWait.objects.first().uid, by=floor.shop.advisor)


def test_the_database_holds_it(floor: Floor, refused) -> None:
    with clock_at(9):
        order, line = waiting(floor)
        facts = {"order": order, "visit": order.visit, "reason": "x", "expected_on": DAY}
        facts["safe_said_by"] = floor.shop.employee
        with refused("gatepass_comes_back") as sql:
            GatePass.objects.create(
                store=order.store, visit=order.visit, kind="PARTS_WAIT", reason="x", expires_at=clock.now()
            )
        other = make_order(floor.shop)
        with refused("awaywait_safe_to_leave"):
            AwayWait.objects.create(**facts | {"visit": other.visit})
        person = floor.technician("别人")
        Clocking.objects.create(store=order.store, line=line, employee=person, started_at=clock.now())
        with refused("awaywait_safe_to_leave"):
            AwayWait.objects.create(**facts)
        Clocking.objects.update(ended_at=clock.now(), pause_cause="PARTS")
        leave(floor, order)
        with refused("clocking_car_is_here"):
            Clocking.objects.create(store=order.store, line=line, employee=person, started_at=clock.now())
        for change in ("reason = 'y'", "left_at = NULL", "left_at = now()"):
            with refused("awaywait_goes_forward") as sql:
                sql(f"UPDATE workshop_awaywait SET {change} WHERE order_id = %s", [order.pk])
        with refused("visit_one_open_per_vehicle") as sql:
            sql("UPDATE reception_visit SET vehicle_id = %s WHERE id = %s", [order.vehicle_id, other.visit_id])
        with refused("visit_moves") as sql:
            sql("UPDATE reception_visit SET state = 'DEPARTED', left_at = now() WHERE id = %s", [order.visit_id])


def test_page_and_api(floor: Floor) -> None:
    with clock_at(9):
        order, _line = waiting(floor)
        desk = Client()
        desk.force_login(floor.shop.advisor.user)
        assert (
            reverse("order-away", args=[order.uid])
            in desk.get(reverse("order-detail", args=[order.uid])).content.decode()
        )
        page = desk.get(reverse("order-away", args=[order.uid]))
        assert "雨刮" in page.content.decode()
        refused = desk.post(
            reverse("order-away", args=[order.uid]), {"reason": "等雨刮", "expected_on": DAY.isoformat()}
        )
        assert refused.status_code == 422
        sent = {"reason": "等雨刮", "expected_on": DAY.isoformat(), "safe_to_drive": "on"}
        assert desk.post(reverse("order-away", args=[order.uid]), sent).status_code == 302
        api = ApiCaller("workshop:write", store=floor.shop.store, acts_for=floor.shop.advisor.user)
        (row,) = api.get("away-waits").json()["data"]
        assert (row["reason"], row["left_at"]) == ("等雨刮", None)
        done = api.act(f"away-waits/{row['uid']}", "cancel")
        assert done.status_code == 200
        assert done.json()["cancelled_at"] is not None
        made = api.post(
            "away-waits",
            {
                "repair_order_uid": str(order.uid),
                "reason": "等雨刮",
                "expected_on": DAY.isoformat(),
                "safe_to_drive": True,
            },
        )
        assert made.status_code == 201


def page_of(person: Actor, name: str, *args: object) -> str:
    client = Client()
    client.force_login(person.user)
    return client.get(reverse(name, args=args)).content.decode()


def test_the_foreman_lets_the_car_drive_on_where_he_lets_the_line_wait(floor: Floor) -> None:
    with clock_at(9):
        (order, (line,)) = make_agreed(floor, "EL-10")
        foreman = Client()
        foreman.force_login(floor.foreman.user)
        page, asked = reverse("line-hold", args=[line.uid]), {"cause": "PARTS", "drives_on": "on", "note": "前轮毂轴承"}
        assert 'name="drives_on"' in foreman.get(page).content.decode()
        assert foreman.post(page, asked | {"cause": "TOOL"}).status_code == 422
        assert not line.holds.exists()
        assert foreman.post(page, asked).url == reverse("order-away", args=[order.uid])
        away_page = reverse("order-away", args=[order.uid])
        assert away_page in page_of(floor.foreman, "order-detail", order.uid)
        assert away_page in page_of(floor.shop.advisor, "order-detail", order.uid)
        assert away_page in page_of(floor.foreman, "plan")
        noted = foreman.post(away_page, {"reason": "前轮毂轴承", "expected_on": DAY.isoformat(), "safe_to_drive": "on"})
        assert noted.status_code == 302
        assert AwayWait.objects.get().safe_said_by.user == floor.foreman.user
        said = page_of(floor.foreman, "order-detail", order.uid)
        assert "Bay, plan and promise stay until the car passes the gate." in said or "车辆出门前" in said
        assert away_page not in said  # noted once
        mechanic = actor(floor.technician("别人"))
        with pytest.raises(NotAllowed):
            note(floor, order, by=mechanic)


def test_a_car_that_leaves_though_its_part_is_here_is_asked_about(floor: Floor) -> None:
    with clock_at(9):
        receive(floor)
        order, line = waiting(floor)
        clocking.hold_line(line_uid=line.uid, cause="PARTS", by=floor.foreman)
        with pytest.raises(RuleError) as refusal:
            note(floor, order)
        assert part("WIP-PAIR-01").said in str(refusal.value)
        assert (refusal.value.code, refusal.value.field) == ("away.part_here", "although_here")
        desk = Client()
        desk.force_login(floor.shop.advisor.user)
        page, sent = (
            reverse("order-away", args=[order.uid]),
            {"reason": "等", "expected_on": DAY, "safe_to_drive": "on"},
        )
        assert 'name="although_here"' in desk.get(page).content.decode()
        assert desk.post(page, sent).status_code == 422
        assert desk.post(page, sent | {"although_here": "on"}).status_code == 302


def test_who_is_away_is_called_in_and_not_worked_on(floor: Floor) -> None:
    with clock_at(9):
        (order, (line,)) = make_agreed(floor, "EL-10")
        clocking.hold_line(line_uid=line.uid, cause="PARTS", note="密封圈", by=floor.foreman)
        leave(floor, order)
        desk = Client()
        desk.force_login(floor.shop.advisor.user)
        said = desk.get(reverse("order-detail", args=[order.uid])).content.decode()
        booking = reads.booking_url(order)
        assert f'name="next" value="{booking.replace("&", "&amp;")}"' in said
        assert said.count(reverse("line-release", args=[line.uid])) == 1  # nothing merely "goes on"
        assert desk.post(reverse("line-release", args=[line.uid]), {"next": booking}).url == booking
        outbox.drain()
        (row,) = reads.to_book(floor.shop.advisor)
        assert row.wait.order == order


def test_the_gate_log_names_who_left_for_a_part(floor: Floor) -> None:
    with clock_at(9):
        order, _line = waiting(floor)
        gate_pass = leave(floor, order)
        seen = gate(by=guard(floor))
        assert [p.pk for p in seen.outside] == [p.pk for p in seen.recent] == [gate_pass.pk]
    with clock.moved_to(at(9, day=DAY + timedelta(days=2))):
        assert gate(by=guard(floor)).recent == []
        handovers.scan_back(code=gate_pass.code, by=guard(floor))
        assert [p.pk for p in gate(by=guard(floor)).recent] == [gate_pass.pk]


def test_the_pass_says_when_the_bay_gets_free(floor: Floor) -> None:
    with clock_at(9):
        order, _line = waiting(floor)
        said = page_of(floor.shop.advisor, "gate-pass-new", order.visit.uid)
        assert "凭此单出门后" in said or "with this pass through the gate" in said
