"""A button that is refused leads back to where it was pressed and says there what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from dealership.kernel.actors import machine
from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, pressed_on
from tests.factories.workshop import make_order, make_shop

HERE = "/manual/"
SOME = "5f8ab7c5-6f0b-4f7c-8e1d-2a1f0a8d7c11"


def patterns(node: URLResolver) -> Iterator[URLPattern]:
    for entry in node.url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry)
        else:
            yield entry


def buttons() -> dict[str, type[ActionView]]:
    found = {p.name or str(p.pattern): getattr(p.callback, "view_class", None) for p in patterns(get_resolver())}
    return {name: view for name, view in found.items() if view is not None and issubclass(view, ActionView)}


def pressed(referer: str = "", **headers: str) -> HttpRequest:
    return RequestFactory().post("/x/", headers=({"Referer": referer} if referer else {}) | headers)


@pytest.mark.parametrize("name", sorted(buttons()))
def test_every_button_that_is_refused_comes_back_to_its_page(
    name: str, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = buttons()[name]
    if name == "consultation-present":  # a signal that the page gives by itself: nobody has pressed it
        assert view.post is not ActionView.post
        return
    assert view.post is ActionView.post
    request = pressed(f"http://testserver{HERE}?show=all")
    request.session = SessionStore()  # type: ignore[assignment]
    request._messages = SessionStorage(request)  # type: ignore[attr-defined]
    request.actor = machine("tests", store_id=None)  # type: ignore[attr-defined]
    shown = view()
    shown.setup(request, uid=uuid4())

    def refuse(*_form: Any) -> None:
        raise RuleError("x.y", "The tyre <is> flat.")

    monkeypatch.setattr(shown, "run", refuse)
    monkeypatch.setattr("dealership.kernel.pages.claim_submission", lambda request: None)
    answer = shown.post(request)
    assert (answer.status_code, answer["Location"]) == (302, f"{HERE}?show=all")
    [said] = [str(message) for message in get_messages(request)]
    assert "The tyre &lt;is&gt; flat." in said


@pytest.mark.parametrize(
    ("told", "led"),
    [
        (f"http://testserver{HERE}", HERE),
        ("", ""),
        ("https://elsewhere.example/manual/", ""),
        ("http://testserver.elsewhere.example/manual/", ""),
        ("http://testserver//elsewhere.example/", ""),
        ("http://testserver/\\elsewhere.example/", ""),
        ("javascript:alert(1)", ""),
        ("http://testserver/no/such/page/", ""),
        (f"http://testserver/orders/{SOME}/estimate/", ""),  # takes no GET: a button itself
    ],
)
def test_only_a_page_of_ours_is_led_back_to(told: str, led: str) -> None:
    assert pressed_on(pressed(told)) == led


def test_a_script_that_waits_for_the_answer_gets_it() -> None:
    page = f"http://testserver{HERE}"
    assert pressed_on(pressed(page, **{"HX-Request": "true"})) == ""
    assert pressed_on(pressed(page, Accept="application/json")) == ""


def test_the_page_says_what_was_refused_and_nothing_is_changed(db: None) -> None:
    shop = make_shop()
    order = make_order(shop, with_diagnosis=False)
    desk, send = Client(), reverse("order-estimate", args=[order.uid])
    desk.force_login(shop.advisor.user)
    assert desk.post(send).status_code == 422  # the browser doesn't say where it was pressed
    page = f"http://testserver{reverse('order-detail', args=[order.uid])}"
    back = desk.post(send, headers={"Referer": page}, follow=True)
    assert back.redirect_chain == [(reverse("order-detail", args=[order.uid]), 302)]
    assert "没有新的内容需要" in back.content.decode() or "这一步没有执行" in back.content.decode()
    assert not order.estimates.exists()
    assert "这一步没有执行" not in desk.get(page).content.decode()  # said once
