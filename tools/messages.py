"""Translation files: ``python -m tools.messages [--check | --compile]``.

One ``locale/<room>/zh_Hans/LC_MESSAGES/django.po`` per room, written so that two people's changes merge: sorted by
message, without line numbers and dates. The room of a Python file is its app; the room of a template is its first
folder under ``templates/`` if that is a room, else the kernel.
"""

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from django.conf import settings as django_settings
from django.template.base import Lexer, TokenType

BASE_DIR = Path(__file__).resolve().parent.parent
LANGUAGE = "zh_Hans"
TRADE_ROOMS = ("staff", "reception", "workshop", "delivery", "quality", "compliance")
HOUSE_ROOMS = ("kernel", "process", "catalogue", "exchange")
ROOMS = {**{room: BASE_DIR / room for room in TRADE_ROOMS}, **{r: BASE_DIR / "dealership" / r for r in HOUSE_ROOMS}}

# keyword → what its arguments are: 1-based places of msgid, plural, context
KEYWORDS: dict[str, dict[str, int]] = {
    **{key: {"id": 0} for key in ["_", "gettext", "gettext_lazy", "gettext_noop"]},
    **{key: {"id": 0, "plural": 1} for key in ["ngettext", "ngettext_lazy"]},
    **{key: {"context": 0, "id": 1} for key in ["pgettext", "pgettext_lazy"]},
    **{key: {"context": 0, "id": 1, "plural": 2} for key in ["npgettext", "npgettext_lazy"]},
}
PLACEHOLDER = re.compile(r"%\([A-Za-z_]\w*\)[#0\- +]*[\d.]*[sdifgr]|%[sdifr]|\{[A-Za-z_]\w*\}")
# gettext calls written inside tags, filters and cotton attributes: _("…") or _('…')
CALL = re.compile(r"""(?<![\w.])_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\)""")
TRANSLATE = re.compile(r"""^(?:translate|trans)\s+("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?P<rest>.*)$""", re.S)
CONTEXT = re.compile(r"""\bcontext\s+("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


@dataclass(frozen=True)
class Found:
    """A message in the code. ``place`` is for error texts only."""

    msgid: str
    plural: str = ""
    context: str = ""
    place: str = ""


class WrongCall(Exception):
    """A gettext call that can't be extracted."""


# reading the code


def python_messages(source: str, name: str) -> Iterator[Found]:
    for line, function, arguments, _comments in extract_python(io.BytesIO(source.encode()), list(KEYWORDS), [], {}):
        given = arguments if isinstance(arguments, tuple) else (arguments,)
        where = KEYWORDS[function or "_"]
        place = f"{name}:{line}"
        picked = {part: given[at] if at < len(given) else None for part, at in where.items()}
        if function == "_" and picked["id"] is None:
            continue  # a variable named _
        if any(not isinstance(text, str) for text in picked.values()):
            raise WrongCall(f"{place}: {function}() takes plain strings, without f-strings or variables")
        yield Found(str(picked["id"]), str(picked.get("plural") or ""), str(picked.get("context") or ""), place)


def _literal(text: str) -> str:
    return str(ast.literal_eval(text))


def _block_text(parts: list[str], *, trimmed: bool) -> str:
    text = "".join(parts)
    return " ".join(line.strip() for line in text.strip().splitlines() if line.strip()) if trimmed else text


def template_messages(source: str, name: str) -> Iterator[Found]:
    """As Django's own tags read it, and ``_("…")`` anywhere in tags and attributes."""
    for found in CALL.finditer(source):
        line_number = source.count("\n", 0, found.start()) + 1
        yield Found(_literal(found[1]).replace("%", "%%"), place=f"{name}:{line_number}")
    singular: list[str] | None = None
    plural: list[str] | None = None
    head, line = "", 0
    for token in Lexer(source).tokenize():
        text = token.contents
        if singular is None:
            if token.token_type != TokenType.BLOCK:
                continue
            if found := TRANSLATE.match(text):
                context = CONTEXT.search(found["rest"])
                yield Found(
                    _literal(found[1]).replace("%", "%%"),
                    context=_literal(context[1]) if context else "",
                    place=f"{name}:{token.lineno}",
                )
            elif re.match(r"(blocktranslate|blocktrans)\b", text):
                singular, plural, head, line = [], None, text, token.lineno
            continue
        place = f"{name}:{line}"
        if token.token_type == TokenType.BLOCK and re.match(r"end(blocktranslate|blocktrans)\b", text):
            context = CONTEXT.search(head)
            trimmed = bool(re.search(r"\btrimmed\b", head))
            yield Found(
                _block_text(singular, trimmed=trimmed),
                _block_text(plural, trimmed=trimmed) if plural is not None else "",
                _literal(context[1]) if context else "",
                place,
            )
            singular = None
        elif token.token_type == TokenType.BLOCK and text == "plural":
            plural = []
        elif token.token_type == TokenType.BLOCK:
            raise WrongCall(f"{name}:{token.lineno}: no tag may stand inside blocktranslate")
        else:
            part = f"%({text})s" if token.token_type == TokenType.VAR else text.replace("%", "%%")
            (singular if plural is None else plural).append(part)


def room_of_template(path: Path) -> str:
    first = path.relative_to(BASE_DIR / "templates").parts[0]
    return first if first in ROOMS else "kernel"


def read_code() -> dict[str, list[Found]]:
    """Room → its messages, in no particular order."""
    found: dict[str, list[Found]] = {room: [] for room in ROOMS}
    for room, place in ROOMS.items():
        for path in sorted(place.rglob("*.py")):
            found[room] += python_messages(path.read_text(encoding="utf-8"), str(path.relative_to(BASE_DIR)))
    for path in sorted((BASE_DIR / "dealership").glob("*.py")):  # the composition root speaks through the kernel
        found["kernel"] += python_messages(path.read_text(encoding="utf-8"), str(path.relative_to(BASE_DIR)))
    for path in sorted((BASE_DIR / "templates").rglob("*")):
        if path.suffix in {".html", ".txt"}:
            name = str(path.relative_to(BASE_DIR))
            found[room_of_template(path)] += template_messages(path.read_text(encoding="utf-8"), name)
    return found


# the translation files


def po_path(room: str) -> Path:
    return BASE_DIR / "locale" / room / LANGUAGE / "LC_MESSAGES" / "django.po"


def read_catalog(room: str) -> Catalog:
    path = po_path(room)
    if not path.exists():
        return Catalog(locale=LANGUAGE)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=LANGUAGE, abort_invalid=True)


def _key(message: Message) -> tuple[str, str]:
    return (message.context or "", message.id if isinstance(message.id, str) else message.id[0])


def write_catalog(room: str, messages: list[Message]) -> str:
    """The text of a room's file: fixed header, sorted, nothing that changes by itself."""
    catalog = Catalog(locale=LANGUAGE)
    for message in sorted(messages, key=lambda m: (_key(m)[1], _key(m)[0])):
        flags = {flag for flag in message.flags if flag == "fuzzy"}
        catalog.add(
            message.id, message.string, flags=flags, context=message.context, user_comments=message.user_comments
        )
    out = io.BytesIO()
    pofile.write_po(out, catalog, width=0, no_location=True, omit_header=True, sort_output=False)
    header = (
        'msgid ""\nmsgstr ""\n"Language: zh_Hans\\n"\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
        '"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    return header + out.getvalue().decode().strip() + "\n"


def merged(room: str, found: list[Found]) -> list[Message]:
    """What the file should hold: every message of the code, with the translation it has."""
    have = {_key(message): message for message in read_catalog(room) if message.id}
    merged_now: dict[tuple[str, str], Message] = {}
    for item in found:
        key = (item.context, item.msgid)
        old = merged_now.get(key) or have.get(key)
        pluralizable = bool(item.plural) or bool(key in merged_now and merged_now[key].pluralizable)
        plural = item.plural or (old.id[1] if old is not None and old.pluralizable and key in merged_now else "")
        string = old.string if old is not None else ""
        if pluralizable:
            string = tuple(string) if isinstance(string, tuple | list) else (string,)
        elif isinstance(string, tuple | list):
            string = string[0]
        merged_now[key] = Message(
            (item.msgid, plural) if pluralizable else item.msgid,
            string,
            flags=old.flags if old is not None else (),
            user_comments=old.user_comments if old is not None else (),
            context=item.context or None,
        )
    return list(merged_now.values())


def complaints(room: str, found: list[Found]) -> list[str]:
    """What is wrong with a room's translations, one line each; empty if all is well."""
    places: dict[tuple[str, str], str] = {}
    for item in found:
        places.setdefault((item.context, item.msgid), item.place)
    catalog = read_catalog(room)
    have = {_key(message): message for message in catalog if message.id}
    wrong = [f"{room}: no longer in the code: {key[1]!r}" for key in have if key not in places]
    wrong += [f"{room}: obsolete entry: {key!r}" for key in catalog.obsolete]
    for message in merged(room, found):
        key = _key(message)
        said = f"{places[key]}: {key[1]!r}"
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        if key not in have or not all(strings):
            wrong.append(f"{said} has no Chinese")
            continue
        if message.fuzzy:
            wrong.append(f"{said} is marked fuzzy")
        # The last form is the general one: a singular may leave its number out, Chinese has one form only.
        wanted = sorted(PLACEHOLDER.findall(ids[-1]))
        for string in strings:
            if sorted(PLACEHOLDER.findall(string)) != wanted:
                wrong.append(f"{said} needs the placeholders {wanted}, its Chinese has {PLACEHOLDER.findall(string)}")
    if not wrong and found:
        path = po_path(room)
        if path.read_text(encoding="utf-8") != write_catalog(room, merged(room, found)):
            wrong.append(f"{path.relative_to(BASE_DIR)} is not in the form that `make messages` writes: run it")
    return wrong


def clashes() -> list[str]:
    """Messages that two rooms say differently: Django merges all rooms, so only one of the two would ever be read."""
    said: dict[tuple[str, str], dict[tuple[str, ...], list[str]]] = {}
    for room in ROOMS:
        for message in read_catalog(room):
            if message.id:
                strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
                said.setdefault(_key(message), {}).setdefault(tuple(strings), []).append(room)
    return [
        f"{msgid!r} is said in different ways: "
        + ", ".join(f"{'/'.join(strings)} ({' '.join(rooms)})" for strings, rooms in ways.items())
        + "; use one, or give one meaning a context (pgettext)"
        for (_context, msgid), ways in sorted(said.items())
        if len(ways) > 1
    ]


def compile_all() -> None:
    for path in sorted(BASE_DIR.glob(f"locale/*/{LANGUAGE}/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            catalog = pofile.read_po(file, locale=LANGUAGE)
        made = io.BytesIO()
        write_mo(made, catalog)
        path.with_suffix(".mo").write_bytes(made.getvalue())


def main() -> int:
    parser = argparse.ArgumentParser(description="Translation files")
    parser.add_argument("--check", action="store_true", help="change nothing; name what is missing")
    parser.add_argument("--compile", action="store_true", help="only make the .mo files")
    options = parser.parse_args()
    django_settings.configure()
    if options.compile:
        compile_all()
        return 0
    try:
        found = read_code()
    except WrongCall as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        wrong = [line for room in ROOMS for line in complaints(room, found[room])] + clashes()
        print("\n".join(wrong[:200]))
        print(f"translations: {len(wrong)} to mend" if wrong else "translations: complete")
        return 1 if wrong else 0
    empty = 0
    for room in ROOMS:
        messages = merged(room, found[room])
        if not messages and not po_path(room).exists():
            continue
        po_path(room).parent.mkdir(parents=True, exist_ok=True)
        po_path(room).write_text(write_catalog(room, messages), encoding="utf-8")
        empty += sum(not all(m.string if isinstance(m.string, tuple | list) else (m.string,)) for m in messages)
    compile_all()
    print(f"Updated; {empty} messages still without Chinese.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
