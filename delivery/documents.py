"""Papers of the chapter: the settlement list (4.1, domain 3.5)."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from dealership.catalogue.models import NOT_NEW, Powertrain
from dealership.kernel.money import format_money, round_money
from dealership.kernel.papers import paper_moment, render_paper
from dealership.kernel.saying import say_name, say_plate
from dealership.kernel.services import file_path
from workshop.selectors.part_consents import consents_of

from .models import SettlementLine, SettlementState
from .selectors.settlements import Paper

PAPERS = Path(__file__).parent / "papers"
MOST_PIXELS = 8_000_000


def old_parts_words(code: str) -> str:
    """Domain 3.3: what becomes of the old parts."""
    return {
        "TAKE": _("Customer takes them"),
        "LEAVE": _("Shop disposes of them, with the customer's consent"),
        "NONE": _("No old parts"),
    }.get(code, _("Not recorded"))


def settlement_pdf(paper: Paper) -> bytes:
    """The settlement list as PDF (A4) in the active language (domain 3.5, JT/T 1133)."""
    data = settlement_data(paper)
    pictures: dict[str, bytes] = {}
    signature = paper.settlement.signature
    if signature is not None:
        drawn = _drawn(file_path(signature.sha256, signature.media_type))
        if drawn is not None:
            data["signature"] = "signature.png"
            pictures[data["signature"]] = drawn
    return render_paper(PAPERS / "settlement.typ", data, pictures)


def _drawn(path: Path) -> bytes | None:
    """The drawn signature as a picture of sensible size, written anew; None for what can't be read as one.

    The typed name stands on the paper then: a broken or huge picture never keeps the list from being printed.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(path, formats=["PNG", "JPEG", "WEBP"])
        if picture.width * picture.height > MOST_PIXELS:
            return None
        out = io.BytesIO()
        picture.convert("RGBA").save(out, "PNG")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return out.getvalue()


def _plain(number: Any) -> str:
    """1.5 and 4, without trailing zeros."""
    return f"{number.normalize():f}"


def _rows(lines: Iterable[SettlementLine]) -> list[dict[str, str]]:
    return [
        {
            "description": say_name(line.description),
            "code": line.code,
            "brand": say_name(line.brand),
            "kind": line.get_part_kind_display() if line.part_kind else "",
            "own": (_("yes") if line.part_kind == "CUSTOMER_SUPPLIED" else _("no")) if line.part_kind else "",
            "unit": say_name(line.part_line.part.unit) if line.part_line else "",
            "quantity": _plain(line.quantity),
            "price": f"{round_money(line.unit_price):,.2f}",
            "amount": f"{round_money(line.amount):,.2f}",
            "note": pay_note(line),
        }
        for line in lines
    ]


def pay_note(line: SettlementLine) -> str:
    """Who pays where it isn't the customer, and that a withdrawn job was charged for what was done."""
    if line.order_line is None:
        return ""
    notes = []
    if line.order_line.pay_type != "CUSTOMER_PAY":
        notes.append(str(line.order_line.get_pay_type_display()))
    if line.order_line.state == "WITHDRAWN" and line.kind == "LABOR":
        notes.append(_("withdrawn, charged for what was done"))
    return " · ".join(notes)


def settlement_data(paper: Paper) -> dict[str, Any]:
    """What the paper shows, in words of the active language; texts stay texts."""
    s = paper.settlement
    order, visit, vehicle, store = s.order, s.order.visit, s.order.vehicle, s.store
    exit_km = paper.handover.odometer_km if paper.handover else visit.odometer_out_km
    return {
        "title": _("Settlement list of vehicle repair"),
        "voided": _("VOIDED") if s.state == SettlementState.VOIDED else "",
        "store": store.company or store.name,
        "number": s.number,
        "labels": {
            "number": _("List no."),
            "page": _("Page {n} of {all}"),
            "labor": _("Labour"),
            "material": _("Material"),
            "other": _("Other"),
            "discount": _("Discounts"),
            "work": _("Work"),
            "hours": _("Hours"),
            "hour_price": _("Per hour ¥"),
            "amount": _("Amount ¥"),
            "note": _("Note"),
            "part": _("Part"),
            "code": _("Part number"),
            "brand": _("Brand"),
            "kind": _("Kind of part"),
            "own": _("Customer's own"),
            "quantity": _("Quantity"),
            "price": _("Price ¥"),
            "none": _("none"),
            "payments": _("Paid"),
            "notes": _("Notes"),
            "customer_signs": _("Customer's signature"),
            "shop_signs": _("For the repair shop (stamp)"),
            "date": _("Date"),
        },
        "facts": [
            [_("Owner"), paper.owner.name if paper.owner else "—"],
            [_("Payer"), s.payer.name],
            [_("Brought by"), visit.contact_name],
            [_("Telephone"), visit.contact_phone],
            [_("Plate"), say_plate(vehicle.plate) or "—"],
            ["VIN", vehicle.vin or "—"],
            [_("Model"), vehicle.model_text],
            [_("Vehicle type"), vehicle.vehicle_type or "—"],
            [_("Drive"), str(vehicle.get_powertrain_display())],
            [_("Engine or motor no."), vehicle.engine_number or "—"],
            [_("Order no."), order.number],
            [_("Advisor"), order.advisor.name],
            [_("Arrived at"), paper_moment(visit.arrived_at)],
            [_("Issued at"), paper_moment(s.issued_at)],
            [_("Mileage in (km)"), f"{visit.odometer_in_km:,}" if visit.odometer_in_km is not None else "—"],
            [_("Mileage out (km)"), f"{exit_km:,}" if exit_km is not None else "—"],
            [_("Certificate no."), paper.certificate.number if paper.certificate else "—"],
            [_("Old parts"), old_parts_words(s.old_parts)],
        ],
        "shop": [
            [_("Repair shop"), store.company or store.name],
            [_("Unified social credit code"), store.uscc or "—"],
            [_("Contact"), order.advisor.name],
            [_("Address"), store.address or "—"],
            [_("Telephone"), store.phone or "—"],
            [_("Complaint telephone"), store.complaint_phone or store.phone or "—"],
        ],
        "labor": _rows(paper.labor),
        "material": _rows(paper.material),
        "other": _rows(paper.other),
        "discounts": _rows(paper.discounts),
        "sums": [
            [_("Labour"), format_money(s.labor_total)],
            [_("Material"), format_money(s.material_total)],
            [_("Other"), format_money(s.other_total)],
            [_("Discount"), format_money(-s.discount_total)],
            *([[_("Rounded off"), format_money(-s.rounding_total)]] if s.rounding_total else []),
        ],
        "total": [_("To be paid, VAT included"), format_money(s.total)],
        "vat": _("Of this VAT at %(percent)s %%: %(amount)s")
        % {"percent": paper.vat_percent, "amount": format_money(paper.vat)},
        "paid": [_("Paid until now"), format_money(paper.paid)],
        "deposit": [_("Paid in advance"), format_money(paper.deposit)]
        if paper.deposit > 0 and not s.signed_at
        else None,
        "due": (
            [_("To be paid after the deposit"), format_money(paper.after_deposit)]
            if paper.deposit > 0 and not s.signed_at
            else [_("Still open"), format_money(paper.due)]
        ),
        "payments": [
            [
                paper_moment(p.at),
                str(p.get_method_display()),
                p.number,
                p.reverses.number if p.reverses else p.reference,
                format_money(p.amount),
            ]
            for p in paper.payments
        ],
        "notes": _notes(paper),
        "signed": {"name": s.signed_name, "at": paper_moment(s.signed_at)} if s.signed_at else None,
        "signature": "",
    }


def _notes(paper: Paper) -> list[str]:
    notes = []
    if paper.guarantee:
        notes.append(paper.guarantee)
    if paper.risk:
        notes.append(paper.risk)
    if paper.settlement.order.vehicle.powertrain != Powertrain.ICE:
        notes.append(
            _(
                "Traction battery, drive motor and power electronics: the maker's warranty terms hold where they reach further."
            )
        )
    if any(line.part_kind in NOT_NEW for line in paper.material):
        lines = [line.order_line for line in paper.material if line.order_line and line.part_kind in NOT_NEW]
        for row in consents_of(lines):
            if row.signed_at:
                said = {"parts": row.said, "name": row.signed_by, "at": paper_moment(row.signed_at)}
                notes.append(_("Parts that aren't new: %(parts)s; agreed to in writing by %(name)s, %(at)s.") % said)
    if any(line.part_kind == "CUSTOMER_SUPPLIED" for line in paper.material):
        notes.append(_("The shop gives no guarantee on parts that the customer brought."))
    notes.append(_("Two copies, one for each side; valid when the customer has signed."))
    notes.append(_("An invoice is given on request."))
    return notes
