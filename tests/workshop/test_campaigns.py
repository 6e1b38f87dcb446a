"""Recalls and service campaigns: lists by VIN, flags, one tap onto the order, asked at the hand-over (3.2, domain 4.2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import LaborRate, Operation, OperationPart
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from delivery.models import Handover
from reception.models import Vehicle
from tests.delivery.test_handovers import leave, pay, settle
from tests.factories.api import ApiCaller
from tests.factories.delivery import make_order, make_ready, make_team, make_visit, move_line
from tests.factories.kernel import make_actor
from tests.factories.reception import make_customer, make_vehicle, make_vin, rule
from workshop.campaign_models import Campaign, CampaignAnswer, CampaignVehicle
from workshop.models import OrderLine
from workshop.selectors import campaigns as reads
from workshop.services import campaigns as commands
from workshop.services.orders import add_line

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def _june() -> Any:
    with clock.moved_to(datetime(2026, 6, 1, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))):
        yield


@pytest.fixture
def team() -> SimpleNamespace:
    made = make_team()
    LaborRate.objects.create(store=made.store, pay_type="WARRANTY", rate=200, starts_on=date(2020, 1, 1))
    return made


def work_without_parts() -> Operation:
    with_parts = OperationPart.objects.values("operation_id")
    found = Operation.objects.filter(active=True, is_maintenance=False, is_diagnosis=False).exclude(pk__in=with_parts)
    return found.order_by("code")[0]


def clerk(team: SimpleNamespace) -> Actor:
    return make_actor("warranty", store=team.store)


def recall(team: SimpleNamespace, *vins: str, **facts: Any) -> Campaign:
    told = {
        "number": f"ZH2026-{Campaign.objects.count()}",
        "kind": "RECALL",
        "title": "制动软管",
        "measure": "更换制动软管",
    }
    work = work_without_parts()
    made = commands.open_campaign(**(told | facts), operation_uid=work.uid, by=clerk(team))
    return commands.add_vins(uid=made.uid, vins=vins, by=clerk(team)) if vins else made


def row_of(vehicle: Vehicle) -> CampaignVehicle:
    return CampaignVehicle.objects.get(vin=vehicle.vin)


def inspected(line: OrderLine) -> None:
    """Past the customer's yes, the work and the inspection, with the columns that the database wants."""
    line.cause, line.correction, line.authorized_amount = "召回", "已更换", line.labor_amount
    line.save()
    move_line(line, "INSPECTED")


# --- the list ---


def test_a_list_is_read_with_its_bad_lines_named_and_nothing_is_doubled(team: SimpleNamespace) -> None:
    first, second, third = (make_vin(number) for number in (901, 902, 903))
    campaign = recall(team, first)
    wrong = f"{second[:8]}{'X' if second[8] != 'X' else '0'}{second[9:]}"
    text = f"序号,车架号\n1,{first}\n2,{second.lower()}\n\n3,{second}\n4,{second[:-1]}\n5,{wrong}\n6,{third}\n7,\n"
    found = reads.read_vins(text, campaign)
    assert (found.new, found.known) == ([second, third], [first])
    assert [(bad.number, bad.text) for bad in found.bad] == [(6, second[:-1]), (7, wrong), (9, "")]
    assert all(bad.why for bad in found.bad)
    for _again in range(2):
        commands.add_vins(uid=campaign.uid, vins=[*found.new, *found.known], by=clerk(team))
    assert sorted(campaign.vehicles.values_list("vin", flat=True)) == sorted([first, second, third])
    told = History.objects.filter(code="workshop.campaign.listed").order_by("id")
    assert [(row.facts["added"], row.facts["known"]) for row in told] == [(1, 0), (2, 1), (0, 3)]


def test_what_is_no_campaign_is_refused(team: SimpleNamespace) -> None:
    known = recall(team)
    for facts, code in (
        ({"title": " "}, "campaign.named"),
        ({"kind": "NEWS"}, "campaign.kind"),
        ({"ends_on": TODAY - timedelta(days=1)}, "campaign.days"),
        ({"number": known.number}, "campaign.known"),
    ):
        with rule(code):
            recall(team, **facts)
    with rule("campaign.vin"):
        commands.add_vins(uid=known.uid, vins=["LSVXXX"], by=clerk(team))
    with rule("campaign.vins"):
        commands.add_vins(uid=known.uid, vins=[], by=clerk(team))
    with pytest.raises(NotAllowed):
        commands.add_vins(uid=known.uid, vins=[make_vin(1)], by=team.advisor)
    assert (Campaign.objects.count(), CampaignVehicle.objects.count()) == (1, 0)


# --- flags ---


def test_a_car_is_flagged_whenever_it_appears_and_only_while_the_campaign_runs(team: SimpleNamespace) -> None:
    vin = make_vin(911)
    campaign = recall(team, vin, starts_on=TODAY, ends_on=TODAY + timedelta(days=5))
    recall(team, vin, kind="CAMPAIGN", starts_on=TODAY + timedelta(days=3))
    assert reads.campaign_rows(uid=campaign.uid)[0].known == 0
    car = make_vehicle(vin=vin)  # it comes for the first time after the list
    assert [row.campaign for row in reads.open_for(car)] == [campaign]
    assert reads.campaign_rows(uid=campaign.uid)[0].known == 1
    with clock.moved_to(clock.now() + timedelta(days=3)):
        assert [row.is_recall for row in reads.open_for(car)] == [True, False]
    with clock.moved_to(clock.now() + timedelta(days=6)):
        assert [row.is_recall for row in reads.open_for(car)] == [False]
    commands.end_campaign(uid=campaign.uid, ends_on=TODAY, by=clerk(team))
    with clock.moved_to(clock.now() + timedelta(days=1)):
        assert reads.open_for(car) == []


def test_every_page_of_the_car_says_it(team: SimpleNamespace) -> None:
    owner = make_customer()
    car = make_vehicle(owner_uid=owner.uid)
    campaign = recall(team, car.vin)
    visit = make_visit(team, vehicle=car, customer=owner)
    order = make_order(visit, team)
    client = Client()
    client.force_login(team.advisor.user)
    for name, uid in (
        ("vehicle-detail", car.uid),
        ("customer-detail", owner.uid),
        ("visit-detail", visit.uid),
        ("order-detail", order.uid),
        ("visit-campaign", visit.uid),
    ):
        assert campaign.number in client.get(reverse(name, args=[uid])).content.decode(), name
    booking = client.get(reverse("appointment-new"), {"plate": car.plate}).content.decode()
    arrival = client.get(reverse("visit-new"), {"plate": car.plate}).content.decode()
    assert campaign.number in arrival
    assert campaign.number in booking


# --- onto the order ---


def test_one_tap_writes_the_line_that_the_maker_pays_and_the_inspection_ends_it(team: SimpleNamespace) -> None:
    car = make_vehicle()
    campaign = recall(team, car.vin)
    order = make_order(make_visit(team, vehicle=car), team)
    client = Client()
    client.force_login(team.advisor.user)
    tap = reverse("order-campaign", args=[order.uid])
    assert tap in client.get(reverse("order-detail", args=[order.uid])).content.decode()
    assert client.post(tap, {"row": str(row_of(car).uid)}).status_code == 302
    line = order.lines.get()
    assert (line.pay_type, line.operation, row_of(car).line) == ("WARRANTY", campaign.operation, line)
    with rule("campaign.on_order"):
        commands.put_on_order(uid=row_of(car).uid, order_uid=order.uid, by=team.advisor)
    assert tap not in client.get(reverse("order-detail", args=[order.uid])).content.decode()
    [open_one] = reads.open_for(car)
    assert (open_one.on_order, open_one.needs_answer) == (order, True)
    inspected(line)
    assert reads.open_for(car) == []
    done = reads.campaign_rows(uid=campaign.uid)[0]
    assert (done.cars, done.known, done.done, done.percent) == (1, 1, 1, 100)


def test_a_declined_line_leaves_it_open_and_another_may_follow(team: SimpleNamespace) -> None:
    car = make_vehicle()
    recall(team, car.vin)
    order = make_order(make_visit(team, vehicle=car), team)
    first = commands.put_on_order(uid=row_of(car).uid, order_uid=order.uid, by=team.advisor)
    first.state = "CANCELLED"
    first.save()
    assert reads.open_for(car)[0].on_order is None
    second = commands.put_on_order(uid=row_of(car).uid, order_uid=order.uid, by=team.advisor)
    assert row_of(car).line == second


def test_another_car_is_refused(team: SimpleNamespace, refused: Any) -> None:
    car, other = make_vehicle(), make_vehicle()
    recall(team, car.vin)
    visit = make_visit(team, vehicle=other)
    order = make_order(visit, team)
    row = row_of(car)
    with rule("campaign.other_car"):
        commands.put_on_order(uid=row.uid, order_uid=order.uid, by=team.advisor)
    told = {"reply": "DECLINED", "told_to": "李送修"}
    with rule("campaign.other_car"):
        commands.answer_campaign(uid=row.uid, visit_uid=visit.uid, by=team.advisor, **told)
    assert not order.lines.exists()
    made = make_ready(team)
    with refused("campaignvehicle_line") as sql:
        sql("UPDATE workshop_campaignvehicle SET line_id = %s WHERE id = %s", [made.lines.get().pk, row.pk])
    with refused("campaignanswer_own_car") as sql:
        sql(
            "INSERT INTO workshop_campaignanswer (uid, version, created_at, updated_at, visit_id, vehicle_id, reply, told_to,"
            " note, done_where, evidence, told_at)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, 'DECLINED', 'x', '', '', '', now())",
            [visit.pk, row.pk],
        )
    for name, change in (
        ("campaignvehicle_fixed", "vin = 'LSVAA2180K0000001'"),
        ("campaignvehicle_vin", "vin = 'SHORT'"),
    ):
        with refused(name) as sql:
            if name == "campaignvehicle_vin":
                sql(
                    "INSERT INTO workshop_campaignvehicle (uid, version, created_at, updated_at, campaign_id, vin)"
                    " VALUES (gen_random_uuid(), 1, now(), now(), %s, 'SHORT')",
                    [row.campaign_id],
                )
            else:
                sql(f"UPDATE workshop_campaignvehicle SET {change} WHERE id = %s", [row.pk])
    with refused("campaignvehicle_once") as sql:
        sql(
            "INSERT INTO workshop_campaignvehicle (uid, version, created_at, updated_at, campaign_id, vin)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s)",
            [row.campaign_id, car.vin],
        )


# --- the hand-over ---


def ready_with_recall(team: SimpleNamespace, **facts: Any) -> Any:
    order = make_ready(team)
    settle(order, team)
    pay(order, team)
    recall(team, order.vehicle.vin, **facts)
    return order


def test_no_car_with_an_open_recall_leaves_without_an_answer(team: SimpleNamespace, refused: Any) -> None:
    order = ready_with_recall(team)
    with rule("handover.recall"):
        leave(order.visit, team)
    with refused("handover_recall") as sql:
        sql(
            "INSERT INTO delivery_handover (uid, version, created_at, updated_at, store_id, visit_id, checklist, odometer_km,"
            " received_by, risk_note_signed_by, advisor_id, at)"
            " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, '{}', 60000, 'x', '', %s, %s)",
            [team.store.pk, order.visit.pk, team.people["advisor"].pk, clock.now()],
        )
    assert not Handover.objects.exists()
    client = Client()
    client.force_login(team.advisor.user)
    page = client.get(reverse("visit-handover", args=[order.visit.uid])).content.decode()
    answer = reverse("visit-campaign", args=[order.visit.uid])
    assert answer in page
    told = {"row": str(row_of(order.vehicle).uid), "reply": "DECLINED", "told_to": ""}
    assert client.post(answer, told).status_code == 422
    assert client.post(answer, told | {"told_to": "李送修"}).status_code == 302
    assert reads.unanswered_recalls(order.visit) == []
    assert leave(order.visit, team).pk
    assert "李送修" not in str(History.objects.get(code="workshop.campaign.answered").facts)
    with rule("campaign.done" if row_of(order.vehicle).line else "campaign.visit"):
        order.visit.refresh_from_db()
        order.visit.state, order.visit.left_at = "DEPARTED", clock.now()
        order.visit.save()
        commands.answer_campaign(
            uid=row_of(order.vehicle).uid, visit_uid=order.visit.uid, reply="DECLINED", told_to="x", by=team.advisor
        )


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "CAMPAIGN"},
        {"starts_on": TODAY + timedelta(days=1)},
        {"starts_on": date(2026, 5, 1), "ends_on": date(2026, 5, 31)},
    ],
    ids=["campaign", "not yet", "over"],
)
def test_what_is_no_running_recall_stops_nobody(team: SimpleNamespace, facts: dict[str, Any]) -> None:
    assert leave(ready_with_recall(team, **facts).visit, team).pk


def test_missing_parts_are_an_answer_and_the_next_visit_asks_again(team: SimpleNamespace) -> None:
    order = ready_with_recall(team)
    told = {"reply": "PARTS_MISSING", "told_to": "李送修", "note": "到货后电话预约", "by": team.advisor}
    commands.answer_campaign(uid=row_of(order.vehicle).uid, visit_uid=order.visit.uid, **told)
    leave(order.visit, team)
    order.visit.refresh_from_db()
    order.visit.state, order.visit.left_at = "DEPARTED", clock.now()
    order.visit.save()
    again = make_visit(team, vehicle=order.vehicle)
    assert [row.campaign for row in reads.unanswered_recalls(again)] == [row_of(order.vehicle).campaign]


def test_answers_are_never_changed(team: SimpleNamespace, refused: Any) -> None:
    car = make_vehicle()
    recall(team, car.vin)
    visit = make_visit(team, vehicle=car)
    for wrong, code in (({"reply": "LATER"}, "campaign.reply"), ({"told_to": " "}, "campaign.told_to")):
        with rule(code):
            told = {"reply": "DECLINED", "told_to": "李送修"} | wrong
            commands.answer_campaign(uid=row_of(car).uid, visit_uid=visit.uid, by=team.advisor, **told)
    made = commands.answer_campaign(
        uid=row_of(car).uid, visit_uid=visit.uid, reply="DECLINED", told_to="李送修", by=team.advisor
    )
    with refused("campaignanswer_append_only") as sql:
        sql("UPDATE workshop_campaignanswer SET reply = 'PARTS_MISSING' WHERE id = %s", [made.pk])
    assert CampaignAnswer.objects.count() == 1


# --- done at another shop ---
ELSEWHERE = {
    "reply": "ELSEWHERE",
    "told_to": "李送修",
    "done_on": date(2026, 5, 20),
    "done_where": "示例市友邻店",
    "evidence": "工单 YL-2026-0520",
}


def test_what_another_shop_has_done_ends_the_flag_everywhere(team: SimpleNamespace) -> None:
    owner = make_customer()
    car = make_vehicle(owner_uid=owner.uid)
    campaign = recall(team, car.vin)
    visit = make_visit(team, vehicle=car, customer=owner)
    order = make_order(visit, team)
    said = commands.answer_campaign(uid=row_of(car).uid, visit_uid=visit.uid, by=team.advisor, **ELSEWHERE)
    assert (said.done_on, said.done_where, said.evidence) == (date(2026, 5, 20), "示例市友邻店", "工单 YL-2026-0520")
    assert (reads.open_for(car, visit), reads.unanswered_recalls(visit), reads.open_for_customer(owner)) == ([], [], [])
    row = reads.campaign_rows(uid=campaign.uid)[0]
    assert (row.done, row.elsewhere, row.percent) == (1, 1, 100)
    client = Client()
    client.force_login(team.advisor.user)
    for name, uid in (("vehicle-detail", car.uid), ("visit-detail", visit.uid), ("order-detail", order.uid)):
        assert campaign.number not in client.get(reverse(name, args=[uid])).content.decode(), name
    for name in ("appointment-new", "visit-new"):
        assert campaign.number not in client.get(reverse(name), {"plate": car.plate}).content.decode(), name
    shown = client.get(reverse("campaign", args=[campaign.uid])).content.decode()
    assert "示例市友邻店 · 工单 YL-2026-0520" in shown
    with rule("campaign.elsewhere"):
        commands.put_on_order(uid=row_of(car).uid, order_uid=order.uid, by=team.advisor)
    # it was a slip: put right in the same visit, and the flag is back
    assert campaign.number in client.get(reverse("visit-campaign", args=[visit.uid])).content.decode()
    commands.answer_campaign(
        uid=row_of(car).uid, visit_uid=visit.uid, reply="DECLINED", told_to="李送修", by=team.advisor
    )
    assert [one.campaign for one in reads.open_for(car)] == [campaign]
    assert commands.put_on_order(uid=row_of(car).uid, order_uid=order.uid, by=team.advisor).pay_type == "WARRANTY"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"done_on": None}, "campaign.evidence"),
        ({"done_where": " "}, "campaign.evidence"),
        ({"evidence": ""}, "campaign.evidence"),
        ({"done_on": TODAY + timedelta(days=1)}, "campaign.done_on"),
    ],
    ids=["day", "shop", "evidence", "ahead"],
)
def test_done_elsewhere_is_shown_or_refused(team: SimpleNamespace, change: dict[str, Any], code: str) -> None:
    car = make_vehicle()
    recall(team, car.vin)
    visit = make_visit(team, vehicle=car)
    with rule(code):
        commands.answer_campaign(uid=row_of(car).uid, visit_uid=visit.uid, by=team.advisor, **(ELSEWHERE | change))
    assert not CampaignAnswer.objects.exists()


def test_the_database_keeps_what_is_done_elsewhere_apart_from_our_own_work(team: SimpleNamespace, refused: Any) -> None:
    car = make_vehicle()
    recall(team, car.vin)
    visit = make_visit(team, vehicle=car)
    order = make_order(visit, team)
    write = (
        "INSERT INTO workshop_campaignanswer (uid, version, created_at, updated_at, visit_id, vehicle_id, reply, told_to,"
        " note, done_on, done_where, evidence, told_at)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'x', '', %s, %s, %s, %s)"
    )
    mine = [visit.pk, row_of(car).pk]
    for reply, day, where, shown in (
        ("ELSEWHERE", None, "示例店", "工单"),
        ("ELSEWHERE", TODAY, "", "工单"),
        ("ELSEWHERE", TODAY, "示例店", ""),
        ("DECLINED", TODAY, "示例店", "工单"),
    ):
        with refused("campaignanswer_done_once" if day is None else "campaignanswer_elsewhere") as sql:
            sql(write, [*mine, reply, day, where, shown, clock.now()])
    with refused("campaignanswer_done_once") as sql:
        sql(write, [*mine, "ELSEWHERE", TODAY + timedelta(days=1), "示例店", "工单", clock.now()])
    line = commands.put_on_order(uid=row_of(car).uid, order_uid=order.uid, by=team.advisor)
    with rule("campaign.elsewhere"):
        commands.answer_campaign(uid=row_of(car).uid, visit_uid=visit.uid, by=team.advisor, **ELSEWHERE)
    with refused("campaignanswer_done_once") as sql:
        sql(write, [*mine, "ELSEWHERE", TODAY, "示例店", "工单", clock.now()])
    line.state = "CANCELLED"
    line.save()
    commands.answer_campaign(uid=row_of(car).uid, visit_uid=visit.uid, by=team.advisor, **ELSEWHERE)
    other = add_line(
        order_uid=order.uid, operation_uid=row_of(car).campaign.operation.uid, pay_type="WARRANTY", by=team.advisor
    )
    with refused("campaignvehicle_line") as sql:
        sql("UPDATE workshop_campaignvehicle SET line_id = %s WHERE id = %s", [other.pk, row_of(car).pk])


def test_a_car_whose_recall_was_done_elsewhere_leaves_now_and_at_every_later_visit(team: SimpleNamespace) -> None:
    order = ready_with_recall(team)
    client = Client()
    client.force_login(team.advisor.user)
    page = reverse("visit-campaign", args=[order.visit.uid])
    told = {"row": str(row_of(order.vehicle).uid), **ELSEWHERE}
    wrong = client.post(page, told | {"evidence": ""})
    assert wrong.status_code == 422
    assert "示例市友邻店" in wrong.content.decode()
    assert client.post(page, told).status_code == 302
    assert leave(order.visit, team).pk
    order.visit.refresh_from_db()
    order.visit.state, order.visit.left_at = "DEPARTED", clock.now()
    order.visit.save()
    again = make_visit(team, vehicle=order.vehicle)
    assert reads.unanswered_recalls(again) == []
    assert (
        str(row_of(order.vehicle).campaign.number)
        not in client.get(reverse("visit-handover", args=[again.uid])).content.decode()
    )


# --- pages and API ---


def test_the_clerk_enters_a_recall_with_its_list(team: SimpleNamespace) -> None:
    client, work = Client(), work_without_parts()
    client.force_login(clerk(team).user)
    told = {"kind": "RECALL", "number": "ZH-7", "title": "制动软管", "measure": "更换", "starts_on": "2026-06-01"}
    assert client.post(reverse("campaign-new"), told).status_code == 422
    answer = client.post(reverse("campaign-new"), told | {"operation_uid": str(work.uid)})
    campaign = Campaign.objects.get()
    page = reverse("campaign-vins", args=[campaign.uid])
    assert answer.headers["Location"] == page
    content = f"VIN\n{make_vin(921)}\nLSV坏\n{make_vin(922)}\n".encode("gb18030")
    shown = client.post(page, {"file": SimpleUploadedFile("vin.csv", content), "vins": ""}).content.decode()
    assert "LSV坏" in shown
    assert 'name="write"' in shown
    assert not CampaignVehicle.objects.exists()
    assert client.post(page, {"vins": content.decode("gb18030"), "write": "1"}).status_code == 302
    assert campaign.vehicles.count() == 2
    assert client.post(page, {"vins": "", "write": "1"}).status_code == 422
    assert "ZH-7" in client.get(reverse("campaigns")).content.decode()
    assert client.get(reverse("campaign", args=[campaign.uid])).status_code == 200
    end = reverse("campaign-end", args=[campaign.uid])
    assert client.post(end, {"ends_on": "2026-05-01"}).status_code == 422
    assert client.post(end, {"ends_on": "2026-12-31"}).status_code == 302


def test_the_api(team: SimpleNamespace) -> None:
    car, api = make_vehicle(), ApiCaller("workshop:write", store=team.store)
    body = {
        "number": "ZH-8", "kind": "RECALL", "title": "制动软管", "measure": "更换", "operation_uid": str(work_without_parts().uid),
    }  # fmt: skip
    made = api.post("campaigns", body).json()
    api.act(f"campaigns/{made['uid']}", "add-vins", {"vins": [car.vin]})
    [row] = api.get(f"campaign-vehicles?campaign_uid={made['uid']}").json()["data"]
    visit = make_visit(team, vehicle=car)
    order = make_order(visit, team)
    put = api.act(f"campaign-vehicles/{row['uid']}", "put-on-order", {"repair_order_uid": str(order.uid)}).json()
    assert put["labor_operation_uid"] == str(order.lines.get().uid)
    told = {
        "visit_uid": str(visit.uid),
        "campaign_vehicle_uid": row["uid"],
        "reply": "PARTS_MISSING",
        "told_to": "李送修",
    }
    assert api.post("campaign-answers", told).status_code == 201
    other = make_vehicle()
    api.act(f"campaigns/{made['uid']}", "add-vins", {"vins": [other.vin]})
    [listed] = api.get(f"campaign-vehicles?vin={other.vin}").json()["data"]
    came = {"visit_uid": str(make_visit(team, vehicle=other).uid), "campaign_vehicle_uid": listed["uid"]}
    done = api.post("campaign-answers", {**came, **ELSEWHERE, "done_on": "2026-05-20"}).json()
    assert (done["reply"], done["done_on"], done["evidence"]) == ("ELSEWHERE", "2026-05-20", "工单 YL-2026-0520")
    assert api.act(f"campaigns/{made['uid']}", "end", {"ends_on": "2026-12-31"}).json()["ends_on"] == "2026-12-31"
