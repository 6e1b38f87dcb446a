"""Forms of repair orders and the customer's decisions (3.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation, PartKind, PayType, RepairCategory
from dealership.kernel.forms import demanded, set_queryset
from dealership.kernel.saying import say_list
from reception.models import ToldBy
from workshop.models import AuthorizationMethod, OrderKind, OrderLine, PromiseTold, ReassemblyAnswer, RepairOrder
from workshop.selectors.apart import Again

MOMENT = "%Y-%m-%dT%H:%M"


class MomentInput(forms.DateTimeInput):
    """A date and time in the store's zone, with the browser's own picker."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format=MOMENT)


def moment_field(**options: Any) -> forms.DateTimeField:
    return forms.DateTimeField(widget=MomentInput(), input_formats=[MOMENT, "%Y-%m-%d %H:%M"], **options)


def reason_field(**options: Any) -> forms.CharField:
    return forms.CharField(label=_("Reason"), max_length=200, **options)


class OpenOrderForm(forms.Form):
    """A new repair order; ``operations`` are what was booked, ``original`` the earlier orders of this car."""

    complaint = forms.CharField(
        label=_("In the customer's words"), max_length=500, widget=forms.Textarea(attrs={"rows": 3, "autofocus": True})
    )
    kind = forms.ChoiceField(label=_("Kind of order"), choices=OrderKind.choices, initial=OrderKind.CUSTOMER)
    original = forms.ModelChoiceField(
        label=_("Mends this order"), queryset=RepairOrder.objects.none(), required=False, to_field_name="uid"
    )
    payer = forms.UUIDField(label=_("Who gets the bill"), required=False)
    promised_at = moment_field(label=_("Promised"), required=False)
    operations = forms.ModelMultipleChoiceField(
        label=_("Booked or quoted work"),
        queryset=Operation.objects.none(),
        required=False,
        to_field_name="uid",
        widget=forms.CheckboxSelectMultiple,
    )
    with_diagnosis = forms.BooleanField(label=_("Begin with the diagnosis"), required=False, initial=True)
    diagnosis_agreed_by = forms.CharField(
        label=_("The customer agrees to the diagnosis here and now: name"),
        max_length=60,
        required=False,
        help_text=_("Leave it empty and the diagnosis goes to the customer with the first estimate."),
    )
    signed_on_paper = forms.BooleanField(label=_("The customer has signed it on paper"), required=False)

    def __init__(self, *args: Any, earlier: Any, booked: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "original", earlier)
        if booked:
            set_queryset(self, "operations", Operation.objects.filter(pk__in=booked))
            self.fields["operations"].initial = Operation.objects.filter(pk__in=booked)
        else:
            del self.fields["operations"]
        if not earlier.exists():
            del self.fields["original"]


class LineForm(forms.Form):
    """What may be said about a line that is being written."""

    description = forms.CharField(label=_("Work"), max_length=120, required=False)
    hours = forms.DecimalField(label=_("Hours"), max_digits=5, decimal_places=2, min_value=Decimal(0), required=False)
    pay_type = forms.ChoiceField(label=_("Who pays"), choices=PayType.choices)
    category = forms.ChoiceField(label=_("Kind of repair"), choices=RepairCategory.choices, required=False)
    complaint = forms.CharField(label=_("Complaint"), max_length=300, required=False)
    cause = forms.CharField(
        label=_("Cause"), max_length=300, required=False, help_text=_("The customer reads this: plain words.")
    )
    extra_minutes = forms.IntegerField(
        label=_("Makes the car later by (min)"), min_value=0, max_value=10000, required=False
    )
    is_safety = forms.BooleanField(label=_("Concerns safety"), required=False)
    fee_amount = forms.DecimalField(
        label=_("Other fee ¥"), max_digits=12, decimal_places=2, min_value=Decimal(0), required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )  # fmt: skip
    fee_note = forms.CharField(
        label=_("What the fee is for"), max_length=60, required=False,
        help_text=_("Outside work, towing, a test: the customer agrees to it with the line."),
    )  # fmt: skip
    is_dismantling = forms.BooleanField(label=_("Takes something apart to find the fault"), required=False)
    reassembly_amount = forms.DecimalField(
        label=_("Putting it together again, if the repair is declined ¥"), max_digits=12, decimal_places=2,
        min_value=Decimal(0), required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("The customer agrees to it with the line and never pays more; 0 where it is free."),
    )  # fmt: skip


class NewLineForm(LineForm):
    """A line from the catalogue (``operation``) or in free words."""

    operation = forms.UUIDField(required=False, widget=forms.HiddenInput)
    although_there = demanded(
        forms.BooleanField(label=_("It comes on top of the line that stands there"), required=False)
    )
    found_by = forms.ModelChoiceField(
        label=_("Found by taking apart"), queryset=OrderLine.objects.none(), required=False, to_field_name="uid",
        help_text=_("If the customer declines everything found by it, it is put together again at the agreed price."),
    )  # fmt: skip

    def __init__(self, *args: Any, apart: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if apart is not None and apart.exists():
            set_queryset(self, "found_by", apart)
        else:
            del self.fields["found_by"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("operation") and data.get("description"):
            self.add_error(
                "description", _("An operation is chosen above. Clear these words, or choose “in my own words”.")
            )
        return data


class EditLineForm(LineForm):
    field_order = (
        "description", "hours", "category", "complaint", "cause", "correction",
        "pay_type", "fee_amount", "fee_note", "extra_minutes", "is_safety", "is_dismantling", "reassembly_amount",
    )  # fmt: skip
    description = demanded(forms.CharField(label=_("Work"), max_length=120, required=False))
    correction = forms.CharField(label=_("What was done"), max_length=300, required=False)


class DiscountForm(forms.Form):
    amount = forms.DecimalField(label=_("Off the labour (¥)"), max_digits=12, decimal_places=2, min_value=Decimal(0))
    reason = reason_field()


class PartDiscountForm(forms.Form):
    amount = forms.DecimalField(label=_("Off the part (¥)"), max_digits=12, decimal_places=2, min_value=Decimal(0))
    reason = reason_field()


class ReasonForm(forms.Form):
    reason = reason_field(widget=forms.TextInput(attrs={"autofocus": True}))


class EndForm(ReasonForm):
    """Why a line or an order ends, and what becomes of what lies in pieces then (``aparts``: its name and price)."""

    reassembly = forms.ChoiceField(
        label=_("It lies in pieces"), choices=ReassemblyAnswer.choices, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, aparts: list[tuple[str, Again]], stands: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not aparts:
            del self.fields["reassembly"]
            return
        asked = self.fields["reassembly"]
        asked.label = _("In pieces: %(what)s. Is it put together again?") % {
            "what": say_list(said for said, _p in aparts)
        }
        asked.help_text = _("%(name)s agreed to it together with the taking apart (%(time)s).") % {
            "name": aparts[0][1].agreed_by,
            "time": aparts[0][1].agreed,
        }
        total = sum((price.price for _said, price in aparts), Decimal(0))
        charged = _("Put together again: ¥%(amount)s is charged as agreed") % {"amount": f"{total:,.2f}"}
        others = [choice for choice in ReassemblyAnswer.choices if choice[0] != ReassemblyAnswer.CHARGED]
        asked.choices = others if stands else [(ReassemblyAnswer.CHARGED.value, charged), *others]  # type: ignore[attr-defined]


class PutTogetherForm(forms.Form):
    """Nothing is asked: price and agreement stand there since the taking apart."""


def _how() -> forms.ChoiceField:
    others = (AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION)
    return forms.ChoiceField(
        label=_("How"), choices=[(value, label) for value, label in AuthorizationMethod.choices if value not in others]
    )


class TakeBackForm(forms.Form):
    """Who takes a yes back, how and why; the statement of the risk where it concerns safety."""

    method = _how()
    revoked_by = forms.CharField(label=_("Name of the person who decides"), max_length=60)
    reason = reason_field(help_text=_("By telephone: who said what, at what number."))
    risk = forms.CharField(
        label=_("The risk was explained"),
        max_length=200,
        required=False,
        help_text=_("What concerns safety needs this statement before it is declined."),
    )


class AfterAllForm(forms.Form):
    method = _how()
    authorized_by = forms.CharField(label=_("Name of the person who decides"), max_length=60)
    note = forms.CharField(
        label=_("Note"), max_length=300, required=False, help_text=_("By telephone: who said what, at what number.")
    )


class PromiseForm(forms.Form):
    promised_at = moment_field(label=_("New time"))
    reason = reason_field(help_text=_("The customer reads it."))
    told = forms.ChoiceField(
        label=_("How does the customer hear of it?"),
        choices=[
            (PromiseTold.MESSAGE, _("We send a message now")),
            (PromiseTold.PHONE, _("I have told them by telephone")),
            (PromiseTold.IN_PERSON, _("I have told them in person")),
            (PromiseTold.NOT_YET, _("Not told yet")),
        ],
        initial=PromiseTold.MESSAGE,
        widget=forms.RadioSelect,
    )
    told_to = demanded(
        forms.CharField(
            label=_("Who was told"),
            max_length=60,
            required=False,
            help_text=_("Needed where you have told them yourself."),
        )
    )


class TellPromiseForm(forms.Form):
    how = forms.ChoiceField(label=_("How was the customer told?"), choices=ToldBy.choices, widget=forms.RadioSelect)
    told_to = forms.CharField(label=_("Who was told"), max_length=60)


class WithdrawEstimateForm(forms.Form):
    reason = reason_field()


class AddPartForm(forms.Form):
    part = forms.UUIDField(widget=forms.HiddenInput)
    quantity = forms.DecimalField(
        label=_("Quantity"), max_digits=8, decimal_places=2, min_value=Decimal("0.01"), initial=1
    )
    kind = forms.ChoiceField(
        label=_("Kind of part"), choices=[("", _("as in the catalogue")), *PartKind.choices], required=False
    )


class QuantityForm(forms.Form):
    quantity = forms.DecimalField(label=_("Quantity"), max_digits=8, decimal_places=2, min_value=Decimal("0.01"))


class DecideForm(forms.Form):
    """What the customer said by telephone or signed at the desk; the lines are radio buttons of their own."""

    method = forms.ChoiceField(
        label=_("How"),
        choices=[
            (value, label)
            for value, label in AuthorizationMethod.choices
            if value not in (AuthorizationMethod.DIGITAL_PORTAL, AuthorizationMethod.AUTOMATED_POLICY_PREAUTHORIZATION)
        ],
    )
    authorized_by = forms.CharField(label=_("Name of the person who decides"), max_length=60)
    note = forms.CharField(
        label=_("Note"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Who said what, at what number. Where safety work is declined: that the risk was explained."),
    )
    seen_hash = forms.CharField(widget=forms.HiddenInput)
