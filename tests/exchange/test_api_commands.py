"""One key, one effect; nobody's change is lost; other systems' names; personal data (design 6)."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections

from dealership.kernel.models import ExternalRef, History, IdempotencyRecord
from reception.models import Customer
from tests.factories.api import ApiCaller, problem
from tests.factories.kernel import make_store
from tests.factories.reception import make_customer, make_vehicle

CUSTOMER = {"name": "张试驾", "phone": "13800001111"}


@pytest.fixture
def desk(store) -> ApiCaller:
    return ApiCaller("reception:write", "personal:read", store=store)


@pytest.mark.django_db
class TestIdempotency:
    def test_every_post_needs_a_key(self, desk) -> None:
        problem(desk.request("POST", "customers", CUSTOMER), 400, "idempotency.missing")
        for key in ("k" * 256, "a b", "键", " "):
            problem(desk.post("customers", CUSTOMER, key=key), 400, "idempotency.form")
        assert not Customer.objects.exists()

    def test_same_key_and_body_give_the_stored_answer(self, desk) -> None:
        first = desk.post("customers", CUSTOMER, key="k1")
        again = desk.post("customers", CUSTOMER, key="k1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        for name in ("ETag", "Location", "Content-Type"):
            assert again.headers[name] == first.headers[name]
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Idempotent-Replayed"] == "true"
        assert Customer.objects.count() == 1

    def test_same_key_with_another_body(self, desk) -> None:
        desk.post("customers", CUSTOMER, key="k1")
        problem(desk.post("customers", {**CUSTOMER, "name": "李试驾"}, key="k1"), 422, "idempotency.reused")
        assert Customer.objects.count() == 1

    def test_another_client_may_use_the_same_key(self, desk, store) -> None:
        other = ApiCaller("reception:write", store=store)
        assert desk.post("customers", CUSTOMER, key="k1").status_code == 201
        assert other.post("customers", CUSTOMER, key="k1").status_code == 201
        assert Customer.objects.count() == 2

    def test_what_failed_is_not_stored(self, desk) -> None:
        problem(desk.post("customers", {"name": "张试驾"}, key="k1"), 409, "customer.reachable")
        problem(desk.post("customers", {"name": 1}, key="k1"), 422, "validation")
        assert not IdempotencyRecord.objects.exists()
        assert desk.post("customers", CUSTOMER, key="k1").status_code == 201

    def test_an_action_is_replayed_though_the_version_moved_on(self, desk) -> None:
        path = f"customers/{make_customer().uid}"
        etag = desk.get(path).headers["ETag"]
        consent = {"purpose": "SURVEY", "given": True}
        first = desk.act(path, "record-consent", consent, etag=etag, key="k1")
        assert first.status_code == 200
        again = desk.act(path, "record-consent", consent, etag=etag, key="k1")
        assert again.content == first.content


@pytest.mark.django_db
class TestVersions:
    def test_item_has_a_strong_etag(self, desk) -> None:
        path = f"customers/{make_customer().uid}"
        answer = desk.get(path)
        assert answer.headers["ETag"].startswith(f'"{answer.json()["version"]}-')
        unchanged = desk.get(path, If_None_Match=answer.headers["ETag"])
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["ETag"] == answer.headers["ETag"]
        assert desk.get(path, If_None_Match='"other"').status_code == 200
        for no_tag in ("", "版本"):
            problem(desk.get(path, If_None_Match=no_tag), 400, "if_none_match")

    def test_etag_follows_what_hangs_on_the_item(self, desk) -> None:
        """A consent changes no column of the customer, but the answer: 304 would hide it."""
        path = f"customers/{make_customer().uid}"
        etag = desk.get(path).headers["ETag"]
        assert desk.act(path, "record-consent", {"purpose": "SURVEY", "given": True}, etag=etag).status_code == 200
        assert desk.get(path, If_None_Match=etag).status_code == 200

    def test_change_needs_if_match(self, desk) -> None:
        customer = make_customer(name="张试驾")
        path = f"customers/{customer.uid}"
        problem(desk.put(path, {"name": "李试驾"}), 428, "if_match.missing")
        problem(
            desk.post(f"{path}/actions/record-consent", {"purpose": "SURVEY", "given": True}), 428, "if_match.missing"
        )
        customer.refresh_from_db()
        assert (customer.name, customer.consents.count()) == ("张试驾", 0)

    @pytest.mark.parametrize("tag", ["nonsense", "1", "1-a1b2c3d4", '"1', '"1" "2"', '"1",', ""])
    def test_what_is_no_tag_is_told_apart_from_a_change(self, desk, tag: str) -> None:
        customer = make_customer(name="张试驾")
        said = problem(desk.put(f"customers/{customer.uid}", CUSTOMER, If_Match=tag), 400, "if_match.form")
        assert '"3-1a2b3c4d"' in said["detail"]
        customer.refresh_from_db()
        assert customer.name == "张试驾"

    @pytest.mark.parametrize("tag", ['"99-abc"', '"other"', 'W/"1-x"', '""', '"7", "8"'])
    def test_other_version(self, desk, tag: str) -> None:
        customer = make_customer(name="张试驾")
        problem(desk.put(f"customers/{customer.uid}", {"name": "李试驾"}, If_Match=tag), 412, "if_match.changed")
        customer.refresh_from_db()
        assert customer.name == "张试驾"

    def test_put_corrects_and_gives_the_new_version(self, desk) -> None:
        customer = make_customer(name="张试驾", phone="13800001111")
        answer = desk.put(f"customers/{customer.uid}", {**CUSTOMER, "name": "李试驾"}, If_Match='"1"')
        assert answer.status_code == 200
        said = answer.json()
        assert (said["name"], said["phone"], said["version"]) == ("李试驾", "13800001111", 2)
        again = desk.put(f"customers/{customer.uid}", {**CUSTOMER, "name": "李试驾"}, If_Match=answer.headers["ETag"])
        assert (again.status_code, again.json()["version"]) == (200, 2)

    def test_foreign_store_is_404(self, store) -> None:
        from dealership.kernel.actors import machine
        from dealership.kernel.services import queue_message

        other = make_store()
        message = queue_message(
            key="k", store=other, channel="SMS", recipient="13800001111", template="t", body="b", by=machine("tests")
        )
        caller = ApiCaller("kernel:read", store=store)
        problem(caller.get(f"messages/{message.uid}"), 404, "not_found")
        assert caller.get("messages").json()["data"] == []
        assert ApiCaller("kernel:read", store=other).get(f"messages/{message.uid}").status_code == 200


@pytest.mark.django_db
class TestActions:
    def test_transitions_are_what_the_caller_may(self, desk, store) -> None:
        path = f"vehicles/{make_vehicle().uid}"
        assert desk.get(path).json()["transitions"] == ["change-owner", "read-odometer", "note-use"]
        assert ApiCaller("reception:read", store=store).get(path).json()["transitions"] == []

    def test_unknown_action(self, desk) -> None:
        path = f"vehicles/{make_vehicle().uid}"
        problem(desk.post(f"{path}/actions/fly", {}), 404, "not_found")

    def test_action_returns_the_item_as_it_is_now(self, desk) -> None:
        vehicle = make_vehicle()
        answer = desk.act(f"vehicles/{vehicle.uid}", "read-odometer", {"km": 12000})
        assert (answer.status_code, answer.json()["odometer_km"]) == (200, 12000)
        problem(desk.act(f"vehicles/{vehicle.uid}", "read-odometer", {"km": 11000}), 409, "vehicle.odometer_lower")

    def test_late_entry_keeps_both_times(self, desk) -> None:
        from datetime import timedelta

        from dealership.kernel import clock

        vehicle = make_vehicle()
        at = clock.now() - timedelta(hours=5)
        body = {"km": 100, "happened_at": at.isoformat()}
        problem(desk.act(f"vehicles/{vehicle.uid}", "read-odometer", body), 409, "late_entry.reason")
        body["happened_reason"] = "停电"
        assert desk.act(f"vehicles/{vehicle.uid}", "read-odometer", body).status_code == 200
        line = History.objects.get(code="reception.vehicle.odometer_read")
        assert (line.at, line.late_reason) == (at, "停电")
        assert line.written_at - at > timedelta(hours=4)


@pytest.mark.django_db
class TestReferences:
    def test_upsert(self, desk) -> None:
        path = "customers/by-ref/dms/C-1"
        problem(desk.get(path), 404, "not_found")
        made = desk.put(path, CUSTOMER)
        assert made.status_code == 201
        assert made.json()["external_refs"] == [{"system": "dms", "id": "C-1"}]
        assert desk.get(path).json() == made.json()
        problem(desk.put(path, CUSTOMER), 428, "if_match.missing")
        changed = desk.put(path, {**CUSTOMER, "name": "李试驾"}, If_Match=made.headers["ETag"])
        assert (changed.status_code, changed.json()["name"]) == (200, "李试驾")
        problem(desk.put(path, CUSTOMER, If_None_Match="*"), 412, "reference.exists")
        problem(desk.put("customers/by-ref/dms/C-2", CUSTOMER, If_Match='"1"'), 412, "if_match.nothing")
        assert (Customer.objects.count(), ExternalRef.objects.count()) == (1, 1)

    def test_slash_in_a_foreign_name(self, desk) -> None:
        assert desk.put("customers/by-ref/dms/2026/11/7", CUSTOMER).status_code == 201
        assert desk.get("customers/by-ref/dms/2026/11/7").status_code == 200

    def test_a_put_of_a_car_brings_owner_and_reading_too(self, desk) -> None:
        owner, buyer = make_customer(), make_customer()
        path = "vehicles/by-ref/dms/V-1"
        body = {"plate": "京A12345", "model_text": "途远", "owner_uid": str(owner.uid), "odometer_km": 500}
        body["owner_since"] = "2026-01-05"
        made = desk.put(path, body)
        assert (made.status_code, made.json()["owner_uid"]) == (201, str(owner.uid))
        same = desk.put(path, body, If_Match=made.headers["ETag"])
        assert (same.status_code, same.json()) == (200, made.json())
        again = desk.put(path, {**body, "color": "白", "odometer_km": 620}, If_Match=made.headers["ETag"])
        said = again.json()
        assert (again.status_code, said["color"], said["odometer_km"]) == (200, "白", 620)
        sold = {"owner_uid": str(buyer.uid), "owner_since": "2026-03-01"}
        said = desk.put(path, {**body, **sold, "odometer_km": 620}, If_Match=again.headers["ETag"]).json()
        assert said["owner_uid"] == str(buyer.uid)
        assert [(o["customer_uid"], o["starts_on"], o["ends_on"]) for o in said["owners"]] == [
            (str(owner.uid), "2026-01-05", "2026-02-28"),
            (str(buyer.uid), "2026-03-01", None),
        ]
        assert said["color"] == "白"
        assert History.objects.filter(code="reception.vehicle.odometer_read").count() == 1

    def test_what_of_it_is_refused_changes_nothing(self, desk) -> None:
        owner, other = make_customer(), make_customer()
        path = "vehicles/by-ref/dms/V-1"
        body = {"plate": "京A12345", "model_text": "途远", "owner_uid": str(owner.uid), "odometer_km": 500}
        body["owner_since"] = "2026-01-05"
        made = desk.put(path, body)
        for more, code, pointer in (
            ({"odometer_km": 400, "owner_uid": str(other.uid)}, "vehicle.odometer_lower", "/odometer_km"),
            ({"owner_since": "2026-01-06"}, "vehicle.owner_since", "/owner_since"),
            ({"owner_uid": str(other.uid), "owner_since": "2025-12-31"}, "vehicle.owner_order", "/owner_since"),
        ):
            said = problem(desk.put(path, {**body, **more, "color": "白"}, If_Match=made.headers["ETag"]), 409, code)
            assert said["errors"][0]["pointer"] == pointer
        assert desk.get(path).json() == made.json()


@pytest.mark.django_db
class TestPersonalData:
    def test_masked_without_the_scope(self, store) -> None:
        customer = make_customer(name="张试驾", phone="13812341234", email="zhang@example.com", note="左撇子")
        said = ApiCaller("reception:read", store=store).get(f"customers/{customer.uid}").json()
        assert (said["name"], said["phone"], said["email"], said["note"]) == (
            "张**",
            "138****1234",
            "z***@example.com",
            "***",
        )
        assert not History.objects.filter(code="kernel.personal_data.read").exists()

    def test_each_unmasking_is_logged(self, desk) -> None:
        customer = make_customer(phone="13812341234")
        make_customer()
        assert desk.get(f"customers/{customer.uid}").json()["phone"] == "13812341234"
        line = History.objects.get(code="kernel.personal_data.read")
        assert (line.root_uid, line.customer_uid, line.actor_kind) == (customer.uid, customer.uid, "CLIENT")
        assert line.actor_id == str(desk.credentials.client.uid)
        assert len(desk.get("customers").json()["data"]) == 2
        assert History.objects.filter(code="kernel.personal_data.read").count() == 3


def _together(count: int, ask) -> list:
    """Answers of ``count`` threads that start at once, each on its own connection."""
    start, answers = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        try:
            answers.append(ask())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_32_retries_with_one_key_make_one_row_and_one_answer(self, desk) -> None:
        answers = _together(32, lambda: desk.post("customers", CUSTOMER, key="one"))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert len({answer.headers["ETag"] for answer in answers}) == 1
        assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
        assert (Customer.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)
        assert History.objects.filter(code="reception.customer.registered").count() == 1

    def test_twin_that_runs_too_long_is_told_to_come_back(self, desk, monkeypatch) -> None:
        from dealership.kernel.api import idempotency

        monkeypatch.setattr(idempotency, "WAIT_SECONDS", 1)
        with connection.cursor() as cursor:  # the twin: holds the key's lock in its own session
            number = idempotency.lock_number(f"client:{desk.credentials.client.uid}\none")
            cursor.execute("SELECT pg_advisory_lock(%s)", [number])
        try:
            (answer,) = _together(1, lambda: desk.post("customers", CUSTOMER, key="one"))
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
        problem(answer, 409, "idempotency.running")
        assert answer.headers["Retry-After"] == "2"
        assert not Customer.objects.exists()

    def test_of_two_writers_one_is_told(self, desk) -> None:
        customer = make_customer(name="张试驾")
        names = iter(["李试驾", "王试驾"])
        lock = threading.Lock()

        def ask():
            with lock:
                name = next(names)
            return desk.put(f"customers/{customer.uid}", {"name": name, "phone": "13800001111"}, If_Match='"1"')

        answers = sorted(_together(2, ask), key=lambda answer: answer.status_code)
        assert answers[0].status_code == 200
        problem(answers[1], 412, "if_match.changed")
        customer.refresh_from_db()
        assert customer.version == 2
        assert customer.name == answers[0].json()["name"]

    def test_two_systems_upsert_one_name(self, desk) -> None:
        answers = _together(2, lambda: desk.put("customers/by-ref/dms/C-1", CUSTOMER))
        assert sorted(answer.status_code for answer in answers) == [201, 428]
        assert (Customer.objects.count(), ExternalRef.objects.count()) == (1, 1)
