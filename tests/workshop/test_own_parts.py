"""3.2: a part that the customer brings is looked at before it is fitted; refused, or seen by nobody, it isn't."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from compliance.documents import _brought
from compliance.order_file import _lines
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.floor import Floor, actor, clock_at, make_floor
from tests.factories.kernel import make_actor
from tests.factories.reception import make_picture, rule
from tests.factories.workshop import agree_all, make_order, part
from workshop.models import OrderLine, PartLine
from workshop.own_part_models import OwnPartCheck
from workshop.selectors.orders import order_page
from workshop.services import clocking, orders, own_parts

pytestmark = pytest.mark.django_db
FIT: dict[str, Any] = {"condition": "NEW", "packaging": "SEALED", "damaged": False, "fits": True}
BROKEN: dict[str, Any] = {"condition": "USED", "packaging": "NONE", "damaged": True, "fits": True, "note": "支架断裂"}


@pytest.fixture
def floor() -> Floor:
    return make_floor()


def brought(floor: Floor, quantity: int = 1) -> PartLine:
    """Wipers that the customer brings for a line of an order."""
    order = make_order(floor.shop, with_diagnosis=False)
    line = orders.add_line(order_uid=order.uid, description="换雨刮", hours=D("0.5"), by=floor.shop.advisor)
    return orders.add_part(
        line_uid=line.uid, part_uid=part("WIP-PAIR-01").uid, quantity=D(quantity), kind="CUSTOMER_SUPPLIED",
        by=floor.shop.advisor,
    )  # fmt: skip


def check(floor: Floor, row: PartLine, **given: Any) -> OwnPartCheck:
    return own_parts.check_own_part(part_line_uid=row.uid, by=floor.shop.advisor, **(FIT | given))


def begun(floor: Floor, row: PartLine) -> Any:
    """The line is agreed to and somebody has worked on it."""
    agree_all(floor.shop, row.line.order)
    person = floor.technician()
    with clock_at(9):
        floor.give(row.line, person)
        clocking.clock_on(line_uid=row.line.uid, by=actor(person))
    return actor(person)


def finish(row: PartLine, by: Any) -> OrderLine:
    with clock_at(10):
        return clocking.finish_line(line_uid=row.line.uid, cause="老化", correction="已更换", by=by)


def test_who_looked_at_what_and_how_it_looked_is_kept(floor: Floor) -> None:
    row = brought(floor)
    made = check(floor, row, note=" 带发票 ", photo=make_picture("red"))
    assert (made.part, made.quantity, made.condition, made.packaging) == (row.part, D(1), "NEW", "SEALED")
    assert (made.accepted, made.note, made.checked_by) == (True, "带发票", floor.shop.employee)
    assert made.photo is not None
    said = History.objects.get(code="workshop.own_part.checked")
    assert (said.root_uid, said.order_uid) == (made.uid, row.line.order.uid)
    assert (said.facts["fits"], said.facts["damaged"]) == (True, False)
    assert "发票" not in f"{said.facts}"


def test_refusals(floor: Floor) -> None:
    row = brought(floor)
    for wrong in ({"damaged": True}, {"fits": False}):
        with rule("own_part.note"):
            check(floor, row, **wrong)
    with rule("own_part.choice"):
        check(floor, row, condition="NICE")
    with rule("part.quantity"):
        check(floor, row, quantity=D(0))
    ours = orders.add_part(line_uid=row.line.uid, part_uid=part("BRK-PAD-F").uid, quantity=D(1), by=floor.shop.advisor)
    with rule("own_part.none"):
        check(floor, ours)
    with pytest.raises(NotAllowed):
        own_parts.check_own_part(part_line_uid=row.uid, by=make_actor("cashier", store=floor.shop.store), **FIT)
    assert not OwnPartCheck.objects.exists()


def test_work_with_what_nobody_looked_at_isnt_done(floor: Floor, refused) -> None:
    row = brought(floor)
    person = begun(floor, row)
    with rule("own_part.unchecked"):
        finish(row, person)
    done = "UPDATE workshop_orderline SET state = 'COMPLETED', completed_at = now(), cause = 'x', correction = 'x' WHERE id = %s"
    with refused("orderline_own_parts_checked") as sql:
        sql(done, [row.line_id])
    with refused("partline_own_checked") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 1 WHERE id = %s", [row.pk])
    check(floor, row, **BROKEN)
    with rule("own_part.unchecked"):
        finish(row, person)
    with refused("orderline_own_parts_checked") as sql:
        sql(done, [row.line_id])
    with refused("partline_own_checked") as sql:
        sql("UPDATE workshop_partline SET issued_quantity = 1 WHERE id = %s", [row.pk])
    check(floor, row)  # another one was brought
    assert finish(row, person).state == "COMPLETED"
    with rule("own_part.none"):  # the work is done
        check(floor, row)


def test_all_of_it_is_brought(floor: Floor, refused) -> None:
    row = brought(floor, quantity=2)
    check(floor, row, quantity=D(1))
    person = begun(floor, row)
    with rule("own_part.unchecked"):
        finish(row, person)
    with refused("orderline_own_parts_checked") as sql:
        sql(
            "UPDATE workshop_orderline SET state = 'COMPLETED', completed_at = now(), cause = 'x', correction = 'x'"
            " WHERE id = %s",
            [row.line_id],
        )
    check(floor, row, quantity=D(2))
    assert finish(row, person).state == "COMPLETED"


def test_the_database_keeps_a_check_as_it_was_and_where_it_belongs(floor: Floor, refused) -> None:
    row = brought(floor)
    made = check(floor, row)
    with refused("ownpartcheck_append_only") as sql:
        sql("UPDATE workshop_ownpartcheck SET fits = false, note = 'x' WHERE id = %s", [made.pk])
    with refused("ownpartcheck_append_only") as sql:
        sql("DELETE FROM workshop_ownpartcheck WHERE id = %s", [made.pk])
    insert = (
        "INSERT INTO workshop_ownpartcheck (uid, version, created_at, updated_at, line_id, part_id, quantity, condition,"
        " packaging, damaged, fits, note, checked_by_id, checked_at)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'NEW', 'SEALED', %s, true, '', %s, now())"
    )
    who = floor.shop.employee.pk
    with refused("ownpartcheck_of_its_line") as sql:  # not what the customer brings
        sql(insert, [row.line_id, part("BRK-PAD-F").pk, 1, False, who])
    with refused("ownpartcheck_quantity") as sql:
        sql(insert, [row.line_id, row.part_id, 0, False, who])
    with refused("ownpartcheck_why_not") as sql:
        sql(insert, [row.line_id, row.part_id, 1, True, who])
    orders.cancel_line(line_uid=row.line.uid, reason="写错了", by=floor.shop.advisor)
    with refused("ownpartcheck_of_its_line") as sql:
        sql(insert, [row.line_id, row.part_id, 1, False, who])


def test_a_refused_part_comes_off_the_line_and_its_check_stays(floor: Floor) -> None:
    row = brought(floor)
    check(floor, row, **BROKEN)
    orders.remove_part(part_line_uid=row.uid, by=floor.shop.advisor)
    orders.add_part(line_uid=row.line.uid, part_uid=row.part.uid, quantity=D(1), by=floor.shop.advisor)
    person = begun(floor, row)
    assert OwnPartCheck.objects.filter(line=row.line_id).count() == 1
    with rule("line.parts_open"):  # ours is to be issued now
        finish(row, person)


def test_everybody_who_works_with_it_reads_it(floor: Floor, client: Client) -> None:
    row = brought(floor)
    order = row.line.order
    client.force_login(floor.shop.advisor.user)
    says = [str(said) for line in order_page(order.uid, floor.shop.advisor).rows for said in line.says]
    assert "客户自备的雨刮片（一对）装车前须检查" in says
    edit = client.get(reverse("line-edit", args=[row.line.uid])).content.decode()
    address = reverse("own-part-check", args=[row.uid])
    assert address in edit
    assert "未检查" in edit
    assert client.get(address).status_code == 200
    sent = {"condition": "USED", "packaging": "NONE", "fits": "no", "quantity": "1", "note": ""}
    wrong = client.post(address, sent)
    assert wrong.status_code == 422
    assert "不能装车" in wrong.content.decode()
    picture = make_picture("red")
    photo = SimpleUploadedFile("a.jpg", picture, content_type="image/jpeg")
    assert client.post(address, sent | {"note": "长度不对", "photo": photo}).status_code == 302
    made = OwnPartCheck.objects.get()
    assert client.get(reverse("own-part-photo", args=[made.uid])).status_code == 200
    assert "长度不对" in client.get(address).content.decode()
    person = begun(floor, row)
    client.force_login(person.user)
    assert "客户自备的雨刮片（一对）不得装车：长度不对" in client.get(reverse("my-jobs")).content.decode()
    keeper = make_actor("parts", store=floor.shop.store)
    client.force_login(keeper.user)
    page = client.get(reverse("order-parts", args=[order.uid])).content.decode()
    assert "长度不对" in page
    assert address in page
    client.force_login(make_actor("cashier", store=floor.shop.store).user)
    assert client.get(address).status_code == 403


def test_it_stands_in_the_file_of_the_order(floor: Floor) -> None:
    row = brought(floor)
    check(floor, row, **BROKEN)
    (kept,) = _lines(row.line.order)
    seen = kept["parts"][0]["looked_at"]
    assert (seen["fits"], seen["damaged"], seen["note"], seen["by"]) == (True, True, "支架断裂", "林示例")
    assert _brought(seen).startswith("用过, 无包装, 支架断裂 (林示例")


def test_another_system_writes_it_down(floor: Floor) -> None:
    row = brought(floor)
    caller = ApiCaller("workshop:write", store=floor.shop.store, acts_for=floor.shop.advisor.user)
    body = {"part_line_uid": str(row.uid), **FIT, "photo": b64encode(make_picture("red")).decode()}
    made = caller.post("own-part-checks", body)
    assert made.status_code == 201, made.content
    assert (made.json()["fits"], made.json()["labor_operation_uid"]) == (True, str(row.line.uid))
    problem(caller.post("own-part-checks", body | {"fits": False}), 409, "own_part.note")
