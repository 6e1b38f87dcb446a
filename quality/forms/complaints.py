"""Input shapes of complaints."""

from django import forms
from django.utils.translation import gettext_lazy as _

from quality.models import ComplaintLevel

SOURCES = [
    ("PHONE", _("By telephone")), ("DESK", _("At the desk")), ("CALLBACK", _("In the callback")),
    ("ONLINE", _("Online")), ("AUTHORITY", _("From the authority")),
]  # fmt: skip


class ComplaintForm(forms.Form):
    """6.4: what is taken in."""

    description = forms.CharField(
        label=_("What the customer says"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )
    demand = forms.CharField(label=_("What the customer wants"), max_length=300, required=False)
    level = forms.ChoiceField(label=_("Level"), choices=ComplaintLevel.choices)
    source = forms.ChoiceField(label=_("How it came"), choices=SOURCES)


class WordsForm(forms.Form):
    """The one sentence of the next step."""

    words = forms.CharField(label=_("Words"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    step = forms.CharField(required=False, max_length=14, widget=forms.HiddenInput)  # the state that the page showed
