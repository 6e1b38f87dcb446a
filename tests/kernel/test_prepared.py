"""A prepared statement lives as long as its session: a new connection after PostgreSQL went away prepares anew."""

import pytest
from django.db import connection

from dealership.kernel.postgres.prepared import run_prepared

pytestmark = pytest.mark.django_db(transaction=True)


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'p\\_%'")
        return cursor.fetchone()[0]


def test_a_new_connection_prepares_again() -> None:
    connection.close()
    for _session in range(2):
        assert run_prepared("sum", "SELECT $1::int + $2::int", [1, 2]) == [(3,)]
        assert run_prepared("sum", "SELECT $1::int + $2::int", [3, 4]) == [(7,)]
        assert prepared() == 1
        connection.close()


def test_a_session_that_was_ended_from_outside_is_replaced() -> None:
    assert run_prepared("sum", "SELECT $1::int + $2::int", [1, 2]) == [(3,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        before = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", before)
    other.close()
    connection.close_if_unusable_or_obsolete()
    assert run_prepared("sum", "SELECT $1::int + $2::int", [3, 4]) == [(7,)]
