"""The numbers of chapter 2, each with its clause and source (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit

# --- visits ---
GREET_MINUTES = limit(
    "reception.greet_minutes",
    5,
    "min",
    _("Minutes until an arrived customer is received"),
    clause="2.1.2",
    source="domain 1.3",
)
LINK_DAYS = limit("reception.link_days", 90, "d", _("Days a visit's link stays open"), clause="1.3", source="design")
EVENING_HOUR = limit(
    "reception.evening_hour", 17, "h", _("Hour from which the evening count is due"), clause="2.1.2", source="design"
)
LINK_QUIET = limit(
    "reception.link_quiet_minutes",
    30,
    "min",
    _("Minutes without a look at the link until the desk calls about an open decision"),
    clause="1.3",
    source="design",
)
ODOMETER_KM_A_DAY = limit(
    "reception.odometer_km_a_day",
    1000,
    "km",
    _("Kilometres a day since the last reading above which a mileage is confirmed at the reception"),
    clause="2.1.2",
    source="design",
)
VISIT_PHOTOS = limit("reception.visit_photos", 60, "", _("Photos a visit may carry"), clause="2.1.2", source="design")

# --- appointments (2.4) ---
REMINDER_DAYS = limit(
    "reception.reminder_days",
    [10, 5, 1],
    "d",
    _("Days before a booked arrival on which the customer is reminded"),
    clause="2.4",
    source="domain 2.4 (P2, P3, P7)",
)
REMINDER_HOURS = limit(
    "reception.reminder_hours",
    [1],
    "h",
    _("Hours before a booked arrival at which the customer is reminded"),
    clause="2.4",
    source="domain 2.4 (P3)",
)
DEPOSIT_AMOUNT = limit(
    "reception.deposit_amount", 200, "CNY", _("Deposit that is asked for a booking"), clause="2.4", source="design"
)
DEPOSIT_NO_SHOWS = limit(
    "reception.deposit_no_shows",
    2,
    "",
    _("Missed bookings within a year from which a deposit is asked; 0: never"),
    clause="2.4",
    source="design",
)
DEPOSIT_PARTS = limit(
    "reception.deposit_parts",
    1000,
    "CNY",
    _("Price of the parts missing on the shelf from which a booking asks for a deposit; 0: never"),
    clause="2.4",
    source="design",
)
QUIET_FROM = limit(
    "reception.quiet_from", "21:00", "", _("No reminders from this hour on"), clause="2.4", source="design"
)
QUIET_TO = limit(
    "reception.quiet_to", "08:00", "", _("Reminders again from this hour on"), clause="2.4", source="design"
)
INSPECTION_YEARS = limit(
    "reception.inspection_years",
    [6, 10],
    "y",
    _("Years after the first registration in which a private car is inspected; later every year"),
    clause="2.3",
    source="domain 2.3 (reform of 2022-10, to be verified)",
)
STICKER_YEARS = limit(
    "reception.sticker_years",
    [2, 4, 8],
    "y",
    _("Years after the first registration in which a private car only gets its inspection sticker"),
    clause="2.3",
    source="domain 2.3 (reform of 2022-10, to be verified)",
)
LOST_DAYS = limit(
    "reception.lost_customer_days",
    180,
    "d",
    _("Days without a visit after which a customer may be lost"),
    clause="2.3",
    source="P7, P18c",
)
SEGMENT_DAYS = limit(
    "reception.segment_days",
    730,
    "d",
    _("Days whose visits and spending count for a customer's tier"),
    clause="2.3",
    source="design",
)
RECENCY_DAYS = limit(
    "reception.recency_days",
    [60, 120, 180, 365],
    "d",
    _("Days since the last visit up to which recency is 5, 4, 3 and 2"),
    clause="2.3",
    source="design",
)
FREQUENCY_VISITS = limit(
    "reception.frequency_visits",
    [2, 3, 5, 8],
    "",
    _("Visits from which frequency is 2, 3, 4 and 5"),
    clause="2.3",
    source="design",
)
MONEY_SPENT = limit(
    "reception.money_spent",
    [500, 1500, 4000, 10000],
    "CNY",
    _("Spending from which money is 2, 3, 4 and 5"),
    clause="2.3",
    source="design",
)
TIER_SCORES = limit(
    "reception.tier_scores",
    [12, 9, 6],
    "",
    _("Sum of the three scores from which a customer is a key, regular or occasional one"),
    clause="2.3",
    source="design",
)
EXPIRY_DAYS = limit(
    "reception.expiry_days",
    60,
    "d",
    _("Days before the end of insurance or inspection from which it is pointed out"),
    clause="2.3",
    source="design",
)
PREPARATION_TIME = limit(
    "reception.prep_list_time",
    "16:00",
    "",
    _("Hour at which parts and workshop get the preparation list of the next working day"),
    clause="2.4",
    source="design",
)
NO_SHOW_MINUTES = limit(
    "reception.no_show_minutes",
    30,
    "min",
    _("Minutes after the booked time from which a booking may be marked as not come"),
    clause="2.4",
    source="domain 2.4",
)
APPOINTMENT_WALK_INS = limit(
    "reception.walk_in_share",
    20,
    "%",
    _("Share of each kind of bay that bookings leave to customers without one"),
    clause="2.4",
    source="domain 2.4",
)
APPOINTMENT_SLOT_MINUTES = limit(
    "reception.appointment_slot_minutes",
    60,
    "min",
    _("Minutes between the arrival times that are offered"),
    clause="2.4",
    source="design",
)
APPOINTMENT_RECEPTION_MINUTES = limit(
    "reception.appointment_reception_minutes",
    20,
    "min",
    _("Minutes that reception takes before the work of a booked car"),
    clause="2.4",
    source="domain 1.3",
)
APPOINTMENT_INSPECTION_MINUTES = limit(
    "reception.appointment_inspection_minutes",
    20,
    "min",
    _("Minutes for the final inspection of a booked car"),
    clause="2.4",
    source="design",
)
APPOINTMENT_WASH_MINUTES = limit(
    "reception.appointment_wash_minutes",
    20,
    "min",
    _("Minutes for washing a booked car"),
    clause="2.4",
    source="design",
)
APPOINTMENT_AHEAD_DAYS = limit(
    "reception.appointment_ahead_days",
    90,
    "d",
    _("Days ahead for which bookings are taken"),
    clause="2.4",
    source="design",
)
ONLINE_PER_PHONE = limit(
    "reception.online_per_phone",
    3,
    "",
    _("Online bookings from one telephone number within 24 hours"),
    clause="2.4",
    source="design",
)
ONLINE_PER_ADDRESS = limit(
    "reception.online_per_address",
    10,
    "",
    _("Online bookings from one network address within an hour"),
    clause="2.4",
    source="design",
)
ONLINE_NOTICE_MINUTES = limit(
    "reception.online_notice_minutes",
    60,
    "min",
    _("Minutes before an arrival up to which customers book online; later ones call, the desk books any free time"),
    clause="2.4",
    source="design",
)
ONLINE_CHANGE_HOURS = limit(
    "reception.online_change_hours",
    4,
    "h",
    _("Hours before an arrival up to which customers move or cancel it themselves online; later they call"),
    clause="2.4",
    source="design",
)
PRICE_DAYS = limit(
    "reception.estimate_days", 14, "d", _("Days a quoted price of a booking holds"), clause="2.4", source="design"
)

WAITING_OFFERS = limit(
    "reception.waiting_offers",
    3,
    "",
    _("Customers of the waiting list to whom one free place is offered at once; who is first has it"),
    clause="2.4",
    source="design",
)
WAITING_OFFER_MINUTES = limit(
    "reception.waiting_offer_minutes",
    120,
    "min",
    _("Minutes for which an offered time may be taken"),
    clause="2.4",
    source="design",
)
WAITING_NOTICE_MINUTES = limit(
    "reception.waiting_notice_minutes",
    90,
    "min",
    _("Minutes before an arrival from which its time is no longer offered to the waiting list"),
    clause="2.4",
    source="design",
)
WAITING_DAYS = limit(
    "reception.waiting_days", 30, "d", _("Days a car may stand on the waiting list"), clause="2.4", source="design"
)

# --- consultations (2.2.1) ---
CONSULTATION_RESPONSE = limit(
    "reception.answer_minutes",
    {
        "PHONE": 30,
        "MISSED_CALL": 30,
        "WECHAT": 5,
        "EMAIL": 1440,
        "WEB_FORM": 60,
        "API": 60,
        "WALK_IN": 5,
        "REVIEW": 240,
    },
    "min",
    _("Minutes until a question is answered, by channel"),
    clause="2.2.1",
    source="MAN, domain 2.2",
)
CONSULTATION_RESOLUTION = limit(
    "reception.settle_minutes",
    {
        "PHONE": 480,
        "MISSED_CALL": 480,
        "WECHAT": 480,
        "EMAIL": 4320,
        "WEB_FORM": 960,
        "API": 960,
        "WALK_IN": 480,
        "REVIEW": 960,
    },
    "min",
    _("Minutes until a question is settled, by channel"),
    clause="2.2.1",
    source="design",
)
CONSULTATION_ELAPSED = limit(
    "reception.elapsed_channels",
    ["EMAIL"],
    "",
    _("Channels whose limits run around the clock; the others run in opening time, lunch left out"),
    clause="2.2.1",
    source="MAN",
)
CONSULTATION_WARN_SHARE = limit(
    "reception.answer_warn_share",
    75,
    "%",
    _("Used share of a limit from which whoever looks after the question is warned"),
    clause="2.2.1",
    source="design",
)
CONSULTATION_MANAGER_MINUTES = limit(
    "reception.answer_manager_minutes",
    60,
    "min",
    _("Minutes after a missed limit at which the manager is told"),
    clause="2.2.1",
    source="design",
)
CONSULTATION_REOPEN_DAYS = limit(
    "reception.reopen_days",
    30,
    "d",
    _("Days in which a new word of the customer opens the old thread again"),
    clause="2.2.1",
    source="design",
)

ASKED_PER_CONTACT = limit(
    "reception.asked_per_contact",
    3,
    "",
    _("Questions over the web form from one telephone number or e-mail address within 24 hours"),
    clause="2.2.1",
    source="design",
)
ASKED_PER_ADDRESS = limit(
    "reception.asked_per_address",
    10,
    "",
    _("Questions over the web form from one network address within an hour"),
    clause="2.2.1",
    source="design",
)

# --- quotations (2.2.2) ---
QUOTATION_DAYS = limit(
    "reception.quotation_days",
    14,
    "d",
    _("Days for which quoted prices bind the shop, unless another day is chosen"),
    clause="2.2.2",
    source="design",
)

# --- how a car is used (3.1) ---
USE_AGAIN_DAYS = limit(
    "reception.use_again_days",
    365,
    "d",
    _("Days after which the owner is asked again how the car is used"),
    clause="3.1",
    source="design",
)
