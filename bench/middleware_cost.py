"""What each middleware, the token check and the rate cost one request: the empty view in this process, ever more around it.

``python -m bench.middleware_cost TOKEN`` prints for the road of clients (the bare view first, then what each part adds) and
for the longer road of people what each costs in µs of CPU. Parts are measured in turn, round after round, and the
quickest round of each counts.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from typing import Any

ROUNDS, TIMES = 12, 60


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.urls import path

    import bench.urls

    def bare(_request: Any) -> HttpResponse:
        return HttpResponse(b"{}", content_type="application/json")

    def page(_request: Any) -> HttpResponse:
        return HttpResponse(b"{}", content_type="application/json")

    bare.for_clients = True  # type: ignore[attr-defined]
    views = {"bare": bare, "page": page}
    bench.urls.urlpatterns[:0] = [path(f"api/v1/bench-{name}", view) for name, view in views.items()]
    every = list(settings.MIDDLEWARE)
    short = 1 + next(n for n, name in enumerate(every) if name.endswith(".ClientMiddleware"))

    def handler(count: int) -> WSGIHandler:
        settings.MIDDLEWARE = every[:count]
        return WSGIHandler()

    def named(name: str) -> str:
        return name.rsplit(".", 1)[1]

    steps = [("bare view", handler(0), "bare")]
    steps += [(named(every[n]), handler(n + 1), "bare") for n in range(short)]
    steps.append(("token, rate, language, media types", handler(len(every)), "empty"))
    own = len(steps)
    # What people's requests pass through and clients' don't.
    steps += [(named(every[n]), handler(n + 1), "page") for n in range(short - 1, len(every))]
    settings.MIDDLEWARE = every

    def ask(app: WSGIHandler, view: str) -> None:
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": f"/api/v1/bench-{view}", "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
            "HTTP_ACCEPT": "application/json", "HTTP_AUTHORIZATION": f"Bearer {sys.argv[1]}", "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.version": (1, 0), "wsgi.multithread": False,
        }  # fmt: skip
        said: list[str] = []
        response = app(environ, lambda status, _headers: said.append(status))
        b"".join(response)
        response.close()
        if said != ["200 OK"]:
            raise SystemExit(f"bench-{view} answered {said}")

    best = [float("inf")] * len(steps)
    for _round in range(ROUNDS):
        for number, (_name, app, view) in enumerate(steps):
            ask(app, view)
            start = time.process_time()
            for _time in range(TIMES):
                ask(app, view)
            best[number] = min(best[number], (time.process_time() - start) / TIMES * 1e6)
    cost = [best[0], *(best[n] - best[n - 1] for n in range(1, len(best)))]
    client = {steps[n][0]: round(cost[n], 1) for n in range(own)}
    people = {steps[n][0]: round(cost[n], 1) for n in range(own + 1, len(steps))}
    print(json.dumps({"client": client, "people": people}))


if __name__ == "__main__":
    main()
