"""Quotations: drawn from the live price list, kept as they were given, honoured by the order until their day (2.2.2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from dealership.catalogue import seeds
from dealership.catalogue.models import ModelPrice, Operation, Part, VehicleModel
from dealership.catalogue.services import prices
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from reception.models import Quotation, QuotationLine, QuotationPart
from reception.selectors import quotations as reads
from reception.services import consultations, quotations
from tests.factories.reception import make_customer, make_vehicle, make_visit, rule
from tests.factories.staff import make_actor, make_store

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _monday():
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def store():
    store = make_store("BJ01")
    seeds.seed_store(store)
    return store


@pytest.fixture
def desk(store):
    return make_actor(store, "receptionist")


def operation(code="MT-10"):
    return Operation.objects.get(code=code)


def model(series="星澜", name="纯电 510"):
    return VehicleModel.objects.get(series=series, name=name)


def quote(by, **values):
    given = {"operation_uids": [operation().uid], "contact_name": "张试问", "contact_phone": "13900001234"}
    return quotations.give_quotation(**given | values, by=by)


def test_prices_are_those_of_the_price_list_and_hold_for_the_usual_days(desk):
    quotation = quote(desk, model_uids=[model().uid])
    rows = reads.lines_of(quotation)
    # half an hour at 170, four litres of oil at 68, a filter at 45; the car at its price
    assert [(r["line"].description, r["line"].hours, r["line"].rate, r["line"].amount, r["whole"]) for r in rows] == [
        ("小保养（机油、机滤）", Decimal("0.50"), Decimal(170), Decimal(85), Decimal(402)),
        ("星澜 纯电 510", Decimal(0), Decimal(0), Decimal(159800), Decimal(159800)),
    ]
    assert [(p.part.number, p.quantity, p.unit_price, p.amount) for p in rows[0]["parts"]] == [
        ("OIL-5W30-1L", Decimal(4), Decimal(68), Decimal(272)),
        ("FLT-OIL-01", Decimal(1), Decimal(45), Decimal(45)),
    ]
    assert (quotation.total, quotation.valid_until) == (Decimal(160202), TODAY + timedelta(days=14))
    assert [quotation.holds(TODAY + timedelta(days=n)) for n in (14, 15)] == [True, False]
    line = History.objects.get(root_uid=quotation.uid)
    assert (line.code, line.facts) == (
        "reception.quotation.given",
        {"total": "160202.00", "lines": 2, "valid_until": "2026-12-07"},
    )


def test_it_takes_who_and_which_car_from_the_question(desk):
    owner = make_customer(phone="13900007777", name="周试车")
    car = make_vehicle(owner_uid=owner.uid, plate="京A12345")
    asked = consultations.register_consultation(
        channel="PHONE", body="保养多少钱？", contact_phone="13900007777", plate="京A12345", topic="PRICE", by=desk
    )
    quotation = quote(desk, consultation_uid=asked.uid, contact_name="", contact_phone="")
    assert (quotation.customer, quotation.vehicle, quotation.who) == (owner, car, "周试车")
    shown = reads.quotations_for_answer(desk, asked.pk)
    assert shown[0]["words"].splitlines()[0] == "小保养（机油、机滤） ¥402.00"
    assert "2026-12-07" in shown[0]["words"]


def test_a_later_price_changes_nothing_of_what_was_quoted(store, desk):
    quotation, by = quote(desk), machine("tests", store_id=store.pk)
    prices.set_labor_rate(store=store, pay_type="CUSTOMER_PAY", rate=Decimal(200), starts_on=TODAY, by=by)
    assert reads.lines_of(quotation)[0]["whole"] == Decimal(402)
    assert quote(desk).total == Decimal(417)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"operation_uids": []}, "quotation.empty"),
        ({"operation_uids": [uuid4()]}, "quotation.unknown"),
        ({"model_uids": [uuid4()]}, "quotation.unknown"),
        ({"contact_name": " ", "contact_phone": ""}, "quotation.contact"),
        ({"valid_until": TODAY - timedelta(days=1)}, "quotation.valid_until"),
        ({"valid_until": TODAY + timedelta(days=366)}, "quotation.valid_until"),
    ],
)
def test_a_refusal_writes_nothing(desk, values, code):
    lines = History.objects.count()
    with rule(code), transaction.atomic():
        quote(desk, **values)
    assert (Quotation.objects.count(), QuotationLine.objects.count(), History.objects.count()) == (0, 0, lines)


def test_no_more_than_thirty_items(desk):
    many = list(Operation.objects.values_list("uid", flat=True)[:29])
    cars = list(VehicleModel.objects.values_list("uid", flat=True)[:2])
    with rule("quotation.long"):
        quote(desk, operation_uids=many, model_uids=cars)


@pytest.mark.parametrize("case", ["rate", "part", "model"])
def test_what_has_no_price_today_isn_t_quoted(desk, case):
    bare = make_store("NH02")
    by = make_actor(bare, "receptionist")
    if case != "rate":
        setter = machine("tests", store_id=bare.pk)
        prices.set_labor_rate(store=bare, pay_type="CUSTOMER_PAY", rate=Decimal(1), starts_on=TODAY, by=setter)
    code = {"rate": "price.rate_missing", "part": "price.part_missing", "model": "price.model_missing"}[case]
    chosen = {"operation_uids": [], "model_uids": [model().uid]} if case == "model" else {}
    with rule(code), transaction.atomic():
        quote(by, **chosen)
    assert Quotation.objects.count() == 0


def test_who_may_not_quote_gives_none(store):
    with pytest.raises(NotAllowed):
        quote(make_actor(store, "technician"))


def test_another_store_s_quotation_is_not_found(desk):
    quotation = quote(desk)
    with pytest.raises(Quotation.DoesNotExist):
        reads.quotation_of(make_actor(make_store("NH02"), "receptionist"), quotation.uid)


# --- refusals around Python ---


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("quotation_kept", "DELETE FROM reception_quotation"),
        ("quotation_sealed", "UPDATE reception_quotation SET total = total + 1"),
        ("quotation_sealed", "UPDATE reception_quotation SET total = NULL"),
        ("quotation_sealed", "UPDATE reception_quotation SET valid_until = valid_until - 1"),
        ("quotation_sealed", "UPDATE reception_quotation SET contact_name = 'x'"),
        ("quotationline_append_only", "UPDATE reception_quotationline SET amount = amount + 1"),
        ("quotationline_append_only", "DELETE FROM reception_quotationline"),
        ("quotationpart_append_only", "UPDATE reception_quotationpart SET unit_price = 1"),
        ("quotationpart_append_only", "DELETE FROM reception_quotationpart"),
    ],
)
def test_the_database_keeps_a_quotation_as_it_was_given(desk, refused, constraint, statement):
    quote(desk)
    with refused(constraint) as sql:
        sql(statement)


def draft(desk):
    """A quotation that is being written: no line, no total."""
    return Quotation.objects.create(
        store_id=desk.store_id, number="QT-T", contact_name="张试问", valid_until=TODAY + timedelta(days=9)
    )


LINE = (
    "INSERT INTO reception_quotationline (uid, quotation_id, position, operation_id, model_id, description, hours, rate,"
    " amount) VALUES (gen_random_uuid(), %s, 1, %s, %s, 'x', %s, %s, %s)"
)


@pytest.mark.parametrize(
    ("hours", "rate", "amount"), [("0.50", "169", "84.50"), ("0.40", "170", "68.00"), ("0.50", "170", "84.99")]
)
def test_the_database_takes_no_price_that_isn_t_on_the_list(desk, refused, hours, rate, amount):
    quotation = draft(desk)
    with refused("quotationline_live_price") as sql:
        sql(LINE, [quotation.pk, operation().pk, None, hours, rate, amount])


def test_the_database_takes_no_other_price_of_a_car_and_nothing_after_the_seal(desk, refused):
    quotation = draft(desk)
    with refused("quotationline_live_price") as sql:
        sql(LINE, [quotation.pk, None, model().pk, 0, 0, "159799.00"])
    with refused("quotationline_live_price") as sql:
        sql(LINE, [quote(desk).pk, None, model().pk, 0, 0, "159800.00"])
    with refused("quotationline_what") as sql:
        sql(LINE, [quotation.pk, operation().pk, model().pk, "0.50", "170", "85.00"])
    with refused("quotation_sealed") as sql:
        sql("UPDATE reception_quotation SET total = 1 WHERE id = %s", [quotation.pk])
    with refused("quotation_contact") as sql:
        sql("INSERT INTO reception_quotation (uid, version, created_at, updated_at, store_id, number, contact_name,"
            " contact_phone, model_text, quoted_at, valid_until) VALUES (gen_random_uuid(), 1, now(), now(), %s, 'QT-U',"
            " '', '', '', now(), now())", [desk.store_id])  # fmt: skip


def test_the_database_takes_no_other_price_of_a_part(desk, refused):
    quotation = draft(desk)
    line = QuotationLine.objects.create(
        quotation=quotation, position=1, operation=operation(), description="x",
        hours=Decimal("0.50"), rate=Decimal(170), amount=Decimal(85),
    )  # fmt: skip
    oil = Part.objects.get(number="OIL-5W30-1L")
    for price, amount in (("67.00", "268.00"), ("68.00", "271.00")):
        with refused("quotationpart_live_price") as sql:
            sql(
                "INSERT INTO reception_quotationpart (line_id, part_id, quantity, unit_price, amount)"
                " VALUES (%s, %s, 4, %s, %s)",
                [line.pk, oil.pk, price, amount],
            )
    assert QuotationPart.objects.count() == 0


# --- price of a model ---


def test_a_model_s_new_price_ends_the_one_before(store):
    by = machine("tests", store_id=store.pk)
    prices.set_model_price(store=store, model=model(), price=Decimal(149800), starts_on=date(2026, 12, 1), by=by)
    assert prices.price_model(model(), store.pk, date(2026, 11, 30)) == Decimal(159800)
    assert prices.price_model(model(), store.pk, date(2026, 12, 1)) == Decimal(149800)
    line = History.objects.filter(code="catalogue.model_price.set").order_by("-id").first()
    assert line.changed == {"price": ["159800.00", "149800.00"]}
    count = ModelPrice.objects.count()
    with rule("price.positive"):
        prices.set_model_price(store=store, model=model(), price=Decimal(0), starts_on=date(2027, 1, 1), by=by)
    with rule("price.later_exists"):
        prices.set_model_price(store=store, model=model(), price=Decimal(1), starts_on=date(2026, 12, 1), by=by)
    assert ModelPrice.objects.count() == count


def test_the_database_takes_one_price_of_a_model_a_day(store, refused):
    sql_insert = (
        "INSERT INTO catalogue_modelprice (uid, version, created_at, updated_at, store_id, model_id, price, starts_on)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, '2026-11-23')"
    )
    with refused("modelprice_one_a_day") as sql:
        sql(sql_insert, [store.pk, model().pk, 1])
    with refused("modelprice_positive") as sql:
        sql(sql_insert, [make_store("NH02").pk, model().pk, 0])


# --- pages ---


def page_of(by):
    client = Client()
    client.force_login(by.user)
    return client


def test_from_the_question_over_the_price_list_to_the_answer(desk):
    client = page_of(desk)
    asked = consultations.register_consultation(
        channel="PHONE", body="保养多少钱？", contact_name="张试问", contact_phone="13900001234", topic="PRICE", by=desk
    )
    question, uid = reverse("consultation-detail", args=[asked.uid]), str(operation().uid)
    assert f"{reverse('price-list')}?consultation={asked.uid}" in client.get(question).content.decode()
    listed = client.get(reverse("price-list"), {"consultation": str(asked.uid), "words": "xby"}).content.decode()
    assert "402.00" in listed
    assert uid in listed
    assert "159,800.00" in client.get(reverse("price-list"), {"show": "cars"}).content.decode()
    chosen = client.get(reverse("quotation-new"), {"op": [uid, "nonsense"], "consultation": str(asked.uid)})
    assert "13900001234" in chosen.content.decode()
    sent = {"op": [uid], "consultation": str(asked.uid), "contact_phone": "13900001234", "valid_until": "2026-11-30"}
    refused = client.post(reverse("quotation-new"), sent | {"op": []})
    assert (refused.status_code, "13900001234" in refused.content.decode()) == (422, True)
    assert client.post(reverse("quotation-new"), sent | {"valid_until": "2026-11-22"}).status_code == 422
    assert client.post(reverse("quotation-new"), sent).url == question
    quotation = Quotation.objects.get()
    page = client.get(question).content.decode()
    assert reverse("quotation-detail", args=[quotation.uid]) in page
    assert "小保养（机油、机滤） ¥402.00" in page
    assert "402.00" in client.get(reverse("quotation-detail", args=[quotation.uid])).content.decode()


def test_the_list_of_quotations_is_empty_then_filtered(desk):
    client = page_of(desk)
    assert reverse("price-list") in client.get(reverse("quotations")).content.decode()
    quotation = quote(desk, valid_until=TODAY)
    assert quotation.number in client.get(reverse("quotations")).content.decode()
    with clock.moved_to(NOON + timedelta(days=1)):
        assert quotation.number not in client.get(reverse("quotations")).content.decode()
        assert quotation.number in client.get(reverse("quotations") + "?show=over").content.decode()
    sent = {"op": [str(operation().uid)], "contact_name": "李", "valid_until": "2026-11-30"}
    answer = client.post(reverse("quotation-new"), sent)
    assert answer.url == reverse("quotation-detail", args=[Quotation.objects.latest("pk").uid])


def test_the_manager_sets_the_price_of_a_model(store):
    client = page_of(make_actor(store, "manager"))
    address = reverse("model-price", args=[model().uid])
    assert address in client.get(reverse("model-prices"), {"words": "星澜"}).content.decode()
    assert client.post(address, {"price": "0", "starts_on": "2026-12-01"}).status_code == 422
    assert client.post(address, {"price": "155800", "starts_on": "2026-12-01"}).url == address
    assert "155,800.00" in client.get(address).content.decode()
    assert "155,800.00" in client.get(reverse("model-prices")).content.decode()


def test_a_known_plate_brings_its_model_and_owner_into_the_quotation(desk):
    owner = make_customer(name="周试价", phone="13900007788")
    car = make_vehicle(owner_uid=owner.uid, plate="京A7K771", model_text="云鹿 增程 200")
    client = page_of(desk)
    page = client.post(
        "/quotations/new/", {"look": "1", "plate": car.plate, "model_text": "远岚", "contact_name": "王先生"}
    )
    given = page.context["form"].initial
    assert (page.status_code, given["model_text"], given["contact_name"], given["contact_phone"]) == (
        200, "云鹿 增程 200", "王先生", "13900007788",
    )  # fmt: skip
    nobody = client.post("/quotations/new/", {"look": "1", "plate": "京A7K77", "model_text": "远岚"})
    assert nobody.context["form"].initial["model_text"] == "远岚"
    assert not Quotation.objects.exists()


def test_who_calls_stands_beside_the_question_as_soon_as_the_number_is_typed(desk):
    owner = make_customer(name="周试呼", phone="13900007799")
    car = make_vehicle(owner_uid=owner.uid, plate="京A7K779")
    make_visit(desk, vehicle_uid=car.uid, plate=car.plate)
    client = page_of(desk)
    said = client.get("/consultations/new/", {"contact_phone": "13900007799"}).content.decode()
    assert "周试呼" in said
    assert "该车正在店内" in said
    assert "尚无记录" in client.get("/consultations/new/", {"contact_phone": "13900001111"}).content.decode()
