"""The people around a customer, and the tags of a store (2.3)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from dealership.kernel.saying import say_plate
from reception.models import CustomerContact, CustomerTag, CustomerTagging
from reception.selectors.search import Typed, contact_hits, find
from reception.services import contacts, merging, tags
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_customer, make_vehicle, make_visit, rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Any:
    return make_store(code="BJ01")


@pytest.fixture
def desk(store: Any) -> Any:
    return make_actor("receptionist", store=store)


@pytest.fixture
def care(store: Any) -> Any:
    return make_actor("care", store=store)


# --- people ---


def test_a_person_is_written_down_corrected_and_taken_off(desk: Any) -> None:
    fleet = make_customer(name="试运物流", kind="COMPANY")
    given = {"name": "李试管", "roles": ["AUTHORISES", "FLEET_MANAGER"], "phone": "+86 139 0000 7771"}
    person = contacts.add_contact(customer_uid=fleet.uid, by=desk, **given)
    assert (person.roles, person.phone) == (["FLEET_MANAGER", "AUTHORISES"], "13900007771")
    contacts.correct_contact(uid=person.uid, roles=["FLEET_MANAGER"], phone="", by=desk)
    person.refresh_from_db()
    assert (person.roles, person.phone) == (["FLEET_MANAGER"], "")
    contacts.end_contact(uid=person.uid, by=desk)
    lines = list(History.objects.filter(root_uid=person.uid).order_by("id").values_list("code", "facts"))
    assert [code for code, _facts in lines] == [
        "reception.customer_contact.added",
        "reception.customer_contact.corrected",
        "reception.customer_contact.ended",
    ]
    assert "13900007771" not in str(lines)
    assert "李试管" not in str(lines)


@pytest.mark.parametrize("typed", ["赵司机", "13900007771", "7771", "zhaosiji", "zsj"])
def test_a_person_is_found_in_the_search_box_as_the_customer_is(desk: Any, typed: str) -> None:
    fleet = make_customer(name="试运物流", kind="COMPANY", phone="13700009000")
    car = make_vehicle(owner_uid=fleet.uid)
    given = {"name": "赵司机", "roles": ["DRIVER"], "phone": "13900007771"}
    person = contacts.add_contact(customer_uid=fleet.uid, by=desk, **given)
    (hit,) = [hit for hit in find(text=typed, by=desk) if hit.kind == "customer-contact"]
    assert (hit.uid, hit.url) == (person.uid, reverse("customer-detail", args=[fleet.uid]) + "#people")
    assert (hit.title, str(hit.label)) == ("赵司机 · 试运物流", "驾驶人")
    assert hit.say == f"139****7771 · {say_plate(car.plate)}", "the number stays masked"
    contacts.correct_contact(uid=person.uid, name="钱司机", by=desk)
    found = {text: [hit.uid for hit in find(text=text, by=desk) if hit.uid == person.uid] for text in ("zsj", "qsj")}
    assert found == {"zsj": [], "qsj": [person.uid]}
    contacts.end_contact(uid=person.uid, by=desk)
    assert not [hit for hit in find(text="qsj", by=desk) if hit.uid == person.uid]


def test_a_person_is_found_over_the_api_with_a_masked_name_and_by_nobody_who_sees_no_customers(desk: Any) -> None:
    fleet = make_customer(name="试运物流", kind="COMPANY")
    person = contacts.add_contact(customer_uid=fleet.uid, name="赵司机", roles=["DRIVER"], by=desk)
    said = ApiCaller("reception:read", store=make_store(code="BJ02")).get("search?q=zhaosiji").json()["data"]
    assert [(row["kind"], row["uid"]) for row in said] == [("customer-contact", str(person.uid))]
    assert "赵司机" not in str(said)
    assert "试运" not in str(said)
    assert not list(contact_hits(make_actor("technician", store=make_store(code="BJ03")), Typed("zhaosiji")))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": " "}, "customer.name"),
        ({"roles": []}, "contact.roles"),
        ({"roles": ["FRIEND"]}, "contact.roles"),
        ({"phone": "123"}, "phone.pattern"),
        ({"roles": ["AUTHORISES"], "phone": ""}, "contact.reachable"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_written(desk: Any, given: dict[str, Any], code: str) -> None:
    customer = make_customer()
    right = {"name": "王试驶", "roles": ["DRIVER"], "phone": "13900007772"}
    with rule(code):
        contacts.add_contact(customer_uid=customer.uid, by=desk, **(right | given))
    assert CustomerContact.objects.count() == 0
    assert History.objects.filter(root_type="customer_contact").count() == 0


def test_the_same_person_twice_and_an_ended_one_are_refused(desk: Any) -> None:
    customer = make_customer()
    given = {"customer_uid": customer.uid, "name": "王试驶", "roles": ["DRIVER"], "by": desk}
    person = contacts.add_contact(**given)
    with rule("contact.known"):
        contacts.add_contact(**given)
    with rule("contact.unchanged"):
        contacts.correct_contact(uid=person.uid, roles=["DRIVER"], by=desk)
    contacts.end_contact(uid=person.uid, by=desk)
    with rule("contact.ended"):
        contacts.correct_contact(uid=person.uid, note="晚上", by=desk)
    with pytest.raises(NotAllowed):
        contacts.add_contact(**(given | {"by": make_actor("technician", store=make_store())}))


def test_the_database_refuses_a_person_without_role_or_way_to_be_asked(refused: Any, desk: Any) -> None:
    person = contacts.add_contact(
        customer_uid=make_customer().uid, name="王试驶", roles=["AUTHORISES"], phone="13900007773", by=desk
    )
    update = "UPDATE reception_customercontact SET {} WHERE id = %s"
    for name, change in (
        ("customercontact_reachable", "phone = ''"),
        ("customercontact_roles", "roles = '{}'"),
        ("customercontact_roles", "roles = '{FRIEND}'"),
        ("customercontact_named", "name = ''"),
    ):
        with refused(name) as sql:
            sql(update.format(change), [person.pk])


def test_the_customers_page_shows_people_masked_until_the_number_is_asked_for(client: Client, store: Any) -> None:
    client.force_login(make_user("receptionist", store=store))
    customer = make_customer(name="试运物流", kind="COMPANY")
    form = {"name": "李试管", "roles": ["FLEET_MANAGER", "AUTHORISES"], "phone": "13900007774"}
    wrong = client.post(reverse("contact-new", args=[customer.uid]), form | {"phone": "12"})
    assert (wrong.status_code, 'value="李试管"' in wrong.content.decode()) == (422, True)
    answer = client.post(reverse("contact-new", args=[customer.uid]), form)
    assert answer["Location"] == reverse("customer-detail", args=[customer.uid]) + "#people"
    page = client.get(reverse("customer-detail", args=[customer.uid])).content.decode()
    assert "李试管" in page
    assert "13900007774" not in page
    assert "139****7774" in page
    shown = client.post(reverse("customer-unmask", args=[customer.uid]), {"reason": "CALL"}).content.decode()
    assert "139 0000 7774" in shown or "13900007774" in shown
    person = CustomerContact.objects.get()
    client.post(reverse("contact-edit", args=[person.uid]), form | {"note": "工作日"})
    client.post(reverse("contact-end", args=[person.uid]))
    person.refresh_from_db()
    assert (person.note, person.ended_at is not None) == ("工作日", True)
    assert client.get(reverse("contact-edit", args=[person.uid])).status_code == 404


# --- tags ---


def test_a_store_defines_its_tags_and_filters_its_customers_by_them(client: Client, store: Any, desk: Any) -> None:
    client.force_login(make_user("care", store=store))
    client.post(reverse("customer-tags"), {"name": " 大客户 ", "color": "VIOLET"})
    tag = CustomerTag.objects.get()
    assert (tag.name, tag.color, tag.store) == ("大客户", "VIOLET", store)
    twice = client.post(reverse("customer-tags"), {"name": "大客户", "color": "BLUE"})
    assert (twice.status_code, CustomerTag.objects.count()) == (422, 1)
    carrier, other = make_customer(name="张有签"), make_customer(name="李无签")
    make_vehicle(owner_uid=carrier.uid)
    answer = client.post(reverse("customer-tag", args=[carrier.uid]), {"tag_uid": tag.uid})
    assert answer["Location"] == reverse("customer-detail", args=[carrier.uid])
    found = client.get(reverse("customers"), {"tag": tag.uid}).context["page"]
    assert ([row.name for row in found.rows], found.counts[""]) == (["张有签"], 1)
    assert "大客户" in client.get(reverse("customer-detail", args=[carrier.uid])).content.decode()
    visit = make_visit(desk, customer_uid=carrier.uid)
    assert "大客户" in client.get(reverse("visit-detail", args=[visit.uid])).content.decode()
    client.post(reverse("customer-untag", args=[CustomerTagging.objects.get().uid]))
    assert client.get(reverse("customers"), {"tag": tag.uid}).context["page"].rows == []
    assert other.taggings.count() == 0


def test_another_stores_tag_is_neither_seen_nor_put_on(client: Client, store: Any, care: Any, desk: Any) -> None:
    customer = make_customer()
    tag = tags.define_tag(name="大客户", by=care)
    tags.tag_customer(customer_uid=customer.uid, tag_uid=tag.uid, by=desk)
    other = make_store()
    with pytest.raises(CustomerTag.DoesNotExist):
        tags.tag_customer(customer_uid=customer.uid, tag_uid=tag.uid, by=make_actor("receptionist", store=other))
    client.force_login(make_user("care", store=other))
    assert "大客户" not in client.get(reverse("customer-detail", args=[customer.uid])).content.decode()
    assert len(client.get(reverse("customers"), {"tag": tag.uid}).context["page"].rows) == 1  # no filter of theirs
    tags.define_tag(name="大客户", by=make_actor("care", store=other))


def test_refusals_of_tags(refused: Any, care: Any, desk: Any) -> None:
    customer = make_customer()
    tag = tags.define_tag(name="大客户", by=care)
    with rule("tag.name"):
        tags.define_tag(name="", by=care)
    with rule("tag.color"):
        tags.define_tag(name="红", color="RED", by=care)
    with rule("tag.unchanged"):
        tags.change_tag(uid=tag.uid, name="大客户", color="GREY", by=care)
    with pytest.raises(NotAllowed):
        tags.define_tag(name="新", by=desk)
    worn = tags.tag_customer(customer_uid=customer.uid, tag_uid=tag.uid, by=desk)
    with rule("tag.known"):
        tags.tag_customer(customer_uid=customer.uid, tag_uid=tag.uid, by=desk)
    insert = (
        "INSERT INTO reception_customertagging (uid, version, created_at, updated_at, at, tag_id, customer_id)"
        " VALUES (gen_random_uuid(), 1, now(), now(), now(), %s, %s)"
    )
    with refused("customertagging_once") as sql:
        sql(insert, [tag.pk, customer.pk])
    tags.untag_customer(uid=worn.uid, by=desk)
    with rule("tag.off"):
        tags.untag_customer(uid=worn.uid, by=desk)
    tags.end_tag(uid=tag.uid, by=care)
    with rule("tag.ended"):
        tags.tag_customer(customer_uid=customer.uid, tag_uid=tag.uid, by=desk)
    with refused("customertagging_standing_tag") as sql:
        sql(insert, [tag.pk, customer.pk])
    assert tags.define_tag(name="大客户", by=care).pk != tag.pk


def test_a_merge_moves_tags_and_people_and_keeps_one_of_a_tag_that_both_carry(care: Any, store: Any) -> None:
    manager = make_actor("manager", store=store)
    kept, merged = make_customer(name="双试"), make_customer(name="双试")
    both, one = tags.define_tag(name="大客户", by=care), tags.define_tag(name="网约车", by=care)
    for customer, tag in ((kept, both), (merged, both), (merged, one)):
        tags.tag_customer(customer_uid=customer.uid, tag_uid=tag.uid, by=care)
    person = contacts.add_contact(customer_uid=merged.uid, name="王试驶", roles=["DRIVER"], by=care)
    merge = merging.merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=manager)
    assert sorted(kept.taggings.values_list("tag__name", flat=True)) == ["大客户", "网约车"]
    person.refresh_from_db()
    assert person.customer == kept
    merging.undo_merge(uid=merge.uid, by=manager)
    assert sorted(merged.taggings.values_list("tag__name", flat=True)) == ["大客户", "网约车"]
    assert list(kept.taggings.values_list("tag__name", flat=True)) == ["大客户"]


def test_the_api_tags_filters_and_expands(store: Any) -> None:
    caller = ApiCaller("reception:read", "reception:write", "personal:read", store=store)
    carrier, plain = make_customer(), make_customer()
    tag = caller.post("customer-tags", {"name": "大客户", "color": "TEAL"}).json()
    worn = caller.post("customer-taggings", {"customer_uid": str(carrier.uid), "tag_uid": tag["uid"]}).json()
    person = {"customer_uid": str(carrier.uid), "name": "王试驶", "roles": ["DRIVER"]}
    assert caller.post("customer-contacts", person).status_code == 201
    found = caller.get(f"customers?tag_uid={tag['uid']}&expand=contacts,taggings").json()["data"]
    assert [row["uid"] for row in found] == [str(carrier.uid)]
    assert [row["name"] for row in found[0]["contacts"]] == ["王试驶"]
    assert [row["tag_uid"] for row in found[0]["taggings"]] == [tag["uid"]]
    problem(
        caller.post("customer-taggings", {"customer_uid": str(carrier.uid), "tag_uid": tag["uid"]}), 409, "tag.known"
    )
    assert caller.act(f"customer-taggings/{worn['uid']}", "end").status_code == 200
    again = {"customer_uid": str(carrier.uid), "tag_uid": tag["uid"]}
    caller.act(f"customer-taggings/{caller.post('customer-taggings', again).json()['uid']}", "end")
    assert caller.get(f"customers?tag_uid={tag['uid']}").json()["data"] == []
    assert {row["uid"] for row in caller.get("customers").json()["data"]} == {str(carrier.uid), str(plain.uid)}
