"""Every number of the rules with its validity (7.1)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from dealership.exchange.forms.system import SettingForm
from dealership.exchange.selectors import settings as reads
from dealership.kernel.actors import Actor
from dealership.kernel.models import Setting
from dealership.kernel.pages import CommandPage, Page
from dealership.kernel.permissions import SETTINGS_MANAGE, SETTINGS_VIEW
from dealership.kernel.services import set_setting


class SettingsPage(Page):
    permission = SETTINGS_VIEW
    template_name = "exchange/settings.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        chapter = self.request.GET.get("chapter", "")
        chapter = chapter if chapter in reads.CHAPTERS else ""
        words = self.request.GET.get("q", "")
        everything = reads.settings_list(self.actor)
        counts = {code: sum(s.chapter == code for s in everything) for code in reads.CHAPTERS}
        return super().get_context_data(**kwargs) | {
            "shown": reads.settings_list(self.actor, chapter=chapter, words=words),
            "total": len(everything),
            "changed": sum(s.changed for s in everything),
            "chapters": [(code, word, counts[code]) for code, word in reads.CHAPTERS.items() if counts[code]],
            "chapter": chapter,
            "words": words,
        }


class SettingPage(CommandPage):
    """One number: what holds, what held, and a new value from a day on."""

    permission = SETTINGS_VIEW
    template_name = "exchange/setting.html"
    form_class = SettingForm
    done = _("The new value holds from that day on.")

    @property
    def actor(self) -> Actor:
        return self.request.actor  # type: ignore[attr-defined]

    def get_form_kwargs(self) -> dict[str, Any]:
        one = reads.one_setting(self.actor, self.kwargs["key"])
        return super().get_form_kwargs() | {
            "declared": one.shown.declared,
            "store_name": self.request.store.name,  # type: ignore[attr-defined]
        }

    def get_initial(self) -> dict[str, Any]:
        return super().get_initial() | {"value": reads.one_setting(self.actor, self.kwargs["key"]).shown.typed}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            "one": reads.one_setting(self.actor, self.kwargs["key"]),
            "may_change": self.actor.may(SETTINGS_MANAGE),
        }

    def run(self, form: SettingForm) -> Setting:
        data = form.cleaned_data
        return set_setting(
            key=self.kwargs["key"],
            value=data["value"],
            starts_on=data["starts_on"],
            store=self.request.store if data["scope"] == "store" else None,  # type: ignore[attr-defined]
            reason=data["reason"],
            by=self.actor,
        )

    def location(self, result: Setting) -> str:
        return reverse("setting", args=[result.key])
