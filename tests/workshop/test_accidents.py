"""Accident repairs: the insurer's case, assessment and supplement, structure, the customer's own share (3.2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Operation
from dealership.catalogue.services import operations
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from dealership.kernel.services import actor_of, decide_approval, set_setting
from delivery.models import Handover
from delivery.selectors.shares import share_of, unpaid_share
from delivery.services.handovers import hand_over
from delivery.services.payments import take_payment
from delivery.services.settlements import ask_unpaid_exit
from tests.delivery.test_handovers import settle
from tests.factories.accidents import AGREES, make_accident, make_accident_order, make_insurer, structural
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import (
    CHECKED,
    add_line,
    certify,
    inspect,
    make_employee,
    make_order,
    make_team,
    make_visit,
)
from tests.factories.kernel import make_actor, make_user
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import Shop, add_operation, make_shop
from tests.factories.workshop import make_order as make_customer_order
from workshop.accident_models import AccidentCase, Assessment, AssessmentRow, StructuralJob
from workshop.models import Authorization, Inspection, OrderLine, RepairOrder
from workshop.selectors.accidents import accident_file, price_of, structure_demanded
from workshop.services import accidents, orders
from workshop.services.authorizations import decide_lines

pytestmark = pytest.mark.django_db


def says(code: str, act: Callable[[], Any]) -> None:
    with rule(code):
        act()


def never(refused: Any, name: str, statement: str, values: list[Any]) -> None:
    with refused(name) as sql:
        sql(statement, values)


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def prices(order: RepairOrder) -> dict[Any, Decimal]:
    return {line.uid: price_of(line) for line in order.lines.exclude(state="INSPECTED")}


def test_an_assessment_and_a_supplement_are_agreed_by_the_insurer(shop: Shop) -> None:
    order = make_accident_order(shop)
    case = make_accident(shop, order, assessor=AGREES)
    first = accidents.ask_assessment(accident_uid=case.uid, amounts=prices(order), by=shop.advisor)
    assert (first.number, first.amount, first.is_supplement) == (1, sum(prices(order).values()), False)
    accidents.agree_assessment(uid=first.uid, decided_by=AGREES, by=shop.advisor)
    line = order.lines.get()
    agreed = Authorization.objects.get(line=line)
    assert (line.state, agreed.authorized_by, agreed.amount) == ("AUTHORIZED", AGREES, first.amount)
    assert agreed.contact is not None

    more = add_operation(shop, order, "AC-10", cause="水箱框架变形")
    amounts = {more.uid: price_of(more)}
    says(
        "assessment.not_sent",
        lambda: accidents.ask_assessment(accident_uid=case.uid, amounts=amounts, reason="拆检发现", by=shop.advisor),
    )
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    say = {"accident_uid": case.uid, "amounts": amounts, "by": shop.advisor}
    says("assessment.reason", lambda: accidents.ask_assessment(**say))
    says("assessment.photo", lambda: accidents.ask_assessment(reason="拆检发现", **say))
    says(
        "assessment.agreed",
        lambda: accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: Decimal(1)}, by=shop.advisor),
    )
    orders.add_line_photo(line_uid=more.uid, content=make_picture("red"), by=shop.advisor)
    second = accidents.ask_assessment(reason="拆检发现水箱框架变形", **say)
    says("assessment.asked", lambda: accidents.ask_assessment(reason="再加", **say))
    second = accidents.agree_assessment(uid=second.uid, decided_by=AGREES, note="同意追加", by=shop.advisor)
    more.refresh_from_db()
    assert (second.number, second.is_supplement, second.state, more.state) == (2, True, "AGREED", "AUTHORIZED")
    file = accident_file(order)
    assert (file.agreed, file.left, file.asked) == (first.amount + second.amount, 0, False)
    codes = History.objects.filter(root_uid=second.uid).order_by("id").values_list("code", flat=True)
    assert list(codes) == ["workshop.assessment.asked", "workshop.assessment.agreed"]


def test_the_insurers_yes_is_an_assessment_that_covers_the_price(shop: Shop, refused: Any) -> None:
    order = make_accident_order(shop)
    case = make_accident(shop, order)
    line = order.lines.get()
    said = {"method": "VERBAL_PHONE", "authorized_by": AGREES, "note": "电话", "by": shop.advisor}
    with refused("authorization_within_assessment"):
        decide_lines(order_uid=order.uid, decisions={line.uid: (True, "")}, **said)
    low = accidents.ask_assessment(accident_uid=case.uid, amounts={line.uid: Decimal(1)}, by=shop.advisor)
    says(
        "assessment.note", lambda: accidents.refuse_assessment(uid=low.uid, decided_by=AGREES, note="", by=shop.advisor)
    )
    no = accidents.refuse_assessment(uid=low.uid, decided_by=AGREES, note="需重新报价", by=shop.advisor)
    assert (no.state, no.note) == ("REFUSED", "需重新报价")
    orders.add_line_photo(line_uid=line.uid, content=make_picture("red"), by=shop.advisor)
    again = accidents.ask_assessment(accident_uid=case.uid, amounts=prices(order), reason="重新报价", by=shop.advisor)
    says("assessment.who", lambda: accidents.agree_assessment(uid=again.uid, decided_by="路人", by=shop.advisor))
    assert accidents.agree_assessment(uid=again.uid, decided_by=AGREES, by=shop.advisor).state == "AGREED"


def test_who_agrees_for_the_insurer_does_so_up_to_an_amount(shop: Shop) -> None:
    order = make_accident_order(shop, up_to=10)
    case = make_accident(shop, order)
    asked = accidents.ask_assessment(accident_uid=case.uid, amounts=prices(order), by=shop.advisor)
    says("assessment.who", lambda: accidents.agree_assessment(uid=asked.uid, decided_by=AGREES, by=shop.advisor))
    assert Assessment.objects.get().state == "ASKED"


def test_a_supplement_without_photo_or_with_wrong_sums_is_refused_by_the_database(shop: Shop, refused: Any) -> None:
    order = make_accident_order(shop)
    case = make_accident(shop, order)
    asked = accidents.ask_assessment(accident_uid=case.uid, amounts=prices(order), by=shop.advisor)
    yes = "UPDATE workshop_assessment SET state = 'AGREED', decided_at = now(), decided_by = 'x' WHERE id = %s"
    never(refused, "assessment_fixed", "UPDATE workshop_assessment SET amount = 1 WHERE id = %s", [asked.pk])
    never(
        refused,
        "assessmentrow_append_only",
        "UPDATE workshop_assessmentrow SET amount = 1 WHERE assessment_id = %s",
        [asked.pk],
    )
    never(refused, "assessment_decided", "UPDATE workshop_assessment SET state = 'AGREED' WHERE id = %s", [asked.pk])
    accidents.refuse_assessment(uid=asked.uid, decided_by=AGREES, note="缺照片", by=shop.advisor)
    never(refused, "assessment_moves", yes, [asked.pk])
    bare = Assessment.objects.create(accident=case, number=2, reason="追加", amount=Decimal(5))
    never(refused, "assessment_shown", yes, [bare.pk])
    row = "INSERT INTO workshop_assessmentrow (assessment_id, line_id, amount) VALUES (%s, %s, 5)"
    with refused("assessment_shown") as sql:
        sql(row, [bare.pk, order.lines.get().pk])
        sql(yes, [bare.pk])
    never(refused, "assessmentrow_of_insurer", row, [asked.pk, order.lines.get().pk])
    never(
        refused,
        "assessment_one_asked",
        "INSERT INTO workshop_assessment (uid, version, created_at, updated_at,"
        " accident_id, number, reason, amount, state, asked_at, decided_by, note) VALUES (gen_random_uuid(), 1, now(),"
        " now(), %s, 3, 'x', 1, 'ASKED', now(), '', '')",
        [case.pk],
    )
    never(
        refused,
        "assessment_supplement_reason",
        "INSERT INTO workshop_assessment (uid, version, created_at, updated_at,"
        " accident_id, number, reason, amount, state, asked_at, decided_by, note) VALUES (gen_random_uuid(),"
        " 1, now(), now(), %s, 3, '', 1, 'ASKED', now(), '', '')",
        [case.pk],
    )


def test_a_case_belongs_to_an_insurance_order(shop: Shop, refused: Any) -> None:
    own = make_customer_order(shop)
    order = make_accident_order(shop)
    told = {"policy_number": "P-1", "report_number": "R-1", "happened_on": clock.today(), "by": shop.advisor}
    says("accident.order", lambda: accidents.open_accident(order_uid=own.uid, **told))
    says("accident.number", lambda: accidents.open_accident(order_uid=order.uid, **told | {"report_number": " "}))
    later = {"happened_on": clock.today() + timedelta(days=2)}
    says("accident.day", lambda: accidents.open_accident(order_uid=order.uid, **told | later))
    says("accident.own_share", lambda: accidents.open_accident(order_uid=order.uid, own_share=Decimal(500), **told))
    with pytest.raises(NotAllowed):
        accidents.open_accident(order_uid=order.uid, **told | {"by": make_actor("technician", store=shop.store)})
    case = accidents.open_accident(order_uid=order.uid, **told)
    says("accident.exists", lambda: accidents.open_accident(order_uid=order.uid, **told))
    never(refused, "accidentcase_own_share", "UPDATE workshop_accidentcase SET own_share = 5 WHERE id = %s", [case.pk])
    never(
        refused, "accidentcase_fixed", "UPDATE workshop_accidentcase SET order_id = %s WHERE id = %s", [own.pk, case.pk]
    )
    with refused("accidentcase_of_insurance_order"):
        AccidentCase.objects.create(order=own, policy_number="P", report_number="R", happened_on=clock.today())
    changed = accidents.change_accident(
        uid=case.uid, assessor="乙", own_share=Decimal(500), share_agreed_by="李送修", by=shop.advisor
    )
    assert (changed.assessor, changed.own_share) == ("乙", Decimal("500.00"))


@pytest.fixture
def team() -> SimpleNamespace:
    return make_team()


def passes(order: RepairOrder, team: SimpleNamespace) -> None:
    for level, post in (("SELF", "technician"), ("TEAM", "manager"), ("FINAL", "inspector")):
        Inspection.objects.create(
            store=order.store, order=order, level=level, result="PASSED", inspector=team.people[post], at=clock.now()
        )


def test_structural_work_is_checked_before_the_final_inspection(team: SimpleNamespace, refused: Any) -> None:
    job = structural(team)
    line, order = job.line, job.line.order
    inspector = team.inspector
    with refused("inspection_structure_checked"):
        passes(order, team)
    checks = {"job_uid": job.uid, "by": inspector}
    says("structure.findings", lambda: accidents.check_structure(result="PASSED", findings=" ", **checks))
    accidents.check_structure(result="FAILED", findings="左前纵梁 A 点 +6 mm", **checks)
    with refused("inspection_structure_checked"):
        passes(order, team)
    accidents.check_structure(result="PASSED", findings="A 点 +1 mm，B 点 0", **checks)
    with clock.moved_to(clock.now() + timedelta(minutes=5)):  # worked on again: the check is of before
        OrderLine.objects.filter(pk=line.pk).update(completed_at=clock.now())
        with refused("inspection_structure_checked"):
            passes(order, team)
        with clock.moved_to(clock.now() + timedelta(minutes=5)):
            accidents.check_structure(result="PASSED", findings="复测合格", **checks)
            passes(order, team)


def marked(order: RepairOrder, team: SimpleNamespace) -> None:
    """The item is declared, which takes its check after the repair with it."""
    job = accidents.mark_structural(line_uid=order.lines.get().uid, part="WHOLE", by=team.advisor)
    accidents.check_structure(job_uid=job.uid, result="PASSED", findings="全车测量点均在公差内", by=team.inspector)


def test_work_on_the_structure_is_declared_and_checked_whoever_forgot_it(team: SimpleNamespace, refused: Any) -> None:
    beam = Operation.objects.get(code="BD-20")
    operations.correct_operation(
        uid=beam.uid, code=beam.code, name=beam.name, hours=beam.hours, is_structural=True, by=machine("test")
    )
    order = make_order(make_visit(team), team)
    line = add_line(order, state="COMPLETED", description="前纵梁校正", operation=beam)
    assert structure_demanded(order, order.lines.all()) == line.said
    rows = list(Inspection.objects.values())
    with refused("inspection_structure_demanded"):
        passes(order, team)
    assert list(Inspection.objects.values()) == rows
    marked(order, team)
    assert structure_demanded(order, order.lines.all()) is None
    passes(order, team)


@pytest.mark.parametrize(("agreed", "least", "demanded"), [("240.00", None, False), ("240.00", 240, True), ("0", 0, True),
                                                           ("239.99", 240, False)])  # fmt: skip
def test_an_accident_from_an_amount_on_has_its_structure_checked(
    team: SimpleNamespace, refused: Any, agreed: str, least: int | None, demanded: bool
) -> None:
    if least is not None:
        set_setting(key="workshop.structure_amount", value=least, starts_on=clock.today(), by=machine("test"))
    order = make_order(make_visit(team), team, kind="INSURANCE", customer=make_insurer())
    line = add_line(order, pay_type="INSURANCE", state="COMPLETED")
    case = AccidentCase.objects.create(order=order, policy_number="P", report_number="R", happened_on=clock.today())
    assessed = Assessment.objects.create(accident=case, number=1, amount=Decimal(240))
    AssessmentRow.objects.create(assessment=assessed, line=line, amount=Decimal(240))
    AssessmentRow.objects.filter(assessment=assessed).update(agreed_amount=Decimal(agreed))
    assert structure_demanded(order, order.lines.all()) is None, "the insurer hasn't answered"
    Assessment.objects.filter(pk=assessed.pk).update(state="AGREED", decided_at=clock.now(), decided_by=AGREES)
    assert (structure_demanded(order, order.lines.all()) == "") is demanded
    if demanded:
        with refused("inspection_structure_demanded"):
            passes(order, team)
        marked(order, team)
    passes(order, team)


def test_no_certificate_for_a_structure_that_nobody_checked(team: SimpleNamespace, refused: Any) -> None:
    order = make_order(make_visit(team), team)
    line = add_line(order, state="COMPLETED")
    inspect(order, team)
    StructuralJob.objects.create(line=line, part="SILL")
    with refused("certificate_structure_checked"):
        certify(order, team)


def test_who_repaired_the_structure_doesnt_check_it(team: SimpleNamespace, refused: Any) -> None:
    user = make_user("techdirector", store=team.store)
    person = make_employee(team.store, user)
    job = structural(team, person)
    line = job.line
    says(
        "structure.check",
        lambda: accidents.check_structure(
            job_uid=job.uid, result="PASSED", findings="好", by=actor_of(user, team.store)
        ),
    )
    sql = (
        "INSERT INTO workshop_structurecheck (uid, version, created_at, updated_at, job_id, result, findings,"
        " inspector_id, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'PASSED', 'x', %s, now())"
    )
    never(refused, "structurecheck_after_repair", sql, [job.pk, person.pk])
    OrderLine.objects.filter(pk=line.pk).update(state="IN_PROGRESS")
    never(refused, "structurecheck_after_repair", sql, [job.pk, team.people["inspector"].pk])
    says("structure.marked", lambda: accidents.mark_structural(line_uid=line.uid, part="RAIL", by=team.advisor))
    never(refused, "structuraljob_append_only", "DELETE FROM workshop_structuraljob WHERE id = %s", [job.pk])


def test_the_customers_own_share_is_paid_before_the_car_goes(team: SimpleNamespace, refused: Any) -> None:
    """The insurer pays its rest later, with an approved exit; the customer's share isn't waived by that."""
    visit = make_visit(team)
    order = make_order(visit, team, kind="INSURANCE", customer=make_insurer())
    line = add_line(order, pay_type="INSURANCE")
    AccidentCase.objects.create(
        order=order, policy_number="P", report_number="R", happened_on=clock.today(), own_share=Decimal(100),
        share_agreed_by="李送修",
    )  # fmt: skip
    for step in ("IN_PROGRESS", "COMPLETED", "INSPECTED"):
        line.state = step
        line.save()
    inspect(order, team)
    order.refresh_from_db()
    settle(order, team)
    settlement = order.settlements.get()
    share = share_of(settlement)
    assert share is not None
    assert (share.own, share.insurer, share.unpaid) == (Decimal(100), Decimal(140), Decimal(100))
    desk = Client()
    desk.force_login(team.manager.user)
    page = desk.get(reverse("settlement-detail", args=[settlement.uid])).content.decode()
    assert "其中客户承担" in page
    later = ask_unpaid_exit(uid=settlement.uid, reason="保险公司月结", by=team.advisor)
    decide_approval(uid=later.uid, approve=True, by=team.manager)
    leaves = {
        "visit_uid": visit.uid,
        "odometer_km": 50012,
        "received_by": "李送修",
        "checklist": CHECKED,
        "by": team.advisor,
    }
    says("handover.own_share", lambda: hand_over(**leaves))
    never(
        refused,
        "handover_own_share",
        "INSERT INTO delivery_handover (uid, version, created_at, updated_at, store_id, visit_id, checklist,"
        " odometer_km, received_by, risk_note_signed_by, advisor_id, at)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, '{}', 50012, 'x', '', %s, now())",
        [order.store_id, visit.pk, order.advisor_id],
    )
    take_payment(settlement_uid=settlement.uid, method="CASH", amount=Decimal(100), by=team.cashier)
    assert unpaid_share(visit) == 0
    hand_over(**leaves)
    assert Handover.objects.filter(visit=visit).exists()


def test_the_pages(shop: Shop) -> None:
    order = make_accident_order(shop)
    desk = Client()
    desk.force_login(shop.advisor.user)
    page = reverse("order-detail", args=[order.uid])
    new = reverse("accident-new", args=[order.uid])
    assert new in desk.get(page).content.decode()
    told = {
        "form_token": uuid4(),
        "policy_number": "P-1",
        "report_number": "R-77",
        "happened_on": clock.today().isoformat(),
        "own_share": "0",
    }
    assert desk.post(new, told | {"own_share": "300"}).status_code == 422
    assert desk.post(new, told | {"form_token": uuid4()}).status_code == 302
    case, line = AccidentCase.objects.get(), order.lines.get()
    assess = reverse("accident-assess", args=[case.uid])
    assert line.said in desk.get(assess).content.decode()
    assert desk.post(assess, {"form_token": uuid4()}).status_code == 422
    amount = f"amount_{line.uid}"
    assert desk.post(assess, {"form_token": uuid4(), amount: str(price_of(line))}).status_code == 302
    asked = Assessment.objects.get()
    agree = reverse("assessment-agree", args=[asked.uid])
    assert AGREES in desk.get(agree).content.decode()
    assert desk.post(agree, {"form_token": uuid4(), "decided_by": "路人"}).status_code == 422
    assert desk.post(agree, {"form_token": uuid4(), "decided_by": AGREES}).status_code == 302
    mark = reverse("line-structure", args=[line.uid])
    assert desk.post(mark, {"form_token": uuid4(), "part": "RAIL"}).status_code == 302
    shown = desk.get(page).content.decode()
    assert all(word in shown for word in ("R-77", "保险公司已同意", "前后纵梁"))
    change = reverse("accident-change", args=[case.uid])
    assert desk.post(change, {"form_token": uuid4(), "own_share": "0", "assessor": "乙"}).status_code == 302


def test_the_api(shop: Shop) -> None:
    order = make_accident_order(shop)
    line = order.lines.get()
    client = ApiCaller("workshop:write", "personal:read", store=shop.store, acts_for=shop.advisor.user)
    body = {"repair_order_uid": str(order.uid), "policy_number": "P-1", "report_number": "R-1"}
    made = client.post("accidents", body | {"happened_on": clock.today().isoformat()})
    assert made.status_code == 201, made.content
    rows = [{"labor_operation_uid": str(line.uid), "amount": str(price_of(line))}]
    asked = client.post("assessments", {"accident_uid": made.json()["uid"], "rows": rows})
    assert asked.status_code == 201, asked.content
    assert asked.json()["rows"] == [rows[0] | {"agreed_amount": None}]
    path = f"assessments/{asked.json()['uid']}"
    problem(client.act(path, "agree", {"decided_by": "路人"}), 409, "assessment.who")
    assert client.act(path, "agree", {"decided_by": AGREES}).json()["state"] == "AGREED"
    job = client.post("structural-jobs", {"labor_operation_uid": str(line.uid), "part": "SILL"})
    assert job.json()["part"] == "SILL"
    check = {"structural_job_uid": job.json()["uid"], "result": "PASSED", "findings": "合格"}
    problem(client.post("structure-checks", check), 403, "permission")
