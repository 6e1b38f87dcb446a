"""4.1: the car leaves when everything before it is done; the gate opens once."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from dealership.kernel.services import decide_approval
from delivery.documents import settlement_data
from delivery.models import GatePass, Handover
from delivery.selectors.exits import ExitStep, board, left_undone, proposed_service, visit_exit
from delivery.selectors.gate import gate
from delivery.selectors.settlements import read_settlement
from delivery.services.handovers import cancel_gate_pass, hand_over, issue_gate_pass, scan_back, scan_out
from delivery.services.payments import refund_payment, take_payment
from delivery.services.settlements import ask_unpaid_exit, issue_settlement, sign_settlement
from reception.models import Visit, VisitState
from reception.selectors.search import find
from reception.services.transports import plan_transport
from staff.selectors.employees import require_employee
from tests.factories.delivery import (
    CHECKED,
    add_line,
    certify,
    inspect,
    make_order,
    make_ready,
    make_team,
    make_visit,
    work,
)
from tests.factories.quality import gauge
from tests.factories.reception import make_picture, rule
from workshop.maintenance_rules import Due, Standing
from workshop.models import Authorization, Clocking, LineState, OrderStage, RepairOrder
from workshop.selectors.inspections import last_reading
from workshop.selectors.maintenance import DueList, DueRow
from workshop.services.orders import withdraw_line
from workshop.tool_models import InspectionTool


def rows() -> tuple[int, int, int]:
    return (Handover.objects.count(), GatePass.objects.count(), History.objects.count())


def settle(order: RepairOrder, team) -> None:
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)


def pay(order: RepairOrder, team):
    settlement = order.settlements.get(state="SIGNED")
    return take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=team.cashier)


UNREPAIRED = {"kind": "UNREPAIRED", "risk_note_signed_by": "李送修", "signed_on_paper": True}
EXPLAINED = CHECKED | {"NEXT_SERVICE": True}


def raw_return(visit: Visit) -> tuple[str, list]:
    """A pass to bring the car back, written around Python."""
    return (
        "INSERT INTO delivery_gatepass (uid, version, created_at, updated_at, store_id, visit_id, kind, code, reason,"
        " risk_note_signed_by, issued_at, expires_at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, 'RETURN',"
        " 'AAAA', 'x', '', now(), now() + interval '1 hour')",
        [visit.store_id, visit.pk],
    )


def leave(visit: Visit, team, **changes) -> Handover:
    return hand_over(
        **{
            "visit_uid": visit.uid,
            "checklist": CHECKED,
            "odometer_km": 50012,
            "received_by": "李送修",
            "by": team.advisor,
        }
        | changes
    )


def step(visit: Visit) -> ExitStep:
    return visit_exit(Visit.objects.get(pk=visit.pk)).step


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "asked"), [("VERBAL_PHONE", True), ("DIGITAL_PORTAL", False)])
def test_safety_work_declined_by_telephone_needs_the_signed_note_about_the_risk(method: str, asked: bool, refused):
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team)
    add_line(order, state=LineState.INSPECTED)
    brakes = add_line(order, description="更换前制动片", is_safety=True, state=LineState.DECLINED)
    Authorization.objects.create(
        order=order,
        line=brakes,
        status="DECLINED",
        method=method,
        amount=240,
        authorized_by="张试驾",
        note="已告知风险",
    )
    inspect(order, team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=settlement.total, by=team.cashier)
    paper = read_settlement(uid=settlement.uid, by=team.advisor)
    assert "更换前制动片" in paper.risk
    assert paper.risk in settlement_data(paper)["notes"]
    desk = Client()
    desk.force_login(team.advisor.user)
    page = desk.get(reverse("visit-handover", args=[visit.uid])).content.decode()
    assert ("客户拒绝但未签字的安全项目：更换前制动片" in page) is asked
    if asked:
        before = rows()
        with rule("handover.risk_note"):
            leave(visit, team)
        assert rows() == before
        with refused("handover_risk_note"):
            Handover.objects.create(
                store=team.store, visit=visit, checklist={}, odometer_km=50012, received_by="李送修",
                advisor=team.people["advisor"], at=clock.now(),
            )  # fmt: skip
        with rule("handover.risk_note"):  # a typed name is no signature
            leave(visit, team, risk_note_signed_by="李送修")
        with refused("handover_risk_note"):
            Handover.objects.create(
                store=team.store, visit=visit, checklist={}, odometer_km=50012, received_by="李送修",
                risk_note_signed_by="李送修", advisor=team.people["advisor"], at=clock.now(),
            )  # fmt: skip
    signed = {"risk_note_signed_by": "李送修", "signature": make_picture("navy")} if asked else {}
    made = leave(visit, team, **signed)
    assert (made.risk_note_signed_by, made.signature is not None) == ("李送修" if asked else "", asked)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([("DECLINED", "IN_PERSON_PHYSICAL_SIGNATURE", "已告知风险")], False),
        ([("DECLINED", "IN_PERSON_DIGITAL_SIGNATURE", "已告知风险")], True),  # nothing is drawn
        ([("DECLINED", "DIGITAL_PORTAL", "已告知风险"), ("REVOKED", "VERBAL_PHONE", "来电改口")], True),
        ([("DECLINED", "VERBAL_PHONE", "已告知风险"), ("REVOKED", "IN_PERSON_PHYSICAL_SIGNATURE", "已告知")], False),
        ([("DECLINED", "DIGITAL_PORTAL", "已告知风险"), ("NOT_ENTITLED", "VERBAL_PHONE", "家人来电")], False),
    ],
)
def test_the_last_word_about_safety_work_is_the_signed_one(words: list[tuple[str, str, str]], asked: bool):
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team)
    taken_back = any(status == "REVOKED" for status, *_more in words)
    before = LineState.AUTHORIZED if taken_back else LineState.DECLINED
    brakes = add_line(order, description="更换前制动片", is_safety=True, state=before)
    for status, method, note in words:
        Authorization.objects.create(
            order=order, line=brakes, status=status, method=method, amount=240, authorized_by="张试驾", note=note
        )
    if taken_back:
        brakes.state, brakes.authorized_amount = LineState.DECLINED, None
        brakes.save()
    assert bool(visit_exit(visit).unsigned_risks) is asked


@pytest.mark.django_db
def test_safety_work_is_never_declined_without_the_statement_of_the_risk(refused):
    team = make_team()
    order = make_order(make_visit(team), team)
    brakes = add_line(order, description="更换前制动片", is_safety=True, state=LineState.PENDING)
    with refused("authorization_safety_statement"):
        Authorization.objects.create(
            order=order, line=brakes, status="DECLINED", method="DIGITAL_PORTAL", amount=240, authorized_by="张试驾"
        )


@pytest.mark.django_db
def test_each_step_before_the_hand_over_is_asked_for_in_its_order():
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team)
    line = add_line(order, category="ASSEMBLY", state=LineState.IN_PROGRESS)

    def refuses(code: str, at: ExitStep) -> None:
        before = rows()
        with rule(code):
            leave(visit, team)
        assert (rows(), step(visit)) == (before, at)

    refuses("handover.work", ExitStep.WORK)
    line.state = LineState.COMPLETED
    line.save()
    refuses("handover.inspection", ExitStep.INSPECTION)
    inspect(order, team)
    line.state = LineState.INSPECTED
    line.save()
    refuses("handover.certificate", ExitStep.CERTIFICATE)
    certify(order, team)
    refuses("handover.settlement", ExitStep.LIST)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    refuses("handover.settlement", ExitStep.SIGNATURE)
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    refuses("handover.payment", ExitStep.PAYMENT)
    pay(order, team)
    assert step(visit) == ExitStep.HANDOVER
    Visit.objects.filter(pk=visit.pk).update(promised_at=clock.now() - timedelta(minutes=1))
    handover = leave(visit, team, checklist=CHECKED | {"WASHED": "NOT_APPLICABLE"})
    assert (handover.punctual, handover.checklist["WASHED"], handover.checklist["KEY"], handover.advisor) == (
        False,
        "NOT_APPLICABLE",
        "DONE",
        team.people["advisor"],
    )
    line_ = History.objects.get(code="delivery.handover.done")
    facts = {"odometer_km": 50012, "punctual": False, "orders": 1, "risk_note": False}
    assert (line_.visit_uid, line_.facts) == (visit.uid, facts)
    assert step(visit) == ExitStep.PASS
    refused_twice = rows()
    with rule("handover.exists"):
        leave(visit, team)
    assert rows() == refused_twice


@pytest.mark.django_db
def test_one_unpaid_order_of_two_keeps_the_car():
    team = make_team()
    first = make_ready(team)
    second = make_order(first.visit, team)
    line = add_line(second)
    for state in (LineState.IN_PROGRESS, LineState.COMPLETED, LineState.INSPECTED):
        line.state = state
        line.save()
    inspect(second, team)
    settle(first, team)
    settle(second, team)
    pay(first, team)
    with pytest.raises(RuleError) as refusal:
        leave(first.visit, team)
    assert (refusal.value.code, second.number in str(refusal.value)) == ("handover.payment", True)
    pay(second, team)
    assert leave(first.visit, team).visit == first.visit


@pytest.mark.django_db
def test_an_approved_unpaid_exit_covers_the_amount_it_was_asked_for_and_no_more():
    team = make_team()
    order = make_ready(team)
    settle(order, team)
    settlement = order.settlements.get()
    paid = take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("300"), by=team.cashier)
    approval = ask_unpaid_exit(uid=settlement.uid, reason="公司月结", by=team.advisor)
    with rule("handover.payment"):
        leave(order.visit, team)
    decide_approval(uid=approval.uid, approve=True, by=team.manager)
    refund_payment(payment_uid=paid.uid, amount=Decimal("1"), reason="多收", by=team.accountant)
    with rule("handover.payment"):
        leave(order.visit, team)
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal("1"), by=team.cashier)
    assert leave(order.visit, team).punctual is None


@pytest.mark.django_db
def test_checks_receiver_and_mileage_are_named_and_nothing_is_written():
    team = make_team()
    order = make_ready(team)
    settle(order, team)
    pay(order, team)
    before = rows()
    today = clock.today()
    ahead = today + timedelta(days=180)
    for wrong, code, field in (
        ({"checklist": CHECKED | {"KEY": "NOT_APPLICABLE"}}, "handover.checks", "KEY"),
        ({"checklist": CHECKED | {"WASHED": False}}, "handover.checks", "WASHED"),
        ({"received_by": "  "}, "handover.receiver", "received_by"),
        ({"checklist": EXPLAINED, "next_service_km": 60000}, "handover.next_service", "next_service_on"),
        (
            {"checklist": EXPLAINED, "next_service_on": today, "next_service_km": 60000},
            "handover.next_service",
            "next_service_on",
        ),
        ({"checklist": EXPLAINED, "next_service_on": ahead}, "handover.next_service", "next_service_km"),
        (
            {"checklist": EXPLAINED, "next_service_on": ahead, "next_service_km": 50012},
            "handover.next_service",
            "next_service_km",
        ),
        ({"odometer_km": 49999}, "handover.odometer", "odometer_km"),
    ):
        with pytest.raises(RuleError) as refusal:
            leave(order.visit, team, **wrong)
        assert (refusal.value.code, refusal.value.field) == (code, field)
    with pytest.raises(NotAllowed):
        leave(order.visit, team, by=team.cashier)
    with pytest.raises(Visit.DoesNotExist):
        leave(order.visit, team, by=make_team().advisor)
    assert rows() == before


@pytest.mark.django_db
def test_a_delivered_car_drives_out_once_and_its_orders_are_closed():
    team = make_team()
    order = make_ready(team)
    settle(order, team)
    pay(order, team)
    with rule("gatepass.handover"):
        issue_gate_pass(visit_uid=order.visit.uid, kind="DELIVERED", by=team.advisor)
    leave(order.visit, team)
    gate_pass = issue_gate_pass(visit_uid=order.visit.uid, kind="DELIVERED", by=team.advisor)
    assert step(order.visit) == ExitStep.GATE
    [found] = find(text=gate_pass.code, by=team.advisor)  # 2.1.2: scanned anywhere, it leads to its pass
    assert found.url == f"/gate-passes/{gate_pass.uid}/"
    with rule("gatepass.exists"):
        issue_gate_pass(visit_uid=order.visit.uid, kind="DELIVERED", by=team.advisor)
    with rule("gate.unknown"):
        scan_out(code="nothing", by=team.receptionist)
    with rule("gate.unknown"):
        scan_out(code=gate_pass.code, by=make_team().receptionist)
    with pytest.raises(NotAllowed):
        scan_out(code=gate_pass.code, by=team.cashier)
    assert [e.visit for e in board(by=team.advisor)] == [order.visit]
    said = gate_pass.said_code
    assert (len(said), said.replace("-", "")) == (14, gate_pass.code)
    scan_out(code=f" {said.lower().replace('-', ' ')}\n", by=team.receptionist)
    order.refresh_from_db()
    visit = order.visit
    visit.refresh_from_db()
    assert (order.stage, visit.state, visit.odometer_out_km) == (OrderStage.CLOSED, VisitState.DEPARTED, 50012)
    assert visit.left_at is not None
    assert step(visit) == ExitStep.GONE
    assert board(by=team.advisor) == []
    with rule("gate.used"):
        scan_out(code=gate_pass.code, by=team.receptionist)
    with rule("gate.final"):
        scan_back(code=gate_pass.code, by=team.receptionist)
    codes = list(History.objects.filter(visit_uid=visit.uid).order_by("id").values_list("code", flat=True))
    assert codes[-3:] == [
        "delivery.gate_pass.issued",
        "delivery.gate_pass.scanned_out",
        "reception.visit.departed",
    ]


@pytest.mark.django_db
def test_a_withdrawn_job_leaves_unrepaired_when_settled_and_the_risk_note_is_signed():
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team)
    line = add_line(order, state=LineState.IN_PROGRESS)
    with rule("handover.work"):
        issue_gate_pass(**UNREPAIRED, visit_uid=visit.uid, reason="客户撤单", by=team.advisor)
    work(line, team.people["technician"], minutes=15)
    withdraw_line(line_uid=line.uid, reason="客户撤单", by=team.advisor)
    with rule("handover.settlement"):
        issue_gate_pass(**UNREPAIRED, visit_uid=visit.uid, reason="客户撤单", by=team.advisor)
    settle(order, team)
    with rule("handover.payment"):
        issue_gate_pass(**UNREPAIRED, visit_uid=visit.uid, reason="客户撤单", by=team.advisor)
    assert pay(order, team).amount == Decimal("60.00")
    with rule("gatepass.risk_note"):
        issue_gate_pass(visit_uid=visit.uid, kind="UNREPAIRED", reason="客户撤单", by=team.advisor)
    with rule("gatepass.risk_note"):  # a typed name is no signature
        issue_gate_pass(
            **UNREPAIRED | {"signed_on_paper": False}, visit_uid=visit.uid, reason="客户撤单", by=team.advisor
        )
    gate_pass = issue_gate_pass(**UNREPAIRED, visit_uid=visit.uid, reason="客户撤单", by=team.advisor)
    scan_out(code=gate_pass.code, by=team.receptionist)
    visit.refresh_from_db()
    assert (visit.state, visit.odometer_out_km) == (VisitState.DEPARTED, 50000)


@pytest.mark.django_db
def test_an_order_nobody_touched_owes_nothing():
    team = make_team()
    visit = make_visit(team)
    add_line(make_order(visit, team), state=LineState.WITHDRAWN)
    assert visit_exit(visit).unrepaired
    assert step(visit) == ExitStep.HANDOVER
    assert issue_gate_pass(**UNREPAIRED, visit_uid=visit.uid, reason="不修了", by=team.advisor).code


@pytest.mark.django_db
def test_a_road_test_goes_out_and_comes_back_and_ends_nothing():
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team)
    line = add_line(order)
    with pytest.raises(NotAllowed):
        issue_gate_pass(visit_uid=visit.uid, kind="TEMPORARY", reason="取件", by=team.inspector)
    with rule("gatepass.reason"):
        issue_gate_pass(visit_uid=visit.uid, kind="ROAD_TEST", by=team.inspector)
    move_line_to_work(line)
    gate_pass = issue_gate_pass(visit_uid=visit.uid, kind="ROAD_TEST", reason="异响路试", by=team.inspector)
    with rule("gate.not_out"):
        scan_back(code=gate_pass.code, by=team.receptionist)
    now = clock.now()
    with clock.moved_to(now + timedelta(minutes=5)):
        scan_out(code=gate_pass.code, by=team.receptionist)
    with clock.moved_to(now + timedelta(minutes=30)):
        scan_back(code=gate_pass.code, by=team.receptionist)
    with rule("gate.used"):
        scan_back(code=gate_pass.code, by=team.receptionist)
    visit.refresh_from_db()
    assert (visit.state, order.closed_at) == (VisitState.IN_SHOP, None)
    assert History.objects.get(code="delivery.gate_pass.scanned_back").facts == {"kind": "ROAD_TEST", "minutes": 25}
    assert (
        issue_gate_pass(visit_uid=visit.uid, kind="TEMPORARY", reason="客户取物", by=team.advisor).kind == "TEMPORARY"
    )


def move_line_to_work(line) -> None:
    line.state = LineState.IN_PROGRESS
    line.save()


@pytest.mark.django_db
def test_an_expired_or_cancelled_pass_opens_nothing():
    team = make_team()
    visit = make_visit(team)
    first = issue_gate_pass(visit_uid=visit.uid, kind="TEMPORARY", reason="客户取物", by=team.advisor)
    with clock.moved_to(clock.now() + timedelta(hours=13)):
        before = rows()
        with rule("gate.expired"):
            scan_out(code=first.code, by=team.receptionist)
        assert rows() == before
        second = issue_gate_pass(visit_uid=visit.uid, kind="TEMPORARY", reason="客户取物", by=team.advisor)
        first.refresh_from_db()
        assert first.cancelled_at is not None
        cancel_gate_pass(uid=second.uid, by=team.advisor)
        with rule("gatepass.used"):
            cancel_gate_pass(uid=second.uid, by=team.advisor)
        with rule("gate.cancelled"):
            scan_out(code=second.code, by=team.receptionist)


HANDOVER = """INSERT INTO delivery_handover (uid, version, created_at, updated_at, store_id, visit_id, checklist,
    odometer_km, received_by, advisor_id, at)
    SELECT gen_random_uuid(), 1, now(), now(), store_id, id, '{}', 1, 'x', advisor_id, now() FROM reception_visit"""
EXPLAINED_BARE = HANDOVER.replace("'{}'", """'{{"NEXT_SERVICE": "DONE"}}', {}""").replace(
    "checklist,", "checklist, next_service_on, next_service_km,"
)
PASS = """INSERT INTO delivery_gatepass (uid, version, created_at, updated_at, store_id, visit_id, kind, code, reason,
    risk_note_signed_by, issued_at, expires_at, back_at)
    SELECT gen_random_uuid(), 1, now(), now(), store_id, id, '{kind}', 'raw', '{reason}', '{signed}', now(), now(),
    {back} FROM reception_visit"""


def raw_pass(kind: str, reason: str = "x", signed: str = "x", back: str = "NULL") -> str:
    return PASS.format(kind=kind, reason=reason, signed=signed, back=back)


@pytest.mark.django_db
def test_the_database_holds_the_gate_order(refused):
    """Each gate is tried at the moment when it is the only one that is shut."""
    team = make_team()
    order = make_ready(team)
    line = order.lines.get()

    def shut(name: str) -> None:
        before = (list(Handover.objects.values()), list(RepairOrder.objects.values()))
        with refused(name) as sql:
            sql(HANDOVER)
        assert (list(Handover.objects.values()), list(RepairOrder.objects.values())) == before

    line.state = LineState.IN_PROGRESS
    line.save()
    shut("handover_gate_inspection")
    for state in (LineState.COMPLETED, LineState.INSPECTED):
        line.state = state
        line.save()
    line.category = "ASSEMBLY"
    line.save()
    final = order.inspections.get(level="FINAL")
    InspectionTool.objects.create(inspection=final, tool=gauge(order.store, final.inspector))
    shut("handover_gate_certificate")
    certify(order, team)
    shut("handover_gate_settlement")
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    shut("handover_gate_settlement")
    sign_settlement(uid=settlement.uid, signed_name="李送修", by=team.advisor)
    shut("handover_gate_payment")
    pay(order, team)
    for due in ("NULL, NULL", "current_date + 180, NULL", "NULL, 9", "current_date + 180, 1"):
        with refused("handover_next_service") as sql:
            sql(EXPLAINED_BARE.format(due))
    leave(order.visit, team, checklist=EXPLAINED, next_service_on=date(2031, 5, 24), next_service_km=60000)
    before = list(Handover.objects.values())
    for statement in ("UPDATE delivery_handover SET odometer_km = 1", "DELETE FROM delivery_handover"):
        with refused("handover_append_only") as sql:
            sql(statement)
    with refused("delivery_handover_visit_id_key") as sql:
        sql(HANDOVER)
    assert list(Handover.objects.values()) == before


@pytest.mark.django_db
def test_the_database_refuses_a_hand_over_with_an_untested_inspected_line(refused):
    team = make_team()
    add_line(make_order(make_visit(team), team), state=LineState.INSPECTED)
    with refused("handover_gate_inspection") as sql:
        sql(HANDOVER)
    assert not Handover.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("gatepass_needs_handover", raw_pass("DELIVERED")),
        ("gatepass_unrepaired_settled", raw_pass("UNREPAIRED")),
        ("gatepass_comes_back", raw_pass("ROAD_TEST")),
        ("gatepass_reason", raw_pass("TEMPORARY", reason="")),
        ("gatepass_back_after_out", raw_pass("TEMPORARY", back="now()")),
    ],
)
def test_the_database_refuses_a_pass_without_its_conditions(refused, constraint, statement):
    team = make_team()
    add_line(make_order(make_visit(team), team))
    with refused(constraint) as sql:
        sql(statement)
    assert not GatePass.objects.exists()


@pytest.mark.django_db
def test_the_database_refuses_passes_that_skip_payment_note_work_or_use(refused):
    team = make_team()
    visit = make_visit(team)
    order = make_order(visit, team)
    line = add_line(order, state=LineState.IN_PROGRESS)
    clocking = Clocking.objects.create(
        store=team.store, employee=team.people["technician"], line=line, started_at=clock.now() - timedelta(minutes=15)
    )
    for kind in ("SUBLET", "TEMPORARY"):
        with refused("gatepass_comes_back") as sql:
            sql(raw_pass(kind))
    clocking.ended_at = clock.now()
    clocking.save()
    line.state = LineState.WITHDRAWN
    line.save()
    settle(order, team)
    with refused("gatepass_unrepaired_paid") as sql:
        sql(raw_pass("UNREPAIRED"))
    pay(order, team)
    with refused("gatepass_risk_note") as sql:
        sql(raw_pass("UNREPAIRED", signed=""))
    with refused("gatepass_unsigned_risk") as sql:
        sql(raw_pass("UNREPAIRED"))
    assert not GatePass.objects.exists()
    issue_gate_pass(visit_uid=visit.uid, kind="TEMPORARY", reason="客户取物", by=team.advisor)
    before = list(GatePass.objects.values())
    with refused("gatepass_one_live") as sql:
        sql(raw_pass("TEMPORARY"))
    for statement in (
        "DELETE FROM delivery_gatepass",
        "UPDATE delivery_gatepass SET kind = 'DELIVERED'",
        "UPDATE delivery_gatepass SET code = 'x'",
    ):
        with refused("gatepass_used_once") as sql:
            sql(statement)
    assert list(GatePass.objects.values()) == before
    scan_out(code=before[0]["code"], by=team.receptionist)
    out = list(GatePass.objects.values())
    for statement in (
        "UPDATE delivery_gatepass SET out_at = NULL",
        "UPDATE delivery_gatepass SET cancelled_at = now()",
    ):
        with refused("gatepass_used_once") as sql:
            sql(statement)
    assert list(GatePass.objects.values()) == out


@pytest.mark.django_db(transaction=True)
def test_of_two_hand_overs_at_once_one_wins_and_the_other_is_told():
    team = make_team()
    order = make_ready(team)
    settle(order, team)
    pay(order, team)
    outcomes = race(lambda: leave(order.visit, team), "done")
    assert outcomes == ["done", "handover.exists"]
    assert Handover.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_scans_at_once_one_opens_the_gate():
    team = make_team()
    visit = make_visit(team)
    gate_pass = issue_gate_pass(visit_uid=visit.uid, kind="TEMPORARY", reason="客户取物", by=team.advisor)
    outcomes = race(lambda: scan_out(code=gate_pass.code, by=team.receptionist), "out")
    assert outcomes == ["gate.used", "out"]
    assert History.objects.filter(code="delivery.gate_pass.scanned_out").count() == 1


def race(command, success: str) -> list[str]:
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def run() -> None:
        gate.wait()
        try:
            command()
            outcomes.append(success)
        except RuleError as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@pytest.mark.django_db
def test_a_car_is_brought_back_on_its_own_pass_and_signed_for_at_the_door(refused):
    team = make_team()
    order = make_ready(team)
    visit = order.visit
    out = {"visit_uid": visit.uid, "kind": "RETURN", "by": team.advisor}
    with rule("gatepass.return"):
        issue_gate_pass(**out)
    back = plan_transport(
        kind="RETURN",
        visit_uid=visit.uid,
        driver_uid=require_employee(team.advisor).uid,
        starts_at=clock.now() + timedelta(hours=1),
        ends_at=clock.now() + timedelta(hours=2),
        address="示例路 1 号",
        by=team.advisor,
    )
    with rule("handover.settlement"):
        issue_gate_pass(**out)
    with refused("gatepass_unrepaired_settled") as sql:
        sql(*raw_return(visit))
    settle(order, team)
    pay(order, team)
    gate_pass = issue_gate_pass(**out)
    assert gate_pass.reason == "示例路 1 号"
    scan_out(code=gate_pass.code, by=team.advisor)
    back.refresh_from_db()
    assert (back.state, Visit.objects.get(pk=visit.pk).state) == ("UNDERWAY", VisitState.IN_SHOP)
    assert [p.pk for p in gate(by=team.advisor).outside] == [gate_pass.pk]
    scan_back(code=gate_pass.code, by=team.advisor)  # nobody was at home
    back.refresh_from_db()
    assert back.state == "PLANNED"
    again = issue_gate_pass(**out)
    scan_out(code=again.code, by=team.advisor)
    leave(visit, team)
    back.refresh_from_db()
    visit.refresh_from_db()
    assert (back.state, back.odometer_km, visit.state, visit.odometer_out_km) == (
        "DONE",
        50012,
        VisitState.DEPARTED,
        50012,
    )
    assert RepairOrder.objects.get(pk=order.pk).closed_at is not None
    assert History.objects.get(code="delivery.handover.done").facts["at_door"] is True
    assert gate(by=team.advisor).outside == []
    with refused("gatepass_return_planned") as sql:
        sql(*raw_return(visit))


@pytest.mark.django_db
def test_the_next_service_that_is_told_is_what_the_plan_asks_for_first():
    """The hand-over, the customer's link and the car's due list name the same day; what is left undone is said."""
    team = make_team()
    order = make_ready(team)
    ready = order.visit
    today = clock.today("Asia/Shanghai")
    km = last_reading(ready)

    def row(standing, due_km, days):
        on = today + timedelta(days=days)
        due = Due(standing, due_km, on, on, None, 10_000, 12, first=False)
        return DueRow(operation=None, due=due, label="", color="", why="")

    later = row(Standing.LATER, km + 9_000, 200)
    soon = row(Standing.SOON, km + 1_500, 20)
    due = row(Standing.DUE, km - 40, -3)
    found = DueList(plan=None, trend=None, severe=False, note=None, rows=[later, due, soon])
    assert proposed_service(ready, found) == (today + timedelta(days=20), km + 1_500)
    assert left_undone(found) == [due]
    by_interval = proposed_service(ready, None)
    assert proposed_service(ready, DueList(None, None, False, None, [due])) == by_interval
    assert left_undone(None) == []
    at_once = DueList(None, None, False, None, [row(Standing.SOON, km + 60, 20)])
    assert proposed_service(ready, at_once) == (today + timedelta(days=20), by_interval[1])
