"""The page of integrators, its examples as they stand there, and the command that lets a system in (7.3)."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from dealership.exchange.models import ApiClient
from dealership.exchange.selectors.integration import EXAMPLES, example
from dealership.kernel.api import auth, ratelimit
from dealership.kernel.models import History
from tests.exchange.conftest import all_served
from tests.exchange.shop import Shop
from tests.factories.api import ApiCaller, problem, take_token
from tests.factories.kernel import make_store, make_user
from tests.factories.reception import make_customer


@pytest.fixture
def admin(store) -> Client:
    browser = Client()
    browser.force_login(make_user("admin", store=store))
    return browser


@pytest.mark.django_db
class TestPage:
    def test_clients_with_their_use(self, admin, store, monkeypatch) -> None:
        monkeypatch.setattr(ratelimit, "time", SimpleNamespace(time=lambda: 1_800_000_000.0))  # one and the same minute
        caller = ApiCaller("reception:read", store=store)
        for answer in (caller.get("customers"), caller.get("customers?wrong=1"), caller.post("customers", {})):
            assert answer.status_code in (200, 400, 403)
        auth._known.clear()  # ten seconds later
        caller.token = take_token(caller.credentials).json()["access_token"]  # another token of the same client
        caller.get("customers")
        client = caller.credentials.client
        client.refresh_from_db()
        assert (client.requests, client.errors) == (4, 2)
        page = admin.get("/integration/").content.decode()
        assert client.name in page
        assert "reception:read" in page
        assert "6 / 600" in page  # the four requests came out of one hundredth of the minute's allowance

    def test_the_end_of_the_feed_of_the_own_store(self, admin, store) -> None:
        from dealership.kernel.actors import machine
        from dealership.kernel.services import queue_message

        for place in (store, make_store()):
            queue_message(
                key=str(place.pk),
                store=place,
                channel="SMS",
                recipient="1",
                template="t",
                body="b",
                by=machine("tests"),
            )
        page = admin.get("/integration/").content.decode()
        assert 'hx-trigger="every 5s"' in page

    def test_empty(self, admin) -> None:
        page = admin.get("/integration/", headers={"Accept-Language": "zh"}).content.decode()
        assert "还没有开通任何系统" in page

    def test_withdraw(self, admin, store) -> None:
        caller = ApiCaller("reception:read", store=store)
        client = caller.credentials.client
        assert admin.post(f"/integration/{client.uid}/withdraw/").status_code == 302
        auth.forget()
        problem(caller.get("customers"), 401, "unauthenticated")
        page = admin.get("/integration/").content.decode()
        assert f"/integration/{client.uid}/withdraw/" not in page
        assert admin.post(f"/integration/{client.uid}/withdraw/").status_code in (302, 422)
        assert History.objects.filter(code="exchange.api_client.withdrawn").count() == 1

    def test_not_for_others(self, store) -> None:
        browser = Client()
        browser.force_login(make_user("advisor", store=store))
        assert browser.get("/integration/").status_code == 403

    def test_the_examples_stand_there_word_for_word(self, admin) -> None:
        import html

        page = html.unescape(admin.get("/integration/").content.decode())
        for name in ("first_steps.sh", "first_steps.py", "bring_in.py"):
            assert example(name) in page
            assert example(name).strip() in (settings.BASE_DIR / "docs" / "integrators.md").read_text(encoding="utf-8")


@pytest.mark.django_db(transaction=True)
def test_the_newest_events_stand_on_the_page(admin, store) -> None:
    make_customer()
    all_served()
    page = admin.get("/integration/").content.decode()
    assert "reception.customer.registered" in page


@pytest.mark.django_db
class TestCommand:
    def _let_in(self, *words: str) -> str:
        said = io.StringIO()
        call_command("api_client", *words, stdout=said)
        return said.getvalue()

    def test_shows_the_credentials_once(self, store) -> None:
        said = self._let_in("my-dms", "--scopes", "reception:read, events:read", "--store", store.code)
        client = ApiClient.objects.get(name="my-dms")
        assert client.scopes == ["events:read", "reception:read"]
        assert client.application.client_id in said
        (secret,) = re.findall(r"client_secret: (\S+)", said)
        assert secret not in client.application.client_secret  # kept as a hash
        with pytest.raises(CommandError, match=r"already exists|已存在|同名|已有"):
            self._let_in("my-dms", "--scopes", "reception:read", "--store", store.code)

    def test_one_store_needs_no_name_several_do(self, store) -> None:
        self._let_in("one", "--scopes", "reception:read")
        assert list(ApiClient.objects.get(name="one").stores.all()) == [store]
        make_store()
        with pytest.raises(CommandError, match="--store"):
            self._let_in("two", "--scopes", "reception:read")
        with pytest.raises(CommandError, match="no store ZZ"):
            self._let_in("two", "--scopes", "reception:read", "--store", "ZZ")
        assert not ApiClient.objects.filter(name="two").exists()

    def test_unknown_scope(self, store) -> None:
        with pytest.raises(CommandError):
            self._let_in("x", "--scopes", "everything")
        assert not ApiClient.objects.exists()


class TestExamples:
    @pytest.fixture
    def environment(self, shop: Shop, live_server) -> dict[str, str]:
        pair = shop.credentials(None, "reception:write", "personal:read", "events:read")
        given = {"BASE": live_server.url, "CLIENT_ID": pair[0], "CLIENT_SECRET": pair[1]}
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **given}

    def test_curl(self, environment) -> None:
        ran = subprocess.run(
            ["sh", str(EXAMPLES / "first_steps.sh")], env=environment, capture_output=True, text=True, timeout=120
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert re.search(r"^customer [0-9a-f-]{36}\nsecond writer 412\nevents read up to \d+-\d+$", ran.stdout, re.M)

    def test_python(self, environment) -> None:
        ran = subprocess.run(
            [sys.executable, "-S", str(EXAMPLES / "first_steps.py")],
            env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "refused: " in ran.stdout
        assert re.search(r"^events \d+ next time from \d+-\d+$", ran.stdout, re.M)
