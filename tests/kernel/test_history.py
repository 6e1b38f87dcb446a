"""1.1: history is written in the command's transaction, is never changed, and no session can switch its rules off."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from dealership.kernel import registry
from dealership.kernel.actors import machine
from dealership.kernel.history import record
from dealership.kernel.models import History, Message, Outbox
from dealership.kernel.services import queue_message
from tests.factories.kernel import make_store


def queue(store, key="k1"):
    return queue_message(
        key=key, store=store, channel="SMS", recipient="13800138000", template="test", body="您好", by=machine("test")
    )


@pytest.mark.django_db
def test_a_line_and_what_is_owed_for_it_are_written_together():
    message = queue(make_store())
    line = History.objects.get(root_uid=message.uid)
    assert (line.code, line.facts) == ("kernel.message.queued", {"template": "test", "channel": "SMS"})
    owed = Outbox.objects.get(event_id=line.id)
    assert (owed.handler, owed.state, owed.attempts) == ("kernel.send_message", "DUE", 0)


@pytest.mark.django_db
def test_a_rolled_back_command_leaves_neither_line_nor_debt():
    store, tables = make_store(), (Message, History, Outbox)
    before = [table.objects.count() for table in tables]
    with pytest.raises(RuntimeError), transaction.atomic():
        queue(store)
        assert [table.objects.count() for table in tables] == [count + 1 for count in before]
        raise RuntimeError
    assert [table.objects.count() for table in tables] == before


@pytest.mark.django_db
def test_names_and_free_text_never_reach_the_history():
    message = queue(make_store())
    for fact in ("张三", "x" * 81):
        with pytest.raises(ValueError, match="never names"):
            record(message, "kernel.message.sent", by=machine("test"), fact=fact)


@pytest.mark.django_db
def test_an_undeclared_event_is_a_defect():
    with pytest.raises(ValueError, match="not declared"):
        record(queue(make_store()), "kernel.message.vanished", by=machine("test"))


@pytest.mark.django_db(transaction=True)
def test_record_refuses_to_run_outside_a_transaction():
    message = queue(make_store())
    with pytest.raises(RuntimeError, match="transaction"):
        record(message, "kernel.message.sent", by=machine("test"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kernel_history SET actor_id = 'x'",
        "DELETE FROM kernel_history",
    ],
)
def test_history_is_append_only_for_the_application(refused, statement):
    queue(make_store())
    before = list(History.objects.values_list("id", "actor_id"))
    with refused("history_append_only") as sql:
        sql(statement)
    assert list(History.objects.values_list("id", "actor_id")) == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE kernel_history",
        "ALTER TABLE kernel_history DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TABLE kernel_history",
    ],
)
def test_the_application_owns_nothing(refused, statement):
    with refused(sqlstate="42501") as sql:
        sql(statement)


@pytest.mark.django_db
def test_a_session_cannot_have_triggers_ignored(refused):
    message = queue(make_store())
    trigger = next(t for t in Message._meta.triggers if t.name == "message_moves")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, false)", [f"{{{trigger.get_pgid(Message)}}}"])
    try:
        with refused("message_moves") as sql:
            sql("UPDATE kernel_message SET state = 'SENT' WHERE id = %s", [message.pk])
            sql("UPDATE kernel_message SET state = 'QUEUED' WHERE id = %s", [message.pk])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('pgtrigger.ignore', '', false)")
    message.refresh_from_db()
    assert message.state == "QUEUED"


def test_every_subscription_names_a_declared_event():
    assert set(registry.SUBSCRIPTIONS) <= set(registry.EVENTS)
