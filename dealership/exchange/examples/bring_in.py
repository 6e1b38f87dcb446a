"""A table of customers and cars brought in with Python's standard library: upload, preview, confirm, wait, take back.

BASE, CLIENT_ID and CLIENT_SECRET come from `manage.py api_client`; scope exchange:write. FILE is an xlsx or csv file.
Without FILE a table of one car is sent; with UNDO=1 the import is taken back at the end.
"""

import base64
import json
import os
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

BASE = os.environ.get("BASE", "http://127.0.0.1:8000")


def call(method, path, body=None, **headers):
    content = None if body is None else json.dumps(body).encode()
    sent = {"Accept-Language": "en", "Authorization": f"Bearer {TOKEN}"}
    if content is not None:
        sent["Content-Type"] = "application/json"
    if method == "POST":
        sent["Idempotency-Key"] = str(uuid.uuid4())
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{BASE}/api/v1/{path}", content, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers.get("ETag"), json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise SystemExit(json.load(refusal)["detail"]) from None


def token():
    pair = f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}"
    basic = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    request = urllib.request.Request(BASE + "/api/v1/oauth/token", b"grant_type=client_credentials", basic)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["access_token"]


def wait(uid, *states):
    """Reading, writing and taking back run in the background: the item says how far they are."""
    while True:
        etag, item = call("GET", f"imports/{uid}")
        print(item["state"], f"{item['done']}/{item['total']}")
        if item["state"] in states or item["undo_refused"]:
            return etag, item
        time.sleep(1)


TOKEN = token()
plate = f"京A{uuid.uuid4().int % 100_000:05d}"
table = f"车牌,车型,姓名,电话\n{plate},途远 2.0T,张试驾,13800001111\n,途远,李试驾,\n".encode()
file = Path(os.environ["FILE"]) if "FILE" in os.environ else None
content, name = (file.read_bytes(), file.name) if file else (table, "customers.csv")

# 1. Upload: the file is read and nothing is written.
_etag, made = call("POST", "imports", {"file_name": name, "content": base64.b64encode(content).decode()})
etag, item = wait(made["uid"], "PREVIEW", "FAILED")
if item["state"] == "FAILED":
    raise SystemExit(item["problem_text"])

# 2. Preview: what becomes of each row, and why.
print("would write", item["will"])
cursor = ""
while True:
    _etag, page = call("GET", f"import-rows?import_uid={item['uid']}&verdict=REFUSE{cursor}")
    for row in page["data"]:
        print("row", row["number"], [f"{said['text']} {said['todo']}" for said in row["notes"]])
    if not page["has_more"]:
        break
    cursor = f"&cursor={page['next_cursor']}"

# 3. Confirm with the version that was looked at, and wait until every row is written.
call("POST", f"imports/{item['uid']}/actions/confirm", {}, If_Match=etag)
etag, item = wait(item["uid"], "DONE", "FAILED")
print("written", item["written"])

# 4. Take it back; what was used since stays.
if os.environ.get("UNDO"):
    call("POST", f"imports/{item['uid']}/actions/undo", {}, If_Match=etag)
    _etag, item = wait(item["uid"], "UNDONE")
    print("taken back", item["undone"] or item["undo_refused"])
