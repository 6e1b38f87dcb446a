"""Customers, vehicles, consents, appointments and visits (chapter 2)."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, ExpressionWrapper, F, Func, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from dealership.catalogue.models import Operation, Part, Powertrain, VehicleModel
from dealership.kernel import clock, formats, states
from dealership.kernel.errors import RuleError, explain_constraint
from dealership.kernel.models import DateRange, MessageChannel, Root, ScopedQuerySet, Store, StoredFile
from dealership.kernel.saying import say_list, say_plate
from staff.models import Employee, Shift

from . import rules


class CustomerKind(models.TextChoices):
    PERSON = "PERSON", _("Private person")
    COMPANY = "COMPANY", _("Company")


WELL_BEFORE = timedelta(minutes=60)
"""A booked car that comes earlier than this has nobody waiting for it."""
HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class CustomerTier(models.TextChoices):
    """How much a customer comes and spends (RFM), worked out again every few hours (2.3)."""

    A = "A", _("Key customer")
    B = "B", _("Regular customer")
    C = "C", _("Occasional customer")
    D = "D", _("Rare customer")


class CustomerQuerySet(ScopedQuerySet):
    def standing(self, uid: uuid.UUID) -> Customer:
        """The customer with this uid, or the one it was merged into; one query, raises Customer.DoesNotExist."""
        there = Customer.objects.filter(uid=uid).values(stands=Coalesce("merged_into_id", "id"))[:1]
        return self.get(pk=Subquery(there))

    def unmerged(self) -> CustomerQuerySet:
        return self.filter(merged_into__isnull=True)


class Customer(Root):
    """Who brings, owns or pays (2.3). Group-wide; the phone is kept as digits without +86."""

    store_path = None

    kind = models.CharField(max_length=8, choices=CustomerKind.choices, default=CustomerKind.PERSON)
    name = models.CharField(_("name"), max_length=60)
    pinyin = models.CharField(max_length=160, blank=True)
    pinyin_initials = models.CharField(max_length=40, blank=True)
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    phone_2 = models.CharField(_("second telephone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    uscc = models.CharField(_("unified social credit code"), max_length=18, blank=True)
    language = models.CharField(_("language"), max_length=10, default="zh-hans")
    channel = models.CharField(
        _("preferred channel"), max_length=8, choices=MessageChannel.choices, default=MessageChannel.SMS
    )
    no_calls = models.BooleanField(_("doesn't want to be called"), default=False, db_default=False)
    quiet_from = models.CharField(
        _("no messages from"), max_length=5, blank=True, db_default="", help_text="hour in the store's time, 12:30"
    )
    quiet_to = models.CharField(_("messages again from"), max_length=5, blank=True, db_default="")
    tier = models.CharField(max_length=1, blank=True, choices=CustomerTier.choices, db_default="")
    rfm = models.CharField(
        max_length=3, blank=True, db_default="", help_text="recency, frequency and money, each 1 (low) to 5"
    )
    last_visit_on = models.DateField(null=True, blank=True)
    lost_risk = models.BooleanField(default=False, db_default=False)
    note = models.CharField(_("note"), max_length=300, blank=True)
    home_store = models.ForeignKey(Store, models.PROTECT, null=True, blank=True, related_name="+")
    contact = models.ForeignKey(
        Employee, models.PROTECT, null=True, blank=True, related_name="contacts", verbose_name=_("contact person")
    )
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")

    objects: ClassVar[Any] = CustomerQuerySet.as_manager()

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                # 2.3: who was merged stays as it was until the merge is undone.
                "customer_merged_is_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.merged_into_id IS NOT NULL"),
                unchanged_passes=True,
                func="""
                    IF TG_OP = 'DELETE' OR NEW.merged_into_id IS NOT DISTINCT FROM OLD.merged_into_id THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="customer.merged",
                text=_("This customer was merged into another one; open that one, or undo the merge first."),
            ),
            states.guard(
                # 2.3: the mark of a merge stands exactly while its record does.
                "customer_merge_recorded",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("merged_into_id"),
                func="""
                    IF TG_OP = 'INSERT' THEN
                        IF NEW.merged_into_id IS NOT NULL THEN {refuse} END IF;
                    ELSIF NEW.merged_into_id IS NULL THEN
                        IF EXISTS (SELECT 1 FROM reception_customermerge m
                            WHERE m.merged_id = NEW.id AND m.state = 'DONE') THEN {refuse} END IF;
                    ELSIF NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id THEN
                        IF NEW.merged_into_id = NEW.id
                            OR EXISTS (SELECT 1 FROM reception_customer c
                                WHERE c.id = NEW.merged_into_id AND c.merged_into_id IS NOT NULL)
                            OR NOT EXISTS (SELECT 1 FROM reception_customermerge m
                                WHERE m.merged_id = NEW.id AND m.state = 'DONE')
                        THEN {refuse} END IF;
                    END IF;
                    RETURN NEW;
                """,
                code="customer.merge_recorded",
                text=_("Customers are merged and parted only with a record of it."),
            ),
        ]
        constraints = [
            # 2.1.2: a customer has a name and a way to be reached.
            models.CheckConstraint(name="customer_named", condition=~Q(name="")),
            models.CheckConstraint(name="customer_reachable", condition=~Q(phone="") | ~Q(email="")),
            # 2.3: a tier says why; without a visit there is neither.
            models.CheckConstraint(
                name="customer_tier_has_scores",
                condition=Q(tier="", rfm="", lost_risk=False)
                | Q(tier__in=CustomerTier.values, rfm__regex="^[1-5]{3}$", last_visit_on__isnull=False),
            ),
            # 2.3: quiet hours are two different hours of the day, or none.
            models.CheckConstraint(
                name="customer_quiet_hours",
                condition=Q(quiet_from="", quiet_to="")
                | (Q(quiet_from__regex=HOUR) & Q(quiet_to__regex=HOUR) & ~Q(quiet_from=F("quiet_to"))),
            ),
        ]
        indexes = [
            models.Index(fields=["phone"], name="customer_phone"),
            models.Index(fields=["phone_2"], name="customer_phone_2", condition=~Q(phone_2="")),
            models.Index(fields=["uscc"], name="customer_uscc", condition=~Q(uscc="")),
            models.Index(fields=["tier", "-id"], name="customer_tier", condition=~Q(tier="")),
            models.Index(fields=["-id"], name="customer_lost_risk", condition=Q(lost_risk=True)),
            GinIndex(fields=["name"], name="customer_name_trgm", opclasses=["gin_trgm_ops"]),
            GinIndex(fields=["phone"], name="customer_phone_trgm", opclasses=["gin_trgm_ops"]),
            GinIndex(fields=["phone_2"], name="customer_phone_2_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["pinyin"], name="customer_pinyin", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["pinyin_initials"], name="customer_initials", opclasses=["varchar_pattern_ops"]),
        ]

    def __str__(self) -> str:
        return self.name

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.uid}


def to_standing_customer(name: str) -> pgtrigger.Trigger:
    """Nothing new is written for a customer who was merged; it waits for a merge that is under way."""
    return states.guard(
        name,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("customer_id"),
        declare=[("target", "bigint")],
        func="""
            IF TG_OP = 'UPDATE' AND NEW.customer_id = OLD.customer_id THEN RETURN NEW; END IF;
            SELECT merged_into_id INTO target FROM reception_customer WHERE id = NEW.customer_id FOR SHARE;
            IF target IS NOT NULL THEN {refuse} END IF;
            RETURN NEW;
        """,
        code="customer.merged",
        text=_("This customer was merged into another one; open that one, or undo the merge first."),
    )


class PlateKind(models.TextChoices):
    NORMAL = "NORMAL", _("Ordinary plate")
    TEMPORARY = "TEMPORARY", _("Temporary plate")
    DIPLOMATIC = "DIPLOMATIC", _("Diplomatic plate")
    MILITARY = "MILITARY", _("Military plate")
    UNREGISTERED = "UNREGISTERED", _("Not yet registered")


class PlateColor(models.TextChoices):
    BLUE = "BLUE", _("Blue")
    GREEN = "GREEN", _("Green")
    YELLOW = "YELLOW", _("Yellow")
    YELLOW_GREEN = "YELLOW_GREEN", _("Yellow-green")
    WHITE = "WHITE", _("White")
    BLACK = "BLACK", _("Black")


PLATE_IN_SQL = (
    "^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z]"
    "([A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]|[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])$"
)


class VehicleUse(models.TextChoices):
    """How a car is used, which decides by which intervals it is maintained (3.1)."""

    UNKNOWN = "UNKNOWN", pgettext_lazy("use of a car", "not known yet")
    ORDINARY = "ORDINARY", pgettext_lazy("use of a car", "ordinary use")
    HARD = "HARD", pgettext_lazy("use of a car", "hard use")


class HardUse(models.TextChoices):
    """Why a car's use is hard, by what makers' books name (3.1)."""

    TAXI = "TAXI", pgettext_lazy("hard use", "taxi")
    RIDE_HAILING = "RIDE_HAILING", pgettext_lazy("hard use", "ride-hailing")
    RENTAL = "RENTAL", pgettext_lazy("hard use", "rental or driving school")
    DELIVERY = "DELIVERY", pgettext_lazy("hard use", "parcels and deliveries")
    SHORT_TRIPS = "SHORT_TRIPS", pgettext_lazy("hard use", "mostly short trips or idling")
    DUST = "DUST", pgettext_lazy("hard use", "dust, mud or unmade roads")
    TOWING = "TOWING", pgettext_lazy("hard use", "towing or full loads")
    HEAT_COLD = "HEAT_COLD", pgettext_lazy("hard use", "great heat or cold")


class Vehicle(Root):
    """A car (2.3). Plate without separators; ``odometer_km`` is the last reading and never falls without a reason."""

    store_path = None

    plate = models.CharField(_("plate"), max_length=12, blank=True)
    plate_kind = models.CharField(max_length=12, choices=PlateKind.choices, default=PlateKind.NORMAL)
    plate_color = models.CharField(max_length=12, choices=PlateColor.choices, default=PlateColor.BLUE)
    vin = models.CharField("VIN", max_length=17, blank=True)
    vin_note = models.CharField(max_length=200, blank=True, help_text="why a VIN with a wrong check digit was kept")
    model = models.ForeignKey(VehicleModel, models.PROTECT, null=True, blank=True, related_name="vehicles")
    model_text = models.CharField(_("model"), max_length=80)
    powertrain = models.CharField(max_length=5, choices=Powertrain.choices, default=Powertrain.ICE)
    vehicle_type = models.CharField(
        _("vehicle type"), max_length=20, blank=True, db_default="", help_text="as the vehicle licence says (2.3)"
    )
    engine_number = models.CharField(_("engine or motor number"), max_length=40, blank=True)
    battery_code = models.CharField(_("battery code"), max_length=40, blank=True)
    color = models.CharField(_("colour"), max_length=20, blank=True)
    model_year = models.PositiveSmallIntegerField(_("year"), null=True, blank=True)
    invoiced_on = models.DateField(_("invoice date"), null=True, blank=True)
    delivered_on = models.DateField(_("delivery date"), null=True, blank=True)
    registered_on = models.DateField(_("first registration"), null=True, blank=True)
    insured_until = models.DateField(_("insured until"), null=True, blank=True)
    inspected_until = models.DateField(_("inspected until"), null=True, blank=True)
    odometer_km = models.PositiveIntegerField(_("mileage (km)"), default=0)
    odometer_at = models.DateTimeField(null=True, blank=True)
    use = models.CharField(
        _("use"),
        max_length=8,
        choices=VehicleUse.choices,
        default=VehicleUse.UNKNOWN,
        db_default=VehicleUse.UNKNOWN,
        help_text="as the present owner told it; a new owner is asked anew",
    )
    hard_uses = ArrayField(
        models.CharField(max_length=12, choices=HardUse.choices),
        default=list,
        db_default=Value([], output_field=ArrayField(models.CharField(max_length=12))),
        blank=True,
    )
    use_noted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.ShownIn(root="reception.Visit", by="vehicle", fields=("plate",)),
            states.versioned(),
            states.guard(
                # 2.3, GB 16735: whichever way a VIN comes in; the same rule as kernel.formats.check_vin.
                "vehicle_vin_written",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("vin", "vin_note"),
                declare=[("digits", "text"), ("total", "integer := 0")],
                func="""
                    IF NEW.vin = '' OR (TG_OP = 'UPDATE' AND NEW.vin = OLD.vin AND NEW.vin_note = OLD.vin_note) THEN
                        RETURN NEW;
                    END IF;
                    IF NEW.vin !~ '^[A-HJ-NPR-Z0-9]{17}$' OR NEW.vin = repeat(left(NEW.vin, 1), 17) THEN {refuse} END IF;
                    IF NEW.vin_note <> '' OR left(NEW.vin, 1) !~ '[L1-5]' THEN RETURN NEW; END IF;
                    digits := translate(NEW.vin, 'ABCDEFGHJKLMNPRSTUVWXYZ', '12345678123457923456789');
                    FOR place IN 1..17 LOOP
                        total := total + substr(digits, place, 1)::integer
                            * ('{8,7,6,5,4,3,2,10,0,9,8,7,6,5,4,3,2}'::integer[])[place];
                    END LOOP;
                    IF substr('0123456789X', total % 11 + 1, 1) <> substr(NEW.vin, 9, 1)
                        OR substr(NEW.vin, 10, 1) IN ('U', 'Z', '0')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="vin.check_digit",
                text=_("This VIN can't be right; a supervisor may keep it with a reason."),
            ),
            states.guard(
                # 2.3, GA 36: every kind but the ordinary one skips the pattern; the same as kernel.formats.check_plate.
                "vehicle_plate_written",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("plate", "plate_kind"),
                func=f"""
                    IF NEW.plate = '' OR NEW.plate_kind <> 'NORMAL'
                        OR (TG_OP = 'UPDATE' AND NEW.plate = OLD.plate AND NEW.plate_kind = OLD.plate_kind)
                    THEN RETURN NEW; END IF;
                    IF NEW.plate !~ '{PLATE_IN_SQL}' THEN {{refuse}} END IF;
                    RETURN NEW;
                """,
                code="plate.pattern",
                text=_("This is no plate pattern; for other plates choose their kind."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["vin"], name="vehicle_vin", condition=~Q(vin="")),
            models.UniqueConstraint(
                fields=["plate"], name="vehicle_plate", condition=~Q(plate="") & Q(plate_kind=PlateKind.NORMAL)
            ),
            models.CheckConstraint(name="vehicle_identified", condition=~Q(plate="") | ~Q(vin="")),
            models.CheckConstraint(name="vehicle_odometer", condition=Q(odometer_km__lte=2_000_000)),
            models.CheckConstraint(
                # 3.1: shorter intervals have a reason and a day; what nobody was asked has neither.
                name="vehicle_use",
                condition=Q(use=VehicleUse.UNKNOWN, hard_uses=[], use_noted_at__isnull=True)
                | Q(use=VehicleUse.ORDINARY, hard_uses=[], use_noted_at__isnull=False)
                | Q(
                    use=VehicleUse.HARD,
                    hard_uses__len__gt=0,
                    hard_uses__contained_by=list(HardUse.values),
                    use_noted_at__isnull=False,
                ),
            ),
        ]
        indexes = [
            GinIndex(fields=["plate"], name="vehicle_plate_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["plate"], name="vehicle_plate_special", condition=~Q(plate_kind=PlateKind.NORMAL)),
            GinIndex(fields=["vin"], name="vehicle_vin_trgm", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return say_plate(self.plate) or self.vin

    @property
    def hard_use_words(self) -> str:
        """Why its use is hard, in the reader's language; nothing for ordinary use."""
        return say_list(HardUse(code).label for code in self.hard_uses)

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"vehicle": self.uid}


explain_constraint("vehicle_vin", "vehicle.vin_taken", _("A vehicle with this VIN already exists; open that one."))
explain_constraint(
    "vehicle_plate", "vehicle.plate_taken", _("A vehicle with this plate already exists; open that one.")
)
explain_constraint("vehicle_use", "vehicle.use", _("Hard use needs a reason, ordinary use has none."))
explain_constraint(
    "ownership_one_at_a_time", "vehicle.owner_overlap", _("On some of these days the vehicle already has an owner.")
)
explain_constraint(
    "customer_quiet_hours", "customer.quiet_hours", _("Give both hours, from and to, and two different ones.")
)
explain_constraint("customer_reachable", "customer.reachable", _("Give a telephone number or an e-mail address."))


class OdometerReading(models.Model):
    """One reading of a car's odometer; a lower one than before says why (2.3)."""

    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="readings")
    km = models.PositiveIntegerField()
    before_km = models.PositiveIntegerField()
    read_at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [
            pgtrigger.Protect(name="odometerreading_append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        constraints = [
            models.CheckConstraint(
                name="odometerreading_fall_has_reason", condition=Q(km__gte=F("before_km")) | ~Q(reason="")
            )
        ]
        indexes = [models.Index(fields=["vehicle", "-read_at"], name="odometerreading_vehicle")]


explain_constraint(
    "odometerreading_fall_has_reason",
    "vehicle.odometer_lower",
    _("The mileage is lower than the last reading; say why."),
)


class Ownership(Root):
    """Who owns a vehicle from a day to a day; one owner at a time (2.3, domain 3.6: 三包 follows the car)."""

    store_path = None

    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="ownerships")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="ownerships")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        triggers = [states.ShownIn("vehicle"), states.versioned(), to_standing_customer("ownership_standing_customer")]
        constraints = [
            ExclusionConstraint(
                name="ownership_one_at_a_time",
                expressions=[
                    ("vehicle", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS),
                ],
            )
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"vehicle": self.vehicle.uid, "customer": self.customer.uid}


class ConsentPurpose(models.TextChoices):
    SERVICE = "SERVICE", _("Carrying out the service order")
    MARKETING = "MARKETING", _("Offers and news")
    SURVEY = "SURVEY", _("Satisfaction surveys")
    SHARING = "SHARING", _("Passing data to the maker")


CONSENT_TEXT_VERSION = "2026-1"
# What is read out or shown, by version: a version that somebody agreed to is never reworded, a new one is added (7.3).
CONSENT_TEXTS: dict[str, dict[str, Any]] = {
    "2026-1": {
        ConsentPurpose.SERVICE: _(
            "We keep your name, number and car to carry out the service, to bill it and to keep the records the law asks for."
        ),
        ConsentPurpose.MARKETING: _(
            "We may tell you about offers and news the way you prefer. You may say no at any time; it changes nothing in the"
            " service."
        ),
        ConsentPurpose.SURVEY: _(
            "We may ask you afterwards how satisfied you were. You may say no at any time; it changes nothing in the service."
        ),
        ConsentPurpose.SHARING: _(
            "We may pass your name, number and car to the maker, for warranty, recalls and its own surveys. You may say no at"
            " any time."
        ),
    }
}


class Consent(Root):
    """One given or withdrawn consent with the text's version and the channel (2.3). Rows are never changed."""

    store_path = None

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="consents")
    purpose = models.CharField(max_length=12, choices=ConsentPurpose.choices)
    given = models.BooleanField()
    text_version = models.CharField(max_length=20)
    channel = models.CharField(max_length=20)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [
            states.ShownIn("customer"),
            states.versioned(),
            # 2.3: only a merge, or its end, gives a consent to another customer; the decision itself never changes.
            states.guard(
                "consent_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE'
                        OR (OLD.id, OLD.uid, OLD.purpose, OLD.given, OLD.text_version, OLD.channel, OLD.at)
                        IS DISTINCT FROM
                        (NEW.id, NEW.uid, NEW.purpose, NEW.given, NEW.text_version, NEW.channel, NEW.at)
                        OR NOT EXISTS (SELECT 1 FROM reception_movedrow r JOIN reception_customermerge m ON m.id = r.merge_id
                            WHERE r.label = 'reception.consent' AND r.row_id = OLD.id AND (
                                (m.state = 'DONE' AND m.merged_id = OLD.customer_id AND m.kept_id = NEW.customer_id) OR
                                (m.state = 'UNDONE' AND m.kept_id = OLD.customer_id AND m.merged_id = NEW.customer_id)))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="consent.append_only",
                text=_("A consent that was given or withdrawn is never changed; record the new decision."),
            ),
            to_standing_customer("consent_standing_customer"),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.customer.uid}


class UnmaskReason(models.TextChoices):
    """Why a whole number is looked at; a code, because history holds no free text."""

    CALL = "CALL", _("To call or write to the customer")
    CHECK = "CHECK", _("To check the number with the customer")
    COMPLAINT = "COMPLAINT", _("To settle a complaint")
    AUTHORITY = "AUTHORITY", _("An authority asked for it")
    TASK = "TASK", _("Opened by the task itself")


class DuplicateCue(models.TextChoices):
    """Why two customers may be one (2.3)."""

    PHONE = "PHONE", _("Same telephone number")
    VIN = "VIN", _("Same car by VIN, and the names sound alike")
    NAME_PLATE = "NAME_PLATE", _("Same name and plate")
    USCC = "USCC", _("Same company code")


class DuplicateState(models.TextChoices):
    OPEN = "OPEN", _("To be looked at")
    DIFFERENT = "DIFFERENT", _("Two different customers")
    MERGED = "MERGED", _("Merged")


DUPLICATE_MOVES = {
    DuplicateState.OPEN: {DuplicateState.DIFFERENT, DuplicateState.MERGED},
    DuplicateState.DIFFERENT: {DuplicateState.MERGED},
    DuplicateState.MERGED: {DuplicateState.OPEN},
}


class Duplicate(Root):
    """Two customers who may be one, to be decided by a person: a number alone may be a family's (2.3)."""

    store_path = None

    first = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    second = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    cues = ArrayField(models.CharField(max_length=12, choices=DuplicateCue.choices))
    state = models.CharField(max_length=10, choices=DuplicateState.choices, default=DuplicateState.OPEN)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [states.versioned(), states.fsm(DUPLICATE_MOVES, field="state", name="duplicate_moves")]
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_once"),
            models.CheckConstraint(name="duplicate_order", condition=Q(first__lt=F("second"))),
            models.CheckConstraint(name="duplicate_has_cue", condition=~Q(cues=[])),
        ]
        indexes = [models.Index(fields=["-id"], name="duplicate_open", condition=Q(state=DuplicateState.OPEN))]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.first.uid}

    @property
    def cue_labels(self) -> list[Any]:
        return [DuplicateCue(code).label for code in self.cues]

    @property
    def maybe_family(self) -> bool:
        """Only the number is the same: several people of one family or company may share it."""
        return self.cues == [DuplicateCue.PHONE]


class ComparisonMark(models.Model):
    """Up to which line of the history customers have been compared, and how far the day's comparison of everybody is."""

    name = models.CharField(max_length=20, unique=True)
    txid = models.BigIntegerField()
    line = models.BigIntegerField(default=0)
    compared_to = models.BigIntegerField(default=0, help_text="the last customer of the comparison that is under way")
    compared_at = models.DateTimeField(null=True, blank=True, help_text="None while one is under way")


# What a merge may take from the other customer.
MERGE_COLUMNS = (
    "name", "kind", "phone", "phone_2", "email", "uscc", "language", "channel", "no_calls", "quiet_from", "note",
    "contact_id",
)  # fmt: skip


class MergeState(models.TextChoices):
    DONE = "DONE", _("Merged")
    UNDONE = "UNDONE", _("Undone")


MERGE_MOVES: dict[MergeState, set[MergeState]] = {MergeState.DONE: {MergeState.UNDONE}, MergeState.UNDONE: set()}


class CustomerMerge(Root):
    """One customer merged into another: what both looked like and which rows moved, so that it can be undone (2.3)."""

    store_path = None

    kept = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    merged = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    state = models.CharField(max_length=6, choices=MergeState.choices, default=MergeState.DONE)
    before = models.JSONField(help_text="the kept customer's columns that the merge changed, as they were")
    after = models.JSONField(help_text="the same columns as the merge wrote them")
    rows = models.PositiveIntegerField(default=0)
    merged_at = models.DateTimeField(default=clock.now)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(MERGE_MOVES, field="state", name="customermerge_moves"),
            states.guard(
                "customermerge_fixed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR (OLD.kept_id, OLD.merged_id, OLD.before, OLD.after, OLD.rows, OLD.merged_at)
                        IS DISTINCT FROM (NEW.kept_id, NEW.merged_id, NEW.before, NEW.after, NEW.rows, NEW.merged_at)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="customer.merge_fixed",
                text=_("The record of a merge is never changed; undo the merge."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="customermerge_two", condition=~Q(kept=F("merged"))),
            models.UniqueConstraint(name="customermerge_once", fields=["merged"], condition=Q(state=MergeState.DONE)),
            models.CheckConstraint(
                name="customermerge_undone_at", condition=Q(state=MergeState.DONE) | Q(undone_at__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["kept", "-id"], name="customermerge_kept")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.kept.uid}


class MovedRow(models.Model):
    """One row that a merge gave to the kept customer; undoing gives exactly these back."""

    merge = models.ForeignKey(CustomerMerge, models.PROTECT, related_name="moved")
    label = models.CharField(max_length=60)
    field = models.CharField(max_length=30)
    row_id = models.BigIntegerField()

    class Meta:
        triggers = [pgtrigger.Protect(name="movedrow_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
        constraints = [
            models.UniqueConstraint(fields=["merge", "label", "field", "row_id"], name="movedrow_once"),
        ]


explain_constraint("duplicate_once", "duplicate.known", _("These two customers are already on the list."))
explain_constraint(
    "customermerge_once",
    "customer.merged",
    _("This customer was merged into another one; open that one, or undo the merge first."),
)


class ContactRole(models.TextChoices):
    """What a person is for a customer; one person may be several (2.3)."""

    OWNER = "OWNER", _("Owner")
    DRIVER = "DRIVER", _("Driver")
    PAYER = "PAYER", _("Pays")
    FLEET_MANAGER = "FLEET_MANAGER", _("Fleet manager")
    AUTHORISES = "AUTHORISES", _("May authorise work")


class CustomerContact(Root):
    """A person who speaks, drives or pays for a customer: the family's driver, the company's fleet manager (2.3)."""

    store_path = None

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contacts")
    name = models.CharField(_("name"), max_length=60)
    pinyin = models.CharField(max_length=160, blank=True, db_default="")
    pinyin_initials = models.CharField(max_length=40, blank=True, db_default="")
    phone = models.CharField(_("telephone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    roles = ArrayField(models.CharField(max_length=13, choices=ContactRole.choices))
    authorises_up_to = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="CNY with VAT an order; null: any amount"
    )
    authorises_from = models.DateField(null=True, blank=True)
    authorises_until = models.DateField(null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [states.versioned(), to_standing_customer("customercontact_standing_customer")]
        constraints = [
            models.CheckConstraint(name="customercontact_named", condition=~Q(name="")),
            models.CheckConstraint(
                name="customercontact_roles",
                condition=Q(roles__len__gt=0) & Q(roles__contained_by=ContactRole.values),
            ),
            # 3.2: work is agreed with somebody who can be asked.
            models.CheckConstraint(
                name="customercontact_reachable",
                condition=~Q(roles__contains=[ContactRole.AUTHORISES]) | ~Q(phone="") | ~Q(email=""),
            ),
            # 3.2: how much and how long is said of who may authorise, of nobody else.
            models.CheckConstraint(
                name="customercontact_authorises",
                condition=Q(authorises_up_to__isnull=True, authorises_from__isnull=True, authorises_until__isnull=True)
                | (
                    Q(roles__contains=[ContactRole.AUTHORISES])
                    & (Q(authorises_up_to__isnull=True) | Q(authorises_up_to__gt=0))
                    & (
                        Q(authorises_from__isnull=True)
                        | Q(authorises_until__isnull=True)
                        | Q(authorises_until__gte=F("authorises_from"))
                    )
                ),
            ),
        ]
        indexes = [  # 2.3: found in the search box as the customer is
            GinIndex(fields=["name"], name="customercontact_name_trgm", opclasses=["gin_trgm_ops"]),
            GinIndex(fields=["phone"], name="customercontact_phone_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["pinyin"], name="customercontact_pinyin", opclasses=["varchar_pattern_ops"]),
            models.Index(
                fields=["pinyin_initials"], name="customercontact_initials", opclasses=["varchar_pattern_ops"]
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.customer.uid}

    @property
    def role_labels(self) -> list[Any]:
        return [ContactRole(code).label for code in self.roles]

    def authorises_on(self, day: date) -> bool:
        """Whether this person may say yes to work on ``day``, a day of the store (3.2)."""
        return (
            self.ended_at is None
            and ContactRole.AUTHORISES in self.roles
            and (self.authorises_from is None or self.authorises_from <= day)
            and (self.authorises_until is None or day <= self.authorises_until)
        )


explain_constraint("customercontact_roles", "contact.roles", _("Choose at least one role from the list."))
explain_constraint(
    "customercontact_reachable",
    "contact.reachable",
    _("Whoever may authorise work needs a telephone number or an e-mail address."),
)
explain_constraint(
    "customercontact_authorises",
    "contact.authorises",
    _("An amount above nothing and a period that doesn't end before it begins, for who may authorise work."),
)


class TagColor(models.TextChoices):
    GREY = "GREY", _("Grey")
    BLUE = "BLUE", _("Blue")
    GREEN = "GREEN", _("Green")
    AMBER = "AMBER", _("Amber")
    VIOLET = "VIOLET", _("Violet")
    TEAL = "TEAL", _("Teal")


class CustomerTag(Root):
    """A word by which a store sorts its customers (2.3); another store has its own."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=20)
    color = models.CharField(_("colour"), max_length=8, choices=TagColor.choices, default=TagColor.GREY)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [states.versioned()]
        constraints = [
            models.CheckConstraint(name="customertag_named", condition=~Q(name="")),
            models.UniqueConstraint(
                name="customertag_name", fields=["store", "name"], condition=Q(ended_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CustomerTagging(Root):
    """A tag on a customer, from when until when (2.3)."""

    store_path = "tag__store_id"

    tag = models.ForeignKey(CustomerTag, models.PROTECT, related_name="taggings")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="taggings")
    at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            to_standing_customer("customertagging_standing_customer"),
            states.guard(
                # 2.3: a tag that was taken off the list marks nobody any more.
                "customertagging_standing_tag",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM reception_customertag WHERE id = NEW.tag_id AND ended_at IS NULL FOR SHARE;
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="tag.ended",
                text=_("This tag is no longer used; choose another one."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                name="customertagging_once", fields=["tag", "customer"], condition=Q(ended_at__isnull=True)
            )
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.customer.uid}


explain_constraint("customertag_name", "tag.name_taken", _("A tag of this name is already there."))
explain_constraint("customertagging_once", "tag.known", _("The customer already carries this tag."))


class WaitingMode(models.TextChoices):
    """STAR TransportEventTypes, the part used at the desk."""

    WAIT_AT_DEALER = "WAIT_AT_DEALER", _("Waits in the shop")
    LEAVE = "LEAVE", _("Comes back later")
    LOANER = "LOANER", _("Loan car")
    PICK_UP = "PICK_UP", _("Picked up and returned")


class AppointmentSource(models.TextChoices):
    PHONE = "PHONE", _("Telephone")
    CONSUMER_PORTAL = "CONSUMER_PORTAL", _("Online")
    SERVICE_ADVISOR_INITIATED = "SERVICE_ADVISOR_INITIATED", _("Advisor")
    DMS_DIRECT = "DMS_DIRECT", _("Other system")


class AppointmentState(models.TextChoices):
    REQUESTED = "REQUESTED", _("To be confirmed")
    CONFIRMED = "CONFIRMED", _("Confirmed")
    PREPARED = "PREPARED", _("Prepared")
    ARRIVED = "ARRIVED", _("Arrived")
    CANCELLED = "CANCELLED", _("Cancelled")
    NO_SHOW = "NO_SHOW", _("Did not come")


A = AppointmentState
APPOINTMENT_MOVES = {
    A.REQUESTED: {A.CONFIRMED, A.ARRIVED, A.CANCELLED, A.NO_SHOW},
    A.CONFIRMED: {A.PREPARED, A.ARRIVED, A.CANCELLED, A.NO_SHOW},
    A.PREPARED: {A.CONFIRMED, A.ARRIVED, A.CANCELLED, A.NO_SHOW},
    A.NO_SHOW: {A.CONFIRMED, A.ARRIVED},
    A.ARRIVED: set(),
    A.CANCELLED: set(),
}
EXPECTED_STATES = (A.REQUESTED, A.CONFIRMED, A.PREPARED)
"""A booking in one of these keeps its bay and technician; the car hasn't come yet."""


class DepositReason(models.TextChoices):
    """Why a deposit is asked for a booking (2.4)."""

    NO_SHOWS = "NO_SHOWS", pgettext_lazy("deposit", "bookings were missed before")
    PARTS = "PARTS", pgettext_lazy("deposit", "parts are ordered for it")


class Appointment(Root):
    """A booked arrival (2.4). ``starts_at`` is when the car comes, ``ready_at`` when it is promised."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="appointments")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="appointments")
    contact_name = models.CharField(_("contact"), max_length=60)
    contact_phone = models.CharField(_("telephone"), max_length=20)
    starts_at = models.DateTimeField(_("arrival"))
    work_starts_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(_("ready"), null=True, blank=True)
    advisor = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=30, choices=AppointmentSource.choices, default=AppointmentSource.PHONE)
    concern = models.CharField(_("customer's own words"), max_length=500)
    waiting_mode = models.CharField(max_length=16, choices=WaitingMode.choices, default=WaitingMode.LEAVE)
    estimated_amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    state = models.CharField(max_length=10, choices=A.choices, default=A.REQUESTED)
    parts_confirmed_at = models.DateTimeField(null=True, blank=True)
    workshop_confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=200, blank=True)
    replan_reason = models.CharField(max_length=200, blank=True, help_text="why the shop can't keep the time")
    replan_from = models.DateField(null=True, blank=True, help_text="the first day on which it can be kept")
    shop_moves = models.PositiveSmallIntegerField(default=0, help_text="how often the shop had to move it")
    deposit_asked = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0, editable=False)
    deposit_reason = models.CharField(
        max_length=8, choices=DepositReason.choices, blank=True, default="", db_default="", editable=False
    )

    class Meta:
        triggers = [
            states.versioned(),
            # What was asked for stands in the customer's message; nobody changes it behind.
            states.fixed("appointment_deposit_fixed", "deposit_asked", "deposit_reason"),
            states.fsm(APPOINTMENT_MOVES, field="state", name="appointment_moves", births=[A.REQUESTED, A.CONFIRMED]),
            to_standing_customer("appointment_standing_customer"),
        ]
        constraints = [
            models.CheckConstraint(
                # 2.4: prepared means that parts and workshop both confirmed.
                name="appointment_prepared_by_both",
                condition=~Q(state=A.PREPARED)
                | Q(parts_confirmed_at__isnull=False, workshop_confirmed_at__isnull=False),
            ),
            # What has to be planned anew isn't prepared.
            models.CheckConstraint(
                name="appointment_replan_unprepared", condition=~Q(state=A.PREPARED) | Q(replan_reason="")
            ),
            models.CheckConstraint(
                name="appointment_ready_after_arrival",
                condition=Q(ready_at__isnull=True) | Q(ready_at__gt=F("starts_at")),
            ),
            models.CheckConstraint(
                name="appointment_deposit",
                condition=Q(deposit_asked=0, deposit_reason="") | (Q(deposit_asked__gt=0) & ~Q(deposit_reason="")),
            ),
            models.CheckConstraint(
                name="appointment_cancel_reason", condition=~Q(state=A.CANCELLED) | ~Q(ended_reason="")
            ),
        ]
        indexes = [models.Index(fields=["store", "starts_at"], name="appointment_day")]

    def __str__(self) -> str:
        return self.number

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"vehicle": self.vehicle.uid, "customer": self.customer.uid}

    @property
    def is_expected(self) -> bool:
        return self.state in EXPECTED_STATES

    @property
    def day(self) -> date:
        """The store's day of the booked arrival."""
        return self.starts_at.astimezone(ZoneInfo(self.store.time_zone)).date()

    @property
    def is_of_today(self) -> bool:
        return self.day == clock.today(self.store.time_zone)

    @property
    def needs_replan(self) -> bool:
        """The shop can't keep the time and asks the customer for another one (2.4)."""
        return self.is_expected and bool(self.replan_reason)

    @property
    def late_minutes(self) -> int:
        """Whole minutes by which an expected car is late; 0 before its time. Computed, never typed (2.4)."""
        late = clock.now() - self.starts_at
        return max(0, int(late.total_seconds() // 60)) if self.is_expected else 0

    @property
    def is_hours_away(self) -> bool:
        """Whether a car that comes now comes well before its time."""
        return self.starts_at - clock.now() > WELL_BEFORE

    def go(self, state: AppointmentState, *, reason: str = "") -> None:
        """2.4: the next state; cancelling says why, prepared needs both confirmations."""
        states.require(APPOINTMENT_MOVES, A(self.state), state)
        if state == A.CANCELLED and not reason.strip():
            raise RuleError("appointment.reason", _("Say why it was cancelled."), field="reason")
        if state == A.PREPARED and not (self.parts_confirmed_at and self.workshop_confirmed_at):
            raise RuleError("appointment.prepared", _("Parts and workshop must both have confirmed."))
        self.state = state
        if reason:
            self.ended_reason = formats.one_line(reason)[:200]

    go.alters_data = True  # type: ignore[attr-defined]


explain_constraint(
    "appointment_prepared_by_both", "appointment.prepared", _("Parts and workshop must both have confirmed.")
)
explain_constraint("appointment_cancel_reason", "appointment.reason", _("Say why it was cancelled."))


class AppointmentItem(models.Model):
    """What is booked: an operation of the catalogue or words to be looked into, with hours and price of that day."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="items")
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, blank=True, related_name="+")
    description = models.CharField(max_length=120)
    hours = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        triggers = [states.ShownIn("appointment")]


class PartOfDay(models.TextChoices):
    ANY = "ANY", _("Any time")
    MORNING = "MORNING", _("Morning")
    AFTERNOON = "AFTERNOON", _("Afternoon")


class WaitingState(models.TextChoices):
    WAITING = "WAITING", _("On the waiting list")
    OFFERED = "OFFERED", _("A time is offered")
    BOOKED = "BOOKED", _("Booked from the list")
    WITHDRAWN = "WITHDRAWN", _("Taken off the list")
    EXPIRED = "EXPIRED", _("The days have passed")


W = WaitingState
WAITING_MOVES = {
    W.WAITING: {W.OFFERED, W.WITHDRAWN, W.EXPIRED},
    W.OFFERED: {W.WAITING, W.BOOKED, W.WITHDRAWN, W.EXPIRED},
    W.BOOKED: set(),
    W.WITHDRAWN: set(),
    W.EXPIRED: set(),
}
WAITING_STATES = (W.WAITING, W.OFFERED)


class WaitingEntry(Root):
    """A car that waits for a time on full days (2.4). What gets free is offered by message; who is first has it."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="waiting_entries")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="waiting_entries")
    contact_name = models.CharField(_("contact"), max_length=60)
    contact_phone = models.CharField(_("telephone"), max_length=20)
    operation_uids = ArrayField(models.UUIDField(), default=list, blank=True)
    what = models.CharField(_("what is to be done"), max_length=500)
    concern = models.CharField(_("customer's own words"), max_length=500)
    waiting_mode = models.CharField(max_length=16, choices=WaitingMode.choices, default=WaitingMode.LEAVE)
    advisor = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    first_day = models.DateField(_("from"))
    last_day = models.DateField(_("until"))
    part_of_day = models.CharField(max_length=10, choices=PartOfDay.choices, default=PartOfDay.ANY)
    state = models.CharField(max_length=10, choices=W.choices, default=W.WAITING)
    joined_at = models.DateTimeField(default=clock.now)
    offered_at = models.DateTimeField(null=True, blank=True, help_text="the time that is offered at present")
    offer_ends_at = models.DateTimeField(null=True, blank=True)
    appointment = models.OneToOneField(Appointment, models.PROTECT, null=True, blank=True, related_name="waiting_entry")
    replaces = models.ForeignKey(
        Appointment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="waiting_for_another",
        help_text="the booking that is moved where a time of the list is taken; it stays until then",
    )
    replaced_time = models.DateTimeField(null=True, blank=True, help_text="that booking's time when the car joined")
    ended_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(WAITING_MOVES, field="state", name="waitingentry_moves"),
            states.guard(
                # 2.4: what a time of the list replaces is a booking of the same car at the same shop.
                "waitingentry_replaces_own",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("replaces_id", "vehicle_id", "store_id"),
                func="""
                    IF NEW.replaces_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM reception_appointment a
                        WHERE a.id = NEW.replaces_id AND a.vehicle_id = NEW.vehicle_id AND a.store_id = NEW.store_id
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="waiting.replaces",
                text=_("Only a booking of the same car at the same shop is moved to a time of the list."),
            ),
            to_standing_customer("waitingentry_standing_customer"),
        ]
        constraints = [
            models.CheckConstraint(name="waitingentry_days", condition=Q(last_day__gte=F("first_day"))),
            models.CheckConstraint(
                name="waitingentry_booked",
                condition=(Q(state=W.BOOKED) & Q(appointment__isnull=False))
                | (~Q(state=W.BOOKED) & Q(appointment__isnull=True)),
            ),
            models.CheckConstraint(
                name="waitingentry_offered",
                condition=(Q(state=W.OFFERED) & Q(offered_at__isnull=False, offer_ends_at__isnull=False))
                | (~Q(state=W.OFFERED) & Q(offered_at__isnull=True, offer_ends_at__isnull=True)),
            ),
            models.CheckConstraint(name="waitingentry_reason", condition=~Q(state=W.WITHDRAWN) | ~Q(ended_reason="")),
            models.UniqueConstraint(
                name="waitingentry_one_open",
                fields=["store", "vehicle"],
                condition=Q(state__in=[W.WAITING, W.OFFERED]),
            ),
        ]
        indexes = [models.Index(fields=["store", "state", "joined_at"], name="waitingentry_queue")]

    def __str__(self) -> str:
        return self.what

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"vehicle": self.vehicle.uid, "customer": self.customer.uid}

    @property
    def is_open(self) -> bool:
        return self.state in WAITING_STATES

    def go(self, state: WaitingState, *, reason: str = "") -> None:
        """2.4: the next state; what was offered ends with it, taking off says why."""
        states.require(WAITING_MOVES, W(self.state), state)
        if state == W.WITHDRAWN and not reason.strip():
            raise RuleError("waiting.reason", _("Say why it is taken off the list."), field="reason")
        self.state = state
        if state != W.OFFERED:
            self.offered_at = self.offer_ends_at = None
        self.ended_reason = formats.one_line(reason)[:200] or self.ended_reason

    go.alters_data = True  # type: ignore[attr-defined]


explain_constraint("waitingentry_reason", "waiting.reason", _("Say why it is taken off the list."))
explain_constraint("waitingentry_one_open", "waiting.already", _("This car is on the waiting list already."))
explain_constraint("waitingentry_days", "waiting.days", _("The last day must not lie before the first."))


class OfferState(models.TextChoices):
    OPEN = "OPEN", _("Offered")
    TAKEN = "TAKEN", _("Taken")
    DECLINED = "DECLINED", _("Declined")
    LOST = "LOST", _("Somebody was quicker")
    EXPIRED = "EXPIRED", _("Not answered")


OFFER_MOVES = {
    OfferState.OPEN: {OfferState.TAKEN, OfferState.DECLINED, OfferState.LOST, OfferState.EXPIRED},
    OfferState.TAKEN: set(),
    OfferState.DECLINED: set(),
    OfferState.LOST: set(),
    OfferState.EXPIRED: set(),
}


def new_offer_token() -> str:
    return secrets.token_urlsafe(18)


class SlotOffer(Root):
    """A free time offered to one car of the waiting list by a link that takes it once (2.4)."""

    store_path = "entry__store_id"

    entry = models.ForeignKey(WaitingEntry, models.PROTECT, related_name="offers")
    token = models.CharField(max_length=40, unique=True, default=new_offer_token)
    starts_at = models.DateTimeField()
    ready_at = models.DateTimeField()
    sent_at = models.DateTimeField(default=clock.now)
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=OfferState.choices, default=OfferState.OPEN)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.versioned(),
            states.fsm(OFFER_MOVES, field="state", name="slotoffer_moves"),
        ]
        constraints = [
            models.UniqueConstraint(name="slotoffer_one_open", fields=["entry"], condition=Q(state=OfferState.OPEN)),
            models.UniqueConstraint(name="slotoffer_once", fields=["entry", "starts_at"]),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.entry.history_keys()

    def go(self, state: OfferState) -> None:
        states.require(OFFER_MOVES, OfferState(self.state), state)
        self.state = state

    go.alters_data = True  # type: ignore[attr-defined]


class CalendarFeed(Root):
    """The address under which a calendar program fetches bookings of an employee or a customer (2.4)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="calendar_feeds")
    token = models.CharField(max_length=40, unique=True, default=new_offer_token)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                "calendarfeed_token_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.token IS DISTINCT FROM NEW.token OR (OLD.stopped_at IS NOT NULL AND NEW.stopped_at IS NULL)"
                ),
                func="{refuse}",
                code="calendar.stays",
                text=_("A calendar address is replaced by a new one; one that was stopped stays stopped."),
            ),
            to_standing_customer("calendarfeed_standing_customer"),
        ]
        constraints = [
            models.CheckConstraint(
                name="calendarfeed_one_owner",
                condition=Q(employee__isnull=False, customer__isnull=True)
                | Q(employee__isnull=True, customer__isnull=False),
            ),
            models.UniqueConstraint(
                name="calendarfeed_one_live", fields=["employee"], condition=Q(stopped_at__isnull=True)
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"customer": self.customer.uid if self.customer else None}


class VisitState(models.TextChoices):
    """Domain 2.1: 已到店→接待中→(咨询结束 | 转工单 | 转销售 | 离店未接待); then the car stays until it leaves."""

    WAITING = "WAITING", _("Waiting")
    IN_RECEPTION = "IN_RECEPTION", _("In reception")
    IN_SHOP = "IN_SHOP", _("In the shop")
    AWAY = "AWAY", _("Away until its part comes")
    CONSULTED = "CONSULTED", _("Consultation ended")
    SALES_LEAD = "SALES_LEAD", _("Handed to sales")
    LEFT_UNSERVED = "LEFT_UNSERVED", _("Left without reception")
    DEPARTED = "DEPARTED", _("Departed")


class ArrivalKind(models.TextChoices):
    """2.1.2: how the car came into the shop's hands. Whoever doesn't stand beside it sees the walk-around elsewhere."""

    IN_PERSON = "IN_PERSON", _("Customer brings it")
    PICKED_UP = "PICKED_UP", _("Fetched by us")
    KEY_DROP = "KEY_DROP", _("Key dropped at night")
    TOWED_IN = "TOWED_IN", _("Towed in")


V = VisitState
VISIT_MOVES = {
    V.WAITING: {V.IN_RECEPTION, V.LEFT_UNSERVED},
    V.IN_RECEPTION: {V.IN_SHOP, V.CONSULTED, V.SALES_LEAD},
    V.IN_SHOP: {V.DEPARTED, V.AWAY},
    V.AWAY: {V.IN_SHOP},
    V.CONSULTED: set(),
    V.SALES_LEAD: set(),
    V.LEFT_UNSERVED: set(),
    V.DEPARTED: set(),
}


class Visit(Root):
    """One stay of one car (2.1.2). Queue, greeting clock, key, place and the one exit."""

    link_path = "id"

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    appointment = models.OneToOneField(Appointment, models.PROTECT, null=True, blank=True, related_name="visit")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="visits")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="visits")
    contact_name = models.CharField(_("brought by"), max_length=60)
    contact_phone = models.CharField(_("telephone"), max_length=20)
    model_text = models.CharField(_("model"), max_length=80)
    need = models.CharField(_("what is needed"), max_length=500)
    advisor = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="visits")
    state = models.CharField(max_length=14, choices=V.choices, default=V.WAITING)
    waiting_mode = models.CharField(max_length=16, choices=WaitingMode.choices, default=WaitingMode.WAIT_AT_DEALER)
    arrival_kind = models.CharField(
        _("how it came"),
        max_length=9,
        choices=ArrivalKind.choices,
        default=ArrivalKind.IN_PERSON,
        db_default=ArrivalKind.IN_PERSON,
    )
    key_locker = models.CharField(_("envelope or locker"), max_length=20, blank=True, db_default="")
    key_left_at = models.DateTimeField(_("key left at"), null=True, blank=True)
    tow_company = models.CharField(_("towed by"), max_length=60, blank=True, db_default="")
    towed_from = models.CharField(_("towed from"), max_length=120, blank=True, db_default="")
    arrived_at = models.DateTimeField(default=clock.now)
    greeted_at = models.DateTimeField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    shown_at = models.DateTimeField(
        null=True, blank=True, help_text="2.1.2: when the walk-around was last put on the customer's link"
    )
    promised_at = models.DateTimeField(_("promised"), null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    area = models.CharField(_("led to"), max_length=40, blank=True)
    key_tag = models.CharField(_("key tag"), max_length=10, blank=True)
    key_holder = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    parking_place = models.CharField(_("place"), max_length=20, blank=True)
    odometer_in_km = models.PositiveIntegerField(null=True, blank=True)
    odometer_out_km = models.PositiveIntegerField(null=True, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True, help_text="2.1.4: reception, 1 to 5")
    rating_words = models.CharField(
        max_length=300, blank=True, db_default="", help_text="2.1.4: why, in the customer's words"
    )
    ended_note = models.CharField(
        _("why or how it ended"), max_length=300, blank=True, help_text="left unserved, or what the consultation led to"
    )

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(VISIT_MOVES, field="state", name="visit_moves"),
            states.fixed("visit_arrival_kind_fixed", "arrival_kind"),
            to_standing_customer("visit_standing_customer"),
        ]
        constraints = [
            # 2.1.2: name, contact, model and need are mandatory.
            models.CheckConstraint(
                name="visit_mandatory_fields",
                condition=~Q(contact_name="") & ~Q(contact_phone="") & ~Q(model_text="") & ~Q(need=""),
            ),
            models.CheckConstraint(
                name="visit_greeted_before_reception",
                condition=Q(state__in=[V.WAITING, V.LEFT_UNSERVED])
                | Q(greeted_at__isnull=False, advisor__isnull=False),
            ),
            models.CheckConstraint(
                name="visit_signed_before_shop",
                condition=~Q(state__in=[V.IN_SHOP, V.AWAY, V.DEPARTED])
                | Q(signed_at__isnull=False)
                | (~Q(arrival_kind=ArrivalKind.IN_PERSON) & Q(shown_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="visit_key_drop_written",
                condition=~Q(arrival_kind=ArrivalKind.KEY_DROP)
                | (~Q(key_locker="") & Q(key_left_at__isnull=False, key_left_at__lte=F("arrived_at"))),
            ),
            models.CheckConstraint(
                name="visit_tow_written",
                condition=~Q(arrival_kind=ArrivalKind.TOWED_IN) | (~Q(tow_company="") & ~Q(towed_from="")),
            ),
            models.CheckConstraint(name="visit_departed_at", condition=~Q(state=V.DEPARTED) | Q(left_at__isnull=False)),
            models.UniqueConstraint(
                name="visit_one_open_per_vehicle",
                fields=["vehicle"],
                condition=Q(state__in=[V.WAITING, V.IN_RECEPTION, V.IN_SHOP, V.AWAY]),
            ),
            models.UniqueConstraint(
                name="visit_key_tag",
                fields=["store", "key_tag"],
                condition=Q(state__in=[V.WAITING, V.IN_RECEPTION, V.IN_SHOP]) & ~Q(key_tag=""),
            ),
            models.CheckConstraint(
                name="visit_rating", condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5)
            ),
            models.CheckConstraint(  # 2.1.4: words belong to a rating
                name="visit_rating_words", condition=Q(rating_words="") | Q(rating__isnull=False)
            ),
            # 1.1: no stage is skipped without a recorded reason.
            models.CheckConstraint(
                name="visit_unserved_reason", condition=~Q(state=V.LEFT_UNSERVED) | ~Q(ended_note="")
            ),
        ]
        indexes = [models.Index(fields=["store", "state", "arrived_at"], name="visit_board")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"visit": self.uid, "vehicle": self.vehicle.uid, "customer": self.customer.uid}

    @property
    def area_label(self) -> Any:
        """The area's word; older rows may hold one that is no longer on the list."""
        return Area(self.area).label if self.area in Area.values else self.area

    @property
    def is_open(self) -> bool:
        """The car is here: waiting, being received or in the shop."""
        return self.state in OPEN_VISITS

    @property
    def is_seen(self) -> bool:
        """The order may be written: the walk-around is signed, or laid before a customer who didn't bring the car."""
        return self.signed_at is not None or (self.arrival_kind != ArrivalKind.IN_PERSON and self.shown_at is not None)

    @property
    def came_early(self) -> bool:
        """2.4: a booked car that stands here well before its time; bay and technician are kept for then."""
        booked = self.appointment
        return booked is not None and booked.starts_at - self.arrived_at > WELL_BEFORE

    @property
    def awaits_confirmation(self) -> bool:
        """2.1.2: work waits until the customer, who wasn't there, has seen the car's state."""
        return self.is_open and self.arrival_kind != ArrivalKind.IN_PERSON and self.signed_at is None

    def greet(self, *, advisor: Employee) -> None:
        """2.1.2: somebody receives the customer; the greeting clock stops."""
        states.require(VISIT_MOVES, V(self.state), V.IN_RECEPTION)
        self.state, self.advisor, self.greeted_at = V.IN_RECEPTION, advisor, clock.now()

    def leave_unserved(self, *, reason: str) -> None:
        """1.1: the customer leaves before anybody received them; the reason stays."""
        states.require(VISIT_MOVES, V(self.state), V.LEFT_UNSERVED)
        if not reason.strip():
            raise RuleError("visit.unserved_reason", _("Say why the customer left."), field="reason")
        self.state, self.left_at, self.ended_note = V.LEFT_UNSERVED, clock.now(), reason.strip()[:300]

    def end_consultation(self, *, outcome: V, note: str) -> None:
        """2.1.2: the question is answered, or it goes on to sales; no work is done on the car."""
        if outcome not in (V.CONSULTED, V.SALES_LEAD):
            raise RuleError("visit.outcome", _("A consultation ends answered or handed to sales."), field="outcome")
        states.require(VISIT_MOVES, V(self.state), outcome)
        self.state, self.left_at, self.ended_note = outcome, clock.now(), note.strip()[:300]

    def admit(self) -> None:
        """2.1.2: an order is opened; the walk-around was signed before, or stands on the link of who isn't here."""
        states.require(VISIT_MOVES, V(self.state), V.IN_SHOP)
        if not self.is_seen:
            raise RuleError("visit.signature", _("The walk-around isn't signed yet."))
        self.state = V.IN_SHOP

    def go_away(self) -> None:
        """3.2: the customer drives on while a part is on its way; tag and place get free, the promise is made anew."""
        states.require(VISIT_MOVES, V(self.state), V.AWAY)
        self.state, self.key_tag, self.key_holder, self.parking_place, self.promised_at = V.AWAY, "", None, "", None

    def come_back(self) -> None:
        """3.2: the car is here again for its part."""
        states.require(VISIT_MOVES, V(self.state), V.IN_SHOP)
        if self.state != V.AWAY:
            raise RuleError("visit.not_away", _("This car isn't away."))
        self.state = V.IN_SHOP

    def depart(self, *, odometer_km: int, odometer_reason: str = "") -> None:
        """4.1: the car leaves through the one exit of its visit; a lower mileage (new instrument) needs a reason."""
        states.require(VISIT_MOVES, V(self.state), V.DEPARTED)
        if self.odometer_in_km is not None and odometer_km < self.odometer_in_km and not odometer_reason.strip():
            raise RuleError(
                "visit.odometer_out",
                _("The mileage on leaving is lower than on arrival (%(km)s km); read it again, or say why."),
                field="odometer_km",
                km=self.odometer_in_km,
            )
        self.state, self.left_at, self.odometer_out_km, self.key_holder = V.DEPARTED, clock.now(), odometer_km, None

    greet.alters_data = leave_unserved.alters_data = end_consultation.alters_data = True  # type: ignore[attr-defined]
    go_away.alters_data = come_back.alters_data = True  # type: ignore[attr-defined]
    admit.alters_data = depart.alters_data = True  # type: ignore[attr-defined]


OPEN_VISITS = (V.WAITING, V.IN_RECEPTION, V.IN_SHOP)


explain_constraint(
    "visit_mandatory_fields", "visit.mandatory", _("Name, contact, model and need must all be filled in (2.1.2).")
)
explain_constraint("visit_one_open_per_vehicle", "visit.open", _("This car is already in the shop; open its visit."))
explain_constraint("visit_key_tag", "visit.key_tag", _("This key tag is on another car's key; take another one."))
explain_constraint("visit_signed_before_shop", "visit.signature", _("The walk-around isn't signed yet."))
explain_constraint(
    "visit_key_drop_written",
    "visit.key_drop",
    _("For a key dropped at night write the envelope or locker and when the key was left."),
)
explain_constraint("visit_tow_written", "visit.tow", _("For a car towed in write who towed it and from where."))
explain_constraint("visit_unserved_reason", "visit.unserved_reason", _("Say why the customer left."))
explain_constraint("visit_rating", "visit.rating", _("Rate from 1 to 5."))
explain_constraint("visit_rating_words", "visit.rating_first", _("Rate the reception first, then say why."))


# --- fetching and bringing back (2.1.2 取送车) ---


class TransportKind(models.TextChoices):
    PICK_UP = "PICK_UP", _("Fetch the car")
    RETURN = "RETURN", _("Bring the car back")


class TransportState(models.TextChoices):
    PLANNED = "PLANNED", pgettext_lazy("transport", "Planned")
    UNDERWAY = "UNDERWAY", _("On the way")
    DONE = "DONE", pgettext_lazy("transport", "Arrived")
    CANCELLED = "CANCELLED", pgettext_lazy("transport", "Cancelled")


T_ = TransportState
TRANSPORT_MOVES: dict[TransportState, set[TransportState]] = {
    T_.PLANNED: {T_.UNDERWAY, T_.CANCELLED},
    T_.UNDERWAY: {T_.DONE, T_.CANCELLED, T_.PLANNED},
    T_.DONE: set(),
    T_.CANCELLED: set(),
}
OPEN_TRANSPORTS = (T_.PLANNED, T_.UNDERWAY)


class TimeSpan(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Transport(Root):
    """A car is fetched from its customer or brought back (2.1.2): driver, time window, address, readings at the door."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=7, choices=TransportKind.choices)
    state = models.CharField(max_length=9, choices=T_.choices, default=T_.PLANNED)
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="transports")
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="transports")
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="transports")
    driver = models.ForeignKey(Employee, models.PROTECT, related_name="transports")
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    address = models.CharField(_("address"), max_length=200)
    contact_name = models.CharField(_("contact"), max_length=60)
    contact_phone = models.CharField(_("telephone"), max_length=20)
    set_out_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    odometer_km = models.PositiveIntegerField(_("mileage at the door (km)"), null=True, blank=True)
    energy_eighths = models.PositiveSmallIntegerField(_("fuel or charge at the door"), null=True, blank=True)
    ended_note = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [states.versioned(), states.fsm(TRANSPORT_MOVES, field="state", name="transport_moves")]
        constraints = [
            models.CheckConstraint(name="transport_window", condition=Q(ends_at__gt=F("starts_at"))),
            models.CheckConstraint(
                name="transport_where", condition=~Q(address="") & ~Q(contact_name="") & ~Q(contact_phone="")
            ),
            models.CheckConstraint(
                name="transport_return_of_visit", condition=Q(kind=TransportKind.PICK_UP) | Q(visit__isnull=False)
            ),
            models.CheckConstraint(
                name="transport_done_read",
                condition=~Q(state=T_.DONE) | Q(visit__isnull=False, done_at__isnull=False, odometer_km__isnull=False),
            ),
            models.CheckConstraint(
                name="transport_cancelled_why", condition=~Q(state=T_.CANCELLED) | ~Q(ended_note="")
            ),
            models.CheckConstraint(
                name="transport_energy", condition=Q(energy_eighths__isnull=True) | Q(energy_eighths__lte=8)
            ),
            models.UniqueConstraint(
                name="transport_one_open", fields=["vehicle"], condition=Q(state__in=[T_.PLANNED, T_.UNDERWAY])
            ),
            ExclusionConstraint(
                name="transport_driver_free",
                expressions=[
                    ("driver", RangeOperators.EQUAL),
                    (TimeSpan("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=[T_.PLANNED, T_.UNDERWAY]),
            ),
        ]
        indexes = [models.Index(fields=["store", "state", "starts_at"], name="transport_board")]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {"vehicle": self.vehicle.uid, "visit": self.visit.uid if self.visit else None}

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_TRANSPORTS

    def go(self, state: TransportState, *, note: str = "") -> None:
        """The next state; calling it off says why."""
        states.require(TRANSPORT_MOVES, T_(self.state), state)
        if state == T_.CANCELLED and not note.strip():
            raise RuleError("transport.reason", _("Say why it is called off."), field="reason")
        self.state = state
        self.ended_note = formats.one_line(note)[:200]
        if state == T_.UNDERWAY:
            self.set_out_at = clock.now()
        elif state == T_.DONE:
            self.done_at = clock.now()

    go.alters_data = True  # type: ignore[attr-defined]


explain_constraint("transport_window", "transport.window", _("The window ends after it begins."))
explain_constraint("transport_one_open", "transport.open", _("This car is already to be fetched or brought back."))
explain_constraint("transport_driver_free", "transport.driver_busy", _("The driver is on another way in this time."))
explain_constraint("transport_cancelled_why", "transport.reason", _("Say why it is called off."))
explain_constraint(
    "transport_done_read", "transport.reading", _("First take the car over: the mileage is read at the door.")
)


class Area(models.TextChoices):
    """2.1.2: where the customer is led to; the area is recorded."""

    LOUNGE = "LOUNGE", _("Waiting lounge")
    WORKSHOP = "WORKSHOP", _("Workshop window")
    BODY_SHOP = "BODY_SHOP", _("Body and paint desk")
    PARTS = "PARTS", _("Parts and accessories")
    CASHIER = "CASHIER", _("Cash desk")
    SHOWROOM = "SHOWROOM", _("Showroom")
    EXIT = "EXIT", _("Way out")


class ToldBy(models.TextChoices):
    """How the customer heard of a new promise."""

    IN_PERSON = "IN_PERSON", _("In person")
    PHONE = "PHONE", _("By telephone")
    MESSAGE = "MESSAGE", _("By message")


class VisitPromise(models.Model):
    """One promise of a hand-over time with its reason; a new one never erases the one before (1.3, 4.1)."""

    visit = models.ForeignKey(Visit, models.CASCADE, related_name="promises")
    promised_at = models.DateTimeField()
    reason = models.CharField(max_length=200)
    told = models.CharField(max_length=10, choices=ToldBy.choices, blank=True)
    made_at = models.DateTimeField(default=clock.now)
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(name="visitpromise_ahead", condition=Q(promised_at__gt=F("made_at"))),
            models.CheckConstraint(name="visitpromise_reason", condition=~Q(reason="")),
        ]
        triggers = [pgtrigger.Protect(name="visitpromise_append_only", operation=pgtrigger.Update | pgtrigger.Delete)]


explain_constraint("visitpromise_ahead", "visit.promise_past", _("A promise lies in the future."))
explain_constraint("visitpromise_reason", "visit.promise_reason", _("Say why this time is promised."))


def new_token() -> str:
    return secrets.token_urlsafe(18)


class VisitLink(Root):
    """The one link of a visit: progress, decisions, papers, survey, without log-in (1.3)."""

    store_path = "visit__store_id"
    link_path: ClassVar[str | None] = "visit_id"

    visit = models.OneToOneField(Visit, models.CASCADE, related_name="link")
    token = models.CharField(max_length=40, unique=True, default=new_token)
    expires_at = models.DateTimeField()
    first_viewed_at = models.DateTimeField(null=True, blank=True)
    last_viewed_at = models.DateTimeField(null=True, blank=True)
    views = models.PositiveIntegerField(default=0)

    class Meta:
        triggers = [states.versioned()]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()


class WalkAroundState(models.TextChoices):
    DRAFT = "DRAFT", _("Under way")
    SENT = "SENT", _("With the customer")
    SIGNED = "SIGNED", _("Signed")


WALKAROUND_MOVES: dict[WalkAroundState, set[WalkAroundState]] = {
    WalkAroundState.DRAFT: {WalkAroundState.SENT, WalkAroundState.SIGNED},
    WalkAroundState.SENT: {WalkAroundState.DRAFT, WalkAroundState.SIGNED},
    WalkAroundState.SIGNED: set(),
}


class SignedWhere(models.TextChoices):
    """Where the customer put the name under the walk-around."""

    DESK = "DESK", _("In the shop")
    DOOR = "DOOR", _("At the customer's door")
    LINK = "LINK", _("On the customer's link")


class OldParts(models.TextChoices):
    TAKE = "TAKE", _("Customer takes them")
    LEAVE = "LEAVE", _("Shop disposes of them")


class WalkAround(Root):
    """The walk-around (环检): state of the car as the customer signed it (2.1.2). A signed one is never changed, and what
    a customer who wasn't there has before them stays as it is until they confirm or dispute it."""

    store_path = "visit__store_id"
    link_path = "visit_id"

    visit = models.OneToOneField(Visit, models.PROTECT, related_name="walkaround")
    state = models.CharField(max_length=6, choices=WalkAroundState.choices, default=WalkAroundState.DRAFT)
    odometer_km = models.PositiveIntegerField(_("mileage (km)"), null=True, blank=True)
    odometer_reason = models.CharField(_("why lower than before"), max_length=200, blank=True)
    odometer_unread = models.CharField(_("why it can't be read"), max_length=200, blank=True, db_default="")
    energy_eighths = models.PositiveSmallIntegerField(_("fuel or charge (eighths)"), null=True, blank=True)
    warning_lights = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    belongings = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    kit_fitted = models.BooleanField(_("protective kit fitted in front of the customer"), default=False)
    no_valuables = models.BooleanField(_("customer confirms: no valuables"), default=False)
    old_parts = models.CharField(max_length=6, choices=OldParts.choices, blank=True)
    own_words = models.CharField(_("customer's own words"), max_length=500, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_name = models.CharField(_("signed by"), max_length=60, blank=True)
    signed_where = models.CharField(max_length=4, choices=SignedWhere.choices, blank=True, db_default="")
    signature = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    disputed_at = models.DateTimeField(null=True, blank=True)
    dispute = models.CharField(_("what isn't right"), max_length=500, blank=True, db_default="")

    class Meta:
        triggers = [
            states.ShownIn("visit"),
            states.versioned(),
            states.fsm(WALKAROUND_MOVES, field="state", name="walkaround_moves"),
            states.guard(
                "walkaround_signed_is_final",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state = 'SIGNED'"),
                func="{refuse}",
                code="walkaround.signed",
                text=_("The customer has signed this walk-around; it can't be changed any more."),
            ),
            states.guard(
                # 2.1.2: valuables are asked for before anybody signs.
                "walkaround_valuables_asked",
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.state = 'SIGNED' AND NOT NEW.no_valuables"),
                func="IF TG_OP = 'UPDATE' AND OLD.state = 'SIGNED' THEN RETURN NEW; END IF; {refuse}",
                code="walkaround.incomplete",
                text=_("Ask the customer to take valuables along and confirm it."),
            ),
            states.guard(
                # 2.1.2: what the customer reads on the link is what they confirm.
                "walkaround_sent_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.state = 'SENT'"),
                func="""
                    IF ROW(OLD.odometer_km, OLD.odometer_reason, OLD.odometer_unread, OLD.energy_eighths,
                           OLD.warning_lights, OLD.belongings, OLD.kit_fitted, OLD.own_words)
                       IS DISTINCT FROM ROW(NEW.odometer_km, NEW.odometer_reason, NEW.odometer_unread,
                           NEW.energy_eighths, NEW.warning_lights, NEW.belongings, NEW.kit_fitted, NEW.own_words)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="walkaround.sent",
                text=_("The customer has this walk-around on the link; take it back before you change it."),
            ),
            states.guard(
                # 2.1.2: who stands beside the car signs; only a car that came another way is confirmed from afar.
                "walkaround_sent_elsewhere",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
                condition=pgtrigger.Condition("NEW.state = 'SENT' OR NEW.signed_where = 'LINK'"),
                func="""
                    IF EXISTS (SELECT 1 FROM reception_visit WHERE id = NEW.visit_id AND arrival_kind = 'IN_PERSON')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="walkaround.in_person",
                text=_("The customer brought this car: they sign the walk-around beside it."),
            ),
            states.guard(
                # 2.1.2: only a car on a tow truck may have a dead instrument.
                "walkaround_unread_towed",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("odometer_unread"),
                condition=pgtrigger.Condition("NEW.odometer_unread <> ''"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM reception_visit WHERE id = NEW.visit_id AND arrival_kind = 'TOWED_IN')
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="walkaround.unread",
                text=_("Only the mileage of a car that was towed in may stay unread."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="walkaround_complete_when_signed",
                condition=~Q(state=WalkAroundState.SIGNED)
                | (
                    Q(signed_at__isnull=False)
                    & (Q(odometer_km__isnull=False, energy_eighths__isnull=False) | ~Q(odometer_unread=""))
                    & ~Q(signed_name="")
                    & ~Q(old_parts="")
                ),
            ),
            models.CheckConstraint(
                name="walkaround_complete_when_sent",
                condition=~Q(state=WalkAroundState.SENT)
                | Q(odometer_km__isnull=False, energy_eighths__isnull=False)
                | ~Q(odometer_unread=""),
            ),
            models.CheckConstraint(
                name="walkaround_energy",
                condition=Q(energy_eighths__isnull=True) | Q(energy_eighths__lte=8),
            ),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.visit.history_keys()

    @property
    def warning_light_labels(self) -> list[Any]:
        return [WarningLight(code).label for code in self.warning_lights if code in WarningLight.values]

    @property
    def belonging_labels(self) -> list[Any]:
        return [Belonging(code).label for code in self.belongings if code in Belonging.values]


explain_constraint(
    "walkaround_complete_when_sent",
    "walkaround.incomplete",
    _("Before it goes to the customer: mileage and fuel or charge."),
)
explain_constraint(
    "walkaround_complete_when_signed",
    "walkaround.incomplete",
    _("Before the signature: mileage, fuel or charge, what happens to old parts, and the name of the signer."),
)


class WarningLight(models.TextChoices):
    ENGINE = "ENGINE", _("Engine")
    OIL = "OIL", _("Oil pressure")
    COOLANT = "COOLANT", _("Coolant")
    BRAKE = "BRAKE", _("Brakes")
    ABS = "ABS", _("ABS")
    AIRBAG = "AIRBAG", _("Airbag")
    TPMS = "TPMS", _("Tyre pressure")
    BATTERY = "BATTERY", _("12 V battery")
    HIGH_VOLTAGE = "HIGH_VOLTAGE", _("High voltage")
    OTHER = "OTHER", _("Other light")


class Belonging(models.TextChoices):
    SPARE_WHEEL = "SPARE_WHEEL", _("Spare wheel")
    TOOLS = "TOOLS", _("Tool kit")
    JACK = "JACK", _("Jack")
    TRIANGLE = "TRIANGLE", _("Warning triangle")
    CHARGER = "CHARGER", _("Charging cable")
    DOCUMENTS = "DOCUMENTS", _("Car papers")
    DASHCAM = "DASHCAM", _("Dashcam")
    CHILD_SEAT = "CHILD_SEAT", _("Child seat")
    OTHER = "OTHER", _("Other things")


class DamageSide(models.TextChoices):
    FRONT = "FRONT", _("Front")
    LEFT = "LEFT", _("Left")
    TOP = "TOP", _("Top")
    RIGHT = "RIGHT", _("Right")
    REAR = "REAR", _("Rear")


class CarPart(models.TextChoices):
    """What lies under a mark on the drawing (``rules.car_part``)."""

    BONNET = "BONNET", _("Bonnet")
    WINDSCREEN = "WINDSCREEN", _("Windscreen")
    ROOF = "ROOF", _("Roof")
    REAR_WINDOW = "REAR_WINDOW", _("Rear window")
    BOOT_LID = "BOOT_LID", _("Boot lid")
    GRILLE = "GRILLE", _("Grille")
    FRONT_BUMPER = "FRONT_BUMPER", _("Front bumper")
    REAR_BUMPER = "REAR_BUMPER", _("Rear bumper")
    LEFT_LAMP = "LEFT_LAMP", _("Left headlamp")
    LEFT_TAIL_LAMP = "LEFT_TAIL_LAMP", _("Left tail lamp")
    LEFT_FRONT_WING = "LEFT_FRONT_WING", _("Left front wing")
    LEFT_REAR_WING = "LEFT_REAR_WING", _("Left rear wing")
    LEFT_FRONT_DOOR = "LEFT_FRONT_DOOR", _("Left front door")
    LEFT_REAR_DOOR = "LEFT_REAR_DOOR", _("Left rear door")
    LEFT_FRONT_WINDOW = "LEFT_FRONT_WINDOW", _("Left front window")
    LEFT_REAR_WINDOW = "LEFT_REAR_WINDOW", _("Left rear window")
    LEFT_FRONT_WHEEL = "LEFT_FRONT_WHEEL", _("Left front wheel")
    LEFT_REAR_WHEEL = "LEFT_REAR_WHEEL", _("Left rear wheel")
    RIGHT_LAMP = "RIGHT_LAMP", _("Right headlamp")
    RIGHT_TAIL_LAMP = "RIGHT_TAIL_LAMP", _("Right tail lamp")
    RIGHT_FRONT_WING = "RIGHT_FRONT_WING", _("Right front wing")
    RIGHT_REAR_WING = "RIGHT_REAR_WING", _("Right rear wing")
    RIGHT_FRONT_DOOR = "RIGHT_FRONT_DOOR", _("Right front door")
    RIGHT_REAR_DOOR = "RIGHT_REAR_DOOR", _("Right rear door")
    RIGHT_FRONT_WINDOW = "RIGHT_FRONT_WINDOW", _("Right front window")
    RIGHT_REAR_WINDOW = "RIGHT_REAR_WINDOW", _("Right rear window")
    RIGHT_FRONT_WHEEL = "RIGHT_FRONT_WHEEL", _("Right front wheel")
    RIGHT_REAR_WHEEL = "RIGHT_REAR_WHEEL", _("Right rear wheel")


class DamageKind(models.TextChoices):
    DENT = "DENT", _("Dent")
    SCRATCH = "SCRATCH", _("Scratch")
    CHIP = "CHIP", _("Stone chip")
    CRACK = "CRACK", _("Crack")
    MISSING = "MISSING", _("Missing")
    RUST = "RUST", _("Rust")


class DamageMark(models.Model):
    """One mark on the sketch; x and y in thousandths of the side's drawing."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    walkaround = models.ForeignKey(WalkAround, models.CASCADE, related_name="marks")
    side = models.CharField(max_length=5, choices=DamageSide.choices)
    kind = models.CharField(max_length=8, choices=DamageKind.choices)
    place = models.CharField(max_length=40, blank=True)
    x = models.PositiveSmallIntegerField(default=500)
    y = models.PositiveSmallIntegerField(default=500)
    size_mm = models.PositiveIntegerField(null=True, blank=True)
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(name="damagemark_inside", condition=Q(x__lte=1000, y__lte=1000))]
        triggers = [
            states.ShownIn("walkaround__visit"),
            states.guard(
                "damagemark_walkaround_open",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("current", "text")],
                func="""
                    SELECT state INTO current FROM reception_walkaround
                    WHERE id = COALESCE(NEW.walkaround_id, OLD.walkaround_id) FOR SHARE;
                    IF current = 'SIGNED' THEN {refuse} END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
                code="walkaround.signed",
                text=_("The customer has signed this walk-around; it can't be changed any more."),
            ),
            states.guard(
                "damagemark_walkaround_sent",
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                declare=[("current", "text")],
                func="""
                    SELECT state INTO current FROM reception_walkaround
                    WHERE id = COALESCE(NEW.walkaround_id, OLD.walkaround_id) FOR SHARE;
                    IF current = 'SENT' THEN {refuse} END IF;
                    RETURN COALESCE(NEW, OLD);
                """,
                code="walkaround.sent",
                text=_("The customer has this walk-around on the link; take it back before you change it."),
            ),
        ]

    @property
    def where(self) -> str:
        """What the advisor wrote, else the part that was tapped; a mark from the list names its side alone."""
        if self.place:
            return self.place
        if (self.x, self.y) == (500, 500):
            return str(DamageSide(self.side).label)
        return str(CarPart(rules.car_part(self.side, self.x, self.y)).label)


class VisitPhoto(models.Model):
    """A photo of the visit; ``place`` says what it shows (左前, 仪表, a damage …)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    visit = models.ForeignKey(Visit, models.CASCADE, related_name="photos")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    place = models.CharField(max_length=20, blank=True)
    mark = models.ForeignKey(DamageMark, models.SET_NULL, null=True, blank=True, related_name="photos")
    taken_at = models.DateTimeField(default=clock.now)

    class Meta:
        triggers = [states.ShownIn("visit")]
        ordering = ["id"]


# --- consultations (2.2) ---


class ConsultationChannel(models.TextChoices):
    """2.2.1: how a question came in; each channel has limits of its own."""

    PHONE = "PHONE", _("Telephone")
    MISSED_CALL = "MISSED_CALL", _("Missed call")
    WECHAT = "WECHAT", _("WeChat")
    EMAIL = "EMAIL", _("E-mail")
    WEB_FORM = "WEB_FORM", _("Web form")
    API = "API", _("Other system")
    WALK_IN = "WALK_IN", _("At the desk")
    REVIEW = "REVIEW", _("Review site")


class ConsultationTopic(models.TextChoices):
    """2.2.2: what is asked about."""

    MODEL = "MODEL", _("Models")
    PRICE = "PRICE", _("Prices")
    INTERVAL = "INTERVAL", _("Maintenance intervals")
    WARRANTY = "WARRANTY", _("Warranty policy")
    AFTER_SALES = "AFTER_SALES", _("After-sales service")
    OTHER = "OTHER", _("Something else")


class ConsultationState(models.TextChoices):
    """Domain 2.2: 待响应→处理中→已答复→(客户确认 | 转预约 | 已到店 | 转销售线索 | 关闭)."""

    AWAITING = "AWAITING", _("Waits for an answer")
    IN_PROGRESS = "IN_PROGRESS", pgettext_lazy("question", "Being looked into")
    ANSWERED = "ANSWERED", _("Answered")
    CONFIRMED = "CONFIRMED", _("Settled for the customer")
    BOOKED = "BOOKED", _("Became a booking")
    VISITED = "VISITED", _("Became a visit")
    SALES_LEAD = "SALES_LEAD", _("Handed to sales")
    CLOSED = "CLOSED", pgettext_lazy("question", "Closed")


Q_ = ConsultationState
CONSULTATION_ENDS = (Q_.CONFIRMED, Q_.BOOKED, Q_.VISITED, Q_.SALES_LEAD, Q_.CLOSED)
CONSULTATION_MOVES: dict[ConsultationState, set[ConsultationState]] = {
    Q_.AWAITING: {Q_.IN_PROGRESS, Q_.ANSWERED, Q_.BOOKED, Q_.VISITED, Q_.SALES_LEAD, Q_.CLOSED},
    Q_.IN_PROGRESS: {Q_.AWAITING, Q_.ANSWERED, Q_.BOOKED, Q_.VISITED, Q_.SALES_LEAD, Q_.CLOSED},
    Q_.ANSWERED: {Q_.AWAITING, Q_.CONFIRMED, Q_.BOOKED, Q_.VISITED, Q_.SALES_LEAD, Q_.CLOSED},
    # The customer writes again in the same thread: it is open again, with clocks of its own.
    **{end: {Q_.AWAITING} for end in CONSULTATION_ENDS},
}


class Consultation(Root):
    """One thread of questions and answers (2.2). Who asks may be unknown; a known customer or car is matched."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    channel = models.CharField(_("channel"), max_length=12, choices=ConsultationChannel.choices)
    topic = models.CharField(
        _("topic"), max_length=12, choices=ConsultationTopic.choices, default=ConsultationTopic.OTHER
    )
    subject = models.CharField(_("subject"), max_length=160, blank=True)
    contact_name = models.CharField(_("name"), max_length=60, blank=True)
    contact_phone = models.CharField(_("telephone"), max_length=20, blank=True)
    contact_email = models.CharField(_("e-mail"), max_length=120, blank=True)
    model_text = models.CharField(_("model"), max_length=80, blank=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="consultations")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="consultations")
    state = models.CharField(max_length=12, choices=Q_.choices, default=Q_.AWAITING)
    assignee = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="consultations")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, blank=True, related_name="consultations")
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="consultations")
    asked_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_note = models.CharField(max_length=300, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.fsm(CONSULTATION_MOVES, field="state", name="consultation_moves", births=[Q_.AWAITING]),
        ]
        constraints = [
            models.CheckConstraint(
                name="consultation_ended_at",
                condition=Q(state__in=CONSULTATION_ENDS, ended_at__isnull=False)
                | (~Q(state__in=CONSULTATION_ENDS) & Q(ended_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="consultation_contact",
                condition=~Q(contact_name="") | ~Q(contact_phone="") | ~Q(contact_email=""),
            ),
            models.CheckConstraint(name="consultation_close_reason", condition=~Q(state=Q_.CLOSED) | ~Q(ended_note="")),
            models.CheckConstraint(
                name="consultation_booking", condition=~Q(state=Q_.BOOKED) | Q(appointment__isnull=False)
            ),
            models.CheckConstraint(name="consultation_visit", condition=~Q(state=Q_.VISITED) | Q(visit__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["store", "state", "asked_at"], name="consultation_inbox"),
            GinIndex(fields=["subject"], name="consultation_subject_trgm", opclasses=["gin_trgm_ops"]),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {
            "customer": self.customer.uid if self.customer else None,
            "vehicle": self.vehicle.uid if self.vehicle else None,
        }

    @property
    def is_open(self) -> bool:
        return self.state not in CONSULTATION_ENDS

    @property
    def who(self) -> str:
        """Whatever is known of who asks."""
        return self.contact_name or self.contact_phone or self.contact_email

    def move(self, state: ConsultationState) -> None:
        """Goes on to ``state``; an end is dated, a thread that is open again has none."""
        states.require(CONSULTATION_MOVES, Q_(self.state), state)
        self.state = state
        self.ended_at = clock.now() if state in CONSULTATION_ENDS else None
        if state not in CONSULTATION_ENDS:
            self.ended_note = ""

    move.alters_data = True  # type: ignore[attr-defined]


explain_constraint(
    "consultation_contact", "consultation.contact", _("Write down a name, a telephone number or an e-mail address.")
)
explain_constraint("consultation_close_reason", "consultation.close_reason", _("Say why it is closed."))


class MessageDirection(models.TextChoices):
    IN = "IN", _("from the customer")
    OUT = "OUT", _("to the customer")
    NOTE = "NOTE", _("note for colleagues")


class AnswerWay(models.TextChoices):
    """How an answer goes out: the first two are sent by the system, the others are written down."""

    EMAIL = "EMAIL", _("By e-mail")
    SMS = "SMS", _("By SMS")
    WECHAT = "WECHAT", _("Written in WeChat")
    PHONE = "PHONE", _("Said on the telephone")
    IN_PERSON = "IN_PERSON", _("Said at the desk")


class ConsultationMessage(models.Model):
    """One word of a thread, kept as it was said (2.2.1)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consultation = models.ForeignKey(Consultation, models.PROTECT, related_name="messages")
    direction = models.CharField(max_length=4, choices=MessageDirection.choices)
    way = models.CharField(max_length=12)
    body = models.TextField()
    at = models.DateTimeField(default=clock.now)
    author = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    actor_kind = models.CharField(max_length=8)
    actor_id = models.CharField(max_length=64)

    class Meta:
        ordering = ["at", "id"]
        triggers = [
            states.ShownIn("consultation"),
            pgtrigger.Protect(name="consultationmessage_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]
        constraints = [models.CheckConstraint(name="consultationmessage_words", condition=~Q(body=""))]


class ConsultationMail(models.Model):
    """The mail behind a message of a thread: taken once by its content, found again by what answers it (2.2.1)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    message = models.OneToOneField(ConsultationMessage, models.PROTECT, related_name="mail")
    sha256 = models.CharField(max_length=64)
    mail_id = models.CharField(max_length=250, blank=True)
    references = models.TextField(blank=True)

    class Meta:
        triggers = [
            pgtrigger.Protect(name="consultationmail_append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]
        constraints = [models.UniqueConstraint(name="consultationmail_once", fields=["store", "sha256"])]
        indexes = [models.Index(fields=["store", "mail_id"], name="consultationmail_thread")]


class ConsultationAttachment(models.Model):
    """A file that came with a mail: kept where it is what may be kept, else named with the reason."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    message = models.ForeignKey(ConsultationMessage, models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=120, blank=True)
    size = models.PositiveIntegerField()
    file = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    refused_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="consultationattachment_kept_or_refused",
                condition=Q(file__isnull=False, refused_because="") | (Q(file__isnull=True) & ~Q(refused_because="")),
            )
        ]


class MailboxMark(models.Model):
    """Up to which mail a mailbox has been read; it never goes back within one making of the folder (2.2.1)."""

    name = models.CharField(max_length=300, unique=True)
    uid_validity = models.BigIntegerField()
    last_uid = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        triggers = [
            states.guard(
                "mailboxmark_forward",
                operation=pgtrigger.Update,
                func="""
                    IF NEW.uid_validity = OLD.uid_validity AND NEW.last_uid < OLD.last_uid THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="mailbox.mark",
                text=_("The mark of a mailbox only goes forward."),
            )
        ]


class ClockKind(models.TextChoices):
    RESPONSE = "RESPONSE", _("Answer")
    RESOLUTION = "RESOLUTION", pgettext_lazy("question", "Settlement")


DUE = ExpressionWrapper(F("started_at") + F("limit"), output_field=models.DateTimeField())


class ConsultationClock(models.Model):
    """2.2.1: a limit that runs. ``limit`` in elapsed or (``working_only``) opening time; ``due_at`` is computed from it,
    the calendar and the pauses, and is empty while a pause holds the clock. ``late`` is the database's own."""

    consultation = models.ForeignKey(Consultation, models.PROTECT, related_name="clocks")
    kind = models.CharField(max_length=10, choices=ClockKind.choices)
    started_at = models.DateTimeField()
    limit = models.DurationField()
    working_only = models.BooleanField()
    soon_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    met_at = models.DateTimeField(null=True, blank=True)
    late = models.GeneratedField(
        expression=Case(
            When(met_at__isnull=False, due_at__isnull=False, then=Q(met_at__gt=F("due_at"))),
            default=None,
            output_field=models.BooleanField(null=True),
        ),
        output_field=models.BooleanField(null=True),
        db_persist=True,
    )

    class Meta:
        ordering = ["started_at", "id"]
        triggers = [
            states.ShownIn("consultation"),
            states.guard(
                "consultationclock_computed",
                operation=pgtrigger.Update,
                func="""
                    IF NEW.consultation_id <> OLD.consultation_id OR NEW.kind <> OLD.kind
                        OR NEW.started_at <> OLD.started_at OR NEW."limit" <> OLD."limit"
                        OR NEW.working_only <> OLD.working_only
                        OR (OLD.met_at IS NOT NULL
                            AND (NEW.met_at IS DISTINCT FROM OLD.met_at OR NEW.due_at IS DISTINCT FROM OLD.due_at))
                        OR (NEW.due_at IS DISTINCT FROM OLD.due_at AND (NEW.kind = 'RESPONSE' OR NOT EXISTS (
                            SELECT 1 FROM reception_consultationpause p WHERE p.consultation_id = NEW.consultation_id
                        )))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="consultation.clock",
                text=_("A limit that runs is computed; nobody sets it."),
            ),
            states.guard(
                "consultationclock_met",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("met_at"),
                func="""
                    IF NEW.met_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.met_at IS NULL) AND NOT EXISTS (
                        SELECT 1 FROM reception_consultation c WHERE c.id = NEW.consultation_id AND c.ended_at = NEW.met_at
                    ) AND NOT (NEW.kind = 'RESPONSE' AND EXISTS (
                        SELECT 1 FROM reception_consultationmessage m WHERE m.consultation_id = NEW.consultation_id
                            AND m.direction = 'OUT' AND m.at = NEW.met_at
                    )) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="consultation.clock_met",
                text=_("A limit is met by an answer or by the end of the question, by nothing else."),
            ),
            states.guard(
                "consultationclock_email",
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.kind = 'RESPONSE' AND (NEW.working_only OR NEW."limit" > interval '24 hours') AND EXISTS (
                        SELECT 1 FROM reception_consultation c WHERE c.id = NEW.consultation_id AND c.channel = 'EMAIL'
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="consultation.email_limit",
                text=_("An e-mail is answered within 24 hours, whatever the calendar says (2.2.1)."),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="consultationclock_due",
                condition=Q(due_at__isnull=True, kind=ClockKind.RESOLUTION)
                | Q(due_at__isnull=False, due_at__gte=DUE, working_only=True)
                | Q(due_at__isnull=False, due_at__gte=DUE, kind=ClockKind.RESOLUTION)
                | Q(due_at__isnull=False, due_at=DUE),
            ),
            models.CheckConstraint(
                name="consultationclock_met_has_due", condition=Q(met_at__isnull=True) | Q(due_at__isnull=False)
            ),
            models.UniqueConstraint(
                name="consultationclock_one_running",
                fields=["consultation", "kind"],
                condition=Q(met_at__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="consultationclock_running", condition=Q(met_at__isnull=True))]


class ConsultationPause(models.Model):
    """A time in which the customer has the word; the clock of the settlement stands (2.2.1)."""

    consultation = models.ForeignKey(Consultation, models.PROTECT, related_name="pauses")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["started_at", "id"]
        constraints = [
            models.UniqueConstraint(
                name="consultationpause_one_open", fields=["consultation"], condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(
                name="consultationpause_order",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
            ),
        ]


class EscalationStep(models.TextChoices):
    SOON = "SOON", _("Limit is near")
    BREACHED = "BREACHED", _("Limit has passed")
    MANAGER = "MANAGER", _("Manager told")


class ConsultationEscalation(models.Model):
    """A step of the escalation, taken once for one clock (2.2.1)."""

    on = models.ForeignKey(ConsultationClock, models.PROTECT, related_name="escalations")
    step = models.CharField(max_length=8, choices=EscalationStep.choices)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(name="consultationescalation_once", fields=["on", "step"])]


class ConsultationPresence(models.Model):
    """Who has the thread open just now, so that two people don't answer at once."""

    consultation = models.ForeignKey(Consultation, models.CASCADE, related_name="presences")
    employee = models.ForeignKey(Employee, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="consultationpresence_once", fields=["consultation", "employee"])]


class AnswerTemplate(Root):
    """A text that answers a usual question, with fields in braces (2.2.2). Of the whole group."""

    store_path = None

    title = models.CharField(_("title"), max_length=60)
    topic = models.CharField(_("topic"), max_length=12, choices=ConsultationTopic.choices)
    body = models.TextField(_("text"))
    active = models.BooleanField(_("in use"), default=True)

    class Meta:
        triggers = [states.versioned()]
        ordering = ["topic", "title"]
        constraints = [models.UniqueConstraint(name="answertemplate_title", fields=["title"])]


explain_constraint("answertemplate_title", "template.title", _("There is a template with this title."))


# --- knowledge (2.2.2) ---
class KnowledgeArticle(Root):
    """What the shop answers to a usual question (2.2.2), of the whole group. Its words stand in its versions.

    ``owner`` looks at it again by ``review_on``; ``pinyin`` of the title serves the search.
    """

    store_path = None

    title = models.CharField(_("title"), max_length=80)
    pinyin = models.CharField(max_length=400, blank=True)
    topic = models.CharField(_("topic"), max_length=12, choices=ConsultationTopic.choices)
    owner = models.ForeignKey(Employee, models.PROTECT, related_name="knowledge")
    review_on = models.DateField(_("look at it again by"))
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="knowledgearticle_kept", operation=pgtrigger.Delete),
        ]
        ordering = ["topic", "title"]
        constraints = [
            models.UniqueConstraint(name="knowledgearticle_title", fields=["title"]),
            models.CheckConstraint(
                name="knowledgearticle_withdrawn",
                condition=Q(withdrawn_at__isnull=True) | ~Q(withdrawn_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.title


explain_constraint("knowledgearticle_title", "article.title", _("There is an article with this title."))
explain_constraint("knowledgearticle_withdrawn", "article.reason", _("Say why the article is withdrawn."))


class KnowledgeVersion(models.Model):
    """The words of an article from a day on, never changed afterwards (2.2.2). In force on a day is the highest number
    that has begun; ``ends_on`` (its last day) ends it where nothing follows: an offer, a policy with a date."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    article = models.ForeignKey(KnowledgeArticle, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=80)
    body = models.TextField()
    source = models.CharField(_("source"), max_length=160, blank=True)
    starts_on = models.DateField(_("in force from"))
    ends_on = models.DateField(_("in force until"), null=True, blank=True)
    author = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["article", "number"]
        triggers = [
            states.ShownIn("article"),
            pgtrigger.Protect(name="knowledgeversion_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                "knowledgeversion_follows",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM reception_knowledgearticle a
                        WHERE a.id = NEW.article_id AND a.withdrawn_at IS NULL FOR SHARE;
                    IF NOT FOUND OR NEW.number <> (
                        SELECT COALESCE(max(v.number), 0) + 1 FROM reception_knowledgeversion v
                        WHERE v.article_id = NEW.article_id
                    ) OR EXISTS (
                        SELECT 1 FROM reception_knowledgeversion v
                        WHERE v.article_id = NEW.article_id AND v.starts_on > NEW.starts_on
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="article.follows",
                text=_("A version follows the one before it, in number and in day, and only in an article in use."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="knowledgeversion_number", fields=["article", "number"]),
            models.CheckConstraint(name="knowledgeversion_words", condition=~Q(body="") & ~Q(title="")),
            models.CheckConstraint(
                name="knowledgeversion_days", condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on"))
            ),
        ]
        indexes = [
            GinIndex(fields=["body"], name="knowledgeversion_body_trgm", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"


class Citation(models.Model):
    """An answer names the article and the version that it was taken from (2.2.2); kept as it was."""

    message = models.ForeignKey(ConsultationMessage, models.PROTECT, related_name="citations")
    cited = models.ForeignKey(KnowledgeVersion, models.PROTECT, related_name="citations")

    class Meta:
        ordering = ["id"]
        triggers = [
            pgtrigger.Protect(name="citation_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                "citation_in_force",
                operation=pgtrigger.Insert,
                func="""
                    PERFORM 1 FROM reception_consultationmessage m
                        JOIN reception_consultation c ON c.id = m.consultation_id
                        JOIN kernel_store s ON s.id = c.store_id
                        JOIN reception_knowledgeversion v ON v.id = NEW.cited_id
                        JOIN reception_knowledgearticle a ON a.id = v.article_id
                        WHERE m.id = NEW.message_id AND m.direction = 'OUT'
                            AND v.starts_on <= (m.at AT TIME ZONE s.time_zone)::date
                            AND (v.ends_on IS NULL OR v.ends_on >= (m.at AT TIME ZONE s.time_zone)::date)
                            AND a.withdrawn_at IS NULL
                            AND NOT EXISTS (
                                SELECT 1 FROM reception_knowledgeversion later WHERE later.article_id = v.article_id
                                    AND later.number > v.number
                                    AND later.starts_on <= (m.at AT TIME ZONE s.time_zone)::date
                            );
                    IF NOT FOUND THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="consultation.cite",
                text=_("An answer names a version that is in force on its day (2.2.2)."),
            ),
        ]
        constraints = [models.UniqueConstraint(name="citation_once", fields=["message", "cited"])]


# --- quotations (2.2.2) ---
class Quotation(Root):
    """Prices drawn from the live price list and promised until ``valid_until`` (a day of the store, included).

    It is written with its lines and then sealed by ``total`` (CNY with VAT); from then on nothing of it changes. Until
    its last day an order of the same car or person costs no more (the workshop's lines name the quotation's).
    """

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    number = models.CharField(max_length=30, unique=True)
    consultation = models.ForeignKey(Consultation, models.PROTECT, null=True, blank=True, related_name="quotations")
    contact_name = models.CharField(_("name"), max_length=60, blank=True)
    contact_phone = models.CharField(_("telephone"), max_length=20, blank=True)
    model_text = models.CharField(_("model"), max_length=80, blank=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="quotations")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="quotations")
    quoted_at = models.DateTimeField(default=clock.now)
    quoted_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    valid_until = models.DateField(_("valid until"))
    total = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="quotation_kept", operation=pgtrigger.Delete),
            to_standing_customer("quotation_standing_customer"),
            states.guard(
                "quotation_sealed",
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF TG_OP = 'INSERT' THEN
                        IF NEW.total IS NOT NULL THEN {refuse} END IF;
                        RETURN NEW;
                    END IF;
                    IF to_jsonb(NEW) - ARRAY['total', 'customer_id', 'vehicle_id', 'version', 'updated_at']
                        <> to_jsonb(OLD) - ARRAY['total', 'customer_id', 'vehicle_id', 'version', 'updated_at']
                        OR (OLD.total IS NOT NULL AND NEW.total IS DISTINCT FROM OLD.total)
                        OR (OLD.total IS NULL AND NEW.total IS NOT NULL AND NEW.total IS DISTINCT FROM (
                            SELECT sum(l.amount + COALESCE((
                                SELECT sum(p.amount) FROM reception_quotationpart p WHERE p.line_id = l.id
                            ), 0)) FROM reception_quotationline l WHERE l.quotation_id = NEW.id
                        ))
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="quotation.sealed",
                text=_("A quotation stays as it was given; write a new one."),
            ),
        ]
        constraints = [
            models.CheckConstraint(name="quotation_contact", condition=~Q(contact_name="") | ~Q(contact_phone="")),
        ]
        indexes = [
            models.Index(fields=["store", "valid_until"], name="quotation_valid"),
            models.Index(fields=["contact_phone"], name="quotation_phone", condition=~Q(contact_phone="")),
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return {
            "customer": self.customer.uid if self.customer else None,
            "vehicle": self.vehicle.uid if self.vehicle else None,
        }

    @property
    def who(self) -> str:
        """Whatever is known of who got it."""
        return self.contact_name or self.contact_phone

    def holds(self, on: date) -> bool:
        """Whether the shop is bound by it on a day of the store."""
        return self.total is not None and on <= self.valid_until


explain_constraint("quotation_contact", "quotation.contact", _("Write down a name or a telephone number."))


class QuotationLine(models.Model):
    """An operation at the labour rate of the day, or a new car at its price; ``amount`` is without parts."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    quotation = models.ForeignKey(Quotation, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    operation = models.ForeignKey(Operation, models.PROTECT, null=True, blank=True, related_name="+")
    model = models.ForeignKey(VehicleModel, models.PROTECT, null=True, blank=True, related_name="+")
    description = models.CharField(max_length=120)
    hours = models.DecimalField(max_digits=5, decimal_places=2, default=0)
    rate = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ["quotation", "position"]
        triggers = [
            states.ShownIn("quotation"),
            pgtrigger.Protect(name="quotationline_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                "quotationline_live_price",
                operation=pgtrigger.Insert,
                declare=[("shop", "bigint"), ("day", "date"), ("car", "bigint")],
                func="""
                    SELECT q.store_id, (q.quoted_at AT TIME ZONE s.time_zone)::date, v.model_id INTO shop, day, car
                        FROM reception_quotation q JOIN kernel_store s ON s.id = q.store_id
                        LEFT JOIN reception_vehicle v ON v.id = q.vehicle_id
                        WHERE q.id = NEW.quotation_id AND q.total IS NULL FOR SHARE OF q;
                    IF shop IS NULL OR NOT (CASE WHEN NEW.operation_id IS NOT NULL THEN EXISTS (
                        SELECT 1 FROM catalogue_operation o JOIN catalogue_laborrate r ON r.store_id = shop
                            AND r.pay_type = 'CUSTOMER_PAY' AND day BETWEEN r.starts_on AND COALESCE(r.ends_on, day)
                        WHERE o.id = NEW.operation_id AND r.rate = NEW.rate
                            AND NEW.amount = round(NEW.hours * r.rate, 2)
                            AND NEW.hours = COALESCE((
                                SELECT h.hours FROM catalogue_operationhours h
                                WHERE h.operation_id = o.id AND h.model_id = car
                            ), o.hours)
                    ) ELSE EXISTS (
                        SELECT 1 FROM catalogue_modelprice m WHERE m.store_id = shop AND m.model_id = NEW.model_id
                            AND day BETWEEN m.starts_on AND COALESCE(m.ends_on, day) AND m.price = NEW.amount
                    ) END) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="quotation.live_price",
                text=_("A quotation's prices are those of the price list on its day (2.2.2)."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="quotationline_position", fields=["quotation", "position"]),
            models.CheckConstraint(
                name="quotationline_what",
                condition=Q(operation__isnull=False, model__isnull=True)
                | Q(operation__isnull=True, model__isnull=False, hours=0, rate=0),
            ),
        ]


class QuotationPart(models.Model):
    """A part that goes with a quoted operation, at its price of the day."""

    line = models.ForeignKey(QuotationLine, models.PROTECT, related_name="parts")
    part = models.ForeignKey(Part, models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=10, decimal_places=2)
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        ordering = ["line", "id"]
        triggers = [
            pgtrigger.Protect(name="quotationpart_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.guard(
                "quotationpart_live_price",
                operation=pgtrigger.Insert,
                declare=[("shop", "bigint"), ("day", "date")],
                func="""
                    SELECT q.store_id, (q.quoted_at AT TIME ZONE s.time_zone)::date INTO shop, day
                        FROM reception_quotationline l JOIN reception_quotation q ON q.id = l.quotation_id
                        JOIN kernel_store s ON s.id = q.store_id
                        WHERE l.id = NEW.line_id AND l.operation_id IS NOT NULL AND q.total IS NULL FOR SHARE OF q;
                    IF shop IS NULL OR NEW.amount <> round(NEW.quantity * NEW.unit_price, 2) OR NOT EXISTS (
                        SELECT 1 FROM catalogue_partprice p WHERE p.store_id = shop AND p.part_id = NEW.part_id
                            AND day BETWEEN p.starts_on AND COALESCE(p.ends_on, day) AND p.price = NEW.unit_price
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="quotation.live_price",
                text=_("A quotation's prices are those of the price list on its day (2.2.2)."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="quotationpart_once", fields=["line", "part"]),
            models.CheckConstraint(name="quotationpart_quantity", condition=Q(quantity__gt=0)),
        ]


class SalesLead(Root):
    """A question that sales goes on with: contact, model and topic as they were handed over (2.2.2)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    consultation = models.OneToOneField(Consultation, models.PROTECT, related_name="lead")
    contact_name = models.CharField(_("name"), max_length=60)
    contact_phone = models.CharField(_("telephone"), max_length=20)
    model_text = models.CharField(_("model"), max_length=80)
    topic = models.CharField(_("topic"), max_length=12, choices=ConsultationTopic.choices)
    note = models.CharField(_("note"), max_length=300, blank=True)
    handed_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        triggers = [
            states.versioned(),
            pgtrigger.Protect(name="saleslead_kept", operation=pgtrigger.Delete),
        ]
        constraints = [
            models.CheckConstraint(
                name="saleslead_contact", condition=~Q(contact_name="") & ~Q(contact_phone="") & ~Q(model_text="")
            )
        ]

    def history_keys(self) -> dict[str, uuid.UUID | None]:
        return self.consultation.history_keys()


class EveningCount(Root):
    """The evening count: cars on the ground, keys on the board and open visits compared (issue: keys and places)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    day = models.DateField()
    counted_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    remark = models.CharField(max_length=300, blank=True)

    class Meta:
        triggers = [states.versioned()]
        constraints = [models.UniqueConstraint(fields=["store", "day"], name="eveningcount_once")]

    @property
    def all_found(self) -> bool:
        """Every car and every key was where it should be."""
        return all(line.car_found and line.key_found for line in self.lines.all())


explain_constraint("eveningcount_once", "evening.counted", _("Today's evening count is already written down."))


class EveningCountLine(models.Model):
    """One open visit as found in the evening."""

    count = models.ForeignKey(EveningCount, models.CASCADE, related_name="lines")
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="+")
    car_found = models.BooleanField()
    key_found = models.BooleanField()
    place = models.CharField(max_length=20, blank=True)
    remark = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["count", "visit"], name="eveningcountline_once")]


# --- opening checklists (2.1.1) ---


class CheckArea(models.TextChoices):
    """Where the shop receives its customers (2.1.1)."""

    DESK = "DESK", _("Front desk")
    LOUNGE = "LOUNGE", _("Waiting lounge")
    OUTSIDE = "OUTSIDE", _("Entrance and parking")


class Checklist(Root):
    """What is looked at before one area opens in one shift of a store (2.1.1), due so many minutes after it begins."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    area = models.CharField(_("area"), max_length=8, choices=CheckArea.choices)
    shift = models.ForeignKey(Shift, models.PROTECT, related_name="+", verbose_name=_("shift"))
    due_minutes = models.PositiveSmallIntegerField(_("due so many minutes after the shift begins"), default=15)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        triggers = [states.versioned()]
        constraints = [
            models.UniqueConstraint(
                fields=["store", "area", "shift"], name="checklist_once", condition=Q(ends_on__isnull=True)
            ),
            models.CheckConstraint(name="checklist_due", condition=Q(due_minutes__lte=240)),
        ]

    def __str__(self) -> str:
        return f"{self.get_area_display()} · {self.shift.name}"

    def due_on(self, day: date) -> datetime:
        """When it is due on ``day``: the shift's beginning at the store and the minutes given for it."""
        begins = datetime.combine(day, self.shift.starts, tzinfo=ZoneInfo(self.store.time_zone))
        return begins + timedelta(minutes=self.due_minutes)

    def drawn_on(self, day: date, items: Iterable[ChecklistItem]) -> ChecklistItem:
        """The item that is photographed in any case: drawn from day, store and checklist with the house's secret.

        The same for everybody and however often it is asked; nobody can work it out beforehand or draw again.
        """

        def lot(item: ChecklistItem) -> str:
            return salted_hmac("opening-check", f"{day} {self.store_id} {self.uid} {item.uid}").hexdigest()

        return max(items, key=lot)


explain_constraint(
    "checklist_once", "checklist.once", _("This area has a checklist for this shift already; change that one.")
)


class ChecklistItem(models.Model):
    """One thing to look at; where it isn't in order a photo may be demanded."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    checklist = models.ForeignKey(Checklist, models.PROTECT, related_name="items")
    text = models.CharField(max_length=80)
    photo_if_wrong = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["id"]
        triggers = [states.ShownIn("checklist")]
        constraints = [models.CheckConstraint(name="checklistitem_text", condition=~Q(text=""))]


class OpeningCheck(Root):
    """A checklist as it was gone through on a day, once; ``drawn`` is the item photographed in any case (2.1.1)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    checklist = models.ForeignKey(Checklist, models.PROTECT, related_name="checks")
    day = models.DateField()
    due_at = models.DateTimeField()
    drawn = models.ForeignKey(ChecklistItem, models.PROTECT, related_name="+")
    checked_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(default=clock.now)
    note = models.CharField(_("for the next shift"), max_length=300, blank=True)

    class Meta:
        triggers = [
            states.versioned(),
            states.guard(
                "openingcheck_kept",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR (OLD.store_id, OLD.checklist_id, OLD.day, OLD.due_at, OLD.drawn_id,
                        OLD.checked_by_id, OLD.checked_at, OLD.note) IS DISTINCT FROM (NEW.store_id, NEW.checklist_id,
                        NEW.day, NEW.due_at, NEW.drawn_id, NEW.checked_by_id, NEW.checked_at, NEW.note)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="check.kept",
                text=_("A check that was written down stays as it is; what is put right is noted on its open points."),
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["checklist", "day"], name="openingcheck_once")]
        indexes = [models.Index(fields=["store", "day"], name="openingcheck_day")]

    @property
    def late_minutes(self) -> int:
        """Whole minutes after the hour at which it was due."""
        return max(0, int((self.checked_at - self.due_at).total_seconds() // 60))


explain_constraint("openingcheck_once", "check.done", _("A colleague has written down this check already."))


class OpeningAnswer(models.Model):
    """One item as it was found, with its words of that day. What wasn't in order is an open point until it is put right."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    check_of = models.ForeignKey(OpeningCheck, models.PROTECT, related_name="answers")
    item = models.ForeignKey(ChecklistItem, models.PROTECT, related_name="+")
    text = models.CharField(max_length=80)
    in_order = models.BooleanField()
    remark = models.CharField(max_length=120, blank=True)
    photo = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")
    righted_at = models.DateTimeField(null=True, blank=True)
    righted_by = models.ForeignKey(Employee, models.PROTECT, null=True, blank=True, related_name="+")
    righted_how = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.ShownIn("check_of"),
            states.guard(
                "openinganswer_photo",
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.photo_id IS NULL AND (
                        EXISTS (SELECT 1 FROM reception_openingcheck c
                            WHERE c.id = NEW.check_of_id AND c.drawn_id = NEW.item_id)
                        OR (NOT NEW.in_order AND EXISTS (SELECT 1 FROM reception_checklistitem i
                            WHERE i.id = NEW.item_id AND i.photo_if_wrong))
                    ) THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="check.photo",
                text=_("Take a photo of the item that was drawn, and of what isn't in order where it is asked for."),
            ),
            states.guard(
                "openinganswer_kept",
                operation=pgtrigger.Update | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'DELETE' OR OLD.in_order OR OLD.righted_at IS NOT NULL OR
                        (OLD.check_of_id, OLD.item_id, OLD.text, OLD.in_order, OLD.remark, OLD.photo_id) IS DISTINCT FROM
                        (NEW.check_of_id, NEW.item_id, NEW.text, NEW.in_order, NEW.remark, NEW.photo_id)
                    THEN {refuse} END IF;
                    RETURN NEW;
                """,
                code="check.kept",
                text=_("A check that was written down stays as it is; what is put right is noted on its open points."),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["check_of", "item"], name="openinganswer_once"),
            models.CheckConstraint(name="openinganswer_remark", condition=Q(in_order=True) | ~Q(remark="")),
            models.CheckConstraint(
                name="openinganswer_righted",
                condition=Q(righted_at__isnull=True, righted_by__isnull=True, righted_how="")
                | (Q(righted_at__isnull=False, righted_by__isnull=False, in_order=False) & ~Q(righted_how="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["check_of"],
                name="openinganswer_open",
                condition=Q(in_order=False, righted_at__isnull=True),
            )
        ]


explain_constraint("openinganswer_remark", "check.remark", _("Say what isn't in order."))


# --- effect of the reception (2.1.4) ---


class ReceptionNote(models.Model):
    """服务反馈记录: what the customer said about the reception, written down by whoever heard it (2.1.4)."""

    visit = models.ForeignKey(Visit, models.PROTECT, related_name="notes")
    words = models.CharField(_("what the customer said"), max_length=300)
    score = models.PositiveSmallIntegerField(_("how it sounded"), null=True, blank=True)
    written_by = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["at", "id"]
        triggers = [
            pgtrigger.Protect(name="receptionnote_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            states.ShownIn("visit"),
        ]
        constraints = [
            models.CheckConstraint(name="receptionnote_words", condition=~Q(words="")),
            models.CheckConstraint(
                name="receptionnote_score", condition=Q(score__isnull=True) | Q(score__gte=1, score__lte=5)
            ),
        ]


explain_constraint("receptionnote_words", "note.words", _("Write down what the customer said."))
explain_constraint("receptionnote_score", "note.score", _("Rate from 1 to 5."))


# --- what is said, and how it is kept to (2.1.3) ---


class Situation(models.TextChoices):
    """Where the desk speaks with a customer (2.1.3)."""

    ARRIVAL = "ARRIVAL", _("Arrival")
    PHONE = "PHONE", _("On the telephone")
    WALKAROUND = "WALKAROUND", _("Walking around the car")
    WAITING = "WAITING", _("While the customer waits")
    HANDOVER = "HANDOVER", _("Handing over the car")


class ScriptLanguage(models.TextChoices):
    ZH = "zh-hans", "中文"
    EN = "en", "English"


class Script(Root):
    """A standard phrase for a situation in one language, shown where the situation is (2.1.3). Of the whole group."""

    store_path = None

    situation = models.CharField(_("situation"), max_length=10, choices=Situation.choices)
    language = models.CharField(_("language"), max_length=8, choices=ScriptLanguage.choices)
    text = models.CharField(_("phrase"), max_length=300)
    active = models.BooleanField(_("in use"), default=True)

    class Meta:
        triggers = [states.versioned()]
        ordering = ["situation", "language", "id"]
        constraints = [
            models.CheckConstraint(name="script_text", condition=~Q(text="")),
            models.UniqueConstraint(name="script_once", fields=["situation", "language", "text"]),
        ]


explain_constraint("script_once", "script.once", _("This phrase stands there already."))


class Courtesy(models.TextChoices):
    """What is looked for on the floor: the manual's standard of reception, each with its clause."""

    SMILE = "SMILE", _("Smiles and looks at the customer")
    PHRASE = "PHRASE", _("Uses the standard phrases")
    LISTENS = "LISTENS", _("Lets the customer finish")
    ASKS = "ASKS", _("Asks for name, contact, model and need")
    REPEATS = "REPEATS", _("Repeats the need in own words")
    LEADS = "LEADS", _("Leads the customer to the right area")
    NEAT = "NEAT", _("Work clothes and badge as they should be")


COURTESY_CLAUSES = {
    Courtesy.ASKS: "2.1.2",
    Courtesy.REPEATS: "2.1.2",
    Courtesy.LEADS: "2.1.2",
}
"""The others stand under 2.1.3."""


class Observation(Root):
    """Somebody was watched at the desk: who, when, by whom, in which situation, with a picture where there is one (2.1.3)."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="+")
    employee = models.ForeignKey(Employee, models.PROTECT, related_name="observations")
    observer = models.ForeignKey(Employee, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)
    situation = models.CharField(_("situation"), max_length=10, choices=Situation.choices)
    remark = models.CharField(_("remark"), max_length=300, blank=True)
    photo = models.ForeignKey(StoredFile, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        triggers = [
            states.versioned(),
            states.append_only("observation_append_only"),
        ]
        constraints = [
            models.CheckConstraint(name="observation_other_person", condition=~Q(employee=F("observer"))),
        ]
        indexes = [models.Index(fields=["store", "-at"], name="observation_store")]

    @property
    def points(self) -> int:
        return sum(score.points for score in self.scores.all())

    @property
    def most(self) -> int:
        return 2 * len(self.scores.all())


explain_constraint("observation_other_person", "observation.self", _("Nobody watches themselves."))


class ObservationScore(models.Model):
    """One point of the standard: 0 not kept, 1 partly, 2 kept; what isn't kept says what was seen."""

    observation = models.ForeignKey(Observation, models.PROTECT, related_name="scores")
    item = models.CharField(max_length=8, choices=Courtesy.choices)
    clause = models.CharField(max_length=8)
    points = models.PositiveSmallIntegerField()
    seen = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            states.ShownIn("observation"),
            pgtrigger.Protect(name="observationscore_append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]
        constraints = [
            models.UniqueConstraint(name="observationscore_once", fields=["observation", "item"]),
            models.CheckConstraint(name="observationscore_range", condition=Q(points__lte=2)),
            models.CheckConstraint(name="observationscore_seen", condition=Q(points__gt=0) | ~Q(seen="")),
        ]

    @property
    def word(self) -> Any:
        return (_("not kept"), _("partly"), _("kept"))[self.points]


explain_constraint("observationscore_seen", "observation.seen", _("Say what was seen where the standard wasn't kept."))

from reception.loan_models import LoanPhoto, LoanTrip  # noqa: E402, F401  (found with the room's models)
