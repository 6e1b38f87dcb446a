"""Claims to the maker: papers, days, verdict, money, and who never pays (3.2, domain 3.6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from dealership.catalogue.models import Operation
from dealership.kernel import clock, limits
from dealership.kernel.actors import Actor
from dealership.kernel.errors import NotAllowed
from dealership.kernel.models import History, Setting
from tests.delivery.test_handovers import settle
from tests.factories.api import ApiCaller, problem
from tests.factories.delivery import add_line, make_order, make_ready, make_team, make_visit
from tests.factories.kernel import make_actor, make_user
from tests.factories.reception import make_picture, rule
from tests.factories.warranty import give_papers, make_warranty_repair
from workshop.models import OrderLine
from workshop.selectors import warranty_claims as reads
from workshop.services import warranty_claims as claims
from workshop.services.old_parts import keep_old_parts
from workshop.warranty_claim_models import WarrantyClaim

pytestmark = pytest.mark.django_db
ASKED = Decimal("340.00")


def says(code: str, act: Callable[[], Any]) -> None:
    with rule(code):
        act()


def never(refused: Any, name: str, statement: str, values: list[Any]) -> None:
    with refused(name) as sql:
        sql(statement, values)


@pytest.fixture
def team() -> SimpleNamespace:
    return make_team()


@pytest.fixture
def clerk(team: SimpleNamespace) -> Actor:
    return make_actor("warranty", store=team.store)


@pytest.fixture
def line(team: SimpleNamespace) -> OrderLine:
    return make_warranty_repair(make_visit(team))


def submitted(line: OrderLine, by: Actor) -> WarrantyClaim:
    claim = claims.open_warranty_claim(order_uid=line.order.uid, by=by)
    claims.start_warranty_repair(uid=claim.uid, by=by)
    claims.complete_warranty_claim(uid=claim.uid, by=by)
    return claims.submit_warranty_claim(uid=claim.uid, reference="M-1", by=by)


def test_from_the_judgement_to_the_makers_money(line: OrderLine, clerk: Actor) -> None:
    claim = claims.open_warranty_claim(order_uid=line.order.uid, told_free=False, by=clerk)
    claims.ask_maker(uid=claim.uid, by=clerk)
    says("warranty_claim.authorisation", lambda: claims.start_warranty_repair(uid=claim.uid, by=clerk))
    claim = claims.start_warranty_repair(uid=claim.uid, authorised_as="A-7", by=clerk)
    today = clock.today(claim.store.time_zone)
    assert (claim.told_free, claim.repaired_on, claim.submit_until) == (True, today, today + timedelta(days=30))
    claim = claims.complete_warranty_claim(uid=claim.uid, by=clerk)
    assert claim.claimed_amount == ASKED
    claim = claims.submit_warranty_claim(uid=claim.uid, reference="M-1", by=clerk)
    claim = claims.return_warranty_claim(uid=claim.uid, reason="补拍故障照片", by=clerk)
    claim = claims.submit_warranty_claim(uid=claim.uid, reference="M-1", by=clerk)
    assert claim.times_submitted == 2
    claim = claims.approve_warranty_claim(uid=claim.uid, amount=ASKED, by=clerk)
    claim = claims.pay_warranty_claim(uid=claim.uid, amount=ASKED, reference="T-9", by=clerk)
    assert (claim.state, claim.paid_amount, claim.borne_by_shop) == ("PAID", ASKED, 0)
    codes = History.objects.filter(root_uid=claim.uid).order_by("id").values_list("code", flat=True)
    assert [code.rsplit(".", 1)[1] for code in codes] == [
        "opened", "asked", "started", "completed", "submitted", "returned", "submitted", "approved", "paid",
    ]  # fmt: skip


@pytest.mark.parametrize("lacks", ["photo", "cause", "tag"])
def test_nothing_goes_to_the_maker_without_its_papers(
    team: SimpleNamespace, clerk: Actor, refused: Any, lacks: str
) -> None:
    bare = make_ready(team, pay_type="WARRANTY").lines.get()
    if lacks != "photo":
        give_papers(bare)
    if lacks == "cause":
        OrderLine.objects.filter(pk=bare.pk).update(cause="")
    if lacks == "tag":
        bare.part_lines.get().old_part.delete()
    claim = claims.open_warranty_claim(order_uid=bare.order.uid, by=clerk)
    claims.start_warranty_repair(uid=claim.uid, by=clerk)
    assert [paper.there for paper in reads.papers_of(claim)].count(False) >= 1
    says("warranty_claim.papers", lambda: claims.complete_warranty_claim(uid=claim.uid, by=clerk))
    never(
        refused,
        "warrantyclaim_papers",
        "UPDATE workshop_warrantyclaim SET state = 'COMPLETE' WHERE id = %s",
        [claim.pk],
    )
    assert WarrantyClaim.objects.get(pk=claim.pk).state == "REPAIRING"


def test_papers_are_looked_at_again_at_the_submission(line: OrderLine, clerk: Actor, refused: Any) -> None:
    claim = claims.open_warranty_claim(order_uid=line.order.uid, by=clerk)
    claims.start_warranty_repair(uid=claim.uid, by=clerk)
    claims.complete_warranty_claim(uid=claim.uid, by=clerk)
    OrderLine.objects.filter(pk=line.pk).update(state="IN_PROGRESS")
    says("warranty_claim.papers", lambda: claims.submit_warranty_claim(uid=claim.uid, reference="M-1", by=clerk))
    never(
        refused,
        "warrantyclaim_papers",
        "UPDATE workshop_warrantyclaim SET state = 'SUBMITTED', submitted_on = now(), times_submitted = 1 WHERE id = %s",
        [claim.pk],
    )


def test_a_late_claim_says_why(line: OrderLine, clerk: Actor, refused: Any) -> None:
    Setting.objects.create(key="workshop.warranty_submit_days", value=3, starts_on=date(2020, 1, 1))
    limits.forget()
    try:
        claim = claims.open_warranty_claim(order_uid=line.order.uid, by=clerk)
        claim = claims.start_warranty_repair(uid=claim.uid, by=clerk)
        claims.complete_warranty_claim(uid=claim.uid, by=clerk)
    finally:
        limits.forget()
    assert claim.submit_until == clock.today(claim.store.time_zone) + timedelta(days=3)
    with clock.moved_to(clock.now() + timedelta(days=4)):
        assert reads.count_late(clerk) == 1
        says("warranty_claim.late", lambda: claims.submit_warranty_claim(uid=claim.uid, reference="M-1", by=clerk))
        never(
            refused,
            "warrantyclaim_in_time",
            "UPDATE workshop_warrantyclaim SET state = 'SUBMITTED', submitted_on = submit_until + 1, times_submitted = 1"
            " WHERE id = %s",
            [claim.pk],
        )
        late = claims.submit_warranty_claim(uid=claim.uid, reference="M-1", late_reason="厂家系统停机", by=clerk)
    assert (late.state, late.late_reason) == ("SUBMITTED", "厂家系统停机")


def test_what_the_maker_doesnt_pay_is_the_shops(team: SimpleNamespace, clerk: Actor, refused: Any) -> None:
    first, second, third = (make_warranty_repair(make_visit(team)) for _each in range(3))
    short = submitted(first, clerk)
    for amount in (Decimal(0), ASKED + 1):
        says(
            "warranty_claim.amount",
            lambda amount=amount: claims.approve_warranty_claim(uid=short.uid, amount=amount, by=clerk),
        )
    says("warranty_claim.reason", lambda: claims.approve_warranty_claim(uid=short.uid, amount=Decimal(300), by=clerk))
    says(
        "warranty_claim.rest",
        lambda: claims.approve_warranty_claim(uid=short.uid, amount=Decimal(300), reason="工时超标准", by=clerk),
    )
    sql = "UPDATE workshop_warrantyclaim SET state = 'APPROVED', decided_on = now(), approved_amount = %s WHERE id = %s"
    never(refused, "warrantyclaim_rest_is_ours", sql, [300, short.pk])
    never(refused, "warrantyclaim_approved", sql, [341, short.pk])
    never(
        refused,
        "warrantyclaim_bearer",
        "UPDATE workshop_warrantyclaim SET shop_bears = 'CUSTOMER' WHERE id = %s",
        [short.pk],
    )
    short = claims.approve_warranty_claim(
        uid=short.uid, amount=Decimal(300), reason="工时超标准", shop_bears="INTERNAL", by=clerk
    )
    assert short.borne_by_shop == Decimal("40.00")
    never(
        refused,
        "warrantyclaim_amount_stands",
        "UPDATE workshop_warrantyclaim SET approved_amount = 340 WHERE id = %s",
        [short.pk],
    )
    says("warranty_claim.paid", lambda: claims.pay_warranty_claim(uid=short.uid, amount=ASKED, reference="T", by=clerk))
    paid = claims.pay_warranty_claim(
        uid=short.uid, amount=Decimal(290), reference="T", reason="扣款", shop_bears="GOODWILL", by=clerk
    )
    assert paid.borne_by_shop == Decimal("50.00")

    rejected = submitted(second, clerk)
    says("warranty_claim.rest", lambda: claims.reject_warranty_claim(uid=rejected.uid, reason="人为损坏", by=clerk))
    never(
        refused,
        "warrantyclaim_rejected",
        "UPDATE workshop_warrantyclaim SET state = 'REJECTED', reason = 'x' WHERE id = %s",
        [rejected.pk],
    )
    rejected = claims.reject_warranty_claim(uid=rejected.uid, reason="人为损坏", shop_bears="GOODWILL", by=clerk)
    assert (rejected.state, rejected.borne_by_shop) == ("REJECTED", ASKED)

    given_up = claims.open_warranty_claim(order_uid=third.order.uid, by=clerk)
    given_up = claims.withdraw_warranty_claim(uid=given_up.uid, reason="资料遗失", shop_bears="INTERNAL", by=clerk)
    assert (given_up.borne_by_shop, given_up.lines.get().live) == (ASKED, False)


def test_a_rejected_claim_never_comes_back_to_the_customer(team: SimpleNamespace, clerk: Actor, refused: Any) -> None:
    """The customer was told that it is free: neither payer nor list nor a second line of the same work charges them."""
    order = make_ready(team, pay_type="WARRANTY")
    line = give_papers(order.lines.get())
    claim = submitted(line, clerk)
    claims.reject_warranty_claim(uid=claim.uid, reason="超出保修范围", shop_bears="INTERNAL", by=clerk)
    never(
        refused,
        "warrantyclaim_told_stays",
        "UPDATE workshop_warrantyclaim SET told_free = false WHERE id = %s",
        [claim.pk],
    )
    settle(order, team)
    settlement = order.settlements.get()
    assert settlement.total == 0
    never(
        refused,
        "settlementline_told_free",
        "INSERT INTO delivery_settlementline (settlement_id, kind, position, order_line_id, description, code, brand,"
        " part_kind, quantity, unit_price, amount) VALUES (%s, 'LABOR', 9, %s, 'x', '', '', '', 1, 1, 1)",
        [settlement.pk, line.pk],
    )


def test_who_was_told_that_it_is_free_isnt_asked_to_pay_instead(
    team: SimpleNamespace, clerk: Actor, refused: Any
) -> None:
    work = Operation.objects.order_by("pk").first()
    order = make_order(make_visit(team), team)
    line = add_line(order, pay_type="WARRANTY", operation=work)
    claim = claims.open_warranty_claim(order_uid=order.uid, told_free=False, by=clerk)
    claims.start_warranty_repair(uid=claim.uid, by=clerk)
    for payer in ("CUSTOMER_PAY", "INSURANCE", "SERVICE_CONTRACT"):
        never(
            refused,
            "orderline_told_free",
            "UPDATE workshop_orderline SET pay_type = %s, state = 'DRAFT', authorized_amount = NULL WHERE id = %s",
            [payer, line.pk],
        )
    claims.withdraw_warranty_claim(uid=claim.uid, reason="厂家不认", shop_bears="INTERNAL", by=clerk)
    with refused("orderline_told_free"):
        OrderLine.objects.create(
            order=order, position=9, description="x", operation=work, hours=1, rate=100, labor_amount=100
        )
    OrderLine.objects.filter(pk=line.pk).update(pay_type="INTERNAL", state="DRAFT", authorized_amount=None)
    line.refresh_from_db()
    assert line.pay_type == "INTERNAL"


def test_where_nobody_said_that_it_is_free_the_makers_no_leaves_the_line_open(
    team: SimpleNamespace, clerk: Actor
) -> None:
    """Before the repair the customer may still be asked: they knew that it depends on the maker's yes."""
    order = make_order(make_visit(team), team)
    line = add_line(order, pay_type="WARRANTY")
    claim = claims.open_warranty_claim(order_uid=order.uid, told_free=False, by=clerk)
    claims.ask_maker(uid=claim.uid, by=clerk)
    claims.reject_warranty_claim(uid=claim.uid, reason="不在保修期", by=clerk)
    OrderLine.objects.filter(pk=line.pk).update(state="DRAFT", pay_type="CUSTOMER_PAY", authorized_amount=None)
    line.refresh_from_db()
    assert line.pay_type == "CUSTOMER_PAY"


def test_each_line_is_claimed_once(line: OrderLine, clerk: Actor, team: SimpleNamespace, refused: Any) -> None:
    claim = claims.open_warranty_claim(order_uid=line.order.uid, by=clerk)
    says("warranty_claim.nothing", lambda: claims.open_warranty_claim(order_uid=line.order.uid, by=clerk))
    says(
        "warranty_claim.claimed",
        lambda: claims.open_warranty_claim(order_uid=line.order.uid, line_uids=[line.uid], by=clerk),
    )
    own = make_ready(team).lines.get()
    says(
        "warranty_claim.line",
        lambda: claims.open_warranty_claim(order_uid=line.order.uid, line_uids=[own.uid], by=clerk),
    )
    sql = (
        "INSERT INTO workshop_warrantyclaimline (uid, version, created_at, updated_at, claim_id, line_id, live)"
        " VALUES (gen_random_uuid(), 1, now(), now(), %s, %s, true)"
    )
    never(refused, "warrantyclaimline_once", sql, [claim.pk, line.pk])
    never(refused, "warrantyclaimline_of_warranty", sql, [claim.pk, own.pk])
    with pytest.raises(NotAllowed):
        claims.open_warranty_claim(order_uid=line.order.uid, by=team.advisor)
    claims.withdraw_warranty_claim(uid=claim.uid, reason="误开", shop_bears="INTERNAL", by=clerk)
    assert claims.open_warranty_claim(order_uid=line.order.uid, by=clerk).lines.get().line == line


def test_ages_of_what_the_maker_owes(line: OrderLine, clerk: Actor) -> None:
    submitted(line, clerk)
    for days, place in ((0, 0), (30, 0), (31, 1), (60, 1), (61, 2), (90, 2), (91, 3)):
        with clock.moved_to(clock.now() + timedelta(days=days)):
            found = reads.warranty_claim_list(clerk)
            assert [age.count for age in found.ages].index(1) == place, days
            assert (found.unpaid, found.ages[place].amount) == (ASKED, ASKED)


def test_the_end_of_the_repair_begins_the_days(team: SimpleNamespace, clerk: Actor) -> None:
    order = make_order(make_visit(team), team)
    line = add_line(order, state="IN_PROGRESS", pay_type="WARRANTY")
    claim = claims.open_warranty_claim(order_uid=line.order.uid, by=clerk)
    claim = claims.start_warranty_repair(uid=claim.uid, by=clerk)
    assert claim.submit_until is None
    OrderLine.objects.filter(pk=line.pk).update(state="COMPLETED", completed_at=clock.now())
    dated = claims.date_warranty_claim(line_uid=line.uid, by=clerk)
    assert dated is not None
    assert dated.submit_until == clock.today(team.store.time_zone) + timedelta(days=30)
    assert claims.date_warranty_claim(line_uid=line.uid, by=clerk) is None


def test_a_photo_that_the_maker_wants_is_added_after_the_settlement(team: SimpleNamespace, clerk: Actor) -> None:
    order = make_ready(team, pay_type="WARRANTY")
    line = order.lines.get()
    keep_old_parts(line_uid=line.uid, by=clerk)
    settle(order, team)
    desk = Client()
    desk.force_login(clerk.user)
    photos = reverse("line-photos", args=[line.uid])

    def send() -> int:
        sent = SimpleUploadedFile("fault.png", make_picture("red"), "image/png")
        return desk.post(photos, {"form_token": uuid4(), "next": here, "photos": sent}).status_code

    here = reverse("warranty-claims")
    send()
    assert not line.photos.exists()  # settled, and nobody waits for it
    claim = claims.open_warranty_claim(order_uid=order.uid, by=clerk)
    claims.start_warranty_repair(uid=claim.uid, by=clerk)
    here = reverse("warranty-claim", args=[claim.uid])
    assert photos in desk.get(here).content.decode()
    assert send() == 302
    assert claims.complete_warranty_claim(uid=claim.uid, by=clerk).state == "COMPLETE"
    claims.submit_warranty_claim(uid=claim.uid, reference="M-1", by=clerk)
    assert photos not in desk.get(here).content.decode()


def test_the_pages(line: OrderLine, clerk: Actor, team: SimpleNamespace) -> None:
    desk = Client()
    desk.force_login(clerk.user)
    new = reverse("warranty-claim-new", args=[line.order.uid])
    assert line.description in desk.get(new).content.decode()
    told = {"form_token": uuid4(), "lines": [str(line.uid)], "told_free": "yes"}
    assert desk.post(new, told).status_code == 302
    claim = WarrantyClaim.objects.get()
    assert new not in desk.get(reverse("order-detail", args=[line.order.uid])).content.decode()

    def press(name: str, **data: Any) -> int:
        return desk.post(reverse(name, args=[claim.uid]), {"form_token": uuid4(), **data}).status_code

    assert press("warranty-claim-ask") == 302
    assert press("warranty-claim-start") == 422
    assert press("warranty-claim-start", authorised_as="A-1") == 302
    assert press("warranty-claim-complete") == 302
    assert press("warranty-claim-submit", reference="M-1") == 302
    assert press("warranty-claim-return", reason="补照片") == 302
    assert "补照片" in desk.get(reverse("warranty-claim", args=[claim.uid])).content.decode()
    assert press("warranty-claim-submit", reference="M-1") == 302
    assert press("warranty-claim-approve", amount="300") == 422
    assert press("warranty-claim-approve", amount="300", reason="超工时", shop_bears="INTERNAL") == 302
    for show in ("open", "submit", "late", "maker", "pay", "all"):
        page = desk.get(reverse("warranty-claims"), {"show": show}).content.decode()
        assert (claim.number in page) == (show in ("open", "pay", "all")), show
    claim.refresh_from_db()
    assert (claim.submit_until.isoformat() in page, claim.submitted_on.isoformat() in page) == (True, True)
    assert press("warranty-claim-pay", amount="300", reference="T-1", paid_on=clock.today().isoformat()) == 302
    claim.refresh_from_db()
    assert (claim.state, claim.borne_by_shop) == ("PAID", Decimal("40.00"))
    assert claim.number in desk.get(reverse("old-part-tag", args=[line.old_parts.get().uid])).content.decode()


def test_the_api(line: OrderLine, team: SimpleNamespace) -> None:
    client = ApiCaller(
        "workshop:write", "personal:read", store=team.store, acts_for=make_user("warranty", store=team.store)
    )
    made = client.post("warranty-claims", {"repair_order_uid": str(line.order.uid)})
    assert made.status_code == 201, made.content
    path = f"warranty-claims/{made.json()['uid']}"
    assert made.json()["lines"] == [{"labor_operation_uid": str(line.uid), "live": True}]
    problem(client.act(path, "submit", {"reference": "M-1"}), 409, "state.move")
    client.act(path, "start")
    assert client.act(path, "complete").json()["claimed_amount"] == "340.00"
    assert client.act(path, "submit", {"reference": "M-1"}).json()["state"] == "SUBMITTED"
    answer = client.act(path, "reject", {"reason": "超期", "shop_bears": "GOODWILL"}).json()
    assert (answer["state"], answer["shop_bears"]) == ("REJECTED", "GOODWILL")
