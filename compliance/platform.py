"""The health record platform over HTTP: a token by company code and password, then the record (domain 7.2).

Nothing here writes to the database. Endpoints and accounts come from the environment, as they differ by province.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from django.conf import settings

ADDED = "1"
SECONDS = 20
MOST = 65_536


class Unreachable(Exception):
    """Nobody knows whether it arrived; the same record may be sent again under the same number."""


class Refused(Exception):
    """The platform read the record and doesn't take it, in its own words."""


def connected(store_code: str) -> bool:
    """Whether records of this store can be sent at all."""
    return bool(settings.HEALTH_RECORD_URL) and store_code in settings.HEALTH_RECORD_ACCOUNTS


def send(record: dict[str, Any], *, store_code: str) -> None:
    """Adds one record. Raises Unreachable or Refused."""
    company, password = settings.HEALTH_RECORD_ACCOUNTS[store_code]
    given = _ask(settings.HEALTH_RECORD_TOKEN_URL, {"companycode": company, "companypassword": password})
    token = given.get("access_token")
    if not isinstance(token, str) or not token:
        raise Unreachable(_words(given))
    answer = _ask(settings.HEALTH_RECORD_URL, {"access_token": token, **record})
    if str(answer.get("code")) != ADDED:
        raise Refused(_words(answer))


def _ask(url: str, body: dict[str, Any]) -> dict[str, Any]:
    content = json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(url, content, {"Content-Type": "application/json; charset=utf-8"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  (settings admit http and https)
            read = json.loads(answer.read(MOST))
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as exc:
        raise Unreachable(f"{type(exc).__name__}: {exc}") from exc
    if not isinstance(read, dict):
        raise Unreachable("the answer is no object")
    return read


def _words(answer: dict[str, Any]) -> str:
    """The platform's own code and words."""
    code, status = answer.get("code", ""), answer.get("status") or answer.get("message") or ""
    return f"{code} {status}".strip() or "—"
