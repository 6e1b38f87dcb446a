"""The stages of a visit, one table for code, words, colour and order (1.1): chip, lane, bar, dot and chart read it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Stage:
    """``colour`` is the suffix of ``--s-…`` and ``.c-…`` in the style sheet; ``star`` the STAR milestone."""

    code: str
    label: object
    colour: str
    star: str


BOOKING = Stage("BOOKING", _("Booking"), "booked", "BOOKING")
ARRIVAL = Stage("ARRIVAL", _("Arrival"), "reception", "ARRIVAL")
RECEPTION = Stage("RECEPTION", _("Reception"), "reception", "CHECK_IN")
DIAGNOSIS = Stage("DIAGNOSIS", _("Diagnosis"), "reception", "DIAGNOSTIC_START")
CONSENT = Stage("CONSENT", _("Authorisation"), "consent", "ESTIMATE_APPROVED")
WORK = Stage("WORK", _("Repair"), "work", "SERVICE_START")
INSPECTION = Stage("INSPECTION", _("Inspection"), "inspect", "QUALITY_CONTROL")
SETTLEMENT = Stage("SETTLEMENT", _("Settlement"), "ready", "STAGED_FOR_PICKUP")
DELIVERY = Stage("DELIVERY", _("Delivery"), "ready", "RELEASE")
FOLLOW_UP = Stage("FOLLOW_UP", _("Follow-up"), "booked", "FOLLOW_UP")
NONE = Stage("NONE", _("Outside the visit"), "booked", "")

BAR = (BOOKING, ARRIVAL, RECEPTION, DIAGNOSIS, CONSENT, WORK, INSPECTION, SETTLEMENT, DELIVERY, FOLLOW_UP)
STAGES = {stage.code: stage for stage in (*BAR, NONE)}
