"""Every input with hostile values: never a 500, a refusal changes nothing, what is stored comes back escaped (issue 4, 7).

The lists of forms, fields, parameters and commands are derived from the code; ``SINKS`` below says where input ends up
and which test tries it there. A new way out of the house (an SQL text, a safe string, an export, a call to outside)
fails until it is named.
"""

from __future__ import annotations

import ast
import base64
import inspect
import io
import logging
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models, transaction
from django.http import HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from PIL import Image

from dealership.exchange import api, scopes
from dealership.exchange.services import imports
from dealership.kernel import registry, transports
from dealership.kernel.api import ratelimit
from dealership.kernel.api.resources import RESOURCES
from dealership.kernel.api.shapes import ListOf, Text
from dealership.kernel.models import History, MessageState, StoredFile
from dealership.kernel.services import actor_of
from delivery.models import Settlement
from delivery.selectors.settlements import Paper
from reception.documents import CalendarEvent, calendar_file
from reception.events import CUSTOMER_UNMASKED
from reception.models import Customer, Vehicle, VisitPhoto
from reception.selectors import knowledge, search
from tests.factories.api import ApiCaller, problem

from .addresses import Address, addresses
from .bodies import body, commands
from .opens import OPENS
from .test_browser import test_next_leads_nowhere_else as next_leads_nowhere_else
from .test_links import OPENS as LINK_OPENS
from .test_other_stores import OF_THE_GROUP, changed, seconds
from .test_other_stores_api import rows
from .world import World, signed_in, taken_back

api.load()
MIXED = "'\"><script>alert(1)</script>{{7*7}}{%x%}=HYPERLINK(1)\u202e😀../"
TEXTS = {
    "markup, quotes, formula, right-to-left, emoji": MIXED,
    "nul": "a\x00b",
    "mail header": "a\r\nBcc: x@evil.example",
    "path": "../../../etc/passwd\\..\\x",
    "ten thousand": "长" * 10_000,
    "huge number": "9" * 5_000,
    "beyond bigint": "99999999999999999999",
    "negative": "-1",
    "not a number": "NaN",
    "infinite": "Infinity",
    "first day": "0001-01-01T00:00",
    "last day": "9999-12-31T23:59",
    "offset": "0001-01-01T00:00:00+14:00",
    "json": '{"a": [NaN, 1e999]}',
}
# What each form gets in every field at once; the others are tried where they could matter.
IN_FORMS = (
    "markup, quotes, formula, right-to-left, emoji",
    "mail header",
    "ten thousand",
    "huge number",
    "beyond bigint",
    "negative",
    "not a number",
    "last day",
    "offset",
)
# Whose pages are drawn, to see what comes back; of the others the status is enough.
DRAWN = ("markup, quotes, formula, right-to-left, emoji", "last day")
ROOMS = ("dealership", "staff", "reception", "workshop", "delivery", "quality", "compliance")


def sources() -> Iterator[tuple[str, str]]:
    """Every file of the application with its text."""
    for room in ROOMS:
        for path in sorted((settings.BASE_DIR / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(settings.BASE_DIR)), path.read_text(encoding="utf-8")


# --- the pages ---


def view_source(address: Address) -> str:
    view = getattr(address.view, "view_class", address.view)
    return inspect.getsource(sys.modules[view.__module__])


def sent_names(address: Address) -> set[str]:
    """What a form of this page may carry: the fields of its forms and what its module reads from the request."""
    view = getattr(address.view, "view_class", None)
    names = set(re.findall(r'(?:POST|sent|FILES)(?:\.get|\.getlist)?[(\[]"(\w+)"', view_source(address)))
    for form in forms_of(view):
        names |= set(form.base_fields)
    return names | {"form_token", "next"}


def asked_names(address: Address) -> set[str]:
    """The parameters that the page's module reads from its address."""
    return set(re.findall(r'(?:GET|asked|given)(?:\.get|\.getlist)?[(\[]"(\w+)"', view_source(address))) | {
        "next",
        "lang",
    }


def forms_of(view: Any) -> list[type[forms.BaseForm]]:
    if view is None:
        return []
    module = sys.modules[view.__module__]
    named = re.findall(r"\b([A-Z]\w+(?:Form|Step))\b", inspect.getsource(module))
    spaces = [module, *(v for v in vars(module).values() if inspect.ismodule(v))]
    found = {getattr(space, name, None) for name in named for space in spaces}
    return [f for f in found if isinstance(f, type) and issubclass(f, forms.BaseForm)]


def every_form() -> set[type[forms.BaseForm]]:
    found = set()
    for name in sorted(sys.modules):
        if name.split(".")[0] in registry.OUR_PACKAGES and ".forms" in name:
            module = sys.modules[name]
            found |= {
                f
                for f in vars(module).values()
                if isinstance(f, type)
                and issubclass(f, forms.BaseForm)
                and f.__module__ == name
                and f.__subclasses__() == []
            }
    return found


def takes_post(address: Address) -> bool:
    view = getattr(address.view, "view_class", None)
    return view is None or (hasattr(view, "post") and "post" in view.http_method_names)


def place(address: Address, world: World, own: dict[str, Any], link: Any) -> str:
    plain = {"key": "delivery.callback_day", "code": "BJ01", "token": link.token, "day": "2026-11-27", "level": "FINAL"}
    given: dict[str, Any] = {name: plain.get(name) for name in address.parameters}
    if "uid" in given:
        if address.name in OPENS:
            given["uid"] = own[OPENS[address.name]][0]
        else:
            model, way = LINK_OPENS[address.name]
            row = model.objects.filter(**{way: link.visit_id}).first()
            given["uid"] = row.uid if row else own["reception.Visit"][0]
    for name in given:
        if given[name] is None:
            given[name] = seconds(address, own)
    return reverse(address.name, kwargs=given)


def test_every_form_has_a_page() -> None:
    """A form that no page of this list shows would not be tried."""
    tried = {form for address in addresses() for form in forms_of(getattr(address.view, "view_class", None))}
    assert sorted(f"{f.__module__}.{f.__name__}" for f in every_form() - tried) == []


class Tries:
    """Requests one after the other; what went through is undone, what was refused is left to be looked at."""

    def __init__(self) -> None:
        self.wrong: list[Any] = []
        self.asked = 0
        self.draws = True

    def __call__(self, name: Any, ask: Callable[[], Any], *, draws: bool = True) -> Any:
        """``draws`` says whether the page of the answer is wanted as well as its status."""
        self.asked += 1
        self.draws = draws
        kept = transaction.savepoint()
        try:
            answer = ask()
        except Exception as exc:
            transaction.savepoint_rollback(kept)
            self.wrong.append((name, f"{type(exc).__name__}: {str(exc)[:160]}"))
            return None
        if answer.status_code < 400:
            transaction.savepoint_rollback(kept)
        else:
            transaction.savepoint_commit(kept)
        if answer.status_code >= 500:
            self.wrong.append((name, answer.status_code))
        if answer.headers.get("Content-Type", "").startswith("text/html") and b"<script>alert" in answer.content:
            self.wrong.append((name, "markup comes back as markup"))
        return answer


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> Tries:
    """Without a log line for each refusal; pages are drawn where the test wants to look at them only."""
    made, draw = Tries(), SimpleTemplateResponse.render

    def render(response: SimpleTemplateResponse) -> SimpleTemplateResponse:
        if made.draws:
            return draw(response)
        response.content = b""
        return response

    monkeypatch.setattr(SimpleTemplateResponse, "render", render)
    monkeypatch.setattr("django.test.client.store_rendered_templates", lambda *_a, **_k: None)
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    monkeypatch.setattr("dealership.urls.handler404", lambda *_a, **_k: HttpResponse(status=404), raising=False)
    return made


def test_every_form_of_every_page(world: World, tries: Tries) -> None:
    own = world.uids(world.ours) | {kind: world.group(kind) for kind in OF_THE_GROUP}
    link, client = world.link(world.ours, visit__state="DEPARTED"), signed_in(world.everything)
    client.raise_request_exception = True
    before, lines = world.mark(), set(History.objects.values_list("pk", flat=True))
    for address in filter(takes_post, addresses()):
        path, names = place(address, world, own, link), sent_names(address)
        for case in IN_FORMS:
            sent = dict.fromkeys(names, TEXTS[case])
            tries((address.name, case), lambda: client.post(path, sent), draws=case in DRAWN)  # noqa: B023
        twice = {name: ["1", "2", "x"] for name in names}
        tries((address.name, "repeated keys"), lambda: client.post(path, twice), draws=False)  # noqa: B023
    assert tries.asked > 700
    assert tries.wrong == [], "\n".join(map(str, tries.wrong))
    # A page that opens a customer's number to a task logs the look, whatever was sent; nothing else is written.
    written = set(History.objects.exclude(pk__in=lines).values_list("code", flat=True))
    assert written <= {CUSTOMER_UNMASKED}
    assert set(changed(before, world.mark())) <= {"kernel_history"}


def test_every_parameter_of_every_page(world: World, tries: Tries) -> None:
    own = world.uids(world.ours) | {kind: world.group(kind) for kind in OF_THE_GROUP}
    link, client = world.link(world.ours, visit__state="DEPARTED"), signed_in(world.everything)
    client.raise_request_exception = True
    cases = ("markup, quotes, formula, right-to-left, emoji", "last day", "huge number", "first day")
    for address in addresses():
        if address.method == "GET":
            path, names = place(address, world, own, link), asked_names(address)
            for case in cases if len(names) > 2 else cases[:2]:
                sent = dict.fromkeys(names, TEXTS[case])
                tries((address.name, case), lambda: client.get(path, sent), draws=case in DRAWN)  # noqa: B023
    assert tries.wrong == [], "\n".join(map(str, tries.wrong))


def test_addresses_themselves(world: World) -> None:
    """NUL, broken UTF-8, endless and climbing paths."""
    client = signed_in(world.everything)
    for path in (
        "/%00", "/settings/%00/", "/figures/%00/", "/book/%00/", "/v/%00/", "/settings/..%2f..%2fetc/",
        "/visits/%ff%fe/", "/static/%2e%2e/%2e%2e/dealership/settings.py", "/figures/" + "x" * 3000 + "/",
        "/inspections/00000000-0000-0000-0000-000000000000/%00/", "/roster/00000000-0000-0000-0000-000000000000/9999-99-99/",
        "/search/?q=%00", "/search/?q=%ED%A0%80", "/orders/?before=%00", "/?next=%00",
    ):  # fmt: skip
        with taken_back():
            assert client.get(path).status_code in (200, 302, 400, 404), path


# --- HTML ---


def test_whatever_is_stored_is_escaped_on_every_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every free text of every table ends in markup, as if somebody had typed it: no page gives it back as markup."""
    mark = "<script>alert(1)</script>"
    loaded = models.CharField.get_db_converters

    def converters(field: Any, connection: Any) -> list[Any]:
        free = not (field.choices or field.unique or field.primary_key or field.max_length in (2, 3, 4, 6, 8))
        plain = re.search(
            r"code|kind|type|handler|state|channel|language|token|hash|sha|zone|media|password|color", field.name
        )
        own = field.model._meta.label.split(".")[0] in {a.rpartition(".")[2] for a in settings.ROOMS}
        found = loaded(field, connection)
        return [*found, lambda value, *_: value + mark if value else value] if free and own and not plain else found

    monkeypatch.setattr(models.CharField, "get_db_converters", converters)
    monkeypatch.setattr(models.TextField, "get_db_converters", converters)
    own = world.uids(world.ours) | {kind: world.group(kind) for kind in OF_THE_GROUP}
    link, client, seen = world.link(world.ours, visit__state="DEPARTED"), signed_in(world.everything), 0
    for address in addresses():
        if address.method != "GET" or address.name.endswith(("pdf", "qr")):
            continue
        with taken_back():
            answer = client.get(place(address, world, own, link))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            html = answer.content.decode()
            assert mark not in html, address.name
            seen += "&lt;script&gt;alert(1)" in html
    assert seen > 40, "the marked texts hardly appear: the test would show nothing"


SAFE_STRINGS = {
    "dealership/kernel/templatetags/shell.py": "icons of a package; attributes built of escaped parts; a dash",
    "dealership/kernel/panels.py": "parts that the template engine rendered",
}
SAFE_TEMPLATES = {
    "templates/kernel/form_field.html": "a field's help text, which is the code's own",
    **dict.fromkeys(
        (f"templates/house/layout/{name}.html" for name in ("div", "fieldset", "row")),
        "fields that the template engine drew",
    ),
}


def test_safe_strings_are_named() -> None:
    said = {path for path, text in sources() if re.search(r"\bmark_safe\(", text)}
    assert said == set(SAFE_STRINGS)
    templates = settings.BASE_DIR / "templates"
    loose = {
        str(path.relative_to(settings.BASE_DIR))
        for path in templates.rglob("*")
        if path.is_file() and re.search(r"\|\s*safe\b|autoescape off|\|\s*safeseq", path.read_text(encoding="utf-8"))
    }
    assert loose == set(SAFE_TEMPLATES)


# --- SQL ---

# Where SQL is put together, or handed on, from more than a constant, and of what.
BUILT_SQL = {
    "dealership/kernel/api/items.py": "what the ORM made of a resource's own columns; stores and ids are parameters",
    "dealership/kernel/api/views.py": "names of our own tables, quoted; the uids are a parameter",
    "dealership/kernel/postgres/prepared.py": "its callers' statements under a name of ours; values are parameters",
    "dealership/kernel/retention.py": "tables and conditions are constants of the callers",
    "dealership/process/selectors/figures.py": "declared figures; the store's number is put into parameters' names",
    "dealership/process/services/rollup.py": "declared figures",
    "reception/selectors/search.py": "columns and ways of the code; what was typed is a parameter, escaped for LIKE",
    "reception/services/bulk.py": "table and column names of our own models, quoted; the ids are parameters",
}
RUNS_SQL = {"execute", "executemany", "raw", "extra", "RawSQL", "run_prepared"}


def constant(node: ast.expr) -> bool:
    """A text in its place, or a module's constant (``_INSERT``)."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def test_sql_is_never_built_from_input() -> None:
    """Every SQL text is a constant, or stands in ``BUILT_SQL`` with what it is made of."""
    built = set()
    for path, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and node.args:
                called = ast.unparse(node.func)
                runs = called.rpartition(".")[2] in RUNS_SQL and not called.startswith(("self.", "super()."))
                if runs and not constant(node.args[0]):
                    built.add(path)
    assert built == set(BUILT_SQL)


def test_signs_of_like_find_nothing_more(world: World) -> None:
    """``%`` and ``_`` are signs like others in the search box, and a quote ends no text."""
    actor, car = actor_of(world.everything, world.ours), Vehicle.objects.exclude(plate="").order_by("pk").first()
    assert car is not None
    assert [hit.plate for hit in search.find(text=car.plate, by=actor)] == [car.plate]
    typed_so = (f"{car.plate[:3]}%{car.plate[-2:]}", "%%%%", "____", "\\" * 4, "' OR '1'='1", "'; --")
    for typed in typed_so:
        assert search.find(text=typed, by=actor) == [], typed
    assert knowledge.articles(actor, show="all", text="")["rows"]
    for typed in typed_so:
        assert knowledge.articles(actor, show="all", text=typed)["rows"] == [], typed


# --- the API ---


@pytest.fixture
def caller(world: World, monkeypatch: pytest.MonkeyPatch) -> ApiCaller:
    monkeypatch.setattr(ratelimit, "count", lambda _caller: None)
    return ApiCaller(*scopes.table(), store=world.ours, acts_for=world.everything)


def test_every_command_of_the_api(world: World, caller: ApiCaller, tries: Tries) -> None:
    """Well-formed but hostile texts, extreme numbers and days reach every command; wrong forms never do."""
    caller.get("visits")
    before = world.mark()
    wrongs: tuple[Any, ...] = (
        None,
        10**30,
        -1,
        1.5,
        [],
        {},
        True,
        "NaN",
        "1e400",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "a\x00",
    )
    for resource, verb, command in commands():
        mine = rows(resource, world.ours) if resource.model.store_path else world.group(resource.model._meta.label)
        item = f"{resource.path}/{mine[0]}"

        def send(given: Any, *, path: str = resource.path, item: str = item, verb: str = verb) -> Any:
            if verb == "create":
                return caller.post(path, given)
            if verb == "update":
                return caller.put(item, given, If_Match="*")
            return caller.post(f"{item}/actions/{verb}", given, If_Match="*")

        texts = [name for name, field in command.input.items() if isinstance(field, Text) and not field.pattern]
        for case in ("markup, quotes, formula, right-to-left, emoji", "mail header", "path"):
            given = body(command) | {n: TEXTS[case][: command.input[n].max] for n in texts}  # type: ignore[attr-defined]
            tries((resource.path, verb, case), lambda: send(given))  # noqa: B023
        for value in wrongs:
            given = dict.fromkeys(command.input, value)
            answer = tries((resource.path, verb, repr(value)), lambda: send(given))  # noqa: B023
            right = value == [] and all(isinstance(f, ListOf) and not f.least for f in command.input.values())
            if command.input and answer is not None and value in (10**30, [], "a\x00") and not right:
                assert answer.status_code in (400, 403, 404, 409, 422), (resource.path, verb, value, answer.content)
        for raw in (b"", b"[]", b"null", b'{"a":1,"a":2}', b"\xff\xfe", b'{"a":NaN}', b"[" * 5000):
            answer = tries((resource.path, verb, raw[:10]), lambda: send(raw))  # noqa: B023
            assert answer is None or answer.status_code in (400, 403, 409, 415, 422), (resource.path, verb, raw[:10])
    assert tries.wrong == [], "\n".join(map(str, tries.wrong))
    assert changed(before, world.mark()) == []


def test_every_parameter_of_the_api(caller: ApiCaller, tries: Tries) -> None:
    for resource in RESOURCES.values():
        for name in (*resource.filters, "limit", "cursor", "updated_gte", "expand", "nothing"):
            for text in ("'", "%00", "-1", "9" * 400, "0001-01-01T00:00:00Z", "%ED%A0%80", "1;DROP", "é" * 500):
                answer = tries((resource.path, name, text[:9]), lambda: caller.get(f"{resource.path}?{name}={text}"))  # noqa: B023
                assert answer is None or answer.status_code in (200, 400), (resource.path, name, text[:9])
    for name in ("If-Match", "Idempotency-Key", "Store-Code", "Accept-Language", "Authorization"):
        for text in ("'", "\xff", "a" * 5000, '"-1"', '"99999999999999999999-x"'):
            tries((name, text[:9]), lambda: caller.get("visits", **{name.replace("-", "_"): text}))  # noqa: B023
    assert tries.wrong == [], "\n".join(map(str, tries.wrong))


def test_what_is_typed_comes_back_as_typed(caller: ApiCaller) -> None:
    """Stored as typed but for marks of writing direction, not stripped of its signs, not run through anything."""
    for number, name in enumerate((MIXED[:60], "O'Neill & Söhne <b>", "{{ 7*7 }}", "=1+1", "﷽ 张三")):
        made = caller.post("customers", {"name": name, "phone": f"1390000880{number}"})
        assert made.status_code == 201, made.content
        assert Customer.objects.get(uid=made.json()["uid"]).name == name.replace("\u202e", "").strip()


# --- uploads ---


def bomb() -> bytes:
    """A small PNG that says it is 30,000 pixels each way."""
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


def with_place() -> bytes:
    """A photo that says where it was taken."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (39.0, 54.0, 27.0), 3: "E", 4: (116.0, 23.0, 17.0)}
    exif[0x010F] = "SECRETCAMERA"
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "gray").save(out, "JPEG", exif=exif)
    assert b"SECRETCAMERA" in out.getvalue()
    return out.getvalue()


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NO_PICTURES = {
    "svg": SVG,
    "html": b"<html><script>alert(1)</script></html>",
    "gif with script": b"GIF89a/*" + SVG,
    "half a jpeg": b"\xff\xd8\xff\xe0" + b"<script>" * 40,
    "half a png": b"\x89PNG\r\n\x1a\n" + b"0" * 64,
    "riff": b"RIFF0000WAVE" + b"0" * 64,
    "pdf": b"%PDF-1.7 x",
    "program": b"\x7fELF" + b"0" * 64,
    "bomb": bomb(),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_is_no_picture_is_refused(world: World, kind: str) -> None:
    """Right name, right media type, wrong content: refused on each page that takes photos, nothing is kept."""
    client = signed_in(world.everything)
    before = world.mark()
    for name, field in (
        ("visit-photos", "photos"),
        ("line-photos", "photos"),
        ("job-more-work", "photos"),
        ("job-photos", "photos"),
    ):
        uid = world.open_row(OPENS[name])
        file = SimpleUploadedFile("car.jpg", NO_PICTURES[kind], content_type="image/jpeg")
        said = client.post(reverse(name, args=[uid]), {field: file, "description": "异响", "cause": "磨损"})
        assert said.status_code == 422, name
    assert changed(before, world.mark()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/x.jpg",
        "..\\..\\x.jpg",
        "a\r\nSet-Cookie: x=1.jpg",
        "x" * 400 + ".jpg",
        "%22;x=%22.jpg",
        "车.php.jpg",
    ],
)
def test_a_photo_forgets_place_and_path(world: World, name: str) -> None:
    """Kept under its own hash inside the folder of files, without camera and place, and sent as what it is."""
    client, visit = signed_in(world.everything), world.open_row("reception.Visit")
    file = SimpleUploadedFile("x.jpg", with_place(), content_type="text/html")
    file._name = name  # type: ignore[attr-defined]  # past the test client's own cleaning
    assert client.post(reverse("visit-photos", args=[visit]), {"photos": file}).status_code == 302
    photo = VisitPhoto.objects.order_by("-pk").first()
    assert photo is not None
    answer = client.get(reverse("visit-photo", args=[photo.uid]))
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "\n" not in answer.headers.get("Content-Disposition", "")
    assert "Set-Cookie" not in answer.headers
    assert b"SECRETCAMERA" not in content
    assert not Image.open(io.BytesIO(content)).getexif()
    kept = list(Path(settings.MEDIA_ROOT).rglob(f"{photo.file.sha256}*"))
    assert [path.name for path in kept] == [f"{photo.file.sha256}.jpg"]


def test_every_photo_is_cleaned() -> None:
    """Whatever keeps a file either cleans it as a picture or keeps a drawn signature."""
    kept = {path for path, text in sources() if "store_file(" in text and path != "dealership/kernel/services.py"}
    cleaned = {path for path, text in sources() if "clean_picture(" in text}
    signatures = {
        "reception/services/walkarounds.py", "workshop/services/authorizations.py",
        "delivery/services/settlements.py", "delivery/services/handovers.py", "workshop/services/old_parts.py",
        "workshop/services/contracts.py", "workshop/services/differences.py",
        "workshop/services/part_consents.py",
    }  # fmt: skip
    assert kept - cleaned == signatures


# --- spreadsheets ---


def sheet(cells: str, *, bombs: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/workbook.xml", cells)
        made.writestr("[Content_Types].xml", "<Types/>")
        if bombs:
            made.writestr("xl/worksheets/sheet1.xml", b"0" * bombs)
    return out.getvalue()


HOSTILE_FILES = {
    "bomb": lambda: sheet("<workbook/>", bombs=400_000_000),
    "entities": lambda: sheet('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><workbook>&a;</workbook>'),
    "laughs": lambda: sheet('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><workbook>&b;</workbook>'),
    "html": lambda: b"<html><table><tr><td>1</td></tr></table></html>",
    "nul": lambda: b"\x00" * 4096,
    "long line": lambda: b"a," * 3_000_000,
    "zip": lambda: sheet("x"),
}


@pytest.mark.parametrize("kind", HOSTILE_FILES)
def test_hostile_tables_are_refused(world: World, caller: ApiCaller, kind: str) -> None:
    """On the page and over the API alike."""
    client = signed_in(world.everything)
    before = world.mark()
    content = HOSTILE_FILES[kind]()
    file = SimpleUploadedFile("customers.xlsx", content)
    assert client.post(reverse("imports"), {"file": file}).status_code == 422
    sent = {"file_name": "../customers.xlsx", "content": base64.b64encode(content).decode()}
    said = caller.post("imports", sent)
    assert problem(said, 409, said.json()["code"])["errors"][0]["pointer"] == "/content"
    assert changed(before, world.mark()) == []


def test_a_hostile_cell_is_words(world: World) -> None:
    """Formulas and markup in a table are kept as they were written, shown escaped and do nothing."""
    cells = ('=HYPERLINK("http://evil.example")', "+1+cmd|' /C calc'!A0", "@SUM(1)", "<script>alert(1)</script>")
    table = "车牌,车主,电话,车型\n" + "".join(
        '京A7711{1},"{0}",1390000771{1},途远\n'.format(cell.replace('"', '""'), number)
        for number, cell in enumerate(cells)
    )
    client, actor = signed_in(world.everything), actor_of(world.everything, world.ours)
    batch = imports.upload_import(content=table.encode(), file_name="<script>alert(1)</script>.csv", by=actor)
    batch = imports.read_import(uid=batch.uid)
    html = client.get(reverse("import-detail", args=[batch.uid])).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert not Customer.objects.filter(name__in=cells).exists()
    raw = [value for row in batch.rows.all() for value in row.raw.values()]
    assert set(cells) <= set(raw), raw


def test_there_is_no_export_that_a_formula_could_reach() -> None:
    """No code writes a spreadsheet yet. Whoever writes one names it here with its test against ``=HYPERLINK(``."""
    writes = {path for path, text in sources() if re.search(r"csv\.(writer|DictWriter)|Workbook\(|xlsxwriter", text)}
    assert writes == set()


# --- mail, messages, outside ---


def message(**given: Any) -> Any:
    known = {
        "subject": "车好了",
        "body": "请来取车",
        "recipient": "a@demo.example",
        "uid": "1",
        "channel": "EMAIL",
        "key": "",
    }
    return SimpleNamespace(**known | given)


@pytest.mark.parametrize("field", ["subject", "recipient"])
def test_no_line_of_a_mail_header_can_be_added(field: str, mailoutbox: list[Any]) -> None:
    """A line break in the subject becomes a space; an address with one is refused as a failed message."""
    state, reason = transports.Smtp().send(message(**{field: "a@demo.example\r\nBcc: x@evil.example"}))
    if field == "recipient":
        assert (state, bool(reason)) == (MessageState.FAILED, True)
        assert mailoutbox == []
    else:
        assert state == MessageState.SENT
        assert list(mailoutbox[0].message().get_all("Bcc", [])) == []
        assert "\n" not in mailoutbox[0].subject


def test_a_recipient_does_not_change_the_gateway(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The number goes into the configured address as one escaped word: no other host, no other parameter (SSRF)."""
    import apprise

    asked: list[str] = []
    monkeypatch.setattr(apprise.Apprise, "add", lambda _self, target: asked.append(target))
    monkeypatch.setattr(apprise.Apprise, "notify", lambda _self, **_given: True)
    settings.APPRISE_TARGETS = ["json://gateway.example/{recipient}"]
    transports.AppriseTargets().send(message(channel="SMS", recipient="139@evil.example/?to=1#x&y"))
    assert asked == ["json://gateway.example/139%40evil.example%2F%3Fto%3D1%23x%26y"]


CALLS_OUT = {
    "compliance/platform.py": "the health-record platform of the environment (HEALTH_RECORD_URL), never of a person",
    "dealership/exchange/examples/bring_in.py": "an example that other systems run; nothing here imports it",
    "dealership/exchange/examples/first_steps.py": "an example that other systems run; nothing here imports it",
    "dealership/kernel/transports.py": "SMTP server and Apprise targets of the environment, never of a person",
}


def test_ways_out_of_the_house_are_named() -> None:
    """No page, API or task asks an address that somebody typed: what can connect is in one list."""
    out = set()
    reaches = {"requests", "httpx", "aiohttp", "urllib3", "apprise", "smtplib", "ftplib", "telnetlib"}
    deep = {"urllib.request", "http.client"}
    for path, text in sources():
        for node in ast.walk(ast.parse(text)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] in reaches or name in deep for name in names):
                out.add(path)
    assert out == set(CALLS_OUT)


def test_no_program_is_started_with_input() -> None:
    """The application starts no shell and unpacks no objects."""
    loose = {
        path
        for path, text in sources()
        if re.search(r"\bsubprocess\b|os\.system|pickle\.|yaml\.(load|unsafe)|\beval\(|\bexec\(", text)
    }
    assert loose == set()


# --- papers, calendars, signs to be scanned, logs ---

PAPERS = {
    "delivery/documents.py": "test_a_paper_with_hostile_words",
    "compliance/documents.py": "tests/compliance/test_archives.py::test_hostile_words_are_text_in_the_file",
    "compliance/vehicle_book.py": "tests/compliance/test_vehicle_book.py::test_hostile_words_are_text_in_the_book",
    "workshop/documents.py": "tests/workshop/test_certificate_paper.py::test_it_is_one_sheet_and_hostile_text_is_set_as_text",
}
SCANNED = {
    "delivery/views/handovers.py": "the code of a gate pass, made by the system",
    "reception/views/visits.py": "the address of the visit's own link",
    "workshop/views/kiosk.py": "numbers of orders and people and codes of pauses, which the system makes",
    "workshop/views/old_parts.py": "the address of the scan page with the tag's number, which the system makes",
    "workshop/views/part_labels.py": "the address of the scan page with a part's number or a bin, as text of its address",
    "workshop/views/tools.py": "the address of the scan page with the tool's number, which the system makes",
}


def test_papers_and_signs_to_be_scanned_are_named() -> None:
    """Whoever sets another paper or draws another QR code says here what stands in it and what is tried."""
    found = {path: text for path, text in sources() if path != "dealership/kernel/papers.py"}
    assert {path for path, text in found.items() if "render_paper(" in text} == set(PAPERS)
    assert {path for path, text in found.items() if "segno." in text} == set(SCANNED)
    for path, name in ((p, n) for p, n in PAPERS.items() if "::" in n):
        file, _colons, test = name.partition("::")
        assert f"def {test}(" in (settings.BASE_DIR / file).read_text(encoding="utf-8"), path


def test_no_line_of_a_calendar_can_be_added() -> None:
    """Whatever a customer is called: a calendar's lines are the program's own, and no event or attachment is added."""
    words = "车\r\nEND:VEVENT\r\nBEGIN:VEVENT\nATTACH:http://evil.example\r\x85\u2028\x00X;A=1:b,c\\"
    at = datetime(2026, 11, 27, 9, tzinfo=UTC)
    event = CalendarEvent("1@demo", 1, at, at, at + timedelta(hours=1), words, words, words, "CONFIRMED")
    content = calendar_file(words, [event])
    lines = content.replace(b"\r\n ", b"").decode().rstrip("\r\n").split("\r\n")
    assert [re.split("[:;]", line)[0] for line in lines] == [
        "BEGIN", "VERSION", "PRODID", "METHOD", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL",
        "BEGIN", "UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "DESCRIPTION", "STATUS", "END",
        "END",
    ]  # fmt: skip
    assert [len(line.splitlines()) for line in lines] == [1] * len(lines)


MAKES_MARKUP = dict.fromkeys(
    ("walkaround.js", "sheet.js"), "takes over parts of its own page as this server draws and escapes it"
) | {
    "jobs.js": "reads links and file names from the person's own pages to keep them; no markup is written into the page"
}


def test_scripts_write_words_not_markup() -> None:
    """What pages keep in the browser (drafts, the walk-around without a network) or are told live is set as text."""
    makes_markup = r"(inner|outer|Adjacent)HTML|document\.write|ContextualFragment|DOMParser|\beval\(|new Function"
    scripts = sorted((settings.BASE_DIR / "static" / "js").rglob("*.js"))
    assert len(scripts) > 10
    assert {s.name for s in scripts if re.search(makes_markup, s.read_text(encoding="utf-8"))} == set(MAKES_MARKUP)


def test_a_paper_with_hostile_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typst gets words as data: code, markup, file names and a broken signature do nothing; the paper is made."""
    from dealership.kernel.services import store_file
    from delivery.documents import settlement_pdf
    from delivery.selectors.settlements import read_settlement

    row = Settlement.objects.filter(store=world.ours).order_by("pk").first()
    assert row is not None
    actor = actor_of(world.everything, world.ours)
    paper: Paper = read_settlement(uid=row.uid, by=actor)
    for words in ('#read("/etc/passwd")', '#image("../x")', "$ #eval(1) $", "*_`\\", MIXED, "a\x00b"):
        paper.settlement.signed_name = words
        paper.settlement.order.customer.name = words
        assert settlement_pdf(paper).startswith(b"%PDF-"), words
    for content in (NO_PICTURES["half a png"], bomb()):
        paper.settlement.signature = store_file(content=content, name="s.png", store_id=world.ours.pk, by=actor)
        assert settlement_pdf(paper).startswith(b"%PDF-")
    assert StoredFile.objects.filter(name="s.png").exists()


def test_a_log_line_stays_one_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        signed_in(world.everything).get("/nothing/%0d%0a2026-11-27 ERROR forged/%1b[31m")
    assert caplog.records
    for record in caplog.records:
        assert "\n" not in record.getMessage()
        assert "\x1b" not in record.getMessage()


# --- the list ---

# Where input ends up → what is tried there.
SINKS = {
    "SQL": [
        test_sql_is_never_built_from_input,
        test_signs_of_like_find_nothing_more,
        test_every_form_of_every_page,
        test_every_command_of_the_api,
    ],
    "HTML": [test_whatever_is_stored_is_escaped_on_every_page, test_safe_strings_are_named],
    "address of a page": [test_addresses_themselves, test_every_parameter_of_every_page],
    "file name": [test_a_photo_forgets_place_and_path],
    "stored file": [test_what_is_no_picture_is_refused, test_every_photo_is_cleaned],
    "spreadsheet": [
        test_hostile_tables_are_refused,
        test_a_hostile_cell_is_words,
        test_there_is_no_export_that_a_formula_could_reach,
    ],
    "mail header": [test_no_line_of_a_mail_header_can_be_added],
    "outside address": [test_a_recipient_does_not_change_the_gateway, test_ways_out_of_the_house_are_named],
    "redirect (`next`)": [next_leads_nowhere_else],
    "paper": [test_a_paper_with_hostile_words, test_papers_and_signs_to_be_scanned_are_named],
    "calendar": [test_no_line_of_a_calendar_can_be_added],
    "script in the browser": [test_scripts_write_words_not_markup],
    "log line": [test_a_log_line_stays_one_line],
    "program": [test_no_program_is_started_with_input],
    "API": [test_every_parameter_of_the_api, test_what_is_typed_comes_back_as_typed],
}


def test_the_list_stands_in_the_documentation() -> None:
    """docs/security.md names every sink and every test of this list."""
    page = (settings.BASE_DIR / "docs" / "security.md").read_text(encoding="utf-8")
    missing = [name for name in SINKS if f"| {name} |" not in page]
    missing += [test.__name__ for tests in SINKS.values() for test in tests if test.__name__ not in page]
    assert missing == []
