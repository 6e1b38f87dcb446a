"""What a visit can need beside its straight way: every further command of the API once, on a Thursday of its own."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from tests.exchange.visit_by_program import PNG, act, only

THURSDAY = (2026, 12, 3)
DAY = "2026-12-03T{}:00+08:00"


def photo() -> str:
    drawn = io.BytesIO()
    Image.new("RGB", (8, 8), "navy").save(drawn, "PNG")
    return base64.b64encode(drawn.getvalue()).decode()


def other_ways(world: Any, made: dict[str, Any]) -> None:
    world.at(8, 0, THURSDAY)
    customer, vehicle = _records(world, made)
    _bookings(world, vehicle)
    _answers_without_work(world, made)
    _opening(world)
    first = _work(world, made, customer, vehicle)
    _money(world, first)
    _ended_early(world, made)
    _came_back(world, made)
    _afterwards(world, made)
    _brought_in(world)
    _long_repair(world, made)


def _records(world: Any, made: dict[str, Any]) -> tuple[str, str]:
    desk = world.receptionist
    body = {"name": "李试驾", "phone": "13800002222"}
    customer = desk.upsert_customer_by_ref(system="dms", external_id="C-2", body=body)
    desk.upsert_customer_by_ref(
        system="dms", external_id="C-2", body={**body, "note": "周末来店"}, if_match=customer.etag
    )
    customer_uid = customer["uid"]
    etag = desk.get_customer_by_ref(system="dms", external_id="C-2").etag
    desk.replace_customer(uid=customer_uid, body={**body, "kind": "PERSON"}, if_match=etag)
    act(desk, "customer", customer_uid, "record_consent", {"purpose": "SURVEY", "given": True})
    advisor = only(world.hr.list_employee(number=world.numbers["advisor"]))["uid"]
    act(desk, "customer", customer_uid, "name_contact", {"employee_uid": advisor})
    person = {"customer_uid": customer_uid, "name": "王试开", "roles": ["DRIVER"], "phone": "13800002223"}
    contact = desk.create_customer_contact(body=person)
    etag = desk.get_customer_contact(uid=contact["uid"]).etag
    desk.replace_customer_contact(
        uid=contact["uid"], body={"name": "王试开", "roles": ["DRIVER", "AUTHORISES"]}, if_match=etag
    )
    act(desk, "customer_contact", contact["uid"], "end")
    tag = world.care.create_customer_tag(body={"name": "批发客户", "color": "VIOLET"})["uid"]
    etag = world.care.get_customer_tag(uid=tag).etag
    world.care.replace_customer_tag(uid=tag, body={"name": "批发客户", "color": "TEAL"}, if_match=etag)
    worn = desk.create_customer_tagging(body={"customer_uid": customer_uid, "tag_uid": tag})["uid"]
    desk.get_customer_tagging(uid=worn)
    act(desk, "customer_tagging", worn, "end")
    act(world.care, "customer_tag", tag, "end")
    car = {"plate": "京B22222", "vin": "LSVAA2183K0000012", "model_text": "途远 1.5T"}
    vehicle = desk.upsert_vehicle_by_ref(system="dms", external_id="V-2", body=car)["uid"]
    etag = desk.get_vehicle(uid=vehicle).etag
    desk.replace_vehicle(uid=vehicle, body={**car, "color": "白"}, if_match=etag)
    act(desk, "vehicle", vehicle, "change_owner", {"owner_uid": customer_uid, "on": "2026-12-03"})
    act(desk, "vehicle", vehicle, "read_odometer", {"km": 12000})
    act(desk, "vehicle", vehicle, "note_use", {"hard_uses": ["TAXI"]})
    return customer_uid, vehicle


def _sheets(world: Any, order: str) -> None:
    """A check sheet (3.1): written, released, followed; filled in at the car, signed, offered."""
    manager, advisor = world.manager, world.advisor
    sheet = manager.create_check_template(body={"code": "HAND", "name": "交车检查"})["uid"]
    lamp = {"code": "LAMP", "section": "LIGHTS", "kind": "NUMBER", "unit": "lx", "name": "灯光亮度"}
    act(manager, "check_template", sheet, "put_item", lamp)
    act(manager, "check_template", sheet, "put_limit", {"code": "LAMP", "powertrain": "BEV", "red_below": "3.00"})
    act(manager, "check_template", sheet, "put_item", {**lamp, "code": "LAMP-2"})
    act(manager, "check_template", sheet, "drop_item", {"code": "LAMP-2"})
    act(manager, "check_template", sheet, "release", {"starts_on": "2026-12-10"})
    act(manager, "check_template", sheet, "draft_next")
    short = only(advisor.list_check_template(code="SHORT"))
    items = {row["code"]: row["uid"] for row in short["items"]}
    filled = advisor.create_check_sheet(body={"order_uid": order, "template_uid": short["uid"]})["uid"]
    for code in ("TYRE-TREAD", "TYRE-PRESS", "WHEEL-BOLTS", "LAMPS-REAR"):
        act(advisor, "check_sheet", filled, "answer", {"item_uid": items[code], "verdict": "NA"})
    walls = {"item_uid": items["TYRE-WALL"]}
    act(advisor, "check_sheet", filled, "answer", {**walls, "verdict": "RED", "note": "鼓包"})
    act(advisor, "check_sheet", filled, "add_photo", {**walls, "content": photo()})
    act(advisor, "check_sheet", filled, "rest_good")
    act(advisor, "check_sheet", filled, "sign")
    act(advisor, "check_sheet", filled, "offer", walls)


def _stages(world: Any, order: str) -> None:
    """The three inspections of an assembly repair, each on its signed sheet with what it was measured with (3.2)."""
    keeper = world.hr.list_employee(limit=1)["data"][0]["uid"]
    facts = {"number": "G-9", "name": "制动检验台", "kind": "BRAKE_TESTER", "place": "检测区", "keeper_uid": keeper}
    tester = world.parts.create_tool(body=facts)["uid"]
    test = {"done_on": "2026-12-03", "result": "PASSED", "body": "示例计量所", "certificate_number": "JL-9"}
    act(world.techdirector, "tool", tester, "check", test)
    for stage, who in (("BEFORE", world.advisor), ("PROCESS", world.leader), ("FINAL", world.inspector)):
        template = next(row for row in world.advisor.list_check_template(limit=100)["data"] if row["stage"] == stage)
        sheet = world.advisor.create_check_sheet(body={"order_uid": order, "template_uid": template["uid"]})["uid"]
        for item in template["items"]:
            if item["kind"] == "RATING":
                act(who, "check_sheet", sheet, "answer", {"item_uid": item["uid"], "verdict": "GREEN"})
            elif item["kind"] != "NOTE" and not item["powertrains"]:
                many = 4 if item["kind"].endswith("MAP") else 1
                low, high = item["yellow_below"] or item["red_below"], item["yellow_above"] or item["red_above"]
                told = {"item_uid": item["uid"], "readings": [low or high] * many}
                act(who, "check_sheet", sheet, "answer", told)
        act(who, "check_sheet", sheet, "sign", {"instrument_uids": [tester]})


def _tools(world: Any) -> None:
    """The crib (3.4): entered, tested, out and back, damaged, out of use, scrapped."""
    parts, director = world.parts, world.techdirector
    keeper = only(world.hr.list_employee(number=world.numbers["parts"]))["uid"]
    facts = {"name": "扭力扳手", "place": "A1", "keeper_uid": keeper}
    tool = parts.create_tool(body={**facts, "number": "G-1", "kind": "TORQUE_WRENCH", "photo": photo()})
    uid = tool["uid"]
    parts.replace_tool(uid=uid, body={**facts, "check_months": 12}, if_match=tool.etag)
    by_ref = {**facts, "number": "G-2", "kind": "JACK"}
    parts.upsert_tool_by_ref(system="dms", external_id="T-2", body=by_ref)
    parts.get_tool_by_ref(system="dms", external_id="T-2")
    test = {"done_on": "2026-12-03", "result": "PASSED", "body": "市计量所", "certificate_number": "JL-1"}
    act(director, "tool", uid, "check", {**test, "certificate": photo()})
    act(parts, "tool", uid, "issue", {"employee_uid": keeper})
    act(parts, "tool", uid, "return", {"condition": "GOOD"})
    act(parts, "tool", uid, "report_damage", {"note": "手柄开裂"})
    count = parts.create_tool_count(body={})["uid"]
    for number in ("G-1", *(lift["number"] for lift in parts.list_tool(kind="LIFT", limit=100)["data"])):
        act(parts, "tool_count", count, "see", {"number": number})  # a lift that is missing shuts its bay
    act(director, "tool_count", count, "close", {"note": "G-2 借出未登记"})
    count = parts.create_tool_count(body={})["uid"]
    act(parts, "tool_count", count, "cancel", {"note": "误开"})
    act(director, "tool", uid, "stop", {"note": "送修"})
    act(director, "tool", uid, "scrap", {"note": "不能修"})
    lift = parts.create_tool(body={**facts, "name": "举升机", "number": "G-3", "kind": "LIFT"})["uid"]
    assert director.create_lift_round(body={"tool_uid": lift, "kind": "DAILY"})["wrong"] == []
    gloves = parts.create_tool(body={**facts, "name": "绝缘手套", "number": "G-4", "kind": "GLOVES"})["uid"]
    assert director.create_glove_look(body={"tool_uid": gloves})["wrong"] == []
    for listed in (parts.list_tool_issue(tool_uid=uid), parts.list_tool_check(tool_uid=uid)):
        only(listed)
    parts.get_tool_issue(uid=only(parts.list_tool_issue(tool_uid=uid))["uid"])
    parts.get_tool_check(uid=only(parts.list_tool_check(tool_uid=uid))["uid"])


def _bookings(world: Any, vehicle: str) -> None:
    desk = world.receptionist
    who = {"contact_name": "李试驾", "contact_phone": "13800002222", "concern": "保养"}
    free = [slot["starts_at"] for slot in desk.list_appointment_slot(day_gte="2026-12-03", days=2)["data"]]
    assert desk.list_appointment_day(operation_codes="AL-10,EN-20", days=2)["data"][0]["day"] == "2026-12-03"
    coming = {**who, "plate": "京B22223", "model_text": "途远 1.5T"}
    first = desk.create_appointment_by_ref(
        system="web", external_id="A-1", body={**coming, "starts_at": free[4], "source": "CONSUMER_PORTAL"}
    )["uid"]
    act(desk, "appointment", first, "confirm")
    late = {"reason": "机油滤芯被领走"}
    act(world.parts, "appointment", first, "report_part_missing", late)
    act(desk, "appointment", first, "move", {"starts_at": free[6], "reason": "客户要求改期"})
    act(desk, "appointment", first, "cancel", {"reason": "客户取消"})
    lent = {**coming, "plate": "京B22225", "starts_at": free[2], "waiting_mode": "LOANER"}
    lent = desk.create_appointment(body=lent)["uid"]
    for_booking = {"appointment_uid": lent, "method": "CASH", "amount": "200.00"}
    world.cashier.create_deposit(body=for_booking)
    act(desk, "appointment", lent, "extend_loan", {"ends_at": "2026-12-08T18:00:00+08:00"})
    other = {**coming, "plate": "京B22224", "starts_at": free[0]}
    late = desk.create_appointment(body=other)["uid"]
    waits = {**who, "plate": "京B22231", "model_text": "途远 1.5T", "first_day": "2026-12-05", "part_of_day": "MORNING"}
    act(desk, "waiting_entry", desk.create_waiting_entry(body=waits)["uid"], "withdraw", {"reason": "客户取消"})
    world.at(13, 0, THURSDAY)
    act(desk, "appointment", late, "mark_no_show")
    _fetched(world)
    _lent(world, lent)
    _questions(world, first)


def _fetched(world: Any) -> None:
    """A car is fetched from its customer; another way is called off (2.1.2)."""
    desk = world.receptionist
    who = {"contact_name": "李试驾", "contact_phone": "13800002222"}
    driver = world.hr.list_employee(limit=1)["data"][0]["uid"]
    for number, plate in enumerate(("京B22241", "京B22242")):
        gone = desk.create_visit(
            body={
                "contact_name": "李试驾",
                "contact_phone": "13800002222",
                "model_text": "途远 1.5T",
                "need": "异响",
                "plate": plate,
            }
        )
        act(desk, "visit", gone["uid"], "leave_unserved", {"reason": "改天再来"})
        window = {
            "starts_at": f"2026-12-03T1{4 + number}:00:00+08:00",
            "ends_at": f"2026-12-03T1{4 + number}:30:00+08:00",
        }
        body = {
            "kind": "PICK_UP",
            "driver_uid": driver,
            "vehicle_uid": gone["vehicle_uid"],
            **window,
            **who,
            "address": "示例路 1 号",
        }
        way = desk.create_transport(body=body)["uid"]
        if number:
            act(desk, "transport", way, "call_off", {"reason": "客户自己送来"})
            continue
        act(desk, "transport", way, "set_out")
        act(desk, "transport", way, "take_over", {"odometer_km": 12000, "energy_eighths": 4, "need": "异响"})
        act(desk, "transport", way, "arrive")


def _lent(world: Any, booking: str) -> None:
    """A loan car is given, kept longer and taken back (2.1.2, 2.4)."""
    desk = world.receptionist
    visit = _arrival(world, "京B22225", appointment_uid=booking)
    asked = {
        "visit_uid": visit,
        "loan_car_uid": desk.list_loan_car(limit=1)["data"][0]["uid"],
        "licence_seen": True,
        "licence_class": "C1",
        "licence_last4": "123X",
        "licence_until": "2030-01-01",
        "odometer_km": 12000,
        "energy_eighths": 6,
        "condition": "完好",
        "expected_at": "2026-12-03T14:30:00+08:00",
        "signed_name": "李试驾",
        "photos": [photo()],
    }
    trip = desk.create_loan_trip(body=asked)["uid"]
    act(desk, "loan_trip", trip, "keep_longer", {"expected_at": "2026-12-03T15:00:00+08:00"})
    act(desk, "loan_trip", trip, "take_back", {"odometer_km": 12080, "energy_eighths": 5, "condition": "完好"})


def _arrival(world: Any, plate: str, *, greet: bool = True, **more: Any) -> str:
    body = {
        "contact_name": "李试驾",
        "contact_phone": "13800002222",
        "model_text": "途远 1.5T",
        "need": "异响",
        "plate": plate,
        **more,
    }
    visit = world.receptionist.create_visit(body=body)["uid"]
    if greet:
        act(world.advisor, "visit", visit, "greet")
    return visit


def _received(world: Any, plate: str, key: str, **more: Any) -> str:
    """In the shop, walked around and signed."""
    visit = _arrival(world, plate, **more)
    seen = {"odometer_km": 12010, "energy_eighths": 4, "old_parts": "LEAVE", "no_valuables": True, "kit_fitted": True}
    act(world.advisor, "visit", visit, "save_walkaround", seen)
    act(world.advisor, "visit", visit, "give_key", {"key_tag": key, "place": "C1"})
    if "arrival_kind" in more:  # nobody brought it: on the link first, then the customer comes by after all
        act(world.advisor, "visit", visit, "send_walkaround")
        act(world.advisor, "visit", visit, "take_back_walkaround")
    act(world.advisor, "visit", visit, "sign_walkaround", {"signed_name": "李试驾", "signature": PNG})
    return visit


def _article(world: Any, advisor: str) -> str:
    """An article with two versions, looked at, given on; another one withdrawn. Returns the version in force (2.2.2)."""
    care = world.manager
    words = {"title": "保养多少钱？", "body": "三百元起", "review_on": "2027-06-01"}
    kept = care.create_knowledge_article(body={**words, "topic": "PRICE"})["uid"]
    revised = {**words, "body": "三百元起，以价目表为准", "starts_on": "2026-12-03"}
    act(care, "knowledge_article", kept, "revise", revised)
    act(care, "knowledge_article", kept, "review", {"review_on": "2027-07-01"})
    act(care, "knowledge_article", kept, "give", {"employee_uid": advisor})
    gone = care.create_knowledge_article(body={**words, "topic": "OTHER", "title": "旧政策"})["uid"]
    act(care, "knowledge_article", gone, "withdraw", {"reason": "政策停止"})
    return care.get_knowledge_article(uid=kept)["versions"][-1]["uid"]


def _questions(world: Any, booked: str) -> None:
    """One question for each way it can end (2.2)."""
    desk = world.receptionist
    advisor = only(world.hr.list_employee(number=world.numbers["advisor"]))["uid"]

    def asked(**more: Any) -> str:
        body = {
            "channel": "PHONE",
            "body": "保养多少钱？",
            "contact_name": "孙试驾",
            "contact_phone": "13800005555",
            **more,
        }
        return desk.create_consultation(body=body)["uid"]

    article = _article(world, advisor)
    settled = asked()
    work = desk.list_operation(code="MT-10")["data"][0]["uid"]
    car = desk.list_vehicle_model()["data"][0]["uid"]
    world.manager.create_model_price(body={"model_uid": car, "price": "119800.00", "starts_on": "2027-01-01"})
    desk.create_quotation(body={"operation_uids": [work], "consultation_uid": settled, "valid_until": "2026-12-20"})
    act(desk, "consultation", settled, "note", {"body": "老客户"})
    act(desk, "consultation", settled, "assign", {"employee_uid": advisor})
    act(desk, "consultation", settled, "snooze", {"until": DAY.format("16:00")})
    act(desk, "consultation", settled, "receive", {"body": "还在吗？"})
    act(desk, "consultation", settled, "answer", {"body": "三百元起", "way": "PHONE", "cites": [article]})
    act(desk, "consultation", settled, "settle")
    act(desk, "consultation", asked(), "close", {"reason": "打错电话"})
    act(desk, "consultation", asked(), "take")
    act(desk, "consultation", asked(), "convert_to_appointment", {"appointment_uid": booked})
    here = _arrival(world, "京C33335", greet=False)
    act(desk, "consultation", asked(), "convert_to_visit", {"visit_uid": here})
    act(world.receptionist, "visit", here, "leave_unserved", {"reason": "改日再来"})
    lead = {"contact_name": "孙试驾", "contact_phone": "13800005555", "model_text": "途远", "topic": "OTHER"}
    act(desk, "consultation", asked(), "hand_to_sales", lead)


def _opening(world: Any) -> None:
    """2.1.1: a checklist written, changed, gone through with a photo of what is drawn, put right and ended."""
    items = [{"text": "咨询台整洁", "photo_if_wrong": True}, {"text": "座椅完好", "photo_if_wrong": False}]
    body = {"area": "OUTSIDE", "shift_code": "D", "items": items}
    listed = world.manager.create_checklist(body=body)
    items = [{"uid": item["uid"], "text": item["text"], "photo_if_wrong": False} for item in listed["items"]]
    etag = world.manager.get_checklist(uid=listed["uid"]).etag
    world.manager.replace_checklist(uid=listed["uid"], body={"due_minutes": 30, "items": items}, if_match=etag)
    answers = [
        {"item_uid": item["uid"], "in_order": place > 0, "remark": "有污渍", "photo": photo()}
        for place, item in enumerate(items)
    ]
    checked = world.receptionist.create_opening_check(body={"checklist_uid": listed["uid"], "answers": answers})
    (wrong,) = [answer["uid"] for answer in checked["answers"] if not answer["in_order"]]
    act(world.receptionist, "opening_check", checked["uid"], "right", {"point_uid": wrong, "how": "已清洁"})
    act(world.manager, "checklist", listed["uid"], "end")
    phrase = {"situation": "WAITING", "language": "zh-hans", "text": "请用茶"}
    written = world.manager.create_script(body=phrase)
    etag = world.manager.get_script(uid=written["uid"]).etag
    world.manager.replace_script(uid=written["uid"], body={**phrase, "active": False}, if_match=etag)
    advisor = only(world.hr.list_employee(number=world.numbers["advisor"]))["uid"]
    watched = {"employee_uid": advisor, "situation": "ARRIVAL", "scores": {"SMILE": 2, "LISTENS": 0}}
    world.manager.create_observation(body={**watched, "seen": {"LISTENS": "打断客户"}})


def _answers_without_work(world: Any, made: dict[str, Any]) -> None:
    advisor = world.advisor
    body = {
        "contact_name": "王试驾",
        "contact_phone": "13800003333",
        "model_text": "途远",
        "need": "询价",
        "plate": "京C33333",
    }
    asked = world.receptionist.create_visit_by_ref(system="gate", external_id="G-1", body=body)["uid"]
    act(advisor, "visit", asked, "greet")
    act(advisor, "visit", asked, "lead_to_area", {"area": "LOUNGE"})
    marked = act(advisor, "visit", asked, "add_damage", {"side": "REAR", "kind": "DENT", "x": 10, "y": 10})
    act(advisor, "visit", asked, "add_photo", {"content": photo(), "name": "rear.png"})
    act(advisor, "visit", asked, "remove_damage", {"mark_uid": marked["damages"][0]["uid"]})
    world.at(13, 5, THURSDAY)
    act(advisor, "visit", asked, "send_link")
    act(advisor, "visit", asked, "note_feedback", {"words": "接待热情", "score": 5})
    act(advisor, "visit", asked, "end_consultation", {"outcome": "CONSULTED"})
    gone = _arrival(world, "京C33334", greet=False)
    act(world.receptionist, "visit", gone, "leave_unserved", {"reason": "等太久"})


def _work(world: Any, made: dict[str, Any], customer: str, vehicle: str) -> dict[str, str]:
    advisor, foreman, parts, technician = world.advisor, world.foreman, world.parts, world.technician
    operations = made["operations"]
    visit = _received(world, "京B22222", "11", customer_uid=customer, vehicle_uid=vehicle)
    order = advisor.create_repair_order_by_ref(
        system="dms",
        external_id="R-2",
        body={"visit_uid": visit, "complaint": "异响", "diagnosis_agreed_by": "李试驾", "signed_on_paper": True},
    )["uid"]
    diagnosis = only(advisor.list_labor_operation(repair_order_uid=order))["uid"]
    promise = {"promised_at": DAY.format("17:30"), "reason": "等备件"}
    act(advisor, "repair_order", order, "change_promise", promise)
    advisor.create_promise_telling(body={"repair_order_uid": order, "how": "PHONE", "told_to": "李试驾"})

    def line(**more: Any) -> str:
        return advisor.create_labor_operation(body={"repair_order_uid": order, **more})["uid"]

    opens = {"is_dismantling": True, "reassembly_amount": "50.00"}
    brakes = line(operation_uid=operations["BR-10"]["uid"], category="ASSEMBLY", **opens)
    filters = line(operation_uid=operations["AC-10"]["uid"])
    slip = line(operation_uid=operations["BR-10"]["uid"])
    later = line(operation_uid=operations["AC-10"]["uid"])
    never = line(operation_uid=operations["AC-10"]["uid"])
    taken_back = line(operation_uid=operations["AC-10"]["uid"])
    act(advisor, "labor_operation", brakes, "change", {"complaint": "踩刹车抖"})
    act(advisor, "labor_operation", brakes, "discount", {"amount": "1.00", "reason": "老客户"})
    pad = only(parts.list_part(number="BRK-PAD-F"))["uid"]
    act(advisor, "labor_operation", filters, "add_part", {"part_uid": pad, "quantity": "1.00"})
    swapped = advisor.list_part_line(labor_operation_uid=slip)["data"][0]
    other = next(row["uid"] for row in parts.list_part()["data"] if row["uid"] != swapped["part_uid"])
    told = {"part_uid": swapped["part_uid"], "other_uid": other, "kind": "STAND_IN"}
    stands_in = parts.create_part_replacement(body=told)["uid"]
    act(advisor, "part_line", swapped["uid"], "take_replacement", {"part_uid": other})
    act(parts, "part_replacement", stands_in, "end")
    act(advisor, "labor_operation", slip, "cancel", {"reason": "写错了"})
    kind = line(description="异响处理", hours="1.00", pay_type="GOODWILL")
    advisor.create_line_goodwill(body={"labor_operation_uid": kind, "bearer": "SHOP", "reason": "刚过保"})
    act(advisor, "labor_operation", kind, "cancel", {"reason": "客户自己付"})
    ahead = {"customer_uid": customer, "up_to": "500.00", "given_by": "李试驾", "how": "PAPER", "ends_on": "2027-06-30"}
    act(advisor, "standing_consent", advisor.create_standing_consent(body=ahead)["uid"], "end", {"reason": "逐项确认"})
    ours = line(description="本店返修大件", hours="40.00", pay_type="INTERNAL")
    advisor.create_payer_approval(body={"labor_operation_uid": ours, "reason": "本店弄坏"})
    act(advisor, "labor_operation", ours, "cancel", {"reason": "不做了"})
    used = {"part_uid": pad, "quantity": "1.00", "kind": "USED"}
    act(advisor, "labor_operation", filters, "add_part", used)
    act(advisor, "labor_operation", filters, "add_part", used | {"part_uid": other, "kind": "CUSTOMER_SUPPLIED"})
    kept = advisor.list_part_line(labor_operation_uid=filters)["data"]
    looked = {"condition": "NEW", "packaging": "SEALED", "damaged": False, "fits": True}
    advisor.create_own_part_check(
        body={"part_line_uid": next(row["uid"] for row in kept if row["kind"] == "CUSTOMER_SUPPLIED"), **looked}
    )
    rows = advisor.list_part_line(labor_operation_uid=brakes)["data"]
    pads = rows[0]["uid"]
    act(advisor, "part_line", pads, "change", {"quantity": "2.00"})
    act(advisor, "part_line", pads, "discount", {"amount": "1.00", "reason": "老客户"})
    act(advisor, "repair_order", order, "send_estimate")
    answers = {uid: {"approve": True} for uid in (brakes, filters, taken_back)} | {
        later: {"approve": False, "reason": "下次"},
        never: {"approve": False, "reason": "自己做"},
    }
    said = {"decisions": answers, "method": "VERBAL_PHONE", "authorized_by": "李试驾", "note": "电话"}
    act(advisor, "repair_order", order, "decide", said)
    advisor.create_contract_signature(body={"repair_order_uid": order, "signed_name": "李试驾"})
    advisor.create_part_consent(body={"labor_operation_uid": filters, "signed_name": "李试驾"})
    world.declined_is_kept(visit)
    act(world.care, "date_reminder", world.an_owner_is_reminded(visit), "close", {"result": "WITH_US"})
    once, again = (row["uid"] for row in advisor.list_declined_advice()["data"][:2])
    act(advisor, "declined_advice", once, "drop", {"reason": "自己做"})
    act(advisor, "declined_advice", again, "offer")
    second = advisor.create_repair_order(body={"visit_uid": visit, "complaint": "空调有味"})["uid"]
    held = [operations[code]["uid"] for code in ("BR-10", "AC-10")]
    package = {"code": "PK-1", "name": "保养套餐", "price": "150.00", "operation_uids": held, "starts_on": DAY[:10]}
    offer = world.manager.create_service_package(body=package)["uid"]
    put = advisor.create_order_package(body={"repair_order_uid": second, "package_uid": offer})["uid"]
    act(advisor, "order_package", put, "dissolve", {"reason": "客户只做一项"})
    more = {"repair_order_uid": second, "description": "异味检查", "hours": "0.50"}
    more_uid = advisor.create_labor_operation(body=more)["uid"]
    advisor.create_estimate(body={"repair_order_uid": second})
    act(advisor, "repair_order", second, "withdraw_estimate", {"reason": "漏了一项"})
    act(advisor, "labor_operation", more_uid, "cancel", {"reason": "不做了"})
    act(world.manager, "service_package", offer, "end", {"ends_on": DAY[:10]})
    act(advisor, "declined_advice", again, "take_up", {"order_uid": second})
    _sheets(world, second)
    taken, not_now = world.a_customer_asks_for(visit, "BR-20"), world.a_customer_asks_for(visit, "EL-10")
    act(advisor, "maintenance_wish", taken, "take", {"order_uid": second})
    act(advisor, "maintenance_wish", not_now, "decline", {"answer": "今天来不及"})
    act(advisor, "repair_order", second, "withdraw", {"reason": "客户不做"})
    act(advisor, "labor_operation", later, "offer_again")
    act(advisor, "labor_operation", later, "cancel", {"reason": "客户不做"})
    act(advisor, "labor_operation", taken_back, "revoke", {"reason": "客户改变主意", "revoked_by": "李试驾"})
    act(advisor, "labor_operation", taken_back, "agree_after_all", {"authorized_by": "李试驾", "note": "来电改为同意"})
    act(advisor, "labor_operation", taken_back, "revoke", {"reason": "客户仍不做"})
    act(foreman, "labor_operation", filters, "hold", {"cause": "PARTS"})
    away = {"repair_order_uid": order, "reason": "等滤芯", "expected_on": DAY[:10], "safe_to_drive": True}
    act(advisor, "away_wait", advisor.create_away_wait(body=away)["uid"], "cancel")
    act(foreman, "labor_operation", filters, "release")

    # Plan, work, parts (2.4, 3.2).
    world.at(13, 30, THURSDAY)
    plan = {"technician_uid": made["technician"], "bay_uid": made["lift"]}
    taken = foreman.create_dispatch(body={**plan, "labor_operation_uid": filters, "starts_at": DAY.format("16:00")})
    act(foreman, "dispatch", taken["uid"], "take_back", {"reason": "改计划"})
    for uid, at in ((diagnosis, "13:30"), (brakes, "14:30")):
        foreman.create_dispatch(body={**plan, "labor_operation_uid": uid, "starts_at": DAY.format(at)})
    act(foreman, "labor_operation", brakes, "set_shares", {"shares": {made["technician"]: 100}, "reason": "核对"})
    leak = {"bay_uid": made["lift"], "starts_at": DAY.format("17:00"), "ends_at": DAY.format("17:30"), "reason": "漏油"}
    act(foreman, "bay_block", foreman.create_bay_block(body=leak)["uid"], "end")
    act(foreman, "wall_screen", foreman.create_wall_screen(body={"name": "车间"})["uid"], "end")
    _tools(world)
    asked = foreman.create_dispatch_proposal(body={"cause": "SLIP"})["uid"]
    act(foreman, "dispatch_proposal", asked, "reject")
    ready = foreman.create_dispatch_proposal(body={})["uid"]
    world.plan_is_worked_out(ready)
    act(foreman, "dispatch_proposal", ready, "accept")
    technician.create_clocking(body={"labor_operation_uid": diagnosis})
    wanted = {"labor_operation_uid": diagnosis, "need": "PARTS", "note": "卡扣 2 个"}
    act(parts, "technician_call", technician.create_technician_call(body=wanted)["uid"], "answer", {"answer": "COMING"})
    lift_it = {"labor_operation_uid": diagnosis, "need": "HELP", "note": "抬变速箱"}
    act(foreman, "technician_call", technician.create_technician_call(body=lift_it)["uid"], "pass_on")
    act(parts, "part_line", pads, "reserve")
    act(parts, "part_line", pads, "issue", {"quantity": "2.00"})
    act(parts, "part_line", pads, "return", {"quantity": "1.00", "reason": "多领"})
    spare = next(r["uid"] for r in advisor.list_part_line(labor_operation_uid=filters)["data"] if r["part_uid"] == pad)
    act(parts, "part_line", spare, "reserve")
    given = {"source_part_line_uid": spare, "target_part_line_uid": pads, "reason": "客户在店等候"}
    parts.create_reservation_move(body=given)
    act(parts, "part_line", spare, "reserve")
    tried = {"part_uid": pad, "repair_order_uid": order, "technician_uid": made["technician"]}
    act(parts, "part_trial", parts.create_part_trial(body=tried)["uid"], "back", {"condition": "UNOPENED"})
    act(parts, "part_trial", parts.create_part_trial(body=tried)["uid"], "issue")
    act(advisor, "labor_operation", diagnosis, "add_photo", {"content": photo()})
    firm = {
        "labor_operation_uid": brakes,
        "supplier": "示例机加工厂",
        "work": "光盘",
        "leaves": "PART",
        "item": "制动盘",
    }
    firm |= {"agreed_cost": "120.00", "expected_at": DAY.format("17:00")}
    given_up = foreman.create_sublet_order(body=firm)["uid"]
    act(foreman, "sublet_order", given_up, "change_day", {"expected_at": DAY.format("16:30")})
    act(foreman, "sublet_order", given_up, "cancel", {"reason": "改为换新"})
    outside = foreman.create_sublet_order(body=firm)["uid"]
    act(foreman, "sublet_order", outside, "send")
    act(foreman, "sublet_order", outside, "take_back")
    act(foreman, "sublet_order", outside, "check", {"ok": True})
    act(foreman, "sublet_order", outside, "bill", {"final_cost": "120.00"})
    world.at(14, 0, THURSDAY)
    act(technician, "labor_operation", diagnosis, "finish", {"cause": "磨损"})
    clocking = technician.create_clocking(body={"labor_operation_uid": brakes})["uid"]
    gate = advisor.create_gate_pass(body={"visit_uid": visit, "kind": "ROAD_TEST", "reason": "试车"})["uid"]
    act(world.receptionist, "gate_pass", gate, "scan_out")
    world.at(14, 20, THURSDAY)
    act(world.receptionist, "gate_pass", gate, "scan_back")
    unused = advisor.create_gate_pass(body={"visit_uid": visit, "kind": "ROAD_TEST", "reason": "再试"})["uid"]
    act(advisor, "gate_pass", unused, "cancel")
    world.at(14, 40, THURSDAY)
    found = {"cause": "皮带老化", "operation_uid": operations["AC-10"]["uid"], "although_there": True}
    found["photos"] = [{"name": "1.png", "content": photo()}]
    act(technician, "labor_operation", brakes, "report_more_work", found)
    more = advisor.list_labor_operation(repair_order_uid=order)["data"][0]
    act(advisor, "labor_operation", more["uid"], "cancel", {"reason": "客户下次做"})
    act(technician, "labor_operation", brakes, "finish", {"cause": "磨损", "correction": "更换"})
    act(advisor, "labor_operation", brakes, "reassemble")
    lines = advisor.list_labor_operation(repair_order_uid=order)["data"]
    together = next(row["uid"] for row in lines if row["reassembles_uid"] == brakes)
    act(world.manager, "labor_operation", together, "withdraw", {"reason": "随车装回", "reassembly": "FREE"})
    times = {"started_at": DAY.format("14:05"), "ended_at": DAY.format("14:40"), "reason": "开工时间记错"}
    act(foreman, "clocking", clocking, "correct", times)
    act(world.manager, "labor_operation", filters, "withdraw", {"reason": "客户不做了"})
    inspect = {"repair_order_uid": order, "result": "PASSED"}
    technician.create_inspection(body={**inspect, "level": "SELF"})
    world.leader.create_inspection(body={**inspect, "level": "TEAM"})
    _stages(world, order)
    world.inspector.create_inspection(body={**inspect, "level": "FINAL", "road_test_km": 2})
    first = world.inspector.create_certificate(body={"repair_order_uid": order})["uid"]
    act(world.inspector, "certificate", first, "void", {"reason": "打印错误"})
    world.inspector.create_certificate(body={"repair_order_uid": order})
    allotted = world.manager.create_certificate_range(body={"prefix": "京Z", "first": 1, "last": 9})["uid"]
    act(world.inspector, "certificate_range", allotted, "void_number", {"serial": 9, "reason": "打印作废"})
    assert world.inspector.get_certificate_range(uid=allotted)["left"] == 8
    return {"visit": visit, "order": order}


def _money(world: Any, at: dict[str, str]) -> None:
    advisor = world.advisor
    world.at(15, 0, THURSDAY)
    wrong = advisor.create_settlement(body={"repair_order_uid": at["order"]})["uid"]
    act(world.manager, "settlement", wrong, "void", {"reason": "客户抬头写错"})
    bill = advisor.create_settlement_by_ref(system="erp", external_id="S-2", body={"repair_order_uid": at["order"]})
    act(advisor, "settlement", bill["uid"], "sign", {"signed_name": "李试驾", "signature": PNG})
    act(advisor, "settlement", bill["uid"], "ask_unpaid_exit", {"reason": "公司月结"})
    (asked,) = world.manager.list_approval(state="ASKED", subject_uid=bill["uid"])["data"]
    act(world.manager, "approval", asked["uid"], "decide", {"approve": False, "answer": "请先付款"})
    pay = {"settlement_uid": bill["uid"], "method": "CASH", "amount": "10.00"}
    world.cashier.create_payment_by_ref(system="pos", external_id="P-2", body=pay)


def _ended_early(world: Any, made: dict[str, Any]) -> None:
    """The customer pays in advance, then goes without repair."""
    world.at(15, 20, THURSDAY)
    visit = _received(
        world, "京D44444", "12", arrival_kind="TOWED_IN", tow_company="示例道路救援", towed_from="东环高架出口"
    )
    opened = {"visit_uid": visit, "complaint": "漏油", "diagnosis_agreed_by": "李试驾", "signed_on_paper": True}
    order = world.advisor.create_repair_order(body=opened)["uid"]
    ahead = {"repair_order_uid": order, "method": "CASH", "amount": "200.00"}
    world.cashier.create_deposit(body={**ahead, "amount": "50.00"})
    paid = world.cashier.create_deposit_by_ref(system="pos", external_id="D-1", body=ahead)["uid"]
    act(world.accountant, "deposit", paid, "return", {"amount": "200.00", "reason": "客户另约"})
    waived = {"repair_order_uid": order, "amount": "20.00", "reason": "等太久"}
    asked = world.advisor.create_approval(body=waived)["uid"]
    act(world.advisor, "approval", asked, "withdraw")
    act(world.manager, "repair_order", order, "withdraw", {"reason": "客户另约"})


def _came_back(world: Any, made: dict[str, Any]) -> None:
    """The first car is here again within the guarantee (3.2)."""
    advisor, judge = world.advisor, world.manager
    world.at(15, 40, THURSDAY)
    car = world.receptionist.get_vehicle(uid=made["vehicle"])
    again = {"customer_uid": made["customer"], "vehicle_uid": made["vehicle"], "need": "又异响"}
    visit = _arrival(world, car["plate"], **again)
    seen = {"odometer_km": 48990, "energy_eighths": 4, "old_parts": "LEAVE", "no_valuables": True, "kit_fitted": True}
    act(advisor, "visit", visit, "save_walkaround", seen)
    act(advisor, "visit", visit, "sign_walkaround", {"signed_name": "张试驾", "signature": PNG})
    rows = advisor.list_labor_operation(repair_order_uid=made["order"])["data"]
    one, other = [row["uid"] for row in rows if row["state"] == "INSPECTED"][:2]

    def back(line: str) -> str:
        told = {"visit_uid": visit, "labor_operation_uid": line, "complaint": "又异响"}
        return advisor.create_rework_case(body=told)["uid"]

    found = {"cause": "PART", "findings": "减振片脱落"}
    act(advisor, "rework_case", back(one), "withdraw", {"reason": "误录"})
    given = back(one)
    act(judge, "rework_case", given, "judge", found)
    act(judge, "rework_case", given, "send_out", {"repairer": "城东示例修理厂"})
    act(judge, "rework_case", given, "pay", {"amount": "380.00", "invoice": "F-1"})
    ours = back(other)
    act(judge, "rework_case", ours, "judge", {**found, "cost_bearer": "SUPPLIER"})
    act(advisor, "rework_case", ours, "start")
    mended = {"labor_operation_uid": other, "is_quality": True, "fault": "异响", "system": "BRAKES", "part": "制动盘"}
    world.warranty.create_fault_judgement(body=mended)
    asked = {"vehicle_uid": made["vehicle"], "customer_uid": made["customer"], "words": "要求退车"}
    refund = advisor.create_statutory_claim(body={**asked, "remedy": "REFUND"})["uid"]
    act(judge, "statutory_claim", refund, "refuse", {"refusal": "NOT_MET", "answer": "未达到退车条件"})
    repair = advisor.create_statutory_claim(body={**asked, "remedy": "FREE_REPAIR"})["uid"]
    act(judge, "statutory_claim", repair, "grant", {"answer": "同意免费修理"})
    act(judge, "statutory_claim", repair, "finish", {"result": "已修好"})
    other = advisor.create_statutory_claim(body={**asked, "remedy": "TRANSPORT_MONEY"})["uid"]
    act(advisor, "statutory_claim", other, "withdraw", {"result": "客户自行解决"})
    _old_parts(world, visit)
    _maker_claims(world, visit)
    _accident(world)


def _accident(world: Any) -> None:
    """An assessment refused, one agreed; the structure is marked and checked (3.2)."""
    advisor = world.advisor
    order, line, name = world.accident_order()
    body = {"repair_order_uid": order, "policy_number": "P-1", "report_number": "R-1", "happened_on": "2026-12-01"}
    case = advisor.create_accident(body=body)["uid"]
    act(advisor, "accident", case, "change", {"assessor": "乙", "own_share": "100.00", "share_agreed_by": "张试驾"})
    asked = {"accident_uid": case, "rows": [{"labor_operation_uid": line, "amount": "9999.00"}], "reason": "拆检发现"}
    first = advisor.create_assessment(body=asked)["uid"]
    act(advisor, "assessment", first, "refuse", {"decided_by": name, "note": "缺照片"})
    act(advisor, "labor_operation", line, "add_photo", {"content": photo()})
    second = advisor.create_assessment(body=asked)["uid"]
    act(advisor, "assessment", second, "agree", {"decided_by": name})
    advisor.create_structural_job(body={"labor_operation_uid": line, "part": "RAIL"})
    check = {"structural_job_uid": world.structure_is_repaired(), "result": "PASSED", "findings": "合格"}
    world.inspector.create_structure_check(body=check)
    for ends in ("reprice", "bear"):
        order, line, name = world.accident_order()
        case = advisor.create_accident(body=body | {"repair_order_uid": order})["uid"]
        rows = [{"labor_operation_uid": line, "amount": "300.00"}]
        less = advisor.create_assessment(body={"accident_uid": case, "rows": rows})["uid"]
        act(advisor, "assessment", less, "agree", {"decided_by": name, "rows": rows})
        if ends == "reprice":
            act(advisor, "labor_operation", line, "price_as_assessed")
        else:
            told = {"agreed_by": "张试驾", "method": "VERBAL_PHONE", "note": "张试驾来电同意自付差额"}
            advisor.create_difference_consent(body={"labor_operation_uid": line, "agreed": False} | told)
            advisor.create_difference_consent(body={"labor_operation_uid": line} | told)


def _maker_claims(world: Any, visit: str) -> None:
    """One claim is paid, one rejected, one given up (3.2)."""
    clerk = world.warranty
    paid, rejected, given_up = (
        clerk.create_warranty_claim(body={"repair_order_uid": order})["uid"]
        for order in world.warranty_repairs(visit, 3)
    )
    act(clerk, "warranty_claim", paid, "ask")
    act(clerk, "warranty_claim", paid, "start", {"authorised_as": "A-1"})
    for claim in (paid, rejected):
        if claim == rejected:
            act(clerk, "warranty_claim", claim, "start")
        act(clerk, "warranty_claim", claim, "complete")
        act(clerk, "warranty_claim", claim, "submit", {"reference": "M-1"})
    act(clerk, "warranty_claim", paid, "return", {"reason": "补照片"})
    act(clerk, "warranty_claim", paid, "submit", {"reference": "M-1"})
    act(clerk, "warranty_claim", paid, "approve", {"amount": "340.00"})
    act(clerk, "warranty_claim", paid, "pay", {"amount": "340.00", "reference": "T-1"})
    act(clerk, "warranty_claim", rejected, "reject", {"reason": "超期", "shop_bears": "GOODWILL"})
    act(clerk, "warranty_claim", given_up, "withdraw", {"reason": "误开", "shop_bears": "INTERNAL"})


def _old_parts(world: Any, visit: str) -> None:
    """What came off under warranty: one goes to the maker, one is cleared away, one is given to the customer (3.2)."""
    keeper = world.parts
    sent, scrapped, given = world.old_parts_come_off(visit)
    core = world.core_is_paid(visit)
    came = {"core_charge_uid": core, "quantity": "1.00", "brought_by": "张试驾"}
    back = keeper.create_core_return(body=came)["uid"]
    act(keeper, "core_return", back, "send", {"reference": "SF10002"})
    act(keeper, "core_return", back, "credit", {"amount": "280.00"})
    world.accountant.create_core_payout(body={"core_charge_uid": core, "method": "CASH", "amount": "300.00"})
    act(keeper, "old_part", sent, "shelve", {"place": "A-03"})
    act(keeper, "old_part", sent, "send", {"reference": "SF10001"})
    for part in (scrapped, given):
        act(keeper, "old_part", part, "release", {"reference": "R-118"})
    act(keeper, "old_part", scrapped, "scrap", {"note": "回收"})
    act(world.advisor, "old_part", given, "decide", {"disposition": "CUSTOMER"})
    act(world.advisor, "old_part", given, "give", {"given_to": "张试驾", "signed_on_paper": True})


def _afterwards(world: Any, made: dict[str, Any]) -> None:
    twice = world.receptionist.create_customer(body={"name": "李试驾", "phone": "13800004444"})["uid"]
    merge = world.care.create_customer_merge(body={"kept_uid": made["customer"], "merged_uid": twice})["uid"]
    act(world.care, "customer_merge", merge, "undo")
    item = world.parts.list_stock_item()["data"][0]
    act(
        world.parts,
        "stock_item",
        item["uid"],
        "count",
        {"counted": f"{float(item['on_hand']) + 1:.2f}", "reason": "盘点"},
    )
    each = {"part_uid": item["part_uid"], "quantity": "4.00", "unit_cost": "10.00"}
    asked_for = {"supplier": "示例备件", "expected_on": "2031-01-01", "lines": [each]}
    bought = world.parts.create_purchase_order(body=asked_for)
    came = {"purchase_line_uid": bought["lines"][0]["purchase_line_uid"], "quantity": "1.00"}
    act(world.parts, "purchase_order", bought["uid"], "change_day", {"expected_on": "2031-02-01"})
    act(world.parts, "purchase_order", bought["uid"], "receive", {"lines": [came]})
    act(world.parts, "purchase_order", bought["uid"], "end", {"reason": "停产"})
    firm = world.parts.create_supplier(body={"name": "示例轮胎行", "kind": "PARTS", "lead_days": 2})["uid"]
    etag = world.parts.get_supplier(uid=firm).etag
    world.parts.replace_supplier(uid=firm, body={"name": "示例轮胎行", "kind": "BOTH", "active": False}, if_match=etag)
    world.parts.create_warehouse(body={"code": "TYRE", "name": "轮胎库"})
    aside = {"bin_uid": item["bins"][0]["bin_uid"], "quantity": "1.00", "to_bin": "Z-99"}
    act(world.parts, "stock_item", item["uid"], "transfer", aside)
    main = only(world.parts.list_warehouse(code="MAIN"))["uid"]
    take = world.parts.create_stock_take(body={"warehouse_uid": main, "bin_from": "Z-99"})["uid"]
    lying = {"part": item["part_number"], "bin": "Z-99"}
    act(world.parts, "stock_take", take, "count", {**lying, "counted": "1.00"})
    act(world.parts, "stock_take", take, "close")
    delivered = {"part_uid": item["part_uid"], "quantity": "1.00", "unit_cost": "10.00"}
    world.parts.create_stock_movement(body=delivered)
    sale = world.parts.create_counter_sale(body={})["uid"]
    act(world.parts, "counter_sale", sale, "put", {"code": item["part_number"]})
    act(world.parts, "counter_sale", sale, "change", {"customer_uid": made["customer"]})
    act(world.parts, "counter_sale", sale, "sell")
    paid = world.cashier.create_sale_payment(body={"counter_sale_uid": sale, "method": "CASH", "amount": "1.00"})["uid"]
    act(world.accountant, "sale_payment", paid, "refund", {"amount": "1.00", "reason": "付错"})
    line = world.parts.get_counter_sale(uid=sale)["lines"][0]["sale_line_uid"]
    world.parts.create_sale_return(body={"sale_line_uid": line, "quantity": "1.00", "reason": "买错"})
    act(world.parts, "counter_sale", world.parts.create_counter_sale(body={})["uid"], "drop")
    untouched = next(
        row["uid"] for row in world.parts.list_part()["data"]
        if not world.parts.list_stock_item(part_uid=row["uid"])["data"]
    )  # fmt: skip
    act(world.parts, "part", untouched, "set_tracing", {"tracing": "BATCH"})
    there = next(
        row for row in world.parts.list_stock_item()["data"]
        if float(row["on_hand"]) >= 2 and row["uid"] != item["uid"] and row["reserved"] == "0.00"
    )  # fmt: skip
    act(world.parts, "part", there["part_uid"], "set_tracing", {"tracing": "BATCH"})
    act(world.parts, "stock_item", there["uid"], "name", {"lots": ["B-77"], "quantity": "1.00"})
    take = world.parts.create_stock_take(body={"warehouse_uid": main})["uid"]
    lying = {"part": there["part_number"], "bin": there["bins"][0]["bin"] or "-"}
    act(world.parts, "stock_take", take, "count", {**lying, "counted": "0.00"})
    act(world.parts, "stock_take", take, "name", {**lying, "codes": ["B-77"]})
    act(world.parts, "stock_take", take, "cancel", {"note": "误开"})
    act(world.parts, "part", untouched, "set_handling", {"leaves_old": True, "high_voltage": True})
    case = world.care.create_complaint(
        body={"customer_uid": made["customer"], "description": "等太久", "source": "PHONE"}
    )["uid"]
    act(world.care, "complaint", case, "respond", {"words": "已致歉"})
    act(world.care, "complaint", case, "review", {"cause": "排队过长"})
    act(world.care, "complaint", case, "resolve", {"solution": "下次优先"})
    act(world.supervisor, "complaint", case, "close")
    act(world.supervisor, "complaint", case, "reopen", {"reason": "客户不满意"})
    world.manager.create_labor_rate(body={"pay_type": "INTERNAL", "rate": "90.00", "starts_on": "2026-12-10"})
    price = {"part_uid": item["part_uid"], "price": "66.00", "starts_on": "2026-12-10"}
    world.manager.create_part_price(body=price)
    plan = world.manager.create_maintenance_plan(body={"name": "锐放保养", "make": "示例汽车", "series": "锐放"})["uid"]
    oil, brakes = (only(world.manager.list_operation(code=code))["uid"] for code in ("MT-10", "MT-50"))
    act(world.manager, "maintenance_plan", plan, "put_item", {"operation_uid": oil, "every_km": 8000})
    act(world.manager, "maintenance_plan", plan, "put_item", {"operation_uid": brakes, "every_months": 24})
    act(world.manager, "maintenance_plan", plan, "drop_item", {"operation_uid": brakes})
    act(world.manager, "maintenance_plan", plan, "release", {"starts_on": "2026-12-10"})
    act(world.manager, "maintenance_plan", plan, "draft_next")
    car = {"make": "示例汽车", "series": "途远", "name": "2.0T", "powertrain": "ICE"}
    car |= {"service_interval_km": 10_000, "service_interval_months": 12}
    model = world.manager.create_vehicle_model(body=car)["uid"]
    etag = world.manager.get_vehicle_model(uid=model).etag
    world.manager.replace_vehicle_model(uid=model, body=car | {"aliases": ["途远2.0T"]}, if_match=etag)
    act(world.manager, "vehicle_model", model, "end", {"ends_on": "2026-12-31"})
    work = {"code": "EF-01", "name": "示例作业", "hours": "0.50"}
    added = world.manager.create_operation(body=work)["uid"]
    etag = world.manager.get_operation(uid=added).etag
    world.manager.replace_operation(uid=added, body=work | {"hours": "0.60"}, if_match=etag)
    act(world.manager, "operation", added, "set_hours", {"model_uid": model, "hours": "0.80"})
    piece = {"name": "示例件", "unit": "件"}
    part = world.manager.create_part(body=piece | {"number": "NEW-99"})["uid"]
    etag = world.manager.get_part(uid=part).etag
    world.manager.replace_part(uid=part, body=piece | {"unit": "套"}, if_match=etag)
    act(world.manager, "operation", added, "set_usual_part", {"part_uid": part, "quantity": "2.00"})
    bay = world.manager.list_bay()["data"][-1]["uid"]
    act(world.manager, "bay", bay, "set_capacity", {"capacity": 2})
    act(world.manager, "bay", bay, "switch", {"active": False})
    person = world.manager.list_plan_person()["data"][-1]["uid"]
    act(world.manager, "plan_person", person, "set_efficiency", {"efficiency": 90})
    world.relay()
    owed = world.records_left_to_a_person(made["settlement"])
    act(world.manager, "health_upload", owed, "send_again")
    act(world.manager, "health_upload", owed, "enter_by_hand", {"reference": "SH-2026-000001"})
    old = world.file_whose_time_has_run_out(made["archive"])
    act(world.manager, "archive", old, "mark_for_destruction")
    act(world.manager, "archive", old, "sign_destruction", {"reason": "到期"})


def _brought_in(world: Any) -> None:
    clerk = world.manager
    table = "车牌,车型,姓名,电话\n京F{},途远,孙试驾,1380000{}\n,途远,周试驾,\n"
    for number in ("10001", "10002"):
        content = base64.b64encode(table.format(number, number[1:]).encode()).decode()
        made = clerk.create_import(body={"file_name": "客户.csv", "content": content})["uid"]
        world.import_is_worked_on(made)
        if number == "10002":
            act(clerk, "import", made, "discard")
            break
        act(clerk, "import", made, "confirm")
        world.import_is_worked_on(made)
        act(clerk, "import", made, "undo")
        world.import_is_worked_on(made)
        assert clerk.get_import(uid=made)["state"] == "UNDONE"


def _long_repair(world: Any, made: dict[str, Any]) -> None:
    """A repair that the maker answers for takes more than five days; another one's record is handed out (3.2)."""
    advisor = world.advisor
    world.at(9, 0, (2026, 12, 4))
    world.receptionist.create_vehicle(
        body={"plate": "京D55555", "vin": "LSVAA2180K0000047", "model_text": "途远 1.5T", "invoiced_on": "2026-03-01"}
    )
    visit = _received(world, "京D55555", "19")
    opened = {"visit_uid": visit, "complaint": "漏油", "diagnosis_agreed_by": "李试驾", "signed_on_paper": True}
    order = advisor.create_repair_order(body=opened)["uid"]
    line = only(advisor.list_labor_operation(repair_order_uid=order))["uid"]
    world.warranty.create_fault_judgement(body={"labor_operation_uid": line, "is_quality": True})
    world.at(10, 0, (2026, 12, 10))
    loan = {"repair_order_uid": order, "kind": "LOAN_CAR", "starts_on": "2026-12-09"}
    loan["loan_car_uid"] = advisor.list_loan_car(limit=1)["data"][0]["uid"]
    act(advisor, "day_six_care", advisor.create_day_six_care(body=loan)["uid"], "end")
    advisor.create_repair_record_copy(body={"repair_order_uid": made["order"], "receiver": "张试驾"})
    _recall(world, visit, order)


def _recall(world: Any, visit: str, order: str) -> None:
    """The maker calls a car back that stands here (3.2)."""
    advisor, clerk = world.advisor, world.warranty
    work = next(row["uid"] for row in advisor.list_operation(limit=100)["data"] if row["code"] == "EL-20")
    told = {"number": "ZH-1", "kind": "RECALL", "title": "近光灯", "measure": "更换近光灯总成", "operation_uid": work}
    made = clerk.create_campaign(body=told)["uid"]
    vehicle = advisor.get_visit(uid=visit)["vehicle_uid"]
    vin = world.receptionist.get_vehicle(uid=vehicle)["vin"]
    act(clerk, "campaign", made, "add_vins", {"vins": [vin]})
    act(clerk, "campaign", made, "end", {"ends_on": "2027-12-31"})
    worn = {"kind": "TYRE", "months": 6, "km": 10_000, "starts_on": "2026-01-01", "source": "示例三包凭证"}
    clerk.create_wear_term(body=worn)
    row = only(advisor.list_campaign_vehicle(campaign_uid=made))["uid"]
    answer = {"visit_uid": visit, "campaign_vehicle_uid": row, "reply": "PARTS_MISSING", "told_to": "李试驾"}
    advisor.create_campaign_answer(body=answer)
    act(advisor, "campaign_vehicle", row, "put_on_order", {"repair_order_uid": order})
