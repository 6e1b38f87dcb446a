"""The load generator: a process of its own with eight connections kept open, spread evenly over the web workers.

``python -m bench.load PORT CONNECTIONS`` reads one job a line from standard input, ``{"seconds": …, "lanes": [[request,
…], …]}`` with one lane for each connection and ``request = [method, path, token, body or null]``, and answers one line:
requests per second, percentiles in ms, statuses and the last body. A lane begins again at its end, unless the job says
``"once": true`` (writes that can be done only once). One thread and no HTTP library, so that it takes little of the
machine that it measures.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
import uuid
from collections import Counter
from typing import Any
from urllib.parse import urlencode

GOOD = 400
"""What isn't refused: the API answers 2xx, a form of a page leads on with 302."""
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


def message(method: str, path: str, token: Any, body: Any) -> bytes:
    """A request of the API with its token, or of a page: ``token`` is then the signed-in person's headers."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    content = b""
    if isinstance(token, dict):
        lines += ["Accept: text/html", *(f"{name}: {value}" for name, value in token.items())]
        if body is not None:
            content = urlencode(body).encode()
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(content)}"]
        return "\r\n".join([*lines, "", ""]).encode() + content
    lines += [f"Authorization: Bearer {token}", "Accept: application/json"]
    if body is not None:
        content = json.dumps(body).encode()
        lines += [
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
            f"Idempotency-Key: {uuid.uuid4()}",
            *(["If-Match: *"] if "/actions/" in path else []),
        ]
    return "\r\n".join([*lines, "", ""]).encode() + content


def whole(data: bytes) -> tuple[int, bytes] | None:
    """Status and body once the answer is complete."""
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = data[: head_end + 2]
    found = LENGTH.search(head)
    if found is None:
        if b"chunked" not in head.lower():
            raise ValueError("an answer without a length")
        if not data.endswith(b"0\r\n\r\n"):
            return None
        return int(head[9:12]), unchunked(data[head_end + 4 :])
    body = data[head_end + 4 :]
    return (int(head[9:12]), body) if len(body) >= int(found[1]) else None


def unchunked(data: bytes) -> bytes:
    parts = []
    while data:
        size, _line, rest = data.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        parts.append(rest[:length])
        data = rest[length + 2 :]
    return b"".join(parts)


def ask(line: socket.socket, sent: bytes) -> tuple[int, bytes]:
    line.sendall(sent)
    data = b""
    while True:
        part = line.recv(262_144)
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
        if (answer := whole(data)) is not None:
            return answer


def connect(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=30)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def spread(port: int, count: int, token: str, workers: int) -> list[socket.socket]:
    """Connections to the workers in equal parts; the system hands a connection to either worker by chance."""
    kept: dict[int, list[socket.socket]] = {}
    for _try in range(count * 20):
        line = connect(port)
        status, body = ask(line, message("GET", "/api/v1/bench-who", token, None))
        if status != 200:
            raise SystemExit(f"/api/v1/bench-who answered {status}: {body[:300]!r}")
        mine = kept.setdefault(json.loads(body)["pid"], [])
        if len(mine) < -(-count // workers):
            mine.append(line)
        else:
            line.close()
        if sum(map(len, kept.values())) == count:
            break
    lines = [line for group in zip(*kept.values(), strict=False) for line in group]
    if len(lines) < count:
        raise SystemExit("The workers don't share the connections.")
    return lines


def run(lines: list[socket.socket], job: dict[str, Any]) -> dict[str, Any]:
    waiting = selectors.DefaultSelector()
    once = job.get("once", False)
    taken: list[float] = []
    statuses: Counter[int] = Counter()
    last, refused = b"", b""
    state: dict[socket.socket, list[Any]] = {}
    at = [0] * len(lines)
    # GETs are built before the clock starts; POSTs need a new key each.
    built = [
        [message(*request) if request[3] is None else request for request in lane]
        for lane in job["lanes"][: len(lines)]
    ]

    def send(line: socket.socket, number: int) -> bool:
        lane = built[number]
        if at[number] >= len(lane):
            if once:
                return False
            at[number] = 0
        request = lane[at[number]]
        at[number] += 1
        sent = request if isinstance(request, bytes) else message(*request)
        state[line] = [number, b"", time.perf_counter()]
        line.sendall(sent)
        return True

    begin = time.perf_counter()
    end = begin + job["seconds"]
    busy = 0
    for number, line in enumerate(lines):
        waiting.register(line, selectors.EVENT_READ)
        busy += send(line, number)
    finished = begin
    while busy:
        for key, _mask in waiting.select(30):
            line = key.fileobj
            assert isinstance(line, socket.socket)
            part = line.recv(262_144)
            if not part:
                raise SystemExit("The server closed a connection.")
            known = state[line]
            known[1] += part
            answer = whole(known[1])
            if answer is None:
                continue
            finished = time.perf_counter()
            taken.append(finished - known[2])
            statuses[answer[0]] += 1
            if answer[0] < GOOD:
                last = answer[1]
            else:
                refused = answer[1]
            if finished >= end or not send(line, known[0]):
                busy -= 1
    taken.sort()
    good = sum(count for status, count in statuses.items() if status < GOOD)
    return {
        "rps": round(good / (finished - begin), 1),
        "p50_ms": round(taken[len(taken) // 2] * 1000, 2),
        "p95_ms": round(taken[int(len(taken) * 0.95)] * 1000, 2),
        "statuses": dict(statuses),
        "last": last.decode(),
        "refused": refused.decode()[:500],
        "used": at,
    }


def main() -> None:
    port, connections, token, workers = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    lines = spread(port, connections, token, workers)
    print("ready", flush=True)
    for text in sys.stdin:
        print(json.dumps(run(lines, json.loads(text))), flush=True)


if __name__ == "__main__":
    main()
