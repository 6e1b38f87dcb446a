"""What the demo's own data is called in English: tools and their places, shifts, warehouses, departments, tags."""

from __future__ import annotations

NAMES = {
    # tools
    "扭力扳手 20–100 N·m": "Torque wrench 20–100 N·m",
    "扭力扳手 40–200 N·m": "Torque wrench 40–200 N·m",
    "扭力扳手 100–500 N·m": "Torque wrench 100–500 N·m",
    "扭力扳手 5–25 N·m": "Torque wrench 5–25 N·m",
    "胎压表 1": "Tyre gauge 1",
    "胎压表 2": "Tyre gauge 2",
    "燃油压力表": "Fuel pressure gauge",
    "冷媒压力表组": "Refrigerant gauge set",
    "尾气分析仪": "Exhaust analyser",
    "四轮定位仪": "Wheel aligner",
    "数字万用表 1": "Multimeter 1",
    "数字万用表 2": "Multimeter 2",
    "绝缘测试仪 1000 V": "Insulation tester 1000 V",
    "制动检验台": "Brake tester",
    "前照灯检测仪": "Headlamp tester",
    "卡尺 150 mm": "Caliper 150 mm",
    "绝缘手套 1000 V（甲）": "Insulating gloves 1000 V (A)",
    "绝缘手套 1000 V（乙）": "Insulating gloves 1000 V (B)",
    "绝缘手套 1000 V（丙）": "Insulating gloves 1000 V (C)",
    "绝缘工具套装": "Insulated tool set",
    "1 号举升机": "Lift 1",
    "2 号举升机": "Lift 2",
    "3 号举升机": "Lift 3",
    "4 号举升机": "Lift 4",
    "卧式千斤顶 3 t": "Trolley jack 3 t",
    "诊断仪 1": "Scan tool 1",
    "诊断仪 2": "Scan tool 2",
    "正时专用工具": "Timing kit",
    "轴承拉拔器": "Bearing puller",
    "制动活塞回位工具": "Brake piston tool",
    "电动冲击扳手 1": "Impact wrench 1",
    "电动冲击扳手 2": "Impact wrench 2",
    "拉爪断裂一只": "One claw is broken",
    # places of tools
    **{f"工具间 {shelf}": f"Tool crib {shelf}" for shelf in ("A1", "A2", "A3", "B1", "B2", "B3", "C1")},
    "检测区": "Test lane",
    "新能源工位": "High-voltage bay",
    # shifts, warehouses, departments
    "早班": "Early shift",
    "晚班": "Late shift",
    "前台班": "Desk shift",
    "油品库": "Oil store",
    "主库": "Main warehouse",
    "客户服务部": "Customer service",
    "维修部": "Workshop",
    "技术部": "Technical department",
    "备件部": "Parts",
    "财务部": "Finance",
    "质量监督部": "Quality",
    "培训与人事部": "Training and HR",
    "管理层": "Management",
    # why stock moved
    "期初入库": "Opening stock",
    "到货": "Delivery",
    # tags of customers
    "大客户": "Key account",
    "企业用车": "Company car",
    "老客户介绍": "Recommended",
    "网约车": "Ride hailing",
}


def names() -> dict[str, str]:
    return NAMES
