"""Pages of customers and vehicles: forms work without JavaScript, refusals keep what was typed, numbers stay masked."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from dealership.kernel import clock
from dealership.kernel.models import History
from reception.models import Consent, Customer, Vehicle
from tests.factories.kernel import make_store, make_user
from tests.factories.reception import make_customer, make_vehicle, make_vin

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_user("receptionist", store=make_store(code="BJ01")))
    return client


def test_the_list_shows_cars_and_masked_numbers_and_filters_by_its_counts(desk: Client) -> None:
    owner = make_customer(name="张列表", phone="13900005678")
    make_vehicle(plate="京A8K312", owner_uid=owner.uid)
    make_customer(name="试车有限公司", kind="COMPANY")
    page = desk.get(reverse("customers"))
    assert page.context["page"].counts == {"": 2, "PERSON": 1, "COMPANY": 1}
    text = page.content.decode()
    assert "京A·8K312" in text
    assert "139****5678" in text
    assert "13900005678" not in text
    only = desk.get(reverse("customers"), {"kind": "COMPANY"})
    assert [row.name for row in only.context["page"].rows] == ["试车有限公司"]
    assert [row.name for row in desk.get(reverse("customers"), {"q": "5678"}).context["page"].rows] == ["张列表"]


def test_an_empty_list_says_what_to_do(desk: Client) -> None:
    assert reverse("customer-new") in desk.get(reverse("customers")).content.decode()
    assert reverse("customers") in desk.get(reverse("customers"), {"q": "无人"}).content.decode()


def test_the_list_asks_the_same_number_of_questions_however_long_it_is(desk: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            desk.get(reverse("customers"))
        return len(queries)

    make_vehicle(owner_uid=make_customer().uid)
    count()
    few = count()
    for _number in range(5):
        make_vehicle(owner_uid=make_customer().uid)
    assert count() == few


def test_older_customers_are_a_page_further(desk: Client) -> None:
    for number in range(53):
        make_customer(name=f"第{number}")
    first = desk.get(reverse("customers")).context["page"]
    assert (len(first.rows), first.rows[0].name) == (50, "第52")
    second = desk.get(reverse("customers"), {"before": first.next_before}).context["page"]
    assert ([row.name for row in second.rows], second.next_before) == (["第2", "第1", "第0"], None)


def test_a_customer_is_registered_once_per_form(desk: Client) -> None:
    form = {
        "form_token": str(uuid.uuid4()), "name": "新客户", "phone": "139 0000 0001", "kind": "PERSON",
        "language": "zh-hans", "channel": "SMS",
    }  # fmt: skip
    first, second = desk.post(reverse("customer-new"), form), desk.post(reverse("customer-new"), form)
    customer = Customer.objects.get()
    assert first["Location"] == second["Location"] == reverse("customer-detail", args=[customer.uid])
    assert customer.home_store.code == "BJ01"


def test_a_known_number_is_shown_before_a_second_customer_is_made(desk: Client) -> None:
    known = make_customer(name="先来的", phone="13900000001")
    form = {"name": "后来的", "phone": "+8613900000001", "kind": "PERSON", "language": "zh-hans", "channel": "SMS"}
    asked = desk.post(reverse("customer-new"), form)
    assert asked.status_code == 422
    assert str(known.uid) in asked.content.decode()
    assert 'value="后来的"' in asked.content.decode()
    assert Customer.objects.count() == 1
    assert desk.post(reverse("customer-new"), form | {"anyway": "on"}).status_code == 302
    assert Customer.objects.count() == 2


def test_a_refusal_names_the_field_and_keeps_what_was_typed(desk: Client) -> None:
    answer = desk.post(
        reverse("customer-new"),
        {"name": "王试", "phone": "12345", "kind": "PERSON", "language": "zh-hans", "channel": "SMS"},
    )
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["phone"]
    assert 'value="12345"' in answer.content.decode()
    assert not Customer.objects.exists()


def test_the_whole_number_is_shown_once_and_logged(desk: Client) -> None:
    customer = make_customer(phone="13900005678", phone_2="13900008765", email="zhang@example.com")
    page = desk.get(reverse("customer-detail", args=[customer.uid])).content.decode()
    for secret in ("13900005678", "139 0000 5678", "13900008765", "zhang@example.com"):
        assert secret not in page
    shown = desk.post(reverse("customer-unmask", args=[customer.uid]), {"reason": "CALL"})
    assert "139 0000 5678" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    assert History.objects.filter(code="reception.customer.unmasked", customer_uid=customer.uid).count() == 1
    refused = desk.post(reverse("customer-unmask", args=[customer.uid]), {"reason": ""})
    assert refused.status_code == 422
    assert "139 0000 5678" not in refused.content.decode()


def test_consents_are_given_and_withdrawn_with_one_button(desk: Client) -> None:
    customer = make_customer()
    place = reverse("customer-consent", args=[customer.uid])
    for given in ("1", "0"):
        answer = desk.post(place, {"purpose": "MARKETING", "given": given, "channel": "PHONE"})
        assert answer["Location"].endswith("#consents")
    assert list(Consent.objects.order_by("id").values_list("given", flat=True)) == [True, False]
    assert desk.post(place, {"purpose": "MARKETING", "given": "0", "channel": "PHONE"}).status_code == 422
    assert desk.post(place, {"purpose": "ALL"}).status_code == 422
    assert Consent.objects.count() == 2


def test_a_vehicle_is_registered_for_its_owner_and_shown(desk: Client) -> None:
    owner = make_customer(name="车主试")
    assert "车主试" in desk.get(reverse("vehicle-new"), {"owner": owner.uid}).content.decode()
    answer = desk.post(
        reverse("vehicle-new"),
        {
            "plate": "京ad-06218", "plate_kind": "NORMAL", "vin": make_vin(3), "model_text": "途远 EV",
            "odometer_km": "120", "owner": str(owner.uid),
        },
    )  # fmt: skip
    vehicle = Vehicle.objects.get()
    assert answer["Location"] == reverse("vehicle-detail", args=[vehicle.uid])
    page = desk.get(answer["Location"]).content.decode()
    for word in ("京A·D06218", make_vin(3), "车主试", "120 公里"):
        assert word in page


def test_a_desk_person_is_not_offered_the_override_of_a_vin_but_the_manager_is(desk: Client, client: Client) -> None:
    wrong = make_vin(3)[:8] + ("1" if make_vin(3)[8] != "1" else "2") + make_vin(3)[9:]
    form = {"plate": "", "plate_kind": "NORMAL", "vin": wrong, "model_text": "途远", "vin_override_reason": "证件如此"}
    assert desk.post(reverse("vehicle-new"), form).status_code == 422
    client.force_login(make_user("manager", store=make_store()))
    assert client.post(reverse("vehicle-new"), form).status_code == 302
    assert Vehicle.objects.get().vin_note == "证件如此"
    assert "证件如此" in client.get(reverse("vehicle-detail", args=[Vehicle.objects.get().uid])).content.decode()


def test_owner_and_mileage_are_changed_by_plain_forms(desk: Client) -> None:
    old, new = make_customer(name="旧车主"), make_customer(name="新车主", phone="13900007777")
    vehicle = make_vehicle(owner_uid=old.uid, odometer_km=100, delivered_on=clock.today().replace(year=2024, day=1))
    place = reverse("vehicle-owner", args=[vehicle.uid])
    assert [row.name for row in desk.get(place, {"q": "7777"}).context["found"]] == ["新车主"]
    assert desk.post(place, {"owner": str(new.uid), "on": "2199-01-01"}).status_code == 422
    assert desk.post(place, {"owner": str(new.uid), "on": clock.today().isoformat()}).status_code == 302
    assert vehicle.ownerships.get(ends_on__isnull=True).customer == new
    meter = reverse("vehicle-odometer", args=[vehicle.uid])
    lower = desk.post(meter, {"odometer_km": "90"})
    assert (lower.status_code, list(lower.context["form"].errors)) == (422, ["odometer_km"])
    assert desk.post(meter, {"odometer_km": "90", "odometer_reason": "更换仪表"}).status_code == 302
    assert "更换仪表" in desk.get(reverse("vehicle-detail", args=[vehicle.uid])).content.decode()


def test_a_correction_comes_filled_in_and_refuses_a_taken_plate(desk: Client) -> None:
    other, vehicle = make_vehicle(plate="京A00001"), make_vehicle(plate="京A00002")
    place = reverse("vehicle-edit", args=[vehicle.uid])
    form = desk.get(place).context["form"]
    values = {name: form[name].value() or "" for name in form.fields}
    refused = desk.post(place, values | {"plate": other.plate})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["plate"])
    assert desk.post(place, values | {"plate": "京A00003"}).status_code == 302
    vehicle.refresh_from_db()
    assert (vehicle.plate, vehicle.model_text) == ("京A00003", "途远 2.0T")


@pytest.mark.parametrize("role", ["technician", "admin"])
def test_customers_are_hidden_from_who_does_not_need_them(client: Client, role: str) -> None:
    owner = make_customer(name="不给看")
    vehicle = make_vehicle(owner_uid=owner.uid)
    client.force_login(make_user(role, store=make_store()))
    assert client.get(reverse("customers")).status_code == 403
    assert client.get(reverse("customer-detail", args=[owner.uid])).status_code == 403
    assert client.post(reverse("customer-unmask", args=[owner.uid]), {"reason": "CALL"}).status_code == 403
    page = client.get(reverse("vehicle-detail", args=[vehicle.uid]))
    assert page.status_code == (200 if role == "technician" else 403)
    assert "不给看" not in page.content.decode()


def test_what_is_not_there_is_a_404(desk: Client) -> None:
    for name in ("customer-detail", "customer-edit", "vehicle-detail", "vehicle-edit", "vehicle-owner"):
        assert desk.get(reverse(name, args=[uuid.uuid4()])).status_code == 404
