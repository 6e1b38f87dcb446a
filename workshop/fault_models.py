"""What a repair stands for under 三包: whether the fault is one of quality, and which fault it is (domain 3.6)."""

from __future__ import annotations

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.kernel import clock, states
from dealership.kernel.errors import explain_constraint
from dealership.kernel.models import Root, User
from workshop import statutory_warranty as law
from workshop.models import AGREED, OrderLine
from workshop.wear_models import WEAR_IS_OVER, WearPart


class SafetyFault(models.TextChoices):
    """Art. 23: one of them within the early period is enough."""

    STEERING_LOST = law.SafetyFault.STEERING_LOST.value, _("Steering lost")
    BRAKES_LOST = law.SafetyFault.BRAKES_LOST.value, _("Brakes lost")
    BODY_CRACKED = law.SafetyFault.BODY_CRACKED.value, _("Body cracked")
    FUEL_LEAK = law.SafetyFault.FUEL_LEAK.value, _("Fuel leak")
    BATTERY_FIRE = law.SafetyFault.BATTERY_FIRE.value, _("Traction battery on fire")


class MainSystem(models.TextChoices):
    """The ten systems whose main parts count; the first four are the assemblies of arts. 20, 22 and 24(2)."""

    ENGINE = "ENGINE", pgettext_lazy("system of a car", "Engine")
    TRANSMISSION = "TRANSMISSION", pgettext_lazy("system of a car", "Transmission")
    TRACTION_BATTERY = "TRACTION_BATTERY", pgettext_lazy("system of a car", "Traction battery")
    DRIVE_MOTOR = "DRIVE_MOTOR", pgettext_lazy("system of a car", "Drive motor")
    STEERING = "STEERING", pgettext_lazy("system of a car", "Steering")
    BRAKES = "BRAKES", pgettext_lazy("system of a car", "Brakes")
    SUSPENSION = "SUSPENSION", pgettext_lazy("system of a car", "Suspension")
    DRIVELINE = "DRIVELINE", pgettext_lazy("system of a car", "Driveline")
    EMISSION_CONTROL = "EMISSION_CONTROL", pgettext_lazy("system of a car", "Emission control")
    BODY = "BODY", pgettext_lazy("system of a car", "Body")


ASSEMBLIES = [(value, label) for value, label in MainSystem.choices if value in law.MAIN_ASSEMBLIES]


class LeftOut(models.TextChoices):
    """What the 30 days leave out (art. 24); the day-six rule doesn't."""

    VIN_PARTS = "VIN_PARTS", _("Transport of parts made for this VIN")
    BATTERY = "BATTERY", _("Transport of the traction battery")
    RESCUE = "RESCUE", _("Rescue travel")


class FaultJudgement(Root):
    """One judgement of one line; never changed, the latest counts. ``fault`` names the same problem across repairs.

    ``part`` of ``system`` is the main part that was replaced, ``assembly`` one of the four replaced as a whole. ``wear``
    is the kind of wear part it is about: it counts only within the period that the maker's list gives that kind.
    """

    store_path = "line__order__store_id"
    link_path = None

    line = models.ForeignKey(OrderLine, models.PROTECT, related_name="judgements")
    is_quality = models.BooleanField()
    fault = models.CharField(_("fault"), max_length=60)
    serious = models.BooleanField(default=False)
    safety = models.CharField(max_length=13, choices=SafetyFault.choices, blank=True)
    assembly = models.CharField(max_length=16, choices=ASSEMBLIES, blank=True)
    system = models.CharField(max_length=16, choices=MainSystem.choices, blank=True)
    part = models.CharField(_("main part"), max_length=60, blank=True)
    wear = models.CharField(max_length=12, choices=WearPart.choices, blank=True)
    left_out_as = models.CharField(max_length=9, choices=LeftOut.choices, blank=True)
    left_out_from = models.DateTimeField(null=True, blank=True)
    left_out_until = models.DateTimeField(null=True, blank=True)
    judged_at = models.DateTimeField(default=clock.now)
    judged_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        triggers = [
            states.versioned(),
            states.append_only("faultjudgement_append_only"),
            states.guard(
                # The line is locked, so that two judgements of it stand one after the other.
                "faultjudgement_of_agreed_work",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM workshop_orderline WHERE id = NEW.line_id
                        AND state IN ({agreed}) FOR NO KEY UPDATE;
                    IF NOT FOUND THEN {{refuse}} END IF;
                    RETURN NEW;
                """.format(agreed=", ".join(f"'{state.value}'" for state in AGREED)),
                code="fault.line",
                text=_("Only a repair that was agreed to is judged."),
            ),
            states.guard(
                # A wear part has its own period; past it the maker answers for it no more, however young the car is.
                "faultjudgement_wear_in_its_period",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.is_quality AND NEW.wear <> ''"),
                func="IF EXISTS (" + WEAR_IS_OVER + ") THEN {refuse} END IF; RETURN NEW;",
                code="fault.wear_over",
                text=_("The period of this wear part is over for the car: it is no fault of quality any more."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="faultjudgement_named", condition=~Q(fault="")),
            models.CheckConstraint(
                name="faultjudgement_of_quality",
                condition=Q(is_quality=True) | Q(serious=False, safety="", assembly="", system="", left_out_as=""),
            ),
            models.CheckConstraint(
                name="faultjudgement_wear_is_no_main_part", condition=Q(wear="") | Q(assembly="", system="")
            ),
            models.CheckConstraint(name="faultjudgement_safety_is_serious", condition=Q(safety="") | Q(serious=True)),
            models.CheckConstraint(
                name="faultjudgement_part_of_system", condition=Q(system="", part="") | (~Q(system="") & ~Q(part=""))
            ),
            models.CheckConstraint(
                name="faultjudgement_left_out",
                condition=Q(left_out_as="", left_out_from__isnull=True, left_out_until__isnull=True)
                | (
                    ~Q(left_out_as="")
                    & Q(left_out_from__isnull=False, left_out_until__isnull=False)
                    & Q(left_out_until__gt=F("left_out_from"))
                ),
            ),
        ]

    @property
    def main_part_needed(self) -> str | None:
        """The assembly of the four whose main part had to be replaced (arts. 20 and 22)."""
        return self.system if self.system in law.MAIN_ASSEMBLIES else None

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.line.order.history_keys()


explain_constraint("faultjudgement_named", "fault.name", _("Name the fault, so that it is known when it comes again."))
explain_constraint(
    "faultjudgement_of_quality",
    "fault.not_quality",
    _("What is no fault of quality has neither safety fault, assembly nor main part."),
)
explain_constraint(
    "faultjudgement_wear_is_no_main_part", "fault.wear", _("A wear part is neither an assembly nor a main part.")
)
explain_constraint(
    "faultjudgement_safety_is_serious", "fault.safety", _("A fault of article 23 is a serious safety fault.")
)
explain_constraint(
    "faultjudgement_part_of_system", "fault.part", _("Name the main part together with the system it belongs to.")
)
explain_constraint(
    "faultjudgement_left_out", "fault.left_out", _("Time that is left out has a reason, a beginning and a later end.")
)
