"""Tags that the cotton components and the frame stand on: icons, attributes, times, money, forms."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.forms import (
    BaseForm,
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    ClearableFileInput,
    RadioSelect,
    Select,
)
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, pgettext

from dealership.kernel import clock, crispy, saying

register = template.Library()

STAGES = ("booked", "reception", "consent", "work", "wait", "inspect", "ready", "late")
ICONS = settings.BASE_DIR / "node_modules" / "@tabler" / "icons" / "icons" / "outline"
_NAME = re.compile(r"[a-z0-9-]+")


@cache
def icon_svg(name: str) -> str:
    """The drawing of a Tabler outline icon by name. Raises ValueError for a name that isn't one."""
    path = ICONS / f"{name}.svg"
    if not _NAME.fullmatch(name) or not path.exists():
        raise ValueError(f"There is no Tabler icon named {name!r}.")
    drawing = re.search(r"<svg[^>]*>(.*)</svg>", path.read_text(encoding="utf-8"), re.S)
    if drawing is None:
        raise ValueError(f"The icon {name!r} has no drawing.")
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", drawing[1])
    return re.sub(r"\s*\n\s*", "", inner)


@register.simple_tag
def icon(name: str, tone: str = "", label: str = "") -> SafeString:
    """The icon as inline SVG: hidden from screen readers unless ``label`` says what it stands for."""
    says = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    title = format_html("<title>{}</title>", label) if label else ""
    return format_html(
        '<svg class="ic {}" width="18" height="18" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" '
        'stroke-linejoin="round" {}>{}{}</svg>',
        tone,
        says,
        title,
        mark_safe(icon_svg(str(name))),  # noqa: S308  (a file of the icon package, never a person's text)
    )


@register.filter
def attributes(attrs: Any) -> SafeString:
    """What was handed to a component beyond its own attributes, each value escaped; False and None drop out."""
    pairs = attrs.attrs_dict() if hasattr(attrs, "attrs_dict") else dict(attrs or {})
    out = []
    for key, value in pairs.items():
        if value is False or value is None:
            continue
        if value is True or (value == "" and not key.startswith(("value", "alt"))):
            out.append(conditional_escape(key))
        else:
            out.append(format_html('{}="{}"', key, value))
    return mark_safe(" ".join(out))  # noqa: S308  (built of escaped parts)


@register.filter
def listed(words: Any) -> str:
    """The words one after another, as the language of the page divides them."""
    return saying.say_list(words)


@register.filter
def stage_class(stage: str | None) -> str:
    """The class that carries a stage's colour; nothing for a word that is no stage."""
    return f"c-{stage}" if stage in STAGES else ""


@register.filter
def said(name: str | None) -> str:
    """Work or a part that was written down under its Chinese name, in the reader's language."""
    return saying.say_name(name or "")


@register.filter
def plate_text(plate: str | None) -> str:
    return saying.say_plate(plate)


@register.filter
def plate_class(color: str | None, plate: str | None) -> str:
    """The class of the plate's colour; a car without a plate has none."""
    return (color or "").lower() if plate else "none"


KEY_FACES = {"Enter": "↵", "Escape": "Esc", "ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓"}


@register.filter
def said_time(at: Any) -> str:
    """A time within a sentence: 11:10 of today, 明天 09:10, 周四 09:10; nothing where there is none."""
    return saying.say_time(at, now=clock.now()) if at else ""


@register.filter
def key_face(key: str) -> str:
    """What stands on the key cap: Ctrl+Enter as Ctrl ↵."""
    return " ".join(KEY_FACES.get(part, part) for part in key.split("+"))


@register.filter
def times(number: Any, factor: Any) -> int:
    """Whole number times whole number, for the five-minute columns of a plan."""
    return int(number) * int(factor)


@register.filter
def unlocal(number: Any) -> str:
    """A number as HTML wants it, whatever the language: no thousands sign, a point for decimals."""
    return str(number)


@register.filter
def quantity(number: Decimal | None) -> str:
    """4, 0.5, 20,000: as many places as it has; a dash where nothing is known."""
    return "—" if number is None else f"{number.normalize():,f}"


@register.filter
def thousands(value: int | None) -> str:
    """12,345 in both languages; a dash where nothing is known."""
    return "—" if value is None or value == "" else f"{value:,}"


@register.filter
def km(value: int | None) -> str:
    """48,930 km / 48,930 公里, or a dash where nothing is known."""
    return "—" if value is None or value == "" else gettext("%(km)s km") % {"km": f"{value:,}"}


@register.filter
def initials(name: str | None) -> str:
    return saying.say_initials(name)


@register.filter
def money(amount: Decimal | int | None) -> str:
    """¥1,426.00, or a dash where nothing is known."""
    return "—" if amount is None or amount == "" else saying.say_money(amount)


@register.filter
def amount(amount: Decimal | int | None) -> str:
    """1,426.00 for a column whose head says ¥."""
    return "—" if amount is None or amount == "" else saying.say_money(amount, sign=False)


@register.filter
def span(value: Any) -> str:
    """Minutes or a timedelta as people say them; a dash where nothing is known."""
    return "—" if value is None or value == "" else saying.say_span(value)


@register.filter
def late_span(minutes: Any) -> str:
    """Minutes summed up over many cars: 0 分, 45 分, 51 小时 20 分; never in days, so that two sums can be compared."""
    hours, rest = divmod(int(minutes or 0), 60)
    if hours < 2:
        return gettext("%(minutes)d min") % {"minutes": int(minutes or 0)}
    if rest:
        return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    return gettext("%(hours)d h") % {"hours": hours}


WHEN_KINDS = ("time", "moment", "clock", "date", "wait", "since", "stopwatch", "promise", "booked")
"""What ``{% when %}`` and ``<c-when>`` know; see ``when``."""


@register.simple_tag
def when(at: Any, kind: str = "time", expected: Any = None) -> SafeString:
    """A time as people say it, inside ``<time>`` with the full instant.

    kind: time (11:10, 昨天 11:10) · moment (今天 11:10, 11月29日 周日 11:10) · clock (11:10) · date (11月23日 周一) ·
    wait (等待 9 分, runs on) · since (9 分, runs on) ·
    stopwatch (0:16:42, runs on) ·
    promise (交 11:20; late and soon coloured; with ``expected``: 会晚 2 小时) · booked (约 11:00; 晚 12 分 once it is past).
    """
    if kind not in WHEN_KINDS:
        raise template.TemplateSyntaxError(f"when: unknown kind {kind!r}.")
    if not at:
        return mark_safe('<span class="faint">—</span>')
    now = clock.now()
    if isinstance(at, date) and not isinstance(at, datetime):
        said = saying.say_date(at, today=saying.local(now).date())
        return format_html('<time datetime="{}">{}</time>', at.isoformat(), said)
    tone, runs, said = "", "", ""
    if kind == "clock":
        said = saying.say_clock(at)
    elif kind == "moment":
        said = saying.say_moment(at, now=now)
    elif kind == "date":
        said = saying.say_date(saying.local(at).date(), today=saying.local(now).date())
    elif kind == "wait":
        said = gettext("waiting %(span)s") % {"span": saying.say_span(now - at)}
        runs = "wait"
    elif kind == "since":
        said, runs = saying.say_span(now - at), "since"
    elif kind == "stopwatch":
        whole = max(0, int((now - at).total_seconds()))
        said, runs = f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}", "stopwatch"
    elif kind == "promise":
        if expected and expected > at:
            tone, said = "late", gettext("%(span)s late") % {"span": saying.say_span(expected - at)}
        elif at < now:
            tone, said = "late", gettext("overdue %(span)s") % {"span": saying.say_span(now - at)}
        else:
            tone = "soon" if (at - now).total_seconds() < saying.SOON_MINUTES * 60 else ""
            said = pgettext("hand-over time", "due %(time)s") % {"time": saying.say_time(at, now=now)}
    elif kind == "booked":
        if at < now:
            tone, said = "soon", gettext("late by %(span)s") % {"span": saying.say_span(now - at)}
        else:
            said = pgettext("appointment time", "at %(time)s") % {"time": saying.say_time(at, now=now)}
    else:
        said = saying.say_time(at, now=now)
    return format_html(
        '<time datetime="{}" title="{}"{}{}>{}</time>',
        saying.local(at).isoformat(timespec="seconds"),
        saying.local(at).strftime("%Y-%m-%d %H:%M"),
        format_html(' class="{}"', tone) if tone else "",
        format_html(' data-since="{}"', runs) if runs else "",
        said,
    )


def _control_class(field: BoundField) -> str:
    widget = field.field.widget
    if isinstance(widget, (RadioSelect, CheckboxSelectMultiple, CheckboxInput)):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"


def field_parts(field: BoundField, *, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Everything the template of one form field shows: control, kind, ids of its help and of its errors."""
    widget = field.field.widget
    described = [f"{field.auto_id}_help"] if field.help_text else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    attrs: dict[str, Any] = {"class": f"{widget.attrs.get('class', '')} {_control_class(field)}".strip()}
    if field.errors:
        attrs["class"] += " is-invalid"
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    must = field.field.required or getattr(field.field, "demanded", False)
    if must and not field.field.required:
        attrs["aria-required"] = "true"
    attrs.update(extra or {})
    many = isinstance(widget, (RadioSelect, CheckboxSelectMultiple))
    kind = "group" if many else "check" if isinstance(widget, CheckboxInput) else "line"
    return {
        "field": field,
        "kind": kind,
        "control": None if many else field.as_widget(attrs=attrs),
        "required": must,
        "is_file": isinstance(widget, ClearableFileInput),
        "help_id": f"{field.auto_id}_help",
        "error_id": f"{field.auto_id}_error",
    }


@register.filter
def as_check(field: BoundField) -> SafeString:
    """A bare check box in the look of the house."""
    return field.as_widget(attrs={"class": "form-check-input"})


@register.filter
def as_line(field: BoundField) -> SafeString:
    """A bare text box or list in the look of the house, for tables; its ``aria-label`` comes from the form."""
    return field.as_widget(attrs={"class": _control_class(field)})


@register.inclusion_tag("kernel/form_field.html")
def render_field(field: BoundField, **extra: Any) -> dict[str, Any]:
    """One field of a Django form: label, control, help and errors bound by aria-describedby."""
    return field_parts(field, extra={key.replace("_", "-"): value for key, value in extra.items()})


@register.simple_tag
def render_form(form: BaseForm, columns: str = "") -> str:
    """All fields of a Django form, drawn by crispy in our own look; ``columns="one"`` stacks them."""
    return crispy.draw(form, columns)
