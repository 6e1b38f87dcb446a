"""Papers of the chapter: the completion certificate in two parts (竣工出厂合格证, domain 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from dealership.kernel.papers import paper_moment, render_paper
from reception.models import Customer
from workshop.models import Certificate

PAPERS = Path(__file__).parent / "papers"


@dataclass(frozen=True, slots=True)
class CertificatePaper:
    """A certificate with who owns the car (who commissions the repair)."""

    certificate: Certificate
    owner: Customer | None


def certificate_pdf(paper: CertificatePaper) -> bytes:
    """Both parts on one A4 sheet in the active language; the owner keeps the upper, the shop the lower one."""
    return render_paper(PAPERS / "certificate.typ", certificate_data(paper))


def certificate_data(paper: CertificatePaper) -> dict[str, Any]:
    """What the paper shows, in words of the active language; texts stay texts."""
    made = paper.certificate
    order = made.order
    assert order is not None  # a number voided unused has no paper; the selector finds none
    visit, vehicle, store = order.visit, order.vehicle, made.store
    out_km = visit.odometer_out_km if visit.odometer_out_km is not None else made.odometer_km
    plate = f"{vehicle.plate} ({vehicle.get_plate_color_display()})" if vehicle.plate else "—"
    return {
        "title": _("Completion certificate of vehicle repair"),
        "number": made.number,
        "voided": _("VOIDED") if made.voided_at else "",
        "parts": [
            pgettext("part of the certificate", "Original · for the owner"),
            pgettext("part of the certificate", "Duplicate · kept by the repair shop"),
        ],
        "store": store.company or store.name,
        "facts": [
            [_("Commissioned by"), (paper.owner or order.customer).name],
            [_("Plate (colour)"), plate],
            [_("Vehicle type"), str(vehicle.get_powertrain_display())],
            [_("Model"), vehicle.model_text],
            ["VIN", vehicle.vin or "—"],
            [_("Engine or motor no."), vehicle.engine_number or "—"],
            [_("Repair shop"), store.company or store.name],
            [_("Telephone"), store.phone or "—"],
            [_("Kind of repair"), str(made.get_category_display())],
            [_("Contract (order) no."), order.number],
            [_("Came in on"), timezone.localtime(visit.arrived_at).strftime("%Y-%m-%d")],
            [_("Went out on"), timezone.localtime(visit.left_at).strftime("%Y-%m-%d") if visit.left_at else ""],
            [_("Mileage out (km)"), f"{out_km:,}" if out_km is not None else ""],
            [_("Certificate made out"), paper_moment(made.issued_at)],
        ],
        "says": _("The repair was inspected and found to meet the technical standards; the car may leave."),
        "guarantee_title": _("Quality guarantee"),
        "guarantee": _(
            "The shop guarantees the work for %(days)s days or %(km)s km, whichever comes first, counted from the day "
            "the car leaves. Within it, a fault caused by the repair is mended free of charge and without delay. Please "
            "bring this card."
        )
        % {"days": made.guarantee_days, "km": f"{made.guarantee_km:,}"},
        "inspector": [_("Quality inspector (signature)"), made.inspector.name if made.inspector else "—"],
        "stamp": _("Repair shop (stamp)"),
        "receiver": _("Received for the owner"),
        "cut": _("cut here"),
        "date": _("Date"),
    }
