"""Forms are drawn by crispy in our own look; a layout of a form's own is drawn as well."""

import re

import pytest
from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Fieldset, Layout, Row
from django import forms

from dealership.kernel import crispy
from dealership.kernel.templatetags.shell import field_parts


class Plain(forms.Form):
    plate = forms.CharField(label="Plate", help_text="As on the car")
    loud = forms.BooleanField(label="Loud", required=False)
    kind = forms.ChoiceField(label="Kind", choices=[("A", "One"), ("B", "Two")], widget=forms.RadioSelect)
    hidden = forms.CharField(widget=forms.HiddenInput, required=False)


def names(html: str) -> list[str]:
    return re.findall(r'name="(\w+)"', html)


def test_every_field_once_with_label_help_and_hidden_first() -> None:
    html = crispy.draw(Plain(), "one")
    assert names(html) == ["hidden", "plate", "loud", "kind", "kind"]
    assert '<div class="fields one">' in html
    assert '<label for="id_plate">Plate <span class="must"' in html
    assert 'id="id_plate_help">As on the car' in html
    assert "<form" not in html
    assert "csrf" not in html


def test_errors_stand_at_the_field_and_on_top() -> None:
    form = Plain({"kind": "A"})
    form.add_error(None, "Nothing fits")
    html = crispy.draw(form)
    assert html.index("Nothing fits") < html.index('class="fields"')
    assert 'aria-invalid="true"' in html
    assert 'id="id_plate_error"' in html


def test_a_layout_of_its_own_is_drawn() -> None:
    form = Plain()
    form.helper = FormHelper()
    form.helper.layout = Layout(Fieldset("The car", "kind", "plate"), Row("loud"), HTML("<p>Said</p>"))
    html = crispy.draw(form)
    assert names(html) == ["hidden", "kind", "kind", "plate", "loud"]
    assert '<legend class="strong">The car</legend>' in html
    assert "<p>Said</p>" in html
    assert "<form" not in html


def test_a_field_that_a_layout_misspells_is_an_error() -> None:
    form = Plain()
    form.helper = FormHelper()
    form.helper.layout = Layout("plait")
    with pytest.raises(Exception, match="plait"):
        crispy.draw(form)


def test_one_field_and_whole_forms_say_the_same() -> None:
    assert field_parts(Plain()["plate"])["help_id"] == "id_plate_help"
