"""An API client for tests: made by the command, signed in at the token endpoint, speaking JSON."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.test import Client

from dealership.exchange import api
from dealership.exchange.services.clients import Credentials, create_api_client
from dealership.kernel.actors import machine
from dealership.kernel.models import Store, User


def make_credentials(*scopes: str, stores: list[Store], acts_for: User | None = None) -> Credentials:
    api.load()
    return create_api_client(
        name=f"client {uuid.uuid4().hex[:8]}", stores=stores, scope=scopes, acts_for=acts_for, by=machine("tests")
    )


def take_token(made: Credentials, **more: str) -> Any:
    """The raw answer of the token endpoint."""
    form = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        **more,
    }
    return Client().post("/api/v1/oauth/token", form)


class ApiCaller:
    """``post`` makes its own Idempotency-Key unless one is given; ``act`` sends the item's ETag."""

    def __init__(self, *scopes: str, store: Store, also: tuple[Store, ...] = (), acts_for: User | None = None) -> None:
        self.credentials = make_credentials(*scopes, stores=[store, *also], acts_for=acts_for)
        said = take_token(self.credentials)
        assert said.status_code == 200, said.content
        self.token = said.json()["access_token"]

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith("/") else f"/api/v1/{path}"
        if body is None:
            return Client().generic(method, address, headers=sent)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Client().generic(method, address, content, content_type="application/json", headers=sent)

    def get(self, path: str, **headers: str) -> Any:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Any:
        return self.request("POST", path, body, **{"Idempotency_Key": key or str(uuid.uuid4()), **headers})

    def put(self, path: str, body: Any, **headers: str) -> Any:
        return self.request("PUT", path, body, **headers)

    def act(self, path: str, verb: str, body: Any = None, *, etag: str | None = None, **more: Any) -> Any:
        """Reads the item (unless its ETag is given) and carries out one of its actions."""
        if etag is None:
            etag = self.get(path).headers["ETag"]
        return self.post(f"{path}/actions/{verb}", body or {}, If_Match=etag, **more)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Demands an answer of exactly this refusal in the one error shape, and returns it."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    said = response.json()
    assert (said["status"], said["code"]) == (status, code), said
    assert said["type"] == "about:blank"
    assert said["title"]
    assert said["detail"]
    return said
