"""The embedded servers and the test database's roles."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def test_the_application_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, has_schema_privilege('public', 'CREATE')")
        assert cursor.fetchone() == ("app", False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'app'::regrole")
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
            " AND has_table_privilege('app', oid, 'TRUNCATE')"
        )
        assert cursor.fetchone() == (0,)


def test_the_application_cannot_truncate(refused) -> None:
    with refused(sqlstate="42501") as sql:
        sql("TRUNCATE django_session")


def test_chinese_names_have_trigrams() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT similarity('张三丰', '张三'), upper('ä') = 'Ä'")
        similar, folds = cursor.fetchone()
    assert similar > 0
    assert folds


@pytest.mark.django_db(transaction=True)
class TestFlush:
    """A test outside a transaction leaves nothing behind, and the owner sees what it commits."""

    @pytest.mark.parametrize("turn", [1, 2])
    def test_nothing_is_left_behind(self, turn: int, as_owner) -> None:
        assert as_owner("SELECT count(*) FROM django_session") == [(0,)]
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO django_session VALUES ('k', 'd', now())")
        assert as_owner("SELECT session_key FROM django_session") == [("k",)]
        assert as_owner("SELECT current_user") == [("owner",)]
