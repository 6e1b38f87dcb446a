"""Pages of repair orders and the customer's decision on the link, as plain forms without JavaScript (3.2, 1.3)."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from dealership.catalogue.models import Operation
from dealership.kernel.models import Approval, History, User
from dealership.kernel.signatures import EMPTY_PAD
from reception.services.merging import merge_customers
from tests.factories.kernel import make_actor, make_user
from tests.factories.reception import make_customer, make_picture
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
from workshop.models import Authorization, OrderLine, RepairOrder
from workshop.services import orders

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def desk(shop: Shop) -> Client:
    client = Client()
    client.force_login(shop.advisor.user)
    return client


@pytest.fixture
def asked(shop: Shop) -> RepairOrder:
    order = make_order(shop)
    add_operation(shop, order, "BR-20", cause="盘厚不足")
    add_operation(shop, order, "EL-10")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    return RepairOrder.objects.get(pk=order.pk)


def page(name: str, *args) -> str:
    return reverse(name, args=args)


# --- at the desk ---


def test_an_order_is_opened_from_the_visit(shop: Shop, desk: Client) -> None:
    visit = make_received_visit(shop)
    assert page("order-open", visit.uid) in desk.get(page("visit-detail", visit.uid)).content.decode()
    form = desk.get(page("order-open", visit.uid))
    assert "刹车异响" in form.content.decode()
    assert "85.00" in form.content.decode()
    sent = {"complaint": "刹车异响", "kind": "CUSTOMER", "with_diagnosis": "on", "form_token": uuid4()}
    answer = desk.post(page("order-open", visit.uid), sent)
    order = RepairOrder.objects.get()
    assert answer.headers["Location"] == page("order-detail", order.uid)
    assert desk.post(page("order-open", visit.uid), sent).headers["Location"] == page("order-detail", order.uid)
    assert RepairOrder.objects.count() == 1  # the same form sent twice opens one order
    assert order.number in desk.get(page("visit-detail", visit.uid)).content.decode()


def test_a_typed_name_alone_is_no_signature_on_paper(shop: Shop, desk: Client) -> None:
    visit = make_received_visit(shop)
    sent = {"complaint": "刹车异响", "kind": "CUSTOMER", "with_diagnosis": "on", "diagnosis_agreed_by": "沈示例"}
    refused = desk.post(page("order-open", visit.uid), sent | {"signature": EMPTY_PAD})
    assert refused.status_code == 422
    assert "请客户在此签字" in refused.content.decode()
    drawn = "data:image/png;base64," + b64encode(make_picture(kind="PNG")).decode()
    nameless = desk.post(page("order-open", visit.uid), sent | {"diagnosis_agreed_by": "", "signature": drawn})
    assert nameless.status_code == 422
    assert not RepairOrder.objects.exists()
    assert desk.post(page("order-open", visit.uid), sent | {"signature": drawn}).status_code == 302
    assert Authorization.objects.get().method == "IN_PERSON_DIGITAL_SIGNATURE"
    on_paper = sent | {"complaint": "还有异响", "signed_on_paper": "on"}
    assert desk.post(page("order-open", visit.uid), on_paper).status_code == 302
    assert Authorization.objects.order_by("-pk")[0].method == "IN_PERSON_PHYSICAL_SIGNATURE"


def test_a_refusal_keeps_what_was_typed(shop: Shop, desk: Client) -> None:
    visit = make_received_visit(shop)
    answer = desk.post(page("order-open", visit.uid), {"complaint": "又来了", "kind": "REWORK", "with_diagnosis": "on"})
    assert answer.status_code == 422
    assert "又来了" in answer.content.decode()
    assert not RepairOrder.objects.exists()


def test_lines_are_added_found_changed_and_taken_off(shop: Shop, desk: Client) -> None:
    order = make_order(shop)
    found = desk.get(page("line-new", order.uid), {"q": "sldw"}, headers={"HX-Request": "true"}).content.decode()
    assert "AL-10" in found
    assert "<html" not in found
    chosen = operation("BR-20").uid
    kept = desk.get(page("line-new", order.uid), {"q": "sldw", "operation": chosen}, headers={"HX-Request": "true"})
    assert f'value="{chosen}" checked' in kept.content.decode()
    first = desk.get(page("line-new", order.uid)).content.decode()
    assert (first.count('name="operation"'), "全部显示" in first) == (21, True)
    whole = desk.get(page("line-new", order.uid), {"all": "1"}).content.decode()
    assert (whole.count('name="operation"'), "全部显示" in whole) == (1 + Operation.objects.count(), False)
    desk.post(
        page("line-new", order.uid), {"operation": operation("BR-20").uid, "pay_type": "CUSTOMER_PAY", "cause": "磨损"}
    )
    line = order.lines.get(operation__code="BR-20")
    assert (line.cause, orders.line_total(line)) == ("磨损", Decimal("1426.00"))
    desk.post(
        page("line-new", order.uid),
        {"description": "检查天窗", "hours": "0.4", "pay_type": "CUSTOMER_PAY", "category": "MINOR"},
    )
    assert order.lines.get(description="检查天窗").labor_amount == Decimal("68.00")
    both = {"operation": chosen, "description": "检查天窗", "pay_type": "CUSTOMER_PAY"}
    assert desk.post(page("line-new", order.uid), both).status_code == 422
    empty = desk.post(page("line-new", order.uid), {"pay_type": "CUSTOMER_PAY", "cause": "还没想好"})
    assert (empty.status_code, "还没想好" in empty.content.decode()) == (422, True)
    edit = {
        "description": line.description,
        "hours": "2.00",
        "pay_type": "CUSTOMER_PAY",
        "category": "MINOR",
        "cause": "磨损",
        "is_safety": "on",
    }
    assert desk.post(page("line-edit", line.uid), edit).status_code == 302
    line.refresh_from_db()
    assert line.labor_amount == Decimal("340.00")
    pad = line.part_lines.first()
    desk.post(page("part-change", pad.uid), {"quantity": "2"})
    desk.post(page("part-add", line.uid), {"part": part("FLD-BRK-1L").uid, "quantity": "0.5", "kind": ""})
    assert orders.line_total(OrderLine.objects.get(pk=line.pk)) == Decimal("340.00") + 1120 + 560 + Decimal("37.50")
    desk.post(page("part-remove", pad.uid))
    assert desk.get(page("line-edit", line.uid)).status_code == 200
    assert desk.post(page("line-cancel", line.uid), {"reason": ""}).status_code == 422
    desk.post(page("line-cancel", line.uid), {"reason": "写错了"})
    line.refresh_from_db()
    assert line.state == "CANCELLED"


def test_a_discount_above_the_limit_is_asked(shop: Shop, desk: Client) -> None:
    line = add_operation(shop, make_order(shop), "BR-20")
    desk.post(page("line-discount", line.uid), {"amount": "100", "reason": "等待过久"})
    assert Approval.objects.get().amount == Decimal("100.00")
    line.refresh_from_db()
    assert line.discount == 0


def test_the_estimate_is_sent_and_a_decision_recorded_by_telephone(shop: Shop, desk: Client) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "EL-10")
    assert desk.post(page("order-estimate", order.uid)).headers["Location"] == page("order-detail", order.uid)
    form = desk.get(page("order-decide", order.uid)).content.decode()
    assert str(line.uid) in form
    seen = order.estimates.get().seen_hash
    sent = {
        f"decision_{line.uid}": "no",
        f"reason_{line.uid}": "太贵",
        "method": "VERBAL_PHONE",
        "authorized_by": "沈示例",
        "seen_hash": seen,
    }
    refused = desk.post(page("order-decide", order.uid), sent)
    assert refused.status_code == 422  # a spoken answer needs a note
    assert not Authorization.objects.exists()
    desk.post(page("order-decide", order.uid), sent | {"note": "10:20 来电"})
    line.refresh_from_db()
    assert (line.state, line.declined_reason) == ("DECLINED", "太贵")
    desk.post(page("line-offer", line.uid))
    line.refresh_from_db()
    assert line.state == "DRAFT"


@pytest.mark.parametrize("tab", ["lines", "parts", "clockings", "inspections", "photos", "messages"])
def test_every_tab_of_an_order(shop: Shop, desk: Client, asked: RepairOrder, tab: str) -> None:
    answer = desk.get(page("order-detail", asked.uid), {"tab": tab})
    assert answer.status_code == 200
    assert asked.number in answer.content.decode()


def test_promise_and_withdrawal(shop: Shop, desk: Client, asked: RepairOrder) -> None:
    past = desk.post(page("order-promise", asked.uid), {"promised_at": "2020-01-01T10:00", "reason": "等配件"})
    assert past.status_code == 422
    desk.post(
        page("order-promise", asked.uid),
        {"promised_at": "2099-01-01T10:00", "reason": "等配件", "told": "PHONE", "told_to": "李"},
    )
    asked.refresh_from_db()
    assert asked.promised_at.year == 2099
    line = agree_line(shop, asked)
    told = {"method": "VERBAL_PHONE", "revoked_by": "沈示例", "reason": "客户来电取消"}
    desk.post(page("line-revoke", line.uid), told)
    line.refresh_from_db()
    assert line.state == "DECLINED"
    desk.post(page("order-withdraw", asked.uid), {"reason": "客户不修了"})
    asked.refresh_from_db()
    assert asked.withdrawn_reason == "客户不修了"
    assert desk.get(page("order-detail", asked.uid)).status_code == 200


def agree_line(shop: Shop, order: RepairOrder) -> OrderLine:
    line = add_operation(shop, order, "AC-10")
    agree_all(shop, order)
    line.refresh_from_db()
    return line


def test_the_list_counts_and_filters(shop: Shop, desk: Client, asked: RepairOrder) -> None:
    other = make_order(shop)
    waiting = desk.get(page("order-list"), {"show": "consent"}).content.decode()
    assert asked.number in waiting
    assert other.number not in waiting
    both = desk.get(page("order-list")).content.decode()
    assert asked.number in both
    assert other.number in both
    assert desk.get(page("order-list"), {"show": "ended"}).status_code == 200


def test_the_list_takes_as_many_queries_for_one_as_for_many(shop: Shop, asked: RepairOrder) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from workshop.selectors import orders as reads

    with CaptureQueriesContext(connection) as few:
        reads.list_orders(shop.advisor)
    for _number in range(3):
        make_order(shop)
    with CaptureQueriesContext(connection) as many:
        assert len(reads.list_orders(shop.advisor).rows) == 4
    assert len(few) == len(many) == 5


def test_who_may_not_is_told(shop: Shop, asked: RepairOrder) -> None:
    client = Client()
    client.force_login(make_user("technician", store=shop.store))
    assert client.get(page("order-list")).status_code == 403
    cashier = Client()
    cashier.force_login(make_user("cashier", store=shop.store))
    shown = cashier.get(page("order-detail", asked.uid))
    assert shown.status_code == 200
    assert "data-menu" not in shown.content.decode().split("<tbody>")[1].split("</tbody>")[0]  # no menu without a step
    assert cashier.post(page("order-estimate", asked.uid)).status_code == 403
    stranger = Client()
    stranger.force_login(make_shop().advisor.user)
    assert stranger.get(page("order-detail", asked.uid)).status_code == 404


# --- on the link ---


def link_pages(order: RepairOrder) -> tuple[str, str, str]:
    token = order.visit.link.token
    return (
        page("visit-link", token),
        page("visit-link-decide", token, order.uid),
        page("visit-link-total", token, order.uid),
    )


def test_the_customer_decides_without_javascript(shop: Shop, asked: RepairOrder) -> None:
    customer = Client()
    see, decide, _total = link_pages(asked)
    seen = customer.get(see).content.decode()
    assert "等待您的决定" in seen
    assert "盘厚不足" in seen
    assert "1,426.00" in seen
    assert History.objects.filter(code="workshop.estimate.viewed").count() == 1
    diagnosis, brakes, wipers = asked.lines.order_by("position")
    sent = {
        f"decision_{diagnosis.uid}": "yes",
        f"decision_{brakes.uid}": "yes",
        f"decision_{wipers.uid}": "no",
        "signed_by": "沈示例",
        "seen_hash": asked.estimates.get().seen_hash,
        "form_token": uuid4(),
    }
    assert customer.post(decide, sent).headers["Location"] == see
    assert customer.post(decide, sent).headers["Location"] == see  # sent twice, decided once
    assert Authorization.objects.count() == 3
    assert list(asked.lines.order_by("position").values_list("state", flat=True)) == [
        "AUTHORIZED",
        "AUTHORIZED",
        "DECLINED",
    ]
    after = customer.get(see).content.decode()
    assert "decide-" not in after
    agreed = sum(line.authorized_amount for line in asked.lines.filter(state="AUTHORIZED"))
    assert f"¥{agreed:,.2f}</dd>" in after.partition("已同意合计（含税）")[2][:120]
    assert "正在等候维修" in after  # agreed, and nobody works on it yet
    assert "正在维修" not in after
    assert brakes.description in after


def test_declining_safety_without_the_signed_risk_keeps_what_was_ticked(asked: RepairOrder) -> None:
    customer = Client()
    see, decide, _total = link_pages(asked)
    brakes = asked.lines.get(operation__code="BR-20")
    sent = {
        f"decision_{brakes.uid}": "no",
        "signed_by": "沈示例",
        "seen_hash": asked.estimates.get().seen_hash,
    }
    answer = customer.post(decide, sent)
    assert answer.status_code == 422
    assert f'name="decision_{brakes.uid}" value="no" checked' in answer.content.decode()
    undecided = answer.content.decode().partition("还有未选择的项目：")[2].partition("</div>")[0]
    assert all(line.description in undecided for line in asked.lines.exclude(pk=brakes.pk))
    assert brakes.description not in undecided
    assert not Authorization.objects.exists()
    assert customer.post(decide, sent | {"risk": "1"}).headers["Location"] == see
    assert Authorization.objects.get().note


def test_a_stale_page_is_told_and_shows_the_new_version(shop: Shop, asked: RepairOrder) -> None:
    customer = Client()
    _see, decide, _total = link_pages(asked)
    old = asked.estimates.get().seen_hash
    add_operation(shop, asked, "AC-10")
    orders.send_estimate(order_uid=asked.uid, by=shop.advisor)
    line = asked.lines.first()
    answer = customer.post(decide, {f"decision_{line.uid}": "yes", "signed_by": "沈示例", "seen_hash": old})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert asked.estimates.order_by("-number").first().seen_hash in text
    assert "空调系统清洗" in text
    assert not Authorization.objects.exists()


def test_the_running_total_comes_from_the_server(asked: RepairOrder) -> None:
    customer = Client()
    _see, _decide, total = link_pages(asked)
    _diagnosis, brakes, wipers = asked.lines.order_by("position")
    text = customer.get(total, {f"decision_{brakes.uid}": "yes", f"decision_{wipers.uid}": "no"}).content.decode()
    assert "¥1,426.00" in text
    assert "¥115.00" not in text
    assert not Authorization.objects.exists()


def test_another_visits_link_opens_nothing(shop: Shop, asked: RepairOrder) -> None:
    other = make_order(shop)
    strange = page("visit-link-decide", other.visit.link.token, asked.uid)
    customer = Client()
    assert customer.get(strange).status_code == 404
    line = asked.lines.first()
    answer = customer.post(
        strange,
        {f"decision_{line.uid}": "yes", "signed_by": "x", "seen_hash": asked.estimates.get().seen_hash},
    )
    assert answer.status_code == 404
    assert customer.get(page("visit-link-decide", "no-such-token", asked.uid)).status_code == 404
    assert not Authorization.objects.exists()


def test_the_today_board_places_cars_by_their_orders(shop: Shop, desk: Client, asked: RepairOrder) -> None:
    from reception.selectors.today import placements

    placed = placements(shop.advisor, [asked.visit])[asked.visit_id]
    assert placed.lane == "CONSENT"
    assert "¥1,626.00" in placed.line
    assert desk.get(reverse("today")).status_code == 200


# --- photos of a line ---


def picture() -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 30), "brown").save(out, "PNG")
    return out.getvalue()


def test_a_photo_taken_at_the_desk_stands_beside_the_price_on_the_link(
    shop: Shop, desk: Client, asked: RepairOrder
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    line = asked.lines.get(operation__code="BR-20")
    sent = {"photos": SimpleUploadedFile("a.png", picture(), "image/png")}
    assert desk.post(page("line-photos", line.uid), sent).headers["Location"] == page("line-edit", line.uid)
    photo = line.photos.get()
    assert photo.file.media_type == "image/jpeg"
    assert page("line-photo", photo.uid) in desk.get(page("line-edit", line.uid)).content.decode()
    customer = Client()
    see, _decide, _total = link_pages(asked)
    address = page("visit-link-line-photo", asked.visit.link.token, photo.uid)
    assert address in customer.get(see).content.decode()
    assert customer.get(address).headers["Content-Type"] == "image/jpeg"
    other = make_order(shop)
    assert customer.get(page("visit-link-line-photo", other.visit.link.token, photo.uid)).status_code == 404
    assert History.objects.filter(code="workshop.line.pictured").count() == 1


def test_what_is_no_picture_is_refused(shop: Shop, desk: Client, asked: RepairOrder) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    line = asked.lines.first()
    sent = {"photos": SimpleUploadedFile("a.png", b"<script>", "image/png")}
    assert desk.post(page("line-photos", line.uid), sent).status_code == 422
    assert desk.post(page("line-photos", line.uid), {}).status_code == 422
    assert line.photos.count() == 0


def test_a_photo_is_never_changed(shop: Shop, asked: RepairOrder, refused) -> None:
    line = asked.lines.first()
    photo = orders.add_line_photo(line_uid=line.uid, content=picture(), by=shop.advisor)
    for statement in (
        "UPDATE workshop_linephoto SET taken_at = now() WHERE id = %s",
        "DELETE FROM workshop_linephoto WHERE id = %s",
    ):
        with refused("linephoto_append_only") as sql:
            sql(statement, [photo.pk])
    assert line.photos.get().taken_at == photo.taken_at


def test_why_the_customer_declines_is_kept_and_shown(shop: Shop, desk: Client) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "EL-10")
    orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    link, phone = Client(), page("visit-link-decide", order.visit.link.token, order.uid)
    shown = link.get(phone).content.decode()
    assert f'name="cause_{line.uid}"' in shown
    seen = order.estimates.get().seen_hash
    sent = {
        f"decision_{line.uid}": "no",
        f"cause_{line.uid}": "PRICE",
        f"reason_{line.uid}": "等发工资再说",
        "signed_by": "",
        "seen_hash": seen,
    }
    back = link.post(phone, sent)
    assert (back.status_code, "等发工资再说" in back.content.decode()) == (422, True)  # nothing typed is lost
    assert link.post(phone, sent | {f"cause_{line.uid}": "NONSENSE", "signed_by": "沈示例"}).status_code == 422
    line.refresh_from_db()
    assert line.state == "PENDING"
    undrawn = link.post(phone, sent | {"signed_by": "沈代签", "signature": EMPTY_PAD})
    assert undrawn.status_code == 422
    for kept in ("签名板上还没有签名", 'value="沈代签"', "等发工资再说"):
        assert kept in undrawn.content.decode()
    line.refresh_from_db()
    assert line.state == "PENDING"
    link.post(phone, sent | {"signed_by": "沈示例"})
    line.refresh_from_db()
    assert (line.state, line.declined_cause, line.declined_reason) == ("DECLINED", "PRICE", "等发工资再说")
    row = line.authorizations.get()
    assert (row.decline_cause, row.reason, row.authorized_by) == ("PRICE", "等发工资再说", "沈示例")
    assert "太贵了 · 等发工资再说" in desk.get(page("order-detail", order.uid)).content.decode()
    desk.post(page("line-offer", line.uid))
    line.refresh_from_db()
    assert (line.state, line.declined_cause) == ("DRAFT", "")
    assert line.authorizations.get().decline_cause == "PRICE"  # the decision itself is never changed


def test_a_fee_is_named_priced_and_agreed_to_with_its_line(shop: Shop, desk: Client) -> None:
    order = make_order(shop, with_diagnosis=False)
    sent = {"description": "缸盖外加工", "hours": "0.5", "pay_type": "CUSTOMER_PAY", "category": "MINOR"}
    unnamed = desk.post(page("line-new", order.uid), sent | {"fee_amount": "260"})
    assert (unnamed.status_code, order.lines.count()) == (422, 0)
    desk.post(page("line-new", order.uid), sent | {"fee_amount": "260", "fee_note": "缸盖平面磨削"})
    line = order.lines.get()
    assert (line.fee_amount, orders.line_total(line)) == (Decimal("260.00"), Decimal("345.00"))
    estimate = orders.send_estimate(order_uid=order.uid, by=shop.advisor)
    assert (estimate.total, estimate.content["lines"][0]["fee_note"]) == (Decimal("345.00"), "缸盖平面磨削")
    shown = Client().get(page("visit-link", order.visit.link.token)).content.decode()
    assert "缸盖平面磨削 ¥260.00" in shown


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("orderline_fee_named", "fee_amount = 5, fee_note = ''"),
        ("orderline_fee_named", "fee_amount = -5, fee_note = 'x'"),
    ],
)
def test_the_database_knows_no_unnamed_fee(refused, shop: Shop, name: str, change: str) -> None:
    line = make_order(shop).lines.get()
    with refused(name) as sql:
        sql(f"UPDATE workshop_orderline SET {change}")
    line.refresh_from_db()
    assert (line.fee_amount, line.fee_note) == (Decimal("0.00"), "")


def test_the_diagnosis_is_proposed_where_the_complaint_isnt_diagnosed(shop: Shop, desk: Client) -> None:
    visit = make_received_visit(shop)
    asks = page("order-open", visit.uid)
    assert desk.get(asks).context["form"]["with_diagnosis"].value() is True
    order = make_order(shop, visit=visit)
    seen = desk.get(asks)
    assert seen.context["form"]["with_diagnosis"].value() is False
    assert f"{order.number}已包含诊断" in seen.content.decode().replace(" ", "")
    diagnosis = order.lines.get(is_diagnosis=True)
    orders.cancel_line(line_uid=diagnosis.uid, reason="客户不要", by=shop.advisor)
    assert desk.get(asks).context["form"]["with_diagnosis"].value() is True


def test_what_is_estimated_stands_beside_what_is_agreed_and_words_stand_once(shop: Shop, desk: Client) -> None:
    order = make_order(shop, complaint="刹车时方向盘抖")
    add_operation(shop, order, "BR-20")
    seen = desk.get(page("order-detail", order.uid)).content.decode()
    assert seen.count("刹车时方向盘抖") == 1
    open_total = sum(line.labor_amount for line in order.lines.all()) + sum(
        part.amount for line in order.lines.all() for part in line.part_lines.all()
    )
    assert f"{open_total:,.2f}" in seen.partition("报价，尚未同意")[2]
    assert "尚无同意的项目" in seen
    visit = desk.get(page("visit-detail", order.visit.uid)).content.decode()
    assert f"{open_total:,.2f}" in visit


def test_the_database_refuses_an_order_of_a_merged_customer(shop: Shop, asked: RepairOrder, refused) -> None:
    merged = make_customer()
    merge_customers(kept_uid=asked.customer.uid, merged_uid=merged.uid, by=make_actor("manager", store=asked.store))
    with refused("repairorder_standing_customer") as sql:
        sql("UPDATE workshop_repairorder SET customer_id = %s WHERE id = %s", [merged.pk, asked.pk])


def test_an_english_reader_meets_work_and_parts_under_their_english_names(shop: Shop, desk: Client) -> None:
    order = make_order(shop)
    line = add_operation(shop, order, "BR-20", cause="盘厚不足")
    work = line.operation
    used = line.part_lines.first().part
    chinese = desk.get(page("order-detail", order.uid)).content.decode()
    assert work.name in chinese
    assert used.name in chinese
    assert work.name_en not in chinese
    User.objects.filter(pk=shop.advisor.user.pk).update(language="en")
    english = desk.get(page("order-detail", order.uid)).content.decode()
    assert work.name_en in english
    assert used.name_en in english
    assert work.name not in english
    own = add_operation(shop, make_order(shop), "BR-20")
    OrderLine.objects.filter(pk=own.pk).update(description="看看为什么响")  # written by hand: said as it was written
    with override("en"):
        assert OrderLine.objects.get(pk=own.pk).said == "看看为什么响"
        assert line.said == work.name_en
