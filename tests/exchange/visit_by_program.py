"""A car's visit from the booking to the closed complaint, written against a client of the API and nothing else.

Only the standard library is imported. ``whole_visit(world)`` drives it: ``world.advisor`` is the client with which the
advisor's device speaks, ``world.at(hour, minute, day)`` moves the shop's clock, ``world.relay()`` lets the background
work happen. As a program it takes one line of JSON on standard input (address, credentials per person, folder of the
generated client) and asks for clock and relay over standard output, one line each, answered by one line.
"""

import base64
import json
import sys
from decimal import Decimal

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 64).decode()
FRIDAY, MONDAY = (2026, 11, 27), (2026, 11, 30)


def act(client, resource, uid, verb, body=None):
    """Reads the item for its ETag and carries out one of its actions."""
    etag = getattr(client, f"get_{resource}")(uid=uid).etag
    return getattr(client, f"{resource}_{verb}")(uid=uid, body=body or {}, if_match=etag)


def refused(code, call, **given):
    """The call is refused with exactly this code."""
    try:
        call(**given)
    except Exception as refusal:
        if getattr(refusal, "code", None) != code:
            raise
        return
    raise AssertionError(f"not refused: {code}")


def only(answer):
    (found,) = answer["data"]
    return found


def uid_of(world, number):
    return only(world.hr.list_employee(number=number))["uid"]


def whole_visit(world, plate="京A12345"):
    """Returns the uids of what came to be."""
    desk, advisor, foreman, parts = world.receptionist, world.advisor, world.foreman, world.parts
    operations = {item["code"]: item for item in advisor.list_operation(limit=100)["data"]}
    lift = next(bay["uid"] for bay in foreman.list_bay()["data"] if bay["capability"] == "STANDARD_LIFT")
    made = {"operations": operations, "lift": lift}

    # Booking and preparation (2.4).
    world.at(8, 0)
    customer = desk.create_customer(body={"name": "张试驾", "phone": "13800001111"})
    car = {"plate": plate, "vin": "LDC613P23A1305189", "model_text": "途远 2.0T"}
    vehicle = desk.create_vehicle(body={**car, "owner_uid": customer["uid"]})
    who = {
        "contact_name": "张试驾",
        "contact_phone": "13800001111",
        "customer_uid": customer["uid"],
        "vehicle_uid": vehicle["uid"],
    }
    free = desk.list_appointment_slot(day_gte="2026-11-27", days=1)["data"]
    slot = next(slot for slot in free if slot["starts_at"] >= "2026-11-27T08:30")
    appointment = desk.create_appointment(body={**who, "starts_at": slot["starts_at"], "concern": "刹车异响"})
    assert appointment["state"] == "CONFIRMED", appointment.json
    act(parts, "appointment", appointment["uid"], "confirm_parts")
    assert act(foreman, "appointment", appointment["uid"], "confirm_workshop")["state"] == "PREPARED"

    # Arrival and reception (2.1).
    world.at(8, 30)
    arrival = {
        **who,
        "model_text": "途远 2.0T",
        "need": "刹车异响",
        "plate": plate,
        "appointment_uid": appointment["uid"],
    }
    refused("validation", desk.create_visit, body={**arrival, "need": ""})
    visit = desk.create_visit(body=arrival)["uid"]
    assert desk.get_appointment(uid=appointment["uid"])["state"] == "ARRIVED"
    world.at(8, 34)
    assert act(advisor, "visit", visit, "greet")["state"] == "IN_RECEPTION"
    seen = {"odometer_km": 48930, "energy_eighths": 4, "old_parts": "TAKE", "no_valuables": True, "kit_fitted": True}
    act(advisor, "visit", visit, "save_walkaround", seen)
    act(advisor, "visit", visit, "add_damage", {"side": "LEFT", "kind": "SCRATCH", "x": 300, "y": 500})
    act(advisor, "visit", visit, "give_key", {"key_tag": "07", "place": "B3"})
    signed = {"signed_name": "张试驾", "signature": PNG}
    assert act(advisor, "visit", visit, "sign_walkaround", signed)["walkaround_state"] == "SIGNED"

    # The order with its diagnosis; brake pads are added and agreed on the telephone (3.2).
    opened = {
        "visit_uid": visit,
        "complaint": "慢慢踩刹车的时候前面吱吱响",
        "diagnosis_agreed_by": "张试驾",
        "signed_on_paper": True,
    }
    order = advisor.create_repair_order(body=opened)["uid"]
    pads = advisor.create_labor_operation(
        body={"repair_order_uid": order, "operation_uid": operations["BR-10"]["uid"]}
    )["uid"]
    act(advisor, "repair_order", order, "send_estimate")
    decision = {
        "decisions": {pads: {"approve": True}},
        "method": "VERBAL_PHONE",
        "authorized_by": "张试驾",
        "note": "电话同意更换前制动片",
    }
    act(advisor, "repair_order", order, "decide", decision)
    full = advisor.get_repair_order(uid=order, expand="labor_operations,authorizations,part_lines")
    assert {line["state"] for line in full["labor_operations"]} == {"AUTHORIZED"}
    (diagnosis,) = (line["uid"] for line in full["labor_operations"] if line["is_diagnosis"])
    (pad_part,) = (row["uid"] for row in full["part_lines"])
    act(advisor, "visit", visit, "promise", {"promised_at": "2026-11-27T16:00:00+08:00", "reason": "按工时排到下午"})

    # Plan and work; more is found and declined (2.4, 3.2).
    technician = world.technician
    refused("clocking.not_dispatched", technician.create_clocking, body={"labor_operation_uid": diagnosis})
    plan = {"technician_uid": uid_of(world, world.numbers["technician"]), "bay_uid": lift}
    world.at(9, 0)
    for line, at in ((diagnosis, "09:00"), (pads, "10:00")):
        foreman.create_dispatch(body={**plan, "labor_operation_uid": line, "starts_at": f"2026-11-27T{at}:00+08:00"})
    technician.create_clocking(body={"labor_operation_uid": diagnosis})
    world.at(9, 25)
    act(technician, "labor_operation", diagnosis, "finish", {"cause": "前片磨到 2 mm"})
    act(parts, "repair_order", order, "reserve_parts")
    act(parts, "part_line", pad_part, "issue")
    world.at(10, 0)
    clocking = technician.create_clocking(body={"labor_operation_uid": pads})["uid"]
    found = {"repair_order_uid": order, "operation_uid": operations["AC-10"]["uid"], "complaint": "滤芯很脏"}
    more = technician.create_labor_operation(body=found)["uid"]
    act(advisor, "repair_order", order, "send_estimate")
    world.at(10, 20)
    act(technician, "clocking", clocking, "clock_off", {"pause_cause": "BREAK"})
    decision["decisions"] = {more: {"approve": False, "reason": "下次再做"}}
    act(advisor, "repair_order", order, "decide", decision)
    world.at(10, 30)
    technician.create_clocking(body={"labor_operation_uid": pads})
    world.at(11, 0)
    act(technician, "labor_operation", pads, "finish", {"cause": "前片磨到 2 mm", "correction": "更换前制动片"})

    # Three inspections; the final one fails first and goes back with its reason (3.2).
    inspect = {"repair_order_uid": order, "result": "PASSED"}
    refused("inspection.order", world.inspector.create_inspection, body={**inspect, "level": "FINAL"})
    technician.create_inspection(body={**inspect, "level": "SELF"})
    world.leader.create_inspection(body={**inspect, "level": "TEAM"})
    failed = {
        "level": "FINAL",
        "result": "FAILED",
        "reason": "仍有异响",
        "cause": "DIAGNOSIS",
        "failed_labor_operation_uid": pads,
    }
    world.inspector.create_inspection(body={**inspect, **failed})
    world.at(11, 10)
    technician.create_clocking(body={"labor_operation_uid": pads})
    world.at(11, 20)
    act(technician, "labor_operation", pads, "finish", {"correction": "重新涂抹消音膏"})
    world.at(11, 25)
    technician.create_inspection(body={**inspect, "level": "SELF"})
    world.leader.create_inspection(body={**inspect, "level": "TEAM"})
    world.inspector.create_inspection(body={**inspect, "level": "FINAL", "road_test_km": 3})
    assert advisor.get_repair_order(uid=order)["stage"] == "READY"

    # Settlement, payment in two parts, hand-over, gate (4.1).
    world.at(14, 0)
    settlement = advisor.create_settlement(body={"repair_order_uid": order})
    bill, total = settlement["uid"], Decimal(settlement["total"])
    pay = {"settlement_uid": bill, "method": "SCAN_CODE", "amount": "500.00"}
    refused("payment.unsigned", world.cashier.create_payment, body=pay)
    act(advisor, "settlement", bill, "sign", signed)
    world.cashier.create_payment(body=pay)
    rest = world.cashier.create_payment(body={**pay, "method": "CASH", "amount": str(total - 500)})["uid"]
    act(world.accountant, "payment", rest, "refund", {"amount": "1.00", "reason": "多收零钱"})
    world.cashier.create_payment(body={**pay, "method": "CASH", "amount": "1.00"})
    paid = world.cashier.list_payment(settlement_uid=bill)["data"]
    assert sum(Decimal(row["amount"]) for row in paid) == total
    handover = {
        "visit_uid": visit,
        "checklist": dict.fromkeys(world.checklist, "DONE"),
        "odometer_out": 48933,
        "received_by": "张试驾",
        "signature": PNG,
    }
    refused("handover.next_service", advisor.create_delivery, body=handover)
    handover |= {"next_service_on": "2027-05-24", "next_service_km": 58933}
    assert advisor.create_delivery(body=handover)["punctual"] is True
    gate = advisor.create_gate_pass(body={"visit_uid": visit, "kind": "DELIVERED"})["uid"]
    world.at(14, 20)
    act(desk, "gate_pass", gate, "scan_out")
    left = advisor.get_visit(uid=visit, expand="repair_orders,vehicle")
    assert (left["state"], left["vehicle"]["odometer_km"]) == ("DEPARTED", 48933)
    assert [row["stage"] for row in left["repair_orders"]] == ["CLOSED"]

    # Callback, survey, and the complaint that its bad answer opens (4.2, 4.3, 6.4).
    world.relay()
    archive = only(world.manager.list_archive(visit_uid=visit))
    assert (archive["state"], archive["subject_uid"]) == ("ARCHIVED", order)
    follow_up = only(world.care.list_follow_up(visit_uid=visit))
    world.at(10, 0, MONDAY)
    act(world.care, "follow_up", follow_up["uid"], "record_call", {"result": "REACHED", "note": "车辆一切正常"})
    world.at(14, 30, MONDAY)
    world.relay()
    survey = only(world.care.list_survey(visit_uid=visit))["uid"]
    scores = {"RECEPTION": 5, "FACILITY": 4, "PROCESS": 2, "QUALITY": 1, "DELIVERY": 3}
    act(world.care, "survey", survey, "answer", {"scores": scores, "recommend": 3, "words": "还有异响"})
    world.relay()
    case = only(world.supervisor.list_complaint(visit_uid=visit))["uid"]
    act(world.care, "complaint", case, "respond", {"words": "已致歉并约定周二复查"})
    act(world.care, "complaint", case, "resolve", {"solution": "免费复查并更换消音片"})
    assert act(world.supervisor, "complaint", case, "close")["state"] == "CLOSED"
    return made | {
        "customer": customer["uid"],
        "vehicle": vehicle["uid"],
        "appointment": appointment["uid"],
        "visit": visit,
        "order": order,
        "settlement": bill,
        "payment": rest,
        "archive": archive["uid"],
        "complaint": case,
        "technician": plan["technician_uid"],
    }


def _say(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class World:
    """The shop as the program sees it: one client per person, made when first needed."""

    def __init__(self, told):
        sys.path.insert(0, told["folder"])
        import client_of_the_api

        self._module, self._told = client_of_the_api, told
        self.numbers, self.checklist = told["numbers"], told["checklist"]

    def __getattr__(self, login):
        pair = self._told["credentials"][login]
        self.__dict__[login] = self._module.Client(self._told["base"], *pair)
        return self.__dict__[login]

    def at(self, hour, minute, day=FRIDAY):
        self._ask({"at": [*day, hour, minute]})

    def relay(self):
        self._ask({"relay": True})

    def _ask(self, wish):
        _say(wish)
        sys.stdin.readline()


if __name__ == "__main__":
    world = World(json.loads(sys.stdin.readline()))
    made = whole_visit(world)
    foreign = {name.split(".")[0] for name in sys.modules} & {"requests", "httpx", "urllib3", "aiohttp", "django"}
    _say({"done": made["visit"], "foreign": sorted(foreign)})
