"""The first steps with Python's standard library: a token, a customer under another system's name, a car, the feed.

BASE, CLIENT_ID and CLIENT_SECRET come from `manage.py api_client`; scopes reception:write, personal:read, events:read.
"""

import base64
import json
import os
import urllib.error
import urllib.request
import uuid

BASE = os.environ.get("BASE", "http://127.0.0.1:8000")


def call(method, path, body=None, headers=None):
    """Returns (status, headers, JSON). Every error is problem+json too: its "code" is stable."""
    content = None if body is None else json.dumps(body).encode()
    sent = {"Accept-Language": "en", **(headers or {})}
    if content is not None:
        sent["Content-Type"] = "application/json"
    request = urllib.request.Request(BASE + path, content, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, json.load(refusal)


def token():
    pair = f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}"
    basic = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    request = urllib.request.Request(BASE + "/api/v1/oauth/token", b"grant_type=client_credentials", basic)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


signed_in = {"Authorization": f"Bearer {token()}"}

# 1. Your own name for the customer is the upsert key: 201 the first time, 200 with If-Match afterwards.
name = f"C-{uuid.uuid4().hex[:8]}"
path = f"/api/v1/customers/by-ref/my-dms/{name}"
customer = {"name": "张试驾", "phone": "13800001111"}
status, headers, made = call("PUT", path, customer, signed_in)
assert status == 201, made
status, headers, made = call("PUT", path, {**customer, "note": "左撇子"}, {**signed_in, "If-Match": headers["ETag"]})
assert status == 200, made
print("customer", made["uid"], made["external_refs"])

# 2. A POST carries a new Idempotency-Key for each new action, the same one for each retry.
key = {**signed_in, "Idempotency-Key": str(uuid.uuid4())}
car = {"model_text": "途远 2.0T", "plate": f"京A{uuid.uuid4().int % 100_000:05d}", "owner_uid": made["uid"]}
status, _headers, vehicle = call("POST", "/api/v1/vehicles", car, key)
assert status == 201, vehicle
status, _headers, again = call("POST", "/api/v1/vehicles", car, key)
assert (status, again) == (201, vehicle)
print("vehicle", vehicle["plate"], "may now:", vehicle["transitions"])

# 3. A refusal says what is wrong and what to do, and changes nothing.
status, _headers, problem = call("POST", "/api/v1/customers", {"name": "李试驾"}, {**key, "Idempotency-Key": "k-1"})
assert (status, problem["code"]) == (409, "customer.reachable"), problem
print("refused:", problem["detail"])

# 4. Follow what happens: read until has_more is false, keep next_cursor, ask again later.
cursor, seen = "", 0
while True:
    after = f"&after={cursor}" if cursor else ""
    status, _headers, page = call("GET", f"/api/v1/events?limit=100{after}", headers=signed_in)
    assert status == 200, page
    seen, cursor = seen + len(page["data"]), page["next_cursor"] or cursor
    if not page["has_more"]:
        break
print("events", seen, "next time from", cursor)
