"""The state of a test database, to be put back faster than it could be emptied and filled again."""

from __future__ import annotations

import io
from typing import Any


class KeptRows:
    """All rows and counters of a test database as they are now, kept in memory and put back after a test that committed.

    Emptying by TRUNCATE takes seconds where hundreds of tables refer to one another, and seeding anew takes more.
    Deleting past triggers and references needs the right to set ``session_replication_role``; on a server of
    somebody else that doesn't give it, tables are truncated and seeded again.
    """

    TABLES = (
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
    )
    UNTOUCHED = "('django_migrations', 'django_content_type', 'auth_permission')"
    COUNTERS = "SELECT sequencename, COALESCE(last_value, start_value), last_value IS NOT NULL FROM pg_sequences"

    def __init__(self, cursor: Any) -> None:
        cursor.execute("SELECT has_parameter_privilege('session_replication_role', 'SET')")
        self.puts_back = cursor.fetchone()[0]
        cursor.execute(f"{self.TABLES} AND c.relname NOT IN {self.UNTOUCHED}")
        self.names = [name for (name,) in cursor.fetchall()]
        self.counters = self._counters(cursor)
        self.rows = {name: self._read(cursor, name) for name in self._filled(cursor)}

    def _filled(self, cursor: Any) -> list[str]:
        cursor.execute(
            " UNION ALL ".join(f"(SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\"))" for name in self.names)
        )
        return [name for (name,) in cursor.fetchall()]

    def _counters(self, cursor: Any) -> dict[str, tuple[int, bool]]:
        cursor.execute(self.COUNTERS)
        return {name: (value, used) for name, value, used in cursor.fetchall()}

    def _read(self, cursor: Any, name: str) -> tuple[str, bytes]:
        cursor.execute(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
            [f'"{name}"'],
        )
        (columns,) = cursor.fetchone()
        out = io.BytesIO()
        cursor.copy_expert(f'COPY (SELECT {columns} FROM "{name}") TO STDOUT', out)
        return columns, out.getvalue()

    def put_back(self, cursor: Any) -> None:
        filled = self._filled(cursor)
        if not self.puts_back:
            from dealership.kernel.seeds import seed_all

            if filled:
                listed = ", ".join(f'"{name}"' for name in filled)
                cursor.execute("SET lock_timeout = '20s'")
                cursor.execute(f"TRUNCATE {listed} RESTART IDENTITY CASCADE")
            seed_all()
            return
        counters = self._counters(cursor)
        cursor.execute("BEGIN; SET LOCAL lock_timeout = '20s'; SET LOCAL session_replication_role = replica")
        for name in filled:
            cursor.execute(f'DELETE FROM "{name}"')
        for name, (columns, rows) in self.rows.items():
            cursor.copy_expert(f'COPY "{name}" ({columns}) FROM STDIN', io.BytesIO(rows))
        for name, (value, used) in self.counters.items():
            if counters[name] != (value, used):
                cursor.execute("SELECT setval(%s, %s, %s)", [f'"{name}"', value, used])
        cursor.execute("COMMIT")
