"""A car's whole visit over HTTP calls alone, each person with a device of their own (issue: shown by 4)."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dealership.catalogue.seeds import seed_store
from dealership.exchange.services.demo_store import make_store
from dealership.kernel import clock, outbox
from dealership.kernel.models import History, Outbox, OutboxState, Store, User
from delivery.models import HandoverCheck
from delivery.tasks import send_due_surveys
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import make_vin

pytestmark = pytest.mark.django_db
SCOPES = tuple(
    f"{room}:write" for room in ("reception", "catalogue", "staff", "workshop", "delivery", "quality", "compliance")
)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 64).decode()
FRIDAY = date(2026, 11, 27)


class Shop:
    """One store with its people; ``shop.advisor`` is the advisor's device, speaking over HTTP."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.devices: dict[str, ApiCaller] = {}

    def __getattr__(self, login: str) -> ApiCaller:
        if login not in self.devices:
            person = User.objects.get(username=login)
            self.devices[login] = ApiCaller(*SCOPES, "personal:read", store=self.store, acts_for=person)
        return self.devices[login]

    def uid_of(self, login: str) -> str:
        number = User.objects.get(username=login).employee.number
        (found,) = self.hr.get(f"employees?number={number}").json()["data"]
        return found["uid"]


@pytest.fixture
def moment():
    """The hour of the day, moved by ``moment(hour, minute)``."""
    stack: list[Any] = []

    def move(hour: int, minute: int = 0, day: date = FRIDAY) -> datetime:
        while stack:
            stack.pop().__exit__(None, None, None)
        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=8)
        moved = clock.moved_to(at)
        moved.__enter__()
        stack.append(moved)
        return at

    move(8)
    yield move
    while stack:
        stack.pop().__exit__(None, None, None)


@pytest.fixture
def shop(db, moment) -> Shop:
    store = make_store(code="BJ01", name="北郊店", brand="示例")
    seed_store(store)
    return Shop(store)


def ok(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content.decode()
    return response.json()


def relay() -> None:
    """What the worker does behind the outbox, until nothing is due."""
    while ids := outbox.claim_due():
        outbox.deliver_all(ids)
    assert not Outbox.objects.exclude(state=OutboxState.DONE).exists(), list(
        Outbox.objects.exclude(state=OutboxState.DONE).values("handler", "last_error")
    )


def test_the_whole_visit(shop: Shop, moment) -> None:
    operations = {item["code"]: item for item in ok(shop.advisor.get("operations?limit=100"))["data"]}
    bays = {item["code"]: item for item in ok(shop.foreman.get("bays"))["data"]}
    lift = next(bay["uid"] for bay in bays.values() if bay["capability"] == "STANDARD_LIFT")

    # Parts come in.
    for part in ("BRK-PAD-F", "FLT-CAB-01"):
        (found,) = ok(shop.parts.get(f"parts?number={part}"))["data"]
        body = {"part_uid": found["uid"], "quantity": "10", "unit_cost": "100"}
        ok(shop.parts.post("stock-movements", body), 201)

    # Booking and preparation (2.4).
    moment(8)
    customer = ok(shop.receptionist.post("customers", {"name": "张试驾", "phone": "13800001111"}), 201)
    vehicle = ok(
        shop.receptionist.post(
            "vehicles",
            {"plate": "京A12345", "vin": make_vin(1), "model_text": "途远 2.0T", "owner_uid": customer["uid"]},
        ),
        201,
    )
    booking = {
        "starts_at": "2026-11-27T08:30:00+08:00",
        "concern": "刹车异响",
        "customer_uid": customer["uid"],
        "vehicle_uid": vehicle["uid"],
    }
    appointment = ok(shop.receptionist.post("appointments", booking), 201)
    assert appointment["state"] == "CONFIRMED"
    assert (appointment["contact_name"], appointment["contact_phone"]) == ("张试驾", "13800001111")
    assert "mark-no-show" not in appointment["transitions"]  # nobody is late yet
    booked = f"appointments/{appointment['uid']}"
    ok(shop.parts.act(booked, "confirm-parts"))
    assert ok(shop.foreman.act(booked, "confirm-workshop"))["state"] == "PREPARED"

    # Arrival and reception (2.1).
    moment(8, 30)
    assert "mark-no-show" in ok(shop.receptionist.get(booked))["transitions"]
    arrival = {"need": "刹车异响", "appointment_uid": appointment["uid"]}
    problem(shop.receptionist.post("visits", {"need": "刹车异响", "plate": "京A12345"}), 409, "visit.mandatory")
    said = problem(shop.receptionist.post("visits", {**arrival, "need": ""}), 422, "validation")
    assert said["errors"][0]["pointer"] == "/need"
    visit = ok(shop.receptionist.post("visits", arrival), 201)
    assert (visit["state"], visit["vehicle_uid"], visit["plate"]) == ("WAITING", vehicle["uid"], "京A12345")
    assert (visit["customer_uid"], visit["contact_name"], visit["model_text"]) == (
        customer["uid"],
        "张试驾",
        "途远 2.0T",
    )
    assert "greet" in visit["transitions"]
    assert ok(shop.receptionist.get(booked))["state"] == "ARRIVED"
    here = f"visits/{visit['uid']}"

    moment(8, 34)
    visit = ok(shop.advisor.act(here, "greet"))
    assert (visit["state"], visit["advisor_uid"]) == ("IN_RECEPTION", shop.uid_of("advisor"))
    ok(
        shop.advisor.act(
            here,
            "save-walkaround",
            {"odometer_km": 48930, "energy_eighths": 4, "old_parts": "TAKE", "no_valuables": True, "kit_fitted": True},
        )
    )
    visit = ok(shop.advisor.act(here, "add-damage", {"side": "LEFT", "kind": "SCRATCH", "x": 300, "y": 500}))
    assert [mark["kind"] for mark in visit["damages"]] == ["SCRATCH"]
    ok(shop.advisor.act(here, "give-key", {"key_tag": "07", "place": "B3"}))
    problem(
        shop.advisor.post("repair-orders", {"visit_uid": visit["uid"], "complaint": "刹车异响"}), 409, "visit.signature"
    )
    visit = ok(shop.advisor.act(here, "sign-walkaround", {"signed_name": "张试驾", "signature": PNG}))
    assert (visit["walkaround_state"], visit["odometer_in"]) == ("SIGNED", 48930)

    # The order opens with the diagnosis, agreed to at the desk; brake pads are added and agreed on the telephone (3.2).
    order = ok(
        shop.advisor.post(
            "repair-orders",
            {
                "visit_uid": visit["uid"],
                "complaint": "慢慢踩刹车的时候前面吱吱响",
                "diagnosis_agreed_by": "张试驾",
                "signed_on_paper": True,
            },
        ),
        201,
    )
    there = f"repair-orders/{order['uid']}"
    pads = ok(
        shop.advisor.post(
            "labor-operations", {"repair_order_uid": order["uid"], "operation_uid": operations["BR-10"]["uid"]}
        ),
        201,
    )
    assert (pads["state"], pads["labor_amount"], pads["currency_code"]) == ("DRAFT", "136.00", "CNY")
    ok(shop.advisor.act(there, "send-estimate"))
    decision = {
        "decisions": {pads["uid"]: {"approve": True}},
        "method": "VERBAL_PHONE",
        "authorized_by": "张试驾",
        "note": "电话同意更换前制动片",
    }
    ok(shop.advisor.act(there, "decide", decision))
    full = ok(shop.advisor.get(f"{there}?expand=labor_operations,authorizations,part_lines"))
    assert {line["state"] for line in full["labor_operations"]} == {"AUTHORIZED"}
    assert {row["status"] for row in full["authorizations"]} == {"APPROVED"}
    (diagnosis,) = (line for line in full["labor_operations"] if line["is_diagnosis"])
    (pad_part,) = full["part_lines"]
    ok(shop.advisor.act(here, "promise", {"promised_at": "2026-11-27T16:00:00+08:00", "reason": "按工时排到下午"}))

    # Plan and work; more is found and declined, and that stops nothing (2.4, 3.2).
    technician = shop.uid_of("technician")
    problem(
        shop.technician.post("clockings", {"labor_operation_uid": diagnosis["uid"]}), 409, "clocking.not_dispatched"
    )
    plan = {"technician_uid": technician, "bay_uid": lift}
    moment(9)
    slots = f"dispatch-slots?labor_operation_uid={diagnosis['uid']}"
    said = problem(shop.foreman.get("dispatch-slots"), 400, "validation")
    assert [(e["pointer"], e["code"]) for e in said["errors"]] == [("?labor_operation_uid", "required")]
    said = problem(shop.foreman.get(f"dispatch-slots?labor_operation_uid={order['uid']}"), 400, "validation")
    assert [(e["pointer"], e["code"]) for e in said["errors"]] == [("?labor_operation_uid", "reference")]
    ways = ok(shop.foreman.get(slots))["data"]
    assert technician in {way["technician_uid"] for way in ways}
    assert ways[0]["starts_at"] == "2026-11-27T09:00:00+08:00"
    (later,) = ok(shop.foreman.get(f"{slots}&after=2026-11-27T13:30:00%2B08:00&limit=1"))["data"]
    assert later["starts_at"] == "2026-11-27T13:30:00+08:00"
    ok(
        shop.foreman.post(
            "dispatches",
            {**plan, "labor_operation_uid": diagnosis["uid"], "starts_at": "2026-11-27T09:00:00+08:00"},
        ),
        201,
    )
    taken = {**plan, "labor_operation_uid": pads["uid"], "starts_at": "2026-11-27T09:15:00+08:00"}
    said = problem(shop.foreman.post("dispatches", taken), 409, "reservation.taken")
    assert said["free_at"] == "2026-11-27T09:30:00+08:00"
    ok(shop.foreman.post("dispatches", {**taken, "starts_at": "2026-11-27T10:00:00+08:00"}), 201)
    ok(shop.technician.post("clockings", {"labor_operation_uid": diagnosis["uid"]}), 201)
    moment(9, 25)
    done = ok(shop.technician.act(f"labor-operations/{diagnosis['uid']}", "finish", {"cause": "前片磨到 2 mm"}))
    assert done["state"] == "COMPLETED"
    ok(shop.parts.act(there, "reserve-parts"))
    part = ok(shop.parts.act(f"part-lines/{pad_part['uid']}", "issue"))
    assert (part["issued_quantity"], part["reserved_quantity"]) == ("1.00", "0.00")

    moment(10)
    clocking = ok(shop.technician.post("clockings", {"labor_operation_uid": pads["uid"]}), 201)
    said = problem(shop.technician.post("clockings", {"labor_operation_uid": diagnosis["uid"]}), 409, "clocking.open")
    assert said["in_the_way"] == {"resource": "clockings", "uid": clocking["uid"]}
    said = problem(shop.technician.act(f"labor-operations/{diagnosis['uid']}", "finish"), 409, "state.move")
    assert said["state"] == "COMPLETED"
    more = ok(
        shop.technician.post(
            "labor-operations",
            {"repair_order_uid": order["uid"], "operation_uid": operations["AC-10"]["uid"], "complaint": "滤芯很脏"},
        ),
        201,
    )
    assert more["is_addition"]
    ok(shop.advisor.act(there, "send-estimate"))
    moment(10, 20)
    ok(shop.technician.act(f"clockings/{clocking['uid']}", "clock-off", {"pause_cause": "BREAK"}))
    decision |= {"decisions": {more["uid"]: {"approve": False, "reason": "下次再做"}}}
    ok(shop.advisor.act(there, "decide", decision))
    moment(10, 30)
    ok(shop.technician.post("clockings", {"labor_operation_uid": pads["uid"]}), 201)
    moment(11)
    ok(
        shop.technician.act(
            f"labor-operations/{pads['uid']}", "finish", {"cause": "前片磨到 2 mm", "correction": "更换前制动片"}
        )
    )

    # Three inspections; the final one fails first and goes back with its reason (3.2).
    inspect = {"repair_order_uid": order["uid"], "result": "PASSED"}
    problem(shop.inspector.post("inspections", {**inspect, "level": "FINAL"}), 409, "inspection.order")
    ok(shop.technician.post("inspections", {**inspect, "level": "SELF"}), 201)
    ok(shop.leader.post("inspections", {**inspect, "level": "TEAM"}), 201)
    failed = {
        "level": "FINAL",
        "result": "FAILED",
        "reason": "仍有异响",
        "cause": "DIAGNOSIS",
        "failed_labor_operation_uid": pads["uid"],
    }
    ok(shop.inspector.post("inspections", {**inspect, **failed}), 201)
    moment(11, 10)
    ok(shop.technician.post("clockings", {"labor_operation_uid": pads["uid"]}), 201)
    moment(11, 20)
    ok(shop.technician.act(f"labor-operations/{pads['uid']}", "finish", {"correction": "重新涂抹消音膏"}))
    moment(11, 25)
    ok(shop.technician.post("inspections", {**inspect, "level": "SELF"}), 201)
    ok(shop.leader.post("inspections", {**inspect, "level": "TEAM"}), 201)
    ok(shop.inspector.post("inspections", {**inspect, "level": "FINAL", "road_test_km": 3}), 201)
    assert ok(shop.advisor.get(there))["stage"] == "READY"

    # Settlement, payment in two parts, hand-over, gate (4.1).
    moment(14)
    checklist = dict.fromkeys(HandoverCheck.values, "DONE")
    handover = {
        "visit_uid": visit["uid"],
        "checklist": checklist,
        "odometer_out": 48933,
        "received_by": "张试驾",
        "signature": PNG,
        "next_service_on": "2027-05-24",
        "next_service_km": 58933,
    }
    problem(shop.advisor.post("deliveries", handover), 409, "handover.settlement")
    settlement = ok(shop.advisor.post("settlements", {"repair_order_uid": order["uid"]}), 201)
    total = Decimal(settlement["total"])
    assert total == Decimal("85.00") + Decimal("136.00") + Decimal("560.00")
    assert (settlement["labor_total"], settlement["material_total"]) == ("221.00", "560.00")
    bill = f"settlements/{settlement['uid']}"
    pay = {"settlement_uid": settlement["uid"], "method": "SCAN_CODE", "amount": "500.00"}
    problem(shop.cashier.post("payments", pay), 409, "payment.unsigned")
    ok(shop.advisor.act(bill, "sign", {"signed_name": "张试驾", "signature": PNG}))
    signed = shop.cashier.get(bill)
    assert (ok(signed)["paid_total"], ok(signed)["due_total"]) == ("0.00", str(total))
    first = ok(shop.cashier.post("payments", pay), 201)
    now = shop.cashier.get(bill)
    assert (ok(now)["paid_total"], ok(now)["due_total"]) == ("500.00", str(total - 500))
    assert now.headers["ETag"] != signed.headers["ETag"]
    assert ok(now)["updated_at"] > ok(signed)["updated_at"]
    problem(shop.advisor.post("deliveries", handover), 409, "handover.payment")
    problem(shop.cashier.post("payments", pay), 409, "payment.amount")
    rest = ok(shop.cashier.post("payments", {**pay, "method": "CASH", "amount": str(total - 500)}), 201)
    ok(shop.accountant.act(f"payments/{rest['uid']}", "refund", {"amount": "1.00", "reason": "多收零钱"}))
    ok(shop.cashier.post("payments", {**pay, "method": "CASH", "amount": "1.00"}), 201)
    paid = ok(shop.cashier.get(f"payments?settlement_uid={settlement['uid']}"))["data"]
    assert sum(Decimal(row["amount"]) for row in paid) == total
    assert ok(shop.cashier.get(bill))["due_total"] == "0.00"
    assert first["number"] != rest["number"]
    delivered = ok(shop.advisor.post("deliveries", handover), 201)
    assert delivered["punctual"] is True
    gate = ok(shop.advisor.post("gate-passes", {"visit_uid": visit["uid"], "kind": "DELIVERED"}), 201)
    assert "cancel" in gate["transitions"]
    assert "scan-back" not in gate["transitions"]
    moment(14, 20)
    passed = f"gate-passes/{gate['uid']}"
    assert "scan-out" in ok(shop.receptionist.get(passed))["transitions"]
    assert ok(shop.receptionist.act(passed, "scan-out"))["transitions"] == []
    visit = ok(shop.advisor.get(f"{here}?expand=repair_orders,vehicle"))
    assert (visit["state"], visit["odometer_out"], visit["vehicle"]["odometer_km"]) == ("DEPARTED", 48933, 48933)
    assert [row["stage"] for row in visit["repair_orders"]] == ["CLOSED"]
    assert visit["transitions"] == ["note-feedback"]  # what the customer still says is written down

    # Behind the outbox: callback, archive, figures; then the survey, whose bad answer opens a complaint (4.2, 4.3, 6.4).
    relay()
    (archive,) = ok(shop.manager.get(f"archives?visit_uid={visit['uid']}"))["data"]
    assert (archive["state"], archive["subject_uid"]) == ("ARCHIVED", order["uid"])
    problem(shop.manager.act(f"archives/{archive['uid']}", "mark-for-destruction"), 409, "archive.retention")
    (follow_up,) = ok(shop.care.get(f"follow-ups?visit_uid={visit['uid']}"))["data"]
    assert (follow_up["state"], follow_up["due_on"]) == ("DUE", "2026-11-30")
    moment(10, day=date(2026, 11, 30))
    call = {"result": "REACHED", "note": "车辆一切正常"}
    assert ok(shop.care.act(f"follow-ups/{follow_up['uid']}", "record-call", call))["state"] == "REACHED"
    moment(14, 30, day=date(2026, 11, 30))
    send_due_surveys()
    relay()
    (survey,) = ok(shop.care.get(f"surveys?visit_uid={visit['uid']}"))["data"]
    answer = {
        "scores": {"RECEPTION": 5, "FACILITY": 4, "PROCESS": 2, "QUALITY": 1, "DELIVERY": 3},
        "recommend": 3,
        "words": "还有异响",
    }
    survey = ok(shop.care.act(f"surveys/{survey['uid']}", "answer", answer))
    assert (survey["recommend"], len(survey["answers"]), survey["transitions"]) == (3, 5, [])
    relay()
    (complaint,) = ok(shop.supervisor.get(f"complaints?visit_uid={visit['uid']}"))["data"]
    assert (complaint["state"], complaint["survey_uid"]) == ("OPEN", survey["uid"])
    case = f"complaints/{complaint['uid']}"
    ok(shop.care.act(case, "respond", {"words": "已致歉并约定周二复查"}))
    ok(shop.care.act(case, "resolve", {"solution": "免费复查并更换消音片"}))
    problem(shop.care.act(case, "close"), 409, "complaint.closer")
    assert ok(shop.supervisor.act(case, "close"))["state"] == "CLOSED"

    # The figures of the day, the feed of events, and nobody but the machines acted without a person.
    from dealership.process.services.rollup import recompute_touched

    recompute_touched()
    kpis = ok(shop.manager.get("kpis?day_gte=2026-11-27&day_lte=2026-11-27&limit=100"))["data"]
    assert kpis
    assert {row["store_code"] for row in kpis} == {"BJ01"}
    lines = History.objects.filter(visit_uid=visit["uid"]).exclude(actor_kind="MACHINE")
    assert set(lines.values_list("actor_kind", flat=True)) == {"CLIENT"}
    codes = set(lines.values_list("code", flat=True))
    assert {
        "reception.visit.arrived",
        "reception.visit.greeted",
        "reception.walkaround.signed",
        "workshop.repair_order.opened",
        "workshop.line.authorized",
        "workshop.line.declined",
        "workshop.line.finished",
        "workshop.inspection.failed",
        "workshop.inspection.passed",
        "delivery.settlement.signed",
        "delivery.payment.taken",
        "delivery.payment.refunded",
        "delivery.handover.done",
        "delivery.gate_pass.scanned_out",
        "reception.visit.departed",
    } <= codes
