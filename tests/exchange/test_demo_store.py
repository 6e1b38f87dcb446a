"""The demo's stores: every post has a log-in, everything is made through commands, and stores don't see each other."""

from __future__ import annotations

import stat
from datetime import timedelta

import pytest

from dealership.catalogue.models import PartPrice, Resource
from dealership.exchange.services import demo_store
from dealership.kernel import clock, registry
from dealership.kernel.models import CalendarDay, History, OpeningHours, RoleGrant, Store, User
from dealership.kernel.services import actor_of, stores_of
from staff.models import Employee, RosterDay
from staff.selectors.employees import employees_with_role, on_duty
from workshop.models import CertificateRange, StockItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def stores(settings, tmp_path) -> list[Store]:
    settings.VAR_DIR = tmp_path
    return demo_store.make_demo_stores()


def test_a_whole_store(stores, tmp_path, settings):
    store = stores[0]
    assert [s.code for s in stores] == ["BJ01", "NH02"]
    assert OpeningHours.objects.filter(store=store).count() == 7
    assert CalendarDay.objects.filter(store=store, opens__isnull=True).exists()
    for role in registry.ROLE_LABELS:
        assert employees_with_role(store.pk, role).exists(), role
        assert User.objects.get(username=role).check_password(demo_store.demo_password())
    assert Employee.objects.filter(store=store).count() == 30
    kinds = [Resource.objects.filter(store=store, kind=kind).count() for kind in ("BAY", "PERSON", "TOOL", "LOAN_CAR")]
    assert kinds == [8, 6, 6, 2]
    for offset in (-30, 0, 30):
        assert on_duty(store.pk, clock.today() + timedelta(days=offset)).count() >= 13
    assert RosterDay.objects.filter(store=store).count() == 30 * 61
    assert CertificateRange.objects.get(store=store).next == 1
    assert StockItem.objects.filter(store=store, on_hand__gt=0).count() > 30
    assert PartPrice.objects.filter(store=store).count() > 30
    path = tmp_path / "demo-logins.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = path.read_text()
    assert all(f"  {role} " in said for role in registry.ROLE_LABELS)
    hired = History.objects.filter(store_id=store.pk, code="staff.employee.hired")
    assert set(hired.values_list("actor_kind", "actor_id")) == {("MACHINE", "demo")}


def test_a_second_start_only_tops_up(stores):
    before = (Employee.objects.count(), RoleGrant.objects.count(), Resource.objects.count(), demo_store.demo_password())
    with clock.moved_to(clock.now() + timedelta(days=2)):
        again = demo_store.make_demo_stores()
    assert [s.pk for s in again] == [s.pk for s in stores]
    assert before == (
        Employee.objects.count(), RoleGrant.objects.count(), Resource.objects.count(), demo_store.demo_password(),
    )  # fmt: skip
    assert RosterDay.objects.filter(store=stores[0]).count() == 30 * 63


def test_stores_are_apart_and_the_general_manager_has_both(stores):
    advisor = User.objects.get(username="advisor")
    actor = actor_of(advisor, stores[0])
    assert set(Employee.objects.for_actor(actor).values_list("store__code", flat=True)) == {"BJ01"}
    assert stores_of(advisor) == [stores[0]]
    assert stores_of(User.objects.get(username="gm")) == stores
    assert stores_of(User.objects.get(username="advisor.nh02")) == [stores[1]]
