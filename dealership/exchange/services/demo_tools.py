"""The tool crib of a demo store: some thirty tools, tested, one overdue and one damaged (3.4)."""

from __future__ import annotations

from datetime import date, timedelta

from dealership.catalogue.models import Resource, ResourceKind
from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import Store
from dealership.kernel.services import actor_of
from staff.selectors.employees import employees_with_role
from workshop.services import lifts, tools
from workshop.tool_models import ToolAsset, ToolClass
from workshop.tool_rules import good_until

# number, name, kind, place, who keeps it, days from today on which its last test runs out
TOOLS: tuple[tuple[str, str, str, str, str, int | None], ...] = (
    ("G-0001", "扭力扳手 20–100 N·m", "TORQUE_WRENCH", "工具间 A1", "parts", 2),
    ("G-0002", "扭力扳手 40–200 N·m", "TORQUE_WRENCH", "工具间 A1", "parts", 25),
    ("G-0003", "扭力扳手 100–500 N·m", "TORQUE_WRENCH", "工具间 A1", "parts", 200),
    ("G-0004", "扭力扳手 5–25 N·m", "TORQUE_WRENCH", "工具间 A1", "parts", 210),
    ("G-0005", "胎压表 1", "TYRE_GAUGE", "1 号快保通道", "foreman", 75),
    ("G-0006", "胎压表 2", "TYRE_GAUGE", "3 号举升", "foreman", 1),
    ("G-0007", "燃油压力表", "PRESSURE_GAUGE", "工具间 A2", "parts", -3),
    ("G-0008", "冷媒压力表组", "PRESSURE_GAUGE", "工具间 A2", "parts", 5),
    ("G-0009", "尾气分析仪", "EXHAUST_ANALYSER", "检测区", "techdirector", 130),
    ("G-0010", "四轮定位仪", "WHEEL_ALIGNER", "5 号四轮定位", "techdirector", 160),
    ("G-0011", "数字万用表 1", "MULTIMETER", "工具间 A3", "parts", 220),
    ("G-0012", "数字万用表 2", "MULTIMETER", "工具间 A3", "parts", 220),
    ("G-0013", "绝缘测试仪 1000 V", "INSULATION_TESTER", "新能源工位", "techdirector", 180),
    ("G-0014", "制动检验台", "BRAKE_TESTER", "检测区", "techdirector", 300),
    ("G-0015", "前照灯检测仪", "HEADLAMP_TESTER", "检测区", "techdirector", 300),
    ("G-0016", "卡尺 150 mm", "MEASURING", "工具间 A3", "parts", 240),
    ("G-0017", "绝缘手套 1000 V（甲）", "GLOVES", "新能源工位", "safety", 88),
    ("G-0018", "绝缘手套 1000 V（乙）", "GLOVES", "新能源工位", "safety", 88),
    ("G-0019", "绝缘手套 1000 V（丙）", "GLOVES", "新能源工位", "safety", 21),
    ("G-0020", "绝缘工具套装", "INSULATED_TOOL", "新能源工位", "safety", 140),
    ("G-0021", "1 号举升机", "LIFT", "1 号快保通道", "safety", 95),
    ("G-0022", "2 号举升机", "LIFT", "2 号举升", "safety", 95),
    ("G-0023", "3 号举升机", "LIFT", "3 号举升", "safety", 95),
    ("G-0024", "4 号举升机", "LIFT", "4 号举升", "safety", 96),
    ("G-0025", "卧式千斤顶 3 t", "JACK", "1 号快保通道", "foreman", None),
    ("G-0026", "诊断仪 1", "DIAGNOSTIC", "工具间 B1", "parts", None),
    ("G-0027", "诊断仪 2", "DIAGNOSTIC", "工具间 B1", "parts", None),
    ("G-0028", "正时专用工具", "SPECIAL", "工具间 B2", "parts", None),
    ("G-0029", "轴承拉拔器", "SPECIAL", "工具间 B2", "parts", None),
    ("G-0030", "制动活塞回位工具", "SPECIAL", "工具间 B3", "parts", None),
    ("G-0031", "电动冲击扳手 1", "GENERAL", "工具间 C1", "parts", None),
    ("G-0032", "电动冲击扳手 2", "GENERAL", "工具间 C1", "parts", None),
)
IN_THE_PLAN = {"G-0013": "T6", "G-0026": "T1", "G-0028": "T3"}
DAMAGED = ("G-0029", "拉爪断裂一只")


def equip_tools(store: Store, on: date) -> None:
    """Enters the tools of a store that has none, as they are to stand on the day ``on``."""
    if ToolAsset.objects.filter(store=store).exists():
        return
    by, today = machine("demo", store_id=store.pk), clock.today(store.time_zone)
    director = employees_with_role(store.pk, "techdirector").select_related("user").order_by("number")[0]
    assert director.user is not None
    keepers = {
        role: employees_with_role(store.pk, role).order_by("number").first() for _n, _m, _k, _p, role, _d in TOOLS
    }
    resources = dict(Resource.objects.filter(store=store, kind=ResourceKind.TOOL).values_list("code", "uid"))
    for number, name, kind, place, role, days in TOOLS:
        keeper = keepers[role]
        assert keeper is not None, f"{store.code} has nobody as {role}"
        tool = tools.register_tool(
            number=number,
            name=name,
            kind=kind,
            place=place,
            keeper_uid=keeper.uid,
            resource_uid=resources.get(IN_THE_PLAN.get(number, "")),
            by=by,
        )
        if days is not None and tool.check_months is not None:
            until = on + timedelta(days=days)
            done_on = min(until - (good_until(until, tool.check_months) - until), today)
            tools.check_tool(
                uid=tool.uid,
                done_on=done_on,
                result="PASSED",
                body="市计量测试所" if tool.tool_class == ToolClass.MEASURING else "特种设备检测公司",
                certificate_number=f"JL-{done_on:%y%m}-{number[-4:]}" if tool.tool_class == ToolClass.MEASURING else "",
                valid_until=min(until, good_until(done_on, tool.check_months)),
                by=by,
            )
        if kind == "LIFT":
            lifts.record_round(uid=tool.uid, kind="MONTHLY", by=actor_of(director.user, store))
        if number == DAMAGED[0]:
            tools.report_damage(uid=tool.uid, note=DAMAGED[1], by=by)
