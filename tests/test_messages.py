"""Extraction of messages: what the translation check reads is what Django looks up."""

from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.translation import trans_real

from tools import messages

TEMPLATE = """
{% load i18n %}
{% translate "Plate" %}|{% translate '100% "done"' context "share" %}
{% blocktranslate count n=n %}One car{% plural %}{{ n }} cars{% endblocktranslate %}
{% blocktranslate trimmed with name=name %}
    Dear {{ name }},
    50% off
{% endblocktranslate %}
{{ _("Inside 5%") }}{% with a=_('Assigned') %}{{ a|default:_("Filtered") }}{% endwith %}
"""


def test_templates_are_read_as_django_reads_them() -> None:
    found = {(m.context, m.msgid, m.plural) for m in messages.template_messages(TEMPLATE, "t.html")}
    assert found == {
        ("", "Plate", ""),
        ("share", '100%% "done"', ""),
        ("", "One car", "%(n)s cars"),
        ("", "Dear %(name)s, 50%% off", ""),
        ("", "Inside 5%%", ""),
        ("", "Assigned", ""),
        ("", "Filtered", ""),
    }


def test_cotton_attributes_are_read() -> None:
    found = [m.msgid for m in messages.template_messages("<c-card :title=\"_('Today')\" />", "t.html")]
    assert found == ["Today"]


def test_every_message_found_is_looked_up_by_django(monkeypatch) -> None:
    """Each extracted message, translated, changes the page."""
    found = list(messages.template_messages(TEMPLATE, "t.html"))
    with translation.override("zh-hans"):
        catalogue = trans_real.catalog()
        for number, message in enumerate(found):
            key = f"{message.context}\x04{message.msgid}" if message.context else message.msgid
            if message.plural:
                monkeypatch.setitem(catalogue._catalog._catalogs[0], (key, 0), f"译{number}")
            else:
                monkeypatch.setitem(catalogue._catalog._catalogs[0], key, f"译{number}")
        page = Template(TEMPLATE).render(Context({"n": 1, "name": "x", "empty": ""}))
    shown = {number for number, message in enumerate(found) if f"译{number}" in page}
    hidden = {message.msgid for number, message in enumerate(found) if number not in shown}
    assert hidden == {"Filtered"}  # the filter's argument is not needed where there is a value


def test_python_calls_are_read() -> None:
    source = (
        '_("Plain %(x)s")\nngettext("one", "many", n)\npgettext_lazy("month", "May")\n'
        'gettext_lazy("Long " "text")\nfor _, b in pairs: pass\n'
    )
    found = {(m.context, m.msgid, m.plural) for m in messages.python_messages(source, "x.py")}
    assert found == {("", "Plain %(x)s", ""), ("", "one", "many"), ("month", "May", ""), ("", "Long text", "")}


def test_a_formatted_string_is_refused() -> None:
    with pytest.raises(messages.WrongCall):
        list(messages.python_messages('gettext(f"Dear {name}")\n', "x.py"))


@pytest.fixture
def room(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(messages, "BASE_DIR", tmp_path)
    messages.po_path("kernel").parent.mkdir(parents=True)
    return messages.po_path("kernel")


CODE = [messages.Found("Dear %(name)s", place="a.py:1"), messages.Found("%(n)s car", "%(n)s cars", place="a.py:2")]


def write(path: Path, chinese: dict[str, object]) -> None:
    merged = messages.merged("kernel", CODE)
    for message in merged:
        message.string = chinese[message.id if isinstance(message.id, str) else message.id[0]]
    path.write_text(messages.write_catalog("kernel", merged), encoding="utf-8")


def test_a_complete_file_is_clean_and_written_alike(room: Path) -> None:
    write(room, {"Dear %(name)s": "%(name)s，您好", "%(n)s car": ("%(n)s 辆",)})
    assert messages.complaints("kernel", CODE) == []
    assert messages.write_catalog("kernel", messages.merged("kernel", CODE)) == room.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("chinese", "said"),
    [
        ({"Dear %(name)s": "", "%(n)s car": ("%(n)s 辆",)}, "a.py:1: 'Dear %(name)s' has no Chinese"),
        ({"Dear %(name)s": "您好", "%(n)s car": ("%(n)s 辆",)}, "a.py:1: 'Dear %(name)s' needs the placeholders"),
        ({"Dear %(name)s": "%(name)s您好", "%(n)s car": ("辆",)}, "a.py:2: '%(n)s car' needs the placeholders"),
    ],
)
def test_what_is_missing_is_named(room: Path, chinese: dict[str, object], said: str) -> None:
    write(room, chinese)
    (complaint,) = messages.complaints("kernel", CODE)
    assert complaint.startswith(said)


def test_what_the_code_no_longer_says_is_named(room: Path) -> None:
    write(room, {"Dear %(name)s": "%(name)s，您好", "%(n)s car": ("%(n)s 辆",)})
    assert messages.complaints("kernel", CODE[:1]) == ["kernel: no longer in the code: '%(n)s car'"]


def test_one_word_has_one_chinese_in_all_rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert messages.clashes() == []
    monkeypatch.setattr(messages, "po_path", lambda room: tmp_path / f"{room}.po")
    for room, word, context in (("kernel", "日期", ""), ("staff", "天", ""), ("quality", "日", 'msgctxt "unit"\n')):
        (tmp_path / f"{room}.po").write_text(f'{context}msgid "Day"\nmsgstr "{word}"\n', encoding="utf-8")
    [said] = messages.clashes()
    assert said.startswith("'Day' is said in different ways: 天 (staff), 日期 (kernel)")
