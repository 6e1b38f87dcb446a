"""The repair file as people read it: one shape for its page, the customer's link and the paper (3.3, domain 3.5)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from dealership.kernel.formats import mask_phone
from dealership.kernel.models import MessageChannel, MessageState
from dealership.kernel.papers import paper_moment, render_paper
from dealership.kernel.saying import say_money, say_name, say_plate
from delivery.models import SettlementState
from reception.models import DamageKind, DamageSide
from workshop.check_models import Verdict
from workshop.models import (
    AuthorizationMethod,
    AuthorizationStatus,
    InspectionLevel,
    InspectionResult,
    LineState,
    PayType,
)

from .models import ArchiveRecord

PAPERS = Path(__file__).parent / "papers"


def file_pdf(archive: ArchiveRecord) -> bytes:
    """The file on A4 in the active language."""
    return render_paper(PAPERS / "repair_file.typ", file_data(archive))


def shown_file(archive: ArchiveRecord, *, masked: bool = False) -> dict[str, Any]:
    """The same for a page: the columns and each cell with the head of its column and whether it is a figure.

    ``masked``: the customer's number as colleagues see it who have no task with it (7.3).
    """
    data = file_data(archive)
    if masked:
        data["facts"][1][1] = mask_phone(data["facts"][1][1])
    sections = []
    for section in data["sections"]:
        columns = [(head, at in section["figures"]) for at, head in enumerate(section["heads"])]
        rows = [
            [(head, cell, is_figure) for (head, is_figure), cell in zip(columns, row, strict=True)]
            for row in section["rows"]
        ]
        sections.append({"title": section["title"], "columns": columns, "rows": rows})
    return data | {"sections": sections}


def file_data(archive: ArchiveRecord) -> dict[str, Any]:
    """Facts and tables of a file in words of the active language; a section that has nothing isn't there.

    ``facts`` are pairs; a section has ``title``, ``heads``, ``rows`` of texts and ``wide``, the column that takes the
    room, and ``figures``, the columns that stand to the right. Files archived before a kind of content was kept have no
    such section; nothing is filled in.
    """
    content = archive.content
    order, vehicle, customer = content["order"], content["vehicle"], content["customer"]
    facts = [
        [_("Customer"), customer["name"]],
        [_("Telephone"), customer["phone"]],
        [_("Brought by"), customer["brought_by"]],
        [_("Plate"), say_plate(vehicle["plate"]) or "—"],
        ["VIN", vehicle["vin"] or "—"],
        [_("Model"), vehicle["model"]],
        [_("Mileage in (km)"), _whole(vehicle["odometer_in_km"])],
        [_("Mileage out (km)"), _whole(vehicle["odometer_out_km"])],
        [_("Opened at"), _at(order["opened_at"])],
        [_("Advisor"), order["advisor"]],
        [_("Customer's own words"), order["complaint"]],
    ]
    sections = [
        _section(_("Walk-around"), [_("What"), _("What was found")], _walkaround(content.get("walkaround") or {}), 1),
        _section(
            _("Estimates"),
            [_("Version"), _("Sent at"), _("Looked at on"), _("Total ¥"), _("What was seen (hash)")],
            [
                [str(e["number"]), _at(e["sent_at"]), _at(e["viewed_at"]), _money(e["total"]), e["seen"][:16]]
                for e in content.get("estimates", [])
            ],
            4,
        ),
        _section(
            _("Decisions"),
            ["#", _("Decision"), _("How"), _("Who"), _("When"), _("Amount ¥")],
            [
                [
                    str(a["line"]),
                    _word(AuthorizationStatus, a["status"]),
                    _word(AuthorizationMethod, a["method"]),
                    a["by"],
                    _at(a["at"]),
                    _money(a["amount"]),
                ]
                for a in content["authorizations"]
            ],
            3,
        ),
        _section(
            _("Work"),
            ["#", _("Work"), _("State"), _("Who pays"), _("Hours"), _("Amount ¥")],
            [_line(line) for line in content["lines"]],
            1,
        ),
        _section(
            _("Parts"),
            ["#", _("Part"), _("Part number"), _("Issued"), _("Amount ¥")],
            [
                [
                    str(line["position"]),
                    say_name(p["name"]),
                    " ".join([p["number"], *p.get("lots", [])]),
                    _plain(p["issued"]),
                    _money(p["amount"]),
                ]
                for line in content["lines"]
                for p in line["parts"]
            ],
            1,
        ),
        _section(
            _("Time worked"),
            ["#", _("Who"), _("Began"), _("Ended")],
            [
                [str(line["position"]), w["name"], _at(w["from"]), _at(w["to"])]
                for line in content["lines"]
                for w in line["worked"]
            ],
            1,
        ),
        *[
            _section(
                f"{say_name(sheet['name'])} · {_('signed by %(name)s') % {'name': sheet['signed_by']}} {_at(sheet['signed_at'])}"
                if sheet["signed_by"]
                else say_name(sheet["name"]),
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
        ],
        _section(
            _("Inspections"),
            [_("Level"), _("Result"), _("Who"), _("When"), _("Reason")],
            [
                [
                    _word(InspectionLevel, i["level"]),
                    _word(InspectionResult, i["result"]),
                    i["by"],
                    _at(i["at"]),
                    i["reason"],
                ]
                for i in content["inspections"]
            ],
            4,
        ),
        _section(_("Certificates"), [_("Number")], [[number] for number in content["certificates"]], 0),
        _section(
            _("Settlement lists"),
            [_("Number"), _("State"), _("Signed by"), _("Total ¥"), _("Paid ¥")],
            [
                [s["number"], _word(SettlementState, s["state"]), s["signed_by"], _money(s["total"]), _money(s["paid"])]
                for s in content["settlements"]
            ],
            2,
        ),
        _section(
            _("Signatures"),
            [_("What for"), _("Who"), _("When"), _("Drawn (hash)")],
            [
                [str(SIGNED[s["what"]]()), s["name"], _at(s["at"]), (s["sha256"] or "—")[:16]]
                for s in content.get("signatures", [])
            ],
            1,
        ),
        _section(
            _("Photos"),
            [_("File"), _("Taken at"), "SHA-256"],
            [[p["name"], _at(p["at"]), p["sha256"][:16]] for p in content.get("photos", [])],
            0,
        ),
        _section(
            _("Messages to the customer"),
            [_("Channel"), _("State"), _("Sent at"), _("Words")],
            [
                [
                    _word(MessageChannel, m["channel"]),
                    _word(MessageState, m["state"]),
                    _at(m["sent_at"]),
                    " ".join(part for part in (m["subject"], m["body"]) if part),
                ]
                for m in content.get("messages", [])
            ],
            3,
        ),
    ]
    return {
        "title": _("Repair file"),
        "number": archive.number,
        "store": archive.store.company or archive.store.name,
        "page": _("Page {n} of {all}"),
        "facts": facts,
        "sections": [section for section in sections if section["rows"]],
        "hash": _("Archived %(day)s · SHA-256 %(hash)s")
        % {"day": archive.archived_on.isoformat(), "hash": archive.sha256},
    }


SIGNED = {
    "WALKAROUND": lambda: _("Walk-around"),
    "SETTLEMENT": lambda: _("Settlement list"),
    "HANDOVER": lambda: _("Hand-over"),
}


def _section(title: str, heads: list[str], rows: list[list[str]], wide: int) -> dict[str, Any]:
    figures = [at for at, head in enumerate(heads) if head.endswith("¥") or head in (_("Hours"), _("Issued"))]
    return {"title": title, "heads": heads, "rows": rows, "wide": wide, "figures": figures}


def _line(line: dict[str, Any]) -> list[str]:
    what = [
        say_name(line["description"]),
        *(text for text in (line["complaint"], line["cause"], line["correction"]) if text),
    ]
    return [
        str(line["position"]),
        " → ".join(what),
        _word(LineState, line["state"]),
        _word(PayType, line["pay_type"]),
        line["hours"],
        _money(line["amount"]),
    ]


def _walkaround(walk: dict[str, Any]) -> list[list[str]]:
    if not walk:
        return []
    rows = [
        [_("Mileage (km)"), _whole(walk["odometer_km"])],
        [_("Fuel or charge"), "—" if walk["energy_eighths"] is None else f"{walk['energy_eighths']} / 8"],
        [_("Customer's own words"), walk["words"]],
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


def _plain(number: str) -> str:
    """1.5 and 4, without trailing zeros."""
    return f"{Decimal(number).normalize():f}"


def _whole(number: int | None) -> str:
    return "—" if number is None else f"{number:,}"
