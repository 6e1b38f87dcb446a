"""What was taken apart and isn't repaired is put together again at the agreed price, once, whoever ends the work (3.2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import Floor, actor, clock_at, make_floor
from tests.factories.kernel import make_actor
from tests.factories.reception import rule
from tests.factories.workshop import YES, agree_all
from tests.workshop.test_reassembly import NO, decide, dismantling
from workshop.models import OrderLine, RepairOrder
from workshop.selectors.apart import falls_due
from workshop.selectors.orders import order_page
from workshop.services import authorizations, clocking, orders, reassembly

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def floor() -> Floor:
    return make_floor()


@pytest.fixture
def apart(floor: Floor) -> OrderLine:
    """A gearbox in pieces, put there for an agreed price; nothing was offered yet."""
    order, line = dismantling(floor)
    agree_all(floor.shop, order)
    person = floor.technician()
    with clock_at(9):
        floor.give(line, person)
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(10):
        clocking.finish_line(line_uid=line.uid, cause="离合器烧蚀", correction="拆检", by=actor(person))
    line.refresh_from_db()
    return line


def offer(floor: Floor, apart: OrderLine) -> OrderLine:
    found = orders.add_line(
        order_uid=apart.order.uid, description="更换离合器", hours=D(2), found_by_uid=apart.uid, by=floor.shop.advisor
    )
    orders.send_estimate(order_uid=apart.order.uid, by=floor.shop.advisor)
    return found


def together(apart: OrderLine) -> list[tuple[str, Decimal]]:
    rows = OrderLine.objects.filter(reassembles=apart).order_by("pk")
    return [(row.state, row.labor_amount) for row in rows]


def desk_of(floor: Floor) -> Client:
    desk = Client()
    desk.force_login(floor.shop.advisor.user)
    return desk


def test_it_is_put_together_where_nothing_was_offered(floor: Floor, apart: OrderLine) -> None:
    desk, by = desk_of(floor), floor.shop.advisor
    address = reverse("line-reassemble", args=[apart.uid])
    order = reverse("order-detail", args=[apart.order.uid])
    assert address in desk.get(order).content.decode()
    said = desk.get(address).content.decode()
    assert "¥320.00" in said
    assert "沈示例 已于" in said
    with pytest.raises(NotAllowed):
        reassembly.reassemble_line(line_uid=apart.uid, by=make_actor("parts", store=floor.shop.store))
    assert desk.post(address).status_code == 302
    assert together(apart) == [("AUTHORIZED", D("320.00"))]
    line = OrderLine.objects.get(reassembles=apart)
    yes, first = line.authorizations.get(), apart.authorizations.get()
    assert (yes.method, yes.estimate_id, yes.authorized_by, yes.amount) == (
        first.method, first.estimate_id, first.authorized_by, D("320.00"),
    )  # fmt: skip
    assert (line.cause, order_page(apart.order.uid, by).order.stage) == ("未维修，按约定装复。", "IN_WORK")
    assert address not in desk.get(order).content.decode()
    before = History.objects.count()
    with rule("line.reassembly"):  # once
        reassembly.reassemble_line(line_uid=apart.uid, by=by)
    assert History.objects.count() == before
    person = floor.technician(name="装试工")
    with clock_at(13):
        floor.give(line, person, start=(13, 0))
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(14):
        clocking.finish_line(line_uid=line.uid, correction="装复", by=actor(person))
    assert together(apart) == [("COMPLETED", D("320.00"))]


def test_a_repair_takes_its_place_before_it_is_begun_and_never_stands_beside_it(
    floor: Floor, apart: OrderLine, refused
) -> None:
    by = floor.shop.advisor
    found = offer(floor, apart)
    with rule("line.repair_asked"):
        reassembly.reassemble_line(line_uid=apart.uid, by=by)
    orders.cancel_line(line_uid=found.uid, reason="先不报价", by=by)
    reassembly.reassemble_line(line_uid=apart.uid, by=by)
    repair = offer(floor, apart)
    assert together(apart) == [("AUTHORIZED", D("320.00"))]  # it stands until the customer has answered
    with refused("orderline_repair_instead_of_reassembly") as sql:
        repair.authorizations.create(
            order=repair.order, line=repair, status="APPROVED", method="VERBAL_PHONE", authorized_by="沈示例", note="x",
            amount=orders.line_total(repair),
        )  # fmt: skip
        sql(
            "UPDATE workshop_orderline SET state = 'AUTHORIZED', authorized_amount = %s WHERE id = %s",
            [orders.line_total(repair), repair.pk],
        )
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    decide(floor, apart.order, {repair.uid: YES})
    assert together(apart) == [("WITHDRAWN", D("0.00"))]
    with rule("line.repair_agreed"):
        reassembly.reassemble_line(line_uid=apart.uid, by=by)
    with refused("orderline_reassembly_instead_of_repair"):
        OrderLine.objects.create(
            order=apart.order, position=9, description="x", hours=0, rate=0, labor_amount=0, reassembles=apart
        )


def test_ending_the_order_asks_and_charges_what_was_agreed(floor: Floor, apart: OrderLine) -> None:
    desk, order = desk_of(floor), apart.order
    other = orders.add_line(order_uid=order.uid, description="检查轮胎", hours=D(1), by=floor.shop.advisor)
    page = reverse("order-withdraw", args=[order.uid])
    asked = desk.get(page).content.decode()
    assert "已拆开：拆检变速箱。是否装复？" in asked
    assert "装复，按约定收取 ¥320.00" in asked
    assert list(desk.post(page, {"reason": "不修了"}).context["form"].errors) == ["reassembly"]
    with rule("line.apart"):
        orders.withdraw_order(order_uid=order.uid, reason="不修了", by=floor.shop.advisor)
    other.refresh_from_db()
    assert other.state == "DRAFT"
    assert desk.post(page, {"reason": "不修了", "reassembly": "CHARGED"}).status_code == 302
    order = RepairOrder.objects.get(pk=order.pk)
    other.refresh_from_db()
    assert (order.withdrawn_at, other.state, together(apart)) == (None, "CANCELLED", [("AUTHORIZED", D("320.00"))])
    # ended once more: what stands there already is kept, not ended and written anew
    done = orders.withdraw_order(order_uid=order.uid, reason="不修了", reassembly="CHARGED", by=floor.shop.advisor)
    assert (done.withdrawn_at, together(apart)) == (None, [("AUTHORIZED", D("320.00"))])


@pytest.mark.parametrize(("answer", "said"), [("FREE", "已装复，不收费"), ("APART", "按客户要求不装复")])
def test_what_isnt_charged_is_said_and_kept(floor: Floor, apart: OrderLine, answer: str, said: str, refused) -> None:
    order = apart.order
    orders.add_line(order_uid=order.uid, description="检查轮胎", hours=D(1), by=floor.shop.advisor)
    orders.withdraw_order(order_uid=order.uid, reason="不修了", reassembly=answer, by=floor.shop.advisor)
    apart.refresh_from_db()
    assert (apart.reassembly_answer, apart.state, together(apart)) == (answer, "COMPLETED", [])
    assert History.objects.filter(root_uid=apart.uid, code="workshop.line.left_apart").count() == 1
    assert said in desk_of(floor).get(reverse("order-detail", args=[order.uid])).content.decode()
    if answer == "FREE":
        with rule("line.reassembly"):
            reassembly.reassemble_line(line_uid=apart.uid, by=floor.shop.advisor)
        with refused("orderline_reassembly_instead_of_repair"):
            OrderLine.objects.create(
                order=order, position=9, description="x", hours=0, rate=0, labor_amount=0, reassembles=apart
            )
    else:  # the customer thinks better of it
        reassembly.reassemble_line(line_uid=apart.uid, by=floor.shop.advisor)
        apart.refresh_from_db()
        assert (apart.reassembly_answer, together(apart)) == ("", [("AUTHORIZED", D("320.00"))])
    other = orders.add_line(order_uid=order.uid, description="补漆", hours=D(1), by=floor.shop.advisor)
    with refused("orderline_reassembly_answer") as sql:
        sql("UPDATE workshop_orderline SET reassembly_answer = 'FREE' WHERE id = %s", [other.pk])


def test_ending_the_agreed_repair_asks_too(floor: Floor, apart: OrderLine) -> None:
    by = floor.shop.advisor
    repair = offer(floor, apart)
    decide(floor, apart.order, {repair.uid: YES})
    page = reverse("line-withdraw", args=[repair.uid])
    assert "是否装复" in desk_of(floor).get(page).content.decode()
    with rule("line.apart"):
        orders.withdraw_line(line_uid=repair.uid, reason="配件停产", by=by)
    orders.withdraw_line(line_uid=repair.uid, reason="配件停产", reassembly="CHARGED", by=by)
    assert together(apart) == [("AUTHORIZED", D("320.00"))]
    line = OrderLine.objects.get(reassembles=apart)
    with rule("line.apart"):  # this very line puts it together
        orders.withdraw_line(line_uid=line.uid, reason="x", reassembly="CHARGED", by=by)
    orders.withdraw_line(line_uid=line.uid, reason="已随车装回", reassembly="FREE", by=by)
    assert together(apart) == [("WITHDRAWN", D("0.00"))]


def test_a_taking_apart_that_is_ended_half_way(floor: Floor) -> None:
    order, line = dismantling(floor)
    agree_all(floor.shop, order)
    assert not orders.apart_after(OrderLine.objects.get(pk=line.pk))  # nothing lies in pieces yet
    person = floor.technician()
    with clock_at(9):
        floor.give(line, person)
        clocking.clock_on(line_uid=line.uid, by=actor(person))
    with clock_at(9, 30):
        clocking.clock_off(employee_uid=person.uid, pause_cause="CUSTOMER", by=actor(person))
    orders.withdraw_line(line_uid=line.uid, reason="不拆了", reassembly="CHARGED", by=floor.shop.advisor)
    line.refresh_from_db()
    assert (line.state, together(line)) == ("WITHDRAWN", [("AUTHORIZED", D("320.00"))])


def test_who_declines_reads_what_falls_due(floor: Floor, apart: OrderLine) -> None:
    found, more = offer(floor, apart), offer(floor, apart)
    due = falls_due(found)
    assert due is not None
    assert (due.price, due.agreed_by) == (D("320.00"), "沈示例")
    words, link = "装复费 ¥320.00 将计入（已于", apart.order.visit.link.token
    decided = desk_of(floor).get(reverse("order-decide", args=[apart.order.uid])).content.decode()
    public = Client().get(reverse("visit-link", args=[link])).content.decode()
    assert decided.count(words) == public.count(words) == 2
    decide(floor, apart.order, {found.uid: YES})
    assert falls_due(OrderLine.objects.get(pk=more.pk)) is None  # it is repaired
    decide(floor, apart.order, {more.uid: NO})
    revoke = desk_of(floor).get(reverse("line-revoke", args=[found.uid])).content.decode()
    changed = Client().get(reverse("visit-link-change", args=[link, found.uid])).content.decode()
    assert words in revoke
    assert words in changed
    authorizations.revoke_line(line_uid=found.uid, reason="不做了", by=floor.shop.advisor)
    assert together(apart) == [("AUTHORIZED", D("320.00"))]


def test_goodwill_that_goes_ahead_unasked_takes_its_place(floor: Floor, apart: OrderLine) -> None:
    found = orders.add_line(
        order_uid=apart.order.uid, description="更换离合器", hours=D(2), pay_type="WARRANTY", found_by_uid=apart.uid,
        by=floor.shop.advisor,
    )  # fmt: skip
    orders.cancel_line(line_uid=found.uid, reason="先装复", by=floor.shop.advisor)
    reassembly.reassemble_line(line_uid=apart.uid, by=floor.shop.advisor)
    orders.add_line(
        order_uid=apart.order.uid, description="更换离合器", hours=D(2), pay_type="WARRANTY", found_by_uid=apart.uid,
        by=floor.shop.advisor,
    )  # fmt: skip
    orders.send_estimate(order_uid=apart.order.uid, by=floor.shop.advisor)
    assert together(apart) == [("WITHDRAWN", D("0.00"))]


def test_another_system_puts_together_and_ends(floor: Floor, apart: OrderLine) -> None:
    api = ApiCaller("workshop:write", store=floor.shop.store, acts_for=floor.shop.advisor.user)
    path = f"repair-orders/{apart.order.uid}"
    orders.add_line(order_uid=apart.order.uid, description="检查轮胎", hours=D(1), by=floor.shop.advisor)
    problem(api.act(path, "withdraw", {"reason": "不修了"}), 409, "line.apart")
    made = api.act(f"labor-operations/{apart.uid}", "reassemble")
    assert made.status_code == 200
    assert "reassemble" in made.json()["transitions"]
    problem(api.act(f"labor-operations/{apart.uid}", "reassemble"), 409, "line.reassembly")
    assert api.act(path, "withdraw", {"reason": "不修了", "reassembly": "APART"}).status_code == 200
    apart.refresh_from_db()
    assert (apart.reassembly_answer, together(apart)) == ("APART", [("WITHDRAWN", D("0.00"))])
