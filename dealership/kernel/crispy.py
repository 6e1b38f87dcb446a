"""How forms are drawn: django-crispy-forms with a template pack of our own look (``templates/house``).

A form without a ``helper`` is laid out field after field. A form that wants its own order, groups or rows gives itself a
``FormHelper`` with a layout; the pack draws Div, Row, Fieldset and HTML. The form tag, the token and the buttons belong
to the page (``<c-form>``).
"""

from __future__ import annotations

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Layout
from crispy_forms.utils import render_crispy_form
from django.forms import BaseForm
from django.utils.safestring import SafeString


def helper_of(form: BaseForm, columns: str = "") -> FormHelper:
    """The form's own helper, or one that puts every visible field into a grid; ``columns="one"`` stacks them."""
    helper = getattr(form, "helper", None) or FormHelper()
    if helper.layout is None:
        visible = [field.name for field in form.visible_fields()]
        helper.layout = Layout(Div(*visible, css_class=f"fields {columns}".strip()))
    helper.form_tag = False
    helper.disable_csrf = True
    helper.include_media = False
    return helper


def draw(form: BaseForm, columns: str = "") -> SafeString:
    """The whole form as crispy draws it: what is wrong on top, hidden fields, then the layout."""
    return render_crispy_form(form, helper_of(form, columns))
