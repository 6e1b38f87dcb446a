"""What customers of the simulation say of a fault, what it comes from and what was done: one story for each operation."""

from __future__ import annotations

# operation: what the customer says, what it comes from, what was done
MENDED: dict[str, tuple[str, str, str]] = {
    "EN-10": ("怠速抖动", "火花塞电极烧蚀，间隙超限", "更换四支火花塞，怠速平稳"),
    "EN-20": ("起动时发动机前部有异响", "正时皮带老化开裂", "更换正时皮带套件，试车正常"),
    "EN-30": ("仪表亮故障灯", "控制单元软件版本过旧，误报故障码", "刷新控制单元并清除故障码"),
    "EN-40": ("早上起动无力", "启动蓄电池容量不足", "更换蓄电池，充电电压正常"),
    "BR-10": ("刹车时有吱吱声", "前制动片磨损到限", "更换前制动片，试车正常"),
    "BR-20": ("高速刹车时方向盘抖", "前制动盘端面跳动超差，制动片磨损到限", "更换前制动片与制动盘，路试正常"),
    "BR-30": ("刹车时后轮有异响", "后制动片磨损到限", "更换后制动片，试车正常"),
    "CH-10": ("过坎时左前有异响", "前下摆臂胶套开裂", "更换胶套并复查定位，试车无异响"),
    "CH-20": ("高速方向盘发飘", "转向拉杆球头松旷", "更换球头并做四轮定位，路试正常"),
    "CH-30": ("过减速带车身晃动", "前减振器漏油", "更换减振器，试车正常"),
    "CH-40": ("车速越高轮边嗡嗡声越大", "前轮毂轴承点蚀", "更换轮毂轴承，路试无异响"),
    "AC-20": ("空调不凉", "管路接头渗漏，制冷剂不足", "更换密封圈，抽真空后加注制冷剂"),
    "EL-10": ("雨刮刮不干净", "雨刮胶条老化", "更换雨刮片"),
    "EL-20": ("行驶中左侧近光灯熄灭", "近光灯驱动模块失效", "更换近光灯总成，灯光检测合格"),
    "AS-10": ("起步耸车，换挡冲击", "变速箱阀体卡滞", "更换变速箱总成并自学习，路试正常"),
    "TY-10": ("轮胎花纹浅了要换", "花纹深度低于 1.6 mm", "更换轮胎并做动平衡"),
    "TY-30": ("左前轮扎钉", "胎面扎入铁钉，未伤胎侧", "内补并做动平衡，保压正常"),
    "AL-10": ("车辆跑偏", "前束超差", "四轮定位，参数在范围内"),
    "BD-10": ("前保险杠剐蹭", "前保险杠蒙皮破损", "更换前保险杠，间隙均匀"),
    "BD-20": ("左前翼子板凹陷", "停车场剐碰变形", "钣金整形，外形恢复"),
    "PT-10": ("右前门划痕补漆", "漆面划伤见底", "喷漆并抛光，无色差"),
}
ON_INSPECTION = "技师作业时检查发现"
"""What stands for the customer's words where a technician found it."""


def said_of(code: str, otherwise: str) -> str:
    """What the customer says who comes for an operation."""
    return MENDED[code][0] if code in MENDED else otherwise


def story_of(code: str) -> tuple[str, str]:
    """Cause and correction of a mended fault."""
    _said, cause, correction = MENDED.get(code, ("", "磨损", "更换并试车正常"))
    return cause, correction


def code_of(words: str) -> str:
    """The operation a customer came for by what was said; empty where it may be anything."""
    return next((code for code, (said, _cause, _done) in MENDED.items() if said == words), "")
