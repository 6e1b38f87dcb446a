"""Papers of the chapter: the completion certificate in two parts (竣工出厂合格证, domain 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from dealership.catalogue.models import PayType, RepairCategory
from dealership.kernel.money import format_money
from dealership.kernel.papers import paper_moment, render_paper
from dealership.kernel.saying import say_list, say_name, say_plate
from reception.models import Customer
from workshop.check_models import Verdict
from workshop.check_rules import Bounds
from workshop.day_six_models import CareKind
from workshop.models import Certificate, RepairOrder
from workshop.selectors.contracts import Contract, signed_day
from workshop.selectors.quality import QualityPaper
from workshop.selectors.repair_record import RecordField, RepairRecord
from workshop.selectors.sheets import Sheet

PAPERS = Path(__file__).parent / "papers"


@dataclass(frozen=True, slots=True)
class CertificatePaper:
    """A certificate with who owns the car (who commissions the repair)."""

    certificate: Certificate
    owner: Customer | None


def certificate_pdf(paper: CertificatePaper) -> bytes:
    """Both parts on one A4 sheet; the owner keeps the upper, the shop the lower one.

    It is the paper of the law (道路运输条例 art. 44), so it is Chinese whatever language its reader has.
    """
    with override("zh-hans"):
        return render_paper(PAPERS / "certificate.typ", certificate_data(paper))


def certificate_data(paper: CertificatePaper) -> dict[str, Any]:
    """What the paper shows, in words of the active language; texts stay texts."""
    made = paper.certificate
    order = made.order
    assert order is not None  # a number voided unused has no paper; the selector finds none
    visit, vehicle, store = order.visit, order.vehicle, made.store
    out_km = made.odometer_km  # one number, one reading: after the road test, also once the car has left
    plate = f"{say_plate(vehicle.plate)} ({vehicle.get_plate_color_display()})" if vehicle.plate else "—"
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
            [_("Vehicle type"), vehicle.vehicle_type or "—"],
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


# --- the quality inspection sheet (domain 3.4, 3.5) ---


def quality_pdf(paper: QualityPaper) -> bytes:
    """汽车维修质量检验单 on A4: what was inspected before, during and after the work, each value with its bounds.

    It is a paper of the law, so it is Chinese whatever language its reader has.
    """
    with override("zh-hans"):
        return render_paper(PAPERS / "quality_sheet.typ", quality_data(paper))


def say_bounds(bounds: Bounds, unit: str) -> str:
    """``≥ 1.6 mm``, ``≤ 24 %``, ``-5–5 m/km``: within what a value isn't bad; empty where nothing bounds it."""
    low, high = (None if b is None else f"{b.normalize():f}" for b in (bounds.red_below, bounds.red_above))
    if low is not None and high is not None:
        return f"{low}–{high} {unit}"
    if low is not None:
        return f"≥ {low} {unit}"
    return f"≤ {high} {unit}" if high is not None else ""


def quality_data(paper: QualityPaper) -> dict[str, Any]:
    """What the paper shows, in words of the active language."""
    order = paper.order
    vehicle, store, made = order.vehicle, order.store, paper.certificate
    plate = f"{say_plate(vehicle.plate)} ({vehicle.get_plate_color_display()})" if vehicle.plate else "—"
    return {
        "title": _("Quality inspection sheet of vehicle repair"),
        "number": order.number,
        "store": store.company or store.name,
        "facts": [
            [_("Commissioned by"), order.customer.name],
            [_("Plate (colour)"), plate],
            [_("Model"), vehicle.model_text],
            ["VIN", vehicle.vin or "—"],
            [_("Kind of repair"), str(RepairCategory(paper.category).label) if paper.category else "—"],
            [_("Contract (order) no."), order.number],
            [_("Repair shop"), store.company or store.name],
            [_("Certificate no."), made.number if made else ""],
            [_("Mileage in (km)"), f"{order.visit.odometer_in_km:,}" if order.visit.odometer_in_km is not None else ""],
            [_("Mileage out (km)"), f"{made.odometer_km:,}" if made and made.odometer_km is not None else ""],
        ],
        "work": [_("What was repaired"), say_list(say_name(line.description) for line in paper.lines)],
        "head": [_("Item"), _("Measured"), _("Bounds"), _("How it was judged"), _("Note")],
        "sheets": [_quality_sheet(sheet) for sheet in paper.sheets],
        "none": "" if paper.sheets else _("None of the three inspections is signed yet."),
        "levels_title": _("Inspections"),
        "levels_head": [_("Level"), _("Result"), _("Who"), _("When"), _("Reason and road test")],
        "levels": [
            [
                str(check.get_level_display()),
                str(check.get_result_display()),
                check.inspector.name,
                paper_moment(check.at),
                " · ".join(
                    word
                    for word in (
                        str(check.get_cause_display()) if check.cause else "",
                        check.reason,
                        _("road test %(km)s km") % {"km": check.road_test_km} if check.road_test_km else "",
                        check.road_test_findings,
                    )
                    if word
                ),
            ]
            for check in paper.inspections
        ],
        "signs": [_("Quality inspector (signature)"), _("Repair shop (stamp)")],
        "date": _("Date"),
    }


def _quality_sheet(page: Sheet) -> dict[str, Any]:
    sheet = page.sheet
    assert sheet.signed_at is not None and sheet.signed_by is not None  # noqa: PT018  (only signed ones are printed)
    return {
        "title": str(sheet.template.get_stage_display()),
        "name": sheet.template.said,
        "signed": _("signed by %(name)s") % {"name": f"{sheet.signed_by.name} · {paper_moment(sheet.signed_at)}"},
        "tools": [
            _("Measured with"),
            "；".join(
                " ".join(filter(None, (used.tool.number, say_name(used.tool.name), used.tool.serial)))
                for used in sheet.instruments.all()
            )
            or "—",
        ],
        "rows": [
            [
                row.item.said,
                " / ".join(f"{value.normalize():f}" for value in row.answer.readings)
                + (f" {row.item.unit}" if row.answer.readings else ""),
                say_bounds(row.bounds, row.item.unit),
                str(Verdict(row.verdict).label),
                row.answer.note,
            ]
            for row in page.rows
            if row.answer is not None
        ],
    }


# --- the repair contract (domain 3.3) ---


def contract_pdf(contract: Contract) -> bytes:
    """The contract on A4 in the active language, as the estimate was sent; both sides sign it or have agreed online."""
    return render_paper(PAPERS / "contract.typ", contract_data(contract))


def _part_words(part: dict[str, Any]) -> str:
    """``Front brake pads (genuine) 1 set × 560.00``, and what is taken off it."""
    many = f"{part['quantity'].normalize():f} {say_name(part['unit'])}"
    off = f" − {part['discount']:,.2f}" if part["discount"] else ""
    return f"{say_name(part['name'])} ({part['kind']}) {many} × {part['unit_price']:,.2f}{off}"


def _contract_title(contract: Contract) -> str:
    if contract.supplements:
        return _("Supplement to the vehicle repair contract")
    return _("Vehicle repair contract") if contract.because else _("Estimate and order of repair")


def contract_data(contract: Contract) -> dict[str, Any]:
    """What the paper shows, from the locked estimate alone besides who the two sides are."""
    order, estimate = contract.order, contract.estimate
    vehicle, store = order.vehicle, order.store
    shop = store.company or store.name
    client = order.customer.name
    plate = f"{say_plate(vehicle.plate)} ({vehicle.get_plate_color_display()})" if vehicle.plate else "—"
    items = []
    for row in contract.rows:
        material = sum((p["amount"] for p in row["parts"]), Decimal(0))
        parts = "；".join(_part_words(p) for p in row["parts"])
        package = f"{_('Package:')} {say_name(row['package'])}" if row["package"] else ""
        what = "\n".join(filter(None, (say_name(row["description"]), package, parts)))
        sums = [f"{amount:,.2f}" for amount in (row["labor_amount"], material, row["total"])]
        items.append([str(row["position"]), what, f"{row['hours']} h × {row['rate']}", *sums])
    return {
        "title": _contract_title(contract),
        "number": contract.number,
        "store": shop,
        "facts": [
            *([[_("Adds to contract"), contract.supplements], ["", ""]] if contract.supplements else []),
            [_("Customer"), client],
            [_("Telephone"), order.visit.contact_phone or "—"],
            [_("Repair shop"), shop],
            [_("Telephone"), store.phone or "—"],
            [_("Plate (colour)"), plate],
            [_("Model"), vehicle.model_text],
            ["VIN", vehicle.vin or "—"],
            [_("Made out"), paper_moment(estimate.sent_at)],
        ],
        "items_title": _("What is done and what it costs"),
        "items_head": [_("No."), _("Item and parts"), _("Hours × price"), _("Labour"), _("Material"), _("Amount (CNY)")],
        "items": items,
        "total": [_("Expected total, VAT included"), format_money(contract.total)],
        "before": _("of which agreed before: %(sum)s") % {"sum": format_money(contract.agreed)} if contract.agreed else "",
        "cores": _("+ core charges %(sum)s, given back when the old parts come in") % {"sum": format_money(contract.cores)}
        if contract.cores else "",
        "earlier": [[say_name(what), f"{amount:,.2f}"] for what, amount in contract.before],
        "terms_title": _("What both sides agree"),
        "terms": contract.terms,
        "sides": [
            [pgettext("side of a contract", "The customer"), client, _("Signature:"), contract.signed_by,
             _("Date:"), signed_day(contract)],
            [_("Repair shop (stamp)"), shop, _("Service advisor:"), order.advisor.name if order.advisor else "",
             _("Date:"), timezone.localtime(estimate.sent_at).strftime("%Y-%m-%d")],
        ],
        "seen": f"{contract.how} · SHA-256 {estimate.seen_hash}" if contract.signed_at else f"SHA-256 {estimate.seen_hash}",
    }  # fmt: skip


# --- the record of a repair (domain 3.5, art. 17) ---


def record_pdf(order: RepairOrder, record: RepairRecord) -> bytes:
    """The record on A4 in the active language; one copy is the owner's."""
    return render_paper(PAPERS / "repair_record.typ", record_data(order, record))


def record_data(order: RepairOrder, record: RepairRecord) -> dict[str, Any]:
    """What the paper shows; what isn't known is named as missing, with room to write it by hand."""
    visit, vehicle, store = order.visit, order.vehicle, order.store
    blank = _("not recorded")
    pays = dict(PayType.choices)
    care = [
        " · ".join(
            word
            for word in (
                str(CareKind(row["kind"]).label),
                say_plate(row["about"]) if row["kind"] == CareKind.LOAN_CAR else row["about"],
                f"{row['from']} – {row['until'] or _('still out')}",
                format_money(Decimal(row["amount"])) if row["amount"] else "",
            )
            if word
        )
        for row in record.care
    ]
    if record.missing_days:
        care.append(_("nothing recorded for %(n)s day(s) from the sixth on") % {"n": record.missing_days})
    towing = _("not towed")
    if record.towed:
        towing = f"{record.towed} · " + ("" if record.fees else blank)
    return {
        "title": _("Record of a repair under the statutory warranty"),
        "number": record.number,
        "store": store.company or store.name,
        "facts": [
            [_("Owner"), order.customer.name],
            [_("Brought by"), visit.contact_name],
            [_("Plate"), say_plate(vehicle.plate) or "—"],
            ["VIN", vehicle.vin or "—"],
            [_("Model"), vehicle.model_text],
            [_("Mileage (km)"), f"{record.mileage:,}" if record.mileage is not None else blank],
            [_("Brought in"), paper_moment(visit.arrived_at)],
            [pgettext("record of a repair", "Handed over"), paper_moment(visit.left_at) if visit.left_at else ""],
            [_("Towing cost"), towing],
            [_("Loan car or transport money"), "; ".join(care) or _("not owed: the repair took at most five days")],
        ],
        "statement": [_("Owner's statement of the fault"), record.statement or blank],
        "items_title": _("What the check found and what was repaired"),
        "items_head": [
            _("Repair"),
            pgettext("record of a repair", "Found"),
            pgettext("record of a repair", "Done"),
            _("Hours"),
            _("Labour (¥)"),
            _("Paid by"),
        ],
        "items": [
            [
                say_name(row["what"]),
                row["found"] or blank,
                row["done"] or blank,
                row["hours"],
                row["amount"],
                str(pays[row["pays"]]),
            ]
            for row in record.items
        ],
        "parts_title": _("Parts that were replaced"),
        "parts_head": [pgettext("record of a repair", "Name"), _("Number"), _("Quantity"), _("Amount (¥)")],
        "parts": [[say_name(row["name"]), row["number"], row["quantity"], row["amount"]] for row in record.parts],
        "no_parts": _("No part was replaced."),
        "sums": [
            [_("Material"), format_money(Decimal(record.material))],
            [_("Labour"), format_money(Decimal(record.labor))],
            *[[row["note"], format_money(Decimal(row["amount"]))] for row in record.fees],
        ],
        "missing_title": _("Not recorded, to be written by hand:") if record.missing else "",
        "missing": say_list(RecordField(code).label for code in record.missing),
        "signs": [_("Repairer (signature or stamp)"), _("Owner (signature)")],
        "date": _("Date"),
        "kept": _("The repairer keeps this record for at least six years; one copy is the owner's."),
    }
