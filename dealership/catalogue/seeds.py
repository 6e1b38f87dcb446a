"""A starting catalogue: models, operations with hours, parts with what goes into an operation, prices of a store.

Names are data and stay as typed. Makes and models are invented; hours and prices are everyday magnitudes, to be
replaced by the maker's own. ``seed()`` may run any number of times and never overwrites what people changed.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from dealership.catalogue.check_seeds import seed_sheets
from dealership.catalogue.models import (
    BayCapability,
    LaborRate,
    MaintenancePlan,
    ModelPrice,
    Operation,
    OperationPart,
    Part,
    PartKind,
    PartPrice,
    PayType,
    Powertrain,
    RepairCategory,
    ToolKind,
    VehicleModel,
)
from dealership.catalogue.rules import POURED
from dealership.catalogue.services import maintenance
from dealership.catalogue.services.prices import set_first_part_prices, set_labor_rate, set_model_price
from dealership.kernel.actors import machine
from dealership.kernel.formats import pinyin_full, pinyin_initials
from dealership.kernel.models import Store
from staff.models import Skill

SKILLS = {
    "engine": ("发动机与电控", "Engine and electronics"),
    "chassis": ("底盘与制动", "Chassis and brakes"),
    "aircon": ("空调", "Air conditioning"),
    "body": ("钣金", "Body work"),
    "paint": ("喷漆", "Painting"),
    "hv": ("高压电", "High voltage"),
    "tyres": ("轮胎与定位", "Tyres and alignment"),
}

# make, series, name, powertrain, km, months
MODELS = [
    ("示例汽车", "锐放", "1.5T 舒适型", Powertrain.ICE, 10000, 12),
    ("示例汽车", "锐放", "2.0L 豪华型", Powertrain.ICE, 10000, 12),
    ("示例汽车", "锐放", "双擎 2.0", Powertrain.HEV, 10000, 12),
    ("示例汽车", "远岚", "2.0T 四驱", Powertrain.ICE, 7500, 6),
    ("示例汽车", "远岚", "插混 120 公里", Powertrain.PHEV, 10000, 12),
    ("示例汽车", "青禾", "1.5L 手动", Powertrain.ICE, 5000, 6),
    ("示例新能源", "星澜", "纯电 510", Powertrain.BEV, 20000, 12),
    ("示例新能源", "星澜", "纯电 620 长续航", Powertrain.BEV, 20000, 12),
    ("示例新能源", "云鹿", "纯电 405", Powertrain.BEV, 20000, 12),
    ("示例新能源", "云鹿", "增程 200", Powertrain.PHEV, 10000, 12),
    ("示例商用", "驰运", "2.3T 轻客", Powertrain.ICE, 10000, 6),
    ("示例商用", "驰运", "纯电厢货", Powertrain.BEV, 20000, 12),
]

# What a new car costs, by series and name.
MODEL_PRICES = {
    ("锐放", "1.5T 舒适型"): "119800.00",
    ("锐放", "2.0L 豪华型"): "136800.00",
    ("锐放", "双擎 2.0"): "148800.00",
    ("远岚", "2.0T 四驱"): "189800.00",
    ("远岚", "插混 120 公里"): "199800.00",
    ("青禾", "1.5L 手动"): "69800.00",
    ("星澜", "纯电 510"): "159800.00",
    ("星澜", "纯电 620 长续航"): "179800.00",
    ("云鹿", "纯电 405"): "99800.00",
    ("云鹿", "增程 200"): "129800.00",
    ("驰运", "2.3T 轻客"): "168000.00",
    ("驰运", "纯电厢货"): "198000.00",
}

USED_UP = ("FLD-WASH-2L", "TYR-PATCH", "AC-CLEAN-01", "PNT-BASE-01", "PNT-PRIM-01", "HV-SEAL-01")
"""What is used up or put on, whatever its unit."""
HIGH_VOLTAGE = ("HV-BAT-PACK", "HV-FUSE-01")
# number, name, unit, brand, kind, price
PARTS = [
    ("OIL-5W30-1L", "全合成机油 5W-30", "升", "原厂", PartKind.GENUINE, "68.00"),
    ("OIL-0W20-1L", "全合成机油 0W-20", "升", "原厂", PartKind.GENUINE, "79.00"),
    ("FLT-OIL-01", "机油滤清器", "个", "原厂", PartKind.GENUINE, "45.00"),
    ("FLT-AIR-01", "空气滤清器", "个", "原厂", PartKind.GENUINE, "98.00"),
    ("FLT-CAB-01", "空调滤清器", "个", "原厂", PartKind.GENUINE, "118.00"),
    ("FLT-CAB-02", "空调滤清器（活性炭）", "个", "清源", PartKind.BRANDED, "88.00"),
    ("FLT-FUEL-01", "燃油滤清器", "个", "原厂", PartKind.GENUINE, "156.00"),
    ("SPK-IR-01", "铱金火花塞", "支", "原厂", PartKind.GENUINE, "96.00"),
    ("FLD-BRK-1L", "制动液 DOT 4", "升", "原厂", PartKind.GENUINE, "75.00"),
    ("FLD-COOL-1L", "防冻冷却液", "升", "原厂", PartKind.GENUINE, "42.00"),
    ("FLD-COOL-HV", "低电导率冷却液", "升", "原厂", PartKind.GENUINE, "86.00"),
    ("FLD-ATF-1L", "自动变速箱油", "升", "原厂", PartKind.GENUINE, "128.00"),
    ("FLD-GEAR-1L", "减速器齿轮油", "升", "原厂", PartKind.GENUINE, "110.00"),
    ("FLD-WASH-2L", "玻璃清洗液", "瓶", "清源", PartKind.BRANDED, "18.00"),
    ("BRK-PAD-F", "前制动片", "套", "原厂", PartKind.GENUINE, "560.00"),
    ("BRK-PAD-FE", "前制动片（同质）", "套", "安驰", PartKind.EQUIVALENT, "338.00"),
    ("BRK-PAD-R", "后制动片", "套", "原厂", PartKind.GENUINE, "480.00"),
    ("BRK-DISC-F", "前制动盘", "片", "原厂", PartKind.GENUINE, "280.00"),
    ("BRK-DISC-R", "后制动盘", "片", "原厂", PartKind.GENUINE, "255.00"),
    ("TYR-2055516", "轮胎 205/55 R16", "条", "行远", PartKind.BRANDED, "420.00"),
    ("TYR-2255018", "轮胎 225/50 R18", "条", "行远", PartKind.BRANDED, "680.00"),
    ("TYR-PATCH", "补胎胶片", "片", "行远", PartKind.BRANDED, "12.00"),
    ("WGT-BAL-10", "平衡块", "克", "通用", PartKind.BRANDED, "0.30"),
    ("SUS-BUSH-FL", "前下摆臂胶套", "个", "原厂", PartKind.GENUINE, "260.00"),
    ("SUS-ARM-FL", "前下摆臂总成", "件", "原厂", PartKind.GENUINE, "720.00"),
    ("STR-BALL-L", "转向拉杆球头", "件", "原厂", PartKind.GENUINE, "790.00"),
    ("SUS-SHOCK-F", "前减振器", "支", "原厂", PartKind.GENUINE, "680.00"),
    ("BRG-HUB-F", "前轮毂轴承", "件", "原厂", PartKind.GENUINE, "430.00"),
    ("BAT-12V-60", "启动蓄电池 60Ah", "块", "恒启", PartKind.BRANDED, "520.00"),
    ("WIP-PAIR-01", "雨刮片（一对）", "对", "清源", PartKind.BRANDED, "98.00"),
    ("BLB-LED-H7", "近光灯总成", "只", "原厂", PartKind.GENUINE, "860.00"),
    ("BLB-LED-H7B", "近光灯总成（改进型）", "只", "原厂", PartKind.GENUINE, "860.00"),
    ("AC-REF-1234", "空调制冷剂", "克", "通用", PartKind.BRANDED, "0.45"),
    ("AC-CLEAN-01", "蒸发箱清洗剂", "瓶", "清源", PartKind.BRANDED, "58.00"),
    ("BDY-BUMP-F", "前保险杠蒙皮", "件", "原厂", PartKind.GENUINE, "980.00"),
    ("BDY-FEND-L", "左前翼子板", "件", "原厂", PartKind.GENUINE, "650.00"),
    ("PNT-BASE-01", "底色漆与清漆", "面", "丽彩", PartKind.BRANDED, "160.00"),
    ("PNT-PRIM-01", "中涂与腻子", "面", "丽彩", PartKind.BRANDED, "60.00"),
    ("HV-BAT-PACK", "动力电池包（再制造）", "件", "原厂", PartKind.REMANUFACTURED, "38600.00"),
    ("HV-FUSE-01", "高压熔断器", "只", "原厂", PartKind.GENUINE, "320.00"),
    ("HV-SEAL-01", "动力电池冷却管密封件", "套", "原厂", PartKind.GENUINE, "85.00"),
    ("TRN-ASSY-01", "自动变速箱总成（再制造）", "台", "原厂", PartKind.REMANUFACTURED, "16800.00"),
    ("TRN-ASSY-U1", "自动变速箱总成（拆车件）", "台", "无", PartKind.USED, "7200.00"),
    ("ENG-GSK-SET", "发动机密封垫组", "套", "原厂", PartKind.GENUINE, "1180.00"),
    ("ENG-BELT-01", "正时皮带套件", "套", "原厂", PartKind.GENUINE, "890.00"),
]

R, B = RepairCategory, BayCapability
# code, name, category, hours, skill, level, capability, flags, parts {number: quantity}
# flags: D diagnosis, M maintenance, S safety-critical, O bookable online
OPERATIONS = [
    ("DG-10", "故障诊断（综合）", R.MINOR, "0.50", "engine", 3, B.STANDARD_LIFT, "DO", {}),
    ("DG-20", "底盘异响诊断（含路试）", R.MINOR, "0.80", "chassis", 3, B.STANDARD_LIFT, "DO", {}),
    ("DG-30", "空调系统诊断", R.MINOR, "0.50", "aircon", 3, B.STANDARD_LIFT, "D", {}),
    ("DG-40", "三电系统诊断（新能源）", R.MINOR, "0.80", "hv", 3, B.EV_DIAGNOSTIC, "DO", {}),
    ("MT-10", "小保养（机油、机滤）", R.MINOR, "0.50", "engine", 2, B.QUICK_LUBE, "MO", {"OIL-5W30-1L": "4", "FLT-OIL-01": "1"}),
    ("MT-20", "常规保养（机油、机滤、空滤、空调滤）", R.MINOR, "0.90", "engine", 2, B.QUICK_LUBE, "MO",
     {"OIL-5W30-1L": "4", "FLT-OIL-01": "1", "FLT-AIR-01": "1", "FLT-CAB-01": "1"}),
    ("MT-30", "4 万公里保养", R.MINOR, "1.80", "engine", 3, B.STANDARD_LIFT, "MO",
     {"OIL-5W30-1L": "4", "FLT-OIL-01": "1", "FLT-AIR-01": "1", "FLT-CAB-01": "1", "SPK-IR-01": "4", "FLD-BRK-1L": "1"}),
    ("MT-40", "新能源年度保养", R.MINOR, "1.20", "hv", 3, B.EV_DIAGNOSTIC, "MO", {"FLT-CAB-01": "1", "FLD-BRK-1L": "1"}),
    ("MT-50", "制动液更换", R.MINOR, "0.60", "chassis", 2, B.STANDARD_LIFT, "MSO", {"FLD-BRK-1L": "1"}),
    ("MT-60", "冷却液更换", R.MINOR, "0.80", "engine", 2, B.STANDARD_LIFT, "M", {"FLD-COOL-1L": "6"}),
    ("MT-70", "自动变速箱油更换", R.MINOR, "1.20", "engine", 3, B.STANDARD_LIFT, "M", {"FLD-ATF-1L": "7"}),
    ("MT-80", "二级维护", R.SECOND_MAINTENANCE, "4.50", "engine", 3, B.STANDARD_LIFT, "M",
     {"OIL-5W30-1L": "6", "FLT-OIL-01": "1", "FLT-AIR-01": "1", "FLT-FUEL-01": "1", "FLD-BRK-1L": "1"}),
    ("EN-10", "火花塞更换", R.MINOR, "0.60", "engine", 3, B.STANDARD_LIFT, "", {"SPK-IR-01": "4"}),
    ("EN-20", "正时皮带更换", R.MINOR, "3.50", "engine", 3, B.STANDARD_LIFT, "", {"ENG-BELT-01": "1"}),
    ("EN-30", "发动机控制单元刷新", R.MINOR, "0.40", "engine", 3, B.STANDARD_LIFT, "", {}),
    ("EN-40", "启动蓄电池更换", R.MINOR, "0.30", "engine", 2, B.QUICK_LUBE, "O", {"BAT-12V-60": "1"}),
    ("BR-10", "前制动片更换", R.MINOR, "0.80", "chassis", 3, B.STANDARD_LIFT, "SO", {"BRK-PAD-F": "1"}),
    ("BR-20", "前制动片与制动盘更换", R.MINOR, "1.80", "chassis", 3, B.STANDARD_LIFT, "S", {"BRK-PAD-F": "1", "BRK-DISC-F": "2"}),
    ("BR-30", "后制动片更换", R.MINOR, "0.90", "chassis", 3, B.STANDARD_LIFT, "SO", {"BRK-PAD-R": "1"}),
    ("TY-10", "轮胎更换（每条，含动平衡）", R.MINOR, "0.40", "tyres", 2, B.QUICK_LUBE, "SO",
     {"TYR-2055516": "1", "WGT-BAL-10": "40"}),
    ("TY-20", "轮胎换位与动平衡", R.MINOR, "0.80", "tyres", 2, B.QUICK_LUBE, "MO", {"WGT-BAL-10": "80"}),
    ("TY-30", "补胎", R.MINOR, "0.30", "tyres", 2, B.QUICK_LUBE, "", {"TYR-PATCH": "1"}),
    ("AL-10", "四轮定位", R.MINOR, "1.00", "tyres", 3, B.ALIGNMENT_RACK, "O", {}),
    ("CH-10", "前下摆臂胶套更换", R.MINOR, "1.20", "chassis", 3, B.STANDARD_LIFT, "S", {"SUS-BUSH-FL": "1"}),
    ("CH-20", "转向拉杆球头更换", R.MINOR, "1.10", "chassis", 3, B.STANDARD_LIFT, "S", {"STR-BALL-L": "1"}),
    ("CH-30", "前减振器更换（单侧）", R.MINOR, "1.30", "chassis", 3, B.STANDARD_LIFT, "S", {"SUS-SHOCK-F": "1"}),
    ("CH-40", "前轮毂轴承更换", R.MINOR, "1.60", "chassis", 3, B.STANDARD_LIFT, "S", {"BRG-HUB-F": "1"}),
    ("AC-10", "空调系统清洗", R.MINOR, "0.60", "aircon", 2, B.QUICK_LUBE, "MO", {"AC-CLEAN-01": "1"}),
    ("AC-20", "空调制冷剂加注", R.MINOR, "0.80", "aircon", 3, B.STANDARD_LIFT, "", {"AC-REF-1234": "500"}),
    ("EL-10", "雨刮片更换", R.MINOR, "0.10", "engine", 1, B.QUICK_LUBE, "O", {"WIP-PAIR-01": "1"}),
    ("EL-20", "近光灯总成更换", R.MINOR, "0.80", "engine", 2, B.STANDARD_LIFT, "S", {"BLB-LED-H7": "1"}),
    ("BD-10", "前保险杠更换", R.SPECIAL, "1.50", "body", 3, B.BODY_AND_FRAME, "", {"BDY-BUMP-F": "1"}),
    ("BD-20", "翼子板钣金整形", R.SPECIAL, "3.00", "body", 3, B.BODY_AND_FRAME, "", {}),
    ("PT-10", "单面喷漆", R.SPECIAL, "3.50", "paint", 3, B.PAINT, "O", {"PNT-BASE-01": "1", "PNT-PRIM-01": "1"}),
    ("HV-10", "高压系统绝缘检测", R.SPECIAL, "0.80", "hv", 3, B.EV_DIAGNOSTIC, "S", {}),
    ("HV-20", "动力电池冷却系统检修", R.SPECIAL, "2.20", "hv", 4, B.EV_DIAGNOSTIC, "", {"FLD-COOL-HV": "5", "HV-SEAL-01": "1"}),
    ("HV-30", "动力电池总成更换", R.ASSEMBLY, "6.00", "hv", 4, B.EV_DIAGNOSTIC, "S",
     {"HV-BAT-PACK": "1", "HV-SEAL-01": "1", "FLD-COOL-HV": "6"}),
    ("AS-10", "自动变速箱总成更换", R.ASSEMBLY, "8.50", "engine", 4, B.STANDARD_LIFT, "",
     {"TRN-ASSY-01": "1", "FLD-ATF-1L": "8"}),
    ("DT-10", "精致洗车", R.MINOR, "0.50", None, 1, B.DETAIL_AND_WASH, "O", {"FLD-WASH-2L": "1"}),
]  # fmt: skip

TOOLS = {
    "AC-20": ToolKind.AC_STATION,
    "EN-20": ToolKind.TIMING_KIT,
    "EN-30": ToolKind.SCAN_TOOL,
    "AS-10": ToolKind.GEARBOX_JACK,
    "HV-10": ToolKind.INSULATION_TESTER,
    "HV-30": ToolKind.BATTERY_LIFT,
}
"""Special tools that an operation needs."""

OPERATIONS_EN = {
    "DG-10": "Fault diagnosis (general)",
    "DG-20": "Chassis noise diagnosis (with road test)",
    "DG-30": "Air-conditioning diagnosis",
    "DG-40": "High-voltage system diagnosis (NEV)",
    "MT-10": "Minor service (oil and oil filter)",
    "MT-20": "Regular service (engine oil; oil, air and cabin filters)",
    "MT-30": "40,000 km service",
    "MT-40": "Annual service, new energy",
    "MT-50": "Brake fluid change",
    "MT-60": "Coolant change",
    "MT-70": "Automatic transmission fluid change",
    "MT-80": "Second-class maintenance",
    "EN-10": "Spark plug replacement",
    "EN-20": "Timing belt replacement",
    "EN-30": "Engine control unit update",
    "EN-40": "Starter battery replacement",
    "BR-10": "Front brake pad replacement",
    "BR-20": "Front brake pad and disc replacement",
    "BR-30": "Rear brake pad replacement",
    "TY-10": "Tyre replacement (each, with balancing)",
    "TY-20": "Tyre rotation and balancing",
    "TY-30": "Tyre repair",
    "AL-10": "Four-wheel alignment",
    "CH-10": "Front lower arm bush replacement",
    "CH-20": "Tie rod end replacement",
    "CH-30": "Front shock absorber replacement (one side)",
    "CH-40": "Front wheel bearing replacement",
    "AC-10": "Air-conditioning cleaning",
    "AC-20": "Refrigerant refill",
    "EL-10": "Wiper blade replacement",
    "EL-20": "Low-beam headlamp replacement",
    "BD-10": "Front bumper replacement",
    "BD-20": "Fender panel beating",
    "PT-10": "Painting of one panel",
    "HV-10": "High-voltage insulation test",
    "HV-20": "Traction battery cooling repair",
    "HV-30": "Traction battery replacement",
    "AS-10": "Automatic transmission replacement",
    "DT-10": "Detailed car wash",
}
"""What operations are called for customers who read English."""

PARTS_EN = {
    "OIL-5W30-1L": "Full synthetic oil 5W-30",
    "OIL-0W20-1L": "Full synthetic oil 0W-20",
    "FLT-OIL-01": "Oil filter",
    "FLT-AIR-01": "Air filter",
    "FLT-CAB-01": "Cabin filter",
    "FLT-CAB-02": "Cabin filter (activated carbon)",
    "FLT-FUEL-01": "Fuel filter",
    "SPK-IR-01": "Iridium spark plug",
    "FLD-BRK-1L": "Brake fluid DOT 4",
    "FLD-COOL-1L": "Coolant",
    "FLD-COOL-HV": "Low-conductivity coolant",
    "FLD-ATF-1L": "Automatic transmission fluid",
    "FLD-GEAR-1L": "Reduction gear oil",
    "FLD-WASH-2L": "Screen wash",
    "BRK-PAD-F": "Front brake pads",
    "BRK-PAD-FE": "Front brake pads (equivalent quality)",
    "BRK-PAD-R": "Rear brake pads",
    "BRK-DISC-F": "Front brake disc",
    "BRK-DISC-R": "Rear brake disc",
    "TYR-2055516": "Tyre 205/55 R16",
    "TYR-2255018": "Tyre 225/50 R18",
    "TYR-PATCH": "Tyre repair patch",
    "WGT-BAL-10": "Balance weight",
    "SUS-BUSH-FL": "Front lower arm bush",
    "SUS-ARM-FL": "Front lower arm",
    "STR-BALL-L": "Tie rod end",
    "SUS-SHOCK-F": "Front shock absorber",
    "WIP-PAIR-01": "Wiper blades (pair)",
    "BLB-LED-H7": "Low-beam headlamp",
    "BLB-LED-H7B": "Low-beam headlamp (improved)",
    "AC-REF-1234": "Refrigerant",
    "AC-CLEAN-01": "Evaporator cleaner",
    "BDY-BUMP-F": "Front bumper cover",
    "BDY-FEND-L": "Left front fender",
    "PNT-BASE-01": "Base coat and clear coat",
    "PNT-PRIM-01": "Primer and filler",
    "HV-BAT-PACK": "Traction battery (remanufactured)",
    "HV-FUSE-01": "High-voltage fuse",
    "HV-SEAL-01": "Battery cooling line seals",
    "TRN-ASSY-01": "Automatic transmission (remanufactured)",
    "TRN-ASSY-U1": "Automatic transmission (used)",
    "ENG-GSK-SET": "Engine gasket set",
    "ENG-BELT-01": "Timing belt kit",
    "BRG-HUB-F": "Front wheel bearing",
    "BAT-12V-60": "Starter battery 60 Ah",
}
"""What parts are called for customers who read English."""

LABOR_RATES = {
    PayType.CUSTOMER_PAY: "170.00",
    PayType.WARRANTY: "136.00",
    PayType.INSURANCE: "160.00",
    PayType.INTERNAL: "90.00",
    PayType.SERVICE_CONTRACT: "150.00",
    PayType.GOODWILL: "136.00",
}
PRICES_FROM = date(2024, 1, 1)

PLANS_SOURCE = "通用起始方案，以厂家维修保养手册为准"
# name, energy; then operation: every km, every months, first km, first months, severe km, severe months (None: no such)
PLANS: list[tuple[str, str, dict[str, tuple[int | None, ...]]]] = [
    ("燃油车保养", "ICE", {
        "MT-10": (10000, 12, 5000, 6, 5000, 6),
        "MT-20": (20000, 24, None, None, 10000, 12),
        "MT-30": (40000, 48, None, None, None, None),
        "MT-50": (40000, 24, None, None, 30000, 24),
        "MT-60": (80000, 48, None, None, None, None),
        "MT-70": (60000, 48, None, None, 40000, 36),
        "TY-20": (10000, None, None, None, None, None),
        "EN-20": (90000, 72, None, None, None, None),
    }),
    ("混合动力车保养", "HEV", {
        "MT-10": (10000, 12, 5000, 6, 5000, 6),
        "MT-20": (20000, 24, None, None, 10000, 12),
        "MT-30": (40000, 48, None, None, None, None),
        "MT-50": (40000, 24, None, None, 30000, 24),
        "MT-60": (80000, 48, None, None, None, None),
        "TY-20": (10000, None, None, None, None, None),
    }),
    ("插电混动车保养", "PHEV", {
        "MT-10": (10000, 12, 5000, 6, 5000, 6),
        "MT-40": (20000, 12, None, None, None, None),
        "MT-50": (40000, 24, None, None, 30000, 24),
        "TY-20": (10000, None, None, None, None, None),
    }),
    ("纯电动车保养", "BEV", {
        "MT-40": (20000, 12, None, None, 10000, 12),
        "MT-50": (40000, 24, None, None, None, None),
        "TY-20": (10000, None, None, None, None, None),
        "HV-10": (60000, 36, None, None, None, None),
    }),
]  # fmt: skip


def _pinyin(name: str) -> str:
    return f"{pinyin_full(name)} {pinyin_initials(name)}"[:160]


@transaction.atomic
def seed() -> None:
    """Creates what is missing: skills by code, models, parts and operations by their own code."""
    skills = {}
    for code, (name, name_en) in SKILLS.items():
        skills[code], _new = Skill.objects.get_or_create(
            code=code,
            defaults={"name": name, "name_en": name_en, "certificate_required": code == "hv"},
        )
    known = set(VehicleModel.objects.values_list("make", "series", "name"))
    VehicleModel.objects.bulk_create(
        VehicleModel(
            make=make,
            series=series,
            name=name,
            powertrain=powertrain,
            service_interval_km=km,
            service_interval_months=months,
        )
        for make, series, name, powertrain, km, months in MODELS
        if (make, series, name) not in known
    )
    numbers = set(Part.objects.values_list("number", flat=True))
    Part.objects.bulk_create(
        Part(
            number=number,
            name=name,
            name_en=PARTS_EN[number],
            pinyin=_pinyin(name),
            unit=unit,
            brand=brand,
            kind=kind,
            leaves_old=unit not in POURED and number not in USED_UP,
            high_voltage=number in HIGH_VOLTAGE,
            guarantee_months=3 if kind == PartKind.USED else 12,
            guarantee_km=5000 if kind == PartKind.USED else 20000,
        )
        for number, name, unit, brand, kind, _price in PARTS
        if number not in numbers
    )
    codes = set(Operation.objects.values_list("code", flat=True))
    new = Operation.objects.bulk_create(
        Operation(
            code=code,
            name=name,
            name_en=OPERATIONS_EN[code],
            pinyin=_pinyin(name),
            category=category,
            hours=Decimal(hours),
            skill=skills[skill] if skill else None,
            skill_level=level,
            capability=capability,
            tool=TOOLS.get(code, ""),
            is_diagnosis="D" in flags,
            is_maintenance="M" in flags,
            is_safety="S" in flags,
            bookable_online="O" in flags,
        )
        for code, name, category, hours, skill, level, capability, flags, _parts in OPERATIONS
        if code not in codes
    )
    parts = {p.number: p for p in Part.objects.all()}
    needs = {row[0]: row[-1] for row in OPERATIONS}
    OperationPart.objects.bulk_create(
        OperationPart(operation=operation, part=parts[number], quantity=Decimal(quantity))
        for operation in new
        for number, quantity in needs[operation.code].items()
    )
    _name_in_english()
    _seed_plans()
    seed_sheets()


def _name_in_english() -> None:
    """What an earlier release seeded without an English name gets it, unless somebody calls it otherwise by now."""
    seeded = ((Operation, "code", OPERATIONS, OPERATIONS_EN), (Part, "number", PARTS, PARTS_EN))
    for model, key, rows, english in seeded:
        names = {str(row[0]): row[1] for row in rows}
        for row in model.objects.filter(name_en="", **{f"{key}__in": list(names)}):
            code = getattr(row, key)
            if row.name == names[code]:
                row.name_en = english[code]
                row.save(update_fields=["name_en"])


def _seed_plans() -> None:
    """Starting maintenance plans by energy, only where there is none of any kind; the maker's book wins (domain 3.1)."""
    if MaintenancePlan.objects.exists():
        return
    by = machine("seeds")
    operations = dict(Operation.objects.values_list("code", "uid"))
    for name, powertrain, works in PLANS:
        plan = maintenance.draft_plan(name=name, source=PLANS_SOURCE, powertrain=powertrain, by=by)
        for code, intervals in works.items():
            named: dict[str, Any] = dict(zip(maintenance.INTERVALS, intervals, strict=True))
            maintenance.put_item(plan_uid=plan.uid, operation_uid=operations[code], by=by, **named)
        maintenance.release_plan(uid=plan.uid, starts_on=PRICES_FROM, by=by)


@transaction.atomic
def seed_store(store: Store) -> None:
    """Labour rates, part and model prices of one store, from the first of January 2024 on; only where none is set."""
    by = machine("seeds", store_id=store.pk)
    rated = set(LaborRate.objects.filter(store=store).values_list("pay_type", flat=True))
    for pay_type, rate in LABOR_RATES.items():
        if pay_type not in rated:
            set_labor_rate(store=store, pay_type=pay_type, rate=Decimal(rate), starts_on=PRICES_FROM, by=by)
    priced = set(PartPrice.objects.filter(store=store).values_list("part__number", flat=True))
    parts = {p.number: p for p in Part.objects.filter(number__in=[row[0] for row in PARTS])}
    prices = {parts[number]: Decimal(price) for number, *_rest, price in PARTS if number not in priced}
    set_first_part_prices(store=store, prices=prices, starts_on=PRICES_FROM, by=by)
    listed = set(ModelPrice.objects.filter(store=store).values_list("model_id", flat=True))
    for model in VehicleModel.objects.exclude(pk__in=listed):
        listed_at = MODEL_PRICES.get((model.series, model.name))
        if listed_at:
            set_model_price(store=store, model=model, price=Decimal(listed_at), starts_on=PRICES_FROM, by=by)
