"""Check sheets to begin with: a full one for maintenance, a short one for tyres or a wash (3.1), and the three that
second-class maintenance, assembly and whole-vehicle repair need (3.2, domain 3.4).

The bounds are common starting values; where the maker's book says otherwise the house writes its next version.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction

from dealership.catalogue.check_models import BOUNDS, CheckKind, CheckSection, CheckStage, CheckTemplate
from dealership.catalogue.models import Operation
from dealership.catalogue.services import sheets
from dealership.kernel.actors import machine

S, K = CheckSection, CheckKind
FUEL = ("ICE", "HEV", "PHEV")
PLUG = ("PHEV", "BEV")
FROM = date(2024, 1, 1)


class Seed(NamedTuple):
    code: str
    section: str
    kind: str
    name: str
    name_en: str
    operation: str = ""
    safety: bool = False
    unit: str = ""
    bounds: tuple[str | None, ...] = ()
    powertrains: tuple[str, ...] = ()
    others: dict[str, tuple[str | None, ...]] = {}


TREAD = Seed(
    "TYRE-TREAD", S.TYRES, K.TYRE_MAP, "胎纹深度", "Tread depth", "TY-10", True, "mm", ("1.6", "3.0", None, None)
)
PRESSURE = Seed(
    "TYRE-PRESS", S.TYRES, K.TYRE_MAP, "胎压（冷态）", "Tyre pressure (cold)", "", True, "bar",
    ("1.8", "2.2", "2.8", "3.2"), (), {"BEV": ("2.0", "2.4", "3.1", "3.4")},
)  # fmt: skip
WALLS = Seed(
    "TYRE-WALL", S.TYRES, K.RATING, "胎侧鼓包、割伤、偏磨", "Sidewalls: bulges, cuts, uneven wear", "TY-10", True
)

FULL = [
    Seed("HORN", S.INTERIOR, K.RATING, "喇叭", "Horn"),
    Seed("DASH-LAMPS", S.INTERIOR, K.RATING, "仪表警告灯", "Warning lamps", "DG-10", True),
    Seed("BELTS", S.INTERIOR, K.RATING, "安全带锁止与回卷", "Seat belts lock and roll up", "", True),
    Seed("AC-COOL", S.INTERIOR, K.RATING, "空调制冷", "Air conditioning cools", "DG-30"),
    Seed("CABIN-FILTER", S.INTERIOR, K.RATING, "空调滤芯", "Cabin filter", "MT-20"),
    Seed("PARK-BRAKE", S.INTERIOR, K.RATING, "驻车制动", "Parking brake", "", True),
    Seed("LAMPS-FRONT", S.LIGHTS, K.RATING, "前部灯光（近光、远光、转向）", "Front lamps (low, high, indicators)", "EL-20", True),
    Seed("LAMPS-REAR", S.LIGHTS, K.RATING, "后部灯光（制动灯、倒车灯、车牌灯）", "Rear lamps (brake, reverse, plate)", "", True),
    Seed("WIPERS", S.LIGHTS, K.RATING, "雨刮片刮拭效果", "Wiper blades", "EL-10"),
    Seed("WASHER", S.LIGHTS, K.RATING, "玻璃水液位与喷水", "Screen wash level and jets"),
    Seed("WINDSCREEN", S.LIGHTS, K.RATING, "前风挡裂纹", "Windscreen cracks", "", True),
    Seed("OIL-LEVEL", S.UNDER_HOOD, K.RATING, "机油液位与油质", "Engine oil level and state", "MT-10", False, "", (), FUEL),
    Seed("AIR-FILTER", S.UNDER_HOOD, K.RATING, "空气滤芯", "Air filter", "MT-20", False, "", (), FUEL),
    Seed("DRIVE-BELT", S.UNDER_HOOD, K.RATING, "附件皮带裂纹与张紧", "Drive belt: cracks, tension", "", False, "", (),
         ("ICE", "HEV")),
    Seed("COOLANT-LEVEL", S.UNDER_HOOD, K.RATING, "冷却液液位", "Coolant level", "MT-60"),
    Seed("COOLANT-FREEZE", S.UNDER_HOOD, K.NUMBER, "冷却液冰点", "Coolant freezing point", "MT-60", False, "℃",
         (None, None, "-25", "-15")),
    Seed("BRAKE-FLUID", S.UNDER_HOOD, K.NUMBER, "制动液含水量", "Water in the brake fluid", "MT-50", True, "%",
         (None, None, "1.5", "3")),
    Seed("BATTERY-12V", S.UNDER_HOOD, K.NUMBER, "12V 蓄电池静态电压", "12 V battery at rest", "EN-40", False, "V",
         ("12.0", "12.4", None, None)),
    Seed("HOSES", S.UNDER_HOOD, K.RATING, "软管与管路渗漏", "Hoses and lines: leaks", "DG-10"),
    Seed("HV-CABLES", S.HIGH_VOLTAGE, K.RATING, "高压线束与插头外观", "High-voltage cables and plugs", "DG-40", True, "", (), PLUG),
    Seed("HV-INSULATION", S.HIGH_VOLTAGE, K.NUMBER, "高压绝缘电阻", "High-voltage insulation", "HV-10", True, "MΩ",
         ("0.5", "2", None, None), PLUG),
    Seed("HV-HEALTH", S.HIGH_VOLTAGE, K.NUMBER, "动力电池健康度（SOH）", "Traction battery health (SOH)", "DG-40", False, "%",
         ("70", "80", None, None), PLUG),
    Seed("CHARGE-PORT", S.HIGH_VOLTAGE, K.RATING, "充电口烧蚀、异物", "Charging port: burns, dirt", "", True, "", (), PLUG),
    TREAD,
    PRESSURE,
    WALLS,
    Seed("BRAKE-PADS", S.BRAKES, K.BRAKE_MAP, "制动片厚度", "Brake pad thickness", "BR-10", True, "mm", ("3", "5", None, None)),
    Seed("BRAKE-DISCS", S.BRAKES, K.RATING, "制动盘磨损与沟槽", "Brake discs: wear, grooves", "BR-20", True),
    Seed("BRAKE-LINES", S.BRAKES, K.RATING, "制动管路与分泵渗漏", "Brake lines and cylinders: leaks", "", True),
    Seed("STEERING", S.UNDER_CAR, K.RATING, "转向拉杆与球头间隙", "Tie rods and ball joints: play", "CH-20", True),
    Seed("SUSPENSION", S.UNDER_CAR, K.RATING, "悬架衬套、减振器渗油", "Suspension bushes, shock absorbers", "CH-30", True),
    Seed("SHAFT-BOOTS", S.UNDER_CAR, K.RATING, "半轴防尘套", "Drive shaft boots"),
    Seed("EXHAUST", S.UNDER_CAR, K.RATING, "排气系统固定与锈蚀", "Exhaust: mounting, rust", "", False, "", (), FUEL),
    Seed("OIL-LEAKS", S.UNDER_CAR, K.RATING, "发动机、变速箱渗油", "Engine, gearbox: oil leaks", "DG-10", False, "", (), FUEL),
    Seed("PACK-BOTTOM", S.UNDER_CAR, K.RATING, "电池包底部磕碰", "Battery pack: knocks from below", "DG-40", True, "", (), PLUG),
    Seed("DOORS", S.BODY, K.RATING, "车门铰链、锁与密封条", "Doors: hinges, locks, seals"),
    Seed("CAR-PHOTO", S.END, K.PHOTO, "举升检查照片", "Photo from under the lift"),
    Seed("REMARK", S.END, K.NOTE, "给客户的话", "A word for the customer"),
]  # fmt: skip

SHORT = [
    TREAD,
    PRESSURE,
    WALLS,
    Seed("WHEEL-BOLTS", S.TYRES, K.RATING, "车轮螺栓紧固", "Wheel bolts tight", "", True),
    Seed("WIPERS", S.LIGHTS, K.RATING, "雨刮片刮拭效果", "Wiper blades", "EL-10"),
    Seed("LAMPS-REAR", S.LIGHTS, K.RATING, "后部灯光（制动灯、倒车灯、车牌灯）", "Rear lamps (brake, reverse, plate)", "", True),
    Seed("PAINT", S.BODY, K.RATING, "漆面新伤", "New paint damage"),
    Seed("REMARK", S.END, K.NOTE, "给客户的话", "A word for the customer"),
]  # fmt: skip

# What GB/T 18344 and GB 7258 look at, in few items; bounds as GB 7258 has them for passenger cars in use.
BEFORE = [
    Seed("Q-COMPLAINT", S.INTERIOR, K.RATING, "托修方陈述的故障已确认", "Owner's fault is confirmed", "", True),
    Seed("Q-CODES", S.INTERIOR, K.RATING, "故障码与仪表警告灯", "Fault codes and warning lamps", "DG-10", True),
    Seed("Q-RUN", S.UNDER_HOOD, K.RATING, "发动机或驱动电机运转", "Engine or motor runs", "", True),
    Seed("Q-LEAKS", S.UNDER_CAR, K.RATING, "渗漏与外观损伤", "Leaks and damage"),
    TREAD,
    Seed("BRAKE-PADS", S.BRAKES, K.BRAKE_MAP, "制动片厚度", "Brake pad thickness", "BR-10", True, "mm", ("3", "5", None, None)),
    Seed("Q-STEER", S.UNDER_CAR, K.RATING, "转向与悬架间隙", "Play of steering and suspension", "CH-20", True),
    Seed("Q-FOUND", S.END, K.NOTE, "诊断结论", "What the diagnosis found"),
]  # fmt: skip

PROCESS = [
    Seed("Q-PARTS", S.UNDER_HOOD, K.RATING, "备件型号、规格与质量", "Parts: number, kind and quality", "", True),
    Seed("Q-WEAR", S.UNDER_HOOD, K.RATING, "拆检零件磨损与清洁", "Parts taken apart: wear, clean", "", True),
    Seed("Q-FIT", S.UNDER_HOOD, K.RATING, "装配间隙与定位", "Fit and clearances", "", True),
    Seed("Q-TORQUE", S.UNDER_CAR, K.RATING, "关键螺栓按规定力矩紧固", "Key bolts at their torque", "", True),
    Seed("Q-FLUIDS", S.UNDER_HOOD, K.RATING, "油液加注与密封", "Fluids filled, nothing leaks", "", True),
    Seed("Q-LINES", S.UNDER_CAR, K.RATING, "管路、线束走向与固定", "Lines and harness: run and held", "", True),
    Seed("Q-REMARK", S.END, K.NOTE, "过程检验记录", "Notes on the way"),
]  # fmt: skip

FINAL = [
    Seed("Q-DONE", S.INTERIOR, K.RATING, "维修项目全部完成", "All agreed work is done", "", True),
    Seed("Q-CODES", S.INTERIOR, K.RATING, "无故障码，警告灯熄灭", "No fault codes, lamps are out", "DG-10", True),
    Seed("Q-LAMPS", S.LIGHTS, K.NUMBER, "前照灯远光发光强度（较弱一侧）", "Headlamp, weaker side", "", True, "cd",
         ("15000", None, None, None)),
    Seed("Q-IDLE", S.UNDER_HOOD, K.RATING, "发动机或驱动电机工作正常", "Engine or motor works as it should", "", True),
    Seed("HV-INSULATION", S.HIGH_VOLTAGE, K.NUMBER, "高压绝缘电阻", "High-voltage insulation", "HV-10", True, "MΩ",
         ("0.5", "2", None, None), PLUG),
    PRESSURE,
    Seed("Q-BRAKE", S.BRAKES, K.NUMBER, "整车制动率", "Braking rate of the car", "", True, "%", ("60", None, None, None)),
    Seed("Q-BRAKE-DIFF", S.BRAKES, K.NUMBER, "同轴制动力差（最大）", "Difference on one axle", "", True, "%",
         (None, None, "20", "24")),
    Seed("Q-PARK", S.BRAKES, K.NUMBER, "驻车制动率", "Parking brake rate", "", True, "%", ("20", None, None, None)),
    Seed("Q-SLIP", S.UNDER_CAR, K.NUMBER, "转向轮横向侧滑量", "Side slip of the steered wheels", "", True, "m/km",
         ("-5", "-3", "3", "5")),
    Seed("Q-TIGHT", S.UNDER_CAR, K.RATING, "无渗漏，紧固可靠", "Nothing leaks, all is tight", "", True),
    Seed("Q-ROAD", S.END, K.RATING, "路试或动态检查正常", "Drive or dynamic check is good", "", True),
    Seed("Q-REMARK", S.END, K.NOTE, "竣工检验意见", "Words of the inspector"),
]  # fmt: skip

SHEETS: list[tuple[str, str, str, bool, list[Seed]]] = [
    ("FULL", "全车检查表", "Full check", True, FULL),
    ("SHORT", "轮胎与洗车快检表", "Quick check for tyres or a wash", False, SHORT),
    ("QC-BEFORE", "维修前诊断检验单", "Diagnosis sheet before the repair", False, BEFORE),
    ("QC-PROCESS", "维修过程检验单", "Check sheet during the repair", False, PROCESS),
    ("QC-FINAL", "竣工质量检验单", "Check sheet at completion", False, FINAL),
]
STAGES = {"QC-BEFORE": CheckStage.BEFORE, "QC-PROCESS": CheckStage.PROCESS, "QC-FINAL": CheckStage.FINAL}


@transaction.atomic
def seed_sheets() -> None:
    """Writes the sheets of which there is no version yet."""
    operations = {row.code: row for row in Operation.objects.all()}
    for code, name, name_en, with_maintenance, items in SHEETS:
        if CheckTemplate.objects.filter(code=code).exists():
            continue
        sheet = sheets.draft_template(
            code=code,
            name=name,
            name_en=name_en,
            with_maintenance=with_maintenance,
            stage=STAGES.get(code, ""),
            by=machine("seeds"),
        )
        for item in items:
            sheets.put_check_item(
                template_uid=sheet.uid,
                code=item.code,
                section=item.section,
                kind=item.kind,
                name=item.name,
                name_en=item.name_en,
                unit=item.unit,
                is_safety=item.safety,
                powertrains=list(item.powertrains),
                operation_uid=operations[item.operation].uid if item.operation else None,
                by=machine("seeds"),
                **_bounds(item.bounds),
            )
            for powertrain, bounds in item.others.items():
                sheets.put_check_limit(
                    template_uid=sheet.uid,
                    code=item.code,
                    powertrain=powertrain,
                    by=machine("seeds"),
                    **_bounds(bounds),
                )
        sheets.release_template(uid=sheet.uid, starts_on=FROM, by=machine("seeds"))


def _bounds(given: tuple[str | None, ...]) -> dict[str, Any]:
    return {name: Decimal(value) for name, value in zip(BOUNDS, given, strict=False) if value is not None}
