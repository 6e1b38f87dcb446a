"""Numbers of chapter 4 as dated settings (domain 10)."""

from django.utils.translation import gettext_lazy as _

from dealership.kernel.registry import limit
from workshop.limits import GUARANTEE as GUARANTEE  # named here too: the settlement list prints it

# settlement, payment, hand-over and gate
VAT_RATE = limit("delivery.vat_rate", 0.13, "", _("VAT rate shown on settlement lists"), clause="4.1", source="L11")
ROUND_TO = limit(
    "delivery.round_to", 1, "CNY", _("A settlement list may be rounded off to whole multiples of (1 to 10)"),
    clause="4.1", source="design",
)  # fmt: skip
GATE_PASS_HOURS = limit(
    "delivery.gate_pass_hours", 12, "h", _("How long a gate pass may be used"), clause="4.1", source="design"
)

# --- follow-up and surveys ---
CALLBACK_DAY = limit(
    "delivery.callback_day", 3, "d", _("Days after the departure on which the customer is called"), clause="4.2",
    source="P1",
)  # fmt: skip
CALLBACK_TRIES = limit(
    "delivery.callback_retry_days", 5, "d", _("Days in a row on which an unreached customer is called"),
    clause="4.2", source="P1",
)  # fmt: skip
SURVEY_DAY = limit(
    "delivery.survey_day", 3, "d", _("Days after the departure on which the survey is sent"), clause="4.3",
    source="design",
)  # fmt: skip
INSURANCE_DAYS = limit(
    "delivery.insurance_reminder_days", 30, "d",
    _("Days before the end of its insurance on which a car's owner is reminded once"), clause="4.2", source="design",
)  # fmt: skip
INSPECTION_DAYS = limit(
    "delivery.inspection_reminder_days", 30, "d",
    _("Days before the end of its inspection on which a car's owner is reminded once"), clause="4.2", source="design",
)  # fmt: skip
SERVICE_HOUR = limit(
    "delivery.maintenance_reminder_hour", 10, "h",
    _("Hour of the day in which owners are reminded of maintenance"), clause="3.1", source="design",
)  # fmt: skip
SERVICE_AGAIN_DAYS = limit(
    "delivery.maintenance_reminder_again_days", 90, "d",
    _("Days in which an owner isn't reminded of maintenance a second time"), clause="3.1", source="design",
)  # fmt: skip
SERVICE_AFTER_VISIT_DAYS = limit(
    "delivery.maintenance_reminder_after_visit_days", 30, "d",
    _("Days after a visit in which its owner isn't reminded of maintenance"), clause="3.1", source="design",
)  # fmt: skip
DETRACTOR = limit(
    "delivery.detractor_recommend", 6, "", _("Up to this answer on 0–10 a case is opened"), clause="4.3",
    source="domain 4.3",
)  # fmt: skip
BAD_SCORE = limit(
    "delivery.bad_score", 2, "", _("Up to this score on 1–5 a case is opened"), clause="4.3", source="domain 4.3"
)

# --- rework within the guarantee ---
REWORK_EVIDENCE_DAYS = limit(
    "delivery.rework_evidence_days", 3, "d",
    _("Days within which another cause of a return has to be shown, counted from the day after the claim"),
    clause="3.2", source="W2 art.38",
)  # fmt: skip
REWORK_RESTARTS = limit(
    "delivery.rework_restarts", 1, "",
    _("The guarantee of reworked work begins anew at its exit (1), or the first one runs on (0)"),
    clause="3.2", source="L15",
)  # fmt: skip

# --- health record ---
HEALTH_RECORD = limit(
    "delivery.health_record", 1, "",
    _("The store sends electronic health records, so that a list is issued only with every fact they need (1), or not (0)"),
    clause="3.3", source="W1 art.34",
)  # fmt: skip
