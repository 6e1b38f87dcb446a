"""3.3, domain 7.2: every signed list's health record reaches the platform once, or a person is asked for it."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.urls import reverse
from django.utils.translation import override

from compliance import platform
from compliance.health_models import HealthUpload, UploadState
from compliance.selectors.health_uploads import to_be_done, uploads, uploads_due
from compliance.services.health_uploads import (
    enter_by_hand,
    pause_after,
    queue_upload,
    send_again,
    send_due_uploads,
    send_upload,
)
from compliance.tasks import send_health_records
from dealership.kernel import clock, limits, outbox
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from dealership.kernel.services import set_setting
from delivery.services.settlements import issue_settlement, sign_settlement
from reception.models import Vehicle
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, make_order, make_ready, make_team, make_visit
from tests.factories.kernel import make_actor
from tests.factories.reception import rule

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settings_as_declared():
    limits.forget()
    yield
    limits.forget()


class Platform(BaseHTTPRequestHandler):
    """What public clients of the platform describe: a token, then the record; ``answers`` says how the next ones go."""

    def do_POST(self):
        here = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        here.asked.append((self.path, body))
        if here.down:
            self.send_error(503)
            return
        if self.path == "/token":
            good = body == {"companycode": "C-310", "companypassword": "pass:word"}
            self.answer({"code": "1", "access_token": "T-1"} if good else {"code": "0", "status": "密码错误"})
            return
        assert body["access_token"] == "T-1"
        number = body["basicInfo"]["costlistcode"]
        if here.refuses:
            self.answer({"code": "0", "status": here.refuses})
            return
        here.kept[number] = {key: value for key, value in body.items() if key != "access_token"}
        here.arrived[number] += 1
        if here.silent:  # the record has arrived, but nobody hears of it
            here.silent = False
            self.connection.close()
            return
        self.answer({"code": 1, "status": "新增成功"})

    def answer(self, content):
        text = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args):
        pass


@pytest.fixture
def there(settings):
    """A platform on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    server.asked, server.kept, server.arrived = [], {}, defaultdict(int)
    server.down, server.silent, server.refuses = False, False, ""
    running = threading.Thread(target=server.serve_forever, daemon=True)
    running.start()
    address = f"http://127.0.0.1:{server.server_port}"
    settings.HEALTH_RECORD_URL, settings.HEALTH_RECORD_TOKEN_URL = f"{address}/add", f"{address}/token"
    yield server
    server.shutdown()
    running.join()
    server.server_close()


@pytest.fixture
def team(settings):
    team = make_team()
    settings.HEALTH_RECORD_ACCOUNTS = {team.store.code: ("C-310", "pass:word")}
    return team


def signed(team, **car):
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    Vehicle.objects.filter(pk=order.vehicle_id).update(**car) if car else None
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    outbox.drain()
    return settlement


def of(settlement):
    return HealthUpload.objects.get(settlement=settlement)


def later(minutes):
    return clock.moved_to(clock.now() + timedelta(minutes=minutes))


def test_a_signed_list_is_sent_once(team, there):
    settlement = signed(team)
    upload = of(settlement)
    assert (upload.state, upload.number, upload.attempts) == ("WAITING", settlement.number, 0)
    assert queue_upload(settlement_uid=settlement.uid, by=machine("t", store_id=team.store.pk)) == upload
    assert send_due_uploads() == 1
    upload.refresh_from_db()
    assert (upload.state, upload.attempts, upload.reason) == ("SENT", 1, "")
    assert upload.sent_at is not None
    assert [path for path, _body in there.asked] == ["/token", "/add"]
    car = settlement.order.vehicle
    assert there.kept[settlement.number] == upload.payload
    assert there.kept[settlement.number]["basicInfo"] == {
        "vehicleplatenumber": car.plate,
        "companyname": team.store.name,
        "vin": car.vin,
        "repairdate": f"{clock.today():%Y%m%d}",
        "repairmileage": "50000",
        "settledate": f"{clock.today():%Y%m%d}",
        "faultdescription": "换机油",
        "costlistcode": settlement.number,
    }
    with later(24 * 60):
        assert (send_due_uploads(), send_health_records(), there.arrived[settlement.number]) == (0, 0, 1)
    codes = History.objects.filter(root_uid=upload.uid).order_by("id").values_list("code", flat=True)
    assert [code.rpartition(".")[2] for code in codes] == ["queued", "tried", "sent"]


def test_what_is_taken_for_one_try_is_not_taken_twice(team, there):
    upload = of(signed(team))
    there.down = True
    by = machine("t", store_id=team.store.pk)
    send_upload(uid=upload.uid, by=by)
    with rule("health_record.not_due"):
        send_upload(uid=upload.uid, by=by)
    assert uploads_due() == []


def test_a_platform_that_is_away_is_tried_with_growing_pauses_then_a_person_is_asked(team, there):
    upload = of(signed(team))
    there.down = True
    began = clock.now()
    with clock.moved_to(began):
        assert send_due_uploads() == 1
    for number in range(2, 13):
        upload.refresh_from_db()
        assert (upload.state, upload.attempts) == ("FAILED", number - 1)
        assert "503" in upload.reason
        pause = upload.next_at - began
        assert pause == pause_after(number - 1)
        with clock.moved_to(upload.next_at - timedelta(seconds=1)):
            assert send_due_uploads() == 0
        began = upload.next_at
        with clock.moved_to(began):
            assert send_due_uploads() == 1
    upload.refresh_from_db()
    assert (upload.state, upload.attempts) == ("MANUAL", 12)
    assert to_be_done(make_actor("accountant", store=team.store)) == 1
    assert [pause_after(n).total_seconds() / 60 for n in (1, 2, 3, 8, 9, 200)] == [5, 10, 20, 640, 720, 720]


def test_an_answer_that_is_lost_doubles_nothing(team, there):
    settlement = signed(team)
    there.silent = True
    assert send_due_uploads() == 1
    assert of(settlement).state == "FAILED"
    with later(6):
        assert send_due_uploads() == 1
    assert of(settlement).state == "SENT"
    assert (list(there.kept), there.arrived[settlement.number]) == (
        [settlement.number],
        2,
    )  # one record under one number


def test_a_wrong_password_is_tried_again_and_says_so(team, there, settings):
    settings.HEALTH_RECORD_ACCOUNTS = {team.store.code: ("C-310", "old")}
    settlement = signed(team)
    send_due_uploads()
    assert (of(settlement).state, of(settlement).reason) == ("FAILED", "0 密码错误")
    assert there.kept == {}


def test_a_refused_record_is_mended_and_drawn_anew(team, there, client):
    settlement = signed(team)
    there.refuses = "车牌号码格式错误"
    send_due_uploads()
    upload = of(settlement)
    assert (upload.state, upload.reason) == ("MANUAL", "0 车牌号码格式错误")
    there.refuses = ""
    Vehicle.objects.filter(pk=settlement.order.vehicle_id).update(plate="沪A98765")
    clerk = make_actor("accountant", store=team.store)
    client.force_login(clerk.user)
    page = client.get(reverse("health-upload", args=[upload.uid])).content.decode()
    assert "车牌号码格式错误" in page
    answer = client.post(reverse("health-upload-send", args=[upload.uid]))
    assert (answer.status_code, of(settlement).state) == (302, "WAITING")
    send_due_uploads()
    assert there.kept[settlement.number]["basicInfo"]["vehicleplatenumber"] == "沪A98765"
    with rule("state.move"):
        send_again(uid=upload.uid, by=clerk)


def test_a_car_without_a_plate_is_left_to_a_person_who_enters_it(team, there, client, refused):
    settlement = signed(team, plate="", plate_kind="UNREGISTERED")
    upload = of(settlement)
    assert (upload.state, upload.reason) == ("MANUAL", "vehicleplatenumber")
    assert send_due_uploads() == 0
    clerk = make_actor("accountant", store=team.store)
    before = History.objects.count()
    with rule("health_record.facts"):
        send_again(uid=upload.uid, by=clerk)
    with rule("health_record.reference"):
        enter_by_hand(uid=upload.uid, reference=" ", by=clerk)
    with rule("health_record.person"):
        enter_by_hand(uid=upload.uid, reference="X", by=machine("t", store_id=team.store.pk))
    with pytest.raises(NotAllowed):
        enter_by_hand(uid=upload.uid, reference="X", by=make_actor("gm", store=team.store))
    assert History.objects.count() == before
    client.force_login(clerk.user)
    answer = client.post(reverse("health-upload", args=[upload.uid]), {"reference": "SH-2026-000123"})
    assert answer.status_code == 302
    upload.refresh_from_db()
    assert (upload.state, upload.reference, upload.entered_by) == ("SENT", "SH-2026-000123", clerk.user)


def test_facts_that_went_missing_are_named_and_nothing_is_filled_in(team, there):
    settlement = signed(team, vin="")
    upload = of(settlement)
    assert (upload.state, upload.reason, upload.payload) == ("MANUAL", "vin", {})
    with override("zh-hans"):
        assert upload.said_reason == "缺：车辆识别代号（VIN）"
    Vehicle.objects.filter(pk=settlement.order.vehicle_id).update(vin="LSJA24U62JG269225")
    send_again(uid=upload.uid, by=make_actor("supervisor", store=team.store))
    send_due_uploads()
    assert there.kept[settlement.number]["basicInfo"]["vin"] == "LSJA24U62JG269225"


def test_a_store_that_sends_none_owes_none(team, there):
    set_setting(
        key="delivery.health_record",
        store=team.store,
        value=0,
        starts_on=clock.today(),
        by=make_actor("gm", store=team.store),
    )
    limits.forget()
    signed(team)
    assert HealthUpload.objects.count() == 0


def test_settings_decide_when_it_is_late_and_how_often_it_is_tried(team, there):
    upload = of(signed(team))
    boss = make_actor("gm", store=team.store)
    with later(23 * 60):
        assert uploads(boss, show="LATE").count() == 0
    with later(25 * 60):
        assert (uploads(boss, show="LATE").count(), to_be_done(boss)) == (1, 1)
    for key, value in (("compliance.health_late_hours", 2), ("compliance.health_tries", 1)):
        set_setting(key=key, value=value, starts_on=clock.today(), by=boss)
    limits.forget()
    with later(3 * 60):
        assert uploads(boss, show="LATE").count() == 1
    there.down = True
    send_due_uploads()
    upload.refresh_from_db()
    assert upload.state == "MANUAL"


def test_the_database_keeps_it_so(team, there, refused):
    settlement = signed(team)
    other = issue_settlement(order_uid=make_ready(team).uid, by=team.advisor)
    with refused("healthupload_of_signed_list") as sql:
        sql(
            "INSERT INTO compliance_healthupload (uid, version, created_at, updated_at, store_id, settlement_id, number,"
            " payload, state, attempts, next_at, reason, settled_at, reference) VALUES (gen_random_uuid(), 1, now(), now(),"
            " %s, %s, %s, '{}', 'WAITING', 0, now(), '', now(), '')",
            [team.store.pk, other.pk, other.number],
        )
    for name, statement in (
        ("healthupload_of_signed_list", "payload = jsonb_set(payload, '{basicInfo,costlistcode}', '\"JS-OTHER\"')"),
        ("healthupload_fixed", "number = 'JS-OTHER'"),
        ("healthupload_outcome", "state = 'SENT'"),
        ("healthupload_outcome", "state = 'MANUAL'"),
        ("healthupload_entered", "reference = 'X'"),
        ("healthupload_drawn", "payload = '{}', attempts = 1"),
    ):
        with refused(name) as sql:
            sql(f"UPDATE compliance_healthupload SET {statement}")
    send_due_uploads()
    assert of(settlement).state == UploadState.SENT
    with refused("healthupload_moves") as sql:
        sql("UPDATE compliance_healthupload SET state = 'WAITING', sent_at = NULL")
    for statement in (
        "UPDATE compliance_healthupload SET payload = '{}'",
        "UPDATE compliance_healthupload SET sent_at = now()",
        "DELETE FROM compliance_healthupload",
    ):
        with refused("healthupload_sent_is_final") as sql:
            sql(statement)


def test_the_list_says_what_is_late_and_that_nothing_is_connected(team, client, settings):
    settings.HEALTH_RECORD_URL = ""
    settlement = signed(team)
    client.force_login(make_actor("manager", store=team.store).user)
    page = client.get(reverse("health-upload-list")).content.decode()
    assert team.store.code in page
    assert settlement.number not in page
    waiting = client.get(reverse("health-upload-list"), {"show": "WAITING"}).content.decode()
    assert settlement.number in waiting
    assert (send_due_uploads(), platform.connected(team.store.code)) == (0, False)
    client.force_login(make_actor("technician", store=team.store).user)
    assert client.get(reverse("health-upload-list")).status_code == 403


def test_other_systems_read_and_send_again(team, there):
    settlement = signed(team)
    caller = ApiCaller("compliance:write", "compliance:read", store=team.store)
    (row,) = caller.get(f"health-uploads?settlement_uid={settlement.uid}").json()["data"]
    assert (row["state"], row["number"]) == ("WAITING", settlement.number)
    problem(caller.act(f"health-uploads/{row['uid']}", "send-again"), 409, "state.move")
    there.refuses = "格式错误"
    send_due_uploads()
    there.refuses = ""
    assert caller.act(f"health-uploads/{row['uid']}", "send-again").json()["state"] == "WAITING"
    send_due_uploads()
    assert caller.get(f"health-uploads/{row['uid']}").json()["state"] == "SENT"


UNDONE = {"hours": 0, "labor_amount": 0, "state": "WITHDRAWN"}


def test_a_list_on_which_nothing_was_done_owes_no_record(team):
    order = make_order(make_visit(team), team)
    add_line(order, **UNDONE)
    order.refresh_from_db()
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    outbox.drain()
    assert settlement.lines.filter(kind="LABOR").count() == 1
    assert not HealthUpload.objects.exists()


def test_an_undone_line_stands_in_no_record_and_free_work_does(team):
    order = make_ready(team)
    add_line(order, description="后制动片更换", **UNDONE)
    add_line(order, description="三包免费修理", state="INSPECTED", pay_type="WARRANTY")
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    outbox.drain()
    jobs = [job["repairproject"] for job in of(settlement).payload["repairprojectlist"]]
    assert jobs == ["更换机油机滤", "三包免费修理"]


def test_the_warranty_clerk_sees_the_records_and_enters_one_by_hand(team, client, settings):
    settings.HEALTH_RECORD_ACCOUNTS = {}
    upload = of(signed(team))
    client.force_login(make_actor("warranty", store=team.store).user)
    assert upload.number in client.get(reverse("health-upload-list"), {"show": "WAITING"}).content.decode()
    here = reverse("health-upload", args=[upload.uid])
    page = client.get(here).content.decode()
    assert "×1</span>" in page
    assert "×1.00" not in page
    assert "无：尚未设置平台账号" in page
    assert reverse("setting", args=["delivery.health_record"]) in page
    assert client.post(here, {"reference": "SH-1"}).status_code == 302
    upload.refresh_from_db()
    assert (upload.state, upload.reference) == ("SENT", "SH-1")
