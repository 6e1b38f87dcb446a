"""Reading a dealer's spreadsheet (7.2): bytes → sheet → columns → rows. No database; nothing here is written.

A file comes as xlsx or csv, in UTF-8 (with or without BOM), UTF-16 or GBK/GB18030, with title rows above the header,
Chinese or English headers in any order, and cells as people leave them. What can't be used is named in ``notes`` by
code and field, so that a page can say it in the reader's language; ``REFUSE`` notes keep the row out, ``WARN`` notes
leave one cell out.
"""

from __future__ import annotations

import calendar
import csv
import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_lazy as _

from dealership.kernel import formats
from dealership.kernel.errors import RuleError

MAX_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 300 * 1024 * 1024
MAX_ROWS = 50_000
MAX_COLUMNS = 80
HEADER_WITHIN = 30
SHOWN = 60
FORMULA = "\u0192"  # stands for a formula that was saved without its value
REFUSE, WARN, INFO = "REFUSE", "WARN", "INFO"

_SYNONYMS = {
    "plate": (
        "车牌 车牌号 车牌号码 牌照 牌照号 牌号 车号 号牌 号牌号码 plate platenumber licenseplate "
        "licenceplate plateno registration"
    ),
    "plate_kind": "号牌种类 号牌类型 车牌种类 车牌类型 牌照类型 platekind platetype kindofplate",
    "vin_override_reason": "vin说明 vin核对说明 车架号说明 车架号核对说明 vinreason vinnote whythevinisright",
    "vin": (
        "vin vin码 vin号 车架号 车架号码 车架 车辆识别代号 车辆识别码 识别代码 底盘号 底盘号码 大架号 chassis "
        "chassisnumber chassisno"
    ),
    "name": (
        "车主 车主姓名 车主名称 客户姓名 客户名称 客户 姓名 名称 联系人 联系人姓名 name customer customername "
        "owner ownername fullname"
    ),
    "phone": (
        "手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 移动电话 车主电话 客户电话 phone mobile telephone tel "
        "phonenumber mobilephone contact"
    ),
    "phone_2": (
        "电话2 手机2 第二电话 备用电话 其他电话 固定电话 座机 家庭电话 办公电话 phone2 mobile2 secondphone "
        "otherphone landline"
    ),
    "email": "邮箱 电子邮箱 电子邮件 邮件 email mail emailaddress",
    "uscc": "统一社会信用代码 社会信用代码 信用代码 税号 纳税人识别号 uscc taxnumber taxid",
    "kind": "客户类型 客户性质 客户类别 性质 类型 customertype customerkind kind type",
    "model_text": "车型 车型名称 品牌型号 车辆型号 型号 车系 model vehiclemodel carmodel",
    "odometer_km": (
        "里程 里程数 行驶里程 公里数 公里 当前里程 表显里程 最近里程 进厂里程 mileage odometer km kilometers kilometres"
    ),
    "delivered_on": (
        "购车日期 购车时间 购买日期 交车日期 交付日期 提车日期 销售日期 purchasedate deliverydate delivered purchased"
    ),
    "invoiced_on": "开票日期 发票日期 购车发票日期 invoicedate invoiced",
    "registered_on": (
        "注册日期 登记日期 上牌日期 初登日期 初次登记日期 初次登记 上牌时间 registrationdate registered "
        "firstregistration"
    ),
    "insured_until": (
        "保险到期 保险到期日 保险到期日期 保险有效期 保险有效期至 保险截止日期 交强险到期 交强险到期日 "
        "insureduntil insuranceexpiry insurancedate insuranceend"
    ),
    "inspected_until": (
        "年检到期 年检到期日 年检到期日期 年检有效期 年检有效期至 年审到期 年审有效期 "
        "检验有效期 检验有效期至 检验有效期止 inspecteduntil inspectionexpiry inspectiondate inspectiondue"
    ),
    "color": "颜色 车身颜色 车辆颜色 color colour",
    "vehicle_type": "车辆类型 机动车类型 vehicletype",
    "engine_number": "发动机号 发动机号码 电机号 发动机电机号 enginenumber engineno motornumber",
    "battery_code": "电池编码 电池编号 电池码 batterycode battery",
    "model_year": "年款 车型年份 出厂年份 年份 modelyear year",
    "note": "备注 说明 客户备注 note notes remark remarks comment",
}
FIELD_LABELS = {
    "plate": _("Plate"),
    "plate_kind": _("Kind of plate"),
    "vin_override_reason": _("Why a VIN that doesn't fit is kept"),
    "vin": "VIN",
    "name": _("Name"),
    "phone": _("Telephone"),
    "phone_2": _("Second telephone"),
    "email": _("E-mail"),
    "uscc": _("Unified social credit code"),
    "kind": _("Person or company"),
    "model_text": _("Model"),
    "odometer_km": _("Mileage (km)"),
    "delivered_on": _("Delivery date"),
    "invoiced_on": _("Invoice date"),
    "registered_on": _("First registration"),
    "insured_until": _("Insured until"),
    "inspected_until": _("Inspected until"),
    "color": _("Colour of the car"),
    "vehicle_type": _("Vehicle type"),
    "engine_number": _("Engine or motor number"),
    "battery_code": _("Battery code"),
    "model_year": _("Model year"),
    "note": _("Note"),
}
FIELDS_BY_HEADER = {word: name for name, words in _SYNONYMS.items() for word in words.split()}
_LIMITS = {
    "name": 60,
    "model_text": 80,
    "color": 20,
    "vehicle_type": 20,
    "engine_number": 40,
    "battery_code": 40,
    "note": 300,
}


def note(code: str, field_name: str = "", level: str = REFUSE, value: Any = "", **more: Any) -> dict[str, Any]:
    """One sentence about one cell, as JSON: ``code`` is stable, ``value`` what stood there (cut to be shown)."""
    said = {"code": code, "field": field_name, "level": level} | more
    text = str(value)
    return said | {"value": text if len(text) <= SHOWN else f"{text[:SHOWN]}…"} if text else said


@dataclass(slots=True)
class Sheet:
    """The recognised table: ``columns`` maps a place to a field, ``rows`` holds (row number, cells) as in the file."""

    columns: dict[int, str]
    headers: list[str]
    ignored: list[str]
    rows: list[tuple[int, list[Any]]]
    header_row: int


@dataclass(slots=True)
class Reading:
    """One row as understood: ``values`` in the shape the tables take, ``notes`` about what couldn't be used."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        return any(said["level"] == REFUSE for said in self.notes)


# --- bytes to cells -------------------------------------------------------------------------------------------------


def read_cells(content: bytes) -> Iterator[list[Any]]:
    """The rows of a file, one after the other. Raises RuleError where it is empty, too large or of another kind."""
    if not content.strip():
        raise RuleError("import.empty", _("The file is empty."), field="file")
    if len(content) > MAX_BYTES:
        raise RuleError("import.size", _("The file is larger than 20 MB; split it."), field="file")
    if content.startswith(b"PK\x03\x04"):
        return _xlsx_rows(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise RuleError(
            "import.old_excel", _("This is an old Excel file (.xls); save it as .xlsx or .csv."), field="file"
        )
    return _csv_rows(content)


def _xlsx_rows(content: bytes) -> Iterator[list[Any]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    broken = RuleError("import.broken", _("The file can't be opened as a spreadsheet; save it anew."), field="file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(info.file_size for info in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise RuleError("import.size", _("The file is larger than 20 MB; split it."), field="file")
        values = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        formulas = load_workbook(io.BytesIO(content), read_only=True)
        sheets = [name for name in values.sheetnames if hasattr(values[name], "iter_rows")]
        first = sheets[0] if sheets else None
    except RuleError:
        raise
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError) as exc:
        raise broken from exc
    if first is None:
        raise broken
    try:
        has_formulas = _has_formulas(content)
        values[first].reset_dimensions()  # some programs write a wrong one, and cells beyond it would be lost
        formulas[first].reset_dimensions()
        other = formulas[first].iter_rows() if has_formulas else None
        for cells in values[first].iter_rows(values_only=True):
            row = list(cells[:MAX_COLUMNS])
            if other is not None:
                for at, cell in enumerate(next(other, ())):
                    if at < len(row) and row[at] is None and getattr(cell, "data_type", "") == "f":
                        row[at] = FORMULA
            yield row
    except (KeyError, ValueError, zipfile.BadZipFile, SyntaxError) as exc:
        raise broken from exc


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        for name in packed.namelist():
            if name.startswith("xl/worksheets/sheet"):
                with packed.open(name) as part:
                    kept = b""
                    while chunk := part.read(1 << 20):
                        if b"<f" in kept + chunk:
                            return True
                        kept = chunk[-2:]
    return False


def decode(content: bytes) -> str:
    """UTF-8 with or without BOM, UTF-16 with BOM, else GB18030 (which holds GBK). Raises RuleError for none of them."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        tries = ["utf-16"]
    elif content.startswith(b"\xef\xbb\xbf"):
        tries = ["utf-8-sig", "gb18030"]
    else:
        tries = ["utf-8", "gb18030"]
    for encoding in tries:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RuleError(
        "import.encoding",
        _("The characters can't be read; save the file as xlsx, or as csv in UTF-8 or GBK."),
        field="file",
    )


def _csv_rows(content: bytes) -> Iterator[list[Any]]:
    text = decode(content).replace("\x00", "\u2400")
    if text.count("\u2400") > len(text) / 10 or "\u2400" in text[:8]:
        raise RuleError(
            "import.kind", _("This is neither a spreadsheet (.xlsx) nor a text table (.csv)."), field="file"
        )
    head = [line for line in text.splitlines()[:HEADER_WITHIN] if line.strip()]
    best = max(",;\t|，", key=lambda sign: max((line.count(sign) for line in head), default=0))
    csv.field_size_limit(1_000_000)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=best)
    except csv.Error as exc:
        raise RuleError(
            "import.broken", _("The file can't be opened as a spreadsheet; save it anew."), field="file"
        ) from exc


def _field_of(cell: Any) -> str | None:
    words = re.sub(r"[(（\[【].*?[)）\]】]", "", str(cell or ""))
    return FIELDS_BY_HEADER.get(re.sub(r"[\s*:：_/、.\-#№]+", "", formats.fold_width(words)).lower())


def find_table(table: Iterable[list[Any]]) -> Sheet:
    """The table below the row of column names. Raises RuleError where there is none, or no or too many rows."""
    columns: dict[int, str] = {}
    headers: list[str] = []
    rows: list[tuple[int, list[Any]]] = []
    header_row = 0
    for number, cells in enumerate(table, 1):
        if not header_row:
            if number > HEADER_WITHIN:
                break
            columns = _columns(cells)
            if len(columns) >= 2 and columns.keys() and {"plate", "vin", "phone"} & set(columns.values()):
                header_row, headers = number, [str(cell or "").strip()[:SHOWN] for cell in cells]
            continue
        if any(cell not in (None, "") and str(cell).strip() for cell in cells):
            if len(rows) >= MAX_ROWS:
                raise RuleError("import.rows", _("More than 50,000 rows; split the file."), field="file")
            rows.append((number, cells))
    if not header_row:
        raise RuleError(
            "import.header",
            _("No row with column names was found: at least two of plate, VIN, name, telephone and model are needed."),
            field="file",
        )
    if not rows:
        raise RuleError("import.no_rows", _("Below the column names there are no rows."), field="file")
    ignored = [name for at, name in enumerate(headers) if name and at not in columns]
    return Sheet(columns, headers, ignored, rows, header_row)


def _columns(cells: list[Any]) -> dict[int, str]:
    """Place → field; a second telephone column is the second telephone, any other second one isn't used."""
    found: dict[int, str] = {}
    for at, cell in enumerate(cells[:MAX_COLUMNS]):
        name = _field_of(cell)
        if name == "phone" and "phone" in found.values():
            name = "phone_2"
        if name and name not in found.values():
            found[at] = name
    return found


# --- cells to values ------------------------------------------------------------------------------------------------


def raw_of(sheet: Sheet, cells: list[Any]) -> dict[str, Any]:
    """The used cells of a row as JSON: text, number or ISO date, cut where nobody could mean it."""
    return {
        name: _json(cells[at]) for at, name in sheet.columns.items() if at < len(cells) and cells[at] not in (None, "")
    }


def _json(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return f"@{cell.date().isoformat()}"
    if isinstance(cell, date):
        return f"@{cell.isoformat()}"
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int):
        return cell if abs(cell) < 10**18 else str(cell)
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else str(cell)
    text = str(cell).replace("\x00", "\u2400")
    return text if len(text) <= 400 else text[:400]


def read_row(number: int, raw: dict[str, Any], *, today: date, may_override: bool = False) -> Reading:
    """What one row says, cell by cell; days must not lie after ``today`` (the store's calendar).

    ``may_override``: whoever imports may keep a VIN that doesn't fit where the row gives a reason.
    """
    row = Reading(number)
    for name, cell in raw.items():
        if cell == FORMULA:
            level = REFUSE if name in ("plate", "vin", "name", "phone") else WARN
            row.notes.append(note("formula", name, level))
    raw = {name: cell for name, cell in raw.items() if cell != FORMULA}
    _read_plate(row, raw)
    _read_vin(row, raw, may_override=may_override)
    _read_words(row, raw)
    _read_phones(row, raw)
    _read_checked(row, raw, "email", formats.check_email)
    _read_checked(row, raw, "uscc", formats.check_uscc)
    _read_km(row, raw)
    _read_year(row, raw, today)
    for name in ("delivered_on", "invoiced_on", "registered_on"):
        _read_day(row, raw, name, today)
    for name in ("insured_until", "inspected_until"):
        _read_end(row, raw, name, today)
    _require(row)
    return row


def _text(cell: Any) -> str:
    """The cell as a person would read it: 13912345678.0 is 13912345678, 1.39123456780E+10 too."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**15:
        return str(int(cell))
    text = formats.fold_width(str(cell))
    if re.fullmatch(r"[0-9]+\.0+", text):
        return text.split(".")[0]
    if re.fullmatch(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}", text):
        try:
            number = Decimal(text)
        except InvalidOperation:
            return text
        if number == number.to_integral_value() and len(number.as_tuple().digits) > number.adjusted():
            return str(int(number))
    return text


_PLATE_KINDS = (
    ("TEMPORARY", re.compile(r"临时|临牌|temporary", re.I)),
    ("DIPLOMATIC", re.compile(r"使|领馆|外交|diplomatic", re.I)),
    ("MILITARY", re.compile(r"军|武警|military", re.I)),
    ("UNREGISTERED", re.compile(r"未上牌|无牌|unregistered|notyetregistered", re.I)),
    ("NORMAL", re.compile(r"汽车|普通|新能源|民用|教练|警|挂|港澳|[蓝绿黄白黑]|normal|ordinary", re.I)),
)


def _read_plate_kind(row: Reading, raw: dict[str, Any]) -> str:
    """The kind of plate by its usual words; the ordinary one where nothing is said."""
    text = re.sub(r"\s+", "", _text(raw.get("plate_kind", "")))
    found = next((kind for kind, words in _PLATE_KINDS if words.search(text)), "") if text else "NORMAL"
    if not found:
        row.notes.append(note("vehicle.plate_kind", "plate_kind", value=text))
    return found or "NORMAL"


def _read_plate(row: Reading, raw: dict[str, Any]) -> None:
    kind = _read_plate_kind(row, raw)
    text = _text(raw.get("plate", ""))
    if not text or text in ("无", "无牌", "未上牌", "新车", "-", "/") or kind == "UNREGISTERED":
        return
    checked = formats.check_plate(text, formats.PlateKind(kind))
    if checked.level is formats.Level.REFUSED:
        row.notes.append(note(checked.code, "plate", value=text, suggestion=checked.suggestion))
    elif len(checked.value) > 12:
        row.notes.append(note("text.too_long", "plate", value=text, limit=12))
    elif kind != "NORMAL":
        row.values["plate_kind"] = kind
        if not _text(raw.get("vin", "")):
            row.notes.append(note("plate.needs_vin", "vin", value=text))
    row.values["plate"] = checked.value[:12]


def _read_vin(row: Reading, raw: dict[str, Any], *, may_override: bool) -> None:
    text = _text(raw.get("vin", ""))
    if not text or text in ("无", "-", "/"):
        return
    checked = formats.check_vin(text)
    reason = " ".join(_text(raw.get("vin_override_reason", "")).split())
    if checked.overridable and may_override and reason and len(reason) <= 200 and not _HOSTILE.search(reason):
        row.notes.append(note(checked.code, "vin", WARN, text))
        row.values["vin_note"] = reason
    elif checked.level is formats.Level.REFUSED:
        row.notes.append(note(checked.code, "vin", value=text, suggestion=checked.suggestion))
    elif checked.level is formats.Level.WARNING:
        row.notes.append(note(checked.code, "vin", WARN, text))
    row.values["vin"] = checked.value[:17]


_HOSTILE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2400<>]|^[=@]|^[+\-]\s*\w+\(|\|'|^=cmd", re.IGNORECASE)


def _read_words(row: Reading, raw: dict[str, Any]) -> None:
    for name, limit in _LIMITS.items():
        text = " ".join(_text(raw.get(name, "")).split())
        level = REFUSE if name == "name" else WARN
        if not text:
            continue
        if _HOSTILE.search(text):
            row.notes.append(note("text.hostile", name, level, text.replace("\u2400", "·")))
        elif len(text) > limit:
            row.notes.append(note("text.too_long", name, level, text, limit=limit))
        elif formats.check_without_id_number(text).code:
            row.notes.append(note("text.id_number", name, level))
        else:
            row.values[name] = text
    kind = _text(raw.get("kind", ""))
    company = re.search(
        r"公司|单位|企业|集团|company|corporate|fleet", f"{kind} {row.values.get('name', '')[-4:]}", re.I
    )
    if company:
        row.values["kind"] = "COMPANY"


def _read_phones(row: Reading, raw: dict[str, Any]) -> None:
    found: list[str] = []
    for name in ("phone", "phone_2"):
        text = _text(raw.get(name, ""))
        if not text:
            continue
        if re.fullmatch(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}", text):
            row.notes.append(note("phone.scientific", name, REFUSE if name == "phone" else WARN, text))
            continue
        cell = formats.split_phones(text)
        if not cell.phones:
            row.notes.append(note("phone.pattern", name, REFUSE if name == "phone" else WARN, text))
        elif cell.rest:
            row.notes.append(note("phone.rest", name, WARN, cell.rest))
        found += [number for number in cell.phones if number not in found]
    for name, number in zip(("phone", "phone_2"), found, strict=False):
        row.values[name] = number
    if len(found) > 2:
        row.notes.append(note("phone.third", "phone", WARN, ", ".join(formats.mask_phone(n) for n in found[2:])))


def _read_checked(row: Reading, raw: dict[str, Any], name: str, check: Any) -> None:
    text = _text(raw.get(name, ""))
    if not text:
        return
    checked = check(text)
    if checked.level is formats.Level.REFUSED or len(checked.value) > 254:
        row.notes.append(note(checked.code or "text.too_long", name, WARN, text))
    else:
        row.values[name] = checked.value
        if name == "uscc":
            row.values["kind"] = "COMPANY"


def _read_km(row: Reading, raw: dict[str, Any]) -> None:
    text = re.sub(r"[\s,，]", "", _text(raw.get("odometer_km", ""))).lower()
    if not text:
        return
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?)(万)?(?:公里|km|千米|kms)?", text)
    km = int(Decimal(match[1]) * (10_000 if match[2] else 1)) if match else -1
    if 0 <= km <= 2_000_000:
        row.values["odometer_km"] = km
    else:
        row.notes.append(note("km", "odometer_km", WARN, text))


def _read_year(row: Reading, raw: dict[str, Any], today: date) -> None:
    text = _text(raw.get("model_year", ""))
    if not text:
        return
    match = re.fullmatch(r"((?:19|20)[0-9]{2})\s*(?:年|款|年款)?", text)
    if match and 1950 <= int(match[1]) <= today.year + 1:
        row.values["model_year"] = int(match[1])
    else:
        row.notes.append(note("year", "model_year", WARN, text))


def _read_day(row: Reading, raw: dict[str, Any], name: str, today: date) -> None:
    cell = raw.get(name, "")
    if cell in ("", None):
        return
    day = read_day(cell)
    if day is None:
        row.notes.append(note("day.unreadable", name, WARN, cell))
    elif not date(1950, 1, 1) <= day <= today:
        row.notes.append(note("day.impossible", name, WARN, day.isoformat()))
    else:
        row.values[name] = day.isoformat()


_MONTH = re.compile(r"((?:19|20)[0-9]{2})[-/.年]([0-9]{1,2})月?")
END_AHEAD = timedelta(days=3660)


def _read_end(row: Reading, raw: dict[str, Any], name: str, today: date) -> None:
    """The last day of an insurance or inspection: it may lie ahead; where only a month is said, it is the month's last."""
    cell = raw.get(name, "")
    if cell in ("", None):
        return
    day = read_day(cell)
    if found := _MONTH.fullmatch(formats.fold_width(str(cell)).strip()):
        year, month = int(found[1]), int(found[2])
        day = date(year, month, calendar.monthrange(year, month)[1]) if 1 <= month <= 12 else None
    if day is None:
        row.notes.append(note("day.unreadable", name, WARN, cell))
    elif not date(1990, 1, 1) <= day <= today + END_AHEAD:
        row.notes.append(note("day.end_impossible", name, WARN, day.isoformat()))
    else:
        row.values[name] = day.isoformat()


_DAY_SHAPES = (
    re.compile(r"(?P<y>(?:19|20)[0-9]{2})[-/.年](?P<m>[0-9]{1,2})[-/.月](?P<d>[0-9]{1,2})日?(?:[ T].*)?"),
    re.compile(r"(?P<y>(?:19|20)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    re.compile(r"(?P<y>(?:19|20)[0-9]{2})年(?P<m>[0-9]{1,2})月(?P<d>)"),
)
_DAY_FIRST = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]((?:19|20)[0-9]{2})")


def read_day(cell: Any) -> date | None:
    """A day from an ISO mark, an Excel serial, or one of the usual shapes; None where it could mean two days or none."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return date(1899, 12, 30) + timedelta(days=int(cell)) if 10_000 <= cell <= 80_000 else _day_of_text(_text(cell))
    text = formats.fold_width(str(cell)).lstrip("@")
    if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", text):
        return date(1899, 12, 30) + timedelta(days=int(float(text)))
    return _day_of_text(text)


def _day_of_text(text: str) -> date | None:
    try:
        for shape in _DAY_SHAPES:
            if match := shape.fullmatch(text):
                return date(int(match["y"]), int(match["m"]), int(match["d"] or 1))
        if match := _DAY_FIRST.fullmatch(text):
            first, second, year = int(match[1]), int(match[2]), int(match[3])
            if first > 12 or first == second:
                return date(year, second, first)
            return date(year, first, second) if second > 12 else None
    except ValueError:
        return None
    return None


def _require(row: Reading) -> None:
    """A row holds a car, a customer, or both; a customer has a name and a way to be reached."""
    has = row.values.keys() | {said["field"] for said in row.notes if said["level"] == REFUSE}
    car = bool({"plate", "vin"} & has)
    if "name" in has and not {"phone", "phone_2", "email"} & has:
        row.notes.append(note("customer.reachable", "phone"))
    elif {"phone", "phone_2", "email"} & has and "name" not in has:
        row.notes.append(note("customer.name", "name"))
    if not car and "name" not in has and "phone" not in has:
        row.notes.append(note("row.nothing", ""))
    if car and "model_text" not in row.values:
        row.notes.append(note("vehicle.model", "model_text", WARN))
