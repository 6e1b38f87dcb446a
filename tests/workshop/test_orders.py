"""Opening, writing, sending, discounting, withdrawing a repair order; promises (3.2)."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import translation

from dealership.kernel import clock, outbox
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import Approval, Counter, History, Message
from dealership.kernel.services import decide_approval
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import (
    Shop,
    add_operation,
    agree_all,
    make_order,
    make_received_visit,
    make_shop,
    operation,
    part,
)
from workshop import rules
from workshop.models import Authorization, Campaign, CampaignVehicle, Estimate, OrderLine, PartLine, RepairOrder
from workshop.selectors.orders import asked_of, decided_for_customer
from workshop.services import orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def codes(order: RepairOrder) -> list[str]:
    return list(History.objects.filter(order_uid=order.uid).order_by("id").values_list("code", flat=True))


def nothing_written() -> tuple[int, ...]:
    return tuple(
        model.objects.count()
        for model in (RepairOrder, OrderLine, PartLine, Estimate, Authorization, History, Message, Approval)
    )


# --- opening ---


def test_an_order_opens_with_the_diagnosis_at_its_price(shop: Shop) -> None:
    visit = make_received_visit(shop)
    order = orders.open_repair_order(visit_uid=visit.uid, complaint="刹车异响", by=shop.advisor)
    line = order.lines.get()
    assert (line.is_diagnosis, line.hours, line.rate, line.labor_amount, line.state) == (
        True,
        Decimal("0.50"),
        Decimal("170.00"),
        Decimal("85.00"),
        "DRAFT",
    )
    assert order.stage == "DRAFT"
    assert order.number.startswith(f"RO-{shop.store.code}-")
    visit.refresh_from_db()
    assert visit.state == "IN_SHOP"
    assert codes(order) == ["workshop.repair_order.opened", "workshop.line.added"]


def test_the_diagnosis_is_agreed_to_at_the_desk(shop: Shop) -> None:
    order = make_order(shop, diagnosis_agreed_by="沈示例", signed_on_paper=True)
    line = order.lines.get()
    row = Authorization.objects.get()
    assert (line.state, line.authorized_amount, order.stage) == ("AUTHORIZED", Decimal("85.00"), "AUTHORIZED")
    assert (row.status, row.method, row.authorized_by) == ("APPROVED", "IN_PERSON_PHYSICAL_SIGNATURE", "沈示例")


def test_booked_work_comes_along_and_maintenance_needs_no_diagnosis(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False, operation_uids=[operation("MT-20").uid])
    line = order.lines.get()
    assert (line.operation.code, line.labor_amount) == ("MT-20", Decimal("153.00"))
    assert orders.line_total(line) == Decimal("686.00")  # 153 + 4 × 68 + 45 + 98 + 118


def test_a_car_that_is_charged_gets_the_high_voltage_diagnosis(shop: Shop) -> None:
    visit = make_received_visit(shop)
    visit.vehicle.powertrain = "BEV"
    visit.vehicle.save(update_fields=["powertrain"])
    assert make_order(shop, visit=visit).lines.get().operation.code == "DG-40"


def test_no_order_before_the_signature(shop: Shop) -> None:
    from reception.services import visits

    visit = visits.register_arrival(
        contact_name="沈示例",
        contact_phone="13900001111",
        model_text="锐放",
        need="异响",
        plate="京C00001",
        by=shop.advisor,
    )
    before = nothing_written()
    with rule("order.visit"):
        orders.open_repair_order(visit_uid=visit.uid, complaint="异响", by=shop.advisor)
    assert nothing_written() == before
    assert not Counter.objects.filter(kind="RO").exists()


def test_opening_refuses_an_empty_complaint_and_who_may_not(shop: Shop) -> None:
    visit = make_received_visit(shop)
    before = nothing_written()
    with rule("order.complaint"):
        orders.open_repair_order(visit_uid=visit.uid, complaint="  ", by=shop.advisor)
    with pytest.raises(NotAllowed):
        orders.open_repair_order(visit_uid=visit.uid, complaint="x", by=make_actor("cashier", store=shop.store))
    assert nothing_written() == before


def test_rework_names_an_order_of_the_same_car(shop: Shop) -> None:
    first, other = make_order(shop), make_order(shop)
    with rule("order.original"):
        orders.open_repair_order(visit_uid=first.visit.uid, complaint="又响了", kind="REWORK", by=shop.advisor)
    with rule("order.original"):
        orders.open_repair_order(
            visit_uid=first.visit.uid, complaint="又响了", kind="REWORK", original_uid=other.uid, by=shop.advisor
        )
    again = orders.open_repair_order(
        visit_uid=first.visit.uid, complaint="又响了", kind="REWORK", original_uid=first.uid, by=shop.advisor
    )
    assert again.original == first
    assert again.lines.get().pay_type == "INTERNAL"


def test_a_foreign_stores_visit_isnt_there(shop: Shop) -> None:
    from reception.models import Visit

    visit = make_received_visit(shop)
    stranger = make_shop()
    with pytest.raises(Visit.DoesNotExist):
        orders.open_repair_order(visit_uid=visit.uid, complaint="x", by=stranger.advisor)


# --- lines and parts ---


def test_an_operation_brings_its_parts(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "BR-20")
    assert orders.line_total(line) == Decimal("1426.00")  # 1.8 h × 170 + 560 + 2 × 280
    assert [(p.part.number, p.quantity) for p in line.part_lines.all()] == [
        ("BRK-PAD-F", Decimal("1.00")),
        ("BRK-DISC-F", Decimal("2.00")),
    ]
    assert (line.is_safety, line.is_addition, line.position) == (True, False, 2)


def test_free_words_and_a_part_the_customer_brings(shop: Shop) -> None:
    order = make_order(shop)
    line = orders.add_line(order_uid=order.uid, description="检查天窗排水", hours=Decimal("0.4"), by=shop.advisor)
    own = orders.add_part(
        line_uid=line.uid,
        part_uid=part("WIP-PAIR-01").uid,
        quantity=Decimal(1),
        kind="CUSTOMER_SUPPLIED",
        by=shop.advisor,
    )
    assert (line.labor_amount, own.amount) == (Decimal("68.00"), Decimal("0.00"))
    with rule("line.description"):
        orders.add_line(order_uid=order.uid, by=shop.advisor)
    with rule("line.hours"):
        orders.add_line(order_uid=order.uid, description="x", hours=Decimal("-1"), by=shop.advisor)
    with rule("part.quantity"):
        orders.add_part(line_uid=line.uid, part_uid=part("WIP-PAIR-01").uid, quantity=Decimal(0), by=shop.advisor)
    assert order.lines.count() == 2


def test_a_technician_may_propose_but_not_price(shop: Shop) -> None:
    order = make_order(shop, diagnosis_agreed_by="沈示例", signed_on_paper=True)
    technician = make_actor("technician", store=shop.store)
    line = orders.add_line(order_uid=order.uid, operation_uid=operation("CH-10").uid, by=technician)
    assert line.is_addition is False  # so far only the diagnosis is agreed to
    with pytest.raises(NotAllowed):
        orders.change_line(line_uid=line.uid, hours=Decimal("2"), by=technician)
    order.refresh_from_db()
    assert order.stage == "AUTHORIZED"  # an undecided addition never stops agreed work


def test_what_comes_after_agreed_work_is_an_addition_and_stops_nothing(shop: Shop) -> None:
    order = make_order(shop)
    add_operation(shop, order, "MT-10")
    agree_all(shop, order)
    assert add_operation(shop, order, "CH-10").is_addition is True
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    order.refresh_from_db()
    assert order.stage == "AUTHORIZED"


def test_changing_hours_prices_anew_and_an_asked_line_goes_back(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "CH-10")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    changed = orders.change_line(line_uid=line.uid, hours=Decimal("2.00"), cause="胶套开裂", by=shop.advisor)
    assert (changed.state, changed.labor_amount, changed.cause) == ("DRAFT", Decimal("340.00"), "胶套开裂")
    with rule("line.unchanged"):
        orders.change_line(line_uid=line.uid, hours=Decimal("2.00"), by=shop.advisor)


def test_an_agreed_line_keeps_its_price_but_takes_the_cause(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "CH-10")
    agree_all(shop, order)
    with rule("line.agreed"):
        orders.change_line(line_uid=line.uid, hours=Decimal("9"), by=shop.advisor)
    with rule("line.agreed"):
        orders.add_part(line_uid=line.uid, part_uid=part("WIP-PAIR-01").uid, quantity=Decimal(1), by=shop.advisor)
    with rule("line.agreed"):
        orders.remove_part(part_line_uid=line.part_lines.get().uid, by=shop.advisor)
    done = orders.change_line(line_uid=line.uid, cause="老化", by=shop.advisor)
    assert (done.cause, done.state, done.hours) == ("老化", "AUTHORIZED", Decimal("1.20"))


def test_parts_change_before_the_yes(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "BR-20")
    pad, disc = line.part_lines.all()
    assert orders.change_part(part_line_uid=disc.uid, quantity=Decimal("1"), by=shop.advisor).amount == Decimal(
        "280.00"
    )
    orders.remove_part(part_line_uid=pad.uid, by=shop.advisor)
    assert orders.line_total(OrderLine.objects.get(pk=line.pk)) == Decimal("586.00")
    assert codes(order)[-2:] == ["workshop.part.changed", "workshop.part.removed"]


def test_a_line_is_cancelled_with_a_reason_before_the_yes_only(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "EL-10")
    with rule("line.reason"):
        orders.cancel_line(line_uid=line.uid, reason=" ", by=shop.advisor)
    assert orders.cancel_line(line_uid=line.uid, reason="写错了", by=shop.advisor).state == "CANCELLED"
    agree_all(shop, order)
    with rule("state.move"):
        orders.cancel_line(line_uid=order.lines.first().uid, reason="x", by=shop.advisor)


# --- the estimate ---


def test_an_estimate_locks_what_is_asked_and_tells_the_customer(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "BR-20", extra_minutes=50)
    estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert (estimate.number, estimate.total) == (1, Decimal("1511.00"))
    assert estimate.seen_hash == rules.content_hash(estimate.content)
    assert [entry["total"] for entry in estimate.content["lines"]] == ["85.00", "1426.00"]
    assert estimate.content["lines"][1]["parts"][0]["kind"] == "GENUINE"
    line.refresh_from_db()
    order.refresh_from_db()
    assert (line.state, order.stage) == ("PENDING", "AWAITING_AUTHORIZATION")
    message = Message.objects.get(template="workshop.estimate")
    assert f"/v/{order.visit.link.token}/" in message.body
    assert "1,511.00" in message.body
    assert codes(order)[-1] == "workshop.repair_order.estimate_sent"
    with rule("estimate.empty"):
        orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert Estimate.objects.count() == 1


def test_what_the_maker_pays_needs_no_yes(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    line = add_operation(shop, order, "EN-30", pay_type="WARRANTY")
    estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    line.refresh_from_db()
    assert (line.state, line.rate, estimate.total) == ("AUTHORIZED", Decimal("136.00"), Decimal("0.00"))
    assert Authorization.objects.get().status == "NOT_REQUIRED"
    assert not Message.objects.filter(template="workshop.estimate").exists()


def test_an_unpriced_line_isnt_sent(shop: Shop) -> None:
    order = make_order(shop)
    orders.add_line(order_uid=order.uid, description="漏水点查找", by=shop.advisor)
    before = nothing_written()
    with rule("line.unpriced"):
        orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert nothing_written() == before


def test_history_has_no_names_or_words(shop: Shop) -> None:
    order = make_order(shop, complaint="刹车异响", diagnosis_agreed_by="沈示例", signed_on_paper=True)
    add_operation(shop, order, "BR-20", complaint="前面响", cause="盘厚不足")
    agree_all(shop, order)
    for line in History.objects.filter(order_uid=order.uid):
        assert "沈" not in f"{line.facts}{line.changed}"
        assert "响" not in f"{line.facts}{line.changed}"


# --- discounts ---


def test_a_small_discount_is_given_a_large_one_is_asked(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "BR-20")
    given = orders.discount_line(line_uid=line.uid, amount=Decimal("15.30"), reason="老客户", by=shop.advisor)
    assert (given.labor_amount, given.discount) == (Decimal("290.70"), Decimal("15.30"))
    asked = orders.discount_line(line_uid=line.uid, amount=Decimal("100"), reason="等待过久", by=shop.advisor)
    assert isinstance(asked, Approval)
    line.refresh_from_db()
    assert line.discount == Decimal("15.30")
    decide_approval(uid=asked.uid, approve=True, by=shop.manager)
    outbox.drain()
    line.refresh_from_db()
    assert (line.discount, line.labor_amount) == (Decimal("100.00"), Decimal("206.00"))


def test_a_refused_discount_isnt_given_and_a_late_one_lapses(shop: Shop) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "BR-20")
    asked = orders.discount_line(line_uid=line.uid, amount=Decimal("100"), reason="等待过久", by=shop.advisor)
    decide_approval(uid=asked.uid, approve=False, by=shop.manager)
    again = orders.discount_line(line_uid=line.uid, amount=Decimal("90"), reason="等待过久", by=shop.advisor)
    agree_all(shop, order)
    decide_approval(uid=again.uid, approve=True, by=shop.manager)
    outbox.drain()
    line.refresh_from_db()
    assert (line.discount, line.authorized_amount) == (Decimal("0.00"), Decimal("1426.00"))
    assert codes(order)[-1] == "workshop.line.discount_lapsed"


def test_a_discount_has_bounds_and_a_reason(shop: Shop) -> None:
    line = add_operation(shop, make_order(shop), "BR-20")
    for amount in (Decimal("-1"), Decimal("306.01")):
        with rule("discount.amount"):
            orders.discount_line(line_uid=line.uid, amount=amount, reason="x", by=shop.advisor)
    with rule("discount.reason"):
        orders.discount_line(line_uid=line.uid, amount=Decimal("1"), reason="", by=shop.advisor)
    with pytest.raises(NotAllowed):
        orders.discount_line(
            line_uid=line.uid, amount=Decimal("1"), reason="x", by=make_actor("cashier", store=shop.store)
        )
    assert not Approval.objects.exists()


# --- withdrawing ---


def test_an_order_nobody_agreed_to_is_cancelled(shop: Shop) -> None:
    order = make_order(shop)
    with rule("order.reason"):
        orders.withdraw_order(order_uid=order.uid, reason="", by=shop.advisor)
    done = orders.withdraw_order(order_uid=order.uid, reason="客户不修了", by=shop.advisor)
    assert (done.stage, done.lines.get().state) == ("CANCELLED", "CANCELLED")
    with rule("order.ended"):
        orders.add_line(order_uid=order.uid, description="x", by=shop.advisor)
    with rule("order.ended"):
        orders.withdraw_order(order_uid=order.uid, reason="又一次", by=shop.advisor)


def test_a_withdrawn_line_costs_what_was_done(shop: Shop) -> None:
    from workshop.models import Clocking

    order = make_order(shop)
    line = add_operation(shop, order, "BR-20")
    agree_all(shop, order)
    start = clock.now() - timedelta(minutes=27)
    work = Clocking.objects.create(store=shop.store, employee=shop.employee, line=line, started_at=start)
    pad, _disc = line.part_lines.all()
    PartLine.objects.filter(pk=pad.pk).update(issued_quantity=1)
    OrderLine.objects.filter(pk=line.pk).update(state="IN_PROGRESS")
    with rule("line.clocked_on"):
        orders.withdraw_line(line_uid=line.uid, reason="客户改主意", by=shop.advisor)
    Clocking.objects.filter(pk=work.pk).update(ended_at=start + timedelta(minutes=27))
    done = orders.withdraw_line(line_uid=line.uid, reason="客户改主意", by=shop.advisor)
    assert (done.state, done.hours, done.labor_amount) == ("WITHDRAWN", Decimal("0.45"), Decimal("76.50"))
    assert orders.line_total(OrderLine.objects.get(pk=line.pk)) == Decimal("636.50")
    assert [p.part.number for p in done.part_lines.all()] == ["BRK-PAD-F"]
    assert codes(order)[-1] == "workshop.line.withdrawn"


def test_a_withdrawn_order_with_agreed_work_is_settled_for_what_was_done(shop: Shop) -> None:
    order = make_order(shop)
    add_operation(shop, order, "EL-10")
    agree_all(shop, order)
    add_operation(shop, order, "CH-10")
    done = orders.withdraw_order(order_uid=order.uid, reason="客户不修了", by=shop.advisor)
    assert sorted(done.lines.values_list("state", flat=True)) == ["CANCELLED", "WITHDRAWN", "WITHDRAWN"]
    assert done.stage == "READY"
    assert {orders.line_total(line) for line in done.lines.filter(state="WITHDRAWN")} == {Decimal("0.00")}


# --- promises ---


def test_a_new_promise_tells_the_customer_and_moves_the_visit(shop: Shop) -> None:
    order = make_order(shop)
    later = clock.now() + timedelta(hours=3)
    orders.change_promise(order_uid=order.uid, promised_at=later, reason="等待配件", by=shop.advisor)
    order.refresh_from_db()
    order.visit.refresh_from_db()
    assert order.promised_at == order.visit.promised_at == later
    change = order.promise_changes.get()
    assert (change.before, change.after, change.reason, change.told) == (None, later, "等待配件", "MESSAGE")
    assert "等待配件" in Message.objects.get(template="workshop.promise").body
    orders.change_promise(
        order_uid=order.uid,
        promised_at=later + timedelta(hours=1),
        reason="x",
        told="PHONE",
        told_to="示例客户",
        by=shop.advisor,
    )
    assert Message.objects.filter(template="workshop.promise").count() == 1


def test_a_promise_has_a_reason_and_lies_ahead(shop: Shop) -> None:
    order = make_order(shop)
    later = clock.now() + timedelta(hours=3)
    before = nothing_written()
    with rule("promise.reason"):
        orders.change_promise(order_uid=order.uid, promised_at=later, reason=" ", by=shop.advisor)
    with rule("promise.past"):
        orders.change_promise(
            order_uid=order.uid, promised_at=clock.now() - timedelta(hours=1), reason="x", by=shop.advisor
        )
    assert nothing_written() == before


# --- races ---


def run_together(*jobs) -> list[str]:
    """Runs each job in its own connection at once; what each ended with."""
    ends: list[str] = []
    gate = threading.Barrier(len(jobs))

    def run(job) -> None:
        try:
            gate.wait(timeout=20)
            job()
            ends.append("done")
        except RuleError as refusal:
            ends.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=40)
    return sorted(ends)


@pytest.mark.django_db(transaction=True)
def test_a_line_added_while_the_estimate_is_sent_is_in_it_or_after_it() -> None:
    shop = make_shop()
    order = make_order(shop)
    ends = run_together(
        lambda: orders.send_estimate(order_uid=order.uid, by=shop.advisor),
        lambda: add_operation(shop, order, "EL-10"),
    )
    assert ends == ["done", "done"]
    asked = {entry["uid"] for entry in Estimate.objects.get().content["lines"]}
    pending = {str(uid) for uid in order.lines.filter(state="PENDING").values_list("uid", flat=True)}
    assert asked == pending  # nobody is asked about a line that isn't in the locked version


@pytest.mark.django_db(transaction=True)
def test_two_estimates_at_once_one_is_sent() -> None:
    shop = make_shop()
    order = make_order(shop)
    send = lambda: orders.send_estimate(order_uid=order.uid, by=shop.advisor)  # noqa: E731
    assert run_together(send, send) == ["done", "estimate.empty"]
    assert Estimate.objects.count() == 1


def test_what_others_pay_is_free_on_the_customers_page_and_no_decision_of_theirs(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    add_operation(shop, order, "BR-10")
    recalled = add_operation(shop, order, "AC-10", pay_type="WARRANTY")
    agree_all(shop, order)
    campaign = Campaign.objects.create(
        number="ZH-T-01", kind="RECALL", title="空调管路", measure="更换", operation=recalled.operation,
        starts_on=clock.today(),
    )  # fmt: skip
    CampaignVehicle.objects.create(campaign=campaign, vin=order.vehicle.vin, line=recalled)
    rows = decided_for_customer(order.visit_id, shop.advisor)
    assert [(row.free, row.counts) for row in rows] == [(False, True), (True, False)]
    page = Client().get(reverse("visit-link", args=[order.visit.link.token])).content.decode()
    asked, free = page.index("您已决定的项目"), page.index("不收您费用的项目")
    assert free < asked
    assert "召回 ZH-T-01 · 厂家承担" in page[free:asked]
    assert recalled.said in page[free:asked]
    assert recalled.said not in page[asked : page.index("已同意合计")]


def test_a_customer_who_reads_english_sees_what_the_work_and_the_parts_are_called(shop: Shop) -> None:
    order = make_order(shop, with_diagnosis=False)
    add_operation(shop, order, "BR-10")
    own = orders.add_line(order_uid=order.uid, description="检查天窗排水", hours=Decimal("0.4"), by=shop.advisor)
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    with translation.override("en"):
        [asked] = asked_of(order.visit_id, shop.advisor)
        assert [line.description for line in asked.lines] == ["Front brake pad replacement", own.description]
        assert [p.name for p in asked.lines[0].parts] == ["Front brake pads"]
    order = make_order(shop, with_diagnosis=False)
    add_operation(shop, order, "BR-10")
    orders.add_line(order_uid=order.uid, description=own.description, hours=Decimal("0.4"), by=shop.advisor)
    agree_all(shop, order)
    with translation.override("en"):
        assert [row.line.said for row in decided_for_customer(order.visit_id, shop.advisor)] == [
            "Front brake pad replacement",
            own.description,
        ]
    with translation.override("zh-hans"):
        assert decided_for_customer(order.visit_id, shop.advisor)[0].line.said == "前制动片更换"
