"""Input shapes of the visit pages."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.forms.models import ModelChoiceIterator
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock, formats
from dealership.kernel.forms import demanded, set_queryset
from staff.models import DESK_ROLES, Employee, PostHolding
from staff.selectors.employees import employed, employees_with_role, in_force

from ..models import Area, ArrivalKind, PlateKind, ToldBy, Vehicle, Visit, VisitState, WaitingMode


class DeskFirst(ModelChoiceIterator):
    """The desk's people in a group of their own, before everybody else."""

    def __iter__(self) -> Iterator[Any]:
        field: Any = self.field
        if field.empty_label is not None:
            yield ("", field.empty_label)
        desk: list[Any] = []
        others: list[Any] = []
        for employee in self.queryset:
            (desk if employee.at_the_desk else others).append(self.choice(employee))
        groups = ((_("Reception and advisors"), desk), (_("Others of the house"), others))
        yield from ((label, rows) for label, rows in groups if rows)


class ColleagueField(forms.ModelChoiceField):
    """One of the house by name and post."""

    iterator = DeskFirst

    def label_from_instance(self, obj: Any) -> str:
        posts = " / ".join(dict.fromkeys(holding.post.label for holding in obj.posts.all()))
        return f"{obj.name} · {posts}" if posts else obj.name


class ArrivalForm(forms.Form):
    """2.1.2: what is asked at the gate; plate first, because it fills the rest of a known car."""

    plate = demanded(
        forms.CharField(
            label=_("Plate"),
            max_length=12,
            required=False,
            widget=forms.TextInput(
                attrs={
                    "autofocus": True,
                    "autocomplete": "off",
                    "hx-get": reverse_lazy("visit-known-car"),
                    "hx-trigger": "change",
                    "hx-include": "closest form",
                    "hx-target": "#arrival-body",
                }
            ),
        )
    )
    vin = forms.CharField(
        label="VIN",
        max_length=20,
        required=False,
        help_text=_("Needed for a car without a plate; a known one brings the rest along."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "hx-get": reverse_lazy("visit-known-car"),
                "hx-trigger": "change",
                "hx-include": "closest form",
                "hx-target": "#arrival-body",
            }
        ),
    )
    plate_kind = forms.ChoiceField(label=_("Kind of plate"), choices=PlateKind.choices, initial=PlateKind.NORMAL)
    contact_name = forms.CharField(label=_("Brought by"), max_length=60)
    contact_phone = forms.CharField(label=_("Telephone"), max_length=20)
    model_text = forms.CharField(
        label=_("Model"), max_length=80, widget=forms.TextInput(attrs={"list": "car-models", "autocomplete": "off"})
    )
    need = forms.CharField(
        label=_("What is needed, in the customer's words"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    waiting_mode = forms.ChoiceField(
        label=_("Meanwhile"), choices=WaitingMode.choices, initial=WaitingMode.WAIT_AT_DEALER
    )
    area = forms.ChoiceField(label=_("Led to"), choices=[("", "—"), *Area.choices], required=False)
    taken_over_by = ColleagueField(
        label=_("Taken over by"), queryset=Employee.objects.none(), to_field_name="uid", required=False
    )
    arrival_kind = forms.ChoiceField(
        label=_("How the car came"), choices=ArrivalKind.choices, initial=ArrivalKind.IN_PERSON, required=False
    )
    key_locker = demanded(forms.CharField(label=_("Envelope or locker"), max_length=20, required=False))
    key_left_at = demanded(
        forms.DateTimeField(
            label=_("Key left at"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
        )
    )
    tow_company = demanded(forms.CharField(label=_("Towed by"), max_length=60, required=False))
    towed_from = demanded(forms.CharField(label=_("Towed from"), max_length=120, required=False))
    appointment = forms.UUIDField(required=False, widget=forms.HiddenInput)
    consultation = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, store_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "taken_over_by", staff_at(store_id))

    @property
    def came_otherwise(self) -> bool:
        """Nobody brought the car: what is asked then stands open."""
        asked = ("arrival_kind", "key_locker", "key_left_at", "tow_company", "towed_from")
        return (self["arrival_kind"].value() or "IN_PERSON") != "IN_PERSON" or any(self[n].errors for n in asked)

    def clean_arrival_kind(self) -> str:
        return self.cleaned_data["arrival_kind"] or ArrivalKind.IN_PERSON

    def clean_contact_phone(self) -> str:
        return formats.clean_phone(self.cleaned_data["contact_phone"])

    def clean(self) -> dict:
        data = super().clean() or {}
        kind, plate, vin = data.get("plate_kind"), data.get("plate"), data.get("vin")
        if plate and kind:
            try:
                data["plate"] = formats.clean_plate(plate, kind)
            except forms.ValidationError as error:
                self.add_error("plate", error)
        if vin and not Vehicle.objects.filter(vin=formats.normalise_vin(vin)).exists():
            try:
                formats.clean_vin(vin)
            except forms.ValidationError as error:
                self.add_error("vin", error)
        for name, sentence in self.asked_of(data.get("arrival_kind", "")).items():
            if not data.get(name) and name not in self.errors:
                self.add_error(name, sentence)
        if data.get("taken_over_by") and not data.get("area"):
            self.add_error("area", _("Say where the colleague takes over."))
        if not plate and not vin:
            self.add_error("plate", _("Give the plate or, without one, the VIN."))
        return data

    @staticmethod
    def asked_of(kind: str) -> dict[str, Any]:
        """What the way the car came demands, with the sentence for whoever left it out."""
        asked: dict[str, dict[str, Any]] = {
            ArrivalKind.KEY_DROP: {
                "key_locker": _("Write the envelope or locker of the key."),
                "key_left_at": _("Write when the key was left."),
            },
            ArrivalKind.TOWED_IN: {
                "tow_company": _("Write who towed the car."),
                "towed_from": _("Write from where it was towed."),
            },
        }
        return asked.get(kind, {})


# --- actions on a visit ---


class AssignForm(forms.Form):
    """Who receives the customer."""

    advisor = forms.ModelChoiceField(label=_("Advisor"), queryset=Employee.objects.none(), to_field_name="uid")

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "advisor", employees_with_role(visit.store_id, "advisor"))


class UnservedForm(forms.Form):
    """1.1: why the customer left before anybody received them."""

    reason = forms.CharField(label=_("Why did the customer leave?"), max_length=300)

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class ConsultationForm(forms.Form):
    """2.1.2: how a consultation without an order ends."""

    outcome = forms.ChoiceField(
        label=_("How did it end?"),
        choices=[(VisitState.CONSULTED, _("Question answered")), (VisitState.SALES_LEAD, _("Handed to sales"))],
        widget=forms.RadioSelect,
        initial=VisitState.CONSULTED,
    )
    note = forms.CharField(
        label=_("Note"), max_length=300, required=False, help_text=_("For sales: what the customer is interested in.")
    )

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class AreaForm(forms.Form):
    """2.1.2 服务引导: where the customer is led to, and who takes over."""

    area = forms.ChoiceField(label=_("Area"), choices=Area.choices, widget=forms.RadioSelect)
    taken_over_by = ColleagueField(
        label=_("Taken over by"), queryset=Employee.objects.none(), to_field_name="uid", required=False
    )

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["area"].initial = visit.area or Area.LOUNGE
        set_queryset(self, "taken_over_by", staff_of(visit))


class FeedbackForm(forms.Form):
    """2.1.4: what the customer said about the reception."""

    words = forms.CharField(label=_("What the customer said"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    score = forms.TypedChoiceField(
        label=_("How it sounded"),
        choices=[
            ("", _("not plain")),
            ("1", _("Bad")),
            ("2", _("Poor")),
            ("3", _("Fair")),
            ("4", _("Good")),
            ("5", _("Very good")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class KeyForm(forms.Form):
    """2.1.2: the key's tag, who has it and where the car stands."""

    key_tag = forms.CharField(label=_("Key tag"), max_length=10, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    holder = ColleagueField(
        label=_("Key is with"),
        queryset=Employee.objects.none(),
        to_field_name="uid",
        required=False,
        empty_label=_("on the key board"),
    )
    place = forms.CharField(
        label=_("Car stands at"), max_length=20, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_queryset(self, "holder", staff_of(visit))
        self.fields["key_tag"].initial = visit.key_tag
        self.fields["holder"].initial = visit.key_holder.uid if visit.key_holder else None
        self.fields["place"].initial = visit.parking_place


class PromiseForm(forms.Form):
    """1.3: when the car will be ready, why, and how the customer heard of it."""

    promised_at = forms.DateTimeField(
        label=_("Ready at"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    reason = forms.CharField(label=_("Why this time"), max_length=200)
    told = forms.ChoiceField(
        label=_("Customer was told"),
        choices=[("", _("Not yet")), *ToldBy.choices],
        required=False,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["promised_at"].initial = visit.promised_at


def staff_of(visit: Visit) -> QuerySet[Employee]:
    """Everybody who works in the visit's store today."""
    return staff_at(visit.store_id)


def staff_at(store_id: int) -> QuerySet[Employee]:
    """Everybody who works in this store today with the posts held, the desk's people first."""
    today = clock.today()
    held = PostHolding.objects.filter(in_force(today), store_id=store_id)
    at_the_desk = Exists(held.filter(employee=OuterRef("pk"), post__role__in=DESK_ROLES))
    return (
        Employee.objects.filter(employed(today), store_id=store_id)
        .annotate(at_the_desk=at_the_desk)
        .order_by("-at_the_desk", "pinyin", "pk")
        .prefetch_related(Prefetch("posts", held.select_related("post")))
    )
