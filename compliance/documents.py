"""The repair file as people read it: one shape for its page, the customer's link and the paper (3.3, domain 3.5)."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from dealership.catalogue.models import PartKind, PayType
from dealership.kernel.formats import mask_phone
from dealership.kernel.models import ApprovalState, MessageChannel, MessageState
from dealership.kernel.papers import paper_moment, render_paper
from dealership.kernel.registry import EVENTS
from dealership.kernel.saying import say_list, say_money, say_name, say_plate
from dealership.kernel.services import file_path
from delivery.models import PaymentMethod, SettlementLineKind, SettlementState
from delivery.rework_models import CostBearer, ReworkCause, ReworkState
from reception.models import Belonging, DamageKind, DamageSide, OldParts, WarningLight
from reception.pictures import MOST_PIXELS
from workshop.accident_models import AssessmentState, StructurePart, StructureResult
from workshop.check_models import Verdict
from workshop.core_models import CoreCondition
from workshop.goodwill_models import GoodwillBearer
from workshop.models import (
    AuthorizationMethod,
    AuthorizationStatus,
    DeclineCause,
    FailureCause,
    HoldCause,
    InspectionLevel,
    InspectionResult,
    LineState,
    PauseCause,
    PromiseTold,
)
from workshop.old_part_models import Disposition, OldPartState
from workshop.own_part_models import OwnPartCondition, OwnPartPackaging
from workshop.stock_models import ReturnCondition
from workshop.sublet_models import SubletState
from workshop.trial_models import TrialState
from workshop.warranty_claim_models import WarrantyClaimState

from .models import ArchiveRecord

PAPERS = Path(__file__).parent / "papers"
SMALL = 360
"""Longest side of a picture on page and paper, in pixels: enough to see what it shows; the original keeps its hash."""


def file_pdf(archive: ArchiveRecord, *, masked: bool = False) -> bytes:
    """The file with its addenda and pictures on A4 in the active language."""
    data = file_data(archive, masked=masked)
    pictures: dict[str, bytes] = {}
    for part in (data, *data["addenda"]):
        for shown in part["pictures"]:
            small = small_picture(shown["sha256"])
            shown["file"] = f"picture-{len(pictures)}.jpg" if small else ""
            if small:
                pictures[shown["file"]] = small
    return render_paper(PAPERS / "repair_file.typ", data, pictures)


def shown_file(archive: ArchiveRecord, *, masked: bool = False) -> dict[str, Any]:
    """The same for a page: the columns and each cell with the head of its column and whether it is a figure."""
    data = file_data(archive, masked=masked)
    data["addenda"] = [_for_page(part) for part in data["addenda"]]
    return _for_page(data)


def _for_page(data: dict[str, Any]) -> dict[str, Any]:
    sections = []
    for section in data["sections"]:
        columns = [(head, at in section["figures"]) for at, head in enumerate(section["heads"])]
        rows = [
            [(head, cell, is_figure) for (head, is_figure), cell in zip(columns, row, strict=True)]
            for row in section["rows"]
        ]
        sections.append({"title": section["title"], "columns": columns, "rows": rows})
    pictures = []
    for shown in data["pictures"]:
        small = small_picture(shown["sha256"])
        pictures.append(shown | {"src": f"data:image/jpeg;base64,{base64.b64encode(small).decode()}" if small else ""})
    return data | {"sections": sections, "pictures": pictures}


def small_picture(sha256: str) -> bytes | None:
    """A small JPEG of a stored picture on white; None where its content is gone or is no picture."""
    for media in ("image/jpeg", "image/png", "image/webp"):
        path = file_path(sha256, media)
        if path.exists():
            break
    else:
        return None
    try:
        with Image.open(path, formats=["JPEG", "PNG", "WEBP"]) as found:
            if found.width * found.height > MOST_PIXELS:
                return None
            found.draft("RGB", (SMALL * 2, SMALL * 2))
            drawn = found.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    drawn.thumbnail((SMALL, SMALL))
    paper = Image.new("RGB", drawn.size, "white")
    paper.paste(drawn, mask=drawn.getchannel("A"))
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=72)
    return out.getvalue()


def file_data(archive: ArchiveRecord, *, masked: bool = False) -> dict[str, Any]:
    """Facts and tables of a file in words of the active language; a section that has nothing isn't there.

    ``facts`` are pairs; a section has ``title``, ``heads``, ``rows`` of texts and ``wide``, the column that takes the
    room, and ``figures``, the columns that stand to the right; ``pictures`` have a caption and the hash of the original.
    Files archived before a kind of content was kept have no such section; nothing is filled in. ``masked``: the
    customer's number as colleagues see it who have no task with it (7.3), on page and paper alike.
    """
    content = archive.content
    order, vehicle, customer = content["order"], content["vehicle"], content["customer"]
    facts = [
        [_("Customer"), customer["name"]],
        [_("Telephone"), mask_phone(customer["phone"]) if masked else customer["phone"]],
        [_("Brought by"), customer["brought_by"]],
        [_("Plate"), say_plate(vehicle["plate"]) or "—"],
        ["VIN", vehicle["vin"] or "—"],
        [_("Model"), vehicle["model"]],
        [_("Mileage in (km)"), _whole(vehicle["odometer_in_km"])],
        [_("Mileage out (km)"), _whole(vehicle["odometer_out_km"])],
        [_("Opened at"), _at(order["opened_at"])],
        [_("Advisor"), order["advisor"]],
        [_("Customer's own words"), order["complaint"]],
        *([[_("Rework of"), order["original"]]] if order.get("original") else []),
    ]
    pictures = pictures_of(content)
    return {
        "title": _("Repair file"),
        "number": archive.number,
        "store": archive.store.company or archive.store.name,
        "page": _("Page {n} of {all}"),
        "facts": facts,
        "sections": sections_of(content),
        "pictures": pictures,
        "pictures_title": _("Photos and signatures") if pictures else "",
        "hash": _("Archived %(day)s · SHA-256 %(hash)s")
        % {"day": archive.archived_on.isoformat(), "hash": archive.sha256},
        "addenda": [_addendum(one) for one in (archive.addenda.order_by("number") if archive.pk else ())],
    }


def _addendum(one: Any) -> dict[str, Any]:
    """What one addendum added, as the file shows it."""
    event = EVENTS.get(one.because)
    return {
        "number": one.number,
        "title": _("Addendum %(number)d · %(at)s · %(why)s")
        % {"number": one.number, "at": paper_moment(one.added_at), "why": event.label if event else one.because},
        "sections": sections_of(one.content.get("added", {})),
        "pictures": pictures_of(one.content.get("added", {})),
        "hash": f"SHA-256 {one.sha256}",
    }


def pictures_of(content: dict[str, Any]) -> list[dict[str, str]]:
    """Photos and drawn signatures with what they show."""
    photos = [(_photo_place(p), p["at"], p["sha256"]) for p in content.get("photos", [])]
    signed = [
        (" · ".join(filter(None, (_signed(s["what"]), s["name"]))), s["at"], s["sha256"])
        for s in content.get("signatures", [])
        if s["sha256"]
    ]
    return [
        {"short": what, "caption": " · ".join(filter(None, (what, _at(at)))), "sha256": sha256}
        for what, at, sha256 in (*photos, *signed)
    ]


def _photo_place(photo: dict[str, Any]) -> str:
    place = photo.get("place", "")
    if photo["of"] == "LinePhoto":
        return _("Item %(position)s") % {"position": place} if place else ""
    return say_name(place)


def sections_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables of a file or of an addendum; of an older form what it has."""
    made = [
        _section(_("Walk-around"), [_("What"), _("What was found")], _walkaround(content.get("walkaround") or {}), 1),
        *_asked(content),
        *_agreed(content),
        *_work(content),
        *_looked_at(content),
        *_insured(content),
        *_paid(content),
        *_given(content),
        *_said(content),
    ]
    return [section for section in made if section["rows"]]


def _asked(content: dict[str, Any]) -> list[dict[str, Any]]:
    estimates = content.get("estimates", [])
    versions = [
        [str(e["number"]), _at(e["sent_at"]), _at(e["viewed_at"]), _money(e["total"]), e["seen"][:16]]
        for e in estimates
    ]
    asked = [
        [
            str(e["number"]),
            str(line["position"]),
            " → ".join(filter(None, (say_name(line["description"]), line.get("cause", "")))),
            _money(line["labor_amount"]),
            _sum(p["amount"] for p in line["parts"]),
            _money(line["fee_amount"]),
            _sum([line["labor_amount"], line["fee_amount"], *(p["amount"] for p in line["parts"])]),
        ]
        for e in estimates
        for line in e.get("content", {}).get("lines", [])
    ]
    heads = [_("Version"), _("Sent at"), _("Looked at on"), _("Total ¥"), _("What was seen (hash)")]
    said = [_("Version"), "#", _("Work"), _("Labour ¥"), _("Parts ¥"), _("Other fee ¥"), _("Sum ¥")]
    return [
        _section(_("Estimates"), heads, versions, 4),
        _section(_("What the estimates said"), said, asked, 2),
    ]


def _agreed(content: dict[str, Any]) -> list[dict[str, Any]]:
    decisions = [
        [
            str(a["line"]),
            _word(AuthorizationStatus, a["status"]),
            _word(AuthorizationMethod, a["method"]),
            a.get("contact") or a["by"],
            _at(a["at"]),
            _money(a["amount"]),
            " · ".join(filter(None, (_word(DeclineCause, a.get("cause", "")), a.get("reason", ""), a.get("note", "")))),
        ]
        for a in content.get("authorizations", [])
    ]
    contracts = [
        [str(c["version"]), c["by"], _on_paper(c), _at(c["at"]), c["taken_by"], c["seen"][:16]]
        for c in content.get("contracts", [])
    ]
    consents = [
        [
            str(c["line"]),
            " · ".join(f"{say_name(p['name'])} ({_word(PartKind, p['kind'])})" for p in c["parts"]),
            c["by"],
            _on_paper(c),
            _at(c["at"]),
        ]
        for c in content.get("part_consents", [])
    ]
    differences = [
        [
            str(d["line"]),
            _word(AuthorizationStatus, "APPROVED" if d["agreed"] else "DECLINED"),
            d["by"],
            _word(AuthorizationMethod, d["method"]),
            _at(d["at"]),
            _money(d["amount"]),
            d["note"],
        ]
        for d in content.get("differences", [])
    ]
    goodwill = [
        [str(g["line"]), _word(GoodwillBearer, g["bearer"]), _word(ApprovalState, g["state"]), g["decided_by"],
         _at(g["decided_at"]), _money(g["amount"])]
        for g in content.get("goodwill", [])
    ]  # fmt: skip
    approvals = [
        [
            str(a["line"] or "—"),
            str(APPROVED[a["kind"]]()) if a["kind"] in APPROVED else a["kind"],
            a["by"] or a["number"],
            _at(a["at"]),
            _money(a["amount"]) if a["amount"] else "—",
        ]
        for a in content.get("approvals", [])
    ]
    promises = [
        [_at(p["before"]), _at(p["after"]), p["reason"], _word(PromiseTold, p["told"]), p["by"], _at(p["at"])]
        for p in content.get("promises", [])
    ]
    who, when = _("Who"), _("When")
    return [
        _section(_("Decisions"), ["#", _("Decision"), _("How"), who, when, _("Amount ¥"), _("Words")], decisions, 6),
        _section(
            _("Contracts signed"),
            [_("Version"), _("Signed by"), _("How"), when, _("Signature taken by"), _("What was seen (hash)")],
            contracts,
            5,
        ),
        _section(
            _("Consent to parts that aren't new"), ["#", _("Parts"), _("Signed by"), _("How"), when], consents, 1
        ),
        _section(
            _("Difference borne by the customer"),
            ["#", _("Decision"), who, _("How"), when, _("Amount ¥"), _("Words")],
            differences,
            6,
        ),
        _section(
            _("Goodwill"), ["#", _("Who bears it"), _("Decision"), who, when, _("Up to ¥")], goodwill, 1
        ),
        _section(_("Approvals"), ["#", _("For what"), who, when, _("Amount ¥")], approvals, 1),
        _section(
            _("Promised times"),
            [_("Before"), _("After"), _("Reason"), _("How the customer was told"), _("Told by"), when],
            promises,
            2,
        ),
    ]  # fmt: skip


def _work(content: dict[str, Any]) -> list[dict[str, Any]]:
    lines = content.get("lines", [])
    whole = [line for line in lines if line.get("agreed") is not None]
    work = [_whole_line(line) for line in lines]
    if whole and len(lines) > 1:
        of_parts = _sum(p["amount"] for line in whole for p in line["parts"])
        labour, fee, total = (_sum(line[name] for line in whole) for name in ("amount", "fee", "total"))
        work.append(["", _("Sum of what was agreed"), "", "", labour, of_parts, fee, total])
    parts = [
        [
            str(line["position"]),
            say_name(p["name"]),
            " ".join([p["number"], *p.get("lots", [])]),
            " · ".join(filter(None, (_word(PartKind, p["kind"]), _brought(p.get("looked_at"))))),
            _plain(p["quantity"]) if "quantity" in p else "—",
            "—" if p["kind"] == PartKind.CUSTOMER_SUPPLIED else _plain(p["issued"]),
            (_money(p["unit_price"]) if "unit_price" in p else "—") + _off(p),
            _money(p["amount"]),
        ]
        for line in lines
        for p in line["parts"]
    ]
    worked = [
        [
            str(line["position"]),
            w["name"],
            _at(w["from"]),
            _at(w["to"]),
            (_word(PauseCause, w["pause"]) if w["to"] else "—") if "pause" in w else "—",
            _corrected(w),
        ]
        for line in lines
        for w in line["worked"]
    ]
    holds = [
        [str(h["line"]), _word(HoldCause, h["cause"]), _at(h["from"]), _at(h["to"])] for h in content.get("holds", [])
    ]
    back = [
        [str(r["line"]), say_name(r["name"]), r["number"], _word(ReturnCondition, r["condition"]),
         _plain(r["quantity"]), r["reason"], _at(r["at"])]
        for r in content.get("returned_parts", [])
    ]  # fmt: skip
    trials = [
        [say_name(t["name"]), " ".join(filter(None, (t["number"], t["lot"]))), _plain(t["quantity"]), t["with"],
         _at(t["from"]), _at(t["to"]), _word(TrialState, t["state"])]
        for t in content.get("trials", [])
    ]  # fmt: skip
    sublets = [
        [str(s["line"]), s["supplier"], s["work"], _word(SubletState, s["state"]), _at(s["sent_at"]),
         _at(s["back_at"]), " · ".join(filter(None, (s["checked_by"], s["findings"])))]
        for s in content.get("sublets", [])
    ]  # fmt: skip
    return [
        _section(
            _("Work"),
            [
                "#",
                _("Work"),
                _("State and who pays"),
                _("Hours × rate"),
                _("Labour ¥"),
                _("Parts ¥"),
                _("Other fee ¥"),
                _("Sum ¥"),
            ],
            work,
            1,
        ),
        _section(
            _("Parts"),
            ["#", _("Part"), _("Part number"), _("Kind"), _("Quantity"), _("Issued"), _("Unit price ¥"),
             _("Amount ¥")],
            parts,
            1,
        ),
        _section(
            _("Parts that came back"),
            ["#", _("Part"), _("Part number"), _("Condition"), _("Quantity"), _("Reason"), _("When")],
            back,
            1,
        ),
        _section(
            _("Parts lent for trying"),
            [_("Part"), _("Part number"), _("Quantity"), _("Who"), _("From"), _("To"), _("State")],
            trials,
            0,
        ),
        _section(
            _("Time worked"),
            ["#", _("Who"), _("Began"), _("Ended"), _("Why it ended"), _("Times put right")],
            worked,
            5,
        ),
        _section(_("Waiting times"), ["#", _("For what"), _("From"), _("To")], holds, 1),
        _section(
            _("Outside work"),
            ["#", _("Firm"), _("Work"), _("State"), _("Sent at"), _("Back at"), _("Checked")],
            sublets,
            2,
        ),
    ]  # fmt: skip


def _sheet_title(sheet: dict[str, Any]) -> str:
    """Which sheet, who signed it and when, and what it was measured with where that was named."""
    said = [say_name(sheet["name"])]
    if sheet["signed_by"]:
        said.append(f"{_('signed by %(name)s') % {'name': sheet['signed_by']}} {_at(sheet['signed_at'])}")
    used = [f"{tool['number']} {say_name(tool['name'])}" for tool in sheet.get("instruments", [])]
    if used:
        said.append(f"{_('Instruments')}: {say_list(used)}")
    return " · ".join(said)


def _looked_at(content: dict[str, Any]) -> list[dict[str, Any]]:
    sheets = [
        _section(
            _sheet_title(sheet),
            [_("Item"), _("How it was judged"), _("Measured"), _("Note")],
            [
                [
                    say_name(a["item"]),
                    _word(Verdict, a["verdict"]),
                    " / ".join(a["readings"]) + (f" {a['unit']}" if a["readings"] and a["unit"] else ""),
                    a["note"],
                ]
                for a in sheet["answers"]
            ],
            3,
        )
        for sheet in content.get("sheets", [])
    ]
    inspections = [
        [
            _word(InspectionLevel, i["level"]),
            _word(InspectionResult, i["result"]),
            i["by"],
            _at(i["at"]),
            _road_test(i.get("road_test")),
            " · ".join(f"{t['number']} {say_name(t['name'])}" for t in i.get("instruments", [])) or "—",
            " · ".join(
                filter(
                    None,
                    (
                        f"#{i['failed_line']}" if i.get("failed_line") else "",
                        _word(FailureCause, i.get("cause", "")),
                        i["reason"],
                        i.get("sheet_reason"),
                    ),
                )
            ),
        ]
        for i in content.get("inspections", [])
    ]
    structure = [
        [str(c["line"]), _word(StructurePart, c["part"]), _word(StructureResult, c["result"]), c["findings"], c["by"],
         _at(c["at"])]
        for c in content.get("structure_checks", [])
    ]  # fmt: skip
    certificates = [
        [c, "—", "—", "—", "—"]
        if isinstance(c, str)
        else [
            c["number"],
            c["by"],
            _at(c["at"]),
            _guarantee(c),
            " ".join(filter(None, (_at(c["voided_at"]), c["void_reason"]))) if c["voided_at"] else "—",
        ]
        for c in content.get("certificates", [])
    ]
    who, when = _("Who"), _("When")
    return [
        *sheets,
        _section(
            _("Inspections"),
            [_("Level"), _("Result"), who, when, _("Road test"), _("Instruments"), _("Reason")],
            inspections,
            4,
        ),
        _section(
            _("Checks of the structure"), ["#", _("Part"), _("Result"), _("What was measured"), who, when], structure, 3
        ),
        _section(_("Certificates"), [_("Number"), who, when, _("Guarantee"), _("Voided")], certificates, 4),
    ]


def _insured(content: dict[str, Any]) -> list[dict[str, Any]]:
    case = content.get("accident") or {}
    facts = [
        [_("Report number"), case["report_number"]],
        [_("Policy number"), case["policy_number"]],
        [_("Happened on"), case["happened_on"]],
        [_("Assessor"), case["assessor"]],
        [_("Customer's own share ¥"), _money(case["own_share"])],
    ] if case else []  # fmt: skip
    assessments = [
        [str(a["number"]), _word(AssessmentState, a["state"]), _money(a["amount"]), a["decided_by"],
         _at(a["decided_at"]), " · ".join(filter(None, (a["reason"], a["note"])))]
        for a in content.get("assessments", [])
    ]  # fmt: skip
    return [
        _section(_("Accident"), [_("What"), _("What was noted")], [row for row in facts if row[1]], 1),
        _section(
            _("Assessments of the insurer"),
            [_("Version"), _("State"), _("Amount ¥"), _("Who"), _("When"), _("Words")],
            assessments,
            5,
        ),
    ]


def _paid(content: dict[str, Any]) -> list[dict[str, Any]]:
    lists = [
        [s["number"], _word(SettlementState, s["state"]), s["signed_by"], _at(s.get("signed_at")), _money(s["total"]),
         _money(s["paid"])]
        for s in content.get("settlements", [])
    ]  # fmt: skip
    printed: dict[str, list[list[str]]] = {}
    for r in content.get("settlement_rows", []):
        sign = "-" if r["kind"] == SettlementLineKind.DISCOUNT else ""
        kind = _word(PartKind, r["part_kind"]) if r["part_kind"] else ""
        printed.setdefault(r["list"], []).append(
            [
                _word(SettlementLineKind, r["kind"]),
                say_name(r["description"]),
                " ".join(filter(None, (r["code"], r["brand"], kind))),
                _plain(r["quantity"]),
                _money(r["unit_price"]),
                sign + _money(r["amount"]),
            ]
        )
    for s in content.get("settlements", []):
        if s["number"] in printed and Decimal(s.get("rounding", "0")):
            printed[s["number"]].append([_("Rounded off"), "", "", "", "", f"-{_money(s['rounding'])}"])
    payments = [
        [
            p["number"],
            " · ".join(filter(None, (f"{MONEY_OF[p['of']]()} {p['list']}".strip(), p["reason"]))),
            _word(PaymentMethod, p["method"]),
            _at(p["at"]),
            _money(p["amount"]),
        ]
        for p in content.get("payments", [])
    ]
    cores = [
        [
            say_name(c["name"]),
            c["number"],
            _plain(c["quantity"]),
            _money(c["amount"]),
            _plain(c["returned"]),
            _money(c["credited"]),
            " · ".join(f"{_at(r['at'])} {_word(CoreCondition, r['condition'])}" for r in c["returns"]),
        ]
        for c in content.get("cores", [])
    ]
    return [
        _section(
            _("Settlement lists"),
            [_("Number"), _("State"), _("Signed by"), _("When"), _("Total ¥"), _("Paid ¥")],
            lists,
            2,
        ),
        *[
            _section(
                _("Rows of the list %(number)s") % {"number": number},
                [_("Kind"), _("What"), _("Code"), _("Quantity"), _("Unit price ¥"), _("Amount ¥")],
                rows,
                1,
            )
            for number, rows in printed.items()
        ],
        _section(
            _("Money"),
            [_("Number"), _("For what"), _("How"), _("When"), _("Amount ¥")],
            payments,
            1,
        ),
        _section(
            _("Core charges"),
            [
                _("Part"),
                _("Part number"),
                _("Quantity"),
                _("Amount ¥"),
                _("Old parts returned"),
                _("Given back ¥"),
                _("When"),
            ],
            cores,
            0,
        ),
    ]


def _given(content: dict[str, Any]) -> list[dict[str, Any]]:
    old = [
        [
            o["tag"],
            say_name(o["name"]),
            _plain(o["quantity"]),
            _word(Disposition, o["disposition"]),
            _word(OldPartState, o["state"]),
            " · ".join(filter(None, (o["given_to"] or o["ended_by"], _at(o["ended_at"]) if o["ended_at"] else ""))),
        ]
        for o in content.get("old_parts", [])
    ]
    out = content.get("handover") or {}
    facts = [
        [_("Handed over"), _at(out["at"])],
        [_("By"), out["by"]],
        [_("Received by"), out["received_by"]],
        [_("Risk statement signed by"), out["risk_note_signed_by"]],
        [_("Next service on"), out["next_service_on"] or ""],
        [_("Next service at (km)"), _whole(out["next_service_km"]) if out["next_service_km"] else ""],
    ] if out else []  # fmt: skip
    reworks = [
        [
            r["first_order"],
            str(r["line"]),
            r["claimed_on"],
            " → ".join(filter(None, (r["complaint"], r["findings"]))),
            _word(ReworkState, r["state"]),
            _word(ReworkCause, r["cause"]),
            _word(CostBearer, r["bearer"]),
        ]
        for r in content.get("reworks", [])
    ]
    claims = [
        [
            c["number"],
            ", ".join(f"#{line}" for line in c["lines"]),
            _word(WarrantyClaimState, c["state"]),
            c["submitted_on"] or "—",
            c["decided_on"] or "—",
            c["paid_on"] or "—",
        ]
        for c in content.get("claims", [])
    ]
    return [
        _section(
            _("Old parts"),
            [_("Tag"), _("Part"), _("Quantity"), _("What becomes of it"), _("State"), _("Who and when")],
            old,
            1,
        ),
        _section(_("Hand-over"), [_("What"), _("What was noted")], [row for row in facts if row[1]], 1),
        _section(
            _("Returns under guarantee"),
            [_("First order"), "#", _("Came back on"), _("What was found"), _("State"), _("Cause"), _("Who bears it")],
            reworks,
            3,
        ),
        _section(
            _("Claims to the maker"),
            [_("Number"), "#", _("State"), _("Submitted"), _("Decided"), _("Paid")],
            claims,
            2,
        ),
    ]


def _said(content: dict[str, Any]) -> list[dict[str, Any]]:
    signatures = [
        [_signed(s["what"]), s["name"], _at(s["at"]), (s["sha256"] or "—")[:16]] for s in content.get("signatures", [])
    ]
    photos = [[p["name"], _photo_place(p), _at(p["at"]), p["sha256"][:16]] for p in content.get("photos", [])]
    messages = [
        [
            _word(MessageChannel, m["channel"]),
            _word(MessageState, m["state"]),
            _at(m["sent_at"]),
            " ".join(part for part in (m["subject"], m["body"]) if part),
        ]
        for m in content.get("messages", [])
    ]
    return [
        _section(_("Signatures"), [_("What for"), _("Who"), _("When"), _("Drawn (hash)")], signatures, 1),
        _section(_("Photos"), [_("File"), _("What it shows"), _("Taken at"), "SHA-256"], photos, 0),
        _section(
            _("Messages to the customer"), [_("Channel"), _("State"), _("Sent at"), _("Words")], messages, 3
        ),
    ]  # fmt: skip


SIGNED = {
    "WALKAROUND": lambda: _("Walk-around"),
    "DECISION": lambda: _("Decision"),
    "CONTRACT": lambda: _("Contract"),
    "PART_CONSENT": lambda: _("Consent to parts that aren't new"),
    "DIFFERENCE": lambda: _("Difference borne by the customer"),
    "SETTLEMENT": lambda: _("Settlement list"),
    "HANDOVER": lambda: _("Hand-over"),
    "OLD_PART": lambda: _("Old part"),
}
APPROVED = {
    "workshop.discount": lambda: _("Discount on labour"),
    "workshop.part_discount": lambda: _("Discount on a part"),
    "workshop.payer": lambda: _("Work that the maker, our shop or a service contract pays"),
    "delivery.goodwill": lambda: _("Goodwill on a bill"),
    "delivery.unpaid_exit": lambda: _("Car leaves before all is paid"),
}
MONEY_OF = {
    "DEPOSIT": lambda: _("Deposit"),
    "PAYMENT": lambda: _("Settlement list"),
    "CORE": lambda: _("Core charge given back"),
}


def _signed(what: str) -> str:
    return str(SIGNED[what]()) if what in SIGNED else what


def _section(title: str, heads: list[str], rows: list[list[str]], wide: int) -> dict[str, Any]:
    right = (_("Hours × rate"), _("Issued"), _("Quantity"), _("Old parts returned"))
    figures = [at for at, head in enumerate(heads) if head.endswith("¥") or head in right]
    return {"title": title, "heads": heads, "rows": rows, "wide": wide, "figures": figures}


def _brought(seen: dict[str, Any] | None) -> str:
    """How a part looked that the customer brought, who looked at it and when."""
    if not seen:
        return ""
    found = _("may be fitted") if seen["fits"] and not seen["damaged"] else seen["note"]
    how = f"{_word(OwnPartCondition, seen['condition'])}, {_word(OwnPartPackaging, seen['packaging'])}"
    return f"{how}, {found} ({seen['by']}, {_at(seen['at'])})"


def _off(part: dict[str, Any]) -> str:
    """What was taken off a part's price; an older file says nothing of it."""
    return f" - {_money(part['discount'])}" if Decimal(part.get("discount", "0")) else ""


def _whole_line(line: dict[str, Any]) -> list[str]:
    """A line with what its sum consists of; an older file says hours and labour only."""
    what = [
        say_name(line["description"]),
        *(text for text in (line["complaint"], line["cause"], line["correction"]) if text),
        *([f"({line['declined_reason']})"] if line.get("declined_reason") else []),
    ]
    if line.get("fee_note"):
        what.append(f"+ {line['fee_note']}")
    whole = "total" in line
    hours = f"{line['hours']} × {_money(line['rate'])}" if whole else line["hours"]
    if whole and Decimal(line["discount"]):
        hours = f"{hours} - {_money(line['discount'])}"
    return [
        str(line["position"]),
        " → ".join(what),
        f"{_word(LineState, line['state'])} · {_word(PayType, line['pay_type'])}",
        hours,
        _money(line["amount"]),
        _sum(p["amount"] for p in line["parts"]),
        _money(line["fee"]) if whole else "—",
        _money(line["total"]) if whole else "—",
    ]


def _on_paper(signed: dict[str, Any]) -> str:
    return _("Signed on paper") if signed["on_paper"] else _("Signed on the pad")


def _corrected(worked: dict[str, Any]) -> str:
    """Why and how often times were put right, with what stood there before."""
    if not worked.get("corrections"):
        return _("closed for the person at the shift's end") if worked.get("left_open") else "—"
    before = "; ".join(f"{_at(began)} – {_at(ended)}" for began, ended in worked["before"])
    return f"{worked['corrections']} × {worked['corrected_reason']} ({before})"


def _road_test(test: dict[str, Any] | None) -> str:
    if not test:
        return "—"
    between = f"{_whole(test['from_km'])} – {_whole(test['to_km'])}" if test["from_km"] is not None else ""
    return " · ".join(filter(None, (f"{test['km']} km", between, test["driver"], test["route"], test["findings"])))


def _guarantee(certificate: dict[str, Any]) -> str:
    if not certificate["guarantee_days"]:
        return "—"
    return _("%(days)d days or %(km)s km") % {
        "days": certificate["guarantee_days"],
        "km": _whole(certificate["guarantee_km"]),
    }


def _walkaround(walk: dict[str, Any]) -> list[list[str]]:
    if not walk:
        return []
    rows = [
        [_("Mileage (km)"), _whole(walk["odometer_km"])],
        [_("Fuel or charge"), "—" if walk["energy_eighths"] is None else f"{walk['energy_eighths']} / 8"],
        [_("Customer's own words"), walk["words"]],
        [_("Warning lights"), " · ".join(_word(WarningLight, code) for code in walk.get("warning_lights", []))],
        [_("Belongings"), " · ".join(_word(Belonging, code) for code in walk.get("belongings", []))],
        [_("Old parts"), _word(OldParts, walk.get("old_parts", ""))],
        [_("What isn't right"), walk.get("dispute", "")],
    ]
    for mark in walk["marks"]:
        size = f"{mark['size_mm']} mm" if mark["size_mm"] else ""
        where = [_word(DamageSide, mark["side"]), mark["place"]]
        found = [_word(DamageKind, mark["kind"]), size, mark["note"]]
        rows.append([" · ".join(filter(None, where)), " · ".join(filter(None, found))])
    return [row for row in rows if row[1]]


def _word(choices: Any, code: str) -> str:
    """The word of a code; a code that is no longer known stands as it was archived."""
    return str(choices(code).label) if code in choices.values else code


def _at(moment: str | None) -> str:
    return paper_moment(datetime.fromisoformat(moment)) if moment else "—"


def _money(amount: str) -> str:
    return say_money(Decimal(amount), sign=False)


def _sum(amounts: Iterable[str]) -> str:
    return say_money(sum((Decimal(amount) for amount in amounts), Decimal(0)), sign=False)


def _plain(number: str) -> str:
    """1.5 and 4, without trailing zeros."""
    return f"{Decimal(number).normalize():f}"


def _whole(number: int | None) -> str:
    return "—" if number is None else f"{number:,}"
