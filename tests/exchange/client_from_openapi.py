"""Writes a client of the API from its description alone: one method per operation, the standard library only.

``write_client(description)`` gives the source of a module with the class ``Client``. A method is named after its
operation (``repairOrder_send_estimate`` → ``repair_order_send_estimate``); path and query parameters are keywords,
headers too (``if_match``, ``idempotency_key``), ``body`` is JSON. An answer from 400 on is raised as ``Refused``.
"""

from __future__ import annotations

import json
import re
from typing import Any

HEAD = '''"""Made from the OpenAPI description of the API; not to be edited."""

import base64
import http.client
import json
import urllib.parse
import uuid


class Answer:
    """Status, headers and the JSON of an answer; ``etag`` is what the next change sends as ``if_match``."""

    def __init__(self, status, headers, content):
        self.status, self.headers = status, headers
        self.etag = headers.get("ETag")
        self.json = json.loads(content) if content else None

    def __getitem__(self, name):
        return self.json[name]


class Refused(Exception):
    """Any answer from 400 on: problem+json; ``code`` is stable."""

    def __init__(self, answer):
        self.answer, self.status, self.code = answer, answer.status, answer.json["code"]
        super().__init__(json.dumps(answer.json, ensure_ascii=False))


class Client:
    TOKEN_PATH = %(token)r

    def __init__(self, base, client_id, client_secret, store=None):
        split = urllib.parse.urlsplit(base)
        self.host, self.port, self.store = split.hostname, split.port, store
        pair = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {pair}", "Content-Type": "application/x-www-form-urlencoded"}
        token = self._send("POST", self.TOKEN_PATH, b"grant_type=client_credentials")["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if store:
            self.headers["Store-Code"] = store

    def _send(self, method, path, content=None, headers=None):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, content, {**self.headers, **(headers or {})})
            got = connection.getresponse()
            answer = Answer(got.status, got.headers, got.read())
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(answer)
        return answer

    def _call(self, method, path, places, query, headers, body):
        for name, value in places.items():
            path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
        given = {name: value for name, value in query.items() if value is not None}
        if given:
            path += "?" + urllib.parse.urlencode(given)
        sent = {name: value for name, value in headers.items() if value is not None}
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        return self._send(method, path, content, sent)
'''


def method_name(operation_id: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", operation_id).lower()


def _argument(name: str) -> str:
    return name.lower().replace("-", "_")


def _resolved(description: dict[str, Any], parameter: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in parameter:
        return parameter
    found: Any = description
    for part in parameter["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def write_client(description: dict[str, Any]) -> str:
    flow = description["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    lines = [HEAD % {"token": flow["tokenUrl"]}]
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            parameters = [_resolved(description, given) for given in operation.get("parameters", [])]
            places = [p["name"] for p in parameters if p["in"] == "path"]
            queries = [p["name"] for p in parameters if p["in"] == "query"]
            headers = [p["name"] for p in parameters if p["in"] == "header" and p["name"] != "Store-Code"]
            keywords = [_argument(name) for name in places]
            keywords += ["body"] if "requestBody" in operation else []
            keywords += [f"{_argument(name)}=None" for name in (*queries, *headers)]
            star = ", *, " if keywords else ""
            pairs = {
                kind: "{" + ", ".join(f"{json.dumps(name)}: {_argument(name)}" for name in names) + "}"
                for kind, names in (("places", places), ("query", queries), ("headers", headers))
            }
            lines += [
                f"    def {method_name(operation['operationId'])}(self{star}{', '.join(keywords)}):",
                f"        {json.dumps(operation.get('summary', ''))}",
            ]
            if "Idempotency-Key" in headers:
                lines.append("        idempotency_key = idempotency_key or str(uuid.uuid4())")
            body = "body" if "requestBody" in operation else "None"
            lines += [
                f"        places, query, headers = {pairs['places']}, {pairs['query']}, {pairs['headers']}",
                f"        return self._call({method.upper()!r}, {path!r}, places, query, headers, {body})",
                "",
            ]
    return "\n".join(lines)
