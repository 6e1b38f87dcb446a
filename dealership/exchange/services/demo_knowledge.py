"""What the demo's shop answers to usual questions (2.2.2): makes and models are the catalogue's invented ones, figures of
guarantee and 三包 are those of `domain.md` 3.2 and 3.6. Written once, by the commands, in the name of the care desk."""

from __future__ import annotations

from datetime import timedelta

from dealership.kernel import clock
from dealership.kernel.actors import machine
from dealership.kernel.models import Store
from reception.models import KnowledgeArticle
from reception.services.knowledge import revise_article, write_article
from staff.selectors.employees import employees_with_role

# title, topic, source, answer
ARTICLES = [
    ("锐放有哪些车型，怎么选？", "MODEL", "厂家车型手册",
     "锐放有三款：1.5T 舒适型、2.0L 豪华型和双擎 2.0（混合动力）。\n"
     "市区通勤为主、想省油，建议看双擎；常跑高速、满载，2.0L 更从容。\n"
     "配置表和试驾由销售顾问安排，我们可以把您的需求转过去，当天联系您。"),
    ("远岚四驱和插混有什么区别？", "MODEL", "厂家车型手册",
     "2.0T 四驱适合走烂路、上山和冬季雪地；插混纯电可跑约 120 公里，市区可当电车开，长途不用找桩。\n"
     "保养也不同：四驱每 7500 公里或 6 个月，插混每 10000 公里或 12 个月，先到为准。"),
    ("星澜 510 和 620 长续航怎么选？", "MODEL", "厂家车型手册",
     "两款都是纯电。每天往返 100 公里以内、家里能装桩，510 足够；常跑城际或没有固定桩位，建议 620 长续航。\n"
     "续航受气温和车速影响，冬季会短一些。"),
    ("保养一次多少钱？", "PRICE", "本店价目表",
     "价格按工时加备件算，都在价目表上公示，您来之前我们就能把明细发给您。\n"
     "报给您的价格在有效期内一定算数：我们会给您一张报价单，写明项目、价格和有效期。"),
    ("报价单有效期内涨价怎么办？", "PRICE", "本店服务承诺",
     "按报价单上的价格算。报价单写明的有效期内，工时和备件涨价也不影响您。\n没有写在单子上的项目，开工前会先征得您同意。"),
    ("首次保养什么时候做？", "INTERVAL", "厂家保养手册",
     "新车首保：5000 公里或 6 个月，先到为准，带上行驶证和保养手册即可，约一小时。\n"
     "逾期会影响发动机状态，也可能影响后续质保判定，建议提前预约。"),
    ("燃油车多久保养一次？", "INTERVAL", "厂家保养手册",
     "锐放 10000 公里或 12 个月，远岚四驱 7500 公里或 6 个月，青禾 5000 公里或 6 个月，都是先到为准。\n"
     "常走拥堵路段、长期怠速或灰尘大的地方，建议提前一些。"),
    ("新能源车要保养什么？", "INTERVAL", "厂家保养手册",
     "不用换机油，但要检查三电系统、制动、轮胎和空调滤芯。星澜、云鹿纯电每 20000 公里或 12 个月一次。\n"
     "高压部分只由持证技师两人一起操作。"),
    ("质保期是多久？", "WARRANTY", "家用汽车产品修理更换退货责任规定（2022）",
     "家用汽车：包修期不低于 3 年或 6 万公里，三包有效期不低于 2 年或 5 万公里，先到为准，从开具购车发票之日算起。\n"
     "具体车型以随车的三包凭证为准，质保只会更长，不会更短。"),
    ("在店里修过的地方又坏了怎么办？", "WARRANTY", "机动车维修管理规定 第三十七至三十九条",
     "维修有质量保证期：小修、专项修理和一级维护 10 日或 2000 公里，二级维护 30 日或 5000 公里，"
     "总成修理和整车修理 100 日或 2 万公里，"
     "先到为准，从出厂那天算起。\n期内因维修质量不能正常使用，我们免费返修。"),
    ("哪些情况不在质保范围？", "WARRANTY", "三包凭证",
     "正常磨损的易损件（雨刮、制动片、灯泡等）超过其保修期、事故和改装造成的损坏、使用不当造成的损坏不在范围内。\n"
     "不确定的，先到店检查：是不是质保，由我们查明后书面告诉您。"),
    ("你们几点上班，要预约吗？", "AFTER_SALES", "本店公示",
     "营业时间见门店页面和门口公示。预约优先，不用排队；没有预约也接待，会告诉您大约要等多久。\n"
     "预约可以在网上自己选时间，也可以打电话。"),
    ("修车的时候能用代步车吗？", "AFTER_SALES", "本店服务承诺",
     "三包有效期内，因质量问题修理时间超过 5 日的，我们提供代步车或交通补偿。\n"
     "其他情况看当天车辆，请预约时说明，我们尽量安排。"),
    ("旧件能带走吗？", "AFTER_SALES", "本店服务承诺",
     "可以。接车单上选“带走旧件”，交车时当面清点给您；质保更换的旧件按厂家要求要回收，会事先告诉您。"),
    ("电话打不通，找谁投诉？", "OTHER", "本店公示",
     "门店公示牌和接车单上有投诉电话。一般投诉 24 小时内受理，我们会告诉您处理人和时间。"),
]  # fmt: skip


def write_knowledge(store: Store) -> int:
    """Writes the articles that are missing, looked after by the store's care desk; returns how many."""
    owner = employees_with_role(store.pk, "care").first() or employees_with_role(store.pk, "manager").first()
    if owner is None:
        return 0
    by, today = machine("demo", store_id=store.pk), clock.today(store.time_zone)
    known = set(KnowledgeArticle.objects.values_list("title", flat=True))
    written = 0
    for at, (title, topic, source, body) in enumerate(ARTICLES):
        if title in known:
            continue
        written += 1
        article = write_article(
            title=title,
            topic=topic,
            body=body.partition("\n")[0] if at == 0 else body,
            source=source,
            starts_on=today - timedelta(days=200 + at),
            review_on=today + timedelta(days=9 * at + 3),
            owner_uid=owner.uid,
            by=by,
        )
        if at == 0:  # one that has been revised, so that a version before is there to see
            revise_article(
                uid=article.uid, title=title, body=body, source=source, starts_on=today,
                review_on=today + timedelta(days=180), by=by,
            )  # fmt: skip
    return written
