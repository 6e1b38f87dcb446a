"""A warranty repair with an old part, in browsers: claimed from the maker with its papers, the part tagged and sent back,
answered and paid short with a reason each, its age seen while it waits (3.2)."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from dealership.kernel.models import Store
from staff.models import Employee
from tests.factories.delivery import TEAM, add_line, make_order, make_visit
from tests.factories.staff import actor_for
from tests.factories.warranty import give_papers
from workshop.old_part_models import OldPart
from workshop.warranty_claim_models import WarrantyClaim

from .conftest import Desk, People

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_warranty_repair_with_an_old_part(people: People, store: Store, set_clock: Callable[..., None]) -> None:
    staff = {post: Employee.objects.get(user__username=post) for post in TEAM}
    team = SimpleNamespace(store=store, people=staff, **{post: actor_for(person) for post, person in staff.items()})
    order = make_order(make_visit(team), team)
    line = add_line(order, state="COMPLETED", pay_type="WARRANTY", description="更换水泵", parts=[{"name": "水泵"}])

    clerk, keeper = people.warranty, people.parts
    clerk.open(f"/orders/{order.uid}/")
    clerk.press("向厂家索赔")
    clerk.press("开索赔单")
    claim = WarrantyClaim.objects.get()
    clerk.press("开始维修")
    clerk.press("开始维修")
    clerk.sees("缺")  # neither photo nor tag
    expect(clerk.button("资料已齐")).to_have_count(0)

    give_papers(line)
    part = OldPart.objects.get()
    keeper.open("/old-parts/")
    keeper.press_on(keeper.page.get_by_role("link", name=part.tag))
    keeper.press("库位")
    keeper.fill(place="A-03")
    keeper.press("上架")
    keeper.open(f"/old-parts/{part.uid}/")
    keeper.press("标签")
    keeper.sees(claim.number)

    clerk.open(f"/warranty-claims/{claim.uid}/")
    clerk.press("资料已齐")
    clerk.press("提交厂家")
    clerk.fill(reference="M-2026-1")
    clerk.press("已提交")
    waits(clerk, "0–30 天", claim)

    keeper.open(f"/old-parts/{part.uid}/")
    keeper.press("寄回厂家")
    keeper.fill(reference="SF10001")
    keeper.press("已寄出")
    part.refresh_from_db()
    assert (part.state, part.place) == ("RETURNED", "A-03")
    clerk.open(f"/warranty-claims/{claim.uid}/")
    clerk.press("退回")
    clerk.fill(reason="补旧件快递单号")
    clerk.press("记下")
    clerk.sees("补旧件快递单号")
    clerk.press("提交厂家")
    clerk.press("已提交")
    claim.refresh_from_db()
    assert (claim.state, claim.times_submitted) == ("SUBMITTED", 2)

    set_clock(9, day=(2027, 1, 8))  # six weeks later
    clerk = people.desks["warranty"] = people.seat("warranty")
    waits(clerk, "31–60 天", claim)
    clerk.open(f"/warranty-claims/{claim.uid}/")
    clerk.press("已批准")
    clerk.fill(amount="300")
    clerk.fill(reason="工时超过厂家标准")
    clerk.select("shop_bears", "内部费用")
    clerk.press("登记批准")
    clerk.sees("本店承担")
    claim.refresh_from_db()
    assert (claim.state, claim.borne_by_shop) == ("APPROVED", claim.claimed_amount - 300)

    accountant = people.accountant
    accountant.open(f"/warranty-claims/{claim.uid}/")
    accountant.press("厂家已回款")
    accountant.fill(amount="280", reference="HK-2027-15", reason="扣旧件管理费")
    accountant.select("shop_bears", "内部费用")
    accountant.press("登记厂家回款")
    claim.refresh_from_db()
    assert (claim.state, claim.paid_amount, claim.reason) == ("PAID", 280, "扣旧件管理费")
    assert claim.borne_by_shop == claim.claimed_amount - 280
    accountant.open("/warranty-claims/")
    accountant.sees("没有索赔单")

    assert not people.troubles, people.troubles
    assert not people.overflows, people.overflows
    assert not people.violations, people.violations


def waits(clerk: Desk, age: str, claim: WarrantyClaim) -> None:
    """The list says how long what the maker owes has waited."""
    clerk.open("/warranty-claims/")
    clerk.sees(claim.number)
    claim.refresh_from_db()
    waiting = clerk.page.locator("aside dt", has_text=age).locator("xpath=following-sibling::dd[1]")
    expect(waiting).to_have_text(f"1 · ¥{claim.claimed_amount:,}")
