#!/bin/sh
# The first steps with curl: a token, a customer, a correction, the feed of events.
# BASE, CLIENT_ID and CLIENT_SECRET come from `manage.py api_client`; scopes reception:write, personal:read, events:read.
set -eu
BASE="${BASE:-http://127.0.0.1:8000}"
value() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }   # enough for these answers; take jq for more
new_key() { cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen; }

# 1. A token for an hour (OAuth 2, client credentials).
TOKEN=$(curl -sS --fail-with-body -u "$CLIENT_ID:$CLIENT_SECRET" \
  -d grant_type=client_credentials "$BASE/api/v1/oauth/token" | value access_token)
api() { curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" "$@"; }

# 2. A customer. The key makes a retry harmless: the same key with the same body gives the same answer.
KEY=$(new_key)
BODY='{"name": "张试驾", "phone": "13800001111"}'
UID_=$(api -X POST "$BASE/api/v1/customers" -H "Idempotency-Key: $KEY" -d "$BODY" | value uid)
AGAIN=$(api -X POST "$BASE/api/v1/customers" -H "Idempotency-Key: $KEY" -d "$BODY" | value uid)
[ "$UID_" = "$AGAIN" ]
echo "customer $UID_"

# 3. A correction says what it has read: ETag → If-Match. Whoever was slower gets 412 and reads again.
ETAG=$(api -D - -o /dev/null "$BASE/api/v1/customers/$UID_" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
api -o /dev/null -X PUT "$BASE/api/v1/customers/$UID_" -H "If-Match: $ETAG" \
  -d '{"name": "张试驾", "phone": "13800001111", "note": "周末来店"}'
STATUS=$(api -o /dev/null -w '%{http_code}' -X PUT "$BASE/api/v1/customers/$UID_" -H "If-Match: $ETAG" \
  -d '{"name": "张试驾", "phone": "13800002222"}' || true)
[ "$STATUS" = 412 ]
echo "second writer $STATUS"

# 4. What happened, in the order in which it was committed; keep next_cursor and go on with it.
api "$BASE/api/v1/events?limit=5" | value next_cursor | sed 's/^/events read up to /'
