"""Spreadsheets as dealers have them, made from a seed: the same seed and length give the same cells."""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime, timedelta
from typing import Any

from dealership.kernel import formats

TITLES = [["试车汽车销售服务有限公司  客户资料", *[""] * 8], ["导出时间：2026-11-23", *[""] * 8]]
HEADERS = ["序号", "客户姓名", "联系方式", "车牌号", "车架号", "车型", "行驶里程(km)", "购车日期", "备注"]
_SURNAMES = "张王李赵刘陈杨黄周吴单曾尉"
_GIVEN = "试伟芳娜敏静丽强磊洋艳勇军杰娟涛明超秀兰霞平刚桂英"
_MODELS = ["途远 2.0T", "星河 E5", "朗行 1.5", "Voyager X", "云途 PHEV"]
_SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def vin_of(number: int) -> str:
    draft = f"LFV2A21K0D{number:07d}"
    return draft[:8] + formats.vin_check_digit(draft) + draft[9:]


def plate_of(number: int, green: bool = False) -> str:
    area = "京沪粤浙苏"[number % 5] + "ABCDEF"[number // 5 % 6]
    return f"{area}D{number % 100000:05d}" if green else f"{area}{number % 100000:05d}"


def phone_of(number: int) -> str:
    return f"13{number % 10}{(number * 7919) % 100_000_000:08d}"


def dirty_rows(seed: int, length: int) -> list[list[Any]]:
    """Rows below HEADERS: about four in five are good, though few of them are tidy."""
    chance = random.Random(seed)
    rows: list[list[Any]] = []
    for number in range(1, length + 1):
        rows.append(_row(chance, number, rows))
    return rows


def _row(chance: random.Random, number: int, before: list[list[Any]]) -> list[Any]:
    name = chance.choice(_SURNAMES) + "".join(chance.sample(_GIVEN, chance.choice([1, 2, 2])))
    phone: Any = phone_of(number)
    plate, vin = plate_of(number, chance.random() < 0.15), vin_of(number)
    day = date(2012, 1, 1) + timedelta(days=chance.randrange(5000))
    km: Any = chance.randrange(100, 200_000)
    bought: Any = day.isoformat()
    note = ""
    kind = chance.random()
    if kind < 0.05 and before:  # the same car again, somebody typed the row twice
        return [number, *chance.choice(before)[1:]]
    if kind < 0.08 and before:  # the same customer with another car
        name, phone = chance.choice(before)[1:3]
    elif kind < 0.10:
        vin = vin[:8] + ("X" if vin[8] != "X" else "0") + vin[9:]
    elif kind < 0.12:
        vin = vin.replace("0", "O", 1)
    elif kind < 0.13:
        vin = vin[:-1]
    elif kind < 0.15 and before:  # the VIN of another row with another plate
        vin = str(chance.choice(before)[4])
    elif kind < 0.16:
        plate = f"京A{chance.choice(['O', 'I'])}{number % 10000:04d}"
    elif kind < 0.17:
        phone = "1.38E+10"
    elif kind < 0.18:
        phone = chance.choice(["不详", "12345", "", "—"])
    elif kind < 0.185:
        name = chance.choice(["=cmd|'/C calc'!A0", "<script>alert(1)</script>", "王\x01五", "长" * 10_000, "@SUM(A1)"])
    elif kind < 0.19:
        return [number, *[""] * 8] if chance.random() < 0.5 else [""] * 9
    phone = _messy_phone(chance, phone)
    return [
        number, name, phone, _messy_plate(chance, plate), _messy_vin(chance, vin), chance.choice(_MODELS),
        _messy_km(chance, km), _messy_day(chance, day, bought), note or chance.choice(["", "", "老客户", "=1+1", "VIP"]),
    ]  # fmt: skip


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _messy_phone(chance: random.Random, phone: Any) -> Any:
    if not isinstance(phone, str) or not phone.isdigit():
        return phone
    return chance.choice(
        [
            phone, phone, int(phone), float(phone), f"+86 {phone}", f"{phone[:3]}-{phone[3:7]}-{phone[7:]}", _wide(phone),
            f"{phone}/0571-8{phone[-7:]}", f"{phone}、15{phone[2:]}", f"{phone} 先生", f"{phone}.0", f"86{phone}",
        ]
    )  # fmt: skip


def _messy_plate(chance: random.Random, plate: str) -> str:
    return chance.choice(
        [plate, plate, f"{plate[:2]}·{plate[2:]}", f"{plate[:2]}-{plate[2:]}", plate.lower(), f" {plate[:2]} {plate[2:]} ",
         _wide(plate), f"{plate[:2]}.{plate[2:]}"]
    )  # fmt: skip


def _messy_vin(chance: random.Random, vin: str) -> str:
    return chance.choice([vin, vin, vin.lower(), f" {vin} ", _wide(vin), f"{vin[:9]} {vin[9:]}"])


def _messy_km(chance: random.Random, km: int) -> Any:
    return chance.choice([km, km, f"{km:,}", f"{km}公里", f"{km / 10000:.1f}万公里", float(km), "", "不详", -5])


def _messy_day(chance: random.Random, day: date, iso: str) -> Any:
    return chance.choice(
        [
            iso, iso.replace("-", "/"), f"{day.year}.{day.month}.{day.day}", f"{day.year}年{day.month}月{day.day}日",
            day.strftime("%Y%m%d"), (day - date(1899, 12, 30)).days, datetime(day.year, day.month, day.day), "", "去年",
            "2099-01-01", "5/6/2019",
        ]
    )  # fmt: skip


def as_csv(rows: list[list[Any]], *, encoding: str = "utf-8", titles: bool = True, separator: str = ",") -> bytes:
    """The file as text; days are written as ISO days."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    for row in [*(TITLES if titles else []), HEADERS, *rows]:
        writer.writerow([cell.date().isoformat() if isinstance(cell, datetime) else cell for cell in row])
    return text.getvalue().encode(encoding, errors="strict")


def as_xlsx(rows: list[list[Any]], *, titles: bool = True) -> bytes:
    """The same as a workbook; characters that a workbook can't hold are left out of its cells."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("客户")
    for row in [*(TITLES if titles else []), HEADERS, *rows]:
        cells = []
        for cell in row:
            value = ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell
            made = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                made.data_type = "s"
            cells.append(made)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
