"""The managers' pages of labour rates, part prices and bays: lists, a new dated price, a bay out of use (2.4, 3.2)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue import seeds
from dealership.catalogue.models import LaborRate, Part, PartPrice, Resource
from dealership.catalogue.services import plans, prices, resources
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.reception import rule
from tests.factories.staff import actor_for, make_employee, make_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    store = make_store()
    seeds.seed_store(store)
    return make_employee(store, "manager")


@pytest.fixture
def desk(client: Client, manager) -> Client:
    client.force_login(manager.user)
    return client


@pytest.fixture
def bay(manager) -> Resource:
    return resources.add_resource(
        store=manager.store, kind="BAY", code="B91", name="91 号工位", capability="PAINT", by=actor_for(manager)
    )


def test_a_rate_from_a_day_on_stands_in_the_list(desk: Client, manager) -> None:
    later = clock.today() + timedelta(days=10)
    answer = desk.post(
        reverse("labor-rate-new"), {"pay_type": "WARRANTY", "rate": "141.50", "starts_on": later.isoformat()}
    )
    assert answer["Location"] == reverse("labor-rates")
    rows = {row.pay_type: row for row in desk.get(answer["Location"]).context["rates"]}
    assert (rows["WARRANTY"].now.amount, rows["WARRANTY"].coming.amount) == (Decimal("136.00"), Decimal("141.50"))
    assert (rows["WARRANTY"].coming.starts_on, rows["INTERNAL"].coming) == (later, None)
    assert prices.labor_rate(manager.store.pk, "WARRANTY", later) == Decimal("141.50")
    line = History.objects.filter(code="catalogue.labor_rate.set").order_by("-id").first()
    assert line is not None
    assert (line.changed, line.actor_id) == ({"rate": ["136.00", "141.50"]}, str(manager.user.uid))


def test_a_rate_that_cannot_be_is_refused_with_everything_kept(desk: Client, manager) -> None:
    before = LaborRate.objects.count()
    for given, field in (
        ({"starts_on": "2023-05-01"}, "starts_on"),
        ({"rate": "-1"}, "rate"),
        ({"rate": "NaN"}, "rate"),
        ({"pay_type": "NOBODY"}, "pay_type"),
    ):
        sent = {"pay_type": "WARRANTY", "rate": "141.50", "starts_on": clock.today().isoformat()} | given
        answer = desk.post(reverse("labor-rate-new"), sent)
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert LaborRate.objects.count() == before


def test_a_payer_without_a_rate_is_seen_at_once(client: Client) -> None:
    client.force_login(make_employee(make_store("EM01"), "manager").user)
    page = client.get(reverse("labor-rates"))
    assert [row.now for row in page.context["rates"]] == [None] * 6
    assert page.content.decode().count('<td class="num"') == 6


def test_parts_without_a_price_are_found_and_get_one(desk: Client, manager) -> None:
    part = Part.objects.create(number="NEW-0001", name="新品密封圈", pinyin="xinpinmifengquan xpmfq")
    page = desk.get(reverse("part-prices") + "?missing=1")
    assert [row.part for row in page.context["found"].rows] == [part]
    address = reverse("part-price", args=[part.uid])
    assert address in page.content.decode()
    assert desk.get(address).context["prices"] == []
    today, later = clock.today(), clock.today() + timedelta(days=5)
    assert desk.post(address, {"price": "12.50", "starts_on": today.isoformat()})["Location"] == address
    assert desk.post(address, {"price": "13.00", "starts_on": later.isoformat()}).status_code == 302
    found = desk.get(reverse("part-prices") + "?words=xpmfq").context["found"]
    assert (found.found, found.missing) == (1, 0)
    assert (found.rows[0].now, found.rows[0].coming.amount) == (Decimal("12.50"), Decimal("13.00"))
    shown = desk.get(address).context["prices"]
    assert [(row.amount, row.starts_on, row.ends_on) for row in shown] == [
        (Decimal("13.00"), later, None),
        (Decimal("12.50"), today, later - timedelta(days=1)),
    ]
    again = desk.post(address, {"price": "14.00", "starts_on": today.isoformat()})
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["starts_on"])
    assert 'value="14.00"' in again.content.decode()
    assert PartPrice.objects.filter(part=part).count() == 2


def test_another_stores_prices_are_not_in_the_list(desk: Client, manager) -> None:
    part = Part.objects.create(number="NEW-0002", name="新品")
    other = make_store("TJ02")
    prices.set_part_price(
        store=other, part=part, price=Decimal(9), starts_on=clock.today(), by=machine("test", store_id=other.pk)
    )
    row = desk.get(reverse("part-prices") + "?words=NEW-0002").context["found"].rows[0]
    assert (row.now, row.coming) == (None, None)
    assert desk.get(reverse("part-price", args=[part.uid])).context["prices"] == []


def test_no_more_than_a_page_of_parts(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dealership.catalogue.selectors.prices.SHOWN", 3)
    found = desk.get(reverse("part-prices")).context["found"]
    assert (len(found.rows), found.found) == (3, len(seeds.PARTS))


def test_a_bay_is_added_taken_out_of_use_and_brought_back(desk: Client, manager) -> None:
    given = {"kind": "BAY", "code": "B90", "name": "90 号工位", "capability": "STANDARD_LIFT", "position": "90"}
    assert desk.post(reverse("bay-new"), given)["Location"] == reverse("bays")
    bay = Resource.objects.get(code="B90", store=manager.store)
    twice = desk.post(reverse("bay-new"), given)
    assert (twice.status_code, list(twice.context["form"].errors)) == (422, ["code"])
    tool = desk.post(reverse("bay-new"), given | {"kind": "TOOL", "code": "T1"})
    assert (tool.status_code, list(tool.context["form"].errors)) == (422, ["capability"])
    switch = reverse("bay-switch", args=[bay.uid])
    assert switch in desk.get(reverse("bays")).content.decode()
    assert desk.post(switch)["Location"] == reverse("bays")
    bay.refresh_from_db()
    assert not bay.active
    assert desk.post(switch).status_code == 422
    assert desk.post(switch, {"active": "1"}).status_code == 302
    bay.refresh_from_db()
    assert bay.active
    lines = History.objects.filter(code="catalogue.resource.switched", root_uid=bay.uid).order_by("id")
    assert [line.changed for line in lines] == [{"active": [True, False]}, {"active": [False, True]}]


def test_a_bay_with_work_ahead_stays_in_use(desk: Client, manager, bay: Resource) -> None:
    by = actor_for(manager)
    begin = clock.now() + timedelta(hours=1)
    plan = plans.reserve(
        resource_uid=bay.uid, starts_at=begin, ends_at=begin + timedelta(hours=1), purpose="BLOCKED",
        subject_uid=None, by=by,
    )  # fmt: skip
    with rule("resource.planned"):
        resources.switch_resource(uid=bay.uid, active=False, by=by)
    refused = desk.post(reverse("bay-switch", args=[bay.uid]))
    assert (refused.status_code, Resource.objects.get(pk=bay.pk).active) == (422, True)
    plans.release(reservation_uid=plan.uid, by=by)
    assert not resources.switch_resource(uid=bay.uid, active=False, by=by).active


def test_who_only_looks_changes_nothing(client: Client, manager, bay: Resource) -> None:
    advisor = make_employee(manager.store, "advisor")
    client.force_login(advisor.user)
    for name in ("labor-rates", "part-prices", "bays"):
        assert client.get(reverse(name)).status_code == 200
    assert reverse("bay-switch", args=[bay.uid]) not in client.get(reverse("bays")).content.decode()
    assert client.get(reverse("labor-rate-new")).status_code == 403
    assert client.post(reverse("bay-switch", args=[bay.uid])).status_code == 403
    with pytest.raises(NotAllowed):
        resources.switch_resource(uid=bay.uid, active=False, by=actor_for(advisor))
    person = Resource.objects.create(store=manager.store, kind="PERSON", code="P1", name="测试员", employee=advisor)
    with pytest.raises(Resource.DoesNotExist):
        resources.switch_resource(uid=person.uid, active=False, by=actor_for(manager))


def test_rates_prices_and_bays_over_the_api(manager, bay: Resource) -> None:
    caller = ApiCaller("catalogue:write", store=manager.store, acts_for=manager.user)
    later = (clock.today() + timedelta(days=3)).isoformat()
    rate = {"pay_type": "INSURANCE", "rate": "165.00", "starts_on": later}
    made = caller.post("labor-rates", rate)
    assert (made.status_code, made.json()["rate"], made.json()["ends_on"]) == (201, "165.00", None)
    problem(caller.post("labor-rates", rate), 409, "rate.later_exists")
    part = Part.objects.get(number="OIL-5W30-1L")
    price = caller.post("part-prices", {"part_uid": str(part.uid), "price": "71.00", "starts_on": later})
    assert (price.status_code, price.json()["part_number"]) == (201, "OIL-5W30-1L")
    listed = caller.get(f"part-prices?part_uid={part.uid}").json()["data"]
    assert sorted(row["price"] for row in listed) == ["68.00", "71.00"]
    assert not caller.act(f"bays/{bay.uid}", "switch", {"active": False}).json()["active"]
    problem(caller.act(f"bays/{bay.uid}", "switch", {"active": False}), 409, "resource.same")
