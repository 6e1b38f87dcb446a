"""When a repair needs a written contract, and what the contract says (domain 3.3). Nothing here asks the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from django.utils.translation import gettext as _

from dealership.catalogue.models import RepairCategory

AMOUNT, CATEGORY = "AMOUNT", "CATEGORY"
WRITTEN = (RepairCategory.WHOLE_VEHICLE, RepairCategory.ASSEMBLY, RepairCategory.SECOND_MAINTENANCE)
"""Kinds of repair that always need one: second-class maintenance and what is bigger (domain 3.3)."""
TERMS = 2
"""The version of the terms that new estimates are sent with; an estimate keeps its own (``TERMS_OF``)."""


def contract_because(total: Decimal, categories: Iterable[str], *, least: Decimal) -> str:
    """Why a repair of ``total`` CNY needs a written contract: ``CATEGORY``, ``AMOUNT``; "" where it needs none."""
    if any(category in WRITTEN for category in categories):
        return CATEGORY
    return AMOUNT if total >= least else ""


def terms_of(version: int, *, promised: str, place: str, days: int, km: int, complaints: str) -> list[str]:
    """The clauses of a version in the active language; ``km`` as a number. An old contract says what it said when sent."""
    return TERMS_OF[version](promised=promised, place=place, days=days, km=km, complaints=complaints)


def _terms_1(*, promised: str, place: str, days: int, km: int, complaints: str) -> list[str]:
    """Version 1: what JT/T 816 asks for (domain 3.3)."""
    said = {"promised": promised or _("the time agreed on the order"), "place": place, "days": days, "km": f"{km:,}"}
    return [
        _("Charges: labour is standard hours × the price of an hour as listed, parts at the unit prices as listed, VAT included."),
        _(
            "The total is what is to be paid for the items listed. Nothing beyond it is done or charged: for an extra or "
            "changed item the shop asks first and the customer agrees, on the link, in writing or on a recorded call; "
            "that agreement is part of this contract."
        ),
        _("Hand-over: on %(promised)s at %(place)s, by the service advisor. A later time is told beforehand with its reason.")
        % said,
        _(
            "Guarantee: %(days)s days or %(km)s km, whichever comes first, from the day the car leaves. A fault caused by "
            "the repair within it is mended free of charge."
        )
        % said,
        _("Parts are of the kind listed. Replaced parts belong to the customer, unless a supplier takes them back as listed."),
        _("The shop keeps the repair record and gives the customer the settlement list and, where required, the certificate."),
        _(
            "Disagreements are settled by talking; the customer may call %(phone)s or the transport authority, 12328, or "
            "go to court."
        )
        % {"phone": complaints or "12328"},
    ]  # fmt: skip


def _terms_2(*, promised: str, place: str, days: int, km: int, complaints: str) -> list[str]:
    """Version 2: as the first, and what isn't new is agreed to with the signature (domain 3.3)."""
    terms = _terms_1(promised=promised, place=place, days=days, km=km, complaints=complaints)
    terms[4] = _(
        "Parts are of the kind listed; with the signature the customer agrees that those listed as used, repaired or "
        "remanufactured are fitted. Replaced parts belong to the customer, unless a supplier takes them back as listed."
    )
    return terms


TERMS_OF: dict[int, Callable[..., list[str]]] = {1: _terms_1, 2: _terms_2}
"""Every version that an estimate was ever sent with. New words are a new version; none is changed or taken out."""
