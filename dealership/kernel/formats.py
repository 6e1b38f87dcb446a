"""Chinese formats: VIN, plate, telephone, e-mail, company code, masking and search keys (chapters 2.3 and 7.2).

The one module that forms, API and imports share, so that a number typed, sent or imported ends as the same value.
``check_…`` functions never raise for bad input: they return a ``Checked`` that says what was understood, how sure that
is, and what was probably meant. ``clean_…`` functions are the same for Django forms and serializers and raise
``ValidationError`` with the code of the check. ``normalise_…`` functions only tidy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext_lazy as _

from .errors import RuleError


class Level(StrEnum):
    """How a value may be used: taken, taken with a notice, or not taken."""

    OK = "OK"
    WARNING = "WARNING"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of an input.

    ``value`` is the normalised value (also when it was refused, so that nothing typed is lost), ``code`` is stable and
    '' when all is well, ``suggestion`` is a value that would pass or '' where nothing can be guessed.
    ``overridable`` marks a refusal that a supervisor may lift with a reason.
    """

    value: str
    level: Level = Level.OK
    code: str = ""
    message: Any = ""
    suggestion: str = ""
    overridable: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The message in the reader's language."""
        return str(self.message) % self.params if self.params else str(self.message)

    @property
    def said(self) -> str:
        """The message with what was probably meant."""
        if not self.suggestion:
            return self.text
        return _("%(text)s Perhaps %(suggestion)s was meant.") % {"text": self.text, "suggestion": self.suggestion}


# Marks of the writing direction: unseen, brought along by copying, and able to show a text in another order than it has.
_DIRECTION = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20} | _DIRECTION
_SEPARATORS = re.compile(r"[\s·•・‧∙.。\-‐‑‒–—―_]+")


def fold_width(text: str) -> str:
    """Full-width letters, digits and signs become half-width; surrounding space and marks of direction go."""
    return text.translate(_HALF_WIDTH).strip()


def one_line(text: str) -> str:
    """A name or subject: line breaks and doubled space become one space, surrounding space and marks of direction go."""
    return " ".join(text.translate(_DIRECTION).split())


def lines(text: str) -> str:
    """A text of several lines as it was written, without surrounding space and marks of direction."""
    return text.translate(_DIRECTION).strip()


def strip_separators(text: str) -> str:
    """Half-width, upper case, without spaces, dashes and dots."""
    return _SEPARATORS.sub("", fold_width(text)).upper()


# --- VIN (GB 16735) -------------------------------------------------------------------------------------------------

_VIN_VALUES = {
    **{digit: int(digit) for digit in "0123456789"},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_MISREAD = str.maketrans("OIQ", "010")
_VIN_STRICT_PREFIXES = frozenset("L12345")  # China and North America: the check digit is mandatory
_VIN_NO_YEAR = frozenset("UZ0")


def normalise_vin(text: str) -> str:
    """Upper case, half-width, without spaces and dashes. Changes no letter: a suggestion is for a person to take."""
    return strip_separators(text)


def vin_check_digit(vin: str) -> str:
    """The check digit (0–9 or X) that position 9 of a 17-character VIN should hold.

    Raises ValueError where the VIN has another length or a character that no VIN has.
    """
    if len(vin) != 17 or any(char not in _VIN_VALUES for char in vin):
        raise ValueError("A check digit exists only for 17 characters without I, O and Q.")
    rest = sum(_VIN_VALUES[char] * weight for char, weight in zip(vin, _VIN_WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def check_vin(text: str) -> Checked:
    """The VIN policy (2.3).

    Refused: another length, other characters, one character seventeen times. A wrong check digit or an impossible
    year letter is refused for vehicles of China and North America (first character L or 1–5) unless a supervisor
    overrides it, and is a warning for all others, where the check digit is optional.
    """
    vin = normalise_vin(text)
    bad = sorted(set(vin) - _VIN_VALUES.keys())
    if bad:
        meant = vin.translate(_VIN_MISREAD)
        usable = len(meant) == 17 and set(meant) <= _VIN_VALUES.keys() and len(set(meant)) > 1
        return Checked(
            vin,
            Level.REFUSED,
            "vin.characters",
            _("A VIN never contains %(characters)s. Compare it with the licence or the plate under the windscreen."),
            suggestion=meant if usable else "",
            params={"characters": " ".join(bad)},
        )
    if len(vin) != 17:
        return Checked(
            vin,
            Level.REFUSED,
            "vin.length",
            _("A VIN has 17 characters, this one has %(length)s."),
            params={"length": len(vin)},
        )
    if len(set(vin)) == 1:
        return Checked(vin, Level.REFUSED, "vin.repeated", _("The same character seventeen times is not a VIN."))
    strict = vin[0] in _VIN_STRICT_PREFIXES
    level = Level.REFUSED if strict else Level.WARNING
    if vin_check_digit(vin) != vin[8]:
        message = (
            _("The check digit does not fit: a character is probably mistyped.")
            if strict
            else _("The check digit does not fit. Makers outside China and North America may do without; compare it.")
        )
        return Checked(vin, level, "vin.check_digit", message, overridable=strict)
    if vin[9] in _VIN_NO_YEAR:
        message = _("The tenth character %(character)s stands for no model year.")
        return Checked(vin, level, "vin.year", message, overridable=strict, params={"character": vin[9]})
    return Checked(vin)


# --- Plate (GA 36) --------------------------------------------------------------------------------------------------


class PlateKind(StrEnum):
    """What a person says about the plate. Every kind but NORMAL skips the pattern."""

    NORMAL = "NORMAL"
    TEMPORARY = "TEMPORARY"
    DIPLOMATIC = "DIPLOMATIC"
    MILITARY = "MILITARY"
    UNREGISTERED = "UNREGISTERED"


class PlateColour(StrEnum):
    BLUE = "BLUE"
    YELLOW = "YELLOW"
    GREEN = "GREEN"
    YELLOW_GREEN = "YELLOW_GREEN"
    WHITE = "WHITE"
    BLACK = "BLACK"


PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"(?P<area>[{PROVINCES}][A-HJ-NP-Z])"
    r"(?:(?P<ordinary>[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])"
    r"|(?P<small>[A-HJK][A-HJ-NP-Z0-9][0-9]{4})"
    r"|(?P<large>[0-9]{5}[A-HJK]))"
)
_LAST_SIGN_COLOUR = {
    "挂": PlateColour.YELLOW,
    "学": PlateColour.YELLOW,
    "警": PlateColour.WHITE,
    "港": PlateColour.BLACK,
    "澳": PlateColour.BLACK,
}
_KIND_COLOUR = {PlateKind.DIPLOMATIC: PlateColour.BLACK, PlateKind.MILITARY: PlateColour.WHITE}
_PLATE_MISREAD = str.maketrans("OI", "01")


def normalise_plate(text: str) -> str:
    """Half-width, upper case, without dots, dashes and spaces: 京a·8k312 → 京A8K312."""
    return strip_separators(text)


def plate_colour(plate: str, kind: PlateKind = PlateKind.NORMAL) -> PlateColour | None:
    """The colour that follows from the pattern, None where it says nothing (temporary, unregistered, not a plate).

    An ordinary five-character serial is blue for cars; the yellow plate of a large vehicle has the same pattern, so
    a person may correct BLUE to YELLOW.
    """
    if kind is not PlateKind.NORMAL:
        return _KIND_COLOUR.get(kind)
    match = _PLATE.fullmatch(normalise_plate(plate))
    if match is None:
        return None
    if match["small"]:
        return PlateColour.GREEN
    if match["large"]:
        return PlateColour.YELLOW_GREEN
    return _LAST_SIGN_COLOUR.get(match["ordinary"][-1], PlateColour.BLUE)


def is_new_energy_plate(plate: str) -> bool:
    """True for the green plates of electric, hybrid and fuel-cell vehicles."""
    return plate_colour(plate) in {PlateColour.GREEN, PlateColour.YELLOW_GREEN}


def check_plate(text: str, kind: PlateKind = PlateKind.NORMAL) -> Checked:
    """A standard plate must fit the pattern; other kinds are kept as typed (UNREGISTERED may be empty)."""
    plate = normalise_plate(text)
    if kind == PlateKind.UNREGISTERED:
        return Checked(plate)
    if not plate:
        return Checked(plate, Level.REFUSED, "plate.empty", _("Enter the plate, or choose “not registered yet”."))
    if kind != PlateKind.NORMAL or _PLATE.fullmatch(plate):
        return Checked(plate)
    meant = plate[:2] + plate[2:].translate(_PLATE_MISREAD)
    if meant != plate and _PLATE.fullmatch(meant):
        message = _("The letters I and O are not used after the first two characters of a plate.")
        return Checked(plate, Level.REFUSED, "plate.letters", message, suggestion=meant)
    return Checked(
        plate,
        Level.REFUSED,
        "plate.pattern",
        _("This is no plate pattern. Expected for example 京A·8K312 or 京A·D06218; for others choose the plate kind."),
    )


# --- Telephone, e-mail, company code --------------------------------------------------------------------------------


class PhoneKind(StrEnum):
    MOBILE = "MOBILE"
    LANDLINE = "LANDLINE"
    SERVICE = "SERVICE"


_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(010|02[0-9]|0[3-9][0-9]{2})([2-8][0-9]{6,7})(?:(?:X|转|EXT|#)([0-9]{1,6}))?")
_SERVICE = re.compile(r"[48]00[0-9]{7}")
_EXTENSION = re.compile(r"^(.*[0-9]{7,8})[\s\-]*(?:-|转|分机|EXT\.?|X|#)[\s\-:]*([0-9]{1,6})$")


def _plain_phone(text: str) -> str:
    """Digits of a telephone number with its extension after X; the country code +86 is gone."""
    folded = fold_width(text).upper()
    extension = _EXTENSION.match(folded)
    if extension and len(re.sub(r"[^0-9]", "", extension[1])) >= 10:
        folded = f"{extension[1]}X{extension[2]}"
    plain = re.sub(r"[\s()\[\]·.\-‐‑‒–—―_]+", "", folded)
    for code in ("+86", "0086"):
        if plain.startswith(code):
            rest = plain[len(code) :]
            return rest if rest.startswith("0") or _MOBILE.fullmatch(rest) or _SERVICE.fullmatch(rest) else f"0{rest}"
    if plain.startswith("86") and _MOBILE.fullmatch(plain[2:]):
        return plain[2:]
    return plain


def normalise_phone(text: str) -> str:
    """13812345678, 0574-87654321, 0574-87654321-801 or 4001234567; what is no number comes back half-width."""
    plain = _plain_phone(text)
    if _MOBILE.fullmatch(plain) or _SERVICE.fullmatch(plain):
        return plain
    landline = _LANDLINE.fullmatch(plain)
    return "-".join(part for part in landline.groups() if part) if landline else fold_width(text)


def phone_kind(text: str) -> PhoneKind | None:
    """The kind of number, None where it is none."""
    plain = _plain_phone(text)
    if _MOBILE.fullmatch(plain):
        return PhoneKind.MOBILE
    if _SERVICE.fullmatch(plain):
        return PhoneKind.SERVICE
    return PhoneKind.LANDLINE if _LANDLINE.fullmatch(plain) else None


def check_phone(text: str) -> Checked:
    """A mobile, a landline with area code (and extension), or a 400/800 number."""
    value = normalise_phone(text)
    if phone_kind(text) is None:
        message = _("This is no telephone number. Expected a mobile (11 digits) or a landline with area code.")
        return Checked(value, Level.REFUSED, "phone.pattern", message)
    return Checked(value)


def check_mobile(text: str) -> Checked:
    """A mobile number only (text messages go nowhere else)."""
    value = normalise_phone(text)
    if phone_kind(text) is not PhoneKind.MOBILE:
        message = _("A mobile number has 11 digits and begins with 13 to 19.")
        return Checked(value, Level.REFUSED, "mobile.pattern", message)
    return Checked(value)


@dataclass(frozen=True, slots=True)
class PhoneCell:
    """Numbers found in one cell of a list, in their order and each once, and the words that are none."""

    phones: tuple[str, ...]
    rest: str


_PHONE_BREAK = re.compile(r"[/,;、|\n\r\t]+|(?<=\d)\s*[或和&]\s*(?=[+\d(])")
_PHONE_IN_TEXT = re.compile(
    r"(?<!\d)(?:(?:\+|00)?86[ \-]?)?1[3-9]\d(?:[ \-]?\d{4}){2}(?!\d)"
    r"|(?<!\d)\(?0(?:10|2\d|[3-9]\d{2})\)?[ \-]?[2-8]\d{6,7}(?:(?:-|转|ext\.?|x|#)\d{1,6})?(?!\d)"
    r"|(?<!\d)[48]00[ \-]?\d{3}[ \-]?\d{4}(?!\d)",
    re.IGNORECASE | re.ASCII,
)


def split_phones(cell: str) -> PhoneCell:
    """Takes "two phones in a cell" apart: ``13812345678/0574-87654321`` or ``138 1234 5678 张师傅 13987654321``."""
    phones: list[str] = []
    rest: list[str] = []
    for piece in _PHONE_BREAK.split(fold_width(cell)):
        if phone_kind(piece):
            phones.append(normalise_phone(piece))
            continue
        phones.extend(normalise_phone(found) for found in _PHONE_IN_TEXT.findall(piece))
        words = re.sub(r"\(\s*\)", "", _PHONE_IN_TEXT.sub(" ", piece))
        rest.append(" ".join(words.split()))
    return PhoneCell(tuple(dict.fromkeys(phones)), " ".join(word for word in rest if word))


_email_validator = EmailValidator()


def check_email(text: str) -> Checked:
    """An ordinary address; the part after @ is lower-cased."""
    value = fold_width(text)
    name, at, domain = value.rpartition("@")
    value = f"{name}@{domain.lower()}" if at else value
    if not _is_email(value):
        meant = re.sub(r"\s+", "", value).replace(",", ".").replace("。", ".")
        return Checked(
            value,
            Level.REFUSED,
            "email.pattern",
            _("This is no e-mail address."),
            suggestion=meant if _is_email(meant) else "",
        )
    return Checked(value)


def _is_email(value: str) -> bool:
    try:
        _email_validator(value)
    except ValidationError:
        return False
    return True


_USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_USCC_MISREAD = str.maketrans("OISZ", "0152")


def uscc_check_character(first: str) -> str:
    """The eighteenth character for the first seventeen of a company code. Raises ValueError on other input."""
    if len(first) != 17 or any(char not in _USCC_CHARACTERS for char in first):
        raise ValueError("A check character exists only for 17 characters without I, O, S, V and Z.")
    total = sum(_USCC_CHARACTERS.index(char) * weight for char, weight in zip(first, _USCC_WEIGHTS, strict=True))
    return _USCC_CHARACTERS[(31 - total % 31) % 31]


def _is_uscc(code: str) -> bool:
    return len(code) == 18 and set(code) <= set(_USCC_CHARACTERS) and uscc_check_character(code[:17]) == code[17]


def check_uscc(text: str) -> Checked:
    """The unified social credit code of a company (GB 32100): 18 characters, the last one checks the others."""
    code = strip_separators(text)
    if _is_uscc(code):
        return Checked(code)
    meant = code.translate(_USCC_MISREAD)
    suggestion = meant if _is_uscc(meant) else ""
    if len(code) != 18:
        message, name = _("A unified social credit code has 18 characters, this one has %(length)s."), "uscc.length"
        return Checked(code, Level.REFUSED, name, message, params={"length": len(code)})
    bad = sorted(set(code) - set(_USCC_CHARACTERS))
    if bad:
        message = _("A unified social credit code never contains %(characters)s.")
        return Checked(
            code, Level.REFUSED, "uscc.characters", message, suggestion, params={"characters": " ".join(bad)}
        )
    message = _("The check character does not fit: a character is probably mistyped.")
    return Checked(code, Level.REFUSED, "uscc.check_character", message, suggestion)


# --- Identity number (GB 11643): known only so that nobody keeps it (7.3: what isn't needed isn't collected) -----------

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_ID_IN_TEXT = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx](?![0-9])",
    re.ASCII,
)


def is_id_number(text: str) -> bool:
    """True for a citizen's identity number of 18 characters with a day of birth and a right check character."""
    number = strip_separators(text)
    if not _ID_IN_TEXT.fullmatch(number):
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False)) % 11
    return _ID_CHECK[rest] == number[17]


def check_without_id_number(text: str) -> Checked:
    """Words in which no identity number stands; ``value`` is the text as it was."""
    if any(is_id_number(found) for found in _ID_IN_TEXT.findall(fold_width(text))):
        message = _("An identity number isn't kept here: nothing in the service needs it. Leave it out.")
        return Checked(text, Level.REFUSED, "text.id_number", message)
    return Checked(text)


# --- Django's clean helpers -----------------------------------------------------------------------------------------


def accept(checked: Checked) -> str:
    """The value, or ValidationError with the code of the check and its suggestion. Warnings pass."""
    if checked.level is not Level.REFUSED:
        return checked.value
    raise ValidationError(checked.said, code=checked.code)


def demand(checked: Checked, *, field: str) -> str:
    """The value for a command, or RuleError with the check's code that names ``field`` and what was probably meant."""
    if checked.level is not Level.REFUSED:
        return checked.value
    raise RuleError(checked.code, checked.said, field=field)


def clean_vin(value: str, *, overridden: bool = False) -> str:
    """``overridden`` lifts only what a supervisor may lift; the command asks for the reason and records it."""
    checked = check_vin(value)
    return checked.value if overridden and checked.overridable else accept(checked)


def clean_plate(value: str, kind: PlateKind = PlateKind.NORMAL) -> str:
    return accept(check_plate(value, kind))


def clean_phone(value: str) -> str:
    return accept(check_phone(value))


def clean_mobile(value: str) -> str:
    return accept(check_mobile(value))


def clean_email(value: str) -> str:
    return accept(check_email(value))


def clean_uscc(value: str) -> str:
    return accept(check_uscc(value))


# --- Masking (7.3) --------------------------------------------------------------------------------------------------


def mask_phone(value: str) -> str:
    """138****1234; of a landline the area code and the last four digits stay (0574-****4321); no number shows ****."""
    plain = _plain_phone(value)
    if _MOBILE.fullmatch(plain) or _SERVICE.fullmatch(plain):
        return f"{plain[:3]}****{plain[-4:]}"
    landline = _LANDLINE.fullmatch(plain)
    return f"{landline[1]}-****{landline[2][-4:]}" if landline else ("****" if value else "")


def mask_vin(value: str) -> str:
    """The last eight characters; a shorter text shows nothing."""
    vin = normalise_vin(value)
    return "*" * len(vin) if len(vin) <= 8 else "*" * (len(vin) - 8) + vin[-8:]


def mask_plate(value: str) -> str:
    """Province, letter and the last two characters: 京A***12."""
    plate = normalise_plate(value)
    return "*" * len(plate) if len(plate) < 6 else plate[:2] + "*" * (len(plate) - 4) + plate[-2:]


def mask_name(value: str) -> str:
    """The surname stays: 张*, 王**, 欧阳**; of Latin names the first letter of each word: A**** S****."""
    name = " ".join(fold_width(value).split())
    if not name:
        return ""
    if name.isascii():
        return " ".join(word[0] + "*" * (len(word) - 1) for word in name.split())
    kept = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1
    return name[:kept] + "*" * max(len(name) - kept, 1)


def mask_email(value: str) -> str:
    """First letter and domain: z***@example.com; what is no address shows ****."""
    checked = check_email(value)
    if checked.level is not Level.OK:
        return "****" if value else ""
    name, _at, domain = checked.value.rpartition("@")
    return f"{name[0]}***@{domain}"


# --- Search keys ----------------------------------------------------------------------------------------------------

_SURNAMES = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "盖": "ge", "乐": "yue",
    "朴": "piao", "任": "ren", "翟": "zhai", "覃": "qin", "缪": "miao", "洗": "xian", "繁": "po", "黑": "he",
    "秘": "bi", "员": "yun", "种": "chong", "折": "she", "召": "shao", "祭": "zhai", "句": "gou", "贲": "ben",
    "逄": "pang", "隗": "wei", "薄": "bo", "尉": "wei", "乜": "nie", "车": "che", "石": "shi", "沈": "shen",
    "柏": "bai", "谌": "chen", "应": "ying", "华": "hua", "葛": "ge", "晟": "cheng", "冯": "feng", "阚": "kan",
    "相": "xiang", "瞿": "qu", "俞": "yu", "藏": "zang", "干": "gan", "曲": "qu", "盛": "sheng", "叶": "ye",
}  # fmt: skip
_COMPOUND_SURNAMES = {
    "欧阳": "ou yang", "太史": "tai shi", "上官": "shang guan", "司马": "si ma", "东方": "dong fang",
    "独孤": "du gu", "南宫": "nan gong", "万俟": "mo qi", "闻人": "wen ren", "夏侯": "xia hou", "诸葛": "zhu ge",
    "尉迟": "yu chi", "公羊": "gong yang", "赫连": "he lian", "澹台": "tan tai", "皇甫": "huang fu",
    "宗政": "zong zheng", "濮阳": "pu yang", "公冶": "gong ye", "申屠": "shen tu", "公孙": "gong sun",
    "慕容": "mu rong", "钟离": "zhong li", "长孙": "zhang sun", "宇文": "yu wen", "司徒": "si tu", "鲜于": "xian yu",
    "司空": "si kong", "令狐": "ling hu", "端木": "duan mu", "轩辕": "xuan yuan", "呼延": "hu yan", "东郭": "dong guo",
    "百里": "bai li", "西门": "xi men", "拓跋": "tuo ba", "第五": "di wu", "梁丘": "liang qiu",
}  # fmt: skip
_LONGEST_PERSON = 4  # longer Chinese names are companies: 解放… begins with jie, not with the surname xie


def pinyin_syllables(name: str) -> list[str]:
    """The name's syllables in lower-case pinyin without tones (ü is v); Latin words and numbers stay as they are.

    In names of up to four characters the first one or two are read as a surname (单 shan, 曾 zeng, 尉迟 yu chi).
    """
    from pypinyin import lazy_pinyin  # its dictionary takes a while to load and only saving a name needs it

    folded = fold_width(name).lower()
    chinese = re.sub(r"[\s·・.]+", "", folded)
    syllables: list[str] = []
    if len(chinese) <= _LONGEST_PERSON and not chinese.isascii():
        folded = chinese
        if len(chinese) > 1 and chinese[:2] in _COMPOUND_SURNAMES:
            syllables, folded = _COMPOUND_SURNAMES[chinese[:2]].split(), chinese[2:]
        elif chinese[0] in _SURNAMES:
            syllables, folded = [_SURNAMES[chinese[0]]], chinese[1:]
    for part in lazy_pinyin(folded):
        syllables.extend(re.findall(r"[a-z0-9]+", part))
    return syllables


def pinyin_full(name: str) -> str:
    """单小红 → shanxiaohong."""
    return "".join(pinyin_syllables(name))


def pinyin_initials(name: str) -> str:
    """单小红 → sxh; the digits of a name stay whole."""
    return "".join(part if part.isdigit() else part[0] for part in pinyin_syllables(name))


def phone_tail(value: str, length: int = 4) -> str:
    """The last digits of a number without its extension; '' where there are fewer."""
    digits = re.sub(r"[^0-9]", "", _plain_phone(value).partition("X")[0])
    return digits[-length:] if len(digits) >= length else ""


def vin_tail(value: str, length: int = 8) -> str:
    """The last characters of a VIN; '' where there are fewer."""
    vin = normalise_vin(value)
    return vin[-length:] if len(vin) >= length else ""


def plate_without_province(value: str) -> str:
    """A8K312 for 京A8K312: what a customer says on the phone."""
    plate = normalise_plate(value)
    return plate[1:] if plate[:1] in PROVINCES else plate


def tolerant_key(value: str) -> str:
    """One key for what eyes mix up: O, Q and 0; I and 1. For searching and comparing, never for storing as a value."""
    return strip_separators(value).translate(_VIN_MISREAD)
