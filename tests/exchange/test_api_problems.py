"""Every error of the API is problem+json, whoever speaks it (design 6)."""

from __future__ import annotations

import base64
from io import BytesIO
from types import SimpleNamespace

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory

from dealership import wsgi
from dealership.exchange import api
from dealership.kernel.api import problems, ratelimit, views
from dealership.kernel.api.resources import RESOURCES
from dealership.kernel.errors import RuleError
from delivery.models import SurveyDimension
from reception.models import Customer
from tests.factories.api import ApiCaller, problem, take_token
from tests.factories.kernel import make_store, make_user
from tests.factories.reception import make_customer, make_vehicle

pytestmark = pytest.mark.django_db
CUSTOMER = {"name": "张试驾", "phone": "13800001111"}


@pytest.fixture
def desk(store) -> ApiCaller:
    return ApiCaller("reception:write", "personal:read", store=store)


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1/", "/api/", "/api/v2/customers", "/api/v1/nothing", "/api/v1/customers/1"]
)
def test_unknown_address(path: str) -> None:
    said = problem(Client().get(path), 404, "not_found")
    assert said["instance"] == path
    assert "/api/v1/docs" in said["detail"]


def test_method(desk) -> None:
    answer = desk.request("DELETE", "customers")
    problem(answer, 405, "method")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_not_acceptable(desk) -> None:
    problem(desk.get("customers", Accept="text/html"), 406, "not_acceptable")


def test_media_type(desk) -> None:
    answer = Client().post(
        "/api/v1/customers", "name=x", content_type="text/plain", headers={"Authorization": f"Bearer {desk.token}"}
    )
    problem(answer, 415, "media_type")


def test_a_body_in_gbk_says_utf8(desk) -> None:
    said = problem(desk.post("customers", '{"name": "张"}'.encode("gbk"), Accept_Language="en"), 400, "json")
    assert "UTF-8" in said["detail"]


@pytest.mark.parametrize("body", [b"{", b"[1,", b'{"name": "\\ud800"}', b"\xff"])
def test_body_that_is_no_json(desk, body: bytes) -> None:
    problem(desk.post("customers", body), 400, "json")
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("body", "twice"),
    [
        (b'{"name": "A", "phone": "13800001111", "name": "B"}', "name"),
        (b'{"name": "A", "phone": "13800001111", "na\\u006de": "B"}', "name"),
        (b'{"name": "A", "phone": "13800001111", "x": [{"y": {"z": 1, "z": 1}}]}', "z"),
    ],
)
def test_a_name_given_twice_is_no_body(desk, body: bytes, twice: str) -> None:
    said = problem(desk.post("customers", body, Accept_Language="en"), 400, "json")
    assert f"“{twice}”" in said["detail"]
    assert not Customer.objects.exists()


def test_a_deep_body_is_an_answer(desk) -> None:
    """As deep as the first reading takes it: the second says the same or that it is too deep, and doesn't fall over."""
    assert desk.post("customers", b'{"a":' * 1000 + b"1" + b"}" * 1000).status_code in (400, 422)


def test_every_missing_score_of_a_survey_is_named(store) -> None:
    caller = ApiCaller("delivery:write", store=store)
    uid = "00000000-0000-4000-8000-000000000000"
    body = {"scores": {"QUALITY": 5, "DELIVERY": 4}, "recommend": 9}
    said = problem(caller.post(f"surveys/{uid}/actions/answer", body), 422, "validation")
    missing = set(SurveyDimension.values) - {"QUALITY", "DELIVERY"}
    assert {(e["pointer"], e["code"]) for e in said["errors"]} == {(f"/scores/{name}", "required") for name in missing}


def test_a_search_without_words_is_refused_as_an_empty_one_is(desk) -> None:
    for path, code in (("search", "required"), ("search?q=", "too_short")):
        said = problem(desk.get(path), 400, "validation")
        assert [(e["pointer"], e["code"]) for e in said["errors"]] == [("?q", code)]


def test_a_value_that_makes_no_sense_to_the_command(desk) -> None:
    body = {"contact_name": "张试驾", "contact_phone": "0", "model_text": "途远", "need": "异响", "plate": "京A12345"}
    said = problem(desk.post("visits", body), 409, "phone.pattern")
    assert said["errors"][0]["pointer"] == "/contact_phone"
    assert "电话" in said["errors"][0]["message"]


def test_empty_body_says_what_to_send(desk) -> None:
    said = problem(desk.post("customers", b"", Content_Type="application/json", Accept_Language="en"), 400, "json")
    assert "{}" in said["detail"]


def test_what_only_a_person_does(store, desk) -> None:
    body = {"contact_name": "张试驾", "contact_phone": "13800001111", "model_text": "途远", "need": "异响"}
    visit = desk.post("visits", {**body, "plate": "京A12345"}).json()
    path = f"visits/{visit['uid']}"
    said = problem(desk.act(path, "greet", Accept_Language="en"), 409, "employee.missing")
    assert [error["pointer"] for error in said["errors"]] == ["/advisor_uid"]
    assert "advisor_uid" in said["detail"]
    gate = ApiCaller("delivery:write", store=store)
    checks = {"visit_uid": visit["uid"], "checklist": {}, "odometer_out": 1, "received_by": "张试驾"}
    said = problem(gate.post("deliveries", checks, Accept_Language="en"), 409, "employee.missing")
    assert "errors" not in said
    assert "--acts-for" in said["detail"]


def test_a_masked_value_is_not_written_back(desk, store) -> None:
    """Who reads names masked and sends them back would rename the customer 张**."""
    blind = ApiCaller("reception:write", store=store)
    made = desk.post("customers", {**CUSTOMER, "note": "左撇子"}).json()
    path = f"customers/{made['uid']}"
    seen = blind.get(path)
    read = {name: seen.json()[name] for name in ("name", "phone", "note")}
    assert read == {"name": "张**", "phone": "138****1111", "note": "***"}
    said = problem(blind.put(path, read, If_Match=seen.headers["ETag"]), 422, "validation")
    assert {(e["pointer"], e["code"]) for e in said["errors"]} == {
        ("/name", "masked"),
        ("/phone", "masked"),
        ("/note", "masked"),
    }
    problem(blind.post("customers", {"name": "张**", "phone": "13800002222"}), 422, "validation")
    arrival = {"contact_name": "张**", "contact_phone": "138****1111", "model_text": "途远", "need": "异响"}
    said = problem(blind.post("visits", {**arrival, "plate": "京A12345"}), 422, "validation")
    assert {e["pointer"] for e in said["errors"]} == {"/contact_name", "/contact_phone"}
    kept = blind.put(path, {"note": "*** 加急 ***"}, If_Match=seen.headers["ETag"])
    assert kept.status_code == 200, kept.content
    after = desk.get(path).json()
    assert (after["name"], after["phone"], after["note"]) == ("张试驾", "13800001111", "*** 加急 ***")


def test_a_refusal_points_only_into_the_body_that_was_sent() -> None:
    """Each place that a refusal may name is one of the body's own; what stands elsewhere isn't pointed at."""
    api.load()
    for resource, verb, spoken, place in (
        ("deliveries", "", "WASHED", "checklist/WASHED"),
        ("surveys", "answer", "FACILITY", "scores/FACILITY"),
        ("gate-passes", "scan-out", "code", None),
        ("deliveries", "", "odometer_km", "odometer_out"),
        ("dispatches", "", "technician", "technician_uid"),
        ("labor-operations", "", "quantity", "parts"),
        ("payments", "", "amount", "amount"),
        ("payments", "", "settlement", "settlement_uid"),
        ("customers", "", "", None),
    ):
        declared = RESOURCES[resource]
        command = declared.action(verb) if verb else declared.create
        assert command is not None
        assert views.pointed_at(command, RuleError("x", "x", field=spoken or None)) == place


def test_a_body_in_chunks_is_read(monkeypatch) -> None:
    """Without a length (Java, .NET, proxies that don't buffer) Django itself would read nothing."""
    monkeypatch.setattr(wsgi, "django_application", lambda environ, start: [WSGIRequest(environ).body])

    def sent(body: bytes) -> bytes:
        environ = RequestFactory().generic("POST", "/api/v1/customers", body, content_type="application/json").environ
        environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(body)}
        del environ["CONTENT_LENGTH"]
        return b"".join(wsgi.application(environ, lambda status, headers: None))

    assert sent(b'{"name": "x"}') == b'{"name": "x"}'
    with pytest.raises(RequestDataTooBig) as refused:
        sent(b"x" * (20 * 1024 * 1024 + 1))
    assert "20 MB" in problems.of(refused.value).detail


def test_stranger() -> None:
    answer = Client().get("/api/v1/customers")
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_wrong_token() -> None:
    answer = Client().get("/api/v1/customers", headers={"Authorization": "Bearer nonsense"})
    assert "令牌不存在" in problem(answer, 401, "unauthenticated")["detail"]
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


def test_missing_scope_names_the_permission(store) -> None:
    reader = ApiCaller("reception:read", store=store)
    said = problem(reader.post("customers", CUSTOMER), 403, "permission")
    assert said["permission"] == "reception.customers.edit"
    assert not Customer.objects.exists()


def test_rule_says_no_with_its_code(desk) -> None:
    said = problem(desk.post("customers", {"name": "张试驾"}), 409, "customer.reachable")
    assert said["errors"] == [{"pointer": "/phone", "code": "customer.reachable", "message": said["detail"]}]
    assert not Customer.objects.exists()


def test_every_wrong_value_is_named_at_once(desk) -> None:
    said = problem(
        desk.post("customers", {"name": 7, "phone": "1\x00", "kind": "CAT", "colour": "red"}), 422, "validation"
    )
    assert {(e["pointer"], e["code"]) for e in said["errors"]} == {
        ("/name", "type"),
        ("/phone", "nul"),
        ("/kind", "choice"),
        ("/colour", "unknown"),
    }
    said = problem(desk.post("customers", []), 422, "validation")
    assert said["errors"][0]["pointer"] == ""


def test_query_is_read_strictly(desk) -> None:
    said = problem(desk.get("customers?limit=101&cursor=x&wrong=1&kind=PERSON&kind=PERSON"), 400, "validation")
    assert {(e["pointer"], e["code"]) for e in said["errors"]} == {
        ("?limit", "range"),
        ("?wrong", "unknown"),
        ("?kind", "repeated"),
    }
    said = problem(desk.get("customers?expand=visits&updated_gte=2026-11-26T00:00:00+08:00"), 400, "validation")
    told = {e["pointer"]: e["message"] for e in said["errors"]}
    assert "vehicles)" in told["?expand"]
    assert "visits" not in told["?expand"]
    assert "%2B08:00" in told["?updated_gte"]
    said = problem(desk.put("customers/by-ref/d m s/1", CUSTOMER), 422, "validation")
    assert said["errors"][0]["pointer"] == "{system}"
    said = problem(desk.get("appointment-slots?store_code=ZZ99"), 400, "store.choose")
    assert said["errors"][0]["pointer"] == "?store_code"
    said = problem(desk.get("customers?cursor=bm9wZQ"), 400, "validation")
    assert said["errors"][0] == {
        "pointer": "?cursor",
        "code": "cursor",
        "message": said["errors"][0]["message"],
    }


def test_reference_that_leads_nowhere(desk) -> None:
    body = {"model_text": "途远", "plate": "京A12345", "owner_uid": "00000000-0000-4000-8000-000000000000"}
    said = problem(desk.post("vehicles", body), 422, "validation")
    (error,) = said["errors"]
    assert (error["pointer"], error["code"]) == ("/owner_uid", "reference")
    assert body["owner_uid"] in error["message"]


def test_only_the_uid_that_leads_nowhere_is_named(desk) -> None:
    """One that leads to something else than is sought is named too: it is the wrong one."""
    customer, car = make_customer(), make_vehicle()
    body = {"contact_name": "张试驾", "contact_phone": "13800001111", "model_text": "途远", "need": "异响"}
    nothing = "00000000-0000-4000-8000-000000000000"
    for uids, wrong in (
        ({"customer_uid": str(customer.uid), "vehicle_uid": nothing}, "/vehicle_uid"),
        ({"customer_uid": str(customer.uid), "vehicle_uid": str(customer.uid)}, "/vehicle_uid"),
        ({"customer_uid": nothing, "vehicle_uid": str(car.uid)}, "/customer_uid"),
    ):
        said = problem(desk.post("visits", {**body, **uids}), 422, "validation")
        assert [error["pointer"] for error in said["errors"]] == [wrong]


def test_what_is_in_the_way_is_named_to_who_may_see_it(desk, store) -> None:
    car = make_vehicle(plate="京A12345")
    body = {"model_text": "途远", "plate": "京A12345"}
    said = problem(desk.post("vehicles", body), 409, "vehicle.plate_taken")
    assert said["in_the_way"] == {"resource": "vehicles", "uid": str(car.uid)}
    arrival = {"contact_name": "张试驾", "contact_phone": "13800001111", "need": "异响", **body}
    visit = desk.post("visits", arrival).json()
    said = problem(desk.post("visits", arrival), 409, "visit.open")
    assert said["in_the_way"] == {"resource": "visits", "uid": visit["uid"]}
    elsewhere = ApiCaller("reception:write", store=make_store())
    assert "in_the_way" not in problem(elsewhere.post("visits", arrival), 409, "visit.open")
    blind = ApiCaller("reception.vehicles.edit", store=store)
    assert "in_the_way" not in problem(blind.post("vehicles", body), 409, "vehicle.plate_taken")
    first, second = make_customer(), make_customer()
    name = {"system": "dms", "id": "C-1"}
    desk.act(f"customers/{first.uid}", "add-reference", name)
    said = problem(desk.act(f"customers/{second.uid}", "add-reference", name), 409, "reference.taken")
    assert said["in_the_way"] == {"resource": "customers", "uid": str(first.uid)}


def test_a_missing_scope_is_named(store) -> None:
    reader = ApiCaller("reception:read", store=store)
    answer = reader.post("customers", CUSTOMER)
    said = problem(answer, 403, "permission")
    assert (said["permission"], said["scope"]) == ("reception.customers.edit", "reception:write")
    assert "reception:write" in said["detail"]
    assert 'error="insufficient_scope", scope="reception:write"' in answer.headers["WWW-Authenticate"]
    assert problem(reader.get("settlements"), 403, "permission")["scope"] == "delivery:read"
    assert problem(reader.get("events"), 403, "permission")["scope"] == "events:read"


def test_where_the_person_lacks_it_no_scope_helps(store) -> None:
    device = ApiCaller("reception:write", store=store, acts_for=make_user("cashier", store=store))
    said = problem(device.post("customers", CUSTOMER), 403, "permission")
    assert "scope" not in said
    assert "以其名义" in said["detail"]


def test_database_refusal_is_an_answer(desk, monkeypatch) -> None:
    """The rule in Python is taken away: the database's own refusal is told in the same way."""
    from reception.services import customers

    monkeypatch.setattr(customers, "_require_reachable", lambda phone, email: None)
    problem(desk.post("customers", {"name": "张试驾"}), 409, "customer.reachable")
    assert not Customer.objects.exists()


def test_unexpected_error_says_nothing_about_itself(desk, monkeypatch) -> None:
    def broken(*args, **kwargs):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(views, "carry_out", broken)
    answer = desk.post("customers", CUSTOMER)
    problem(answer, 500, "unexpected")
    assert b"secret" not in answer.content
    assert not Customer.objects.exists()


def test_crash_outside_the_views_is_a_problem_too(settings) -> None:
    problem(Client().get("/api/v1/customers", headers={"Host": "evil.example"}), 400, "bad_request")


def test_english_where_the_client_asks_for_it(desk) -> None:
    said = problem(desk.get("nothing", Accept_Language="en-GB,en"), 404, "not_found")
    assert said["detail"] == "The API has no such address; what it has is described at /api/v1/docs."
    assert desk.get("customers", Accept_Language="en").headers["Content-Language"] == "en"
    assert desk.get("customers").headers["Content-Language"] == "zh-hans"
    said = problem(desk.get("nothing"), 404, "not_found")
    assert said["detail"] == "接口没有这个地址；全部地址见 /api/v1/docs。"


def test_session_needs_the_csrf_header(store) -> None:
    user = make_user("advisor", store=store)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    sent = {"Idempotency-Key": "k"}
    answer = browser.post("/api/v1/customers", CUSTOMER, content_type="application/json", headers=sent)
    problem(answer, 403, "csrf")
    browser.cookies["csrftoken"] = "a" * 32
    sent["X-CSRFToken"] = "a" * 32
    answer = browser.post("/api/v1/customers", CUSTOMER, content_type="application/json", headers=sent)
    assert answer.status_code == 201
    assert answer.json()["phone"] == "13800001111"  # an advisor sees the whole number; the look is logged


def test_rate_limit(store, monkeypatch) -> None:
    from dealership.kernel import limits

    caller = ApiCaller("reception:read", store=store)
    monkeypatch.setattr(limits, "value", lambda key, **kwargs: 2)
    assert [caller.get("customers").status_code for _ in range(2)] == [200, 200]
    answer = caller.get("customers")
    problem(answer, 429, "rate_limit")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_client_of_two_stores_names_one(store) -> None:
    other = make_store()
    caller = ApiCaller("reception:write", store=store, also=(other,))
    problem(caller.post("customers", CUSTOMER), 400, "store.choose")
    assert caller.post("customers", CUSTOMER, Store_Code=other.code).status_code == 201
    assert Customer.objects.get().home_store == other
    problem(caller.get("customers", Store_Code="ZZ"), 403, "store")


class TestToken:
    def test_wrong_secret(self, desk) -> None:
        answer = take_token(desk.credentials, client_secret="wrong")
        said = problem(answer, 401, "oauth.invalid_client")
        assert said["error"] == "invalid_client"

    def test_guessing_is_limited_for_that_client(self, desk, store, monkeypatch) -> None:
        """A wrong secret can be tried so often in a minute; then even the right one waits. Another client doesn't."""
        moved = SimpleNamespace(time=lambda: 1_800_000_045.0)
        monkeypatch.setattr(ratelimit, "time", moved)
        wrong = base64.b64encode(f"{desk.credentials.client_id}:wrong".encode()).decode()
        for number in range(ratelimit.FAILED_TOKENS):
            if number % 2:
                answer = take_token(desk.credentials, client_secret="wrong")
            else:
                form = {"grant_type": "client_credentials"}
                answer = Client().post("/api/v1/oauth/token", form, headers={"Authorization": f"Basic {wrong}"})
            problem(answer, 401, "oauth.invalid_client")
        answer = take_token(desk.credentials)
        problem(answer, 429, "oauth.too_many_failures")
        assert answer.headers["Retry-After"] == "15"
        assert take_token(ApiCaller("reception:read", store=store).credentials).status_code == 200
        moved.time = lambda: 1_800_000_060.0
        assert take_token(desk.credentials).status_code == 200

    def test_no_other_grant(self, desk) -> None:
        said = problem(take_token(desk.credentials, grant_type="magic"), 400, "oauth.unsupported_grant_type")
        assert said["error"] == "unsupported_grant_type"

    def test_method(self) -> None:
        problem(Client().get("/api/v1/oauth/token"), 405, "method")

    def test_each_refusal_says_what_to_do_in_the_language_asked_for(self, desk) -> None:
        told = set()
        for more, error in (
            ({"client_secret": "wrong"}, "invalid_client"),
            ({"grant_type": "magic"}, "unsupported_grant_type"),
            ({"scope": "delivery:write"}, "invalid_scope"),
            ({"grant_type": ""}, "unsupported_grant_type"),
        ):
            form = {
                "grant_type": "client_credentials",
                "client_id": desk.credentials.client_id,
                "client_secret": desk.credentials.client_secret,
                **more,
            }
            for language, tag in (("en", "en"), ("zh-CN", "zh-hans")):
                answer = Client().post("/api/v1/oauth/token", form, headers={"Accept-Language": language})
                assert answer.headers["Content-Language"] == tag
                told.add((error, tag, problem(answer, answer.status_code, f"oauth.{error}")["detail"]))
        assert len(told) == 6
        assert len({words for _error, _tag, words in told}) == 6

    def test_fewer_scopes_than_allowed(self, desk) -> None:
        desk.token = take_token(desk.credentials, scope="reception:read").json()["access_token"]
        assert desk.get("customers").status_code == 200
        problem(desk.post("customers", CUSTOMER), 403, "permission")

    def test_never_more_scopes_than_allowed(self, store) -> None:
        reader = ApiCaller("reception:read", store=store)
        problem(take_token(reader.credentials, scope="reception:write"), 400, "oauth.invalid_scope")

    def test_withdrawn_client(self, desk) -> None:
        from dealership.exchange.services.clients import withdraw_api_client
        from dealership.kernel.actors import machine
        from dealership.kernel.api import auth

        assert desk.get("customers").status_code == 200
        withdraw_api_client(uid=desk.credentials.client.uid, by=machine("tests"))
        assert desk.get("customers").status_code == 200  # remembered for ten seconds at most
        auth.forget()
        problem(desk.get("customers"), 401, "unauthenticated")
        problem(take_token(desk.credentials), 401, "oauth.invalid_client")

    def test_use_is_counted(self, desk) -> None:
        desk.get("customers")
        client = desk.credentials.client
        client.refresh_from_db()
        assert client.requests == 1
        assert client.last_used_at is not None
