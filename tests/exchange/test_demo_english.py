"""What is seeded and what the demo brings is called in English for English readers: tools, shifts, units, plans."""

from __future__ import annotations

import pytest
from django.utils import translation

from dealership.catalogue import english
from dealership.catalogue.models import Part
from dealership.catalogue.seeds import OPERATIONS_EN, PLANS
from dealership.exchange.services import demo, demo_store, demo_tools
from dealership.kernel.saying import say_initials, say_name

pytestmark = pytest.mark.django_db


def in_english(words: str) -> str:
    with translation.override("en"):
        return say_name(words)


def is_english(words: str) -> bool:
    return all(char < "\u2e7f" for char in in_english(words))


def test_what_the_demo_brings_has_an_english_name() -> None:
    brought = [row[1] for row in demo_tools.TOOLS] + [row[3] for row in demo_tools.TOOLS if "号" not in row[3]]
    brought += [row[1] for row in demo_store.SHIFTS] + list(demo_store.DEPARTMENTS.values())
    brought += [row[1] for row in demo.TAGS] + [name for name, _energy, _works in PLANS]
    assert [words for words in brought if not is_english(words)] == []
    assert in_english("早班") == "Early shift"
    assert say_name("早班") == "早班", "and stays Chinese for a Chinese reader"


def test_units_of_the_seeded_parts_are_said_in_english() -> None:
    units = set(Part.objects.values_list("unit", flat=True))
    assert units - set(english.UNITS) == set()
    assert in_english("套") == "set"


def test_a_persons_initials_are_latin_letters_for_an_english_reader() -> None:
    assert say_initials("马骏") == "马"
    with translation.override("en"):
        assert [say_initials(name) for name in ("马骏", "Ann Brown", "")] == ["MJ", "AB", "—"]


def test_no_service_names_its_oil_twice() -> None:
    assert [name for name in OPERATIONS_EN.values() if name.lower().count(" oil,") > 1] == []
