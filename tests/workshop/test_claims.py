"""What owners demand under 三包: grounds kept, clocks by working days, answers with reasons (domain 3.6, arts. 27, 28)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Setting
from reception.models import Customer, Vehicle
from tests.factories.api import ApiCaller
from tests.factories.delivery import make_team
from tests.factories.kernel import make_actor
from tests.factories.reception import make_customer, make_vehicle, rule
from tests.workshop.test_faults import NOW, clerk, repaired
from workshop.claim_models import ClaimState, StatutoryClaim
from workshop.rules import content_hash
from workshop.selectors import claims as reads
from workshop.services import claims as commands
from workshop.services.faults import judge_fault

pytestmark = pytest.mark.django_db
CHINA = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def _june() -> Any:
    with clock.moved_to(NOW):
        yield


@pytest.fixture
def team() -> SimpleNamespace:
    return make_team()


def owned(**fields: Any) -> tuple[Vehicle, Customer]:
    owner = make_customer()
    given = {"invoiced_on": date(2025, 9, 1), "odometer_km": 12_000, **fields}
    return make_vehicle(owner_uid=owner.uid, **given), owner


def demand(
    by: Actor, *, remedy: str = "REFUND", car: tuple[Vehicle, Customer] | None = None, **told: Any
) -> StatutoryClaim:
    vehicle, owner = car or owned()
    return commands.open_claim(
        vehicle_uid=vehicle.uid, customer_uid=owner.uid, remedy=remedy, words="要求退车", by=by, **told
    )


def worn_out(team: SimpleNamespace) -> tuple[Vehicle, Customer]:
    """A car that stood in the shop for more than 30 days."""
    found = owned()
    repaired(team, found[0], ago=60, hours=31 * 24)
    return found


# --- the clocks ---


@pytest.mark.parametrize(
    ("asked", "answer", "finish"),
    [
        # Over the National Day of 2026: 1 to 7 October are free, Saturday the 10th is worked instead.
        (datetime(2026, 9, 28, 17, 59), date(2026, 10, 16), date(2026, 10, 30)),
        (datetime(2026, 9, 28, 0, 0), date(2026, 10, 16), date(2026, 10, 30)),
        (datetime(2026, 9, 30, 23, 59), date(2026, 10, 20), date(2026, 11, 3)),
        # Asked on a Saturday: Monday is the first day; on a make-up Sunday that day itself isn't counted.
        (datetime(2026, 8, 1, 9, 0), date(2026, 8, 14), date(2026, 8, 28)),
        (datetime(2026, 9, 20, 9, 0), date(2026, 10, 10), date(2026, 10, 23)),
    ],
)
def test_working_days_pass_over_holidays_and_take_make_up_days(
    team: SimpleNamespace, asked: datetime, answer: date, finish: date
) -> None:
    at = asked.replace(tzinfo=CHINA)
    with clock.moved_to(at):
        claim = demand(team.advisor)
        made = (claim.answer_due_at, claim.finish_due_at)
        assert made == tuple(
            datetime.combine(d + timedelta(days=1), datetime.min.time(), CHINA) for d in (answer, finish)
        )
    with clock.moved_to(claim.answer_due_at - timedelta(seconds=1)):
        assert (claim.is_late, reads.claim_counts(team.advisor)["late"]) == (False, 0)
    with clock.moved_to(claim.answer_due_at):
        assert (claim.is_late, reads.claim_counts(team.advisor)["late"]) == (True, 1)
        assert reads.claim_list(team.advisor, show="late").rows == [claim]


def test_a_setting_shortens_the_days_and_never_lengthens_them(team: SimpleNamespace) -> None:
    def last_days(answer: int, finish: int) -> list[date]:
        for key, days in (("workshop.statutory_answer_days", answer), ("workshop.statutory_finish_days", finish)):
            Setting.objects.create(key=key, value=days, starts_on=NOW.date())
        limits.forget()
        claim = demand(team.advisor)
        Setting.objects.all().delete()
        limits.forget()
        return [due.astimezone(CHINA).date() for due in (claim.answer_day, claim.finish_day)]

    by_law = [date(2026, 6, 15), date(2026, 6, 30)]  # Friday 19 June is the Dragon Boat festival
    assert last_days(10, 20) == by_law
    assert last_days(5, 12) == [date(2026, 6, 8), date(2026, 6, 17)]
    assert last_days(30, 90) == by_law


def test_a_car_of_the_older_table_has_its_shorter_end(team: SimpleNamespace) -> None:
    claim = demand(team.advisor, car=owned(invoiced_on=date(2021, 3, 1)))
    assert claim.finish_day.astimezone(CHINA).date() == date(2026, 6, 23)
    assert claim.grounds["table"] == "AQSIQ Order 150"


# --- the grounds ---


def test_the_grounds_are_kept_as_they_stood(team: SimpleNamespace) -> None:
    car = worn_out(team)
    claim = demand(team.advisor, car=car, asked_at=NOW - timedelta(hours=20), odometer_km=12_345)
    assert (claim.right_stands, claim.pays_for_use, claim.odometer_km) == (True, True, 12_345)
    assert claim.grounds["rights"][0] | {"orders": []} == {
        "article": "24(4)",
        "subject": "DAYS",
        "count": 31,
        "remedy": "REPLACE_OR_RETURN",
        "pays_for_use": True,
        "orders": [],
    }
    assert claim.grounds["periods"] == {"repair": True, "replace": True, "early": False}
    assert claim.grounds_hash == content_hash(claim.grounds)
    judge_fault(line_uid=car[0].orders.get().lines.get().uid, is_quality=False, by=clerk(team.store))
    again = reads.get_claim(claim.uid, team.advisor)
    first = reads.grounds_in_words(again)[0]
    assert (first.article, first.count, first.limit, first.right) == ("24(4)", 31, 30, True)
    told = History.objects.get(code="workshop.statutory_claim.opened")
    assert (told.root_uid, told.vehicle_uid, told.customer_uid) == (claim.uid, car[0].uid, car[1].uid)
    assert told.facts["grounds_hash"] == claim.grounds_hash
    assert "要求退车" not in str(told.facts)


def test_a_safety_fault_in_the_early_days_is_paid_for_by_nobody(team: SimpleNamespace) -> None:
    car = owned(invoiced_on=date(2026, 5, 1), odometer_km=900)
    line = repaired(team, car[0], ago=3)
    line.order.visit.odometer_in_km = 900
    line.order.visit.save()
    judge_fault(line_uid=line.uid, is_quality=True, serious=True, safety="BRAKES_LOST", by=clerk(team.store))
    claim = demand(team.advisor, car=car)
    assert (claim.right_stands, claim.pays_for_use) == (True, False)
    with rule("claim.use_fee"):
        commands.grant_claim(
            uid=claim.uid, answer="同意退车", car_price=Decimal(100000), coefficient=Decimal("0.004"), by=team.manager
        )
    granted = commands.grant_claim(uid=claim.uid, answer="同意退车", by=team.manager)
    assert (granted.state, granted.use_fee) == ("GRANTED", None)


def test_a_free_repair_stands_while_its_period_runs(team: SimpleNamespace) -> None:
    assert demand(team.advisor, remedy="FREE_REPAIR").right_stands
    assert not demand(team.advisor, remedy="FREE_REPAIR", car=owned(odometer_km=60_001)).right_stands
    assert not demand(team.advisor, remedy="FREE_REPAIR", car=owned(invoiced_on=None)).right_stands
    assert not demand(team.advisor, remedy="TRANSPORT_MONEY").right_stands


# --- entering ---


def test_what_is_no_demand_is_refused(team: SimpleNamespace) -> None:
    car = owned()
    before = History.objects.count()
    told = {
        "vehicle_uid": car[0].uid,
        "customer_uid": car[1].uid,
        "remedy": "REFUND",
        "words": "退车",
        "by": team.advisor,
    }
    for wrong, code in (
        ({"words": "  "}, "claim.words"),
        ({"remedy": "MONEY"}, "claim.remedy"),
        ({"asked_at": NOW + timedelta(minutes=1)}, "claim.asked_at"),
        ({"odometer_km": 11_999}, "claim.odometer"),
    ):
        with rule(code):
            commands.open_claim(**(told | wrong))
    with pytest.raises(NotAllowed):
        commands.open_claim(**(told | {"by": team.technician}))
    assert (StatutoryClaim.objects.count(), History.objects.count()) == (0, before)
    first = commands.open_claim(**told)
    with rule("claim.running"):
        commands.open_claim(**told)
    commands.open_claim(**(told | {"remedy": "FREE_REPAIR"}))
    commands.withdraw_claim(uid=first.uid, result="客户改为维修", by=team.advisor)
    assert commands.open_claim(**told).state == "OPEN"


# --- the answer ---


def test_a_refusal_has_a_reason_and_doesnt_contradict_the_file(team: SimpleNamespace) -> None:
    claim = demand(team.advisor, car=worn_out(team))
    told = {"uid": claim.uid, "answer": "经查不符合", "by": team.manager}
    for wrong, code in (
        ({"refusal": ""}, "claim.refusal"),
        ({"refusal": "SERVICED_ELSEWHERE"}, "claim.refusal"),
        ({"refusal": "NOT_MET"}, "claim.right_stands"),
        ({"refusal": "MISUSE", "answer": " "}, "claim.answer"),
    ):
        with rule(code):
            commands.refuse_claim(**(told | wrong))
    with pytest.raises(NotAllowed):
        commands.refuse_claim(**(told | {"refusal": "MISUSE", "by": team.advisor}))
    assert StatutoryClaim.objects.get().state == "OPEN"
    refused = commands.refuse_claim(**told, refusal="MISUSE")
    assert (refused.state, refused.refusal, refused.answered_by) == ("REFUSED", "MISUSE", team.manager.user)
    with rule("state.move"):
        commands.grant_claim(uid=claim.uid, answer="同意", by=team.manager)


def test_the_fee_for_the_use_is_worked_out(team: SimpleNamespace) -> None:
    claim = demand(team.advisor, car=worn_out(team), odometer_km=12_345)
    told = {"uid": claim.uid, "answer": "同意退车", "by": team.manager}
    with rule("claim.use_fee"):
        commands.grant_claim(**told)
    with rule("claim.coefficient"):
        commands.grant_claim(**told, car_price=Decimal("168800.00"), coefficient=Decimal("0.00501"))
    granted = commands.grant_claim(**told, car_price=Decimal("168800.00"), coefficient=Decimal("0.005"))
    assert granted.use_fee == Decimal("10419.18")  # 168,800 × 12.345 × 0.005
    with clock.moved_to(granted.finish_due_at):
        assert reads.claim_counts(team.manager) == {"all": 1, "open": 0, "granted": 1, "late": 1, "ended": 0}
        done = commands.finish_claim(uid=claim.uid, result="已退车，开具退车证明", by=team.manager)
    assert (done.state, done.due_at) == (ClaimState.FINISHED, None)
    assert History.objects.get(code="workshop.statutory_claim.finished").facts["late"] is True


def test_another_stores_demand_is_not_there(team: SimpleNamespace) -> None:
    claim = demand(team.advisor)
    with pytest.raises(StatutoryClaim.DoesNotExist):
        commands.refuse_claim(uid=claim.uid, refusal="MISUSE", answer="x", by=make_team().manager)


# --- the database ---


def test_the_database_refuses_what_the_commands_refuse(team: SimpleNamespace, refused: Any) -> None:
    claim = demand(team.advisor, car=worn_out(team))
    answered = "answered_at = now(), answer = 'x'"
    for name, change in (
        ("statutoryclaim_moves", "state = 'FINISHED', ended_at = now(), result = 'x'"),
        ("statutoryclaim_refusal_has_reason", f"state = 'REFUSED', {answered}"),
        ("statutoryclaim_answer", "state = 'REFUSED', refusal = 'MISUSE'"),
        ("statutoryclaim_right_stands", f"state = 'REFUSED', refusal = 'NOT_MET', {answered}"),
        ("statutoryclaim_use_fee", f"state = 'GRANTED', {answered}"),
        (
            "statutoryclaim_fee_worked_out",
            f"state = 'GRANTED', {answered}, car_price = 100000, coefficient = 0.005, use_fee = 1",
        ),
        ("statutoryclaim_ended", "state = 'WITHDRAWN', ended_at = now()"),
        ("statutoryclaim_fixed", "answer_due_at = answer_due_at + interval '1 day'"),
        ("statutoryclaim_fixed", "grounds = '{}'"),
    ):
        with refused(name) as sql:
            sql(f"UPDATE workshop_statutoryclaim SET {change} WHERE id = %s", [claim.pk])
    commands.refuse_claim(uid=claim.uid, refusal="MISUSE", answer="改装", by=team.manager)
    with refused("statutoryclaim_answered_once") as sql:
        sql("UPDATE workshop_statutoryclaim SET answer = 'y' WHERE id = %s", [claim.pk])
    with refused("statutoryclaim_moves") as sql:
        sql(
            "INSERT INTO workshop_statutoryclaim SELECT (jsonb_populate_record(c, jsonb_build_object("
            "'id', 0, 'uid', gen_random_uuid(), 'number', 'X'))).* FROM workshop_statutoryclaim c WHERE id = %s",
            [claim.pk],
        )


# --- pages and API ---


def test_the_pages_from_the_car_to_the_end(team: SimpleNamespace) -> None:
    vehicle, owner = worn_out(team)
    desk, boss = Client(), Client()
    desk.force_login(team.advisor.user)
    boss.force_login(team.manager.user)
    new = reverse("statutory-claim-new", args=[vehicle.uid])
    assert new in desk.get(reverse("vehicle-detail", args=[vehicle.uid])).content.decode()
    told = {"customer_uid": str(owner.uid), "remedy": "REFUND", "words": "要求退车", "odometer_km": "11000"}
    kept = desk.post(new, told)
    assert (kept.status_code, "要求退车" in kept.content.decode()) == (422, True)
    answer = desk.post(new, told | {"odometer_km": "12345"})
    claim = StatutoryClaim.objects.get()
    page = reverse("statutory-claim", args=[claim.uid])
    assert answer.headers["Location"] == page
    grant, refuse = (reverse(f"statutory-claim-{step}", args=[claim.uid]) for step in ("grant", "refuse"))
    mine, theirs = (client.get(page).content.decode() for client in (desk, boss))
    assert grant not in mine
    assert grant in theirs
    assert ("由服务经理答复" in mine, "由服务经理答复" in theirs) == (True, False)
    assert "2026-06-15" in theirs
    assert desk.get(grant).status_code == 403
    assert "NOT_MET" not in boss.get(refuse).content.decode()
    assert boss.post(refuse, {"answer": "不符合"}).status_code == 422
    assert boss.post(grant, {"answer": "同意退车", "car_price": "168800", "coefficient": "0.5"}).status_code == 302
    assert "10,419.18" in boss.get(page).content.decode()
    with clock.moved_to(claim.finish_due_at):
        watch = boss.get(reverse("fault-alerts")).content.decode()
        assert f"{reverse('statutory-claims')}?show=late" in watch
        assert claim.number in boss.get(reverse("statutory-claims") + "?show=late").content.decode()
        finish = reverse("statutory-claim-finish", args=[claim.uid])
        assert boss.post(finish, {"result": "已退车"}).status_code == 302
    assert StatutoryClaim.objects.get().state == "FINISHED"


def test_the_api_enters_and_answers(team: SimpleNamespace) -> None:
    vehicle, owner = worn_out(team)
    api = ApiCaller("workshop:write", store=team.store)
    body = {"vehicle_uid": str(vehicle.uid), "customer_uid": str(owner.uid), "remedy": "REFUND", "words": "要求退车"}
    made = api.post("statutory-claims", body).json()
    assert (made["state"], made["right_stands"], made["words"]) == ("OPEN", True, "***")
    assert made["transitions"] == ["grant", "refuse", "withdraw"]
    refused = api.act(f"statutory-claims/{made['uid']}", "refuse", {"refusal": "NOT_MET", "answer": "不符合"})
    assert (refused.status_code, refused.json()["code"]) == (409, "claim.right_stands")
    told = {"answer": "同意", "car_price": "168800.00", "coefficient": "0.005"}
    assert api.act(f"statutory-claims/{made['uid']}", "grant", told).json()["use_fee"] == "10128.00"


def test_who_is_no_owner_is_asked_for_first(team: SimpleNamespace) -> None:
    client = Client()
    client.force_login(make_actor("advisor", store=team.store).user)
    page = client.get(reverse("statutory-claim-new", args=[make_vehicle().uid])).content.decode()
    assert '<textarea name="words"' not in page
