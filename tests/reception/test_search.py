"""The search box: what people type, how it is ranked, who sees what, and that 50,000 rows are found by index (2.3)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dealership.catalogue.models import Operation
from dealership.kernel import clock
from dealership.kernel.actors import Actor, ActorKind
from dealership.kernel.errors import NotAllowed
from quality.services.complaints import open_complaint
from reception import permissions
from reception.selectors import search
from reception.services.consultations import register_consultation
from reception.services.knowledge import write_article
from reception.services.quotations import give_quotation
from tests.factories import staff as people
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_customer, make_vehicle, make_vin
from tests.factories.workshop import make_order, make_shop

pytestmark = pytest.mark.django_db
EYES = Actor(
    ActorKind.USER,
    "eyes",
    frozenset({permissions.CUSTOMERS_VIEW, permissions.VEHICLES_VIEW, permissions.VISITS_VIEW}),
    frozenset(),
)


def found(text: str, by: Actor = EYES) -> list[str]:
    return [hit.title for hit in search.find(text=text, by=by)]


@pytest.fixture
def shan() -> None:
    owner = make_customer(name="单小红", phone="13900004321", phone_2="0574-87654321")
    make_vehicle(plate="京A8K012", vin=make_vin(123456), owner_uid=owner.uid)
    make_customer(name="王五试", phone="13700009999")


@pytest.mark.parametrize(
    "typed",
    [
        "单小红", "单小", "小红", "单 小红", "shanxiaohong", "Shan Xiao", "sxh", "SX",
        "13900004321", "+86 139 0000 4321", "139-0000-4321", "１３９００００４３２１", "4321", "1390000",
        "0574-87654321", "(0574)87654321", "87654321",
    ],
)  # fmt: skip
def test_a_customer_is_found_however_it_is_typed(shan, typed) -> None:
    assert "单小红" in found(typed)
    assert "王五试" not in found(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "京A8K012", "京A·8K012", "京a 8k012", "8K012", "８ｋ０１２", "A8K012", "8KO12", "8K0I2", "京A-8KO12", "K01",
        make_vin(123456), make_vin(123456).lower(), make_vin(123456)[-8:], make_vin(123456)[-6:],
        make_vin(123456).replace("0", "O"), make_vin(123456).replace("1", "I"),
    ],
)  # fmt: skip
def test_a_car_is_found_however_plate_or_vin_is_typed(shan, typed) -> None:
    assert found(typed) == ["单小红"]


@pytest.mark.parametrize("typed", ["", "  ", "x", "8K", "\x00", "%", "_", "'; DROP TABLE", "京", "🚗", "9" * 5000])
def test_too_little_or_nonsense_finds_nothing_and_breaks_nothing(shan, typed) -> None:
    assert found(typed) == []


def test_the_surest_hit_comes_first() -> None:
    make_customer(name="张三丰试", phone="13900001111")
    make_customer(name="张三", phone="13900002222")
    assert found("张三") == ["张三", "张三丰试"]
    make_vehicle(plate="京B12345", model_text="第二")
    make_vehicle(plate="京A12345", model_text="第一")
    make_vehicle(plate="京A12346", vin="", model_text="旁边")
    assert found("京A12345") == ["第一"]
    assert found("12345")[:2] == ["第一", "第二"] or found("12345")[:2] == ["第二", "第一"]


def test_numbers_are_masked_and_the_owner_hidden_from_who_may_not_see_customers(shan) -> None:
    (hit,) = search.find(text="单小红", by=EYES)
    assert hit.say.startswith("139****4321")
    assert "13900004321" not in repr(hit)
    technician = Actor(ActorKind.USER, "t", frozenset({permissions.VEHICLES_VIEW}), frozenset())
    assert found("8K012", technician) == ["途远 2.0T"]
    assert found("单小红", technician) == []


def test_an_upper_room_adds_its_source(monkeypatch) -> None:
    def orders(by, typed):
        if typed.plain.startswith("RO"):
            yield search.Hit("order", "Order", "/orders/1/", typed.plain, rank=search.EXACT)

    monkeypatch.setattr(search, "SOURCES", [*search.SOURCES, orders])
    assert found("ro-1") == ["RO1"]


def test_papers_and_questions_are_found_by_number_after_people_and_cars() -> None:
    shop = make_shop()
    order = make_order(shop)
    care = make_actor("care", store=shop.store)
    asked = register_consultation(
        channel="EMAIL", topic="PRICE", body="多少钱？", subject="四轮定位价格咨询", contact_name="陶试问", by=care
    )
    quoted = give_quotation(
        operation_uids=[Operation.objects.get(code="MT-10").uid],
        contact_name="陶试问",
        contact_phone="13700001111",
        by=shop.advisor,
    )
    complaint = open_complaint(customer_uid=order.customer.uid, description="等太久", source="PHONE", by=care)
    for row, who, page in (
        (order, shop.advisor, "orders"),
        (asked, care, "consultations"),
        (quoted, shop.advisor, "quotations"),
        (complaint, care, "complaints"),
    ):
        whole, day = row.number, "-".join(row.number.rsplit("-", 2)[-2:])
        for typed in (whole, whole.lower(), whole.replace(f"-{shop.store.code}", ""), f"{whole.split('-')[0]}-{day}"):
            hits = search.find(text=typed, by=who)
            assert [hit.url for hit in hits] == [f"/{page}/{row.uid}/"], typed
    by_tail = search.find(text=str(int(order.number[-4:])), by=shop.advisor)
    assert [hit.kind for hit in by_tail if hit.kind in ("ro", "v")] == ["v", "ro"]
    assert [hit.url for hit in search.find(text="四轮定位", by=care)] == [f"/consultations/{asked.uid}/"]
    hidden = make_actor("technician", store=shop.store)
    assert search.find(text=quoted.number, by=hidden) == search.find(text="四轮定位", by=hidden) == []
    assert search.find(text=asked.number, by=make_actor("care", store=make_store("NH02"))) == []


def test_an_article_is_found_by_its_title_after_people_of_that_name(shan) -> None:
    store = people.make_store("NH02")
    care, reader = people.make_employee(store, "care"), people.make_actor(store, "receptionist")
    article = write_article(
        title="单小红的车怎么预约",
        topic="OTHER",
        body="电话或网上。",
        review_on=clock.today() + timedelta(days=90),
        by=people.actor_for(care),
    )
    hits = search.find(text="单小红", by=reader)
    assert [(hit.kind, hit.url) for hit in hits][-1] == ("article", f"/knowledge/{article.uid}/")
    assert [hit.kind for hit in hits[:-1]] == ["customer"]
    assert [hit.url for hit in search.find(text="zenmeyuyue", by=reader)] == [f"/knowledge/{article.uid}/"]


def test_one_hit_is_opened_and_several_are_listed(client: Client, shan) -> None:
    client.force_login(make_user("receptionist", store=make_store()))
    answer = client.get("/search/", {"q": "8K012"})
    assert (answer.status_code, answer["Location"].startswith("/vehicles/")) == (302, True)
    make_customer(name="单小明")
    page = client.get("/search/", {"q": "单小"})
    assert page.status_code == 200
    assert [hit.title for hit in page.context["hits"]] == ["单小明", "单小红"]
    assert "13900004321" not in page.content.decode()
    empty = client.get("/search/", {"q": "没有这个人"})
    assert "/customers/new/" in empty.content.decode()
    assert client.get("/search/").status_code == 200


def test_suggestions_are_a_list_under_the_box(client: Client, shan) -> None:
    client.force_login(make_user("technician", store=make_store()))
    part = client.get("/search/", {"q": "8k012"}, headers={"HX-Request": "true"}).content.decode()
    assert part.count('role="option"') == 1
    assert "<html" not in part
    none = client.get("/search/", {"q": "<script>"}, headers={"HX-Request": "true"}).content.decode()
    assert "<script>" not in none
    assert "&lt;script&gt;" in none


def test_only_who_may_search_sees_the_page(client: Client) -> None:
    client.force_login(make_user("admin", store=make_store()))
    assert client.get("/search/", {"q": "8K012"}).status_code == 403
    with pytest.raises(NotAllowed):
        make_actor("admin", store=make_store()).require("kernel.search.use")


@pytest.mark.django_db(transaction=True)
def test_fifty_thousand_rows_are_found_by_index(as_owner) -> None:
    as_owner(
        "INSERT INTO reception_customer (uid, version, created_at, updated_at, kind, name, pinyin, pinyin_initials,"
        " phone, phone_2, email, uscc, language, channel, note) SELECT gen_random_uuid(), 1, now(), now(), 'PERSON',"
        " chr(20000 + n % 300) || chr(21000 + n % 4001) || chr(22000 + n % 997), md5(n::text), substr(md5(n::text), 1, 4),"
        " '13' || lpad((n * 7919 % 1000000000)::text, 9, '0'), '', '', '', 'zh-hans', 'SMS', ''"
        " FROM generate_series(1, 50000) n"
    )
    as_owner(
        "INSERT INTO reception_vehicle (uid, version, created_at, updated_at, plate, plate_kind, plate_color, vin,"
        " vin_note, model_text, powertrain, engine_number, battery_code, color, odometer_km) SELECT gen_random_uuid(),"
        " 1, now(), now(), '京' || chr(65 + n % 8) || lpad(n::text, 5, '0'), 'NORMAL', 'BLUE',"
        " 'WSV' || upper(translate(substr(md5(n::text), 1, 8), 'o', '0')) || lpad(n::text, 6, '0'), '', '途远', 'ICE',"
        " '', '', '', 0 FROM generate_series(1, 50000) n"
    )
    as_owner("VACUUM ANALYZE reception_customer")
    as_owner("VACUUM ANALYZE reception_vehicle")
    for typed in (
        "12345",
        "京B12345",
        "012345",
        "4321",
        "13900004321",
        "abc",
        "ab",
        chr(20007) + chr(21007),
        chr(21007) + chr(22007),
    ):
        with CaptureQueriesContext(connection) as queries:
            search.find(text=typed, by=EYES)
        looked = [
            q["sql"]
            for q in queries
            if "FROM reception_customer c WHERE" in q["sql"] or "FROM reception_vehicle v WHERE" in q["sql"]
        ]
        assert looked
        for sql in looked:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + sql)
                plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "Seq Scan on reception_customer c" not in plan, f"{typed}\n{plan}"
            assert "Seq Scan on reception_vehicle v " not in plan, f"{typed}\n{plan}"
