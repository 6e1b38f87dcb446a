"""3.2: a part is lent for a day to be tried on a car; nobody else gets it, it comes back once or is issued to the order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.services.parts import set_tracing
from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RuleError
from dealership.kernel.models import History
from reception.models import Visit
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import make_floor
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop
from tests.workshop.test_returns import MOVE
from tests.workshop.test_stock import keeper, part_line, receive, shelf
from workshop.models import PartTrial, StockMovement
from workshop.selectors.trials import trials_out, trials_used
from workshop.services import stock, trials

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


def lend(shop, row, quantity=1, **facts):
    return trials.lend_part(
        part_uid=row.part.uid, order_uid=row.line.order.uid, employee_uid=shop.employee.uid, quantity=D(quantity),
        by=keeper(shop), **facts,
    )  # fmt: skip


def refusal_of(call, *args, **facts):
    before = (History.objects.count(), StockMovement.objects.count(), PartTrial.objects.count())
    with pytest.raises(RuleError) as refusal:
        call(*args, **facts)
    assert (History.objects.count(), StockMovement.objects.count(), PartTrial.objects.count()) == before
    return refusal.value.code


def test_what_is_lent_is_nobody_elses_and_comes_back_once(shop):
    row = part_line(shop)
    receive(shop, row.part, 2)
    trial = lend(shop, row)
    item = shelf(shop, row.part)
    assert (item.on_hand, item.reserved, trial.due_on) == (D(2), D(1), clock.today())
    assert refusal_of(stock.issue_part, part_line_uid=row.uid, by=keeper(shop)) == "stock.short"  # it needs both
    assert refusal_of(lend, shop, row, 2) == "stock.short"
    assert refusal_of(lend, shop, row, 0) == "stock.quantity"
    assert stock.reserve_part(part_line_uid=row.uid, by=keeper(shop)).reserved_quantity == D(1)
    trials.take_trial_back(uid=trial.uid, condition="UNOPENED", by=keeper(shop))
    assert refusal_of(trials.take_trial_back, uid=trial.uid, condition="UNOPENED", by=keeper(shop)) == "trial.ended"
    assert refusal_of(trials.issue_trial, uid=trial.uid, by=keeper(shop)) == "trial.ended"
    stock.issue_part(part_line_uid=row.uid, by=keeper(shop))
    assert (shelf(shop, row.part).on_hand, shelf(shop, row.part).reserved) == (D(0), D(0))


def test_what_stays_in_the_car_is_issued_to_the_agreed_line(shop):
    draft = part_line(shop, agreed=False)
    receive(shop, draft.part, 3)
    asked = lend(shop, draft, 2)
    assert refusal_of(trials.issue_trial, uid=asked.uid, by=keeper(shop)) == "trial.no_line"
    trials.take_trial_back(uid=asked.uid, condition="UNOPENED", by=keeper(shop))
    row = part_line(shop)
    trial = lend(shop, row, 2)
    assert trials.issue_trial(uid=trial.uid, by=keeper(shop)).state == "ISSUED"
    row.refresh_from_db()
    assert (row.issued_quantity, shelf(shop, row.part).on_hand, shelf(shop, row.part).reserved) == (D(2), D(1), D(0))
    with pytest.raises(NotAllowed):
        trials.take_trial_back(uid=trial.uid, condition="UNOPENED", by=shop.advisor)
    with pytest.raises(PartTrial.DoesNotExist):
        trials.take_trial_back(uid=trial.uid, condition="UNOPENED", by=keeper(make_shop()))


def test_it_is_overdue_on_the_next_day(shop):
    row = part_line(shop)
    receive(shop, row.part, 1)
    lend(shop, row)
    with clock.moved_to(clock.now() + timedelta(days=1)):
        assert [trial.late for trial in trials_out(keeper(shop))] == [True]


def test_a_traced_part_is_lent_by_its_number(shop, refused):
    row = part_line(shop)
    set_tracing(part_uid=row.part.uid, tracing="SERIAL", by=keeper(shop))
    receipt = {"part_uid": row.part.uid, "quantity": D(2), "unit_cost": D(9), "lots": ["S1", "S2"], "by": keeper(shop)}
    stock.receive_stock(**receipt)
    assert refusal_of(lend, shop, row) == "stock.lot_missing"
    assert refusal_of(lend, shop, row, lot="S9") == "stock.lot_unknown"
    lend(shop, row, lot="s1")
    other = part_line(shop, quantity=D(1))
    assert refusal_of(stock.issue_part, part_line_uid=other.uid, lots=["S1"], by=keeper(shop)) == "stock.lot_short"
    assert refusal_of(lend, shop, row, lot="S1") == "stock.lot_unknown"
    lot = shelf(shop, row.part).lots.get(code="S1")
    with refused("stocklot_trials_stay") as sql:
        sql(
            MOVE.replace("part_line_id,", "lot_id, part_line_id,").replace("%s, %s, %s, %s,", "%s, %s, %s, %s, %s,", 1),
            [shop.store.pk, lot.item_id, lot.item.bins.get().pk, lot.pk, other.pk, None, "ISSUE", -1],
        )


def test_the_database_keeps_what_is_lent(shop, refused):
    row = part_line(shop)
    receive(shop, row.part, 1)
    trial = lend(shop, row)
    item = shelf(shop, row.part)
    where = [shop.store.pk, item.pk, item.bins.get().pk, row.pk, None]
    insert = (
        "INSERT INTO workshop_parttrial (uid, version, created_at, updated_at, store_id, item_id, order_id, employee_id,"
        " quantity, state, lent_at, due_on, condition, reason) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s,"
        " %s, 'OUT', now(), '2026-01-01', '', '')"
    )
    elsewhere = part_line(make_shop())
    mine = [shop.store.pk, item.pk, row.line.order.pk, shop.employee.pk]
    for rule, statement, values in (
        ("stockitem_not_negative", MOVE, [*where, "ISSUE", -1]),
        ("stockitem_trials_stay", "UPDATE workshop_stockitem SET reserved = 0 WHERE id = %s", [item.pk]),
        ("stockitem_not_negative", insert, [*mine, 1]),
        ("parttrial_quantity", insert, [*mine, 0]),
        ("parttrial_of_its_store", insert, [*mine[:2], elsewhere.line.order.pk, mine[3], 1]),
        ("parttrial_fixed", "UPDATE workshop_parttrial SET quantity = 2", []),
        ("parttrial_ended", "UPDATE workshop_parttrial SET state = 'BACK', condition = 'UNOPENED'", []),
        ("parttrial_never_deleted", "DELETE FROM workshop_parttrial", []),
    ):
        with refused(rule) as sql:
            sql(statement, values)
    trials.take_trial_back(uid=trial.uid, condition="UNOPENED", by=keeper(shop))
    with refused("parttrial_moves") as sql:
        sql("UPDATE workshop_parttrial SET state = 'OUT', ended_at = NULL", [])
    assert shelf(shop, row.part).reserved == D(0)


def test_the_keeper_lends_and_takes_back_on_one_page(db):
    floor = make_floor()
    shop, technician = floor.shop, floor.hire("technician")
    row = part_line(shop)
    receive(shop, row.part, 2)
    client, page = Client(), reverse("part-trials")
    client.force_login(make_actor("parts", store=shop.store).user)
    body = {
        "code": row.part.number.lower(),
        "quantity": "1",
        "order_uid": row.line.order.uid,
        "employee_uid": technician.uid,
    }
    assert client.post(page, body | {"code": "NO-SUCH"}).status_code == 422
    assert client.post(page, body | {"quantity": "9"}).status_code == 422
    assert client.post(page, body).headers["Location"] == page
    trial = PartTrial.objects.get()
    back = reverse("part-trial-back", args=[trial.uid])
    assert back in client.get(page).content.decode()
    assert page in client.get(reverse("today")).content.decode()
    assert page in client.get(reverse("parts-board")).content.decode()
    assert "未拆封" in client.get(back).content.decode()
    assert client.post(back).status_code == 422
    assert client.post(back, {"condition": "OPENED"}).status_code == 422  # nobody said why
    assert client.post(back, {"condition": "UNOPENED"}).headers["Location"] == page
    client.post(page, body)
    assert '<th scope="col">下一步</th>' in client.get(page).content.decode()
    issue = reverse("part-trial-issue", args=[PartTrial.objects.latest("id").uid])
    assert client.post(issue).headers["Location"] == page
    row.refresh_from_db()
    assert (row.issued_quantity, Visit.objects.count() > 0) == (D(1), True)
    client.post(page, body)
    client.force_login(make_actor("technician", store=shop.store).user)
    seen = client.get(page).content.decode()
    assert row.part.number in seen
    assert back not in seen
    assert "下一步" not in seen  # nothing to press, no empty column


def test_what_comes_back_opened_or_fitted_is_no_longer_stock(shop, refused):
    row = part_line(shop)
    receive(shop, row.part, 3)
    trial = lend(shop, row, 2)
    facts = {"uid": trial.uid, "by": keeper(shop)}
    assert refusal_of(trials.take_trial_back, condition="NEW", **facts) == "trial.condition"
    assert refusal_of(trials.take_trial_back, condition="OPENED", reason=" ", **facts) == "trial.reason"
    back = "UPDATE workshop_parttrial SET state = 'BACK', ended_at = now(), "
    with refused("parttrial_condition_said") as sql:
        sql(back + "reason = 'x'", [])
    with refused("parttrial_reason") as sql:
        sql(back + "condition = 'FITTED'", [])
    with refused("parttrial_off_the_shelf") as sql:
        sql(back + "condition = 'FITTED', reason = 'x'", [])
        sql("SET CONSTRAINTS ALL IMMEDIATE", [])
    item = shelf(shop, row.part)
    tried = (
        "INSERT INTO workshop_stockmovement (uid, version, created_at, updated_at, store_id, item_id, place_id, trial_id, kind,"
        " quantity, unit_cost, reason, at) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, %s, 'TRIED', -1, 0, 'x', now())"
    )
    with refused("stockmovement_of_its_trial") as sql:  # it is still being tried
        sql(tried, [shop.store.pk, item.pk, item.bins.get().pk, trial.pk])
    trials.take_trial_back(condition="FITTED", reason="装车试过，故障不在此件", **facts)
    item.refresh_from_db()
    assert (item.on_hand, item.reserved) == (D(1), D(0))
    [moved] = StockMovement.objects.filter(kind="TRIED")
    assert (moved.quantity, moved.trial, moved.reason) == (D(-2), trial, "装车试过，故障不在此件")
    assert [used.pk for used in trials_used(keeper(shop))] == [trial.pk]
    assert History.objects.filter(code="workshop.part_trial.used").count() == 1
    with refused("parttrial_condition_said") as sql:
        sql("UPDATE workshop_parttrial SET condition = 'UNOPENED'", [])
    client = Client()
    client.force_login(keeper(shop).user)
    assert "故障不在此件" in client.get(reverse("parts-board") + "?show=OLD").content.decode()


def test_a_tried_piece_with_a_number_leaves_by_it(shop):
    row = part_line(shop)
    set_tracing(part_uid=row.part.uid, tracing="SERIAL", by=keeper(shop))
    stock.receive_stock(part_uid=row.part.uid, quantity=D(2), unit_cost=D(9), lots=["S1", "S2"], by=keeper(shop))
    trial = lend(shop, row, lot="S1")
    trials.take_trial_back(uid=trial.uid, condition="OPENED", reason="已拆封", by=keeper(shop))
    assert {lot.code: lot.on_hand for lot in shelf(shop, row.part).lots.all()} == {"S1": D(0), "S2": D(1)}


def test_another_system_lends_and_takes_back(shop):
    row = part_line(shop)
    receive(shop, row.part, 2)
    caller = ApiCaller("workshop:write", store=shop.store)
    body = {
        "part_uid": str(row.part.uid), "repair_order_uid": str(row.line.order.uid),
        "technician_uid": str(shop.employee.uid), "quantity": "2.00",
    }  # fmt: skip
    made = caller.post("part-trials", body)
    assert made.status_code == 201, made.content
    problem(caller.post("part-trials", body), 409, "stock.short")
    assert caller.act(f"part-trials/{made.json()['uid']}", "issue").json()["state"] == "ISSUED"
