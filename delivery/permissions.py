"""What may be done in settlement and delivery, one sentence each (4.1, 1.2: who takes money can't edit what is owed)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import permission, role

# settlement, payment, hand-over and gate
BOARD_VIEW = permission("delivery.board.view", _("See which cars are ready and what each still lacks."))
SETTLEMENTS_VIEW = permission("delivery.settlements.view", _("Read settlement lists."))
SETTLEMENTS_ISSUE = permission("delivery.settlements.issue", _("Issue a settlement list for a finished order."))
SETTLEMENTS_SIGN = permission("delivery.settlements.sign", _("Take the customer's signature on a settlement list."))
SETTLEMENTS_VOID = permission("delivery.settlements.void", _("Void a settlement list before it is signed."))
UNPAID_EXIT_ASK = permission("delivery.unpaid_exit.ask", _("Ask that a car may leave before everything is paid."))
GOODWILL_ASK = permission("delivery.goodwill.ask", _("Ask that a part of a bill is waived as goodwill."))
PAYMENTS_VIEW = permission("delivery.payments.view", _("See payments and the day's close."))
PAYMENTS_TAKE = permission("delivery.payments.take", _("Take payments."))
PAYMENTS_REFUND = permission("delivery.payments.refund", _("Give money back as a counter-entry."))
HANDOVERS_DO = permission("delivery.handovers.do", _("Hand a car over to its customer."))
GATE_PASSES_ISSUE = permission("delivery.gate_passes.issue", _("Issue a gate pass of any kind."))
GATE_PASSES_ROAD_TEST = permission("delivery.gate_passes.road_test", _("Issue a gate pass for a road test."))
GATE_PASSES_VIEW = permission("delivery.gate_passes.view", _("See gate passes and who is out."))
GATE_SCAN = permission("delivery.gate.scan", _("Scan cars out of the gate and back in."))

role(
    "advisor",
    permissions={
        BOARD_VIEW, SETTLEMENTS_VIEW, SETTLEMENTS_ISSUE, SETTLEMENTS_SIGN, SETTLEMENTS_VOID, UNPAID_EXIT_ASK,
        GOODWILL_ASK, HANDOVERS_DO, GATE_PASSES_ISSUE, GATE_PASSES_VIEW, GATE_SCAN,
    },
)  # fmt: skip
role(
    "cashier",
    permissions={BOARD_VIEW, SETTLEMENTS_VIEW, SETTLEMENTS_ISSUE, UNPAID_EXIT_ASK, PAYMENTS_VIEW, PAYMENTS_TAKE},
)
role("accountant", permissions={SETTLEMENTS_VIEW, PAYMENTS_VIEW, PAYMENTS_REFUND})
role("receptionist", permissions={BOARD_VIEW, GATE_PASSES_VIEW, GATE_SCAN})
role("safety", permissions={GATE_PASSES_VIEW, GATE_SCAN})
for code in ("foreman", "leader", "inspector", "techdirector"):
    role(code, permissions={GATE_PASSES_ROAD_TEST, GATE_PASSES_VIEW})
role("foreman", permissions={BOARD_VIEW})
role("warranty", permissions={SETTLEMENTS_VIEW, GOODWILL_ASK})
role("care", permissions={SETTLEMENTS_VIEW, GOODWILL_ASK})
role("supervisor", permissions={BOARD_VIEW, SETTLEMENTS_VIEW, GATE_PASSES_VIEW})
for code in ("manager", "gm"):
    role(
        code,
        permissions={BOARD_VIEW, SETTLEMENTS_VIEW, PAYMENTS_VIEW, GATE_PASSES_VIEW},
    )
role(
    "manager",
    permissions={GOODWILL_ASK, SETTLEMENTS_ISSUE, SETTLEMENTS_VOID, HANDOVERS_DO, GATE_PASSES_ISSUE, GATE_SCAN},
)

# --- follow-up and surveys ---
FOLLOW_UPS_VIEW = permission("delivery.follow_ups.view", _("See who is to be called back and what they said."))
FOLLOW_UPS_CALL = permission("delivery.follow_ups.call", _("Call customers back and note the result."))
SURVEYS_VIEW = permission("delivery.surveys.view", _("See what customers answered."))
role("care", permissions={FOLLOW_UPS_VIEW, FOLLOW_UPS_CALL, SURVEYS_VIEW})
for code in ("advisor", "supervisor", "manager", "gm"):
    role(code, permissions={FOLLOW_UPS_VIEW, SURVEYS_VIEW})

# --- rework within the guarantee ---
REWORK_VIEW = permission("delivery.rework.view", _("See which cars came back within the guarantee of our work."))
REWORK_OPEN = permission("delivery.rework.open", _("Enter that a car came back within the guarantee of our work."))
REWORK_JUDGE = permission("delivery.rework.judge", _("Judge what a return came from and who bears its cost."))
for code in ("receptionist", "advisor", "foreman", "inspector", "techdirector", "warranty", "care", "supervisor"):
    role(code, permissions={REWORK_VIEW})
for code in ("manager", "gm"):
    role(code, permissions={REWORK_VIEW})
for code in ("receptionist", "advisor", "warranty", "manager"):
    role(code, permissions={REWORK_OPEN})
for code in ("techdirector", "warranty", "manager"):
    role(code, permissions={REWORK_JUDGE})
COSTS_VIEW = permission("delivery.costs.view", _("See what an order costs the shop and what it leaves."))
for _code in ("manager", "gm", "accountant"):
    role(_code, permissions={COSTS_VIEW})
