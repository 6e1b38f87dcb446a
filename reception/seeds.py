"""Standard phrases that every group starts with: those of the manual, and usual ones beside them (2.1.3)."""

from .models import Script

# situation → language, phrase; the first two of the arrival are the manual's own
PHRASES = {
    "ARRIVAL": (
        ("zh-hans", "您好，请问有什么可以帮您？"),
        ("zh-hans", "请问您需要什么帮助？"),
        ("zh-hans", "请问怎么称呼您？方便留个联系电话吗？"),
        ("en", "Good morning, how can I help you?"),
        ("en", "May I have your name and a number to reach you?"),
    ),
    "PHONE": (
        ("zh-hans", "您好，这里是服务前台，请问有什么可以帮您？"),
        ("en", "Service desk, good morning, how can I help you?"),
    ),
    "WALKAROUND": (
        ("zh-hans", "我们一起看一下车的外观，有不清楚的地方请随时告诉我。"),
        ("zh-hans", "请您带好车内的贵重物品。"),
        ("en", "Let us walk around the car together; please tell me whatever you notice."),
        ("en", "Please take your valuables with you."),
    ),
    "WAITING": (
        ("zh-hans", "您的车正在检查，预计还需要一点时间，有进展我马上告诉您。"),
        ("en", "Your car is being looked at; I tell you as soon as there is news."),
    ),
    "HANDOVER": (
        ("zh-hans", "今天做的项目和费用我给您逐项说明，有疑问请随时提出。"),
        ("zh-hans", "感谢您的光临，路上注意安全。"),
        ("en", "Let me go through today's work and the bill with you, line by line."),
        ("en", "Thank you for coming; have a safe journey."),
    ),
}


def seed() -> None:
    """Writes the phrases where a group has none yet; what was changed since stays."""
    if Script.objects.exists():
        return
    Script.objects.bulk_create(
        [
            Script(situation=situation, language=language, text=text)
            for situation, phrases in PHRASES.items()
            for language, text in phrases
        ]
    )
