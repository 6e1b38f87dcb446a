"""Duplicates: what is found, merging without losing a row, undoing, what the database refuses (2.3)."""

import hashlib
import json
from typing import Any

import pytest
from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealership.kernel import clock
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History
from dealership.process.selectors.timeline import timeline
from quality.services.complaints import open_complaint
from reception.models import (
    MERGE_COLUMNS,
    ComparisonMark,
    Customer,
    CustomerMerge,
    Duplicate,
    MovedRow,
    Ownership,
    Visit,
)
from reception.selectors.customers import consents_of, others_with_phone
from reception.selectors.search import Typed, customer_hits
from reception.services import merging
from reception.services.customers import correct_customer, hold_customers, record_consent
from reception.services.merging import compare_two, find_duplicates, keep_apart, merge_customers, undo_merge
from tests.factories.api import ApiCaller, problem
from tests.factories.departed import make_departed
from tests.factories.kernel import make_actor, make_store, make_user
from tests.factories.reception import make_customer, make_vehicle, make_visit, rule
from tests.factories.staff import make_employee
from tests.factories.staff import make_store as make_staffed_store

BY = machine("tests")


def make_by(role: str) -> Actor:
    return make_actor(role, store=make_store())


pytestmark = pytest.mark.django_db


def pairs() -> list[tuple[str, str, list[str], str]]:
    rows = Duplicate.objects.select_related("first", "second").order_by("first_id", "second_id")
    return [(row.first.name, row.second.name, row.cues, row.state) for row in rows]


def state_of_everything() -> str:
    """A hash over every row of every table that a merge may touch: versions, logs and the merge's own record aside."""
    aside = {"kernel_outbox", *(m._meta.db_table for m in (CustomerMerge, MovedRow, Duplicate))}
    total = hashlib.sha256()
    for model in sorted(apps.get_models(), key=lambda m: m._meta.db_table):
        if not model._meta.managed or model._meta.db_table in aside:
            continue
        for row in model._base_manager.order_by("pk").values():
            for passing in ("version", "updated_at"):
                row.pop(passing, None)
            total.update(json.dumps([model._meta.db_table, row], cls=DjangoJSONEncoder, default=str).encode())
    return total.hexdigest()


# --- what is found ---


def test_number_company_code_name_with_plate_and_vin_are_found() -> None:
    make_customer(name="王一", phone="13700000001")
    make_customer(name="王二", phone="13700000009", phone_2="13700000001")
    old, new = make_customer(name="李同名"), make_customer(name="李同名")
    car = make_vehicle(owner_uid=old.uid)
    make_visit(make_by("receptionist"), plate=car.plate, customer_uid=new.uid)
    make_customer(name="某公司", kind="COMPANY", uscc="91350100M000100Y43")
    make_customer(name="某公司二", kind="COMPANY", uscc="91350100M000100Y43")
    make_customer(name="李同名")  # a name alone says nothing
    assert find_duplicates() == 3
    assert pairs() == [
        ("王一", "王二", ["PHONE"], "OPEN"),
        ("李同名", "李同名", ["NAME_PLATE", "VIN"], "OPEN"),
        ("某公司", "某公司二", ["USCC"], "OPEN"),
    ]


def test_names_that_sound_alike_on_one_vin_are_found_and_a_plain_sale_is_not() -> None:
    desk = make_by("receptionist")
    seller, typist = make_customer(name="王伟"), make_customer(name="王玮")
    car = make_vehicle(owner_uid=seller.uid)
    make_visit(desk, plate=car.plate, customer_uid=typist.uid)
    sold = make_vehicle(owner_uid=make_customer(name="赵卖").uid)
    make_visit(desk, plate=sold.plate, customer_uid=make_customer(name="钱买").uid)
    assert find_duplicates() == 1
    assert pairs() == [("王伟", "王玮", ["VIN"], "OPEN")]


@pytest.mark.parametrize("named", [0, 1, 2])
def test_customers_are_held_by_uid_and_by_visit(named: int, django_assert_num_queries: Any) -> None:
    """However many are named: a paper's payer, a complaint's customer, the visit's own."""
    uids = [make_customer(name=f"付款人{n}").uid for n in range(named)]
    visit = make_visit(make_by("receptionist"))
    hold_customers(uids=uids, visit_uid=visit.uid)
    with django_assert_num_queries(1):
        hold_customers(uids=uids, visit_uid=visit.uid)


def test_finding_again_changes_nothing_and_what_was_decided_stays() -> None:
    first, second = make_customer(name="王父", phone="13700000001"), make_customer(name="王子", phone="13700000001")
    manager = make_by("manager")
    assert find_duplicates() == 1
    before = list(Duplicate.objects.values())
    assert find_duplicates() == 1
    assert list(Duplicate.objects.values()) == before
    keep_apart(uid=Duplicate.objects.get().uid, by=manager)
    assert find_duplicates() == 0
    assert pairs() == [("王父", "王子", ["PHONE"], "DIFFERENT")]
    with rule("customer.duplicate_decided"):
        keep_apart(uid=Duplicate.objects.get().uid, by=manager)
    assert Customer.objects.unmerged().filter(uid__in=(first.uid, second.uid)).count() == 2, "a family stays two"


def test_an_open_pair_goes_when_nothing_is_the_same_any_more() -> None:
    make_customer(phone="13700000001")
    second = make_customer(phone="13700000001")
    find_duplicates()
    correct_customer(uid=second.uid, phone="13700000002", by=BY)
    assert find_duplicates() == 0
    assert not Duplicate.objects.exists()


def test_a_number_of_a_switchboard_says_nothing() -> None:
    for _n in range(merging.SHARED_BY_MANY + 1):
        make_customer(phone="13700000001")
    assert find_duplicates() == 0


@pytest.mark.django_db(transaction=True)
def test_only_whose_cards_cars_or_visits_changed_are_compared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first comparison of everybody the history says who is looked at; a day later everybody is."""
    old = [make_customer(name="王旧", phone="13700000001") for _n in range(3)]
    other = make_customer(name="赵远", phone="13700000005")
    assert find_duplicates() == 3
    find_duplicates()  # reads the lines that weren't final yet
    looked_at: list[int] = []
    compare = merging._compare
    monkeypatch.setattr(merging, "_compare", lambda ids: (looked_at.extend(ids), compare(ids))[1])
    assert (find_duplicates(), looked_at) == (3, [])
    new = make_customer(name="赵近", phone="13700000005")
    make_vehicle(owner_uid=old[0].uid)
    assert (find_duplicates(), sorted(looked_at)) == (4, [old[0].pk, new.pk])
    assert ("赵远", "赵近", ["PHONE"], "OPEN") in pairs()
    assert find_duplicates() == 4
    assert len(looked_at) == 2
    looked_at.clear()
    monkeypatch.setattr(merging, "BATCH", 2)
    ComparisonMark.objects.update(compared_at=clock.written_now() - merging.EVERYBODY_AFTER)
    assert (find_duplicates(), looked_at) == (4, [*(row.pk for row in old), other.pk, new.pk])
    assert ComparisonMark.objects.get().compared_at is not None


def test_comparing_everybody_goes_on_where_the_last_run_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [make_customer(name=f"张{n}", phone=f"1370000000{n % 3}") for n in range(6)]
    monkeypatch.setattr(merging, "BATCH", 2)
    monkeypatch.setattr(merging, "BATCHES", 2)
    monkeypatch.setattr(merging, "_follow_history", lambda: False)
    find_duplicates()
    assert ComparisonMark.objects.get().compared_to == made[3].pk
    assert ComparisonMark.objects.get().compared_at is None
    assert find_duplicates() == 3
    assert ComparisonMark.objects.get().compared_at is not None


def test_a_mark_of_another_cluster_begins_anew() -> None:
    """After a restore elsewhere the numbers of transactions begin again: everybody is compared instead of nobody."""
    make_customer(phone="13700000001")
    find_duplicates()
    ComparisonMark.objects.update(txid=2**50)
    make_customer(phone="13700000001")
    assert find_duplicates() == 1
    assert ComparisonMark.objects.get().txid < 2**50


def test_a_plate_of_another_kind_on_two_cards_of_one_name_is_found() -> None:
    """Plates of other kinds may stand on two vehicles; a temporary one is still the same for one name."""
    for _n in range(2):
        make_vehicle(owner_uid=make_customer(name="吴同名").uid, plate="京A12345临", plate_kind="TEMPORARY")
    assert find_duplicates() == 1
    assert pairs() == [("吴同名", "吴同名", ["NAME_PLATE"], "OPEN")]


# --- merging and undoing ---


@pytest.fixture
def manager() -> Actor:
    return make_by("manager")


def test_everything_that_points_to_a_customer_moves_or_is_declared_to_stay() -> None:
    every = {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.concrete and field.related_model is Customer
    }
    moved = {f"{model._meta.label_lower}.{field}" for model, field in merging.pointers()}
    assert moved | merging.STAYS == every
    assert merging.STAYS - every == set(), "a table that is gone"
    assert {"reception.visit.customer", "workshop.repairorder.customer", "quality.complaint.customer"} <= moved


def test_merging_and_undoing_leaves_every_row_as_it_was() -> None:
    house, order = make_departed()
    one = order.customer
    other = make_customer(
        name="李重复", phone="13700000001", phone_2="13700000002", email="a@example.com", note="常客", channel="EMAIL"
    )
    other_car = make_vehicle(owner_uid=other.uid)
    make_visit(house.advisor, plate=other_car.plate, customer_uid=other.uid)
    for customer in (one, other):
        record_consent(customer_uid=customer.uid, purpose="MARKETING", given=True, by=BY)
        open_complaint(customer_uid=customer.uid, description="等太久", source="PHONE", by=house.advisor)
    by = make_actor("manager", store=house.floor.shop.store)
    find_duplicates()
    before = state_of_everything()
    rows = sum(model._default_manager.count() for model, _field in merging.pointers())

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(flip=st.booleans(), take=st.sets(st.sampled_from(MERGE_COLUMNS)))
    def round_trip(flip: bool, take: set[str]) -> None:
        kept, merged = (other, one) if flip else (one, other)
        merge = merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, take=sorted(take), by=by)
        assert merge.rows == merge.moved.count() >= 4
        left = {
            model._meta.label for model, field in merging.pointers() if model._default_manager.filter(**{field: merged})
        }
        assert left == set()
        assert sum(model._default_manager.count() for model, _field in merging.pointers()) == rows, "no row is lost"
        assert state_of_everything() != before
        undo_merge(uid=merge.uid, by=by)
        assert state_of_everything() == before

    round_trip()


def test_the_kept_customer_has_what_both_had(manager: Actor) -> None:
    kept, merged = make_customer(name="张保留", phone="13700000001"), make_customer(name="章保留", phone="13700000002")
    car = make_vehicle(owner_uid=merged.uid)
    record_consent(customer_uid=merged.uid, purpose="SURVEY", given=True, by=BY)
    merge = merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, take=["name"], by=manager)
    kept.refresh_from_db()
    assert (kept.name, kept.pinyin_initials, kept.phone, kept.phone_2) == (
        "章保留",
        "zbl",
        "13700000001",
        "13700000002",
    )
    assert Ownership.objects.get(vehicle=car).customer == kept
    assert [c["given"] for c in consents_of(kept) if c["purpose"] == "SURVEY"] == [True]
    line = History.objects.get(code="reception.customer.merged")
    assert line.customer_uid == kept.uid
    assert line.facts == {"kept": str(kept.uid), "merged": str(merged.uid), "rows": 2, "columns": ["name", "phone_2"]}
    both = {row.code for row in timeline(manager, customer=[kept.uid, merged.uid])}
    assert {"reception.customer.consent_given", "reception.customer.merged"} <= both
    assert merge.merged == merged


def test_what_is_corrected_after_the_merge_survives_the_undo(manager: Actor) -> None:
    kept, merged = make_customer(phone="13700000001"), make_customer(phone="13700000002", email="m@example.com")
    car = make_vehicle(owner_uid=merged.uid)
    merge = merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, take=["phone", "email"], by=manager)
    correct_customer(uid=kept.uid, phone="13700000007", by=BY)
    later = make_visit(make_by("receptionist"), plate=car.plate, customer_uid=kept.uid)
    undo_merge(uid=merge.uid, by=manager)
    kept.refresh_from_db()
    assert (kept.phone, kept.phone_2, kept.email) == ("13700000007", "", "")
    assert Visit.objects.get(pk=later.pk).customer == kept
    assert Ownership.objects.get(vehicle=car).customer == merged


def test_the_old_uid_and_number_still_lead_to_the_customer(manager: Actor, client: Client) -> None:
    store = make_store()
    kept = make_customer(name="张保留", phone="13700000001", phone_2="13700000003")
    merged = make_customer(name="李旧卡", phone="13700000002")
    merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=manager)
    client.force_login(make_user("manager", store=store))
    page = client.get(reverse("customer-detail", args=[merged.uid]))
    assert page.context["customer"] == kept
    assert "李旧卡" in page.content.decode()
    (hit,) = customer_hits(manager, Typed("13700000002"))
    assert (hit.uid, bool(hit.chip)) == (kept.uid, True)
    visit = make_visit(make_actor("receptionist", store=store), customer_uid=merged.uid)
    assert visit.customer == kept
    car = make_vehicle(owner_uid=merged.uid)
    assert car.ownerships.get().customer == kept
    assert others_with_phone(phone="13700000001", by=manager, besides=kept.uid) == []
    shown = ApiCaller("reception:read", "personal:read", store=store).get(f"customers/{merged.uid}").json()
    assert (shown["uid"], shown["merged_into_uid"]) == (str(merged.uid), str(kept.uid))


def test_a_chain_is_flat_and_undone_from_its_end(manager: Actor) -> None:
    one, two, three = (make_customer(name=name) for name in ("甲试", "乙试", "丙试"))
    car = make_vehicle(owner_uid=one.uid)
    before = state_of_everything()
    first = merge_customers(kept_uid=two.uid, merged_uid=one.uid, by=manager)
    second = merge_customers(kept_uid=three.uid, merged_uid=two.uid, by=manager)
    assert Customer.objects.standing(one.uid) == Customer.objects.standing(two.uid) == three
    assert car.ownerships.get().customer == three
    with rule("customer.merge_later"):
        undo_merge(uid=first.uid, by=manager)
    undo_merge(uid=second.uid, by=manager)
    assert Customer.objects.standing(one.uid) == two
    undo_merge(uid=first.uid, by=manager)
    assert state_of_everything() == before
    with rule("customer.merge_undone"):
        undo_merge(uid=first.uid, by=manager)


def test_refusals_change_nothing(manager: Actor) -> None:
    kept, merged = make_customer(phone="", email="k@example.com"), make_customer(phone="13700000002")
    third = make_customer()
    before = state_of_everything()
    with rule("customer.merge_self"):
        merge_customers(kept_uid=kept.uid, merged_uid=kept.uid, by=manager)
    with rule("customer.merge_column"):
        merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, take=["home_store"], by=manager)
    with rule("customer.reachable"):
        correct_customer(uid=kept.uid, email="", by=BY)
    with pytest.raises(NotAllowed):
        merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=make_actor("receptionist", store=make_store("X1")))
    assert Customer.objects.filter(merged_into__isnull=False).count() == 0
    merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=manager)
    with rule("customer.merged"):
        merge_customers(kept_uid=third.uid, merged_uid=merged.uid, by=manager)
    with rule("customer.merged"):
        merge_customers(kept_uid=merged.uid, merged_uid=third.uid, by=manager)
    assert CustomerMerge.objects.count() == 1
    assert before != state_of_everything()


# --- what the database refuses ---


def test_the_database_keeps_merges_and_their_record_together(refused: Any, manager: Actor) -> None:
    kept, merged, third = make_customer(), make_customer(), make_customer()
    car = make_vehicle(owner_uid=third.uid)
    consent = record_consent(customer_uid=merged.uid, purpose="SURVEY", given=True, by=BY)
    with refused("customer_merge_recorded") as sql:
        sql("UPDATE reception_customer SET merged_into_id = %s WHERE id = %s", [kept.pk, merged.pk])
    with refused("consent_append_only") as sql:
        sql("UPDATE reception_consent SET customer_id = %s WHERE id = %s", [kept.pk, consent.pk])
    merge = merge_customers(kept_uid=kept.uid, merged_uid=merged.uid, by=manager)
    find_duplicates()
    with refused("customer_merge_recorded") as sql:
        sql("UPDATE reception_customer SET merged_into_id = NULL WHERE id = %s", [merged.pk])
    with refused("customer_merged_is_final") as sql:
        sql("UPDATE reception_customer SET name = 'x' WHERE id = %s", [merged.pk])
    with refused("consent_append_only") as sql:
        sql("UPDATE reception_consent SET given = false WHERE id = %s", [consent.pk])
    with refused("consent_append_only") as sql:
        sql("UPDATE reception_consent SET customer_id = %s WHERE id = %s", [third.pk, consent.pk])
    with refused("ownership_standing_customer") as sql:
        sql("UPDATE reception_ownership SET customer_id = %s WHERE vehicle_id = %s", [merged.pk, car.pk])
    with refused("customermerge_fixed") as sql:
        sql("UPDATE reception_customermerge SET rows = 0, before = '{}', merged_id = %s", [third.pk])
    with refused("customermerge_fixed") as sql:
        sql("DELETE FROM reception_customermerge WHERE id = %s", [merge.pk])
    with refused("customermerge_moves") as sql:
        sql("INSERT INTO reception_customermerge (uid, version, created_at, updated_at, kept_id, merged_id, state, before,"
            " after, rows, merged_at, undone_at) SELECT gen_random_uuid(), 1, now(), now(), %s, %s, 'UNDONE', '{}', '{}',"
            " 0, now(), now()", [kept.pk, third.pk])  # fmt: skip
    insert = (
        "INSERT INTO reception_customermerge (uid, version, created_at, updated_at, kept_id, merged_id, state, before,"
        " after, rows, merged_at) SELECT gen_random_uuid(), 1, now(), now(), %s, %s, 'DONE', '{}', '{}', 0, now()"
    )
    with refused("customermerge_once") as sql:
        sql(insert, [third.pk, merged.pk])
    with refused("customermerge_two") as sql:
        sql(insert, [third.pk, third.pk])
    with refused("movedrow_append_only") as sql:
        sql("DELETE FROM reception_movedrow WHERE merge_id = %s", [merge.pk])


def test_the_database_keeps_a_pair_in_one_order_with_a_cue(refused: Any) -> None:
    make_customer(phone="13700000001")
    make_customer(phone="13700000001")
    find_duplicates()
    with refused("duplicate_order") as sql:
        sql("UPDATE reception_duplicate SET first_id = second_id, second_id = first_id")
    with refused("duplicate_has_cue") as sql:
        sql("UPDATE reception_duplicate SET cues = '{}'")
    with refused("duplicate_once") as sql:
        sql("INSERT INTO reception_duplicate (uid, version, created_at, updated_at, first_id, second_id, cues, state)"
            " SELECT gen_random_uuid(), 1, now(), now(), first_id, second_id, cues, 'OPEN' FROM reception_duplicate")  # fmt: skip
    with refused("duplicate_moves") as sql:
        sql("UPDATE reception_duplicate SET state = 'MERGED'; UPDATE reception_duplicate SET state = 'DIFFERENT'")


# --- pages and API ---


def test_the_worklist_compares_merges_keeps_apart_and_undoes(client: Client) -> None:
    client.force_login(make_user("manager", store=make_store(code="BJ01")))
    first = make_customer(name="张合并", phone="13700000001")
    second = make_customer(name="章合并", phone="13700000001", email="z@example.com")
    make_customer(name="赵家人", phone="13700000009")
    make_customer(name="赵家子", phone="13700000009")
    assert "每半小时" in client.get(reverse("customer-duplicates")).content.decode(), "empty, and when it is filled"
    find_duplicates()
    listed = client.get(reverse("customer-duplicates")).content.decode()
    assert [word in listed for word in ("张合并", "赵家子", "13700000001")] == [True, True, False]
    pair = Duplicate.objects.get(first=first)
    compared = client.get(reverse("customer-merge", args=[pair.uid]))
    assert "13700000001" not in compared.content.decode(), "numbers stay masked"
    assert {row["name"] for row in compared.context["sides"] if row["differs"]} == {"name", "email"}
    form = {"name": "second", "email": "second"}
    assert client.post(reverse("customer-merge", args=[pair.uid]), {"name": "third"}).status_code == 422
    assert not CustomerMerge.objects.exists()
    done = client.post(reverse("customer-merge", args=[pair.uid]), form)
    assert done.headers["Location"] == reverse("customer-detail", args=[first.uid])
    first.refresh_from_db()
    assert (first.name, first.email) == ("章合并", "z@example.com")
    assert client.post(reverse("customer-merge", args=[pair.uid]), form).status_code == 422, "merged only once"
    merge = CustomerMerge.objects.get()
    assert reverse("customer-merge-undo", args=[merge.uid]) in client.get(done.headers["Location"]).content.decode()
    client.post(reverse("customer-merge-undo", args=[merge.uid]))
    second.refresh_from_db()
    assert (second.merged_into_id, Duplicate.objects.get(pk=pair.pk).state) == (None, "OPEN")
    family = Duplicate.objects.get(first__name="赵家人")
    client.post(reverse("customer-apart", args=[family.uid]))
    family.refresh_from_db()
    assert family.state == "DIFFERENT"


def test_the_pair_is_compared_from_the_customers_page_by_those_who_may(client: Client) -> None:
    """One click from either card; who may not merge reads whom to ask."""
    store = make_staffed_store(code="BJ01")
    care = make_employee(store, "care", name="苏关怀")
    one, other, third = (make_customer(name=f"钱{n}多", phone="13700000001") for n in "一二三")
    page = reverse("customer-detail", args=[one.uid])
    client.force_login(make_user("receptionist", store=store))
    shown = client.get(page)
    assert [row.customer for row in shown.context["alike"]] == [other, third]
    assert care.name in shown.content.decode()
    assert reverse("customer-compare", args=[one.uid]) not in shown.content.decode()
    assert client.post(reverse("customer-compare", args=[one.uid]), {"other_uid": other.uid}).status_code == 403
    client.force_login(make_user("manager", store=store))
    assert reverse("customer-compare", args=[one.uid]) in client.get(page).content.decode()
    assert not Duplicate.objects.exists()
    sent = client.post(reverse("customer-compare", args=[one.uid]), {"other_uid": other.uid})
    pair = Duplicate.objects.get(first=one, second=other)
    assert sent.headers["Location"] == reverse("customer-merge", args=[pair.uid])
    assert reverse("customer-merge", args=[pair.uid]) in client.get(page).content.decode(), (
        "the pair itself from now on"
    )
    stranger = make_customer(name="孙别人", phone="13700000002")
    with rule("customer.nothing_same"):
        compare_two(uid=one.uid, other_uid=stranger.uid, by=make_actor("manager", store=store))
    assert not Duplicate.objects.filter(second=stranger).exists()
    keep_apart(uid=pair.uid, by=make_actor("manager", store=store))
    assert "是两位客户" in client.get(page).content.decode()


def test_another_system_merges_and_hears_of_it() -> None:
    store = make_store()
    api = ApiCaller("reception:read", "reception:write", "personal:read", store=store)
    kept, merged = make_customer(phone="13700000001"), make_customer(phone="13700000002")
    answer = api.post("customer-merges", {"kept_uid": str(kept.uid), "merged_uid": str(merged.uid), "take": ["phone"]})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["kept_uid"], made["merged_uid"], made["state"]) == (str(kept.uid), str(merged.uid), "DONE")
    again = api.post("customer-merges", {"kept_uid": str(kept.uid), "merged_uid": str(merged.uid)})
    problem(again, 409, "customer.merged")
    kept.refresh_from_db()
    assert (kept.phone, kept.phone_2) == ("13700000002", "13700000001")
    undone = api.act(f"customer-merges/{made['uid']}", "undo", {})
    assert undone.json()["state"] == "UNDONE"
    codes = list(History.objects.filter(root_uid=made["uid"]).order_by("id").values_list("code", flat=True))
    assert codes == ["reception.customer.merged", "reception.customer.merge_undone"]
