"""Resources of chapter 2 (customers, vehicles, appointments, visits)."""

from __future__ import annotations

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from dealership.catalogue.models import Powertrain
from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_email, mask_name, mask_phone, mask_text
from dealership.kernel.api.resources import Action, Command, Filter, Many, One, Resource, Those, register
from dealership.kernel.api.shapes import Choice, Day, Flag, Moment, Text, Uid, Whole
from dealership.kernel.models import MessageChannel
from reception import permissions
from reception.models import Consent, ConsentPurpose, CustomerKind, Ownership, PlateColor, PlateKind, Vehicle
from reception.models import Customer as CustomerRow
from reception.services import customers, vehicles

# --- customers and vehicles (2.3) ---
LANGUAGE = Choice(choices=customers.LANGUAGES)


def _consents():
    return Consent.objects.order_by("at", "id")


def _ownerships():
    return Ownership.objects.order_by("starts_on", "id")


CUSTOMER_INPUT = {
    "name": Text(60, min=1),
    "phone": Text(60, optional=True, help="Required unless there is an e-mail address."),
    "phone_2": Text(60, optional=True),
    "email": Text(254, optional=True),
    "kind": Choice(choices=CustomerKind, optional=True),
    "uscc": Text(60, optional=True, help="Unified social credit code of a company."),
    "language": Choice(choices=customers.LANGUAGES, optional=True),
    "channel": Choice(choices=MessageChannel, optional=True),
    "note": Text(300, optional=True),
}

register(
    Resource(
        path="customers",
        name="Customer",
        room="reception",
        model=CustomerRow,
        view=permissions.CUSTOMERS_VIEW,
        help="Who brings, owns or pays; known in the whole group (2.3).",
        timeline="customer",
        refs=True,
        shape={
            "kind": Choice(choices=CustomerKind),
            "name": Text(mask=mask_name),
            "phone": Text(mask=mask_phone),
            "phone_2": Text(mask=mask_phone),
            "email": Text(mask=mask_email),
            "uscc": Text(),
            "language": LANGUAGE,
            "channel": Choice(choices=MessageChannel),
            "note": Text(mask=mask_text),
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
        },
        expand={"vehicles": Those(target="vehicles", link="owner_uid")},
        create=Command(
            run=customers.register_customer,
            permission=permissions.CUSTOMERS_EDIT,
            input=CUSTOMER_INPUT,
            help="Register a customer",
        ),
        update=Command(
            run=customers.correct_customer,
            permission=permissions.CUSTOMERS_EDIT,
            input=CUSTOMER_INPUT,
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
                    "text_version": Text(20, optional=True),
                },
                help="Write a given or withdrawn consent",
            ),
        ),
    )
)


def _vehicles(by: Actor) -> QuerySet:
    """Vehicles with the uid of today's owner."""
    owner = Ownership.objects.filter(vehicle=OuterRef("pk"), ends_on__isnull=True).values("customer__uid")[:1]
    return Vehicle.objects.for_actor(by).annotate(owner_uid=Subquery(owner))


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
    "engine_number": Text(40, optional=True),
    "battery_code": Text(40, optional=True),
    "color": Text(20, optional=True),
    "model_year": Whole(1950, 2100, optional=True, null=True),
    "invoiced_on": Day(optional=True, null=True),
    "delivered_on": Day(optional=True, null=True),
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
        shape={
            "plate": Text(),
            "plate_kind": Choice(choices=PlateKind),
            "plate_color": Choice(choices=PlateColor),
            "vin": Text(),
            "model_uid": Uid(source="model__uid", null=True),
            "model_text": Text(),
            "powertrain": Choice(choices=Powertrain),
            "engine_number": Text(),
            "battery_code": Text(),
            "color": Text(),
            "model_year": Whole(null=True),
            "invoiced_on": Day(null=True),
            "delivered_on": Day(null=True),
            "odometer_km": Whole(),
            "odometer_at": Moment(null=True),
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
                "owner_uid": Uid(optional=True, null=True),
                "owner_since": Day(optional=True, null=True),
                "odometer_km": Whole(0, vehicles.MAX_KM, optional=True),
            },
            help="Register a vehicle",
        ),
        update=Command(
            run=vehicles.correct_vehicle,
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
        ),
    )
)
