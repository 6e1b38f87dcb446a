"""How customers and vehicles are said on pages: masked numbers, thousands, channels of a consent."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language

from dealership.kernel import formats
from reception.forms.customers import CONSENT_CHANNELS, ON_LINK
from reception.selectors.conduct import phrases

register = template.Library()
register.filter("masked_phone", formats.mask_phone)
register.filter("masked_email", formats.mask_email)


@register.filter
def shown_phone(value: str) -> str:
    """139 0000 0001; other numbers as they are kept."""
    return f"{value[:3]} {value[3:7]} {value[7:]}" if formats.phone_kind(value) is formats.PhoneKind.MOBILE else value


@register.filter
def lookup(values: dict[str, Any], key: str) -> Any:
    return values.get(key)


@register.filter
def plate_or_vin(vehicle: Any) -> str:
    return str(vehicle)


@register.filter
def minutes(span: timedelta | None) -> str:
    """A span in minutes, with one decimal under ten; empty where there is none."""
    if span is None:
        return ""
    value = span.total_seconds() / 60
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


@register.filter
def consent_channel(code: str) -> Any:
    return dict([*CONSENT_CHANNELS, *ON_LINK]).get(code, code)


@register.filter
def as_control(field: Any) -> Any:
    """A bare choice of a Django form in the look of the house."""
    return field.as_widget(attrs={"class": "form-select"})


@register.inclusion_tag("reception/phrases.html")
def standard_phrases(situation: str) -> dict[str, Any]:
    """2.1.3: what the desk says in this situation, in the reader's language."""
    return {"phrases": phrases(situation, get_language() or "")}


@register.inclusion_tag("reception/plate_pad.html")
def plate_pad(box: str) -> dict[str, Any]:
    """2.1.2: the keypad beside the plate's box with this id; places of a plate hold neither I nor O."""
    return {"box": box, "provinces": formats.PROVINCES, "signs": "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789挂学警港澳"}


@register.simple_tag
def page_link(name: str, uid: UUID) -> str:
    """The address of another room's page, '' where that page isn't there."""
    try:
        return reverse(name, args=[uid])
    except NoReverseMatch:
        return ""
