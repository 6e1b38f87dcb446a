"""What the pages of recalls and service campaigns ask for; the rules stand in the commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Operation
from workshop.campaign_models import CampaignKind, CampaignReply
from workshop.selectors.campaigns import OpenCampaign

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
ELSEWHERE = _("Only where another shop has done it.")


class CampaignForm(forms.Form):
    kind = forms.ChoiceField(
        label=pgettext_lazy("campaign", "Kind"), choices=CampaignKind.choices, widget=forms.RadioSelect
    )
    number = forms.CharField(label=_("The maker's number"), max_length=40)
    title = forms.CharField(label=_("Title"), max_length=120)
    measure = forms.CharField(label=_("Measure of the maker"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    operation_uid = forms.ChoiceField(
        label=_("Operation"), help_text=_("It brings hours and parts onto the order; the maker pays.")
    )
    starts_on = forms.DateField(label=_("First day"), widget=DAY)
    ends_on = forms.DateField(label=_("Last day"), widget=DAY, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Operation.objects.filter(active=True, is_maintenance=False).order_by("code")
        self.fields["operation_uid"].choices = [  # type: ignore[attr-defined]
            ("", _("choose")),
            *((str(row.uid), f"{row.code} · {row.said}") for row in rows),
        ]


class VinsForm(forms.Form):
    """A file or pasted lines; what is read is shown before it is written."""

    file = forms.FileField(label=_("File with VINs (CSV)"), required=False)
    vins = forms.CharField(
        label=_("Or paste VINs, one a line"),
        required=False,
        max_length=600_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given = data.get("file")
        if given is not None:
            if given.size > 600_000:
                self.add_error("file", _("The file is larger than a list of VINs can be."))
                return data
            data["vins"] = _decoded(given.read())
        if not (data.get("vins") or "").strip():
            self.add_error("vins", _("Choose a file or paste VINs."))
        return data


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", errors="replace")


class EndForm(forms.Form):
    ends_on = forms.DateField(label=_("Last day"), widget=DAY)


class AnswerForm(forms.Form):
    row = forms.ChoiceField(label=_("Which campaign"), widget=forms.RadioSelect)
    reply = forms.ChoiceField(label=_("What stands"), choices=CampaignReply.choices, widget=forms.RadioSelect)
    told_to = forms.CharField(label=_("Who was told"), max_length=60)
    done_on = forms.DateField(label=_("Day it was done"), widget=DAY, required=False, help_text=ELSEWHERE)
    done_where = forms.CharField(label=_("Shop that did it"), max_length=80, required=False)
    evidence = forms.CharField(
        label=_("Shown by"),
        max_length=120,
        required=False,
        help_text=_("Number of their order or invoice, or the maker's record that you looked up."),
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, rows: Sequence[OpenCampaign], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(one.row.uid), f"{one.campaign.number} · {one.campaign.title}") for one in rows]
        self.fields["row"].choices = choices  # type: ignore[attr-defined]
        if choices:
            self.fields["row"].initial = next((str(one.row.uid) for one in rows if one.needs_answer), choices[0][0])
