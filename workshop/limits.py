"""Numbers of chapter 3 as dated settings (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.errors import explain_constraint
from dealership.kernel.registry import limit

# --- repair orders and authorisations ---
ESTIMATE_HOURS = limit(
    "workshop.estimate_valid_hours", 72, "h", _("An estimate can be decided on for"), clause="3.2", source="design"
)
CONTRACT_AMOUNT = limit(
    "workshop.contract_amount",
    2000,
    "CNY",
    _("A written repair contract from an estimate of"),
    clause="3.3",
    source="src",
)
UNASKED_DEFAULTS = {"WARRANTY": 5000, "INTERNAL": 2000, "SERVICE_CONTRACT": 3000}
UNASKED_UP_TO = limit(
    "workshop.unasked_up_to",
    UNASKED_DEFAULTS,
    "CNY",
    _(
        "How much of an order goes ahead without anybody's yes where the maker, our shop or a service contract pays; above "
        "that somebody approves, or the maker's authorisation stands on record"
    ),
    clause="3.2",
    source="design",
)
DISCOUNT_SMALL_PERCENT = limit(
    "workshop.discount_small_percent",
    5,
    "%",
    _("Discount on labour a service advisor may give"),
    clause="3.2",
    source="design",
)
DISCOUNT_LARGE_PERCENT = limit(
    "workshop.discount_large_percent",
    20,
    "%",
    _("Discount on labour the service manager may give"),
    clause="3.2",
    source="design",
)
PART_DISCOUNT_SMALL_PERCENT = limit(
    "workshop.part_discount_small_percent",
    3,
    "%",
    _("Discount on a part a service advisor may give"),
    clause="3.2",
    source="design",
)
PART_DISCOUNT_LARGE_PERCENT = limit(
    "workshop.part_discount_large_percent",
    10,
    "%",
    _("Discount on a part the service manager may give"),
    clause="3.2",
    source="design",
)

# --- parts and stock ---
PARTS_LEAD_DAYS = limit(
    "workshop.parts_lead_days", 3, "d", _("Days until a missing part is expected"), clause="3.2", source="design"
)

COUNT_RECOUNT_FROM = limit(
    "workshop.count_recount_from",
    200,
    "CNY",
    _("Value of a difference above which somebody else counts a line of a parts stock-take again"),
    clause="3.2",
    source="design",
)
COUNT_APPROVE_FROM = limit(
    "workshop.count_approve_from",
    1000,
    "CNY",
    _("Value of stock differences above which who counted doesn't book them alone"),
    clause="3.2",
    source="design",
)
STOCK_USE_DAYS = limit(
    "workshop.stock_use_days", 90, "d", _("Days of use that proposals to order go by"), clause="3.2", source="design"
)
STOCK_COVER_DAYS = limit(
    "workshop.stock_cover_days",
    14,
    "d",
    _("Days of use that an order covers beyond the delivery"),
    clause="3.2",
    source="design",
)

# --- dispatch, clocking, inspections ---
PLAN_DAYS = limit("workshop.plan_days", 14, "d", _("How far ahead work may be planned"), clause="2.4", source="design")
HV_SECOND_LEVEL = limit(
    "workshop.hv_second_level",
    2,
    "",
    _("Skill level in high voltage that the second person needs"),
    clause="3.2",
    source="design",
)
LIFT_FIRST = limit(
    "workshop.lift_first",
    0,
    "",
    _("Work on a lift begins only when somebody has looked at it that day (1), or with a warning (0)"),
    clause="3.4",
    source="design",
)
TOOL_PLANNED_MINUTES = limit(
    "workshop.tool_planned_minutes",
    60,
    "min",
    _("Minutes before planned work in which its special tool goes out to nobody else; earlier that day, with a reason"),
    clause="3.4",
    source="design",
)
CLOCK_LEFT_MINUTES = limit(
    "workshop.clock_left_minutes",
    60,
    "min",
    _("Minutes after the end of the shift at which a clock still open is closed"),
    clause="3.2",
    source="design",
)
INSPECTION_LEVELS = limit(
    "workshop.inspection_levels",
    {
        "WHOLE_VEHICLE": 3,
        "ASSEMBLY": 3,
        "SECOND_MAINTENANCE": 3,
        "FIRST_MAINTENANCE": 2,
        "MINOR": 2,
        "SPECIAL": 3,
    },
    "",
    _(
        "Levels of inspection by repair category: 3 is self check, team check and final inspection, 2 leaves the team "
        "check out; work that concerns safety always has all three"
    ),
    clause="3.2",
    source="design, domain 3.4",
)
STRUCTURE_AMOUNT = limit(
    "workshop.structure_amount",
    20000,
    "CNY",
    _(
        "From this amount on that the insurer agreed to, an accident repair has its check of the body's structure; 0: all"
    ),
    clause="3.2",
    source="design, JT/T 795",
)
INSPECTION_SAMPLES = limit(
    "workshop.inspection_samples",
    {},
    "%",
    _(
        "Share of the orders without a team check that are drawn for one all the same, by repair category; the order "
        "itself decides, so that nobody can choose"
    ),
    clause="3.2",
    source="design, domain 3.4",
)
INSPECTION_NEW_DAYS = limit(
    "workshop.inspection_new_days",
    0,
    "d",
    _("Days after hiring in which all work of a person has the team check; 0: no such rule"),
    clause="3.2",
    source="design, domain 3.4",
)
LEGAL_GUARANTEE = {
    "WHOLE_VEHICLE": {"km": 20000, "days": 100},
    "ASSEMBLY": {"km": 20000, "days": 100},
    "SECOND_MAINTENANCE": {"km": 5000, "days": 30},
    "FIRST_MAINTENANCE": {"km": 2000, "days": 10},
    "MINOR": {"km": 2000, "days": 10},
    "SPECIAL": {"km": 2000, "days": 10},
}
"""Regulation on motor vehicle repair, art. 37; a shop may promise more, never less (art. 39, domain 3.2). The database
holds it too: trigger ``setting_guarantee_by_law``."""
GUARANTEE = limit(
    "workshop.guarantee",
    LEGAL_GUARANTEE,
    "km, d",
    _("Guarantee of the work by repair category, from the day of the hand-over"),
    clause="3.2",
    source="W1,W2,W4 art.37,39",
    least=LEGAL_GUARANTEE,
)
explain_constraint(
    "setting_guarantee_by_law", "setting.least", _("The guarantee of repairs is never shorter than the law gives.")
)

# --- the proposed plan ---
PLANNER_SECONDS = limit(
    "workshop.planner_seconds", 15, "s", _("Time the planner takes to look for a better plan"), clause="2.4",
    source="design",
)  # fmt: skip
PLANNER_DAYS = limit(
    "workshop.planner_days", 2, "d", _("Rostered days that a proposed plan covers"), clause="2.4", source="design"
)
PROPOSAL_MINUTES = limit(
    "workshop.proposal_minutes",
    10,
    "min",
    _("How long a proposed plan may be accepted; nothing in it begins sooner"),
    clause="2.4",
    source="design",
)

# --- maintenance ---
MAINTENANCE_SOON_KM = limit(
    "workshop.maintenance_soon_km",
    1000,
    "km",
    _("Kilometres before its point from which maintenance is due soon, and past it overdue"),
    clause="3.1",
    source="design",
)
MAINTENANCE_SOON_DAYS = limit(
    "workshop.maintenance_soon_days",
    30,
    "d",
    _("Days before its point from which maintenance is due soon, and past it overdue"),
    clause="3.1",
    source="design",
)
USUAL_KM_A_YEAR = limit(
    "workshop.usual_km_a_year",
    15000,
    "km",
    _("Kilometres a year that a car is taken to drive while its readings don't tell"),
    clause="3.1",
    source="design",
)
SEVERE_KM_A_YEAR = limit(
    "workshop.severe_km_a_year",
    30000,
    "km",
    _("Kilometres a year from which a car follows the intervals for hard use"),
    clause="3.1",
    source="design",
)

# --- tools ---
TOOL_CHECK_MONTHS = limit(
    "workshop.tool_check_months",
    {
        "TORQUE_WRENCH": 12,
        "TYRE_GAUGE": 6,
        "PRESSURE_GAUGE": 6,
        "EXHAUST_ANALYSER": 12,
        "WHEEL_ALIGNER": 12,
        "MULTIMETER": 12,
        "INSULATION_TESTER": 12,
        "BRAKE_TESTER": 12,
        "HEADLAMP_TESTER": 12,
        "MEASURING": 12,
        "LIFT": 12,
        "GLOVES": 6,
        "INSULATED_TOOL": 12,
    },
    "months",
    _("Months between two calibrations or tests, by kind of tool"),
    clause="3.4",
    source="domain 3.7",
)
TOOL_DUE_DAYS = limit(
    "workshop.tool_due_days",
    30,
    "d",
    _("Days before a tool's calibration or test runs out at which its keeper is reminded"),
    clause="3.4",
    source="design",
)

# --- declined advice ---
ADVICE_DAYS = limit(
    "workshop.advice_days",
    90,
    "d",
    _("Days after which declined advice is offered again by telephone"),
    clause="3.1",
    source="design",
)
ADVICE_SAFETY_DAYS = limit(
    "workshop.advice_safety_days",
    14,
    "d",
    _("Days after which declined advice that concerns safety is offered again by telephone"),
    clause="3.1",
    source="design",
)

# --- demands under the statutory warranty ---
STATUTORY_ANSWER_DAYS = limit(
    "workshop.statutory_answer_days",
    10,
    "d",
    _("Working days within which a demand under the statutory warranty is answered, never more than the law gives"),
    clause="3.2",
    source="L1 art.28",
)
STATUTORY_FINISH_DAYS = limit(
    "workshop.statutory_finish_days",
    20,
    "d",
    _("Working days within which a granted demand is carried out, never more than the law gives"),
    clause="3.2",
    source="L1 art.28",
)

# --- claims to the maker ---
WARRANTY_SUBMIT_DAYS = limit(
    "workshop.warranty_submit_days",
    30,
    "d",
    _("Days after the end of a warranty repair within which its claim goes to the maker"),
    clause="3.2",
    source="design",
)

# --- old parts ---
OLD_PART_MAKER_DAYS = limit(
    "workshop.old_part_maker_days",
    90,
    "d",
    _("Days that an old part of a warranty repair lies here for the maker unless it is released"),
    clause="3.2",
    source="domain 3.6",
)
OLD_PART_DAYS = limit(
    "workshop.old_part_days",
    7,
    "d",
    _("Days that other old parts lie here before they are overdue to be cleared away"),
    clause="3.2",
    source="design",
)
TRANSPORT_MONEY_A_DAY = limit(
    "workshop.transport_money_a_day",
    100,
    "CNY",
    _("Transport money for a day from the sixth day of a repair on, where no loan car is given"),
    clause="3.2",
    source="design",
)

# --- sale over the counter ---
SALE_RETURN_DAYS = limit(
    "workshop.sale_return_days",
    7,
    "d",
    _("Days for which what was sold over the counter is taken back"),
    clause="3.2",
    source="design",
)
CORE_DAYS = limit(
    "workshop.core_days",
    30,
    "d",
    _("Days within which an old part comes in so that its core charge is given back"),
    clause="3.2",
    source="design",
)
