"""Input shapes of the import pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.exchange.imports_reading import MAX_BYTES


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Spreadsheet"),
        help_text=_("xlsx or csv, up to 20 MB and 50,000 rows. Nothing is written before you confirm the preview."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.csv,.txt"}),
        allow_empty_file=True,
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 20 MB; split it."))
        return file
