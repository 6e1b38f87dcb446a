"""Samples of the style page: invented cars and people, each component in its states, "too much" among them.

The samples are data, not words of the product: they are written here in both languages and never go to the catalogue.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import translation

from dealership.kernel import clock
from dealership.kernel.forms import set_choices

LONG_NAME = {
    "zh-hans": "阿卜杜热合曼·买买提艾力江·吐尔逊娜依家族汽车运输服务有限责任公司",
    "en": "Wolfeschlegelsteinhausenbergerdorff & Sons Removals Ltd.",
}
WORDS: dict[str, dict[str, Any]] = {
    "zh-hans": {
        "lanes": ["待到店", "排队 / 接待", "待客户授权", "待派工 / 等件", "车间", "待终检", "结算交车"],
        "strip": [
            "已到店（计划 38）",
            "超时未接待",
            "等客户授权",
            "等件 / 等工位",
            "会晚于承诺",
            "可交车",
            "本周准时交车",
        ],
        "people": ["周敏", "赵静", "王芳", "吴倩", "刘洋", "沈悦", "冯磊"],
        "lines": [
            "途观L · 5 万公里保养",
            "卡罗拉 · 首保 · 空调异味",
            "迈腾 · 增项 2 项 ¥1,286",
            "CR-V · 等件：右前减震",
            "朗逸 · 2 万公里保养",
            "锐放 · 刹车片更换",
            "凯美瑞 · ¥1,842 · 已付",
        ],
        "place": "钥12 · B3",
        "staff": ["林晓", "马强"],
        "ways": ["告知客户", "调件"],
        "stages": ["预约", "到店", "接待", "授权", "维修", "检验", "结算", "交车", "回访"],
        "jobs": ["更换前刹车片、刹车盘", "5 万公里保养", "右前下摆臂胶套"],
        "said": "“慢慢踩刹车的时候前面吱吱响，倒车也响。中午十二点前要用车。”",
        "late": "承诺 11:10，预计 12:00；客户说中午 12 点前要用车。第 3 项 11:00 前不授权就赶不上。",
        "plan": "减震更换",
        "hint": "客户付费",
    },
    "en": {
        "lanes": [
            "Expected",
            "Queue / reception",
            "Awaiting authorisation",
            "Dispatch / parts",
            "Workshop",
            "Final check",
            "Settle & hand over",
        ],
        "strip": [
            "arrived (38 planned)",
            "waiting too long",
            "awaiting authorisation",
            "waiting for parts or bay",
            "later than promised",
            "ready to hand over",
            "on time this week",
        ],
        "people": ["Min Zhou", "Jing Zhao", "Fang Wang", "Qian Wu", "Yang Liu", "Yue Shen", "Lei Feng"],
        "lines": [
            "Tiguan L · 50,000 km service",
            "Corolla · first service, smell",
            "Magotan · 2 additions ¥1,286",
            "CR-V · waiting: right front strut",
            "Lavida · 20,000 km service",
            "Frontlander · brake pads",
            "Camry · ¥1,842 · paid",
        ],
        "place": "key 12 · B3",
        "staff": ["Xiao Lin", "Qiang Ma"],
        "ways": ["Tell the customer", "Transfer the part"],
        "stages": [
            "Booking",
            "Arrival",
            "Reception",
            "Consent",
            "Repair",
            "Inspection",
            "Settlement",
            "Hand-over",
            "Follow-up",
        ],
        "jobs": ["Replace front brake pads and discs", "50,000 km service", "Bush of the right lower control arm"],
        "said": "“It squeals in front when I brake gently, in reverse too. I need the car by noon.”",
        "late": "Promised 11:10, expected 12:00; the customer needs the car by noon. Line 3 needs consent before 11:00.",
        "plan": "strut replacement",
        "hint": "customer pays",
    },
}
COLOURS = ("booked", "reception", "consent", "wait", "work", "inspect", "ready")
PLATES = (
    ("京A8K312", "BLUE"),
    ("京BQ9917", "BLUE"),
    ("京L7H268", "BLUE"),
    ("京M85T20", "BLUE"),
    ("京AF19906", "GREEN"),
    ("京H0R471", "YELLOW"),
    ("京AD5M38", "BLACK"),
)


class SampleForm(forms.Form):
    plate = forms.CharField()
    odometer = forms.IntegerField(min_value=0)
    waits = forms.ChoiceField(widget=forms.RadioSelect)
    pays = forms.ChoiceField()
    words = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}))
    agreed = forms.BooleanField()

    def __init__(self, *args: Any, labels: list[str], choices: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, label in zip(self.fields.values(), labels, strict=True):
            field.label = label
        for name in ("waits", "pays"):
            set_choices(self, name, [(c, c) for c in choices])
        self.fields["odometer"].help_text = labels[1] + ": 63,208"


def samples() -> dict[str, Any]:
    """The context of the style page in the active language; times lie around now."""
    language = translation.get_language() or "zh-hans"
    zh = language == "zh-hans"
    words = WORDS["zh-hans" if zh else "en"]
    now = clock.now()
    labels = (
        ["车牌", "里程（公里）", "等待", "付费", "客户原话", "客户确认：车内无贵重物品"]
        if zh
        else [
            "Plate",
            "Odometer km",
            "Waiting",
            "Who pays",
            "Customer's words",
            "Customer confirms: no valuables in the car",
        ]
    )
    choices = ["店内等", "离店", "要代步车"] if zh else ["waits here", "leaves", "needs a loan car"]
    lanes = [
        {
            "title": title,
            "stage": COLOURS[i],
            "count": (8, 4, 3, 5, 186, 3, 6)[i],
            "tick": {
                "plate": PLATES[i][0],
                "color": PLATES[i][1],
                "name": words["people"][i],
                "line": words["lines"][i],
                "over": i == 3,
                "progress": 65 if i == 4 else "",
                "promise": now + timedelta(minutes=(70, 50, 90, -40, 20, 130, 200)[i]),
            },
        }
        for i, title in enumerate(words["lanes"])
    ]
    form = {"labels": labels, "choices": choices}
    return {
        "w": words,
        "long_name": LONG_NAME["zh-hans" if zh else "en"],
        "plates": PLATES,
        "lanes": lanes,
        "strip": zip(
            ("30", "1", "3", "4", "2", "6", "96.2%"),
            words["strip"],
            ("", "late", "", "soon", "late", "", ""),
            strict=True,
        ),
        "stages": [
            {"label": label, "state": "done" if i < 4 else "now" if i == 4 else "todo", "stage": "work"}
            for i, label in enumerate(words["stages"])
        ],
        "colours": list(zip((*COLOURS, "late"), (*words["stages"][:7], words["strip"][4]), strict=True)),
        "tags": [
            {"name": name, "color": color}
            for name, color in zip(words["stages"], ("grey", "blue", "green", "amber", "violet", "teal"), strict=False)
        ],
        "rows": [
            {"job": words["jobs"][i], "hours": hours, "amount": Decimal(amount), "colour": colour}
            for i, (hours, amount, colour) in enumerate(
                (("1.8", "1426.00", "ready"), ("0.9", "539.00", "ready"), ("1.2", "464.00", "consent"))
            )
        ],
        "total": Decimal("2429.00"),
        "huge": Decimal("123456789.05"),
        "events": [
            (now - timedelta(minutes=4 + 27 * i), COLOURS[(2, 3, 4, 6, 1)[i]], words["lanes"][(2, 3, 4, 6, 1)[i]])
            for i in range(5)
        ],
        "times": {
            "soon": now + timedelta(minutes=20),
            "later": now + timedelta(hours=3),
            "tomorrow": now + timedelta(days=1, hours=1),
            "next": now + timedelta(days=4),
            "gone": now - timedelta(minutes=9),
            "old": now - timedelta(days=400),
            "promised": now + timedelta(minutes=10),
            "expected": now + timedelta(minutes=130),
        },
        "form": SampleForm(**form),
        "bound": SampleForm(
            {"bound-plate": "京A8K312", "bound-odometer": "-5", "bound-words": words["said"]}, prefix="bound", **form
        ),
    }
