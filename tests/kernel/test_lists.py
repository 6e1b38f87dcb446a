"""The words of a list are divided as the language of the page does it."""

from django.conf import settings
from django.template import Context, Template
from django.utils.translation import override

from dealership.kernel.saying import say_list


def test_words_are_divided_as_the_language_does() -> None:
    with override("zh-hans"):
        assert say_list(["甲", "乙"]) == "甲、乙"
    with override("en"):
        assert say_list(["甲", "乙"]) == "甲, 乙"
        assert say_list([]) == ""
        drawn = Template("{% load shell %}{{ names|listed }}").render(Context({"names": ["<b>", "乙"]}))
    assert drawn == "&lt;b&gt;, 乙"


def test_no_page_divides_them_by_a_sign_of_its_own() -> None:
    pages = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
    assert len(pages) > 200
    assert [str(page) for page in pages if "、" in page.read_text(encoding="utf-8")] == []
