"""The walk-around on a tablet: four steps, saved as they are filled in (2.1.2)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.errors import RuleError
from dealership.kernel.pages import ActionView, CommandPage

from .. import permissions
from ..forms.walkarounds import ArrivalStep, DamageForm, LookStep, NeedStep, PhotoForm, SignatureForm
from ..models import DamageSide, WalkAround, WalkAroundState
from ..selectors import visits as reads
from ..services import visits, walkarounds
from .visits import VisitMixin

STEPS = (
    ("arrival", _("Information"), ArrivalStep),
    ("look", _("Walk-around"), LookStep),
    ("need", _("Needs"), NeedStep),
    ("sign", _("Signature"), SignatureForm),
)
NAMES = [name for name, _label, _form in STEPS]


class WalkAroundMixin(VisitMixin):
    """What every address of the walk-around shares."""

    @cached_property
    def walkaround(self) -> WalkAround | None:
        return reads.walkaround_of(self.visit)


def step_address(uid: Any, step: str) -> str:
    return f"{reverse('visit-walkaround', args=[uid])}?step={step}"


class WalkAroundPage(WalkAroundMixin, CommandPage):
    """One step at a time; leaving a field saves it (htmx), the buttons save and move on (plain form)."""

    permission = permissions.VISITS_RECEIVE
    template_name = "reception/walkaround.html"

    @property
    def step(self) -> str:
        asked = self.request.GET.get("step", "")
        if self.walkaround is not None and self.walkaround.state == WalkAroundState.SIGNED:
            return "sign"
        return asked if asked in NAMES else "look"

    def get_form_class(self) -> Any:
        return {name: form for name, _label, form in STEPS}[self.step]

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if self.step == "sign":
            return kwargs | {"initial": {"signed_name": self.visit.contact_name}}
        return kwargs | {"visit": self.visit, "walkaround": self.walkaround}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = NAMES.index(self.step)
        marks = reads.sketch_marks(self.walkaround)
        return super().get_context_data(**kwargs) | {
            "visit": self.visit,
            "walkaround": self.walkaround,
            "signed": self.walkaround is not None and self.walkaround.state == WalkAroundState.SIGNED,
            "step": self.step,
            "steps": [
                {"number": number, "name": name, "label": label, "url": step_address(self.visit.uid, name)}
                for number, (name, label, _form) in enumerate(STEPS, start=1)
            ],
            "before_url": step_address(self.visit.uid, NAMES[place - 1]) if place else "",
            "after": STEPS[place + 1][1] if place + 1 < len(STEPS) else "",
            "marks": marks,
            "sides": DamageSide.choices,
            "boxes": [(side.value, side.label, *box) for side, box in reads.SKETCH_BOXES.items()],
            "photos": reads.photos_of(self.visit),
            "mark_form": DamageForm(auto_id="mark_%s"),
            "saved_at": self.walkaround.updated_at if self.walkaround else None,
            "last": reads.last_departed(self.actor, self.visit.vehicle),
        }

    def form_valid(self, form: Any) -> HttpResponse:
        if not self.request.headers.get("HX-Request"):
            return super().form_valid(form)
        try:
            self.run(form)
        except RuleError as refusal:
            return self.refuse(form, refusal)
        return render(self.request, "reception/walkaround.html#saved", {"saved_at": clock.now()})

    def form_invalid(self, form: Any) -> HttpResponse:
        if not self.request.headers.get("HX-Request"):
            return super().form_invalid(form)
        return render(self.request, "reception/walkaround.html#not_saved", {"form": form}, status=422)

    def run(self, form: Any) -> Any:
        data = form.cleaned_data
        if self.step == "sign":
            return walkarounds.sign_walkaround(
                visit_uid=self.visit.uid,
                signed_name=data["signed_name"],
                signature=data["signature"],
                by=self.actor,
            )
        return walkarounds.save_walkaround(visit_uid=self.visit.uid, by=self.actor, **data)

    def location(self, result: Any) -> str:
        if self.step == "sign":
            return reverse("visit-detail", args=[self.visit.uid])
        return step_address(self.visit.uid, NAMES[NAMES.index(self.step) + 1])


class MarkPage(WalkAroundMixin, CommandPage):
    """Adds one damage; the tap on the drawing fills in side and point, the lists do without."""

    permission = permissions.VISITS_RECEIVE
    template_name = "reception/visit_action.html"
    form_class = DamageForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = {"title": _("Mark a damage"), "submit": _("Mark it"), "variant": "primary"}
        back = step_address(self.visit.uid, "look")
        return super().get_context_data(**kwargs) | words | {"visit": self.visit, "back": back}

    def run(self, form: DamageForm) -> Any:
        return walkarounds.add_damage(visit_uid=self.visit.uid, by=self.actor, **form.cleaned_data)

    def location(self, result: Any) -> str:
        return step_address(self.kwargs["uid"], "look")


class MarkRemoveView(ActionView):
    """Takes a mark back before the signature."""

    permission = permissions.VISITS_RECEIVE
    done = _("The mark is gone.")

    def run(self, form: Any) -> Any:
        return walkarounds.remove_damage(visit_uid=self.kwargs["uid"], mark_uid=self.kwargs["mark_uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return step_address(self.kwargs["uid"], "look")


class PhotosPage(WalkAroundMixin, CommandPage):
    """Adds photos to the visit."""

    permission = permissions.VISITS_PHOTOGRAPH
    template_name = "reception/photos.html"
    form_class = PhotoForm
    done = _("Photos are kept.")

    def get_form_kwargs(self) -> dict[str, Any]:
        assert self.visit  # another store's is 404 whatever is sent
        return super().get_form_kwargs()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        marks = reads.sketch_marks(self.walkaround)
        here = {"visit": self.visit, "marks": marks, "photos": reads.photos_of(self.visit)}
        return super().get_context_data(**kwargs) | here | {"may_view": self.actor.may(permissions.VISITS_VIEW)}

    @transaction.atomic
    def run(self, form: PhotoForm) -> list[Any]:
        data = form.cleaned_data
        return [
            visits.add_photo(
                visit_uid=self.visit.uid,
                content=file.read(),
                name=file.name,
                place=data["place"],
                mark_uid=data["mark"],
                by=self.actor,
            )
            for file in data["photos"]
        ]

    def location(self, result: Any) -> str:
        if self.request.POST.get("next"):
            return super().location(result)
        if self.actor.may(permissions.VISITS_VIEW):
            return reverse("visit-detail", args=[self.kwargs["uid"]])
        return self.request.path
