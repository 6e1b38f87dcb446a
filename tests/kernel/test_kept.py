"""Querysets and rows whose SQL is kept give what Django gives (``kernel/postgres/kept.py``)."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, models

from dealership.catalogue.models import OperationPart, Reservation, Resource, ResourceKind
from dealership.kernel import clock
from dealership.kernel.actors import Actor, customer_link, machine
from dealership.kernel.models import Message, OpeningHours, Store
from dealership.kernel.postgres.kept import Kept, forget, insert
from reception.models import Customer, Ownership, Vehicle, Visit
from tests.factories.kernel import make_store
from tests.factories.reception import make_customer, make_vehicle
from tests.factories.workshop import make_order, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> Store:
    return make_store()


def same(kept: Kept[Any], **values: Any) -> list[Any]:
    """Twice the same rows as the queryset itself; a model with every column and what came along with it."""

    def told(row: Any) -> Any:
        if not isinstance(row, models.Model):
            return row
        cached = {name: told(value) for name, value in row._state.fields_cache.items() if value is not None}
        return type(row), {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields}, cached

    expected = [told(row) for row in kept.make(**values)]
    for _time in range(2):
        assert [told(row) for row in kept(**values)] == expected
    return expected


def test_models_with_what_is_joined_to_them() -> None:
    owner = make_customer()
    car = make_vehicle(owner_uid=owner.uid)
    kept: Kept[Ownership] = Kept(
        lambda vehicle_id: Ownership.objects.filter(vehicle_id=vehicle_id).select_related(
            "customer__contact", "vehicle"
        ),
        vehicle_id=int,
    )
    assert len(same(kept, vehicle_id=car.pk)) == 1
    assert same(kept, vehicle_id=0) == []


def test_values_in_their_kinds(store) -> None:
    days = OpeningHours.objects.filter(store=store).count()
    assert days
    for shape in (
        lambda rows: rows.values("weekday", "opens"),
        lambda rows: rows.values_list("weekday", "closes", "break_from"),
        lambda rows: rows.values_list("weekday", flat=True),
        lambda rows: rows.values_list("closes", "pk", named=True),
    ):
        kept: Kept[Any] = Kept(
            lambda store_id, shape=shape: shape(OpeningHours.objects.filter(store_id=store_id).order_by("-weekday")),
            store_id=int,
        )
        assert len(same(kept, store_id=store.pk)) == days


def test_every_kind_of_parameter_and_constants_with_a_percent_sign(store) -> None:
    make_customer(name="100%")
    kept: Kept[Any] = Kept(
        lambda uid, name, day, at: (
            Customer.objects.filter(uid=uid, name=name, created_at__gte=at)
            .exclude(note="50%s")
            .filter(created_at__date__gte=day)
            .values_list("name", "pinyin")
        ),
        uid=UUID,
        name=str,
        day=date,
        at=datetime,
    )
    customer = Customer.objects.get()
    then = datetime(2020, 1, 1, tzinfo=UTC)
    assert same(kept, uid=customer.uid, name="100%", day=date(2020, 1, 1), at=then) == [("100%", customer.pinyin)]
    assert same(kept, uid=customer.uid, name="100%s", day=date(2020, 1, 1), at=then) == []
    assert same(kept, uid=uuid4(), name="100%", day=date(2020, 1, 1), at=then) == []


def test_stretches_of_time(store) -> None:
    bay = Resource.objects.create(store=store, kind=ResourceKind.BAY, code="1", name="1")
    at = datetime(2027, 1, 4, 8, tzinfo=UTC)
    made = insert(
        Reservation(store=store, resource=bay, period=(at, at + timedelta(hours=1)), purpose="BLOCK", subject_uid=None)
    )
    kept: Kept[Any] = Kept(
        lambda start, end: Reservation.objects.filter(live=True, period__overlap=(start, end)).values_list(
            "pk", "period"
        ),
        start=datetime,
        end=datetime,
    )
    assert [row[0] for row in same(kept, start=at, end=at + timedelta(minutes=5))] == [made.pk]
    assert same(kept, start=at + timedelta(hours=1), end=at + timedelta(hours=2)) == []


def test_an_actor_counts_with_its_stores() -> None:
    first, second = make_shop(), make_shop()
    visits = [make_order(shop).visit for shop in (first, second)]
    kept: Kept[Visit] = Kept(lambda by: Visit.objects.for_actor(by).order_by("pk"), by=Actor)
    both = Actor(first.advisor.kind, "x", store_ids=frozenset({first.store.pk, second.store.pk}))
    for by, seen in (
        (machine("tests"), 2),
        (machine("tests", store_id=first.store.pk), 1),
        (machine("tests", store_id=make_store().pk), 0),
        (both, 2),
        (Actor(first.advisor.kind, "x", store_ids=frozenset()), 0),
        (customer_link(visit_id=visits[1].pk, store_id=second.store.pk, token_id="t"), 1),
    ):
        assert len(same(kept, by=by)) == seen


def test_a_parameter_that_gets_lost_is_a_defect() -> None:
    kept: Kept[Any] = Kept(lambda pk, unused: Vehicle.objects.filter(pk=pk), pk=int, unused=int)
    with pytest.raises(ValueError, match="unused"):
        kept(pk=1, unused=2)


def test_those_of_this_project_all_translate(store) -> None:
    """Each kept queryset of the rooms is translated and asked once with something."""
    known = {"by": machine("tests", store_id=store.pk)}
    some = {int: 1, str: "x", UUID: uuid4(), date: date(2026, 1, 1), datetime: clock.now()}
    ours = [found for found in gc.get_objects() if type(found) is Kept and found.make.__module__.count("tests") == 0]
    assert len(ours) > 15
    for kept in ours:
        kept(**{name: known.get(name) or some[kind] for name, kind in kept.kinds.items()})


def test_inserting_writes_what_saving_writes(store) -> None:
    def made(**more: Any) -> Message:
        return Message(
            store=store, key=str(uuid4()), channel="SMS", recipient="13800001111", template="t", body="5% %s", **more
        )

    saved, written = made(), made()
    saved.save()
    insert(written)
    assert (written._state.adding, written._state.db) == (False, "default")
    rows = [Message.objects.filter(pk=row.pk).values().get() for row in (saved, written)]
    own = {"id", "uid", "key", "created_at", "updated_at"}
    assert {k: v for k, v in rows[0].items() if k not in own} == {k: v for k, v in rows[1].items() if k not in own}
    assert rows[1]["uid"] == written.uid
    written.reason = "x"
    written.save()
    written.refresh_from_db()
    assert (written.reason, written.version) == ("x", 2)


def test_what_the_database_has_changed_is_read_again(store, django_assert_num_queries) -> None:
    row = Store.objects.get(pk=store.pk)
    Store.objects.filter(pk=store.pk).update(name="别的店")
    forget(row, "name", "version")
    with django_assert_num_queries(2):
        assert (row.name, row.version) == ("别的店", store.version + 1)


def test_a_new_connection_prepares_again(transactional_db) -> None:
    kept: Kept[Any] = Kept(
        lambda operation_id: OperationPart.objects.filter(operation_id=operation_id), operation_id=int
    )
    same(kept, operation_id=1)
    connection.close()
    same(kept, operation_id=1)
