"""3.2: a part has a successor or a stand-in; it is offered where the part is missing, taken in one tap, and ordered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Part, PartPrice, PartReplacement
from dealership.catalogue.selectors.items import priced_parts
from dealership.catalogue.selectors.replacements import choices_for, successors
from dealership.catalogue.services import replacements as catalogue
from dealership.catalogue.services.prices import set_part_price
from dealership.kernel import clock
from dealership.kernel.errors import NotAllowed, RaceLost, RuleError
from dealership.kernel.models import History
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_actor
from tests.factories.workshop import make_shop
from tests.workshop.test_stock import keeper, part_line, receive, shelf
from workshop.models import LineHold, PartLine
from workshop.selectors.purchasing import proposals
from workshop.services import purchasing, stock
from workshop.services.replacements import take_replacement

D = Decimal


@pytest.fixture
def shop(db):
    return make_shop()


def new_part(shop, number="NEW-1", *, price="10.00", kind="GENUINE") -> Part:
    part = Part.objects.create(number=number, name="新款测试件", name_en="New test part", kind=kind)
    set_part_price(
        store=shop.store, part=part, price=D(price), starts_on=clock.today() - timedelta(days=1), by=shop.manager
    )  # fmt: skip
    return part


def follows(shop, part, other, kind="SUCCESSOR", **facts):
    return catalogue.replace_part(
        part_uid=part.uid, other_uid=other.uid, kind=kind, by=keeper(shop), **{"other_kind": True} | facts
    )


def first_part() -> Part:
    part = Part.objects.order_by("pk").first()
    assert part is not None
    return part


# --- the catalogue ---
def test_a_chain_of_successors_ends_in_the_last_one_and_stand_ins_come_after(shop):
    first, second, third, aside = first_part(), new_part(shop), new_part(shop, "NEW-2"), new_part(shop, "ASIDE")
    follows(shop, first, second)
    follows(shop, second, third)
    follows(shop, aside, first, "EITHER")
    follows(shop, second, aside, "STAND_IN")
    assert [(c.part, c.kind) for c in choices_for([first.pk])[first.pk]] == [
        (third, "SUCCESSOR"), (second, "SUCCESSOR"), (aside, "EITHER"),
    ]  # fmt: skip
    assert [c.part for c in choices_for([aside.pk])[aside.pk]] == [first]
    assert [c.part for c in choices_for([second.pk])[second.pk]] == [third, aside]
    assert choices_for([third.pk]) == {}
    assert successors([first.pk, aside.pk]) == {first.pk: third}
    [found] = priced_parts(first.number, by=shop.advisor, limit=1)
    assert found.successor == third


def test_a_successor_of_a_later_day_and_an_ended_one_are_not_offered(shop):
    first, second = first_part(), new_part(shop)
    row = follows(shop, first, second, starts_on=clock.today() + timedelta(days=3))
    assert choices_for([first.pk]) == {}
    assert choices_for([first.pk], clock.today() + timedelta(days=3))[first.pk][0].part == second
    catalogue.end_replacement(uid=row.uid, by=keeper(shop))
    assert choices_for([first.pk], clock.today() + timedelta(days=3)) == {}
    with pytest.raises(RuleError) as refusal:
        catalogue.end_replacement(uid=row.uid, by=keeper(shop))
    assert refusal.value.code == "replacement.ended"
    assert History.objects.filter(code__startswith="catalogue.part_replacement.").count() == 2


def test_what_the_catalogue_refuses_changes_nothing(shop):
    first, second, third = first_part(), new_part(shop), new_part(shop, "NEW-2")
    follows(shop, first, second)
    follows(shop, second, third)
    Part.objects.filter(number="OLD").delete()
    gone = Part.objects.create(number="OLD", name="停用件", active=False)
    for (part, other, kind), code in (
        ((first, first, "EITHER"), "replacement.same"),
        ((third, first, "SUCCESSOR"), "replacement.ring"),
        ((first, third, "SUCCESSOR"), "replacement.successor_exists"),
        ((first, second, "EITHER"), "replacement.exists"),
        ((first, gone, "EITHER"), "replacement.unused"),
        ((first, third, "MAYBE"), "replacement.kind"),
    ):
        with pytest.raises((RuleError, RaceLost)) as refusal:
            follows(shop, part, other, kind)
        assert refusal.value.code == code
    with pytest.raises(NotAllowed):
        catalogue.replace_part(part_uid=first.uid, other_uid=third.uid, kind="EITHER", by=shop.advisor)
    assert PartReplacement.objects.count() == 2


def test_the_database_knows_no_ring_of_successors(shop, refused):
    first, second, third = first_part(), new_part(shop), new_part(shop, "NEW-2")
    follows(shop, first, second)
    follows(shop, second, third)
    insert = (
        "INSERT INTO catalogue_partreplacement (uid, version, created_at, updated_at, part_id, other_id, kind, starts_on,"
        " note) VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, %s, '2026-01-01', '')"
    )
    for rule, values in (
        ("partreplacement_no_ring", [third.pk, first.pk, "SUCCESSOR"]),
        ("partreplacement_other_part", [first.pk, first.pk, "EITHER"]),
        ("partreplacement_one_successor", [first.pk, third.pk, "SUCCESSOR"]),
        ("partreplacement_once", [first.pk, second.pk, "EITHER"]),
        ("partreplacement_kind", [first.pk, third.pk, "MAYBE"]),
    ):
        with refused(rule) as sql:
            sql(insert, values)
    with refused("partreplacement_fixed") as sql:
        sql("UPDATE catalogue_partreplacement SET other_id = %s WHERE part_id = %s", [third.pk, first.pk])
    row = PartReplacement.objects.get(part=second)
    catalogue.end_replacement(uid=row.uid, by=keeper(shop))
    follows(shop, third, first)  # no ring as long as that step is ended
    with refused("partreplacement_no_ring") as sql:
        sql("UPDATE catalogue_partreplacement SET ended_at = NULL WHERE id = %s", [row.pk])
    assert PartReplacement.objects.filter(ended_at=None).count() == 2


# --- a line takes it ---
def test_before_the_yes_the_line_takes_the_successor_at_its_price(shop):
    row = part_line(shop, agreed=False)
    other = new_part(shop, price="999.00", kind="BRANDED")
    follows(shop, row.part, other)
    took = take_replacement(part_line_uid=row.uid, part_uid=other.uid, by=shop.advisor)
    took.refresh_from_db()
    assert (took.part, took.kind, took.unit_price, took.amount) == (other, "BRANDED", D("999.00"), D("1998.00"))
    facts = History.objects.get(code="workshop.part.replaced").changed
    assert facts["part"] == [str(row.part.uid), str(other.uid)]


def agreed_with(shop, **facts):
    """A line that waits for its part, though its replacement lies on the shelf."""
    row = part_line(shop)
    receive(shop, row.part, 1)
    stock.reserve_part(part_line_uid=row.uid, by=keeper(shop))
    price = PartPrice.objects.filter(part=row.part, store=shop.store).latest("starts_on").price
    other = new_part(shop, price=str(price - 1), **facts)
    receive(shop, other, 5)
    return row, other


def test_after_the_yes_it_is_taken_for_less_and_kept_and_the_old_one_is_free(shop):
    row, other = agreed_with(shop)
    follows(shop, row.part, other, "STAND_IN")
    assert LineHold.objects.filter(line=row.line, ended_at=None).exists()
    took = take_replacement(part_line_uid=row.uid, part_uid=other.uid, by=keeper(shop))
    took.refresh_from_db()
    assert (took.part, took.unit_price, took.reserved_quantity) == (other, row.unit_price - 1, D(2))
    assert (shelf(shop, row.part).reserved, shelf(shop, other).reserved) == (D(0), D(2))
    assert not LineHold.objects.filter(line=row.line, ended_at=None).exists()
    stock.issue_part(part_line_uid=row.uid, by=keeper(shop))
    with pytest.raises(RuleError) as refusal:  # nothing is offered for the new part, and it was issued
        take_replacement(part_line_uid=row.uid, part_uid=row.part.uid, by=keeper(shop))
    assert refusal.value.code == "part.no_replacement"


def test_after_the_yes_nothing_dearer_and_no_other_kind_is_taken(shop):
    row, other = agreed_with(shop, kind="USED")
    dear = new_part(shop, "DEAR", price="9999.00")
    for part in (other, dear):
        follows(shop, row.part, part, "EITHER")
    for part, code in ((other, "part.other_kind"), (dear, "part.dearer"), (first_part(), "part.no_replacement")):
        with pytest.raises(RuleError) as refusal:
            take_replacement(part_line_uid=row.uid, part_uid=part.uid, by=keeper(shop))
        assert refusal.value.code == code
    stock.issue_part(part_line_uid=row.uid, quantity=D(1), by=keeper(shop))
    with pytest.raises(RuleError) as refusal:
        take_replacement(part_line_uid=row.uid, part_uid=dear.uid, by=keeper(shop))
    assert refusal.value.code == "part.issued_already"
    with pytest.raises(NotAllowed):
        take_replacement(part_line_uid=row.uid, part_uid=dear.uid, by=make_actor("cashier", store=shop.store))
    row.refresh_from_db()
    assert (row.part, row.issued_quantity) == (first_part(), D(1))
    draft = part_line(shop, agreed=False)
    with pytest.raises(NotAllowed):  # before the yes the line is the advisor's
        take_replacement(part_line_uid=draft.uid, part_uid=other.uid, by=keeper(shop))


def test_the_database_lets_no_other_part_onto_a_line(shop, refused):
    row, other = agreed_with(shop)
    swap = "UPDATE workshop_partline SET part_id = %s, reserved_quantity = 0 WHERE id = %s"
    with refused("partline_part_fixed") as sql:
        sql(swap, [other.pk, row.pk])  # the catalogue names none
    follows(shop, row.part, other)
    with refused("partline_part_fixed") as sql:
        sql("UPDATE workshop_partline SET part_id = %s WHERE id = %s", [other.pk, row.pk])  # still kept
    with refused("partline_agreed_is_fixed") as sql:
        sql(swap.replace("SET ", "SET unit_price = unit_price + 1, "), [other.pk, row.pk])
    with refused("partline_agreed_is_fixed") as sql:
        sql(swap.replace("SET ", "SET kind = 'USED', "), [other.pk, row.pk])
    stock.issue_part(part_line_uid=row.uid, quantity=D(1), by=keeper(shop))
    stock.return_part(part_line_uid=row.uid, quantity=D(1), reason="领错", by=keeper(shop))
    with refused("partline_part_fixed") as sql:
        sql(swap, [other.pk, row.pk])  # it was out once
    row.refresh_from_db()
    assert row.part == first_part()


# --- what is ordered ---
def test_the_successor_is_ordered_and_what_is_left_of_the_old_one_is_used_first(shop):
    row = part_line(shop, quantity=D(5))
    old, new = row.part, new_part(shop)
    receive(shop, old, 2)
    by = keeper(shop)
    assert [(p.part, p.quantity) for p in proposals(by) if p.part == old] != []
    before = next(p for p in proposals(by) if p.part == old)
    follows(shop, old, new)
    [found] = [p for p in proposals(by) if p.part in (old, new)]
    assert (found.part, found.instead_of, found.quantity) == (new, [old], before.quantity)
    assert (found.free, found.unit_cost) == (D(2), D(0))
    purchasing.order_parts(
        supplier="示例备件", expected_on=clock.today(), lines=[(new.uid, found.quantity, D(5))], by=by
    )  # fmt: skip
    assert [p for p in proposals(by) if p.part in (old, new)] == []


# --- pages and API ---
def test_the_pages_offer_it_and_one_tap_takes_it(shop):
    row, other = agreed_with(shop)
    client, parts = Client(), make_actor("parts", store=shop.store)
    client.force_login(parts.user)
    page = reverse("part-replacements", args=[row.part.uid])
    body = {
        "number": other.number.lower(),
        "kind": "SUCCESSOR",
        "starts_on": clock.today().isoformat(),
        "note": "公告 12",
    }
    wrong = client.post(page, body | {"number": row.part.number})
    assert wrong.status_code == 422
    assert 'value="公告 12"' in wrong.content.decode()
    assert client.post(page, body).status_code == 302
    assert other.number in client.get(page).content.decode()
    short = client.get(reverse("parts-board") + "?show=SHORT").content.decode()
    address = reverse("part-replace", args=[row.uid])
    assert address in short
    assert other.number in short
    for shown in (reverse("stock-list"), reverse("stock-item", args=[shelf(shop, row.part).uid])):
        assert other.number in client.get(shown).content.decode()
    assert client.post(address, {"part": "x"}).status_code in (400, 409, 422)
    back = reverse("parts-board") + "?show=SHORT"
    assert client.post(address, {"part": other.uid, "next": back}).headers["Location"] == back
    assert PartLine.objects.get(pk=row.pk).part == other
    ended = client.post(reverse("part-replacement-end", args=[PartReplacement.objects.get().uid]))
    assert ended.headers["Location"] == page


def test_the_advisor_sees_it_on_the_line(shop):
    row = part_line(shop, agreed=False)
    other = new_part(shop)
    follows(shop, row.part, other)
    client = Client()
    client.force_login(shop.advisor.user)
    page = client.get(reverse("line-edit", args=[row.line.uid]) + f"?q={row.part.number}").content.decode()
    assert page.count(other.number) == 3  # on the line: its words and its button's name; and in what was found
    assert client.post(reverse("part-replace", args=[row.uid]), {"part": other.uid}).headers["Location"] == reverse(
        "line-edit", args=[row.line.uid]
    )


def test_another_system_says_and_takes_it(shop):
    row = part_line(shop, agreed=False)
    other = new_part(shop)
    caller = ApiCaller("catalogue:write", "workshop:write", store=shop.store)
    given = {"part_uid": str(row.part.uid), "other_uid": str(other.uid), "kind": "SUCCESSOR"}
    made = caller.post("part-replacements", given)
    assert made.status_code == 201, made.content
    assert made.json()["starts_on"] == clock.today().isoformat()
    problem(caller.post("part-replacements", given), 409, "replacement.exists")
    took = caller.act(f"part-lines/{row.uid}", "take-replacement", {"part_uid": str(other.uid)})
    assert took.json()["part_number"] == other.number
    assert caller.act(f"part-replacements/{made.json()['uid']}", "end").json()["ended_at"]
