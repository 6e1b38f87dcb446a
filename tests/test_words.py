"""One word for one thing in Chinese: what ``docs/glossary.md`` puts aside comes back nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages import pofile

from tools import messages

BASE = Path(__file__).resolve().parent.parent
GLOSSARY = BASE / "docs" / "glossary.md"
OTHERS_WORDS = {"dealership/exchange/imports_reading.py"}
"""Reads files as other systems write them."""
HAN = re.compile(r"[\u4e00-\u9fff]")
PLACE = re.compile(r"%\(\w+\)[#0\- +]*[\d.]*[sdifgr]|\{\w*\}")


def put_aside() -> dict[str, list[str]]:
    """Each word of the table's first column with the longer words in which it may stand."""
    table = GLOSSARY.read_text(encoding="utf-8").partition("## Words that don't stand on pages")[2]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", table, re.M)[1:]
    return {
        word: [] if within == "–" else within.split("、") for words, _but, within in rows for word in words.split("、")
    }


def found_in(text: str, words: dict[str, list[str]]) -> list[str]:
    """The words of the table that ``text`` uses; placeholders are no words."""
    text = PLACE.sub(" ", text)
    found = []
    for word, within in words.items():
        rest = text
        for longer in within:
            rest = rest.replace(longer, " ")
        if re.search(rf"\b{word}\b", rest) if word.isascii() else word in rest:
            found.append(word)
    return found


def said() -> Iterator[tuple[str, str]]:
    """Everything Chinese that the product shows, with where it stands."""
    for room in messages.ROOMS:
        path = messages.po_path(room)
        with path.open("rb") as file:
            for message in pofile.read_po(file):
                for text in message.string if isinstance(message.string, tuple) else (message.string,):
                    yield f"{room}: {message.id}", str(text)
    for folder in messages.ROOMS.values():
        for path in sorted(folder.rglob("*.py")):
            place = path.relative_to(BASE).as_posix()
            if "/migrations/" in place or place in OTHERS_WORDS:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            shown = {
                id(node.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            }
            for node in ast.walk(tree):
                if not (isinstance(node, ast.Constant) and isinstance(node.value, str)) or id(node) in shown:
                    continue
                if HAN.search(node.value):
                    yield f"{place}:{node.lineno}", node.value
    for number, line in enumerate((BASE / "README.zh-CN.md").read_text(encoding="utf-8").splitlines(), start=1):
        yield f"README.zh-CN.md:{number}", re.sub(r"`[^`]*`", " ", line)


def test_the_table_is_read() -> None:
    words = put_aside()
    assert words["质检"] == ["质检员"]
    assert words["打卡"] == []
    assert found_in("质检员去质检", words) == ["质检"]
    assert found_in("由质检员检验", words) == []
    assert found_in("上次 %(km)s 公里", words) == []
    assert found_in("上次 48,930 km", words) == ["km"]


def test_no_word_that_was_put_aside_comes_back() -> None:
    words = put_aside()
    back = [f"{place} says {word}: {text}" for place, text in said() for word in found_in(text, words)]
    assert not back, "\n".join(back)


def test_the_words_chosen_are_used() -> None:
    """A table that nobody follows would find nothing either."""
    everything = "\n".join(text for _place, text in said())
    for word in (
        "开工",
        "停工",
        "完工",
        "工时记录",
        "检验",
        "备件",
        "工单",
        "结算清单",
        "到店",
        "环检",
        "冲销",
        "公里",
    ):
        assert everything.count(word) > 2, word
