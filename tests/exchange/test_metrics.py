"""``/metrics`` for machines (7.1): what it says, and to whom."""

import pytest
from django.test import Client

from tests.factories.kernel import make_store, make_user

pytestmark = pytest.mark.django_db


def test_a_machine_beside_it_reads_requests_queue_and_heartbeats(client: Client) -> None:
    client.get("/health/")
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    text = answer.content.decode()
    assert "django_http_requests_total_by_method_total" in text
    assert 'view="health"' in text
    assert "\nservice_outbox_due 0\n" in text
    assert "# TYPE service_heartbeat_age_seconds gauge" in text


@pytest.mark.parametrize(
    "sent", [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, {"REMOTE_ADDR": "nobody"}]
)
def test_to_others_it_is_not_there(client: Client, sent: dict[str, str]) -> None:
    client.force_login(make_user("admin", store=make_store()))
    assert client.get("/metrics", **sent).status_code == 404


def test_with_a_token_the_token_opens_and_nothing_else(client: Client, settings) -> None:
    settings.METRICS_TOKEN = "a-secret-of-the-monitoring"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    answer = client.get(
        "/metrics", headers={"Authorization": "Bearer a-secret-of-the-monitoring"}, REMOTE_ADDR="192.0.2.7"
    )
    assert answer.status_code == 200


def test_other_networks_may_be_named(client: Client, settings) -> None:
    settings.METRICS_ADDRESSES = ["192.0.2.0/24"]
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.get("/metrics").status_code == 404
    assert client.post("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 405
