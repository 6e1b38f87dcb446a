"""Check sheets: filled in at the car, judged by their bounds, signed for good, offered as lines (3.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dealership.catalogue.check_models import CheckItem
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from tests.factories.reception import make_picture
from tests.factories.sheets import answer, begun, filled, item, template
from tests.factories.staff import actor_for, make_employee
from tests.factories.workshop import Shop, add_operation, make_order, make_shop
from workshop.check_models import CheckAnswer, CheckOffer, CheckPhoto, CheckSheet
from workshop.check_rules import Bounds, worst
from workshop.models import OrderLine, RepairOrder
from workshop.selectors import sheets as reads
from workshop.services import sheets

PHOTO = make_picture()
pytestmark = pytest.mark.django_db


@dataclass
class Team(Shop):
    technician: Actor


def make_team() -> Team:
    shop = make_shop()
    return Team(**vars(shop), technician=actor_for(make_employee(shop.store, "technician", name="高试工")))


@pytest.fixture
def shop() -> Team:
    return make_team()


@pytest.fixture
def order(shop: Team) -> RepairOrder:
    return make_order(shop, with_diagnosis=False)


def test_a_value_judges_itself_by_its_bounds() -> None:
    tread = Bounds(red_below=Decimal("1.6"), yellow_below=Decimal("3.0"))
    assert [tread.judge(Decimal(v)) for v in ("1.59", "1.6", "2.99", "3.0", "8")] == [
        "RED", "YELLOW", "YELLOW", "GREEN", "GREEN",
    ]  # fmt: skip
    water = Bounds(yellow_above=Decimal("1.5"), red_above=Decimal(3))
    assert [water.judge(Decimal(v)) for v in ("1.5", "1.51", "3", "3.01")] == ["GREEN", "YELLOW", "YELLOW", "RED"]
    assert worst(["GREEN", "RED", "YELLOW"]) == "RED"


def test_bounds_are_the_models_before_the_energys_before_the_items(shop: Team, order: RepairOrder) -> None:
    pressure = CheckItem.objects.prefetch_related("limits").get(template=template(), code="TYRE-PRESS")
    assert reads.bounds_for(pressure, model_id=None, powertrain="ICE").yellow_below == Decimal("2.20")
    assert reads.bounds_for(pressure, model_id=None, powertrain="BEV").yellow_below == Decimal("2.40")
    full = begun(order, shop.advisor, "FULL")
    codes = {row.item.code for row in reads.read_sheet(full).rows}
    assert ("OIL-LEVEL" in codes, "HV-CABLES" in codes) == (True, False)
    with pytest.raises(RuleError) as refusal:
        answer(full, "HV-CABLES", shop.advisor, verdict="GREEN")
    assert refusal.value.code == "sheet.not_this_car"


def test_a_sheet_is_filled_in_signed_and_then_stays(
    shop: Team, order: RepairOrder, refused: Callable[..., Any]
) -> None:
    sheet = filled(order, shop.technician, tread="1.5")
    tread = CheckAnswer.objects.get(sheet=sheet, item__code="TYRE-TREAD")
    assert (tread.verdict, tread.note) == ("RED", "内侧吃胎")
    rest = set(CheckAnswer.objects.filter(sheet=sheet, as_rest=True).values_list("item__code", flat=True))
    assert rest == {"WIPERS", "PAINT"}
    signed = sheets.sign_sheet(uid=sheet.uid, by=shop.technician)
    assert (signed.state, signed.signed_by.name) == ("SIGNED", shop.technician.user.name)
    line = History.objects.get(code="workshop.check_sheet.signed", root_uid=sheet.uid)
    assert (line.facts["red"], line.facts["yellow"], line.facts["green"]) == (1, 0, 6)
    before = list(CheckAnswer.objects.values_list("item_id", "verdict", "note", "readings"))
    for command, given in (
        (sheets.sign_sheet, {"uid": sheet.uid}),
        (sheets.rest_is_good, {"uid": sheet.uid}),
        (sheets.answer_item, {"sheet_uid": sheet.uid, "item_uid": item(sheet, "PAINT"), "verdict": "RED"}),
        (
            sheets.add_check_photo,
            {"sheet_uid": sheet.uid, "item_uid": item(sheet, "PAINT"), "content": PHOTO, "name": "a.jpg"},
        ),
    ):
        with pytest.raises(RuleError) as refusal:
            command(by=shop.technician, **given)
        assert refusal.value.code == "sheet.signed"
    with refused("checksheet_signed_is_final") as sql:
        sql("UPDATE workshop_checksheet SET signed_at = now() WHERE uid = %s", [sheet.uid])
    with refused("checksheet_signed_is_final") as sql:
        sql("DELETE FROM workshop_checksheet WHERE uid = %s", [sheet.uid])
    with refused("checkanswer_while_open") as sql:
        sql("UPDATE workshop_checkanswer SET verdict = 'GREEN' WHERE sheet_id = %s", [sheet.pk])
    with refused("checkanswer_while_open") as sql:
        sql("DELETE FROM workshop_checkanswer WHERE sheet_id = %s", [sheet.pk])
    assert list(CheckAnswer.objects.values_list("item_id", "verdict", "note", "readings")) == before


def test_what_the_database_refuses(shop: Team, order: RepairOrder, refused: Callable[..., Any]) -> None:
    sheet = begun(order, shop.technician)
    answer(sheet, "TYRE-WALL", shop.technician, verdict="RED")
    sign = "UPDATE workshop_checksheet SET state = 'SIGNED', signed_at = now(), signed_by_id = %s WHERE id = %s"
    with refused("checksheet_complete") as sql:
        sql(sign, [shop.employee.pk, sheet.pk])
    with refused("checkanswer_rest_spares_safety") as sql:
        sql("UPDATE workshop_checkanswer SET verdict = 'GREEN', as_rest = true WHERE sheet_id = %s", [sheet.pk])
    with refused("checkanswer_fits") as sql:
        sql("UPDATE workshop_checkanswer SET readings = '{1.5}' WHERE sheet_id = %s", [sheet.pk])
    with refused("checkanswer_fixed") as sql:
        sql(
            "UPDATE workshop_checkanswer SET item_id = (SELECT id FROM catalogue_checkitem WHERE code = 'PAINT' "
            "AND template_id = %s) WHERE sheet_id = %s",
            [sheet.template_id, sheet.pk],
        )
    line = add_operation(shop, order, "TY-10")
    offer = "INSERT INTO workshop_checkoffer (sheet_id, item_id, line_id) SELECT %s, id, %s FROM catalogue_checkitem "
    with refused("checkoffer_of_a_finding") as sql:
        sql(offer + "WHERE code = 'PAINT' AND template_id = %s", [sheet.pk, line.pk, sheet.template_id])
    with refused("checkitem_of_a_draft") as sql:
        sql("UPDATE catalogue_checkitem SET red_below = 1 WHERE code = 'TYRE-TREAD'")
    with refused("checktemplate_released_is_fixed") as sql:
        sql("UPDATE catalogue_checktemplate SET name = 'x'")
    with refused("checklimit_of_a_draft") as sql:
        sql("DELETE FROM catalogue_checklimit")


def test_what_is_bad_asks_for_words_or_a_photo(shop: Team, order: RepairOrder) -> None:
    sheet = filled(order, shop.technician)
    answer(sheet, "TYRE-WALL", shop.technician, verdict="RED")
    with pytest.raises(RuleError) as refusal:
        sheets.sign_sheet(uid=sheet.uid, by=shop.technician)
    assert refusal.value.code == "sheet.incomplete"
    uid = uuid4()
    for _again in range(2):
        photo = sheets.add_check_photo(
            sheet_uid=sheet.uid,
            item_uid=item(sheet, "TYRE-WALL"),
            content=PHOTO,
            name="a.jpg",
            uid=uid,
            by=shop.technician,
        )
    assert (photo.uid, CheckPhoto.objects.count()) == (uid, 1)
    assert sheets.sign_sheet(uid=sheet.uid, by=shop.technician).state == "SIGNED"


def test_refusals_change_nothing(shop: Team, order: RepairOrder) -> None:
    sheet = begun(order, shop.technician)
    answer(sheet, "PAINT", shop.technician, verdict="GREEN")
    counts = (
        CheckSheet.objects.count(),
        CheckAnswer.objects.count(),
        OrderLine.objects.count(),
        History.objects.count(),
    )
    one = {"sheet_uid": sheet.uid, "by": shop.technician}
    tread, paint, words = (item(sheet, code) for code in ("TYRE-TREAD", "PAINT", "REMARK"))
    for code, given in (
        ("sheet.verdict", {"item_uid": paint, "verdict": "NOTED"}),
        ("sheet.verdict", {"item_uid": paint, "verdict": "GREEN", "readings": [Decimal(1)]}),
        ("sheet.readings", {"item_uid": tread, "readings": [Decimal(1)]}),
        ("sheet.readings", {"item_uid": tread, "verdict": "GREEN"}),
        ("sheet.readings", {"item_uid": tread, "readings": [Decimal("1.234")] * 4}),
        ("sheet.answer", {"item_uid": words, "verdict": "GREEN"}),
    ):
        with pytest.raises(RuleError) as refusal:
            sheets.answer_item(**one, **given)
        assert refusal.value.code == code
    with pytest.raises(RuleError) as refusal:
        sheets.offer_finding(sheet_uid=sheet.uid, item_uid=paint, by=shop.advisor)
    assert refusal.value.code == "sheet.finding"
    with pytest.raises(RaceLost):
        begun(order, shop.technician)
    with pytest.raises(NotAllowed):
        sheets.rest_is_good(uid=sheet.uid, by=actor_for(make_employee(shop.store, "cashier")))
    elsewhere = make_team()
    with pytest.raises(CheckSheet.DoesNotExist):
        sheets.rest_is_good(uid=sheet.uid, by=elsewhere.technician)
    answer(sheet, "PAINT", shop.technician, verdict="GREEN")  # the same again is no change
    now = (CheckSheet.objects.count(), CheckAnswer.objects.count(), OrderLine.objects.count())
    assert now == counts[:3]
    assert History.objects.filter(code__startswith="workshop.check_sheet").count() == 2


def test_a_finding_becomes_a_line_in_one_tap(shop: Team, order: RepairOrder) -> None:
    sheet = filled(order, shop.technician, tread="1.5")
    sheets.add_check_photo(
        sheet_uid=sheet.uid, item_uid=item(sheet, "TYRE-TREAD"), content=PHOTO, name="a.jpg", by=shop.technician
    )
    sheets.sign_sheet(uid=sheet.uid, by=shop.technician)
    line = sheets.offer_finding(sheet_uid=sheet.uid, item_uid=item(sheet, "TYRE-TREAD"), by=shop.advisor)
    assert (line.operation.code, line.cause, line.is_safety) == ("TY-10", "胎纹深度: 左前 1.5 mm · 内侧吃胎", True)
    assert line.photos.count() == 1
    with pytest.raises(RuleError) as refusal:
        sheets.offer_finding(sheet_uid=sheet.uid, item_uid=item(sheet, "TYRE-TREAD"), by=shop.advisor)
    assert (refusal.value.code, CheckOffer.objects.count()) == ("sheet.offered", 1)
    page = reads.read_sheet(reads.get_sheet(sheet.uid, shop.advisor))
    assert [(row.item.code, row.line.pk) for row in page.findings] == [("TYRE-TREAD", line.pk)]
    assert page.offered == page.findings[0].amount > 0


def test_what_the_car_had_before_stands_beside(shop: Team, order: RepairOrder) -> None:
    sheets.sign_sheet(uid=filled(order, shop.technician, tread="4.0").uid, by=shop.technician)
    with clock.moved_to(clock.now() + timedelta(days=200)):
        later = make_order(shop, visit=order.visit)
        sheet = begun(later, shop.technician)
    before = {row.item.code: row.before for row in reads.read_sheet(sheet).rows}
    assert before["TYRE-TREAD"].readings[0] == Decimal("4.00")
    assert (before["PAINT"].verdict, before["REMARK"]) == ("GREEN", None)


def test_the_pages(client: Client, shop: Team, order: RepairOrder) -> None:
    client.force_login(shop.technician.user)
    answered = client.post(reverse("check-sheet-begin", args=[order.uid]), {"template": template().uid})
    sheet = CheckSheet.objects.get()
    address = reverse("check-sheet", args=[sheet.uid])
    assert answered["Location"] == address
    assert "胎纹深度" in client.get(address).content.decode()
    tread = item(sheet, "TYRE-TREAD")
    wrong = client.post(address, {"item": tread, "v0": "1.5", "note": "左前磨平"})
    assert (wrong.status_code, CheckAnswer.objects.count()) == (422, 0)
    queued = client.post(
        address,
        {"item": tread, "v0": "1.5", "v1": "5", "v2": "5", "v3": "5", "note": "磨平"},
        headers={"X-Queued": "1"},
    )
    assert (queued.status_code, CheckAnswer.objects.get().verdict) == (204, "RED")
    photos = reverse("check-sheet-photos", args=[sheet.uid])
    named = uuid4()
    for _twice in range(2):
        sent = client.post(
            photos,
            {
                "photos": SimpleUploadedFile("a.jpg", PHOTO, "image/jpeg"),
                "uid": named,
                "item": tread,
            },
            headers={"X-Queued": "1"},
        )
        assert sent.status_code == 204
    photo = CheckPhoto.objects.get()
    assert client.get(reverse("check-sheet-photo", args=[photo.uid])).status_code == 200
    answer(sheet, "TYRE-PRESS", shop.technician, "2.4", "2.4", "2.4", "2.4")
    for code in ("TYRE-WALL", "WHEEL-BOLTS", "LAMPS-REAR"):
        answer(sheet, code, shop.technician, verdict="GREEN")
    client.post(reverse("check-sheet-rest", args=[sheet.uid]))
    client.post(reverse("check-sheet-offer", args=[sheet.uid]), {"item": tread})
    link = reverse("visit-link", args=[order.visit.link.token])
    on_link = reverse("visit-link-sheet-photo", args=[order.visit.link.token, photo.uid])
    stranger = Client()
    assert "胎纹深度" not in stranger.get(link).content.decode()
    assert stranger.get(on_link).status_code == 404
    client.post(reverse("check-sheet-sign", args=[sheet.uid]))
    seen = stranger.get(link).content.decode()
    assert "胎纹深度" in seen
    assert "轮胎更换" in seen
    assert stranger.get(on_link).status_code == 200
    client.force_login(shop.advisor.user)
    for page in (
        address,
        reverse("order-detail", args=[order.uid]),
        reverse("vehicle-detail", args=[order.vehicle.uid]),
    ):
        assert "胎纹深度" in client.get(page).content.decode()


def test_what_is_no_number_is_said_beside_the_field_and_kept(client: Client, shop: Team, order: RepairOrder) -> None:
    client.force_login(shop.technician.user)
    sheet = begun(order, shop.technician)
    address = reverse("check-sheet", args=[sheet.uid])
    assert "尚未保存" in client.get(address).content.decode()  # nobody has touched it
    answer = client.post(address, {"item": item(sheet, "TYRE-TREAD"), "v0": "abc", "v1": "5", "note": "难测"})
    page = answer.content.decode()
    assert (answer.status_code, CheckAnswer.objects.count()) == (422, 0)
    assert "请填数字" in page
    for typed in ('value="abc"', 'value="5"', 'value="难测"'):
        assert typed in page


def test_the_counts_add_up_and_say_what_is_looked_at_one_by_one(client: Client, shop: Team, order: RepairOrder) -> None:
    sheet = begun(order, shop.technician)
    page = reads.read_sheet(sheet)
    assert (page.done, page.asked, page.rest, page.singly) == (0, 7, 2, 5)  # words for the customer may stay away
    answer(sheet, "TYRE-WALL", shop.technician, verdict="RED")
    answer(sheet, "WHEEL-BOLTS", shop.technician, verdict="NA")
    sheets.rest_is_good(uid=sheet.uid, by=shop.technician)
    page = reads.read_sheet(CheckSheet.objects.get())
    assert [row.item.code for row in page.wordless] == ["TYRE-WALL"]
    assert (page.done, page.green, page.red, page.other, page.singly) == (3, 2, 1, 1, 3)
    client.force_login(shop.technician.user)
    html = client.get(reverse("check-sheet", args=[sheet.uid])).content.decode()
    assert f'<a href="#item-{item(sheet, "TYRE-WALL")}">' in html
    assert "3 项需要逐项检查" in html
