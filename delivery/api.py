"""Resources of chapter 4: settlements, payments, deliveries, gate passes, follow-ups, surveys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from dealership.catalogue.models import PartKind
from dealership.kernel.actors import Actor
from dealership.kernel.api.masking import mask_name, mask_text
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
    Facts,
    Flag,
    MapOf,
    Moment,
    Money,
    Number,
    Text,
    Uid,
    Whole,
)
from dealership.kernel.errors import RuleError
from delivery import permissions
from delivery.models import (
    MONEY,
    CallResult,
    DateKind,
    DateReminder,
    DateReminderState,
    Deposit,
    FollowUp,
    FollowUpAttempt,
    FollowUpState,
    GatePass,
    GatePassKind,
    Handover,
    HandoverCheck,
    Payment,
    PaymentMethod,
    Settlement,
    SettlementLine,
    SettlementLineKind,
    SettlementState,
    Survey,
    SurveyAnswer,
    SurveyDimension,
)
from delivery.rework_models import CostBearer, ReworkCase, ReworkCause, ReworkState
from delivery.selectors.gate import COMES_BACK
from delivery.selectors.settlements import with_paid
from delivery.services import deposits, followups, handovers, payments, reminders, rework, settlements
from workshop.permissions import ORDERS_OPEN

VISIT = {"visit_uid": Filter(field=Uid(), lookup="visit__uid")}
EXPAND_VISIT = {"visit": One(target="visits", source="visit__uid")}


def _settlements(by: Actor) -> QuerySet:
    return with_paid(Settlement.objects.for_actor(by))


def _lines() -> QuerySet:
    return SettlementLine.objects.order_by("kind", "position")


def _calls() -> QuerySet:
    return FollowUpAttempt.objects.order_by("id")


def _answers() -> QuerySet:
    return SurveyAnswer.objects.order_by("id")


# --- settlement and payment (4.1) ---
register(
    Resource(
        path="settlements",
        name="Settlement",
        room="delivery",
        model=Settlement,
        rows=_settlements,
        view=permissions.SETTLEMENTS_VIEW,
        help="The settlement list of one order and payer: labour and material apart, VAT included (4.1).",
        state="state",
        lock_first=("order",),
        refs=True,
        star="RepairFinancialSummary",
        star_fields={
            "labor_total": "actual_labor_amount",
            "material_total": "actual_parts_amount",
            "total": "actual_grand_total_amount",
        },
        shape={
            "number": Text(),
            "state": Choice(choices=SettlementState),
            "repair_order_uid": Uid(source="order__uid"),
            "visit_uid": Uid(source="order__visit__uid"),
            "payer_uid": Uid(source="payer__uid"),
            "labor_total": Money(),
            "material_total": Money(),
            "other_total": Money(),
            "discount_total": Money(),
            "rounding_total": Money(help="Taken off the sum to come down to whole yuan."),
            "total": Money(),
            "paid_total": Money(source="paid", help="Payments less what was given back."),
            "due_total": Money(source="due", help="What is still to be paid."),
            "old_parts": Text(),
            "guarantee_days": Whole(),
            "guarantee_km": Whole(),
            "issued_at": Moment(),
            "signed_at": Moment(null=True),
            "signed_name": Text(mask=mask_name),
            "void_reason": Text(),
            "lines": Many(
                rows=_lines,
                by="settlement_id",
                fields={
                    "kind": Choice(choices=SettlementLineKind),
                    "position": Whole(),
                    "labor_operation_uid": Uid(source="order_line__uid", null=True),
                    "part_line_uid": Uid(source="part_line__uid", null=True),
                    "description": Text(),
                    "code": Text(),
                    "brand": Text(),
                    "part_kind": Choice(choices=PartKind, null=True),
                    "quantity": Number(2),
                    "unit_price": Money(),
                    "amount": Money(),
                },
            ),
        },
        filters={
            "state": Filter(field=Choice(choices=SettlementState), lookup="state"),
            "repair_order_uid": Filter(field=Uid(), lookup="order__uid"),
            "visit_uid": Filter(field=Uid(), lookup="order__visit__uid"),
        },
        expand={
            "repair_order": One(target="repair-orders", source="order__uid"),
            "payments": Those(target="payments", link="settlement__uid"),
        },
        create=Command(
            run=settlements.issue_settlement,
            permission=permissions.SETTLEMENTS_ISSUE,
            input={
                "repair_order_uid": Uid(source="order_uid"),
                "round_off": Flag(optional=True),
                "old_parts": Choice(choices=settlements.OLD_PARTS, optional=True),
            },
            help="Issue the list of a finished order",
        ),
        actions=(
            Action(
                verb="sign",
                run=settlements.sign_settlement,
                permission=permissions.SETTLEMENTS_SIGN,
                when={SettlementState.ISSUED},
                input={"signed_name": Text(60, min=1), "signature": Bytes(optional=True, null=True)},
                help="The customer signs the list",
            ),
            Action(
                verb="void",
                run=settlements.void_settlement,
                permission=permissions.SETTLEMENTS_VOID,
                when={SettlementState.ISSUED},
                input={"reason": Text(200, min=1)},
                help="Void the list before its signature",
            ),
            Action(
                verb="ask-unpaid-exit",
                run=settlements.ask_unpaid_exit,
                permission=permissions.UNPAID_EXIT_ASK,
                when={SettlementState.SIGNED},
                input={"reason": Text(300, min=1)},
                help="Ask that the car may leave before everything is paid",
            ),
        ),
    )
)

register(
    Resource(
        path="payments",
        name="Payment",
        room="delivery",
        model=Payment,
        view=permissions.PAYMENTS_VIEW,
        help="Money received, or given back as a counter-entry; never changed (4.1).",
        lock_first=("settlement",),
        refs=True,
        shape={
            "number": Text(),
            "settlement_uid": Uid(source="settlement__uid"),
            "method": Choice(choices=PaymentMethod),
            "amount": Money(help="Negative where money was given back."),
            "reverses_uid": Uid(source="reverses__uid", null=True),
            "deposit_uid": Uid(source="deposit__uid", null=True),
            "reference": Text(mask=mask_text),
            "reason": Text(),
            "at": Moment(),
        },
        filters={
            "settlement_uid": Filter(field=Uid(), lookup="settlement__uid"),
            "method": Filter(field=Choice(choices=PaymentMethod), lookup="method"),
            "reverses_uid": Filter(field=Uid(), lookup="reverses__uid"),
        },
        create=Command(
            run=payments.take_payment,
            permission=permissions.PAYMENTS_TAKE,
            input={
                "settlement_uid": Uid(),
                "method": Choice(choices=tuple(MONEY)),
                "amount": Money(),
                "reference": Text(60, optional=True),
            },
            help="Take a payment, in part or in full",
        ),
        actions=(
            Action(
                verb="refund",
                run=payments.refund_payment,
                uid="payment_uid",
                permission=permissions.PAYMENTS_REFUND,
                input={"amount": Money(), "reason": Text(200, min=1)},
                help="Give money back; the counter-entry is a payment of its own (filter reverses_uid)",
            ),
        ),
    )
)


def _take_deposit(
    *, by: Actor, order_uid: UUID | None = None, appointment_uid: UUID | None = None, **money: Any
) -> Deposit:
    if (order_uid is None) == (appointment_uid is None):
        raise RuleError(
            "deposit.subject", _("A deposit is for one order or for one booking."), field="repair_order_uid"
        )
    if appointment_uid is not None:
        return deposits.take_booking_deposit(appointment_uid=appointment_uid, by=by, **money)
    assert order_uid is not None
    return deposits.take_deposit(order_uid=order_uid, by=by, **money)


register(
    Resource(
        path="deposits",
        name="Deposit",
        room="delivery",
        model=Deposit,
        view=permissions.PAYMENTS_VIEW,
        help="Money paid in advance on an order or for a booking, or given back; used when the list is signed (4.1).",
        lock_first=("order",),
        refs=True,
        shape={
            "number": Text(),
            "repair_order_uid": Uid(source="order__uid", null=True),
            "appointment_uid": Uid(source="appointment__uid", null=True, help="The booking it was paid for."),
            "method": Choice(choices=tuple(MONEY)),
            "amount": Money(help="Negative where money was given back."),
            "reverses_uid": Uid(source="reverses__uid", null=True),
            "reference": Text(mask=mask_text),
            "reason": Text(),
            "at": Moment(),
        },
        filters={
            "repair_order_uid": Filter(field=Uid(), lookup="order__uid"),
            "appointment_uid": Filter(field=Uid(), lookup="appointment__uid"),
            "reverses_uid": Filter(field=Uid(), lookup="reverses__uid"),
        },
        create=Command(
            run=_take_deposit,
            permission=permissions.PAYMENTS_TAKE,
            input={
                "repair_order_uid": Uid(source="order_uid", optional=True, null=True),
                "appointment_uid": Uid(optional=True, null=True, help="In place of the order: a booking to come."),
                "method": Choice(choices=tuple(MONEY)),
                "amount": Money(),
                "reference": Text(60, optional=True),
            },
            help="Take money in advance",
        ),
        actions=(
            Action(
                verb="return",
                run=deposits.return_deposit,
                uid="deposit_uid",
                permission=permissions.PAYMENTS_REFUND,
                input={"amount": Money(), "reason": Text(200, min=1)},
                help="Give back what is left of it",
            ),
        ),
    )
)


# --- hand-over and gate (4.1) ---
def _hand_over(*, visit_uid: UUID, checklist: Mapping[str, str], by: Actor, **rest: Any) -> Handover:
    checks = {code: True if value == "DONE" else value for code, value in checklist.items()}
    return handovers.hand_over(visit_uid=visit_uid, checklist=checks, by=by, **rest)


def _scan_out(*, uid: UUID, by: Actor) -> GatePass:
    return handovers.scan_out(code=GatePass.objects.for_actor(by).get(uid=uid).code, by=by)


def _scan_back(*, uid: UUID, by: Actor) -> GatePass:
    return handovers.scan_back(code=GatePass.objects.for_actor(by).get(uid=uid).code, by=by)


register(
    Resource(
        path="deliveries",
        name="Delivery",
        room="delivery",
        model=Handover,
        view=permissions.BOARD_VIEW,
        help="The car goes back to its customer, once per visit, when everything before it is done (4.1).",
        shape={
            "visit_uid": Uid(source="visit__uid"),
            "checklist": Facts(help="Each check: true, or NOT_APPLICABLE."),
            "odometer_out": Whole(source="odometer_km", help="km"),
            "next_service_on": Day(null=True),
            "next_service_km": Whole(null=True),
            "received_by": Text(mask=mask_name),
            "risk_note_signed_by": Text(mask=mask_name),
            "signed_on_paper": Flag(help="Signed on paper, not on the pad."),
            "service_advisor_uid": Uid(source="advisor__uid"),
            "punctual": Flag(null=True, help="By the promised time; null where none was promised."),
            "delivered_at": Moment(source="at"),
        },
        filters=VISIT,
        expand=EXPAND_VISIT,
        create=Command(
            run=_hand_over,
            permission=permissions.HANDOVERS_DO,
            input={
                "visit_uid": Uid(),
                "checklist": MapOf(
                    inner=Choice(choices=("DONE", "NOT_APPLICABLE")), key=Choice(choices=HandoverCheck), most=20
                ),
                "odometer_out": Whole(0, 2_000_000, source="odometer_km"),
                "received_by": Text(60, min=1),
                "signature": Bytes(optional=True, null=True),
                "signed_on_paper": Flag(
                    optional=True,
                    help="Where old parts go along or the note about the risk is signed: this or the signature.",
                ),
                "risk_note_signed_by": Text(
                    60,
                    optional=True,
                    help="Needed where begun work was withdrawn or safety work declined unsigned.",
                ),
                "next_service_on": Day(
                    optional=True, null=True, help="Needed where NEXT_SERVICE is DONE; a day ahead."
                ),
                "next_service_km": Whole(0, 2_000_000, optional=True, null=True),
            },
            help="Hand the car over",
        ),
    )
)

UNUSED = While(lambda out, cancelled: out is None and cancelled is None, "out_at", "cancelled_at")

register(
    Resource(
        path="gate-passes",
        name="GatePass",
        room="delivery",
        model=GatePass,
        view=permissions.GATE_PASSES_VIEW,
        help="Lets one car out of the gate once; each kind has its own conditions (4.1).",
        lock_first=("visit",),
        shape={
            "visit_uid": Uid(source="visit__uid"),
            "kind": Choice(choices=GatePassKind),
            "code": Text(help="What the gate scans."),
            "reason": Text(),
            "risk_note_signed_by": Text(mask=mask_name),
            "signed_on_paper": Flag(help="Signed on paper, not on the pad."),
            "issued_at": Moment(),
            "expires_at": Moment(),
            "out_at": Moment(null=True),
            "back_at": Moment(null=True),
            "cancelled_at": Moment(null=True),
        },
        filters=VISIT | {"code": Filter(field=Text(40, min=1), lookup="code")},
        expand=EXPAND_VISIT,
        create=Command(
            run=handovers.issue_gate_pass,
            permission=permissions.GATE_PASSES_ISSUE,
            input={
                "visit_uid": Uid(),
                "kind": Choice(choices=GatePassKind),
                "reason": Text(200, optional=True),
                "risk_note_signed_by": Text(60, optional=True),
                "signature": Bytes(optional=True, null=True),
                "signed_on_paper": Flag(optional=True, help="UNREPAIRED needs this or the drawn signature."),
            },
            help="Issue a gate pass",
        ),
        actions=(
            Action(
                verb="scan-out",
                run=_scan_out,
                permission=permissions.GATE_SCAN,
                only=UNUSED,
                help="The car drives out; delivered or unrepaired, its visit ends",
            ),
            Action(
                verb="scan-back",
                run=_scan_back,
                permission=permissions.GATE_SCAN,
                only=While(
                    lambda kind, out, back: bool(out and not back) and kind in COMES_BACK, "kind", "out_at", "back_at"
                ),
                help="The car comes back in",
            ),
            Action(
                verb="cancel",
                run=handovers.cancel_gate_pass,
                permission=permissions.GATE_PASSES_ISSUE,
                only=UNUSED,
                help="Cancel an unused gate pass",
            ),
        ),
    )
)


# --- after the visit (4.2, 4.3) ---
register(
    Resource(
        path="date-reminders",
        name="DateReminder",
        room="delivery",
        model=DateReminder,
        view=permissions.FOLLOW_UPS_VIEW,
        help="The owner of a car was told that insurance or inspection ends or maintenance is due; what came of it (4.2).",
        state="state",
        shape={
            "vehicle_uid": Uid(source="vehicle__uid"),
            "customer_uid": Uid(source="customer__uid"),
            "kind": Choice(choices=DateKind),
            "due_on": Day(
                help="The last day of the insurance or the inspection period; when the first due maintenance is reached."
            ),
            "state": Choice(choices=DateReminderState),
            "told_at": Moment(),
            "closed_at": Moment(null=True),
        },
        filters={
            "state": Filter(field=Choice(choices=DateReminderState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            "due_on_lte": Filter(field=Day(), lookup="due_on__lte"),
        },
        expand={
            "customer": One(target="customers", source="customer__uid"),
            "vehicle": One(target="vehicles", source="vehicle__uid"),
        },
        actions=(
            Action(
                verb="close",
                run=reminders.close_date_reminder,
                permission=permissions.FOLLOW_UPS_CALL,
                when={DateReminderState.OPEN},
                input={"result": Choice(choices=tuple(s for s in DateReminderState if s != DateReminderState.OPEN))},
                help="Note what came of it",
            ),
        ),
    )
)


def _answer(*, uid: UUID, scores: Mapping[str, int], recommend: int, by: Actor, words: str = "") -> Survey:
    visit_uid = Survey.objects.for_actor(by).values_list("visit__uid", flat=True).get(uid=uid)
    return followups.answer_survey(visit_uid=visit_uid, scores=scores, recommend=recommend, words=words, by=by)


register(
    Resource(
        path="follow-ups",
        name="FollowUp",
        room="delivery",
        model=FollowUp,
        view=permissions.FOLLOW_UPS_VIEW,
        help="The callback after a hand-over, with its calls (4.2).",
        state="state",
        shape={
            "visit_uid": Uid(source="visit__uid"),
            "state": Choice(choices=FollowUpState),
            "due_on": Day(),
            "attempts": Whole(),
            "words": Text(mask=mask_text),
            "closed_at": Moment(null=True),
            "calls": Many(
                rows=_calls,
                by="follow_up_id",
                fields={
                    "result": Choice(choices=CallResult),
                    "note": Text(mask=mask_text),
                    "caller_uid": Uid(source="caller__uid", null=True),
                    "at": Moment(),
                },
            ),
        },
        filters=VISIT
        | {
            "state": Filter(field=Choice(choices=FollowUpState), lookup="state"),
            "due_on_lte": Filter(field=Day(), lookup="due_on__lte"),
        },
        expand=EXPAND_VISIT,
        actions=(
            Action(
                verb="record-call",
                run=followups.record_call,
                permission=permissions.FOLLOW_UPS_CALL,
                when={FollowUpState.DUE},
                input={
                    "result": Choice(choices=CallResult),
                    "note": Text(300, optional=True, help="Needed where somebody was reached: what was said."),
                },
                help="Note a call and its result",
            ),
        ),
    )
)

register(
    Resource(
        path="surveys",
        name="Survey",
        room="delivery",
        model=Survey,
        view=permissions.SURVEYS_VIEW,
        help="The survey of a visit and its answer: 1 to 5 for each dimension, 0 to 10 for recommending (4.3).",
        shape={
            "visit_uid": Uid(source="visit__uid"),
            "sent_at": Moment(),
            "answered_at": Moment(null=True),
            "recommend": Whole(null=True),
            "words": Text(mask=mask_text),
            "answers": Many(
                rows=_answers,
                by="survey_id",
                fields={"dimension": Choice(choices=SurveyDimension), "score": Whole()},
            ),
        },
        filters=VISIT,
        expand=EXPAND_VISIT,
        actions=(
            Action(
                verb="answer",
                run=_answer,
                permission=permissions.FOLLOW_UPS_CALL,
                only=While(lambda answered_at: answered_at is None, "answered_at"),
                input={
                    "scores": MapOf(inner=Whole(1, 5), key=Choice(choices=SurveyDimension), most=5, every=True),
                    "recommend": Whole(0, 10),
                    "words": Text(500, optional=True),
                },
                help="Write down the answer as told on the telephone",
            ),
        ),
    )
)


def _survey_answers(values: dict[str, Any], actor: Actor) -> tuple[list[dict[str, Any]], bool, str | None]:
    """One row for each dimension of an answered survey, the newest survey first."""
    rows = SurveyAnswer.objects.filter(survey__in=Survey.objects.for_actor(actor))
    if "visit_uid" in values:
        rows = rows.filter(survey__visit__uid=values["visit_uid"])
    if "answered_gte" in values:
        rows = rows.filter(survey__answered_at__gte=values["answered_gte"])
    if "dimension" in values:
        rows = rows.filter(dimension=values["dimension"])
    start, limit = int(values.get("cursor", 0)), values["limit"]
    of_survey = {"survey_uid": "survey__uid", "visit_uid": "survey__visit__uid", "answered_at": "survey__answered_at"}
    columns = {name: F(path) for name, path in of_survey.items()}
    ordered = rows.order_by("-survey__answered_at", "-survey_id", "id").values("dimension", "score", **columns)
    found: list[Any] = list(ordered[start : start + limit + 1])
    has_more = len(found) > limit
    return found[:limit], has_more, str(start + limit) if has_more else None


register_listing(
    Listing(
        path="survey-answers",
        name="SurveyAnswer",
        room="delivery",
        view=permissions.SURVEYS_VIEW,
        help="What customers answered, one row for each dimension of a survey (4.3).",
        parameters={
            "visit_uid": Uid(),
            "answered_gte": Moment(),
            "dimension": Choice(choices=SurveyDimension),
            "cursor": Text(12, min=1, pattern=r"^[0-9]{1,9}$", help="next_cursor of the page before."),
        },
        shape={
            "survey_uid": Uid(),
            "visit_uid": Uid(),
            "dimension": Choice(choices=SurveyDimension),
            "score": Whole(help="1 (very dissatisfied) to 5 (very satisfied)."),
            "answered_at": Moment(),
        },
        read=_survey_answers,
    )
)

# --- rework within the guarantee (3.2) ---
register(
    Resource(
        path="rework-cases",
        name="ReworkCase",
        room="delivery",
        model=ReworkCase,
        view=permissions.REWORK_VIEW,
        help="A car that came back within the guarantee of our work: evidence, verdict, cost, who mends it (3.2).",
        state="state",
        shape={
            "state": Choice(choices=ReworkState),
            "visit_uid": Uid(source="visit__uid"),
            "vehicle_uid": Uid(source="vehicle__uid"),
            "labor_operation_uid": Uid(source="line__uid", help="The line of the first repair."),
            "attempt": Whole(help="Which return of this work it is; from the second on another repairer mends it."),
            "complaint": Text(mask=mask_text),
            "claimed_at": Moment(),
            "odometer_km": Whole(),
            "guaranteed_until": Day(source="until"),
            "guaranteed_km": Whole(source="until_km"),
            "evidence_due_at": Moment(help="Until then another cause can be shown; after it, it is ours to mend."),
            "cause": Choice(choices=ReworkCause, null=True),
            "findings": Text(mask=mask_text),
            "cost_bearer": Choice(choices=CostBearer, null=True, source="bearer"),
            "judged_at": Moment(null=True),
            "repair_order_uid": Uid(source="order__uid", null=True, help="The rework order."),
            "repairer": Text(help="The other repairer."),
            "outside_amount": Money(null=True, help="What the other repairer was paid, CNY with VAT."),
            "outside_invoice": Text(source="outside_paper"),
            "ended_at": Moment(null=True),
            "ended_reason": Text(),
        },
        filters={
            "state": Filter(field=Choice(choices=ReworkState), lookup="state"),
            "vehicle_uid": Filter(field=Uid(), lookup="vehicle__uid"),
            **VISIT,
        },
        expand=EXPAND_VISIT,
        create=Command(
            run=rework.open_rework,
            permission=permissions.REWORK_OPEN,
            input={
                "visit_uid": Uid(),
                "labor_operation_uid": Uid(source="line_uid"),
                "complaint": Text(500, min=1),
            },
        ),
        actions=(
            Action(
                verb="judge",
                run=rework.judge_rework,
                permission=permissions.REWORK_JUDGE,
                when={ReworkState.OPEN},
                input={
                    "cause": Choice(choices=ReworkCause),
                    "findings": Text(500, min=1),
                    "cost_bearer": Choice(choices=CostBearer, optional=True, source="bearer"),
                },
                help="Say what it came from and who bears the cost (3.2)",
            ),
            Action(
                verb="start",
                run=rework.start_rework,
                permission=ORDERS_OPEN,
                when={ReworkState.ACCEPTED},
                help="Open the rework order (3.2)",
            ),
            Action(
                verb="send-out",
                run=rework.send_rework_out,
                permission=permissions.REWORK_JUDGE,
                when={ReworkState.ACCEPTED},
                input={"repairer": Text(80, min=1)},
                help="Give it to another repairer at our cost (3.2)",
            ),
            Action(
                verb="pay",
                run=rework.pay_rework,
                permission=permissions.REWORK_JUDGE,
                when={ReworkState.SENT_OUT},
                input={"amount": Money(), "invoice": Text(40, min=1, source="paper")},
                help="The other repairer is done and paid (3.2)",
            ),
            Action(
                verb="withdraw",
                run=rework.withdraw_rework,
                permission=permissions.REWORK_OPEN,
                when={ReworkState.OPEN, ReworkState.ACCEPTED},
                input={"reason": Text(200, min=1)},
                help="Take it back (3.2)",
            ),
        ),
    )
)

# --- sale over the counter (3.2) ---
from delivery import cores_api, sales_api  # noqa: E402, F401  (its resources)
