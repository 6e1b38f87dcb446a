"""Parts that came off a car: tag, whose they are, hand-over, the maker's days (3.2, domain 3.3 and 3.6)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor, machine
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Setting
from dealership.kernel.services import actor_of
from delivery.models import Handover
from delivery.services.handovers import hand_over
from reception.models import WalkAround
from tests.delivery.test_handovers import leave, pay, settle
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import CHECKED, make_ready, make_team
from tests.factories.kernel import make_actor, make_user
from tests.factories.reception import make_picture, rule
from workshop.models import OrderLine, RepairOrder
from workshop.old_part_models import OldPart
from workshop.services import old_parts

pytestmark = pytest.mark.django_db


def says(code: str, act: Callable[[], Any]) -> None:
    with rule(code):
        act()


def never(refused: Any, name: str, statement: str, values: list[Any]) -> None:
    with refused(name) as sql:
        sql(statement, values)


def keep(order: RepairOrder) -> OldPart:
    """The old part of the order's line, as the machine writes it down when the work is done."""
    by = machine("test", store_id=order.store_id)
    [part] = old_parts.keep_old_parts(line_uid=order.lines.get().uid, by=by)
    return part


@pytest.fixture
def team() -> SimpleNamespace:
    return make_team()


@pytest.fixture
def keeper(team: SimpleNamespace) -> Actor:
    return make_actor("parts", store=team.store)


def test_what_comes_off_has_a_tag_and_the_walk_arounds_wish(team: SimpleNamespace) -> None:
    order = make_ready(team)
    part = keep(order)
    today = clock.today(team.store.time_zone)
    assert (part.disposition, part.consent_by, part.state) == ("SHOP", "李送修", "KEPT")  # the walk-around says LEAVE
    assert (part.tag[:3], part.odometer_km, part.keep_until) == ("JJ-", 50002, today + timedelta(days=7))
    assert old_parts.keep_old_parts(line_uid=part.line.uid, by=machine("t", store_id=team.store.pk)) == []
    assert History.objects.filter(root_uid=part.uid).values_list("code", flat=True)[0] == "workshop.old_part.kept"

    taken = make_ready(team)
    WalkAround.objects.filter(visit=taken.visit).update(old_parts="TAKE")
    assert keep(taken).disposition == "CUSTOMER"
    warranty = keep(make_ready(team, pay_type="WARRANTY"))
    assert (warranty.disposition, warranty.keep_until) == ("MAKER", today + timedelta(days=90))


def test_what_is_poured_in_leaves_nothing(team: SimpleNamespace) -> None:
    order = make_ready(team)
    row = order.lines.get().part_lines.get()
    type(row.part).objects.filter(pk=row.part_id).update(leaves_old=False)
    assert old_parts.keep_old_parts(line_uid=order.lines.get().uid, by=machine("t", store_id=team.store.pk)) == []


@pytest.mark.parametrize(
    ("key", "kind"), [("workshop.old_part_maker_days", "WARRANTY"), ("workshop.old_part_days", "CUSTOMER_PAY")]
)
def test_the_days_are_a_setting(team: SimpleNamespace, key: str, kind: str) -> None:
    Setting.objects.create(key=key, value=30, starts_on=date(2020, 1, 1))
    limits.forget()
    try:
        part = keep(make_ready(team, pay_type=kind))
    finally:
        limits.forget()
    assert part.keep_until == clock.today(team.store.time_zone) + timedelta(days=30)


def test_the_customers_part_goes_along_with_the_hand_over(team: SimpleNamespace, refused: Any) -> None:
    order = make_ready(team)
    WalkAround.objects.filter(visit=order.visit).update(old_parts="TAKE")
    settle(order, team)
    pay(order, team)
    said = {"visit_uid": order.visit.uid, "odometer_km": 50012, "received_by": "李送修", "by": team.advisor}
    says(
        "handover.old_parts",
        lambda: hand_over(checklist=CHECKED | {"OLD_PARTS_SHOWN": "NOT_APPLICABLE"}, **said),
    )
    assert not OldPart.objects.exists()
    part = keep(order)
    never(
        refused,
        "handover_old_parts",
        "INSERT INTO delivery_handover (uid, version, created_at, updated_at, store_id, visit_id, checklist,"
        " odometer_km, received_by, risk_note_signed_by, advisor_id, at)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, '{}', 50012, '李', '', %s, now())",
        [order.store_id, order.visit_id, order.advisor_id],
    )
    hand_over(checklist=CHECKED, signature=make_picture("navy"), **said)
    part.refresh_from_db()
    assert (part.state, part.given_to, part.ended_by) == ("GIVEN", "李送修", team.advisor.user)
    assert part.signature == Handover.objects.get().signature
    assert part.told_at is not None


def test_the_makers_part_is_shown_and_stays(team: SimpleNamespace, keeper: Actor, refused: Any) -> None:
    order = make_ready(team, pay_type="WARRANTY")
    part = keep(order)
    settle(order, team)
    leave(order.visit, team, odometer_km=50012)
    part.refresh_from_db()
    assert (part.state, part.told_at is not None) == ("KEPT", True)
    says("old_part.kept", lambda: old_parts.scrap_old_part(uid=part.uid, note="回收", by=keeper))
    says("old_part.kept", lambda: old_parts.give_old_part(uid=part.uid, given_to="李送修", by=keeper))
    says(
        "old_part.kept",
        lambda: old_parts.decide_old_part(uid=part.uid, disposition="SHOP", consent_by="李送修", by=keeper),
    )
    sql = "UPDATE workshop_oldpart SET state = %s, ended_at = %s, given_to = 'x' WHERE id = %s"
    for state in ("SCRAPPED", "GIVEN"):
        never(refused, "oldpart_kept_for_maker", sql, [state, clock.now(), part.pk])
        last = clock.now() + timedelta(days=(part.keep_until - clock.today(team.store.time_zone)).days)
        never(refused, "oldpart_kept_for_maker", sql, [state, last, part.pk])  # the last day itself still counts
    never(
        refused,
        "oldpart_kept_for_maker",
        "UPDATE workshop_oldpart SET disposition = 'SHOP', consent_by = 'x' WHERE id = %s",
        [part.pk],
    )
    never(
        refused,
        "oldpart_kept_for_maker",
        "UPDATE workshop_oldpart SET keep_until = keep_until - 1 WHERE id = %s",
        [part.pk],
    )
    assert OldPart.objects.get(pk=part.pk).state == "KEPT"

    old_parts.release_old_part(uid=part.uid, reference="放行 2026-118", by=keeper)
    other = keep(make_ready(team, pay_type="WARRANTY"))
    old_parts.release_old_part(uid=other.uid, reference="放行 2026-119", by=keeper)
    old_parts.decide_old_part(uid=other.uid, disposition="CUSTOMER", by=keeper)
    assert old_parts.give_old_part(uid=other.uid, given_to="李送修", signed_on_paper=True, by=keeper).state == "GIVEN"
    says("old_part.where", lambda: old_parts.scrap_old_part(uid=part.uid, note=" ", by=keeper))
    done = old_parts.scrap_old_part(uid=part.uid, note="废铁回收", by=keeper)
    assert (done.state, done.reference, done.note) == ("SCRAPPED", "放行 2026-118", "废铁回收")


def test_after_its_days_the_makers_part_may_go(team: SimpleNamespace, keeper: Actor) -> None:
    part = keep(make_ready(team, pay_type="WARRANTY"))
    with clock.moved_to(clock.now() + timedelta(days=91)):
        assert old_parts.scrap_old_part(uid=part.uid, note="回收", by=keeper).state == "SCRAPPED"


def test_it_is_sent_to_the_maker_with_a_parcel(team: SimpleNamespace, keeper: Actor, refused: Any) -> None:
    part = keep(make_ready(team, pay_type="WARRANTY"))
    old_parts.shelve_old_part(uid=part.uid, place="A-03", by=keeper)
    says("old_part.reference", lambda: old_parts.return_old_part(uid=part.uid, reference=" ", by=keeper))
    never(
        refused,
        "oldpart_maker_reference",
        "UPDATE workshop_oldpart SET state = 'RETURNED', ended_at = now() WHERE id = %s",
        [part.pk],
    )
    sent = old_parts.return_old_part(uid=part.uid, reference="SF10001", by=keeper)
    assert (sent.state, sent.place, sent.reference) == ("RETURNED", "A-03", "SF10001")
    says("old_part.gone", lambda: old_parts.shelve_old_part(uid=part.uid, place="A-04", by=keeper))
    says("state.move", lambda: old_parts.return_old_part(uid=part.uid, reference="SF2", by=keeper))


def test_whose_it_is_is_held_by_the_database(team: SimpleNamespace, keeper: Actor, refused: Any) -> None:
    order = make_ready(team)
    WalkAround.objects.filter(visit=order.visit).update(old_parts="TAKE")
    part = keep(order)
    says("old_part.owner", lambda: old_parts.scrap_old_part(uid=part.uid, note="回收", by=keeper))
    says("old_part.owner", lambda: old_parts.decide_old_part(uid=part.uid, disposition="MAKER", by=keeper))
    says("old_part.consent", lambda: old_parts.decide_old_part(uid=part.uid, disposition="SHOP", by=keeper))
    says("old_part.absent", lambda: old_parts.decide_old_part(uid=part.uid, disposition="NONE", by=keeper))
    says("old_part.same", lambda: old_parts.decide_old_part(uid=part.uid, disposition="CUSTOMER", by=keeper))
    says("old_part.receiver", lambda: old_parts.give_old_part(uid=part.uid, given_to="", by=keeper))
    for name, told in (
        ("oldpart_scrapped_by_right", "state = 'SCRAPPED', ended_at = now()"),
        ("oldpart_maker_is_warranty", "disposition = 'MAKER'"),
        ("oldpart_shop_by_consent", "disposition = 'SHOP'"),
        ("oldpart_given_to", "state = 'GIVEN', ended_at = now()"),
        ("oldpart_absent", "disposition = 'NONE', state = 'ABSENT', ended_at = now()"),
        ("oldpart_ended", "ended_at = now()"),
        ("oldpart_fixed", "tag = 'JJ-1'"),
    ):
        never(refused, name, f"UPDATE workshop_oldpart SET {told} WHERE id = %s", [part.pk])
    with pytest.raises(NotAllowed):
        old_parts.scrap_old_part(uid=part.uid, note="回收", by=team.advisor)
    none = old_parts.decide_old_part(uid=part.uid, disposition="NONE", note="加装件，无旧件", by=team.advisor)
    assert (none.state, none.disposition) == ("ABSENT", "NONE")


def test_an_old_part_needs_finished_work(team: SimpleNamespace, refused: Any) -> None:
    part = keep(make_ready(team))
    OrderLine.objects.filter(pk=part.line_id).update(state="IN_PROGRESS")
    never(
        refused,
        "oldpart_of_finished_work",
        "INSERT INTO workshop_oldpart (uid, version, created_at, updated_at, store_id, line_id, part_line_id, tag,"
        " quantity, odometer_km, disposition, decided_at, consent_by, state, place, kept_at, keep_until, reference,"
        " given_to, note) SELECT gen_random_uuid(), 1, now(), now(), store_id, line_id, part_line_id, 'JJ-2', 1, 1,"
        " 'CUSTOMER', now(), '', 'KEPT', '', now(), now(), '', '', '' FROM workshop_oldpart WHERE id = %s",
        [part.pk],
    )


def test_the_pages(team: SimpleNamespace, keeper: Actor) -> None:
    order = make_ready(team)
    WalkAround.objects.filter(visit=order.visit).update(old_parts="TAKE")
    part = keep(order)
    desk = Client()
    desk.force_login(keeper.user)
    for show in ("lying", "overdue", "maker", "customer", "all"):
        page = desk.get(reverse("old-parts"), {"show": show})
        assert (part.tag in page.content.decode()) == (show in ("lying", "customer", "all")), show
    assert part.tag in desk.get(reverse("old-part", args=[part.uid])).content.decode()
    tag = desk.get(reverse("old-part-tag", args=[part.uid])).content.decode()
    assert all(word in tag for word in (part.tag, order.number, part.part_line.part.number, "50,002"))
    refusal = desk.post(reverse("old-part-give", args=[part.uid]), {"form_token": uuid4(), "given_to": ""})
    assert refusal.status_code == 422
    give = reverse("old-part-give", args=[part.uid])
    refusal = desk.post(give, {"form_token": uuid4(), "given_to": "李送修"})
    assert (refusal.status_code, "请客户在此签字" in refusal.content.decode()) == (422, True)
    done = desk.post(
        give, {"form_token": uuid4(), "given_to": "李送修", "signed_on_paper": "on", "signature": "data:,"}
    )
    assert done.status_code == 302
    part.refresh_from_db()
    assert (part.state, part.given_to, part.signed_on_paper, part.signature) == ("GIVEN", "李送修", True, None)
    assert "纸质签字" in desk.get(reverse("old-part", args=[part.uid])).content.decode()


def signed_url() -> str:
    """What the pad posts when somebody has drawn on it."""
    return "data:image/png;base64," + b64encode(make_picture("navy")).decode()


def test_nobody_takes_an_old_part_without_a_signature(team: SimpleNamespace, keeper: Actor, refused: Any) -> None:
    order = make_ready(team)
    WalkAround.objects.filter(visit=order.visit).update(old_parts="TAKE")
    part = keep(order)
    said = {"uid": part.uid, "given_to": "李送修", "by": keeper}
    says("old_part.signature", lambda: old_parts.give_old_part(**said))
    says("signature.empty", lambda: old_parts.give_old_part(**said, signature=b""))
    taken = "UPDATE workshop_oldpart SET state = 'GIVEN', given_to = '李送修', ended_at = now() WHERE id = %s"
    never(refused, "oldpart_signed_for", taken, [part.pk])
    settle(order, team)
    pay(order, team)
    before = History.objects.count()
    says("old_part.signature", lambda: leave(order.visit, team))  # the hand-over gives it along
    assert (History.objects.count(), OldPart.objects.get().state) == (before, "KEPT")
    caller = ApiCaller("workshop:write", "personal:read", store=team.store, acts_for=keeper.user)
    problem(caller.act(f"old-parts/{part.uid}", "give", {"given_to": "李送修"}), 409, "old_part.signature")

    given = old_parts.give_old_part(**said, signature=make_picture("navy"))
    assert given.signature is not None
    assert (given.state, given.signed_on_paper) == ("GIVEN", False)
    never(refused, "oldpart_signed_stays", "UPDATE workshop_oldpart SET given_to = '别人' WHERE id = %s", [part.pk])
    never(refused, "oldpart_signed_stays", "UPDATE workshop_oldpart SET signature_id = NULL WHERE id = %s", [part.pk])


def test_nobody_leaves_an_old_part_to_the_shop_without_a_signature(
    team: SimpleNamespace, keeper: Actor, refused: Any
) -> None:
    order = make_ready(team)
    WalkAround.objects.filter(visit=order.visit).update(old_parts="TAKE")
    part = keep(order)
    said = {"uid": part.uid, "disposition": "SHOP", "consent_by": "李送修", "by": team.advisor}
    says("old_part.signature", lambda: old_parts.decide_old_part(**said))
    left = "UPDATE workshop_oldpart SET disposition = 'SHOP', consent_by = '李送修' WHERE id = %s"
    never(refused, "oldpart_left_signed", left, [part.pk])
    desk = Client()
    desk.force_login(team.advisor.user)
    page = reverse("old-part-decide", args=[part.uid])
    sent = {"disposition": "SHOP", "consent_by": "李送修"}
    assert desk.post(page, {"form_token": uuid4(), **sent}).status_code == 422
    assert desk.post(page, {"form_token": uuid4(), **sent, "signature": signed_url()}).status_code == 302
    part.refresh_from_db()
    assert (part.disposition, part.consent_by, part.signature is None) == ("SHOP", "李送修", False)
    old_parts.decide_old_part(uid=part.uid, disposition="CUSTOMER", by=team.advisor)
    part.refresh_from_db()
    assert part.signature is None  # what was signed for was taken back
    WalkAround.objects.filter(visit=order.visit).update(old_parts="LEAVE")
    assert old_parts.decide_old_part(**said).disposition == "SHOP"  # signed with the walk-around


def test_the_api(team: SimpleNamespace) -> None:
    part = keep(make_ready(team, pay_type="WARRANTY"))
    user = make_user("parts", store=team.store)
    client = ApiCaller("workshop:write", "personal:read", store=team.store, acts_for=user)
    assert actor_of(user, team.store).may("workshop.old_parts.keep")
    path = f"old-parts/{part.uid}"
    shown = client.get(path).json()
    assert (shown["tag"], shown["disposition"], shown["state"]) == (part.tag, "MAKER", "KEPT")
    problem(client.act(path, "scrap", {"note": "回收"}), 409, "old_part.kept")
    assert client.act(path, "shelve", {"place": "B-1"}).json()["place"] == "B-1"
    assert client.act(path, "send", {"reference": "SF1"}).json()["state"] == "RETURNED"
