"""The walk-around on a tablet: four steps, saved as they are filled in (2.1.2)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from dealership.kernel import clock
from dealership.kernel.pages import ActionView, CommandPage
from dealership.kernel.queued import Queued

from .. import permissions
from ..forms.walkarounds import ArrivalStep, DamageForm, LookStep, NeedStep, PhotoForm, SignatureForm
from ..models import DamageMark, DamageSide, WalkAround, WalkAroundState
from ..selectors import visits as reads
from ..services import visits, walkarounds
from ..services.customers import open_number
from ..services.vehicles import most_km
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


class WalkAroundPage(Queued, WalkAroundMixin, CommandPage):
    """The steps in one page, so that they change without a connection; a device's queue saves each field that is left,
    the buttons save and move on (plain form)."""

    permission = permissions.VISITS_RECEIVE
    template_name = "reception/walkaround.html"

    @property
    def step(self) -> str:
        asked = self.request.GET.get("step", "")
        if self.walkaround is not None and self.walkaround.state != WalkAroundState.DRAFT:
            return "sign"
        return asked if asked in NAMES else "look"

    def get_form_class(self) -> Any:
        return {name: form for name, _label, form in STEPS}[self.step]

    def written_forms(self, shown: Any) -> list[dict[str, Any]]:
        """The steps before the signature with their forms; the shown one is the one that was sent."""
        return [
            {
                "name": name,
                "url": step_address(self.visit.uid, name),
                "form": shown if name == self.step else form(visit=self.visit, walkaround=self.walkaround),
                "before_name": NAMES[place - 1] if place else "",
                "before_url": step_address(self.visit.uid, NAMES[place - 1]) if place else "",
                "next_name": NAMES[place + 1],
                "next_label": STEPS[place + 1][1],
            }
            for place, (name, _label, form) in enumerate(STEPS[:-1])
        ]

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if self.step == "sign":
            return kwargs | {"initial": {"signed_name": self.visit.contact_name}}
        return kwargs | {"visit": self.visit, "walkaround": self.walkaround}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place = NAMES.index(self.step)
        if self.visit.is_open:
            open_number(task=self.visit, customer=self.visit.customer, by=self.actor)
        marks = reads.sketch_marks(self.walkaround)
        context = super().get_context_data(**kwargs)
        return context | {
            "visit": self.visit,
            "most_km": most_km(self.visit.vehicle, store_id=self.visit.store_id),
            "walkaround": self.walkaround,
            "forms": self.written_forms(context["form"]) if self.step != "sign" else [],
            "sent": self.walkaround is not None and self.walkaround.state == WalkAroundState.SENT,
            "elsewhere": self.visit.awaits_confirmation,
            "sendable": not any(field in ("odometer_km", "energy_eighths") for field, _text in self.lacks),
            "signed": self.walkaround is not None and self.walkaround.state == WalkAroundState.SIGNED,
            "step": self.step,
            "steps": [
                {"number": number, "name": name, "label": label, "url": step_address(self.visit.uid, name)}
                for number, (name, label, _form) in enumerate(STEPS, start=1)
            ],
            "before_url": step_address(self.visit.uid, NAMES[place - 1]) if place else "",
            "marks": marks,
            "photo_of": self.request.GET.get("mark", ""),
            "sides": DamageSide.choices,
            "boxes": [(side.value, side.label, *box) for side, box in reads.SKETCH_BOXES.items()],
            "photos": reads.photos_of(self.visit),
            "mark_form": DamageForm(auto_id="mark_%s"),
            "saved_at": clock.of_database(self.walkaround.updated_at) if self.walkaround else None,
            "last": reads.last_departed(self.actor, self.visit.vehicle),
            "missing": self.missing() if self.step == "sign" else [],
        }

    def missing(self) -> list[tuple[Any, str]]:
        """What is missing before the signature, with the address of the step that asks it."""
        step_of = {field: name for name, _label, form in STEPS for field in form.base_fields}
        return [(text, f"{step_address(self.visit.uid, step_of[field])}#id_{field}") for field, text in self.lacks]

    @property
    def lacks(self) -> list[tuple[str, Any]]:
        return walkarounds.missing_of(self.walkaround)

    def run(self, form: Any) -> Any:
        data = form.cleaned_data
        if self.step == "sign":
            return walkarounds.sign_walkaround(
                visit_uid=self.visit.uid,
                signed_name=data["signed_name"],
                signature=data["signature"],
                by=self.actor,
            )
        return walkarounds.save_walkaround(visit_uid=self.visit.uid, by=self.actor, asks=True, **data)

    def location(self, result: Any) -> str:
        if self.step == "sign":
            return reverse("visit-detail", args=[self.visit.uid])
        return step_address(self.visit.uid, NAMES[NAMES.index(self.step) + 1])


class SendWalkAroundView(ActionView):
    """2.1.2: puts the walk-around on the link of a customer who didn't bring the car."""

    permission = permissions.VISITS_RECEIVE
    done = _("The customer has the walk-around on the link; work begins once it is confirmed.")

    def run(self, form: Any) -> Any:
        return walkarounds.send_walkaround(visit_uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return reverse("visit-detail", args=[self.kwargs["uid"]])


class TakeBackView(ActionView):
    """2.1.2: takes the walk-around off the link again."""

    permission = permissions.VISITS_RECEIVE
    done = _("Taken back: change it and send it again.")

    def run(self, form: Any) -> Any:
        return walkarounds.take_back_walkaround(visit_uid=self.kwargs["uid"], by=self.actor)

    def location(self, result: Any) -> str:
        return step_address(self.kwargs["uid"], "look")


class MarkPage(Queued, WalkAroundMixin, CommandPage):
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
        """Back to the drawing; the photo taken next is of this mark."""
        return f"{step_address(self.kwargs['uid'], 'look')}&mark={result.uid}"


class MarkRemoveView(Queued, ActionView):
    """Takes a mark back before the signature."""

    permission = permissions.VISITS_RECEIVE
    done = _("The mark is gone.")

    def run(self, form: Any) -> Any:
        try:
            return walkarounds.remove_damage(
                visit_uid=self.kwargs["uid"], mark_uid=self.kwargs["mark_uid"], by=self.actor
            )
        except DamageMark.DoesNotExist:
            if not self.is_queued:
                raise
            return None  # a colleague was quicker; it is gone, as was wanted

    def location(self, result: Any) -> str:
        return step_address(self.kwargs["uid"], "look")


class PhotosPage(Queued, WalkAroundMixin, CommandPage):
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
        mark = data["mark"]
        if self.is_queued and not reads.has_mark(self.walkaround, mark):
            mark = None  # taken back while the photo was waiting; a photo is never lost with it
        return [
            visits.add_photo(
                visit_uid=self.visit.uid,
                content=file.read(),
                name=file.name,
                place=data["place"],
                mark_uid=mark,
                uid=data["uid"] if len(data["photos"]) == 1 else None,
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
