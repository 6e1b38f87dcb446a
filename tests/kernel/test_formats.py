"""Formats: the vectors of the domain page and properties (2.3, 7.2, 7.3)."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import assume, given
from hypothesis import strategies as st

from dealership.kernel.formats import (
    Checked,
    Level,
    PhoneCell,
    PhoneKind,
    PlateColour,
    PlateKind,
    check_email,
    check_mobile,
    check_phone,
    check_plate,
    check_uscc,
    check_vin,
    check_without_id_number,
    clean_mobile,
    clean_plate,
    clean_uscc,
    clean_vin,
    is_id_number,
    is_new_energy_plate,
    mask_email,
    mask_name,
    mask_phone,
    mask_plate,
    mask_vin,
    normalise_phone,
    normalise_plate,
    normalise_vin,
    phone_kind,
    phone_tail,
    pinyin_full,
    pinyin_initials,
    plate_colour,
    plate_without_province,
    split_phones,
    tolerant_key,
    uscc_check_character,
    vin_check_digit,
    vin_tail,
)
from dealership.kernel.saying import say_plate

VIN_CHARACTERS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"


def as_full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


class TestVin:
    @pytest.mark.parametrize(
        "vin",
        ["LDC613P23A1305189", "LSJA24U62JG269225", "LZZ1BLMJ4TJ465057", "WP0AA2973DL017067", "1M8GDM9AXKP042788"],
    )
    def test_real_check_digits_pass(self, vin):
        assert check_vin(vin) == Checked(vin)

    def test_wrong_check_digit_of_a_chinese_vehicle_needs_a_supervisor(self):
        checked = check_vin("LSVXZ60E0H2345678")
        assert (checked.level, checked.code, checked.overridable) == (Level.REFUSED, "vin.check_digit", True)
        with pytest.raises(ValidationError) as refused:
            clean_vin("LSVXZ60E0H2345678")
        assert refused.value.code == "vin.check_digit"
        with pytest.raises(ValidationError, match="LDC613P23A1305189"):
            clean_vin("LDC6I3P23AI3O5I89")
        assert clean_vin("LSVXZ60E0H2345678", overridden=True) == "LSVXZ60E0H2345678"

    def test_wrong_check_digit_of_a_brazilian_vehicle_is_a_warning(self):
        checked = check_vin("9BWZZZ377VT004251")
        assert (checked.level, checked.code, checked.overridable) == (Level.WARNING, "vin.check_digit", False)
        assert clean_vin("9BWZZZ377VT004251") == "9BWZZZ377VT004251"

    def test_repeated_character_is_refused_for_good_though_its_sum_fits(self):
        assert vin_check_digit("1" * 17) == "1"
        checked = check_vin("1" * 17)
        assert (checked.level, checked.code, checked.overridable) == (Level.REFUSED, "vin.repeated", False)
        with pytest.raises(ValidationError):
            clean_vin("1" * 17, overridden=True)

    def test_year_letter(self):
        vin = "LDC613P20Z1305189"
        vin = vin[:8] + vin_check_digit(vin) + vin[9:]
        checked = check_vin(vin)
        assert (checked.level, checked.code, checked.overridable) == (Level.REFUSED, "vin.year", True)

    @pytest.mark.parametrize(
        ("typed", "suggestion"),
        [
            ("LDC6I3P23AI3O5I89", "LDC613P23A1305189"),
            ("1M8GDM9AXKPQ42788", "1M8GDM9AXKP042788"),
            ("LDC613P23A13O518", ""),
            ("LDC613P23A1305汉89", ""),
        ],
    )
    def test_letters_that_no_vin_has(self, typed, suggestion):
        checked = check_vin(typed)
        assert (checked.level, checked.code, checked.suggestion) == (Level.REFUSED, "vin.characters", suggestion)

    def test_message_names_the_letters(self):
        assert check_vin("LDC6I3P23AI3O5I89").params == {"characters": "I O"}

    @pytest.mark.parametrize(("typed", "length"), [("", 0), ("LDC613P23A130518", 16), ("LDC613P23A13051890", 18)])
    def test_length(self, typed, length):
        checked = check_vin(typed)
        assert (checked.code, checked.params) == ("vin.length", {"length": length})

    @given(st.text(VIN_CHARACTERS, min_size=17, max_size=17))
    def test_a_corrected_check_digit_is_never_refused_for_it(self, vin):
        fixed = vin[:8] + vin_check_digit(vin) + vin[9:]
        assert check_vin(fixed).code in {"", "vin.year", "vin.repeated"}
        assert normalise_vin(as_full_width(f" {fixed[:3].lower()}-{fixed[3:9]} {fixed[9:]}")) == fixed

    @given(
        st.text("0123456789", min_size=17, max_size=17),
        st.sampled_from([place for place in range(17) if place != 8]),
        st.sampled_from("0123456789"),
    )
    def test_one_wrong_digit_changes_the_sum(self, vin, position, other):
        """A mistyped digit is found; letters with the same value (A, J, 1) can't be told apart by the standard."""
        assume(other != vin[position])
        assert vin_check_digit(vin[:position] + other + vin[position + 1 :]) != vin_check_digit(vin)

    @pytest.mark.parametrize("wrong", ["", "LDC613P23A130518I", "LDC"])
    def test_check_digit_refuses_what_is_no_vin(self, wrong):
        with pytest.raises(ValueError):
            vin_check_digit(wrong)


class TestPlate:
    @pytest.mark.parametrize(
        ("plate", "colour"),
        [
            ("沪A12345", PlateColour.BLUE),
            ("粤BD12345", PlateColour.GREEN),
            ("粤B12345D", PlateColour.YELLOW_GREEN),
            ("京AF0236", PlateColour.BLUE),
            ("粤Z1234港", PlateColour.BLACK),
            ("粤Z1234澳", PlateColour.BLACK),
            ("苏A1234学", PlateColour.YELLOW),
            ("苏A1234挂", PlateColour.YELLOW),
            ("苏A1234警", PlateColour.WHITE),
        ],
    )
    def test_standard_plates_and_their_colour(self, plate, colour):
        assert check_plate(plate) == Checked(plate)
        assert plate_colour(plate) is colour
        assert is_new_energy_plate(plate) is (colour in {PlateColour.GREEN, PlateColour.YELLOW_GREEN})

    def test_letter_i_gets_a_suggestion(self):
        checked = check_plate("沪A1234I")
        assert (checked.level, checked.code, checked.suggestion) == (Level.REFUSED, "plate.letters", "沪A12341")
        assert check_plate("沪AO234I").suggestion == "沪A02341"

    @pytest.mark.parametrize("plate", ["沪AD123456", "A12345", "沪012345", "沪O12345", "沪A1234", "沪A１２３４५"])
    def test_other_patterns_are_refused(self, plate):
        checked = check_plate(plate)
        assert (checked.level, checked.code, checked.suggestion) == (Level.REFUSED, "plate.pattern", "")
        assert plate_colour(plate) is None

    @pytest.mark.parametrize(
        "typed", ["京a·8k312", "京A 8K312", "京A-8K312", "京Ａ．８Ｋ３１２", " 京A•8K312 ", "京A・8K312"]
    )
    def test_separators_and_width(self, typed):
        assert normalise_plate(typed) == "京A8K312"
        assert clean_plate(typed) == "京A8K312"

    @pytest.mark.parametrize(
        ("typed", "kind", "value", "colour"),
        [
            ("使 014578", PlateKind.DIPLOMATIC, "使014578", PlateColour.BLACK),
            ("VA·12345", PlateKind.MILITARY, "VA12345", PlateColour.WHITE),
            ("京A临12345", PlateKind.TEMPORARY, "京A临12345", None),
            ("", PlateKind.UNREGISTERED, "", None),
            ("无牌新车", PlateKind.UNREGISTERED, "无牌新车", None),
        ],
    )
    def test_other_kinds_skip_the_pattern(self, typed, kind, value, colour):
        assert check_plate(typed, kind) == Checked(value)
        assert plate_colour(typed, kind) is colour

    @pytest.mark.parametrize("kind", [kind for kind in PlateKind if kind is not PlateKind.UNREGISTERED])
    def test_empty_is_only_for_the_unregistered(self, kind):
        assert check_plate(" · ", kind).code == "plate.empty"

    def test_what_is_no_plate_stands_as_typed(self):
        for typed in ("京b00005", "沪B.00006", "浙Ａ００００３", "京·A1"):
            assert say_plate(f" {typed} ") == typed

    @pytest.mark.parametrize(
        ("plate", "shown"),
        [
            ("京A8K312", "京A·8K312"),
            ("京AD06218", "京A·D06218"),
            ("京A12345D", "京A·12345D"),
            ("苏A1234学", "苏A·1234学"),
            ("使014578", "使014578"),
            ("", ""),
        ],
    )
    def test_display(self, plate, shown):
        assert say_plate(plate) == shown
        assert normalise_plate(shown) == plate

    @given(st.text(max_size=12))
    def test_normalising_twice_changes_nothing(self, text):
        once = normalise_plate(text)
        assert normalise_plate(once) == once


class TestPhone:
    @pytest.mark.parametrize(
        ("typed", "value", "kind"),
        [
            ("13812345678", "13812345678", PhoneKind.MOBILE),
            ("+86 138-1234-5678", "13812345678", PhoneKind.MOBILE),
            ("8613812345678", "13812345678", PhoneKind.MOBILE),
            ("0086 138 1234 5678", "13812345678", PhoneKind.MOBILE),
            ("１３８１２３４５６７８", "13812345678", PhoneKind.MOBILE),
            ("0574-87654321", "0574-87654321", PhoneKind.LANDLINE),
            ("(0574)87654321", "0574-87654321", PhoneKind.LANDLINE),
            ("010 6512 3456", "010-65123456", PhoneKind.LANDLINE),
            ("+86 21 6123 4567", "021-61234567", PhoneKind.LANDLINE),
            ("0574-87654321-801", "0574-87654321-801", PhoneKind.LANDLINE),
            ("057487654321转801", "0574-87654321-801", PhoneKind.LANDLINE),
            ("0312-2345678", "0312-2345678", PhoneKind.LANDLINE),
            ("400-123-4567", "4001234567", PhoneKind.SERVICE),
        ],
    )
    def test_numbers(self, typed, value, kind):
        assert check_phone(typed) == Checked(value)
        assert phone_kind(typed) is kind
        assert normalise_phone(value) == value

    @pytest.mark.parametrize("typed", ["", "12812345678", "1381234567", "138123456789", "87654321", "张三", "+86"])
    def test_no_numbers(self, typed):
        assert check_phone(typed).code == "phone.pattern"
        assert phone_kind(typed) is None

    def test_mobile_only(self):
        assert clean_mobile("+86 138 1234 5678") == "13812345678"
        assert check_mobile("0574-87654321").code == "mobile.pattern"

    @pytest.mark.parametrize(
        ("cell", "phones", "rest"),
        [
            ("13812345678/13987654321", ("13812345678", "13987654321"), ""),
            ("13812345678、0574-87654321", ("13812345678", "0574-87654321"), ""),
            ("13812345678 13987654321", ("13812345678", "13987654321"), ""),
            ("138 1234 5678 139-8765-4321", ("13812345678", "13987654321"), ""),
            ("13812345678（李师傅），13987654321", ("13812345678", "13987654321"), "(李师傅)"),
            ("13812345678或13987654321", ("13812345678", "13987654321"), ""),
            ("13812345678;13812345678", ("13812345678",), ""),
            ("0574-87654321-801", ("0574-87654321-801",), ""),
            ("无", (), "无"),
            ("", (), ""),
            ("138123456789", (), "138123456789"),
        ],
    )
    def test_two_in_a_cell(self, cell, phones, rest):
        assert split_phones(cell) == PhoneCell(phones, rest)

    @given(st.lists(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True).filter(str.isascii), max_size=4, unique=True))
    def test_joined_mobiles_come_apart_again(self, mobiles):
        for separator in ("/", "、", " ", ", ", "；"):
            assert split_phones(separator.join(mobiles)) == PhoneCell(tuple(mobiles), "")

    @given(st.text(max_size=20))
    def test_any_text_is_answered(self, text):
        assert all(phone_kind(phone) for phone in split_phones(text).phones)


class TestEmailAndCompanyCode:
    def test_email(self):
        assert check_email(" Zhang.San@Example.COM ") == Checked("Zhang.San@example.com")
        assert check_email("zhang＠example.com") == Checked("zhang@example.com")
        refused = check_email("zhang@example,com")
        assert (refused.code, refused.suggestion) == ("email.pattern", "zhang@example.com")
        assert (check_email("zhang").code, check_email("zhang").suggestion) == ("email.pattern", "")

    @pytest.mark.parametrize("code", ["91350100M000100Y43", "91310000MA1K000006"])
    def test_valid_company_codes(self, code):
        assert check_uscc(code) == Checked(code)
        assert clean_uscc(as_full_width(code.lower())) == code

    def test_refused_company_codes(self):
        assert check_uscc("91350100M000100Y44").code == "uscc.check_character"
        assert check_uscc("91350100M000100Y4").params == {"length": 17}
        letters = check_uscc("9135O1OOMOOO1OOY43")
        assert (letters.code, letters.suggestion) == ("uscc.characters", "91350100M000100Y43")
        with pytest.raises(ValueError):
            uscc_check_character("SHORT")

    @given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17), st.integers(0, 16), st.data())
    def test_company_code_finds_every_single_slip(self, first, position, data):
        code = first + uscc_check_character(first)
        assert check_uscc(code).level is Level.OK
        other = data.draw(st.sampled_from([c for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if c != code[position]]))
        assert check_uscc(code[:position] + other + code[position + 1 :]).code == "uscc.check_character"


class TestIdentityNumber:
    """GB 11643 is known so that nobody keeps one (7.3)."""

    def test_the_vector_and_its_near_misses(self):
        assert is_id_number("11010519491231002X")
        assert is_id_number("1101051949 1231 002x")
        for near in ("110105194912310021", "11010519491331002X", "11010517491231002X", "91350100M000100Y43", ""):
            assert not is_id_number(near)

    @pytest.mark.parametrize("text", ["身份证11010519491231002X", "１１０１０５１９４９１２３１００２Ｘ 车主本人"])
    def test_words_with_one_are_refused(self, text):
        assert check_without_id_number(text).code == "text.id_number"

    @pytest.mark.parametrize("text", ["", "老客户", "911010519491231002X1", "订单 202611260000000017"])
    def test_other_words_pass_unchanged(self, text):
        assert check_without_id_number(text) == Checked(text)


class TestMasking:
    @pytest.mark.parametrize(
        ("mask", "value", "shown"),
        [
            (mask_phone, "13800001234", "138****1234"),
            (mask_phone, "0574-87654321-801", "0574-****4321"),
            (mask_phone, "not a number", "****"),
            (mask_phone, "", ""),
            (mask_vin, "LDC613P23A1305189", "*********A1305189"),
            (mask_vin, "A1305189", "********"),
            (mask_plate, "京A8K312", "京A***12"),
            (mask_plate, "京AD06218", "京A****18"),
            (mask_plate, "A12", "***"),
            (mask_name, "张三", "张*"),
            (mask_name, "王小明", "王**"),
            (mask_name, "欧阳小红", "欧阳**"),
            (mask_name, "欧阳", "欧*"),
            (mask_name, "张", "张*"),
            (mask_name, "Alice Smith", "A**** S****"),
            (mask_name, "", ""),
            (mask_email, "zhang@example.com", "z***@example.com"),
            (mask_email, "zhang", "****"),
            (mask_email, "", ""),
        ],
    )
    def test_shown(self, mask, value, shown):
        assert mask(value) == shown


class TestSearchKeys:
    @pytest.mark.parametrize(
        ("name", "full", "initials"),
        [
            ("单小红", "shanxiaohong", "sxh"),
            ("曾国强", "zengguoqiang", "zgq"),
            ("解晓东", "xiexiaodong", "xxd"),
            ("仇英", "qiuying", "qy"),
            ("区志明", "ouzhiming", "ozm"),
            ("查良", "zhaliang", "zl"),
            ("翟天", "zhaitian", "zt"),
            ("朴信", "piaoxin", "px"),
            ("尉迟恭", "yuchigong", "ycg"),
            ("万俟雪", "moqixue", "mqx"),
            ("欧阳小红", "ouyangxiaohong", "oyxh"),
            ("吕小月", "lvxiaoyue", "lxy"),
            ("解放货运有限公司", "jiefanghuoyunyouxiangongsi", "jfhyyxgs"),
            ("重庆样例商贸有限公司", "chongqingyanglishangmaoyouxiangongsi", "cqylsmyxgs"),
            ("Alice Smith", "alicesmith", "as"),
            ("张 三", "zhangsan", "zs"),
            ("", "", ""),
        ],
    )
    def test_pinyin(self, name, full, initials):
        assert (pinyin_full(name), pinyin_initials(name)) == (full, initials)

    def test_tails(self):
        assert phone_tail("138 1234 5678") == "5678"
        assert phone_tail("0574-87654321-801") == "4321"
        assert phone_tail("567") == ""
        assert vin_tail("ldc613p23a1305189") == "A1305189"
        assert vin_tail("LDC613P23A1305189", 6) == "305189"
        assert vin_tail("5189") == ""

    def test_plate_as_said_on_the_phone(self):
        assert plate_without_province("京A·8K312") == "A8K312"
        assert plate_without_province("a8k312") == "A8K312"
        assert plate_without_province("") == ""

    def test_tolerant_key(self):
        assert tolerant_key("京a·8ki3o") == tolerant_key("京A8K130") == "京A8K130"

    @given(st.text(max_size=20))
    def test_pinyin_is_always_typeable(self, name):
        assert all(char.isascii() and char.isalnum() for char in pinyin_full(name) + pinyin_initials(name))
