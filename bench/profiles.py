"""Where a request's time goes: ``make bench ARGS=--profile``, in this process, without server and network.

For each operation some hundred requests, three times over: wall time and time in the database (a wrapper around every
statement of Django's, and every prepared one), then the same under cProfile for the Python functions that cost most.
"""

from __future__ import annotations

import cProfile
import io
import itertools
import json
import pstats
import re
import time
import uuid
from typing import Any

TIMES = 120


def profile(plan: Any, names: tuple[str, ...]) -> str:
    """A table and the heaviest functions of each operation, as markdown."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection

    handler = WSGIHandler()
    rows = ["| operation | ms a request | in PostgreSQL | statements | in Python |", "|---|--:|--:|--:|--:|"]
    heavy: list[str] = []
    for name in names:
        lanes, _raw = plan.lanes(name)
        requests = itertools.cycle(lanes[0][:-3] if len(lanes[0]) > 3 else lanes[0])
        spent = {"sql": 0.0, "count": 0}
        each: dict[str, list[float]] = {}

        def watch(
            execute: Any, sql: Any, params: Any, many: Any, context: Any, spent: Any = spent, each: Any = each
        ) -> Any:
            start = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                took = time.perf_counter() - start
                spent["sql"] += took
                spent["count"] += 1
                each.setdefault(_short(sql), []).append(took)

        def ask(requests: Any = requests) -> None:
            _answer(handler, next(requests))

        for _warm in range(8):
            ask()
        start = time.perf_counter()
        with connection.execute_wrapper(watch):
            for _time in range(TIMES):
                ask()
        whole = (time.perf_counter() - start) * 1000 / TIMES
        sql = spent["sql"] * 1000 / TIMES
        rows.append(
            f"| {name} | {whole:.2f} | {sql:.2f} ({sql / whole:.0%}) | {spent['count'] / TIMES:.0f} | {whole - sql:.2f} |"
        )
        profiler = cProfile.Profile()
        profiler.enable()
        for _time in range(TIMES // 2):
            ask()
        profiler.disable()
        heavy += [f"### {name}", "", *_heaviest(profiler), "", *_statements(each), ""]
    return "\n".join([*rows, "", *heavy])


def _short(sql: str) -> str:
    """What a statement is known by: its verb and table, or the name under which it was prepared."""
    words = " ".join(sql.split())
    table = re.search(r'(?:FROM|INTO|UPDATE) "?(\w+)"?', words)
    return f"{words[:7]} {table[1]}" if table and not words.startswith(("EXECUTE", "PREPARE")) else words[:28]


def _statements(each: dict[str, list[float]]) -> list[str]:
    lines = ["| statement | times a request | ms each |", "|---|--:|--:|"]
    for name, took in sorted(each.items(), key=lambda item: -sum(item[1])):
        lines.append(f"| `{name}` | {len(took) / TIMES:.1f} | {sum(took) * 1000 / len(took):.3f} |")
    return lines


def _answer(handler: Any, request: list[Any]) -> None:
    method, address, token, body = request
    path, _mark, query = address.partition("?")
    content = json.dumps(body).encode() if body is not None else b""
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "HTTP_HOST": "127.0.0.1", "HTTP_AUTHORIZATION": f"Bearer {token}",
        "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(content)), "REMOTE_ADDR": "127.0.0.1",
        "HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4()), "wsgi.input": io.BytesIO(content), "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
    }  # fmt: skip
    answer = handler(environ, lambda status, _headers: said.append(status))
    text = b"".join(answer)
    answer.close()
    if not said[0].startswith("2") and not said[0].startswith("409"):
        raise SystemExit(f"{method} {address}: {said[0]} {text[:300]!r}")


def _heaviest(profiler: cProfile.Profile) -> list[str]:
    """The functions with the most time of their own, with their share of the whole."""
    stats = pstats.Stats(profiler)
    whole = stats.total_tt  # type: ignore[attr-defined]
    found = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:12]  # type: ignore[attr-defined]
    lines = ["| own time | calls a request | function |", "|--:|--:|---|"]
    for (path, _line, function), (_primitive, calls, own, _all, _callers) in found:
        place = path.rsplit("site-packages/", 1)[-1].rsplit("lib/python3", 1)[-1]
        place = "/".join(place.split("/")[-3:])
        lines.append(
            f"| {own / whole:.1%} | {calls / (TIMES // 2):.1f} | `{place} {function}` |".replace("{", "").replace(
                "}", ""
            )
        )
    return lines
