"""Resources of chapter 2 (customers, vehicles, appointments, visits)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import Operation, Powertrain, ResourceKind
from dealership.catalogue.models import Resource as PlannedResource
from dealership.kernel import clock
from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_email, mask_name, mask_phone, mask_text
from dealership.kernel.api.resources import (
    Action,
    Command,
    Filter,
    Listing,
    Many,
    One,
    Resource,
    Those,
    While,
    register,
    register_listing,
)
from dealership.kernel.api.shapes import (
    Bytes,
    Choice,
    Day,
    Flag,
    ListOf,
    MapOf,
    Moment,
    Money,
    Nested,
    Number,
    Text,
    Uid,
    Whole,
)
from dealership.kernel.api.star import star_codes
from dealership.kernel.errors import RuleError
from dealership.kernel.models import MessageChannel, Store
from dealership.kernel.permissions import SEARCH
from reception import permissions
from reception.loan_models import MOST_PHOTOS, LicenceClass, LoanPhase, LoanPhoto, LoanState, LoanTrip
from reception.models import (
    CONSENT_TEXTS,
    MERGE_COLUMNS,
    A,
    AnswerWay,
    Appointment,
    AppointmentItem,
    AppointmentSource,
    AppointmentState,
    Area,
    ArrivalKind,
    Belonging,
    CheckArea,
    Checklist,
    ChecklistItem,
    ClockKind,
    Consent,
    ConsentPurpose,
    Consultation,
    ConsultationChannel,
    ConsultationClock,
    ConsultationMessage,
    ConsultationState,
    ConsultationTopic,
    ContactRole,
    Courtesy,
    Customer,
    CustomerContact,
    CustomerKind,
    CustomerMerge,
    CustomerTag,
    CustomerTagging,
    CustomerTier,
    DamageKind,
    DamageMark,
    DamageSide,
    DepositReason,
    HardUse,
    KnowledgeArticle,
    KnowledgeVersion,
    MergeState,
    MessageDirection,
    Observation,
    ObservationScore,
    OldParts,
    OpeningAnswer,
    OpeningCheck,
    Ownership,
    PartOfDay,
    PlateColor,
    PlateKind,
    Quotation,
    QuotationLine,
    Script,
    ScriptLanguage,
    Situation,
    TagColor,
    ToldBy,
    Transport,
    TransportKind,
    TransportState,
    UnmaskReason,
    Vehicle,
    VehicleUse,
    Visit,
    VisitPhoto,
    VisitState,
    W,
    WaitingEntry,
    WaitingMode,
    WaitingState,
    WalkAroundState,
    WarningLight,
)
from reception.models import Customer as CustomerRow
from reception.selectors import capacity, search
from reception.selectors.customers import list_looks
from reception.services import (
    appointments,
    checklists,
    conduct,
    consultations,
    contacts,
    customers,
    handing_over,
    knowledge,
    loans,
    merging,
    quotations,
    tags,
    transports,
    vehicles,
    visits,
    waiting,
    walkarounds,
)

# --- customers and vehicles (2.3) ---
LANGUAGE = Choice(choices=customers.LANGUAGES)


def _consents():
    return Consent.objects.order_by("at", "id")


def _ownerships():
    return Ownership.objects.order_by("starts_on", "id")


def _customers(by: Actor) -> QuerySet:
    """Customers, with the tags they carry today for the filter."""
    standing = FilteredRelation("taggings", condition=Q(taggings__ended_at__isnull=True))
    return CustomerRow.objects.for_actor(by).annotate(carried=standing)


CUSTOMER_INPUT = {
    "name": Text(60, min=1),
    "phone": Text(60, optional=True, help="Required unless there is an e-mail address."),
    "phone_2": Text(60, optional=True),
    "email": Text(254, optional=True),
    "kind": Choice(choices=CustomerKind, optional=True),
    "uscc": Text(60, optional=True, help="Unified social credit code of a company."),
    "language": Choice(choices=customers.LANGUAGES, optional=True),
    "channel": Choice(choices=MessageChannel, optional=True),
    "no_calls": Flag(optional=True, help="Doesn't want to be called: callbacks are left out."),
    "quiet_from": Text(5, optional=True, help="Hour in the store's time (12:30) from which messages wait; or empty."),
    "quiet_to": Text(5, optional=True, help="Hour at which they are sent; given together with quiet_from."),
    "note": Text(300, optional=True),
}

register(
    Resource(
        path="customers",
        name="Customer",
        room="reception",
        model=CustomerRow,
        rows=_customers,
        view=permissions.CUSTOMERS_VIEW,
        help="Who brings, owns or pays; known in the whole group (2.3).",
        timeline="customer",
        refs=True,
        star="Customer",
        star_fields={"uid": "customer_key", "name": "full_name"},
        shape={
            "kind": Choice(choices=CustomerKind),
            "name": Text(mask=mask_name),
            "phone": Text(mask=mask_phone),
            "phone_2": Text(mask=mask_phone),
            "email": Text(mask=mask_email),
            "uscc": Text(),
            "language": LANGUAGE,
            "channel": Choice(choices=MessageChannel),
            "no_calls": Flag(),
            "quiet_from": Text(),
            "quiet_to": Text(),
            "tier": Text(help="A (key customer) to D by recency, frequency and money; empty before the first visit."),
            "rfm": Text(help="The three scores, each 1 to 5."),
            "last_visit_on": Day(null=True, help="As of the last computation, four times a day."),
            "lost_risk": Flag(help="No visit for as long as the setting says."),
            "note": Text(mask=mask_text),
            "contact_uid": Uid(source="contact__uid", null=True, help="The person whom the customer asks for."),
            "merged_into_uid": Uid(
                source="merged_into__uid", null=True, help="The customer this one was merged into; use that one."
            ),
            "consents": Many(
                rows=_consents,
                by="customer_id",
                fields={
                    "purpose": Choice(choices=ConsentPurpose),
                    "given": Flag(),
                    "text_version": Text(),
                    "channel": Text(),
                    "at": Moment(),
                },
                help="Every decision in its order; the last one of a purpose counts.",
            ),
        },
        filters={
            "phone": Filter(field=Text(20, min=5, help="The whole number."), lookup="phone"),
            "kind": Filter(field=Choice(choices=CustomerKind), lookup="kind"),
            "tier": Filter(field=Choice(choices=CustomerTier), lookup="tier"),
            "lost_risk": Filter(field=Flag(), lookup="lost_risk"),
            "tag_uid": Filter(field=Uid(help="Who carries this tag."), lookup="carried__tag__uid"),
        },
        expand={
            "vehicles": Those(target="vehicles", link="owner_uid"),
            "contacts": Those(target="customer-contacts", link="customer__uid"),
            "taggings": Those(target="customer-taggings", link="customer__uid"),
        },
        create=Command(
            run=customers.register_customer,
            permission=permissions.CUSTOMERS_EDIT,
            input=CUSTOMER_INPUT,
            help="Register a customer",
        ),
        update=Command(
            run=customers.correct_customer,
            permission=permissions.CUSTOMERS_EDIT,
            input={**CUSTOMER_INPUT, "name": Text(60, min=1, optional=True)},
            help="Correct a customer; what is left out stays",
        ),
        actions=(
            Action(
                verb="record-consent",
                run=customers.record_consent,
                uid="customer_uid",
                permission=permissions.CUSTOMERS_EDIT,
                input={
                    "purpose": Choice(choices=ConsentPurpose),
                    "given": Flag(),
                    "channel": Text(20, optional=True),
                    "text_version": Choice(
                        choices=tuple(CONSENT_TEXTS), optional=True, help="The text that was shown."
                    ),
                },
                help="Write a given or withdrawn consent",
            ),
            Action(
                verb="name-contact",
                run=handing_over.name_contact,
                uid="customer_uid",
                permission=permissions.CUSTOMERS_EDIT,
                input={"employee_uid": Uid(optional=True, null=True, help="Left out or null: nobody in particular.")},
                help="Name the person whom the customer asks for (1.2)",
            ),
        ),
    )
)


def _contacts(by: Actor) -> QuerySet:
    still = ExpressionWrapper(Q(ended_at__isnull=True), output_field=BooleanField())
    return CustomerContact.objects.for_actor(by).annotate(standing=still)


CONTACT_INPUT = {
    "name": Text(60, min=1),
    "roles": ListOf(inner=Choice(choices=ContactRole), help="At least one."),
    "phone": Text(60, optional=True, help="This or an e-mail address for whoever may authorise work."),
    "email": Text(254, optional=True),
    "authorises_up_to": Money(optional=True, null=True, help="Who may authorise work: up to so much an order."),
    "authorises_from": Day(optional=True, null=True),
    "authorises_until": Day(optional=True, null=True),
    "note": Text(200, optional=True),
}

register(
    Resource(
        path="customer-contacts",
        name="CustomerContact",
        room="reception",
        model=CustomerContact,
        rows=_contacts,
        view=permissions.CUSTOMERS_VIEW,
        help="A person around a customer: driver, owner, payer, fleet manager, or who may authorise work (2.3).",
        shape={
            "customer_uid": Uid(source="customer__uid"),
            "name": Text(mask=mask_name),
            "roles": ListOf(inner=Choice(choices=ContactRole)),
            "phone": Text(mask=mask_phone),
            "email": Text(mask=mask_email),
            "authorises_up_to": Money(null=True, help="Up to how much an order; null: any amount."),
            "authorises_from": Day(null=True),
            "authorises_until": Day(null=True),
            "note": Text(mask=mask_text),
            "ended_at": Moment(null=True, help="Since when the person no longer stands for the customer."),
        },
        filters={
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
            "standing": Filter(field=Flag(help="Not taken off the list."), lookup="standing"),
        },
        create=Command(
            run=contacts.add_contact,
            permission=permissions.CUSTOMERS_EDIT,
            input={"customer_uid": Uid()} | CONTACT_INPUT,
            help="Write down a person around a customer",
        ),
        update=Command(
            run=contacts.correct_contact,
            permission=permissions.CUSTOMERS_EDIT,
            input=CONTACT_INPUT,
            help="Correct a person; what is left out stays",
        ),
        actions=(
            Action(
                verb="end",
                run=contacts.end_contact,
                permission=permissions.CUSTOMERS_EDIT,
                help="Take the person off the customer",
            ),
        ),
    )
)

TAG_INPUT = {"name": Text(20, min=1), "color": Choice(choices=TagColor)}

register(
    Resource(
        path="customer-tags",
        name="CustomerTag",
        room="reception",
        model=CustomerTag,
        view=permissions.CUSTOMERS_VIEW,
        help="A word by which a store sorts its customers (2.3).",
        shape={
            "name": Text(),
            "color": Choice(choices=TagColor),
            "ended_at": Moment(null=True, help="Since when it is no longer used."),
        },
        create=Command(
            run=tags.define_tag, permission=permissions.TAGS_MANAGE, input=TAG_INPUT, help="Define a tag of the store"
        ),
        update=Command(
            run=tags.change_tag, permission=permissions.TAGS_MANAGE, input=TAG_INPUT, help="Rename or recolour a tag"
        ),
        actions=(
            Action(verb="end", run=tags.end_tag, permission=permissions.TAGS_MANAGE, help="Use the tag no longer"),
        ),
    )
)

register(
    Resource(
        path="customer-taggings",
        name="CustomerTagging",
        room="reception",
        model=CustomerTagging,
        view=permissions.CUSTOMERS_VIEW,
        help="A tag on a customer, from when until when (2.3).",
        shape={
            "customer_uid": Uid(source="customer__uid"),
            "tag_uid": Uid(source="tag__uid"),
            "at": Moment(),
            "ended_at": Moment(null=True),
        },
        filters={
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
            "tag_uid": Filter(field=Uid(), lookup="tag__uid"),
        },
        create=Command(
            run=tags.tag_customer,
            permission=permissions.CUSTOMERS_EDIT,
            input={"customer_uid": Uid(), "tag_uid": Uid()},
            help="Put a tag on a customer",
        ),
        actions=(
            Action(verb="end", run=tags.untag_customer, permission=permissions.CUSTOMERS_EDIT, help="Take the tag off"),
        ),
    )
)


def _looks(values: dict[str, Any], by: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    before = int(values["cursor"]) if "cursor" in values else None
    rows, more = list_looks(by=by, reason=values.get("reason", ""), before=before, limit=values["limit"])
    return rows, more, str(rows[-1]["id"]) if more else None


register_listing(
    Listing(
        path="number-looks",
        name="NumberLook",
        room="reception",
        view=permissions.CUSTOMERS_LOOKS,
        help="Who had a whole telephone number shown on a page, whose, when and why; newest first (7.3).",
        parameters={
            "reason": Choice(choices=UnmaskReason, optional=True),
            "cursor": Text(18, min=1, pattern=r"^[0-9]{1,18}$", help="next_cursor of the page before."),
        },
        shape={
            "at": Moment(),
            "actor_uid": Uid(null=True, help="The person; empty for what wasn't one."),
            "customer_uid": Uid(null=True, help="Whose number; empty where the customer wasn't known yet."),
            "reason": Choice(choices=UnmaskReason),
            "task": Text(
                help="The kind of task that opened it: followup, visit, appointment, consultation, complaint."
            ),
            "task_uid": Uid(null=True),
        },
        read=_looks,
    )
)

register(
    Resource(
        path="customer-merges",
        name="CustomerMerge",
        room="reception",
        model=CustomerMerge,
        view=permissions.CUSTOMERS_MERGE,
        help="Two customers who were one: which was kept, how many rows moved, whether it was undone (2.3).",
        state="state",
        lock_first=("kept", "merged"),
        shape={
            "kept_uid": Uid(source="kept__uid"),
            "merged_uid": Uid(source="merged__uid"),
            "state": Choice(choices=MergeState),
            "rows": Whole(help="Rows that moved to the kept customer."),
            "merged_at": Moment(),
            "undone_at": Moment(null=True),
        },
        filters={"kept_uid": Filter(field=Uid(), lookup="kept__uid")},
        create=Command(
            run=merging.merge_customers,
            permission=permissions.CUSTOMERS_MERGE,
            input={
                "kept_uid": Uid(),
                "merged_uid": Uid(),
                "take": ListOf(
                    inner=Choice(choices=MERGE_COLUMNS),
                    optional=True,
                    help="Columns whose content comes from the merged customer.",
                ),
            },
            help="Merge one customer into another; nothing is lost and it can be undone",
        ),
        actions=(
            Action(
                verb="undo",
                run=merging.undo_merge,
                permission=permissions.CUSTOMERS_MERGE,
                when={MergeState.DONE},
                help="Part the two again; each moved row goes back",
            ),
        ),
    )
)


def _vehicles(by: Actor) -> QuerySet:
    """Vehicles with the uid of today's owner."""
    owner = Ownership.objects.filter(vehicle=OuterRef("pk"), ends_on__isnull=True).values("customer__uid")[:1]
    return Vehicle.objects.for_actor(by).annotate(owner_uid=Subquery(owner))


def _correct_vehicle(*, uid: UUID, by: Actor, owner_since: date | None = None, **given: Any) -> Vehicle:
    """What stands on the car, its owner and its reading together: each by its own command, and only where it differs.

    The owner changes on ``owner_since`` or today. Raises RuleError ``vehicle.unchanged`` where nothing differs.
    """
    by.require(permissions.VEHICLES_EDIT)
    vehicle = _vehicles(by).get(uid=uid)
    moved = False
    if "owner_uid" in given:
        owner_uid = given.pop("owner_uid")
        if owner_uid != vehicle.owner_uid:
            try:
                vehicles.change_owner(uid=uid, owner_uid=owner_uid, on=owner_since or clock.today(), by=by)
            except RuleError as refusal:
                refusal.field = "owner_since" if refusal.field == "on" else refusal.field
                raise
            moved = True
        elif owner_since and not vehicle.ownerships.filter(ends_on__isnull=True, starts_on=owner_since).exists():
            text = _("This customer already is the owner, from another day on; use the action change-owner.")
            raise RuleError("vehicle.owner_since", text, field="owner_since")
    elif owner_since:
        raise RuleError("vehicle.owner_since", _("Say who the owner is from that day on."), field="owner_uid")
    km = given.pop("odometer_km", vehicle.odometer_km)
    if km != vehicle.odometer_km:
        vehicles.read_odometer(vehicle=vehicle, km=km, by=by)
        moved = True
    try:
        return vehicles.correct_vehicle(uid=uid, by=by, **given)
    except RuleError as refusal:
        if refusal.code != "vehicle.unchanged" or not moved:
            raise
        return vehicle


def _read_odometer(*, uid: UUID, km: int, by: Actor, reason: str = "") -> Vehicle:
    return vehicles.read_odometer(vehicle=Vehicle.objects.for_actor(by).get(uid=uid), km=km, reason=reason, by=by)


VEHICLE_INPUT = {
    "plate": Text(20, optional=True, help="Plate or VIN is required."),
    "vin": Text(60, optional=True),
    "vin_override_reason": Text(200, optional=True, help="Why a VIN with a wrong check digit is right."),
    "plate_kind": Choice(choices=PlateKind, optional=True),
    "plate_color": Choice(choices=PlateColor, optional=True),
    "model_uid": Uid(optional=True, null=True),
    "powertrain": Choice(choices=Powertrain, optional=True),
    "vehicle_type": Text(20, optional=True, help="As the vehicle licence says (小型轿车)."),
    "engine_number": Text(40, optional=True),
    "battery_code": Text(40, optional=True),
    "color": Text(20, optional=True),
    "model_year": Whole(1950, 2100, optional=True, null=True),
    "invoiced_on": Day(optional=True, null=True),
    "delivered_on": Day(optional=True, null=True),
    "registered_on": Day(optional=True, null=True, help="First registration; inspections follow from it."),
    "insured_until": Day(optional=True, null=True),
    "inspected_until": Day(optional=True, null=True, help="As the licence says."),
    "owner_uid": Uid(optional=True, null=True),
    "owner_since": Day(optional=True, null=True, help="First day of this owner; default: today."),
    "odometer_km": Whole(0, vehicles.MAX_KM, optional=True, help="A lower reading needs read-odometer with a reason."),
}

register(
    Resource(
        path="vehicles",
        name="Vehicle",
        room="reception",
        model=Vehicle,
        view=permissions.VEHICLES_VIEW,
        help="A car by plate or VIN, with its owners over time (2.3).",
        timeline="vehicle",
        refs=True,
        rows=_vehicles,
        star="VehicleReference",
        star_fields={"plate": "license_plate", "model_text": "display_name"},
        shape={
            "plate": Text(),
            "plate_kind": Choice(choices=PlateKind),
            "plate_color": Choice(choices=PlateColor),
            "vin": Text(),
            "model_uid": Uid(source="model__uid", null=True),
            "model_text": Text(),
            "powertrain": Choice(choices=Powertrain),
            "vehicle_type": Text(help="As the vehicle licence says; empty where nobody has entered it."),
            "engine_number": Text(),
            "battery_code": Text(),
            "color": Text(),
            "model_year": Whole(null=True),
            "invoiced_on": Day(null=True),
            "delivered_on": Day(null=True),
            "registered_on": Day(null=True),
            "insured_until": Day(null=True),
            "inspected_until": Day(null=True),
            "odometer_km": Whole(),
            "odometer_at": Moment(null=True),
            "use": Choice(choices=VehicleUse, help="As its present owner told it (3.1)."),
            "hard_uses": ListOf(inner=Choice(choices=HardUse), help="Why its use is hard."),
            "use_noted_at": Moment(null=True),
            "owner_uid": Uid(null=True, help="The customer who owns it today."),
            "owners": Many(
                rows=_ownerships,
                by="vehicle_id",
                fields={
                    "customer_uid": Uid(source="customer__uid"),
                    "starts_on": Day(),
                    "ends_on": Day(null=True),
                },
            ),
        },
        filters={
            "plate": Filter(field=Text(20, min=1, help="Without separators."), lookup="plate"),
            "vin": Filter(field=Text(17, min=1), lookup="vin"),
            "owner_uid": Filter(field=Uid(), lookup="owner_uid"),
        },
        expand={"owner": One(target="customers", source="owner_uid")},
        create=Command(
            run=vehicles.register_vehicle,
            permission=permissions.VEHICLES_EDIT,
            input={
                "model_text": Text(80, min=1),
                **VEHICLE_INPUT,
            },
            help="Register a vehicle",
        ),
        update=Command(
            run=_correct_vehicle,
            permission=permissions.VEHICLES_EDIT,
            input={"model_text": Text(80, min=1, optional=True), **VEHICLE_INPUT},
            help="Correct a vehicle; what is left out stays",
        ),
        actions=(
            Action(
                verb="change-owner",
                run=vehicles.change_owner,
                permission=permissions.VEHICLES_EDIT,
                input={"owner_uid": Uid(null=True), "on": Day()},
                help="Give the car another owner from a day on",
            ),
            Action(
                verb="read-odometer",
                run=_read_odometer,
                permission=permissions.VEHICLES_EDIT,
                input={"km": Whole(0, vehicles.MAX_KM), "reason": Text(200, optional=True)},
                help="Write a reading; a lower one needs a reason",
            ),
            Action(
                verb="note-use",
                run=vehicles.note_use,
                permission=permissions.VEHICLES_EDIT,
                input={"hard_uses": ListOf(inner=Choice(choices=HardUse), help="Nothing: ordinary use.")},
                help="Note how the owner uses the car; hard use brings maintenance sooner (3.1)",
            ),
        ),
    )
)


# --- visits (2.1) ---
V = VisitState
OPEN = frozenset({V.WAITING, V.IN_RECEPTION, V.IN_SHOP})


def _damages() -> QuerySet:
    return DamageMark.objects.order_by("id")


def _photos() -> QuerySet:
    return VisitPhoto.objects.order_by("id")


def _note_feedback(*, uid: UUID, words: str, by: Actor, score: int | None = None) -> Any:
    return visits.note_feedback(uid=uid, words=words, score=score, by=by).visit


DAMAGE_INPUT = {
    "side": Choice(choices=DamageSide),
    "kind": Choice(choices=DamageKind),
    "place": Text(40, optional=True),
    "x": Whole(0, 1000, optional=True, help="Thousandths of the side's drawing from the left."),
    "y": Whole(0, 1000, optional=True, help="Thousandths from the top."),
    "size_mm": Whole(1, 10000, optional=True, null=True),
    "note": Text(120, optional=True),
}
RECEIVE = permissions.VISITS_RECEIVE

CONTACT = {
    "contact_name": Text(60, optional=True, help="Needed unless customer_uid or appointment_uid is given."),
    "contact_phone": Text(60, optional=True, help="Needed unless customer_uid or appointment_uid is given."),
}


def _known(given: dict[str, Any], by: Actor) -> dict[str, Any]:
    """Fills in who comes and with what, as far as the booking, the customer or the car that are named say it."""
    said = {name: value for name, value in given.items() if value not in ("", None)}
    more: dict[str, Any] = {}
    if uid := said.get("appointment_uid"):
        booked = Appointment.objects.for_actor(by).select_related("vehicle").get(uid=uid)
        more = {"contact_name": booked.contact_name, "contact_phone": booked.contact_phone}
        if booked.vehicle is not None and not said.get("plate") and not said.get("vin"):
            more["vehicle_uid"] = booked.vehicle.uid
    if uid := said.get("customer_uid"):
        customer = Customer.objects.standing(uid)
        more |= {"contact_name": customer.name, "contact_phone": customer.phone}
    if uid := said.get("vehicle_uid", more.get("vehicle_uid")):
        more["model_text"] = Vehicle.objects.get(uid=uid).model_text
    return {"contact_name": "", "contact_phone": "", **more, **said}


def _arrive(*, by: Actor, **given: Any) -> Visit:
    return visits.register_arrival(**{"model_text": "", **_known(given, by)}, by=by)


def _book(*, by: Actor, **given: Any) -> Appointment:
    return appointments.book_appointment(**_known(given, by), by=by)


register(
    Resource(
        path="visits",
        name="Visit",
        room="reception",
        model=Visit,
        view=permissions.VISITS_VIEW,
        help="One stay of one car, from arrival to departure, with its walk-around, key and place (2.1.2).",
        timeline="visit",
        refs=True,
        state="state",
        shape={
            "number": Text(),
            "state": Choice(choices=VisitState),
            "appointment_uid": Uid(source="appointment__uid", null=True),
            "customer_uid": Uid(source="customer__uid"),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "advisor_uid": Uid(source="advisor__uid", null=True),
            "contact_name": Text(mask=mask_name),
            "contact_phone": Text(mask=mask_phone),
            "plate": Text(source="vehicle__plate"),
            "model_text": Text(),
            "need": Text(help="The customer's own words."),
            "waiting_mode": Choice(choices=WaitingMode),
            "arrival_kind": Choice(choices=ArrivalKind, help="How the car came."),
            "key_locker": Text(help="Envelope or locker of a key dropped at night."),
            "key_left_at": Moment(null=True),
            "tow_company": Text(),
            "towed_from": Text(),
            "arrived_at": Moment(),
            "greeted_at": Moment(null=True),
            "signed_at": Moment(null=True),
            "shown_at": Moment(null=True, help="When the walk-around was last put on the customer's link."),
            "promised_at": Moment(null=True),
            "left_at": Moment(null=True),
            "area": Text(),
            "key_tag": Text(),
            "key_holder_uid": Uid(source="key_holder__uid", null=True),
            "parking_place": Text(),
            "odometer_in": Whole(source="odometer_in_km", null=True, help="km"),
            "odometer_out": Whole(source="odometer_out_km", null=True, help="km"),
            "rating": Whole(null=True, help="Reception, 1 to 5."),
            "rating_words": Text(mask=mask_text, help="Why, in the customer's words."),
            "walkaround_state": Choice(choices=WalkAroundState, source="walkaround__state", null=True),
            "energy_eighths": Whole(source="walkaround__energy_eighths", null=True),
            "warning_lights": ListOf(inner=Text(), source="walkaround__warning_lights", null=True),
            "belongings": ListOf(inner=Text(), source="walkaround__belongings", null=True),
            "old_parts": Choice(choices=OldParts, source="walkaround__old_parts", null=True),
            "damages": Many(
                rows=_damages,
                by="walkaround__visit_id",
                fields={
                    "uid": Uid(),
                    "side": Choice(choices=DamageSide),
                    "kind": Choice(choices=DamageKind),
                    "place": Text(),
                    "x": Whole(),
                    "y": Whole(),
                    "size_mm": Whole(null=True),
                    "note": Text(),
                },
            ),
            "photos": Many(
                rows=_photos,
                by="visit_id",
                fields={
                    "uid": Uid(),
                    "place": Text(),
                    "media_type": Text(source="file__media_type"),
                    "sha256": Text(source="file__sha256"),
                    "taken_at": Moment(),
                },
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=VisitState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
            "arrived_gte": Filter(field=Moment(), lookup="arrived_at__gte"),
        },
        expand={
            "customer": One(target="customers", source="customer__uid"),
            "vehicle": One(target="vehicles", source="vehicle__uid"),
            "appointment": One(target="appointments", source="appointment__uid"),
            "repair_orders": Those(target="repair-orders", link="visit__uid"),
        },
        create=Command(
            run=_arrive,
            permission=RECEIVE,
            input={
                **CONTACT,
                "model_text": Text(80, optional=True, help="Needed unless vehicle_uid or appointment_uid is given."),
                "need": Text(500, min=1),
                "plate": Text(20, optional=True),
                "vin": Text(60, optional=True),
                "plate_kind": Choice(choices=PlateKind, optional=True),
                "customer_uid": Uid(optional=True, null=True),
                "vehicle_uid": Uid(optional=True, null=True),
                "appointment_uid": Uid(
                    optional=True, null=True, help="Today's booking that this arrival keeps; left out: none is taken."
                ),
                "waiting_mode": Choice(choices=WaitingMode, optional=True),
                "arrival_kind": Choice(choices=ArrivalKind, optional=True),
                "key_locker": Text(20, optional=True, help="Needed for KEY_DROP."),
                "key_left_at": Moment(optional=True, null=True, help="Needed for KEY_DROP."),
                "tow_company": Text(60, optional=True, help="Needed for TOWED_IN."),
                "towed_from": Text(120, optional=True, help="Needed for TOWED_IN."),
            },
            help="Register an arrival",
        ),
        actions=(
            Action(
                verb="greet",
                run=visits.greet_visit,
                permission=RECEIVE,
                when={V.WAITING},
                input={
                    "advisor_uid": Uid(
                        optional=True, null=True, person=True, help="Default: the person in whose name you act."
                    )
                },
                help="The advisor meets the customer; the greeting clock stops",
            ),
            Action(
                verb="leave-unserved",
                run=visits.leave_unserved,
                permission=RECEIVE,
                when={V.WAITING},
                input={"reason": Text(200, min=1)},
                help="The customer left before being received",
            ),
            Action(
                verb="end-consultation",
                run=visits.end_consultation,
                permission=RECEIVE,
                when={V.IN_RECEPTION},
                input={
                    "outcome": Choice(choices=(str(V.CONSULTED), str(V.SALES_LEAD))),
                    "note": Text(300, optional=True),
                },
                help="The talk ends without a repair order",
            ),
            Action(
                verb="lead-to-area",
                run=visits.lead_to_area,
                permission=RECEIVE,
                when=OPEN,
                input={"area": Choice(choices=Area), "taken_over_by_uid": Uid(optional=True, null=True)},
                help="Somebody leads the customer to an area",
            ),
            Action(
                verb="give-key",
                run=visits.give_key,
                permission=permissions.VISITS_KEYS,
                when=OPEN,
                input={
                    "key_tag": Text(10, min=1),
                    "holder_uid": Uid(optional=True, null=True),
                    "place": Text(20, optional=True),
                },
                help="Say where key and car are",
            ),
            Action(
                verb="promise",
                run=visits.promise_visit,
                permission=permissions.VISITS_PROMISE,
                when=OPEN,
                input={
                    "promised_at": Moment(),
                    "reason": Text(200, min=1),
                    "told": Choice(choices=ToldBy, optional=True),
                },
                help="Promise when the car is ready, or move the promise",
            ),
            Action(
                verb="save-walkaround",
                run=walkarounds.save_walkaround,
                uid="visit_uid",
                permission=RECEIVE,
                when={V.IN_RECEPTION, V.IN_SHOP},
                input={
                    "odometer_km": Whole(0, vehicles.MAX_KM, optional=True),
                    "odometer_reason": Text(200, optional=True),
                    "odometer_unread": Text(
                        200, optional=True, help="Why the mileage of a car towed in can't be read."
                    ),
                    "energy_eighths": Whole(0, 8, optional=True),
                    "warning_lights": ListOf(inner=Choice(choices=WarningLight), optional=True, most=30),
                    "belongings": ListOf(inner=Choice(choices=Belonging), optional=True, most=30),
                    "kit_fitted": Flag(optional=True),
                    "no_valuables": Flag(optional=True),
                    "old_parts": Choice(choices=OldParts, optional=True),
                    "own_words": Text(500, optional=True),
                    "waiting_mode": Choice(choices=WaitingMode, optional=True),
                },
                help="Write down the walk-around; what isn't named stays",
            ),
            Action(
                verb="add-damage",
                run=walkarounds.add_damage,
                uid="visit_uid",
                permission=RECEIVE,
                when={V.IN_RECEPTION, V.IN_SHOP},
                input=DAMAGE_INPUT,
                help="Mark a damage on the sketch",
            ),
            Action(
                verb="remove-damage",
                run=walkarounds.remove_damage,
                uid="visit_uid",
                permission=RECEIVE,
                when={V.IN_RECEPTION, V.IN_SHOP},
                input={"mark_uid": Uid()},
                help="Take a mark off the sketch",
            ),
            Action(
                verb="add-photo",
                run=visits.add_photo,
                uid="visit_uid",
                permission=permissions.VISITS_PHOTOGRAPH,
                when=OPEN,
                input={
                    "content": Bytes(help="JPEG, PNG or WebP as base64."),
                    "name": Text(120, min=1),
                    "place": Text(20, optional=True),
                    "mark_uid": Uid(optional=True, null=True),
                },
                help="Add a photo",
            ),
            Action(
                verb="sign-walkaround",
                run=walkarounds.sign_walkaround,
                uid="visit_uid",
                permission=RECEIVE,
                when={V.IN_RECEPTION, V.IN_SHOP},
                input={"signed_name": Text(60, min=1), "signature": Bytes(optional=True, null=True)},
                help="The customer signs the walk-around",
            ),
            Action(
                verb="send-walkaround",
                run=walkarounds.send_walkaround,
                uid="visit_uid",
                permission=RECEIVE,
                when={V.IN_RECEPTION, V.IN_SHOP},
                help="Put the walk-around of a car that nobody handed over on the customer's link to be confirmed",
            ),
            Action(
                verb="take-back-walkaround",
                run=walkarounds.take_back_walkaround,
                uid="visit_uid",
                permission=RECEIVE,
                when={V.IN_RECEPTION, V.IN_SHOP},
                help="Take the walk-around off the customer's link again to change it",
            ),
            Action(
                verb="note-feedback",
                run=_note_feedback,
                permission=RECEIVE,
                input={"words": Text(300, min=1), "score": Whole(1, 5, optional=True, null=True)},
                help="Write down what the customer said about the reception (2.1.4)",
            ),
            Action(
                verb="send-link",
                run=visits.send_link,
                permission=RECEIVE,
                when=OPEN,
                help="Send the customer the one link of the visit",
            ),
        ),
    )
)


# --- appointments (2.4) ---
BOOK = permissions.APPOINTMENTS_BOOK


def _items() -> QuerySet:
    return AppointmentItem.objects.order_by("id")


register(
    Resource(
        path="appointments",
        name="Appointment",
        room="reception",
        model=Appointment,
        view=permissions.APPOINTMENTS_VIEW,
        help="A booked arrival with its bay and technician (2.4).",
        state="state",
        refs=True,
        star="ServiceAppointment",
        star_fields={
            "uid": "service_appointment_key",
            "state": "appointment_status_type",
            "source": "appointment_source_type",
            "concern": "complaint_text",
            "starts_at": "start_date_time",
        },
        shape={
            "number": Text(),
            "state": Choice(choices=AppointmentState),
            "customer_uid": Uid(source="customer__uid"),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "service_advisor_uid": Uid(source="advisor__uid", null=True),
            "contact_name": Text(mask=mask_name),
            "contact_phone": Text(mask=mask_phone),
            "source": Choice(choices=AppointmentSource),
            "concern": Text(help="The customer's own words."),
            "waiting_mode": Choice(choices=WaitingMode),
            "starts_at": Moment(help="When the car comes."),
            "work_starts_at": Moment(null=True),
            "ready_at": Moment(null=True, help="When it is promised."),
            "estimated_amount": Money(),
            "deposit_asked": Money(help="Deposit that is asked for it; 0 for most."),
            "deposit_reason": Choice(choices=DepositReason, null=True),
            "parts_confirmed_at": Moment(null=True),
            "workshop_confirmed_at": Moment(null=True),
            "ended_reason": Text(),
            "replan_reason": Text(help="Why the shop can't keep the time; empty where it can."),
            "replan_from": Day(null=True, help="The first day on which the missing part will be there."),
            "shop_moves": Whole(help="How often the shop had to move it."),
            "items": Many(
                rows=_items,
                by="appointment_id",
                fields={
                    "operation_uid": Uid(source="operation__uid", null=True),
                    "description": Text(),
                    "hours": Number(2),
                    "amount": Money(),
                },
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=AppointmentState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
            "starts_gte": Filter(field=Moment(), lookup="starts_at__gte"),
            "starts_lte": Filter(field=Moment(), lookup="starts_at__lte"),
        },
        expand={
            "customer": One(target="customers", source="customer__uid"),
            "vehicle": One(target="vehicles", source="vehicle__uid"),
        },
        create=Command(
            run=_book,
            permission=BOOK,
            input={
                **CONTACT,
                "starts_at": Moment(),
                "concern": Text(500, min=1),
                "customer_uid": Uid(optional=True, null=True),
                "vehicle_uid": Uid(optional=True, null=True),
                "plate": Text(20, optional=True),
                "model_text": Text(80, optional=True),
                "operation_uids": ListOf(inner=Uid(), optional=True, most=50),
                "waiting_mode": Choice(choices=WaitingMode, optional=True),
                "service_advisor_uid": Uid(optional=True, null=True, source="advisor_uid"),
                "source": Choice(choices=AppointmentSource, optional=True),
            },
            help="Book an arrival",
        ),
        actions=(
            Action(
                verb="confirm",
                run=appointments.confirm_appointment,
                permission=BOOK,
                when={A.REQUESTED},
                help="The desk confirms a booking from outside",
            ),
            Action(
                verb="move",
                run=appointments.move_appointment,
                permission=BOOK,
                when={A.REQUESTED, A.CONFIRMED, A.PREPARED, A.NO_SHOW},
                input={"starts_at": Moment(), "reason": Text(200, min=1)},
                help="Move it to another time",
            ),
            Action(
                verb="cancel",
                run=appointments.cancel_appointment,
                permission=BOOK,
                when={A.REQUESTED, A.CONFIRMED, A.PREPARED},
                input={"reason": Text(200, min=1)},
                help="Cancel it; bay and technician are free again",
            ),
            Action(
                verb="extend-loan",
                run=appointments.extend_loan,
                permission=BOOK,
                when={A.REQUESTED, A.CONFIRMED, A.PREPARED, A.ARRIVED},
                input={"ends_at": Moment()},
                help="The loan car is kept longer, as far as its next customer leaves room",
            ),
            Action(
                verb="confirm-parts",
                run=appointments.confirm_parts,
                permission=permissions.APPOINTMENTS_PARTS,
                when={A.REQUESTED, A.CONFIRMED},
                help="The parts are ready",
            ),
            Action(
                verb="confirm-workshop",
                run=appointments.confirm_workshop,
                permission=permissions.APPOINTMENTS_WORKSHOP,
                when={A.REQUESTED, A.CONFIRMED},
                help="Bay and technician are ready",
            ),
            Action(
                verb="report-part-missing",
                run=appointments.report_part_missing,
                permission=permissions.APPOINTMENTS_PARTS,
                when={A.CONFIRMED, A.PREPARED},
                input={
                    "reason": Text(200, min=1),
                    "part_number": Text(40, optional=True),
                    "expected_on": Day(optional=True, null=True),
                },
                help="A part was taken away or comes late; the booking is planned anew",
            ),
            Action(
                verb="mark-no-show",
                run=appointments.mark_no_show,
                permission=BOOK,
                when={A.REQUESTED, A.CONFIRMED, A.PREPARED},
                only=While(lambda starts_at: starts_at <= clock.now(), "starts_at"),
                help="The customer did not come",
            ),
        ),
    )
)


def _asked_days(values: dict[str, Any], actor: Actor) -> list[capacity.Day]:
    """The coming days of one store for a job, as the pages show them."""
    stores = Store.objects.for_actor(actor)
    if "store_code" in values:
        stores = stores.filter(code=values["store_code"])
    found = list(stores[:2])
    if len(found) != 1:
        raise RuleError("store.choose", _("Name one store of yours by its code."), field="store_code")
    codes = [code for code in values.get("operation_codes", "").split(",") if code]
    rows = {o.code: o for o in Operation.objects.filter(code__in=codes, active=True).prefetch_related("parts")}
    if len(rows) != len(set(codes)):
        raise RuleError(
            "appointment.operation", _("One of these operations isn't offered any more."), field="operation_codes"
        )
    advisor = None
    if "service_advisor_uid" in values:
        people = appointments.employees_with_role(found[0].pk, "advisor")
        advisor = people.filter(uid=values["service_advisor_uid"]).values_list("pk", flat=True).first()
        if advisor is None:
            raise RuleError(
                "appointment.advisor", _("This person doesn't receive customers here."), field="service_advisor_uid"
            )
    return capacity.free_days(
        found[0],
        [rows[code] for code in dict.fromkeys(codes)],
        first=values.get("day_gte"),
        days=values.get("days", 7),
        powertrain=values.get("powertrain", ""),
        waiting_mode=values.get("waiting_mode", WaitingMode.LEAVE),
        advisor_id=advisor,
    )


def _paged(rows: list[dict[str, Any]], values: dict[str, Any]) -> tuple[list[dict[str, Any]], bool, str | None]:
    start, limit = int(values.get("cursor", "0")), values["limit"]
    has_more = len(rows) > start + limit
    return rows[start : start + limit], has_more, str(start + limit) if has_more else None


def _slots(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    """The free arrival times of one store in the coming days for a job; times without room are left out."""
    free = [
        {"starts_at": option.at, "ready_at": option.ready_at, "left": option.count}
        for day in _asked_days(values, actor)
        for option in day.free
    ]
    return _paged(free, values)


def _days(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    """Each day with its first free time, or why there is none and what would free it."""
    rows = [
        {
            "day": day.day,
            "open": day.is_open,
            "times": len(day.free),
            "starts_at": day.free[0].at if day.free else None,
            "reason": day.reason,
            "ways": [f"{way.words} {way.option.at:%H:%M}" for way in day.ways],
        }
        for day in _asked_days(values, actor)
    ]
    return _paged(rows, values)


ASKED: dict[str, Any] = {
    "store_code": Text(4, min=1, help="Needed where the client serves several stores."),
    "operation_codes": Text(200, min=1, help="Codes of the catalogue with commas; none: a diagnosis."),
    "day_gte": Day(help="First day; default: today."),
    "days": Whole(1, 14, help="Default: 7."),
    "powertrain": Choice(choices=Powertrain, help="Of the car; decides which diagnosis words alone mean."),
    "waiting_mode": Choice(choices=WaitingMode, help="LOANER: a loan car is free, too."),
    "service_advisor_uid": Uid(help="Left out: whoever is free."),
    "cursor": Text(6, min=1, pattern=r"^[0-9]{1,6}$", help="next_cursor of the page before."),
}

register_listing(
    Listing(
        path="appointment-slots",
        name="AppointmentSlot",
        room="reception",
        view=permissions.APPOINTMENTS_VIEW,
        help="Free arrival times: bay, technician with the skill, tool, loan car and advisor at once (2.4).",
        parameters=ASKED,
        shape={
            "starts_at": Moment(),
            "ready_at": Moment(null=True),
            "left": Whole(help="How many cars can still come then."),
        },
        read=_slots,
    )
)

register_listing(
    Listing(
        path="appointment-days",
        name="AppointmentDay",
        room="reception",
        view=permissions.APPOINTMENTS_VIEW,
        help="The coming days for a job: how many times are free or, where a day is full, why and what frees it (2.4).",
        parameters=ASKED,
        shape={
            "day": Day(),
            "open": Flag(),
            "times": Whole(help="How many arrival times are free."),
            "starts_at": Moment(null=True, help="The first of them."),
            "reason": Text(help="Why there is none, in the language asked for."),
            "ways": ListOf(inner=Text(), help="What would free the day, with the time it gives."),
        },
        read=_days,
    )
)

register(
    Resource(
        path="waiting-entries",
        name="WaitingEntry",
        room="reception",
        model=WaitingEntry,
        view=permissions.APPOINTMENTS_VIEW,
        help="A car that waits for a time on full days; what gets free is offered to its customer by message (2.4).",
        state="state",
        shape={
            "state": Choice(choices=WaitingState),
            "customer_uid": Uid(source="customer__uid"),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "service_advisor_uid": Uid(source="advisor__uid", null=True),
            "contact_name": Text(mask=mask_name),
            "contact_phone": Text(mask=mask_phone),
            "what": Text(mask=mask_text),
            "waiting_mode": Choice(choices=WaitingMode),
            "first_day": Day(),
            "last_day": Day(),
            "part_of_day": Choice(choices=PartOfDay),
            "joined_at": Moment(),
            "offered_at": Moment(null=True, help="The arrival time that is offered at present."),
            "offer_ends_at": Moment(null=True, help="Until when it may be taken."),
            "appointment_uid": Uid(source="appointment__uid", null=True, help="What came of it."),
            "replaced_appointment_uid": Uid(
                source="replaces__uid",
                null=True,
                help="The booking that is moved where a time is taken; it stays till then.",
            ),
            "ended_reason": Text(mask=mask_text),
        },
        filters={
            "state": Filter(field=Choice(choices=WaitingState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
        },
        create=Command(
            run=waiting.join_waiting_list,
            permission=BOOK,
            input={
                "contact_name": Text(60, min=1),
                "contact_phone": Text(60, min=1),
                "concern": Text(500, min=1),
                "first_day": Day(),
                "last_day": Day(optional=True, null=True),
                "part_of_day": Choice(choices=PartOfDay, optional=True),
                "customer_uid": Uid(optional=True, null=True),
                "vehicle_uid": Uid(optional=True, null=True),
                "plate": Text(20, optional=True),
                "model_text": Text(80, optional=True),
                "operation_uids": ListOf(inner=Uid(), optional=True, most=50),
                "waiting_mode": Choice(choices=WaitingMode, optional=True),
                "service_advisor_uid": Uid(optional=True, null=True, source="advisor_uid"),
                "replaced_appointment_uid": Uid(
                    optional=True,
                    null=True,
                    source="replaces_uid",
                    help="A booking of this car: it stays, and moves to the time that is taken.",
                ),
            },
            help="Put a car on the waiting list",
        ),
        actions=(
            Action(
                verb="withdraw",
                run=waiting.withdraw_entry,
                permission=BOOK,
                when={W.WAITING, W.OFFERED},
                input={"reason": Text(200, min=1)},
                help="Take it off the list",
            ),
        ),
    )
)

# --- fetching and bringing back (2.1.2) ---
TS = TransportState
DRIVE = permissions.TRANSPORTS_WORK
DOOR = {"odometer_km": Whole(0, vehicles.MAX_KM), "energy_eighths": Whole(0, 8)}

register(
    Resource(
        path="transports",
        name="Transport",
        room="reception",
        model=Transport,
        view=permissions.TRANSPORTS_VIEW,
        help="A car is fetched from its customer or brought back: driver, window, address, readings at the door (2.1.2).",
        state="state",
        shape={
            "kind": Choice(choices=TransportKind),
            "state": Choice(choices=TransportState),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "visit_uid": Uid(source="visit__uid", null=True),
            "appointment_uid": Uid(source="appointment__uid", null=True),
            "driver_uid": Uid(source="driver__uid"),
            "starts_at": Moment(),
            "ends_at": Moment(),
            "address": Text(mask=mask_text),
            "contact_name": Text(mask=mask_name),
            "contact_phone": Text(mask=mask_phone),
            "set_out_at": Moment(null=True),
            "done_at": Moment(null=True),
            "odometer": Whole(source="odometer_km", null=True, help="km, read at the door."),
            "energy_eighths": Whole(null=True),
            "ended_note": Text(mask=mask_text),
        },
        filters={
            "state": Filter(field=Choice(choices=TransportState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit__uid"),
            "driver_uid": Filter(field=Uid(), lookup="driver__uid"),
        },
        create=Command(
            run=transports.plan_transport,
            permission=DRIVE,
            input={
                "kind": Choice(choices=TransportKind),
                "driver_uid": Uid(),
                "starts_at": Moment(),
                "ends_at": Moment(),
                "address": Text(200, min=1),
                "visit_uid": Uid(optional=True, null=True, help="Needed for RETURN."),
                "appointment_uid": Uid(optional=True, null=True),
                "vehicle_uid": Uid(optional=True, null=True),
                "contact_name": Text(60, optional=True),
                "contact_phone": Text(60, optional=True),
            },
            help="Plan to fetch a car or to bring it back",
        ),
        actions=(
            Action(
                verb="set-out",
                run=transports.set_out,
                permission=DRIVE,
                when={TS.PLANNED},
                help="The driver sets out to fetch the car",
            ),
            Action(
                verb="take-over",
                run=transports.take_over,
                permission=DRIVE,
                when={TS.UNDERWAY},
                input={**DOOR, "need": Text(500, min=1)},
                help="The car is taken over at the customer's door: its visit begins",
            ),
            Action(
                verb="arrive",
                run=transports.arrive,
                permission=DRIVE,
                when={TS.UNDERWAY},
                help="The fetched car is in the shop",
            ),
            Action(
                verb="call-off",
                run=transports.call_off,
                permission=DRIVE,
                when={TS.PLANNED, TS.UNDERWAY},
                input={"reason": Text(200, min=1)},
                help="It isn't fetched or brought back after all",
            ),
        ),
    )
)

# --- loan cars (2.1.2, 2.4) ---
LEND = permissions.LOANS_WORK
LOAN_PHOTOS = ListOf(inner=Bytes(help="JPEG, PNG or WebP as base64."), optional=True, most=MOST_PHOTOS)


def _loan_photos() -> QuerySet:
    return LoanPhoto.objects.select_related("file").order_by("phase", "number")


def _loan_cars(by: Actor) -> QuerySet:
    return PlannedResource.objects.for_actor(by).filter(kind=ResourceKind.LOAN_CAR)


register(
    Resource(
        path="loan-cars",
        name="LoanCar",
        room="reception",
        model=PlannedResource,
        rows=_loan_cars,
        view=permissions.LOANS_VIEW,
        help="The store's loan cars (2.4).",
        shape={
            "code": Text(),
            "name": Text(),
            "name_en": Text(help="For people who work in English; empty: the Chinese name."),
            "plate": Text(help="Empty until it is written down."),
            "active": Flag(),
        },
        filters={"code": Filter(field=Text(20, min=1), lookup="code")},
    )
)

register(
    Resource(
        path="loan-trips",
        name="LoanTrip",
        room="reception",
        model=LoanTrip,
        view=permissions.LOANS_VIEW,
        help="A loan car with a customer: driver, licence, readings and condition as given and as back (2.1.2, 2.4).",
        state="state",
        lock_first=("visit", "car"),
        shape={
            "visit_uid": Uid(source="visit__uid"),
            "loan_car_uid": Uid(source="car__uid"),
            "state": Choice(choices=LoanState),
            "driver_name": Text(mask=mask_name),
            "licence_class": Choice(choices=LicenceClass),
            "licence_last4": Text(mask=mask_text, help="The last four signs; the whole number is never kept."),
            "licence_until": Day(null=True, help="null: without an end."),
            "given_at": Moment(),
            "given_by_uid": Uid(source="given_by__uid"),
            "expected_at": Moment(),
            "odometer_out": Whole(source="odometer_out_km", help="km"),
            "energy_out_eighths": Whole(),
            "condition_out": Text(mask=mask_text),
            "back_at": Moment(null=True),
            "back_by_uid": Uid(source="back_by__uid", null=True),
            "odometer_in": Whole(source="odometer_in_km", null=True, help="km"),
            "energy_in_eighths": Whole(null=True),
            "condition_in": Text(mask=mask_text),
            "damage": Text(mask=mask_text),
            "photos": Many(
                rows=_loan_photos,
                by="trip_id",
                fields={
                    "uid": Uid(),
                    "phase": Choice(choices=LoanPhase),
                    "number": Whole(),
                    "media_type": Text(source="file__media_type"),
                    "sha256": Text(source="file__sha256"),
                },
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=LoanState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="visit__uid"),
            "loan_car_uid": Filter(field=Uid(), lookup="car__uid"),
        },
        create=Command(
            run=loans.give_loan_car,
            permission=LEND,
            input={
                "visit_uid": Uid(),
                "loan_car_uid": Uid(source="car_uid"),
                "licence_seen": Flag(),
                "licence_class": Choice(choices=LicenceClass),
                "licence_last4": Text(4, min=4, pattern="^[0-9Xx]{4}$"),
                "licence_until": Day(optional=True, null=True),
                "odometer_km": Whole(0, vehicles.MAX_KM),
                "energy_eighths": Whole(0, 8),
                "condition": Text(300, min=1),
                "expected_at": Moment(),
                "signed_name": Text(60, min=1, help="Who drives and signs."),
                "signature": Bytes(optional=True, null=True),
                "photos": LOAN_PHOTOS,
            },
            help="Give a loan car to the customer of a visit",
        ),
        actions=(
            Action(
                verb="take-back",
                run=loans.take_back_loan_car,
                permission=LEND,
                when={LoanState.OUT},
                input={
                    "odometer_km": Whole(0, vehicles.MAX_KM),
                    "energy_eighths": Whole(0, 8),
                    "condition": Text(300, min=1),
                    "damage": Text(300, optional=True),
                    "photos": LOAN_PHOTOS,
                },
                help="The loan car is back",
            ),
            Action(
                verb="keep-longer",
                run=loans.keep_loan_car_longer,
                permission=LEND,
                when={LoanState.OUT},
                input={"expected_at": Moment()},
                help="The customer keeps it longer, as far as its next one leaves room",
            ),
        ),
    )
)

# --- the one search box (2.3) ---
KINDS = {"v": "visit", "ap": "appointment"}


def _found(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    """What the search box of the pages finds, the surest first. Names stay masked; the item itself shows them."""
    hits = [hit for hit in search.find(text=values.get("q", ""), by=actor) if hit.uid is not None]
    limit = values["limit"]
    rows = [
        {
            "kind": KINDS.get(hit.kind, hit.kind),
            "uid": hit.uid,
            "name": mask_name(hit.person),
            "plate": hit.plate,
            "detail": hit.say,
            "state": str(hit.chip),
        }
        for hit in hits[:limit]
    ]
    return rows, len(hits) > limit, None


register_listing(
    Listing(
        path="search",
        name="Hit",
        room="reception",
        view=SEARCH,
        help="Cars, customers, their contacts and visits by plate, VIN, telephone, name, pinyin or number or its tail (2.3).",
        parameters={"q": Text(100, min=1, help="What was typed.")},
        required=("q",),
        shape={
            "kind": Text(
                help="vehicle, customer, customer-contact, visit or appointment: the resource that uid belongs to."
            ),
            "uid": Uid(),
            "name": Text(help="Masked; read the item for the name."),
            "plate": Text(),
            "detail": Text(help="Model and VIN, masked telephone and plates, or the number."),
            "state": Text(help="Where the car stands at present, in the caller's language."),
        },
        read=_found,
    )
)

# --- STAR's values of our codes (peers: a dictionary, no protocol) ---
star_codes(WaitingMode, "WAIT_AT_DEALER", "LOANER", "PICK_UP")
star_codes(AppointmentSource, "PHONE", "CONSUMER_PORTAL", "SERVICE_ADVISOR_INITIATED", "DMS_DIRECT")
star_codes(Powertrain, "ICE", "HEV", "PHEV", "BEV", "FCEV")


# --- consultations (2.2) ---
WORK = permissions.CONSULTATIONS_WORK
RUNNING = {ConsultationState.AWAITING, ConsultationState.IN_PROGRESS, ConsultationState.ANSWERED}


WORDS = Text(20000, min=1)


def _on_question(verb: str, run: Any, help: str, when: Any = frozenset(RUNNING), /, **given: Any) -> Action:
    """An action of whoever works on questions."""
    return Action(verb=verb, run=run, permission=WORK, when=when, input=given, help=help)


def _on_article(verb: str, run: Any, help: str, /, **given: Any) -> Action:
    """An action of whoever writes the articles."""
    return Action(verb=verb, run=run, permission=permissions.KNOWLEDGE_WRITE, input=given, help=help)


def _thread() -> QuerySet:
    return ConsultationMessage.objects.order_by("at", "id")


def _clocks() -> QuerySet:
    return ConsultationClock.objects.order_by("started_at", "id")


register(
    Resource(
        path="consultations",
        name="Consultation",
        room="reception",
        model=Consultation,
        view=permissions.CONSULTATIONS_VIEW,
        help="A question with its thread and its limits (2.2). A limit that is late is worked out, never given.",
        state="state",
        shape={
            "number": Text(),
            "channel": Choice(choices=ConsultationChannel),
            "topic": Choice(choices=ConsultationTopic),
            "state": Choice(choices=ConsultationState),
            "subject": Text(mask=mask_text),
            "contact_name": Text(mask=mask_name),
            "contact_phone": Text(mask=mask_phone),
            "contact_email": Text(mask=mask_email),
            "model_text": Text(),
            "customer_uid": Uid(source="customer__uid", null=True),
            "vehicle_uid": Uid(source="vehicle__uid", null=True),
            "assignee_uid": Uid(source="assignee__uid", null=True),
            "appointment_uid": Uid(source="appointment__uid", null=True),
            "visit_uid": Uid(source="visit__uid", null=True),
            "asked_at": Moment(),
            "snoozed_until": Moment(null=True),
            "ended_at": Moment(null=True),
            "messages": Many(
                rows=_thread,
                by="consultation_id",
                fields={
                    "direction": Choice(choices=MessageDirection),
                    "way": Text(),
                    "body": Text(mask=mask_text),
                    "at": Moment(),
                },
            ),
            "clocks": Many(
                rows=_clocks,
                by="consultation_id",
                fields={
                    "kind": Choice(choices=ClockKind),
                    "started_at": Moment(),
                    "due_at": Moment(null=True, help="Null while the customer has the word."),
                    "met_at": Moment(null=True),
                    "working_only": Flag(),
                },
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=ConsultationState), lookup="state"),
            "channel": Filter(field=Choice(choices=ConsultationChannel), lookup="channel"),
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
        },
        create=Command(
            run=consultations.register_consultation,
            permission=WORK,
            input={
                "channel": Choice(choices=ConsultationChannel),
                "body": WORDS,
                "contact_name": Text(60, optional=True),
                "contact_phone": Text(60, optional=True),
                "contact_email": Text(120, optional=True),
                "plate": Text(20, optional=True),
                "model_text": Text(80, optional=True),
                "topic": Choice(choices=ConsultationTopic, optional=True),
                "subject": Text(160, optional=True),
            },
        ),
        actions=(
            _on_question("receive", consultations.receive_message, "The customer writes again", None, body=WORDS),
            _on_question(
                "answer",
                consultations.answer_consultation,
                "Answer the customer; cites names the versions of articles that the answer was taken from",
                body=WORDS,
                way=Choice(choices=AnswerWay),
                cites=ListOf(inner=Uid(), optional=True),
            ),
            _on_question("note", consultations.note_consultation, "A word for colleagues", None, body=WORDS),
            _on_question("take", consultations.take_consultation, "The person in whose name you act looks after it"),
            _on_question(
                "assign",
                consultations.assign_consultation,
                "Give it to somebody to look after",
                employee_uid=Uid(),
            ),
            _on_question("snooze", consultations.snooze_consultation, "Put it off; its limits run on", until=Moment()),
            _on_question(
                "settle",
                consultations.settle_consultation,
                "The customer says that the answer settles it",
                {ConsultationState.ANSWERED},
            ),
            _on_question("close", consultations.close_consultation, "Close it for a reason", reason=Text(300, min=1)),
            _on_question(
                "convert-to-appointment",
                consultations.convert_to_appointment,
                "It became a booking",
                appointment_uid=Uid(),
            ),
            _on_question("convert-to-visit", consultations.convert_to_visit, "It became a visit", visit_uid=Uid()),
            _on_question(
                "hand-to-sales",
                consultations.hand_to_sales,
                "Sales goes on with it",
                contact_name=Text(60, min=1),
                contact_phone=Text(60, min=1),
                model_text=Text(80, min=1),
                topic=Choice(choices=ConsultationTopic),
                note=Text(300, optional=True),
            ),
        ),
    )
)


# --- knowledge (2.2.2) ---
def _versions() -> QuerySet:
    return KnowledgeVersion.objects.order_by("number")


_VERSION_INPUT = {
    "title": Text(80, min=1),
    "body": WORDS,
    "source": Text(160, optional=True),
    "ends_on": Day(optional=True),
}

register(
    Resource(
        path="knowledge-articles",
        name="KnowledgeArticle",
        room="reception",
        model=KnowledgeArticle,
        view=permissions.KNOWLEDGE_VIEW,
        help="What the shop answers to a usual question, with its versions (2.2.2). An answer names the versions used.",
        shape={
            "title": Text(),
            "topic": Choice(choices=ConsultationTopic),
            "owner_uid": Uid(source="owner__uid"),
            "review_on": Day(),
            "withdrawn_at": Moment(null=True),
            "versions": Many(
                rows=_versions,
                by="article_id",
                fields={
                    "uid": Uid(),
                    "number": Whole(),
                    "title": Text(),
                    "body": Text(),
                    "source": Text(),
                    "starts_on": Day(),
                    "ends_on": Day(null=True, help="Its last day; null: until the next version."),
                },
            ),
        },
        filters={"topic": Filter(field=Choice(choices=ConsultationTopic), lookup="topic")},
        create=Command(
            run=knowledge.write_article,
            permission=permissions.KNOWLEDGE_WRITE,
            input=_VERSION_INPUT
            | {
                "topic": Choice(choices=ConsultationTopic),
                "starts_on": Day(optional=True),
                "review_on": Day(),
                "owner_uid": Uid(optional=True),
            },
        ),
        actions=(
            _on_article(
                "revise",
                knowledge.revise_article,
                "Another version from a day on",
                **_VERSION_INPUT,
                starts_on=Day(),
                review_on=Day(),
            ),
            _on_article("review", knowledge.review_article, "Looked at and still right", review_on=Day()),
            _on_article("give", knowledge.give_article, "Somebody else looks after it", employee_uid=Uid()),
            _on_article("withdraw", knowledge.withdraw_article, "It answers nothing any more", reason=Text(200, min=1)),
        ),
    )
)


# --- opening checklists (2.1.1) ---
def _checklist_items() -> QuerySet:
    return ChecklistItem.objects.filter(active=True).order_by("id")


def _opening_answers() -> QuerySet:
    return OpeningAnswer.objects.order_by("id")


def _right_point(*, uid: UUID, point_uid: UUID, how: str, by: Actor) -> OpeningCheck:
    OpeningAnswer.objects.get(uid=point_uid, check_of__uid=uid)
    return checklists.right_point(uid=point_uid, how=how, by=by)


CHECKLIST_INPUT = {
    "due_minutes": Whole(0, 240, optional=True, help="Due so many minutes after the shift begins."),
    "items": ListOf(
        inner=Nested(
            fields={"uid": Uid(optional=True, null=True), "text": Text(80, min=1), "photo_if_wrong": Flag()},
        ),
        help="What isn't named any more ends; a uid changes that item.",
    ),
}

register(
    Resource(
        path="checklists",
        name="Checklist",
        room="reception",
        model=Checklist,
        view=permissions.CHECKLISTS_FILL,
        help="What is looked at before one area opens in one shift (2.1.1).",
        shape={
            "area": Choice(choices=CheckArea),
            "shift_code": Text(source="shift__code"),
            "due_minutes": Whole(),
            "starts_on": Day(),
            "ends_on": Day(null=True),
            "items": Many(
                rows=_checklist_items,
                by="checklist_id",
                fields={"uid": Uid(), "text": Text(), "photo_if_wrong": Flag()},
            ),
        },
        create=Command(
            run=checklists.write_checklist,
            permission=permissions.CHECKLISTS_MANAGE,
            input={"area": Choice(choices=CheckArea), "shift_code": Text(10, min=1), **CHECKLIST_INPUT},
        ),
        update=Command(run=checklists.write_checklist, permission=permissions.CHECKLISTS_MANAGE, input=CHECKLIST_INPUT),
        actions=(
            Action(
                verb="end",
                run=checklists.end_checklist,
                permission=permissions.CHECKLISTS_MANAGE,
                help="No longer gone through from tomorrow on",
            ),
        ),
    )
)

register(
    Resource(
        path="opening-checks",
        name="OpeningCheck",
        room="reception",
        model=OpeningCheck,
        view=permissions.CHECKLISTS_FILL,
        help="A checklist as it was gone through on a day, with what is still open (2.1.1).",
        shape={
            "checklist_uid": Uid(source="checklist__uid"),
            "day": Day(),
            "due_at": Moment(),
            "checked_at": Moment(),
            "checked_by_uid": Uid(source="checked_by__uid"),
            "drawn_item_uid": Uid(source="drawn__uid", help="Photographed in any case."),
            "note": Text(mask=mask_text),
            "answers": Many(
                rows=_opening_answers,
                by="check_of_id",
                fields={
                    "uid": Uid(),
                    "item_uid": Uid(source="item__uid"),
                    "text": Text(),
                    "in_order": Flag(),
                    "remark": Text(mask=mask_text),
                    "photo_sha256": Text(source="photo__sha256", null=True),
                    "righted_at": Moment(null=True),
                    "righted_how": Text(mask=mask_text),
                },
            ),
        },
        filters={
            "checklist_uid": Filter(field=Uid(), lookup="checklist__uid"),
            "day": Filter(field=Day(), lookup="day"),
        },
        create=Command(
            run=checklists.check_opening,
            permission=permissions.CHECKLISTS_FILL,
            input={
                "checklist_uid": Uid(),
                "answers": ListOf(
                    inner=Nested(
                        fields={
                            "item_uid": Uid(),
                            "in_order": Flag(),
                            "remark": Text(120, optional=True),
                            "photo": Bytes(optional=True, null=True),
                        },
                    )
                ),
                "note": Text(300, optional=True),
            },
        ),
        actions=(
            Action(
                verb="right",
                run=_right_point,
                permission=permissions.CHECKLISTS_FILL,
                input={"point_uid": Uid(help="uid of an answer that wasn't in order."), "how": Text(120, min=1)},
                help="An open point is put right",
            ),
        ),
    )
)


# --- quotations (2.2.2) ---
def _quoted_lines() -> QuerySet:
    return QuotationLine.objects.order_by("position")


def _quotations(by: Actor) -> QuerySet:
    return Quotation.objects.for_actor(by).filter(total__isnull=False)


register(
    Resource(
        path="quotations",
        name="Quotation",
        room="reception",
        model=Quotation,
        rows=_quotations,
        view=permissions.QUOTATIONS_VIEW,
        help="Prices drawn from the live price list that bind the shop until a day (2.2.2). They are never changed.",
        shape={
            "number": Text(),
            "contact_name": Text(mask=mask_name),
            "contact_phone": Text(mask=mask_phone),
            "model_text": Text(),
            "consultation_uid": Uid(source="consultation__uid", null=True),
            "customer_uid": Uid(source="customer__uid", null=True),
            "vehicle_uid": Uid(source="vehicle__uid", null=True),
            "quoted_at": Moment(),
            "valid_until": Day(help="The last day on which the shop is bound."),
            "total": Money(),
            "lines": Many(
                rows=_quoted_lines,
                by="quotation_id",
                fields={
                    "operation_uid": Uid(source="operation__uid", null=True),
                    "model_uid": Uid(source="model__uid", null=True),
                    "description": Text(),
                    "hours": Number(2),
                    "rate": Money(),
                    "amount": Money(help="Labour, or the car; the total holds the parts as well."),
                },
            ),
        },
        filters={
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "customer_uid": Filter(field=Uid(), lookup="customer__uid"),
        },
        create=Command(
            run=quotations.give_quotation,
            permission=permissions.QUOTATIONS_GIVE,
            input={
                "operation_uids": ListOf(inner=Uid(), optional=True),
                "model_uids": ListOf(inner=Uid(), optional=True),
                "contact_name": Text(60, optional=True),
                "contact_phone": Text(60, optional=True),
                "plate": Text(20, optional=True),
                "model_text": Text(80, optional=True),
                "consultation_uid": Uid(optional=True),
                "valid_until": Day(optional=True),
            },
        ),
    )
)


# --- the standard of reception (2.1.3) ---
def _observation_scores() -> QuerySet:
    return ObservationScore.objects.order_by("id")


SCRIPT_INPUT = {
    "situation": Choice(choices=Situation),
    "language": Choice(choices=ScriptLanguage),
    "text": Text(300, min=1),
    "active": Flag(optional=True),
}

register(
    Resource(
        path="scripts",
        name="Script",
        room="reception",
        model=Script,
        view=permissions.VISITS_RECEIVE,
        help="A standard phrase for a situation in one language (2.1.3).",
        shape={
            "situation": Choice(choices=Situation),
            "language": Choice(choices=ScriptLanguage),
            "text": Text(),
            "active": Flag(),
        },
        filters={
            "situation": Filter(field=Choice(choices=Situation), lookup="situation"),
            "language": Filter(field=Choice(choices=ScriptLanguage), lookup="language"),
        },
        create=Command(run=conduct.save_script, permission=permissions.SCRIPTS_MANAGE, input=SCRIPT_INPUT),
        update=Command(run=conduct.save_script, permission=permissions.SCRIPTS_MANAGE, input=SCRIPT_INPUT),
    )
)

register(
    Resource(
        path="observations",
        name="Observation",
        room="reception",
        model=Observation,
        view=permissions.RECEPTION_OBSERVE,
        help="How a colleague kept to the standard of reception, seen on the floor (2.1.3).",
        shape={
            "employee_uid": Uid(source="employee__uid"),
            "observer_uid": Uid(source="observer__uid"),
            "at": Moment(),
            "situation": Choice(choices=Situation),
            "remark": Text(mask=mask_text),
            "photo_sha256": Text(source="photo__sha256", null=True),
            "scores": Many(
                rows=_observation_scores,
                by="observation_id",
                fields={
                    "item": Choice(choices=Courtesy),
                    "clause": Text(),
                    "points": Whole(),
                    "seen": Text(mask=mask_text),
                },
            ),
        },
        filters={"employee_uid": Filter(field=Uid(), lookup="employee__uid")},
        create=Command(
            run=conduct.observe_reception,
            permission=permissions.RECEPTION_OBSERVE,
            input={
                "employee_uid": Uid(),
                "situation": Choice(choices=Situation),
                "scores": MapOf(
                    key=Choice(choices=Courtesy), inner=Whole(0, 2), help="Point of the standard → 0, 1 or 2."
                ),
                "seen": MapOf(
                    key=Choice(choices=Courtesy),
                    inner=Text(120),
                    optional=True,
                    help="Point → what was seen; demanded where it has 0.",
                ),
                "remark": Text(300, optional=True),
                "photo": Bytes(optional=True, null=True),
            },
        ),
    )
)
