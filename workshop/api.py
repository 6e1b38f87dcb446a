"""Resources of chapter 3: repair orders, labour operations, part lines, authorisations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from dealership.catalogue.models import (
    PartKind,
    PayType,
    Powertrain,
    RepairCategory,
    Reservation,
    ReservationPurpose,
    ResourceKind,
)
from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_name, mask_text
from dealership.kernel.api.problems import Problem
from dealership.kernel.api.resources import (
    Action,
    Command,
    Filter,
    Listing,
    Many,
    One,
    Resource,
    Those,
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
from reception.models import Vehicle
from workshop import accident_api, old_part_api, permissions, warranty_claim_api  # noqa: F401  (declares its own resources)
from workshop.away_models import AwayWait
from workshop.check_models import CheckAnswer, CheckOffer, CheckPhoto, CheckSheet, SheetState, Verdict
from workshop.fault_models import FaultJudgement, LeftOut, MainSystem, SafetyFault
from workshop.models import (
    Advice,
    AdviceState,
    Authorization,
    AuthorizationMethod,
    AuthorizationStatus,
    Certificate,
    CertificateRange,
    ChangeKind,
    ChangeReason,
    Clocking,
    DeclineCause,
    Dispatch,
    DispatchProposal,
    FailureCause,
    HoldCause,
    Inspection,
    InspectionLevel,
    InspectionResult,
    InspectionTool,
    L,
    LineState,
    MovementKind,
    OrderKind,
    OrderLine,
    OrderStage,
    PartLine,
    PartReturn,
    PauseCause,
    PlanChange,
    ProposalCause,
    ProposalState,
    PurchaseLine,
    PurchaseOrder,
    PurchaseState,
    ReassemblyAnswer,
    RepairOrder,
    ReservationMove,
    ReturnCondition,
    ScreenKind,
    SheetTool,
    StockBin,
    StockItem,
    StockMovement,
    ToolAsset,
    ToolCheck,
    ToolCount,
    ToolCountRow,
    ToolIssue,
    WallScreen,
    Warehouse,
)
from workshop.package_models import OrderPackage
from workshop.selectors import faults as standing
from workshop.selectors import plan
from workshop.selectors.inspections import number_ranges
from workshop.services import (
    advice,
    authorizations,
    away,
    blocking,
    clocking,
    counting,
    dispatch,
    faults,
    findings,
    inspections,
    orders,
    packages,
    proposals,
    purchasing,
    reassembly,
    replacements,
    screens,
    shares,
    sheets,
    stock,
    tools,
)
from workshop.services.differences import price_as_assessed
from workshop.statutory_warranty import MAIN_ASSEMBLIES
from workshop.stock_models import RUNNING
from workshop.tool_models import AssetKind, CheckResult, CountState, ToolClass, ToolCondition, ToolState
from workshop.wear_models import WearPart

S = OrderStage
LIVING = frozenset(set(S) - {S.SETTLED, S.CLOSED, S.CANCELLED})
_LOTS = ListOf(
    inner=Text(40, min=1), optional=True, help="Of a traced part: its batch, or the serial number of each piece."
)
ORDER = {"repair_order_uid": Filter(field=Uid(), lookup="order__uid")}

# --- orders (3.2) ---


def _decision(read: dict[str, Any]) -> tuple[bool, str, str]:
    return read["approve"], read.get("reason", ""), read.get("cause", "")


def _picture(read: dict[str, Any]) -> tuple[str, bytes]:
    return read["name"], read["content"]


def _wanted(read: dict[str, Any]) -> tuple[UUID, Any]:
    return read["part_uid"], read["quantity"]


REASSEMBLY = Choice(
    choices=ReassemblyAnswer,
    optional=True,
    help="What becomes of what lies in pieces then; needed where something does.",
)

register(
    Resource(
        path="repair-orders",
        name="RepairOrder",
        room="workshop",
        model=RepairOrder,
        view=permissions.ORDERS_VIEW,
        help="One order of one visit; its stage follows from its lines (3.2).",
        timeline="order",
        state="stage",
        refs=True,
        lock_first=("visit",),
        star="RepairOrder",
        star_fields={
            "uid": "repair_order_key",
            "number": "repair_order_id",
            "stage": "repair_stage_type",
            "promised_at": "promise_complete_date",
            "vehicle_uid": "vehicle_reference",
            "complaint": "complaint_text",
        },
        shape={
            "number": Text(),
            "stage": Choice(choices=OrderStage),
            "kind": Choice(choices=OrderKind),
            "visit_uid": Uid(source="visit__uid"),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "payer_uid": Uid(source="customer__uid", help="The customer who pays."),
            "service_advisor_uid": Uid(source="advisor__uid"),
            "comeback_of_uid": Uid(source="original__uid", null=True),
            "complaint": Text(help="The customer's own words."),
            "promised_at": Moment(null=True),
            "opened_at": Moment(),
            "settled_at": Moment(null=True),
            "closed_at": Moment(null=True),
            "withdrawn_at": Moment(null=True),
            "withdrawn_reason": Text(),
        },
        filters={
            "stage": Filter(field=Choice(choices=OrderStage), lookup="stage"),
            "visit_uid": Filter(field=Uid(), lookup="visit__uid"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "number": Filter(field=Text(30, min=1), lookup="number"),
        },
        expand={
            "visit": One(target="visits", source="visit__uid"),
            "vehicle": One(target="vehicles", source="vehicle__uid"),
            "payer": One(target="customers", source="customer__uid"),
            "labor_operations": Those(target="labor-operations", link="order__uid"),
            "authorizations": Those(target="authorizations", link="order__uid"),
            "part_lines": Those(target="part-lines", link="line__order__uid"),
        },
        create=Command(
            run=orders.open_repair_order,
            permission=permissions.ORDERS_OPEN,
            input={
                "visit_uid": Uid(),
                "complaint": Text(500, min=1),
                "kind": Choice(choices=OrderKind, optional=True),
                "promised_at": Moment(optional=True, null=True),
                "payer_uid": Uid(optional=True, null=True),
                "comeback_of_uid": Uid(optional=True, null=True, source="original_uid"),
                "with_diagnosis": Flag(optional=True),
                "operation_uids": ListOf(inner=Uid(), optional=True, most=50),
                "diagnosis_agreed_by": Text(
                    60, optional=True, help="Who agreed to it; with the signature or signed_on_paper."
                ),
                "signature": Bytes(optional=True, null=True),
                "signed_on_paper": Flag(optional=True, help="The customer has signed the diagnosis on paper."),
            },
            help="Open an order for a received car; it begins with the diagnosis",
        ),
        actions=(
            Action(
                verb="send-estimate",
                run=orders.send_estimate,
                uid="order_uid",
                permission=permissions.ESTIMATES_SEND,
                when=LIVING,
                help="Send the customer what is to be decided",
            ),
            Action(
                verb="decide",
                run=authorizations.decide_lines,
                uid="order_uid",
                permission=permissions.AUTHORIZATIONS_RECORD,
                when=LIVING,
                input={
                    "decisions": MapOf(
                        key=Uid(),
                        inner=Nested(
                            fields={
                                "approve": Flag(),
                                "reason": Text(200, optional=True),
                                "cause": Choice(choices=DeclineCause, optional=True),
                            },
                            build=_decision,
                        ),
                        help="uid of each labour operation → yes or no.",
                    ),
                    "method": Choice(choices=AuthorizationMethod),
                    "authorized_by": Text(60, min=1),
                    "note": Text(300, optional=True, help="Needed for VERBAL_PHONE: who said what."),
                    "signature": Bytes(optional=True, null=True),
                    "seen_hash": Text(64, optional=True),
                },
                help=(
                    "Record what the customer agreed to or declined, line by line. The yes of somebody who may not decide "
                    "for the payer is kept as NOT_ENTITLED and its lines stay PENDING"
                ),
            ),
            Action(
                verb="reserve-parts",
                run=stock.reserve_parts,
                uid="order_uid",
                permission=permissions.PARTS_RESERVE,
                when=LIVING,
                help="Keep the parts of all agreed lines on the shelf",
            ),
            Action(
                verb="change-promise",
                run=orders.change_promise,
                uid="order_uid",
                permission=permissions.PROMISE_CHANGE,
                when=LIVING,
                input={
                    "promised_at": Moment(),
                    "reason": Text(200, min=1),
                    "told": Choice(
                        choices=("MESSAGE", "PHONE", "IN_PERSON", "NOT_YET"),
                        optional=True,
                        help="How the customer hears of it; left out: a message is sent.",
                    ),
                    "told_to": Text(60, optional=True, help="Who was told; needed with PHONE and IN_PERSON."),
                },
                help="Move the promised time and say how the customer hears of it",
            ),
            Action(
                verb="withdraw-estimate",
                run=orders.withdraw_estimate,
                uid="order_uid",
                permission=permissions.ESTIMATES_SEND,
                when=LIVING,
                input={"reason": Text(200, min=1)},
                help="Take back what the customer is asked; its open lines are drafts again",
            ),
            Action(
                verb="withdraw",
                run=orders.withdraw_order,
                uid="order_uid",
                permission=permissions.ORDERS_WITHDRAW,
                when=LIVING,
                input={"reason": Text(200, min=1), "reassembly": REASSEMBLY},
                help="End what isn't finished of the order; what was done is settled",
            ),
        ),
    )
)

# --- packages (3.1) ---
register(
    Resource(
        path="order-packages",
        name="OrderPackage",
        room="workshop",
        model=OrderPackage,
        view=permissions.ORDERS_VIEW,
        help="A package on an order: its lines add up to its price and are agreed to or declined as a whole (3.1).",
        lock_first=("order",),
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "package_uid": Uid(source="package__uid"),
            "name": Text(),
            "price": Money(),
            "put_at": Moment(),
            "dissolved_at": Moment(null=True),
            "dissolved_reason": Text(),
        },
        filters=ORDER,
        expand={"repair_order": One(target="repair-orders", source="order__uid")},
        create=Command(
            run=packages.put_package,
            permission=permissions.LINES_EDIT,
            input={"repair_order_uid": Uid(source="order_uid"), "package_uid": Uid()},
            help="Put a package on an order; a line for each piece of its work",
        ),
        actions=(
            Action(
                verb="dissolve",
                run=packages.dissolve_package,
                permission=permissions.LINES_EDIT,
                input={"reason": Text(200, min=1)},
                help="Take a package apart while nobody has agreed; its lines get their single prices",
            ),
        ),
    )
)

# --- a repair in two trips (3.2) ---
register(
    Resource(
        path="away-waits",
        name="AwayWait",
        room="workshop",
        model=AwayWait,
        view=permissions.ORDERS_VIEW,
        help="A car drives on until the part of its order comes; the gate lets it out on a pass PARTS_WAIT (3.2).",
        lock_first=("visit", "order"),
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "visit_uid": Uid(source="visit__uid"),
            "reason": Text(),
            "expected_on": Day(),
            "safe_said_by_uid": Uid(source="safe_said_by__uid"),
            "planned_at": Moment(),
            "left_at": Moment(null=True),
            "part_came_at": Moment(null=True, help="The part is kept for it: the car is to be booked."),
            "back_at": Moment(null=True),
            "cancelled_at": Moment(null=True),
        },
        filters=ORDER | {"visit_uid": Filter(field=Uid(), lookup="visit__uid")},
        expand={"repair_order": One(target="repair-orders", source="order__uid")},
        create=Command(
            run=away.plan_away,
            permission=permissions.AWAY_PLAN,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "reason": Text(200, min=1),
                "expected_on": Day(),
                "safe_to_drive": Flag(help="Whoever asks says that the car may be driven."),
                "although_here": Flag(
                    optional=True, help="It leaves although every part it waits for is on the shelf."
                ),
            },
            help="Note that a car drives on until its part comes",
        ),
        actions=(
            Action(
                verb="cancel",
                run=away.cancel_away,
                permission=permissions.AWAY_PLAN,
                help="The car stays after all; refused once it has left",
            ),
        ),
    )
)

# --- lines (3.2) ---
PARTS = ListOf(
    inner=Nested(fields={"part_uid": Uid(), "quantity": Number(2)}, build=_wanted),
    optional=True,
    null=True,
    help="Null: what the operation usually needs.",
)


def _lines(by: Actor) -> QuerySet:
    """All lines of the store's orders; who sees only the own jobs: the lines of cars that person is working on."""
    rows = OrderLine.objects.for_actor(by)
    if by.may(permissions.ORDERS_VIEW):
        return rows
    mine = Dispatch.objects.filter(line__order=OuterRef("order"), technician__user=by.user, live=True)
    worked = Clocking.objects.filter(line__order=OuterRef("order"), employee__user=by.user)
    return rows.filter(Exists(mine) | Exists(worked))


register(
    Resource(
        path="labor-operations",
        name="LaborOperation",
        room="workshop",
        model=OrderLine,
        view=(permissions.ORDERS_VIEW, permissions.JOBS_OWN),
        rows=_lines,
        help="A line of an order with its price: what the customer agrees to or declines (3.2).",
        state="state",
        lock_first=("order",),
        star="LaborOperation",
        star_fields={
            "uid": "labor_operation_key",
            "state": "labor_operation_status_type",
            "description": "labor_operation_description",
            "position": "sequential_line_identifier",
            "hours": "flat_rate_units",
            "complaint": "complaint_text",
            "cause": "cause_text",
            "correction": "correction_text",
        },
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "position": Whole(),
            "state": Choice(choices=LineState),
            "operation_uid": Uid(source="operation__uid", null=True),
            "description": Text(),
            "category": Choice(choices=RepairCategory),
            "pay_type": Choice(choices=PayType),
            "hours": Number(2),
            "rate": Money(),
            "discount": Money(),
            "labor_amount": Money(),
            "authorized_amount": Money(null=True),
            "is_diagnosis": Flag(),
            "is_addition": Flag(),
            "is_safety": Flag(),
            "extra_minutes": Whole(),
            "complaint": Text(),
            "cause": Text(),
            "told_cause": Text(help="The cause as the customer read it when deciding; ``cause`` is what was found."),
            "correction": Text(),
            "fee_amount": Money(help="What costs besides labour and parts: outside work, towing."),
            "fee_note": Text(),
            "declined_reason": Text(),
            "declined_cause": Choice(choices=DeclineCause, null=True),
            "completed_at": Moment(null=True),
            "settled": Flag(),
            "is_dismantling": Flag(help="Takes something apart to find the fault."),
            "reassembly_amount": Money(
                null=True, help="What putting it together again costs at most if the repair is declined."
            ),
            "found_by_uid": Uid(
                source="found_by__uid", null=True, help="The line that was taken apart to find this work."
            ),
            "package_uid": Uid(source="package__uid", null=True, help="The order package at whose price it stands."),
            "reassembles_uid": Uid(
                source="reassembles__uid", null=True, help="The line that this puts together again."
            ),
            "reassembly_answer": Choice(
                choices=ReassemblyAnswer,
                null=True,
                help="What was said of putting it together again when the work ended without a repair.",
            ),
        },
        filters=ORDER
        | {
            "state": Filter(field=Choice(choices=LineState), lookup="state"),
            "visit_uid": Filter(field=Uid(), lookup="order__visit__uid"),
        },
        expand={
            "repair_order": One(target="repair-orders", source="order__uid"),
            "part_lines": Those(target="part-lines", link="line__uid"),
            "authorizations": Those(target="authorizations", link="line__uid"),
        },
        create=Command(
            run=orders.add_line,
            permission=permissions.LINES_PROPOSE,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "operation_uid": Uid(optional=True, null=True),
                "description": Text(120, optional=True),
                "hours": Number(2, digits=3, optional=True, null=True),
                "pay_type": Choice(choices=PayType, optional=True),
                "category": Choice(choices=RepairCategory, optional=True),
                "parts": PARTS,
                "is_addition": Flag(optional=True, null=True),
                "complaint": Text(300, optional=True),
                "cause": Text(300, optional=True),
                "extra_minutes": Whole(0, 10000, optional=True),
                "is_safety": Flag(optional=True, null=True),
                "fee_amount": Money(optional=True),
                "fee_note": Text(60, optional=True),
                "is_dismantling": Flag(optional=True),
                "reassembly_amount": Money(optional=True, null=True),
                "found_by_uid": Uid(optional=True, null=True),
                "although_there": Flag(
                    optional=True, help="false: refused where the same work stands on the order already."
                ),
            },
            help="Write or propose work; a catalogue operation brings its hours and parts",
        ),
        actions=(
            Action(
                verb="change",
                run=orders.change_line,
                uid="line_uid",
                permission=permissions.LINES_EDIT,
                when={L.DRAFT, L.PENDING, L.DECLINED},
                input={
                    "description": Text(120, min=1, optional=True),
                    "hours": Number(2, digits=3, optional=True),
                    "pay_type": Choice(choices=PayType, optional=True),
                    "category": Choice(choices=RepairCategory, optional=True),
                    "is_safety": Flag(optional=True),
                    "extra_minutes": Whole(0, 10000, optional=True),
                    "fee_amount": Money(optional=True),
                    "fee_note": Text(60, optional=True),
                    "is_dismantling": Flag(optional=True),
                    "reassembly_amount": Money(optional=True, null=True),
                    "complaint": Text(300, optional=True),
                    "cause": Text(300, optional=True),
                    "correction": Text(300, optional=True),
                },
                help="Change a line the customer hasn't agreed to",
            ),
            Action(
                verb="cancel",
                run=orders.cancel_line,
                uid="line_uid",
                permission=permissions.LINES_EDIT,
                when={L.DRAFT, L.PENDING},
                input={"reason": Text(200, min=1)},
                help="Take a line off the order",
            ),
            Action(
                verb="add-part",
                run=orders.add_part,
                uid="line_uid",
                permission=permissions.LINES_EDIT,
                when={L.DRAFT, L.PENDING, L.DECLINED},
                input={
                    "part_uid": Uid(),
                    "quantity": Number(2),
                    "kind": Choice(choices=PartKind, optional=True),
                },
                help="Add a part to the line",
            ),
            Action(
                verb="discount",
                run=orders.discount_line,
                uid="line_uid",
                permission=permissions.DISCOUNT_SMALL,
                when={L.DRAFT, L.PENDING, L.DECLINED},
                input={"amount": Money(), "reason": Text(200, min=1)},
                help="Take an amount off the labour; above the limit an approval is asked",
            ),
            Action(
                verb="report-more-work",
                run=findings.report_more_work,
                uid="line_uid",
                permission=permissions.LINES_PROPOSE,
                when={L.AUTHORIZED, L.IN_PROGRESS},
                input={
                    "cause": Text(300, min=1, help="What was found; the customer reads it."),
                    "operation_uid": Uid(optional=True, null=True),
                    "description": Text(120, optional=True),
                    "photos": ListOf(
                        inner=Nested(fields={"name": Text(120, min=1), "content": Bytes()}, build=_picture),
                        optional=True,
                        most=12,
                    ),
                    "although_there": Flag(optional=True, help="It comes on top of the same work on the order."),
                },
                help="More work was found: an addition that waits for its own yes (a labour operation of its own)",
            ),
            Action(
                verb="add-photo",
                run=orders.add_line_photo,
                uid="line_uid",
                permission=(permissions.LINES_EDIT, permissions.LINES_PROPOSE),
                when=frozenset(set(L) - {L.CANCELLED, L.WITHDRAWN}),
                input={"content": Bytes(help="JPEG, PNG or WebP as base64.")},
                help="Add a picture that the customer sees beside the price",
            ),
            Action(
                verb="offer-again",
                run=authorizations.offer_again,
                uid="line_uid",
                permission=permissions.LINES_EDIT,
                when={L.DECLINED},
                help="Offer declined work again",
            ),
            Action(
                verb="finish",
                run=clocking.finish_line,
                uid="line_uid",
                permission=(permissions.JOBS_OWN, permissions.CLOCK_OTHERS),
                when={L.IN_PROGRESS},
                input={"cause": Text(300, optional=True), "correction": Text(300, optional=True)},
                help="The work is done; its clockings close",
            ),
            Action(
                verb="set-shares",
                run=shares.set_shares,
                uid="line_uid",
                permission=permissions.PLAN_DISPATCH,
                when={L.AUTHORIZED, L.IN_PROGRESS, L.COMPLETED, L.INSPECTED},
                input={
                    "shares": MapOf(
                        inner=Whole(0, 100),
                        key=Uid(),
                        most=20,
                        help="Per cent by the uid of each technician who is given the line; they add up to 100.",
                    ),
                    "reason": Text(200, min=1),
                },
                help="Divide the line's hours among those who are given it (6.1)",
            ),
            Action(
                verb="hold",
                run=clocking.hold_line,
                uid="line_uid",
                permission=permissions.LINES_HOLD,
                when={L.AUTHORIZED, L.IN_PROGRESS},
                input={"cause": Choice(choices=HoldCause), "note": Text(200, optional=True)},
                help="Let the line wait for a cause",
            ),
            Action(
                verb="release",
                run=clocking.release_line,
                uid="line_uid",
                permission=permissions.LINES_HOLD,
                when={L.AUTHORIZED, L.IN_PROGRESS},
                help="The line goes on",
            ),
            Action(
                verb="price-as-assessed",
                run=price_as_assessed,
                uid="line_uid",
                permission=permissions.ACCIDENTS_WORK,
                when={L.DRAFT, L.PENDING},
                help="Price the line at what the insurer has agreed to, and release it (3.2)",
            ),
            Action(
                verb="revoke",
                run=authorizations.revoke_line,
                uid="line_uid",
                permission=permissions.AUTHORIZATIONS_RECORD,
                when={L.AUTHORIZED},
                input={
                    "reason": Text(200, min=1),
                    "revoked_by": Text(60, optional=True),
                    "method": Choice(choices=AuthorizationMethod, optional=True),
                    "risk": Text(200, optional=True, help="The statement of the risk where safety is concerned."),
                    "signature": Bytes(optional=True),
                },
                help="The customer takes the yes back before anything was done; the line is declined",
            ),
            Action(
                verb="agree-after-all",
                run=authorizations.agree_after_all,
                uid="line_uid",
                permission=permissions.AUTHORIZATIONS_RECORD,
                when={L.DECLINED},
                input={
                    "authorized_by": Text(60, min=1),
                    "method": Choice(choices=AuthorizationMethod, optional=True),
                    "note": Text(300, optional=True),
                    "signature": Bytes(optional=True),
                },
                help="A no becomes a yes while the offer holds (3.2)",
            ),
            Action(
                verb="reassemble",
                run=reassembly.reassemble_line,
                uid="line_uid",
                permission=permissions.LINES_EDIT,
                when={L.IN_PROGRESS, L.COMPLETED, L.INSPECTED, L.WITHDRAWN},
                help="Put together again what the line took apart, at the price agreed with it (3.2)",
            ),
            Action(
                verb="withdraw",
                run=orders.withdraw_line,
                uid="line_uid",
                permission=permissions.ORDERS_WITHDRAW,
                when={L.AUTHORIZED, L.IN_PROGRESS},
                input={"reason": Text(200, min=1), "reassembly": REASSEMBLY},
                help="End a line that isn't finished; what was done is settled",
            ),
        ),
    )
)

register(
    Resource(
        path="part-lines",
        name="PartLine",
        room="workshop",
        model=PartLine,
        view=permissions.ORDERS_VIEW,
        help="A part on a line: asked, reserved, issued, returned (3.2).",
        lock_first=("line__order", "line"),
        star="RepairOrderLineItem",
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "repair_order_uid": Uid(source="line__order__uid"),
            "part_uid": Uid(source="part__uid"),
            "part_number": Text(source="part__number"),
            "part_name": Text(source="part__name"),
            "kind": Choice(choices=PartKind),
            "quantity": Number(2),
            "unit_price": Money(),
            "discount": Money(help="Taken off the price; ``amount`` is what is left."),
            "discount_reason": Text(),
            "amount": Money(),
            "reserved_quantity": Number(2),
            "issued_quantity": Number(2),
            "expected_on": Day(null=True),
        },
        filters={
            "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
            "labor_operation_uid": Filter(field=Uid(), lookup="line__uid"),
        },
        actions=(
            Action(
                verb="change",
                run=orders.change_part,
                uid="part_line_uid",
                permission=permissions.LINES_EDIT,
                input={"quantity": Number(2)},
                help="Change the quantity before the customer's yes",
            ),
            Action(
                verb="discount",
                run=orders.discount_part,
                uid="part_line_uid",
                permission=permissions.DISCOUNT_SMALL,
                input={"amount": Money(), "reason": Text(200, min=1)},
                help="Take an amount off the price of the part; above the limit an approval is asked",
            ),
            Action(
                verb="take-replacement",
                run=replacements.take_replacement,
                uid="part_line_uid",
                permission=(permissions.PARTS_RESERVE, permissions.LINES_EDIT),
                input={"part_uid": Uid(help="A part that the catalogue names in place of this one.")},
                help="Take the part that follows this one, or may stand in for it",
            ),
            Action(
                verb="reserve",
                run=stock.reserve_part,
                uid="part_line_uid",
                permission=permissions.PARTS_RESERVE,
                help="Keep the part on the shelf for this line",
            ),
            Action(
                verb="issue",
                run=stock.issue_part,
                uid="part_line_uid",
                permission=permissions.PARTS_ISSUE,
                input={
                    "quantity": Number(2, optional=True, null=True, help="Default: all that is still to issue."),
                    "bin_uid": Uid(optional=True, null=True, help="Left out: the usual bin first, then the others."),
                    "lots": _LOTS,
                },
                help="Issue the part to the line",
            ),
            Action(
                verb="return",
                run=stock.return_part,
                uid="part_line_uid",
                permission=permissions.PARTS_ISSUE,
                input={
                    "quantity": Number(2),
                    "reason": Text(120, min=1),
                    "condition": Choice(
                        choices=ReturnCondition,
                        optional=True,
                        help="Default: unopened; only that goes back on the shelf.",
                    ),
                    "lot": Text(40, optional=True, help="Of a traced part; left out where only one is out."),
                },
                help="Take the part back: to the shelf, or among old and trial parts",
            ),
        ),
    )
)

register(
    Resource(
        path="part-returns",
        name="PartReturn",
        room="workshop",
        model=PartReturn,
        view=permissions.STOCK_VIEW,
        help="An issued part that came back; only an unopened one is stock again; never changed (3.2).",
        shape={
            "part_line_uid": Uid(source="part_line__uid"),
            "part_uid": Uid(source="part_line__part__uid"),
            "condition": Choice(choices=ReturnCondition),
            "quantity": Number(2),
            "reason": Text(),
            "returned_at": Moment(source="at"),
        },
        filters={
            "part_line_uid": Filter(field=Uid(), lookup="part_line__uid"),
            "condition": Filter(field=Choice(choices=ReturnCondition), lookup="condition"),
        },
    )
)

register(
    Resource(
        path="reservation-moves",
        name="ReservationMove",
        room="workshop",
        model=ReservationMove,
        view=permissions.STOCK_VIEW,
        help="What was kept for one line and was given to another, and why; never changed (3.2).",
        shape={
            "source_part_line_uid": Uid(source="source__uid"),
            "target_part_line_uid": Uid(source="target__uid"),
            "part_uid": Uid(source="source__part__uid"),
            "quantity": Number(2),
            "reason": Text(),
            "moved_at": Moment(source="at"),
        },
        create=Command(
            run=stock.move_reservation,
            permission=permissions.PARTS_GIVE,
            input={
                "source_part_line_uid": Uid(source="source_uid"),
                "target_part_line_uid": Uid(source="target_uid"),
                "reason": Text(120, min=1),
            },
            help="Give a line what is kept for another one",
        ),
    )
)

register(
    Resource(
        path="authorizations",
        name="Authorization",
        room="workshop",
        model=Authorization,
        view=permissions.ORDERS_VIEW,
        help="One decision on one line: who, how, when, at what amount; never changed (3.2).",
        star="RepairAuthorization",
        star_fields={
            "status": "authorization_status_type",
            "method": "authorization_method_type",
            "amount": "authorized_amount",
        },
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "labor_operation_uid": Uid(source="line__uid"),
            "status": Choice(choices=AuthorizationStatus),
            "method": Choice(choices=AuthorizationMethod),
            "amount": Money(),
            "authorized_by": Text(mask=mask_name),
            "contact_uid": Uid(source="contact__uid", null=True, help="The person whom the payer named for it."),
            "note": Text(mask=mask_text),
            "reason": Text(mask=mask_text, help="Why it was declined, in the customer's words."),
            "decline_cause": Choice(choices=DeclineCause, null=True),
            "authorized_at": Moment(source="at"),
        },
        filters=ORDER | {"labor_operation_uid": Filter(field=Uid(), lookup="line__uid")},
    )
)


# --- plan, clocking, inspection (2.4, 3.2) ---
LINE = {
    "labor_operation_uid": Filter(field=Uid(), lookup="line__uid"),
    "repair_order_uid": Filter(field=Uid(), lookup="line__order__uid"),
}

register(
    Resource(
        path="dispatches",
        name="Dispatch",
        room="workshop",
        model=Dispatch,
        view=permissions.PLAN_VIEW,
        help="A line given to a technician and a bay with its planned time; plans never overlap (2.4).",
        lock_first=("line__order", "line"),
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "technician_uid": Uid(source="technician__uid"),
            "bay_uid": Uid(source="bay__uid"),
            "starts_at": Moment(),
            "ends_at": Moment(),
            "live": Flag(),
            "share": Whole(
                help="Per cent of the line's standard hours that are this person's; live ones add up to 100."
            ),
        },
        filters=LINE
        | {
            "technician_uid": Filter(field=Uid(), lookup="technician__uid"),
            "bay_uid": Filter(field=Uid(), lookup="bay__uid"),
            "live": Filter(field=Flag(), lookup="live"),
        },
        create=Command(
            run=dispatch.dispatch_line,
            permission=permissions.PLAN_DISPATCH,
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "technician_uid": Uid(),
                "bay_uid": Uid(),
                "starts_at": Moment(),
                "ends_at": Moment(optional=True, null=True),
                "second_uid": Uid(optional=True, null=True, help="A second person; high-voltage work needs one."),
                "share": Whole(
                    0,
                    100,
                    optional=True,
                    null=True,
                    help="The technician's part of the hours in per cent; the others have the rest. Else equal parts.",
                ),
                "replaces_uid": Uid(optional=True, null=True, help="The dispatch that this one replaces."),
                "alone": Flag(optional=True, help="Refused (dispatch.given) where somebody has the line already."),
            },
            help="Give a line to a technician and a bay",
        ),
        actions=(
            Action(
                verb="take-back",
                run=dispatch.take_back_dispatch,
                permission=permissions.PLAN_DISPATCH,
                input={"reason": Text(200, min=1)},
                help="Take the work back; the plan is free again",
            ),
        ),
    )
)


register(
    Resource(
        path="wall-screens",
        name="WallScreen",
        room="workshop",
        model=WallScreen,
        view=permissions.PLAN_DISPATCH,
        help="A screen without a log-in: today's plan at /wall/{key}/, clocking by scanning at /kiosk/{key}/ (2.4, 3.2).",
        shape={
            "name": Text(),
            "kind": Choice(choices=ScreenKind),
            "key": Text(help="Whoever has it may look at the plan; take the screen back where it became known."),
            "made_at": Moment(),
            "ended_at": Moment(null=True),
        },
        create=Command(
            run=screens.add_screen,
            permission=permissions.PLAN_DISPATCH,
            input={"name": Text(40, min=1), "kind": Choice(choices=ScreenKind, optional=True)},
            help="Give a screen on the wall its address",
        ),
        actions=(
            Action(
                verb="end",
                run=screens.end_screen,
                permission=permissions.PLAN_DISPATCH,
                help="The address shows nothing any more",
            ),
        ),
    )
)


def _blocks(by: Actor) -> QuerySet:
    rows = Reservation.objects.for_actor(by)
    return rows.filter(purpose=ReservationPurpose.BLOCKED, resource__kind=ResourceKind.BAY)


register(
    Resource(
        path="bay-blocks",
        name="BayBlock",
        room="workshop",
        model=Reservation,
        rows=_blocks,
        view=permissions.PLAN_VIEW,
        help="A bay out of use for a time (2.4).",
        shape={
            "bay_uid": Uid(source="resource__uid"),
            "starts_at": Moment(source="period__startswith"),
            "ends_at": Moment(source="period__endswith"),
            "reason": Text(source="note"),
            "live": Flag(),
        },
        filters={
            "bay_uid": Filter(field=Uid(), lookup="resource__uid"),
            "live": Filter(field=Flag(), lookup="live"),
        },
        create=Command(
            run=blocking.block_bay,
            permission=permissions.PLAN_DISPATCH,
            input={
                "bay_uid": Uid(),
                "starts_at": Moment(),
                "ends_at": Moment(),
                "reason": Text(120, min=1),
                "make_room": Flag(optional=True, help="Work goes back to be given out, bookings to another bay."),
            },
            help="Take a bay out of use",
        ),
        actions=(
            Action(
                verb="end",
                run=blocking.unblock_bay,
                permission=permissions.PLAN_DISPATCH,
                help="The bay is to be had again",
            ),
        ),
    )
)


def _changes() -> QuerySet:
    return PlanChange.objects.order_by("position")


register(
    Resource(
        path="dispatch-proposals",
        name="DispatchProposal",
        room="workshop",
        model=DispatchProposal,
        view=permissions.PLAN_VIEW,
        help="A plan for the store's open work, worked out in the background; it changes nothing until it is accepted (2.4).",
        state="state",
        shape={
            "state": Choice(choices=ProposalState),
            "cause": Choice(choices=ProposalCause),
            "asked_at": Moment(),
            "seconds": Whole(help="How long the planner looks for a better plan at most."),
            "found": Whole(help="Better plans found so far."),
            "cost": Whole(help="The planner's measure of the best plan so far; less is better."),
            "bound": Whole(help="No plan can cost less than this."),
            "ready_at": Moment(null=True),
            "expires_at": Moment(null=True, help="Until then it can be accepted."),
            "ended_at": Moment(null=True),
            "problem": Text(help="Why there is no plan: too_long, lost or broken; empty otherwise."),
            "changes": Many(
                rows=_changes,
                by="proposal_id",
                fields={
                    "labor_operation_uid": Uid(source="line__uid"),
                    "kind": Choice(choices=ChangeKind),
                    "replaces_uid": Uid(source="replaces__uid", null=True, help="The dispatch in force."),
                    "technician_uid": Uid(source="technician__uid", null=True),
                    "second_uid": Uid(source="second__uid", null=True),
                    "bay_uid": Uid(source="bay__uid", null=True),
                    "starts_at": Moment(null=True),
                    "ends_at": Moment(null=True),
                    "reason": Choice(choices=ChangeReason),
                    "other_uid": Uid(source="other__uid", null=True, help="The labour operation that is in the way."),
                    "until": Moment(null=True),
                    "saved_minutes": Whole(source="saved", help="Minutes less after the promise than today's plan."),
                    "late_minutes": Whole(source="late", help="Minutes after the promise that remain."),
                },
                help="Every difference from the plan in force, with its reason.",
            ),
        },
        filters={"state": Filter(field=Choice(choices=ProposalState), lookup="state")},
        create=Command(
            run=proposals.ask_proposal,
            permission=permissions.PLAN_DISPATCH,
            input={"cause": Choice(choices=ProposalCause, optional=True)},
            help="Ask for a new plan; a worker works it out",
        ),
        actions=(
            Action(
                verb="accept",
                run=proposals.accept_proposal,
                permission=permissions.PLAN_DISPATCH,
                when={ProposalState.READY},
                help="Carry out every change, or none",
            ),
            Action(
                verb="reject",
                run=proposals.reject_proposal,
                permission=permissions.PLAN_DISPATCH,
                when={ProposalState.RUNNING, ProposalState.READY},
                help="It isn't wanted; a search that runs is stopped",
            ),
        ),
    )
)


def _slots(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, None]:
    """The earliest way of each technician who can do the line; nothing is held, whoever dispatches first has it."""
    line = OrderLine.objects.for_actor(actor).filter(uid=values["labor_operation_uid"]).first()
    if line is None:
        message = _("This uid leads to nothing that you may see: %(uid)s") % {"uid": values["labor_operation_uid"]}
        errors = [{"pointer": "?labor_operation_uid", "code": "reference", "message": message}]
        raise Problem(400, "validation", _("Some parameters can't be taken; see “errors”."), errors=errors)
    ways = plan.proposals(line, after=values.get("after"), most=values["limit"])
    rows = [
        {
            "technician_uid": way.technician.uid,
            "second_uid": way.second.uid if way.second else None,
            "bay_uid": way.bay.uid,
            "starts_at": way.starts_at,
            "ends_at": way.ends_at,
        }
        for way in ways
    ]
    return rows, False, None


register_listing(
    Listing(
        path="dispatch-slots",
        name="DispatchSlot",
        room="workshop",
        view=permissions.PLAN_VIEW,
        help="Who can do a line, in which bay, and when both are free: the earliest of each technician, earliest first (2.4).",
        parameters={
            "labor_operation_uid": Uid(help="The line to be given out."),
            "after": Moment(help="Not before this moment; left out or past: from now on."),
        },
        required=("labor_operation_uid",),
        shape={
            "technician_uid": Uid(),
            "second_uid": Uid(null=True, help="The second person of high-voltage work."),
            "bay_uid": Uid(),
            "starts_at": Moment(),
            "ends_at": Moment(),
        },
        read=_slots,
    )
)


def _clockings(by: Actor) -> QuerySet:
    rows = Clocking.objects.for_actor(by)
    return rows if by.may(permissions.PLAN_VIEW) else rows.filter(employee__user=by.user)


def _clock_off(*, uid: UUID, pause_cause: str, by: Actor, note: str = "") -> Clocking:
    worker = Clocking.objects.for_actor(by).values_list("employee__uid", flat=True).get(uid=uid)
    return clocking.clock_off(employee_uid=worker, pause_cause=pause_cause, note=note, clocking_uid=uid, by=by)


register(
    Resource(
        path="clockings",
        name="Clocking",
        room="workshop",
        model=Clocking,
        view=(permissions.PLAN_VIEW, permissions.JOBS_OWN),
        rows=_clockings,
        help="What a person really worked on a line (3.2).",
        lock_first=("line__order", "line"),
        star="TechnicianTimeReference",
        star_fields={"started_at": "start_date_time", "ended_at": "end_date_time"},
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "employee_uid": Uid(source="employee__uid"),
            "bay_uid": Uid(source="bay__uid", null=True),
            "started_at": Moment(),
            "ended_at": Moment(null=True),
            "pause_cause": Choice(choices=PauseCause, null=True),
            "pause_note": Text(),
            "corrected_reason": Text(),
            "left_open": Flag(help="Closed at the end of the shift because the person had not; until it is corrected."),
        },
        filters=LINE
        | {
            "employee_uid": Filter(field=Uid(), lookup="employee__uid"),
            "started_gte": Filter(field=Moment(), lookup="started_at__gte"),
        },
        create=Command(
            run=clocking.clock_on,
            permission=(permissions.JOBS_OWN, permissions.CLOCK_OTHERS),
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "employee_uid": Uid(
                    optional=True, null=True, person=True, help="Default: the person in whose name you act."
                ),
                "bay_uid": Uid(optional=True, null=True),
            },
            help="Begin or resume work on an agreed line",
        ),
        actions=(
            Action(
                verb="clock-off",
                run=_clock_off,
                permission=(permissions.JOBS_OWN, permissions.CLOCK_OTHERS),
                input={"pause_cause": Choice(choices=PauseCause), "note": Text(200, optional=True)},
                help="Leave a line that isn't finished, with the cause of the pause",
            ),
            Action(
                verb="correct",
                run=clocking.correct_clocking,
                permission=permissions.CLOCKINGS_CORRECT,
                input={
                    "started_at": Moment(),
                    "ended_at": Moment(null=True),
                    "reason": Text(200, min=1),
                    "past_finish": Flag(optional=True, help="Work after the line's finish is meant."),
                },
                help="Correct the times, with a reason",
            ),
        ),
    )
)


def _inspections(by: Actor) -> QuerySet:
    rows = Inspection.objects.for_actor(by)
    return rows if by.may(permissions.INSPECTIONS_VIEW) else rows.filter(inspector__user=by.user)


def _instruments() -> QuerySet:
    return InspectionTool.objects.order_by("id")


register(
    Resource(
        path="inspections",
        name="Inspection",
        room="workshop",
        model=Inspection,
        view=(permissions.INSPECTIONS_VIEW, permissions.INSPECT_SELF),
        rows=_inspections,
        help="Self check, team check and final inspection of an order; never changed (3.2).",
        star="Inspection",
        shape={
            "repair_order_uid": Uid(source="order__uid"),
            "level": Choice(choices=InspectionLevel),
            "result": Choice(choices=InspectionResult),
            "inspector_uid": Uid(source="inspector__uid"),
            "failed_labor_operation_uid": Uid(source="failed_line__uid", null=True),
            "reason": Text(),
            "cause": Choice(choices=FailureCause, null=True, help="Why it went back; null where it passed."),
            "sheet_reason": Text(),
            "road_test_km": Whole(null=True, help="How far the car was driven"),
            "road_test_from_km": Whole(null=True),
            "road_test_to_km": Whole(null=True),
            "road_test_driver_uid": Uid(source="road_test_driver__uid", null=True),
            "road_test_route": Text(),
            "road_test_findings": Text(),
            "inspected_at": Moment(source="at"),
            "instruments": Many(
                rows=_instruments,
                by="inspection_id",
                fields={"tool_uid": Uid(source="tool__uid")},
                help="Measuring tools it was done with; each was in order and in date then (3.4).",
            ),
        },
        filters=ORDER
        | {
            "level": Filter(field=Choice(choices=InspectionLevel), lookup="level"),
            "result": Filter(field=Choice(choices=InspectionResult), lookup="result"),
            "cause": Filter(field=Choice(choices=FailureCause), lookup="cause"),
        },
        create=Command(
            run=inspections.inspect_order,
            permission=(permissions.INSPECT_SELF, permissions.INSPECT_TEAM, permissions.INSPECT_FINAL),
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "level": Choice(choices=InspectionLevel),
                "result": Choice(choices=InspectionResult),
                "reason": Text(300, optional=True),
                "cause": Choice(choices=FailureCause, optional=True, help="Needed where it failed: why it goes back."),
                "sheet_reason": Text(200, optional=True, help="Why it passes although a check sheet isn't signed."),
                "failed_labor_operation_uid": Uid(source="failed_line_uid", optional=True, null=True),
                "road_test_km": Whole(
                    0, 500, optional=True, null=True, help="The distance alone, or leave it out and give both readings."
                ),
                "road_test_from_km": Whole(0, 2_000_000, optional=True, null=True),
                "road_test_to_km": Whole(0, 2_000_000, optional=True, null=True),
                "road_test_driver_uid": Uid(optional=True, null=True, help="Default: the inspector."),
                "road_test_route": Text(120, optional=True),
                "road_test_findings": Text(300, optional=True),
                "instrument_uids": ListOf(
                    inner=Uid(), optional=True, help="Measuring tools it was done with; in order and in date."
                ),
            },
            help="Inspect an order; a failure sends its line back to work, what concerns safety needs its road test",
        ),
    )
)

register(
    Resource(
        path="certificates",
        name="Certificate",
        room="workshop",
        model=Certificate,
        view=permissions.INSPECTIONS_VIEW,
        help="The completion certificate, signed by who passed the final inspection (domain 3.2).",
        lock_first=("order",),
        shape={
            "number": Text(),
            "repair_order_uid": Uid(source="order__uid", null=True),
            "inspector_uid": Uid(source="inspector__uid", null=True),
            "category": Choice(choices=RepairCategory, null=True),
            "odometer_out": Whole(source="odometer_km", null=True, help="km"),
            "guarantee_days": Whole(),
            "guarantee_km": Whole(),
            "issued_at": Moment(),
            "voided_at": Moment(null=True),
            "voided_by_uid": Uid(source="voided_by__uid", null=True),
            "void_reason": Text(),
        },
        filters=ORDER | {"number": Filter(field=Text(30, min=1), lookup="number")},
        create=Command(
            run=inspections.issue_certificate,
            permission=permissions.INSPECT_FINAL,
            input={"repair_order_uid": Uid(source="order_uid")},
            help="Issue the certificate of an order",
        ),
        actions=(
            Action(
                verb="void",
                run=inspections.void_certificate,
                permission=permissions.INSPECT_FINAL,
                input={"reason": Text(200, min=1)},
                help="Void the certificate; its number is never used again",
            ),
        ),
    )
)


def _void_number(*, uid: UUID, by: Actor, **facts: Any) -> CertificateRange:
    inspections.void_number(range_uid=uid, by=by, **facts)
    kept: CertificateRange = number_ranges(by).get(uid=uid)
    return kept


register(
    Resource(
        path="certificate-ranges",
        name="CertificateRange",
        room="workshop",
        model=CertificateRange,
        view=permissions.INSPECTIONS_VIEW,
        rows=number_ranges,
        help="Numbers of completion certificates that the authority allotted: used, void and left (domain 3.2).",
        shape={
            "prefix": Text(),
            "first": Whole(),
            "last": Whole(),
            "next": Whole(help="The next one that is given out; past the last where none is left"),
            "used": Whole(),
            "void": Whole(help="Voided on an order or spoiled before they were given out"),
            "left": Whole(),
        },
        filters={"prefix": Filter(field=Text(12, min=1), lookup="prefix")},
        create=Command(
            run=inspections.allot_certificates,
            permission=permissions.CERTIFICATES_MANAGE,
            input={
                "prefix": Text(12, min=1),
                "first": Whole(1, 2_147_483_646),
                "last": Whole(1, 2_147_483_646),
            },
            help="Enter a range of numbers that the authority has allotted",
        ),
        actions=(
            Action(
                verb="void-number",
                run=_void_number,
                permission=(permissions.CERTIFICATES_MANAGE, permissions.INSPECT_FINAL),
                input={
                    "serial": Whole(1, 2_147_483_646, help="The number without its prefix"),
                    "reason": Text(200, min=1),
                },
                help="Void a spoiled number that was never given out",
            ),
        ),
    )
)


# --- stock (3.2) ---
def _count(*, uid: UUID, by: Actor, **facts: Any) -> StockItem:
    part_uid = StockItem.objects.for_actor(by).values_list("part__uid", flat=True).get(uid=uid)
    return stock.count_stock(part_uid=part_uid, by=by, **facts)


def _transfer(*, uid: UUID, bin_uid: UUID, by: Actor, **facts: Any) -> StockItem:
    StockItem.objects.for_actor(by).get(uid=uid).bins.get(uid=bin_uid)  # of this part
    return stock.transfer_stock(from_uid=bin_uid, by=by, **facts)


register(
    Resource(
        path="warehouses",
        name="Warehouse",
        room="workshop",
        model=Warehouse,
        view=permissions.STOCK_VIEW,
        help="A room in which a store keeps parts; the main one (MAIN) is there from the first delivery on (3.2).",
        shape={"code": Text(), "name": Text()},
        filters={"code": Filter(field=Text(10, min=1), lookup="code")},
        create=Command(
            run=stock.open_warehouse,
            permission=permissions.STOCK_MOVE,
            input={"code": Text(10, min=1), "name": Text(60, min=1)},
            help="Open one more warehouse",
        ),
    )
)


register(
    Resource(
        path="stock-items",
        name="StockItem",
        room="workshop",
        model=StockItem,
        view=permissions.STOCK_VIEW,
        help="A part on the shelf of a store; changed by movements only (3.2).",
        shape={
            "part_uid": Uid(source="part__uid"),
            "part_number": Text(source="part__number"),
            "part_name": Text(source="part__name"),
            "bin": Text(help="Where it usually lies in the main warehouse."),
            "on_hand": Number(2),
            "reserved": Number(2),
            "reorder_level": Number(2),
            "bins": Many(
                rows=lambda: StockBin.objects.order_by("id"),
                by="item_id",
                fields={
                    "bin_uid": Uid(source="uid"),
                    "warehouse_uid": Uid(source="warehouse__uid"),
                    "bin": Text(),
                    "on_hand": Number(2),
                },
                help="Where it lies; they add up to what is on hand.",
            ),
        },
        filters={
            "part_uid": Filter(field=Uid(), lookup="part__uid"),
            "part_number": Filter(field=Text(40, min=1), lookup="part__number"),
        },
        actions=(
            Action(
                verb="count",
                run=_count,
                permission=permissions.STOCK_MOVE,
                input={
                    "counted": Number(2),
                    "reason": Text(120, min=1),
                    "bin_uid": Uid(optional=True, null=True, help="Needed where it lies in several bins."),
                    "lots": _LOTS,
                },
                help="Write down what was counted",
            ),
            Action(
                verb="name",
                run=stock.name_stock,
                permission=permissions.STOCK_MOVE,
                input={
                    "lots": ListOf(inner=Text(40, min=1)),
                    "quantity": Number(2, digits=6, optional=True, help="Of a batch; left out: all of it."),
                },
                help="Write the numbers of what lies there from before the part was traced",
            ),
            Action(
                verb="transfer",
                run=_transfer,
                permission=permissions.STOCK_MOVE,
                input={
                    "bin_uid": Uid(help="Where it is taken from."),
                    "quantity": Number(2, digits=6),
                    "to_warehouse_uid": Uid(optional=True, null=True, help="Left out: the same warehouse."),
                    "to_bin": Text(20, optional=True),
                },
                help="Move it into another bin of the store",
            ),
        ),
    )
)


def _ordered(read: dict[str, Any]) -> tuple[UUID, Any, Any]:
    return read["part_uid"], read["quantity"], read["unit_cost"]


def _put(read: dict[str, Any]) -> tuple[UUID | None, str]:
    return read["warehouse_uid"], read["bin"]


def _came(read: dict[str, Any]) -> tuple[UUID, Any]:
    return read["purchase_line_uid"], read["quantity"]


register(
    Resource(
        path="purchase-orders",
        name="PurchaseOrder",
        room="workshop",
        model=PurchaseOrder,
        view=permissions.STOCK_VIEW,
        help="Parts ordered from a supplier; what comes in stands on its lines (3.2).",
        state="state",
        shape={
            "number": Text(),
            "supplier": Text(help="The supplier's name when it was ordered."),
            "supplier_uid": Uid(source="firm__uid"),
            "state": Choice(choices=PurchaseState),
            "expected_on": Day(),
            "ordered_at": Moment(),
            "ended_at": Moment(null=True),
            "ended_reason": Text(),
            "lines": Many(
                rows=lambda: PurchaseLine.objects.order_by("id"),
                by="purchase_id",
                fields={
                    "purchase_line_uid": Uid(source="uid"),
                    "part_uid": Uid(source="part__uid"),
                    "quantity": Number(2),
                    "unit_cost": Number(4, help="CNY, without VAT"),
                    "received": Number(2),
                    "over_reason": Text(),
                },
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=PurchaseState), lookup="state"),
            "number": Filter(field=Text(30, min=1), lookup="number"),
        },
        create=Command(
            run=purchasing.order_parts,
            permission=permissions.PARTS_BUY,
            input={
                "supplier": Text(
                    80, min=1, help="A name of the register; another one is entered there with the order."
                ),
                "expected_on": Day(),
                "lines": ListOf(
                    inner=Nested(
                        fields={"part_uid": Uid(), "quantity": Number(2, digits=6), "unit_cost": Number(4, digits=8)},
                        build=_ordered,
                    )
                ),
            },
            help="Order parts",
        ),
        actions=(
            Action(
                verb="receive",
                run=purchasing.receive_purchase,
                permission=permissions.STOCK_MOVE,
                when=set(RUNNING),
                input={
                    "lines": ListOf(
                        inner=Nested(fields={"purchase_line_uid": Uid(), "quantity": Number(2, digits=6)}, build=_came)
                    ),
                    "note": Text(120, optional=True, help="Number of the delivery note."),
                    "reason": Text(120, optional=True, help="Needed where more came in than was ordered."),
                    "places": MapOf(
                        key=Uid(),
                        inner=Nested(fields={"warehouse_uid": Uid(null=True), "bin": Text(20, min=1)}, build=_put),
                        optional=True,
                        help="By purchase line: warehouse (null: the main one) and bin; left out, the part's usual bin.",
                    ),
                    "lots": MapOf(
                        key=Uid(),
                        inner=ListOf(inner=Text(40, min=1)),
                        optional=True,
                        help="Of traced parts: by purchase line, the batch or the serial numbers.",
                    ),
                },
                help="Put on the shelf what came in",
            ),
            Action(
                verb="change-day",
                run=purchasing.change_expected,
                permission=permissions.PARTS_BUY,
                when=set(RUNNING),
                input={"expected_on": Day()},
                help="The supplier names another day",
            ),
            Action(
                verb="end",
                run=purchasing.end_purchase,
                permission=permissions.PARTS_BUY,
                when=set(RUNNING),
                input={"reason": Text(120, min=1)},
                help="The rest isn't coming any more",
            ),
        ),
    )
)

register(
    Resource(
        path="stock-movements",
        name="StockMovement",
        room="workshop",
        model=StockMovement,
        view=permissions.STOCK_VIEW,
        help="One change of stock; the quantity is signed; never changed (3.2).",
        shape={
            "stock_item_uid": Uid(source="item__uid"),
            "part_uid": Uid(source="item__part__uid"),
            "part_line_uid": Uid(source="part_line__uid", null=True),
            "bin_uid": Uid(source="place__uid", null=True),
            "lot_uid": Uid(source="lot__uid", null=True),
            "lot_code": Text(source="lot__code", null=True, help="Batch or serial number of a traced part."),
            "transfer_uid": Uid(source="transfer", null=True, help="The same on both movements of a transfer."),
            "kind": Choice(choices=MovementKind),
            "quantity": Number(2),
            "unit_cost": Number(4, help="CNY"),
            "reason": Text(),
            "stock_take_uid": Uid(source="take_line__take__uid", null=True, help="The stock-take that booked it."),
            "part_trial_uid": Uid(source="trial__uid", null=True),
            "moved_by_uid": Uid(source="moved_by__uid", null=True, help="Null where a machine moved it."),
            "moved_at": Moment(source="at"),
        },
        filters={
            "part_uid": Filter(field=Uid(), lookup="item__part__uid"),
            "part_line_uid": Filter(field=Uid(), lookup="part_line__uid"),
            "lot_code": Filter(field=Text(40, min=1), lookup="lot__code"),
            "kind": Filter(field=Choice(choices=MovementKind), lookup="kind"),
        },
        create=Command(
            run=stock.receive_stock,
            permission=permissions.STOCK_MOVE,
            input={
                "part_uid": Uid(),
                "quantity": Number(2),
                "unit_cost": Number(4),
                "reason": Text(120, optional=True),
                "warehouse_uid": Uid(optional=True, null=True, help="Left out: the main warehouse."),
                "bin": Text(20, optional=True),
                "lots": _LOTS,
            },
            help="Receive parts",
        ),
    )
)

register(
    Resource(
        path="declined-advices",
        name="DeclinedAdvice",
        room="workshop",
        model=Advice,
        view=permissions.ADVICE_WORK,
        help="Work that a customer declined, kept when the car left, to be offered again (3.1).",
        shape={
            "vehicle_uid": Uid(source="vehicle__uid"),
            "labor_operation_uid": Uid(source="line__uid"),
            "repair_order_uid": Uid(source="line__order__uid"),
            "description": Text(source="line__description"),
            "amount": Money(help="What it would have cost then, CNY with VAT."),
            "cause": Choice(choices=DeclineCause, null=True),
            "is_safety": Flag(),
            "state": Choice(choices=AdviceState),
            "declined_at": Moment(),
            "offer_on": Day(),
            "offered": Whole(help="How often it was offered again by telephone."),
            "offered_at": Moment(null=True),
            "ended_at": Moment(null=True),
            "taken_as_uid": Uid(source="taken_as__uid", null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=AdviceState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
        },
        actions=(
            Action(
                verb="offer",
                run=advice.offer_advice,
                permission=permissions.ADVICE_WORK,
                when={AdviceState.OPEN},
                input={"again_on": Day(optional=True, null=True)},
                help="Note that the customer was asked again and wants to be asked later (3.1)",
            ),
            Action(
                verb="drop",
                run=advice.drop_advice,
                permission=permissions.ADVICE_WORK,
                when={AdviceState.OPEN},
                input={"reason": Text(200, min=1)},
                help="Close it: the customer doesn't want it (3.1)",
            ),
            Action(
                verb="take-up",
                run=advice.take_up_advice,
                permission=permissions.LINES_EDIT,
                when={AdviceState.OPEN},
                input={"order_uid": Uid()},
                help="Write it as a line of an order of the same car, at today's prices (3.1)",
            ),
        ),
    )
)

# --- STAR's values of our codes (peers: a dictionary, no protocol) ---
star_codes(
    OrderStage,
    "CLOSED",
    AWAITING_AUTHORIZATION="AWAITING_CUSTOMER_AUTHORIZATION",
    IN_WORK="WORK_IN_PROGRESS",
    INSPECTION="QUALITY_ASSURANCE",
    READY="COMPLETED",
    SETTLED="INVOICE",
)
star_codes(LineState, "PENDING", "DECLINED", "IN_PROGRESS", "COMPLETED", "CANCELLED")
star_codes(AuthorizationStatus, "APPROVED", "DECLINED", "REVOKED", "NOT_REQUIRED")
star_codes(
    AuthorizationMethod,
    "DIGITAL_PORTAL",
    "IN_PERSON_DIGITAL_SIGNATURE",
    "IN_PERSON_PHYSICAL_SIGNATURE",
    "VERBAL_PHONE",
    "AUTOMATED_POLICY_PREAUTHORIZATION",
)
star_codes(PayType, "CUSTOMER_PAY", "WARRANTY", "INTERNAL")

# --- tools (3.4) ---
_TOOL = {"tool_uid": Filter(field=Uid(), lookup="tool__uid")}
_FACTS = {
    "name": Text(60, min=1),
    "place": Text(40, min=1),
    "keeper_uid": Uid(),
    "maker": Text(60, optional=True),
    "serial": Text(40, optional=True),
    "check_months": Whole(1, 60, optional=True, null=True, help="Left out: the usual interval of its kind."),
    "photo": Bytes(optional=True, null=True),
    "resource_uid": Uid(optional=True, null=True, help="The special tool of the plan that it is."),
    "bay_uid": Uid(optional=True, null=True, help="The bay of a lift; left out, the one its place is called after."),
}

register(
    Resource(
        path="tools",
        name="Tool",
        room="workshop",
        model=ToolAsset,
        view=permissions.TOOLS_VIEW,
        help="A tool of the crib; out and back by its issue, in date by its calibration or test (3.4).",
        state="state",
        refs=True,
        shape={
            "number": Text(),
            "name": Text(),
            "kind": Choice(choices=AssetKind),
            "tool_class": Choice(choices=ToolClass),
            "maker": Text(),
            "serial": Text(),
            "place": Text(),
            "keeper_uid": Uid(source="keeper__uid"),
            "resource_uid": Uid(source="resource__uid", null=True, help="The special tool of the plan."),
            "bay_uid": Uid(source="bay__uid", null=True, help="The bay in which a lift stands; unfit, it shuts it."),
            "state": Choice(choices=ToolState),
            "state_note": Text(),
            "check_months": Whole(null=True),
            "valid_until": Day(null=True, help="Last day on which it may be used."),
        },
        filters={
            "state": Filter(field=Choice(choices=ToolState), lookup="state"),
            "kind": Filter(field=Choice(choices=AssetKind), lookup="kind"),
            "tool_class": Filter(field=Choice(choices=ToolClass), lookup="tool_class"),
            "number": Filter(field=Text(20, min=1), lookup="number"),
            "valid_until_lte": Filter(field=Day(), lookup="valid_until__lte"),
        },
        expand={
            "issues": Those(target="tool-issues", link="tool__uid"),
            "checks": Those(target="tool-checks", link="tool__uid"),
        },
        create=Command(
            run=tools.register_tool,
            permission=permissions.TOOLS_MANAGE,
            input={"number": Text(20, min=1), "kind": Choice(choices=AssetKind)} | _FACTS,
            help="Enter a tool; one with an interval goes out after its first test",
        ),
        update=Command(
            run=tools.change_tool, permission=permissions.TOOLS_MANAGE, input=_FACTS, help="Correct a tool's facts"
        ),
        actions=(
            Action(
                verb="issue",
                run=tools.issue_tool,
                permission=(permissions.TOOLS_TAKE, permissions.TOOLS_ISSUE),
                when={ToolState.AVAILABLE},
                input={
                    "employee_uid": Uid(optional=True, null=True, help="Left out: who calls."),
                    "note": Text(200, optional=True),
                },
                help="The tool goes out with a person; refused where it is damaged or out of date",
            ),
            Action(
                verb="return",
                run=tools.return_tool,
                permission=(permissions.TOOLS_TAKE, permissions.TOOLS_ISSUE),
                when={ToolState.ISSUED},
                input={"condition": Choice(choices=ToolCondition), "note": Text(200, optional=True)},
                help="The tool comes back with its condition; a damaged one waits to be checked",
            ),
            Action(
                verb="report-damage",
                run=tools.report_damage,
                permission=(permissions.TOOLS_TAKE, permissions.TOOLS_ISSUE),
                when={ToolState.AVAILABLE},
                input={"note": Text(200, min=1)},
                help="A tool in the crib is found damaged",
            ),
            Action(
                verb="check",
                run=tools.check_tool,
                permission=permissions.TOOLS_CHECK,
                when={ToolState.AVAILABLE, ToolState.TO_CHECK, ToolState.OUT_OF_ORDER},
                input={
                    "done_on": Day(),
                    "result": Choice(choices=CheckResult),
                    "body": Text(80, min=1, help="Institute, company or person"),
                    "certificate_number": Text(40, optional=True),
                    "valid_until": Day(optional=True, null=True, help="Left out: the whole interval."),
                    "note": Text(200, optional=True),
                    "certificate": Bytes(optional=True, null=True),
                },
                help="Write down a calibration, test or yearly check",
            ),
            Action(
                verb="stop",
                run=tools.stop_tool,
                permission=permissions.TOOLS_CHECK,
                when={ToolState.AVAILABLE, ToolState.TO_CHECK},
                input={"note": Text(200, min=1)},
                help="Take a tool out of use until a check finds it fit",
            ),
            Action(
                verb="scrap",
                run=tools.scrap_tool,
                permission=permissions.TOOLS_CHECK,
                when={ToolState.AVAILABLE, ToolState.TO_CHECK, ToolState.OUT_OF_ORDER},
                input={"note": Text(200, min=1)},
                help="A tool goes for good",
            ),
        ),
    )
)

register(
    Resource(
        path="tool-issues",
        name="ToolIssue",
        room="workshop",
        model=ToolIssue,
        view=permissions.TOOLS_VIEW,
        help="One tool out with one person until it is back (3.4).",
        shape={
            "tool_uid": Uid(source="tool__uid"),
            "employee_uid": Uid(source="employee__uid"),
            "issued_at": Moment(),
            "note_out": Text(),
            "returned_at": Moment(null=True),
            "condition_in": Text(help="GOOD, DAMAGED or empty while it is out"),
            "note_in": Text(),
        },
        filters=_TOOL | {"employee_uid": Filter(field=Uid(), lookup="employee__uid")},
    )
)

register(
    Resource(
        path="tool-checks",
        name="ToolCheck",
        room="workshop",
        model=ToolCheck,
        view=permissions.TOOLS_VIEW,
        help="A calibration, test or yearly check of a tool; never changed (3.4).",
        shape={
            "tool_uid": Uid(source="tool__uid"),
            "done_on": Day(),
            "result": Choice(choices=CheckResult),
            "valid_until": Day(null=True),
            "due_on": Day(null=True, help="Until when the tool was valid before."),
            "body": Text(),
            "certificate_number": Text(),
            "note": Text(),
        },
        filters=_TOOL,
    )
)


def _count_rows() -> QuerySet:
    return ToolCountRow.objects.order_by("id")


register(
    Resource(
        path="tool-counts",
        name="ToolCount",
        room="workshop",
        model=ToolCount,
        view=permissions.TOOLS_COUNT,
        help="A stock-take of the tools: expected, seen, missing; closed by a second person (3.4).",
        state="state",
        shape={
            "state": Choice(choices=CountState),
            "started_at": Moment(),
            "started_by_uid": Uid(source="started_by__uid"),
            "ended_at": Moment(null=True),
            "ended_by_uid": Uid(source="ended_by__uid", null=True),
            "note": Text(),
            "rows": Many(
                rows=_count_rows,
                by="count_id",
                fields={
                    "tool_uid": Uid(source="tool__uid"),
                    "seen_at": Moment(null=True),
                    "missing": Flag(),
                },
            ),
        },
        filters={"state": Filter(field=Choice(choices=CountState), lookup="state")},
        create=Command(
            run=counting.start_count,
            permission=permissions.TOOLS_COUNT,
            input={},
            help="Begin a stock-take: what should be there is written down",
        ),
        actions=(
            Action(
                verb="see",
                run=counting.see_tool,
                permission=permissions.TOOLS_COUNT,
                when={CountState.COUNTING},
                input={"number": Text(200, min=1, help="Number of the tool, or what its label says")},
                help="A tool is there",
            ),
            Action(
                verb="close",
                run=counting.close_count,
                permission=permissions.TOOLS_COUNT,
                when={CountState.COUNTING},
                input={"note": Text(200, optional=True)},
                help="A second person closes it; what wasn't seen goes out of use",
            ),
            Action(
                verb="cancel",
                run=counting.cancel_count,
                permission=permissions.TOOLS_COUNT,
                when={CountState.COUNTING},
                input={"note": Text(200, min=1)},
                help="Break it off",
            ),
        ),
    )
)

# --- statutory warranty (domain 3.6) ---


def _counters(values: dict[str, Any], by: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    vehicle = Vehicle.objects.for_actor(by).filter(uid=values["vehicle_uid"]).first()
    if vehicle is None:  # like every filter by an id that isn't there
        return [], False, None
    found = standing.counters_of(standing.standing_of(vehicle))
    return found[: values["limit"]], len(found) > values["limit"], None


register_listing(
    Listing(
        path="statutory-warranty-counters",
        name="StatutoryWarrantyCounter",
        room="workshop",
        view=permissions.FAULTS_VIEW,
        help="What is counted for a car under the statutory warranty, over the repairs of all stores (domain 3.6).",
        parameters={"vehicle_uid": Uid(help="The car.")},
        required=("vehicle_uid",),
        shape={
            "article": Text(help="Of the rules that are in force for the car."),
            "subject": Text(help="DAYS, a fault, an assembly, SYSTEM:main part, or nothing where the article says it."),
            "what": Text(help="The same in words."),
            "follows": Text(help="What follows from it."),
            "count": Whole(),
            "limit": Whole(help="0 where the first time is enough; else what is still allowed."),
            "sign": Choice(choices=standing.Sign),
        },
        read=_counters,
    )
)
register(
    Resource(
        path="fault-judgements",
        name="FaultJudgement",
        room="workshop",
        model=FaultJudgement,
        view=permissions.FAULTS_VIEW,
        help="What a repair stands for under the statutory warranty; never changed, the latest of a line counts (3.2).",
        shape={
            "labor_operation_uid": Uid(source="line__uid"),
            "is_quality": Flag(),
            "fault": Text(),
            "serious": Flag(),
            "safety": Choice(choices=SafetyFault, null=True),
            "assembly": Choice(choices=MAIN_ASSEMBLIES, null=True),
            "system": Choice(choices=MainSystem, null=True),
            "part": Text(),
            "wear": Choice(choices=WearPart, null=True),
            "left_out_as": Choice(choices=LeftOut, null=True),
            "left_out_from": Moment(null=True),
            "left_out_until": Moment(null=True),
            "judged_at": Moment(),
        },
        filters={"labor_operation_uid": Filter(field=Uid(), lookup="line__uid")},
        create=Command(
            run=faults.judge_fault,
            permission=permissions.FAULTS_JUDGE,
            input={
                "labor_operation_uid": Uid(source="line_uid"),
                "is_quality": Flag(),
                "fault": Text(60, optional=True),
                "serious": Flag(optional=True),
                "safety": Choice(choices=SafetyFault, optional=True),
                "assembly": Choice(choices=MAIN_ASSEMBLIES, optional=True),
                "system": Choice(choices=MainSystem, optional=True),
                "part": Text(60, optional=True),
                "wear": Choice(choices=WearPart, optional=True, help="Only within the period of the maker's list."),
                "left_out_as": Choice(choices=LeftOut, optional=True),
                "left_out_from": Moment(optional=True),
                "left_out_until": Moment(optional=True),
            },
        ),
    )
)


# --- check sheets (3.1) ---
def _answers() -> QuerySet:
    return CheckAnswer.objects.order_by("id")


def _check_photos() -> QuerySet:
    return CheckPhoto.objects.order_by("id")


def _sheet_instruments() -> QuerySet:
    return SheetTool.objects.order_by("id")


def _check_offers() -> QuerySet:
    return CheckOffer.objects.order_by("id")


register(
    Resource(
        path="check-sheets",
        name="CheckSheet",
        room="workshop",
        model=CheckSheet,
        view=permissions.ORDERS_VIEW,
        help="One walk over a car by a version of a check sheet; signed, it stays (3.1).",
        state="state",
        lock_first=("order",),
        shape={
            "order_uid": Uid(source="order__uid"),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "template_uid": Uid(source="template__uid"),
            "powertrain": Choice(choices=Powertrain),
            "state": Choice(choices=SheetState),
            "started_at": Moment(),
            "started_by_uid": Uid(source="started_by__uid", null=True),
            "signed_at": Moment(null=True),
            "signed_by_uid": Uid(source="signed_by__uid", null=True),
            "turn": Whole(help="1, or more where a sheet that the law asks was filled in again after rework"),
            "instruments": Many(
                rows=_sheet_instruments,
                by="sheet_id",
                fields={"tool_uid": Uid(source="tool__uid")},
                help="Measuring tools it was filled in with; in order and in date when it was signed (3.4).",
            ),
            "answers": Many(
                rows=_answers,
                by="sheet_id",
                fields={
                    "item_uid": Uid(source="item__uid"),
                    "verdict": Choice(choices=Verdict),
                    "readings": ListOf(inner=Number(2)),
                    "note": Text(mask=mask_text),
                    "as_rest": Flag(),
                    "answered_at": Moment(),
                },
            ),
            "photos": Many(
                rows=_check_photos,
                by="sheet_id",
                fields={"uid": Uid(), "item_uid": Uid(source="item__uid"), "taken_at": Moment()},
            ),
            "offers": Many(
                rows=_check_offers,
                by="sheet_id",
                fields={"item_uid": Uid(source="item__uid"), "labor_operation_uid": Uid(source="line__uid")},
            ),
        },
        filters={
            "order_uid": Filter(field=Uid(), lookup="order__uid"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "state": Filter(field=Choice(choices=SheetState), lookup="state"),
        },
        create=Command(
            run=sheets.begin_sheet,
            permission=permissions.CHECKS_FILL,
            input={"order_uid": Uid(), "template_uid": Uid()},
            help="Begin a sheet on an order (3.1)",
        ),
        actions=(
            Action(
                verb="answer",
                uid="sheet_uid",
                run=sheets.answer_item,
                permission=permissions.CHECKS_FILL,
                when={SheetState.OPEN},
                input={
                    "item_uid": Uid(),
                    "verdict": Choice(choices=Verdict, optional=True),
                    "readings": ListOf(inner=Number(2, signed=True, digits=5), most=4, optional=True),
                    "note": Text(200, optional=True),
                },
                help="Write what one item is; measured values judge themselves (3.1)",
            ),
            Action(
                verb="add-photo",
                uid="sheet_uid",
                run=sheets.add_check_photo,
                permission=permissions.CHECKS_FILL,
                when={SheetState.OPEN},
                input={"item_uid": Uid(), "content": Bytes(help="JPEG, PNG or WebP as base64.")},
                help="Keep a picture of an item (3.1)",
            ),
            Action(
                verb="rest-good",
                run=sheets.rest_is_good,
                permission=permissions.CHECKS_FILL,
                when={SheetState.OPEN},
                help="Everything unanswered that no safety hangs on is good (3.1)",
            ),
            Action(
                verb="sign",
                run=sheets.sign_sheet,
                permission=permissions.CHECKS_FILL,
                when={SheetState.OPEN},
                input={
                    "instrument_uids": ListOf(
                        inner=Uid(),
                        optional=True,
                        help="What a sheet of the inspections that the law asks was measured with; in order and in date.",
                    )
                },
                help="Sign the sheet; from now on nothing of it changes (3.1)",
            ),
            Action(
                verb="offer",
                uid="sheet_uid",
                run=sheets.offer_finding,
                permission=(permissions.LINES_EDIT, permissions.LINES_PROPOSE),
                input={
                    "item_uid": Uid(),
                    "although_there": Flag(optional=True, help="It comes on top of the same work on the order."),
                },
                help="Write the line that mends a worn or bad item onto the order (3.1)",
            ),
        ),
    )
)


# --- recalls, demands, long repairs (3.2), due list (3.1), lifts (3.4), sales: with the resources above ---
from workshop import (  # noqa: E402, F401
    calls_api,
    campaigns_api,
    claims_api,
    contracts_api,
    cores_api,
    day_six_api,
    due_api,
    estimates_api,
    gloves_api,
    goodwill_api,
    lifts_api,
    own_parts_api,
    part_consents_api,
    payers_api,
    promises_api,
    sales_api,
    standing_api,
    stock_takes_api,
    sublets_api,
    suppliers_api,
    team_api,
    trials_api,
    wear_api,
    wishes_api,
)
