"""The frame of every page: look, components, rail, language, error pages."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.template import TemplateSyntaxError, engines
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django_cotton.compiler_regex import CottonCompiler

from dealership.kernel import clock, navigation, saying, services, styleguide
from dealership.kernel.context import Shell
from dealership.kernel.models import Store, User
from dealership.kernel.templatetags import shell as tags

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
COMPONENTS = sorted((settings.BASE_DIR / "templates" / "cotton").rglob("*.html"))
ADDRESS = re.compile(r"\{#.*?#\}|\{%\s*comment.*?endcomment\s*%\}", re.S)
NOW = datetime(2026, 11, 23, 2, 42, tzinfo=UTC)  # 10:42 in Shanghai, a Monday


def short(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR / "templates"))


def render(source: str, **context: Any) -> str:
    request = RequestFactory().get("/")
    page = engines["django"].from_string(CottonCompiler().process(source)).render(context, request)
    assert "<c-" not in page
    return page


@pytest.fixture
def person(db: None) -> User:
    store = Store.objects.create(code="SH9", name="临江店", brand="示例")
    user = User.objects.create_user("advisor9", password="a long enough one", name="韩青", store=store)
    services.grant_role(user=user, role="manager", store=store, starts_on=clock.today())
    return user


@pytest.fixture
def signed_in(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


@pytest.fixture
def rail(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty rail for one test."""
    monkeypatch.setattr(navigation, "_entries", {})
    cache.clear()
    yield
    cache.clear()


def entry(code: str, permission: str, **more: Any) -> navigation.Entry:
    given = {"label": code, "icon": "car", "url_name": "profile", "group": "front"} | more
    return navigation.Entry(code=code, permission=permission, **given)


def actor(*permissions: str) -> Any:
    return SimpleNamespace(
        may=lambda code: code in permissions, permissions=frozenset(permissions), roles=frozenset[str]()
    )


# what a template may not hold


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_template_has_no_style_script_or_colour_of_its_own(path: Path) -> None:
    source = ADDRESS.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"\sstyle\s*=", source)
    assert "<style" not in source
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", source)
    assert "javascript:" not in source
    for script in re.findall(r"<script([^>]*)>", source):
        assert "src=" in script or "application/json" in script
    assert not re.search(
        r"[\"'\s:](#[0-9a-fA-F]{3}|#[0-9a-fA-F]{6})\b(?![\w-]*\")",
        re.sub(r'(?:href|action|id|for)="#[^"]*"', "", source),
    )
    assert not re.search(r"https?://(?!www\.w3\.org)", source)


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_template_compiles(path: Path) -> None:
    get_template(short(path))


# components


def test_every_component_says_its_attributes_and_is_listed() -> None:
    listed = (settings.BASE_DIR / "docs" / "components.md").read_text(encoding="utf-8")
    for path in COMPONENTS:
        name = str(path.relative_to(settings.BASE_DIR / "templates" / "cotton").with_suffix(""))
        tag = "<c-" + name.replace("/", ".").replace("_", "-")
        assert path.read_text(encoding="utf-8").startswith("{# " + tag), path.name
        assert tag in listed, f"{tag} is missing in docs/components.md"


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_style_page_shows_every_component(signed_in: Client, person: User, settings: Any, language: str) -> None:
    settings.DEMO = True
    User.objects.filter(pk=person.pk).update(language=language)
    answer = signed_in.get(reverse("styleguide"))
    assert answer.status_code == 200
    page = answer.content.decode()
    source = (settings.BASE_DIR / "templates" / "kernel" / "styleguide.html").read_text(encoding="utf-8")
    shown = set(re.findall(r"<c-([a-z-]+(?:\.[a-z]+)?)", source)) - {"slot"}
    there = {short(p)[7:-5].replace("/", ".").replace("_", "-") for p in COMPONENTS}
    assert there - shown == {"field", "who", "count"}
    assert "<c-" not in page
    assert styleguide.LONG_NAME[language][:12] in page
    assert (
        'lang="zh-Hans"' in page.split("<head>")[0] if language == "zh-hans" else 'lang="en"' in page.split("<head>")[0]
    )


def test_style_page_is_for_demo_and_debugging_only(signed_in: Client, settings: Any) -> None:
    settings.DEMO = settings.DEBUG = False
    assert signed_in.get(reverse("styleguide")).status_code == 404


def test_what_a_component_is_handed_is_escaped() -> None:
    evil = '"><b x="'
    for source in (
        '<c-button :title="evil">x</c-button>',
        '<c-button title="{{ evil }}">x</c-button>',
        '<c-plate :plate="evil" :href="evil" />',
        '<c-tick :name="evil" :line="evil" :people="people" />',
        '<c-chip :data-x="evil">{{ evil }}</c-chip>',
        '<c-note :title="evil">x</c-note>',
        '<c-who :name="evil" />',
    ):
        assert "<b x" not in render(source, evil=evil, people=[evil]), source


def test_component_does_not_take_a_value_from_the_page_around_it() -> None:
    page = render("<c-button>Save</c-button>", href="/elsewhere/", icon="car", disabled=True, key="F9")
    assert "<button" in page
    assert "/elsewhere/" not in page
    assert "F9" not in page
    assert "disabled" not in page


@pytest.mark.parametrize(
    ("plate", "color", "text", "css"),
    [
        ("京A8K312", "BLUE", "京A·8K312", "blue"),
        ("京AD06218", "GREEN", "京A·D06218", "green"),
        ("京A·8K312", "YELLOW", "京A·8K312", "yellow"),
        ("使014578", "BLACK", "使014578", "black"),
    ],
)
def test_plate(plate: str, color: str, text: str, css: str) -> None:
    page = render('<c-plate :plate="plate" :color="color" href="/v/" />', plate=plate, color=color)
    assert text in page
    assert f'class="plate {css} "' in page
    assert 'href="/v/"' in page


def test_unknown_icon_fails_loudly() -> None:
    with pytest.raises(ValueError, match="no Tabler icon"):
        tags.icon("../../secret")


def test_field_binds_help_and_error_to_its_control() -> None:
    form = styleguide.SampleForm({}, labels=list("abcdef"), choices=["x"])
    page = render('<c-form :form="form" submit="Save" />', form=form)
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_odometer_help id_odometer_error"' in page
    assert 'id="id_odometer_help"' in page
    assert '<ul class="wrong" id="id_odometer_error">' in page


# times and money as people say them


def test_times_are_said_in_both_languages() -> None:
    day = timedelta(days=1)
    said = {
        "zh-hans": ["10:42", "明天 10:42", "昨天 10:42", "周四 10:42", "12月3日 10:42", "2025-11-13"],
        "en": ["10:42", "tomorrow 10:42", "yesterday 10:42", "Thu 10:42", "3 Dec 10:42", "2025-11-13"],
    }
    for language, expected in said.items():
        with translation.override(language):
            times = [NOW, NOW + day, NOW - day, NOW + 3 * day, NOW + 10 * day, NOW - 375 * day]
            assert [saying.say_time(at, now=NOW) for at in times] == expected


def test_a_customer_reads_the_date_beside_the_weekday() -> None:
    day = timedelta(days=1)
    said = {
        "zh-hans": ["今天 10:42", "明天 10:42", "昨天 10:42", "11月26日 周四 10:42", "2025-11-13 10:42"],
        "en": ["today 10:42", "tomorrow 10:42", "yesterday 10:42", "Thu 26 Nov 10:42", "2025-11-13 10:42"],
    }
    for language, expected in said.items():
        with translation.override(language):
            times = [NOW, NOW + day, NOW - day, NOW + 3 * day, NOW - 375 * day]
            assert [saying.say_moment(at, now=NOW) for at in times] == expected


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (0, "1 分", "1 min"),
        (9, "9 分", "9 min"),
        (120, "2 小时", "2 h"),
        (125, "2 小时 5 分", "2 h 5 min"),
        (4400, "3 天", "3 days"),
    ],
)
def test_spans(minutes: int, zh: str, en: str) -> None:
    with translation.override("zh-hans"):
        assert saying.say_span(minutes) == zh
    with translation.override("en"):
        assert saying.say_span(timedelta(minutes=minutes)) == en


def test_a_promise_tells_soon_late_and_forecast() -> None:
    with clock.moved_to(NOW), translation.override("zh-hans"):
        assert ">交 12:42<" in tags.when(NOW + timedelta(hours=2), "promise")
        assert 'class="soon">交 10:52<' in tags.when(NOW + timedelta(minutes=10), "promise")
        assert 'class="late">已超 9 分<' in tags.when(NOW - timedelta(minutes=9), "promise")
        late = tags.when(NOW + timedelta(minutes=10), "promise", NOW + timedelta(minutes=130))
        assert 'class="late">会晚 2 小时<' in late


def test_money_has_two_places_and_refuses_floats() -> None:
    assert saying.say_money(Decimal("123456789.5")) == "¥123,456,789.50"
    assert saying.say_money(Decimal("-12")) == "-¥12.00"
    with pytest.raises(TypeError):
        saying.say_money(1.5)  # type: ignore[arg-type]


# the rail


def test_rail_hides_what_is_not_permitted(rail: None) -> None:
    navigation.register(entry("open", "a.b.view"))
    navigation.register(entry("shut", "a.c.view"))
    groups = navigation.groups_for(actor("a.b.view"), path="/", who="1:1")
    assert [e.code for g in groups for e in g.entries] == ["open"]
    assert navigation.groups_for(actor(), path="/", who="1:1") == []
    assert navigation.permitted(None) == []


def test_rail_orders_marks_and_counts(rail: None) -> None:
    asked: list[str] = []

    def count(by: Any) -> int:
        asked.append("count")
        return 7

    navigation.register(entry("second", "p", group="system", order=1))
    navigation.register(entry("first", "p", order=2, count=count, hot=lambda by: True))
    navigation.register(entry("zero", "p", order=1, url_name="home"))
    first, second = navigation.groups_for(actor("p"), path="/profile/", who="1:1")
    assert [e.code for e in first.entries] == ["zero", "first"]
    assert [(e.count, e.hot, e.current) for e in first.entries] == [(None, False, False), (7, True, True)]
    assert second.code == "system"
    navigation.groups_for(actor("p"), path="/", who="1:1")
    assert asked == ["count"]


def test_rail_refuses_a_code_twice_and_an_unknown_place(rail: None) -> None:
    navigation.register(entry("one", "p"))
    with pytest.raises(ValueError, match="registered twice"):
        navigation.register(entry("one", "p"))
    with pytest.raises(ValueError, match="unknown group"):
        navigation.register(entry("two", "p", group="attic"))


def test_every_registered_entry_leads_somewhere_and_has_an_icon() -> None:
    for known in navigation.entries():
        assert known.url.startswith("/")
        assert tags.icon_svg(known.icon)


def test_home_is_the_first_permitted_page_else_the_profile(signed_in: Client, rail: None) -> None:
    assert signed_in.get("/").headers["Location"] == reverse("profile")
    navigation.register(entry("mine", "kernel.messages.view", url_name="styleguide"))
    assert signed_in.get("/").headers["Location"] == reverse("styleguide")


def test_phone_bar_takes_four_and_those_marked_first(rail: None, rf: RequestFactory) -> None:
    for number in range(6):
        navigation.register(entry(f"e{number}", "p", order=number, phone=number == 5))
    request = rf.get("/")
    request.user = SimpleNamespace(is_authenticated=True, pk=1)  # type: ignore[assignment]
    request.actor = actor("p")  # type: ignore[attr-defined]
    assert [e.code for e in Shell(request).phone_entries] == ["e5", "e0", "e1", "e2"]


# language, store, profile


def test_language_is_chinese_whatever_the_browser_asks(client: Client, db: None) -> None:
    answer = client.get(reverse("account_login"), HTTP_ACCEPT_LANGUAGE="en")
    assert answer.headers["Content-Language"] == "zh-hans"
    assert "登录" in answer.content.decode()


def test_language_switch_keeps_the_page_and_the_choice(signed_in: Client, person: User) -> None:
    answer = signed_in.post(reverse("language"), {"language": "en", "next": "/profile/?tab=2"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/profile/?tab=2")
    person.refresh_from_db()
    assert person.language == "en"
    assert "Profile" in signed_in.get(reverse("profile")).content.decode()
    signed_in.post(reverse("account_logout"))
    assert "Sign in" in signed_in.get(reverse("account_login")).content.decode()


def test_who_signs_in_is_greeted_by_name(client: Client, person: User) -> None:
    given = {"login": person.username, "password": "a long enough one"}
    answer = client.post(reverse("account_login"), given, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert len(said) == 1
    assert person.name in said[0]
    assert person.username not in said[0]


@pytest.mark.parametrize("asked", ["fr", "", "en<script>"])
def test_an_unknown_language_changes_nothing(signed_in: Client, person: User, asked: str) -> None:
    answer = signed_in.post(reverse("language"), {"language": asked, "next": "/profile/"})
    assert "language" not in answer.cookies
    person.refresh_from_db()
    assert person.language == "zh-hans"


def test_language_switch_leads_to_no_other_site(client: Client, db: None) -> None:
    answer = client.post(reverse("language"), {"language": "en", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"


def test_another_store_can_be_chosen_only_where_a_role_is_held(signed_in: Client, person: User) -> None:
    second = Store.objects.create(code="SH8", name="二店", brand="示例")
    assert signed_in.post(reverse("store-switch"), {"store": str(second.uid)}).status_code == 404
    services.grant_role(user=person, role="manager", store=second, starts_on=clock.today())
    assert signed_in.post(reverse("store-switch"), {"store": str(second.uid)}).status_code == 302
    assert "二店" in signed_in.get(reverse("profile")).content.decode().split("topbar")[1][:900]


@pytest.mark.parametrize("name", ["home", "profile", "styleguide"])
def test_pages_of_the_frame_ask_strangers_to_sign_in(client: Client, person: User, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(reverse("account_login"))


def test_second_factor_pages_wear_our_look(signed_in: Client) -> None:
    page = signed_in.get(reverse("mfa_index")).content.decode()
    assert "二次验证" in page
    assert "css/house.css" in page


# error pages


@pytest.mark.parametrize(("language", "title"), [("zh-hans", "这里没有这个页面"), ("en", "This page is not here")])
def test_404_in_both_languages_for_strangers_and_staff(
    signed_in: Client, person: User, language: str, title: str
) -> None:
    User.objects.filter(pk=person.pk).update(language=language)
    inside = signed_in.get("/nowhere/")
    assert inside.status_code == 404
    assert title in inside.content.decode()
    assert 'class="rail"' in inside.content.decode()
    outside = Client()
    outside.cookies["language"] = language
    answer = outside.get("/nowhere/")
    assert title in answer.content.decode()
    assert 'class="rail"' not in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "zh", "en"),
    [
        ("400.html", "无法读懂这个请求", "This request could not be read"),
        ("403.html", "您的岗位不能做这件事", "Your post may not do this"),
        ("404.html", "这里没有这个页面", "This page is not here"),
        ("500.html", "系统出了故障", "Something broke on our side"),
        ("csrf.html", "这个表单打开太久了", "This form was open too long"),
    ],
)
def test_error_pages_stand_without_request_and_database(name: str, zh: str, en: str) -> None:
    for language, title in (("zh-hans", zh), ("en", en)):
        with translation.override(language):
            page = get_template(name).render()
        assert title in page
        assert f'lang="{"en" if language == "en" else "zh-Hans"}"' in page


def test_csrf_failure_answers_403_with_the_way_back(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    answer = client.post(reverse("language"), {"language": "en"})
    assert answer.status_code == 403
    assert "这个表单打开太久了" in answer.content.decode()
    person.refresh_from_db()
    assert person.language == "zh-hans"


def test_strict_policy_on_every_page(signed_in: Client) -> None:
    for address in ("/profile/", "/nowhere/", reverse("mfa_index")):
        policy = signed_in.get(address).headers["Content-Security-Policy"]
        assert "style-src 'self'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy


def test_every_template_asks_a_kind_of_time_that_is_known() -> None:
    asks = re.compile(r"""\{%\s*when\s+\S+\s+["'](\w+)["']|<c-when\b[^>]*?\skind=["'](\w+)["']""")
    seen, unknown = 0, []
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        for plain, component in asks.findall(re.sub(r"\{#.*?#\}", "", path.read_text())):
            seen += 1
            if (plain or component) not in tags.WHEN_KINDS:
                unknown.append(f"{short(path)}: {plain or component}")
    assert seen > 100
    assert not unknown


def test_an_unknown_kind_of_time_fails_loudly_even_where_nothing_is_known() -> None:
    with pytest.raises(TemplateSyntaxError, match="unknown kind"):
        tags.when(None, "day")
