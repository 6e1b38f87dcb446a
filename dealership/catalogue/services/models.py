"""Models of cars: what they are called, what drives them, how long they are sold (2.1, 2.2.2, 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dealership.catalogue import events, permissions
from dealership.catalogue.models import Powertrain, VehicleModel
from dealership.kernel import formats
from dealership.kernel.actors import Actor
from dealership.kernel.errors import RuleError
from dealership.kernel.history import record

MOST_ALIASES = 12
READ = ("make", "series", "name", "powertrain", "service_interval_km", "service_interval_months")
KM, MONTHS = (1_000, 200_000), (1, 120)


def _locked() -> list[VehicleModel]:
    """All models, locked by key and then read, so that one added meanwhile is seen: a name belongs to one of them."""
    list(VehicleModel.objects.locked().order_by("pk"))
    return list(VehicleModel.objects.order_by("pk"))


def _words(text: str, most: int) -> str:
    return formats.one_line(text)[:most]


def _read(
    others: list[VehicleModel], make: str, series: str, name: str, powertrain: str, km: int, months: int
) -> dict[str, object]:
    make, series, name = _words(make, 40), _words(series, 60), _words(name, 80)
    for field, value in (("make", make), ("series", series), ("name", name)):
        if not value:
            raise RuleError("model.name", _("A model has a make, a series and a name."), field=field)
    if powertrain not in Powertrain.values:
        raise RuleError("model.powertrain", _("Choose what drives the car."), field="powertrain")
    for field, often, (low, high) in (("service_interval_km", km, KM), ("service_interval_months", months, MONTHS)):
        if not low <= often <= high:
            raise RuleError(
                "model.interval", _("The interval lies between %(low)s and %(high)s."), field=field, low=low, high=high
            )
    if same := next((m for m in others if (m.make, m.series, m.name) == (make, series, name)), None):
        raise RuleError("model.exists", _("This model is in the catalogue already."), field="name", held_by=same)
    if called := next((m for m in others if f"{series} {name}" in m.aliases), None):
        raise RuleError(
            "model.alias_taken",
            _("“%(word)s” already means %(model)s; take it off there first."),
            field="name",
            word=f"{series} {name}",
            model=str(called),
        )
    return {
        "make": make,
        "series": series,
        "name": name,
        "powertrain": powertrain,
        "service_interval_km": km,
        "service_interval_months": months,
    }


def _aliases(others: list[VehicleModel], given: Sequence[str], own: str) -> list[str]:
    """Other names of a model, each once; none that means another model."""
    found = [word for word in dict.fromkeys(_words(text, 80) for text in given) if word and word != own]
    if len(found) > MOST_ALIASES:
        raise RuleError("model.aliases", _("%(most)s other names at most."), field="aliases", most=MOST_ALIASES)
    for other in others:
        taken = next((word for word in found if word == str(other) or word in other.aliases), None)
        if taken is not None:
            raise RuleError(
                "model.alias_taken",
                _("“%(word)s” already means %(model)s; take it off there first."),
                field="aliases",
                word=taken,
                model=str(other),
            )
    return found


@transaction.atomic
def add_model(
    *,
    make: str,
    series: str,
    name: str,
    by: Actor,
    powertrain: str = Powertrain.ICE,
    service_interval_km: int = 10_000,
    service_interval_months: int = 12,
    aliases: Sequence[str] = (),
) -> VehicleModel:
    """A new model with its maintenance interval (km, months) and what people call it as well.

    Raises RuleError ``model.name``, ``.powertrain``, ``.interval``, ``.exists``, ``.aliases`` and ``.alias_taken``.
    """
    by.require(permissions.MODELS_MANAGE)
    others = _locked()
    read = _read(others, make, series, name, powertrain, service_interval_km, service_interval_months)
    made = VehicleModel.objects.create(**read, aliases=_aliases(others, aliases, f"{read['series']} {read['name']}"))
    record(made, events.MODEL_ADDED, by=by, powertrain=made.powertrain)
    return made


@transaction.atomic
def correct_model(
    *,
    uid: UUID,
    make: str,
    series: str,
    name: str,
    powertrain: str,
    service_interval_km: int,
    service_interval_months: int,
    by: Actor,
    aliases: Sequence[str] = (),
) -> VehicleModel:
    """Corrects a model; cars of it keep it. Refuses as ``add_model``."""
    by.require(permissions.MODELS_MANAGE)
    everybody = _locked()
    model = next((m for m in everybody if m.uid == uid), None)
    if model is None:
        raise VehicleModel.DoesNotExist
    others = [m for m in everybody if m.pk != model.pk]
    read = _read(others, make, series, name, powertrain, service_interval_km, service_interval_months)
    read["aliases"] = _aliases(others, aliases, f"{read['series']} {read['name']}")
    before = {field: getattr(model, field) for field in read}
    for field, value in read.items():
        setattr(model, field, value)
    model.save(update_fields=list(read))
    told = ("powertrain", "service_interval_km", "service_interval_months")
    changed = {field: (before[field], read[field]) for field in told if before[field] != read[field]}
    record(model, events.MODEL_CORRECTED, by=by, changed=changed, aliases=len(model.aliases))
    return model


@transaction.atomic
def end_model(*, uid: UUID, ends_on: date | None, by: Actor) -> VehicleModel:
    """The last day on which new cars of a model are sold; None takes that back. Its cars are served as before."""
    by.require(permissions.MODELS_MANAGE)
    model = VehicleModel.objects.locked().get(uid=uid)
    if model.ends_on == ends_on:
        raise RuleError("model.same", _("That is how it stands already."), field="ends_on")
    before, model.ends_on = model.ends_on, ends_on
    model.save(update_fields=["ends_on"])
    record(model, events.MODEL_ENDED, by=by, changed={"ends_on": (before, ends_on)})
    return model
