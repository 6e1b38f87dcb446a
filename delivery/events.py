"""What happens in chapter 4: codes, words, clause, stage and norm."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import event
from dealership.kernel.stages import DELIVERY, FOLLOW_UP, SETTLEMENT

# settlement, payment, hand-over and gate
SETTLEMENT_ISSUED = event(
    "delivery.settlement.issued",
    _("Settlement list issued"),
    clause="4.1",
    stage=SETTLEMENT,
    norm=("delivery.settlement.signed", "delivery.settlement.voided"),
    within=30,
)
SETTLEMENT_SIGNED = event(
    "delivery.settlement.signed",
    _("Settlement list signed"),
    clause="4.1",
    stage=SETTLEMENT,
    norm=("delivery.payment.taken", "delivery.handover.done"),
    within=30,
)
SETTLEMENT_VOIDED = event("delivery.settlement.voided", _("Settlement list voided"), clause="4.1", stage=SETTLEMENT)
PAYMENT_TAKEN = event(
    "delivery.payment.taken",
    _("Payment taken"),
    clause="4.1",
    stage=SETTLEMENT,
    norm=("delivery.payment.taken", "delivery.handover.done"),
    within=30,
)
PAYMENT_REFUNDED = event("delivery.payment.refunded", _("Money given back"), clause="4.1", stage=SETTLEMENT)
SALE_PAYMENT_TAKEN = event("delivery.sale_payment.taken", _("Counter sale paid"), clause="4.1")
SALE_PAYMENT_REFUNDED = event("delivery.sale_payment.refunded", _("Money of a counter sale given back"), clause="4.1")
DEPOSIT_TAKEN = event("delivery.deposit.taken", _("Deposit taken"), clause="4.1", stage=SETTLEMENT)
CORE_PAID_BACK = event("delivery.core_payout.paid", _("Core charge given back"), clause="3.2", stage=SETTLEMENT)
DEPOSIT_RETURNED = event("delivery.deposit.returned", _("Deposit given back"), clause="4.1", stage=SETTLEMENT)
HANDOVER_DONE = event(
    "delivery.handover.done",
    _("Car handed over"),
    clause="4.1",
    stage=DELIVERY,
    norm=("delivery.gate_pass.issued",),
    within=15,
)
GATE_PASS_ISSUED = event(
    "delivery.gate_pass.issued",
    _("Gate pass issued"),
    clause="4.1",
    stage=DELIVERY,
    norm=("delivery.gate_pass.scanned_out",),
)
GATE_PASS_CANCELLED = event("delivery.gate_pass.cancelled", _("Gate pass cancelled"), clause="4.1", stage=DELIVERY)
GATE_PASS_SCANNED_OUT = event("delivery.gate_pass.scanned_out", _("Car out of the gate"), clause="4.1", stage=DELIVERY)
GATE_PASS_SCANNED_BACK = event(
    "delivery.gate_pass.scanned_back", _("Car back through the gate"), clause="4.1", stage=DELIVERY
)

# --- follow-up and surveys ---
FOLLOW_UP_PLANNED = event(
    "delivery.follow_up.planned", _("Callback planned"), clause="4.2", stage=FOLLOW_UP,
    norm=("delivery.follow_up.called", "delivery.follow_up.closed"),
)  # fmt: skip
FOLLOW_UP_CALLED = event("delivery.follow_up.called", _("Customer called"), clause="4.2", stage=FOLLOW_UP)
FOLLOW_UP_CLOSED = event("delivery.follow_up.closed", _("Callback closed"), clause="4.2", stage=FOLLOW_UP)
DATE_REMINDED = event(
    "delivery.date_reminder.sent",
    _("Owner reminded of maintenance, insurance or inspection"),
    clause="4.2",
    stage=FOLLOW_UP,
)
DATE_REMINDER_CLOSED = event(
    "delivery.date_reminder.closed",
    _("Reminder of maintenance, insurance or inspection closed"),
    clause="4.2",
    stage=FOLLOW_UP,
)
SURVEY_SENT = event(
    "delivery.survey.sent", _("Survey sent"), clause="4.3", stage=FOLLOW_UP, norm=("delivery.survey.answered",)
)
SURVEY_ANSWERED = event("delivery.survey.answered", _("Survey answered"), clause="4.3", stage=FOLLOW_UP)

# --- rework within the guarantee ---
REWORK_OPENED = event("delivery.rework.opened", _("Came back within the guarantee"), clause="3.2")
REWORK_ACCEPTED = event("delivery.rework.accepted", _("Return is ours to mend"), clause="3.2")
REWORK_REFUSED = event("delivery.rework.refused", _("Another cause of the return shown"), clause="3.2")
REWORK_STARTED = event("delivery.rework.started", _("Rework order for the return"), clause="3.2")
REWORK_MENDED = event("delivery.rework.mended", _("Return mended"), clause="3.2")
REWORK_SENT_OUT = event("delivery.rework.sent_out", _("Return given to another repairer"), clause="3.2")
REWORK_PAID = event("delivery.rework.paid", _("Other repairer paid"), clause="3.2")
REWORK_WITHDRAWN = event("delivery.rework.withdrawn", _("Return taken back"), clause="3.2")
