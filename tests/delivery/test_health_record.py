"""3.3, domain 7.2 and 3.5: the health record is drawn from facts only, and no list is issued without them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealership.kernel import clock, limits
from dealership.kernel.models import History
from dealership.kernel.saying import say_plate
from dealership.kernel.services import set_setting
from delivery.documents import settlement_data
from delivery.health_record import Facts, missing, payload
from delivery.models import Settlement
from delivery.selectors.health_records import facts_of_list
from delivery.selectors.settlements import read_settlement
from delivery.services.settlements import issue_settlement
from reception.models import Vehicle, Visit
from tests.factories.delivery import make_ready, make_team
from tests.factories.kernel import make_actor, make_store
from tests.factories.reception import rule

FACTS = Facts(
    company="示例汽车销售服务有限公司",
    plate="沪A12345",
    unregistered=False,
    vin="LSJA24U62JG269225",
    repaired_on=date(2026, 3, 2),
    odometer_km=50000,
    settled_on=date(2026, 3, 3),
    fault="换机油",
    list_number="JS-BJ01-20260303-0001",
    projects=[("更换机油机滤", Decimal("1.25"))],
    parts=[("机油滤清器", "P000001", Decimal(1))],
)


def test_the_record_is_what_the_platform_reads():
    assert payload(FACTS) == {
        "basicInfo": {
            "vehicleplatenumber": "沪A12345",
            "companyname": "示例汽车销售服务有限公司",
            "vin": "LSJA24U62JG269225",
            "repairdate": "20260302",
            "repairmileage": "50000",
            "settledate": "20260303",
            "faultdescription": "换机油",
            "costlistcode": "JS-BJ01-20260303-0001",
        },
        "vehiclepartslist": [{"partsname": "机油滤清器", "partsquantity": "1.00", "partscode": "P000001"}],
        "repairprojectlist": [{"repairproject": "更换机油机滤", "workinghours": "1.3"}],
    }


@pytest.mark.parametrize(
    ("gap", "names"),
    [
        ({"company": " "}, "companyname"),
        ({"company": "长" * 101}, "companyname"),
        ({"vin": ""}, "vin"),
        ({"vin": "LSJA24U62JG26922"}, "vin"),
        ({"plate": ""}, "vehicleplatenumber"),
        ({"odometer_km": None}, "repairmileage"),
        ({"odometer_km": 2_000_001}, "repairmileage"),
        ({"fault": "\n"}, "faultdescription"),
        ({"repaired_on": None}, "repairdate"),
        ({"settled_on": date(2026, 3, 1)}, "settledate"),
        ({"list_number": ""}, "costlistcode"),
        ({"list_number": "J" * 51}, "costlistcode"),
        ({"projects": [], "parts": []}, "repairprojectlist"),
        ({"projects": [(" ", Decimal(1))], "parts": []}, "repairprojectlist"),
    ],
)
def test_each_missing_fact_is_named_and_nothing_is_drawn(gap, names):
    facts = replace(FACTS, **gap)
    assert [row.fact for row in missing(facts)] == [names]
    with pytest.raises(ValueError, match=names):
        payload(facts)


def test_boundaries_that_pass():
    for good in (
        {"odometer_km": 0},
        {"odometer_km": 2_000_000},
        {"company": "长" * 100},
        {"list_number": "J" * 50},
        {"settled_on": date(2026, 3, 2)},
        {"projects": []},
        {"parts": []},
        {"plate": "", "unregistered": True},
    ):
        assert missing(replace(FACTS, **good)) == []


texts = st.text(st.characters(codec="utf-8"), max_size=400)
amounts = st.decimals(0, 9999, places=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no defect
@given(
    fault=texts,
    projects=st.lists(st.tuples(texts, amounts), max_size=4),
    parts=st.lists(st.tuples(texts, texts, amounts), max_size=4),
    km=st.none() | st.integers(-5, 2_100_000),
)
def test_a_drawn_record_keeps_its_lengths_and_says_only_what_was_given(fault, projects, parts, km):
    facts = replace(FACTS, fault=fault, projects=projects, parts=parts, odometer_km=km)
    if missing(facts):
        with pytest.raises(ValueError):
            payload(facts)
        return
    drawn = payload(facts)
    assert 0 < len(drawn["basicInfo"]["faultdescription"]) <= 200
    assert drawn["basicInfo"]["faultdescription"] in fault
    assert drawn["basicInfo"]["repairmileage"] == str(km)
    names = [name for name, _hours in projects]
    for row in drawn["repairprojectlist"]:
        assert 0 < len(row["repairproject"]) <= 200
        assert any(row["repairproject"] in name for name in names)
        assert len(row["workinghours"].rpartition(".")[2]) == 1
    for row in drawn["vehiclepartslist"]:
        assert 0 < len(row["partsname"]) <= 50
        assert len(row["partscode"]) <= 50
        assert any(row["partsname"] in name and code.startswith(row["partscode"]) for name, code, _n in parts)
        assert len(row["partsquantity"].rpartition(".")[2]) == 2


def bare(team):
    """An order that is ready, of a car whose VIN nobody read."""
    order = make_ready(team)
    Vehicle.objects.filter(pk=order.vehicle_id).update(vin="")
    order.vehicle.refresh_from_db()
    return order


INSERT = (
    "INSERT INTO delivery_settlement (uid, version, created_at, updated_at, store_id, number, order_id, payer_id, state,"
    " labor_total, material_total, other_total, discount_total, rounding_total, total, old_parts, guarantee_days,"
    " guarantee_km, issued_at, signed_name, void_reason) SELECT gen_random_uuid(), 1, now(), now(), store_id, 'JS-X', id,"
    " customer_id, 'ISSUED', 0, 0, 0, 0, 0, 0, '', 0, 0, now(), '', '' FROM workshop_repairorder WHERE id = %s"
)


@pytest.mark.django_db
def test_no_list_without_the_facts_and_nothing_is_written(refused, client):
    team = make_team()
    order = bare(team)
    before = History.objects.count()
    with rule("settlement.health_record"):
        issue_settlement(order_uid=order.uid, by=team.advisor)
    with refused("settlement_health_record") as sql:
        sql(INSERT, [order.pk])
    assert (Settlement.objects.count(), History.objects.count(), order.lines.filter(settled=True).count()) == (
        0,
        before,
        0,
    )
    client.force_login(team.advisor.user)
    page = client.get(reverse("settlement-issue", args=[order.uid])).content.decode()
    assert "还缺" in page
    assert reverse("vehicle-edit", args=[order.vehicle.uid]) in page
    sent = client.post(reverse("settlement-issue", args=[order.uid]), {})
    assert sent.status_code == 422
    assert "VIN" in sent.content.decode()
    Vehicle.objects.filter(pk=order.vehicle_id).update(vin="LSJA24U62JG269225")
    assert issue_settlement(order_uid=order.uid, by=team.advisor).pk


@pytest.mark.django_db
@pytest.mark.parametrize("gap", ["plate", "mileage", "words"])
def test_the_database_misses_each_fact(refused, gap):
    team = make_team()
    order = make_ready(team)
    if gap == "plate":
        Vehicle.objects.filter(pk=order.vehicle_id).update(plate="")
    elif gap == "mileage":
        Visit.objects.filter(pk=order.visit_id).update(odometer_in_km=None)
    else:
        type(order).objects.filter(pk=order.pk).update(complaint=" ")
    with rule("settlement.health_record"):
        issue_settlement(order_uid=order.uid, by=team.advisor)
    with refused("settlement_health_record") as sql:
        sql(INSERT, [order.pk])


@pytest.mark.django_db
def test_a_new_car_without_a_plate_is_settled():
    team = make_team()
    order = make_ready(team)
    Vehicle.objects.filter(pk=order.vehicle_id).update(plate="", plate_kind="UNREGISTERED")
    assert issue_settlement(order_uid=order.uid, by=team.advisor).pk


@pytest.mark.django_db
def test_a_store_that_sends_no_records_settles_without_them():
    team, other = make_team(), make_team()
    set_setting(
        key="delivery.health_record",
        store=team.store,
        value=0,
        starts_on=clock.today(),
        reason="三类店，平台未开通",
        by=make_actor("gm", store=team.store),
    )
    limits.forget()
    assert issue_settlement(order_uid=bare(team).uid, by=team.advisor).pk
    with rule("settlement.health_record"):
        issue_settlement(order_uid=bare(other).uid, by=other.advisor)


@pytest.mark.django_db
def test_the_record_of_a_list_is_drawn_from_the_list():
    team = make_team(make_store(company="示例汽车销售服务有限公司"))
    order = make_ready(team)
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    drawn = payload(facts_of_list(settlement))
    assert drawn["basicInfo"]["costlistcode"] == settlement.number
    assert drawn["basicInfo"]["companyname"] == "示例汽车销售服务有限公司"
    assert drawn["basicInfo"]["repairmileage"] == "50000"
    assert [row["repairproject"] for row in drawn["repairprojectlist"]] == ["更换机油机滤"]
    assert [row["partsname"] for row in drawn["vehiclepartslist"]] == ["机油滤清器"]


FIELDS = {
    "list number": lambda d, s: d["number"] == s.number,
    "owner": lambda d, s: "Owner" in facts(d),
    "brought by, telephone": lambda d, s: facts(d)["Brought by"] and facts(d)["Telephone"],
    "make and model": lambda d, s: facts(d)["Model"] == s.order.vehicle.model_text,
    "plate": lambda d, s: facts(d)["Plate"] == say_plate(s.order.vehicle.plate),
    "engine number": lambda d, s: facts(d)["Engine or motor no."] == "EN-77",
    "VIN": lambda d, s: facts(d)["VIN"] == s.order.vehicle.vin,
    "vehicle type": lambda d, s: facts(d)["Vehicle type"] == "小型轿车",
    "company, contact, address, telephone": lambda d, s: [v for k, v in d["shop"]].count("—") == 0,
    "unified social credit code": lambda d, s: dict(d["shop"])["Unified social credit code"] == s.store.uscc,
    "contact": lambda d, s: dict(d["shop"])["Contact"] == s.order.advisor.name,
    "mileage in": lambda d, s: facts(d)["Mileage in (km)"] == "50,000",
    "labour: job, hours, price, amount, note": lambda d, s: (
        {"description", "quantity", "price", "amount", "note"} <= d["labor"][0].keys()
    ),
    "parts: name, code, brand, quantity, price, amount, attribute, customer's own": lambda d, s: (
        all(d["material"][0][key] for key in ("description", "code", "brand", "quantity", "price", "amount", "kind"))
        and d["material"][0]["own"] == "no"
    ),
    "other fees": lambda d, s: "other" in d,
    "total, discount": lambda d, s: d["total"][1] and "Discount" in dict(d["sums"]),
    "paid in advance, paid": lambda d, s: "deposit" in d and d["paid"],
    "old parts": lambda d, s: facts(d)["Old parts"] == "Shop disposes of them, with the customer's consent",
    "two copies, valid when signed": lambda d, s: any("Two copies" in n for n in d["notes"]),
    "guarantee": lambda d, s: any("2,000 km" in n and "10 days" in n for n in d["notes"]),
    "special parts of new-energy cars": lambda d, s: any("Traction battery" in n for n in d["notes"]),
    "both signatures with date": lambda d, s: d["labels"]["customer_signs"] and d["labels"]["shop_signs"],
}


def facts(data):
    return dict(data["facts"])


@pytest.mark.django_db
def test_the_list_has_every_field_of_the_standard():
    team = make_team(
        make_store(
            company="示例汽车销售服务有限公司", uscc="91310000MA1K000006", address="示例路 1 号", phone="021-00000000"
        )
    )
    order = make_ready(team)
    Vehicle.objects.filter(pk=order.vehicle_id).update(engine_number="EN-77", powertrain="BEV", vehicle_type="小型轿车")
    settlement = issue_settlement(order_uid=order.uid, by=team.advisor)
    with override("en"):
        data = settlement_data(read_settlement(uid=settlement.uid, by=team.advisor))
    lacking = [name for name, there in FIELDS.items() if not there(data, settlement)]
    assert lacking == []
