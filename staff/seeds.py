"""Posts and skills that every group starts with (1.2, 5.1)."""

from .models import Post, Skill

# code (also the role it grants), Chinese, English
POSTS = (
    ("receptionist", "前台接待", "Receptionist"),
    ("advisor", "服务顾问", "Service advisor"),
    ("foreman", "车间主管", "Workshop foreman"),
    ("leader", "班组长", "Team leader"),
    ("technician", "技师", "Technician"),
    ("inspector", "质检员", "Quality inspector"),
    ("techdirector", "技术总监", "Technical director"),
    ("supervisor", "质量主管", "Quality supervisor"),
    ("parts", "备件员", "Parts keeper"),
    ("warranty", "保修员", "Warranty clerk"),
    ("cashier", "收银员", "Cashier"),
    ("accountant", "会计", "Accountant"),
    ("care", "客服专员", "Customer-care agent"),
    ("safety", "安全员", "Safety officer"),
    ("hr", "培训与人事", "Trainer and HR"),
    ("manager", "服务经理", "Service manager"),
    ("gm", "总经理", "General manager"),
    ("admin", "信息管理员", "IT administrator"),
)

# code, Chinese, English, needs a certificate
SKILLS = (
    ("reception", "接待", "Reception", False),
    ("inspection_walk", "环检", "Walk-around", False),
    ("estimate", "报价", "Estimating", False),
    ("engine", "发动机", "Engine", False),
    ("chassis", "底盘", "Chassis", False),
    ("aircon", "空调", "Air conditioning", False),
    ("body", "钣金", "Body work", False),
    ("paint", "喷漆", "Paint", False),
    ("hv", "高压电", "High voltage", True),
    ("qc", "质量检验", "Quality inspection", True),
    ("tyres", "轮胎与定位", "Tyres and alignment", False),
    ("dms", "系统操作", "System use", False),
    ("sanbao", "三包政策", "Statutory warranty (三包)", False),
    ("complaint", "投诉处理", "Complaint handling", False),
    ("privacy", "个人信息保护", "Personal data protection", False),
    ("fire", "消防安全", "Fire safety", False),
    ("waste", "危险废物", "Hazardous waste", False),
)


def seed() -> None:
    """Writes posts and skills; what is there is brought up to date."""
    Post.objects.bulk_create(
        [Post(code=code, name=zh, name_en=en, role=code) for code, zh, en in POSTS],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "name_en", "role"],
    )
    Skill.objects.bulk_create(
        [Skill(code=code, name=zh, name_en=en, certificate_required=needed) for code, zh, en, needed in SKILLS],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "name_en", "certificate_required"],
    )
