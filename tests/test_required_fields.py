"""What a command refuses when it is empty is marked on every form that asks for it: a star, or a word on when it is needed."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from django import forms
from django.template import Context, Template

from dealership.kernel.forms import demand, demanded

BASE = Path(__file__).resolve().parent.parent
ROOMS = (
    "reception", "workshop", "delivery", "quality", "compliance", "staff",
    "dealership/catalogue", "dealership/exchange", "dealership/kernel",
)  # fmt: skip
NOT_ASKED_HERE = {
    "NewConsultationForm.plate", "NewConsultationForm.model_text", "AskForm.plate", "AskForm.model_text",
    "QuotationForm.plate", "QuotationForm.model_text",  # whoever asks need not have a car
    "CustomerForm.note", "NewCustomerForm.note", "DamageForm.note", "CheckForm.note",  # a lead's note is demanded, these aren't
    "HoldForm.note", "NeedForm.note", "PauseForm.note", "IssueForm.note", "PassForm.note",  # the note of a spoken yes is
    "FinishForm.cause", "FinishForm.correction",  # by line: marked by the page, see tests/workshop/test_floor_pages.py
    "LineForm.complaint", "NewLineForm.complaint", "EditLineForm.complaint",  # the order's words are demanded, once
    "LineForm.cause", "NewLineForm.cause", "EditLineForm.cause", "EditLineForm.correction",  # only once it is finished
    "OnlineCancelForm.reason", "OnlineMoveForm.reason",  # the desk says why, a customer needn't
    "ReceiptForm.note",  # the delivery note of a purchase may be missing
    "AnswerForm.note",  # what is bad may be shown by a photo instead
    "ReceiveForm.reason",  # its delivery note; a count and a return have to be explained
    "ToolForm.serial",  # of a tool, where its maker gave one; a spoiled certificate's number is demanded
    "LineForm.description", "NewLineForm.description",  # chosen from the catalogue or written
}  # fmt: skip
"""Fields that share their name with what another command demands."""

ALIASES = {"signer": "risk_note_signed_by", "words": "complaint", "number": "certificate_number"}
"""What the commands call a field once its words are tidied."""


def demands(source: str) -> set[str]:
    """Names of the fields that the commands in ``source`` refuse for being empty (``if not words: raise RuleError``)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.If):
            continue
        negated = {
            ALIASES.get(name.id, name.id)
            for part in ast.walk(node.test)
            if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.Not)
            for name in ast.walk(part.operand)
            if isinstance(name, ast.Name)
        }
        for raised in node.body:
            if not (isinstance(raised, ast.Raise) and isinstance(raised.exc, ast.Call)):
                continue
            if getattr(raised.exc.func, "id", "") == "RuleError":
                named = [word.value for word in raised.exc.keywords if word.arg == "field"]
                found |= negated & {str(value.value) for value in named if isinstance(value, ast.Constant)}
    return found


def sources(room: str, kind: str) -> list[Path]:
    folder = BASE / room
    return sorted([*folder.glob(f"{kind}/*.py"), *folder.glob(f"{kind}.py")])


def form_fields(room: str) -> Iterator[tuple[type[forms.BaseForm], str, forms.Field]]:
    for path in sources(room, "forms"):
        module = importlib.import_module(".".join(path.relative_to(BASE).with_suffix("").parts))
        for _name, form in inspect.getmembers(module, inspect.isclass):
            if issubclass(form, forms.BaseForm) and form.__module__ == module.__name__:
                for name, field in getattr(form, "base_fields", {}).items():
                    yield form, name, field


def test_demands_are_read_from_the_commands() -> None:
    assert demands('if kind != 1 and not reason.strip():\n    raise RuleError("x", "y", field="reason")') == {"reason"}
    assert demands('if kind != 1:\n    raise RuleError("x", "y", field="kind")') == set()
    assert demands("if not reason:\n    return None") == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_field_that_a_command_demands_says_so(room: str) -> None:
    wanted = {name for path in sources(room, "services") for name in demands(path.read_text(encoding="utf-8"))}
    silent = [
        f"{form.__name__}.{name}"
        for form, name, field in form_fields(room)
        if name in wanted
        and not (field.required or getattr(field, "demanded", False) or field.help_text)
        and f"{form.__name__}.{name}" not in NOT_ASKED_HERE
    ]
    assert not silent, silent


class Case(forms.Form):
    asked = forms.CharField()
    by_command = demanded(forms.CharField(required=False))
    sometimes = forms.CharField(required=False)
    free = forms.CharField(required=False)


def test_a_demanded_field_wears_the_star_and_lets_the_command_speak() -> None:
    form = Case({"asked": "x"})
    demand(form, "sometimes")
    drawn = {
        name: Template("{% load shell %}{% render_field field %}").render(Context({"field": form[name]}))
        for name in form.fields
    }
    assert [name for name, html in drawn.items() if 'class="must"' in html] == ["asked", "by_command", "sometimes"]
    assert [name for name, html in drawn.items() if 'aria-required="true"' in html] == ["by_command", "sometimes"]
    assert form.is_valid()
    again = Case({"asked": "x"})
    assert not getattr(again.fields["sometimes"], "demanded", False)
